/*
 * pg/type.c - values as text, into the binary form that COPY takes.
 *
 * The forms are those of each type's receive function in PostgreSQL's source (src/backend/utils/adt): big-endian
 * integers and IEEE floats; numeric in digits of base 10000; dates as days and times as microseconds since 2000.
 */
#include "pg/type.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/number.h"
#include "base/uuid.h"
#include "format/json.h"

#define VARHDRSZ 4                      /* a length modifier counts it: varchar(3) has typmod 7 */
#define NAME_MAX_BYTES 63               /* NAMEDATALEN - 1 */
#define NUMERIC_WEIGHT_MAX 131072       /* digits before the point (numeric.c) */
#define USEC_OF_DAY 86400000000
#define NUMERIC_SCALE_MAX 16383         /* digits after it */

static void
put16(struct buf *out, unsigned v)
{
	char b[2] = { (char)(v >> 8), (char)v };

	buf_add(out, b, 2);
}

static void
put32(struct buf *out, uint32_t v)
{
	v = __builtin_bswap32(v);
	buf_add(out, &v, 4);
}

static void
put64(struct buf *out, uint64_t v)
{
	v = __builtin_bswap64(v);
	buf_add(out, &v, 8);
}

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static struct str
trim(struct str s)
{
	while (s.n > 0 && is_space(s.p[0]))
		s = (struct str){ s.p + 1, s.n - 1 };
	while (s.n > 0 && is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* Word is in lower case. */
static bool
is_word(struct str s, const char *word)
{
	size_t i = 0;

	for (; i < s.n && word[i] != '\0'; i++)
		if ((s.p[i] | 0x20) != word[i])
			return false;
	return i == s.n && word[i] == '\0';
}

static bool
is_start_of(struct str s, size_t least, const char *word)
{
	if (s.n < least || s.n > strlen(word))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if ((s.p[i] | 0x20) != word[i])
			return false;
	return true;
}

/* Text kinds */

static const char *
encode_text(struct buf *out, const struct pgvalue *v)
{
	if (v->typmod >= VARHDRSZ) {
		size_t most = (size_t)(v->typmod - VARHDRSZ);

		if (v->text.n > most && utf8_count(v->text) > most)
			return "is too long";
	}
	buf_str(out, v->text);
	return NULL;
}

static const char *
encode_name(struct buf *out, const struct pgvalue *v)
{
	if (v->text.n > NAME_MAX_BYTES)
		return "is too long";
	buf_str(out, v->text);
	return NULL;
}

/* Truth and numbers */

static const char *
encode_bool(struct buf *out, const struct pgvalue *v)
{
	struct str s = trim(v->text);

	if (is_start_of(s, 1, "true") || is_start_of(s, 1, "yes") || is_word(s, "on") || (s.n == 1 && *s.p == '1'))
		buf_char(out, 1);
	else if (is_start_of(s, 1, "false") || is_start_of(s, 1, "no") || is_start_of(s, 2, "off") || (s.n == 1 && *s.p == '0'))
		buf_char(out, 0);
	else
		return "is neither true nor false";
	return NULL;
}

static const char *
parse_integer(struct str s, uint64_t least, uint64_t most, int64_t *value)
{
	uint64_t n = 0;
	bool minus = false;
	size_t i = 0;

	s = trim(s);
	if (s.n > 0 && (s.p[0] == '-' || s.p[0] == '+'))
		minus = s.p[i++] == '-';
	if (i == s.n)
		return "is no integer";
	for (; i < s.n; i++) {
		if (!is_digit(s.p[i]))
			return "is no integer";
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, (uint64_t)(s.p[i] - '0'), &n))
			n = UINT64_MAX / 2 + 2;         /* out of every range; the rest must still be digits */
	}
	if (n > (minus ? least : most))
		return "is out of range";
	*value = (int64_t)(minus ? 0 - n : n);
	return NULL;
}

