/*
 * mds-trips - raw trips of an MDS provider become flat records: checked, with points in place of the route.
 *
 * What the rules are, and in which unit times come, follows from the version that the trips say, and is never guessed from the
 * values: a trip with seconds where milliseconds are due would else pass for one of 1970.  Trips are personal data, so
 * that what is said of a bad one names the field and what would be right, but never what stood there.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "advice.h"
#include "base/err.h"
#include "base/idset.h"
#include "base/opt.h"
#include "format/date.h"
#include "format/json.h"
#include "mds/check.h"
#include "mds/number.h"
#include "mds/uuid.h"
#include "records/receipt.h"
#include "records/rows.h"

#define BY_VERSION (-1)         /* of a choice that was not made */

static const char *const unit_words[] = { "ms", "s", NULL };            /* enum mds_unit */

static const char *version_field, *version_option, *bounds_option, *window_option;
static long long schema_option = BY_VERSION, unit_option = BY_VERSION;
static struct words integer_ids;
static struct rows_options reading = { ROWS_DEFAULTS, ROWS_ADVICE, .from = ROWS_NDJSON };
static long long out_format;
static const char *receipt_file;

static const struct opt options[] = {
	OPT_STRING(0, "version-field", "FIELD", &version_field,
	    "the field that has the version of MDS"),
	OPT_STRING(0, "mds-version", "VERSION", &version_option,
	    "the version of MDS where no field has it (0.3)"),
	OPT_CHOICE(0, "schema-version", "VERSION", &schema_option, mds_schemas,
	    "rules: old, 0.2 to 2.0, or auto"),
	OPT_NO_LETTER('s', "schema-version"),
	OPT_CHOICE(0, "time-unit", "UNIT", &unit_option, unit_words, "times are in ms or s (s for 0.2, else ms)"),
	OPT_LIST(0, "integer-ids", "NAME", &integer_ids,
	    "its integer ids become UUIDs; * is all providers"),
	OPT_NO_LETTER('i', "integer-ids"),
	OPT_STRING('b', "bounds", "W,S,E,N", &bounds_option,
	    "points outside of this box are counted"),
	OPT_STRING(0, "window", "SINCE,UNTIL", &window_option,
	    "trips that end at other times are counted"),
	OPT_NO_LETTER('w', "window"),
	OPT_RECEIPT(receipt_file),
	OPT_ROWS_OUT(out_format),
	OPT_ROWS_CHECKS(reading),
	OPT_END
};
const struct tool tool = {
	.name = "mds-trips", .operands = "[file ...]", .options = options,
	.does = "Check raw trips of an MDS provider and make flat records of them.",
};

/* The fields that go out, in this order; the last four come of the route. */
static const struct { struct str name; int field; } columns[] = {
	{ { "trip_id", 7 }, MDS_TRIP_ID },
	{ { "provider_id", 11 }, MDS_PROVIDER_ID },
	{ { "provider_name", 13 }, MDS_PROVIDER_NAME },
	{ { "device_id", 9 }, MDS_DEVICE_ID },
	{ { "vehicle_id", 10 }, MDS_VEHICLE_ID },
	{ { "vehicle_type", 12 }, MDS_VEHICLE_TYPE },
	{ { "propulsion_type", 15 }, MDS_PROPULSION },
	{ { "trip_duration", 13 }, MDS_DURATION },
	{ { "trip_distance", 13 }, MDS_DISTANCE },
	{ { "accuracy", 8 }, MDS_ACCURACY },
	{ { "start_time", 10 }, MDS_START_TIME },
	{ { "end_time", 8 }, MDS_END_TIME },
	{ { "publication_time", 16 }, MDS_PUBLICATION_TIME },
	{ { "standard_cost", 13 }, MDS_STANDARD_COST },
	{ { "actual_cost", 11 }, MDS_ACTUAL_COST },
	{ { "currency", 8 }, MDS_CURRENCY_CODE },
	{ { "parking_verification_url", 24 }, MDS_PARKING_URL },
	{ { "start_longitude", 15 }, MDS_FIELDS },
	{ { "start_latitude", 14 }, MDS_FIELDS + 1 },
	{ { "end_longitude", 13 }, MDS_FIELDS + 2 },
	{ { "end_latitude", 12 }, MDS_FIELDS + 3 },
};
#define COLUMNS (sizeof columns / sizeof *columns)

