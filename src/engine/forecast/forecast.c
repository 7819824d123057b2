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
#include "forecast/forecast.h"
#include "view/frame.h"
#include "forecast/prior.h"
#include "kernel/kernel.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define S RNN_BLOCK
#define Q RNN_QUANTILES
#define M RNN_MEDIAN
#define PIECES 8				/* times that a network is run in one step */
#define PRIOR_BATCH 32			/* series that the prior forecasts at once */

/* Scratch of one call; laid out for `count` series of up to `longest` points. */
typedef struct Forecaster
{
	const rnn_model *model;
	rnn_shape	shape;
	rnn_frame_plan plan;
	rnn_net		net;
	rnn_prior_net prior;
	int			count,
				T;				/* steps of a chunk */
	rnn_points *points;			/* (count) */
	real	   *frame;			/* (width) */
	rnn_scale  *scales;			/* (count) */
	real	   *last;			/* (count, width) the first member's last frames, which have the mix */
	rnn_scale  *last_scales;	/* (count) theirs */
	rnn_said   *said;			/* (count) the prior's */
	real	   *prior_q;
	double	   *work;
	real	   *q;				/* (trained horizon, Q) */
	real	   *weights;		/* (P) of a member, as real */
	double	   *ref;			/* (R, horizon) beyond the trained one */
	double	   *ref_work;
	double	   *extended;		/* (2, longest + horizon) history and own forecasts: raw, filled */
	bool		failed;			/* what was measured is not enough */
} Forecaster;

static bool
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

/* Of the mix in the forecast of a series of n points. */
static double
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

/* Shapes of a member: its own patch and context, all else shared. */
static void
member_shape(Forecaster *f, int member)
{
	rnn_config	cfg = f->model->config;

	if (member >= 0 && member < f->model->n_members)
	{
		cfg.patch = f->model->member[member].patch;
		cfg.context = f->model->member[member].context;
	}
	cfg.seasons_given = f->model->n_seasons;
	memcpy(cfg.seasons, f->model->seasons, sizeof(cfg.seasons));
	rnn_shape_init(&f->shape, &cfg);
	f->shape.stop = f->model->stop;
	rnn_frame_plan_init(&f->plan, &f->shape, &cfg);
	f->T = cfg.context / cfg.patch < cfg.bptt ? cfg.context / cfg.patch : cfg.bptt;
}

/* Room for any member: each is laid out in the same scratch. */
static void
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

/* Mix's seasons and horizon; the prior runs before any member, in the same scratch. */
static void
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

/* Whether a member's net finds the frames of the one before in the same places. */
static bool
frames_stay(const Forecaster *f, int member)
{
	const rnn_member *m = &f->model->member[member];

	return member > 0 && m[-1].patch == m->patch && m[-1].context == m->context &&
		m->context / m->patch <= f->T;
}

static void
load_covariates(Forecaster *f, int t, int b, int64_t e, bool ahead)
{
	rnn_covariates_load(&f->net, (int64_t) t * f->count + b, &f->plan, e >= 1 ? &f->points[b] : NULL, e, ahead, false);
}

/* Steps of the context into the net, then the head at the last. */
static void
run_network(Forecaster *f, int member, const real *w)
{
	int			P = f->shape.patch,
				K = f->plan.context / P,
				B = f->count;
	bool		loaded = frames_stay(f, member);

	rnn_net_pack(&f->net, w);
	rnn_net_reset(&f->net, B);
	for (int from = 0; from < K; from += f->T)
	{
		int			T = K - from < f->T ? K - from : f->T;
		bool		last = from + T == K;

		for (int b = 0; b < B && !loaded; b++)
		{
			rnn_frame_begin(&f->plan, f->points[b].n, f->work);
			for (int t = 0; t < T && !rnn_stopped(f->shape.stop); t++)
			{
				int64_t		e = f->points[b].n - (int64_t) (K - 1 - from - t) * P;

				if (e >= 1)
					rnn_frame_compute(&f->plan, &f->points[b], e, f->frame, &f->scales[b], f->work);
				if (member == 0 && last && t == T - 1)
				{
					memcpy(f->last + b * f->plan.width, f->frame, sizeof(real) * f->plan.width);
					f->last_scales[b] = f->scales[b];
				}
				rnn_frame_load(&f->net, (int64_t) t * B + b, e >= 1 ? f->frame : NULL, false);
				load_covariates(f, t, b, e, last && t == T - 1);
			}
		}
		rnn_net_forward(&f->net, w, T, B, last ? T - 1 : T, NULL);
		if (!last)
			rnn_net_carry(&f->net, T, B);
		else
			f->net.max_T = T;	/* rows of the head begin at (T - 1) B */
	}
}

