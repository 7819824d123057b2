/*
 * phases.c
 *		How much each phase of a season differs from one season to the next.
 *
 * A load at night is nearly that of the night before, and the load at noon
 * depends on the clouds.  A river is calm in summer and not in spring.  The mix
 * knows one spread, from its errors at trailing origins; here is by how much the
 * phases ahead of it differ from those in which that was measured.
 */

#include "bank/bank.h"

#include <math.h>
#include <string.h>

#define LEAST_PHASES 4			/* of a season */
#define LEAST_SEASONS 7			/* differences of each phase; fewer are one strange year */
#define MOST_SEASONS 28
#define MOST_POINTS 8192		/* that are looked at */
#define ALIKE 8					/* differences that a phase is supposed to have that are like all others */
#define SMOOTH 24				/* a phase knows its neighbours as far as this part of the season */

/* Sums and counts of |x_t - x_{t-lag}| by phase; phase 0 is that of the first point ahead. */
static void
add_up(const double *x, int64_t n, int seasons, int lag, rnn_phases *p)
{
	memset(p->sum, 0, sizeof(double) * p->m);
	memset(p->count, 0, sizeof(int) * p->m);
	for (int64_t i = n - (int64_t) seasons * p->m, phase = 0; i < n; i++, phase++)
	{
		double		away = fabs(x[i] - x[i - lag]);

		phase = phase < p->m ? phase : 0;
		if (isnan(away))
			continue;
		p->sum[phase] += away;
		p->count[phase]++;
	}
}

/* What a phase differs by: of its neighbours too, weights falling linearly, and of the mean of all. */
static double
difference(const rnn_phases *p, int64_t phase)
{
	int			m = p->m,
				r = (m + SMOOTH / 2) / SMOOTH;
	double		sum = ALIKE * p->mean,
				count = ALIKE;

	for (int k = -r; k <= r; k++)
	{
		int64_t		at = ((phase + k) % m + m) % m;
		double		weight = (double) (r + 1 - (k < 0 ? -k : k)) / ((r + 1) * (r + 1));

		sum += weight * p->sum[at];
		count += weight * p->count[at];
	}
	return sum / count;
}

/* The longest season that leaves enough differences, since it knows what days of a week have in common. */
static int
longest_lag(const int *seasons, int n_seasons, int64_t n)
{
	while (n_seasons > 1 && n < seasons[n_seasons - 1] + (int64_t) LEAST_SEASONS * seasons[0])
		n_seasons--;
	return seasons[n_seasons - 1];
}

/* Means of all differences, and of those at the phases that the trailing origins take. */
static void
take_means(rnn_phases *p, int64_t measured)
{
	double		sum = 0;
	int64_t		count = 0;

	for (int i = 0; i < p->m; i++)
	{
		sum += p->sum[i];
		count += p->count[i];
	}
	p->mean = p->measured = sum / (double) rnn_max(count, 1);
	if (!(p->mean > 0) || !isfinite(p->mean))
		p->m = 0;
	if (measured >= p->m)
		return;
	p->measured = 0;
	for (int64_t i = 1; i <= measured; i++)
		p->measured += difference(p, -i) / (double) measured;
}

void
rnn_phases_at(const double *x, int64_t n, const int *seasons, int n_seasons, int h, rnn_phases *p)
{
	int64_t		known = rnn_min(n, rnn_mix_reach(seasons, n_seasons, h));
	int			m = seasons[0],
				lag = longest_lag(seasons, n_seasons, known),
				most = rnn_min(MOST_SEASONS, MOST_POINTS / m),
				differences = (int) rnn_min((known - lag) / m, most);

	p->m = 0;
	if (m < LEAST_PHASES || m > RNN_MOST_PHASES || differences < LEAST_SEASONS)
		return;
	p->m = m;
	add_up(x, n, differences, lag, p);
	take_means(p, rnn_min(rnn_mix_origins(h), RNN_SPREAD_ORIGINS) * h);
}

double
rnn_phase_factor(const rnn_phases *p, int64_t j)
{
	return p->m == 0 ? 1 : difference(p, j) / p->measured;
}
