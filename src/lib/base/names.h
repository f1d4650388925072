/*
 * base/names.h - a list of names with their places: columns of a table, keys of a record.
 *
 * Records of one stream mostly have their fields in one order, so names_find() takes the place in the record as
 * a hint: a stream of like records costs one comparison a field and no hashing.
 */
#ifndef NAMES_H
#define NAMES_H

#include "base/buf.h"

#define NAMES_NONE ((size_t)-1)

struct names {
	struct str *name;               /* copies, NUL-terminated too; in the order they were added */
	size_t n, cap;
	struct names_slot *slot;        /* of names.c */
	size_t slots;
	size_t *hint, hints;
};

/* The place of the name, adding it if it is new. */
size_t names_add(struct names *, struct str name);
/* The place of the name, or NAMES_NONE.  HINT: where in its record the name stands, counted from 0. */
size_t names_find(struct names *, struct str name, size_t hint);
void names_free(struct names *);

#endif
