/*
 * mds/schedule-set.c - writes what became of blocks into their rows: all records in one
 * transaction, or none.
 */
#include <stdlib.h>

#include "format/json.h"
#include "mds/claimer.h"
#include "mds/schedule.h"
#include "records/receipt.h"

enum kind { STATE, COUNT, TEXT, FLAG };

static const struct settable { const char *name; enum kind kind; } settable[] = {
	{ "status_id", STATE }, { "payload", TEXT }, { "message", TEXT }, { "records_processed", COUNT }, { "records_total", COUNT },
	{ "payload_trips_count", COUNT }, { "records_error_count", COUNT }, { "trips_outside", COUNT },
	{ "trips_duplicate", COUNT }, { "error_payload", TEXT }, { "rerun_flag", FLAG }, { "socrata_status", TEXT },
};
#define SETTABLE (sizeof settable / sizeof *settable)

/* One record: its values as text, to be bound; NULL is SQL's. */
struct change { char *id, *claim, *value[SETTABLE]; bool given[SETTABLE]; };

static void
change_free(struct change *c)
{
	free(c->id);
	free(c->claim);
	for (size_t i = 0; i < SETTABLE; i++)
		free(c->value[i]);
	*c = (struct change){ 0 };
}

static const struct settable *
find_settable(struct str name)
{
	for (size_t i = 0; i < SETTABLE; i++)
		if (str_eq(name, str_of(settable[i].name)))
			return &settable[i];
	return NULL;
}

/* 18 digits at most, so that what is left to the server is whether the column holds it. */
static bool
is_number(const char *text)
{
	size_t sign = *text == '-', n = strspn(text + sign, "0123456789");

	return n > 0 && n <= 18 && text[sign + n] == '\0';
}

/* What is wrong with a value, which may hold ids of trips and is not quoted; NULL: nothing. */
static const char *
check_value(const struct settable *to, const char *text)
{
	switch (to->kind) {
	case STATE:
		return text != NULL && is_number(text) && schedule_is_state(atol(text)) ? NULL : "is no status";
	case COUNT:
		return text == NULL || is_number(text) ? NULL : "is no whole number";
	case FLAG:
		return text == NULL || strcmp(text, "true") == 0 || strcmp(text, "false") == 0 ? NULL : "is neither true nor false";
	default:
		return NULL;
	}
}

/* A column of an older table may be JSON: text that is none becomes a string of it. */
static char *
as_json(char *text)
{
	struct buf b = { 0 };

	if (json_check(str_of(text), &b, NULL).p == NULL) {
		buf_reset(&b);
		buf_json(&b, str_of(text));
	}
	free(text);
	return buf_take(&b);
}

/* The text of a field.  Caller frees.  NULL for null, and with *why set where it can't be taken. */
static char *
take_text(const struct field *f, struct buf *scratch, const char **why)
{
	struct str text = field_text(f, scratch);

	*why = NULL;
	if (text.p == NULL)
		return NULL;
	if (memchr(text.p, '\0', text.n) != NULL) {
		*why = "holds a NUL, which Postgres has no place for";
		return NULL;
	}
	return str_dup(text);
}

/* Takes one field into the change, or rejects the row, which ends the run. */
static void
take_field(struct schedule *s, struct rows *in, const struct field *f, struct change *c, struct buf *scratch)
{
	const struct settable *to = find_settable(f->name);
	bool see_manual = false;
	const char *why;
	char *text = take_text(f, scratch, &why);

	if (str_eq(f->name, STR("schedule_id"))) {
		free(c->id);
		c->id = text;
		why = text != NULL && is_number(text) ? NULL : "is no id of a block";
	} else if (str_eq(f->name, STR("claim"))) {
		free(c->claim);
		c->claim = text;
		why = text != NULL ? why : "is null: leave it out to set a block whoever has claimed it";
	} else if (to == NULL) {
		free(text);
		why = "is nothing that set knows";
		see_manual = true;
	} else {
		size_t i = (size_t)(to - settable);
		const struct pg_column *column = pg_table_column(&s->columns, f->name);

		if (why == NULL) {
			why = check_value(to, text);
			see_manual = to->kind == STATE;
		}
		if (text != NULL && strncmp(column->kind, "json", 4) == 0)
			text = as_json(text);
		free(c->value[i]);
		c->value[i] = text;
		c->given[i] = true;
	}
	if (why != NULL && see_manual)
		rows_reject(in, f->name, "%s: see %s(1)", why, tool.name);
	else if (why != NULL)
		rows_reject(in, f->name, "%s", why);
}

