/* agol/agol.c - talk to an ArcGIS portal and its services. */
#include "agol/agol.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "format/json.h"
#include "net/bearer.h"
#include "net/message.h"
#include "net/url.h"

#define LIFE 3600.0             /* s that a token is asked for; Esri's own default */
#define HEADER "X-Esri-Authorization"

struct agol {
	struct http *http;
	char *portal;                           /* without a slash at its end */
	const char *user, *password, *client, *secret;
	const char *credential;                 /* what to check when we are refused */
	struct bearer bearer;                   /* of AGOL_TOKEN or AGOL_API_KEY, or to be got */
	struct buf referer;                     /* a header, and the lists that requests have of them */
	const char *plain[2], *secret_headers[2];
	struct buf said;
	unsigned long long requests;
	int unknowns;                           /* outcomes of ONCE, in a row */
};

/* ---- what a body says ---- */

void
agol_message(struct buf *b, struct str error)
{
	static const char *const names[] = { "message", "description", "error_description" };
	struct buf scratch = { 0 }, all = { 0 };
	struct str details = error.p != NULL ? json_get(error, "details") : error;

	for (size_t i = 0; error.p != NULL && i < sizeof names / sizeof *names && all.len == 0; i++) {
		struct str value = json_get(error, names[i]);

		if (json_is_string(value))
			buf_str(&all, json_text(value, &scratch));
	}
	if (details.p != NULL && *details.p == '[') {
		struct json_walk w = json_walk(details);

		details = json_next(&w) ? w.value : (struct str){ 0 };
	}
	if (json_is_string(details) && !str_eq(json_text(details, &scratch), buf_all(&all))) {
		if (all.len > 0)
			buf_char(&all, ' ');
		buf_str(&all, json_text(details, &scratch));
	}
	message_add(b, NULL, all.len > 0 ? buf_all(&all) : STR("no message"));
	buf_free(&all);
	buf_free(&scratch);
}

/* The error in a good JSON object; p NULL when it has none.  Some say success:false or status:"failure" instead. */
static struct str
error_of(struct str object)
{
	struct str error = json_get(object, "error"), success = json_get(object, "success"), status = json_get(object, "status");

	if (error.p != NULL && *error.p == '{')
		return error;
	if (str_eq(success, STR("false")) || str_eq(status, STR("\"failure\"")) || str_eq(status, STR("\"failed\"")))
		return object;
	return (struct str){ 0 };
}

/* 0 where it has none. */
static long
code_of(struct str error)
{
	struct str code = json_get(error, "code");

	return code.p != NULL && *code.p >= '0' && *code.p <= '9' ? strtol(code.p, NULL, 10) : 0;
}

/* How the check of a body is to judge an error in it. */
struct ask { enum agol_care care; struct buf why; };

/* A whole JSON object, and no failure of the server that another try may get past. */
static const char *
check_answer(struct http_reply *reply, void *arg)
{
	struct ask *ask = arg;
	const char *why = http_check_json(reply, NULL);
	struct str error;
	long code;

	if (why == NULL && *http_json(reply).p != '{')
		why = "the answer is no JSON object";
	if (why != NULL)
		return why;
	error = error_of(http_json(reply));
	code = error.p != NULL ? code_of(error) : 0;
	if (code != 429 && code < 500)
		return NULL;
	if ((code == 500 || code == 504) && ask->care == AGOL_SMALLER)
		return NULL;
	buf_reset(&ask->why);
	buf_fmt(&ask->why, "%s (%ld, under status 200): \"", code == 429 ? "throttled" : "the server failed", code);
	agol_message(&ask->why, error);
	buf_char(&ask->why, '"');
	reply->blame = code == 429 ? EX_TEMPFAIL : EX_UNAVAILABLE;
	return ask->why.p;
}

/* ---- tokens ---- */

static void
find_credentials(struct agol *a)
{
	const char *token = opt_secret("AGOL_TOKEN"), *key = opt_secret("AGOL_API_KEY");

	a->user = opt_secret("AGOL_USERNAME");
	a->password = opt_secret("AGOL_PASSWORD");
	a->client = opt_secret("AGOL_CLIENT_ID");
	a->secret = opt_secret("AGOL_CLIENT_SECRET");
	if ((a->user == NULL) != (a->password == NULL))
		die(EX_CONFIG, "AGOL_USERNAME and AGOL_PASSWORD: set both, or neither");
	if ((a->client == NULL) != (a->secret == NULL))
		die(EX_CONFIG, "AGOL_CLIENT_ID and AGOL_CLIENT_SECRET: set both, or neither");
	if (token != NULL || key != NULL) {
		a->credential = token != NULL ? "check AGOL_TOKEN" : "check AGOL_API_KEY";
		a->user = a->client = NULL;
		bearer_set(&a->bearer, HEADER, str_of(token != NULL ? token : key), 0);
	} else if (a->user != NULL) {
		a->credential = "check AGOL_USERNAME and AGOL_PASSWORD";
	} else if (a->client != NULL) {
		a->credential = "check AGOL_CLIENT_ID and AGOL_CLIENT_SECRET";
	} else {
		die(EX_CONFIG, "no credentials: set AGOL_USERNAME and AGOL_PASSWORD, AGOL_CLIENT_ID and AGOL_CLIENT_SECRET, "
		    "AGOL_TOKEN or AGOL_API_KEY");
	}
}

