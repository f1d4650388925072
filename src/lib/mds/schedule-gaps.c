/*
 * mds/schedule-gaps.c - finds what is not as it should be: blocks that are missing, stuck or
 * held, and days whose counts differ.
 *
 * A trip outside its block's hour is kept (the provider knows best), so a day may have fewer trips than its blocks brought and its
 * neighbours more, by as many as were outside; only what is beyond that is a difference.
 */
#include <stdio.h>
#include <stdlib.h>

#include "format/date.h"
#include "format/json.h"
#include "mds/block.h"
#include "mds/claimer.h"
#include "mds/schedule.h"

#define DAY (24 * BLOCK_HOUR)

/* A local day, as far as its blocks were asked for; of the whole day only dataset and all, over all providers. */
struct day {
	bool there, loaded, published;          /* has blocks; all of them are in the database, are in Socrata */
	long long source, rejected, duplicate, outside, database;
	long long socrata, all, dataset;
	bool socrata_known;
};

struct gaps {
	struct schedule *s;
	const struct schedule_choice *c;
	const struct schedule_gaps *want;
	struct rows_out *out;
	unsigned long long n;
	struct day *day;
	int32_t first;                          /* as date_days() counts */
	size_t days;
	bool trips;                             /* there is a table of them */
	struct pg_table trips_table;
};

/* ---- one record ---- */

static struct buf *
open_record(struct gaps *g, const char *kind)
{
	struct buf *b = rows_buf(g->out);

	buf_fmt(b, "{\"kind\":\"%s\",\"provider\":", kind);
	buf_json(b, str_of(g->c->provider));
	return b;
}

static void
close_record(struct gaps *g)
{
	buf_text(rows_buf(g->out), "}\n");
	rows_flush_some(g->out);
	g->n++;
}

static void
put_text(struct buf *b, const char *name, const PGresult *r, int row, int column)
{
	buf_fmt(b, ",\"%s\":", name);
	if (PQgetisnull(r, row, column))
		buf_text(b, "null");
	else
		buf_json(b, str_of(PQgetvalue(r, row, column)));
}

/* ---- blocks ---- */

static void
put_missing(void *arg, int64_t label, int64_t starts, int64_t ends)
{
	struct gaps *g = arg;
	struct buf *b = open_record(g, "missing");

	buf_text(b, ",\"block\":\"");
	block_put_label(b, label);
	buf_text(b, "\",\"starts\":\"");
	block_put_utc(b, starts);
	buf_text(b, "\",\"ends\":\"");
	block_put_utc(b, ends);
	buf_char(b, '"');
	close_record(g);
}

/* The blocks of a further condition, whose value is a number of seconds: schedule_id, block, status, when, who, starts, ends. */
static PGresult *
ask_blocks(struct gaps *g, const char *columns, const char *condition, double seconds)
{
	struct schedule_values values = { 0 };
	struct buf sql = { 0 };
	char text[32];

	snprintf(text, sizeof text, "%.3f", seconds);
	schedule_bind(&values, text);
	buf_fmt(&sql, "SELECT s.schedule_id, to_char(s.date, 'FMYYYY-FMMM-FMDD-FMHH24'), coalesce(s.status_id, 0), %s", columns);
	schedule_where(g->s, g->c, &sql, &values);
	buf_fmt(&sql, " AND %s ORDER BY s.date", condition);

	PGresult *r = pg_query(g->s->conn, sql.p, values.n, values.v);

	schedule_values_free(&values);
	buf_free(&sql);
	return r;
}

static struct buf *
open_block(struct gaps *g, const char *kind, const PGresult *r, int row)
{
	struct buf *b = open_record(g, kind);

	put_text(b, "block", r, row, 1);
	buf_fmt(b, ",\"schedule_id\":%s,\"status_id\":%s", PQgetvalue(r, row, 0), PQgetvalue(r, row, 2));
	return b;
}

