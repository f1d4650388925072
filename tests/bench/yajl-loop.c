/*
 * yajl-loop - yajl at its barest: every value of a file parsed, no callback called.
 *
 * The peer of json-scan.  Like it, yajl checks UTF-8 here.
 */
#include <stdio.h>
#include <sysexits.h>

#include <yajl/yajl_parse.h>

#define CHUNK (256 * 1024)      /* bytes: as records/input.c reads */

int
main(int argc, char *argv[])
{
	static unsigned char chunk[CHUNK];
	FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
	yajl_handle parser = yajl_alloc(NULL, NULL, NULL);
	yajl_status status = yajl_status_ok;
	size_t n;

	if (file == NULL || parser == NULL) {
		fprintf(stderr, "usage: yajl-loop FILE\n");
		return EX_USAGE;
	}
	setvbuf(file, NULL, _IONBF, 0);
	yajl_config(parser, yajl_allow_multiple_values, 1);
	while (status == yajl_status_ok && (n = fread(chunk, 1, sizeof chunk, file)) > 0)
		status = yajl_parse(parser, chunk, n);
	if (status == yajl_status_ok)
		status = yajl_complete_parse(parser);
	if (status != yajl_status_ok || ferror(file)) {
		fprintf(stderr, "yajl-loop: %s: %s\n", argv[1], yajl_status_to_string(status));
		return EX_DATAERR;
	}
	yajl_free(parser);
	fclose(file);
	return EX_OK;
}
