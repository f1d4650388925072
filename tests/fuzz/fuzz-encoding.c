/*
 * fuzz-encoding - text of any encoding to UTF-8: it fits the room that is promised, comes out the same whether it
 * goes in whole or in pieces, and is UTF-8 but for the byte 0xFF where something was wrong.
 *
 * The first byte chooses the encoding, the second where the text is cut.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "format/encoding.h"
#include "format/json.h"

#define CHECK(x) do { if (!(x)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static size_t
convert(struct encoding *e, char *to, size_t room, const char *p, size_t *n, bool last)
{
	size_t given = *n, len = encoding_convert(e, to, room, p, n, last);

	CHECK(len <= room && *n <= given && given - *n <= (last ? 0 : 3));
	return len;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char *const names[] = { "utf-16le", "utf-16be", "latin1", "windows-1252" };
	struct buf text = { 0 };
	struct encoding *e;
	char *whole, *parts;
	size_t cut, used, len, len2, room;

	if (n < 2)
		return 0;
	CHECK((e = encoding_open(names[data[0] % 4])) != NULL);
	cut = data[1] % (n - 1);
	n -= 2;
	buf_add(&text, data + 2, n);
	encoding_guess(text.p, n);
	room = n * ENCODING_GROWS + 1;
	whole = xmalloc(room);
	parts = xmalloc(room);
	used = n;
	len = convert(e, whole, room, text.p, &used, true);
	used = cut;
	len2 = convert(e, parts, room, text.p, &used, false);
	cut = used;
	used = n - cut;
	len2 += convert(e, parts + len2, room - len2, text.p + cut, &used, true);
	CHECK(len == len2 && memcmp(whole, parts, len) == 0);
	buf_reset(&text);
	buf_add(&text, whole, len);
	for (const char *p = text.p, *end = p + len; (p = utf8_check(p, end)) != NULL; p++)
		CHECK(*p == '\xff');
	encoding_close(e);
	buf_free(&text);
	free(whole);
	free(parts);
	return 0;
}
