/*
 * net/pace.h - when the next try may start: pauses that grow, the server's wishes, and --max-time.
 *
 * For http.c alone; one a process, since what a server asks for holds for all requests.
 */
#ifndef HTTP_PACE_H
#define HTTP_PACE_H

#include <stdbool.h>
#include <stddef.h>

#define HTTP_PAUSE 60.0         /* s between two tries at most, where the server does not say */

struct http_pace {
	double deadline;                /* by clock_now(); 0: none */
	double retry_wait;              /* s: the first pause */
	double not_before;              /* no try starts until then */
};

/* MAX_TIME: s for the whole run, 0 for no limit.  RETRY_WAIT: s, the first pause between tries. */
void http_pace_open(struct http_pace *, double max_time, double retry_wait);
/* s to wait after a 202 when so many s were spent on it. */
double http_pace_poll(const struct http_pace *, double waited);
void http_pace_hold(struct http_pace *, double seconds);
/* True if the time for the whole run ends within SECONDS. */
bool http_pace_ends(const struct http_pace *, double seconds);
/* When that is by the clock on the wall: "06:00", with the day where it is another one. */
void http_pace_wall(char *text, size_t size, double seconds);

#endif
