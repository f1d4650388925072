/* s3/listing.c - what is in a bucket. */
#include "s3/listing.h"

#include <errno.h>
#include <stdlib.h>

#include "format/date.h"
#include "format/json.h"
#include "format/xml.h"

#define PAGE_KEYS 1000          /* the most that S3 gives in a page */
#define MOST_STANDING 100       /* pages */

/* Texts of an element, as offsets into the page's text, which grows. */
struct part { size_t at, n; };
struct entry { struct part key, etag, modified, size, storage_class, id; bool is_prefix; };

/* One page, read.  The fields of an element come in any order, and its end last. */
struct page {
	struct buf text;
	struct entry *entry, now;
	size_t n, cap;
	struct part token, key_marker, id_marker;       /* where the next page starts */
	bool more, told, encoded;                       /* told: it says whether there is more */
};

static struct part
keep(struct page *page, struct str text)
{
	struct part part = { page->text.len, text.n };

	buf_str(&page->text, text);
	buf_char(&page->text, '\0');
	return part;
}

static struct str
text_of(const struct page *page, struct part part)
{
	return (struct str){ page->text.p + part.at, part.n };
}

static void
add_entry(struct page *page, bool is_prefix)
{
	if (page->n == page->cap) {
		page->cap = page->cap > 0 ? 2 * page->cap : 1000;
		page->entry = xrealloc(page->entry, page->cap, sizeof *page->entry);
	}
	page->now.is_prefix = is_prefix;
	page->entry[page->n++] = page->now;
	page->now = (struct entry){ 0 };
}

static void
take_element(const char *path, struct str text, void *arg)
{
	static const struct { const char *path; size_t at; } fields[] = {
		{ "Contents/Key", offsetof(struct entry, key) }, { "Contents/ETag", offsetof(struct entry, etag) },
		{ "Contents/LastModified", offsetof(struct entry, modified) }, { "Contents/Size", offsetof(struct entry, size) },
		{ "Contents/StorageClass", offsetof(struct entry, storage_class) },
		{ "CommonPrefixes/Prefix", offsetof(struct entry, key) },
		{ "Upload/Key", offsetof(struct entry, key) }, { "Upload/UploadId", offsetof(struct entry, id) },
		{ "Upload/Initiated", offsetof(struct entry, modified) },
	};
	struct page *page = arg;

	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		if (strcmp(path, fields[i].path) == 0) {
			*(struct part *)(void *)((char *)&page->now + fields[i].at) = keep(page, text);
			return;
		}
	if (strcmp(path, "Contents") == 0 || strcmp(path, "Upload") == 0) {
		add_entry(page, false);
	} else if (strcmp(path, "CommonPrefixes") == 0) {
		add_entry(page, true);
	} else if (strcmp(path, "IsTruncated") == 0) {
		page->told = true;
		page->more = str_eq(text, STR("true"));
	} else if (strcmp(path, "EncodingType") == 0) {
		page->encoded = str_eq(text, STR("url"));
	} else if (strcmp(path, "NextContinuationToken") == 0) {
		page->token = keep(page, text);
	} else if (strcmp(path, "NextKeyMarker") == 0) {
		page->key_marker = keep(page, text);
	} else if (strcmp(path, "NextUploadIdMarker") == 0) {
		page->id_marker = keep(page, text);
	}
}

/* Undoes encoding-type=url in place: %XX, and + for a space, since that is how the vendors' own tools read it. */
static void
decode(struct page *page, struct part *part)
{
	char *to = page->text.p + part->at, *start = to;
	const char *p = to, *end = to + part->n;

	for (; p < end; p++) {
		char pair[3] = { 0 }, *stop;
		unsigned long c;

		if (*p == '+') {
			*to++ = ' ';
		} else if (*p == '%' && end - p > 2) {
			memcpy(pair, p + 1, 2);
			c = strtoul(pair, &stop, 16);
			if (stop == pair + 2)
				p += 2;
			*to++ = stop == pair + 2 ? (char)c : '%';
		} else {
			*to++ = *p;
		}
	}
	part->n = (size_t)(to - start);
}

static void
reset_page(struct page *page)
{
	buf_reset(&page->text);
	page->n = 0;
	page->now = (struct entry){ 0 };
	page->token = page->key_marker = page->id_marker = (struct part){ 0, 0 };
	page->more = page->told = page->encoded = false;
}

/* What is wrong with an entry, or NULL. */
static const char *
check_entry(const struct page *page, const struct entry *e)
{
	struct str size = text_of(page, e->size);

	if (e->key.n == 0)
		return "the listing has an entry without a key";
	if (size.n > 18 || strspn(size.p, "0123456789") < size.n)
		return "the listing has an object whose size is no number";
	return NULL;
}

