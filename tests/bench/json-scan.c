/*
 * json-scan - the JSON scanner alone: json_skip() over every value of a file, and nothing done with it.
 *
 * What make bench sets against yajl-loop.  The values are found through the input window, as the tools do it.
 */
#include <stdio.h>

#include "base/err.h"
#include "format/json.h"
#include "records/input.h"

/* Past the value at in->p, reading on as it must; false at the end of the file. */
static bool
skip_value(struct input *in)
{
	struct json_error e;
	const char *past;

	while ((in->p = (char *)json_space(in->p, in->end)) == in->end)
		if (!input_more(in))
			return false;
	while ((past = json_skip(in->p, in->end, &e)) == NULL)
		if (!e.cut || !input_more(in))
			die(EX_DATAERR, "%s: %s", in->file, e.why);
	in->p = (char *)past;
	return true;
}

int
main(int argc, char *argv[])
{
	struct input in;
	unsigned long long n = 0;

	(void)argc;
	err_setup("json-scan", false, false);
	input_open(&in, argv + 1);
	while (skip_value(&in))
		n++;
	input_close(&in);
	printf("%llu\n", n);
	return EX_OK;
}
