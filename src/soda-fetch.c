/*
 * soda-fetch - a Socrata dataset as records, every row exactly once.
 *
 * Pages follow each other by :id: each asks for the rows after the last one of the page before, so that rows which
 * come or go in between shift nothing.  Pages side by side (--jobs) and other orders can only count rows, and are
 * good only while the dataset rests; so its date and its number of rows are compared from first to last.  A page is
 * checked, cut to its rows where it lies and written in one piece: no value is ever parsed and printed again.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/err.h"
#include "lib/progress.h"
#include "lib/rows.h"
#include "lib/soda.h"
#include "lib/soda-columns.h"
#include "lib/soda-page.h"
#include "lib/soda-stream.h"
#include "lib/soql.h"

#define MAX_JOBS 16
#define FIRST_PAGE 1000         /* rows; shows how wide they are */
#define MAX_PAGE 50000          /* rows; SODA 2.0 gives no more, and may cut without a word */
#define FIXED_PAGE 5000         /* rows, where all pages must be of one size (SODA 3 by number) */
#define PAGES_WANTED (16L << 20)        /* bytes of all pages in memory, as planned */
#define PAGES_AT_MOST (40L << 20)       /* and at most, so that we stay under 64 MiB */

static const char *opt_select, *opt_where, *opt_order, *since, *expect_columns;
static long long row_limit = -1, page_size, jobs = 1, drift, empty_exit, expect_rows;
static bool just_count, just_columns, bulk;

static const struct opt options[] = {
	OPT_STRING('s', "select", "SOQL", &opt_select, "columns, as in SoQL: a,b,upper(c) AS d"),
	OPT_STRING('w', "where", "SOQL", &opt_where, "only these rows, as in SoQL: zip = '90012'"),
	OPT_STRING(0, "since", "COLUMN=TIMESTAMP", &since, "only rows at or after it"),
	OPT_STRING('o', "order", "SOQL", &opt_order, "in this order, then by :id"),
	OPT_NUMBER('n', "limit", "N", &row_limit, 0, 1LL << 50, "no more than N rows"),
	OPT_NUMBER(0, "page-size", "N", &page_size, 1, 1LL << 30, "rows a request (else about 8 MiB)"),
	OPT_NUMBER('j', "jobs", "N", &jobs, 1, MAX_JOBS, "pages in flight; more than 1 needs a dataset at rest"),
	OPT_FLAG('c', "count", &just_count, "print the number of rows and end"),
	OPT_FLAG(0, "columns", &just_columns, "print the dataset's columns as records and end"),
	OPT_FLAG(0, "bulk", &bulk, "the whole dataset in one stream"),
	OPT_STRING(0, "expect-columns", "FILE", &expect_columns, "stop unless the columns are those of an earlier --columns"),
	OPT_NUMBER(0, "expect-rows", "N", &expect_rows, 0, 1LL << 50, "fewer rows are an error (65)"),
	OPT_NUMBER(0, "empty-exit", "N", &empty_exit, 0, 255, "exit N when there are no rows"),
	OPT_NUMBER(0, "allow-drift", "N", &drift, 0, 1LL << 50,
	    "live data: let it change by up to N rows while it is read"),
	OPT_ROWS_OUT,
	OPT_SODA,
	OPT_END
};
const struct tool tool = {
	.name = "soda-fetch", .operands = "DOMAIN DATASET", .options = options,
	.does = "Write a Socrata dataset as records.",
};

enum paging {
	BY_ID,          /* after the last :id; rows that come or go shift nothing */
	BY_OFFSET,      /* by their number in an order */
	ONE_PAGE        /* what has no order: groups, and rows without an :id */
};

struct page {
	struct fetch *fetch;
	struct http_reply *reply;
	unsigned long long number, offset, asked;
	struct soda_page body;
	struct buf why;
};

struct fetch {
	struct soda *soda;
	struct rows_out *out;
	enum paging paging;
	bool csv, adds_id, has_id;      /* adds_id: we ask for :id and cut it out; has_id: it comes either way */
	char *select, *where, *order;   /* what is asked for */
	bool counted;                   /* the source's count is that of our rows */
	unsigned long long total;       /* rows to come: its count, or --limit */
	unsigned long long count;       /* its count before the first page */
	unsigned long long planned, started, rows;
	bool changed, ended;
	bool listed;                    /* the select names all columns */
	struct page page[MAX_JOBS + 1]; /* a ring: in flight, and being written */
	size_t oldest, in_flight;
	unsigned long long size;        /* rows to ask for */
	unsigned long long wide;        /* bytes a row, by the last page */
	struct buf stamp, header, last_id, previous_id;
};

