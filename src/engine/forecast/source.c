/*
 * source.c
 *		The series that are forecast, brought into the form that frames want, and
 *		the way back from there.
 *
 * What an origin is forecast from must not depend on what lies behind it.  Frames
 * see to that but for four things, which look at a whole series: gaps that are
 * interpolated, the power of two that brings its values into range, what the days
 * of months add, and the bounds of what is forecast.  Where one of the first three
 * would differ an origin gets a source of its own, cut there; the last is counted
 * up to each end, from as far back as a model keeps its history.
 */
#include "forecast/forecaster.h"

#include <math.h>
#include <string.h>

#define Q RNN_QUANTILES
#define M RNN_MEDIAN
#define BEYOND 1.5				/* of logarithms: 4.5 times */

/* Of the known values of a series before a point. */
typedef struct Range
{
	const rnn_series *series;
	int64_t		n;
	double		low,
				high;
} Range;

static void
range_to(Range *r, const rnn_series *s, int64_t n)
{
	if (r->series != s || r->n > n)
		*r = (Range) {.series = s,.low = INFINITY,.high = -INFINITY};
	for (; r->n < n; r->n++)
	{
		r->low = fmin(r->low, s->x[r->n]);
		r->high = fmax(r->high, s->x[r->n]);
	}
}

/* The unit of points of such values: what transforms them rises. */
static double
unit_of(const rnn_config *cfg, const Range *r)
{
	bool		zero = cfg->gaps == RNN_GAPS_ZERO;
	double		low = rnn_transform(cfg, zero ? fmin(r->low, 0) : r->low),
				high = rnn_transform(cfg, zero ? fmax(r->high, 0) : r->high);

	return rnn_unit(fmax(fabs(low), fabs(high)));
}

/* Whether an origin needs a source of its own; whole and before go on from one origin to the next. */
static bool
is_apart(const Forecaster *f, const rnn_origin *o, Range *whole, Range *before)
{
	const rnn_config *cfg = &f->model->config;
	const rnn_series *s = &f->series[o->series];

	if (o->e == s->n)
		return false;
	if (cfg->trading_days > 0 && s->days)
		return true;
	if (cfg->gaps == RNN_GAPS_INTERPOLATE && isnan(s->x[o->e - 1]))
		return true;
	range_to(whole, s, s->n);
	range_to(before, s, o->e);
	return unit_of(cfg, whole) != unit_of(cfg, before);
}

int
sources_apart(const Forecaster *f)
{
	Range		whole = {0},
				before = {0};
	int			count = 0;

	for (int64_t i = 0; i < f->n; i++)
		count += is_apart(f, &f->origins[i], &whole, &before);
	return count;
}

/* Copies of the series, transformed, scaled and filled, and prepared covariates, and their alignment. */
size_t
source_size(const rnn_model *m, const rnn_shape *shape, int64_t n, int horizon)
{
	return (rnn_changes_series(&m->config) ? 3 : 2) * n * sizeof(double) + sizeof(rnn_points) + sizeof(Source) + 384 +
		(n + covariate_rows(m, horizon)) * rnn_covariates_width(shape) * sizeof(real);
}

/* The points of a series before e, in the next place. */
static void
take_source(Forecaster *f, const rnn_series *s, int64_t e, rnn_arena *a)
{
	const rnn_model *m = f->model;
	int			i = f->sources++;
	rnn_series	part = *s,
				ready;

	part.n = e;
	part.ahead += s->n - e;
	ready = rnn_series_prepare(&m->config, &part, m->stop, a);
	if (a->failed)
		return;
	rnn_points_init(&f->points[i], &ready, a);
	if (has_network(m))
		rnn_points_covariates(&f->points[i], &part, &f->view.plan, covariate_rows(m, f->horizon), a);
	memcpy(part.trading, ready.trading, sizeof(part.trading));
	f->source[i] = (Source) {.series = part,.last = -1,.second = -1,.differs = -1};
}

void
take_sources(Forecaster *f, rnn_arena *a)
{
	int			apart = sources_apart(f);
	Range		whole = {0},
				before = {0};

	f->source = arena_new(a, Source, f->count + apart);
	f->points = arena_new(a, rnn_points, f->count + apart);
	f->ends = arena_new(a, rnn_end, f->n);
	f->sources = 0;
	for (int b = 0; !a->failed && b < f->count; b++)
		take_source(f, &f->series[b], f->series[b].n, a);
	for (int64_t i = 0; !a->failed && i < f->n; i++)
	{
		const rnn_origin *o = &f->origins[i];
		int			from = o->series;

		if (is_apart(f, o, &whole, &before))
		{
			from = f->sources;
			take_source(f, &f->series[o->series], o->e, a);
		}
		f->ends[i] = (rnn_end) {&f->points[from], o->e};
	}
}

/* ---------------------------------------------------------------- and back */

