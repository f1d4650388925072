/*
 * shim - LD_PRELOADed under a tool, it makes one call fail, or all of them misbehave as the kernel may.
 *
 *	TORTURE_TOOL    the program that is meant, by its name; others in the pipe are left alone
 *	TORTURE         IN,OUT: descriptors.  The tool starts once, stops before main(), and is forked for each order that comes
 *	                by IN, so that a run costs no exec and no dynamic linking.  An order is a line; a run has ./in, ./out
 *	                and ./err as its standard descriptors.  The reply, by OUT, is two lines: its process id when it
 *	                starts; its wait status, and 1 if a call has failed (else 0), when it ends.
 *
 *	                CALL:N: one run, without that; TORTURE_FIRED is a file to make when the Nth call has failed
 *
 *	CALL:N          the Nth call of a kind fails
 *	CALL:0          none fails; ./sites gets 8 bytes for each call of that kind: a hash of who called
 *	slow:N          reads and writes are short, interrupted or not ready, at random by the seed N
 *
 * What it does itself goes by syscall(2) and glibc's inner malloc, so that it never meets itself.  Descriptor 2 is
 * left alone: there is no other place to report the failure.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
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
#define FRAMES 6                /* callers that make a site: enough to tell which function of a library is used by whom */

static enum call victim = CALLS;        /* CALLS: none; the constructor has not run, or it is another program */
static unsigned long long seed;
/* Shared with the process that takes the orders, and with those that the tool forks: one call fails, in one of them. */
static struct { unsigned long long n_left; int fired; } *run;
static int sites = -1;                  /* the file that gets them */

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
pid_t __fork(void);

/* A descriptor that the tool's own do not meet. */
static int
open_high(const char *path, int flags)
{
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0666), high = fcntl(fd, F_DUPFD_CLOEXEC, 500);

	syscall(SYS_close, fd);
	return high;
}

static void
open_as(int as, const char *path, int flags)
{
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0666);

	if (fd < 0)
		abort();
	dup2(fd, as);
	syscall(SYS_close, fd);
}

/* What is to fail. */
static enum call
read_order(const char *order)
{
	const char *colon = strchr(order, ':');
	size_t len = colon != NULL ? (size_t)(colon - order) : 0;
	enum call c = 0;

	while (c < CALLS && (strlen(calls[c].name) != len || strncmp(order, calls[c].name, len) != 0))
		c++;
	if (c == CALLS)
		abort();        /* a wrong name must not pass for a run that survived */
	run->n_left = seed = strtoull(colon + 1, NULL, 10);
	return c;
}

/* In the process that becomes the tool. */
static void
take_order(const char *order)
{
	enum call c = read_order(order);

	if (seed == 0 && c != CALL_SLOW)
		sites = open_high("sites", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND);
	setpgid(0, 0);
	open_as(0, "in", O_RDONLY);
	open_as(1, "out", O_WRONLY | O_CREAT | O_TRUNC);
	open_as(2, "err", O_WRONLY | O_CREAT | O_TRUNC);
	victim = c;
}

static bool
read_line(int fd, char *line, size_t size)
{
	for (size_t n = 0; n + 1 < size && syscall(SYS_read, fd, line + n, 1) == 1; n++)
		if (line[n] == '\n') {
			line[n] = '\0';
			return true;
		}
	return false;
}

/* Returns in each child, which then is the tool; never in the process that takes the orders. */
static void
serve(int from, int to)
{
	char line[80];

	while (read_line(from, line, sizeof line)) {
		int status = 0;
		pid_t pid;

		run->fired = 0;
		if ((pid = __fork()) == 0) {
			syscall(SYS_close, from);
			syscall(SYS_close, to);
			take_order(line);
			return;
		}
		dprintf(to, "%d\n", (int)pid);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			continue;
		dprintf(to, "%d %d\n", status, run->fired);
	}
	_exit(0);
}

__attribute__((constructor)) static void
start(void)
{
	const char *fds = getenv("TORTURE"), *tool = getenv("TORTURE_TOOL"), *comma;
	void *frames[1];

	if (fds == NULL || tool == NULL || strcmp(tool, program_invocation_short_name) != 0)
		return;
	run = mmap(NULL, sizeof *run, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (run == MAP_FAILED)
		abort();
	if ((comma = strchr(fds, ',')) == NULL) {
		victim = read_order(fds);
		return;
	}
	backtrace(frames, 1);   /* it allocates the first time */
	serve(atoi(fds), atoi(comma + 1));
}

/* Who called: a hash of the return addresses, as offsets from a place in memory that is the same in all forks. */
static void
add_site(void)
{
	static __thread bool busy;
	void *frame[FRAMES + 3];
	uint64_t hash = 14695981039346656037ULL;
	int n;

	if (busy)
		return;
	busy = true;
	n = backtrace(frame, FRAMES + 3);
	for (int i = 2; i < n; i++)
		hash = (hash ^ (uintptr_t)frame[i]) * 1099511628211ULL;
	syscall(SYS_write, sites, &hash, sizeof hash);
	busy = false;
}

/* True, with errno set, for the one call that is to fail. */
static bool
fails(enum call c)
{
	const char *file;

	if (c != victim)
		return false;
	if (sites >= 0)
		add_site();
	if (__atomic_fetch_sub(&run->n_left, 1, __ATOMIC_RELAXED) != 1)
		return false;
	run->fired = 1;
	if ((file = getenv("TORTURE_FIRED")) != NULL)
		syscall(SYS_close, syscall(SYS_openat, AT_FDCWD, file, O_CREAT | O_WRONLY, 0666));
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
