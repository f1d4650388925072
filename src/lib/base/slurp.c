/* base/slurp.c - the whole of a small file. */
#include "base/slurp.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "base/err.h"

#define AT_A_TIME 4096          /* bytes */

/* Waits out a file that is a pipe without anything in it yet. */
static ssize_t
read_some(int fd, char *to, size_t n)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	ssize_t got;

	while ((got = read(fd, to, n)) < 0 && (errno == EINTR || errno == EAGAIN))
		poll(&ready, 1, -1);
	return got;
}

static enum slurp
read_all(struct buf *b, int fd, size_t most)
{
	const size_t start = b->len;
	ssize_t n;

	do {
		buf_room(b, AT_A_TIME);
		if ((n = read_some(fd, b->p + b->len, AT_A_TIME)) < 0)
			return SLURP_FAILED;
		b->len += (size_t)n;
		b->p[b->len] = '\0';
	} while (n > 0 && b->len - start <= most);
	if (n == 0)
		return SLURP_WHOLE;
	errno = EFBIG;
	return SLURP_TOO_LARGE;
}

enum slurp
slurp(struct buf *b, const char *path, size_t most)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), saved;
	enum slurp how;

	if (fd < 0)
		return SLURP_NOT_OPENED;
	how = read_all(b, fd, most);
	saved = errno;
	close(fd);
	errno = saved;
	return how;
}

int
slurp_status(enum slurp how)
{
	return how == SLURP_FAILED && errno != EISDIR ? EX_IOERR : EX_CONFIG;
}