static const char *
encode_int2(struct buf *out, const struct pgvalue *v)
{
	int64_t n;
	const char *why = parse_integer(v->text, 1u << 15, INT16_MAX, &n);

	if (why == NULL)
		put16(out, (unsigned)n);
	return why;
}

static const char *
encode_int4(struct buf *out, const struct pgvalue *v)
{
	int64_t n;
	const char *why = parse_integer(v->text, 1u << 31, INT32_MAX, &n);

	if (why == NULL)
		put32(out, (uint32_t)n);
	return why;
}

static const char *
encode_int8(struct buf *out, const struct pgvalue *v)
{
	int64_t n;
	const char *why = parse_integer(v->text, (uint64_t)1 << 63, INT64_MAX, &n);

	if (why == NULL)
		put64(out, (uint64_t)n);
	return why;
}

/* Not a number and the infinities, as PostgreSQL spells them. */
static bool
parse_special(struct str s, double *value)
{
	bool minus = s.n > 0 && s.p[0] == '-';

	if (is_word(s, "nan")) {
		*value = NAN;
		return true;
	}
	if (s.n > 0 && (s.p[0] == '-' || s.p[0] == '+'))
		s = (struct str){ s.p + 1, s.n - 1 };
	if (!is_word(s, "inf") && !is_word(s, "infinity"))
		return false;
	*value = minus ? -(double)INFINITY : (double)INFINITY;
	return true;
}

/* strtod() and strtof() want a NUL at the end. */
static const char *
slow_float(struct str s, bool single, double *value)
{
	char small[128], *text = s.n < sizeof small ? small : xmalloc(s.n + 1);

	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	errno = 0;
	*value = single ? (double)strtof(text, NULL) : strtod(text, NULL);
	if (text != small)
		free(text);
	return errno == ERANGE && (*value == 0 || isinf(*value)) ? "is out of range" : NULL;
}

static const char *
parse_float(struct str s, bool single, double *value)
{
	struct decimal d;

	s = trim(s);
	if (parse_special(s, value))
		return NULL;
	if (!decimal_read(&d, s))
		return "is no number";
	if (!single && decimal_exact(&d, value))
		return NULL;
	return slow_float(s, single, value);
}

static const char *
encode_float8(struct buf *out, const struct pgvalue *v)
{
	double d;
	uint64_t bits;
	const char *why = parse_float(v->text, false, &d);

	if (why == NULL) {
		memcpy(&bits, &d, sizeof bits);
		put64(out, bits);
	}
	return why;
}

static const char *
encode_float4(struct buf *out, const struct pgvalue *v)
{
	double d;
	float f;
	uint32_t bits;
	const char *why = parse_float(v->text, true, &d);

	if (why == NULL) {
		f = (float)d;
		memcpy(&bits, &f, sizeof bits);
		put32(out, bits);
	}
	return why;
}

/* Numeric */

static void
put_numeric_head(struct buf *out, size_t digits, long weight, unsigned sign, long scale)
{
	put16(out, (unsigned)digits);
	put16(out, (unsigned)weight);
	put16(out, sign);
	put16(out, (unsigned)scale);
}

/* What numeric(precision, scale) makes of a number of INT_DIGITS digits before the point (less than 1: zeros after it) and
 * LAST digits after it, not counting zeros at its end. */
static const char *
check_numeric(int typmod, long int_digits, long last, bool zero)
{
	long precision = ((typmod - VARHDRSZ) >> 16) & 0xffff;
	long scale = (((typmod - VARHDRSZ) & 0x7ff) ^ 1024) - 1024;     /* 11 bits with a sign (numeric.c) */

	if (typmod < VARHDRSZ || zero)
		return NULL;
	if (last > scale)
		return "has more decimals than fit";
	if (int_digits > precision - scale)
		return "is out of range";
	return NULL;
}

