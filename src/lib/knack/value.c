/*
 * knack/value.c - one value of a Knack record, as people read it.
 *
 * What is text already is copied with its escapes as they stand.
 */
#include "knack/value.h"

#include <stdlib.h>

#include "format/json.h"
#include "format/zone.h"


struct knack_type {
	const char *name;
	const char *member;             /* the one of its object that says it; else */
	const char *(*put)(struct buf *, struct str value);     /* appends a value that is not null */
	bool takes_array;               /* an array is one value of this type */
	bool as_shown;                  /* Knack's own text is what people want, where there is one */
	const char *const *parts;
};

static const char nested_text[] = "an object or an array where text is due";
static const char want_object[] = "an array where an object is due";

/* ---- pieces ---- */

static bool
is_nested(struct str value)
{
	return *value.p == '{' || *value.p == '[';
}

static bool
is_null(struct str value)
{
	return value.p == NULL || *value.p == 'n';
}

static bool
is_empty_text(struct str value)
{
	return value.n == 2 && value.p[0] == '"';
}

/* Texts with ", " between them as one JSON string; appends nothing where there is none. */
struct join { struct buf *b; size_t start; const char *between; };

static struct join
join_start(struct buf *b, const char *between)
{
	return (struct join){ b, b->len, between };
}

static void
join_gap(struct join *j)
{
	if (j->b->len == j->start)
		buf_char(j->b, '"');
	else
		buf_text(j->b, j->between);
}

/* A string, or another scalar as it stands. */
static void
join_add(struct join *j, struct str value)
{
	bool quoted = json_is_string(value);

	join_gap(j);
	buf_add(j->b, value.p + quoted, value.n - 2 * quoted);
}

static void
join_end(struct join *j)
{
	if (j->b->len > j->start)
		buf_char(j->b, '"');
}

/* Joins those of the values that say something. */
static const char *
put_joined(struct buf *b, const struct str *values, size_t n, const char *between)
{
	struct join j = join_start(b, between);

	for (size_t i = 0; i < n; i++) {
		if (is_null(values[i]) || is_empty_text(values[i]))
			continue;
		if (is_nested(values[i]))
			return nested_text;
		join_add(&j, values[i]);
	}
	join_end(&j);
	return NULL;
}

static const char *
put_scalar(struct buf *b, struct str value)
{
	if (is_null(value))
		return NULL;
	if (is_nested(value))
		return nested_text;
	buf_str(b, value);
	return NULL;
}

/* Text where an object is due is what Knack sends when it is asked for its texts alone. */
static const char *
put_no_object(struct buf *b, struct str value)
{
	return *value.p == '[' ? want_object : put_scalar(b, value);
}

static const char *
put_member(struct buf *b, struct str value, struct str name)
{
	struct str member;

	if (*value.p != '{')
		return put_no_object(b, value);
	json_find(value, &name, &member, 1);
	return put_scalar(b, member);
}

/* ---- types ---- */

/* Arrays joined, all else unchanged; an array that holds more than texts has no text of its own. */
static const char *
put_plain(struct buf *b, struct str value)
{
	struct join j = join_start(b, ", ");

	if (*value.p != '[') {
		buf_str(b, value);
		return NULL;
	}
	for (struct json_walk w = json_walk(value); json_next(&w);) {
		if (is_nested(w.value)) {
			b->len = j.start;
			buf_str(b, value);
			return NULL;
		}
		if (!is_null(w.value))
			join_add(&j, w.value);
	}
	join_end(&j);
	return NULL;
}

static const char *
put_address(struct buf *b, struct str value)
{
	static const struct str names[] = { { "street", 6 }, { "street2", 7 }, { "city", 4 }, { "state", 5 }, { "zip", 3 },
		{ "country", 7 } };
	struct str part[6];

	if (*value.p != '{')
		return put_no_object(b, value);
	json_find(value, names, part, 6);
	return put_joined(b, part, 6, ", ");
}

/* Knack's text is blank and the parts are there: in the order of people's names. */
static const char *
put_name(struct buf *b, struct str value)
{
	static const struct str names[] = { { "title", 5 }, { "first", 5 }, { "middle", 6 }, { "last", 4 } };
	struct str part[4];

	if (*value.p != '{')
		return put_no_object(b, value);
	json_find(value, names, part, 4);
	return put_joined(b, part, 4, " ");
}

