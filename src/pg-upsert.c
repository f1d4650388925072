/*
 * pg-upsert - merge records, or staging tables, into a Postgres table by key.
 *
 * INSERT ... ON CONFLICT DO UPDATE writes every row again, changed or not, and can't say what it did.  Here one join
 * finds what is new and what differs, and only that is written.  The target is locked against other writers (not
 * against readers) while that goes on, so that what the join found still holds when it is written.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/err.h"
#include "lib/limit.h"
#include "lib/opt.h"
#include "lib/pgcopy.h"
#include "lib/receipt.h"
#include "lib/rows.h"

#define LOCK_WAIT 60.0          /* seconds: for writers that do not know of our lock */
#define ATTEMPTS 5              /* of a merge from stages that met a deadlock or the like */
#define SAMPLE 200              /* bytes of a bad row that a message shows */
/* Our advisory locks: "culv" in the upper half, the table's oid in the lower. */
#define LOCK_SPACE "1668639862"

#define STAGE "pg_temp.culvert_stage"
#define DELTA "pg_temp.culvert_delta"
#define SUPERSEDED "pg_temp.culvert_superseded"
enum op { OP_NEW, OP_CHANGED, OP_KEPT };        /* in the delta */

static struct words key_options, stages;
static const char *newer, *max_delete = "50%";
static bool replace, delete_missing, dry_run;
static long long expect_rows, empty_exit;

static const struct opt options[] = {
	OPT_LIST('k', "key", "COL[,COL]", &key_options, "columns that tell which row is which"),
	OPT_LIST(0, "from", "STAGE", &stages, "merge this table, not standard input; repeat for more, later ones win"),
	OPT_STRING(0, "newer", "COL", &newer, "of rows with one key the one with the greatest COL wins, here and in the table"),
	OPT_FLAG(0, "replace", &replace, "the table becomes what was read"),
	OPT_FLAG(0, "delete-missing", &delete_missing, "delete rows whose key was not read"),
	OPT_STRING(0, "max-delete", "N|P%", &max_delete, "that would delete more of the table than this: fail (50%)"),
	OPT_FLAG('n', "dry-run", &dry_run, "do it all, print the receipt, undo it"),
	OPT_PGCOPY,
	OPT_NUMBER(0, "expect-rows", "N", &expect_rows, 0, 1LL << 62, "fewer rows than this are bad data"),
	OPT_NUMBER(0, "empty-exit", "STATUS", &empty_exit, 0, 255, "exit status when there was no record"),
	OPT_PG,
	OPT_ROWS_CHECKS,
	OPT_END
};
const struct tool tool = {
	.name = "pg-upsert", .operands = "TABLE --key COL[,COL] [file ... | --from STAGE]", .options = options,
	.does = "Merge records, or staging tables, into a Postgres table by key, in one transaction.",
};

/* One column of the merge: the target's, and what it is in the stage. */
struct column {
	const struct pg_column *col;
	char *value;                    /* SQL of the stage's value in the target's type, of stage s */
	bool key, used;                 /* used: the stage has it */
};

struct merge {
	PGconn *conn;
	const char *operand;
	struct pg_table target;
	struct column *column;          /* as many as the target has */
	struct words keys;
	char *stage;                    /* quoted */
	bool again;                     /* failed as pg_try() does: nothing is done any more until the next attempt */
	unsigned long long read, rejected, nuls, inserted, updated, unchanged, deleted, superseded, kept_newer;
};

/* ---- SQL ---- */

static void
run(struct merge *m, struct buf *sql, unsigned long long *rows)
{
	if (!m->again) {
		PGresult *r = pg_try(m->conn, sql->p, 0, NULL);

		m->again = r == NULL;
		if (r != NULL && rows != NULL)
			*rows = strtoull(PQcmdTuples(r), NULL, 10);
		PQclear(r);
	}
	buf_reset(sql);
}

