/*
 * knack-format - raw Knack records become records with names and values for people.
 *
 * What a value becomes is knackpy's Record.format(), whose output many flows have behind them.  Where knackpy drops a
 * value, or fails on a record that is only odd, this says so and goes on: see knack/value.h and
 * the manual.
 */
#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <stdlib.h>
#include <wchar.h>
#include <wctype.h>

#include "advice.h"
#include "base/err.h"
#include "base/names.h"
#include "base/opt.h"
#include "format/zone.h"
#include "knack/app.h"
#include "knack/value.h"
#include "records/rows.h"

#define NAMED 1000              /* fields that are left out and named; more than any object has */

enum { KEYS_NAMES, KEYS_SNAKE, KEYS_KEYS };
enum { SAME_FAIL, SAME_LAST, SAME_KEY };
static const char *const key_words[] = { "names", "lower_snake", "keys", NULL };
static const char *const same_words[] = { "fail", "last", "key", NULL };

static const char *metadata, *object_option, *view_option, *timezone_option, *raw_option;
static long long keys, same_name;
static bool expand, keep_unknown;
static struct rows_options reading = { ROWS_DEFAULTS, ROWS_ADVICE, .from = ROWS_NDJSON };
static long long out_format;

static const struct opt options[] = {
	OPT_STRING('m', "metadata", "FILE", &metadata,
	    "the application's metadata, from knack-fetch"),
	OPT_STRING(0, "object", "OBJECT", &object_option, "all fields of this object: object_12"),
	OPT_NO_LETTER('O', "object"),
	OPT_STRING('V', "view", "VIEW", &view_option, "the columns of this view: view_197"),
	OPT_CHOICE(0, "keys", "HOW", &keys, key_words,
	    "names, lower_snake or keys (such as field_7)"),
	OPT_NO_LETTER('k', "keys"),
	OPT_CHOICE(0, "same-name", "HOW", &same_name, same_words,
	    "of two fields of one name: fail, last or key"),
	OPT_STRING(0, "raw", "FIELDS", &raw_option,
	    "field_7,field_9 (or all) keep Knack's raw value"),
	OPT_NO_LETTER('r', "raw"),
	OPT_FLAG('x', "expand", &expand, "a column for each part of an address or a name"),
	OPT_STRING(0, "zone", "NAME", &timezone_option,
	    "the application's time zone (else its own)"),
	OPT_RENAMED("timezone", "zone"),
	OPT_FLAG(0, "keep-unknown", &keep_unknown, "other fields of a record stay in it as they are"),
	OPT_ROWS_OUT(out_format),
	OPT_ROWS_CHECKS(reading),
	OPT_END
};
const struct tool tool = {
	.name = "knack-format", .operands = "[file ...]", .options = options,
	.does = "Give raw Knack records the names and values that people know.",
};

/* A column of the output. */
struct column {
	struct str name, key;           /* "Stop ID", field_7; both NUL-terminated */
	const struct knack_field *field;        /* NULL: the record's id */
	const struct knack_type *type;
	const char *part;               /* of an address or a name; NULL: all of it */
	bool raw, many;
};

/* What the record at hand has for a field. */
struct cell { struct knack_value value; unsigned long long record; };

struct format {
	struct knack_app *app;
	const struct knack_view *view;
	bool grows;                     /* the fields are those that records have: one that comes up is chosen */
	struct names members;           /* of records: field i at 2i, its raw value at 2i + 1, "id" after all */
	bool *chosen, *raw, *seen;      /* by field; seen: a record had it */
	struct column *column;
	size_t columns;
	struct names names;             /* of the columns, at the same places */
	struct cell *cell;              /* by field, and the id's after them */
	unsigned long long record;      /* the number of the one at hand */
	struct field *kept;             /* its unknown fields, for --keep-unknown */
	size_t n_kept, kept_cap;
	struct buf made;                /* its values, one behind the other */
	struct field *out;              /* what is put of it: the columns, then what is kept */
	size_t out_cap;
	bool header;                    /* the columns of CSV are settled */
	struct rows_out *to;
	struct names said;              /* fields that were spoken of */
};

/* ---- which fields ---- */

static size_t
place_of(const struct format *f, const struct knack_field *field)
{
	return (size_t)(field - f->app->field);
}

static void
choose_object(struct format *f)
{
	const struct knack_object *object = knack_object(f->app, str_of(object_option));

	if (object == NULL)
		die(EX_CONFIG, "--object %s: %s has no such object: want one such as %s", object_option, metadata,
		    f->app->objects > 0 ? f->app->object[0].key.p : "object_1");
	for (size_t i = 0; i < object->fields; i++)
		f->chosen[place_of(f, &object->field[i])] = true;
}

