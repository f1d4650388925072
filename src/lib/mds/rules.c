/* mds/rules.c - what each version of MDS asks of a trip. */
#include "mds/rules.h"

#define N(literal) { literal, sizeof literal - 1 }
#define END { { NULL, 0 }, NULL, false, 0 }
#define MS_OF_2018 1514764800000.0      /* no time of MDS is earlier, says 1.2 */

/* ---- scalars ---- */

static const struct mds_rule any = { 0 };
static const struct mds_rule number = { .types = MDS_NUMBER };
static const struct mds_rule number_null = { .types = MDS_NUMBER | MDS_NULL };
static const struct mds_rule integer = { .types = MDS_NUMBER, .integer = true };
static const struct mds_rule integer_null = { .types = MDS_NUMBER | MDS_NULL, .integer = true };
static const struct mds_rule string = { .types = MDS_STRING };
static const struct mds_rule string_null = { .types = MDS_STRING | MDS_NULL };
static const struct mds_rule number_string = { .types = MDS_NUMBER | MDS_STRING };
static const struct mds_rule array = { .types = MDS_ARRAY };
static const struct mds_rule array_null = { .types = MDS_ARRAY | MDS_NULL };
static const struct mds_rule object_null = { .types = MDS_OBJECT | MDS_NULL };

static const struct mds_rule line = { .types = MDS_STRING, .pattern = MDS_ONE_LINE };
static const struct mds_rule line_255 = { .types = MDS_STRING, .pattern = MDS_ONE_LINE, .max_chars = 255 };
static const struct mds_rule uuid = { .types = MDS_STRING, .pattern = MDS_UUID };
static const struct mds_rule uuid_null = { .types = MDS_STRING | MDS_NULL, .pattern = MDS_UUID };
static const struct mds_rule https_null = { .types = MDS_STRING | MDS_NULL, .pattern = MDS_HTTPS };
static const struct mds_rule currency_null = { .types = MDS_STRING | MDS_NULL, .pattern = MDS_CURRENCY };

static const struct mds_rule time_any = { .types = MDS_NUMBER, .want = "a number, the time since 1970" };
static const struct mds_rule time_any_null = { .types = MDS_NUMBER | MDS_NULL, .want = "a number, the time since 1970" };
static const struct mds_rule seconds = { .types = MDS_NUMBER, .want = "a number of seconds since 1970" };
static const struct mds_rule seconds_min = { .types = MDS_NUMBER, .bounded = true, .min = 0, .max = 1e308,
	.want = "a number of seconds since 1970" };
static const struct mds_rule ms = { .types = MDS_NUMBER, .integer = true, .bounded = true, .min = 0, .max = 1e308,
	.want = "a number of ms since 1970" };
static const struct mds_rule ms_2018 = { .types = MDS_NUMBER, .integer = true, .bounded = true, .min = MS_OF_2018, .max = 1e308,
	.want = "a number of ms since 1970, of 2018 or later" };
static const struct mds_rule ms_2018_null = { .types = MDS_NUMBER | MDS_NULL, .integer = true, .bounded = true, .min = MS_OF_2018,
	.max = 1e308, .want = "a number of ms since 1970, of 2018 or later" };

/* ---- words ---- */

static const char *const vehicles_0_2_words[] = { "bicycle", "scooter", NULL };
static const char *const vehicles_0_4_words[] = { "bicycle", "car", "scooter", "moped", NULL };
static const char *const vehicles_1_0_words[] = { "bicycle", "car", "scooter", "moped", "other", NULL };
static const char *const vehicles_1_2_words[] = { "bicycle", "cargo_bicycle", "car", "scooter", "moped", "other", NULL };
static const struct mds_rule vehicle_0_2 = { .types = MDS_STRING, .words = vehicles_0_2_words };
static const struct mds_rule vehicle_0_4 = { .types = MDS_STRING, .words = vehicles_0_4_words };
static const struct mds_rule vehicle_1_0 = { .types = MDS_STRING, .words = vehicles_1_0_words };
static const struct mds_rule vehicle_1_2 = { .types = MDS_STRING, .words = vehicles_1_2_words };

