/*
 * s3/check.h - is what came what was stored?  By the checksum that S3 keeps with an object.
 *
 * S3 tells it to those who send "x-amz-checksum-mode: ENABLED" and ask for all of an object.  Of an upload in parts it may be
 * the checksum of the parts' checksums ("COMPOSITE", with -N at its end), which says nothing without the parts' sizes.
 */
#ifndef S3_CHECK_H
#define S3_CHECK_H

#include <stdint.h>

#include "net/http.h"

enum s3_check_kind { S3_CHECK_NONE, S3_CHECK_CRC32, S3_CHECK_CRC32C, S3_CHECK_CRC64NVME, S3_CHECK_DIGEST };
struct s3_check {
	enum s3_check_kind kind;        /* NONE: there is nothing to check by */
	const char *name;               /* "crc32" */
	unsigned char want[66];
	int len;                        /* bytes of want; -1: what was told is no checksum */
	uint64_t crc;
	void *digest;                   /* of OpenSSL, kept for the next one */
};

/* Starts to check the object that the reply begins, by what its headers tell. */
void s3_check_start(struct s3_check *, const struct http_reply *);
void s3_check_add(struct s3_check *, struct str bytes);
/* All bytes were added: are they the right ones?  True where there is nothing to check by. */
bool s3_check_end(struct s3_check *);
void s3_check_free(struct s3_check *);

#endif
