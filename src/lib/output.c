/* output.c - bytes out of the process, all of them. */
#include "lib/output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/progress.h"

static const char *unfinished;  /* what remove_unfinished() takes away */

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
	if (unfinished != NULL)
		unlink(unfinished);
}

void
whole_file_open(struct whole_file *f, const char *path)
{
	static bool registered;
	struct buf name = { 0 };

	buf_fmt(&name, "%s.part", path);
	*f = (struct whole_file){ .part = buf_take(&name), .path = path };
	if ((f->fd = open(f->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) < 0)
		die_errno(EX_CANTCREAT, "%s", f->part);
	unfinished = f->part;
	if (!registered)
		err_undo(remove_unfinished);
	registered = true;
}

void
whole_file_close(struct whole_file *f)
{
	if (fsync(f->fd) != 0 && errno != EINVAL)       /* a pipe or /dev/null has nothing to sync */
		die_errno(EX_IOERR, "%s", f->part);
	if (close(f->fd) != 0)
		die_errno(EX_IOERR, "%s", f->part);
	if (rename(f->part, f->path) != 0)
		die_errno(EX_CANTCREAT, "%s", f->path);
	unfinished = NULL;
	free(f->part);
	f->fd = -1;
}
