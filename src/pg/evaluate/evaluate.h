/*
 * evaluate.h
 *		How good forecasts are: measures of accuracy, and what to compare with;
 *		and which values don't fit what came before them.
 */
#ifndef RNN_PG_EVALUATE_H
#define RNN_PG_EVALUATE_H

#include "pg/forecast/forecast.h"

/* accuracy.c: a forecast beside what came.  NaN: not there. */
typedef struct Judged
{
	double		actual,
				forecast,
				lower,
				upper,
				scale,			/* mean absolute seasonal difference of the past */
				naive,			/* what it is compared with */
				level;			/* of the interval, in (0, 1) */
	const double *quantiles,	/* (n) NULL: none */
			   *levels;			/* (n) in (0, 1) */
	int			n;
} Judged;

/* The state of rnn_accuracy, with a row added; error for what is infinite or out of range. */
Datum		accuracy_add(FunctionCallInfo fcinfo, const Judged *row);

/* ---------------------------------------------------------------- anomalies */

#define ANOMALY_LEVEL 0.99		/* where none is given */

typedef enum Direction
{
	DIRECTION_BOTH, DIRECTION_UP, DIRECTION_DOWN
} Direction;

typedef struct AnomalyOptions
{
	int64		last;			/* rows of each series that are returned, 0: all */
	const char *since;			/* the first of them: a time or a number as text, NULL: all */
	Direction	direction;
	double		least,			/* smallest deviation that counts, in units, */
				least_share;	/* and as a share of what was expected */
	int64		gap;			/* rows between flags of one event, -1: as the seasons say */
	double		alarms;			/* false ones expected a series and week, NaN: not given */
	int			n_seasons;		/* 0: not given */
	int			seasons[RNN_MAX_SEASONS];
	Jsonb	   *tidying;		/* options of rnn_history among them, NULL: none */
} AnomalyOptions;

/* anomaly_options.c */
void		parse_anomaly_options(Jsonb *options, AnomalyOptions *parsed);

/*
 * anomalies.c: the rows of all series of a history or a model; NULL: there are
 * none, and a NOTICE says what is absent.  Where a covariate is called "exclude"
 * it says what is left out.  model: whose times and seasons count, NULL: none's.
 */
void		anomaly_rows(FunctionCallInfo fcinfo, const rnn_model *history, const rnn_model *model, double level,
						 const AnomalyOptions *options, const char *absent);

#endif							/* RNN_PG_EVALUATE_H */
