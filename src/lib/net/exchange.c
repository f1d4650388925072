/* net/exchange.c - a request and its answer, on a handle of libcurl. */
#include "net/exchange.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "format/json.h"
#include "net/message.h"
#include "net/url.h"

#define UPLOAD_BUFFER (256L << 10)      /* bytes of a large body that are handed to the kernel at a time */
#define SINK_HELD (1 << 20)     /* bytes that wait for a sink; libcurl alone reads on for as long as a fast server sends */

void
http_exchange_open(struct http_exchange *x, CURL *easy, const struct http_request *request,
    const struct http_options *want)
{
	x->want = want;
	x->request = *request;
	x->easy = easy;
	x->url = xstrdup(request->url);
	x->name = request->name != NULL ? xstrdup(request->name) : url_shown(request->url);
	x->what = request->what != NULL ? xstrdup(request->what) : NULL;
	x->body = request->body_taken ? (char *)request->body.p : NULL;
	if (request->file != NULL) {
		x->file = *request->file;
		x->request.file = &x->file;
	}
	x->reply.name = x->name;
	x->reply.url = x->url;
}

void
http_exchange_close(struct http_exchange *x)
{
	curl_slist_free_all(x->headers);
	buf_free(&x->reply.body);
	free(x->url);
	free(x->name);
	free(x->what);
	free(x->body);
}

/* What comes */

const char *
http_header(const struct http_reply *reply, const char *name)
{
	struct curl_header *header;
	CURL *easy = http_exchange_of(reply)->easy;

	return curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK ? header->value : NULL;
}

time_t
http_date(const struct http_reply *reply)
{
	const char *date = http_header(reply, "Date");

	return date != NULL ? curl_getdate(date, NULL) : -1;
}

void
http_message(struct buf *b, const struct http_reply *reply)
{
	message_add(b, http_header(reply, "Content-Type"), buf_all(&reply->body));
}

struct str
http_json(const struct http_reply *reply)
{
	struct str body = buf_all(&reply->body);
	const char *p = json_space(body.p, body.p + body.n);

	return (struct str){ p, body.n - (size_t)(p - body.p) };
}

const char *
http_check_json(struct http_reply *reply, void *arg)
{
	struct json_error e = { 0 };
	struct str body = http_json(reply);
	const char *p, *end = body.p + body.n;

	(void)arg;
	if (reply->body.len == 0)
		return "the answer is empty";
	p = json_skip(body.p, end, &e);
	if (p == NULL)
		return e.cut ? "the JSON ends too soon" : e.why;
	return json_space(p, end) == end ? NULL : "something follows the JSON";
}

bool
http_exchange_is_html(const struct http_exchange *x)
{
	return message_is_html(http_header(&x->reply, "Content-Type"));
}

bool
http_exchange_has_enough(const struct http_exchange *x)
{
	return x->request.sink != NULL && x->reply.too_big;
}

void
http_exchange_pass_on(struct http_exchange *x)
{
	const struct http_request *r = &x->request;
	long status = 0;

	x->unseen = 0;
	if (r->sink == NULL || x->reply.body.len == 0)
		return;
	curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
	if ((status == 200 || status == 206) && !(r->want != NULL && http_exchange_is_html(x))) {
		r->sink->take(&x->reply.body, r->arg);
		x->passed_on = true;
		if (!r->sink->quick)
			x->mark = clock_now();  /* that may have taken long, and is not the server's fault */
	} else if (x->reply.body.len > HTTP_BODY) {
		die(EX_PROTOCOL, "%s: an error message of %zu bytes", x->name, x->reply.body.len);
	}
}

