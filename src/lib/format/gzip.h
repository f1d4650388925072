/*
 * format/gzip.h - bytes packed as gzip (RFC 1952), piece by piece: one stream after the other.
 */
#ifndef GZIP_H
#define GZIP_H

#include "base/buf.h"

struct gzip;

struct gzip *gzip_open(void);
void gzip_add(struct gzip *, struct str, struct buf *out);      /* appends what is packed by now */
void gzip_end(struct gzip *, struct buf *out);                  /* appends the rest; the next bytes start another stream */
void gzip_close(struct gzip *);

#endif
