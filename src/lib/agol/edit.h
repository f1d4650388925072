/*
 * agol/edit.h - questions about the features of an ArcGIS layer, and edits of them.
 *
 * Edits are sent with rollbackOnFailure=false: what is good is stored, and each feature has its own result.
 */
#ifndef AGOL_EDIT_H
#define AGOL_EDIT_H

#include "agol/layer.h"
#include "format/json.h"

#define AGOL_FORM (1 << 20)     /* bytes of a request: larger ones are refused in ways that look like other troubles */

unsigned long long agol_count(struct agol *, const struct agol_layer *);

/*
 * Object ids, in ascending order, and the value of one more field, as JSON.
 *	struct agol_find f = { .where = "id IN ('a','b')", .field = key };
 *	while (agol_find(a, layer, &f)) use(f.oid, f.value);
 */
struct agol_find {
	const char *where;
	const struct agol_field *field; /* or NULL */
	long long oid;
	struct str value;
	struct buf form, body;          /* the rest is agol_find()'s; it is freed when that returns false */
	struct json_walk features;
	long long last;
	bool started, fresh, any, more;
};
bool agol_find(struct agol *, const struct agol_layer *, struct agol_find *);

enum agol_op { AGOL_ADD, AGOL_UPDATE, AGOL_DELETE };

/* Starts the form of an edit; its things are appended to it by buf_percent(): an array of
 * features, or ids with commas. */
void agol_begin_edit(struct buf *form, enum agol_op);
/* Sends it; N: how many things. */
enum agol_outcome agol_edit(struct agol *, const struct agol_layer *, enum agol_op, struct str form, size_t n, struct buf *answer);

/* Results in the order of the request.  An answer that has not as many as were sent dies EX_PROTOCOL. */
struct agol_results { struct json_walk walk; };
struct agol_result {
	bool done;
	bool undone;            /* no fault of its own: another was refused, and the layer takes all or none */
	long long oid;          /* -1: not told */
	struct str error;       /* for agol_message() */
};
struct agol_results agol_results(const struct agol_layer *, enum agol_op, const struct buf *answer, size_t n);
bool agol_result_next(struct agol_results *, struct agol_result *);

#endif
