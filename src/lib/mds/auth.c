/* mds/auth.c - who we are for an MDS provider. */
#include "mds/auth.h"

#include <stdlib.h>

#include "format/json.h"
#include "net/bearer.h"

#define TOKEN_REPLY (1 << 20)   /* bytes of an answer with a token: they are of some KiB */

struct mds_auth {
	struct http *http;
	const struct mds_provider *provider;
	struct bearer bearer;           /* of the configuration, or asked for */
	const char **headers;           /* all that are secret, NULL at the end */
	bool worked;
};

struct mds_auth *
mds_auth_open(struct http *http, const struct mds_provider *p)
{
	struct mds_auth *a = xcalloc(1, sizeof *a);

	a->http = http;
	a->provider = p;
	a->headers = xcalloc(p->secret_headers.n + 2, sizeof *a->headers);
	for (size_t i = 0; i < p->secret_headers.n; i++)
		a->headers[i] = p->secret_headers.w[i];
	if (p->auth == MDS_BEARER)
		bearer_set(&a->bearer, "Authorization", str_of(p->token), 0);
	return a;
}

static const char *
credential(const struct mds_provider *p)
{
	switch (p->auth) {
	case MDS_BEARER: return "check token in the configuration";
	case MDS_CUSTOM: return "check headers in the configuration";
	default: return "check auth_data in the configuration";
	}
}

/* ---- a token ---- */

/* A token in a header is printable and has no blanks (RFC 6750 2.1). */
static bool
is_token(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	return s.n > 0;
}

/* RFC 6749 5.2: a client that is not known is 400 or 401. */
static _Noreturn void
refused(const struct mds_auth *a, const struct http_reply *reply)
{
	struct buf said = { 0 };
	long status = reply->status;

	http_message(&said, reply);
	die(status == 404 || status == 405 ? EX_CONFIG : EX_NOPERM, "%s: token: refused (%ld): \"%s\": %s", a->provider->name, status,
	    said.p != NULL ? said.p : "", status == 404 || status == 405 ? "check token_url in the configuration" :
	    credential(a->provider));
}

static void
ask_token(struct mds_auth *a)
{
	static const short ours[] = { 400, 401, 403, 404, 405, 0 };
	const struct mds_provider *p = a->provider;
	struct buf scratch = { 0 };
	struct str body, token;
	struct http_reply *reply = http_start(a->http, &(struct http_request){ .url = p->token_url, .name = p->name, .what = "token",
	    .headers = (const char *const *)p->token_headers.w, .body = str_of(p->token_form != NULL ? p->token_form : ""), .claims = ours, .want = "JSON",
	    .check = http_check_json, .follow_no = true, .max_body = TOKEN_REPLY, .credential = credential(p) });

	http_wait(a->http, reply);
	if (reply->status >= 400)
		refused(a, reply);
	body = http_json(reply);
	token = *body.p == '{' ? json_get(body, p->token_member) : (struct str){ 0 };
	token = json_is_string(token) ? json_text(token, &scratch) : (struct str){ 0 };
	if (!is_token(token))
		die(EX_PROTOCOL, "%s: token: no \"%s\" in the answer: check auth_token_res_key in the configuration", p->name,
		    p->token_member);
	bearer_set(&a->bearer, "Authorization", token, 0);
	http_done(a->http, reply);
	buf_free(&scratch);
}

/* ---- a request ---- */

void
mds_auth_put(struct mds_auth *a, struct http_request *request)
{
	const struct mds_provider *p = a->provider;

	if (p->auth == MDS_OAUTH && bearer_is_due(&a->bearer))
		ask_token(a);
	if (a->bearer.token != NULL)
		a->headers[p->secret_headers.n] = a->bearer.header.p;
	request->secrets = a->headers;
	request->user = p->user;
	request->password = p->password;
	request->credential = credential(p);
}

const char *
mds_auth_advice(const struct mds_auth *a)
{
	return credential(a->provider);
}

void
mds_auth_worked(struct mds_auth *a)
{
	a->worked = true;
}

bool
mds_auth_renew(struct mds_auth *a)
{
	bool may = a->provider->auth == MDS_OAUTH && a->bearer.token != NULL && a->worked;

	if (may) {
		note("%s: the token has ended: asking for another", a->provider->name);
		bearer_drop(&a->bearer);
	}
	a->worked = false;
	return may;
}

void
mds_auth_close(struct mds_auth *a)
{
	bearer_free(&a->bearer);
	free(a->headers);
	free(a);
}
