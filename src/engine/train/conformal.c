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
 * little: a band's factor is shrunk towards that of all bands, and that towards
 * what intervals lack on average.
 */
#include "train/stages.h"

#include <math.h>
#include <string.h>

#define Q RNN_QUANTILES
#define M RNN_MEDIAN
#define MOST_SCORES (1 << 20)
#define ALL_BANDS (-1)
#define LACK 1.08				/* intervals of networks are too narrow by that on average */
#define SHRINK_ALL 30			/* windows that count as much as LACK does, for the factor of all bands */
#define SHRINK_BAND 60			/* and as much as that does, for those of each band */

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

/* The season that the calendar has, else the first of the model, else the last value. */
static int
naive_lag(const Study *s)
{
	if (s->panel.n_hints > 0)
		return s->panel.hints[0];
	return s->cfg.seasons_given > 0 ? s->cfg.seasons[0] : 1;
}

void
conformal_begin(Calibration *c)
{
	c->held_at = 0;
	c->pass = 0;
	c->looked_at = (int) rnn_min(c->W, c->study->framed);
	c->covered = c->covered_of = 0;
	c->held = (rnn_held) {.lag = naive_lag(c->study)};
	for (int band = 0; band < RNN_BANDS; band++)
	{
		c->n_scores[band] = 0;
		for (int pair = 0; pair < M; pair++)
			c->factors->factor[band][pair] = 1;
	}
}

/* Where there is no room for the scores of all windows, those of some, spread evenly. */
static bool
has_room(const Calibration *c, int i)
{
	int64_t		per_band = (c->study->cfg.horizon + RNN_BANDS - 1) / RNN_BANDS;
	double		share = (double) (c->score_room / per_band) / c->looked_at;

	return (uint32_t) i * 2654435769u <= share * UINT32_MAX;	/* steps of the golden ratio */
}

/* A point i of the data, of what a network is given of it. */
static double
in_units(const Study *s, const rnn_points *pts, int64_t i, double x)
{
	const rnn_series *series = &s->panel.series[pts - s->points];

	return rnn_restore(&s->cfg, x * pts->unit + rnn_regression_effect(&s->cfg.covariates, series, i)) * rnn_trading_factor(series, i);
}

/* The error at point j of a window that begins at e, beside what the same point of the season before it says. */
static void
note_error(Calibration *c, const rnn_points *pts, int64_t e, int64_t j, double forecast)
{
	rnn_held   *held = &c->held;
	int64_t		before = e - held->lag + j % held->lag;
	double		y = in_units(c->study, pts, e + j, pts->raw[e + j]),
				error = fabs(in_units(c->study, pts, e + j, forecast) - y);

	held->points++;
	held->error += error;
	held->size += fabs(y);
	if (before < 0 || isnan(pts->raw[before]))
		return;
	held->compared++;
	held->own += error;
	held->naive += fabs(in_units(c->study, pts, before, pts->raw[before]) - y);
}

static rnn_held
mean_errors(const Calibration *c)
{
	rnn_held	h = c->held;
	double		sum = h.error + h.size + h.naive;

	if (h.points == 0 || !isfinite(sum))
		return (rnn_held) {0};
	h.error /= h.points;
	h.size /= h.points;
	h.own /= h.compared > 0 ? h.compared : 1;
	h.naive /= h.compared > 0 ? h.compared : 1;
	return h;
}

/* Scores of one held-out window. */
static void
look_at(Calibration *c, int i, int b)
{
	const Held *held = &c->study->held[i];
	const Run  *run = &c->study->runs[held->run];
	const rnn_points *pts = held_points(c->study, i);
	rnn_scale	scale = run->strip.scales[held->last];
	int64_t		e = held_start(c->study, i);

	c->held.windows++;
	blend_quantiles(c->fit, i, b, rnn_network_weight(c->model, e), c->model->mix_spread, c->q_mix, c->q);
	for (int64_t j = 0; j < c->study->cfg.horizon && e + j < pts->n; j++)
	{
		double		y = (pts->raw[e + j] - scale.a) / scale.s;
		int			band = band_of(c, j);

		if (isnan(y))
			continue;
		note_error(c, pts, e, j, c->q[j * Q + M] * scale.s + scale.a);
		if (c->n_scores[band] == c->score_room)
			continue;
		for (int pair = 0; pair < M; pair++)
			scores_of(c, band, pair)[c->n_scores[band]] = score(y, c->q + j * Q, pair);
		c->n_scores[band]++;
	}
}

