/*
 * crypt/fernet.c - Fernet tokens.
 *
 * Each piece is decoded and signed, or encrypted, signed and encoded, while it is in the cache.  A token is checked
 * under the first key while it comes in, since that is the key that nearly always fits; a further key costs a pass
 * over what is held.
 */
#define _DEFAULT_SOURCE         /* getentropy(3), madvise(2) */
#include "crypt/fernet.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memory.h"
#include "format/base64url.h"

#define VERSION_BYTE 0x80
#define BLOCK 16                /* bytes, of AES */
#define HEAD (1 + 8 + FERNET_IV)
#define MAC 32
#define SHORTEST (HEAD + BLOCK + MAC)
/* Bytes taken in a step: in the second-level cache three times over.  48 is the least that is whole blocks of AES and
 * whole groups of base64. */
#define PIECE (48 * 512)
#define LARGE (8 << 20)         /* bytes from which on large pages pay */
#define FIRST_ROOM (256 * 1024) /* bytes of a token that are held before the memory grows */

static void
must(int worked)
{
	if (worked != 1)
		die(EX_SOFTWARE, "OpenSSL refuses AES-128-CBC or HMAC-SHA256: is this a build or a configuration without them?");
}

void
fernet_wipe(void *p, size_t n)
{
	OPENSSL_cleanse(p, n);
}

/* The kernel's, since OpenSSL's own generator takes a millisecond to start, and crashes if it has no memory for that. */
void
fernet_random(unsigned char *to, size_t n)
{
	if (getentropy(to, n) != 0)
		die_errno(EX_OSERR, "no random bytes");
}

/* ---- keys ---- */

const char *
fernet_key_parse(struct fernet_key *key, struct str text)
{
	static char why[160];
	unsigned char raw[BASE64URL_ROOM(FERNET_KEY_TEXT)];
	size_t body = FERNET_KEY_TEXT - 4;
	bool good = text.n == FERNET_KEY_TEXT && base64url_decode(raw, text.p, body) == body &&
	    base64url_decode_last(raw + body / 4 * 3, text.p + body) == 2;

	if (good) {
		memcpy(key->sign, raw, sizeof key->sign);
		memcpy(key->encrypt, raw + sizeof key->sign, sizeof key->encrypt);
	} else if (text.n != FERNET_KEY_TEXT) {
		snprintf(why, sizeof why, "%zu characters where a key has %d, the last of them =", text.n, FERNET_KEY_TEXT);
	} else if (memchr(text.p, '+', text.n) != NULL || memchr(text.p, '/', text.n) != NULL) {
		snprintf(why, sizeof why, "+ and / of common base64: they are - and _ in a key");
	} else {
		snprintf(why, sizeof why, "not base64url: a key is A-Z, a-z, 0-9, - and _, and = at its end");
	}
	fernet_wipe(raw, sizeof raw);
	return good ? NULL : why;
}

void
fernet_key_text(char to[FERNET_KEY_TEXT + 1], const unsigned char raw[FERNET_KEY_RAW])
{
	base64url_encode(to, raw, FERNET_KEY_RAW);
	to[FERNET_KEY_TEXT] = '\0';
}

/* ---- libcrypto ---- */

static EVP_MAC_CTX *
mac_open(void)
{
	EVP_MAC *hmac;
	EVP_MAC_CTX *mac;

	memory_of_openssl();
	must((hmac = EVP_MAC_fetch(NULL, "HMAC", NULL)) != NULL);
	must((mac = EVP_MAC_CTX_new(hmac)) != NULL);
	EVP_MAC_free(hmac);             /* the context holds it */
	return mac;
}

static void
mac_start(EVP_MAC_CTX *mac, const struct fernet_key *key)
{
	char digest[] = "SHA256";
	OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string("digest", digest, 0), OSSL_PARAM_construct_end() };

	must(EVP_MAC_init(mac, key->sign, sizeof key->sign, params));
}

static void
mac_end(EVP_MAC_CTX *mac, unsigned char to[MAC])
{
	size_t n;

	must(EVP_MAC_final(mac, to, &n, MAC));
}

