/*
 * soda/columns.h - the columns of a Socrata dataset, as its metadata have them.
 *
 * Those that `*` selects, in its order: not :id and its kin, not the :@computed_region_... that the platform adds, no
 * hidden ones unless asked for.  As records they have the fields name, type, position and title.
 */
#ifndef SODA_COLUMNS_H
#define SODA_COLUMNS_H

#include "base/buf.h"
#include "records/rows.h"
#include "soda/soda.h"

struct soda_column {
	struct str name, type;          /* "created_date", "calendar_date", without their quotes */
	struct str position, title;     /* JSON; p NULL where there is none */
};
struct soda_columns {
	struct soda_column *c;
	size_t n;
	struct str key;                 /* the row identifier, which need not be one of them; p NULL where none is set */
	struct buf metadata;            /* what they point into */
};

/* Asks the server; hidden columns too, or not.  soda_columns_free() when done. */
struct soda_columns soda_columns_of(struct soda *, bool hidden);
/* A file with records as above. */
struct soda_columns_file {
	const char *name;
	const struct rows_options *reading;
	const char *writer;             /* which command writes such files, for messages */
};
/* Those of the file; their names and types alone.  What is no such file dies EX_DATAERR. */
struct soda_columns soda_columns_read(const struct soda_columns_file *);
void soda_columns_free(struct soda_columns *);

/* Writes them to standard output as records. */
void soda_columns_put(const struct soda_columns *, enum rows_format);
/* Dies EX_DATAERR and names what is gone, new or of another type, unless they are those of the file. */
void soda_columns_expect(const struct soda_columns *, const struct soda_columns_file *);

#endif
