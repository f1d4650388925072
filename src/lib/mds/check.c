/*
 * mds/check.c - one trip held against the rules of a version of MDS.
 *
 * Each check_... takes the value at p and returns past it; c->fault tells whether it was good.  A fault is found in passing
 * and put into words only at the end.
 */
#include "mds/check.h"

#include <stdint.h>

#include "base/scan.h"
#include "base/uuid.h"
#include "format/json.h"
#include "mds/number.h"

#define PLAIN_NAME 80           /* bytes of an unknown member's name that are shown */

enum fault { GOOD, MISSING, UNKNOWN, WRONG_TYPE, NO_INTEGER, OUT_OF_RANGE, NO_UUID, NO_LINE, NO_HTTPS, NO_CURRENCY, TOO_LONG, NO_WORD,
	TOO_FEW, TOO_MANY, TWICE };

static const char *check_value(struct mds_check *, const char *p, const struct mds_rule *);

/* What stands behind a record is 0, and no space. */
static inline const char *
space(const char *p)
{
	while (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')
		p++;
	return p;
}

/* Past a value, which was found good. */
static inline const char *
skip(const struct mds_check *c, const char *p)
{
	struct json_error e;

	return json_skip(p, c->end, &e);
}

/* Past a string, whose opening quote is at p: keys and words are short, and were checked already. */
static inline const char *
past_string(const char *p, bool *escaped)
{
	*escaped = false;
	for (p++; *p != '"'; p++) {
		if (*p == '\\') {
			*escaped = true;
			p++;
		}
	}
	return p + 1;
}

static inline const char *
past_number(const char *p)
{
	while ((*p >= '0' && *p <= '9') || *p == '.' || *p == '-' || *p == '+' || *p == 'e' || *p == 'E')
		p++;
	return p;
}

static void
set_fault(struct mds_check *c, enum fault fault, const struct mds_rule *rule)
{
	c->fault = (int)fault;
	c->broken = rule;
	c->steps = 0;
}

static void
add_step(struct mds_check *c, struct str name, size_t index)
{
	c->step[c->steps].name = name;
	c->step[c->steps++].index = index;
}

static unsigned
type_of(const char *p)
{
	switch (*p) {
	case '{': return MDS_OBJECT;
	case '[': return MDS_ARRAY;
	case '"': return MDS_STRING;
	case 't': case 'f': return MDS_BOOL;
	case 'n': return MDS_NULL;
	default: return MDS_NUMBER;
	}
}

/* ---- strings and numbers ---- */

/* The point of ^(.*)$ in the schemas, which are of ECMA 262: no line terminators, and those are four. */
static bool
is_line(struct str text)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (c == '\n' || c == '\r')
			return false;
		if (c == '\xe2' && i + 2 < text.n && text.p[i + 1] == '\x80' && (text.p[i + 2] == '\xa8' || text.p[i + 2] == '\xa9'))
			return false;
	}
	return true;
}

static bool
is_currency(struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < 'A' || text.p[i] > 'Z')
			return false;
	return text.n == 3;
}

static enum fault
pattern_fault(enum mds_pattern pattern, struct str text)
{
	static const char https[] = "https://";

	switch (pattern) {
	case MDS_UUID: return uuid_is(text, false) ? GOOD : NO_UUID;
	case MDS_ONE_LINE: return is_line(text) ? GOOD : NO_LINE;
	case MDS_HTTPS: return text.n >= 8 && memcmp(text.p, https, 8) == 0 && is_line(text) ? GOOD : NO_HTTPS;
	case MDS_CURRENCY: return is_currency(text) ? GOOD : NO_CURRENCY;
	default: return GOOD;
	}
}

/* True if it is one of the words; c->word is which one. */
static bool
find_word(struct mds_check *c, const char *const *words, struct str text)
{
	for (c->word = 0; words[c->word] != NULL; c->word++)
		if (strlen(words[c->word]) == text.n && memcmp(words[c->word], text.p, text.n) == 0)
			return true;
	return false;
}

