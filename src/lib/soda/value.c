/* soda/value.c - a value as a column of a Socrata dataset takes it. */
#include "soda/value.h"

#include <strings.h>

#include "base/number.h"
#include "format/date.h"
#include "format/json.h"
#include "records/place.h"

typedef const char *shape_function(const struct field *from, struct field *to, struct buf *out);

struct soda_kind {
	const char *type;
	shape_function *shape;
	bool is_place;
};

static void
set_json(struct field *to, const struct buf *out)
{
	to->val = buf_all(out);
	to->json = true;
}

static void
set_null(struct field *to)
{
	to->val = (struct str){ NULL, 0 };
	to->json = false;
}

static bool
is_json(const struct field *f, char first)
{
	return f->json && f->val.n > 0 && f->val.p[0] == first;
}

/* Text, numbers, booleans */

static struct str
boolean_text(struct str v)
{
	return str_eq(v, STR("true")) ? STR("True") : str_eq(v, STR("false")) ? STR("False") : v;
}

static const char *
join(struct str array, struct field *to, struct buf *out)
{
	struct json_walk w = json_walk(array);
	struct buf text = { 0 }, scratch = { 0 };

	while (json_next(&w)) {
		struct str v = json_text(w.value, &scratch);

		if (v.p == NULL)
			continue;
		if (text.p != NULL)
			buf_str(&text, STR(", "));
		buf_str(&text, json_is_string(w.value) ? v : boolean_text(v));
	}
	if (text.p == NULL)
		set_null(to);
	else {
		buf_json(out, buf_all(&text));
		set_json(to, out);
	}
	buf_free(&text);
	buf_free(&scratch);
	return NULL;
}

static const char *
shape_text(const struct field *from, struct field *to, struct buf *out)
{
	if (is_json(from, 't') || is_json(from, 'f')) {
		to->val = boolean_text(from->val);
		to->json = false;
	} else if (is_json(from, '[')) {
		return join(from->val, to, out);
	} else if (is_json(from, '{')) {
		buf_json(out, from->val);
		set_json(to, out);
	}
	return NULL;
}

static const char *
shape_number(const struct field *from, struct field *to, struct buf *out)
{
	struct str v = field_text(from, out);

	(void)to;
	return number_is(v) ? NULL : "is no number";
}

static const char *
shape_checkbox(const struct field *from, struct field *to, struct buf *out)
{
	static const char *const words[][5] = { { "false", "no", "f", "n", "0" }, { "true", "yes", "t", "y", "1" } };
	struct str v = field_text(from, out);

	for (size_t value = 0; value < 2; value++)
		for (size_t i = 0; i < 5; i++)
			if (v.n == strlen(words[value][i]) && strncasecmp(v.p, words[value][i], v.n) == 0) {
				to->val = value ? STR("true") : STR("false");
				to->json = true;
				return NULL;
			}
	return "is neither true nor false";
}

/* Dates */

/* A floating timestamp takes no zone, and those who publish want the wall clock that they see. */
static const char *
shape_floating(const struct field *from, struct field *to, struct buf *out)
{
	struct buf scratch = { 0 };
	struct moment m;
	const char *why;
	bool good = date_parse(field_text(from, &scratch), DATE_ISO, &m, &why);

	buf_free(&scratch);
	if (!good)
		return "is no date of ISO 8601";
	m.has_time = true;
	m.has_zone = false;
	buf_char(out, '"');
	date_put_iso(out, &m);
	buf_char(out, '"');
	set_json(to, out);
	return NULL;
}

/* The server reads 2020-01-31T23:59:59, and none of the other ways to write it: no space for the T, no 20200131. */
static const char *
shape_fixed(const struct field *from, struct field *to, struct buf *out)
{
	struct buf scratch = { 0 };
	struct str s = field_text(from, &scratch);
	struct moment m;
	const char *why;
	bool good = date_parse(s, DATE_ISO, &m, &why);

	if (good && (s.p[4] != '-' || (s.n > 10 && s.p[10] != 'T'))) {
		buf_char(out, '"');
		date_put_iso(out, &m);
		buf_char(out, '"');
		set_json(to, out);
	}
	buf_free(&scratch);
	return good ? NULL : "is no date of ISO 8601";
}