/* Padding is OpenSSL's when encrypting, and ours when decrypting. */
static EVP_CIPHER_CTX *
aes_open(const struct fernet_key *key, const unsigned char *iv, bool encrypt)
{
	EVP_CIPHER *cipher;
	EVP_CIPHER_CTX *aes;

	memory_of_openssl();
	must((cipher = EVP_CIPHER_fetch(NULL, "AES-128-CBC", NULL)) != NULL);
	must((aes = EVP_CIPHER_CTX_new()) != NULL);
	must(EVP_CipherInit_ex2(aes, cipher, key->encrypt, iv, encrypt, NULL));
	must(EVP_CIPHER_CTX_set_padding(aes, encrypt));
	EVP_CIPHER_free(cipher);        /* the context holds it */
	return aes;
}

static void
decrypt(EVP_CIPHER_CTX *aes, unsigned char *to, const unsigned char *p, size_t n)
{
	int got;

	must(EVP_DecryptUpdate(aes, to, &got, p, (int)n));
	if ((size_t)got != n)
		die(EX_SOFTWARE, "AES made %d bytes of %zu", got, n);
}

/* ---- a token in the making ---- */

struct fernet_seal {
	EVP_CIPHER_CTX *aes;
	EVP_MAC_CTX *mac;
	size_t len;                             /* of raw: signed, and not written yet; under 48 between calls */
	unsigned char raw[48 + PIECE + BLOCK + MAC];
};

/* Takes n bytes more of raw as part of the token. */
static void
sign(struct fernet_seal *s, size_t n)
{
	must(EVP_MAC_update(s->mac, s->raw + s->len, n));
	s->len += n;
}

static void
write_out(struct fernet_seal *s, size_t n, struct buf *token)
{
	size_t len = BASE64URL_LEN(n);

	buf_room(token, len);
	base64url_encode(token->p + token->len, s->raw, n);
	token->len += len;
	token->p[token->len] = '\0';
	s->len -= n;
	memmove(s->raw, s->raw + n, s->len);
}

struct fernet_seal *
fernet_seal_open(const struct fernet_key *key, uint64_t made, const unsigned char iv[FERNET_IV])
{
	struct fernet_seal *s = xcalloc(1, sizeof *s);

	s->aes = aes_open(key, iv, true);
	s->mac = mac_open();
	mac_start(s->mac, key);
	s->raw[0] = VERSION_BYTE;
	for (unsigned i = 0; i < 8; i++)
		s->raw[1 + i] = (unsigned char)(made >> (56 - 8 * i));
	memcpy(s->raw + 1 + 8, iv, FERNET_IV);
	sign(s, HEAD);
	return s;
}

void
fernet_seal_add(struct fernet_seal *s, struct str message, struct buf *token)
{
	while (message.n > 0) {
		size_t n = message.n < PIECE ? message.n : PIECE;
		int got;

		must(EVP_EncryptUpdate(s->aes, s->raw + s->len, &got, (const unsigned char *)message.p, (int)n));
		sign(s, (size_t)got);
		write_out(s, s->len / 48 * 48, token);
		message.p += n;
		message.n -= n;
	}
}

void
fernet_seal_close(struct fernet_seal *s, struct buf *token)
{
	int got;

	must(EVP_EncryptFinal_ex(s->aes, s->raw + s->len, &got));
	sign(s, (size_t)got);
	mac_end(s->mac, s->raw + s->len);
	s->len += MAC;
	write_out(s, s->len, token);
	EVP_CIPHER_CTX_free(s->aes);
	EVP_MAC_CTX_free(s->mac);
	free(s);
}

/* ---- a token to be read ---- */

struct fernet_token {
	const struct fernet_key *keys;
	size_t n_keys, key;                     /* key: the one that fits */
	EVP_MAC_CTX *mac;                       /* under the first key */
	EVP_CIPHER_CTX *aes;                    /* once the token is checked */
	unsigned char *raw;
	size_t len, cap, signed_to;             /* of raw */
	unsigned long long at;                  /* characters so far, for messages */
	char last[4];                           /* of a group that is not whole */
	size_t n_last;
	bool ended;                             /* only white space may follow */
	size_t next, end;                       /* of the message, in raw */
	unsigned char plain[PIECE];
	char why[200];
};

