/*
 * records/rows.c - records in.
 *
 * The reader never copies a record: fields point into the input window.  A record is found whole first (NDJSON:
 * by its newline; CSV: by csv_split()), then checked, then lent.
 */
#include "records/rows.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/names.h"
#include "base/progress.h"
#include "base/scan.h"
#include "format/csv.h"
#include "format/json.h"
#include "records/input.h"
#include "records/rejects.h"

const char *const rows_formats[] = { "auto", "ndjson", "csv", NULL };
const char *const rows_nuls[] = { "refuse", "strip", "replace", NULL };

#define SHOWN_OF_HUGE 1024      /* bytes of a record over --max-record that its reject keeps */

struct rows {
	struct rows_options want;
	struct input in;
	enum rows_format format;
	struct row row, header;
	size_t cap;                     /* of row.f */
	struct csv csv;
	struct buf header_text;         /* the names of a CSV header point here */
	struct buf names, nul_scratch;  /* unescaped names; values that lost their NULs, or what is shown of a huge record */
	struct str raw;                 /* the record that came last, without its line end */
	bool by_name;                   /* row is filled, so a reject can show CSV by name */
	unsigned long long line, next_line;
	struct rows_counts count;
	struct rejects rejects;
	struct buf where, advice;
};

/* ---- bad records ---- */

/* The end of a message: the advice behind JOIN, or "" where there is none.  Lent until the next call. */
static const char *
advice(struct rows *in, const char *join, const char *words)
{
	buf_reset(&in->advice);
	if (words != NULL)
		buf_fmt(&in->advice, "%s%s", join, words);
	return buf_all(&in->advice).p;
}

/* The record as it came: an object where it is one, so that it can be mended and read again; else its text. */
static void
add_record(struct buf *b, const struct rows *in)
{
	const char *end = in->raw.p + in->raw.n, *start = json_space(in->raw.p, end), *past = NULL;
	struct json_error e;

	if (in->format == ROWS_NDJSON && start < end)
		past = json_skip(start, end, &e);
	if (in->by_name && in->format == ROWS_CSV)
		row_json(b, &in->row);
	else if (past != NULL && *start == '{' && json_space(past, end) == end)
		buf_add(b, start, (size_t)(past - start));
	else
		json_any_text(b, in->raw);
}

static void
flush_held(const struct rows *in)
{
	if (in->in.before_wait != NULL)
		in->in.before_wait(in->in.before_wait_arg);
}

static void
reject(struct rows *in, unsigned long long line, struct str column, const char *why)
{
	struct buf record = { 0 };

	in->count.rejected++;
	if (in->want.rejects == NULL)
		flush_held(in);         /* the good records before this one go out */
	if (in->want.rejects == NULL && column.n > 0)
		die(EX_DATAERR, "%s:%llu: column \"%.*s\": %s", in->in.file, line, (int)column.n, column.p, why);
	if (in->want.rejects == NULL)
		die(EX_DATAERR, "%s:%llu: %s", in->in.file, line, why);
	add_record(&record, in);
	rejects_put(&in->rejects, line, column, why, buf_all(&record));
	buf_free(&record);
	rejects_check(&in->rejects, in->count.read, false);
}

static void
reject_fmt(struct rows *in, unsigned long long line, struct str column, const char *fmt, va_list args)
{
	char why[1024];

	vsnprintf(why, sizeof why, fmt, args);
	reject(in, line, column, why);
}

/* The record that starts on the line in->line is bad as a whole. */
static void PRINTF(2, 3)
reject_whole(struct rows *in, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	reject_fmt(in, in->line, (struct str){ 0 }, fmt, args);
	va_end(args);
}

void
rows_reject(struct rows *in, struct str column, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	reject_fmt(in, in->line, column, fmt, args);
	va_end(args);
}

/* Kept of a record: its line, the length of its "file:line", that, and the record itself if a reject would show it. */
struct kept { unsigned long long line; size_t where; };

void
rows_keep(struct rows *in, struct buf *b)
{
	struct str where = str_of(rows_where(in));
	struct kept head = { in->line, where.n };

	buf_add(b, &head, sizeof head);
	buf_str(b, where);
	if (in->want.rejects != NULL)
		add_record(b, in);
}

struct str
rows_kept_where(struct str kept)
{
	struct kept head;

	memcpy(&head, kept.p, sizeof head);
	return (struct str){ kept.p + sizeof head, head.where };
}

