/*
 * s3/aws.c - who we are to AWS and where it is.
 *
 * The order is botocore's: keys in the environment; a role of the profile; a web identity, of the environment or the
 * profile; keys of the credentials file; a program; keys of the config file; the container; the instance.  What is wrong in
 * what comes first is an error, and never a reason to go on to the next, which would be somebody else.
 */
#include "s3/aws.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/opt.h"
#include "net/http.h"
#include "s3/aws-fetch.h"
#include "s3/aws-profile.h"
#include "s3/aws-sts.h"

#define RENEW_EARLY 900         /* s before they expire */
#define RENEW_PAUSE 60          /* s until the next try, where one failed */
#define RENEW_WARN 600          /* s before they expire: now it is worth a word */
#define OUTAGE_GRACE 900        /* s: an instance's credentials that are out of date still work while its service is down */

enum kind { KEYS, PROCESS, ROLE, WEB_IDENTITY, CONTAINER, INSTANCE };

struct source {
	enum kind kind;
	char *name;                     /* for messages: "profile city in /root/.aws/config" */
	char *profile;                  /* KEYS of a file, else NULL */
	enum profile_file file;
	char *command;
	struct sts_role role;
	struct source *by;              /* who takes the role */
	struct aws_keys keys;
	bool have;                      /* keys are those of the last fetch */
	time_t renew;                   /* when to fetch again; 0: never */
};

struct aws {
	struct http *http;
	struct profiles *profiles;
	const char *profile;
	bool anonymous, no_instance;
	struct source *source;          /* NULL: none */
	const char *region, *endpoint, *sts_endpoint, *style, *ca_bundle;
	bool checksums_only_required;
	struct aws_credentials lent;
};

/* The profile's settings */

static const struct setting *
get(const struct aws *aws, const char *profile, const char *key)
{
	return profile_get(aws->profiles, profile, key, PROFILE_ANY);
}

static const char *
value_of(const struct setting *s)
{
	return s != NULL ? s->value : NULL;
}

/* The variable, or else the profile's setting, of which WHERE (or NULL) becomes the name. */
static const char *
env_or_profile(const struct aws *aws, const char *variable, const char *key, struct buf *where)
{
	const char *value = aws_env(variable);
	const struct setting *s = value == NULL ? get(aws, aws->profile, key) : NULL;

	if (where != NULL && s != NULL)
		buf_fmt(where, "%s:%zu: %s", s->path, s->line, s->key);
	else if (where != NULL)
		buf_text(where, variable);
	return s != NULL ? s->value : value;
}

/* It becomes a part of a host's name. */
static const char *
find_region(const struct aws *aws)
{
	struct buf where = { 0 };
	const char *region = aws_env("AWS_REGION");

	if (region != NULL)
		buf_text(&where, "AWS_REGION");
	else
		region = env_or_profile(aws, "AWS_DEFAULT_REGION", "region", &where);
	for (const char *p = region; p != NULL && *p != '\0'; p++)
		if (!isalnum((unsigned char)*p) && strchr("-_.", *p) == NULL)
			die(EX_CONFIG, "%s: \"%s\" is no region", where.p, region);
	buf_free(&where);
	return region;
}

static bool
is_url(const char *url)
{
	size_t scheme = strncasecmp(url, "http://", 7) == 0 ? 7 : strncasecmp(url, "https://", 8) == 0 ? 8 : 0;

	return scheme > 0 && strspn(url + scheme, "/?#") == 0 && url[scheme] != '\0';
}

static const char *
url_of_variable(const char *name)
{
	const char *url = aws_env(name);

	if (url != NULL && !is_url(url))
		die(EX_CONFIG, "%s: %s: want http://HOST or https://HOST", name, url);
	return url;
}

static const char *
url_of_setting(const struct setting *s)
{
	if (s != NULL && !is_url(s->value))
		die(EX_CONFIG, "%s:%zu: endpoint_url %s: want http://HOST or https://HOST", s->path, s->line, s->value);
	return s != NULL ? s->value : NULL;
}

