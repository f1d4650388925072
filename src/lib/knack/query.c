/*
 * knack/query.c - which records of an object or a view are wanted, as Knack's parameters say it.
 */
#include "knack/query.h"

#include <stdlib.h>

#include "format/json.h"

#define FIELDS 64               /* rules of --filters at most: a URL has its bounds, too */

struct knack_rules {
	const char *text;               /* as given */
	struct str inner;               /* what is between the brackets of its rules, */
	bool joins;                     /* if more can be added there: all of them hold */
	struct str field[FIELDS];       /* the fields they name */
	size_t fields;
	struct buf copy, *html, *raw;   /* the names that such fields have in a record */
};

bool
knack_is_key(struct str s, const char *prefix)
{
	size_t n = strlen(prefix);

	if (s.n <= n || memcmp(s.p, prefix, n) != 0)
		return false;
	for (size_t i = n; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return true;
}

/* ---- --filters ---- */

/* An operator that is not among these may be new, or a slip that Knack passes over. */
static void
check_operator(struct str op)
{
	static const char *const known[] = { "is", "is not", "contains", "does not contain", "starts with", "ends with", "is blank",
		"is not blank", "higher than", "lower than", "is any", "is before", "is after", "is today", "is today or before",
		"is today or after", "is before today", "is after today", "is before current time", "is after current time",
		"is during the current", "is during the previous", "is during the next", "is before the previous",
		"is after the next", "near" };

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (str_eq(op, str_of(known[i])))
			return;
	warning("--filters: operator \"%.*s\" is not known here: Knack may leave its rule out", (int)op.n, op.p);
}

static void
check_rule(struct knack_rules *r, struct str rule, struct str field)
{
	struct buf scratch = { 0 };
	struct str op = json_get(rule, "operator");

	if (!json_is_string(field) || !knack_is_key((struct str){ field.p + 1, field.n - 2 }, "field_"))
		die(EX_USAGE, "--filters: field %.*s: want a key such as field_37: Knack leaves out rules on anything else",
		    (int)field.n, field.p);
	if (!json_is_string(op))
		die(EX_USAGE, "--filters: the rule on %.*s has no operator", (int)field.n, field.p);
	check_operator(json_text(op, &scratch));
	if (r->fields == FIELDS)
		die(EX_USAGE, "--filters: more than %d rules", FIELDS);
	r->field[r->fields++] = (struct str){ field.p + 1, field.n - 2 };
	buf_free(&scratch);
}

/* Rules, lists of them, and groups of either. */
static void
check_rules(struct knack_rules *r, struct str value)
{
	struct str field;

	if (*value.p == '[') {
		for (struct json_walk w = json_walk(value); json_next(&w); )
			check_rules(r, w.value);
		return;
	}
	if (*value.p != '{')
		die(EX_USAGE, "--filters: %.*s is no rule", (int)value.n, value.p);
	field = json_get(value, "field");
	if (field.p != NULL) {
		check_rule(r, value, field);
		return;
	}
	for (struct json_walk w = json_walk(value); json_next(&w); )
		if (str_eq(w.key, STR("rules")) || str_eq(w.key, STR("groups")))
			check_rules(r, w.value);
		else if (!str_eq(w.key, STR("match")))
			die(EX_USAGE, "--filters: \"%.*s\" is neither match nor rules", (int)w.key.n, w.key.p);
}

/* Are all the rules in one list, and do all of them have to hold? */
static void
find_inner(struct knack_rules *r, struct str whole)
{
	struct str list = *whole.p == '[' ? whole : json_get(whole, "rules"), match;

	if (*whole.p == '{') {
		match = json_get(whole, "match");
		if (match.p == NULL || (!str_eq(match, STR("\"and\"")) && !str_eq(match, STR("\"or\""))))
			die(EX_USAGE, "--filters: want \"match\":\"and\" or \"match\":\"or\"");
		r->joins = str_eq(match, STR("\"and\"")) && json_get(whole, "groups").p == NULL && list.p != NULL && *list.p == '[';
	} else {
		r->joins = true;
	}
	if (r->joins)
		r->inner = (struct str){ list.p + 1, list.n - 2 };
}

static struct knack_rules *
read_rules(const char *text)
{
	struct knack_rules *r = xcalloc(1, sizeof *r);
	struct json_error e = { 0 };
	struct str json = json_check(str_of(text), &r->copy, &e);

	r->text = r->copy.p;
	if (json.p == NULL || (*json.p != '[' && *json.p != '{'))
		die(EX_USAGE, "--filters: want JSON such as [{\"field\":\"field_7\",\"operator\":\"is\",\"value\":\"x\"}]%s%s",
		    e.why != NULL ? ": " : "", e.why != NULL ? e.why : "");
	check_rules(r, json);
	if (r->fields == 0)
		die(EX_USAGE, "--filters: no rule in it");
	find_inner(r, json);
	return r;
}

static void
free_rules(struct knack_rules *r)
{
	for (size_t i = 0; r->html != NULL && i < r->fields; i++) {
		buf_free(&r->html[i]);
		buf_free(&r->raw[i]);
	}
	free(r->html);
	free(r->raw);
	buf_free(&r->copy);
	free(r);
}

/* ---- what is asked for ---- */

/* Where --sort's FIELD ends, and whether the order is a descending one. */
static struct str
split_sort(const char *sort, bool *descending)
{
	struct str s = str_of(sort);

	*descending = s.n >= 5 && strcmp(sort + s.n - 5, ":desc") == 0;
	if (*descending)
		s.n -= 5;
	else if (s.n >= 4 && strcmp(sort + s.n - 4, ":asc") == 0)
		s.n -= 4;
	if (s.n == 0)
		die(EX_USAGE, "--sort %s: want FIELD, FIELD:asc or FIELD:desc", sort);
	return s;
}

void
knack_place_check(const struct knack_wanted *w)
{
	if ((w->object == NULL) == (w->view == NULL))
		die(EX_USAGE, "want --object or --view: say whose records");
	if (w->object != NULL && w->scene != NULL)
		die(EX_USAGE, "--scene is for --view");
	if (w->object != NULL && !knack_is_key(str_of(w->object), "object_"))
		die(EX_USAGE, "--object %s: want its key, such as object_12", w->object);
	if (w->view != NULL && !knack_is_key(str_of(w->view), "view_"))
		die(EX_USAGE, "--view %s: want its key, such as view_197", w->view);
	if (w->scene != NULL && !knack_is_key(str_of(w->scene), "scene_"))
		die(EX_USAGE, "--scene %s: want its key, such as scene_73", w->scene);
}

void
knack_wanted_check(const struct knack_wanted *w)
{
	bool descending;

	knack_place_check(w);
	if (w->sort != NULL)
		split_sort(w->sort, &descending);
	if (w->since != NULL)
		knack_since_split(w->since);
	if (w->filters != NULL) {
		struct knack_rules *r = read_rules(w->filters);

		if (w->since != NULL && !r->joins)
			die(EX_USAGE, "--since and --filters of which one may hold: Knack has no way to say both: write two rules");
		free_rules(r);
	}
}

const struct knack_object *
knack_place(struct knack *k, const struct knack_wanted *w, struct buf *path, const struct knack_view **view)
{
	struct knack_app *app = knack_know(k);
	const char *of = app->name.p != NULL ? app->name.p : k->app_id;

	*view = NULL;
	if (w->object != NULL) {
		const struct knack_object *object = knack_object(app, str_of(w->object));

		if (object == NULL)
			die(EX_PROTOCOL, "no %s in the application \"%s\"", w->object, of);
		if (!k->has_key)
			die(EX_CONFIG, "KNACK_API_KEY is not set: without it only views of public pages can be had");
		buf_fmt(path, "/objects/%s/records", w->object);
		return object;
	}
	*view = knack_view(app, str_of(w->view));
	if (*view == NULL)
		die(EX_PROTOCOL, "no %s in the application \"%s\"", w->view, of);
	if (w->scene != NULL && !str_eq((*view)->scene, str_of(w->scene)))
		die(EX_DATAERR, "%s is in %s, not in %s", w->view, (*view)->scene.p, w->scene);
	if ((*view)->object == NULL)
		die(EX_DATAERR, "%s (%s) has no records: it shows no object", w->view, (*view)->type.p != NULL ? (*view)->type.p : "");
	buf_fmt(path, "/pages/%s/views/%s/records", (*view)->scene.p, w->view);
	return (*view)->object;
}

static bool
has_column(const struct knack_view *view, const struct knack_field *field)
{
	for (size_t i = 0; i < view->columns; i++)
		if (view->column[i] == field)
			return true;
	return false;
}

const struct knack_field *
knack_find_field(struct knack *k, const struct knack_object *object, const struct knack_view *view, const char *option,
    struct str text)
{
	const struct knack_field *field = NULL;
	size_t n;

	if (knack_is_key(text, "field_")) {
		field = knack_field(knack_know(k), text);
		if (field == NULL || (field->object != object && (view == NULL || !has_column(view, field))))
			die(EX_DATAERR, "%s: %.*s is no field of %s (%s): Knack would leave it out and send everything", option,
			    (int)text.n, text.p, object->key.p, object->name.p);
		return field;
	}
	n = knack_fields_named(object, text, &field);
	if (n != 1)
		die(EX_DATAERR, n == 0 ? "%s: \"%.*s\" is no field of %s (%s)" : "%s: \"%.*s\" names several fields of %s (%s): "
		    "give a key such as field_37", option, (int)text.n, text.p, object->key.p, object->name.p);
	return field;
}

/* The auto increment to sort by. */
static const struct knack_field *
find_counter(const struct knack_query *q)
{
	for (size_t i = 0; i < q->object->fields; i++) {
		const struct knack_field *field = &q->object->field[i];

		if (str_eq(field->type, STR("auto_increment")) && (q->view == NULL || has_column(q->view, field)))
			return field;
	}
	return NULL;
}

static void
use_filters(struct knack *k, struct knack_query *q, const char *text)
{
	struct knack_rules *r = q->rules = read_rules(text);

	r->html = xcalloc(r->fields, sizeof *r->html);
	r->raw = xcalloc(r->fields, sizeof *r->raw);
	for (size_t i = 0; i < r->fields; i++) {
		const struct knack_field *field = knack_find_field(k, q->object, q->view, "--filters", r->field[i]);

		/* a view shows only its columns, and an object all */
		if (q->view == NULL || has_column(q->view, field)) {
			buf_str(&r->html[i], field->key);
			buf_fmt(&r->raw[i], "%s_raw", field->key.p);
		}
	}
}

struct knack_query *
knack_query_open(struct knack *k, const struct knack_wanted *w)
{
	struct knack_query *q = xcalloc(1, sizeof *q);
	struct knack_app *app = knack_know(k);

	q->name = w->object != NULL ? w->object : w->view;
	q->object = knack_place(k, w, &q->path, &q->view);
	if (w->filters != NULL)
		use_filters(k, q, w->filters);
	if (w->since != NULL) {
		struct str name = { w->since, knack_since_split(w->since) - w->since };

		q->since = knack_since_open(w->since, knack_find_field(k, q->object, q->view, "--since", name), knack_zone(app, w->zone));
	}
	if (w->sort != NULL) {
		q->sort = knack_find_field(k, q->object, q->view, "--sort", split_sort(w->sort, &q->descending));
	} else if ((q->sort = find_counter(q)) != NULL && (q->rules == NULL || q->rules->joins)) {
		q->counter = q->sort;
	}
	return q;
}

void
knack_query_close(struct knack_query *q)
{
	if (q->since != NULL)
		knack_since_close(q->since);
	if (q->rules != NULL)
		free_rules(q->rules);
	buf_free(&q->path);
	free(q);
}

/* ---- what is sent ---- */

static void
add_comma(struct buf *b)
{
	if (b->len > 0 && b->p[b->len - 1] != '[')
		buf_char(b, ',');
}

/* Rules stand alone as they are; together all of them must hold. */
static void
add_filters(const struct knack_query *q, struct buf *b, const char *after)
{
	size_t parts = (q->rules != NULL) + (q->since != NULL) + (after != NULL);

	if (parts == 1 && q->rules != NULL) {
		buf_text(b, q->rules->text);
	} else if (parts == 1 && q->since != NULL) {
		buf_text(b, "{\"match\":\"or\",\"rules\":[");
		knack_since_rules(q->since, b);
		buf_text(b, "]}");
	} else if (parts > 0) {
		buf_text(b, "{\"match\":\"and\",\"rules\":[");
		if (q->rules != NULL)
			buf_str(b, q->rules->inner);
		if (q->since != NULL) {
			add_comma(b);
			knack_since_rule(q->since, b);
		}
		if (after != NULL) {
			add_comma(b);
			buf_fmt(b, "{\"field\":\"%s\",\"operator\":\"higher than\",\"value\":\"%s\"}", q->counter->key.p, after);
		}
		buf_text(b, "]}");
	}
}

void
knack_query_put(const struct knack_query *q, struct buf *path, const char *after, unsigned long long page,
    unsigned long long rows)
{
	struct buf filters = { 0 };

	buf_fmt(path, "%s?rows_per_page=%llu&page=%llu", q->path.p, rows, page);
	if (q->sort != NULL)
		buf_fmt(path, "&sort_field=%s&sort_order=%s", q->sort->key.p, q->descending ? "desc" : "asc");
	add_filters(q, &filters, after);
	if (filters.len > 0) {
		buf_text(path, "&filters=");
		buf_percent(path, buf_all(&filters));
	}
	buf_free(&filters);
}

void
knack_query_text(const struct knack_query *q, struct buf *b)
{
	knack_query_put(q, b, NULL, 1, 0);
}

/* ---- what comes ---- */

/* A record has every field of its object, so one that lacks the field of a rule tells that the application has it no more. */
static bool
lacks_fields(const struct knack_rules *r, struct str record)
{
	for (size_t i = 0; i < r->fields; i++) {
		bool there = r->html[i].len == 0;

		for (struct json_walk w = json_walk(record); !there && json_next(&w); )
			there = str_eq(w.key, buf_all(&r->html[i])) || str_eq(w.key, buf_all(&r->raw[i]));
		if (!there)
			return true;
	}
	return false;
}

bool
knack_query_test(const struct knack_query *q, struct str record, const char **why)
{
	enum knack_since_says says;

	*why = NULL;
	if (q->rules != NULL && lacks_fields(q->rules, record)) {
		*why = "a field of --filters is not there";
		return false;
	}
	if (q->since == NULL)
		return true;
	says = knack_since_test(q->since, record, why);
	if (says != SINCE_FOREIGN)
		*why = NULL;
	return says == SINCE_KEEP;
}
