/*
 * paths.h
 *		Sample paths: what may come, as many times as asked, with the quantiles of
 *		a forecast at every step and the dependence of the model's past errors.
 *
 * Two parts.  An rnn_past is how errors of the model's own forecasts at past
 * ends went together, over the steps of a window and over series (past.c).  An
 * rnn_sampler draws paths of one series after the other from it (sampler.c).
 */
#ifndef RNN_PATHS_H
#define RNN_PATHS_H

#include "forecast/forecast.h"

/* ------------------------------------------------------------------ the past */

/* Which windows of which series are looked at; it depends on the series' lengths and the horizon alone. */
typedef struct rnn_past_plan
{
	int32_t		steps;			/* of a window */
	int32_t		windows;		/* 0: there are none */
	int32_t		series;			/* that are looked at, evenly spread over all */
	int64_t		latest;			/* grid number of the last window's origin, */
	int64_t		stride;			/* and so many points before the one before */
} rnn_past_plan;

/* How a chain of errors goes on: the correlation at distance k is level + (1 - level) near^k. */
typedef struct rnn_course
{
	double		near,
				level;
} rnn_course;

typedef struct rnn_past
{
	rnn_past_plan plan;
	float	   *z;				/* (series, windows, steps) normal scores of what came, less their bias, NaN where nothing is known */
	float	   *common;			/* (windows, steps) what they have in common, likewise */
	float	   *bias;			/* (series, steps) means over the windows, */
	float	   *common_bias;	/* (steps) and of what is common */
	int32_t    *known;			/* (windows, steps) how many series that comes from */
	rnn_course	own,			/* of one series beside what is common, */
				shared;			/* and of that */
	double		share;			/* of the variance that is common */
	double		weight;			/* of the windows themselves beside the courses, below 1 */
} rnn_past;

rnn_past_plan rnn_past_plan_for(const rnn_model *m, const rnn_series *series, int count, int horizon);
int			rnn_past_series(const rnn_past_plan *plan, int count, int place);	/* number of the place'th that is looked at */
/* Where it is forecast from, in the order of time, and in which windows; how many. */
int			rnn_past_origins(const rnn_past_plan *plan, const rnn_model *m, const rnn_series *series, int count, int place,
							 rnn_origin *origins, int *windows);

size_t		rnn_past_size(const rnn_past_plan *plan);
void		rnn_past_begin(rnn_past *past, const rnn_past_plan *plan, void *block);	/* of that size */
/* q (steps, Q): what the model says of the points of s from e on. */
void		rnn_past_score(rnn_past *past, const rnn_series *s, int64_t e, int place, int window, const double *q);
void		rnn_past_finish(rnn_past *past);

/* ---------------------------------------------------------------- the sampler */

#define RNN_MOST_PATHS 100000

typedef struct rnn_sampler rnn_sampler;

size_t		rnn_sampler_size(int paths);
/* In a block of that size; past is kept and read. */
rnn_sampler *rnn_sampler_begin(const rnn_past *past, int paths, int64_t seed, void *block);
/* Goes to a series, by its number among all of the model and its place among those that were looked at, or -1. */
void		rnn_sampler_series(rnn_sampler *s, int number, int place);
/*
 * The next step of the series of all paths: q (Q) are its quantiles, cfg its
 * options (rnn_forecast_config).  values (paths): the sample of a path is at the
 * same place in every call, for every series.
 */
void		rnn_sampler_step(rnn_sampler *s, const rnn_config *cfg, const double *q, double *values);

#endif							/* RNN_PATHS_H */
