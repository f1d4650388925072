/*
 * knack-push - records into a Knack object: created, or updated by their id.
 *
 * Knack has no transaction, so nothing is sent before the input has ended well; what was sent stays.  A create whose answer
 * got lost may have been done, and is never repeated blindly: with --key the record is looked for first, and without it
 * the run ends and names it.
 */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "advice.h"
#include "base/err.h"
#include "base/progress.h"
#include "format/json.h"
#include "knack/knack.h"
#include "knack/query.h"
#include "records/receipt.h"
#include "records/rows.h"
#include "records/spool.h"

#define FOUND 10                /* records of one key that a look-up shows at most: one is due */

static struct knack_wanted want;
static const char *app_file, *key_option;
static bool update_only, create_only;
static long long jobs = KNACK_JOBS, expect_rows, empty_exit;
static struct rows_options reading = { ROWS_DEFAULTS, ROWS_ADVICE };
static struct knack_options target = { KNACK_DEFAULTS, .metadata_writer = METADATA_WRITER };

static const struct opt options[] = {
	OPT_STRING(0, "object", "OBJECT", &want.object, "into this object: object_12"),
	OPT_NO_LETTER('o', "object"),
	OPT_STRING(0, "view", "VIEW", &want.view, "or by this view, a form: view_197"),
	OPT_STRING(0, "scene", "SCENE", &want.scene, "its page: scene_73 (else as the metadata say)"),
	OPT_STRING('k', "key", "FIELD", &key_option, "update the record that has the same FIELD"),
	OPT_FLAG(0, "update-only", &update_only, "a record that is not there is a bad one"),
	OPT_NO_LETTER('u', "update-only"),
	OPT_FLAG(0, "create-only", &create_only, "records that are there are left alone"),
	OPT_NO_LETTER('c', "create-only"),
	OPT_NUMBER('j', "jobs", "N", &jobs, 1, KNACK_JOBS, "calls under way at a time (8)"),
	OPT_STRING('m', "metadata", "FILE", &app_file,
	    "the application's metadata, from knack-fetch"),
	OPT_NO_LETTER('a', "metadata"),
	OPT_RENAMED("app", "metadata"),
	OPT_NUMBER(0, "expect-rows", "N", &expect_rows, 0, 1LL << 50,
	    "fewer records are an error (65); nothing is sent"),
	OPT_NUMBER(0, "empty-exit", "STATUS", &empty_exit, 0, 255,
	    "exit status when there are no good records"),
	OPT_ROWS_IN(reading),
	OPT_KNACK(target),
	OPT_END
};
const struct tool tool = {
	.name = "knack-push", .operands = "[file ...]", .options = options,
	.does = "Create or update the records of a Knack object.",
};

/* A record on its way: the spool's item, and its parts.  ID and KEY have n 0 where there is none. */
struct job {
	struct push *push;
	struct buf item;
	struct str id, key, body, kept;
	enum { FREE, LOOK_UP, CREATE, LOOK_AGAIN, UPDATE } step;
	struct http_reply *reply;
	long long creates;              /* tries */
};

struct push {
	struct knack *knack;
	const struct knack_object *object;
	const struct knack_field *key;
	struct buf path;                /* "/objects/object_12/records" */
	struct rows *in;
	struct spool *spool;
	struct job job[KNACK_JOBS];
	unsigned long long created, updated, unchanged;
	int status;                     /* why no more are sent; 0 while all is well */
	struct buf last;                /* "file:line" of the record that was sent last */
};

/* ---- reading ---- */

static void
add_part(struct buf *item, struct str part)
{
	buf_add(item, &part.n, sizeof part.n);
	buf_str(item, part);
}

static struct str
take_part(const struct buf *item, size_t *at)
{
	struct str part;

	memcpy(&part.n, item->p + *at, sizeof part.n);
	part.p = item->p + *at + sizeof part.n;
	*at += sizeof part.n + part.n;
	return part;
}

/* field_7, or field_7_raw as knack-fetch has it, is a field of the object. */
static bool
is_field(const struct push *p, struct str name)
{
	const struct knack_field *field;

	if (name.n > 4 && memcmp(name.p + name.n - 4, "_raw", 4) == 0)
		name.n -= 4;
	field = knack_field(knack_know(p->knack), name);
	return field != NULL && field->object == p->object;
}

