/* mds/schedule.c - the tables of the schedule, which blocks are meant, and how they are shown. */
#include "mds/schedule.h"

#include <errno.h>
#include <stdlib.h>

#include "base/progress.h"
#include "format/json.h"
#include "format/zone.h"
#include "mds/block.h"

#define ASKED_AT_ONCE 5000      /* blocks: the better part of a year in one question */

/* ---- statuses ---- */

static const struct { int id; const char *name; } states[] = {
	{ 0, "new" }, { -1, "not ready at the provider yet" }, { -2, "fetch failed" }, { -3, "not served" }, { 2, "uploaded to S3" },
	{ -5, "load failed" }, { 5, "all trips in" }, { 6, "some trips failed" }, { -6, "all trips failed" },
	{ 7, "no trips in the payload" }, { SCHEDULE_DONE, "published" }, { -SCHEDULE_DONE, "publishing failed" },
};

bool
schedule_is_state(long n)
{
	for (size_t i = 0; i < sizeof states / sizeof *states; i++)
		if (states[i].id == n)
			return true;
	return false;
}

void
schedule_each_state(void (*each)(void *, int id, const char *name), void *arg)
{
	for (size_t i = 0; i < sizeof states / sizeof *states; i++)
		each(arg, states[i].id, states[i].name);
}

char *
schedule_states(const char *option, const char *list)
{
	struct words words = opt_split(list);
	struct buf array = { 0 };

	for (size_t i = 0; i < words.n; i++) {
		char *end;
		long n = strtol(words.w[i], &end, 10);

		if (end == words.w[i] || *end != '\0' || n < -999 || n > 999)
			die(EX_USAGE, "--%s %s: want numbers such as 0,-1", option, list);
		buf_fmt(&array, "%s%ld", i == 0 ? "{" : ",", n);
	}
	buf_char(&array, '}');
	free(words.w[0]);
	free(words.w);
	return buf_take(&array);
}

/* ---- values ---- */

int
schedule_bind(struct schedule_values *values, const char *value)
{
	if (values->n == sizeof values->v / sizeof *values->v)
		die(EX_SOFTWARE, "a statement of too many values");
	values->v[values->n++] = value;
	return values->n;
}

void
schedule_values_free(struct schedule_values *values)
{
	buf_free(&values->text[0]);
	buf_free(&values->text[1]);
	values->n = 0;
}

void
schedule_array(struct buf *b, const char *text)
{
	buf_text(b, b->len == 0 ? "{\"" : ",\"");
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			buf_char(b, '\\');
		buf_char(b, *text);
	}
	buf_char(b, '"');
}

/* ---- tables ---- */

static char *
quote(struct schedule *s, const char *table)
{
	struct buf b = { 0 };

	pg_ident(s->conn, &b, s->schema);
	buf_char(&b, '.');
	pg_ident(s->conn, &b, table);
	return buf_take(&b);
}

void
schedule_open(struct schedule *s, const char *schema, const struct pg_options *db)
{
	struct buf shown = { 0 };

	*s = (struct schedule){ .conn = pg_open(db), .schema = schema };
	s->provider = quote(s, "provider");
	s->status = quote(s, "schedule_status");
	s->blocks = quote(s, "schedule");
	buf_fmt(&shown, "%s.schedule", schema);
	s->shown = buf_take(&shown);
}

void
schedule_close(struct schedule *s)
{
	pg_table_free(&s->columns);
	pg_close(s->conn);
	free(s->provider);
	free(s->status);
	free(s->blocks);
	free(s->shown);
}

void
schedule_begin(struct schedule *s, bool read_only)
{
	pg_begin(s->conn, SCHEDULE_LOCK_WAIT);
	if (read_only)
		pg_run(s->conn, "SET TRANSACTION READ ONLY");
	PQclear(pg_query(s->conn, "SELECT set_config('TimeZone', 'UTC', true), set_config('DateStyle', 'ISO', true)", 0, NULL));
}

void
schedule_need(struct schedule *s)
{
	static const char *const names[] = { "schedule_id", "provider_id", "date", "starts", "ends", "zone", "status_id", "payload",
		"message", "records_processed", "records_total", "payload_trips_count", "records_error_count", "trips_outside",
		"trips_duplicate", "error_payload", "rerun_flag", "socrata_status", "claim", "claimed_by", "claimed_at", "updated_at" };
	struct pg_table provider;

	if (!pg_table(s->conn, s->provider, &provider))
		die(EX_CONFIG, "no table %s.provider in database \"%s\": run %s init",
		    s->schema, PQdb(s->conn), tool.name);
	pg_table_free(&provider);
	if (!pg_table(s->conn, s->blocks, &s->columns))
		die(EX_CONFIG, "no table %s in database \"%s\": run %s init", s->shown, PQdb(s->conn), tool.name);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (pg_table_column(&s->columns, str_of(names[i])) == NULL)
			die(EX_CONFIG, "%s has no column %s: run %s init", s->shown, names[i], tool.name);
}

/* ---- which blocks ---- */

