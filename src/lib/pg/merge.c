/* pg/merge.c - rows of stages, or records, into a table by key. */
#include "pg/merge.h"

#include <stdlib.h>

#include "pg/merge-private.h"

/* Our advisory locks: "culv" in the upper half, the table's oid in the lower. */
#define LOCK_SPACE "1668639862"

#define SAMPLE 200              /* bytes of a bad row that a message shows */

enum op { OP_NEW, OP_CHANGED, OP_KEPT };        /* in the delta */

/* ---- one run at a time ---- */

static _Noreturn void
die_locked(struct pgmerge *m)
{
	static const char sql[] =
	    "SELECT a.application_name, to_char(a.xact_start AT TIME ZONE 'UTC', 'HH24:MI'), l.pid"
	    " FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid WHERE l.locktype = 'advisory' AND l.granted"
	    " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
	    " AND l.classid = " LOCK_SPACE " AND l.objid = $1::oid AND l.objsubid = 1";
	const char *oid = m->target.oid;
	struct buf who = { 0 };

	PQclear(pg_query(m->conn, "ROLLBACK", 0, NULL));

	PGresult *r = pg_query(m->conn, sql, 1, &oid);
	const char *name = PQntuples(r) > 0 ? PQgetvalue(r, 0, 0) : "";
	const char *space = strchr(name, ' ');

	if (space != NULL)
		buf_fmt(&who, "run %s", space + 1);
	else if (*name != '\0')
		buf_fmt(&who, "%s of process %s", name, PQgetvalue(r, 0, 2));
	else
		buf_text(&who, "another run");
	if (PQntuples(r) > 0 && !PQgetisnull(r, 0, 1))
		buf_fmt(&who, " since %s UTC", PQgetvalue(r, 0, 1));
	die(EX_TEMPFAIL, "%s holds %s: try again later, or wait with --lock-timeout", who.p, m->target.name);
}

void
pgmerge_lock(struct pgmerge *m)
{
	const char *oid = m->target.oid;
	PGresult *r = pg_query(m->conn, "SELECT pg_try_advisory_xact_lock(" LOCK_SPACE "::bigint << 32 | $1::oid::bigint)", 1, &oid);
	bool locked = PQgetvalue(r, 0, 0)[0] == 't';

	PQclear(r);
	if (!locked && pg_options()->lock_timeout > 0) {
		r = pg_try(m->conn, "SELECT pg_advisory_xact_lock(" LOCK_SPACE "::bigint << 32 | $1::oid::bigint)", 1, &oid);
		locked = r != NULL;
		PQclear(r);
	}
	if (!locked)
		die_locked(m);
}

/* ---- the merge ---- */

static _Noreturn void
die_no_key(struct pgmerge *m, unsigned long long n)
{
	struct buf sql = { 0 }, keys = { 0 };

	buf_fmt(&sql, "SELECT left(row_to_json(s)::text, %d) FROM %s s WHERE NOT (", SAMPLE, m->stage);
	for (size_t i = 0, k = 0; i < m->target.n; i++)
		if (m->column[i].key)
			buf_fmt(&sql, "%s%s IS NOT NULL", k++ > 0 ? " AND " : "", m->column[i].value);
	buf_text(&sql, ") LIMIT 1");
	merge_list(&keys, m, KEYS, "");

	PGresult *r = pg_query(m->conn, sql.p, 0, NULL);

	die(EX_DATAERR, "%llu row%s of %s ha%s no value in the key (%s)%s%s", n, n == 1 ? "" : "s", m->stage, n == 1 ? "s" : "ve",
	    keys.p, pg_options()->private ? "" : ", such as ", pg_options()->private ? "" : PQgetvalue(r, 0, 0));
}

/* How a change of a column shows.  OIDs as in pg_type.dat, where they never change. */
enum look { BY_VALUE, BY_BYTES, BY_NUMERIC, BY_FLOAT, BY_IMAGE };

static enum look
look_at(const struct pg_column *col)
{
	switch (col->oid) {
	case 16: case 20: case 21: case 23: case 26: case 1082: case 1083: case 1114: case 1184: case 2950:
		return BY_VALUE;        /* bool, int8, int2, int4, oid, date, time, timestamp, timestamptz, uuid */
	case 25: case 1043:
		return BY_BYTES;        /* text, varchar */
	case 1700:
		return BY_NUMERIC;
	case 701:
		return BY_FLOAT;
	default:
		return BY_IMAGE;
	}
}

