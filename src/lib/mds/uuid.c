/* mds/uuid.c - the ids of MDS. */
#include "mds/uuid.h"

#define BYTES 16

static bool
is_dash_place(size_t i)
{
	return i == 8 || i == 13 || i == 18 || i == 23;
}

bool
mds_is_uuid(struct str text, bool any_case)
{
	if (text.n != MDS_UUID_LEN)
		return false;
	for (size_t i = 0; i < MDS_UUID_LEN; i++) {
		char c = text.p[i], lower = any_case && c >= 'A' && c <= 'F' ? (char)(c | 0x20) : c;

		if (is_dash_place(i) ? c != '-' : !((c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'f')))
			return false;
	}
	return true;
}

/* Big-endian.  False when they are no digits, or need more than 128 bits. */
static bool
bytes_of(struct str digits, unsigned char bytes[BYTES])
{
	memset(bytes, 0, BYTES);
	for (size_t i = 0; i < digits.n; i++) {
		unsigned carry = (unsigned)(digits.p[i] - '0');

		if (carry > 9)
			return false;
		for (size_t k = BYTES; k-- > 0; carry >>= 8) {
			carry += bytes[k] * 10u;
			bytes[k] = (unsigned char)carry;
		}
		if (carry != 0)
			return false;
	}
	return true;
}

bool
mds_uuid_of_integer(struct str digits, struct str provider_id, char uuid[MDS_UUID_LEN])
{
	static const char hex[] = "0123456789abcdef";
	unsigned char bytes[BYTES];
	size_t nibble = 0, i = 0;

	if (!bytes_of(digits, bytes))
		return false;
	for (size_t k = 0; k < MDS_UUID_LEN; k++) {
		if (is_dash_place(k)) {
			uuid[k] = '-';
			continue;
		}
		uuid[k] = hex[nibble % 2 == 0 ? bytes[nibble / 2] >> 4 : bytes[nibble / 2] & 15];
		nibble++;
	}
	while (i < MDS_UUID_LEN && (uuid[i] == '0' || uuid[i] == '-'))
		i++;
	if (i == MDS_UUID_LEN)
		return false;
	memcpy(uuid, provider_id.p, i);
	return true;
}
