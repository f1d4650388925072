/*
 * s3/stream.c - a stream of unknown length as one object.
 *
 * Each part is hashed as it is filled: S3 wants the SHA-256 of a body in the signature, and takes the same for its checksum.
 */
#include "s3/stream.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/hex.h"
#include "format/xml.h"
#include "s3/guard.h"

#define SAME_SIZE 1000          /* parts of the first size: 8 GiB, as a rule */
#define GROWTH 512              /* from then on each part is larger than the one before by its 512th part */
#define PART_STEP (4LL << 10)   /* bytes: sizes are multiples of it */
#define IN_MEMORY (40LL << 20)  /* bytes of all parts that are in memory */
#define ON_DISK (10LL << 30)    /* bytes of all parts that are in files */
#define SHA 32                  /* bytes of a SHA-256 */

struct part {                   /* a place for one, used for many */
	unsigned number;                /* 0: free */
	char *p;                        /* it lies here, */
	long long cap, len;
	struct http_file file;          /* or here; fd -1: not so */
	char hash[SIGV4_HEX];
	struct http_reply *reply;       /* NULL: being filled */
	struct buf why;
};
struct sent { char *etag; unsigned char sha256[SHA]; };

struct s3_stream {
	struct s3 *s3;
	struct s3_target *to;
	struct str key;
	long long first_size, jobs, memory;
	struct part *part;              /* jobs + 1 of them */
	struct part *filling;
	long long size;                 /* of the one that is filled */
	EVP_MD_CTX *sha256;
	char *id;                       /* of the upload; NULL: none was begun */
	struct sent *sent;              /* n parts were begun */
	unsigned n, cap;
	unsigned long long bytes;
	struct buf why, etag, checksum; /* of the whole, as S3 should see it; empty: not known */
	struct buf answer;              /* its ETag, as S3 does see it */
};

static _Noreturn void
fail(const struct http_reply *reply, const char *what)
{
	die(reply->failure, "%s: %s%s%s: nothing was stored", reply->name, what, *what != '\0' ? ": " : "", reply->why);
}

static _Noreturn void
die_gone(const struct http_reply *reply)
{
	die(EX_TEMPFAIL, "%s: the upload is gone: was it aborted, or did another run send to this key? nothing was stored: run again",
	    reply->name);
}

/* The sizes of parts, and how many may be in flight */

long long
s3_part_size(long long first, unsigned number)
{
	long long size = first;

	for (unsigned i = SAME_SIZE; i < number && size < S3_PUT_MAX; i++)
		size += (size / GROWTH + PART_STEP - 1) / PART_STEP * PART_STEP;
	return size < S3_PUT_MAX ? size : S3_PUT_MAX;
}

static bool
is_for_memory(const struct s3_stream *u, long long size)
{
	return 2 * size <= u->memory;
}

static long long
most_in_flight(const struct s3_stream *u, long long size)
{
	long long room = (is_for_memory(u, size) ? u->memory : ON_DISK) / size - 1;

	return room < 1 ? 1 : room < u->jobs ? room : u->jobs;
}

/* A place for the bytes of one part */

static const char *
directory(void)
{
	const char *dir = getenv("TMPDIR");

	return dir != NULL && *dir != '\0' ? dir : "/tmp";
}

static void
open_file(struct part *part)
{
	struct buf path = { 0 };

	if (part->file.fd >= 0)
		return;
	buf_fmt(&path, "%s/%s.XXXXXX", directory(), tool.name);
	if ((part->file.fd = mkstemp(path.p)) < 0)
		die_errno(EX_CANTCREAT, "%s", path.p);
	unlink(path.p);
	buf_free(&path);
}

static void
make_place(const struct s3_stream *u, struct part *part)
{
	part->len = 0;
	if (is_for_memory(u, u->size)) {
		if (part->cap < u->size) {
			free(part->p);
			part->p = xmalloc((size_t)u->size);
			part->cap = u->size;
		}
		return;
	}
	free(part->p);
	part->p = NULL;
	part->cap = 0;
	open_file(part);
}

static void
put_file(struct part *part, struct str bytes)
{
	while (bytes.n > 0) {
		ssize_t n = pwrite(part->file.fd, bytes.p, bytes.n, (off_t)part->len);

		if (n < 0 && errno != EINTR)
			die_errno(EX_IOERR, "a part's file in %s", directory());
		if (n > 0) {
			part->len += n;
			bytes.p += n;
			bytes.n -= (size_t)n;
		}
	}
}