/* The body: all but the id, of a name that comes twice the last.  No value is an empty one, as Knack has it. */
static bool
make_body(const struct push *p, const struct row *row, struct buf *body)
{
	buf_reset(body);
	buf_char(body, '{');
	for (size_t i = 0; i < row->n; i++) {
		const struct field *f = &row->f[i];

		if (str_eq(f->name, STR("id")) || row_field(row, f->name) != f)
			continue;
		if (!is_field(p, f->name)) {
			rows_reject(p->in, f->name, "%s has no such field: Knack would leave it out", p->object->key.p);
			return false;
		}
		if (body->len > 1)
			buf_char(body, ',');
		buf_json(body, f->name);
		buf_char(body, ':');
		if (f->val.p == NULL)
			buf_text(body, "\"\"");
		else if (f->json)
			buf_str(body, f->val);
		else
			buf_json(body, f->val);
	}
	buf_char(body, '}');
	if (body->len == 2)
		rows_reject(p->in, (struct str){ 0 }, "no field in it but the id");
	return body->len > 2;
}

/* Can the record be told from others, as the options want it?  It is dealt with if not. */
static bool
check_identity(const struct push *p, struct str id, struct str key)
{
	if (id.n > 0 && !knack_is_id(id))
		rows_reject(p->in, STR("id"), "\"%.*s\" is no id of a record: want 24 hex digits", (int)id.n, id.p);
	else if (id.n > 0 && create_only)
		rows_reject(p->in, STR("id"), "a record with an id, under --create-only");
	else if (id.n == 0 && p->key != NULL && key.n == 0)
		rows_reject(p->in, p->key->key, "neither an id nor a %s to find the record by", p->key->key.p);
	else if (id.n == 0 && p->key == NULL && update_only)
		rows_reject(p->in, STR("id"), "no id, under --update-only");
	else
		return true;
	return false;
}

static struct str
text_of(const struct row *row, struct str name, struct buf *scratch)
{
	const struct field *f = row_field(row, name);

	return f != NULL ? field_text(f, scratch) : (struct str){ 0 };
}

/* Puts all records aside, until the input has ended well. */
static void
read_all(struct push *p, char **files)
{
	struct buf item = { 0 }, body = { 0 }, kept = { 0 }, scratch[2] = { 0 };
	const struct row *row;

	p->in = rows_open(files, &reading);
	p->spool = spool_open();
	while ((row = rows_next(p->in)) != NULL) {
		struct str id = text_of(row, STR("id"), &scratch[0]);
		struct str key = p->key != NULL ? text_of(row, p->key->key, &scratch[1]) : (struct str){ 0 };

		if (!check_identity(p, id, key) || !make_body(p, row, &body))
			continue;
		buf_reset(&item);
		buf_reset(&kept);
		rows_keep(p->in, &kept);
		add_part(&item, id);
		add_part(&item, key);
		add_part(&item, buf_all(&body));
		add_part(&item, buf_all(&kept));
		spool_put(p->spool, buf_all(&item));
	}
	rows_check_read(p->in);
	if (spool_count(p->spool) < (unsigned long long)expect_rows)
		die(EX_DATAERR, "%llu good records, but --expect-rows %lld: nothing was sent", spool_count(p->spool), expect_rows);
	buf_free(&item);
	buf_free(&body);
	buf_free(&kept);
	buf_free(&scratch[0]);
	buf_free(&scratch[1]);
}

/* ---- asking ---- */

static const char *
check_record(struct http_reply *reply, void *arg)
{
	const char *why = http_check_json(reply, arg);
	struct str body = http_json(reply);

	if (why != NULL)
		return why;
	return *body.p == '{' && json_get(body, "id").p != NULL ? NULL : "the answer is no record";
}

static const char *
check_list(struct http_reply *reply, void *arg)
{
	const char *why = http_check_json(reply, arg);
	struct str body = http_json(reply), records, id;

	if (why != NULL)
		return why;
	records = *body.p == '{' ? json_get(body, "records") : (struct str){ 0 };
	if (records.n == 0 || *records.p != '[')
		return "no \"records\" in the answer";
	for (struct json_walk w = json_walk(records); json_next(&w); ) {
		id = *w.value.p == '{' ? json_get(w.value, "id") : (struct str){ 0 };
		if (!json_is_string(id) || !knack_is_id((struct str){ id.p + 1, id.n - 2 }))
			return "a record without an id";
	}
	return NULL;
}

static void
start_look_up(struct job *job, bool again)
{
	struct buf path = { 0 }, filters = { 0 };

	buf_fmt(&filters, "[{\"field\":\"%s\",\"operator\":\"is\",\"value\":", job->push->key->key.p);
	buf_json(&filters, job->key);
	buf_text(&filters, "}]");
	buf_fmt(&path, "%s?rows_per_page=%d&filters=", job->push->path.p, FOUND);
	buf_percent(&path, buf_all(&filters));
	job->step = again ? LOOK_AGAIN : LOOK_UP;
	job->reply = knack_start(job->push->knack, path.p, (struct http_request){ .what = "look-up", .check = check_list });
	buf_free(&path);
	buf_free(&filters);
}

