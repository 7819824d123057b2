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

/* naive.c */
/* The season that a model, or the calendar of a history, has first; 1: none. */
int64		usual_season(const rnn_model *m);
/* What the season before says of a step after the end of a series; NaN where none has a value. */
double		season_before(const rnn_series *s, int64 season, int step);

/* cuts.c: how a backtest goes, by options beside those of a training */
typedef struct Backtest
{
	int			horizon;		/* steps that are judged */
	int			cutoffs;
	int64		every;			/* steps from a cutoff to the next */
	int			gap;			/* steps between a cutoff and the first that is judged */
	int64		window;			/* points before a cutoff that it may use; 0: all */
	int			refit;			/* cutoffs that a training is for; 0: all */
	int64		scale_points;	/* points before a cutoff that the scale looks at; 0: all */
	int64		season;			/* of naive and scale; 0: the model's first */
	double		level;			/* of the interval */
	JsonbContainer *at;			/* times of the cutoffs, NULL: counted back from the end */
} Backtest;

/* A cutoff of a series: the points before e are known. */
typedef struct Cut
{
	int			series;
	int			index;			/* of the cutoff, 0 the latest */
	int64		e;
} Cut;

/* All but the horizon and the cutoffs; what is left of the options is the training's. */
Jsonb	   *take_backtest_options(Jsonb *options, Backtest *b);
/* Of all series, the latest of each first.  Where their times are given, so is their number. */
Cut		   *plan_cuts(const rnn_model *history, Backtest *b, int64 *count);

/* Sum of |y(t) - y(t - season)| over t < e; {0} at first. */
typedef struct ScaleSum
{
	const rnn_series *s;
	int64		e;
	double		sum;
	int64		pairs;
} ScaleSum;
/* Their mean over the last `points` before e (0: all), in the order of ends; NaN where there are none. */
double		scale_before(ScaleSum *sum, const rnn_series *s, int64 e, int64 season, int64 points);

/* play.c */
#define BACKTEST_COLUMNS 17		/* of rnn_backtest_row */

/* A backtest by one model after the other. */
typedef struct Run
{
	const Backtest *b;
	const rnn_model *history;	/* its series as cutoffs count them */
	int64		season;			/* of naive and scale, by the model that forecasts */
	int			steps;			/* from a cutoff on: gap and horizon */
	Tuples		rows;
	MemoryContext scratch;		/* of a piece */
} Run;

/* What forecasts, and the series as it knows them. */
typedef struct Player
{
	const rnn_model *model;		/* own */
	rnn_model	own,
				mix,			/* the same, the mix alone, */
				reference;		/* and of it the best reference alone */
	const rnn_series *series;
	const float **correction;	/* (cutoffs) of the intervals at each, NULL: the model's */
} Player;

void		player_init(Run *run, Player *p, const rnn_model *model, const rnn_series *series);
void		player_correct(const Run *run, Player *p, const Cut *cuts, int64 n);	/* the intervals at all of these */
/* And at one of them, by its number; NULL: nothing that was forecast has come since the training. */
const float *correction_at(const Run *run, const Player *p, const Cut *cuts, int64 n, int index);
int64		piece_ends(const Run *run);	/* cutoffs that are forecast at once */
void		play(Run *run, const Player *p, const Cut *cuts, int64 n);	/* puts the rows */

/* folds.c: parts of a backtest, each a training or a piece, by this process and parallel workers */
typedef struct Folds
{
	Run		   *run;
	const rnn_model *history,	/* as it was given, */
			   *given;			/* and a model; NULL: each part trains */
	bool		known;			/* cutoffs are counted on the steps of the model */
	Player	   *player;			/* of the model */
	const float **correction;	/* (cutoffs) for the player, as they come */
	Jsonb	   *options;		/* of trainings */
	const Cut  *cuts;
	int			n;				/* parts */
	int64	   *first;			/* (n + 1) of the cuts of each */
} Folds;

void		correct_folds(Folds *f);	/* the intervals of the player at all cutoffs, */
void		play_folds(Folds *f);	/* and the rows */

/* backtest.c: the rows, by a model, or by trainings with these options where it is NULL */
void		backtest_rows(FunctionCallInfo fcinfo, const rnn_model *history, const rnn_model *given, Jsonb *options,
						  Backtest *b);
/* A training on what lies before the cutoffs, and their rows. */
void		play_trained(Run *run, Jsonb *options, const Cut *cuts, int64 n);
/* A history as its cutoffs are counted: as a model knows it (NULL: as it is), with the sums that are asked for. */
const rnn_model *judged_history(const rnn_model *history, const rnn_model *model, rnn_text asked);
/* Error where there are options of a training beside a model. */
void		refuse_training(Jsonb *options, const Backtest *b);
void		backtest_nothing(FunctionCallInfo fcinfo, const char *why);
/* Arguments 1 and 2 of a function, for what take_backtest_options has begun. */
void		get_backtest_arguments(FunctionCallInfo fcinfo, Backtest *b);

/* explain.c */
/* Medians (count, horizon) of series of one length. */
double	   *forecast_medians(const rnn_model *model, const rnn_series *series, int count, int horizon);
rnn_config	config_with_seasons(const rnn_model *m);

#endif							/* RNN_PG_EVALUATE_H */
