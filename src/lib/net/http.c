/*
 * net/http.c - a request works, or the process ends.
 *
 * Each request is a small machine: asking, waiting for its next try, then done or failed.  http_wait() turns all
 * of them until one is there, so whoever waits for page 3 also moves pages 4 and 5.  What goes over the wire in one try is in
 * net/exchange.c, what is made of its outcome in net/verdict.c, when the next one may start in
 * net/pace.c.
 */
#include "net/http.h"

#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/progress.h"
#include "net/pace.h"
#include "net/verdict.h"

#define MAY_BE_DONE ": it may be done or not: look before you send it again"
#define FEW 8                   /* requests: among more, a new one waits for the next turn, since each turn costs libcurl a look at all */
#define SPARES 64               /* handles kept */

enum state { WAITING, ASKING, DONE, FAILED };

struct http_call {
	struct http_exchange x;
	struct http_call *next;
	enum state state;
	int tries;
	bool given;                     /* by http_wait_any() */
	double wake;                    /* when WAITING ends */
	double waited;                  /* s spent on 202 */
	struct buf why;                 /* once FAILED; before, why it was tried again */
};

struct http {
	struct http_options want;
	CURLM *multi;
	struct http_call *calls;
	CURL *spare[SPARES];            /* handles for requests to come: a new one costs more than a small request */
	size_t spares;
	struct http_pace pace;
};

static struct http_call *
call_of_exchange(const struct http_exchange *x)
{
	return (struct http_call *)((char *)x - offsetof(struct http_call, x));
}

static struct http_call *
call_of(const struct http_reply *reply)
{
	return call_of_exchange(http_exchange_of(reply));
}

static double
smaller(double a, double b)
{
	return a < b ? a : b;
}

static double
larger(double a, double b)
{
	return a > b ? a : b;
}

/*
 * A connection that is gone must be an error and no SIGPIPE, while that is what ends a filter whose reader left.  libcurl would see to
 * it by itself, but with two system calls for each request that is under way, each time that it is called: so it is done here, once.
 */
static void
ignore_sigpipe(bool ignore)
{
	static struct sigaction before;
	static int depth;

	if (ignore && depth++ == 0)
		sigaction(SIGPIPE, &(struct sigaction){ .sa_handler = SIG_IGN }, &before);
	else if (!ignore && --depth == 0)
		sigaction(SIGPIPE, &before, NULL);
}

struct http *
http_open(const struct http_options *options)
{
	struct http *http = xcalloc(1, sizeof *http);

	http->want = *options;
	memory_of_openssl();
	if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, xmalloc, free, memory_resize, xstrdup, xcalloc) != 0 ||
	    (http->multi = curl_multi_init()) == NULL)
		die(EX_OSERR, "cannot start libcurl");
	http_pace_open(&http->pace, options->max_time, options->retry_wait);
	if (http->want.cacert == NULL)
		http->want.cacert = getenv("CURL_CA_BUNDLE");
	if (http->want.cacert == NULL)
		http->want.cacert = getenv("SSL_CERT_FILE");
	return http;
}

void
http_close(struct http *http)
{
	while (http->calls != NULL)
		http_done(http, &http->calls->x.reply);
	ignore_sigpipe(true);
	while (http->spares > 0)
		curl_easy_cleanup(http->spare[--http->spares]);
	curl_multi_cleanup(http->multi);
	ignore_sigpipe(false);
	curl_global_cleanup();
	free(http);
}

/* A try, and what comes of it */

static void
ask(struct http *http, struct http_call *call)
{
	http_exchange_begin(&call->x);
	call->state = ASKING;
	if (curl_multi_add_handle(http->multi, call->x.easy) != CURLM_OK)
		die(EX_OSERR, "libcurl takes no more requests");
}

static void
stop_asking(struct http *http, struct http_call *call)
{
	if (call->state != ASKING)
		return;
	ignore_sigpipe(true);
	curl_multi_remove_handle(http->multi, call->x.easy);
	ignore_sigpipe(false);
}

static void
wait_for(struct http_call *call, double seconds)
{
	call->state = WAITING;
	call->wake = clock_now() + seconds;
}

static void PRINTF(3, 4)
fail(struct http_call *call, int status, const char *fmt, ...)
{
	struct buf line = { 0 };        /* since the old one may be part of it */
	va_list args;

	va_start(args, fmt);
	buf_vfmt(&line, fmt, args);
	va_end(args);
	buf_free(&call->why);
	call->why = line;
	call->state = FAILED;
	call->x.reply.failure = status;
	call->x.reply.unknown = http_exchange_may_be_done(&call->x);
	call->x.reply.why = call->why.p;
}

