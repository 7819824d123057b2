/*
 * past.c
 *		How the errors of past forecasts went together.
 *
 * The model forecasts windows that lie in its history, the same stretches of
 * time of every series.  Each point becomes the normal score z of its place in
 * the distribution that was forecast for it; of a value that the distribution
 * gives a chance of its own, as the 0 of demand, a random place within that is
 * taken, so that the joint distribution of such values is kept (the checkerboard
 * copula: Genest and Neslehova 2007).
 *
 * The windows themselves are templates of what paths look like (Clark et al.
 * 2004, the Schaake shuffle).  Where they are few they say little, so they are
 * shrunk to a Gaussian copula of few numbers: a share of the variance is common
 * to all series (as the constant correlation of Ledoit and Wolf 2004), and along
 * the steps a level that a whole window has goes beside a chain in which each
 * step follows the one before.  Its numbers are moments of z, not centred: that
 * the model was always wrong on one side says that all steps may be so again, on
 * either side.  So the mean of a step's scores over the windows, their bias, is
 * kept apart from the templates, and paths have it at random.
 */
#include "paths/paths.h"

#include <math.h>

#define Q RNN_QUANTILES
#define MOST_SERIES 256			/* that are looked at, */
#define MOST_WINDOWS 64			/* of each, */
#define MOST_ORIGINS 8192		/* and of all */
#define MOST_POINTS 262144
#define LEAST_CHANCE 0.0005		/* of a score, and to be left */
#define USUAL_NEAR 0.5			/* of errors that nothing is known of, */
#define USUAL_LEVEL 0.1
#define USUAL_WINDOWS 4			/* which count as so many windows */
#define SHRINK 20				/* windows that speak for the copula */

/* ---------------------------------------------------------------- windows */

/* Points that must lie before the first window of a series. */
static int64_t
least_before(const rnn_model *m, const rnn_series *s)
{
	return rnn_max(RNN_LEAST_HISTORY, rnn_min(rnn_history_reach(m), s->n / 2));
}

rnn_past_plan
rnn_past_plan_for(const rnn_model *m, const rnn_series *series, int count, int horizon)
{
	rnn_past_plan plan = {.series = (int32_t) rnn_min(count, MOST_SERIES)};
	int64_t		end = INT64_MIN,
				first = INT64_MAX,
				most,
				room;

	for (int i = 0; i < count; i++)
	{
		const rnn_series *s = &series[i];

		if (s->n <= RNN_LEAST_HISTORY)
			continue;
		end = rnn_max(end, s->dropped + s->n);
		first = rnn_min(first, s->dropped + least_before(m, s));
	}
	room = end == INT64_MIN ? 0 : end - first;
	/* Two windows at least that share nothing. */
	plan.steps = (int32_t) rnn_min(horizon, room / 2);
	if (plan.steps < 1)
		return (rnn_past_plan) {.series = plan.series};
	most = rnn_min(MOST_WINDOWS, rnn_min(MOST_ORIGINS, MOST_POINTS / plan.steps) / plan.series);
	most = rnn_max(most, 2);
	plan.latest = end - plan.steps;
	plan.stride = rnn_max(1, rnn_min(plan.steps, (plan.latest - first) / (most - 1)));
	plan.windows = (int32_t) rnn_min(most, (plan.latest - first) / plan.stride + 1);
	return plan;
}

int
rnn_past_series(const rnn_past_plan *plan, int count, int place)
{
	return (int) ((int64_t) place * count / plan->series);
}

int
rnn_past_origins(const rnn_past_plan *plan, const rnn_model *m, const rnn_series *series, int count, int place,
				 rnn_origin *origins, int *windows)
{
	int			i = rnn_past_series(plan, count, place),
				n = 0;
	const rnn_series *s = &series[i];
	int64_t		least = least_before(m, s);

	for (int w = plan->windows - 1; w >= 0; w--)
	{
		int64_t		e = plan->latest - w * plan->stride - s->dropped;

		if (e < least || e >= s->n)
			continue;
		origins[n] = (rnn_origin) {.series = i,.e = e};
		windows[n++] = w;
	}
	return n;
}

/* ----------------------------------------------------------------- scores */

static size_t
scores_of(const rnn_past_plan *plan)
{
	return (size_t) plan->series * plan->windows * plan->steps;
}