/* The one column of the key, or NULL where it has more. */
static const struct merge_column *
only_key(const struct pgmerge *m)
{
	return m->want->keys.n == 1 ? merge_column(m, m->want->keys.w[0]) : NULL;
}

/* Counts rows, keys and rows without one; a look for duplicates costs far less than taking them out every time. */
static void
count_keys(struct pgmerge *m)
{
	struct buf sql = { 0 };
	unsigned long long rows = 0, keyless = 0;
	const struct merge_column *only = only_key(m);

	if (only != NULL && look_at(only->col) == BY_VALUE) {
		/* sorts, which is quicker for these than to hash, and quicker still when they come in order */
		buf_fmt(&sql, "SELECT count(DISTINCT %s), count(*), count(*) - count(%s) FROM %s s", only->value, only->value, m->stage);
	} else {
		buf_text(&sql, "SELECT count(*), coalesce(sum(n), 0), coalesce(sum(n) FILTER (WHERE NOT good), 0) FROM (SELECT count(*) AS n, ");
		for (size_t i = 0, k = 0; i < m->target.n; i++)
			if (m->column[i].key)
				buf_fmt(&sql, "%s%s IS NOT NULL", k++ > 0 ? " AND " : "", m->column[i].value);
		buf_fmt(&sql, " AS good FROM %s s GROUP BY ", m->stage);
		merge_list(&sql, m, KEYS, NULL);
		buf_text(&sql, ") g");
	}
	merge_count(m, &sql, &m->keys, &rows, &keyless);
	buf_free(&sql);
	if (keyless > 0)
		die_no_key(m, keyless);
	if (m->want->stages.n > 0)
		m->counts.read = rows;
	m->counts.superseded = rows - m->keys;
}

/* Lists the rows of the stage that another with the same key beats. */
static void
find_superseded(struct pgmerge *m)
{
	struct buf sql = { 0 };

	buf_fmt(&sql, "CREATE TEMPORARY TABLE %s ON COMMIT DROP AS SELECT r.s FROM"
	    " (SELECT s.ctid AS s, row_number() OVER (PARTITION BY ", m->superseded);
	merge_list(&sql, m, KEYS, NULL);
	buf_text(&sql, " ORDER BY ");
	if (m->want->newer != NULL)
		buf_fmt(&sql, "%s DESC NULLS LAST, ", merge_column(m, m->want->newer)->value);
	/* a stage is filled from its start on, so the place of a row is its place in the input */
	buf_fmt(&sql, "s.ctid DESC) AS place FROM %s s) r WHERE place > 1", m->stage);
	merge_run(m, &sql, NULL);
	buf_fmt(&sql, "ANALYZE %s", m->superseded);
	merge_run(m, &sql, NULL);
	buf_free(&sql);
}

/*
 * Appends " OR ..." for each column whose value differs, NULLs included, and for those only: 1.0 is not 1.00, nor -0 0.
 * Types that are known are compared one by one, at a third less time than by their image; others, which may have no =
 * or one that is too kind (citext, json), by the image of a row of them.
 */
static void
add_differs(struct buf *sql, const struct pgmerge *m)
{
	struct buf ours = { 0 }, theirs = { 0 };

	for (size_t i = 0; i < m->target.n; i++) {
		const char *t = m->column[i].col->ident, *s = m->column[i].value;
		enum look look = look_at(m->column[i].col);

		if (!merge_is_on(&m->column[i], CHANGING))
			continue;
		if (look == BY_IMAGE) {
			buf_fmt(&ours, "%st.%s", ours.len > 0 ? ", " : "", t);
			buf_fmt(&theirs, "%s%s", theirs.len > 0 ? ", " : "", s);
			continue;
		}
		buf_fmt(sql, " OR t.%s IS DISTINCT FROM %s%s", t, s, look == BY_BYTES ? " COLLATE \"C\"" : "");
		if (look == BY_NUMERIC)
			buf_fmt(sql, " OR scale(t.%s) IS DISTINCT FROM scale(%s)", t, s);
		else if (look == BY_FLOAT)
			buf_fmt(sql, " OR (t.%s = 0 AND float8send(t.%s) <> float8send(%s))", t, t, s);
	}
	if (ours.len > 0)
		buf_fmt(sql, " OR ROW(%s)::record *<> ROW(%s)::record", ours.p, theirs.p);
	buf_free(&ours);
	buf_free(&theirs);
}

