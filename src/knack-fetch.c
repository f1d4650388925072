/*
 * knack-fetch - the records of a Knack object or view, every one exactly once.
 *
 * A page goes out in one piece, once it came whole; its records are never parsed and printed again.  The metadata are
 * always looked at, since Knack answers a question on a field that it does not know with everything it has.
 */
#include <limits.h>
#include <stdio.h>

#include "advice.h"
#include "base/err.h"
#include "base/progress.h"
#include "knack/knack.h"
#include "knack/pages.h"
#include "knack/query.h"
#include "knack/resume.h"
#include "records/rows.h"

static struct knack_wanted want;
static const char *app_file, *resume;
static long long row_limit = -1, page_size = KNACK_PAGE, drift, empty_exit, expect_rows;
static bool just_count, just_metadata;
static struct knack_options source = { KNACK_DEFAULTS, .metadata_writer = METADATA_WRITER };

static const struct opt options[] = {
	OPT_STRING(0, "object", "OBJECT", &want.object, "the records of this object: object_12"),
	OPT_NO_LETTER('o', "object"),
	OPT_STRING(0, "view", "VIEW", &want.view, "or of this view: view_197"),
	OPT_STRING(0, "scene", "SCENE", &want.scene, "its page: scene_73 (else as the metadata say)"),
	OPT_STRING(0, "since", "FIELD=TIMESTAMP", &want.since, "only records at or after it, by this field"),
	OPT_STRING('f', "filters", "JSON", &want.filters, "only these, by Knack's rules"),
	OPT_STRING(0, "sort", "FIELD[:desc]", &want.sort,
	    "in this order (else by an auto increment)"),
	OPT_NO_LETTER('s', "sort"),
	OPT_NUMBER(0, "limit", "N", &row_limit, 0, 1LL << 50, "no more than N records"),
	OPT_NO_LETTER('n', "limit"),
	OPT_FLAG(0, "count", &just_count, "print the number of records and end"),
	OPT_NO_LETTER('c', "count"),
	OPT_FLAG(0, "describe", &just_metadata, "print the application's metadata and end"),
	OPT_STRING('m', "metadata", "FILE", &app_file,
	    "the application's metadata, from knack-fetch"),
	OPT_NO_LETTER('a', "metadata"),
	OPT_RENAMED("app", "metadata"),
	OPT_STRING(0, "zone", "NAME", &want.zone, "the application's time zone (else its own)"),
	OPT_RENAMED("timezone", "zone"),
	OPT_STRING(0, "resume", "FILE", &resume, "go on where a run stopped that left this file"),
	OPT_NUMBER(0, "page-size", "N", &page_size, 1, KNACK_PAGE, "records a request (1000)"),
	OPT_NUMBER(0, "allow-drift", "N", &drift, 0, 1LL << 50, "let up to N records move while they are read"),
	OPT_NUMBER(0, "expect-rows", "N", &expect_rows, 0, 1LL << 50, "fewer records are an error (65)"),
	OPT_NUMBER(0, "empty-exit", "STATUS", &empty_exit, 0, 255,
	    "exit status when there are no records"),
	OPT_KNACK(source),
	OPT_END
};
const struct tool tool = {
	.name = "knack-fetch", .operands = "", .options = options,
	.does = "Write the records of a Knack object or view.",
};

static void
check_options(char **operands)
{
	if (operands[0] != NULL)
		die(EX_USAGE, "%s: want options only: --object, or --view", operands[0]);
	if (just_metadata && (want.object != NULL || want.view != NULL || just_count || resume != NULL || app_file != NULL))
		die(EX_USAGE, "--describe is a document by itself: no --object, --view, --count,"
		    " --resume or --metadata with it");
	if (just_count && (resume != NULL || row_limit >= 0))
		die(EX_USAGE, "--count is of all records: no --resume or --limit with it");
	if (!just_metadata)
		knack_wanted_check(&want);
}

