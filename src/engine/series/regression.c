/*
 * regression.c
 *		How much of a series covariates that are known ahead explain, found before
 *		anything else is: mix, prior and networks then forecast the rest.
 *
 *		d y = d terms . w,		ridge, d one of
 *			y(t) - y(t - m)								of the cycle and the longest season m
 *			y(t) - y(t - m) - y(t - 1) + y(t - 1 - m)	of the cycle
 *
 * Differences have neither level nor profile, which others forecast better, and
 * errors that are nearly independent: of the former where a series has a level,
 * of the latter, which count half, where that walks.  Each difference is in units
 * of its mean size.  One that is larger counts less, by its own size at first and
 * then by what is left of it.
 *
 * The normal equations of blocks of time are kept, so that it costs little to
 * ask what each block would have been forecast by those before it: that chooses
 * the detail, whether later blocks count more, and whether there is a regression
 * at all.
 */
#include "series/series.h"
#include "base/root.h"

#include <math.h>
#include <string.h>

#define BLOCKS 12				/* of time; */
#define FOLDS 8					/* the latest are judged by those before them */
#define OPERATORS 3
#define MOST_ROWS 200000		/* that are looked at */
#define MOST_WORK 1e9			/* multiplications */
#define LEAST_GAIN 0.01			/* of the squares */
#define LEAST_RATIO 1.5			/* of the mean gain to its error */
#define RIDGE 10				/* equations that say that a term does nothing */
#define FADE 0.7				/* of a block's weight that the one before it has, where later ones say more */

/* y(t) - y(t - lag), and of that the change since the step before. */
typedef struct Operator
{
	int			lag;
	bool		twice;
} Operator;

typedef struct Equations
{
	double	   *a,				/* (K, K) lower half */
			   *b,				/* (K) */
				squares,
				weight,			/* of all of them, */
				unit;			/* and that of a term of 1 */
} Equations;

/* How finely, and whether what lies long ago counts less. */
typedef struct Choice
{
	rnn_detail	detail;
	double		fade;
} Choice;

typedef struct Regression
{
	const rnn_config *cfg;
	rnn_covariates all;			/* of it; what they say together, once it is known */
	rnn_detail	finest;
	int			K;				/* terms of it */
	Operator	operator[OPERATORS];
	int			operators;
	int64_t		stride,			/* rows from one that is looked at to the next */
				block;			/* rows of a block */
	Equations	of[BLOCKS],		/* the oldest first */
				sum;
	double	   *factor,			/* (K, K) */
			   *w,				/* (K) of the kept terms */
			   *first;			/* (K) of all terms, by which equations are weighed; */
	double		left;			/* mean size of what it leaves, 0: not fitted yet */
	int			kept[RNN_MOST_TERMS];	/* terms of a choice, by their numbers */
} Regression;

/* ------------------------------------------------------------- equations */

static void
choose_operators(Regression *r)
{
	const rnn_config *cfg = r->cfg;
	int			cycle = cfg->covariates.regression.cycle,
				last = cfg->seasons_given > 0 ? cfg->seasons[cfg->seasons_given - 1] : 1;

	r->operator[r->operators++] = (Operator) {cycle, false};
	if (last > cycle)
		r->operator[r->operators++] = (Operator) {last, false};
	if (cycle > 1)
		r->operator[r->operators++] = (Operator) {cycle, true};
}

/* Points before a row that a difference looks at. */
static int64_t
reach(Operator o)
{
	return o.lag + o.twice;
}

static double
difference(Operator o, const double *x, int64_t row)
{
	double		d = x[row] - x[row - o.lag];

	return o.twice ? d - (x[row - 1] - x[row - 1 - o.lag]) : d;
}

static void
add_terms(const Regression *r, const rnn_series *s, int64_t row, double by, double *d)
{
	double		terms[RNN_MOST_TERMS];

	rnn_regression_row(&r->all, r->finest, s, row, terms);
	for (int k = 0; k < r->K; k++)
		d[k] += by * terms[k];
}

static void
difference_terms(const Regression *r, Operator o, const rnn_series *s, int64_t row, double *d)
{
	memset(d, 0, sizeof(double) * r->K);
	add_terms(r, s, row, 1, d);
	add_terms(r, s, row - o.lag, -1, d);
	if (!o.twice)
		return;
	add_terms(r, s, row - 1, -1, d);
	add_terms(r, s, row - 1 - o.lag, 1, d);
}

