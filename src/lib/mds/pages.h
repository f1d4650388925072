/*
 * mds/pages.h - all that an MDS provider has for a span of time, page by page.
 *
 * Versions that know hours only are asked for every UTC hour in turn.  A page is given out when it came whole, in the version that
 * was asked for, with a list of objects in it.  All else ends the process with the status of its cause: not ready, to come, not
 * served, wrongly asked, refused, nonsense.  None of these looks like a span in which nothing was.
 *
 * A link to the next page is followed as it is; one that leads to another origin or in a circle, and pages that repeat others, are
 * nonsense, since they would show the credentials to others, or never end.
 */
#ifndef MDS_PAGES_H
#define MDS_PAGES_H

#include "mds/page.h"
#include "mds/provider.h"

struct mds_wanted {
	const struct http_options *http;
	const struct mds_provider *provider;
	enum mds_endpoint endpoint;
	struct mds_span span;           /* has ended; without one (from == to) it must be an endpoint without times */
	char separator;                 /* see mds_page_cut() */
};

/* Of what was given out so far. */
struct mds_counts { unsigned long long pages, rows, outside, passed_over; };

struct mds_pages;

struct mds_pages *mds_pages_open(const struct mds_wanted *);
/* Lent until the next call; NULL at the end. */
const struct mds_page *mds_pages_next(struct mds_pages *);
struct mds_counts mds_pages_counts(const struct mds_pages *);
/* "0.3.2": as the first page had it.  Lent. */
const char *mds_pages_version(const struct mds_pages *);
void mds_pages_close(struct mds_pages *);

#endif
