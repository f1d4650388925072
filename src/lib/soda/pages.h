/*
 * soda/pages.h - every row of a query exactly once, page by page.
 *
 * Pages follow each other by :id: each asks for the rows after the last one of the page before, so that rows which
 * come or go in between shift nothing.  Pages side by side and other orders can only count rows, and are good only
 * while the dataset rests, which the watch tells.  Groups, and rows of a view that has no :id, have to fit in one page,
 * unless they are given an order.  A server that ignores the limit, the offset or the condition is found out (EX_PROTOCOL).
 *
 * The next pages are under way while one is written.  Unless their size is given, all pages in memory stay under 40 MiB.
 *
 *	while ((page = soda_pages_next(pages)) != NULL) write(page->data);
 */
#ifndef SODA_PAGES_H
#define SODA_PAGES_H

#include "soda/page.h"
#include "soda/watch.h"

#define SODA_JOBS 16            /* pages in flight at most */

struct soda_pages_wanted {
	const char *select, *order;     /* as the user gave them; NULL where there is none */
	bool csv;                       /* else JSON */
	unsigned long long page_size;   /* rows; 0: by their width, so that a page is about 8 MiB */
	size_t jobs;                    /* pages in flight, 1 to SODA_JOBS; more than one go by offset */
};

/* The rows that WATCH counts, for it has the condition and the limit.  All is lent until soda_pages_close(). */
struct soda_pages *soda_pages_open(struct soda_watch *, const struct soda_pages_wanted *);
/* Lent until the next call; NULL at the end. */
const struct soda_page *soda_pages_next(struct soda_pages *);
void soda_pages_close(struct soda_pages *);     /* ends what is still under way */

#endif
