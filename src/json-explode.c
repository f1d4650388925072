/*
 * json-explode - one record for each element of an array in a JSON document.
 *
 * The array is never held: its elements leave one at a time, so that memory is that of the largest element,
 * however large the document.  That is why a key of PATH that comes twice is an error here and not "the last one
 * wins": the first one's elements are out of the door by then.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/names.h"
#include "base/opt.h"
#include "base/progress.h"
#include "format/json.h"
#include "records/input.h"
#include "records/rows.h"

/* A value that is cut at the window's end is scanned again with more of it; above this size only once the
 * window has doubled, or a large value would be scanned once for every read. */
#define RESCAN_FREELY (1 << 20)

static struct words carries;
static bool optional;
static long long max_record = ROWS_MAX_RECORD;

static const struct opt options[] = {
	OPT_LIST(0, "carry", "FIELD[=NAME]", &carries,
	    "copy this field of the parent into each element"),
	OPT_NO_LETTER('c', "carry"),
	OPT_FLAG(0, "optional", &optional, "leave out a PATH or field that is not there"),
	OPT_NO_LETTER('o', "optional"),
	OPT_SIZE(0, "max-record", "BYTES", &max_record, 1, 1LL << 40, "a larger element is a bad one (64M)"),
	OPT_END
};
const struct tool tool = {
	.name = "json-explode", .operands = "[path [file ...]]", .options = options,
	.does = "Write one record for each element of an array in a JSON document.",
};

struct keys { struct str *k; size_t n; };       /* a path, outermost first; each key is a string of its own */

/* What is carried: the member `path.k[level]` of the object that is so many keys down PATH, or what its further keys lead to. */
struct carry { struct keys path; size_t level; struct str to; struct buf value; bool set, own; };     /* own: the element has it */

struct explode {
	struct input in;
	struct rows_out *out;
	unsigned long long offset;      /* of in.p in its file, from 1 */
	unsigned long long written;
	struct keys path;
	struct carry *carry;
	size_t carries;
	struct buf key, other_key;      /* the one just read, without escapes; another for a while */
};

/* AT points into the window.  What was written before stays written. */
static _Noreturn void
bad(struct explode *x, const char *at, const char *why)
{
	unsigned long long byte = x->offset + (at - x->in.p);

	rows_flush(x->out);
	die(EX_DATAERR, "%s: byte %llu: %s", x->in.file, byte, why);
}

static _Noreturn void
cut(struct explode *x)
{
	rows_flush(x->out);
	die(EX_DATAERR, "%s: byte %llu: record %llu is cut: the input ends inside the document", x->in.file,
	    x->offset + (x->in.end - x->in.p), x->written + 1);
}

static _Noreturn void
too_large(struct explode *x)
{
	bool whole = max_record % (1 << 20) == 0;

	rows_flush(x->out);
	die(EX_DATAERR, "%s: byte %llu: record over %lld %s: see --max-record", x->in.file, x->offset,
	    whole ? max_record >> 20 : max_record, whole ? "MiB" : "bytes");
}

static void
flush_before_wait(void *out)
{
	rows_flush(out);
}

static void
consume(struct explode *x, const char *to)
{
	x->offset += to - x->in.p;
	x->in.p += to - x->in.p;
}

/* Makes the window larger, to scan it again.  The document goes on, or it is cut. */
static void
grow_window(struct explode *x)
{
	size_t have = x->in.end - x->in.p, want = have < RESCAN_FREELY ? have + 1 : have * 2;

	if (have > (size_t)max_record)
		too_large(x);
	if (!input_more(&x->in))
		cut(x);
	while ((size_t)(x->in.end - x->in.p) < want && input_more(&x->in))
		continue;
}

/* Moves to the next byte that is not white space and returns it; -1 at the end of the file. */
static inline int
next_byte(struct explode *x)
{
	if (x->in.p < x->in.end && (unsigned char)*x->in.p > ' ')
		return (unsigned char)*x->in.p;
	for (;;) {
		consume(x, json_space(x->in.p, x->in.end));
		if (x->in.p < x->in.end)
			return (unsigned char)*x->in.p;
		if (!input_more(&x->in))
			return -1;
	}
}

static inline int
want_byte(struct explode *x)
{
	int c = next_byte(x);

	if (c < 0)
		cut(x);
	return c;
}

static void
take_byte(struct explode *x, char want, const char *why)
{
	if (want_byte(x) != want)
		bad(x, x->in.p, why);
	consume(x, x->in.p + 1);
}

