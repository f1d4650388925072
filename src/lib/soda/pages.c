/* soda/pages.c - every row of a query exactly once, page by page. */
#include "soda/pages.h"

#include <stdlib.h>

#include "soda/columns.h"
#include "soda/soql.h"

#define FIRST_PAGE 1000         /* rows; shows how wide they are */
#define MAX_PAGE 50000          /* rows; SODA 2.0 gives no more, and may cut without a word */
#define FIXED_PAGE 5000         /* rows, where all pages must be of one size (SODA 3 by number) */
#define PAGES_WANTED (16L << 20)        /* bytes of all pages in memory, as planned */
#define PAGES_AT_MOST (40L << 20)       /* and at most, so that we stay under 64 MiB */

enum paging {
	BY_ID,          /* after the last :id; rows that come or go shift nothing */
	BY_OFFSET,      /* by their number in an order */
	ONE_PAGE        /* what has no order: groups, and rows without an :id */
};

struct page {
	struct soda_pages *pages;
	struct http_reply *reply;
	unsigned long long number, offset, asked;
	struct soda_page body;
	struct buf why;
};

struct soda_pages {
	struct soda *soda;
	struct soda_watch *watch;
	struct soda_pages_wanted want;  /* the caller's */
	enum paging paging;
	bool adds_id, has_id;           /* adds_id: we ask for :id and cut it out; has_id: it comes either way */
	char *select, *order;           /* what is asked for */
	bool listed;                    /* the select names all columns */
	unsigned long long planned, started;    /* rows and pages asked for */
	bool ended;
	struct page page[SODA_JOBS + 1];        /* a ring: in flight, and the one that is lent */
	struct page *lent;
	size_t oldest, in_flight;
	unsigned long long size;        /* rows to ask for */
	unsigned long long wide;        /* bytes a row, by the last page */
	struct buf header, last_id, previous_id;
};

/* How the pages follow each other, and what is asked for so that they can. */
static void
choose_paging(struct soda_pages *p)
{
	bool groups = !p->watch->counted;

	p->paging = groups ? p->want.order != NULL ? BY_OFFSET : ONE_PAGE
	    : p->want.order != NULL || p->want.jobs > 1 ? BY_OFFSET : BY_ID;
	p->adds_id = !groups && !soql_selects(p->want.select, ":id") && !soql_selects(p->want.select, ":*");
	p->has_id = !groups;
	p->select = p->adds_id ? soql_join(":id", ",", p->want.select != NULL ? p->want.select : "*")
	    : soql_join(p->want.select, "", NULL);
	p->order = groups ? soql_join(p->want.order, "", NULL) : soql_join(p->want.order, ",", ":id");
	p->watch->shifts = p->paging != BY_ID;
}

/* Rows of a view may have no :id: then what was asked for is asked for as it is. */
static bool
without_id(struct soda_pages *p)
{
	if (!p->has_id)
		return false;
	free(p->select);
	free(p->order);
	p->adds_id = p->has_id = false;
	p->select = soql_join(p->want.select, "", NULL);
	p->order = soql_join(p->want.order, "", NULL);
	p->paging = p->want.order != NULL ? BY_OFFSET : ONE_PAGE;
	p->watch->shifts = true;
	return true;
}

/* True when the first page has columns that the platform adds to a dataset, such as council districts of its own. */
static bool
has_regions(const struct page *page)
{
	static const char region[] = ":@computed_region_";
	const char *fields = http_header(page->reply, "X-SODA2-Fields");
	const struct soda_page *body = &page->body;

	return (fields != NULL && strstr(fields, region) != NULL) ||
	    (body->header.p != NULL && strstr(body->header.p, region) != NULL) ||
	    (!body->csv && body->data.n > 0 && strstr(body->data.p, region) != NULL);
}

/* `*` has those columns or lacks them depending on the order asked for (SODA paging): so the others are asked for by name. */
static void
list_columns(struct soda_pages *p)
{
	struct soda_columns columns = soda_columns_of(p->soda, false);
	struct buf list = { 0 };

	for (size_t i = 0; i < columns.n; i++) {
		buf_text(&list, i > 0 || p->adds_id ? "," : "");
		buf_str(&list, columns.c[i].name);
	}
	free(p->select);
	p->select = soql_join(p->adds_id ? ":id" : "", "", list.p);
	p->listed = true;
	soda_columns_free(&columns);
	buf_free(&list);
}

/* Asking for pages, and what they say of each other */

