/* soda/report.c - what a Socrata server says it did with rows. */
#include "soda/report.h"

#include "format/json.h"
#include "soda/soda.h"

/* A count that is there and makes sense is added. */
static bool
read_count(struct str object, const char *name, const char *other, unsigned long long *count)
{
	struct buf scratch = { 0 };
	struct str text = json_text(json_get(object, name), &scratch);
	unsigned long long n = 0;

	if (text.p == NULL)
		text = json_text(json_get(object, other), &scratch);
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < '0' || text.p[i] > '9' || __builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (unsigned)(text.p[i] - '0'), &n)) {
			buf_free(&scratch);
			return false;
		}
	*count = n;
	buf_free(&scratch);
	return true;
}

static void
count_entry(struct soda_report *r, struct str entry)
{
	struct str what = json_get(entry, "typ");

	r->entries++;
	if (str_eq(what, STR("\"insert\"")))
		r->created++;
	else if (str_eq(what, STR("\"update\"")))
		r->updated++;
	else if (str_eq(what, STR("\"delete\"")))
		r->deleted++;
	else
		r->errors++;
}

const char *
soda_report_read(struct http_reply *reply, void *report)
{
	const char *why = http_check_json(reply, NULL);
	struct soda_report *r = report;
	struct str body;

	*r = (struct soda_report){ 0 };
	if (why != NULL)
		return why;
	body = http_json(reply);
	if (*body.p == '[') {
		for (struct json_walk w = json_walk(body); json_next(&w);)
			count_entry(r, w.value);
		return NULL;
	}
	if (*body.p != '{')
		return "the answer is no report";
	if (str_eq(json_get(body, "error"), STR("true")) || json_get(body, "errorCode").p != NULL)
		return soda_no_rows(reply);
	if (!read_count(body, "Rows Created", "rows_created", &r->created) ||
	    !read_count(body, "Rows Updated", "rows_updated", &r->updated) ||
	    !read_count(body, "Rows Deleted", "rows_deleted", &r->deleted) || !read_count(body, "Errors", "errors", &r->errors))
		return "a count in the report is no number";
	return NULL;
}

bool
soda_report_error(const struct http_reply *reply, size_t *at, struct buf *why)
{
	struct str body = http_json(reply);
	struct json_walk w = json_walk(body);
	struct buf scratch = { 0 };
	bool error;

	if (*at > 0)
		w.p = reply->body.p + *at;
	if (!json_next(&w))
		return false;
	*at = (size_t)(w.p - reply->body.p);

	struct str what = json_get(w.value, "typ");

	error = !str_eq(what, STR("\"insert\"")) && !str_eq(what, STR("\"update\"")) && !str_eq(what, STR("\"delete\""));
	if (error) {
		struct str said = json_text(json_get(w.value, "err"), &scratch);

		buf_str(why, said.n > 0 ? said : STR("an error without a reason"));
	}
	buf_free(&scratch);
	return error;
}
