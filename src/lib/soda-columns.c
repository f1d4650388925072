/* soda-columns.c - the columns of a Socrata dataset, as its metadata have them. */
#include "lib/soda-columns.h"

#include <stdlib.h>

#include "lib/json.h"
#include "lib/rows.h"

static bool
has_flag(struct str flags, struct str flag)
{
	struct json_walk w = json_walk(flags);
	bool found = false;

	while (flags.p != NULL && json_next(&w))
		found = found || str_eq(w.value, flag);
	return found;
}

static struct str
without_quotes(struct str json)
{
	return (struct str){ json.p + 1, json.n - 2 };
}

static struct str
with_quotes(struct str s)
{
	return (struct str){ s.p - 1, s.n + 2 };
}

struct soda_columns
soda_columns_of(struct soda *soda)
{
	struct soda_columns columns = { 0 };

	soda_metadata(soda, &columns.metadata);

	const char *end = columns.metadata.p + columns.metadata.len, *p = json_space(columns.metadata.p, end);
	struct json_walk w = json_walk(json_get((struct str){ p, end - p }, "columns"));

	while (json_next(&w)) {
		struct str name = json_get(w.value, "fieldName"), type = json_get(w.value, "dataTypeName");

		if (!json_is_string(name) || !json_is_string(type))
			die(EX_PROTOCOL, "the metadata have a column without fieldName or dataTypeName");
		if (name.p[1] == ':' || has_flag(json_get(w.value, "flags"), STR("\"hidden\"")))
			continue;
		columns.c = xrealloc(columns.c, columns.n + 1, sizeof *columns.c);
		columns.c[columns.n++] = (struct soda_column){ without_quotes(name), without_quotes(type),
			json_get(w.value, "position"), json_get(w.value, "name") };
	}
	return columns;
}

void
soda_columns_free(struct soda_columns *columns)
{
	free(columns->c);
	buf_free(&columns->metadata);
	*columns = (struct soda_columns){ 0 };
}

void
soda_columns_put(const struct soda_columns *columns)
{
	static const struct str names[] = { { "name", 4 }, { "type", 4 }, { "position", 8 }, { "title", 5 } };
	struct rows_out *out = rows_stdout(NULL);

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
text_of(const struct row *row, const char *name, struct rows *in, struct buf *scratch)
{
	const struct field *f = row_field(row, str_of(name));
	struct str text = f != NULL ? field_text(f, scratch) : (struct str){ NULL, 0 };

	if (text.p == NULL)
		die(EX_DATAERR, "%s: no \"%s\": want the output of soda-fetch --columns", rows_where(in), name);
	return text;
}

static void
add_name(struct buf *list, const char *intro, struct str name)
{
	buf_fmt(list, "%s%.*s", list->len > 0 ? ", " : intro, (int)name.n, name.p);
}

/* "gone: a, b; new: c; retyped: d from text to number"; nothing where they are the same. */
static void
add_differences(struct buf *b, const struct soda_columns *columns, struct rows *in)
{
	struct buf lists[3] = { { 0 }, { 0 }, { 0 } }, *gone = &lists[0], *fresh = &lists[1], *retyped = &lists[2];
	struct buf scratch[2] = { { 0 }, { 0 } };
	bool *seen = xcalloc(columns->n + 1, sizeof *seen);
	const struct soda_column *c = columns->c;
	struct row *row;

	while ((row = rows_next(in)) != NULL) {
		struct str name = text_of(row, "name", in, &scratch[0]), type = text_of(row, "type", in, &scratch[1]);
		size_t i = 0;

		while (i < columns->n && !str_eq(name, c[i].name))
			i++;
		seen[i] = true;
		if (i == columns->n) {
			add_name(gone, "gone: ", name);
		} else if (!str_eq(type, c[i].type)) {
			add_name(retyped, "retyped: ", name);
			buf_fmt(retyped, " from %.*s to %.*s", (int)type.n, type.p, (int)c[i].type.n, c[i].type.p);
		}
	}
	for (size_t i = 0; i < columns->n; i++)
		if (!seen[i])
			add_name(fresh, "new: ", c[i].name);
	for (size_t i = 0; i < 3; i++) {
		if (lists[i].len > 0)
			buf_fmt(b, "%s%s", b->len > 0 ? "; " : "", lists[i].p);
		buf_free(&lists[i]);
	}
	for (size_t i = 0; i < 2; i++)
		buf_free(&scratch[i]);
	free(seen);
}

void
soda_columns_expect(const struct soda_columns *columns, const char *file)
{
	struct rows *in = rows_open((char *[]){ (char *)file, NULL });
	struct buf differences = { 0 };

	add_differences(&differences, columns, in);
	rows_close(in);
	if (differences.len > 0)
		die(EX_DATAERR, "columns are not those of %s: %s", file, differences.p);
}
