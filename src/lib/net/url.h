/*
 * net/url.h - URLs: compared, resolved, and shown without their secrets.
 *
 * libcurl parses them, so that what is judged here is what it will ask.
 */
#ifndef URL_H
#define URL_H

#include <stdbool.h>

#include "base/buf.h"

bool url_plain(const char *url);                /* http:// */
/* Names this machine; credentials may go there in the clear. */
bool url_loopback(const char *url);
/* The same scheme, host and port: credentials for the one may go to the other. */
bool url_same_origin(const char *a, const char *b);

/* Caller frees; NULL when the URL is none. */
char *url_host(const char *url);
/* "data.lacity.org/resource/abcd-1234.json": no scheme, user, query or fragment.  Caller frees. */
char *url_shown(const char *url);

/* Appends where a Location leads from the URL it came with: it may be relative (RFC 9110 10.2.2). */
void url_resolve(struct buf *, const char *from, const char *location);

#endif
