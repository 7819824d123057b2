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
} Driver;

/* A job that was posted. */
typedef struct Post
{
	rnn_job		job;
	uint32		known;			/* the posts whose results it follows from, a bit each */
	bool		study;			/* what it begins with is in a file */
	pg_atomic_uint32 done;		/* by a worker, 1 + its number, and its result is in a file; 0: not, or by the leader */
} Post;

typedef struct Shared
{
	SharedFileSet files;
	rnn_clock	clock;
	rnn_config	cfg;			/* as it was given */
	int			series;
	int			covariates;
	Size		block;			/* bytes of a trainer */
	TimestampTz deadline;		/* 0: none */
	pg_atomic_uint32 workers;	/* that may take jobs */
	pg_atomic_uint32 posted;
	pg_atomic_uint32 taken;		/* the first of them */
	pg_atomic_uint32 over;		/* there will be no more */
	Post		post[RNN_MAX_JOBS];
	ConditionVariable changed;	/* of posted, done or over */
} Shared;

#define KEY_SHARED UINT64CONST(0x726e6e0000000001)

/* drive.c */
Driver		new_driver(const rnn_config *cfg, const ServerOptions *server, const Occasion *occasion);
/* One step of the job at hand; true when it is done. */
bool		drive_step(rnn_trainer *trainer, Driver *driver);
void		drive(rnn_trainer *trainer, Driver *driver);	/* all of them */
/* Memory of a trainer, aligned alike in every process so that the layout is the same. */
void	   *training_block(Size size);

/* crew_files.c: what goes between processes, in temporary files of both */
void		write_series(Shared *shared, const rnn_panel *panel);
void		read_series(Shared *shared, rnn_panel *panel);
void		write_study(Shared *shared, rnn_trainer *trainer);
void		read_study(Shared *shared, rnn_trainer *trainer);
void		write_result(Shared *shared, int post, rnn_part result);
rnn_part	read_result(Shared *shared, int post);	/* allocated here */
/* Whether these files stay below temp_file_limit. */
bool		fits_on_disk(const rnn_trainer *trainer, const rnn_panel *panel);

/*
 * crew.c: trains to the end, with workers where there may be some.
 * `block` bytes are the trainer's, `held` more are taken by the series.
 */
void		train_with_crew(rnn_trainer *trainer, const rnn_panel *panel, const rnn_config *cfg, Size block, Size held,
							bool alone, Driver *driver);
/* The next post that nobody has taken, or -1. */
int			take_post(Shared *shared);

/* final.c: what a training may use beside the series; bytes that it takes */
Size		complete_panel(const rnn_config *cfg, rnn_series *series, rnn_panel *panel);

#endif							/* RNN_PG_CREW_H */
