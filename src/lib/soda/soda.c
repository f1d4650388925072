/* soda/soda.c - talk to one dataset of a Socrata domain, by SODA 2.1 or SODA 3. */
#include "soda/soda.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "format/json.h"
#include "net/url.h"

const char *const soda_apis[] = { "2.1", "3", NULL };

static bool
is_domain(const char *s)
{
	return *s != '\0' && *s != '.' && strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") == strlen(s);
}

static bool
is_dataset(const char *s)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyz0123456789";

	return strlen(s) == 9 && strspn(s, good) == 4 && s[4] == '-' && strspn(s + 5, good) == 4;
}

#define KEY "SOCRATA_KEY_ID and SOCRATA_KEY_SECRET"

static void
find_login(struct soda *s, const char *user, const char *password)
{
	s->user = opt_secret(user);
	s->password = opt_secret(password);
	if ((s->user == NULL) != (s->password == NULL))
		die(EX_CONFIG, "%s and %s: set both, or neither", user, password);
	if (s->user != NULL && strcmp(user, "SOCRATA_KEY_ID") != 0)
		s->login = "SOCRATA_USERNAME and SOCRATA_PASSWORD";
}

/* The secrets, and the sentence for when they are refused. */
static void
find_credentials(struct soda *s)
{
	const char *variable = "SOCRATA_APP_TOKEN", *token = opt_secret(variable);
	struct buf b = { 0 };

	if (token == NULL)
		token = opt_secret(variable = "SOCRATA_TOKEN");
	if (token != NULL && *token != '\0') {
		buf_fmt(&b, "X-App-Token: %s", token);
		s->secrets[0] = buf_take(&b);
	}
	s->login = KEY;
	find_login(s, "SOCRATA_KEY_ID", "SOCRATA_KEY_SECRET");
	if (s->user == NULL)
		find_login(s, "SOCRATA_USERNAME", "SOCRATA_PASSWORD");
	if (s->secrets[0] != NULL)
		buf_fmt(&b, "check %s%s%s", variable, s->user != NULL ? ", or " : "", s->user != NULL ? s->login : "");
	else if (s->user != NULL)
		buf_fmt(&b, "check %s", s->login);
	else
		buf_fmt(&b, "set SOCRATA_APP_TOKEN, or %s", s->login);
	s->credential = buf_take(&b);
}

struct soda *
soda_open(const char *domain, const char *dataset, const struct soda_options *options)
{
	struct soda *s = xcalloc(1, sizeof *s);
	const char *url = options->base_url;
	struct buf base = { 0 };

	if (!is_domain(domain))
		die(EX_USAGE, "%s: not a domain such as data.lacity.org", domain);
	if (!is_dataset(dataset))
		die(EX_USAGE, "%s: not a dataset such as h73f-gn57", dataset);
	if (url != NULL && strncasecmp(url, "https://", 8) != 0 && !url_plain(url))
		die(EX_USAGE, "--base-url %s: want http:// or https://", url);
	buf_fmt(&base, "%s%s", url != NULL ? "" : "https://", url != NULL ? url : domain);
	buf_trim_slashes(&base);
	s->api = (enum soda_version)options->api;
	s->domain = domain;
	s->dataset = dataset;
	s->base = buf_take(&base);
	find_credentials(s);
	s->http = http_open(&options->http);
	return s;
}

void
soda_close(struct soda *s)
{
	http_close(s->http);
	free((char *)s->secrets[0]);
	free((char *)s->credential);
	free(s->base);
	free(s);
}

/* 202 without a Location: the same request with the ticket of its body, if it has one. */
static void
add_ticket(struct http_reply *reply, struct buf *url, void *arg)
{
	const char *old = strstr(reply->url, "ticket=");
	struct str body = http_json(reply);
	struct json_error e = { 0 };
	struct buf scratch = { 0 };

	(void)arg;
	if (*body.p != '{' || json_skip(body.p, body.p + body.n, &e) == NULL)
		return;

	struct str ticket = json_text(json_get(body, "ticket"), &scratch);

	if (ticket.n > 0) {
		buf_add(url, reply->url, old != NULL ? (size_t)(old - reply->url - 1) : strlen(reply->url));
		buf_text(url, memchr(url->p, '?', url->len) != NULL ? "&ticket=" : "?ticket=");
		buf_percent(url, ticket);
	}
	buf_free(&scratch);
}

static struct http_reply *
start(struct soda *s, const char *url, struct buf *post, const char *want, struct http_request how)
{
	static const char *const json[] = { "Content-Type: application/json", NULL };
	static const short ours[] = { 400, 404, 0 };
	static const struct http_hooks reading = { .later = add_ticket };

	how.url = url;
	how.secrets = s->secrets;
	how.user = s->user;
	how.password = s->password;
	how.credential = s->credential;
	how.want = want;
	how.claims = ours;
	how.polls = !how.once;
	if (how.hooks == NULL)
		how.hooks = &reading;
	if (post != NULL && post->len > 0) {
		how.body.n = post->len;
		how.body.p = buf_take(post);
		how.body_taken = true;
		how.headers = json;
	}
	return http_start(s->http, &how);
}