static const char *
encode_numeric(struct buf *out, const struct pgvalue *v)
{
	struct decimal d;
	struct str s = trim(v->text);
	double special;

	if (parse_special(s, &special)) {
		if (isinf(special) && v->typmod >= VARHDRSZ)
			return "is out of range";
		put_numeric_head(out, 0, 0, isnan(special) ? 0xc000 : special > 0 ? 0xd000 : 0xf000, 0);
		return NULL;
	}
	if (!decimal_read(&d, s))
		return "is no number";
	/* the point stands behind POINT of the digits [first, last) that are not zeros at either end */
	size_t first = decimal_zeros(&d), last = decimal_digits(&d);
	long scale = (long)d.part.n - d.power;

	while (last > first && decimal_digit(&d, last - 1) == 0)
		last--;

	long int_digits = (long)d.whole.n + d.power - (long)first;
	long decimals = (long)last - (long)d.whole.n - d.power;
	const char *why = check_numeric(v->typmod, int_digits, decimals, first == last);

	if (why != NULL)
		return why;
	if (scale < 0)
		scale = 0;
	if (scale > NUMERIC_SCALE_MAX || (first < last && int_digits > NUMERIC_WEIGHT_MAX))
		return "is out of range";
	if (first == last) {
		put_numeric_head(out, 0, 0, 0, scale);
		return NULL;
	}

	/* the group of four before the first digit's: 12345.6 is 1 2345 6000, weight 1 */
	long weight = (int_digits > 0 ? int_digits + 3 : int_digits) / 4 - 1;
	size_t lead = (size_t)((weight + 1) * 4 - int_digits);
	size_t groups = (lead + (last - first) + 3) / 4;

	put_numeric_head(out, groups, weight, d.negative ? 0x4000 : 0, scale);
	for (size_t g = 0; g < groups; g++) {
		unsigned group = 0;

		for (size_t k = 4 * g; k < 4 * g + 4; k++) {
			bool inside = k >= lead && k - lead < last - first;

			group = group * 10 + (inside ? decimal_digit(&d, first + k - lead) : 0);
		}
		put16(out, group);
	}
	return NULL;
}

/* Dates */

static bool
parse_infinity(struct str s, bool *minus)
{
	s = trim(s);
	*minus = s.n > 0 && s.p[0] == '-';
	if (s.n > 0 && (s.p[0] == '-' || s.p[0] == '+'))
		s = (struct str){ s.p + 1, s.n - 1 };
	return is_word(s, "infinity");
}

static const char *
encode_date(struct buf *out, const struct pgvalue *v)
{
	struct moment m;
	const char *why;
	bool minus;

	if (parse_infinity(v->text, &minus)) {
		put32(out, minus ? 0x80000000u : 0x7fffffffu);
		return NULL;
	}
	if (!date_parse(v->text, v->order, &m, &why))
		return why;
	if (m.hour != 0 || m.minute != 0 || m.second != 0 || m.usec != 0)
		return "has a time of day, which the column would lose";
	put32(out, (uint32_t)date_days(&m));
	return NULL;
}

static const char *
encode_moment(struct buf *out, const struct pgvalue *v, bool zone)
{
	struct moment m;
	const char *why;
	bool minus;

	if (parse_infinity(v->text, &minus)) {
		put64(out, minus ? (uint64_t)INT64_MIN : (uint64_t)INT64_MAX);
		return NULL;
	}
	if (!date_parse(v->text, v->order, &m, &why))
		return why;
	if (!zone && m.has_zone && m.offset != 0)
		return "has a time zone and the column has none";
	put64(out, (uint64_t)date_usec(&m));
	return NULL;
}

static const char *
encode_timestamp(struct buf *out, const struct pgvalue *v)
{
	return encode_moment(out, v, false);
}

static const char *
encode_timestamptz(struct buf *out, const struct pgvalue *v)
{
	return encode_moment(out, v, true);
}