/* A check: the body is a whole page.  Reads it, so that it is read once. */
static const char *
check_page(struct http_reply *reply, void *arg)
{
	struct page *page = arg;
	struct buf root = { 0 };
	const char *why;
	bool listing;

	reset_page(page);
	buf_char(&page->text, '\0');    /* what an element that is not there points to */
	why = xml_read(buf_all(&reply->body), &root, take_element, page);
	listing = root.len > 0 && (strcmp(root.p, "ListBucketResult") == 0 || strcmp(root.p, "ListMultipartUploadsResult") == 0);
	buf_free(&root);
	if (why != NULL)
		return why;
	if (!listing || !page->told)
		return "the answer is no listing";
	if (page->more && page->token.n == 0 && page->key_marker.n == 0)
		return "the listing goes on, but does not say where";
	for (size_t i = 0; i < page->n && why == NULL; i++) {
		if (page->encoded)
			decode(page, &page->entry[i].key);
		why = check_entry(page, &page->entry[i]);
	}
	if (page->encoded)
		decode(page, &page->key_marker);
	return why;
}

static void
add_parameter(struct buf *query, const char *name, struct str value)
{
	if (value.n == 0)
		return;
	buf_fmt(query, "%s%s=", query->len > 0 ? "&" : "", name);
	buf_percent(query, value);
}

struct lister {
	struct s3 *s3;
	const char *bucket;
	struct page pages[2];           /* the one that is given out, and the next */
	struct http_reply *reply;       /* of the next */
	unsigned long long pages_read;
	int standing;                   /* pages in a row that were empty and led to themselves */
	struct buf query;
};

static void
ask(struct lister *l, struct page *into)
{
	struct buf what = { 0 };

	buf_fmt(&what, "page %llu of the listing", l->pages_read + 1);

	struct s3_request request = { .bucket = l->bucket, .query = l->query.p,
		.how = { .check = check_page, .arg = into, .what = what.p } };

	l->reply = s3_start(l->s3, &request);
	buf_free(&what);
}

static struct page *
next_page(struct lister *l)
{
	struct page *page = &l->pages[l->pages_read % 2];

	http_wait(s3_http(l->s3), l->reply);
	s3_done(l->s3, l->reply);
	l->reply = NULL;
	l->pages_read++;
	return page;
}

/* Asks for the page after this one, if there is one.  A token that comes again would have us go round for ever; with an empty page
 * it may be a server that looks for keys and says that it has not found any yet. */
static void
ask_further(struct lister *l, const struct page *page, void (*query)(struct buf *, const struct page *, void *), void *arg)
{
	struct buf before = l->query;

	if (!page->more)
		return;
	l->query = (struct buf){ 0 };
	query(&l->query, page, arg);
	l->standing = str_eq(buf_all(&before), buf_all(&l->query)) ? l->standing + 1 : 0;
	if (l->standing > (page->n > 0 ? 0 : MOST_STANDING))
		die(EX_PROTOCOL, "s3://%s: page %llu of the listing repeats itself", l->bucket, l->pages_read + 1);
	buf_free(&before);
	ask(l, &l->pages[l->pages_read % 2]);
}

static void
free_lister(struct lister *l)
{
	if (l->reply != NULL)
		s3_done(l->s3, l->reply);
	for (size_t i = 0; i < 2; i++) {
		buf_free(&l->pages[i].text);
		free(l->pages[i].entry);
	}
	buf_free(&l->query);
}

/* What cannot become text of a record, or be asked for, is no key: S3 has none such, but what looks like S3 may. */
static void
check_key(const struct lister *l, struct str key)
{
	if (utf8_check(key.p, key.p + key.n) != NULL || s3_bad_key(key) != NULL)
		die(EX_PROTOCOL, "s3://%s: the listing has a key that is none: \"%.*s\"", l->bucket, (int)key.n, key.p);
}

/* Objects: ListObjectsV2 */

/* Sorted by name, as the signature wants it. */
static void
object_query(struct buf *query, const struct page *page, void *arg)
{
	const struct s3_query *q = arg;

	add_parameter(query, "continuation-token", page != NULL ? text_of(page, page->token) : (struct str){ NULL, 0 });
	add_parameter(query, "delimiter", q->delimiter);
	add_parameter(query, "encoding-type", STR("url"));
	add_parameter(query, "list-type", STR("2"));
	if (q->limit > 0 && q->limit < PAGE_KEYS && q->since == 0 && q->until == 0)
		buf_fmt(query, "&max-keys=%llu", q->limit);
	add_parameter(query, "prefix", q->prefix);
	add_parameter(query, "start-after", q->start_after);
}

