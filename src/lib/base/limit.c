/* base/limit.c - how much of a target may go. */
#include "base/limit.h"

#include <stdlib.h>

#include "base/err.h"

struct limit
limit_parse(const char *option, const char *text)
{
	char *end;
	struct limit limit = { .n = strtod(text, &end), .option = option };

	limit.share = *end == '%';
	if (end == text || end[limit.share] != '\0' || !(limit.n >= 0) || (limit.share && limit.n > 100))
		die(EX_USAGE, "--%s %s: want a number of rows or a share such as 50%%", option, text);
	return limit;
}

void
limit_check(struct limit limit, unsigned long long gone, unsigned long long total, const char *target)
{
	double most = limit.share ? (double)total * limit.n / 100 : limit.n;

	if ((double)gone > most)
		die(EX_CONFIG, "%llu of the %llu rows of %s would go: nothing was changed, allow it with --%s",
		    gone, total, target, limit.option);
}
