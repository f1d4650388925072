/*
 * records/place.h - places in records: points, in any of the shapes that services and people
 * write them in.
 *
 *	{"latitude":30.25,"longitude":"-97.75"}                 numbers, or texts of numbers; other members are the caller's
 *	[{"latitude":...}, ...]                                 any number of these, or of those below
 *	{"type":"Point","coordinates":[-97.75,30.25]}           GeoJSON, MultiPoint, too (RFC 7946)
 *	"{\"latitude\":30.25,\"longitude\":-97.75}"             a text that holds one of these
 *
 * No place is no fault: null, blank texts, an object without the two or with blank ones, and empty arrays.  These functions
 * do not die: fuzzers call them.
 */
#ifndef PLACE_H
#define PLACE_H

#include <stdbool.h>

#include "records/row.h"

enum place_fault {
	PLACE_GOOD,
	PLACE_HALF,                     /* a latitude or a longitude, but not both */
	PLACE_NO_NUMBERS,
	PLACE_PAST_POLE, PLACE_SWAPPED, /* a latitude beyond 90 degrees; and the other way round it would be a place */
	PLACE_PAST_180,
	PLACE_NO_LOCATION,              /* the value is none of the above: BAD */
	PLACE_NO_OBJECT,                /* ... or an element of the array is none */
	PLACE_NO_POINT,                 /* GeoJSON, but of another type: BAD */
	PLACE_NO_POSITION               /* GeoJSON whose coordinates are none */
};

struct place { struct str latitude, longitude, object; };       /* numbers as text; the object that has them: p NULL for a pair */

struct places {
	bool degrees;                   /* set before: 90 and 180 are the limits */
	void (*take)(const struct place *, void *arg);
	void *arg;
	size_t n;                       /* places found and taken */
	struct place at;                /* after a fault: the one it is in, trimmed */
	struct str bad;
	struct buf text, scratch[2];    /* that these point into: places_free() when done */
};

/* Takes every place of the value up to the first fault. */
enum place_fault places_read(struct places *, const struct field *value);
/* Takes one that is in two texts; p NULL and blank ones are empty. */
enum place_fault places_pair(struct places *, struct str latitude, struct str longitude);
void places_free(struct places *);
/* A take() that makes a list of positions in a struct buf, as JSON without its brackets: [-97.7,30.2],[-97.8,30.3] */
void place_add_point(const struct place *, void *buf);

#endif
