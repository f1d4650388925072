/* format/zone.c - wall clock and instant in one time zone. */
#include "format/zone.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DAY 86400
#define KEPT 16384              /* days that are remembered, 45 years of them without a clash */
#define CHANGES INT32_MIN       /* a day without one offset */

/* The offset of a whole day; key 0: none yet. */
struct day { int32_t key, offset; };

static struct day instant_days[KEPT], wall_days[KEPT];

/* ---- names ---- */

static const char *
zone_dir(void)
{
	const char *dir = getenv("TZDIR");

	return dir != NULL && *dir != '\0' ? dir : "/usr/share/zoneinfo";
}

/* "right" has zones that count leap seconds, and "posix" the same as those above it. */
static bool
safe_name(const char *name)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-_/";

	return *name != '\0' && *name != '/' && name[strspn(name, plain)] == '\0' && strlen(name) < 64 &&
	    strncmp(name, "right/", 6) != 0 && strncmp(name, "posix/", 6) != 0;
}

/* Where the rules of a zone are, or would be.  False for a name that is none. */
static bool
zone_path(char *path, size_t size, const char *name)
{
	if (access(zone_dir(), X_OK) != 0)
		die(EX_CONFIG, "no time zones in %s: install the package tzdata", zone_dir());
	return safe_name(name) && snprintf(path, size, "%s/%s", zone_dir(), name) < (int)size;
}

bool
zone_known(const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	if (!zone_path(path, sizeof path, name))
		return false;
	if (stat(path, &st) != 0 && errno != ENOENT && errno != ENOTDIR)
		die_errno(EX_CONFIG, "%s", path);
	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

void
zone_use(const char *name)
{
	char path[PATH_MAX];

	if (!zone_known(name) || !zone_path(path, sizeof path, name))
		die(EX_CONFIG, "no time zone \"%s\" in %s: want a name such as America/Chicago", name, zone_dir());
	/* Of rules that it can't read libc says nothing, and takes UTC.  With the path for a name, that has no name then. */
	errno = 0;
	if (setenv("TZ", path, 1) == 0)
		tzset();
	if (errno == ENOMEM || errno == EMFILE || errno == ENFILE)
		die_errno(EX_OSERR, "%s", path);
	if (tzname[0] == NULL || *tzname[0] == '\0')
		die(EX_CONFIG, "%s: no rules of a time zone: install the package tzdata anew", path);
	memset(instant_days, 0, sizeof instant_days);
	memset(wall_days, 0, sizeof wall_days);
}

/* ---- offsets ---- */

static int64_t
day_of(int64_t seconds)
{
	return seconds / DAY - (seconds % DAY < 0);
}

/* Seconds east of UTC at an instant, as libc says. */
static int32_t
look_up(int64_t at)
{
	time_t unix = at + UNIX_2000;
	struct tm tm;

	if (localtime_r(&unix, &tm) == NULL)
		return 0;       /* a year that fits no int, which no caller asks for */
	return (int32_t)(date_usec(&(struct moment){ .year = tm.tm_year + 1900, .month = tm.tm_mon + 1, .day = tm.tm_mday,
	    .hour = tm.tm_hour, .minute = tm.tm_min, .second = tm.tm_sec }) / 1000000 - at);
}

/* The place of a day in a table; *known if it is the day that is there. */
static struct day *
day_slot(struct day *days, int64_t day, bool *known)
{
	int32_t key = (int32_t)day + 1000000;           /* above 0 for all years */
	struct day *slot = &days[key & (KEPT - 1)];

	*known = slot->key == key;
	slot->key = key;
	return slot;
}

static int32_t
offset_at(int64_t at)
{
	int64_t day = day_of(at);
	bool known;
	struct day *slot = day_slot(instant_days, day, &known);

	if (!known) {
		int32_t first = look_up(day * DAY);

		slot->offset = first == look_up(day * DAY + DAY - 1) ? first : CHANGES;
	}
	return slot->offset != CHANGES ? slot->offset : look_up(at);
}

/* Of a wall clock near a change: BEFORE and AFTER are the offsets a day earlier and later. */
static int32_t
offset_near_change(int64_t wall, int32_t before, int32_t after)
{
	bool fits_before = offset_at(wall - before) == before, fits_after = offset_at(wall - after) == after;

	if (fits_before != fits_after)
		return fits_before ? before : after;
	return before < after ? before : after;
}

static int32_t
offset_of_wall(int64_t wall)
{
	int64_t day = day_of(wall);
	bool known;
	struct day *slot = day_slot(wall_days, day, &known);

	/* No zone is a day off UTC: what a wall clock of this day can mean lies between these two. */
	if (!known) {
		int32_t first = offset_at((day - 1) * DAY);

		slot->offset = first == offset_at((day + 2) * DAY) ? first : CHANGES;
	}
	if (slot->offset != CHANGES)
		return slot->offset;
	return offset_near_change(wall, offset_at(wall - DAY), offset_at(wall + DAY));
}

/* ---- moments ---- */

static int64_t
seconds_of(int64_t usec)
{
	return usec / 1000000 - (usec % 1000000 < 0);
}

bool
zone_from_instant(struct moment *m, int64_t usec)
{
	int32_t offset = offset_at(seconds_of(usec));

	if (!date_from_usec(m, usec + (int64_t)offset * 1000000))
		return false;
	m->offset = offset;
	m->has_zone = true;
	return true;
}

bool
zone_from_wall(struct moment *m)
{
	int64_t wall, instant;

	m->has_zone = false;
	wall = date_usec(m);
	m->offset = offset_of_wall(seconds_of(wall));
	m->has_zone = true;
	instant = wall - (int64_t)m->offset * 1000000;
	/* What the clock left out has an offset that is not in force by then: it becomes the time that is. */
	return offset_at(seconds_of(instant)) == m->offset || zone_from_instant(m, instant);
}
