/*
 * s3/known.h - what a run knows of objects: the keys that it put itself, and what a listing said
 * of others.
 *
 * A key and its content are remembered as 8 bytes each, of digests, so that a million objects would take 32 MiB; and there is an end to
 * it: of more than S3_KNOWN nothing is remembered.
 */
#ifndef S3_KNOWN_H
#define S3_KNOWN_H

#include <stdint.h>

#include "base/buf.h"

#define S3_KNOWN 800000         /* keys: 16 MiB, and 8 more while it grows */

struct s3_known { struct s3_known_key *key; size_t n, cap; };

/* Of a key: 0 is none. */
uint64_t s3_key_hash(struct str key);
/* Of content, by its MD5 in hex, as in an ETag; 0: that is no MD5. */
uint64_t s3_content_hash(struct str md5);

/* What was set last: the content, 0 for "there, but who knows what", and whether this run PUT it.  False: nothing is known. */
bool s3_known_get(const struct s3_known *, uint64_t key, uint64_t *content, bool *put);
/* False when there is no room for it. */
bool s3_known_set(struct s3_known *, uint64_t key, uint64_t content, bool put);
void s3_known_free(struct s3_known *);

#endif
