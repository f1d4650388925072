/*
 * mds/version.c - what each version of the MDS provider API wants to be asked, and how it
 * answers.
 */
#include "mds/version.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "format/date.h"

#define DAY 86400.0

const char *const mds_endpoints[] = { "trips", "vehicles", "status_changes", "events", "telemetry", NULL };

#define TRIPS(how, a, b) [MDS_TRIPS] = { "/trips", how, a, b, "trips", "end_time" }
#define CHANGES(how, a, b) [MDS_STATUS_CHANGES] = { "/status_changes", how, a, b, "status_changes", "event_time" }
#define VEHICLES [MDS_VEHICLES] = { "/vehicles", MDS_TIMELESS, NULL, NULL, "vehicles", NULL }
/* 0.4 to 1.2: their events are called status changes in the answer */
#define EVENTS [MDS_EVENTS] = { "/events", MDS_MS, "start_time", "end_time", "status_changes", "event_time" }
#define BY_HOUR { TRIPS(MDS_HOURS, NULL, "end_time"), CHANGES(MDS_HOURS, NULL, "event_time"), VEHICLES, EVENTS }

const struct mds_version mds_versions[] = {
	{ "2.0", "application/vnd.mds+json;version=2.0", .flat = true, .question = {
		TRIPS(MDS_HOURS, NULL, "end_time"), VEHICLES,
		[MDS_EVENTS] = { "/events/historical", MDS_HOURS, NULL, "event_time", "events", "timestamp" },
		[MDS_TELEMETRY] = { "/telemetry", MDS_HOURS, NULL, "telemetry_time", "telemetry", "timestamp" } } },
	{ "1.2", "application/vnd.mds+json;version=1.2", .question = BY_HOUR },
	{ "1.1", "application/vnd.mds+json;version=1.1", .question = BY_HOUR },
	{ "1.0", "application/vnd.mds+json;version=1.0", .settle = DAY, .question = BY_HOUR },
	{ "0.4", "application/vnd.mds.provider+json;version=0.4", .settle = DAY, .question = BY_HOUR },
	{ "0.3", "application/vnd.mds.provider+json;version=0.3", .question = {
		TRIPS(MDS_MS, "min_end_time", "max_end_time"), CHANGES(MDS_MS, "start_time", "end_time") } },
	/* its own type is application/json; the other one says what is meant to servers that know more versions */
	{ "0.2", "application/vnd.mds.provider+json;version=0.2", .seconds = true, .question = {
		TRIPS(MDS_SECONDS, "start_time", "end_time"), CHANGES(MDS_SECONDS, "start_time", "end_time") } },
	{ 0 }
};

/* Is it the number, or the number and a third part? */
static bool
is_version(struct str text, const char *number)
{
	size_t n = strlen(number);

	return text.n >= n && memcmp(text.p, number, n) == 0 && (text.n == n || text.p[n] == '.');
}

const struct mds_version *
mds_version_find(struct str text)
{
	for (const struct mds_version *v = mds_versions; v->number != NULL; v++)
		if (text.p != NULL && is_version(text, v->number))
			return v;
	return NULL;
}

struct str
mds_version_of_type(const char *type)
{
	const char *p = type;

	/* a parameter of another type is none of ours */
	if (type == NULL || strncasecmp(type, "application/vnd.mds", 19) != 0)
		return (struct str){ 0 };
	while ((p = strchr(p, ';')) != NULL) {
		p += 1 + strspn(p + 1, " \t");
		if (strncasecmp(p, "version=", 8) == 0) {
			p += 8 + (p[8] == '"');
			return (struct str){ p, strspn(p, "0123456789.") };
		}
	}
	return (struct str){ 0 };
}

void
mds_version_accept_any(struct buf *b)
{
	int q = 10;

	for (const struct mds_version *v = mds_versions; v->number != NULL; v++, q--)
		buf_fmt(b, "%s%s;q=%d.%d", v == mds_versions ? "" : ", ", v->media, q / 10, q % 10);
}

void
mds_time_put(struct buf *b, int64_t usec)
{
	struct moment m = { 0 };

	date_from_usec(&m, usec);
	m.has_zone = true;
	date_put_iso(b, &m);
}

static void
put_hour(struct buf *b, int64_t usec, char between)
{
	struct moment m = { 0 };

	date_from_usec(&m, usec);
	buf_fmt(b, "%04d-%02d-%02d%c%02d", m.year, m.month, m.day, between, m.hour);
}

void
mds_hour_put(struct buf *b, int64_t usec)
{
	put_hour(b, usec, '-');
}

static void
put_parameter(struct buf *b, const char *name, enum mds_times times, int64_t usec)
{
	int64_t unix_usec = usec + UNIX_2000 * 1000000;

	buf_fmt(b, "%s=", name);
	if (times == MDS_HOURS)
		put_hour(b, usec, 'T');
	else if (times == MDS_MS)
		buf_fmt(b, "%lld", (long long)(unix_usec / 1000));
	else if (unix_usec % 1000000 == 0)
		buf_fmt(b, "%lld", (long long)(unix_usec / 1000000));
	else
		buf_fmt(b, "%lld.%06lld", (long long)(unix_usec / 1000000), (long long)(unix_usec % 1000000));
}

void
mds_query(struct buf *b, const struct mds_question *q, struct mds_span span,
    const char *(*rename)(const char *name, const void *arg), const void *arg)
{
	if (q->times == MDS_TIMELESS)
		return;
	buf_char(b, '?');
	if (q->from != NULL) {
		put_parameter(b, rename(q->from, arg), q->times, span.from);
		buf_char(b, '&');
	}
	put_parameter(b, rename(q->to, arg), q->times, q->times == MDS_HOURS ? span.from : span.to);
}
