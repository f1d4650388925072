/* pg/copy.c - records into a table by COPY, each value checked and encoded on this side. */
#include "pg/copy.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/names.h"
#include "format/json.h"
#include "pg/type.h"

#define CHUNK (32 << 10)        /* bytes a message: half of what a socket holds, so that the server never waits for us */
#define SHOWN 60                /* bytes of a bad value that a message quotes */
#define HEADER ((unsigned long long)-1)         /* as the number of a record: the names of CSV's columns */
#define NAMED 100               /* new names that are remembered, to name each once */

const char *const pgcopy_date_orders[] = { "iso", "auto", "mdy", "dmy", "ymd", NULL };  /* enum date_order */

struct column {
	const struct pg_column *col;
	const struct pgtype *type;      /* NULL: no encoder */
	const struct field *field;      /* of the record whose number is stamp */
	unsigned long long stamp;       /* 0: no record had it yet */
	bool loaded;                    /* not GENERATED */
	bool listed;                    /* in the COPY under way */
};

struct load {
	const struct pgcopy_job *job;
	struct names names;             /* of all columns, in the table's order; behind them, of fields that are left out */
	struct column *column;
	size_t n;
	size_t *list, listed;           /* columns of the COPY under way, by place */
	struct buf out;                 /* what goes to the server */
	struct buf scratch, mended, binary;
	unsigned long long record;      /* number of the one at hand */
	unsigned long long sent;        /* good ones, before the COPY under way */
	unsigned long long here;        /* good ones of the COPY under way */
	bool copying, is_binary, csv;
	struct pgcopy_counts count;
};

/* ---- the COPY ---- */

/* Dies of the server's refusal: "record 41: column "cd": ...". */
static _Noreturn void
die_copying(struct load *l, const PGresult *result)
{
	const char *context = result != NULL ? PQresultErrorField(result, PG_DIAG_CONTEXT) : NULL;
	const char *line = context != NULL ? strstr(context, ", line ") : NULL;
	const char *column = line != NULL ? strstr(line, ", column ") : NULL;
	struct buf where = { 0 };

	if (line != NULL) {
		buf_fmt(&where, "record %llu", l->sent + strtoull(line + strlen(", line "), NULL, 10));
		if (rows_counts(l->job->in).rejected > 0)
			buf_text(&where, " of the good ones");
	}
	if (column != NULL) {
		column += strlen(", column ");
		buf_fmt(&where, ": column \"%.*s\"", (int)strcspn(column, ":"), column);
	}
	pg_die(l->job->conn, result, where.p);
}

static void
end_copy(struct load *l)
{
	PGconn *conn = l->job->conn;
	PGresult *result;

	/* a failure to send is not the reason: the server's verdict is */
	PQputCopyEnd(conn, NULL);
	result = PQgetResult(conn);
	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		die_copying(l, result);
	l->count.written += strtoull(PQcmdTuples(result), NULL, 10);
	PQclear(result);
	while ((result = PQgetResult(conn)) != NULL)
		PQclear(result);
	l->sent += l->here;
	l->here = 0;
	l->copying = false;
}

/* An answer in the middle of a COPY is most likely a refusal: without a look we would go on sending for hours. */
static bool
server_speaks(PGconn *conn)
{
	struct pollfd p = { PQsocket(conn), POLLIN, 0 };

	return poll(&p, 1, 0) > 0;
}

/* A message need not end where a record does, so a large record goes in pieces. */
static void
send_out(struct load *l)
{
	for (size_t at = 0; at < l->out.len; at += CHUNK) {
		size_t n = l->out.len - at < CHUNK ? l->out.len - at : CHUNK;

		if (PQputCopyData(l->job->conn, l->out.p + at, (int)n) != 1)
			break;
	}
	l->out.len = 0;
}

static void
put16(struct buf *out, unsigned v)
{
	char b[2] = { (char)(v >> 8), (char)v };

	buf_add(out, b, 2);
}

