/*
 * batches.h
 *		Batches of series that are forecast, by one process or several.
 */
#ifndef RNN_PG_BATCHES_H
#define RNN_PG_BATCHES_H

#include "pg/forecast/forecast.h"

typedef struct Batches
{
	const ForecastChoice *choice;
	ForecastTaker take;
	void	   *taker;
	int			n;
	int		   *first;			/* (n + 1) series of the choice that each begins with */
	char	   *block;			/* that they share */
	Size		block_size;
} Batches;

/* batches.c */
Size		batch_bytes(const Batches *b, int i);	/* that the i-th takes */
/* Forecasts the i-th: the result, which is a part of the block, until the next. */
rnn_part	forecast_batch(Batches *b, int i);
void		hand_over(const Batches *b, int i, const rnn_part *result);

/* beside.c: all of them, by this process and workers; false where there are none, and nothing was done */
bool		forecast_beside(Batches *b);

#endif							/* RNN_PG_BATCHES_H */
