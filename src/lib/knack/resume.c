/* knack/resume.c - a small file that lets a later run go on where this one stopped. */
#include "knack/resume.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/json.h"
#include "records/input.h"
#include "records/output.h"

#define MOST (1 << 20)          /* bytes of such a file; those of ours have a few hundred */
#define NO_FILE (-1)            /* for the length of standard output, where it is a pipe */

struct knack_resume {
	const char *file, *question;
	struct knack_mark mark;
	long long length;               /* of standard output */
	struct buf out;
};

/* The members, in their order. */
static const struct { const char *name; size_t at; } numbers[] = {
	{ "after", offsetof(struct knack_mark, after) }, { "offset", offsetof(struct knack_mark, offset) },
	{ "size", offsetof(struct knack_mark, size) }, { "pages", offsetof(struct knack_mark, pages) },
	{ "came", offsetof(struct knack_mark, came) }, { "rows", offsetof(struct knack_mark, rows) },
	{ "total", offsetof(struct knack_mark, total) }, { "digest", offsetof(struct knack_mark, digest) },
};
#define NUMBERS (sizeof numbers / sizeof *numbers)

static long long
stdout_length(void)
{
	struct stat st;

	if (fstat(STDOUT_FILENO, &st) != 0 || !S_ISREG(st.st_mode))
		return NO_FILE;
	return st.st_size;
}

static _Noreturn void
bad_file(const struct knack_resume *r, const char *why)
{
	die(EX_CONFIG, "%s: %s: remove it, and what was written so far, to start over", r->file, why);
}

/* ---- reading ---- */

/* A number of at most 64 bits, as its bits. */
static unsigned long long
number_of(const struct knack_resume *r, struct str object, const char *name)
{
	struct str value = json_get(object, name);
	char digits[24], *end;
	unsigned long long n;

	if (value.n == 0 || value.n >= sizeof digits)
		bad_file(r, "is not what --resume writes");
	memcpy(digits, value.p, value.n);
	digits[value.n] = '\0';
	errno = 0;
	n = strtoull(digits, &end, 10);
	if (*end != '\0' || errno != 0)
		bad_file(r, "is not what --resume writes");
	return n;
}

static void
compare_question(struct knack_resume *r, struct str object)
{
	struct buf scratch = { 0 };

	if (!str_eq(json_text(json_get(object, "question"), &scratch), str_of(r->question)))
		bad_file(r, "is of another question, or of another application");
	buf_free(&scratch);
}

static void
read_mark(struct knack_resume *r)
{
	struct buf text = { 0 };
	struct json_error e;
	const char *past;
	struct str object;

	input_slurp(r->file, &text, MOST);
	if (text.len > MOST)
		bad_file(r, "is not what --resume writes");
	past = text.len > 0 && *text.p == '{' ? json_skip(text.p, text.p + text.len, &e) : NULL;
	if (past == NULL || past + 1 != text.p + text.len || *past != '\n')
		bad_file(r, "is torn");
	object = (struct str){ text.p, past - text.p };
	compare_question(r, object);
	for (size_t i = 0; i < NUMBERS; i++) {
		unsigned long long n = number_of(r, object, numbers[i].name);

		memcpy((char *)&r->mark + numbers[i].at, &n, sizeof n);
	}
	r->mark.by_counter = number_of(r, object, "by_counter") != 0;
	r->length = (long long)number_of(r, object, "length");
	if (r->mark.size == 0)
		bad_file(r, "is not what --resume writes");
	buf_free(&text);
}

/* Standard output as the mark found it: what is past it belongs to a page that was not marked any more. */
static void
restore_output(struct knack_resume *r)
{
	long long now = stdout_length();

	if ((now == NO_FILE) != (r->length == NO_FILE))
		bad_file(r, now == NO_FILE ? "the run before wrote to a file, not to a pipe" : "the run before did not write to a file");
	if (now < r->length)
		die(EX_CONFIG, "%s: standard output had %lld bytes, and has %lld: add to it with >>, or remove %s to start over",
		    r->file, r->length, now, r->file);
	if (now > r->length && ftruncate(STDOUT_FILENO, r->length) != 0)
		die_errno(EX_IOERR, "stdout");
	if (now != NO_FILE)
		lseek(STDOUT_FILENO, r->length, SEEK_SET);
	if (now > r->length)
		note("%s: %lld bytes that were written past the last whole page are cut off", r->file, now - r->length);
	if (r->mark.pages > 0)
		note("%s: going on after page %llu, %llu rows", r->file, r->mark.pages, r->mark.rows);
}

struct knack_resume *
knack_resume_open(const char *file, const char *question)
{
	struct knack_resume *r = xcalloc(1, sizeof *r);
	struct stat st;

	r->file = file;
	r->question = question;
	if (stat(file, &st) == 0) {
		if (!S_ISREG(st.st_mode))
			die(EX_USAGE, "--resume %s: want a file", file);
		read_mark(r);
		restore_output(r);
	} else {
		r->mark.size = 1;
		knack_resume_save(r, &r->mark);         /* a place that takes no file is better known now */
	}
	return r;
}

const struct knack_mark *
knack_resume_mark(const struct knack_resume *r)
{
	return &r->mark;
}

/* ---- writing ---- */

void
knack_resume_save(struct knack_resume *r, const struct knack_mark *mark)
{
	struct whole_file f;
	unsigned long long n;

	r->length = stdout_length();
	if (r->length != NO_FILE && fsync(STDOUT_FILENO) != 0)
		die_errno(EX_IOERR, "stdout");
	buf_reset(&r->out);
	buf_text(&r->out, "{\"question\":");
	buf_json(&r->out, str_of(r->question));
	for (size_t i = 0; i < NUMBERS; i++) {
		memcpy(&n, (const char *)mark + numbers[i].at, sizeof n);
		buf_fmt(&r->out, ",\"%s\":%llu", numbers[i].name, n);
	}
	buf_fmt(&r->out, ",\"by_counter\":%d,\"length\":%llu}\n", mark->by_counter, (unsigned long long)r->length);
	whole_file_open(&f, r->file);
	write_all(f.fd, f.part, buf_all(&r->out));
	whole_file_close(&f);
}

void
knack_resume_end(struct knack_resume *r)
{
	if (unlink(r->file) != 0)
		die_errno(EX_IOERR, "%s", r->file);
	buf_free(&r->out);
	free(r);
}
