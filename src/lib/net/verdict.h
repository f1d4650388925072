/*
 * net/verdict.h - what came of a try: an answer, a reason to try again, or a failure and its exit
 * status.
 *
 * For http.c alone, which does what the verdict says.  What depends on how many tries there were, and on how much time is left, is not
 * judged here.
 */
#ifndef HTTP_VERDICT_H
#define HTTP_VERDICT_H

#include "net/exchange.h"

enum http_outcome {
	HTTP_GOOD,                      /* the answer is the caller's */
	HTTP_BAD,                       /* another try would bring the same */
	HTTP_AGAIN,                     /* another try may do better */
	HTTP_MOVED,                     /* elsewhere, at once: the exchange has the place */
	HTTP_NOT_READY                  /* 202: later; the exchange has the place, where it is another one */
};

struct http_verdict {
	enum http_outcome outcome;
	int status;                     /* BAD, and AGAIN when tries run out: the exit status */
	double told;                    /* AGAIN, NOT_READY: s to wait that the server asked for; else 0 */
	struct buf why;                 /* BAD, AGAIN: for people; the caller frees it */
};

/* Of a try that is over, as libcurl has it. */
struct http_verdict http_judge(struct http_exchange *, CURLcode);
/* Of one that was ended here: the peer was silent for so many seconds; or --max-time is over, BEFORE being why it was tried again, or "". */
struct http_verdict http_judge_silence(struct http_exchange *, double seconds);
struct http_verdict http_judge_end(struct http_exchange *, const char *before);

#endif
