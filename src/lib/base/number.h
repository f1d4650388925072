/*
 * base/number.h - decimal numbers as people and machines write them: -12.50, .5, 1., +1e3, 007.
 *
 * No hexadecimal, no infinity, no NaN, and no white space around them.  Only a lack of memory ends
 * the process: fuzzers call these.
 */
#ifndef NUMBER_H
#define NUMBER_H

#include <stdbool.h>

#include "base/buf.h"

/* A number cut into its parts: WHOLE.PART times ten to POWER. */
struct decimal {
	bool negative;
	struct str whole, part;         /* digits, in the text; not both are empty */
	long power;                     /* the exponent; at most a billion, which is as good as more */
};
bool decimal_read(struct decimal *, struct str);
/* The nearest double, where two exact doubles and one operation make it: that is nearly every
 * coordinate and amount.  Else false. */
bool decimal_exact(const struct decimal *, double *);

/* The digit at place I of all of them, those before the point first. */
static inline unsigned
decimal_digit(const struct decimal *d, size_t i)
{
	return (unsigned)((i < d->whole.n ? d->whole.p[i] : d->part.p[i - d->whole.n]) - '0');
}

/* How many there are, and how many of them are zeros in front of all others. */
static inline size_t
decimal_digits(const struct decimal *d)
{
	return d->whole.n + d->part.n;
}

static inline size_t
decimal_zeros(const struct decimal *d)
{
	size_t i = 0, n = decimal_digits(d);

	while (i < n && decimal_digit(d, i) == 0)
		i++;
	return i;
}

bool number_is(struct str);
/* The nearest double, several times as fast as strtod(3) for the fifteen digits of coordinates.
 * False if the text is not a number, or is too large for a double: then *n is an infinity. */
bool number_read(struct str, double *);
/* Appends a number as JSON has it, which knows no plus, no bare point and no zeros in front; its
 * digits stay as they came. */
void number_put(struct buf *, struct str);

#endif
