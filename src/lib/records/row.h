/*
 * records/row.h - one record: fields in the order they came, borrowed from whoever read them.
 */
#ifndef ROW_H
#define ROW_H

#include "base/buf.h"

struct field {
	struct str name, val;           /* val.p NULL: null */
	bool json;                      /* val is JSON as it came; else text */
};
struct row { struct field *f; size_t n; };

/* The value as text: a JSON string without quotes and escapes, anything else as it stands.  Points into the row or
 * into scratch.  p NULL for null. */
struct str field_text(const struct field *, struct buf *scratch);
/* The field, the last of that name; NULL when there is none. */
struct field *row_field(const struct row *, struct str name);
/* Appends the row as a JSON object. */
void row_json(struct buf *, const struct row *);

#endif
