/*
 * aws - what s3/aws.h makes of its surroundings, step by step.
 *
 *	aws STEP ...
 *
 * show: the credentials.  where: region, endpoint and the like.  source: where the credentials come from.  renew: whether
 * it could.  pass SECONDS: the clock moves on (or back).  leak: a message with the secrets in it.  write FILE TEXT: the
 * file gets that text.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/opt.h"
#include "net/http.h"
#include "s3/aws.h"

static struct http_options net = { HTTP_DEFAULTS };
static const struct opt options[] = { OPT_HTTP(net), OPT_END };
const struct tool tool = {
	.name = "aws", .operands = "STEP...", .options = options, .does = "Show credentials.",
};
static time_t passed;

time_t time(time_t *);

/* In place of libc's, so that hours pass at once. */
time_t
time(time_t *out)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (out != NULL)
		*out = now.tv_sec + passed;
	return now.tv_sec + passed;
}

static const char *
or_none(const char *text)
{
	return text != NULL ? text : "-";
}

static void
show(struct aws *aws)
{
	const struct aws_credentials *c = aws_credentials(aws);

	if (c == NULL)
		puts("nobody");
	else
		printf("%s %s %s%s\n", c->key, c->secret, or_none(c->token), c->expires != 0 ? " for a while" : "");
}

static void
show_place(struct aws *aws)
{
	printf("%s %s %s %s %s\n", or_none(aws_region(aws)), or_none(aws_s3_endpoint(aws)), aws_s3_style(aws),
	    aws_checksums_only_required(aws) ? "required" : "supported", or_none(aws_ca_bundle(aws)));
}

static void
write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0)
		die_errno(EX_CANTCREAT, "%s", path);
}

int
main(int argc, char *argv[])
{
	char **step = opt_parse(argc, argv);
	struct aws *aws = aws_open(&net);

	for (; *step != NULL; step++) {
		if (strcmp(*step, "show") == 0) {
			show(aws);
		} else if (strcmp(*step, "where") == 0) {
			show_place(aws);
		} else if (strcmp(*step, "source") == 0) {
			puts(aws_source(aws));
		} else if (strcmp(*step, "renew") == 0) {
			puts(aws_renew(aws) ? "renewed" : "the same");
		} else if (strcmp(*step, "pass") == 0) {
			passed += atol(*++step);
		} else if (strcmp(*step, "leak") == 0) {
			const struct aws_credentials *c = aws_credentials(aws);

			warning("leaked: %s %s", c->secret, or_none(c->token));
		} else if (strcmp(*step, "write") == 0) {
			write_text(step[1], step[2]);
			step += 2;
		} else {
			die(EX_USAGE, "%s: no such step", *step);
		}
		fflush(stdout);
	}
	aws_close(aws);
	return 0;
}
