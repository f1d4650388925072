/*
 * base/slurp.h - the whole of a small file: settings, tokens, secrets.
 *
 * For files that people name as operands, where "-" is standard input, see input_slurp() in
 * records/input.h.
 */
#ifndef SLURP_H
#define SLURP_H

#include "base/buf.h"

enum slurp {
	SLURP_WHOLE,
	SLURP_NOT_OPENED,       /* errno says why, as it does for the next two */
	SLURP_FAILED,           /* a read error: what was read before it is in the buffer */
	SLURP_TOO_LARGE,        /* more than MOST bytes: EFBIG; the first are in the buffer */
};

/* Appends the file's bytes. */
enum slurp slurp(struct buf *, const char *path, size_t most);
/* The exit status for a file of settings that slurp() did not read: EX_IOERR after a read error,
 * else EX_CONFIG.  Keeps errno. */
int slurp_status(enum slurp how);

#endif
