/*
 * reconcile.h
 *		Forecasts of series and of their sums that add up.
 */
#ifndef RNN_RECONCILE_H
#define RNN_RECONCILE_H

#include "model/model.h"

#include <stddef.h>

/* Sums of y (n) are replaced by what y says of their parts. */
void		rnn_bottom_up(const rnn_sums *sums, int n, double *y);

/*
 * Minimum trace.  Residuals (rows, n) are errors of forecasts of the past, NaN
 * where there is none; they are kept and read.  So many rows that follow each
 * other say the same `together`, 1: each says its own.  The caller calls rnn_mint_step
 * for one bounded piece after the other until it says that there is none left.
 */
typedef struct rnn_mint rnn_mint;

size_t		rnn_mint_size(const rnn_sums *sums, int n, int64_t rows);
rnn_mint   *rnn_mint_begin(const rnn_sums *sums, int n, const double *residuals, int64_t rows, int64_t together, void *block);	/* of that size */
bool		rnn_mint_step(rnn_mint *m);
double		rnn_mint_shrinkage(const rnn_mint *m);	/* to a diagonal, in (0, 1] */
void		rnn_mint_apply(rnn_mint *m, double *y); /* y (n): forecasts, which add up then */
/* What that does, for a model to keep: pull (n, count) is how much of each sum's gap a series gets; column a of it. */
void		rnn_mint_pull(rnn_mint *m, int a, float *pull);
void		rnn_pull(const rnn_sums *sums, int n, const float *pull, double *gaps, double *y);	/* gaps (count) are room */

#endif							/* RNN_RECONCILE_H */
