/* format/json.c - JSON text, scanned where it lies. */
#include "format/json.h"

#include <stdint.h>

#include "base/hex.h"
#include "base/scan.h"

/* The text ends where a 0 stands at `end`; a cut text therefore fails exactly there. */
static const char *
fail(struct json_error *e, const char *at, const char *end, const char *why)
{
	*e = (struct json_error){ .why = at >= end ? "ends in the middle" : why, .at = at, .cut = at >= end };
	return NULL;
}

const char *
json_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'))
		p++;
	return p;
}

/* The same without the bound: what stands at the end is 0 and no space. */
static inline const char *
space(const char *p)
{
	while (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r')
		p++;
	return p;
}

/* The length of the UTF-8 sequence at p (Unicode 15, table 3-7), or 0 with *bad the first byte that is wrong. */
static size_t
utf8_sequence(const char *text, const char **bad)
{
	const unsigned char *p = (const unsigned char *)text;
	unsigned char low = 0x80, high = 0xbf;
	size_t n = *p < 0x80 ? 1 : *p < 0xc2 ? 0 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : *p < 0xf5 ? 4 : 0;

	if (*p == 0xe0)
		low = 0xa0;             /* no overlong forms */
	else if (*p == 0xed)
		high = 0x9f;            /* no surrogates */
	else if (*p == 0xf0)
		low = 0x90;
	else if (*p == 0xf4)
		high = 0x8f;            /* nothing over U+10FFFF */
	*bad = text;
	for (size_t i = 1; i < n; i++) {
		if (p[i] < low || p[i] > high) {
			*bad = text + i;
			return 0;
		}
		low = 0x80;
		high = 0xbf;
	}
	return n;
}

const char *
utf8_check(const char *p, const char *end)
{
	while ((p = scan_not_ascii(p, end)) < end) {
		const char *bad;
		size_t n = utf8_sequence(p, &bad);

		if (n == 0 || p + n > end)
			return p;
		p += n;
	}
	return NULL;
}

size_t
utf8_put(char *to, unsigned long c)
{
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const unsigned char first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (size_t i = n; i-- > 1; c >>= 6)
		to[i] = (char)(0x80 | (c & 0x3f));
	to[0] = (char)(first[n] | c);
	return n;
}

size_t
utf8_count(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

/* The four digits at p, or -1 with *bad the first that is none. */
static long
hex4(const char *p, const char **bad)
{
	long code = 0;

	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(p[i]);

		if (digit < 0) {
			*bad = p + i;
			return -1;
		}
		code = code * 16 + digit;
	}
	return code;
}

/* Past the escape whose backslash is at p. */
static const char *
skip_escape(const char *p, const char *end, struct json_error *e)
{
	const char *bad;
	long code;

	switch (p[1]) {
	case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't':
		return p + 2;
	case 'u':
		break;
	default:
		return fail(e, p + 1, end, "no such escape");
	}
	if ((code = hex4(p + 2, &bad)) < 0)
		return fail(e, bad, end, "\\u wants four hex digits");
	if (code >= 0xdc00 && code <= 0xdfff)
		return fail(e, p, end, "lone surrogate");
	if (code < 0xd800 || code > 0xdbff)
		return p + 6;
	if (p[6] != '\\' || p[7] != 'u')
		return fail(e, p + 6 >= end || (p[6] == '\\' && p + 7 >= end) ? end : p, end, "lone surrogate");
	if ((code = hex4(p + 8, &bad)) < 0)
		return fail(e, bad, end, "\\u wants four hex digits");
	if (code < 0xdc00 || code > 0xdfff)
		return fail(e, p, end, "lone surrogate");
	return p + 12;
}

/* Past the closing quote of the string whose first byte inside is p.  *escaped: it held a backslash. */
static inline const char *
skip_string(const char *p, const char *end, bool *escaped, struct json_error *e)
{
	const char *bad;

	*escaped = false;
	for (;;) {
		p = scan_json_special(p, end, true);
		if (*p == '"')
			return p + 1;
		if (*p == '\\') {
			*escaped = true;
			if ((p = skip_escape(p, end, e)) == NULL)
				return NULL;
		} else if ((unsigned char)*p < 0x20) {
			return fail(e, p, end, "control character in a string");
		} else {
			size_t n = utf8_sequence(p, &bad);

			if (n == 0)
				return fail(e, bad >= end ? end : p, end, "invalid UTF-8");
			p += n;
		}
	}
}

static const char *
skip_digits(const char *p)
{
	while (*p >= '0' && *p <= '9')
		p++;
	return p;
}

static const char *
skip_number(const char *p, const char *end, struct json_error *e)
{
	if (*p == '-')
		p++;
	if (*p == '0')
		p++;
	else if (*p >= '1' && *p <= '9')
		p = skip_digits(p);
	else
		return fail(e, p, end, "no digit where a number should go on");
	if (*p >= '0' && *p <= '9')
		return fail(e, p, end, "a number starts with 0");
	if (*p == '.') {
		if (*++p < '0' || *p > '9')
			return fail(e, p, end, "no digit after the point");
		p = skip_digits(p);
	}
	if (*p == 'e' || *p == 'E') {
		p++;
		if (*p == '+' || *p == '-')
			p++;
		if (*p < '0' || *p > '9')
			return fail(e, p, end, "no digit in the exponent");
		p = skip_digits(p);
	}
	return p;
}

static const char *
skip_word(const char *p, const char *end, const char *word, struct json_error *e)
{
	for (; *word != '\0'; p++, word++)
		if (*p != *word)
			return fail(e, p, end, "no JSON value");
	return p;
}

/* Past a value that holds no other; NULL for a bracket too, with e->why NULL. */
static inline const char *
skip_scalar(const char *p, const char *end, struct json_error *e)
{
	bool escaped;

	switch (*p) {
	case '"': return skip_string(p + 1, end, &escaped, e);
	case '{': case '[': return NULL;
	case 't': return skip_word(p, end, "true", e);
	case 'f': return skip_word(p, end, "false", e);
	case 'n': return skip_word(p, end, "null", e);
	case '-': case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7': case '8': case '9':
		return skip_number(p, end, e);
	default: return fail(e, p, end, "no JSON value");
	}
}

/* From just after the name's opening quote to the value: "name" : */
static inline const char *
skip_name(const char *p, const char *end, struct str *name, bool *escaped, struct json_error *e)
{
	const char *start = p;

	if ((p = skip_string(p, end, escaped, e)) == NULL)
		return NULL;
	*name = (struct str){ start, (size_t)(p - 1 - start) };
	if (*p != ':' && *(p = space(p)) != ':')
		return fail(e, p, end, "no colon after a name");
	return space(p + 1);
}

/* Arrays and objects, without recursion: one bit a level says which it is, so depth costs no stack. */
static const char *
skip_nested(const char *p, const char *end, struct json_error *e)
{
	uint64_t is_object[JSON_DEPTH / 64] = { 0 };
	size_t depth = 0;
	struct str name;
	bool escaped;

value:
	if (*p == '{' || *p == '[') {
		uint64_t bit = (uint64_t)1 << (depth & 63);

		if (depth == JSON_DEPTH)
			return fail(e, p, end, "deeper than 512 levels");
		if (*p == '{')
			is_object[depth >> 6] |= bit;
		else
			is_object[depth >> 6] &= ~bit;
		depth++;

		char close = *p == '{' ? '}' : ']';

		p = space(p + 1);
		if (*p == close)
			goto closed;
		if (close == ']')
			goto value;
		goto name;
	}
	if ((p = skip_scalar(p, end, e)) == NULL)
		return NULL;
	goto after;
name:
	if (*p != '"')
		return fail(e, p, end, "no name where an object should go on");
	if ((p = skip_name(p + 1, end, &name, &escaped, e)) == NULL)
		return NULL;
	goto value;
closed:
	p++;
	if (--depth == 0)
		return p;
after:
	if (*p != ',')
		p = space(p);

	bool in_object = (is_object[(depth - 1) >> 6] >> ((depth - 1) & 63)) & 1;

	if (*p == ',') {
		p = space(p + 1);
		if (in_object)
			goto name;
		goto value;
	}
	if (*p == (in_object ? '}' : ']'))
		goto closed;
	return fail(e, p, end, in_object ? "no comma or } after a member" : "no comma or ] after an element");
}

const char *
json_skip(const char *p, const char *end, struct json_error *e)
{
	*e = (struct json_error){ 0 };
	if (p >= end)
		return fail(e, end, end, NULL);

	const char *past = skip_scalar(p, end, e);

	return past == NULL && e->why == NULL ? skip_nested(p, end, e) : past;
}

const char *
json_name(const char *p, const char *end, struct str *name, struct json_error *e)
{
	bool escaped;

	return skip_name(p + 1, end, name, &escaped, e);
}

/* Fills key (in an object) and value with what stands at p.  Returns past it, or NULL with e filled. */
static inline const char *
take_member(const char *p, const char *end, bool named, struct str *key, bool *key_escaped, struct str *value,
    struct json_error *e)
{
	if (named) {
		if (*p != '"')
			return fail(e, p, end, "no name where an object should go on");
		if ((p = skip_name(p + 1, end, key, key_escaped, e)) == NULL)
			return NULL;
	}
	value->p = p;

	const char *past = skip_scalar(p, end, e);

	if (past == NULL && (e->why != NULL || (past = skip_nested(p, end, e)) == NULL))
		return NULL;
	value->n = (size_t)(past - p);
	return past;
}

struct json_walk
json_walk(struct str value)
{
	bool nested = value.n > 0 && (*value.p == '{' || *value.p == '[');

	if (!nested)
		return (struct json_walk){ .over = true };
	return (struct json_walk){ .p = value.p + 1, .end = value.p + value.n, .named = *value.p == '{' };
}

bool
json_next(struct json_walk *w)
{
	struct json_error e = { 0 };

	if (w->over)
		return false;
	w->p = space(w->p);
	if (*w->p == ',')
		w->p = space(w->p + 1);
	w->over = *w->p == '}' || *w->p == ']' ||
	    (w->p = take_member(w->p, w->end, w->named, &w->key, &w->key_escaped, &w->value, &e)) == NULL;
	return !w->over;
}

struct json_scan
json_scan(const char *p, const char *end)
{
	struct json_scan s = { .p = p, .end = end };

	if (p >= end || *p != '{')
		fail(&s.error, p, end, "no object");
	else
		s.p++;
	return s;
}

bool
json_member(struct json_scan *s)
{
	const char *p = s->p;

	if (s->error.why != NULL)
		return false;
	if (*p != ',' && *p != '"')
		p = space(p);
	if (*p == '}') {
		s->p = p + 1;
		return false;
	}
	if (s->open) {
		if (*p != ',') {
			fail(&s->error, p, s->end, "no comma or } after a member");
			return false;
		}
		p = space(p + 1);
	}
	s->open = true;
	if ((p = take_member(p, s->end, true, &s->key, &s->key_escaped, &s->value, &s->error)) == NULL)
		return false;
	s->p = p;
	return true;
}

static void
add_code_point(struct buf *b, unsigned long c)
{
	buf_room(b, 4);
	b->len += utf8_put(b->p + b->len, c);
	b->p[b->len] = '\0';
}

/* Appends what the escape at p stands for; returns past it.  A pair of surrogates is one escape. */
static const char *
unescape_one(struct buf *b, const char *p)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *bad, *named = strchr(from, p[1]);

	if (p[1] != 'u') {
		buf_char(b, named != NULL ? to[named - from] : p[1]);
		return p + 2;
	}

	unsigned long code = (unsigned long)hex4(p + 2, &bad);

	if (code < 0xd800 || code > 0xdbff) {
		add_code_point(b, code);
		return p + 6;
	}
	add_code_point(b, 0x10000 + ((code - 0xd800) << 10) + ((unsigned long)hex4(p + 8, &bad) - 0xdc00));
	return p + 12;
}

