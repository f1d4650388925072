/*
 * s3-get - objects of S3, their contents in the order asked for, or the records in them.
 *
 * What is written of an object is of one version of it, and all of it, or the status says that it is not.  An object with
 * records is not one record but a text of them, so that a file of NDJSON and a directory of JSON files are read alike.
 */
#include <stdlib.h>
#include <unistd.h>

#include "advice.h"
#include "base/err.h"
#include "base/progress.h"
#include "format/documents.h"
#include "format/gunzip.h"
#include "format/json.h"
#include "records/input.h"
#include "records/output.h"
#include "records/rejects.h"
#include "records/rows.h"
#include "s3/download.h"
#include "s3/listing.h"

static const char *prefix, *since, *until, *output, *add_key;
static long long jobs = 32, expect_rows, empty_exit;
static bool as_records, plain_keys, decode, skip_missing;
static struct rows_options keys = { ROWS_DEFAULTS, ROWS_ADVICE };      /* how records with a key are read */
static const char *rejects_path, *max_rejects;          /* of what is in the objects */
static struct s3_options source = { S3_DEFAULTS };

static const struct opt options[] = {
	OPT_FLAG('r', "records", &as_records, "the JSON objects in them as records, a line each"),
	OPT_STRING(0, "prefix", "s3://B/P/", &prefix, "all objects whose key starts so"),
	OPT_STRING(0, "since", "TIMESTAMP", &since, "only what was modified then or later"),
	OPT_STRING(0, "until", "TIMESTAMP", &until, "only what was modified before"),
	OPT_FLAG(0, "keys", &plain_keys, "standard input is keys, one per line"),
	OPT_NO_LETTER('k', "keys"),
	OPT_CHOICE(0, "from", "FORMAT", &keys.from, rows_formats,
	    "format of the input: ndjson or csv (else guessed)"),
	OPT_STRING('o', "output", "FILE", &output, "write here; FILE appears once it is complete"),
	OPT_STRING(0, "add-key", "FIELD", &add_key, "put the object's key into each record as FIELD"),
	OPT_FLAG(0, "decode", &decode, "unpack objects with Content-Encoding: gzip"),
	OPT_NUMBER('j', "jobs", "N", &jobs, 1, S3_JOBS_MAX, "requests at a time (32)"),
	OPT_FLAG(0, "skip-missing", &skip_missing, "a key that is not there is no error"),
	OPT_STRING(0, "rejects", "FILE", &rejects_path, "put bad records there and go on"),
	OPT_STRING(0, "max-rejects", "N|P%", &max_rejects, "more bad records than this: fail"),
	OPT_SIZE(0, "max-record", "BYTES", &keys.max_record, 1, 1LL << 40, "a larger record is a bad one (64M)"),
	OPT_NUMBER(0, "expect-rows", "N", &expect_rows, 0, 1LL << 50, "fewer records, or else objects, are an error (65)"),
	OPT_NUMBER(0, "empty-exit", "STATUS", &empty_exit, 0, 255,
	    "exit status when there are none"),
	OPT_S3(source),
	OPT_END
};
const struct tool tool = {
	.name = "s3-get", .operands = "s3://BUCKET[/KEY] ...", .options = options,
	.does = "Write objects of S3, or the records in them.",
};

/* Where it goes */

struct destination {
	int fd;
	const char *name;
	struct whole_file file;
	struct buf held;
};

static void
open_output(struct destination *to)
{
	*to = (struct destination){ .fd = STDOUT_FILENO, .name = "stdout" };
	if (output == NULL)
		return;
	whole_file_open(&to->file, output);
	to->fd = to->file.fd;
	to->name = to->file.part;
	stop_setup("the output was not made: run again");
}

static void
flush_output(struct destination *to)
{
	if (to->held.len == 0)
		return;
	write_all(to->fd, to->name, buf_all(&to->held));
	buf_reset(&to->held);
}

static void
put_bytes(struct destination *to, struct str bytes)
{
	if (to->held.len + bytes.n >= WRITE_AT)
		flush_output(to);
	if (bytes.n >= WRITE_AT)
		write_all(to->fd, to->name, bytes);
	else
		buf_str(&to->held, bytes);
}

static void
close_output(struct destination *to)
{
	flush_output(to);
	if (output != NULL)
		whole_file_close(&to->file);
	else if (close(STDOUT_FILENO) != 0)
		die_errno(EX_IOERR, "stdout");
	buf_free(&to->held);
}

