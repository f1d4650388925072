/* geo/layer.c - polygons, by GEOS. */
#include "geo/layer.h"

#include <geos_c.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "geo/geojson.h"
#include "geo/grid.h"
#include "records/input.h"

#define MOST (256 << 20)        /* bytes of a file: that many polygons would not fit the memory of a filter */
#define NODE 10                 /* children of a node of the tree, as GEOS advises */
#define SIDE 1024               /* cells of the grid in a row and in a column: 2 MiB */
#define SAID 10                 /* mended polygons of a file that are told of one by one */

/* What a cell of the grid says: nothing, ask; or in no polygon; or the first that it is in, twice, and 1 more for several. */
enum { CELL_NONE = GEO_GRID_FREE, CELL_FIRST };
#define CELL_FEATURES ((65535 - CELL_FIRST) / 2)        /* those of a higher number are asked for each time */

/* Of a feature; NULL where it has none.  The prepared geometry borrows the other. */
struct shape { GEOSGeometry *geometry; const GEOSPreparedGeometry *prepared; };

struct geo_layer {
	const char *file;
	bool strict;
	struct shape *shape;            /* by feature */
	size_t n, cap;
	size_t properties;
	struct buf text;                /* their values, one behind the other */
	struct str *value;              /* properties of feature 0, of feature 1, ... */
	size_t value_cap;
	struct geo_layer_counts counts;
	GEOSSTRtree *tree;
	struct geo_grid *grid;          /* NULL: the layer is too small for one */
	struct geo_box box;
	size_t *near, nears, near_cap;  /* features whose box holds the point asked for */
};

static GEOSContextHandle_t geos;        /* one a process, since all layers are of one thread */
static char geos_said[256];             /* the last error */

/* ---- GEOS ---- */

static void PRINTF(1, 2)
hear_geos(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(geos_said, sizeof geos_said, fmt, args);
	va_end(args);
	if (strstr(geos_said, "allocate memory") != NULL)      /* of its C functions, which do not use operator new */
		die(EX_OSERR, "out of memory in GEOS");
}

static void PRINTF(1, 2)
ignore_notice(const char *fmt, ...)
{
	(void)fmt;
}

static void
start_geos(void)
{
	memory_of_cxx();
	if (geos == NULL && (geos = GEOS_init_r()) == NULL)
		die(EX_OSERR, "out of memory in GEOS");
	GEOSContext_setErrorHandler_r(geos, hear_geos);
	GEOSContext_setNoticeHandler_r(geos, ignore_notice);
}

/* Of what GEOS makes: NULL is an error, and it has said which. */
static void *
made(const struct geo_layer *l, const void *p)
{
	if (p == NULL)
		die(EX_DATAERR, "%s: feature %zu: GEOS: %s", l->file, l->n + 1, geos_said);
	return (void *)p;
}

/* ---- the file ---- */

static GEOSGeometry *
make_ring(struct geo_layer *l, const struct geojson_feature *f, const struct geojson_ring *ring)
{
	return made(l, GEOSGeom_createLinearRing_r(geos,
	    made(l, GEOSCoordSeq_copyFromBuffer_r(geos, f->xy + 2 * ring->at, (unsigned)ring->n, 0, 0))));
}

/* The polygon whose shell is at *at; *at becomes that of the next. */
static GEOSGeometry *
make_polygon(struct geo_layer *l, const struct geojson_feature *f, size_t *at)
{
	GEOSGeometry *shell = make_ring(l, f, &f->ring[*at]), **hole, *polygon;
	size_t n = 0;

	while (*at + 1 + n < f->rings && !f->ring[*at + 1 + n].shell)
		n++;
	hole = xcalloc(n + 1, sizeof *hole);
	for (size_t i = 0; i < n; i++)
		hole[i] = make_ring(l, f, &f->ring[*at + 1 + i]);
	polygon = made(l, GEOSGeom_createPolygon_r(geos, shell, hole, (unsigned)n));
	free(hole);
	*at += 1 + n;
	return polygon;
}

static GEOSGeometry *
make_geometry(struct geo_layer *l, const struct geojson_feature *f)
{
	GEOSGeometry **polygon = xcalloc(f->rings, sizeof *polygon), *all;
	size_t n = 0;

	for (size_t at = 0; at < f->rings;)
		polygon[n++] = make_polygon(l, f, &at);
	all = n == 1 ? polygon[0] : made(l, GEOSGeom_createCollection_r(geos, GEOS_MULTIPOLYGON, polygon, (unsigned)n));
	free(polygon);
	return all;
}