/* Sleeps and tries again, or gives up with the status.  TOLD: what Retry-After says, 0 if nothing. */
static void
try_again(struct http *http, struct http_call *call, int status, double told, const char *why)
{
	struct http_exchange *x = &call->x;
	long long most = x->request.tries > 0 ? x->request.tries : http->want.retries + 1;
	double pause;
	char when[40];

	if (x->passed_on && x->request.sink->resumes) { /* it got on: tries are for standing still */
		x->passed_on = false;
		call->tries = 0;
	}
	pause = backoff_pause(http->pace.retry_wait, HTTP_PAUSE, (unsigned)call->tries) + told;
	call->tries++;
	x->fresh = true;
	if (http_exchange_may_be_done(x)) {
		fail(call, EX_TEMPFAIL, "%s" MAY_BE_DONE, why);
	} else if (told > http->want.max_wait) {
		http_pace_wall(when, sizeof when, told);
		fail(call, EX_TEMPFAIL, "%s: come back at %s, or give a longer --max-wait", why, when);
	} else if (x->passed_on) {
		fail(call, status, "%s: part of it was passed on already: run again", why);
	} else if (call->tries >= most) {
		fail(call, status, "%s: gave up after %d %s", why, call->tries, call->tries == 1 ? "try" : "tries");
	} else if (http_pace_ends(&http->pace, pause)) {
		fail(call, status, "%s: no time for another try in --max-time", why);
	} else {
		if (told > 0)
			http_hold(http, told);
		wait_for(call, pause);
		buf_reset(&call->why);
		buf_text(&call->why, why);
		if (opt_verbose() || pause >= 5)
			note("%s: %s: trying again in %.0f s", x->name, why, pause);
	}
}

/* 202: until --max-wait is over. */
static void
poll_again(struct http *http, struct http_call *call, double told)
{
	double pause = told > 0 ? told : http_pace_poll(&http->pace, call->waited);

	if (call->waited + pause > http->want.max_wait || http_pace_ends(&http->pace, pause)) {
		fail(call, EX_TEMPFAIL, "not ready (202) after %.0f s: run again later", call->waited);
		return;
	}
	if (call->waited == 0)
		note("%s: not ready (202): asking again", call->x.name);
	call->waited += pause;
	wait_for(call, pause);
}

static void
obey(struct http *http, struct http_call *call, struct http_verdict verdict)
{
	switch (verdict.outcome) {
	case HTTP_GOOD:
		call->state = DONE;
		break;
	case HTTP_BAD:
		fail(call, verdict.status, "%s", verdict.why.p);
		break;
	case HTTP_AGAIN:
		try_again(http, call, verdict.status, verdict.told, verdict.why.p);
		break;
	case HTTP_MOVED:
		wait_for(call, 0);
		break;
	case HTTP_NOT_READY:
		poll_again(http, call, verdict.told);
		break;
	}
	buf_free(&verdict.why);
}

static void
finish_try(struct http *http, struct http_call *call, CURLcode code)
{
	stop_asking(http, call);
	obey(http, call, http_judge(&call->x, code));
}

/* A peer that sends nothing, or next to nothing, is gone; and --max-time is for the whole run. */
static void
watch(struct http *http, struct http_call *call)
{
	bool late = http_pace_ends(&http->pace, 0);
	double silence = late ? 0 : http_exchange_silence(&call->x);

	if (!late && silence == 0)
		return;
	stop_asking(http, call);
	obey(http, call, late ? http_judge_end(&call->x, buf_all(&call->why).p) : http_judge_silence(&call->x, silence));
}

/* All of them at once */

static void
perform(struct http *http)
{
	int running;

	ignore_sigpipe(true);
	if (curl_multi_perform(http->multi, &running) != CURLM_OK)
		die(EX_SOFTWARE, "libcurl lost its way");
	ignore_sigpipe(false);
}

/* Starts what is due.  Returns for how long nothing else is: SLEEP s at most. */
static double
ask_due(struct http *http, double sleep)
{
	double t = clock_now();

	for (struct http_call *c = http->calls; c != NULL; c = c->next) {
		double wake = larger(c->wake, http->pace.not_before);

		if (c->state == WAITING && wake <= t)
			ask(http, c);
		else if (c->state == WAITING)
			sleep = smaller(sleep, wake - t);
		else if (c->state == ASKING)
			sleep = smaller(sleep, larger(0.01, http_exchange_patience(&c->x) / 4));
	}
	return sleep;
}

/* Those that libcurl is done with.  True if there were any. */
static bool
finish_done(struct http *http)
{
	bool any = false;
	int left;

	for (CURLMsg *m; (m = curl_multi_info_read(http->multi, &left)) != NULL; any = true) {
		struct http_exchange *x;
		CURLcode code = m->data.result;

		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &x);
		http_exchange_pass_on(x);
		finish_try(http, call_of_exchange(x), code);
	}
	return any;
}

/* What came for those under way goes to their sinks.  True if one had enough, and is over. */
static bool
pass_on(struct http *http)
{
	bool any = false;

	for (struct http_call *c = http->calls; c != NULL; c = c->next) {
		if (c->state != ASKING)
			continue;
		http_exchange_pass_on(&c->x);
		if (http_exchange_has_enough(&c->x)) {
			finish_try(http, c, CURLE_OK);
			any = true;
			continue;
		}
		watch(http, c);
		if (c->state == ASKING && c->x.paused) {
			c->x.paused = false;
			ignore_sigpipe(true);
			curl_easy_pause(c->x.easy, CURLPAUSE_CONT);
			ignore_sigpipe(false);
		}
	}
	return any;
}

