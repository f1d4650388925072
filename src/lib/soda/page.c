/* soda/page.c - the body of an answer, checked and cut to its rows where it lies. */
#include "soda/page.h"

#include "format/json.h"
#include "soda/soda.h"

static void
clear_page(struct soda_page *page)
{
	page->rows = 0;
	page->data = (struct str){ NULL, 0 };
	buf_reset(&page->header);
	buf_reset(&page->first_id);
	buf_reset(&page->last_id);
	page->fields.delimiter = ',';
}

static void
keep_id(struct soda_page *page, struct str id)
{
	if (page->first_id.len == 0)
		buf_str(&page->first_id, id);
	buf_reset(&page->last_id);
	buf_str(&page->last_id, id);
}

/* Cuts the member :id out of the object, wherever it is; what stays moves to OUT.  Returns its end there. */
static char *
cut_id(struct soda_page *page, struct str object, char *out)
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
take_row(struct soda_page *page, char *p, const char *end, char **out, struct json_error *e)
{
	static const char lead[] = "{\":id\":\"";
	const size_t n = sizeof lead - 1;
	char *id = p + n, *q = id, *line = *out;
	bool cut = false;

	if (page->cuts_id && (size_t)(end - p) > n && memcmp(p, lead, n) == 0) {
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
	if (page->cuts_id && !cut) {
		*out = cut_id(page, (struct str){ p, past - p }, line);
	} else {
		if (page->has_id && !cut) {
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

/* A whole JSON array of objects, which becomes NDJSON.  A line is never longer than its row in the array. */
static const char *
split_json(struct soda_page *page, struct http_reply *reply)
{
	char *body = reply->body.p, *out = body;
	const char *end, *p;
	struct json_error e = { 0 };

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
	return NULL;
}

/* How many bytes at the start of the CSV record at P its first field and the comma take. */
static size_t
first_field(const struct csv *csv)
{
	return csv->f[0].val.n + (csv->f[0].quoted ? 2 : 0) + (csv->n > 1 ? 1 : 0);
}

/* Whole CSV, every record as wide as the header, which is kept apart. */
static const char *
split_csv(struct soda_page *page, struct http_reply *reply)
{
	struct csv *csv = &page->fields;
	const char *p = reply->body.p, *end, *next;
	char *out = reply->body.p;
	bool cut = page->cuts_id;
	size_t width, id = 0;

	if (reply->body.len == 0)
		return "the answer is empty, and has no header";
	end = p + reply->body.len;
	if (end[-1] != '\n')
		return "the CSV ends within a line";
	next = csv_split(csv, p, end, true);
	width = csv->n;
	while (page->has_id && id < width && !str_eq(csv->f[id].val, STR(":id")))
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
		if (page->has_id && id < width)
			keep_id(page, csv->f[id].val);
		if (cut) {
			size_t skip = first_field(csv);

			memmove(out, p + skip, next - p - skip);
			out += next - p - skip;
		}
		page->rows++;
	}
	page->data.n = (cut ? out : end) - page->data.p;
	return NULL;
}

const char *
soda_page_cut(struct soda_page *page, struct http_reply *reply)
{
	clear_page(page);
	return page->csv ? split_csv(page, reply) : split_json(page, reply);
}

void
soda_page_keep(struct soda_page *page, unsigned long long rows)
{
	const char *p = page->data.p, *end = p + page->data.n;

	for (unsigned long long i = 0; i < rows; i++)
		p = page->csv ? csv_split(&page->fields, p, end, true) : (const char *)memchr(p, '\n', end - p) + 1;
	page->data.n = p - page->data.p;
	page->rows = rows;
}

void
soda_page_free(struct soda_page *page)
{
	buf_free(&page->header);
	buf_free(&page->first_id);
	buf_free(&page->last_id);
	csv_free(&page->fields);
}
