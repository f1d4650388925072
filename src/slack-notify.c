/*
 * slack-notify - post a message to a Slack webhook.
 *
 * It reads all of its input before anything else, with or without a webhook: a tool in front of it in a pipe must
 * not die of SIGPIPE because nobody wants to be told.  Where no webhook is set it says so and succeeds, so that a
 * flow needs no `if`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "advice.h"
#include "base/err.h"
#include "format/json.h"
#include "net/http.h"
#include "net/url.h"
#include "records/input.h"
#include "records/rows.h"

#define MOST 4000               /* characters: a longer text becomes several posts, or is cut by Slack where it likes */
#define MARK "... (cut)"
#define FENCE "\n```"
#define KEEP (1 << 20)          /* bytes of the input; what is past it could not be shown */

static const char *text_option, *template;
static struct words set;
static bool markup, dry_run;
/* The job that reports must not wait long for being heard: a minute in all, and few tries. */
static struct http_options net = { .max_time = 60, .max_wait = 60, .timeout = 15, .retry_wait = 1, .retries = 3 };

static const struct opt options[] = {
	OPT_STRING('t', "text", "TEXT", &text_option, "the message, instead of standard input"),
	OPT_STRING('T', "template", "TEXT", &template,
	    "a line for each record, with {field} filled in"),
	OPT_LIST('s', "set", "FIELD=VALUE", &set, "a field for the template; may be repeated"),
	OPT_FLAG(0, "markup", &markup, "keep <!channel> and <url|label> of the text"),
	OPT_FLAG('n', "dry-run", &dry_run, "print what would be sent"),
	OPT_HTTP(net),
	OPT_END
};
const struct tool tool = {
	.name = "slack-notify", .operands = "", .options = options,
	.does = "Post a message to the Slack webhook in SLACK_WEBHOOK_URL.",
};

/* The text of a message: UTF-8 without control characters, escaped as Slack wants it, and its length. */
struct message {
	struct buf text;
	size_t chars;
	size_t keep;            /* bytes that leave room for MARK and FENCE */
};

static void
add_char(struct message *m, const char *bytes, size_t n)
{
	if (m->chars + strlen(MARK) + strlen(FENCE) <= MOST)
		m->keep = m->text.len;
	buf_add(&m->text, bytes, n);
	m->chars++;
}

/* An entity counts as its characters, and is never cut in two. */
static void
add_entity(struct message *m, const char *entity)
{
	add_char(m, entity, strlen(entity));
	m->chars += strlen(entity) - 1;
}

/* UTF-8 all of it.  TRUSTED: & < > are Slack's own markup. */
static void
add_good(struct message *m, const char *p, const char *end, bool trusted)
{
	while (p < end) {
		unsigned char c = *p;
		size_t n = c < 0x80 ? 1 : c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;

		if (c == '&' && !trusted)
			add_entity(m, "&amp;");
		else if (c == '<' && !trusted)
			add_entity(m, "&lt;");
		else if (c == '>' && !trusted)
			add_entity(m, "&gt;");
		else if (c >= 0x20 ? c != 0x7F : c == '\n' || c == '\t')
			add_char(m, p, n);
		p += n;
	}
}

static void
add_text(struct message *m, struct str text, bool trusted)
{
	struct buf copy = { 0 };        /* with the padding that utf8_check() wants, which an argument lacks */

	buf_str(&copy, text);
	for (const char *p = copy.p, *end = p + copy.len; p < end; ) {
		const char *bad = utf8_check(p, end);

		add_good(m, p, bad != NULL ? bad : end, trusted);
		if (bad != NULL)
			add_char(m, "\xEF\xBF\xBD", 3);
		p = bad != NULL ? bad + 1 : end;
	}
	buf_free(&copy);
}

/* Cuts what is too long, with a mark; a code block that was open there is closed. */
static void
finish_text(struct message *m)
{
	size_t fences = 0;

	while (m->text.len > 0 && strchr(" \t\n", m->text.p[m->text.len - 1]) != NULL) {
		m->text.p[--m->text.len] = '\0';
		m->chars--;
	}
	if (m->chars <= MOST)
		return;
	m->text.len = m->keep;
	m->text.p[m->keep] = '\0';
	for (const char *p = m->text.p; (p = strstr(p, "```")) != NULL; p += 3)
		fences++;
	buf_text(&m->text, fences % 2 == 1 ? MARK FENCE : MARK);
	note("text over %d characters: cut", MOST);
}

/* Templates */

/* The end of the field that starts at P, behind its brace. */
static const char *
field_end(const char *p)
{
	return p + strcspn(p, "{}");
}

static void
check_template(void)
{
	for (const char *p = template; p != NULL && *p != '\0'; p++) {
		if ((*p == '{' || *p == '}') && p[1] == *p) {
			p++;
		} else if (*p == '}' || (*p == '{' && (*field_end(p + 1) != '}' || p[1] == '}'))) {
			die(EX_USAGE, "--template %s: a brace without its like: write {field}, or {{ for a brace", template);
		} else if (*p == '{') {
			p = field_end(p + 1);
		}
	}
	for (size_t i = 0; i < set.n; i++)
		if (strchr(set.w[i], '=') == NULL || set.w[i][0] == '=')
			die(EX_USAGE, "--set %s: want FIELD=VALUE", set.w[i]);
	if (set.n > 0 && template == NULL)
		die(EX_USAGE, "--set is for --template");
	if (text_option != NULL && template != NULL)
		die(EX_USAGE, "--text and --template: choose one");
}

