/*
 * s3/sigv4.c - AWS Signature Version 4, for the Authorization header.
 *
 * A run signs thousands of requests a second with one key, so the signing key is derived once a day, and what OpenSSL
 * fetches and allocates is kept: of its ways, this is the quickest by a factor of three to five.
 */
#include "s3/sigv4.h"

#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "base/hex.h"
#include "base/memory.h"

#define SHA 32                  /* bytes */
#define DATE 8                  /* bytes of a time that are its date */

struct header { struct str name, value; };
struct headers { struct header *h; size_t n, cap; };

/* Kept from request to request. */
static struct {
	EVP_MD *sha256;
	EVP_MD_CTX *digest;
	EVP_MAC_CTX *mac;
	struct buf key_of;              /* the mac holds the signing key of this date, scope and secret */
	struct headers headers;
	struct buf canonical, names, to_sign;
} kept;

static void
must(int worked)
{
	if (!worked)
		die(EX_SOFTWARE, "OpenSSL refuses SHA-256: is this a build or a configuration without it?");
}

static void
open_crypto(void)
{
	EVP_MAC *hmac;
	char digest[] = "SHA256";
	OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string("digest", digest, 0), OSSL_PARAM_construct_end() };

	if (kept.mac != NULL)
		return;
	memory_of_openssl();
	must((kept.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL)) != NULL);
	must((kept.digest = EVP_MD_CTX_new()) != NULL);
	must((hmac = EVP_MAC_fetch(NULL, "HMAC", NULL)) != NULL);
	must((kept.mac = EVP_MAC_CTX_new(hmac)) != NULL);
	must(EVP_MAC_CTX_set_params(kept.mac, params));
	EVP_MAC_free(hmac);             /* the context holds it */
}

void
sigv4_hash(char hex[SIGV4_HEX], struct str bytes)
{
	unsigned char raw[SHA];

	open_crypto();
	must(EVP_DigestInit_ex2(kept.digest, kept.sha256, NULL));
	must(EVP_DigestUpdate(kept.digest, bytes.p, bytes.n));
	must(EVP_DigestFinal_ex(kept.digest, raw, NULL));
	hex_put_text(hex, raw, SHA);
}

void
sigv4_time(char out[SIGV4_TIME], double skew)
{
	struct timespec now;
	struct tm utc;
	time_t t;

	clock_gettime(CLOCK_REALTIME, &now);
	t = (time_t)((double)now.tv_sec + now.tv_nsec / 1e9 + skew);
	gmtime_r(&t, &utc);
	strftime(out, SIGV4_TIME, "%Y%m%dT%H%M%SZ", &utc);
}

/* The signing key */

/* HMAC of the text; key p NULL: the one that the mac has. */
static void
sign(unsigned char out[SHA], struct str key, struct str text)
{
	size_t n;

	must(EVP_MAC_init(kept.mac, (const unsigned char *)key.p, key.n, NULL));
	must(EVP_MAC_update(kept.mac, (const unsigned char *)text.p, text.n));
	must(EVP_MAC_final(kept.mac, out, &n, SHA) && n == SHA);
}

/* Leaves the mac with the signing key of that day. */
static void
take_key(struct str date, const struct sigv4_scope *s)
{
	static struct buf wanted;
	unsigned char step[SHA];
	struct str key = { (const char *)step, SHA };

	buf_reset(&wanted);
	buf_str(&wanted, date);
	buf_fmt(&wanted, "\n%s\n%s\n", s->region, s->service);
	buf_fmt(&wanted, "AWS4%s", s->secret);
	if (str_eq(buf_all(&wanted), buf_all(&kept.key_of)))
		return;

	size_t secret = wanted.len - strlen(s->secret) - strlen("AWS4");

	sign(step, (struct str){ wanted.p + secret, wanted.len - secret }, date);
	sign(step, key, str_of(s->region));
	sign(step, key, str_of(s->service));
	sign(step, key, STR("aws4_request"));
	must(EVP_MAC_init(kept.mac, step, SHA, NULL));
	buf_reset(&kept.key_of);
	buf_str(&kept.key_of, buf_all(&wanted));
}

