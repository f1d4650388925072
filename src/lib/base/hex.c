/* base/hex.c - bytes as hex digits, and back. */
#include "base/hex.h"

void
hex_put(char *to, const void *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *p = bytes;

	for (size_t i = 0; i < n; i++) {
		*to++ = digits[p[i] >> 4];
		*to++ = digits[p[i] & 15];
	}
}

void
hex_put_text(char *to, const void *bytes, size_t n)
{
	hex_put(to, bytes, n);
	to[2 * n] = '\0';
}

bool
hex_read(void *bytes, struct str digits)
{
	unsigned char *to = bytes;

	for (size_t i = 0; i < digits.n / 2; i++) {
		int high = hex_digit(digits.p[2 * i]), low = hex_digit(digits.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		to[i] = (unsigned char)(high << 4 | low);
	}
	return digits.n % 2 == 0;
}
