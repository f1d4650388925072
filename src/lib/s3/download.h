/*
 * s3/download.h - objects of S3, given out in the order they were asked for, with many of them on
 * their way.
 *
 * A download that breaks goes on from where it broke, under If-Match; an object that changed meanwhile ends the process, EX_TEMPFAIL,
 * so that nothing of two versions is ever mixed.  A large one comes in ranges, side by side.  Each is compared with its length,
 * and with its checksum where S3 tells one: a small object before its first byte is given out, a large one behind its last,
 * and one that differs ends the process, EX_PROTOCOL.  Memory is that of S3_WINDOW bytes and a range.
 */
#ifndef S3_DOWNLOAD_H
#define S3_DOWNLOAD_H

#include "s3/s3.h"

#define S3_JOBS_MAX 256
#define S3_RANGE (8LL << 20)            /* bytes of a range; what is smaller comes in one piece */
#define S3_WINDOW (32LL << 20)          /* bytes of objects that wait for their turn */

struct s3_content {
	const char *bucket;
	struct str key;
	long long size;                 /* bytes, as stored */
	bool gzip;                      /* Content-Encoding says so; the bytes come packed */
};
/* Who takes them.  What is lent is lent for the call. */
struct s3_taker {
	void (*start)(const struct s3_content *, void *arg);
	void (*bytes)(struct str, void *arg);
	void (*end)(const struct s3_content *, void *arg);      /* all of it came */
	void (*flush)(void *arg);       /* before a wait, and before the end of the process */
	void *arg;
	int jobs;                       /* requests at a time */
	bool skip_missing;              /* a key that is not there is counted, and no error */
};

struct s3_downloads;
struct s3_downloads *s3_downloads_open(struct s3 *, const struct s3_taker *);
/* Asks for one more.  SIZE as a listing said it, which is a hint, or -1.  May give others out, and wait. */
void s3_download(struct s3_downloads *, const char *bucket, struct str key, long long size);
/* Gives out all that were asked for. */
void s3_downloads_drain(struct s3_downloads *);
struct s3_download_counts { unsigned long long objects, missing; };
struct s3_download_counts s3_downloads_close(struct s3_downloads *);    /* drains it */

#endif
