/* s3/aws-sts.c - temporary credentials from AWS's Security Token Service. */
#include "s3/aws-sts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/slurp.h"
#include "format/xml.h"
#include "net/url.h"
#include "s3/sigv4.h"

#define STS_TIMEOUT 30.0        /* s */
#define ANSWER_MAX (64L << 10)  /* bytes */
#define TOKEN_MAX 20000         /* bytes of a web identity's token: STS's own limit */
#define CLOCK_SLACK 300         /* s: a clock that is further off is the cause of what was refused */

#define FORM "Content-Type: application/x-www-form-urlencoded; charset=utf-8"

/* One request, for the hooks. */
struct call {
	const struct sts *sts;
	const struct aws_keys *by;      /* NULL: not signed */
	const struct buf *body;
	struct buf url;
};

static const char *
region_of(const struct sts *sts)
{
	return sts->region != NULL ? sts->region : "us-east-1";
}

static void
put_url(struct buf *url, const struct sts *sts)
{
	if (sts->endpoint != NULL)
		buf_text(url, sts->endpoint);
	else if (sts->region == NULL)
		buf_text(url, "https://sts.amazonaws.com");
	else
		buf_fmt(url, "https://sts.%s.amazonaws.com%s", sts->region, strncmp(sts->region, "cn-", 3) == 0 ? ".cn" : "");
	buf_trim_slashes(url);
	buf_char(url, '/');
}

/* The host of a URL as libcurl sends it: with the port, unless it is the scheme's own. */
static struct str
host_of(const char *url)
{
	const char *host = strstr(url, "://") + 3;
	struct str s = { host, strcspn(host, "/?") }, usual = url_plain(url) ? STR(":80") : STR(":443");

	if (s.n > usual.n && memcmp(s.p + s.n - usual.n, usual.p, usual.n) == 0)
		s.n -= usual.n;
	return s;
}

/* Signs each try anew, since a signature holds the time. */
static void
sign_try(struct http_reply *reply, void *arg)
{
	const struct call *call = arg;
	struct buf host = { 0 }, date = { 0 }, token = { 0 }, value = { 0 };
	char now[SIGV4_TIME], payload[SIGV4_HEX];
	const char *path = strchr(strstr(call->url.p, "://") + 3, '/');

	if (call->by == NULL)
		return;
	sigv4_time(now, 0);
	sigv4_hash(payload, buf_all(call->body));
	buf_text(&host, "Host: ");
	buf_str(&host, host_of(call->url.p));
	buf_fmt(&date, "X-Amz-Date: %s", now);
	if (call->by->token != NULL)
		buf_fmt(&token, "X-Amz-Security-Token: %s", call->by->token);

	const char *headers[] = { FORM, host.p, date.p, token.p, NULL };
	struct sigv4_request request = { .method = "POST", .path = str_of(path), .query = STR(""), .headers = headers,
		.payload = payload, .time = now };
	struct sigv4_scope scope = { call->by->key, call->by->secret, region_of(call->sts), "sts" };

	buf_text(&value, "Authorization: ");
	sigv4_sign(&value, &request, &scope);
	http_add_header(reply, date.p);
	if (token.p != NULL)
		http_add_header(reply, token.p);
	http_add_header(reply, value.p);
	buf_free(&host);
	buf_free(&date);
	buf_free(&token);
	buf_free(&value);
}

/* Makes the XML of a refusal one line of text, for the message; says which refusals pass by themselves. */
static const char *
read_refusal(struct http_reply *reply, void *arg)
{
	struct buf text = { 0 };
	bool passes;

	(void)arg;
	if (reply->body.len == 0 || !xml_find(&text, buf_all(&reply->body), "Error/Code")) {
		buf_free(&text);
		return NULL;
	}
	passes = strcmp(text.p, "Throttling") == 0 || strcmp(text.p, "IDPCommunicationError") == 0;
	buf_text(&text, ": ");
	xml_find(&text, buf_all(&reply->body), "Error/Message");
	buf_reset(&reply->body);
	buf_str(&reply->body, buf_all(&text));
	buf_free(&text);
	reply->blame = EX_TEMPFAIL;
	return passes ? reply->body.p : NULL;
}

static void
take_element(const char *path, struct str text, void *arg)
{
	const char *name = strrchr(path, '/');
	struct aws_keys *k = arg;

	if (name == NULL || text.p == NULL || name - path < 12 || memcmp(name - 12, "/Credentials", 12) != 0)
		return;
	if (strcmp(name, "/AccessKeyId") == 0 && k->key == NULL)
		k->key = str_dup(text);
	else if (strcmp(name, "/SecretAccessKey") == 0 && k->secret == NULL)
		k->secret = str_dup(text);
	else if (strcmp(name, "/SessionToken") == 0 && k->token == NULL)
		k->token = str_dup(text);
	else if (strcmp(name, "/Expiration") == 0)
		k->expires = aws_time(text);
}

