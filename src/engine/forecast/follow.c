/*
 * follow.c
 *		One series forecast again and again while its points come, which need not
 *		be those of the series: an anomaly should leave nothing behind.
 *
 * Frames of the ends before are kept, so that an end that is whole patches
 * behind the last one costs one frame.  Not so of months whose days count: all
 * points change with what those before an end say of the days.
 */
#include "forecast/forecaster.h"

#include <string.h>

struct rnn_follower
{
	rnn_forecaster *forecaster;
	rnn_series	series;
	double	   *own,			/* (n) points of the series, those behind an end as they are given, */
			   *raw,			/* and as frames take them */
			   *x;
	double	   *q;				/* (horizon, Q) */
};

/* The forecaster's own block comes last; NULL where the arena only measures, or is too small. */
static rnn_follower *
lay_out(int64_t n, int horizon, size_t forecaster, void **block, rnn_arena *a)
{
	rnn_follower *w = arena_new(a, rnn_follower, 1),
				built = {.forecaster = NULL};

	built.own = arena_new(a, double, n);
	built.raw = arena_new(a, double, n);
	built.x = arena_new(a, double, n);
	built.q = arena_new(a, double, (size_t) horizon * RNN_QUANTILES);
	*block = arena_new(a, char, forecaster);
	if (a->base == NULL || a->failed)
		return NULL;
	*w = built;
	return w;
}

rnn_status
rnn_follow_size(const rnn_model *m, int64_t n, int horizon, size_t *size, rnn_error *err)
{
	rnn_arena	a;
	size_t		forecaster;
	void	   *block;

	RNN_TRY(rnn_forecast_size(m, 1, n, horizon, &forecaster, err));
	rnn_arena_init(&a, NULL, 0);
	lay_out(n, horizon, forecaster, &block, &a);
	if (a.failed)
		return rnn_fail(err, RNN_ERR_MEMORY, "forecasting", (double) n, 0, 0);
	*size = a.used;
	return RNN_OK;
}

/* Points that may be written, in place of those that may be the series'. */
static void
own_points(rnn_follower *w)
{
	rnn_points *p = w->forecaster->points;

	memcpy(w->raw, p->raw, sizeof(double) * p->n);
	memcpy(w->x, p->x, sizeof(double) * p->n);
	p->raw = w->raw;
	p->x = w->x;
}

rnn_status
rnn_follow_begin(const rnn_model *m, const rnn_series *s, int horizon, void *block, size_t size,
				 rnn_follower **follower, rnn_error *err)
{
	rnn_arena	a;
	rnn_follower *w;
	size_t		forecaster;
	void	   *rest;

	RNN_TRY(rnn_forecast_size(m, 1, s->n, horizon, &forecaster, err));
	rnn_arena_init(&a, block, size);
	w = *follower = lay_out(s->n, horizon, forecaster, &rest, &a);
	if (w == NULL)
		return rnn_fail(err, RNN_ERR_MEMORY, "forecasting", (double) size, 0, 0);
	memcpy(w->own, s->x, sizeof(double) * s->n);
	w->series = *s;
	w->series.x = w->own;
	RNN_TRY(rnn_forecast_begin(m, &w->series, 1, horizon, rest, forecaster, w->q, &w->forecaster, err));
	own_points(w);
	return RNN_OK;
}

/* Point k as frames take it. */
static void
ready_point(rnn_follower *w, int64_t k)
{
	const rnn_forecaster *f = w->forecaster;

	w->raw[k] = w->x[k] = rnn_series_ready(&f->model->config, &f->source->series, k, w->own[k]) / f->points->unit;
}

void
rnn_follow_take(rnn_follower *w, int64_t k, double x)
{
	w->own[k] = x;
	ready_point(w, k);
}

/* What days add is what the points before an end say of it. */
static void
fit_days(rnn_follower *w, int64_t e)
{
	rnn_forecaster *f = w->forecaster;
	rnn_series	before = w->series;

	before.n = e;
	rnn_trading_fit(&before);
	memcpy(f->source->series.trading, before.trading, sizeof(before.trading));
	for (int64_t k = 0; k < e; k++)
		ready_point(w, k);
	rnn_strips_forget(&f->view.strips);
	if (f->model->prior_net)
		rnn_strips_forget(&f->prior.own);
}

rnn_status
rnn_follow_next(rnn_follower *w, int64_t e, double *medians, rnn_error *err)
{
	rnn_forecaster *f = w->forecaster;
	bool		done = false;

	if (f->model->config.trading_days > 0 && w->series.days)
		fit_days(w, e);
	f->ends[0].e = e;
	f->at = 0;
	while (!done)
		RNN_TRY(rnn_forecast_step(f, &done, err));
	for (int j = 0; j < f->horizon; j++)
		medians[j] = w->q[(int64_t) j * RNN_QUANTILES + RNN_MEDIAN];
	return RNN_OK;
}