static void
start_copy(struct load *l)
{
	static const char head[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0";  /* signature, flags, length of the extension */
	struct buf sql = { 0 };

	buf_fmt(&sql, "COPY %s (", l->job->into != NULL ? l->job->into : l->job->table->ident);
	l->is_binary = true;
	for (size_t i = 0; i < l->listed; i++) {
		buf_fmt(&sql, "%s%s", i > 0 ? ", " : "", l->column[l->list[i]].col->ident);
		l->is_binary = l->is_binary && l->column[l->list[i]].type != NULL;
	}
	buf_fmt(&sql, ") FROM STDIN (FORMAT %s)", l->is_binary ? "binary" : "text");
	PQclear(pg_copy_start(l->job->conn, sql.p));
	buf_free(&sql);
	if (l->is_binary)
		buf_add(&l->out, head, 19);
	l->copying = true;
}

static void
finish_copy(struct load *l)
{
	if (!l->copying)
		return;
	if (l->is_binary)
		put16(&l->out, 0xffff);
	send_out(l);
	end_copy(l);
}

/* ---- which columns ---- */

static void
read_table(struct load *l)
{
	const struct pg_table *t = l->job->table;

	names_free(&l->names);
	l->names = (struct names){ 0 };
	l->column = xrealloc(l->column, t->n + 1, sizeof *l->column);
	l->list = xrealloc(l->list, t->n + 1, sizeof *l->list);
	for (size_t i = 0; i < t->n; i++) {
		/* columns are only ever added at the end: what is known of the others stays */
		if (i >= l->n)
			l->column[i] = (struct column){ 0 };
		l->column[i].col = &t->col[i];
		l->column[i].type = pgtype_find(t->col[i].oid, t->col[i].kind);
		l->column[i].loaded = !t->col[i].generated && !t->col[i].always;
		names_add(&l->names, str_of(t->col[i].name));
	}
	l->n = t->n;
}

static void
add_name(struct buf *list, struct str name)
{
	if (list->len > 0)
		buf_text(list, ", ");
	buf_str(list, name);
}

/* Names of the row that the table lacks: adds them to it, or notes that they are left out, or puts them on FRESH. */
static void
meet_new(struct load *l, const struct row *row, struct buf *fresh)
{
	struct names found = { 0 };
	struct buf left_out = { 0 };

	for (size_t i = 0; i < row->n; i++)
		if (names_find(&l->names, row->f[i].name, i) == NAMES_NONE)
			names_add(&found, row->f[i].name);
	if (found.n > 0 && l->job->widen != NULL) {
		finish_copy(l);
		l->job->widen(l->job, found.name, found.n);
		read_table(l);
	} else if (!l->job->how.ignore_new) {
		for (size_t i = 0; i < found.n; i++)
			add_name(fresh, found.name[i]);
	} else {
		for (size_t i = 0; i < found.n && l->names.n < l->n + NAMED; i++) {
			names_add(&l->names, found.name[i]);
			add_name(&left_out, found.name[i]);
		}
		if (left_out.len > 0)
			note("new: %s: left out", left_out.p);
	}
	buf_free(&left_out);
	names_free(&found);
}

static _Noreturn void
die_of_columns(struct load *l, const struct buf *gone, const struct buf *fresh)
{
	bool both = gone->len > 0 && fresh->len > 0;

	die(EX_DATAERR, "%s: columns are not those of %s: %s%s%s%s%s: %s", rows_where(l->job->in), l->job->table->name,
	    gone->len > 0 ? "gone: " : "", gone->len > 0 ? gone->p : "", both ? "; " : "",
	    fresh->len > 0 ? "new: " : "", fresh->len > 0 ? fresh->p : "",
	    l->job->fixed ? (fresh->len > 0 ? "see --ignore-new" : "load such files by themselves") :
	    both ? "see --ignore-gone, --ignore-new, --add-columns" :
	    gone->len > 0 ? "see --ignore-gone" : "see --ignore-new, --add-columns");
}

/* Columns that no record had so far, and that nothing else fills. */
static void
list_gone(const struct load *l, struct buf *gone)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->column[i].loaded && l->column[i].stamp == 0 && !l->column[i].col->has_default)
			add_name(gone, str_of(l->column[i].col->name));
}

static void
note_generated(const struct load *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (!l->column[i].loaded && l->column[i].stamp != 0)
			note("column \"%s\" is generated: the server fills it", l->column[i].col->name);
}

static void
list_columns(struct load *l)
{
	l->listed = 0;
	for (size_t i = 0; i < l->n; i++) {
		struct column *c = &l->column[i];
		bool present = c->stamp == l->record;
		/* NDJSON: what a record lacks is mostly in another, so every column is listed that costs nothing */
		bool anyway = c->listed || (!l->csv && c->type != NULL);

		c->listed = c->loaded && (present || (anyway && !c->col->has_default));
		if (c->listed)
			l->list[l->listed++] = i;
	}
	if (l->listed == 0)
		die(EX_DATAERR, "%s: no column is one of %s", rows_where(l->job->in), l->job->table->name);
}

/* Compares the columns of CSV before the first record and starts the COPY, so that a file without a record is checked too, and
 * a right that lacks shows before a long wait for the first. */
