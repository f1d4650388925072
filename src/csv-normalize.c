/*
 * csv-normalize - make any city's CSV clean.
 *
 * Three hooks do what the library's reader refuses to do: decode() turns other encodings into UTF-8
 * below the reader, which so knows nothing of them, choose_delimiter() finds the delimiter of each
 * file, and mend_header() gives its columns the names that we want.
 * Encoding and delimiter are guessed from the first 64 KiB of each file, and never a value's type.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "advice.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/names.h"
#include "base/opt.h"
#include "base/scan.h"
#include "format/csv.h"
#include "format/date.h"
#include "format/encoding.h"
#include "records/input.h"
#include "records/rows.h"

static const char *delimiter_word, *columns_list;
static bool keep_names, strict, trim, keep_empty;
static struct words renames, date_words, nulls;
static const char *encoding = "auto";
static long long date_order;
static const char *const date_orders[] = { "auto", "mdy", "dmy", "ymd", NULL };
/* The hooks are set in main(). */
static struct rows_options reading = { ROWS_DEFAULTS, ROWS_ADVICE, .from = ROWS_CSV };

static const struct opt options[] = {
	OPT_STRING(0, "encoding", "NAME", &encoding,
	    "of the input, such as windows-1252 (else guessed)"),
	OPT_NO_LETTER('e', "encoding"),
	OPT_STRING('d', "delimiter", "CHAR", &delimiter_word,
	    "between fields; or tab (else guessed)"),
	OPT_FLAG(0, "keep-names", &keep_names, "leave the header's names as they are"),
	OPT_LIST(0, "rename", "OLD=NEW", &renames, "give a column another name; repeat for more"),
	OPT_NO_LETTER('r', "rename"),
	OPT_STRING('c', "columns", "A,B,...", &columns_list, "these columns, in this order"),
	OPT_FLAG(0, "strict", &strict, "a column that only an option names is an error"),
	OPT_NO_LETTER('s', "strict"),
	OPT_LIST(0, "date", "COL[=FORMAT]", &date_words,
	    "make its dates ISO 8601; FORMAT as in strptime(3)"),
	OPT_CHOICE(0, "date-order", "ORDER", &date_order, date_orders,
	    "of dates such as 1/2/2020: mdy, dmy or ymd"),
	OPT_LIST(0, "null", "TOKEN", &nulls, "a value that means none, such as N/A; repeatable"),
	OPT_NO_LETTER('n', "null"),
	OPT_FLAG(0, "trim", &trim, "cut white space off both ends of each value"),
	OPT_NO_LETTER('t', "trim"),
	OPT_FLAG(0, "keep-empty", &keep_empty, "leave \"\" an empty string (else it is none)"),
	OPT_ROWS_CHECKS(reading), /* --rejects, --max-rejects, --max-record, --nul */
	OPT_END
};
const struct tool tool = {
	.name = "csv-normalize", .operands = "[file ...]", .options = options,
	.does = "Make CSV clean: UTF-8, commas, plain names, ISO 8601 dates.",
};

/* ---- bytes: what is below the reader ---- */

#define GUESS_FROM (64 * 1024)

struct source {
	bool known;                     /* the encoding is: set for each file */
	const char *encoding;           /* its name, */
	struct encoding *decoder;       /* and what reads it; NULL: it is UTF-8 */
	char delimiter;
	bool eof;
	size_t start, len;              /* what of raw is not converted yet */
	char raw[GUESS_FROM + BUF_PAD];
};

/* Reads behind what raw holds.  False with errno set, as read(2). */
static bool
fill_raw(struct source *s, int fd)
{
	ssize_t n;

	memmove(s->raw, s->raw + s->start, s->len);
	s->start = 0;
	if ((n = read(fd, s->raw + s->len, GUESS_FROM - s->len)) < 0)
		return false;
	s->eof = n == 0;
	s->len += (size_t)n;
	return true;
}