static const real *
weights_of(Forecaster *f, int member)
{
#ifdef RNN_DOUBLE
	for (int64_t i = 0; i < f->shape.params; i++)
		f->weights[i] = f->model->member[member].weights[i];
	return f->weights;
#else
	return f->model->member[member].weights;
#endif
}

/* What the prior says at the end of every series that the mix has a share in. */
static void
run_prior(Forecaster *f, rnn_arena scratch, int64_t longest)
{
	int64_t		size = (int64_t) rnn_prior_steps(f->model->prior_net, f->model->config.horizon) * Q;

	lay_out_prior(f, longest, &scratch);
	f->failed |= scratch.failed;
	for (int from = 0; !f->failed && from < f->count; from += PRIOR_BATCH)
	{
		int			count = f->count - from < PRIOR_BATCH ? f->count - from : PRIOR_BATCH;
		rnn_end		ends[PRIOR_BATCH];

		for (int k = 0; k < count; k++)
		{
			int			b = from + k;

			ends[k] = (rnn_end) {&f->points[b], f->points[b].n};
			f->said[b].q = mix_share(f->model, ends[k].e) > 0 && rnn_prior_applies(f->model->prior_net, &ends[k]) ?
				f->prior_q + b * size : NULL;
		}
		rnn_prior_net_run(&f->prior, ends, count, f->said + from);
	}
}

