/*
 * tail.c
 *		The tail of a long-run distribution, by peaks over a threshold.
 *
 * The threshold u is the 98 % quantile of what is remembered, with k of n
 * values beyond it.  Above it the distribution is a generalised Pareto one
 * (Pickands 1975),
 *
 *		P(Z > z) = k/n (1 + xi (z - u) / sigma)^(-1/xi)
 *
 * whose xi is estimated from probability-weighted moments of the k excesses
 * (Hosking and Wallis 1987) and drawn towards 0.4, a heavy tail, since a dozen
 * values tell little of it; sigma follows from their mean.
 *
 * Exceedances come in clusters: the mean errors of neighbouring rows have most
 * of their rows in common, and trouble lasts.  What counts is the number of
 * clusters, so the probability is multiplied by clusters over exceedances, the
 * runs estimator of the extremal index (Smith and Weissman 1994).  The result
 * is a rate, events a row.
 */
#include "anomaly/tail.h"

#include <math.h>
#include <string.h>

#define SHARE 0.02				/* of the values, that are the tail */
#define FEWEST 10				/* values in the tail */
#define USUAL 0.4				/* xi, */
#define TRUST 30				/* that counts as so many values */

typedef struct Pareto
{
	double		share,			/* of the values that are above u */
				u,
				xi,
				sigma;
} Pareto;

void
tail_init(Tail *t, int64_t gap, rnn_arena *a)
{
	t->gap = gap;
	t->sorted = arena_new(a, double, TAIL_MEMORY);
	t->ring = arena_new(a, double, TAIL_MEMORY);
	tail_clear(t);
}

void
tail_clear(Tail *t)
{
	t->n = 0;
	t->added = t->exceeded = t->events = 0;
	t->last = -1 - t->gap;
}

/* Values below z. */
static int
rank_of(const Tail *t, double z)
{
	int			low = 0,
				high = t->n;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (t->sorted[middle] < z)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Values in the tail, of at least TAIL_LEAST. */
static int
tail_size(const Tail *t)
{
	int			k = (int) (SHARE * t->n);

	k = k < FEWEST ? FEWEST : k;
	return k > t->n / 4 ? t->n / 4 : k;
}

static double
threshold(const Tail *t)
{
	return t->sorted[t->n - tail_size(t) - 1];
}

/* Where nothing lies above u the unit is a billionth of it, and never 0. */
static Pareto
fit(const Tail *t)
{
	int			k = tail_size(t);
	Pareto		p = {.share = (k + 1.0) / (t->n + 1.0),.u = threshold(t)};
	double		mean = 0,
				weighted = 0,
				xi;

	for (int i = 0; i < k; i++)
	{
		double		excess = (t->sorted[t->n - k + i] - p.u) / k;

		mean += excess;
		weighted += excess * (1 - (i + 0.65) / k);
	}
	xi = mean > 2 * weighted ? 2 - mean / (mean - 2 * weighted) : 0;
	xi = (k * fmin(fmax(xi, -0.5), 1.5) + TRUST * USUAL) / (k + TRUST);
	p.xi = fmax(xi, 1e-3);
	p.sigma = fmax(mean * (1 - fmin(p.xi, 0.9)), fmax(1e-9 * p.u, 1e-300));
	return p;
}

double
tail_rate(const Tail *t, double z)
{
	double		clustering = (t->events + 1.0) / (t->exceeded + 1.0);
	Pareto		p;

	if (t->n < TAIL_LEAST)
		return 1;
	if (z <= threshold(t))
		return (t->n - rank_of(t, z) + 1.0) / (t->n + 1.0) * clustering;
	p = fit(t);
	return p.share * pow(1 + p.xi * ((z - p.u) / p.sigma), -1 / p.xi) * clustering;
}

double
tail_value(const Tail *t, double share)
{
	Pareto		p;

	if (t->n < TAIL_LEAST)
		return NAN;
	if (share >= (tail_size(t) + 1.0) / (t->n + 1.0))
		return t->sorted[(int) rnn_max(0, t->n - 1 - (int64_t) (share * t->n))];
	p = fit(t);
	return p.u + p.sigma / p.xi * (pow(p.share / share, p.xi) - 1);
}

static void
forget(Tail *t, double z)
{
	int			i = rank_of(t, z);

	memmove(t->sorted + i, t->sorted + i + 1, sizeof(double) * (t->n - 1 - i));
	t->n--;
}

void
tail_add(Tail *t, double z, int64_t row)
{
	int			i;

	if (t->n >= TAIL_LEAST && z > threshold(t))
	{
		t->exceeded++;
		t->events += row - t->last > t->gap;
		t->last = row;
	}
	if (t->n == TAIL_MEMORY)
		forget(t, t->ring[t->added % TAIL_MEMORY]);
	i = rank_of(t, z);
	memmove(t->sorted + i + 1, t->sorted + i, sizeof(double) * (t->n - i));
	t->sorted[i] = z;
	t->n++;
	t->ring[t->added++ % TAIL_MEMORY] = z;
}