/* Up to three numbers of one row. */
static void
count(struct merge *m, struct buf *sql, unsigned long long *a, unsigned long long *b, unsigned long long *c)
{
	unsigned long long *to[] = { a, b, c };

	if (!m->again) {
		PGresult *r = pg_try(m->conn, sql->p, 0, NULL);

		m->again = r == NULL;
		for (int i = 0; r != NULL && i < 3 && to[i] != NULL; i++)
			*to[i] = strtoull(PQgetvalue(r, 0, i), NULL, 10);
		PQclear(r);
	}
	buf_reset(sql);
}

enum list { KEYS, USED, CHANGING };     /* CHANGING: used, and no key */

static bool
is_on(const struct column *c, enum list which)
{
	return which == KEYS ? c->key : which == USED ? c->used : c->used && !c->key;
}

/* Appends "PREFIXname, PREFIXname", or the stage's values where the prefix is NULL. */
static void
add_list(struct buf *sql, const struct merge *m, enum list which, const char *prefix)
{
	bool first = true;

	for (size_t i = 0; i < m->target.n; i++) {
		const struct column *c = &m->column[i];

		if (!is_on(c, which))
			continue;
		if (!first)
			buf_text(sql, ", ");
		first = false;
		if (prefix == NULL)
			buf_text(sql, c->value);
		else
			buf_fmt(sql, "%s%s", prefix, c->col->ident);
	}
}

/* Appends "t.key = s.key AND ..." */
static void
add_match(struct buf *sql, const struct merge *m)
{
	bool first = true;

	for (size_t i = 0; i < m->target.n; i++) {
		if (!m->column[i].key)
			continue;
		buf_fmt(sql, "%st.%s = %s", first ? "" : " AND ", m->column[i].col->ident, m->column[i].value);
		first = false;
	}
}

static const struct column *
column_of(const struct merge *m, const char *name)
{
	for (size_t i = 0; i < m->target.n; i++)
		if (strcmp(m->column[i].col->name, name) == 0)
			return &m->column[i];
	return NULL;
}

/* The stage's value of the column, cast to TYPE; NULL: as it is. */
static void
set_value(struct column *c, const char *type)
{
	struct buf sql = { 0 };

	free(c->value);
	if (type != NULL)
		buf_fmt(&sql, "CAST(s.%s AS %s)", c->col->ident, type);
	else
		buf_fmt(&sql, "s.%s", c->col->ident);
	c->value = buf_take(&sql);
}

/* ---- the target ---- */

static _Noreturn void
die_no_index(const struct merge *m)
{
	struct buf keys = { 0 };

	add_list(&keys, m, KEYS, "");
	die(EX_CONFIG, "%s has no unique index on its key: CREATE UNIQUE INDEX ON %s (%s)", m->target.name, m->target.ident, keys.p);
}

/* A partitioned table can only have unique indexes that include the partition's columns, which may be more than the key. */
static void
check_index(const struct merge *m)
{
	static const char sql[] =
	    "SELECT bool_or(cols <@ keys), bool_or(keys <@ cols) FROM (SELECT ARRAY(SELECT a.attname::text FROM pg_attribute a"
	    " WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1])) AS cols FROM pg_index i"
	    " WHERE i.indrelid = $1::oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL) x,"
	    " (SELECT ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = $1::oid AND a.attname = ANY ($2::text[]))"
	    " AS keys) y";
	struct buf array = { 0 };

	for (size_t i = 0; i < m->keys.n; i++) {
		buf_char(&array, i == 0 ? '{' : ',');
		buf_char(&array, '"');
		for (const char *p = m->keys.w[i]; *p != '\0'; p++) {
			if (*p == '"' || *p == '\\')
				buf_char(&array, '\\');
			buf_char(&array, *p);
		}
		buf_char(&array, '"');
	}
	buf_char(&array, '}');

	const char *const values[] = { m->target.oid, array.p };
	PGresult *r = pg_query(m->conn, sql, 2, values);
	bool unique = PQgetvalue(r, 0, 0)[0] == 't', part = PQgetvalue(r, 0, 1)[0] == 't';

	PQclear(r);
	buf_free(&array);
	if (!unique && !(part && m->target.kind == 'p'))
		die_no_index(m);
	if (unique)
		return;

	struct buf check = { 0 };

	buf_text(&check, "SELECT count(*) FROM (SELECT FROM ");
	buf_fmt(&check, "%s t GROUP BY ", m->target.ident);
	add_list(&check, m, KEYS, "t.");
	buf_text(&check, " HAVING count(*) > 1 LIMIT 1) x");
	if (pg_number(m->conn, check.p, 0, NULL) > 0)
		die(EX_DATAERR, "%s has rows that share a key: nothing was changed", m->target.name);
	buf_free(&check);
}