static const char *const propulsion_words[] = { "combustion", "electric", "electric_assist", "human", NULL };
static const struct mds_rule propulsion = { .types = MDS_STRING, .words = propulsion_words };
static const struct mds_rule propulsion_0_2 = { .types = MDS_ARRAY, .item = &propulsion, .min_items = 1 };
/* No min_items: the schema has it beside a $ref. */
static const struct mds_rule propulsion_1_0 = { .types = MDS_ARRAY, .item = &propulsion, .unique = true };

static const char *const parking_words[] = { "corral", "curb", "rack", "other_valid", "invalid", NULL };
static const struct mds_rule parking_null = { .types = MDS_STRING | MDS_NULL, .words = parking_words };

static const char *const point_words[] = { "Point", NULL }, *const feature_words[] = { "Feature", NULL },
	*const collection_words[] = { "FeatureCollection", NULL };
static const struct mds_rule type_point = { .types = MDS_STRING, .words = point_words };
static const struct mds_rule type_feature = { .types = MDS_STRING, .words = feature_words };
static const struct mds_rule type_collection = { .types = MDS_STRING, .words = collection_words };

/* ---- the route, from the inside out ---- */

static const struct mds_rule bbox = { .types = MDS_ARRAY, .item = &number, .min_items = 4 };
static const struct mds_rule longitude = { .types = MDS_NUMBER, .bounded = true, .min = -180, .max = 180,
	.want = "a longitude from -180 to 180" };
static const struct mds_rule latitude = { .types = MDS_NUMBER, .bounded = true, .min = -90, .max = 90,
	.want = "a latitude from -90 to 90" };
static const struct mds_rule coordinates_0_2 = { .types = MDS_ARRAY, .item = &number, .min_items = 2 };
static const struct mds_rule coordinates_0_4 = { .types = MDS_ARRAY, .longitude = &longitude, .latitude = &latitude,
	.min_items = 2, .max_items = 2 };

#define POINT(suffix) \
	static const struct mds_member point_members_##suffix[] = { \
		{ N("type"), &type_point, true, 0 }, \
		{ N("coordinates"), &coordinates_##suffix, true, 0 }, \
		{ N("bbox"), &bbox, false, 0 }, \
		END \
	}; \
	static const struct mds_rule point_##suffix = { .types = MDS_OBJECT, .members = point_members_##suffix }
POINT(0_2);
POINT(0_4);

static const struct mds_member properties_members_0_2[] = { { N("timestamp"), &seconds_min, true, 0 }, END };
static const struct mds_member properties_members_0_3[] = { { N("timestamp"), &ms, true, 0 }, END };
static const struct mds_member properties_members_1_0[] = {
	{ N("timestamp"), &ms, true, 0 },
	{ N("stop_id"), &uuid, false, 0 },
	END
};
static const struct mds_member properties_members_1_2[] = {
	{ N("timestamp"), &ms_2018, true, 0 },
	{ N("stop_id"), &uuid, false, 0 },
	{ N("altitude"), &number, false, 0 },
	{ N("heading"), &number, false, 0 },
	{ N("speed"), &number, false, 0 },
	{ N("accuracy"), &number, false, 0 },
	{ N("hdop"), &number, false, 0 },
	{ N("satellites"), &integer, false, 0 },
	END
};
static const struct mds_rule properties_0_2 = { .types = MDS_OBJECT, .members = properties_members_0_2 };
static const struct mds_rule properties_0_3 = { .types = MDS_OBJECT, .members = properties_members_0_3 };
static const struct mds_rule properties_1_0 = { .types = MDS_OBJECT, .members = properties_members_1_0 };
static const struct mds_rule properties_1_2 = { .types = MDS_OBJECT, .members = properties_members_1_2 };

