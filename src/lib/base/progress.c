/* base/progress.c - how far we are, on stderr. */
#include "base/progress.h"

#include <signal.h>
#include <stdio.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"

static struct { unsigned long long rows, bytes, total_rows; } counts;
static volatile sig_atomic_t due;
static double started;

static void
on_signal(int number)
{
	(void)number;
	due = 1;
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
progress_add(unsigned long long rows, unsigned long long bytes)
{
	counts.rows += rows;
	counts.bytes += bytes;
}

void
progress_set_rows(unsigned long long rows)
{
	counts.rows = rows;
}

void
progress_set_total(unsigned long long rows)
{
	counts.total_rows = rows;
}

void
progress_restart(unsigned long long total_rows)
{
	counts.rows = counts.bytes = 0;
	counts.total_rows = total_rows;
}

static void
show(void)
{
	double seconds = progress_seconds(), rate = seconds > 0 ? (double)counts.rows / seconds : 0;

	due = 0;
	if (counts.total_rows > counts.rows && rate > 0)
		warning("%llu of %llu rows, %.1f MB, %.0f rows/s, %.0f s to go", counts.rows, counts.total_rows,
		    (double)counts.bytes / 1e6, rate, (double)(counts.total_rows - counts.rows) / rate);
	else
		warning("%llu rows, %.1f MB, %.0f rows/s", counts.rows, (double)counts.bytes / 1e6, rate);
}

void
progress_check(void)
{
	if (due)
		show();
}