static bool
is_web(const char *url)
{
	return strncasecmp(url, "https://", 8) == 0 || url_plain(url);
}

struct agol *
agol_open(const struct agol_options *options)
{
	struct agol *a = xcalloc(1, sizeof *a);
	const char *portal = options->portal;

	if (!is_web(portal))
		die(EX_USAGE, "--portal %s: want http:// or https://", portal);
	if (url_plain(portal) && !url_loopback(portal))
		die(EX_USAGE, "--portal %s: plain http would show the credentials to others: use https", portal);
	a->portal = str_dup(str_trim_slashes(str_of(portal)));
	find_credentials(a);
	/* A token that was made for a referer is good with it only. */
	buf_fmt(&a->referer, "Referer: %s", a->portal);
	a->plain[0] = a->referer.p;
	a->http = http_open(&options->http);
	return a;
}

void
agol_close(struct agol *a)
{
	http_close(a->http);
	free(a->portal);
	bearer_free(&a->bearer);
	buf_free(&a->referer);
	buf_free(&a->said);
	free(a);
}

static void
add_pair(struct buf *form, const char *name, const char *value)
{
	buf_fmt(form, "&%s=", name);
	buf_percent(form, str_of(value));
}

/* Epoch milliseconds of one call, or seconds from now of the other. */
static double
life_of(struct str answer)
{
	struct str expires = json_get(answer, "expires"), in = json_get(answer, "expires_in");

	if (in.p != NULL)
		return strtod(in.p, NULL);
	return expires.p != NULL ? strtod(expires.p, NULL) / 1000 - (double)time(NULL) : 0;
}

static void
get_token(struct agol *a)
{
	struct buf url = { 0 }, form = { 0 }, scratch = { 0 };
	struct ask ask = { .care = AGOL_AGAIN };
	struct str answer, token;
	struct http_reply *reply;
	double life;

	buf_fmt(&url, "%s/sharing/rest/%s", a->portal, a->user != NULL ? "generateToken" : "oauth2/token");
	buf_fmt(&form, "f=json&expiration=%.0f", LIFE / 60);
	if (a->user != NULL) {
		add_pair(&form, "username", a->user);
		add_pair(&form, "password", a->password);
		add_pair(&form, "client", "referer");
		add_pair(&form, "referer", a->portal);
	} else {
		add_pair(&form, "client_id", a->client);
		add_pair(&form, "client_secret", a->secret);
		add_pair(&form, "grant_type", "client_credentials");
	}
	reply = http_start(a->http, &(struct http_request){ .url = url.p, .body = buf_all(&form), .what = "token",
	    .headers = a->plain, .credential = a->credential, .want = "JSON", .check = check_answer, .arg = &ask, .follow_no = true, .max_body = 1 << 20 });
	a->requests++;
	http_wait(a->http, reply);
	answer = http_json(reply);
	if (error_of(answer).p != NULL) {
		buf_reset(&a->said);
		agol_message(&a->said, error_of(answer));
		die(code_of(error_of(answer)) == 404 ? EX_PROTOCOL : EX_NOPERM, "%s: no token: \"%s\": %s", reply->name, a->said.p,
		    code_of(error_of(answer)) == 404 ? "is it a portal?" : a->credential);
	}
	token = json_text(json_get(answer, a->user != NULL ? "token" : "access_token"), &scratch);
	if (token.n == 0)
		die(EX_PROTOCOL, "%s: no token in the answer: is it a portal?", reply->name);
	life = life_of(answer);
	/* 0 and less: not told, or by another clock than ours */
	bearer_set(&a->bearer, HEADER, token, life > 0 ? life : LIFE);
	http_done(a->http, reply);
	buf_free(&url);
	buf_free(&form);
	buf_free(&scratch);
	buf_free(&ask.why);
}

/* ---- requests ---- */

static bool
is_arcgis_com(const char *url)
{
	char *host = strncasecmp(url, "https://", 8) == 0 ? url_host(url) : NULL;
	size_t n = host != NULL ? strlen(host) : 0;
	bool is = n > 11 && strcasecmp(host + n - 11, ".arcgis.com") == 0;

	free(host);
	return is;
}