/* What becomes of an object's bytes */

struct get {
	struct destination to;
	struct gunzip *gunzip;
	struct documents documents;
	struct rejects rejects;
	struct buf place;               /* of the object: "s3://bucket/key" */
	struct buf key_field;           /* ,"FIELD":"key" */
	struct buf scratch;
	unsigned long long records, objects;
	bool begun, packed;             /* bytes came; they are gzip */
};

/* Text of an object that is no record. */
static void
reject(struct str text, unsigned long long line, const char *why, void *arg)
{
	struct get *g = arg;
	struct buf reason = { 0 }, own = { 0 }, record = { 0 };

	if (rejects_path == NULL) {
		flush_output(&g->to);
		die(EX_DATAERR, "%s:%llu: %s", g->place.p, line, why);
	}
	buf_fmt(&reason, "%s: %s", g->place.p, why);
	if (json_check(text, &own, NULL).p != NULL)
		json_one_line(&record, text);
	else
		json_any_text(&record, text);
	rejects_put(&g->rejects, line, (struct str){ NULL, 0 }, reason.p, buf_all(&record));
	rejects_check(&g->rejects, g->records + g->rejects.n, false);
	buf_free(&reason);
	buf_free(&own);
	buf_free(&record);
}

/* True when the record has a field of that name already. */
static bool
has_field(struct get *g, struct str record, struct str name)
{
	struct json_walk w = json_walk(record);

	while (json_next(&w)) {
		struct str key = w.key;

		if (w.key_escaped) {
			buf_reset(&g->scratch);
			json_unescape(&g->scratch, key);
			key = buf_all(&g->scratch);
		}
		if (str_eq(key, name))
			return true;
	}
	return false;
}

static void
put_record(struct str record, void *arg)
{
	struct get *g = arg;
	struct buf *out = &g->to.held;

	if (add_key != NULL && has_field(g, record, str_of(add_key))) {
		buf_reset(&g->scratch);
		buf_fmt(&g->scratch, "the record has a field \"%s\" already: see --add-key", add_key);
		reject(record, g->documents.line, g->scratch.p, g);
		return;
	}
	if (add_key != NULL) {
		bool empty = json_space(record.p + 1, record.p + record.n) == record.p + record.n - 1;

		json_one_line(out, (struct str){ record.p, record.n - 1 });
		buf_add(out, g->key_field.p + empty, g->key_field.len - empty);
		buf_char(out, '}');
	} else {
		json_one_line(out, record);
	}
	buf_char(out, '\n');
	if (out->len >= WRITE_AT)
		flush_output(&g->to);
	g->records++;
}

/* Contents, unpacked. */
static void
take_contents(struct str bytes, void *arg)
{
	struct get *g = arg;

	if (as_records)
		documents_add(&g->documents, bytes);
	else
		put_bytes(&g->to, bytes);
}

static void
start_object(const struct s3_content *c, void *arg)
{
	struct get *g = arg;

	buf_reset(&g->place);
	buf_fmt(&g->place, "s3://%s/", c->bucket);
	buf_str(&g->place, c->key);
	g->begun = false;
	g->packed = !as_records && decode && c->gzip && c->size > 0;
	if (g->packed)
		gunzip_start(g->gunzip);
	if (as_records)
		documents_start(&g->documents);
	if (add_key == NULL)
		return;
	buf_reset(&g->key_field);
	buf_char(&g->key_field, ',');
	buf_json(&g->key_field, str_of(add_key));
	buf_char(&g->key_field, ':');
	buf_json(&g->key_field, c->key);
}

/* The object can't be unpacked. */
static _Noreturn void
bad_gzip(struct get *g, const char *why)
{
	flush_output(&g->to);
	die(EX_DATAERR, "%s: %s", g->place.p, why);
}

static void
take_bytes(struct str bytes, void *arg)
{
	struct get *g = arg;
	const char *why;

	if (as_records && !g->begun && gunzip_is(bytes)) {      /* JSON never starts so, whatever the headers say */
		g->packed = true;
		gunzip_start(g->gunzip);
	}
	g->begun = true;
	if (!g->packed)
		take_contents(bytes, g);
	else if ((why = gunzip_add(g->gunzip, bytes, take_contents, g)) != NULL)
		bad_gzip(g, why);
}

