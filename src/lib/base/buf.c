/* base/buf.c - bytes that grow. */
#include "base/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/scan.h"

static _Noreturn void
no_memory(size_t size)
{
	die(EX_OSERR, "out of memory at %zu bytes", size);
}

void *
xmalloc(size_t size)
{
	void *p = malloc(size > 0 ? size : 1);

	if (p == NULL)
		no_memory(size);
	return p;
}

void *
xcalloc(size_t n, size_t size)
{
	void *p = calloc(n > 0 ? n : 1, size > 0 ? size : 1);

	if (p == NULL)
		no_memory(n * size);
	return p;
}

void *
xrealloc(void *old, size_t n, size_t size)
{
	if (size > 0 && n > SIZE_MAX / size)
		no_memory(SIZE_MAX);

	void *p = realloc(old, n * size > 0 ? n * size : 1);

	if (p == NULL)
		no_memory(n * size);
	return p;
}

char *
xstrdup(const char *s)
{
	return str_dup(str_of(s));
}

char *
str_dup(struct str s)
{
	char *p = xmalloc(s.n + 1);

	if (s.n > 0)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return p;
}

void
buf_grow(struct buf *b, size_t room)
{
	size_t want = b->len + room + 1, cap = b->cap < 256 ? 256 : b->cap;

	if (want < room || want > SIZE_MAX / 4)
		no_memory(want);
	while (cap < want)
		cap *= 2;

	bool fresh = b->p == NULL;

	b->p = xrealloc(b->p, cap + BUF_PAD, 1);
	/* The padding is read by scanners; defined bytes there keep them repeatable. */
	memset(b->p + cap, 0, BUF_PAD);
	b->cap = cap;
	if (fresh)
		b->p[0] = '\0';
}

void
buf_vfmt(struct buf *b, const char *fmt, va_list args)
{
	va_list again;

	va_copy(again, args);

	int n = vsnprintf(NULL, 0, fmt, args);

	if (n < 0)
		die(EX_SOFTWARE, "bad format %s", fmt);
	buf_room(b, (size_t)n + 1);
	vsnprintf(b->p + b->len, (size_t)n + 1, fmt, again);
	va_end(again);
	b->len += (size_t)n;
}

void
buf_fmt(struct buf *b, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	buf_vfmt(b, fmt, args);
	va_end(args);
}

char *
buf_take(struct buf *b)
{
	buf_room(b, 0);

	char *p = b->p;

	*b = (struct buf){ 0 };
	return p;
}

void
buf_free(struct buf *b)
{
	free(b->p);
	*b = (struct buf){ 0 };
}

/* Copies the text, escaping where JSON asks for it; the text may lie outside a struct buf, so its last bytes are
 * looked at one by one. */
void
buf_json(struct buf *b, struct str text)
{
	const char *p = text.p, *end = text.p + text.n;

	buf_room(b, text.n + 2);
	b->p[b->len++] = '"';
	while (p < end) {
		const char *special = end - p >= 16 ? scan_json_special(p, end - 15, false) : p;

		while (special < end && (unsigned char)*special >= 0x20 && *special != '"' && *special != '\\')
			special++;
		buf_add(b, p, (size_t)(special - p));
		p = special;
		if (p == end)
			break;
		switch (*p) {
		case '"': buf_add(b, "\\\"", 2); break;
		case '\\': buf_add(b, "\\\\", 2); break;
		case '\n': buf_add(b, "\\n", 2); break;
		case '\r': buf_add(b, "\\r", 2); break;
		case '\t': buf_add(b, "\\t", 2); break;
		default: buf_fmt(b, "\\u%04x", (unsigned)(unsigned char)*p);
		}
		p++;
	}
	buf_char(b, '"');
}

void
buf_percent(struct buf *b, struct str text)
{
	static const char digits[] = "0123456789ABCDEF";        /* RFC 3986: in upper case */

	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    (c != 0 && strchr("-._~", c) != NULL))
			buf_char(b, (char)c);
		else
			buf_add(b, (char[]){ '%', digits[c >> 4], digits[c & 15] }, 3);
	}
}
