/*
 * mds/provider.h - one provider of MDS data: where it is asked, who we are there, and how often
 * it may be.
 *
 * The configuration is JSON, an object of the providers' names and their settings, or the settings of one provider.  It holds
 * secrets, so nothing here ever quotes a value: messages name the setting.  mds_provider_parse() returns errors and does not die:
 * fuzzers call it.
 */
#ifndef MDS_PROVIDER_H
#define MDS_PROVIDER_H

#include <stdbool.h>

#include "base/buf.h"

#define MDS_SECRETS 12                  /* credentials of a provider at most: there is room to mask so many */

enum mds_auth_type { MDS_BEARER, MDS_BASIC, MDS_OAUTH, MDS_CUSTOM };

struct mds_list { char **w; size_t n; };        /* ends with a NULL, which n does not count */

struct mds_provider {
	char *name;
	char *url;                      /* without a slash at its end */
	enum mds_auth_type auth;
	char *token;                    /* of MDS_BEARER */
	char *user, *password;          /* of MDS_BASIC */
	char *token_url, *token_form, *token_member;    /* of MDS_OAUTH: ask there with this form, find the token there */
	struct mds_list token_headers;
	struct mds_list headers;        /* "Name: value", those that hold no secret */
	struct mds_list secret_headers;
	struct mds_list overrides;      /* name, value, name, value, ...: parameters that this provider calls otherwise */
	struct mds_list secrets;        /* what no message may show */
	char *version;                  /* "0.3.0", or "auto" */
	bool single_page;               /* "paging": false */
	double delay;                   /* s before each request */
	double timeout;                 /* s; 0: not said */
	double settle;                  /* s; negative: not said */
	double reach;                   /* s; negative: not said */
	long attempts;                  /* in all; 0: not said */
	struct buf unknown;             /* names of settings that nobody knows: "a, b" */
};

/* NULL, or what is wrong: appended to WHY, whose text it is.  NAME may be NULL where the text is of one provider only. */
const char *mds_provider_parse(struct mds_provider *, struct str text, const char *name, struct buf *why);
void mds_provider_free(struct mds_provider *);

/* From a file, "-" is standard input.  What is wrong dies EX_CONFIG; secrets are masked from here on. */
void mds_provider_read(struct mds_provider *, const char *file, const char *name);

/* What the provider calls the parameter. */
const char *mds_provider_parameter(const char *name, const void *provider);

#endif
