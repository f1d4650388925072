/*
 * geo/layer.h - the polygons of a GeoJSON file, to ask which of them a point lies in.
 *
 * The judge is GEOS: a tree over the polygons' boxes, and a prepared geometry of each.  A border belongs to its polygon.
 * In front of it stands a grid that remembers what is sure (geo/grid.h).  A file that is not what
 * it should be dies EX_DATAERR with its name and the number of the feature; messages never hold
 * the point that was asked for.
 */
#ifndef GEO_LAYER_H
#define GEO_LAYER_H

#include "base/buf.h"

#define GEO_NONE ((size_t)-1)

struct geo_layer;

/* PROPERTIES: those whose values will be asked for; a feature that lacks one is an error.  STRICT: a polygon that would be
 * mended, or matches nothing, is one too; else each is said on stderr. */
struct geo_layer *geo_layer_read(const char *file, const struct str *properties, size_t n, bool strict);
/* Of a feature, counted from 0 in the order of the file: a JSON string or other scalar as it stood there.  Lives as long as
 * the layer. */
struct str geo_layer_value(const struct geo_layer *, size_t property, size_t feature);

/* first: of the features that the point is in, in the order of the file; GEO_NONE if it is in none.  border: on that one's
 * border.  several: in more than one. */
struct geo_hit { size_t first; bool border, several; };
/* Within +-180 and +-90. */
struct geo_hit geo_layer_find(struct geo_layer *, double longitude, double latitude);

struct geo_layer_counts { unsigned long long features, mended, empty; };
struct geo_layer_counts geo_layer_counts(const struct geo_layer *);
void geo_layer_free(struct geo_layer *);

#endif
