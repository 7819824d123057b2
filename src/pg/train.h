/*
 * train.h
 *		What train.c and parallel.c share: stepping a trainer.
 */
#ifndef RNNFORECAST_TRAIN_H
#define RNNFORECAST_TRAIN_H

#include "pg.h"

#include "utils/timestamp.h"

typedef struct Driver
{
	TimestampTz start;
	double		ceiling;		/* seconds from start, 0: none */
	bool		hurried;		/* the ceiling was reached */
	bool		progress;		/* say how it goes */
	double		next_notice;	/* seconds from start */
	/* called after each step; may be NULL */
	void		(*stepped) (rnn_trainer *trainer, const rnn_progress *p, void *arg);
	void	   *arg;
} Driver;

/* train.c: steps until the trainer is done (true), or waits for a member to be chosen. */
bool		drive(rnn_trainer *trainer, Driver *driver);
/* Memory of a trainer, aligned alike in every process so that the layout is the same. */
void	   *training_block(Size size);

/*
 * parallel.c: trains to the end, the members side by side where that can be.
 * `block` bytes are the trainer's, `held` more are taken by the series.
 */
void		train_with_crew(rnn_trainer *trainer, const rnn_panel *panel, Size block, Size held,
							Driver *driver);

#endif							/* RNNFORECAST_TRAIN_H */
