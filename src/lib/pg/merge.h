/*
 * pg/merge.h - rows of stages, or records, into a table by key: insert what is new, update what
 * differs, delete what is gone.
 *
 * It goes on in a transaction that the caller begins and commits, and several merges may share it, each with a number of its
 * own.  Each step is taken for all of them before the next one is, from the first to the last but for pgmerge_delete(), which goes
 * from the last to the first: so foreign keys hold among targets that come behind those they refer to.
 * A step that returns false failed as pg_try() does: the transaction is lost, and so are its merges.  What can't be
 * merged ends the process.
 */
#ifndef PGMERGE_H
#define PGMERGE_H

#include "base/limit.h"
#include "base/opt.h"
#include "pg/copy.h"

/* Lent for as long as the merge lives. */
struct pgmerge_want {
	const char *table;
	struct words keys, stages;      /* no stages: records */
	const char *see_stage;          /* what the message that a stage is not there advises */
	const char *newer;              /* a column, or NULL: of rows with one key the last one wins */
	struct limit max_delete;
	bool replace, delete_missing;
	struct pgcopy_options copy;     /* of records; what it ignores is ignored in stages, too */
};

struct pgmerge_counts {
	unsigned long long read, rejected, nuls, inserted, updated, unchanged, deleted, superseded, kept_newer;
};

struct pgmerge;

void pgmerge_tune(PGconn *);                    /* settings of the transaction: it is one large query */
/* Reads the target and sees that it can be merged into. */
struct pgmerge *pgmerge_open(PGconn *, const struct pgmerge_want *, unsigned number);
void pgmerge_lock(struct pgmerge *);            /* against other runs; one that has it dies EX_TEMPFAIL */
bool pgmerge_take(struct pgmerge *, struct rows *in);   /* IN: NULL where there are stages */
bool pgmerge_prepare(struct pgmerge *);         /* counts keys; from here on the target is locked against other writers */
bool pgmerge_delete(struct pgmerge *);
bool pgmerge_write(struct pgmerge *);
const struct pgmerge_counts *pgmerge_counts(const struct pgmerge *);
const char *pgmerge_target(const struct pgmerge *);     /* its name, for people */
void pgmerge_close(struct pgmerge *);           /* or NULL */

#endif
