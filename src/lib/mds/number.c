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

/* The first digits of d from FIRST on as a whole number of N digits, zeros where it has no more,
 * rounded by the one behind them. */
static int64_t
round_decimal(const struct decimal *d, size_t first, size_t n)
{
	size_t digits = decimal_digits(d), end = first + n;
	int64_t whole = 0;

	for (size_t i = first; i < end; i++)
		whole = whole * 10 + (i < digits ? decimal_digit(d, i) : 0);
	return whole + (end < digits && decimal_digit(d, end) >= 5);
}

bool
mds_usec(struct str number, enum mds_unit unit, int64_t *usec, const char **why)
{
	struct decimal d;
	bool good = decimal_read(&d, number);
	size_t first = decimal_zeros(&d);
	/* where the point is behind the first digit that is not 0, in microseconds */
	long point = (long)d.whole.n - (long)first + d.power + (unit == MDS_UNIT_MS ? 3 : 6);

	/* 10^14 microseconds are in 1973 and have 15 digits; those of 18 are past 5138. */
	if (!good || d.negative || first == decimal_digits(&d) || point < 15) {
		*why = unit == MDS_UNIT_MS ? "is too small for ms since 1970: is it in seconds? see --time-unit" :
		    "is too small for seconds since 1970";
		return false;
	}
	if (point > 17) {
		*why = unit == MDS_UNIT_MS ? "is too large for ms since 1970" :
		    "is too large for seconds since 1970: is it in ms? see --time-unit";
		return false;
	}
	*usec = round_decimal(&d, first, (size_t)point) - UNIX_2000 * 1000000;
	return true;
}
