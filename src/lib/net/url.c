/* net/url.c - URLs: compared, resolved, escaped, and shown without their secrets. */
#include "net/url.h"

#include <curl/curl.h>
#include <errno.h>
#include <strings.h>

#include "base/memory.h"

/*
 * A lack of memory is not a bad URL.  libcurl does not always say which it is (7.88: a user and password that it cannot copy are
 * CURLUE_BAD_LOGIN), and before http_open() its memory is not from us.
 */
static bool
url_ok(CURLUcode code)
{
	if (code == CURLUE_OUT_OF_MEMORY)
		die(EX_OSERR, "out of memory");
	if (code != CURLUE_OK)
		memory_check("a URL");
	return code == CURLUE_OK;
}

/* Caller frees with curl_free().  NULL when the URL is none. */
static char *
get_part(const char *url, CURLUPart part, unsigned flags)
{
	CURLU *u = curl_url();
	char *value = NULL;

	if (u == NULL)
		die(EX_OSERR, "out of memory");
	errno = 0;
	if (url_ok(curl_url_set(u, CURLUPART_URL, url, CURLU_GUESS_SCHEME)))
		url_ok(curl_url_get(u, part, &value, flags));
	curl_url_cleanup(u);
	return value;
}

bool
url_plain(const char *url)
{
	return strncasecmp(url, "http://", 7) == 0;
}

bool
url_loopback(const char *url)
{
	char *host = get_part(url, CURLUPART_HOST, 0);
	bool is = host != NULL && (strcasecmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 ||
	    strcmp(host, "[::1]") == 0);

	/* 127.example.com is a name like any other */
	for (const char *p = host; is && strncmp(host, "127.", 4) == 0 && *p != '\0'; p++)
		is = *p == '.' || (*p >= '0' && *p <= '9');
	curl_free(host);
	return is;
}

static bool
same_part(const char *a, const char *b, CURLUPart part, unsigned flags)
{
	char *x = get_part(a, part, flags), *y = get_part(b, part, flags);
	bool same = x != NULL && y != NULL && strcasecmp(x, y) == 0;

	curl_free(x);
	curl_free(y);
	return same;
}

bool
url_same_origin(const char *a, const char *b)
{
	return same_part(a, b, CURLUPART_SCHEME, 0) && same_part(a, b, CURLUPART_HOST, 0) &&
	    same_part(a, b, CURLUPART_PORT, CURLU_DEFAULT_PORT);
}

char *
url_host(const char *url)
{
	char *host = get_part(url, CURLUPART_HOST, 0), *copy = host != NULL ? xstrdup(host) : NULL;

	curl_free(host);
	return copy;
}

char *
url_shown(const char *url)
{
	const char *p = strstr(url, "://"), *end, *at;

	p = p != NULL ? p + 3 : url;
	end = p + strcspn(p, "?#");
	at = memchr(p, '@', strcspn(p, "/?#"));
	if (at != NULL)
		p = at + 1;
	return str_dup((struct str){ p, end - p });
}

void
url_resolve(struct buf *b, const char *from, const char *location)
{
	CURLU *u = curl_url();
	char *to = NULL;

	if (u == NULL)
		die(EX_OSERR, "out of memory");
	errno = 0;
	if (url_ok(curl_url_set(u, CURLUPART_URL, from, 0)) && url_ok(curl_url_set(u, CURLUPART_URL, location, 0)))
		url_ok(curl_url_get(u, CURLUPART_URL, &to, 0));
	buf_text(b, to != NULL ? to : location);
	curl_free(to);
	curl_url_cleanup(u);
}
