/*
 * model.h
 *		A trained model, in memory and as bytes.
 */
#ifndef RNN_MODEL_H
#define RNN_MODEL_H

#include "model/pretrained.h"
#include "series/series.h"

#define RNN_MOST_PASSED 256		/* windows that a correction comes from */
#define RNN_BANDS 4				/* horizon bands of the calibration */
#define RNN_MAX_HORIZON 100000	/* of a forecast */
#define RNN_LEAST_HISTORY 8		/* points before a network joins the mix, or is judged */

/* Why a model is what it is: rnn_info prints it. */
typedef enum rnn_verdict
{
	RNN_VERDICT_ASKED,			/* trained as asked, not judged */
	RNN_VERDICT_OFF,			/* network: false */
	RNN_VERDICT_SHORT,			/* too little data to train and judge */
	RNN_VERDICT_ADDED,			/* validation gave the network weight > 0 */
	RNN_VERDICT_WORSE,			/* validation refused the network */
	RNN_VERDICT_UNSURE,			/* better, but not by more than the error */
	RNN_VERDICT_TIME,			/* the ceiling of seconds came first */
	RNN_VERDICT_PRIOR			/* start: prior */
} rnn_verdict;

/* Where the weights of a network come from. */
typedef enum rnn_kind
{
	RNN_KIND_SCRATCH,			/* new ones */
	RNN_KIND_HEAD,				/* the prior's; only its head is trained */
	RNN_KIND_TUNED				/* the prior's; all are trained */
} rnn_kind;

/* A network that was trained and judged, and what came of it. */
typedef struct rnn_candidate
{
	int32_t		kind;			/* rnn_kind */
	int32_t		verdict;		/* rnn_verdict */
	int32_t		windows;		/* W, validation windows */
	int32_t		steps;			/* that the halves chose */
	double		difference;		/* pinball, network less what it is added to */
	double		std_error;		/* of difference */
	double		mix_pinball;	/* what it is added to, on its windows */
	double		weight;			/* that it would get alone */
	double		share;			/* of the networks' part that it got */
} rnn_candidate;

#define RNN_CANDIDATES 2

#define RNN_LOG_VALIDATION 0	/* the training that is judged, */
#define RNN_LOG_FINAL 1			/* of a member on all data, */
#define RNN_LOG_TUNING 2		/* the judged one of the prior's weights, where there is another */

typedef struct rnn_log_row
{
	int32_t		member;
	int32_t		phase;			/* RNN_LOG_ */
	int32_t		step;
	float		loss;			/* mean of the training loss since the last row */
	float		validation;		/* pinball of the network, NaN if not measured */
	float		baseline;		/* pinball of the mix on the same windows */
	float		learning_rate;
	float		grad_norm;		/* before clipping */
} rnn_log_row;

typedef struct rnn_member
{
	uint64_t	seed;			/* of its random numbers, made of the option and its number */
	int32_t		patch;
	int32_t		context;
	int32_t		steps;			/* minibatches that it was trained for */
	int32_t		stopped;		/* bool: ended by the ceiling of seconds */
	int32_t		prior;			/* version whose first weights are its own, 0: none */
	int64_t		shared;			/* how many */
	int64_t		params;			/* count of weights */
	const float *weights;		/* (params,) */
} rnn_member;

/*
 * Networks of a second kind, beside those that the options describe: the members
 * from `first` on, with what is another number in their options.
 */
typedef struct rnn_second
{
	int32_t		first;			/* 0: there are none */
	double		share;			/* of the networks' weight */
	int32_t		hidden,
				patch,
				context,
				references,
				past;
} rnn_second;

/* Points that are missing between the first and the last known one of series. */
typedef struct rnn_missing
{
	int64_t		points,
				gaps,			/* that they form */
				longest;		/* of the gaps */
	int32_t		series;			/* that have some */
} rnn_missing;

/* How wrong forecasts of the held-out windows were, in units of the data, and what is naive beside them. */
typedef struct rnn_held
{
	int32_t		windows;		/* that were looked at, 0: not measured */
	int32_t		lag;			/* naive is the value so many steps before, as far as known at the origin */
	int64_t		points;			/* known values in the windows */
	double		error;			/* mean |forecast - value| */
	double		size;			/* mean |value| */
	int64_t		compared;		/* points of these that have a naive forecast */
	double		own;			/* mean |forecast - value| of them */
	double		naive;			/* mean |naive - value| of them */
} rnn_held;