/* The ends of either range are the infinities; times a day's microseconds, those of a date would overflow. */
void
pgtype_text(struct buf *out, const struct pgtype *type, struct str binary)
{
	struct moment m = { 0 };
	uint64_t v = 0;

	for (size_t i = 0; i < binary.n; i++)
		v = v << 8 | (unsigned char)binary.p[i];

	bool days = type->encode == encode_date;
	int64_t n = days ? (int32_t)(uint32_t)v : (int64_t)v;

	if (n == (days ? INT32_MAX : INT64_MAX) || n == (days ? INT32_MIN : INT64_MIN)) {
		buf_text(out, n < 0 ? "-infinity" : "infinity");
		return;
	}
	date_from_usec(&m, days ? n * USEC_OF_DAY : n);
	if (days)
		m.has_time = false;
	m.has_zone = type->encode == encode_timestamptz;
	date_put_iso(out, &m);
}

/* The rest */

static const char *
encode_uuid(struct buf *out, const struct pgvalue *v)
{
	unsigned char bytes[UUID_BYTES];

	if (!uuid_read(bytes, v->text))
		return "is no UUID";
	buf_add(out, bytes, sizeof bytes);
	return NULL;
}

/* The copy in OUT has the zero and the padding that the scanner wants. */
static const char *
encode_json(struct buf *out, const struct pgvalue *v)
{
	struct json_error error = { 0 };
	size_t at = out->len;

	buf_str(out, v->text);

	const char *end = out->p + out->len;
	const char *p = json_skip(json_space(out->p + at, end), end, &error);

	if (p == NULL || json_space(p, end) != end)
		return "is no JSON";
	return NULL;
}

/* jsonb keeps the text of strings unescaped, so it can't hold what JSON can: \u0000. */
static bool
has_nul_escape(struct str s)
{
	const char *end = s.p + s.n;

	for (const char *p = s.p; (p = memchr(p, '\\', (size_t)(end - p))) != NULL; p += 2)
		if (end - p >= 6 && memcmp(p, "\\u0000", 6) == 0)
			return true;
		else if (end - p < 2)
			break;
	return false;
}

static const char *
encode_jsonb(struct buf *out, const struct pgvalue *v)
{
	buf_char(out, 1);       /* the version of the form */

	const char *why = encode_json(out, v);

	if (why == NULL && has_nul_escape(v->text))
		return "holds \\u0000, which jsonb can't";
	return why;
}

static const struct pgtype types[] = {
	{ .oid = 16, .name = "bool", .encode = encode_bool },
	{ .oid = 19, .name = "name", .encode = encode_name, .text = true },
	{ .oid = 20, .name = "int8", .encode = encode_int8 },
	{ .oid = 21, .name = "int2", .encode = encode_int2 },
	{ .oid = 23, .name = "int4", .encode = encode_int4 },
	{ .oid = 25, .name = "text", .encode = encode_text, .text = true },
	{ .oid = 114, .name = "json", .encode = encode_json, .json = true },
	{ .oid = 700, .name = "float4", .encode = encode_float4 },
	{ .oid = 701, .name = "float8", .encode = encode_float8 },
	{ .oid = 1042, .name = "bpchar", .encode = encode_text, .text = true },
	{ .oid = 1043, .name = "varchar", .encode = encode_text, .text = true },
	{ .oid = 1082, .name = "date", .encode = encode_date, .date = true },
	{ .oid = 1114, .name = "timestamp", .encode = encode_timestamp, .date = true },
	{ .oid = 1184, .name = "timestamptz", .encode = encode_timestamptz, .date = true },
	{ .oid = 1700, .name = "numeric", .encode = encode_numeric },
	{ .oid = 2950, .name = "uuid", .encode = encode_uuid },
	{ .oid = 3802, .name = "jsonb", .encode = encode_jsonb, .json = true },
	{ .oid = 0, .name = "citext", .encode = encode_text, .text = true },    /* an extension's number differs */
};

const struct pgtype *
pgtype_find(unsigned oid, const char *name)
{
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (types[i].oid == oid && (oid != 0 || strcmp(types[i].name, name) == 0))
			return &types[i];
	return NULL;
}
