/* mds/block.c - labels of hour blocks, and their UTC bounds. */
#include "mds/block.h"

#include "format/date.h"
#include "format/zone.h"

#define SECOND INT64_C(1000000)

/* Reads a number of LEAST to MOST digits at *p, which it moves on. */
static bool
take_number(const char **p, const char *end, int least, int most, int *n)
{
	const char *start = *p;

	for (*n = 0; *p < end && **p >= '0' && **p <= '9' && *p - start < most; ++*p)
		*n = *n * 10 + (**p - '0');
	return *p - start >= least;
}

static bool
take_dash(const char **p, const char *end)
{
	return *p < end && *(*p)++ == '-';
}

bool
block_label_parse(struct str text, int64_t *wall, const char **why)
{
	const char *p = text.p, *end = text.p + text.n;
	struct moment m = { .has_time = true }, same;

	*why = "is no label of a block: want yyyy-mm-dd-hh, such as 2020-1-31-17";
	if (!take_number(&p, end, 4, 4, &m.year) || !take_dash(&p, end) || !take_number(&p, end, 1, 2, &m.month) ||
	    !take_dash(&p, end) || !take_number(&p, end, 1, 2, &m.day) || !take_dash(&p, end) ||
	    !take_number(&p, end, 1, 2, &m.hour) || p != end)
		return false;
	*why = "is no label of a block: its hour is 0 to 23";
	if (m.hour > 23)
		return false;
	*why = "is no label of a block: its year is 1970 to 2999";
	if (m.year < 1970 || m.year > 2999)
		return false;
	*why = "is no label of a block: that month has no such day";
	if (m.month < 1 || m.month > 12 || m.day < 1 || m.day > 31)
		return false;
	*wall = date_usec(&m);
	return date_from_usec(&same, *wall) && same.month == m.month && same.day == m.day;
}

/* When the clock began to go by OFFSET, which it did in (before, after]. */
static int64_t
change_between(int64_t before, int64_t after, int offset)
{
	struct moment m;

	while (after - before > SECOND) {
		int64_t middle = before + (after - before) / SECOND / 2 * SECOND;

		if (zone_from_instant(&m, middle) && m.offset != offset)
			before = middle;
		else
			after = middle;
	}
	return after;
}

int64_t
block_edge(int64_t wall)
{
	struct moment m;

	if (!date_from_usec(&m, wall) || !zone_from_wall(&m))
		return wall;    /* beyond the years that a label has */

	int64_t instant = date_usec(&m), moved = instant + m.offset * SECOND - wall;

	/* Mostly that is where it was moved to; not where the clock leaves out hours, or begins to in the middle of one. */
	return moved == 0 ? instant : change_between(instant - moved, instant, m.offset);
}

struct block_walk
block_walk(int64_t after, int64_t upto)
{
	return (struct block_walk){ .label = after, .ends = block_edge(after), .upto = upto };
}

bool
block_next(struct block_walk *w)
{
	while (w->label < w->upto) {
		w->label += BLOCK_HOUR;
		w->starts = w->ends;
		w->ends = block_edge(w->label);
		if (w->ends > w->starts)
			return true;
	}
	return false;
}

void
block_put_label(struct buf *b, int64_t wall)
{
	struct moment m;

	if (date_from_usec(&m, wall))
		buf_fmt(b, "%d-%d-%d-%d", m.year, m.month, m.day, m.hour);
}

void
block_put_wall(struct buf *b, int64_t wall)
{
	struct moment m;

	if (date_from_usec(&m, wall))
		date_put_iso(b, &m);
}

void
block_put_utc(struct buf *b, int64_t instant)
{
	struct moment m;

	if (!date_from_usec(&m, instant))
		return;
	m.has_zone = true;
	date_put_iso(b, &m);
}
