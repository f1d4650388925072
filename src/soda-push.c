/*
 * soda-push - records into a Socrata dataset: merged by its row identifier, or in place of all its rows.
 *
 * Nothing is sent before the input has ended.  A replace is one request with all rows, since several are no transaction:
 * whoever looks in between, or after a cut, sees a part.  An upsert goes in chunks; as the row identifier tells which row
 * is which, a chunk may be sent twice, so what broke off is sent again, and one that has a bad row is halved until
 * the row is found.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "advice.h"
#include "base/err.h"
#include "base/limit.h"
#include "base/names.h"
#include "base/progress.h"
#include "format/gzip.h"
#include "format/json.h"
#include "records/output.h"
#include "records/receipt.h"
#include "records/rows.h"
#include "records/spool.h"
#include "soda/columns.h"
#include "soda/report.h"
#include "soda/soda.h"

#define CHUNK_BYTES (4 << 20)   /* a chunk is full with so many, too */
#define ENOUGH 100              /* refused records, without --rejects, after which more would tell nobody more */
#define COUNT_PAUSE 30.0        /* s at most between two looks at the count */

enum mode { UPSERT, REPLACE, DELETE };
static const char *const modes[] = { "upsert", "replace", "delete" };

static bool replace, delete_rows, pack, allow_duplicates, allow_empty;
static long long chunk_rows = 1000, expect_rows, empty_exit;
static const char *max_delete = "50%";
static struct rows_options reading = { ROWS_DEFAULTS, ROWS_ADVICE };
static struct soda_options target = { SODA_DEFAULTS };

static const struct opt options[] = {
	OPT_FLAG(0, "replace", &replace, "the dataset becomes what was read, in one request"),
	OPT_FLAG(0, "delete", &delete_rows, "delete the rows with these row identifiers"),
	OPT_NUMBER(0, "chunk", "N", &chunk_rows, 1, 100000,
	    "records per request of an upsert (1000)"),
	OPT_FLAG(0, "gzip", &pack, "send the rows packed"),
	OPT_FLAG(0, "allow-duplicates", &allow_duplicates,
	    "without a row identifier: each run adds its rows"),
	OPT_FLAG(0, "allow-empty", &allow_empty, "--replace by no records at all empties the dataset"),
	OPT_STRING(0, "max-delete", "N|P%", &max_delete,
	    "a replace that loses more than this: fail (50%)"),
	OPT_NUMBER(0, "expect-rows", "N", &expect_rows, 0, 1LL << 62,
	    "fewer records are an error (65)"),
	OPT_NUMBER(0, "empty-exit", "STATUS", &empty_exit, 0, 255, "exit status when there was no record"),
	OPT_SODA_WRITE(target),
	OPT_ROWS_IN(reading),
	OPT_END
};
const struct tool tool = {
	.name = "soda-push", .operands = "DOMAIN DATASET [file ...]", .options = options,
	.does = "Upsert records into a Socrata dataset, or replace its rows by them.",
};

/* What a column takes, as far as it matters for what a cell of CSV is. */
enum cell { CELL_TEXT, CELL_BOOLEAN, CELL_NESTED, CELL_OBJECT };

struct item { size_t json, json_len, kept, kept_len; }; /* a record of a chunk, in its two buffers */

struct push {
	struct soda *soda;
	struct rows *in;
	enum mode mode;
	bool once;                      /* a request that is repeated makes double rows */
	bool has_key;                   /* the dataset has a row identifier; else rows match by :id */
	struct names names;             /* of the columns that may be sent */
	enum cell *cell;                /* of each */
	unsigned long long *seen;       /* in which record each came last */
	size_t key;                     /* which one tells rows apart */
	unsigned long long record, taken;
	struct buf json, scratch;       /* the record */

	struct spool *spool;            /* an upsert's records, each with what is kept of it for a reject */
	int fd;                         /* a replace's body */
	long long len;
	struct gzip *gzip;
	struct buf buf;                 /* of the body, on its way to a file or a request */