void
rows_reject_kept(struct rows *in, struct str kept, struct str column, const char *why)
{
	size_t before = sizeof(struct kept) + rows_kept_where(kept).n;
	struct kept head;

	memcpy(&head, kept.p, sizeof head);
	in->count.rejected++;
	if (in->want.rejects != NULL)
		rejects_put(&in->rejects, head.line, column, why, (struct str){ kept.p + before, kept.n - before });
}

void
rows_json(struct rows *in, struct buf *b)
{
	const char *start = json_space(in->raw.p, in->raw.p + in->raw.n), *end = in->raw.p + in->raw.n;

	if (in->format == ROWS_CSV) {
		row_json(b, &in->row);
		return;
	}
	while (end > start && end[-1] != '}')
		end--;
	buf_add(b, start, (size_t)(end - start));
}

/* The record on in->line, whose first bytes are at p, is over --max-record. */
static void
reject_huge(struct rows *in, const char *p)
{
	long long limit = in->want.max_record;
	bool whole = limit % (1 << 20) == 0;

	in->by_name = false;
	in->count.read++;
	buf_reset(&in->nul_scratch);    /* a copy, since the scanner that looks at it wants a 0 behind it */
	buf_add(&in->nul_scratch, p, limit > SHOWN_OF_HUGE ? SHOWN_OF_HUGE : (size_t)limit);
	in->raw = buf_all(&in->nul_scratch);
	reject_whole(in, "record over %lld %s%s: see --max-record", whole ? limit >> 20 : limit, whole ? "MiB" : "bytes",
	    in->format == ROWS_CSV && memchr(p, '"', in->raw.n) != NULL ? ", or a quote that is never closed" : "");
}

/* ---- NDJSON ---- */

/* Drops what is left of the line at p, reading on as it must. */
static void
skip_line(struct rows *in)
{
	char *newline;

	while ((newline = memchr(in->in.p, '\n', (size_t)(in->in.end - in->in.p))) == NULL) {
		in->in.p = in->in.end;
		if (!input_more(&in->in))
			return;
	}
	in->in.p = newline + 1;
	in->next_line++;
}

/* Finds the line at p whole.  Returns its end (the newline, or the end of the file), or NULL at the end of input. */
static char *
whole_line(struct rows *in)
{
	for (size_t seen = 0;;) {
		char *from = in->in.p + seen, *newline = memchr(from, '\n', (size_t)(in->in.end - from));

		if (newline != NULL)
			return newline;
		seen = (size_t)(in->in.end - in->in.p);
		if (seen > (size_t)in->want.max_record) {
			in->line = in->next_line;
			reject_huge(in, in->in.p);
			skip_line(in);
			seen = 0;
		} else if (!input_more(&in->in)) {
			return seen > 0 ? in->in.end : NULL;
		}
	}
}

static struct field *
next_field(struct rows *in)
{
	if (in->row.n == in->cap) {
		in->cap = in->cap == 0 ? 32 : in->cap * 2;
		in->row.f = xrealloc(in->row.f, in->cap, sizeof *in->row.f);
	}
	return &in->row.f[in->row.n++];
}

/* Unescaped names are kept as lengths while the buffer may move; settle_names() makes pointers of them. */
static void
unescape_name(struct rows *in, struct field *f)
{
	size_t at = in->names.len;

	json_unescape(&in->names, f->name);
	f->name = (struct str){ NULL, in->names.len - at };
}

static void
settle_names(struct rows *in)
{
	const char *p = in->names.p;

	for (size_t i = 0; i < in->row.n; i++) {
		if (in->row.f[i].name.p == NULL) {
			in->row.f[i].name.p = p;
			p += in->row.f[i].name.n;
		}
	}
}

/* Fills row from the line [start, end).  False: it was bad and is dealt with. */
static bool
parse_json(struct rows *in, const char *start, const char *end)
{
	const char *p = json_space(start, end);
	struct json_scan s = json_scan(p, end);

	in->row.n = 0;
	in->names.len = 0;
	if (*p != '{') {
		if (*p == '[')
			reject_whole(in, "an array, not an object%s", advice(in, ": ", in->want.see_array));
		else
			reject_whole(in, "not a JSON object");
		return false;
	}
	while (json_member(&s)) {
		struct field *f = next_field(in);
		bool null = s.value.n == 4 && *s.value.p == 'n';

		*f = (struct field){ s.key, null ? (struct str){ 0 } : s.value, true };
		if (s.key_escaped)
			unescape_name(in, f);
	}
	if (s.error.why == NULL && (p = json_space(s.p, end)) != end)
		s.error = (struct json_error){ .why = "text after the record", .at = p };
	if (s.error.why != NULL) {
		if (s.error.cut)
			reject_whole(in, "record is cut at byte %zu", (size_t)(s.error.at - start) + 1);
		else
			reject_whole(in, "byte %zu: %s", (size_t)(s.error.at - start) + 1, s.error.why);
		return false;
	}
	if (in->names.len > 0 || in->names.p != NULL)
		settle_names(in);
	return true;
}