/* ---- what is wrong with polygons ---- */

static void PRINTF(2, 3)
complain(struct geo_layer *l, const char *fmt, ...)
{
	char what[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof what, fmt, args);
	va_end(args);
	if (l->strict)
		die(EX_DATAERR, "%s: feature %zu: %s: mend it, or leave out --strict-polygons", l->file, l->n + 1, what);
	if (l->counts.mended + l->counts.empty < SAID)
		warning("%s: feature %zu: %s", l->file, l->n + 1, what);
}

/* Appends copies of the polygons in a geometry of any kind. */
static void
add_polygons(struct geo_layer *l, const GEOSGeometry *g, GEOSGeometry ***part, unsigned *n)
{
	int parts = GEOSGetNumGeometries_r(geos, g);

	if (GEOSGeomTypeId_r(geos, g) == GEOS_POLYGON && GEOSisEmpty_r(geos, g) == 0) {
		*part = xrealloc(*part, *n + 1, sizeof **part);
		(*part)[(*n)++] = made(l, GEOSGeom_clone_r(geos, g));
	} else if (GEOSGeomTypeId_r(geos, g) == GEOS_MULTIPOLYGON || GEOSGeomTypeId_r(geos, g) == GEOS_GEOMETRYCOLLECTION) {
		for (int i = 0; i < parts; i++)
			add_polygons(l, GEOSGetGeometryN_r(geos, g, i), part, n);
	}
}

/* The areas of what GEOSMakeValid() makes, without the lines and points that a polygon without an area becomes. */
static GEOSGeometry *
mend(struct geo_layer *l, GEOSGeometry *bad)
{
	GEOSGeometry *mixed = made(l, GEOSMakeValid_r(geos, bad)), **part = NULL, *good;
	unsigned n = 0;

	add_polygons(l, mixed, &part, &n);
	if (n == 0)
		die(EX_DATAERR, "%s: feature %zu: a polygon without an area: mend it or take it out", l->file, l->n + 1);
	good = made(l, GEOSGeom_createCollection_r(geos, GEOS_MULTIPOLYGON, part, n));
	free(part);
	GEOSGeom_destroy_r(geos, mixed);
	GEOSGeom_destroy_r(geos, bad);
	return good;
}

static GEOSGeometry *
make_good(struct geo_layer *l, GEOSGeometry *g, size_t unclosed)
{
	char *why = NULL;
	char valid = GEOSisValidDetail_r(geos, g, 0, &why, NULL);

	if (valid == 2)
		made(l, NULL);
	if (valid == 0)
		complain(l, "not valid (%s): mended", why != NULL ? why : "unknown");
	else if (unclosed > 0)
		complain(l, "a ring that is not closed: closed");
	if (valid == 0 || unclosed > 0)
		l->counts.mended++;
	GEOSFree_r(geos, why);
	return valid == 0 ? mend(l, g) : g;
}

/* ---- features ---- */

/* Values are lengths as long as the text may move. */
static void
keep_values(struct geo_layer *l, const struct geojson_feature *f, const struct str *properties)
{
	struct str object = f->properties.p != NULL ? f->properties : STR("{}");
	struct str *value;

	if ((l->n + 1) * l->properties > l->value_cap) {
		l->value_cap = 2 * (l->n + 1) * l->properties;
		l->value = xrealloc(l->value, l->value_cap, sizeof *l->value);
	}
	value = l->value + l->n * l->properties;
	json_find(object, properties, value, l->properties);
	for (size_t i = 0; i < l->properties; i++) {
		if (value[i].p == NULL)
			die(EX_DATAERR, "%s: feature %zu: no property \"%.*s\"", l->file, f->number, (int)properties[i].n,
			    properties[i].p);
		if (*value[i].p == '{' || *value[i].p == '[')
			die(EX_DATAERR, "%s: feature %zu: property \"%.*s\" is an object or an array: want a text or a number",
			    l->file, f->number, (int)properties[i].n, properties[i].p);
		buf_str(&l->text, value[i]);
		value[i].p = NULL;
	}
}

static void
settle_values(struct geo_layer *l)
{
	const char *p = l->text.p;

	for (size_t i = 0; i < l->n * l->properties; i++) {
		l->value[i].p = p;
		p += l->value[i].n;
		if (*l->value[i].p == 'n')
			l->value[i] = (struct str){ 0 };
	}
}

