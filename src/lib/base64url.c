/*
 * base64url.c - base64 in the URL-safe alphabet, six bytes a step.
 *
 * Tables and 64-bit words are quick enough: a Fernet token spends a fifth of its time here, and the rest in
 * libcrypto.  OpenSSL's own base64 is slower, and takes what is none.
 */
#include "lib/base64url.h"

#include <stdint.h>
#include <string.h>

#define BAD 0x80000000u         /* in a group of four that holds a character of another alphabet */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static char pairs[4096][2];             /* the characters of 12 bits */
static uint32_t places[4][256];         /* a character's bits, by its place in the group; or BAD */

static void
make_tables(void)
{
	if (pairs[0][0] != '\0')
		return;
	memset(places, 0xff, sizeof places);
	for (uint32_t i = 0; i < 64; i++)
		for (unsigned place = 0; place < 4; place++)
			places[place][(unsigned char)alphabet[i]] = i << (18 - 6 * place);
	for (size_t i = 4096; i-- > 0; ) {      /* the first pair last: it says that all is made */
		pairs[i][0] = alphabet[i >> 6];
		pairs[i][1] = alphabet[i & 63];
	}
}

/* The compilers make one instruction of either. */
static inline uint64_t
load_be64(const unsigned char *p)
{
	return (uint64_t)p[0] << 56 | (uint64_t)p[1] << 48 | (uint64_t)p[2] << 40 | (uint64_t)p[3] << 32 |
	    (uint64_t)p[4] << 24 | (uint64_t)p[5] << 16 | (uint64_t)p[6] << 8 | p[7];
}

static inline void
store_be64(unsigned char *to, uint64_t v)
{
	to[0] = (unsigned char)(v >> 56);
	to[1] = (unsigned char)(v >> 48);
	to[2] = (unsigned char)(v >> 40);
	to[3] = (unsigned char)(v >> 32);
	to[4] = (unsigned char)(v >> 24);
	to[5] = (unsigned char)(v >> 16);
	to[6] = (unsigned char)(v >> 8);
	to[7] = (unsigned char)v;
}

void
base64url_encode(char *to, const unsigned char *p, size_t n)
{
	make_tables();
	for (; n >= 8; n -= 6, p += 6, to += 8) {       /* reads two bytes more than it uses */
		uint64_t v = load_be64(p);

		memcpy(to, pairs[v >> 52], 2);
		memcpy(to + 2, pairs[v >> 40 & 4095], 2);
		memcpy(to + 4, pairs[v >> 28 & 4095], 2);
		memcpy(to + 6, pairs[v >> 16 & 4095], 2);
	}
	for (; n >= 3; n -= 3, p += 3, to += 4) {
		memcpy(to, pairs[p[0] << 4 | p[1] >> 4], 2);
		memcpy(to + 2, pairs[(p[1] & 15) << 8 | p[2]], 2);
	}
	if (n > 0) {
		memcpy(to, pairs[p[0] << 4 | (n == 2 ? p[1] >> 4 : 0)], 2);
		to[2] = n == 2 ? alphabet[(p[1] & 15) << 2] : '=';
		to[3] = '=';
	}
}

static inline uint32_t
group(const unsigned char *p)
{
	return places[0][p[0]] | places[1][p[1]] | places[2][p[2]] | places[3][p[3]];
}

size_t
base64url_decode(unsigned char *to, const char *text, size_t len)
{
	const unsigned char *start = (const unsigned char *)text, *p = start, *end = p + len;

	make_tables();
	for (; end - p >= 8; p += 8, to += 6) {
		uint32_t a = group(p), b = group(p + 4);

		if ((a | b) & BAD)
			break;
		store_be64(to, (uint64_t)a << 40 | (uint64_t)b << 16);
	}
	for (; p < end; p += 4, to += 3) {
		uint32_t a = group(p);

		if (a & BAD)
			break;
		to[0] = (unsigned char)(a >> 16);
		to[1] = (unsigned char)(a >> 8);
		to[2] = (unsigned char)a;
	}
	return (size_t)(p - start);
}

size_t
base64url_decode_last(unsigned char to[3], const char p[4])
{
	size_t n = p[3] != '=' ? 3 : p[2] != '=' ? 2 : 1;
	char whole[4] = { p[0], p[1], n > 1 ? p[2] : 'A', n > 2 ? p[3] : 'A' };
	unsigned char raw[BASE64URL_ROOM(4)];

	if (base64url_decode(raw, whole, 4) != 4)
		return 0;
	for (size_t i = n; i < 3; i++)          /* bits that no byte has */
		if (raw[i] != 0)
			return 0;
	memcpy(to, raw, n);
	return n;
}

bool
base64url_has(char c)
{
	make_tables();
	return !(places[0][(unsigned char)c] & BAD);
}
