/*
 * config.h
 *		What a model is asked for: options, covariates, and terms of the calendar.
 */
#ifndef RNN_CONFIG_H
#define RNN_CONFIG_H

#include "base/base.h"
#include "base/cells.h"

#define RNN_MAX_MEMBERS 16
#define RNN_MAX_TRAINED 1024	/* horizon that a network is trained for */
#define RNN_MAX_COVARIATES 64
#define RNN_MOST_POOLED 1000.0	/* logarithm of an error in units of the usual one */
#define RNN_MAX_CATEGORIES 64	/* of a covariate, that a network tells apart */
#define RNN_DAYS 8				/* kinds of days that a month is made of: Monday to Sunday, and Easter */
#define RNN_CIRCLE 1440			/* places that a cycle of the calendar is told in */

/* ------------------------------------------------------------ covariates */

typedef enum rnn_role
{
	RNN_PAST,					/* known up to the present */
	RNN_AHEAD,					/* known ahead, as a promotion is */
	RNN_STATIC					/* the same at all times of a series */
} rnn_role;

typedef struct rnn_text
{
	const char *text;			/* not terminated by 0 */
	int32_t		len;
} rnn_text;

/*
 * One covariate.  Of a number a network sees asinh((x - centre) / scale); of
 * words a learned embedding, by their place in `categories`; others are unknown.
 */
typedef struct rnn_covariate
{
	rnn_text	name;
	int32_t		role;			/* rnn_role */
	bool		is_text;
	int32_t		n_categories;	/* of text */
	const rnn_text *categories;	/* (n_categories) ascending by their bytes */
	double		centre,			/* of a number: the median, */
				scale;			/* and how far from it values are */
} rnn_covariate;

/* How finely the regression tells what covariates that are known ahead add, series/regression.c. */
typedef enum rnn_detail
{
	RNN_DETAIL_NONE,			/* not at all */
	RNN_DETAIL_LINEAR,			/* a slope of each number, a step of each word */
	RNN_DETAIL_BENT,			/* slopes that change */
	RNN_DETAIL_PHASED,			/* and by the phase in a cycle */
	RNN_DETAIL_JOINT			/* and what all of them say together, as one more number */
} rnn_detail;

#define RNN_MOST_TERMS 256		/* of the regression, */
#define RNN_MOST_WEIGHT 1e200	/* and how large their weights are */

typedef struct rnn_regression
{
	int32_t		detail;			/* rnn_detail */
	int32_t		cycle;			/* steps, 1: none */
	int32_t		n;				/* terms, 0: there are none */
	const double *weight;		/* (n) */
	const double *joint;		/* (terms of RNN_DETAIL_LINEAR) that make the number of RNN_DETAIL_JOINT */
} rnn_regression;

typedef struct rnn_covariates
{
	int32_t		n;
	const rnn_covariate *list;	/* (n) */
	rnn_regression regression;	/* in a model that was trained */
} rnn_covariates;

/* Cycles of the calendar, in bits of `terms`. */
typedef enum rnn_term { RNN_TERM_DAY, RNN_TERM_WEEK, RNN_TERM_MONTH, RNN_TERM_YEAR, RNN_TERMS } rnn_term;

/* What the caller's clock tells of them. */
typedef struct rnn_calendar
{
	int32_t		terms;			/* those that its steps tell apart */
	double		steps[RNN_TERMS];	/* in a cycle, on average */
	bool		months;			/* a step is a month */
} rnn_calendar;

/* ---------------------------------------------------------------- config */

typedef enum rnn_start { RNN_START_AUTO, RNN_START_SCRATCH, RNN_START_PRIOR, RNN_START_TUNE } rnn_start;
typedef enum rnn_activation { RNN_TANH, RNN_RELU } rnn_activation;
typedef enum rnn_effort { RNN_EFFORT_QUICK, RNN_EFFORT_NORMAL, RNN_EFFORT_HIGH, RNN_EFFORTS } rnn_effort;
typedef enum rnn_flips { RNN_FLIPS_AUTO, RNN_FLIPS_ON, RNN_FLIPS_OFF } rnn_flips;
typedef enum rnn_gaps { RNN_GAPS_MASK, RNN_GAPS_INTERPOLATE, RNN_GAPS_PREVIOUS, RNN_GAPS_ZERO, RNN_GAPS_ERROR } rnn_gaps;
typedef enum rnn_transform_kind { RNN_TRANSFORM_NONE, RNN_TRANSFORM_LOG, RNN_TRANSFORM_ASINH, RNN_TRANSFORM_BOX_COX, RNN_TRANSFORM_AUTO } rnn_transform_kind;
typedef enum rnn_covariate_gaps { RNN_AHEAD_ERROR, RNN_AHEAD_PREVIOUS, RNN_AHEAD_ZERO, RNN_AHEAD_MISSING } rnn_covariate_gaps;

/*
 * Every knob of network and training.  rnn_options below is the one table of
 * their names, ranges, defaults and descriptions; where the table says so the
 * default means "choose from the data", and rnn_config_resolve replaces it.
 */
