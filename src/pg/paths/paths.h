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
} Paths;

/* One step (0 the first) of all paths of the i-th series, the steps of a series one after the other; q (Q) are its quantiles. */
typedef void (*PathsTaker) (void *taker, int i, int step, const rnn_config *cfg, const double *q, const double *values);

/* The arguments are checked, and what is forecast; false where the model is NULL, which `absent` says. */
bool		paths_begin(FunctionCallInfo fcinfo, const PathsArguments *args, const rnn_model *model, Jsonb *options,
						const char *absent, Paths *paths);
void		paths_each(FunctionCallInfo fcinfo, const PathsArguments *args, const Paths *paths, PathsTaker take, void *taker);
int			steps_chosen(const Paths *paths, int i);	/* of the i-th series */
void	   *paths_memory(Size bytes);	/* below the limit, else the error that they are too large */
_Noreturn void paths_too_large(void);

/* groups.c: series that are added up */
typedef struct Groups
{
	int			count;
	char	  **name;			/* (count) */
	int		   *size;			/* (count) series of each that are forecast */
	int		   *first;			/* (chosen + 1) where each one's groups begin */
	int		   *of;				/* numbers of groups, by the series that are chosen */
} Groups;

/* '{"north": "north/", "food": ["a", "b"]}' or '["north/", "south/"]'; NULL: each chosen series alone, without names. */
void		parse_groups(Jsonb *groups, const ForecastChoice *choice, Groups *out);

/* simulate.c, total.c, chance.c: by a model, NULL where `absent` */
void		simulate_rows(FunctionCallInfo fcinfo, const rnn_model *model, Jsonb *options, const char *absent);
void		total_rows(FunctionCallInfo fcinfo, const rnn_model *model, Jsonb *options, const char *absent);
void		chance_rows(FunctionCallInfo fcinfo, const rnn_model *model, Jsonb *options, const char *absent);

#endif							/* RNN_PG_PATHS_H */
