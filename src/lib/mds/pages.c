/* mds/pages.c - all that an MDS provider has for a span of time, page by page. */
#include "mds/pages.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/hash.h"
#include "base/names.h"
#include "format/date.h"
#include "mds/auth.h"
#include "net/http.h"
#include "net/url.h"

#define MOST_PAGES 100000       /* of a run: a link to the next page that is always new has no end otherwise */
#define REACH 10800.0           /* s: few trips are longer than three hours */
#define MOST_EMPTY 10           /* pages in a row without anything on them, and still with a link to the next */

struct mds_pages {
	struct mds_wanted want;
	const struct mds_provider *provider;
	struct http *http;
	struct mds_auth *auth;
	const struct mds_version *version;      /* that is asked for */
	const struct mds_question *question;
	bool may_change;                /* the version: it is "auto", and nothing came yet */
	struct mds_span at;             /* what is asked for, at.to is where to go on */
	struct buf url;                 /* of the next request; empty: the next span's */
	struct buf accept, what, number;
	const char **headers;
	struct http_reply *lent;        /* holds what page.data points into */
	struct mds_page page;
	struct mds_counts count;
	unsigned long long in_span;     /* pages of this one */
	unsigned empty;                 /* pages without anything, in a row */
	struct names urls, digests;     /* that came before */
};

/* ---- what is asked for ---- */

static const char *
endpoint_name(const struct mds_pages *p)
{
	return mds_endpoints[p->want.endpoint];
}

/* "trips of 2020-03-01-01", and the page where there are several. */
static const char *
describe(struct mds_pages *p)
{
	buf_reset(&p->what);
	buf_fmt(&p->what, "%s", endpoint_name(p));
	if (p->question->times == MDS_HOURS || (p->question->times != MDS_TIMELESS && p->at.to - p->at.from == MDS_HOUR &&
	    p->at.from % MDS_HOUR == 0)) {
		buf_text(&p->what, " of ");
		mds_hour_put(&p->what, p->at.from);
	} else if (p->question->times != MDS_TIMELESS) {
		buf_text(&p->what, " from ");
		mds_time_put(&p->what, p->at.from);
		buf_text(&p->what, " to ");
		mds_time_put(&p->what, p->at.to);
	}
	if (p->in_span > 0)
		buf_fmt(&p->what, ", page %llu", p->in_span + 1);
	return p->what.p;
}

static _Noreturn void PRINTF(3, 4)
die_at_page(struct mds_pages *p, int status, const char *fmt, ...)
{
	char why[2048];
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof why, fmt, args);
	va_end(args);
	die(status, "%s: %s: %s", p->provider->name, describe(p), why);
}

/* The configured headers first, then ours: what is last counts. */
static void
use_version(struct mds_pages *p, const struct mds_version *v)
{
	size_t n = p->provider->headers.n;

	p->version = v;
	p->question = &v->question[p->want.endpoint];
	buf_reset(&p->accept);
	buf_fmt(&p->accept, "Accept: %s", v->media);
	for (size_t i = 0; i < n; i++)
		p->headers[i] = p->provider->headers.w[i];
	p->headers[n] = p->accept.p;
	p->at.to = p->want.span.from;
	buf_reset(&p->url);
}

static void
check_span(const struct mds_pages *p)
{
	struct mds_span all = p->want.span;

	if (p->question->times == MDS_TIMELESS && all.from != all.to)
		die(EX_USAGE, "%s are as they are now: leave out --hour, --since and --until",
		    endpoint_name(p));
	if (p->question->times != MDS_TIMELESS && all.from == all.to)
		die(EX_USAGE, "%s of which time? see --hour, or --since and --until",
		    endpoint_name(p));
	if (p->question->times == MDS_HOURS && (all.from % MDS_HOUR != 0 || all.to % MDS_HOUR != 0))
		die(EX_USAGE, "version %s knows whole hours only: --since and --until"
		    " have to be such", p->version->number);
	if (p->question->times == MDS_MS && (all.from % 1000 != 0 || all.to % 1000 != 0))
		die(EX_USAGE, "version %s knows ms: --since and --until are finer",
		    p->version->number);
}

/*
 * 0.2 knows trips that start at one time or later and end at another or before: one that was under way as the hour began would be
 * in no hour's answer.  So the question starts earlier, and what ended before the hour is left out of the answer.
 */
static int64_t
reach(const struct mds_pages *p)
{
	double s = p->provider->reach >= 0 ? p->provider->reach : REACH;

	return p->want.endpoint == MDS_TRIPS && p->question->times == MDS_SECONDS ? (int64_t)s * 1000000 : 0;
}

