/*
 * soda/page.h - the body of an answer, checked and cut to its rows where it lies.
 *
 * A JSON array of objects becomes NDJSON, CSV loses its header; no value is ever parsed and printed again.  A page is
 * good only as a whole.  Where we asked for :id to page by and nobody else did, it is cut out of every row.
 */
#ifndef SODA_PAGE_H
#define SODA_PAGE_H

#include <stdbool.h>

#include "base/buf.h"
#include "format/csv.h"
#include "net/http.h"

struct soda_page {
	bool csv, has_id, cuts_id;      /* set before: what comes, is there an :id, and is it to be cut out */
	unsigned long long rows;
	struct str data;                /* the records, in the reply's body */
	struct buf header;              /* of CSV, with its line end */
	struct buf first_id, last_id;   /* empty where no row has an :id */
	struct csv fields;              /* of soda/page.c */
};

/* NULL when the page is whole and good, else what is wrong, for a check to return.  Changes the body. */
const char *soda_page_cut(struct soda_page *, struct http_reply *);
/* Keeps the first rows and drops the others. */
void soda_page_keep(struct soda_page *, unsigned long long rows);
void soda_page_free(struct soda_page *);

#endif
