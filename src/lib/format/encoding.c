/* format/encoding.c - text of other encodings to UTF-8. */
#include "format/encoding.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "format/json.h"

#define BAD '\xff'

struct encoding {
	iconv_t iconv;
	size_t unit;                    /* bytes that are passed over where one is bad */
};

static size_t
unit_of(const char *name)
{
	if (strncasecmp(name, "utf-16", 6) == 0 || strncasecmp(name, "ucs-2", 5) == 0)
		return 2;
	return strncasecmp(name, "utf-32", 6) == 0 || strncasecmp(name, "ucs-4", 5) == 0 ? 4 : 1;
}

struct encoding *
encoding_open(const char *name)
{
	struct encoding *e;
	iconv_t cd;

	if (*name == '\0' || strchr(name, '/') != NULL)         /* iconv's own: the locale's, or //IGNORE */
		return NULL;
	errno = 0;
	if ((cd = iconv_open("UTF-8", name)) == (iconv_t)-1) {
		memory_check("iconv");
		return NULL;
	}
	e = xcalloc(1, sizeof *e);
	*e = (struct encoding){ cd, unit_of(name) };
	return e;
}

void
encoding_close(struct encoding *e)
{
	if (e != NULL)
		iconv_close(e->iconv);
	free(e);
}

const char *
encoding_guess(const char *p, size_t n)
{
	const char *bad;

	if (n >= 2 && memcmp(p, "\xff\xfe", 2) == 0)
		return "utf-16le";
	if (n >= 2 && memcmp(p, "\xfe\xff", 2) == 0)
		return "utf-16be";
	/* Two ASCII characters in UTF-16, as a header starts; a NUL further on is a broken file in any encoding. */
	if (n >= 4 && p[0] != '\0' && p[1] == '\0' && p[2] != '\0' && p[3] == '\0')
		return "utf-16le";
	if (n >= 4 && p[0] == '\0' && p[1] != '\0' && p[2] == '\0' && p[3] != '\0')
		return "utf-16be";
	/* The last character may be cut by the window. */
	bad = utf8_check(p, p + n);
	return bad == NULL || (p + n - bad < 4 && n >= 4) ? "utf-8" : "windows-1252";
}

size_t
encoding_convert(struct encoding *e, char *to, size_t room, const char *p, size_t *n, bool last)
{
	char *in = (char *)p, *out = to;
	size_t left = *n;

	while (left > 0 && iconv(e->iconv, &in, &left, &out, &room) == (size_t)-1) {
		size_t bad = left < e->unit ? left : e->unit;

		if (room == 0 || errno == E2BIG || (errno == EINVAL && !last))
			break;
		*out++ = BAD;
		room--;
		in += bad;
		left -= bad;
	}
	if (last && left == 0)
		iconv(e->iconv, NULL, NULL, &out, &room);       /* back to the state at the start of a text */
	*n = (size_t)(in - p);
	return (size_t)(out - to);
}
