/*
 * pg-copy-in - load records into a Postgres table by COPY.
 *
 * All is one transaction, committed only at a clean end of the input: a torn pipe leaves the table as it was.
 * --truncate empties the table inside that transaction too.
 */
#include <stdlib.h>

#include "advice.h"
#include "base/err.h"
#include "base/limit.h"
#include "base/opt.h"
#include "pg/copy.h"
#include "records/receipt.h"
#include "records/rows.h"

#define LOCK_WAIT 60.0          /* seconds: another load of the same stage is mostly done by then */

static bool create, truncate_first, unlogged, add_columns, ignore_gone;
static const char *max_delete = "50%";
static struct words types;
static long long expect_rows, empty_exit;
static struct rows_options reading = { ROWS_DEFAULTS, ROWS_ADVICE };
static struct pgcopy_options copying;
static struct pg_options db = { PG_DEFAULTS };

static const struct opt options[] = {
	OPT_FLAG(0, "create", &create, "make the table if there is none"),
	OPT_NO_LETTER('c', "create"),
	OPT_LIST(0, "type", "NAME=TYPE", &types, "type of a column that is made; repeat for more"),
	OPT_NO_LETTER('T', "type"),
	OPT_FLAG(0, "unlogged", &unlogged, "make it unlogged: empty after a server crash"),
	OPT_FLAG(0, "truncate", &truncate_first, "empty the table first, in the same transaction"),
	OPT_NO_LETTER('t', "truncate"),
	OPT_STRING(0, "max-delete", "N|P%", &max_delete,
	    "--truncate that loses more than this: fail (50%)"),
	OPT_FLAG(0, "add-columns", &add_columns, "add columns that the table lacks"),
	OPT_FLAG(0, "ignore-gone", &ignore_gone, "the records may lack columns of the table"),
	OPT_PGCOPY(copying),
	OPT_NUMBER(0, "expect-rows", "N", &expect_rows, 0, 1LL << 62,
	    "fewer rows are an error (65)"),
	OPT_NUMBER(0, "empty-exit", "STATUS", &empty_exit, 0, 255, "exit status when there was no record"),
	OPT_PG(db),
	OPT_ROWS_IN(reading),
	OPT_END
};
const struct tool tool = {
	.name = "pg-copy-in", .operands = "TABLE [file ...]", .options = options,
	.does = "Load records into a Postgres table by COPY, in one transaction.",
};

static void
check_types(void)
{
	for (size_t i = 0; i < types.n; i++) {
		const char *eq = strchr(types.w[i], '=');

		if (eq == NULL || eq == types.w[i] || eq[1] == '\0')
			die(EX_USAGE, "--type %s: want NAME=TYPE", types.w[i]);
	}
}

static bool
ends_in(struct str name, const char *end)
{
	size_t n = strlen(end);

	return name.n >= n && memcmp(name.p + name.n - n, end, n) == 0;
}

/* What --type says of the column, else the rule. */
static const char *
type_of(struct str name)
{
	for (size_t i = types.n; i-- > 0;) {
		const char *eq = strchr(types.w[i], '=');

		if (str_eq(name, (struct str){ types.w[i], (size_t)(eq - types.w[i]) }))
			return eq + 1;
	}
	if (ends_in(name, "date"))
		return "timestamp";
	if (str_eq(name, STR("latitude")) || str_eq(name, STR("longitude")))
		return "double precision";
	return "varchar";
}

/* "(10,2)" at the end of a type, or "" */
static const char *
type_modifier(const char *type)
{
	const char *open = strchr(type, '(');

	if (open == NULL)
		return "";
	if (strspn(open + 1, "0123456789, -") + 2 != strlen(open) || open[strlen(open) - 1] != ')')
		die(EX_CONFIG, "--type %s: a modifier is numbers at the end, such as numeric(10,2)", type);
	return open;
}

/* Appends the type as the catalog knows it: what was typed never becomes SQL but for the digits of the modifier. */
static void
add_type(PGconn *conn, struct buf *sql, const char *type)
{
	const char *modifier = type_modifier(type);
	char *base = str_dup((struct str){ type, strlen(type) - strlen(modifier) });
	const char *value = base;
	PGresult *r = pg_query(conn, "SELECT format_type(to_regtype($1), NULL)", 1, &value);

	if (PQgetisnull(r, 0, 0))
		die(EX_CONFIG, "--type: the server knows no type \"%s\"", type);
	buf_fmt(sql, "%s%s", PQgetvalue(r, 0, 0), modifier);
	PQclear(r);
	free(base);
}

static void
add_column(PGconn *conn, struct buf *sql, struct str name)
{
	char *text = str_dup(name);

	pg_ident(conn, sql, text);
	buf_char(sql, ' ');
	add_type(conn, sql, type_of(name));
	free(text);
}