/* Lists the rows of the stage that are new, that differ, or that are older than the target's. */
static void
find_delta(struct pgmerge *m)
{
	struct buf sql = { 0 }, older = { 0 }, key = { 0 };

	for (size_t i = 0; i < m->target.n && key.len == 0; i++)
		if (m->column[i].key)
			buf_fmt(&key, "t.%s IS NULL", m->column[i].col->ident);
	if (m->want->newer != NULL && !m->want->replace) {
		const struct merge_column *c = merge_column(m, m->want->newer);

		/* without a time it can't be newer than a row that has one */
		buf_fmt(&older, "coalesce(%s < t.%s, t.%s IS NOT NULL)", c->value, c->col->ident, c->col->ident);
	} else {
		buf_text(&older, "false");
	}
	buf_fmt(&sql, "CREATE TEMPORARY TABLE %s ON COMMIT DROP AS SELECT s.ctid AS s,"
	    " CASE WHEN %s THEN %d WHEN %s THEN %d ELSE %d END AS op FROM %s s LEFT JOIN %s t ON ", m->delta, key.p, OP_NEW, older.p, OP_KEPT,
	    OP_CHANGED, m->stage, m->target.ident);
	merge_match(&sql, m);
	buf_fmt(&sql, " WHERE (%s OR %s", key.p, older.p);
	add_differs(&sql, m);
	buf_char(&sql, ')');
	if (m->counts.superseded > 0)
		buf_fmt(&sql, " AND NOT EXISTS (SELECT FROM %s x WHERE x.s = s.ctid)", m->superseded);
	merge_run(m, &sql, NULL);
	buf_fmt(&sql, "ANALYZE %s", m->delta);
	merge_run(m, &sql, NULL);
	buf_free(&sql);
	buf_free(&older);
	buf_free(&key);
}

static void
update_changed(struct pgmerge *m)
{
	struct buf sql = { 0 };
	bool first = true;

	buf_fmt(&sql, "UPDATE %s t SET ", m->target.ident);
	for (size_t i = 0; i < m->target.n; i++) {
		if (!merge_is_on(&m->column[i], CHANGING))
			continue;
		buf_fmt(&sql, "%s%s = %s", first ? "" : ", ", m->column[i].col->ident, m->column[i].value);
		first = false;
	}
	buf_fmt(&sql, " FROM %s d JOIN %s s ON s.ctid = d.s WHERE d.op = %d AND ", m->delta, m->stage, OP_CHANGED);
	merge_match(&sql, m);
	merge_run(m, &sql, &m->counts.updated);
	buf_free(&sql);
}

/* ALL: the whole stage is new, so no list of what is need be joined. */
static void
insert_new(struct pgmerge *m, bool all)
{
	struct buf sql = { 0 };

	buf_fmt(&sql, "INSERT INTO %s (", m->target.ident);
	merge_list(&sql, m, USED, "");
	buf_text(&sql, ") OVERRIDING SYSTEM VALUE SELECT ");
	merge_list(&sql, m, USED, NULL);
	buf_fmt(&sql, " FROM %s s", m->stage);
	if (!all)
		buf_fmt(&sql, " JOIN %s d ON d.s = s.ctid WHERE d.op = %d", m->delta, OP_NEW);
	merge_run(m, &sql, &m->counts.inserted);
	buf_free(&sql);
}

static void
delete_gone(struct pgmerge *m)
{
	struct buf sql = { 0 };
	unsigned long long had = 0;

	buf_fmt(&sql, "SELECT count(*) FROM %s", m->target.ident);
	merge_count(m, &sql, &had, NULL, NULL);
	buf_fmt(&sql, "DELETE FROM %s t WHERE NOT EXISTS (SELECT FROM %s s WHERE ", m->target.ident, m->stage);
	merge_match(&sql, m);
	buf_char(&sql, ')');
	merge_run(m, &sql, &m->counts.deleted);
	limit_check(m->want->max_delete, m->counts.deleted, had, m->target.name);
	buf_free(&sql);
}

/*
 * True when no key of the stage is in the target: then there is nothing to compare, and the stage goes in as it is.  A join
 * of the keys alone tells, and is only made when the first rows of the stage, looked up, are new.
 */
static bool
all_new(struct pgmerge *m)
{
	struct buf sql = { 0 };
	unsigned long long known = 0;

	for (int probe = 1; probe >= 0 && known == 0; probe--) {
		buf_fmt(&sql, "SELECT count(*) FROM (SELECT * FROM %s%s) s JOIN %s t ON ", m->stage, probe ? " LIMIT 1000" : "",
		    m->target.ident);
		merge_match(&sql, m);
		merge_count(m, &sql, &known, NULL, NULL);
	}
	buf_free(&sql);
	return known == 0;
}

