/* pg/pg.c - libpq, with errors that end the process. */
#include "pg/pg.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/progress.h"

#define FIRST_WAIT 0.1          /* seconds before the second attempt; doubles */
#define LONGEST_WAIT 5.0        /* ... up to this */
#define CONNECT_TIMEOUT 10.0    /* seconds for one attempt: a host that drops packets never answers */
#define COMMIT_UNKNOWN "the connection was lost at COMMIT"

static struct pg_options options = { PG_DEFAULTS };     /* of pg_open() */
static PGcancel *volatile cancel;       /* while there is something to lose */
static PGcancel *cancel_made;           /* the same, to be freed */
static struct buf last_why;

static void
cancel_query(void)
{
	char why[256];
	PGcancel *c = cancel;

	cancel = NULL;
	if (c != NULL)
		PQcancel(c, why, sizeof why);
}

/* Which status an SQLSTATE is.  The first prefix that fits counts. */
static int
state_status(const char *state)
{
	static const struct { const char *prefix; int status; } table[] = {
		{ "22", EX_DATAERR }, { "23", EX_DATAERR }, { "44", EX_DATAERR }, { "54", EX_DATAERR }, { "P0", EX_DATAERR },
		{ "28", EX_NOPERM }, { "42501", EX_NOPERM },
		{ "25P", EX_TEMPFAIL }, { "40", EX_TEMPFAIL }, { "55P03", EX_TEMPFAIL }, { "55006", EX_TEMPFAIL },
		{ "57014", EX_TEMPFAIL }, { "57P05", EX_TEMPFAIL },
		{ "25", EX_CONFIG }, { "3", EX_CONFIG }, { "42", EX_CONFIG }, { "55", EX_CONFIG }, { "0A", EX_CONFIG },
		{ "08P01", EX_PROTOCOL }, { "08", EX_UNAVAILABLE }, { "53", EX_UNAVAILABLE }, { "57", EX_UNAVAILABLE },
		{ "58", EX_UNAVAILABLE }, { "XX", EX_PROTOCOL },
	};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (strncmp(state, table[i].prefix, strlen(table[i].prefix)) == 0)
			return table[i].status;
	return EX_UNAVAILABLE;
}

static bool
state_is_transient(const char *state)
{
	return strcmp(state, "40001") == 0 || strcmp(state, "40P01") == 0 || strcmp(state, "55P03") == 0;
}

/* What to do about it, where the server's sentence leaves that open. */
static const char *
state_mend(const char *state)
{
	static const struct { const char *state, *mend; } table[] = {
		{ "42501", ": ask the owner to GRANT it" },
		{ "25006", ": connect to the primary server" },
		{ "53100", ": nothing was changed, make room on the server" },
		{ "57014", ": a limit of the server or the role, see statement_timeout" },
		{ "25P03", ": see idle_in_transaction_session_timeout" },
		{ "57P05", ": see idle_session_timeout" },
		{ "55P03", ": another transaction holds the lock, see --lock-timeout" },
		{ "40P01", ": run again" }, { "40001", ": run again" },
	};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (strcmp(state, table[i].state) == 0)
			return table[i].mend;
	return "";
}

/* Appends text on one line: libpq's messages have several, and spaces to indent them. */
static void
add_line(struct buf *b, const char *text)
{
	bool space = false;

	for (; *text != '\0'; text++) {
		if (isspace((unsigned char)*text)) {
			space = true;
			continue;
		}
		if (space && b->len > 0)
			buf_char(b, ' ');
		space = false;
		buf_char(b, *text);
	}
}

