/*
 * idset - tells which of N made-up ids idset.h takes for new, each of which comes again DISTANCE ids later.
 *
 *	idset N DISTANCE
 *
 * Prints how many were new at first sight, how many were known at the second, and whether memory stayed below 40 MiB.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/idset.h"
#include "base/opt.h"

static const struct opt options[] = { OPT_END };
const struct tool tool = {
	.name = "idset", .operands = "N DISTANCE", .options = options, .does = "Try the set of ids.",
};

/* Like Knack's: a time that creeps, one machine, and a counter. */
static bool
add(struct idset *s, unsigned n)
{
	char id[25];

	snprintf(id, sizeof id, "%08xa1B2c3D4e5%06x", 0x5d79512b + n / 1000, n & 0xffffff);
	return idset_add(s, (struct str){ id, 24 });
}

int
main(int argc, char *argv[])
{
	char **operands = opt_parse(argc, argv);
	unsigned n = (unsigned)atol(operands[0]), distance = (unsigned)atol(operands[1]), fresh = 0, known = 0;
	struct idset *s = idset_open();
	struct rusage used;

	for (unsigned i = 0; i < n; i++) {
		fresh += add(s, i);
		known += i >= distance && !add(s, i - distance);
	}
	idset_close(s);
	getrusage(RUSAGE_SELF, &used);
	printf("%u new, %u known, %s\n", fresh, known, used.ru_maxrss < 40 << 10 ? "small" : "large");
	return EX_OK;
}
