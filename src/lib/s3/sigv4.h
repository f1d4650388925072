/*
 * s3/sigv4.h - AWS Signature Version 4, for the Authorization header.
 *
 * Source: docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html.  The caller encodes: PATH once, as S3
 * wants it, QUERY encoded and sorted by name, each name with its "=".
 */
#ifndef SIGV4_H
#define SIGV4_H

#include "base/buf.h"

#define SIGV4_TIME 17           /* "20130524T000000Z" and its 0 */
#define SIGV4_HEX 65            /* a SHA-256 in hex and its 0 */
#define SIGV4_EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

struct sigv4_request {
	const char *method;
	struct str path, query;
	const char *const *headers;     /* "Name: value" of all that is signed, host and x-amz-date among them; NULL at the end */
	const char *payload;            /* SHA-256 of the body in hex, or UNSIGNED-PAYLOAD */
	const char *time;               /* as in x-amz-date */
};
struct sigv4_scope { const char *key, *secret, *region, *service; };

/* Appends the value of the header: "AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…". */
void sigv4_sign(struct buf *, const struct sigv4_request *, const struct sigv4_scope *);

/* Appends the canonical request: what the server shows as CanonicalRequest where its signature is another one. */
void sigv4_canonical(struct buf *, const struct sigv4_request *);

/* The time of day in UTC, SKEW seconds ahead of this clock. */
void sigv4_time(char time[SIGV4_TIME], double skew);
void sigv4_hash(char hex[SIGV4_HEX], struct str bytes);

#endif
