/*
 * format/base64url.h - base64 in the alphabet that URLs and file names take (RFC 4648 5), with
 * its padding.
 *
 * Strict: no white space, no other alphabet, no unused bits set, so that bytes have one text and no other.
 */
#ifndef BASE64URL_H
#define BASE64URL_H

#include <stdbool.h>
#include <stddef.h>

#define BASE64URL_LEN(n) (((n) + 2) / 3 * 4)            /* characters for n bytes */
#define BASE64URL_ROOM(len) ((len) / 4 * 3 + 2)         /* to decode so many characters into; 2 bytes are scratch */

/* Writes BASE64URL_LEN(n) characters; the last group is padded, so pieces of a longer text are multiples of 3 bytes. */
void base64url_encode(char *to, const unsigned char *p, size_t n);

/* Decodes groups of four without padding, len a multiple of 4, up to the first that is none.  Returns the characters
 * used, which make 3 bytes of every 4. */
size_t base64url_decode(unsigned char *to, const char *p, size_t len);
/* Decodes the last four, padded or not.  Returns how many bytes they are, 1 to 3; 0 when they are nothing. */
size_t base64url_decode_last(unsigned char to[3], const char p[4]);
bool base64url_has(char);       /* of the alphabet, which '=' is not */

#endif
