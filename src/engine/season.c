/*
 * season.c
 *		Which seasons a series has: hypotheses compete, errors decide.
 *
 * Candidates come from the calendar (hints) and from the autocorrelation of
 * the differenced series.  Each hypothesis (no season, one, a pair) is played
 * as the mix would play it at origins before the end; the one with the
 * smallest error wins, a simpler one unless the other is better by a margin.
 * The series of a panel vote by the mean logarithm of their error ratios.
 */
#include "rnn.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define VOTERS 40				/* series that are asked, spread over the panel */
#define POINTS 4096				/* of each, the last ones */
#define LAGS 1200
#define PEAKS 4
#define CANDIDATES 8
#define HYPOTHESES 40
#define ORIGINS 8
#define MARGIN 0.01				/* of the error, that each further season must earn */
#define STRANGER 0.06			/* more, where neither calendar nor a shorter season suggests it */

typedef struct Hypothesis
{
	int			n;
	int			seasons[2];
	double		score;			/* sum over voters of the log error ratio */
} Hypothesis;

typedef struct Voter
{
	const double *x;
	int64_t		n;
} Voter;

static int64_t
min64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t
longest_of(const rnn_series *series, int count)
{
	int64_t		longest = 1;

	for (int i = 0; i < count; i++)
		longest = series[i].n > longest ? series[i].n : longest;
	return min64(longest, POINTS);
}

/* a filled and a differenced copy, autocorrelations, references, the mix's scratch */
size_t
rnn_seasons_work(const rnn_series *series, int count, int h)
{
	int64_t		n = longest_of(series, count);

	return (size_t) (2 * n + 2 * LAGS + (int64_t) RNN_REFS * h + h) + rnn_mix_work(n, h);
}

static Voter
voter(const rnn_series *series, int count, int i, double *filled)
{
	int			voters = count < VOTERS ? count : VOTERS;
	const rnn_series *s = &series[(int64_t) i * count / voters];
	int64_t		n = min64(s->n, POINTS),
				first = 0;

	rnn_fill_forward(s->x + s->n - n, n, filled);
	while (first < n && isnan(filled[first]))
		first++;
	return (Voter) {filled + first, n - first};
}

/* Adds the autocorrelation of the first differences, lags 1 .. LAGS - 1. */
static void
add_autocorrelation(const Voter *v, double *d, double *acf, double *weight)
{
	int64_t		n = v->n - 1,
				lags = min64(LAGS, n / 3);
	double		mean = 0,
				squares = 0,
				top = 0;

	for (int64_t i = 0; i < n; i++)
		top = fmax(top, fabs(v->x[i + 1] - v->x[i]));
	if (n < 8 || top == 0)
		return;
	for (int64_t i = 0; i < n; i++)
		mean += d[i] = (v->x[i + 1] - v->x[i]) / top;
	mean /= n;
	for (int64_t i = 0; i < n; i++)
	{
		d[i] -= mean;
		squares += d[i] * d[i];
	}
	for (int64_t k = 1; k < lags; k++)
	{
		double		sum = 0;

		for (int64_t i = k; i < n; i++)
			sum += d[i] * d[i - k];
		acf[k] += sum / squares;
		weight[k] += 1;
	}
}

/* But for one step, as a count of days or weeks in a year is. */
static bool
is_multiple(int season, int of)
{
	int			rest = season % of;

	return rest <= 1 || rest >= of - 1;
}

/* The highest local maxima, none of them a multiple of a better one that is as low. */
static int
peaks(const double *acf, int *found)
{
	int			n = 0;

	while (n < PEAKS)
	{
		int			best = 0;

		for (int k = 2; k < LAGS - 1; k++)
		{
			bool		taken = acf[k] < 0.1 || acf[k] < acf[k - 1] || acf[k] < acf[k + 1];

			for (int i = 0; i < n && !taken; i++)
			{
				/* A multiple of a known period repeats it, unless it stands out from the others. */
				int			p = found[i];

				if (k > p && is_multiple(k, p))
					taken = acf[k] < acf[k - p] || (k + p < LAGS && acf[k] < acf[k + p]);
				taken |= abs(k - p) <= 1;
			}
			if (!taken && (best == 0 || acf[k] > acf[best]))
				best = k;
		}
		if (best == 0)
			break;
		found[n++] = best;
	}
	return n;
}

static int
add_candidate(int *candidates, int n, int64_t season)
{
	for (int i = 0; i < n; i++)
		if (candidates[i] == season)
			return n;
	if (n < CANDIDATES && season >= 2)
		candidates[n++] = (int) season;
	return n;
}

