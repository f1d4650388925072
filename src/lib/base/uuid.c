/* base/uuid.c - UUIDs as text. */
#include "base/uuid.h"

#include "base/hex.h"

static bool
is_hyphen_place(size_t i)
{
	return i == 8 || i == 13 || i == 18 || i == 23;
}

bool
uuid_is(struct str text, bool any_case)
{
	if (text.n != UUID_LEN)
		return false;
	for (size_t i = 0; i < UUID_LEN; i++) {
		char c = text.p[i];

		if (is_hyphen_place(i) ? c != '-' : hex_digit(c) < 0 || (!any_case && c >= 'A' && c <= 'F'))
			return false;
	}
	return true;
}

bool
uuid_read(unsigned char bytes[UUID_BYTES], struct str s)
{
	size_t at = 0;

	if (s.n >= 2 && s.p[0] == '{') {
		if (s.p[s.n - 1] != '}')
			return false;
		s = (struct str){ s.p + 1, s.n - 2 };
	}
	for (size_t i = 0; i < UUID_BYTES; i++) {
		if (at + 2 > s.n || !hex_read(&bytes[i], (struct str){ s.p + at, 2 }))
			return false;
		at += 2;
		if (i % 2 == 1 && i < 15 && at < s.n && s.p[at] == '-')
			at++;
	}
	return at == s.n;
}

void
uuid_put(char text[UUID_LEN], const unsigned char bytes[UUID_BYTES])
{
	size_t at = 0;

	for (size_t i = 0; i < UUID_BYTES; i++, at += 2) {
		if (is_hyphen_place(at))
			text[at++] = '-';
		hex_put(text + at, &bytes[i], 1);
	}
}
