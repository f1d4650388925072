/*
 * json-explode - one record for each element of an array in a JSON document.
 *
 * The array is never held: its elements leave one at a time, so that memory is that of the largest element,
 * however large the document.  That is why a key of PATH that comes twice is an error here and not "the last one
 * wins": the first one's elements are out of the door by then.
 */
#include <stdlib.h>

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/input.h"
#include "lib/json.h"
#include "lib/names.h"
#include "lib/opt.h"
#include "lib/progress.h"
#include "lib/rows.h"

/* A value that is cut at the window's end is scanned again with more of it; above this size only once the
 * window has doubled, or a large value would be scanned once for every read. */
#define RESCAN_FREELY (1 << 20)

static struct words carries;
static bool optional;

static const struct opt options[] = {
	OPT_LIST('c', "carry", "FIELD[=NAME]", &carries, "copy this field of the array's parent into each element; repeat for more"),
	OPT_FLAG('o', "optional", &optional, "a PATH or a carried field that is not there is left out"),
	OPT_SIZE(0, "max-record", "BYTES", &rows_max_record, 1, 1LL << 40, "a larger element is a bad one (64M)"),
	OPT_END
};
const struct tool tool = {
	.name = "json-explode", .operands = "[path [file ...]]", .options = options,
	.does = "Write one record for each element of an array in a JSON document.",
};

struct carry { struct str from, to; struct buf value; bool set; };

struct explode {
	struct input in;
	struct rows_out *out;
	unsigned long long offset;      /* of in.p in its file, from 1 */
	unsigned long long written;
	struct str *path;               /* its keys, outermost first */
	size_t depth;                   /* how many they are */
	struct carry *carry;
	size_t carries;
	struct buf key, other_key;      /* the one just read, without escapes; another for a while */
};

static struct explode x;        /* one a process: what input.h calls back gets no argument */

/* AT points into the window.  What was written before stays written. */
static _Noreturn void
bad(const char *at, const char *why)
{
	unsigned long long byte = x.offset + (at - x.in.p);

	rows_flush(x.out);
	die(EX_DATAERR, "%s: byte %llu: %s", x.in.file, byte, why);
}

static _Noreturn void
cut(void)
{
	rows_flush(x.out);
	die(EX_DATAERR, "%s: byte %llu: record %llu is cut: the input ends inside the document", x.in.file,
	    x.offset + (x.in.end - x.in.p), x.written + 1);
}

static _Noreturn void
too_large(void)
{
	bool whole = rows_max_record % (1 << 20) == 0;

	rows_flush(x.out);
	die(EX_DATAERR, "%s: byte %llu: record over %lld %s: see --max-record", x.in.file, x.offset,
	    whole ? rows_max_record >> 20 : rows_max_record, whole ? "MiB" : "bytes");
}

static void
flush_before_wait(void)
{
	rows_flush(x.out);
}

static void
consume(const char *to)
{
	x.offset += to - x.in.p;
	x.in.p += to - x.in.p;
}

/* Makes the window larger, to scan it again.  The document goes on, or it is cut. */
static void
grow_window(void)
{
	size_t have = x.in.end - x.in.p, want = have < RESCAN_FREELY ? have + 1 : have * 2;

	if (have > (size_t)rows_max_record)
		too_large();
	if (!input_more(&x.in))
		cut();
	while ((size_t)(x.in.end - x.in.p) < want && input_more(&x.in))
		continue;
}

/* Moves to the next byte that is not white space and returns it; -1 at the end of the file. */
static int
next_byte(void)
{
	for (;;) {
		consume(json_space(x.in.p, x.in.end));
		if (x.in.p < x.in.end)
			return (unsigned char)*x.in.p;
		if (!input_more(&x.in))
			return -1;
	}
}

static int
want_byte(void)
{
	int c = next_byte();

	if (c < 0)
		cut();
	return c;
}

static void
take_byte(char want, const char *why)
{
	if (want_byte() != want)
		bad(x.in.p, why);
	consume(x.in.p + 1);
}

