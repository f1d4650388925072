/* format/zip-end.c - the end record of a zip. */
#include "format/zip-end.h"

#include <stdint.h>

#define END 22                  /* bytes of the end record without its comment, ... */
#define LOCATOR 20              /* of zip64's locator right before it, ... */
#define END64 56                /* and of the record that the locator points to */
#define COMMENT_MAX 65535
#define KEEP (COMMENT_MAX + END + LOCATOR + 4096)       /* zip64's record may have more in it than we know */

void
zip_end_start(struct zip_end *e)
{
	buf_reset(&e->tail);
	buf_reset(&e->why);
	e->total = 0;
}

void
zip_end_add(struct zip_end *e, struct str bytes)
{
	e->total += bytes.n;
	if (bytes.n > KEEP) {
		bytes.p += bytes.n - KEEP;
		bytes.n = KEEP;
		buf_reset(&e->tail);
	}
	if (e->tail.len + bytes.n > 2 * KEEP) {
		memmove(e->tail.p, e->tail.p + e->tail.len - KEEP, KEEP);
		e->tail.len = KEEP;
	}
	buf_str(&e->tail, bytes);
}

/* N bytes, the lowest first. */
static uint64_t
number(const char *p, int n)
{
	uint64_t value = 0;

	while (n-- > 0)
		value = value << 8 | (unsigned char)p[n];
	return value;
}

/* The end record, whose comment reaches to the last byte; NULL: there is none. */
static const char *
find_end(const struct zip_end *e)
{
	struct str tail = buf_all(&e->tail);

	if (tail.n < END)
		return NULL;
	for (const char *p = tail.p + tail.n - END;; p--) {
		if (memcmp(p, "PK\5\6", 4) == 0 && number(p + 20, 2) == (uint64_t)(tail.p + tail.n - p - END))
			return p;
		if (p == tail.p || tail.p + tail.n - p == END + COMMENT_MAX)
			return NULL;
	}
}

/* What an end record says: how many members, and where the directory that it stands behind has to end. */
struct said {
	uint64_t count, directory_end, at;      /* at: where the record itself is, in the zip */
	bool whole;                             /* zip64: the numbers are not cut to two and four bytes */
};

static struct said
read_end(const struct zip_end *e, const char *p)
{
	return (struct said){
		.count = number(p + 10, 2), .directory_end = number(p + 16, 4) + number(p + 12, 4),
		.at = e->total - e->tail.len + (uint64_t)(p - e->tail.p),
	};
}

/* As zip64 has it, for the end record at P; what is said stays where there is no zip64. */
static void
read_end64(const struct zip_end *e, const char *p, struct said *said)
{
	struct str tail = buf_all(&e->tail);
	unsigned long long start = e->total - tail.n;   /* of what is kept, in the zip */
	const char *locator = p - LOCATOR;
	uint64_t at;

	if (p - tail.p < LOCATOR + END64 || memcmp(locator, "PK\6\7", 4) != 0)
		return;
	at = number(locator + 8, 8);
	if (at < start || at - start > (uint64_t)(locator - tail.p) - END64 || memcmp(tail.p + (at - start), "PK\6\6", 4) != 0)
		return;
	p = tail.p + (at - start);
	*said = (struct said){ number(p + 32, 8), number(p + 48, 8) + number(p + 40, 8), at, true };
}

const char *
zip_end_check(struct zip_end *e, unsigned long long members)
{
	const char *p = find_end(e);
	struct said said;

	buf_reset(&e->why);
	if (p == NULL)
		return "it is cut: its directory or the end of it is missing, or something stands behind it";
	said = read_end(e, p);
	read_end64(e, p, &said);
	/* the directory of another zip lists members that were not read, even if there are as many */
	if (said.whole ? said.directory_end != said.at : (uint32_t)said.directory_end != (uint32_t)said.at)
		return "its directory is not where it says: are there two zips, one behind the other?";
	/* two bytes hold no more: old programs went on from 0 */
	if (said.count == members || (!said.whole && said.count == members % (1 << 16)))
		return NULL;
	buf_fmt(&e->why, "its directory lists %llu: it is cut, or members were taken out of it: make it again",
	    (unsigned long long)said.count);
	return e->why.p;
}

void
zip_end_free(struct zip_end *e)
{
	buf_free(&e->tail);
	buf_free(&e->why);
}
