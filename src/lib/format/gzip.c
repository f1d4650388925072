/* format/gzip.c - bytes packed as gzip. */
#include "format/gzip.h"

#include <stdlib.h>
#include <zlib.h>

#define WINDOW (15 + 16)        /* the largest window, with gzip's header */
#define MEMORY 8                /* zlib's default */
#define ROOM (64 << 10)         /* bytes of output offered at a time */
#define PIECE (1u << 30)        /* bytes of input given at a time: zlib counts in unsigned int */

struct gzip { z_stream z; };

struct gzip *
gzip_open(void)
{
	struct gzip *g = xcalloc(1, sizeof *g);

	if (deflateInit2(&g->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, WINDOW, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
		die(EX_OSERR, "out of memory");
	return g;
}

/* Packs what next_in holds; with Z_FINISH, to the end of the stream. */
static void
pack(struct gzip *g, int flush, struct buf *out)
{
	do {
		buf_room(out, ROOM);
		g->z.next_out = (Bytef *)out->p + out->len;
		g->z.avail_out = ROOM;
		deflate(&g->z, flush);
		out->len += ROOM - g->z.avail_out;
		out->p[out->len] = '\0';
	} while (g->z.avail_out == 0);
}

void
gzip_add(struct gzip *g, struct str s, struct buf *out)
{
	while (s.n > 0) {
		unsigned n = s.n < PIECE ? (unsigned)s.n : PIECE;

		g->z.next_in = (Bytef *)s.p;
		g->z.avail_in = n;
		pack(g, Z_NO_FLUSH, out);
		s.p += n;
		s.n -= n;
	}
}

void
gzip_end(struct gzip *g, struct buf *out)
{
	pack(g, Z_FINISH, out);
	deflateReset(&g->z);
}

void
gzip_close(struct gzip *g)
{
	deflateEnd(&g->z);
	free(g);
}
