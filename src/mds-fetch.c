/*
 * mds-fetch - the trips that a provider of the Mobility Data Specification has for an hour, or what else it has.
 *
 * Not ready, to come, not served and wrongly asked are outcomes of their own and never "no trips", since a scheduler decides by
 * them whether to come back.  Trips are about people: they go to standard output, and no word of them to standard error.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/progress.h"
#include "format/date.h"
#include "mds/pages.h"
#include "net/http.h"
#include "records/output.h"
#include "records/receipt.h"
#include "records/rows.h"
#include "records/spool.h"

#define NOT_GIVEN -1            /* of options that the configuration may say, too */
#define RETRIES 8               /* http.h's own, where nobody says */

static const char *config, *provider_name, *hour, *since, *until;
static long long endpoint, empty_exit, expect_rows;
static bool envelope;
static struct http_options net = { HTTP_DEFAULTS };
static const char *receipt_file;

static const struct opt options[] = {
	OPT_STRING(0, "config", "FILE", &config,
	    "the providers' configuration; - is standard input"),
	OPT_NO_LETTER('c', "config"),
	OPT_STRING('p', "provider", "NAME", &provider_name, "which of them"),
	OPT_STRING(0, "hour", "YYYY-MM-DD-HH", &hour, "what ended in the UTC hour that begins then"),
	OPT_STRING(0, "since", "TIMESTAMP", &since,
	    "or what ended then or later: ISO 8601, in UTC"),
	OPT_STRING(0, "until", "TIMESTAMP", &until, "and before then"),
	OPT_RENAMED("from", "since"),
	OPT_RENAMED("to", "until"),
	OPT_CHOICE(0, "endpoint", "NAME", &endpoint, mds_endpoints,
	    "trips, vehicles, status_changes, events, telemetry"),
	OPT_NO_LETTER('e', "endpoint"),
	OPT_FLAG(0, "envelope", &envelope, "one document with all, once all came"),
	OPT_NUMBER(0, "expect-rows", "N", &expect_rows, 0, 1LL << 50, "fewer are an error (65)"),
	OPT_NUMBER(0, "empty-exit", "STATUS", &empty_exit, 0, 255,
	    "exit status when there are none"),
	OPT_RECEIPT(receipt_file),
	OPT_HTTP(net),
	OPT_END
};
const struct tool tool = {
	.name = "mds-fetch", .operands = "", .options = options,
	.does = "Write the trips that an MDS provider has for an hour.",
};

/* ---- which time ---- */

/* 2020-03-01-01, with zeros or without, or ISO 8601; UTC where it has no zone. */
static int64_t
parse_time(const char *option, const char *text)
{
	struct moment m;
	int year, month, day, h, end = 0;
	char iso[64] = "";
	const char *why = "want yyyy-mm-dd-hh, or ISO 8601";

	if (sscanf(text, "%4d-%2d-%2d-%2d%n", &year, &month, &day, &h, &end) == 4 && text[end] == '\0' && year >= 0 && month >= 0 &&
	    day >= 0 && h >= 0)
		snprintf(iso, sizeof iso, "%04d-%02d-%02dT%02d:00:00", year, month, day, h);
	if (!date_parse(str_of(*iso != '\0' ? iso : text), DATE_ISO, &m, &why))
		die(EX_USAGE, "--%s %s: no time: %s", option, text, why);
	return date_usec(&m);
}

/* What is not over yet would be taken for all there is. */
static void
check_over(const char *option, const char *text, int64_t end)
{
	if (end > ((int64_t)time(NULL) - UNIX_2000) * 1000000)
		die(EX_USAGE, "--%s %s: is still to come: run again once it is over", option, text);
}

static struct mds_span
parse_span(void)
{
	struct mds_span span = { 0, 0 };

	if (hour != NULL && (since != NULL || until != NULL))
		die(EX_USAGE, "--hour, or --since and --until: choose one");
	if ((since == NULL) != (until == NULL))
		die(EX_USAGE, "--since and --until: give both");
	if (hour != NULL) {
		span.from = parse_time("hour", hour);
		span.to = span.from + MDS_HOUR;
		if (span.from % MDS_HOUR != 0)
			die(EX_USAGE, "--hour %s: want the start of an hour, as in 2020-03-01-01", hour);
		check_over("hour", hour, span.to);
	} else if (since != NULL) {
		span.from = parse_time("since", since);
		span.to = parse_time("until", until);
		if (span.from >= span.to)
			die(EX_USAGE, "--since %s --until %s: want a time and a later one",
			    since, until);
		check_over("until", until, span.to);
	}
	return span;
}

