/*
 * forecast.c
 *		From a model and histories to quantiles.
 *
 * The mix is formed for every series.  Where the model has networks their
 * quantiles are averaged, blended with the mix's by the validated weight and
 * widened by the calibration.  Beyond the trained horizon the mix goes on
 * alone; the network's last correction fades into it.
 *
 * Without the mix (skip: false) there is nothing to go on with: the network's
 * own medians are appended to the history and it forecasts again, as textbooks
 * do, with intervals that widen with the square root of the lead time.
 */
#include "forecast/forecaster.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define S RNN_BLOCK
#define Q RNN_QUANTILES
#define M RNN_MEDIAN
#define PIECES 8				/* times that a network is run in one step */

bool
has_network(const rnn_model *m)
{
	return m->n_members > 0 && m->weight > 0;
}

/* With fewer points the frames are next to nothing, and none was judged. */
bool
rnn_network_applies(const rnn_model *m, int64_t n)
{
	return has_network(m) && (!m->config.skip || n >= RNN_LEAST_HISTORY);
}

double
rnn_network_weight(const rnn_model *m, int64_t n)
{
	return n < m->short_below ? m->weight_short : m->weight;
}

double
mix_share(const rnn_model *m, int64_t n)
{
	return !rnn_network_applies(m, n) ? 1 : m->config.skip ? 1 - rnn_network_weight(m, n) : 0;
}

int64_t
rnn_history_reach(const rnn_model *m)
{
	int64_t		reach = rnn_mix_reach(m->seasons, m->n_seasons, m->config.horizon),
				most = m->config.context;

	for (int i = 0; i < m->n_members; i++)
		if (m->member[i].context > most)
			most = m->member[i].context;
	if (m->prior_net && m->prior_net->cfg.context > most)
		most = m->prior_net->cfg.context;
	return reach + most;
}

/*
 * Shapes of a member: its own patch and steps, all else shared.  Its frames are
 * those of the model's context, as they were when it was trained.
 */
static void
member_shape(Forecaster *f, int member)
{
	rnn_config	cfg = f->model->config;
	int			context = cfg.context;

	if (member >= 0 && member < f->model->n_members)
	{
		cfg.patch = f->model->member[member].patch;
		context = f->model->member[member].context;
	}
	cfg.seasons_given = f->model->n_seasons;
	memcpy(cfg.seasons, f->model->seasons, sizeof(cfg.seasons));
	rnn_shape_init(&f->shape, &cfg);
	f->shape.stop = f->model->stop;
	rnn_frame_plan_init(&f->plan, &f->shape, &cfg);
	f->K = context / cfg.patch;
	f->T = (int) rnn_min(f->K, cfg.bptt);
}

void
lay_out_member(Forecaster *f, int member, int64_t longest, rnn_arena *a)
{
	member_shape(f, member);
	f->frame = arena_new(a, real, f->plan.width);
	f->work = arena_new(a, double, rnn_frame_work(&f->plan, longest));
	if (!has_network(f->model))
		return;
	rnn_net_init(&f->net, &f->shape, f->T, f->count, false, a);
#ifdef RNN_DOUBLE
	f->weights = arena_new(a, real, f->shape.params);
#endif
}

void
lay_out_prior(Forecaster *f, int64_t longest, rnn_arena *a)
{
	rnn_config	cfg = f->model->config;

	cfg.seasons_given = f->model->n_seasons;
	memcpy(cfg.seasons, f->model->seasons, sizeof(cfg.seasons));
	rnn_prior_net_init(&f->prior, f->model->prior_net, &cfg, longest, f->count < PRIOR_BATCH ? f->count : PRIOR_BATCH, a);
}