/* The query */

/* --where and --since together; NULL where there is neither. */
static char *
make_condition(void)
{
	char *after = soql_since(since), *condition = soql_and(opt_where, after);

	free(after);
	return condition;
}

/* How the pages follow each other, and what is asked for so that they can. */
static void
choose_paging(struct fetch *f)
{
	bool groups = soql_groups(opt_select);

	f->paging = groups ? opt_order != NULL ? BY_OFFSET : ONE_PAGE
	    : opt_order != NULL || jobs > 1 ? BY_OFFSET : BY_ID;
	f->counted = !groups;
	f->adds_id = !groups && !soql_selects(opt_select, ":id") && !soql_selects(opt_select, ":*");
	f->has_id = !groups;
	f->select = f->adds_id ? soql_join(":id", ",", opt_select != NULL ? opt_select : "*") : soql_join(NULL, "", opt_select);
	f->order = groups ? soql_join(opt_order, "", NULL) : soql_join(opt_order, ",", ":id");
}

/* Rows of a view may have no :id: then what was asked for is asked for as it is. */
static bool
without_id(struct fetch *f)
{
	if (!f->has_id)
		return false;
	free(f->select);
	free(f->order);
	f->adds_id = f->has_id = false;
	f->select = soql_join(opt_select, "", NULL);
	f->order = soql_join(opt_order, "", NULL);
	f->paging = opt_order != NULL ? BY_OFFSET : ONE_PAGE;
	return true;
}

/* True when the first page has columns that the platform adds to a dataset, such as council districts of its own. */
static bool
has_regions(const struct fetch *f, const struct page *page)
{
	static const char region[] = ":@computed_region_";
	const char *fields = http_header(page->reply, "X-SODA2-Fields");

	return (fields != NULL && strstr(fields, region) != NULL) || (page->body.header.p != NULL && strstr(page->body.header.p, region) != NULL) ||
	    (!f->csv && page->body.data.n > 0 && strstr(page->body.data.p, region) != NULL);
}

/* `*` has those columns or lacks them depending on the order asked for (SODA paging): so the others are asked for by name. */
static void
list_columns(struct fetch *f)
{
	struct soda_columns columns = soda_columns_of(f->soda);
	struct buf list = { 0 };

	for (size_t i = 0; i < columns.n; i++) {
		buf_text(&list, i > 0 || f->adds_id ? "," : "");
		buf_str(&list, columns.c[i].name);
	}
	free(f->select);
	f->select = soql_join(f->adds_id ? ":id" : "", "", list.p);
	f->listed = true;
	soda_columns_free(&columns);
	buf_free(&list);
}

/* Asking for pages, and what they say of each other */

/* A page with fewer rows than the source counts was cut between two of them, unless the data changed. */
static const char *
check_rows(struct page *page)
{
	const struct fetch *f = page->fetch;
	unsigned long long left = f->total > page->offset ? f->total - page->offset : 0;
	unsigned long long due = page->asked < left ? page->asked : left;
	struct buf stamp = { 0 };
	bool at_rest;

	soda_stamp(&stamp, page->reply);
	at_rest = stamp.len > 0 && str_eq(buf_all(&stamp), buf_all(&f->stamp));
	buf_free(&stamp);
	if (!at_rest || !f->counted || page->body.rows >= due)
		return NULL;
	buf_reset(&page->why);
	buf_fmt(&page->why, "%llu rows came where the source counts %llu", page->body.rows, due);
	return page->why.p;
}

static const char *
check_page(struct http_reply *reply, void *arg)
{
	struct page *page = arg;
	const char *why = soda_page_cut(&page->body, reply);

	return why != NULL ? why : check_rows(page);
}

static void
start_page(struct fetch *f, struct page *page, unsigned long long offset, unsigned long long asked)
{
	struct buf after = { 0 }, what = { 0 };
	struct soda_query q = { .select = f->select, .order = f->order, .limit = asked, .csv = f->csv };
	char *where;

	page->fetch = f;
	page->number = f->started + 1;
	page->offset = offset;
	page->asked = asked;
	page->body.csv = f->csv;
	page->body.has_id = f->has_id;
	page->body.cuts_id = f->adds_id;
	if (f->paging == BY_ID && f->last_id.len > 0) {
		buf_text(&after, ":id > '");
		buf_str(&after, buf_all(&f->last_id));
		buf_char(&after, '\'');
	} else if (f->paging != BY_ID) {
		q.offset = offset;
	}
	q.where = where = soql_and(f->where, after.p);
	buf_fmt(&what, "page %llu after %llu rows", page->number, offset);
	f->started++;
	page->reply = soda_start(f->soda, &q, (struct http_request){
		.what = what.p, .check = check_page, .arg = page,
		.max_body = page_size > 0 ? 0 : PAGES_AT_MOST / (jobs + 1), .may_be_big = page_size == 0,
	});
	buf_free(&after);
	buf_free(&what);
	free(where);
}