/* The command line says more than the configuration, and both more than what is usual. */
static void
settle_tries(struct mds_provider *p)
{
	if (net.retries == NOT_GIVEN)
		net.retries = RETRIES;
	else
		p->attempts = 0;
	if (net.timeout == NOT_GIVEN)
		net.timeout = p->timeout > 0 ? p->timeout : HTTP_TIMEOUT;
	p->timeout = 0;
}

/* ---- output ---- */

static struct rows_out *
open_output(int *spool)
{
	*spool = envelope ? spool_file() : -1;
	return rows_stdout(NULL, ROWS_GUESS);
}

static void
put_page(struct rows_out *out, int spool, const struct mds_page *page, bool first)
{
	if (!envelope) {
		rows_put_raw(out, page->data);
		rows_flush(out);        /* so that a reader who left is noticed by now */
	} else if (page->rows > 0) {
		spool_write(spool, first ? STR("") : STR(","));
		spool_write(spool, page->data);
	}
	progress_add(page->rows, page->data.n);
	progress_check();
}

static void
copy_spool(struct rows_out *out, int spool)
{
	struct buf b = { 0 };
	ssize_t got;

	buf_room(&b, WRITE_AT);
	for (off_t at = 0; (got = pread(spool, b.p, WRITE_AT, at)) != 0; at += got > 0 ? got : 0) {
		if (got < 0 && errno != EINTR)
			die_errno(EX_IOERR, "a temporary file");
		if (got > 0)
			rows_put_raw(out, (struct str){ b.p, (size_t)got });
		progress_check();
	}
	buf_free(&b);
	close(spool);
}

static void
put_envelope(struct rows_out *out, int spool, const char *version)
{
	struct buf head = { 0 };

	buf_text(&head, "{\"version\":");
	buf_json(&head, str_of(version));
	buf_fmt(&head, ",\"data\":{\"%s\":[", mds_endpoints[endpoint]);
	rows_put_raw(out, buf_all(&head));
	copy_spool(out, spool);
	rows_put_raw(out, STR("]}}\n"));
	buf_free(&head);
}

static void
write_receipt(const struct mds_provider *p, const struct mds_counts *count, const char *version)
{
	if (receipt_file == NULL)
		return;
	receipt_open();
	receipt_str("provider", p->name);
	receipt_str("endpoint", mds_endpoints[endpoint]);
	receipt_str("version", version);
	receipt_int("pages", count->pages);
	receipt_int("read", count->rows);
	receipt_int("written", count->rows);
	receipt_int("rejected", 0);
	receipt_int("outside", count->outside);
	receipt_int("passed_over", count->passed_over);
	receipt_close_file(count->rows == 0, receipt_file);
}

static unsigned long long
fetch(const struct mds_provider *p, struct mds_span span)
{
	struct mds_pages *pages = mds_pages_open(&(struct mds_wanted){ .http = &net, .provider = p,
		.endpoint = (enum mds_endpoint)endpoint,
		.span = span, .separator = envelope ? ',' : '\n' });
	int spool;
	struct rows_out *out = open_output(&spool);
	const struct mds_page *page;
	bool first = true;

	for (; (page = mds_pages_next(pages)) != NULL; first = first && page->rows == 0)
		put_page(out, spool, page, first);

	struct mds_counts count = mds_pages_counts(pages);

	if (count.rows < (unsigned long long)expect_rows)
		die(EX_DATAERR, "%llu %s, but --expect-rows %lld", count.rows, mds_endpoints[endpoint], expect_rows);
	if (envelope)
		put_envelope(out, spool, mds_pages_version(pages));
	rows_finish(out);
	if (count.outside > 0)
		warning("%s: %llu of %llu %s are outside the time that was asked for: kept", p->name, count.outside, count.rows,
		    mds_endpoints[endpoint]);
	write_receipt(p, &count, mds_pages_version(pages));
	mds_pages_close(pages);
	return count.rows;
}

int
main(int argc, char *argv[])
{
	struct mds_provider provider;
	struct mds_span span;
	unsigned long long rows;
	char **operands;

	net.retries = NOT_GIVEN;
	net.timeout = NOT_GIVEN;
	operands = opt_parse(argc, argv);
	if (operands[0] != NULL)
		die(EX_USAGE, "%s: want options only: --config, --provider, --hour", operands[0]);
	if (config == NULL)
		die(EX_USAGE, "no --config: a file with the provider's settings, or - for standard input");
	span = parse_span();
	mds_provider_read(&provider, config, provider_name);
	settle_tries(&provider);
	rows = fetch(&provider, span);
	mds_provider_free(&provider);
	return rows == 0 ? (int)empty_exit : EX_OK;
}