	struct item *item;              /* a chunk */
	size_t items;
	struct buf rows, kept;

	unsigned long long done;        /* records of the requests that were answered */
	unsigned long long requests, bytes;
	struct soda_report report, total;
	unsigned long long refused;     /* records that the server named as bad, by and by */
	unsigned long long unnamed;     /* and those that it only counted */
	unsigned long long missing;     /* rows to delete that were not there */
	struct buf reason;              /* of the first refusal */
};

/* ---- the dataset ---- */

static enum cell
cell_of(struct str type)
{
	static const struct { const char *type; enum cell cell; } cells[] = {
		{ "checkbox", CELL_BOOLEAN },
		{ "point", CELL_NESTED }, { "multipoint", CELL_NESTED }, { "line", CELL_NESTED }, { "multiline", CELL_NESTED },
		{ "polygon", CELL_NESTED }, { "multipolygon", CELL_NESTED }, { "json", CELL_NESTED },
		{ "location", CELL_OBJECT }, { "url", CELL_OBJECT }, { "phone", CELL_OBJECT }, { "document", CELL_OBJECT },
	};

	for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
		if (str_eq(type, str_of(cells[i].type)))
			return cells[i].cell;
	return CELL_TEXT;
}

static void
look_at_dataset(struct push *p)
{
	struct soda_columns columns = soda_columns_of(p->soda, true);
	struct str key = columns.key.p != NULL ? columns.key : STR(":id");

	p->cell = xcalloc(columns.n + 1, sizeof *p->cell);
	p->seen = xcalloc(columns.n + 1, sizeof *p->seen);
	for (size_t i = 0; i < columns.n; i++)
		p->cell[names_add(&p->names, columns.c[i].name)] = cell_of(columns.c[i].type);
	p->has_key = columns.key.p != NULL;
	p->key = p->has_key || p->mode != REPLACE ? names_add(&p->names, key) : NAMES_NONE;
	p->once = p->mode == UPSERT && !p->has_key && allow_duplicates;
	soda_columns_free(&columns);
}

/* ---- records ---- */

/* A record without what tells its row from others; no row identifier at all is no fault of the record. */
static void
reject_keyless(struct push *p)
{
	if (!p->has_key && p->taken == 0)
		die(EX_CONFIG, "%s has no row identifier, so that every record would be a new row in every run: set one there, "
		    "or give --allow-duplicates", p->soda->dataset);
	rows_reject(p->in, p->names.name[p->key], "no value, and it tells which row this is");
}

static bool
check_record(struct push *p, const struct row *row)
{
	bool keyed = p->once || p->key == NAMES_NONE;

	p->record++;
	for (size_t i = 0; i < row->n; i++) {
		const struct field *f = &row->f[i];
		size_t at = names_find(&p->names, f->name, i);

		if (at == NAMES_NONE && p->mode == DELETE)
			continue;
		if (at == NAMES_NONE) {
			rows_reject(p->in, f->name, "%s has no such column: see soda-shape", p->soda->dataset);
			return false;
		}
		if (p->seen[at] == p->record) {
			rows_reject(p->in, f->name, "comes twice in one record");
			return false;
		}
		p->seen[at] = p->record;
		keyed = keyed || (at == p->key && field_text(f, &p->scratch).n > 0);
	}
	if (!keyed)
		reject_keyless(p);
	return keyed;
}

/* A cell that holds an object or an array, and not only looks like one. */
static bool
is_nested(struct str val, struct buf *scratch)
{
	return val.n > 0 && (val.p[0] == '{' || val.p[0] == '[') &&
	    json_check(val, scratch, NULL).n == val.n;
}

static bool
is_word(struct str val, const char *word)
{
	return val.n == strlen(word) && strncasecmp(val.p, word, val.n) == 0;
}

