/*
 * pg-upsert - merge records, or staging tables, into a Postgres table by key.
 *
 * INSERT ... ON CONFLICT DO UPDATE writes every row again, changed or not, and can't say what it did.  Here one join
 * finds what is new and what differs, and only that is written.  The target is locked against other writers (not
 * against readers) while that goes on, so that what the join found still holds when it is written.
 *
 * Tables that refer to each other change together or not at all: each --and begins another target, with options of its own.
 */
#include <stddef.h>
#include <stdlib.h>

#include "advice.h"
#include "base/err.h"
#include "base/limit.h"
#include "base/opt.h"
#include "pg/copy.h"
#include "pg/merge.h"
#include "records/receipt.h"
#include "records/rows.h"

#define LOCK_WAIT 60.0          /* seconds: for writers that do not know of our lock */
#define ATTEMPTS 5              /* of a merge from stages that met a deadlock or the like */

#define MAX_DELETE "50%"

/* The options of one target ... */
static struct target_options {
	struct words keys, stages;
	const char *newer, *max_delete;
	bool replace, delete_missing;
	struct pgcopy_options copy;
	long long expect_rows;
	char **operands;
} target_options = { .max_delete = MAX_DELETE };
static const struct opt_group target_group = {
	&target_options, sizeof target_options, &target_options.operands,
};
/* ... and of the run. */
static bool dry_run;
static long long empty_exit;
static struct rows_options reading = { ROWS_DEFAULTS, ROWS_ADVICE };
static struct pg_options db = { PG_DEFAULTS };

static const struct opt options[] = {
	OPT_LIST('k', "key", "COL[,COL]", &target_options.keys,
	    "columns that tell which row is which"),
	OPT_LIST(0, "stage", "STAGE", &target_options.stages,
	    "merge this table, not records; may be repeated"),
	OPT_STRING(0, "newer", "COL", &target_options.newer,
	    "of rows with one key the greatest COL wins"),
	OPT_FLAG(0, "replace", &target_options.replace, "the table becomes what was read"),
	OPT_FLAG(0, "delete-missing", &target_options.delete_missing,
	    "delete rows whose key was not read"),
	OPT_STRING(0, "max-delete", "N|P%", &target_options.max_delete,
	    "a run that deletes more than this: fail (50%)"),
	OPT_GROUP("and", "TABLE", "merge into this one too; its options follow"),
	OPT_FLAG('n', "dry-run", &dry_run, "do it all, print the receipt, undo it"),
	OPT_FLAG(0, "private", &db.private, "messages quote no value; needs --rejects"),
	OPT_PGCOPY(target_options.copy),
	OPT_NUMBER(0, "expect-rows", "N", &target_options.expect_rows, 0, 1LL << 62,
	    "fewer rows are an error (65)"),
	OPT_NUMBER(0, "empty-exit", "STATUS", &empty_exit, 0, 255, "exit status when there was no record"),
	OPT_RENAMED("from", "stage"),
	OPT_PG(db),
	OPT_ROWS_CHECKS(reading),
	OPT_END
};
const struct tool tool = {
	.name = "pg-upsert", .operands = "TABLE --key COL[,COL] [file ... | --stage STAGE]",
	.options = options,
	.does = "Merge records, or staging tables, into a PostgreSQL table by key.",
	.group = &target_group,
};

struct target {
	const struct target_options *options;
	struct pgmerge_want want;
	struct pgmerge *merge;          /* of this attempt */
};
struct targets { struct target *t; size_t n; };

/* ---- options ---- */

/* All of --key, which takes lists and comes more than once.  Caller frees the result and its first word. */
static struct words
all_keys(const struct words *given)
{
	struct buf list = { 0 };
	struct words keys;

	for (size_t i = 0; i < given->n; i++)
		buf_fmt(&list, "%s%s", i > 0 ? "," : "", given->w[i]);
	keys = opt_split(list.p);
	buf_free(&list);
	return keys;
}

static struct target
check_target(const struct target_options *o)
{
	if (o->operands[0] == NULL)
		die(EX_USAGE, "no TABLE: say what to merge into");
	if (o->keys.n == 0)
		die(EX_USAGE, "no --key: say which columns tell a row");
	if (o->stages.n > 0 && o->operands[1] != NULL)
		die(EX_USAGE, "%s: --stage takes tables, so there is no place for a file",
		    o->operands[1]);
	return (struct target){
		.options = o,
		.want = {
			.table = o->operands[0], .keys = all_keys(&o->keys), .stages = o->stages,
			.see_stage = "fill it with pg-copy-in first", .newer = o->newer,
			.max_delete = limit_parse("max-delete", o->max_delete),
			.replace = o->replace, .delete_missing = o->delete_missing, .copy = o->copy,
		},
	};
}

static struct targets
parse_targets(int argc, char **argv)
{
	struct targets all = { 0 };
	const struct target_options *of;

	opt_parse(argc, argv);
	of = opt_groups(&all.n);
	all.t = xcalloc(all.n, sizeof *all.t);
	for (size_t i = 0; i < all.n; i++)
		all.t[i] = check_target(&of[i]);
	for (size_t i = 0; i < all.n && all.n > 1; i++)
		if (all.t[i].want.stages.n == 0)
			die(EX_USAGE, "%s: with --and each table wants its --stage",
			    all.t[i].want.table);
	if (all.t[0].want.stages.n > 0 && (reading.rejects != NULL || reading.max_rejects != NULL))
		die(EX_USAGE, "--rejects is for records, not for --stage:"
		    " reject them when the stage is filled");
	if (db.private && all.t[0].want.stages.n == 0 && reading.rejects == NULL)
		die(EX_USAGE, "--private: without --rejects the reason of a bad record would quote it");
	return all;
}

