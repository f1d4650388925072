/*
 * soda-shape - records become records that a Socrata dataset takes.
 *
 * The dataset's columns decide, not the first record: each field that no column has the name of is named once and counted,
 * since a field that falls out in silence is how a public dataset goes stale.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "advice.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/names.h"
#include "base/opt.h"
#include "format/zone.h"
#include "records/rows.h"
#include "soda/columns.h"
#include "soda/value.h"

#define MOST_NAMES 10000        /* different fields; more than that are data in the place of names */

static const char *columns_file, *stamp, *timezone_option;
static struct words locations, points;
static bool strict;
static struct rows_options reading = { ROWS_DEFAULTS, ROWS_ADVICE };
static long long out_format;

static const struct opt options[] = {
	OPT_STRING(0, "schema", "FILE", &columns_file, "the dataset's columns, from soda-fetch"),
	OPT_NO_LETTER('c', "schema"),
	OPT_RENAMED("columns", "schema"),
	OPT_LIST(0, "location", "FIELD", &locations, "this field is a place; may be repeated"),
	OPT_NO_LETTER('l', "location"),
	OPT_LIST(0, "point", "COLUMN=LON,LAT", &points,
	    "make the column of two fields; repeat for more"),
	OPT_NO_LETTER('p', "point"),
	OPT_STRING(0, "stamp", "COLUMN", &stamp, "a column that gets the time of this run"),
	OPT_NO_LETTER('s', "stamp"),
	OPT_STRING(0, "zone", "NAME", &timezone_option, "the time zone of --stamp (UTC)"),
	OPT_RENAMED("timezone", "zone"),
	OPT_FLAG(0, "strict", &strict, "a field that the dataset lacks makes a bad record"),
	OPT_ROWS_IN(reading),
	OPT_ROWS_OUT(out_format),
	OPT_END
};
const struct tool tool = {
	.name = "soda-shape", .operands = "[file ...]", .options = options,
	.does = "Give records the columns, types and dates that a Socrata dataset takes.",
};

struct column {
	struct str name;
	const struct soda_kind *kind;
	unsigned long long record;      /* the last one that had it, counted from 1 */
	size_t field, place;            /* there: which of the names, and where in the row that goes out */
	struct buf value;
};

/* A name that was met in the input. */
struct met { size_t column; unsigned long long dropped; bool used; };   /* column NAMES_NONE: the dataset has none */

/* --point: a column of two fields */
struct pair { size_t column; struct str longitude, latitude; };

struct shape {
	struct soda_columns dataset;
	struct names by_name;           /* of the columns */
	struct column *column;
	struct names names;             /* of fields */
	struct met *met;
	size_t mets;
	struct pair *pair;
	struct field *field;            /* the row that goes out */
	size_t n;
	unsigned long long records;
	struct buf now, lower, scratch[2];
};

static size_t
column_of(struct shape *s, const char *option, struct str name)
{
	size_t i = names_find(&s->by_name, name, 0);

	if (i == NAMES_NONE)
		die(EX_CONFIG, "%s %.*s: the dataset has no such column: see %s", option, (int)name.n, name.p, columns_file);
	return i;
}

/* As the services before us had it: lower case, and _ for a space or a dash; nothing else is changed. */
static struct str
lower_snake(struct buf *b, struct str name)
{
	buf_reset(b);
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		buf_char(b, c == ' ' || c == '-' ? '_' : c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
	}
	return buf_all(b);
}

static void
parse_points(struct shape *s)
{
	s->pair = xcalloc(points.n + 1, sizeof *s->pair);
	for (size_t i = 0; i < points.n; i++) {
		const char *arg = points.w[i], *eq = strchr(arg, '='), *comma = eq != NULL ? strchr(eq, ',') : NULL;

		if (comma == NULL || eq == arg || comma == eq + 1 || comma[1] == '\0')
			die(EX_USAGE, "--point %s: want COLUMN=LONGITUDE,LATITUDE", arg);
		s->pair[i].column = column_of(s, "--point", (struct str){ arg, (size_t)(eq - arg) });
		s->pair[i].longitude = (struct str){ eq + 1, (size_t)(comma - eq - 1) };
		s->pair[i].latitude = str_of(comma + 1);
		if (!soda_kind_is_place(s->column[s->pair[i].column].kind))
			die(EX_CONFIG, "--point %s: the column is no place", arg);
	}
}