/* Socrata's source makes null of a URL or location that is no object, without a word.  Once for a column. */
static void
check_object(struct push *p, const struct field *f, size_t at)
{
	if (p->cell[at] != CELL_OBJECT || f->val.n == 0 || f->val.p[0] == '{' || (f->json && f->val.n == 2))
		return;
	warning("%s: column \"%.*s\" wants objects: Socrata may store nothing of a text: see soda-shape", rows_where(p->in),
	    (int)f->name.n, f->name.p);
	p->cell[at] = CELL_NESTED;
}

static void
add_value(struct push *p, const struct field *f, enum cell cell)
{
	struct buf *b = &p->json;

	if (f->val.p == NULL)
		buf_text(b, "null");
	else if (f->json || (cell >= CELL_NESTED && is_nested(f->val, &p->scratch)))
		buf_str(b, f->val);
	else if (cell == CELL_BOOLEAN && is_word(f->val, "true"))
		buf_text(b, "true");
	else if (cell == CELL_BOOLEAN && is_word(f->val, "false"))
		buf_text(b, "false");
	else
		buf_json(b, f->val);
}

/* Makes the record a row, in p->json. */
static void
make_row(struct push *p, const struct row *row)
{
	const char *between = p->mode == DELETE ? "{\":deleted\":true," : "{";

	buf_reset(&p->json);
	for (size_t i = 0; i < row->n; i++) {
		size_t at = names_find(&p->names, row->f[i].name, i);

		if (p->mode == DELETE && at != p->key)
			continue;
		buf_text(&p->json, between);
		between = ",";
		buf_json(&p->json, p->names.name[at]);
		buf_char(&p->json, ':');
		check_object(p, &row->f[i], at);
		add_value(p, &row->f[i], p->cell[at]);
	}
	buf_text(&p->json, row->n == 0 ? "{}" : "}");
}

/* ---- what was read waits for the end of the input ---- */

static void
write_body(struct push *p, struct str bytes)
{
	if (p->gzip != NULL)
		gzip_add(p->gzip, bytes, &p->buf);
	else
		buf_str(&p->buf, bytes);
	if (p->buf.len < WRITE_AT)
		return;
	spool_write(p->fd, buf_all(&p->buf));
	p->len += p->buf.len;
	buf_reset(&p->buf);
}

static void
end_body(struct push *p)
{
	write_body(p, p->taken > 0 ? STR("]\n") : STR("[]\n"));
	if (p->gzip != NULL)
		gzip_end(p->gzip, &p->buf);
	spool_write(p->fd, buf_all(&p->buf));
	p->len += p->buf.len;
}

static void
put_aside(struct push *p)
{
	if (p->mode == REPLACE) {
		write_body(p, p->taken > 0 ? STR("\n,") : STR("["));
		write_body(p, buf_all(&p->json));
	} else {
		spool_put(p->spool, buf_all(&p->json));
		buf_reset(&p->json);
		rows_keep(p->in, &p->json);
		spool_put(p->spool, buf_all(&p->json));
	}
	p->taken++;
}

static void
read_records(struct push *p)
{
	struct row *row;

	if (p->mode == REPLACE)
		p->fd = spool_file();
	else
		p->spool = spool_open();
	while ((row = rows_next(p->in)) != NULL) {
		if (!check_record(p, row))
			continue;
		make_row(p, row);
		put_aside(p);
	}
	rows_check_read(p->in);
	if (p->taken < (unsigned long long)expect_rows)
		die(EX_DATAERR, "%llu good records, but --expect-rows %lld: nothing was sent", p->taken, expect_rows);
}

/* ---- requests ---- */

/* Two texts, for the signal may come while one is made. */
static void PRINTF(1, 2)
say_if_stopped(const char *fmt, ...)
{
	static char text[2][200];
	static int turn;
	va_list ap;

	turn = !turn;
	va_start(ap, fmt);
	vsnprintf(text[turn], sizeof text[turn], fmt, ap);
	va_end(ap);
	stop_setup(text[turn]);
}

