/*
 * xml - what format/xml.h reads out of the XML on standard input: a line an element, then the root and what is wrong.
 *
 *	xml [PATH]      prints the text of the first element of that path instead
 *	xml --escape    prints the input escaped
 */
#include <stdio.h>

#include "base/opt.h"
#include "format/xml.h"

static bool escape;
static const struct opt options[] = { OPT_FLAG('e', "escape", &escape, "escape the input"), OPT_END };
const struct tool tool = {
	.name = "xml", .operands = "[PATH]", .options = options, .does = "Read XML.",
};

static void
print(const char *path, struct str text, void *arg)
{
	(void)arg;
	if (text.p != NULL)
		printf("%s=%.*s\n", path, (int)text.n, text.p);
	else
		printf("%s\n", path);
}

int
main(int argc, char *argv[])
{
	char **path = opt_parse(argc, argv);
	struct buf in = { 0 }, out = { 0 };
	const char *why;
	int c;

	while ((c = getchar()) != EOF)
		buf_char(&in, (char)c);
	if (escape) {
		xml_escape(&out, buf_all(&in));
		puts(buf_all(&out).p);
	} else if (*path != NULL) {
		puts(xml_find(&out, buf_all(&in), *path) ? buf_all(&out).p : "(none)");
	} else {
		why = xml_read(buf_all(&in), &out, print, NULL);
		printf("root %s: %s\n", buf_all(&out).p, why != NULL ? why : "good");
	}
	buf_free(&in);
	buf_free(&out);
	return 0;
}
