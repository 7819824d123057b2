/*
 * evaluate.h
 *		How good forecasts are: measures of accuracy, and what to compare with.
 */
#ifndef RNN_PG_EVALUATE_H
#define RNN_PG_EVALUATE_H

#include "pg/forecast/forecast.h"

/* accuracy.c: a forecast beside what came.  NaN: not there. */
typedef struct Judged
{
	double		actual,
				forecast,
				lower,
				upper,
				scale,			/* mean absolute seasonal difference of the past */
				naive,			/* what it is compared with */
				level;			/* of the interval, in (0, 1) */
	const double *quantiles,	/* (n) NULL: none */
			   *levels;			/* (n) in (0, 1) */
	int			n;
} Judged;

/* The state of rnn_accuracy, with a row added; error for what is infinite or out of range. */
Datum		accuracy_add(FunctionCallInfo fcinfo, const Judged *row);

#endif							/* RNN_PG_EVALUATE_H */