/* The whole value at in.p, not consumed; lent until the window moves. */
static struct str
next_value(struct explode *x)
{
	want_byte(x);
	for (;;) {
		struct json_error e = { 0 };
		const char *to = json_skip(x->in.p, x->in.end, &e);

		/* A number at the window's end may go on. */
		if (to != NULL && (to < x->in.end || x->in.eof || strchr("}]\"", to[-1]) != NULL)) {
			if (to - x->in.p > max_record)
				too_large(x);
			return (struct str){ x->in.p, to - x->in.p };
		}
		if (to == NULL && !e.cut)
			bad(x, e.at, e.why);
		if (to != NULL && !input_more(&x->in))
			return (struct str){ x->in.p, to - x->in.p };
		if (to == NULL)
			grow_window(x);
	}
}

/* "name": its text is lent until the next key. */
static struct str
take_key(struct explode *x)
{
	struct json_error e;
	struct str key;
	const char *value;

	if (want_byte(x) != '"')
		bad(x, x->in.p, "a key has to be a string");
	buf_reset(&x->key);
	if ((value = json_name(x->in.p, x->in.end, &key, &e)) != NULL && value < x->in.end) {
		json_unescape(&x->key, key);
		consume(x, value);
		return buf_all(&x->key);
	}
	/* it is cut at the window's end, or wrong */
	key = next_value(x);
	json_unescape(&x->key, (struct str){ key.p + 1, key.n - 2 });
	consume(x, key.p + key.n);
	take_byte(x, ':', "a colon has to follow the key");
	return buf_all(&x->key);
}

/* Reports keys that come twice in an object, at any level.  For -v only: it costs a table an object. */
static void
note_twice(struct explode *x, struct str value)
{
	struct json_walk w = json_walk(value);
	struct names seen = { 0 };
	struct buf key = { 0 };

	if (value.p[0] != '{' && value.p[0] != '[')
		return;
	while (json_next(&w)) {
		if (w.key.p != NULL) {
			size_t n = seen.n;

			buf_reset(&key);
			json_unescape(&key, w.key);
			names_add(&seen, buf_all(&key));
			if (seen.n == n)
				note("%s: byte %llu: key \"%.*s\" comes twice: the last one wins", x->in.file,
				    x->offset + (w.key.p - x->in.p), (int)key.len, key.p);
		}
		note_twice(x, w.value);
	}
	names_free(&seen);
	buf_free(&key);
}

/* The carry whose NAME this key of an element is, or NULL. */
static struct carry *
carry_to(struct explode *x, struct str key, bool escaped)
{
	if (escaped) {
		buf_reset(&x->other_key);
		json_unescape(&x->other_key, key);
		key = buf_all(&x->other_key);
	}
	for (size_t i = 0; i < x->carries; i++)
		if (str_eq(x->carry[i].to, key))
			return &x->carry[i];
	return NULL;
}

/* The element with the parent's fields behind its own. */
static void
put_carried(struct explode *x, struct buf *b, struct str element)
{
	const char *brace = element.p + element.n - 1;
	bool empty = true;

	if (element.p[0] != '{')
		bad(x, element.p, "--carry wants objects in the array, and this is none");

	struct json_walk w = json_walk(element);

	for (size_t i = 0; i < x->carries; i++)
		x->carry[i].own = false;
	while (json_next(&w)) {
		struct carry *c = carry_to(x, w.key, w.key_escaped);

		empty = false;
		if (c == NULL)
			continue;
		if (c->set && !str_eq(w.value, buf_all(&c->value)))
			bad(x, w.key.p,
			    "the element has a field of the carried name and another value: see --carry FIELD=NAME");
		c->own = true;
	}
	json_one_line(b, (struct str){ element.p, brace - element.p });
	for (size_t i = 0; i < x->carries; i++) {
		const struct carry *c = &x->carry[i];

		if (!c->set || c->own)
			continue;
		if (!empty)
			buf_char(b, ',');
		buf_json(b, c->to);
		buf_char(b, ':');
		json_one_line(b, buf_all(&c->value));
		empty = false;
	}
	buf_char(b, '}');
}

static void
put_element(struct explode *x)
{
	struct str element = next_value(x);
	struct buf *b = rows_buf(x->out);

	if (opt_verbose())
		note_twice(x, element);
	if (x->carries > 0)
		put_carried(x, b, element);
	else
		json_one_line(b, element);
	buf_char(b, '\n');
	rows_flush_some(x->out);
	x->written++;
	progress_add(1, 0);
	progress_check();
	consume(x, element.p + element.n);
}

