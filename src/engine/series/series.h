/*
 * series.h
 *		Series, their clock, and what stands between them and a network: gaps
 *		filled, values transformed.
 */
#ifndef RNN_SERIES_H
#define RNN_SERIES_H

#include "config/config.h"

#define RNN_ZONE_SIZE 64

/* ---------------------------------------------------------------- series */

/* One regular series.  x is NaN where a point is missing; first and last
 * points are known.  `name` is NULL for the only series of a model. */
typedef struct rnn_series
{
	const char *name;			/* not terminated by 0 */
	int32_t		name_len;
	int32_t		note;			/* rnn_note */
	int32_t		sum;			/* bool: of others; the bounds of these are none of its own */
	int64_t		start;			/* time of x[0], in the unit of the clock */
	int64_t		dropped;		/* grid points between the clock's origin and x[0]: the phase
								 * of seasons; in an ordered column the rows before x[0] */
	int64_t		n;
	const double *x;			/* (n,) */
	int64_t		ahead;			/* rows behind the last point that came with the series */
	const float *covariates;	/* (n + ahead, count of covariates) numbers or places of
								 * words (n_categories: unknown), NaN where missing; NULL: none */
	int64_t		calendar_rows;
	const uint16_t *calendar;	/* (calendar_rows, RNN_TERMS) where in each cycle the points lie, below
								 * RNN_CIRCLE; made from the clock by the caller, not stored */
	int64_t		days_rows;
	const uint8_t *days;		/* (days_rows, RNN_DAYS) how many of each kind a month has; likewise, NULL: steps are no months */
	double		trading[RNN_DAYS];	/* what one more of them adds to the logarithm of a month, once it is fitted; 0 before */
} rnn_series;

typedef enum rnn_note
{
	RNN_NOTE_NONE,
	RNN_NOTE_SHORT,				/* too short for the network: the mix alone */
	RNN_NOTE_CONSTANT,
	/* From here on the series can't be used as it is. */
	RNN_NOTE_EMPTY,				/* no known value */
	RNN_NOTE_INFINITE,
	RNN_NOTE_DUPLICATE,			/* a time occurs twice */
	RNN_NOTE_IRREGULAR,			/* a time off the grid of steps */
	RNN_NOTE_GAPS,				/* a missing point, where none may be */
	RNN_NOTE_RANGE				/* a value that the transform doesn't take */
} rnn_note;

/* What one step is in time.  The engine stores it; the server reads it. */
typedef enum rnn_bin { RNN_BIN_NONE, RNN_BIN_MEAN, RNN_BIN_SUM, RNN_BIN_LAST, RNN_BIN_MIN, RNN_BIN_MAX, RNN_BIN_COUNT } rnn_bin;
typedef enum rnn_clock_kind { RNN_CLOCK_NONE, RNN_CLOCK_DATE, RNN_CLOCK_TIMESTAMP, RNN_CLOCK_TIMESTAMPTZ, RNN_CLOCK_STEP } rnn_clock_kind;
typedef struct rnn_clock
{
	int32_t		kind;			/* rnn_clock_kind */
	int32_t		months;			/* exactly one of months, days, usecs is set */
	int32_t		days;
	int32_t		month_day;		/* 28 to 31: day of the month, or the last of shorter ones; 0: not
								 * known, that of the start */
	int64_t		usecs;			/* of steps: their increment */
	int32_t		week;			/* of steps of one day: days of the week that there are, bit 0
								 * Monday; 0: all */
	int32_t		bin;			/* rnn_bin: how readings within a step became one point */
	char		zone[RNN_ZONE_SIZE];
} rnn_clock;

/* ------------------------------------------------------------- transform */

/*
 * Training and forecasting see series through these: with gaps filled and values
 * transformed as the options say.  Models keep the series as they are.
 */
