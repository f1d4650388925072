/*
 * knack/app.h - the metadata document of a Knack application: its objects, fields and views.
 *
 * It is read once and checked; what a tool asks for later is there.  All texts are copies, NUL-terminated, that live as
 * long as the application.  The order is that of the document: by object, then by field.  What the document holds
 * besides is not kept, and its text belongs in no message: it is more than a schema.
 */
#ifndef KNACK_APP_H
#define KNACK_APP_H

#include "base/names.h"

struct knack_object {
	struct str key, name;           /* object_12, "Signals" */
	struct str identifier;          /* the key of the field that names a record; p NULL: not set */
	const struct knack_field *field;
	size_t fields;
};
struct knack_field {
	struct str key, name, type;     /* field_7, "Short Text", short_text */
	struct str format;              /* JSON; p NULL where there is none */
	const struct knack_object *object;
};
struct knack_view {
	struct str key, name, type;     /* view_197, "Signals", table */
	struct str scene;               /* scene_73 */
	const struct knack_object *object;      /* NULL for a menu and its like */
	const struct knack_field **column;      /* the fields among its columns, each once, in the order of the view; */
	size_t columns;                         /* tables have them, forms and details do not */
};
struct knack_app {
	struct str id, name, slug;      /* p NULL where the document does not say */
	struct str account;             /* the account's slug: https://ACCOUNT-api.knack.com */
	struct str timezone;            /* as Knack calls it: "Central Time (US & Canada)" */
	struct knack_object *object;
	struct knack_field *field;      /* those of all objects, in one piece */
	struct knack_view *view;
	size_t objects, fields, views;
	struct names field_keys;        /* field[i].key at place i */
	struct buf text;
};

/* A file with the document, "-" for standard input.  One that won't open dies EX_NOINPUT, one that is no such document
 * EX_DATAERR with what is wrong.  WRITER is what writes such documents, for that. */
struct knack_app *knack_app_read(const char *file, const char *writer);
/* The document as the server gave it.  One that makes no sense dies with STATUS; WHERE begins the message. */
struct knack_app *knack_app_parse(struct str document, const char *where, const char *writer,
    int status);
void knack_app_free(struct knack_app *);

/* NULL where there is none. */
const struct knack_field *knack_field(struct knack_app *, struct str key);
const struct knack_object *knack_object(const struct knack_app *, struct str key);
const struct knack_view *knack_view(const struct knack_app *, struct str key);
/* How many fields of the object have this name; Knack allows several.  *FIELD is the last of them. */
size_t knack_fields_named(const struct knack_object *, struct str name, const struct knack_field **field);

/* The application's time zone, or the one that a user named (NULL: none), as zone_use() takes it.  Either may be an IANA
 * name or one of Knack's.  One that is not known dies EX_CONFIG. */
const char *knack_zone(const struct knack_app *, const char *named);

#endif
