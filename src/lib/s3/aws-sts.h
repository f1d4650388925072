/*
 * s3/aws-sts.h - temporary credentials from AWS's Security Token Service: for a role, by other
 * credentials or a web identity.
 */
#ifndef AWS_STS_H
#define AWS_STS_H

#include "s3/aws-fetch.h"

struct sts {
	struct http *http;
	const char *endpoint;           /* NULL: AWS's own */
	const char *region;             /* NULL: the one for all, in us-east-1 */
	int tries;                      /* 0: as --retries says */
};
struct sts_role {
	const char *arn;
	const char *session;            /* NULL: after the tool */
	const char *external_id, *duration;     /* NULL: none */
	const char *token_file;         /* of a web identity; read anew each time, since it is replaced */
};

bool sts_assume_role(const struct sts *, const struct sts_role *, const struct aws_keys *by, struct aws_keys *,
    struct aws_failure *);
bool sts_web_identity(const struct sts *, const struct sts_role *, struct aws_keys *, struct aws_failure *);

#endif
