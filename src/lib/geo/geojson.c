/* geo/geojson.c - polygons out of GeoJSON. */
#include "geo/geojson.h"

#include <math.h>
#include <stdlib.h>

#include "base/number.h"

#define LEAST_POSITIONS 4       /* of a ring, the first and the last being the same: RFC 7946 3.1.6 */
#define MOST_NAME 128           /* bytes of the name of a CRS; those that we know have 42 */

static bool
fail(struct geojson *g, const char *why)
{
	g->why = why;
	return false;
}

static bool
is(struct str value, char first)
{
	return value.n > 0 && *value.p == first;
}

static bool
is_null(struct str value)
{
	return value.p == NULL || is(value, 'n');
}

static bool
is_word(struct str value, const char *word)
{
	size_t n = strlen(word);

	return value.n == n + 2 && is(value, '"') && memcmp(value.p + 1, word, n) == 0;
}

/* ---- the CRS, which RFC 7946 knows no more, and files still have ---- */

static bool
ends_in(struct str s, const char *tail)
{
	size_t n = strlen(tail);

	return s.n >= n && memcmp(s.p + s.n - n, tail, n) == 0;
}

/* EPSG:4326, urn:ogc:def:crs:OGC:1.3:CRS84, http://www.opengis.net/def/crs/OGC/1.3/CRS84: longitude first in all of them, as
 * GeoJSON 2008 has it. */
static bool
is_wgs84(struct str crs)
{
	struct str name = json_get(crs, "properties.name");

	if (!is_word(json_get(crs, "type"), "name") || !is(name, '"') || name.n > MOST_NAME)
		return false;
	name = (struct str){ name.p + 1, name.n - 2 };
	return ends_in(name, ":CRS84") || ends_in(name, "/CRS84") || ends_in(name, ":4326") || ends_in(name, "/4326");
}

static bool
check_crs(struct geojson *g, struct str crs)
{
	if (!is_null(crs) && !is_wgs84(crs))
		return fail(g, "a CRS other than WGS 84: convert it with ogr2ogr -t_srs EPSG:4326 -lco RFC7946=YES");
	return true;
}

/* ---- positions and rings ---- */

/* Room for one more, to be filled. */
static double *
add_position(struct geojson *g)
{
	struct geojson_feature *f = &g->feature;

	if (2 * f->positions + 2 > g->xy_cap) {
		g->xy_cap = g->xy_cap == 0 ? 256 : g->xy_cap * 2;
		f->xy = xrealloc(f->xy, g->xy_cap, sizeof *f->xy);
	}
	return f->xy + 2 * f->positions++;
}

static bool
take_position(struct geojson *g, struct str position)
{
	struct json_walk w = json_walk(position);
	double *to = add_position(g);

	for (int i = 0; i < 2; i++) {
		if (!is(position, '[') || !json_next(&w))
			return fail(g, "a position is no array of longitude and latitude");
		if (is(w.value, '"') || !number_read(w.value, &to[i]) || fabs(to[i]) > (i == 0 ? 180 : 90))
			return fail(g, "a coordinate is no number of degrees within +-180, +-90: "
			    "are they swapped, or of another CRS?");
	}
	return true;
}

static bool
close_ring(struct geojson *g, struct geojson_ring *ring)
{
	struct geojson_feature *f = &g->feature;
	size_t start = 2 * ring->at, end = 2 * f->positions - 2;

	if (f->positions > ring->at && (f->xy[start] != f->xy[end] || f->xy[start + 1] != f->xy[end + 1])) {
		double *last = add_position(g);

		memcpy(last, f->xy + start, 2 * sizeof *last);
		f->unclosed++;
	}
	ring->n = f->positions - ring->at;
	if (ring->n < LEAST_POSITIONS)
		return fail(g, "a ring of fewer than 4 positions is no polygon");
	for (size_t i = 1; i < ring->n; i++)
		if (fabs(f->xy[2 * (ring->at + i)] - f->xy[2 * (ring->at + i - 1)]) > 180)
			return fail(g, "a step of more than 180 degrees: does it cross the antimeridian? "
			    "split it there (RFC 7946 3.1.9)");
	return true;
}

