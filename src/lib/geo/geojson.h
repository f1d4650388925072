/*
 * geo/geojson.h - polygons out of GeoJSON (RFC 7946), as plain numbers.
 *
 *	struct geojson g;
 *	if (geojson_open(&g, text))
 *		while (geojson_next(&g))
 *			use(g.feature);
 *	if (g.why != NULL) ... about the feature g.feature.number, 0 when it is about the document
 *	geojson_free(&g);
 *
 * A FeatureCollection, a Feature, or a bare geometry, which is a feature without properties.  Polygon and MultiPolygon;
 * a feature without a geometry, which is allowed, has no rings.  Refused: other geometries, positions outside +-180/+-90,
 * rings that cannot be closed, other CRS than WGS 84, and a step of more than 180 degrees: a ring that goes over the
 * antimeridian must be split there (RFC 7946 3.1.9), since a plane has no other side.  These functions return errors
 * and do not die: fuzzers call them.
 */
#ifndef GEOJSON_H
#define GEOJSON_H

#include "format/json.h"

/* n positions from the AT-th on; the last is the first again.  A shell starts a polygon, the rings after it are its holes. */
struct geojson_ring { size_t at, n; bool shell; };

struct geojson {
	const char *why;                /* a static text; NULL while all is well */
	struct geojson_feature {
		size_t number;          /* from 1 */
		struct str properties;  /* an object; p NULL: none */
		double *xy;             /* longitude, latitude, longitude, ... */
		size_t positions;
		struct geojson_ring *ring;
		size_t rings;
		size_t unclosed;        /* rings whose end was not their start: they were closed */
	} feature;                      /* lent until the next call */
	struct json_walk walk;          /* of geojson.c, all that follows */
	struct str whole;
	bool collection, feature_alone;
	size_t xy_cap, ring_cap;
};

/* Checks all of the text as JSON, which needs BUF_PAD bytes behind it.  It must stay as long as *g. */
bool geojson_open(struct geojson *, struct str text);
bool geojson_next(struct geojson *);
void geojson_free(struct geojson *);

#endif