/* The delimiter that the header line has most of, quoted parts left out; a comma where it has none. */
static char
guess_delimiter(const char *p, const char *end)
{
	static const char candidates[] = ",;\t|";
	size_t count[sizeof candidates] = { 0 }, best = 0;
	bool quoted = false;

	for (; p < end && (quoted || (*p != '\n' && *p != '\r')); p++) {
		const char *found = *p != '\0' && !quoted ? strchr(candidates, *p) : NULL;

		quoted ^= *p == '"';
		if (found != NULL)
			count[found - candidates]++;
	}
	for (size_t i = 1; i < sizeof candidates - 1; i++)
		if (count[i] > count[best])
			best = i;
	return candidates[best];
}

/* Converts as much of raw as there is room for. */
static size_t
convert_raw(struct source *s, char *to, size_t room)
{
	size_t n = room / (s->decoder != NULL ? ENCODING_GROWS : 1), len;

	if (n > s->len)
		n = s->len;
	if (s->decoder != NULL)
		len = encoding_convert(s->decoder, to, room, s->raw + s->start, &n,
		    s->eof && n == s->len);
	else
		memcpy(to, s->raw + s->start, len = n);
	s->start += n;
	s->len -= n;
	return len;
}

static bool
is_utf8(const char *name)
{
	return strcasecmp(name, "utf-8") == 0 || strcasecmp(name, "utf8") == 0;
}

static void
choose_encoding(struct source *s)
{
	const char *guess = encoding_guess(s->raw, s->len);

	if (strcasecmp(encoding, "utf-16") == 0)
		s->encoding = strcmp(guess, "utf-16be") == 0 ? guess : "utf-16le";
	else
		s->encoding = strcmp(encoding, "auto") == 0 ? guess : encoding;
	encoding_close(s->decoder);
	s->decoder = NULL;
	if (!is_utf8(s->encoding) && (s->decoder = encoding_open(s->encoding)) == NULL)
		die(EX_OSFILE, "iconv(3) has no %s: is libc's gconv installed?", s->encoding);
}

/* In read(2)'s place: the reader sees UTF-8. */
static ssize_t
decode(int fd, void *to, size_t room, void *arg)
{
	struct source *s = arg;
	size_t n = 0;

	while (!s->known) {
		if (s->len < GUESS_FROM && !s->eof) {
			if (!fill_raw(s, fd))
				return -1;
			continue;
		}
		s->known = true;
		choose_encoding(s);
	}
	if (s->decoder == NULL && s->len == 0 && !s->eof) {
		ssize_t got = read(fd, to, room);

		s->known = got != 0;        /* what comes behind the end is another file */
		return got;
	}
	while ((n = convert_raw(s, to, room)) == 0) {
		if (s->eof) {
			s->known = s->eof = false;
			return 0;
		}
		if (!fill_raw(s, fd))
			return -1;
	}
	return (ssize_t)n;
}

static char
choose_delimiter(const char *p, const char *end, void *arg)
{
	struct source *s = arg;

	if (delimiter_word == NULL)
		s->delimiter = guess_delimiter(p, end);
	return s->delimiter;
}

/* ---- names: which column is which ---- */

struct rename { struct str old, new; bool found; };
struct date { struct str column; const char *format; bool found; };
struct column { size_t source; const struct date *date; };     /* source: its place in the row, or NAMES_NONE */

static struct {
	struct rename *rename;
	struct date *date;
	struct str *null;
	struct names out;               /* the columns of the output */
	struct column *column;          /* where each comes from, in the file at hand */
	bool fixed;                     /* out is settled: by --columns, or by the first file's header */
	struct buf text;                /* the names of the file at hand */
} plan;

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Appends " Request Type" as request_type. */
static void
add_plain_name(struct buf *b, struct str name)
{
	bool gap = false;

	name = str_trim(name);
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (is_blank(c) || c == '-') {
			gap = true;
			continue;
		}
		if (gap)
			buf_char(b, '_');
		gap = false;
		buf_char(b, c >= 'A' && c <= 'Z' ? (char)(c + 32) : c);
	}
	if (gap)
		buf_char(b, '_');
}