static void
end_object(const struct s3_content *c, void *arg)
{
	struct get *g = arg;
	const char *why = g->packed ? gunzip_end(g->gunzip) : NULL;

	(void)c;
	if (why != NULL)
		bad_gzip(g, why);
	if (as_records)
		documents_end(&g->documents);
	g->objects++;
	progress_set_rows(as_records ? g->records : g->objects);
}

static void
flush(void *arg)
{
	struct get *g = arg;

	flush_output(&g->to);
}

/* What is asked for */

struct source {
	struct s3_downloads *downloads;
	const char *bucket;
};

/* A console makes these, so that a directory can be seen that has nothing in it. */
static bool
is_folder_marker(const struct s3_object *o)
{
	return o->size == 0 && o->key.n > 0 && o->key.p[o->key.n - 1] == '/';
}

static void
ask_listed(const struct s3_object *o, void *arg)
{
	const struct source *from = arg;

	if (!is_folder_marker(o))
		s3_download(from->downloads, from->bucket, o->key, (long long)o->size);
}

static void
ask_prefix(struct s3 *s3, struct s3_downloads *downloads, const struct s3_place *place)
{
	struct source from = { downloads, place->bucket };
	struct s3_query query = { .bucket = place->bucket, .prefix = buf_all(&place->key), .since = s3_time("since", since),
		.until = s3_time("until", until) };

	s3_list(s3, &query, ask_listed, &from);
}

static void
ask_operands(struct s3_downloads *downloads, char **urls)
{
	for (; *urls != NULL; urls++) {
		struct s3_place place = s3_place(*urls);

		s3_download(downloads, place.bucket, buf_all(&place.key), -1);
		s3_place_free(&place);
	}
}

/* A size in a listing's record; -1 where it is none. */
static long long
listed_size(const struct row *row, struct buf *scratch)
{
	const struct field *f = row_field(row, STR("size"));
	struct str text = f != NULL ? field_text(f, scratch) : (struct str){ NULL, 0 };
	long long size = 0;

	if (text.n == 0 || text.n > 18)
		return -1;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return -1;
		size = size * 10 + (text.p[i] - '0');
	}
	return size;
}

/* The producer of the keys has no more for now: what was asked for goes out meanwhile. */
static void
drain(void *downloads)
{
	s3_downloads_drain(downloads);
}

/* Keys of records, as s3-list writes them. */
static void
ask_records(struct s3_downloads *downloads, const char *bucket)
{
	struct rows *in = rows_open(NULL, &keys);
	struct source from = { downloads, bucket };
	struct buf key = { 0 }, size = { 0 };
	struct row *row;

	rows_before_wait(in, drain, downloads);
	while ((row = rows_next(in)) != NULL) {
		const struct field *f = row_field(row, STR("key"));
		struct str text = f != NULL ? field_text(f, &key) : (struct str){ NULL, 0 };
		const char *why = text.p == NULL ? "the record has no key: see --keys for plain ones" : s3_bad_key(text);

		if (why != NULL) {
			rows_reject(in, STR("key"), "%s", why);
			continue;
		}
		ask_listed(&(struct s3_object){ .key = text, .size = (unsigned long long)listed_size(row, &size) }, &from);
	}
	rows_close(in);
	buf_free(&key);
	buf_free(&size);
}

/* The line at in->p without its end; false at the end of the input. */
static bool
next_line(struct input *in, struct str *line)
{
	char *newline;

	while ((newline = memchr(in->p, '\n', (size_t)(in->end - in->p))) == NULL)
		if (in->end - in->p > S3_KEY_MAX || !input_more(in))
			break;
	*line = (struct str){ in->p, (size_t)((newline != NULL ? newline : in->end) - in->p) };
	in->p += line->n + (newline != NULL);
	return line->n > 0 || newline != NULL;
}

static void
ask_lines(struct s3_downloads *downloads, const char *bucket)
{
	struct input in;
	struct str line;
	unsigned long long n = 0;

	input_open(&in, NULL);
	in.before_wait = drain;
	in.before_wait_arg = downloads;
	while (next_line(&in, &line)) {
		const char *why = line.n > 0 ? s3_bad_key(line) : NULL;

		n++;
		if (why != NULL) {
			drain(downloads);
			die(EX_DATAERR, "%s:%llu: %s", in.file, n, why);
		}
		if (line.n > 0)
			s3_download(downloads, bucket, line, -1);
	}
	input_close(&in);
}

