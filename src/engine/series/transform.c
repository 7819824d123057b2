/*
 * transform.c
 *		Between a series as it is and what a network is given of it: gaps filled,
 *		values transformed; and back again, within bounds.
 *
 *		log			y = log x
 *		asinh		y = log(z + sqrt(z^2 + 1)), z = x / pivot
 *		box-cox		y = (x^lambda - 1) / lambda, log x where lambda is 0 (Box and Cox 1964)
 *
 * All of them rise, so quantiles come back as quantiles.  The lambda of a panel
 * is that which makes the spread of short segments depend least on their level
 * (Guerrero 1993).  Values that a transform isn't made for are refused by the
 * caller; here they only never become infinite.
 */
#include "series/series.h"

#include <float.h>
#include <math.h>

#define LARGEST 1e300
#define LAMBDA_LOW (-1.0)
#define LAMBDA_STEPS 30			/* of 0.1 */
#define SEGMENT 12				/* points, where there is no season */
#define LONGEST_SEGMENT 64
#define ASKED 40				/* series, */
#define POINTS 2000				/* and the last points of each */
#define BELOW_MEAN 2.0			/* standard deviations of logarithms that the pivot lies below their mean */
#define FEW 0.01				/* share of values that may be 0 or below where asinh is chosen by itself, and that may be 0 below its pivot */
#define ZEROS 0.1				/* share that makes 0 the bound of a series that is never below */

static double
within(double y)
{
	return fmin(fmax(y, -LARGEST), LARGEST);
}

double
rnn_transform(const rnn_config *cfg, double x)
{
	switch ((rnn_transform_kind) cfg->transform)
	{
		case RNN_TRANSFORM_NONE:
		case RNN_TRANSFORM_AUTO:
			break;
		case RNN_TRANSFORM_LOG:
			return log(fmax(x, DBL_MIN));
		case RNN_TRANSFORM_ASINH:
			return asinh(within(x / cfg->pivot));
		case RNN_TRANSFORM_BOX_COX:
			if (cfg->lambda == 0)
				return log(fmax(x, DBL_MIN));
			return within((pow(fmax(x, DBL_MIN), cfg->lambda) - 1) / cfg->lambda);
	}
	return x;
}

double
rnn_restore(const rnn_config *cfg, double y)
{
	double		x = y;

	switch ((rnn_transform_kind) cfg->transform)
	{
		case RNN_TRANSFORM_NONE:
		case RNN_TRANSFORM_AUTO:
			break;
		case RNN_TRANSFORM_LOG:
			x = exp(y);
			break;
		case RNN_TRANSFORM_ASINH:
			x = sinh(y) * cfg->pivot;
			break;
		case RNN_TRANSFORM_BOX_COX:
			/* Beyond what any x becomes lies the end of its range. */
			x = cfg->lambda == 0 ? exp(y) :
				cfg->lambda * y + 1 > 0 ? pow(cfg->lambda * y + 1, 1 / cfg->lambda) :
				cfg->lambda > 0 ? 0 : DBL_MAX;
			break;
	}
	return fmin(fmax(x, -DBL_MAX), DBL_MAX);
}

double
rnn_within_bounds(const rnn_config *cfg, double x)
{
	/* No number is -0. */
	if (cfg->integer)
		x = rint(x) + 0.0;
	/* A bound that is no integer stays one. */
	if (x < cfg->lower)
		x = cfg->integer ? fmin(ceil(cfg->lower), DBL_MAX) : cfg->lower;
	if (x > cfg->upper)
		x = cfg->integer ? floor(cfg->upper) : cfg->upper;
	return x;
}

/* ------------------------------------------------------------------- gaps */

/* Between two known points, the second at `to`. */
static void
interpolate(const double *x, int64_t from, int64_t to, double *out)
{
	for (int64_t i = from + 1; i < to; i++)
	{
		double		a = (double) (to - i),
					b = (double) (i - from);

		out[i] = (a * x[from] + b * x[to]) / (a + b);
		/* The products overflow before their mean does. */
		if (!isfinite(out[i]))
			out[i] = a / (a + b) * x[from] + b / (a + b) * x[to];
	}
}

void
rnn_fill_gaps(const rnn_config *cfg, const double *x, int64_t n, double *out)
{
	int64_t		known = -1;

	for (int64_t i = 0; i < n; i++)
	{
		out[i] = x[i];
		if (!isnan(x[i]))
		{
			if (cfg->gaps == RNN_GAPS_INTERPOLATE && known >= 0)
				interpolate(x, known, i, out);
			known = i;
		}
		else if (cfg->gaps == RNN_GAPS_ZERO)
			out[i] = 0;
		else if (cfg->gaps == RNN_GAPS_PREVIOUS && known >= 0)
			out[i] = x[known];
	}
}

