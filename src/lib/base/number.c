/* base/number.c - decimal numbers as people and machines write them. */
#include "base/number.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#define FIT_DIGITS 19           /* decimal digits that always fit 64 bits */
#define EXACT_DIGITS 999999999999999    /* a number up to this is a double without rounding */
#define EXACT_POWER 22          /* and so is 10 to this: the one division or product of the two is rounded once */
#define HUGE_POWER 100000000    /* a larger exponent is no different, and would overflow */

static const double powers[EXACT_POWER + 1] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12,
	1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };

static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* ---- parts ---- */

static inline size_t
digits(const char *p, const char *end)
{
	const char *start = p;

	while (p < end && is_digit(*p))
		p++;
	return (size_t)(p - start);
}

static inline bool
at_digit(const char *p, const char *end)
{
	return p < end && is_digit(*p);
}

/* Past the exponent at p, or NULL when there is no digit in it. */
static const char *
take_exponent(const char *p, const char *end, struct decimal *d)
{
	bool negative = ++p < end && *p == '-';

	if (p < end && (*p == '-' || *p == '+'))
		p++;
	if (!at_digit(p, end))
		return NULL;
	for (; at_digit(p, end); p++)
		d->power = d->power < HUGE_POWER ? d->power * 10 + (*p - '0') : d->power;
	if (negative)
		d->power = -d->power;
	return p;
}

bool
decimal_read(struct decimal *d, struct str text)
{
	const char *p = text.p, *end = p + text.n;

	*d = (struct decimal){ .negative = p < end && *p == '-' };
	if (p < end && (*p == '-' || *p == '+'))
		p++;
	d->whole = (struct str){ p, digits(p, end) };
	p += d->whole.n;
	if (p < end && *p == '.') {
		d->part = (struct str){ p + 1, digits(p + 1, end) };
		p += 1 + d->part.n;
	}
	if (d->whole.n + d->part.n == 0)
		return false;
	if (p < end && (*p == 'e' || *p == 'E'))
		p = take_exponent(p, end, d);
	return p == end;
}

/* ---- to a double ---- */

bool
number_is(struct str s)
{
	return decimal_read(&(struct decimal){ 0 }, s);
}

/* By the library, from a copy that ends where the text does. */
static double
slow_number(struct str s)
{
	char few[64], *copy = s.n < sizeof few ? few : xmalloc(s.n + 1);
	double n;

	memcpy(copy, s.p, s.n);
	copy[s.n] = '\0';
	n = strtod(copy, NULL);
	if (copy != few)
		free(copy);
	return n;
}

/* Few digits with a small exponent are exact in two doubles and one operation on them (W. D. Clinger, 1990). */
bool
decimal_exact(const struct decimal *d, double *n)
{
	long power = d->power - (long)d->part.n;
	uint64_t whole = 0;

	if (d->whole.n + d->part.n > FIT_DIGITS || power < -EXACT_POWER || power > EXACT_POWER)
		return false;
	for (size_t i = 0; i < d->whole.n; i++)
		whole = whole * 10 + (uint64_t)(d->whole.p[i] - '0');
	for (size_t i = 0; i < d->part.n; i++)
		whole = whole * 10 + (uint64_t)(d->part.p[i] - '0');
	if (whole > EXACT_DIGITS)
		return false;
	*n = power < 0 ? (double)whole / powers[-power] : (double)whole * powers[power];
	if (d->negative)
		*n = -*n;
	return true;
}

bool
number_read(struct str s, double *n)
{
	struct decimal d;

	if (!decimal_read(&d, s))
		return false;
	if (!decimal_exact(&d, n))
		*n = slow_number(s);
	return isfinite(*n);
}

/* ---- to JSON ---- */

void
number_put(struct buf *b, struct str s)
{
	const char *p = s.p, *end = p + s.n;
	size_t n;

	if (*p == '-')
		buf_char(b, '-');
	p += *p == '-' || *p == '+';
	while (end - p > 1 && p[0] == '0' && is_digit(p[1]))
		p++;
	n = digits(p, end);
	buf_str(b, n > 0 ? (struct str){ p, n } : STR("0"));
	p += n;
	if (p < end && *p == '.') {
		n = digits(++p, end);
		buf_char(b, '.');
		buf_str(b, n > 0 ? (struct str){ p, n } : STR("0"));
		p += n;
	}
	buf_add(b, p, (size_t)(end - p));
}
