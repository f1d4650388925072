/*
 * agol-push - records into an ArcGIS feature layer or table: upserted by a key, or in the place of what is there.
 *
 * ArcGIS has no transaction.  So nothing is sent before the input has ended well; what is there is updated where it lies and
 * not deleted and added anew, so the layer is never empty; and before anything is added again whose fate is not known,
 * the layer is asked for it.  A run that broke off is simply run again.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "advice.h"
#include "agol/feature.h"
#include "base/err.h"
#include "base/limit.h"
#include "base/progress.h"
#include "format/zone.h"
#include "records/receipt.h"
#include "records/rows.h"
#include "records/spool.h"

#define ALL_REFUSED 20          /* single features refused, and none stored: it is not the features */
#define RAISE_AFTER 16          /* requests that went well, before larger ones are tried again */
#define DELETES 250             /* features a request; over 1,000 are said to fail */

static const char *layer_url, *key_option, *geometry, *location, *sanitize, *timezone_option;
static const char *max_delete = "50%";
static long long layer_number = -1, wkid = 4326, chunk_rows = 250, empty_exit;
static bool replace, in_place, allow_empty, strict;
static struct rows_options reading = { ROWS_DEFAULTS, ROWS_ADVICE };
static struct agol_options portal = { AGOL_DEFAULTS };

static const struct opt options[] = {
	OPT_NUMBER('l', "layer", "N", &layer_number, 0, 1LL << 31, "the layer or table of the item, by its id"),
	OPT_STRING('u', "url", "URL", &layer_url, "the layer by its URL, instead of an item"),
	OPT_STRING('k', "key", "FIELD", &key_option, "the field that tells which feature is which"),
	OPT_FLAG(0, "replace", &replace, "delete features whose key was not read"),
	OPT_FLAG(0, "in-place", &in_place, "--replace without --key: delete all, then add"),
	OPT_FLAG(0, "allow-empty", &allow_empty, "--replace by no records at all empties the layer"),
	OPT_STRING(0, "max-delete", "N|P%", &max_delete,
	    "a replace that loses more than this: fail (50%)"),
	OPT_STRING(0, "geometry", "point=LAT,LON", &geometry, "fields of the latitude and longitude"),
	OPT_STRING(0, "location", "FIELD", &location, "field of a Knack location, several, or GeoJSON"),
	OPT_NUMBER(0, "wkid", "N", &wkid, 1, 1LL << 31, "the system of the coordinates (4326: degrees)"),
	OPT_STRING(0, "zone", "NAME", &timezone_option,
	    "the time zone of dates that name none (UTC)"),
	OPT_RENAMED("timezone", "zone"),
	OPT_STRING(0, "sanitize", "FIELD,...|all", &sanitize, "take < and > out of text that has both"),
	OPT_FLAG(0, "strict", &strict, "a field that the layer lacks makes a record bad"),
	OPT_NUMBER(0, "chunk", "N", &chunk_rows, 1, 1000, "features per request at most (250)"),
	OPT_NUMBER(0, "empty-exit", "STATUS", &empty_exit, 0, 255, "exit status when there was no record"),
	OPT_AGOL(portal),
	OPT_ROWS_IN(reading),
	OPT_END
};
const struct tool tool = {
	.name = "agol-push", .operands = "ITEM|--url URL --key FIELD|--replace [file ...]", .options = options,
	.does = "Upsert records into an ArcGIS feature layer by key, or replace what it holds.",
};

enum mode { UPSERT, REPLACE, IN_PLACE };
static const char *const modes[] = { "upsert", "replace", "replace in place" };

/* A record on its way, with the bytes that belong to it behind each other in the chunk. */
struct item {
	size_t at, kept;                /* where they start; bytes behind the feature's that are kept for a reject */
	struct agol_feature feature;
	bool keep_only;                 /* it was bad: its feature stays what it is, but is not gone */
	bool superseded;                /* a later record of the chunk has its key */
	bool doubtful;                  /* it was sent, and its fate was not known */
	long long oid;                  /* -1: not in the layer */
};
struct chunk {
	struct buf bytes;
	struct item *item;
	struct item **by_key, **sent;   /* those with a key of their own, sorted; room for those that are sent */
	size_t n, keys;
};

struct push {
	enum mode mode;
	struct agol *agol;
	struct agol_layer *layer;
	struct rows *in;
	struct agol_features features;

