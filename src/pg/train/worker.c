/*
 * worker.c
 *		A worker of a training: does posted jobs until there are no more.
 */
#include "pg/train/crew.h"

#include "access/parallel.h"
#include "utils/wait_event.h"

PGDLLEXPORT void rnnforecast_train_members(dsm_segment *seg, shm_toc *toc);

static bool
may_work(Shared *shared)
{
	return ParallelWorkerNumber < (int) pg_atomic_read_u32(&shared->workers);
}

/* The next post that nobody has taken, once there is one; -1: there will be none. */
static int
wait_for_post(Shared *shared)
{
	int			post = -1;

	ConditionVariablePrepareToSleep(&shared->changed);
	while (pg_atomic_read_u32(&shared->over) == 0 && (!may_work(shared) || (post = take_post(shared)) < 0))
		ConditionVariableSleep(&shared->changed, PG_WAIT_EXTENSION);
	ConditionVariableCancelSleep();
	pg_read_barrier();
	return post;
}

static rnn_trainer *
new_trainer(Shared *shared, rnn_panel *panel)
{
	rnn_trainer *trainer;
	rnn_error	err;

	panel->count = shared->series;
	panel->covariates.n = shared->covariates;
	panel->clock = shared->clock;
	read_series(shared, panel);
	/* The calendar is made anew, from the same clock. */
	complete_panel(&shared->cfg, (rnn_series *) panel->series, panel);
	if (rnn_trainer_init(&trainer, training_block(shared->block), shared->block, &shared->cfg,
						 panel, NULL, &err) != RNN_OK)
		report_engine_error(&err);
	return trainer;
}

/* What the leader's plan knew when a job was posted; returns what is known now. */
static uint32
learn(Shared *shared, rnn_trainer *trainer, uint32 known, uint32 wanted)
{
	rnn_error	err;

	for (int i = 0; i < RNN_MAX_JOBS; i++)
		if (wanted & ~known & (1U << i))
		{
			rnn_part	result = read_result(shared, i);

			if (rnn_plan_take(trainer, &shared->post[i].job, result, &err) != RNN_OK)
				report_engine_error(&err);
			pfree(result.bytes);
		}
	return known | wanted;
}

static void
do_post(Shared *shared, rnn_trainer *trainer, int post, Driver *driver)
{
	Post	   *p = &shared->post[post];

	rnn_job_begin(trainer, &p->job);
	if (p->study && !rnn_study_known(trainer, &p->job))
		read_study(shared, trainer);
	drive(trainer, driver);
	write_result(shared, post, rnn_job_result(trainer));
	pg_write_barrier();
	pg_atomic_write_u32(&p->done, 1 + ParallelWorkerNumber);
	ConditionVariableBroadcast(&shared->changed);
}

void
rnnforecast_train_members(dsm_segment *seg, shm_toc *toc)
{
	Shared	   *shared = shm_toc_lookup(toc, KEY_SHARED, false);
	Driver		driver = {.start = GetCurrentTimestamp()};
	rnn_panel	panel = {0};
	rnn_trainer *trainer;
	uint32		known = 0;
	int			post;

	SharedFileSetAttach(&shared->files, seg);
	trainer = new_trainer(shared, &panel);
	if (shared->deadline)
		driver.ceiling = Max((shared->deadline - driver.start) / 1e6, 1e-3);
	/* What follows when the time is up is the leader's to say. */
	while (!driver.hurried && (post = wait_for_post(shared)) >= 0)
	{
		known = learn(shared, trainer, known, shared->post[post].known);
		do_post(shared, trainer, post, &driver);
	}
}
