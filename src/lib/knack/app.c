/* knack/app.c - the metadata document of a Knack application. */
#include "knack/app.h"

#include <stdlib.h>

#include "format/json.h"
#include "format/zone.h"
#include "knack/zones.h"
#include "records/input.h"

#define MOST (256 << 20)        /* bytes of a document; those of big applications have a few MiB */

/* The document while it is read, and what a message about it needs. */
struct reading { struct knack_app *app; const char *where; int status; };

/* ---- parts of the document ---- */

static struct str
find_member(struct str object, const char *name)
{
	struct str value, names = str_of(name);

	json_find(object, &names, &value, 1);
	return value;
}

static bool
is_array(struct str value)
{
	return value.n > 0 && *value.p == '[';
}

static struct json_walk
walk_array(struct str value)
{
	return json_walk(is_array(value) ? value : STR("[]"));
}

static size_t
count_elements(struct str array)
{
	struct json_walk w = walk_array(array);
	size_t n = 0;

	while (json_next(&w))
		n++;
	return n;
}

/* Copies end in a 0.  There is room for all of the document, so that they stay where they are. */
static struct str
keep_bytes(struct reading *r, struct str bytes)
{
	struct buf *text = &r->app->text;
	struct str kept = { text->p + text->len, bytes.n };

	buf_str(text, bytes);
	text->len++;
	return kept;
}

/* The text of a JSON string; p NULL for what is none. */
static struct str
keep_text(struct reading *r, struct str json)
{
	struct buf *text = &r->app->text;
	struct str kept = { text->p + text->len, 0 };

	if (!json_is_string(json))
		return (struct str){ 0 };
	json_unescape(text, (struct str){ json.p + 1, json.n - 2 });
	text->p[text->len++] = '\0';
	kept.n = (size_t)(text->p + text->len - 1 - kept.p);
	return kept;
}

/* The same for a text that has to be there: MEMBER of the Nth WHAT. */
static struct str
need_text(struct reading *r, struct str json, const char *what, size_t n, const char *member)
{
	if (!json_is_string(json) || json.n == 2)
		die(r->status, "%s: %s %zu has no \"%s\": is it the metadata of a Knack application?", r->where, what, n + 1, member);
	return keep_text(r, json);
}

/* ---- objects, fields, views ---- */

static void
read_field(struct reading *r, struct str json, const struct knack_object *object)
{
	static const struct str names[] = { { "key", 3 }, { "name", 4 }, { "type", 4 }, { "format", 6 } };
	struct knack_app *app = r->app;
	size_t n = app->fields;
	struct str value[4];

	json_find(json, names, value, 4);
	app->field[n] = (struct knack_field){
		.key = need_text(r, value[0], "field", n, "key"),
		.name = need_text(r, value[1], "field", n, "name"),
		.type = need_text(r, value[2], "field", n, "type"),
		.object = object,
	};
	if (value[3].n > 0 && *value[3].p != 'n')
		app->field[n].format = keep_bytes(r, value[3]);
	if (names_add(&app->field_keys, app->field[n].key) != n)
		die(r->status, "%s: %s comes twice: is it the metadata of one Knack application?", r->where, app->field[n].key.p);
	app->fields++;
}

static void
read_object(struct reading *r, struct str json)
{
	static const struct str names[] = { { "key", 3 }, { "name", 4 }, { "identifier", 10 }, { "fields", 6 } };
	struct knack_app *app = r->app;
	struct knack_object *object = &app->object[app->objects];
	size_t first = app->fields;
	struct str value[4];

	json_find(json, names, value, 4);
	*object = (struct knack_object){
		.key = need_text(r, value[0], "object", app->objects, "key"),
		.name = need_text(r, value[1], "object", app->objects, "name"),
		.identifier = keep_text(r, value[2]),
		.field = &app->field[first],
	};
	if (!is_array(value[3]))
		die(r->status, "%s: %s has no \"fields\": is it the metadata of a Knack application?", r->where, object->key.p);
	for (struct json_walk w = json_walk(value[3]); json_next(&w);)
		read_field(r, w.value, object);
	object->fields = app->fields - first;
	app->objects++;
}

static void
read_objects(struct reading *r, struct str json)
{
	struct knack_app *app = r->app;
	size_t fields = 0;

	if (!is_array(json))
		die(r->status, "%s: no \"objects\" in its \"application\": is it the metadata of a Knack application?", r->where);
	for (struct json_walk w = json_walk(json); json_next(&w);)
		fields += count_elements(find_member(w.value, "fields"));
	app->object = xcalloc(count_elements(json), sizeof *app->object);
	app->field = xcalloc(fields, sizeof *app->field);
	for (struct json_walk w = json_walk(json); json_next(&w);)
		read_object(r, w.value);
}

/* Columns of links and of what the metadata has no field for are left out. */
static void
read_columns(struct reading *r, struct str json, struct knack_view *view)
{
	struct buf scratch = { 0 };

	view->column = xcalloc(count_elements(json), sizeof *view->column);
	for (struct json_walk w = walk_array(json); json_next(&w);) {
		struct str key = find_member(find_member(w.value, "field"), "key");
		const struct knack_field *field = json_is_string(key) ? knack_field(r->app, json_text(key, &scratch)) : NULL;
		size_t i = 0;

		while (i < view->columns && view->column[i] != field)
			i++;
		if (field != NULL && i == view->columns)
			view->column[view->columns++] = field;
	}
	buf_free(&scratch);
}