/* The code of an error, in either of its shapes; lent by SCRATCH. */
static struct str
error_member(const struct http_reply *reply, const char *name, const char *other, struct buf *scratch)
{
	struct json_error e = { 0 };
	struct str body = http_json(reply), value;

	if (*body.p != '{' || json_skip(body.p, body.p + body.n, &e) == NULL)
		return (struct str){ 0 };
	value = json_get(body, name);
	return json_text(value.p != NULL ? value : json_get(body, other), scratch);
}

static bool
starts(struct str s, const char *with)
{
	return s.n >= strlen(with) && memcmp(s.p, with, strlen(with)) == 0;
}

/*
 * A 400 means that no row is in, with one exception: "Row data was saved." is a success whose report got lost.  Returns true
 * for that, false where the rows are to blame, and dies where other rows would fare no better.  SAID: the server's words.
 */
static bool
is_saved(struct push *p, const struct http_reply *reply, struct buf *said)
{
	struct buf scratch = { 0 };
	struct str code = error_member(reply, "code", "errorCode", &scratch);
	bool lost_column = str_eq(code, STR("soda.row.column-not-found")), malformed = starts(code, "req.");

	buf_reset(said);
	buf_text(said, "");
	http_message(said, reply);
	buf_free(&scratch);
	if (starts(buf_all(said), "Row data was saved.")) {
		warning("%s: \"%s\": the rows are in, and are not sent again", p->soda->dataset, said->p);
		return true;
	}
	if (strstr(said->p, "synced dataset") != NULL)
		die(EX_CONFIG, "%s: \"%s\": something else fills it", p->soda->dataset, said->p);
	if (lost_column || starts(buf_all(said), "Illegal field name sent"))
		die(EX_DATAERR, "%s: \"%s\": its columns changed after the start, with %llu records in: run again", p->soda->dataset,
		    said->p, p->done);
	if (malformed)
		die(EX_PROTOCOL, "%s: \"%s\"", p->soda->dataset, said->p);
	return false;
}

static void
count_report(struct push *p)
{
	p->total.created += p->report.created;
	p->total.updated += p->report.updated;
	p->total.deleted += p->report.deleted;
}

/* ---- an upsert, chunk by chunk ---- */

static struct str
kept_of(const struct push *p, size_t i)
{
	return (struct str){ p->kept.p + p->item[i].kept, p->item[i].kept_len };
}

/* The next records of the spool; false when there are none. */
static bool
load_chunk(struct push *p)
{
	p->items = 0;
	buf_reset(&p->rows);
	buf_reset(&p->kept);
	while (p->items < (size_t)chunk_rows && p->rows.len < CHUNK_BYTES && spool_next(p->spool, &p->json)) {
		struct item *item = &p->item[p->items++];

		*item = (struct item){ .json = p->rows.len, .json_len = p->json.len, .kept = p->kept.len };
		buf_str(&p->rows, buf_all(&p->json));
		spool_next(p->spool, &p->json);
		buf_str(&p->kept, buf_all(&p->json));
		item->kept_len = p->json.len;
	}
	return p->items > 0;
}

/* The records from FIRST on as a JSON array, in p->buf. */
static void
make_body(struct push *p, size_t first, size_t n)
{
	struct buf *plain = p->gzip != NULL ? &p->json : &p->buf;

	buf_reset(plain);
	for (size_t i = first; i < first + n; i++) {
		buf_text(plain, i > first ? "\n," : "[");
		buf_str(plain, (struct str){ p->rows.p + p->item[i].json, p->item[i].json_len });
	}
	buf_text(plain, "]\n");
	if (p->gzip == NULL)
		return;
	buf_reset(&p->buf);
	gzip_add(p->gzip, buf_all(plain), &p->buf);
	gzip_end(p->gzip, &p->buf);
}

