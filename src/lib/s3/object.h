/*
 * s3/object.h - bytes that become one object by one PUT, compared with what S3 says that it has.
 *
 *	s3_put_start()          sends it: http_try(), then s3_done()
 *	s3_put_look()           asks for what is there now: http_try(), s3_put_is_there(), then s3_done()
 *
 * With the PUT goes a checksum, which S3 keeps, so that what it stored is what we have.  Its answer is compared too: an object
 * that differs is sent again, and EX_PROTOCOL in the end.
 */
#ifndef S3_OBJECT_H
#define S3_OBJECT_H

#include "s3/s3.h"
#include "s3/sigv4.h"

#define S3_PUT_MAX (5LL << 30)                  /* bytes of one PUT, and of a part */
#define S3_HEADERS 40                           /* of one object */

/* What holds for all objects of a run. */
struct s3_target {
	const char *bucket;
	const char *const *headers;             /* "Content-Type: …", "x-amz-meta-…: …", NULL at the end */
	bool if_none_match;                     /* nothing that is there is replaced */
	bool checksums;                         /* go along; false once a server does not want them */
};

/* The first lines are the caller's, lent until s3_done(). */
struct s3_put {
	const struct s3_target *to;
	struct str key;
	struct str body;
	const struct http_file *file;           /* or this, whose hash is known */
	bool hashed;                            /* sha256 is set */
	char sha256[SIGV4_HEX];
	bool checksum;                          /* it went along */
	struct buf why;
};
struct http_reply *s3_put_start(struct s3 *, struct s3_put *);
/* Any status is claimed that says "no" or "can't tell". */
struct http_reply *s3_put_look(struct s3 *, struct s3_put *);
/* The reply to s3_put_look() speaks of an object; of one with this content. */
bool s3_is_there(const struct http_reply *head);
bool s3_put_is_there(const struct s3_put *, const struct http_reply *head);

/* A request that failed and may work without the checksum that it was SENT with: none goes along any more, and the caller starts again. */
bool s3_checksum_refused(struct s3_target *, bool sent, const struct http_reply *);
/* Appends to HEADERS, of S3_HEADERS, those of the target. */
size_t s3_target_headers(const struct s3_target *, const char *headers[S3_HEADERS]);
/* A digest as it is in an ETag; false where the ETag is none: of an upload in parts, or encrypted by KMS. */
bool s3_is_md5(const struct http_reply *, struct str etag);
struct str s3_without_quotes(struct str etag);
bool s3_md5(char hex[33], struct str bytes);    /* false where OpenSSL may not make one */

#endif
