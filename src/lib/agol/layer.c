/* agol/layer.c - a layer or table of an ArcGIS feature service. */
#include "agol/layer.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "format/json.h"
#include "net/url.h"

/* ---- from an item or a URL to the layer ---- */

/* Appends the value of a member that must be a string, or dies. */
static void
need_text(struct buf *b, const struct buf *document, const char *name, const char *what)
{
	struct buf scratch = { 0 };
	struct str value = json_get(buf_all(document), name);

	if (!json_is_string(value))
		die(EX_PROTOCOL, "%s: no \"%s\" in its document", what, name);
	buf_str(b, json_text(value, &scratch));
	buf_free(&scratch);
}

static void
get_document(struct agol *a, const char *url, const char *what, struct buf *document)
{
	struct buf question = { 0 };

	buf_fmt(&question, "%s?f=json", url);
	agol_get(a, question.p, (struct str){ 0 }, what, document);
	buf_free(&question);
}

/* Appends the URL of the item's service. */
static void
find_service(struct agol *a, const char *item, struct buf *url)
{
	struct buf question = { 0 }, document = { 0 }, type = { 0 };

	if (*item == '\0' || strspn(item, "0123456789abcdefABCDEF") != strlen(item))
		die(EX_USAGE, "%s: not an item's id, such as 0123456789abcdef0123456789abcdef: or is it an --url?", item);
	agol_item_url(a, item, &question);
	get_document(a, question.p, "item", &document);
	need_text(&type, &document, "type", item);
	if (strcmp(type.p, "Feature Service") != 0)
		die(EX_CONFIG, "item %s is no Feature Service but a %s", item, type.p);
	need_text(url, &document, "url", item);
	/* What is registered with a portal may lie anywhere, and would get our token. */
	if (!agol_trusts(a, url->p)) {
		char *shown = url_shown(url->p);

		die(EX_CONFIG, "item %s is at %s, which is not the portal's: name the layer by --url if you trust it", item, shown);
	}
	buf_free(&question);
	buf_free(&document);
	buf_free(&type);
}

/* Goes through "layers", then "tables"; adds each to LIST as "0 (Signals)".  Returns how many; *ONLY is the last one's id. */
static size_t
list_layers(const struct buf *service, long long number, bool *found, long long *only, struct buf *list)
{
	static const char *const parts[] = { "layers", "tables" };
	struct buf scratch = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < 2; i++) {
		struct str part = json_get(buf_all(service), parts[i]);
		struct json_walk w = { .over = true };

		if (part.p != NULL && *part.p == '[')
			w = json_walk(part);
		for (; json_next(&w); n++) {
			struct str id = *w.value.p == '{' ? json_get(w.value, "id") : (struct str){ 0 };
			struct str name = *w.value.p == '{' ? json_get(w.value, "name") : (struct str){ 0 };

			*only = id.p != NULL ? strtoll(id.p, NULL, 10) : -1;
			*found = *found || *only == number;
			buf_fmt(list, "%s%lld (", n > 0 ? ", " : "", *only);
			buf_str(list, json_text(name, &scratch));
			buf_char(list, ')');
		}
	}
	buf_free(&scratch);
	return n;
}

/* Appends "/NUMBER" once it is known to be there. */
static void
add_number(struct agol *a, struct buf *url, long long number)
{
	struct buf service = { 0 }, list = { 0 };
	bool found = false;
	long long only = -1;
	size_t n;

	get_document(a, url->p, "service", &service);
	if (json_get(buf_all(&service), "layers").p == NULL && json_get(buf_all(&service), "tables").p == NULL)
		die(EX_PROTOCOL, "%s: no layers in its document: is it a feature service?", url->p);
	n = list_layers(&service, number, &found, &only, &list);
	if (n == 0)
		die(EX_CONFIG, "%s: the service has no layers", url->p);
	if (number < 0 && n > 1)
		die(EX_USAGE, "no --layer: there are %s", list.p);
	if (number >= 0 && !found)
		die(EX_CONFIG, "no layer %lld: there %s %s", number, n == 1 ? "is" : "are", list.p);
	buf_fmt(url, "/%lld", number >= 0 ? number : only);
	buf_free(&service);
	buf_free(&list);
}

/* ---- its document ---- */

static enum agol_type
type_of(struct str name)
{
	static const struct { const char *name; enum agol_type type; } types[] = {
		{ "OID", AGOL_OID }, { "GlobalID", AGOL_GLOBALID }, { "String", AGOL_STRING }, { "XML", AGOL_STRING },
		{ "SmallInteger", AGOL_SMALL }, { "Integer", AGOL_INTEGER }, { "BigInteger", AGOL_BIG }, { "Double", AGOL_FLOAT },
		{ "Single", AGOL_FLOAT }, { "Date", AGOL_DATE }, { "DateOnly", AGOL_DATE_ONLY }, { "TimeOnly", AGOL_TIME_ONLY },
		{ "TimestampOffset", AGOL_STAMP }, { "GUID", AGOL_GUID },
	};
	static const char prefix[] = "esriFieldType";
	size_t skip = sizeof prefix - 1;

	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (name.n > skip && memcmp(name.p, prefix, skip) == 0 &&
		    str_eq((struct str){ name.p + skip, name.n - skip }, str_of(types[i].name)))
			return types[i].type;
	return AGOL_OTHER;
}

