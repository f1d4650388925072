/* format/gunzip.c - gzip, unpacked as it comes. */
#include "format/gunzip.h"

#include <stdlib.h>
#include <zlib.h>

#define PIECE (64 * 1024)       /* bytes given at a time: what a pipe takes */
#define GZIP_ONLY (15 + 16)     /* for inflateInit2(): a window of 32 KiB, and the gzip header and checksum */

struct gunzip {
	z_stream z;
	bool inside;                    /* a member, which has to end */
	struct buf out;
};

struct gunzip *
gunzip_open(void)
{
	struct gunzip *g = xcalloc(1, sizeof *g);

	if (inflateInit2(&g->z, GZIP_ONLY) != Z_OK)
		die(EX_OSERR, "out of memory");
	buf_room(&g->out, PIECE);
	gunzip_start(g);
	return g;
}

void
gunzip_start(struct gunzip *g)
{
	inflateReset(&g->z);
	g->inside = true;               /* no bytes at all are no gzip */
}

const char *
gunzip_add(struct gunzip *g, struct str packed, void (*take)(struct str, void *), void *arg)
{
	z_stream *z = &g->z;
	bool more = packed.n > 0;

	z->next_in = (Bytef *)packed.p;
	z->avail_in = (uInt)packed.n;
	while (more) {
		int result;

		if (!g->inside)
			inflateReset(z);
		g->inside = true;
		z->next_out = (Bytef *)g->out.p;
		z->avail_out = PIECE;
		result = inflate(z, Z_NO_FLUSH);
		if (result == Z_MEM_ERROR)
			die(EX_OSERR, "out of memory");
		if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
			return "its gzip is damaged";
		g->out.len = PIECE - z->avail_out;
		g->out.p[g->out.len] = '\0';
		if (g->out.len > 0)
			take(buf_all(&g->out), arg);
		g->inside = result != Z_STREAM_END;
		more = z->avail_in > 0 || (g->inside && z->avail_out == 0);
	}
	return NULL;
}

const char *
gunzip_end(const struct gunzip *g)
{
	return g->inside ? "its gzip ends too soon" : NULL;
}

void
gunzip_close(struct gunzip *g)
{
	inflateEnd(&g->z);
	buf_free(&g->out);
	free(g);
}

bool
gunzip_is(struct str bytes)
{
	return bytes.n >= 2 && memcmp(bytes.p, "\x1f\x8b", 2) == 0;
}
