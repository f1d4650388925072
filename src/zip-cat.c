/*
 * zip-cat - the members of a zip, one behind the other.
 *
 * The zip is read from its first byte to its last, so that it may come through a pipe and nothing is unpacked to disk.
 * Its directory stands at its end: a zip that is cut there has all its members, and only their number there tells that they are
 * all.  So what was found is held against that number before this ends well.
 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <locale.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/memory.h"
#include "base/opt.h"
#include "base/progress.h"
#include "format/zip-end.h"
#include "records/input.h"
#include "records/output.h"
#include "records/receipt.h"

#define RATIO_FROM (64 << 20)   /* bytes unpacked: less than that hurts nobody, whatever its ratio */
#define SHOWN 40                /* bytes of what is no zip that the message shows */

static struct words includes;
static long long max_bytes = 64LL << 30, max_ratio = 250, empty_exit;
static const char *index_file;
static const char *receipt_file;

static const struct opt options[] = {
	OPT_LIST('i', "include", "GLOB", &includes,
	    "only members such as '*.json'; may be repeated"),
	OPT_SIZE(0, "max-bytes", "BYTES", &max_bytes, 1, 1LL << 60, "all members unpacked are at most so much (64G)"),
	OPT_NUMBER(0, "max-ratio", "N", &max_ratio, 1, 1LL << 30, "... and at most N times as large as the zip (250)"),
	OPT_STRING(0, "index", "FILE", &index_file,
	    "write there at which byte each member starts"),
	OPT_NUMBER(0, "empty-exit", "STATUS", &empty_exit, 0, 255, "exit status when no member was written"),
	OPT_RECEIPT(receipt_file),
	OPT_END
};
const struct tool tool = {
	.name = "zip-cat", .operands = "[file ...]", .options = options,
	.does = "Write the members of a zip, one behind the other.",
};

static struct input in;         /* one a process: what libarchive calls back and what messages need */
static size_t given;            /* bytes of its window that libarchive has */
static struct zip_end end;      /* the last of them */
static struct buf out, name;    /* to be written; of the member */
static int index_fd = -1;
static bool line_open;          /* the last byte that was written ends no line */
/* Of all zips, but for the number of the member in its own. */
static unsigned long long member, members, skipped, folders, packed, unpacked, written;

/* ---- what is wrong; what was unpacked by then is written ---- */

static void
flush(void)
{
	write_all(STDOUT_FILENO, "stdout", buf_all(&out));
	buf_reset(&out);
}

static void
flush_before_wait(void *arg)
{
	(void)arg;
	flush();
}

static _Noreturn void
bad_member(const char *why)
{
	flush();
	die(EX_DATAERR, "%s: member %llu \"%s\": %s", in.file, member, name.p, why);
}

static _Noreturn void
bad_zip(const char *why)
{
	flush();
	die(EX_DATAERR, "%s: behind %llu members: %s", in.file, member, why);
}

/* A libarchive that gives up says why: what is wrong with the zip, or that it has no memory. */
static const char *
why_not(struct archive *zip)
{
	const char *why = archive_error_string(zip);

	if (archive_errno(zip) == ENOMEM)
		die(EX_OSERR, "out of memory");
	memory_check("libarchive");     /* it reports some as damage */
	if (in.eof)
		return "the zip is cut: it ends here";
	return why != NULL ? why : "it is damaged";
}

/* ---- bytes in, bytes out ---- */

/* What libarchive had before is consumed; it gets what comes next. */
static la_ssize_t
give(struct archive *zip, void *unused, const void **bytes)
{
	(void)zip;
	(void)unused;
	in.p += given;
	given = 0;
	progress_check();
	if (in.p == in.end && !input_more(&in))
		return 0;
	given = (size_t)(in.end - in.p);
	zip_end_add(&end, (struct str){ in.p, given });
	packed += given;
	*bytes = in.p;
	return (la_ssize_t)given;
}

static void
put(const char *bytes, size_t n)
{
	if (out.len + n > WRITE_AT)
		flush();
	buf_add(&out, bytes, n);
	written += n;
}

static void
note_start(void)
{
	struct buf line = { 0 };

	if (index_fd < 0)
		return;
	buf_text(&line, "{\"file\":");
	buf_json(&line, str_of(in.file));
	buf_fmt(&line, ",\"member\":%llu,\"name\":", member);
	buf_json(&line, buf_all(&name));
	buf_fmt(&line, ",\"byte\":%llu}\n", written + 1);
	write_all(index_fd, index_file, buf_all(&line));
	buf_free(&line);
}

static void
check_size(void)
{
	if (unpacked > (unsigned long long)max_bytes)
		bad_member("more than --max-bytes unpacked: is it a bomb?");
	if (unpacked > RATIO_FROM && unpacked / (unsigned long long)max_ratio > packed)
		bad_member("unpacked it is more than --max-ratio times its size: is it a bomb?");
}

/* ---- members ---- */

