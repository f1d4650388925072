/*
 * format/encoding.h - text of other encodings to UTF-8, as it streams by.
 *
 * What has no place in the encoding (a lone surrogate, half a character at the end, a byte that Windows-1252
 * leaves free) becomes the byte 0xFF, which UTF-8 forbids: so whoever checks the record finds it, with its line and column.
 */
#ifndef ENCODING_H
#define ENCODING_H

#include <stdbool.h>
#include <stddef.h>

enum encoding { ENCODING_AUTO, ENCODING_UTF8, ENCODING_UTF16LE, ENCODING_UTF16BE, ENCODING_LATIN1, ENCODING_WINDOWS1252 };

#define ENCODING_GROWS 3        /* bytes that one byte becomes at most */

/* What the first bytes of a text say: a byte order mark, two ASCII characters in UTF-16, UTF-8, and else Windows-1252,
 * which is what Excel saves where it doesn't save UTF-8. */
enum encoding encoding_guess(const char *p, size_t n);
const char *encoding_name(enum encoding);

/* Writes UTF-8 for the bytes at p to TO, which has room for ENCODING_GROWS * n; returns how many that were.  *n becomes
 * the number of bytes used: at most 3 are left for the next time, none if last. */
size_t encoding_convert(enum encoding, char *to, const char *p, size_t *n, bool last);

#endif
