/*
 * forecast.h
 *		From a model, or a query, to the rows of a forecast.
 */
#ifndef RNN_PG_FORECAST_H
#define RNN_PG_FORECAST_H

#include "pg/model/model.h"

#include "storage/dsm.h"
#include "storage/sharedfileset.h"
#include "storage/shm_toc.h"

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

/* choice.c: which series are forecast, and how far */
typedef struct ForecastArguments	/* numbers of arguments */
{
	int			horizon,
				until,
				series;
} ForecastArguments;

typedef struct ForecastChoice
{
	const rnn_model *model;
	int			count;			/* series that are forecast */
	int		   *series;			/* (count) their numbers in the model */
	int		   *horizon;		/* (count) steps of each, from its own end */
	int		   *lag;			/* (count) of these before the first that is returned */
	bool	   *naive;			/* (count) forecast its last value alone */
	ForecastOptions options;
} ForecastChoice;

/* All arguments are checked; errors say what is wrong with them. */
void		choose_forecast(FunctionCallInfo fcinfo, const ForecastArguments *args, const rnn_model *model, Jsonb *options,
							ForecastChoice *choice);
/* batches.c */
const rnn_series *chosen_series(const ForecastChoice *choice, int i);
/*
 * Forecasts of all that is chosen: q (horizon - lag, Q) of the i-th, and its options, are handed over, with
 * the means (horizon - lag) of what adds up, else NULL.
 */
typedef void (*ForecastTaker) (void *taker, int i, const rnn_config *cfg, const double *q, const double *mean);
void		forecast_alone(const ForecastChoice *choice, ForecastTaker take, void *taker);	/* nothing adds up */
void		choose_groups(Jsonb *groups, const ForecastChoice *choice, Groups *out);	/* of series that are forecast */
void		forecast_nothing(FunctionCallInfo fcinfo, const char *why);
double		level_argument(FunctionCallInfo fcinfo, int argno, double usual);	/* in (0, 1) */
int			check_horizon(int64 horizon);	/* error where no forecast is so long */
Jsonb	   *options_argument(FunctionCallInfo fcinfo, int argno);	/* as they were given; NULL: none */
/*
 * Forecasts of `count` series by `work` bytes of the engine, (count, horizon, Q),
 * in a block that the caller frees.  An error that says what it was for where memory is short.
 */
double	   *forecast_quantiles(const rnn_model *model, const rnn_series *series, int count, int horizon, Size work,
							   const char *purpose);
/* Bytes of the engine's work on `count` series of at most so many points. */
Size		forecast_work(const rnn_model *model, int count, int64 longest, int horizon);

/* reconciled.c */
void		forecast_each(const ForecastChoice *choice, ForecastTaker take, void *taker);	/* what should adds up */
/* All series of a model whose forecasts add up, by their numbers; those without values are 0. */
typedef struct LevelForecasts
{
	int			steps;			/* from the last point of any series on */
	rnn_config *cfg;			/* (n_series) */
	double	   *q;				/* (n_series, steps, Q) moved with the mean */
	double	   *base;			/* (n_series, steps) means, of each alone, */
	double	   *mean;			/* (n_series, steps) and so that they add up */
} LevelForecasts;

void		forecast_levels(const rnn_model *m, int steps, const ForecastOptions *options, LevelForecasts *out);

/* known_ahead.c: what becomes of a series */
typedef enum AheadState
{
	AHEAD_FINE,
	AHEAD_SKIP,					/* it is left out */
	AHEAD_NAIVE					/* its last known value is forecast */
} AheadState;

/* What is known ahead must be known: an error, unless the options say otherwise. */
AheadState	check_ahead(const rnn_model *m, const rnn_series *s, int horizon, const ForecastOptions *options);
void		fill_ahead(const rnn_model *m, rnn_series *s, int horizon, rnn_covariate_gaps gaps);

/* query_columns.c: from the text of a query to the call of an aggregate on its rows */
typedef enum ColumnRole
{
	COLUMN_SERIES, COLUMN_TIME, COLUMN_VALUE, COLUMN_ROLES
} ColumnRole;

typedef struct QueryColumns
{
	char	   *query;			/* without a semicolon at its end */
	int			count;			/* of all columns */
	int			at[COLUMN_ROLES];	/* number of the column, from 1; 0: none */
	const char *casts[COLUMN_ROLES];	/* to the exact type of the aggregate's argument, or "" */
	int			n_keys;			/* columns that together name the series, */
	int		   *keys;			/* (n_keys) by number; 0: a column of its own does, or there is one series */
	char	  **names;			/* (count) of the columns that are covariates or keys, NULL of the others */
	bool		covariates;		/* there are some */
	int64	   *rows;			/* how many rows the query has goes here; NULL: nobody asks */
} QueryColumns;

/* A plan of one SELECT; anything else is an error. */
struct CachedPlanSource;
struct _SPI_plan *prepare_select(const char *query, int count, Oid *types, struct CachedPlanSource **source);
char	   *without_semicolon(const char *query);	/* at its end, as people have it */
/* Inside of SPI_connect; an error where the query is no SELECT of such columns. */
void		query_columns(const char *query, List *keys, QueryColumns *columns);
bool		is_key(const QueryColumns *columns, int column);	/* by its number, from 1 */
/*
 * The aggregate of the query's rows, NULL where there are none, in memory of
 * the caller of SPI_connect.  `function` is one of ours: the aggregate must
 * belong to the same extension.
 */
bytea	   *query_aggregate(const QueryColumns *columns, Oid function, const char *aggregate, Jsonb *options);

/* beside.c: pieces of work, done by this process and by parallel workers */
typedef struct Beside
{
	int			n;				/* pieces */
	void	   *arg;			/* of all of these: */
	void		(*share) (void *arg, SharedFileSet *files); /* writes what workers need */
	rnn_part	(*make) (void *arg, int i);	/* what becomes of the i-th; it stays until the next */
	void		(*take) (void *arg, int i, const rnn_part *result); /* in the leader, in order */
	const char *what;			/* the pieces, for those who watch */
} Beside;

/* All of them; false where there are no workers, and nothing was done.  Workers begin at `entry`, which is to call: */
bool		work_beside(const Beside *b, int workers, const char *entry);
void		work_along(dsm_segment *seg, shm_toc *toc, Beside (*begin) (SharedFileSet *files));

/* query.c: options that put rows into the bins of a model; NULL where it has none */
Jsonb	   *bins_of(const rnn_model *model);
/* Options of a training for that horizon (0: not given): nothing is trained, unless those given say otherwise. */
Jsonb	   *default_training(int64 horizon, Jsonb *given, bool covariates);

#endif							/* RNN_PG_FORECAST_H */
