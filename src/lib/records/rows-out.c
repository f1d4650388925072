/* records/rows-out.c - records out: the writing half of rows.h. */
#include <stdlib.h>
#include <unistd.h>

#include "base/names.h"
#include "format/csv.h"
#include "records/output.h"
#include "records/rows.h"

struct rows_out {
	enum rows_format format;
	struct buf buf, scratch;
	struct names columns;           /* of CSV, once the header is written */
	const char *see_columns;        /* of the reader's options; or NULL */
	const struct field **cell;      /* the fields of one row, in the order of the columns */
};

/* What a reader that must wait does first, so that a slow source shows. */
static void
flush_waiting(void *out)
{
	rows_flush(out);
}

struct rows_out *
rows_stdout(struct rows *in, enum rows_format to)
{
	struct rows_out *out = xcalloc(1, sizeof *out);
	enum rows_format as_input = in != NULL ? rows_format(in) : ROWS_GUESS;

	out->format = to != ROWS_GUESS ? to : as_input == ROWS_CSV ? ROWS_CSV : ROWS_NDJSON;
	buf_room(&out->buf, 2 * WRITE_AT);
	if (in != NULL) {
		out->see_columns = rows_options(in)->see_columns;
		rows_before_wait(in, flush_waiting, out);
	}
	return out;
}

enum rows_format
rows_out_format(const struct rows_out *out)
{
	return out->format;
}

struct buf *
rows_buf(struct rows_out *out)
{
	return &out->buf;
}

void
rows_flush(struct rows_out *out)
{
	write_all(STDOUT_FILENO, "stdout", buf_all(&out->buf));
	buf_reset(&out->buf);
}

void
rows_flush_some(struct rows_out *out)
{
	if (out->buf.len >= WRITE_AT)
		rows_flush(out);
}

void
rows_columns(struct rows_out *out, const struct str *names, size_t n)
{
	if (out->format != ROWS_CSV)
		return;
	out->cell = xcalloc(n, sizeof *out->cell);
	for (size_t i = 0; i < n; i++) {
		if (names_add(&out->columns, names[i]) != i)
			die(EX_DATAERR, "column \"%.*s\" comes twice", (int)names[i].n, names[i].p);
		if (i > 0)
			buf_char(&out->buf, ',');
		csv_put(&out->buf, names[i]);
	}
	buf_char(&out->buf, '\n');
}

static void
columns_of_row(struct rows_out *out, const struct row *row)
{
	struct str *names = xcalloc(row->n, sizeof *names);

	for (size_t i = 0; i < row->n; i++)
		names[i] = row->f[i].name;
	rows_columns(out, names, row->n);
	free(names);
}

static void
put_csv(struct rows_out *out, const struct row *row)
{
	if (out->columns.n == 0)
		columns_of_row(out, row);
	memset(out->cell, 0, out->columns.n * sizeof *out->cell);
	for (size_t i = 0; i < row->n; i++) {
		struct str name = row->f[i].name;
		size_t place = names_find(&out->columns, name, i);

		if (place == NAMES_NONE)
			die(EX_DATAERR, "field \"%.*s\" is not in the header that the first record made%s%s",
			    (int)name.n, name.p, out->see_columns != NULL ? ": " : "",
			    out->see_columns != NULL ? out->see_columns : "");
		out->cell[place] = &row->f[i];
	}
	for (size_t i = 0; i < out->columns.n; i++) {
		if (i > 0)
			buf_char(&out->buf, ',');
		if (out->cell[i] != NULL)
			csv_put(&out->buf, field_text(out->cell[i], &out->scratch));
	}
	buf_char(&out->buf, '\n');
}

void
rows_put(struct rows_out *out, const struct row *row)
{
	if (out->format == ROWS_CSV) {
		put_csv(out, row);
	} else {
		row_json(&out->buf, row);
		buf_char(&out->buf, '\n');
	}
	rows_flush_some(out);
}

void
rows_put_raw(struct rows_out *out, struct str bytes)
{
	if (bytes.n >= WRITE_AT) {              /* a page of records: not worth a copy */
		rows_flush(out);
		write_all(STDOUT_FILENO, "stdout", bytes);
		return;
	}
	buf_str(&out->buf, bytes);
	rows_flush_some(out);
}

void
rows_finish(struct rows_out *out)
{
	rows_flush(out);
	if (close(STDOUT_FILENO) != 0)
		die_errno(EX_IOERR, "stdout");
	names_free(&out->columns);
	buf_free(&out->buf);
	buf_free(&out->scratch);
	free(out->cell);
	free(out);
}
