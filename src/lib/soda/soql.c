/*
 * soda/soql.c - what a tool must know of the SoQL that people give it, and clauses put together.
 */
#include "soda/soql.h"

#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"

static const char in_name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:@";

/* A word of SoQL outside of quotes: NAME by itself, or as a function where CALL. */
static bool
has_word(const char *soql, const char *name, bool call)
{
	while (soql != NULL && *soql != '\0') {
		size_t n = strspn(soql, in_name);

		if (n == strlen(name) && strncasecmp(soql, name, n) == 0 &&
		    (!call || soql[n + strspn(soql + n, " \t\n")] == '('))
			return true;
		soql += n;
		if (*soql == '\'' || *soql == '`') {
			const char *close = strchr(soql + 1, *soql);

			soql = close != NULL ? close : "";
		}
		if (n == 0 || *soql == '\'' || *soql == '`')
			soql += *soql != '\0';
	}
	return false;
}

bool
soql_groups(const char *select)
{
	static const char *const aggregates[] = { "count", "sum", "avg", "min", "max", "median", "stddev_pop", "stddev_samp",
		"var_pop", "var_samp", "regr_slope", "regr_intercept", "regr_r2", "percentile_cont", "percentile_disc" };

	for (size_t i = 0; i < sizeof aggregates / sizeof *aggregates; i++)
		if (has_word(select, aggregates[i], true))
			return true;
	return has_word(select, "distinct", false);
}

bool
soql_selects(const char *select, const char *item)
{
	static const char blank[] = " \t\n";

	while (select != NULL && *select != '\0') {
		size_t n = strlen(item);

		select += strspn(select, blank);
		if (strncmp(select, item, n) == 0) {
			const char *after = select + n + strspn(select + n, blank);

			if (*after == ',' || *after == '\0')
				return true;
		}
		select = strchr(select, ',');
		select += select != NULL;
	}
	return false;
}

char *
soql_join(const char *a, const char *between, const char *b)
{
	struct buf text = { 0 };

	if (a == NULL && b == NULL)
		return NULL;
	if (a == NULL || b == NULL)
		return xstrdup(a != NULL ? a : b);
	buf_fmt(&text, "%s%s%s", a, between, b);
	return buf_take(&text);
}

/* "2020-01-31 12:00:00" is how Postgres writes it, with a T as Socrata does. */
char *
soql_since(const char *since)
{
	struct buf b = { 0 };
	const char *time;
	size_t n;

	if (since == NULL)
		return NULL;
	n = strspn(since, in_name);
	time = since + n + 1;
	if (n == 0 || since[n] != '=')
		die(EX_USAGE, "--since %s: want COLUMN=TIMESTAMP", since);
	if (strspn(time, "0123456789-T :.Z+") != strlen(time) || strlen(time) < 10 || strspn(time, "0123456789") != 4 ||
	    (time[10] != '\0' && time[10] != 'T' && time[10] != ' '))
		die(EX_USAGE, "--since %s: want a timestamp such as 2020-01-31T00:00:00", since);
	buf_fmt(&b, "%.*s >= '%.10s%s%s'", (int)n, since, time, time[10] != '\0' ? "T" : "", time[10] != '\0' ? time + 11 : "");
	return buf_take(&b);
}

char *
soql_and(const char *a, const char *b)
{
	struct buf text = { 0 };

	if (a == NULL || b == NULL)
		return soql_join(a, "", b);
	buf_fmt(&text, "(%s) AND %s", a, b);
	return buf_take(&text);
}