/* Appends the name that a column of this name gets, renamed perhaps, but not yet unique. */
static void
add_wanted_name(struct buf *b, struct str name)
{
	size_t at = b->len;

	if (keep_names)
		buf_str(b, name);
	else
		add_plain_name(b, name);
	for (size_t i = 0; i < renames.n; i++) {
		struct rename *r = &plan.rename[i];

		if (!str_eq(r->old, (struct str){ b->p + at, b->len - at }) && !str_eq(r->old, name) &&
		    !str_eq(r->old, str_trim(name)))
			continue;
		r->found = true;
		b->len = at;
		buf_str(b, r->new);
		return;
	}
}

/* Makes the name in the buffer from AT on one that is not seen yet: column_7, name_2. */
static void
make_unique(struct buf *b, size_t at, struct names *seen, size_t place, const char *file)
{
	size_t end;

	if (b->len == at) {
		buf_fmt(b, "column_%zu", place + 1);
		note("%s: column %zu has no name: it is %s", file, place + 1, b->p + at);
	}
	end = b->len;
	for (size_t k = 2; names_find(seen, (struct str){ b->p + at, b->len - at }, NAMES_NONE) != NAMES_NONE; k++) {
		b->len = end;
		buf_fmt(b, "_%zu", k);
	}
	if (b->len != end)
		note("%s: column %zu is another \"%.*s\": it is %s", file, place + 1, (int)(end - at), b->p + at, b->p + at);
	names_add(seen, (struct str){ b->p + at, b->len - at });
}

/* Adds "a", "b" to the list of what a header lacks. */
static void
add_lacking(struct buf *list, struct str name)
{
	buf_fmt(list, "%s\"%.*s\"", list->len > 0 ? ", " : "", (int)name.n, name.p);
}

/* What options name and this header lacks. */
static void
check_lacking(const struct names *have, const char *file)
{
	struct buf list = { 0 };

	for (size_t i = 0; i < renames.n; i++)
		if (!plan.rename[i].found)
			add_lacking(&list, plan.rename[i].old);
	for (size_t i = 0; i < plan.out.n; i++)
		if (names_find((struct names *)have, plan.out.name[i], i) == NAMES_NONE)
			add_lacking(&list, plan.out.name[i]);
	for (size_t i = 0; i < date_words.n; i++)
		if (names_find((struct names *)have, plan.date[i].column, i) == NAMES_NONE &&
		    names_find(&plan.out, plan.date[i].column, i) == NAMES_NONE)
			add_lacking(&list, plan.date[i].column);
	if (list.len > 0 && strict)
		die(EX_DATAERR, "%s:1: no column %s in the header", file, list.p);
	if (list.len > 0)
		note("%s:1: no column %s in the header", file, list.p);
	buf_free(&list);
}

static const struct date *
date_of(struct str name)
{
	for (size_t i = 0; i < date_words.n; i++)
		if (str_eq(plan.date[i].column, name))
			return &plan.date[i];
	return NULL;
}

/* Where the output's columns come from in a file that HAVEs these. */
static void
make_plan(struct names *have, const char *file)
{
	for (size_t i = 0; !plan.fixed && i < have->n; i++)
		names_add(&plan.out, have->name[i]);
	for (size_t i = 0; columns_list == NULL && i < have->n; i++)
		if (names_find(&plan.out, have->name[i], i) == NAMES_NONE)
			die(EX_DATAERR, "%s:1: column \"%s\" is not in the first file: see --columns", file, have->name[i].p);
	check_lacking(have, file);
	plan.fixed = true;
	plan.column = xrealloc(plan.column, plan.out.n, sizeof *plan.column);
	for (size_t i = 0; i < plan.out.n; i++)
		plan.column[i] = (struct column){ names_find(have, plan.out.name[i], i), date_of(plan.out.name[i]) };
}

