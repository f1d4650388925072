/*
 * mds/version.h - what each version of the MDS provider API wants to be asked, and how it answers.
 *
 * Up to 0.3 a question is of any span of time, and its answer may come in pages; from 0.4 on it is of one UTC hour, and its answer
 * is one page.  A version is named by its major and minor number; what follows them changes neither question nor answer.
 */
#ifndef MDS_VERSION_H
#define MDS_VERSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define MDS_HOUR 3600000000LL           /* usec */

enum mds_endpoint { MDS_TRIPS, MDS_VEHICLES, MDS_STATUS_CHANGES, MDS_EVENTS, MDS_TELEMETRY, MDS_ENDPOINTS };
extern const char *const mds_endpoints[];       /* "trips", ..., NULL at the end */

/* How a question says which time it is of. */
enum mds_times {
	MDS_TIMELESS,                   /* not at all: what is true now */
	MDS_SECONDS,                    /* from and to, seconds since 1970, perhaps with a fraction */
	MDS_MS,                         /* from and to, ms since 1970 */
	MDS_HOURS                       /* the UTC hour, YYYY-MM-DDTHH */
};

struct mds_question {
	const char *path;               /* below the provider's URL; NULL: this version has no such endpoint */
	enum mds_times times;
	const char *from, *to;          /* the names of its parameters; of MDS_HOURS only to */
	const char *member;             /* the list in the answer */
	const char *stamp;              /* the field of an element by which it belongs to a time; or NULL */
};

struct mds_version {
	const char *number;             /* "0.3"; NULL: no version */
	const char *media;              /* the type that is asked for */
	bool seconds;                   /* times of elements are in seconds, else in ms */
	bool flat;                      /* the list lies in the answer itself, else in its "data" */
	double settle;                  /* s after an hour's end in which 404 means "not yet" too */
	struct mds_question question[MDS_ENDPOINTS];
};

/* From usec on, before usec, both as date_usec() counts. */
struct mds_span { int64_t from, to; };

/* Newest first; the last has no number. */
extern const struct mds_version mds_versions[];
/* By "0.3", "0.3.2" and the like; NULL: none of them. */
const struct mds_version *mds_version_find(struct str text);
/* The version of a Content-Type, as "0.3" in application/vnd.mds.provider+json;version=0.3; p NULL where it has none. */
struct str mds_version_of_type(const char *type);
/* Appends a value of Accept that names all versions, the newest as the best. */
void mds_version_accept_any(struct buf *);

/* Appends "?min_end_time=...": RENAME gives a parameter's name, by that of the specification. */
void mds_query(struct buf *, const struct mds_question *, struct mds_span,
    const char *(*rename)(const char *name, const void *arg), const void *arg);
/* Appends "2020-03-01-01", the way people name an hour, or a time in ISO 8601. */
void mds_hour_put(struct buf *, int64_t usec);
void mds_time_put(struct buf *, int64_t usec);

#endif
