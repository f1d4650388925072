/* records/output.c - bytes out of the process, all of them. */
#define _XOPEN_SOURCE 700       /* realpath() */
#include "records/output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/progress.h"

static const char *unfinished[WHOLE_FILES];     /* what remove_unfinished() takes away */

void
write_all(int fd, const char *name, struct str s)
{
	while (s.n > 0) {
		ssize_t n = write(fd, s.p, s.n);

		if (n >= 0) {
			s.p += n;
			s.n -= (size_t)n;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			struct pollfd wait = { .fd = fd, .events = POLLOUT };

			poll(&wait, 1, -1);
		} else if (errno != EINTR) {
			die_errno(EX_IOERR, "%s", name);
		}
		progress_check();
	}
}

static void
remove_unfinished(void)
{
	for (size_t i = 0; i < WHOLE_FILES; i++)
		if (unfinished[i] != NULL)
			unlink(unfinished[i]);
}

/* /dev/stderr may be a file, but others write to it. */
static bool
is_descriptor(const char *path)
{
	return strncmp(path, "/dev/std", 8) == 0 || strncmp(path, "/dev/fd/", 8) == 0;
}

void
whole_file_open(struct whole_file *f, const char *path)
{
	static bool registered;
	struct buf part = { 0 };
	struct stat st;
	size_t i = 0;
	bool is_link = lstat(path, &st) == 0 && S_ISLNK(st.st_mode) && !is_descriptor(path);
	char *target;

	errno = 0;
	target = is_link ? realpath(path, NULL) : NULL;
	if (is_link && target == NULL)
		memory_check(path);     /* else the file would replace the link */
	*f = (struct whole_file){ .path = target != NULL ? target : xstrdup(path) };
	f->in_place = is_descriptor(path) || (stat(path, &st) == 0 && !S_ISREG(st.st_mode));
	buf_fmt(&part, f->in_place ? "%s" : "%s.part", f->path);
	f->part = buf_take(&part);
	if ((f->fd = open(f->part, O_WRONLY | O_CLOEXEC | (f->in_place ? O_APPEND : O_CREAT | O_TRUNC), 0666)) < 0)
		die_errno(EX_CANTCREAT, "%s", f->part);
	if (f->in_place)
		return;
	while (unfinished[i] != NULL)
		if (++i == WHOLE_FILES)
			die(EX_SOFTWARE, "%s: too many files that are not complete", path);
	unfinished[i] = f->part;
	if (!registered)
		err_undo(remove_unfinished);
	registered = true;
}

void
whole_file_close(struct whole_file *f)
{
	if (!f->in_place && fsync(f->fd) != 0)
		die_errno(EX_IOERR, "%s", f->part);
	if (close(f->fd) != 0)
		die_errno(EX_IOERR, "%s", f->part);
	if (!f->in_place && rename(f->part, f->path) != 0)
		die_errno(EX_CANTCREAT, "%s", f->path);
	for (size_t i = 0; i < WHOLE_FILES; i++)
		if (unfinished[i] == f->part)
			unfinished[i] = NULL;
	free(f->part);
	free(f->path);
	f->fd = -1;
}