static void
make_stamp(struct shape *s)
{
	struct moment m;

	if (stamp == NULL)
		return;
	zone_use(timezone_option != NULL ? timezone_option : "UTC");
	column_of(s, "--stamp", str_of(stamp));
	zone_from_instant(&m, ((int64_t)time(NULL) - UNIX_2000) * 1000000);
	m.has_time = true;
	m.usec = 0;
	date_put_iso(&s->now, &m);
}

static void
open_shape(struct shape *s)
{
	s->dataset = soda_columns_read(COLUMNS_FILE(columns_file));
	s->column = xcalloc(s->dataset.n + 1, sizeof *s->column);
	for (size_t i = 0; i < s->dataset.n; i++) {
		struct str name = s->dataset.c[i].name;

		if (names_add(&s->by_name, name) != i)
			die(EX_DATAERR, "%s: column %.*s comes twice", columns_file, (int)name.n, name.p);
		s->column[i].name = name;
		s->column[i].kind = soda_kind_of(s->dataset.c[i].type);
	}
	for (size_t i = 0; i < locations.n; i++)
		if (!soda_kind_is_place(s->column[column_of(s, "--location", lower_snake(&s->lower, str_of(locations.w[i])))].kind))
			die(EX_CONFIG, "--location %s: the column is no point, multipoint or location", locations.w[i]);
	parse_points(s);
	make_stamp(s);
	/* each column once, and a pair or stamp that comes besides */
	s->field = xcalloc(s->dataset.n + 1, sizeof *s->field);
}

/* What is to be done with a field of that name. */
static size_t
meet(struct shape *s, struct str name, size_t hint)
{
	size_t i = names_find(&s->names, name, hint);

	if (i != NAMES_NONE)
		return i;
	i = names_add(&s->names, name);
	if (i >= MOST_NAMES)
		die(EX_DATAERR, "more than %d different fields: are there data in the place of names?", MOST_NAMES);
	if (i >= s->mets) {
		s->mets = s->mets > 0 ? 2 * s->mets : 64;
		s->met = xrealloc(s->met, s->mets, sizeof *s->met);
	}
	s->met[i] = (struct met){ .column = names_find(&s->by_name, lower_snake(&s->lower, name), hint) };
	for (size_t p = 0; p < points.n; p++)
		s->met[i].used = s->met[i].used || str_eq(name, s->pair[p].longitude) || str_eq(name, s->pair[p].latitude);
	return i;
}

/* The field of the row that goes out which is this column's; new, unless the record had the column already. */
static struct field *
place_for(struct shape *s, struct column *c, size_t name)
{
	if (c->record != s->records) {
		c->place = s->n++;
		c->record = s->records;
		c->field = name;
	} else if (c->field != name) {
		return NULL;
	}
	s->field[c->place].name = c->name;
	return &s->field[c->place];
}

/* False when the record was bad, and is dealt with. */
static bool
shape_field(struct shape *s, struct rows *in, const struct field *f, size_t at)
{
	size_t name = meet(s, f->name, at);
	struct met *met = &s->met[name];
	struct column *c;
	struct field *to;
	const char *why;

	if (met->column == NAMES_NONE) {
		if (!met->used && strict)
			rows_reject(in, f->name, "the dataset has no such column");
		else if (!met->used)
			met->dropped++;
		return met->used || !strict;
	}
	c = &s->column[met->column];
	if ((to = place_for(s, c, name)) == NULL) {
		rows_reject(in, f->name, "the fields %.*s and %.*s are both column %.*s", (int)s->names.name[c->field].n,
		    s->names.name[c->field].p, (int)f->name.n, f->name.p, (int)c->name.n, c->name.p);
		return false;
	}
	if ((why = soda_value(c->kind, f, to, &c->value)) != NULL) {
		struct str shown = field_text(f, &s->scratch[0]);

		rows_reject(in, f->name, "\"%.*s\" %s", shown.n > 80 ? 80 : (int)shown.n, shown.p, why);
		return false;
	}
	return true;
}

