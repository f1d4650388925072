/*
 * format/zip-end.h - the end record of a zip that is read from front to back: does it have all
 * its members?
 *
 * A zip's directory stands behind its members, and the record behind that says how many there are and where it begins
 * (APPNOTE 4.3.14 to 4.3.16), which is elsewhere when another zip is in front.  Only the last bytes are kept, as many as the
 * records and the longest comment take.  These functions return errors and do not die.
 */
#ifndef ZIP_END_H
#define ZIP_END_H

#include "base/buf.h"

struct zip_end {
	struct buf tail, why;
	unsigned long long total;       /* bytes added */
};

void zip_end_start(struct zip_end *);           /* another zip; zeroed is one too */
void zip_end_add(struct zip_end *, struct str bytes);
/* All bytes were added, and so many members were found.  NULL, or what is wrong; lent until the next start. */
const char *zip_end_check(struct zip_end *, unsigned long long members);
void zip_end_free(struct zip_end *);

#endif
