/* mds/number.c - what the numbers of an MDS trip are. */
#include "mds/number.h"

#include <math.h>

#include "base/number.h"
#include "format/date.h"

#define NO_FRACTION 9007199254740992.0  /* 2^53: a double from there on has none */

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

double
mds_double(struct str number)
{
	double d = 0;

	number_read(number, &d);        /* false is of an infinity, since a number it is */
	return d;
}

bool
mds_is_integer(struct str number)
{
	size_t i = 0;
	double d;

	while (i < number.n && (is_digit(number.p[i]) || number.p[i] == '-'))
		i++;
	if (i == number.n)
		return true;
	d = mds_double(number);
	if (fabs(d) >= NO_FRACTION)
		return isfinite(d);
	return d == (double)(int64_t)d;
}

/* What the exponent of the number says, which is behind its e; past anything that matters it is not counted on. */
static int
exponent_of(const char *p, const char *end)
{
	bool negative = p < end && *p == '-';
	int n = 0;

	if (p < end && (*p == '-' || *p == '+'))
		p++;
	for (; p < end && n < 1000000; p++)
		n = n * 10 + (*p - '0');
	return negative ? -n : n;
}

/* A decimal number taken apart: 0.00123e7 is the digits 123 with the point before the sixth of 123000..., which is 5. */
struct decimal { const char *p, *end; long point; };

static struct decimal
decimal_of(struct str number)
{
	const char *p = number.p, *end = p + number.n, *point = NULL;
	struct decimal d = { .end = end };

	for (const char *e = p; e < end; e++) {
		if (*e == '.')
			point = e;
		if (*e == 'e' || *e == 'E') {
			d.point = exponent_of(e + 1, end);
			d.end = e;
			break;
		}
	}
	if (point == NULL)
		point = d.end;
	while (p < d.end && (*p == '0' || *p == '.'))
		p++;
	d.p = p;
	d.point += p < point ? point - p : point - p + 1;
	return d;
}

/* The first digits of d as a whole number, zeros where it has no more, rounded by the one behind them. */
static int64_t
round_decimal(struct decimal d)
{
	const char *p = d.p;
	int64_t n = 0;

	for (long i = 0; i < d.point; i++) {
		if (p < d.end && *p == '.')
			p++;
		n = n * 10 + (p < d.end ? *p++ - '0' : 0);
	}
	if (p < d.end && *p == '.')
		p++;
	return n + (p < d.end && *p >= '5');
}

bool
mds_usec(struct str number, enum mds_unit unit, int64_t *usec, const char **why)
{
	struct decimal d = decimal_of(number);

	d.point += unit == MDS_UNIT_MS ? 3 : 6;
	/* 10^14 microseconds are in 1973 and have 15 digits; those of 18 are past 5138. */
	if (*number.p == '-' || d.p == d.end || d.point < 15) {
		*why = unit == MDS_UNIT_MS ? "is too small for ms since 1970: is it in seconds? see --time-unit" :
		    "is too small for seconds since 1970";
		return false;
	}
	if (d.point > 17) {
		*why = unit == MDS_UNIT_MS ? "is too large for ms since 1970" :
		    "is too large for seconds since 1970: is it in ms? see --time-unit";
		return false;
	}
	*usec = round_decimal(d) - UNIX_2000 * 1000000;
	return true;
}
