/*
 * agol/value.h - values of records as an ArcGIS layer takes them.
 *
 * These functions append JSON and return NULL, or what is wrong with the value: a text that reads on from its field's
 * name, lent until the next call.  They do not die: fuzzers call them.
 */
#ifndef AGOL_VALUE_H
#define AGOL_VALUE_H

#include "agol/layer.h"
#include "records/row.h"

/*
 * An attribute.  No value is null, and so is blank text for all but text fields.  Dates become milliseconds since 1970,
 * UTC: from ISO 8601, in UTC where they have no zone, or in the zone that zone_use() set if IN_ZONE; a JSON
 * number counts as milliseconds already.  Booleans become 1 and 0, or True and False as text; arrays become text with ", "
 * between; other nested values become their JSON, as text.
 */
const char *agol_value(struct buf *, const struct agol_field *, const struct field *, bool in_zone);

/* Text that holds both '<' and '>' loses all of them: JSON text that agol_value() appended, from START on.  True if so. */
bool agol_sanitize(struct buf *, size_t start);

/*
 * A geometry for the layer, or nothing where the record has no place.  From a location: an object with latitude and
 * longitude, an array of such (the empty ones are skipped), GeoJSON (Point, MultiPoint), or blank; numbers may be
 * text.  One point for a layer of multipoints becomes one of one.
 */
const char *agol_location(struct buf *, enum agol_shape, long long wkid, const struct field *location);
const char *agol_lat_lon(struct buf *, enum agol_shape, long long wkid, const struct field *lat, const struct field *lon);
/* The geometry of no place, for a feature that has one and shall not. */
void agol_nowhere(struct buf *, enum agol_shape, long long wkid);

#endif
