/*
 * bank.h
 *		The mix of the references, at one end of a series or at many.
 */
#ifndef RNN_BANK_H
#define RNN_BANK_H

#include "config/config.h"

#define RNN_TRAILING 16			/* origins that references are scored at, at most, */
#define RNN_SPREAD_ORIGINS 8	/* and of which the mix's own errors are its spread */

/*
 * The bank of references (docs/developers/internals.md): R forecasts that need no
 * training, each with its mean absolute error over up to sixteen trailing
 * origins, of which later ones count more.  A reference that can't be formed has present[r] = false.
 * Order: seasonal naive of each season, the smoothers, the analogues, those
 * that return to what was usual, the regressions.
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

/* What is asked of a mix. */
typedef struct rnn_mix_rule
{
	int			h,				/* steps ahead */
				n_seasons,
				seasons[RNN_MAX_SEASONS];	/* (n_seasons,) ascending */
	double		kappa;			/* exponent of the trailing error */
	int			refs,			/* the first so many of the list: all, RNN_REFS, or RNN_LEAST_REFS, or between */
				patch;			/* points from one end that is asked for to the next; 1: any */
	double		pooling;		/* trailing origins that what a panel knows counts for in short series, 0: each stands alone */
	double		pooled[RNN_REFS];	/* what it knows: logarithms of trailing errors in units of a series'
									 * usual one, on average over the panel; NaN: not known */
} rnn_mix_rule;

/* As options ask for it, whose seasons are known. */
rnn_mix_rule rnn_mix_rule_of(const rnn_config *cfg, int h);
/* Of the least references, by these seasons alone. */
rnn_mix_rule rnn_mix_rule_plain(int h, const int *seasons, int n_seasons, double kappa);
bool		rnn_mix_rule_same(const rnn_mix_rule *a, const rnn_mix_rule *b);

/*
 * References and mix at the end of x (n,), no missing points.  ref is
 * (RNN_REFS, h), of which as many as asked for are filled.
 * Uses x[0..n) only.  Source: shared mix of references, docs/developers/internals.md.
 */
void		rnn_mix_at(const rnn_mix_rule *rule, const double *x, int64_t n, rnn_mix *mix, double *ref, double *work);

/*
 * The same for many ends of one series, which share much of their work: begin
 * before the first with scratch for windows of up to n points, then ask for one
 * after the other.  x[0] is point `first` of the series.  Bytes don't depend on
 * what was asked for before.
 */
size_t		rnn_mix_work_shared(int64_t n, int h);
void		rnn_mix_begin(double *work, int64_t n, int h);
void		rnn_mix_next(const rnn_mix_rule *rule, const double *x, int64_t first, int64_t n, rnn_mix *mix, double *ref,
						 double *work);

/* Whether a series of n points is so short for a horizon that it tells little of itself. */
bool		rnn_mix_is_short(int64_t n, int h);

/*
 * Weights from errors: those of present references, as they came at trailing
 * origins whose weights add up to `origins`, are shrunk to their median and, in a
 * series of n points that is short, to what the panel knows, and weighed by error^-kappa.
 */
void		rnn_mix_weigh(const rnn_mix_rule *rule, double origins, int64_t n, rnn_mix *mix);

/* Weights error^-kappa of present references, which sum to 1. */
void		rnn_mix_set_weights(rnn_mix *mix, double kappa);

/* The usual one of the errors of present references: their median. */
double		rnn_mix_typical(const rnn_mix *mix);

/* The mean distance of f from y, of so many steps. */
double		rnn_mix_error(const double *f, const double *y, int steps);

/* What the v-th trailing origin weighs beside the first, the latest. */
double		rnn_mix_fade(int v);

/*
 * The mix at the v-th of its trailing origins, 1 .. seen, the latest first: out
 * (h,), of which it returns how many steps were scored; *end: points of x before
 * it.  work as the last call left it.
 */
int			rnn_mix_trailing(const rnn_mix *mix, const double *work, int v, int h, double *out, int64_t *end);

/* The v-th trailing origin: points of x before it, and steps that were scored; and the r-th reference there, of so many steps. */
int			rnn_mix_origin(const double *work, int v, int64_t *end);
const double *rnn_mix_reference(const double *work, int v, int r, int h);

/*
 * Weights (RNN_REFS, h) of each reference at each step ahead, by the errors of
 * steps that are near or at the same phase of the first season, and those of the
 * whole horizon.  x, mix and work as the last call left them; scratch (h,).
 */
void		rnn_mix_local(const rnn_mix_rule *rule, const double *x, const rnn_mix *mix, const double *work, double *weight,
						  double *scratch);

/*
 * The error that is expected at step j of h is a power of the lead time, from 0
 * to `most`, through those over the halves of the horizon, whose middles are at
 * h / 4 and 3 h / 4: `near` at the first of these.
 */
double		rnn_mix_power(double near, double far, double most);
double		rnn_mix_spread_at(double near, double power, int h, int j);

/* sum_r weight_rj ref_rj, (h,) */
void		rnn_mix_combine_local(const double *weight, const double *ref, int h, double *out);

/* sum_r weight_r ref_r, (h,) */
void		rnn_mix_combine(const rnn_mix *mix, const double *ref, int h, double *out);

/*
 * How much wider intervals are at a step ahead than on average, since some phases of a season differ more from one
 * season to the next than others.  At the end of x (n,), NaN where missing; h: the horizon over which the spread of the
 * mix was measured.  The factor of step j, the first being 0, is the mean of |x_t - x_{t-lag}| at its phase of the first
 * season over that at the phases of the trailing origins, lag being the last season; 1 where too little is known.
 */
#define RNN_MOST_PHASES 2048

typedef struct rnn_phases
{
	int			m;				/* 0: all factors are 1 */
	double		mean,			/* of all differences */
				measured;		/* of those at the phases of the trailing origins */
	double		sum[RNN_MOST_PHASES];
	int			count[RNN_MOST_PHASES];
} rnn_phases;

void		rnn_phases_at(const double *x, int64_t n, const int *seasons, int n_seasons, int h, rnn_phases *p);
double		rnn_phase_factor(const rnn_phases *p, int64_t j);

/*
 * What the mix is made of: parts (RNN_PARTS, h), which add up to it.  A reference
 * is a level, a trend and the profiles of seasons by construction; one of
 * logarithms is split by how much each of them does, and one that follows
 * analogues is level and seasons, and what they say beside them.
 */
enum { RNN_PART_LEVEL, RNN_PART_TREND, RNN_PART_SEASON, RNN_PART_ANALOGUES = RNN_PART_SEASON + RNN_MAX_SEASONS, RNN_PARTS };

size_t		rnn_mix_parts_work(int64_t n, int h);
void		rnn_mix_parts(const rnn_mix_rule *rule, const double *x, int64_t n, rnn_mix *mix, double *parts, double *work);

/* Trailing origins of a horizon, where there are points enough. */
int			rnn_mix_origins(int h);

/* Points of history that references look at (before the network's context). */
int64_t		rnn_mix_reach(const int *seasons, int n_seasons, int h);

#endif							/* RNN_BANK_H */
