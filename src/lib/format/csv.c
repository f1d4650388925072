/* format/csv.c - CSV text, split where it lies. */
#include "format/csv.h"

#include <stdlib.h>

#include "base/scan.h"

static struct csv_field *
next_field(struct csv *c)
{
	if (c->n == c->cap) {
		c->cap = c->cap == 0 ? 32 : c->cap * 2;
		c->f = xrealloc(c->f, c->cap, sizeof *c->f);
	}
	return &c->f[c->n++];
}

/* Past the line end at p.  NULL when it may be the first half of CRLF. */
static const char *
past_line_end(const char *p, const char *end, bool eof)
{
	if (*p == '\n')
		return p + 1;
	if (p + 1 == end && !eof)
		return NULL;
	return p + 1 < end && p[1] == '\n' ? p + 2 : p + 1;
}

/* Line ends in a quoted field; CRLF is one. */
static size_t
count_lines(const char *p, const char *end)
{
	size_t n = 0;

	while ((p = scan_any(p, end, '\n', '\r', '\r')) < end) {
		n++;
		p += *p == '\r' && p + 1 < end && p[1] == '\n' ? 2 : 1;
	}
	return n;
}

/*
 * Fields with doubled quotes are unescaped into scratch, which may move as it grows; so val holds the offset
 * there (p NULL until the record is whole) and settle() makes pointers of them.
 */
static void
unescape(struct csv *c, struct csv_field *f, const char *p, const char *close)
{
	size_t at = c->scratch.len;

	while (p < close) {
		const char *quote = memchr(p, '"', (size_t)(close - p));

		if (quote == NULL) {
			buf_add(&c->scratch, p, (size_t)(close - p));
			break;
		}
		buf_add(&c->scratch, p, (size_t)(quote + 1 - p));
		p = quote + 2;
	}
	f->val = (struct str){ NULL, c->scratch.len - at };
}

static void
settle(struct csv *c)
{
	const char *p = c->scratch.p;

	if (c->scratch.len == 0)
		return;
	for (size_t i = 0; i < c->n; i++) {
		if (c->f[i].val.p == NULL) {
			c->f[i].val.p = p;
			p += c->f[i].val.n;
		}
	}
}

/* A record is bad: past the line that p stands in, so that the next one can be read.  The fields so far stay readable; the
 * last one may be empty. */
static const char *
bad(struct csv *c, const char *why, size_t line, const char *p, const char *end, bool eof)
{
	settle(c);
	c->why = why;
	c->bad_line = line;
	c->bad_field = c->n > 0 ? c->n - 1 : 0;
	p = scan_any(p, end, '\n', '\r', '\r');
	if (p == end)
		return eof ? end : NULL;
	c->lines = line + 1;
	return past_line_end(p, end, eof);
}

/* The closing quote of the field whose first byte inside is p, or NULL.  *doubled: it holds doubled quotes. */
static const char *
closing_quote(const char *p, const char *end, bool eof, bool *doubled)
{
	*doubled = false;
	for (;;) {
		p = memchr(p, '"', (size_t)(end - p));
		if (p == NULL || (p + 1 == end && !eof))
			return NULL;
		if (p + 1 == end || p[1] != '"')
			return p;
		*doubled = true;
		p += 2;
	}
}

/* There is text behind the closing quote at p.  When that is lines below the opening one, the quote that is missing is
 * missed up there, so that is the line to look at. */
static const char *
bad_close(struct csv *c, size_t opened, const char *p, const char *end, bool eof)
{
	bool below = c->lines > opened;
	const char *next = bad(c, below ? "the quote that opens here closes on a later line, with text behind it" :
	    "text after a closing quote", c->lines, p, end, eof);

	c->bad_line = opened;
	return next;
}

const char *
csv_split(struct csv *c, const char *p, const char *end, bool eof)
{
	c->n = 0;
	c->lines = 0;
	c->why = NULL;
	c->scratch.len = 0;
	for (;;) {
		struct csv_field *f = next_field(c);

		if (p < end && *p == '"') {
			bool doubled;
			size_t opened = c->lines;
			const char *start = p + 1, *close = closing_quote(start, end, eof, &doubled);

			*f = (struct csv_field){ { start, 0 }, true };
			if (close == NULL)
				return eof ? bad(c, "quote is never closed", c->lines, p, end, eof) : NULL;
			f->val.n = (size_t)(close - start);
			if (doubled)
				unescape(c, f, start, close);
			c->lines += count_lines(start, close);
			p = close + 1;
			if (p < end && *p != c->delimiter && *p != '\n' && *p != '\r')
				return bad_close(c, opened, p, end, eof);
		} else {
			const char *start = p;

			p = scan_any(p, end, c->delimiter, '\n', '\r');
			*f = (struct csv_field){ { start, (size_t)(p - start) }, false };
		}
		if (p == end) {
			if (!eof)
				return NULL;
			break;
		}
		if (*p != c->delimiter) {
			c->lines++;
			if ((p = past_line_end(p, end, eof)) == NULL)
				return NULL;
			break;
		}
		p++;
	}
	settle(c);
	return p;
}

void
csv_free(struct csv *c)
{
	free(c->f);
	buf_free(&c->scratch);
	*c = (struct csv){ .delimiter = c->delimiter };
}

static bool
needs_quotes(struct str v)
{
	if (v.n == 0 || v.p[0] == ' ' || v.p[v.n - 1] == ' ')
		return true;
	for (size_t i = 0; i < v.n; i++) {
		char c = v.p[i];

		if (c == ',' || c == '"' || c == '\n' || c == '\r')
			return true;
	}
	return false;
}

void
csv_put(struct buf *b, struct str val)
{
	if (val.p == NULL)
		return;
	if (!needs_quotes(val)) {
		buf_str(b, val);
		return;
	}

	const char *p = val.p, *end = p + val.n;

	buf_room(b, val.n + 2);
	b->p[b->len++] = '"';
	while (p < end) {
		const char *quote = memchr(p, '"', (size_t)(end - p));
		size_t n = (size_t)((quote != NULL ? quote + 1 : end) - p);

		buf_add(b, p, n);
		if (quote != NULL)
			buf_char(b, '"');
		p += n;
	}
	buf_char(b, '"');
}

void
csv_copy(struct buf *b, struct str val)
{
	buf_room(b, val.n + BUF_PAD);
	if (val.n > 0 && val.p[0] != ' ' && val.p[val.n - 1] != ' ' &&
	    scan_copy_csv(b->p + b->len, val.p, val.p + val.n) == val.p + val.n) {
		b->len += val.n;
		b->p[b->len] = '\0';
		return;
	}
	csv_put(b, val);
}