/* Sends them and waits; p->report is what the server says of it, or nothing with a 400. */
static struct http_reply *
post(struct push *p, size_t first, size_t n)
{
	struct str from = rows_kept_where(kept_of(p, first)), to = rows_kept_where(kept_of(p, first + n - 1));
	struct buf what = { 0 };
	struct http_reply *reply;

	make_body(p, first, n);
	buf_fmt(&what, "%.*s to %.*s, after %llu records that are in", (int)from.n, from.p, (int)to.n, to.p, p->done);
	say_if_stopped("%llu of %llu records are in, of the next %zu nobody knows: %s", p->done, p->taken, p->items,
	    p->once ? "look before you send the rest" : "run again");
	p->report = (struct soda_report){ 0 };
	reply = soda_start_write(p->soda, p->gzip != NULL, (struct http_request){ .method = "POST", .body = buf_all(&p->buf),
		.what = what.p, .check = soda_report_read, .arg = &p->report, .once = p->once });
	p->requests++;
	p->bytes += p->buf.len;
	soda_wait(p->soda, reply);
	buf_free(&what);
	return reply;
}

static void
refuse(struct push *p, size_t i, struct str column, const char *why)
{
	struct str where = rows_kept_where(kept_of(p, i));

	rows_reject_kept(p->in, kept_of(p, i), column, why);
	p->refused++;
	if (p->reason.len == 0)
		buf_fmt(&p->reason, "%.*s: %s", (int)where.n, where.p, why);
	if (reading.rejects == NULL && p->refused == ENOUGH)
		die(EX_DATAERR, "%d records were refused: that is enough without --rejects; the first: %s; others are in: run again "
		    "once it is mended", ENOUGH, p->reason.p);
}

/* The one record of a request that was refused. */
static void
refuse_alone(struct push *p, size_t i, const struct http_reply *reply, const char *said)
{
	struct buf why = { 0 }, scratch = { 0 };

	buf_fmt(&why, "the server refuses it: %s", *said != '\0' ? said : "no message");
	refuse(p, i, error_member(reply, "data.field", "data.column", &scratch), why.p);
	buf_free(&why);
	buf_free(&scratch);
}

/* The report has an entry for each row. */
static void
refuse_entries(struct push *p, size_t first, size_t n, const struct http_reply *reply)
{
	struct buf why = { 0 };
	size_t at = 0;

	for (size_t i = first; i < first + n; i++) {
		buf_reset(&why);
		buf_text(&why, "the server refuses it: ");
		if (soda_report_error(reply, &at, &why))
			refuse(p, i, (struct str){ 0 }, why.p);
	}
	buf_free(&why);
}

static void send_part(struct push *, size_t first, size_t n, bool counts);

static void
send_halves(struct push *p, size_t first, size_t n, bool counts)
{
	send_part(p, first, n / 2, counts);
	send_part(p, first + n / 2, n - n / 2, counts);
}

/* A report counts errors; the others of these rows are in.  Sending the halves again does no harm, and tells where they are. */
static void
find_errors(struct push *p, size_t first, size_t n, const struct http_reply *reply)
{
	unsigned long long errors = p->report.errors;

	if (p->mode == DELETE) {
		p->missing += errors;           /* the documented cause: there is no such row */
	} else if (p->report.entries == n) {
		refuse_entries(p, first, n, reply);
	} else if (p->once) {
		p->unnamed += errors;
	} else if (errors >= n) {
		for (size_t i = first; i < first + n; i++)
			refuse(p, i, (struct str){ 0 }, "the server counts an error for it, and does not say why");
	} else {
		send_halves(p, first, n, false);
	}
}

