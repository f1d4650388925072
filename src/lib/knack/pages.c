/* knack/pages.c - every record of a query exactly once, page by page, or the change noticed. */
#include "knack/pages.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/idset.h"
#include "format/json.h"

#define PAGE_BYTES (20 << 20)   /* of a page at most, else it comes in parts: two of them and the ids stay under 64 MiB */
#define RECORD_BYTES (64 << 20) /* of a record at most */
#define ESTIMATE 1              /* records by which total_records is known to be too high at times */
#define GONE 100                /* by counter, one record in so many may go while they are read */
#define DOUBTS 2                /* times a page that is too short is asked for again: calls are counted by the day */

struct knack_pages {
	struct knack *knack;
	const struct knack_query *query;
	struct knack_pages_wanted want;
	struct knack_mark at;
	struct http_reply *reply;       /* under way, */
	struct http_reply *lent;        /* or what page.data points into */
	struct idset *ids;
	struct knack_page page;
	unsigned long long came;        /* in the page under way: records, */
	unsigned long long total;       /* and what it says of all; by counter, of all after the last */
	unsigned long long digest;      /* and of their ids */
	unsigned long long repeats;
	bool ended, resumed, changed;
	int doubts;
};

/* ---- what a page says ---- */

/* A number, or the text of one, as some replies have it. */
static bool
to_number(struct str json, long long *n)
{
	struct buf scratch = { 0 };
	struct str s = json_text(json, &scratch);
	char digits[20], *end;
	bool good = s.n > 0 && s.n < sizeof digits;

	if (good) {
		memcpy(digits, s.p, s.n);
		digits[s.n] = '\0';
		*n = strtoll(digits, &end, 10);
		good = *end == '\0';
	}
	buf_free(&scratch);
	return good;
}

/* The id of a record, without quotes; p NULL where it has none. */
static struct str
id_of(struct str record)
{
	struct str id = json_get(record, "id");

	if (!json_is_string(id) || !knack_is_id((struct str){ id.p + 1, id.n - 2 }))
		return (struct str){ 0 };
	return (struct str){ id.p + 1, id.n - 2 };
}

static const char *
check_page(struct http_reply *reply, void *arg)
{
	struct knack_pages *p = arg;
	const char *why = http_check_json(reply, NULL);
	struct str body, records;
	long long total;

	if (why != NULL)
		return why;
	body = http_json(reply);
	if (*body.p != '{')
		return "the answer is no page of records";
	records = json_get(body, "records");
	if (records.p == NULL || *records.p != '[')
		return "no \"records\" in the answer";
	if (!to_number(json_get(body, "total_records"), &total) || total < 0)
		return "no \"total_records\" in the answer";
	p->total = total;
	p->came = 0;
	p->digest = HASH_START;
	for (struct json_walk w = json_walk(records); json_next(&w); p->came++) {
		struct str id = *w.value.p == '{' ? id_of(w.value) : (struct str){ 0 };

		if (id.p == NULL)
			return "a record without an id";
		p->digest = hash_add(p->digest, id);
	}
	return NULL;
}

/* Numbered on, from a page of the former run too. */
static void
describe(const struct knack_pages *p, struct buf *b)
{
	buf_fmt(b, "page %llu after %llu rows", p->at.pages + 1, p->at.came);
}

static _Noreturn void PRINTF(3, 4)
die_at_page(const struct knack_pages *p, int status, const char *fmt, ...)
{
	struct buf where = { 0 };
	char why[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof why, fmt, args);
	va_end(args);
	describe(p, &where);
	die(status, "%s: %s: %s", p->query->name, where.p, why);
}

/* ---- asking ---- */

static void
start_page(struct knack_pages *p)
{
	struct buf path = { 0 }, what = { 0 };
	char after[24];

	snprintf(after, sizeof after, "%lld", p->at.after);
	if (p->at.by_counter && p->at.pages > 0)
		knack_query_put(p->query, &path, after, 1, p->at.size);
	else
		knack_query_put(p->query, &path, NULL, p->at.offset / p->at.size + 1, p->at.size);
	describe(p, &what);
	p->reply = knack_start(p->knack, path.p, (struct http_request){ .what = what.p, .check = check_page, .arg = p,
	    .max_body = p->at.size == 1 ? RECORD_BYTES : PAGE_BYTES, .may_be_big = p->at.size > 1 });
	buf_free(&path);
	buf_free(&what);
}

static _Noreturn void
die_refused(const struct knack_pages *p)
{
	struct buf why = { 0 };
	int status = knack_refused(p->knack, p->reply, &why);
	bool asked = p->query->rules != NULL || p->query->since != NULL || p->query->sort != NULL;

	if (p->reply->status == 400 && status == EX_PROTOCOL && asked)
		status = EX_USAGE;
	die_at_page(p, status, "%s", why.p);
}

