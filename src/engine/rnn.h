/*
 * rnn.h
 *		The public API of the forecasting engine, and its manual.
 *
 * The engine is pure C11: no PostgreSQL, no heap, no I/O, no longjmp, no
 * global state but the table of kernels.  The caller owns all memory: ask
 * a function for its size, hand it one block, drive it step by step.  So
 * the server can bound, cancel and watch everything that runs long.
 *
 * Names of dimensions, everywhere: B batch, T time steps (patches), I input,
 * H hidden, L layers, R references, S points in a horizon block, Q quantiles,
 * P parameters (as a count) or points in a patch (as a size).
 *
 * Errors: every function that can fail returns an rnn_status and, if `err` is
 * not NULL, says what was wrong and with which value.
 */
#ifndef RNN_H
#define RNN_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The tests build the whole engine in double to check gradients to 1e-6. */
#ifdef RNN_DOUBLE
typedef double real;
#else
typedef float real;
#endif

#define RNN_QUANTILES 15		/* levels of every forecast, rnn_quantile_levels */
#define RNN_MEDIAN 7			/* index of 0.5 in them */
#define RNN_BANDS 4				/* horizon bands of the calibration */
#define RNN_MAX_SEASONS 3
#define RNN_SMOOTHERS 10
#define RNN_REFS (RNN_MAX_SEASONS + RNN_SMOOTHERS)
#define RNN_BLOCK 16			/* points of a horizon block */
#define RNN_MAX_MEMBERS 16
#define RNN_LEAST_HISTORY 8		/* points before a network joins the mix, or is judged */
#define RNN_MAX_HORIZON 100000	/* of a forecast */
#define RNN_MAX_TRAINED 1024	/* horizon that a network is trained for */
#define RNN_ZONE_SIZE 64
#define RNN_MAX_COVARIATES 64
#define RNN_MAX_CATEGORIES 64	/* of a covariate, that a network tells apart */
#define RNN_CIRCLE 1440			/* places that a cycle of the calendar is told in */

extern const double rnn_quantile_levels[RNN_QUANTILES];

/* ---------------------------------------------------------------- errors */

typedef enum rnn_status
{
	RNN_OK = 0,
	RNN_ERR_OPTION,				/* an option is out of its range */
	RNN_ERR_CONFLICT,			/* two options exclude each other */
	RNN_ERR_DATA,				/* the series can't be used */
	RNN_ERR_RANGE,				/* an argument is out of range */
	RNN_ERR_MEMORY,				/* the block is too small */
	RNN_ERR_CORRUPT,			/* model bytes are damaged */
	RNN_ERR_VERSION,			/* model bytes are from a newer version */
	RNN_ERR_NUMERIC,			/* training or a forecast left the range of numbers */
	RNN_ERR_STOPPED				/* one of the caller's flags was raised, rnn_stop */
} rnn_status;

typedef struct rnn_error
{
	rnn_status	status;
	const char *what;			/* option, field or condition; a literal */
	double		value;			/* the offending value */
	double		low,
				high;			/* what is allowed, where there is a range */
} rnn_error;

/* Fill err (may be NULL) and return status: `return rnn_fail(err, ...)`. */
rnn_status	rnn_fail(rnn_error *err, rnn_status status, const char *what,
					 double value, double low, double high);

#define RNN_TRY(call) \
	do { rnn_status status_ = (call); if (status_ != RNN_OK) return status_; } while (0)

/*
 * Flags of the caller that a signal may raise.  The size of a step is the
 * user's choice, so the loops that grow with a network look at them and end
 * early: then the call returns RNN_ERR_STOPPED, and what it worked on is worth
 * nothing any more.
 */
typedef struct rnn_stop
{
	const volatile sig_atomic_t *flag[2];
} rnn_stop;

static inline bool
rnn_stopped(const rnn_stop *s)
{
	return s != NULL && (*s->flag[0] || *s->flag[1]);
}

/* ----------------------------------------------------------------- arena */

/*
 * A bump allocator in one caller-owned block.  With base NULL nothing is
 * handed out and `used` adds up what would be needed: the same layout code
 * measures and allocates.  After a failure `failed` stays set and every
 * further call gives NULL.
 */
typedef struct rnn_arena
{
	char	   *base;
	size_t		size;
	size_t		used;
	bool		failed;
} rnn_arena;

void		rnn_arena_init(rnn_arena *a, void *block, size_t size);
void	   *rnn_arena_alloc(rnn_arena *a, size_t count, size_t width); /* 64-byte aligned, not zeroed */
#define arena_new(a, type, n) ((type *) rnn_arena_alloc((a), (n), sizeof(type)))

