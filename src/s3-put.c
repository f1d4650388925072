/*
 * s3-put - a stream becomes one object, or each record one of its own.
 *
 * A stream is stored only when it has ended well, so sluice(1) can call it off.  Records can't be staged in S3: each is stored as
 * it comes, and a run that was cut is run again, which ends in the same state.
 */
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <strings.h>

#include "advice.h"
#include "base/err.h"
#include "base/progress.h"
#include "format/gzip.h"
#include "records/input.h"
#include "records/receipt.h"
#include "records/rows.h"
#include "s3/key.h"
#include "s3/known.h"
#include "s3/listing.h"
#include "s3/object.h"
#include "s3/stream.h"

#define RECORD_JOBS 32          /* records in flight, unless --jobs says else */
#define HELD (16L << 20)        /* bytes of records in flight, where there is more than one */
#define SLOT_KEEPS (256L << 10)  /* bytes of memory that a slot keeps for its next record */
#define LIST_AFTER 500          /* records looked up one by one; for more, a listing's page tells of 1000 at once */
#define METADATA 2048           /* bytes of keys and values: S3 takes no more */
#define METADATA_WORDS 30

static const char *each, *content_type, *storage_class, *sse;
static struct words set, metadata;
static long long jobs, part_size;
static bool pack, skip_unchanged, if_none_match;
static struct rows_options reading = { ROWS_DEFAULTS, ROWS_ADVICE };
static struct s3_options target = { S3_DEFAULTS };

static const struct opt options[] = {
	OPT_STRING(0, "each", "URL", &each, "store each record: s3://BUCKET/{field}.json"),
	OPT_NO_LETTER('e', "each"),
	OPT_LIST('s', "set", "FIELD=VALUE", &set, "--each: a field for the URL; may be repeated"),
	OPT_FLAG(0, "skip-unchanged", &skip_unchanged,
	    "--each: leave objects that have this content"),
	OPT_NO_LETTER('u', "skip-unchanged"),
	OPT_NUMBER('j', "jobs", "N", &jobs, 1, 256, "requests in flight (4 parts; 32 records)"),
	OPT_SIZE(0, "part-size", "BYTES", &part_size, S3_PART_MIN, S3_PUT_MAX, "of the first parts of a large stream (8M)"),
	OPT_STRING(0, "content-type", "TYPE", &content_type,
	    "media type (else by the ending of the key)"),
	OPT_FLAG('z', "gzip", &pack, "pack what is stored, with Content-Encoding: gzip"),
	OPT_LIST(0, "meta", "KEY=VALUE", &metadata, "keep this with the object; repeat for more"),
	OPT_NO_LETTER('m', "meta"),
	OPT_RENAMED("metadata", "meta"),
	OPT_FLAG(0, "if-none-match", &if_none_match, "replace nothing: what is there already is an error"),
	OPT_STRING(0, "storage-class", "NAME", &storage_class, "STANDARD_IA, GLACIER_IR, ..."),
	OPT_STRING(0, "sse", "HOW", &sse, "encrypted there: AES256, aws:kms or aws:kms:KEY-ID"),
	OPT_ROWS_IN(reading),
	OPT_S3(target),
	OPT_END
};
const struct tool tool = {
	.name = "s3-put", .operands = "s3://BUCKET/KEY [file ...] | --each URL [file ...]", .options = options,
	.does = "Store a stream as one object of S3, or each record as one.",
};

/* What is stored with the content */

static const char *
guess_type(struct str key)
{
	static const struct { const char *end, *type; } types[] = { { ".json", "application/json" }, { ".ndjson", "application/x-ndjson" },
		{ ".jsonl", "application/x-ndjson" }, { ".geojson", "application/geo+json" }, { ".csv", "text/csv" },
		{ ".txt", "text/plain" }, { ".zip", "application/zip" }, { ".gz", "application/gzip" } };

	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		size_t n = strlen(types[i].end);

		if (key.n > n && strncasecmp(key.p + key.n - n, types[i].end, n) == 0)
			return types[i].type;
	}
	return "application/octet-stream";
}

