/*
 * fuzz-answer - what a server may answer: soda_page_cut() on any body either says what is wrong or leaves whole
 * records, as many as it counts; message_add() finds words of bounded length in any error.
 *
 * The first byte chooses: CSV or JSON, is there an :id, is it to be cut out.
 */
#include <stdint.h>
#include <stdlib.h>

#include "format/json.h"
#include "net/message.h"
#include "soda/page.h"
#include "soda/soda.h"

#define CHECK(x) do { if (!(x)) abort(); } while (0)
#define WORDS_MAX 4096          /* bytes: they go into one line of a message */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* What is no array of rows is for soda.c to explain, which needs a server; here it is enough that it is none. */
const char *
soda_no_rows(struct http_reply *reply)
{
	(void)reply;
	return "no rows";
}

static void
check_lines(const struct soda_page *page)
{
	const char *p = page->data.p, *end = p + page->data.n;
	unsigned long long lines = 0;

	for (; p < end; lines++) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		struct buf line = { 0 };
		struct json_error e;

		CHECK(newline != NULL);
		buf_add(&line, p, (size_t)(newline - p));
		CHECK(json_skip(line.p, line.p + line.len, &e) == line.p + line.len && line.p[0] == '{');
		buf_free(&line);
		p = newline + 1;
	}
	CHECK(lines == page->rows);
}

static void
check_records(struct soda_page *page)
{
	const char *p = page->data.p, *end = p + page->data.n;
	struct csv csv = CSV_COMMA;
	unsigned long long records = 0;

	for (; p < end; records++) {
		p = csv_split(&csv, p, end, true);
		CHECK(csv.why == NULL);
	}
	CHECK(records == page->rows);
	csv_free(&csv);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct http_reply reply = { 0 };
	struct buf words = { 0 };

	if (n < 1)
		return 0;

	struct soda_page page = { .csv = data[0] & 1, .has_id = data[0] & 2, .cuts_id = (data[0] & 6) == 6 };

	buf_add(&reply.body, data + 1, n - 1);
	message_add(&words, data[0] & 8 ? "text/html" : "application/json", buf_all(&reply.body));
	CHECK(words.len <= WORDS_MAX);
	if (soda_page_cut(&page, &reply) == NULL && page.data.n > 0) {
		CHECK(page.data.p >= reply.body.p && page.data.p + page.data.n <= reply.body.p + reply.body.len);
		if (page.csv && !page.cuts_id)
			check_records(&page);
		else if (!page.csv)
			check_lines(&page);
	}
	soda_page_free(&page);
	buf_free(&reply.body);
	buf_free(&words);
	return 0;
}
