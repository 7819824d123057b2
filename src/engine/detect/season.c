/*
 * season.c
 *		Which seasons a series has: hypotheses compete, errors decide.
 *
 * Candidates come from the calendar (hints), from the autocorrelation of the
 * differenced series and, without a calendar, from what people count by.  Each
 * hypothesis (no season, one, a pair) is played as the mix would play it at
 * origins before the end; the one with the smallest error wins, a simpler one
 * unless the other is better by a margin.
 * The series of a panel vote by the mean logarithm of their error ratios.
 *
 * The caller drives the search: each step is one series' autocorrelation, or
 * one hypothesis played on one series.
 */
#include "detect/season.h"
#include "bank/bank.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define VOTERS 40				/* series that are asked, spread over the panel */
#define POINTS 4096				/* of each, the last ones */
#define LAGS 1200
#define CANDIDATES 12
#define ORIGINS 8				/* of each of many voters, */
#define PLAYED 32				/* of few as many as make so many in all */
#define MARGIN 0.01				/* of the error, that each further season must earn */
#define STRANGER 0.25			/* more, where the calendar knows others, */
#define PART 0.06				/* less, of what is a part of one of those, */
#define UNUSUAL 0.02			/* and where there is no calendar: of what isn't usual, */
#define RARE 2.0				/* the more the fewer times it was seen, */
#define UNSEEN 0.05				/* of what is, but no peak, here too, */
#define SELDOM 0.5
#define APART 0.15				/* and of a pair that doesn't go together */
#define USUAL_REPEATS 3			/* times that a usual period must have been seen */
#define LEAST_REPEATS 10			/* times that a stranger must have been seen */

/* Steps that days, weeks, months and years are long: weak hints where there is no calendar. */
static const int usual[] = {4, 7, 12, 24, 48, 52, 96, 144, 168, 288, 336, 365};

#define USUAL ((int) (sizeof(usual) / sizeof(usual[0])))

enum
{
	SEARCH_CORRELATE, SEARCH_VOTE, SEARCH_DONE
};

int64_t
rnn_voters_longest(const rnn_series *series, int count)
{
	int64_t		longest = 1;

	for (int i = 0; i < count; i++)
		longest = series[i].n > longest ? series[i].n : longest;
	return rnn_min(longest, POINTS);
}

/* a filled and a differenced copy, autocorrelations, references, the mix's scratch */
size_t
rnn_seasons_work(const rnn_series *series, int count, int h)
{
	int64_t		n = rnn_voters_longest(series, count);

	return (size_t) (2 * n + 2 * LAGS + (int64_t) RNN_REFS * h + h) + rnn_mix_work_shared(n, h);
}

int
rnn_voters(int count)
{
	return count < VOTERS ? count : VOTERS;
}

int
rnn_voters_origins(int count)
{
	return (int) rnn_max(ORIGINS, PLAYED / rnn_voters(count));
}

rnn_voter
rnn_voter_of(const rnn_series *s, double *filled)
{
	int64_t		n = rnn_min(s->n, POINTS),
				first = 0;

	rnn_fill_forward(s->x + s->n - n, n, filled);
	while (first < n && isnan(filled[first]))
		first++;
	return (rnn_voter) {filled + first, n - first};
}

rnn_voter
rnn_voter_at(const rnn_series *series, int count, int number, double *filled)
{
	return rnn_voter_of(&series[(int64_t) number * count / rnn_voters(count)], filled);
}

