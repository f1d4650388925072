/*
 * shim - LD_PRELOADed under a tool, it makes one call fail, or all of them misbehave as the kernel may.
 *
 *	TORTURE_TOOL    the program that is meant, by its name; others in the pipe are left alone
 *	TORTURE         CALL:N  the Nth call of a kind fails as a bad day would have it; or
 *	                slow:N  reads and writes are short, interrupted or not ready, at random by the seed N
 *	TORTURE_FIRED   a file to make when the Nth call has failed: without it the run ended before
 *
 * What it does itself goes by syscall(2) and glibc's inner malloc, so that it never meets itself.  Descriptor 2 is
 * left alone: there is no other place to say that it failed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum call { CALL_MALLOC, CALL_READ, CALL_WRITE, CALL_FSYNC, CALL_CLOSE, CALL_OPEN, CALL_CONNECT, CALL_NET, CALL_PROCESS, CALL_SLOW, CALLS };

static const struct { const char *name; int error; } calls[CALLS] = {
	[CALL_MALLOC] = { "malloc", ENOMEM },
	[CALL_READ] = { "read", EIO },
	[CALL_WRITE] = { "write", ENOSPC },
	[CALL_FSYNC] = { "fsync", EIO },
	[CALL_CLOSE] = { "close", EIO },
	[CALL_OPEN] = { "open", EMFILE },
	[CALL_CONNECT] = { "connect", ECONNREFUSED },
	[CALL_NET] = { "net", ECONNRESET },
	[CALL_PROCESS] = { "process", EAGAIN },
	[CALL_SLOW] = { "slow", 0 },
};
static enum call victim = CALLS;        /* CALLS: none; the constructor has not run, or it is another program */
static unsigned long long n_left;       /* calls until the one that fails */
static unsigned long long seed;

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
pid_t __fork(void);

__attribute__((constructor)) static void
read_settings(void)
{
	const char *order = getenv("TORTURE"), *tool = getenv("TORTURE_TOOL"), *colon;

	if (order == NULL || tool == NULL || strcmp(tool, program_invocation_short_name) != 0 || (colon = strchr(order, ':')) == NULL)
		return;
	n_left = seed = strtoull(colon + 1, NULL, 10);
	for (enum call c = 0; c < CALLS; c++)
		if (strlen(calls[c].name) == (size_t)(colon - order) && strncmp(order, calls[c].name, (size_t)(colon - order)) == 0)
			victim = c;
	if (victim == CALLS)
		abort();        /* a wrong name must not pass for a run that survived */
}

/* True, with errno set, for the one call that is to fail. */
static bool
fails(enum call c)
{
	const char *fired;

	if (c != victim || __atomic_fetch_sub(&n_left, 1, __ATOMIC_RELAXED) != 1)
		return false;
	if ((fired = getenv("TORTURE_FIRED")) != NULL)
		syscall(SYS_close, syscall(SYS_openat, AT_FDCWD, fired, O_CREAT | O_WRONLY, 0666));
	errno = calls[c].error;
	return true;
}

/* xorshift64: any seed but 0 will do. */
static unsigned long long
random_next(void)
{
	seed = seed != 0 ? seed : 88172645463325252ULL;
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* Under slow: true for a call that has to be tried again, else *n may become less. */
static bool
is_slow(size_t *n)
{
	if (victim != CALL_SLOW)
		return false;
	switch (random_next() >> 32 & 7) {
	case 0:
		errno = EINTR;
		return true;
	case 1:
		errno = EAGAIN;
		return true;
	case 2: case 3: case 4:
		if (*n > 1)
			*n = 1 + random_next() % (*n < 512 ? *n : 512);
	}
	return false;
}

void *
malloc(size_t n)
{
	return fails(CALL_MALLOC) ? NULL : __libc_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
	return fails(CALL_MALLOC) ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *p, size_t n)
{
	return fails(CALL_MALLOC) ? NULL : __libc_realloc(p, n);
}

ssize_t
read(int fd, void *to, size_t n)
{
	return fails(CALL_READ) || is_slow(&n) ? -1 : syscall(SYS_read, fd, to, n);
}

ssize_t
write(int fd, const void *from, size_t n)
{
	return fd != STDERR_FILENO && (fails(CALL_WRITE) || is_slow(&n)) ? -1 : syscall(SYS_write, fd, from, n);
}

/* libcurl wakes itself through a pair of sockets without names: no network can cut those. */
static bool
is_pair(int fd)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof peer;

	return getpeername(fd, (struct sockaddr *)&peer, &len) == 0 && peer.ss_family == AF_UNIX && len == sizeof peer.ss_family;
}

/* A connection that was reset is reset for good: libpq, for one, waits for the server's last words after a send that failed. */
static bool
is_cut(int fd)
{
	if (is_pair(fd) || !fails(CALL_NET))
		return false;
	syscall(SYS_shutdown, fd, SHUT_RDWR);
	errno = ECONNRESET;
	return true;
}

ssize_t
recv(int fd, void *to, size_t n, int flags)
{
	return is_cut(fd) || is_slow(&n) ? -1 : syscall(SYS_recvfrom, fd, to, n, flags, NULL, NULL);
}

ssize_t
send(int fd, const void *from, size_t n, int flags)
{
	return is_cut(fd) || is_slow(&n) ? -1 : syscall(SYS_sendto, fd, from, n, flags, NULL, 0);
}

int
fsync(int fd)
{
	return fails(CALL_FSYNC) ? -1 : (int)syscall(SYS_fsync, fd);
}

/* The descriptor is closed either way, as Linux has it. */
int
close(int fd)
{
	int status = (int)syscall(SYS_close, fd);

	return fails(CALL_CLOSE) ? -1 : status;
}

int
open(const char *path, int flags, ...)
{
	va_list args;

	va_start(args, flags);

	mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;

	va_end(args);
	return fails(CALL_OPEN) ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int
socket(int family, int type, int protocol)
{
	return fails(CALL_OPEN) ? -1 : (int)syscall(SYS_socket, family, type, protocol);
}

int
pipe2(int fd[2], int flags)
{
	return fails(CALL_OPEN) ? -1 : (int)syscall(SYS_pipe2, fd, flags);
}

int
pipe(int fd[2])
{
	return pipe2(fd, 0);
}

int
connect(int fd, const struct sockaddr *to, socklen_t len)
{
	return fails(CALL_CONNECT) ? -1 : (int)syscall(SYS_connect, fd, to, len);
}

pid_t
fork(void)
{
	return fails(CALL_PROCESS) ? -1 : __fork();
}
