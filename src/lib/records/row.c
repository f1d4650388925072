/* records/row.c - one record. */
#include "records/row.h"

#include "format/json.h"

struct str
field_text(const struct field *f, struct buf *scratch)
{
	return f->json && f->val.p != NULL ? json_text(f->val, scratch) : f->val;
}

struct field *
row_field(const struct row *row, struct str name)
{
	for (size_t i = row->n; i-- > 0;)
		if (str_eq(row->f[i].name, name))
			return &row->f[i];
	return NULL;
}

void
row_json(struct buf *b, const struct row *row)
{
	buf_char(b, '{');
	for (size_t i = 0; i < row->n; i++) {
		const struct field *f = &row->f[i];

		if (i > 0)
			buf_char(b, ',');
		buf_json(b, f->name);
		buf_char(b, ':');
		if (f->val.p == NULL)
			buf_add(b, "null", 4);
		else if (f->json)
			buf_str(b, f->val);
		else
			buf_json(b, f->val);
	}
	buf_char(b, '}');
}
