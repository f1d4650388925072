/* agol/value.c - values of records as an ArcGIS layer takes them. */
#include "agol/value.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/number.h"
#include "format/date.h"
#include "format/json.h"
#include "format/zone.h"
#include "records/place.h"

#define WGS84 4326                      /* the wkid of degrees */

static struct buf scratch, text;        /* of one value */
static struct buf why;

static const char *PRINTF(1, 2)
wrong(const char *fmt, ...)
{
	char line[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof line, fmt, args);
	va_end(args);
	buf_reset(&why);
	buf_text(&why, line);
	return why.p;
}

/* Bytes of a value that a message shows. */
static int
shown(struct str s)
{
	return s.n < 60 ? (int)s.n : 60;
}

/* ---- numbers ---- */

static const char *
put_integer(struct buf *b, struct str s, enum agol_type type)
{
	double most = type == AGOL_SMALL ? 32768 : type == AGOL_INTEGER ? 2147483648.0 : 9007199254740992.0, x;

	if (!number_read(s, &x))
		return wrong("\"%.*s\" is no integer", shown(s), s.p);
	if (x < -most || x >= most)
		return wrong("\"%.*s\" is too large for an integer of %d bits", shown(s), s.p,
		    type == AGOL_SMALL ? 16 : type == AGOL_INTEGER ? 32 : 54);
	if (x != (double)(long long)x)
		return wrong("\"%.*s\" is no integer", shown(s), s.p);
	buf_fmt(b, "%.0f", x == 0 ? 0 : x);     /* no -0 */
	return NULL;
}

/* ---- dates ---- */

static const char *
put_date(struct buf *b, struct str s, enum agol_type type, bool in_zone)
{
	struct moment m;
	const char *reason;

	if (!date_parse(s, DATE_ISO, &m, &reason))
		return wrong("\"%.*s\" %s", shown(s), s.p, reason);
	if (type == AGOL_DATE_ONLY) {
		buf_fmt(b, "\"%04d-%02d-%02d\"", m.year, m.month, m.day);
		return NULL;
	}
	if (!m.has_zone && in_zone && !zone_from_wall(&m))
		return wrong("\"%.*s\" is no date: it leaves the years 1 to 9999", shown(s), s.p);
	if (type == AGOL_STAMP) {
		m.has_zone = m.has_time = true;
		buf_char(b, '"');
		date_put_iso(b, &m);
		buf_char(b, '"');
		return NULL;
	}

	int64_t usec = date_usec(&m);

	buf_fmt(b, "%lld", (long long)(usec - ((usec % 1000) + 1000) % 1000) / 1000 + UNIX_2000 * 1000);
	return NULL;
}

/* ---- text ---- */

static size_t
utf16_units(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		n += (c & 0xC0) != 0x80;
		n += c >= 0xF0;
	}
	return n;
}

/* Appends a value's text: an array's elements with ", " between, a nested value as its JSON. */
static void
add_text(struct buf *b, struct str value)
{
	if (*value.p == '[') {
		struct json_walk w = json_walk(value);
		bool first = true;

		while (json_next(&w)) {
			if (*w.value.p == 'n')
				continue;
			if (!first)
				buf_text(b, ", ");
			first = false;
			if (*w.value.p == '"')
				json_unescape(b, (struct str){ w.value.p + 1, w.value.n - 2 });
			else
				buf_str(b, w.value);
		}
	} else if (*value.p == '"') {
		json_unescape(b, (struct str){ value.p + 1, value.n - 2 });
	} else if (*value.p == 't' || *value.p == 'f') {
		buf_text(b, *value.p == 't' ? "True" : "False");
	} else {
		buf_str(b, value);
	}
}

static const char *
put_text(struct buf *b, const struct agol_field *field)
{
	size_t units = utf16_units(buf_all(&text));

	if (field->length > 0 && units > field->length)
		return wrong("%zu characters, and the layer takes %zu", units, field->length);
	buf_json(b, buf_all(&text));
	return NULL;
}

bool
agol_sanitize(struct buf *b, size_t start)
{
	char *p = b->p + start, *end = b->p + b->len, *to = p;

	if (memchr(p, '<', (size_t)(end - p)) == NULL || memchr(p, '>', (size_t)(end - p)) == NULL)
		return false;
	for (; p < end; p++)
		if (*p != '<' && *p != '>')
			*to++ = *p;
	b->len = (size_t)(to - b->p);
	*to = '\0';
	return true;
}

/* ---- attributes ---- */

static const char *
put_null(struct buf *b, const struct agol_field *field)
{
	if (!field->nullable)
		return "no value, and the layer wants one";
	buf_text(b, "null");
	return NULL;
}

static bool
is_number(const struct field *value)
{
	return value->json && value->val.n > 0 && (*value->val.p == '-' || (*value->val.p >= '0' && *value->val.p <= '9'));
}