/* Scores of one half of the windows, or of both; half 0 was looked at first. */
typedef struct Span
{
	int64_t		from[RNN_BANDS],
				to[RNN_BANDS];
} Span;

static Span
span_of(const Calibration *c, bool older, bool newer)
{
	Span		span;

	for (int band = 0; band < RNN_BANDS; band++)
	{
		span.from[band] = older ? 0 : c->n_older[band];
		span.to[band] = newer ? c->n_scores[band] : c->n_older[band];
	}
	return span;
}

/* The factor that the scores ask for; 0: there are none. */
static double
raw_factor(Calibration *c, const Span *span, int band, int pair)
{
	double		level = 1 - 2 * rnn_quantile_levels[pair];
	int64_t		n = 0,
				rank;

	for (int b = 0; b < RNN_BANDS; b++)
	{
		int64_t		count = span->to[b] - span->from[b];

		if (band != ALL_BANDS && b != band)
			continue;
		memcpy(c->score_pool + n, scores_of(c, b, pair) + span->from[b], sizeof(float) * count);
		n += count;
	}
	rank = (int64_t) ceil(level * (n + 1)) - 1;
	return n > 0 ? select_smallest(c->score_pool, n, rnn_min(rank < 0 ? 0 : rank, n - 1)) : 0;
}

/* So many windows say `factor`, and as many as `others` say another. */
static double
shrunk(double factor, double windows, double another, double others)
{
	double		share = factor > 0 ? windows / (windows + others) : 0;

	return another * pow(fmax(factor, 1e-3) / another, share);
}

/* Factors of all bands, as they are used. */
static void
fit_factors(Calibration *c, const Span *span, int pair, double factor[RNN_BANDS])
{
	double		k = c->factors->n,
				pooled = shrunk(raw_factor(c, span, ALL_BANDS, pair), k, LACK, SHRINK_ALL);

	for (int band = 0; band < RNN_BANDS; band++)
	{
		double		f = shrunk(raw_factor(c, span, band, pair), k, pooled, SHRINK_BAND);

		factor[band] = fmin(fmax(f, 0.5), 3);
	}
}

/*
 * Coverage as a user will find it: factors from one half of the windows judge
 * the other, and the other way round.
 */
static void
measure_coverage(Calibration *c)
{
	const int	pair = 2;		/* 0.05 and 0.95 */

	for (int newer = 0; newer < 2; newer++)
	{
		Span		fit = span_of(c, !newer, newer),
					test = span_of(c, newer, !newer);
		double		factor[RNN_BANDS];

		fit_factors(c, &fit, pair, factor);
		for (int band = 0; band < RNN_BANDS; band++)
		{
			for (int64_t k = test.from[band]; k < test.to[band]; k++)
				c->covered += scores_of(c, band, pair)[k] <= factor[band];
			c->covered_of += test.to[band] - test.from[band];
		}
	}
}

static void
finish(Calibration *c)
{
	Factors    *out = c->factors;
	Span		all = span_of(c, true, true);

	out->held = mean_errors(c);
	out->n = independent_windows(c->study, c->looked_at);
	measure_coverage(c);
	out->coverage = c->covered_of ? (float) c->covered / c->covered_of : NAN;
	for (int pair = 0; pair < M; pair++)
	{
		double		factor[RNN_BANDS];

		fit_factors(c, &all, pair, factor);
		for (int band = 0; band < RNN_BANDS; band++)
			out->factor[band][pair] = (float) factor[band];
	}
}

/* One batch of windows; those of half 0 with the weights that half 1 chose, and so on. */
bool
conformal_step(Calibration *c)
{
	int			B = held_batch(c->fit, c->held_at, c->W, c->W);

	/* The factors come from the first windows where the time is up. */
	if (c->hurry)
		c->looked_at = (int) rnn_min(c->looked_at, rnn_max(c->held_at, HURRIED_WINDOWS));
	if (c->looked_at == 0)
		return true;
	if (c->model->weight > 0)
		forward_last(c->fit, c->weights[1 - c->pass], c->held_at, B);
	for (int b = 0; b < B; b++)
		if (c->study->held[c->held_at + b].half == c->pass && has_room(c, c->held_at + b))
			look_at(c, c->held_at + b, b);
	c->held_at += B;
	if (c->held_at < c->looked_at)
		return false;
	c->held_at = 0;
	if (c->pass == 0)
		memcpy(c->n_older, c->n_scores, sizeof(c->n_older));
	if (++c->pass < 2)
		return false;
	finish(c);
	return true;
}
