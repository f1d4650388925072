/*
 * fuzz-json - the JSON scanners on anything: json_scan() takes an object if and only if json_skip() does, and as far;
 * json_walk() yields the same members; a text that is cut says so; escapes come back as they went.
 */
#include <stdint.h>
#include <stdlib.h>

#include "format/json.h"

#define CHECK(x) do { if (!(x)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check_string(struct str value)
{
	struct buf scratch = { 0 }, json = { 0 }, again = { 0 };
	struct json_error e = { 0 };
	struct str text = json_text(value, &scratch);

	CHECK(utf8_check(text.p, text.p + text.n) == NULL);
	buf_json(&json, text);
	CHECK(json_skip(json.p, json.p + json.len, &e) == json.p + json.len);
	CHECK(str_eq(json_text(buf_all(&json), &again), text));
	buf_free(&scratch);
	buf_free(&json);
	buf_free(&again);
}

static void
check_value(struct str value)
{
	struct json_walk w = json_walk(value);

	if (json_is_string(value)) {
		check_string(value);
		return;
	}
	if (value.p[0] != '{' && value.p[0] != '[')
		return;
	while (json_next(&w)) {
		CHECK(w.value.p > value.p && w.value.p + w.value.n < value.p + value.n);
		CHECK((w.key.p != NULL) == (value.p[0] == '{'));
		check_value(w.value);
	}
}

static void
check_object(const char *p, const char *end, const char *to, const struct json_error *e)
{
	struct json_scan s = json_scan(p, end);
	struct json_walk w = { 0 };

	if (to != NULL)
		w = json_walk((struct str){ p, (size_t)(to - p) });
	while (json_member(&s)) {
		CHECK(s.value.p > p && s.value.p + s.value.n <= end);
		if (to != NULL)
			CHECK(json_next(&w) && str_eq(w.key, s.key) && str_eq(w.value, s.value));
	}
	CHECK((s.error.why == NULL) == (to != NULL));
	if (to != NULL)
		CHECK(s.p == to && !json_next(&w));
	else
		CHECK(s.error.cut == e->cut);
}

/* What ends in the middle is cut, and nothing else is. */
static void
check_cut(const char *p, size_t n)
{
	struct buf part = { 0 };
	struct json_error e;

	for (size_t k = 1; k < n; k++) {
		const char *to;

		buf_reset(&part);
		buf_add(&part, p, k);
		to = json_skip(part.p, part.p + k, &e);
		CHECK(to == NULL ? e.cut : p[0] != '{' && p[0] != '[' && p[0] != '"');
	}
	buf_free(&part);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct buf text = { 0 };
	struct json_error e = { 0 };
	const char *p, *end, *to;

	buf_add(&text, data, n);
	end = text.p + text.len;
	utf8_check(text.p, end);
	p = json_space(text.p, end);
	to = json_skip(p, end, &e);
	CHECK(to != NULL ? to > p && to <= end : e.why != NULL && e.at >= p && e.at <= end);
	if (p < end && *p == '{')
		check_object(p, end, to, &e);
	if (to != NULL) {
		check_value((struct str){ p, (size_t)(to - p) });
		if (to - p < 300)
			check_cut(p, (size_t)(to - p));
	}
	buf_free(&text);
	return 0;
}
