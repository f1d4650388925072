/*
 * s3/s3.c - requests to S3, signed.
 *
 * Why we sign ourselves: libcurl's signer differs from version to version, and that of Debian 12 sends no
 * x-amz-content-sha256 and signs the query as it is given.
 */
#include "s3/s3.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "base/hex.h"
#include "format/xml.h"
#include "net/url.h"
#include "s3/sigv4.h"

#define MOST_HEADERS 24         /* that one request has to sign */

struct bucket {                 /* what was learned of it */
	struct bucket *next;
	char *name, *region;
	unsigned moves;                 /* how often another region was learned */
};

struct call {                   /* a request under way, and what it takes to send it again */
	struct call *next;
	struct s3 *s3;
	struct http_reply *reply;
	const char *method;
	const struct http_hooks *hooks; /* the caller's */
	void *service;
	struct bucket *bucket;
	char *key, *query, *place;      /* key: encoded; place: "s3://bucket/key", for messages */
	char *headers[MOST_HEADERS];
	char *host;                     /* of a redirect: "https://…"; else NULL */
	char hash[SIGV4_HEX];
	unsigned generation;            /* of the credentials that it was signed with */
	unsigned moves;                 /* of the bucket, when it was signed */
	bool moved, clocked;            /* the remedies that were tried */
	struct buf why;
};

struct s3 {
	struct s3_options want;
	struct http *http;
	struct aws *aws;
	struct bucket *buckets;
	struct call *calls;
	const char *endpoint;           /* NULL: AWS's own */
	const char *region;             /* NULL: nobody said */
	bool path_style, virtual_style; /* where it was said */
	double skew;                    /* s that S3's clock is ahead of ours */
	unsigned generation;            /* of credentials: how often they were renewed */
	struct buf url, host, signature, header;
};

/* Places */

const char *
s3_bad_key(struct str key)
{
	if (key.n == 0)
		return "a key must not be empty";
	if (key.n > S3_KEY_MAX)
		return "a key has 1024 bytes at most";
	if (memchr(key.p, '\0', key.n) != NULL)
		return "a key must not hold NUL bytes";
	return NULL;
}

/* 3 to 63 of a-z 0-9 . - and nothing else, since it becomes a part of a host name. */
static bool
is_bucket(struct str s)
{
	if (s.n < 3 || s.n > 63 || s.p[0] == '.' || s.p[0] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '.' || s.p[i] == '-'))
			return false;
	return true;
}

struct s3_place
s3_place(const char *url)
{
	struct s3_place place = { 0 };
	struct str bucket;

	if (strncmp(url, "s3://", 5) != 0)
		die(EX_USAGE, "%s: want s3://BUCKET/KEY", url);
	bucket = (struct str){ url + 5, strcspn(url + 5, "/") };
	if (!is_bucket(bucket))
		die(EX_USAGE, "%s: \"%.*s\" is no name of a bucket: want 3 to 63 of a-z 0-9 . -", url, (int)bucket.n, bucket.p);
	place.bucket = str_dup(bucket);
	buf_text(&place.key, bucket.p + bucket.n + (bucket.p[bucket.n] == '/'));
	return place;
}

void
s3_place_free(struct s3_place *place)
{
	free(place->bucket);
	buf_free(&place->key);
}

/* The endpoint */

static void
check_endpoint(const char *url)
{
	char *host = url_host(url);

	if (host == NULL || *host == '\0' || (strncasecmp(url, "https://", 8) != 0 && !url_plain(url)))
		die(EX_USAGE, "endpoint %s: want http:// or https:// and a host", url);
	free(host);
}

struct s3 *
s3_open(const struct s3_options *options)
{
	struct s3 *s3 = xcalloc(1, sizeof *s3);
	const char *style;

	s3->want = *options;
	s3->aws = aws_open(&s3->want.http);
	s3->endpoint = options->endpoint != NULL ? options->endpoint : aws_s3_endpoint(s3->aws);
	if (s3->endpoint != NULL)
		check_endpoint(s3->endpoint);
	s3->region = options->region != NULL ? options->region : aws_region(s3->aws);
	style = aws_s3_style(s3->aws);
	s3->path_style = strcmp(style, "path") == 0;
	s3->virtual_style = strcmp(style, "virtual") == 0;
	if (s3->want.http.cacert == NULL)
		s3->want.http.cacert = aws_ca_bundle(s3->aws);
	s3->http = http_open(&s3->want.http);
	return s3;
}