static bool
is_printable(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || (unsigned char)*s > 0x7E)
			return false;
	return true;
}

static void
check_header_value(const char *option, const char *value)
{
	if (value != NULL && (*value == '\0' || !is_printable(value) || *value == ' ' || value[strlen(value) - 1] == ' '))
		die(EX_USAGE, "--%s \"%s\": want ASCII without spaces around it", option, value);
}

/* Appends the header of one KEY=VALUE; returns how many bytes of S3's limit it takes. */
static size_t
add_metadata(struct buf *header, const char *word)
{
	const char *eq = strchr(word, '=');
	size_t n = eq != NULL ? (size_t)(eq - word) : 0;

	if (n == 0)
		die(EX_USAGE, "--meta %s: want KEY=VALUE", word);
	check_header_value("metadata", eq + 1);
	buf_text(header, "x-amz-meta-");
	for (size_t i = 0; i < n; i++) {
		if (!isalnum((unsigned char)word[i]) && strchr("-_.", word[i]) == NULL)
			die(EX_USAGE, "--meta %s: a key is of letters, digits, - _ and .", word);
		buf_char(header, (char)tolower((unsigned char)word[i]));
	}
	buf_fmt(header, ": %s", eq + 1);
	return n + strlen(eq + 1);
}

static void
add_header(const char **headers, const char *name, const char *value)
{
	struct buf b = { 0 };
	size_t n = 0;

	while (headers[n] != NULL)
		n++;
	buf_fmt(&b, "%s: %s", name, value);
	headers[n] = buf_take(&b);
}

static void
add_encryption(const char **headers)
{
	bool key = strncmp(sse, "aws:kms:", 8) == 0 && sse[8] != '\0';

	if (!key && strcmp(sse, "aws:kms") != 0 && strcmp(sse, "AES256") != 0)
		die(EX_USAGE, "--sse %s: want AES256, aws:kms or aws:kms:KEY-ID", sse);
	add_header(headers, "x-amz-server-side-encryption", key ? "aws:kms" : sse);
	if (key)
		add_header(headers, "x-amz-server-side-encryption-aws-kms-key-id", sse + 8);
}

/* "Name: value" of all that goes with each object; caller frees with free_headers(). */
static const char **
make_headers(const char *type)
{
	const char **headers = xcalloc(S3_HEADERS, sizeof *headers);
	size_t bytes = 0;

	check_header_value("content-type", content_type);
	check_header_value("storage-class", storage_class);
	check_header_value("sse", sse);
	add_header(headers, "Content-Type", content_type != NULL ? content_type : type);
	if (pack)
		add_header(headers, "Content-Encoding", "gzip");
	if (storage_class != NULL)
		add_header(headers, "x-amz-storage-class", storage_class);
	if (sse != NULL)
		add_encryption(headers);
	if (metadata.n > METADATA_WORDS)
		die(EX_USAGE, "--meta: more than %d keys", METADATA_WORDS);
	for (size_t i = 0, n; i < metadata.n; i++) {
		struct buf header = { 0 };

		bytes += add_metadata(&header, metadata.w[i]);
		for (n = 0; headers[n] != NULL; n++)
			if (strncmp(headers[n], header.p, strcspn(header.p, ":") + 1) == 0)
				die(EX_USAGE, "--meta %s: this key comes twice", metadata.w[i]);
		headers[n] = buf_take(&header);
	}
	if (bytes > METADATA)
		die(EX_USAGE, "--meta: %zu bytes of keys and values, of which S3 takes %d",
		    bytes, METADATA);
	return headers;
}

static void
free_headers(const char **headers)
{
	for (size_t i = 0; headers[i] != NULL; i++)
		free((char *)headers[i]);
	free(headers);
}

/* One object */

