/*
 * fuzz-knack - values of Knack of any type and shape: what comes out is one JSON value, nothing for null, or a reason; and
 * what was there before it stays.
 *
 * The first line is the type, the second the value shown, the third the raw one; either may be left out.
 */
#include <stdint.h>
#include <stdlib.h>

#include "format/json.h"
#include "format/zone.h"
#include "knack/value.h"

#define CHECK(x) do { if (!(x)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The next line of the text. */
static struct str
take_line(struct str *text)
{
	const char *end = text->n > 0 ? memchr(text->p, '\n', text->n) : NULL;
	struct str line = { text->p, end != NULL ? (size_t)(end - text->p) : text->n };

	text->p += line.n + (end != NULL);
	text->n -= line.n + (end != NULL);
	return line;
}

/* A value as the reader of records gives it: good JSON, alone, in memory that can be read past its end. */
static bool
take_value(struct buf *memory, struct str line, struct str *value)
{
	struct json_error e;
	const char *p, *end, *past;

	buf_str(memory, line);
	buf_room(memory, 0);
	end = memory->p + memory->len;
	p = json_space(memory->p, end);
	*value = (struct str){ 0 };
	if (p == end)
		return true;
	past = json_skip(p, end, &e);
	if (past == NULL || json_space(past, end) != end)
		return false;
	if (*p != 'n')
		*value = (struct str){ p, (size_t)(past - p) };
	return true;
}

static void
check_made(const struct buf *made, const char *why)
{
	const char *end = made->p + made->len;
	struct json_error e;

	CHECK(made->len >= 3 && memcmp(made->p, "...", 3) == 0);
	CHECK(why == NULL || made->len == 3);
	CHECK(made->len == 3 || json_skip(made->p + 3, end, &e) == end);
}

static void
check_value(struct str type_name, const struct knack_value *value)
{
	const struct knack_type *type = knack_type(type_name);
	const char *const *part = knack_type_parts(type);
	struct buf made = { 0 };

	for (int many = 0; many <= 1; many++) {
		buf_reset(&made);
		buf_text(&made, "...");
		check_made(&made, knack_value_text(&made, type, value, many));
	}
	for (; part != NULL && *part != NULL; part++) {
		buf_reset(&made);
		buf_text(&made, "...");
		check_made(&made, knack_value_part(&made, value, *part));
	}
	buf_free(&made);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static bool ready;
	struct str text = { (const char *)data, n }, type = take_line(&text);
	struct knack_value value = { .has_raw = false };
	struct buf memory[2] = { { 0 }, { 0 } };

	if (!ready)
		zone_use("America/Chicago");
	ready = true;
	if (take_value(&memory[0], take_line(&text), &value.shown)) {
		value.has_raw = text.n > 0;
		if (take_value(&memory[1], text, &value.raw))
			check_value(type, &value);
	}
	buf_free(&memory[0]);
	buf_free(&memory[1]);
	return 0;
}