/* An array's elements, or the one value. */
static void
put_elements(struct explode *x, bool below_path)
{
	int c = want_byte(x);

	if (c == 'n' && below_path) {
		struct str null = next_value(x);

		consume(x, null.p + null.n);
		return;
	}
	if (c != '[') {
		put_element(x);
		return;
	}
	consume(x, x->in.p + 1);
	if (want_byte(x) == ']') {
		consume(x, x->in.p + 1);
		return;
	}
	for (;;) {
		put_element(x);
		c = want_byte(x);
		if (c != ',' && c != ']')
			bad(x, x->in.p, "a comma or a closing bracket has to follow the element");
		consume(x, x->in.p + 1);
		if (c == ']')
			return;
	}
}

static bool
carries_set(struct explode *x)
{
	for (size_t i = 0; i < x->carries; i++)
		if (!x->carry[i].set)
			return false;
	return true;
}

/* What the keys of c behind the member's own lead to; p NULL where they lead nowhere. */
static struct str
carried(const struct carry *c, struct str member)
{
	for (size_t i = c->level + 1; i < c->path.n && member.p != NULL; i++)
		json_find(member, &c->path.k[i], &member, 1);
	return member;
}

/* The member, of an object LEVEL keys down PATH, has what is carried.  SURE: the elements of the array are out already. */
static void
set_carries(struct explode *x, size_t level, struct str key, struct str member, bool sure)
{
	for (size_t i = 0; i < x->carries; i++) {
		struct carry *c = &x->carry[i];
		struct str value;

		if (c->level != level || !str_eq(c->path.k[level], key) || (value = carried(c, member)).p == NULL)
			continue;
		if (sure && !(c->set && str_eq(value, buf_all(&c->value))))
			bad(x, value.p, "a carried field comes twice, before and behind the array");
		buf_reset(&c->value);
		buf_str(&c->value, value);
		c->set = true;
	}
}

/* Finds carried fields in the rest of an object, LEVEL keys down PATH: , "key" : value ... }  Returns its end, or NULL. */
static const char *
find_in_rest(struct explode *x, const char *p, size_t level, struct json_error *e)
{
	while ((p = json_space(p, x->in.end)) < x->in.end && *p == ',') {
		const char *start = json_space(p + 1, x->in.end);
		struct str key;

		if ((p = json_skip(start, x->in.end, e)) == NULL || *start != '"')
			return NULL;
		key = (struct str){ start + 1, p - start - 2 };
		p = json_space(p, x->in.end);
		if (p == x->in.end || *p != ':') {
			e->cut = p == x->in.end;
			return NULL;
		}
		start = json_space(p + 1, x->in.end);
		if ((p = json_skip(start, x->in.end, e)) == NULL)
			return NULL;
		buf_reset(&x->other_key);
		json_unescape(&x->other_key, key);
		set_carries(x, level, buf_all(&x->other_key), (struct str){ start, p - start }, false);
	}
	e->cut = p == x->in.end;
	return p < x->in.end && *p == '}' ? p + 1 : NULL;
}

/* Finds the carried fields behind the array at in.p, in the rest of its object and of those around it, up to the one
 * OUTERMOST keys down PATH.  Returns false when the window has to be larger for that. */
static bool
find_behind(struct explode *x, size_t outermost)
{
	struct json_error e = { 0 };
	const char *p = json_skip(x->in.p, x->in.end, &e);

	for (size_t level = x->path.n; p != NULL && level-- > outermost;)
		p = find_in_rest(x, p, level, &e);
	/* What is wrong behind the array is said in its turn, by those who read on from here. */
	return p != NULL || !e.cut;
}

/* The array is here and fields to carry are not: they may come behind it, so that their object has to be held. */
static void
look_behind(struct explode *x)
{
	size_t outermost = x->path.n;

	for (size_t i = 0; i < x->carries; i++)
		if (!x->carry[i].set && x->carry[i].level < outermost)
			outermost = x->carry[i].level;
	want_byte(x);
	while (!find_behind(x, outermost))
		grow_window(x);
	for (size_t i = 0; i < x->carries; i++) {
		const struct carry *c = &x->carry[i];

		if (!c->set && !optional) {
			rows_flush(x->out);
			die(EX_DATAERR, "%s: byte %llu: no field \"%.*s\" to carry %s: see --optional",
			    x->in.file, x->offset, (int)c->path.k[c->path.n - 1].n, c->path.k[c->path.n - 1].p,
			    c->level + 1 == x->path.n && c->path.n == x->path.n ?
			    "beside the array" : "in the document");
		}
	}
}