/* The whole value at in.p, not consumed; lent until the window moves. */
static struct str
next_value(void)
{
	want_byte();
	for (;;) {
		struct json_error e = { 0 };
		const char *to = json_skip(x.in.p, x.in.end, &e);

		/* A number at the window's end may go on. */
		if (to != NULL && (to < x.in.end || x.in.eof || strchr("}]\"", to[-1]) != NULL)) {
			if (to - x.in.p > rows_max_record)
				too_large();
			return (struct str){ x.in.p, to - x.in.p };
		}
		if (to == NULL && !e.cut)
			bad(e.at, e.why);
		if (to != NULL && !input_more(&x.in))
			return (struct str){ x.in.p, to - x.in.p };
		if (to == NULL)
			grow_window();
	}
}

/* "name": its text is lent until the next key. */
static struct str
take_key(void)
{
	struct str key;

	if (want_byte() != '"')
		bad(x.in.p, "a key has to be a string");
	key = next_value();
	buf_reset(&x.key);
	json_unescape(&x.key, (struct str){ key.p + 1, key.n - 2 });
	consume(key.p + key.n);
	take_byte(':', "a colon has to follow the key");
	return buf_all(&x.key);
}

/* Reports keys that come twice in an object, at any level.  For -v only: it costs a table an object. */
static void
note_twice(struct str value)
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
				note("%s: byte %llu: key \"%.*s\" comes twice: the last one wins", x.in.file,
				    x.offset + (w.key.p - x.in.p), (int)key.len, key.p);
		}
		note_twice(w.value);
	}
	names_free(&seen);
	buf_free(&key);
}

/* The carry whose NAME this key of an element is, or NULL. */
static struct carry *
carry_to(struct str key, bool escaped)
{
	if (escaped) {
		buf_reset(&x.other_key);
		json_unescape(&x.other_key, key);
		key = buf_all(&x.other_key);
	}
	for (size_t i = 0; i < x.carries; i++)
		if (str_eq(x.carry[i].to, key))
			return &x.carry[i];
	return NULL;
}

static struct carry *
carry_from(struct str key)
{
	for (size_t i = 0; i < x.carries; i++)
		if (str_eq(x.carry[i].from, key))
			return &x.carry[i];
	return NULL;
}

