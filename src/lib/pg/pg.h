/*
 * pg/pg.h - libpq, with errors that end the process; leaving it rolls the transaction back.
 *
 * Names go through pg_ident() and values are bound: no SQL is made of input.  Nothing here counts on a session that
 * outlives its transaction, since a pooler may stand between: settings are SET LOCAL, locks and temporary tables
 * are the transaction's.  The exit status follows the server's SQLSTATE, the message is the server's own.
 */
#ifndef PG_H
#define PG_H

#include <libpq-fe.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/opt.h"

/* How a server is used.  Start with PG_DEFAULTS; times are in seconds. */
struct pg_options {
	double max_wait;                /* for a server that is down, starting or full; 30 */
	double lock_timeout;            /* for a lock; -1: as pg_begin() says */
	bool private;                   /* the server's messages come without what they quote of rows */
};
#define PG_DEFAULTS .max_wait = 30, .lock_timeout = -1

/* Options of a tool that uses a server: rows of its table that fill a struct pg_options, DB. */
#define OPT_PG(db) \
	OPT_SECONDS(0, "connect-wait", "TIME", &(db).max_wait, \
	    "try a server that is down or full so long (30s)"), \
	OPT_RENAMED("max-wait", "connect-wait"), \
	OPT_SECONDS(0, "lock-timeout", "TIME", &(db).lock_timeout, "how long to wait for a lock")

/* Connects as DSN or DATABASE_URL say, else in libpq's own ways.  A query under way is cancelled when the process dies or
 * is told to stop.  One a process, whose options hold for all that is below. */
PGconn *pg_open(const struct pg_options *);
const struct pg_options *pg_options(void);
void pg_close(PGconn *);

/* One statement with bound values (NULL: SQL's).  Caller clears the result. */
PGresult *pg_query(PGconn *, const char *sql, int n, const char *const *values);
/* The same; NULL when it failed in a way that the same transaction may not fail again: deadlock, serialization, lock. */
PGresult *pg_try(PGconn *, const char *sql, int n, const char *const *values);
/* A COPY that starts, without values.  Unlike pg_query() it ends with EX_OSERR, and not never, where libpq lacks memory for it. */
PGresult *pg_copy_start(PGconn *, const char *sql);
/* One statement whose result does not matter; returns the rows it touched. */
long long pg_run(PGconn *, const char *sql);
/* The first value of the first row as a number. */
long long pg_number(PGconn *, const char *sql, int n, const char *const *values);
/* What the last pg_try() that returned NULL failed of, in the server's words; lent until the next. */
const char *pg_why(void);
/* Dies of what the server answered (or did not).  WHERE precedes the server's sentence; NULL: nothing does. */
_Noreturn void pg_die(PGconn *, const PGresult *, const char *where);

/* Opens a transaction in which a lock is waited for at most --lock-timeout, or OTHERWISE seconds without that. */
void pg_begin(PGconn *, double otherwise);
/* Commits.  SIGTERM and SIGINT are too late from here on.  A connection lost in the middle is asked about on a new one, which
 * takes the old one's place: committed returns, else EX_TEMPFAIL with what to ask the server by hand. */
void pg_commit(PGconn **);
/* Like pg_commit(); false when the transaction failed as in pg_try(). */
bool pg_try_commit(PGconn **);

void pg_pause(unsigned attempt);                /* before attempt + 1: up to 0.1 s, 0.2 s, ... 5 s */

void pg_ident(PGconn *, struct buf *, const char *name);        /* appends the quoted name */

#endif