const struct s3_options *
s3_options(const struct s3 *s3)
{
	return &s3->want;
}

struct http *
s3_http(struct s3 *s3)
{
	return s3->http;
}

static struct bucket *
find_bucket(struct s3 *s3, const char *name)
{
	struct bucket *b;

	for (b = s3->buckets; b != NULL; b = b->next)
		if (strcmp(b->name, name) == 0)
			return b;
	b = xcalloc(1, sizeof *b);
	b->name = xstrdup(name);
	b->region = xstrdup(s3->region != NULL ? s3->region : "us-east-1");
	b->next = s3->buckets;
	s3->buckets = b;
	return b;
}

/* A certificate's wildcard covers one label, so a bucket with dots goes into the path; and so it does where there may be no
 * name service for it. */
static bool
wants_path_style(const struct s3 *s3, const struct bucket *bucket)
{
	if (s3->path_style || strchr(bucket->name, '.') != NULL)
		return true;
	return s3->endpoint != NULL && !s3->virtual_style;
}

/* Makes URL of the endpoint and the key, and HOST as it has to be signed; returns where in URL the path starts. */
static size_t
make_url(struct s3 *s3, const struct call *call)
{
	struct buf *url = &s3->url, *host = &s3->host, base = { 0 };
	const char *region = call->bucket->region, *scheme, *rest;
	bool in_path = wants_path_style(s3, call->bucket);
	size_t path;

	if (call->host != NULL)
		buf_text(&base, call->host);
	else if (s3->endpoint != NULL)
		buf_text(&base, s3->endpoint);
	else
		buf_fmt(&base, "https://s3.%s.amazonaws.com%s", region, strncmp(region, "cn-", 3) == 0 ? ".cn" : "");
	buf_trim_slashes(&base);
	scheme = base.p;
	rest = strstr(base.p, "://") + 3;
	buf_reset(host);
	if (!in_path && call->host == NULL)
		buf_fmt(host, "%s.", call->bucket->name);
	buf_add(host, rest, strcspn(rest, "/"));
	buf_reset(url);
	buf_add(url, scheme, (size_t)(rest - scheme));
	buf_str(url, buf_all(host));
	path = url->len;
	buf_text(url, rest + strcspn(rest, "/"));
	buf_char(url, '/');
	if (in_path)
		buf_fmt(url, "%s%s", call->bucket->name, *call->key != '\0' ? "/" : "");
	buf_text(url, call->key);
	if (call->query != NULL)
		buf_fmt(url, "?%s", call->query);
	/* the port of the scheme is never sent */
	if (host->len > 4 && strcmp(host->p + host->len - 4, ":443") == 0 && !url_plain(url->p))
		host->p[host->len -= 4] = '\0';
	else if (host->len > 3 && strcmp(host->p + host->len - 3, ":80") == 0 && url_plain(url->p))
		host->p[host->len -= 3] = '\0';
	buf_free(&base);
	return path;
}

/* One try: its address, its time, its signature */

static void
sign(struct call *call, size_t path, const struct aws_credentials *who)
{
	struct s3 *s3 = call->s3;
	struct http_reply *reply = call->reply;
	const char *headers[MOST_HEADERS + 5] = { 0 };
	struct buf own[4] = { 0 };
	char when[SIGV4_TIME];
	size_t n = 0, end = strcspn(s3->url.p + path, "?");

	sigv4_time(when, s3->skew);
	buf_fmt(&own[0], "host: %s", s3->host.p);
	buf_fmt(&own[1], "x-amz-date: %s", when);
	buf_fmt(&own[2], "x-amz-content-sha256: %s", call->hash);
	if (who->token != NULL)
		buf_fmt(&own[3], "x-amz-security-token: %s", who->token);
	for (size_t i = 0; i < 4 && own[i].p != NULL; i++)
		headers[n++] = own[i].p;
	for (size_t i = 0; call->headers[i] != NULL; i++)
		headers[n++] = call->headers[i];
	for (size_t i = 1; i < 4 && own[i].p != NULL; i++)
		http_add_header(reply, own[i].p);

	struct sigv4_request request = { .method = call->method,
		.path = { s3->url.p + path, end }, .query = str_of(call->query != NULL ? call->query : ""),
		.headers = headers, .payload = call->hash, .time = when };
	struct sigv4_scope scope = { who->key, who->secret, call->bucket->region, "s3" };

	buf_reset(&s3->signature);
	buf_text(&s3->signature, "Authorization: ");
	sigv4_sign(&s3->signature, &request, &scope);
	http_add_header(reply, s3->signature.p);
	for (size_t i = 0; i < 4; i++)
		buf_free(&own[i]);
}

