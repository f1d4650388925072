/*
 * geo-tag - add to each record what its points lie in: a property of the polygon, from layers of GeoJSON.
 *
 * A record that gets fields is not written anew: its bytes go out as they came, and the fields follow.  What a
 * record says, its coordinates first of all, is never quoted in a message: trips are personal data.
 */
#include <math.h>
#include <stdlib.h>

#include "advice.h"
#include "base/err.h"
#include "base/names.h"
#include "base/number.h"
#include "base/opt.h"
#include "format/json.h"
#include "geo/layer.h"
#include "records/receipt.h"
#include "records/rows.h"

static struct words layers;
static const char *outside_option;
static bool strict_polygons;
static struct rows_options reading = { ROWS_DEFAULTS, ROWS_ADVICE };
static long long out_format;
static const char *receipt_file;

static const struct opt options[] = {
	OPT_LIST('l', "layer", "NAME=FILE:PROPERTY@LON,LAT", &layers,
	    "add the PROPERTY of its polygon"),
	OPT_STRING(0, "outside", "VALUE", &outside_option,
	    "the value for a point in no polygon (null)"),
	OPT_NO_LETTER('o', "outside"),
	OPT_FLAG(0, "strict-polygons", &strict_polygons, "refuse a file with polygons that have to be mended"),
	OPT_ROWS_IN(reading),
	OPT_ROWS_OUT(out_format),
	OPT_RECEIPT(receipt_file),
	OPT_END
};
const struct tool tool = {
	.name = "geo-tag", .operands = "[file ...]", .options = options,
	.does = "Add a property of the polygon that a record's point lies in.",
};

/* A file of polygons, read once for all layers of it. */
struct source { const char *file; struct str *property; size_t properties; struct geo_layer *layer; };

/* A column of coordinates.  field: that of the record at hand, NULL if it has none. */
struct column { struct str name; const struct field *field; bool seen; };

/* Two columns, and the point that the record at hand has there. */
struct pair { size_t lon, lat; bool nowhere; double x, y; };

struct tag {
	struct str name, key;           /* key: ,"name": as it goes out */
	size_t source, property, pair;
	struct field value;             /* of the record at hand */
	unsigned long long inside, outside, nowhere, border, several, zero, swapped;
};

/* What the name is that stood at this place of the last record: records of one stream are mostly alike. */
struct place { struct buf name; size_t meaning; };

struct tagger {
	struct source *source;
	struct pair *pair;
	struct tag *tag;
	struct column *column;
	size_t sources, pairs, tags, columns;
	struct names names;             /* the columns', then the tags' */
	struct place *place;
	size_t places;
	struct str outside;             /* JSON; p NULL: null */
	struct buf outside_text;
	bool there;                     /* the record at hand has a field of a tag's name */
	struct field *out;              /* for records that are written anew */
	size_t out_cap;
	unsigned long long written;
};

/* ---- options ---- */

static size_t
column_of(struct tagger *g, const char *layer, struct str name)
{
	size_t place;

	if (name.n == 0)
		die(EX_USAGE, "--layer %s: want NAME=FILE:PROPERTY@LON,LAT", layer);
	place = names_add(&g->names, name);
	if (place == g->columns) {
		g->column = xrealloc(g->column, g->columns + 1, sizeof *g->column);
		g->column[g->columns++] = (struct column){ .name = g->names.name[place] };
	}
	return place;
}

static size_t
pair_of(struct tagger *g, const char *layer, struct str lon, struct str lat)
{
	struct pair p = { .lon = column_of(g, layer, lon), .lat = column_of(g, layer, lat) };

	if (p.lon == p.lat)
		die(EX_USAGE, "--layer %s: longitude and latitude are one column", layer);
	for (size_t i = 0; i < g->pairs; i++)
		if (g->pair[i].lon == p.lon && g->pair[i].lat == p.lat)
			return i;
	g->pair = xrealloc(g->pair, g->pairs + 1, sizeof *g->pair);
	g->pair[g->pairs] = p;
	return g->pairs++;
}

static size_t
source_of(struct tagger *g, const char *file)
{
	for (size_t i = 0; i < g->sources; i++)
		if (strcmp(g->source[i].file, file) == 0)
			return i;
	g->source = xrealloc(g->source, g->sources + 1, sizeof *g->source);
	g->source[g->sources] = (struct source){ .file = file };
	return g->sources++;
}

