/*
 * http.c - a request works, or the process ends.
 *
 * Each request is a small machine: asking, waiting for its next try, then done or failed.  http_wait() turns all
 * of them until one is there, so whoever waits for page 3 also moves pages 4 and 5.
 */
#include "lib/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/json.h"
#include "lib/message.h"
#include "lib/progress.h"
#include "lib/url.h"

#define MAX_REDIRECTS 10
#define MAX_PAUSE 60.0          /* s between two tries, where the server does not say */
#define UPLOAD_BUFFER (256L << 10)      /* bytes of a large body that are handed to the kernel at a time */
#define SINK_HELD (1 << 20)     /* bytes that wait for a sink; libcurl alone reads on for as long as a fast server sends */
#define MAY_BE_DONE ": it may be done or not: look before you send it again"
#define FEW 8                   /* requests: among more, a new one waits for the next turn, since each turn costs libcurl a look at all */
#define SPARES 64               /* handles kept */
#define BOMB_RATIO 200          /* unpacked to packed bytes; text packs 5 to 50 to one */

double http_max_time, http_max_wait = 600, http_timeout = HTTP_TIMEOUT, http_retry_wait = 1;
long long http_retries = 8;
const char *http_cacert;

enum state { WAITING, ASKING, DONE, FAILED };

struct http_call {
	struct http_reply reply;        /* first, so that a reply is its call */
	struct http_request request;
	struct http_call *next;
	CURL *easy;
	struct curl_slist *headers;
	char *url, *name, *what;
	char *body;                     /* of request.body_taken */
	char error[CURL_ERROR_SIZE];
	enum state state;
	int redirects, tries;
	bool foreign;                   /* redirected to another origin: credentials stay here */
	bool passed_on;                 /* the sink took bytes: no second try, unless the request resumes */
	bool fresh;                     /* the next try needs a new connection */
	bool given;                     /* by http_wait_any() */
	size_t unseen;                  /* bytes of the body that came since the sink was last asked */
	bool paused;                    /* since these are enough */
	struct http_file file;          /* the body, and how far this try has read it */
	long long file_read;
	double wake;                    /* when WAITING ends */
	double waited;                  /* s spent on 202 */
	double mark;                    /* the stall clock: since when, at how many bytes */
	curl_off_t mark_bytes;
	struct buf why;                 /* once FAILED; before, why it was tried again */
};

struct http {
	CURLM *multi;
	struct http_call *calls;
	CURL *spare[SPARES];            /* handles for requests to come: a new one costs more than a small request */
	size_t spares;
	double deadline;                /* of --max-time; 0: none */
	double not_before;              /* told to come back later: holds for every request */
	uint64_t random;
};

static double
smaller(double a, double b)
{
	return a < b ? a : b;
}

static double
larger(double a, double b)
{
	return a > b ? a : b;
}

/* 0 to 1; xorshift is random enough to keep many clients from coming back at once. */
static double
chance(struct http *http)
{
	http->random ^= http->random << 13;
	http->random ^= http->random >> 7;
	http->random ^= http->random << 17;
	return (http->random >> 11) / 9007199254740992.0;
}

/*
 * A connection that is gone must be an error and no SIGPIPE, while that is what ends a filter whose reader left.  libcurl would see to
 * it by itself, but with two system calls for each request that is under way, each time that it is called: so it is done here, once.
 */
static void
ignore_sigpipe(bool ignore)
{
	static struct sigaction before;
	static int depth;

	if (ignore && depth++ == 0)
		sigaction(SIGPIPE, &(struct sigaction){ .sa_handler = SIG_IGN }, &before);
	else if (!ignore && --depth == 0)
		sigaction(SIGPIPE, &before, NULL);
}

struct http *
http_open(void)
{
	struct http *http = xcalloc(1, sizeof *http);
	struct timespec t;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0 || (http->multi = curl_multi_init()) == NULL)
		die(EX_OSERR, "cannot start libcurl");
	clock_gettime(CLOCK_REALTIME, &t);
	http->random = (uint64_t)t.tv_nsec << 32 ^ (uint64_t)t.tv_sec ^ (uint64_t)getpid() << 20 ^ 1;
	http->deadline = http_max_time > 0 ? clock_now() + http_max_time : 0;
	if (http_cacert == NULL)
		http_cacert = getenv("CURL_CA_BUNDLE");
	if (http_cacert == NULL)
		http_cacert = getenv("SSL_CERT_FILE");
	return http;
}