static enum fault
string_fault(struct mds_check *c, struct str text, bool escaped, const struct mds_rule *rule)
{
	if (escaped) {
		buf_reset(&c->scratch);
		json_unescape(&c->scratch, text);
		text = buf_all(&c->scratch);
	}
	if (rule->words != NULL && !find_word(c, rule->words, text))
		return NO_WORD;
	if (rule->max_chars > 0 && text.n > rule->max_chars && utf8_count(text) > rule->max_chars)
		return TOO_LONG;
	return pattern_fault(rule->pattern, text);
}

static enum fault
number_fault(struct str value, const struct mds_rule *rule)
{
	double d;

	if (rule->integer && !mds_is_integer(value))
		return NO_INTEGER;
	if (!rule->bounded)
		return GOOD;
	d = mds_double(value);
	return d >= rule->min && d <= rule->max ? GOOD : OUT_OF_RANGE;
}

/* ---- objects ---- */

static bool
is_member(const struct mds_member *m, struct str name)
{
	return m->name.p != NULL && str_eq(m->name, name);
}

/* The place of a member among those of the rule, or -1.  HINT: where it may be, the end of them at most. */
static int
find_member(const struct mds_rule *rule, struct str name, unsigned hint)
{
	if (is_member(&rule->members[hint], name))
		return (int)hint;
	for (int i = 0; rule->members[i].name.p != NULL; i++)
		if (str_eq(rule->members[i].name, name))
			return i;
	return -1;
}

/* The key at p, without its escapes; *PAST is set past it. */
static struct str
take_key(struct mds_check *c, const char *p, const char **past)
{
	bool escaped;
	struct str key;

	*past = past_string(p, &escaped);
	key = (struct str){ p + 1, (size_t)(*past - p) - 2 };
	if (!escaped)
		return key;
	buf_reset(&c->scratch);
	json_unescape(&c->scratch, key);
	return buf_all(&c->scratch);
}

/* Finds the object's worst member again, to know what is wrong with it. */
static void
tell_object(struct mds_check *c, struct str value, const struct mds_rule *rule, uint64_t seen, uint64_t bad)
{
	for (unsigned i = 0; rule->members[i].name.p != NULL; i++) {
		const struct mds_member *m = &rule->members[i];
		struct str found;

		if (bad >> i & 1) {
			json_find(value, &m->name, &found, 1);
			check_value(c, found.p, m->rule);
		} else if (m->required && !(seen >> i & 1)) {
			set_fault(c, MISSING, m->rule);
		} else {
			continue;
		}
		add_step(c, m->name, 0);
		return;
	}
}

static const char *
check_object(struct mds_check *c, const char *p, const struct mds_rule *rule)
{
	const char *start = p;
	uint64_t seen = 0, bad = 0, lacking = 0;
	unsigned next = 0;

	for (p = space(p + 1); *p != '}'; p = *p == ',' ? space(p + 1) : p) {
		int i = find_member(rule, take_key(c, p, &p), next);

		p = space(space(p) + 1);
		if (i < 0) {
			p = space(skip(c, p));
			continue;
		}
		next = (unsigned)i + 1;
		seen |= (uint64_t)1 << i;
		p = space(check_value(c, p, rule->members[i].rule));
		if (c->fault != GOOD)
			bad |= (uint64_t)1 << i;
		else
			bad &= ~((uint64_t)1 << i);
		c->fault = GOOD;
	}
	for (unsigned i = 0; rule->members[i].name.p != NULL; i++)
		if (rule->members[i].required && !(seen >> i & 1))
			lacking |= (uint64_t)1 << i;
	if ((bad | lacking) != 0)
		tell_object(c, (struct str){ start, (size_t)(p + 1 - start) }, rule, seen, bad);
	return p + 1;
}

/* ---- arrays ---- */

static const struct mds_rule *
item_rule(const struct mds_rule *rule, size_t i)
{
	return i == 0 && rule->longitude != NULL ? rule->longitude : i == 1 && rule->latitude != NULL ? rule->latitude : rule->item;
}

