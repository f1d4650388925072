/*
 * fuzz-mds-trips - a trip by the rules of any version: the first byte says which.  A verdict has its words; the points of a good
 * trip lie in it; the same trip without white space has the same verdict; numbers are times, integers and UUIDs or are not.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "format/date.h"
#include "format/json.h"
#include "mds/check.h"
#include "mds/number.h"
#include "mds/uuid.h"

#define CHECK(x) do { if (!(x)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check_number(struct str number)
{
	const char *why = NULL;
	struct moment m;
	int64_t usec;

	CHECK(mds_double(number) == strtod(number.p, NULL));
	mds_is_integer(number);
	for (int unit = MDS_UNIT_MS; unit <= MDS_UNIT_S; unit++) {
		if (!mds_usec(number, (enum mds_unit)unit, &usec, &why)) {
			CHECK(why != NULL);
			continue;
		}

		double since_1970 = ((double)usec + 946684800e6) / (unit == MDS_UNIT_MS ? 1e3 : 1e6), d = mds_double(number);

		CHECK(date_from_usec(&m, usec) && m.year >= 1973 && m.year <= 5138);
		CHECK(fabs(since_1970 - d) <= 1e-12 * d + 1e-6);
	}
}

static void
check_uuid(struct str digits)
{
	static const struct str provider = { "0309585e-599f-4e57-ac85-ffffffffffff", UUID_LEN };
	char uuid[UUID_LEN];

	if (mds_uuid_of_integer(digits, provider, uuid))
		CHECK(uuid_is((struct str){ uuid, sizeof uuid }, false));
}

static void
check_values(struct str value)
{
	struct json_walk w = json_walk(value);

	if (*value.p == '-' || (*value.p >= '0' && *value.p <= '9')) {
		check_number(value);
		check_uuid(value);
	}
	if (*value.p == '{' || *value.p == '[')
		while (json_next(&w))
			check_values(w.value);
}

static bool
judge(struct mds_check *c, const struct mds_rule *rule, struct str trip)
{
	struct json_walk w = json_walk(trip);
	struct buf key = { 0 };

	mds_begin(c, rule);
	for (size_t i = 0; json_next(&w); i++) {
		buf_reset(&key);
		json_unescape(&key, w.key);
		if (c->unknown.p == NULL)       /* which would point into key */
			mds_take(c, buf_all(&key), w.value, i);
		if (c->unknown.p != NULL)
			c->unknown = STR("unknown");
	}
	buf_free(&key);
	return mds_check(c);
}

static void
add_compact(struct buf *b, struct str value)
{
	bool object = *value.p == '{', first = true;
	struct json_walk w = json_walk(value);

	if (!object && *value.p != '[') {
		buf_str(b, value);
		return;
	}
	buf_char(b, *value.p);
	for (; json_next(&w); first = false) {
		if (!first)
			buf_char(b, ',');
		if (object) {
			buf_char(b, '"');
			buf_str(b, w.key);
			buf_text(b, "\":");
		}
		add_compact(b, w.value);
	}
	buf_char(b, object ? '}' : ']');
}

static void
check_trip(struct str trip, const struct mds_rule *rule)
{
	static struct mds_check c, again;
	struct buf compact = { 0 };
	bool good = judge(&c, rule, trip);

	CHECK(good || (c.where.len > 0 && c.why.len > 0));
	if (c.features > 0 && good) {
		CHECK(c.first.p > trip.p && c.first.p <= c.last.p && c.last.p + c.last.n < trip.p + trip.n);
		CHECK((c.first.p == c.last.p) == (c.features == 1));
	}
	add_compact(&compact, trip);
	CHECK(judge(&again, rule, buf_all(&compact)) == good && again.features == c.features);
	if (!good)
		CHECK(str_eq(buf_all(&c.where), buf_all(&again.where)) && str_eq(buf_all(&c.why), buf_all(&again.why)));
	buf_free(&compact);
	check_values(trip);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct buf text = { 0 };
	struct json_error e;
	const char *end;

	if (n < 2)
		return 0;
	buf_add(&text, data + 1, n - 1);
	end = json_skip(text.p, text.p + text.len, &e);
	if (end != NULL && *text.p == '{')
		check_trip((struct str){ text.p, (size_t)(end - text.p) },
		    mds_rule_of((enum mds_schema)(MDS_OLD + data[0] % (MDS_2_0 - MDS_OLD + 1))));
	buf_free(&text);
	return 0;
}