/* True with row filled; else no record came of this line, or it was the end of the input (*more false). */
static bool
next_json(struct rows *in, bool *more)
{
	char *end = whole_line(in), *start = in->in.p;

	*more = end != NULL;
	if (end == NULL)
		return false;
	in->line = in->next_line++;
	in->in.p = end < in->in.end ? end + 1 : end;
	*end = '\0';
	if (json_space(start, end) == end)
		return false;
	if (end - start > in->want.max_record) {
		reject_huge(in, start);
		return false;
	}
	in->count.read++;
	in->raw = (struct str){ start, (size_t)(end - start) };
	return parse_json(in, start, end);
}

/* ---- CSV ---- */

/* Splits the record at p, reading on as it must.  Returns past it, or NULL at the end of the input. */
static const char *
whole_csv(struct rows *in)
{
	size_t enough = 0;      /* a large record is only looked at again once there is half as much more of it */

	for (;;) {
		size_t len = (size_t)(in->in.end - in->in.p);

		if (len == 0 && in->in.eof)
			return NULL;
		if (len > 0 && (len >= enough || in->in.eof)) {
			const char *next = csv_split(&in->csv, in->in.p, in->in.end, in->in.eof);

			if (next != NULL)
				return next;
			enough = len > 1 << 20 ? len + len / 2 : len + 1;
		}
		if (len <= (size_t)in->want.max_record) {
			input_more(&in->in);
			continue;
		}
		in->line = in->next_line;
		reject_huge(in, in->in.p);
		skip_line(in);
		enough = 0;
	}
}

static struct str
column_at(const struct rows *in, size_t i)
{
	return i < in->header.n ? in->header.f[i].name : (struct str){ 0 };
}

/* Takes the NULs out of a value, or puts U+FFFD in their place, as --nul says. */
static void
mend_nuls(struct rows *in, struct str *val)
{
	struct buf *b = &in->nul_scratch;
	size_t at = b->len;

	for (size_t i = 0; i < val->n; i++) {
		if (val->p[i] != '\0')
			buf_char(b, val->p[i]);
		else if (in->count.nuls++, in->want.nul == ROWS_NUL_REPLACE)
			buf_text(b, "\xef\xbf\xbd");
	}
	*val = (struct str){ b->p + at, b->len - at };
}

/* The record holds a NUL or bytes over 127.  False: it was bad and is dealt with. */
static bool
check_bytes(struct rows *in)
{
	in->nul_scratch.len = 0;
	buf_room(&in->nul_scratch, 3 * in->raw.n + 1);  /* so that it does not move while values point into it */
	for (size_t i = 0; i < in->csv.n; i++) {
		struct str *val = &in->csv.f[i].val;
		bool nul = memchr(val->p, '\0', val->n) != NULL;

		if (utf8_check(val->p, val->p + val->n) != NULL) {
			rows_reject(in, column_at(in, i), "invalid UTF-8%s", advice(in, ": ", in->want.see_encoding));
			return false;
		}
		if (nul && in->want.nul == ROWS_NUL_REFUSE) {
			reject(in, in->line, column_at(in, i), "a NUL byte: see --nul");
			return false;
		}
		if (nul)
			mend_nuls(in, val);
	}
	return true;
}

static void
fill_row(struct rows *in)
{
	const struct csv_field *from = in->csv.f;
	struct field *to = in->row.f;

	for (size_t i = 0; i < in->header.n; i++) {
		bool missing = from[i].val.n == 0 && !from[i].quoted;

		to[i] = (struct field){ in->header.f[i].name, missing ? (struct str){ 0 } : from[i].val, false };
	}
	in->row.n = in->header.n;
}

/* True when the split record, which ends at NEXT, has what a record needs; else it is dealt with. */
static bool
check_csv(struct rows *in, const char *next)
{
	bool no_newline = next == in->in.end && next[-1] != '\n' && next[-1] != '\r';

	if (in->csv.why != NULL) {
		reject(in, in->line + in->csv.bad_line, column_at(in, in->csv.bad_field), in->csv.why);
		return false;
	}
	if (scan_not_ascii(in->raw.p, next) < next && !check_bytes(in))
		return false;
	if (in->csv.n == in->header.n)
		return true;
	if (no_newline && in->csv.n < in->header.n)
		reject_whole(in, "record is cut: %zu columns wanted, %zu found, no line end", in->header.n, in->csv.n);
	else
		reject_whole(in, "%zu columns wanted, %zu found", in->header.n, in->csv.n);
	return false;
}

