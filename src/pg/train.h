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
	const char *name;			/* of the model, NULL: it has none */
	/* called after each step; may be NULL */
	void		(*stepped) (rnn_trainer *trainer, const rnn_progress *p, void *arg);
	void	   *arg;
} Driver;

/* What the trainer waits for, see rnn_progress. */
typedef enum Ending
{
	ENDING_DONE,
	ENDING_SPLIT,				/* a member is to be chosen, or was trained */
	ENDING_LACKS				/* the other candidate's judgement */
} Ending;

/* train.c: steps until the trainer is done or waits; a lone candidate is judged at ENDING_SPLIT. */
Ending		drive(rnn_trainer *trainer, Driver *driver);
/* Trains on a history, from the weights of `warm` where that is not NULL; shown under the name, NULL: none. */
bytea	   *train_on_history(const rnn_model *history, Jsonb *options, const rnn_model *warm, const char *name);
/* The model's weights with the history's rows. */
bytea	   *observe_history(const rnn_model *model, const rnn_model *history);
/* Error where the times of a history are none of the model's. */
void		check_clocks(const rnn_model *m, const rnn_model *history);
/* A copy of the history's series, their times and phases as the clock counts them. */
rnn_series *series_by_clock(const rnn_model *history, const rnn_clock *clock);
/* And their covariates as a model knows them. */
rnn_series *series_for_model(const rnn_model *history, const rnn_model *m);
/* Forgets all but the last `keep` points, at most or at least so many; see train.c. */
void		trim_series(rnn_series *s, const rnn_model *m, int64 keep, bool at_most);
/* Memory of a trainer, aligned alike in every process so that the layout is the same. */
void	   *training_block(Size size);

/*
 * parallel.c: trains to the end, candidates and members side by side where that can be.
 * `block` bytes are the trainer's, `held` more are taken by the series.
 */
void		train_with_crew(rnn_trainer *trainer, const rnn_panel *panel, Size block, Size held,
							Driver *driver);

#endif							/* RNNFORECAST_TRAIN_H */