static void
add_parameter(struct buf *url, const char *name, const char *value)
{
	if (value == NULL)
		return;
	buf_fmt(url, "%c$%s=", memchr(url->p, '?', url->len) != NULL ? '&' : '?', name);
	buf_percent(url, str_of(value));
}

static void
add_clauses(struct buf *url, const struct soda_query *q)
{
	char number[24];

	add_parameter(url, "select", q->select);
	add_parameter(url, "where", q->where);
	add_parameter(url, "order", q->order);
	if (q->limit > 0) {
		snprintf(number, sizeof number, "%llu", q->limit);
		add_parameter(url, "limit", number);
	}
	if (q->offset > 0) {
		snprintf(number, sizeof number, "%llu", q->offset);
		add_parameter(url, "offset", number);
	}
}

/* One statement, as a JSON string. */
static void
add_statement(struct buf *post, const struct soda_query *q)
{
	struct buf soql = { 0 };

	buf_fmt(&soql, "SELECT %s", q->select != NULL ? q->select : "*");
	if (q->where != NULL)
		buf_fmt(&soql, " WHERE %s", q->where);
	if (q->order != NULL)
		buf_fmt(&soql, " ORDER BY %s", q->order);
	buf_json(post, buf_all(&soql));
	buf_free(&soql);
}

struct http_reply *
soda_start(struct soda *s, const struct soda_query *q, struct http_request how)
{
	const char *form = q->csv ? "csv" : "json", *want = q->csv ? "CSV" : "JSON";
	struct buf url = { 0 }, post = { 0 };
	struct http_reply *reply;

	if (s->api == SODA_3) {
		buf_fmt(&url, "%s/api/v3/views/%s/query.%s", s->base, s->dataset, form);
		buf_text(&post, "{\"query\":");
		add_statement(&post, q);
		/* "Always send a page": without one it is not known whether 1,000 rows come or all. */
		buf_fmt(&post, ",\"page\":{\"pageNumber\":%llu,\"pageSize\":%llu},\"includeSystem\":false,\"includeSynthetic\":false}",
		    q->limit > 0 ? q->offset / q->limit + 1 : 1, q->limit > 0 ? q->limit : 1);
	} else {
		buf_fmt(&url, "%s/resource/%s.%s", s->base, s->dataset, form);
		add_clauses(&url, q);
	}
	reply = start(s, url.p, &post, want, how);
	buf_free(&url);
	buf_free(&post);
	return reply;
}

struct http_reply *
soda_start_export(struct soda *s, const struct soda_query *q, struct http_request how)
{
	struct buf url = { 0 }, post = { 0 };
	struct http_reply *reply;

	if (s->api == SODA_3) {
		buf_fmt(&url, "%s/api/v3/views/%s/export.%s", s->base, s->dataset, q->csv ? "csv" : "json");
		buf_text(&post, "{\"query\":");
		add_statement(&post, q);
		buf_char(&post, '}');
	} else {
		buf_fmt(&url, "%s/api/views/%s/rows.csv?accessType=DOWNLOAD", s->base, s->dataset);
	}
	reply = start(s, url.p, &post, q->csv ? "CSV" : "JSON", how);
	buf_free(&url);
	buf_free(&post);
	return reply;
}

void
soda_need_login(const struct soda *s)
{
	const char *home = getenv("HOME");
	struct buf netrc = { 0 };

	buf_fmt(&netrc, "%s/.netrc", home != NULL ? home : "");
	if (s->user == NULL && access(netrc.p, R_OK) != 0)
		die(EX_CONFIG, "nobody may write without a login: set %s", s->login);
	buf_free(&netrc);
}

/* Somebody else is writing, or the dataset is not ready to be written: a matter of time. */
static const char *
wait_for_lock(struct http_reply *reply, void *arg)
{
	static struct buf why;

	(void)arg;
	if (reply->status != 409)
		return NULL;
	buf_reset(&why);
	buf_text(&why, "not now (409): \"");
	http_message(&why, reply);
	buf_char(&why, '"');
	reply->blame = EX_TEMPFAIL;
	return why.p;
}

struct http_reply *
soda_start_write(struct soda *s, bool gzip, struct http_request how)
{
	static const char *const plain[] = { "Content-Type: application/json", NULL };
	static const char *const packed[] = { "Content-Type: application/json", "Content-Encoding: gzip", NULL };
	static const struct http_hooks writing = { .mend = wait_for_lock, .later = add_ticket };
	struct buf url = { 0 };
	struct http_reply *reply;

	buf_fmt(&url, "%s/resource/%s.json", s->base, s->dataset);
	how.headers = gzip ? packed : plain;
	how.hooks = &writing;
	how.follow_no = true;
	reply = start(s, url.p, NULL, "JSON", how);
	buf_free(&url);
	return reply;
}

bool
soda_wait(struct soda *s, struct http_reply *reply)
{
	http_wait(s->http, reply);
	if (reply->status == 404)
		die(EX_PROTOCOL, "no dataset %s at %s", s->dataset, s->domain);
	return reply->status != 400;
}

