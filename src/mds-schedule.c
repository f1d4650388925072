/*
 * mds-schedule - the schedule of an MDS flow: which hours of which provider are fetched, loaded and published.
 *
 * A block is labelled by the local wall clock at its end, as Austin's schedule had it, and kept with its bounds in UTC, by which
 * blocks tile all of time whatever the clock does (mds/block.h).  The state of a block is its row, and a worker's right to
 * it is a claim: see mds/schedule-claim.c.
 */
#include <stdlib.h>
#include <string.h>

#include "advice.h"
#include "base/uuid.h"
#include "format/date.h"
#include "format/zone.h"
#include "mds/block.h"
#include "mds/schedule.h"
#include "records/receipt.h"

#define SENT_AT_ONCE 5000       /* blocks of one statement of seed */

static const char *schema = "api", *provider, *provider_id, *zone, *since, *until;
static const char *time_max, *time_min, *status, *trips, *socrata;
static long long interval = -1, limit = -1, empty_exit, worker_pid = -1;
static double stale = 3600, stuck = 2 * 86400;
static bool any_status, incomplete, force, release;
static struct pg_options db = { PG_DEFAULTS };
static const struct rows_options reading = { ROWS_DEFAULTS, ROWS_ADVICE };

/* ---- options ---- */

static const char *
need(const char *option, const char *value)
{
	if (value == NULL || *value == '\0')
		die(EX_USAGE, "%s: no --%s", opt_command()->name, option);
	return value;
}

static int64_t
label_of(const char *option, const char *text)
{
	int64_t wall;
	const char *why;

	if (!block_label_parse(str_of(text), &wall, &why))
		die(EX_USAGE, "--%s: \"%s\" %s", option, text, why);
	return wall;
}

/* The old system's boundaries: --time-min's block is not one of them, and --interval counts hours of the wall clock. */
static struct schedule_choice
choose_blocks(void)
{
	struct schedule_choice c = { .provider = provider, .incomplete = incomplete, .no_width = force };

	if (status != NULL && any_status)
		die(EX_USAGE, "--status or --any-status, not both");
	if (status != NULL)
		c.states = schedule_states("status", status);
	if (time_max == NULL && (time_min != NULL || interval >= 0))
		die(EX_USAGE, "no --time-max: up to which block?");
	c.bounded = time_max != NULL;
	if (!c.bounded)
		return c;
	c.upto = label_of("time-max", time_max);
	c.after = time_min != NULL ? label_of("time-min", time_min) : c.upto - (interval >= 0 ? interval : 1) * BLOCK_HOUR;
	if (c.after > c.upto)
		die(EX_USAGE, "--time-min %s is after --time-max %s", time_min, time_max);
	return c;
}

static struct schedule_choice
choose_span(void)
{
	struct schedule_choice c = { .provider = need("provider", provider), .bounded = true };

	c.after = label_of("since", need("since", since));
	c.upto = label_of("until", need("until", until));
	if (c.after > c.upto)
		die(EX_USAGE, "--since %s is after --until %s", since, until);
	zone_use(need("zone", zone));
	return c;
}

static void
check_uuid(const char *id)
{
	if (!uuid_is(str_of(id), true))
		die(EX_USAGE, "--provider-id %s: want a UUID", id);
}

/* ---- seed ---- */

static void
make_provider(struct schedule *s)
{
	struct buf sql = { 0 };
	const char *const values[] = { provider, provider_id };

	buf_fmt(&sql, "INSERT INTO %s (provider_name) VALUES ($1) ON CONFLICT (provider_name) DO NOTHING", s->provider);
	PQclear(pg_query(s->conn, sql.p, 1, values));
	buf_reset(&sql);
	buf_fmt(&sql, "UPDATE %s SET provider_id = $2 WHERE provider_name = $1 AND provider_id IS DISTINCT FROM $2", s->provider);
	if (provider_id != NULL)
		PQclear(pg_query(s->conn, sql.p, 2, values));
	buf_free(&sql);
}

