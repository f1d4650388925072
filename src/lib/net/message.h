/*
 * net/message.h - the server's own words, out of the body of an error.
 *
 * That is the message in its JSON, of any of the shapes in use, the title of its HTML, or else the body as it stands; on
 * one line and shortened, since it goes into a message of ours.
 */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stdbool.h>

#include "base/buf.h"

/* TYPE is a Content-Type, NULL where there was none. */
bool message_is_html(const char *type);
/* Appends it.  BODY as the scanners of json.h want it. */
void message_add(struct buf *, const char *type, struct str body);

#endif