struct box { double west, south, east, north; };
struct point { struct str text[2]; double at[2]; };     /* longitude, latitude */

struct trips {
	struct rows *in;
	struct rows_out *out;
	struct mds_check check;
	struct buf version;             /* the one that schema and unit are of */
	enum mds_schema schema;         /* MDS_AUTO: no version was read yet */
	enum mds_unit unit;
	struct box bounds;
	int64_t from, to;               /* of --window, as date.h counts microseconds */
	struct idset *ids;
	struct point point[2];          /* of the trip at hand: start, end */
	int64_t end;                    /* ... when */
	struct buf id[3], time[3], scratch;
	unsigned long long written, outside, out_of_bounds, mended, duplicates;
};

/* ---- options ---- */

static void
parse_bounds(struct box *box)
{
	double *n[] = { &box->west, &box->south, &box->east, &box->north };
	const char *p = bounds_option;
	char *end = NULL;

	for (int i = 0; i < 4; i++, p = end + 1) {
		*n[i] = strtod(p, &end);
		if (end == p || *end != (i < 3 ? ',' : '\0') || !isfinite(*n[i]))
			die(EX_USAGE, "--bounds %s: want four numbers: west,south,east,north", bounds_option);
	}
	if (box->west >= box->east || box->south >= box->north)
		die(EX_USAGE, "--bounds %s: want west,south,east,north, such as -98.2,30,-97.4,30.6", bounds_option);
}

static int64_t
parse_time(struct str text)
{
	struct moment m;
	const char *why;

	if (!date_parse(text, DATE_ISO, &m, &why))
		die(EX_USAGE, "--window %s: \"%.*s\" %s: want SINCE,UNTIL as 2020-03-01T01:00:00Z",
		    window_option, (int)text.n, text.p, why);
	return date_usec(&m);
}

static void
parse_window(struct trips *t)
{
	const char *comma = strchr(window_option, ',');

	if (comma == NULL)
		die(EX_USAGE, "--window %s: want SINCE,UNTIL", window_option);
	t->from = parse_time((struct str){ window_option, (size_t)(comma - window_option) });
	t->to = parse_time(str_of(comma + 1));
	if (t->from >= t->to)
		die(EX_USAGE, "--window %s: it ends before it begins", window_option);
}

/* The rules and the unit of the version.  False if there is no such version. */
static bool
use_version(struct trips *t, struct str version)
{
	enum mds_schema schema = mds_schema_of_version(version);

	if (schema == MDS_AUTO)
		return false;
	buf_reset(&t->version);
	buf_str(&t->version, version);
	t->unit = unit_option != BY_VERSION ? (enum mds_unit)unit_option : schema == MDS_0_2 ? MDS_UNIT_S : MDS_UNIT_MS;
	if (schema_option == BY_VERSION)
		t->schema = schema <= MDS_0_4 ? MDS_OLD : schema;
	else
		t->schema = schema_option == MDS_AUTO ? schema : (enum mds_schema)schema_option;
	return true;
}

static struct trips
open_trips(char **files)
{
	struct trips t = { .ids = NULL };

	if (version_option != NULL && !use_version(&t, str_of(version_option)))
		die(EX_USAGE, "--mds-version %s: want 0.2, 0.3, 0.4, 1.0, 1.1, 1.2 or 2.0", version_option);
	if (bounds_option != NULL)
		parse_bounds(&t.bounds);
	if (window_option != NULL)
		parse_window(&t);
	if (version_option == NULL)
		use_version(&t, STR("0.3"));
	t.in = rows_open(files, &reading);
	t.out = rows_stdout(t.in, out_format);
	t.ids = idset_open();
	return t;
}

/* ---- a trip in ---- */

/* The trip's version is that of its field, or of --mds-version, or 0.3. */
static bool
choose_version(struct trips *t, const struct row *row)
{
	const struct field *f = version_field != NULL ? row_field(row, str_of(version_field)) : NULL;
	struct str version = f != NULL ? field_text(f, &t->scratch) : (struct str){ 0 };

	if (version_field == NULL || (version.p == NULL && version_option != NULL && use_version(t, str_of(version_option))))
		return true;
	if (version.p == NULL)
		return mds_fault(&t->check, version_field, "is missing: see --mds-version");
	if (str_eq(version, buf_all(&t->version)) || use_version(t, version))
		return true;
	return mds_fault(&t->check, version_field, "is no version of MDS that is known here: want 0.2 to 2.0");
}

