/*
 * advice.h - which tool helps where another one can not go on, for messages.
 *
 * src/lib knows no tool, so the tools pass these words to it.
 */
#ifndef ADVICE_H
#define ADVICE_H

#define ROWS_ADVICE \
	.see_encoding = "see csv-normalize --encoding", .see_header = "see csv-normalize", \
	.see_array = "use json-explode", .see_columns = "see ndjson2csv --columns"

/* What a tool reads --schema FILE with, as a struct soda_columns_file. */
#define COLUMNS_FILE(file) \
	&(struct soda_columns_file){ file, \
		&(struct rows_options){ ROWS_DEFAULTS, ROWS_ADVICE, .uncounted = true }, "soda-fetch --describe" }

/* What writes the metadata of a Knack application. */
#define METADATA_WRITER "knack-fetch --describe"

#endif
