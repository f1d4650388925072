/*
 * fuzz-listing - any bytes as a page of a listing of S3: it is no page, or its entries have keys and sizes, lie in the page's
 * own text, and it says where the next page starts if there is one.
 */
#include <stdint.h>
#include <stdlib.h>

/* What is behind a listing; none of it is called. */
#include "s3/listing.c"

#define CHECK(x) do { if (!(x)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct http *s3_http(struct s3 *s3) { (void)s3; abort(); }
struct http_reply *s3_start(struct s3 *s3, const struct s3_request *r) { (void)s3, (void)r; abort(); }
void s3_done(struct s3 *s3, struct http_reply *reply) { (void)s3, (void)reply; abort(); }
const char *s3_bad_key(struct str key) { (void)key; abort(); }
void http_wait(struct http *http, struct http_reply *reply) { (void)http, (void)reply; abort(); }

static void
check_inside(const struct page *page, struct str s)
{
	CHECK(s.p >= page->text.p && s.p + s.n <= page->text.p + page->text.len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct page page;                /* as in a run: one after the other */
	struct http_reply reply = { 0 };
	struct buf query = { 0 };
	struct s3_query q = { .bucket = "bucket" };

	buf_add(&reply.body, data, n);
	if (check_page(&reply, &page) == NULL) {
		CHECK(page.told);
		for (size_t i = 0; i < page.n; i++) {
			struct s3_object o = object_of(&page, &page.entry[i]);

			CHECK(o.key.n > 0 && o.size < 1000000000000000000ULL);
			check_inside(&page, o.key);
			check_inside(&page, o.etag);
			check_inside(&page, o.last_modified);
			check_inside(&page, o.storage_class);
			utf8_check(o.key.p, o.key.p + o.key.n);
		}
		if (page.more) {
			object_query(&query, &page, &q);
			upload_query(&query, &page, &(struct str){ "", 0 });
			CHECK(strstr(query.p, "continuation-token=") != NULL || strstr(query.p, "key-marker=") != NULL);
		}
	}
	buf_free(&query);
	buf_free(&reply.body);
	return 0;
}