static void
take_members(struct trips *t, const struct row *row)
{
	struct str skipped = version_field != NULL ? str_of(version_field) : (struct str){ 0 };

	mds_begin(&t->check, mds_rule_of(t->schema));
	for (size_t i = 0; i < row->n; i++)
		if (skipped.p == NULL || !str_eq(row->f[i].name, skipped))
			mds_take(&t->check, row->f[i].name, row->f[i].val, i);
}

/* ---- integer ids ---- */

static bool
has_integer_ids(struct trips *t)
{
	struct str name = t->check.field[MDS_PROVIDER_NAME];

	name = name.p != NULL ? json_text(name, &t->scratch) : name;
	for (size_t i = 0; i < integer_ids.n; i++)
		if (strcmp(integer_ids.w[i], "*") == 0 || (name.p != NULL && str_eq(name, str_of(integer_ids.w[i]))))
			return true;
	return false;
}

/* A number of digits alone; what else is a number is left for the rules to refuse. */
static bool
is_integer_text(struct str value)
{
	size_t sign = value.n > 0 && *value.p == '-';

	return value.n > sign && strspn(value.p + sign, "0123456789") == value.n - sign;
}

static bool
mend_id(struct trips *t, int field, struct buf *b)
{
	struct str *id = &t->check.field[field], provider = t->check.field[MDS_PROVIDER_ID];
	char uuid[UUID_LEN];

	provider = provider.p != NULL ? json_text(provider, &t->scratch) : provider;
	if (provider.p == NULL || !uuid_is(provider, true))
		return mds_fault(&t->check, "provider_id", "is no UUID, which an integer id is to be put below");
	if (!mds_uuid_of_integer(*id, provider, uuid))
		return mds_fault(&t->check, field == MDS_TRIP_ID ? "trip_id" : "device_id",
		    "is an integer that no UUID is made of: want 1 to 2^128 - 1");
	buf_reset(b);
	buf_json(b, (struct str){ uuid, sizeof uuid });
	*id = buf_all(b);
	return true;
}

/* *MENDED tells whether there was one.  False with the fault said. */
static bool
mend_ids(struct trips *t, bool *mended)
{
	struct str *vehicle = &t->check.field[MDS_VEHICLE_ID];

	*mended = false;
	if (integer_ids.n == 0 || !has_integer_ids(t))
		return true;
	for (int field = MDS_TRIP_ID, i = 0; i < 2; field = MDS_DEVICE_ID, i++) {
		if (!is_integer_text(t->check.field[field]))
			continue;
		if (!mend_id(t, field, &t->id[i]))
			return false;
		*mended = true;
	}
	if (is_integer_text(*vehicle)) {
		buf_reset(&t->id[2]);
		buf_json(&t->id[2], *vehicle);
		*vehicle = buf_all(&t->id[2]);
		*mended = true;
	}
	return true;
}

/* As mds_check(), and tells those who have a provider with integer ids what they are for. */
static bool
check_rules(struct trips *t)
{
	static const struct { const char *name; int field; } ids[] = {
		{ "trip_id", MDS_TRIP_ID }, { "device_id", MDS_DEVICE_ID }, { "vehicle_id", MDS_VEHICLE_ID },
	};

	if (mds_check(&t->check))
		return true;
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
		if (strcmp(t->check.where.p, ids[i].name) == 0 && is_integer_text(t->check.field[ids[i].field]))
			buf_text(&t->check.why, ": see --integer-ids");
	return false;
}

/* ---- times ---- */

static bool
take_time(struct trips *t, int field, const char *name, struct buf *b, int64_t *usec)
{
	struct str *value = &t->check.field[field];
	struct moment m;
	const char *why;

	if (value->p == NULL || *value->p == 'n')
		return true;
	if (!mds_usec(*value, t->unit, usec, &why))
		return mds_fault(&t->check, name, why);
	date_from_usec(&m, *usec);
	m.has_zone = true;
	buf_reset(b);
	buf_char(b, '"');
	date_put_iso(b, &m);
	buf_char(b, '"');
	*value = buf_all(b);
	return true;
}

