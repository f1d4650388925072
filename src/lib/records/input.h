/*
 * records/input.h - a window that slides over standard input or the files named as operands.
 *
 * [p, end) are the bytes that were read and not consumed yet; the caller consumes by moving p forward.  *end is
 * 0 and BUF_PAD bytes past it may be read.  Bytes that are not consumed stay at hand, at a new place perhaps,
 * while the window grows; so a record is simply scanned again with more of it there.
 */
#ifndef INPUT_H
#define INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"

struct input {
	char *p, *end;
	const char *file;               /* its name for messages; "<stdin>" */
	bool eof;                       /* the current file has no more than [p, end) */
	/* Hooks, set after input_open(); or NULL.  read() takes the place of read(2), to decode bytes: 0 is
	 * the end of the file, after which the next call is for another one.  before_wait() is called
	 * before a read that may block, to flush what is held. */
	ssize_t (*read)(int fd, void *to, size_t room, void *arg);
	void (*before_wait)(void *arg);
	void *read_arg, *before_wait_arg;
	struct input_state *state;      /* of input.c */
};

/* Files as opt_parse() left them; standard input where none is named, and for "-".  Opens the first: one that
 * won't open dies EX_NOINPUT. */
void input_open(struct input *, char **files);
/* Reads more behind end.  False at the end of the file.  A read error dies EX_IOERR. */
bool input_more(struct input *);
/* Goes on to the next file once all of this one is consumed; false after the last. */
bool input_next_file(struct input *);
void input_close(struct input *);
/* Appends a whole file, or standard input for "-", and returns its name for messages.  Stops when
 * there are more than MOST bytes: compare text->len with it.  Ends the process as the functions
 * above do. */
const char *input_slurp(const char *file, struct buf *text, size_t most);
int input_fd(const struct input *);     /* of the current file, to wait for */

#endif
