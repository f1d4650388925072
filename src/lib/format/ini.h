/*
 * format/ini.h - INI files as AWS's are: [section], "key = value", and indented lines below a
 * key, which belong to it.
 *
 * Read as Python's configparser reads them, since botocore does: "=" or ":" ends a key, lines that start with # or ; are
 * comments, nothing behind a value is one, and a line is below a key if it is indented deeper than it.
 */
#ifndef INI_H
#define INI_H

#include "base/buf.h"

/* Spans of the text, without blanks around them.  A section's own line has key.p NULL; a line below a key has its
 * part before the first "=" in sub, and value.p NULL where it has none; other lines have sub.p NULL. */
struct ini_item { struct str section, key, sub, value; size_t line; };

/* Calls TAKE for each in turn.  Returns NULL, or what is wrong in *line: a static text. */
const char *ini_read(struct str text, size_t *line, void (*take)(const struct ini_item *, void *), void *arg);

#endif