/* --add-columns; and --create with NDJSON, where columns show up as the records come. */
static void
widen_table(const struct pgcopy_job *job, const struct str *names, size_t n)
{
	struct buf sql = { 0 };
	struct pg_table *table = job->table;

	buf_fmt(&sql, "ALTER TABLE %s ", table->ident);
	for (size_t i = 0; i < n; i++) {
		buf_text(&sql, i > 0 ? ", ADD COLUMN " : "ADD COLUMN ");
		add_column(job->conn, &sql, names[i]);
		if (add_columns)
			note("column \"%.*s\" is new: adding it to %s", (int)names[i].n, names[i].p, table->name);
	}
	pg_run(job->conn, sql.p);

	char *ident = xstrdup(table->ident);

	pg_table_free(table);
	pg_table_need(job->conn, ident, "it was here just now", table);
	free(ident);
	buf_free(&sql);
}

/* Of CSV it has the header's columns at once; of NDJSON none yet, each is added by the first record that has it. */
static void
create_table(PGconn *conn, const char *name, struct rows *in, struct pg_table *table)
{
	const struct row *header = rows_header(in);
	struct buf sql = { 0 };

	buf_text(&sql, unlogged ? "CREATE UNLOGGED TABLE " : "CREATE TABLE ");
	pg_table_ident(conn, &sql, name);
	buf_text(&sql, " (");
	for (size_t i = 0; header != NULL && i < header->n; i++) {
		if (i > 0)
			buf_text(&sql, ", ");
		add_column(conn, &sql, header->f[i].name);
	}
	buf_char(&sql, ')');
	pg_run(conn, sql.p);
	buf_free(&sql);
	pg_table_need(conn, name, "it was made just now", table);
}

/* Finds, makes or empties the table.  Returns how many rows went that a mistake would be sorry for. */
static unsigned long long
prepare_table(struct pgcopy_job *job, const char *name)
{
	struct pg_table *table = job->table;
	struct buf sql = { 0 };
	unsigned long long rows = 0;

	if (create && !pg_table(job->conn, name, table)) {
		create_table(job->conn, name, job->in, table);
		job->widen = widen_table;
		return 0;
	}
	if (!create)
		pg_table_need(job->conn, name, "CREATE TABLE it, or let --create do so", table);
	if (!truncate_first)
		return 0;
	if (!table->unlogged) {         /* an unlogged one is a stage: what it held was to go anyway */
		buf_fmt(&sql, "SELECT count(*) FROM %s", table->ident);
		rows = (unsigned long long)pg_number(job->conn, sql.p, 0, NULL);
		buf_reset(&sql);
	}
	buf_fmt(&sql, "TRUNCATE %s", table->ident);
	pg_run(job->conn, sql.p);
	buf_free(&sql);
	return rows;
}

static void
print_receipt(const char *table, const struct rows_counts *read, const struct pgcopy_counts *count)
{
	receipt_open();
	receipt_str("table", table);
	receipt_int("read", read->read);
	receipt_int("written", count->written);
	receipt_int("rejected", read->rejected);
	if (count->nuls > 0)
		receipt_int("nuls", count->nuls);
	/* a trigger of the table may turn rows away */
	if (count->written + read->rejected != read->read)
		receipt_int("skipped", read->read - read->rejected - count->written);
	receipt_close(read->read == 0);
}

/* A name that is mistyped gives its column no type, and the rule's instead: said, since it may just not have come yet. */
static void
note_types_without_column(const struct pg_table *table)
{
	for (size_t i = 0; i < types.n; i++) {
		int n = (int)(strchr(types.w[i], '=') - types.w[i]);

		if (pg_table_column(table, (struct str){ types.w[i], (size_t)n }) == NULL)
			warning("--type %.*s: %s has no such column", n, types.w[i], table->name);
	}
}

int
main(int argc, char *argv[])
{
	char **operands = opt_parse(argc, argv);

	if (operands[0] == NULL)
		die(EX_USAGE, "no TABLE: say where to load");

	struct limit limit = limit_parse("max-delete", max_delete);

	check_types();
	stop_setup("nothing was loaded, run again");

	PGconn *conn = pg_open(&db);
	struct rows *in = rows_open(operands + 1, &reading);
	struct pg_table table = { 0 };
	struct pgcopy_job job = {
		.conn = conn, .in = in, .how = copying, .table = &table, .lacking_is_fine = ignore_gone,
		.widen = add_columns ? widen_table : NULL,
	};

	pg_begin(conn, LOCK_WAIT);

	unsigned long long had = prepare_table(&job, operands[0]);

	struct pgcopy_counts count = pgcopy(&job, NULL);
	struct rows_counts read = rows_counts(in);

	if (read.read < (unsigned long long)expect_rows)
		die(EX_DATAERR, "%llu rows, %lld expected: nothing was loaded", read.read, expect_rows);
	if (had > count.written)
		limit_check(limit, had - count.written, had, table.name);
	rows_check(in);
	note_types_without_column(&table);
	pg_commit(&conn);
	print_receipt(table.name, &read, &count);
	rows_close(in);
	pg_table_free(&table);
	pg_close(conn);
	return read.read == 0 ? (int)empty_exit : EX_OK;
}