static void
check_header(struct load *l)
{
	const struct row *header = rows_header(l->job->in);
	struct buf gone = { 0 }, fresh = { 0 };

	if (header == NULL)
		return;
	l->csv = true;
	l->record = HEADER;
	meet_new(l, header, &fresh);
	for (size_t i = 0; i < header->n; i++) {
		size_t at = names_find(&l->names, header->f[i].name, i);

		if (at < l->n)
			l->column[at].stamp = HEADER;
	}
	if (!l->job->lacking_is_fine)
		list_gone(l, &gone);
	if (gone.len > 0 || fresh.len > 0)
		die_of_columns(l, &gone, &fresh);
	note_generated(l);
	list_columns(l);
	start_copy(l);
	l->record = 0;
}

/* The record has other columns than the COPY under way. */
static void
change_columns(struct load *l)
{
	if (l->copying && l->csv && l->job->fixed)
		die(EX_DATAERR, "%s: this file has other columns than the one before: load it by itself", rows_where(l->job->in));
	finish_copy(l);
	list_columns(l);
}

static void
lacks_column(struct load *l, const struct column *c)
{
	struct buf gone = { 0 }, fresh = { 0 };

	if (l->job->lacking_is_fine && !l->job->fixed)
		return;
	add_name(&gone, str_of(c->col->name));
	die_of_columns(l, &gone, &fresh);
}

/* Puts each field at its column.  Of a key that comes twice the last counts, as in jq. */
static void
place_fields(struct load *l, const struct row *row)
{
	bool change = !l->copying;
	struct buf fresh = { 0 }, gone = { 0 };

	l->csv = rows_format(l->job->in) == ROWS_CSV;
	for (size_t i = 0; i < row->n; i++) {
		size_t at = names_find(&l->names, row->f[i].name, i);

		if (at == NAMES_NONE) {
			if (l->job->how.ignore_new && l->names.n >= l->n + NAMED)
				continue;
			meet_new(l, row, &fresh);
			if (fresh.len > 0)
				die_of_columns(l, &gone, &fresh);
			at = names_find(&l->names, row->f[i].name, i);
		}
		if (at >= l->n)         /* left out */
			continue;
		l->column[at].field = &row->f[i];
		l->column[at].stamp = l->record;
		change = change || (!l->column[at].listed && l->column[at].loaded);
	}
	for (size_t i = 0; i < l->listed && !change; i++) {
		const struct column *c = &l->column[l->list[i]];

		if (c->stamp == l->record)
			continue;
		change = c->col->has_default;
		if (!change && l->csv)
			lacks_column(l, c);
	}
	if (change)
		change_columns(l);
	if (!l->copying)
		start_copy(l);
}

/* ---- values ---- */

/* Diverts the record, or dies, quoting the value. */
static void
refuse(struct load *l, const struct column *c, struct str value, const char *why)
{
	bool cut = value.n > SHOWN;
	/* the option helps only where none was given */
	bool helps = l->job->how.date_order == DATE_ISO && strstr(why, "ISO 8601") != NULL;
	const char *see = helps ? ": see --date-order" : "";

	if (cut)
		for (value.n = SHOWN; value.n > 0 && ((unsigned char)value.p[value.n] & 0xc0) == 0x80;)
			value.n--;
	if (*see != '\0')
		rows_reject(l->job->in, str_of(c->col->name), "\"%.*s%s\" %s%s", (int)value.n, value.p, cut ? "..." : "", why, see);
	else
		rows_reject(l->job->in, str_of(c->col->name), "\"%.*s%s\" %s (%s)", (int)value.n, value.p, cut ? "..." : "", why,
		    c->col->type);
}

static struct str
mend_nuls(struct load *l, struct str text)
{
	buf_reset(&l->mended);
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] != '\0')
			buf_char(&l->mended, text.p[i]);
		else if (l->count.nuls++, rows_options(l->job->in)->nul == ROWS_NUL_REPLACE)
			buf_text(&l->mended, "\xef\xbf\xbd");
	}
	return buf_all(&l->mended);
}

/* The text of a field, p NULL for null.  False: it holds what no column can, and the record is dealt with. */
static bool
take_text(struct load *l, const struct column *c, struct str *text)
{
	const struct field *f = c->field;
	bool raw = f->json && c->type != NULL && c->type->json;

	*text = raw ? f->val : field_text(f, &l->scratch);
	if (text->n == 0 && text->p != NULL && !(l->job->how.keep_empty && c->type != NULL && c->type->text))
		*text = (struct str){ 0 };
	/* only an escape can bring a NUL here: the reader has dealt with bare ones */
	if (text->p == NULL || text->p != l->scratch.p || memchr(text->p, '\0', text->n) == NULL)
		return true;
	if (rows_options(l->job->in)->nul == ROWS_NUL_REFUSE) {
		rows_reject(l->job->in, str_of(c->col->name), "\\u0000, which PostgreSQL can't hold: see --nul");
		return false;
	}
	*text = mend_nuls(l, *text);
	return true;
}

