/*
 * mds/number.h - what the numbers of an MDS trip are: integers, places on a map, times.
 *
 * A number comes as its JSON text, which was found good before.
 */
#ifndef MDS_NUMBER_H
#define MDS_NUMBER_H

#include <stdint.h>

#include "base/buf.h"

/* The nearest double; infinity where it is too large for one. */
double mds_double(struct str number);
/* True for 957 and, as JSON Schema has it, for 957.0 and 9.57e2. */
bool mds_is_integer(struct str number);

/*
 * Microseconds since 2000-01-01, as date.h counts them, of a time since 1970 in this unit; finer parts are rounded.
 * Times are of 1973 to 5138: in that range no number is a time in both units, so that one unit is never taken for the other.
 * False with *why else.
 */
enum mds_unit { MDS_UNIT_MS, MDS_UNIT_S };
bool mds_usec(struct str number, enum mds_unit, int64_t *usec, const char **why);

#endif
