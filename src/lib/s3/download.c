/*
 * s3/download.c - objects of S3 in the order they were asked for.
 *
 * An object is asked for with a plain GET, whose headers tell its size, ETag and checksum.  Of a large one only the first range is
 * taken of that, and the others are asked for when its turn comes.
 */
#include "s3/download.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/progress.h"
#include "format/xml.h"
#include "s3/check.h"

#define SLOTS 1024              /* objects in the window: a power of two */
#define LEAST (32LL << 10)      /* bytes that an object counts for at least: a request costs as much */
#define UNKNOWN (256LL << 10)   /* and one whose size nobody told */
#define MOST_RANGES 4           /* of one object at a time: two keep a local server busy, four a far one */

/* Some bytes of an object, on their way. */
struct part {
	struct object *of;
	struct http_reply *reply;
	long long at, want;             /* bytes [at, at + want) are wanted; want -1: as many as there are */
	struct buf data;                /* those that came */
	bool looked;                    /* at the headers of this try */
	bool conditional;               /* this try has an If-Match */
	int failure;                    /* exit status: the answer can't be used, and why */
	const char *why;
	struct buf text;                /* that why may point to */
};

struct object {
	struct s3_downloads *in;
	char *bucket;
	struct buf key;
	long long size;                 /* -1: not known yet */
	long long reserved;             /* bytes that it counts for in the window */
	char *etag;                     /* as S3 writes it */
	bool gzip, over;                /* over: the reply of first is there */
	struct s3_check check;
	struct part first;
};

struct s3_downloads {
	struct s3 *s3;
	struct s3_taker taker;
	struct object slots[SLOTS];
	size_t head, tail;              /* the window: [head, tail), modulo SLOTS */
	int asking;                     /* of them, not over yet */
	long long reserved;
	struct part ranges[MOST_RANGES];
	struct s3_download_counts count;
};

/* What a request is and what its answer says */

static void
refuse(struct part *part, int failure, const char *why)
{
	part->failure = failure;
	part->why = why;
	part->reply->too_big = true;
}

static void
prepare(struct http_reply *reply, void *arg)
{
	struct part *part = arg;
	struct object *o = part->of;
	struct buf header = { 0 };
	long long from, to;

	part->reply = reply;            /* the sink may be called before s3_start() is back */
	part->looked = part->conditional = false;
	if (part->want > 0 && (long long)part->data.len == part->want)
		part->data.len--;               /* it broke behind its last byte; and a range can't be empty */
	from = part->at + (long long)part->data.len;
	to = part->want >= 0 ? part->at + part->want - 1 : 0;
	if (from == 0 && part == &o->first)
		return;
	buf_fmt(&header, "Range: bytes=%lld-%lld", from, to);
	http_add_header(reply, header.p);
	buf_reset(&header);
	buf_fmt(&header, "If-Match: %s", o->etag);
	http_add_header(reply, header.p);
	buf_free(&header);
	part->conditional = true;
}

/* As many bytes of an object as there is room for in the window. */
static long long
reserve(struct object *o, long long size)
{
	struct s3_downloads *d = o->in;
	long long more = (size < S3_RANGE ? size : S3_RANGE) - o->reserved;

	if (more > 0 && d->reserved + more <= S3_WINDOW) {
		o->reserved += more;
		d->reserved += more;
	}
	return size <= o->reserved ? size : o->reserved;
}

/* The headers of the first answer say what the object is. */
static void
meet(struct part *part)
{
	struct object *o = part->of;
	const char *length = http_header(part->reply, "Content-Length"), *etag = http_header(part->reply, "ETag");
	const char *encoding = http_header(part->reply, "Content-Encoding");

	if (length == NULL || etag == NULL) {
		refuse(part, EX_PROTOCOL, length == NULL ? "the answer has no Content-Length" : "the answer has no ETag");
		return;
	}
	free(o->etag);                  /* of a try that broke before the first byte */
	o->size = strtoll(length, NULL, 10);
	o->etag = xstrdup(etag);
	o->gzip = encoding != NULL && strstr(encoding, "gzip") != NULL;
	s3_check_start(&o->check, part->reply);
	part->want = reserve(o, o->size);
	buf_room(&part->data, (size_t)part->want);
}

/* The headers of a range have to fit what is known. */
static void
compare(struct part *part)
{
	const struct object *o = part->of;
	const char *range = http_header(part->reply, "Content-Range"), *etag = http_header(part->reply, "ETag");
	long long from, to, size;

	if (etag != NULL && strcmp(etag, o->etag) != 0)
		refuse(part, EX_TEMPFAIL, "it changed while it was read: run again");
	else if (range == NULL || sscanf(range, "bytes %lld-%lld/%lld", &from, &to, &size) != 3 || size != o->size ||
	    from != part->at + (long long)part->data.len || to != part->at + part->want - 1)
		refuse(part, EX_PROTOCOL, range == NULL ? "the server takes no ranges" : "the server sent another range than was asked for");
}

static void
look(struct part *part)
{
	if (part->looked)
		return;
	part->looked = true;
	if (part->conditional)
		compare(part);
	else
		meet(part);
}

