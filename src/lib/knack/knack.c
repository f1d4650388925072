/* knack/knack.c - talk to one Knack application. */
#include "knack/knack.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "base/clock.h"
#include "format/json.h"
#include "net/url.h"

#define SECOND 1.01             /* s of a limit of so much a second, and a little for the clocks */

/* A call under way. */
struct call {
	struct http_reply *reply;
	struct knack *knack;
	size_t slot;                    /* KNACK_RATE: none */
	bool used;
};

struct knack_state {
	double free_at[KNACK_RATE];     /* when a slot is free again; INFINITY while its call has no answer */
	struct call call[KNACK_JOBS];
	const char *headers[4], *secrets[2];
	const char *metadata_writer;
	struct buf app_header, key_header, spent;
	struct knack_app *app;
};

bool
knack_is_id(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!isxdigit((unsigned char)s.p[i]))
			return false;
	return s.n == KNACK_ID;
}

/* ---- who and where ---- */

/* Appends the base without a slash at its end, and with /v1. */
static void
find_base(const struct knack_options *options, struct buf *base)
{
	if (options->slug != NULL && options->base_url != NULL)
		die(EX_USAGE, "--slug and --base-url: choose one");
	if (options->slug != NULL) {
		if (*options->slug == '\0' ||
		    options->slug[strspn(options->slug, "abcdefghijklmnopqrstuvwxyz0123456789-")] != '\0')
			die(EX_USAGE, "--slug %s: want an account's slug, such as atd", options->slug);
		buf_fmt(base, "https://%s-api.knack.com", options->slug);
	} else if (options->base_url != NULL) {
		char *host = url_host(options->base_url);

		if ((strncmp(options->base_url, "https://", 8) != 0 && !url_plain(options->base_url)) || host == NULL)
			die(EX_USAGE, "--base-url %s: want a URL that starts with https://", options->base_url);
		free(host);
		buf_text(base, options->base_url);
	} else {
		buf_text(base, "https://api.knack.com");
	}
	buf_trim_slashes(base);
	if (base->len < 3 || strcmp(base->p + base->len - 3, "/v1") != 0)
		buf_text(base, "/v1");
}

static const char *
find_app_id(const struct knack_app *app, const char *app_file)
{
	const char *id = getenv("KNACK_APP_ID");

	if ((id == NULL || *id == '\0') && app != NULL && app->id.p != NULL)
		id = app->id.p;
	if (id == NULL || *id == '\0')
		die(EX_CONFIG, "KNACK_APP_ID is not set: it is the application's id, 24 hex digits");
	if (!knack_is_id(str_of(id)))
		die(EX_CONFIG, "KNACK_APP_ID %s: want 24 hex digits", id);
	if (app != NULL && app->id.p != NULL && strcmp(app->id.p, id) != 0)
		die(EX_CONFIG, "%s is the metadata of application %s, but KNACK_APP_ID is %s", app_file, app->id.p, id);
	return id;
}

static void
make_headers(struct knack *k)
{
	struct knack_state *s = k->state;
	const char *key = opt_secret("KNACK_API_KEY");

	k->has_key = key != NULL && *key != '\0';
	buf_fmt(&s->app_header, "X-Knack-Application-Id: %s", k->app_id);
	buf_fmt(&s->key_header, "X-Knack-REST-API-Key: %s", k->has_key ? key : "knack");
	s->headers[0] = s->app_header.p;
	s->headers[1] = "Content-Type: application/json";
	if (k->has_key)
		s->secrets[0] = s->key_header.p;
	else
		s->headers[2] = s->key_header.p;
}

struct knack *
knack_open(const char *app_file, const struct knack_options *options)
{
	struct knack *k = xcalloc(1, sizeof *k);
	struct buf base = { 0 };

	k->state = xcalloc(1, sizeof *k->state);
	k->state->metadata_writer = options->metadata_writer;
	find_base(options, &base);
	k->base = buf_take(&base);
	if (app_file != NULL)
		k->state->app = knack_app_read(app_file, options->metadata_writer);
	k->app_id = find_app_id(k->state->app, app_file);
	make_headers(k);
	k->http = http_open(&options->http);
	return k;
}

