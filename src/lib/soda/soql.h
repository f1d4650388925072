/*
 * soda/soql.h - what a tool must know of the SoQL that people give it, and clauses put together.
 *
 * The server parses SoQL; here it is only looked through, word by word, for what decides how rows can be counted and
 * paged.  Clauses are as after their keyword ("zip = '90012'"), and NULL where there is none.
 */
#ifndef SOQL_H
#define SOQL_H

#include <stdbool.h>

/* A select that makes rows of its own (an aggregate, or distinct): they have neither :id nor a count. */
bool soql_groups(const char *select);
/* ITEM by itself among what is selected, under no other name. */
bool soql_selects(const char *select, const char *item);

/* A and B with BETWEEN in between; the one alone where the other is NULL.  Caller frees; NULL where both are. */
char *soql_join(const char *a, const char *between, const char *b);
/* Both conditions, each in brackets, for either may hold an OR.  The rest as soql_join(). */
char *soql_and(const char *a, const char *b);
/* --since's COLUMN=TIMESTAMP as a condition; dies EX_USAGE where it is none.  Caller frees. */
char *soql_since(const char *since);

#endif
