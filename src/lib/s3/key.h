/*
 * s3/key.h - keys made of records: s3://BUCKET/{app}/{id}.json.
 *
 * {field} stands for the value of a record's field, or of a setting, as text; {{ and }} for braces.  A value fills its place and no
 * more: one that is missing, empty, no scalar, or that holds a slash or a control character makes no key, nor does a key with a
 * segment that is "." or "..".  Settings come from the command line and may hold slashes.
 */
#ifndef S3_KEY_H
#define S3_KEY_H

#include "base/opt.h"
#include "records/row.h"
#include "s3/s3.h"

struct s3_key;
/* SETTINGS: FIELD=VALUE, which go before the record's.  Dies EX_USAGE with what is wrong; lends both until s3_key_close(). */
struct s3_key *s3_key_open(const char *url, const struct words *settings);
void s3_key_close(struct s3_key *);
const char *s3_key_bucket(const struct s3_key *);
/* Appends what all keys start with. */
void s3_key_prefix(const struct s3_key *, struct buf *);

/* Fills KEY.  Returns NULL, or what is wrong with the record, and the field that is to blame (n 0: none). */
const char *s3_key_fill(struct s3_key *, const struct row *, struct buf *key, struct str *field);

#endif
