/*
 * fuzz-documents - any bytes as JSON objects behind each other: what is taken is one, nothing but white space is lost, and it is
 * the same whether the text comes whole or byte by byte.
 */
#include <stdint.h>
#include <stdlib.h>

#include "format/documents.h"
#include "format/json.h"

#define CHECK(x) do { if (!(x)) abort(); } while (0)
#define SMALL 40                /* bytes: for records that are too large */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct seen { struct buf log; size_t visible, max; };

static size_t
count_visible(const char *p, size_t n)
{
	size_t visible = 0;

	for (size_t i = 0; i < n; i++)
		visible += p[i] == '\0' || strchr(" \t\r\n", p[i]) == NULL;
	return visible;
}

static void
take(struct str object, void *arg)
{
	struct seen *seen = arg;
	struct buf own = { 0 };
	struct json_error e = { 0 };

	buf_str(&own, object);
	CHECK(own.p[0] == '{' && json_skip(own.p, own.p + own.len, &e) == own.p + own.len);
	CHECK(object.n <= seen->max);
	buf_fmt(&seen->log, "\nobject ");
	buf_str(&seen->log, object);
	seen->visible += count_visible(object.p, object.n);
	buf_free(&own);
}

static void
bad(struct str text, unsigned long long line, const char *why, void *arg)
{
	struct seen *seen = arg;

	CHECK(text.n > 0 && why != NULL);
	buf_fmt(&seen->log, "\nbad %llu %s ", line, why);
	buf_str(&seen->log, text);
	seen->visible += count_visible(text.p, text.n);
}

static void
read_all(struct seen *seen, size_t max, const char *p, size_t n, size_t step)
{
	struct documents d = { .take = take, .bad = bad, .arg = seen, .max = max };

	*seen = (struct seen){ .max = max };
	documents_start(&d);
	for (size_t at = 0; at < n; at += step)
		documents_add(&d, (struct str){ p + at, step < n - at ? step : n - at });
	documents_end(&d);
	documents_free(&d);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *p = (const char *)data;
	struct seen whole, pieces;
	size_t mark = n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

	read_all(&whole, 1 << 20, p, n, n + 1);
	read_all(&pieces, 1 << 20, p, n, 1);
	CHECK(str_eq(buf_all(&whole.log), buf_all(&pieces.log)));
	CHECK(whole.visible == count_visible(p + mark, n - mark));
	buf_free(&whole.log);
	buf_free(&pieces.log);
	read_all(&pieces, SMALL, p, n, 3);
	CHECK(pieces.visible <= count_visible(p, n));
	buf_free(&pieces.log);
	return 0;
}