void
http_close(struct http *http)
{
	while (http->calls != NULL)
		http_done(http, &http->calls->reply);
	ignore_sigpipe(true);
	while (http->spares > 0)
		curl_easy_cleanup(http->spare[--http->spares]);
	curl_multi_cleanup(http->multi);
	ignore_sigpipe(false);
	curl_global_cleanup();
	free(http);
}

/* What a reply says */

const char *
http_header(const struct http_reply *reply, const char *name)
{
	const struct http_call *call = (const struct http_call *)reply;
	struct curl_header *header;

	return curl_easy_header(call->easy, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK ? header->value : NULL;
}

static bool
is_html(const struct http_reply *reply)
{
	return message_is_html(http_header(reply, "Content-Type"));
}

void
http_message(struct buf *b, const struct http_reply *reply)
{
	message_add(b, http_header(reply, "Content-Type"), buf_all(&reply->body));
}

const char *
http_check_json(struct http_reply *reply, void *arg)
{
	struct json_error e = { 0 };
	const char *p, *end;

	(void)arg;
	if (reply->body.len == 0)
		return "the answer is empty";
	end = reply->body.p + reply->body.len;
	p = json_skip(json_space(reply->body.p, end), end, &e);
	if (p == NULL)
		return e.cut ? "the JSON ends too soon" : e.why;
	return json_space(p, end) == end ? NULL : "something follows the JSON";
}

/* A try, and what comes of it */

/* Gives bytes of a body that streams to its sink; between curl's calls, unless the sink is quick, so that a slow reader holds
 * nothing of curl's and SIGPIPE is ours. */
static void
pass_on(struct http_call *call)
{
	struct http_request *r = &call->request;
	long status = 0;

	call->unseen = 0;
	if (r->sink == NULL || call->reply.body.len == 0)
		return;
	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	if ((status == 200 || status == 206) && !(r->want != NULL && is_html(&call->reply))) {
		r->sink(&call->reply.body, r->arg);
		call->passed_on = true;
		if (!r->quick)
			call->mark = clock_now();     /* that may have taken long, and is not the server's fault */
	} else if (call->reply.body.len > HTTP_BODY) {
		die(EX_PROTOCOL, "%s: an error message of %zu bytes", call->name, call->reply.body.len);
	}
}

/* The sink wants no more of it. */
static bool
had_enough(const struct http_call *call)
{
	return call->request.sink != NULL && call->reply.too_big;
}

static size_t
take_body(char *p, size_t size, size_t n, void *arg)
{
	struct http_call *call = arg;
	struct buf *body = &call->reply.body;
	size_t max = call->request.max_body > 0 ? call->request.max_body : HTTP_BODY;

	n *= size;
	if (call->request.sink == NULL && n > max - body->len) {
		call->reply.too_big = true;
		return 0;
	}
	if (call->request.sink != NULL && call->unseen > 0 && call->unseen + n > SINK_HELD) {
		call->paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	call->unseen += n;
	buf_add(body, p, n);
	if (call->request.quick)
		pass_on(call);
	return had_enough(call) ? 0 : n;
}

static void
add_header(struct http_call *call, const char *header)
{
	if (strpbrk(header, "\r\n") != NULL)     /* what is behind it would be a header of its own */
		die(EX_CONFIG, "%s: a line break in a header: %s", call->name,
		    call->request.credential != NULL ? call->request.credential : "see its settings");

	struct curl_slist *more = curl_slist_append(call->headers, header);

	if (more == NULL)
		die(EX_OSERR, "out of memory");
	call->headers = more;
}

void
http_add_header(struct http_reply *reply, const char *header)
{
	add_header((struct http_call *)reply, header);
}

void
http_set_url(struct http_reply *reply, const char *url)
{
	struct http_call *call = (struct http_call *)reply;

	free(call->url);
	reply->url = call->url = xstrdup(url);
}

/* The next bytes of a body that lies in a file. */
static size_t
read_body(char *to, size_t size, size_t n, void *arg)
{
	struct http_call *call = arg;
	struct http_file *f = &call->file;
	long long left = f->len - call->file_read;
	ssize_t got;

	n = (long long)(size * n) < left ? size * n : (size_t)left;
	do
		got = n > 0 ? pread(f->fd, to, n, f->at + call->file_read) : 0;
	while (got < 0 && errno == EINTR);
	if (got < 0 || (got == 0 && left > 0))
		return CURL_READFUNC_ABORT;
	call->file_read += got;
	return (size_t)got;
}

static int
seek_body(void *arg, curl_off_t to, int from)
{
	struct http_call *call = arg;

	if (from != SEEK_SET)
		return CURL_SEEKFUNC_CANTSEEK;
	call->file_read = to;
	return CURL_SEEKFUNC_OK;
}

/* The settings that are the same for every request. */
static void
set_common(CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);    /* see ignore_sigpipe() */
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, (long)HTTP_CONNECT);
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 128L << 10);
	if (http_cacert != NULL)
		curl_easy_setopt(easy, CURLOPT_CAINFO, http_cacert);
	if (getenv("SSL_CERT_DIR") != NULL)
		curl_easy_setopt(easy, CURLOPT_CAPATH, getenv("SSL_CERT_DIR"));
}

