/*
 * forecast.h
 *		What the files of rnn_forecast share.
 */
#ifndef RNNFORECAST_FORECAST_H
#define RNNFORECAST_FORECAST_H

#include "pg.h"

/* Arguments that all functions that forecast have, by number; the first is what they forecast by. */
enum
{
	FORECAST_HORIZON = 1, FORECAST_LEVEL, FORECAST_UNTIL, FORECAST_SERIES, FORECAST_HISTORY, FORECAST_OPTIONS
};

/*
 * forecast.c: the rows that a model forecasts, by the arguments above but for
 * the options.  Without a model there are none, and a NOTICE says what is absent.
 */
void		forecast_rows(FunctionCallInfo fcinfo, const rnn_model *model, Jsonb *options, const char *absent);
Jsonb	   *forecast_options(FunctionCallInfo fcinfo);	/* as they were given; NULL: none */

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