void
json_unescape(struct buf *b, struct str escaped)
{
	const char *p = escaped.p, *end = p + escaped.n;

	buf_room(b, escaped.n);
	while (p < end) {
		const char *slash = memchr(p, '\\', (size_t)(end - p));

		if (slash == NULL)
			slash = end;
		buf_add(b, p, (size_t)(slash - p));
		p = slash < end ? unescape_one(b, slash) : end;
	}
}

struct str
json_text(struct str value, struct buf *scratch)
{
	if (value.n == 4 && memcmp(value.p, "null", 4) == 0)
		return (struct str){ 0 };
	if (!json_is_string(value))
		return value;

	struct str inside = { value.p + 1, value.n - 2 };

	if (memchr(inside.p, '\\', inside.n) == NULL)
		return inside;
	buf_reset(scratch);
	json_unescape(scratch, inside);
	return buf_all(scratch);
}

/* A key and one name of a path; keys of paths are plain, so an escaped key is unescaped first. */
static bool
key_is(const struct json_walk *w, struct str name, struct buf *scratch)
{
	if (!w->key_escaped)
		return str_eq(w->key, name);
	buf_reset(scratch);
	json_unescape(scratch, w->key);
	return str_eq(buf_all(scratch), name);
}

struct str
json_get(struct str value, const char *path)
{
	struct buf scratch = { 0 };

	while (*path != '\0') {
		size_t n = strcspn(path, ".");
		struct str name = { path, n }, found = { 0 };

		if (value.n == 0 || *value.p != '{') {
			value = found;
			break;
		}
		for (struct json_walk w = json_walk(value); json_next(&w);)
			if (key_is(&w, name, &scratch))
				found = w.value;
		value = found;
		path += n;
		if (*path == '.')
			path++;
	}
	buf_free(&scratch);
	return value;
}