static void
read_view(struct reading *r, struct str json, struct str scene)
{
	static const struct str names[] = { { "key", 3 }, { "name", 4 }, { "type", 4 }, { "source", 6 }, { "columns", 7 } };
	struct knack_app *app = r->app;
	struct knack_view *view = &app->view[app->views];
	struct buf scratch = { 0 };
	struct str value[5], object;

	json_find(json, names, value, 5);
	*view = (struct knack_view){
		.key = need_text(r, value[0], "view", app->views, "key"),
		.name = keep_text(r, value[1]),
		.type = keep_text(r, value[2]),
		.scene = scene,
	};
	object = find_member(value[3], "object");
	if (json_is_string(object))
		view->object = knack_object(app, json_text(object, &scratch));
	read_columns(r, value[4], view);
	buf_free(&scratch);
	app->views++;
}

/* An application without pages has none. */
static void
read_scenes(struct reading *r, struct str json)
{
	static const struct str names[] = { { "key", 3 }, { "views", 5 } };
	struct knack_app *app = r->app;
	size_t views = 0, scenes = 0;
	struct str value[2];

	for (struct json_walk w = walk_array(json); json_next(&w);)
		views += count_elements(find_member(w.value, "views"));
	app->view = xcalloc(views, sizeof *app->view);
	for (struct json_walk w = walk_array(json); json_next(&w); scenes++) {
		struct str key;

		json_find(w.value, names, value, 2);
		key = need_text(r, value[0], "scene", scenes, "key");
		for (struct json_walk v = walk_array(value[1]); json_next(&v);)
			read_view(r, v.value, key);
	}
}

/* ---- the document ---- */

/* The one value of a text that is JSON, or death. */
static struct str
whole_value(struct reading *r, struct str document)
{
	const char *end = document.p + document.n, *p = json_space(document.p, end), *past;
	struct json_error e;

	if (p == end)
		die(r->status, "%s: empty: want the metadata of a Knack application", r->where);
	past = json_skip(p, end, &e);
	if (past == NULL)
		die(r->status, "%s: byte %zu: %s", r->where, (size_t)(e.at - document.p) + 1, e.why);
	if (json_space(past, end) != end)
		die(r->status, "%s: byte %zu: text after the document", r->where, (size_t)(past - document.p) + 1);
	return (struct str){ p, (size_t)(past - p) };
}

struct knack_app *
knack_app_parse(struct str document, const char *where, const char *writer, int status)
{
	static const struct str names[] = { { "id", 2 }, { "name", 4 }, { "slug", 4 }, { "account", 7 }, { "settings", 8 },
	    { "objects", 7 }, { "scenes", 6 } };
	struct knack_app *app = xcalloc(1, sizeof *app);
	struct reading r = { app, where, status };
	struct str application = find_member(whole_value(&r, document), "application"), value[7];

	if (application.n == 0 || *application.p != '{')
		die(status, "%s: no \"application\": want what %s writes", where, writer);
	buf_room(&app->text, document.n);
	json_find(application, names, value, 7);
	app->id = keep_text(&r, value[0]);
	app->name = keep_text(&r, value[1]);
	app->slug = keep_text(&r, value[2]);
	app->account = keep_text(&r, find_member(value[3], "slug"));
	app->timezone = keep_text(&r, find_member(value[4], "timezone"));
	read_objects(&r, value[5]);
	read_scenes(&r, value[6]);
	return app;
}

struct knack_app *
knack_app_read(const char *file, const char *writer)
{
	struct buf document = { 0 };
	const char *name = input_slurp(file, &document, MOST);
	struct knack_app *app;

	if (document.len > MOST)
		die(EX_DATAERR, "%s: over %d MiB: is it the metadata of a Knack application?", name, MOST >> 20);
	app = knack_app_parse(buf_all(&document), name, writer, EX_DATAERR);
	buf_free(&document);
	return app;
}

void
knack_app_free(struct knack_app *app)
{
	for (size_t i = 0; i < app->views; i++)
		free(app->view[i].column);
	free(app->view);
	free(app->field);
	free(app->object);
	names_free(&app->field_keys);
	buf_free(&app->text);
	free(app);
}

/* ---- look-ups ---- */

const struct knack_field *
knack_field(struct knack_app *app, struct str key)
{
	size_t place = names_find(&app->field_keys, key, 0);

	return place != NAMES_NONE ? &app->field[place] : NULL;
}

const struct knack_object *
knack_object(const struct knack_app *app, struct str key)
{
	for (size_t i = 0; i < app->objects; i++)
		if (str_eq(app->object[i].key, key))
			return &app->object[i];
	return NULL;
}

const struct knack_view *
knack_view(const struct knack_app *app, struct str key)
{
	for (size_t i = 0; i < app->views; i++)
		if (str_eq(app->view[i].key, key))
			return &app->view[i];
	return NULL;
}

size_t
knack_fields_named(const struct knack_object *object, struct str name, const struct knack_field **field)
{
	size_t n = 0;

	*field = NULL;
	for (size_t i = 0; i < object->fields; i++) {
		if (str_eq(object->field[i].name, name)) {
			*field = &object->field[i];
			n++;
		}
	}
	return n;
}

const char *
knack_zone(const struct knack_app *app, const char *named)
{
	struct str name = named != NULL ? str_of(named) : app->timezone;
	const char *iana;

	if (name.p == NULL)
		die(EX_CONFIG, "the application has no time zone: see --zone");
	if (zone_known(name.p))
		return name.p;
	iana = knack_zones_find(name);
	if (iana == NULL)
		die(EX_CONFIG, "time zone \"%s\": not known: see --zone%s", name.p,
		    named != NULL ? ", such as America/Chicago" : "");
	return iana;
}