/* COUNTS: these rows were not in any report yet. */
static void
send_part(struct push *p, size_t first, size_t n, bool counts)
{
	struct http_reply *reply = post(p, first, n);
	struct buf said = { 0 };
	bool refused = reply->status == 400 && !is_saved(p, reply, &said);

	if (refused && n == 1)
		refuse_alone(p, first, reply, said.p);
	else if (refused)
		send_halves(p, first, n, counts);
	if (!refused && counts)
		count_report(p);
	if (!refused && p->report.errors > 0)
		find_errors(p, first, n, reply);
	soda_done(p->soda, reply);
	buf_free(&said);
}

static void
upsert_rows(struct push *p)
{
	p->item = xcalloc((size_t)chunk_rows, sizeof *p->item);
	spool_rewind(p->spool);
	while (load_chunk(p)) {
		unsigned long long bytes = p->bytes;

		send_part(p, 0, p->items, true);
		p->done += p->items;
		say_if_stopped("%llu of %llu records are in: run again", p->done, p->taken);
		progress_add(p->items, p->bytes - bytes);
		progress_check();
	}
}

/* ---- a replace ---- */

static void
pause_for(double seconds)
{
	struct timespec t = { (time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9) };

	nanosleep(&t, NULL);
	progress_check();
}

/* Waits until the source counts what was sent: what it serves may be behind what it has. */
static void
await_count(struct push *p, unsigned long long rows)
{
	double waited = 0, pause = target.http.retry_wait;
	unsigned long long unique = p->report.updated > 0 && p->report.created + p->report.updated == rows ? p->report.created : rows;

	for (;;) {
		unsigned long long count = soda_count(p->soda, NULL, NULL);

		if (count == rows)
			return;
		if (count == unique) {
			warning("%s: %llu records had a row identifier that came before: the last one of each is there",
			    p->soda->dataset, rows - unique);
			return;
		}
		if (waited + pause > target.http.max_wait)
			die(EX_PROTOCOL, "%s was replaced by %llu rows, but the source counts %llu", p->soda->dataset, rows, count);
		if (waited == 0)
			note("%s: the source still counts %llu rows, not %llu: asking again", p->soda->dataset, count, rows);
		pause_for(pause);
		waited += pause;
		pause = pause * 2 < COUNT_PAUSE ? pause * 2 : COUNT_PAUSE;
	}
}

static void
guard_replace(struct push *p, struct limit limit)
{
	unsigned long long had = soda_count(p->soda, NULL, NULL);

	if (p->taken > 0 && had > p->taken)
		limit_check(limit, had - p->taken, had, p->soda->dataset);
}

static void
replace_rows(struct push *p, struct limit limit)
{
	struct http_reply *reply;
	struct buf said = { 0 };

	end_body(p);
	guard_replace(p, limit);
	say_if_stopped("%s has its old rows or the new ones, nobody knows which: run again", p->soda->dataset);
	reply = soda_start_write(p->soda, p->gzip != NULL, (struct http_request){ .method = "PUT",
		.file = &(struct http_file){ .fd = p->fd, .len = p->len }, .what = "replace", .check = soda_report_read,
		.arg = &p->report });
	p->requests++;
	p->bytes += p->len;
	soda_wait(p->soda, reply);
	if (reply->status == 400 && !is_saved(p, reply, &said))
		die(EX_DATAERR, "%s: nothing was replaced: the server refuses the rows: %s", p->soda->dataset, said.p);
	say_if_stopped("%s has its new rows, but they were not counted", p->soda->dataset);
	count_report(p);
	p->unnamed = p->report.errors < p->taken ? p->report.errors : p->taken;
	p->done = p->taken;
	soda_done(p->soda, reply);
	buf_free(&said);
	await_count(p, p->taken - p->unnamed);
}

/* ---- the end ---- */

/* What the server says of itself, where it does not add up. */
static void
add_claims(const struct push *p)
{
	struct buf claims = { 0 };

	buf_fmt(&claims, "{\"created\":%llu,\"updated\":%llu,\"deleted\":%llu}", p->total.created, p->total.updated,
	    p->total.deleted);
	receipt_json("server", claims.p);
	buf_free(&claims);
}