/* Reads the target and sees that it can be merged into. */
static void
read_target(struct merge *m)
{
	pg_table_need(m->conn, m->operand, "CREATE TABLE it, with a unique index on the key", &m->target);
	if (m->target.kind != 'r' && m->target.kind != 'p')
		die(EX_CONFIG, "%s is no table", m->target.name);
	m->column = xcalloc(m->target.n + 1, sizeof *m->column);
	for (size_t i = 0; i < m->target.n; i++)
		m->column[i].col = &m->target.col[i];
	for (size_t i = 0; i < m->keys.n; i++) {
		struct column *c = (struct column *)column_of(m, m->keys.w[i]);

		if (c == NULL)
			die(EX_CONFIG, "--key %s: %s has no such column", m->keys.w[i], m->target.name);
		c->key = true;
		/* a key has to be told, GENERATED ALWAYS AS IDENTITY or not, and is never NULL */
		m->target.col[c - m->column].always = false;
		m->target.col[c - m->column].not_null = true;
	}
	if (newer != NULL && column_of(m, newer) == NULL)
		die(EX_CONFIG, "--newer %s: %s has no such column", newer, m->target.name);
	check_index(m);
}

static void
forget_target(struct merge *m)
{
	for (size_t i = 0; i < m->target.n; i++)
		free(m->column[i].value);
	free(m->column);
	free(m->stage);
	m->column = NULL;
	m->stage = NULL;
	pg_table_free(&m->target);
}

/* ---- one run at a time ---- */

static _Noreturn void
die_locked(struct merge *m)
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

static void
lock_out_other_runs(struct merge *m)
{
	const char *oid = m->target.oid;
	PGresult *r = pg_query(m->conn, "SELECT pg_try_advisory_xact_lock(" LOCK_SPACE "::bigint << 32 | $1::oid::bigint)", 1, &oid);
	bool locked = PQgetvalue(r, 0, 0)[0] == 't';

	PQclear(r);
	if (!locked && pg_lock_timeout > 0) {
		r = pg_try(m->conn, "SELECT pg_advisory_xact_lock(" LOCK_SPACE "::bigint << 32 | $1::oid::bigint)", 1, &oid);
		locked = r != NULL;
		PQclear(r);
	}
	if (!locked)
		die_locked(m);
}

/* ---- the stage ---- */

static _Noreturn void
die_of_stage(const struct merge *m, const char *stage, const char *what, const struct buf *names, const char *mend)
{
	die(EX_DATAERR, "%s: columns are not those of %s: %s: %s%s", stage, m->target.name, what, names->p, mend);
}

static void
add_name(struct buf *list, const char *name)
{
	buf_fmt(list, "%s%s", list->len > 0 ? ", " : "", name);
}

/* What the merge needs of the columns that were found. */
static void
check_columns(const struct merge *m, const char *stage)
{
	struct buf gone = { 0 };

	for (size_t i = 0; i < m->target.n; i++) {
		const struct column *c = &m->column[i];
		bool needed = c->key || (newer != NULL && strcmp(c->col->name, newer) == 0) ||
		    (replace && !c->col->has_default && !c->col->generated && !c->col->always);

		if (needed && !c->used)
			add_name(&gone, c->col->name);
	}
	if (gone.len > 0)
		die_of_stage(m, stage, "gone", &gone, "");
}

