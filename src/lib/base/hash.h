/*
 * base/hash.h - a quick hash of bytes: FNV-1a, 64 bits.
 *
 * The same on every machine and in every version, since files that a later run reads hold such
 * hashes.  Not for input that somebody chooses to make it collide: see s3/known.h.
 */
#ifndef HASH_H
#define HASH_H

#include <stdint.h>

#include "base/buf.h"

#define HASH_START UINT64_C(14695981039346656037)

/* The hash of what was hashed BEFORE and of these bytes; HASH_START: of nothing. */
static inline uint64_t
hash_add(uint64_t before, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		before = (before ^ (unsigned char)s.p[i]) * UINT64_C(1099511628211);
	return before;
}

#endif