/* The item at p.  WORDS: those that came before it, one bit each. */
static const char *
check_item(struct mds_check *c, const char *p, const struct mds_rule *rule, size_t i, uint64_t *words)
{
	const struct mds_rule *of_item = item_rule(rule, i);
	const char *past = of_item != NULL ? check_value(c, p, of_item) : skip(c, p);

	if (c->fault == GOOD && rule->unique) {
		if (*words >> c->word & 1)
			set_fault(c, TWICE, rule);
		*words |= (uint64_t)1 << c->word;
	}
	if (c->fault != GOOD)
		add_step(c, (struct str){ 0 }, i);
	if (rule->features) {
		if (i == 0)
			c->first = (struct str){ p, (size_t)(past - p) };
		c->last = (struct str){ p, (size_t)(past - p) };
		c->features = i + 1;
	}
	return past;
}

static const char *
check_array(struct mds_check *c, const char *p, const struct mds_rule *rule)
{
	const char *start = p;
	uint64_t words = 0;
	size_t n = 0;

	for (p = space(p + 1); *p != ']'; n++) {
		p = space(check_item(c, p, rule, n, &words));
		if (c->fault != GOOD)
			return skip(c, start);
		if (*p == ',')
			p = space(p + 1);
	}
	if (n < rule->min_items)
		set_fault(c, TOO_FEW, rule);
	else if (rule->max_items > 0 && n > rule->max_items)
		set_fault(c, TOO_MANY, rule);
	return p + 1;
}

/* ---- any value ---- */

static const char *
check_value(struct mds_check *c, const char *p, const struct mds_rule *rule)
{
	unsigned type = type_of(p);
	enum fault fault;
	const char *past;
	bool escaped;

	if (rule->features) {           /* of two members of that name the second counts */
		c->first = c->last = (struct str){ 0 };
		c->features = 0;
	}
	if (rule->types != 0 && (rule->types & type) == 0) {
		set_fault(c, WRONG_TYPE, rule);
		c->word = type;
		return skip(c, p);
	}
	if (type == MDS_OBJECT && rule->members != NULL)
		return check_object(c, p, rule);
	if (type == MDS_ARRAY && (rule->item != NULL || rule->longitude != NULL || rule->features || rule->min_items > 0))
		return check_array(c, p, rule);
	if (type == MDS_STRING) {
		past = past_string(p, &escaped);
		fault = string_fault(c, (struct str){ p + 1, (size_t)(past - p) - 2 }, escaped, rule);
	} else if (type == MDS_NUMBER) {
		past = past_number(p);
		fault = number_fault((struct str){ p, (size_t)(past - p) }, rule);
	} else {
		return skip(c, p);
	}
	if (fault != GOOD)
		set_fault(c, fault, rule);
	return past;
}

/* ---- words ---- */

static const char *
type_word(unsigned type)
{
	return type == MDS_NULL ? "null" : type == MDS_BOOL ? "a boolean" : type == MDS_STRING ? "a string" :
	    type == MDS_NUMBER ? "a number" : type == MDS_ARRAY ? "an array" : "an object";
}

static void
add_words(struct buf *b, const char *const *words)
{
	buf_text(b, "is not ");
	for (size_t i = 0; words[i] != NULL; i++)
		buf_fmt(b, "%s%s", i == 0 ? "" : words[i + 1] == NULL ? " or " : ", ", words[i]);
}

static void
add_want(struct buf *b, const struct mds_rule *rule)
{
	const char *before = ", want ";

	if (rule->want != NULL) {
		buf_fmt(b, ", want %s", rule->want);
		return;
	}
	for (unsigned type = MDS_OBJECT; type >= MDS_NULL; type >>= 1) {
		if ((rule->types & type) == 0)
			continue;
		buf_fmt(b, "%s%s", before, type == MDS_NUMBER && rule->integer ? "an integer" : type_word(type));
		before = " or ";
	}
}

