/*
 * reconcile.h
 *		Forecasts of a tree of series that add up.
 */
#ifndef RNN_RECONCILE_H
#define RNN_RECONCILE_H

#include "base/base.h"

#include <stddef.h>

/* Sums come first, each before what it is the sum of; the first is that of all. */
typedef struct rnn_tree
{
	int32_t		n;				/* sums and bottoms */
	int32_t		sums;
	const int32_t *parent;		/* (n) which sum each one is part of, -1 of the first */
} rnn_tree;

/* Sums are replaced by what y (n) says of the bottoms. */
void		rnn_bottom_up(const rnn_tree *tree, double *y);

/*
 * Minimum trace.  Residuals (rows, n) are errors of forecasts of the past, NaN
 * where there is none; they are kept and read.  The caller calls rnn_mint_step
 * for one bounded piece after the other until it says that there is none left.
 */
typedef struct rnn_mint rnn_mint;

size_t		rnn_mint_size(const rnn_tree *tree, int64_t rows);
rnn_mint   *rnn_mint_begin(const rnn_tree *tree, const double *residuals, int64_t rows, void *block);	/* of that size */
bool		rnn_mint_step(rnn_mint *m);
double		rnn_mint_shrinkage(const rnn_mint *m);	/* to a diagonal, in (0, 1] */
void		rnn_mint_apply(rnn_mint *m, double *y); /* y (n): forecasts, which add up then */

#endif							/* RNN_RECONCILE_H */