size_t
rnn_past_size(const rnn_past_plan *plan)
{
	return scores_of(plan) * sizeof(float) + (size_t) plan->windows * plan->steps * (sizeof(float) + sizeof(int32_t)) +
		(size_t) (plan->series + 1) * plan->steps * sizeof(float);
}

void
rnn_past_begin(rnn_past *past, const rnn_past_plan *plan, void *block)
{
	*past = (rnn_past) {.plan = *plan,.z = block};
	past->common = past->z + scores_of(plan);
	past->known = (int32_t *) (past->common + (size_t) plan->windows * plan->steps);
	past->bias = (float *) (past->known + (size_t) plan->windows * plan->steps);
	past->common_bias = past->bias + (size_t) plan->series * plan->steps;
	for (size_t i = 0; i < scores_of(plan); i++)
		past->z[i] = NAN;
}

static float *
scores_at(const rnn_past *past, int place, int window)
{
	return past->z + ((size_t) place * past->plan.windows + window) * past->plan.steps;
}

/* The chance of what is below y. */
static double
chance_below(const double *q, double y)
{
	double		mirrored[Q];

	for (int k = 0; k < Q; k++)
		mirrored[k] = -q[Q - 1 - k];
	return rnn_quantiles_above(mirrored, -y);
}

void
rnn_past_score(rnn_past *past, const rnn_series *s, int64_t e, int place, int window, const double *q)
{
	float	   *z = scores_at(past, place, window);
	rnn_rng		rng;

	rnn_rng_seed(&rng, (uint64_t) place, (uint64_t) window);
	for (int j = 0; j < past->plan.steps && e + j < s->n; j++)
	{
		double		y = s->x[e + j],
					below = chance_below(q + (size_t) j * Q, y),
					upto = 1 - rnn_quantiles_above(q + (size_t) j * Q, y),
					p = below + (upto - below) * rnn_rng_uniform(&rng);

		if (!isnan(y))
			z[j] = (float) rnn_normal_score(fmin(fmax(p, LEAST_CHANCE), 1 - LEAST_CHANCE));
	}
}

/* The scores of a series in units of their size: how wide the intervals were isn't what is asked here. */
static void
standardise(float *z, int64_t n)
{
	double		sum = 0;
	int64_t		known = 0;

	for (int64_t i = 0; i < n; i++)
		if (!isnan(z[i]))
			sum += z[i] * z[i], known++;
	for (int64_t i = 0; i < n; i++)
		z[i] = sum > 0 ? z[i] / (float) sqrt(sum / known) : NAN;
}

/* ---------------------------------------------------------------- moments */

/* Of windows: sums of products of neighbours and of all pairs, and what they would be if all were the same. */
typedef struct Moments
{
	double		near,
				near_most,
				all,
				all_most;
} Moments;

static void
add_window(Moments *m, const float *z, int steps)
{
	double		sum = 0,
				squares = 0;
	int			known = 0;

	for (int j = 0; j < steps; j++)
	{
		if (isnan(z[j]))
			continue;
		known++;
		sum += z[j];
		squares += z[j] * z[j];
		if (j > 0 && !isnan(z[j - 1]))
		{
			m->near += z[j] * z[j - 1];
			m->near_most += (z[j] * z[j] + z[j - 1] * z[j - 1]) / 2;
		}
	}
	m->all += sum * sum - squares;
	m->all_most += (known - 1) * squares;
}

/* The mean of near^|i - j| over the pairs of so many steps. */
static double
mean_power(double near, int steps)
{
	double		sum = 0,
				power = 1;

	for (int k = 1; k < steps; k++)
	{
		power *= near;
		sum += (steps - k) * power;
	}
	return sum / ((double) steps * (steps - 1) / 2);
}

/* Correlations of neighbouring steps and, on average, of all pairs of steps. */
typedef struct Correlations
{
	double		near,
				all;
} Correlations;