/* Forms and details have no columns: what they show is what their records have. */
static void
choose_view(struct format *f)
{
	f->view = knack_view(f->app, str_of(view_option));
	if (f->view == NULL)
		die(EX_CONFIG, "--view %s: %s has no such view", view_option, metadata);
	for (size_t i = 0; i < f->view->columns; i++)
		f->chosen[place_of(f, f->view->column[i])] = true;
	f->grows = f->view->columns == 0;
}

static void
choose_raw(struct format *f)
{
	struct words list;

	if (raw_option == NULL)
		return;
	list = opt_split(raw_option);
	for (size_t i = 0; i < list.n; i++) {
		const struct knack_field *field = knack_field(f->app, str_of(list.w[i]));

		if (field == NULL && strcmp(list.w[i], "all") != 0)
			die(EX_CONFIG, "--raw %s: %s has no such field: want a key such as field_7", list.w[i], metadata);
		for (size_t j = 0; j < f->app->fields; j++)
			f->raw[j] = f->raw[j] || field == NULL || j == place_of(f, field);
	}
	free(list.w[0]);
	free(list.w);
}

static void
name_members(struct format *f)
{
	struct buf raw = { 0 };

	for (size_t i = 0; i < f->app->fields; i++) {
		struct str key = f->app->field[i].key;

		buf_reset(&raw);
		buf_str(&raw, key);
		buf_text(&raw, "_raw");
		if (names_add(&f->members, key) != 2 * i || names_add(&f->members, buf_all(&raw)) != 2 * i + 1)
			die(EX_DATAERR, "%s: the key %s is that of another field, or of its raw value", metadata, key.p);
	}
	if (names_add(&f->members, STR("id")) != 2 * f->app->fields)
		die(EX_DATAERR, "%s: a field has the key id", metadata);
	buf_free(&raw);
}

static struct format
make_format(void)
{
	struct format f = { .app = knack_app_read(metadata, METADATA_WRITER) };
	size_t n = f.app->fields;

	f.chosen = xcalloc(n, sizeof *f.chosen);
	f.raw = xcalloc(n, sizeof *f.raw);
	f.seen = xcalloc(n, sizeof *f.seen);
	f.cell = xcalloc(n + 1, sizeof *f.cell);
	name_members(&f);
	choose_raw(&f);
	if (object_option != NULL)
		choose_object(&f);
	else if (view_option != NULL)
		choose_view(&f);
	else
		f.grows = true;
	return f;
}

/* ---- columns ---- */

/* True the first time that this field is spoken of. */
static bool
say_once(struct format *f, struct str key)
{
	if (f->said.n > NAMED || names_find(&f->said, key, 0) != NAMES_NONE)
		return false;
	names_add(&f->said, key);
	if (f->said.n > NAMED)
		warning("over %d fields are left out: no more of them are named", NAMED);
	return f->said.n <= NAMED;
}

/* Lower case with _ for space and -, as the Austin services name columns.  Letters of any alphabet. */
static void
add_snake(struct buf *to, struct str name)
{
	static locale_t letters;
	locale_t before;
	wchar_t c;

	if (letters == (locale_t)0 && (letters = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0)) == (locale_t)0)
		die_errno(errno == ENOMEM ? EX_OSERR : EX_CONFIG, "locale C.UTF-8, by which --keys lower_snake knows letters");
	before = uselocale(letters);
	for (const char *p = name.p, *end = p + name.n; p < end;) {
		int n = mbtowc(&c, p, (size_t)(end - p));

		buf_room(to, MB_LEN_MAX);
		if (n < 1) {
			buf_char(to, *p++);     /* a NUL */
			continue;
		}
		to->len += (size_t)wctomb(to->p + to->len, c == L' ' || c == L'-' ? L'_' : (wchar_t)towlower((wint_t)c));
		p += n;
	}
	uselocale(before);
}

/* What the column is called.  The record's own id keeps its name from a field called so. */
static void
add_name(struct buf *b, const struct column *c)
{
	struct buf name = { 0 };

	if (c->field == NULL) {
		buf_text(b, "id");
		return;
	}
	buf_str(&name, keys == KEYS_KEYS ? c->key : c->field->name);
	if (c->part != NULL)
		buf_fmt(&name, "_%s", c->part);
	if (keys == KEYS_SNAKE)
		add_snake(b, buf_all(&name));
	else
		buf_str(b, buf_all(&name));
	buf_free(&name);
	if (str_eq(buf_all(b), STR("id"))) {
		buf_reset(b);
		buf_text(b, "_id");
	}
}

/* What came before goes out: without --object, only a later record may have the second of two fields. */
static _Noreturn void
die_of_same_name(struct format *f, const struct column *a, const struct column *b, const char *name, const char *advice)
{
	rows_flush(f->to);
	die(EX_DATAERR, "%s and %s are both \"%s\": %s", a->key.p, b->key.p, name, advice);
}

