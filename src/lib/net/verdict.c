/*
 * net/verdict.c - what came of a try: an answer, a reason to try again, or a failure and its exit
 * status.
 */
#include "net/verdict.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "net/url.h"

#define MAX_REDIRECTS 10
#define BOMB_RATIO 200          /* unpacked to packed bytes; text packs 5 to 50 to one */

static const struct http_verdict good = { .outcome = HTTP_GOOD };

static struct http_verdict PRINTF(2, 3)
bad(int status, const char *fmt, ...)
{
	struct http_verdict v = { .outcome = HTTP_BAD, .status = status };
	va_list args;

	va_start(args, fmt);
	buf_vfmt(&v.why, fmt, args);
	va_end(args);
	return v;
}

static struct http_verdict PRINTF(3, 4)
again(int status, double told, const char *fmt, ...)
{
	struct http_verdict v = { .outcome = HTTP_AGAIN, .status = status, .told = told };
	va_list args;

	va_start(args, fmt);
	buf_vfmt(&v.why, fmt, args);
	va_end(args);
	return v;
}

/* What Retry-After asks for, in seconds; 0 for nothing or a time that has passed. */
static double
retry_after(struct http_exchange *x)
{
	curl_off_t seconds = 0;

	curl_easy_getinfo(x->easy, CURLINFO_RETRY_AFTER, &seconds);
	return seconds > 0 ? (double)seconds : 0;
}

/* No answer, or not all of one */

/* The proxy's host where the environment names one for this URL and the error speaks of it; caller frees. */
static char *
proxy_blamed(const char *url, const char *error)
{
	static const char *const plain[] = { "http_proxy", "all_proxy", "ALL_PROXY", NULL };
	static const char *const tls[] = { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", NULL };
	const char *const *names = url_plain(url) ? plain : tls;

	for (size_t i = 0; names[i] != NULL; i++) {
		const char *value = getenv(names[i]);
		char *host = value != NULL && *value != '\0' ? url_host(value) : NULL;

		if (host != NULL && (strstr(error, host) != NULL || strstr(error, "proxy") != NULL))
			return host;
		free(host);
	}
	return NULL;
}

/* A certificate or a handshake that fails is a verdict, which another try would not change. */
static bool
is_tls_verdict(CURLcode code, const char *said)
{
	switch (code) {
	case CURLE_PEER_FAILED_VERIFICATION: case CURLE_SSL_ISSUER_ERROR: case CURLE_SSL_CERTPROBLEM: case CURLE_SSL_CIPHER:
	case CURLE_SSL_INVALIDCERTSTATUS: case CURLE_SSL_PINNEDPUBKEYNOTMATCH: case CURLE_SSL_CRL_BADFILE:
		return true;
	case CURLE_SSL_CONNECT_ERROR:           /* unless the connection broke under it */
		return strstr(said, "SYSCALL") == NULL && strstr(said, "reset by peer") == NULL && strstr(said, "timed out") == NULL;
	default:
		return false;
	}
}

/* The body was larger than was allowed: the caller's to see, unless it is a bomb. */
static struct http_verdict
judge_size(const struct http_exchange *x)
{
	size_t unpacked = x->reply.body.len;
	curl_off_t packed = 0;

	curl_easy_getinfo(x->easy, CURLINFO_SIZE_DOWNLOAD_T, &packed);
	if (x->reply.too_big && x->request.may_be_big && (curl_off_t)unpacked / BOMB_RATIO <= packed)
		return good;
	return bad(EX_PROTOCOL, "the answer unpacks to more than %zu MiB", unpacked >> 20);
}

/* No connection, or one that broke; the proxy's fault, or somebody's. */
static struct http_verdict
judge_connection(const struct http_exchange *x, const char *said)
{
	long connect = 0;

	curl_easy_getinfo(x->easy, CURLINFO_HTTP_CONNECTCODE, &connect);
	if (connect == 407)
		return bad(EX_NOPERM, "the proxy refused us (407): check the user and password in https_proxy");

	char *proxy = proxy_blamed(x->url, said);
	struct http_verdict v = proxy != NULL || connect >= 400
	    ? again(EX_UNAVAILABLE, 0, "the proxy %s: %s", proxy != NULL ? proxy : "", said) : again(EX_UNAVAILABLE, 0, "%s", said);

	free(proxy);
	return v;
}

static struct http_verdict
judge_error(const struct http_exchange *x, CURLcode code)
{
	const char *said = x->error[0] != '\0' ? x->error : curl_easy_strerror(code);

	if (is_tls_verdict(code, said))
		return bad(EX_PROTOCOL, "TLS: %s", said);
	switch (code) {
	case CURLE_WRITE_ERROR:
		return judge_size(x);
	case CURLE_SSL_CACERT_BADFILE:
		return bad(EX_CONFIG, "%s: see --cacert", said);
	case CURLE_ABORTED_BY_CALLBACK:
		return bad(EX_IOERR, "the file that holds the body can't be read again");
	case CURLE_URL_MALFORMAT:
		return bad(EX_USAGE, "no URL: %s", said);
	case CURLE_UNSUPPORTED_PROTOCOL: case CURLE_WEIRD_SERVER_REPLY:
		return bad(EX_PROTOCOL, "%s", said);
	case CURLE_PARTIAL_FILE: case CURLE_BAD_CONTENT_ENCODING:
		return again(EX_PROTOCOL, 0, "the answer is cut or garbled: %s", said);
	case CURLE_OUT_OF_MEMORY:
		die(EX_OSERR, "out of memory");
	default:
		return judge_connection(x, said);
	}
}

/*
 * 102 Processing is no answer but a sign of life, which libcurl passes over while it waits for the answer (RFC 2518 10.1).  Where
 * none comes, by silence or by the end of the connection, it was the last word: not ready, which another try at once won't change.
 */
static bool
is_still_at_work(const struct http_exchange *x, struct http_verdict *v)
{
	long last = 0;

	curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &last);
	if (last == 102)
		*v = bad(EX_TEMPFAIL, "not ready (102, and no answer after it): run again later");
	return last == 102;
}

