/*
 * knack/knack.h - talk to one Knack application: who we are, how often we may ask, and what a
 * refusal means.
 *
 * The application is KNACK_APP_ID (no secret), or that of the metadata at hand; the key is KNACK_API_KEY.  Without a key
 * the word "knack" goes in its place, which opens the views of public pages and nothing else.
 *
 * No second ever sees more than KNACK_RATE calls of ours, retries included: a call takes one of as many slots, and the slot
 * is free again a second after the answer came, for nobody knows when in between Knack counted the call.  A 429 waits until
 * X-RateLimit-Reset; where the day's calls are used up (X-PlanLimit-Remaining is 0) nothing is tried again (EX_TEMPFAIL).
 * The metadata are free: they need no key and no slot.
 */
#ifndef KNACK_H
#define KNACK_H

#include <stdbool.h>

#include "knack/app.h"
#include "net/http.h"

#define KNACK_RATE 10           /* calls a second, on every plan */
#define KNACK_JOBS 8            /* calls under way at most: fewer than KNACK_RATE, so that a slot is always about to be free */
#define KNACK_PAGE 1000         /* rows of a page at most */
#define KNACK_ID 24             /* hex digits of a record's or an application's id */

/* How an application is asked.  Start with KNACK_DEFAULTS. */
struct knack_options {
	const char *slug;               /* of an account: https://SLUG-api.knack.com */
	const char *base_url;           /* or this; NULL, both: https://api.knack.com */
	const char *metadata_writer;    /* which command writes the metadata, for messages */
	struct http_options http;
};
#define KNACK_DEFAULTS .http = { HTTP_DEFAULTS }

/* Options of a tool: rows of its table that fill a struct knack_options. */
#define OPT_KNACK(options) \
	OPT_STRING(0, "slug", "ACCOUNT", &(options).slug, "ask https://ACCOUNT-api.knack.com"), \
	OPT_STRING(0, "base-url", "URL", &(options).base_url, "ask there instead of https://api.knack.com"), \
	OPT_HTTP((options).http)

struct knack {
	struct http *http;              /* for http_wait_any() */
	char *base;                     /* "https://api.knack.com/v1" */
	const char *app_id;
	bool has_key;
	struct knack_state *state;      /* of knack.c */
};

/* APP_FILE: an earlier output of --describe, or NULL.  Wrong or missing settings die EX_CONFIG. */
struct knack *knack_open(const char *app_file, const struct knack_options *);
void knack_close(struct knack *);

/* The metadata, from the file or else from the server; lent. */
struct knack_app *knack_know(struct knack *);
/* The same as they came. */
void knack_metadata(struct knack *, struct buf *json);

/* PATH, below /v1: "/objects/object_3/records?page=2".  HOW brings what else the request needs; 400, 401, 403 and 404 are
 * the caller's to judge, see knack_refused().  At most KNACK_JOBS at a time. */
struct http_reply *knack_start(struct knack *, const char *path, struct http_request how);
/* To be called once for each, as soon as http_try() has returned: its slot is counted from here, and its limits are read. */
void knack_over(struct knack *, struct http_reply *);
void knack_done(struct knack *, struct http_reply *);
/* Why no more calls are worth it today, or NULL; then a caller who needs one more dies EX_TEMPFAIL with it. */
const char *knack_spent(const struct knack *);

/* For one of the four statuses: appends what is wrong and returns the exit status for it. */
int knack_refused(const struct knack *, const struct http_reply *, struct buf *why);

/* 24 hex digits. */
bool knack_is_id(struct str);

#endif