static const char *
put_connection(struct buf *b, struct str value)
{
	static const struct str name = { "identifier", 10 };
	struct join j = join_start(b, ", ");

	if (*value.p != '[')
		return "no array of connected records";
	for (struct json_walk w = json_walk(value); json_next(&w);) {
		struct str identifier;

		if (*w.value.p != '{')
			return "a connected record that is no object";
		json_find(w.value, &name, &identifier, 1);
		if (identifier.p == NULL)
			return "a connected record without an identifier";
		if (is_nested(identifier))
			return nested_text;
		if (!is_null(identifier))
			join_add(&j, identifier);
	}
	join_end(&j);
	return NULL;
}

/* Milliseconds as microseconds since 2000; false outside of any calendar. */
static bool
take_timestamp(struct str number, int64_t *usec)
{
	const char *p = number.p, *end = p + number.n;
	bool minus = *p == '-';
	int64_t ms = 0;
	double value;

	for (p += minus; p < end && *p >= '0' && *p <= '9' && ms < 1000000000000000; p++)
		ms = ms * 10 + (*p - '0');
	if (p == end && ms < 1000000000000000) {
		*usec = ((minus ? -ms : ms) - UNIX_2000 * 1000) * 1000;
		return true;
	}
	value = strtod(number.p, NULL);         /* ends at what follows the number */
	if (!(value > -1e15 && value < 1e15))
		return false;
	*usec = (int64_t)(value * 1000) - UNIX_2000 * 1000 * 1000;
	return true;
}

/* Knack's timestamp is the wall clock, counted as if it were UTC. */
static const char *
put_date(struct buf *b, struct str value)
{
	static const struct str name = { "unix_timestamp", 14 };
	static const char no_year[] = "unix_timestamp is not in the years 1 to 9999";
	struct str number;
	struct moment m;
	int64_t usec;

	if (*value.p != '{')
		return *value.p == '[' ? want_object : "no date object";
	json_find(value, &name, &number, 1);
	if (number.p == NULL)
		return "a date without unix_timestamp";
	if (*number.p != '-' && (*number.p < '0' || *number.p > '9'))
		return "unix_timestamp is no number";
	if (!take_timestamp(number, &usec) || !date_from_usec(&m, usec) || !zone_from_wall(&m))
		return no_year;
	buf_char(b, '"');
	date_put_iso(b, &m);
	if (m.offset == 0) {
		b->len--;               /* local time that happens to be that of UTC, and not Z */
		buf_text(b, "+00:00");
	}
	buf_char(b, '"');
	return NULL;
}

static void
strip_markup(struct buf *text)
{
	static const struct { struct str from, to; } marks[] = {
		{ { "<span>", 6 }, { "", 0 } }, { { "</span>", 7 }, { "", 0 } }, { { "&nbsp;", 6 }, { "; ", 2 } },
	};
	const char *p = text->p, *end = text->p + text->len;
	char *to = text->p;

	while (p < end) {
		size_t i = 0;

		while (i < 3 && ((size_t)(end - p) < marks[i].from.n || memcmp(p, marks[i].from.p, marks[i].from.n) != 0))
			i++;
		if (i == 3) {
			*to++ = *p++;
			continue;
		}
		memcpy(to, marks[i].to.p, marks[i].to.n);
		to += marks[i].to.n;
		p += marks[i].from.n;
	}
	text->len = (size_t)(to - text->p);
}

/* Knack's text; without one, all that is known is the object of times. */
static const char *
put_timer(struct buf *b, struct str value)
{
	static struct buf text;         /* kept: a loop over records allocates nothing */

	if (!json_is_string(value)) {
		buf_str(b, value);
		return NULL;
	}
	buf_reset(&text);
	json_unescape(&text, (struct str){ value.p + 1, value.n - 2 });
	strip_markup(&text);
	buf_json(b, buf_all(&text));
	return NULL;
}

/* Shown as a number or a text; what is left is a date that Knack shows nothing for. */
static const char *
put_equation(struct buf *b, struct str value)
{
	return *value.p == '{' ? put_date(b, value) : put_plain(b, value);
}

