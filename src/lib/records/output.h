/* records/output.h - bytes out of the process, all of them. */
#ifndef OUTPUT_H
#define OUTPUT_H

#include "base/buf.h"

#define WRITE_AT (64 * 1024)    /* bytes held before a write: what a pipe takes at once */

/* Waits out EINTR and EAGAIN; any other error dies EX_IOERR with NAME. */
void write_all(int fd, const char *name, struct str);

/* A file that appears under its name only once it is complete and on the disk: until then it is PATH.part, which
 * die() and signals remove.  A link stays one, and its target is what appears.  What is no regular file (a pipe, /dev/null),
 * and /dev/stderr and its like, is written to as it is: root could put a file in a device's place. */
#define WHOLE_FILES 2           /* at a time: the output, and its rejects */
struct whole_file { char *part, *path; int fd; bool in_place; };
void whole_file_open(struct whole_file *, const char *path);    /* EX_CANTCREAT */
void whole_file_close(struct whole_file *);

#endif
