/* agol/feature.c - a record as a feature of an ArcGIS layer. */
#include "agol/feature.h"

#include <stdlib.h>

#include "agol/value.h"
#include "format/json.h"

#define NAMES_MOST 4096         /* names of fields that are remembered; the names of more are looked up again */

/* What a field of a record is, where it is none of the layer's (those are 0 and up). */
enum { LACKING = -1, FILLED = -2, PLACE = -3 };

/* ---- fields ---- */

/* What a field of that name is. */
static long long
meaning_of(struct agol_features *p, struct str name)
{
	const struct agol_field *f = agol_field(p->layer, name);
	bool is_place = p->location.p != NULL ? str_eq(name, p->location) : p->lat.p != NULL && (str_eq(name, p->lat) || str_eq(name, p->lon));
	struct buf *list = f == NULL ? &p->lacking : &p->filled;

	if (f != NULL && f->editable)
		return f - p->layer->field;
	if (!is_place && list->len < 400) {
		buf_fmt(list, "%s%.*s", list->len > 0 ? ", " : "", (int)name.n, name.p);
		if (list->len >= 400)
			buf_text(list, " and more");
	}
	return is_place ? PLACE : f != NULL ? FILLED : LACKING;
}

/* The same, remembered. */
static long long
look_at_name(struct agol_features *p, struct str name, size_t hint)
{
	size_t i = names_find(&p->names, name, hint);

	if (i != NAMES_NONE)
		return p->meaning[i];
	if (p->names.n >= NAMES_MOST)
		return meaning_of(p, name);
	p->meaning = xrealloc(p->meaning, p->names.n + 1, sizeof *p->meaning);
	i = names_add(&p->names, name);
	return p->meaning[i] = meaning_of(p, name);
}

/* Sorts the row's fields to those of the layer.  False: it was bad. */
static bool
sort_fields(struct agol_features *p, struct rows *in, const struct row *row)
{
	memset(p->value, 0, p->layer->n * sizeof *p->value);
	for (size_t i = 0; i < row->n; i++) {
		const struct field *f = &row->f[i];
		long long m = look_at_name(p, f->name, i);

		if (m == LACKING && p->strict) {
			rows_reject(in, f->name, "%s has no such field", p->layer->name);
			return false;
		}
		if (m < 0)
			continue;
		if (p->value[m] != NULL && !str_eq(p->value[m]->name, f->name)) {
			rows_reject(in, f->name, "\"%.*s\" is the same field of the layer", (int)p->value[m]->name.n, p->value[m]->name.p);
			return false;
		}
		p->value[m] = f;
	}
	return true;
}

/* ---- key, attributes, geometry ---- */

void
agol_key(struct buf *b, const struct agol_field *field, struct str json)
{
	struct buf scratch = { 0 };
	struct str text = json_text(json, &scratch);

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (field->type != AGOL_GUID)
			buf_char(b, c);
		else if (c != '{' && c != '}')
			buf_char(b, c >= 'A' && c <= 'Z' ? (char)(c + 32) : c);
	}
	buf_free(&scratch);
}

/* Appends the key of the row.  False: it was bad. */
static bool
put_key(struct agol_features *p, struct rows *in, struct buf *b)
{
	const struct field *f = p->value[p->key - p->layer->field];
	const char *bad;
	struct str json;

	buf_reset(&p->json);
	bad = f != NULL ? agol_value(&p->json, p->key, f, p->in_zone) : NULL;
	json = buf_all(&p->json);
	if (bad == NULL && (f == NULL || str_eq(json, STR("null")) || str_eq(json, STR("\"\""))))
		bad = "no value, and it is the key";
	if (bad != NULL)
		rows_reject(in, p->key->name, "%s", bad);
	else
		agol_key(b, p->key, json);
	return bad == NULL;
}

/* Appends "name":value for each field.  False: one was bad. */
static bool
put_attributes(struct agol_features *p, struct rows *in, struct buf *b)
{
	size_t from = b->len;

	for (size_t i = 0; i < p->layer->n; i++) {
		const struct agol_field *f = &p->layer->field[i];
		const char *bad;
		size_t start;

		if (p->value[i] == NULL)
			continue;
		if (b->len > from)
			buf_char(b, ',');
		buf_json(b, f->name);
		buf_char(b, ':');
		start = b->len;
		bad = agol_value(b, f, p->value[i], p->in_zone);
		if (bad != NULL) {
			rows_reject(in, p->value[i]->name, "%s", bad);
			return false;
		}
		if (p->sanitized_field[i] && f->type == AGOL_STRING && f != p->key)
			p->sanitized += agol_sanitize(b, start);
	}
	if (b->len == from)
		rows_reject(in, (struct str){ 0 }, "no field of it is in %s", p->layer->name);
	return b->len > from;
}

/* Appends the geometry; nothing where the record does not speak of it.  False: it was bad. */
static bool
put_place(struct agol_features *p, struct rows *in, const struct row *row, struct buf *b)
{
	const struct field *place = p->location.p != NULL ? row_field(row, p->location) : NULL;
	const struct field *lat = p->lat.p != NULL ? row_field(row, p->lat) : NULL;
	const struct field *lon = p->lat.p != NULL ? row_field(row, p->lon) : NULL;
	size_t start = b->len;
	const char *bad;

	if (p->layer->shape == AGOL_TABLE || (place == NULL && lat == NULL && lon == NULL))
		return true;
	p->place_seen = true;
	bad = place != NULL ? agol_location(b, p->layer->shape, p->wkid, place) : agol_lat_lon(b, p->layer->shape, p->wkid, lat, lon);
	if (bad != NULL)
		rows_reject(in, place != NULL ? place->name : p->lat, "%s", bad);
	else if (b->len == start)
		buf_char(b, '-');
	return bad == NULL;
}

bool
agol_feature_put(struct agol_features *p, struct rows *in, const struct row *row, struct buf *b, struct agol_feature *f)
{
	size_t start = b->len;

	*f = (struct agol_feature){ 0 };
	if (p->value == NULL)
		p->value = xcalloc(p->layer->n, sizeof *p->value);
	if (!sort_fields(p, in, row) || (p->key != NULL && !put_key(p, in, b)))
		return false;
	f->key = b->len - start;
	if (put_attributes(p, in, b)) {
		f->attributes = b->len - start - f->key;
		if (put_place(p, in, row, b)) {
			f->place = b->len - start - f->key - f->attributes;
			return true;
		}
	}
	f->attributes = 0;
	b->len = start + f->key;
	return false;
}

void
agol_feature_json(const struct agol_features *p, struct buf *b, enum agol_op op, long long oid, const char *start, struct agol_feature f)
{
	const char *attributes = start + f.key;

	buf_text(b, "{\"attributes\":{");
	if (op == AGOL_UPDATE) {
		buf_json(b, p->layer->oid->name);
		buf_fmt(b, ":%lld,", oid);
	}
	buf_add(b, attributes, f.attributes);
	buf_char(b, '}');
	if (f.place > 0)
		buf_text(b, ",\"geometry\":");
	if (f.place == 1 && op == AGOL_ADD)
		buf_text(b, "null");
	else if (f.place == 1)
		agol_nowhere(b, p->layer->shape, p->wkid);
	else
		buf_add(b, attributes + f.attributes, f.place);
	buf_char(b, '}');
}

void
agol_features_free(struct agol_features *p)
{
	names_free(&p->names);
	free(p->sanitized_field);
	free(p->meaning);
	free(p->value);
	buf_free(&p->lacking);
	buf_free(&p->filled);
	buf_free(&p->json);
}
