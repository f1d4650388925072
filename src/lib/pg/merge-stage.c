/* pg/merge-stage.c - the target of a merge, and the stage that is merged into it. */
#include <stdlib.h>

#include "pg/copy.h"
#include "pg/merge-private.h"

/* ---- the target ---- */

static _Noreturn void
die_no_index(const struct pgmerge *m)
{
	struct buf keys = { 0 };

	merge_list(&keys, m, KEYS, "");
	die(EX_CONFIG, "%s has no unique index on its key: CREATE UNIQUE INDEX ON %s (%s)", m->target.name, m->target.ident, keys.p);
}

/* A partitioned table can only have unique indexes that include the partition's columns, which may be more than the key. */
static void
check_index(const struct pgmerge *m)
{
	static const char sql[] =
	    "SELECT bool_or(cols <@ keys), bool_or(keys <@ cols) FROM (SELECT ARRAY(SELECT a.attname::text FROM pg_attribute a"
	    " WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1])) AS cols FROM pg_index i"
	    " WHERE i.indrelid = $1::oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL) x,"
	    " (SELECT ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = $1::oid AND a.attname = ANY ($2::text[]))"
	    " AS keys) y";
	struct buf array = { 0 };

	for (size_t i = 0; i < m->want->keys.n; i++) {
		buf_char(&array, i == 0 ? '{' : ',');
		buf_char(&array, '"');
		for (const char *p = m->want->keys.w[i]; *p != '\0'; p++) {
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
	merge_list(&check, m, KEYS, "t.");
	buf_text(&check, " HAVING count(*) > 1 LIMIT 1) x");
	if (pg_number(m->conn, check.p, 0, NULL) > 0)
		die(EX_DATAERR, "%s has rows that share a key: nothing was changed", m->target.name);
	buf_free(&check);
}

/* Reads the target and sees that it can be merged into. */
void
merge_read_target(struct pgmerge *m)
{
	pg_table_need(m->conn, m->want->table, "CREATE TABLE it, with a unique index on the key", &m->target);
	if (m->target.kind != 'r' && m->target.kind != 'p')
		die(EX_CONFIG, "%s is no table", m->target.name);
	m->column = xcalloc(m->target.n + 1, sizeof *m->column);
	for (size_t i = 0; i < m->target.n; i++)
		m->column[i].col = &m->target.col[i];
	for (size_t i = 0; i < m->want->keys.n; i++) {
		struct merge_column *c = merge_column(m, m->want->keys.w[i]);

		if (c == NULL)
			die(EX_CONFIG, "--key %s: %s has no such column", m->want->keys.w[i], m->target.name);
		c->key = true;
		/* a key has to be told, GENERATED ALWAYS AS IDENTITY or not, and is never NULL */
		m->target.col[c - m->column].always = false;
		m->target.col[c - m->column].not_null = true;
	}
	if (m->want->newer != NULL && merge_column(m, m->want->newer) == NULL)
		die(EX_CONFIG, "--newer %s: %s has no such column", m->want->newer, m->target.name);
	check_index(m);
}

/* ---- the stage ---- */

static _Noreturn void
die_of_stage(const struct pgmerge *m, const char *stage, const char *what, const struct buf *names, const char *mend)
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
check_columns(const struct pgmerge *m, const char *stage)
{
	struct buf gone = { 0 };

	for (size_t i = 0; i < m->target.n; i++) {
		const struct merge_column *c = &m->column[i];
		bool needed = c->key || (m->want->newer != NULL && strcmp(c->col->name, m->want->newer) == 0) ||
		    (m->want->replace && !c->col->has_default && !c->col->generated && !c->col->always);

		if (needed && !c->used)
			add_name(&gone, c->col->name);
	}
	if (gone.len > 0)
		die_of_stage(m, stage, "gone", &gone, "");
}

/* SQL of the stage's value in the target's type.  No cast to a modifier that would cut text: the assignment then fails. */
static void
match_column(struct merge_column *c, const struct pg_column *from)
{
	static const char *const rounds[] = { "numeric", "timestamp", "timestamptz", "time", "timetz", "interval" };
	bool same = strcmp(c->col->base, from->base) == 0;
	bool rounded = false;

	for (size_t i = 0; i < sizeof rounds / sizeof rounds[0]; i++)
		rounded = rounded || (strcmp(c->col->kind, rounds[i]) == 0 && c->col->typmod >= 0);
	if (rounded && !(same && c->col->typmod == from->typmod))
		merge_value(c, c->col->type);
	else
		merge_value(c, same ? NULL : c->col->base);
}

/* Finds which of the target's columns the stage has.  OTHERS: a stage before this one has told already. */
static void
match_stage(struct pgmerge *m, const struct pg_table *stage, bool others)
{
	struct buf fresh = { 0 }, differ = { 0 };

	for (size_t i = 0; i < m->target.n; i++) {
		struct merge_column *c = &m->column[i];
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
	if (fresh.len > 0 && !m->want->copy.ignore_new)
		die_of_stage(m, stage->name, "new", &fresh, ": see --ignore-new");
	buf_free(&fresh);
	check_columns(m, stage->name);
}

/* A stage with the target's types, in the transaction's own schema. */
static void
make_stage(struct pgmerge *m)
{
	struct buf sql = { 0 };

	buf_fmt(&sql, "CREATE TEMPORARY TABLE %s ON COMMIT DROP AS SELECT ", m->made);
	for (size_t i = 0, n = 0; i < m->target.n; i++)
		if (!m->column[i].col->generated && !m->column[i].col->always)
			buf_fmt(&sql, "%s%s", n++ > 0 ? ", " : "", m->column[i].col->ident);
	buf_fmt(&sql, " FROM %s WITH NO DATA", m->target.ident);
	merge_run(m, &sql, NULL);
	buf_free(&sql);
	free(m->stage);
	m->stage = xstrdup(m->made);
}

static void
use_made_stage(struct pgmerge *m)
{
	for (size_t i = 0; i < m->target.n; i++)
		if (m->column[i].used)
			merge_value(&m->column[i], NULL);
}

/* One plain table is merged from where it is; several, or a view, go through a stage of our own, in order. */
void
merge_take_stages(struct pgmerge *m)
{
	struct pg_table stage;
	struct buf sql = { 0 };
	bool own = m->want->stages.n > 1;

	for (size_t i = 0; i < m->want->stages.n && !m->again; i++) {
		pg_table_need(m->conn, m->want->stages.w[i], m->want->see_stage, &stage);
		match_stage(m, &stage, i > 0);
		own = own || stage.kind != 'r';
		if (own) {
			if (i == 0)
				make_stage(m);
			buf_fmt(&sql, "INSERT INTO %s (", m->made);
			merge_list(&sql, m, USED, "");
			buf_text(&sql, ") SELECT ");
			merge_list(&sql, m, USED, NULL);
			buf_fmt(&sql, " FROM %s s", stage.ident);
			merge_run(m, &sql, NULL);
		} else {
			free(m->stage);
			m->stage = xstrdup(stage.ident);
			if (!stage.analysed)
				merge_analyse(m, m->stage);
		}
		pg_table_free(&stage);
	}
	if (own) {
		use_made_stage(m);
		merge_analyse(m, m->made);
	}
	buf_free(&sql);
}

void
merge_take_records(struct pgmerge *m, struct rows *in)
{
	bool *seen = xcalloc(m->target.n + 1, sizeof *seen);
	struct pgcopy_job job = {
		.conn = m->conn, .in = in, .how = m->want->copy, .table = &m->target, .into = m->made,
		.lacking_is_fine = true, .fixed = true,
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
	m->counts.read = read.read;
	m->counts.rejected = read.rejected;
	m->counts.nuls = copied.nuls;
	check_columns(m, "the records");
	use_made_stage(m);
	if (copied.written > 0)
		merge_analyse(m, m->made);
	free(seen);
}

