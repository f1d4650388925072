/* base/names.c - a list of names with their places: open addressing. */
#include "base/names.h"

#include <stdlib.h>

#include "base/hash.h"

struct names_slot { uint64_t hash; size_t place; };     /* place + 1; 0: free */

static struct names_slot *
slot_of(const struct names *ns, struct str name, uint64_t hash)
{
	for (size_t i = hash & (ns->slots - 1);; i = (i + 1) & (ns->slots - 1)) {
		struct names_slot *s = &ns->slot[i];

		if (s->place == 0 || (s->hash == hash && str_eq(ns->name[s->place - 1], name)))
			return s;
	}
}

static void
rehash(struct names *ns)
{
	ns->slots = ns->slots == 0 ? 32 : ns->slots * 2;
	free(ns->slot);
	ns->slot = xcalloc(ns->slots, sizeof *ns->slot);
	for (size_t i = 0; i < ns->n; i++) {
		uint64_t hash = hash_add(HASH_START, ns->name[i]);

		*slot_of(ns, ns->name[i], hash) = (struct names_slot){ hash, i + 1 };
	}
}

size_t
names_add(struct names *ns, struct str name)
{
	if (ns->n * 2 >= ns->slots)
		rehash(ns);

	uint64_t hash = hash_add(HASH_START, name);
	struct names_slot *s = slot_of(ns, name, hash);

	if (s->place == 0) {
		if (ns->n == ns->cap) {
			ns->cap = ns->cap == 0 ? 16 : ns->cap * 2;
			ns->name = xrealloc(ns->name, ns->cap, sizeof *ns->name);
		}
		ns->name[ns->n] = (struct str){ str_dup(name), name.n };
		*s = (struct names_slot){ hash, ++ns->n };
	}
	return s->place - 1;
}

static void
remember(struct names *ns, size_t hint, size_t place)
{
	if (hint >= ns->hints) {
		size_t more = hint < 64 ? 64 : hint * 2;

		if (hint > 65536)       /* no table is so wide: a record like that may hash each time */
			return;
		ns->hint = xrealloc(ns->hint, more, sizeof *ns->hint);
		while (ns->hints < more)
			ns->hint[ns->hints++] = NAMES_NONE;
	}
	ns->hint[hint] = place;
}

size_t
names_find(struct names *ns, struct str name, size_t hint)
{
	if (hint < ns->hints && ns->hint[hint] != NAMES_NONE && str_eq(ns->name[ns->hint[hint]], name))
		return ns->hint[hint];
	if (ns->slots == 0)
		return NAMES_NONE;

	struct names_slot *s = slot_of(ns, name, hash_add(HASH_START, name));

	if (s->place == 0)
		return NAMES_NONE;
	remember(ns, hint, s->place - 1);
	return s->place - 1;
}

void
names_free(struct names *ns)
{
	for (size_t i = 0; i < ns->n; i++)
		free((char *)ns->name[i].p);
	free(ns->name);
	free(ns->slot);
	free(ns->hint);
	*ns = (struct names){ 0 };
}