/* Blocks of one statement, as arrays of the walls and instants. */
struct batch { struct buf label, starts, ends; size_t n; };

static bool
fill_batch(struct batch *b, struct block_walk *walk)
{
	struct buf *const arrays[] = { &b->label, &b->starts, &b->ends };
	struct buf text = { 0 };

	for (size_t i = 0; i < 3; i++)
		buf_reset(arrays[i]);
	for (b->n = 0; b->n < SENT_AT_ONCE && block_next(walk); b->n++) {
		buf_reset(&text);
		block_put_wall(&text, walk->label);
		schedule_array(&b->label, text.p);
		buf_reset(&text);
		block_put_utc(&text, walk->starts);
		schedule_array(&b->starts, text.p);
		buf_reset(&text);
		block_put_utc(&text, walk->ends);
		schedule_array(&b->ends, text.p);
	}
	for (size_t i = 0; i < 3; i++)
		buf_text(arrays[i], "}");
	buf_free(&text);
	return b->n > 0;
}

#define BATCH " unnest($2::timestamp[], $3::timestamptz[], $4::timestamptz[]) b(date, starts, ends)"

/* Rows with other bounds are of another zone: with them the blocks would overlap. */
static void
check_batch(struct schedule *s, const struct batch *b)
{
	const char *const values[] = { provider, b->label.p, b->starts.p, b->ends.p };
	struct buf sql = { 0 };

	buf_fmt(&sql, "SELECT count(*), min(to_char(s.date, 'FMYYYY-FMMM-FMDD-FMHH24')), min(s.zone), count(*) FILTER (WHERE s.starts IS NULL)"
	    " FROM %s s JOIN %s p ON p.id = s.provider_id JOIN" BATCH " ON b.date = s.date"
	    " WHERE p.provider_name = $1 AND (s.starts, s.ends) IS DISTINCT FROM (b.starts, b.ends)", s->blocks, s->provider);

	PGresult *r = pg_query(s->conn, sql.p, 4, values);

	if (strcmp(PQgetvalue(r, 0, 3), "0") != 0)
		die(EX_CONFIG, "%s blocks of %s have no bounds in UTC: run mds-schedule init --zone ZONE", PQgetvalue(r, 0, 3), s->shown);
	if (strcmp(PQgetvalue(r, 0, 0), "0") != 0)
		die(EX_DATAERR, "%s blocks of %s, such as %s, have other bounds than --zone %s gives: theirs is %s", PQgetvalue(r, 0, 0),
		    provider, PQgetvalue(r, 0, 1), zone, PQgetvalue(r, 0, 2));
	PQclear(r);
	buf_free(&sql);
}

static unsigned long long
insert_batch(struct schedule *s, const struct batch *b)
{
	const char *const values[] = { provider, b->label.p, b->starts.p, b->ends.p, zone };
	struct buf sql = { 0 };

	buf_fmt(&sql, "INSERT INTO %s (provider_id, year, month, day, hour, date, starts, ends, zone, status_id)"
	    " SELECT p.id, extract(year FROM b.date)::int, extract(month FROM b.date)::int, extract(day FROM b.date)::int,"
	    " extract(hour FROM b.date)::int, b.date, b.starts, b.ends, $5::text, 0 FROM %s p," BATCH
	    " WHERE p.provider_name = $1 ORDER BY b.date ON CONFLICT (provider_id, date) DO NOTHING", s->blocks, s->provider);

	PGresult *r = pg_query(s->conn, sql.p, 5, values);
	unsigned long long n = strtoull(PQcmdTuples(r), NULL, 10);

	PQclear(r);
	buf_free(&sql);
	return n;
}

