/*
 * generate.h
 *		Synthetic series, on which the prior is trained: processes of many kinds
 *		with random parameters, in the shapes that real series have.
 *
 * Like the engine: no allocation, no I/O, no globals but constant tables.  The
 * caller owns the scratch.  A series depends on (seed, number, split) alone,
 * on one machine: sin, exp and log may differ in the last bit on another.
 * The families, their shares and their parameters are told in docs/developers/prior.md.
 */
#ifndef RNN_GENERATE_H
#define RNN_GENERATE_H

#include "base/base.h"

#define RNN_SYNTH_SHORTEST 4	/* points of history */
#define RNN_SYNTH_LONGEST 2048
#define RNN_SYNTH_HORIZON 720
#define RNN_SYNTH_LEAST_AHEAD 64	/* points that a history of any length is followed by */
#define RNN_SYNTH_POINTS (RNN_SYNTH_LONGEST + RNN_SYNTH_HORIZON)
#define RNN_SYNTH_FINE 16384	/* points before they are aggregated */
#define RNN_SYNTH_SEASONS 2
#define RNN_SYNTH_SEASON 672	/* the longest season */
#define RNN_SYNTH_HUGE 1e12		/* bounds of |x| other than 0 */
#define RNN_SYNTH_TINY 1e-12

/* Walks first: together they are a fifth, the others share the rest equally. */
typedef enum rnn_family
{
	RNN_FAMILY_WALK,			/* Gaussian steps */
	RNN_FAMILY_WALK_HEAVY,		/* steps of Student's t */
	RNN_FAMILY_WALK_DRIFT,
	RNN_FAMILY_WALK_GEOMETRIC,
	RNN_FAMILY_WALK_VOLATILE,	/* variance of the steps changes */
	RNN_FAMILY_WALK_REVERTING,	/* pulled back to a level, or held between bounds */
	RNN_FAMILY_WALK_INTEGRATED, /* steps are autoregressive */
	RNN_FAMILY_TREND,
	RNN_FAMILY_SMOOTH,			/* smooth season */
	RNN_FAMILY_SPIKY,			/* season of peaks, blocks, half waves */
	RNN_FAMILY_DOUBLE,			/* two seasons */
	RNN_FAMILY_EVOLVING,		/* amplitude, phase or profile change slowly */
	RNN_FAMILY_RESIZED,			/* each cycle has a size and a level of its own */
	RNN_FAMILY_HOLIDAY,			/* rare days, repeated or not */
	RNN_FAMILY_NOISY,			/* noise that isn't Gaussian and white */
	RNN_FAMILY_GAUSSIAN,		/* Gaussian processes */
	RNN_FAMILY_SARIMA,
	RNN_FAMILY_ETS,
	RNN_FAMILY_REGIME,			/* switches between states */
	RNN_FAMILY_BREAK,			/* shifts of level and slope, outliers */
	RNN_FAMILY_CENSORED,		/* capped, coarsely rounded, saturating */
	RNN_FAMILY_COUNT,
	RNN_FAMILY_INTERMITTENT,	/* mostly zeros, now and then a demand */
	RNN_FAMILY_ZERO,			/* zero-inflated, flat, on and off */
	RNN_FAMILY_AGGREGATED,		/* sums or means of a finer series */
	RNN_FAMILY_FRACTIONAL,		/* period is no whole number of steps */
	RNN_FAMILY_CYCLE,			/* stochastic cycles */
	RNN_FAMILY_LOAD,			/* hours, working days, holidays, levels that wander */
	RNN_FAMILY_PRICE,			/* the same with spikes */
	RNN_FAMILY_SENSOR,			/* the same, mostly without weeks, the level wanders more */
	RNN_FAMILY_EVENTS,			/* counts of minutes and hours, with bursts */
	RNN_FAMILY_SALES,			/* turnover: level times a season that moves */
	RNN_FAMILY_RIVER,			/* rain that runs off */
	RNN_FAMILY_MIX,				/* of two or three others */
	RNN_FAMILIES
} rnn_family;

#define RNN_FAMILY_WALKS 7		/* families before RNN_FAMILY_TREND */

/*
 * What a network chosen on held-out families is trained on, and chosen on.
 * The same walks' share in each; RNN_SPLIT_ALL has every family.
 */
typedef enum rnn_split
{
	RNN_SPLIT_ALL,
	RNN_SPLIT_TRAIN,
	RNN_SPLIT_HELD_OUT
} rnn_split;

/* How the seasons were handed over. */
typedef enum rnn_handed
{
	RNN_HANDED_RIGHT,
	RNN_HANDED_MISSING,			/* one or all are left out */
	RNN_HANDED_WRONG,			/* another calendar's */
	RNN_HANDED_DOUBLED,
	RNN_HANDED_HALVED
} rnn_handed;

typedef struct rnn_synth
{
	rnn_family	family;
	int			n;				/* points of history */
	int			horizon;		/* points after them */
	int			n_seasons;		/* the true ones, ascending, in steps */
	int			seasons[RNN_SYNTH_SEASONS];
	rnn_handed	handed;
	int			n_given;		/* those handed over, ascending; 0: none */
	int			given[RNN_SYNTH_SEASONS];
	double		x[RNN_SYNTH_POINTS];	/* (n + horizon,); NaN: missing, only between x[0] and x[n - 1] */
} rnn_synth;

/* Scratch, about 0.7 MB; its content before a call doesn't matter. */
typedef struct rnn_synth_work
{
	rnn_rng		rng;
	rnn_split	split;
	int			n,				/* history and all points of what is being made, */
				total;			/* more while a finer series is */
	int			n_seasons;
	double		seasons[RNN_SYNTH_SEASONS];
	double		rumour;			/* a period that people might take for a season, or 0 */
	int			finish;			/* which values remain to be made of out */
	double		profile[2][1024];
	double		out[RNN_SYNTH_FINE];
	double		part[3][RNN_SYNTH_FINE];
	double		mixed[RNN_SYNTH_POINTS];
} rnn_synth_work;

/*
 * Series `number` of `seed`, every byte of *s.  The history and the first
 * points after it don't depend on the horizon (1 .. RNN_SYNTH_HORIZON), which
 * is cut to half of the history, or 64 points where that is less.
 */
void		rnn_synth_make(uint64_t seed, uint64_t number, rnn_split split, int horizon,
						   rnn_synth_work *work, rnn_synth *s);

const char *rnn_family_name(rnn_family family);
bool		rnn_family_held_out(rnn_family family);
double		rnn_family_share(rnn_family family, rnn_split split);	/* of all series, sums to 1 */

#endif							/* RNN_GENERATE_H */
