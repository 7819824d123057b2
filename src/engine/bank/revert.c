/*
 * revert.c
 *		References that return to what was usual: a level that lies off the mean
 *		of many seasons comes back to it.
 *
 * All other references carry the last level on.  A distance to the mean shrinks
 * to FADE of it each season, as in an autoregression of the seasons' means.
 */
#include "bank/references.h"

#include <math.h>
#include <string.h>

#define MEAN_SEASONS 14			/* of the mean of each phase, */
#define REVERT_SEASONS 28		/* and of a level's mean */
#define LEAST_SEASONS 4			/* that either needs */
#define FADE 0.4

/* How many of `wanted` seasons of the shortest kind there are, not too far back; 0: too few. */
static int64_t
seasons_back(const Bank *bank, int64_t n, int wanted)
{
	int64_t		far = rnn_max(ANALOGUE_POINTS, (int64_t) SEASONS_KEPT * bank->seasons[bank->n_seasons - 1]),
				found = rnn_min(wanted, rnn_min(n, far) / bank->seasons[0]);

	return bank->seasons[0] < 2 || found < LEAST_SEASONS ? 0 : found;
}

/* trend (h): where a level goes that lies `gap` above the mean, and did so `since` seasons ago. */
static void
return_by(double gap, double since, int64_t m, int h, double *trend)
{
	double		step = pow(FADE, 1 / (double) m),
				left = pow(FADE, since);

	for (int j = 0; j < h; j++)
	{
		left *= step;
		trend[j] = gap * (left - 1);
	}
}

bool
revert_trend(const Bank *bank, int64_t n, int h, double level, double *trend)
{
	int64_t		m = bank->seasons[0],
				K = seasons_back(bank, n, REVERT_SEASONS);

	if (K > 0)
		return_by(level - bank_mean(bank->x + n - K * m, K * m), 0, m, h, trend);
	return K > 0;
}

/* profile (m): the means of the phases of K seasons, less `mean` */
static WIDE void
phase_means(const double *restrict x, int64_t K, int64_t m, double mean, double *restrict profile)
{
	double		share = 1 / (double) K;

	memset(profile, 0, sizeof(double) * m);
	for (int64_t k = 0; k < K; k++)
		for (int64_t i = 0; i < m; i++)
			profile[i] += (x[k * m + i] - mean) * share;
}

bool
season_by_means(const Bank *bank, int64_t n, int h, double *level, double *trend, double *profile)
{
	int64_t		m = bank->seasons[0],
				K = seasons_back(bank, n, MEAN_SEASONS);
	const double *from = bank->x + n - K * m;
	double		mean = bank_mean(from, K * m);

	if (K == 0)
		return false;
	phase_means(from, K, m, mean, profile);
	*level = bank_mean(bank->x + n - m, m);
	return_by(*level - mean, 1, m, h, trend);
	return true;
}