/* Words are few of many: most terms are 0. */
static void
add_equation(Equations *e, int K, double y, const double *d, double weight, double size)
{
	int			used[RNN_MOST_TERMS],
				n = 0;

	for (int k = 0; k < K; k++)
		if (d[k] != 0)
			used[n++] = k;
	for (int i = 0; i < n; i++)
	{
		double		x = weight * d[used[i]],
				   *row = e->a + (int64_t) used[i] * K;

		for (int j = 0; j <= i; j++)
			row[used[j]] += x * d[used[j]];
		e->b[used[i]] += x * y;
	}
	e->squares += weight * y * y;
	e->weight += weight;
	e->unit += weight / (size * size);
}

/* Mean size of the differences of a series, 0 where there are none. */
static double
mean_size(Operator o, const rnn_series *s)
{
	double		sum = 0;
	int64_t		n = 0;

	for (int64_t row = reach(o); row < s->n; row++)
	{
		double		y = fabs(difference(o, s->x, row));

		if (isnan(y))
			continue;
		sum += y;
		n++;
	}
	return n > 0 && isfinite(sum) ? sum / (double) n : 0;
}

/* What is far off counts less, so as not to decide. */
static double
weight_of(const Regression *r, Operator o, double y, const double *d)
{
	double		rest = y,
				usual = r->left > 0 ? r->left : 1;

	for (int k = 0; k < r->K && r->left > 0; k++)
		rest -= r->first[k] * d[k];
	return (o.twice ? 0.5 : 1) / fmax(fabs(rest) / usual, 1);
}

static void
add_series(Regression *r, Operator o, const rnn_series *s, int64_t shift, const rnn_stop *stop)
{
	double		d[RNN_MOST_TERMS],
				size = mean_size(o, s);

	if (!(size > 1e-100))
		return;
	for (int64_t row = reach(o) + shift % r->stride; row < s->n; row += r->stride)
	{
		double		y = difference(o, s->x, row);
		int64_t		block = rnn_min((s->n - 1 - row) / r->block, BLOCKS - 1);

		if (rnn_stopped(stop))
			return;
		if (isnan(y))
			continue;
		difference_terms(r, o, s, row, d);
		for (int k = 0; k < r->K; k++)
			d[k] /= size;
		y /= size;
		add_equation(&r->of[BLOCKS - 1 - block], r->K, y, d, weight_of(r, o, y, d), size);
	}
}

/* ---------------------------------------------------------------- choice */

static double
entry(const Regression *r, const Equations *e, int i, int j)
{
	return e->a[(int64_t) r->kept[i] * r->K + r->kept[j]];
}

/* Factor of the kept terms' equations; false where they say nothing. */
static bool
factorise(Regression *r, int n)
{
	double		top = 0,
				ridge = r->sum.weight > 0 ? RIDGE * r->sum.unit / r->sum.weight : 0;

	for (int i = 0; i < n; i++)
		top = fmax(top, entry(r, &r->sum, i, i));
	if (!(top > 0) || !isfinite(top))
		return false;
	for (int i = 0; i < n; i++)
	{
		for (int j = 0; j <= i; j++)
			r->factor[(int64_t) i * n + j] = entry(r, &r->sum, i, j);
		r->factor[(int64_t) i * n + i] += ridge + 1e-9 * top;
		root_row(r->factor, n, i, 1e-12 * top);
	}
	return true;
}

/* Weights of the kept terms. */
static void
solve(Regression *r, int n)
{
	memset(r->w, 0, sizeof(double) * r->K);
	if (!factorise(r, n))
		return;
	for (int i = 0; i < n; i++)
		r->w[i] = r->sum.b[r->kept[i]];
	root_solve(r->factor, n, n, 1, r->w, 1);
}

/* Squares that are left of a block. */
static double
rest_of(const Regression *r, const Equations *e, int n)
{
	double		rest = e->squares;

	for (int i = 0; i < n; i++)
	{
		rest += r->w[i] * (entry(r, e, i, i) * r->w[i] - 2 * e->b[r->kept[i]]);
		for (int j = 0; j < i; j++)
			rest += 2 * r->w[i] * r->w[j] * entry(r, e, i, j);
	}
	return rest;
}

