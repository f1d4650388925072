/*
 * records/spool.c - byte strings put aside in a file without a name: each is its length, then its
 * bytes.
 */
#include "records/spool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "records/output.h"

struct spool {
	int fd;
	struct buf buf;                 /* what is not written yet, or what was read and not taken yet */
	bool reading;
	size_t taken;                   /* of buf */
	off_t at;                       /* where the next read starts */
	unsigned long long n, left;
};

static const char *
directory(void)
{
	const char *dir = getenv("TMPDIR");

	return dir != NULL && *dir != '\0' ? dir : "/tmp";
}

int
spool_file(void)
{
	struct buf path = { 0 };
	int fd;

	buf_fmt(&path, "%s/culvert.XXXXXX", directory());
	fd = mkstemp(path.p);
	if (fd < 0)
		die_errno(EX_CANTCREAT, "a temporary file in %s (see TMPDIR)", directory());
	if (unlink(path.p) != 0)
		die_errno(EX_CANTCREAT, "%s", path.p);
	buf_free(&path);
	return fd;
}

struct spool *
spool_open(void)
{
	struct spool *s = xcalloc(1, sizeof *s);

	s->fd = spool_file();
	return s;
}

void
spool_write(int fd, struct str bytes)
{
	char name[512];

	snprintf(name, sizeof name, "a temporary file in %s (see TMPDIR)", directory());
	write_all(fd, name, bytes);
}

static void
flush(struct spool *s)
{
	spool_write(s->fd, buf_all(&s->buf));
	buf_reset(&s->buf);
}

void
spool_put(struct spool *s, struct str item)
{
	buf_add(&s->buf, &item.n, sizeof item.n);
	buf_str(&s->buf, item);
	s->n++;
	if (s->buf.len >= WRITE_AT)
		flush(s);
}

unsigned long long
spool_count(const struct spool *s)
{
	return s->n;
}

void
spool_rewind(struct spool *s)
{
	if (!s->reading)
		flush(s);
	s->reading = true;
	buf_reset(&s->buf);
	s->taken = 0;
	s->at = 0;
	s->left = s->n;
}

/* Makes the next N bytes stand at buf.p + taken. */
static void
fetch(struct spool *s, size_t n)
{
	size_t held = s->buf.len - s->taken;

	if (held >= n)
		return;
	memmove(s->buf.p, s->buf.p + s->taken, held);
	s->buf.len = held;
	s->taken = 0;
	buf_room(&s->buf, n < WRITE_AT ? WRITE_AT : n);
	while (s->buf.len < n) {
		ssize_t got = pread(s->fd, s->buf.p + s->buf.len, s->buf.cap - s->buf.len, s->at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			die_errno(EX_IOERR, "a temporary file in %s", directory());
		s->buf.len += (size_t)got;
		s->at += got;
	}
}

bool
spool_next(struct spool *s, struct buf *item)
{
	size_t n;

	if (s->left == 0)
		return false;
	s->left--;
	fetch(s, sizeof n);
	memcpy(&n, s->buf.p + s->taken, sizeof n);
	s->taken += sizeof n;
	fetch(s, n);
	buf_reset(item);
	buf_add(item, s->buf.p + s->taken, n);
	s->taken += n;
	return true;
}

void
spool_close(struct spool *s)
{
	close(s->fd);
	buf_free(&s->buf);
	free(s);
}
