/*
 * curve.h
 *		The search for the transform, driven step by step.
 */
#ifndef RNN_CURVE_H
#define RNN_CURVE_H

#include "detect/season.h"

typedef struct rnn_curve_search
{
	const rnn_series *series;
	int			count;
	int			h;
	const int  *seasons;
	int			n_seasons;
	double		kappa;
	rnn_config	bent;			/* with the transform that is tried */
	double	   *work;
	int64_t		longest;		/* points that are looked at */
	int			voter;
	int			voted;
	double		score,			/* sum over voters of the log loss ratio, */
				squares;		/* and of its square */
} rnn_curve_search;

/* Doubles of scratch for a search with horizon h. */
size_t		rnn_curve_work(const rnn_series *series, int count, int h);

/*
 * Whether the asinh of a panel's series (cfg->pivot says where it bends) is forecast better than they are by themselves:
 * the mix forecasts both from origins before the end, and the quantile loss in the series' own units decides.  Several series
 * vote.  What is passed must stay where it is until the end.
 */
void		rnn_curve_begin(rnn_curve_search *s, const rnn_config *cfg, const rnn_series *series, int count, int h,
							const int *seasons, int n_seasons, double *work);
/* Some milliseconds of it; true when all series have voted. */
bool		rnn_curve_step(rnn_curve_search *s);
/* Before all have voted: by the votes so far. */
rnn_transform_kind rnn_curve_end(const rnn_curve_search *s);

#endif							/* RNN_CURVE_H */