static void
add_block(Regression *r, const Equations *e, double fade)
{
	Equations  *sum = &r->sum;

	for (int64_t i = 0; i < (int64_t) r->K * r->K; i++)
		sum->a[i] = fade * sum->a[i] + e->a[i];
	for (int k = 0; k < r->K; k++)
		sum->b[k] = fade * sum->b[k] + e->b[k];
	sum->squares = fade * sum->squares + e->squares;
	sum->weight = fade * sum->weight + e->weight;
	sum->unit = fade * sum->unit + e->unit;
}

static void
clear(Equations *e, int K)
{
	memset(e->a, 0, sizeof(double) * K * K);
	memset(e->b, 0, sizeof(double) * K);
	e->squares = e->weight = e->unit = 0;
}

/* Mean gain of the blocks that are judged, each as a part of its squares; 0 where it is not sure. */
static double
gain_of(const double *rest, const double *squares, int n)
{
	double		mean = 0,
				variance = 0,
				left = 0,
				all = 0;

	for (int i = 0; i < n; i++)
	{
		mean += (1 - rest[i] / squares[i]) / n;
		left += rest[i];
		all += squares[i];
	}
	for (int i = 0; i < n; i++)
		variance += pow(1 - rest[i] / squares[i] - mean, 2) / (n - 1);
	return n < 2 || !(left < (1 - LEAST_GAIN) * all) || !(mean > LEAST_RATIO * sqrt(variance / n)) ? 0 : 1 - left / all;
}

/* The gain of the latest blocks, each forecast by those before it. */
static double
gain_by(Regression *r, Choice choice)
{
	double		rest[FOLDS],
				squares[FOLDS];
	int			n = rnn_regression_kept(&r->all, r->finest, choice.detail, r->kept),
				folds = 0;

	clear(&r->sum, r->K);
	for (int b = 0; b < BLOCKS; b++)
	{
		const Equations *e = &r->of[b];

		if (b >= BLOCKS - FOLDS && e->squares > 0)
		{
			solve(r, n);
			squares[folds] = e->squares;
			rest[folds++] = rest_of(r, e, n);
		}
		add_block(r, e, choice.fade);
	}
	return gain_of(rest, squares, folds);
}

/* ------------------------------------------------------------------- fit */

static void
new_equations(Equations *e, int K, rnn_arena *a)
{
	e->a = arena_new(a, double, (int64_t) K * K);
	e->b = arena_new(a, double, K);
}

static bool
lay_out(Regression *r, rnn_arena *a)
{
	for (int b = 0; b < BLOCKS; b++)
		new_equations(&r->of[b], r->K, a);
	new_equations(&r->sum, r->K, a);
	r->factor = arena_new(a, double, (int64_t) r->K * r->K);
	r->w = arena_new(a, double, r->K);
	r->first = arena_new(a, double, r->K);
	return !a->failed;
}

static int64_t
common_divisor(int64_t a, int64_t b)
{
	return b == 0 ? a : common_divisor(b, a % b);
}

/* Which rows are looked at: not always the same phase. */
static void
choose_rows(Regression *r, const rnn_series *series, int count)
{
	int64_t		points = 0,
				longest = 1;
	double		work;

	for (int i = 0; i < count; i++)
	{
		points += series[i].n;
		longest = rnn_max(longest, series[i].n);
	}
	work = (double) points * r->operators * r->K * r->K / 2;
	r->block = (longest + BLOCKS - 1) / BLOCKS;
	r->stride = rnn_max(1, (int64_t) fmax(work / MOST_WORK, (double) points / MOST_ROWS));
	while (common_divisor(r->stride, r->operator[0].lag) > 1)
		r->stride++;
}

/* Whether there are several that are known ahead. */
static bool
together(const rnn_covariates *all)
{
	int			n = 0;

	for (int k = 0; k < all->n; k++)
		n += all->list[k].role == RNN_AHEAD;
	return n > 1;
}

/* The finest detail whose terms are not too many. */
static bool
choose_finest(Regression *r)
{
	for (int d = together(&r->all) ? RNN_DETAIL_JOINT : RNN_DETAIL_PHASED; d > RNN_DETAIL_NONE; d--)
	{
		r->finest = d;
		r->K = rnn_regression_terms(&r->all, d);
		if (r->K <= RNN_MOST_TERMS)
			return r->K > 0;
	}
	return false;
}

/* What would have forecast the latest blocks best, if anything. */
static Choice
choose(Regression *r)
{
	Choice		best = {RNN_DETAIL_NONE, 1};
	double		most = 0;

	for (int d = RNN_DETAIL_LINEAR; d <= (int) r->finest; d++)
		for (int fades = 0; fades <= 1; fades++)
		{
			Choice		choice = {d, fades ? FADE : 1};
			double		gain = gain_by(r, choice);

			if (gain > most)
				best = choice;
			most = fmax(gain, most);
		}
	return best;
}

