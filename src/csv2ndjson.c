/*
 * csv2ndjson - CSV to one JSON object a line.
 *
 * Every value is a string, since CSV has no types and guessing them is how 007 becomes 7.  An empty field is null and
 * a quoted empty one is "", which is what ndjson2csv makes of them on the way back.
 */
#include <stdlib.h>

#include "advice.h"
#include "base/buf.h"
#include "base/opt.h"
#include "base/scan.h"
#include "records/rows.h"

static struct rows_options reading = { ROWS_DEFAULTS, ROWS_ADVICE, .from = ROWS_CSV };

static const struct opt options[] = {
	OPT_ROWS_CHECKS(reading), /* --rejects, --max-rejects, --max-record, --nul */
	OPT_END
};
const struct tool tool = {
	.name = "csv2ndjson", .operands = "[file ...]", .options = options,
	.does = "Turn CSV with a header into NDJSON.",
};

/* What stands before each value, {"name": or ,"name": once made for all rows. */
struct prefixes {
	struct buf text;
	size_t *end;            /* in text, for each column */
	struct buf header;      /* the names that they were made of, each with a 0 behind */
};

/* With several files, the header may change from row to row. */
static bool
is_made_of(const struct prefixes *pre, const struct row *row)
{
	const char *p = pre->header.p, *end = p + pre->header.len;

	for (size_t i = 0; i < row->n; i++) {
		struct str name = row->f[i].name;

		if ((size_t)(end - p) <= name.n || memcmp(p, name.p, name.n) != 0 || p[name.n] != '\0')
			return false;
		p += name.n + 1;
	}
	return p == end;
}

static void
make_prefixes(struct prefixes *pre, const struct row *row)
{
	buf_reset(&pre->text);
	buf_reset(&pre->header);
	pre->end = xrealloc(pre->end, row->n, sizeof *pre->end);
	for (size_t i = 0; i < row->n; i++) {
		buf_char(&pre->text, i == 0 ? '{' : ',');
		buf_json(&pre->text, row->f[i].name);
		buf_char(&pre->text, ':');
		pre->end[i] = pre->text.len;
		buf_add(&pre->header, row->f[i].name.p, row->f[i].name.n);
		buf_char(&pre->header, '\0');
	}
}

static void
put_value(struct buf *b, struct str val)
{
	char *to = b->p + b->len;

	if (val.p == NULL) {
		memcpy(to, "null", 4);
		b->len += 4;
		return;
	}
	*to = '"';
	if (scan_copy_json(to + 1, val.p, val.p + val.n) == val.p + val.n) {
		to[val.n + 1] = '"';
		b->len += val.n + 2;
	} else {
		buf_json(b, val);
	}
}

static void
put_object(struct buf *b, const struct row *row, const struct prefixes *pre)
{
	size_t start = 0;

	for (size_t i = 0; i < row->n; i++) {
		size_t n = pre->end[i] - start;

		buf_room(b, n + row->f[i].val.n + 64);
		scan_copy(b->p + b->len, pre->text.p + start, n);
		b->len += n;
		put_value(b, row->f[i].val);
		start = pre->end[i];
	}
	buf_add(b, "}\n", 2);
}

int
main(int argc, char *argv[])
{
	char **files = opt_parse(argc, argv);
	bool one_header = files[0] == NULL || files[1] == NULL;

	struct rows *in = rows_open(files, &reading);
	struct rows_out *out = rows_stdout(in, ROWS_NDJSON);
	struct prefixes pre = { 0 };
	struct row *row;

	while ((row = rows_next(in)) != NULL) {
		if (pre.end == NULL || (!one_header && !is_made_of(&pre, row)))
			make_prefixes(&pre, row);
		put_object(rows_buf(out), row, &pre);
		rows_flush_some(out);
	}
	rows_finish(out);
	rows_close(in);
	free(pre.end);
	buf_free(&pre.text);
	buf_free(&pre.header);
	return EX_OK;
}