static struct page *
ring(struct fetch *f, size_t i)
{
	return &f->page[(f->oldest + i) % (MAX_JOBS + 1)];
}

/* As many rows as make the bytes we want to hold, by those that came; never a leap, for the next rows may be wider. */
static unsigned long long
next_size(struct fetch *f)
{
	unsigned long long wanted;

	if (page_size > 0)
		return page_size;
	if (f->paging == BY_OFFSET && soda_api == SODA_3)
		return FIXED_PAGE;
	if (f->paging == ONE_PAGE)
		return MAX_PAGE;
	if (f->rows == 0)
		return f->size > 0 ? f->size : FIRST_PAGE;
	wanted = PAGES_WANTED / (jobs + 1) / (f->wide + 1) + 1;
	wanted = wanted < 8 * f->size ? wanted : 8 * f->size;
	return wanted < MAX_PAGE ? wanted : MAX_PAGE;
}

/* Starts the pages that can be: the next one by :id once the last is known, or up to --jobs of them by offset.  The first
 * goes alone, since it shows whether rows have an :id, and how wide they are. */
static void
plan(struct fetch *f)
{
	size_t most = f->paging == BY_OFFSET && f->rows > 0 ? jobs : 1;

	while (!f->ended && f->in_flight < most) {
		unsigned long long left = row_limit >= 0 ? row_limit - f->planned : -1ULL;

		if (f->paging == BY_OFFSET && f->counted && f->started > 0 && f->planned >= f->total)
			break;
		f->size = next_size(f);

		/* SODA 3 numbers pages of one size; what the last one has too much is cut in take_page(). */
		bool fixed = f->paging == BY_OFFSET && soda_api == SODA_3;
		unsigned long long asked = fixed || f->size < left ? f->size : left > 0 ? left : 1;

		start_page(f, ring(f, f->in_flight), f->planned, asked);
		f->in_flight++;
		f->planned += asked;
		if (f->paging != BY_OFFSET)
			break;
	}
}

/* Takes back what was planned, to ask again from the oldest page on. */
static void
plan_again(struct fetch *f)
{
	f->planned = ring(f, 0)->offset;
	f->started = ring(f, 0)->number - 1;
	for (size_t i = 0; i < f->in_flight; i++)
		soda_done(f->soda, ring(f, i)->reply);
	f->in_flight = 0;
	plan(f);
}

/* Notices that the data are not those of the first answer. */
static void
compare_stamp(struct fetch *f, const struct buf *stamp)
{
	bool differs = stamp->len > 0 && f->stamp.len > 0 && !str_eq(buf_all(stamp), buf_all(&f->stamp));

	if (!differs || f->changed)
		return;
	f->changed = true;
	if (drift == 0 || f->paging != BY_ID)
		die(EX_TEMPFAIL, "%s: changed after %llu rows (last modified %s, now %s): run again%s", f->soda->dataset, f->rows,
		    f->stamp.p, stamp->p, drift == 0 ? ", or allow it with --allow-drift" : " without --jobs and --order");
	note("%s: changed after %llu rows: going on under --allow-drift", f->soda->dataset, f->rows);
}

static void
compare_pages(struct fetch *f, const struct page *page)
{
	struct buf stamp = { 0 };

	soda_stamp(&stamp, page->reply);
	compare_stamp(f, &stamp);
	buf_free(&stamp);
	if (page->body.rows > page->asked)
		die(EX_PROTOCOL, "%s: page %llu: asked for %llu rows, got %llu: the server ignores the limit", page->reply->name,
		    page->number, page->asked, page->body.rows);
	if (page->body.first_id.len > 0 && str_eq(buf_all(&page->body.first_id), buf_all(&f->previous_id)))
		die(EX_PROTOCOL, "%s: page %llu repeats page %llu: the server ignores %s", page->reply->name, page->number,
		    page->number - 1, f->paging == BY_ID ? "the condition on :id" : "the offset");
	if (f->csv && page->number > 1 && !str_eq(buf_all(&page->body.header), buf_all(&f->header)))
		die(EX_TEMPFAIL, "%s: page %llu: its columns are not those of page 1: run again", page->reply->name, page->number);
	if (f->paging == BY_ID && page->body.rows > 0 && page->body.first_id.len == 0)
		die(EX_PROTOCOL, "%s: page %llu: rows without an :id", page->reply->name, page->number);
}

