/*
 * season.h
 *		The search for seasons, driven step by step.
 */
#ifndef RNN_SEASON_H
#define RNN_SEASON_H

#include "series/series.h"

#define RNN_HYPOTHESES 40
#define RNN_PEAKS 4

typedef struct rnn_hypothesis
{
	int			n;
	int			seasons[2];
	double		score;			/* sum over voters of the log error ratio */
} rnn_hypothesis;

typedef struct rnn_voter
{
	const double *x;
	int64_t		n;
} rnn_voter;

typedef struct rnn_season_search
{
	const rnn_series *series;
	int			count;
	int			h;
	const int  *hints;
	int			n_hints;
	double		kappa;
	double	   *work;			/* filled (longest), then the stage's own */
	int64_t		longest;		/* points that are looked at */

	int			stage;
	int			voter;			/* the series whose turn it is */
	int			at;				/* the hypothesis that it plays next */
	rnn_voter	now;
	double		none;			/* its error without a season */
	double		ratio[RNN_HYPOTHESES];	/* what it is going to vote */
	int			voted;
	int			peak[RNN_PEAKS],	/* of the autocorrelation */
				peaks;
	int			hypotheses;
	rnn_hypothesis hyp[RNN_HYPOTHESES];
} rnn_season_search;

/* The last points of a series, filled forward in `filled`. */
rnn_voter	rnn_voter_of(const rnn_series *s, double *filled);

/*
 * The voters of a search: how many series are asked, spread over the panel, the
 * points that are looked at of the longest, origins that each plays at most, and
 * the last points of the one whose turn it is, filled forward in `filled`.
 */
int			rnn_voters(int count);
int64_t		rnn_voters_longest(const rnn_series *series, int count);
int			rnn_voters_origins(int count);
rnn_voter	rnn_voter_at(const rnn_series *series, int count, int number, double *filled);

/* Doubles of scratch for a search with horizon h. */
size_t		rnn_seasons_work(const rnn_series *series, int count, int h);

/*
 * Season detection by competing hypotheses.  `hints` are candidates from the
 * calendar (24 and 168 for hours), tried beside peaks of the autocorrelation;
 * the trailing error of the mix decides.  Several series vote.  What is passed
 * must stay where it is until the end.
 */
void		rnn_seasons_begin(rnn_season_search *s, const rnn_series *series, int count, int h,
							  const int *hints, int n_hints, double kappa, double *work);
/* Some milliseconds of it; true when all series have voted. */
bool		rnn_seasons_step(rnn_season_search *s);
/*
 * Fills seasons, ascending, at most RNN_MAX_SEASONS, {1} if there are none, and
 * returns how many.  Before all have voted: by the votes so far.
 */
int			rnn_seasons_end(rnn_season_search *s, int *seasons);

#endif							/* RNN_SEASON_H */
