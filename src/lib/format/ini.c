/* format/ini.c - INI files as AWS's are. */
#include "format/ini.h"

#include <stdbool.h>

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static struct str
trimmed(struct str s)
{
	while (s.n > 0 && is_blank(s.p[s.n - 1]))
		s.n--;
	while (s.n > 0 && is_blank(*s.p))
		s.p++, s.n--;
	return s;
}

static struct str
before(struct str s, const char *at)
{
	return trimmed((struct str){ s.p, (size_t)(at - s.p) });
}

static struct str
after(struct str s, const char *at)
{
	return trimmed((struct str){ at + 1, (size_t)(s.p + s.n - at - 1) });
}

static const char *
find_last(struct str s, char c)
{
	for (const char *p = s.p + s.n; p > s.p; p--)
		if (p[-1] == c)
			return p - 1;
	return NULL;
}

/* The first "=" or ":". */
static const char *
find_delimiter(struct str s)
{
	for (const char *p = s.p; p < s.p + s.n; p++)
		if (*p == '=' || *p == ':')
			return p;
	return NULL;
}

/* Fills the item with a line that has something in it, and stands alone. */
static const char *
read_line(struct ini_item *item, struct str line)
{
	const char *at;

	item->sub = item->value = (struct str){ NULL, 0 };
	if (*line.p == '[' && (at = find_last(line, ']')) != NULL) {
		item->section = before((struct str){ line.p + 1, line.n - 1 }, at);
		item->key = (struct str){ NULL, 0 };
		return item->section.n > 0 ? NULL : "a section without a name";
	}
	at = find_delimiter(line);
	if (*line.p == '[' || at == NULL || at == line.p)
		return "neither [section] nor key = value";
	if (item->section.p == NULL)
		return "a key before the first [section]";
	item->key = before(line, at);
	item->value = after(line, at);
	return NULL;
}

/* One that is below a key. */
static void
read_below(struct ini_item *item, struct str line)
{
	const char *at = memchr(line.p, '=', line.n);

	item->sub = at != NULL ? before(line, at) : line;
	item->value = at != NULL ? after(line, at) : (struct str){ NULL, 0 };
}

const char *
ini_read(struct str text, size_t *line, void (*take)(const struct ini_item *, void *), void *arg)
{
	const char *p = text.p, *end = text.p + text.n, *why;
	struct ini_item item = { 0 };
	size_t indent = 0;              /* of the key's line */

	if (text.n >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0)
		p += 3;
	for (*line = 1; p < end; ++*line) {
		const char *newline = memchr(p, '\n', (size_t)(end - p)), *stop = newline != NULL ? newline : end;
		struct str s = trimmed((struct str){ p, (size_t)(stop - p) });
		size_t depth = (size_t)(s.p - p);

		p = newline != NULL ? newline + 1 : end;
		if (s.n == 0 || *s.p == '#' || *s.p == ';')
			continue;
		if (memchr(s.p, '\0', s.n) != NULL)
			return "a NUL byte";
		item.line = *line;
		if (item.key.p != NULL && depth > indent) {
			read_below(&item, s);
		} else {
			if ((why = read_line(&item, s)) != NULL)
				return why;
			indent = depth;
		}
		take(&item, arg);
	}
	return NULL;
}
