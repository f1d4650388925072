/*
 * base/progress.h - how far we are, on stderr: once a second on a terminal (or under --progress),
 * and whenever SIGUSR1 comes.  opt_parse() starts it.  Whoever moves rows adds to the counts and
 * calls progress_check() in its loop and when a system call came back with EINTR.
 */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <signal.h>
#include <stdbool.h>

struct progress { unsigned long long rows, bytes, total_rows; };        /* total 0: not known */

extern struct progress progress;
extern volatile sig_atomic_t progress_due;

void progress_start(bool every_second);
void progress_show(void);
double progress_seconds(void);                  /* since progress_start(), by the monotonic clock */

static inline void
progress_check(void)
{
	if (progress_due)
		progress_show();
}

#endif
