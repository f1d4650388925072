/* format/documents.c - JSON objects behind each other. */
#include "format/documents.h"

#include "format/json.h"

#define SLICE (256 * 1024)      /* bytes taken at a time: the text stays in the second-level cache */
#define RESCAN_FREELY (1 << 20) /* an object that is cut is scanned again with more of it; above this size with twice as much */
#define SHOWN_OF_HUGE 1024      /* bytes of an object over the limit that are told */

void
documents_start(struct documents *d)
{
	buf_reset(&d->text);
	d->enough = 0;
	d->line = 1;
	d->begun = d->is_bad = d->skipping = false;
}

/* Lines are counted as they are left behind. */
static const char *
advance(struct documents *d, const char *from, const char *to)
{
	while (from < to && (from = memchr(from, '\n', (size_t)(to - from))) != NULL) {
		d->line++;
		from++;
	}
	return to;
}

/* The line break that ends the bad object at p, with '{' behind it.  NULL: not here yet. */
static const char *
find_next(const char *p, const char *end)
{
	while ((p = memchr(p, '\n', (size_t)(end - p))) != NULL && ++p < end)
		if (*p == '{')
			return p - 1;
	return NULL;
}

static void
tell(struct documents *d, const char *p, const char *end)
{
	if (!d->skipping)
		d->bad((struct str){ p, (size_t)(end - p) }, d->line, d->why.p, d->arg);
	d->skipping = false;
}

/* Past the bad object at p; or where the text goes on, if it does not end here. */
static const char *
pass_bad(struct documents *d, const char *p, const char *end, bool last)
{
	const char *next = find_next(p, end), *to;

	if (next == NULL && !last && !d->skipping && (size_t)(end - p) > d->max) {
		tell(d, p, p + (d->max < SHOWN_OF_HUGE ? d->max : SHOWN_OF_HUGE));
		d->skipping = true;
	}
	if (next == NULL && !last)
		return d->skipping ? advance(d, p, end - 1) : p;        /* the line break may be the last byte */
	to = next != NULL ? next : end;
	while (next == NULL && to > p && strchr(" \t\r\n", to[-1]) != NULL && to[-1] != '\0')
		to--;
	tell(d, p, to);
	d->is_bad = false;
	return advance(d, p, next != NULL ? next + 1 : end);
}

/* What stands at p is no good object: says why.  E: what json_skip() found; its why is NULL where it is only too large. */
static void
find_fault(struct documents *d, const char *p, const struct json_error *e)
{
	bool mib = d->max % (1 << 20) == 0;

	d->is_bad = true;
	buf_reset(&d->why);
	if (*p == '[')
		buf_fmt(&d->why, "an array, not an object%s%s", d->see_array != NULL ? ": " : "",
		    d->see_array != NULL ? d->see_array : "");
	else if (*p != '{')
		buf_text(&d->why, "not a JSON object");
	else if (e->why == NULL)
		buf_fmt(&d->why, "record over %zu %s: see --max-record", mib ? d->max >> 20 : d->max, mib ? "MiB" : "bytes");
	else if (e->cut)
		buf_fmt(&d->why, "record is cut at byte %zu", (size_t)(e->at - p) + 1);
	else
		buf_fmt(&d->why, "byte %zu: %s", (size_t)(e->at - p) + 1, e->why);
}

/* Past the object at p, which is given out, or found bad; or p, where more of the text is needed. */
static const char *
next_object(struct documents *d, const char *p, const char *end, bool last)
{
	struct json_error e = { 0 };
	const char *to = *p == '{' ? json_skip(p, end, &e) : NULL;
	size_t len = (size_t)((to != NULL ? to : end) - p);

	if (to != NULL && len <= d->max) {
		d->take((struct str){ p, len }, d->arg);
		return advance(d, p, to);
	}
	if (to == NULL && e.cut && !last && len <= d->max)
		return p;
	if (to != NULL || (e.cut && !last))
		e.why = NULL;
	find_fault(d, p, &e);
	return pass_bad(d, p, end, last);
}

/* All objects that are here whole.  LAST: no more is to come. */
static void
scan(struct documents *d, bool last)
{
	const char *p = d->text.p, *end = p + d->text.len, *next;

	if (!d->begun && end - p < 3 && !last)
		return;
	if (!d->begun && end - p >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
		p += 3;
	d->begun = true;
	for (;; p = next) {
		if (!d->is_bad)
			p = advance(d, p, json_space(p, end));
		if (p == end)
			break;
		next = d->is_bad ? pass_bad(d, p, end, last) : next_object(d, p, end, last);
		if (next == p || d->skipping) {
			p = next;
			break;
		}
	}
	d->text.len = (size_t)(end - p);
	memmove(d->text.p, p, d->text.len + 1);
	d->enough = d->text.len < RESCAN_FREELY ? 0 : 2 * d->text.len;
}

void
documents_add(struct documents *d, struct str bytes)
{
	while (bytes.n > 0) {
		size_t n = bytes.n < SLICE ? bytes.n : SLICE;

		buf_add(&d->text, bytes.p, n);
		bytes.p += n;
		bytes.n -= n;
		if (d->text.len >= d->enough)
			scan(d, false);
	}
}

void
documents_end(struct documents *d)
{
	if (d->text.p != NULL)
		scan(d, true);
}

void
documents_free(struct documents *d)
{
	buf_free(&d->text);
	buf_free(&d->why);
}