/* A feature and its collection, with these properties, this point and this kind of id. */
#define ROUTE(suffix, of_properties, of_point, of_id) \
	static const struct mds_member feature_members_##suffix[] = { \
		{ N("type"), &type_feature, true, 0 }, \
		{ N("id"), &of_id, false, 0 }, \
		{ N("properties"), &of_properties, true, 0 }, \
		{ N("geometry"), &of_point, true, 0 }, \
		{ N("bbox"), &bbox, false, 0 }, \
		END \
	}; \
	static const struct mds_rule feature_##suffix = { .types = MDS_OBJECT, .members = feature_members_##suffix }; \
	static const struct mds_rule features_##suffix = { .types = MDS_ARRAY, .item = &feature_##suffix, .min_items = 2, \
		.features = true }; \
	static const struct mds_member route_members_##suffix[] = { \
		{ N("type"), &type_collection, true, 0 }, \
		{ N("features"), &features_##suffix, true, 0 }, \
		{ N("bbox"), &bbox, false, 0 }, \
		END \
	}; \
	static const struct mds_rule route_##suffix = { .types = MDS_OBJECT, .members = route_members_##suffix }
ROUTE(0_2, properties_0_2, point_0_2, any);
ROUTE(0_3, properties_0_3, point_0_2, any);
ROUTE(0_4, properties_0_3, point_0_4, any);
ROUTE(1_0, properties_1_0, point_0_4, any);
ROUTE(1_2, properties_1_2, point_0_4, number_string);

/* Austin's loader asked for an object, and took its points out of it. */
static const struct mds_rule features_old = { .features = true };
static const struct mds_member route_members_old[] = { { N("features"), &features_old, false, 0 }, END };
static const struct mds_rule route_old = { .types = MDS_OBJECT, .members = route_members_old };

/* GPS of 2.0 */
static const struct mds_member gps_members[] = {
	{ N("lat"), &latitude, true, 0 },
	{ N("lng"), &longitude, true, 0 },
	{ N("altitude"), &number_null, false, 0 },
	{ N("heading"), &number_null, false, 0 },
	{ N("speed"), &number_null, false, 0 },
	{ N("horizontal_accuracy"), &number_null, false, 0 },
	{ N("vertical_accuracy"), &number_null, false, 0 },
	{ N("satellites"), &integer_null, false, 0 },
	END
};
static const struct mds_rule gps = { .types = MDS_OBJECT, .members = gps_members };

/* ---- trips ---- */

/* The places and points are what the loader itself had put in before it looked; what stood there is not heeded. */
static const struct mds_member trip_members_old[] = {
	{ N("provider_id"), &string, true, MDS_PROVIDER_ID },
	{ N("provider_name"), &string, true, MDS_PROVIDER_NAME },
	{ N("device_id"), &string, true, MDS_DEVICE_ID },
	{ N("vehicle_id"), &string, true, MDS_VEHICLE_ID },
	{ N("vehicle_type"), &string, true, MDS_VEHICLE_TYPE },
	{ N("propulsion_type"), &array, true, MDS_PROPULSION },
	{ N("trip_id"), &string, true, MDS_TRIP_ID },
	{ N("trip_duration"), &number, true, MDS_DURATION },
	{ N("trip_distance"), &number, true, MDS_DISTANCE },
	{ N("route"), &route_old, true, MDS_ROUTE },
	{ N("accuracy"), &number, true, MDS_ACCURACY },
	{ N("start_time"), &time_any, true, MDS_START_TIME },
	{ N("end_time"), &time_any, true, MDS_END_TIME },
	{ N("standard_cost"), &number_null, false, MDS_STANDARD_COST },
	{ N("actual_cost"), &number_null, false, MDS_ACTUAL_COST },
	{ N("publication_time"), &time_any_null, false, MDS_PUBLICATION_TIME },
	{ N("parking_verification_url"), &string_null, false, MDS_PARKING_URL },
	{ N("currency"), &string_null, false, MDS_CURRENCY_CODE },
	{ N("start"), &string_null, false, MDS_OTHER },
	{ N("end"), &string_null, false, MDS_OTHER + 1 },
	{ N("start_latitude"), &any, false, MDS_OTHER + 2 },
	{ N("start_longitude"), &any, false, MDS_OTHER + 3 },
	{ N("end_latitude"), &any, false, MDS_OTHER + 4 },
	{ N("end_longitude"), &any, false, MDS_OTHER + 5 },
	{ N("council_district_start"), &any, false, MDS_OTHER + 6 },
	{ N("council_district_end"), &any, false, MDS_OTHER + 7 },
	{ N("orig_cell_id"), &any, false, MDS_OTHER + 8 },
	{ N("dest_cell_id"), &any, false, MDS_OTHER + 9 },
	{ N("census_geoid_start"), &any, false, MDS_OTHER + 10 },
	{ N("census_geoid_end"), &any, false, MDS_OTHER + 11 },
	END
};