PRINTF(2, 3) static const char *
wrong(struct fernet_token *t, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(t->why, sizeof t->why, fmt, args);
	va_end(args);
	return t->why;
}

struct fernet_token *
fernet_token_open(const struct fernet_key *keys, size_t n)
{
	struct fernet_token *t = xcalloc(1, sizeof *t);

	t->keys = keys;
	t->n_keys = n;
	t->mac = mac_open();
	mac_start(t->mac, keys);
	return t;
}

/*
 * Large pages where the system has them: to fault in small ones takes longer than to decrypt what they hold.  What can't be is
 * left.  All of malloc's mapping is told, its header too: of two kinds of pages realloc could not move it.
 */
static void
use_large_pages(unsigned char *p, size_t n)
{
#ifdef MADV_HUGEPAGE
	size_t page = (size_t)sysconf(_SC_PAGESIZE), before = (uintptr_t)p % page;

	if (n >= LARGE)
		madvise(p - before, before + n, MADV_HUGEPAGE);
#endif
}

/* Room for so many characters more.  Grown by a quarter and not by half, to stay near the token's size. */
static void
make_room(struct fernet_token *t, size_t len)
{
	size_t want = t->len + BASE64URL_ROOM(len);

	if (want <= t->cap)
		return;
	t->cap += t->cap / 4;
	if (t->cap < want)
		t->cap = want + FIRST_ROOM;
	t->raw = xrealloc(t->raw, t->cap, 1);
	use_large_pages(t->raw, t->cap);
}

/* The last bytes so far may be the MAC, which is not signed. */
static void
sign_read(struct fernet_token *t)
{
	if (t->len < t->signed_to + MAC)
		return;

	size_t n = t->len - MAC - t->signed_to;

	must(EVP_MAC_update(t->mac, t->raw + t->signed_to, n));
	t->signed_to += n;
}

/* Four characters that base64url_decode() did not take. */
static const char *
end_group(struct fernet_token *t)
{
	size_t n = base64url_decode_last(t->raw + t->len, t->last);

	if (n == 0)
		return wrong(t, "the four characters up to character %llu are no base64url", t->at);
	t->len += n;
	t->n_last = 0;
	t->ended = n < 3;
	return NULL;
}