static void
set_request(struct http_call *call)
{
	const struct http_request *r = &call->request;
	bool secret = r->user != NULL || (r->secrets != NULL && r->secrets[0] != NULL);

	if (secret && !call->foreign && url_plain(call->url) && !url_loopback(call->url))
		die(EX_USAGE, "%s: plain http would show the credentials to others: use https", call->name);
	curl_slist_free_all(call->headers);
	call->headers = NULL;
	if (r->prepare != NULL && !call->foreign)
		r->prepare(&call->reply, r->arg);
	curl_easy_setopt(call->easy, CURLOPT_URL, call->url);
	for (size_t i = 0; r->headers != NULL && r->headers[i] != NULL; i++)
		add_header(call, r->headers[i]);
	for (size_t i = 0; r->secrets != NULL && r->secrets[i] != NULL && !call->foreign; i++)
		add_header(call, r->secrets[i]);
	add_header(call, "Expect:");
	curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers);
	if (r->user != NULL && !call->foreign) {
		curl_easy_setopt(call->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		curl_easy_setopt(call->easy, CURLOPT_USERNAME, r->user);
		curl_easy_setopt(call->easy, CURLOPT_PASSWORD, r->password != NULL ? r->password : "");
	}
	if (r->exact) {
		curl_easy_setopt(call->easy, CURLOPT_PATH_AS_IS, 1L);
	} else {
		curl_easy_setopt(call->easy, CURLOPT_ACCEPT_ENCODING, "");
		curl_easy_setopt(call->easy, CURLOPT_NETRC, (long)CURL_NETRC_OPTIONAL);
	}
	if (r->direct)
		curl_easy_setopt(call->easy, CURLOPT_NOPROXY, "*");
	if (r->file != NULL) {
		call->file_read = 0;
		curl_easy_setopt(call->easy, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(call->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)call->file.len);
		curl_easy_setopt(call->easy, CURLOPT_READFUNCTION, read_body);
		curl_easy_setopt(call->easy, CURLOPT_READDATA, call);
		curl_easy_setopt(call->easy, CURLOPT_SEEKFUNCTION, seek_body);
		curl_easy_setopt(call->easy, CURLOPT_SEEKDATA, call);
	} else if (r->body.p != NULL) {
		curl_easy_setopt(call->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.n);
		curl_easy_setopt(call->easy, CURLOPT_POSTFIELDS, r->body.p);
	}
	if (r->file != NULL || r->body.n > UPLOAD_BUFFER)
		curl_easy_setopt(call->easy, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER);
	if (r->method != NULL && strcmp(r->method, "HEAD") == 0)
		curl_easy_setopt(call->easy, CURLOPT_NOBODY, 1L);
	else if (r->method != NULL)
		curl_easy_setopt(call->easy, CURLOPT_CUSTOMREQUEST, r->method);
}

