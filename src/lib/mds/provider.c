/*
 * mds/provider.c - one provider of MDS data: where it is asked, who we are there, and how often
 * it may be.
 */
#include "mds/provider.h"

#include <math.h>
#include <stdlib.h>
#include <strings.h>

#include "format/json.h"
#include "net/url.h"
#include "records/input.h"

#define MOST (1 << 20)          /* bytes of a configuration: no honest one comes near */

enum key { AUTH_TYPE, TOKEN, AUTH_DATA, TOKEN_URL, TOKEN_MEMBER, REQUEST, TOKEN_HEADERS, API_URL, PROVIDER_ID, HEADERS, VERSION_KEY,
	PAGING, DELAY, ATTEMPTS, OVERRIDE, TIMEOUT, INTERVAL, TIME_FORMAT, SETTLE, REACH, KEYS };
#define KEY(name) { name, sizeof name - 1 }
static const struct str keys[KEYS] = {
	[AUTH_TYPE] = KEY("auth_type"), [TOKEN] = KEY("token"), [AUTH_DATA] = KEY("auth_data"), [TOKEN_URL] = KEY("token_url"),
	[TOKEN_MEMBER] = KEY("auth_token_res_key"), [REQUEST] = KEY("request"), [TOKEN_HEADERS] = KEY("request.auth.headers"),
	[API_URL] = KEY("mds_api_url"), [PROVIDER_ID] = KEY("provider_id"), [HEADERS] = KEY("headers"), [VERSION_KEY] = KEY("version"),
	[PAGING] = KEY("paging"), [DELAY] = KEY("delay"), [ATTEMPTS] = KEY("max_attempts"), [OVERRIDE] = KEY("mds_param_override"),
	[TIMEOUT] = KEY("timeout"), [INTERVAL] = KEY("interval"), [TIME_FORMAT] = KEY("time_format"), [SETTLE] = KEY("settle"), [REACH] = KEY("reach"),
};

/* One reading: the settings as they stand in the text, and the first thing that is wrong with them. */
struct reading {
	struct mds_provider *p;
	struct str value[KEYS];         /* p NULL where it is not there, or null */
	struct buf *why;
	size_t start;                   /* of what is wrong, in why */
};

static bool
is_wrong(const struct reading *r)
{
	return r->why->len > r->start;
}

#define WRONG(r, ...) do { if (!is_wrong(r)) buf_fmt((r)->why, __VA_ARGS__); } while (0)

static void
list_add(struct mds_list *list, char *text)
{
	list->w = xrealloc(list->w, list->n + 2, sizeof *list->w);
	list->w[list->n++] = text;
	list->w[list->n] = NULL;
}

static void
list_free(struct mds_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->w[i]);
	free(list->w);
}

/* ---- values ---- */

/* A string's or a number's text, caller frees; NULL where it is neither, or no text for a header or a form. */
static char *
to_text(struct str json)
{
	struct buf scratch = { 0 };
	bool scalar = json_is_string(json) || (json.n > 0 && (*json.p == '-' || (*json.p >= '0' && *json.p <= '9')));
	struct str s = scalar ? json_text(json, &scratch) : (struct str){ 0 };
	char *text = NULL;

	if (scalar && memchr(s.p, '\0', s.n) == NULL && memchr(s.p, '\n', s.n) == NULL && memchr(s.p, '\r', s.n) == NULL)
		text = str_dup(s);
	buf_free(&scratch);
	return text;
}

/* The text of a setting, caller frees; NULL where it is not there. */
static char *
take_text(struct reading *r, enum key key)
{
	char *text = r->value[key].p != NULL ? to_text(r->value[key]) : NULL;

	if (r->value[key].p != NULL && text == NULL)
		WRONG(r, "%s: want a text on one line", keys[key].p);
	return text;
}

static char *
need_text(struct reading *r, enum key key, const char *whose)
{
	char *text = take_text(r, key);

	if (text == NULL || *text == '\0')
		WRONG(r, "%s is missing: %s", keys[key].p, whose);
	return text;
}

/* A number, or the text of one; OTHERWISE where it is not there. */
static double
take_number(struct reading *r, enum key key, double least, double otherwise)
{
	char *text = take_text(r, key), *end = text;
	double n = text != NULL ? strtod(text, &end) : otherwise;

	if (text != NULL && (end == text || *end != '\0' || !isfinite(n) || n < least || n > 1e9))
		WRONG(r, "%s: want a number of at least %g", keys[key].p, least);
	free(text);
	return n;
}

