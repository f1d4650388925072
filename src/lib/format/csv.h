/*
 * format/csv.h - CSV text, split where it lies (RFC 4180; LF, CRLF and lone CR end a record, all
 * three are accepted).
 *
 * Rules where RFC 4180 is silent, the same as libcsv's and Python's: a quote inside an unquoted field is text;
 * what follows a closing quote up to the delimiter is refused here, since it is most often a broken file.
 * These functions return errors and do not die: fuzzers call them.
 */
#ifndef CSV_H
#define CSV_H

#include "base/buf.h"

struct csv_field { struct str val; bool quoted; };

struct csv {
	struct csv_field *f;            /* of the last record; point into the text or into scratch */
	size_t n, cap;
	size_t lines;                   /* line ends that the record took, those inside quotes too */
	const char *why;                /* what is wrong, a static text; NULL while all is well */
	size_t bad_line;                /* how many lines into the record it is wrong */
	size_t bad_field;               /* in which field, from 0 */
	char delimiter;
	struct buf scratch;             /* of csv.c: fields that had doubled quotes */
};

#define CSV_COMMA ((struct csv){ .delimiter = ',' })

/* Splits the record at p.  Returns where the next one starts; NULL when [p, end) holds no whole record and eof
 * is false (call again with more).  A record that is malformed sets why, and what is returned is past it (past
 * its last line, or end for a quote that never closes).  An empty line is a record of one empty, unquoted field. */
const char *csv_split(struct csv *, const char *p, const char *end, bool eof);
void csv_free(struct csv *);

/* Appends one field, quoted if it needs to be: delimiter, quote, CR, LF, or leading or trailing space.  An empty string is
 * "" and a missing one (p NULL) is nothing, so the two stay apart. */
void csv_put(struct buf *, struct str val);
/* The same, faster, for a value with BUF_PAD readable bytes behind it. */
void csv_copy(struct buf *, struct str val);

#endif