static size_t
property_of(struct source *s, struct str property)
{
	for (size_t i = 0; i < s->properties; i++)
		if (str_eq(s->property[i], property))
			return i;
	s->property = xrealloc(s->property, s->properties + 1, sizeof *s->property);
	s->property[s->properties] = property;
	return s->properties++;
}

/* Cuts the word at its first '=', the next ':', the last '@' and the next ','. */
static void
parse_layer(struct tagger *g, char *word)
{
	char *file = strchr(word, '='), *property = file != NULL ? strchr(file, ':') : NULL;
	char *lon = property != NULL ? strrchr(property, '@') : NULL, *lat = lon != NULL ? strchr(lon, ',') : NULL;
	struct tag *t = &g->tag[g->tags++];
	struct buf key = { 0 };

	if (lat == NULL || file == word || property == file + 1 || lon == property + 1)
		die(EX_USAGE, "--layer %s: want NAME=FILE:PROPERTY@LON,LAT", word);
	t->name = (struct str){ word, (size_t)(file - word) };
	t->pair = pair_of(g, word, (struct str){ lon + 1, (size_t)(lat - lon - 1) }, str_of(lat + 1));
	*property++ = *lon = '\0';
	if (strcmp(file + 1, "-") == 0)
		die(EX_USAGE, "--layer %.*s: standard input has the records: name a file", (int)t->name.n, word);
	t->source = source_of(g, file + 1);
	t->property = property_of(&g->source[t->source], str_of(property));
	buf_json(&key, t->name);
	buf_char(&key, ':');
	t->key.n = key.len;
	t->key.p = buf_take(&key);
}

/* Names of tags come after those of all columns, and are none of them. */
static void
name_tags(struct tagger *g)
{
	for (size_t i = 0; i < g->tags; i++)
		if (names_add(&g->names, g->tag[i].name) != g->columns + i)
			die(EX_USAGE, "--layer %.*s: the name is that of another layer or of a coordinate",
			    (int)g->tag[i].name.n, g->tag[i].name.p);
}

/* A number, true, false, null and a text in quotes are taken as JSON, all else as a text. */
static void
parse_outside(struct tagger *g)
{
	const char *value = outside_option;
	struct buf copy = { 0 };
	struct str text, json;

	if (value == NULL)
		return;
	text = str_of(value);
	json = json_check(text, &copy, NULL);
	if (json.p != NULL && json.n == text.n && *value != '{' && *value != '[')
		buf_str(&g->outside_text, text);
	else if (utf8_check(copy.p, copy.p + copy.len) == NULL)
		buf_json(&g->outside_text, text);
	else
		die(EX_USAGE, "--outside: invalid UTF-8");
	buf_free(&copy);
	if (!str_eq(buf_all(&g->outside_text), STR("null")))
		g->outside = buf_all(&g->outside_text);
}

static struct tagger
make_tagger(void)
{
	struct tagger g = { .tag = xcalloc(layers.n + 1, sizeof *g.tag) };

	if (layers.n == 0)
		die(EX_USAGE, "no --layer: want NAME=FILE:PROPERTY@LON,LAT");
	for (size_t i = 0; i < layers.n; i++)
		parse_layer(&g, layers.w[i]);
	name_tags(&g);
	parse_outside(&g);
	return g;
}

static void
read_sources(struct tagger *g)
{
	for (size_t i = 0; i < g->sources; i++) {
		struct source *s = &g->source[i];

		s->layer = geo_layer_read(s->file, s->property, s->properties, strict_polygons);
	}
}

/* ---- a record's points ---- */

static size_t
meaning_of(struct tagger *g, struct str name, size_t at)
{
	struct place *p;

	if (at >= g->places) {
		g->place = xrealloc(g->place, at + 1, sizeof *g->place);
		g->place[g->places++] = (struct place){ .meaning = NAMES_NONE };
	}
	p = &g->place[at];
	if (p->name.p == NULL || !str_eq(buf_all(&p->name), name)) {
		buf_reset(&p->name);
		buf_str(&p->name, name);
		p->meaning = names_find(&g->names, name, at);
	}
	return p->meaning;
}

/* Finds the columns of coordinates, and whether a tag is there already.  CSV without such a column is an error, since it is
 * one for all records. */
