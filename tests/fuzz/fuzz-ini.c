/*
 * fuzz-ini - any bytes as an INI file: what is taken lies in the text, in order, without blanks around it, under a
 * section; and reads the same again when it is written plainly.
 */
#include <stdint.h>
#include <stdlib.h>

#include "format/ini.h"

#define CHECK(x) do { if (!(x)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct seen { struct str text; struct buf plain; size_t line, items; };

static void
check_span(const struct seen *seen, struct str s)
{
	if (s.p == NULL)
		return;
	CHECK(s.p >= seen->text.p && s.p + s.n <= seen->text.p + seen->text.n);
	CHECK(s.n == 0 || (strchr(" \t\r\f\v", s.p[0]) == NULL && strchr(" \t\r\f\v", s.p[s.n - 1]) == NULL));
	CHECK(memchr(s.p, '\n', s.n) == NULL && memchr(s.p, '\0', s.n) == NULL);
}

static void
take(const struct ini_item *item, void *arg)
{
	struct seen *seen = arg;

	CHECK(item->line > seen->line);
	seen->line = item->line;
	seen->items++;
	CHECK(item->section.n > 0);
	CHECK(item->key.p != NULL ? item->key.n > 0 : item->sub.p == NULL && item->value.p == NULL);
	check_span(seen, item->section);
	check_span(seen, item->key);
	check_span(seen, item->sub);
	check_span(seen, item->value);
	if (item->key.p == NULL) {
		buf_char(&seen->plain, '[');
		buf_str(&seen->plain, item->section);
		buf_char(&seen->plain, ']');
	} else {
		buf_text(&seen->plain, item->sub.p != NULL ? " " : "");
		buf_str(&seen->plain, item->sub.p != NULL ? item->sub : item->key);
		buf_text(&seen->plain, item->value.p != NULL ? "=" : "");
		buf_str(&seen->plain, item->value);
	}
	buf_char(&seen->plain, '\n');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct seen first = { 0 }, again = { 0 };
	struct buf text = { 0 };
	size_t line;

	buf_add(&text, data, n);
	first.text = buf_all(&text);
	if (ini_read(first.text, &line, take, &first) == NULL) {
		again.text = buf_all(&first.plain);
		CHECK(ini_read(again.text, &line, take, &again) == NULL && again.items == first.items);
		CHECK(str_eq(buf_all(&first.plain), buf_all(&again.plain)));
	} else {
		CHECK(line > first.line);
	}
	buf_free(&first.plain);
	buf_free(&again.plain);
	buf_free(&text);
	return 0;
}