static void
ask(struct http *http, struct http_call *call)
{
	char agent[100];

	snprintf(agent, sizeof agent, "culvert/%s (%s)", VERSION, tool.name);
	curl_easy_reset(call->easy);
	set_common(call->easy);
	set_request(call);
	curl_easy_setopt(call->easy, CURLOPT_USERAGENT, agent);
	curl_easy_setopt(call->easy, CURLOPT_PRIVATE, call);
	curl_easy_setopt(call->easy, CURLOPT_ERRORBUFFER, call->error);
	curl_easy_setopt(call->easy, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(call->easy, CURLOPT_WRITEDATA, call);
	buf_reset(&call->reply.body);
	call->reply.url = call->url;
	call->reply.status = 0;
	call->reply.too_big = false;
	call->unseen = 0;
	call->paused = false;
	call->reply.blame = EX_PROTOCOL;
	call->reply.wait = 0;
	call->reply.status = 0;
	call->error[0] = '\0';
	call->mark = clock_now();
	call->mark_bytes = 0;
	call->state = ASKING;
	/* What failed may be the connection; libcurl 7.88 keeps one that broke in sending, and PIPEWAIT would wait for it.
	 * And on a connection that it kept it asks again by itself where the first time brings nothing. */
	curl_easy_setopt(call->easy, CURLOPT_FRESH_CONNECT, call->fresh || call->request.once ? 1L : 0L);
	call->fresh = false;
	if (curl_multi_add_handle(http->multi, call->easy) != CURLM_OK)
		die(EX_OSERR, "libcurl takes no more requests");
}

/* What must not be done twice may have been done: it was sent, and no answer says that it was not. */
static bool
may_be_done(struct http_call *call)
{
	long sent = 0, status = call->reply.status;

	curl_easy_getinfo(call->easy, CURLINFO_REQUEST_SIZE, &sent);
	return call->request.once && sent > 0 && (status < 300 || status >= 500 || status == 408);
}

static void PRINTF(3, 4)
fail(struct http_call *call, int status, const char *fmt, ...)
{
	char line[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	call->state = FAILED;
	call->reply.failure = status;
	call->reply.unknown = may_be_done(call);
	buf_reset(&call->why);
	buf_text(&call->why, line);
	call->reply.why = call->why.p;
}

/* "at 06:00", with the day where it is another one. */
static void
come_back(char *text, size_t size, double seconds)
{
	time_t today = time(NULL), then = today + (time_t)seconds;
	struct tm a, b;

	localtime_r(&today, &a);
	localtime_r(&then, &b);
	strftime(text, size, a.tm_yday == b.tm_yday && a.tm_year == b.tm_year ? "%H:%M" : "%Y-%m-%d %H:%M", &b);
}

/*
 * Sleeps and tries again, or gives up with the status.  TOLD: what Retry-After says, 0 if nothing.  Full jitter: any time up
 * to the doubled pause, so that clients which failed together do not come back together.
 */
static void PRINTF(5, 6)
try_again(struct http *http, struct http_call *call, int status, double told, const char *fmt, ...)
{
	long long most = call->request.tries > 0 ? call->request.tries : http_retries + 1;
	double base, pause;
	char why[1024], when[40];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof why, fmt, ap);
	va_end(ap);
	if (call->passed_on && call->request.resumes) {         /* it got on: tries are for standing still */
		call->passed_on = false;
		call->tries = 0;
	}
	base = smaller(MAX_PAUSE, http_retry_wait * (1 << (call->tries < 20 ? call->tries : 20)));
	pause = chance(http) * base + told;
	call->tries++;
	call->fresh = true;
	if (may_be_done(call)) {
		fail(call, EX_TEMPFAIL, "%s" MAY_BE_DONE, why);
	} else if (told > http_max_wait) {
		come_back(when, sizeof when, told);
		fail(call, EX_TEMPFAIL, "%s: come back at %s, or give a longer --max-wait", why, when);
	} else if (call->passed_on) {
		fail(call, status, "%s: part of it was passed on already: run again", why);
	} else if (call->tries >= most) {
		fail(call, status, "%s: gave up after %d %s", why, call->tries, call->tries == 1 ? "try" : "tries");
	} else if (http->deadline > 0 && clock_now() + pause > http->deadline) {
		fail(call, status, "%s: no time for another try in --max-time", why);
	} else {
		if (told > 0)
			http->not_before = larger(http->not_before, clock_now() + told);
		call->state = WAITING;
		call->wake = clock_now() + pause;
		buf_reset(&call->why);
		buf_text(&call->why, why);
		if (opt_verbose || pause >= 5)
			note("%s: %s: trying again in %.0f s", call->name, why, pause);
	}
}

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

/* No answer, or not all of one. */
static void
judge_error(struct http *http, struct http_call *call, CURLcode code)
{
	const char *said = call->error[0] != '\0' ? call->error : curl_easy_strerror(code);
	curl_off_t packed = 0;
	long connect = 0;
	char *proxy;

	if (is_tls_verdict(code, said)) {
		fail(call, EX_PROTOCOL, "TLS: %s", said);
		return;
	}
	switch (code) {
	case CURLE_WRITE_ERROR:
		curl_easy_getinfo(call->easy, CURLINFO_SIZE_DOWNLOAD_T, &packed);
		if (call->reply.too_big && call->request.may_be_big && (curl_off_t)call->reply.body.len / BOMB_RATIO <= packed)
			call->state = DONE;
		else
			fail(call, EX_PROTOCOL, "the answer unpacks to more than %zu MiB", call->reply.body.len >> 20);
		return;
	case CURLE_SSL_CACERT_BADFILE:
		fail(call, EX_CONFIG, "%s: see --cacert", said);
		return;
	case CURLE_ABORTED_BY_CALLBACK:
		fail(call, EX_IOERR, "the file that holds the body can't be read again");
		return;
	case CURLE_URL_MALFORMAT:
		fail(call, EX_USAGE, "no URL: %s", said);
		return;
	case CURLE_UNSUPPORTED_PROTOCOL: case CURLE_WEIRD_SERVER_REPLY:
		fail(call, EX_PROTOCOL, "%s", said);
		return;
	case CURLE_PARTIAL_FILE: case CURLE_BAD_CONTENT_ENCODING:
		try_again(http, call, EX_PROTOCOL, 0, "the answer is cut or garbled: %s", said);
		return;
	case CURLE_OUT_OF_MEMORY:
		die(EX_OSERR, "out of memory");
	default:
		break;
	}
	curl_easy_getinfo(call->easy, CURLINFO_HTTP_CONNECTCODE, &connect);
	if (connect == 407) {
		fail(call, EX_NOPERM, "the proxy refused us (407): check the user and password in https_proxy");
	} else if ((proxy = proxy_blamed(call->url, said)) != NULL || connect >= 400) {
		try_again(http, call, EX_UNAVAILABLE, 0, "the proxy %s: %s", proxy != NULL ? proxy : "", said);
		free(proxy);
	} else {
		try_again(http, call, EX_UNAVAILABLE, 0, "%s", said);
	}
}

/*
 * 102 Processing is no answer but a sign of life, which libcurl passes over while it waits for the answer (RFC 2518 10.1).  Where
 * none comes, by silence or by the end of the connection, it was the last word: not ready, which another try at once won't change.
 */
static bool
is_still_at_work(struct http_call *call)
{
	long last = 0;

	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &last);
	if (last == 102)
		fail(call, EX_TEMPFAIL, "not ready (102, and no answer after it): run again later");
	return last == 102;
}

