/* base/hex.h - bytes as hex digits, and back. */
#ifndef HEX_H
#define HEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Writes 2 * n digits in lower case, and no NUL. */
void hex_put(char *to, const void *bytes, size_t n);
/* The same, with a NUL behind them. */
void hex_put_text(char *to, const void *bytes, size_t n);
/* Writes digits.n / 2 bytes.  False where a digit is missing or is none. */
bool hex_read(void *bytes, struct str digits);

/* The value of a digit of either case; -1: it is none. */
static inline int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

#endif