/* Before a byte is read; S3 is asked again when it is stored. */
static void
refuse_if_there(struct s3 *s3, struct s3_target *to, struct str key)
{
	struct s3_put put = { .to = to, .key = key };
	struct http_reply *head = s3_put_look(s3, &put);

	http_wait(s3_http(s3), head);
	if (s3_is_there(head))
		die(EX_CANTCREAT, "%s: is there already: nothing was stored", head->name);
	s3_done(s3, head);
}

struct sending { struct s3_stream *stream; struct input input; };

static void
send_on(void *arg)
{
	struct sending *s = arg;

	s3_stream_wait(s->stream, input_fd(&s->input));
}

static void
send_input(struct sending *s)
{
	struct input *in = &s->input;
	struct gzip *gzip = pack ? gzip_open() : NULL;
	struct buf packed = { 0 };
	bool last = false;

	while (!last) {
		struct str bytes = { in->p, (size_t)(in->end - in->p) };

		in->p = in->end;
		if (bytes.n == 0)
			last = !input_more(in) && !input_next_file(in);
		if (bytes.n == 0 && !(last && pack))
			continue;
		if (pack) {
			gzip_add(gzip, bytes, &packed);
			if (last)
				gzip_end(gzip, &packed);
			bytes = buf_all(&packed);
		}
		s3_stream_write(s->stream, bytes);
		buf_reset(&packed);
	}
	if (gzip != NULL)
		gzip_close(gzip);
	buf_free(&packed);
}

static void
put_stream(char **operands)
{
	struct s3_place place = s3_place(operands[0]);
	const char *bad = s3_bad_key(buf_all(&place.key));
	const char **headers = make_headers(guess_type(buf_all(&place.key)));
	struct s3_target to = { .bucket = place.bucket, .headers = headers, .if_none_match = if_none_match };
	struct s3_stored stored;
	struct sending sending;
	struct s3 *s3;

	if (bad != NULL)
		die(EX_USAGE, "%s: %s", operands[0], bad);
	s3 = s3_open(&target);
	to.checksums = s3_sends_checksums(s3);
	stop_setup("nothing was stored, run again");
	if (if_none_match)
		refuse_if_there(s3, &to, buf_all(&place.key));
	sending.stream = s3_stream_open(s3, &(struct s3_stream_wanted){ .to = &to, .key = buf_all(&place.key),
		.part_size = part_size, .jobs = jobs });
	input_open(&sending.input, operands + 1);
	sending.input.before_wait = send_on;
	sending.input.before_wait_arg = &sending;
	send_input(&sending);
	stored = s3_stream_end(sending.stream);
	receipt_open();
	receipt_str("url", operands[0]);
	receipt_int("put", 1);
	receipt_int("parts", stored.parts);
	receipt_int("bytes", stored.bytes);
	receipt_str("etag", stored.etag);
	receipt_close(stored.bytes == 0);
	input_close(&sending.input);
	s3_close(s3);
	s3_place_free(&place);
	free_headers(headers);
	free(stored.etag);
}

/* An object for each record */

struct slot {                   /* a record on its way */
	struct s3_put put;
	struct buf key, body, kept;
	uint64_t hash;                  /* of the key */
	struct http_reply *reply;       /* NULL: the slot is free */
	bool looking;                   /* whether it is there already; else it is being PUT */
	bool refused;                   /* the PUT, for something is there: the object itself, where an answer was lost? */
};

static struct {                 /* file-level, for the hooks below, which have no argument */
	struct s3 *s3;
	struct s3_target to;
	struct s3_key *keys;
	struct rows *in;
	struct slot *slot;
	size_t slots, busy, held;       /* held: bytes of the busy ones */
	struct s3_known known;
	unsigned long long looked;      /* records, before there was a listing */
	bool listed, unlisted;          /* what known lacks is not there; or there is more than it holds */
	struct gzip *gzip;
	struct buf key, plain;          /* of the record that came last */
	unsigned long long put, unchanged, superseded, bytes;
} run;