static void
say_why(struct mds_check *c)
{
	const struct mds_rule *rule = c->broken;
	struct buf *b = &c->why;

	switch ((enum fault)c->fault) {
	case MISSING: buf_text(b, "is missing"); break;
	case WRONG_TYPE: buf_fmt(b, "is %s", type_word((unsigned)c->word)); add_want(b, rule); break;
	case NO_INTEGER: buf_text(b, "has a fraction"); add_want(b, rule); break;
	case OUT_OF_RANGE: buf_text(b, "is out of range"); add_want(b, rule); break;
	case NO_UUID: buf_text(b, "is no UUID of lower-case hex digits"); break;
	case NO_LINE: buf_text(b, "has a line break in it"); break;
	case NO_HTTPS: buf_text(b, "does not start with https://, or has a line break in it"); break;
	case NO_CURRENCY: buf_text(b, "is no currency of three capital letters"); break;
	case TOO_LONG: buf_fmt(b, "is longer than %zu characters", rule->max_chars); break;
	case NO_WORD: add_words(b, rule->words); break;
	case TOO_FEW: buf_fmt(b, rule->min_items > 1 ? "has fewer than %zu items" : "is empty", rule->min_items); break;
	case TOO_MANY: buf_fmt(b, "has more than %zu items", rule->max_items); break;
	case TWICE: buf_text(b, "comes twice"); break;
	default: buf_text(b, "is no member of a trip"); break;
	}
}

/* route.features[1].geometry.coordinates */
static void
say_where(struct mds_check *c)
{
	for (size_t i = c->steps; i-- > 0;) {
		struct str name = c->step[i].name;

		if (name.p == NULL)
			buf_fmt(&c->where, "[%zu]", c->step[i].index);
		else
			buf_fmt(&c->where, "%s%.*s", c->where.len > 0 ? "." : "", (int)(name.n < PLAIN_NAME ? name.n : PLAIN_NAME), name.p);
	}
}

/* ---- what others call ---- */

void
mds_begin(struct mds_check *c, const struct mds_rule *rule)
{
	if (c->rule != rule)
		memset(c->hint, 0, sizeof c->hint);
	c->rule = rule;
	memset(c->field, 0, sizeof c->field);
	c->unknown = c->first = c->last = (struct str){ 0 };
	c->features = 0;
	c->fault = GOOD;
}

void
mds_take(struct mds_check *c, struct str name, struct str value, size_t place)
{
	static const char null[4 + BUF_PAD] = "null";
	unsigned char *hint = &c->hint[place < MDS_HINTS ? place : 0];
	int i = find_member(c->rule, name, *hint);

	if (i < 0) {
		if (c->rule->closed && c->unknown.p == NULL)
			c->unknown = name;
		return;
	}
	*hint = (unsigned char)i;
	c->field[c->rule->members[i].field] = value.p != NULL ? value : (struct str){ null, 4 };
}

static bool
check_members(struct mds_check *c)
{
	for (const struct mds_member *m = c->rule->members; m->name.p != NULL; m++) {
		struct str value = c->field[m->field];

		c->end = value.p != NULL ? value.p + value.n : NULL;
		if (value.p != NULL)
			check_value(c, value.p, m->rule);
		else if (m->required)
			set_fault(c, MISSING, m->rule);
		if (c->fault != GOOD) {
			add_step(c, m->name, 0);
			return false;
		}
	}
	if (c->unknown.p == NULL)
		return true;
	set_fault(c, UNKNOWN, c->rule);
	add_step(c, c->unknown, 0);
	return false;
}

bool
mds_check(struct mds_check *c)
{
	if (check_members(c))
		return true;
	buf_reset(&c->where);
	buf_reset(&c->why);
	say_where(c);
	say_why(c);
	return false;
}

bool
mds_fault(struct mds_check *c, const char *where, const char *why)
{
	buf_reset(&c->where);
	buf_reset(&c->why);
	buf_text(&c->where, where);
	buf_text(&c->why, why);
	return false;
}

void
mds_check_free(struct mds_check *c)
{
	buf_free(&c->where);
	buf_free(&c->why);
	buf_free(&c->scratch);
}