static void
swap(struct buf *a, struct buf *b)
{
	struct buf c = *a;

	*a = *b;
	*b = c;
}

/* The oldest page, once it is there; NULL when it has to be asked for in another way. */
static struct page *
take_page(struct fetch *f)
{
	struct page *page = ring(f, 0);
	bool good = soda_wait(f->soda, page->reply);

	if (!good) {
		if (page->number > 1 || !without_id(f))
			soda_bad_query(page->reply);
		plan_again(f);
		return NULL;
	}
	if (page->reply->too_big) {
		if (page->asked == 1 || (f->paging == BY_OFFSET && soda_api == SODA_3) || f->paging == ONE_PAGE)
			die(EX_PROTOCOL, "%s: page %llu: %llu rows are more than %zu MiB: give a --page-size", page->reply->name,
			    page->number, page->asked, page->reply->body.len >> 20);
		f->size = page->asked / 2;
		f->wide = PAGES_WANTED / (jobs + 1) / f->size;
		plan_again(f);
		return NULL;
	}
	if (page->number == 1 && opt_select == NULL && soda_api == SODA_2 && !f->listed && has_regions(f, page)) {
		list_columns(f);
		plan_again(f);
		return NULL;
	}
	compare_pages(f, page);
	f->oldest = (f->oldest + 1) % (MAX_JOBS + 1);
	f->in_flight--;
	if (row_limit >= 0 && page->body.rows > row_limit - f->rows)
		soda_page_keep(&page->body, row_limit - f->rows);
	if (page->number == 1)
		swap(&f->header, &page->body.header);
	swap(&f->previous_id, &page->body.first_id);
	if (page->body.rows > 0) {
		swap(&f->last_id, &page->body.last_id);
		f->wide = page->body.data.n / page->body.rows;
	}
	f->rows += page->body.rows;
	if (f->paging == BY_ID)
		f->planned = f->rows;
	f->ended = page->body.rows == 0 || (row_limit >= 0 && f->rows >= (unsigned long long)row_limit) ||
	    (page->body.rows < page->asked && (!f->counted || f->rows >= f->total));
	if (f->paging == ONE_PAGE && !f->ended)
		die(EX_USAGE, "more than %llu rows, which have no :id to page by: give --order with columns that tell rows apart",
		    page->asked);
	return page;
}

static void
put_page(struct fetch *f, struct page *page)
{
	if (f->csv && page->number == 1)
		rows_put_raw(f->out, buf_all(&f->header));
	rows_put_raw(f->out, page->body.data);
	rows_flush(f->out);             /* so that a reader who left is noticed by now */
	progress.rows += page->body.rows;
	progress.bytes += page->body.data.n;
	progress_check();
	soda_done(f->soda, page->reply);
}

/* More rows than the source counted, and than we may find: verify() will say so, and a server that goes round in circles
 * would never end. */
static void
check_growth(struct fetch *f)
{
	if (f->counted && f->rows > f->total && f->rows - f->total > (unsigned long long)drift)
		f->ended = true;
}

static void
fetch_pages(struct fetch *f)
{
	choose_paging(f);
	plan(f);
	while (f->in_flight > 0) {
		struct page *page = take_page(f);

		if (page == NULL)
			continue;
		check_growth(f);
		plan(f);                /* is under way while this one is written */
		put_page(f, page);
	}
}

/* The stream of --bulk: one request, whose rows are written as they come. */
static void
fetch_bulk(struct fetch *f)
{
	struct soda_query q = { .select = opt_select, .where = f->where, .order = opt_order, .csv = f->csv };

	f->counted = !soql_groups(opt_select);
	if (soda_api == SODA_2)
		warning("the old bulk download is deprecated from October 2026, and has people's names for columns: see --api 3");
	f->rows = soda_stream(f->soda, &q, f->out);
}

/* What the run amounts to */

static unsigned long long
apart(unsigned long long a, unsigned long long b)
{
	return a > b ? a - b : b - a;
}

