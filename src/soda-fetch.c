/*
 * soda-fetch - a Socrata dataset as records, every row exactly once.
 *
 * The dataset is counted, read page by page, and counted again: a clean copy is one whose rows are as many as the source
 * has, and whose date did not change.  A page is cut to its rows where it lies and written in one piece: no value is
 * ever parsed and printed again.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "advice.h"
#include "base/err.h"
#include "base/progress.h"
#include "records/rows.h"
#include "soda/columns.h"
#include "soda/pages.h"
#include "soda/soda.h"
#include "soda/soql.h"
#include "soda/stream.h"
#include "soda/watch.h"

static const char *opt_select, *opt_where, *opt_order, *since, *expect_columns;
static long long row_limit = -1, page_size, jobs = 1, drift, empty_exit, expect_rows;
static bool just_count, just_columns, bulk;
static long long out_format;
static struct soda_options source = { SODA_DEFAULTS };

static const struct opt options[] = {
	OPT_STRING(0, "select", "SOQL", &opt_select, "columns, as in SoQL: a,b,upper(c) AS d"),
	OPT_NO_LETTER('s', "select"),
	OPT_STRING('w', "where", "SOQL", &opt_where, "only these rows, as in SoQL: zip = '90012'"),
	OPT_STRING(0, "since", "COLUMN=TIMESTAMP", &since, "only rows at or after it"),
	OPT_STRING(0, "order", "SOQL", &opt_order, "in this order, then by :id"),
	OPT_NO_LETTER('o', "order"),
	OPT_NUMBER(0, "limit", "N", &row_limit, 0, 1LL << 50, "no more than N rows"),
	OPT_NO_LETTER('n', "limit"),
	OPT_NUMBER(0, "page-size", "N", &page_size, 1, 1LL << 30, "rows a request (else about 8 MiB)"),
	OPT_NUMBER('j', "jobs", "N", &jobs, 1, SODA_JOBS, "pages in flight (1)"),
	OPT_FLAG(0, "count", &just_count, "print the number of rows and end"),
	OPT_NO_LETTER('c', "count"),
	OPT_FLAG(0, "describe", &just_columns, "print the dataset's columns as records and end"),
	OPT_FLAG(0, "bulk", &bulk, "the whole dataset in one stream"),
	OPT_STRING(0, "expect-columns", "FILE", &expect_columns,
	    "stop unless the columns are those of --describe"),
	OPT_RENAMED("columns", "describe"),
	OPT_NUMBER(0, "expect-rows", "N", &expect_rows, 0, 1LL << 50, "fewer rows are an error (65)"),
	OPT_NUMBER(0, "empty-exit", "STATUS", &empty_exit, 0, 255,
	    "exit status when there are no rows"),
	OPT_NUMBER(0, "allow-drift", "N", &drift, 0, 1LL << 50,
	    "let up to N rows change while they are read"),
	OPT_ROWS_OUT(out_format),
	OPT_SODA(source),
	OPT_END
};
const struct tool tool = {
	.name = "soda-fetch", .operands = "DOMAIN DATASET", .options = options,
	.does = "Write a Socrata dataset as records.",
};

static void
check_options(char **operands)
{
	if (operands[0] == NULL || operands[1] == NULL || operands[2] != NULL)
		die(EX_USAGE, "want a domain and a dataset, such as data.lacity.org h73f-gn57");
	if (just_count + just_columns + bulk > 1)
		die(EX_USAGE, "--count, --describe and --bulk: choose one");
	if (bulk && (row_limit >= 0 || page_size > 0 || jobs > 1))
		die(EX_USAGE, "--bulk is one stream of all rows: no --limit, --page-size or --jobs with it");
	if (bulk && source.api == SODA_2 &&
	    (opt_select != NULL || opt_where != NULL || opt_order != NULL || since != NULL))
		die(EX_USAGE, "the old bulk download has all columns and rows: use --api 3, or leave out --bulk");
	if (bulk && source.api == SODA_2 && out_format != ROWS_CSV)
		die(EX_USAGE, "the old bulk download has records as CSV only: add --to csv, or use --api 3");
}

/* --where and --since together; NULL where there is neither. */
static char *
make_condition(void)
{
	char *after = soql_since(since), *condition = soql_and(opt_where, after);

	free(after);
	return condition;
}

