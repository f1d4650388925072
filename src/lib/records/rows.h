/*
 * records/rows.h - records in and out; NDJSON and CSV look alike.
 *
 * A row and all it points to is lent until the next rows_next().  A malformed record never comes out: it stops
 * the run (EX_DATAERR, with file, line, column and reason) or goes to --rejects as it came.  One record at most is
 * held, of --max-record bytes at most.  The first byte tells the format ('{' is NDJSON); --from overrides.
 * CSV: an unquoted empty field is no value (p NULL), a quoted one ("") is an empty string, unless nulls are
 * asked for otherwise by the tool.  NDJSON: null is no value too, and a key that comes twice comes twice.
 */
#ifndef ROWS_H
#define ROWS_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/opt.h"
#include "records/row.h"

enum rows_format { ROWS_GUESS, ROWS_NDJSON, ROWS_CSV };

enum rows_nul { ROWS_NUL_REFUSE, ROWS_NUL_STRIP, ROWS_NUL_REPLACE };
/* The words of the two enums, for options. */
extern const char *const rows_formats[], *const rows_nuls[];

#define ROWS_MAX_RECORD (64LL << 20)            /* bytes */

/* How records are read.  Start with ROWS_DEFAULTS. */
struct rows_options {
	long long from;                         /* enum rows_format; ROWS_GUESS */
	const char *rejects, *max_rejects;      /* a file; "N" or "P%"; NULL: not given */
	long long max_record;                   /* bytes; ROWS_MAX_RECORD */
	long long nul;                          /* enum rows_nul; ROWS_NUL_REFUSE */

	bool uncounted;                 /* the records are no progress: a small file besides */

	/* What messages advise, such as "see TOOL --encoding": on bytes in another encoding, on a header
	 * that cannot be used, on an array, and on a field that the header of the output lacks.  NULL:
	 * nothing. */
	const char *see_encoding, *see_header, *see_array, *see_columns;

	/* Hooks that change what is read; each may be NULL.  delimiter() finds it in the first bytes of a
	 * file; else it is a comma.  rename_header() gives other names to the columns of a file, before
	 * they are checked; the names live until the next call. */
	ssize_t (*read)(int fd, void *to, size_t room, void *arg);      /* of records/input.h */
	char (*delimiter)(const char *p, const char *end, void *arg);
	void (*rename_header)(struct row *header, const char *file, void *arg);
	void *arg;
};
#define ROWS_DEFAULTS .max_record = ROWS_MAX_RECORD

/* Options of a tool that reads records: rows of its table that fill a struct rows_options, IN. */
#define OPT_ROWS_IN(in) \
	OPT_CHOICE(0, "from", "FORMAT", &(in).from, rows_formats, \
	    "format of the input: ndjson or csv (else guessed)"), \
	OPT_ROWS_CHECKS(in)
#define OPT_ROWS_CHECKS(in) \
	OPT_STRING(0, "rejects", "FILE", &(in).rejects, "put bad records there and go on"), \
	OPT_STRING(0, "max-rejects", "N|P%", &(in).max_rejects, "more bad records than this: fail"), \
	OPT_SIZE(0, "max-record", "BYTES", &(in).max_record, 1, 1LL << 40, "a larger record is a bad one (64M)"), \
	OPT_CHOICE(0, "nul", "HOW", &(in).nul, rows_nuls, "NUL bytes: refuse, strip or replace them")
/* Of one that writes them: TO is a long long, for rows_stdout(). */
#define OPT_ROWS_OUT(to) \
	OPT_CHOICE(0, "to", "FORMAT", &(to), rows_formats, \
	    "format of the output: ndjson or csv (as the input)")

/* Standard input where no file is named. */
struct rows *rows_open(char **files, const struct rows_options *);
struct row *rows_next(struct rows *);           /* NULL at the end; a read error dies EX_IOERR */
/* Names of the columns of CSV as the header has them, vals not set; NULL for NDJSON or no input at all.  Known from
 * rows_open() on, for the file that the next row comes from; a file that starts may change it. */
const struct row *rows_header(struct rows *);
enum rows_format rows_format(const struct rows *);      /* ROWS_GUESS when there was no input */
const struct rows_options *rows_options(const struct rows *);   /* those of rows_open() */
/* The row that came last is bad: die, or divert it. */
void rows_reject(struct rows *, struct str column, const char *why, ...) PRINTF(3, 4);
/* "file:line" of the row that came last, for messages; lent until the next call. */
const char *rows_where(struct rows *);
struct rows_counts { unsigned long long read, rejected, nuls; };        /* read: good and bad */
struct rows_counts rows_counts(const struct rows *);
/* To be called before a sink commits: too many rejects dies EX_DATAERR; syncs and names the rejects file. */
void rows_check(struct rows *);
void rows_close(struct rows *);                 /* rows_check() too */
/*
 * For a sink whose server may refuse a record long after it was read.  rows_keep() appends what is needed of the row that
 * came last; rows_reject_kept() takes that: the record goes to --rejects, and is counted in any case, for the caller to
 * end with EX_DATAERR where there is no --rejects.  No number of them stops the run before rows_check(), which for
 * the records before comes too late to load nothing; so rows_check_read() checks those at the end of the input.
 */
void rows_keep(struct rows *, struct buf *);
void rows_reject_kept(struct rows *, struct str kept, struct str column, const char *why);
struct str rows_kept_where(struct str kept);    /* "file:line", for messages */
void rows_check_read(struct rows *);
/* Appends the record that came last as a JSON object: that of NDJSON as it came. */
void rows_json(struct rows *, struct buf *);
/* Calls FLUSH before a read that may have to wait, and before a bad record ends the run; rows_stdout() sets it. */
void rows_before_wait(struct rows *, void (*flush)(void *arg), void *arg);
int rows_fd(const struct rows *);               /* what is read, to wait for */

/* Writing.  rows_stdout() writes in the format TO; for ROWS_GUESS in that of IN, or NDJSON.  CSV has the columns of
 * rows_columns(), else of the first row; a later row with a field that the header lacks dies EX_DATAERR naming it. */
struct rows_out *rows_stdout(struct rows *in, enum rows_format to);
void rows_columns(struct rows_out *, const struct str *names, size_t n);        /* writes the CSV header; once, first */
void rows_put(struct rows_out *, const struct row *);
/* Bytes that are a record already, or a page of them, with their newlines; a page goes out without a copy. */
void rows_put_raw(struct rows_out *, struct str bytes);
struct buf *rows_buf(struct rows_out *);        /* to append to directly, then rows_flush_some() */
enum rows_format rows_out_format(const struct rows_out *);
void rows_flush_some(struct rows_out *);        /* writes if there is enough to be worth it */
void rows_flush(struct rows_out *);             /* writes all */
void rows_finish(struct rows_out *);            /* flushes and closes: a full disk shows here */

#endif