/* What all versions before 2.0 ask for.  LINE, VEHICLE, ... are the rules that they differ in. */
#define TRIP(LINE, VEHICLE, PROPULSION_NAME, PROPULSION, ROUTE_RULE, TIME) \
	{ N("provider_name"), &LINE, true, MDS_PROVIDER_NAME }, \
	{ N("provider_id"), &uuid, true, MDS_PROVIDER_ID }, \
	{ N("device_id"), &uuid, true, MDS_DEVICE_ID }, \
	{ N("vehicle_id"), &LINE, true, MDS_VEHICLE_ID }, \
	{ N("vehicle_type"), &VEHICLE, true, MDS_VEHICLE_TYPE }, \
	{ N(PROPULSION_NAME), &PROPULSION, true, MDS_PROPULSION }, \
	{ N("trip_id"), &uuid, true, MDS_TRIP_ID }, \
	{ N("trip_duration"), &integer, true, MDS_DURATION }, \
	{ N("trip_distance"), &integer, true, MDS_DISTANCE }, \
	{ N("route"), &ROUTE_RULE, true, MDS_ROUTE }, \
	{ N("accuracy"), &integer, true, MDS_ACCURACY }, \
	{ N("start_time"), &TIME, true, MDS_START_TIME }, \
	{ N("end_time"), &TIME, true, MDS_END_TIME }
#define COSTS \
	{ N("standard_cost"), &integer_null, false, MDS_STANDARD_COST }, \
	{ N("actual_cost"), &integer_null, false, MDS_ACTUAL_COST }

