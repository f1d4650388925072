/*
 * mds/rules.h - what each version of MDS asks of a trip, and what Austin's loader asked: tables,
 * for mds/check.h.
 *
 * Those of 0.2 to 1.2 are the specification's own JSON Schemas (provider/trips.json of its releases 0.2.1, 0.3.2, 0.4.1,
 * 1.0.0, 1.1.1 and 1.2.0), which tests/mds-trips.t compares them with.  2.0 has no such schema: its rules are the table of
 * trips in the specification's data-types.md, with its optional fields as null, too, and no others.  Where a schema
 * says a thing that validators do not heed, these do not either: a minItems beside a $ref (draft 06), and formats.
 */
#ifndef MDS_RULES_H
#define MDS_RULES_H

#include "base/buf.h"

/* Types of JSON; one value may be allowed more than one. */
enum mds_type { MDS_NULL = 1, MDS_BOOL = 2, MDS_STRING = 4, MDS_NUMBER = 8, MDS_ARRAY = 16, MDS_OBJECT = 32 };
enum mds_pattern { MDS_ANY_TEXT, MDS_UUID, MDS_ONE_LINE, MDS_HTTPS, MDS_CURRENCY };

/* What a value has to be.  Zeroed, it may be anything. */
struct mds_rule {
	unsigned types;                 /* 0: any; what follows is for values of its type */
	bool integer;                   /* numbers: no fraction; 5.0 has none */
	bool bounded;
	double min, max;                /* if bounded */
	enum mds_pattern pattern;       /* strings */
	size_t max_chars;               /* 0: any number */
	const char *const *words;       /* one of these; NULL at the end */
	const struct mds_member *members;       /* objects: what is known of them; a name with p NULL at the end */
	bool closed;                    /* no others */
	const struct mds_rule *item;    /* arrays: each of them */
	const struct mds_rule *longitude, *latitude;    /* or its first and its second */
	size_t min_items, max_items;    /* max 0: any number */
	bool unique;                    /* items, which are words */
	bool features;                  /* the array whose first and last item the trip's points are in */
	const char *want;               /* for messages; NULL: the types tell */
};

struct mds_member {
	struct str name;
	const struct mds_rule *rule;
	bool required;
	int field;                      /* enum mds_field, of a trip's own members */
};

/* Members of a trip that are looked at, by what they mean and not by their name, which versions have changed. */
enum mds_field {
	MDS_TRIP_ID, MDS_PROVIDER_ID, MDS_PROVIDER_NAME, MDS_DEVICE_ID, MDS_VEHICLE_ID, MDS_VEHICLE_TYPE, MDS_PROPULSION,
	MDS_DURATION, MDS_DISTANCE, MDS_ACCURACY, MDS_START_TIME, MDS_END_TIME, MDS_PUBLICATION_TIME, MDS_STANDARD_COST,
	MDS_ACTUAL_COST, MDS_CURRENCY_CODE, MDS_PARKING_URL, MDS_ROUTE, MDS_START_LOCATION, MDS_END_LOCATION,
	MDS_OTHER,                      /* from here on: checked only */
	MDS_FIELDS = MDS_OTHER + 16
};

enum mds_schema { MDS_AUTO, MDS_OLD, MDS_0_2, MDS_0_3, MDS_0_4, MDS_1_0, MDS_1_1, MDS_1_2, MDS_2_0 };
extern const char *const mds_schemas[];         /* "auto", "old", "0.2", ...; NULL at the end */
/* The rule of a whole trip; not of MDS_AUTO. */
const struct mds_rule *mds_rule_of(enum mds_schema);
/* The schema of a version such as 0.3.2; MDS_AUTO where there is none. */
enum mds_schema mds_schema_of_version(struct str version);

#endif