	struct spool *spool, *doubts;
	unsigned long long good;        /* records in the spool to be sent */

	struct chunk chunk;
	struct buf record, json, form, answer, where, reason;
	size_t limit;                   /* features a request, halved when that is too much */
	unsigned good_requests;         /* in a row */
	int kept_fd;                    /* a bit for each object id that is to stay */
	unsigned long long kept;
	long long last_oid;             /* in place: what is past it is ours */
	unsigned refusals;              /* in a row */
	struct buf first_reason;
	unsigned long long added, updated, deleted, superseded, refused;
};

/* ---- options ---- */

static void
check_options(char **operands)
{
	if (layer_url == NULL && operands[0] == NULL)
		die(EX_USAGE, "no ITEM and no --url: say which layer");
	if (key_option == NULL && !replace)
		die(EX_USAGE, "no --key: say which field tells features apart, or --replace --in-place");
	if (key_option == NULL && !in_place)
		die(EX_USAGE, "--replace without --key deletes all before it adds: add --in-place if that will do, or give a --key");
	if (in_place && (key_option != NULL || !replace))
		die(EX_USAGE, "--in-place is for --replace without --key");
	if (allow_empty && !replace)
		die(EX_USAGE, "--allow-empty is for --replace");
	if (geometry != NULL && location != NULL)
		die(EX_USAGE, "--geometry and --location: choose one");
	if (key_option != NULL && *key_option == '\0')
		die(EX_USAGE, "--key: no name");
	if (timezone_option != NULL)
		zone_use(timezone_option);
}

static void
parse_geometry(struct push *p)
{
	const char *prefix = "point=", *comma;

	if (geometry == NULL)
		return;
	comma = strchr(geometry, ',');
	if (strncmp(geometry, prefix, strlen(prefix)) != 0 || comma == NULL || comma[1] == '\0' || strchr(comma + 1, ',') != NULL ||
	    comma == geometry + strlen(prefix))
		die(EX_USAGE, "--geometry %s: want point=LATITUDE,LONGITUDE, the names of two fields", geometry);
	p->features.lat = (struct str){ geometry + strlen(prefix), (size_t)(comma - geometry) - strlen(prefix) };
	p->features.lon = str_of(comma + 1);
}

static void
find_key(struct push *p)
{
	const struct agol_field *key;

	if (key_option == NULL)
		return;
	key = p->features.key = agol_field(p->layer, str_of(key_option));
	if (key == NULL)
		die(EX_CONFIG, "--key %s: %s has no such field", key_option, p->layer->name);
	if (!key->editable)
		die(EX_CONFIG, "--key %s: %s fills it itself: want a field of the records", key_option, p->layer->name);
	if (key->type != AGOL_STRING && key->type != AGOL_GUID && key->type != AGOL_SMALL && key->type != AGOL_INTEGER && key->type != AGOL_BIG)
		die(EX_CONFIG, "--key %s: want a field of text or integers", key_option);
}

static void
find_sanitized(struct push *p)
{
	struct words names;

	p->features.sanitized_field = xcalloc(p->layer->n, sizeof *p->features.sanitized_field);
	if (sanitize == NULL)
		return;
	names = opt_split(sanitize);
	for (size_t i = 0; i < names.n; i++) {
		const struct agol_field *f = agol_field(p->layer, str_of(names.w[i]));

		if (f == NULL && (names.n > 1 || strcmp(sanitize, "all") != 0))
			die(EX_CONFIG, "--sanitize %s: %s has no such field", names.w[i], p->layer->name);
		if (f != NULL)
			p->features.sanitized_field[f - p->layer->field] = true;
	}
	for (size_t i = 0; i < p->layer->n; i++)
		if (strcmp(sanitize, "all") == 0)
			p->features.sanitized_field[i] = true;
	free(names.w[0]);
	free(names.w);
}

/* What the options say of the layer that there is. */
static void
fit_to_layer(struct push *p)
{
	p->features.layer = p->layer;
	p->features.wkid = wkid;
	p->features.in_zone = timezone_option != NULL;
	p->features.strict = strict;
	parse_geometry(p);
	if (location != NULL)
		p->features.location = str_of(location);
	if ((geometry != NULL || location != NULL) && p->layer->shape == AGOL_LINES)
		die(EX_CONFIG, "%s: %s has lines or polygons: only points are loaded", geometry != NULL ? "--geometry" : "--location",
		    p->layer->name);
	if ((geometry != NULL || location != NULL) && p->layer->shape == AGOL_TABLE)
		note("%s is a table: no geometry is sent", p->layer->name);
	find_key(p);
	find_sanitized(p);
}