static char says[64];           /* at a signal */

/* A hook of err.h, so no function of libc. */
static void
say_stored(void)
{
	static const char text[] = " objects were stored, run again";
	char digits[24], *d = digits + sizeof digits;
	unsigned long long n = run.put;
	size_t at;

	do
		*--d = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	at = (size_t)(digits + sizeof digits - d);
	for (size_t i = 0; i < at; i++)
		says[i] = d[i];
	for (size_t i = 0; i < sizeof text; i++)
		says[at + i] = text[i];
}

static _Noreturn void
fail(const struct http_reply *reply)
{
	die(reply->failure, "%s: %s: %llu objects were stored before: run again", reply->name, reply->why, run.put);
}

static void
free_slot(struct slot *s)
{
	s3_done(run.s3, s->reply);
	s->reply = NULL;
	run.busy--;
	run.held -= s->body.len;
	if (s->body.cap > SLOT_KEEPS)
		buf_free(&s->body);
	if (s->kept.cap > SLOT_KEEPS)
		buf_free(&s->kept);
}

static void
send_put(struct slot *s)
{
	if (s->reply != NULL)
		s3_done(run.s3, s->reply);
	s->looking = false;
	s->reply = s3_put_start(run.s3, &s->put);
}

static void
send_look(struct slot *s)
{
	if (s->reply != NULL)
		s3_done(run.s3, s->reply);
	s->looking = true;
	s->reply = s3_put_look(run.s3, &s->put);
}

/* A refusal that is this record's own fault, and would come again for no other. */
static bool
is_records_fault(const struct http_reply *reply)
{
	static const char *const codes[] = { "KeyTooLongError", "KeyTooLong", "InvalidURI", "EntityTooLarge", "InvalidObjectName",
		"XMinioInvalidObjectName", "XMinioParentIsObject", "ObjectParentIsFile", "ExistingObjectIsDirectory", NULL };

	for (size_t i = 0; reply->status >= 400 && reply->status < 500 && codes[i] != NULL; i++)
		if (s3_error_is(reply, codes[i]))
			return true;
	return false;
}

static void
reject(struct slot *s, const char *why)
{
	struct str kept = buf_all(&s->kept), where = rows_kept_where(kept);

	if (reading.rejects == NULL)
		die(EX_DATAERR, "%.*s: %s: %s: %llu objects were stored before", (int)where.n, where.p, s->reply->name, why, run.put);
	rows_reject_kept(run.in, kept, (struct str){ NULL, 0 }, why);
	free_slot(s);
}

static uint64_t
content_of(const struct slot *s)
{
	char md5[33];

	return skip_unchanged && s3_md5(md5, s->put.body) ? s3_content_hash(str_of(md5)) : 0;
}

static void
count_put(struct slot *s)
{
	uint64_t content;
	bool before;

	if (s3_known_get(&run.known, s->hash, &content, &before) && before)
		run.superseded++;
	s3_known_set(&run.known, s->hash, content_of(s), true);
	run.put++;
	run.bytes += s->body.len;
	free_slot(s);
}

/* An answer to "is it there?". */
static void
take_look(struct slot *s)
{
	bool same = s3_put_is_there(&s->put, s->reply);

	if (s->refused && same) {
		count_put(s);
	} else if (s->refused) {
		reject(s, "is there already");
	} else if (skip_unchanged && same) {
		run.unchanged++;
		free_slot(s);
	} else if (if_none_match && s3_is_there(s->reply)) {
		reject(s, "is there already");
	} else {
		send_put(s);
	}
}

/* One that is over: counts it, or goes on with it. */
static void
take(struct http_reply *reply)
{
	struct slot *s = run.slot;
	bool done = reply->failure == 0;

	while (s->reply != reply)
		s++;
	if (done && s->looking)
		take_look(s);
	else if (done)
		count_put(s);
	else if (!s->looking && s3_checksum_refused(&run.to, s->put.checksum, reply))
		send_put(s);
	else if ((s->refused = reply->status == 412))
		send_look(s);
	else if (is_records_fault(reply))
		reject(s, reply->why);
	else
		fail(reply);
}

