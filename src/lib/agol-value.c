/* agol-value.c - values of records as an ArcGIS layer takes them. */
#include "lib/agol-value.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/date.h"
#include "lib/json.h"
#include "lib/zone.h"

#define UNIX_EPOCH_MS 946684800000LL    /* from there to date_usec()'s epoch */
#define WGS84 4326                      /* the wkid of degrees */

static struct buf scratch, text, blank; /* of one value */
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

static struct str
trimmed(struct str s)
{
	while (s.n > 0 && strchr(" \t\r\n", s.p[0]) != NULL && s.p[0] != '\0')
		s.p++, s.n--;
	while (s.n > 0 && strchr(" \t\r\n", s.p[s.n - 1]) != NULL && s.p[s.n - 1] != '\0')
		s.n--;
	return s;
}

/* ---- numbers ---- */

/* Reads all of the text as a decimal number: no hexadecimal, no infinity, no NaN. */
static bool
to_double(struct str s, double *x)
{
	char digits[400], *end;

	if (s.n == 0 || s.n >= sizeof digits)
		return false;
	memcpy(digits, s.p, s.n);
	digits[s.n] = '\0';
	if (strspn(digits, "0123456789+-.eE") != s.n)
		return false;
	*x = strtod(digits, &end);
	return *end == '\0' && isfinite(*x);
}

/* JSON has its own idea of a number: no plus, no bare point, no zeros in front. */
static bool
is_json_number(struct str s)
{
	size_t i = s.p[0] == '-';

	if (i == s.n || s.p[i] < '0' || s.p[i] > '9' || (s.p[i] == '0' && i + 1 < s.n && s.p[i + 1] >= '0' && s.p[i + 1] <= '9'))
		return false;
	for (; i < s.n; i++)
		if (s.p[i] == '.' && (i + 1 == s.n || s.p[i + 1] < '0' || s.p[i + 1] > '9'))
			return false;
	return true;
}

/* As it stands where JSON has it so, else the shortest that reads the same. */
static void
put_number(struct buf *b, struct str s, double x)
{
	char digits[40];

	if (is_json_number(s)) {
		buf_str(b, s);
		return;
	}
	snprintf(digits, sizeof digits, "%.15g", x);
	if (strtod(digits, NULL) != x)
		snprintf(digits, sizeof digits, "%.17g", x);
	buf_text(b, digits);
}

