/*
 * format/gunzip.h - gzip (RFC 1952), unpacked as it comes: any size in the memory of one buffer.
 *
 * Members behind each other are one text, as with gzip(1).  These functions return errors and do not die.
 */
#ifndef GUNZIP_H
#define GUNZIP_H

#include <stdbool.h>

#include "base/buf.h"

struct gunzip;

struct gunzip *gunzip_open(void);
void gunzip_start(struct gunzip *);             /* another file */
/* Gives what the bytes unpack to, piece by piece.  NULL, or what is wrong with them, a static text. */
const char *gunzip_add(struct gunzip *, struct str packed, void (*take)(struct str, void *), void *arg);
/* Was that all of it?  NULL, or what is wrong. */
const char *gunzip_end(const struct gunzip *);
void gunzip_close(struct gunzip *);

/* Do the bytes start like gzip? */
bool gunzip_is(struct str bytes);

#endif
