/*
 * trainer.h
 *		Training: a plan of jobs, which one process does one after the other, or
 *		several side by side.
 */
#ifndef RNN_TRAINER_H
#define RNN_TRAINER_H

#include "model/model.h"

typedef struct rnn_panel
{
	int			count;
	const rnn_series *series;	/* names may be NULL if count is 1 */
	rnn_covariates covariates;
	rnn_clock	clock;
	const rnn_prior *prior;		/* to build on; NULL: the mix alone */
	const rnn_stop *stop;		/* NULL: none */
	int			n_hints;
	int			hints[8];		/* seasons that the calendar suggests */
	rnn_calendar calendar;
} rnn_panel;

typedef struct rnn_progress
{
	bool		done;			/* the job is, or with rnn_trainer_step all of them */
	const char *phase;			/* "seasons", "features", "train", ... a literal */
	int			members;		/* of the model, as far as is known; 0: nothing yet */
	int			member;
	int			step;			/* of steps, both 0 where the phase has none */
	int			steps;
	double		loss;			/* NaN: none */
} rnn_progress;

/* Members go on from the weights that were judged, for so many of the steps of the network that is judged. */
#define RNN_GO_ON 0.3

/* What a process has of a training: the plan, and room for one job at a time. */
typedef struct rnn_trainer rnn_trainer;

typedef struct rnn_part
{
	void	   *bytes;
	size_t		len;
} rnn_part;

/*
 * Bytes that a training needs, at most `limit`: where the data outgrow it,
 * windows are sampled.  RNN_ERR_MEMORY (value: least bytes) if that can't be.
 */
rnn_status	rnn_trainer_size(const rnn_config *cfg, const rnn_panel *panel, size_t limit,
							 size_t *size, rnn_error *err);
/* What a training would do, as far as it can be told before the seasons are known and networks are judged. */
typedef struct rnn_outlook
{
	int			networks;		/* that are trained and judged; 0: none */
	int			steps;			/* of all of them, and of the members, at most */
	int64_t		params;			/* of the largest */
	double		frames;			/* what networks see of a position, computed once for each */
	double		work;			/* multiplications and additions of those that are made, mostly */
} rnn_outlook;

rnn_status	rnn_trainer_outlook(const rnn_config *cfg, const rnn_panel *panel, rnn_outlook *outlook, rnn_error *err);
/* `warm` (may be NULL): start from its weights where the shapes are equal. */
rnn_status	rnn_trainer_init(rnn_trainer **out, void *block, size_t size, const rnn_config *cfg,
							 const rnn_panel *panel, const rnn_model *warm, rnn_error *err);
/* One bounded piece of all the jobs (aim: below 50 ms).  Call until progress->done. */
rnn_status	rnn_trainer_step(rnn_trainer *t, rnn_progress *progress, rnn_error *err);
/* Told by the caller, who has the clock: wind up with what is there. */
void		rnn_trainer_hurry(rnn_trainer *t);
/* The finished model; it points into the trainer's block and the panel. */
rnn_status	rnn_trainer_model(rnn_trainer *t, rnn_model *m, rnn_error *err);
size_t		rnn_trainer_used(const rnn_trainer *t); /* bytes of the block that are in use */

/*
 * Jobs may be done by several processes.  One has the plan and asks for jobs; any
 * that made a trainer from the same config, series and size, without a model to go on
 * from, can do one once its plan has taken all that came of the jobs before.
 * What came of a job is plain bytes, and the plan decides by them in the order of the
 * jobs' numbers: the same bytes, whoever did what and was ready first.
 *
 *		while ((next = rnn_plan_next(t, &job)) != RNN_PLAN_DONE)
 *			RNN_PLAN_JOB: rnn_job_begin(t, &job), rnn_job_step until it is done,
 *				rnn_plan_take(t, &job, rnn_job_result(t)), or have it done
 *			RNN_PLAN_WAIT: take what became of a job that another process does
 */
typedef enum rnn_job_kind
{
	RNN_JOB_SEASONS,			/* the search for seasons */
	RNN_JOB_TRIAL,				/* a network is trained and judged */
	RNN_JOB_CALIBRATION,		/* of the intervals */
	RNN_JOB_MEMBER				/* a network is trained on everything */
} rnn_job_kind;

#define RNN_JOBS 4

typedef struct rnn_job
{
	rnn_job_kind kind;
	int32_t		number;			/* of its kind */
} rnn_job;

typedef enum rnn_plan_state { RNN_PLAN_JOB, RNN_PLAN_WAIT, RNN_PLAN_DONE } rnn_plan_state;

#define RNN_MAX_JOBS (2 + RNN_CANDIDATES + RNN_MAX_MEMBERS)

rnn_plan_state rnn_plan_next(rnn_trainer *t, rnn_job *job);
rnn_status	rnn_plan_take(rnn_trainer *t, const rnn_job *job, rnn_part result, rnn_error *err);
/* Members that there may be, as far as that is known: by the time that trials are asked for. */
int			rnn_plan_members(const rnn_trainer *t);
/* What the plan has of a job that it took. */
rnn_part	rnn_plan_result(rnn_trainer *t, const rnn_job *job);

void		rnn_job_begin(rnn_trainer *t, const rnn_job *job);
rnn_status	rnn_job_step(rnn_trainer *t, rnn_progress *progress, rnn_error *err);
rnn_part	rnn_job_result(rnn_trainer *t);

/*
 * What calibration and members are computed from takes a while: a process that has
 * it hands it over.  The other one, after rnn_job_begin, fills the parts in,
 * which lie where the same parts of the first do, and calls rnn_study_filled.
 */
#define RNN_STUDY_PARTS 4
bool		rnn_study_shared(const rnn_trainer *t, const rnn_job *job);	/* it works on the study that is handed over */
bool		rnn_study_known(const rnn_trainer *t, const rnn_job *job);
rnn_status	rnn_study_parts(rnn_trainer *t, rnn_part parts[RNN_STUDY_PARTS], rnn_error *err);
void		rnn_study_filled(rnn_trainer *t);

#endif							/* RNN_TRAINER_H */
