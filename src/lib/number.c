/* number.c - decimal numbers as people and machines write them. */
#include "lib/number.h"

#include <math.h>
#include <stdlib.h>

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static size_t
digits(const char *p, const char *end)
{
	const char *start = p;

	while (p < end && is_digit(*p))
		p++;
	return (size_t)(p - start);
}

bool
number_is(struct str s)
{
	const char *p = s.p, *end = p + s.n;
	size_t whole, fraction = 0;

	p += p < end && (*p == '-' || *p == '+');
	p += whole = digits(p, end);
	if (p < end && *p == '.')
		p += 1 + (fraction = digits(p + 1, end));
	if (whole + fraction == 0)
		return false;
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		p += p < end && (*p == '-' || *p == '+');
		if (digits(p, end) == 0)
			return false;
		p += digits(p, end);
	}
	return p == end;
}

bool
number_read(struct str s, double *n)
{
	char text[NUMBER_MOST + 1];

	if (s.n > NUMBER_MOST || !number_is(s))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	*n = strtod(text, NULL);
	return isfinite(*n);
}

void
number_put(struct buf *b, struct str s)
{
	const char *p = s.p, *end = p + s.n;
	size_t n;

	if (*p == '-')
		buf_char(b, '-');
	p += *p == '-' || *p == '+';
	while (end - p > 1 && p[0] == '0' && is_digit(p[1]))
		p++;
	n = digits(p, end);
	buf_str(b, n > 0 ? (struct str){ p, n } : STR("0"));
	p += n;
	if (p < end && *p == '.') {
		n = digits(++p, end);
		buf_char(b, '.');
		buf_str(b, n > 0 ? (struct str){ p, n } : STR("0"));
		p += n;
	}
	buf_add(b, p, (size_t)(end - p));
}