static void
find_columns(struct tagger *g, struct rows *in, const struct row *row)
{
	g->there = false;
	for (size_t i = 0; i < g->columns; i++)
		g->column[i].field = NULL;
	for (size_t i = 0; i < row->n; i++) {
		size_t meaning = meaning_of(g, row->f[i].name, i);

		if (meaning == NAMES_NONE)
			continue;
		if (meaning >= g->columns)
			g->there = true;
		else
			g->column[meaning].field = &row->f[i];
	}
	for (size_t i = 0; i < g->columns; i++) {
		struct column *c = &g->column[i];

		if (c->field != NULL)
			c->seen = true;
		else if (rows_format(in) == ROWS_CSV)
			die(EX_DATAERR, "%s: no column \"%.*s\" in the header", rows_where(in), (int)c->name.n, c->name.p);
	}
}

/* False: it is bad, and dealt with. */
static bool
take_degrees(struct rows *in, const struct column *c, double limit, double *to)
{
	static struct buf scratch;
	struct str val = c->field->val;
	bool text = !c->field->json || *val.p == '"';

	if (!text && *val.p != '-' && (*val.p < '0' || *val.p > '9'))
		rows_reject(in, c->name, "is no number");
	else if (!number_read(text ? field_text(c->field, &scratch) : val, to))
		rows_reject(in, c->name, "is no number");
	else if (fabs(*to) > limit)
		rows_reject(in, c->name, "is outside +-%.0f degrees", limit);
	else
		return true;
	return false;
}

static bool
has_value(const struct column *c)
{
	return c->field != NULL && c->field->val.p != NULL;
}

static bool
take_points(struct tagger *g, struct rows *in)
{
	for (size_t i = 0; i < g->pairs; i++) {
		struct pair *p = &g->pair[i];
		const struct column *lon = &g->column[p->lon], *lat = &g->column[p->lat];

		p->nowhere = !has_value(lon) && !has_value(lat);
		if (p->nowhere)
			continue;
		if (!has_value(lon) || !has_value(lat)) {
			const struct column *there = has_value(lon) ? lon : lat;

			rows_reject(in, there == lon ? lat->name : lon->name, "has no value, but %.*s has one", (int)there->name.n,
			    there->name.p);
			return false;
		}
		if (!take_degrees(in, lon, 180, &p->x) || !take_degrees(in, lat, 90, &p->y))
			return false;
	}
	return true;
}

/* ---- tags ---- */

/* Why a point is outside is worth to know: 0,0 is a device without a position; a point whose swap is inside is no accident. */
static void
count_outside(struct tag *t, struct geo_layer *l, const struct pair *p)
{
	t->outside++;
	if (p->x == 0 && p->y == 0)
		t->zero++;
	else if (fabs(p->x) <= 90 && geo_layer_find(l, p->y, p->x).first != GEO_NONE)
		t->swapped++;
}

static void
make_tag(struct tagger *g, struct tag *t)
{
	const struct source *s = &g->source[t->source];
	const struct pair *p = &g->pair[t->pair];
	struct geo_hit hit;

	t->value = (struct field){ .name = t->name, .json = true };
	if (p->nowhere) {
		t->nowhere++;
		return;
	}
	hit = geo_layer_find(s->layer, p->x, p->y);
	if (hit.first == GEO_NONE) {
		count_outside(t, s->layer, p);
		t->value.val = g->outside;
		return;
	}
	t->inside++;
	t->border += hit.border;
	t->several += hit.several;
	t->value.val = geo_layer_value(s->layer, t->property, hit.first);
}

/* ---- records out ---- */

/* The record as it came, with the tags before its closing brace. */
static void
put_behind(const struct tagger *g, struct rows *in, const struct row *row, struct buf *b)
{
	rows_json(in, b);
	b->len--;
	for (size_t i = 0; i < g->tags; i++) {
		const struct tag *t = &g->tag[i];

		if (i > 0 || row->n > 0)
			buf_char(b, ',');
		buf_str(b, t->key);
		buf_str(b, t->value.val.p != NULL ? t->value.val : STR("null"));
	}
	buf_add(b, "}\n", 2);
}

/* Field by field: tags that are there already get their values, the others follow. */
static void
put_anew(struct tagger *g, const struct row *row, struct rows_out *out)
{
	size_t n = row->n;

	if (n + g->tags > g->out_cap) {
		g->out_cap = 2 * (n + g->tags);
		g->out = xrealloc(g->out, g->out_cap, sizeof *g->out);
	}
	if (n > 0)
		memcpy(g->out, row->f, n * sizeof *g->out);
	for (size_t i = 0; i < g->tags; i++) {
		bool there = false;

		for (size_t at = 0; g->there && at < row->n; at++)
			if (g->place[at].meaning == g->columns + i) {
				g->out[at] = g->tag[i].value;
				there = true;
			}
		if (!there)
			g->out[n++] = g->tag[i].value;
	}
	rows_put(out, &(struct row){ g->out, n });
}

