/*
 * train.h
 *		Training, and a model's weights with other rows.
 */
#ifndef RNN_PG_TRAIN_H
#define RNN_PG_TRAIN_H

#include "pg/past/past.h"

#include "storage/sharedfileset.h"

/* What a training is told beside its options. */
typedef struct Occasion
{
	TimestampTz start;			/* when the rows were there: its seconds count from then on */
	double		share;			/* of the seconds that it may take, at most 1 */
	const char *name;			/* that it is shown under, NULL: none */
} Occasion;

/* drive.c: seconds that work with these options may take, by them and the server's settings; 0: no limit */
double		seconds_allowed(const rnn_config *cfg);

/* final.c */
/* The history of a state's rows, or NULL; merged: they were points of histories. */
Datum		history_of_state(FunctionCallInfo fcinfo, bool merged);
/* Trains on a history, from the weights of `warm` where that is not NULL. */
bytea	   *train_on_history(const rnn_model *history, Jsonb *options, const rnn_model *warm, const Occasion *occasion);

/* crew.c: whether there may be so many workers now: a place for them, shared memory, and no worker that asks */
bool		may_have_workers(int workers);

/* crew_files.c: bytes to a temporary file of a leader and its workers, and back, allocated here */
void		write_part(SharedFileSet *files, const char *name, rnn_part part);
rnn_part	read_part(SharedFileSet *files, const char *name);

/* What training on a history would take. */
typedef struct TrainingSize
{
	int			series;
	int64		points;			/* known ones */
	const char *step;
	Size		memory;			/* bytes, at most */
	double		seconds;		/* that it may take, 0: no limit */
	rnn_outlook outlook;
} TrainingSize;

void		size_training(const rnn_model *history, Jsonb *options, TrainingSize *size);

/* history.c */
/* The model's weights with the history's rows. */
bytea	   *observe_history(const rnn_model *model, const rnn_model *history);
const char *clock_kind_name(int kind);	/* for messages */
/* Error where the times of a history are none of the model's. */
void		check_clocks(const rnn_model *m, const rnn_model *history);
/* Whether the history's times say what a step is; and whether they are readings that the clock has bins for. */
bool		has_step(const rnn_model *history);
bool		in_bins(const rnn_model *history, const rnn_clock *clock);
/* A copy of the history's series, their times and phases as the clock counts them. */
rnn_series *series_by_clock(const rnn_model *history, const rnn_clock *clock);
/* And their covariates as a model knows them. */
rnn_series *series_for_model(const rnn_model *history, const rnn_model *m);
/* Forgets all but the last `keep` points, at most or at least so many; see history.c. */
void		trim_series(rnn_series *s, const rnn_model *m, int64 keep, bool at_most);
/* The model with each series cut to what forecasts need, or to `keep`. */
bytea	   *store_trimmed(rnn_model *m, int keep);
/* What a function returns where its history is NULL: the model of an argument, as it is. */
Datum		unchanged(FunctionCallInfo fcinfo, int argno, const rnn_model *model, const char *absent);

/* doubts.c: a NOTICE, once for a call site (NULL: always), of what is probably a mistake */
void		doubt_nothing(FunctionCallInfo fcinfo); /* no rows to train on */
void		doubt_rows(FunctionCallInfo fcinfo, const rnn_series *series, int count, int horizon);	/* too few of them */
void		doubt_gaps(FunctionCallInfo fcinfo, const rnn_clock *clock, const rnn_series *series, int count, const rnn_config *cfg);
void		doubt_words(FunctionCallInfo fcinfo, const rnn_covariates *all, const rnn_series *series, int count);	/* new ones ahead */
void		doubt_scale(FunctionCallInfo fcinfo, const rnn_model *model, const rnn_model *history);	/* another column's */

/* progress.c: how running trainings report, for all sessions to see */
void		progress_init(void);	/* while the library is loaded */
void		progress_begin(const char *model, int series);	/* its name, NULL: none */
void		progress_update(const rnn_progress *p);
void		progress_end(void);		/* after errors too */

#endif							/* RNN_PG_TRAIN_H */