static void
start_create(struct job *job)
{
	job->step = CREATE;
	job->creates++;
	job->reply = knack_start(job->push->knack, job->push->path.p, (struct http_request){ .method = "POST", .body = job->body, .what = "create",
	    .once = true, .follow_no = true, .check = check_record });
}

static void
start_update(struct job *job, struct str id)
{
	struct buf path = { 0 };

	buf_fmt(&path, "%s/%.*s", job->push->path.p, (int)id.n, id.p);
	job->step = UPDATE;
	job->reply = knack_start(job->push->knack, path.p, (struct http_request){ .method = "PUT", .body = job->body, .what = "update",
	    .follow_no = true, .check = check_record });
	buf_free(&path);
}

static void
start_job(struct job *job)
{
	struct push *p = job->push;
	struct str where;
	size_t at = 0;

	job->id = take_part(&job->item, &at);
	job->key = take_part(&job->item, &at);
	job->body = take_part(&job->item, &at);
	job->kept = take_part(&job->item, &at);
	job->creates = 0;
	where = rows_kept_where(job->kept);
	buf_reset(&p->last);
	buf_str(&p->last, where);
	if (job->id.n > 0)
		start_update(job, job->id);
	else if (p->key != NULL)
		start_look_up(job, false);
	else
		start_create(job);
}

/* ---- what comes of it ---- */

/* No more records are sent; those under way end. */
static void PRINTF(3, 4)
stop(const struct job *job, int status, const char *fmt, ...)
{
	struct str where = rows_kept_where(job->kept);
	char why[1500];
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof why, fmt, args);
	va_end(args);
	warning("%.*s: %s", (int)where.n, where.p, why);
	/* of several the one that asks for a look at Knack first */
	if (job->push->status == 0 || (status == EX_TEMPFAIL && job->push->status != EX_TEMPFAIL))
		job->push->status = status;
}

/* Knack, or what is there, does not take the record. */
static void
refuse(const struct job *job, struct str column, const char *why)
{
	rows_reject_kept(job->push->in, job->kept, column, why);
	if (reading.rejects == NULL && column.n > 0)
		stop(job, EX_DATAERR, "column \"%.*s\": %s", (int)column.n, column.p, why);
	else if (reading.rejects == NULL)
		stop(job, EX_DATAERR, "%s", why);
}

/* {"errors":[{"field":"field_7","message":"Name is required."}]}: the first of them. */
static void
refuse_by_errors(const struct job *job)
{
	struct str body = http_json(job->reply);
	struct buf said = { 0 }, message = { 0 }, column = { 0 };
	struct str text = { 0 }, field = { 0 };

	if (http_check_json(job->reply, NULL) == NULL && *body.p == '{') {
		struct str errors = json_get(body, "errors");
		struct json_walk w = json_walk(errors.n > 0 && *errors.p == '[' ? errors : STR("[]"));

		if (json_next(&w) && *w.value.p == '{') {
			text = json_text(json_get(w.value, "message"), &message);
			field = json_text(json_get(w.value, "field"), &column);
		} else if (w.value.p != NULL && json_is_string(w.value)) {
			text = json_text(w.value, &message);
		}
	}
	if (text.p != NULL)
		buf_str(&said, text);
	else
		http_message(&said, job->reply);
	refuse(job, field, said.p != NULL && said.len > 0 ? said.p : "refused without a word");
	buf_free(&said);
	buf_free(&message);
	buf_free(&column);
}

static bool
text_is(struct str json, struct str text)
{
	struct buf scratch = { 0 };
	struct str s = json_text(json, &scratch);
	bool same = s.p != NULL && str_eq(s, text);

	buf_free(&scratch);
	return same;
}

/* Both forms of a field in a record as Knack sends it; p NULL where absent. */
static void
find_value(struct str record, struct str key, struct str *html, struct str *raw)
{
	*html = *raw = (struct str){ 0 };
	for (struct json_walk w = json_walk(record); json_next(&w); )
		if (str_eq(w.key, key))
			*html = w.value;
		else if (w.key.n == key.n + 4 && memcmp(w.key.p, key.p, key.n) == 0 && memcmp(w.key.p + key.n, "_raw", 4) == 0)
			*raw = w.value;
}

