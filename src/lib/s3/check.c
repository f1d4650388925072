/* s3/check.c - is what came what was stored? */
#include "s3/check.h"

#include <openssl/evp.h>
#include <zlib.h>

/* The polynomials of RFC 3720 and NVMe, bits reversed.  No library of Debian 12 has the second one. */
#define CRC32C 0x82f63b78
#define CRC64NVME 0x9a6c9329ac4bc9b5

/* Eight bytes at a time, a GiB in a second, which is quicker than they come: slice[k][b] is what
 * byte b does to the rest when k bytes follow it. */
static uint64_t slice[8][256];
static uint64_t sliced_for;

static void
make_slices(uint64_t polynomial)
{
	if (sliced_for == polynomial)
		return;
	for (unsigned b = 0; b < 256; b++) {
		slice[0][b] = b;
		for (int bit = 0; bit < 8; bit++)
			slice[0][b] = slice[0][b] >> 1 ^ (slice[0][b] & 1 ? polynomial : 0);
	}
	for (unsigned k = 1; k < 8; k++)
		for (unsigned b = 0; b < 256; b++)
			slice[k][b] = slice[k - 1][b] >> 8 ^ slice[0][slice[k - 1][b] & 255];
	sliced_for = polynomial;
}

static uint64_t
add_crc(uint64_t crc, const unsigned char *p, size_t n)
{
	for (; n >= 8; p += 8, n -= 8) {
		for (unsigned i = 0; i < 8; i++)
			crc ^= (uint64_t)p[i] << 8 * i;
		crc = slice[7][crc & 255] ^ slice[6][crc >> 8 & 255] ^ slice[5][crc >> 16 & 255] ^ slice[4][crc >> 24 & 255] ^
		    slice[3][crc >> 32 & 255] ^ slice[2][crc >> 40 & 255] ^ slice[1][crc >> 48 & 255] ^ slice[0][crc >> 56];
	}
	for (; n > 0; p++, n--)
		crc = crc >> 8 ^ slice[0][(crc ^ *p) & 255];
	return crc;
}

/* What S3 may tell of, and how it is worked out. */
static const struct { const char *name, *header; enum s3_check_kind kind; int len; } known[] = {
	{ "crc64nvme", "x-amz-checksum-crc64nvme", S3_CHECK_CRC64NVME, 8 },
	{ "crc32", "x-amz-checksum-crc32", S3_CHECK_CRC32, 4 },
	{ "crc32c", "x-amz-checksum-crc32c", S3_CHECK_CRC32C, 4 },
	{ "sha256", "x-amz-checksum-sha256", S3_CHECK_DIGEST, 32 },
	{ "sha1", "x-amz-checksum-sha1", S3_CHECK_DIGEST, 20 },
};

/* Base64 of LEN bytes into want; -1 in its place where it is none. */
static int
decode(unsigned char *want, const char *text, int len)
{
	size_t n = strlen(text), pad = n > 1 ? (text[n - 1] == '=') + (text[n - 2] == '=') : 0;

	if (n != (size_t)(len + 2) / 3 * 4 || EVP_DecodeBlock(want, (const unsigned char *)text, (int)n) - (int)pad != len)
		return -1;
	return len;
}

void
s3_check_start(struct s3_check *c, const struct http_reply *reply)
{
	const char *type = http_header(reply, "x-amz-checksum-type"), *text = NULL;
	size_t i;

	c->kind = S3_CHECK_NONE;
	if (type != NULL && strcmp(type, "COMPOSITE") == 0)
		return;
	for (i = 0; i < sizeof known / sizeof *known; i++)
		if ((text = http_header(reply, known[i].header)) != NULL && strchr(text, '-') == NULL)
			break;
	if (i == sizeof known / sizeof *known)
		return;
	c->kind = known[i].kind;
	c->name = known[i].name;
	c->len = decode(c->want, text, known[i].len);
	c->crc = c->kind == S3_CHECK_CRC64NVME ? ~0ULL : c->kind == S3_CHECK_CRC32C ? 0xffffffff : 0;
	if (c->kind == S3_CHECK_CRC64NVME || c->kind == S3_CHECK_CRC32C)
		make_slices(c->kind == S3_CHECK_CRC32C ? CRC32C : CRC64NVME);
	if (c->kind != S3_CHECK_DIGEST)
		return;
	if (c->digest == NULL && (c->digest = EVP_MD_CTX_new()) == NULL)
		die(EX_OSERR, "out of memory");
	if (!EVP_DigestInit_ex(c->digest, known[i].len == 32 ? EVP_sha256() : EVP_sha1(), NULL))
		c->kind = S3_CHECK_NONE;        /* a build of OpenSSL that forbids SHA-1 */
}

void
s3_check_add(struct s3_check *c, struct str bytes)
{
	switch (c->kind) {
	case S3_CHECK_NONE:
		break;
	case S3_CHECK_CRC32:
		c->crc = crc32_z(c->crc, (const unsigned char *)bytes.p, bytes.n);
		break;
	case S3_CHECK_CRC32C: case S3_CHECK_CRC64NVME:
		c->crc = add_crc(c->crc, (const unsigned char *)bytes.p, bytes.n);
		break;
	case S3_CHECK_DIGEST:
		EVP_DigestUpdate(c->digest, bytes.p, bytes.n);
	}
}

bool
s3_check_end(struct s3_check *c)
{
	unsigned char got[EVP_MAX_MD_SIZE];
	uint64_t crc = c->crc;

	if (c->kind == S3_CHECK_NONE)
		return true;
	if (c->len < 0)
		return false;
	if (c->kind == S3_CHECK_DIGEST)
		EVP_DigestFinal_ex(c->digest, got, NULL);
	else if (c->kind != S3_CHECK_CRC32)
		crc = ~crc;
	for (int i = 0; c->kind != S3_CHECK_DIGEST && i < c->len; i++)
		got[i] = (unsigned char)(crc >> 8 * (c->len - 1 - i));
	return memcmp(got, c->want, (size_t)c->len) == 0;
}

void
s3_check_free(struct s3_check *c)
{
	EVP_MD_CTX_free(c->digest);
	*c = (struct s3_check){ 0 };
}
