/*
 * number.h - decimal numbers as people and machines write them: -12.50, .5, 1., +1e3, 007.
 *
 * No hexadecimal, no infinity, no NaN, and no white space around them.  These functions do not die: fuzzers call them.
 */
#ifndef NUMBER_H
#define NUMBER_H

#include <stdbool.h>

#include "lib/buf.h"

#define NUMBER_MOST 400         /* bytes that number_read() takes */

bool number_is(struct str);
/* False for what is none, or too large for a double. */
bool number_read(struct str, double *);
/* Appends a number as JSON has it, which knows no plus, no bare point and no zeros in front; its digits stay as they came. */
void number_put(struct buf *, struct str);

#endif
