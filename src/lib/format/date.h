/*
 * format/date.h - dates and times as people and machines write them, read without libc's locale
 * or time zone.
 *
 * The calendar is the Gregorian one, years 1 to 9999.  A date that is not in it (31 February), an hour past 23, a
 * minute or second past 59 are errors, with one exception: a leap second, 60 after minute 59, is the second after it, as
 * in PostgreSQL.  Fractions of a second are rounded to microseconds.  Two-digit years are those of POSIX: 69 to
 * 99 are 1969 to 1999, 00 to 68 are 2000 to 2068.  Spaces around the text don't count.  A name of a weekday has to fit.
 * These functions return errors and do not die: fuzzers call them.  *why is a static text that reads on from
 * the quoted value: "31/02/2024" is no date: that month has no such day.
 */
#ifndef DATE_H
#define DATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * Which of 1/2/2020's numbers is the month?  A number of four digits is a year and a name is a month whatever the order.
 *	ISO     2020-01-31 or 20200131 only, and a time behind T or a space
 *	AUTO    all shapes; 1/2/2020, 1-2-2020 and 1/2/20 are month first, as in the USA.  Not guessed, so an error: 01/02/03,
 *	        whose numbers may each be the month, and 01.02.2020, which only people who put the day first write
 *	MDY, DMY, YMD   all shapes, in this order
 */
enum date_order { DATE_ISO, DATE_AUTO, DATE_MDY, DATE_DMY, DATE_YMD };

struct moment {
	int year, month, day;           /* 2020, 1 to 12, 1 to 31 */
	int hour, minute, second, usec; /* 0 without has_time */
	int offset;                     /* seconds east of UTC; 0 without has_zone */
	bool has_time, has_zone;
};

bool date_parse(struct str text, enum date_order order, struct moment *, const char **why);

/* By a format like that of strptime(3): %Y %y %m %b %B %d %e %j %H %I %M %S %f %p %a %A %z %Z %F %D %T %R %s %n %t %%; a
 * space is any number of spaces, the rest stands for itself.  %f is a fraction of 1 to 9 digits, %Z is Z, UTC or GMT. */
bool date_parse_format(struct str text, const char *format, struct moment *, const char **why);
/* What is wrong with a format, or NULL: it has to say year, month and day, and %p with %I. */
const char *date_format_check(const char *format);

#define UNIX_2000 946684800LL   /* s from 1970-01-01, where Unix time starts, to 2000-01-01 */

/* Days and microseconds since 2000-01-01, PostgreSQL's epoch.  Microseconds are in UTC if there is a zone. */
int32_t date_days(const struct moment *);
int64_t date_usec(const struct moment *);
/* The other way round, with has_time and without a zone.  False outside the years 1 to 9999. */
bool date_from_usec(struct moment *, int64_t usec);

/* Appends 2020-01-31, or 2020-01-31T23:59:59, then .000 or .000000 if there is a fraction, then Z or +01:00 if there is a zone. */
void date_put_iso(struct buf *, const struct moment *);

#endif