static size_t
take_body(char *p, size_t size, size_t n, void *arg)
{
	struct http_exchange *x = arg;
	struct buf *body = &x->reply.body;
	size_t max = x->request.max_body > 0 ? x->request.max_body : HTTP_BODY;

	n *= size;
	if (x->request.sink == NULL && n > max - body->len) {
		x->reply.too_big = true;
		return 0;
	}
	if (x->request.sink != NULL && x->unseen > 0 && x->unseen + n > SINK_HELD) {
		x->paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	x->unseen += n;
	buf_add(body, p, n);
	if (x->request.sink != NULL && x->request.sink->quick)
		http_exchange_pass_on(x);
	return http_exchange_has_enough(x) ? 0 : n;
}

double
http_exchange_patience(const struct http_exchange *x)
{
	return x->request.timeout > 0 ? x->request.timeout : x->want->timeout;
}

double
http_exchange_silence(struct http_exchange *x)
{
	curl_off_t down = 0, up = 0;
	double t = clock_now(), limit = http_exchange_patience(x);

	curl_easy_getinfo(x->easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
	curl_easy_getinfo(x->easy, CURLINFO_SIZE_UPLOAD_T, &up);
	if (down > 0 && limit > HTTP_STALL)
		limit = HTTP_STALL;
	if (down + up - x->mark_bytes >= (down > 0 ? HTTP_TRICKLE * limit : 1)) {
		x->mark = t;
		x->mark_bytes = down + up;
	}
	return t - x->mark > limit ? limit : 0;
}

/* What is sent */

static void
add_header(struct http_exchange *x, const char *header)
{
	if (strpbrk(header, "\r\n") != NULL)     /* what is behind it would be a header of its own */
		die(EX_CONFIG, "%s: a line break in a header: %s", x->name,
		    x->request.credential != NULL ? x->request.credential : "see its settings");

	struct curl_slist *more = curl_slist_append(x->headers, header);

	if (more == NULL)
		die(EX_OSERR, "out of memory");
	x->headers = more;
}

void
http_add_header(struct http_reply *reply, const char *header)
{
	add_header(http_exchange_of(reply), header);
}

void
http_exchange_move(struct http_exchange *x, char *to)
{
	free(x->url);
	x->reply.url = x->url = to;
}

void
http_set_url(struct http_reply *reply, const char *url)
{
	http_exchange_move(http_exchange_of(reply), xstrdup(url));
}

/* The next bytes of a body that lies in a file. */
static size_t
read_body(char *to, size_t size, size_t n, void *arg)
{
	struct http_exchange *x = arg;
	struct http_file *f = &x->file;
	long long left = f->len - x->file_read;
	ssize_t got;

	n = (long long)(size * n) < left ? size * n : (size_t)left;
	do
		got = n > 0 ? pread(f->fd, to, n, f->at + x->file_read) : 0;
	while (got < 0 && errno == EINTR);
	if (got < 0 || (got == 0 && left > 0))
		return CURL_READFUNC_ABORT;
	x->file_read += got;
	return (size_t)got;
}

static int
seek_body(void *arg, curl_off_t to, int from)
{
	struct http_exchange *x = arg;

	if (from != SEEK_SET)
		return CURL_SEEKFUNC_CANTSEEK;
	x->file_read = to;
	return CURL_SEEKFUNC_OK;
}

/* The settings that are the same for every request. */
static void
set_common(struct http_exchange *x)
{
	char agent[100];

	snprintf(agent, sizeof agent, "culvert/%s (%s)", VERSION, tool.name);
	curl_easy_setopt(x->easy, CURLOPT_USERAGENT, agent);
	curl_easy_setopt(x->easy, CURLOPT_NOSIGNAL, 1L);         /* see ignore_sigpipe() of http.c */
	curl_easy_setopt(x->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(x->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(x->easy, CURLOPT_PIPEWAIT, 1L);
	curl_easy_setopt(x->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(x->easy, CURLOPT_CONNECTTIMEOUT, (long)HTTP_CONNECT);
	curl_easy_setopt(x->easy, CURLOPT_BUFFERSIZE, 128L << 10);
	if (x->want->cacert != NULL)
		curl_easy_setopt(x->easy, CURLOPT_CAINFO, x->want->cacert);
	if (getenv("SSL_CERT_DIR") != NULL)
		curl_easy_setopt(x->easy, CURLOPT_CAPATH, getenv("SSL_CERT_DIR"));
	curl_easy_setopt(x->easy, CURLOPT_PRIVATE, x);
	curl_easy_setopt(x->easy, CURLOPT_ERRORBUFFER, x->error);
	curl_easy_setopt(x->easy, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(x->easy, CURLOPT_WRITEDATA, x);
	/* What failed may be the connection; libcurl 7.88 keeps one that broke in sending, and PIPEWAIT would wait for it.
	 * And on a connection that it kept it asks again by itself where the first time brings nothing. */
	curl_easy_setopt(x->easy, CURLOPT_FRESH_CONNECT, x->fresh || x->request.once ? 1L : 0L);
}

/* Headers and credentials; the latter for the first origin only. */
static void
set_headers(struct http_exchange *x)
{
	const struct http_request *r = &x->request;
	const char *const none[] = { NULL }, *const *headers = r->headers != NULL ? r->headers : none;
	const char *const *secrets = r->secrets != NULL && !x->foreign ? r->secrets : none;

	if ((r->user != NULL || *secrets != NULL) && !x->foreign && url_plain(x->url) && !url_loopback(x->url))
		die(EX_USAGE, "%s: plain http would show the credentials to others: use https", x->name);
	curl_slist_free_all(x->headers);
	x->headers = NULL;
	if (r->hooks != NULL && r->hooks->prepare != NULL && !x->foreign)
		r->hooks->prepare(&x->reply, r->service);
	for (; *headers != NULL; headers++)
		add_header(x, *headers);
	for (; *secrets != NULL; secrets++)
		add_header(x, *secrets);
	add_header(x, "Expect:");
	curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, x->headers);
	if (r->user != NULL && !x->foreign) {
		curl_easy_setopt(x->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		curl_easy_setopt(x->easy, CURLOPT_USERNAME, r->user);
		curl_easy_setopt(x->easy, CURLOPT_PASSWORD, r->password != NULL ? r->password : "");
	}
}

static void
set_body(struct http_exchange *x)
{
	const struct http_request *r = &x->request;

	if (r->file != NULL) {
		x->file_read = 0;
		curl_easy_setopt(x->easy, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(x->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)x->file.len);
		curl_easy_setopt(x->easy, CURLOPT_READFUNCTION, read_body);
		curl_easy_setopt(x->easy, CURLOPT_READDATA, x);
		curl_easy_setopt(x->easy, CURLOPT_SEEKFUNCTION, seek_body);
		curl_easy_setopt(x->easy, CURLOPT_SEEKDATA, x);
	} else if (r->body.p != NULL) {
		curl_easy_setopt(x->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.n);
		curl_easy_setopt(x->easy, CURLOPT_POSTFIELDS, r->body.p);
	}
	if (r->file != NULL || r->body.n > UPLOAD_BUFFER)
		curl_easy_setopt(x->easy, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER);
}

/* How it is asked, and where. */
static void
set_manner(struct http_exchange *x)
{
	const struct http_request *r = &x->request;

	curl_easy_setopt(x->easy, CURLOPT_URL, x->url);
	if (r->exact) {
		curl_easy_setopt(x->easy, CURLOPT_PATH_AS_IS, 1L);
	} else {
		curl_easy_setopt(x->easy, CURLOPT_ACCEPT_ENCODING, "");
		curl_easy_setopt(x->easy, CURLOPT_NETRC, (long)CURL_NETRC_OPTIONAL);
	}
	if (r->direct)
		curl_easy_setopt(x->easy, CURLOPT_NOPROXY, "*");
	if (r->method != NULL && strcmp(r->method, "HEAD") == 0)
		curl_easy_setopt(x->easy, CURLOPT_NOBODY, 1L);
	else if (r->method != NULL)
		curl_easy_setopt(x->easy, CURLOPT_CUSTOMREQUEST, r->method);
}

void
http_exchange_begin(struct http_exchange *x)
{
	struct http_reply *reply = &x->reply;

	curl_easy_reset(x->easy);
	set_common(x);
	set_headers(x);         /* prepare() may change the URL */
	set_body(x);
	set_manner(x);
	buf_reset(&reply->body);
	reply->status = 0;
	reply->too_big = false;
	reply->blame = EX_PROTOCOL;
	reply->wait = 0;
	x->error[0] = '\0';
	x->unseen = 0;
	x->paused = false;
	x->fresh = false;
	x->mark = clock_now();
	x->mark_bytes = 0;
}

bool
http_exchange_may_be_done(const struct http_exchange *x)
{
	long sent = 0, status = x->reply.status;

	curl_easy_getinfo(x->easy, CURLINFO_REQUEST_SIZE, &sent);
	return x->request.once && sent > 0 && (status < 300 || status >= 500 || status == 408);
}