static bool
next_csv(struct rows *in, bool *more)
{
	const char *next = whole_csv(in), *start = in->in.p;

	in->by_name = false;
	*more = next != NULL;
	if (next == NULL)
		return false;
	in->line = in->next_line;
	in->next_line += in->csv.lines;
	in->in.p = (char *)next;
	if (in->csv.n == 1 && in->header.n > 1 && in->csv.why == NULL && in->csv.f[0].val.n == 0 && !in->csv.f[0].quoted)
		return false;           /* an empty line */
	if (next - start > in->want.max_record) {
		reject_huge(in, start);
		return false;
	}
	in->count.read++;
	in->raw = (struct str){ start, (size_t)(next - start) };
	while (in->raw.n > 0 && (in->raw.p[in->raw.n - 1] == '\n' || in->raw.p[in->raw.n - 1] == '\r'))
		in->raw.n--;
	if (!check_csv(in, next))
		return false;
	fill_row(in);
	in->by_name = true;
	return true;
}

/* ---- the start of a file ---- */

static void
check_header(struct rows *in)
{
	struct names seen = { 0 };
	const char *other = in->header.n == 1 ? strpbrk(in->header.f[0].name.p, ",;\t|") : NULL;

	for (size_t i = 0; i < in->header.n; i++) {
		struct str name = in->header.f[i].name;

		if (name.n == 0)
			die(EX_DATAERR, "%s:1: column %zu has no name%s", in->in.file, i + 1,
			    advice(in, ": ", in->want.see_header));
		if (names_add(&seen, name) != i)
			die(EX_DATAERR, "%s:1: column \"%.*s\" comes twice%s", in->in.file, (int)name.n, name.p,
			    advice(in, ": ", in->want.see_header));
	}
	names_free(&seen);
	if (other != NULL)
		die(EX_DATAERR, "%s:1: one column: is the delimiter \"%.*s\"?%s", in->in.file, *other == '\t' ? 3 : 1,
		    *other == '\t' ? "tab" : other, advice(in, " ", in->want.see_header));
}

/* Names are copied, since the window moves on; each ends in a 0 of its own. */
static void
keep_header(struct rows *in, size_t bytes)
{
	buf_reset(&in->header_text);
	buf_room(&in->header_text, bytes + in->csv.n);
	in->header.f = xrealloc(in->header.f, in->csv.n, sizeof *in->header.f);
	in->header.n = in->csv.n;
	for (size_t i = 0; i < in->csv.n; i++) {
		struct str name = in->csv.f[i].val;

		in->header.f[i] = (struct field){ .name = { in->header_text.p + in->header_text.len, name.n } };
		buf_str(&in->header_text, name);
		in->header_text.len++;
	}
	for (in->row.n = 0; in->row.n < in->header.n;)
		next_field(in);
}

static void
read_header(struct rows *in)
{
	const char *next, *start;

	in->csv.delimiter = ',';
	if (in->want.delimiter != NULL)
		in->csv.delimiter = in->want.delimiter(in->in.p, in->in.end, in->want.arg);
	next = whole_csv(in);
	start = in->in.p;
	if (next == NULL)
		return;
	if (in->csv.why != NULL)
		die(EX_DATAERR, "%s:%zu: header: %s", in->in.file, in->csv.bad_line + 1, in->csv.why);
	if (utf8_check(start, next) != NULL)
		die(EX_DATAERR, "%s:1: header: invalid UTF-8%s", in->in.file, advice(in, ": ", in->want.see_encoding));
	if (memchr(start, '\0', (size_t)(next - start)) != NULL)
		die(EX_DATAERR, "%s:1: header: a NUL byte: UTF-16?%s", in->in.file,
		    advice(in, " ", in->want.see_encoding));
	keep_header(in, (size_t)(next - start));
	if (in->want.rename_header != NULL)
		in->want.rename_header(&in->header, in->in.file, in->want.arg);
	check_header(in);
	in->line = in->next_line;
	in->next_line += in->csv.lines;
	in->in.p = (char *)next;
}

/* {" or {}: no header of CSV starts so, even where CSV is asked for. */
static bool
looks_like_json(const char *p, const char *end)
{
	if (*p != '{')
		return false;
	p = json_space(p + 1, end);
	return *p == '"' || *p == '}';
}

