/*
 * fuzz-block - labels of hour blocks, and blocks in many a zone: what is read as a label is written as one and read again as the same;
 * the blocks around it follow each other without a gap and without overlap, and none is without width.
 *
 * The first byte chooses the zone, the rest is the label.
 */
#include <stdint.h>
#include <stdlib.h>

#include "format/zone.h"
#include "mds/block.h"

#define CHECK(x) do { if (!(x)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check_walk(int64_t wall)
{
	int64_t after = wall - 30 * BLOCK_HOUR, upto = wall + 30 * BLOCK_HOUR, last = block_edge(after);

	for (struct block_walk w = block_walk(after, upto); block_next(&w); last = w.ends)
		CHECK(w.starts == last && w.ends > w.starts && w.label > after && w.label <= upto);
	CHECK(last == block_edge(upto));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char *const zones[] = { "America/Chicago", "Australia/Lord_Howe", "Africa/Casablanca", "America/Caracas",
		"Antarctica/Troll", "Pacific/Apia", "Asia/Kolkata", "America/Havana" };
	static int used = -1;
	struct buf label = { 0 };
	int64_t wall, again;
	const char *why = NULL;

	if (n == 0)
		return 0;
	if (used != data[0] % 8)
		zone_use(zones[used = data[0] % 8]);

	char *text = xmalloc(n);        /* of this size, so that one byte too far is seen */

	memcpy(text, data + 1, n - 1);
	if (block_label_parse((struct str){ text, n - 1 }, &wall, &why)) {
		block_put_label(&label, wall);
		CHECK(block_label_parse(buf_all(&label), &again, &why) && again == wall);
		check_walk(wall);
	} else {
		CHECK(why != NULL);
	}
	buf_free(&label);
	free(text);
	return 0;
}
