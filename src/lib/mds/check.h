/*
 * mds/check.h - one trip held against the rules of a version of MDS.
 *
 *	mds_take(c, rule, members of the trip, one by one)
 *	mds_check(c)                                    false: c->where and c->why say what is wrong with the first bad field
 *	c->field[MDS_TRIP_ID], c->first, c->last        its values, where they lie
 *
 * The route is gone through once, from its first byte to its last, and nothing is kept of it but where its first and
 * last feature lie.  Of a key that comes twice the last one counts, at any level.  What is said of a fault names the field and
 * what would be right, never the value: trips are personal data.
 */
#ifndef MDS_CHECK_H
#define MDS_CHECK_H

#include "mds/rules.h"

#define MDS_HINTS 64

struct mds_check {
	const struct mds_rule *rule;    /* of the whole trip */
	struct str field[MDS_FIELDS];   /* by enum mds_field; p NULL: not there */
	struct str first, last;         /* of the route's features, or any other items in their place; p NULL: none */
	size_t features;
	struct buf where, why;          /* of the fault */
	/* mds/check.c's own */
	const char *end;                /* of the member at hand */
	unsigned char hint[MDS_HINTS];  /* which member stood there last */
	struct str unknown;             /* the first member that a closed rule does not know */
	const struct mds_rule *broken;
	int fault;
	struct { struct str name; size_t index; } step[8];      /* to the fault, innermost first; name.p NULL: an item */
	size_t steps, word;
	struct buf scratch;
};

/* A new trip, by the rule of its version. */
void mds_begin(struct mds_check *, const struct mds_rule *rule);
/* One of its members, found good as JSON; value.p NULL is null.  PLACE: which one it is, from 0; a hint. */
void mds_take(struct mds_check *, struct str name, struct str value, size_t place);
bool mds_check(struct mds_check *);
/* Says that something else is wrong with a trip: fills where and why, returns false. */
bool mds_fault(struct mds_check *, const char *where, const char *why);
void mds_check_free(struct mds_check *);

#endif
