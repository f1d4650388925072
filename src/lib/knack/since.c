/*
 * knack/since.c - "at or after this instant", for a server that compares days on its own wall
 * clock.
 */
#include "knack/since.h"

#include <stdio.h>
#include <stdlib.h>

#include "format/json.h"
#include "format/zone.h"

#define USEC 1000000LL
#define MINUTE (60 * USEC)
#define DAY (86400 * USEC)

struct knack_since {
	const struct knack_field *field;
	struct buf html, raw;           /* the two names it has in a record: field_37 and field_37_raw */
	struct moment wall;             /* the instant on the application's clock */
	int64_t day;                    /* of that, as date_days() counts */
	int64_t instant;                /* cut to the minute; date_usec() */
	bool by_day;                    /* the field has no time */
	enum { MONTH_FIRST, DAY_FIRST, MONTH_NAME } format;
};

/* ---- the option ---- */

/* POSIX seconds have nine digits or more, since 1973; eight are a day, 20200131. */
static bool
is_posix(const char *s)
{
	size_t n = strspn(s, "0123456789");

	return n >= 9 && n <= 12 && s[n + (s[n] == '.' ? 1 + strspn(s + n + 1, "0123456789") : 0)] == '\0';
}

static bool
parse_time(const char *text, struct moment *m, const char **why)
{
	if (!is_posix(text))
		return date_parse(str_of(text), DATE_ISO, m, why);
	if (!date_from_usec(m, (strtoll(text, NULL, 10) - UNIX_2000) * USEC)) {
		*why = "that is after the year 9999";
		return false;
	}
	m->has_zone = true;
	return true;
}

const char *
knack_since_split(const char *since)
{
	const char *eq = strrchr(since, '='), *why = "";
	struct moment m;

	if (eq == NULL || eq == since)
		die(EX_USAGE, "--since %s: want FIELD=TIMESTAMP", since);
	if (!parse_time(eq + 1, &m, &why))
		die(EX_USAGE, "--since %s: \"%s\" is no time: %s: want 2020-01-31T13:05:00Z, or POSIX seconds", since, eq + 1, why);
	return eq;
}

/* ---- the field ---- */

static bool
format_is(const struct knack_field *f, const char *member, const char *wanted)
{
	struct buf scratch = { 0 };
	struct str value = { 0 };
	bool is;

	if (f->format.p != NULL && *f->format.p == '{')
		value = json_text(json_get(f->format, member), &scratch);
	is = value.p != NULL && str_eq(value, str_of(wanted));
	buf_free(&scratch);
	return is;
}

static void
read_format(struct knack_since *s)
{
	const struct knack_field *f = s->field;

	if (!str_eq(f->type, STR("date_time")))
		die(EX_DATAERR, "--since: %s (%s) is no date but %s", f->key.p, f->name.p, f->type.p);
	if (format_is(f, "date_format", "Ignore Date"))
		die(EX_DATAERR, "--since: %s (%s) has times without a date", f->key.p, f->name.p);
	s->by_day = format_is(f, "time_format", "Ignore Time");
	if (f->format.p == NULL || format_is(f, "date_format", "mm/dd/yyyy"))
		s->format = MONTH_FIRST;
	else if (format_is(f, "date_format", "dd/mm/yyyy"))
		s->format = DAY_FIRST;
	else if (format_is(f, "date_format", "M D, yyyy"))
		s->format = MONTH_NAME;
	else
		die(EX_DATAERR, "--since: %s (%s) has dates of a format that is not known: %.*s", f->key.p, f->name.p,
		    (int)f->format.n, f->format.p);
}

static int64_t
floor_to(int64_t n, int64_t unit)
{
	return n - ((n % unit) + unit) % unit;
}

