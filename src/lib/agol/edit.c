/* agol/edit.c - questions about the features of an ArcGIS layer, and edits of them. */
#include "agol/edit.h"

#include <stdio.h>
#include <stdlib.h>


#define ROLLED_BACK 1003        /* the code of features that were good, where one was not */

static const struct { const char *path, *form, *results, *what; } ops[] = {
	[AGOL_ADD] = { "addFeatures", "features", "addResults", "adding features" },
	[AGOL_UPDATE] = { "updateFeatures", "features", "updateResults", "updating features" },
	[AGOL_DELETE] = { "deleteFeatures", "objectIds", "deleteResults", "deleting features" },
};

static void
ask(struct agol *a, const struct agol_layer *l, const struct buf *form, struct buf *body)
{
	struct buf url = { 0 };

	buf_fmt(&url, "%s/query", l->url);
	agol_get(a, url.p, buf_all(form), "query", body);
	buf_free(&url);
}

unsigned long long
agol_count(struct agol *a, const struct agol_layer *l)
{
	struct buf form = { 0 }, body = { 0 };
	struct str count;
	unsigned long long n;

	buf_text(&form, "f=json&where=1%3D1&returnCountOnly=true");
	ask(a, l, &form, &body);
	count = json_get(buf_all(&body), "count");
	if (count.p == NULL || *count.p < '0' || *count.p > '9')
		die(EX_PROTOCOL, "%s: no count of features in the answer", l->url);
	n = strtoull(count.p, NULL, 10);
	buf_free(&form);
	buf_free(&body);
	return n;
}

static void
add_name(struct buf *b, const struct agol_field *field)
{
	buf_percent(b, field->name);
}

/* The features after f->last.  By a condition and not by an offset, so that features that go meanwhile do no harm. */
static void
next_page(struct agol *a, const struct agol_layer *l, struct agol_find *f)
{
	struct str features;
	struct buf after = { 0 };

	buf_reset(&f->form);
	buf_text(&f->form, "f=json&returnGeometry=false&orderByFields=");
	add_name(&f->form, l->oid);
	buf_text(&f->form, "&outFields=");
	add_name(&f->form, l->oid);
	if (f->field != NULL) {
		buf_text(&f->form, "%2C");
		add_name(&f->form, f->field);
	}
	buf_text(&f->form, "&where=");
	if (f->any) {
		buf_fmt(&after, "%.*s > %lld AND (", (int)l->oid->name.n, l->oid->name.p, f->last);
		buf_percent(&f->form, buf_all(&after));
		buf_percent(&f->form, str_of(f->where));
		buf_percent(&f->form, STR(")"));
		buf_free(&after);
	} else {
		buf_percent(&f->form, str_of(f->where));
	}
	ask(a, l, &f->form, &f->body);
	features = json_get(buf_all(&f->body), "features");
	if (features.p == NULL || *features.p != '[')
		die(EX_PROTOCOL, "%s: no features in the answer to a query", l->url);
	f->features = json_walk(features);
	f->more = str_eq(json_get(buf_all(&f->body), "exceededTransferLimit"), STR("true"));
	f->started = f->fresh = true;
}

/* A member of an object whose name is a field's: names may hold what json_get() takes for a path. */
static struct str
attribute(struct str object, struct str name)
{
	struct str found = { 0 };

	if (object.p == NULL || *object.p != '{')
		return found;
	for (struct json_walk w = json_walk(object); json_next(&w); )
		if (str_eq(w.key, name))
			found = w.value;
	return found;
}

bool
agol_find(struct agol *a, const struct agol_layer *l, struct agol_find *f)
{
	struct str attributes, oid;

	if (!f->started)
		next_page(a, l, f);
	while (!json_next(&f->features)) {
		if (!f->more) {
			buf_free(&f->form);
			buf_free(&f->body);
			return false;
		}
		if (f->fresh)
			die(EX_PROTOCOL, "%s: a page without features, and more to come", l->url);
		next_page(a, l, f);
	}
	attributes = *f->features.value.p == '{' ? json_get(f->features.value, "attributes") : (struct str){ 0 };
	oid = attribute(attributes, l->oid->name);
	if (oid.p == NULL || *oid.p < '0' || *oid.p > '9')
		die(EX_PROTOCOL, "%s: a feature without an object id", l->url);
	f->oid = strtoll(oid.p, NULL, 10);
	f->value = f->field != NULL ? attribute(attributes, f->field->name) : (struct str){ 0 };
	if (f->any && f->oid <= f->last)
		die(EX_PROTOCOL, "%s: object ids that do not ascend: a page repeats", l->url);
	f->last = f->oid;
	f->any = true;
	f->fresh = false;
	return true;
}

void
agol_begin_edit(struct buf *form, enum agol_op op)
{
	buf_reset(form);
	buf_fmt(form, "f=json&rollbackOnFailure=false&%s=", ops[op].form);
}

enum agol_outcome
agol_edit(struct agol *a, const struct agol_layer *l, enum agol_op op, struct str form, size_t n, struct buf *answer)
{
	struct buf url = { 0 };
	enum agol_outcome outcome;

	buf_fmt(&url, "%s/%s", l->url, ops[op].path);
	outcome = agol_ask(a, url.p, form, op == AGOL_ADD ? AGOL_ONCE : n > 1 ? AGOL_SMALLER : AGOL_AGAIN, ops[op].what, answer);
	buf_free(&url);
	return outcome;
}

struct agol_results
agol_results(const struct agol_layer *l, enum agol_op op, const struct buf *answer, size_t n)
{
	struct str array = json_get(buf_all(answer), ops[op].results);
	size_t got = 0;

	if (array.p == NULL || *array.p != '[')
		die(EX_PROTOCOL, "%s: %s: no %s in the answer", l->url, ops[op].what, ops[op].results);
	for (struct json_walk w = json_walk(array); json_next(&w); )
		got++;
	if (got != n)
		die(EX_PROTOCOL, "%s: %s: sent %zu, and the answer is for %zu: run again", l->url, ops[op].what, n, got);
	return (struct agol_results){ json_walk(array) };
}

bool
agol_result_next(struct agol_results *results, struct agol_result *r)
{
	struct str value, oid, code;

	*r = (struct agol_result){ .oid = -1 };
	if (!json_next(&results->walk))
		return false;
	value = results->walk.value;
	if (*value.p != '{')
		return true;
	r->done = str_eq(json_get(value, "success"), STR("true"));
	oid = json_get(value, "objectId");
	if (oid.p != NULL)
		r->oid = strtoll(oid.p, NULL, 10);
	r->error = json_get(value, "error");
	if (r->error.p == NULL || *r->error.p != '{')
		r->error = value;
	code = json_get(r->error, "code");
	r->undone = !r->done && code.p != NULL && strtol(code.p, NULL, 10) == ROLLED_BACK;
	return true;
}
