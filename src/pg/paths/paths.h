/*
 * paths.h
 *		Sample paths of forecasts: returned, added up, or counted.
 */
#ifndef RNN_PG_PATHS_H
#define RNN_PG_PATHS_H

#include "pg/forecast/forecast.h"

/* past.c: how errors of the model's own forecasts in its history went together, up to that horizon */
typedef struct PastErrors
{
	rnn_past	past;
	int		   *place;			/* (n_series) in what was looked at, -1: it was not */
} PastErrors;

void		measure_past(const rnn_model *m, int horizon, PastErrors *errors);

/* paths.c */
typedef struct PathsArguments	/* numbers of arguments */
{
	ForecastArguments forecast;
	int			paths,
				seed;
} PathsArguments;

typedef struct Paths
{
	ForecastChoice choice;
	int			N;				/* paths */
	int			steps;			/* the most that a series has */
	int		   *members;		/* (n_series of the model) that are added up in each */
} Paths;

/*
 * One step (0 the first) of all paths of the i-th series, the steps of a series one after the other; q (Q) are
 * its quantiles, and mean is where it is to add up, else NULL.
 */
typedef void (*PathsTaker) (void *taker, int i, int step, const rnn_config *cfg, const double *q, const double *mean,
							const double *values);

/* The arguments are checked, and what is forecast; false where the model is NULL, which `absent` says. */
bool		paths_begin(FunctionCallInfo fcinfo, const PathsArguments *args, const rnn_model *model, Jsonb *options,
						const char *absent, Paths *paths);
void		paths_each(FunctionCallInfo fcinfo, const PathsArguments *args, const Paths *paths, PathsTaker take, void *taker);
int			steps_chosen(const Paths *paths, int i);	/* of the i-th series */
void	   *paths_memory(Size bytes);	/* below the limit, else the error that they are too large */

/* simulate.c, total.c, chance.c, reconcile.c: by a model, NULL where `absent` */
void		simulate_rows(FunctionCallInfo fcinfo, const rnn_model *model, Jsonb *options, const char *absent);
void		total_rows(FunctionCallInfo fcinfo, const rnn_model *model, Jsonb *options, const char *absent);
void		reconcile_rows(FunctionCallInfo fcinfo, const rnn_model *model, Jsonb *options, const char *absent);
void		chance_rows(FunctionCallInfo fcinfo, const rnn_model *model, Jsonb *options, const char *absent);

#endif							/* RNN_PG_PATHS_H */
