/* records/rejects.c - where bad records go. */
#include "records/rejects.h"

#include <errno.h>
#include <stdlib.h>

#include "format/json.h"

/* How many of READ records may be bad. */
static unsigned long long
allowed(const struct rejects *r, unsigned long long read, bool at_end)
{
	const unsigned long long any = (unsigned long long)-1;
	char *end;

	if (r->max == NULL)
		return any;
	errno = 0;

	double n = strtod(r->max, &end);
	bool share = end > r->max && *end == '%';

	if (end == r->max || !(n >= 0 && n < 1e18) || end[share ? 1 : 0] != '\0' || (share && n > 100))
		die(EX_USAGE, "--max-rejects %s: want a number or a share such as 1%%", r->max);
	if (share)
		return at_end ? (unsigned long long)(n / 100 * (double)read) : any;
	return (unsigned long long)n;
}

void
rejects_open(struct rejects *r, const char *path, const char *max)
{
	*r = (struct rejects){ .path = path, .max = max, .file = { .fd = -1 } };
	if (path == NULL && max != NULL)
		die(EX_USAGE, "--max-rejects without --rejects: say where bad records go");
	allowed(r, 0, true);
	if (path != NULL)
		whole_file_open(&r->file, path);
}

static void
flush(struct rejects *r)
{
	write_all(r->file.fd, r->file.part, buf_all(&r->out));
	buf_reset(&r->out);
}

void
rejects_put(struct rejects *r, unsigned long long line, struct str column, const char *why, struct str record)
{
	r->n++;
	buf_fmt(&r->out, "{\"line\":%llu,\"column\":", line);
	if (column.n > 0)
		json_any_text(&r->out, column);
	else
		buf_text(&r->out, "null");
	buf_text(&r->out, ",\"reason\":");
	json_any_text(&r->out, str_of(why));
	buf_text(&r->out, ",\"record\":");
	buf_str(&r->out, record);
	buf_text(&r->out, "}\n");
	if (r->out.len >= WRITE_AT)
		flush(r);
}

void
rejects_check(struct rejects *r, unsigned long long read, bool at_end)
{
	if (r->n <= allowed(r, read, at_end))
		return;
	rejects_close(r);
	die(EX_DATAERR, "%llu of %llu records are bad, more than --max-rejects %s: see %s", r->n, read, r->max, r->path);
}

void
rejects_close(struct rejects *r)
{
	if (r->file.fd < 0)
		return;
	flush(r);
	whole_file_close(&r->file);
	buf_free(&r->out);
}