/* Rows read against the source's own count, before and now. */
static void
verify(struct fetch *f)
{
	struct buf stamp = { 0 };
	unsigned long long now, wanted, most = drift;

	if (!f->counted)
		return;
	now = soda_count(f->soda, f->where, &stamp);
	compare_stamp(f, &stamp);
	f->changed = f->changed || now != f->count;
	if (f->changed && (drift == 0 || f->paging != BY_ID))
		die(EX_TEMPFAIL, "%s: changed while it was read, from %llu rows to %llu: run again", f->soda->dataset, f->count, now);
	wanted = row_limit >= 0 && now > (unsigned long long)row_limit ? (unsigned long long)row_limit : now;
	if (apart(f->rows, wanted) > most || apart(f->rows, f->total) > most)
		die(f->changed ? EX_TEMPFAIL : EX_PROTOCOL, "%s: %llu rows read, but the source counts %llu (%llu at first): "
		    "run again, or see --allow-drift", f->soda->dataset, f->rows, wanted, f->total);
	if (f->rows != wanted)
		note("%s: %llu rows read, the source counts %llu: within --allow-drift", f->soda->dataset, f->rows, wanted);
	buf_free(&stamp);
}

/* The exit status that the number of rows asks for. */
static int
judge_rows(unsigned long long rows)
{
	if (rows < (unsigned long long)expect_rows)
		die(EX_DATAERR, "%llu rows, but --expect-rows %lld", rows, expect_rows);
	return rows == 0 ? (int)empty_exit : EX_OK;
}

static void
do_columns(struct soda *soda)
{
	struct soda_columns columns = soda_columns_of(soda);

	if (expect_columns != NULL)
		soda_columns_expect(&columns, expect_columns);
	if (just_columns)
		soda_columns_put(&columns);
	soda_columns_free(&columns);
}

static void
check_options(char **operands)
{
	if (operands[0] == NULL || operands[1] == NULL || operands[2] != NULL)
		die(EX_USAGE, "want a domain and a dataset, such as data.lacity.org h73f-gn57");
	if (just_count + just_columns + bulk > 1)
		die(EX_USAGE, "--count, --columns and --bulk: choose one");
	if (bulk && (row_limit >= 0 || page_size > 0 || jobs > 1))
		die(EX_USAGE, "--bulk is one stream of all rows: no --limit, --page-size or --jobs with it");
	if (bulk && soda_api == SODA_2 && (opt_select != NULL || opt_where != NULL || opt_order != NULL || since != NULL))
		die(EX_USAGE, "the old bulk download has all columns and rows: use --api 3, or leave out --bulk");
	if (bulk && soda_api == SODA_2 && rows_to != ROWS_CSV)
		die(EX_USAGE, "the old bulk download has records as CSV only: add --to csv, or use --api 3");
}

static void
fetch_rows(struct fetch *f)
{
	f->count = f->total = soda_count(f->soda, f->where, &f->stamp);
	if (row_limit >= 0 && f->total > (unsigned long long)row_limit)
		f->total = row_limit;
	progress.total_rows = f->total;
	f->out = rows_stdout(NULL);
	f->csv = rows_out_format(f->out) == ROWS_CSV;
	if (bulk)
		fetch_bulk(f);
	else
		fetch_pages(f);
	rows_finish(f->out);
	verify(f);
}

static void
print_count(struct fetch *f)
{
	f->rows = soda_count(f->soda, f->where, NULL);
	printf("%llu\n", f->rows);
	if (fflush(stdout) != 0)
		die_errno(EX_IOERR, "stdout");
}

static void
close_fetch(struct fetch *f)
{
	for (size_t i = 0; i <= MAX_JOBS; i++) {
		soda_page_free(&f->page[i].body);
		buf_free(&f->page[i].why);
	}
	buf_free(&f->stamp);
	buf_free(&f->header);
	buf_free(&f->last_id);
	buf_free(&f->previous_id);
	free(f->select);
	free(f->where);
	free(f->order);
	soda_close(f->soda);
}

int
main(int argc, char *argv[])
{
	char **operands = opt_parse(argc, argv);
	struct fetch f = { 0 };
	int status = EX_OK;

	check_options(operands);
	f.where = make_condition();
	f.soda = soda_open(operands[0], operands[1]);
	if (just_columns || expect_columns != NULL)
		do_columns(f.soda);
	if (just_count)
		print_count(&f);
	else if (!just_columns)
		fetch_rows(&f);
	if (!just_columns)
		status = judge_rows(f.rows);
	close_fetch(&f);
	return status;
}