struct knack_since *
knack_since_open(const char *since, const struct knack_field *field, const char *zone)
{
	struct knack_since *s = xcalloc(1, sizeof *s);
	const char *why;
	struct moment m;
	bool good;

	s->field = field;
	buf_str(&s->html, field->key);
	buf_fmt(&s->raw, "%s_raw", field->key.p);
	read_format(s);
	zone_use(zone);
	good = parse_time(knack_since_split(since) + 1, &m, &why) && (m.has_zone || zone_from_wall(&m));
	if (good)
		s->instant = floor_to(date_usec(&m), MINUTE);
	if (!good || !zone_from_instant(&s->wall, s->instant))
		die(EX_USAGE, "--since %s: that is outside the years 1 to 9999", since);
	s->wall.has_zone = false;
	s->day = date_days(&s->wall);
	return s;
}

void
knack_since_close(struct knack_since *s)
{
	buf_free(&s->html);
	buf_free(&s->raw);
	free(s);
}

/* ---- what is sent ---- */

static void
add_rule(const struct knack_since *s, struct buf *b, const char *operator, int64_t day)
{
	static const char *const months[] = { "January", "February", "March", "April", "May", "June", "July", "August",
		"September", "October", "November", "December" };
	struct moment m;

	date_from_usec(&m, day * DAY);
	buf_fmt(b, "{\"field\":\"%s\",\"operator\":\"%s\",\"value\":\"", s->field->key.p, operator);
	if (s->format == MONTH_FIRST)
		buf_fmt(b, "%02d/%02d/%04d", m.month, m.day, m.year);
	else if (s->format == DAY_FIRST)
		buf_fmt(b, "%02d/%02d/%04d", m.day, m.month, m.year);
	else
		buf_fmt(b, "%s %d, %04d", months[m.month - 1], m.day, m.year);
	buf_text(b, "\"}");
}

void
knack_since_rules(const struct knack_since *s, struct buf *b)
{
	add_rule(s, b, "is", s->day);
	buf_char(b, ',');
	add_rule(s, b, "is after", s->day);
}

void
knack_since_rule(const struct knack_since *s, struct buf *b)
{
	add_rule(s, b, "is after", s->day - 1);
}

/* ---- what came ---- */

/* The whole ms of "unix_timestamp", as date_usec() counts; false where it is no number. */
static bool
timestamp_of(struct str raw, int64_t *usec)
{
	struct str ms = json_get(raw, "unix_timestamp");
	char digits[24], *end;
	long long n;

	if (ms.n == 0 || ms.n >= sizeof digits)
		return false;
	memcpy(digits, ms.p, ms.n);
	digits[ms.n] = '\0';
	n = strtoll(digits, &end, 10);
	if (*end != '\0' || n > 253402300799999 || n < -62135596800000)         /* the years 1 to 9999 */
		return false;
	*usec = (n / 1000 - UNIX_2000) * USEC;
	return true;
}

static enum knack_since_says
test_wall(const struct knack_since *s, struct str raw, int64_t usec, const char **why)
{
	bool is_range = json_get(raw, "to").p != NULL;
	int64_t day = floor_to(usec, DAY) / DAY;
	struct moment wall;

	/* the day before may come by the one rule, if Knack takes it to start at midnight */
	if (day < s->day - 1 && !is_range) {
		*why = "an older day";
		return SINCE_FOREIGN;
	}
	if (s->by_day || day > s->day + 1)
		return day >= s->day ? SINCE_KEEP : SINCE_OLDER;
	date_from_usec(&wall, usec);
	if (!zone_from_wall(&wall))
		return SINCE_KEEP;
	return date_usec(&wall) >= s->instant ? SINCE_KEEP : SINCE_OLDER;
}

enum knack_since_says
knack_since_test(const struct knack_since *s, struct str record, const char **why)
{
	struct json_walk w = json_walk(record);
	struct str raw = { 0 };
	bool there = false;
	int64_t usec;

	while (json_next(&w)) {
		if (str_eq(w.key, buf_all(&s->raw)))
			raw = w.value;
		there = there || str_eq(w.key, buf_all(&s->html)) || str_eq(w.key, buf_all(&s->raw));
	}
	if (raw.n == 0 || *raw.p != '{') {
		*why = there ? "no date" : "no such field: is it a column of the view?";
		return SINCE_FOREIGN;
	}
	if (!timestamp_of(raw, &usec)) {
		*why = "no timestamp";
		return SINCE_FOREIGN;
	}
	return test_wall(s, raw, usec, why);
}