static bool
has_content_type(const struct call *call)
{
	for (size_t i = 0; call->headers[i] != NULL; i++)
		if (strncasecmp(call->headers[i], "content-type:", 13) == 0)
			return true;
	return false;
}

static void
prepare(struct http_reply *reply, void *arg)
{
	struct call *call = arg;
	struct s3 *s3 = call->s3;
	const struct aws_credentials *who = aws_credentials(s3->aws);
	size_t path = make_url(s3, call);

	call->reply = reply;
	if (call->hooks != NULL && call->hooks->prepare != NULL)
		call->hooks->prepare(reply, call->service);
	http_set_url(reply, s3->url.p);
	buf_reset(&s3->header);
	buf_fmt(&s3->header, "Host: %s", s3->host.p);
	http_add_header(reply, s3->header.p);
	for (size_t i = 0; call->headers[i] != NULL; i++)
		http_add_header(reply, call->headers[i]);
	if (!has_content_type(call))
		http_add_header(reply, "Content-Type:");        /* or libcurl would call a body a form */
	call->generation = s3->generation;
	call->moves = call->bucket->moves;
	if (who != NULL)
		sign(call, path, who);
}

/* What S3 says, and what can be done about it */

bool
s3_is_error(const struct http_reply *reply)
{
	struct buf root = { 0 };
	bool is = reply->body.len > 0 && xml_read(buf_all(&reply->body), &root, NULL, NULL) == NULL && root.len > 0 &&
	    strcmp(root.p, "Error") == 0;

	buf_free(&root);
	return is;
}

/* The text of an element of the error; false when there is none. */
static bool
error_part(struct buf *b, const struct http_reply *reply, const char *name)
{
	return reply->body.len > 0 && xml_find(b, buf_all(&reply->body), name) && b->len > 0;
}

void
s3_error(struct buf *b, const struct http_reply *reply)
{
	struct buf code = { 0 }, message = { 0 };
	bool known = error_part(&code, reply, "Code");

	if (known)
		buf_str(b, buf_all(&code));
	if (known && error_part(&message, reply, "Message"))
		buf_fmt(b, ": %.300s", message.p);
	buf_free(&code);
	buf_free(&message);
}

bool
s3_error_is(const struct http_reply *reply, const char *code)
{
	struct buf b = { 0 };
	bool is = error_part(&b, reply, "Code") && strcmp(b.p, code) == 0;

	buf_free(&b);
	return is;
}

static bool
is_one_of(const struct http_reply *reply, const char *const codes[])
{
	for (size_t i = 0; codes[i] != NULL; i++)
		if (s3_error_is(reply, codes[i]))
			return true;
	return false;
}

/* The bucket is in another region: learns which.  A HEAD says it in a header only. */
static bool
learn_region(struct call *call)
{
	const char *header = http_header(call->reply, "x-amz-bucket-region");
	struct buf region = { 0 };

	if (call->moves != call->bucket->moves)
		return true;            /* another call has learned it meanwhile */
	if (header != NULL)
		buf_text(&region, header);
	else
		error_part(&region, call->reply, "Region");
	if (region.len == 0 || strcmp(region.p, call->bucket->region) == 0 || call->moved ||
	    strspn(region.p, "abcdefghijklmnopqrstuvwxyz0123456789-") != region.len) {
		buf_free(&region);
		return false;
	}
	call->moved = true;
	call->bucket->moves++;
	free(call->bucket->region);
	call->bucket->region = buf_take(&region);
	return true;
}

