/*
 * pg/table.h - what the catalog says of a table, and how much of one may go.
 */
#ifndef PGTABLE_H
#define PGTABLE_H

#include "pg/pg.h"

struct pg_column {
	char *name, *ident;             /* as it is, and quoted */
	char *type, *base;              /* "numeric(10,2)"; and without its modifier, quoted and with its schema */
	char *kind;                     /* the bare name of the type: "numeric" */
	unsigned oid;                   /* of the type; 0 for what is not a built-in of PostgreSQL's */
	int typmod;                     /* -1: none */
	bool not_null, has_default, generated, always;  /* always: GENERATED ALWAYS AS IDENTITY */
};
struct pg_table {
	char *oid;                      /* of the table, as text to bind */
	char *name, *ident;             /* for people: without the schema when it is in the search path; quoted with its schema */
	char kind;                      /* r table, p partitioned, v view, m materialized view, f foreign */
	bool unlogged, analysed;
	bool before_insert, before_update;      /* a trigger may fill what is NULL, or leave a row out */
	struct pg_column *col;
	size_t n;
};

/* NAME is read as SQL reads one: schema.table, folded to lower case unless "quoted".  What is no such name, or names
 * nothing that way, is taken as it stands.  False when there is no such table. */
bool pg_table(PGconn *, const char *name, struct pg_table *);
/* The same, but a missing table dies EX_CONFIG, telling how to make it. */
void pg_table_need(PGconn *, const char *name, const char *mend, struct pg_table *);
void pg_table_free(struct pg_table *);
/* Appends the quoted name of a table to be made. */
void pg_table_ident(PGconn *, struct buf *, const char *name);
const struct pg_column *pg_table_column(const struct pg_table *, struct str name);      /* NULL: none */

#endif