static void
wait_for_one(void)
{
	take(http_wait_any(s3_http(run.s3)));
}

static void
drain(void)
{
	while (run.busy > 0)
		wait_for_one();
}

/* Before a read that would have to wait, what is over is counted, and all the rest moves on.  Before a bad record that ends the run
 * (there is input then) the good ones go out. */
static void
send_on_records(void *arg)
{
	(void)arg;

	struct pollfd ready = { .fd = rows_fd(run.in), .events = POLLIN };

	if (poll(&ready, 1, 0) > 0)
		drain();
	while (run.busy > 0 && !http_wait_input(s3_http(run.s3), ready.fd))
		wait_for_one();
}

/* Two records of one key never race: the first is stored before the second is sent. */
static struct slot *
find_slot(uint64_t hash, size_t bytes)
{
	struct slot *s;

	for (size_t i = 0; i < run.slots; i++)
		while (run.slot[i].reply != NULL && run.slot[i].hash == hash)
			wait_for_one();
	while (run.busy == run.slots || (run.busy > 0 && run.held + bytes > HELD))
		wait_for_one();
	for (s = run.slot; s->reply != NULL; )
		s++;
	return s;
}

static void
fill_body(struct slot *s)
{
	buf_reset(&s->body);
	if (!pack) {
		rows_json(run.in, &s->body);
		return;
	}
	buf_reset(&run.plain);
	rows_json(run.in, &run.plain);
	gzip_add(run.gzip, buf_all(&run.plain), &s->body);
	gzip_end(run.gzip, &s->body);
}

static size_t
row_size(const struct row *row)
{
	size_t n = 2;

	for (size_t i = 0; i < row->n; i++)
		n += row->f[i].name.n + row->f[i].val.n + 6;
	return n;
}

/* Into what is known; but of what this run put itself, its own word is newer. */
static void
take_listed(const struct s3_object *object, void *arg)
{
	uint64_t key = s3_key_hash(object->key), content;
	bool put;

	(void)arg;
	if (!s3_known_get(&run.known, key, &content, &put) && !s3_known_set(&run.known, key, s3_content_hash(object->etag), false))
		run.unlisted = true;
}

/* Whether the listing works, by one key of it: who has no right to list has to go on looking. */
static bool
may_list(struct str prefix)
{
	struct buf query = { 0 };
	struct http_reply *reply;
	bool may;

	buf_text(&query, "list-type=2&max-keys=1&prefix=");
	buf_percent(&query, prefix);
	reply = s3_start(run.s3, &(struct s3_request){ .bucket = run.to.bucket, .query = query.p, .how = { .tries = 3 } });
	may = http_try(s3_http(run.s3), reply);
	s3_done(run.s3, reply);
	buf_free(&query);
	return may;
}

/* What is there under all keys' prefix, as far as it can be kept; a whole bucket is not asked for. */
static void
list_prefix(void)
{
	struct buf prefix = { 0 };

	drain();
	s3_key_prefix(run.keys, &prefix);
	run.unlisted = prefix.len == 0 || !may_list(buf_all(&prefix));
	if (!run.unlisted)
		s3_list(run.s3, &(struct s3_query){ .bucket = run.to.bucket, .prefix = buf_all(&prefix), .limit = S3_KNOWN + 1 },
		    take_listed, NULL);
	run.listed = !run.unlisted;
	buf_free(&prefix);
}

/* By what is known, without a request: 1 the record is there as it is, 0 it has to be PUT, -1 that can't be told. */
static int
is_known(const struct slot *s)
{
	uint64_t content, ours = content_of(s);
	bool put;

	if (++run.looked == LIST_AFTER)
		list_prefix();
	if (!s3_known_get(&run.known, s->hash, &content, &put))
		return run.listed ? 0 : -1;
	return content == 0 || ours == 0 ? -1 : content == ours;
}