static bool
is_white(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static const char *
add_char(struct fernet_token *t, char c)
{
	t->at++;
	if (is_white(c)) {
		t->ended = t->ended || t->len + t->n_last > 0;
		return NULL;
	}
	if (t->ended)
		return wrong(t, "character %llu follows the end of the token: a token is one piece, without white space in it", t->at);
	if (c != '=' && !base64url_has(c))
		return wrong(t, "character %llu is no base64url", t->at);
	t->last[t->n_last++] = c;
	return t->n_last == 4 ? end_group(t) : NULL;
}

const char *
fernet_token_add(struct fernet_token *t, struct str text)
{
	const char *p = text.p, *end = p + text.n, *why;

	while (p < end) {
		size_t len = (size_t)(end - p) / 4 * 4, took = 0;

		if (len > PIECE)
			len = PIECE;
		make_room(t, len + 4);
		if (t->n_last == 0 && !t->ended)
			took = base64url_decode(t->raw + t->len, p, len);
		t->len += took / 4 * 3;
		t->at += took;
		p += took;
		sign_read(t);
		if (took == 0 && (why = add_char(t, *p++)) != NULL)
			return why;
	}
	return NULL;
}

static const char *
check_form(struct fernet_token *t)
{
	if (t->n_last > 0)
		return wrong(t, "the token is cut: its length is no multiple of 4");
	if (t->len == 0)
		return wrong(t, "no token: the input is empty");
	if (t->raw[0] != VERSION_BYTE)
		return wrong(t, "no Fernet token: it starts with 0x%02x where version 0x80 is due", t->raw[0]);
	if (t->len >= HEAD + MAC && (t->len - HEAD - MAC) % BLOCK != 0)
		return wrong(t, "the message is no whole number of blocks: is the token cut?");
	if (t->len < SHORTEST)
		return wrong(t, "too short: %zu bytes where a token has %d at least: is it cut?", t->len, SHORTEST);
	return NULL;
}

/* The keys in turn, the first of which has come this far while the token came in. */
static bool
find_key(struct fernet_token *t)
{
	const unsigned char *theirs = t->raw + t->len - MAC;
	unsigned char ours[MAC];

	sign_read(t);
	for (t->key = 0; t->key < t->n_keys; t->key++) {
		if (t->key > 0) {
			mac_start(t->mac, &t->keys[t->key]);
			must(EVP_MAC_update(t->mac, t->raw, t->len - MAC));
		}
		mac_end(t->mac, ours);
		if (CRYPTO_memcmp(ours, theirs, MAC) == 0)
			return true;
	}
	return false;
}

/* In differences that cannot overflow: the time may be any. */
static const char *
check_age(struct fernet_token *t, double ttl, uint64_t now)
{
	uint64_t made = fernet_token_made(t);

	if (ttl < 0)
		return NULL;
	if (made > now && made - now > FERNET_SKEW)
		return wrong(t, "made %llu s in the future: is a clock wrong?", (unsigned long long)(made - now));
	if (made < now && (double)(now - made) > ttl)
		return wrong(t, "expired: %llu s old, and %g allowed", (unsigned long long)(now - made), ttl);
	return NULL;
}

/* CBC gives the last block away by itself, so that the padding is known before any of the message is out. */
static const char *
check_padding(struct fernet_token *t)
{
	const unsigned char *last = t->raw + t->len - MAC - BLOCK;
	EVP_CIPHER_CTX *aes = aes_open(&t->keys[t->key], last - BLOCK, false);
	unsigned char plain[BLOCK];

	decrypt(aes, plain, last, BLOCK);
	EVP_CIPHER_CTX_free(aes);

	unsigned n = plain[BLOCK - 1];
	bool good = n >= 1 && n <= BLOCK;

	for (unsigned i = 1; good && i <= n; i++)
		good = plain[BLOCK - i] == n;
	fernet_wipe(plain, sizeof plain);
	if (!good)
		return wrong(t, "the key fits, but the message's padding is wrong: whoever made the token made it wrong");
	t->end = t->len - MAC - n;
	return NULL;
}

const char *
fernet_token_check(struct fernet_token *t, double ttl, uint64_t now)
{
	const char *why = check_form(t);

	if (why != NULL)
		return why;
	if (!find_key(t))
		return wrong(t, "wrong key or altered token");
	if ((why = check_age(t, ttl, now)) != NULL || (why = check_padding(t)) != NULL)
		return why;
	t->aes = aes_open(&t->keys[t->key], t->raw + HEAD - FERNET_IV, false);
	t->next = HEAD;
	return NULL;
}

uint64_t
fernet_token_made(const struct fernet_token *t)
{
	uint64_t made = 0;

	for (size_t i = 1; i <= 8; i++)
		made = made << 8 | t->raw[i];
	return made;
}

size_t
fernet_token_key(const struct fernet_token *t)
{
	return t->key;
}

struct str
fernet_token_next(struct fernet_token *t)
{
	size_t blocks = t->len - MAC - t->next, n = blocks < PIECE ? blocks : PIECE, start = t->next;

	if (start >= t->end)
		return STR("");
	decrypt(t->aes, t->plain, t->raw + start, n);
	t->next += n;
	return (struct str){ (const char *)t->plain, (t->next < t->end ? t->next : t->end) - start };
}

void
fernet_token_close(struct fernet_token *t)
{
	EVP_CIPHER_CTX_free(t->aes);
	EVP_MAC_CTX_free(t->mac);
	fernet_wipe(t->plain, sizeof t->plain);
	free(t->raw);
	free(t);
}
