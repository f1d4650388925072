/*
 * soda/soda.h - talk to one dataset of a Socrata domain, by SODA 2.1 or SODA 3.
 *
 * The token comes from SOCRATA_APP_TOKEN or SOCRATA_TOKEN, the key from SOCRATA_KEY_ID and SOCRATA_KEY_SECRET, or a login
 * from SOCRATA_USERNAME and SOCRATA_PASSWORD; all are optional where rows are only read.  404 is "no dataset" (76), 202 is
 * asked again and then "not ready" (75), a refused token names its variable (77): four outcomes with "no rows", which is
 * a success.
 */
#ifndef SODA_H
#define SODA_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/opt.h"
#include "net/http.h"

enum soda_version { SODA_2, SODA_3 };
extern const char *const soda_apis[];

/* How a dataset is asked for.  Start with SODA_DEFAULTS. */
struct soda_options {
	long long api;                          /* enum soda_version; SODA_2 */
	const char *base_url;                   /* NULL: https://DOMAIN */
	struct http_options http;
};
#define SODA_DEFAULTS .http = { HTTP_DEFAULTS }

/* Options of a tool: rows of its table that fill a struct soda_options. */
#define OPT_SODA(options) \
	OPT_CHOICE(0, "api", "VERSION", &(options).api, soda_apis, "2.1 (/resource) or 3 (/api/v3)"), \
	OPT_SODA_WRITE(options)
#define OPT_SODA_WRITE(options) \
	OPT_STRING(0, "base-url", "URL", &(options).base_url, "ask there instead of https://DOMAIN"), \
	OPT_HTTP((options).http)

struct soda {
	struct http *http;
	enum soda_version api;
	const char *domain, *dataset;
	char *base;                             /* "https://data.lacity.org" */
	const char *secrets[2];                 /* the token's header */
	const char *user, *password;
	const char *login;                      /* the variables of these two */
	const char *credential;                 /* what to check when we are refused */
};

/* Clauses as in SoQL; NULL where there is none. */
struct soda_query {
	const char *select, *where, *order;
	unsigned long long offset, limit;       /* SODA 3 has pages: offset must be a multiple of limit there */
	bool csv;                               /* else JSON */
};

/* Dies EX_USAGE on what is no domain or no dataset. */
struct soda *soda_open(const char *domain, const char *dataset, const struct soda_options *);
void soda_close(struct soda *);

/* Sends a page's query.  HOW brings what, check, arg and the bound on the body; the rest is filled in here. */
struct http_reply *soda_start(struct soda *, const struct soda_query *, struct http_request how);
/* The whole dataset in one stream, into how.sink: SODA 3's export, or the rows.csv that it replaces. */
struct http_reply *soda_start_export(struct soda *, const struct soda_query *, struct http_request how);
/* Without a login, or a ~/.netrc that may have one, dies EX_CONFIG: to be called before the input is read. */
void soda_need_login(const struct soda *);
/* Sends rows as a JSON array: POST merges them in, PUT replaces all.  HOW brings method, body or file, what, check, arg and
 * once.  While the dataset is locked (409) it is tried again. */
struct http_reply *soda_start_write(struct soda *, bool gzip, struct http_request how);
/* Waits; false when the server refuses the query (400), and then it is the caller's to judge. */
bool soda_wait(struct soda *, struct http_reply *);
/* Ends the process with the server's word on the query. */
_Noreturn void soda_bad_query(const struct http_reply *);
void soda_done(struct soda *, struct http_reply *);

/* What the body of a 200 that should be rows says is wrong, for a check to return: an error object, or no array. */
const char *soda_no_rows(struct http_reply *);

/* When the data last changed, as the headers say, to be compared; "" where they don't say. */
void soda_stamp(struct buf *, const struct http_reply *);

/* How many rows the source itself counts; its stamp too, where stamp is not NULL. */
unsigned long long soda_count(struct soda *, const char *where, struct buf *stamp);

/* The dataset's metadata, /api/views/ID.json, whole and checked. */
void soda_metadata(struct soda *, struct buf *json);

#endif