static void explode_value(struct explode *, size_t level);

static void
explode_array(struct explode *x, size_t level)
{
	if (level + 1 == x->path.n && !carries_set(x))
		look_behind(x);
	explode_value(x, level + 1);
}

/* A member that PATH does not name. */
static void
pass_member(struct explode *x, struct str key, bool found, size_t level)
{
	struct str value = next_value(x);

	set_carries(x, level, key, value, found);
	consume(x, value.p + value.n);
}

static void
missing(struct explode *x, size_t level)
{
	if (optional)
		return;
	rows_flush(x->out);
	die(EX_DATAERR, "%s: byte %llu: no \"%.*s\" in the object that ends here: see --optional",
	    x->in.file, x->offset, (int)x->path.k[level].n, x->path.k[level].p);
}

static void
explode_object(struct explode *x, size_t level)
{
	bool found = false;
	int c;

	for (size_t i = 0; i < x->carries; i++)
		x->carry[i].set = x->carry[i].set && x->carry[i].level != level;
	consume(x, x->in.p + 1);
	if ((c = want_byte(x)) == '}')
		missing(x, level);
	while (c != '}') {
		struct str key = take_key(x);

		if (!str_eq(key, x->path.k[level]))
			pass_member(x, key, found, level);
		else if (found)
			bad(x, x->in.p, "a key of PATH comes twice: which one is meant?");
		else {
			found = true;
			explode_array(x, level);
		}
		if ((c = want_byte(x)) != '}') {
			take_byte(x, ',', "a comma or a closing brace has to follow the value");
			continue;
		}
		if (!found)
			missing(x, level);
	}
	consume(x, x->in.p + 1);
}

/* The value at in.p, which is LEVEL keys down the path. */
static void
explode_value(struct explode *x, size_t level)
{
	int c = want_byte(x);

	if (level == x->path.n)
		put_elements(x, level > 0);
	else if (c == '{')
		explode_object(x, level);
	else if (c == 'n' && level > 0)
		put_elements(x, true);             /* null on the way is an empty batch too */
	else {
		next_value(x);          /* text that is not JSON gets the message about that */
		bad(x, x->in.p, "PATH wants an object here");
	}
}

/* The byte order mark that a file starts with, and a document that was a file before others came in front of it. */
static void
skip_mark(struct explode *x)
{
	while (x->in.end - x->in.p < 3 && input_more(&x->in))
		continue;
	if (x->in.end - x->in.p >= 3 && memcmp(x->in.p, "\xEF\xBB\xBF", 3) == 0)
		consume(x, x->in.p + 3);
}

/* The documents of one file, with white space between them or nothing. */
static void
explode_file(struct explode *x)
{
	int c;

	x->offset = 1;
	skip_mark(x);
	while ((c = next_byte(x)) >= 0) {
		if (c == 0xEF) {
			skip_mark(x);
			if (next_byte(x) < 0)
				break;
		}
		bool scalar = strchr("{[\"", *x->in.p) == NULL;

		explode_value(x, 0);
		if (scalar && x->in.p < x->in.end && json_space(x->in.p, x->in.end) == x->in.p)
			bad(x, x->in.p, "white space has to follow this value");
	}
}

/* Adds the keys of .data.trips or ."odd key".x, up to one of STOP.  Returns where it ended.  WHAT: for messages. */
static const char *
parse_keys(struct keys *keys, const char *path, const char *stop, const char *what)
{
	keys->k = xcalloc(strlen(path) + 1, sizeof *keys->k);
	while (*path != '\0' && strchr(stop, *path) == NULL) {
		struct buf key = { 0 };

		if (*path++ != '.')
			die(EX_USAGE, "%s: \"%s\": want a dot before each key", what, path - 1);
		if (*path == '"') {
			struct json_error e = { 0 };
			struct buf quoted = { 0 };
			const char *end;

			buf_text(&quoted, path);        /* for its padding */
			end = json_skip(quoted.p, quoted.p + quoted.len, &e);
			if (end == NULL)
				die(EX_USAGE, "%s: %s: %s", what, path, e.why);
			json_unescape(&key, (struct str){ quoted.p + 1, end - quoted.p - 2 });
			path += end - quoted.p;
			buf_free(&quoted);
		} else {
			size_t all = strcspn(path, ".\"[]"), n = strcspn(path, stop);

			if (n > all)
				n = all;
			if (n == 0 || path[n] == '[' || path[n] == ']')
				die(EX_USAGE, "%s: \"%s\": want a key: .a.b, or .\"a.b\" for odd ones", what, path);
			buf_add(&key, path, n);
			path += n;
		}
		keys->k[keys->n].n = key.len;
		keys->k[keys->n++].p = buf_take(&key);
	}
	return path;
}