/* The calls there are: URLs of objects; a bucket, and keys on standard input; --prefix. */

static bool
is_bucket(const char *url)
{
	struct s3_place place = s3_place(url);
	bool is = place.key.len == 0;

	s3_place_free(&place);
	return is;
}

static void
check_options(char **operands)
{
	bool reads = false;

	if (prefix != NULL && operands[0] != NULL)
		die(EX_USAGE, "--prefix says what to fetch: no operands with it");
	if (prefix == NULL && operands[0] == NULL)
		die(EX_USAGE, "want s3://BUCKET/KEY, or --prefix, or s3://BUCKET and keys on standard input");
	for (size_t i = 0; operands[i] != NULL; i++) {
		reads = is_bucket(operands[i]);
		if (reads && operands[1] != NULL)
			die(EX_USAGE, "%s: a bucket takes its keys from standard input: no other operand with it", operands[i]);
	}
	if (prefix == NULL && (since != NULL || until != NULL))
		die(EX_USAGE, "--since and --until go with --prefix; or let s3-list choose");
	if (!reads && (plain_keys || keys.from != ROWS_GUESS))
		die(EX_USAGE, "%s: standard input is read for s3://BUCKET only", plain_keys ? "--keys" : "--from");
	if (plain_keys && keys.from != ROWS_GUESS)
		die(EX_USAGE, "--keys and --from: choose one");
	if (!as_records && (add_key != NULL || rejects_path != NULL || max_rejects != NULL))
		die(EX_USAGE, "%s: only with --records", add_key != NULL ? "--add-key" : "--rejects and --max-rejects");
}

static void
ask(struct s3 *s3, struct s3_downloads *downloads, char **operands, const struct s3_place *place)
{
	if (prefix != NULL)
		ask_prefix(s3, downloads, place);
	else if (place->key.len > 0)
		ask_operands(downloads, operands);
	else if (plain_keys)
		ask_lines(downloads, place->bucket);
	else
		ask_records(downloads, place->bucket);
}

/* All came: are they enough, and not too many bad ones?  Only then is the output made. */
static int
finish(struct get *g, const struct s3_download_counts *count)
{
	unsigned long long n = as_records ? g->records : count->objects;

	if (count->missing > 0)
		warning("%llu keys were not there", count->missing);
	if (as_records)
		rejects_check(&g->rejects, g->records + g->rejects.n, true);
	if (n < (unsigned long long)expect_rows) {
		flush_output(&g->to);
		die(EX_DATAERR, "%llu %s, but --expect-rows %lld", n, as_records ? "records" : "objects", expect_rows);
	}
	close_output(&g->to);
	if (as_records)
		rejects_close(&g->rejects);
	if (g->rejects.n > 0)
		warning("%llu of %llu records are bad: see %s", g->rejects.n, g->records + g->rejects.n, rejects_path);
	return n == 0 ? (int)empty_exit : EX_OK;
}

int
main(int argc, char *argv[])
{
	char **operands = opt_parse(argc, argv);
	struct get g = { .gunzip = gunzip_open() };
	struct s3_downloads *downloads;
	struct s3_download_counts count;
	struct s3_place place;
	struct s3 *s3;
	int status;

	check_options(operands);
	place = s3_place(prefix != NULL ? prefix : operands[0]);
	s3_time("since", since);
	s3_time("until", until);
	s3 = s3_open(&source);
	if (as_records)
		rejects_open(&g.rejects, rejects_path, max_rejects);
	open_output(&g.to);
	g.documents = (struct documents){ .take = put_record, .bad = reject, .arg = &g, .max = (size_t)keys.max_record,
		.see_array = "fetch it as it is, and use json-explode" };
	downloads = s3_downloads_open(s3, &(struct s3_taker){ .start = start_object, .bytes = take_bytes, .end = end_object,
		.flush = flush, .arg = &g, .jobs = (int)jobs, .skip_missing = skip_missing });
	ask(s3, downloads, operands, &place);
	count = s3_downloads_close(downloads);
	status = finish(&g, &count);
	s3_close(s3);
	s3_place_free(&place);
	gunzip_close(g.gunzip);
	documents_free(&g.documents);
	buf_free(&g.place);
	buf_free(&g.key_field);
	buf_free(&g.scratch);
	return status;
}