/* Adds the autocorrelation of the first differences, lags 1 .. LAGS - 1. */
static void
add_autocorrelation(const rnn_voter *v, double *d, double *acf, double *weight)
{
	int64_t		n = v->n - 1,
				lags = rnn_min(LAGS, n / 3);
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

	while (n < RNN_PEAKS)
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

static bool
is_among(const int *list, int n, int season)
{
	for (int i = 0; i < n; i++)
		if (list[i] == season)
			return true;
	return false;
}

static int
add_hints(const rnn_season_search *s, int *candidates)
{
	int			n = 0;

	for (int i = 0; i < s->n_hints; i++)
		if (2 * (int64_t) s->hints[i] <= s->longest)
			n = add_candidate(candidates, n, s->hints[i]);
	return n;
}

/* A day and a week, a week and a year. */
static bool
together(int shorter, int longer)
{
	return (shorter >= 24 && longer == 7 * shorter) || (shorter == 7 && (longer == 364 || longer == 365));
}

/* A multiple of what is seen repeats it. */
static bool
repeats_peak(const rnn_season_search *s, int season)
{
	for (int i = 0; i < s->peaks; i++)
		if (is_multiple(season, s->peak[i]) && !together(s->peak[i], season))
			return true;
	return false;
}

/* Where there is no calendar: usual periods, those first whose lags repeat the series most. */
static int
add_usual(const rnn_season_search *s, const double *acf, int *candidates, int n)
{
	bool		taken[USUAL] = {false};

	for (int best = 0; best >= 0 && n < CANDIDATES;)
	{
		best = -1;
		for (int i = 0; i < USUAL; i++)
			if (!taken[i] && !repeats_peak(s, usual[i]) && USUAL_REPEATS * (int64_t) usual[i] <= s->longest && (best < 0 || acf[usual[i]] > acf[usual[best]]))
				best = i;
		if (best >= 0)
		{
			taken[best] = true;
			n = add_candidate(candidates, n, usual[best]);
		}
	}
	return n;
}

static int
add_peaks(rnn_season_search *s, int *candidates, int n)
{
	double	   *acf = s->work + 2 * s->longest,
			   *weight = acf + LAGS;

	/* A lag that few series reach says little about the panel. */
	for (int k = 0; k < LAGS; k++)
		acf[k] = weight[k] > 0 ? acf[k] / fmax(weight[k], rnn_voters(s->count) / 4.0) : 0;
	s->peaks = peaks(acf, s->peak);
	for (int i = 0; i < s->peaks; i++)
		n = add_candidate(candidates, n, s->peak[i]);
	return s->n_hints == 0 ? add_usual(s, acf, candidates, n) : n;
}

/* Where there is no calendar, the longer one of a pair that is seen has the shorter one whole times in it. */
static bool
may_pair(const rnn_season_search *s, int shorter, int longer)
{
	return s->n_hints > 0 || together(shorter, longer) ||
		(is_among(s->peak, s->peaks, shorter) && is_among(s->peak, s->peaks, longer) && is_multiple(longer, shorter));
}

static int
form_hypotheses(const rnn_season_search *s, const int *candidates, int n, rnn_hypothesis *h)
{
	int			count = 0;

	h[count++] = (rnn_hypothesis) {1, {1, 0}, 0};
	for (int i = 0; i < n; i++)
		h[count++] = (rnn_hypothesis) {1, {candidates[i], 0}, 0};
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
			if (candidates[i] * 2 <= candidates[j] && may_pair(s, candidates[i], candidates[j]) && count < RNN_HYPOTHESES)
				h[count++] = (rnn_hypothesis) {2, {candidates[i], candidates[j]}, 0};
	return count;
}

/* Mean |error| of the mix at origins before the end, or NAN where too short. */
static double
play(const rnn_voter *v, const rnn_hypothesis *hyp, int most, int h, double kappa, double *work)
{
	double	   *ref = work,
			   *f = ref + (int64_t) RNN_REFS * h,
			   *scratch = f + h,
				sum = 0;
	int			origins = 0;
	rnn_mix_rule rule = rnn_mix_rule_plain(h, hyp->seasons, hyp->n, kappa);

	rnn_mix_begin(scratch, v->n, h);
	for (int o = 0; o < most; o++)
	{
		int64_t		end = v->n - (int64_t) h * (o + 1);
		rnn_mix		mix;

		if (end < 8 || end < v->n / 2)
			break;
		rnn_mix_next(&rule, v->x, 0, end, &mix, ref, scratch);
		rnn_mix_combine(&mix, ref, h, f);
		for (int j = 0; j < h; j++)
			sum += fabs(f[j] - v->x[end + j]);
		origins++;
	}
	return origins > 0 ? sum / origins / h : NAN;
}

static void
begin_votes(rnn_season_search *s, bool correlated)
{
	int			candidates[CANDIDATES],
				n = add_hints(s, candidates);

	if (correlated)
		n = add_peaks(s, candidates, n);
	s->hypotheses = form_hypotheses(s, candidates, n, s->hyp);
	s->voter = s->at = 0;
	s->stage = SEARCH_VOTE;
}

static void
next_voter(rnn_season_search *s)
{
	s->voter++;
	s->at = 0;
}

/* No season, what the others are compared with; what is constant at its end can't tell. */
static void
play_none(rnn_season_search *s, double *work)
{
	double		top = 0;

	s->now = rnn_voter_at(s->series, s->count, s->voter, s->work);
	s->none = play(&s->now, &s->hyp[0], rnn_voters_origins(s->count), s->h, s->kappa, work);
	for (int64_t i = 0; i < s->now.n; i++)
		top = fmax(top, fabs(s->now.x[i]));
	if (!(s->none > 1e-6 * top))
		next_voter(s);
	else
		s->at = 1;
}

/* One hypothesis on one series; a series votes when it has played them all. */
static void
vote(rnn_season_search *s)
{
	double	   *work = s->work + s->longest,
				error;

	if (s->at == 0)
		play_none(s, work);
	else
	{
		error = play(&s->now, &s->hyp[s->at], rnn_voters_origins(s->count), s->h, s->kappa, work);
		/* One series alone must not decide for a panel; one too short abstains. */
		s->ratio[s->at++] = isnan(error) ? 0 :
			fmin(fmax(log(fmax(error, 1e-12 * s->none) / s->none), -3), 0.5);
	}
	if (s->at < s->hypotheses || s->at == 0)
		return;
	for (int i = 1; i < s->hypotheses; i++)
		s->hyp[i].score += s->ratio[i];
	s->voted++;
	next_voter(s);
}

void
rnn_seasons_begin(rnn_season_search *s, const rnn_series *series, int count, int h,
				  const int *hints, int n_hints, double kappa, double *work)
{
	memset(s, 0, sizeof(*s));
	s->series = series;
	s->count = count;
	s->hints = hints;
	s->n_hints = n_hints;
	s->kappa = kappa;
	s->work = work;
	s->longest = rnn_voters_longest(series, count);
	/* Long horizons would leave no origins in short series. */
	s->h = (int) rnn_min(h, s->longest / 6 > 1 ? s->longest / 6 : 1);
	memset(work + 2 * s->longest, 0, sizeof(double) * 2 * LAGS);
}

bool
rnn_seasons_step(rnn_season_search *s)
{
	rnn_voter	v;

	switch (s->stage)
	{
		case SEARCH_CORRELATE:
			if (s->voter == rnn_voters(s->count))
			{
				begin_votes(s, true);
				break;
			}
			v = rnn_voter_at(s->series, s->count, s->voter, s->work);
			add_autocorrelation(&v, s->work + s->longest, s->work + 2 * s->longest, s->work + 2 * s->longest + LAGS);
			s->voter++;
			break;
		case SEARCH_VOTE:
			if (s->voter < rnn_voters(s->count))
				vote(s);
			else
				s->stage = SEARCH_DONE;
			break;
	}
	return s->stage == SEARCH_DONE;
}

/* What a season must earn beside the margin. */
static double
surprise(const rnn_season_search *s, int season)
{
	if (season == 1 || is_among(s->hints, s->n_hints, season))
		return 0;
	if (s->n_hints == 0)
	{
		double		part = season / (double) s->longest;

		if (!is_among(s->peak, s->peaks, season))
			return UNSEEN + SELDOM * part;
		return is_among(usual, USUAL, season) ? 0 : UNUSUAL + RARE * part;
	}
	for (int i = 0; i < s->n_hints; i++)
		if (s->hints[i] % season == 0)
			return PART;
	return LEAST_REPEATS * (int64_t) season <= s->longest ? STRANGER : INFINITY;
}

/* A week that is taken alone costs as much as a day and a week, which say the same by fewer numbers. */
static int
seasons_of(const rnn_season_search *s, const rnn_hypothesis *h)
{
	int			last = h->seasons[h->n - 1],
				n = h->n - 1 + (h->seasons[0] > 1);

	for (int i = 0; i < s->n_hints; i++)
		if (s->hints[i] > 1 && s->hints[i] < last && last % s->hints[i] == 0 && !is_among(h->seasons, h->n, s->hints[i]))
			n++;
	return n;
}

static double
cost_of(const rnn_season_search *s, const rnn_hypothesis *h)
{
	double		cost = MARGIN * seasons_of(s, h);

	for (int k = 0; k < h->n; k++)
		cost += surprise(s, h->seasons[k]);
	if (s->n_hints == 0 && h->n == 2 && !together(h->seasons[0], h->seasons[1]))
		cost += APART;
	return cost;
}

int
rnn_seasons_end(rnn_season_search *s, int *seasons)
{
	rnn_hypothesis *hyp = s->hyp;
	int			best = 0;

	if (s->stage == SEARCH_CORRELATE)
		begin_votes(s, false);
	if (s->voted == 0 && s->n_hints > 0 && 2 * (int64_t) s->hints[0] <= s->longest)
		best = 1;				/* too short to judge, or no time: believe the calendar */
	for (int i = 0; i < s->hypotheses && s->voted > 0; i++)
	{
		hyp[i].score += cost_of(s, &hyp[i]) * s->voted;
		if (hyp[i].score < hyp[best].score)
			best = i;
	}
	for (int i = 0; i < hyp[best].n; i++)
		seasons[i] = hyp[best].seasons[i];
	return hyp[best].n;
}
