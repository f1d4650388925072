/*
 * format/json.h - JSON text, scanned where it lies (RFC 8259, and nothing it forbids).
 *
 * Nothing is built and no number is read: a value is a span of the text, so 1.10 and 20-digit integers stay as
 * they came.  Every function wants BUF_PAD readable bytes past the end and a 0 at the end, as struct buf and struct input have.
 * Refused: control characters in strings, invalid UTF-8, escapes of lone surrogates, more than JSON_DEPTH
 * levels.  These functions return errors and do not die: fuzzers call them.
 */
#ifndef JSON_H
#define JSON_H

#include "base/buf.h"

#define JSON_DEPTH 512          /* more is refused: no honest record nests so deep */

struct json_error {
	const char *why;        /* a static text; NULL while all is well */
	const char *at;         /* where in the text */
	bool cut;               /* the text ends inside the value: more bytes might mend it */
};

/* Past the white space at p. */
const char *json_space(const char *p, const char *end);
/* Past the one value that starts at p, or NULL with *e filled.  A number at the very end counts as whole. */
const char *json_skip(const char *p, const char *end, struct json_error *e);

/* The one JSON value in a text that needs no padding and no 0 at its end: copied to COPY, which
 * is reset first, and lent from there without the white space around it.  p NULL where the text
 * is anything else; *e says why, where e is not NULL. */
struct str json_check(struct str text, struct buf *copy, struct json_error *e);

/* From the quote of an object's name at p past its colon to where its value starts; name: as it is in json_walk.  NULL as json_skip(). */
const char *json_name(const char *p, const char *end, struct str *name, struct json_error *e);

/* Members of an object or elements of an array that json_skip() found good.
 *	struct json_walk w = json_walk(value);
 *	while (json_next(&w)) use(w.key, w.value);              key.p is NULL in an array
 * A key comes with its quotes cut off, still escaped where key_escaped.  A scalar, or p NULL, has no members. */
struct json_walk { const char *p, *end; struct str key, value; bool key_escaped, named, over; };
struct json_walk json_walk(struct str value);
bool json_next(struct json_walk *);

/* The same for an object not yet checked, in one pass: checks as json_skip() does and yields each member.
 *	struct json_scan s = json_scan(p, end);
 *	while (json_member(&s)) use(s.key, s.value);
 *	if (s.error.why != NULL) ...; else s.p is past the closing brace */
struct json_scan { const char *p, *end; struct str key, value; bool key_escaped, open; struct json_error error; };
struct json_scan json_scan(const char *p, const char *end);
bool json_member(struct json_scan *);

/* Appends the text of a string, given without its quotes.  The string was found good before. */
void json_unescape(struct buf *, struct str escaped);
/* True for a span that is a JSON string (starts with a quote). */
static inline bool
json_is_string(struct str v)
{
	return v.p != NULL && v.n > 0 && v.p[0] == '"';
}
/* A string's text, cut from its quotes, or any other value's own bytes.  Points into value where there is
 * nothing to unescape, else into scratch, which is reset first.  null: p NULL. */
struct str json_text(struct str value, struct buf *scratch);

/* Appends JSON that was found good before without its line breaks, which are nothing but white space in it. */
void json_one_line(struct buf *, struct str json);
/* The same to TO, which may be in the text itself, at its start or before it.  Returns the length. */
size_t json_move_line(char *to, struct str json);

/* Appends bytes that may not be UTF-8 as a JSON string: each wrong one becomes U+FFFD.
 * They need no padding. */
void json_any_text(struct buf *, struct str);

/* Finds "a.b.c" in an object found good before; value.p NULL when it is not there.  Of a key twice: the last. */
struct str json_get(struct str object, const char *path);
/* Finds N members of such an object in one walk: values[i] is that of names[i]. */
void json_find(struct str object, const struct str *names, struct str *values, size_t n);

/* Writes a code point, which is no surrogate, as 1 to 4 bytes of UTF-8; returns how many. */
size_t utf8_put(char *to, unsigned long code);
/* The first byte that is not UTF-8, or NULL.  NUL bytes count as good here. */
const char *utf8_check(const char *p, const char *end);
size_t utf8_count(struct str);                  /* the characters of good UTF-8 */

#endif