static struct str
without_quotes(struct str s)
{
	return s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"' ? (struct str){ s.p + 1, s.n - 2 } : s;
}

static struct s3_object
object_of(const struct page *page, const struct entry *e)
{
	return (struct s3_object){ .key = text_of(page, e->key), .etag = without_quotes(text_of(page, e->etag)),
		.last_modified = text_of(page, e->modified), .storage_class = text_of(page, e->storage_class),
		.size = strtoull(page->text.p + e->size.at, NULL, 10), .is_prefix = e->is_prefix };
}

/* Was it modified within the bounds of the query? */
static bool
is_wanted(const struct s3_query *q, const struct s3_object *o)
{
	struct moment m;
	const char *why;
	int64_t when;

	if ((q->since == 0 && q->until == 0) || o->is_prefix)
		return true;
	if (!date_parse(o->last_modified, DATE_ISO, &m, &why))
		die(EX_PROTOCOL, "s3://%s/%.*s: last modified: \"%.*s\" %s", q->bucket, (int)o->key.n, o->key.p,
		    (int)o->last_modified.n, o->last_modified.p, why);
	when = date_usec(&m);
	return when >= q->since && (q->until == 0 || when < q->until);
}

void
s3_list(struct s3 *s3, const struct s3_query *q, void (*take)(const struct s3_object *, void *), void *arg)
{
	struct lister l = { .s3 = s3, .bucket = q->bucket };
	struct s3_query query = *q;
	unsigned long long given = 0;

	object_query(&l.query, NULL, &query);
	ask(&l, &l.pages[0]);
	while (l.reply != NULL) {
		struct page *page = next_page(&l);

		if (q->limit == 0)
			ask_further(&l, page, object_query, &query);
		for (size_t i = 0; i < page->n && (q->limit == 0 || given < q->limit); i++) {
			struct s3_object object = object_of(page, &page->entry[i]);

			check_key(&l, object.key);
			if (!is_wanted(q, &object))
				continue;
			take(&object, arg);
			given++;
		}
		if (q->limit > 0 && given < q->limit)
			ask_further(&l, page, object_query, &query);
	}
	free_lister(&l);
}

/* POSIX seconds: a number, but not one of 8 digits, which is a date. */
static bool
parse_seconds(const char *text, int64_t *usec)
{
	size_t digits = strspn(text, "0123456789");
	const char *end = text + digits;

	if (*end == '.')
		end += 1 + strspn(end + 1, "0123456789");
	if (digits == 0 || *end != '\0' || (digits == 8 && end == text + 8))
		return false;
	errno = 0;
	*usec = strtoll(text, NULL, 10);
	if (errno != 0 || *usec > 253402300799)
		return false;           /* past the year 9999: milliseconds, most likely */
	*usec = (*usec - UNIX_2000) * 1000000;
	return true;
}

int64_t
s3_time(const char *option, const char *text)
{
	const char *why = NULL;
	struct moment m;
	int64_t usec;

	if (text == NULL || *text == '\0')
		return 0;
	if (parse_seconds(text, &usec))
		return usec;
	if (!date_parse(str_of(text), DATE_ISO, &m, &why))
		die(EX_USAGE, "--%s: \"%s\" %s: want 2026-01-31T23:59:59Z, or seconds since 1970", option, text, why);
	usec = date_usec(&m);
	return usec - ((usec % 1000000) + 1000000) % 1000000;
}

/* Uploads: ListMultipartUploads */

static void
upload_query(struct buf *query, const struct page *page, void *arg)
{
	const struct str *prefix = arg;

	add_parameter(query, "encoding-type", STR("url"));
	if (page != NULL)
		add_parameter(query, "key-marker", text_of(page, page->key_marker));
	add_parameter(query, "prefix", *prefix);
	if (page != NULL)
		add_parameter(query, "upload-id-marker", text_of(page, page->id_marker));
	buf_fmt(query, "&uploads=");
}

void
s3_list_uploads(struct s3 *s3, const char *bucket, struct str prefix, void (*take)(const struct s3_upload *, void *), void *arg)
{
	struct lister l = { .s3 = s3, .bucket = bucket };

	upload_query(&l.query, NULL, &prefix);
	ask(&l, &l.pages[0]);
	while (l.reply != NULL) {
		struct page *page = next_page(&l);

		ask_further(&l, page, upload_query, &prefix);
		for (size_t i = 0; i < page->n; i++) {
			const struct entry *e = &page->entry[i];
			struct s3_upload upload = { text_of(page, e->key), text_of(page, e->id), text_of(page, e->modified) };

			check_key(&l, upload.key);
			take(&upload, arg);
		}
	}
	free_lister(&l);
}