static enum rows_format
choose_format(struct rows *in)
{
	const char *p = json_space(in->in.p, in->in.end);

	if (strncasecmp(p, "<!doctype", 9) == 0 || strncasecmp(p, "<html", 5) == 0)
		die(EX_DATAERR, "%s: an HTML page, not records: is the address right?", in->in.file);
	if (in->want.from == ROWS_CSV && looks_like_json(p, in->in.end))
		die(EX_DATAERR, "%s: NDJSON where CSV is due", in->in.file);
	if (in->want.from != ROWS_GUESS)
		return (enum rows_format)in->want.from;
	if (*p == '[')
		die(EX_DATAERR, "%s: an array, not records%s", in->in.file, advice(in, ": ", in->want.see_array));
	return *p == '{' ? ROWS_NDJSON : ROWS_CSV;
}

/* True when the first bytes do not tell yet what they are: a byte order mark, white space, the start of a page of HTML. */
static bool
may_be_more(const struct input *in)
{
	const char *p = json_space(in->p, in->end);

	return in->end - in->p < 16 && (p == in->end || *p == '\xef' || *p == '<');
}

/* Looks at the first bytes of the file: byte order mark, format, header. */
static void
start_file(struct rows *in)
{
	in->line = 0;
	in->next_line = 1;
	in->header.n = 0;
	while (may_be_more(&in->in) && input_more(&in->in))
		;
	if (in->in.end - in->in.p >= 3 && memcmp(in->in.p, "\xef\xbb\xbf", 3) == 0)
		in->in.p += 3;
	if (in->in.p == in->in.end)
		return;
	in->format = choose_format(in);
	if (in->format == ROWS_CSV)
		read_header(in);
}

/* ---- what tools call ---- */

/* The rejects take their name when all is read, and would replace what was read. */
static void
check_rejects_path(const char *path, char **files)
{
	struct stat rejects, input;

	if (path == NULL || stat(path, &rejects) != 0 || !S_ISREG(rejects.st_mode))
		return;
	for (; files != NULL && *files != NULL; files++)
		if (stat(*files, &input) == 0 && input.st_dev == rejects.st_dev && input.st_ino == rejects.st_ino)
			die(EX_USAGE, "--rejects %s is the input itself: name another file", path);
}

struct rows *
rows_open(char **files, const struct rows_options *options)
{
	struct rows *in = xcalloc(1, sizeof *in);

	in->want = *options;
	check_rejects_path(options->rejects, files);
	rejects_open(&in->rejects, options->rejects, options->max_rejects);
	input_open(&in->in, files);
	in->in.read = options->read;
	in->in.read_arg = options->arg;
	start_file(in);
	return in;
}

struct row *
rows_next(struct rows *in)
{
	for (;;) {
		bool more = in->in.p < in->in.end || !in->in.eof;
		bool good = more && (in->format == ROWS_NDJSON ? next_json(in, &more) : next_csv(in, &more));

		progress_check();
		if (good) {
			progress_add(!in->want.uncounted, 0);
			return &in->row;
		}
		if (more)
			continue;
		if (!input_next_file(&in->in))
			return NULL;
		flush_held(in);         /* its header may end the run: the records before it go out */
		start_file(in);
	}
}

const struct row *
rows_header(struct rows *in)
{
	return in->header.n > 0 ? &in->header : NULL;
}

enum rows_format
rows_format(const struct rows *in)
{
	return in->format;
}

const struct rows_options *
rows_options(const struct rows *in)
{
	return &in->want;
}

const char *
rows_where(struct rows *in)
{
	buf_reset(&in->where);
	buf_fmt(&in->where, "%s:%llu", in->in.file, in->line);
	return in->where.p;
}

struct rows_counts
rows_counts(const struct rows *in)
{
	return in->count;
}

void
rows_before_wait(struct rows *in, void (*flush)(void *arg), void *arg)
{
	in->in.before_wait = flush;
	in->in.before_wait_arg = arg;
}

int
rows_fd(const struct rows *in)
{
	return input_fd(&in->in);
}

void
rows_check_read(struct rows *in)
{
	rejects_check(&in->rejects, in->count.read, true);
}

void
rows_check(struct rows *in)
{
	rows_check_read(in);
	rejects_close(&in->rejects);
}

void
rows_close(struct rows *in)
{
	rows_check(in);
	input_close(&in->in);
	csv_free(&in->csv);
	buf_free(&in->header_text);
	buf_free(&in->names);
	buf_free(&in->nul_scratch);
	buf_free(&in->where);
	buf_free(&in->advice);
	free(in->header.f);
	free(in->row.f);
	free(in);
}
