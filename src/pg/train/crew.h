/*
 * crew.h
 *		What the leader of a training and its workers share.
 */
#ifndef RNN_PG_CREW_H
#define RNN_PG_CREW_H

#include "pg/train/train.h"

#include "port/atomics.h"
#include "storage/buffile.h"
#include "storage/condition_variable.h"
#include "storage/sharedfileset.h"
#include "utils/timestamp.h"

typedef struct Driver
{
	TimestampTz start;			/* of the work that the ceiling is for */
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

/* A network to judge or to train. */
typedef struct Task
{
	rnn_config	cfg;			/* resolved */
	rnn_choice	choice;
} Task;

typedef struct Shared
{
	SharedFileSet files;
	rnn_clock	clock;
	int			series;
	int			covariates;
	Size		block;			/* bytes of a trainer */
	TimestampTz deadline;		/* 0: none */
	Task		lone;			/* for the first worker, where choice.of > 0 */
	pg_atomic_uint32 lone_taken;	/* by a worker */
	pg_atomic_uint32 judged;	/* its file is written */
	Task		member;			/* known with STEPS_READY */
	int			members;
	int			workers;		/* that may train them */
	pg_atomic_uint32 next;		/* member that nobody trains yet */
	pg_atomic_uint32 steps;		/* what the leader knows of them, see publish() */
	ConditionVariable changed;	/* of judged or steps */
	bool		done[RNN_MAX_MEMBERS];	/* by a worker, its file is written */
} Shared;

#define KEY_SHARED UINT64CONST(0x726e6e0000000001)

/* Beside the number of steps: */
#define STEPS_EXACT 1			/* there are no more of them */
#define STEPS_NONE 2			/* no member is wanted */
#define STEPS_READY 4			/* the features are there */
#define STEPS_SHIFT 3

/* drive.c */
Driver		new_driver(const rnn_config *cfg, const ServerOptions *server, const Occasion *occasion);
/* Steps until the trainer is done or waits; a lone candidate is judged at ENDING_SPLIT. */
Ending		drive(rnn_trainer *trainer, Driver *driver);
/* Memory of a trainer, aligned alike in every process so that the layout is the same. */
void	   *training_block(Size size);

/* crew_files.c: what goes between processes, in temporary files of both */
void		write_series(Shared *shared, const rnn_panel *panel);
void		read_series(Shared *shared, rnn_panel *panel);
void		write_features(Shared *shared, rnn_trainer *trainer);
void		read_features(Shared *shared, rnn_trainer *trainer);
/* What became of a task: a worker writes, the leader reads. */
void		transfer_member(Shared *shared, rnn_trainer *trainer, int member, bool write);
void		transfer_judged(Shared *shared, rnn_trainer *trainer, bool write);
/* Whether these files stay below temp_file_limit. */
bool		fits_on_disk(const rnn_trainer *trainer, const rnn_panel *panel);

/*
 * crew.c: trains to the end, candidates and members side by side where that can be.
 * `block` bytes are the trainer's, `held` more are taken by the series.
 */
void		train_with_crew(rnn_trainer *trainer, const rnn_panel *panel, Size block, Size held,
							Driver *driver);
/* The next member that nobody trains, or -1. */
int			take_member(Shared *shared);
Size		state_size(rnn_trainer *trainer);

#endif							/* RNN_PG_CREW_H */