/* SQL of the stage's value in the target's type.  No cast to a modifier that would cut text: the assignment then fails. */
static void
match_column(struct column *c, const struct pg_column *from)
{
	static const char *const rounds[] = { "numeric", "timestamp", "timestamptz", "time", "timetz", "interval" };
	bool same = strcmp(c->col->base, from->base) == 0;
	bool rounded = false;

	for (size_t i = 0; i < sizeof rounds / sizeof rounds[0]; i++)
		rounded = rounded || (strcmp(c->col->kind, rounds[i]) == 0 && c->col->typmod >= 0);
	if (rounded && !(same && c->col->typmod == from->typmod))
		set_value(c, c->col->type);
	else
		set_value(c, same ? NULL : c->col->base);
}

/* Finds which of the target's columns the stage has.  OTHERS: a stage before this one has told already. */
static void
match_stage(struct merge *m, const struct pg_table *stage, bool others)
{
	struct buf fresh = { 0 }, differ = { 0 };

	for (size_t i = 0; i < m->target.n; i++) {
		struct column *c = &m->column[i];
		const struct pg_column *from = pg_table_column(stage, str_of(c->col->name));
		bool used = from != NULL && !c->col->generated && !c->col->always;

		if (others && used != c->used)
			add_name(&differ, c->col->name);
		c->used = used;
		if (used)
			match_column(c, from);
	}
	if (differ.len > 0)
		die_of_stage(m, stage->name, "not as in the stage before", &differ, "");
	for (size_t i = 0; i < stage->n; i++)
		if (pg_table_column(&m->target, str_of(stage->col[i].name)) == NULL)
			add_name(&fresh, stage->col[i].name);
	if (fresh.len > 0 && !pgcopy_ignore_new)
		die_of_stage(m, stage->name, "new", &fresh, ": see --ignore-new");
	buf_free(&fresh);
	check_columns(m, stage->name);
}

/* A stage with the target's types, in the transaction's own schema. */
static void
make_stage(struct merge *m)
{
	struct buf sql = { 0 };

	buf_text(&sql, "CREATE TEMPORARY TABLE " STAGE " ON COMMIT DROP AS SELECT ");
	for (size_t i = 0, n = 0; i < m->target.n; i++)
		if (!m->column[i].col->generated && !m->column[i].col->always)
			buf_fmt(&sql, "%s%s", n++ > 0 ? ", " : "", m->column[i].col->ident);
	buf_fmt(&sql, " FROM %s WITH NO DATA", m->target.ident);
	run(m, &sql, NULL);
	buf_free(&sql);
	free(m->stage);
	m->stage = xstrdup(STAGE);
}

static void
use_made_stage(struct merge *m)
{
	for (size_t i = 0; i < m->target.n; i++)
		if (m->column[i].used)
			set_value(&m->column[i], NULL);
}

static void
analyse(struct merge *m, const char *table)
{
	struct buf sql = { 0 };

	buf_fmt(&sql, "ANALYZE %s (", table);
	add_list(&sql, m, KEYS, "");
	buf_char(&sql, ')');
	run(m, &sql, NULL);
	buf_free(&sql);
}

/* One plain table is merged from where it is; several, or a view, go through a stage of our own, in order. */
static void
take_stages(struct merge *m)
{
	struct pg_table stage;
	struct buf sql = { 0 };
	bool own = stages.n > 1;

	for (size_t i = 0; i < stages.n; i++) {
		pg_table_need(m->conn, stages.w[i], "fill it with pg-copy-in first", &stage);
		match_stage(m, &stage, i > 0);
		own = own || stage.kind != 'r';
		if (own) {
			if (i == 0)
				make_stage(m);
			buf_text(&sql, "INSERT INTO " STAGE " (");
			add_list(&sql, m, USED, "");
			buf_text(&sql, ") SELECT ");
			add_list(&sql, m, USED, NULL);
			buf_fmt(&sql, " FROM %s s", stage.ident);
			run(m, &sql, NULL);
		} else {
			free(m->stage);
			m->stage = xstrdup(stage.ident);
			if (!stage.analysed)
				analyse(m, m->stage);
		}
		pg_table_free(&stage);
	}
	if (own) {
		use_made_stage(m);
		analyse(m, STAGE);
	}
	buf_free(&sql);
}

