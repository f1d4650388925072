/*
 * fernet - encrypt a stream as a Fernet token, and back.
 *
 * Encrypting streams.  Decrypting holds the whole token, since nothing of a message may leave before the last bytes of
 * its token have vouched for it: a reader further down the pipe has no way to give it back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/opt.h"
#include "crypt/fernet.h"
#include "records/input.h"
#include "records/output.h"

#define KEYS_MAX 12             /* each is a pass over a token that none fits, and two secrets of err_mask()'s 32 */
#define WHITE_MAX (64 * 1024)   /* bytes of white space in front that --or-plain looks behind */

static double ttl = FERNET_NO_TTL;
static bool or_plain;

static struct fernet_key keys[KEYS_MAX];
static size_t n_keys;

/* ---- keys ---- */

static void
wipe_keys(void)
{
	fernet_wipe(keys, sizeof keys);
}

static void
add_key(struct str text)
{
	char *masked = str_dup(text);
	const char *why;

	err_mask(masked);
	fernet_wipe(masked, text.n);
	free(masked);
	if (n_keys == KEYS_MAX)
		die(EX_CONFIG, "FERNET_KEY: more than %d keys: rotate what the old ones encrypted, and drop them", KEYS_MAX);
	if ((why = fernet_key_parse(&keys[n_keys], text)) != NULL)
		die(EX_CONFIG, "FERNET_KEY: key %zu: %s: fernet keygen makes one", n_keys + 1, why);
	n_keys++;
}

static void
read_keys(void)
{
	static const char between[] = ", \t\r\n";
	const char *list = opt_secret("FERNET_KEY");

	for (const char *p = list; p != NULL && *(p += strspn(p, between)) != '\0'; ) {
		size_t n = strcspn(p, between);

		add_key((struct str){ p, n });
		p += n;
	}
	if (n_keys == 0)
		die(EX_CONFIG, "no key: set FERNET_KEY or FERNET_KEY_FILE: fernet keygen makes one");
}

/* ---- bytes out ---- */

static void
flush(struct buf *out)
{
	write_all(STDOUT_FILENO, "stdout", buf_all(out));
	buf_reset(out);
}

static void
flush_some(struct buf *out)
{
	if (out->len >= WRITE_AT)
		flush(out);
}

static void
finish(struct buf *out)
{
	flush(out);
	if (close(STDOUT_FILENO) != 0)
		die_errno(EX_IOERR, "stdout");
	buf_free(out);
}

/* ---- from a stream to a stream ---- */

static struct fernet_seal *
seal_open(uint64_t made)
{
	unsigned char iv[FERNET_IV];

	fernet_random(iv, sizeof iv);
	return fernet_seal_open(&keys[0], made, iv);
}

static void
encrypt_stream(struct input *in)
{
	struct fernet_seal *seal = seal_open((uint64_t)time(NULL));
	struct buf out = { 0 };

	while (input_more(in)) {
		size_t n = (size_t)(in->end - in->p);

		fernet_seal_add(seal, (struct str){ in->p, n }, &out);
		fernet_wipe(in->p, n);
		in->p = in->end;
		flush_some(&out);
	}
	fernet_seal_close(seal, &out);
	finish(&out);
}

/* Reads and checks the whole token; what is wrong with it ends the run before a byte is out. */
static struct fernet_token *
read_token(struct input *in)
{
	struct fernet_token *token = fernet_token_open(keys, n_keys);
	const char *why = NULL;

	do {
		why = fernet_token_add(token, (struct str){ in->p, (size_t)(in->end - in->p) });
		in->p = in->end;
	} while (why == NULL && input_more(in));
	if (why == NULL)
		why = fernet_token_check(token, ttl, (uint64_t)time(NULL));
	if (why != NULL)
		die(EX_DATAERR, "%s: %s", in->file, why);
	if (opt_verbose())
		note("%s: made %lld s ago, with key %zu of %zu", in->file,
		    (long long)((uint64_t)time(NULL) - fernet_token_made(token)), fernet_token_key(token) + 1, n_keys);
	return token;
}

/* Every token has five A behind its first character, for two thousand years: the end of the version, and the high bits of
 * the time. */