static const char *
put_integer(struct buf *b, struct str s, enum agol_type type)
{
	double most = type == AGOL_SMALL ? 32768 : type == AGOL_INTEGER ? 2147483648.0 : 9007199254740992.0, x;

	if (!to_double(s, &x))
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

	buf_fmt(b, "%lld", (long long)(usec - ((usec % 1000) + 1000) % 1000) / 1000 + UNIX_EPOCH_MS);
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
	s = trimmed(value->json ? json_text(s, &scratch) : s);
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
		if (!to_double(s, &x))
			return wrong("\"%.*s\" is no number", shown(s), s.p);
		put_number(b, s, x);
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

struct points {
	struct buf list;                /* [x,y],[x,y] */
	size_t n;
};

static bool
is_blank(struct str json)
{
	return json.p == NULL || *json.p == 'n' || (*json.p == '"' && trimmed(json_text(json, &blank)).n == 0);
}

/* Numbers, or text of numbers. */
static const char *
add_point(struct points *p, long long wkid, struct str lat, struct str lon)
{
	double y, x;

	lat = trimmed(lat);
	lon = trimmed(lon);
	if (lat.n == 0 && lon.n == 0)
		return NULL;
	if (lat.n == 0 || lon.n == 0)
		return wrong("a %s without a %s", lat.n > 0 ? "latitude" : "longitude", lat.n > 0 ? "longitude" : "latitude");
	if (!to_double(lat, &y) || !to_double(lon, &x))
		return wrong("\"%.*s, %.*s\" is no latitude and longitude", shown(lat), lat.p, shown(lon), lon.p);
	if (wkid == WGS84 && fabs(y) > 90)
		return wrong("latitude %.*s: past the pole%s", shown(lat), lat.p, fabs(y) <= 180 && fabs(x) <= 90 ? ": are they swapped?" : "");
	if (wkid == WGS84 && fabs(x) > 180)
		return wrong("longitude %.*s: past 180", shown(lon), lon.p);
	buf_text(&p->list, p->n++ > 0 ? ",[" : "[");
	put_number(&p->list, lon, x);
	buf_char(&p->list, ',');
	put_number(&p->list, lat, y);
	buf_char(&p->list, ']');
	return NULL;
}

static struct str
text_of(struct str json, struct buf *b)
{
	return is_blank(json) ? STR("") : json_text(json, b);
}

/* [longitude, latitude, perhaps height] */
static const char *
add_position(struct points *p, long long wkid, struct str position)
{
	struct json_walk w;
	struct str lat, lon;

	if (*position.p != '[')
		return "GeoJSON whose coordinates are no positions";
	w = json_walk(position);
	if (!json_next(&w))
		return NULL;            /* RFC 7946 3.1: an empty one is no place */
	lon = w.value;
	if (!json_next(&w))
		return "GeoJSON whose coordinates are no positions";
	lat = w.value;
	return add_point(p, wkid, text_of(lat, &scratch), text_of(lon, &text));
}

static const char *
add_geojson(struct points *p, long long wkid, struct str object)
{
	struct str type = json_text(json_get(object, "type"), &scratch), coordinates = json_get(object, "coordinates");
	bool one = str_eq(type, STR("Point"));

	if (!one && !str_eq(type, STR("MultiPoint")))
		return wrong("a GeoJSON %.*s, and only Point and MultiPoint are loaded", shown(type), type.p != NULL ? type.p : "");
	if (coordinates.p == NULL || *coordinates.p == 'n')
		return NULL;
	if (one)
		return add_position(p, wkid, coordinates);
	if (*coordinates.p != '[')
		return "GeoJSON whose coordinates are no positions";
	for (struct json_walk w = json_walk(coordinates); json_next(&w); ) {
		const char *bad = add_position(p, wkid, w.value);

		if (bad != NULL)
			return bad;
	}
	return NULL;
}

/* An object; its members are found good. */
static const char *
add_object(struct points *p, long long wkid, struct str object)
{
	if (json_get(object, "coordinates").p != NULL)
		return add_geojson(p, wkid, object);
	return add_point(p, wkid, text_of(json_get(object, "latitude"), &scratch), text_of(json_get(object, "longitude"), &text));
}

static const char *
add_json(struct points *p, long long wkid, struct str json)
{
	if (is_blank(json))
		return NULL;
	if (*json.p == '{')
		return add_object(p, wkid, json);
	if (*json.p != '[')
		return wrong("%.*s is no location", shown(json), json.p);
	for (struct json_walk w = json_walk(json); json_next(&w); ) {
		const char *bad = is_blank(w.value) ? NULL : *w.value.p == '{' ? add_object(p, wkid, w.value) : "an array of no locations";

		if (bad != NULL)
			return bad;
	}
	return NULL;
}

static const char *
put_points(struct buf *b, const struct points *p, enum agol_shape shape, long long wkid)
{
	const char *comma;

	if (p->n == 0)
		return NULL;
	if (shape == AGOL_POINT && p->n > 1)
		return wrong("%zu points, and the layer has single ones", p->n);
	comma = memchr(p->list.p, ',', p->list.len);
	if (shape == AGOL_POINT)
		buf_fmt(b, "{\"x\":%.*s,\"y\":%.*s", (int)(comma - p->list.p - 1), p->list.p + 1,
		    (int)(p->list.p + p->list.len - comma - 2), comma + 1);
	else
		buf_fmt(b, "{\"points\":[%s]", p->list.p);
	buf_fmt(b, ",\"spatialReference\":{\"wkid\":%lld}}", wkid);
	return NULL;
}

const char *
agol_location(struct buf *b, enum agol_shape shape, long long wkid, const struct field *location)
{
	static struct buf copy;
	struct points p = { 0 };
	struct str json = location->val;
	struct json_error e = { 0 };
	const char *bad = NULL;

	if (json.p != NULL && !location->json)
		json = trimmed(json);
	else if (json_is_string(json))          /* a text may hold an object, too */
		json = trimmed(json_text(json, &scratch));
	if (json.p == NULL || json.n == 0)
		return NULL;
	if (!location->json || json.p != location->val.p) {
		buf_reset(&copy);               /* with the padding that scanners want */
		buf_str(&copy, json);
		json = buf_all(&copy);
		if (json_skip(json.p, json.p + json.n, &e) != json.p + json.n)
			return wrong("\"%.*s\" is no location", shown(json), json.p);
	}
	bad = add_json(&p, wkid, json);
	if (bad == NULL)
		bad = put_points(b, &p, shape, wkid);
	buf_free(&p.list);
	return bad;
}

const char *
agol_lat_lon(struct buf *b, enum agol_shape shape, long long wkid, const struct field *lat, const struct field *lon)
{
	struct points p = { 0 };
	struct str y = lat != NULL ? field_text(lat, &scratch) : STR(""), x = lon != NULL ? field_text(lon, &text) : STR("");
	const char *bad = add_point(&p, wkid, y.p != NULL ? y : STR(""), x.p != NULL ? x : STR(""));

	if (bad == NULL)
		bad = put_points(b, &p, shape, wkid);
	buf_free(&p.list);
	return bad;
}

void
agol_nowhere(struct buf *b, enum agol_shape shape, long long wkid)
{
	buf_text(b, shape == AGOL_POINT ? "{\"x\":null,\"y\":null" : "{\"points\":[]");
	buf_fmt(b, ",\"spatialReference\":{\"wkid\":%lld}}", wkid);
}