/* ------------------------------------------------------------------- rng */

/* xoshiro256++ (Blackman and Vigna 2021), seeded by splitmix64. */
typedef struct rnn_rng
{
	uint64_t	s[4];
} rnn_rng;

void		rnn_rng_seed(rnn_rng *r, uint64_t seed, uint64_t stream);
uint64_t	rnn_rng_next(rnn_rng *r);
double		rnn_rng_uniform(rnn_rng *r);	/* [0, 1) */
uint64_t	rnn_rng_below(rnn_rng *r, uint64_t n);
double		rnn_rng_normal(rnn_rng *r);
/* mask (n): 0 with probability p, else 1 / (1 - p) (Srivastava et al. 2014) */
void		rnn_rng_dropout(rnn_rng *r, double p, int64_t n, real *mask);

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

typedef struct rnn_covariates
{
	int32_t		n;
	const rnn_covariate *list;	/* (n) */
} rnn_covariates;

/* Cycles of the calendar, in bits of `terms`. */
typedef enum rnn_term { RNN_TERM_DAY, RNN_TERM_WEEK, RNN_TERM_MONTH, RNN_TERM_YEAR, RNN_TERMS } rnn_term;

/* What the caller's clock tells of them. */
typedef struct rnn_calendar
{
	int32_t		terms;			/* those that its steps tell apart */
	double		steps[RNN_TERMS];	/* in a cycle, on average */
} rnn_calendar;

/* ---------------------------------------------------------------- config */

typedef enum rnn_start { RNN_START_AUTO, RNN_START_SCRATCH, RNN_START_PRIOR, RNN_START_TUNE } rnn_start;
typedef enum rnn_cell { RNN_ELMAN, RNN_GRU, RNN_LSTM } rnn_cell;
typedef enum rnn_activation { RNN_TANH, RNN_RELU } rnn_activation;
typedef enum rnn_flips { RNN_FLIPS_AUTO, RNN_FLIPS_ON, RNN_FLIPS_OFF } rnn_flips;
typedef enum rnn_gaps { RNN_GAPS_MASK, RNN_GAPS_INTERPOLATE, RNN_GAPS_PREVIOUS, RNN_GAPS_ZERO, RNN_GAPS_ERROR } rnn_gaps;
typedef enum rnn_transform_kind { RNN_TRANSFORM_NONE, RNN_TRANSFORM_LOG, RNN_TRANSFORM_ASINH, RNN_TRANSFORM_BOX_COX } rnn_transform_kind;
typedef enum rnn_covariate_gaps { RNN_AHEAD_ERROR, RNN_AHEAD_PREVIOUS, RNN_AHEAD_ZERO, RNN_AHEAD_MISSING } rnn_covariate_gaps;
typedef enum rnn_loss { RNN_PINBALL, RNN_MSE, RNN_MAE } rnn_loss;

/*
 * Every knob of network and training.  rnn_options below is the one table of
 * their names, ranges, defaults and descriptions; where the table says so the
 * default means "choose from the data", and rnn_config_resolve replaces it.
 */