static void
sink(struct buf *arrived, void *arg)
{
	struct part *part = arg;
	size_t room, n;

	look(part);
	room = part->failure == 0 ? (size_t)part->want - part->data.len : 0;
	n = arrived->len < room ? arrived->len : room;
	buf_add(&part->data, arrived->p, n);
	if (arrived->len > n || (n == room && part->at + part->want < part->of->size && part == &part->of->first))
		part->reply->too_big = true;    /* the rest of a large object, or more than was asked for */
	buf_reset(arrived);
}

/* An answer that is over without a fault.  One without a body was not looked at yet. */
static const char *
check(struct http_reply *reply, void *arg)
{
	struct part *part = arg;

	(void)reply;
	look(part);
	if (part->failure == 0 && (long long)part->data.len != part->want)
		refuse(part, EX_PROTOCOL, "the answer is shorter than it says");
	return NULL;
}

static const char *
mend(struct http_reply *reply, void *arg)
{
	struct part *part = arg;
	struct buf class = { 0 }, said = { 0 };

	if (reply->status == 412 && part->conditional) {
		reply->failure = EX_TEMPFAIL;
		return "it changed while it was read: run again";
	}
	buf_reset(&part->text);
	if (s3_error_is(reply, "InvalidObjectState")) {
		xml_find(&class, buf_all(&reply->body), "StorageClass");
		buf_fmt(&part->text, "archived%s%s: restore it first", class.len > 0 ? " in " : "", buf_all(&class).p);
		reply->failure = EX_NOINPUT;
	} else if (reply->status == 400 && s3_error_is(reply, "InvalidRequest")) {
		s3_error(&said, reply);
		if (strstr(said.p, "Encryption") != NULL || strstr(said.p, "encrypt") != NULL) {
			buf_fmt(&part->text, "encrypted with a customer's key, which %s can't give: %s",
			    tool.name, said.p);
			reply->failure = EX_NOPERM;
		}
	}
	buf_free(&class);
	buf_free(&said);
	return reply->failure != 0 ? part->text.p : NULL;
}

static void
start(struct s3_downloads *d, struct part *part)
{
	static const struct http_hooks hooks = { .prepare = prepare, .mend = mend };
	static const struct http_sink keep = { .take = sink, .resumes = true, .quick = true };
	static const char *const with_checksum[] = { "x-amz-checksum-mode: ENABLED", NULL };
	struct object *o = part->of;
	struct s3_request request = { .bucket = o->bucket, .key = buf_all(&o->key),
		.headers = part == &o->first ? with_checksum : NULL,
		.how = { .hooks = &hooks, .service = part, .sink = &keep, .check = check, .arg = part } };

	part->reply = s3_start(d->s3, &request);
}

/* Giving out */

static _Noreturn void
fail(struct s3_downloads *d, const struct object *o, int status, const char *why)
{
	d->taker.flush(d->taker.arg);
	die(status, "s3://%s/%.*s: %s", o->bucket, (int)o->key.len, buf_all(&o->key).p, why);
}

/* Waits for a part.  False where it failed, which is told by its reply. */
static bool
wait_for(struct s3_downloads *d, struct part *part)
{
	if (!http_try(s3_http(d->s3), part->reply))
		return false;
	if (part->failure != 0)
		fail(d, part->of, part->failure, part->why);
	return true;
}

static void
give(struct s3_downloads *d, struct part *part)
{
	d->taker.bytes(buf_all(&part->data), d->taker.arg);
	progress_add(0, part->data.len);
	progress_check();
}

static void
reset_part(struct s3_downloads *d, struct part *part)
{
	if (part->reply != NULL)
		s3_done(d->s3, part->reply);
	part->reply = NULL;
	part->failure = 0;
	if (part->data.cap > (size_t)LEAST)
		buf_free(&part->data);
	buf_reset(&part->data);
}

/* How many ranges may be asked for at a time: as there is room for beside the objects that wait. */
static size_t
ranges_at_once(const struct s3_downloads *d)
{
	long long n = (S3_WINDOW - d->reserved) / S3_RANGE;

	n = n > MOST_RANGES ? MOST_RANGES : n;
	n = n > d->taker.jobs ? d->taker.jobs : n;
	return n < 1 ? 1 : (size_t)n;
}

static void
ask_range(struct s3_downloads *d, struct object *o, struct part *part, long long at)
{
	long long left = o->size - at;

	part->of = o;
	part->at = at;
	part->want = left < S3_RANGE ? left : S3_RANGE;
	buf_room(&part->data, (size_t)part->want);
	start(d, part);
}