/* 307 to the same service at another address, which has to be signed for that; the body goes nowhere else. */
static bool
learn_host(struct call *call)
{
	const char *to = http_header(call->reply, "Location");
	char *host = to != NULL ? url_host(to) : NULL;
	bool good = false;

	if (host != NULL && !call->moved) {
		size_t n = strlen(host), at = strlen("https://"), end = strcspn(to + at, "/?") + at;
		bool aws = strncasecmp(to, "https://", at) == 0 && n > 14 &&
		    (strcmp(host + n - 14, ".amazonaws.com") == 0 || (n > 17 && strcmp(host + n - 17, ".amazonaws.com.cn") == 0));

		if (aws && call->s3->endpoint == NULL) {
			call->host = str_dup((struct str){ to, end });
			call->moved = good = true;
		}
	}
	free(host);
	return good;
}

/* Takes S3's word for the time. */
static bool
learn_time(struct call *call)
{
	time_t theirs = http_date(call->reply);

	if (call->clocked || theirs == -1)
		return false;
	call->clocked = true;
	if (call->s3->skew == 0) {
		call->s3->skew = difftime(theirs, time(NULL));
		warning("this clock is %.0f min %s that of S3, whose time is taken: set it right",
		    (call->s3->skew < 0 ? -call->s3->skew : call->s3->skew) / 60, call->s3->skew < 0 ? "ahead of" : "behind");
	}
	return true;
}

static bool
renew_credentials(struct call *call)
{
	struct s3 *s3 = call->s3;

	if (call->generation != s3->generation)
		return true;            /* another call has seen to it meanwhile */
	if (!aws_renew(s3->aws))
		return false;
	s3->generation++;
	return true;
}

static const char *const stale[] = { "ExpiredToken", "InvalidToken", "TokenRefreshRequired", NULL };

/* The exit status of a refusal that stays, and what to do about it. */
static int
verdict(struct call *call, struct buf *why)
{
	const struct http_reply *reply = call->reply;
	const char *bucket = call->bucket->name;

	if (s3_error_is(reply, "NoSuchBucket")) {
		buf_fmt(why, ": create the bucket %s, or check its name", bucket);
		return EX_CONFIG;
	}
	if (s3_error_is(reply, "RequestTimeTooSkewed")) {
		buf_text(why, ": set this machine's clock");
		return EX_CONFIG;
	}
	if (is_one_of(reply, stale)) {
		buf_fmt(why, ": renew %s", aws_source(call->s3->aws));
		return EX_NOPERM;
	}
	switch (reply->status) {
	case 401: case 403:
		buf_fmt(why, ": check %s, and its rights on %s", aws_source(call->s3->aws), bucket);
		return EX_NOPERM;
	case 404:
		return EX_NOINPUT;
	case 301: case 307:
		buf_text(why, ": the bucket is elsewhere: see --region and --endpoint-url");
		return EX_CONFIG;
	case 409: case 412:
		return EX_TEMPFAIL;
	default:
		return EX_PROTOCOL;
	}
}

static const char *
mend(struct http_reply *reply, void *arg)
{
	static const char *const passing[] = { "RequestTimeout", "IncompleteBody", "OperationAborted", "ConditionalRequestConflict",
		"Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestLimitExceeded",
		"BandwidthLimitExceeded", "PriorRequestNotComplete", NULL };
	struct call *call = arg;
	struct buf *why = &call->why;
	const char *own, *later = http_header(reply, "x-amz-retry-after");     /* ms */

	call->reply = reply;
	if (call->hooks != NULL && call->hooks->mend != NULL && (own = call->hooks->mend(reply, call->service)) != NULL)
		return own;
	buf_reset(why);
	buf_fmt(why, "%ld ", reply->status);
	s3_error(why, reply);
	if (why->p[why->len - 1] == ' ')
		buf_text(why, "without a message");
	reply->wait = later != NULL ? strtod(later, NULL) / 1000 : 0;
	reply->blame = reply->status == 429 ? EX_TEMPFAIL : EX_UNAVAILABLE;
	if (reply->status >= 500 && reply->status != 501)
		return why->p;
	if (reply->status == 429 || is_one_of(reply, passing))
		return why->p;
	if (is_one_of(reply, stale) && renew_credentials(call))
		return why->p;
	if (s3_error_is(reply, "RequestTimeTooSkewed") && learn_time(call))
		return why->p;
	if (reply->status == 307 && learn_host(call))
		return why->p;
	if ((reply->status == 301 || reply->status == 400 || reply->status == 403) && learn_region(call))
		return why->p;
	reply->failure = verdict(call, why);
	return why->p;
}