/* What divides the size divides every offset so far. */
static void
shrink(struct knack_pages *p)
{
	unsigned long long n = 2;

	while (p->at.size % n != 0)
		n++;
	p->at.size /= n;
	note("%s: a page of %llu records is more than %d MiB: going on by %llu", p->query->name, p->at.size * n, PAGE_BYTES >> 20,
	    p->at.size);
}

/* Waits for a page that is whole and not too large. */
static void
wait_page(struct knack_pages *p)
{
	const char *spent;

	for (;;) {
		if (p->reply == NULL) {
			if ((spent = knack_spent(p->knack)) != NULL)
				die_at_page(p, EX_TEMPFAIL, "%s", spent);
			start_page(p);
		}
		if (!http_try(p->knack->http, p->reply))
			http_die(p->reply);
		knack_over(p->knack, p->reply);
		if (p->reply->status >= 400)
			die_refused(p);
		if (!p->reply->too_big)
			return;
		shrink(p);
		knack_done(p->knack, p->reply);
		p->reply = NULL;
	}
}

static void
drop_page(struct knack_pages *p)
{
	knack_done(p->knack, p->reply);
	p->reply = NULL;
}

/* ---- judging ---- */

/* The counter of a record; false where it has none. */
static bool
counter_of(const struct knack_pages *p, struct str record, long long *n)
{
	const struct str key = p->query->counter->key;
	struct str value = { 0 };

	for (struct json_walk w = json_walk(record); json_next(&w); ) {
		bool raw = w.key.n == key.n + 4 && memcmp(w.key.p + key.n, "_raw", 4) == 0;

		if ((raw || (w.key.n == key.n && value.p == NULL)) && memcmp(w.key.p, key.p, key.n) == 0)
			value = w.value;
	}
	return value.p != NULL && to_number(value, n);
}

/* Do the counters go up from record to record, and on from the last page's?  *LAST becomes the last one. */
static bool
counts_up(const struct knack_pages *p, long long *last)
{
	struct json_walk w = json_walk(json_get(http_json(p->reply), "records"));
	bool any = p->at.pages > 0;
	long long n;

	*last = p->at.after;
	for (; json_next(&w); *last = n, any = true)
		if (!counter_of(p, w.value, &n) || (any && n <= *last))
			return false;
	return true;
}

/* True when the page is to be asked for in another way: by its number, since the counter is no use. */
static bool
leaves_counter(struct knack_pages *p)
{
	long long last;

	if (!p->at.by_counter)
		return false;
	if (counts_up(p, &last)) {
		if (p->came > 0)
			p->at.after = last;
		return false;
	}
	if (p->at.pages > 1 || p->resumed)
		die_at_page(p, EX_PROTOCOL, "repeats what came before: the server ignores the condition on %s",
		    p->query->counter->key.p);
	p->at.by_counter = false;
	if (p->at.pages == 0)
		return false;           /* the first page is the same in both ways */
	note("%s: the server ignores the condition on %s: going on by page numbers", p->query->name, p->query->counter->key.p);
	return true;
}

static unsigned long long
more(unsigned long long a, unsigned long long b)
{
	return a > b ? a - b : 0;
}

static unsigned long long
apart(unsigned long long a, unsigned long long b)
{
	return a > b ? a - b : b - a;
}

/* By numbers, a change of the total may have shifted what is still to come. */
static void
judge_total(struct knack_pages *p)
{
	bool changed = !p->at.by_counter && p->at.pages > 0 && p->total != p->at.total;

	if (p->came > p->at.size)
		die_at_page(p, EX_PROTOCOL, "asked for %llu records, got %llu: the server ignores the limit", p->at.size, p->came);
	if (p->at.pages > 0 && p->came > 0 && p->digest == p->at.digest)
		die_at_page(p, EX_PROTOCOL, "repeats the page before it: the server ignores its number");
	if (p->at.pages == 0)
		p->at.total = p->total;
	else if (changed && apart(p->total, p->at.total) > p->want.drift)
		die_at_page(p, EX_TEMPFAIL, "changed: Knack counted %llu records at first, %llu now: run again, or see --allow-drift",
		    p->at.total, p->total);
	else if (changed && !p->changed)
		note("%s: changed while it is read: going on under --allow-drift", p->query->name);
	p->changed = p->changed || changed;
}

/* How many are to come, this page's included. */
static unsigned long long
left(const struct knack_pages *p)
{
	return p->at.by_counter ? p->total : more(p->total, p->at.came);
}

/* By counter the next page brings what this one lacks; by numbers it would be lost. */
static bool
is_doubtful(struct knack_pages *p)
{
	unsigned long long due = left(p) < p->at.size ? left(p) : p->at.size;

	if (p->at.by_counter || more(due, p->came) <= ESTIMATE || p->doubts == DOUBTS) {
		p->doubts = 0;
		return false;
	}
	p->doubts++;
	return true;
}

