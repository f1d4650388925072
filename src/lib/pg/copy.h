/*
 * pg/copy.h - records into a table by COPY, each value checked and encoded on this side.
 *
 * Columns are matched by name.  COPY is binary where every column has an encoder (pg/type.h),
 * else text.  A key that a record of NDJSON lacks is null, or the column's default if it has one;
 * so COPY ends and starts again, in the same transaction, when a record has other columns with
 * defaults than the one before.  A blank is NULL, but for --keep-empty in text columns.  The
 * process ends on what can't be loaded, or diverts it as rows_reject() does; the server's
 * refusals (CHECK, foreign key, unique) always end it, with the number of the record.
 */
#ifndef PGCOPY_H
#define PGCOPY_H

#include "base/opt.h"
#include "pg/table.h"
#include "records/rows.h"

/* How records are loaded; all zeros is the default. */
struct pgcopy_options {
	bool keep_empty;                /* "" is no NULL in text columns */
	bool ignore_new;                /* columns that the table lacks are left out */
	long long date_order;           /* enum date_order; DATE_ISO: ISO 8601 alone */
};
extern const char *const pgcopy_date_orders[];

/* Options of a tool that loads records: rows of its table that fill a struct pgcopy_options. */
#define OPT_PGCOPY(options) \
	OPT_FLAG(0, "keep-empty", &(options).keep_empty, "\"\" is an empty string in text columns, not NULL"), \
	OPT_FLAG(0, "ignore-new", &(options).ignore_new, "leave out columns that the table lacks"), \
	OPT_CHOICE(0, "date-order", "ORDER", &(options).date_order, pgcopy_date_orders, \
	    "of dates such as 1/2/2020: mdy, dmy or ymd")

struct pgcopy_job {
	PGconn *conn;
	struct rows *in;
	struct pgcopy_options how;
	/* The columns and their types.  Those that are GENERATED are left out. */
	struct pg_table *table;
	const char *into;               /* quoted: the table that COPY fills; NULL: the same */
	bool lacking_is_fine;           /* the table may have columns that the records lack */
	bool fixed;                     /* every file has the same columns, since lacking one means something */
	/* Adds columns to the table and reads it again; NULL: a new column ends the run. */
	void (*widen)(const struct pgcopy_job *, const struct str *names, size_t n);
};

struct pgcopy_counts {
	unsigned long long written;
	unsigned long long nuls;        /* removed or replaced as --nul says; \u0000 too */
};

/* Loads all records and asks the server for its verdict.  SEEN, if not NULL, has room for table->n and tells which columns
 * any record had. */
struct pgcopy_counts pgcopy(const struct pgcopy_job *, bool *seen);

#endif