static void
add_secret(struct reading *r, const char *text)
{
	if (r->p->secrets.n == MDS_SECRETS)
		WRONG(r, "more than %d credentials", MDS_SECRETS);
	else
		list_add(&r->p->secrets, xstrdup(text));
}

/* Goes over the members of an object of texts. */
static void
each_text(struct reading *r, enum key key, struct str object, void (*take)(struct reading *, const char *name, char *value))
{
	struct buf name = { 0 };

	if (object.p != NULL && *object.p != '{')
		WRONG(r, "%s: want an object", keys[key].p);
	for (struct json_walk w = json_walk(object.p != NULL ? object : STR("{}")); !is_wrong(r) && json_next(&w); ) {
		char *value = to_text(w.value);

		buf_reset(&name);
		json_unescape(&name, w.key);
		if (value != NULL)
			take(r, buf_all(&name).p, value);
		else if (!str_eq(w.value, STR("null")))
			WRONG(r, "%s: %s: want a text on one line", keys[key].p, buf_all(&name).p);
	}
	buf_free(&name);
}

/* ---- headers ---- */

/* A name of a header, RFC 9110 5.6.2. */
static bool
is_header_name(const char *name)
{
	return *name != '\0' && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.!#$%&'*+^`|~") ==
	    strlen(name);
}

/* For libcurl, which takes "Name:" as an order to leave it out. */
static char *
make_header(const char *name, const char *value)
{
	struct buf b = { 0 };

	if (*value != '\0')
		buf_fmt(&b, "%s: %s", name, value);
	else
		buf_fmt(&b, "%s;", name);
	return buf_take(&b);
}

static bool
is_one_of(const char *name, const char *const *names)
{
	for (; *names != NULL; names++)
		if (strcasecmp(name, *names) == 0)
			return true;
	return false;
}

/* Accept and the credential are ours to say, whatever stands here: as it was before. */
static void
take_header(struct reading *r, const char *name, char *value)
{
	static const char *const open[] = { "Accept-Language", "Content-Type", "User-Agent", "Cache-Control", NULL };
	const char *space = strrchr(value, ' ');

	if (!is_header_name(name)) {
		WRONG(r, "headers: a name that is none of a header");
	} else if (strcasecmp(name, "Accept") != 0 && (r->p->auth == MDS_CUSTOM || strcasecmp(name, "Authorization") != 0)) {
		bool secret = !is_one_of(name, open);

		if (secret)
			add_secret(r, space != NULL ? space + 1 : value);
		list_add(secret ? &r->p->secret_headers : &r->p->headers, make_header(name, value));
	}
	free(value);
}

static void
take_token_header(struct reading *r, const char *name, char *value)
{
	const char *space = strrchr(value, ' ');

	if (!is_header_name(name))
		WRONG(r, "request.auth.headers: a name that is none of a header");
	else
		list_add(&r->p->token_headers, make_header(name, value));
	if (strcasecmp(name, "Content-Type") != 0 && strcasecmp(name, "Accept") != 0)
		add_secret(r, space != NULL ? space + 1 : value);
	free(value);
}

