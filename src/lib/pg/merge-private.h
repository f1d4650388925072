/*
 * pg/merge-private.h - what the files of the merge share: its state, and how its statements are
 * made.  Only pg/merge*.c may include it: make lint checks that.
 *
 * Once a statement has failed as pg_try() does, none is run any more.
 */
#ifndef PGMERGE_PRIVATE_H
#define PGMERGE_PRIVATE_H

#include "pg/merge.h"
#include "pg/table.h"

/* One column of the merge: the target's, and what it is in the stage. */
struct merge_column {
	const struct pg_column *col;
	char *value;                    /* SQL of the stage's value in the target's type, of stage s */
	bool key, used;                 /* used: the stage has it */
};

struct pgmerge {
	PGconn *conn;
	const struct pgmerge_want *want;
	struct pg_table target;
	struct merge_column *column;    /* as many as the target has */
	/* Temporary tables of this merge: a stage of our own, what is new or differs in the stage, and what another row of it beats. */
	char *made, *delta, *superseded;
	char *stage;                    /* quoted: what is merged */
	unsigned long long keys;        /* in the stage */
	struct pgmerge_counts counts;
	bool again;                     /* a statement failed as pg_try() does */
};

enum merge_list { KEYS, USED, CHANGING };       /* CHANGING: used, and no key */

/* All empty SQL.  ROWS, if not NULL: those that the statement touched. */
void merge_run(struct pgmerge *, struct buf *sql, unsigned long long *rows);
/* Up to three numbers of one row; NULL from the first that is not wanted. */
void merge_count(struct pgmerge *, struct buf *sql, unsigned long long *a, unsigned long long *b, unsigned long long *c);
void merge_analyse(struct pgmerge *, const char *table);        /* its key */

bool merge_is_on(const struct merge_column *, enum merge_list);
/* Appends "PREFIXname, PREFIXname", or the stage's values where the prefix is NULL. */
void merge_list(struct buf *sql, const struct pgmerge *, enum merge_list, const char *prefix);
/* Appends "t.key = s.key AND ..." */
void merge_match(struct buf *sql, const struct pgmerge *);
struct merge_column *merge_column(const struct pgmerge *, const char *name);    /* NULL: none */
/* The stage's value of the column, cast to TYPE; NULL: as it is. */
void merge_value(struct merge_column *, const char *type);

/* pg/merge-stage.c */
void merge_read_target(struct pgmerge *);
void merge_take_stages(struct pgmerge *);
void merge_take_records(struct pgmerge *, struct rows *);

#endif
