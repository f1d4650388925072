/* net/bearer.c - a token that says who we are. */
#include "net/bearer.h"

#include <stdlib.h>

#include "base/clock.h"

/* s before its end at which a token is renewed; a quarter of its life where that is shorter */
#define MARGIN 300.0

void
bearer_set(struct bearer *b, const char *name, struct str token, double life)
{
	bearer_drop(b);
	b->token = str_dup(token);
	err_mask(b->token);
	b->until = life > 0 ? clock_now() + life - (MARGIN < life / 4 ? MARGIN : life / 4) : 0;
	buf_fmt(&b->header, "%s: Bearer %s", name, b->token);
}

bool
bearer_is_due(const struct bearer *b)
{
	return b->token == NULL || (b->until > 0 && clock_now() > b->until);
}

void
bearer_drop(struct bearer *b)
{
	if (b->token != NULL)
		err_unmask(b->token);
	free(b->token);
	b->token = NULL;
	buf_reset(&b->header);
}

void
bearer_free(struct bearer *b)
{
	free(b->token);
	buf_free(&b->header);
	*b = (struct bearer){ 0 };
}
