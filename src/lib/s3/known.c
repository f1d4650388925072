/* s3/known.c - what a run knows of objects: a hash table, open addressing. */
#include "s3/known.h"

#include <openssl/evp.h>
#include <stdlib.h>

#define LEAST 1024              /* places: a power of 2, as all sizes are */

struct s3_known_key { uint64_t key, content; };         /* the lowest bit of content: put */

uint64_t
s3_key_hash(struct str key)
{
	/* Keyed by nothing, but of a digest: who chooses keys can't choose them to collide. */
	static EVP_MD_CTX *ctx;
	unsigned char raw[EVP_MAX_MD_SIZE];
	uint64_t hash;

	if (ctx == NULL && (ctx = EVP_MD_CTX_new()) == NULL)
		die(EX_OSERR, "out of memory");
	if (EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1 || EVP_DigestUpdate(ctx, key.p, key.n) != 1 ||
	    EVP_DigestFinal_ex(ctx, raw, NULL) != 1)
		die(EX_SOFTWARE, "OpenSSL refuses SHA-256");
	memcpy(&hash, raw, sizeof hash);
	return hash != 0 ? hash : 1;
}

uint64_t
s3_content_hash(struct str md5)
{
	char first[17] = { 0 };
	uint64_t hash;

	if (md5.n != 32)
		return 0;
	memcpy(first, md5.p, 16);
	if (strspn(first, "0123456789abcdef") != 16)
		return 0;
	hash = strtoull(first, NULL, 16) & ~(uint64_t)1;
	return hash != 0 ? hash : 2;
}

/* Where the key is, or would be. */
static struct s3_known_key *
find(const struct s3_known *known, uint64_t key)
{
	size_t i = key & (known->cap - 1);

	while (known->key[i].key != 0 && known->key[i].key != key)
		i = (i + 1) & (known->cap - 1);
	return &known->key[i];
}

bool
s3_known_get(const struct s3_known *known, uint64_t key, uint64_t *content, bool *put)
{
	const struct s3_known_key *k = known->cap > 0 ? find(known, key) : NULL;

	if (k == NULL || k->key == 0)
		return false;
	*content = k->content & ~(uint64_t)1;
	*put = k->content & 1;
	return true;
}

static void
grow(struct s3_known *known)
{
	struct s3_known old = *known;

	known->cap = old.cap > 0 ? 2 * old.cap : LEAST;
	known->key = xcalloc(known->cap, sizeof *known->key);
	for (size_t i = 0; i < old.cap; i++)
		if (old.key[i].key != 0)
			*find(known, old.key[i].key) = old.key[i];
	free(old.key);
}

bool
s3_known_set(struct s3_known *known, uint64_t key, uint64_t content, bool put)
{
	struct s3_known_key *k;

	if (known->n >= known->cap / 5 * 4 && known->n < S3_KNOWN)
		grow(known);
	k = find(known, key);
	if (k->key == 0 && known->n >= S3_KNOWN)
		return false;
	known->n += k->key == 0;
	*k = (struct s3_known_key){ key, content | put };
	return true;
}

void
s3_known_free(struct s3_known *known)
{
	free(known->key);
	*known = (struct s3_known){ 0 };
}
