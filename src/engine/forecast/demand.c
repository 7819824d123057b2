/*
 * demand.c
 *		Series that are often 0 and never below, as demand is, beside the values
 *		that they had.
 *
 * A network and smooth references say too seldom that such a series is 0, and
 * that it is large too often.  Where nothing tells when the next order comes, the
 * values that came say how many are 0 and how large the others are: they are
 * counted by weights that fall with their age, those of the same phase of the
 * season for more (Gasthaus 2016, the non-parametric forecaster; for spare parts
 * Willemain, Smart and Schwarz 2004).
 *
 * Their distribution has a share in each quantile.  The share is the less of two
 * that ask whether something tells more.  One compares losses at the mix's
 * trailing origins: values that have moved, or that a season makes, are forecast
 * better by the mix.  The other compares widths: a model whose distribution is
 * much narrower knows what is to come, as the night that the sun doesn't shine in.
 *
 * With covariates that change there is no such share, for the values know nothing
 * of them.
 */
#include "forecast/forecaster.h"

#include <math.h>

#define Q RNN_QUANTILES
#define POINTS 400				/* before an end, that are counted */
#define AGE 10					/* points after which a value counts for half */
#define SAME_PHASE 3			/* times as much for a value of the same phase */
#define LOSS_LEAST 0.8			/* of the mix in that of the values: they get no share, */
#define LOSS_MOST 1.1			/* and all */
#define WIDTH_LEAST 0.65		/* of the forecast in that of the values, likewise */
#define WIDTH_MOST 0.95

/* A known value of the series. */
typedef struct Value
{
	double		x;
	int64_t		at;
} Value;

/* One that counts, in another phase of the season than its own. */
typedef struct Counted
{
	double		x,
				weight;
	int64_t		phase;
} Counted;

struct Demand
{
	int64_t		room;			/* values */
	Value	   *value;			/* (room) ascending */
	int64_t		n;
	Counted		counted[POINTS];	/* before an end, in the same order */
	int			n_counted;
	double	   *q,				/* (rows, Q) their quantiles */
			   *trailing;		/* (trained horizon) */
};

Demand *
demand_new(const rnn_model *m, int64_t longest, int rows, rnn_arena *a)
{
	int			h = m->config.horizon;
	Demand	   *d = arena_new(a, Demand, 1),
				built = {.room = rnn_min(longest, POINTS + (int64_t) (rnn_mix_origins(h) + 1) * h)};

	built.value = arena_new(a, Value, built.room);
	built.q = arena_new(a, double, (size_t) rows * Q);
	built.trailing = arena_new(a, double, h);
	if (d)
		*d = built;
	return d;
}

/* ----------------------------------------------------------- distributions */

/* By gaps that halve (Shell 1959). */
static void
sort_values(Value *v, int64_t n)
{
	for (int64_t gap = n / 2; gap > 0; gap /= 2)
		for (int64_t i = gap; i < n; i++)
		{
			Value		moved = v[i];
			int64_t		k = i;

			for (; k >= gap && v[k - gap].x > moved.x; k -= gap)
				v[k] = v[k - gap];
			v[k] = moved;
		}
}

static void
take_values(Demand *d, const rnn_series *s, int64_t e)
{
	d->n = 0;
	for (int64_t i = rnn_max(0, e - d->room); i < e; i++)
		if (!isnan(s->x[i]))
			d->value[d->n++] = (Value) {s->x[i], i};
	sort_values(d->value, d->n);
}

/* The values that count of what is known before `end`. */
static void
count_values(Demand *d, int64_t end, int season)
{
	d->n_counted = 0;
	for (int64_t i = 0; i < d->n; i++)
	{
		int64_t		age = end - 1 - d->value[i].at;

		if (age >= 0 && age < POINTS)
			d->counted[d->n_counted++] = (Counted) {d->value[i].x, 1 / (double) (AGE + age), d->value[i].at % season};
	}
}

/* The quantiles (Q) in the values that count, at a point of this phase. */
static void
row_of_values(const Demand *d, int64_t phase, double *q)
{
	double		all = 0,
				upto = 0;
	int			k = 0;

	for (int i = 0; i < d->n_counted; i++)
		all += d->counted[i].weight * (d->counted[i].phase == phase ? SAME_PHASE : 1);
	for (int i = 0; i < d->n_counted && k < Q; i++)
	{
		upto += d->counted[i].weight * (d->counted[i].phase == phase ? SAME_PHASE : 1);
		/* Sums of the same weights differ in the last digits. */
		while (k < Q && upto >= rnn_quantile_levels[k] * all * (1 - 1e-9))
			q[k++] = d->counted[i].x;
	}
}

