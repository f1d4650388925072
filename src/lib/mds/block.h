/*
 * mds/block.h - the hour blocks of an MDS schedule: their labels, and where in UTC they start and
 * end.
 *
 * A block is labelled by the local wall clock at its END.  Label L covers [edge(L - 1 h), edge(L)), so that blocks tile UTC
 * whatever the clock does: where autumn has an hour twice the block that ends with the second one holds both, and what spring
 * leaves out has no width and is no block.  The zone is that of zone_use().  Walls and instants are microseconds, counted as
 * date_usec() does.  These functions return errors and do not die: fuzzers call them.
 */
#ifndef MDS_BLOCK_H
#define MDS_BLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define BLOCK_HOUR INT64_C(3600000000)

/* Reads yyyy-mm-dd-hh, whose month, day and hour may lack their zeros, as a wall.  *why reads on from the quoted label. */
bool block_label_parse(struct str, int64_t *wall, const char **why);
/* The instant of a wall.  Of a time that comes twice the later; of one that is left out the moment of the change. */
int64_t block_edge(int64_t wall);

/* The blocks whose labels are in (after, upto], in order:
 *	struct block_walk w = block_walk(after, upto);
 *	while (block_next(&w)) use(w.label, w.starts, w.ends); */
struct block_walk { int64_t label, starts, ends, upto; };
struct block_walk block_walk(int64_t after, int64_t upto);
bool block_next(struct block_walk *);

void block_put_label(struct buf *, int64_t wall);       /* 2020-1-1-17 */
void block_put_wall(struct buf *, int64_t wall);        /* 2020-01-01T17:00:00 */
void block_put_utc(struct buf *, int64_t instant);      /* 2020-01-01T23:00:00Z */

#endif