/* Series that are sums of others, by their numbers. */
typedef struct rnn_sums
{
	int32_t		count;			/* 0: there are none */
	const int32_t *series;		/* (count) ascending */
	const int32_t *level;		/* (count) below RNN_LEVELS - 1; the series that are no sums are on one below all of them */
	const int32_t *first;		/* (n_series + 1) where the sums of each series begin */
	const int32_t *of;			/* sums that it is part of, by their places among them */
} rnn_sums;

#define RNN_LEVELS 12

/* What is forecast adds up: what does, and how that comes. */
typedef struct rnn_hierarchy
{
	rnn_text	asked;			/* the option, as JSON */
	rnn_sums	sums;
	int32_t		windows;		/* of the past that the choice comes from, 0: none */
	double		shrinkage;		/* of the covariance of errors to its diagonal */
	double		bottom_up[RNN_LEVELS],	/* squared errors there, in units of those of each series alone, */
				mint[RNN_LEVELS];	/* by level; NaN: not measured */
	const float *pull;			/* (n_series, sums.count) part of a sum's gap that a series gets; NULL: bottom-up */
} rnn_hierarchy;

/* A trained model in memory.  Decoded, everything points into one arena. */
typedef struct rnn_model
{
	int32_t		format;			/* version of the bytes it was read from */
	bool		is_history;		/* collected rows only: clock and series, nothing trained */
	rnn_config	config;			/* resolved: nothing is 0 = auto any more */
	rnn_clock	clock;
	int32_t		verdict;		/* rnn_verdict */
	int32_t		windows;		/* W, validation windows */
	int64_t		points;			/* P, known training points */
	rnn_missing missing;		/* of the training, or the history */
	double		difference;		/* pinball, network less mix, NaN if not measured */
	double		std_error;		/* of difference */
	double		mix_pinball;	/* on the validation windows, in units of s; with the prior in it */
	double		weight;			/* of the network in the blend, 0 to 1 */
	double		weight_short;	/* the same for series below short_below points */
	int64_t		short_below;	/* 0: one weight for all */
	double		mix_spread;		/* factor of the mix's gaps between quantiles, fitted */
	int32_t		cut_short;		/* bool: by a ceiling of seconds */
	int32_t		n_candidates;	/* that were judged */
	int32_t		chosen;			/* of them whose network this is, or that was nearest to it */
	rnn_candidate candidate[RNN_CANDIDATES];
	int32_t		prior;			/* version that is in its mean with the mix, 0: none */
	const rnn_prior *prior_net; /* that version, loaded by the caller */
	const rnn_stop *stop;		/* the caller's, NULL: none */
	float		calibration[RNN_BANDS][RNN_MEDIAN]; /* factor of the distance from
								 * the median, by band and pair of levels
								 * (outermost first) */
	int32_t		calibration_n;	/* independent windows behind it, 0: not measured */
	float		coverage;		/* of the 90 % interval, cross-fitted, NaN */
	rnn_held	held;
	int64_t		calibrated_to;	/* grid number behind the last point of the training */
	float		correction[RNN_MEDIAN]; /* factors besides, from windows that have passed since */
	int32_t		passed;			/* windows that it comes from, 0: none */
	int64_t		rows_latest;	/* rows of each series that were used, the latest; 0: all */
	double		windows_share;	/* of the training's windows that fitted into memory; 0: all */
	int32_t		n_seasons;
	int32_t		seasons[RNN_MAX_SEASONS];
	int32_t		seasons_detected;	/* bool */
	int32_t		n_members;
	rnn_member	member[RNN_MAX_MEMBERS];
	rnn_second	second;
	int32_t		n_log;
	const rnn_log_row *log;
	int32_t		n_series;
	const rnn_series *series;
	rnn_hierarchy hierarchy;
} rnn_model;

/* Whether a member is of the second kind, its part of the networks' weight, and the options that its frames and shape are made by. */
bool		rnn_member_is_second(const rnn_model *m, int member);
double		rnn_member_share(const rnn_model *m, int member);
rnn_config	rnn_member_config(const rnn_model *m, int member);

#define RNN_MAX_MODEL ((size_t) 256 * 1024 * 1024)	/* bytes, of a history too */
/* Bytes of the encoded model; docs/developers/model-format.md. */
size_t		rnn_model_size(const rnn_model *m);
void		rnn_model_encode(const rnn_model *m, uint8_t *out);
/* Validates everything but weights against shapes it can't know; arena bytes
 * that rnn_model_decode needs. */
rnn_status	rnn_model_decoded_size(const uint8_t *bytes, size_t len, size_t *size, rnn_error *err);
rnn_status	rnn_model_decode(const uint8_t *bytes, size_t len, rnn_arena *a, rnn_model *m, rnn_error *err);

#endif							/* RNN_MODEL_H */
