/*
 * format/documents.h - JSON objects behind each other, in pieces, found one by one.
 *
 * One object, a line each (NDJSON), or many over many lines: white space between them, or nothing.  At most one is held.  A bad one
 * ends where a line starts with '{', else where the text ends; so a bad line of NDJSON costs that line.
 */
#ifndef DOCUMENTS_H
#define DOCUMENTS_H

#include "base/buf.h"

struct documents {
	/* An object that json_skip() found good, as it came.  Lent, with BUF_PAD bytes behind it. */
	void (*take)(struct str object, void *arg);
	/* Text that is none: where it starts, and why; a part of it where it is very large.  Lent. */
	void (*bad)(struct str text, unsigned long long line, const char *why, void *arg);
	void *arg;
	size_t max;                     /* bytes of one; a larger one is bad */
	const char *see_array;          /* what the reason of an array advises; or NULL */
	struct buf text, why;           /* of documents.c, all that follows */
	size_t enough;                  /* bytes of text, to look at it again */
	unsigned long long line;        /* of the start of the text */
	bool begun, is_bad, skipping;
};

void documents_start(struct documents *);       /* another text */
void documents_add(struct documents *, struct str bytes);
void documents_end(struct documents *);
void documents_free(struct documents *);

#endif