void
schedule_where(const struct schedule *s, const struct schedule_choice *c, struct buf *sql, struct schedule_values *values)
{
	buf_fmt(sql, " FROM %s s JOIN %s p ON p.id = s.provider_id WHERE true", s->blocks, s->provider);
	if (c->provider != NULL)
		buf_fmt(sql, " AND p.provider_name = $%d", schedule_bind(values, c->provider));
	if (c->bounded) {
		block_put_wall(&values->text[0], c->after);
		block_put_wall(&values->text[1], c->upto);
		buf_fmt(sql, " AND s.date > $%d::timestamp", schedule_bind(values, values->text[0].p));
		buf_fmt(sql, " AND s.date <= $%d::timestamp", schedule_bind(values, values->text[1].p));
	}
	if (c->states != NULL)
		buf_fmt(sql, " AND coalesce(s.status_id, 0) = ANY($%d::int[])", schedule_bind(values, c->states));
	if (c->incomplete)
		buf_fmt(sql, " AND coalesce(s.status_id, 0) < %d", SCHEDULE_DONE);
	if (!c->no_width)
		buf_text(sql, " AND s.ends > s.starts");
}

/* Whoever else makes blocks does not know of their bounds, and one without would be left out in silence. */
static void
check_bounds(struct schedule *s, const struct schedule_choice *c)
{
	struct schedule_choice all = *c;
	struct schedule_values values = { 0 };
	struct buf sql = { 0 };

	all.no_width = true;
	buf_text(&sql, "SELECT count(*)");
	schedule_where(s, &all, &sql, &values);
	buf_text(&sql, " AND (s.starts IS NULL OR s.ends IS NULL)");

	long long n = pg_number(s->conn, sql.p, values.n, values.v);

	if (n > 0)
		die(EX_CONFIG, "%lld blocks of %s have no bounds in UTC: run %s init --zone ZONE",
		    n, s->shown, tool.name);
	schedule_values_free(&values);
	buf_free(&sql);
}

static void
check_provider(struct schedule *s, const char *name)
{
	struct buf sql = { 0 };

	buf_fmt(&sql, "SELECT count(*) FILTER (WHERE provider_name = $1), left(string_agg(provider_name, ', ' ORDER BY provider_name), 200)"
	    " FROM %s", s->provider);

	PGresult *r = pg_query(s->conn, sql.p, 1, &name);

	if (PQgetvalue(r, 0, 0)[0] == '0')
		die(EX_DATAERR, "no provider \"%s\" in %s.provider%s%s: %s seed makes one", name, s->schema,
		    PQgetisnull(r, 0, 1) ? "" : ", which has ", PQgetvalue(r, 0, 1), tool.name);
	PQclear(r);
	buf_free(&sql);
}

void
schedule_check_known(struct schedule *s, const struct schedule_choice *c)
{
	check_bounds(s, c);
	if (c->provider != NULL)
		check_provider(s, c->provider);
}

/* The zone that the provider's blocks are labelled by, the newest one's; false when it has none. */
static bool
use_zone_of(struct schedule *s, const char *provider)
{
	struct buf sql = { 0 };

	buf_fmt(&sql, "SELECT s.zone FROM %s s JOIN %s p ON p.id = s.provider_id WHERE p.provider_name = $1 AND s.zone IS NOT NULL"
	    " ORDER BY s.date DESC LIMIT 1", s->blocks, s->provider);

	PGresult *r = pg_query(s->conn, sql.p, 1, &provider);
	bool found = PQntuples(r) == 1;

	if (found)
		zone_use(PQgetvalue(r, 0, 0));
	PQclear(r);
	buf_free(&sql);
	return found;
}

struct missing { unsigned long long n; int64_t first; };

static void
count_missing(void *arg, int64_t label, int64_t starts, int64_t ends)
{
	struct missing *m = arg;

	(void)starts, (void)ends;
	if (m->n++ == 0)
		m->first = label;
}

void
schedule_check(struct schedule *s, const struct schedule_choice *c)
{
	struct missing missing = { 0 };
	unsigned long long blocks = 0;
	struct buf after = { 0 }, upto = { 0 }, first = { 0 };

	schedule_check_known(s, c);
	if (c->provider == NULL || !c->bounded || c->after >= c->upto)
		return;
	block_put_label(&after, c->after);
	block_put_label(&upto, c->upto);
	if (use_zone_of(s, c->provider)) {
		blocks = schedule_missing(s, c->provider, c->after, c->upto, count_missing, &missing);
		if (blocks == 0)
			note("%s: the clock leaves this hour out: it is no block", upto.p);
		block_put_label(&first, missing.first);
		if (missing.n > 0 && missing.n < blocks)
			warning("%llu of the %llu blocks of %s after %s up to %s are not in %s, "
			    "the first is %s: see %s seed",
			    missing.n, blocks, c->provider, after.p, upto.p, s->shown, first.p, tool.name);
	}
	if (missing.n == blocks && (blocks > 0 || first.p == NULL))
		die(EX_DATAERR, "no block of %s after %s up to %s is in %s: %s seed --provider %s"
		    " --since %s --until %s makes them",
		    c->provider, after.p, upto.p, s->shown, tool.name, c->provider, after.p, upto.p);
	buf_free(&after);
	buf_free(&upto);
	buf_free(&first);
}

