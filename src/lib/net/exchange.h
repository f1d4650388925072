/*
 * net/exchange.h - a request and its answer, on a handle of libcurl: what is sent, and what
 * becomes of what comes.
 *
 * The lower half of http.h, for http.c and net/verdict.c alone.  An exchange begins anew for each
 * try.  Nothing here moves bytes: who turns the handle calls http_exchange_pass_on() in between,
 * so that a sink may take its time and SIGPIPE is its own.
 */
#ifndef HTTP_EXCHANGE_H
#define HTTP_EXCHANGE_H

#include <curl/curl.h>

#include "net/http.h"

struct http_exchange {
	struct http_reply reply;
	const struct http_options *want;
	struct http_request request;    /* as it is now: a redirect may change it */
	CURL *easy;
	struct curl_slist *headers;
	char *url, *name, *what;
	char *body;                     /* of request.body_taken */
	char error[CURL_ERROR_SIZE];
	bool foreign;                   /* sent to another origin: credentials stay here */
	int redirects;
	bool fresh;                     /* the next try needs a new connection */
	bool passed_on;                 /* the sink took bytes: no second try, unless the request resumes */
	bool paused;                    /* libcurl waits for the sink: curl_easy_pause() lets it go on */
	size_t unseen;                  /* bytes of the body that came since the sink was last asked */
	struct http_file file;          /* the body, and how far this try has read it */
	long long file_read;
	double mark;                    /* the stall clock: since when, at how many bytes */
	curl_off_t mark_bytes;
};

/* The exchange that a reply is part of: all of them are. */
static inline struct http_exchange *
http_exchange_of(const struct http_reply *reply)
{
	return (struct http_exchange *)((char *)reply - offsetof(struct http_exchange, reply));
}

/* Takes the handle, and copies what http.h says is copied.  The options are lent until it is closed. */
void http_exchange_open(struct http_exchange *, CURL *, const struct http_request *,
    const struct http_options *);
/* Frees all but the handle, which is the caller's again. */
void http_exchange_close(struct http_exchange *);
/* Sets the handle up for a try, as http_set_url() and the redirects so far have left the request. */
void http_exchange_begin(struct http_exchange *);
/* Gives the sink what came. */
void http_exchange_pass_on(struct http_exchange *);
/* The sink wants no more of it. */
bool http_exchange_has_enough(const struct http_exchange *);
/* s until an answer must have started. */
double http_exchange_patience(const struct http_exchange *);
/* 0; or the s that brought nothing, or next to nothing of an answer that has started, where that is too long.  To be asked now and
 * then, since it has no clock of its own. */
double http_exchange_silence(struct http_exchange *);
/* What must not be done twice may have been done: it was sent, and no answer says that it was not. */
bool http_exchange_may_be_done(const struct http_exchange *);
/* The next try goes there; TO is the exchange's now. */
void http_exchange_move(struct http_exchange *, char *to);
bool http_exchange_is_html(const struct http_exchange *);

#endif