static void
put_receipt(const struct push *p)
{
	struct rows_counts count = rows_counts(p->in);
	unsigned long long good = p->done - (p->mode == REPLACE ? 0 : p->refused) - p->unnamed;
	unsigned long long changed = p->total.created + p->total.updated + (p->mode == DELETE ? p->total.deleted + p->missing : 0);

	receipt_open();
	receipt_str("dataset", p->soda->dataset);
	receipt_str("mode", modes[p->mode]);
	receipt_int("read", count.read);
	if (changed == good) {
		receipt_int("created", p->total.created);
		receipt_int("updated", p->total.updated);
		receipt_int("deleted", p->total.deleted);
	} else {
		receipt_int("sent", good);
		add_claims(p);
	}
	if (p->mode == DELETE)
		receipt_int("missing", p->missing);
	receipt_int("rejected", count.rejected + p->unnamed);
	if (count.nuls > 0)
		receipt_int("nuls", count.nuls);
	receipt_int("requests", p->requests);
	receipt_int("bytes", p->bytes);
	receipt_close(count.read == 0);
}

/* The exit status, once all is done; refusals that are nowhere to be read again are a failure. */
static int
judge(const struct push *p)
{
	if (p->unnamed > 0)
		die(EX_DATAERR, "%s: the server refused %llu of %llu records and does not say which; the others are in",
		    p->soda->dataset, p->unnamed, p->done);
	if (p->refused > 0 && reading.rejects == NULL)
		die(EX_DATAERR, "%s: %llu of %llu records were refused, the others are in; the first: %s", p->soda->dataset,
		    p->refused, p->done, p->reason.p);
	return p->taken == 0 ? (int)empty_exit : EX_OK;
}

static void
check_options(char **operands)
{
	if (operands[0] == NULL || operands[1] == NULL)
		die(EX_USAGE, "want a domain and a dataset, such as data.austintexas.gov abcd-1234");
	if (replace && delete_rows)
		die(EX_USAGE, "--replace and --delete: choose one");
	if (allow_empty && !replace)
		die(EX_USAGE, "--allow-empty is for --replace");
	if (allow_duplicates && (replace || delete_rows))
		die(EX_USAGE, "--allow-duplicates is for upserts");
}

static void
close_push(struct push *p)
{
	if (p->spool != NULL)
		spool_close(p->spool);
	else
		close(p->fd);
	if (p->gzip != NULL)
		gzip_close(p->gzip);
	names_free(&p->names);
	free(p->cell);
	free(p->seen);
	free(p->item);
	buf_free(&p->json);
	buf_free(&p->scratch);
	buf_free(&p->buf);
	buf_free(&p->rows);
	buf_free(&p->kept);
	buf_free(&p->reason);
	soda_close(p->soda);
}

int
main(int argc, char *argv[])
{
	char **operands = opt_parse(argc, argv);
	struct limit limit = limit_parse("max-delete", max_delete);
	struct push p = { .mode = replace ? REPLACE : delete_rows ? DELETE : UPSERT };
	int status;

	check_options(operands);
	stop_setup("nothing was sent, run again");
	p.soda = soda_open(operands[0], operands[1], &target);
	soda_need_login(p.soda);
	look_at_dataset(&p);
	p.gzip = pack ? gzip_open() : NULL;
	p.in = rows_open(operands + 2, &reading);
	read_records(&p);
	progress_restart(p.taken);
	if (p.taken == 0 && replace && !allow_empty)
		warning("no records: %s stays as it is (--allow-empty would empty it)", p.soda->dataset);
	else if (replace)
		replace_rows(&p, limit);
	else
		upsert_rows(&p);
	put_receipt(&p);
	rows_close(p.in);
	status = judge(&p);
	close_push(&p);
	return status;
}
