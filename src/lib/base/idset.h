/*
 * base/idset.h - which ids came before, in bounded memory.
 *
 * An id is 24 hex digits, kept as its 12 bytes.  The newest 800,000 at least are remembered, in 15 MiB at most that are
 * taken only as they fill; older ones are forgotten, so that memory stays bounded whatever the number.
 */
#ifndef IDSET_H
#define IDSET_H

#include <stdbool.h>

#include "base/buf.h"

struct idset;

struct idset *idset_open(void);
/* True if it is new; false if it came before. */
bool idset_add(struct idset *, struct str id);
/* The same for an id of any other kind, kept as 96 bits of its hash.  Not both kinds in one set. */
bool idset_add_text(struct idset *, struct str text);
void idset_close(struct idset *);

#endif
