/*
 * format/date.c - dates and times as people and machines write them.
 *
 * One cursor, moved forward by small take_...() functions that return false with why set.  The ISO shape is tried
 * first and by itself, since loads of it run through here four times a row.
 */
#include "format/date.h"

#define DAY_USEC 86400000000LL
#define MAX_OFFSET (16 * 3600)          /* as PostgreSQL: less than 16 hours either way */

struct cursor { const char *p, *end, *why; };

static const char no_date[] = "is no date";
static const char no_time[] = "is no date: the time makes no sense";
static const char *const months[] = { "january", "february", "march", "april", "may", "june", "july", "august",
	"september", "october", "november", "december" };
static const char *const weekdays[] = { "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday" };

static bool
fail(struct cursor *c, const char *why)
{
	if (c->why == NULL)
		c->why = why;
	return false;
}

static inline bool
is_digit(char c)
{
	return (unsigned)(c - '0') <= 9;
}

static inline bool
is_alpha(char c)
{
	return (unsigned)((c | 0x20) - 'a') < 26;
}

static inline char
peek(const struct cursor *c)
{
	return c->p < c->end ? *c->p : '\0';
}

static inline int
two_digits(const char *p)
{
	return (p[0] - '0') * 10 + (p[1] - '0');
}

static void
skip_spaces(struct cursor *c)
{
	while (c->p < c->end && (*c->p == ' ' || *c->p == '\t'))
		c->p++;
}

static bool
take_char(struct cursor *c, char want)
{
	if (c->p == c->end || *c->p != want)
		return false;
	c->p++;
	return true;
}

/* Takes a number of at least 1 and at most MAX digits (9 fit an int); returns how many, 0 for none. */
static int
take_number(struct cursor *c, int max, int *value)
{
	int n = 0;

	*value = 0;
	while (n < max && c->p < c->end && is_digit(*c->p)) {
		*value = *value * 10 + (*c->p++ - '0');
		n++;
	}
	return n;
}

/* Takes one of the names, whole or its first three letters or more, in any case, with a full stop perhaps. */
static bool
take_name(struct cursor *c, const char *const *names, int n, int *which)
{
	size_t len = 0, room = c->end - c->p;

	while (len < room && is_alpha(c->p[len]))
		len++;
	if (len < 3)
		return false;
	for (int i = 0; i < n; i++) {
		size_t k = 0;

		while (k < len && names[i][k] != '\0' && (c->p[k] | 0x20) == names[i][k])
			k++;
		if (k == len) {
			*which = i;
			c->p += len;
			take_char(c, '.');
			return true;
		}
	}
	return false;
}