/* A page with fewer rows than the source counts was cut between two of them, unless the data changed. */
static const char *
check_rows(struct page *page)
{
	const struct soda_watch *watch = page->pages->watch;
	unsigned long long left = watch->total > page->offset ? watch->total - page->offset : 0;
	unsigned long long due = page->asked < left ? page->asked : left;

	if (!watch->counted || page->body.rows >= due || !soda_watch_rests(watch, page->reply))
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
start_page(struct soda_pages *p, struct page *page, unsigned long long offset, unsigned long long asked)
{
	struct buf after = { 0 }, what = { 0 };
	struct soda_query q = { .select = p->select, .order = p->order, .limit = asked, .csv = p->want.csv };
	char *where;

	page->pages = p;
	page->number = p->started + 1;
	page->offset = offset;
	page->asked = asked;
	page->body.csv = p->want.csv;
	page->body.has_id = p->has_id;
	page->body.cuts_id = p->adds_id;
	if (p->paging == BY_ID && p->last_id.len > 0) {
		buf_text(&after, ":id > '");
		buf_str(&after, buf_all(&p->last_id));
		buf_char(&after, '\'');
	} else if (p->paging != BY_ID) {
		q.offset = offset;
	}
	q.where = where = soql_and(p->watch->where, after.p);
	buf_fmt(&what, "page %llu after %llu rows", page->number, offset);
	p->started++;
	page->reply = soda_start(p->soda, &q, (struct http_request){
		.what = what.p, .check = check_page, .arg = page,
		.max_body = p->want.page_size > 0 ? 0 : PAGES_AT_MOST / (p->want.jobs + 1), .may_be_big = p->want.page_size == 0,
	});
	buf_free(&after);
	buf_free(&what);
	free(where);
}

static struct page *
ring(struct soda_pages *p, size_t i)
{
	return &p->page[(p->oldest + i) % (SODA_JOBS + 1)];
}

/* As many rows as make the bytes we want to hold, by those that came; never a leap, for the next rows may be wider. */
static unsigned long long
next_size(struct soda_pages *p)
{
	unsigned long long wanted;

	if (p->want.page_size > 0)
		return p->want.page_size;
	if (p->paging == BY_OFFSET && p->soda->api == SODA_3)
		return FIXED_PAGE;
	if (p->paging == ONE_PAGE)
		return MAX_PAGE;
	if (p->watch->rows == 0)
		return p->size > 0 ? p->size : FIRST_PAGE;
	wanted = PAGES_WANTED / (p->want.jobs + 1) / (p->wide + 1) + 1;
	wanted = wanted < 8 * p->size ? wanted : 8 * p->size;
	return wanted < MAX_PAGE ? wanted : MAX_PAGE;
}

/* Starts the pages that can be: the next one by :id once the last is known, or up to --jobs of them by offset.  The first
 * goes alone, since it shows whether rows have an :id, and how wide they are. */
static void
plan(struct soda_pages *p)
{
	size_t most = p->paging == BY_OFFSET && p->watch->rows > 0 ? p->want.jobs : 1;

	while (!p->ended && p->in_flight < most) {
		unsigned long long left = p->watch->limit - p->planned;

		if (p->paging == BY_OFFSET && p->watch->counted && p->started > 0 && p->planned >= p->watch->total)
			break;
		p->size = next_size(p);

		/* SODA 3 numbers pages of one size; what the last one has too much is cut in count_page(). */
		bool fixed = p->paging == BY_OFFSET && p->soda->api == SODA_3;
		unsigned long long asked = fixed || p->size < left ? p->size : left > 0 ? left : 1;

		start_page(p, ring(p, p->in_flight), p->planned, asked);
		p->in_flight++;
		p->planned += asked;
		if (p->paging != BY_OFFSET)
			break;
	}
}

/* Takes back what was planned, to ask again from the oldest page on. */
static void
plan_again(struct soda_pages *p)
{
	p->planned = ring(p, 0)->offset;
	p->started = ring(p, 0)->number - 1;
	for (size_t i = 0; i < p->in_flight; i++)
		soda_done(p->soda, ring(p, i)->reply);
	p->in_flight = 0;
	plan(p);
}

static void
compare_pages(struct soda_pages *p, const struct page *page)
{
	soda_watch_reply(p->watch, page->reply);
	if (page->body.rows > page->asked)
		die(EX_PROTOCOL, "%s: page %llu: asked for %llu rows, got %llu: the server ignores the limit", page->reply->name,
		    page->number, page->asked, page->body.rows);
	if (page->body.first_id.len > 0 && str_eq(buf_all(&page->body.first_id), buf_all(&p->previous_id)))
		die(EX_PROTOCOL, "%s: page %llu repeats page %llu: the server ignores %s", page->reply->name, page->number,
		    page->number - 1, p->paging == BY_ID ? "the condition on :id" : "the offset");
	if (p->want.csv && page->number > 1 && !str_eq(buf_all(&page->body.header), buf_all(&p->header)))
		die(EX_TEMPFAIL, "%s: page %llu: its columns are not those of page 1: run again", page->reply->name, page->number);
	if (p->paging == BY_ID && page->body.rows > 0 && page->body.first_id.len == 0)
		die(EX_PROTOCOL, "%s: page %llu: rows without an :id", page->reply->name, page->number);
}

static void
swap(struct buf *a, struct buf *b)
{
	struct buf c = *a;

	*a = *b;
	*b = c;
}

/* True when the answer is not the page that was asked for, so that it is asked for again, in another way. */
static bool
asks_again(struct soda_pages *p, struct page *page)
{
	bool good = soda_wait(p->soda, page->reply);

	if (!good) {
		if (page->number > 1 || !without_id(p))
			soda_bad_query(page->reply);
	} else if (page->reply->too_big) {
		if (page->asked == 1 || (p->paging == BY_OFFSET && p->soda->api == SODA_3) || p->paging == ONE_PAGE)
			die(EX_PROTOCOL, "%s: page %llu: %llu rows are more than %zu MiB: give a --page-size", page->reply->name,
			    page->number, page->asked, page->reply->body.len >> 20);
		p->size = page->asked / 2;
		p->wide = PAGES_WANTED / (p->want.jobs + 1) / p->size;
	} else if (page->number == 1 && p->want.select == NULL && p->soda->api == SODA_2 && !p->listed &&
	    has_regions(page)) {
		list_columns(p);
	} else {
		return false;
	}
	plan_again(p);
	return true;
}

/* Counts the page's rows as read, and keeps what the next one is asked for and compared by. */
static void
count_page(struct soda_pages *p, struct page *page)
{
	struct soda_watch *watch = p->watch;

	if (page->body.rows > watch->limit - watch->rows)
		soda_page_keep(&page->body, watch->limit - watch->rows);
	if (page->number == 1)
		buf_str(&p->header, buf_all(&page->body.header));
	swap(&p->previous_id, &page->body.first_id);
	if (page->body.rows > 0) {
		swap(&p->last_id, &page->body.last_id);
		p->wide = page->body.data.n / page->body.rows;
	}
	watch->rows += page->body.rows;
	if (p->paging == BY_ID)
		p->planned = watch->rows;
	p->ended = page->body.rows == 0 || watch->rows >= watch->limit ||
	    (page->body.rows < page->asked && (!watch->counted || watch->rows >= watch->total));
	if (p->paging == ONE_PAGE && !p->ended)
		die(EX_USAGE, "more than %llu rows, which have no :id to page by: give --order with columns that tell rows apart",
		    page->asked);
	p->ended = p->ended || soda_watch_overruns(watch);      /* a server that goes round in circles would never end */
}

struct soda_pages *
soda_pages_open(struct soda_watch *watch, const struct soda_pages_wanted *wanted)
{
	struct soda_pages *p = xcalloc(1, sizeof *p);

	p->soda = watch->soda;
	p->watch = watch;
	p->want = *wanted;
	choose_paging(p);
	plan(p);
	return p;
}

const struct soda_page *
soda_pages_next(struct soda_pages *p)
{
	struct page *page;

	if (p->lent != NULL)
		soda_done(p->soda, p->lent->reply);
	p->lent = NULL;
	do {
		if (p->in_flight == 0)
			return NULL;
		page = ring(p, 0);
	} while (asks_again(p, page));
	compare_pages(p, page);
	p->oldest = (p->oldest + 1) % (SODA_JOBS + 1);
	p->in_flight--;
	count_page(p, page);
	plan(p);                        /* is under way while the caller writes this one */
	p->lent = page;
	return &page->body;
}

void
soda_pages_close(struct soda_pages *p)
{
	if (p->lent != NULL)
		soda_done(p->soda, p->lent->reply);
	for (size_t i = 0; i < p->in_flight; i++)
		soda_done(p->soda, ring(p, i)->reply);
	for (size_t i = 0; i <= SODA_JOBS; i++) {
		soda_page_free(&p->page[i].body);
		buf_free(&p->page[i].why);
	}
	buf_free(&p->header);
	buf_free(&p->last_id);
	buf_free(&p->previous_id);
	free(p->select);
	free(p->order);
	free(p);
}
