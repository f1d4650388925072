/*
 * mds/uuid.h - the ids of MDS, which are UUIDs in text.
 */
#ifndef MDS_UUID_H
#define MDS_UUID_H

#include "base/buf.h"

#define MDS_UUID_LEN 36

/* True for 8-4-4-4-12 hex digits, of lower case unless ANY_CASE. */
bool mds_is_uuid(struct str text, bool any_case);

/*
 * The UUID of an integer id, as Austin's loader made it: the number as 16 bytes, whose leading zeros, and the dashes
 * between them, come from the provider's id instead.  With 0309585e-599f-4e57-ac85-ffffffffffff, 104865 is
 * 0309585e-599f-4e57-ac85-fffffff199a1.  PROVIDER_ID is a UUID.  False where the digits are not 1 to 2^128 - 1.
 */
bool mds_uuid_of_integer(struct str digits, struct str provider_id, char uuid[MDS_UUID_LEN]);

#endif