static const struct mds_member trip_members_0_2[] = {
	TRIP(line, vehicle_0_2, "propulsion_type", propulsion_0_2, route_0_2, seconds),
	{ N("parking_verification_url"), &https_null, false, MDS_PARKING_URL },
	COSTS,
	END
};
static const struct mds_member trip_members_0_3[] = {
	TRIP(line, vehicle_0_2, "propulsion_type", propulsion_0_2, route_0_3, ms),
	{ N("publication_time"), &ms, false, MDS_PUBLICATION_TIME },
	{ N("parking_verification_url"), &https_null, false, MDS_PARKING_URL },
	COSTS,
	END
};
static const struct mds_member trip_members_0_4[] = {
	TRIP(line, vehicle_0_4, "propulsion_type", propulsion_0_2, route_0_4, ms),
	{ N("publication_time"), &ms, false, MDS_PUBLICATION_TIME },
	{ N("parking_verification_url"), &https_null, false, MDS_PARKING_URL },
	COSTS,
	{ N("currency"), &string_null, false, MDS_CURRENCY_CODE },
	END
};
static const struct mds_member trip_members_1_0[] = {
	TRIP(line_255, vehicle_1_0, "propulsion_types", propulsion_1_0, route_1_0, ms),
	{ N("publication_time"), &ms, false, MDS_PUBLICATION_TIME },
	{ N("parking_verification_url"), &string_null, false, MDS_PARKING_URL },
	COSTS,
	{ N("currency"), &currency_null, false, MDS_CURRENCY_CODE },
	END
};
static const struct mds_member trip_members_1_2[] = {
	TRIP(line_255, vehicle_1_2, "propulsion_types", propulsion_1_0, route_1_2, ms_2018),
	{ N("publication_time"), &ms_2018, false, MDS_PUBLICATION_TIME },
	{ N("parking_verification_url"), &string_null, false, MDS_PARKING_URL },
	COSTS,
	{ N("currency"), &currency_null, false, MDS_CURRENCY_CODE },
	END
};
static const struct mds_member trip_members_2_0[] = {
	{ N("provider_id"), &uuid, true, MDS_PROVIDER_ID },
	{ N("data_provider_id"), &uuid_null, false, MDS_OTHER },
	{ N("device_id"), &uuid, true, MDS_DEVICE_ID },
	{ N("journey_id"), &uuid_null, false, MDS_OTHER + 1 },
	{ N("journey_attributes"), &object_null, false, MDS_OTHER + 2 },
	{ N("trip_id"), &uuid, true, MDS_TRIP_ID },
	{ N("trip_type"), &string_null, false, MDS_OTHER + 3 },
	{ N("trip_attributes"), &object_null, false, MDS_OTHER + 4 },
	{ N("fare_attributes"), &object_null, false, MDS_OTHER + 5 },
	{ N("start_time"), &ms_2018, true, MDS_START_TIME },
	{ N("end_time"), &ms_2018, true, MDS_END_TIME },
	{ N("start_location"), &gps, true, MDS_START_LOCATION },
	{ N("end_location"), &gps, true, MDS_END_LOCATION },
	{ N("duration"), &integer, true, MDS_DURATION },
	{ N("distance"), &integer, true, MDS_DISTANCE },
	{ N("publication_time"), &ms_2018_null, false, MDS_PUBLICATION_TIME },
	{ N("accessibility_attributes"), &array_null, false, MDS_OTHER + 6 },
	{ N("parking_verification_url"), &string_null, false, MDS_PARKING_URL },
	{ N("parking_category"), &parking_null, false, MDS_OTHER + 7 },
	COSTS,
	{ N("currency"), &currency_null, false, MDS_CURRENCY_CODE },
	END
};

const char *const mds_schemas[] = { "auto", "old", "0.2", "0.3", "0.4", "1.0", "1.1", "1.2", "2.0", NULL };

static const struct mds_rule trips[] = {
	[MDS_OLD] = { .types = MDS_OBJECT, .members = trip_members_old, .closed = true },
	[MDS_0_2] = { .types = MDS_OBJECT, .members = trip_members_0_2 },
	[MDS_0_3] = { .types = MDS_OBJECT, .members = trip_members_0_3 },
	[MDS_0_4] = { .types = MDS_OBJECT, .members = trip_members_0_4 },
	[MDS_1_0] = { .types = MDS_OBJECT, .members = trip_members_1_0, .closed = true },
	[MDS_1_1] = { .types = MDS_OBJECT, .members = trip_members_1_0, .closed = true },
	[MDS_1_2] = { .types = MDS_OBJECT, .members = trip_members_1_2, .closed = true },
	[MDS_2_0] = { .types = MDS_OBJECT, .members = trip_members_2_0, .closed = true },
};

const struct mds_rule *
mds_rule_of(enum mds_schema schema)
{
	return &trips[schema];
}

enum mds_schema
mds_schema_of_version(struct str version)
{
	for (int i = MDS_0_2; mds_schemas[i] != NULL; i++)
		if (version.n >= 3 && memcmp(version.p, mds_schemas[i], 3) == 0 && (version.n == 3 || version.p[3] == '.'))
			return (enum mds_schema)i;
	return MDS_AUTO;
}