static bool
is_false(struct str object, const char *name)
{
	return str_eq(json_get(object, name), STR("false"));
}

static struct agol_field
read_field(struct agol_layer *l, struct str json)
{
	struct buf scratch = { 0 };
	struct str name = json_get(json, "name"), length = json_get(json, "length");
	struct agol_field field = { .type = type_of(json_text(json_get(json, "type"), &scratch)) };

	if (!json_is_string(name))
		die(EX_PROTOCOL, "%s: a field without a name", l->url);
	name = json_text(name, &scratch);
	/* room for all of them was made before: the text does not move */
	field.name = (struct str){ l->text.p + l->text.len, name.n };
	buf_str(&l->text, name);
	field.length = length.p != NULL && *length.p != '-' ? strtoull(length.p, NULL, 10) : 0;
	field.nullable = !is_false(json, "nullable");
	field.editable = !is_false(json, "editable") && field.type != AGOL_OID && field.type != AGOL_GLOBALID;
	buf_free(&scratch);
	return field;
}

static enum agol_shape
shape_of(struct str document)
{
	struct buf scratch = { 0 };
	struct str kind = json_text(json_get(document, "geometryType"), &scratch);
	enum agol_shape shape = kind.p == NULL ? AGOL_TABLE : str_eq(kind, STR("esriGeometryPoint")) ? AGOL_POINT :
	    str_eq(kind, STR("esriGeometryMultipoint")) ? AGOL_MULTIPOINT : AGOL_LINES;

	buf_free(&scratch);
	return shape;
}

static void
read_document(struct agol_layer *l)
{
	struct buf scratch = { 0 }, name = { 0 };
	struct str document = buf_all(&l->document), fields = json_get(document, "fields"), oid;
	struct json_walk w;

	need_text(&name, &l->document, "name", l->url);
	l->name = buf_take(&name);
	l->shape = shape_of(document);
	if (fields.p == NULL || *fields.p != '[')
		die(EX_PROTOCOL, "%s: no fields in its document: is it a layer?", l->url);
	buf_room(&l->text, fields.n);
	for (w = json_walk(fields); json_next(&w); ) {
		l->field = xrealloc(l->field, l->n + 1, sizeof *l->field);
		if (*w.value.p == '{')
			l->field[l->n++] = read_field(l, w.value);
	}
	oid = json_text(json_get(document, "objectIdField"), &scratch);
	for (size_t i = 0; i < l->n; i++)
		if (oid.p != NULL ? str_eq(l->field[i].name, oid) : l->field[i].type == AGOL_OID)
			l->oid = &l->field[i];
	if (l->oid == NULL)
		die(EX_PROTOCOL, "%s: no object id field in its document", l->url);
	buf_free(&scratch);
}

static struct agol_layer *
open_layer(struct agol *a, struct buf *url)
{
	struct agol_layer *l = xcalloc(1, sizeof *l);

	l->url = buf_take(url);
	get_document(a, l->url, "layer", &l->document);
	read_document(l);
	return l;
}

/* ---- what tools call ---- */

/* The number at the end of a layer's URL, with its slash; NULL at the end of a service's. */
static char *
number_in(struct buf *url)
{
	buf_trim_slashes(url);

	char *slash = strrchr(url->p, '/');

	return slash[1] != '\0' && strspn(slash + 1, "0123456789") == strlen(slash + 1) ? slash : NULL;
}

struct agol_layer *
agol_layer_of(struct agol *a, const char *item, long long number)
{
	struct buf url = { 0 };
	char *own;

	find_service(a, item, &url);
	own = number_in(&url);
	if (own != NULL && number >= 0) {       /* an item may be one layer; another of its service was asked for */
		url.len = (size_t)(own - url.p);
		*own = '\0';
	}
	if (own == NULL || number >= 0)
		add_number(a, &url, number);
	return open_layer(a, &url);
}

struct agol_layer *
agol_layer_at(struct agol *a, const char *text, long long number)
{
	struct buf url = { 0 };
	char *own;

	if (strncasecmp(text, "https://", 8) != 0 && !url_plain(text))
		die(EX_USAGE, "--url %s: want http:// or https://", text);
	if (url_plain(text) && !url_loopback(text))
		die(EX_USAGE, "--url %s: plain http would show the credentials to others: use https", text);
	if (strpbrk(text, "?#") != NULL)
		die(EX_USAGE, "--url: want it without what follows the question mark");
	buf_text(&url, text);
	own = number_in(&url);
	if (own != NULL && number >= 0)
		die(EX_USAGE, "--url %s is a layer's already: leave out --layer", text);
	if (own == NULL)
		add_number(a, &url, number);
	return open_layer(a, &url);
}

void
agol_layer_close(struct agol_layer *l)
{
	free(l->url);
	free(l->name);
	free(l->field);
	buf_free(&l->document);
	buf_free(&l->text);
	free(l);
}

const struct agol_field *
agol_field(const struct agol_layer *l, struct str name)
{
	for (size_t i = 0; i < l->n; i++)
		if (str_eq(l->field[i].name, name))
			return &l->field[i];
	for (size_t i = 0; i < l->n; i++)
		if (l->field[i].name.n == name.n && strncasecmp(l->field[i].name.p, name.p, name.n) == 0)
			return &l->field[i];
	return NULL;
}