void
rnn_fill_forward(const double *x, int64_t n, double *out)
{
	double		last = NAN;

	for (int64_t i = 0; i < n; i++)
	{
		last = isnan(x[i]) ? last : x[i];
		out[i] = last;
	}
}

bool
rnn_changes_series(const rnn_config *cfg)
{
	return (cfg->transform != RNN_TRANSFORM_NONE && cfg->transform != RNN_TRANSFORM_AUTO) || cfg->covariates.regression.n > 0 || cfg->trading_days > 0 ||
		(cfg->gaps != RNN_GAPS_MASK && cfg->gaps != RNN_GAPS_ERROR);
}

double
rnn_series_ready(const rnn_config *cfg, const rnn_series *s, int64_t row, double x)
{
	return rnn_transform(cfg, x / rnn_trading_factor(s, row)) - rnn_regression_effect(&cfg->covariates, s, row);
}

rnn_series
rnn_series_prepare(const rnn_config *cfg, const rnn_series *s, const rnn_stop *stop, rnn_arena *a)
{
	rnn_series	ready = *s;
	double	   *x;

	if (!rnn_changes_series(cfg))
		return ready;
	if (cfg->trading_days > 0)
		rnn_trading_fit(&ready);
	x = arena_new(a, double, s->n);
	if (x)
		rnn_fill_gaps(cfg, s->x, s->n, x);
	for (int64_t i = 0; x && i < s->n && !rnn_stopped(stop); i++)
		if (!isnan(x[i]))
			x[i] = rnn_series_ready(cfg, &ready, i, x[i]);
	ready.x = x;
	return ready;
}

/* ------------------------------------------------- what is left to be chosen */

/* Mean and standard deviation of a segment (n); false where it says nothing. */
static bool
describe(const double *x, int64_t n, double *mean, double *sd)
{
	double		sum = 0,
				squares = 0;

	for (int64_t i = 0; i < n; i++)
	{
		if (!(x[i] > 0))
			return false;
		sum += x[i] / n;
	}
	for (int64_t i = 0; i < n; i++)
		squares += (x[i] / sum - 1) * (x[i] / sum - 1);
	*mean = sum;
	*sd = sum * sqrt(squares / (n - 1));
	return isfinite(sum) && *sd > 0;
}

/* Variation of sd / mean^(1 - lambda) over the segments of a series, 0 where there are too few. */
static double
variation(const double *x, int64_t n, int64_t segment, double lambda)
{
	double		sum = 0,
				squares = 0;
	int			count = 0;

	for (int64_t from = n % segment; from < n; from += segment)
	{
		double		mean,
					sd,
					ratio;

		if (!describe(x + from, segment, &mean, &sd))
			continue;
		ratio = sd / pow(mean, 1 - lambda);
		sum += ratio;
		squares += ratio * ratio;
		count++;
	}
	if (count < 3 || !(sum > 0) || !isfinite(squares))
		return 0;
	return sqrt(fmax(squares / count - (sum / count) * (sum / count), 0)) / (sum / count);
}

static double
choose_lambda(const rnn_config *cfg, const rnn_series *series, int count, int season)
{
	int			asked = count < ASKED ? count : ASKED;
	int64_t		segment = cfg->seasons_given > 0 ? cfg->seasons[0] : season;
	double		best = INFINITY,
				lambda = 1;

	if (segment < 2 || segment > LONGEST_SEGMENT)
		segment = SEGMENT;
	for (int k = LAMBDA_STEPS; k >= 0; k--)
	{
		double		at = LAMBDA_LOW + k * 0.1,
					sum = 0;

		for (int i = 0; i < asked; i++)
		{
			const rnn_series *s = &series[(int64_t) i * count / asked];
			int64_t		n = s->n < POINTS ? s->n : POINTS;

			sum += variation(s->x + s->n - n, n, segment, at);
		}
		if (sum > 0 && sum < best)
		{
			best = sum;
			lambda = at;
		}
	}
	/* 0.1 has no exact sum */
	return rint(lambda * 10) / 10;
}

/* Logarithms of the sizes of points. */
typedef struct Sizes
{
	double		sum,
				squares;
	int64_t		known,
				zeros;
} Sizes;

