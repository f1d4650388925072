/*
 * knack/value.h - one value of a Knack record, as people read it: what knackpy's Record.format()
 * makes of it.
 *
 * A record has two values for a field, field_7 as Knack shows it and field_7_raw, which a blank field lacks.  They go
 * in as JSON that was found good before, p NULL for null, and come out as JSON, appended; null appends nothing.
 * Dates need zone_use() before.  These functions return what is wrong with a value, a static text, or NULL, and do not
 * die: fuzzers call them.
 */
#ifndef KNACK_VALUE_H
#define KNACK_VALUE_H

#include "base/buf.h"

struct knack_value { struct str shown, raw; bool has_raw; };    /* has_raw: it is there, be it null */

/* How values of a type become text.  A type that is not known is as short_text. */
struct knack_type;
const struct knack_type *knack_type(struct str name);

/* What the other functions start from: the raw value where there is one, else the one shown; "" and [] are null. */
struct str knack_value_raw(const struct knack_value *);
/* MANY: the field is that of a connected record, so its value may be an array of values. */
const char *knack_value_text(struct buf *, const struct knack_type *, const struct knack_value *, bool many);

/* The parts of addresses and names that stand for themselves, in the order of knackpy's CSV; NULL at the end, and NULL for a
 * type without parts. */
const char *const *knack_type_parts(const struct knack_type *);
const char *knack_value_part(struct buf *, const struct knack_value *, const char *part);

#endif