/* The value of --set or the record; p NULL when there is none. */
static struct str
find_value(const struct row *row, struct str name, struct buf *scratch)
{
	for (size_t i = set.n; i-- > 0; )
		if (strncmp(set.w[i], name.p, name.n) == 0 && set.w[i][name.n] == '=')
			return str_of(set.w[i] + name.n + 1);

	const struct field *f = row != NULL ? row_field(row, name) : NULL;

	return f != NULL ? field_text(f, scratch) : (struct str){ NULL, 0 };
}

static void
fill_template(struct message *m, const struct row *row)
{
	struct buf scratch = { 0 };

	for (const char *p = template; *p != '\0'; ) {
		size_t plain = strcspn(p, "{}");

		add_text(m, (struct str){ p, plain }, markup);
		p += plain;
		if (*p != '\0' && p[1] == *p) {
			add_text(m, (struct str){ p, 1 }, markup);
			p += 2;
		} else if (*p == '{') {
			struct str name = { p + 1, field_end(p + 1) - p - 1 };
			struct str value = find_value(row, name, &scratch);

			if (value.p == NULL)
				note("no field \"%.*s\": shown as ?", (int)name.n, name.p);
			add_text(m, value.p != NULL ? value : STR("?"), false);
			p += name.n + 2;
		}
	}
	buf_free(&scratch);
}

/* A line for each record; a line without one when there is none, for what failed early has no receipt. */
static void
fill_from_records(struct message *m)
{
	struct rows *in = rows_open((char *[]){ NULL }, &(struct rows_options){ ROWS_DEFAULTS, ROWS_ADVICE });
	const struct row *row;
	bool first = true;

	while ((row = rows_next(in)) != NULL) {
		if (!first)
			add_text(m, STR("\n"), true);
		first = false;
		if (m->text.len < KEEP)
			fill_template(m, row);
	}
	if (first)
		fill_template(m, NULL);
	rows_close(in);
}

static void
fill_from_text(struct message *m)
{
	struct input in = { 0 };
	struct buf all = { 0 };

	input_open(&in, (char *[]){ NULL });
	do {
		if (all.len < KEEP)
			buf_add(&all, in.p, in.end - in.p);
		in.p = in.end;
	} while (input_more(&in));
	input_close(&in);
	add_text(m, buf_all(&all), false);
	buf_free(&all);
}

/* Sending */

static const char *
find_webhook(void)
{
	const char *name = "SLACK_WEBHOOK_URL", *url = opt_secret(name), *path;

	if (url == NULL || *url == '\0')
		url = opt_secret(name = "SLACK_HOOK");
	if (url == NULL || *url == '\0')
		return NULL;
	if (strncasecmp(url, "https://", 8) != 0 && !(url_plain(url) && url_loopback(url)))
		die(EX_CONFIG, "%s: want an https:// URL", name);
	/* The path alone is the secret too, and so is each part that could be shown without the rest. */
	path = strchr(strstr(url, "://") + 3, '/');
	if (path != NULL && path[1] != '\0')
		err_mask(path);
	return url;
}

/* A hook that is gone, or may not post: its words for it come with several statuses. */
static bool
is_refusal(long status, const char *said)
{
	static const char *const words[] = { "invalid_token", "no_service", "no_team", "no_active_hooks", "no_service_id",
		"team_disabled", "action_prohibited", "posting_to_general_channel_denied", "channel_is_archived",
		"channel_not_found", "user_not_found" };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(said, words[i]) == 0)
			return true;
	return status == 404 || status == 410;
}

static void
send_message(const char *url, struct str payload)
{
	static const char *const headers[] = { "Content-Type: application/json; charset=utf-8", NULL };
	static const short ours[] = { 200, 400, 404, 410, 413, 0 };
	struct http *http = http_open(&net);
	struct http_reply *reply = http_start(http, &(struct http_request){
		.url = url, .name = "Slack", .headers = headers, .body = payload, .claims = ours, .follow_no = true,
		.credential = "is the hook in SLACK_WEBHOOK_URL revoked?", .max_body = 1 << 20 });
	struct buf said = { 0 };

	http_wait(http, reply);
	http_message(&said, reply);
	if (said.len == 0)
		buf_text(&said, "");
	if (is_refusal(reply->status, said.p))
		die(EX_NOPERM, "Slack: refused (%ld): \"%s\": is the hook in SLACK_WEBHOOK_URL removed or revoked?", reply->status,
		    said.p);
	if (reply->status != 200 || strcmp(said.p, "ok") != 0)
		die(EX_PROTOCOL, "Slack: answered %ld: \"%s\" instead of ok", reply->status, said.p);
	http_done(http, reply);
	http_close(http);
	buf_free(&said);
}

int
main(int argc, char *argv[])
{
	struct message m = { 0 };
	struct buf payload = { 0 };
	const char *url;

	if (*opt_parse(argc, argv) != NULL)
		die(EX_USAGE, "no operands: the message is --text or standard input");
	check_template();
	url = dry_run ? NULL : find_webhook();

	if (text_option != NULL)
		add_text(&m, str_of(text_option), markup);
	else if (template != NULL)
		fill_from_records(&m);
	else
		fill_from_text(&m);
	finish_text(&m);

	buf_text(&payload, "{\"text\":");
	buf_json(&payload, buf_all(&m.text));
	buf_text(&payload, ",\"unfurl_links\":false,\"unfurl_media\":false}");
	if (m.text.len == 0)
		note("nothing to say: no message sent");
	else if (dry_run)
		puts(payload.p);
	else if (url == NULL)
		note("no SLACK_WEBHOOK_URL: no message sent");
	else
		send_message(url, buf_all(&payload));
	if (fflush(stdout) != 0)
		die_errno(EX_IOERR, "stdout");
	buf_free(&payload);
	buf_free(&m.text);
	return EX_OK;
}
