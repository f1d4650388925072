/*
 * base/buf.h - bytes that grow, and bytes that are borrowed.
 *
 * p[len] is 0 once p is set, so p prints; the bytes may hold NULs.  BUF_PAD bytes past p[len] may be
 * read (not used), so that scanners (base/scan.h) can load whole vectors.  Nothing here returns an
 * error: out of memory dies EX_OSERR with the size that was asked for.
 */
#ifndef BUF_H
#define BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/err.h"

struct buf { char *p; size_t len, cap; };       /* zeroed is empty; cap leaves out the padding */
struct str { const char *p; size_t n; };        /* borrowed, no NUL at the end; p NULL: no value at all */

#define STR(literal) ((struct str){ (literal), sizeof(literal) - 1 })

void buf_grow(struct buf *, size_t room);       /* room bytes more can be written at p + len */
void buf_fmt(struct buf *, const char *fmt, ...) PRINTF(2, 3);
void buf_vfmt(struct buf *, const char *fmt, va_list) PRINTF(2, 0);
char *buf_take(struct buf *);                   /* caller frees; the buf is empty again */
void buf_free(struct buf *);
/* Appends the text as a JSON string with its quotes.  The text is UTF-8 already. */
void buf_json(struct buf *, struct str text);
/* Appends the text percent-encoded, as a part of a URL or of a form: all but letters, digits and
 * -._~ becomes %XX. */
void buf_percent(struct buf *, struct str text);

void *xmalloc(size_t);                          /* never NULL; caller frees */
void *xcalloc(size_t n, size_t size);           /* zeroed, never NULL; caller frees */
void *xrealloc(void *, size_t n, size_t size);  /* n * size is checked; caller frees */
char *xstrdup(const char *);                    /* caller frees */
char *str_dup(struct str);                      /* NUL-terminated; caller frees */

static inline void
buf_room(struct buf *b, size_t room)
{
	if (b->p == NULL || b->cap - b->len <= room)
		buf_grow(b, room);
}

static inline void
buf_add(struct buf *b, const void *p, size_t n)
{
	buf_room(b, n);
	if (n > 0)
		memcpy(b->p + b->len, p, n);
	b->len += n;
	b->p[b->len] = '\0';
}

static inline void
buf_char(struct buf *b, char c)
{
	buf_room(b, 1);
	b->p[b->len++] = c;
	b->p[b->len] = '\0';
}

static inline void
buf_str(struct buf *b, struct str s)
{
	buf_add(b, s.p, s.n);
}

static inline void
buf_text(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

/* len 0; the memory stays for reuse */
static inline void
buf_reset(struct buf *b)
{
	b->len = 0;
	if (b->p != NULL)
		b->p[0] = '\0';
}

static inline struct str
buf_all(const struct buf *b)
{
	return (struct str){ b->p != NULL ? b->p : "", b->len };
}

static inline struct str
str_of(const char *s)
{
	return (struct str){ s, strlen(s) };
}

static inline bool
str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Without the blanks around it: spaces, tabs, line breaks. */
static inline struct str
str_trim(struct str s)
{
	while (s.n > 0 && (*s.p == ' ' || *s.p == '\t' || *s.p == '\r' || *s.p == '\n'))
		s.p++, s.n--;
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t' || s.p[s.n - 1] == '\r' || s.p[s.n - 1] == '\n'))
		s.n--;
	return s;
}

/* Without the slashes at its end, as a base URL is wanted. */
static inline struct str
str_trim_slashes(struct str s)
{
	while (s.n > 0 && s.p[s.n - 1] == '/')
		s.n--;
	return s;
}

static inline void
buf_trim_slashes(struct buf *b)
{
	b->len = str_trim_slashes(buf_all(b)).n;
	if (b->p != NULL)
		b->p[b->len] = '\0';
}

#endif