/* Goes where the server points.  RFC 9110 15.4: 301, 302 and 303 turn a POST into a GET, 307 and 308 keep it. */
static void
follow(struct http_call *call)
{
	struct http_request *r = &call->request;
	char *to = NULL, *shown;
	bool keeps = call->reply.status == 307 || call->reply.status == 308;

	curl_easy_getinfo(call->easy, CURLINFO_REDIRECT_URL, &to);
	if (to == NULL || r->follow_no || ++call->redirects > MAX_REDIRECTS) {
		fail(call, EX_PROTOCOL, to == NULL ? "%ld that points nowhere" : r->follow_no ? "%ld, a redirect that is not followed"
		    : "%ld, one redirect too many", call->reply.status);
		return;
	}
	shown = url_shown(to);
	if (url_plain(to) && !url_plain(call->url)) {
		fail(call, EX_PROTOCOL, "redirected to plain http://%s, which is not followed", shown);
	} else if (keeps && (r->body.p != NULL || r->file != NULL) && !url_same_origin(call->url, to)) {
		fail(call, EX_PROTOCOL, "redirected with its body to another host, %s, which is not followed", shown);
	} else {
		call->foreign = call->foreign || !url_same_origin(call->url, to);
		if (!keeps) {
			r->body = (struct str){ NULL, 0 };
			r->file = NULL;
			r->method = r->method != NULL && strcmp(r->method, "HEAD") == 0 ? r->method : NULL;
		}
		to = xstrdup(to);               /* the handle owns the first */
		free(call->url);
		call->url = to;
		call->state = WAITING;
		call->wake = 0;
	}
	free(shown);
}

/* What Retry-After asks for, in seconds; 0 for nothing or a time that has passed. */
static double
retry_after(struct http_call *call)
{
	curl_off_t seconds = 0;

	curl_easy_getinfo(call->easy, CURLINFO_RETRY_AFTER, &seconds);
	return seconds > 0 ? (double)seconds : 0;
}

