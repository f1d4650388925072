/*
 * fuzz-geojson - any bytes as a layer of polygons, or, where the first line is "number", as the text of a number.
 *
 * What is taken of a layer is what the header promises, since GEOS is told so: rings of four positions or more that end where
 * they start, one behind the other, a shell before its holes, all of it on the globe.  A number is what strtod() makes of it.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/number.h"
#include "geo/geojson.h"

#define CHECK(x) do { if (!(x)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check_feature(const struct geojson_feature *f)
{
	size_t at = 0, closed = 0;

	for (size_t i = 0; i < f->rings; i++) {
		const struct geojson_ring *r = &f->ring[i];
		const double *first = f->xy + 2 * r->at, *last = first + 2 * (r->n - 1);

		CHECK(r->at == at && r->n >= 4 && (i > 0 || r->shell));
		CHECK(first[0] == last[0] && first[1] == last[1]);
		for (const double *xy = first; xy <= last; xy += 2)
			CHECK(fabs(xy[0]) <= 180 && fabs(xy[1]) <= 90);
		for (const double *xy = first; xy < last; xy += 2)
			CHECK(fabs(xy[2] - xy[0]) <= 180);
		at += r->n;
		closed++;
	}
	CHECK(at == f->positions && f->unclosed <= closed);
	CHECK(f->properties.p == NULL || *f->properties.p == '{');
}

static void
check_layer(struct str text)
{
	struct geojson g;
	size_t features = 0;

	if (geojson_open(&g, text)) {
		while (geojson_next(&g)) {
			CHECK(g.feature.number == ++features);
			check_feature(&g.feature);
		}
		CHECK(g.why != NULL ? g.feature.number == features + 1 : g.feature.number == 0);
	} else {
		CHECK(g.why != NULL && g.feature.number == 0);
	}
	geojson_free(&g);
}

static void
check_number(struct str text)
{
	char *copy = str_dup(text), *end;
	double want = strtod(copy, &end), got;
	bool plain = strspn(copy, "+-0123456789.eE") == text.n && text.n > 0 && end == copy + text.n && isfinite(want);

	CHECK(number_read(text, &got) == plain);
	CHECK(!plain || (got == want && signbit(got) == signbit(want)));
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char number[] = "number\n";
	size_t skip = n >= 7 && memcmp(data, number, 7) == 0 ? 7 : 0;
	struct buf text = { 0 };

	buf_add(&text, data + skip, n - skip);
	buf_room(&text, 0);
	if (skip > 0)
		check_number(buf_all(&text));
	else
		check_layer(buf_all(&text));
	buf_free(&text);
	return 0;
}