/* Adds share x the quantiles, in the units of the points, to out (horizon,Q). */
static void
add_quantiles(const Forecaster *f, int b, double share, int h, double *out)
{
	rnn_scale	s = f->scales[b];

	for (int64_t k = 0; k < (int64_t) h * Q; k++)
		out[k] += share * (s.a + s.s * f->q[k]);
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

/*
 * The mix beyond the trained horizon: q (Q) at step j of `horizon`, from the
 * mix and references of that horizon.  The gaps follow the lead time's power
 * between the halves, at most its square root.
 */
static void
long_row(const Forecaster *f, const rnn_mix *mix, int horizon, int j, double *q)
{
	double		middle = 0,
				near = fmax(mix->spread[0], DBL_MIN),
				power = fmin(fmax(log(fmax(mix->spread[1], DBL_MIN) / near) / log(3.0), 0), 0.5),
				spread = near * pow((j + 0.5) / fmax(horizon / 4.0, 0.5), power);

	for (int r = 0; r < RNN_REFS; r++)
		if (mix->present[r] && mix->weight[r] > 0)
			middle += mix->weight[r] * f->ref[(int64_t) r * horizon + j];
	q[M] = middle;
	for (int k = M + 1; k < Q; k++)
		q[k] = q[k - 1] + rnn_base_gap[k] * spread;
	for (int k = M - 1; k >= 0; k--)
		q[k] = q[k + 1] - rnn_base_gap[k] * spread;
}

/*
 * Steps trained .. horizon - 1: the mix of the whole horizon, moved and widened
 * at first so that it continues the last trained step, the difference halving
 * every trained horizon.
 */
static void
extend_by_mix(Forecaster *f, int b, int horizon, double *out)
{
	const rnn_model *m = f->model;
	const rnn_points *pts = &f->points[b];
	int			h = m->config.horizon;
	double		last[Q],
				gap[Q],
				row[Q];
	rnn_mix		mix;
	int64_t		reach = rnn_mix_reach(m->seasons, m->n_seasons, horizon),
				n = pts->n < reach ? pts->n : reach;

	rnn_mix_at(pts->x + pts->n - n, n, horizon, m->seasons, m->n_seasons, m->config.kappa,
			   &mix, f->ref, f->ref_work);
	long_row(f, &mix, horizon, h - 1, last);
	for (int k = 0; k < Q; k++)
		gap[k] = (out[(int64_t) (h - 1) * Q + k] - out[(int64_t) (h - 1) * Q + M]) - (last[k] - last[M]);
	gap[M] = out[(int64_t) (h - 1) * Q + M] - last[M];
	for (int j = h; j < horizon; j++)
	{
		double		fade = pow(0.5, (double) (j - h + 1) / h);

		long_row(f, &mix, horizon, j, row);
		for (int k = 0; k < Q; k++)
			out[(int64_t) j * Q + k] = row[k] + fade * (gap[M] + (k == M ? 0 : gap[k]));
	}
}

/* Lays a member out in the scratch. */
static bool
enter_member(Forecaster *f, int member, int64_t longest, rnn_arena scratch)
{
	lay_out_member(f, member, longest, &scratch);
	f->failed |= scratch.failed;
	return !f->failed;
}

static void
forecast_trained(Forecaster *f, rnn_arena member_scratch, int64_t longest, int h, int64_t stride, double *out)
{
	const rnn_model *m = f->model;

	for (int b = 0; b < f->count; b++)
		memset(out + b * stride, 0, sizeof(double) * h * Q);
	if (m->prior_net)
		run_prior(f, member_scratch, longest);
	for (int i = 0; has_network(m) && i < m->n_members; i++)
	{
		if (!enter_member(f, i, longest, member_scratch))
			return;
		run_network(f, i, weights_of(f, i));
		for (int b = 0; b < f->count; b++)
		{
			double		share = 1 - mix_share(m, f->points[b].n);

			if (share == 0)
				continue;
			rnn_net_quantiles(&f->net, (int64_t) (f->net.max_T - 1) * f->count + b, f->q);
			add_quantiles(f, b, share / m->n_members, h, out + b * stride);
		}
	}
	if (m->config.skip && enter_member(f, 0, longest, member_scratch))
	{
		for (int b = 0; b < f->count; b++)
		{
			double		share = mix_share(m, f->points[b].n);
			real	   *frame = f->last + b * f->plan.width;

			if (share == 0)
				continue;
			if (has_network(m))
				f->scales[b] = f->last_scales[b];
			else
			{
				rnn_frame_begin(&f->plan, f->points[b].n, f->work);
				rnn_frame_compute(&f->plan, &f->points[b], f->points[b].n, frame, &f->scales[b], f->work);
			}
			rnn_frame_mix(&f->plan, frame, m->mix_spread, f->q);
			if (m->prior_net)
				rnn_prior_blend(m->prior_net, &f->said[b], f->scales[b], m->config.horizon, f->q);
			add_quantiles(f, b, share, h, out + b * stride);
		}
	}
}

/*
 * One series, the network alone, fed with its own medians: rows done .. done +
 * h - 1 of out, as far as the horizon goes.
 */
static void
extend_by_feeding(Forecaster *f, rnn_arena scratch, int b, int64_t longest, int done, int horizon,
				  double *out)
{
	int			h = f->model->config.horizon,
				rows = horizon - done < h ? horizon - done : h;
	double		widen = sqrt((double) (done + h) / h);
	rnn_points	all = f->points[b],
				grown;
	double	   *raw = f->extended,
			   *x = raw + all.n + done;
	Forecaster	one = *f;

	memcpy(raw, all.raw, sizeof(double) * all.n);
	memcpy(x, all.x, sizeof(double) * all.n);
	for (int j = 0; j < done; j++)
		raw[all.n + j] = x[all.n + j] = out[(int64_t) j * Q + M];
	grown = all;
	grown.raw = raw;
	grown.x = x;
	grown.n = all.n + done;
	one.count = 1;
	one.points = &grown;
	forecast_trained(&one, scratch, longest, rows, 0, out + (int64_t) done * Q);
	f->failed |= one.failed;
	for (int j = done; j < done + rows; j++)
	{
		double	   *q = out + (int64_t) j * Q,
					centre = q[M];

		for (int k = 0; k < Q; k++)
			q[k] = centre + widen * (q[k] - centre);
	}
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