/* 202: the same again, or where it says, until --max-wait is over. */
static void
poll_again(struct http *http, struct http_call *call)
{
	const char *location = http_header(&call->reply, "Location");
	struct buf url = { 0 };
	double told = retry_after(call);
	double pause = told > 0 ? told : smaller(MAX_PAUSE, http_retry_wait * 4 * (1 + call->waited / 60));

	if (call->waited + pause > http_max_wait || (http->deadline > 0 && clock_now() + pause > http->deadline)) {
		fail(call, EX_TEMPFAIL, "not ready (202) after %.0f s: run again later", call->waited);
		return;
	}
	if (location != NULL) {
		url_resolve(&url, call->url, location);
		call->request.body = (struct str){ NULL, 0 };           /* the place of an answer is only to be looked at */
		call->request.method = NULL;
	} else if (call->request.later != NULL)
		call->request.later(&call->reply, &url, call->request.arg);
	if (url.len > 0) {
		call->foreign = call->foreign || !url_same_origin(call->url, url.p);
		if (url_plain(url.p) && !url_plain(call->url)) {
			fail(call, EX_PROTOCOL, "202 points to plain http, which is not followed");
			buf_free(&url);
			return;
		}
		free(call->url);
		call->url = buf_take(&url);
	}
	if (call->waited == 0)
		note("%s: not ready (202): asking again", call->name);
	call->waited += pause;
	call->state = WAITING;
	call->wake = clock_now() + pause;
}

static bool
claimed(const struct http_call *call)
{
	for (const short *s = call->request.claims; s != NULL && *s != 0; s++)
		if (*s == call->reply.status)
			return true;
	return false;
}

/* An answer came whole, and says that it is an error. */
static void
judge_status(struct http *http, struct http_call *call)
{
	long status = call->reply.status;
	struct buf said = { 0 };
	const char *credential = call->request.credential;

	http_message(&said, &call->reply);
	if (said.len == 0)
		buf_text(&said, "no message");
	if (status == 429)
		try_again(http, call, EX_TEMPFAIL, retry_after(call), "throttled (429): \"%s\"", said.p);
	else if (status == 408 || status == 425 || status >= 500)
		try_again(http, call, EX_UNAVAILABLE, retry_after(call), "the server failed (%ld): \"%s\"", status, said.p);
	else if (status == 401 || status == 403)
		fail(call, EX_NOPERM, "refused (%ld): \"%s\"%s%s", status, said.p, credential != NULL ? ": " : "",
		    credential != NULL ? credential : "");
	else if (status == 407)
		fail(call, EX_NOPERM, "the proxy refused us (407): check the user and password in http_proxy");
	else
		fail(call, EX_PROTOCOL, "answered %ld: \"%s\"", status, said.p);
	buf_free(&said);
}

/* An answer with data.  A page that is no page comes from a login or a gateway; again would not mend it. */
static void
judge_body(struct http *http, struct http_call *call)
{
	struct http_request *r = &call->request;
	struct buf title = { 0 };
	const char *why;

	if (r->want != NULL && is_html(&call->reply)) {
		http_message(&title, &call->reply);
		fail(call, EX_PROTOCOL, "wanted %s, got text/html: \"%s\"", r->want, title.p != NULL ? title.p : "");
		buf_free(&title);
		return;
	}
	why = r->check != NULL ? r->check(&call->reply, r->arg) : NULL;
	if (why != NULL)
		try_again(http, call, call->reply.blame, 0, "%s", why);
	else
		call->state = DONE;
}

/* A refusal that the caller knows better: its cause is mended, or will pass, or will not. */
static bool
mended(struct http *http, struct http_call *call)
{
	struct http_request *r = &call->request;
	const char *why = call->reply.status >= 300 && r->mend != NULL ? r->mend(&call->reply, r->arg) : NULL;

	if (why != NULL && call->reply.failure != 0)
		fail(call, call->reply.failure, "%s", why);
	else if (why != NULL)
		try_again(http, call, call->reply.blame, larger(call->reply.wait, retry_after(call)), "%s", why);
	return why != NULL;
}

