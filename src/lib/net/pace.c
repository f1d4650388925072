/* net/pace.c - when the next try may start. */
#include "net/pace.h"

#include <time.h>

#include "base/clock.h"

static double
at_most(double most, double seconds)
{
	return seconds < most ? seconds : most;
}

void
http_pace_open(struct http_pace *p, double max_time, double retry_wait)
{
	p->deadline = max_time > 0 ? clock_now() + max_time : 0;
	p->retry_wait = retry_wait;
}

double
http_pace_poll(const struct http_pace *p, double waited)
{
	return at_most(HTTP_PAUSE, p->retry_wait * 4 * (1 + waited / 60));
}

void
http_pace_hold(struct http_pace *p, double seconds)
{
	double until = clock_now() + seconds;

	if (until > p->not_before)
		p->not_before = until;
}

bool
http_pace_ends(const struct http_pace *p, double seconds)
{
	return p->deadline > 0 && clock_now() + seconds > p->deadline;
}

void
http_pace_wall(char *text, size_t size, double seconds)
{
	time_t today = time(NULL), then = today + (time_t)seconds;
	struct tm a, b;

	localtime_r(&today, &a);
	localtime_r(&then, &b);
	strftime(text, size, a.tm_yday == b.tm_yday && a.tm_year == b.tm_year ? "%H:%M" : "%Y-%m-%d %H:%M", &b);
}
