/* pg/merge-sql.c - what the statements of a merge are made of. */
#include "pg/merge-private.h"

#include <stdlib.h>

void
merge_run(struct pgmerge *m, struct buf *sql, unsigned long long *rows)
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

void
merge_count(struct pgmerge *m, struct buf *sql, unsigned long long *a, unsigned long long *b, unsigned long long *c)
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

bool
merge_is_on(const struct merge_column *c, enum merge_list which)
{
	return which == KEYS ? c->key : which == USED ? c->used : c->used && !c->key;
}

void
merge_list(struct buf *sql, const struct pgmerge *m, enum merge_list which, const char *prefix)
{
	bool first = true;

	for (size_t i = 0; i < m->target.n; i++) {
		const struct merge_column *c = &m->column[i];

		if (!merge_is_on(c, which))
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

void
merge_match(struct buf *sql, const struct pgmerge *m)
{
	bool first = true;

	for (size_t i = 0; i < m->target.n; i++) {
		if (!m->column[i].key)
			continue;
		buf_fmt(sql, "%st.%s = %s", first ? "" : " AND ", m->column[i].col->ident, m->column[i].value);
		first = false;
	}
}

struct merge_column *
merge_column(const struct pgmerge *m, const char *name)
{
	for (size_t i = 0; i < m->target.n; i++)
		if (strcmp(m->column[i].col->name, name) == 0)
			return &m->column[i];
	return NULL;
}

void
merge_value(struct merge_column *c, const char *type)
{
	struct buf sql = { 0 };

	free(c->value);
	if (type != NULL)
		buf_fmt(&sql, "CAST(s.%s AS %s)", c->col->ident, type);
	else
		buf_fmt(&sql, "s.%s", c->col->ident);
	c->value = buf_take(&sql);
}

void
merge_analyse(struct pgmerge *m, const char *table)
{
	struct buf sql = { 0 };

	buf_fmt(&sql, "ANALYZE %s (", table);
	merge_list(&sql, m, KEYS, "");
	buf_char(&sql, ')');
	merge_run(m, &sql, NULL);
	buf_free(&sql);
}