typedef struct rnn_config
{
	int32_t		start;			/* rnn_start: auto lets validation decide, prior trains nothing, tune goes on from it */
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
	double		lower,			/* bounds of forecasts, NaN auto: 0 or none */
				upper;			/* NaN none */
	int64_t		seed;
	int32_t		seasons_given;	/* count of seasons[], -1 detect */
	int32_t		seasons[RNN_MAX_SEASONS];	/* steps, ascending, each >= 1 */
	rnn_covariates covariates;	/* what shapes depend on besides; no options */
	int32_t		terms;			/* bits of rnn_term */
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

void		rnn_config_defaults(rnn_config *cfg);
/* RNN_ERR_OPTION (out of range) or RNN_ERR_CONFLICT. */
rnn_status	rnn_config_check(const rnn_config *cfg, rnn_error *err);

/* ---------------------------------------------------------------- series */

/* One regular series.  x is NaN where a point is missing; first and last
 * points are known.  `name` is NULL for the only series of a model. */
typedef struct rnn_series
{
	const char *name;			/* not terminated by 0 */
	int32_t		name_len;
	int32_t		note;			/* rnn_note */
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
bool		rnn_transform_takes(const rnn_config *cfg, double x);
bool		rnn_changes_series(const rnn_config *cfg);	/* or leaves them as they are */
/* In the arena, or the series itself. */
rnn_series	rnn_series_prepare(const rnn_config *cfg, const rnn_series *s, rnn_arena *a);
/* Chooses lambda and lower where they are left open; season: in steps, 0 unknown. */
void		rnn_resolve_output(rnn_config *cfg, const rnn_series *series, int count, int season);
/* Of a trained model; where it has left lower open, each series decides for itself. */
rnn_config	rnn_config_for_series(const rnn_config *cfg, const rnn_series *s);
bool		rnn_series_is_constant(const rnn_series *s);	/* of two known points or more */

/* ------------------------------------------------------------ references */

/*
 * The bank of references (docs/internals.md): R forecasts that need no
 * training, each with its mean absolute error over up to six trailing
 * origins.  A reference that can't be formed has present[r] = false.
 * Order: seasonal naive of each season, then the smoothers.
 */
typedef struct rnn_mix
{
	int			seen;			/* trailing origins, 0 if there were none */
	bool		present[RNN_REFS];
	double		error[RNN_REFS];	/* shrunk trailing error, in units of x */
	double		weight[RNN_REFS];	/* sums to 1 over present */
	double		spread[2];		/* the mix's own trailing error over the first
								 * and second half of the horizon */
} rnn_mix;

extern const char *const rnn_smoother_names[RNN_SMOOTHERS];

/* Doubles of scratch that the functions below need for up to n points. */
size_t		rnn_mix_work(int64_t n, int h);

/*
 * References and mix at the end of x (n,), no missing points; ref is (R, h).
 * Uses x[0..n) only.  Source: shared mix of references, docs/internals.md.
 */
void		rnn_mix_at(const double *x, int64_t n, int h, const int *seasons, int n_seasons,
					   double kappa, rnn_mix *mix, double *ref, double *work);

/*
 * The same for many ends of one series, which share much of their work: begin
 * before the first with scratch for windows of up to n points, then ask for one
 * after the other.  x[0] is point `first` of the series.  Bytes don't depend on
 * what was asked for before.
 */
size_t		rnn_mix_work_shared(int64_t n, int h);
void		rnn_mix_begin(double *work, int64_t n, int h);
void		rnn_mix_next(const double *x, int64_t first, int64_t n, int h, const int *seasons, int n_seasons,
						 double kappa, rnn_mix *mix, double *ref, double *work);

/* sum_r weight_r ref_r, (h,) */
void		rnn_mix_combine(const rnn_mix *mix, const double *ref, int h, double *out);

/* Points of history that references look at (before the network's context). */
int64_t		rnn_mix_reach(const int *seasons, int n_seasons, int h);

/* Missing points filled forward (causal); out may be x. */
void		rnn_fill_forward(const double *x, int64_t n, double *out);

/* ----------------------------------------------------------------- prior */

/*
 * A network that was pretrained on synthetic series, docs/prior.md.  Its mean
 * with the mix is what a model forecasts where nothing better is trained.
 */
typedef struct rnn_prior
{
	int32_t		version;
	int32_t		horizon;		/* steps ahead that it was trained for; what it changes fades beyond */
	double		share;			/* in its mean with the mix */
	double		widen[RNN_MEDIAN];	/* of a series of n points, the gaps of that mean are 1 + widen / n as
								 * wide, by pair of levels, the outermost first */
	rnn_config	cfg;			/* shape */
	int64_t		params;
	const real *weights;		/* (params,) in the block that it was loaded into */
} rnn_prior;

int			rnn_prior_latest(void);	/* the version that trainings build on */
/* Bytes that rnn_prior_load fills, 0 if there is no such version here. */
size_t		rnn_prior_size(int version);
rnn_status	rnn_prior_load(int version, void *block, rnn_prior *out, rnn_error *err);
/* The first n of its weights; false if there is no such version, or it has fewer. */
bool		rnn_prior_weights(int version, int64_t n, float *out);
/* Whether a network of this version has the shape that cfg, resolved, describes. */
bool		rnn_prior_fits(int version, const rnn_config *cfg);

/* ----------------------------------------------------------------- model */

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
	double		weight;			/* that it would get */
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

/* Points that are missing between the first and the last known one of series. */
typedef struct rnn_missing
{
	int64_t		points,
				gaps,			/* that they form */
				longest;		/* of the gaps */
	int32_t		series;			/* that have some */
} rnn_missing;

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
	int64_t		rows_latest;	/* rows of each series that were used, the latest; 0: all */
	double		windows_share;	/* of the training's windows that fitted into memory; 0: all */
	int32_t		n_seasons;
	int32_t		seasons[RNN_MAX_SEASONS];
	int32_t		seasons_detected;	/* bool */
	int32_t		n_members;
	rnn_member	member[RNN_MAX_MEMBERS];
	int32_t		n_log;
	const rnn_log_row *log;
	int32_t		n_series;
	const rnn_series *series;
} rnn_model;

#define RNN_MAX_MODEL ((size_t) 256 * 1024 * 1024)	/* bytes, of a history too */
/* Bytes of the encoded model; docs/model-format.md. */
size_t		rnn_model_size(const rnn_model *m);
void		rnn_model_encode(const rnn_model *m, uint8_t *out);
/* Validates everything but weights against shapes it can't know; arena bytes
 * that rnn_model_decode needs. */
rnn_status	rnn_model_decoded_size(const uint8_t *bytes, size_t len, size_t *size, rnn_error *err);
rnn_status	rnn_model_decode(const uint8_t *bytes, size_t len, rnn_arena *a, rnn_model *m, rnn_error *err);
/* Castagnoli, as iSCSI; a caller that has a faster one may put it here. */
extern uint32_t (*rnn_crc32c) (const uint8_t *bytes, size_t len);

/* Parameters of the network that config describes: fixes every shape. */
int64_t		rnn_param_count(const rnn_config *cfg);

/* -------------------------------------------------------------- training */

typedef struct rnn_panel
{
	int			count;
	const rnn_series *series;	/* names may be NULL if count is 1 */
	rnn_covariates covariates;
	rnn_clock	clock;
	const rnn_prior *prior;		/* to build on; NULL: the mix alone */
	const rnn_stop *stop;		/* NULL: none */
	int			n_hints;
	int			hints[8];		/* seasons that the calendar suggests */
	rnn_calendar calendar;
} rnn_panel;

typedef struct rnn_progress
{
	bool		done;
	bool		ready;			/* the features are there, members may be trained elsewhere, until it is
								 * false again: another network was chosen */
	bool		split;			/* waits for the caller: the other candidate's judgement where it is lacking,
								 * else rnn_trainer_member or rnn_trainer_join */
	bool		lacks;			/* rnn_trainer_judged and rnn_trainer_compare */
	bool		apart;			/* rnn_trainer_apart may be called: there are two candidates */
	bool		waits;			/* for more steps by rnn_trainer_allow */
	const char *phase;			/* "seasons", "features", "train", ... a literal */
	int			member;
	int			step;			/* of steps, both 0 where the phase has none */
	int			steps;
	double		loss;			/* NaN: none */
} rnn_progress;

typedef struct rnn_trainer rnn_trainer;

/*
 * Bytes that a training needs, at most `limit`: where the data outgrow it,
 * windows are sampled.  RNN_ERR_MEMORY (value: least bytes) if that can't be.
 */
rnn_status	rnn_trainer_size(const rnn_config *cfg, const rnn_panel *panel, size_t limit,
							 size_t *size, rnn_error *err);
/* `warm` (may be NULL): start from its weights where the shapes are equal. */
rnn_status	rnn_trainer_init(rnn_trainer **out, void *block, size_t size, const rnn_config *cfg,
							 const rnn_panel *panel, const rnn_model *warm, rnn_error *err);
/* One bounded piece of work (aim: below 50 ms).  Call until progress->done. */
rnn_status	rnn_trainer_step(rnn_trainer *t, rnn_progress *progress, rnn_error *err);

/*
 * Members of an ensemble may be trained side by side, each to the same bytes
 * as one after the other.  With rnn_trainer_split, progress->split is set once
 * everything but the members' trainings on all data is done; the caller then
 * chooses with rnn_trainer_member which one the next steps train, until
 * progress->split is set again, and goes on with rnn_trainer_join and steps
 * until all is done.
 *
 * From progress->ready on, another process may make a trainer of its own from
 * the same config, as resolved, series and size, take the features over after
 * rnn_trainer_adopt, and train members too; what they became is handed over as
 * bytes.  It need not wait for the judging, which says how many steps a member
 * is trained for: a member that is allowed the steps of which the judging is
 * sure so far goes on as far as no more of them could change.
 */
void		rnn_trainer_split(rnn_trainer *t);
void		rnn_trainer_member(rnn_trainer *t, int member);
void		rnn_trainer_join(rnn_trainer *t);
size_t		rnn_trainer_used(const rnn_trainer *t); /* bytes of the block that are in use */

/* The network that is trained, and which of how many candidates it is. */
typedef struct rnn_choice
{
	rnn_kind	kind;
	int32_t		at;
	int32_t		of;
} rnn_choice;

typedef struct rnn_part
{
	void	   *bytes;
	size_t		len;
} rnn_part;

int			rnn_trainer_members(const rnn_trainer *t, rnn_config *resolved, rnn_choice *choice);

#define RNN_JUDGED_PARTS 5
#define RNN_FEATURE_PARTS 2
#define RNN_MEMBER_PARTS 3
#define RNN_STATE_PARTS 11
/* Where the features lie, and what a trained member is. */
void		rnn_trainer_features(rnn_trainer *t, rnn_part parts[RNN_FEATURE_PARTS]);
void		rnn_trainer_result(rnn_trainer *t, int member, rnn_part parts[RNN_MEMBER_PARTS]);
/*
 * What the training of a member has come to.  Copied back into a trainer that
 * trains that member, it goes on from there.  False amid a window.
 */
bool		rnn_trainer_state(rnn_trainer *t, rnn_part parts[RNN_STATE_PARTS]);
/* Steps a new trainer until it is laid out, its features still to be filled in. */
rnn_status	rnn_trainer_adopt(rnn_trainer *t, rnn_choice choice, rnn_error *err);
/*
 * Two candidates may be judged side by side, too, where progress->apart is set:
 * another process steps a trainer of its own, made in the same way and with
 * rnn_trainer_lone, until progress->split is set, while here the last one is
 * judged after rnn_trainer_apart.  What became of the first is handed over by
 * the parts of rnn_trainer_judged, and the trainer goes on after
 * rnn_trainer_compare as if one had been judged after the other.
 */
void		rnn_trainer_apart(rnn_trainer *t);
rnn_status	rnn_trainer_lone(rnn_trainer *t, rnn_choice choice, rnn_error *err);
void		rnn_trainer_judged(rnn_trainer *t, rnn_part parts[RNN_JUDGED_PARTS]);
void		rnn_trainer_compare(rnn_trainer *t);
/* Steps of a member's training: those it has at least, and whether it has no more. */
int			rnn_trainer_steps(const rnn_trainer *t, bool *exact);
void		rnn_trainer_allow(rnn_trainer *t, int steps, bool exact);

/* Told by the caller, who has the clock: wind up with what is there. */
void		rnn_trainer_hurry(rnn_trainer *t);
/* The finished model; it points into the trainer's block and the panel. */
rnn_status	rnn_trainer_model(rnn_trainer *t, rnn_model *m, rnn_error *err);

/* Whether the network takes part in the forecast of a series of n points. */
bool		rnn_network_applies(const rnn_model *m, int64_t n);

/* Points at the end of a series that a model must keep to forecast from. */
int64_t		rnn_history_reach(const rnn_model *m);
/* Weight of the network in the blend for a series of n points. */
double		rnn_network_weight(const rnn_model *m, int64_t n);

/* ----------------------------------------------------------- forecasting */

/* Arena bytes to forecast `count` series at once. */
rnn_status	rnn_forecast_size(const rnn_model *m, int count, int64_t longest, int horizon, size_t *size, rnn_error *err);
/*
 * One bounded piece of a forecast: *done is 0 at first, and out is complete
 * when it has reached the horizon.  Block, size and out stay the same.
 * out (count, horizon, Q), in the units of the series; never NaN or infinite:
 * RNN_ERR_NUMERIC where the weights make the network's quantiles so.
 */
rnn_status	rnn_forecast_step(const rnn_model *m, const rnn_series *series, int count, int horizon,
							  void *block, size_t size, int *done, double *out, rnn_error *err);
/* All pieces. */
rnn_status	rnn_forecast(const rnn_model *m, const rnn_series *series, int count, int horizon,
						 void *block, size_t size, double *out, rnn_error *err);

/*
 * ||dLoss/dh|| by layer and lag over the model's last windows: the loss is that
 * of the last position alone, lag counts steps back from it.  out (L, T).
 * Source: Bengio, Simard and Frasconi 1994; Pascanu, Mikolov and Bengio 2013.
 */
rnn_status	rnn_gradient_flow_size(const rnn_model *m, int member, size_t *size, rnn_error *err);
rnn_status	rnn_gradient_flow(const rnn_model *m, int member, void *block, size_t size,
							  double *out, int *layers, int *lags, rnn_error *err);

/* Chooses kernels by CPUID (at most `limit`: 0 portable, 1 AVX2, 2 AVX-512, -1 best)
 * and sets OpenBLAS to one thread.  Idempotent.  Names what it chose. */
const char *rnn_engine_init(int limit);
const char *rnn_blas_name(void);

#endif							/* RNN_H */