static void
free_keys(struct keys *keys)
{
	for (size_t i = 0; i < keys->n; i++)
		free((void *)keys->k[i].p);
	free(keys->k);
}

/* .data.trips, ."odd key".x, or . alone */
static void
parse_path(struct explode *x, const char *path)
{
	if (path[0] != '.' || path[1] == '/' || (path[1] == '.' && path[2] == '/'))
		die(EX_USAGE, "%s: want a path such as .orders or . for the document, and files behind it", path);
	if (path[1] != '\0')
		parse_keys(&x->path, path, "", "path");
}

/* How many keys two paths have in common. */
static size_t
common_keys(const struct keys *a, const struct keys *b)
{
	size_t n = 0;

	while (n < a->n && n < b->n && str_eq(a->k[n], b->k[n]))
		n++;
	return n;
}

/* FIELD: as the path .PATH-but-its-last-key.FIELD would be */
static void
parse_beside(struct explode *x, struct carry *c, struct str field)
{
	c->path.k = xcalloc(x->path.n, sizeof *c->path.k);
	while (c->path.n + 1 < x->path.n) {
		c->path.k[c->path.n].p = str_dup(x->path.k[c->path.n]);
		c->path.k[c->path.n].n = x->path.k[c->path.n].n;
		c->path.n++;
	}
	c->path.k[c->path.n++] = (struct str){ str_dup(field), field.n };
}

static void
parse_carry(struct explode *x, struct carry *c, const char *arg)
{
	const char *eq;
	size_t last;

	if (arg[0] == '.')
		eq = parse_keys(&c->path, arg, "=", "--carry");
	else if ((eq = strchr(arg, '=')) == NULL)
		eq = arg + strlen(arg);
	if (arg == eq)
		die(EX_USAGE, "--carry %s: want FIELD or FIELD=NAME", arg);
	if (arg[0] != '.')
		parse_beside(x, c, (struct str){ arg, eq - arg });
	last = c->path.n - 1;
	c->to = *eq == '=' ? str_of(eq + 1) : c->path.k[last];
	if (c->to.n == 0)
		die(EX_USAGE, "--carry %s: want FIELD or FIELD=NAME", arg);
	c->level = common_keys(&c->path, &x->path);
	if (c->level == x->path.n || c->level == c->path.n)
		die(EX_USAGE, "--carry %s: that is the array itself, or %s", arg,
		    c->level == x->path.n ? "in it" : "around it");
}

static void
parse_carries(struct explode *x)
{
	x->carries = carries.n;
	x->carry = xcalloc(carries.n + 1, sizeof *x->carry);
	if (carries.n > 0 && x->path.n == 0)
		die(EX_USAGE, "--carry: the document itself has no parent: say a PATH");
	for (size_t i = 0; i < carries.n; i++) {
		struct carry *c = &x->carry[i];

		parse_carry(x, c, carries.w[i]);
		for (size_t k = 0; k < i; k++) {
			const struct carry *other = &x->carry[k];
			size_t common = common_keys(&c->path, &other->path);

			if (str_eq(c->to, other->to) || (common == c->path.n && common == other->path.n))
				die(EX_USAGE, "--carry %s: said twice", carries.w[i]);
		}
	}
}

int
main(int argc, char *argv[])
{
	char **operands = opt_parse(argc, argv);
	struct explode x = { 0 };

	parse_path(&x, operands[0] != NULL ? operands[0] : ".");
	parse_carries(&x);
	x.out = rows_stdout(NULL, ROWS_GUESS);
	input_open(&x.in, operands[0] != NULL ? operands + 1 : operands);
	x.in.before_wait = flush_before_wait;
	x.in.before_wait_arg = x.out;
	do
		explode_file(&x);
	while (input_next_file(&x.in));
	input_close(&x.in);
	rows_finish(x.out);
	for (size_t i = 0; i < x.carries; i++) {
		buf_free(&x.carry[i].value);
		free_keys(&x.carry[i].path);
	}
	free_keys(&x.path);
	free(x.carry);
	buf_free(&x.key);
	buf_free(&x.other_key);
	return EX_OK;
}
