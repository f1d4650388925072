/*
 * mds/page.h - the body of an answer of an MDS provider: checked, and cut to its elements where
 * it lies.
 *
 * These functions return errors and do not die: fuzzers call them.  No reason quotes the body, which is about people.
 */
#ifndef MDS_PAGE_H
#define MDS_PAGE_H

#include "mds/version.h"

struct mds_page {
	struct buf number;              /* "0.3.2", as the answer says; empty where it does not */
	const struct mds_version *version;      /* what that is, or NULL */
	struct buf next;                /* the link to the next page; empty: none */
	struct str list;                /* the elements, as an array; p NULL in another version than was asked for */
	struct buf why;
	/* by mds_page_cut() */
	struct str data;                /* its elements, in the list's place */
	unsigned long long came, rows;  /* elements: on the page, in data */
	unsigned long long outside;     /* of rows: those whose time is not in the span */
	unsigned long long digest;      /* of the elements: pages of the same ones have the same */
};

/* BODY was found to be JSON; TYPE is its Content-Type, or NULL.  NULL, or what is wrong with it for who asked for this, lent
 * until the next call. */
const char *mds_page_read(struct mds_page *, struct str body, const char *type, const struct mds_version *asked,
    enum mds_endpoint endpoint);

/* How a page is cut.  Where REACH is not 0 the question was wider than what is wanted, by so many usec before the span and by its
 * very end: what lies there is left out.  What nobody asked for is kept, and counted as outside. */
struct mds_cut {
	char separator;                 /* '\n': each element on a line; ',': as elements of an array */
	const char *stamp;              /* see mds_question */
	bool seconds;
	struct mds_span span;
	int64_t reach;
};
/* Overwrites the body. */
void mds_page_cut(struct mds_page *, const struct mds_cut *);
void mds_page_free(struct mds_page *);

#endif