static bool
take_ring(struct geojson *g, struct str positions, bool shell)
{
	struct geojson_feature *f = &g->feature;
	struct geojson_ring *ring;

	if (!is(positions, '['))
		return fail(g, "a ring is no array of positions");
	if (f->rings == g->ring_cap) {
		g->ring_cap = g->ring_cap == 0 ? 16 : g->ring_cap * 2;
		f->ring = xrealloc(f->ring, g->ring_cap, sizeof *f->ring);
	}
	ring = &f->ring[f->rings++];
	*ring = (struct geojson_ring){ .at = f->positions, .shell = shell };
	for (struct json_walk w = json_walk(positions); json_next(&w);)
		if (!take_position(g, w.value))
			return false;
	return close_ring(g, ring);
}

static bool
take_polygon(struct geojson *g, struct str rings)
{
	bool shell = true;

	if (!is(rings, '['))
		return fail(g, "a polygon's coordinates are no array of rings");
	for (struct json_walk w = json_walk(rings); json_next(&w); shell = false)
		if (!take_ring(g, w.value, shell))
			return false;
	return true;
}

static bool
take_geometry(struct geojson *g, struct str geometry)
{
	static const struct str members[] = { { "type", 4 }, { "coordinates", 11 }, { "crs", 3 } };
	struct str value[3];

	if (is_null(geometry))
		return true;
	if (!is(geometry, '{'))
		return fail(g, "its geometry is no object");
	json_find(geometry, members, value, 3);
	if (!is_word(value[0], "Polygon") && !is_word(value[0], "MultiPolygon"))
		return fail(g, "its geometry is no Polygon and no MultiPolygon");
	if (!check_crs(g, value[2]))
		return false;
	if (is_word(value[0], "Polygon"))
		return take_polygon(g, value[1]);
	if (!is(value[1], '['))
		return fail(g, "a multipolygon's coordinates are no array of polygons");
	for (struct json_walk w = json_walk(value[1]); json_next(&w);)
		if (!take_polygon(g, w.value))
			return false;
	return true;
}

/* ---- features ---- */

static bool
take_feature(struct geojson *g, struct str feature)
{
	static const struct str members[] = { { "type", 4 }, { "geometry", 8 }, { "properties", 10 }, { "crs", 3 } };
	struct str value[4];

	json_find(feature, members, value, 4);
	if (!is_word(value[0], "Feature"))
		return fail(g, "is no Feature");
	if (!is_null(value[2]) && !is(value[2], '{'))
		return fail(g, "its properties are no object");
	if (is(value[2], '{'))
		g->feature.properties = value[2];
	return check_crs(g, value[3]) && take_geometry(g, value[1]);
}

bool
geojson_open(struct geojson *g, struct str text)
{
	static const struct str members[] = { { "type", 4 }, { "features", 8 }, { "crs", 3 } };
	const char *end = text.p + text.n, *p, *past;
	struct json_error e;
	struct str whole, value[3];

	*g = (struct geojson){ 0 };
	if (text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0)
		text.p += 3;
	p = json_space(text.p, end);
	if ((past = json_skip(p, end, &e)) == NULL)
		return fail(g, e.why);
	if (json_space(past, end) != end)
		return fail(g, "text after the document: want one FeatureCollection");
	whole = (struct str){ p, (size_t)(past - p) };
	json_find(whole, members, value, 3);
	if (!is(value[0], '"'))
		return fail(g, "is no GeoJSON: it has no type");
	if (!check_crs(g, value[2]))
		return false;
	g->collection = is_word(value[0], "FeatureCollection");
	g->feature_alone = is_word(value[0], "Feature");
	g->whole = whole;
	if (g->collection && !is(value[1], '['))
		return fail(g, "a FeatureCollection without an array of features");
	g->walk = json_walk(value[1]);
	return true;
}

bool
geojson_next(struct geojson *g)
{
	struct geojson_feature *f = &g->feature;

	f->number++;
	f->positions = f->rings = f->unclosed = 0;
	f->properties = (struct str){ 0 };
	if (g->collection ? json_next(&g->walk) : f->number == 1)
		return g->collection ? take_feature(g, g->walk.value) :
		    g->feature_alone ? take_feature(g, g->whole) : take_geometry(g, g->whole);
	f->number = 0;
	return false;
}

void
geojson_free(struct geojson *g)
{
	free(g->feature.xy);
	free(g->feature.ring);
}
