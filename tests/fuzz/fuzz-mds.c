/*
 * fuzz-mds - configurations and pages of MDS providers.
 *
 * The first line is "config", and what follows is read as one, whatever it is: a reason comes out, or a URL that may be
 * asked.  Or it is a Content-Type, and what follows is a page: its elements come out as whole lines of JSON, or as an array.
 */
#include <stdint.h>
#include <stdlib.h>
#include <strings.h>

#include "format/json.h"
#include "mds/page.h"
#include "mds/provider.h"

#define CHECK(x) do { if (!(x)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check_provider(struct str text, const char *name)
{
	struct mds_provider p;
	struct buf why = { 0 };
	const char *wrong = mds_provider_parse(&p, text, name, &why);

	CHECK((wrong != NULL) == (why.len > 0));
	CHECK(p.secrets.n <= MDS_SECRETS);
	CHECK(wrong != NULL || (p.url != NULL && p.version != NULL && strncasecmp(p.url, "http", 4) == 0));
	CHECK(wrong != NULL || p.auth != MDS_BEARER || p.token != NULL);
	for (size_t i = 0; wrong == NULL && i < p.secret_headers.n; i++)
		CHECK(strpbrk(p.secret_headers.w[i], "\r\n") == NULL);
	CHECK(*mds_provider_parameter("min_end_time", &p) != '\0');
	mds_provider_free(&p);
	buf_free(&why);
}

/* As many whole objects as it says, each on its line or behind a comma. */
static void
check_cut(const struct mds_page *page, char separator)
{
	struct buf b = { 0 };
	struct json_error e;
	const char *p, *end;

	buf_str(&b, page->data);
	buf_room(&b, 0);
	p = buf_all(&b).p;
	end = p + b.len;
	for (unsigned long long i = 0; i < page->rows; i++) {
		CHECK(*p == '{' && (p = json_skip(p, end, &e)) != NULL);
		CHECK(separator == ',' ? i + 1 == page->rows || *p == ',' : *p == '\n');
		p += separator == '\n' || i + 1 < page->rows;
	}
	CHECK(p == end && page->outside <= page->rows && page->rows <= page->came);
	buf_free(&b);
}

static void
check_page(struct str body, const char *type, const struct mds_version *version, char separator)
{
	const struct mds_question *question = &version->question[MDS_TRIPS];
	struct mds_page page = { 0 };
	struct buf copy = { 0 };

	buf_str(&copy, body);
	buf_room(&copy, 0);
	if (mds_page_read(&page, buf_all(&copy), type, version, MDS_TRIPS) == NULL && page.list.p != NULL) {
		mds_page_cut(&page, &(struct mds_cut){ .separator = separator, .stamp = question->stamp, .seconds = version->seconds,
		    .span = { 0, MDS_HOUR }, .reach = version->seconds ? MDS_HOUR : 0 });
		check_cut(&page, separator);
	}
	mds_page_free(&page);
	buf_free(&copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *line = n > 0 ? memchr(data, '\n', n) : NULL;
	size_t first = line != NULL ? (size_t)(line - (const char *)data) : 0;
	char *type = str_dup((struct str){ (const char *)data, first });
	struct buf text = { 0 };
	struct json_error e;

	if (line != NULL)
		buf_add(&text, line + 1, n - first - 1);
	buf_room(&text, 0);

	const char *p = buf_all(&text).p, *end = p + text.len, *past;

	if (strcmp(type, "config") == 0) {
		check_provider(buf_all(&text), "jump");
		check_provider(buf_all(&text), NULL);
	} else if ((past = json_skip(json_space(p, end), end, &e)) != NULL && json_space(past, end) == end) {
		for (const struct mds_version *v = mds_versions; v->number != NULL; v++) {
			check_page(buf_all(&text), type, v, '\n');
			check_page(buf_all(&text), type, v, ',');
		}
	}
	buf_free(&text);
	free(type);
	return 0;
}
