/* base/uuid.h - UUIDs as text: 8-4-4-4-12 hex digits. */
#ifndef UUID_H
#define UUID_H

#include "base/buf.h"

#define UUID_LEN 36             /* characters, without a NUL */
#define UUID_BYTES 16

/* True for 8-4-4-4-12 hex digits, in lower case unless ANY_CASE. */
bool uuid_is(struct str text, bool any_case);
/* Reads what PostgreSQL reads: hex digits of either case, with a hyphen or none after each fourth
 * one, and braces around all or none.  False if it is anything else. */
bool uuid_read(unsigned char bytes[UUID_BYTES], struct str text);
/* Writes 8-4-4-4-12 hex digits in lower case. */
void uuid_put(char text[UUID_LEN], const unsigned char bytes[UUID_BYTES]);

#endif
