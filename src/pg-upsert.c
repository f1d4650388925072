/*
 * pg-upsert - merge records, or staging tables, into a Postgres table by key.
 *
 * INSERT ... ON CONFLICT DO UPDATE writes every row again, changed or not, and can't say what it did.  Here one join
 * finds what is new and what differs, and only that is written.  The target is locked against other writers (not
 * against readers) while that goes on, so that what the join found still holds when it is written.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/err.h"
#include "lib/limit.h"
#include "lib/opt.h"
#include "lib/pgcopy.h"
#include "lib/pgmerge.h"
#include "lib/receipt.h"
#include "lib/rows.h"

#define LOCK_WAIT 60.0          /* seconds: for writers that do not know of our lock */
#define ATTEMPTS 5              /* of a merge from stages that met a deadlock or the like */

static struct words key_options, stages;
static const char *newer, *max_delete = "50%";
static bool replace, delete_missing, dry_run;
static long long expect_rows, empty_exit;

static const struct opt options[] = {
	OPT_LIST('k', "key", "COL[,COL]", &key_options, "columns that tell which row is which"),
	OPT_LIST(0, "from", "STAGE", &stages, "merge this table, not standard input; repeat for more, later ones win"),
	OPT_STRING(0, "newer", "COL", &newer, "of rows with one key the one with the greatest COL wins, here and in the table"),
	OPT_FLAG(0, "replace", &replace, "the table becomes what was read"),
	OPT_FLAG(0, "delete-missing", &delete_missing, "delete rows whose key was not read"),
	OPT_STRING(0, "max-delete", "N|P%", &max_delete, "that would delete more of the table than this: fail (50%)"),
	OPT_FLAG('n', "dry-run", &dry_run, "do it all, print the receipt, undo it"),
	OPT_PGCOPY,
	OPT_NUMBER(0, "expect-rows", "N", &expect_rows, 0, 1LL << 62, "fewer rows than this are bad data"),
	OPT_NUMBER(0, "empty-exit", "STATUS", &empty_exit, 0, 255, "exit status when there was no record"),
	OPT_PG,
	OPT_ROWS_CHECKS,
	OPT_END
};
const struct tool tool = {
	.name = "pg-upsert", .operands = "TABLE --key COL[,COL] [file ... | --from STAGE]", .options = options,
	.does = "Merge records, or staging tables, into a Postgres table by key, in one transaction.",
};

static void
print_receipt(const struct pgmerge *m)
{
	const struct pgmerge_counts *n = pgmerge_counts(m);

	receipt_open();
	receipt_str("table", pgmerge_target(m));
	receipt_int("read", n->read);
	receipt_int("inserted", n->inserted);
	receipt_int("updated", n->updated);
	receipt_int("unchanged", n->unchanged);
	receipt_int("deleted", n->deleted);
	receipt_int("superseded", n->superseded);
	receipt_int("kept_newer", n->kept_newer);
	receipt_int("rejected", n->rejected);
	if (n->nuls > 0)
		receipt_int("nuls", n->nuls);
	if (dry_run)
		receipt_bool("dry_run", true);
	receipt_close(n->read == 0);
}

/* One attempt, all of it but the COMMIT.  False when the transaction is lost.  Caller closes the merge. */
static bool
attempt(PGconn *conn, const struct pgmerge_want *want, struct pgmerge **merge, struct rows *in)
{
	struct pgmerge *m;

	pg_begin(conn, LOCK_WAIT);
	pgmerge_tune(conn);
	m = *merge = pgmerge_open(conn, want, 1);
	/* who is ready to wait reads beside the other run; who isn't shall know before a record is read */
	if (in == NULL || pg_lock_timeout <= 0)
		pgmerge_lock(m);
	if (!pgmerge_take(m, in))
		return false;
	if (in != NULL && pg_lock_timeout > 0)
		pgmerge_lock(m);
	return pgmerge_prepare(m) && pgmerge_delete(m) && pgmerge_write(m);
}

static void
check_options(char **files)
{
	if (key_options.n == 0)
		die(EX_USAGE, "no --key: say which columns tell a row");
	if (stages.n > 0 && files[0] != NULL)
		die(EX_USAGE, "%s: --from takes tables, so there is no place for a file", files[0]);
	if (stages.n > 0 && (rows_rejects != NULL || rows_max_rejects != NULL))
		die(EX_USAGE, "--rejects is for records, not for --from: reject them when the stage is filled");
	limit_parse("max-delete", max_delete);
}

/* All of --key, which takes lists and comes more than once.  Caller frees the result and its first word. */
static struct words
all_keys(void)
{
	struct buf list = { 0 };
	struct words keys;

	for (size_t i = 0; i < key_options.n; i++)
		buf_fmt(&list, "%s%s", i > 0 ? "," : "", key_options.w[i]);
	keys = opt_split(list.p);
	buf_free(&list);
	return keys;
}

int
main(int argc, char *argv[])
{
	char **operands = opt_parse(argc, argv);

	if (operands[0] == NULL)
		die(EX_USAGE, "no TABLE: say what to merge into");
	check_options(operands + 1);
	stop_setup("nothing was changed, run again");

	struct pgmerge_want want = {
		.table = operands[0], .keys = all_keys(), .stages = stages, .newer = newer, .max_delete = max_delete,
		.replace = replace, .delete_missing = delete_missing, .ignore_new = pgcopy_ignore_new,
	};
	struct rows *in = stages.n == 0 ? rows_open(operands + 1) : NULL;
	PGconn *conn = pg_open();
	struct pgmerge *m;

	for (unsigned n = 0;; n++) {
		bool done = attempt(conn, &want, &m, in);

		if (done && pgmerge_counts(m)->read < (unsigned long long)expect_rows)
			die(EX_DATAERR, "%llu rows, %lld expected: nothing was changed", pgmerge_counts(m)->read, expect_rows);
		if (in != NULL && done)
			rows_check(in);
		if (done && dry_run)
			pg_run(conn, "ROLLBACK");
		if (done && (dry_run || pg_try_commit(&conn)))
			break;
		/* records are gone once they are read, stages are still there */
		if (in != NULL || n + 1 == ATTEMPTS)
			die(EX_TEMPFAIL, "%s: %s: nothing was changed", pgmerge_target(m), pg_why());
		pg_run(conn, "ROLLBACK");
		pgmerge_close(m);
		pg_pause(n);
	}
	print_receipt(m);

	bool empty = pgmerge_counts(m)->read == 0;

	if (in != NULL)
		rows_close(in);
	free(want.keys.w[0]);
	free(want.keys.w);
	pgmerge_close(m);
	pg_close(conn);
	return empty ? (int)empty_exit : EX_OK;
}