static void
find_stuck(struct gaps *g)
{
	PGresult *r = ask_blocks(g, "to_char(s.ends AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),"
	    " to_char(s.updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')",
	    "coalesce(s.status_id, 0) < 8 AND s.ends < now() - make_interval(secs => $1::float8)", g->want->stuck);

	for (int i = 0; i < PQntuples(r); i++) {
		struct buf *b = open_block(g, "stuck", r, i);

		put_text(b, "ends", r, i, 3);
		put_text(b, "updated_at", r, i, 4);
		close_record(g);
	}
	PQclear(r);
}

/* Claims whose process is dead, and those so old that it may as well be. */
static void
find_held(struct gaps *g)
{
	PGresult *r = ask_blocks(g, "coalesce(s.claimed_by, ''), to_char(s.claimed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),"
	    " coalesce(s.claimed_at, '-infinity') <= now() - make_interval(secs => $1::float8)", "s.claim IS NOT NULL", g->want->stale);

	for (int i = 0; i < PQntuples(r); i++) {
		enum claimer claimer = claimer_look(PQgetvalue(r, i, 3));

		if (claimer != CLAIMER_DEAD && PQgetvalue(r, i, 5)[0] != 't')
			continue;

		struct buf *b = open_block(g, "claimed", r, i);

		put_text(b, "claimed_by", r, i, 3);
		put_text(b, "claimed_at", r, i, 4);
		buf_fmt(b, ",\"alive\":%s", claimer == CLAIMER_DEAD ? "false" : claimer == CLAIMER_ALIVE ? "true" : "null");
		close_record(g);
	}
	PQclear(r);
}

/* ---- counts ---- */

/* The day of a date in text; NULL when it is none, or not one that was asked for. */
static struct day *
day_of(struct gaps *g, const char *date, bool *wrong)
{
	struct moment m;
	const char *why;
	int64_t place;

	*wrong = !date_parse(str_of(date), DATE_ISO, &m, &why);
	if (*wrong)
		return NULL;
	place = (int64_t)date_days(&m) - g->first;
	return place >= 0 && place < (int64_t)g->days ? &g->day[place] : NULL;
}

/* Adds a number of Socrata's reply, if it is there. */
static bool
add_number(struct str reply, const char *name, long long *sum)
{
	struct buf scratch = { 0 };
	struct str number = json_text(json_get(reply, name), &scratch);
	bool there = number.p != NULL && number.n > 0 && number.n <= 18 && strspn(number.p, "0123456789") >= number.n;

	if (there)
		*sum += strtoll(number.p, NULL, 10);
	buf_free(&scratch);
	return there;
}

/* Rows that Socrata took, by its reply; false when there is none that makes sense. */
static bool
read_reply(const char *text, long long *rows)
{
	struct buf b = { 0 };
	struct json_error e;
	bool created, updated;

	buf_text(&b, text);

	const char *start = json_space(b.p, b.p + b.len), *past = json_skip(start, b.p + b.len, &e);
	struct str reply = { start, past != NULL ? (size_t)(past - start) : 0 };

	*rows = 0;
	created = add_number(reply, "Rows Created", rows);
	updated = add_number(reply, "Rows Updated", rows);
	buf_free(&b);
	return created || updated;
}

static void
add_replies(struct gaps *g)
{
	PGresult *r = ask_blocks(g, "(s.date - interval '1 hour')::date, s.socrata_status", "$1::float8 = 0 AND s.socrata_status IS NOT NULL", 0);

	for (int i = 0; i < PQntuples(r); i++) {
		long long rows;
		bool wrong;
		struct day *day = day_of(g, PQgetvalue(r, i, 3), &wrong);

		if (day != NULL && read_reply(PQgetvalue(r, i, 4), &rows)) {
			day->socrata += rows;
			day->socrata_known = true;
		}
	}
	PQclear(r);
}

