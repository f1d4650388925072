/*
 * fuzz-agol - any value of a record, for any kind of field, becomes one JSON value or a reason; any location becomes one
 * JSON object with numbers in it, nothing, or a reason.
 *
 * The first byte chooses the type of the field and whether the value is JSON; the second one the shape of the layer.
 */
#include <stdint.h>
#include <stdlib.h>

#include "agol/value.h"
#include "format/json.h"

#define CHECK(x) do { if (!(x)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check_json(const struct buf *b)
{
	struct json_error e;

	CHECK(json_skip(b->p, b->p + b->len, &e) == b->p + b->len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct buf text = { 0 }, out = { 0 };
	struct json_error e;

	if (n < 3)
		return 0;
	buf_add(&text, data + 2, n - 2);

	struct field value = { .name = STR("x"), .val = buf_all(&text), .json = data[0] & 1 };
	struct agol_field field = { .name = STR("x"), .type = (enum agol_type)(data[0] >> 1) % (AGOL_GUID + 1), .length = 20, .nullable = true };
	const char *end = text.p + text.len, *why;

	/* a reader hands out good JSON and good UTF-8 only */
	if (value.json ? json_skip(text.p, end, &e) != end || *text.p == 'n' : utf8_check(text.p, end) != NULL)
		goto done;
	why = agol_value(&out, &field, &value, false);
	if (why == NULL) {
		check_json(&out);
		agol_sanitize(&out, 0);
		check_json(&out);
	}
	buf_reset(&out);
	why = agol_location(&out, data[1] & 1 ? AGOL_POINT : AGOL_MULTIPOINT, data[1] & 2 ? 4326 : 102100, &value);
	CHECK(why == NULL || *why != '\0');
	if (why == NULL && out.len > 0)
		check_json(&out);
	buf_reset(&out);
	if (agol_lat_lon(&out, AGOL_POINT, 4326, &value, &value) == NULL && out.len > 0)
		check_json(&out);
done:
	buf_free(&text);
	buf_free(&out);
	return 0;
}