/* Moves every request on, and waits for one of them, or FD unless it is -1, to have something: SLEEP s at most.  True when it is FD. */
static bool
turn(struct http *http, int fd, double sleep)
{
	struct curl_waitfd input = { .fd = fd, .events = CURL_WAIT_POLLIN };

	sleep = ask_due(http, sleep);
	perform(http);
	if (finish_done(http))
		sleep = 0;
	if (pass_on(http))
		sleep = 0;
	progress_check();
	curl_multi_poll(http->multi, &input, fd >= 0 ? 1 : 0, (int)(sleep * 1000 + 0.999), NULL);
	return input.revents != 0;
}

/* The caller's side */

struct http_reply *
http_start(struct http *http, const struct http_request *request)
{
	struct http_call *call = xcalloc(1, sizeof *call), **last = &http->calls;
	CURL *easy = http->spares > 0 ? http->spare[--http->spares] : curl_easy_init();
	size_t others = 0;

	if (easy == NULL)
		die(EX_OSERR, "out of memory");
	http_exchange_open(&call->x, easy, request, &http->want);
	for (; *last != NULL; last = &(*last)->next)
		others++;
	*last = call;
	if (http->pace.not_before <= clock_now()) {
		ask(http, call);
		if (others < FEW)
			perform(http);  /* on its way now, while the caller does something else */
	}
	return &call->x.reply;
}

static bool
is_over(const struct http_call *call)
{
	return call->state == DONE || call->state == FAILED;
}

bool
http_try(struct http *http, struct http_reply *reply)
{
	struct http_call *call = call_of(reply);

	while (!is_over(call))
		turn(http, -1, 1);
	return call->state == DONE;
}

_Noreturn void
http_die(const struct http_reply *reply)
{
	const char *what = http_exchange_of(reply)->what;

	die(reply->failure, "%s: %s%s%s", reply->name, what != NULL ? what : "", what != NULL ? ": " : "", reply->why);
}

void
http_wait(struct http *http, struct http_reply *reply)
{
	if (!http_try(http, reply))
		http_die(reply);
}

void
http_pause(struct http *http, struct http_reply *reply, int n)
{
	struct http_call *call = call_of(reply);
	double pause = backoff_pause(http->pace.retry_wait, HTTP_PAUSE, (unsigned)(n - 1));
	double until = clock_now() + pause;
	const char *end = n > http->want.retries ? "gave up" :
	    http_pace_ends(&http->pace, pause) ? "--max-time is over" : NULL;
	const char *advice = strstr(call->why.p, MAY_BE_DONE);
	char *why = str_dup((struct str){ call->why.p, advice != NULL ? (size_t)(advice - call->why.p) : call->why.len });

	if (end != NULL) {
		fail(call, EX_UNAVAILABLE, "%s: %s after %d %s", why, end, n, n == 1 ? "try" : "tries");
		http_die(reply);
	}
	if (opt_verbose() || pause >= 5)
		note("%s: %s: looking what was done in %.0f s", call->x.name, why, pause);
	free(why);
	for (double left; (left = until - clock_now()) > 0; progress_check())
		curl_multi_poll(http->multi, NULL, 0, (int)(smaller(1, left) * 1000 + 0.999), NULL);
}

struct http_reply *
http_wait_any(struct http *http)
{
	for (;;) {
		bool busy = false;

		for (struct http_call *c = http->calls; c != NULL; c = c->next) {
			if (!is_over(c)) {
				busy = true;
			} else if (!c->given) {
				c->given = true;
				return &c->x.reply;
			}
		}
		if (!busy)
			return NULL;
		turn(http, -1, 1);
	}
}

bool
http_wait_input(struct http *http, int fd)
{
	for (;;) {
		bool busy = false;

		for (struct http_call *c = http->calls; c != NULL; c = c->next) {
			if (is_over(c) && !c->given)
				return false;
			busy = busy || !is_over(c);
		}
		if (!busy || turn(http, fd, 1))
			return true;
	}
}

void
http_move(struct http *http)
{
	turn(http, -1, 0);
}

void
http_hold(struct http *http, double seconds)
{
	http_pace_hold(&http->pace, seconds);
}

void
http_done(struct http *http, struct http_reply *reply)
{
	struct http_call *call = call_of(reply), **p = &http->calls;

	while (*p != call)
		p = &(*p)->next;
	*p = call->next;
	stop_asking(http, call);
	if (http->spares < SPARES) {
		curl_easy_reset(call->x.easy);
		http->spare[http->spares++] = call->x.easy;
	} else {
		curl_easy_cleanup(call->x.easy);
	}
	http_exchange_close(&call->x);
	buf_free(&call->why);
	free(call);
}
