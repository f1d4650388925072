/* s3/aws-profile.c - the INI files of AWS. */
#include "s3/aws-profile.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/memory.h"
#include "base/slurp.h"
#include "format/ini.h"

#define FILE_MAX (1L << 20)     /* bytes: more is no such file */

struct profiles {
	struct setting *s;
	size_t n, cap;
	char *credentials, *config;     /* their paths */
};

/* What read_file() hands to take_item(). */
struct reading { struct profiles *profiles; const char *path; enum profile_file file; size_t key; };

/* "~/x" below the home directory; caller frees. */
static char *
expand_home(const char *path)
{
	const char *home = getenv("HOME");
	struct passwd *user;
	struct buf b = { 0 };

	if (path[0] != '~' || path[1] != '/')
		return xstrdup(path);
	if (home == NULL || *home == '\0') {
		errno = 0;
		user = getpwuid(getuid());
		if (user == NULL)
			memory_check("the home directory");
		home = user != NULL ? user->pw_dir : "";
	}
	buf_fmt(&b, "%s%s", home, path + 1);
	return buf_take(&b);
}

/* What follows the WORD and blanks in a section's name, without its quotes; p NULL where it is another section. */
static struct str
named(struct str section, const char *word)
{
	size_t n = strlen(word);
	struct str name = { section.p + n, section.n - n };

	if (section.n <= n || memcmp(section.p, word, n) != 0 || (*name.p != ' ' && *name.p != '\t'))
		return (struct str){ NULL, 0 };
	while (name.n > 0 && (*name.p == ' ' || *name.p == '\t'))
		name.p++, name.n--;
	if (name.n >= 2 && (*name.p == '"' || *name.p == '\'') && name.p[name.n - 1] == *name.p)
		name.p++, name.n -= 2;
	return name;
}

/* The profile or the services that a section is about; p NULL: neither. */
static struct str
section_name(enum profile_file file, struct str section, bool *services)
{
	struct str name;

	*services = false;
	if (file == PROFILE_CREDENTIALS || str_eq(section, STR("default")))
		return section;
	name = named(section, "profile");
	if (name.p == NULL) {
		name = named(section, "services");
		*services = name.p != NULL;
	}
	return name;
}

static void
take_item(const struct ini_item *item, void *arg)
{
	struct reading *reading = arg;
	struct profiles *p = reading->profiles;
	bool services;
	struct str name = section_name(reading->file, item->section, &services);
	struct buf key = { 0 };

	if (name.p == NULL)
		return;
	if (p->n == p->cap)
		p->s = xrealloc(p->s, p->cap = 2 * p->cap + 32, sizeof *p->s);
	buf_str(&key, item->key);
	if (item->sub.p != NULL) {
		p->s[reading->key].below = true;
		buf_char(&key, '.');
		buf_str(&key, item->sub);
	} else {
		reading->key = p->n;
	}
	p->s[p->n++] = (struct setting){ .section = str_dup(name), .key = buf_take(&key), .value = str_dup(item->value),
		.path = reading->path, .line = item->line, .file = reading->file, .services = services };
}

/* False where it can't be opened. */
static bool
read_text(struct buf *text, const char *path)
{
	enum slurp how = slurp(text, path, FILE_MAX);

	if (how == SLURP_NOT_OPENED)
		memory_check(path);
	else if (how == SLURP_FAILED)
		die_errno(slurp_status(how), "%s", path);
	else if (how == SLURP_TOO_LARGE)
		die(EX_CONFIG, "%s: more than 1 MiB: no file of credentials or profiles", path);
	return how == SLURP_WHOLE;
}

/* Returns the path; caller frees. */
static char *
read_file(struct profiles *p, enum profile_file file, const char *variable, const char *otherwise)
{
	const char *told = getenv(variable), *why;
	char *path = expand_home(told != NULL && *told != '\0' ? told : otherwise);
	struct reading reading = { .profiles = p, .path = path, .file = file };
	struct buf text = { 0 };
	size_t line;

	if (!read_text(&text, path) && told != NULL && *told != '\0' && errno != ENOENT && errno != ENOTDIR)
		die_errno(EX_CONFIG, "%s: %s", variable, path);
	why = ini_read(buf_all(&text), &line, take_item, &reading);
	if (why != NULL)
		die(EX_CONFIG, "%s:%zu: %s", path, line, why);
	buf_free(&text);
	return path;
}

struct profiles *
profiles_open(void)
{
	struct profiles *p = xcalloc(1, sizeof *p);

	p->credentials = read_file(p, PROFILE_CREDENTIALS, "AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials");
	p->config = read_file(p, PROFILE_CONFIG, "AWS_CONFIG_FILE", "~/.aws/config");
	return p;
}

void
profiles_close(struct profiles *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free((char *)p->s[i].section);
		free((char *)p->s[i].key);
		free((char *)p->s[i].value);
	}
	free(p->s);
	free(p->credentials);
	free(p->config);
	free(p);
}

const char *
profiles_path(const struct profiles *p, enum profile_file file)
{
	return file == PROFILE_CREDENTIALS ? p->credentials : p->config;
}

bool
profiles_have(const struct profiles *p, const char *profile)
{
	for (size_t i = 0; i < p->n; i++)
		if (!p->s[i].services && strcmp(p->s[i].section, profile) == 0)
			return true;
	return false;
}

/* The last of that name in the first file that has it. */
static const struct setting *
find(const struct profiles *p, const char *section, const char *key, enum profile_file files, bool services)
{
	const struct setting *found = NULL;

	for (size_t i = 0; i < p->n; i++) {
		const struct setting *s = &p->s[i];

		if (s->services != services || (s->file & files) == 0 || *s->value == '\0' || (found != NULL && found->file != s->file))
			continue;
		if (strcasecmp(s->key, key) == 0 && strcmp(s->section, section) == 0)
			found = s;
	}
	if (found != NULL && found->below)
		die(EX_CONFIG, "%s:%zu: %s has a value, and an indented line below it: put it on one line", found->path,
		    found->line, found->key);
	return found;
}

const struct setting *
profile_get(const struct profiles *p, const char *profile, const char *key, enum profile_file files)
{
	return find(p, profile, key, files, false);
}

const struct setting *
profile_service(const struct profiles *p, const char *services, const char *key)
{
	return find(p, services, key, PROFILE_CONFIG, true);
}
