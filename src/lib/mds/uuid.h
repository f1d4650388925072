/*
 * mds/uuid.h - UUIDs of integer ids.
 */
#ifndef MDS_UUID_H
#define MDS_UUID_H

#include "base/uuid.h"

/*
 * The UUID of an integer id, as Austin's loader made it: the number as 16 bytes, whose leading zeros, and the dashes
 * between them, come from the provider's id instead.  With 0309585e-599f-4e57-ac85-ffffffffffff, 104865 is
 * 0309585e-599f-4e57-ac85-fffffff199a1.  PROVIDER_ID is a UUID.  False where the digits are not 1 to 2^128 - 1.
 */
bool mds_uuid_of_integer(struct str digits, struct str provider_id, char uuid[UUID_LEN]);

#endif
