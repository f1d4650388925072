/*
 * s3/s3.h - requests to S3, signed; and its answers, read.
 *
 * A place is s3://BUCKET/KEY.  Keys are bytes: they are encoded here and nowhere else, and no "..", "//" or "?" in them means
 * anything.  What the service refuses becomes an exit status: 69 no answer after the retries, 76 nonsense, 77 who we are
 * or may, 78 a bucket that is not there, a clock that is off.  Its own remedies are taken here: the other
 * region, the clock's offset, credentials that expired; all retries are those of http.h.
 */
#ifndef S3_H
#define S3_H

#include <stdbool.h>

#include "base/buf.h"
#include "net/http.h"
#include "s3/aws.h"

/* How S3 is asked.  Start with S3_DEFAULTS. */
struct s3_options {
	const char *endpoint;           /* NULL: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL or AWS's own */
	const char *region;             /* NULL: AWS_REGION, the profile's, or as S3 says */
	struct http_options http;
};
#define S3_DEFAULTS .http = { HTTP_DEFAULTS }

/* Options of a tool: rows of its table that fill a struct s3_options. */
#define OPT_S3(options) \
	OPT_STRING(0, "endpoint-url", "URL", &(options).endpoint, \
	    "where S3 is (else AWS_ENDPOINT_URL_S3)"), \
	OPT_STRING(0, "region", "NAME", &(options).region, \
	    "the bucket's region (else AWS_REGION)"), \
	OPT_HTTP((options).http)

#define S3_KEY_MAX 1024                         /* bytes of a key */
#define S3_PART_MIN (5LL << 20)                 /* bytes of a part that is not the last */
#define S3_PARTS 10000                          /* of an object at most */

struct s3_place { char *bucket; struct buf key; };
/* Splits s3://BUCKET/KEY, or dies EX_USAGE.  Nothing in it is encoded.  The key may be empty.  s3_place_free() when done. */
struct s3_place s3_place(const char *url);
void s3_place_free(struct s3_place *);
/* Why the bytes can't be a key, or NULL. */
const char *s3_bad_key(struct str key);

struct s3;
struct s3 *s3_open(const struct s3_options *);
const struct s3_options *s3_options(const struct s3 *);
void s3_close(struct s3 *);
struct http *s3_http(struct s3 *);              /* for http_try(), http_wait_any() and http_done() */

/*
 * Of HOW: method, body, file, name, what, claims, max_body, check, sink, hooks and their args are the caller's; the rest is filled in
 * here.  A caller's prepare() runs first; what it adds is not signed, so it adds no x-amz-*.  Its mend()
 * is asked first, too.
 */
struct s3_request {
	const char *bucket;
	struct str key;                         /* n 0: the bucket itself */
	const char *query;                      /* "list-type=2&prefix=…": encoded and sorted; NULL: none */
	const char *const *headers;             /* "Name: value" to be signed: all x-amz-*; content-type; NULL at the end */
	const char *hash;                       /* of the body: SHA-256 in hex; NULL: it is hashed here, or is empty */
	struct http_request how;
};
/* All that is pointed to is copied, but for the body, which is as in http.h. */
struct http_reply *s3_start(struct s3 *, const struct s3_request *);
/* As http_done(). */
void s3_done(struct s3 *, struct http_reply *);

/* The <Code> and <Message> of an error's body: "NoSuchKey: The specified key does not exist."  Appends nothing where there is none. */
void s3_error(struct buf *, const struct http_reply *);
bool s3_error_is(const struct http_reply *, const char *code);
/* True for the <Error> that may come with a 200 (CopyObject, CompleteMultipartUpload). */
bool s3_is_error(const struct http_reply *);

/* The SHA-256 of a body as base64, for x-amz-checksum-sha256. */
void s3_checksum(struct buf *, const char hex[65]);
/* True unless AWS_REQUEST_CHECKSUM_CALCULATION=when_required. */
bool s3_sends_checksums(struct s3 *);

#endif