/* Of the service: its own variable, the general one, the profile's section of services, the profile. */
static const char *
find_endpoint(const struct aws *aws, const char *variable, const char *key)
{
	const struct setting *services = get(aws, aws->profile, "services"), *s;
	const char *url, *ignore;

	ignore = env_or_profile(aws, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls", NULL);
	if (ignore != NULL && strcasecmp(ignore, "true") == 0)
		return NULL;
	if ((url = url_of_variable(variable)) != NULL || (url = url_of_variable("AWS_ENDPOINT_URL")) != NULL)
		return url;
	s = services != NULL ? profile_service(aws->profiles, services->value, key) : NULL;
	return url_of_setting(s != NULL ? s : get(aws, aws->profile, "endpoint_url"));
}

static const char *
find_style(const struct aws *aws)
{
	const struct setting *s = get(aws, aws->profile, "s3.addressing_style");

	if (s == NULL)
		return "auto";
	if (strcmp(s->value, "path") != 0 && strcmp(s->value, "virtual") != 0 && strcmp(s->value, "auto") != 0)
		die(EX_CONFIG, "%s:%zu: addressing_style %s: want path, virtual or auto", s->path, s->line, s->value);
	return s->value;
}

static bool
find_checksums(const struct aws *aws)
{
	struct buf where = { 0 };
	const char *value = env_or_profile(aws, "AWS_REQUEST_CHECKSUM_CALCULATION", "request_checksum_calculation", &where);
	bool only = value != NULL && strcasecmp(value, "when_required") == 0;

	if (value != NULL && !only && strcasecmp(value, "when_supported") != 0)
		die(EX_CONFIG, "%s: %s: want when_required or when_supported", where.p, value);
	buf_free(&where);
	return only;
}

/* Sources */

static struct source *
new_source(enum kind kind, const char *what, const struct setting *s)
{
	struct source *source = xcalloc(1, sizeof *source);
	struct buf name = { 0 };

	buf_text(&name, what);
	if (s != NULL)
		buf_fmt(&name, "%sprofile %s in %s", *what != '\0' ? " of " : "", s->section, s->path);
	source->kind = kind;
	source->name = buf_take(&name);
	return source;
}

static void
free_source(struct source *s)
{
	if (s == NULL)
		return;
	free_source(s->by);
	aws_keys_free(&s->keys);
	free(s->name);
	free(s->profile);
	free(s->command);
	free((char *)s->role.arn);
	free((char *)s->role.session);
	free((char *)s->role.external_id);
	free((char *)s->role.duration);
	free((char *)s->role.token_file);
	free(s);
}

static char *
copy_of(const char *text)
{
	return text != NULL ? xstrdup(text) : NULL;
}

static struct source *
from_variables(void)
{
	const char *key = opt_secret("AWS_ACCESS_KEY_ID"), *secret = opt_secret("AWS_SECRET_ACCESS_KEY");
	struct source *s;

	if (key == NULL && secret == NULL)
		return NULL;
	if (key == NULL || secret == NULL)
		die(EX_CONFIG, "%s is set and %s is not: set both", key != NULL ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
		    key != NULL ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID");
	s = new_source(KEYS, "the keys in AWS_ACCESS_KEY_ID", NULL);
	s->keys = (struct aws_keys){ .key = xstrdup(key), .secret = xstrdup(secret),
		.token = copy_of(opt_secret("AWS_SESSION_TOKEN")) };
	s->have = true;
	return s;
}

/* The keys of a profile; false where it has none. */
static bool
read_keys(const struct profiles *p, const char *profile, enum profile_file file, struct aws_keys *keys)
{
	const struct setting *key = profile_get(p, profile, "aws_access_key_id", file);
	const struct setting *secret = profile_get(p, profile, "aws_secret_access_key", file), *one = key != NULL ? key : secret;

	if (one == NULL)
		return false;
	if (key == NULL || secret == NULL)
		die(EX_CONFIG, "%s:%zu: profile %s has %s and no %s", one->path, one->line, profile, one->key,
		    key != NULL ? "aws_secret_access_key" : "aws_access_key_id");
	*keys = (struct aws_keys){ .key = xstrdup(key->value), .secret = xstrdup(secret->value),
		.token = copy_of(value_of(profile_get(p, profile, "aws_session_token", file))) };
	return true;
}

static struct source *
from_keys(const struct aws *aws, const char *profile, enum profile_file file)
{
	struct aws_keys keys;
	struct source *s;

	if (!read_keys(aws->profiles, profile, file, &keys))
		return NULL;
	s = new_source(KEYS, "", profile_get(aws->profiles, profile, "aws_access_key_id", file));
	s->keys = keys;
	s->profile = xstrdup(profile);
	s->file = file;
	s->have = true;
	err_mask(keys.secret);
	if (keys.token != NULL)
		err_mask(keys.token);
	return s;
}

static struct source *
from_container(void)
{
	bool relative = aws_env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") != NULL;

	if (!relative && aws_env("AWS_CONTAINER_CREDENTIALS_FULL_URI") == NULL)
		return NULL;
	return new_source(CONTAINER, relative ? "the container's credentials (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI)"
	    : "the container's credentials (AWS_CONTAINER_CREDENTIALS_FULL_URI)", NULL);
}

static struct source *
from_instance(void)
{
	return new_source(INSTANCE, "this machine's role", NULL);
}

/* The variables beat the profile of the run, but have no say in one that is only the source of a role. */
static struct source *
from_web_identity(const struct aws *aws, const char *profile, bool variables)
{
	const char *token = variables ? aws_env("AWS_WEB_IDENTITY_TOKEN_FILE") : NULL;
	const char *arn = variables ? aws_env("AWS_ROLE_ARN") : NULL;
	const char *session = variables ? aws_env("AWS_ROLE_SESSION_NAME") : NULL;
	const struct setting *file = token == NULL ? get(aws, profile, "web_identity_token_file") : NULL;
	struct source *s;

	if (token == NULL && file == NULL)
		return NULL;
	if (arn == NULL)
		arn = value_of(get(aws, profile, "role_arn"));
	if (session == NULL)
		session = value_of(get(aws, profile, "role_session_name"));
	if (arn == NULL && file != NULL)
		die(EX_CONFIG, "%s:%zu: a web_identity_token_file wants a role_arn, too", file->path, file->line);
	if (arn == NULL)
		die(EX_CONFIG, "AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not: set both");
	s = new_source(WEB_IDENTITY, file != NULL ? "the web identity" : "the web identity in AWS_WEB_IDENTITY_TOKEN_FILE", file);
	s->role = (struct sts_role){ .arn = xstrdup(arn), .session = copy_of(session),
		.token_file = xstrdup(token != NULL ? token : file->value) };
	return s;
}

static struct source *
from_process(const struct aws *aws, const char *profile)
{
	const struct setting *command = get(aws, profile, "credential_process");
	struct source *s;

	if (command == NULL)
		return NULL;
	s = new_source(PROCESS, "the credential_process", command);
	s->command = xstrdup(command->value);
	return s;
}

/* The names on the way to a role: a profile that comes twice is a loop. */
struct way { const struct way *back; const char *profile; };

static struct source *from_profile(const struct aws *, const struct way *);

static bool
has_role(const struct aws *aws, const char *profile)
{
	return get(aws, profile, "role_arn") != NULL && get(aws, profile, "web_identity_token_file") == NULL;
}

static struct source *
from_source_profile(const struct aws *aws, const struct setting *from, const struct way *way)
{
	struct way on = { way, from->value };
	struct source *s = NULL;

	if (!profiles_have(aws->profiles, from->value))
		die(EX_CONFIG, "%s:%zu: source_profile %s: no such profile", from->path, from->line, from->value);
	/* Keys come first here, so that a profile may be its own source. */
	for (const struct way *w = way; w != NULL; w = w->back)
		if (strcmp(w->profile, from->value) == 0 && (w != way || get(aws, from->value, "aws_access_key_id") == NULL))
			die(EX_CONFIG, "%s:%zu: source_profile %s: the profiles name each other in a circle", from->path, from->line,
			    from->value);
	s = from_keys(aws, from->value, PROFILE_CREDENTIALS);
	if (s == NULL)
		s = from_keys(aws, from->value, PROFILE_CONFIG);
	if (s == NULL)
		s = from_profile(aws, &on);
	if (s == NULL)
		die(EX_CONFIG, "%s:%zu: source_profile %s: it has no credentials", from->path, from->line, from->value);
	return s;
}

static struct source *
from_credential_source(const struct aws *aws, const struct setting *from)
{
	struct source *s = NULL;

	if (strcmp(from->value, "Environment") == 0)
		s = from_variables();
	else if (strcmp(from->value, "EcsContainer") == 0)
		s = from_container();
	else if (strcmp(from->value, "Ec2InstanceMetadata") == 0)
		s = aws->no_instance ? NULL : from_instance();
	else
		die(EX_CONFIG, "%s:%zu: credential_source %s: want Environment, EcsContainer or Ec2InstanceMetadata", from->path,
		    from->line, from->value);
	if (s == NULL)
		die(EX_CONFIG, "%s:%zu: credential_source %s: the environment says nothing of it, or forbids it", from->path, from->line,
		    from->value);
	return s;
}

static struct source *
from_role(const struct aws *aws, const struct way *way)
{
	const char *profile = way->profile;
	const struct setting *arn = get(aws, profile, "role_arn"), *by = get(aws, profile, "source_profile");
	const struct setting *kind = get(aws, profile, "credential_source"), *mfa = get(aws, profile, "mfa_serial");
	struct source *s;

	if (!has_role(aws, profile))
		return NULL;
	if (mfa != NULL)
		die(EX_CONFIG, "%s:%zu: mfa_serial wants a code, and nobody is here to type it: give the keys of a session instead",
		    mfa->path, mfa->line);
	if ((by != NULL) == (kind != NULL))
		die(EX_CONFIG, "%s:%zu: role_arn wants %s source_profile and credential_source", arn->path, arn->line,
		    by != NULL ? "only one of" : "one of");
	s = new_source(ROLE, "the role", arn);
	s->role = (struct sts_role){ .arn = xstrdup(arn->value),
		.session = copy_of(value_of(get(aws, profile, "role_session_name"))),
		.external_id = copy_of(value_of(get(aws, profile, "external_id"))),
		.duration = copy_of(value_of(get(aws, profile, "duration_seconds"))) };
	s->by = by != NULL ? from_source_profile(aws, by, way) : from_credential_source(aws, kind);
	return s;
}

/* We have no browser; whoever logs in by one has a program that hands its credentials on. */
static void
refuse_sso(const struct aws *aws, const char *profile)
{
	const struct setting *sso = get(aws, profile, "sso_session");

	if (sso == NULL)
		sso = get(aws, profile, "sso_start_url");
	if (sso != NULL)
		die(EX_CONFIG, "%s:%zu: %s is not supported: name a profile that has credential_process = aws configure "
		    "export-credentials --profile %s", sso->path, sso->line, sso->key, profile);
}

/* What a profile says, in botocore's order; NULL: nothing. */
static struct source *
from_profile(const struct aws *aws, const struct way *way)
{
	struct source *s;

	if ((s = from_role(aws, way)) != NULL)
		return s;
	if ((s = from_web_identity(aws, way->profile, way->back == NULL)) != NULL)
		return s;
	if ((s = from_keys(aws, way->profile, PROFILE_CREDENTIALS)) != NULL)
		return s;
	if ((s = from_process(aws, way->profile)) != NULL)
		return s;
	if ((s = from_keys(aws, way->profile, PROFILE_CONFIG)) != NULL)
		return s;
	refuse_sso(aws, way->profile);
	return NULL;
}

static struct source *
find_source(const struct aws *aws)
{
	struct source *s;

	if ((s = from_variables()) != NULL)
		return s;
	if ((s = from_profile(aws, &(struct way){ NULL, aws->profile })) != NULL)
		return s;
	if ((s = from_container()) != NULL)
		return s;
	return aws->no_instance ? NULL : from_instance();
}

/* botocore looks at AWS_DEFAULT_PROFILE first, and who comes from it has set what works there. */
static void
choose_profile(struct aws *aws)
{
	const char *variable = aws_env("AWS_DEFAULT_PROFILE") != NULL ? "AWS_DEFAULT_PROFILE" : "AWS_PROFILE";

	aws->profile = aws_env(variable);
	if (aws->profile == NULL)
		aws->profile = "default";
	else if (!profiles_have(aws->profiles, aws->profile))
		die(EX_CONFIG, "%s: no profile %s: want [%s] in %s, or [profile %s] in %s", variable, aws->profile, aws->profile,
		    profiles_path(aws->profiles, PROFILE_CREDENTIALS), aws->profile, profiles_path(aws->profiles, PROFILE_CONFIG));
}

struct aws *
aws_open(const struct http_options *options)
{
	struct http_options net = *options;
	struct aws *aws = xcalloc(1, sizeof *aws);

	aws->profiles = profiles_open();
	choose_profile(aws);
	aws->anonymous = aws_env_true("AWS_NO_SIGN_REQUEST");
	aws->no_instance = aws_env_true("AWS_EC2_METADATA_DISABLED");
	aws->region = find_region(aws);
	aws->endpoint = find_endpoint(aws, "AWS_ENDPOINT_URL_S3", "s3.endpoint_url");
	aws->sts_endpoint = find_endpoint(aws, "AWS_ENDPOINT_URL_STS", "sts.endpoint_url");
	aws->style = find_style(aws);
	aws->checksums_only_required = find_checksums(aws);
	aws->ca_bundle = env_or_profile(aws, "AWS_CA_BUNDLE", "ca_bundle", NULL);
	if (!aws->anonymous)
		aws->source = find_source(aws);
	if (net.cacert == NULL)
		net.cacert = aws->ca_bundle;
	aws->http = http_open(&net);      /* now, so that --max-time is of the whole run */
	return aws;
}

void
aws_close(struct aws *aws)
{
	http_close(aws->http);
	free_source(aws->source);
	profiles_close(aws->profiles);
	free(aws);
}

/* Credentials, fetched and renewed */

static const struct aws_keys *current(const struct aws *, struct source *, struct aws_failure *);

static bool
fetch(const struct aws *aws, struct source *s, int tries, struct aws_keys *keys, struct aws_failure *f)
{
	struct sts sts = { .http = aws->http, .endpoint = aws->sts_endpoint, .region = aws->region, .tries = tries };
	const struct aws_keys *by;

	switch (s->kind) {
	case PROCESS: return aws_fetch_process(s->command, keys, f);
	case CONTAINER: return aws_fetch_container(aws->http, tries, keys, f);
	case INSTANCE: return aws_fetch_instance(aws->http, tries, keys, f);
	case WEB_IDENTITY: return sts_web_identity(&sts, &s->role, keys, f);
	case ROLE:
		by = current(aws, s->by, f);
		return by != NULL ? sts_assume_role(&sts, &s->role, by, keys, f) : aws_fail_at(f, s->by->name);
	case KEYS: break;
	}
	return false;
}

/* Takes the place of what was there, unless they are of no use. */
static bool
adopt(struct source *s, struct aws_keys *keys, struct aws_failure *f)
{
	time_t now = time(NULL), left = keys->expires - now;

	if (keys->expires != 0 && left <= 0 && s->kind == INSTANCE) {
		warning("%s: the credentials have expired; going on with them, since none newer can be had", s->name);
		keys->expires = now + OUTAGE_GRACE;
		left = OUTAGE_GRACE;
	} else if (keys->expires != 0 && left <= 0) {
		aws_keys_free(keys);
		return aws_fail(f, EX_NOPERM, "what it gave expired %ld s ago: is this clock right?", (long)-left);
	}
	aws_keys_free(&s->keys);
	s->keys = *keys;
	s->have = true;
	s->renew = keys->expires == 0 ? 0 : left > 2 * RENEW_EARLY ? keys->expires - RENEW_EARLY : now + left / 2;
	return true;
}

/* Fetched if need be.  While the old ones last, renewing them may fail; NULL: there are none, and why. */
static const struct aws_keys *
current(const struct aws *aws, struct source *s, struct aws_failure *f)
{
	time_t now = time(NULL);
	bool valid = s->have && (s->keys.expires == 0 || now < s->keys.expires);
	struct aws_keys keys = { 0 };

	if (valid && (s->renew == 0 || now < s->renew))
		return &s->keys;
	if (fetch(aws, s, valid ? 1 : 0, &keys, f) && adopt(s, &keys, f))
		return &s->keys;
	if (!valid)
		return NULL;
	s->renew = now + RENEW_PAUSE;
	if (s->keys.expires - now <= RENEW_WARN)
		warning("%s: %s: can't be renewed yet, and expires in %ld s", s->name, f->why.p, (long)(s->keys.expires - now));
	return &s->keys;
}

static _Noreturn void
die_unknown(const struct aws *aws, const struct aws_failure *f)
{
	die(EX_NOPERM, "no credentials in AWS_ACCESS_KEY_ID, profile %s of %s and %s, AWS_WEB_IDENTITY_TOKEN_FILE, "
	    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, or this machine's role (%s): set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
	    "or AWS_PROFILE", aws->profile, profiles_path(aws->profiles, PROFILE_CREDENTIALS),
	    profiles_path(aws->profiles, PROFILE_CONFIG), f != NULL ? f->why.p : "AWS_EC2_METADATA_DISABLED");
}

const struct aws_credentials *
aws_credentials(struct aws *aws)
{
	struct aws_failure f = { 0 };
	const struct aws_keys *keys;

	if (aws->anonymous)
		return NULL;
	if (aws->source == NULL)
		die_unknown(aws, NULL);
	keys = current(aws, aws->source, &f);
	if (keys == NULL && aws->source->kind == INSTANCE && !aws->source->have)
		die_unknown(aws, &f);
	if (keys == NULL)
		die(f.status, "%s: %s", aws->source->name, f.why.p);
	buf_free(&f.why);
	aws->lent = (struct aws_credentials){ keys->key, keys->secret, keys->token, keys->expires };
	return &aws->lent;
}

/* The files are written anew by who logs in for us. */
static bool
read_again(const struct source *s, struct aws_keys *keys)
{
	struct profiles *again;
	struct aws_failure f = { 0 };
	bool found;

	if (s->profile == NULL)
		return false;
	again = profiles_open();
	found = read_keys(again, s->profile, s->file, keys) && aws_keys_good(keys, &f);
	profiles_close(again);
	return found;
}

static bool
same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bool
aws_renew(struct aws *aws)
{
	struct source *s = aws->source;
	struct aws_failure f = { 0 };
	struct aws_keys keys = { 0 };

	if (s == NULL || (s->kind == KEYS && !read_again(s, &keys)))
		return false;
	if (s->kind != KEYS && !fetch(aws, s, 0, &keys, &f)) {
		warning("%s: %s", s->name, f.why.p);
		buf_free(&f.why);
		return false;
	}
	if (same(keys.key, s->keys.key) && same(keys.token, s->keys.token)) {
		aws_keys_free(&keys);
		return false;
	}
	if (!adopt(s, &keys, &f)) {
		warning("%s: %s", s->name, f.why.p);
		buf_free(&f.why);
		return false;
	}
	return true;
}

const char *
aws_source(struct aws *aws)
{
	return aws->source != NULL ? aws->source->name : aws->anonymous ? "AWS_NO_SIGN_REQUEST" : "AWS_ACCESS_KEY_ID";
}

const char *
aws_region(struct aws *aws)
{
	return aws->region;
}

const char *
aws_s3_endpoint(struct aws *aws)
{
	return aws->endpoint;
}

const char *
aws_s3_style(struct aws *aws)
{
	return aws->style;
}

bool
aws_checksums_only_required(struct aws *aws)
{
	return aws->checksums_only_required;
}

const char *
aws_ca_bundle(struct aws *aws)
{
	return aws->ca_bundle;
}
