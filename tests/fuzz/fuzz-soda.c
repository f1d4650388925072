/*
 * fuzz-soda - any value of a record, for any type of a Socrata column, passes as it is, becomes one JSON value or null, or is
 * refused with a reason; a place becomes coordinates that are numbers within their limits.
 *
 * The first byte chooses the type of the column and whether the value is JSON.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/number.h"
#include "format/json.h"
#include "soda/value.h"

#define CHECK(x) do { if (!(x)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check_number(struct str text, double most)
{
	double x;

	CHECK(number_read(text, &x) && fabs(x) <= most);
}

/* What was made of the value, not what passed. */
static void
check_place(struct str type, struct str value)
{
	struct str coordinates = json_get(value, "coordinates");
	struct buf scratch = { 0 };

	if (str_eq(type, STR("location"))) {
		check_number(json_text(json_get(value, "latitude"), &scratch), 90);
		check_number(json_text(json_get(value, "longitude"), &scratch), 180);
	} else if (str_eq(type, STR("point"))) {
		struct json_walk w = json_walk(coordinates);

		CHECK(json_next(&w));
		check_number(w.value, 180);
		CHECK(json_next(&w));
		check_number(w.value, 90);
		CHECK(!json_next(&w));
	}
	buf_free(&scratch);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct str types[] = { STR("text"), STR("number"), STR("checkbox"), STR("calendar_date"), STR("fixed_timestamp"),
		STR("url"), STR("point"), STR("multipoint"), STR("location"), STR("line") };
	struct buf text = { 0 }, out = { 0 }, number = { 0 };
	struct json_error e = { 0 };

	if (n < 2)
		return 0;
	buf_add(&text, data + 1, n - 1);

	struct field value = { .name = STR("x"), .val = buf_all(&text), .json = data[0] & 1 }, to = { 0 };
	struct str type = types[(data[0] >> 1) % (sizeof types / sizeof *types)];
	const struct soda_kind *kind = soda_kind_of(type);
	const char *end = text.p + text.len, *why;

	/* a reader hands out good JSON and good UTF-8 only */
	if (value.json ? json_skip(text.p, end, &e) != end || *text.p == 'n' : utf8_check(text.p, end) != NULL)
		goto done;
	why = soda_value(kind, &value, &to, &out);
	CHECK(why == NULL || *why != '\0');
	if (why == NULL && out.len > 0 && to.val.p == out.p) {
		CHECK(to.json && json_skip(out.p, out.p + out.len, &e) == out.p + out.len);
		if (soda_kind_is_place(kind))
			check_place(type, to.val);
	}
	if (soda_kind_is_place(kind) && !value.json && soda_place(kind, value.val, value.val, &to, &out) == NULL && to.val.p != NULL)
		check_place(type, to.val);
	if (number_is(value.val)) {
		number_put(&number, value.val);
		CHECK(json_skip(number.p, number.p + number.len, &e) == number.p + number.len);
	}
done:
	buf_free(&text);
	buf_free(&out);
	buf_free(&number);
	return 0;
}
