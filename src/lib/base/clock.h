/* base/clock.h - how time passes: a clock that nobody sets, for waits, limits and rates. */
#ifndef CLOCK_H
#define CLOCK_H

#include <time.h>

/* s since some moment of the past. */
static inline double
clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

#endif
