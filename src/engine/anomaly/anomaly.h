/*
 * anomaly.h
 *		Which values of a series don't fit what came before them.
 */
#ifndef RNN_ANOMALY_H
#define RNN_ANOMALY_H

#include "forecast/forecast.h"

/* How a series is watched. */
typedef struct rnn_watch_plan
{
	int			seasons[RNN_MAX_SEASONS];	/* ascending, {1}: none; none may be found in what is judged */
	int			n_seasons;
	double		kappa;			/* of the mix */
	const rnn_model *model;		/* whose forecasts are what is expected; NULL: the mix's */
	double		level;			/* share of the values within `reach`, in (0, 1) */
} rnn_watch_plan;

/* What is said of one value, from those before it alone. */
typedef struct rnn_watched
{
	double		expected,
				reach,			/* how far from what was expected the share `level` of the values lay; NaN:
								 * too few to tell */
				score,			/* the mean error of the last few values, of as many as make it rarest, in
								 * units of the mean absolute error; NaN where none is known */
				rate;			/* events as extreme that are expected in a row; 1 where nothing is known */
} rnn_watched;

/* Rows between flags that are one event to the rates. */
int64_t		rnn_watch_gap(const rnn_watch_plan *plan);

/* Bytes of the block to watch a series of n points in. */
rnn_status	rnn_watch_size(const rnn_watch_plan *plan, int64_t n, size_t *size, rnn_error *err);
/*
 * One bounded piece of a pass over a series: *done, the rows that are judged,
 * is 0 at first and n in the end.  Points that are NaN are neither judged nor
 * learned from.  Block, size and out, (n,), stay the same.
 */
rnn_status	rnn_watch_step(const rnn_watch_plan *plan, const rnn_series *s, void *block, size_t size,
						   int64_t *done, rnn_watched *out, rnn_error *err);

#endif							/* RNN_ANOMALY_H */