static Sizes
sizes_of(const rnn_series *s)
{
	Sizes		all = {0};

	for (int64_t i = s->n > POINTS ? s->n - POINTS : 0; i < s->n; i++)
	{
		double		size = log(fabs(s->x[i]));

		if (s->x[i] == 0)
			all.zeros++;
		else if (!isnan(size))
		{
			all.known++;
			all.sum += size;
			all.squares += size * size;
		}
	}
	return all;
}

/*
 * Nearly all values of all series are to be where asinh is a logarithm, whatever
 * their units: below their sizes, were they log-normal.  But a logarithm would
 * tear zeros away from the others, so where there are more than a few it begins at the
 * geometric mean of all that are none.
 */
static double
choose_pivot(const rnn_series *series, int count)
{
	int			asked = count < ASKED ? count : ASKED;
	double		smallest = INFINITY;
	Sizes		all = {0};

	for (int i = 0; i < asked; i++)
	{
		Sizes		own = sizes_of(&series[(int64_t) i * count / asked]);
		double		mean = own.sum / (double) own.known,
					sd = sqrt(fmax(own.squares / (double) own.known - mean * mean, 0));

		all.sum += own.sum;
		all.known += own.known;
		all.zeros += own.zeros;
		smallest = fmin(smallest, mean - BELOW_MEAN * sd);
	}
	if (all.known == 0)
		return 1;
	return fmin(fmax(exp((double) all.zeros > FEW * (double) all.known ? all.sum / (double) all.known : smallest), 1e-300), 1e300);
}

/* Adds points, or takes them away again. */
static void
tally_points(rnn_tally *t, const double *x, int64_t n, int by)
{
	for (int64_t k = 0; k < n; k++)
	{
		if (isnan(x[k]))
			continue;
		t->known += by;
		t->zeros += by * (x[k] == 0);
		t->below += by * (x[k] < 0);
		t->whole += by * (x[k] == rint(x[k]));
	}
}

void
rnn_tally_to(rnn_tally *t, const rnn_series *s, int64_t first, int64_t end)
{
	if (first < t->first || first > t->end || end < t->end)
		*t = (rnn_tally) {.first = first,.end = first};
	tally_points(t, s->x + t->end, end - t->end, 1);
	tally_points(t, s->x + t->first, first - t->first, -1);
	t->first = first;
	t->end = end;
}

bool
rnn_rests_on_zero(const rnn_tally *t)
{
	return t->below == 0 && t->zeros > 0 && t->zeros >= ZEROS * t->known;
}

/* Whole numbers down to 0 and never below: counts, however large most of them are. */
static bool
is_count(const rnn_tally *t)
{
	return t->below == 0 && t->whole == t->known && t->zeros > 0 && t->known > 1;
}

rnn_config
rnn_config_by_tally(const rnn_config *cfg, const rnn_tally *t)
{
	rnn_config	own = *cfg;

	if (isnan(own.lower) && !(own.upper < 0) && (rnn_rests_on_zero(t) || is_count(t)))
		own.lower = 0;
	return own;
}

bool
rnn_series_is_constant(const rnn_series *s)
{
	double		value = NAN;
	int64_t		known = 0;

	for (int64_t k = 0; k < s->n; k++)
	{
		if (isnan(s->x[k]))
			continue;
		if (known++ == 0)
			value = s->x[k];
		else if (s->x[k] != value)
			return false;
	}
	return known > 1;
}

void
rnn_resolve_output(rnn_config *cfg, const rnn_series *series, int count, int season)
{
	rnn_tally	all = {0};

	if (cfg->transform == RNN_TRANSFORM_BOX_COX && isnan(cfg->lambda))
		cfg->lambda = choose_lambda(cfg, series, count, season);
	if (isnan(cfg->pivot))
		cfg->pivot = cfg->transform == RNN_TRANSFORM_ASINH || cfg->transform == RNN_TRANSFORM_AUTO ? choose_pivot(series, count) : 1;
	for (int i = 0; i < count; i++)
		tally_points(&all, series[i].x, series[i].n, 1);
	/*
	 * Around 0 asinh pulls apart what is together, and means of what is often
	 * 0 become too high.  What covariates add is a sum, not a product, as far
	 * as is known: the mix that judges doesn't see them.
	 */
	if (cfg->transform == RNN_TRANSFORM_AUTO &&
		((double) (all.below + all.zeros) > FEW * (double) all.known || rnn_covariates_change(&cfg->covariates)))
		cfg->transform = RNN_TRANSFORM_NONE;
	if (isnan(cfg->lower) && !(cfg->upper < 0) && rnn_rests_on_zero(&all))
		cfg->lower = 0;
}
