/* s3/object.c - bytes that become one object by one PUT. */
#include "s3/object.h"

#include <openssl/evp.h>
#include <stdio.h>

#include "base/hex.h"

#define CHECKSUM "x-amz-checksum-sha256"

struct str
s3_without_quotes(struct str etag)
{
	return etag.n >= 2 && etag.p[0] == '"' && etag.p[etag.n - 1] == '"' ? (struct str){ etag.p + 1, etag.n - 2 } : etag;
}

bool
s3_is_md5(const struct http_reply *reply, struct str etag)
{
	const char *kms = http_header(reply, "x-amz-server-side-encryption");
	const char *own = http_header(reply, "x-amz-server-side-encryption-customer-algorithm");

	if (etag.n != 32 || own != NULL || (kms != NULL && strncmp(kms, "aws:kms", 7) == 0))
		return false;
	for (size_t i = 0; i < etag.n; i++)
		if (strchr("0123456789abcdef", etag.p[i]) == NULL)
			return false;
	return true;
}

bool
s3_md5(char hex[33], struct str bytes)
{
	static EVP_MD_CTX *ctx;
	unsigned char raw[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (ctx == NULL && (ctx = EVP_MD_CTX_new()) == NULL)
		die(EX_OSERR, "out of memory");
	if (EVP_DigestInit_ex(ctx, EVP_md5(), NULL) != 1 || EVP_DigestUpdate(ctx, bytes.p, bytes.n) != 1 ||
	    EVP_DigestFinal_ex(ctx, raw, &n) != 1)
		return false;
	hex_put_text(hex, raw, n);
	return true;
}

size_t
s3_target_headers(const struct s3_target *to, const char *headers[S3_HEADERS])
{
	size_t n = 0;

	for (; to->headers != NULL && to->headers[n] != NULL; n++)
		headers[n] = to->headers[n];
	headers[n] = NULL;
	return n;
}

/* NULL where the answer is about these very bytes, or does not say. */
static const char *
compare(const struct s3_put *put, const struct http_reply *reply, struct buf *why)
{
	const char *checksum = http_header(reply, CHECKSUM), *etag = http_header(reply, "ETag");
	struct buf ours = { 0 };
	char md5[33];
	bool same = true;

	buf_reset(why);
	if (checksum != NULL) {
		s3_checksum(&ours, put->sha256);
		same = strcmp(ours.p, checksum) == 0;
		buf_fmt(why, "S3 has other bytes than were sent: SHA-256 %.80s, not %s", checksum, ours.p);
	} else if (etag != NULL && put->body.p != NULL && s3_is_md5(reply, s3_without_quotes(str_of(etag))) &&
	    s3_md5(md5, put->body)) {
		same = str_eq(s3_without_quotes(str_of(etag)), str_of(md5));
		buf_fmt(why, "S3 has other bytes than were sent: ETag %.80s, not \"%s\"", etag, md5);
	}
	buf_free(&ours);
	return same ? NULL : why->p;
}

static const char *
check_put(struct http_reply *reply, void *arg)
{
	struct s3_put *put = arg;

	return compare(put, reply, &put->why);
}

static void
hash(struct s3_put *put)
{
	if (!put->hashed)
		sigv4_hash(put->sha256, put->body);
	put->hashed = true;
}

struct http_reply *
s3_put_start(struct s3 *s3, struct s3_put *put)
{
	const char *headers[S3_HEADERS + 3];
	size_t n = s3_target_headers(put->to, headers);
	struct buf checksum = { 0 };

	hash(put);
	put->checksum = put->to->checksums;
	if (put->checksum) {
		buf_text(&checksum, CHECKSUM ": ");
		s3_checksum(&checksum, put->sha256);
		headers[n++] = checksum.p;
	}
	if (put->to->if_none_match)
		headers[n++] = "If-None-Match: *";
	headers[n] = NULL;

	struct http_reply *reply = s3_start(s3, &(struct s3_request){ .bucket = put->to->bucket, .key = put->key,
	    .headers = headers, .hash = put->sha256, .how = { .method = "PUT", .body = put->body, .file = put->file,
	    .check = check_put, .arg = put } });

	buf_free(&checksum);
	return reply;
}

struct http_reply *
s3_put_look(struct s3 *s3, struct s3_put *put)
{
	/* A HEAD has no body that would say more.  What is to be mended, the PUT will meet too, and be told about. */
	static const short no[] = { 301, 307, 400, 401, 403, 404, 405, 0 };
	static const char *const headers[] = { "x-amz-checksum-mode: ENABLED", NULL };

	hash(put);
	return s3_start(s3, &(struct s3_request){ .bucket = put->to->bucket, .key = put->key,
	    .headers = put->to->checksums ? headers : NULL, .how = { .method = "HEAD", .claims = no } });
}

bool
s3_is_there(const struct http_reply *head)
{
	return head->status == 200;
}

bool
s3_put_is_there(const struct s3_put *put, const struct http_reply *head)
{
	struct buf why = { 0 };
	const char *etag = http_header(head, "ETag");
	bool told = http_header(head, CHECKSUM) != NULL || (etag != NULL && s3_is_md5(head, s3_without_quotes(str_of(etag))));
	bool same = s3_is_there(head) && told && compare(put, head, &why) == NULL;

	buf_free(&why);
	return same;
}

bool
s3_checksum_refused(struct s3_target *to, bool sent, const struct http_reply *reply)
{
	static const char *const codes[] = { "NotImplemented", "XNotImplemented", "InvalidArgument", "InvalidRequest", "UnsupportedHeader",
		NULL };

	for (size_t i = 0; sent && (reply->status == 400 || reply->status == 501) && codes[i] != NULL; i++)
		if (s3_error_is(reply, codes[i])) {
			to->checksums = false;
			return true;
		}
	return false;
}
