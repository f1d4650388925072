/*
 * base/scan.h - the byte searches that the readers live on, sixteen bytes at a time where the
 * machine has SSE2.
 *
 * Each returns the first byte in [p, end) that is wanted, or end.  BUF_PAD bytes past end must be
 * readable: struct buf and struct input have them.
 */
#ifndef SCAN_H
#define SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define BUF_PAD 64              /* bytes */

#ifdef __SSE2__
#include <emmintrin.h>

#define SCAN_LOAD(p) _mm_loadu_si128((const __m128i *)(const void *)(p))
/* MATCH is an expression of v, a vector of the next 16 bytes, with 0xff where a byte is wanted; STEP is done with each v. */
#define SCAN_EACH(MATCH, STEP) do { \
	for (; p < end; p += 16) { \
		const __m128i v = SCAN_LOAD(p); \
		const int found = _mm_movemask_epi8(MATCH); \
		STEP; \
		if (found != 0) { \
			p += __builtin_ctz((unsigned)found); \
			return p < end ? p : end; \
		} \
	} \
	return end; \
} while (0)
#define SCAN_UNTIL(MATCH) SCAN_EACH(MATCH, (void)v)
#define SCAN_COPY_UNTIL(MATCH) SCAN_EACH(MATCH, (_mm_storeu_si128((__m128i *)(void *)to, v), to += 16))
#endif

/* What may not stand as it is in a JSON string: quote, backslash, control bytes; also bytes over 127 if HIGH. */
static inline const char *
scan_json_special(const char *p, const char *end, bool high)
{
#ifdef __SSE2__
	const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'), control = _mm_set1_epi8(0x1f);

	if (high)       /* as signed numbers, bytes over 127 are below the control bytes */
		SCAN_UNTIL(_mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash)),
		    _mm_cmpgt_epi8(_mm_set1_epi8(0x20), v)));
	SCAN_UNTIL(_mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash)),
	    _mm_cmpeq_epi8(_mm_max_epu8(v, control), control)));
#else
	while (p < end && (unsigned char)*p >= 0x20 && *p != '"' && *p != '\\' && !(high && (unsigned char)*p > 127))
		p++;
	return p;
#endif
}

/* A NUL or a byte over 127: what is between them is plain text in any encoding we read. */
static inline const char *
scan_not_ascii(const char *p, const char *end)
{
#ifdef __SSE2__
	SCAN_UNTIL(_mm_cmpgt_epi8(_mm_set1_epi8(1), v));
#else
	while (p < end && (signed char)*p > 0)
		p++;
	return p;
#endif
}

/* Any of three bytes; give one twice to look for two. */
static inline const char *
scan_any(const char *p, const char *end, char a, char b, char c)
{
#ifdef __SSE2__
	const __m128i va = _mm_set1_epi8(a), vb = _mm_set1_epi8(b), vc = _mm_set1_epi8(c);

	SCAN_UNTIL(_mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, va), _mm_cmpeq_epi8(v, vb)), _mm_cmpeq_epi8(v, vc)));
#else
	while (p < end && *p != a && *p != b && *p != c)
		p++;
	return p;
#endif
}

/*
 * Copies for the writers, which mostly move a few bytes at a time: sixteen at once, so up to 15 bytes more than
 * asked for are read and written.
 */
static inline void
scan_copy(char *to, const char *p, size_t n)
{
#ifdef __SSE2__
	const char *end = p + n;

	do
		_mm_storeu_si128((__m128i *)(void *)to, SCAN_LOAD(p));
	while (to += 16, (p += 16) < end);
#else
	memcpy(to, p, n);
#endif
}

/* Copies up to the first byte that may not stand as it is in a JSON string; returns where it is in the source, or end. */
static inline const char *
scan_copy_json(char *to, const char *p, const char *end)
{
#ifdef __SSE2__
	const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'), control = _mm_set1_epi8(0x1f);

	SCAN_COPY_UNTIL(_mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash)),
	    _mm_cmpeq_epi8(_mm_max_epu8(v, control), control)));
#else
	const char *stop = scan_json_special(p, end, false);

	memcpy(to, p, (size_t)(stop - p));
	return stop;
#endif
}

/* Copies up to the first of any of three bytes; returns where it is in the source, or end. */
static inline const char *
scan_copy_any(char *to, const char *p, const char *end, char a, char b, char c)
{
#ifdef __SSE2__
	const __m128i va = _mm_set1_epi8(a), vb = _mm_set1_epi8(b), vc = _mm_set1_epi8(c);

	SCAN_COPY_UNTIL(_mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, va), _mm_cmpeq_epi8(v, vb)),
	    _mm_cmpeq_epi8(v, vc)));
#else
	const char *stop = scan_any(p, end, a, b, c);

	memcpy(to, p, (size_t)(stop - p));
	return stop;
#endif
}

/* Copies up to the first byte that a CSV field has to be quoted for; returns where it is in the source, or end. */
static inline const char *
scan_copy_csv(char *to, const char *p, const char *end)
{
#ifdef __SSE2__
	const __m128i comma = _mm_set1_epi8(','), quote = _mm_set1_epi8('"'), lf = _mm_set1_epi8('\n'), cr = _mm_set1_epi8('\r');

	SCAN_COPY_UNTIL(_mm_or_si128(
	    _mm_or_si128(_mm_cmpeq_epi8(v, comma), _mm_cmpeq_epi8(v, quote)),
	    _mm_or_si128(_mm_cmpeq_epi8(v, lf), _mm_cmpeq_epi8(v, cr))));
#else
	for (; p < end && *p != ',' && *p != '"' && *p != '\n' && *p != '\r'; p++)
		*to++ = *p;
	return p;
#endif
}

#endif