void
json_find(struct str object, const struct str *names, struct str *values, size_t n)
{
	struct buf scratch = { 0 };

	memset(values, 0, n * sizeof *values);
	if (object.n == 0 || *object.p != '{')
		return;
	for (struct json_walk w = json_walk(object); json_next(&w);)
		for (size_t i = 0; i < n; i++)
			if (key_is(&w, names[i], &scratch))
				values[i] = w.value;
	buf_free(&scratch);
}

size_t
json_move_line(char *to, struct str json)
{
	size_t n = 0;

	if (memchr(json.p, '\n', json.n) == NULL && memchr(json.p, '\r', json.n) == NULL) {
		memmove(to, json.p, json.n);
		return json.n;
	}
	for (size_t i = 0; i < json.n; i++)
		if (json.p[i] != '\n' && json.p[i] != '\r')
			to[n++] = json.p[i];
	return n;
}

void
json_one_line(struct buf *b, struct str json)
{
	buf_room(b, json.n);
	b->len += json_move_line(b->p + b->len, json);
	b->p[b->len] = '\0';
}

struct str
json_check(struct str text, struct buf *copy, struct json_error *e)
{
	struct json_error ours;
	const char *p, *end, *past;

	buf_reset(copy);
	buf_str(copy, text);
	end = copy->p + copy->len;
	p = json_space(copy->p, end);
	past = p < end ? json_skip(p, end, e != NULL ? e : &ours) : NULL;
	if (past == NULL || json_space(past, end) != end)
		return (struct str){ 0 };
	return (struct str){ p, (size_t)(past - p) };
}

void
json_any_text(struct buf *b, struct str text)
{
	struct buf padded = { 0 }, good = { 0 };        /* utf8_check() wants padding behind the text */

	buf_str(&padded, text);

	const char *p = buf_all(&padded).p, *end = p + padded.len, *bad;

	while (p < end && (bad = utf8_check(p, end)) != NULL) {
		buf_add(&good, p, (size_t)(bad - p));
		buf_text(&good, "\xef\xbf\xbd");
		p = bad + 1;
	}
	buf_add(&good, p, (size_t)(end - p));
	buf_json(b, buf_all(&good));
	buf_free(&good);
	buf_free(&padded);
}
