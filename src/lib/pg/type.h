/*
 * pg/type.h - values as text, into the binary form that COPY takes.
 *
 * What PostgreSQL's own input functions take is taken, with these differences: nothing is rounded or cut that the
 * column would not hold (numeric(10,2) refuses 1.239, varchar(3) refuses "ab  "), a date column refuses a time of
 * day other than midnight, and timestamp without time zone refuses an offset other than zero.  A timestamptz without a zone
 * is UTC.  Spaces around numbers, dates and such do not count.  These functions return errors and do not
 * die: fuzzers call them.
 */
#ifndef PGTYPE_H
#define PGTYPE_H

#include "base/buf.h"
#include "format/date.h"

struct pgtype;

struct pgvalue {
	struct str text;
	int typmod;                     /* of the column; -1: none */
	enum date_order order;
};

/* Appends the value without its length.  Returns NULL, or why not: a static text that reads on from the quoted value.  What
 * was appended by then is the caller's to take back. */
typedef const char *pgtype_encode(struct buf *, const struct pgvalue *);

struct pgtype {
	unsigned oid;                   /* as in pg_type.dat */
	const char *name;
	pgtype_encode *encode;
	bool text;                      /* a text kind: may be empty */
	bool json;                      /* takes JSON as it stands */
	bool date;                      /* its text form depends on settings: see pgtype_text() */
};

/* By the number of a built-in type, or the bare name of another; NULL: no encoder. */
const struct pgtype *pgtype_find(unsigned oid, const char *name);

/* Appends what pgtype_encode made of a date type as text that every server reads alike. */
void pgtype_text(struct buf *, const struct pgtype *, struct str binary);

#endif
