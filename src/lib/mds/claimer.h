/*
 * mds/claimer.h - who has claimed a block: a process, told apart from any other of any machine.
 *
 * "HOST PID START NAMESPACE BOOT": the host's name is for people; PID counts in the namespace of process numbers of this boot of
 * this machine, and START (clock ticks after the boot) tells it from a later process with that number.  What /proc does not
 * tell is "-", and such a process is never found dead.
 */
#ifndef MDS_CLAIMER_H
#define MDS_CLAIMER_H

#include <stdbool.h>

#include "base/buf.h"

enum claimer { CLAIMER_ELSEWHERE, CLAIMER_ALIVE, CLAIMER_DEAD };

/* Appends that of a process of this machine; false when there is none. */
bool claimer_put(struct buf *, long pid);
/* What became of the one that claimer_put() told of, here or on another machine.  Text that is no claimer's is ELSEWHERE. */
enum claimer claimer_look(const char *text);
/* Appends "pid 12 of HOST". */
void claimer_name(struct buf *, const char *text);

#endif
