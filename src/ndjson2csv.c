/*
 * ndjson2csv - JSON objects, one a line, to CSV.
 *
 * CSV wants its columns first.  Where --columns does not say them, they are the keys of a first window of records,
 * which is held; a key that is new after that is a bad record, since dropping it in silence is how a load loses
 * a column for months.
 */
#include <stdlib.h>

#include "advice.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/names.h"
#include "base/opt.h"
#include "base/scan.h"
#include "format/csv.h"
#include "format/json.h"
#include "records/rows.h"

/* The window: enough to see the fields that sources leave out when empty, little enough to be held at once. */
#define WINDOW_RECORDS 1000
#define WINDOW_BYTES (1 << 20)

static const char *columns_list;
static bool ignore_new, strict;
static struct rows_options reading = { ROWS_DEFAULTS, ROWS_ADVICE, .from = ROWS_NDJSON };

static const struct opt options[] = {
	OPT_STRING('c', "columns", "A,B,...", &columns_list, "these columns, in this order"),
	OPT_FLAG(0, "ignore-new", &ignore_new, "leave out fields that come up later"),
	OPT_FLAG(0, "strict", &strict, "a record with a key twice is a bad one"),
	OPT_NO_LETTER('s', "strict"),
	OPT_ROWS_CHECKS(reading), /* --rejects, --max-rejects, --max-record, --nul */
	OPT_END
};
const struct tool tool = {
	.name = "ndjson2csv", .operands = "[file ...]", .options = options,
	.does = "Turn NDJSON into CSV with a header.",
};

struct table {
	struct names columns;
	bool open;                      /* the window: a new name is a new column */
	struct str *cell;               /* a record's values by column, as JSON; p NULL: none */
	unsigned long long *seen;       /* the number of the last record that had the column */
	size_t cap;
	unsigned long long record;
	struct names ignored;           /* what --ignore-new left out */
	unsigned long long *times;
	size_t times_cap;
	struct buf scratch;
};

/* The records of the window: their values one behind the other in text, and which column each is of. */
struct value { size_t column, n; };
struct window {
	struct buf text;
	struct value *value;
	size_t n, cap;
	size_t end[WINDOW_RECORDS];     /* of each record, in value */
	size_t records;
};

static void
add_room(struct table *t)
{
	size_t cap = t->cap == 0 ? 64 : t->cap * 2;

	if (t->columns.n <= t->cap)
		return;
	while (cap < t->columns.n)
		cap *= 2;
	t->cell = xrealloc(t->cell, cap, sizeof *t->cell);
	t->seen = xrealloc(t->seen, cap, sizeof *t->seen);
	memset(t->seen + t->cap, 0, (cap - t->cap) * sizeof *t->seen);
	t->cap = cap;
}

static void
count_ignored(struct table *t, struct str name)
{
	size_t place = names_add(&t->ignored, name);

	if (place >= t->times_cap) {
		size_t cap = place * 2 + 16;

		t->times = xrealloc(t->times, cap, sizeof *t->times);
		memset(t->times + t->times_cap, 0, (cap - t->times_cap) * sizeof *t->times);
		t->times_cap = cap;
	}
	t->times[place]++;
}

/* Puts the row's values into their cells; false when the row was bad and is dealt with. */
static bool
place_fields(struct table *t, struct rows *in, const struct row *row)
{
	t->record++;
	for (size_t i = 0; i < row->n; i++) {
		const struct field *f = &row->f[i];
		size_t place = names_find(&t->columns, f->name, i);

		if (place == NAMES_NONE && t->open) {
			place = names_add(&t->columns, f->name);
			add_room(t);
		} else if (place == NAMES_NONE && (columns_list != NULL || ignore_new)) {
			if (columns_list == NULL)
				count_ignored(t, f->name);
			continue;
		} else if (place == NAMES_NONE) {
			rows_reject(in, f->name, "no column, since it was in none of the first records: name it in --columns, or leave it out with --ignore-new");
			return false;
		}
		if (t->seen[place] == t->record) {
			if (strict) {
				rows_reject(in, f->name, "the key comes twice");
				return false;
			}
			if (opt_verbose())
				note("%s: \"%.*s\" comes twice: the last one wins", rows_where(in), (int)f->name.n, f->name.p);
		}
		t->seen[place] = t->record;
		t->cell[place] = f->val;
	}
	return true;
}

