/* base/progress.c - how far we are, on stderr. */
#include "base/progress.h"

#include <stdio.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"

struct progress progress;
volatile sig_atomic_t progress_due;

static double started;

static void
on_signal(int number)
{
	(void)number;
	progress_due = 1;
}

void
progress_start(bool every_second)
{
	/* No SA_RESTART: a read that waits comes back with EINTR, so that a slow source shows its progress too. */
	struct sigaction action = { .sa_handler = on_signal };

	started = clock_now();
	sigemptyset(&action.sa_mask);
	sigaction(SIGUSR1, &action, NULL);
	if (every_second) {
		struct itimerval second = { { 1, 0 }, { 1, 0 } };

		sigaction(SIGALRM, &action, NULL);
		setitimer(ITIMER_REAL, &second, NULL);
	}
}

double
progress_seconds(void)
{
	return clock_now() - started;
}

void
progress_show(void)
{
	double seconds = progress_seconds(), rate = seconds > 0 ? (double)progress.rows / seconds : 0;

	progress_due = 0;
	if (progress.total_rows > progress.rows && rate > 0)
		warning("%llu of %llu rows, %.1f MB, %.0f rows/s, %.0f s to go", progress.rows, progress.total_rows,
		    (double)progress.bytes / 1e6, rate, (double)(progress.total_rows - progress.rows) / rate);
	else
		warning("%llu rows, %.1f MB, %.0f rows/s", progress.rows, (double)progress.bytes / 1e6, rate);
}