/* Sentences about values: 22 and P0 (a trigger's own words) quote them, 23 and 44 name the constraint and have the row as detail. */
static bool
add_private(struct buf *b, const PGresult *result)
{
	const char *state = result != NULL ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;

	if (!options.private || state == NULL)
		return false;
	if (strncmp(state, "22", 2) == 0 || strncmp(state, "P0", 2) == 0)
		buf_fmt(b, "the server refuses a value, which --private keeps out of messages (SQLSTATE %s): its log says why", state);
	else if (strncmp(state, "23", 2) == 0 || strncmp(state, "44", 2) == 0)
		add_line(b, PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
	return b->len > 0;
}

/* The server's sentence: message, detail, hint.  The context says where in our own SQL, which helps nobody. */
static void
add_sentence(struct buf *b, const PGconn *conn, const PGresult *result)
{
	const char *message = result != NULL ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
	const char *detail = result != NULL ? PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL) : NULL;
	const char *hint = result != NULL ? PQresultErrorField(result, PG_DIAG_MESSAGE_HINT) : NULL;

	if (add_private(b, result))
		return;
	add_line(b, message != NULL ? message : PQerrorMessage(conn));
	if (detail != NULL) {
		buf_text(b, ": ");
		add_line(b, detail);
	}
	if (hint != NULL) {
		buf_text(b, ": ");
		add_line(b, hint);
	}
}

static const char *
result_state(const PGresult *result)
{
	const char *state = result != NULL ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;

	return state != NULL ? state : "";
}

void
pg_die(PGconn *conn, const PGresult *result, const char *where)
{
	const char *state = result_state(result);
	struct buf text = { 0 };

	cancel = NULL;          /* the statement has ended already */
	add_sentence(&text, conn, result);
	if (text.len == 0)
		buf_text(&text, "the server's answer makes no sense");
	if (*state == '\0' && strstr(text.p, "out of memory") != NULL)  /* libpq's; the server's has a state, 53200 */
		die(EX_OSERR, "%s%s%s", where != NULL ? where : "", where != NULL ? ": " : "", text.p);
	if (*state == '\0')     /* libpq's own words: the connection is gone */
		die(PQresultStatus(result) == PGRES_BAD_RESPONSE ? EX_PROTOCOL : EX_UNAVAILABLE, "%s%s%s",
		    where != NULL ? where : "", where != NULL ? ": " : "", text.p);
	die(state_status(state), "%s%s%s%s", where != NULL ? where : "", where != NULL ? ": " : "", text.p, state_mend(state));
}

const char *
pg_why(void)
{
	return last_why.len > 0 ? last_why.p : "";
}

static bool
succeeded(const PGresult *result)
{
	switch (PQresultStatus(result)) {
	case PGRES_COMMAND_OK: case PGRES_TUPLES_OK: case PGRES_COPY_IN: case PGRES_COPY_OUT:
		return true;
	default:
		return false;
	}
}

/* Everything goes by the extended protocol: it takes one statement only, whatever a name or value holds. */
PGresult *
pg_try(PGconn *conn, const char *sql, int n, const char *const *values)
{
	PGresult *result = PQexecParams(conn, sql, n, NULL, values, NULL, NULL, 0);

	if (succeeded(result))
		return result;
	if (!state_is_transient(result_state(result)))
		pg_die(conn, result, NULL);
	buf_reset(&last_why);
	add_sentence(&last_why, conn, result);
	buf_text(&last_why, state_mend(result_state(result)));
	PQclear(result);
	return NULL;
}

PGresult *
pg_query(PGconn *conn, const char *sql, int n, const char *const *values)
{
	PGresult *result = PQexecParams(conn, sql, n, NULL, values, NULL, NULL, 0);

	if (!succeeded(result))
		pg_die(conn, result, NULL);
	return result;
}

/*
 * PQexecParams() of libpq 15 waits for ever for the server's next message if it has no memory for the one that starts a COPY: it takes
 * that for a message of which a part is still to come, and the server waits for us.  PQisBusy() is where it reads messages.
 */