static void
seed_blocks(struct schedule *s, const struct schedule_choice *c)
{
	struct block_walk walk = block_walk(c->after, c->upto);
	unsigned long long blocks = 0, inserted = 0;
	struct batch batch = { 0 };

	schedule_begin(s, false);
	schedule_need(s);
	make_provider(s);
	for (; fill_batch(&batch, &walk); blocks += batch.n) {
		inserted += insert_batch(s, &batch);
		check_batch(s, &batch);
	}
	pg_commit(&s->conn);
	receipt_open();
	receipt_str("table", s->shown);
	receipt_str("provider", provider);
	receipt_int("read", blocks);
	receipt_int("inserted", inserted);
	receipt_int("unchanged", blocks - inserted);
	receipt_close(blocks == 0);
	buf_free(&batch.label);
	buf_free(&batch.starts);
	buf_free(&batch.ends);
}

/* ---- list ---- */

static unsigned long long
list_blocks(struct schedule *s, const struct schedule_choice *c, struct rows_out *out)
{
	struct schedule_values values = { 0 };
	struct buf where = { 0 };

	schedule_begin(s, true);
	schedule_need(s);
	schedule_check(s, c);
	schedule_where(s, c, &where, &values);

	unsigned long long n = schedule_print(s, where.p, &values, out);

	buf_free(&where);
	schedule_values_free(&values);
	return n;
}

/* ---- the commands ---- */

static void
open_schedule(struct schedule *s)
{
	stop_setup("nothing was changed");
	schedule_open(s, schema, &db);
}

/* Ends a command that wrote N records. */
static int
close_records(struct schedule *s, struct rows_out *out, unsigned long long n)
{
	rows_finish(out);
	schedule_close(s);
	return n == 0 ? (int)empty_exit : EX_OK;
}

static int
init(char **none)
{
	struct schedule s;

	(void)none;
	if (zone != NULL)
		zone_use(zone);
	open_schedule(&s);
	schedule_init(&s, zone);
	schedule_close(&s);
	return EX_OK;
}

static int
seed(char **none)
{
	struct schedule_choice choice;
	struct schedule s;

	(void)none;
	if (provider_id != NULL)
		check_uuid(provider_id);
	choice = choose_span();
	open_schedule(&s);
	seed_blocks(&s, &choice);
	schedule_close(&s);
	return EX_OK;
}

static int
list(char **none)
{
	struct schedule_choice choice = choose_blocks();
	struct rows_out *out = rows_stdout(NULL, ROWS_GUESS);
	struct schedule s;
	unsigned long long n;

	(void)none;
	open_schedule(&s);
	n = list_blocks(&s, &choice, out);
	free((char *)choice.states);
	return close_records(&s, out, n);
}

static int
claim(char **none)
{
	struct schedule_choice choice;
	struct rows_out *out;
	struct schedule s;
	unsigned long long n;

	(void)none;
	need("provider", provider);
	if (status == NULL && !any_status && !incomplete)
		die(EX_USAGE, "claim: no --status, --incomplete or --any-status: which blocks?");
	if (worker_pid < 0)
		die(EX_USAGE, "claim: no --worker-pid: which process works on them?"
		    "  In a shell $$ is its own");
	if (time_max == NULL)
		die(EX_USAGE, "claim: no --time-max: up to which block?");
	choice = choose_blocks();
	out = rows_stdout(NULL, ROWS_GUESS);
	open_schedule(&s);
	n = schedule_claim(&s, &choice, (long)worker_pid, stale, limit, out);
	free((char *)choice.states);
	return close_records(&s, out, n);
}

static int
set(char **files)
{
	struct schedule s;

	open_schedule(&s);
	schedule_set(&s, files, &reading, release);
	schedule_close(&s);
	return EX_OK;
}

static int
gaps(char **none)
{
	struct schedule_choice choice = choose_span();
	struct schedule_gaps want = { stuck, stale, trips, socrata, &reading };
	struct rows_out *out = rows_stdout(NULL, ROWS_GUESS);
	struct schedule s;

	(void)none;
	open_schedule(&s);
	return close_records(&s, out, schedule_find_gaps(&s, &choice, &want, out));
}

