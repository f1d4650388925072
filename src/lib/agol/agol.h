/*
 * agol/agol.h - talk to an ArcGIS portal (ArcGIS Online, or an Enterprise's own) and to the
 * services that it knows.
 *
 * Most failures come with status 200 and an error object; both are judged here, by their codes: 69 after the retries, 75
 * throttled, 76 nonsense, 77 refused.  The token goes in a header, never in a URL; it is renewed before it ends, and
 * once for each request that says that it has ended.
 */
#ifndef AGOL_H
#define AGOL_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/opt.h"
#include "net/http.h"

/* How a portal is asked.  Start with AGOL_DEFAULTS. */
struct agol_options {
	const char *portal;             /* https://www.arcgis.com */
	struct http_options http;
};
#define AGOL_DEFAULTS .portal = "https://www.arcgis.com", .http = { HTTP_DEFAULTS }

/* Options of a tool: rows of its table that fill a struct agol_options. */
#define OPT_AGOL(options) \
	OPT_STRING(0, "portal", "URL", &(options).portal, "the portal (https://www.arcgis.com)"), \
	OPT_HTTP((options).http)

struct agol;

/* Takes AGOL_TOKEN or AGOL_API_KEY, or AGOL_USERNAME and AGOL_PASSWORD, or AGOL_CLIENT_ID and AGOL_CLIENT_SECRET; with none
 * of them dies EX_CONFIG. */
struct agol *agol_open(const struct agol_options *);
void agol_close(struct agol *);

/* Appends where the portal describes an item. */
void agol_item_url(const struct agol *, const char *item, struct buf *url);
/* May the token go to this URL, which the portal named?  To the portal's own origin, and from arcgis.com to arcgis.com. */
bool agol_trusts(const struct agol *, const char *url);

enum agol_care {
	AGOL_AGAIN,             /* doing it twice does no harm: retried as it is */
	AGOL_SMALLER,           /* the same, but where it may be too much for the server, that is told at once */
	AGOL_ONCE               /* doing it twice does harm */
};
enum agol_outcome {
	AGOL_DONE,              /* answered */
	AGOL_REFUSED,           /* not done, and won't be: agol_said() has the reason */
	AGOL_TOO_MUCH,          /* done or not; fewer at a time may do: agol_said() */
	AGOL_UNKNOWN            /* of ONCE: done or not.  Some time has passed: look now. */
};
/* POSTs a form, "f=json&..." (or GETs where it is empty), and leaves the answer, a JSON object, in body. */
enum agol_outcome agol_ask(struct agol *, const char *url, struct str form, enum agol_care, const char *what, struct buf *body);
/* The same for questions: AGAIN, and whatever is not DONE dies EX_PROTOCOL. */
void agol_get(struct agol *, const char *url, struct str form, const char *what, struct buf *body);
/* What was UNKNOWN turned out to be done: tries are for standing still. */
void agol_settled(struct agol *);
/* The server's words for its last refusal. */
const char *agol_said(const struct agol *);
unsigned long long agol_requests(const struct agol *);

/* Appends what an error object, or a feature's result, says: message or description, and the first of its details. */
void agol_message(struct buf *, struct str error);

#endif
