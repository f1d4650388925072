/* net/message.c - the server's own words, out of the body of an error. */
#include "net/message.h"

#include <strings.h>

#include "format/json.h"

#define MOST 300                /* bytes of it that are shown */

bool
message_is_html(const char *type)
{
	return type != NULL && (strncasecmp(type, "text/html", 9) == 0 || strncasecmp(type, "application/xhtml", 17) == 0);
}

static const char *
find_tag(struct str s, const char *tag)
{
	size_t n = strlen(tag);

	for (size_t i = 0; i + n <= s.n; i++)
		if (strncasecmp(s.p + i, tag, n) == 0)
			return s.p + i;
	return NULL;
}

/* The title's text, or nothing. */
static struct str
html_title(struct str page)
{
	const char *end = page.p + page.n, *p = find_tag(page, "<title");

	p = p != NULL ? memchr(p, '>', end - p) : NULL;
	if (p == NULL)
		return (struct str){ NULL, 0 };

	const char *close = find_tag((struct str){ p, end - p }, "</title");

	return (struct str){ p + 1, (close != NULL ? close : end) - p - 1 };
}

/* The message in a JSON error of any of the shapes that are in use, or nothing. */
static struct str
json_message(struct str body, struct buf *scratch)
{
	static const char *const paths[] = { "message", "error.message", "error_description", "error", "detail", "title" };
	struct json_error e = { 0 };
	const char *end = body.p + body.n, *p = body.n > 0 ? json_space(body.p, end) : end;

	if (p == end || *p != '{' || json_skip(p, end, &e) == NULL)
		return (struct str){ NULL, 0 };
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		struct str value = json_get((struct str){ p, end - p }, paths[i]);

		if (json_is_string(value))
			return json_text(value, scratch);
	}
	return (struct str){ NULL, 0 };
}

/* Appends the text on one line, blanks closed up, cut to MOST bytes between characters. */
static void
add_shortened(struct buf *b, struct str text)
{
	size_t start = b->len, i = 0;

	for (; i < text.n && b->len - start < MOST; i++) {
		bool blank = strchr(" \t\r\n", text.p[i]) != NULL && text.p[i] != '\0';

		if (!blank)
			buf_char(b, text.p[i]);
		else if (b->len > start && b->p[b->len - 1] != ' ')
			buf_char(b, ' ');
	}
	while (i < text.n && b->len > start && ((unsigned char)text.p[i] & 0xC0) == 0x80) {
		i--;
		b->p[--b->len] = '\0';
	}
	if (i < text.n)
		buf_text(b, "...");
	else if (b->len > start && b->p[b->len - 1] == ' ')
		b->p[--b->len] = '\0';
}

void
message_add(struct buf *b, const char *type, struct str body)
{
	struct buf scratch = { 0 };
	struct str text = { NULL, 0 };

	if (message_is_html(type))
		text = html_title(body);
	if (text.p == NULL)
		text = json_message(body, &scratch);
	add_shortened(b, text.p != NULL ? text : body);
	buf_free(&scratch);
}