#define ZONE OPT_STRING(0, "zone", "NAME", &zone, "the time zone whose clock labels the blocks")
#define PROVIDER OPT_STRING(0, "provider", "NAME", &provider, "whose blocks")
#define SPAN \
	OPT_STRING(0, "since", "LABEL", &since, \
	    "blocks that begin then or later, yyyy-mm-dd-hh"), \
	OPT_STRING(0, "until", "LABEL", &until, "blocks that begin before then"), \
	OPT_RENAMED("from", "since"), \
	OPT_RENAMED("to", "until")
#define BLOCKS \
	OPT_STRING(0, "time-max", "LABEL", &time_max, "up to this block, yyyy-mm-dd-hh"), \
	OPT_STRING(0, "time-min", "LABEL", &time_min, "after this one"), \
	OPT_NUMBER(0, "interval", "N", &interval, 0, 1000000, "N hours up to --time-max (1)"), \
	OPT_STRING(0, "status", "N,...", &status, "blocks in these states"), \
	OPT_FLAG(0, "any-status", &any_status, "in any state"), \
	OPT_FLAG(0, "incomplete", &incomplete, "those with a status below 8"), \
	OPT_FLAG(0, "force", &force, "old blocks that have no width too")
#define STALE OPT_SECONDS(0, "stale", "TIME", &stale, "another machine's claim is void then (1h)")
#define EMPTY_EXIT \
	OPT_NUMBER(0, "empty-exit", "STATUS", &empty_exit, 0, 255, \
	    "exit status when there are none")

static const struct opt init_options[] = { ZONE, OPT_END };
static const struct opt seed_options[] = {
	PROVIDER,
	OPT_STRING(0, "provider-id", "UUID", &provider_id, "the provider's id in MDS"),
	SPAN,
	ZONE,
	OPT_END
};
static const struct opt list_options[] = { PROVIDER, BLOCKS, EMPTY_EXIT, OPT_END };
static const struct opt claim_options[] = {
	PROVIDER,
	BLOCKS,
	OPT_NUMBER(0, "worker-pid", "PID", &worker_pid, 1, 1 << 30,
	    "the process that works on them"),
	STALE,
	OPT_NUMBER(0, "limit", "N", &limit, 1, 1LL << 40, "no more than N blocks"),
	EMPTY_EXIT,
	OPT_END
};
static const struct opt set_options[] = {
	OPT_FLAG(0, "release", &release, "the claim ends with this"),
	OPT_END
};
static const struct opt gaps_options[] = {
	PROVIDER,
	SPAN,
	ZONE,
	OPT_SECONDS(0, "stuck", "TIME", &stuck, "a block should be published by then (2d)"),
	STALE,
	OPT_STRING(0, "trips", "TABLE", &trips, "the table of trips (api.trips)"),
	OPT_STRING(0, "socrata", "FILE", &socrata, "the dataset's trips a day, to compare"),
	EMPTY_EXIT,
	OPT_END
};
static const struct opt options[] = {
	OPT_STRING(0, "schema", "NAME", &schema, "where the tables are (api)"),
	OPT_PG(db),
	OPT_END
};
static const struct command commands[] = {
	{ "init", "", "Make the tables.", init_options, init },
	{ "seed", "", "Make the rows of blocks.", seed_options, seed },
	{ "list", "", "Write blocks as records.", list_options, list },
	{ "claim", "", "Give blocks to a process, and write them.", claim_options, claim },
	{ "set", "[file ...]", "Write what became of blocks.", set_options, set },
	{ "gaps", "", "Write what is missing, stuck or different.", gaps_options, gaps },
	{ 0 }
};
const struct tool tool = {
	.name = "mds-schedule", .options = options, .commands = commands,
	.does = "Keep the schedule of an MDS flow in Postgres: a row per provider and hour.",
};

int
main(int argc, char *argv[])
{
	char **operands = opt_parse(argc, argv);

	return opt_command()->run(operands);
}