static const char *
check_xml(struct http_reply *reply, void *arg)
{
	(void)arg;
	return reply->body.len == 0 ? "the answer is empty" : xml_read(buf_all(&reply->body), NULL, NULL, NULL);
}

/* Minutes that this clock is ahead of the server's; 0 where it is good enough. */
static long
minutes_off(const struct http_reply *reply)
{
	time_t theirs = http_date(reply);
	long off = theirs != -1 ? (long)(time(NULL) - theirs) : 0;

	return off > CLOCK_SLACK || off < -CLOCK_SLACK ? off / 60 : 0;
}

static bool
fail_call(const struct http_reply *reply, struct aws_failure *f)
{
	bool refused = reply->status >= 400 && reply->status < 500 && reply->status != 429;
	long off = refused ? minutes_off(reply) : 0;

	if (off != 0)
		return aws_fail(f, EX_CONFIG, "%s: %s: this clock is %ld min %s: set it", reply->name, reply->why,
		    off > 0 ? off : -off, off > 0 ? "ahead" : "behind");
	return aws_fail(f, refused && reply->failure == EX_PROTOCOL ? EX_NOPERM : reply->failure, "%s: %s", reply->name,
	    reply->why);
}

static bool
ask(struct call *call, struct aws_keys *k, struct aws_failure *f)
{
	static const char *const headers[] = { FORM, NULL };
	static const struct http_hooks hooks = { .prepare = sign_try, .mend = read_refusal };
	struct http_reply *reply;
	bool good;

	put_url(&call->url, call->sts);
	if (url_plain(call->url.p) && !url_loopback(call->url.p)) {
		aws_fail(f, EX_CONFIG, "%s: plain http would show the credentials to others: use https", call->url.p);
		buf_free(&call->url);
		return false;
	}
	reply = http_start(call->sts->http, &(struct http_request){ .url = call->url.p, .headers = headers,
		.body = buf_all(call->body), .want = "XML", .hooks = &hooks, .service = call, .check = check_xml,
		.credential = "see what the role trusts", .exact = true, .follow_no = true, .max_body = ANSWER_MAX,
		.tries = call->sts->tries, .timeout = STS_TIMEOUT });
	good = http_try(call->sts->http, reply);
	*k = (struct aws_keys){ 0 };
	if (!good)
		fail_call(reply, f);
	else
		xml_read(buf_all(&reply->body), NULL, take_element, k);
	good = good && (aws_keys_good(k, f) || aws_fail_at(f, reply->name));
	http_done(call->sts->http, reply);
	buf_free(&call->url);
	return good;
}

static void
put_parameter(struct buf *body, const char *name, const char *value)
{
	if (value == NULL)
		return;
	buf_fmt(body, "&%s=", name);
	buf_percent(body, str_of(value));
}

static void
put_role(struct buf *body, const char *action, const struct sts_role *role)
{
	struct buf session = { 0 };

	buf_fmt(&session, "culvert-%s", tool.name);
	buf_fmt(body, "Action=%s&Version=2011-06-15", action);
	put_parameter(body, "RoleArn", role->arn);
	put_parameter(body, "RoleSessionName", role->session != NULL ? role->session : session.p);
	put_parameter(body, "DurationSeconds", role->duration);
	put_parameter(body, "ExternalId", role->external_id);
	buf_free(&session);
}

bool
sts_assume_role(const struct sts *sts, const struct sts_role *role, const struct aws_keys *by, struct aws_keys *k,
    struct aws_failure *f)
{
	struct buf body = { 0 };
	struct call call = { .sts = sts, .by = by, .body = &body };
	bool good;

	put_role(&body, "AssumeRole", role);
	good = ask(&call, k, f);
	buf_free(&body);
	return good;
}

/* Without the line's end; false where it can't be read. */
static bool
read_token(struct buf *token, const char *path, struct aws_failure *f)
{
	enum slurp how = slurp(token, path, TOKEN_MAX);

	if (how == SLURP_TOO_LARGE)
		return aws_fail(f, EX_CONFIG, "%s: too large for a token", path);
	if (how != SLURP_WHOLE) {
		memory_check(path);
		return aws_fail(f, slurp_status(how), "%s: %s", path, strerror(errno));
	}
	token->len = strcspn(token->p, "\r\n");
	token->p[token->len] = '\0';
	if (token->len == 0)
		return aws_fail(f, EX_CONFIG, "%s: no token in it", path);
	aws_mask(token->p);
	return true;
}

bool
sts_web_identity(const struct sts *sts, const struct sts_role *role, struct aws_keys *k, struct aws_failure *f)
{
	struct buf body = { 0 }, token = { 0 };
	struct call call = { .sts = sts, .body = &body };
	bool good = read_token(&token, role->token_file, f);

	if (good) {
		put_role(&body, "AssumeRoleWithWebIdentity", role);
		put_parameter(&body, "WebIdentityToken", token.p);
		good = ask(&call, k, f);
	}
	buf_free(&body);
	buf_free(&token);
	return good;
}