/* Places */

static const char *const place_faults[] = {
	[PLACE_HALF] = "has a latitude or a longitude, but not both",
	[PLACE_NO_NUMBERS] = "has a latitude or longitude that is no number",
	[PLACE_PAST_POLE] = "has a latitude beyond 90 degrees: were the two swapped?",
	[PLACE_SWAPPED] = "has a latitude beyond 90 degrees: were the two swapped?",
	[PLACE_PAST_180] = "has a longitude beyond 180 degrees",
	[PLACE_NO_LOCATION] = "is no place: want latitude and longitude",
	[PLACE_NO_OBJECT] = "has a place without latitude and longitude",
	[PLACE_NO_POINT] = "is GeoJSON, but no Point or MultiPoint",
	[PLACE_NO_POSITION] = "is GeoJSON whose coordinates are no positions",
};

/* Calls TAKE for each place, with OUT.  Returns what is wrong. */
static const char *
each_place(const struct field *f, void (*take)(const struct place *, void *out), struct buf *out, size_t *n)
{
	struct places p = { .degrees = true, .take = take, .arg = out };
	const char *why = place_faults[places_read(&p, f)];

	*n = p.n;
	places_free(&p);
	return why;
}

/* Text that is left to Socrata, and GeoJSON, which is what it wants. */
static bool
is_ready(const struct field *f)
{
	struct buf scratch = { 0 };
	bool ready = is_json(f, '{') ? json_get(f->val, "coordinates").p != NULL :
	    !is_json(f, '[') && strncasecmp(field_text(f, &scratch).p, "point", 5) == 0;

	buf_free(&scratch);
	return ready;
}

static const char *
shape_points(const struct field *from, struct field *to, struct buf *out, bool many)
{
	struct buf points = { 0 };
	const char *why;
	size_t n;

	if (is_ready(from))
		return NULL;
	why = each_place(from, place_add_point, &points, &n);
	if (why == NULL && !many && n > 1)
		why = "has several places, and the column takes one";
	if (why == NULL && n == 0) {
		set_null(to);
	} else if (why == NULL) {
		buf_fmt(out, "{\"type\":\"%s\",\"coordinates\":%s", many ? "MultiPoint" : "Point", many ? "[" : "");
		buf_str(out, buf_all(&points));
		buf_text(out, many ? "]}" : "}");
		set_json(to, out);
	}
	buf_free(&points);
	return why;
}

static const char *
shape_point(const struct field *from, struct field *to, struct buf *out)
{
	return shape_points(from, to, out, false);
}

static const char *
shape_multipoint(const struct field *from, struct field *to, struct buf *out)
{
	return shape_points(from, to, out, true);
}

static void
add_member(struct buf *out, const char *name, struct str object, const char *first, const char *second)
{
	struct buf scratch = { 0 }, text = { 0 };
	struct str v = json_text(json_get(object, first), &scratch);

	buf_str(&text, v);
	if (second != NULL && (v = json_text(json_get(object, second), &scratch)).n > 0) {
		if (text.len > 0)
			buf_char(&text, ' ');
		buf_str(&text, v);
	}
	buf_fmt(out, "%s\"%s\":", out->len > 1 ? "," : "", name);
	buf_json(out, buf_all(&text));
	buf_free(&scratch);
	buf_free(&text);
}

/* The legacy form: numbers are texts, and the address is JSON inside of a text. */
static void
take_location(const struct place *place, void *arg)
{
	struct str object = place->object;
	struct buf *out = arg, address = { 0 };

	if (out->len > 0)
		return;                 /* counted by each_place(), and refused */
	buf_text(out, "{\"latitude\":");
	buf_json(out, place->latitude);
	buf_text(out, ",\"longitude\":");
	buf_json(out, place->longitude);
	buf_char(&address, '{');
	add_member(&address, "address", object, "street", "street2");
	add_member(&address, "city", object, "city", NULL);
	add_member(&address, "state", object, "state", NULL);
	add_member(&address, "zip", object, "zip", NULL);
	buf_char(&address, '}');
	buf_text(out, ",\"human_address\":");
	buf_json(out, buf_all(&address));
	buf_char(out, '}');
	buf_free(&address);
}