static void
put_record(struct tagger *g, struct rows *in, const struct row *row, struct rows_out *out)
{
	for (size_t i = 0; i < g->tags; i++)
		make_tag(g, &g->tag[i]);
	g->written++;
	if (g->there || rows_format(in) != ROWS_NDJSON || rows_out_format(out) != ROWS_NDJSON) {
		put_anew(g, row, out);
		return;
	}
	put_behind(g, in, row, rows_buf(out));
	rows_flush_some(out);
}

/* The header of CSV goes out even if no record follows. */
static void
put_header(struct tagger *g, struct rows *in, struct rows_out *out)
{
	const struct row *header = rows_header(in);
	struct names all = { 0 };

	if (header == NULL)
		return;
	for (size_t i = 0; i < header->n; i++)
		names_add(&all, header->f[i].name);
	for (size_t i = 0; i < g->columns; i++)
		if (names_find(&all, g->column[i].name, 0) == NAMES_NONE)
			die(EX_DATAERR, "%s: no column \"%.*s\" in the header", rows_where(in), (int)g->column[i].name.n,
			    g->column[i].name.p);
	for (size_t i = 0; i < g->tags; i++)
		names_add(&all, g->tag[i].name);
	rows_columns(out, all.name, all.n);
	names_free(&all);
}

/* ---- the end ---- */

static void
write_receipt(const struct tagger *g, struct rows *in)
{
	struct rows_counts count = rows_counts(in);
	struct buf json = { 0 };

	receipt_open();
	receipt_int("read", count.read);
	receipt_int("written", g->written);
	receipt_int("rejected", count.rejected);
	for (size_t i = 0; i < g->tags; i++) {
		const struct tag *t = &g->tag[i];
		struct geo_layer_counts of = geo_layer_counts(g->source[t->source].layer);

		buf_text(&json, i > 0 ? ",{\"name\":" : "[{\"name\":");
		buf_json(&json, t->name);
		buf_fmt(&json, ",\"inside\":%llu,\"outside\":%llu,\"nowhere\":%llu,\"border\":%llu,\"several\":%llu,\"zero\":%llu,"
		    "\"swapped\":%llu", t->inside, t->outside, t->nowhere, t->border, t->several, t->zero, t->swapped);
		buf_fmt(&json, ",\"polygons\":%llu,\"mended\":%llu,\"empty\":%llu}", of.features, of.mended, of.empty);
	}
	buf_char(&json, ']');
	receipt_json("layers", json.p);
	buf_free(&json);
	receipt_close_file(count.read == 0, receipt_file);
}

/* What is most likely a mistake, though no record is bad by it. */
static void
say_doubts(const struct tagger *g)
{
	for (size_t i = 0; g->written > 0 && i < g->columns; i++)
		if (!g->column[i].seen)
			warning("no record has a field \"%.*s\": is it the right name?", (int)g->column[i].name.n, g->column[i].name.p);
	for (size_t i = 0; i < g->tags; i++)
		if (g->tag[i].swapped > 0)
			warning("%.*s: %llu points are outside that would be inside with longitude and latitude swapped",
			    (int)g->tag[i].name.n, g->tag[i].name.p, g->tag[i].swapped);
}

static void
free_tagger(struct tagger *g)
{
	for (size_t i = 0; i < g->sources; i++) {
		geo_layer_free(g->source[i].layer);
		free(g->source[i].property);
	}
	for (size_t i = 0; i < g->tags; i++)
		free((char *)g->tag[i].key.p);
	for (size_t i = 0; i < g->places; i++)
		buf_free(&g->place[i].name);
	names_free(&g->names);
	buf_free(&g->outside_text);
	free(g->source);
	free(g->pair);
	free(g->tag);
	free(g->column);
	free(g->place);
	free(g->out);
}

int
main(int argc, char *argv[])
{
	char **files = opt_parse(argc, argv);
	struct tagger g = make_tagger();

	read_sources(&g);

	struct rows *in = rows_open(files, &reading);
	struct rows_out *out = rows_stdout(in, out_format);
	struct row *row;

	put_header(&g, in, out);
	while ((row = rows_next(in)) != NULL) {
		find_columns(&g, in, row);
		if (take_points(&g, in))
			put_record(&g, in, row, out);
	}
	rows_finish(out);
	say_doubts(&g);
	rows_check(in);
	if (receipt_file != NULL)
		write_receipt(&g, in);
	rows_close(in);
	free_tagger(&g);
	return EX_OK;
}
