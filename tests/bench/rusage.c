/*
 * rusage - run a command N times with its output thrown away; print the median milliseconds and the largest
 * resident set in KiB.
 *
 * A program of its own, since a child starts with the resident set of its parent: under Python every tool would
 * seem to need what Python does.
 */
#define _DEFAULT_SOURCE         /* wait4(2) */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define RUNS_MAX 1000

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Returns the milliseconds that it took; a command that fails ends the run. */
static double
run(char *argv[], long *kib)
{
	double start = now();
	struct rusage use;
	pid_t child = fork();
	int status;

	if (child == 0) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, STDOUT_FILENO);
		execvp(argv[0], argv);
		_exit(127);
	}
	if (child < 0 || wait4(child, &status, 0, &use) < 0) {
		perror("rusage");
		exit(EX_OSERR);
	}
	if (status != 0) {
		fprintf(stderr, "rusage: %s failed: wait status %d\n", argv[0], status);
		exit(EX_SOFTWARE);
	}
	if (use.ru_maxrss > *kib)
		*kib = use.ru_maxrss;
	return now() - start;
}

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int
main(int argc, char *argv[])
{
	static double ms[RUNS_MAX];
	int n = argc > 2 ? atoi(argv[1]) : 0;
	long kib = 0;

	if (n < 1 || n > RUNS_MAX) {
		fprintf(stderr, "usage: rusage N COMMAND [ARG ...]\n");
		return EX_USAGE;
	}
	for (int i = 0; i < n; i++)
		ms[i] = run(argv + 2, &kib);
	qsort(ms, (size_t)n, sizeof *ms, by_size);
	printf("%.3f %ld\n", ms[n / 2], kib);
	return EX_OK;
}