const char *
agol_value(struct buf *b, const struct agol_field *field, const struct field *value, bool in_zone)
{
	struct str s = value->val;
	double x;

	if (s.p == NULL)
		return put_null(b, field);
	if (field->type == AGOL_STRING || field->type == AGOL_GUID || field->type == AGOL_TIME_ONLY) {
		buf_reset(&text);
		if (value->json)
			add_text(&text, s);
		else
			buf_str(&text, s);
		if (text.len == 0 && field->type != AGOL_STRING)
			return put_null(b, field);
		return put_text(b, field);
	}
	if (value->json && (*s.p == '[' || *s.p == '{'))
		return wrong("%s, and the layer wants a single value", *s.p == '[' ? "an array" : "an object");
	s = str_trim(value->json ? json_text(s, &scratch) : s);
	if (s.n == 0)
		return put_null(b, field);
	switch (field->type) {
	case AGOL_SMALL: case AGOL_INTEGER: case AGOL_BIG: case AGOL_FLOAT:
		if (str_eq(s, STR("true")) || str_eq(s, STR("false"))) {
			buf_char(b, *s.p == 't' ? '1' : '0');
			return NULL;
		}
		if (field->type != AGOL_FLOAT)
			return put_integer(b, s, field->type);
		if (!number_read(s, &x))
			return wrong("\"%.*s\" is no number", shown(s), s.p);
		number_put(b, s);
		return NULL;
	case AGOL_DATE: case AGOL_DATE_ONLY: case AGOL_STAMP:
		if (is_number(value) && field->type == AGOL_DATE)
			return put_integer(b, s, AGOL_BIG);
		return put_date(b, s, field->type, in_zone);
	default:
		return "of a type that is not loaded";
	}
}

/* ---- geometry ---- */

static const char *
say_fault(const struct places *p, const struct field *location, enum place_fault fault)
{
	struct str lat = p->at.latitude, lon = p->at.longitude;
	const char *quote = location != NULL && (!location->json || json_is_string(location->val)) ? "\"" : "";

	switch (fault) {
	case PLACE_HALF:
		return wrong("a %s without a %s", lat.n > 0 ? "latitude" : "longitude", lat.n > 0 ? "longitude" : "latitude");
	case PLACE_NO_NUMBERS:
		return wrong("\"%.*s, %.*s\" is no latitude and longitude", shown(lat), lat.p, shown(lon), lon.p);
	case PLACE_PAST_POLE: case PLACE_SWAPPED:
		return wrong("latitude %.*s: past the pole%s", shown(lat), lat.p, fault == PLACE_SWAPPED ? ": are they swapped?" : "");
	case PLACE_PAST_180:
		return wrong("longitude %.*s: past 180", shown(lon), lon.p);
	case PLACE_NO_LOCATION:
		return wrong("%s%.*s%s is no location", quote, shown(p->bad), p->bad.p, quote);
	case PLACE_NO_OBJECT:
		return "an array of no locations";
	case PLACE_NO_POINT:
		return wrong("a GeoJSON %.*s, and only Point and MultiPoint are loaded", shown(p->bad), p->bad.p != NULL ? p->bad.p : "");
	case PLACE_NO_POSITION:
		return "GeoJSON whose coordinates are no positions";
	case PLACE_GOOD:
		break;
	}
	return NULL;
}

/* LIST: N points. */
static const char *
put_points(struct buf *b, struct str list, size_t n, enum agol_shape shape, long long wkid)
{
	const char *comma;

	if (n == 0)
		return NULL;
	if (shape == AGOL_POINT && n > 1)
		return wrong("%zu points, and the layer has single ones", n);
	comma = memchr(list.p, ',', list.n);
	if (shape == AGOL_POINT)
		buf_fmt(b, "{\"x\":%.*s,\"y\":%.*s", (int)(comma - list.p - 1), list.p + 1, (int)(list.p + list.n - comma - 2), comma + 1);
	else
		buf_fmt(b, "{\"points\":[%.*s]", (int)list.n, list.p);
	buf_fmt(b, ",\"spatialReference\":{\"wkid\":%lld}}", wkid);
	return NULL;
}

/* From LOCATION, or where it is NULL from LAT and LON. */
static const char *
put_geometry(struct buf *b, enum agol_shape shape, long long wkid, const struct field *location, struct str lat, struct str lon)
{
	struct buf list = { 0 };
	struct places p = { .degrees = wkid == WGS84, .take = place_add_point, .arg = &list };
	enum place_fault fault = location != NULL ? places_read(&p, location) : places_pair(&p, lat, lon);
	const char *bad = fault != PLACE_GOOD ? say_fault(&p, location, fault) : put_points(b, buf_all(&list), p.n, shape, wkid);

	places_free(&p);
	buf_free(&list);
	return bad;
}

const char *
agol_location(struct buf *b, enum agol_shape shape, long long wkid, const struct field *location)
{
	return put_geometry(b, shape, wkid, location, (struct str){ 0 }, (struct str){ 0 });
}

const char *
agol_lat_lon(struct buf *b, enum agol_shape shape, long long wkid, const struct field *lat, const struct field *lon)
{
	const struct str none = { 0 };

	return put_geometry(b, shape, wkid, NULL, lat != NULL ? field_text(lat, &scratch) : none,
	    lon != NULL ? field_text(lon, &text) : none);
}

void
agol_nowhere(struct buf *b, enum agol_shape shape, long long wkid)
{
	buf_text(b, shape == AGOL_POINT ? "{\"x\":null,\"y\":null" : "{\"points\":[]");
	buf_fmt(b, ",\"spatialReference\":{\"wkid\":%lld}}", wkid);
}
