/*
 * format/encoding.h - text of other encodings to UTF-8, as it streams by: any encoding that
 * iconv(3) knows.
 *
 * What has no place in the encoding (a lone surrogate, half a character at the end, a byte that
 * Windows-1252 leaves free) becomes the byte 0xFF, which UTF-8 forbids: so whoever checks the
 * record finds it, with its line and column.
 */
#ifndef ENCODING_H
#define ENCODING_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes that one byte becomes at most, in the encodings that encoding_guess() knows. */
#define ENCODING_GROWS 3

struct encoding;

/* By a name in any case, such as "windows-1252"; NULL where iconv(3) does not know it. */
struct encoding *encoding_open(const char *name);
void encoding_close(struct encoding *);

/* The name of what the first bytes of a text say: a byte order mark, two ASCII characters in
 * UTF-16, UTF-8, and else Windows-1252, which is what Excel saves where it does not save UTF-8. */
const char *encoding_guess(const char *p, size_t n);

/* Writes UTF-8 for the bytes at p to TO, which has ROOM bytes; returns how many it wrote.  *n
 * becomes the number of bytes used: what has no room, or is a part of a character, is left for
 * the next time.  LAST: no more is to come, so no part is left. */
size_t encoding_convert(struct encoding *, char *to, size_t room, const char *p, size_t *n,
    bool last);

#endif
