/* s3/key.c - keys made of records. */
#include "s3/key.h"

#include <stdlib.h>

struct piece { struct str text; bool is_field; };       /* a field's name, or what stands between fields */

struct s3_key {
	struct s3_place place;          /* the key: the template */
	struct piece *piece;
	size_t n;
	struct buf text;                /* what stands between fields, its braces undoubled */
	const struct words *settings;
	struct buf scratch;
};

static struct str
find_setting(const struct s3_key *k, struct str name)
{
	for (size_t i = k->settings->n; i-- > 0; ) {
		const char *w = k->settings->w[i];

		if (strncmp(w, name.p, name.n) == 0 && w[name.n] == '=')
			return str_of(w + name.n + 1);
	}
	return (struct str){ NULL, 0 };
}

/* C0, DEL and, in UTF-8, C1. */
static bool
has_control(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i], next = i + 1 < s.n ? (unsigned char)s.p[i + 1] : 0;

		if (c < 0x20 || c == 0x7F || (c == 0xC2 && next >= 0x80 && next < 0xA0))
			return true;
	}
	return false;
}

static bool
has_dots(struct str key)
{
	for (const char *p = key.p, *end = key.p + key.n, *slash; p <= end; p = slash + 1) {
		slash = p < end ? memchr(p, '/', (size_t)(end - p)) : NULL;
		slash = slash != NULL ? slash : end;
		if (str_eq((struct str){ p, (size_t)(slash - p) }, STR(".")) || str_eq((struct str){ p, (size_t)(slash - p) }, STR("..")))
			return true;
	}
	return false;
}

/* Opening */

static void
add_piece(struct s3_key *k, struct str text, bool is_field)
{
	k->piece = xrealloc(k->piece, k->n + 1, sizeof *k->piece);
	k->piece[k->n++] = (struct piece){ text, is_field };
}

/* The text from AT on is a piece, if there is any. */
static void
end_text(struct s3_key *k, size_t at)
{
	if (k->text.len > at)
		add_piece(k, (struct str){ k->text.p + at, k->text.len - at }, false);
}

static void
check_settings(const struct words *settings)
{
	for (size_t i = 0; i < settings->n; i++) {
		const char *w = settings->w[i], *eq = strchr(w, '=');

		if (eq == NULL || eq == w || eq[1] == '\0')
			die(EX_USAGE, "--set %s: want FIELD=VALUE", w);
		if (has_control(str_of(eq + 1)))
			die(EX_USAGE, "--set %s: a control character", w);
		if (eq[1] == '/' || eq[strlen(eq) - 1] == '/' || strstr(eq, "//") != NULL)
			die(EX_USAGE, "--set %s: an empty segment", w);
		if (has_dots(str_of(eq + 1)))
			die(EX_USAGE, "--set %s: a segment that is . or ..", w);
	}
}

static void
parse(struct s3_key *k, const char *url)
{
	size_t at = 0;
	bool fields = false;

	buf_room(&k->text, k->place.key.len);   /* so that it does not move while pieces point into it */
	for (const char *p = k->place.key.p; *p != '\0'; ) {
		if ((*p == '{' || *p == '}') && p[1] == *p) {
			buf_char(&k->text, *p);
			p += 2;
		} else if (*p == '{' || *p == '}') {
			size_t n = strcspn(p + 1, "{}");

			if (*p == '}' || n == 0 || p[n + 1] != '}')
				die(EX_USAGE, "--each %s: a brace without its like: write {field}, or {{ for a brace", url);
			end_text(k, at);
			at = k->text.len;
			add_piece(k, (struct str){ p + 1, n }, true);
			fields = fields || find_setting(k, (struct str){ p + 1, n }).p == NULL;
			p += n + 2;
		} else {
			buf_char(&k->text, *p++);
		}
	}
	end_text(k, at);
	if (!fields)
		die(EX_USAGE, "--each %s: no field of the records is in it: all would be one object", url);
	if (has_dots(buf_all(&k->place.key)))
		die(EX_USAGE, "--each %s: a segment that is . or ..", url);
}

struct s3_key *
s3_key_open(const char *url, const struct words *settings)
{
	struct s3_key *k = xcalloc(1, sizeof *k);

	k->settings = settings;
	k->place = s3_place(url);
	check_settings(settings);
	parse(k, url);
	return k;
}

void
s3_key_close(struct s3_key *k)
{
	s3_place_free(&k->place);
	buf_free(&k->text);
	buf_free(&k->scratch);
	free(k->piece);
	free(k);
}

const char *
s3_key_bucket(const struct s3_key *k)
{
	return k->place.bucket;
}

void
s3_key_prefix(const struct s3_key *k, struct buf *prefix)
{
	for (size_t i = 0; i < k->n; i++) {
		struct str text = k->piece[i].is_field ? find_setting(k, k->piece[i].text) : k->piece[i].text;

		if (text.p == NULL)
			return;
		buf_str(prefix, text);
	}
}

/* Filling */

static const char *
add_value(struct s3_key *k, const struct row *row, struct str name, struct buf *key)
{
	struct str value = find_setting(k, name);
	const struct field *f;

	if (value.p != NULL) {
		buf_str(key, value);
		return NULL;
	}
	f = row_field(row, name);
	if (f == NULL)
		return "the field is missing";
	if (f->json && f->val.n > 0 && (*f->val.p == '{' || *f->val.p == '['))
		return "an object or array is no part of a key";
	value = field_text(f, &k->scratch);
	if (value.n == 0)
		return "the field is empty";
	if (memchr(value.p, '/', value.n) != NULL)
		return "a slash in a part of a key";
	if (has_control(value) || memchr(value.p, '\0', value.n) != NULL)
		return "a control character in a part of a key";
	buf_str(key, value);
	return NULL;
}

const char *
s3_key_fill(struct s3_key *k, const struct row *row, struct buf *key, struct str *field)
{
	*field = (struct str){ NULL, 0 };
	buf_reset(key);
	for (size_t i = 0; i < k->n; i++) {
		const struct piece *piece = &k->piece[i];
		const char *why = NULL;

		if (piece->is_field)
			why = add_value(k, row, piece->text, key);
		else
			buf_str(key, piece->text);
		if (why != NULL) {
			*field = piece->text;
			return why;
		}
	}
	if (has_dots(buf_all(key)))
		return "the key has a segment that is . or ..";
	return s3_bad_key(buf_all(key));
}