/* Makes the URL of the span after the last, false after the last of all. */
static bool
next_span(struct mds_pages *p)
{
	bool first = p->at.to == p->want.span.from && p->count.pages == 0;

	if (p->url.len > 0)
		return true;
	check_span(p);
	if (p->question->times == MDS_TIMELESS ? !first : p->at.to >= p->want.span.to)
		return false;
	p->at.from = p->at.to;
	p->at.to = p->question->times == MDS_HOURS ? p->at.from + MDS_HOUR : p->want.span.to;
	p->in_span = 0;
	p->empty = 0;
	buf_fmt(&p->url, "%s%s", p->provider->url, p->question->path);
	mds_query(&p->url, p->question, (struct mds_span){ p->at.from - reach(p), p->at.to }, mds_provider_parameter, p->provider);
	return true;
}

/* ---- asking ---- */

static const char *
check_page(struct http_reply *reply, void *arg)
{
	struct mds_pages *p = arg;
	const char *why = reply->status == 200 ? http_check_json(reply, NULL) : "an answer without data";

	return why != NULL ? why : mds_page_read(&p->page, buf_all(&reply->body), http_header(reply, "Content-Type"), p->version,
	    p->want.endpoint);
}

/* "delay" is before each request, tries anew and those of other processes before us included. */
static void
hold_next(struct http_reply *reply, void *arg)
{
	struct mds_pages *p = arg;

	(void)reply;
	http_hold(p->http, p->provider->delay);
}

static struct http_reply *
start(struct mds_pages *p, struct http_request request)
{
	static const struct http_hooks hooks = { .prepare = hold_next };

	mds_auth_put(p->auth, &request);
	request.name = p->provider->name;
	request.what = describe(p);
	if (request.tries == 0)
		request.tries = (int)p->provider->attempts;
	request.timeout = p->provider->timeout;
	request.hooks = &hooks;
	request.service = request.arg = p;
	return http_start(p->http, &request);
}

/* ---- versions ---- */

/* The next older one that has the endpoint, V itself included; NULL: none. */
static const struct mds_version *
older(const struct mds_pages *p, const struct mds_version *v)
{
	while (v->number != NULL && v->question[p->want.endpoint].path == NULL)
		v++;
	return v->number != NULL ? v : NULL;
}

/* Asks which version the provider likes best of all; NULL where it does not say.  Only 0.3 and 0.4 tell that they can. */
static const struct mds_version *
ask_best_version(struct mds_pages *p)
{
	static const short any[] = { 200, 202, 204, 400, 401, 403, 404, 405, 406, 415, 429, 500, 501, 502, 503, 504, 0 };
	struct buf accept = { 0 }, url = { 0 };
	const char **headers = xcalloc(p->provider->headers.n + 2, sizeof *headers);
	const struct mds_version *best = NULL;
	struct http_reply *reply;

	for (size_t i = 0; i < p->provider->headers.n; i++)
		headers[i] = p->provider->headers.w[i];
	buf_text(&accept, "Accept: ");
	mds_version_accept_any(&accept);
	headers[p->provider->headers.n] = accept.p;
	buf_fmt(&url, "%s%s", p->provider->url, p->question->path);
	reply = start(p, (struct http_request){ .method = "OPTIONS", .url = url.p, .headers = headers, .claims = any,
	    .max_body = 1 << 20, .tries = 1 });
	if (http_try(p->http, reply) && reply->status < 300)
		best = mds_version_find(mds_version_of_type(http_header(reply, "Content-Type")));
	http_done(p->http, reply);
	buf_free(&accept);
	buf_free(&url);
	free(headers);
	return best;
}

static void
choose_version(struct mds_pages *p)
{
	const char *wanted = p->provider->version;
	const struct mds_version *v = mds_version_find(str_of(wanted)), *best;

	p->may_change = strcmp(wanted, "auto") == 0;
	if (v == NULL && !p->may_change)
		die(EX_CONFIG, "%s: version: want one from 0.2 to 2.0, or \"auto\"", p->provider->name);
	if (v != NULL && v->question[p->want.endpoint].path == NULL)
		die(EX_USAGE, "%s: version %s has no %s", p->provider->name, v->number, endpoint_name(p));
	use_version(p, v != NULL ? v : older(p, mds_versions));
	if (!p->may_change)
		return;
	best = ask_best_version(p);
	if (best != NULL && best->question[p->want.endpoint].path != NULL)
		use_version(p, best);
	if (opt_verbose())
		note("%s: trying version %s", p->provider->name, p->version->number);
}

