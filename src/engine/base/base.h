/*
 * base.h
 *		What every part of the engine stands on: numbers and dimensions, errors,
 *		the caller's flags, memory, random numbers.
 */
#ifndef RNN_BASE_H
#define RNN_BASE_H

#include <float.h>
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
#define RNN_MAX_SEASONS 3
#define RNN_HARMONICS 2			/* sine and cosine pairs by which a season's phase is told */
#define RNN_PHASES (2 * RNN_HARMONICS * RNN_MAX_SEASONS)
#define RNN_SMOOTHERS 10
#define RNN_ANALOGUES 2
#define RNN_REVERTING 2
#define RNN_AUTOREGRESSIONS 2
/*
 * A list of references is told by its length: the first ones of all that there
 * are, at least those that need no analogues.
 */
#define RNN_REFS (RNN_MAX_SEASONS + RNN_SMOOTHERS + RNN_ANALOGUES + RNN_REVERTING + RNN_AUTOREGRESSIONS)
#define RNN_LEAST_REFS (RNN_MAX_SEASONS + RNN_SMOOTHERS)
#define RNN_BLOCK 16			/* points of a horizon block */

extern const double rnn_quantile_levels[RNN_QUANTILES];

/* Of the point forecast; the quantiles around it always have pinball. */
typedef enum rnn_loss { RNN_PINBALL, RNN_MSE, RNN_MAE } rnn_loss;

/* ---------------------------------------------------------------- numbers */

static inline int64_t
rnn_min(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static inline int64_t
rnn_max(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* As fmin and fmax have it, NaN is the least, but without a call. */
static inline double
rnn_within(double x, double least, double most)
{
	x = x > least ? x : least;
	return x < most ? x : most;
}

/* The finite number that is nearest; NaN stays NaN. */
static inline double
rnn_finite(double x)
{
	return x > DBL_MAX ? DBL_MAX : x < -DBL_MAX ? -DBL_MAX : x;
}

/* Loss of the k-th quantile where the point lies d above it (Koenker and Bassett 1978). */
static inline double
rnn_pinball(int k, double d)
{
	return d > 0 ? rnn_quantile_levels[k] * d : (rnn_quantile_levels[k] - 1) * d;
}

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
/* mask (rows, n): 0 with probability p, else 1 / (1 - p) (Srivastava et al. 2014) */
void		rnn_rng_dropout(rnn_rng *r, double p, int64_t rows, int64_t n, real *mask);

/* -------------------------------------------------------------- checksums */

/* Castagnoli, as iSCSI; a caller that has a faster one may put it here. */
extern uint32_t (*rnn_crc32c) (const uint8_t *bytes, size_t len);

#endif							/* RNN_BASE_H */