void
knack_close(struct knack *k)
{
	http_close(k->http);
	if (k->state->app != NULL)
		knack_app_free(k->state->app);
	buf_free(&k->state->app_header);
	buf_free(&k->state->key_header);
	buf_free(&k->state->spent);
	free(k->state);
	free(k->base);
	free(k);
}

/* ---- limits ---- */

static bool
header_number(const struct http_reply *reply, const char *name, double *n)
{
	const char *value = http_header(reply, name);
	char *end;

	if (value == NULL || !isdigit((unsigned char)*value))
		return false;
	*n = strtod(value, &end);
	return end > value;
}

/* The server's clock, for its resets are in its own time; ours where it does not say. */
static double
server_time(const struct http_reply *reply)
{
	time_t theirs = http_date(reply);

	return (double)(theirs != -1 ? theirs : time(NULL));
}

/* Seconds until the limit of a second is lifted; 1 where the reply does not say or the time has passed. */
static double
until_reset(const struct http_reply *reply)
{
	double at, wait;

	if (!header_number(reply, "X-RateLimit-Reset", &at))
		return 1;
	wait = at - server_time(reply);
	return wait > 0 ? wait : 1;
}

/* Remembers that the day's calls are used up.  X-PlanLimit-Reset is in ms from now, unlike the other one. */
static void
read_plan(struct knack_state *s, const struct http_reply *reply)
{
	double left, ms, limit;
	char when[40] = "tomorrow";
	time_t at;
	struct tm utc;

	if (!header_number(reply, "X-PlanLimit-Remaining", &left) || left > 0 || s->spent.len > 0)
		return;
	if (header_number(reply, "X-PlanLimit-Reset", &ms) && ms < 1e11) {
		at = time(NULL) + (time_t)(ms / 1000) + 1;
		gmtime_r(&at, &utc);
		strftime(when, sizeof when, "at %Y-%m-%d %H:%M:%S UTC", &utc);
	}
	buf_text(&s->spent, "the calls of today are used up");
	if (header_number(reply, "X-PlanLimit-Limit", &limit))
		buf_fmt(&s->spent, " (%.0f of the account's plan)", limit);
	buf_fmt(&s->spent, ": they come back %s: run again then", when);
}

const char *
knack_spent(const struct knack *k)
{
	return k->state->spent.len > 0 ? k->state->spent.p : NULL;
}

/* ---- calls ---- */

static void
free_slot(struct call *call)
{
	if (call->slot < KNACK_RATE)
		call->knack->state->free_at[call->slot] = clock_now() + SECOND;
	call->slot = KNACK_RATE;
}

/* Before each try: takes the slot that is free, or is so soonest, and holds the others back until there is one more. */
static void
take_slot(struct http_reply *reply, void *arg)
{
	struct call *call = arg;
	double *free_at = call->knack->state->free_at, next = INFINITY;

	(void)reply;
	free_slot(call);
	call->slot = 0;
	for (size_t i = 1; i < KNACK_RATE; i++)
		if (free_at[i] < free_at[call->slot])
			call->slot = i;
	free_at[call->slot] = INFINITY;
	for (size_t i = 0; i < KNACK_RATE; i++)
		next = free_at[i] < next ? free_at[i] : next;
	if (next > clock_now())
		http_hold(call->knack->http, next - clock_now());
}

static const char *
call_mend(struct http_reply *reply, void *arg)
{
	struct knack_state *s = ((struct call *)arg)->knack->state;

	if (reply->status != 429)
		return NULL;
	read_plan(s, reply);
	if (s->spent.len > 0) {
		reply->failure = EX_TEMPFAIL;
		return s->spent.p;
	}
	reply->blame = EX_TEMPFAIL;
	reply->wait = until_reset(reply);
	return "throttled (429): more than 10 calls a second, of ours or of others";
}