/* Calls EACH for the labels of a part of a walk that have no row. */
static void
ask_missing(struct schedule *s, const char *provider, const struct block_walk *part, size_t n,
    void (*each)(void *, int64_t label, int64_t starts, int64_t ends), void *arg)
{
	struct buf labels = { 0 }, wall = { 0 }, sql = { 0 };

	for (size_t i = 0; i < n; i++) {
		buf_reset(&wall);
		block_put_wall(&wall, part[i].label);
		schedule_array(&labels, wall.p);
	}
	buf_text(&labels, n == 0 ? "{}" : "}");
	buf_fmt(&sql, "SELECT w.n - 1 FROM unnest($2::timestamp[]) WITH ORDINALITY w(date, n) WHERE NOT EXISTS (SELECT FROM %s s"
	    " JOIN %s p ON p.id = s.provider_id WHERE p.provider_name = $1 AND s.date = w.date) ORDER BY w.n", s->blocks, s->provider);

	PGresult *r = pg_query(s->conn, sql.p, 2, (const char *const[]){ provider, labels.p });

	for (int i = 0; i < PQntuples(r); i++) {
		const struct block_walk *w = &part[atoi(PQgetvalue(r, i, 0))];

		each(arg, w->label, w->starts, w->ends);
	}
	PQclear(r);
	buf_free(&labels);
	buf_free(&wall);
	buf_free(&sql);
}

unsigned long long
schedule_missing(struct schedule *s, const char *provider, int64_t after, int64_t upto,
    void (*each)(void *, int64_t label, int64_t starts, int64_t ends), void *arg)
{
	struct block_walk walk = block_walk(after, upto), *part = xcalloc(ASKED_AT_ONCE, sizeof *part);
	unsigned long long blocks = 0;
	size_t n;

	do {
		for (n = 0; n < ASKED_AT_ONCE && block_next(&walk); n++)
			part[n] = walk;
		ask_missing(s, provider, part, n, each, arg);
		blocks += n;
	} while (n == ASKED_AT_ONCE);
	free(part);
	return blocks;
}

/* ---- how they are shown ---- */

static const char *const shown_first[] = { "schedule_id", "provider", "block", "folder", "date", "starts", "ends", "zone", NULL };

static bool
is_shown(const char *name)
{
	for (const char *const *p = shown_first; *p != NULL; p++)
		if (strcmp(*p, name) == 0)
			return true;
	return false;
}

/*
 * The folder in S3 is named after the wall clock at the block's start, an hour before its label.  (Where that is no time of
 * the clock, or the later of two, the old system did the same.)
 */
static void
put_columns(const struct schedule *s, struct buf *sql)
{
	buf_text(sql, "s.schedule_id, p.provider_name AS provider, to_char(s.date, 'FMYYYY-FMMM-FMDD-FMHH24') AS block,"
	    " to_char(s.date - interval '1 hour', 'FMYYYY/FMMM/FMDD/FMHH24') AS folder,"
	    " to_char(s.date, 'YYYY-MM-DD\"T\"HH24:MI:SS') AS date,"
	    " to_char(s.starts AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS starts,"
	    " to_char(s.ends AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS ends, s.zone");
	for (size_t i = 0; i < s->columns.n; i++) {
		const struct pg_column *c = &s->columns.col[i];

		if (is_shown(c->name))
			continue;
		if (strcmp(c->kind, "timestamptz") == 0)
			buf_fmt(sql, ", to_char(s.%s AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') AS %s", c->ident, c->ident);
		else
			buf_fmt(sql, ", s.%s", c->ident);
	}
}

unsigned long long
schedule_print(struct schedule *s, const char *where, const struct schedule_values *values, struct rows_out *out)
{
	struct buf sql = { 0 };
	unsigned long long n = 0;
	PGresult *r;

	buf_text(&sql, "SELECT row_to_json(q) FROM (SELECT ");
	put_columns(s, &sql);
	buf_fmt(&sql, "%s ORDER BY s.date, p.provider_name, s.schedule_id) q", where);
	/* row by row, since an error_payload may be large and there may be many */
	if (PQsendQueryParams(s->conn, sql.p, values->n, NULL, values->v, NULL, NULL, 0) == 0 || PQsetSingleRowMode(s->conn) == 0)
		pg_die(s->conn, NULL, NULL);
	for (; (r = PQgetResult(s->conn)) != NULL; PQclear(r)) {
		if (PQresultStatus(r) == PGRES_TUPLES_OK)
			continue;
		if (PQresultStatus(r) != PGRES_SINGLE_TUPLE) {
			rows_flush(out);
			pg_die(s->conn, r, "the output is not complete");
		}
		json_one_line(rows_buf(out), (struct str){ PQgetvalue(r, 0, 0), (size_t)PQgetlength(r, 0, 0) });
		buf_char(rows_buf(out), '\n');
		rows_flush_some(out);
		n++;
		progress_add(1, 0);
		progress_check();
	}
	buf_free(&sql);
	return n;
}
