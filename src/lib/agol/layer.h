/*
 * agol/layer.h - a layer or table of an ArcGIS feature service, as its document describes it.
 */
#ifndef AGOL_LAYER_H
#define AGOL_LAYER_H

#include <stdbool.h>

#include "agol/agol.h"
#include "base/buf.h"

enum agol_type { AGOL_OTHER, AGOL_OID, AGOL_GLOBALID, AGOL_STRING, AGOL_SMALL, AGOL_INTEGER, AGOL_BIG, AGOL_FLOAT, AGOL_DATE,
	AGOL_DATE_ONLY, AGOL_TIME_ONLY, AGOL_STAMP, AGOL_GUID };

struct agol_field {
	struct str name;
	enum agol_type type;
	size_t length;                  /* of text, in UTF-16 units; 0: no bound */
	bool nullable, editable;
};

enum agol_shape { AGOL_TABLE, AGOL_POINT, AGOL_MULTIPOINT, AGOL_LINES };        /* LINES: or polygons */

struct agol_layer {
	char *url, *name;
	struct agol_field *field;
	size_t n;
	const struct agol_field *oid;
	enum agol_shape shape;
	struct buf document;            /* names of fields point here, or into text */
	struct buf text;
};

/* By the item of its service, and the layer's number, its id in the REST API (-1: the only one there is).  A number that there
 * is not dies EX_CONFIG and names those there are. */
struct agol_layer *agol_layer_of(struct agol *, const char *item, long long number);
/* By its own URL, or by its service's and a number. */
struct agol_layer *agol_layer_at(struct agol *, const char *url, long long number);
void agol_layer_close(struct agol_layer *);

/* The field of that name, in any case of letters; NULL when there is none. */
const struct agol_field *agol_field(const struct agol_layer *, struct str name);

#endif
