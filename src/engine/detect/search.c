/*
 * search.c
 *		The searches that come before a training, one after the other.
 */
#include "detect/search.h"

#include <string.h>

#define USUAL_HORIZON 12		/* as long as it is not known */

enum
{
	SEARCH_SEASONS, SEARCH_CURVE, SEARCH_POOL, SEARCH_DONE
};

bool
rnn_search_pools(const rnn_config *asked, int count)
{
	return asked->skip && asked->pooling != 0 && count >= RNN_POOL_LEAST;
}

bool
rnn_search_needed(const rnn_config *asked, int count)
{
	return asked->seasons_given < 0 || asked->transform == RNN_TRANSFORM_AUTO || rnn_search_pools(asked, count);
}

void
rnn_search_begin(rnn_search *s, const rnn_config *asked, const rnn_summary *summary, const rnn_series *series, int count,
				 const int *hints, int n_hints)
{
	memset(s, 0, sizeof(*s));
	s->asked = asked;
	s->summary = summary;
	s->series = series;
	s->count = count;
	s->hints = hints;
	s->n_hints = n_hints;
}

static int
horizon_of(const rnn_search *s)
{
	return s->asked->horizon > 0 ? s->asked->horizon : USUAL_HORIZON;
}

/* The following return whether their search is over. */

static bool
search_seasons(rnn_search *s, rnn_arena *scratch, bool hurry)
{
	rnn_found  *found = &s->found;
	int			h = horizon_of(s);

	if (s->asked->seasons_given > 0)
	{
		found->n = s->asked->seasons_given;
		memcpy(found->season, s->asked->seasons, sizeof(found->season));
		return true;
	}
	if (!s->begun)
	{
		double	   *work = arena_new(scratch, double, rnn_seasons_work(s->series, s->count, h));

		if (scratch->failed)
			return false;
		rnn_seasons_begin(&s->seasons, s->series, s->count, h, s->hints, s->n_hints, s->asked->kappa, work);
	}
	if (!hurry && !rnn_seasons_step(&s->seasons))
		return false;
	found->n = rnn_seasons_end(&s->seasons, found->season);
	return true;
}

static bool
search_curve(rnn_search *s, rnn_arena *scratch, bool hurry)
{
	rnn_found  *found = &s->found;
	int			h = horizon_of(s);

	found->transform = s->asked->transform;
	if (s->asked->transform != RNN_TRANSFORM_AUTO)
		return true;
	if (!s->begun)
	{
		double	   *work = arena_new(scratch, double, rnn_curve_work(s->series, s->count, h));

		if (scratch->failed)
			return false;
		rnn_curve_begin(&s->curve, s->asked, s->series, s->count, h, found->season, found->n, work);
	}
	if (!hurry && !rnn_curve_step(&s->curve))
		return false;
	found->transform = rnn_curve_end(&s->curve);
	return true;
}

/* As the mix is going to be. */
static void
begin_pool(rnn_search *s, rnn_arena *scratch)
{
	rnn_config	cfg = *s->asked;
	double	   *work;

	cfg.seasons_given = s->found.n;
	memcpy(cfg.seasons, s->found.season, sizeof(cfg.seasons));
	/* One that was asked for is made already. */
	cfg.transform = s->asked->transform == RNN_TRANSFORM_AUTO ? s->found.transform : RNN_TRANSFORM_NONE;
	rnn_config_resolve(&cfg, s->summary);
	work = arena_new(scratch, double, rnn_pool_work(s->series, s->count, cfg.horizon));
	if (!scratch->failed)
		rnn_pool_begin(&s->pool, &cfg, s->series, s->count, work);
}

static bool
search_pool(rnn_search *s, rnn_arena *scratch, bool hurry)
{
	rnn_found  *found = &s->found;

	found->pooling = 0;
	if (!rnn_search_pools(s->asked, s->count))
		return true;
	if (!s->begun)
		begin_pool(s, scratch);
	if (scratch->failed || (!hurry && !rnn_pool_step(&s->pool)))
		return false;
	found->pooling = rnn_pool_end(&s->pool, found->pooled);
	return true;
}

bool
rnn_search_step(rnn_search *s, rnn_arena scratch, bool hurry)
{
	bool		known = s->stage == SEARCH_SEASONS ? search_seasons(s, &scratch, hurry)
		: s->stage == SEARCH_CURVE ? search_curve(s, &scratch, hurry) : search_pool(s, &scratch, hurry);

	s->begun = !known;
	s->stage += known;
	return !scratch.failed;
}

rnn_found *
rnn_search_found(rnn_search *s)
{
	return s->stage == SEARCH_DONE ? &s->found : NULL;
}
