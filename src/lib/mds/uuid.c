/* mds/uuid.c - UUIDs of integer ids. */
#include "mds/uuid.h"

/* Big-endian.  False when they are no digits, or need more than 128 bits. */
static bool
bytes_of(struct str digits, unsigned char bytes[UUID_BYTES])
{
	memset(bytes, 0, UUID_BYTES);
	for (size_t i = 0; i < digits.n; i++) {
		unsigned carry = (unsigned)(digits.p[i] - '0');

		if (carry > 9)
			return false;
		for (size_t k = UUID_BYTES; k-- > 0; carry >>= 8) {
			carry += bytes[k] * 10u;
			bytes[k] = (unsigned char)carry;
		}
		if (carry != 0)
			return false;
	}
	return true;
}

bool
mds_uuid_of_integer(struct str digits, struct str provider_id, char uuid[UUID_LEN])
{
	unsigned char bytes[UUID_BYTES];
	size_t i = 0;

	if (!bytes_of(digits, bytes))
		return false;
	uuid_put(uuid, bytes);
	while (i < UUID_LEN && (uuid[i] == '0' || uuid[i] == '-'))
		i++;
	if (i == UUID_LEN)
		return false;
	memcpy(uuid, provider_id.p, i);
	return true;
}
