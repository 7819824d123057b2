/*
 * score.h
 *		How well models forecast the last windows of a history.
 */
#ifndef RNNFORECAST_SCORE_H
#define RNNFORECAST_SCORE_H

#include "pg.h"

/* Windows at the end of each series, `horizon` steps each, one after the other. */
typedef struct Windows
{
	const rnn_model *history;
	int			horizon;
	int			most;			/* of a series that has most */
	int64	   *first;			/* (n_series) point that the first begins at, n: none */
	double	   *scale;			/* (n_series) unit of its errors, 0: can't be measured */
} Windows;

typedef struct Score
{
	double		mase;			/* mean over the series of mean |error| / scale; NaN: not measured */
	double		coverage;		/* of the 90 % interval, NaN likewise */
	int64		points;			/* compared */
	double	   *series;			/* (n_series) mean |error| / scale, NaN: not measured */
} Score;

/* At most `wanted` windows, in a third of each series; each begins after a known point. */
Windows		last_windows(const rnn_model *history, int horizon, int wanted);
/* The unit: mean |x(t) - x(t - season)| before the first window. */
void		set_scales(Windows *windows, int season);
/* What lies before the windows, as a history of its own. */
bytea	   *before_windows(const Windows *windows);
/* Each window is forecast from all rows before it, by the model's weights. */
Score		score_model(const rnn_model *model, const Windows *windows);

#endif							/* RNNFORECAST_SCORE_H */