/* Rows (count, Q) behind `end`; each season has the same. */
static void
rows_of_values(Demand *d, int64_t end, int season, int count, double *q)
{
	count_values(d, end, season);
	for (int j = 0; j < count; j++, q += Q)
	{
		if (j < season)
			row_of_values(d, (end + j) % season, q);
		else
			for (int k = 0; k < Q; k++)
				q[k] = q[k - (int64_t) season * Q];
	}
}

/* Half of the mean difference of two values, which is the pinball that a distribution expects of itself, of rows (count, Q). */
static double
width(const double *q, int count)
{
	double		sum = 0;

	for (int j = 0; j < count; j++, q += Q)
		for (int k = 0; k < Q; k++)
		{
			double		p = rnn_quantile_levels[k],
						from = k > 0 ? (rnn_quantile_levels[k - 1] + p) / 2 : 0,
						to = k < Q - 1 ? (p + rnn_quantile_levels[k + 1]) / 2 : 1;

			sum += (to - from) * (2 * p - 1) * q[k];
		}
	return sum;
}

/* ------------------------------------------------------------------ shares */

static double
loss(const double *q, double y)
{
	double		sum = 0;

	for (int k = 0; k < Q; k++)
		sum += rnn_pinball(k, y - q[k]);
	return sum;
}

/* The mix's quantiles (Q) around its middle, in the units of the series. */
static void
row_of_mix(const rnn_config *cfg, double middle, double spread, double unit, double *q)
{
	double		y[Q];

	gaps_around(middle, spread, y);
	for (int k = 0; k < Q; k++)
		q[k] = rnn_within_bounds(cfg, rnn_restore(cfg, y[k] * unit));
}

/* From 0 at `least` to 1 at `most` of the second. */
static double
share_by(double first, double second, double least, double most)
{
	return fmin(fmax((first - least * second) / ((most - least) * second), 0), 1);
}

/* By losses at the mix's trailing origins; d->q is scratch. */
static double
share_by_loss(Forecaster *f, const rnn_end *end, const rnn_series *s, const rnn_config *cfg)
{
	const rnn_model *m = f->model;
	Demand	   *d = f->demand;
	int64_t		first;
	rnn_mix		mix;
	const double *work;
	double		of_mix = 0,
				of_values = 0;

	/* The mix is that of the first members' view. */
	if (!lay_out_view(f, 0))
		return 0;
	work = rnn_strips_trailing(&f->view.strips, end, &mix, &first);
	for (int v = 1; v <= mix.seen; v++)
	{
		int64_t		at;
		int			steps = rnn_mix_trailing(&mix, work, v, m->config.horizon, d->trailing, &at);
		double		q[Q];

		at += first;
		rows_of_values(d, at, m->seasons[0], steps, d->q);
		for (int j = 0; j < steps; j++)
		{
			if (isnan(s->x[at + j]))
				continue;
			row_of_mix(cfg, d->trailing[j], (mix.spread[0] + mix.spread[1]) / 2 * m->mix_spread, end->points->unit, q);
			of_mix += loss(q, s->x[at + j]);
			of_values += loss(d->q + (int64_t) j * Q, s->x[at + j]);
		}
	}
	return of_values > 0 ? share_by(of_mix, of_values, LOSS_LEAST, LOSS_MOST) : 0;
}

bool
demand_applies(const rnn_model *m, const rnn_config *cfg, const rnn_tally *t)
{
	return m->config.skip && cfg->lower == 0 && rnn_rests_on_zero(t) && !rnn_covariates_change(&m->config.covariates);
}

void
blend_demand(Forecaster *f, const rnn_end *end, const rnn_series *s, const rnn_config *cfg, double *out)
{
	Demand	   *d = f->demand;
	int			season = f->model->seasons[0];
	double		share,
				own;

	take_values(d, s, end->e);
	share = share_by_loss(f, end, s, cfg);
	if (share == 0)
		return;
	rows_of_values(d, end->e, season, f->made, d->q);
	own = width(d->q, f->model->config.horizon);
	share = own > 0 ? fmin(share, share_by(width(out, f->model->config.horizon), own, WIDTH_LEAST, WIDTH_MOST)) : 0;
	for (int64_t k = 0; k < (int64_t) f->made * Q; k++)
		out[k] = rnn_within_bounds(cfg, (1 - share) * out[k] + share * d->q[k]);
}
