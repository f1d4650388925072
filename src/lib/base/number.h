/*
 * base/number.h - decimal numbers as people and machines write them: -12.50, .5, 1., +1e3, 007.
 *
 * No hexadecimal, no infinity, no NaN, and no white space around them.  Only a lack of memory ends the process: fuzzers call these.
 */
#ifndef NUMBER_H
#define NUMBER_H

#include <stdbool.h>

#include "base/buf.h"

bool number_is(struct str);
/* The nearest double, some times as fast as strtod(3) for the fifteen digits that coordinates have.  False for what is none, and
 * for what is too large for a double: that is an infinity then. */
bool number_read(struct str, double *);
/* Appends a number as JSON has it, which knows no plus, no bare point and no zeros in front; its digits stay as they came. */
void number_put(struct buf *, struct str);

#endif
