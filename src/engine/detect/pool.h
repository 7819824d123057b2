/*
 * pool.h
 *		What the series of a panel know together of their references, driven step by step.
 */
#ifndef RNN_POOL_H
#define RNN_POOL_H

#include "bank/bank.h"
#include "detect/season.h"

#define RNN_POOL_LEAST 3		/* series that make a panel here */
#define RNN_POOL_FOLDS 4		/* origins that judge, the latest ones */
#define RNN_POOL_TRIES 5		/* values of the option that are tried */

/* Sums over series of logarithms of errors, each in units of its series' usual one. */
typedef struct rnn_pool_sums
{
	int			series;
	double		sum[RNN_REFS];
	int			count[RNN_REFS];
} rnn_pool_sums;

typedef struct rnn_pool_search
{
	const rnn_series *series;
	int			count;
	rnn_config	cfg;
	rnn_mix_rule rule;
	double	   *work;
	int64_t		longest;
	bool		judging;		/* all series were asked */
	int			voter;
	rnn_pool_sums all,			/* from all trailing origins, */
				before[RNN_POOL_FOLDS];	/* and from those whose windows end before that of the v-th is over */
	double		loss[RNN_POOL_FOLDS][RNN_POOL_TRIES];
	bool		judged;			/* by a series at least */
} rnn_pool_search;

/* Doubles of scratch for a search with horizon h. */
size_t		rnn_pool_work(const rnn_series *series, int count, int h);

/*
 * How good each reference is in a panel, and how much that counts beside what a series itself tells (cfg->pooling; found
 * where it is NaN).  cfg is resolved: its horizon and seasons are those of the mix, and its transform is still to be made.
 * The series must stay where they are until the end.
 */
void		rnn_pool_begin(rnn_pool_search *s, const rnn_config *cfg, const rnn_series *series, int count, double *work);
/* One series; true when all of them were asked and have judged. */
bool		rnn_pool_step(rnn_pool_search *s);
/* Fills pooled (RNN_REFS,) and returns cfg->pooling, found or as it was asked for; before the end: by the series so far. */
double		rnn_pool_end(const rnn_pool_search *s, double *pooled);

#endif							/* RNN_POOL_H */
