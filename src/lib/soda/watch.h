/*
 * soda/watch.h - notice that a dataset changes while it is read.
 *
 * What is read in several answers is one dataset only if it rests: its date of change and its number of rows are
 * compared from first to last, and a change ends the process (EX_TEMPFAIL), for a mixture is no copy.  Live data may
 * change by --allow-drift's rows where rows that come or go shift nothing.  A count that does not match without a
 * change is the server's nonsense (EX_PROTOCOL).
 */
#ifndef SODA_WATCH_H
#define SODA_WATCH_H

#include <stdbool.h>

#include "base/buf.h"
#include "net/http.h"
#include "soda/soda.h"

struct soda_watch {
	struct soda *soda;
	const char *where;              /* lent */
	unsigned long long limit;       /* rows wanted at most; ULLONG_MAX: all */
	unsigned long long drift;       /* rows it may change by; 0: none */
	bool counted;                   /* the source's count is that of our rows */
	bool shifts;                    /* rows that come or go move the others: no drift is good */
	unsigned long long count;       /* the source's own, before the first row */
	unsigned long long total;       /* rows to come: that, or the limit */
	unsigned long long rows;        /* read so far; the reader counts them here */
	struct buf stamp;               /* as soda_stamp() */
	bool changed;
};

/* Asks for the count; what is asked for first. */
void soda_watch_start(struct soda_watch *);
/* Dies if what the reply says of the dataset is not what the first one said. */
void soda_watch_reply(struct soda_watch *, const struct http_reply *);
/* The dataset is sure to be at rest: the reply has the first one's date. */
bool soda_watch_rests(const struct soda_watch *, const struct http_reply *);
/* More rows than were counted and may have come: it would be no use to read on. */
bool soda_watch_overruns(const struct soda_watch *);
/* Asks for the count again, and dies unless it is that of the rows read. */
void soda_watch_end(struct soda_watch *);

#endif