struct http_reply *
knack_start(struct knack *k, const char *path, struct http_request how)
{
	static const short ours[] = { 400, 401, 403, 404, 0 };
	static const struct http_hooks hooks = { .prepare = take_slot, .mend = call_mend };
	struct call *call = k->state->call;
	struct buf url = { 0 };

	while (call->used)
		call++;
	*call = (struct call){ .knack = k, .slot = KNACK_RATE, .used = true };
	buf_fmt(&url, "%s%s", k->base, path);
	how.url = url.p;
	how.headers = k->state->headers;
	how.secrets = k->state->secrets;
	how.credential = "check KNACK_API_KEY and KNACK_APP_ID";
	how.want = "JSON";
	how.claims = ours;
	if (how.check == NULL)
		how.check = http_check_json;
	how.hooks = &hooks;
	how.service = call;
	call->reply = http_start(k->http, &how);
	buf_free(&url);
	return call->reply;
}

static struct call *
call_of(struct knack *k, const struct http_reply *reply)
{
	struct call *call = k->state->call;

	while (!call->used || call->reply != reply)
		call++;
	return call;
}

void
knack_over(struct knack *k, struct http_reply *reply)
{
	double left;

	free_slot(call_of(k, reply));
	if (reply->failure != 0)
		return;
	read_plan(k->state, reply);
	/* others may use the same account's rate */
	if (header_number(reply, "X-RateLimit-Remaining", &left) && left <= 0 && until_reset(reply) <= 1)
		http_hold(k->http, until_reset(reply));
}

void
knack_done(struct knack *k, struct http_reply *reply)
{
	struct call *call = call_of(k, reply);

	free_slot(call);
	call->used = false;
	http_done(k->http, reply);
}

int
knack_refused(const struct knack *k, const struct http_reply *reply, struct buf *why)
{
	const char *words, *mend = "", *key = k->has_key ? ": check KNACK_API_KEY" : ": KNACK_API_KEY is not set";
	struct buf said = { 0 };
	int status = EX_PROTOCOL;

	http_message(&said, reply);
	words = said.p != NULL ? said.p : "";
	if (strstr(words, "App ID") != NULL) {
		status = EX_CONFIG;
		mend = ": check KNACK_APP_ID";
	} else if (reply->status == 401 || reply->status == 403) {
		status = EX_NOPERM;
		mend = strcasecmp(words, "Invalid API request") == 0 ? ": check KNACK_APP_ID" : key;
	}
	if (reply->status == 404)
		buf_fmt(why, "not found (404): \"%s\"", words);
	else
		buf_fmt(why, "refused (%ld): \"%s\"%s", reply->status, words, mend);
	buf_free(&said);
	return status;
}

/* ---- metadata ---- */

void
knack_metadata(struct knack *k, struct buf *json)
{
	static const short ours[] = { 400, 404, 0 };
	struct buf url = { 0 }, why = { 0 };
	struct http_reply *reply;

	buf_fmt(&url, "%s/applications/%s", k->base, k->app_id);
	reply = http_start(k->http, &(struct http_request){ .url = url.p, .what = "metadata", .want = "JSON", .claims = ours,
	    .credential = "check KNACK_APP_ID", .check = http_check_json });
	http_wait(k->http, reply);
	if (reply->status == 404)
		die(EX_PROTOCOL, "%s: no application %s: check KNACK_APP_ID", reply->name, k->app_id);
	if (reply->status == 400)
		die(knack_refused(k, reply, &why), "%s: %s", reply->name, why.p);
	buf_reset(json);
	buf_str(json, buf_all(&reply->body));
	http_done(k->http, reply);
	buf_free(&url);
}

struct knack_app *
knack_know(struct knack *k)
{
	struct buf json = { 0 };

	if (k->state->app == NULL) {
		knack_metadata(k, &json);
		k->state->app = knack_app_parse(buf_all(&json), "metadata", k->state->metadata_writer, EX_PROTOCOL);
		buf_free(&json);
	}
	return k->state->app;
}