PGresult *
pg_copy_start(PGconn *conn, const char *sql)
{
	int sent = PQsendQueryParams(conn, sql, 0, NULL, NULL, NULL, NULL, 0);
	PGresult *result;

	while (sent) {
		struct pollfd p = { PQsocket(conn), POLLIN, 0 };

		errno = 0;
		if (!PQisBusy(conn))
			break;
		memory_check("libpq");
		if (poll(&p, 1, -1) < 0) {
			if (errno != EINTR)
				die_errno(EX_OSERR, "poll");
			progress_check();
		} else if (!PQconsumeInput(conn)) {
			break;
		}
	}
	result = sent ? PQgetResult(conn) : NULL;
	if (!succeeded(result))
		pg_die(conn, result, NULL);
	return result;
}

long long
pg_run(PGconn *conn, const char *sql)
{
	PGresult *result = pg_query(conn, sql, 0, NULL);
	long long n = atoll(PQcmdTuples(result));

	PQclear(result);
	return n;
}

long long
pg_number(PGconn *conn, const char *sql, int n, const char *const *values)
{
	PGresult *result = pg_query(conn, sql, n, values);
	long long value = PQntuples(result) > 0 ? atoll(PQgetvalue(result, 0, 0)) : 0;

	PQclear(result);
	return value;
}

void
pg_ident(PGconn *conn, struct buf *out, const char *name)
{
	char *quoted;

	errno = 0;
	quoted = PQescapeIdentifier(conn, name, strlen(name));
	if (quoted == NULL) {
		memory_check("libpq");
		die(EX_CONFIG, "\"%s\" is no name: it is no valid UTF-8", name);
	}
	buf_text(out, quoted);
	PQfreemem(quoted);
}

/* Connecting */

void
pg_pause(unsigned attempt)
{
	double wait = backoff_pause(FIRST_WAIT, LONGEST_WAIT, attempt);
	struct timespec t = { (time_t)wait, (long)((wait - (double)(time_t)wait) * 1e9) };

	while (nanosleep(&t, &t) != 0 && errno == EINTR)
		progress_check();
}

/* One attempt.  libpq's blocking calls have no limit of their own, and would not tell an SQLSTATE. */
static bool
connect_once(PGconn *conn)
{
	double until = clock_now() + CONNECT_TIMEOUT;
	PostgresPollingStatusType status = PGRES_POLLING_WRITING;

	while (status != PGRES_POLLING_OK && status != PGRES_POLLING_FAILED) {
		struct pollfd p = { PQsocket(conn), status == PGRES_POLLING_READING ? POLLIN : POLLOUT, 0 };
		double left = until - clock_now();

		if (left <= 0)
			return false;
		if (poll(&p, 1, (int)(left * 1000) + 1) < 0) {
			if (errno != EINTR)
				die_errno(EX_OSERR, "poll");
			progress_check();
		} else if (p.revents != 0) {
			status = PQconnectPoll(conn);
		}
	}
	return status == PGRES_POLLING_OK;
}

