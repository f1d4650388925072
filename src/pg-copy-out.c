/*
 * pg-copy-out - write a Postgres table or the rows of a query as records.
 *
 * The server makes the records, CSV or JSON, and COPY carries them: nothing is parsed here.  The transaction is read-only.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/opt.h"
#include "base/progress.h"
#include "pg/table.h"
#include "records/rows.h"

#define LOCK_WAIT 60.0          /* seconds: someone else's ALTER TABLE is done by then, or is no matter of minutes */

static const char *query;
static long long out_format;
static struct pg_options db = { PG_DEFAULTS };

static const struct opt options[] = {
	OPT_STRING(0, "query", "SQL", &query, "the rows of this query, in place of a table"),
	OPT_NO_LETTER('q', "query"),
	OPT_ROWS_OUT(out_format),
	OPT_PG(db),
	OPT_END
};
const struct tool tool = {
	.name = "pg-copy-out", .operands = "TABLE | --query SQL", .options = options,
	.does = "Write a Postgres table or the rows of a query as records.",
};

/* Appends the query without a semicolon at its end, which is habit; inside COPY it is an error. */
static void
add_query(struct buf *sql, const char *text)
{
	size_t n = strlen(text);

	while (n > 0 && strchr("; \t\r\n", text[n - 1]) != NULL)
		n--;
	if (n == 0)
		die(EX_USAGE, "--query: there is nothing in it");
	buf_add(sql, text, n);
}

static void
start_copy(PGconn *conn, const char *name)
{
	struct buf sql = { 0 };
	struct pg_table table = { 0 };

	buf_text(&sql, out_format == ROWS_CSV ? "COPY (" : "COPY (SELECT row_to_json(q) FROM (");
	if (query != NULL) {
		add_query(&sql, query);
	} else {
		pg_table_need(conn, name, "is the schema in its name?", &table);
		buf_fmt(&sql, "SELECT * FROM %s", table.ident);
	}
	/* a line of its own: the query may end in a comment */
	buf_text(&sql, out_format == ROWS_CSV ? "\n) TO STDOUT (FORMAT csv, HEADER)" : "\n) q) TO STDOUT");

	PGresult *r = pg_copy_start(conn, sql.p);

	if (PQresultStatus(r) != PGRES_COPY_OUT)
		die(EX_CONFIG, "--query: it gives no rows");
	PQclear(r);
	pg_table_free(&table);
	buf_free(&sql);
}

/* Undoes what COPY's text format does to a value: JSON has backslashes of its own, so they come doubled.  A line break
 * can only be white space between two tokens of a json column, and must not end the record. */
static void
put_unescaped(struct buf *out, const char *p, const char *end)
{
	const char *slash;

	while ((slash = memchr(p, '\\', (size_t)(end - p))) != NULL && slash + 1 < end) {
		buf_add(out, p, (size_t)(slash - p));
		buf_char(out, slash[1] == '\\' ? '\\' : ' ');
		p = slash + 2;
	}
	buf_add(out, p, (size_t)(end - p));
}

static void
put_rows(PGconn *conn, struct rows_out *out)
{
	char *data;
	int n;

	while ((n = PQgetCopyData(conn, &data, 0)) > 0) {
		if (out_format == ROWS_CSV)
			buf_add(rows_buf(out), data, (size_t)n);
		else
			put_unescaped(rows_buf(out), data, data + n);
		PQfreemem(data);
		rows_flush_some(out);
		progress_add(1, 0);
		progress_check();
	}

	/* it can still fail here: then what was written is not all of it */
	PGresult *r = PQgetResult(conn);

	if (n == -2 || PQresultStatus(r) != PGRES_COMMAND_OK) {
		rows_flush(out);
		pg_die(conn, r, "the output is not complete");
	}
	PQclear(r);
	while ((r = PQgetResult(conn)) != NULL)
		PQclear(r);
}

/* What a value looks like is no matter of the environment (PGDATESTYLE, PGOPTIONS) or of the role. */
static void
fix_output_formats(PGconn *conn)
{
	PQclear(pg_query(conn, "SELECT set_config('DateStyle', 'ISO', true), set_config('IntervalStyle', 'postgres', true),"
	    " set_config('bytea_output', 'hex', true), set_config('extra_float_digits', '3', true)", 0, NULL));
}

int
main(int argc, char *argv[])
{
	char **operands = opt_parse(argc, argv);

	if ((operands[0] != NULL) == (query != NULL))
		die(EX_USAGE, query != NULL ? "a TABLE or --query, not both" : "no TABLE and no --query: say what to write");
	if (operands[0] != NULL && operands[1] != NULL)
		die(EX_USAGE, "%s: one TABLE at a time", operands[1]);

	PGconn *conn = pg_open(&db);
	struct rows_out *out = rows_stdout(NULL, out_format);

	pg_begin(conn, LOCK_WAIT);
	pg_run(conn, "SET TRANSACTION READ ONLY");
	fix_output_formats(conn);
	start_copy(conn, operands[0]);
	put_rows(conn, out);
	rows_finish(out);
	pg_close(conn);
	return EX_OK;
}