static void
lay_out(Forecaster *f, int64_t longest, int horizon, rnn_arena *a, rnn_arena *member_scratch)
{
	int			trained = f->model->config.horizon;
	size_t		most = 0;

	f->scales = arena_new(a, rnn_scale, f->count);
	f->last_scales = arena_new(a, rnn_scale, f->count);
	member_shape(f, 0);
	f->last = arena_new(a, real, f->count * f->plan.width);
	f->q = arena_new(a, real, (size_t) trained * Q);
	if (f->model->prior_net)
	{
		f->said = arena_new(a, rnn_said, f->count);
		f->prior_q = arena_new(a, real, (size_t) f->count * rnn_prior_steps(f->model->prior_net, trained) * Q);
	}
	if (f->model->config.skip && horizon > trained)
	{
		f->ref = arena_new(a, double, (size_t) RNN_REFS * horizon);
		f->ref_work = arena_new(a, double, rnn_mix_work(longest, horizon));
	}
	if (!f->model->config.skip && horizon > trained)
		f->extended = arena_new(a, double, 2 * (longest + horizon));
	*member_scratch = *a;
	for (int i = 0; i < (has_network(f->model) ? f->model->n_members : 1); i++)
	{
		rnn_arena	scratch = *a;

		lay_out_member(f, i, longest + horizon, &scratch);
		most = scratch.used > most ? scratch.used : most;
		a->failed |= scratch.failed;
	}
	if (f->model->prior_net)
	{
		rnn_arena	scratch = *a;

		lay_out_prior(f, longest + horizon, &scratch);
		most = scratch.used > most ? scratch.used : most;
		a->failed |= scratch.failed;
	}
	a->used = most;
}

/* Rows of covariates behind the last point that a forecast may look at. */
static int64_t
covariate_rows(const rnn_model *m, int horizon)
{
	return horizon + m->config.horizon + 2 * S;
}

rnn_status
rnn_forecast_size(const rnn_model *m, int count, int64_t longest, int horizon, size_t *size, rnn_error *err)
{
	Forecaster	f = {.model = m,.count = count};
	rnn_arena	a,
				scratch;

	if (horizon < 1 || horizon > RNN_MAX_HORIZON)
		return rnn_fail(err, RNN_ERR_RANGE, "horizon", horizon, 1, RNN_MAX_HORIZON);
	rnn_arena_init(&a, NULL, 0);
	lay_out(&f, longest, horizon, &a, &scratch);
	/* copies of the series, transformed, scaled and filled, and prepared covariates, and their alignment */
	*size = a.used + (size_t) count * ((rnn_changes_series(&m->config) ? 3 : 2) * longest * sizeof(double) + sizeof(rnn_points) + 384 +
									   (longest + covariate_rows(m, horizon)) * rnn_covariates_width(&f.shape) * sizeof(real));
	return RNN_OK;
}

static double
bounded(double x)
{
	return x > DBL_MAX ? DBL_MAX : x < -DBL_MAX ? -DBL_MAX : x;
}

/* The calibration's factor at step j of the trained horizon. */
static double
calibration(const rnn_model *m, int j, int k)
{
	int			h = m->config.horizon,
				band = j >= h ? RNN_BANDS - 1 : j * RNN_BANDS / h,
				pair = k < M ? k : Q - 1 - k;

	return m->calibration[band][pair];
}

/*
 * Widen, keep the order of the quantiles, and go back to the series as it is.
 * False where the network left the range of numbers, as weights that are
 * large enough make it do.
 */
static bool
finish_row(const rnn_model *m, const rnn_config *cfg, int j, double unit, double *q)
{
	double		centre = q[M];

	for (int k = 0; k < Q; k++)
		if (k != M)
			q[k] = centre + calibration(m, j, k) * (q[k] - centre);
	/* Before fmax and fmin, which pass over NaN. */
	for (int k = 0; k < Q; k++)
		if (!isfinite(q[k]))
			return false;
	for (int k = M + 1; k < Q; k++)
		q[k] = fmax(q[k], q[k - 1]);
	for (int k = M - 1; k >= 0; k--)
		q[k] = fmin(q[k], q[k + 1]);
	for (int k = 0; k < Q; k++)
		q[k] = rnn_within_bounds(cfg, rnn_restore(cfg, bounded(q[k] * unit)));
	return true;
}

