/*
 * fit_widen.c
 *		How much wider the intervals of short series must be, and what share the
 *		prior must have in its mean with the mix: tools/fit widen.
 *
 * The score of a future point is the factor by which the gap between median
 * and quantile had to be widened to reach it.  Of each class of length the
 * scores of each pair of levels are counted on a grid of c, where a series of
 * n points is widened by 1 + c / n.  The c of a pair is the one whose coverage
 * is nearest to its level, by the mean square over the classes.
 *
 * The mean is linear in the share, so the loss of any follows from two forecasts.
 */
#include "fit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define Q RNN_QUANTILES
#define M RNN_MEDIAN
#define CLASSES 7
#define LEAST 8					/* points; fewer have no forecast to speak of */
#define TRIED 81				/* c in halves */
#define SHARES 6				/* 0, 0.2 .. 1 */

static const int longest[CLASSES] = {15, 31, 63, 127, 255, 511, RNN_SYNTH_LONGEST};

typedef struct Counts
{
	int64_t		covered[CLASSES][M][TRIED],
				of[CLASSES];
	double		ratio[RNN_FAMILIES + 1][SHARES];	/* sum of log (loss / the mix's), the last of all families */
	int			series[RNN_FAMILIES + 1];
} Counts;

static Counts *all;				/* (processes), shared */

static double
factor_to_reach(double y, const double *q, int pair)
{
	double		gap = y < q[M] ? q[M] - q[pair] : q[Q - 1 - pair] - q[M];

	return fabs(y - q[M]) / fmax(gap, 1e-12 * fabs(q[M]));
}

static void
count_series(const Fitting *fit, uint64_t number, Counts *c)
{
	static rnn_synth s;
	static rnn_synth_work work;
	static double with[RNN_SYNTH_HORIZON * Q],
				without[RNN_SYNTH_HORIZON * Q];
	rnn_model	m;
	rnn_rng		r;
	double		loss[SHARES] = {0};
	int			h,
				class = 0;

	rnn_synth_make(fit->seed, number, RNN_SPLIT_HELD_OUT, RNN_SYNTH_HORIZON, &work, &s);
	if (s.n < LEAST)
		return;
	rnn_rng_seed(&r, fit->seed, number);
	h = draw_horizon(&r, s.n);
	while (s.n > longest[class])
		class++;
	m = untrained(fit, h, s.n_given, s.given);
	forecast_after(&m, s.x, s.n, h, with);
	m.prior = 0;
	m.prior_net = NULL;
	forecast_after(&m, s.x, s.n, h, without);
	for (int j = 0; j < h; j++)
	{
		double		y = s.x[s.n + j];

		for (int pair = 0; pair < M; pair++)
		{
			double		factor = factor_to_reach(y, with + j * Q, pair);

			for (int k = 0; k < TRIED; k++)
				c->covered[class][pair][k] += factor <= 1 + 0.5 * k / s.n;
		}
		c->of[class]++;
		for (int k = 0; k < SHARES; k++)
		{
			double		part = k / (SHARES - 1.0) / fit->prior.share,
						q[Q];

			for (int i = 0; i < Q; i++)
				q[i] = part * with[j * Q + i] + (1 - part) * without[j * Q + i];
			loss[k] += mean_pinball(q, y);
		}
	}
	for (int to = 0; to < 2 && loss[0] > 0; to++)
	{
		int			family = to ? RNN_FAMILIES : (int) s.family;

		for (int k = 0; k < SHARES; k++)
			c->ratio[family][k] += log(loss[k] / loss[0]);
		c->series[family]++;
	}
}

static void
count(const Fitting *fit, int process)
{
	for (int i = process; i < fit->count; i += fit->processes)
		count_series(fit, i, &all[process]);
}

static double
coverage(const Counts *c, int class, int pair, int k)
{
	return (double) c->covered[class][pair][k] / (double) c->of[class];
}

static int
nearest(const Counts *c, int pair)
{
	double		least = INFINITY,
				level = 1 - 2 * rnn_quantile_levels[pair];
	int			best = 0;

	for (int k = 0; k < TRIED; k++)
	{
		double		sum = 0;

		for (int class = 0; class < CLASSES; class++)
			sum += pow(coverage(c, class, pair, k) - level, 2);
		if (sum < least)
		{
			least = sum;
			best = k;
		}
	}
	return best;
}

static void
add(Counts *to, const Counts *from)
{
	for (int class = 0; class < CLASSES; class++)
	{
		to->of[class] += from->of[class];
		for (int i = 0; i < M * TRIED; i++)
			to->covered[class][i / TRIED][i % TRIED] += from->covered[class][i / TRIED][i % TRIED];
	}
	for (int f = 0; f <= RNN_FAMILIES; f++)
	{
		for (int k = 0; k < SHARES; k++)
			to->ratio[f][k] += from->ratio[f][k];
		to->series[f] += from->series[f];
	}
}

static void
print(const Counts *c)
{
	static const char *const what[] = {"as trained", "widened"};

	printf("| level | c |");
	for (int class = 0; class < CLASSES; class++)
		printf(" %s%d |", class < CLASSES - 1 ? "to " : "more, to ", longest[class]);
	printf("\n|---|---:|%s\n", "---:|---:|---:|---:|---:|---:|---:|");
	for (int pair = 0; pair < M; pair++)
		for (int w = 0; w < 2; w++)
		{
			int			k = w * nearest(c, pair);

			printf("| %.3f %s | %.1f |", 1 - 2 * rnn_quantile_levels[pair], what[w], 0.5 * k);
			for (int class = 0; class < CLASSES; class++)
				printf(" %.3f |", coverage(c, class, pair, k));
			printf("\n");
		}
	printf("\nLoss over the mix's by the prior's share\n\n| family | series |");
	for (int k = 1; k < SHARES; k++)
		printf(" %.1f |", k / (SHARES - 1.0));
	printf("\n|---|---:|%s\n", "---:|---:|---:|---:|---:|");
	for (int f = 0; f <= RNN_FAMILIES; f++)
	{
		if (c->series[f] == 0)
			continue;
		printf("| %s | %d |", f < RNN_FAMILIES ? rnn_family_name(f) : "all", c->series[f]);
		for (int k = 1; k < SHARES; k++)
			printf(" %.3f |", exp(c->ratio[f][k] / c->series[f]));
		printf("\n");
	}
	printf("\n.widen = {");
	for (int pair = 0; pair < M; pair++)
		printf("%s%g", pair ? ", " : "", 0.5 * nearest(c, pair));
	printf("}\n");
}

void
fit_widen(const Fitting *given)
{
	Fitting			fit = *given;
	Counts		sum = {0};

	memset(fit.prior.widen, 0, sizeof(fit.prior.widen));
	all = mmap(NULL, sizeof(Counts) * fit.processes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (all == MAP_FAILED)
		die("no shared memory");
	in_processes(&fit, count);
	for (int p = 0; p < fit.processes; p++)
		add(&sum, &all[p]);
	print(&sum);
}
