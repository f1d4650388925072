/* pg/table.c - what the catalog says of a table. */
#include "pg/table.h"

#include <stdlib.h>

/* At most schema.table: a third part would be a database. */
struct parts { char *part[2]; size_t n; };

static void
parts_free(struct parts *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->part[i]);
	p->n = 0;
}

/* One part of a name, folded as PostgreSQL does in UTF-8: ASCII only.  Returns past it, or NULL if it is none. */
static const char *
parse_part(const char *p, struct buf *out)
{
	if (*p == '"') {
		for (p++; *p != '"' || p[1] == '"'; p++) {
			if (*p == '\0')
				return NULL;
			if (*p == '"')
				p++;
			buf_char(out, *p);
		}
		return out->len > 0 ? p + 1 : NULL;
	}
	for (; (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || *p == '_' || (unsigned char)*p >= 0x80 ||
	    (out->len > 0 && ((*p >= '0' && *p <= '9') || *p == '$')); p++)
		buf_char(out, *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p);
	return out->len > 0 ? p : NULL;
}

/* False when it is no name as SQL writes one. */
static bool
parse_name(const char *name, struct parts *parts)
{
	struct buf part = { 0 };
	const char *p = name;

	parts->n = 0;
	while (parts->n < 2 && (p = parse_part(p, &part)) != NULL) {
		parts->part[parts->n++] = buf_take(&part);
		if (*p == '\0')
			return true;
		if (*p++ != '.')
			break;
	}
	buf_free(&part);
	parts_free(parts);
	return false;
}

static void
quote_parts(PGconn *conn, struct buf *out, const struct parts *parts)
{
	for (size_t i = 0; i < parts->n; i++) {
		if (i > 0)
			buf_char(out, '.');
		pg_ident(conn, out, parts->part[i]);
	}
}

void
pg_table_ident(PGconn *conn, struct buf *out, const char *name)
{
	struct parts parts;

	if (parse_name(name, &parts)) {
		quote_parts(conn, out, &parts);
		parts_free(&parts);
	} else {
		pg_ident(conn, out, name);
	}
}

static bool
find_oid(PGconn *conn, const char *quoted, struct pg_table *table)
{
	PGresult *r = pg_query(conn,
	    "SELECT c.oid, CASE WHEN pg_table_is_visible(c.oid) THEN '' ELSE n.nspname || '.' END || c.relname,"
	    " quote_ident(n.nspname) || '.' || quote_ident(c.relname), c.relkind, c.relpersistence = 'u',"
	    " EXISTS (SELECT FROM pg_stats s WHERE s.schemaname = n.nspname AND s.tablename = c.relname),"
	    /* ROW | BEFORE | INSERT, and UPDATE (pg_trigger.h) */
	    " EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = c.oid AND g.tgtype & 7 = 7),"
	    " EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = c.oid AND g.tgtype & 19 = 19)"
	    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass($1)", 1, &quoted);
	bool found = PQntuples(r) == 1;

	if (found)
		*table = (struct pg_table){
			.oid = xstrdup(PQgetvalue(r, 0, 0)), .name = xstrdup(PQgetvalue(r, 0, 1)),
			.ident = xstrdup(PQgetvalue(r, 0, 2)), .kind = PQgetvalue(r, 0, 3)[0],
			.unlogged = PQgetvalue(r, 0, 4)[0] == 't', .analysed = PQgetvalue(r, 0, 5)[0] == 't',
			.before_insert = PQgetvalue(r, 0, 6)[0] == 't', .before_update = PQgetvalue(r, 0, 7)[0] == 't',
		};
	PQclear(r);
	return found;
}

static void
read_columns(PGconn *conn, struct pg_table *table)
{
	const char *oid = table->oid;
	PGresult *r = pg_query(conn,
	    "SELECT a.attname, quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),"
	    " quote_ident(n.nspname) || '.' || quote_ident(t.typname), t.typname,"
	    /* a built-in's number is the same in every cluster (pg_type.dat) */
	    " CASE WHEN a.atttypid < 10000 THEN a.atttypid ELSE 0 END, a.atttypmod, a.attnotnull,"
	    " a.atthasdef OR a.attidentity <> '', a.attgenerated <> '', a.attidentity = 'a'"
	    " FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid JOIN pg_namespace n ON n.oid = t.typnamespace"
	    " WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum", 1, &oid);

	table->n = (size_t)PQntuples(r);
	table->col = xcalloc(table->n + 1, sizeof *table->col);
	for (int i = 0; i < PQntuples(r); i++)
		table->col[i] = (struct pg_column){
			.name = xstrdup(PQgetvalue(r, i, 0)), .ident = xstrdup(PQgetvalue(r, i, 1)),
			.type = xstrdup(PQgetvalue(r, i, 2)), .base = xstrdup(PQgetvalue(r, i, 3)),
			.kind = xstrdup(PQgetvalue(r, i, 4)),
			.oid = (unsigned)strtoul(PQgetvalue(r, i, 5), NULL, 10), .typmod = atoi(PQgetvalue(r, i, 6)),
			.not_null = PQgetvalue(r, i, 7)[0] == 't', .has_default = PQgetvalue(r, i, 8)[0] == 't',
			.generated = PQgetvalue(r, i, 9)[0] == 't', .always = PQgetvalue(r, i, 10)[0] == 't',
		};
	PQclear(r);
}

bool
pg_table(PGconn *conn, const char *name, struct pg_table *table)
{
	struct buf quoted = { 0 };
	bool found;

	*table = (struct pg_table){ 0 };
	pg_table_ident(conn, &quoted, name);
	found = find_oid(conn, quoted.p, table);
	if (!found) {
		buf_reset(&quoted);
		pg_ident(conn, &quoted, name);
		found = find_oid(conn, quoted.p, table);
	}
	buf_free(&quoted);
	if (found)
		read_columns(conn, table);
	return found;
}

void
pg_table_need(PGconn *conn, const char *name, const char *mend, struct pg_table *table)
{
	if (!pg_table(conn, name, table))
		die(EX_CONFIG, "no table %s in database \"%s\": %s", name, PQdb(conn), mend);
}

void
pg_table_free(struct pg_table *table)
{
	for (size_t i = 0; i < table->n; i++) {
		struct pg_column *c = &table->col[i];

		free(c->name);
		free(c->ident);
		free(c->type);
		free(c->base);
		free(c->kind);
	}
	free(table->col);
	free(table->oid);
	free(table->name);
	free(table->ident);
	*table = (struct pg_table){ 0 };
}

const struct pg_column *
pg_table_column(const struct pg_table *table, struct str name)
{
	for (size_t i = 0; i < table->n; i++)
		if (str_eq(name, str_of(table->col[i].name)))
			return &table->col[i];
	return NULL;
}