static void
free_place(struct part *part)
{
	free(part->p);
	if (part->file.fd >= 0)
		close(part->file.fd);
	buf_free(&part->why);
}

/* Parts */

static char *
make_query(const struct s3_stream *u, unsigned number)
{
	struct buf b = { 0 };

	if (number > 0)
		buf_fmt(&b, "partNumber=%u&", number);
	buf_text(&b, "uploadId=");
	buf_percent(&b, str_of(u->id));
	return buf_take(&b);
}

static const char *
check_part(struct http_reply *reply, void *arg)
{
	struct part *part = arg;
	const char *checksum = http_header(reply, "x-amz-checksum-sha256"), *etag = http_header(reply, "ETag");
	struct buf ours = { 0 };

	buf_reset(&part->why);
	s3_checksum(&ours, part->hash);
	if (etag == NULL || *etag == '\0')
		buf_text(&part->why, "the answer has no ETag");
	else if (checksum != NULL && strcmp(checksum, ours.p) != 0)
		buf_fmt(&part->why, "S3 has other bytes than were sent: SHA-256 %.80s, not %s", checksum, ours.p);
	buf_free(&ours);
	return part->why.len > 0 ? part->why.p : NULL;
}

/* Takes the hash of what was filled in, for the part is full or the stream at its end. */
static void
finish_hash(struct s3_stream *u, struct part *part)
{
	unsigned char raw[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (EVP_DigestFinal_ex(u->sha256, raw, &n) != 1 || EVP_DigestInit_ex2(u->sha256, NULL, NULL) != 1)
		die(EX_SOFTWARE, "OpenSSL refuses SHA-256");
	hex_put_text(part->hash, raw, n);
}

static void
send_part(struct s3_stream *u, struct part *part)
{
	struct buf checksum = { 0 }, what = { 0 };
	const char *headers[] = { NULL, NULL };
	char *query;

	if (u->n == S3_PARTS)
		die(EX_DATAERR, "s3://%s/%.*s: more than %d parts: see --part-size: nothing was stored", u->to->bucket,
		    (int)u->key.n, u->key.p, S3_PARTS);
	if (u->n == u->cap) {
		u->cap = u->cap > 0 ? 2 * u->cap : 128;
		u->sent = xrealloc(u->sent, u->cap, sizeof *u->sent);
	}
	part->number = ++u->n;
	hex_read(u->sent[part->number - 1].sha256, (struct str){ part->hash, 2 * (size_t)SHA });
	query = make_query(u, part->number);
	buf_fmt(&what, "part %u", part->number);
	if (u->to->checksums) {
		buf_text(&checksum, "x-amz-checksum-sha256: ");
		s3_checksum(&checksum, part->hash);
		headers[0] = checksum.p;
	}
	part->file.len = part->len;

	struct s3_request request = { .bucket = u->to->bucket, .key = u->key, .query = query, .headers = headers, .hash = part->hash,
	    .how = { .method = "PUT", .what = what.p, .check = check_part, .arg = part } };

	if (part->p != NULL)
		request.how.body = (struct str){ part->p, (size_t)part->len };
	else
		request.how.file = &part->file;
	part->reply = s3_start(u->s3, &request);
	free(query);
	buf_free(&checksum);
	buf_free(&what);
}

static size_t
in_flight(const struct s3_stream *u)
{
	size_t n = 0;

	for (long long i = 0; i <= u->jobs; i++)
		n += u->part[i].reply != NULL;
	return n;
}

/* Waits for one of the parts in flight. */
static void
take_one(struct s3_stream *u)
{
	struct http_reply *reply = http_wait_any(s3_http(u->s3));
	struct part *part = u->part;
	char what[32];

	while (part->reply != reply)
		part++;
	snprintf(what, sizeof what, "part %u", part->number);
	if (reply->failure != 0 && s3_error_is(reply, "NoSuchUpload"))
		die_gone(reply);
	if (reply->failure != 0)
		fail(reply, what);

	struct str etag = s3_without_quotes(str_of(http_header(reply, "ETag")));

	u->sent[part->number - 1].etag = str_dup(etag);
	s3_done(u->s3, reply);
	part->reply = NULL;
	part->number = 0;
}

/* Readies a place for the next part; waits until there is one. */
static void
next_part(struct s3_stream *u)
{
	u->size = s3_part_size(u->first_size, u->n + 1);
	while ((long long)in_flight(u) >= most_in_flight(u, u->size))
		take_one(u);
	for (u->filling = u->part; u->filling->reply != NULL; )
		u->filling++;
	make_place(u, u->filling);
}

/* The upload */

static bool
start_upload(struct s3_stream *u)
{
	const char *headers[S3_HEADERS + 2];
	size_t n = s3_target_headers(u->to, headers);
	struct buf id = { 0 };
	struct http_reply *reply;
	bool again = false;

	if (u->to->checksums)
		headers[n++] = "x-amz-checksum-algorithm: SHA256";
	headers[n] = NULL;
	reply = s3_start(u->s3, &(struct s3_request){ .bucket = u->to->bucket, .key = u->key, .query = "uploads=",
	    .headers = headers, .how = { .method = "POST", .body = STR("") } });
	if (!http_try(s3_http(u->s3), reply) && !(again = s3_checksum_refused(u->to, u->to->checksums, reply)))
		fail(reply, "");
	if (!again && (!xml_find(&id, buf_all(&reply->body), "UploadId") || id.len == 0 || strchr(id.p, '\n') != NULL))
		die(EX_PROTOCOL, "%s: the answer has no UploadId: nothing was stored", reply->name);
	s3_done(u->s3, reply);
	if (again)
		return false;
	u->id = buf_take(&id);
	return true;
}

static void
begin(struct s3_stream *u)
{
	unsigned others;

	s3_guard_start(s3_options(u->s3), u->to->bucket, u->key);
	if (!start_upload(u) && !start_upload(u))
		die(EX_SOFTWARE, "s3://%s: checksums were refused twice", u->to->bucket);
	s3_guard_watch(u->id);
	others = s3_abort_others(u->s3, u->to->bucket, u->key, u->id);
	if (others > 0)
		warning("s3://%s/%.*s: aborted %u %s of a run that died", u->to->bucket, (int)u->key.n, u->key.p, others,
		    others == 1 ? "upload" : "uploads");
}

static void
flush_part(struct s3_stream *u)
{
	finish_hash(u, u->filling);
	if (u->id == NULL)
		begin(u);
	send_part(u, u->filling);
}

struct s3_stream *
s3_stream_open(struct s3 *s3, const struct s3_stream_wanted *w)
{
	struct s3_stream *u = xcalloc(1, sizeof *u);

	*u = (struct s3_stream){ .s3 = s3, .to = w->to, .key = w->key, .first_size = w->part_size > 0 ? w->part_size : S3_PART,
	    .jobs = w->jobs > 0 ? w->jobs : S3_JOBS };
	u->memory = w->jobs > 0 && (w->jobs + 1) * S3_PART > IN_MEMORY ? (w->jobs + 1) * S3_PART : IN_MEMORY;
	u->part = xcalloc((size_t)u->jobs + 1, sizeof *u->part);
	for (long long i = 0; i <= u->jobs; i++)
		u->part[i].file.fd = -1;
	if ((u->sha256 = EVP_MD_CTX_new()) == NULL || EVP_DigestInit_ex(u->sha256, EVP_sha256(), NULL) != 1)
		die(EX_SOFTWARE, "OpenSSL refuses SHA-256");
	next_part(u);
	return u;
}

void
s3_stream_write(struct s3_stream *u, struct str bytes)
{
	u->bytes += bytes.n;
	while (bytes.n > 0) {
		if (u->filling->len == u->size) {
			flush_part(u);
			next_part(u);
		}

		long long room = u->size - u->filling->len;
		struct str now = { bytes.p, (long long)bytes.n < room ? bytes.n : (size_t)room };

		EVP_DigestUpdate(u->sha256, now.p, now.n);
		if (u->filling->p == NULL) {
			put_file(u->filling, now);
		} else {
			memcpy(u->filling->p + u->filling->len, now.p, now.n);
			u->filling->len += (long long)now.n;
		}
		bytes.p += now.n;
		bytes.n -= now.n;
	}
	if (u->id != NULL)
		http_move(s3_http(u->s3));
}

void
s3_stream_wait(struct s3_stream *u, int fd)
{
	while (!http_wait_input(s3_http(u->s3), fd))
		take_one(u);
}

/* The end */

/* What is there now: 1 this object, 0 not this one, -1 that can't be told. */
static int
look(struct s3_stream *u)
{
	static const short no[] = { 301, 307, 400, 401, 403, 404, 405, 0 };
	static const char *const headers[] = { "x-amz-checksum-mode: ENABLED", NULL };
	struct http_reply *reply = s3_start(u->s3, &(struct s3_request){ .bucket = u->to->bucket, .key = u->key,
	    .headers = u->to->checksums ? headers : NULL, .how = { .method = "HEAD", .claims = no } });
	int is = -1;

	if (http_try(s3_http(u->s3), reply)) {
		const char *etag = http_header(reply, "ETag"), *checksum = http_header(reply, "x-amz-checksum-sha256");

		if (reply->status == 404)
			is = 0;
		else if (reply->status == 200 && checksum != NULL)
			is = str_eq(str_of(checksum), buf_all(&u->checksum));
		else if (reply->status == 200 && etag != NULL && u->etag.len > 0)
			is = str_eq(s3_without_quotes(str_of(etag)), buf_all(&u->etag));
	}
	s3_done(u->s3, reply);
	return is;
}

/* One PUT, for what is no longer than a part. */
static void
put_whole(struct s3_stream *u)
{
	struct part *part = u->filling;
	struct s3_put put = { .to = u->to, .key = u->key, .hashed = true };
	struct http_reply *reply;
	bool done;

	part->file.len = part->len;
	if (part->p != NULL)
		put.body = (struct str){ part->p, (size_t)part->len };
	else
		put.file = &part->file;
	finish_hash(u, part);
	memcpy(put.sha256, part->hash, sizeof put.sha256);
	s3_checksum(&u->checksum, part->hash);
	stop_hold();
	reply = s3_put_start(u->s3, &put);
	done = http_try(s3_http(u->s3), reply);
	if (!done && s3_checksum_refused(u->to, put.checksum, reply)) {
		s3_done(u->s3, reply);
		reply = s3_put_start(u->s3, &put);
		done = http_try(s3_http(u->s3), reply);
	}
	/* libcurl may have sent it twice by itself, where a connection that it kept was closed: then what is there is ours */
	if (!done && reply->status == 412 && look(u) != 1)
		die(EX_CANTCREAT, "%s: is there already: nothing was stored", reply->name);
	if (!done && reply->status != 412)
		fail(reply, "");
	if (done && http_header(reply, "ETag") != NULL)
		buf_str(&u->answer, s3_without_quotes(str_of(http_header(reply, "ETag"))));
	s3_done(u->s3, reply);
	buf_free(&put.why);
	u->n = 1;
}

/* Appends the bytes of an ETag that is an MD5; false when it is none. */
static bool
add_md5(struct buf *b, const char *etag)
{
	unsigned char raw[16];

	if (strlen(etag) != 32 || strspn(etag, "0123456789abcdef") != 32)
		return false;
	hex_read(raw, str_of(etag));
	buf_add(b, raw, sizeof raw);
	return true;
}

/* What S3 makes of the parts: a checksum of their checksums, and an ETag of their ETags. */
static void
sum_up(struct s3_stream *u)
{
	struct buf sums = { 0 }, md5s = { 0 };
	unsigned char raw[EVP_MAX_MD_SIZE];
	char hex[SIGV4_HEX];
	unsigned n = 0;
	bool all = true;

	for (unsigned i = 0; i < u->n; i++) {
		buf_add(&sums, u->sent[i].sha256, SHA);
		all = all && add_md5(&md5s, u->sent[i].etag);
	}
	sigv4_hash(hex, buf_all(&sums));
	s3_checksum(&u->checksum, hex);
	buf_fmt(&u->checksum, "-%u", u->n);
	if (all && EVP_Digest(md5s.p, md5s.len, raw, &n, EVP_md5(), NULL) == 1) {
		hex_put_text(hex, raw, n);
		buf_fmt(&u->etag, "%s-%u", hex, u->n);
	}
	buf_free(&sums);
	buf_free(&md5s);
}

static char *
list_parts(const struct s3_stream *u)
{
	struct buf b = { 0 };

	buf_text(&b, "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
	for (unsigned i = 0; i < u->n; i++) {
		unsigned char text[45];         /* 44 and a 0 */

		buf_fmt(&b, "<Part><PartNumber>%u</PartNumber><ETag>&quot;", i + 1);
		xml_escape(&b, str_of(u->sent[i].etag));
		buf_text(&b, "&quot;</ETag>");
		EVP_EncodeBlock(text, u->sent[i].sha256, SHA);
		if (u->to->checksums)
			buf_fmt(&b, "<ChecksumSHA256>%s</ChecksumSHA256>", (char *)text);
		buf_text(&b, "</Part>");
	}
	buf_text(&b, "</CompleteMultipartUpload>");
	return buf_take(&b);
}

/* Is the answer whole, and not an error that came with a 200? */
static const char *
check_complete(struct http_reply *reply, void *arg)
{
	struct s3_stream *u = arg;

	reply->blame = EX_UNAVAILABLE;
	buf_reset(&u->why);
	if (s3_is_error(reply)) {
		buf_text(&u->why, "200, but ");
		s3_error(&u->why, reply);
		return u->why.p;
	}
	buf_reset(&u->answer);
	if (!xml_find(&u->answer, buf_all(&reply->body), "ETag") || u->answer.len == 0)
		return "the answer is cut, or none";
	return NULL;
}

/* The object is there, and has to be what was sent.  Without a checksum of S3's own the ETag has to do, where it is made of MD5s. */
static void
verify(struct s3_stream *u, const struct http_reply *reply)
{
	struct buf theirs = { 0 };
	struct str etag = s3_without_quotes(buf_all(&u->answer));
	size_t ours = u->checksum.len;
	const char *kms = http_header(reply, "x-amz-server-side-encryption");

	if (xml_find(&theirs, buf_all(&reply->body), "ChecksumSHA256") && theirs.len > 0) {
		if (strchr(theirs.p, '-') == NULL)      /* some leave out how many parts it is made of */
			ours = strcspn(u->checksum.p, "-");
		if (!str_eq(buf_all(&theirs), (struct str){ u->checksum.p, ours }))
			die(EX_PROTOCOL, "%s: stored, but S3 has other bytes than were sent: SHA-256 %s, not %s: run again", reply->name,
			    theirs.p, u->checksum.p);
	} else if (u->etag.len > 0 && (kms == NULL || strncmp(kms, "aws:kms", 7) != 0) && etag.n == u->etag.len &&
	    !str_eq(etag, buf_all(&u->etag))) {
		die(EX_PROTOCOL, "%s: stored, but S3 has other bytes than were sent: ETag %.*s, not %s: run again", reply->name,
		    (int)etag.n, etag.p, u->etag.p);
	}
	buf_free(&theirs);
}

/* The upload could not be completed, as it seems; was it? */
static void
judge_failure(struct s3_stream *u, const struct http_reply *reply)
{
	int is = look(u);

	if (is < 0)
		die(EX_TEMPFAIL, "%s: %s: whether it is stored is not known: run again", reply->name, reply->why);
	if (is == 0 && s3_error_is(reply, "NoSuchUpload"))
		die_gone(reply);
	if (is == 0 && reply->status == 412)
		die(EX_CANTCREAT, "%s: is there already: nothing was stored", reply->name);
	if (is == 0)
		fail(reply, "completing the upload");
	note("%s: the answer was lost, but the object is there", reply->name);
	buf_str(&u->answer, buf_all(&u->etag));
}

static void
complete(struct s3_stream *u)
{
	static const char *const headers[] = { "Content-Type: application/xml", NULL };
	static const char *const careful[] = { "Content-Type: application/xml", "If-None-Match: *", NULL };
	char *query = make_query(u, 0), *parts;
	struct http_reply *reply;
	bool done;

	sum_up(u);
	parts = list_parts(u);
	stop_hold();
	reply = s3_start(u->s3, &(struct s3_request){ .bucket = u->to->bucket, .key = u->key, .query = query,
	    .headers = u->to->if_none_match ? careful : headers, .how = { .method = "POST", .body = str_of(parts),
	    .check = check_complete, .arg = u, .what = "completing the upload" } });
	done = http_try(s3_http(u->s3), reply);
	if (!done)
		judge_failure(u, reply);
	s3_guard_dismiss(done);
	if (done)
		verify(u, reply);
	s3_done(u->s3, reply);
	free(query);
	free(parts);
}

struct s3_stored
s3_stream_end(struct s3_stream *u)
{
	struct s3_stored stored = { .bytes = u->bytes };

	if (u->id == NULL) {
		put_whole(u);
	} else {
		flush_part(u);
		while (in_flight(u) > 0)
			take_one(u);
		complete(u);
	}
	stored.parts = u->n;
	stored.etag = str_dup(s3_without_quotes(buf_all(&u->answer)));
	for (long long i = 0; i <= u->jobs; i++)
		free_place(&u->part[i]);
	for (unsigned i = 0; i < u->n && u->sent != NULL; i++)
		free(u->sent[i].etag);
	EVP_MD_CTX_free(u->sha256);
	buf_free(&u->why);
	buf_free(&u->etag);
	buf_free(&u->checksum);
	buf_free(&u->answer);
	free(u->part);
	free(u->sent);
	free(u->id);
	free(u);
	return stored;
}