/* The column's name is that of another one before it.  Returns where it goes. */
static size_t
settle_same_name(struct format *f, struct column *c, size_t place, struct buf *name)
{
	const struct column *other = &f->column[place];

	if (same_name == SAME_FAIL)
		die_of_same_name(f, other, c, name->p, "see --same-name");
	if (same_name == SAME_LAST) {
		if (say_once(f, other->key))
			warning("%s and %s are both \"%s\": %s is left out", other->key.p, c->key.p, name->p, other->key.p);
		return place;
	}
	buf_fmt(name, keys == KEYS_SNAKE ? "_%s" : " (%s)", c->key.p);
	place = names_add(&f->names, buf_all(name));
	if (place != f->columns)
		die_of_same_name(f, &f->column[place], c, name->p, "rename one in Knack");
	return place;
}

static void
add_column(struct format *f, struct column c)
{
	struct buf name = { 0 };
	size_t place;

	add_name(&name, &c);
	place = names_add(&f->names, buf_all(&name));
	if (place != f->columns)
		place = settle_same_name(f, &c, place, &name);
	buf_free(&name);
	c.name = f->names.name[place];
	if (place == f->columns) {
		f->columns++;
		f->column = xrealloc(f->column, f->columns, sizeof *f->column);
	}
	f->column[place] = c;
}

/* Anew for the fields that are chosen, in the order of the metadata. */
static void
make_columns(struct format *f)
{
	names_free(&f->names);
	f->columns = 0;
	add_column(f, (struct column){ .key = STR("id"), .type = knack_type(STR("id")) });
	for (size_t i = 0; i < f->app->fields; i++) {
		const struct knack_field *field = &f->app->field[i];
		struct column c = { .key = field->key, .field = field, .type = knack_type(field->type), .raw = f->raw[i] };
		const char *const *part = expand && !c.raw ? knack_type_parts(c.type) : NULL;

		if (!f->chosen[i])
			continue;
		c.many = f->view != NULL && field->object != f->view->object;
		if (part == NULL)
			add_column(f, c);
		for (; part != NULL && *part != NULL; part++) {
			c.part = *part;
			add_column(f, c);
		}
	}
}

/* ---- a record in ---- */

static struct knack_value *
value_at(struct format *f, size_t i)
{
	struct cell *cell = &f->cell[i];

	if (cell->record != f->record)
		*cell = (struct cell){ .record = f->record };
	return &cell->value;
}

/* Puts the member into the record as it is, or says that it is left out.  FIELD: what the metadata have for it, or NULL. */
static void
keep_or_say(struct format *f, const struct field *member, const struct knack_field *field)
{
	struct str key = field != NULL ? field->key : member->name;

	if (keep_unknown) {
		if (f->n_kept == f->kept_cap) {
			f->kept_cap = f->kept_cap == 0 ? 16 : f->kept_cap * 2;
			f->kept = xrealloc(f->kept, f->kept_cap, sizeof *f->kept);
		}
		f->kept[f->n_kept++] = *member;
		return;
	}
	if (field == NULL && key.n > 4 && memcmp(key.p + key.n - 4, "_raw", 4) == 0)
		key.n -= 4;
	if (!say_once(f, key))
		return;
	if (field != NULL)
		warning("%s, which is \"%s\" of %s, is not in %s: left out: see --keep-unknown", key.p, field->name.p,
		    field->object->key.p, object_option != NULL ? object_option : view_option);
	else
		warning("%.*s is not in %s: left out: see --keep-unknown", (int)key.n, key.p, metadata);
}

/* Sorts the record's members into the cells of their fields.  False when it is bad, and dealt with. */
static bool
take_members(struct format *f, struct rows *in, const struct row *row)
{
	bool grown = f->columns == 0;

	f->record++;
	f->n_kept = 0;
	for (size_t i = 0; i < row->n; i++) {
		size_t place = names_find(&f->members, row->f[i].name, i), at = place / 2;
		bool is_field = place != NAMES_NONE && at < f->app->fields;
		struct knack_value *value;

		if (place == NAMES_NONE || (is_field && !f->chosen[at] && !f->grows)) {
			keep_or_say(f, &row->f[i], is_field ? &f->app->field[at] : NULL);
			continue;
		}
		if (is_field && !f->chosen[at] && f->header) {
			rows_reject(in, row->f[i].name, "no column, since the first record did not have it: see --object and --view");
			return false;
		}
		if (is_field) {
			grown = grown || !f->chosen[at];
			f->chosen[at] = f->seen[at] = true;
		}
		value = value_at(f, at);
		if (is_field && place % 2 == 1) {
			value->raw = row->f[i].val;
			value->has_raw = true;
		} else {
			value->shown = row->f[i].val;
		}
	}
	if (grown)
		make_columns(f);
	return true;
}