/* How many trips the provider has in each day's blocks, where the blocks leave no hole. */
static void
add_blocks(struct gaps *g)
{
	struct schedule_values values = { 0 };
	struct buf sql = { 0 };

	buf_text(&sql, "WITH d AS (SELECT (s.date - interval '1 hour')::date AS day, bool_and(s.status_id IN (5, 6, -6, 7, 8, -8)) AS loaded,"
	    " bool_and(s.status_id = 8) AS published, coalesce(sum(s.payload_trips_count), 0) AS source,"
	    " coalesce(sum(s.records_error_count), 0) AS rejected, coalesce(sum(s.trips_duplicate), 0) AS duplicate,"
	    " coalesce(sum(s.trips_outside), 0) AS outside, min(s.starts) AS starts, max(s.ends) AS ends,"
	    " sum(s.ends - s.starts) = max(s.ends) - min(s.starts) AS whole,"
	    " min(p.provider_name) AS name, min(p.provider_id::text) AS id");
	schedule_where(g->s, g->c, &sql, &values);
	buf_fmt(&sql, " GROUP BY 1) SELECT day, loaded, published, source, rejected, duplicate, outside, (SELECT count(*) FROM %s t"
	    " WHERE t.end_time >= d.starts AND t.end_time < d.ends AND CASE WHEN d.id IS NULL THEN lower(t.provider_name) = lower(d.name)"
	    " ELSE t.provider_id::text = lower(d.id) END) FROM d WHERE whole", g->trips_table.ident);

	PGresult *r = pg_query(g->s->conn, sql.p, values.n, values.v);

	for (int i = 0; i < PQntuples(r); i++) {
		bool wrong;
		struct day *day = day_of(g, PQgetvalue(r, i, 0), &wrong);

		if (day == NULL)
			continue;
		day->there = true;
		day->loaded = PQgetvalue(r, i, 1)[0] == 't';
		day->published = PQgetvalue(r, i, 2)[0] == 't';
		day->source = atoll(PQgetvalue(r, i, 3));
		day->rejected = atoll(PQgetvalue(r, i, 4));
		day->duplicate = atoll(PQgetvalue(r, i, 5));
		day->outside = atoll(PQgetvalue(r, i, 6));
		day->database = atoll(PQgetvalue(r, i, 7));
	}
	PQclear(r);
	schedule_values_free(&values);
	buf_free(&sql);
}

/* What the dataset says that it has, a record a day; a day that it does not name has none. */
static void
read_dataset(struct gaps *g)
{
	struct rows *in = rows_open((char *[]){ (char *)g->want->socrata, NULL }, g->want->reading);
	struct buf text = { 0 }, scratch = { 0 };
	struct row *row;

	while ((row = rows_next(in)) != NULL) {
		const struct field *date = row_field(row, STR("day")), *trips = row_field(row, STR("trips"));
		struct str value = { 0 };
		bool wrong = true;
		struct day *day = NULL;

		buf_reset(&text);
		if (date != NULL)
			buf_str(&text, field_text(date, &scratch));
		if (text.len > 0)
			day = day_of(g, text.p, &wrong);
		if (wrong)
			rows_reject(in, STR("day"), "is no date");
		if (trips != NULL)
			value = field_text(trips, &scratch);
		buf_reset(&text);
		buf_str(&text, value);
		if (text.len == 0 || text.len > 18 || text.p[strspn(text.p, "0123456789")] != '\0')
			rows_reject(in, STR("trips"), "is no number of trips");
		if (day != NULL)
			day->dataset += atoll(text.p);
	}
	rows_close(in);
	buf_free(&text);
	buf_free(&scratch);
}

/* All trips of each day, to compare with the dataset, which does not tell providers apart. */
static void
add_all(struct gaps *g)
{
	struct buf starts = { 0 }, ends = { 0 }, text = { 0 }, sql = { 0 };

	for (size_t i = 0; i < g->days; i++) {
		int64_t wall = ((int64_t)g->first + (int64_t)i) * DAY;

		buf_reset(&text);
		block_put_utc(&text, block_edge(wall));
		schedule_array(&starts, text.p);
		buf_reset(&text);
		block_put_utc(&text, block_edge(wall + DAY));
		schedule_array(&ends, text.p);
	}
	buf_char(&starts, '}');
	buf_char(&ends, '}');
	buf_fmt(&sql, "SELECT n - 1, (SELECT count(*) FROM %s t WHERE t.end_time >= d.starts AND t.end_time < d.ends)"
	    " FROM unnest($1::timestamptz[], $2::timestamptz[]) WITH ORDINALITY d(starts, ends, n)", g->trips_table.ident);

	PGresult *r = pg_query(g->s->conn, sql.p, 2, (const char *const[]){ starts.p, ends.p });

	for (int i = 0; i < PQntuples(r); i++)
		g->day[atoi(PQgetvalue(r, i, 0))].all = atoll(PQgetvalue(r, i, 1));
	PQclear(r);
	buf_free(&starts);
	buf_free(&ends);
	buf_free(&text);
	buf_free(&sql);
}