/* Knack's `is` may be more lenient than we are: the record found has to show the key's very text somewhere. */
static bool
has_key(struct str record, struct str field, struct str key)
{
	struct str html, raw;

	find_value(record, field, &html, &raw);
	if ((raw.p != NULL && text_is(raw, key)) || (html.p != NULL && text_is(html, key)))
		return true;
	if (raw.p != NULL && (*raw.p == '{' || *raw.p == '['))
		for (struct json_walk w = json_walk(raw); json_next(&w); )
			if (text_is(w.value, key))
				return true;
	return false;
}

/* Every value to be written is there already, in one form or the other. */
static bool
is_same(struct str record, struct str body)
{
	struct buf scratch = { 0 };
	bool same = true;

	for (struct json_walk w = json_walk(body); same && json_next(&w); ) {
		struct str html, raw, text = json_text(w.value, &scratch), key = w.key;

		if (key.n > 4 && memcmp(key.p + key.n - 4, "_raw", 4) == 0)
			key.n -= 4;
		find_value(record, key, &html, &raw);
		same = (raw.p != NULL && (str_eq(raw, w.value) || (text.p != NULL && text_is(raw, text)))) ||
		    (html.p != NULL && (str_eq(html, w.value) || (text.p != NULL && text_is(html, text))));
	}
	buf_free(&scratch);
	return same;
}

/* What the look-up has found: how many records have the key, how many have another one; the id and sameness of the last. */
struct found { size_t its, others; char id[KNACK_ID]; bool same; };

static struct found
find_records(const struct job *job)
{
	struct json_walk w = json_walk(json_get(http_json(job->reply), "records"));
	struct found f = { 0 };

	while (json_next(&w)) {
		struct str id = json_get(w.value, "id");

		if (!has_key(w.value, job->push->key->key, job->key)) {
			f.others++;
			continue;
		}
		f.its++;
		f.same = is_same(w.value, job->body);
		memcpy(f.id, id.p + 1, KNACK_ID);
	}
	return f;
}

/* Goes on with what is there of the record's key; what it starts is the job's next request. */
static void
judge_found(struct job *job)
{
	struct found f = find_records(job);
	bool again = job->step == LOOK_AGAIN;

	knack_done(job->push->knack, job->reply);
	job->step = FREE;
	if (f.its > 1)
		refuse(job, job->push->key->key, "several records have this value: it can't be told which is meant");
	else if (f.others > 0)
		refuse(job, job->push->key->key, "Knack finds a record for it whose value is another one");
	else if (f.its == 0 && update_only)
		refuse(job, job->push->key->key, "no record has this value, under --update-only");
	else if (f.its == 0)
		start_create(job);
	else if (again)
		job->push->created++;            /* the answer was lost, the record was not */
	else if (create_only || f.same)
		job->push->unchanged++;
	else
		start_update(job, (struct str){ f.id, KNACK_ID });
}

/* A request that failed for good. */
static void
judge_failure(struct job *job)
{
	struct http_reply *reply = job->reply;
	bool unknown = reply->unknown;
	char why[1000];

	snprintf(why, sizeof why, "%s: %s", job->step == CREATE ? "create" : job->step == UPDATE ? "update" : "look-up", reply->why);
	if (unknown && job->push->key != NULL && job->creates <= target.http.retries) {
		note("%.*s: %s: looking whether it was done", (int)rows_kept_where(job->kept).n, rows_kept_where(job->kept).p, why);
		knack_done(job->push->knack, reply);
		http_hold(job->push->knack->http, target.http.retry_wait);
		start_look_up(job, true);
		return;
	}
	if (unknown)
		stop(job, EX_TEMPFAIL, "%s: is it in Knack? see --key", why);
	else
		stop(job, reply->failure, "%s: it was not done", why);
	knack_done(job->push->knack, reply);
	job->step = FREE;
}

/* One of the four statuses that are ours. */
static void
judge_refusal(struct job *job)
{
	struct http_reply *reply = job->reply;
	bool writes = job->step == CREATE || job->step == UPDATE;
	struct buf why = { 0 };
	int status = knack_refused(job->push->knack, reply, &why);

	if (reply->status == 404 && job->step == UPDATE)
		refuse(job, STR("id"), "no record has this id (404)");
	else if (reply->status == 400 && status == EX_PROTOCOL && writes)
		refuse_by_errors(job);
	else
		stop(job, status, "%s: %s", reply->name, why.p);
	buf_free(&why);
}

static void
judge_answer(struct job *job)
{
	struct http_reply *reply = job->reply;

	if (reply->status < 300 && (job->step == LOOK_UP || job->step == LOOK_AGAIN)) {
		judge_found(job);
		return;
	}
	if (reply->status >= 300)
		judge_refusal(job);
	else if (job->step == CREATE)
		job->push->created++;
	else
		job->push->updated++;
	knack_done(job->push->knack, reply);
	job->step = FREE;
}

