/* base/number.c - decimal numbers as people and machines write them. */
#include "base/number.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#define EXACT_DIGITS 15         /* so many decimal digits are a double without rounding */
#define EXACT_POWER 22          /* and so is 10 to this: the one division or product of the two is rounded once */
#define HUGE_POWER 100000       /* an exponent beyond it is 0 or infinite, whatever the digits; keeps the sum from overflow */

static const double powers[EXACT_POWER + 1] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12,
	1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };

struct decimal { uint64_t digits; long power, n; bool negative; };      /* n: digits from the first that is not 0 on */

static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* ---- to a double ---- */

static inline bool
at_digit(const char *p, const char *end)
{
	return p < end && is_digit(*p);
}

static inline const char *
take_digits(const char *p, const char *end, struct decimal *d)
{
	for (; at_digit(p, end); p++) {
		d->n += d->n > 0 || *p != '0';
		if (d->n <= EXACT_DIGITS)
			d->digits = d->digits * 10 + (uint64_t)(*p - '0');
	}
	return p;
}

/* Past the exponent at p, or NULL when there is no digit in it. */
static const char *
take_exponent(const char *p, const char *end, struct decimal *d)
{
	bool negative = ++p < end && *p == '-';
	long power = 0;

	if (p < end && (*p == '-' || *p == '+'))
		p++;
	if (!at_digit(p, end))
		return NULL;
	for (; at_digit(p, end); p++)
		power = power < HUGE_POWER ? power * 10 + (*p - '0') : power;
	d->power += negative ? -power : power;
	return p;
}

static bool
take_decimal(struct str text, struct decimal *d)
{
	const char *p = text.p, *end = p + text.n, *start, *point;

	d->negative = p < end && *p == '-';
	if (p < end && (*p == '-' || *p == '+'))
		p++;
	start = p;
	p = point = take_digits(p, end, d);
	if (p < end && *p == '.') {
		p = take_digits(p + 1, end, d);
		d->power = -(long)(p - point - 1);
	}
	if (p - start - (p > point) < 1)
		return false;           /* no digit before and after the point */
	if (p < end && (*p == 'e' || *p == 'E'))
		p = take_exponent(p, end, d);
	return p == end;
}

bool
number_is(struct str s)
{
	return take_decimal(s, &(struct decimal){ 0 });
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
number_read(struct str s, double *n)
{
	struct decimal d = { 0 };

	if (!take_decimal(s, &d))
		return false;
	if (d.n > EXACT_DIGITS || d.power < -EXACT_POWER || d.power > EXACT_POWER) {
		*n = slow_number(s);
		return isfinite(*n);
	}
	*n = d.power < 0 ? (double)d.digits / powers[-d.power] : (double)d.digits * powers[d.power];
	if (d.negative)
		*n = -*n;
	return true;
}

/* ---- to JSON ---- */

static size_t
digits(const char *p, const char *end)
{
	const char *start = p;

	while (p < end && is_digit(*p))
		p++;
	return (size_t)(p - start);
}

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