/* Why no row was changed: dies. */
static _Noreturn void
explain(struct schedule *s, const char *where, const struct change *c)
{
	struct buf sql = { 0 }, who = { 0 };

	buf_fmt(&sql, "SELECT to_char(s.date, 'FMYYYY-FMMM-FMDD-FMHH24'), p.provider_name, s.claimed_by, s.claim IS NULL"
	    " FROM %s s LEFT JOIN %s p ON p.id = s.provider_id WHERE s.schedule_id = $1", s->blocks, s->provider);

	PGresult *r = pg_query(s->conn, sql.p, 1, (const char *const[]){ c->id });

	if (PQntuples(r) == 0)
		die(EX_DATAERR, "%s: no block %s: seed it: nothing was changed", where, c->id);
	if (PQgetvalue(r, 0, 3)[0] == 't')
		die(EX_TEMPFAIL, "%s: block %s of %s is not claimed any more: nothing was changed, claim it again", where, PQgetvalue(r, 0, 0),
		    PQgetvalue(r, 0, 1));
	claimer_name(&who, PQgetvalue(r, 0, 2));
	die(EX_TEMPFAIL, "%s: block %s of %s was taken over by %s: nothing was changed", where, PQgetvalue(r, 0, 0), PQgetvalue(r, 0, 1), who.p);
}

static void
apply(struct schedule *s, const char *where, const struct change *c, bool release)
{
	struct schedule_values values = { 0 };
	struct buf sql = { 0 };

	buf_fmt(&sql, "UPDATE %s SET updated_at = now()", s->blocks);
	for (size_t i = 0; i < SETTABLE; i++)
		if (c->given[i])
			buf_fmt(&sql, ", %s = $%d", settable[i].name, schedule_bind(&values, c->value[i]));
	if (release)
		buf_text(&sql, ", claim = NULL, claimed_by = NULL, claimed_at = NULL");
	else if (c->claim != NULL)
		buf_text(&sql, ", claimed_at = now()"); /* a word of its claimer, from which --stale counts */
	buf_fmt(&sql, " WHERE schedule_id = $%d", schedule_bind(&values, c->id));
	if (c->claim != NULL)
		buf_fmt(&sql, " AND claim = $%d", schedule_bind(&values, c->claim));

	PGresult *r = pg_query(s->conn, sql.p, values.n, values.v);

	if (strcmp(PQcmdTuples(r), "0") == 0)
		explain(s, where, c);
	PQclear(r);
	buf_free(&sql);
}

void
schedule_set(struct schedule *s, char **files, const struct rows_options *reading, bool release)
{
	struct rows *in = rows_open(files, reading);
	struct buf scratch = { 0 };
	unsigned long long updated = 0;
	struct change change = { 0 };
	struct row *row;

	schedule_begin(s, false);
	schedule_need(s);
	while ((row = rows_next(in)) != NULL) {
		for (size_t i = 0; i < row->n; i++)
			take_field(s, in, &row->f[i], &change, &scratch);
		if (change.id == NULL)
			rows_reject(in, STR("schedule_id"), "is missing: which block?");
		apply(s, rows_where(in), &change, release);
		change_free(&change);
		updated++;
	}
	rows_check(in);
	pg_commit(&s->conn);
	receipt_open();
	receipt_str("table", s->shown);
	receipt_int("read", updated);
	receipt_int("updated", updated);
	receipt_int("rejected", 0);
	receipt_close(updated == 0);
	rows_close(in);
	buf_free(&scratch);
}