static bool
take_times(struct trips *t)
{
	int64_t other;

	return take_time(t, MDS_START_TIME, "start_time", &t->time[0], &other) &&
	    take_time(t, MDS_END_TIME, "end_time", &t->time[1], &t->end) &&
	    take_time(t, MDS_PUBLICATION_TIME, "publication_time", &t->time[2], &other);
}

/* ---- points ---- */

/* Both coordinates are numbers.  What is wrong with them as a place, or NULL. */
static const char *
place_fault(struct point *p)
{
	for (int i = 0; i < 2; i++)
		p->at[i] = mds_double(p->text[i]);
	if (fabs(p->at[1]) > 90 && fabs(p->at[1]) <= 180 && fabs(p->at[0]) <= 90)
		return "has a latitude out of -90 to 90: are the coordinates swapped?";
	if (!(fabs(p->at[0]) <= 180))
		return "has a longitude out of -180 to 180";
	return fabs(p->at[1]) <= 90 ? NULL : "has a latitude out of -90 to 90";
}

static bool
is_number(struct str value)
{
	return value.p != NULL && (*value.p == '-' || (*value.p >= '0' && *value.p <= '9'));
}

/* The first two items of geometry.coordinates; the rest of them is of no account.  What is wrong with them, or NULL. */
static const char *
coordinates_fault(struct point *p, struct str feature)
{
	static const struct str geometry = { "geometry", 8 }, coordinates = { "coordinates", 11 };
	struct str value = feature;
	struct json_walk w;

	json_find(value, &geometry, &value, 1);
	json_find(value, &coordinates, &value, 1);
	if (value.p == NULL)
		return "is missing";
	if (*value.p != '[')
		return "is no array";
	w = json_walk(value);
	for (int i = 0; i < 2; i++) {
		if (!json_next(&w))
			return "has fewer than 2 numbers";
		if (!is_number(w.value))
			return "has what is no number";
		p->text[i] = w.value;
	}
	return place_fault(p);
}

static bool
take_coordinates(struct trips *t, struct point *p, struct str feature, size_t index)
{
	const char *why = coordinates_fault(p, feature);
	char where[64];

	if (why == NULL)
		return true;
	snprintf(where, sizeof where, "route.features[%zu].geometry.coordinates", index);
	return mds_fault(&t->check, where, why);
}

static bool
take_location(struct trips *t, struct point *p, struct str location, const char *where)
{
	static const struct str names[2] = { { "lng", 3 }, { "lat", 3 } };

	const char *why;

	json_find(location, names, p->text, 2);
	why = place_fault(p);
	return why == NULL || mds_fault(&t->check, where, why);
}

/* There are not two of them: why? */
static bool
tell_features(struct trips *t)
{
	static const struct str name = { "features", 8 };
	struct str features;

	json_find(t->check.field[MDS_ROUTE], &name, &features, 1);
	return mds_fault(&t->check, "route.features", features.p == NULL ? "is missing" : *features.p != '[' ? "is no array" :
	    t->check.features == 0 ? "is empty, want two points or more" : "has one point, want two or more");
}

static bool
take_points(struct trips *t)
{
	struct mds_check *c = &t->check;

	if (t->schema == MDS_2_0)
		return take_location(t, &t->point[0], c->field[MDS_START_LOCATION], "start_location") &&
		    take_location(t, &t->point[1], c->field[MDS_END_LOCATION], "end_location");
	if (c->features < 2)
		return tell_features(t);
	return take_coordinates(t, &t->point[0], c->first, 0) && take_coordinates(t, &t->point[1], c->last, c->features - 1);
}

static bool
is_inside(const struct box *box, double longitude, double latitude)
{
	return longitude >= box->west && longitude <= box->east && latitude >= box->south && latitude <= box->north;
}

/* Counts a trip that is out of --bounds.  False for one that is in them once its coordinates are swapped. */
static bool
check_bounds(struct trips *t)
{
	bool out = false;

	for (int i = 0; i < 2; i++) {
		const double *at = t->point[i].at;

		if (is_inside(&t->bounds, at[0], at[1]))
			continue;
		if (is_inside(&t->bounds, at[1], at[0]))
			return mds_fault(&t->check, i == 0 ? "start point" : "end point", "coordinates are swapped");
		out = true;
	}
	t->out_of_bounds += out;
	return true;
}

