/* records/input.c - a window that slides over standard input or files. */
#include "records/input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/progress.h"
#include "base/scan.h"

#define WINDOW (256 * 1024)     /* bytes: stays in the second-level cache, and four pipefuls */

struct input_state {
	char **files;           /* those still to come */
	int fd;
	char *base;
	size_t cap;
};

static void
set_window(struct input *in, size_t at, size_t len)
{
	in->p = in->state->base + at;
	in->end = in->p + len;
	*in->end = '\0';
}

static void
hint_at_terminal(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };

	/* or the progress that a terminal gets came first */
	if (isatty(fd) && poll(&wait, 1, 1000) <= 0)
		note("reading from the terminal: end with ctrl-D, or name a file");
}

static void
open_file(struct input *in, const char *name)
{
	bool is_stdin = name == NULL || strcmp(name, "-") == 0;

	in->file = is_stdin ? "<stdin>" : name;
	in->eof = false;
	in->state->fd = is_stdin ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
	if (in->state->fd < 0)
		die_errno(EX_NOINPUT, "%s", name);
	if (is_stdin)
		hint_at_terminal(STDIN_FILENO);
	else
		posix_fadvise(in->state->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	set_window(in, 0, 0);
}

void
input_open(struct input *in, char **files)
{
	struct input_state *s = xcalloc(1, sizeof *s);

	s->cap = WINDOW;
	s->base = xcalloc(1, s->cap + BUF_PAD);
	s->files = files;
	*in = (struct input){ .state = s };
	open_file(in, files == NULL ? NULL : *files);
	if (files != NULL && *files != NULL)
		s->files++;
}

bool
input_next_file(struct input *in)
{
	if (in->state->files == NULL || *in->state->files == NULL)
		return false;
	if (in->state->fd != STDIN_FILENO)
		close(in->state->fd);
	open_file(in, *in->state->files++);
	return true;
}

void
input_close(struct input *in)
{
	if (in->state->fd != STDIN_FILENO)
		close(in->state->fd);
	free(in->state->base);
	free(in->state);
	*in = (struct input){ 0 };
}

int
input_fd(const struct input *in)
{
	return in->state->fd;
}

/* Moves what is not consumed to the front; grows when it fills more than half of the window. */
static void
make_room(struct input *in)
{
	struct input_state *s = in->state;
	size_t len = (size_t)(in->end - in->p);

	memmove(s->base, in->p, len);
	if (len > s->cap / 2) {
		s->cap *= 2;
		s->base = xrealloc(s->base, s->cap + BUF_PAD, 1);
	}
	set_window(in, 0, len);
}

static void
wait_for(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };

	poll(&wait, 1, -1);
}

/* True when a read would have to wait. */
static bool
would_wait(int fd)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };

	return poll(&ready, 1, 0) == 0;
}

static ssize_t
read_some(const struct input *in, void *to, size_t room)
{
	return in->read != NULL ? in->read(in->state->fd, to, room, in->read_arg) : read(in->state->fd, to, room);
}

bool
input_more(struct input *in)
{
	struct input_state *s = in->state;

	if (in->eof)
		return false;
	if (in->before_wait != NULL && would_wait(s->fd))
		in->before_wait(in->before_wait_arg);
	if ((size_t)(s->base + s->cap - in->end) < s->cap / 4)
		make_room(in);
	for (;;) {
		ssize_t n = read_some(in, in->end, (size_t)(s->base + s->cap - in->end));

		if (n > 0) {
			in->end += n;
			*in->end = '\0';
			progress_add(0, (size_t)n);
			return true;
		}
		if (n == 0) {
			in->eof = true;
			return false;
		}
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			wait_for(s->fd);
		else if (errno == EBADF && s->fd == STDIN_FILENO)
			die(EX_NOINPUT, "stdin is closed: name a file or connect a pipe");
		else if (errno != EINTR)
			die_errno(EX_IOERR, "%s", in->file);
		progress_check();
	}
}

const char *
input_slurp(const char *file, struct buf *text, size_t most)
{
	struct input in;
	const char *name;

	input_open(&in, (char *[]){ (char *)file, NULL });
	name = in.file;
	do {
		buf_add(text, in.p, (size_t)(in.end - in.p));
		in.p = in.end;
	} while (text->len <= most && input_more(&in));
	input_close(&in);
	return name;
}
