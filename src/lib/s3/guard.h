/*
 * s3/guard.h - aborts an upload in parts, however the process ends.
 *
 * S3 keeps the parts of an upload that nobody ended, unseen and at a price.  So a second process, the guard, holds the other end
 * of a pair of sockets, and aborts the upload if we end without a word, by kill -9 or for want of memory.  die() and the
 * signals of stop_setup() let it do so and wait for it: what has ended has left nothing behind.
 */
#ifndef S3_GUARD_H
#define S3_GUARD_H

#include "s3/s3.h"

/*
 * Starts the guard; one a process, and before its first request, since it is a fork.  Dies EX_TEMPFAIL where another process
 * of this machine is sending an object to that key, for the one would abort what the other sends.
 */
void s3_guard_start(const struct s3_options *, const char *bucket, struct str key);
void s3_guard_watch(const char *id);            /* the upload, from now on */
void s3_guard_dismiss(bool complete);           /* unless it is, the upload is aborted; either way the guard ends */

/* Aborts the upload, and sees to it that no part which was on its way stays.  False where that can't be done. */
bool s3_abort(struct s3 *, const char *bucket, struct str key, const char *id);
/* Aborts all uploads to the key but that one: what dead runs have left.  Returns how many; who may not look sees none. */
unsigned s3_abort_others(struct s3 *, const char *bucket, struct str key, const char *id);

#endif
