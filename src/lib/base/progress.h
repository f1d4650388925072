/*
 * base/progress.h - how far we are, on stderr: once a second on a terminal (or under --progress),
 * and whenever SIGUSR1 comes.  opt_parse() starts it.  Whoever moves rows adds to the counts and
 * calls progress_check() in its loop and when a system call came back with EINTR.
 */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdbool.h>

/* Adds to the counts. */
void progress_add(unsigned long long rows, unsigned long long bytes);
/* The rows up to now; and the rows at the end, 0: not known. */
void progress_set_rows(unsigned long long rows);
void progress_set_total(unsigned long long rows);
/* Begins anew, for the second pass over what was read. */
void progress_restart(unsigned long long total_rows);
void progress_check(void);                      /* shows it if it is time */

void progress_start(bool every_second);
double progress_seconds(void);                  /* since progress_start(), by the monotonic clock */

#endif