static void
say_guesses(const struct source *s, const char *file)
{
	if (strcmp(encoding, "auto") == 0 && (s->decoder != NULL || opt_verbose()))
		note("%s: read as %s: --encoding says otherwise", file, s->encoding);
	if (delimiter_word == NULL && s->delimiter == '\t')
		note("%s: the delimiter is a tab: --delimiter says otherwise", file);
	else if (delimiter_word == NULL && (s->delimiter != ',' || opt_verbose()))
		note("%s: the delimiter is \"%c\": --delimiter says otherwise", file, s->delimiter);
}

static void
mend_header(struct row *header, const char *file, void *source)
{
	struct names have = { 0 };
	size_t *end = xcalloc(header->n, sizeof *end);

	say_guesses(source, file);
	for (size_t i = 0; i < renames.n; i++)
		plan.rename[i].found = false;
	buf_reset(&plan.text);
	for (size_t i = 0; i < header->n; i++) {
		size_t at = plan.text.len;

		add_wanted_name(&plan.text, header->f[i].name);
		make_unique(&plan.text, at, &have, i, file);
		buf_char(&plan.text, '\0');
		end[i] = plan.text.len;
	}
	for (size_t i = 0, at = 0; i < header->n; at = end[i++])
		header->f[i].name = (struct str){ plan.text.p + at, end[i] - at - 1 };
	make_plan(&have, file);
	names_free(&have);
	free(end);
}

/* ---- values ---- */

static bool
is_null(struct str val)
{
	for (size_t i = 0; i < nulls.n; i++)
		if (str_eq(plan.null[i], val))
			return true;
	return false;
}

/* The value as it goes out; p NULL: none. */
static struct str
mend_value(struct str val)
{
	if (trim)
		val = str_trim(val);
	if (!keep_empty && (val.n == 0 || (is_blank(val.p[0]) && str_trim(val).n == 0)))
		return (struct str){ 0 };
	return nulls.n > 0 && is_null(val) ? (struct str){ 0 } : val;
}

static bool
put_date(struct buf *b, struct str val, const char *format, const char **why)
{
	struct moment m;
	bool good = format != NULL ? date_parse_format(val, format, &m, why) :
	    date_parse(val, DATE_AUTO + (enum date_order)date_order, &m, why);

	if (good)
		date_put_iso(b, &m);
	return good;
}

/* Appends the row as a line; false when a value was bad and the row is dealt with. */
static bool
put_row(struct buf *b, struct rows *in, const struct row *row)
{
	size_t start = b->len;

	for (size_t i = 0; i < plan.out.n; i++) {
		const struct column *c = &plan.column[i];
		struct str val = { 0 };
		const char *why;

		if (i > 0)
			buf_char(b, ',');
		if (c->source != NAMES_NONE && row->f[c->source].val.p != NULL)
			val = mend_value(row->f[c->source].val);
		if (val.p == NULL)
			continue;
		if (c->date == NULL) {
			csv_copy(b, val);
		} else if (!put_date(b, val, c->date->format, &why)) {
			b->len = start;
			rows_reject(in, plan.out.name[i], "\"%.*s\" %s", val.n < 100 ? (int)val.n : 100, val.p, why);
			return false;
		}
	}
	buf_char(b, '\n');
	return true;
}

/* ---- options ---- */

static char
parse_delimiter(void)
{
	const char *word = delimiter_word;

	if (word == NULL)
		return ',';
	if (strcmp(word, "tab") == 0 || strcmp(word, "\\t") == 0)
		word = "\t";
	if (strlen(word) != 1 || strchr("\"\r\n", word[0]) != NULL || (unsigned char)word[0] > 127)
		die(EX_USAGE, "--delimiter %s: want one character, such as ; or | or tab", word);
	return word[0];
}