/* The caller's side */

/* RFC 3986 as S3 has it: each byte once, and a slash stays one. */
static char *
encode_key(struct str key)
{
	struct buf b = { 0 };
	const char *p = key.p, *end = p + key.n;

	buf_room(&b, key.n);
	while (p < end) {
		const char *slash = memchr(p, '/', (size_t)(end - p));
		const char *stop = slash != NULL ? slash : end;

		buf_percent(&b, (struct str){ p, (size_t)(stop - p) });
		if (slash != NULL)
			buf_char(&b, '/');
		p = stop + (slash != NULL);
	}
	buf_text(&b, "");
	return buf_take(&b);
}

static char *
name_place(const struct s3_request *r)
{
	struct buf b = { 0 };

	buf_fmt(&b, "s3://%s%s", r->bucket, r->key.n > 0 ? "/" : "");
	buf_str(&b, r->key);
	return buf_take(&b);
}

struct http_reply *
s3_start(struct s3 *s3, const struct s3_request *r)
{
	static const struct http_hooks ours = { .prepare = prepare, .mend = mend };
	struct call *call = xcalloc(1, sizeof *call);
	struct http_request how = r->how;
	size_t n = 0;

	call->s3 = s3;
	call->method = how.method != NULL ? how.method : "GET";
	call->hooks = how.hooks;
	call->service = how.service;
	call->bucket = find_bucket(s3, r->bucket);
	call->key = encode_key(r->key);
	call->query = r->query != NULL ? xstrdup(r->query) : NULL;
	call->place = name_place(r);
	for (; r->headers != NULL && r->headers[n] != NULL; n++) {
		if (n + 1 == MOST_HEADERS)
			die(EX_SOFTWARE, "%s: too many headers", call->place);
		call->headers[n] = xstrdup(r->headers[n]);
	}
	if (r->hash != NULL)
		memcpy(call->hash, r->hash, SIGV4_HEX);
	else if (how.body.p != NULL)
		sigv4_hash(call->hash, how.body);
	else
		memcpy(call->hash, SIGV4_EMPTY, SIGV4_HEX);
	call->next = s3->calls;
	s3->calls = call;
	make_url(s3, call);
	how.url = s3->url.p;
	if (how.name == NULL)
		how.name = call->place;
	how.headers = NULL;
	how.exact = how.follow_no = true;
	how.hooks = &ours;
	how.service = call;
	return call->reply = http_start(s3->http, &how);
}

void
s3_done(struct s3 *s3, struct http_reply *reply)
{
	struct call **p = &s3->calls, *call;

	while ((*p)->reply != reply)
		p = &(*p)->next;
	call = *p;
	*p = call->next;
	http_done(s3->http, reply);
	for (size_t i = 0; call->headers[i] != NULL; i++)
		free(call->headers[i]);
	free(call->key);
	free(call->query);
	free(call->place);
	free(call->host);
	buf_free(&call->why);
	free(call);
}

void
s3_close(struct s3 *s3)
{
	while (s3->calls != NULL)
		s3_done(s3, s3->calls->reply);
	while (s3->buckets != NULL) {
		struct bucket *b = s3->buckets;

		s3->buckets = b->next;
		free(b->name);
		free(b->region);
		free(b);
	}
	http_close(s3->http);
	aws_close(s3->aws);
	buf_free(&s3->url);
	buf_free(&s3->host);
	buf_free(&s3->signature);
	buf_free(&s3->header);
	free(s3);
}

bool
s3_sends_checksums(struct s3 *s3)
{
	return !aws_checksums_only_required(s3->aws);
}

void
s3_checksum(struct buf *b, const char hex[65])
{
	unsigned char raw[32], text[45];        /* 44 and a 0 */

	hex_read(raw, (struct str){ hex, 2 * sizeof raw });
	EVP_EncodeBlock(text, raw, sizeof raw);
	buf_text(b, (char *)text);
}
