/*
 * fuzz-pgtype - each encoder of values for COPY, on any bytes.
 *
 * The first byte chooses the type, the next two the modifier.  What an encoder takes has to have the length that the type
 * is received with, and dates have to come back as text that gives the same bytes again.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/opt.h"
#include "pg/type.h"

static const struct opt options[] = { OPT_END };
const struct tool tool = { .name = "fuzz-pgtype", .options = options };

static const unsigned oids[] = { 16, 19, 20, 21, 23, 25, 114, 700, 701, 1042, 1043, 1082, 1114, 1184, 1700, 2950, 3802 };

static size_t
fixed_length(unsigned oid)
{
	switch (oid) {
	case 16: return 1;
	case 21: return 2;
	case 23: case 700: case 1082: return 4;
	case 20: case 701: case 1114: case 1184: return 8;
	case 2950: return 16;
	default: return 0;
	}
}

/* numeric: as many groups as the head says, each below 10000, none of zero at either end. */
static void
check_numeric(struct str v)
{
	const unsigned char *p = (const unsigned char *)v.p;
	size_t n = v.n < 8 ? 0 : (size_t)(p[0] << 8 | p[1]);

	if (v.n < 8 || v.n != 8 + 2 * n)
		abort();
	for (size_t i = 0; i < n; i++) {
		unsigned group = (unsigned)(p[8 + 2 * i] << 8 | p[9 + 2 * i]);

		if (group > 9999 || (group == 0 && (i == 0 || i + 1 == n)))
			abort();
	}
}

static void
check_date(const struct pgtype *type, struct str binary)
{
	struct buf text = { 0 }, again = { 0 };
	struct pgvalue v = { .typmod = -1, .order = DATE_ISO };

	pgtype_text(&text, type, binary);
	v.text = buf_all(&text);
	if (type->encode(&again, &v) != NULL || !str_eq(buf_all(&again), binary))
		abort();
	buf_free(&text);
	buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 4)
		return 0;

	unsigned oid = oids[data[0] % (sizeof oids / sizeof oids[0])];
	const struct pgtype *type = pgtype_find(oid, "");
	bool modified = data[1] % 2 == 1;
	/* a copy of its own size, so that reading past the end shows */
	char *text = malloc(size - 4 + 1);
	struct pgvalue v = { .text = { text, size - 4 }, .typmod = -1, .order = (enum date_order)(data[3] % 5) };
	struct buf out = { 0 };

	if (modified)
		v.typmod = (data[1] << 16 | data[2] << 3 | data[3] % 8) + 4;
	memcpy(text, data + 4, size - 4);
	if (type->encode(&out, &v) == NULL) {
		if (fixed_length(oid) != 0 && out.len != fixed_length(oid))
			abort();
		if (oid == 1700)
			check_numeric(buf_all(&out));
		if (type->date)
			check_date(type, buf_all(&out));
	}
	buf_free(&out);
	free(text);
	return 0;
}