static void
put_line(struct rows_out *out, struct str line)
{
	rows_put_raw(out, line);
	if (line.n > 0 && line.p[line.n - 1] != '\n')
		rows_put_raw(out, STR("\n"));
}

static void
do_metadata(struct knack *k)
{
	struct rows_out *out = rows_stdout(NULL, ROWS_GUESS);
	struct buf json = { 0 };

	knack_metadata(k, &json);
	/* dies if it is something else */
	knack_app_free(knack_app_parse(buf_all(&json), "metadata", METADATA_WRITER, EX_PROTOCOL));
	put_line(out, buf_all(&json));
	rows_finish(out);
	buf_free(&json);
}

/* Knack's own count, by one record; but records that are dropped here have to be seen. */
static unsigned long long
count_rows(struct knack *k, const struct knack_query *q)
{
	bool all = want.since != NULL;
	struct knack_pages *pages = knack_pages_open(k, q, &(struct knack_pages_wanted){
		.page_size = all ? page_size : 1, .limit = all ? ULLONG_MAX : 1, .drift = drift });
	const struct knack_mark *mark = knack_pages_mark(pages);
	unsigned long long rows;

	while (knack_pages_next(pages) != NULL)
		progress_check();
	rows = all ? mark->rows : mark->total;
	knack_pages_close(pages);
	printf("%llu\n", rows);
	if (fflush(stdout) != 0)
		die_errno(EX_IOERR, "stdout");
	return rows;
}

static void
put_page(struct rows_out *out, const struct knack_page *page)
{
	rows_put_raw(out, page->data);
	rows_flush(out);                /* so that a reader who left is noticed by now, and the mark is not ahead */
	progress_add(page->rows, page->data.n);
	progress_check();
}

static struct knack_resume *
open_resume(struct knack *k, const struct knack_query *q, struct buf *question)
{
	if (resume == NULL)
		return NULL;
	buf_fmt(question, "%s of %s, since %s in %s, limit %lld: ", k->base, k->app_id, want.since != NULL ? want.since : "-",
	    want.zone != NULL ? want.zone : "-", row_limit);
	knack_query_text(q, question);
	return knack_resume_open(resume, question->p);
}

static unsigned long long
fetch_rows(struct knack *k, const struct knack_query *q)
{
	struct buf question = { 0 };
	struct knack_resume *r = open_resume(k, q, &question);
	struct knack_pages *pages = knack_pages_open(k, q, &(struct knack_pages_wanted){ .page_size = page_size,
		.limit = row_limit >= 0 ? (unsigned long long)row_limit : ULLONG_MAX, .drift = drift,
		.from = r != NULL ? knack_resume_mark(r) : NULL });
	const struct knack_mark *mark = knack_pages_mark(pages);
	struct rows_out *out = rows_stdout(NULL, ROWS_GUESS);
	const struct knack_page *page;
	unsigned long long rows;

	while ((page = knack_pages_next(pages)) != NULL) {
		progress_set_total(mark->total);
		put_page(out, page);
		if (r != NULL)
			knack_resume_save(r, mark);
	}
	rows = mark->rows;
	knack_pages_close(pages);
	rows_finish(out);
	if (r != NULL)
		knack_resume_end(r);
	buf_free(&question);
	return rows;
}

/* The exit status that the number of rows asks for. */
static int
judge_rows(unsigned long long rows)
{
	if (rows < (unsigned long long)expect_rows)
		die(EX_DATAERR, "%llu records, but --expect-rows %lld", rows, expect_rows);
	return rows == 0 ? (int)empty_exit : EX_OK;
}

int
main(int argc, char *argv[])
{
	char **operands = opt_parse(argc, argv);
	struct knack *knack;
	int status = EX_OK;

	check_options(operands);
	knack = knack_open(app_file, &source);
	if (just_metadata) {
		do_metadata(knack);
	} else {
		struct knack_query *query = knack_query_open(knack, &want);

		status = judge_rows(just_count ? count_rows(knack, query) : fetch_rows(knack, query));
		knack_query_close(query);
	}
	knack_close(knack);
	return status;
}
