/*
 * fuzz-xml - any bytes as XML: what is good ends with its root, children come before their parents, xml_find() finds what
 * xml_read() gave first, and a text escaped and read again is the same.
 */
#include <stdint.h>
#include <stdlib.h>

#include "format/xml.h"

#define CHECK(x) do { if (!(x)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct seen { struct buf first_path, first_text, last_path; bool any, over; };

static void
take(const char *path, struct str text, void *arg)
{
	struct seen *seen = arg;

	CHECK(!seen->over);
	CHECK(path[0] != '/' && (*path == '\0' || path[strlen(path) - 1] != '/'));
	seen->over = *path == '\0';
	buf_reset(&seen->last_path);
	buf_text(&seen->last_path, path);
	if (!seen->any) {
		CHECK(text.p != NULL);          /* what ends first has nothing in it */
		buf_text(&seen->first_path, path);
		buf_str(&seen->first_text, text);
		seen->any = true;
	}
}

static void
take_text(const char *path, struct str text, void *arg)
{
	CHECK(*path == '\0');
	buf_str(arg, text);
}

/* As an element's text, if XML can carry it. */
static void
check_escape(struct str text)
{
	struct buf xml = { 0 }, back = { 0 };

	if (memchr(text.p, '\r', text.n) == NULL) {     /* a line's end is made \n */
		buf_text(&xml, "<a>");
		xml_escape(&xml, text);
		buf_text(&xml, "</a>");
		if (xml_read(buf_all(&xml), NULL, take_text, &back) == NULL)
			CHECK(str_eq(buf_all(&back), text));
	}
	buf_free(&xml);
	buf_free(&back);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct seen seen = { 0 };
	struct buf text = { 0 }, root = { 0 }, found = { 0 };
	const char *why;

	buf_add(&text, data, n);
	why = xml_read(buf_all(&text), &root, take, &seen);
	CHECK((why == NULL) == seen.over || why != NULL);
	if (why == NULL) {
		CHECK(root.len > 0 && seen.any);
		CHECK(xml_find(&found, buf_all(&text), seen.first_path.p));
		CHECK(str_eq(buf_all(&found), buf_all(&seen.first_text)));
	}
	check_escape(buf_all(&text));
	buf_free(&seen.first_path);
	buf_free(&seen.first_text);
	buf_free(&seen.last_path);
	buf_free(&text);
	buf_free(&root);
	buf_free(&found);
	return 0;
}
