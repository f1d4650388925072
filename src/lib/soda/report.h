/*
 * soda/report.h - what a Socrata server says it did with the rows that were sent to it.
 *
 * It says so in one of two shapes: counts, each of which may be missing, under names of two styles; or an array with an
 * entry for each row.  Neither is always true: rows that were created have been counted as updated, and as nothing at all.
 */
#ifndef SODA_REPORT_H
#define SODA_REPORT_H

#include <stdbool.h>

#include "net/http.h"

struct soda_report {
	unsigned long long created, updated, deleted, errors;
	unsigned long long entries;             /* of the array; 0 where there are counts */
};

/* For http_request's check, with a struct soda_report as its arg: NULL, or what is wrong with the answer. */
const char *soda_report_read(struct http_reply *, void *report);
/* The next entry of the array in the reply's body, in the order of the rows.  True where it is an error, with the reason
 * appended.  AT is 0 at first, and is moved on. */
bool soda_report_error(const struct http_reply *, size_t *at, struct buf *why);

#endif
