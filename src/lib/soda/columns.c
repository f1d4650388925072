/* soda/columns.c - the columns of a Socrata dataset, as its metadata have them. */
#include "soda/columns.h"

#include <stdlib.h>

#include "format/json.h"

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

/* The name of the column whose id is that of the row identifier, which old metadata also have as a name. */
static struct str
find_key(struct str metadata)
{
	struct buf scratch[2] = { { 0 }, { 0 } };
	struct str wanted = json_get(metadata, "rowIdentifierColumnId"), key = { 0 };

	if (wanted.p == NULL)
		wanted = json_get(metadata, "metadata.rowIdentifier");
	wanted = json_text(wanted, &scratch[0]);
	for (struct json_walk w = json_walk(json_get(metadata, "columns")); wanted.n > 0 && json_next(&w);) {
		struct str name = json_get(w.value, "fieldName"), id = json_text(json_get(w.value, "id"), &scratch[1]);

		if (json_is_string(name) && (str_eq(id, wanted) || str_eq(without_quotes(name), wanted)))
			key = without_quotes(name);
	}
	buf_free(&scratch[0]);
	buf_free(&scratch[1]);
	return key;
}

static void
add_column(struct soda_columns *columns, struct soda_column column)
{
	columns->c = xrealloc(columns->c, columns->n + 1, sizeof *columns->c);
	columns->c[columns->n++] = column;
}

struct soda_columns
soda_columns_of(struct soda *soda, bool hidden)
{
	struct soda_columns columns = { 0 };

	soda_metadata(soda, &columns.metadata);

	const char *end = columns.metadata.p + columns.metadata.len, *p = json_space(columns.metadata.p, end);
	struct json_walk w = json_walk(json_get((struct str){ p, end - p }, "columns"));

	while (json_next(&w)) {
		struct str name = json_get(w.value, "fieldName"), type = json_get(w.value, "dataTypeName");

		if (!json_is_string(name) || !json_is_string(type))
			die(EX_PROTOCOL, "the metadata have a column without fieldName or dataTypeName");
		if (name.p[1] == ':' || (!hidden && has_flag(json_get(w.value, "flags"), STR("\"hidden\""))))
			continue;
		add_column(&columns, (struct soda_column){ without_quotes(name), without_quotes(type),
			json_get(w.value, "position"), json_get(w.value, "name") });
	}
	columns.key = find_key((struct str){ p, end - p });
	return columns;
}
