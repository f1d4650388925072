/*
 * advice.h - which tool does what a reader refuses to do, for its messages.
 *
 * src/lib knows no tool, so each tool that reads records passes these words to it.
 */
#ifndef ADVICE_H
#define ADVICE_H

#define ROWS_ADVICE .see_encoding = "see csv-normalize --encoding", .see_header = "see csv-normalize", \
	.see_array = "use json-explode"

/* What a tool reads --columns FILE with, as a struct soda_columns_file. */
#define COLUMNS_FILE(file) \
	&(struct soda_columns_file){ file, &(struct rows_options){ ROWS_DEFAULTS, ROWS_ADVICE }, "soda-fetch --columns" }

#endif
