/*
 * records/spool.h - byte strings put aside in a file without a name until the input has ended
 * well.
 *
 * For sinks that cannot roll back: a producer that died looks like one that finished, so nothing is sent before the end of
 * the input.  The file lies in TMPDIR, else /tmp, and is gone with the process however that ends; memory stays at two
 * buffers.  All is put, then all is read, in the order it was put, as often as wanted.
 */
#ifndef SPOOL_H
#define SPOOL_H

#include <stdbool.h>

#include "base/buf.h"

struct spool;

struct spool *spool_open(void);                 /* a directory that takes no file dies EX_CANTCREAT */
void spool_put(struct spool *, struct str);     /* a full disk dies EX_IOERR and names the directory */
unsigned long long spool_count(const struct spool *);
void spool_rewind(struct spool *);              /* before the first spool_next() */
/* Puts the next item in the buf's place; false after the last. */
bool spool_next(struct spool *, struct buf *);
void spool_close(struct spool *);

/* A file without a name in that directory, for what else is too large for memory. */
int spool_file(void);
void spool_write(int fd, struct str);           /* to such a file; dies as spool_put() */

#endif
