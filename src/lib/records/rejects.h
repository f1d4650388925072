/*
 * records/rejects.h - where bad records go: NDJSON lines {line, column, reason, record} in the
 * file of --rejects, or, without it, the end of the run.  A part of rows.h, which is what tools
 * use.
 */
#ifndef REJECTS_H
#define REJECTS_H

#include "records/output.h"

struct rejects {
	const char *path, *max;         /* of --rejects and --max-rejects; NULL: not given */
	struct whole_file file;
	struct buf out;
	unsigned long long n;
};

/* A wrong --max-rejects dies EX_USAGE, a file that can't be made EX_CANTCREAT. */
void rejects_open(struct rejects *, const char *path, const char *max);
/* Puts one reject down.  RECORD is JSON already. */
void rejects_put(struct rejects *, unsigned long long line, struct str column, const char *why, struct str record);
/* More rejects than READ records allow: closes the file, and dies EX_DATAERR.  A share is judged AT_END only. */
void rejects_check(struct rejects *, unsigned long long read, bool at_end);
void rejects_close(struct rejects *);

#endif