static void
take_records(struct merge *m, struct rows *in)
{
	bool *seen = xcalloc(m->target.n + 1, sizeof *seen);
	struct pgcopy_job job = {
		.conn = m->conn, .in = in, .table = &m->target, .into = STAGE, .lacking_is_fine = true, .fixed = true,
	};

	make_stage(m);
	if (m->again) {
		free(seen);
		return;
	}

	struct pgcopy_counts copied = pgcopy(&job, seen);
	struct rows_counts read = rows_counts(in);

	/* of an input without a record or a header nothing is known, and nothing depends on it */
	bool unknown = copied.written == 0 && rows_format(in) != ROWS_CSV;

	for (size_t i = 0; i < m->target.n; i++)
		m->column[i].used = seen[i] || (unknown && !m->target.col[i].generated && !m->target.col[i].always);
	m->read = read.read;
	m->rejected = read.rejected;
	m->nuls = copied.nuls;
	check_columns(m, "the records");
	use_made_stage(m);
	if (copied.written > 0)
		analyse(m, STAGE);
	free(seen);
}

/* ---- the merge ---- */

static _Noreturn void
die_no_key(struct merge *m, unsigned long long n)
{
	struct buf sql = { 0 }, keys = { 0 };

	buf_fmt(&sql, "SELECT left(row_to_json(s)::text, %d) FROM %s s WHERE NOT (", SAMPLE, m->stage);
	for (size_t i = 0, k = 0; i < m->target.n; i++)
		if (m->column[i].key)
			buf_fmt(&sql, "%s%s IS NOT NULL", k++ > 0 ? " AND " : "", m->column[i].value);
	buf_text(&sql, ") LIMIT 1");
	add_list(&keys, m, KEYS, "");

	PGresult *r = pg_query(m->conn, sql.p, 0, NULL);

	die(EX_DATAERR, "%llu row%s of %s ha%s no value in the key (%s), such as %s", n, n == 1 ? "" : "s", m->stage,
	    n == 1 ? "s" : "ve", keys.p, PQgetvalue(r, 0, 0));
}

/* Counts rows, keys and rows without one; a look for duplicates costs far less than taking them out every time. */
static unsigned long long
count_keys(struct merge *m)
{
	struct buf sql = { 0 };
	unsigned long long keys = 0, rows = 0, keyless = 0;

	buf_text(&sql, "SELECT count(*), coalesce(sum(n), 0), coalesce(sum(n) FILTER (WHERE NOT good), 0) FROM (SELECT count(*) AS n, ");
	for (size_t i = 0, k = 0; i < m->target.n; i++)
		if (m->column[i].key)
			buf_fmt(&sql, "%s%s IS NOT NULL", k++ > 0 ? " AND " : "", m->column[i].value);
	buf_fmt(&sql, " AS good FROM %s s GROUP BY ", m->stage);
	add_list(&sql, m, KEYS, NULL);
	buf_text(&sql, ") g");
	count(m, &sql, &keys, &rows, &keyless);
	buf_free(&sql);
	if (keyless > 0)
		die_no_key(m, keyless);
	if (stages.n > 0)
		m->read = rows;
	m->superseded = rows - keys;
	return keys;
}

