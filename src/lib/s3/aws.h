/*
 * s3/aws.h - who we are to AWS and where it is, found as every AWS user expects.
 *
 * Credentials, the first that there are: AWS_ACCESS_KEY_ID and its kin; a role of the profile (AWS_PROFILE) in
 * ~/.aws/config; a web identity, of the environment or the profile; the profile's keys in ~/.aws/credentials, its
 * credential_process, its keys in ~/.aws/config; the container's endpoint; the instance's (IMDSv2).  Those that expire
 * are renewed some minutes before; while the old ones last, that may fail.  Every secret is masked.  A setting that can't
 * work dies EX_CONFIG and names the variable, or the file and line.
 */
#ifndef AWS_H
#define AWS_H

#include <stdbool.h>
#include <time.h>

#include "base/buf.h"

struct aws;
struct aws_credentials {
	const char *key, *secret;
	const char *token;              /* of a session; NULL: none */
	time_t expires;                 /* 0: never */
};

struct http_options;
struct aws *aws_open(const struct http_options *);      /* reads the environment and the profile; asks nobody yet */
void aws_close(struct aws *);

/* Lent until the next call.  NULL: nobody knows us, and requests go unsigned (only where AWS_NO_SIGN_REQUEST=true, else it dies
 * EX_NOPERM and says where was looked). */
const struct aws_credentials *aws_credentials(struct aws *);
/* The server said that they are expired: fetches others.  False where the source has none but these. */
bool aws_renew(struct aws *);
/* "the keys in AWS_ACCESS_KEY_ID", "profile city in /root/.aws/credentials": for messages of 401 and 403. */
const char *aws_source(struct aws *);

const char *aws_region(struct aws *);           /* AWS_REGION, AWS_DEFAULT_REGION, the profile; NULL: nobody says */
const char *aws_s3_endpoint(struct aws *);      /* AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, the profile; NULL: AWS's own */
/* The profile's s3.addressing_style: "path", "virtual"; else "auto". */
const char *aws_s3_style(struct aws *);
/* AWS_REQUEST_CHECKSUM_CALCULATION, or the profile's request_checksum_calculation, is when_required. */
bool aws_checksums_only_required(struct aws *);
const char *aws_ca_bundle(struct aws *);        /* AWS_CA_BUNDLE, the profile; NULL */

#endif
