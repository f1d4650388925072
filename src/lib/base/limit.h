/* base/limit.h - how much of a target may go: "N" rows or a share, "P%", as an option has it. */
#ifndef LIMIT_H
#define LIMIT_H

#include <stdbool.h>

struct limit { double n; bool share; const char *option; };     /* option: lent, for messages */

/* TEXT is what the option, "max-delete", was given. */
struct limit limit_parse(const char *option, const char *text);
/* Dies EX_CONFIG if more of the total than the limit would go. */
void limit_check(struct limit, unsigned long long gone, unsigned long long total, const char *target);

#endif