static void
put_escaped(struct buf *out, struct str text)
{
	for (size_t i = 0; i < text.n; i++) {
		switch (text.p[i]) {
		case '\\': buf_text(out, "\\\\"); break;
		case '\n': buf_text(out, "\\n"); break;
		case '\r': buf_text(out, "\\r"); break;
		case '\t': buf_text(out, "\\t"); break;
		default: buf_char(out, text.p[i]);
		}
	}
}

/* For COPY in text the value is encoded all the same, to be checked. */
static const char *
put_text_value(struct load *l, const struct column *c, const struct pgvalue *v)
{
	const char *why = NULL;

	buf_reset(&l->binary);
	if (c->type != NULL)
		why = c->type->encode(&l->binary, v);
	if (why != NULL)
		return why;
	if (c->type != NULL && c->type->date)
		pgtype_text(&l->out, c->type, buf_all(&l->binary));
	else
		put_escaped(&l->out, v->text);
	return NULL;
}

static const char *
put_binary_value(struct load *l, const struct column *c, const struct pgvalue *v)
{
	struct buf *out = &l->out;
	size_t at = out->len;

	buf_room(out, 4 + v->text.n);
	out->len += 4;

	const char *why = c->type->encode(out, v);
	uint32_t len = __builtin_bswap32((uint32_t)(out->len - at - 4));

	memcpy(out->p + at, &len, 4);
	return why;
}

static void
put_null(struct load *l)
{
	if (l->is_binary)
		buf_add(&l->out, "\377\377\377\377", 4);
	else
		buf_add(&l->out, "\\N", 2);
}

/* False: the record is bad and dealt with. */
static bool
put_value(struct load *l, const struct column *c)
{
	struct pgvalue v = { .typmod = c->col->typmod, .order = (enum date_order)l->job->how.date_order };

	if (c->stamp == l->record && !take_text(l, c, &v.text))
		return false;
	if (v.text.p == NULL) {
		if (c->col->not_null && !l->job->table->before_insert) {
			rows_reject(l->job->in, str_of(c->col->name), "no value, and the column needs one");
			return false;
		}
		put_null(l);
		return true;
	}

	const char *why = l->is_binary ? put_binary_value(l, c, &v) : put_text_value(l, c, &v);

	if (why != NULL)
		refuse(l, c, v.text, why);
	return why == NULL;
}

static bool
put_record(struct load *l)
{
	if (l->is_binary)
		put16(&l->out, (unsigned)l->listed);
	for (size_t i = 0; i < l->listed; i++) {
		if (!l->is_binary && i > 0)
			buf_char(&l->out, '\t');
		if (!put_value(l, &l->column[l->list[i]]))
			return false;
	}
	if (!l->is_binary)
		buf_char(&l->out, '\n');
	return true;
}

/* ---- all of it ---- */

static void
load_records(struct load *l)
{
	const struct row *row;

	while ((row = rows_next(l->job->in)) != NULL) {
		l->record++;
		place_fields(l, row);

		size_t mark = l->out.len;

		if (!put_record(l)) {
			l->out.len = mark;
			continue;
		}
		l->here++;
		if (l->out.len < CHUNK)
			continue;
		send_out(l);
		if (server_speaks(l->job->conn)) {
			finish_copy(l);         /* dies of a refusal; goes on after anything else */
			start_copy(l);
		}
	}
	finish_copy(l);
}

/* Of NDJSON it shows only at the end that no record had a column. */
static void
check_seen(struct load *l)
{
	struct buf gone = { 0 }, fresh = { 0 };

	if (l->record == 0 || l->csv)
		return;
	if (!l->job->lacking_is_fine)
		list_gone(l, &gone);
	if (gone.len > 0)
		die_of_columns(l, &gone, &fresh);
	note_generated(l);
}

struct pgcopy_counts
pgcopy(const struct pgcopy_job *job, bool *seen)
{
	struct load l = { .job = job };

	read_table(&l);
	check_header(&l);
	load_records(&l);
	check_seen(&l);
	for (size_t i = 0; i < l.n && seen != NULL; i++)
		seen[i] = l.column[i].loaded && l.column[i].stamp != 0;
	l.count.nuls += rows_counts(job->in).nuls;
	names_free(&l.names);
	buf_free(&l.out);
	buf_free(&l.scratch);
	buf_free(&l.mended);
	buf_free(&l.binary);
	free(l.column);
	free(l.list);
	return l.count;
}
