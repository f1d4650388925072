/*
 * csv-loop - libcsv at its barest: every field of a file parsed and counted, nothing done with it.
 *
 * The peer of csv-normalize, which does this and all of its work besides.
 */
#include <stdio.h>
#include <sysexits.h>

#include <csv.h>

#define CHUNK (256 * 1024)      /* bytes: as records/input.c reads */

struct counts { unsigned long long fields, records; };

static void
count_field(void *text, size_t n, void *counts)
{
	(void)text;
	(void)n;
	((struct counts *)counts)->fields++;
}

static void
count_record(int end, void *counts)
{
	(void)end;
	((struct counts *)counts)->records++;
}

int
main(int argc, char *argv[])
{
	static char chunk[CHUNK];
	FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
	struct counts counts = { 0 };
	struct csv_parser parser;
	size_t n;

	if (file == NULL || csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0) {
		fprintf(stderr, "usage: csv-loop FILE\n");
		return EX_USAGE;
	}
	setvbuf(file, NULL, _IONBF, 0);
	while ((n = fread(chunk, 1, sizeof chunk, file)) > 0)
		if (csv_parse(&parser, chunk, n, count_field, count_record, &counts) != n)
			break;
	if (csv_error(&parser) != 0 || ferror(file) || csv_fini(&parser, count_field, count_record, &counts) != 0) {
		fprintf(stderr, "csv-loop: %s: %s\n", argv[1], csv_strerror(csv_error(&parser)));
		return EX_DATAERR;
	}
	printf("%llu records, %llu fields\n", counts.records, counts.fields);
	csv_free(&parser);
	fclose(file);
	return EX_OK;
}