/* 406: the version is not to be had.  True where another is tried now. */
static bool
try_older(struct mds_pages *p)
{
	const struct mds_version *v = p->may_change ? older(p, p->version + 1) : NULL;

	if (v == NULL)
		return false;
	if (opt_verbose())
		note("%s: no version %s (406): trying %s", p->provider->name, p->version->number, v->number);
	use_version(p, v);
	return true;
}

/* The answer is in another version than was asked for, and so may be to another question.  True where that is asked now. */
static bool
try_answered(struct mds_pages *p)
{
	const struct mds_version *v = p->page.version;

	if (p->page.number.len == 0 || v == p->version)
		return false;
	if (!p->may_change || v == NULL || v->question[p->want.endpoint].path == NULL)
		die_at_page(p, EX_PROTOCOL, "answered version %s, but %s was asked for: set version in the configuration",
		    p->page.number.p, p->version->number);
	p->may_change = false;
	use_version(p, v);
	return true;
}

/* ---- refusals ---- */

static _Noreturn void
die_version(struct mds_pages *p, const char *words)
{
	const struct mds_version *best = ask_best_version(p);

	if (p->may_change)
		die_at_page(p, EX_CONFIG, "none of the versions %s to %s is to be had (406): \"%s\"", mds_versions[0].number,
		    p->version->number, words);
	die_at_page(p, EX_CONFIG, "no version %s (406): \"%s\": the provider offers %s%s: set version in the configuration",
	    p->version->number, words, best != NULL ? "" : "others, but does not say which", best != NULL ? best->number : "");
}

/* The provider's clock by its own words, else ours. */
static int64_t
provider_time(const struct http_reply *reply)
{
	time_t theirs = http_date(reply);

	return ((int64_t)(theirs != -1 ? theirs : time(NULL)) - UNIX_2000) * 1000000;
}

/* An hour that is to come, one that is not ready, and one in which there was no service look all the same. */
static _Noreturn void
die_not_found(struct mds_pages *p, const struct http_reply *reply, const char *words)
{
	double settle = p->provider->settle >= 0 ? p->provider->settle : p->version->settle;
	int64_t now = provider_time(reply);

	if (p->question->times == MDS_TIMELESS || p->in_span > 0)
		die_at_page(p, EX_PROTOCOL, "not found (404): \"%s\": check mds_api_url in the configuration", words);
	if (now < p->at.to)
		die_at_page(p, EX_USAGE, "is still to come, by the provider's clock (404): \"%s\": run again once it is over", words);
	if ((double)(now - p->at.to) < settle * 1e6)
		die_at_page(p, EX_TEMPFAIL, "not ready, so soon after its end (404): \"%s\": run again later", words);
	die_at_page(p, EX_NOINPUT, "the provider served no %s then (404): \"%s\"%s", endpoint_name(p), words,
	    p->question->times == MDS_HOURS ? "" : ": or check mds_api_url in the configuration");
}

static _Noreturn void
die_refused(struct mds_pages *p, const struct http_reply *reply)
{
	struct buf said = { 0 };
	const char *words;

	http_message(&said, reply);
	words = said.len > 0 ? said.p : "no message";
	switch (reply->status) {
	case 202:
		die_at_page(p, EX_TEMPFAIL, "not ready (202): run again later");
	case 400:
		die_at_page(p, EX_USAGE, "refused as wrongly asked (400): \"%s\"", words);
	case 404:
		die_not_found(p, reply, words);
	case 406:
		die_version(p, words);
	default:
		die_at_page(p, EX_NOPERM, "refused (%ld): \"%s\": %s", reply->status, words, mds_auth_advice(p->auth));
	}
}

/* The reply to the URL, a page of the version that was asked for; NULL where another version is to be asked for, from the start. */
static struct http_reply *
ask(struct mds_pages *p)
{
	static const short ours[] = { 202, 400, 401, 403, 404, 406, 0 };

	for (;;) {
		struct http_reply *reply = start(p, (struct http_request){ .url = p->url.p, .headers = p->headers, .claims = ours,
		    .want = "JSON", .check = check_page });
		bool again = false;

		http_wait(p->http, reply);
		if (reply->status == 200 && !try_answered(p))
			return reply;
		if (reply->status == 401 || reply->status == 403)
			again = mds_auth_renew(p->auth);
		if (reply->status != 200 && !again && !(reply->status == 406 && try_older(p)))
			die_refused(p, reply);
		http_done(p->http, reply);
		if (!again)
			return NULL;
	}
}

/* ---- pages ---- */