/* ---- records ---- */

/* Makes a feature of the row and puts it aside.  Where features that were not read are deleted, the key of a bad one is, too. */
static void
take_row(struct push *p, const struct row *row)
{
	struct buf *b = &p->record;
	struct item item = { .oid = -1 };
	size_t end;

	buf_reset(b);
	buf_add(b, &item, sizeof item);
	item.keep_only = !agol_feature_put(&p->features, p->in, row, b, &item.feature);
	if (item.keep_only && (p->mode != REPLACE || item.feature.key == 0))
		return;
	if (!item.keep_only) {
		end = b->len;
		rows_keep(p->in, b);
		item.kept = b->len - end;
		p->good++;
	}
	memcpy(b->p, &item, sizeof item);
	spool_put(p->spool, buf_all(b));
}

static void
read_records(struct push *p)
{
	const struct row *row;

	p->spool = spool_open();
	while ((row = rows_next(p->in)) != NULL)
		take_row(p, row);
	if (p->features.lacking.len > 0)
		note("%s lacks these fields, which are not sent: %s", p->layer->name, p->features.lacking.p);
	if (p->features.filled.len > 0)
		note("%s fills these fields itself, which are not sent: %s", p->layer->name, p->features.filled.p);
	if ((location != NULL || geometry != NULL) && p->good > 0 && !p->features.place_seen && p->layer->shape != AGOL_TABLE)
		warning("no record has the field of %s: geometry stays as it is", location != NULL ? "--location" : "--geometry");
	rows_check_read(p->in);
}

/* ---- what is to stay: a bit for each object id, in a file with holes ---- */

static bool
is_kept(struct push *p, long long oid)
{
	unsigned char byte = 0;

	if (pread(p->kept_fd, &byte, 1, oid / 8) < 0)
		die_errno(EX_IOERR, "a temporary file (see TMPDIR)");
	return byte >> oid % 8 & 1;
}

static void
keep(struct push *p, long long oid)
{
	unsigned char byte = 0;

	if (p->mode != REPLACE || oid < 0 || is_kept(p, oid))
		return;
	if (pread(p->kept_fd, &byte, 1, oid / 8) < 0)
		die_errno(EX_IOERR, "a temporary file (see TMPDIR)");
	byte |= (unsigned char)(1 << oid % 8);
	if (pwrite(p->kept_fd, &byte, 1, oid / 8) != 1)
		die_errno(EX_IOERR, "a temporary file (see TMPDIR)");
	p->kept++;
}

/* ---- chunks ---- */

static struct str
key_of(const struct push *p, const struct item *i)
{
	return (struct str){ p->chunk.bytes.p + i->at, i->feature.key };
}

static const struct push *sorting;      /* qsort(3) passes nothing on */

static int
compare_keys(struct str a, struct str b)
{
	int order = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return order != 0 ? order : (a.n > b.n) - (a.n < b.n);
}

static int
compare_items(const void *a, const void *b)
{
	const struct item *x = *(struct item *const *)a, *y = *(struct item *const *)b;
	int order = compare_keys(key_of(sorting, x), key_of(sorting, y));

	return order != 0 ? order : (x > y) - (x < y);
}

/* Of records with one key the last one counts; a bad one only where there is no good one. */
static void
sort_keys(struct push *p)
{
	struct chunk *c = &p->chunk;

	for (size_t i = 0; i < c->n; i++)
		c->by_key[i] = &c->item[i];
	sorting = p;
	qsort(c->by_key, c->n, sizeof *c->by_key, compare_items);
	c->keys = 0;
	for (size_t i = 0, end; i < c->n; i = end) {
		struct item *last = c->by_key[i];

		for (end = i + 1; end < c->n && str_eq(key_of(p, c->by_key[end]), key_of(p, last)); end++) {
			struct item *next = c->by_key[end], *loser = next->keep_only && !last->keep_only ? next : last;

			last = loser == last ? next : last;
			loser->superseded = true;
			p->superseded += !loser->keep_only;
		}
		c->by_key[c->keys++] = last;
	}
}