/* All rows of a series, out (horizon,Q).  What never changed is forecast as what it is, to the last digit. */
static bool
finish_series(const rnn_model *m, const rnn_series *s, const rnn_points *pts, int horizon, double *out)
{
	rnn_config	cfg = rnn_config_for_series(&m->config, s);
	rnn_series	prepared = {.n = pts->n,.x = pts->raw};
	int64_t		known = 0;

	for (int j = 0; j < horizon; j++)
		if (!finish_row(m, &cfg, j, pts->unit, out + (int64_t) j * Q))
			return false;
	if (!rnn_series_is_constant(&prepared))
		return true;
	while (isnan(s->x[known]))
		known++;
	for (int64_t k = 0; k < (int64_t) horizon * Q; k++)
		out[k] = rnn_within_bounds(&cfg, s->x[known]);
	return true;
}

/* The next rows of every series: the trained ones first. */
static void
more_rows(Forecaster *f, rnn_arena scratch, int64_t longest, int horizon, int *done, double *out)
{
	int64_t		stride = (int64_t) horizon * Q;
	int			trained = f->model->config.horizon,
				h = horizon < trained ? horizon : trained;

	if (*done == 0)
	{
		forecast_trained(f, scratch, longest + horizon, h, stride, out);
		*done = h;
		return;
	}
	for (int b = 0; b < f->count && !rnn_stopped(f->model->stop); b++)
		if (f->model->config.skip)
			extend_by_mix(f, b, horizon, out + b * stride);
		else
			extend_by_feeding(f, scratch, b, longest + horizon, *done, horizon, out + b * stride);
	*done = f->model->config.skip || horizon - *done < h ? horizon : *done + h;
}

rnn_status
rnn_forecast_step(const rnn_model *m, const rnn_series *series, int count, int horizon,
				  void *block, size_t size, int *done, double *out, rnn_error *err)
{
	Forecaster	f = {.model = m,.count = count};
	rnn_arena	a,
				scratch;
	int64_t		longest = 1;

	if (horizon < 1 || horizon > RNN_MAX_HORIZON)
		return rnn_fail(err, RNN_ERR_RANGE, "horizon", horizon, 1, RNN_MAX_HORIZON);
	for (int b = 0; b < count; b++)
	{
		if (series[b].n < 1)
			return rnn_fail(err, RNN_ERR_DATA, "a series without a known value can't be forecast", b, 0, 0);
		longest = series[b].n > longest ? series[b].n : longest;
	}
	rnn_arena_init(&a, block, size);
	f.points = arena_new(&a, rnn_points, count);
	for (int b = 0; !a.failed && b < count; b++)
	{
		rnn_series	s = rnn_series_prepare(&m->config, &series[b], &a);

		if (!a.failed)
			rnn_points_init(&f.points[b], &s, &a);
	}
	member_shape(&f, 0);
	for (int b = 0; !a.failed && has_network(m) && b < count; b++)
		rnn_points_covariates(&f.points[b], &series[b], &f.plan, covariate_rows(m, horizon), &a);
	if (!a.failed)
		lay_out(&f, longest, horizon, &a, &scratch);
	if (a.failed)
		return rnn_fail(err, RNN_ERR_MEMORY, "forecasting", (double) size, 0, 0);
	/* Laying out again for each piece costs as much as some of its rows. */
	for (int i = 0; i < PIECES && *done < horizon; i++)
		more_rows(&f, scratch, longest, horizon, done, out);
	if (f.failed)
		return rnn_fail(err, RNN_ERR_MEMORY, "forecasting", (double) size, 0, 0);
	if (rnn_stopped(m->stop))
		return rnn_fail(err, RNN_ERR_STOPPED, "forecasting", 0, 0, 0);
	for (int b = 0; *done == horizon && b < count; b++)
		if (!finish_series(m, &series[b], &f.points[b], horizon, out + (int64_t) b * horizon * Q))
			return rnn_fail(err, RNN_ERR_NUMERIC, "the network's forecast", NAN, 0, 0);
	return RNN_OK;
}

rnn_status
rnn_forecast(const rnn_model *m, const rnn_series *series, int count, int horizon,
			 void *block, size_t size, double *out, rnn_error *err)
{
	int			done = 0;

	do
		RNN_TRY(rnn_forecast_step(m, series, count, horizon, block, size, &done, out, err));
	while (done < horizon);
	return RNN_OK;
}