static void
do_columns(struct soda *soda)
{
	struct soda_columns columns = soda_columns_of(soda, false);

	if (expect_columns != NULL)
		soda_columns_expect(&columns, COLUMNS_FILE(expect_columns));
	if (just_columns)
		soda_columns_put(&columns, out_format);
	soda_columns_free(&columns);
}

static unsigned long long
print_count(struct soda *soda, const char *where)
{
	unsigned long long rows = soda_count(soda, where, NULL);

	printf("%llu\n", rows);
	if (fflush(stdout) != 0)
		die_errno(EX_IOERR, "stdout");
	return rows;
}

static void
put_page(struct rows_out *out, const struct soda_page *page)
{
	rows_put_raw(out, page->data);
	rows_flush(out);                /* so that a reader who left is noticed by now */
	progress_add(page->rows, page->data.n);
	progress_check();
}

static void
fetch_pages(struct soda_watch *watch, struct rows_out *out)
{
	struct soda_pages *pages = soda_pages_open(watch, &(struct soda_pages_wanted){
		.select = opt_select, .order = opt_order, .csv = rows_out_format(out) == ROWS_CSV,
		.page_size = page_size, .jobs = jobs });
	const struct soda_page *page = soda_pages_next(pages);

	if (page != NULL)
		rows_put_raw(out, buf_all(&page->header));
	for (; page != NULL; page = soda_pages_next(pages))
		put_page(out, page);
	soda_pages_close(pages);
}

/* The whole dataset in one stream: one request, whose rows are written as they come. */
static void
fetch_bulk(struct soda_watch *watch, struct rows_out *out)
{
	struct soda_query q = { .select = opt_select, .where = watch->where, .order = opt_order,
		.csv = rows_out_format(out) == ROWS_CSV };

	if (source.api == SODA_2)
		warning("the old bulk download is deprecated from October 2026, and has people's names for columns: see --api 3");
	watch->rows = soda_stream(watch->soda, &q, out);
}

static unsigned long long
fetch_rows(struct soda *soda, const char *where)
{
	struct soda_watch watch = { .soda = soda, .where = where, .drift = drift, .counted = !soql_groups(opt_select),
		.limit = row_limit >= 0 ? (unsigned long long)row_limit : ULLONG_MAX };
	struct rows_out *out;

	soda_watch_start(&watch);
	progress_set_total(watch.total);
	out = rows_stdout(NULL, out_format);
	if (bulk)
		fetch_bulk(&watch, out);
	else
		fetch_pages(&watch, out);
	rows_finish(out);
	soda_watch_end(&watch);
	return watch.rows;
}

/* The exit status that the number of rows asks for. */
static int
judge_rows(unsigned long long rows)
{
	if (rows < (unsigned long long)expect_rows)
		die(EX_DATAERR, "%llu rows, but --expect-rows %lld", rows, expect_rows);
	return rows == 0 ? (int)empty_exit : EX_OK;
}

int
main(int argc, char *argv[])
{
	char **operands = opt_parse(argc, argv), *where;
	struct soda *soda;
	int status = EX_OK;

	check_options(operands);
	where = make_condition();
	soda = soda_open(operands[0], operands[1], &source);
	if (just_columns || expect_columns != NULL)
		do_columns(soda);
	if (just_count)
		status = judge_rows(print_count(soda, where));
	else if (!just_columns)
		status = judge_rows(fetch_rows(soda, where));
	soda_close(soda);
	free(where);
	return status;
}