/* By their digests: so what is remembered stays small, however long a link is. */
static bool
is_new(struct names *names, unsigned long long digest)
{
	size_t n = names->n;

	return names_add(names, (struct str){ (const char *)&digest, sizeof digest }) == n;
}

/* Takes note of the version once: all pages are of one. */
static void
know_version(struct mds_pages *p)
{
	p->may_change = false;
	if (p->number.len > 0)
		return;
	if (p->page.number.len == 0)
		warning("%s: %s: the answer names no version: taken as %s", p->provider->name, describe(p), p->version->number);
	buf_str(&p->number, buf_all(&p->page.number));
	if (p->number.len <= strlen(p->version->number)) {
		buf_reset(&p->number);
		buf_fmt(&p->number, "%s.0", p->version->number);
	}
}

static void
judge_page(struct mds_pages *p)
{
	if (p->page.came > 0 && !is_new(&p->digests, p->page.digest))
		die_at_page(p, EX_PROTOCOL, "repeats a page that came before");
	p->empty = p->page.came > 0 ? 0 : p->empty + 1;
	if (p->page.next.len > 0 && p->empty == MOST_EMPTY)
		die_at_page(p, EX_PROTOCOL, "the %dth page in a row with nothing on it, and a link to yet another", MOST_EMPTY);
	if (p->count.pages == MOST_PAGES)
		die_at_page(p, EX_PROTOCOL, "more than %d pages", MOST_PAGES);
}

/* Where the page says that the next one is; nowhere, where it is the last. */
static void
follow_link(struct mds_pages *p, const char *from)
{
	struct buf to = { 0 };

	buf_reset(&p->url);
	if (p->page.next.len == 0)
		return;
	if (p->provider->single_page) {
		warning("%s: %s: there is another page, which is not fetched: paging is false in the configuration", p->provider->name,
		    describe(p));
		return;
	}
	url_resolve(&to, from, p->page.next.p);
	if (!url_same_origin(p->provider->url, to.p))
		die_at_page(p, EX_PROTOCOL, "its link to the next page leads to another server, which is not followed");
	if (!is_new(&p->urls, hash_add(HASH_START, buf_all(&to))))
		die_at_page(p, EX_PROTOCOL, "its link to the next page leads to one that came before");
	if (p->question->times == MDS_HOURS && p->in_span == 0)
		warning("%s: %s: version %s has no pages, but here is a link to the next one: following it", p->provider->name,
		    describe(p), p->version->number);
	buf_str(&p->url, buf_all(&to));
	buf_free(&to);
}

struct mds_pages *
mds_pages_open(const struct mds_wanted *want)
{
	struct mds_pages *p = xcalloc(1, sizeof *p);

	p->want = *want;
	p->provider = want->provider;
	p->headers = xcalloc(p->provider->headers.n + 2, sizeof *p->headers);
	p->http = http_open(want->http);
	p->auth = mds_auth_open(p->http, p->provider);
	http_hold(p->http, p->provider->delay);
	choose_version(p);
	return p;
}

const struct mds_page *
mds_pages_next(struct mds_pages *p)
{
	struct http_reply *reply = NULL;

	if (p->lent != NULL)
		http_done(p->http, p->lent);
	p->lent = NULL;
	while (reply == NULL) {
		if (!next_span(p))
			return NULL;
		is_new(&p->urls, hash_add(HASH_START, buf_all(&p->url)));
		reply = ask(p);
	}
	mds_auth_worked(p->auth);
	know_version(p);
	mds_page_cut(&p->page, &(struct mds_cut){ .separator = p->want.separator, .stamp = p->question->stamp,
	    .seconds = p->version->seconds, .span = p->want.span, .reach = reach(p) });
	judge_page(p);
	follow_link(p, reply->url);
	p->lent = reply;
	p->in_span++;
	p->count.pages++;
	p->count.rows += p->page.rows;
	p->count.outside += p->page.outside;
	p->count.passed_over += p->page.came - p->page.rows;
	return &p->page;
}

struct mds_counts
mds_pages_counts(const struct mds_pages *p)
{
	return p->count;
}

const char *
mds_pages_version(const struct mds_pages *p)
{
	return p->number.p;
}

void
mds_pages_close(struct mds_pages *p)
{
	if (p->lent != NULL)
		http_done(p->http, p->lent);
	mds_auth_close(p->auth);
	http_close(p->http);
	mds_page_free(&p->page);
	names_free(&p->urls);
	names_free(&p->digests);
	buf_free(&p->url);
	buf_free(&p->accept);
	buf_free(&p->what);
	buf_free(&p->number);
	free(p->headers);
	free(p);
}
