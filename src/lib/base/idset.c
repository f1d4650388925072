/*
 * base/idset.c - which ids came before, in bounded memory.
 *
 * Several small tables that never grow instead of one that does: growing holds the old and the new at once.
 */
#include "base/idset.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/hex.h"

#define BYTES 12
#define SLOTS (1 << 18)         /* of a table: 3 MiB */
#define FULL (SLOTS / 5 * 4)    /* more, and searches get long */
#define TABLES 5

struct table { size_t n; unsigned char slot[SLOTS][BYTES]; };   /* all zeros: free, for no ObjectId is */

struct idset { struct table *table[TABLES]; size_t newest; };

/* ObjectIds count up, so that their last bytes alone are a poor hash: those are mixed (the finish of MurmurHash3). */
static size_t
place_of(const unsigned char *id)
{
	uint64_t a, b;

	memcpy(&a, id, 8);
	memcpy(&b, id + 4, 8);
	a ^= b * 0x9e3779b97f4a7c15;
	a ^= a >> 33;
	a *= 0xff51afd7ed558ccd;
	a ^= a >> 33;
	a *= 0xc4ceb9fe1a85ec53;
	return (a ^ a >> 33) % SLOTS;
}

/* The slot where the id is, or where it would be. */
static unsigned char *
find_slot(struct table *t, const unsigned char *id, size_t place)
{
	static const unsigned char none[BYTES];

	while (memcmp(t->slot[place], id, BYTES) != 0 && memcmp(t->slot[place], none, BYTES) != 0)
		place = (place + 1) % SLOTS;
	return t->slot[place];
}

struct idset *
idset_open(void)
{
	struct idset *s = xcalloc(1, sizeof *s);

	s->table[0] = xcalloc(1, sizeof *s->table[0]);
	return s;
}

/* The table for one more; the oldest's place once all are full. */
static struct table *
room(struct idset *s)
{
	struct table *t = s->table[s->newest];

	if (t->n < FULL)
		return t;
	s->newest = (s->newest + 1) % TABLES;
	free(s->table[s->newest]);
	return s->table[s->newest] = xcalloc(1, sizeof *t);
}

static bool
add_bytes(struct idset *s, const unsigned char bytes[BYTES])
{
	size_t place = place_of(bytes);
	struct table *t;

	for (size_t i = 0; i < TABLES; i++)
		if (s->table[i] != NULL && memcmp(find_slot(s->table[i], bytes, place), bytes, BYTES) == 0)
			return false;
	t = room(s);
	memcpy(find_slot(t, bytes, place), bytes, BYTES);
	t->n++;
	return true;
}

bool
idset_add(struct idset *s, struct str id)
{
	unsigned char bytes[BYTES];

	hex_read(bytes, (struct str){ id.p, 2 * sizeof bytes });
	return add_bytes(s, bytes);
}

/* Two hashes of 64 bits, eight bytes at a time; not against those who look for texts of one hash. */
bool
idset_add_text(struct idset *s, struct str text)
{
	uint64_t a = text.n ^ 0x9e3779b97f4a7c15, b = text.n ^ 0xc2b2ae3d27d4eb4f;
	unsigned char bytes[BYTES];

	for (size_t i = 0; i < text.n; i += 8) {
		uint64_t part = 0;

		memcpy(&part, text.p + i, text.n - i < 8 ? text.n - i : 8);
		a = (a ^ part) * 0xff51afd7ed558ccd;
		a ^= a >> 32;
		b = (b ^ part) * 0xc4ceb9fe1a85ec53;
		b ^= b >> 29;
	}
	memcpy(bytes, &a, 8);
	memcpy(bytes + 8, &b, 4);
	bytes[0] |= 1;                  /* all zeros are a free slot */
	return add_bytes(s, bytes);
}

void
idset_close(struct idset *s)
{
	for (size_t i = 0; i < TABLES; i++)
		free(s->table[i]);
	free(s);
}
