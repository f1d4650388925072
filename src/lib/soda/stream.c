/* soda/stream.c - a whole dataset in one long answer, its rows passed on as they arrive. */
#include "soda/stream.h"

#include "base/progress.h"
#include "format/csv.h"
#include "format/json.h"

struct stream {
	const char *name;               /* of the request, for messages */
	struct rows_out *out;
	unsigned long long rows;
	bool is_csv;
	struct csv csv;
	size_t width;                   /* fields of the CSV header */
	enum { BEFORE, FIRST, BETWEEN, NEXT, AFTER } at;        /* in the JSON array */
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
		die(EX_PROTOCOL, "%s: after %llu rows: the answer is no JSON array of rows", s->name, s->rows);
	return c != '{';
}

/* Both pass on the whole rows of [p, end) and return where the rest starts. */
static char *
pass_json(struct stream *s, char *p, char *end)
{
	struct json_error e = { 0 };

	while ((p += json_space(p, end) - p) < end) {
		if (step_json(s, *p)) {
			p++;
			continue;
		}

		const char *past = json_skip(p, end, &e);

		if (past == NULL && e.cut)
			break;
		if (past == NULL)
			die(EX_PROTOCOL, "%s: after %llu rows: %s", s->name, s->rows, e.why);

		struct str row = { p, past - p };

		while ((p = memchr(p, '\n', past - p)) != NULL)
			*p++ = ' ';     /* between tokens: strings hold no raw line break */
		rows_put_raw(s->out, row);
		rows_put_raw(s->out, STR("\n"));
		p = (char *)past;
		s->rows++;
		s->at = BETWEEN;
	}
	return p;
}

static char *
pass_csv(struct stream *s, char *start, char *end)
{
	const char *p = start, *next;

	while (p < end && (next = csv_split(&s->csv, p, end, false)) != NULL) {
		if (s->csv.why == NULL && s->width > 0 && s->csv.n != s->width)
			s->csv.why = "a record is not as wide as the header";
		if (s->csv.why != NULL)
			die(EX_PROTOCOL, "%s: after %llu rows: %s", s->name, s->rows, s->csv.why);
		if (s->width > 0)
			s->rows++;
		s->width = s->csv.n;
		p = next;
	}
	rows_put_raw(s->out, (struct str){ start, p - start });
	return start + (p - start);
}

static void
pass_on(struct buf *arrived, void *arg)
{
	struct stream *s = arg;
	char *end = arrived->p + arrived->len;
	char *rest = s->is_csv ? pass_csv(s, arrived->p, end) : pass_json(s, arrived->p, end);

	progress_set_rows(s->rows);
	progress_add(0, rest - arrived->p);
	memmove(arrived->p, rest, end - rest);
	arrived->len = end - rest;
	arrived->p[arrived->len] = '\0';
}

static const char *
check_end(struct http_reply *reply, void *arg)
{
	const struct stream *s = arg;
	bool whole = reply->body.len == 0 && (s->is_csv ? s->width > 0 : s->at == AFTER);

	return whole ? NULL : "the stream ends too soon";
}

unsigned long long
soda_stream(struct soda *soda, const struct soda_query *q, struct rows_out *out)
{
	struct stream s = { .out = out, .is_csv = q->csv, .csv = CSV_COMMA };
	struct http_reply *reply = soda_start_export(soda, q, (struct http_request){
		.what = "bulk download", .sink = &(struct http_sink){ .take = pass_on }, .check = check_end, .arg = &s });

	s.name = reply->name;
	if (!soda_wait(soda, reply))
		soda_bad_query(reply);
	soda_done(soda, reply);
	csv_free(&s.csv);
	return s.rows;
}