static bool
is_plain(struct input *in)
{
	const char *p = in->p;

	do {
		while (p - in->p < WHITE_MAX && p < in->end && strchr(" \t\r\n", *p) != NULL && *p != '\0')
			p++;
		if (in->end - p >= 6)
			return memcmp(p + 1, "AAAAA", 5) != 0;

		size_t white = (size_t)(p - in->p);
		bool more = input_more(in);

		p = in->p + white;
		if (!more)      /* nothing, or a token's first characters, is no plain text either: the rest was lost on its way */
			return p < in->end && memcmp(p, "gAAAAA", (size_t)(in->end - p)) != 0;
	} while (true);
}

static void
pass(struct input *in)
{
	struct buf none = { 0 };

	if (opt_verbose())
		note("%s: not encrypted: passed on as it is", in->file);
	do {
		write_all(STDOUT_FILENO, "stdout", (struct str){ in->p, (size_t)(in->end - in->p) });
		in->p = in->end;
	} while (input_more(in));
	finish(&none);
}

static void
decrypt_stream(struct input *in)
{
	struct buf none = { 0 };
	struct str piece;

	if (or_plain && is_plain(in)) {
		pass(in);
		return;
	}

	struct fernet_token *token = read_token(in);

	while ((piece = fernet_token_next(token)).n > 0)
		write_all(STDOUT_FILENO, "stdout", piece);
	fernet_token_close(token);
	finish(&none);
}

/* The time stays, so that a token does not live longer for it. */
static void
rotate_stream(struct input *in)
{
	struct fernet_token *token = read_token(in);
	struct fernet_seal *seal = seal_open(fernet_token_made(token));
	struct buf out = { 0 };
	struct str piece;

	while ((piece = fernet_token_next(token)).n > 0) {
		fernet_seal_add(seal, piece, &out);
		flush_some(&out);
	}
	fernet_token_close(token);
	fernet_seal_close(seal, &out);
	finish(&out);
}

static int
with_keys(char **files, void (*turn)(struct input *))
{
	struct input in;

	if (files[0] != NULL && files[1] != NULL)
		die(EX_USAGE, "%s: one file at most", opt_command()->name);
	read_keys();
	input_open(&in, files);
	turn(&in);
	input_close(&in);
	wipe_keys();
	return EX_OK;
}

/* ---- the commands ---- */

static int
encrypt(char **files)
{
	return with_keys(files, encrypt_stream);
}

static int
decrypt(char **files)
{
	return with_keys(files, decrypt_stream);
}

static int
rotate(char **files)
{
	return with_keys(files, rotate_stream);
}

static int
keygen(char **none)
{
	unsigned char raw[FERNET_KEY_RAW];
	char text[FERNET_KEY_TEXT + 1];
	struct buf out = { 0 };

	(void)none;
	fernet_random(raw, sizeof raw);
	fernet_key_text(text, raw);
	buf_fmt(&out, "%s\n", text);
	flush(&out);
	fernet_wipe(raw, sizeof raw);
	fernet_wipe(text, sizeof text);
	fernet_wipe(out.p, FERNET_KEY_TEXT);
	finish(&out);
	return EX_OK;
}

static const struct opt decrypt_options[] = {
	OPT_SECONDS(0, "ttl", "TIME", &ttl, "refuse a token that is older, or from the future"),
	OPT_FLAG(0, "or-plain", &or_plain, "pass on what is not a token as it is"),
	OPT_END
};
static const struct command commands[] = {
	{ "encrypt", "[file]", "Make a token of a message.", NULL, encrypt },
	{ "decrypt", "[file]", "Make the message of a token.", decrypt_options, decrypt },
	{ "rotate", "[file]", "Encrypt a token again, under the first key.", NULL, rotate },
	{ "keygen", "", "Print a new key.", NULL, keygen },
	{ 0 }
};
const struct tool tool = {
	.name = "fernet", .commands = commands,
	.does = "Encrypt a stream as a Fernet token, and back.",
};

int
main(int argc, char *argv[])
{
	char **operands = opt_parse(argc, argv);

	return opt_command()->run(operands);
}
