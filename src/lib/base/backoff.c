/* base/backoff.c - how long to wait before something is tried again. */
#include "base/backoff.h"

#include <stdint.h>
#include <time.h>
#include <unistd.h>

#define DOUBLINGS 20            /* more make no difference, and would overflow */

/* 0 to 1; xorshift is random enough to keep many clients from coming back at once. */
static double
chance(void)
{
	static uint64_t random;

	if (random == 0) {
		struct timespec t;

		clock_gettime(CLOCK_REALTIME, &t);
		random = (uint64_t)t.tv_nsec << 32 ^ (uint64_t)t.tv_sec ^
		    (uint64_t)getpid() << 20 ^ 1;
	}
	random ^= random << 13;
	random ^= random >> 7;
	random ^= random << 17;
	return (double)(random >> 11) / 9007199254740992.0;
}

double
backoff_pause(double first, double longest, unsigned tries)
{
	double pause = first * (double)(1u << (tries < DOUBLINGS ? tries : DOUBLINGS));

	return chance() * (pause < longest ? pause : longest);
}