/* ---- sending ---- */

static struct job *
job_of(struct push *p, const struct http_reply *reply)
{
	struct job *job = p->job;

	while (job->step == FREE || job->reply != reply)
		job++;
	return job;
}

/* Waits for one answer and deals with it; false when none is due. */
static bool
settle_one(struct push *p)
{
	struct http_reply *reply = http_wait_any(p->knack->http);
	struct job *job;

	if (reply == NULL)
		return false;
	job = job_of(p, reply);
	knack_over(p->knack, reply);
	if (!http_try(p->knack->http, reply))
		judge_failure(job);
	else
		judge_answer(job);
	progress_check();
	return true;
}

/* Another of the same record is under way: this one has to come after it. */
static bool
is_under_way(const struct job *job)
{
	size_t at = 0;
	struct str id = take_part(&job->item, &at), key = take_part(&job->item, &at);

	for (const struct job *other = job->push->job; other < job->push->job + KNACK_JOBS; other++)
		if (other->step != FREE && ((id.n > 0 && str_eq(id, other->id)) || (key.n > 0 && str_eq(key, other->key))))
			return true;
	return false;
}

static struct job *
free_job(struct push *p)
{
	struct job *job = p->job;

	while (job < p->job + jobs && job->step != FREE)
		job++;
	if (job == p->job + jobs)
		return NULL;
	job->push = p;
	return job;
}

/* SIGTERM or SIGINT wait to be taken, as stop_hold() has it: 128 and its number; else 0. */
static int
stop_status(void)
{
	sigset_t pending;

	sigpending(&pending);
	return sigismember(&pending, SIGTERM) ? 128 + SIGTERM : sigismember(&pending, SIGINT) ? 128 + SIGINT : 0;
}

static void
send_all(struct push *p)
{
	struct job *job;

	spool_rewind(p->spool);
	for (;;) {
		while ((job = free_job(p)) == NULL)
			settle_one(p);
		if (!spool_next(p->spool, &job->item))
			break;
		while (is_under_way(job))
			settle_one(p);
		if (p->status == 0)
			p->status = knack_spent(p->knack) != NULL ? EX_TEMPFAIL : stop_status();
		if (p->status != 0)
			break;
		start_job(job);
	}
	while (settle_one(p))
		continue;
}

/* ---- the end ---- */

static _Noreturn void
die_stopped(const struct push *p)
{
	const char *spent = knack_spent(p->knack);

	die(p->status, "%s%sstopped: %llu created and %llu updated stay; nothing after %s was sent", spent != NULL ? spent : "",
	    spent != NULL ? ": " : "", p->created, p->updated, p->last.len > 0 ? p->last.p : "the start");
}

static void
put_receipt(const struct push *p, struct rows_counts count)
{
	receipt_open();
	receipt_str(want.object != NULL ? "object" : "view", want.object != NULL ? want.object : want.view);
	receipt_int("read", count.read);
	receipt_int("created", p->created);
	receipt_int("updated", p->updated);
	receipt_int("unchanged", p->unchanged);
	receipt_int("rejected", count.rejected);
	receipt_close(count.read == 0);
}

static void
close_push(struct push *p)
{
	for (size_t i = 0; i < KNACK_JOBS; i++)
		buf_free(&p->job[i].item);
	buf_free(&p->path);
	buf_free(&p->last);
	spool_close(p->spool);
	knack_close(p->knack);
}

static void
check_options(void)
{
	knack_place_check(&want);
	if (update_only && create_only)
		die(EX_USAGE, "--update-only and --create-only: choose one");
}

int
main(int argc, char *argv[])
{
	char **files = opt_parse(argc, argv);
	struct push p = { 0 };
	const struct knack_view *view;
	struct rows_counts count;
	int status;

	check_options();
	stop_setup("nothing was sent, run again");
	p.knack = knack_open(app_file, &target);
	p.object = knack_place(p.knack, &want, &p.path, &view);
	if (key_option != NULL)
		p.key = knack_find_field(p.knack, p.object, NULL, "--key", str_of(key_option));
	read_all(&p, files);
	stop_hold();
	send_all(&p);
	if (p.status != 0)
		die_stopped(&p);
	count = rows_counts(p.in);
	rows_close(p.in);
	put_receipt(&p, count);
	status = spool_count(p.spool) == 0 ? (int)empty_exit : EX_OK;
	close_push(&p);
	return status;
}