typedef struct rnn_config
{
	int32_t		start;			/* rnn_start: auto lets validation decide, prior trains nothing, tune goes on from it */
	int32_t		effort;			/* rnn_effort: what hidden, steps and members are where they are auto */
	int32_t		network;		/* bool: false gives the mix alone */
	int32_t		skip;			/* bool: false gives the network alone */
	int32_t		cell;			/* rnn_cell */
	int32_t		activation;		/* rnn_activation, of Elman cells */
	int32_t		layers;
	int32_t		hidden;			/* H, 0 auto */
	int32_t		norm;			/* bool: LayerNorm before each cell */
	int32_t		residual;		/* bool: a residual around each cell */
	int32_t		patch;			/* kernel = stride of the first convolution, 0 auto */
	int32_t		conv_layers;	/* further causal convolutions, stride 1 */
	int32_t		conv_kernel;	/* their kernel, in patches */
	int32_t		conv_dilation;	/* of the first of them; doubles with each */
	int32_t		horizon;		/* trained horizon, 0 auto */
	int32_t		context;		/* points that the network sees, 0 auto */
	int32_t		bptt;			/* steps of back-propagation, 0 whole context */
	int32_t		loss;			/* rnn_loss */
	int32_t		gate_memory;	/* points over which gates keep a state at first, 0 forget_bias, -1 auto */
	int32_t		steps;			/* minibatches, 0 auto */
	int32_t		batch;			/* windows in a minibatch, 0 auto */
	int32_t		warmup;			/* steps */
	int32_t		patience;		/* validations without progress */
	int32_t		members;		/* of the ensemble, 0 auto */
	int32_t		flips;			/* rnn_flips: random sign flips */
	int32_t		gaps;			/* rnn_gaps: what missing points are taken for */
	int32_t		transform;		/* rnn_transform_kind, of the series before anything else */
	int32_t		integer;		/* bool: forecasts are whole numbers */
	int32_t		covariate_gaps; /* rnn_covariate_gaps: of the caller, before it forecasts */
	int32_t		calendar;		/* bool: terms of the calendar, -1 auto */
	int32_t		trading_days;	/* bool: what the days of each month add is taken off, -1 auto */
	double		decay;			/* last part of the steps with falling rate */
	double		learning_rate;
	double		weight_decay;
	double		clip;			/* bound of the gradient's norm, 0 none */
	double		ema;			/* decay of the averaged weights, 0 none */
	double		dropout;
	double		forget_bias;
	double		recurrent_gain; /* of the orthogonal initialisation */
	double		kappa;			/* exponent of the mix's weights */
	double		seconds;		/* ceiling, 0 none */
	double		lambda;			/* of box-cox, NaN auto */
	double		pivot;			/* of asinh, NaN auto */
	double		pooling;		/* trailing origins that the panel's errors count for, NaN auto, bank.h */
	double		lower,			/* bounds of forecasts, NaN auto: 0 or none */
				upper;			/* NaN none */
	int64_t		seed;
	int32_t		seasons_given;	/* count of seasons[], -1 detect */
	int32_t		seasons[RNN_MAX_SEASONS];	/* steps, ascending, each >= 1 */
	rnn_covariates covariates;	/* what shapes depend on besides; no options */
	int32_t		terms;			/* bits of rnn_term */
	int32_t		references;		/* of the list, that a network sees, */
	int32_t		mixed;			/* and that are mixed; 0: nothing is */
	double		pooled[RNN_REFS];	/* errors of the references in the panel, NaN: not known; bank.h */
	int32_t		blind;			/* bool: a network sees no covariates */
	int32_t		past;			/* bool: a network sees what is told of the past beside its patches, frame.h */
} rnn_config;

typedef enum rnn_option_type
{
	RNN_OPT_BOOL, RNN_OPT_INT, RNN_OPT_BIGINT, RNN_OPT_FLOAT, RNN_OPT_ENUM,
	RNN_OPT_SEASONS				/* array of integers, a number, or "auto" */
} rnn_option_type;

typedef struct rnn_option
{
	const char *name;
	rnn_option_type type;
	size_t		offset;			/* in rnn_config */
	double		def;			/* default; index into `names` for an enum */
	double		min,
				max;
	bool		automatic;		/* the default stands for "auto", chosen from the data */
	const char *const *names;	/* of an enum, NULL-terminated */
	const char *description;
} rnn_option;

extern const rnn_option rnn_options[];
extern const int rnn_option_count;
extern const char *const rnn_cell_names[],	/* by rnn_cell */
		   *const rnn_cell_titles[];	/* as a sentence has them */

void		rnn_config_defaults(rnn_config *cfg);
/* RNN_ERR_OPTION (out of range) or RNN_ERR_CONFLICT. */
rnn_status	rnn_config_check(const rnn_config *cfg, rnn_error *err);
/* Whether there are covariates that are not the same at all points of a series. */
bool		rnn_covariates_change(const rnn_covariates *c);
/* Whether the transform is made for a value. */
bool		rnn_transform_takes(const rnn_config *cfg, double x);

#endif							/* RNN_CONFIG_H */