/* Lists the rows of the stage that another with the same key beats. */
static void
find_superseded(struct merge *m)
{
	struct buf sql = { 0 };

	buf_text(&sql, "CREATE TEMPORARY TABLE " SUPERSEDED " ON COMMIT DROP AS SELECT r.s FROM"
	    " (SELECT s.ctid AS s, row_number() OVER (PARTITION BY ");
	add_list(&sql, m, KEYS, NULL);
	buf_text(&sql, " ORDER BY ");
	if (newer != NULL)
		buf_fmt(&sql, "%s DESC NULLS LAST, ", column_of(m, newer)->value);
	/* a stage is filled from its start on, so the place of a row is its place in the input */
	buf_fmt(&sql, "s.ctid DESC) AS place FROM %s s) r WHERE place > 1", m->stage);
	run(m, &sql, NULL);
	buf_text(&sql, "ANALYZE " SUPERSEDED);
	run(m, &sql, NULL);
	buf_free(&sql);
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

/*
 * Appends " OR ..." for each column whose value differs, NULLs included, and for those only: 1.0 is not 1.00, nor -0 0.
 * Types that are known are compared one by one, at a third less time than by their image; others, which may have no =
 * or one that is too kind (citext, json), by the image of a row of them.
 */
static void
add_differs(struct buf *sql, const struct merge *m)
{
	struct buf ours = { 0 }, theirs = { 0 };

	for (size_t i = 0; i < m->target.n; i++) {
		const char *t = m->column[i].col->ident, *s = m->column[i].value;
		enum look look = look_at(m->column[i].col);

		if (!is_on(&m->column[i], CHANGING))
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
find_delta(struct merge *m)
{
	struct buf sql = { 0 }, older = { 0 }, key = { 0 };

	for (size_t i = 0; i < m->target.n && key.len == 0; i++)
		if (m->column[i].key)
			buf_fmt(&key, "t.%s IS NULL", m->column[i].col->ident);
	if (newer != NULL && !replace) {
		const struct column *c = column_of(m, newer);

		/* without a time it can't be newer than a row that has one */
		buf_fmt(&older, "coalesce(%s < t.%s, t.%s IS NOT NULL)", c->value, c->col->ident, c->col->ident);
	} else {
		buf_text(&older, "false");
	}
	buf_fmt(&sql, "CREATE TEMPORARY TABLE " DELTA " ON COMMIT DROP AS SELECT s.ctid AS s,"
	    " CASE WHEN %s THEN %d WHEN %s THEN %d ELSE %d END AS op FROM %s s LEFT JOIN %s t ON ", key.p, OP_NEW, older.p, OP_KEPT,
	    OP_CHANGED, m->stage, m->target.ident);
	add_match(&sql, m);
	buf_fmt(&sql, " WHERE (%s OR %s", key.p, older.p);
	add_differs(&sql, m);
	buf_char(&sql, ')');
	if (m->superseded > 0)
		buf_text(&sql, " AND NOT EXISTS (SELECT FROM " SUPERSEDED " x WHERE x.s = s.ctid)");
	run(m, &sql, NULL);
	buf_text(&sql, "ANALYZE " DELTA);
	run(m, &sql, NULL);
	buf_free(&sql);
	buf_free(&older);
	buf_free(&key);
}

static void
update_changed(struct merge *m)
{
	struct buf sql = { 0 };
	bool first = true;

	buf_fmt(&sql, "UPDATE %s t SET ", m->target.ident);
	for (size_t i = 0; i < m->target.n; i++) {
		if (!is_on(&m->column[i], CHANGING))
			continue;
		buf_fmt(&sql, "%s%s = %s", first ? "" : ", ", m->column[i].col->ident, m->column[i].value);
		first = false;
	}
	buf_fmt(&sql, " FROM " DELTA " d JOIN %s s ON s.ctid = d.s WHERE d.op = %d AND ", m->stage, OP_CHANGED);
	add_match(&sql, m);
	run(m, &sql, &m->updated);
	buf_free(&sql);
}

/* ALL: the whole stage is new, so no list of what is need be joined. */
static void
insert_new(struct merge *m, bool all)
{
	struct buf sql = { 0 };

	buf_fmt(&sql, "INSERT INTO %s (", m->target.ident);
	add_list(&sql, m, USED, "");
	buf_text(&sql, ") OVERRIDING SYSTEM VALUE SELECT ");
	add_list(&sql, m, USED, NULL);
	buf_fmt(&sql, " FROM %s s", m->stage);
	if (!all)
		buf_fmt(&sql, " JOIN " DELTA " d ON d.s = s.ctid WHERE d.op = %d", OP_NEW);
	run(m, &sql, &m->inserted);
	buf_free(&sql);
}

static void
delete_gone(struct merge *m)
{
	struct limit limit = limit_parse("max-delete", max_delete);
	struct buf sql = { 0 };
	unsigned long long had = 0;

	buf_fmt(&sql, "SELECT count(*) FROM %s", m->target.ident);
	count(m, &sql, &had, NULL, NULL);
	buf_fmt(&sql, "DELETE FROM %s t WHERE NOT EXISTS (SELECT FROM %s s WHERE ", m->target.ident, m->stage);
	add_match(&sql, m);
	buf_char(&sql, ')');
	run(m, &sql, &m->deleted);
	limit_check(limit, m->deleted, had, m->target.name);
	buf_free(&sql);
}

/*
 * True when no key of the stage is in the target: then there is nothing to compare, and the stage goes in as it is.  A join
 * of the keys alone tells, and is only made when the first rows of the stage, looked up, are new.
 */
static bool
all_new(struct merge *m)
{
	struct buf sql = { 0 };
	unsigned long long known = 0;

	for (int probe = 1; probe >= 0 && known == 0; probe--) {
		buf_fmt(&sql, "SELECT count(*) FROM (SELECT * FROM %s%s) s JOIN %s t ON ", m->stage, probe ? " LIMIT 1000" : "",
		    m->target.ident);
		add_match(&sql, m);
		count(m, &sql, &known, NULL, NULL);
	}
	buf_free(&sql);
	return known == 0;
}

/* What was found must be what was written.  It is not when someone writes to a stage of theirs meanwhile, for its rows are
 * known by their place; a trigger of the target's may leave rows out on purpose. */
static void
check_written(const struct merge *m, unsigned long long fresh, unsigned long long changed)
{
	if (m->again || ((m->inserted == fresh || m->target.before_insert) && (m->updated == changed || m->target.before_update)))
		return;
	die(EX_TEMPFAIL, "%s was changed while it was merged: nothing was changed in %s, run again", m->stage, m->target.name);
}

static void
merge(struct merge *m)
{
	struct buf sql = { 0 };
	unsigned long long empty = 0, fresh = 0, changed = 0, keys = count_keys(m);

	/* readers go on; writers that know nothing of us wait, so that what we find still holds when we write */
	buf_fmt(&sql, "LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE", m->target.ident);
	run(m, &sql, NULL);
	if (!m->target.analysed)
		analyse(m, m->target.ident);
	if (replace || delete_missing)
		delete_gone(m);
	buf_fmt(&sql, "SELECT CASE WHEN EXISTS (SELECT FROM %s) THEN 0 ELSE 1 END", m->target.ident);
	count(m, &sql, &empty, NULL, NULL);
	if (m->superseded > 0)
		find_superseded(m);
	if (m->superseded == 0 && (empty || all_new(m))) {
		fresh = keys;
	} else if (keys > 0) {
		find_delta(m);
		buf_fmt(&sql, "SELECT count(*) FILTER (WHERE op = %d), count(*) FILTER (WHERE op = %d), count(*) FILTER (WHERE op = %d)"
		    " FROM " DELTA, OP_NEW, OP_CHANGED, OP_KEPT);
		count(m, &sql, &fresh, &changed, &m->kept_newer);
	}
	if (changed > 0)
		update_changed(m);
	if (fresh > 0)
		insert_new(m, fresh == keys && m->superseded == 0);
	check_written(m, fresh, changed);
	m->unchanged = keys - fresh - changed - m->kept_newer;
	buf_free(&sql);
}

static void
print_receipt(const struct merge *m)
{
	receipt_open();
	receipt_str("table", m->target.name);
	receipt_int("read", m->read);
	receipt_int("inserted", m->inserted);
	receipt_int("updated", m->updated);
	receipt_int("unchanged", m->unchanged);
	receipt_int("deleted", m->deleted);
	receipt_int("superseded", m->superseded);
	receipt_int("kept_newer", m->kept_newer);
	receipt_int("rejected", m->rejected);
	if (m->nuls > 0)
		receipt_int("nuls", m->nuls);
	if (dry_run)
		receipt_bool("dry_run", true);
	receipt_close(m->read == 0);
}

/* The planner's defaults are for many small queries at once; this is one large one. */
static void
tune(PGconn *conn)
{
	pg_run(conn, "SET LOCAL jit = off");
	pg_run(conn, "SELECT set_config('work_mem', '128MB', true) WHERE pg_size_bytes(current_setting('work_mem')) < 128 << 20");
	pg_run(conn, "SET LOCAL synchronize_seqscans = off");   /* several stages are read in the order of their rows */
	pg_run(conn, "SET LOCAL client_min_messages = error");
}

/* One attempt, all of it but the COMMIT. */
static void
attempt(struct merge *m, struct rows *in)
{
	pg_begin(m->conn, LOCK_WAIT);
	tune(m->conn);
	read_target(m);
	/* who is ready to wait reads beside the other run; who isn't shall know before a record is read */
	if (in == NULL || pg_lock_timeout <= 0)
		lock_out_other_runs(m);
	if (in == NULL)
		take_stages(m);
	else
		take_records(m, in);
	if (in != NULL && pg_lock_timeout > 0 && !m->again)
		lock_out_other_runs(m);
	if (!m->again)
		merge(m);
}

static void
check_options(char **files)
{
	if (key_options.n == 0)
		die(EX_USAGE, "no --key: say which columns tell a row");
	if (stages.n > 0 && files[0] != NULL)
		die(EX_USAGE, "%s: --from takes tables, so there is no place for a file", files[0]);
	if (stages.n > 0 && (rows_rejects != NULL || rows_max_rejects != NULL))
		die(EX_USAGE, "--rejects is for records, not for --from: reject them when the stage is filled");
	limit_parse("max-delete", max_delete);
}

/* All of --key, which takes lists and comes more than once.  Caller frees the result and its first word. */
static struct words
all_keys(void)
{
	struct buf list = { 0 };
	struct words keys;

	for (size_t i = 0; i < key_options.n; i++)
		buf_fmt(&list, "%s%s", i > 0 ? "," : "", key_options.w[i]);
	keys = opt_split(list.p);
	buf_free(&list);
	return keys;
}

int
main(int argc, char *argv[])
{
	char **operands = opt_parse(argc, argv);

	if (operands[0] == NULL)
		die(EX_USAGE, "no TABLE: say what to merge into");
	check_options(operands + 1);
	stop_setup("nothing was changed, run again");

	struct merge m = { .conn = pg_open(), .operand = operands[0], .keys = all_keys() };
	struct rows *in = stages.n == 0 ? rows_open(operands + 1) : NULL;

	for (unsigned n = 0;; n++) {
		attempt(&m, in);
		if (m.read < (unsigned long long)expect_rows && !m.again)
			die(EX_DATAERR, "%llu rows, %lld expected: nothing was changed", m.read, expect_rows);
		if (in != NULL && !m.again)
			rows_check(in);
		if (!m.again && dry_run)
			pg_run(m.conn, "ROLLBACK");
		if (!m.again && (dry_run || pg_try_commit(&m.conn)))
			break;
		/* records are gone once they are read, stages are still there */
		if (in != NULL || n + 1 == ATTEMPTS)
			die(EX_TEMPFAIL, "%s: %s: nothing was changed", m.target.name, pg_why());
		pg_run(m.conn, "ROLLBACK");
		forget_target(&m);
		m = (struct merge){ .conn = m.conn, .operand = m.operand, .keys = m.keys };
		pg_pause(n);
	}
	print_receipt(&m);
	if (in != NULL)
		rows_close(in);
	free(m.keys.w[0]);
	free(m.keys.w);
	forget_target(&m);
	pg_close(m.conn);
	return m.read == 0 ? (int)empty_exit : EX_OK;
}
