/*
 * records/place.c - places in records: points, in any of the shapes that services and people
 * write them in.
 */
#include "records/place.h"

#include <math.h>

#include "base/number.h"
#include "format/json.h"

static enum place_fault
judge(const struct place *place, bool degrees)
{
	double latitude, longitude;

	if (place->latitude.n == 0 || place->longitude.n == 0)
		return PLACE_HALF;
	if (!number_read(place->latitude, &latitude) || !number_read(place->longitude, &longitude))
		return PLACE_NO_NUMBERS;
	if (degrees && fabs(latitude) > 90)
		return fabs(latitude) <= 180 && fabs(longitude) <= 90 ? PLACE_SWAPPED : PLACE_PAST_POLE;
	return degrees && fabs(longitude) > 180 ? PLACE_PAST_180 : PLACE_GOOD;
}

static enum place_fault
take_texts(struct places *p, struct str latitude, struct str longitude, struct str object)
{
	enum place_fault fault;

	p->at = (struct place){ str_trim(latitude), str_trim(longitude), object };
	if (p->at.latitude.n == 0 && p->at.longitude.n == 0)
		return PLACE_GOOD;
	fault = judge(&p->at, p->degrees);
	if (fault == PLACE_GOOD) {
		p->n++;
		p->take(&p->at, p->arg);
	}
	return fault;
}

static enum place_fault
take_values(struct places *p, struct str latitude, struct str longitude, struct str object)
{
	return take_texts(p, json_text(latitude, &p->scratch[0]), json_text(longitude, &p->scratch[1]), object);
}

/* [longitude, latitude, perhaps height] */
static enum place_fault
take_position(struct places *p, struct str position, struct str object)
{
	struct json_walk w;
	struct str longitude;

	if (*position.p != '[')
		return PLACE_NO_POSITION;
	w = json_walk(position);
	if (!json_next(&w))
		return PLACE_GOOD;      /* RFC 7946 3.1: an empty one is no place */
	longitude = w.value;
	return json_next(&w) ? take_values(p, w.value, longitude, object) : PLACE_NO_POSITION;
}

static enum place_fault
take_geojson(struct places *p, struct str object, struct str coordinates)
{
	struct str type = json_text(json_get(object, "type"), &p->scratch[0]);
	bool one = str_eq(type, STR("Point"));
	enum place_fault fault = PLACE_GOOD;

	p->bad = type;
	if (!one && !str_eq(type, STR("MultiPoint")))
		return PLACE_NO_POINT;
	if (*coordinates.p == 'n')
		return PLACE_GOOD;
	if (one)
		return take_position(p, coordinates, object);
	if (*coordinates.p != '[')
		return PLACE_NO_POSITION;
	for (struct json_walk w = json_walk(coordinates); fault == PLACE_GOOD && json_next(&w); )
		fault = take_position(p, w.value, object);
	return fault;
}

static enum place_fault
take_object(struct places *p, struct str object)
{
	static const struct str names[] = { { "coordinates", 11 }, { "latitude", 8 }, { "longitude", 9 } };
	struct str v[3];

	json_find(object, names, v, 3);
	return v[0].p != NULL ? take_geojson(p, object, v[0]) : take_values(p, v[1], v[2], object);
}

static bool
is_blank(struct places *p, struct str json)
{
	return *json.p == 'n' || (*json.p == '"' && str_trim(json_text(json, &p->scratch[1])).n == 0);
}

static enum place_fault
take_array(struct places *p, struct str array)
{
	enum place_fault fault = PLACE_GOOD;

	for (struct json_walk w = json_walk(array); fault == PLACE_GOOD && json_next(&w); )
		if (!is_blank(p, w.value))
			fault = *w.value.p == '{' ? take_object(p, w.value) : PLACE_NO_OBJECT;
	return fault;
}

enum place_fault
places_read(struct places *p, const struct field *value)
{
	struct str json = value->val;

	if (json.p == NULL)
		return PLACE_GOOD;
	p->bad = json;
	if (!value->json || *json.p == '"') {
		p->bad = str_trim(value->json ? json_text(json, &p->scratch[0]) : json);
		if (p->bad.n == 0)
			return PLACE_GOOD;
		json = json_check(p->bad, &p->text, NULL);
	}
	if (json.n > 0 && *json.p == '{')
		return take_object(p, json);
	if (json.n > 0 && *json.p == '[')
		return take_array(p, json);
	return json.n > 0 && is_blank(p, json) ? PLACE_GOOD : PLACE_NO_LOCATION;
}

enum place_fault
places_pair(struct places *p, struct str latitude, struct str longitude)
{
	return take_texts(p, latitude, longitude, (struct str){ 0 });
}

void
places_free(struct places *p)
{
	buf_free(&p->text);
	buf_free(&p->scratch[0]);
	buf_free(&p->scratch[1]);
}

void
place_add_point(const struct place *place, void *buf)
{
	struct buf *list = buf;

	buf_text(list, list->len > 0 ? ",[" : "[");
	number_put(list, place->longitude);
	buf_char(list, ',');
	number_put(list, place->latitude);
	buf_char(list, ']');
}