static struct str
text_of(const struct row *row, struct str name, struct buf *scratch)
{
	const struct field *f = row_field(row, name);

	return f != NULL ? field_text(f, scratch) : (struct str){ NULL, 0 };
}

static bool
shape_pair(struct shape *s, struct rows *in, const struct row *row, const struct pair *pair)
{
	struct column *c = &s->column[pair->column];
	struct field *to = place_for(s, c, NAMES_NONE);
	const char *why = to == NULL ? "comes from --point, but is a field, too" :
	    soda_place(c->kind, text_of(row, pair->longitude, &s->scratch[0]), text_of(row, pair->latitude, &s->scratch[1]), to, &c->value);

	if (why != NULL)
		rows_reject(in, c->name, "%.*s %s", (int)c->name.n, c->name.p, why);
	return why == NULL;
}

static void
add_stamp(struct shape *s)
{
	struct column *c = &s->column[names_find(&s->by_name, str_of(stamp), 0)];
	struct field now = { .val = { s->now.p, 19 } }; /* the wall clock, without its zone */
	struct field *to = place_for(s, c, c->record == s->records ? c->field : NAMES_NONE);

	soda_value(c->kind, &now, to, &c->value);
}

static bool
shape_row(struct shape *s, struct rows *in, const struct row *row)
{
	s->n = 0;
	s->records++;
	for (size_t i = 0; i < row->n; i++)
		if (!shape_field(s, in, &row->f[i], i))
			return false;
	for (size_t i = 0; i < points.n; i++)
		if (!shape_pair(s, in, row, &s->pair[i]))
			return false;
	if (s->n == 0) {
		rows_reject(in, (struct str){ NULL, 0 }, "none of its fields is a column of the dataset");
		return false;
	}
	if (stamp != NULL)
		add_stamp(s);
	return true;
}

/* Once for each name, at the end, when their numbers are known. */
static void
name_dropped(const struct shape *s)
{
	for (size_t i = 0; i < s->names.n; i++)
		if (s->met[i].dropped > 0)
			note("dropped: the dataset has no column %.*s (%llu of %llu records)", (int)s->names.name[i].n,
			    s->names.name[i].p, s->met[i].dropped, s->records);
}

static void
close_shape(struct shape *s)
{
	for (size_t i = 0; i < s->dataset.n; i++)
		buf_free(&s->column[i].value);
	soda_columns_free(&s->dataset);
	names_free(&s->by_name);
	names_free(&s->names);
	free(s->column);
	free(s->met);
	free(s->pair);
	free(s->field);
	buf_free(&s->now);
	buf_free(&s->lower);
	buf_free(&s->scratch[0]);
	buf_free(&s->scratch[1]);
}

int
main(int argc, char *argv[])
{
	char **files = opt_parse(argc, argv);
	struct shape s = { 0 };
	struct rows_out *out;
	struct rows *in;
	struct row *row;

	if (columns_file == NULL)
		die(EX_USAGE,
		    "no --schema: say what the dataset has, as soda-fetch --describe writes it");
	if (timezone_option != NULL && stamp == NULL)
		die(EX_USAGE, "--zone is that of --stamp, which is not there");
	open_shape(&s);
	in = rows_open(files, &reading);
	out = rows_stdout(in, out_format);
	if (rows_out_format(out) == ROWS_CSV)
		rows_columns(out, s.by_name.name, s.by_name.n);
	while ((row = rows_next(in)) != NULL)
		if (shape_row(&s, in, row))
			rows_put(out, &(struct row){ s.field, s.n });
	rows_finish(out);
	rows_close(in);
	name_dropped(&s);
	close_shape(&s);
	return EX_OK;
}
