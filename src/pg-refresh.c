/*
 * pg-refresh - refresh materialized views, analyse and vacuum.
 *
 * A view is refreshed concurrently, so that readers go on, where PostgreSQL can do that: it has a unique index on
 * plain columns and has been filled before.  One that can't is refreshed all the same, and said.  Each object is a
 * transaction and a receipt of its own, in the order named, since views may build on each other.
 */
#include "base/err.h"
#include "base/opt.h"
#include "pg/table.h"
#include "records/receipt.h"

#define LOCK_WAIT 60.0          /* seconds: a reader that has the view open is mostly done by then */

static bool analyse, vacuum;
static struct pg_options db = { PG_DEFAULTS };

static const struct opt options[] = {
	OPT_FLAG(0, "analyze", &analyse, "renew the planner's statistics too"),
	OPT_NO_LETTER('a', "analyze"),
	OPT_FLAG(0, "vacuum", &vacuum, "vacuum too; neither stops readers or writers"),
	OPT_NO_LETTER('z', "vacuum"),
	OPT_PG(db),
	OPT_END
};
const struct tool tool = {
	.name = "pg-refresh", .operands = "VIEW|TABLE ...", .options = options,
	.does = "Refresh materialized views; analyze and vacuum them and tables.",
};

/* Why the view can't be refreshed while it is read, and the mend; NULL: it can. */
static const char *
what_blocks(PGconn *conn, const struct pg_table *view)
{
	static const char sql[] = "SELECT c.relispopulated, EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND"
	    " i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL)"
	    " FROM pg_class c WHERE c.oid = $1::oid";
	const char *oid = view->oid;
	PGresult *r = pg_query(conn, sql, 1, &oid);
	bool filled = PQgetvalue(r, 0, 0)[0] == 't', indexed = PQgetvalue(r, 0, 1)[0] == 't';

	PQclear(r);
	if (!indexed)
		return "it has no unique index: CREATE UNIQUE INDEX on columns that tell its rows";
	return filled ? NULL : "it was never filled";
}

static void
refresh(PGconn *conn, const struct pg_table *view, bool *concurrently)
{
	struct buf sql = { 0 };

	pg_begin(conn, LOCK_WAIT);

	const char *blocks = what_blocks(conn, view);

	if (blocks != NULL)
		note("%s: readers wait while it is refreshed: %s", view->name, blocks);
	*concurrently = blocks == NULL;
	buf_fmt(&sql, "REFRESH MATERIALIZED VIEW %s%s", *concurrently ? "CONCURRENTLY " : "", view->ident);
	pg_run(conn, sql.p);
	pg_run(conn, "COMMIT");
	buf_free(&sql);
}

/* VACUUM and ANALYZE of another's table are left out with no more than a warning. */
static void
check_right(PGconn *conn, const struct pg_table *table)
{
	static const char sql[] = "SELECT CASE WHEN pg_has_role(c.relowner, 'USAGE') OR pg_has_role(d.datdba, 'USAGE') THEN 1"
	    " WHEN current_setting('server_version_num')::int < 170000 THEN 0"
	    " ELSE has_table_privilege(c.oid, 'MAINTAIN')::int END"
	    " FROM pg_class c, pg_database d WHERE c.oid = $1::oid AND d.datname = current_database()";
	const char *oid = table->oid;

	if (pg_number(conn, sql, 1, &oid) == 0)
		die(EX_NOPERM, "%s is another's: only its owner may vacuum and analyse it", table->name);
}

/* VACUUM can't run in a transaction, so no SET LOCAL limits it.  It waits for no reader and no writer, but for another
 * VACUUM or a change of the table, which may not end soon: with SKIP_LOCKED it would be silent about leaving it out. */
static void
look_after(PGconn *conn, const struct pg_table *table)
{
	struct buf sql = { 0 };

	if (vacuum)
		buf_fmt(&sql, "VACUUM (ANALYZE %s) %s", analyse ? "true" : "false", table->ident);
	else
		buf_fmt(&sql, "ANALYZE %s", table->ident);
	pg_run(conn, sql.p);
	buf_free(&sql);
}

static void
check_kind(const struct pg_table *table)
{
	if (table->kind == 'm' || ((table->kind == 'r' || table->kind == 'p') && (analyse || vacuum)))
		return;
	if (table->kind == 'r' || table->kind == 'p')
		die(EX_CONFIG, "%s is a table: say --analyze or --vacuum", table->name);
	die(EX_CONFIG, "%s is no materialized view", table->name);
}

static void
do_one(PGconn *conn, const char *name)
{
	struct pg_table table;
	bool concurrently = false;

	pg_table_need(conn, name, "CREATE MATERIALIZED VIEW it", &table);
	receipt_open();
	receipt_str("object", table.name);
	if (table.kind == 'm') {
		refresh(conn, &table, &concurrently);
		receipt_bool("refreshed", true);
		receipt_bool("concurrently", concurrently);
	}
	if (vacuum || analyse)
		look_after(conn, &table);
	if (analyse)
		receipt_bool("analyzed", true);
	if (vacuum)
		receipt_bool("vacuumed", true);
	receipt_close(false);
	pg_table_free(&table);
}

/* Before the first is touched: a name that is wrong should not show after an hour of the others. */
static void
check_all(PGconn *conn, char **names)
{
	struct pg_table table;

	for (; *names != NULL; names++) {
		pg_table_need(conn, *names, "CREATE MATERIALIZED VIEW it", &table);
		check_kind(&table);
		if (vacuum || analyse)
			check_right(conn, &table);
		pg_table_free(&table);
	}
}

int
main(int argc, char *argv[])
{
	char **names = opt_parse(argc, argv);

	if (names[0] == NULL)
		die(EX_USAGE, "no VIEW: say what to refresh");
	stop_setup("what has a receipt is done, the rest is as it was");

	PGconn *conn = pg_open(&db);

	check_all(conn, names);
	for (; *names != NULL; names++)
		do_one(conn, *names);
	pg_close(conn);
	return EX_OK;
}
