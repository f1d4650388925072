/*
 * s3/aws-profile.h - ~/.aws/credentials and ~/.aws/config, or those that
 * AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE name.
 *
 * A file that is not there is an empty one.  One that cannot be read is, too, unless a variable names it; one that is
 * wrong dies EX_CONFIG with its line.
 */
#ifndef AWS_PROFILE_H
#define AWS_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

struct profiles;
enum profile_file { PROFILE_CREDENTIALS = 1, PROFILE_CONFIG = 2, PROFILE_ANY = 3 };

struct setting {
	const char *section, *key, *value;      /* key: "s3.addressing_style" for a line below "s3 =" */
	const char *path;
	size_t line;
	enum profile_file file;
	bool services;                          /* of [services NAME] */
	bool below;                             /* lines below it have more of the value, perhaps */
};

struct profiles *profiles_open(void);
void profiles_close(struct profiles *);

const char *profiles_path(const struct profiles *, enum profile_file);
bool profiles_have(const struct profiles *, const char *profile);
/* A setting that is there and not empty, or NULL.  The credentials file's comes before the config's. */
const struct setting *profile_get(const struct profiles *, const char *profile, const char *key, enum profile_file);
const struct setting *profile_service(const struct profiles *, const char *services, const char *key);

#endif
