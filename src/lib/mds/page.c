/*
 * mds/page.c - the body of an answer of an MDS provider: checked, and cut to its elements where
 * it lies.
 */
#include "mds/page.h"

#include <stdlib.h>

#include "base/hash.h"
#include "format/date.h"
#include "format/json.h"

/* The body's own value, without what is around it. */
static struct str
trim(struct str body)
{
	const char *end = body.p + body.n, *p = json_space(body.p, end);

	return (struct str){ p, (size_t)(end - p) };
}

static void
read_version(struct mds_page *page, struct str all, const char *type)
{
	struct str said = mds_version_of_type(type), own = json_get(all, "version");
	struct buf scratch = { 0 };

	own = json_is_string(own) ? json_text(own, &scratch) : (struct str){ 0 };
	buf_reset(&page->number);
	page->version = mds_version_find(said.p != NULL ? said : own);
	/* the body has three parts of it, the type two */
	if (said.p == NULL || (own.p != NULL && page->version != NULL && mds_version_find(own) == page->version))
		buf_str(&page->number, own.p != NULL ? own : STR(""));
	else
		buf_str(&page->number, said);
	buf_free(&scratch);
}

/* Providers are on record that have the one form in the other's version: nothing is lost by taking both. */
static struct str
find_list(struct str all, const char *member, bool flat)
{
	struct str data = json_get(all, "data"), lists[2] = { json_get(data, member), json_get(all, member) };

	return lists[flat].p != NULL ? lists[flat] : lists[!flat];
}

static const char *
read_next(struct mds_page *page, struct str all)
{
	struct str links = json_get(all, "links"), next = json_get(links, "next");
	struct buf scratch = { 0 };

	buf_reset(&page->next);
	if (links.p != NULL && *links.p != '{' && !str_eq(links, STR("null")))
		return "\"links\" is no object";
	if (next.p == NULL || str_eq(next, STR("null")))
		return NULL;
	if (!json_is_string(next))
		return "\"links.next\" is no text";
	buf_str(&page->next, json_text(next, &scratch));
	buf_free(&scratch);
	return memchr(buf_all(&page->next).p, '\0', page->next.len) != NULL ? "\"links.next\" is no URL" : NULL;
}

const char *
mds_page_read(struct mds_page *page, struct str body, const char *type, const struct mds_version *asked,
    enum mds_endpoint endpoint)
{
	struct str all = trim(body);
	const char *why, *member = asked->question[endpoint].member;

	buf_reset(&page->why);
	page->list = (struct str){ 0 };
	if (all.n == 0 || *all.p != '{')
		return "the answer is no JSON object";
	read_version(page, all, type);
	if (page->number.len > 0 && page->version != asked)
		return NULL;            /* for the caller to judge */
	if ((why = read_next(page, all)) != NULL)
		return why;
	page->list = find_list(all, member, asked->flat);
	if (page->list.p == NULL || *page->list.p != '[')
		buf_fmt(&page->why, page->list.p == NULL ? "no \"%s\" in the answer" : "\"%s\" in the answer is no array", member);
	for (struct json_walk w = json_walk(page->list.p != NULL ? page->list : STR("[]")); page->why.len == 0 && json_next(&w); )
		if (*w.value.p != '{')
			buf_fmt(&page->why, "an element of \"%s\" in the answer is no object", member);
	return page->why.len > 0 ? page->why.p : NULL;
}

enum place { INSIDE, OUTSIDE, PASSED_OVER };

/* What has no time, or none that is a number, is where it should be: its next reader will see to it. */
static enum place
place_of(struct str element, const struct mds_cut *cut)
{
	struct str value = cut->stamp != NULL ? json_get(element, cut->stamp) : (struct str){ 0 };
	double from = (double)cut->span.from, to = (double)cut->span.to, usec;

	if (value.p == NULL || (*value.p != '-' && (*value.p < '0' || *value.p > '9')))
		return INSIDE;
	usec = strtod(value.p, NULL) * (cut->seconds ? 1e6 : 1e3) - (double)UNIX_2000 * 1e6;
	if (usec >= from && usec < to)
		return INSIDE;
	return cut->reach > 0 && ((usec < from && usec >= from - (double)cut->reach) || usec == to) ? PASSED_OVER : OUTSIDE;
}

/* Each element takes the place of the bracket or comma before it and of itself; so what comes is never overwritten. */
void
mds_page_cut(struct mds_page *page, const struct mds_cut *cut)
{
	struct json_walk w = json_walk(page->list);
	char *start = (char *)page->list.p, *out = start;

	page->came = page->rows = page->outside = 0;
	page->digest = HASH_START;
	for (; json_next(&w); page->came++) {
		enum place place = place_of(w.value, cut);

		page->digest = hash_add(page->digest, w.value);
		if (place == PASSED_OVER)
			continue;
		page->outside += place == OUTSIDE;
		if (cut->separator == ',' && page->rows > 0)
			*out++ = ',';
		out += json_move_line(out, w.value);
		if (cut->separator != ',')
			*out++ = cut->separator;
		page->rows++;
	}
	page->data = (struct str){ start, (size_t)(out - start) };
}

void
mds_page_free(struct mds_page *page)
{
	buf_free(&page->number);
	buf_free(&page->next);
	buf_free(&page->why);
}
