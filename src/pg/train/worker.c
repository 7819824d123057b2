/*
 * worker.c
 *		A worker of a training: judges the first candidate, where it comes first,
 *		and trains members.
 */
#include "pg/train/crew.h"

#include "access/parallel.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"

#define WAIT_MS 1000			/* then a worker looks at the clock */

PGDLLEXPORT void rnnforecast_train_members(dsm_segment *seg, shm_toc *toc);

/*
 * A worker that has to wait with one member begins another, and goes on with
 * them in turns: more than two would be too many when the leader needs work.
 */
typedef struct Worker
{
	Shared	   *shared;
	uint32		known;			/* value of shared->steps that the trainer has */
	bool		unwanted;		/* the leader wants no member */
	int			member;			/* that the trainer trains */
	int			paused;			/* another one, -1: none */
	uint32		paused_known;	/* what was known when it had to wait */
	char	   *state;			/* of the paused one */
} Worker;

/* Copies the state of the trainer's member out or in. */
static bool
copy_state(rnn_trainer *trainer, char *state, bool out)
{
	rnn_part	parts[RNN_STATE_PARTS];

	if (!rnn_trainer_state(trainer, parts))
		return false;
	for (int i = 0; i < RNN_STATE_PARTS; i++)
	{
		memcpy(out ? state : parts[i].bytes, out ? parts[i].bytes : state, parts[i].len);
		state += parts[i].len;
	}
	return true;
}

static void
start_member(Worker *worker, rnn_trainer *trainer, int member)
{
	worker->member = member;
	rnn_trainer_member(trainer, member);
}

/* The paused member, which has no state any more. */
static void
resume(Worker *worker, rnn_trainer *trainer)
{
	start_member(worker, trainer, worker->paused);
	copy_state(trainer, worker->state, false);
	pfree(worker->state);
	worker->paused = -1;
}

/* The trainer's member has to wait: another one, if one can go on. */
static bool
turn_to_another(Worker *worker, rnn_trainer *trainer)
{
	int			waiting = worker->member,
				fresh = -1;
	char	   *state;

	if (worker->paused >= 0 && worker->paused_known == worker->known)
		return false;
	state = palloc_extended(state_size(trainer), MCXT_ALLOC_HUGE);
	if (!copy_state(trainer, state, true) ||
		(worker->paused < 0 && (fresh = take_member(worker->shared)) < 0))
	{
		pfree(state);
		return false;
	}
	if (fresh >= 0)
		start_member(worker, trainer, fresh);
	else
		resume(worker, trainer);
	worker->paused = waiting;
	worker->paused_known = worker->known;
	worker->state = state;
	return true;
}

static void
take_news(Worker *worker, rnn_trainer *trainer, uint32 steps)
{
	worker->known = steps;
	if (steps & STEPS_NONE)
	{
		worker->unwanted = true;
		rnn_trainer_hurry(trainer);
	}
	else
		rnn_trainer_allow(trainer, (int) (steps >> STEPS_SHIFT), (steps & STEPS_EXACT) != 0);
}

/* What the leader knows, once it is something else. */
static uint32
wait_for_news(Shared *shared, uint32 known)
{
	uint32		steps;

	ConditionVariablePrepareToSleep(&shared->changed);
	while ((steps = pg_atomic_read_u32(&shared->steps)) == known)
		if (ConditionVariableTimedSleep(&shared->changed, WAIT_MS, PG_WAIT_EXTENSION))
			break;
	ConditionVariableCancelSleep();
	pg_read_barrier();
	return steps;
}

/* In a worker: when the member has to wait, takes what is new, or another member, or sleeps. */
static void
worker_stepped(rnn_trainer *trainer, const rnn_progress *p, void *arg)
{
	Worker	   *worker = arg;
	uint32		steps = pg_atomic_read_u32(&worker->shared->steps);

	if (!p->waits)
		return;
	if (steps == worker->known && turn_to_another(worker, trainer))
		return;
	take_news(worker, trainer, wait_for_news(worker->shared, worker->known));
}

static rnn_trainer *
new_trainer(const Shared *shared, const rnn_panel *panel, const Task *task)
{
	rnn_panel	told = *panel;
	rnn_series *series = palloc_extended(sizeof(rnn_series) * panel->count, MCXT_ALLOC_HUGE);
	rnn_trainer *trainer;
	rnn_error	err;

	/* The calendar is made anew, from the same clock. */
	memcpy(series, panel->series, sizeof(rnn_series) * panel->count);
	if (task->cfg.terms)
		calendar_fill(&panel->clock, series, panel->count, 0);
	told.series = series;
	if (rnn_trainer_init(&trainer, training_block(shared->block), shared->block, &task->cfg,
						 &told, NULL, &err) != RNN_OK)
		report_engine_error(&err);
	return trainer;
}

/* Judges the first candidate, with nobody to turn to. */
static void
judge_lone(Shared *shared, const rnn_panel *panel, Driver *driver)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "rnnforecast candidate",
												  ALLOCSET_DEFAULT_SIZES),
				outer = MemoryContextSwitchTo(scratch);
	rnn_trainer *trainer = new_trainer(shared, panel, &shared->lone);
	rnn_error	err;

	if (rnn_trainer_lone(trainer, shared->lone.choice, &err) != RNN_OK)
		report_engine_error(&err);
	drive(trainer, driver);
	transfer_judged(shared, trainer, true);
	pg_write_barrier();
	pg_atomic_write_u32(&shared->judged, 1);
	ConditionVariableBroadcast(&shared->changed);
	MemoryContextSwitchTo(outer);
	MemoryContextDelete(scratch);
}

static void
train_members(Shared *shared, const rnn_panel *panel, Driver *driver)
{
	Worker		worker = {.shared = shared,.paused = -1,.known = STEPS_READY};
	rnn_trainer *trainer = new_trainer(shared, panel, &shared->member);
	rnn_error	err;
	int			k;

	driver->stepped = worker_stepped;
	driver->arg = &worker;
	if (rnn_trainer_adopt(trainer, shared->member.choice, &err) != RNN_OK)
		report_engine_error(&err);
	read_features(shared, trainer);
	while (!driver->hurried && !worker.unwanted)
	{
		if (worker.paused >= 0)
			resume(&worker, trainer);
		else if ((k = take_member(shared)) >= 0)
			start_member(&worker, trainer, k);
		else
			break;
		drive(trainer, driver);
		if (!driver->hurried && !worker.unwanted)
		{
			transfer_member(shared, trainer, worker.member, true);
			shared->done[worker.member] = true;
		}
	}
}

void
rnnforecast_train_members(dsm_segment *seg, shm_toc *toc)
{
	Shared	   *shared = shm_toc_lookup(toc, KEY_SHARED, false);
	Driver		driver = {.start = GetCurrentTimestamp()};
	rnn_panel	panel = {0};
	uint32		steps = 0;

	SharedFileSetAttach(&shared->files, seg);
	panel.count = shared->series;
	panel.covariates.n = shared->covariates;
	panel.clock = shared->clock;
	panel.prior = pretrained(rnn_prior_latest());
	panel.stop = &interrupts;
	read_series(shared, &panel);
	if (shared->deadline)
		driver.ceiling = Max((shared->deadline - driver.start) / 1e6, 1e-3);
	if (shared->lone.choice.of > 0 && pg_atomic_fetch_add_u32(&shared->lone_taken, 1) == 0)
		judge_lone(shared, &panel, &driver);
	while (steps == 0)
		steps = wait_for_news(shared, 0);
	if (!(steps & STEPS_NONE) && ParallelWorkerNumber < shared->workers)
		train_members(shared, &panel, &driver);
}
