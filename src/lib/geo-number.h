/*
 * geo-number.h - the text of a number, as JSON and CSV have it, to the nearest double.
 *
 * What strtod() gives in the C locale, but without its hexadecimal, "inf" and "nan", and some times as fast for the
 * fifteen digits that coordinates have.
 */
#ifndef GEO_NUMBER_H
#define GEO_NUMBER_H

#include "lib/buf.h"

/* False for anything but an optional sign, digits, a point and an exponent, and for what is too large for a double. */
bool geo_number(struct str text, double *to);

#endif