static void
check_encoding(void)
{
	struct encoding *e;

	if (strcmp(encoding, "auto") == 0 || strcasecmp(encoding, "utf-16") == 0 || is_utf8(encoding))
		return;
	if ((e = encoding_open(encoding)) == NULL)
		die(EX_USAGE, "--encoding %s: want a name such as windows-1252: iconv -l lists them", encoding);
	encoding_close(e);
}

static void
parse_renames(void)
{
	plan.rename = xcalloc(renames.n + 1, sizeof *plan.rename);
	for (size_t i = 0; i < renames.n; i++) {
		const char *word = renames.w[i], *eq = strchr(word, '=');

		if (eq == NULL || eq == word || eq[1] == '\0')
			die(EX_USAGE, "--rename %s: want OLD=NEW", word);
		plan.rename[i] = (struct rename){ { word, (size_t)(eq - word) }, str_of(eq + 1), false };
	}
}

static void
parse_dates(void)
{
	if (date_order != 0 && date_words.n == 0)
		die(EX_USAGE, "--date-order: say which columns are dates with --date");
	plan.date = xcalloc(date_words.n + 1, sizeof *plan.date);
	for (size_t i = 0; i < date_words.n; i++) {
		const char *word = date_words.w[i], *eq = strchr(word, '='), *why;
		struct date *d = &plan.date[i];

		d->column = eq != NULL ? (struct str){ word, (size_t)(eq - word) } : str_of(word);
		d->format = eq != NULL ? eq + 1 : NULL;
		if (d->column.n == 0)
			die(EX_USAGE, "--date %s: want COL or COL=FORMAT", word);
		if (d->format != NULL && (why = date_format_check(d->format)) != NULL)
			die(EX_USAGE, "--date %s: %s", word, why);
		if (date_of(d->column) != d)
			die(EX_USAGE, "--date %s: the column comes twice", word);
	}
}

static void
parse_nulls(void)
{
	plan.null = xcalloc(nulls.n + 1, sizeof *plan.null);
	for (size_t i = 0; i < nulls.n; i++)
		plan.null[i] = str_of(nulls.w[i]);
}

static void
parse_columns(void)
{
	struct words list;

	if (columns_list == NULL)
		return;
	list = opt_split(columns_list);
	for (size_t i = 0; i < list.n; i++) {
		if (list.w[i][0] == '\0')
			die(EX_USAGE, "--columns %s: an empty name", columns_list);
		if (names_add(&plan.out, str_of(list.w[i])) != i)
			die(EX_USAGE, "--columns: \"%s\" comes twice", list.w[i]);
	}
	free(list.w[0]);
	free(list.w);
	plan.fixed = true;
}

static void
free_plan(void)
{
	free(plan.rename);
	free(plan.date);
	free(plan.null);
	free(plan.column);
	names_free(&plan.out);
	buf_free(&plan.text);
}

int
main(int argc, char *argv[])
{
	char **files = opt_parse(argc, argv);

	static struct source source;    /* static, since it is large */

	check_encoding();
	source.delimiter = parse_delimiter();
	parse_renames();
	parse_dates();
	parse_nulls();
	parse_columns();
	reading.read = decode;
	reading.delimiter = choose_delimiter;
	reading.rename_header = mend_header;
	reading.arg = &source;

	struct rows *in = rows_open(files, &reading);
	struct rows_out *out = rows_stdout(in, ROWS_CSV);
	struct row *row;

	if (plan.out.n > 0)
		rows_columns(out, plan.out.name, plan.out.n);
	while ((row = rows_next(in)) != NULL)
		if (put_row(rows_buf(out), in, row))
			rows_flush_some(out);
	rows_finish(out);
	rows_close(in);
	encoding_close(source.decoder);
	free_plan();
	return EX_OK;
}
