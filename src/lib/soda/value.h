/*
 * soda/value.h - a value as a column of a Socrata dataset takes it.
 *
 * By the type that the metadata call dataTypeName.  What a type has no rule for passes as it is.  Null is null, and an
 * empty text is null in every column but one of text.
 *
 *	text                    booleans become True and False, arrays are joined by ", ", objects are their JSON
 *	number, money, ...      a number, or a text that is one, as it stands
 *	checkbox                true or false, or a text that says so
 *	calendar_date           2020-01-31T23:59:59: the wall clock that is written there, its zone dropped
 *	fixed_timestamp         a date as it stands, or, where it has no T or no dashes, with them
 *	point, multipoint       GeoJSON, from {"latitude":, "longitude":} or an array of them; GeoJSON and WKT pass
 *	location                {"latitude":, "longitude":, "human_address":}, from the same with street, city, state, zip, or GeoJSON
 *	url                     {"url": the text}
 *
 * These functions return errors and do not die: fuzzers call them.
 */
#ifndef SODA_VALUE_H
#define SODA_VALUE_H

#include <stdbool.h>

#include "base/buf.h"
#include "records/row.h"

struct soda_kind;
const struct soda_kind *soda_kind_of(struct str type);  /* never NULL */
bool soda_kind_is_place(const struct soda_kind *);      /* point, multipoint or location */

/* Sets *TO, but for its name: to what FROM has, or into OUT, which is reset.  NULL, or why the column does not take it: a static text
 * that reads on from the value. */
const char *soda_value(const struct soda_kind *, const struct field *from, struct field *to, struct buf *out);
/* A place from two texts; empty ones are null. */
const char *soda_place(const struct soda_kind *, struct str longitude, struct str latitude, struct field *to, struct buf *out);

#endif
