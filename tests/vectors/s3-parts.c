/*
 * s3-parts - the sizes of an upload's parts: a line a number, and the size of all parts up to it.
 *
 *	s3-parts FIRST NUMBER...        FIRST: bytes of the first part
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/opt.h"
#include "s3/stream.h"

static const struct opt options[] = { OPT_END };
const struct tool tool = {
	.name = "s3-parts", .operands = "FIRST NUMBER...", .options = options, .does = "Sizes of parts.",
};

int
main(int argc, char *argv[])
{
	char **words = opt_parse(argc, argv);
	long long first = atoll(words[0]), sum = 0;
	unsigned number = 1;

	for (size_t i = 1; words[i] != NULL; i++) {
		for (; number <= (unsigned)atoi(words[i]); number++)
			sum += s3_part_size(first, number);
		printf("%s %lld %lld\n", words[i], s3_part_size(first, number - 1), sum);
	}
	return EX_OK;
}