static void
judge(struct http *http, struct http_call *call, CURLcode code)
{
	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &call->reply.status);
	if (had_enough(call))
		call->state = DONE;
	else if (code != CURLE_OK && is_still_at_work(call))
		return;
	else if (code != CURLE_OK)
		judge_error(http, call, code);
	else if (claimed(call))
		call->state = DONE;
	else if (mended(http, call))
		return;
	else if (call->reply.status == 202 && call->request.polls)
		poll_again(http, call);
	else if (call->reply.status >= 300 && call->reply.status < 400)
		follow(call);
	else if (call->reply.status < 200 || call->reply.status >= 300)
		judge_status(http, call);
	else
		judge_body(http, call);
}

/* The sink has seen to what it was stopped for. */
static void
resume(struct http_call *call)
{
	call->paused = false;
	ignore_sigpipe(true);
	curl_easy_pause(call->easy, CURLPAUSE_CONT);
	ignore_sigpipe(false);
}

static void
stop_asking(struct http *http, struct http_call *call)
{
	if (call->state != ASKING)
		return;
	ignore_sigpipe(true);
	curl_multi_remove_handle(http->multi, call->easy);
	ignore_sigpipe(false);
}

/* A peer that sends nothing, or next to nothing, is gone. */
static void
watch(struct http *http, struct http_call *call)
{
	curl_off_t down = 0, up = 0;
	double t = clock_now(), limit;

	curl_easy_getinfo(call->easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
	curl_easy_getinfo(call->easy, CURLINFO_SIZE_UPLOAD_T, &up);
	limit = call->request.timeout > 0 ? call->request.timeout : http_timeout;
	if (down > 0)
		limit = smaller(limit, HTTP_STALL);
	if (http->deadline > 0 && t > http->deadline) {
		stop_asking(http, call);
		if (!is_still_at_work(call))
			fail(call, EX_UNAVAILABLE, "no whole answer%s%s: stopped by --max-time", call->why.len > 0 ? "; before: " : "",
			    call->why.len > 0 ? call->why.p : "");
	} else if (down + up - call->mark_bytes >= (down > 0 ? HTTP_TRICKLE * limit : 1)) {
		call->mark = t;
		call->mark_bytes = down + up;
	} else if (t - call->mark > limit) {
		stop_asking(http, call);
		if (!is_still_at_work(call))
			try_again(http, call, EX_UNAVAILABLE, 0, down > 0 ? "stalled: next to nothing came for %.3g s"
			    : "no answer for %.3g s", limit);
	}
}

static void
perform(struct http *http)
{
	int running;

	ignore_sigpipe(true);
	if (curl_multi_perform(http->multi, &running) != CURLM_OK)
		die(EX_SOFTWARE, "libcurl lost its way");
	ignore_sigpipe(false);
}

/* Moves every request on, and waits for one of them, or FD unless it is -1, to have something: SLEEP s at most.  True when it is FD. */
static bool
turn(struct http *http, int fd, double sleep)
{
	struct curl_waitfd input = { .fd = fd, .events = CURL_WAIT_POLLIN };
	double t = clock_now();
	int left;

	for (struct http_call *c = http->calls; c != NULL; c = c->next) {
		double wake = larger(c->wake, http->not_before);

		if (c->state == WAITING && wake <= t)
			ask(http, c);
		else if (c->state == WAITING)
			sleep = smaller(sleep, wake - t);
		else if (c->state == ASKING)
			sleep = smaller(sleep, larger(0.01, (c->request.timeout > 0 ? c->request.timeout : http_timeout) / 4));
	}
	perform(http);
	for (CURLMsg *m; (m = curl_multi_info_read(http->multi, &left)) != NULL; ) {
		struct http_call *call;
		CURLcode code = m->data.result;

		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &call);
		pass_on(call);
		stop_asking(http, call);
		judge(http, call, code);
		sleep = 0;
	}
	for (struct http_call *c = http->calls; c != NULL; c = c->next) {
		if (c->state != ASKING)
			continue;
		pass_on(c);
		if (had_enough(c)) {
			stop_asking(http, c);
			judge(http, c, CURLE_OK);
			sleep = 0;
			continue;
		}
		watch(http, c);
		if (c->state == ASKING && c->paused)
			resume(c);
	}
	progress_check();
	curl_multi_poll(http->multi, &input, fd >= 0 ? 1 : 0, (int)(sleep * 1000 + 0.999), NULL);
	return input.revents != 0;
}

/* The caller's side */

