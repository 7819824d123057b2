/*
 * conformal.c
 *		Calibrated intervals by split conformal prediction (Vovk, Gammerman and
 *		Shafer 2005; the score is that of Romano, Patterson and Candes 2019,
 *		as a factor instead of a shift).
 *
 * On a held-out point y with an interval lo < median < hi the score is how
 * many times as wide the interval had to be to reach y.  Its quantile at the
 * interval's own level is the factor that would have made coverage right.
 * Scores are pooled over series and kept by horizon band, forecasts come from
 * the weights that the other half of the windows chose.  Few windows say
 * little: the factor is shrunk towards 1.
 */
#include "train/stages.h"

#include <math.h>

#define Q RNN_QUANTILES
#define M RNN_MEDIAN
#define MOST_SCORES (1 << 20)

/* Scores kept per band and pair of levels. */
int64_t
conformal_room(const Study *s)
{
	int64_t		per_band = (s->cfg.horizon + RNN_BANDS - 1) / RNN_BANDS + 1;

	return rnn_min((int64_t) (s->W > 0 ? s->W : 1) * per_band, MOST_SCORES / (RNN_BANDS * M) + per_band);
}

static int
band_of(const Calibration *c, int64_t j)
{
	return (int) (j * RNN_BANDS / c->study->cfg.horizon);
}

static float *
scores_of(const Calibration *c, int band, int pair)
{
	return c->scores + ((int64_t) band * M + pair) * c->score_room;
}

/* The k-th smallest of x (n), by Hoare's selection (1961); reorders x. */
static float
select_smallest(float *x, int64_t n, int64_t k)
{
	int64_t		low = 0,
				high = n - 1;

	while (low < high)
	{
		float		pivot = x[(low + high) / 2];
		int64_t		i = low,
					j = high;

		while (i <= j)
		{
			while (x[i] < pivot)
				i++;
			while (x[j] > pivot)
				j--;
			if (i <= j)
			{
				float		swap = x[i];

				x[i++] = x[j];
				x[j--] = swap;
			}
		}
		if (k <= j)
			high = j;
		else if (k >= i)
			low = i;
		else
			break;
	}
	return x[k];
}

static float
score(double y, const real *q, int pair)
{
	double		below = (q[M] - y) / fmax(q[M] - q[pair], 1e-6),
				above = (y - q[M]) / fmax(q[Q - 1 - pair] - q[M], 1e-6);

	return (float) fmin(fmax(below, above), 1e6);
}

void
conformal_begin(Calibration *c)
{
	c->held_at = 0;
	c->pass = 0;
	c->looked_at = (int) rnn_min(c->W, c->study->framed);
	c->covered = c->covered_of = 0;
	for (int band = 0; band < RNN_BANDS; band++)
	{
		c->n_scores[band] = 0;
		for (int pair = 0; pair < M; pair++)
			c->factors->factor[band][pair] = 1;
	}
}

/* Scores of one held-out window. */
static void
look_at(Calibration *c, int i, int b)
{
	const Held *held = &c->study->held[i];
	const Run  *run = &c->study->runs[held->run];
	const rnn_points *pts = &c->study->points[run->series];
	rnn_scale	scale = c->study->scales[run->first + held->last];
	int64_t		e = run->e0 + held->last * run->stride;

	blend_quantiles(c->fit, i, b, rnn_network_weight(c->model, e), c->model->mix_spread, c->q_mix, c->q);
	for (int64_t j = 0; j < c->study->cfg.horizon && e + j < pts->n; j++)
	{
		double		y = (pts->raw[e + j] - scale.a) / scale.s;
		int			band = band_of(c, j);

		if (isnan(y))
			continue;
		if (c->n_scores[band] == c->score_room)
			continue;
		for (int pair = 0; pair < M; pair++)
			scores_of(c, band, pair)[c->n_scores[band]] = score(y, c->q + j * Q, pair);
		c->n_scores[band]++;
	}
}

/* The factor that the scores from first on ask for, before shrinking. */
static double
raw_factor(Calibration *c, int band, int pair, int64_t first, int64_t n)
{
	double		level = 1 - 2 * rnn_quantile_levels[pair];
	int64_t		rank = (int64_t) ceil(level * (n + 1)) - 1;

	if (n < 1)
		return 1;
	return select_smallest(scores_of(c, band, pair) + first, n, rnn_min(rank < 0 ? 0 : rank, n - 1));
}

static double
shrunk(double factor, double windows)
{
	factor = exp(log(fmax(factor, 1e-3)) * windows / (windows + 30));
	return fmin(fmax(factor, 0.5), 3);
}

/*
 * Coverage as a user will find it: factors from the first half of the scores
 * judge the second, and the other way round.  Must come before the factors
 * from all scores, since selection reorders.
 */
static void
measure_coverage(Calibration *c)
{
	const int	pair = 2;		/* 0.05 and 0.95 */

	for (int band = 0; band < RNN_BANDS; band++)
	{
		int64_t		half = c->n_scores[band] / 2;

		for (int side = 0; side < 2; side++)
		{
			int64_t		fit = side ? 0 : half,
						fit_n = side ? half : c->n_scores[band] - half,
						test = side ? half : 0,
						test_n = side ? c->n_scores[band] - half : half;
			double		factor = shrunk(raw_factor(c, band, pair, fit, fit_n), c->factors->n / 2.0);

			for (int64_t k = 0; k < test_n; k++)
				c->covered += scores_of(c, band, pair)[test + k] <= factor;
			c->covered_of += test_n;
		}
	}
}

static void
finish(Calibration *c)
{
	Factors    *out = c->factors;

	out->n = independent_windows(c->study, c->looked_at);
	measure_coverage(c);
	out->coverage = c->covered_of ? (float) c->covered / c->covered_of : NAN;
	for (int band = 0; band < RNN_BANDS; band++)
		for (int pair = 0; pair < M; pair++)
		{
			double		f = shrunk(raw_factor(c, band, pair, 0, c->n_scores[band]), out->n);

			/* Further ahead is never surer. */
			if (band > 0)
				f = fmax(f, out->factor[band - 1][pair]);
			out->factor[band][pair] = (float) f;
		}
}

/* One batch of windows; those of half 0 with the weights that half 1 chose, and so on. */
bool
conformal_step(Calibration *c)
{
	int			B = held_batch(c->fit, c->held_at, c->W);

	/* The factors come from the first windows where the time is up. */
	if (c->hurry)
		c->looked_at = (int) rnn_min(c->looked_at, rnn_max(c->held_at, HURRIED_WINDOWS));
	if (c->looked_at == 0)
		return true;
	if (c->model->weight > 0)
		forward_last(c->fit, c->weights[1 - c->pass], B);
	for (int b = 0; b < B; b++)
		if (c->study->held[c->held_at + b].half == c->pass)
			look_at(c, c->held_at + b, b);
	c->held_at += B;
	if (c->held_at < c->looked_at)
		return false;
	c->held_at = 0;
	if (++c->pass < 2)
		return false;
	finish(c);
	return true;
}