void
soda_bad_query(const struct http_reply *reply)
{
	struct buf said = { 0 };

	http_message(&said, reply);
	die(EX_USAGE, "%s: the query is refused (400): \"%s\"", reply->name, said.p != NULL ? said.p : "");
}

void
soda_done(struct soda *s, struct http_reply *reply)
{
	http_done(s->http, reply);
}

const char *
soda_no_rows(struct http_reply *reply)
{
	static struct buf why;
	struct json_error e = { 0 };
	struct buf scratch = { 0 };
	struct str body = http_json(reply), code;

	if (reply->body.len == 0)
		return "the answer is empty";
	if (*body.p != '{' || json_skip(body.p, body.p + body.n, &e) == NULL)
		return e.cut ? "the JSON ends too soon" : "the answer is no JSON array";
	code = json_get(body, "code");
	code = json_text(code.p != NULL ? code : json_get(body, "errorCode"), &scratch);
	buf_reset(&why);
	buf_text(&why, "an error under status 200: \"");
	http_message(&why, reply);
	buf_char(&why, '"');
	if (str_eq(code, STR("authentication_required")) || str_eq(code, STR("permission_denied")))
		die(EX_NOPERM, "%s: %s: check SOCRATA_APP_TOKEN, or " KEY, reply->name, why.p);
	if (str_eq(code, STR("internal-error")) || str_eq(code, STR("service-unavailable")) ||
	    str_eq(code, STR("request-timeout")))
		reply->blame = EX_UNAVAILABLE;
	buf_free(&scratch);
	return why.p;
}

void
soda_stamp(struct buf *b, const struct http_reply *reply)
{
	static const char *const names[] = { "X-SODA2-Truth-Last-Modified", "X-SODA2-Secondary-Last-Modified" };

	/* The replica's date too: one that catches up in mid-run changes what we read. */
	buf_reset(b);
	for (size_t i = 0; i < 2; i++) {
		const char *value = http_header(reply, names[i]);

		if (value != NULL)
			buf_fmt(b, "%s%s", b->len > 0 ? ", its copy " : "", value);
	}
}

/* Digits only: what a count must be. */
static bool
to_number(struct str s, unsigned long long *n)
{
	*n = 0;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9' || __builtin_mul_overflow(*n, 10, n) || __builtin_add_overflow(*n, s.p[i] - '0', n))
			return false;
	return s.n > 0;
}

/* [{"n":"314245"}]: the number is a string. */
static const char *
check_count(struct http_reply *reply, void *arg)
{
	const char *why = http_check_json(reply, NULL);
	struct str body = http_json(reply);
	struct buf scratch = { 0 };

	if (why != NULL)
		return why;
	if (*body.p != '[')
		return soda_no_rows(reply);

	struct json_walk rows = json_walk(body), members;
	bool good = json_next(&rows) && rows.value.p[0] == '{';

	if (good) {
		members = json_walk(rows.value);
		good = json_next(&members) && to_number(json_text(members.value, &scratch), arg);
	}
	buf_free(&scratch);
	return good ? NULL : "the count is no number";
}

/* A copy that lags behind its source is not what was published; we can read no other, but say so. */
static void
warn_stale(const struct soda *s, const struct http_reply *reply)
{
	const char *stale = http_header(reply, "X-SODA2-Data-Out-Of-Date");

	if (stale != NULL && strcasecmp(stale, "false") != 0 && strcmp(stale, "[]") != 0)
		warning("%s: the source says that what it serves is behind its last change", s->dataset);
}

unsigned long long
soda_count(struct soda *s, const char *where, struct buf *stamp)
{
	unsigned long long n = 0;
	/* One row comes back; an alias, for the server's own name may be taken by a column. */
	struct soda_query q = { .select = "count(*) AS n", .where = where, .limit = 1 };
	struct http_reply *reply = soda_start(s, &q, (struct http_request){ .what = "count of rows", .check = check_count, .arg = &n });

	if (!soda_wait(s, reply))
		soda_bad_query(reply);
	if (stamp != NULL) {
		soda_stamp(stamp, reply);
		warn_stale(s, reply);
	}
	soda_done(s, reply);
	return n;
}

static const char *
check_metadata(struct http_reply *reply, void *arg)
{
	const char *why = http_check_json(reply, arg);
	struct str body = http_json(reply);

	if (why != NULL)
		return why;
	if (*body.p != '{' || json_get(body, "columns").p == NULL)
		return *body.p == '{' ? soda_no_rows(reply) : "the metadata is no object";
	return NULL;
}

void
soda_metadata(struct soda *s, struct buf *json)
{
	struct buf url = { 0 };
	struct http_reply *reply;

	buf_fmt(&url, "%s/api/views/%s.json", s->base, s->dataset);
	reply = start(s, url.p, NULL, "JSON", (struct http_request){ .what = "metadata", .check = check_metadata });
	if (!soda_wait(s, reply))
		soda_bad_query(reply);
	buf_reset(json);
	buf_str(json, buf_all(&reply->body));
	soda_done(s, reply);
	buf_free(&url);
}
