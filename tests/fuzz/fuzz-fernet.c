/*
 * fuzz-fernet - tokens of all kinds.  The first byte chooses what the rest is:
 *
 *	0       the text of a token: whole or in pieces, the same verdict
 *	1       the bytes of one, which get a right MAC: form, version, padding and age are reached
 *	2       a message: its token is read back as it was, and never with a bit changed
 *	3       the text of a key: what is taken is what would be written
 *
 * The second byte is where the pieces end and which bit it is.
 */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

#include "crypt/fernet.h"
#include "format/base64url.h"

#define CHECK(x) do { if (!(x)) abort(); } while (0)
#define MAC 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const struct fernet_key keys[2] = { { "another one", "it is" }, { "for signing", "for the rest" } };

/* True if the token is taken; the message is appended.  In pieces of so many bytes, or whole. */
static bool
read_token(struct str text, size_t piece, double ttl, struct buf *message)
{
	struct fernet_token *t = fernet_token_open(keys, 2);
	const char *why = NULL;
	struct str part;

	while (why == NULL && text.n > 0) {
		size_t n = piece > 0 && piece < text.n ? piece : text.n;
		char *copy = str_dup((struct str){ text.p, n });        /* so that a read behind it shows */

		why = fernet_token_add(t, (struct str){ copy, n });
		text.p += n;
		text.n -= n;
		free(copy);
	}
	if (why == NULL)
		why = fernet_token_check(t, ttl, 1000000000);
	CHECK(why == NULL || (*why != '\0' && strlen(why) < 199));
	while (why == NULL && (part = fernet_token_next(t)).n > 0)
		buf_str(message, part);
	fernet_token_close(t);
	return why == NULL;
}

static void
any_text(struct str text, unsigned piece)
{
	struct buf whole = { 0 }, parts = { 0 };
	bool taken = read_token(text, 0, FERNET_NO_TTL, &whole);

	CHECK(taken == read_token(text, piece, FERNET_NO_TTL, &parts) && str_eq(buf_all(&whole), buf_all(&parts)));
	buf_free(&whole);
	buf_free(&parts);
}

static void
any_bytes(const uint8_t *data, size_t n, unsigned piece)
{
	unsigned char *raw = xmalloc(n + MAC);
	size_t len = BASE64URL_LEN(n + MAC);
	char *text = xmalloc(len);
	struct buf message = { 0 };

	if (n > 0)
		memcpy(raw, data, n);
	CHECK(HMAC(EVP_sha256(), keys[1].sign, sizeof keys[1].sign, raw, n, raw + n, NULL) != NULL);
	base64url_encode(text, raw, n + MAC);
	if (read_token((struct str){ text, len }, piece, piece * 1e7, &message))
		CHECK(data[0] == 0x80 && message.len < n - 25 && message.len + 16 >= n - 25);
	buf_free(&message);
	free(text);
	free(raw);
}

static void
any_message(struct str message, unsigned choice)
{
	static const unsigned char iv[FERNET_IV];
	struct fernet_seal *seal = fernet_seal_open(&keys[1], 1000000000, iv);
	struct buf token = { 0 }, back = { 0 };
	size_t part = choice % (message.n + 1);

	fernet_seal_add(seal, (struct str){ message.p, part }, &token);
	CHECK(token.len % 64 == 0);
	fernet_seal_add(seal, (struct str){ message.p + part, message.n - part }, &token);
	CHECK(token.len % 64 == 0);
	fernet_seal_close(seal, &token);
	CHECK(read_token(buf_all(&token), choice, 0, &back) && str_eq(message, buf_all(&back)));
	buf_reset(&back);
	token.p[choice * 977 % token.len] ^= (char)(1 << choice % 7);
	CHECK(!read_token(buf_all(&token), choice, 0, &back) && back.len == 0);
	buf_free(&token);
	buf_free(&back);
}

static void
any_key(struct str text)
{
	struct fernet_key key;
	char back[FERNET_KEY_TEXT + 1];

	if (fernet_key_parse(&key, text) != NULL)
		return;
	fernet_key_text(back, key.sign);        /* the other half lies behind it */
	CHECK(str_eq(text, str_of(back)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n < 2)
		return 0;

	struct str rest = { (const char *)data + 2, n - 2 };

	switch (data[0] % 4) {
	case 0: any_text(rest, data[1]); break;
	case 1: any_bytes(data + 2, n - 2, data[1]); break;
	case 2: any_message(rest, data[1]); break;
	case 3: any_key(rest); break;
	}
	return 0;
}
