/* format/encoding.c - text of other encodings to UTF-8. */
#include "format/encoding.h"

#include "format/json.h"

#define BAD '\xff'

/* Windows-1252's 0x80 to 0x9f; 0 where it has nothing.  The rest is Latin-1. */
static const unsigned short windows[32] = {
	0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017d, 0,
	0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0, 0x017e, 0x0178
};

const char *
encoding_name(enum encoding e)
{
	static const char *const names[] = { "auto", "utf-8", "utf-16le", "utf-16be", "latin1", "windows-1252" };

	return names[e];
}

enum encoding
encoding_guess(const char *p, size_t n)
{
	const char *bad;

	if (n >= 2 && memcmp(p, "\xff\xfe", 2) == 0)
		return ENCODING_UTF16LE;
	if (n >= 2 && memcmp(p, "\xfe\xff", 2) == 0)
		return ENCODING_UTF16BE;
	/* Two ASCII characters in UTF-16, as a header starts; a NUL further on is a broken file in any encoding. */
	if (n >= 4 && p[0] != '\0' && p[1] == '\0' && p[2] != '\0' && p[3] == '\0')
		return ENCODING_UTF16LE;
	if (n >= 4 && p[0] == '\0' && p[1] != '\0' && p[2] == '\0' && p[3] != '\0')
		return ENCODING_UTF16BE;
	/* The last character may be cut by the window. */
	bad = utf8_check(p, p + n);
	return bad == NULL || (p + n - bad < 4 && n >= 4) ? ENCODING_UTF8 : ENCODING_WINDOWS1252;
}

/* ASCII is most of any text. */
static inline char *
put_code(char *to, unsigned long c)
{
	if (c >= 0x80)
		return to + utf8_put(to, c);
	*to = (char)c;
	return to + 1;
}

static char *
convert_bytes(char *to, const char *p, size_t n, bool is_windows)
{
	for (const char *end = p + n; p < end; p++) {
		unsigned char c = (unsigned char)*p;

		if (!is_windows || c < 0x80 || c > 0x9f)
			to = put_code(to, c);
		else if (windows[c - 0x80] != 0)
			to = put_code(to, windows[c - 0x80]);
		else
			*to++ = BAD;
	}
	return to;
}

static unsigned
unit_at(const char *text, bool big)
{
	const unsigned char *p = (const unsigned char *)text;

	return big ? (unsigned)p[0] << 8 | p[1] : (unsigned)p[1] << 8 | p[0];
}

static char *
convert_utf16(char *to, const char *start, size_t *n, bool big, bool last)
{
	const char *p = start, *end = p + *n;

	while (end - p >= 2) {
		unsigned unit = unit_at(p, big), low;

		if (unit < 0xd800 || unit > 0xdfff) {
			to = put_code(to, unit);
			p += 2;
			continue;
		}
		if (unit < 0xdc00 && end - p < 4 && !last)
			break;
		low = unit < 0xdc00 && end - p >= 4 ? unit_at(p + 2, big) : 0;
		if (low >= 0xdc00 && low <= 0xdfff) {
			to = put_code(to, 0x10000 + ((unit - 0xd800ul) << 10) + (low - 0xdc00));
			p += 4;
		} else {
			*to++ = BAD;
			p += 2;
		}
	}
	if (last && p < end) {
		*to++ = BAD;
		p = end;
	}
	*n = (size_t)(p - start);
	return to;
}

size_t
encoding_convert(enum encoding e, char *to, const char *p, size_t *n, bool last)
{
	switch (e) {
	case ENCODING_UTF16LE: case ENCODING_UTF16BE:
		return (size_t)(convert_utf16(to, p, n, e == ENCODING_UTF16BE, last) - to);
	case ENCODING_LATIN1: case ENCODING_WINDOWS1252:
		return (size_t)(convert_bytes(to, p, *n, e == ENCODING_WINDOWS1252) - to);
	default:
		memcpy(to, p, *n);
		return *n;
	}
}
