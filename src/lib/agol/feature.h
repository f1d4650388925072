/*
 * agol/feature.h - a record as a feature of an ArcGIS layer: its key, its attributes and its
 * geometry.
 *
 * Fields are matched to the layer's by name, in any case of letters.  What the layer lacks or fills itself is not sent, and named
 * in lacking and filled.  A record that the layer can't take is rejected here.
 */
#ifndef AGOL_FEATURE_H
#define AGOL_FEATURE_H

#include "agol/edit.h"
#include "base/names.h"
#include "records/rows.h"

/* How records become features of one layer.  Zeroed, then the first part is set; agol_features_free() when done. */
struct agol_features {
	const struct agol_layer *layer;
	const struct agol_field *key;   /* NULL: none */
	struct str lat, lon, location;  /* names of the fields that have the place; p NULL: none */
	long long wkid;                 /* of the places */
	bool in_zone;                   /* dates that name no zone are in that of zone_use() */
	bool strict;                    /* a field that the layer lacks makes a record bad */
	bool *sanitized_field;          /* as many as the layer has fields: agol_sanitize() */

	struct buf lacking, filled;     /* found so far */
	bool place_seen;
	unsigned long long sanitized;

	struct names names;             /* of the records' fields, and what each is */
	long long *meaning;
	const struct field **value;     /* of the row, by the layer's fields */
	struct buf json;
};

/* The bytes that a feature has in a buf: its key as it compares, its attributes ("name":value,...), its geometry. */
struct agol_feature {
	size_t key, attributes;
	size_t place;                   /* 0: the record does not speak of it; 1: it says that there is none */
};

/* Appends the feature.  False: it was bad, and was rejected, and at most its key is there. */
bool agol_feature_put(struct agol_features *, struct rows *in, const struct row *, struct buf *, struct agol_feature *);
/* Appends the JSON of an edit of it, from where its key starts; OID is for an update. */
void agol_feature_json(const struct agol_features *, struct buf *, enum agol_op, long long oid, const char *start, struct agol_feature);
void agol_features_free(struct agol_features *);

/* Appends a key as it compares: text as it is, integers as the layer prints them, GUIDs in small letters without braces. */
void agol_key(struct buf *, const struct agol_field *, struct str json);

#endif