/* ---- a trip out ---- */

static struct str
column_value(const struct trips *t, int field)
{
	if (field >= MDS_FIELDS)
		return t->point[(field - MDS_FIELDS) / 2].text[(field - MDS_FIELDS) % 2];
	return t->check.field[field];
}

static void
put_csv(struct trips *t)
{
	struct field f[COLUMNS];

	for (size_t i = 0; i < COLUMNS; i++) {
		struct str value = column_value(t, columns[i].field);

		f[i] = (struct field){ columns[i].name, value.n == 4 && *value.p == 'n' ? (struct str){ 0 } : value, true };
	}
	rows_put(t->out, &(struct row){ f, COLUMNS });
}

/* As rows_put() would, but without a look at names that need no escapes. */
static void
put_json(struct trips *t)
{
	struct buf *b = rows_buf(t->out);

	for (size_t i = 0; i < COLUMNS; i++) {
		struct str value = column_value(t, columns[i].field);

		buf_add(b, i == 0 ? "{\"" : ",\"", 2);
		buf_str(b, columns[i].name);
		buf_add(b, "\":", 2);
		buf_str(b, value.p != NULL ? value : STR("null"));
	}
	buf_add(b, "}\n", 2);
	rows_flush_some(t->out);
}

static void
put_trip(struct trips *t, bool mended)
{
	t->written++;
	t->mended += mended;
	if (window_option != NULL && (t->end < t->from || t->end >= t->to))
		t->outside++;
	if (!idset_add_text(t->ids, json_text(t->check.field[MDS_TRIP_ID], &t->scratch)))
		t->duplicates++;
	if (rows_out_format(t->out) == ROWS_CSV)
		put_csv(t);
	else
		put_json(t);
}

/* False with the fault said. */
static bool
take_trip(struct trips *t, const struct row *row, bool *mended)
{
	if (!choose_version(t, row))
		return false;
	take_members(t, row);
	return mend_ids(t, mended) && check_rules(t) && take_times(t) && take_points(t) &&
	    (bounds_option == NULL || check_bounds(t));
}

/* ---- the end ---- */

static void
say_counts(const struct trips *t)
{
	if (t->outside > 0)
		note("%llu of %llu trips end outside the window: kept", t->outside, t->written);
	if (t->out_of_bounds > 0)
		note("%llu of %llu trips start or end out of the bounds: kept", t->out_of_bounds, t->written);
	if (t->duplicates > 0)
		note("%llu of %llu trips came before, by their trip_id: kept", t->duplicates, t->written);
}

static void
write_receipt(const struct trips *t, struct rows_counts count)
{
	receipt_open();
	receipt_int("read", count.read);
	receipt_int("written", t->written);
	receipt_int("rejected", count.rejected);
	receipt_int("outside", t->outside);
	receipt_int("out_of_bounds", t->out_of_bounds);
	receipt_int("mended", t->mended);
	receipt_int("duplicates", t->duplicates);
	receipt_close_file(count.read == 0, receipt_file);
}

static void
close_trips(struct trips *t)
{
	mds_check_free(&t->check);
	buf_free(&t->version);
	for (int i = 0; i < 3; i++) {
		buf_free(&t->id[i]);
		buf_free(&t->time[i]);
	}
	buf_free(&t->scratch);
	idset_close(t->ids);
}

int
main(int argc, char *argv[])
{
	char **files = opt_parse(argc, argv);
	struct trips t = open_trips(files);
	struct rows_counts count;
	struct row *row;
	bool mended;

	while ((row = rows_next(t.in)) != NULL) {
		if (take_trip(&t, row, &mended))
			put_trip(&t, mended);
		else
			rows_reject(t.in, buf_all(&t.check.where), "%s", t.check.why.p);
	}
	rows_finish(t.out);
	count = rows_counts(t.in);
	rows_close(t.in);
	say_counts(&t);
	if (receipt_file != NULL)
		write_receipt(&t, count);
	close_trips(&t);
	return EX_OK;
}
