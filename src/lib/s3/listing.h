/*
 * s3/listing.h - what is in a bucket: objects, and uploads that were begun and never ended.
 *
 * Keys come in the byte order of UTF-8 (ListObjectsV2).  Any number of them: a page of 1000 is held at a time.
 */
#ifndef S3_LISTING_H
#define S3_LISTING_H

#include <stdint.h>

#include "s3/s3.h"

/* One object of a listing. */
struct s3_object {
	struct str key;
	struct str etag;                        /* without its quotes */
	struct str last_modified;               /* "2026-01-31T23:59:59.000Z" */
	unsigned long long size;
	struct str storage_class;               /* may be empty */
	bool is_prefix;                         /* a common prefix: only the key is set */
};
struct s3_query {
	const char *bucket;
	struct str prefix, delimiter, start_after;      /* n 0: none */
	int64_t since, until;                   /* modified at or after the one, and before the other, as s3_time(); 0: no matter */
	unsigned long long limit;               /* objects and common prefixes to give; 0: all */
};
/* A point in time given to an option, as microseconds since 2000-01-01 UTC: ISO 8601, in UTC where it names no zone, or POSIX
 * seconds.  Cut to the whole seconds that S3 keeps, since an object of the same second may be the later one.  Empty is 0. */
int64_t s3_time(const char *option, const char *text);
/* Calls TAKE for each object and common prefix of all pages, in the order of a page, while the next page is under way.  Memory is
 * that of two pages.  A page that fails ends the process: a listing that is cut is none.  Common prefixes have no time, and come
 * whatever since and until say. */
void s3_list(struct s3 *, const struct s3_query *, void (*take)(const struct s3_object *, void *), void *arg);

/* An upload in parts that is not complete: of all pages. */
struct s3_upload { struct str key, id, initiated; };
void s3_list_uploads(struct s3 *, const char *bucket, struct str prefix, void (*take)(const struct s3_upload *, void *), void *arg);

#endif