struct http_reply *
http_start(struct http *http, const struct http_request *request)
{
	struct http_call *call = xcalloc(1, sizeof *call), **last = &http->calls;
	size_t others = 0;

	call->request = *request;
	call->easy = http->spares > 0 ? http->spare[--http->spares] : curl_easy_init();
	if (call->easy == NULL)
		die(EX_OSERR, "out of memory");
	call->url = xstrdup(request->url);
	call->name = request->name != NULL ? xstrdup(request->name) : url_shown(request->url);
	call->what = request->what != NULL ? xstrdup(request->what) : NULL;
	call->body = request->body_taken ? (char *)request->body.p : NULL;
	if (request->file != NULL) {
		call->file = *request->file;
		call->request.file = &call->file;
	}
	call->reply.name = call->name;
	call->reply.url = call->url;
	for (; *last != NULL; last = &(*last)->next)
		others++;
	*last = call;
	if (http->not_before <= clock_now()) {
		ask(http, call);
		if (others < FEW)
			perform(http);  /* on its way now, while the caller does something else */
	}
	return &call->reply;
}

static bool
is_over(const struct http_call *call)
{
	return call->state == DONE || call->state == FAILED;
}

bool
http_try(struct http *http, struct http_reply *reply)
{
	struct http_call *call = (struct http_call *)reply;

	while (!is_over(call))
		turn(http, -1, 1);
	return call->state == DONE;
}

_Noreturn void
http_die(const struct http_reply *reply)
{
	const struct http_call *call = (const struct http_call *)reply;

	die(reply->failure, "%s: %s%s%s", call->name, call->what != NULL ? call->what : "", call->what != NULL ? ": " : "",
	    reply->why);
}

void
http_wait(struct http *http, struct http_reply *reply)
{
	if (!http_try(http, reply))
		http_die(reply);
}

void
http_pause(struct http *http, struct http_reply *reply, int n)
{
	struct http_call *call = (struct http_call *)reply;
	double pause = chance(http) * smaller(MAX_PAUSE, http_retry_wait * (1 << (n < 20 ? n - 1 : 19))), until = clock_now() + pause;
	const char *end = n > http_retries ? "gave up" : http->deadline > 0 && until > http->deadline ? "--max-time is over" : NULL;
	const char *advice = strstr(call->why.p, MAY_BE_DONE);
	char *why = str_dup((struct str){ call->why.p, advice != NULL ? (size_t)(advice - call->why.p) : call->why.len });

	if (end != NULL) {
		fail(call, EX_UNAVAILABLE, "%s: %s after %d %s", why, end, n, n == 1 ? "try" : "tries");
		http_die(reply);
	}
	if (opt_verbose || pause >= 5)
		note("%s: %s: looking what was done in %.0f s", call->name, why, pause);
	free(why);
	for (double left; (left = until - clock_now()) > 0; progress_check())
		curl_multi_poll(http->multi, NULL, 0, (int)(smaller(1, left) * 1000 + 0.999), NULL);
}

struct http_reply *
http_wait_any(struct http *http)
{
	for (;;) {
		bool busy = false;

		for (struct http_call *c = http->calls; c != NULL; c = c->next) {
			if (!is_over(c)) {
				busy = true;
			} else if (!c->given) {
				c->given = true;
				return &c->reply;
			}
		}
		if (!busy)
			return NULL;
		turn(http, -1, 1);
	}
}

bool
http_wait_input(struct http *http, int fd)
{
	for (;;) {
		bool busy = false;

		for (struct http_call *c = http->calls; c != NULL; c = c->next) {
			if (is_over(c) && !c->given)
				return false;
			busy = busy || !is_over(c);
		}
		if (!busy || turn(http, fd, 1))
			return true;
	}
}

void
http_move(struct http *http)
{
	turn(http, -1, 0);
}

void
http_hold(struct http *http, double seconds)
{
	http->not_before = larger(http->not_before, clock_now() + seconds);
}

void
http_done(struct http *http, struct http_reply *reply)
{
	struct http_call *call = (struct http_call *)reply, **p = &http->calls;

	while (*p != call)
		p = &(*p)->next;
	*p = call->next;
	stop_asking(http, call);
	if (http->spares < SPARES) {
		curl_easy_reset(call->easy);
		http->spare[http->spares++] = call->easy;
	} else {
		curl_easy_cleanup(call->easy);
	}
	curl_slist_free_all(call->headers);
	buf_free(&call->reply.body);
	buf_free(&call->why);
	free(call->url);
	free(call->name);
	free(call->what);
	free(call->body);
	free(call);
}