/* A value, given as JSON: strings without quotes and escapes, all else as it stands. */
static void
put_value(struct table *t, struct buf *b, struct str json)
{
	struct str text = { json.p + 1, json.n - 2 };
	char *to;

	if (json.p[0] != '"') {
		if (json.p[0] == '{' || json.p[0] == '[')
			csv_put(b, json);
		else
			buf_str(b, json);
		return;
	}
	/* Without a backslash there is neither a quote nor a line end in it. */
	buf_room(b, text.n + 64);
	to = b->p + b->len;
	if (text.n > 0 && text.p[0] != ' ' && text.p[text.n - 1] != ' ' &&
	    scan_copy_any(to, text.p, text.p + text.n, ',', '\\', '\\') == text.p + text.n) {
		b->len += text.n;
		return;
	}
	csv_put(b, json_text(json, &t->scratch));
}

/* One line of the cells that this record has set. */
static void
put_line(struct table *t, struct buf *b)
{
	for (size_t i = 0; i < t->columns.n; i++) {
		if (i > 0)
			buf_char(b, ',');
		if (t->seen[i] == t->record && t->cell[i].p != NULL)
			put_value(t, b, t->cell[i]);
	}
	buf_char(b, '\n');
}

static void
hold_record(struct window *w, const struct table *t)
{
	for (size_t i = 0; i < t->columns.n; i++) {
		if (t->seen[i] != t->record || t->cell[i].p == NULL)
			continue;
		if (w->n == w->cap) {
			w->cap = w->cap == 0 ? 1024 : w->cap * 2;
			w->value = xrealloc(w->value, w->cap, sizeof *w->value);
		}
		w->value[w->n++] = (struct value){ i, t->cell[i].n };
		buf_str(&w->text, t->cell[i]);
	}
	w->end[w->records++] = w->n;
}

/* The window is over: now the columns are known, so the header and what was held go out. */
static void
put_window(struct window *w, struct table *t, struct rows_out *out)
{
	const char *p = w->text.p;

	t->open = false;
	if (w->records > 0 && t->columns.n == 0)
		die(EX_DATAERR, "no record so far has a field: say --columns");
	if (t->columns.n > 0)
		rows_columns(out, t->columns.name, t->columns.n);
	for (size_t r = 0, v = 0; r < w->records; r++) {
		t->record++;
		for (; v < w->end[r]; v++) {
			t->cell[w->value[v].column] = (struct str){ p, w->value[v].n };
			t->seen[w->value[v].column] = t->record;
			p += w->value[v].n;
		}
		put_line(t, rows_buf(out));
		rows_flush_some(out);
	}
	free(w->value);
	buf_free(&w->text);
	*w = (struct window){ 0 };
}

static void
name_columns(struct table *t)
{
	struct words list;

	t->open = columns_list == NULL;
	if (t->open)
		return;
	if (ignore_new)
		die(EX_USAGE, "--ignore-new: --columns leaves all others out already");
	list = opt_split(columns_list);
	for (size_t i = 0; i < list.n; i++) {
		if (list.w[i][0] == '\0')
			die(EX_USAGE, "--columns %s: an empty name", columns_list);
		if (names_add(&t->columns, str_of(list.w[i])) != i)
			die(EX_USAGE, "--columns: \"%s\" comes twice", list.w[i]);
	}
	free(list.w[0]);
	free(list.w);
	add_room(t);
}

static void
say_ignored(const struct table *t)
{
	for (size_t i = 0; i < t->ignored.n; i++)
		warning("left out: \"%s\", in %llu records", t->ignored.name[i].p, t->times[i]);
}

static void
free_table(struct table *t)
{
	names_free(&t->columns);
	names_free(&t->ignored);
	buf_free(&t->scratch);
	free(t->cell);
	free(t->seen);
	free(t->times);
}

int
main(int argc, char *argv[])
{
	static struct window window;
	char **files = opt_parse(argc, argv);
	struct table t = { 0 };
	struct row *row;

	name_columns(&t);
	struct rows *in = rows_open(files, &reading);
	struct rows_out *out = rows_stdout(in, ROWS_CSV);

	if (!t.open)
		rows_columns(out, t.columns.name, t.columns.n);
	while ((row = rows_next(in)) != NULL) {
		if (!place_fields(&t, in, row))
			continue;
		if (!t.open) {
			put_line(&t, rows_buf(out));
			rows_flush_some(out);
			continue;
		}
		hold_record(&window, &t);
		if (window.records == WINDOW_RECORDS || window.text.len >= WINDOW_BYTES)
			put_window(&window, &t, out);
	}
	if (t.open)
		put_window(&window, &t, out);
	say_ignored(&t);
	rows_finish(out);
	rows_close(in);
	free_table(&t);
	return EX_OK;
}