/* ---- a record out ---- */

/* Appends the column's value; returns what is wrong with it, or NULL. */
static const char *
put_value(struct format *f, const struct column *c)
{
	const struct knack_value *value = value_at(f, c->field != NULL ? place_of(f, c->field) : f->app->fields);
	struct str raw;

	if (c->part != NULL)
		return knack_value_part(&f->made, value, c->part);
	if (c->field != NULL && !c->raw)
		return knack_value_text(&f->made, c->type, value, c->many);
	raw = knack_value_raw(value);
	buf_str(&f->made, raw);
	if (c->field == NULL && (raw.n == 0 || *raw.p != '"'))
		return "no id: is it a record of Knack? see json-explode for pages of them";
	return NULL;
}

/* Values are lengths as long as the buffer may move; then they get their places. */
static void
settle_values(struct format *f)
{
	const char *p = f->made.p;

	for (size_t i = 0; i < f->columns; i++) {
		if (f->out[i].val.n > 0) {
			f->out[i].val.p = p;
			p += f->out[i].val.n;
		}
	}
}

static bool
make_values(struct format *f, struct rows *in)
{
	buf_reset(&f->made);
	for (size_t i = 0; i < f->columns; i++) {
		const struct column *c = &f->column[i];
		size_t start = f->made.len;
		const char *why = put_value(f, c);

		if (why != NULL && c->field == NULL) {
			rows_reject(in, c->name, "%s", why);
			return false;
		}
		if (why != NULL) {
			rows_reject(in, c->field->name, "%s: %s", c->key.p, why);
			return false;
		}
		f->out[i] = (struct field){ c->name, { NULL, f->made.len - start }, true };
	}
	settle_values(f);
	return true;
}

static bool
add_kept(struct format *f, struct rows *in)
{
	for (size_t i = 0; i < f->n_kept; i++) {
		if (names_find(&f->names, f->kept[i].name, 0) != NAMES_NONE) {
			rows_reject(in, f->kept[i].name, "an unknown field with the name of a column");
			return false;
		}
		f->out[f->columns + i] = f->kept[i];
	}
	return true;
}

static void
put_record(struct format *f, struct rows *in)
{
	size_t n = f->columns + f->n_kept;

	if (n > f->out_cap) {
		f->out_cap = 2 * n;
		f->out = xrealloc(f->out, f->out_cap, sizeof *f->out);
	}
	if (!make_values(f, in) || !add_kept(f, in))
		return;
	rows_put(f->to, &(struct row){ f->out, n });
	f->header = rows_out_format(f->to) == ROWS_CSV;
}

/* ---- the end ---- */

/* A field that no record had: its values are null, which is right only for what Knack keeps to itself. */
static void
say_unseen(const struct format *f)
{
	for (size_t i = 0; i < f->app->fields; i++) {
		const struct knack_field *field = &f->app->field[i];

		if (f->chosen[i] && !f->seen[i] && !str_eq(field->type, STR("password")))
			note("%s, \"%s\", was in no record: null: is %s older than the records?", field->key.p, field->name.p, metadata);
	}
}

static void
free_format(struct format *f)
{
	knack_app_free(f->app);
	names_free(&f->members);
	names_free(&f->names);
	names_free(&f->said);
	buf_free(&f->made);
	free(f->chosen);
	free(f->raw);
	free(f->seen);
	free(f->column);
	free(f->cell);
	free(f->kept);
	free(f->out);
}

static void
check_options(char **files)
{
	if (metadata == NULL)
		die(EX_USAGE, "no --metadata: want the file that knack-fetch --describe wrote");
	if (object_option != NULL && view_option != NULL)
		die(EX_USAGE, "--object and --view: choose one");
	if (strcmp(metadata, "-") == 0 && (files[0] == NULL || strcmp(files[0], "-") == 0))
		die(EX_USAGE, "--metadata -: standard input has the records: name a file");
}

int
main(int argc, char *argv[])
{
	char **files = opt_parse(argc, argv);
	struct format f;
	struct row *row;

	check_options(files);
	f = make_format();
	zone_use(knack_zone(f.app, timezone_option));
	struct rows *in = rows_open(files, &reading);

	f.to = rows_stdout(in, out_format);
	if (!f.grows)
		make_columns(&f);
	if (!f.grows && !keep_unknown) {
		rows_columns(f.to, f.names.name, f.names.n);
		f.header = true;
	}
	while ((row = rows_next(in)) != NULL)
		if (take_members(&f, in, row))
			put_record(&f, in);
	if (f.record > 0)
		say_unseen(&f);
	rows_finish(f.to);
	rows_close(in);
	free_format(&f);
	return EX_OK;
}
