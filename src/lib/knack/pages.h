/*
 * knack/pages.h - every record of a query exactly once, page by page, or the change noticed.
 *
 * There is no snapshot.  Where the records have an auto increment, and no order was asked for, each page is asked for by
 * what comes after the last one's: records that come or go in between shift nothing.  A server that leaves this condition
 * out is found out, and pages are then counted as in the other case: by their numbers, where what comes or goes shifts
 * the others.  There an id that comes twice and a total that changes tell it, and end the process (EX_TEMPFAIL) unless
 * they are within the drift allowed.
 *
 * total_records is an estimate of Knack's, one too high at times: a page that comes back empty ends the run, and only a
 * greater difference is an error.  A page that is shorter than promised is asked for again before it is believed.
 */
#ifndef KNACK_PAGES_H
#define KNACK_PAGES_H

#include "knack/query.h"

/* How far the reading is, once a page was given out; what a later run needs to go on from there. */
struct knack_mark {
	bool by_counter;
	long long after;                /* the last record's counter */
	unsigned long long offset;      /* where the next page starts, by numbers */
	unsigned long long size;        /* rows of a page */
	unsigned long long pages;       /* read so far */
	unsigned long long came, rows;  /* records that came, and those of them that were wanted */
	unsigned long long total;       /* that Knack counted at first */
	unsigned long long digest;      /* of the last page's ids */
};

struct knack_pages_wanted {
	unsigned long long page_size, limit, drift;
	const struct knack_mark *from;  /* where an earlier run stopped; or NULL */
};

struct knack_page { struct str data; unsigned long long rows; };        /* NDJSON; may have no row, and is still a page */

struct knack_pages *knack_pages_open(struct knack *, const struct knack_query *, const struct knack_pages_wanted *);
/* Lent until the next call, while the page after it may be on its way; NULL at the end. */
const struct knack_page *knack_pages_next(struct knack_pages *);
const struct knack_mark *knack_pages_mark(const struct knack_pages *);
void knack_pages_close(struct knack_pages *);

#endif
