/* records/receipt.c - the one JSON object that a sink prints at its end. */
#include "records/receipt.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/opt.h"
#include "base/progress.h"
#include "records/output.h"

static struct buf receipt;

static void
add_key(const char *key)
{
	if (receipt.len > 1)
		buf_char(&receipt, ',');
	buf_json(&receipt, str_of(key));
	buf_char(&receipt, ':');
}

void
receipt_open(void)
{
	buf_reset(&receipt);
	buf_char(&receipt, '{');
	receipt_str("tool", tool.name);
}

void
receipt_str(const char *key, const char *value)
{
	add_key(key);
	buf_json(&receipt, str_of(value));
}

void
receipt_int(const char *key, unsigned long long value)
{
	add_key(key);
	buf_fmt(&receipt, "%llu", value);
}

void
receipt_bool(const char *key, bool value)
{
	add_key(key);
	buf_text(&receipt, value ? "true" : "false");
}

void
receipt_json(const char *key, const char *value)
{
	add_key(key);
	buf_text(&receipt, value);
}

static void
finish(bool empty)
{
	const char *run = getenv("CULVERT_RUN_ID");

	if (empty)
		receipt_bool("empty", true);
	if (run != NULL && *run != '\0')
		receipt_str("run", run);
	add_key("seconds");
	buf_fmt(&receipt, "%.3f}\n", progress_seconds());
}

void
receipt_close(bool empty)
{
	finish(empty);
	write_all(STDOUT_FILENO, "the work is done, but its receipt could not be written to stdout", buf_all(&receipt));
}

void
receipt_close_file(bool empty, const char *file)
{
	struct whole_file whole;

	finish(empty);
	whole_file_open(&whole, file);
	write_all(whole.fd, file, buf_all(&receipt));
	whole_file_close(&whole);
}
