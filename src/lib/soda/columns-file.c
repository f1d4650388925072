/*
 * soda/columns-file.c - columns of a dataset as records, written and read: the half of
 * soda/columns.h that asks no server.
 */
#include <stdlib.h>

#include "records/rows.h"
#include "soda/columns.h"

void
soda_columns_free(struct soda_columns *columns)
{
	free(columns->c);
	buf_free(&columns->metadata);
	*columns = (struct soda_columns){ 0 };
}

static struct str
with_quotes(struct str s)
{
	return (struct str){ s.p - 1, s.n + 2 };
}

void
soda_columns_put(const struct soda_columns *columns, enum rows_format to)
{
	static const struct str names[] = { { "name", 4 }, { "type", 4 }, { "position", 8 }, { "title", 5 } };
	struct rows_out *out = rows_stdout(NULL, to);

	rows_columns(out, names, 4);
	for (size_t i = 0; i < columns->n; i++) {
		const struct soda_column *c = &columns->c[i];
		struct field f[] = { { names[0], with_quotes(c->name), true }, { names[1], with_quotes(c->type), true },
			{ names[2], c->position, true }, { names[3], c->title, true } };

		rows_put(out, &(struct row){ f, 4 });
	}
	rows_finish(out);
}

static struct str
text_of(const struct row *row, const char *name, struct buf *scratch)
{
	const struct field *f = row_field(row, str_of(name));

	return f != NULL ? field_text(f, scratch) : (struct str){ NULL, 0 };
}

/* Points each name and type into the text, where they stand one behind the other. */
static void
settle(struct soda_columns *columns)
{
	const char *p = columns->metadata.p;

	for (size_t i = 0; i < columns->n; i++) {
		columns->c[i].name.p = p;
		columns->c[i].type.p = p += columns->c[i].name.n;
		p += columns->c[i].type.n;
	}
}

static void
read_columns(struct soda_columns *columns, struct rows *in, const char *writer)
{
	struct buf scratch[2] = { { 0 }, { 0 } };
	struct row *row;

	while ((row = rows_next(in)) != NULL) {
		struct str name = text_of(row, "name", &scratch[0]), type = text_of(row, "type", &scratch[1]);

		if (name.p == NULL || type.p == NULL)
			die(EX_DATAERR, "%s: no \"%s\": want the output of %s", rows_where(in),
			    name.p == NULL ? "name" : "type", writer);
		columns->c = xrealloc(columns->c, columns->n + 1, sizeof *columns->c);
		columns->c[columns->n++] = (struct soda_column){ .name = { NULL, name.n }, .type = { NULL, type.n } };
		buf_str(&columns->metadata, name);
		buf_str(&columns->metadata, type);
	}
	settle(columns);
	buf_free(&scratch[0]);
	buf_free(&scratch[1]);
}

struct soda_columns
soda_columns_read(const struct soda_columns_file *file)
{
	struct soda_columns columns = { 0 };
	struct rows *in = rows_open((char *[]){ (char *)file->name, NULL }, file->reading);

	read_columns(&columns, in, file->writer);
	rows_close(in);
	return columns;
}

/* The place of the name; n where it is not there. */
static size_t
find(const struct soda_columns *columns, struct str name)
{
	size_t i = 0;

	while (i < columns->n && !str_eq(name, columns->c[i].name))
		i++;
	return i;
}

static void
add_name(struct buf *list, const char *intro, struct str name)
{
	buf_fmt(list, "%s%.*s", list->len > 0 ? ", " : intro, (int)name.n, name.p);
}

/* "gone: a, b; new: c; retyped: d from text to number"; nothing where they are the same. */
static void
add_differences(struct buf *b, const struct soda_columns *now, const struct soda_columns *before)
{
	struct buf lists[3] = { { 0 }, { 0 }, { 0 } }, *gone = &lists[0], *fresh = &lists[1], *retyped = &lists[2];

	for (size_t i = 0; i < before->n; i++) {
		struct str name = before->c[i].name, type = before->c[i].type;
		size_t at = find(now, name);

		if (at == now->n) {
			add_name(gone, "gone: ", name);
		} else if (!str_eq(type, now->c[at].type)) {
			add_name(retyped, "retyped: ", name);
			buf_fmt(retyped, " from %.*s to %.*s", (int)type.n, type.p, (int)now->c[at].type.n, now->c[at].type.p);
		}
	}
	for (size_t i = 0; i < now->n; i++)
		if (find(before, now->c[i].name) == before->n)
			add_name(fresh, "new: ", now->c[i].name);
	for (size_t i = 0; i < 3; i++) {
		if (lists[i].len > 0)
			buf_fmt(b, "%s%s", b->len > 0 ? "; " : "", lists[i].p);
		buf_free(&lists[i]);
	}
}

void
soda_columns_expect(const struct soda_columns *columns, const struct soda_columns_file *file)
{
	struct soda_columns before = soda_columns_read(file);
	struct buf differences = { 0 };

	add_differences(&differences, columns, &before);
	soda_columns_free(&before);
	if (differences.len > 0)
		die(EX_DATAERR, "columns are not those of %s: %s", file->name, differences.p);
}