/* Reads the next features from the spool, as many as fit into a request.  False after the last. */
static bool
next_chunk(struct push *p)
{
	struct chunk *c = &p->chunk;

	buf_reset(&c->bytes);
	for (c->n = 0; c->n < (size_t)chunk_rows && c->bytes.len < AGOL_FORM && spool_next(p->spool, &p->record); c->n++) {
		struct item *i = &c->item[c->n];

		memcpy(i, p->record.p, sizeof *i);
		i->at = c->bytes.len;
		buf_add(&c->bytes, p->record.p + sizeof *i, p->record.len - sizeof *i);
	}
	if (p->features.key != NULL)
		sort_keys(p);
	return c->n > 0;
}

static struct item *
find_item(struct push *p, struct str key)
{
	size_t low = 0, high = p->chunk.keys;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare_keys(key, key_of(p, p->chunk.by_key[middle]));

		if (order == 0)
			return p->chunk.by_key[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* ---- look-ups ---- */

/* Fills p->where with FIELD IN (...) */
static void
make_condition(struct push *p, struct item **it, size_t n)
{
	bool bare = p->features.key->type != AGOL_STRING && p->features.key->type != AGOL_GUID;

	buf_reset(&p->where);
	buf_str(&p->where, p->features.key->name);
	buf_text(&p->where, " IN (");
	for (size_t i = 0; i < n; i++) {
		struct str key = key_of(p, it[i]);

		buf_text(&p->where, i > 0 ? "," : "");
		if (bare) {
			buf_str(&p->where, key);
			continue;
		}
		buf_char(&p->where, '\'');
		for (size_t j = 0; j < key.n; j++) {
			if (key.p[j] == '\'')
				buf_char(&p->where, '\'');
			buf_char(&p->where, key.p[j]);
		}
		buf_char(&p->where, '\'');
	}
	buf_char(&p->where, ')');
}

/* The layer may compare with less care than we do, so what it found is compared again. */
static void
look_up(struct push *p, struct item **it, size_t n, void (*found)(struct push *, struct item *, long long oid))
{
	struct agol_find f = { .field = p->features.key };
	struct buf key = { 0 };

	make_condition(p, it, n);
	f.where = p->where.p;
	while (agol_find(p->agol, p->layer, &f)) {
		struct item *i;

		if (f.value.p == NULL || *f.value.p == 'n')
			continue;
		buf_reset(&key);
		agol_key(&key, p->features.key, f.value);
		i = find_item(p, buf_all(&key));
		if (i != NULL)
			found(p, i, f.oid);
	}
	buf_free(&key);
}

/* Two features of one key: which is meant can't be told; where those that are gone are deleted, the second one is. */
static void
note_oid(struct push *p, struct item *i, long long oid)
{
	if (i->oid < 0)
		i->oid = oid;
	else if (p->mode == UPSERT && oid != i->oid)
		die(EX_CONFIG, "key \"%.*s\" is on two features, %lld and %lld: want a --key that tells features apart, or --replace, "
		    "which leaves one", (int)i->feature.key, key_of(p, i).p, i->oid, oid);
	keep(p, i->oid);
}

/* ---- edits ---- */

static void
refuse(struct push *p, const struct item *i, const char *why)
{
	size_t at = i->at + i->feature.key + i->feature.attributes + i->feature.place;
	struct str kept = { p->chunk.bytes.p + at, i->kept };
	struct str where = rows_kept_where(kept);

	if (p->refused++ == 0)
		buf_fmt(&p->first_reason, "%.*s: %s", (int)where.n, where.p, why);
	rows_reject_kept(p->in, kept, (struct str){ 0 }, why);
	progress_add(1, 0);
}

static void
make_form(struct push *p, enum agol_op op, struct item **it, size_t n)
{
	buf_reset(&p->json);
	for (size_t i = 0; i < n; i++) {
		buf_char(&p->json, i > 0 ? ',' : '[');
		agol_feature_json(&p->features, &p->json, op, it[i]->oid, p->chunk.bytes.p + it[i]->at, it[i]->feature);
	}
	buf_char(&p->json, ']');
	agol_begin_edit(&p->form, op);
	buf_percent(&p->form, buf_all(&p->json));
}

static void
note_success(struct push *p, enum agol_op op, struct item *i, long long oid)
{
	if (op == AGOL_ADD)
		p->added++;
	else
		p->updated++;
	if (op == AGOL_ADD && oid < 0)
		die(EX_PROTOCOL, "%s: a feature was added, and has no object id", p->layer->url);
	i->oid = op == AGOL_ADD ? oid : i->oid;
	keep(p, i->oid);
	if (i->oid > p->last_oid)
		p->last_oid = i->oid;
	if (i->doubtful && p->mode == UPSERT) {
		i->keep_only = true;            /* for the spool: the key, and what became of it */
		buf_reset(&p->record);
		buf_add(&p->record, i, sizeof *i);
		buf_str(&p->record, key_of(p, i));
		if (p->doubts == NULL)
			p->doubts = spool_open();
		spool_put(p->doubts, buf_all(&p->record));
	}
	p->refusals = 0;
	progress_add(1, 0);
}

static void send_items(struct push *, enum agol_op, struct item **, size_t);

static void
send_halves(struct push *p, enum agol_op op, struct item **it, size_t n)
{
	send_items(p, op, it, n / 2);
	send_items(p, op, it + n / 2, n - n / 2);
}

/* The request was refused as a whole: halving it finds who is to blame. */
static void
find_blame(struct push *p, enum agol_op op, struct item **it, size_t n, const char *why)
{
	if (n > 1) {
		send_halves(p, op, it, n);
		return;
	}
	refuse(p, it[0], why);
	if (++p->refusals >= ALL_REFUSED && p->added + p->updated == 0)
		die(EX_DATAERR, "%s refuses every feature: %s", p->layer->name, why);
}

/* Each feature has its own result.  Those that were good, but undone for another's sake, are sent again. */
static void
judge_results(struct push *p, enum agol_op op, struct item **it, size_t n)
{
	struct agol_results results = agol_results(p->layer, op, &p->answer, n);
	struct agol_result r;
	size_t undone = 0;

	for (size_t i = 0; agol_result_next(&results, &r); i++) {
		if (r.done) {
			note_success(p, op, it[i], r.oid);
		} else if (r.undone) {
			it[undone++] = it[i];
		} else {
			buf_reset(&p->reason);
			agol_message(&p->reason, r.error);
			refuse(p, it[i], p->reason.p);
		}
	}
	if (undone == n)
		find_blame(p, op, it, n, "undone with the others of its request");
	else
		send_items(p, op, it, undone);
}

static void
note_arrived(struct push *p, struct item *i, long long oid)
{
	if (i->oid < 0 && i->doubtful) {
		note_success(p, AGOL_ADD, i, oid);
		agol_settled(p->agol);
	}
}

/* What was added in place and has no key can't be told from the rest of its request: it is taken back. */
static void
take_back(struct push *p)
{
	struct buf where = { 0 };
	struct agol_find f = { 0 };

	buf_fmt(&where, "%.*s > %lld", (int)p->layer->oid->name.n, p->layer->oid->name.p, p->last_oid);
	f.where = where.p;
	while (agol_find(p->agol, p->layer, &f)) {
		agol_begin_edit(&p->form, AGOL_DELETE);
		buf_fmt(&p->form, "%lld", f.oid);
		if (agol_edit(p->agol, p->layer, AGOL_DELETE, buf_all(&p->form), 1, &p->answer) != AGOL_DONE)
			die(EX_PROTOCOL, "%s: deleting features: \"%s\"", p->layer->url, agol_said(p->agol));
	}
	buf_free(&where);
}

/* Nobody knows whether the features were added.  Those that were are found by their keys; the others go again. */
static void
settle_adds(struct push *p, struct item **it, size_t n)
{
	size_t left = 0;

	if (p->mode == IN_PLACE) {
		take_back(p);
		send_items(p, AGOL_ADD, it, n);
		return;
	}
	for (size_t i = 0; i < n; i++)
		it[i]->doubtful = true;
	look_up(p, it, n, note_arrived);
	for (size_t i = 0; i < n; i++)
		if (it[i]->oid < 0)
			it[left++] = it[i];
	send_items(p, AGOL_ADD, it, left);
}

static void
lower_limit(struct push *p, size_t n)
{
	p->limit = n > 1 ? n / 2 : p->limit;
	p->good_requests = 0;
}

/* What was too much may have been the server's trouble of the moment. */
static void
raise_limit(struct push *p)
{
	if (++p->good_requests % RAISE_AFTER == 0)
		p->limit = p->limit * 2 < (size_t)chunk_rows ? p->limit * 2 : (size_t)chunk_rows;
}

static void
send_items(struct push *p, enum agol_op op, struct item **it, size_t n)
{
	if (n == 0)
		return;
	make_form(p, op, it, n);
	if (n > 1 && (n > p->limit || p->form.len > AGOL_FORM)) {
		send_halves(p, op, it, n);
		return;
	}
	switch (agol_edit(p->agol, p->layer, op, buf_all(&p->form), n, &p->answer)) {
	case AGOL_DONE:
		raise_limit(p);
		judge_results(p, op, it, n);
		break;
	case AGOL_REFUSED:
		find_blame(p, op, it, n, agol_said(p->agol));
		break;
	case AGOL_TOO_MUCH:
		lower_limit(p, n);
		find_blame(p, op, it, n, agol_said(p->agol));
		break;
	case AGOL_UNKNOWN:
		lower_limit(p, n);
		settle_adds(p, it, n);
		break;
	}
}

/* The chunk's features of one kind: those that the layer has, or those that it lacks. */
static void
send_some(struct push *p, enum agol_op op)
{
	struct chunk *c = &p->chunk;
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++) {
		struct item *item = &c->item[i];

		if (!item->superseded && !item->keep_only && (item->oid >= 0) == (op == AGOL_UPDATE))
			c->sent[n++] = item;
	}
	send_items(p, op, c->sent, n);
}

static void
send_chunk(struct push *p)
{
	if (p->mode != IN_PLACE) {
		look_up(p, p->chunk.by_key, p->chunk.keys, note_oid);
		send_some(p, AGOL_UPDATE);
	}
	send_some(p, AGOL_ADD);
}

/* ---- what is gone ---- */

static void
delete_ids(struct push *p, const long long *id, size_t n)
{
	struct agol_results results;
	struct agol_result r;
	enum agol_outcome outcome;

	if (n == 0)
		return;
	agol_begin_edit(&p->form, AGOL_DELETE);
	for (size_t i = 0; i < n; i++)
		buf_fmt(&p->form, i > 0 ? "%%2C%lld" : "%lld", id[i]);
	outcome = agol_edit(p->agol, p->layer, AGOL_DELETE, buf_all(&p->form), n, &p->answer);
	if (outcome == AGOL_TOO_MUCH && n > 1) {
		delete_ids(p, id, n / 2);
		delete_ids(p, id + n / 2, n - n / 2);
		return;
	}
	if (outcome != AGOL_DONE)
		die(EX_PROTOCOL, "%s: deleting features: \"%s\"", p->layer->url, agol_said(p->agol));
	results = agol_results(p->layer, AGOL_DELETE, &p->answer, n);
	while (agol_result_next(&results, &r)) {
		if (!r.done && p->reason.len == 0)
			agol_message(&p->reason, r.error);
	}
	p->deleted += n;
}

/* Deletes all features that are not to stay; the last count tells whether they went. */
static void
delete_gone(struct push *p)
{
	struct agol_find f = { .where = "1=1" };
	long long id[DELETES];
	size_t n = 0, most = (size_t)chunk_rows < DELETES ? (size_t)chunk_rows : DELETES;

	buf_reset(&p->reason);
	while (agol_find(p->agol, p->layer, &f)) {
		p->last_oid = f.oid;
		if (p->mode == REPLACE && is_kept(p, f.oid))
			continue;
		id[n++] = f.oid;
		if (n == most) {
			delete_ids(p, id, n);
			n = 0;
		}
	}
	delete_ids(p, id, n);
}

/* The source and the layer agree, or the run failed. */
static void
check_count(struct push *p)
{
	unsigned long long count = agol_count(p->agol, p->layer), want = p->mode == REPLACE ? p->kept : p->added;

	if (count != want)
		die(EX_PROTOCOL, "%s has %llu features, and should have %llu%s%s: run again", p->layer->name, count, want,
		    p->reason.len > 0 ? ": " : "", p->reason.len > 0 ? p->reason.p : "");
}

/* ---- doubts ---- */

static void
delete_double(struct push *p, struct item *i, long long oid)
{
	if (oid == i->oid)
		return;
	note("key \"%.*s\" was added twice by a request that was long under way: the second one is deleted", (int)i->feature.key,
	    key_of(p, i).p);
	delete_ids(p, &oid, 1);
	p->deleted--;
}

/* An add that got no answer may have been stored after we looked and added it again. */
static void
settle_doubts(struct push *p)
{
	struct spool *all = p->spool;

	if (p->doubts == NULL)
		return;
	p->spool = p->doubts;
	spool_rewind(p->spool);
	while (next_chunk(p))
		look_up(p, p->chunk.by_key, p->chunk.keys, delete_double);
	p->spool = all;
	spool_close(p->doubts);
}

/* ---- all of it ---- */

static void
guard_replace(struct push *p, struct limit limit)
{
	unsigned long long had = agol_count(p->agol, p->layer);

	if (p->good > 0 && had > p->good)
		limit_check(limit, had - p->good, had, p->layer->name);
}

static void
send_all(struct push *p, struct limit limit)
{
	if (p->mode != UPSERT)
		guard_replace(p, limit);
	stop_setup(p->mode == IN_PLACE ? "the layer is incomplete: run again" : "a part was sent: run again, and the rest is sent, too");
	p->limit = (size_t)chunk_rows;
	p->chunk.item = xcalloc((size_t)chunk_rows, sizeof *p->chunk.item);
	p->chunk.by_key = xcalloc((size_t)chunk_rows, sizeof *p->chunk.by_key);
	p->chunk.sent = xcalloc((size_t)chunk_rows, sizeof *p->chunk.sent);
	progress_restart(p->good);
	p->last_oid = -1;
	if (p->mode == REPLACE)
		p->kept_fd = spool_file();
	if (p->mode == IN_PLACE)
		delete_gone(p);
	spool_rewind(p->spool);
	while (next_chunk(p))
		send_chunk(p);
	settle_doubts(p);
	if (p->mode == REPLACE)
		delete_gone(p);
	if (p->mode != UPSERT)
		check_count(p);
	stop_hold();
}

static void
print_receipt(struct push *p)
{
	struct rows_counts count = rows_counts(p->in);

	receipt_open();
	receipt_str("layer", p->layer->url);
	receipt_str("mode", modes[p->mode]);
	receipt_int("read", count.read);
	receipt_int("added", p->added);
	receipt_int("updated", p->updated);
	receipt_int("deleted", p->deleted);
	if (p->superseded > 0)
		receipt_int("superseded", p->superseded);
	receipt_int("sanitized", p->features.sanitized);
	receipt_int("rejected", count.rejected);
	if (count.nuls > 0)
		receipt_int("nuls", count.nuls);
	receipt_int("requests", agol_requests(p->agol));
	receipt_close(count.read == 0);
}

static void
close_push(struct push *p)
{
	agol_layer_close(p->layer);
	agol_close(p->agol);
	spool_close(p->spool);
	agol_features_free(&p->features);
	free(p->chunk.item);
	free(p->chunk.by_key);
	free(p->chunk.sent);
	for (struct buf **b = (struct buf *[]){ &p->chunk.bytes, &p->record, &p->json, &p->form, &p->answer,
	    &p->where, &p->reason, &p->first_reason, NULL }; *b != NULL; b++)
		buf_free(*b);
}

int
main(int argc, char *argv[])
{
	char **operands = opt_parse(argc, argv);
	struct limit limit = limit_parse("max-delete", max_delete);
	struct push p = { .mode = in_place ? IN_PLACE : replace ? REPLACE : UPSERT };
	bool empty;

	check_options(operands);
	stop_setup("nothing was sent, run again");
	p.agol = agol_open(&portal);
	p.layer = layer_url != NULL ? agol_layer_at(p.agol, layer_url, layer_number)
	    : agol_layer_of(p.agol, operands[0], layer_number);
	fit_to_layer(&p);
	p.in = rows_open(layer_url != NULL ? operands : operands + 1, &reading);
	read_records(&p);
	if (p.good == 0 && replace && !allow_empty)
		warning("no records: %s stays as it is (--allow-empty would empty it)", p.layer->name);
	else if (p.good > 0 || replace)
		send_all(&p, limit);
	print_receipt(&p);
	empty = rows_counts(p.in).read == 0;
	rows_close(p.in);
	if (p.refused > 0 && reading.rejects == NULL)
		die(EX_DATAERR, "%llu features were refused, the others are in: %s", p.refused, p.first_reason.p);
	close_push(&p);
	return empty ? (int)empty_exit : EX_OK;
}
