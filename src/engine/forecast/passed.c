/*
 * passed.c
 *		Intervals go on learning from the origins that have passed since the
 *		training.
 *
 * The model forecasts the latest windows behind the rows that it was trained
 * on.  How many times as wide its intervals had to be, counted by weights that
 * halve every HALF_LIFE windows, corrects the calibration (weighted conformal
 * prediction: Tibshirani, Barber, Candes and Ramdas 2019), the more the more of
 * them there are.  What the windows of the calibration say is in the intervals
 * already, and doesn't count again.
 *
 * What comes of it depends on the model and the rows alone, not on how often
 * or in which parts they were observed.
 */
#include "forecast/forecast.h"

#include <math.h>

#define Q RNN_QUANTILES
#define M RNN_MEDIAN
#define HALF_LIFE 20			/* windows */
#define OF_EACH 32				/* latest windows of a series */
#define MOST_SERIES 32			/* that are looked at */
#define MOST_POINTS 32768		/* of all windows */
#define MOST_OF_BLOCK 20		/* windows at one time never tell more than that many */
#define SHRINK 10				/* windows that speak for the calibration as it is */
#define WIDEST 4				/* factor that is looked for, and its inverse */
#define HALVINGS 20

/* The grid number of an origin. */
static int64_t
time_of(const rnn_series *series, const rnn_origin *o)
{
	return series[o->series].dropped + o->e;
}

/* The latest origins of one series whose windows lie behind the training, with enough before them. */
static int
origins_of(const rnn_model *m, const rnn_series *series, int i, int most, rnn_origin *out)
{
	int64_t		h = m->config.horizon,
				n = series[i].n,
				least = rnn_max(RNN_LEAST_HISTORY, rnn_min(rnn_history_reach(m), n / 2));
	int			count = 0;

	for (int64_t e = n - h; e >= least && series[i].dropped + e >= m->calibrated_to && count < most; e -= h)
		out[count++] = (rnn_origin) {.series = i,.e = e};
	return count;
}

int
rnn_passed(const rnn_model *m, const rnn_series *series, int count, rnn_origin out[RNN_MOST_PASSED])
{
	int			used = (int) rnn_min(count, MOST_SERIES),
				all = (int) rnn_max(1, rnn_min(RNN_MOST_PASSED, MOST_POINTS / m->config.horizon)),
				n = 0;

	if (m->calibration_n == 0)
		return 0;
	/* Spread evenly over the series, each with its windows in the order of time. */
	for (int k = 0; k < used && n < all; k++)
	{
		int			i = (int) ((int64_t) k * count / used),
					own = origins_of(m, series, i, (int) rnn_min(rnn_min(OF_EACH, rnn_max(1, all / used)), all - n), out + n);

		for (int a = n, b = n + own - 1; a < b; a++, b--)
		{
			rnn_origin	swap = out[a];

			out[a] = out[b];
			out[b] = swap;
		}
		n += own;
	}
	return n;
}

rnn_model
rnn_uncorrected(const rnn_model *m)
{
	rnn_model	plain = *m;

	plain.passed = 0;
	/* Bounds would hide how wide intervals are. */
	plain.config.lower = -HUGE_VAL;
	plain.config.upper = HUGE_VAL;
	plain.config.integer = 0;
	return plain;
}

/* ---------------------------------------------------------------- scores */

/* How many times as wide an interval had to be to reach y, in the units of the points. */
static double
score(double y, double low, double middle, double high)
{
	double		gap = y < middle ? middle - low : high - middle,
				distance = fabs(y - middle);

	return distance == 0 ? 0 : gap > distance / WIDEST ? distance / gap : WIDEST;
}

/* The scores of each pair of levels take the place of its lower quantiles; NaN where there is no point. */
static void
score_origin(const rnn_model *m, const rnn_series *s, int64_t e, double *q)
{
	for (int64_t j = 0; j < m->config.horizon; j++, q += Q)
	{
		double		y = e + j < s->n ? rnn_transform(&m->config, s->x[e + j]) : NAN,
					middle = rnn_transform(&m->config, q[M]);

		for (int pair = 0; pair < M; pair++)
			q[pair] = isnan(y) ? NAN : score(y, rnn_transform(&m->config, q[pair]), middle,
											 rnn_transform(&m->config, q[Q - 1 - pair]));
	}
}

/* ---------------------------------------------------------------- weights */

/* Windows that end at about one time, by their number from the latest one back. */
typedef struct Blocks
{
	int64_t		latest;			/* origin */
	int			windows[OF_EACH + 1];	/* older ones share the last */
} Blocks;

static int
block_of(const rnn_model *m, const Blocks *b, int64_t time)
{
	return (int) rnn_min((b->latest - time) / m->config.horizon, OF_EACH);
}

static Blocks
count_blocks(const rnn_model *m, const rnn_series *series, const rnn_origin *origins, int n)
{
	Blocks		b = {.latest = time_of(series, &origins[0])};

	for (int i = 1; i < n; i++)
		b.latest = rnn_max(b.latest, time_of(series, &origins[i]));
	for (int i = 0; i < n; i++)
		b.windows[block_of(m, &b, time_of(series, &origins[i]))]++;
	return b;
}

static double
aged(double weight, double windows)
{
	return weight * exp2(-windows / HALF_LIFE);
}

/* What the passed windows count for. */
static double
weight_passed(const Blocks *b)
{
	double		sum = 0;

	for (int k = 0; k <= OF_EACH; k++)
		sum += aged(rnn_min(b->windows[k], MOST_OF_BLOCK), k);
	return sum;
}

/* Weight of the scores of a pair that are not above `factor`, as a part of all, that of one window to come among them. */
static double
covered_by(const rnn_model *m, const rnn_series *series, const rnn_origin *origins, int n, const double *q,
		   const Blocks *b, int pair, double factor)
{
	double		all = 0,
				below = 0;
	int			h = m->config.horizon;

	for (int i = 0; i < n; i++)
	{
		double		weight = aged(1, block_of(m, b, time_of(series, &origins[i])));

		for (int64_t j = 0; j < h; j++)
		{
			double		x = q[((int64_t) i * h + j) * Q + pair];

			if (isnan(x))
				continue;
			all += weight;
			below += x <= factor ? weight : 0;
		}
	}
	return below / (all + 1);
}

void
rnn_correct(rnn_model *m, const rnn_series *series, const rnn_origin *origins, int n, double *q)
{
	Blocks		b = count_blocks(m, series, origins, n);
	double		passed = weight_passed(&b);

	for (int i = 0; i < n; i++)
		score_origin(m, &series[origins[i].series], origins[i].e, q + (int64_t) i * m->config.horizon * Q);
	for (int pair = 0; pair < M; pair++)
	{
		double		low = -log(WIDEST),
					high = log(WIDEST);

		for (int k = 0; k < HALVINGS; k++)
		{
			double		middle = (low + high) / 2;

			if (covered_by(m, series, origins, n, q, &b, pair, exp(middle)) < 1 - 2 * rnn_quantile_levels[pair])
				low = middle;
			else
				high = middle;
		}
		m->correction[pair] = (float) exp(high * passed / (passed + SHRINK));
	}
	m->passed = n;
}