static void
add_all(Regression *r, const rnn_series *series, int count, const rnn_stop *stop)
{
	for (int b = 0; b < BLOCKS; b++)
		clear(&r->of[b], r->K);
	for (int i = 0; i < count; i++)
		for (int o = 0; o < r->operators; o++)
			add_series(r, r->operator[o], &series[i], i, stop);
}

/* Weights by all blocks; how many. */
static int
fit(Regression *r, Choice choice)
{
	int			n = rnn_regression_kept(&r->all, r->finest, choice.detail, r->kept);

	clear(&r->sum, r->K);
	for (int b = 0; b < BLOCKS; b++)
		add_block(r, &r->of[b], choice.fade);
	solve(r, n);
	return n;
}

/* From now on equations are weighed by what such a fit leaves. */
static void
weigh_by(Regression *r, Choice choice)
{
	int			n = fit(r, choice);

	memset(r->first, 0, sizeof(double) * r->K);
	for (int i = 0; i < n; i++)
		r->first[r->kept[i]] = r->w[i];
	r->left = sqrt(fmax(rest_of(r, &r->sum, n), 1e-6 * r->sum.squares) / r->sum.squares);
}

/* The root of the mean square of what all say together. */
static double
size_of(const Regression *r, const double *weight, const rnn_series *series, int count)
{
	double		squares = 0;
	int64_t		n = 0;

	for (int i = 0; i < count; i++)
		for (int64_t row = i % r->stride; row < series[i].n; row += r->stride, n++)
			squares += pow(rnn_regression_joint(&r->all, weight, &series[i], row), 2);
	return n > 0 ? sqrt(squares / (double) n) : 0;
}

/* What all say together is what they add, if that is linear, in units of its size. */
static void
join(Regression *r, const rnn_series *series, int count, double *joint, const rnn_stop *stop)
{
	Regression	linear = *r;
	double		size;
	int			n;

	linear.finest = RNN_DETAIL_LINEAR;
	linear.K = rnn_regression_terms(&r->all, RNN_DETAIL_LINEAR);
	add_all(&linear, series, count, stop);
	n = fit(&linear, (Choice) {RNN_DETAIL_LINEAR, 1});
	size = size_of(r, linear.w, series, count);
	for (int i = 0; i < n; i++)
		joint[i] = size > 0 ? linear.w[i] / size : 0;
	r->all.regression.joint = joint;
}

static bool
in_range(const double *weight, int n)
{
	for (int i = 0; i < n; i++)
		if (!(fabs(weight[i]) < RNN_MOST_WEIGHT))
			return false;
	return true;
}

/* None where a weight is no number. */
static rnn_regression
result(const Regression *r, rnn_detail detail, int n, double *weight)
{
	const double *joint = detail == RNN_DETAIL_JOINT ? r->all.regression.joint : NULL;

	if (!in_range(r->w, n) || (joint && !in_range(joint, rnn_regression_terms(&r->all, RNN_DETAIL_LINEAR))))
		return (rnn_regression) {0};
	memcpy(weight, r->w, sizeof(double) * n);
	return (rnn_regression) {detail, r->all.regression.cycle, n, weight, joint};
}

rnn_regression
rnn_regression_fit(const rnn_config *cfg, const rnn_series *series, int count, const rnn_stop *stop, rnn_arena *a)
{
	Regression	r = {.cfg = cfg,.all = cfg->covariates};
	Choice		choice;
	double	   *weight,
			   *joint;
	rnn_arena	scratch;

	if (!choose_finest(&r))
		return (rnn_regression) {0};
	weight = arena_new(a, double, r.K);
	joint = arena_new(a, double, r.K);
	scratch = *a;
	choose_operators(&r);
	choose_rows(&r, series, count);
	if (!lay_out(&r, &scratch))
		return (rnn_regression) {0};
	if (r.finest == RNN_DETAIL_JOINT)
		join(&r, series, count, joint, stop);
	add_all(&r, series, count, stop);
	choice = choose(&r);
	if (choice.detail == RNN_DETAIL_NONE)
		return (rnn_regression) {0};
	weigh_by(&r, choice);
	add_all(&r, series, count, stop);
	return result(&r, choice.detail, fit(&r, choice), weight);
}