/* Outside of the day's neighbours: so many of their trips may be this day's. */
static long long
outside_near(const struct gaps *g, size_t i)
{
	return (i > 0 ? g->day[i - 1].outside : 0) + (i + 1 < g->days ? g->day[i + 1].outside : 0);
}

static bool
differs(const struct gaps *g, size_t i, bool whole)
{
	const struct day *d = &g->day[i];
	long long due = d->source - d->rejected - d->duplicate, near = outside_near(g, i);

	if (d->there && d->loaded && (d->database < due - d->outside || d->database > due + near))
		return true;
	if (d->there && d->published && d->socrata_known && llabs(d->socrata - d->database) > d->outside + near)
		return true;
	return whole && g->want->socrata != NULL && d->all != d->dataset;
}

static void
put_counts(struct gaps *g, size_t i)
{
	const struct day *d = &g->day[i];
	struct moment m;
	struct buf *b = open_record(g, "counts");

	date_from_usec(&m, ((int64_t)g->first + (int64_t)i) * DAY);
	buf_fmt(b, ",\"day\":\"%04d-%02d-%02d\",\"source\":%lld,\"rejected\":%lld,\"duplicate\":%lld,\"outside\":%lld,\"database\":%lld",
	    m.year, m.month, m.day, d->source, d->rejected, d->duplicate, d->outside, d->database);
	if (d->socrata_known)
		buf_fmt(b, ",\"socrata\":%lld", d->socrata);
	else
		buf_text(b, ",\"socrata\":null");
	if (g->want->socrata != NULL)
		buf_fmt(b, ",\"database_all\":%lld,\"dataset\":%lld", d->all, d->dataset);
	close_record(g);
}

static void
compare_days(struct gaps *g)
{
	int64_t first = g->c->after / DAY, last = (g->c->upto - BLOCK_HOUR) / DAY;

	if (g->c->after < 0)            /* before 2000: division goes the other way */
		first = -((-g->c->after + DAY - 1) / DAY);
	if (g->c->upto - BLOCK_HOUR < 0)
		last = -((-(g->c->upto - BLOCK_HOUR) + DAY - 1) / DAY);
	if (g->c->after == g->c->upto)
		return;
	g->first = (int32_t)first;
	g->days = (size_t)(last - first + 1);
	g->day = xcalloc(g->days, sizeof *g->day);
	add_blocks(g);
	add_replies(g);
	if (g->want->socrata != NULL) {
		read_dataset(g);
		add_all(g);
	}
	for (size_t i = 0; i < g->days; i++) {
		int64_t wall = (first + (int64_t)i) * DAY;

		if (differs(g, i, wall >= g->c->after && wall + DAY <= g->c->upto))
			put_counts(g, i);
	}
	free(g->day);
}

unsigned long long
schedule_find_gaps(struct schedule *s, const struct schedule_choice *c, const struct schedule_gaps *want, struct rows_out *out)
{
	struct gaps g = { .s = s, .c = c, .want = want, .out = out };
	const char *trips = want->trips != NULL ? want->trips : "api.trips";

	schedule_begin(s, true);
	schedule_need(s);
	schedule_check_known(s, c);
	g.trips = pg_table(s->conn, trips, &g.trips_table);
	if (!g.trips && (want->trips != NULL || want->socrata != NULL))
		die(EX_CONFIG, "no table %s in database \"%s\": is it named otherwise?  See --trips", trips, PQdb(s->conn));
	schedule_missing(s, c->provider, c->after, c->upto, put_missing, &g);
	find_stuck(&g);
	find_held(&g);
	if (g.trips)
		compare_days(&g);
	else
		note("no table %s: counts were not compared", trips);
	pg_table_free(&g.trips_table);
	return g.n;
}