/* Cuts "28P01: " out of `... FATAL:  28P01: password authentication failed` and what follows the first line; STATE gets the code. */
static void
take_state(struct buf *why, char state[6])
{
	char *p = why->p;

	state[0] = '\0';
	while ((p = strstr(p, ":  ")) != NULL) {
		p += 3;
		if (strspn(p, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 5 && p[5] == ':' && p[6] == ' ') {
			memcpy(state, p, 5);
			state[5] = '\0';
			memmove(p, p + 7, strlen(p + 7) + 1);
			why->len = strlen(why->p);
			break;
		}
	}

	char *location = strstr(why->p, "\nLOCATION:");

	if (location != NULL) {
		*location = '\0';
		why->len = strlen(why->p);
	}
}

/* The status of a connection that failed, 0 if it is worth another try.  Without an SQLSTATE libpq itself failed. */
static int
connect_status(const char *state, const char *why)
{
	/* those of settings start so; further on the word may be in the name of a host */
	static const struct { const char *part; bool at_start; int status; } own[] = {
		{ "invalid ", true, EX_CONFIG }, { "definition of service ", true, EX_CONFIG }, { "service file ", true, EX_CONFIG },
		{ "no password supplied", false, EX_NOPERM }, { "certificate verify failed", false, EX_PROTOCOL },
		{ "out of memory", false, EX_OSERR }, { "Too many open files", false, EX_OSERR },
		{ "does not support SSL", false, EX_CONFIG }, { "Permission denied", false, EX_NOPERM },
	};

	if (*state != '\0') {
		int status = state_status(state);

		return status == EX_UNAVAILABLE ? 0 : status;
	}
	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
		if (own[i].at_start ? strncmp(why, own[i].part, strlen(own[i].part)) == 0 : strstr(why, own[i].part) != NULL)
			return own[i].status;
	return 0;
}

/* DSN or DATABASE_URL, checked: libpq would quote it in its complaint, password and all. */
static const char *
connection_string(void)
{
	const char *name = "DSN", *dsn = opt_secret("DSN");
	char *why = NULL;

	if (dsn == NULL)
		dsn = opt_secret(name = "DATABASE_URL");
	if (dsn == NULL)
		return NULL;

	errno = 0;

	PQconninfoOption *parts = PQconninfoParse(dsn, &why);

	if (parts == NULL) {
		memory_check(name);
		die(EX_CONFIG, "%s is no connection string: want postgresql://user@host/database or key=value ...", name);
	}
	for (PQconninfoOption *o = parts; o->keyword != NULL; o++)
		if (strcmp(o->keyword, "password") == 0 && o->val != NULL)
			err_mask(o->val);
	PQconninfoFree(parts);
	return dsn;
}

static void
print_notice(void *unused, const char *text)
{
	struct buf line = { 0 };

	(void)unused;
	add_line(&line, text);
	if (opt_verbose() && !options.private)
		note("%s", line.p);
	buf_free(&line);
}

/* Connects, trying for --connect-wait.  NULL with *why and *status when that did not help. */
static PGconn *
connect_patiently(struct buf *why, int *status)
{
	static char name[64];   /* the server keeps 63 bytes */
	const char *run = getenv("CULVERT_RUN_ID"), *dsn = connection_string();
	double until = clock_now() + options.max_wait;
	char state[6];

	snprintf(name, sizeof name, "%s%s%s", tool.name, run != NULL ? " " : "", run != NULL ? run : "");
	if (getenv("PGPASSWORD") != NULL)
		err_mask(getenv("PGPASSWORD"));

	/* what comes before dbname is a default, since the string may say otherwise */
	const char *const keys[] = { "keepalives_idle", "keepalives_interval", "keepalives_count", "dbname",
		"application_name", "client_encoding", NULL };
	const char *const values[] = { "30", "10", "6", dsn, name, "UTF8", NULL };

	for (unsigned attempt = 0;; attempt++) {
		PGconn *conn = PQconnectStartParams(keys, values, 1);

		if (conn == NULL)
			die(EX_OSERR, "out of memory");
		PQsetErrorVerbosity(conn, PQERRORS_VERBOSE);    /* for the SQLSTATE, which libpq keeps to itself here */
		if (PQstatus(conn) != CONNECTION_BAD && connect_once(conn)) {
			PQsetErrorVerbosity(conn, PQERRORS_DEFAULT);
			PQsetNoticeProcessor(conn, print_notice, NULL);
			return conn;
		}

		struct buf text = { 0 };

		buf_text(&text, PQerrorMessage(conn));
		if (text.len == 0)
			buf_fmt(&text, "connection to server at \"%s\" failed: no answer in %.0f s", PQhost(conn), CONNECT_TIMEOUT);
		take_state(&text, state);
		buf_reset(why);
		add_line(why, text.p);
		*status = connect_status(state, buf_all(why).p);
		buf_free(&text);
		PQfinish(conn);
		if (*status != 0)
			return NULL;
		if (clock_now() >= until) {
			*status = EX_UNAVAILABLE;
			return NULL;
		}
		if (attempt == 0)
			note("%s: trying for %.0f s", why->p, options.max_wait);
		pg_pause(attempt);
	}
}

PGconn *
pg_open(const struct pg_options *wanted)
{
	struct buf why = { 0 };
	int status;

	options = *wanted;

	PGconn *conn = connect_patiently(&why, &status);

	if (conn == NULL)
		die(status, "%s", why.p);
	buf_free(&why);
	if ((cancel = cancel_made = PQgetCancel(conn)) == NULL)
		die(EX_OSERR, "out of memory");
	err_undo(cancel_query);
	return conn;
}

const struct pg_options *
pg_options(void)
{
	return &options;
}

void
pg_close(PGconn *conn)
{
	cancel = NULL;
	PQfreeCancel(cancel_made);
	PQfinish(conn);
	buf_free(&last_why);
}

/* Transactions */

void
pg_begin(PGconn *conn, double otherwise)
{
	char sql[64];
	double wait = options.lock_timeout >= 0 ? options.lock_timeout : otherwise;

	pg_run(conn, "BEGIN");
	/* 0 would mean for ever */
	snprintf(sql, sizeof sql, "SET LOCAL lock_timeout = %.0f", wait * 1000 < 1 ? 1.0 : wait * 1000);
	pg_run(conn, sql);
}

/* What became of a transaction, by its number; asks until the server has noticed that our old session is gone. */
static void
ask_about(PGconn **conn, const char *xid)
{
	struct buf why = { 0 };
	double until = clock_now() + options.max_wait;
	int status;

	PQfinish(*conn);
	if ((*conn = connect_patiently(&why, &status)) == NULL)
		die(EX_TEMPFAIL, COMMIT_UNKNOWN " and %s: once it is up, SELECT pg_xact_status('%s') tells whether it is loaded",
		    why.p, xid);
	for (unsigned attempt = 0;; attempt++) {
		PGresult *result = PQexecParams(*conn, "SELECT pg_xact_status($1::xid8)", 1, NULL, &xid, NULL, NULL, 0);
		/* a number that the server never gave is of a transaction that a crash took away: it fails here */
		const char *fate = PQntuples(result) > 0 && !PQgetisnull(result, 0, 0) ? PQgetvalue(result, 0, 0) : "not known";

		if (strcmp(fate, "committed") == 0) {
			note(COMMIT_UNKNOWN ", but the server has it");
			PQclear(result);
			buf_free(&why);
			return;
		}
		if (strcmp(fate, "aborted") == 0)
			die(EX_TEMPFAIL, COMMIT_UNKNOWN " and the server undid it: nothing was loaded, run again");
		if (strcmp(fate, "in progress") != 0 || clock_now() >= until)
			die(EX_TEMPFAIL, COMMIT_UNKNOWN " and the server calls transaction %s %s: look at the table before the next run",
			    xid, fate);
		PQclear(result);
		pg_pause(attempt);
	}
}

bool
pg_try_commit(PGconn **conn)
{
	PGresult *result = pg_query(*conn, "SELECT pg_current_xact_id_if_assigned()", 0, NULL);
	char *xid = PQgetisnull(result, 0, 0) ? NULL : xstrdup(PQgetvalue(result, 0, 0));

	PQclear(result);
	stop_hold();
	result = PQexec(*conn, "COMMIT");
	if (PQresultStatus(result) != PGRES_COMMAND_OK) {
		/* without a number there is nothing that could have been lost */
		if (PQstatus(*conn) == CONNECTION_BAD && xid != NULL) {
			cancel = NULL;
			ask_about(conn, xid);
		} else if (state_is_transient(result_state(result))) {
			buf_reset(&last_why);
			add_sentence(&last_why, *conn, result);
			PQclear(result);
			free(xid);
			return false;
		} else {
			pg_die(*conn, result, NULL);
		}
	} else if (strcmp(PQcmdStatus(result), "COMMIT") != 0) {
		die(EX_SOFTWARE, "the transaction had failed before its COMMIT: nothing was loaded");
	}
	cancel = NULL;
	PQclear(result);
	free(xid);
	return true;
}

void
pg_commit(PGconn **conn)
{
	if (!pg_try_commit(conn))
		die(EX_TEMPFAIL, "%s: nothing was loaded, run again", pg_why());
}
