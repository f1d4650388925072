/*
 * fuzz-zip-end - any bytes as the end of a zip: what is said of them does not depend on how they come, and one number of members
 * at most is right, but for those of a zip without zip64, which begin again at 65,536.
 */
#include <stdint.h>
#include <stdlib.h>

#include "format/zip-end.h"

#define CHECK(x) do { if (!(x)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* PADDING bytes in front, which count for zip64's offsets. */
static bool
is_good(const uint8_t *data, size_t n, size_t step, size_t padding, unsigned long long members)
{
	struct zip_end e = { 0 };
	struct buf zeros = { 0 };
	bool good;

	buf_room(&zeros, padding);
	memset(zeros.p, 0, padding);
	zip_end_start(&e);
	zip_end_add(&e, (struct str){ zeros.p, padding });
	for (size_t i = 0; i < n; i += step)
		zip_end_add(&e, (struct str){ (const char *)data + i, n - i < step ? n - i : step });
	good = zip_end_check(&e, members) == NULL;
	zip_end_free(&e);
	buf_free(&zeros);
	return good;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	bool good[3];

	for (unsigned members = 0; members < 3; members++) {
		good[members] = is_good(data, n, n + 1, 0, members);
		CHECK(is_good(data, n, n / 3 + 1, 0, members) == good[members]);
	}
	CHECK(is_good(data, n, 1, 0, 1) == good[1]);
	CHECK(good[0] + good[1] + good[2] <= 1);
	if (n % 16 == 0)
		is_good(data, n, 100, 200000, 1);
	return 0;
}