/* What follows the first range of a large object, in order. */
static void
give_rest(struct s3_downloads *d, struct object *o)
{
	long long asked = (long long)o->first.data.len, given = asked;
	size_t head = 0, tail = 0;
	size_t most;

	reset_part(d, &o->first);
	d->reserved -= o->reserved;
	o->reserved = 0;
	most = ranges_at_once(d);
	while (given < o->size) {
		struct part *part;

		for (; asked < o->size && tail - head < most; tail++) {
			part = &d->ranges[tail % MOST_RANGES];
			ask_range(d, o, part, asked);
			asked += part->want;
		}
		part = &d->ranges[head++ % MOST_RANGES];
		if (!wait_for(d, part)) {
			d->taker.flush(d->taker.arg);
			http_die(part->reply);
		}
		s3_check_add(&o->check, buf_all(&part->data));
		give(d, part);
		given += part->want;
		buf_reset(&part->data);
		s3_done(d->s3, part->reply);
		part->reply = NULL;
	}
	for (size_t i = 0; i < MOST_RANGES; i++)
		reset_part(d, &d->ranges[i]);
}

static void
compare_checksum(struct s3_downloads *d, struct object *o)
{
	struct buf why = { 0 };

	if (s3_check_end(&o->check))
		return;
	buf_fmt(&why, "its %s is not the one that S3 has for it: it is damaged, there or on its way", o->check.name);
	fail(d, o, EX_PROTOCOL, why.p);
}

static void
give_object(struct s3_downloads *d, struct object *o)
{
	struct s3_content content = { o->bucket, buf_all(&o->key), o->size, o->gzip };
	bool whole = (long long)o->first.data.len == o->size;

	s3_check_add(&o->check, buf_all(&o->first.data));
	if (whole)
		compare_checksum(d, o);
	d->taker.start(&content, d->taker.arg);
	give(d, &o->first);
	if (!whole) {
		give_rest(d, o);
		compare_checksum(d, o);
	}
	d->taker.end(&content, d->taker.arg);
	d->count.objects++;
}

/* A key that is not there.  What broke off and is gone since was there. */
static bool
is_missing(const struct object *o)
{
	return o->first.reply->failure == EX_NOINPUT && o->etag == NULL && s3_error_is(o->first.reply, "NoSuchKey");
}

/* The one at the head is over. */
static void
take_head(struct s3_downloads *d)
{
	struct object *o = &d->slots[d->head % SLOTS];

	if (wait_for(d, &o->first)) {
		give_object(d, o);
	} else if (d->taker.skip_missing && is_missing(o)) {
		d->count.missing++;
		note("s3://%s/%.*s: no such key: skipped", o->bucket, (int)o->key.len, o->key.p);
	} else {
		d->taker.flush(d->taker.arg);
		http_die(o->first.reply);
	}
	reset_part(d, &o->first);
	free(o->etag);
	o->etag = NULL;
	d->reserved -= o->reserved;
	d->head++;
}

/* Waits until one more is over. */
static void
wait_for_any(struct s3_downloads *d)
{
	const struct http_reply *reply = http_wait_any(s3_http(d->s3));

	for (size_t i = d->head; i < d->tail; i++) {
		struct object *o = &d->slots[i % SLOTS];

		if (o->first.reply == reply) {
			o->over = true;
			d->asking--;
			return;
		}
	}
}

static void
go_on(struct s3_downloads *d)
{
	if (d->slots[d->head % SLOTS].over) {
		take_head(d);
	} else {
		d->taker.flush(d->taker.arg);
		wait_for_any(d);
	}
}

/* The caller's side */

struct s3_downloads *
s3_downloads_open(struct s3 *s3, const struct s3_taker *taker)
{
	struct s3_downloads *d = xcalloc(1, sizeof *d);

	d->s3 = s3;
	d->taker = *taker;
	return d;
}

void
s3_download(struct s3_downloads *d, const char *bucket, struct str key, long long size)
{
	long long reserved = size < 0 ? UNKNOWN : size < LEAST ? LEAST : size < S3_RANGE ? size : S3_RANGE;
	struct object *o;

	while (d->head < d->tail &&
	    (d->asking >= d->taker.jobs || d->tail - d->head == SLOTS || d->reserved + reserved > S3_WINDOW))
		go_on(d);
	o = &d->slots[d->tail++ % SLOTS];
	o->in = d;
	o->bucket = xrealloc(o->bucket, strlen(bucket) + 1, 1);
	strcpy(o->bucket, bucket);
	buf_reset(&o->key);
	buf_str(&o->key, key);
	o->size = -1;
	o->reserved = reserved;
	o->over = false;
	o->first.of = o;
	o->first.want = -1;
	d->reserved += reserved;
	d->asking++;
	start(d, &o->first);
}

void
s3_downloads_drain(struct s3_downloads *d)
{
	while (d->head < d->tail)
		go_on(d);
	d->taker.flush(d->taker.arg);
}

struct s3_download_counts
s3_downloads_close(struct s3_downloads *d)
{
	struct s3_download_counts count;

	s3_downloads_drain(d);
	count = d->count;
	for (size_t i = 0; i < SLOTS; i++) {
		struct object *o = &d->slots[i];

		free(o->bucket);
		buf_free(&o->key);
		buf_free(&o->first.data);
		buf_free(&o->first.text);
		s3_check_free(&o->check);
	}
	for (size_t i = 0; i < MOST_RANGES; i++)
		buf_free(&d->ranges[i].text);
	free(d);
	return count;
}
