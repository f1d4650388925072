/*
 * format/zone.h - wall clock and instant in one time zone, named as in the IANA database:
 * America/Chicago.
 *
 * The rules are the system's (Debian's tzdata), read by libc.  One zone a process, since libc has one: localtime(3) is
 * in it too from zone_use() on.  Millions of conversions a second: a day without a change of the clock costs one
 * look into a table.
 */
#ifndef ZONE_H
#define ZONE_H

#include "format/date.h"

/* True where the system has rules for the name.  No name leads out of its directory.  Where there are no rules at all,
 * dies EX_CONFIG and names the package. */
bool zone_known(const char *name);
/* The zone of this process; a name that is not known dies EX_CONFIG. */
void zone_use(const char *name);

/*
 * A wall clock becomes an instant: sets has_zone and offset.  A time that comes twice in autumn is the later one, in
 * standard time.  A time that spring leaves out is read in standard time, and so is moved on by what was left out:
 * 02:30-06:00 becomes 03:30-05:00.  (Both take the offset further west, which holds for any change of a clock.)
 * False when that leaves the years 1 to 9999.
 */
bool zone_from_wall(struct moment *);
/* The wall clock and offset of the instant USEC, counted as date_usec() does.  False outside the years 1 to 9999. */
bool zone_from_instant(struct moment *, int64_t usec);

#endif
