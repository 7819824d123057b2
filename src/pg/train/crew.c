/*
 * crew.c
 *		Candidates judged, and members of an ensemble trained, side by side in
 *		parallel workers.
 *
 * Where there are two candidates a worker judges the first, while the leader
 * judges the last.  As soon as the leader has the features of the one that is
 * trained, they go to the workers, as the series did, through a shared
 * temporary file; what became of a member comes back through another, so that
 * little shared memory is needed.  Where the leader still judges the only
 * candidate, the workers train as far as it is sure that members will be
 * trained.  Leader and workers take the next member from one counter: with
 * fewer workers than asked for, or none, the same members are trained to the
 * same bytes.  An error of a worker is the leader's, and whatever ends the
 * statement ends the workers.
 */
#include "pg/train/crew.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "storage/dsm.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/wait_event.h"

#define SHARED_ROOM (2 * 1024 * 1024)	/* more than the server puts into shared memory for all workers, */
#define WORKER_ROOM (64 * 1024)	/* and for each */
#define WORKERS_APART 2			/* a candidate and three members: the default of a panel */

typedef struct Crew
{
	const rnn_panel *panel;
	Size		block;
	Size		held;
	const Driver *driver;
	bool		tried;
	ParallelContext *context;	/* NULL: no workers */
	Shared	   *shared;
} Crew;

Size
state_size(rnn_trainer *trainer)
{
	rnn_part	parts[RNN_STATE_PARTS];
	Size		size = 0;

	rnn_trainer_state(trainer, parts);
	for (int i = 0; i < RNN_STATE_PARTS; i++)
		size += parts[i].len;
	return size;
}

/* Workers whose memory fits beside the leader's, at most so many; none where their files don't fit. */
static int
affordable_workers(const Crew *crew, rnn_trainer *trainer, int most)
{
	Size		limit = memory_limit(),
				each = rnn_trainer_used(trainer) + crew->held + state_size(trainer),
				fit = each > 0 && limit > each ? limit / each - 1 : 0;

	if (!fits_on_disk(trainer, crew->panel))
		return 0;
	return (int) Min(fit, (Size) Min(most, rnnforecast_max_workers));
}

/* The next member that nobody trains, or -1. */
int
take_member(Shared *shared)
{
	uint32		k = pg_atomic_fetch_add_u32(&shared->next, 1);

	return k < (uint32) shared->members ? (int) k : -1;
}

static Task
current_task(const rnn_trainer *trainer)
{
	Task		task;

	rnn_trainer_members(trainer, &task.cfg, &task.choice);
	return task;
}

static void
publish(Shared *shared, uint32 steps)
{
	if (pg_atomic_read_u32(&shared->steps) == steps)
		return;
	pg_write_barrier();
	pg_atomic_write_u32(&shared->steps, steps);
	ConditionVariableBroadcast(&shared->changed);
}

/*
 * Whether there is shared memory for workers: a segment as large as they may
 * need is had, and given back.  A failure of that leaves nothing behind but
 * what belongs to a resource owner of its own; a subtransaction, which would do
 * that too, isn't allowed where the rows come from parallel workers.  A cancel
 * is no such failure.
 */
static bool
is_room_for_workers(int workers)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner outer = CurrentResourceOwner,
				owner = ResourceOwnerCreate(outer, "rnnforecast workers");
	volatile bool room = false;

	CurrentResourceOwner = owner;
	PG_TRY();
	{
		dsm_segment *seg = dsm_create(SHARED_ROOM + workers * (Size) WORKER_ROOM, DSM_CREATE_NULL_IF_MAXSEGMENTS);

		room = seg != NULL;
		if (seg)
			dsm_detach(seg);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		ResourceOwnerRelease(owner, RESOURCE_RELEASE_BEFORE_LOCKS, false, false);
		CurrentResourceOwner = outer;
		if (geterrcode() == ERRCODE_QUERY_CANCELED)
			PG_RE_THROW();
		FlushErrorState();
	}
	PG_END_TRY();
	CurrentResourceOwner = outer;
	ResourceOwnerDelete(owner);
	return room;
}

/* Room for workers and what they are told; false where there is none. */
static bool
crew_open(Crew *crew, int workers)
{
	const Driver *driver = crew->driver;
	Shared	   *shared;

	crew->tried = true;
	/* Workers take the snapshot of their leader, and a refit trains without one, so as not to hold up vacuum. */
	if (workers < 1 || IsParallelWorker() || !ActiveSnapshotSet() || !is_room_for_workers(workers))
		return false;
	EnterParallelMode();
	crew->context = CreateParallelContext("$libdir/rnnforecast", "rnnforecast_train_members", workers);
	shm_toc_estimate_chunk(&crew->context->estimator, sizeof(Shared));
	shm_toc_estimate_keys(&crew->context->estimator, 1);
	InitializeParallelDSM(crew->context);
	if (crew->context->seg == NULL)
		return false;
	shared = shm_toc_allocate(crew->context->toc, sizeof(Shared));
	memset(shared, 0, sizeof(Shared));
	shm_toc_insert(crew->context->toc, KEY_SHARED, shared);
	SharedFileSetInit(&shared->files, crew->context->seg);
	shared->clock = crew->panel->clock;
	shared->series = crew->panel->count;
	shared->covariates = crew->panel->covariates.n;
	shared->block = crew->block;
	shared->deadline = driver->ceiling > 0 ?
		TimestampTzPlusMilliseconds(driver->start, (int64_t) (driver->ceiling * 1000)) : 0;
	pg_atomic_init_u32(&shared->lone_taken, 0);
	pg_atomic_init_u32(&shared->judged, 0);
	pg_atomic_init_u32(&shared->next, 0);
	pg_atomic_init_u32(&shared->steps, 0);
	ConditionVariableInit(&shared->changed);
	write_series(shared, crew->panel);
	crew->shared = shared;
	return true;
}