static bool
is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int
month_days(int year, int month)
{
	static const char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days since 2000-01-01; the year is counted from March, so that the leap day is its last. */
static int32_t
days_of(int year, int month, int day)
{
	int y = year - (month <= 2), m = (month + 9) % 12;

	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 730425;
}

static bool
is_date(int year, int month, int day)
{
	return year >= 1 && year <= 9999 && month >= 1 && month <= 12 && day >= 1 && day <= month_days(year, month);
}

static bool
set_date(struct cursor *c, struct moment *m, int year, int month, int day)
{
	if (year < 1 || year > 9999)
		return fail(c, "is no date: the year is not in 1 to 9999");
	if (month < 1 || month > 12)
		return fail(c, "is no date: there is no such month");
	if (day < 1 || day > month_days(year, month))
		return fail(c, "is no date: that month has no such day");
	m->year = year;
	m->month = month;
	m->day = day;
	return true;
}

static int
full_year(int two_digits)
{
	return two_digits + (two_digits >= 69 ? 1900 : 2000);
}

/* ".5" or ",5" */
static bool
take_fraction(struct cursor *c, int *usec)
{
	int n = 0;

	*usec = 0;
	for (; c->p < c->end && is_digit(*c->p); c->p++, n++) {
		if (n < 6)
			*usec = *usec * 10 + (*c->p - '0');
		else if (n == 6 && *c->p >= '5')
			(*usec)++;
	}
	for (int k = n; k < 6; k++)
		*usec *= 10;
	return n > 0;
}

/* Z, UTC, GMT, +01, +0100, +01:00, +01:00:00 */
static bool
take_zone(struct cursor *c, struct moment *m)
{
	int sign = peek(c) == '-' ? -1 : 1, h, min = 0, s = 0;

	m->has_zone = true;
	if (is_alpha(peek(c))) {
		size_t n = 0, room = c->end - c->p;

		while (n < room && is_alpha(c->p[n]))
			n++;
		if (!(n == 1 && (*c->p | 0x20) == 'z') &&
		    !(n == 3 && (memcmp(c->p, "UTC", 3) == 0 || memcmp(c->p, "GMT", 3) == 0)))
			return fail(c, "has a time zone by name: want Z or an offset such as -08:00");
		c->p += n;
		return true;
	}
	if (!take_char(c, '+') && !take_char(c, '-'))
		return fail(c, no_time);
	if (take_number(c, 2, &h) == 0)
		return fail(c, no_time);
	if (take_char(c, ':') || is_digit(peek(c))) {
		if (take_number(c, 2, &min) != 2 || (take_char(c, ':') && take_number(c, 2, &s) != 2))
			return fail(c, no_time);
	}
	m->offset = sign * (h * 3600 + min * 60 + s);
	if (min > 59 || s > 59 || h * 3600 + min * 60 + s >= MAX_OFFSET)
		return fail(c, "is no date: there is no such time zone offset");
	return true;
}

/* AM, PM, a.m., p.m.: 1 for PM, 0 for AM, -1 for neither */
static int
take_half(struct cursor *c)
{
	struct cursor try = *c;
	char half = peek(&try) | 0x20;

	if (half != 'a' && half != 'p')
		return -1;
	try.p++;
	take_char(&try, '.');
	if ((peek(&try) | 0x20) != 'm')
		return -1;
	try.p++;
	take_char(&try, '.');
	if (is_alpha(peek(&try)))
		return -1;
	c->p = try.p;
	return half == 'p';
}

static bool
apply_half(struct cursor *c, struct moment *m, int half)
{
	if (m->hour < 1 || m->hour > 12)
		return fail(c, "is no date: the hour is not in 1 to 12, as AM or PM wants");
	m->hour = m->hour % 12 + 12 * half;
	return true;
}

/* The ranges of a time; what overflows a second (a leap second, a fraction rounded up) moves on into the next. */
static bool
settle_time(struct cursor *c, struct moment *m)
{
	if (m->hour > 23)
		return fail(c, "is no date: the hour is past 23");
	if (m->minute > 59)
		return fail(c, "is no date: the minute is past 59");
	if (m->second > 59 && (m->second != 60 || m->minute != 59))
		return fail(c, "is no date: the second is past 59");
	if (m->second == 60 || m->usec == 1000000) {
		struct moment utc = *m;

		utc.has_zone = false;
		if (!date_from_usec(&utc, date_usec(&utc)))
			return fail(c, "is no date: the year is not in 1 to 9999");
		utc.offset = m->offset;
		utc.has_zone = m->has_zone;
		*m = utc;
	}
	return true;
}

/* 0:05, 00:05:00, 00:05:00.000, 11:59:59 PM, 000500, each with a zone perhaps */
static bool
take_time(struct cursor *c, struct moment *m)
{
	int half, digits = take_number(c, 2, &m->hour);

	m->has_time = true;
	if (digits == 0)
		return fail(c, no_time);
	if (take_char(c, ':')) {
		if (take_number(c, 2, &m->minute) != 2)
			return fail(c, no_time);
		if (take_char(c, ':') && take_number(c, 2, &m->second) != 2)
			return fail(c, no_time);
	} else if (digits == 2 && is_digit(peek(c))) {
		if (take_number(c, 2, &m->minute) != 2 || take_number(c, 2, &m->second) == 1)
			return fail(c, no_time);
	} else {
		return fail(c, no_time);
	}
	if ((take_char(c, '.') || take_char(c, ',')) && !take_fraction(c, &m->usec))
		return fail(c, no_time);
	if (c->p == c->end)
		return settle_time(c, m);
	skip_spaces(c);
	if ((half = take_half(c)) >= 0 && !apply_half(c, m, half))
		return false;
	skip_spaces(c);
	if (c->p < c->end && !take_zone(c, m))
		return false;
	return settle_time(c, m);
}


/* 2020-01-31T23:59:59 or 2020-01-31T23:59:59.000 and no more, which is what Socrata sends, without the cursor
 * of the general way.  False for any other shape or a number out of range. */
static bool
take_socrata(const struct cursor *c, struct moment *m)
{
	const char *p = c->p;
	size_t n = c->end - p;
	unsigned bad = 0;

	if ((n != 19 && n != 23) || p[4] != '-' || p[7] != '-' || (p[10] != 'T' && p[10] != ' ') || p[13] != ':' || p[16] != ':')
		return false;
	if (n == 23 && memcmp(p + 19, ".000", 4) != 0)
		return false;
	bad |= ((unsigned)p[0] - '0' > 9) | ((unsigned)p[1] - '0' > 9) | ((unsigned)p[2] - '0' > 9) | ((unsigned)p[3] - '0' > 9);
	bad |= ((unsigned)p[5] - '0' > 1) | ((unsigned)p[6] - '0' > 9) | ((unsigned)p[8] - '0' > 3) | ((unsigned)p[9] - '0' > 9);
	bad |= ((unsigned)p[11] - '0' > 2) | ((unsigned)p[12] - '0' > 9) | ((unsigned)p[14] - '0' > 5);
	bad |= ((unsigned)p[15] - '0' > 9) | ((unsigned)p[17] - '0' > 5) | ((unsigned)p[18] - '0' > 9);
	if (bad)
		return false;
	m->year = two_digits(p) * 100 + two_digits(p + 2);
	m->month = two_digits(p + 5);
	m->day = two_digits(p + 8);
	m->hour = two_digits(p + 11);
	m->minute = two_digits(p + 14);
	m->second = two_digits(p + 17);
	m->has_time = true;
	return is_date(m->year, m->month, m->day) && m->hour <= 23;
}

/* 2020-01-31: all are digits, the ranges are for set_date() */
static bool
take_iso_date(struct cursor *c, int *year, int *month, int *day)
{
	const char *p = c->p;

	if (c->end - p < 10 || p[4] != '-' || p[7] != '-' || !is_digit(p[0]) || !is_digit(p[1]) || !is_digit(p[2]) ||
	    !is_digit(p[3]) || !is_digit(p[5]) || !is_digit(p[6]) || !is_digit(p[8]) || !is_digit(p[9]))
		return false;
	if (c->end - p > 10 && is_digit(p[10]))
		return false;
	*year = two_digits(p) * 100 + two_digits(p + 2);
	*month = two_digits(p + 5);
	*day = two_digits(p + 8);
	c->p += 10;
	return true;
}

/* 20200131: eight digits and no more */
static bool
take_compact_date(struct cursor *c, int *year, int *month, int *day)
{
	for (int i = 0; i < 8; i++)
		if (c->end - c->p <= i || !is_digit(c->p[i]))
			return false;
	if (c->end - c->p > 8 && is_digit(c->p[8]))
		return false;
	*year = two_digits(c->p) * 100 + two_digits(c->p + 2);
	*month = two_digits(c->p + 4);
	*day = two_digits(c->p + 6);
	c->p += 8;
	return true;
}

/* One number of a date, and of how many digits it was. */
struct part { int value, digits; };

static bool
is_year(struct part p)
{
	return p.digits == 2 || p.digits == 4;
}

static int
year_of(struct part p)
{
	return p.digits == 2 ? full_year(p.value) : p.value;
}

/* Three numbers and what stood between them: which is which? */
static bool
order_parts(struct cursor *c, struct moment *m, const struct part p[3], char between, enum date_order order)
{
	struct part year = p[2], month = p[0], day = p[1];

	if (p[0].digits == 4) {
		order = DATE_YMD;
	} else if (order == DATE_AUTO) {
		if (between == '.')
			return fail(c, "is ambiguous: is the day or the month first? see --date-order");
		if (p[0].digits == 2 && p[1].digits == 2 && p[2].digits == 2 && p[0].value <= 12 && p[1].value <= 12 &&
		    p[2].value <= 12)
			return fail(c, "is ambiguous: each number may be the month: see --date-order");
	} else if (order == DATE_YMD && p[2].digits == 4) {
		return fail(c, "is no date: the year is not first: see --date-order");
	}
	if (order == DATE_YMD) {
		year = p[0];
		month = p[1];
		day = p[2];
	} else if (order == DATE_DMY) {
		month = p[1];
		day = p[0];
	}
	if (!is_year(year) || month.digits > 2 || day.digits > 2)
		return fail(c, no_date);
	if (!is_date(year_of(year), month.value, day.value) && is_date(year_of(year), day.value, month.value))
		return fail(c, order == DATE_DMY ? "is no date: there is no such month; month first? see --date-order mdy" :
		    order == DATE_YMD ? "is no date: there is no such month" :
		    "is no date: there is no such month; day first? see --date-order dmy");
	return set_date(c, m, year_of(year), month.value, day.value);
}

/* What may stand between the parts of a date with a month by name. */
static void
skip_between(struct cursor *c)
{
	if (!take_char(c, '-') && !take_char(c, '/'))
		take_char(c, ',');
	skip_spaces(c);
}

/* January 31, 2020 */
static bool
take_month_first(struct cursor *c, struct moment *m, int month)
{
	struct part day, year;
	const char *between;

	skip_spaces(c);
	skip_between(c);
	day.digits = take_number(c, 2, &day.value);
	between = c->p;
	skip_spaces(c);
	skip_between(c);
	if (day.digits == 0 || c->p == between)         /* "Jan 2020" is no 20 January 2020 */
		return fail(c, no_date);
	year.digits = take_number(c, 4, &year.value);
	if (!is_year(year))
		return fail(c, no_date);
	return set_date(c, m, year_of(year), month, day.value);
}

/* The rest of 1/31/2020 or of 31 Jan 2020, after its first number */
static bool
take_rest(struct cursor *c, struct moment *m, struct part first, enum date_order order)
{
	struct part p[3] = { first };
	char between = peek(c);
	int month;

	if (between == '\0' || (strchr("/-. ", between) == NULL && !is_alpha(between)))
		return fail(c, no_date);
	c->p += !is_alpha(between);
	skip_spaces(c);
	if (take_name(c, months, 12, &month)) {
		skip_spaces(c);
		skip_between(c);
		p[2].digits = take_number(c, 4, &p[2].value);
		if (first.digits == 4)
			return p[2].digits == 0 || p[2].digits > 2 ? fail(c, no_date) :
			    set_date(c, m, first.value, month + 1, p[2].value);
		return !is_year(p[2]) || first.digits > 2 ? fail(c, no_date) :
		    set_date(c, m, year_of(p[2]), month + 1, first.value);
	}
	if (between == ' ' || is_alpha(between))
		return fail(c, no_date);
	p[1].digits = take_number(c, 4, &p[1].value);
	if (p[1].digits == 0 || !take_char(c, between))
		return fail(c, no_date);
	p[2].digits = take_number(c, 4, &p[2].value);
	if (p[2].digits == 0)
		return fail(c, no_date);
	return order_parts(c, m, p, between, order);
}

static bool
take_any_date(struct cursor *c, struct moment *m, enum date_order order, int *weekday)
{
	struct part first;
	int month;

	if (take_name(c, weekdays, 7, weekday)) {
		take_char(c, ',');
		skip_spaces(c);
	}
	if (take_name(c, months, 12, &month))
		return take_month_first(c, m, month + 1);
	first.digits = take_number(c, 4, &first.value);
	if (first.digits == 0)
		return fail(c, no_date);
	return take_rest(c, m, first, order);
}

static bool
check_weekday(struct cursor *c, const struct moment *m, int weekday)
{
	/* 2000-01-01 was a Saturday. */
	if (weekday >= 0 && ((date_days(m) + 5) % 7 + 7) % 7 != weekday)
		return fail(c, "is no date: that day is another day of the week");
	return true;
}

/* The time behind a date, if there is one, up to the end. */
static bool
take_rest_time(struct cursor *c, struct moment *m, bool iso)
{
	if (c->p == c->end)
		return true;
	if (*c->p == 'T' || *c->p == 't') {
		c->p++;
	} else {
		if (!iso)
			take_char(c, ',');
		if (peek(c) != ' ' && peek(c) != '\t')
			return fail(c, no_date);
		skip_spaces(c);
	}
	if (!take_time(c, m))
		return false;
	return c->p == c->end || fail(c, no_date);
}

static bool
parse(struct cursor *c, enum date_order order, struct moment *m)
{
	int year, month, day, weekday = -1;

	if (take_iso_date(c, &year, &month, &day) || take_compact_date(c, &year, &month, &day))
		return set_date(c, m, year, month, day) && take_rest_time(c, m, order == DATE_ISO);
	if (order == DATE_ISO)
		return fail(c, "is no ISO 8601 date");
	return take_any_date(c, m, order, &weekday) && check_weekday(c, m, weekday) && take_rest_time(c, m, false);
}

bool
date_parse(struct str text, enum date_order order, struct moment *m, const char **why)
{
	struct cursor c = { text.p, text.p + text.n, NULL };

	*m = (struct moment){ 0 };
	if (take_socrata(&c, m))
		return true;
	*m = (struct moment){ 0 };
	skip_spaces(&c);
	while (c.end > c.p && (c.end[-1] == ' ' || c.end[-1] == '\t'))
		c.end--;
	if (parse(&c, order, m))
		return true;
	*why = c.why;
	return false;
}

/* What the fields of a format have said so far. */
struct said {
	bool year, month, day, yday, clock, half, epoch;
	int y, m, d, day_of_year, pm, weekday;
	int64_t seconds;
};

static bool
take_epoch(struct cursor *c, struct said *s)
{
	bool minus = take_char(c, '-');
	int n = 0;

	for (s->seconds = 0; n < 12 && is_digit(peek(c)); n++)
		s->seconds = s->seconds * 10 + (*c->p++ - '0');
	if (minus)
		s->seconds = -s->seconds;
	return s->epoch = n > 0;
}

/* The format that a field stands for, as in strptime(3); NULL for a field of its own. */
static const char *
short_for(char field)
{
	switch (field) {
	case 'F':
		return "%Y-%m-%d";
	case 'D':
		return "%m/%d/%y";
	case 'T':
		return "%H:%M:%S";
	case 'R':
		return "%H:%M";
	default:
		return NULL;
	}
}

static bool take_format(struct cursor *c, const char *format, struct moment *m, struct said *s);

static bool
take_field(struct cursor *c, char field, struct moment *m, struct said *s)
{
	switch (field) {
	case 'Y':
		return s->year = take_number(c, 4, &s->y) == 4;
	case 'y':
		if (take_number(c, 2, &s->y) != 2)
			return false;
		s->y = full_year(s->y);
		return s->year = true;
	case 'm':
		return s->month = take_number(c, 2, &s->m) > 0;
	case 'b': case 'B': case 'h':
		if (!take_name(c, months, 12, &s->m))
			return false;
		s->m++;
		return s->month = true;
	case 'e':
		skip_spaces(c);
		return s->day = take_number(c, 2, &s->d) > 0;
	case 'd':
		return s->day = take_number(c, 2, &s->d) > 0;
	case 'j':
		return s->yday = take_number(c, 3, &s->day_of_year) > 0;
	case 'a': case 'A':
		return take_name(c, weekdays, 7, &s->weekday);
	case 'I':
		s->clock = true;
		/* fall through */
	case 'H':
		m->has_time = true;
		return take_number(c, 2, &m->hour) > 0;
	case 'M':
		return take_number(c, 2, &m->minute) > 0;
	case 'S':
		return take_number(c, 2, &m->second) > 0;
	case 'f':
		return take_fraction(c, &m->usec);
	case 'p':
		s->pm = take_half(c);
		return s->half = s->pm >= 0;
	case 'z':
		return take_zone(c, m);
	case 'Z':
		return is_alpha(peek(c)) && take_zone(c, m);
	case 's':
		return take_epoch(c, s);
	case 'n': case 't':
		skip_spaces(c);
		return true;
	default:
		return short_for(field) != NULL ? take_format(c, short_for(field), m, s) : take_char(c, field);
	}
}

static bool
take_format(struct cursor *c, const char *format, struct moment *m, struct said *s)
{
	for (; *format != '\0'; format++) {
		if (*format == ' ' || *format == '\t')
			skip_spaces(c);
		else if (*format == '%' ? !take_field(c, *++format, m, s) : !take_char(c, *format))
			return fail(c, "is no date in the format wanted");
	}
	return true;
}

static bool
settle(struct cursor *c, struct moment *m, const struct said *s)
{
	if (s->epoch) {
		struct moment utc;

		if (!date_from_usec(&utc, (s->seconds - UNIX_2000) * 1000000 + m->usec))
			return fail(c, "is no date: the year is not in 1 to 9999");
		*m = utc;
		return m->has_zone = true;
	}
	if (s->yday) {
		if (s->y < 1 || s->day_of_year < 1 || s->day_of_year > 365 + is_leap(s->y))
			return fail(c, "is no date: that year has no such day");
		m->year = s->y;
		m->day = s->day_of_year;
		for (m->month = 1; m->day > month_days(m->year, m->month); m->month++)
			m->day -= month_days(m->year, m->month);
	} else if (!set_date(c, m, s->y, s->m, s->d)) {
		return false;
	}
	if (s->half && !apply_half(c, m, s->pm))
		return false;
	return check_weekday(c, m, s->weekday) && settle_time(c, m);
}

bool
date_parse_format(struct str text, const char *format, struct moment *m, const char **why)
{
	struct cursor c = { text.p, text.p + text.n, NULL };
	struct said s = { .weekday = -1 };

	*m = (struct moment){ 0 };
	skip_spaces(&c);
	if (take_format(&c, format, m, &s)) {
		skip_spaces(&c);
		if (c.p < c.end)
			fail(&c, "is no date in the format wanted: there is more behind it");
		else if (settle(&c, m, &s))
			return true;
	}
	*why = c.why;
	return false;
}

const char *
date_format_check(const char *format)
{
	bool year = false, month = false, day = false, clock = false, half = false, time = false, rest = false;

	for (const char *p = format; (p = strchr(p, '%')) != NULL; p++) {
		if (*++p == '\0' || strchr("YymbBhdejaAIHMSfpzZsFDTRnt%", *p) == NULL)
			return "unknown % letter: see strptime(3)";
		year |= strchr("YysFD", *p) != NULL;
		month |= strchr("mbBhjsFD", *p) != NULL;
		day |= strchr("dejsFD", *p) != NULL;
		clock |= *p == 'I';
		half |= *p == 'p';
		time |= strchr("HITRs", *p) != NULL;
		rest |= strchr("MSfpzZ", *p) != NULL;
	}
	if (!year || !month || !day)
		return "it has to say year, month and day";
	if (clock != half)
		return "%I and %p want each other";
	if (rest && !time)
		return "it says a part of the time and no hour";
	return NULL;
}

int32_t
date_days(const struct moment *m)
{
	return days_of(m->year, m->month, m->day);
}

int64_t
date_usec(const struct moment *m)
{
	int64_t seconds = (int64_t)date_days(m) * 86400 + m->hour * 3600 + m->minute * 60 + m->second;

	return (seconds - (m->has_zone ? m->offset : 0)) * 1000000 + m->usec;
}

bool
date_from_usec(struct moment *m, int64_t usec)
{
	int64_t days = usec / DAY_USEC - (usec % DAY_USEC < 0), left = usec - days * DAY_USEC;
	int year;

	if (days < days_of(1, 1, 1) || days > days_of(9999, 12, 31))
		return false;
	*m = (struct moment){ .month = 1, .has_time = true };
	year = (int)(2000 + days / 366 - (days < 0));          /* never too late, and near enough */
	while (days_of(year + 1, 1, 1) <= days)
		year++;
	while (days_of(year, 1, 1) > days)
		year--;
	m->year = year;
	m->day = (int)(days - days_of(year, 1, 1)) + 1;
	for (; m->day > month_days(year, m->month); m->month++)
		m->day -= month_days(year, m->month);
	m->usec = (int)(left % 1000000);
	left /= 1000000;
	m->second = (int)(left % 60);
	m->minute = (int)(left / 60 % 60);
	m->hour = (int)(left / 3600);
	return true;
}

static char *
put_digits(char *p, int value, int n)
{
	for (int i = n - 1; i >= 0; i--, value /= 10)
		p[i] = (char)('0' + value % 10);
	return p + n;
}

static char *
put_part(char *p, char before, int value, int n)
{
	*p++ = before;
	return put_digits(p, value, n);
}

void
date_put_iso(struct buf *b, const struct moment *m)
{
	char *p;

	buf_room(b, sizeof "2020-01-31T23:59:59.000000+01:00:00");
	p = put_digits(b->p + b->len, m->year, 4);
	p = put_part(p, '-', m->month, 2);
	p = put_part(p, '-', m->day, 2);
	if (m->has_time) {
		p = put_part(p, 'T', m->hour, 2);
		p = put_part(p, ':', m->minute, 2);
		p = put_part(p, ':', m->second, 2);
	}
	if (m->usec % 1000 != 0)
		p = put_part(p, '.', m->usec, 6);
	else if (m->usec != 0)
		p = put_part(p, '.', m->usec / 1000, 3);
	if (m->has_time && m->has_zone) {
		int offset = m->offset < 0 ? -m->offset : m->offset;

		if (offset == 0) {
			*p++ = 'Z';
		} else {
			p = put_part(p, m->offset < 0 ? '-' : '+', offset / 3600, 2);
			p = put_part(p, ':', offset / 60 % 60, 2);
			if (offset % 60 != 0)
				p = put_part(p, ':', offset % 60, 2);
		}
	}
	b->len = p - b->p;
	*p = '\0';
}
