/*
 * knack/resume.h - a small file that lets a later run go on where this one stopped.
 *
 * It is written after a page went out, never before, and whole or not at all.  Where standard output is a file, the
 * file's length is in it, too: what a run that was killed wrote past it is cut off, so that no page is there twice.
 */
#ifndef KNACK_RESUME_H
#define KNACK_RESUME_H

#include "knack/pages.h"

struct knack_resume;

/* A file that is torn, or of another QUESTION, or that does not fit standard output, dies EX_CONFIG and says what to do; one
 * that can't be made, EX_CANTCREAT. */
struct knack_resume *knack_resume_open(const char *file, const char *question);
/* Where the earlier run stopped; pages is 0 where there was none. */
const struct knack_mark *knack_resume_mark(const struct knack_resume *);
/* All up to the mark is on standard output. */
void knack_resume_save(struct knack_resume *, const struct knack_mark *);
/* All is written: takes the file away. */
void knack_resume_end(struct knack_resume *);

#endif