/* The element with the parent's fields behind its own. */
static void
put_carried(struct buf *b, struct str element)
{
	const char *brace = element.p + element.n - 1;
	bool empty = true;

	if (element.p[0] != '{')
		bad(element.p, "--carry wants objects in the array, and this is none");

	struct json_walk w = json_walk(element);

	while (json_next(&w)) {
		struct carry *c = carry_to(w.key, w.key_escaped);

		if (c != NULL && c->set && !str_eq(w.value, buf_all(&c->value)))
			bad(w.key.p, "the element has a field of the carried name and another value: see --carry FIELD=NAME");
		empty = false;
	}
	json_one_line(b, (struct str){ element.p, brace - element.p });
	for (size_t i = 0; i < x.carries; i++) {
		const struct carry *c = &x.carry[i];
		bool there = false;

		for (w = json_walk(element); !there && json_next(&w);) {
			const struct carry *own = carry_to(w.key, w.key_escaped);

			there = own != NULL && own == c;
		}
		if (!c->set || there)
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
put_element(void)
{
	struct str element = next_value();
	struct buf *b = rows_buf(x.out);

	if (opt_verbose)
		note_twice(element);
	if (x.carries > 0)
		put_carried(b, element);
	else
		json_one_line(b, element);
	buf_char(b, '\n');
	rows_flush_some(x.out);
	x.written++;
	progress.rows++;
	progress_check();
	consume(element.p + element.n);
}

/* An array's elements, or the one value. */
static void
put_elements(bool below_path)
{
	int c = want_byte();

	if (c == 'n' && below_path) {
		struct str null = next_value();

		consume(null.p + null.n);
		return;
	}
	if (c != '[') {
		put_element();
		return;
	}
	consume(x.in.p + 1);
	if (want_byte() == ']') {
		consume(x.in.p + 1);
		return;
	}
	for (;;) {
		put_element();
		c = want_byte();
		if (c != ',' && c != ']')
			bad(x.in.p, "a comma or a closing bracket has to follow the element");
		consume(x.in.p + 1);
		if (c == ']')
			return;
	}
}

static bool
carries_set(void)
{
	for (size_t i = 0; i < x.carries; i++)
		if (!x.carry[i].set)
			return false;
	return true;
}

static void
set_carry(struct carry *c, struct str value)
{
	buf_reset(&c->value);
	buf_str(&c->value, value);
	c->set = true;
}

/* Finds the carried fields behind the value at in.p, in the rest of its object.  Returns false when the window
 * has to be larger for that. */
static bool
find_behind(void)
{
	struct json_error e = { 0 };
	struct str key = { 0 };
	const char *p = json_skip(x.in.p, x.in.end, &e), *start;

	/* Behind the value: , "key" : value ... } */
	while (p != NULL && (p = json_space(p, x.in.end)) < x.in.end && *p == ',') {
		start = json_space(p + 1, x.in.end);
		if ((p = json_skip(start, x.in.end, &e)) == NULL || *start != '"')
			break;
		key = (struct str){ start + 1, p - start - 2 };
		p = json_space(p, x.in.end);
		if (p == x.in.end || *p != ':')
			break;
		start = json_space(p + 1, x.in.end);
		if ((p = json_skip(start, x.in.end, &e)) == NULL)
			break;
		buf_reset(&x.other_key);
		json_unescape(&x.other_key, key);
		struct carry *c = carry_from(buf_all(&x.other_key));
		if (c != NULL)
			set_carry(c, (struct str){ start, p - start });
	}
	/* What is wrong behind the array is said in its turn, by those who read on from here. */
	return p == NULL ? !e.cut : p < x.in.end;
}

/* The array is here and fields to carry are not: they may come behind it, so that their object has to be held. */
static void
look_behind(void)
{
	want_byte();
	while (!find_behind())
		grow_window();
	for (size_t i = 0; i < x.carries; i++) {
		if (!x.carry[i].set && !optional) {
			rows_flush(x.out);
			die(EX_DATAERR, "%s: byte %llu: no field \"%.*s\" to carry beside the array: see --optional", x.in.file,
			    x.offset, (int)x.carry[i].from.n, x.carry[i].from.p);
		}
	}
}

static void explode_value(size_t level);

static void
explode_array(size_t level)
{
	if (level + 1 == x.depth && !carries_set())
		look_behind();
	explode_value(level + 1);
}

/* A member that PATH does not name. */
static void
pass_member(struct str key, bool found, bool parent)
{
	struct carry *c = parent ? carry_from(key) : NULL;
	struct str value = next_value();

	if (c != NULL && found && !(c->set && str_eq(value, buf_all(&c->value))))
		bad(value.p, "a carried field comes twice, before and behind the array");
	if (c != NULL)
		set_carry(c, value);
	consume(value.p + value.n);
}

static void
missing(size_t level)
{
	if (optional)
		return;
	rows_flush(x.out);
	die(EX_DATAERR, "%s: byte %llu: no \"%.*s\" in the object that ends here: see --optional", x.in.file, x.offset,
	    (int)x.path[level].n, x.path[level].p);
}

static void
explode_object(size_t level)
{
	bool found = false, parent = level + 1 == x.depth;
	int c;

	for (size_t i = 0; parent && i < x.carries; i++)
		x.carry[i].set = false;
	consume(x.in.p + 1);
	if ((c = want_byte()) == '}')
		missing(level);
	while (c != '}') {
		struct str key = take_key();

		if (!str_eq(key, x.path[level]))
			pass_member(key, found, parent);
		else if (found)
			bad(x.in.p, "a key of PATH comes twice: which one is meant?");
		else {
			found = true;
			explode_array(level);
		}
		if ((c = want_byte()) != '}') {
			take_byte(',', "a comma or a closing brace has to follow the value");
			continue;
		}
		if (!found)
			missing(level);
	}
	consume(x.in.p + 1);
}

/* The value at in.p, which is LEVEL keys down the path. */
static void
explode_value(size_t level)
{
	int c = want_byte();

	if (level == x.depth)
		put_elements(level > 0);
	else if (c == '{')
		explode_object(level);
	else if (c == 'n' && level > 0)
		put_elements(true);             /* null on the way is an empty batch too */
	else {
		next_value();                   /* it may not even be JSON, and that is said first */
		bad(x.in.p, "PATH wants an object here");
	}
}

/* The documents of one file, with white space between them or nothing. */
static void
explode_file(void)
{
	x.offset = 1;
	while (x.in.end - x.in.p < 3 && input_more(&x.in))
		continue;
	if (x.in.end - x.in.p >= 3 && memcmp(x.in.p, "\xEF\xBB\xBF", 3) == 0)
		consume(x.in.p + 3);
	while (next_byte() >= 0) {
		bool scalar = strchr("{[\"", *x.in.p) == NULL;

		explode_value(0);
		if (scalar && x.in.p < x.in.end && json_space(x.in.p, x.in.end) == x.in.p)
			bad(x.in.p, "white space has to follow this value");
	}
}

/* .data.trips, ."odd key".x, or . alone */
static void
parse_path(const char *path)
{
	size_t most = strlen(path);

	if (path[0] != '.' || path[1] == '/' || (path[1] == '.' && path[2] == '/'))
		die(EX_USAGE, "%s: want a path such as .orders or . for the document, and files behind it", path);
	x.path = xcalloc(most, sizeof *x.path);
	if (path[1] == '\0')
		return;
	while (*path != '\0') {
		struct buf key = { 0 };

		if (*path++ != '.')
			die(EX_USAGE, "path: \"%s\": want a dot before each key", path - 1);
		if (*path == '"') {
			struct json_error e = { 0 };
			struct buf quoted = { 0 };
			const char *end;

			buf_text(&quoted, path);        /* for its padding */
			end = json_skip(quoted.p, quoted.p + quoted.len, &e);
			if (end == NULL)
				die(EX_USAGE, "path: %s: %s", path, e.why);
			json_unescape(&key, (struct str){ quoted.p + 1, end - quoted.p - 2 });
			path += end - quoted.p;
			buf_free(&quoted);
		} else {
			size_t n = strcspn(path, ".\"[]");

			if (n == 0 || path[n] == '[' || path[n] == ']')
				die(EX_USAGE, "path: \"%s\": want a key: .a.b, or .\"a.b\" for odd ones", path);
			buf_add(&key, path, n);
			path += n;
		}
		x.path[x.depth].n = key.len;
		x.path[x.depth++].p = buf_take(&key);
	}
}

static void
parse_carries(void)
{
	x.carries = carries.n;
	x.carry = xcalloc(carries.n + 1, sizeof *x.carry);
	if (carries.n > 0 && x.depth == 0)
		die(EX_USAGE, "--carry: the document itself has no parent: say a PATH");
	for (size_t i = 0; i < carries.n; i++) {
		const char *from = carries.w[i], *eq = strchr(from, '=');
		struct carry *c = &x.carry[i];

		c->from = eq != NULL ? (struct str){ from, eq - from } : str_of(from);
		c->to = eq != NULL ? str_of(eq + 1) : c->from;
		if (c->from.n == 0 || c->to.n == 0)
			die(EX_USAGE, "--carry %s: want FIELD or FIELD=NAME", from);
		if (str_eq(c->from, x.path[x.depth - 1]))
			die(EX_USAGE, "--carry %s: that is the array itself", from);
		for (size_t k = 0; k < i; k++)
			if (str_eq(c->to, x.carry[k].to) || str_eq(c->from, x.carry[k].from))
				die(EX_USAGE, "--carry %s: said twice", from);
	}
}

int
main(int argc, char *argv[])
{
	char **operands = opt_parse(argc, argv);

	parse_path(operands[0] != NULL ? operands[0] : ".");
	parse_carries();
	x.out = rows_stdout(NULL);
	input_open(&x.in, operands[0] != NULL ? operands + 1 : operands);
	x.in.before_wait = flush_before_wait;
	do
		explode_file();
	while (input_next_file(&x.in));
	input_close(&x.in);
	rows_finish(x.out);
	for (size_t i = 0; i < x.carries; i++)
		buf_free(&x.carry[i].value);
	for (size_t i = 0; i < x.depth; i++)
		free((void *)x.path[i].p);
	free(x.carry);
	free(x.path);
	buf_free(&x.key);
	buf_free(&x.other_key);
	return EX_OK;
}
