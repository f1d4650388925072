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

#include "lib/csv.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/progress.h"
#include "lib/rows.h"
#include "lib/soda.h"
#include "lib/soda-columns.h"
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
	unsigned long long number, offset, asked, rows;
	struct str data;                /* records, in reply's body */
	struct buf header, first_id, last_id, why;
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
	struct csv split;
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

	return (fields != NULL && strstr(fields, region) != NULL) || (page->header.p != NULL && strstr(page->header.p, region) != NULL) ||
	    (!f->csv && page->data.n > 0 && strstr(page->data.p, region) != NULL);
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

/* Pages: checked and cut to their rows where they lie */

static void
clear_page(struct page *page)
{
	page->rows = 0;
	page->data = (struct str){ NULL, 0 };
	buf_reset(&page->header);
	buf_reset(&page->first_id);
	buf_reset(&page->last_id);
}

static void
keep_id(struct page *page, struct str id)
{
	if (page->first_id.len == 0)
		buf_str(&page->first_id, id);
	buf_reset(&page->last_id);
	buf_str(&page->last_id, id);
}

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
	if (!at_rest || !f->counted || page->rows >= due)
		return NULL;
	buf_reset(&page->why);
	buf_fmt(&page->why, "%llu rows came where the source counts %llu", page->rows, due);
	return page->why.p;
}

/* Cuts the member :id out of the object, wherever it is; what stays moves to OUT.  Returns its end there. */
static char *
cut_id(struct page *page, struct str object, char *out)
{
	struct json_walk w = json_walk(object);
	char *start = out++;

	while (json_next(&w)) {
		const char *from = w.key.p - 1;
		size_t n = w.value.p + w.value.n - from;

		if (str_eq(w.key, STR(":id")) && json_is_string(w.value)) {
			keep_id(page, (struct str){ w.value.p + 1, w.value.n - 2 });
			continue;
		}
		if (out > start + 1)
			*out++ = ',';
		memmove(out, from, n);
		out += n;
	}
	*start = '{';
	*out++ = '}';
	return out;
}

/*
 * The row at P, checked, moves to *OUT without its :id, on one line.  Returns its end in the page, or NULL.  In almost all
 * rows :id comes first, and is cut by putting the brace behind it, so that the check is the only pass.
 */
static const char *
take_row(struct page *page, char *p, const char *end, char **out, struct json_error *e)
{
	static const char lead[] = "{\":id\":\"";
	const size_t n = sizeof lead - 1;
	char *id = p + n, *q = id, *line = *out;
	bool cut = false;

	if (page->fetch->adds_id && (size_t)(end - p) > n && memcmp(p, lead, n) == 0) {
		q += strcspn(q, "\"\\");
		cut = *q == '"' && ((q[1] == ',' && q[2] == '"') || q[1] == '}');
	}
	if (cut) {
		keep_id(page, (struct str){ id, q - id });
		p = q[1] == ',' ? q + 1 : q;
		*p = '{';
	}

	const char *past = json_skip(p, end, e);

	if (past == NULL)
		return NULL;
	if (page->fetch->adds_id && !cut) {
		*out = cut_id(page, (struct str){ p, past - p }, line);
	} else {
		if (page->fetch->has_id && !cut) {
			struct str own = json_get((struct str){ p, past - p }, ":id");

			if (json_is_string(own))
				keep_id(page, (struct str){ own.p + 1, own.n - 2 });
		}
		memmove(line, p, past - p);
		*out = line + (past - p);
	}
	for (char *nl = line; (nl = memchr(nl, '\n', *out - nl)) != NULL; )
		*nl = ' ';              /* between tokens: strings hold no raw line break */
	page->rows++;
	return past;
}

/* A check: a whole JSON array of objects, which becomes NDJSON.  A line is never longer than its row in the array. */
static const char *
split_json(struct http_reply *reply, void *arg)
{
	struct page *page = arg;
	char *body = reply->body.p, *out = body;
	const char *end, *p;
	struct json_error e = { 0 };

	clear_page(page);
	if (reply->body.len == 0)
		return soda_no_rows(reply);
	end = body + reply->body.len;
	p = json_space(body, end);
	if (*p != '[')
		return soda_no_rows(reply);
	p = json_space(p + 1, end);
	for (bool more = *p != ']'; more; ) {
		if (*p != '{')
			return p == end ? "the JSON ends too soon" : "a row is no object";
		p = take_row(page, body + (p - body), end, &out, &e);
		if (p == NULL)
			return e.cut ? "the JSON ends too soon" : e.why;
		p = json_space(p, end);
		if (*p != ',' && *p != ']')
			return p == end ? "the JSON ends too soon" : "rows without a comma between them";
		more = *p == ',';
		*out++ = '\n';         /* takes the place of the bracket or comma before the row */
		p = more ? json_space(p + 1, end) : p;
	}
	if (json_space(p + 1, end) != end)
		return "something follows the JSON";
	page->data = (struct str){ body, out - body };
	return check_rows(page);
}