/* Nothing more is to come.  Is that all that was to come? */
static void
judge_end(const struct knack_pages *p)
{
	unsigned long long slack = ESTIMATE + p->want.drift, gone = more(p->at.total, p->at.came + p->came);

	if (more(left(p), p->came) > slack)
		die_at_page(p, EX_PROTOCOL, "the last, but Knack counts %llu records more: run again, or see --allow-drift",
		    more(left(p), p->came));
	if (p->at.by_counter && gone > slack + p->at.total / GONE)
		die_at_page(p, EX_TEMPFAIL, "changed: Knack counted %llu records at first, and %llu came: run again, or see "
		    "--allow-drift", p->at.total, p->at.came + p->came);
}

/* ---- taking ---- */

static bool
is_wanted(struct knack_pages *p, struct str record, struct str id)
{
	const char *why;
	bool wanted;

	/* by counter nothing can come twice; but the first page may turn out to be one of those by numbers */
	if ((!p->at.by_counter || p->at.pages == 0) && !idset_add(p->ids, id)) {
		if (++p->repeats > p->want.drift)
			die_at_page(p, EX_TEMPFAIL, "record %.*s came before: the records moved while they were read: run again, or see "
			    "--allow-drift", (int)id.n, id.p);
		return false;
	}
	wanted = knack_query_test(p->query, record, &why);
	if (why != NULL)
		die_at_page(p, EX_PROTOCOL, "record %.*s has %s: Knack leaves a rule out and sends everything: fetch the metadata anew",
		    (int)id.n, id.p, why);
	return wanted;
}

/* The page's records become lines where they lie: each takes the place of itself and the comma or bracket after it. */
static void
take_page(struct knack_pages *p)
{
	struct json_walk w = json_walk(json_get(http_json(p->reply), "records"));
	char *start = p->reply->body.p, *out = start;

	p->page.rows = 0;
	while (json_next(&w)) {
		if (!is_wanted(p, w.value, id_of(w.value)) || p->at.rows + p->page.rows == p->want.limit)
			continue;
		out += json_move_line(out, w.value);
		*out++ = '\n';
		p->page.rows++;
	}
	p->page.data = (struct str){ start, out - start };
}

/* ---- the whole ---- */

/* A former run's last page comes again, and must be what it was: so nothing moved before it. */
static void
compare_last(struct knack_pages *p)
{
	const struct knack_mark was = *p->want.from;

	p->at.offset = was.offset - was.size;
	wait_page(p);
	if (p->at.size != was.size || p->digest != was.digest || apart(p->total, was.total) > p->want.drift)
		die(EX_TEMPFAIL, "%s: the records moved since the run before: remove the file of --resume, and start over",
		    p->query->name);
	take_page(p);                   /* for the ids */
	drop_page(p);
	p->at = was;
}

struct knack_pages *
knack_pages_open(struct knack *k, const struct knack_query *q, const struct knack_pages_wanted *want)
{
	struct knack_pages *p = xcalloc(1, sizeof *p);

	p->knack = k;
	p->query = q;
	p->want = *want;
	p->ids = idset_open();
	if (want->from != NULL && want->from->pages > 0) {
		p->at = *want->from;
		p->resumed = true;
		if (!p->at.by_counter)
			compare_last(p);
		return p;
	}
	p->at.by_counter = q->counter != NULL;
	p->at.size = want->page_size;
	if (want->limit < want->page_size && q->since == NULL)          /* else most of a page may be dropped */
		p->at.size = want->limit > 0 ? want->limit : 1;
	return p;
}

const struct knack_page *
knack_pages_next(struct knack_pages *p)
{
	bool is_last, is_enough;

	if (p->lent != NULL)
		knack_done(p->knack, p->lent);
	p->lent = NULL;
	if (p->ended)
		return NULL;
	for (;; drop_page(p)) {
		wait_page(p);
		if (leaves_counter(p))
			continue;
		judge_total(p);
		if (!is_doubtful(p))
			break;
	}
	take_page(p);
	is_last = p->came == 0 || (p->came < p->at.size && p->came >= left(p));
	is_enough = p->at.rows + p->page.rows >= p->want.limit;
	if (is_last && !is_enough)
		judge_end(p);
	p->ended = is_last || is_enough;
	p->at.digest = p->digest;
	p->at.pages++;
	p->at.offset += p->at.size;
	p->at.came += p->came;
	p->at.rows += p->page.rows;
	p->lent = p->reply;
	p->reply = NULL;
	if (p->at.by_counter && !p->ended && knack_spent(p->knack) == NULL)
		start_page(p);          /* is on its way while the caller writes this one */
	return &p->page;
}

const struct knack_mark *
knack_pages_mark(const struct knack_pages *p)
{
	return &p->at;
}

void
knack_pages_close(struct knack_pages *p)
{
	if (p->lent != NULL)
		knack_done(p->knack, p->lent);
	if (p->reply != NULL)
		knack_done(p->knack, p->reply);
	idset_close(p->ids);
	free(p);
}
