/*
 * knack/query.h - which records of an object or a view are wanted, as Knack's parameters say it.
 *
 * Knack leaves out a rule or an order on a field that it does not know, and sends everything.  So every field is looked
 * up in the metadata before anything is asked, and knack_query_test() looks whether what comes can be what was asked for.
 */
#ifndef KNACK_QUERY_H
#define KNACK_QUERY_H

#include "knack/knack.h"
#include "knack/since.h"

/* As the user gave them; NULL where not given. */
struct knack_wanted {
	const char *object, *view, *scene;
	const char *filters, *sort, *since, *zone;
};

struct knack_query {
	const char *name;                       /* "object_12" or "view_197", for messages */
	const struct knack_object *object;      /* whose records they are */
	const struct knack_view *view;          /* NULL: the object itself */
	struct buf path;                        /* "/objects/object_12/records" */
	const struct knack_field *sort;         /* NULL: Knack's own order */
	bool descending;
	/* An auto increment that the records are sorted by: it never changes and new records have higher ones, so that pages can
	 * be asked for by what comes after the last.  NULL: there is none, or a rule more could not be joined. */
	const struct knack_field *counter;
	struct knack_since *since;              /* NULL: not asked for */
	struct knack_rules *rules;              /* of --filters */
};

/* What needs no server: dies EX_USAGE. */
void knack_place_check(const struct knack_wanted *);    /* the first three */
void knack_wanted_check(const struct knack_wanted *);
/* The object or view is there and has the fields, or dies: EX_PROTOCOL, EX_DATAERR. */
struct knack_query *knack_query_open(struct knack *, const struct knack_wanted *);
void knack_query_close(struct knack_query *);

/* The path with its parameters; of records whose counter is higher than AFTER, where that is not NULL. */
void knack_query_put(const struct knack_query *, struct buf *path, const char *after, unsigned long long page,
    unsigned long long rows);
/* True: a record of the answer, and wanted.  *WHY becomes not NULL where it is none that the rules let pass. */
bool knack_query_test(const struct knack_query *, struct str record, const char **why);
/* A text that is the same for the same question. */
void knack_query_text(const struct knack_query *, struct buf *);

/* The path of the records, "/objects/object_12/records", for an object or a view that the metadata have.  *VIEW is NULL for
 * an object. */
const struct knack_object *knack_place(struct knack *, const struct knack_wanted *, struct buf *path,
    const struct knack_view **view);
/* A field of the object, or of the view's columns (VIEW may be NULL), by its key or name; dies EX_DATAERR, and names the
 * OPTION. */
const struct knack_field *knack_find_field(struct knack *, const struct knack_object *, const struct knack_view *view,
    const char *option, struct str text);
/* object_12, view_197, field_7: PREFIX and a number. */
bool knack_is_key(struct str, const char *prefix);

#endif
