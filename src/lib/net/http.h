/*
 * net/http.h - a request works, or the process ends.
 *
 * Retries, waits and Retry-After live here and nowhere else; so does the choice of exit status: 69 no answer, 75
 * throttled or not ready, 76 nonsense, 77 refused.  What is retried: connections that fail or break, bodies
 * that did not come whole, and 408, 425, 429 and 5xx; with full-jitter exponential backoff.  TLS is verified, and a
 * certificate that fails is not tried again.  Proxies and ~/.netrc work as with curl(1).
 *
 * Redirects are followed, but never from https to http, and no credential goes to another origin (scheme, host,
 * port).  102, where no answer follows it, is the last word: not ready (75), and not tried again.  Messages show a URL
 * without its query, and the server's own words, shortened.
 *
 * Several requests may be under way: each http_start() holds one body of at most max_body bytes until
 * http_done(); the caller bounds how many.  A request that failed for good ends the process when it is waited
 * for, and not before, so that what came in front of it can still be written.
 *
 * 202 is asked again at its Location if there is one.  What differs from service to service comes in by hooks: for headers
 * that are new for each try, for refusals that another try may get past.
 */
#ifndef HTTP_H
#define HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/buf.h"
#include "base/opt.h"

#define HTTP_TIMEOUT 300        /* s until an answer starts: SoQL queries of minutes are on record */
#define HTTP_STALL 60           /* s: an answer that has started and brings fewer than HTTP_TRICKLE bytes in each */
#define HTTP_TRICKLE 64         /* of them is given up, for one byte a second would hold us for ever */
#define HTTP_CONNECT 20         /* s for name, connection and TLS together */
#define HTTP_BODY (256L << 20)  /* bytes of a body, unpacked: more is a bomb or a mistake */

/* How a server is asked.  Start with HTTP_DEFAULTS; times are in seconds. */
struct http_options {
	double max_time;                /* of the whole run, from http_open() on; 0: no limit */
	double max_wait;                /* when told to come back later; 600 */
	double timeout;                 /* until an answer starts; HTTP_TIMEOUT */
	double retry_wait;              /* the first pause between tries; 1 */
	long long retries;              /* tries after the first; 8 */
	const char *cacert;             /* NULL: $CURL_CA_BUNDLE, $SSL_CERT_FILE, the system's */
};
#define HTTP_DEFAULTS .max_wait = 600, .timeout = HTTP_TIMEOUT, .retry_wait = 1, .retries = 8

/* Options of a tool: rows of its table that fill a struct http_options, NET. */
#define OPT_HTTP(net) \
	OPT_SECONDS(0, "max-time", "TIME", &(net).max_time, "end the whole run after this long (never)"), \
	OPT_SECONDS(0, "max-wait", "TIME", &(net).max_wait, \
	    "longest wait for a server that says later (10m)"), \
	OPT_SECONDS(0, "timeout", "TIME", &(net).timeout, \
	    "wait this long for an answer to start (5m)"), \
	OPT_NUMBER(0, "retries", "N", &(net).retries, 0, 1000, "tries after the first (8)"), \
	OPT_SECONDS(0, "retry-wait", "TIME", &(net).retry_wait, "first pause between tries, doubled for each (1s)"), \
	OPT_STRING(0, "cacert", "FILE", &(net).cacert, "certificates to trust (else the system's)")

struct http_reply {
	long status;            /* 2xx, or one that the caller claimed */
	struct buf body;        /* whole; the caller may change it or take it */
	bool too_big;           /* body was over max_body and is not here (only with may_be_big), or the sink had enough */
	int blame;              /* a check or mend may set the exit status for when tries run out; else EX_PROTOCOL */
	double wait;            /* mend may set: s to wait before the next try, as Retry-After would */
	int failure;            /* the exit status, once it failed for good, and then why says what happened; else 0 */
	const char *why;
	bool unknown;           /* it failed, but may have been done (only with once) */
	const char *name;       /* what messages call the request */
	const char *url;        /* where it was asked last, redirects and all */
};

/* A body that lies in a file: LEN bytes from AT on, read anew for each try. */
struct http_file { int fd; long long at, len; };

/* What differs from service to service; one table for all requests of one.  Any may be NULL. */
struct http_hooks {
	/* Called before each try while it goes to the first origin: adds headers of this try, or another URL of it. */
	void (*prepare)(struct http_reply *, void *service);
	/* A status past 299 that nobody claims: NULL, and it is judged as always; else why another try may do better, or,
	 * where it sets reply->failure to an exit status, why none will. */
	const char *(*mend)(struct http_reply *, void *service);
	/* Where to ask after a 202 without a Location: appends a URL, or nothing for the same one. */
	void (*later)(struct http_reply *, struct buf *url, void *service);
};