void		rnn_fill_gaps(const rnn_config *cfg, const double *x, int64_t n, double *out);	/* not in place */
double		rnn_transform(const rnn_config *cfg, double x);
double		rnn_restore(const rnn_config *cfg, double y);	/* finite if y is not NaN */
double		rnn_within_bounds(const rnn_config *cfg, double x);	/* rounded too, where options say so */
bool		rnn_changes_series(const rnn_config *cfg);	/* or leaves them as they are */
/* What a value of this row is to frames, before their unit; s: with what its days add, where that is known. */
double		rnn_series_ready(const rnn_config *cfg, const rnn_series *s, int64_t row, double x);
/* In the arena, or the series itself.  stop: NULL, or flags that end it early. */
rnn_series	rnn_series_prepare(const rnn_config *cfg, const rnn_series *s, const rnn_stop *stop, rnn_arena *a);
/* Chooses lambda, pivot and lower where they are left open; season: in steps, 0 unknown. */
void		rnn_resolve_output(rnn_config *cfg, const rnn_series *series, int count, int season);
/* What is to know of points first .. end - 1 to see whether 0 is their bound; {0} at first. */
typedef struct rnn_tally
{
	int64_t		first,
				end,
				known,
				zeros,
				below,			/* that are below 0 */
				whole;			/* that are whole numbers */
} rnn_tally;
void		rnn_tally_to(rnn_tally *t, const rnn_series *s, int64_t first, int64_t end);	/* of these points now */
bool		rnn_rests_on_zero(const rnn_tally *t);	/* often 0 and never below, as demand is */
/* Of a trained model; where it has left lower open, each series decides for itself. */
rnn_config	rnn_config_by_tally(const rnn_config *cfg, const rnn_tally *t);
bool		rnn_series_is_constant(const rnn_series *s);	/* of two known points or more */

/* Missing points filled forward (causal); out may be x. */
void		rnn_fill_forward(const double *x, int64_t n, double *out);

/* ---------------------------------------------------------- trading days */

/*
 * How the days of each month move a series, trading.c: fitted to the points that
 * it has; all 0 where it has no days or a value at 0 or below.
 */
void		rnn_trading_fit(rnn_series *s);
/* What a usual month is multiplied by in this row, which need not be there; 1 before the fit. */
double		rnn_trading_factor(const rnn_series *s, int64_t row);

/* ------------------------------------------------------------ regression */

/*
 * What covariates that are known ahead add to a series, once it is transformed:
 * a sum of terms of each point's own covariates.  Training and forecasting see
 * series without it, and forecasts get it back.
 */
int			rnn_regression_terms(const rnn_covariates *all, rnn_detail detail);	/* with a cycle */
/* Numbers of the terms of a detail among those of a finer one; how many. */
int			rnn_regression_kept(const rnn_covariates *all, rnn_detail finest, rnn_detail detail, int *kept);
/* The number that RNN_DETAIL_JOINT is about: linear terms by their weights. */
double		rnn_regression_joint(const rnn_covariates *all, const double *weight, const rnn_series *s, int64_t row);
/* Values of the terms of a row, below n + ahead: (rnn_regression_terms). */
void		rnn_regression_row(const rnn_covariates *all, rnn_detail detail, const rnn_series *s, int64_t row, double *terms);
/* What they add up to; behind the rows that are there, as a cycle before. */
double		rnn_regression_effect(const rnn_covariates *all, const rnn_series *s, int64_t row);
/*
 * Fitted to series that are prepared but for it; of no terms where it doesn't
 * help.  cfg: with its seasons and the cycle.  The weights lie in the arena.
 */
rnn_regression rnn_regression_fit(const rnn_config *cfg, const rnn_series *series, int count, const rnn_stop *stop, rnn_arena *a);

/* ------------------------------------------------------------- quantiles */

/*
 * The distribution with quantiles q (Q), see quantile.c: its value at p in (0, 1),
 * always finite if q is; and the chance that it is above y.
 */
double		rnn_quantile_at(const double *q, double p);
double		rnn_quantiles_above(const double *q, double y);
/*
 * Of forecasts of a series with these options, which have undone the transform:
 * the tails are those of what was transformed, within the bounds.  At p, and
 * on average.
 */
double		rnn_quantile_bound(const rnn_config *cfg, const double *q, double p);
/* The same at many chances, whose places among the levels are looked up once. */
typedef struct rnn_place
{
	int32_t		k;				/* after this level; -1 and Q - 1: in a tail */
	double		share;			/* of the way to the next one; in a tail, of the distribution that lies further out */
} rnn_place;

rnn_place	rnn_place_of(double p);	/* p in (0, 1) */
void		rnn_quantiles_in(const rnn_config *cfg, const double *q, const rnn_place *places, int n, double *out);
double		rnn_normal_score(double p);	/* inverse of the normal distribution function, p in (0, 1) */
double		rnn_quantile_mean(const rnn_config *cfg, const double *q);

#endif							/* RNN_SERIES_H */
