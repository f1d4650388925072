/* knack/zones.h - the names that Knack has for time zones. */
#ifndef KNACK_ZONES_H
#define KNACK_ZONES_H

#include "base/buf.h"

/* The IANA name for a name as Knack's settings show it, "Central Time (US & Canada)", in any case and with any spacing; NULL
 * for one that is not known. */
const char *knack_zones_find(struct str name);

#endif