static const char *
shape_location(const struct field *from, struct field *to, struct buf *out)
{
	const char *why;
	size_t n;

	if (is_json(from, '{') && json_get(from->val, "human_address").p != NULL)
		return NULL;            /* as Socrata itself writes it */
	why = each_place(from, take_location, out, &n);
	if (why != NULL)
		return why;
	if (n > 1)
		return "has several places, and the column takes one";
	if (n == 0)
		set_null(to);
	else
		set_json(to, out);
	return NULL;
}

static const char *
shape_url(const struct field *from, struct field *to, struct buf *out)
{
	if (is_json(from, '{'))
		return NULL;
	if (from->json && !json_is_string(from->val))
		return "is no URL";
	buf_text(out, "{\"url\":");
	if (from->json)
		buf_str(out, from->val);
	else
		buf_json(out, from->val);
	buf_char(out, '}');
	set_json(to, out);
	return NULL;
}

/* All of them */

static const struct soda_kind kinds[] = {
	{ "text", shape_text, false },
	{ "number", shape_number, false }, { "money", shape_number, false }, { "percent", shape_number, false },
	{ "double", shape_number, false }, { "stars", shape_number, false },
	{ "checkbox", shape_checkbox, false },
	{ "calendar_date", shape_floating, false },
	{ "fixed_timestamp", shape_fixed, false }, { "date", shape_fixed, false },
	{ "point", shape_point, true }, { "multipoint", shape_multipoint, true }, { "location", shape_location, true },
	{ "url", shape_url, false },
};
static const struct soda_kind other = { "", NULL, false };

const struct soda_kind *
soda_kind_of(struct str type)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (str_eq(type, str_of(kinds[i].type)))
			return &kinds[i];
	return &other;
}

bool
soda_kind_is_place(const struct soda_kind *kind)
{
	return kind->is_place;
}

static bool
is_empty(const struct field *f)
{
	return f->json ? f->val.n == 2 && f->val.p[0] == '"' : f->val.n == 0;
}

/* A cell of CSV in a column of objects: is there one in it? */
static const char *
shape_cell(const struct soda_kind *kind, const struct field *from, struct field *to, struct buf *out)
{
	struct buf text = { 0 };
	struct str json = json_check(from->val, &text, NULL);
	const char *why;

	if (json.p != NULL && json.n == from->val.n) {
		why = kind->shape(&(struct field){ .val = json, .json = true }, to, out);
		to->json = to->json || to->val.p == from->val.p;
	} else {
		why = kind->shape(from, to, out);
	}
	buf_free(&text);
	return why;
}

const char *
soda_value(const struct soda_kind *kind, const struct field *from, struct field *to, struct buf *out)
{
	buf_reset(out);
	to->val = from->val;
	to->json = from->json;
	if (from->val.p == NULL || (kind->shape != NULL && kind->shape != shape_text && is_empty(from))) {
		set_null(to);
		return NULL;
	}
	if (!from->json && (kind->is_place || kind->shape == shape_url) && (from->val.p[0] == '{' || from->val.p[0] == '['))
		return shape_cell(kind, from, to, out);
	return kind->shape != NULL ? kind->shape(from, to, out) : NULL;
}

const char *
soda_place(const struct soda_kind *kind, struct str longitude, struct str latitude, struct field *to, struct buf *out)
{
	struct buf object = { 0 };
	struct field from = { .json = true };
	const char *why;

	buf_text(&object, "{\"latitude\":");
	buf_json(&object, latitude);
	buf_text(&object, ",\"longitude\":");
	buf_json(&object, longitude);
	buf_char(&object, '}');
	from.val = buf_all(&object);
	why = soda_value(kind, &from, to, out);
	buf_free(&object);
	return why;
}