/* An upload has its address among other members; an image by its address is that address. */
static const char *
put_upload(struct buf *b, struct str value)
{
	static const struct str name = { "url", 3 };
	struct str url;

	if (*value.p != '{')
		return put_no_object(b, value);
	json_find(value, &name, &url, 1);
	return url.p == NULL ? "a file without a url" : put_scalar(b, url);
}

static const char *const address_parts[] = { "city", "state", "street", "street2", "zip", "country", "latitude", "longitude",
	NULL };
static const char *const name_parts[] = { "first", "middle", "last", NULL };

/* Types that are not here have plain values: texts, numbers, choices, formulas, and what Knack may add. */
static const struct knack_type types[] = {
	{ .name = "address", .put = put_address, .parts = address_parts },
	{ .name = "connection", .put = put_connection, .takes_array = true },
	{ .name = "date_time", .put = put_date },
	{ .name = "email", .member = "email" },
	{ .name = "equation", .put = put_equation, .takes_array = true, .as_shown = true },
	{ .name = "file", .put = put_upload },
	{ .name = "image", .put = put_upload },
	{ .name = "link", .member = "url" },
	{ .name = "name", .put = put_name, .as_shown = true, .parts = name_parts },
	{ .name = "phone", .member = "full" },
	{ .name = "signature", .member = "base30" },
	{ .name = "timer", .put = put_timer, .takes_array = true, .as_shown = true },
};
static const struct knack_type plain = { .name = "short_text", .put = put_plain, .takes_array = true };

const struct knack_type *
knack_type(struct str name)
{
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (str_eq(name, str_of(types[i].name)))
			return &types[i];
	return &plain;
}

/* ---- values ---- */

static struct str
blank_is_null(struct str value)
{
	if (is_null(value) || is_empty_text(value))
		return (struct str){ 0 };
	if (*value.p == '[' && *json_space(value.p + 1, value.p + value.n) == ']')
		return (struct str){ 0 };
	return value;
}

struct str
knack_value_raw(const struct knack_value *value)
{
	return blank_is_null(value->has_raw ? value->raw : value->shown);
}

/* What Python takes for true, as knackpy asks: not 0, false, {} or what is blank. */
static bool
is_shown(struct str value)
{
	const char *p = value.p, *end;

	if (p == NULL || *p == 'f')
		return false;
	end = p + value.n;
	if (*p == '{')
		return *json_space(p + 1, end) != '}';
	if (*p != '-' && *p != '0')
		return true;
	while (p < end && (*p == '-' || *p == '0' || *p == '.'))
		p++;
	return p < end && *p != 'e' && *p != 'E';
}

static const char *
put_value(struct buf *b, const struct knack_type *type, struct str value)
{
	return type->put != NULL ? type->put(b, value) : put_member(b, value, str_of(type->member));
}

/* Each value of the array in turn, joined as texts. */
static const char *
put_many(struct buf *b, const struct knack_type *type, struct str array)
{
	struct join j = join_start(b, ", ");
	const char *why = NULL;

	for (struct json_walk w = json_walk(array); why == NULL && json_next(&w);) {
		struct str value = blank_is_null(w.value);
		size_t before = b->len, at;

		join_gap(&j);
		at = b->len;
		if (value.p != NULL)
			why = put_value(b, type, value);
		if (b->len == at) {
			b->len = before;
		} else if (b->p[at] == '"') {
			b->len -= 2;
			memmove(b->p + at, b->p + at + 1, b->len - at);
		}
	}
	join_end(&j);
	return why;
}

const char *
knack_value_text(struct buf *b, const struct knack_type *type, const struct knack_value *value, bool many)
{
	struct str shown = blank_is_null(value->shown), v = knack_value_raw(value);
	size_t start = b->len;
	const char *why;

	if (type->as_shown && is_shown(shown))
		v = shown;
	if (v.p == NULL)
		return NULL;
	why = many && *v.p == '[' && !type->takes_array ? put_many(b, type, v) : put_value(b, type, v);
	if (why != NULL)
		b->len = start;
	return why;
}

/* ---- parts ---- */

const char *const *
knack_type_parts(const struct knack_type *type)
{
	return type->parts;
}

const char *
knack_value_part(struct buf *b, const struct knack_value *value, const char *part)
{
	struct str v = knack_value_raw(value);

	if (v.p == NULL)
		return NULL;
	if (*v.p != '{')
		return "no object with parts";
	return put_member(b, v, str_of(part));
}