void
agol_item_url(const struct agol *a, const char *item, struct buf *url)
{
	buf_fmt(url, "%s/sharing/rest/content/items/", a->portal);
	buf_percent(url, str_of(item));
}

bool
agol_trusts(const struct agol *a, const char *url)
{
	return url_same_origin(a->portal, url) || (is_arcgis_com(a->portal) && is_arcgis_com(url));
}

static struct http_reply *
start(struct agol *a, const char *url, struct str form, const char *what, struct ask *ask)
{
	/* A gateway says 413, 404 or 500 to what is too large for it, and 504 to what takes too long. */
	static const short always[] = { 413, 498, 499, 0 }, once[] = { 404, 413, 498, 499, 0 },
	    smaller[] = { 404, 413, 498, 499, 500, 504, 0 };

	a->requests++;
	a->secret_headers[0] = a->bearer.header.p;
	return http_start(a->http, &(struct http_request){ .url = url, .what = what,
	    .body = form.n > 0 ? form : (struct str){ 0 }, .once = ask->care == AGOL_ONCE,
	    .claims = ask->care == AGOL_AGAIN ? always : ask->care == AGOL_ONCE ? once : smaller,
	    .headers = a->plain, .secrets = a->secret_headers, .credential = a->credential, .want = "JSON", .check = check_answer, .arg = ask });
}

/* Keeps the words of what is no success. */
static void
hear(struct agol *a, const struct http_reply *reply, struct str error)
{
	buf_reset(&a->said);
	if (error.p != NULL)
		agol_message(&a->said, error);
	else
		http_message(&a->said, reply);
	buf_fmt(&a->said, " (%ld)", error.p != NULL && code_of(error) > 0 ? code_of(error) : reply->status);
}

/* An answer came, of a status below 300 or claimed.  *ENDED: the token has. */
static enum agol_outcome
judge(struct agol *a, const struct http_reply *reply, enum agol_care care, bool *ended)
{
	struct str error = reply->status < 300 ? error_of(http_json(reply)) : (struct str){ 0 };
	long code = reply->status >= 300 ? reply->status : error.p != NULL ? code_of(error) : 200;

	*ended = code == 498 || code == 499;
	if (code == 200)
		return AGOL_DONE;
	hear(a, reply, error);
	if (*ended)
		return AGOL_REFUSED;
	if (code == 401 || code == 403 || (code == 0 && strstr(a->said.p, "permission") != NULL))
		die(EX_NOPERM, "%s: refused: \"%s\": %s, and who may edit", reply->name, a->said.p, a->credential);
	if (reply->status >= 300 || (care == AGOL_SMALLER && code >= 500))
		return AGOL_TOO_MUCH;
	if (code == 404)
		die(EX_PROTOCOL, "%s: \"%s\"", reply->name, a->said.p);
	return AGOL_REFUSED;
}

enum agol_outcome
agol_ask(struct agol *a, const char *url, struct str form, enum agol_care care, const char *what, struct buf *body)
{
	struct ask ask = { .care = care };
	enum agol_outcome outcome;
	bool renewed = false, ended;

	do {
		if (bearer_is_due(&a->bearer)) {
			get_token(a);
			renewed = true;
		}

		struct http_reply *reply = start(a, url, form, what, &ask);

		if (!http_try(a->http, reply)) {
			if (care != AGOL_ONCE || (reply->failure != EX_TEMPFAIL && reply->failure != EX_PROTOCOL))
				http_die(reply);
			http_pause(a->http, reply, ++a->unknowns);
			http_done(a->http, reply);
			outcome = AGOL_UNKNOWN;
			break;
		}
		outcome = judge(a, reply, care, &ended);
		if (ended && (renewed || a->bearer.until == 0))
			die(EX_NOPERM, "%s: \"%s\": %s", reply->name, a->said.p, a->credential);
		if (ended) {
			bearer_drop(&a->bearer);
		} else {
			buf_reset(body);
			buf_str(body, http_json(reply));
			a->unknowns = care == AGOL_ONCE ? 0 : a->unknowns;      /* a look in between is no success */
		}
		http_done(a->http, reply);
	} while (a->bearer.token == NULL);
	buf_free(&ask.why);
	return outcome;
}

void
agol_get(struct agol *a, const char *url, struct str form, const char *what, struct buf *body)
{
	if (agol_ask(a, url, form, AGOL_AGAIN, what, body) != AGOL_DONE)
		die(EX_PROTOCOL, "%s: \"%s\"", what, a->said.p);
}

void
agol_settled(struct agol *a)
{
	a->unknowns = 0;
}

const char *
agol_said(const struct agol *a)
{
	return a->said.p;
}

unsigned long long
agol_requests(const struct agol *a)
{
	return a->requests;
}