static void
free_targets(struct targets *all)
{
	for (size_t i = 0; i < all->n; i++) {
		struct target *t = &all->t[i];

		pgmerge_close(t->merge);
		free(t->want.keys.w[0]);
		free(t->want.keys.w);
		free(t->options->keys.w);
		free(t->options->stages.w);
	}
	free(all->t);
}

/* ---- the receipt ---- */

static const struct { const char *name; size_t at; } counts[] = {
#define COUNT(name) { #name, offsetof(struct pgmerge_counts, name) }
	COUNT(read), COUNT(inserted), COUNT(updated), COUNT(unchanged), COUNT(deleted), COUNT(superseded), COUNT(kept_newer),
	COUNT(rejected),
#undef COUNT
};
#define COUNTS (sizeof counts / sizeof *counts)

static unsigned long long
count_of(const struct target *t, size_t which)
{
	return *(const unsigned long long *)((const char *)pgmerge_counts(t->merge) + counts[which].at);
}

/* A JSON object a target. */
static void
print_tables(const struct targets *all)
{
	struct buf tables = { 0 };

	for (size_t i = 0; i < all->n; i++) {
		buf_text(&tables, i > 0 ? ",{\"table\":" : "[{\"table\":");
		buf_json(&tables, str_of(pgmerge_target(all->t[i].merge)));
		for (size_t c = 0; c < COUNTS; c++)
			buf_fmt(&tables, ",\"%s\":%llu", counts[c].name, count_of(&all->t[i], c));
		buf_char(&tables, '}');
	}
	buf_char(&tables, ']');
	receipt_json("tables", tables.p);
	buf_free(&tables);
}

/* Returns how many rows were read. */
static unsigned long long
print_receipt(const struct targets *all)
{
	unsigned long long nuls = pgmerge_counts(all->t[0].merge)->nuls, read = 0;

	receipt_open();
	if (all->n == 1)
		receipt_str("table", pgmerge_target(all->t[0].merge));
	else
		print_tables(all);
	for (size_t c = 0; c < COUNTS; c++) {
		unsigned long long sum = 0;

		for (size_t i = 0; i < all->n; i++)
			sum += count_of(&all->t[i], c);
		receipt_int(counts[c].name, sum);
		read = c == 0 ? sum : read;
	}
	if (nuls > 0)
		receipt_int("nuls", nuls);
	if (dry_run)
		receipt_bool("dry_run", true);
	receipt_close(read == 0);
	return read;
}

/* ---- the merge ---- */

/* Takes a step for each target; false when the transaction is lost. */
static bool
each(const struct targets *all, bool (*step)(struct pgmerge *))
{
	for (size_t i = 0; i < all->n; i++)
		if (!step(all->t[i].merge))
			return false;
	return true;
}

static bool
take_stages(struct pgmerge *m)
{
	return pgmerge_take(m, NULL);
}

static bool
take_records(struct pgmerge *m, struct rows *in)
{
	/* who is ready to wait reads beside the other run; who isn't shall know before a record is read */
	bool locked = db.lock_timeout <= 0;

	if (locked)
		pgmerge_lock(m);
	if (!pgmerge_take(m, in))
		return false;
	if (!locked)
		pgmerge_lock(m);
	return true;
}

static bool
delete_last_first(const struct targets *all)
{
	for (size_t i = all->n; i-- > 0;)
		if (!pgmerge_delete(all->t[i].merge))
			return false;
	return true;
}

/* One attempt, all of it but the COMMIT.  False when the transaction is lost. */
static bool
attempt(PGconn *conn, const struct targets *all, struct rows *in)
{
	pg_begin(conn, LOCK_WAIT);
	pgmerge_tune(conn);
	for (size_t i = 0; i < all->n; i++) {
		struct target *t = &all->t[i];

		pgmerge_close(t->merge);
		t->merge = pgmerge_open(conn, &t->want, (unsigned)i + 1);
		if (in == NULL)
			pgmerge_lock(t->merge);
	}
	return (in != NULL ? take_records(all->t[0].merge, in) : each(all, take_stages)) && each(all, pgmerge_prepare) &&
	    delete_last_first(all) && each(all, pgmerge_write);
}

static void
check_rows(const struct targets *all)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct target *t = &all->t[i];
		unsigned long long read = pgmerge_counts(t->merge)->read;

		if (read < (unsigned long long)t->options->expect_rows)
			die(EX_DATAERR, "%s: %llu rows, %lld expected: nothing was changed",
			    pgmerge_target(t->merge), read, t->options->expect_rows);
	}
}

int
main(int argc, char *argv[])
{
	struct targets all = parse_targets(argc, argv);
	struct rows *in = NULL;
	PGconn *conn;
	unsigned long long read;

	stop_setup("nothing was changed, run again");
	if (all.t[0].want.stages.n == 0)
		in = rows_open(all.t[0].options->operands + 1, &reading);
	conn = pg_open(&db);
	for (unsigned n = 0;; n++) {
		bool done = attempt(conn, &all, in);

		if (done)
			check_rows(&all);
		if (in != NULL && done)
			rows_check(in);
		if (done && dry_run)
			pg_run(conn, "ROLLBACK");
		if (done && (dry_run || pg_try_commit(&conn)))
			break;
		/* records are gone once they are read, stages are still there */
		if (in != NULL || n + 1 == ATTEMPTS)
			die(EX_TEMPFAIL, "%s: %s: nothing was changed", all.t[0].want.table, pg_why());
		pg_run(conn, "ROLLBACK");
		pg_pause(n);
	}
	read = print_receipt(&all);
	if (in != NULL)
		rows_close(in);
	free_targets(&all);
	pg_close(conn);
	return read == 0 ? (int)empty_exit : EX_OK;
}
