/*
 * base/err.h - say what went wrong, and leave: "tool: what went wrong: what to do".
 *
 * A message is one line and one write(2), since the programs of a pipeline share one stderr.  Control bytes
 * print as '?', since messages quote others' data; a registered secret prints as "***".  Under --log-json a
 * line is {"tool":…,"level":…,"message":…,"status":…}.  Statuses are those of sysexits(3).
 */
#ifndef ERR_H
#define ERR_H

#include <stdbool.h>
#include <sysexits.h>

#define PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))

_Noreturn void die(int status, const char *fmt, ...) PRINTF(2, 3);
/* Adds strerror(errno).  No memory and no descriptor left are EX_OSERR whatever was tried, and the limit of the latter is named. */
_Noreturn void die_errno(int status, const char *fmt, ...) PRINTF(2, 3);
void warning(const char *fmt, ...) PRINTF(1, 2);        /* printed under --quiet too */
void note(const char *fmt, ...) PRINTF(1, 2);           /* not printed under --quiet */

/* Settings, made by opt_parse(). */
void err_setup(const char *tool, bool quiet, bool json);

/* Every later message shows *** in place of this text, percent-encoded or not.  The string is copied; those
 * of fewer than 4 bytes are not masked, since they would blank out half of every message. */
void err_mask(const char *secret);
/* It is a secret no more: for tokens that are renewed, since there is room for 32 secrets only. */
void err_unmask(const char *secret);

/* Runs at die() and at a signal taken by stop_setup(), last registered first: to remove a temporary file or cancel
 * a query.  Only what a signal handler may call: unlink(2), PQcancel() and the like.  At most 4. */
void err_undo(void (*undo)(void));

/* From here on SIGTERM and SIGINT undo, say WHAT (such as "nothing was loaded, run again") and exit 128 + n.
 * For programs with something to lose; a filter leaves both at their default. */
void stop_setup(const char *what);
/* What is done from here on stays done: SIGTERM and SIGINT wait until the process ends. */
void stop_hold(void);

#endif