/*
 * Takes the body of a 200 or 206 as it arrives, for what never fits in memory; leaves in the buf what it cannot use yet.  Once it
 * was called the request can't be made again, unless it resumes: then prepare() asks for the rest.  It may set the reply's too_big
 * to have no more of it: the request is over then, and the connection with it.
 */
struct http_sink {
	void (*take)(struct buf *arrived, void *arg);
	bool resumes;
	bool quick;                     /* it only keeps what it takes: it is called with every bit that arrives */
};

/* Only url must be set.  What is pointed to is lent until http_wait() has returned; url, name and what are copied. */
struct http_request {
	const char *method;             /* else GET, or POST where there is a body */
	const char *url;
	const char *const *headers;     /* "Name: value", NULL at the end */
	struct str body;                /* sent where p is set */
	bool body_taken;                /* body.p is http's now, which frees it */
	const struct http_file *file;   /* or this, copied; not through a redirect */

	/* For this origin only, and never over plain http except to loopback. */
	const char *const *secrets;     /* headers */
	const char *user, *password;    /* HTTP Basic */
	const char *credential;         /* ends the message of 401 and 403: "check SOCRATA_APP_TOKEN" */

	/* For messages. */
	const char *name;               /* where the URL itself is secret; else URL without query */
	const char *what;               /* "page 3 after 2000 rows"; or NULL */

	/* The answer. */
	const char *want;               /* what is due, "JSON"; then text/html is nonsense */
	const short *claims;            /* statuses that are the caller's to judge, 0 at the end */
	size_t max_body;                /* else HTTP_BODY */
	bool may_be_big;                /* a larger body comes back as too_big, unless it is a bomb */
	/* Is the body whole and good?  NULL if so, else what is wrong, and the request is made again.  May change the body. */
	const char *(*check)(struct http_reply *, void *arg);
	const struct http_sink *sink;
	void *arg;                      /* of check and sink */

	/* How it is asked. */
	bool follow_no;                 /* a redirect is nonsense: the body is for this server only */
	bool once;                      /* twice would do harm: asked again only where it can't have been done, else EX_TEMPFAIL */
	bool polls;                     /* 202 means not ready: ask again, until --max-wait is over, then die EX_TEMPFAIL */
	bool exact;                     /* nothing is added or changed on the way: ".." in the path, packed bodies, ~/.netrc */
	bool direct;                    /* past any proxy: the server is on this machine's link */
	int tries;                      /* in all; 0: as --retries says */
	double timeout;                 /* s; 0: as --timeout says */
	const struct http_hooks *hooks; /* may be NULL */
	void *service;                  /* of the hooks */
};

/* Keeps connections: one is enough for a process. */
struct http *http_open(const struct http_options *);
struct http_reply *http_start(struct http *, const struct http_request *);
void http_wait(struct http *, struct http_reply *);     /* until it is there, or die */
bool http_try(struct http *, struct http_reply *);      /* the same, but false where it failed for good */
_Noreturn void http_die(const struct http_reply *);     /* of one that failed */
/* The next that is over, well or not, and was not given out before: for http_try(), which returns at once.  NULL when
 * nothing is under way. */
struct http_reply *http_wait_any(struct http *);
/* For a request of `once` that may be done, when the caller has looked and has to ask anew, the Nth time in a row: waits as
 * between two tries, or dies as http_wait() does when N of them are all. */
void http_pause(struct http *, struct http_reply *, int n);
/* Moves everything on until FD can be read or nothing is under way: true; false where first one is over that
 * http_wait_any() did not give out.  For who reads from a pipe and sends at the same time. */
bool http_wait_input(struct http *, int fd);
void http_move(struct http *);                          /* moves everything on, and waits for nothing */
void http_done(struct http *, struct http_reply *);     /* ends it if it is still under way; frees it */
void http_hold(struct http *, double seconds);          /* no try starts until then; for limits of rate, in prepare() too */
void http_close(struct http *);

/* For a hook's prepare(): a "Name: value" of this try, and where it goes. */
void http_add_header(struct http_reply *, const char *header);
void http_set_url(struct http_reply *, const char *url);
/* A header of the reply, or NULL; lent until http_done(). */
const char *http_header(const struct http_reply *, const char *name);
/* When the server says that it is, in Unix time; -1 where it does not say, or nothing that is a
 * date. */
time_t http_date(const struct http_reply *);
/* The server's own words out of an error's body: its JSON message, the title of its HTML, or the first line; shortened. */
void http_message(struct buf *, const struct http_reply *);
/* The JSON of a body, from its first byte that is not white space on: a value where
 * http_check_json() found it good. */
struct str http_json(const struct http_reply *);
/* A check: the body is one whole JSON value. */
const char *http_check_json(struct http_reply *, void *);

#endif
