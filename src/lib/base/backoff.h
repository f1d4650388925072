/* base/backoff.h - how long to wait before something is tried again. */
#ifndef BACKOFF_H
#define BACKOFF_H

/* s to wait after TRIES tries, counted from 0.  Full jitter: any time up to a pause that starts
 * at FIRST, doubles, and ends at LONGEST; so that clients which failed together do not come back
 * together. */
double backoff_pause(double first, double longest, unsigned tries);

#endif
