/*
 * knack/since.h - "at or after this instant", for a server that compares days on its own wall
 * clock.
 *
 * Knack has no `is on or after`, and looks at days only: so the day is asked for by two rules joined by OR, and what is
 * older on that day is dropped here.  Its timestamps are wall clocks of the application's zone read as if in UTC, to the
 * minute: so the instant is cut to its minute, and where a field has no time, to its day.  A clock that comes twice in
 * autumn is read as the later one, which may keep a record too much but loses none.
 */
#ifndef KNACK_SINCE_H
#define KNACK_SINCE_H

#include "knack/app.h"

struct knack_since;

/* Where --since's FIELD=TIMESTAMP has its "="; dies EX_USAGE where it has none, or where the rest is no time: ISO 8601, with
 * a zone or else in the application's, or POSIX seconds. */
const char *knack_since_split(const char *since);

/* The field was found by what is before the "=".  From here on the process is in ZONE.  A field that is no date, or one of a
 * format that is not known, dies EX_DATAERR. */
struct knack_since *knack_since_open(const char *since, const struct knack_field *, const char *zone);
void knack_since_close(struct knack_since *);

/* Appends both rules, for an OR. */
void knack_since_rules(const struct knack_since *, struct buf *);
/* Appends one rule that lets the same records pass, for an AND: after the day before. */
void knack_since_rule(const struct knack_since *, struct buf *);

/* FOREIGN: no record of this kind meets the rules, so the server has ignored them; why says what came. */
enum knack_since_says { SINCE_KEEP, SINCE_OLDER, SINCE_FOREIGN };
enum knack_since_says knack_since_test(const struct knack_since *, struct str record, const char **why);

#endif
