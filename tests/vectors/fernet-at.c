/*
 * fernet-at - fernet at a time and with an IV of the caller's choice, for the specification's vectors.
 *
 *	fernet-at encrypt TIME IV       standard input becomes a token; IV in hexadecimal
 *	fernet-at decrypt TIME TTL      and a message again; TTL "none": neither age nor future matters
 *
 * TIME in seconds since 1970, the key from FERNET_KEY.  A program of its own, since fernet itself must not be talked into
 * an IV that was used before.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/opt.h"
#include "crypt/fernet.h"

static const struct opt options[] = { OPT_END };
const struct tool tool = {
	.name = "fernet-at", .operands = "encrypt TIME IV | decrypt TIME TTL", .options = options,
	.does = "Encrypt or decrypt at a time.",
};

static void
read_all(struct buf *b)
{
	int c;

	while ((c = getchar()) != EOF)
		buf_char(b, (char)c);
}

static void
encrypt(const struct fernet_key *key, uint64_t now, const char *hex, struct buf *out)
{
	unsigned char iv[FERNET_IV];
	struct buf message = { 0 };

	for (size_t i = 0; i < FERNET_IV; i++) {
		unsigned byte;

		if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
			die(EX_USAGE, "%s: want %d bytes in hexadecimal", hex, FERNET_IV);
		iv[i] = (unsigned char)byte;
	}
	read_all(&message);

	struct fernet_seal *seal = fernet_seal_open(key, now, iv);

	fernet_seal_add(seal, buf_all(&message), out);
	fernet_seal_close(seal, out);
	buf_free(&message);
}

static void
decrypt(const struct fernet_key *key, uint64_t now, const char *ttl, struct buf *out)
{
	struct fernet_token *token = fernet_token_open(key, 1);
	struct buf text = { 0 };
	struct str piece;
	const char *why;

	read_all(&text);
	if ((why = fernet_token_add(token, buf_all(&text))) != NULL ||
	    (why = fernet_token_check(token, strcmp(ttl, "none") == 0 ? FERNET_NO_TTL : atof(ttl), now)) != NULL)
		die(EX_DATAERR, "%s", why);
	while ((piece = fernet_token_next(token)).n > 0)
		buf_str(out, piece);
	fernet_token_close(token);
	buf_free(&text);
}

int
main(int argc, char *argv[])
{
	struct fernet_key key;
	struct buf out = { 0 };
	const char *text = getenv("FERNET_KEY");

	if (argc != 4 || text == NULL || fernet_key_parse(&key, str_of(text)) != NULL)
		die(EX_USAGE, "want %s, and FERNET_KEY", tool.operands);
	if (strcmp(argv[1], "encrypt") == 0)
		encrypt(&key, strtoull(argv[2], NULL, 10), argv[3], &out);
	else
		decrypt(&key, strtoull(argv[2], NULL, 10), argv[3], &out);
	fwrite(out.p != NULL ? out.p : "", 1, out.len, stdout);
	buf_free(&out);
	return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}