static void
add_feature(struct geo_layer *l, const struct geojson_feature *f)
{
	struct shape s = { 0 };

	if (l->n == l->cap) {
		l->cap = l->cap == 0 ? 64 : l->cap * 2;
		l->shape = xrealloc(l->shape, l->cap, sizeof *l->shape);
	}
	if (f->rings > 0) {
		s.geometry = make_good(l, make_geometry(l, f), f->unclosed);
		s.prepared = made(l, GEOSPrepare_r(geos, s.geometry));
	} else {
		complain(l, "no polygon: no point is in it");
		l->counts.empty++;
	}
	l->shape[l->n++] = s;
}

static void
read_features(struct geo_layer *l, struct str text, const struct str *properties)
{
	struct geojson g;

	if (geojson_open(&g, text))
		while (geojson_next(&g)) {
			keep_values(l, &g.feature, properties);
			add_feature(l, &g.feature);
		}
	if (g.why != NULL && g.feature.number > 0)
		die(EX_DATAERR, "%s: feature %zu: %s", l->file, g.feature.number, g.why);
	if (g.why != NULL)
		die(EX_DATAERR, "%s: %s", l->file, g.why);
	geojson_free(&g);
}

/* ---- index ---- */

static void
index_shapes(struct geo_layer *l)
{
	l->tree = made(l, GEOSSTRtree_create_r(geos, NODE));
	l->box = (struct geo_box){ 180, 90, -180, -90 };
	for (size_t i = 0; i < l->n; i++) {
		struct geo_box b;

		if (l->shape[i].geometry == NULL)
			continue;
		if (!GEOSGeom_getExtent_r(geos, l->shape[i].geometry, &b.west, &b.south, &b.east, &b.north))
			made(l, NULL);
		l->box.west = b.west < l->box.west ? b.west : l->box.west;
		l->box.south = b.south < l->box.south ? b.south : l->box.south;
		l->box.east = b.east > l->box.east ? b.east : l->box.east;
		l->box.north = b.north > l->box.north ? b.north : l->box.north;
		GEOSSTRtree_insert_r(geos, l->tree, l->shape[i].geometry, &l->shape[i]);
	}
}

static void
mark_ring(struct geo_layer *l, const GEOSGeometry *ring, struct buf *scratch)
{
	const GEOSCoordSequence *seq = made(l, GEOSGeom_getCoordSeq_r(geos, ring));
	unsigned n;
	double *xy;

	if (!GEOSCoordSeq_getSize_r(geos, seq, &n))
		made(l, NULL);
	buf_reset(scratch);
	buf_room(scratch, n * 2 * sizeof *xy);
	xy = (double *)(void *)scratch->p;
	if (!GEOSCoordSeq_copyToBuffer_r(geos, seq, xy, 0, 0))
		made(l, NULL);
	for (unsigned i = 1; i < n; i++)
		geo_grid_edge(l->grid, xy + 2 * i - 2, xy + 2 * i);
}

/* The borders as they are now, mended, since these are what GEOS judges by. */
static void
mark_borders(struct geo_layer *l)
{
	struct buf scratch = { 0 };

	for (size_t i = 0; i < l->n; i++) {
		const GEOSGeometry *g = l->shape[i].geometry;
		int parts = g != NULL ? GEOSGetNumGeometries_r(geos, g) : 0;

		for (int part = 0; part < parts; part++) {
			const GEOSGeometry *p = made(l, GEOSGetGeometryN_r(geos, g, part));
			int holes = GEOSGetNumInteriorRings_r(geos, p);

			mark_ring(l, made(l, GEOSGetExteriorRing_r(geos, p)), &scratch);
			for (int hole = 0; hole < holes; hole++)
				mark_ring(l, made(l, GEOSGetInteriorRingN_r(geos, p, hole)), &scratch);
		}
	}
	buf_free(&scratch);
}