static void
put_record(const struct row *row)
{
	uint64_t hash = s3_key_hash(buf_all(&run.key));
	struct slot *s = find_slot(hash, row_size(row));
	int known;

	s->hash = hash;
	s->refused = false;
	buf_reset(&s->key);
	buf_str(&s->key, buf_all(&run.key));
	buf_reset(&s->kept);
	rows_keep(run.in, &s->kept);
	fill_body(s);
	buf_free(&s->put.why);
	s->put = (struct s3_put){ .to = &run.to, .key = buf_all(&s->key), .body = buf_all(&s->body) };
	known = skip_unchanged ? is_known(s) : if_none_match ? -1 : 0;
	if (known == 1) {
		run.unchanged++;
		return;
	}
	run.busy++;
	run.held += s->body.len;
	if (known == -1 || if_none_match)
		send_look(s);
	else
		send_put(s);
}

static void
put_all(void)
{
	const struct row *row;
	struct str field;

	while ((row = rows_next(run.in)) != NULL) {
		const char *why = s3_key_fill(run.keys, row, &run.key, &field);

		if (why != NULL)
			rows_reject(run.in, field, "%s", why);
		else
			put_record(row);
		progress_check();
	}
	drain();
}

static void
print_receipt(void)
{
	struct rows_counts counts = rows_counts(run.in);

	receipt_open();
	receipt_str("url", each);
	receipt_int("read", counts.read);
	receipt_int("put", run.put);
	receipt_int("unchanged", run.unchanged);
	receipt_int("rejected", counts.rejected);
	receipt_int("superseded", run.superseded);
	receipt_int("bytes", run.bytes);
	receipt_close(counts.read == 0);
}

static void
close_run(void)
{
	for (size_t i = 0; i < run.slots; i++) {
		buf_free(&run.slot[i].key);
		buf_free(&run.slot[i].body);
		buf_free(&run.slot[i].kept);
		buf_free(&run.slot[i].put.why);
	}
	free(run.slot);
	if (run.gzip != NULL)
		gzip_close(run.gzip);
	buf_free(&run.key);
	buf_free(&run.plain);
	s3_known_free(&run.known);
	s3_key_close(run.keys);
	s3_close(run.s3);
	rows_close(run.in);
}

static void
put_records(char **files)
{
	const char **headers = make_headers("application/json");

	run.keys = s3_key_open(each, &set);
	run.to = (struct s3_target){ .bucket = s3_key_bucket(run.keys), .headers = headers, .if_none_match = if_none_match };
	run.s3 = s3_open(&target);
	run.to.checksums = s3_sends_checksums(run.s3);
	run.slots = jobs > 0 ? (size_t)jobs : RECORD_JOBS;
	run.slot = xcalloc(run.slots, sizeof *run.slot);
	run.gzip = pack ? gzip_open() : NULL;
	stop_setup(says);
	err_undo(say_stored);
	run.in = rows_open(files, &reading);
	rows_before_wait(run.in, send_on_records, NULL);
	put_all();
	stop_hold();
	rows_check(run.in);
	print_receipt();
	close_run();
	free_headers(headers);
}

int
main(int argc, char *argv[])
{
	char **operands = opt_parse(argc, argv);

	if (each == NULL && operands[0] == NULL)
		die(EX_USAGE, "want s3://BUCKET/KEY, or --each URL");
	if (each == NULL && (set.n > 0 || skip_unchanged || reading.rejects != NULL || reading.from != ROWS_GUESS))
		die(EX_USAGE, "--set, --skip-unchanged, --rejects and --from are for --each");
	if (each != NULL && part_size > 0)
		die(EX_USAGE, "--part-size is for one stream, not for --each");
	if (each != NULL)
		put_records(operands);
	else
		put_stream(operands);
	return EX_OK;
}
