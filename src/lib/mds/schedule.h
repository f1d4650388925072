/*
 * mds/schedule.h - what the commands of mds-schedule share: the three tables, which blocks are
 * meant, and how they are shown.
 *
 * Times are bound as ISO 8601 text and read by the server, in UTC.  Every command works in one
 * transaction, and dies with nothing changed.
 */
#ifndef MDS_SCHEDULE_H
#define MDS_SCHEDULE_H

#include <stdint.h>

#include "pg/table.h"
#include "records/rows.h"

#define SCHEDULE_LOCK_WAIT 60.0 /* seconds: what others do to a block takes no longer */
#define SCHEDULE_DONE 8         /* the status of a block that is published; below it there is work to do */

struct schedule {
	PGconn *conn;
	const char *schema;
	char *provider, *status, *blocks;       /* the tables api.provider, .schedule_status, .schedule: quoted names */
	char *shown;                            /* the last, for people: api.schedule */
	struct pg_table columns;                /* of blocks, once schedule_need() was called */
};

/* Which blocks: of a provider, with labels in (after, upto], in these states. */
struct schedule_choice {
	const char *provider;                   /* NULL: of all */
	bool bounded;
	int64_t after, upto;                    /* walls, as mds/block.h has them */
	const char *states;                     /* an array, {0,-1}; NULL: any */
	bool incomplete, no_width;              /* below SCHEDULE_DONE only; the old ones without width too */
};

/* The bound values of a statement: $1 is v[0]. */
struct schedule_values { const char *v[16]; int n; struct buf text[2]; };
int schedule_bind(struct schedule_values *, const char *value);         /* returns its number; the value is lent */
void schedule_values_free(struct schedule_values *);

/* A list of statuses, "0,-1", as an array for SQL.  Caller frees.  Dies EX_USAGE on what is no such list. */
char *schedule_states(const char *option, const char *list);
/* Whether set may set it. */
bool schedule_is_state(long n);
void schedule_each_state(void (*each)(void *, int id, const char *name), void *);

/* Connects. */
void schedule_open(struct schedule *, const char *schema, const struct pg_options *);
void schedule_close(struct schedule *);
void schedule_begin(struct schedule *, bool read_only);
/* Dies EX_CONFIG, telling of init, where a table or a column is lacking. */
void schedule_need(struct schedule *);

/* Dies EX_DATAERR when there is no such provider, EX_CONFIG when a block has no bounds. */
void schedule_check_known(struct schedule *, const struct schedule_choice *);
/* The same, and EX_DATAERR when none of the blocks that are asked for was ever seeded; warns where some were not. */
void schedule_check(struct schedule *, const struct schedule_choice *);
/* Appends "FROM ... WHERE ...": s is the block, p its provider. */
void schedule_where(const struct schedule *, const struct schedule_choice *, struct buf *sql, struct schedule_values *);
/* Prints the blocks of such a condition, in order of date, as records.  Returns how many. */
unsigned long long schedule_print(struct schedule *, const char *where, const struct schedule_values *, struct rows_out *);
/* The labels that are not in the schedule, of blocks by the zone of zone_use(); returns how many blocks there should be. */
unsigned long long schedule_missing(struct schedule *, const char *provider, int64_t after, int64_t upto,
    void (*each)(void *, int64_t label, int64_t starts, int64_t ends), void *);

void schedule_array(struct buf *, const char *text);    /* adds an element to an array for SQL; "}" ends it */

/* The commands that have a file of their own. */
void schedule_init(struct schedule *, const char *zone);
unsigned long long schedule_claim(struct schedule *, const struct schedule_choice *, long worker, double stale, long long limit,
    struct rows_out *);
void schedule_set(struct schedule *, char **files, const struct rows_options *, bool release);
struct schedule_gaps {
	double stuck, stale;
	const char *trips, *socrata;
	const struct rows_options *reading;     /* of the file of Socrata's counts */
};
unsigned long long schedule_find_gaps(struct schedule *, const struct schedule_choice *, const struct schedule_gaps *,
    struct rows_out *);

#endif
