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
	bool		split;			/* the trainer waits for a member */
	bool		progress;		/* say how it goes */
	double		next_notice;	/* seconds from start */
	const rnn_model *warm;		/* weights to start from, or NULL */
} Driver;

/* train.c: steps until the trainer is done, or waits for a member to be chosen. */
void		drive(rnn_trainer *trainer, Driver *driver);
/* Memory of a trainer, aligned alike in every process so that the layout is the same. */
void	   *training_block(Size size);

/* parallel.c: the members' trainings, side by side where that can be. */
void		train_members(rnn_trainer *trainer, const rnn_panel *panel, Size block, Size held,
						  Driver *driver);

#endif							/* RNNFORECAST_TRAIN_H */
