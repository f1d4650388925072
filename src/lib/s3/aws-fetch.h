/*
 * s3/aws-fetch.h - credentials from those who hand them out to this machine: a container's
 * endpoint, an instance's, a program.
 *
 * A fetch that fails says why and with which exit status; it dies only where a setting is wrong.  What is fetched is
 * masked.
 */
#ifndef AWS_FETCH_H
#define AWS_FETCH_H

#include <stdbool.h>
#include <time.h>

#include "base/buf.h"
#include "net/http.h"

struct aws_keys {
	char *key, *secret, *token;     /* token NULL: none */
	time_t expires;                 /* 0: never */
};
/* Masks one that will be renewed: only the last eight stay masked, since there is room for few. */
void aws_mask(const char *secret);
struct aws_failure { int status; struct buf why; };

void aws_keys_free(struct aws_keys *);
/* Masks them, and checks that nothing is missing. */
bool aws_keys_good(struct aws_keys *, struct aws_failure *);
/* False, with what went wrong; and where, in front of it. */
bool aws_fail(struct aws_failure *, int status, const char *fmt, ...) PRINTF(3, 4);
bool aws_fail_at(struct aws_failure *, const char *where);
/* Seconds since 1970 of an ISO 8601 time; 0 where it is none. */
time_t aws_time(struct str text);
/* The whole answer, or NULL with what went wrong.  http_done() when done. */
struct http_reply *aws_ask(struct http *, const struct http_request *, struct aws_failure *);

/* A setting from the environment; NULL where it is not set or empty. */
const char *aws_env(const char *name);
/* True or false of an environment variable; dies EX_CONFIG where it is neither. */
bool aws_env_true(const char *name);

/* TRIES 0: as many as the source usually gets. */
bool aws_fetch_container(struct http *, int tries, struct aws_keys *, struct aws_failure *);
bool aws_fetch_instance(struct http *, int tries, struct aws_keys *, struct aws_failure *);
/* Runs the command, without a shell and without our standard input; its words are split as a shell would. */
bool aws_fetch_process(const char *command, struct aws_keys *, struct aws_failure *);

#endif