static void
put_member(struct archive *zip)
{
	const void *bytes;
	size_t n;
	la_int64_t at;
	int status;
	bool first = true;

	errno = 0;
	while ((status = archive_read_data_block(zip, &bytes, &n, &at)) == ARCHIVE_OK) {
		unpacked += n;
		check_size();
		if (n == 0)
			continue;
		if (first && line_open)
			put("\n", 1);
		if (first)
			note_start();
		first = false;
		put(bytes, n);
		line_open = ((const char *)bytes)[n - 1] != '\n';
	}
	if (status != ARCHIVE_EOF)
		bad_member(why_not(zip));
	members++;
	progress_add(1, 0);
}

static bool
is_wanted(void)
{
	if (strncmp(name.p, "__MACOSX/", 9) == 0)
		return false;
	for (size_t i = 0; i < includes.n; i++)
		switch (fnmatch(includes.w[i], name.p, 0)) {
		case 0:
			return true;
		case FNM_NOMATCH:
			break;
		default:        /* it has no memory */
			die_errno(EX_OSERR, "--include %s", includes.w[i]);
		}
	return includes.n == 0;
}

static void
take_member(struct archive *zip, struct archive_entry *entry)
{
	const char *as_it_is;

	errno = 0;
	as_it_is = archive_entry_pathname(entry);
	member++;
	if (as_it_is == NULL)
		memory_check(in.file);
	buf_reset(&name);
	buf_text(&name, as_it_is != NULL ? as_it_is : "");
	if (name.len == 0)
		bad_member("its name can't be read: make the zip again");
	if (name.p[name.len - 1] == '/') {
		folders++;
	} else if (!is_wanted()) {
		skipped++;
		if (opt_verbose())
			note("%s: member %llu \"%s\": skipped", in.file, member, name.p);
	} else if (archive_entry_is_encrypted(entry)) {
		bad_member("it has a password: ask for a zip without one");
	} else {
		put_member(zip);
	}
}

/* The member before may have been skipped, so that nothing but its end is known to be wrong. */
static bool
next_member(struct archive *zip, struct archive_entry **entry)
{
	int status;

	errno = 0;
	status = archive_read_next_header(zip, entry);

	if (status == ARCHIVE_EOF)
		return false;
	/* a warning is about a name in another encoding than it says, or a date */
	if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
		bad_zip(why_not(zip));
	return true;
}

/* The first bytes tell more than "unrecognized format": most often they are an error page. */
static void
check_start(void)
{
	size_t n;

	while (in.end - in.p < 4 && input_more(&in))
		continue;
	n = (size_t)(in.end - in.p);
	if (n == 0)
		die(EX_DATAERR, "%s: no zip: it is empty", in.file);
	if (n < 4 || memcmp(in.p, "PK", 2) != 0)
		die(EX_DATAERR, "%s: no zip: it starts with \"%.*s\"", in.file, (int)(n < SHOWN ? n : SHOWN), in.p);
}

static void
cat_zip(void)
{
	struct archive *zip = archive_read_new();
	struct archive_entry *entry;
	const void *rest;
	const char *why;

	if (zip == NULL)
		die(EX_OSERR, "out of memory");
	check_start();
	zip_end_start(&end);
	member = 0;
	if (archive_read_support_format_zip_streamable(zip) != ARCHIVE_OK)
		die(EX_OSERR, "out of memory");
	if (archive_read_open(zip, NULL, NULL, give, NULL) != ARCHIVE_OK)
		bad_zip(why_not(zip));
	while (next_member(zip, &entry))
		take_member(zip, entry);
	while (give(zip, NULL, &rest) > 0)
		continue;
	if ((why = zip_end_check(&end, member)) != NULL)
		bad_zip(why);
	archive_read_free(zip);
}

static void
open_index(void)
{
	if (index_file == NULL)
		return;
	index_fd = open(index_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (index_fd < 0)
		die_errno(EX_CANTCREAT, "%s", index_file);
}

static void
print_receipt(void)
{
	if (receipt_file == NULL)
		return;
	receipt_open();
	receipt_int("members", members);
	receipt_int("skipped", skipped);
	receipt_int("folders", folders);
	receipt_int("packed", packed);
	receipt_int("bytes", written);
	receipt_close_file(members == 0, receipt_file);
}

int
main(int argc, char *argv[])
{
	char **files = opt_parse(argc, argv);

	errno = 0;
	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)     /* names are UTF-8 whatever the user's locale is */
		memory_check("locale C.UTF-8");
	open_index();
	input_open(&in, files);
	in.before_wait = flush_before_wait;
	do
		cat_zip();
	while (input_next_file(&in));
	flush();
	if (close(STDOUT_FILENO) != 0)
		die_errno(EX_IOERR, "stdout");
	if (index_fd >= 0 && close(index_fd) != 0)
		die_errno(EX_IOERR, "%s", index_file);
	print_receipt();
	input_close(&in);
	buf_free(&out);
	buf_free(&name);
	zip_end_free(&end);
	return members == 0 ? (int)empty_exit : EX_OK;
}