struct http_verdict
http_judge_end(struct http_exchange *x, const char *before)
{
	struct http_verdict v;

	if (is_still_at_work(x, &v))
		return v;
	return bad(EX_UNAVAILABLE, "no whole answer%s%s: stopped by --max-time", *before != '\0' ? "; before: " : "", before);
}

struct http_verdict
http_judge_silence(struct http_exchange *x, double seconds)
{
	struct http_verdict v;
	curl_off_t down = 0;

	if (is_still_at_work(x, &v))
		return v;
	curl_easy_getinfo(x->easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
	return again(EX_UNAVAILABLE, 0, down > 0 ? "stalled: next to nothing came for %.3g s" : "no answer for %.3g s", seconds);
}

/* An answer that sends us elsewhere */

/* RFC 9110 15.4: 301, 302 and 303 turn a POST into a GET, 307 and 308 keep it. */
static struct http_verdict
follow(struct http_exchange *x)
{
	struct http_request *r = &x->request;
	struct http_verdict v = { .outcome = HTTP_MOVED };
	bool keeps = x->reply.status == 307 || x->reply.status == 308;
	char *to = NULL, *shown;

	curl_easy_getinfo(x->easy, CURLINFO_REDIRECT_URL, &to);
	if (to == NULL || r->follow_no || ++x->redirects > MAX_REDIRECTS)
		return bad(EX_PROTOCOL, to == NULL ? "%ld that points nowhere" : r->follow_no ? "%ld, a redirect that is not followed"
		    : "%ld, one redirect too many", x->reply.status);
	shown = url_shown(to);
	if (url_plain(to) && !url_plain(x->url)) {
		v = bad(EX_PROTOCOL, "redirected to plain http://%s, which is not followed", shown);
	} else if (keeps && (r->body.p != NULL || r->file != NULL) && !url_same_origin(x->url, to)) {
		v = bad(EX_PROTOCOL, "redirected with its body to another host, %s, which is not followed", shown);
	} else {
		if (!keeps) {
			r->body = (struct str){ NULL, 0 };
			r->file = NULL;
			r->method = r->method != NULL && strcmp(r->method, "HEAD") == 0 ? r->method : NULL;
		}
		x->foreign = x->foreign || !url_same_origin(x->url, to);
		http_exchange_move(x, xstrdup(to));     /* the handle owns the first */
	}
	free(shown);
	return v;
}

/* 202: the same again, or where it says. */
static struct http_verdict
poll_again(struct http_exchange *x)
{
	struct http_request *r = &x->request;
	const char *location = http_header(&x->reply, "Location");
	struct buf url = { 0 };

	if (location != NULL) {
		url_resolve(&url, x->url, location);
		r->body = (struct str){ NULL, 0 };      /* the place of an answer is only to be looked at */
		r->method = NULL;
	} else if (r->hooks != NULL && r->hooks->later != NULL) {
		r->hooks->later(&x->reply, &url, r->service);
	}
	if (url.len > 0 && url_plain(url.p) && !url_plain(x->url)) {
		buf_free(&url);
		return bad(EX_PROTOCOL, "202 points to plain http, which is not followed");
	}
	if (url.len > 0) {
		x->foreign = x->foreign || !url_same_origin(x->url, url.p);
		http_exchange_move(x, buf_take(&url));
	}
	buf_free(&url);
	return (struct http_verdict){ .outcome = HTTP_NOT_READY, .told = retry_after(x) };
}

/* An answer that came whole */

static bool
is_claimed(const struct http_exchange *x)
{
	for (const short *s = x->request.claims; s != NULL && *s != 0; s++)
		if (*s == x->reply.status)
			return true;
	return false;
}

/* A refusal that the caller knows better: its cause is mended, or will pass, or will not. */
static bool
is_mended(struct http_exchange *x, struct http_verdict *v)
{
	const struct http_hooks *hooks = x->request.hooks;
	bool knows = x->reply.status >= 300 && hooks != NULL && hooks->mend != NULL;
	const char *why = knows ? hooks->mend(&x->reply, x->request.service) : NULL;
	double told = retry_after(x);

	if (why != NULL && x->reply.failure != 0)
		*v = bad(x->reply.failure, "%s", why);
	else if (why != NULL)
		*v = again(x->reply.blame, told > x->reply.wait ? told : x->reply.wait, "%s", why);
	return why != NULL;
}

/* It says that it is an error: how, in the words SAID. */
static struct http_verdict
judge_words(struct http_exchange *x, const char *said)
{
	long status = x->reply.status;
	const char *credential = x->request.credential;

	if (status == 429)
		return again(EX_TEMPFAIL, retry_after(x), "throttled (429): \"%s\"", said);
	if (status == 408 || status == 425 || status >= 500)
		return again(EX_UNAVAILABLE, retry_after(x), "the server failed (%ld): \"%s\"", status, said);
	if (status == 401 || status == 403)
		return bad(EX_NOPERM, "refused (%ld): \"%s\"%s%s", status, said, credential != NULL ? ": " : "",
		    credential != NULL ? credential : "");
	if (status == 407)
		return bad(EX_NOPERM, "the proxy refused us (407): check the user and password in http_proxy");
	return bad(EX_PROTOCOL, "answered %ld: \"%s\"", status, said);
}

static struct http_verdict
judge_status(struct http_exchange *x)
{
	struct buf said = { 0 };
	struct http_verdict v;

	http_message(&said, &x->reply);
	v = judge_words(x, said.len > 0 ? said.p : "no message");
	buf_free(&said);
	return v;
}

/* An answer with data.  A page that is no page comes from a login or a gateway; again would not mend it. */
static struct http_verdict
judge_body(struct http_exchange *x)
{
	struct http_request *r = &x->request;
	struct buf title = { 0 };
	struct http_verdict v;
	const char *why;

	if (r->want != NULL && http_exchange_is_html(x)) {
		http_message(&title, &x->reply);
		v = bad(EX_PROTOCOL, "wanted %s, got text/html: \"%s\"", r->want, buf_all(&title).p);
		buf_free(&title);
		return v;
	}
	why = r->check != NULL ? r->check(&x->reply, r->arg) : NULL;
	return why != NULL ? again(x->reply.blame, 0, "%s", why) : good;
}

struct http_verdict
http_judge(struct http_exchange *x, CURLcode code)
{
	struct http_verdict v;
	long status;

	curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &x->reply.status);
	status = x->reply.status;
	if (http_exchange_has_enough(x))
		return good;
	if (code != CURLE_OK)
		return is_still_at_work(x, &v) ? v : judge_error(x, code);
	if (is_claimed(x))
		return good;
	if (is_mended(x, &v))
		return v;
	if (status == 202 && x->request.polls)
		return poll_again(x);
	if (status >= 300 && status < 400)
		return follow(x);
	return status < 200 || status >= 300 ? judge_status(x) : judge_body(x);
}
