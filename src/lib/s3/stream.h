/*
 * s3/stream.h - a stream of unknown length as one object, which appears when the stream has
 * ended, whole or not at all.
 *
 * Up to one part it is one PUT.  What is longer is an upload in parts, which are in flight while the next is filled, and which the
 * guard (s3/guard.h) aborts unless it is completed.  Parts lie in memory; what is too large for
 * that goes through unlinked files in TMPDIR.  A part that fails is sent again as http.h says,
 * and ends the process when that is in vain.
 */
#ifndef S3_STREAM_H
#define S3_STREAM_H

#include "s3/object.h"

#define S3_PART (8LL << 20)                     /* bytes: 128 of them a GiB, and some fit into memory at once */
#define S3_JOBS 4                               /* parts in flight: with the one that is filled, 40 MiB */

struct s3_stream_wanted {
	struct s3_target *to;
	struct str key;
	long long part_size;                    /* of the first parts; 0: S3_PART */
	long long jobs;                         /* 0: S3_JOBS */
};
struct s3_stored { unsigned parts; unsigned long long bytes; char *etag; };     /* etag: without quotes; caller frees */

/* The size of a part, counted from 1: they grow, for there are 10,000 at most, and 5 GiB is the largest. */
long long s3_part_size(long long first, unsigned number);

/* All is lent until the end. */
struct s3_stream *s3_stream_open(struct s3 *, const struct s3_stream_wanted *);
void s3_stream_write(struct s3_stream *, struct str bytes);
/* Sends on until FD can be read: to be called before a read that may have to wait. */
void s3_stream_wait(struct s3_stream *, int fd);
/* The input ended well.  From here on SIGTERM waits: what comes of it is known when this returns. */
struct s3_stored s3_stream_end(struct s3_stream *);

#endif
