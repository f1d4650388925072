/*
 * base - what the small functions that everything else uses make of their edge cases.
 *
 *	base backoff FIRST LONGEST TRIES LIMIT	"good" where the pauses are any time up to LIMIT
 *	base decimal TEXT	its parts, and the nearest double; "none" where it is no number
 *	base hash TEXT		in hex digits
 *	base hex TEXT		the bytes of hex digits, as hex digits; "none" where they are none
 *	base percent TEXT	percent-encoded
 *	base slurp FILE MOST	"whole", "not opened", "failed" or "too large", and how many bytes
 *	base uuid TEXT		"canonical", "upper case" or "other", and the UUID or "none"
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/backoff.h"
#include "base/hash.h"
#include "base/hex.h"
#include "base/number.h"
#include "base/opt.h"
#include "base/slurp.h"
#include "base/uuid.h"

static const struct opt options[] = { OPT_END };
const struct tool tool = {
	.name = "base", .operands = "WHAT TEXT ...", .options = options, .does = "Try small functions.",
};

static void
try_hex(struct buf *out, char **words)
{
	unsigned char bytes[64];
	char text[2 * sizeof bytes + 1];
	struct str digits = str_of(words[0]);

	if (!hex_read(bytes, digits)) {
		buf_text(out, "none");
		return;
	}
	hex_put_text(text, bytes, digits.n / 2);
	buf_text(out, text);
}

static void
try_percent(struct buf *out, char **words)
{
	buf_percent(out, str_of(words[0]));
}

static void
try_slurp(struct buf *out, char **words)
{
	static const char *const how[] = { "whole", "not opened", "failed", "too large" };
	struct buf text = { 0 };

	buf_text(out, how[slurp(&text, words[0], (size_t)atol(words[1]))]);
	buf_fmt(out, " %zu", text.len);
	buf_free(&text);
}

static void
try_uuid(struct buf *out, char **words)
{
	struct str text = str_of(words[0]);
	unsigned char bytes[UUID_BYTES];
	char canonical[UUID_LEN];

	buf_fmt(out, "%s, ", uuid_is(text, false) ? "canonical" : uuid_is(text, true) ? "upper case" : "other");
	if (!uuid_read(bytes, text)) {
		buf_text(out, "none");
		return;
	}
	uuid_put(canonical, bytes);
	buf_add(out, canonical, sizeof canonical);
}

/* Of a thousand draws none is past the limit, and some are in the last tenth below it. */
static void
try_backoff(struct buf *out, char **words)
{
	double first = atof(words[0]), longest = atof(words[1]), limit = atof(words[3]), most = 0;

	for (int i = 0; i < 1000; i++) {
		double pause = backoff_pause(first, longest, (unsigned)atoi(words[2]));

		if (pause < 0 || pause > limit)
			die(EX_SOFTWARE, "%g", pause);
		most = pause > most ? pause : most;
	}
	buf_text(out, most > 0.9 * limit ? "good" : "too short");
}

static void
try_decimal(struct buf *out, char **words)
{
	struct decimal d;
	double n;

	if (!decimal_read(&d, str_of(words[0]))) {
		buf_text(out, "none");
		return;
	}
	buf_fmt(out, "%s%.*s|%.*s|%ld, %zu of %zu in front are 0", d.negative ? "-" : "", (int)d.whole.n, d.whole.p, (int)d.part.n,
	    d.part.n > 0 ? d.part.p : "", d.power, decimal_zeros(&d), decimal_digits(&d));
	if (number_read(str_of(words[0]), &n))
		buf_fmt(out, ", %.17g%s", n, decimal_exact(&d, &n) ? "" : " by strtod");
	else
		buf_text(out, ", no double");
}

static void
try_hash(struct buf *out, char **words)
{
	buf_fmt(out, "%016llx", (unsigned long long)hash_add(HASH_START, str_of(words[0])));
}

static const struct { const char *name; void (*try)(struct buf *, char **); } all[] = {
	{ "backoff", try_backoff }, { "decimal", try_decimal }, { "hash", try_hash }, { "hex", try_hex }, { "percent", try_percent }, { "slurp", try_slurp }, { "uuid", try_uuid },
};

int
main(int argc, char *argv[])
{
	char **words = opt_parse(argc, argv);
	struct buf out = { 0 };

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (strcmp(all[i].name, words[0]) == 0)
			all[i].try(&out, words + 1);
	puts(buf_all(&out).p);
	buf_free(&out);
	return EX_OK;
}
