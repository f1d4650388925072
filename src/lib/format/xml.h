/*
 * format/xml.h - the flat XML that AWS answers with, by expat.
 *
 * Namespaces are dropped: names are local ones.  Entities are undone; a document type, which could declare others, is
 * refused.  White space may come first, since S3 sends it to keep a connection alive.
 */
#ifndef XML_H
#define XML_H

#include <stdbool.h>

#include "base/buf.h"

/*
 * Calls TAKE at the end of each element that has no elements in it, with its path below the root ("Contents/Key") and its text, and at
 * the end of each that has some, with text p NULL.  Returns NULL, or what is wrong with the XML (a static text); the root's own name comes
 * last, with path "".  root and take may be NULL.
 */
const char *xml_read(struct str xml, struct buf *root, void (*take)(const char *path, struct str text, void *), void *arg);
/* Appends the text of the first element of that path; false when there is none. */
bool xml_find(struct buf *, struct str xml, const char *path);
/* Appends the text with & < > " escaped. */
void xml_escape(struct buf *, struct str text);

#endif