/* The calibration's factor at step j of the trained horizon; correction is NULL where there is none. */
static double
calibration(const rnn_model *m, const float *correction, int j, int k)
{
	int			h = m->config.horizon,
				band = j >= h ? RNN_BANDS - 1 : j * RNN_BANDS / h,
				pair = k < M ? k : Q - 1 - k;

	return correction ? m->calibration[band][pair] * correction[pair] : m->calibration[band][pair];
}

/* What is transformed back. */
typedef struct Limits
{
	double		low,
				high;
} Limits;

/*
 * An exponential function of a wide interval would say anything: none is taken
 * beyond some multiple of the largest of the points first .. end - 1, nor below
 * such a part of the smallest.
 */
static Limits
limits_of(const rnn_config *cfg, const double *x, int64_t first, int64_t end)
{
	double		least = NAN,
				most = NAN;

	if (cfg->transform != RNN_TRANSFORM_LOG && cfg->transform != RNN_TRANSFORM_ASINH)
		return (Limits) {-INFINITY, INFINITY};
	for (int64_t i = first; i < end; i++)
	{
		least = fmin(least, x[i]);
		most = fmax(most, x[i]);
	}
	if (isnan(most))
		return (Limits) {-INFINITY, INFINITY};
	return (Limits) {rnn_transform(cfg, least) - BEYOND, rnn_transform(cfg, most) + BEYOND};
}

/*
 * Widen, keep the order of the quantiles, add what covariates and days do, and go back to the series as it is.
 * False where the network left the range of numbers, as weights that are
 * large enough make it do.
 */
static bool
finish_row(const rnn_model *m, const rnn_config *cfg, const float *correction, int j, const rnn_end *end, const rnn_series *s, Limits limits, double *q)
{
	double		centre = q[M],
				effect = rnn_regression_effect(&cfg->covariates, s, end->e + j),
				factor = rnn_trading_factor(s, end->e + j);

	for (int k = 0; k < Q; k++)
		if (k != M)
			q[k] = centre + calibration(m, correction, j, k) * (q[k] - centre);
	/* Before fmax and fmin, which pass over NaN. */
	for (int k = 0; k < Q; k++)
		if (!isfinite(q[k]))
			return false;
	for (int k = M + 1; k < Q; k++)
		q[k] = fmax(q[k], q[k - 1]);
	for (int k = M - 1; k >= 0; k--)
		q[k] = fmin(q[k], q[k + 1]);
	for (int k = 0; k < Q; k++)
		q[k] = rnn_within_bounds(cfg, rnn_finite(factor * rnn_restore(cfg, fmin(fmax(rnn_finite(q[k] * end->points->unit + effect), limits.low), limits.high))));
	return true;
}

static void
see_points(Source *s, const double *x, int64_t end)
{
	if (s->seen > end)
		*s = (Source) {.series = s->series,.tally = s->tally,.last = -1,.second = -1,.differs = -1};
	for (; s->seen < end; s->seen++)
	{
		if (isnan(x[s->seen]))
			continue;
		s->second = s->last;
		s->last = s->seen;
		if (s->second >= 0 && x[s->second] != x[s->last])
			s->differs = s->second;
	}
}

rnn_config
rnn_forecast_config(const rnn_model *m, rnn_tally *tally, const rnn_series *s, int64_t e)
{
	rnn_config	own;

	rnn_tally_to(tally, s, rnn_max(0, e - rnn_history_reach(m)), e);
	own = rnn_config_by_tally(&m->config, tally);
	/* Sums of what is never below 0 are not either. */
	if (s->sum)
	{
		own.upper = NAN;
		own.lower = own.lower >= 0 ? 0 : NAN;
	}
	return own;
}

/* What never changed is forecast as what it is, to the last digit. */
bool
finish_end(Forecaster *f, const rnn_end *end, const float *correction, double *out)
{
	Source	   *source = &f->source[end->points - f->points];
	const rnn_series *s = &source->series;
	rnn_config	cfg = rnn_forecast_config(f->model, &source->tally, s, end->e);
	int64_t		first = rnn_max(0, end->e - f->reach),
				known = end->e - 1;
	Limits		limits = limits_of(&cfg, s->x, first, end->e);

	if (correction == NULL && f->model->passed > 0)
		correction = f->model->correction;
	for (int j = 0; j < f->made; j++)
		if (!finish_row(f->model, &cfg, correction, j, end, s, limits, out + (int64_t) j * Q))
			return false;
	if (demand_applies(f->model, &cfg, &source->tally))
		blend_demand(f, end, s, &cfg, out);
	/* What covariates add changes in any case. */
	see_points(source, f->model->config.covariates.regression.n > 0 ? s->x : end->points->raw, end->e);
	/* Of one known point nothing is sure. */
	if (source->second < first || source->differs >= first)
		return true;
	while (isnan(s->x[known]))
		known--;
	for (int64_t k = 0; k < (int64_t) f->made * Q; k++)
		out[k] = rnn_within_bounds(&cfg, s->x[known]);
	return true;
}
