/*
 * forecast.h
 *		What the files of rnn_forecast share.
 */
#ifndef RNNFORECAST_FORECAST_H
#define RNNFORECAST_FORECAST_H

#include "pg.h"

/* ahead.c: what becomes of a series */
typedef enum AheadState
{
	AHEAD_FINE,
	AHEAD_SKIP,					/* it is left out */
	AHEAD_NAIVE					/* its last known value is forecast */
} AheadState;

/* What is known ahead must be known: an error, unless the options say otherwise. */
AheadState	check_ahead(const rnn_model *m, const rnn_series *s, int horizon, const ForecastOptions *options);
void		fill_ahead(const rnn_model *m, rnn_series *s, int horizon, rnn_covariate_gaps gaps);

#endif							/* RNNFORECAST_FORECAST_H */