static void
take_override(struct reading *r, const char *name, char *value)
{
	if (*value == '\0' || strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") != strlen(value))
		WRONG(r, "mds_param_override: want names of parameters");
	list_add(&r->p->overrides, xstrdup(name));
	list_add(&r->p->overrides, value);
}

/* ---- who we are ---- */

/* One member of the form that asks for a token. */
static void
take_form(struct reading *r, const char *name, char *value)
{
	static const char *const open[] = { "grant_type", "scope", "audience", NULL };
	struct buf form = { 0 };

	if (r->p->token_form != NULL)
		buf_fmt(&form, "%s&", r->p->token_form);
	buf_percent(&form, str_of(name));
	buf_char(&form, '=');
	buf_percent(&form, str_of(value));
	if (!is_one_of(name, open))
		add_secret(r, value);
	free(r->p->token_form);
	r->p->token_form = buf_take(&form);
	free(value);
}

/* Credentials go in the clear to this machine only. */
static void
check_url(struct reading *r, enum key key, const char *url)
{
	char *host = !is_wrong(r) ? url_host(url) : NULL;

	if (!is_wrong(r) && ((strncasecmp(url, "https://", 8) != 0 && !url_plain(url)) || host == NULL || strpbrk(url, "#") != NULL))
		WRONG(r, "%s: want a URL that starts with https://", keys[key].p);
	if (!is_wrong(r) && url_plain(url) && !url_loopback(url))
		WRONG(r, "%s: plain http would show the credentials and the trips to others: use https", keys[key].p);
	free(host);
}

static void
read_oauth(struct reading *r)
{
	struct mds_provider *p = r->p;
	struct str nested = r->value[REQUEST].p != NULL ? json_get(r->value[REQUEST], "auth.headers") : (struct str){ 0 };

	p->token_url = need_text(r, TOKEN_URL, "auth_type oauth needs it");
	if (p->token_url != NULL)
		check_url(r, TOKEN_URL, p->token_url);
	p->token_member = need_text(r, TOKEN_MEMBER, "it names the token in the answer, access_token or jwt");
	if (r->value[AUTH_DATA].p == NULL)
		WRONG(r, "auth_data is missing: it is the form that asks for a token");
	each_text(r, AUTH_DATA, r->value[AUTH_DATA], take_form);
	each_text(r, TOKEN_HEADERS, r->value[TOKEN_HEADERS].p != NULL ? r->value[TOKEN_HEADERS] : nested, take_token_header);
}

static void
read_basic(struct reading *r)
{
	struct str data = r->value[AUTH_DATA];

	if (data.p == NULL || *data.p != '{') {
		WRONG(r, "auth_data: want an object with username and password");
		return;
	}
	r->p->user = to_text(json_get(data, "username"));
	r->p->password = to_text(json_get(data, "password"));
	if (r->p->user == NULL || r->p->password == NULL)
		WRONG(r, "auth_data: want a username and a password");
	else
		add_secret(r, r->p->password);
}

static void
read_auth(struct reading *r)
{
	static const char *const types[] = { "bearer", "basic", "oauth", "custom" };
	char *type = need_text(r, AUTH_TYPE, "want bearer, basic, oauth or custom");
	size_t i = 0;

	while (type != NULL && i < 4 && strcasecmp(type, types[i]) != 0)
		i++;
	free(type);
	if (i == 4)
		WRONG(r, "auth_type: want bearer, basic, oauth or custom");
	r->p->auth = (enum mds_auth_type)(i % 4);
	if (is_wrong(r))
		return;
	if (r->p->auth == MDS_BEARER && (r->p->token = need_text(r, TOKEN, "auth_type bearer needs it")) != NULL)
		add_secret(r, r->p->token);
	else if (r->p->auth == MDS_BASIC)
		read_basic(r);
	else if (r->p->auth == MDS_OAUTH)
		read_oauth(r);
}

/* ---- the whole ---- */

static void
read_url(struct reading *r)
{
	char *url = r->p->url = need_text(r, API_URL, "it is the URL above /trips");

	if (url == NULL)
		return;
	url[str_trim_slashes(str_of(url)).n] = '\0';
	check_url(r, API_URL, url);
	if (strchr(url, '?') != NULL)
		WRONG(r, "mds_api_url: a query in it: want the URL above /trips");
}

static void
read_paging(struct reading *r)
{
	struct str v = r->value[PAGING];

	r->p->single_page = v.p != NULL && str_eq(v, STR("false"));
	if (v.p != NULL && !r->p->single_page && !str_eq(v, STR("true")))
		WRONG(r, "paging: want true or false");
}

static void
read_settings(struct reading *r)
{
	struct mds_provider *p = r->p;

	read_url(r);
	read_auth(r);
	each_text(r, HEADERS, r->value[HEADERS], take_header);
	each_text(r, OVERRIDE, r->value[OVERRIDE], take_override);
	read_paging(r);
	p->version = take_text(r, VERSION_KEY);
	if (p->version == NULL)
		p->version = xstrdup("0.2.0");  /* as it always was */
	p->delay = take_number(r, DELAY, 0, 0);
	p->attempts = (long)take_number(r, ATTEMPTS, 1, 0);
	p->timeout = take_number(r, r->value[TIMEOUT].p != NULL ? TIMEOUT : INTERVAL, 0.001, 0);
	p->settle = take_number(r, SETTLE, 0, -1);
	p->reach = take_number(r, REACH, 0, -1);
}

/* Settings of people who misspelt one work otherwise than they think. */
static void
find_unknown(struct mds_provider *p, struct str object)
{
	struct buf name = { 0 };

	for (struct json_walk w = json_walk(object); json_next(&w); ) {
		size_t i = 0;

		buf_reset(&name);
		json_unescape(&name, w.key);
		while (i < KEYS && !str_eq(buf_all(&name), keys[i]))
			i++;
		if (i == KEYS)
			buf_fmt(&p->unknown, "%s%s", p->unknown.len > 0 ? ", " : "", buf_all(&name).p);
	}
	buf_free(&name);
}

/* The settings of one: the whole object, or the member of that name.  p NULL, with why, where there are none. */
static struct str
choose(struct reading *r, struct str all, const char *name)
{
	struct str found = { 0 };
	struct buf known = { 0 }, scratch = { 0 };

	if (json_get(all, "mds_api_url").p != NULL || json_get(all, "auth_type").p != NULL)
		return all;
	for (struct json_walk w = json_walk(all); json_next(&w); ) {
		buf_reset(&scratch);
		json_unescape(&scratch, w.key);
		buf_fmt(&known, "%s%s", known.len > 0 ? ", " : "", buf_all(&scratch).p);
		if (name != NULL && str_eq(buf_all(&scratch), str_of(name)))
			found = w.value;
	}
	if (name == NULL)
		WRONG(r, "no --provider: there are %s", known.len > 0 ? known.p : "none");
	else if (found.p == NULL)
		WRONG(r, "no provider %s: there are %s", name, known.len > 0 ? known.p : "none");
	else if (*found.p != '{')
		WRONG(r, "%s: want an object", name);
	buf_free(&known);
	buf_free(&scratch);
	return found;
}

/* The object that the text is, or p NULL. */
static struct str
check_text(struct reading *r, struct str text)
{
	const char *end = text.p + text.n, *p = text.n > 0 ? json_space(text.p, end) : end;
	struct json_error e = { 0 };
	const char *past = json_skip(p, end, &e);

	if (past == NULL)
		WRONG(r, "byte %zu: %s", (size_t)(e.at - text.p) + 1, p == end ? "it is empty" : e.why);
	else if (*p != '{' || json_space(past, end) != end)
		WRONG(r, "want one JSON object: a provider's settings, or providers by their names");
	return is_wrong(r) ? (struct str){ 0 } : (struct str){ p, (size_t)(past - p) };
}

const char *
mds_provider_parse(struct mds_provider *p, struct str text, const char *name, struct buf *why)
{
	struct reading r = { .p = p, .why = why, .start = why->len };
	struct str all = check_text(&r, text), own = all.p != NULL ? choose(&r, all, name) : all;

	*p = (struct mds_provider){ .name = xstrdup(name != NULL ? name : "the provider") };
	if (is_wrong(&r))
		return why->p + r.start;
	json_find(own, keys, r.value, KEYS);
	for (size_t i = 0; i < KEYS; i++)
		if (r.value[i].p != NULL && str_eq(r.value[i], STR("null")))
			r.value[i] = (struct str){ 0 };
	find_unknown(p, own);
	read_settings(&r);
	return is_wrong(&r) ? why->p + r.start : NULL;
}

void
mds_provider_free(struct mds_provider *p)
{
	struct mds_list *lists[] = { &p->token_headers, &p->headers, &p->secret_headers, &p->overrides, &p->secrets };
	char *texts[] = { p->name, p->url, p->token, p->user, p->password, p->token_url, p->token_form, p->token_member, p->version };

	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		list_free(lists[i]);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		free(texts[i]);
	buf_free(&p->unknown);
}

void
mds_provider_read(struct mds_provider *p, const char *file, const char *name)
{
	struct buf text = { 0 }, why = { 0 };
	const char *from = input_slurp(file, &text, MOST);

	if (text.len > MOST)
		die(EX_CONFIG, "%s: over %d MiB: is it the configuration of providers?", from, MOST >> 20);
	mds_provider_parse(p, buf_all(&text), name, &why);
	for (size_t i = 0; i < p->secrets.n; i++)
		err_mask(p->secrets.w[i]);
	if (why.len > 0)
		die(EX_CONFIG, "%s: %s", from, why.p);
	if (p->unknown.len > 0)
		warning("%s: %s: unknown settings, which do nothing: %s", from, p->name, p->unknown.p);
	buf_free(&text);
	buf_free(&why);
}

const char *
mds_provider_parameter(const char *name, const void *provider)
{
	const struct mds_list *list = &((const struct mds_provider *)provider)->overrides;
	/* what they are called in configurations, whatever the version calls them */
	const char *usual = strcmp(name, "min_end_time") == 0 ? "start_time" : strcmp(name, "max_end_time") == 0 ? "end_time" : name;

	for (size_t i = 0; i < list->n; i += 2)
		if (strcmp(list->w[i], name) == 0 || strcmp(list->w[i], usual) == 0)
			return list->w[i + 1];
	return name;
}
