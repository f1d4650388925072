/*
 * mds/schedule-claim.c - gives a worker the blocks that are nobody's.
 *
 * A claim outlives the transaction that makes it, since a block is at work for minutes and a session that holds a lock for so long may
 * be cut by a pooler.  So it is a token in the row; whose it is stands beside it, and a claim is void when that process is
 * dead (known at once on the machine that it ran on), or after --stale when it ran elsewhere.
 */
#include <stdio.h>
#include <stdlib.h>

#include "mds/claimer.h"
#include "mds/schedule.h"

/* Appends the tokens of void claims to an array; r has a row for each claim there is. */
static void
find_void(const PGresult *r, struct buf *tokens)
{
	for (int i = 0; i < PQntuples(r); i++) {
		enum claimer claimer = claimer_look(PQgetvalue(r, i, 1));
		bool old = PQgetvalue(r, i, 2)[0] == 't';

		if (claimer == CLAIMER_DEAD || (claimer == CLAIMER_ELSEWHERE && old))
			schedule_array(tokens, PQgetvalue(r, i, 0));
	}
	buf_text(tokens, tokens->len == 0 ? "{}" : "}");
}

/* The claims that are on the blocks: token, claimer, older than STALE, minutes, label, provider. */
static PGresult *
look_at_claims(struct schedule *s, const struct schedule_choice *c, double stale)
{
	struct schedule_values values = { 0 };
	struct buf sql = { 0 };
	char seconds[32];

	snprintf(seconds, sizeof seconds, "%.3f", stale);
	buf_text(&sql, "SELECT s.claim, coalesce(s.claimed_by, ''), coalesce(s.claimed_at, '-infinity') <= now() - make_interval(secs => $1::float8),"
	    " floor(extract(epoch FROM now() - s.claimed_at) / 60), to_char(s.date, 'FMYYYY-FMMM-FMDD-FMHH24'), p.provider_name");
	schedule_bind(&values, seconds);
	schedule_where(s, c, &sql, &values);
	buf_text(&sql, " AND s.claim IS NOT NULL");

	PGresult *r = pg_query(s->conn, sql.p, values.n, values.v);

	buf_free(&sql);
	schedule_values_free(&values);
	return r;
}

/* Each row that it takes: schedule_id, the new token, the old one. */
static PGresult *
take(struct schedule *s, const struct schedule_choice *c, const char *claimer, const char *void_tokens, long long limit)
{
	struct schedule_values values = { 0 };
	struct buf sql = { 0 };
	char at_most[32];

	snprintf(at_most, sizeof at_most, "%lld", limit);
	schedule_bind(&values, claimer);
	schedule_bind(&values, void_tokens);
	schedule_bind(&values, limit > 0 ? at_most : NULL);
	buf_text(&sql, "WITH picked AS (SELECT s.schedule_id, s.claim");
	schedule_where(s, c, &sql, &values);
	/* a row that another has changed in the meantime is looked at again before it is locked */
	buf_fmt(&sql, " AND (s.claim IS NULL OR s.claim = ANY($2::text[])) ORDER BY s.date, s.schedule_id LIMIT $3::bigint"
	    " FOR UPDATE OF s SKIP LOCKED) UPDATE %s s SET claim = gen_random_uuid()::text, claimed_by = $1, claimed_at = now()"
	    " FROM picked WHERE picked.schedule_id = s.schedule_id RETURNING s.schedule_id, s.claim, picked.claim", s->blocks);

	PGresult *r = pg_query(s->conn, sql.p, values.n, values.v);

	buf_free(&sql);
	schedule_values_free(&values);
	return r;
}

/* Says whose claim, by its old token, was taken back. */
static void
say_taken_back(const PGresult *claims, const char *token)
{
	struct buf who = { 0 };

	for (int i = 0; i < PQntuples(claims); i++) {
		if (strcmp(PQgetvalue(claims, i, 0), token) != 0)
			continue;
		claimer_name(&who, PQgetvalue(claims, i, 1));
		if (claimer_look(PQgetvalue(claims, i, 1)) == CLAIMER_DEAD)
			warning("block %s of %s: taken back from %s, which is dead", PQgetvalue(claims, i, 4), PQgetvalue(claims, i, 5), who.p);
		else
			warning("block %s of %s: taken back from %s, which was last heard of %s min ago", PQgetvalue(claims, i, 4),
			    PQgetvalue(claims, i, 5), who.p, PQgetvalue(claims, i, 3));
	}
	buf_free(&who);
}

/* Shows what was taken: by id and by token, since another may have taken a claim back from us already. */
static unsigned long long
show(struct schedule *s, const PGresult *taken, struct rows_out *out)
{
	struct schedule_values values = { 0 };
	struct buf ids = { 0 }, tokens = { 0 }, where = { 0 };

	for (int i = 0; i < PQntuples(taken); i++) {
		schedule_array(&ids, PQgetvalue(taken, i, 0));
		schedule_array(&tokens, PQgetvalue(taken, i, 1));
	}
	buf_char(&ids, '}');
	buf_char(&tokens, '}');
	schedule_bind(&values, ids.p);
	schedule_bind(&values, tokens.p);
	buf_fmt(&where, " FROM %s s JOIN %s p ON p.id = s.provider_id WHERE s.schedule_id = ANY($1::bigint[])"
	    " AND s.claim = ANY($2::text[])", s->blocks, s->provider);

	unsigned long long n = schedule_print(s, where.p, &values, out);

	buf_free(&ids);
	buf_free(&tokens);
	buf_free(&where);
	return n;
}

unsigned long long
schedule_claim(struct schedule *s, const struct schedule_choice *c, long worker, double stale, long long limit, struct rows_out *out)
{
	struct buf claimer = { 0 }, void_tokens = { 0 };
	unsigned long long n = 0;
	int held;

	if (!claimer_put(&claimer, worker))
		die(EX_USAGE, "--worker-pid %ld: there is no such process", worker);
	schedule_begin(s, false);
	schedule_need(s);
	schedule_check(s, c);

	PGresult *claims = look_at_claims(s, c, stale);

	find_void(claims, &void_tokens);

	PGresult *taken = take(s, c, claimer.p, void_tokens.p, limit);

	/* The claims come before their records: who reads one may count on it. */
	pg_commit(&s->conn);
	held = PQntuples(claims);
	for (int i = 0; i < PQntuples(taken); i++) {
		if (PQgetisnull(taken, i, 2))
			continue;
		say_taken_back(claims, PQgetvalue(taken, i, 2));
		held--;
	}
	if (held > 0)
		note("%d blocks of %s are claimed by others", held, c->provider);
	if (PQntuples(taken) > 0) {
		schedule_begin(s, true);
		n = show(s, taken, out);
	}
	PQclear(claims);
	PQclear(taken);
	buf_free(&claimer);
	buf_free(&void_tokens);
	return n;
}