struct geo_layer *
geo_layer_read(const char *file, const struct str *properties, size_t n, bool strict)
{
	struct geo_layer *l = xcalloc(1, sizeof *l);
	struct buf text = { 0 };

	start_geos();
	l->file = file;
	l->strict = strict;
	l->properties = n;
	input_slurp(file, &text, MOST);
	if (text.len > MOST)
		die(EX_DATAERR, "%s: over %d MiB: is it a layer of polygons?", file, MOST >> 20);
	read_features(l, buf_all(&text), properties);
	buf_free(&text);
	l->counts.features = l->n;
	if (l->counts.mended + l->counts.empty > SAID)
		warning("%s: and %llu features more that are mended or empty", file, l->counts.mended + l->counts.empty - SAID);
	if (l->counts.empty == l->n)
		die(EX_DATAERR, "%s: no polygon in it", file);
	settle_values(l);
	index_shapes(l);
	if ((l->grid = geo_grid_open(l->box, SIDE)) != NULL)
		mark_borders(l);
	return l;
}

struct str
geo_layer_value(const struct geo_layer *l, size_t property, size_t feature)
{
	return l->value[feature * l->properties + property];
}

struct geo_layer_counts
geo_layer_counts(const struct geo_layer *l)
{
	return l->counts;
}

/* ---- a point ---- */

static void
add_near(void *shape, void *layer)
{
	struct geo_layer *l = layer;

	if (l->nears == l->near_cap) {
		l->near_cap = l->near_cap == 0 ? 64 : l->near_cap * 2;
		l->near = xrealloc(l->near, l->near_cap, sizeof *l->near);
	}
	l->near[l->nears++] = (size_t)((struct shape *)shape - l->shape);
}

/* A predicate's answer, 0 or 1.  Its error would name the point, and so is not shown. */
static bool
sure(char answer)
{
	if (answer != 0 && answer != 1)
		die(EX_SOFTWARE, "GEOS could not say where a point is");
	return answer;
}

static struct geo_hit
ask_geos(struct geo_layer *l, double x, double y)
{
	struct geo_hit hit = { .first = GEO_NONE };
	GEOSGeometry *point = GEOSGeom_createPointFromXY_r(geos, x, y);

	geos_said[0] = '\0';
	l->nears = 0;
	if (point != NULL)
		GEOSSTRtree_query_r(geos, l->tree, point, add_near, l);
	sure(point == NULL || geos_said[0] != '\0' ? 2 : 0);
	for (size_t i = 0; i < l->nears; i++) {
		if (!sure(GEOSPreparedIntersects_r(geos, l->shape[l->near[i]].prepared, point)))
			continue;
		hit.several = hit.first != GEO_NONE;
		hit.first = l->near[i] < hit.first ? l->near[i] : hit.first;
	}
	if (hit.first != GEO_NONE)
		hit.border = !sure(GEOSPreparedContains_r(geos, l->shape[hit.first].prepared, point));
	GEOSGeom_destroy_r(geos, point);
	return hit;
}

static struct geo_hit
hit_of_cell(unsigned short cell)
{
	if (cell == CELL_NONE)
		return (struct geo_hit){ .first = GEO_NONE };
	return (struct geo_hit){ .first = (size_t)(cell - CELL_FIRST) / 2, .several = (cell - CELL_FIRST) % 2 };
}

static unsigned short
cell_of_hit(struct geo_hit hit)
{
	return hit.first == GEO_NONE ? CELL_NONE : (unsigned short)(CELL_FIRST + 2 * hit.first + hit.several);
}

struct geo_hit
geo_layer_find(struct geo_layer *l, double x, double y)
{
	size_t cell;
	unsigned short value;
	struct geo_hit hit;

	if (x < l->box.west || x > l->box.east || y < l->box.south || y > l->box.north)
		return (struct geo_hit){ .first = GEO_NONE };
	if (l->grid == NULL)
		return ask_geos(l, x, y);
	cell = geo_grid_at(l->grid, x, y);
	value = geo_grid_value(l->grid, cell);
	if (value >= GEO_GRID_FREE)
		return hit_of_cell(value);
	hit = ask_geos(l, x, y);
	if (value == GEO_GRID_UNKNOWN && (hit.first == GEO_NONE || hit.first < CELL_FEATURES))
		geo_grid_fill(l->grid, cell, cell_of_hit(hit));
	return hit;
}

void
geo_layer_free(struct geo_layer *l)
{
	for (size_t i = 0; i < l->n; i++) {
		GEOSPreparedGeom_destroy_r(geos, l->shape[i].prepared);
		GEOSGeom_destroy_r(geos, l->shape[i].geometry);
	}
	GEOSSTRtree_destroy_r(geos, l->tree);
	geo_grid_free(l->grid);
	buf_free(&l->text);
	free(l->shape);
	free(l->value);
	free(l->near);
	free(l);
}
