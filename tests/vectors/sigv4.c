/*
 * sigv4 - signs a request given as arguments, for AWS's published vectors.
 *
 *	sigv4 ACCESS_KEY SECRET REGION SERVICE TIME METHOD PATH QUERY PAYLOAD 'Name: value' ...
 *
 * Prints the SHA-256 of the canonical request, and the value of the header.  PAYLOAD "-": standard input is the body.
 */
#include <stdio.h>

#include "base/opt.h"
#include "s3/sigv4.h"

static const struct opt options[] = { OPT_END };
const struct tool tool = {
	.name = "sigv4", .operands = "KEY SECRET REGION SERVICE TIME METHOD PATH QUERY PAYLOAD HEADER...", .options = options,
	.does = "Sign a request.",
};

static void
read_all(struct buf *b)
{
	int c;

	while ((c = getchar()) != EOF)
		buf_char(b, (char)c);
}

int
main(int argc, char *argv[])
{
	struct buf canonical = { 0 }, header = { 0 }, body = { 0 };
	char hash[SIGV4_HEX], payload[SIGV4_HEX];

	if (argc < 11)
		die(EX_USAGE, "want %s", tool.operands);
	if (strcmp(argv[9], "-") == 0) {
		read_all(&body);
		sigv4_hash(payload, buf_all(&body));
		argv[9] = payload;
	}

	struct sigv4_scope scope = { .key = argv[1], .secret = argv[2], .region = argv[3], .service = argv[4] };
	struct sigv4_request request = { .time = argv[5], .method = argv[6], .path = str_of(argv[7]), .query = str_of(argv[8]),
		.payload = argv[9], .headers = (const char *const *)&argv[10] };

	sigv4_canonical(&canonical, &request);
	sigv4_hash(hash, buf_all(&canonical));
	sigv4_sign(&header, &request, &scope);
	printf("%s\n%s\n", hash, header.p);
	buf_free(&canonical);
	buf_free(&header);
	buf_free(&body);
	return 0;
}
