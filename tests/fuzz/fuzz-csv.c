/*
 * fuzz-csv - csv_split() on anything: it stays inside the text, makes progress, gives the same
 * fields whether the text comes whole or cut, and csv_put() and csv_copy() write what it reads
 * back as the same record.  Of a text whose records are all good, libcsv reads the same fields.
 *
 * The first byte chooses the delimiter.
 */
#include <stdint.h>
#include <stdlib.h>

#define csv_free libcsv_free            /* names of ours */
#include <csv.h>
#undef csv_free
#undef CSV_COMMA

#include "format/csv.h"

#define CHECK(x) do { if (!(x)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The fields of FROM, written and read again, are the same ones. */
static void
check_round_trip(const struct csv *from)
{
	struct csv again = CSV_COMMA;
	struct buf line = { 0 }, copy = { 0 }, copied = { 0 };

	for (size_t i = 0; i < from->n; i++) {
		struct str val = from->f[i].val;

		buf_reset(&copied);
		buf_str(&copied, val);
		if (i > 0) {
			buf_char(&line, ',');
			buf_char(&copy, ',');
		}
		if (val.n == 0 && !from->f[i].quoted)
			continue;
		csv_put(&line, val);
		csv_copy(&copy, buf_all(&copied));
	}
	CHECK(str_eq(buf_all(&line), buf_all(&copy)));
	buf_char(&line, '\n');
	CHECK(csv_split(&again, line.p, line.p + line.len, true) == line.p + line.len);
	CHECK(again.why == NULL && again.n == from->n);
	for (size_t i = 0; i < from->n; i++) {
		CHECK(str_eq(again.f[i].val, from->f[i].val));
		if (from->f[i].val.n == 0)
			CHECK(again.f[i].quoted == from->f[i].quoted);
	}
	csv_free(&again);
	buf_free(&line);
	buf_free(&copy);
	buf_free(&copied);
}

/* A record that was found whole in a shorter text is the same record in the longer one. */
static void
check_cut(const struct csv *whole, const char *p, const char *next)
{
	struct csv cut = { .delimiter = whole->delimiter };
	struct buf part = { 0 };
	size_t n = (size_t)(next - p);
	const char *found;

	buf_add(&part, p, n - 1);
	found = csv_split(&cut, part.p, part.p + part.len, false);
	if (found != NULL && whole->why == NULL)        /* CRLF: the CR alone ended it */
		CHECK(cut.why == NULL && cut.n == whole->n);
	csv_free(&cut);
	buf_free(&part);
}

/* Fields and records, each with a byte behind it that tells them apart from what is in them. */
static void
add_field(void *val, size_t n, void *arg)
{
	buf_add(arg, val, n);
	buf_add(arg, "\0f", 2);
}

static void
add_record_end(int c, void *arg)
{
	(void)c;
	buf_add(arg, "\0r", 2);
}

static int
no_space(unsigned char c)
{
	(void)c;
	return 0;
}

/* libcsv passes over empty lines, and so does who compares with it. */
static void
add_ours(struct buf *ours, const struct csv *c)
{
	if (c->n == 1 && c->f[0].val.n == 0 && !c->f[0].quoted)
		return;
	for (size_t i = 0; i < c->n; i++)
		add_field((char *)c->f[i].val.p, c->f[i].val.n, ours);
	add_record_end(0, ours);
}

static void
compare_with_libcsv(const struct buf *ours, struct str text, char delimiter)
{
	static struct csv_parser p;
	static bool ready;
	struct buf theirs = { 0 };

	if (!ready)
		CHECK(csv_init(&p, 0) == 0);
	ready = true;
	csv_set_delim(&p, (unsigned char)delimiter);
	csv_set_space_func(&p, no_space);       /* white space is a part of a field */
	CHECK(csv_parse(&p, text.p, text.n, add_field, add_record_end, &theirs) == text.n);
	CHECK(csv_fini(&p, add_field, add_record_end, &theirs) == 0);
	CHECK(str_eq(buf_all(ours), buf_all(&theirs)));
	buf_free(&theirs);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct csv c = { .delimiter = n > 0 ? ",;\t|"[data[0] % 4] : ',' };
	struct buf text = { 0 }, ours = { 0 };
	const char *p, *end;
	bool good = true;

	if (n == 0)
		return 0;
	buf_add(&text, data + 1, n - 1);
	end = text.p + text.len;
	for (p = text.p; p < end;) {
		const char *next = csv_split(&c, p, end, true);

		CHECK(next != NULL && next > p && next <= end);
		if (n < 512)
			check_cut(&c, p, next);
		good = good && c.why == NULL;
		if (c.why == NULL) {
			check_round_trip(&c);
			add_ours(&ours, &c);
		} else {
			CHECK(c.bad_field < c.n || c.n == 0);
		}
		p = next;
	}
	if (good)
		compare_with_libcsv(&ours, buf_all(&text), c.delimiter);
	csv_free(&c);
	buf_free(&ours);
	buf_free(&text);
	return 0;
}