/* How many bytes at the start of the CSV record at P its first field and the comma take. */
static size_t
first_field(const struct csv *csv)
{
	return csv->f[0].val.n + (csv->f[0].quoted ? 2 : 0) + (csv->n > 1 ? 1 : 0);
}

/* A check: whole CSV, every record as wide as the header, which is kept apart. */
static const char *
split_csv(struct http_reply *reply, void *arg)
{
	struct page *page = arg;
	struct csv *csv = &page->fetch->split;
	const char *p = reply->body.p, *end, *next;
	char *out = reply->body.p;
	bool cut = page->fetch->adds_id;
	size_t width, id = 0;

	clear_page(page);
	if (reply->body.len == 0)
		return "the answer is empty, and has no header";
	end = p + reply->body.len;
	if (end[-1] != '\n')
		return "the CSV ends within a line";
	next = csv_split(csv, p, end, true);
	width = csv->n;
	while (page->fetch->has_id && id < width && !str_eq(csv->f[id].val, STR(":id")))
		id++;
	if (csv->why != NULL || (cut && id != 0))
		return csv->why != NULL ? csv->why : "the CSV lacks the column :id";
	buf_add(&page->header, p + (cut ? first_field(csv) : 0), next - p - (cut ? first_field(csv) : 0));
	page->data.p = cut ? out : next;
	for (p = next; p < end; p = next) {
		next = csv_split(csv, p, end, true);
		if (csv->why != NULL)
			return csv->why;
		if (csv->n != width)
			return "a record is not as wide as the header";
		if (page->fetch->has_id && id < width)
			keep_id(page, csv->f[id].val);
		if (cut) {
			size_t skip = first_field(csv);

			memmove(out, p + skip, next - p - skip);
			out += next - p - skip;
		}
		page->rows++;
	}
	page->data.n = (cut ? out : end) - page->data.p;
	return check_rows(page);
}

/* Asking for pages, and what they say of each other */

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
		.what = what.p, .check = f->csv ? split_csv : split_json, .arg = page,
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
	if (page->rows > page->asked)
		die(EX_PROTOCOL, "%s: page %llu: asked for %llu rows, got %llu: the server ignores the limit", page->reply->name,
		    page->number, page->asked, page->rows);
	if (page->first_id.len > 0 && str_eq(buf_all(&page->first_id), buf_all(&f->previous_id)))
		die(EX_PROTOCOL, "%s: page %llu repeats page %llu: the server ignores %s", page->reply->name, page->number,
		    page->number - 1, f->paging == BY_ID ? "the condition on :id" : "the offset");
	if (f->csv && page->number > 1 && !str_eq(buf_all(&page->header), buf_all(&f->header)))
		die(EX_TEMPFAIL, "%s: page %llu: its columns are not those of page 1: run again", page->reply->name, page->number);
	if (f->paging == BY_ID && page->rows > 0 && page->first_id.len == 0)
		die(EX_PROTOCOL, "%s: page %llu: rows without an :id", page->reply->name, page->number);
}

static void
swap(struct buf *a, struct buf *b)
{
	struct buf c = *a;

	*a = *b;
	*b = c;
}