/* The canonical request */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static int
compare_names(struct str a, struct str b)
{
	int order = strncasecmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return order != 0 ? order : (a.n > b.n) - (a.n < b.n);
}

/* By name; those of one name stay in their order, for their values are joined. */
static void
sort_headers(struct headers *to, const char *const *from)
{
	to->n = 0;
	for (; *from != NULL; from++) {
		const char *colon = strchr(*from, ':');
		struct header h;
		size_t i;

		if (colon == NULL)
			die(EX_SOFTWARE, "a header without a colon can't be signed");
		if (to->n == to->cap)
			to->h = xrealloc(to->h, to->cap = 2 * to->cap + 16, sizeof *to->h);
		h = (struct header){ { *from, (size_t)(colon - *from) }, str_of(colon + 1) };
		for (i = to->n++; i > 0 && compare_names(to->h[i - 1].name, h.name) > 0; i--)
			to->h[i] = to->h[i - 1];
		to->h[i] = h;
	}
}

static void
put_lower(struct buf *b, struct str name)
{
	for (size_t i = 0; i < name.n; i++)
		buf_char(b, name.p[i] >= 'A' && name.p[i] <= 'Z' ? (char)(name.p[i] | 0x20) : name.p[i]);
}

/* Without blanks around it, and each run of them one space. */
static void
put_value(struct buf *b, struct str value)
{
	while (value.n > 0 && is_blank(value.p[value.n - 1]))
		value.n--;
	while (value.n > 0 && is_blank(*value.p))
		value.p++, value.n--;
	for (size_t i = 0; i < value.n; i++)
		if (!is_blank(value.p[i]))
			buf_char(b, value.p[i]);
		else if (!is_blank(value.p[i + 1]))
			buf_char(b, ' ');
}

/* Appends "name:value\n" of each, and fills NAMES: "host;x-amz-date". */
static void
put_headers(struct buf *b, struct buf *names, const struct headers *headers)
{
	for (size_t i = 0; i < headers->n; i++) {
		const struct header *h = &headers->h[i];

		if (i > 0 && compare_names(h[-1].name, h->name) == 0) {
			b->p[--b->len] = ',';           /* in place of the line's end */
			b->len++;
		} else {
			put_lower(b, h->name);
			buf_char(b, ':');
			if (names->len > 0)
				buf_char(names, ';');
			put_lower(names, h->name);
		}
		put_value(b, h->value);
		buf_char(b, '\n');
	}
}

/* The request, and NAMES of the headers in it. */
static void
put_request(struct buf *b, struct buf *names, const struct sigv4_request *r)
{
	buf_reset(names);
	sort_headers(&kept.headers, r->headers);
	buf_text(b, r->method);
	buf_char(b, '\n');
	buf_str(b, r->path.n > 0 ? r->path : STR("/"));
	buf_char(b, '\n');
	buf_str(b, r->query);
	buf_char(b, '\n');
	put_headers(b, names, &kept.headers);
	buf_char(b, '\n');
	buf_str(b, buf_all(names));
	buf_char(b, '\n');
	buf_text(b, r->payload);
}

void
sigv4_canonical(struct buf *b, const struct sigv4_request *r)
{
	put_request(b, &kept.names, r);
}

void
sigv4_sign(struct buf *out, const struct sigv4_request *r, const struct sigv4_scope *s)
{
	struct str date = { r->time, DATE };
	unsigned char raw[SHA];
	char hex[SIGV4_HEX];

	open_crypto();
	buf_reset(&kept.canonical);
	buf_reset(&kept.to_sign);
	put_request(&kept.canonical, &kept.names, r);
	sigv4_hash(hex, buf_all(&kept.canonical));
	buf_fmt(&kept.to_sign, "AWS4-HMAC-SHA256\n%s\n%.8s/%s/%s/aws4_request\n%s", r->time, date.p, s->region, s->service, hex);
	take_key(date, s);
	sign(raw, (struct str){ NULL, 0 }, buf_all(&kept.to_sign));
	hex_put_text(hex, raw, SHA);
	buf_fmt(out, "AWS4-HMAC-SHA256 Credential=%s/%.8s/%s/%s/aws4_request, SignedHeaders=%s, Signature=%s", s->key, date.p,
	    s->region, s->service, kept.names.p, hex);
}