static int
find_candidates(const rnn_series *series, int count, const int *hints, int n_hints,
				int *candidates, double *work)
{
	int64_t		longest = longest_of(series, count);
	double	   *filled = work,
			   *d = filled + longest,
			   *acf = d + longest,
			   *weight = acf + LAGS;
	int			found[PEAKS],
				n = 0,
				voters = count < VOTERS ? count : VOTERS;

	for (int i = 0; i < n_hints; i++)
		if (2 * (int64_t) hints[i] <= longest)
			n = add_candidate(candidates, n, hints[i]);
	memset(acf, 0, sizeof(double) * LAGS);
	memset(weight, 0, sizeof(double) * LAGS);
	for (int i = 0; i < voters; i++)
	{
		Voter		v = voter(series, count, i, filled);

		add_autocorrelation(&v, d, acf, weight);
	}
	/* A lag that few series reach says little about the panel. */
	for (int k = 0; k < LAGS; k++)
		acf[k] = weight[k] > 0 ? acf[k] / fmax(weight[k], voters / 4.0) : 0;
	for (int i = 0, p = peaks(acf, found); i < p; i++)
		n = add_candidate(candidates, n, found[i]);
	return n;
}

static int
form_hypotheses(const int *candidates, int n, Hypothesis *h)
{
	int			count = 0;

	h[count++] = (Hypothesis) {1, {1, 0}, 0};
	for (int i = 0; i < n; i++)
		h[count++] = (Hypothesis) {1, {candidates[i], 0}, 0};
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
			if (candidates[i] * 2 <= candidates[j] && count < HYPOTHESES)
				h[count++] = (Hypothesis) {2, {candidates[i], candidates[j]}, 0};
	return count;
}

/* Mean |error| of the mix at origins before the end, or NAN where too short. */
static double
play(const Voter *v, const Hypothesis *hyp, int h, double kappa, double *work)
{
	double	   *ref = work,
			   *f = ref + (int64_t) RNN_REFS * h,
			   *scratch = f + h,
				sum = 0;
	int			origins = 0;

	for (int o = 0; o < ORIGINS; o++)
	{
		int64_t		end = v->n - (int64_t) h * (o + 1);
		rnn_mix		mix;

		if (end < 8 || end < v->n / 2)
			break;
		rnn_mix_at(v->x, end, h, hyp->seasons, hyp->n, kappa, &mix, ref, scratch);
		rnn_mix_combine(&mix, ref, h, f);
		for (int j = 0; j < h; j++)
			sum += fabs(f[j] - v->x[end + j]);
		origins++;
	}
	return origins > 0 ? sum / origins / h : NAN;
}

/* One voter's log error ratios to the hypothesis of no season. */
static bool
vote(const Voter *v, Hypothesis *hyp, int count, int h, double kappa, double *work)
{
	double		none = play(v, &hyp[0], h, kappa, work),
				top = 0;

	for (int64_t i = 0; i < v->n; i++)
		top = fmax(top, fabs(v->x[i]));
	/* What is constant at its end can't tell. */
	if (!(none > 1e-6 * top))
		return false;
	for (int i = 1; i < count; i++)
	{
		double		error = play(v, &hyp[i], h, kappa, work);

		/* One series alone must not decide for a panel; one too short abstains. */
		if (!isnan(error))
			hyp[i].score += fmin(fmax(log(fmax(error, 1e-12 * none) / none), -3), 0.5);
	}
	return true;
}

static bool
is_hint(const int *hints, int n_hints, int season)
{
	for (int i = 0; i < n_hints; i++)
		if (hints[i] == season)
			return true;
	return false;
}

int
rnn_seasons_detect(const rnn_series *series, int count, int h, const int *hints, int n_hints,
				   double kappa, int *seasons, double *work)
{
	Hypothesis	hyp[HYPOTHESES];
	int			candidates[CANDIDATES],
				n = find_candidates(series, count, hints, n_hints, candidates, work),
				hypotheses = form_hypotheses(candidates, n, hyp),
				voters = count < VOTERS ? count : VOTERS,
				voted = 0,
				best = 0;
	int64_t		longest = longest_of(series, count);

	/* Long horizons would leave no origins in short series. */
	h = (int) min64(h, longest / 6 > 1 ? longest / 6 : 1);
	for (int i = 0; i < voters; i++)
	{
		Voter		v = voter(series, count, i, work);

		voted += vote(&v, hyp, hypotheses, h, kappa, work + longest);
	}
	if (voted == 0 && n_hints > 0 && 2 * (int64_t) hints[0] <= longest)
		best = 1;				/* too short to judge: believe the calendar */
	for (int i = 0; i < hypotheses && voted > 0; i++)
	{
		double		cost = MARGIN * (hyp[i].n - 1 + (hyp[i].seasons[0] > 1));

		for (int k = 0; k < hyp[i].n && n_hints > 0 && i > 0; k++)
			cost += is_hint(hints, n_hints, hyp[i].seasons[k]) ? 0 : STRANGER;
		if (n_hints == 0 && hyp[i].n == 2 && !is_multiple(hyp[i].seasons[1], hyp[i].seasons[0]))
			cost += STRANGER;
		hyp[i].score += cost * voted;
		if (hyp[i].score < hyp[best].score)
			best = i;
	}
	for (int i = 0; i < hyp[best].n; i++)
		seasons[i] = hyp[best].seasons[i];
	return hyp[best].n;
}
