/*
 * fuzz-date - the date parser on anything: what it takes is a date of the calendar, is written as ISO 8601, and is read
 * from that as the same moment; a format that passes its check never makes it read past an end.
 *
 * The first line is the format.
 */
#include <stdint.h>
#include <stdlib.h>

#include "format/date.h"

#define CHECK(x) do { if (!(x)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check_moment(const struct moment *m)
{
	struct buf iso = { 0 };
	struct moment again, back;
	const char *why = NULL;

	CHECK(m->year >= 1 && m->year <= 9999 && m->month >= 1 && m->month <= 12 && m->day >= 1 && m->day <= 31);
	CHECK(m->hour >= 0 && m->hour <= 23 && m->minute >= 0 && m->minute <= 59 && m->second >= 0 && m->second <= 59);
	CHECK(m->usec >= 0 && m->usec <= 999999);
	date_put_iso(&iso, m);
	CHECK(date_parse(buf_all(&iso), DATE_ISO, &again, &why));
	CHECK(date_usec(&again) == date_usec(m) && date_days(&again) == date_days(m));
	CHECK(again.has_time == m->has_time && again.has_zone == m->has_zone && again.offset == m->offset);
	if (date_from_usec(&back, date_usec(m)))
		CHECK(date_usec(&back) == date_usec(m));
	else
		CHECK(m->has_zone && (m->year == 1 || m->year == 9999));
	buf_free(&iso);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct moment m;
	const char *why, *text = (const char *)data, *line = n > 0 ? memchr(data, '\n', n) : NULL;
	char *format, *copy;

	if (line == NULL)
		return 0;
	format = str_dup((struct str){ text, (size_t)(line - text) });
	n -= (size_t)(line + 1 - text);
	copy = xmalloc(n + 1);                  /* of this size, so that one byte too far is seen */
	memcpy(copy, line + 1, n);
	copy = xrealloc(copy, n + (n == 0), 1);
	for (enum date_order order = DATE_ISO; order <= DATE_YMD; order++) {
		why = NULL;
		if (date_parse((struct str){ copy, n }, order, &m, &why))
			check_moment(&m);
		else
			CHECK(why != NULL);
	}
	why = NULL;
	if (date_format_check(format) == NULL) {
		if (date_parse_format((struct str){ copy, n }, format, &m, &why))
			check_moment(&m);
		else
			CHECK(why != NULL);
	}
	free(format);
	free(copy);
	return 0;
}
