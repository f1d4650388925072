/* soda/watch.c - notice that a dataset changes while it is read. */
#include "soda/watch.h"

static unsigned long long
smaller(unsigned long long a, unsigned long long b)
{
	return a < b ? a : b;
}

static unsigned long long
apart(unsigned long long a, unsigned long long b)
{
	return a > b ? a - b : b - a;
}

static bool
may_change(const struct soda_watch *w)
{
	return w->drift > 0 && !w->shifts;
}

void
soda_watch_start(struct soda_watch *w)
{
	w->count = soda_count(w->soda, w->where, &w->stamp);
	w->total = smaller(w->count, w->limit);
}

static void
compare_stamp(struct soda_watch *w, const struct buf *stamp)
{
	bool differs = stamp->len > 0 && w->stamp.len > 0 && !str_eq(buf_all(stamp), buf_all(&w->stamp));

	if (!differs || w->changed)
		return;
	w->changed = true;
	if (!may_change(w))
		die(EX_TEMPFAIL, "%s: changed after %llu rows (last modified %s, now %s): run again%s", w->soda->dataset, w->rows,
		    w->stamp.p, stamp->p, w->drift == 0 ? ", or allow it with --allow-drift" : " without --jobs and --order");
	note("%s: changed after %llu rows: going on under --allow-drift", w->soda->dataset, w->rows);
}

void
soda_watch_reply(struct soda_watch *w, const struct http_reply *reply)
{
	struct buf stamp = { 0 };

	soda_stamp(&stamp, reply);
	compare_stamp(w, &stamp);
	buf_free(&stamp);
}

bool
soda_watch_rests(const struct soda_watch *w, const struct http_reply *reply)
{
	struct buf stamp = { 0 };
	bool rests;

	soda_stamp(&stamp, reply);
	rests = stamp.len > 0 && str_eq(buf_all(&stamp), buf_all(&w->stamp));
	buf_free(&stamp);
	return rests;
}

bool
soda_watch_overruns(const struct soda_watch *w)
{
	return w->counted && w->rows > w->total && w->rows - w->total > w->drift;
}

static void
compare_counts(struct soda_watch *w, unsigned long long now)
{
	unsigned long long wanted = smaller(now, w->limit);

	w->changed = w->changed || now != w->count;
	if (w->changed && !may_change(w))
		die(EX_TEMPFAIL, "%s: changed while it was read, from %llu rows to %llu: run again", w->soda->dataset, w->count, now);
	if (apart(w->rows, wanted) > w->drift || apart(w->rows, w->total) > w->drift)
		die(w->changed ? EX_TEMPFAIL : EX_PROTOCOL, "%s: %llu rows read, but the source counts %llu (%llu at first): "
		    "run again, or see --allow-drift", w->soda->dataset, w->rows, wanted, w->total);
	if (w->rows != wanted)
		note("%s: %llu rows read, the source counts %llu: within --allow-drift", w->soda->dataset, w->rows, wanted);
}

void
soda_watch_end(struct soda_watch *w)
{
	struct buf stamp = { 0 };

	if (w->counted) {
		unsigned long long now = soda_count(w->soda, w->where, &stamp);

		compare_stamp(w, &stamp);
		compare_counts(w, now);
	}
	buf_free(&stamp);
	buf_free(&w->stamp);
}
