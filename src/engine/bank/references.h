/*
 * references.h
 *		What references.c gives to mix.c.
 */
#ifndef RNN_REFERENCES_H
#define RNN_REFERENCES_H

#include "bank/bank.h"

/*
 * A loop of doubles, compiled for wider vectors too, of which the loader takes
 * the widest that the processor has.  Nothing is fused (-ffp-contract=off), so
 * all give the same bits.
 */
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define WIDE __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define WIDE
#endif
#define INLINE inline __attribute__((always_inline))	/* into each of them */

#define SEASONS_KEPT 12			/* in a profile */
#define LEVEL_POINTS 400		/* that a level or a slope looks at */
#define RHOS 2					/* kinds of profiles */
#define ANALOGUE_POINTS 2000	/* that analogues and regressions look at, and means that a series returns to */
#define REVERTING (RNN_LEAST_REFS + RNN_ANALOGUES) /* the first of those that return, in the list */
#define AUTOREGRESSING (REVERTING + RNN_REVERTING) /* and of the regressions */

/* By how fast a seasonal profile forgets. */
typedef enum Profile { FAST, SLOW, NO_PROFILE } Profile;

/* Scratch and facts that the origins share. */
typedef struct Bank
{
	const double *x;
	const double *logs;			/* (n) where positive, else NULL */
	const int  *seasons;
	int			n_seasons;
	double	   *d;				/* (n) */
	double	   *p;				/* (4 n) profiles */
	double	   *level[RHOS];	/* (ANALOGUE_POINTS) */
	double	   *ahead[RHOS];	/* (h) */
	double	   *distances;		/* (analogues_work) */
	int			refs;			/* of the list, how many are wanted: what they look at */
} Bank;

/*
 * Long sums are SIDE sums of every SIDE-th number, side by side: the compiler
 * makes vectors of them, of which no bit depends on how wide they are.
 */
#define SIDE 8

static INLINE double
all_sides(const double *sum)
{
	return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

double		bank_mean(const double *x, int64_t n);

/* Points of a prefix of n that deseasonalised values are needed for. */
int64_t		references_tail(int64_t n, const int *seasons, int n_seasons);

/*
 * All but analogues at the end of x[0..n): ref (R, h) with rows `stride` apart.
 * positive: all of these points are; top: log of their maximum plus 3.
 */
void		references_at(const Bank *bank, int64_t n, int h, bool positive, double top,
						  double *ref, int64_t stride, bool *present);

/*
 * What all but analogues, regressions and naive references of a mix are made of, added to
 * parts (RNN_PARTS, h) by their weights (RNN_REFS, h); scratch: trend (h).  Leaves the last points of the series
 * without its seasons in bank->level, and behind the first RHOS rows of ahead
 * (1 + seasons, RHOS, h) what each season does.
 */
void		smoothers_parts(const Bank *bank, const rnn_mix *mix, const double *weight, int64_t n, int h, bool positive, double top,
							double *ahead, double *trend, double *parts);

/*
 * What returns to the mean of many seasons (revert.c): trend (h) from `level` on; and of the last season's level,
 * beside profile (m), the means of the phases less that mean.  False: too few seasons.
 */
bool		revert_trend(const Bank *bank, int64_t n, int h, double level, double *trend);
bool		season_by_means(const Bank *bank, int64_t n, int h, double *level, double *trend, double *profile);

/* Doubles of scratch for analogues of up to n points; those at the end of x[0..n), (RNN_ANALOGUES, h). */
size_t		analogues_work(int64_t n);
void		analogues_at(const Bank *bank, int64_t n, int h, double *ref, int64_t stride, bool *present);

/* Regressions on blocks of what deseasonalise left of the last points, (RNN_AUTOREGRESSIONS, h). */
void		autoregressions_at(const Bank *bank, int64_t points, int h, double *ref, int64_t stride, bool *present);

#endif							/* RNN_REFERENCES_H */