/* SODA 3's last page may hold rows past --limit. */
static void
cut_surplus(struct page *page, unsigned long long wanted)
{
	const char *p = page->data.p, *end = p + page->data.n;

	for (unsigned long long i = 0; i < wanted; i++)
		p = page->fetch->csv ? csv_split(&page->fetch->split, p, end, true) : (const char *)memchr(p, '\n', end - p) + 1;
	page->data.n = p - page->data.p;
	page->rows = wanted;
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
	if (row_limit >= 0 && page->rows > row_limit - f->rows)
		cut_surplus(page, row_limit - f->rows);
	if (page->number == 1)
		swap(&f->header, &page->header);
	swap(&f->previous_id, &page->first_id);
	if (page->rows > 0) {
		swap(&f->last_id, &page->last_id);
		f->wide = page->data.n / page->rows;
	}
	f->rows += page->rows;
	if (f->paging == BY_ID)
		f->planned = f->rows;
	f->ended = page->rows == 0 || (row_limit >= 0 && f->rows >= (unsigned long long)row_limit) ||
	    (page->rows < page->asked && (!f->counted || f->rows >= f->total));
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
	rows_put_raw(f->out, page->data);
	rows_flush(f->out);             /* so that a reader who left is noticed by now */
	progress.rows += page->rows;
	progress.bytes += page->data.n;
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

/* The stream of --bulk: one request, whose rows are written as they come, so no second try once some were */

struct stream {
	struct page page;
	enum { BEFORE, FIRST, BETWEEN, NEXT, AFTER } at;        /* in the JSON array */
	size_t width;                   /* fields of the CSV header */
};

/* Where the JSON goes on once the byte at P is seen; true when P is taken with it. */
static bool
step_json(struct stream *s, char c)
{
	if ((s->at == BEFORE && c == '[') || (s->at == BETWEEN && c == ','))
		s->at = s->at == BEFORE ? FIRST : NEXT;
	else if ((s->at == FIRST || s->at == BETWEEN) && c == ']')
		s->at = AFTER;
	else if ((s->at != FIRST && s->at != NEXT) || c != '{')
		die(EX_PROTOCOL, "%s: after %llu rows: the answer is no JSON array of rows", s->page.reply->name, s->page.rows);
	return c != '{';
}

static const char *
stream_json(struct stream *s, char *p, const char *end)
{
	struct json_error e = { 0 };

	while ((p += json_space(p, end) - p) < end) {
		char *line = p;

		if (step_json(s, *p)) {
			p++;
			continue;
		}

		const char *past = take_row(&s->page, p, end, &line, &e);

		if (past == NULL && e.cut)
			break;
		if (past == NULL)
			die(EX_PROTOCOL, "%s: after %llu rows: %s", s->page.reply->name, s->page.rows, e.why);
		rows_put_raw(s->page.fetch->out, (struct str){ p, line - p });
		rows_put_raw(s->page.fetch->out, STR("\n"));
		p += past - p;
		s->at = BETWEEN;
	}
	return p;
}

static const char *
stream_csv(struct stream *s, const char *start, const char *end)
{
	struct csv *csv = &s->page.fetch->split;
	const char *p = start, *next;

	while (p < end && (next = csv_split(csv, p, end, false)) != NULL) {
		if (csv->why == NULL && s->width > 0 && csv->n != s->width)
			csv->why = "a record is not as wide as the header";
		if (csv->why != NULL)
			die(EX_PROTOCOL, "%s: after %llu rows: %s", s->page.reply->name, s->page.rows, csv->why);
		if (s->width > 0)
			s->page.rows++;
		s->width = csv->n;
		p = next;
	}
	rows_put_raw(s->page.fetch->out, (struct str){ start, p - start });
	return p;
}

static void
stream(struct buf *arrived, void *arg)
{
	struct stream *s = arg;
	char *end = arrived->p + arrived->len;
	const char *rest = s->page.fetch->csv ? stream_csv(s, arrived->p, end) : stream_json(s, arrived->p, end);

	progress.rows = s->page.rows;
	progress.bytes += rest - arrived->p;
	memmove(arrived->p, rest, end - rest);
	arrived->len = end - rest;
	arrived->p[arrived->len] = '\0';
}

static const char *
check_stream(struct http_reply *reply, void *arg)
{
	const struct stream *s = arg;
	bool whole = reply->body.len == 0 && (s->page.fetch->csv ? s->width > 0 : s->at == AFTER);

	return whole ? NULL : "the stream ends too soon";
}

static void
fetch_bulk(struct fetch *f)
{
	struct stream s = { .page = { .fetch = f } };
	struct soda_query q = { .select = opt_select, .where = f->where, .order = opt_order, .csv = f->csv };

	f->counted = !soql_groups(opt_select);
	if (soda_api == SODA_2)
		warning("the old bulk download is deprecated from October 2026, and has people's names for columns: see --api 3");
	s.page.reply = soda_start_export(f->soda, &q, (struct http_request){
		.what = "bulk download", .sink = stream, .check = check_stream, .arg = &s });
	if (!soda_wait(f->soda, s.page.reply))
		soda_bad_query(s.page.reply);
	f->rows = s.page.rows;
	soda_done(f->soda, s.page.reply);
	buf_free(&s.page.first_id);
	buf_free(&s.page.last_id);
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
	f->split = CSV_COMMA;
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
		buf_free(&f->page[i].header);
		buf_free(&f->page[i].first_id);
		buf_free(&f->page[i].last_id);
		buf_free(&f->page[i].why);
	}
	buf_free(&f->stamp);
	buf_free(&f->header);
	buf_free(&f->last_id);
	buf_free(&f->previous_id);
	csv_free(&f->split);
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