static bool
crew_launch(Crew *crew)
{
	LaunchParallelWorkers(crew->context);
	if (crew->context->nworkers_launched == 0)
		crew->shared = NULL;
	return crew->shared != NULL;
}

/* What all who train members need to know. */
static void
crew_ready(Crew *crew, rnn_trainer *trainer)
{
	Shared	   *shared = crew->shared;

	shared->member = current_task(trainer);
	shared->members = shared->member.cfg.members;
	shared->workers = affordable_workers(crew, trainer, shared->members - 1);
	if (shared->workers > 0)
		write_features(shared, trainer);
	publish(shared, STEPS_READY);
}

static void
crew_end(Crew *crew, rnn_trainer *trainer, bool wanted)
{
	Shared	   *shared = crew->shared;

	if (crew->context == NULL)
		return;
	if (shared)
	{
		if (!wanted)
			publish(shared, STEPS_NONE);
		WaitForParallelWorkersToFinish(crew->context);
		for (int k = 0; k < shared->members && wanted; k++)
			if (shared->done[k])
				transfer_member(shared, trainer, k, false);
	}
	DestroyParallelContext(crew->context);
	ExitParallelMode();
	crew->context = NULL;
	crew->shared = NULL;
}

/* The first candidate is left to a worker, where there is one. */
static void
judge_apart(Crew *crew, rnn_trainer *trainer)
{
	Task		first = current_task(trainer);

	if (!crew_open(crew, affordable_workers(crew, trainer, Max(first.cfg.members - 1, WORKERS_APART))))
		return;
	crew->shared->lone = first;
	if (crew_launch(crew))
		rnn_trainer_apart(trainer);
}

static void
train_apart(Crew *crew, rnn_trainer *trainer)
{
	int			members = current_task(trainer).cfg.members;

	if (crew->shared == NULL)
	{
		if (!crew_open(crew, affordable_workers(crew, trainer, members - 1)) || !crew_launch(crew))
			return;
	}
	crew_ready(crew, trainer);
}

static bool
is_ready(const Crew *crew)
{
	return crew->shared && (pg_atomic_read_u32(&crew->shared->steps) & STEPS_READY);
}

static void
leader_stepped(rnn_trainer *trainer, const rnn_progress *p, void *arg)
{
	Crew	   *crew = arg;
	bool		exact;
	uint32		steps;

	if (p->apart && !crew->tried)
		judge_apart(crew, trainer);
	if (p->ready && !is_ready(crew) && (crew->shared || !crew->tried))
		train_apart(crew, trainer);
	if (!p->ready || !is_ready(crew))
		return;
	steps = (uint32) rnn_trainer_steps(trainer, &exact) << STEPS_SHIFT;
	publish(crew->shared, (exact ? steps | STEPS_EXACT : steps) | STEPS_READY);
}

/* Waits for what became of the first candidate. */
static void
take_judged(Crew *crew, rnn_trainer *trainer)
{
	Shared	   *shared = crew->shared;

	WaitForParallelWorkersToAttach(crew->context);
	ConditionVariablePrepareToSleep(&shared->changed);
	while (pg_atomic_read_u32(&shared->judged) == 0)
		ConditionVariableSleep(&shared->changed, PG_WAIT_EXTENSION);
	ConditionVariableCancelSleep();
	pg_read_barrier();
	transfer_judged(shared, trainer, false);
	rnn_trainer_compare(trainer);
}

/* Trains what nobody trains yet, by the leader. */
static void
train_rest(rnn_trainer *trainer, Shared *shared, Driver *driver)
{
	int			members = current_task(trainer).cfg.members;

	for (int k = 0; !driver->hurried; k++)
	{
		if (shared)
			k = take_member(shared);
		if (k < 0 || k >= members)
			break;
		rnn_trainer_member(trainer, k);
		drive(trainer, driver);
	}
}

void
train_with_crew(rnn_trainer *trainer, const rnn_panel *panel, Size block, Size held, Driver *driver)
{
	Crew		crew = {.panel = panel,.block = block,.held = held,.driver = driver};
	Ending		ending;

	driver->stepped = leader_stepped;
	driver->arg = &crew;
	rnn_trainer_split(trainer);
	while ((ending = drive(trainer, driver)) == ENDING_LACKS)
		take_judged(&crew, trainer);
	if (ending == ENDING_SPLIT)
		train_rest(trainer, crew.shared, driver);
	crew_end(&crew, trainer, ending == ENDING_SPLIT);
	if (ending == ENDING_SPLIT)
	{
		rnn_trainer_join(trainer);
		drive(trainer, driver);
	}
}