/* What was found must be what was written.  It is not when someone writes to a stage of theirs meanwhile, for its rows are
 * known by their place; a trigger of the target's may leave rows out on purpose. */
static void
check_written(const struct pgmerge *m, unsigned long long fresh, unsigned long long changed)
{
	if (m->again || ((m->counts.inserted == fresh || m->target.before_insert) && (m->counts.updated == changed || m->target.before_update)))
		return;
	die(EX_TEMPFAIL, "%s was changed while it was merged: nothing was changed in %s, run again", m->stage, m->target.name);
}

bool
pgmerge_prepare(struct pgmerge *m)
{
	struct buf sql = { 0 };

	count_keys(m);
	/* readers go on; writers that know nothing of us wait, so that what we find still holds when we write */
	buf_fmt(&sql, "LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE", m->target.ident);
	merge_run(m, &sql, NULL);
	buf_free(&sql);
	if (!m->target.analysed)
		merge_analyse(m, m->target.ident);
	return !m->again;
}

bool
pgmerge_delete(struct pgmerge *m)
{
	if (m->want->replace || m->want->delete_missing)
		delete_gone(m);
	return !m->again;
}

bool
pgmerge_write(struct pgmerge *m)
{
	struct buf sql = { 0 };
	unsigned long long empty = 0, fresh = 0, changed = 0;

	buf_fmt(&sql, "SELECT CASE WHEN EXISTS (SELECT FROM %s) THEN 0 ELSE 1 END", m->target.ident);
	merge_count(m, &sql, &empty, NULL, NULL);
	if (m->counts.superseded > 0)
		find_superseded(m);
	if (m->counts.superseded == 0 && (empty || all_new(m))) {
		fresh = m->keys;
	} else if (m->keys > 0) {
		find_delta(m);
		buf_fmt(&sql, "SELECT count(*) FILTER (WHERE op = %d), count(*) FILTER (WHERE op = %d), count(*) FILTER (WHERE op = %d)"
		    " FROM %s", OP_NEW, OP_CHANGED, OP_KEPT, m->delta);
		merge_count(m, &sql, &fresh, &changed, &m->counts.kept_newer);
	}
	if (changed > 0)
		update_changed(m);
	if (fresh > 0)
		insert_new(m, fresh == m->keys && m->counts.superseded == 0);
	check_written(m, fresh, changed);
	m->counts.unchanged = m->keys - fresh - changed - m->counts.kept_newer;
	buf_free(&sql);
	return !m->again;
}

/* ---- a merge ---- */

/* NAME for the first, NAME_2 for the second: temporary tables of one transaction.  Caller frees. */
static char *
temporary(const char *name, unsigned number)
{
	struct buf table = { 0 };

	buf_fmt(&table, "pg_temp.culvert_%s", name);
	if (number > 1)
		buf_fmt(&table, "_%u", number);
	return buf_take(&table);
}

struct pgmerge *
pgmerge_open(PGconn *conn, const struct pgmerge_want *want, unsigned number)
{
	struct pgmerge *m = xcalloc(1, sizeof *m);

	m->conn = conn;
	m->want = want;
	m->made = temporary("stage", number);
	m->delta = temporary("delta", number);
	m->superseded = temporary("superseded", number);
	merge_read_target(m);
	return m;
}

bool
pgmerge_take(struct pgmerge *m, struct rows *in)
{
	if (in == NULL)
		merge_take_stages(m);
	else
		merge_take_records(m, in);
	return !m->again;
}

const struct pgmerge_counts *
pgmerge_counts(const struct pgmerge *m)
{
	return &m->counts;
}

const char *
pgmerge_target(const struct pgmerge *m)
{
	return m->target.name;
}

void
pgmerge_close(struct pgmerge *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < m->target.n; i++)
		free(m->column[i].value);
	free(m->column);
	free(m->made);
	free(m->delta);
	free(m->superseded);
	free(m->stage);
	pg_table_free(&m->target);
	free(m);
}

/* The planner's defaults are for many small queries at once; this is one large one. */
void
pgmerge_tune(PGconn *conn)
{
	pg_run(conn, "SET LOCAL jit = off");
	pg_run(conn, "SELECT set_config('work_mem', '128MB', true) WHERE pg_size_bytes(current_setting('work_mem')) < 128 << 20");
	pg_run(conn, "SET LOCAL synchronize_seqscans = off");   /* several stages are read in the order of their rows */
	pg_run(conn, "SET LOCAL client_min_messages = error");
}
