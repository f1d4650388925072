/*
 * net/bearer.h - a token that says who we are: its header, and when it has to be renewed.
 *
 * Zeroed, it holds no token.  Whoever asks for tokens does:
 *	if (bearer_is_due(&b))
 *		bearer_set(&b, "Authorization", TOKEN, LIFE);
 * and calls bearer_drop() where the server says that the token has ended.
 */
#ifndef BEARER_H
#define BEARER_H

#include "base/buf.h"

struct bearer {
	char *token;                    /* NULL: none, or it was dropped */
	struct buf header;              /* "NAME: Bearer TOKEN", for struct http_request's secrets */
	double until;                   /* when to renew it, by clock_now(); 0: never */
};

/* In place of the one before; messages do not show it.  LIFE: s for which it is good; 0: nobody
 * knows, or for ever. */
void bearer_set(struct bearer *, const char *name, struct str token, double life);
/* There is none, or its life is nearly over. */
bool bearer_is_due(const struct bearer *);
void bearer_drop(struct bearer *);
void bearer_free(struct bearer *);

#endif