/* The course that has them, or where there is none that of the neighbours. */
static rnn_course
course_of(Correlations c, int steps)
{
	double		low = 0,
				high = fmin(fmax(c.near, 0), 0.95);

	for (int i = 0; i < 30 && steps > 1; i++)
	{
		double		level = (low + high) / 2;

		if (level + (1 - level) * mean_power((c.near - level) / (1 - level), steps) < c.all)
			low = level;
		else
			high = level;
	}
	return (rnn_course) {.near = fmax(-0.9, fmin((c.near - low) / (1 - low), 0.999)),.level = low};
}

/* From windows that count as n independent ones, beside what is usual. */
static Correlations
shrunk(const Moments *m, double n, Correlations usual)
{
	double		part = m->near_most > 0 && m->all_most > 0 ? n / (n + USUAL_WINDOWS) : 0;

	if (part == 0)
		return usual;
	return (Correlations) {
		.near = part * m->near / m->near_most + (1 - part) * usual.near,.all = part * m->all / m->all_most + (1 - part) * usual.all
	};
}

/* What is left beside a part of the variance that has others. */
static Correlations
beside(Correlations whole, Correlations part, double share)
{
	return (Correlations) {
		.near = (whole.near - share * part.near) / (1 - share),.all = (whole.all - share * part.all) / (1 - share)
	};
}

/* What all series share, as a part of the variance; `common` gets the sums of their scores. */
static double
share_in_common(rnn_past *past)
{
	const rnn_past_plan *p = &past->plan;
	int			cells = p->windows * p->steps;
	double		pairs = 0,
				most = 0;

	for (int i = 0; i < cells; i++)
	{
		double		sum = 0,
					squares = 0;

		past->known[i] = 0;
		for (int s = 0; s < p->series; s++)
		{
			float		z = past->z[(size_t) s * cells + i];

			if (isnan(z))
				continue;
			past->known[i]++;
			sum += z;
			squares += z * z;
		}
		past->common[i] = (float) sum;
		pairs += sum * sum - squares;
		most += (past->known[i] - 1) * squares;
	}
	return most > 0 ? fmin(fmax(pairs / most, 0), 0.99) : 0;
}

/* Takes the means of scores (windows, steps) out of them. */
static void
take_bias(const rnn_past_plan *p, float *z, float *bias)
{
	for (int j = 0; j < p->steps; j++)
	{
		float		sum = 0;
		int			known = 0;

		for (int w = 0; w < p->windows; w++)
			if (!isnan(z[(size_t) w * p->steps + j]))
				sum += z[(size_t) w * p->steps + j], known++;
		bias[j] = known > 0 ? sum / known : 0;
		for (int w = 0; w < p->windows; w++)
			z[(size_t) w * p->steps + j] -= bias[j];
	}
}

void
rnn_past_finish(rnn_past *past)
{
	const rnn_past_plan *p = &past->plan;
	int			cells = p->windows * p->steps;
	double		apart = p->windows > 0 ? 1 + (double) (p->windows - 1) * p->stride / p->steps : 0;
	Moments		each = {0},
				sums = {0};
	Correlations usual = {.near = USUAL_LEVEL + (1 - USUAL_LEVEL) * USUAL_NEAR},
				all,
				common;

	usual.all = p->steps > 1 ? USUAL_LEVEL + (1 - USUAL_LEVEL) * mean_power(USUAL_NEAR, p->steps) : usual.near;
	for (int s = 0; s < p->series; s++)
	{
		standardise(scores_at(past, s, 0), cells);
		for (int w = 0; w < p->windows; w++)
			add_window(&each, scores_at(past, s, w), p->steps);
	}
	past->share = share_in_common(past) * apart / (apart + USUAL_WINDOWS);
	for (int i = 0; i < cells; i++)
		past->common[i] /= sqrtf(past->known[i] * (1 + (past->known[i] - 1) * (float) past->share));
	for (int w = 0; w < p->windows; w++)
		add_window(&sums, past->common + (size_t) w * p->steps, p->steps);
	all = shrunk(&each, apart * p->series / (1 + (p->series - 1) * past->share), usual);
	common = shrunk(&sums, apart, all);
	past->shared = course_of(common, p->steps);
	past->own = course_of(beside(all, common, past->share), p->steps);
	past->weight = apart / (apart + SHRINK);
	for (int s = 0; s < p->series; s++)
		take_bias(p, scores_at(past, s, 0), past->bias + (size_t) s * p->steps);
	take_bias(p, past->common, past->common_bias);
}
