/*
 * s3-list - what is in a bucket of S3, as records.
 *
 * A record is written as soon as its page is there, and the next page is under way meanwhile; so the output of a run
 * that failed is the start of a listing, and only its status says that it is no more than that.
 */
#include <stdio.h>

#include "base/err.h"
#include "base/progress.h"
#include "records/rows.h"
#include "s3/listing.h"

#define MOST_FIELDS 6

static const char *since, *until, *delimiter, *start_after;
static long long limit, expect_rows, empty_exit;
static bool uploads, storage_class;
static long long out_format;
static struct s3_options source = { S3_DEFAULTS };

static const struct opt options[] = {
	OPT_STRING(0, "since", "TIMESTAMP", &since, "only what was modified then or later"),
	OPT_STRING(0, "until", "TIMESTAMP", &until, "only what was modified before"),
	OPT_STRING('d', "delimiter", "TEXT", &delimiter, "one record for keys alike up to TEXT"),
	OPT_STRING(0, "start-after", "KEY", &start_after, "only keys that sort behind this one"),
	OPT_NUMBER(0, "limit", "N", &limit, 1, 1LL << 50, "no more than N records"),
	OPT_NO_LETTER('n', "limit"),
	OPT_FLAG(0, "storage-class", &storage_class, "a field storage_class, too"),
	OPT_FLAG(0, "uploads", &uploads, "uploads in parts that were begun and not ended"),
	OPT_NUMBER(0, "expect-rows", "N", &expect_rows, 0, 1LL << 50, "fewer records are an error (65)"),
	OPT_NUMBER(0, "empty-exit", "STATUS", &empty_exit, 0, 255,
	    "exit status when there are no records"),
	OPT_ROWS_OUT(out_format),
	OPT_S3(source),
	OPT_END
};
const struct tool tool = {
	.name = "s3-list", .operands = "s3://BUCKET[/PREFIX]", .options = options,
	.does = "Write the objects of an S3 bucket as records.",
};

struct listed { struct rows_out *out; unsigned long long n; };

static void
put(struct listed *listed, struct field *fields, size_t n)
{
	rows_put(listed->out, &(struct row){ fields, n });
	listed->n++;
	progress_add(1, 0);
	progress_check();
}

/* A value that S3 may leave out: null, then. */
static struct str
or_null(struct str s)
{
	return s.n > 0 ? s : (struct str){ NULL, 0 };
}

static void
put_object(const struct s3_object *o, void *listed)
{
	struct field fields[MOST_FIELDS];
	char size[24];
	size_t n = 0;

	if (o->is_prefix) {
		put(listed, &(struct field){ STR("prefix"), o->key, false }, 1);
		return;
	}
	snprintf(size, sizeof size, "%llu", o->size);
	fields[n++] = (struct field){ STR("key"), o->key, false };
	fields[n++] = (struct field){ STR("size"), str_of(size), true };
	fields[n++] = (struct field){ STR("etag"), or_null(o->etag), false };
	fields[n++] = (struct field){ STR("last_modified"), or_null(o->last_modified), false };
	if (storage_class)
		fields[n++] = (struct field){ STR("storage_class"), or_null(o->storage_class), false };
	put(listed, fields, n);
}

static void
put_upload(const struct s3_upload *u, void *listed)
{
	struct field fields[] = { { STR("key"), u->key, false }, { STR("upload_id"), u->id, false },
		{ STR("initiated"), or_null(u->initiated), false } };

	put(listed, fields, 3);
}

/* CSV has the same columns, whatever comes first. */
static void
put_header(struct rows_out *out)
{
	struct str of_uploads[] = { STR("key"), STR("upload_id"), STR("initiated") }, of_objects[MOST_FIELDS];
	size_t n = 0;

	if (uploads) {
		rows_columns(out, of_uploads, 3);
		return;
	}
	of_objects[n++] = STR("key");
	of_objects[n++] = STR("size");
	of_objects[n++] = STR("etag");
	of_objects[n++] = STR("last_modified");
	if (storage_class)
		of_objects[n++] = STR("storage_class");
	if (delimiter != NULL)
		of_objects[n++] = STR("prefix");
	rows_columns(out, of_objects, n);
}

static struct str
text_or_none(const char *text)
{
	return text != NULL ? str_of(text) : (struct str){ NULL, 0 };
}

static void
check_options(char **operands)
{
	if (operands[0] == NULL || operands[1] != NULL)
		die(EX_USAGE, "want one place, such as s3://bucket/prefix/");
	if (delimiter != NULL && *delimiter == '\0')
		die(EX_USAGE, "--delimiter: want a text, such as /");
	if (uploads && (since != NULL || until != NULL || delimiter != NULL || start_after != NULL || limit > 0 || storage_class))
		die(EX_USAGE, "--uploads lists all that are open below the prefix: no other choice goes with it");
}

int
main(int argc, char *argv[])
{
	char **operands = opt_parse(argc, argv);
	struct s3_place place;
	struct s3_query query;
	struct listed listed = { 0 };
	struct s3 *s3;

	check_options(operands);
	place = s3_place(operands[0]);
	query = (struct s3_query){ .bucket = place.bucket, .prefix = buf_all(&place.key), .delimiter = text_or_none(delimiter),
		.start_after = text_or_none(start_after), .since = s3_time("since", since), .until = s3_time("until", until),
		.limit = (unsigned long long)limit };
	s3 = s3_open(&source);
	listed.out = rows_stdout(NULL, out_format);
	put_header(listed.out);
	if (uploads)
		s3_list_uploads(s3, place.bucket, query.prefix, put_upload, &listed);
	else
		s3_list(s3, &query, put_object, &listed);
	rows_finish(listed.out);
	s3_close(s3);
	s3_place_free(&place);
	if (listed.n < (unsigned long long)expect_rows)
		die(EX_DATAERR, "%llu records, but --expect-rows %lld", listed.n, expect_rows);
	return listed.n == 0 ? (int)empty_exit : EX_OK;
}
