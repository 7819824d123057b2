/*
 * crew.c
 *		Jobs of a training done side by side, by the leader and by parallel
 *		workers.
 *
 * The leader has the plan, posts the jobs that it offers, and takes the first
 * that nobody has taken, as workers do.  Series, what jobs begin with and what becomes
 * of them go through shared temporary files, so that little shared memory is
 * needed.  The plan decides by the jobs' numbers: with fewer workers than asked
 * for, or none, the model has the same bytes.  An error of a worker is the
 * leader's, and whatever ends the statement ends the workers.
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

typedef struct Crew
{
	const rnn_panel *panel;
	const rnn_config *cfg;
	Size		block;
	Size		held;
	Driver	   *driver;
	bool		tried;
	ParallelContext *context;	/* NULL: no workers */
	Shared	   *shared;
	int			posted;
	Post		post[RNN_MAX_JOBS];
	int			next;			/* post that nobody has taken, where there are no workers */
	uint32		known;			/* posts whose results the plan has, a bit each, */
	uint32		written;		/* and that are in files */
	bool		study_written;
} Crew;

/* Workers whose memory fits beside the leader's, at most so many; none where their files don't fit. */
static int
affordable_workers(const Crew *crew, const rnn_trainer *trainer, int most)
{
	Size		limit = memory_limit(),
				each = rnn_trainer_used(trainer) + crew->held,
				fit = limit > each ? limit / each - 1 : 0;

	if (!fits_on_disk(trainer, crew->panel))
		return 0;
	return (int) Min(fit, (Size) Min(most, rnnforecast_max_workers));
}

int
take_post(Shared *shared)
{
	uint32		next = pg_atomic_read_u32(&shared->taken);

	while (next < pg_atomic_read_u32(&shared->posted))
		if (pg_atomic_compare_exchange_u32(&shared->taken, &next, next + 1))
			return (int) next;
	return -1;
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

/* Workers take the snapshot of their leader, and a refit trains without one, so as not to hold up vacuum. */
bool
may_have_workers(int workers)
{
	return workers > 0 && !IsParallelWorker() && ActiveSnapshotSet() && is_room_for_workers(workers);
}

static void
share(Shared *shared, const Crew *crew)
{
	const Driver *driver = crew->driver;

	shared->clock = crew->panel->clock;
	shared->cfg = *crew->cfg;
	shared->series = crew->panel->count;
	shared->covariates = crew->panel->covariates.n;
	shared->block = crew->block;
	shared->deadline = driver->ceiling > 0 ?
		TimestampTzPlusMilliseconds(driver->start, (int64_t) (driver->ceiling * 1000)) : 0;
	pg_atomic_init_u32(&shared->workers, 0);
	pg_atomic_init_u32(&shared->posted, 0);
	pg_atomic_init_u32(&shared->taken, 0);
	pg_atomic_init_u32(&shared->over, 0);
	for (int i = 0; i < RNN_MAX_JOBS; i++)
		pg_atomic_init_u32(&shared->post[i].done, 0);
	ConditionVariableInit(&shared->changed);
	write_series(shared, crew->panel);
}

/* Room for workers and what they are told, and workers; false where there are none. */
static bool
crew_open(Crew *crew, int workers)
{
	Shared	   *shared;

	if (!may_have_workers(workers))
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
	share(shared, crew);
	LaunchParallelWorkers(crew->context);
	if (crew->context->nworkers_launched > 0)
		crew->shared = shared;
	return crew->shared != NULL;
}

/* How many jobs each process had, for tests and the curious. */
static void
tell_work(const Crew *crew)
{
	int			workers = crew->context->nworkers_launched;
	StringInfoData s;

	initStringInfo(&s);
	for (int p = 0; p <= workers; p++)
	{
		int			had = 0;

		for (int i = 0; i < crew->posted; i++)
			had += pg_atomic_read_u32(&crew->shared->post[i].done) == (uint32) p;
		appendStringInfo(&s, "%s%d", p > 0 ? ", " : "", had);
	}
	ereport(DEBUG1, (errmsg_internal("jobs of a training by the leader and %d workers: %s", workers, s.data)));
}

static void
crew_end(Crew *crew)
{
	if (crew->context == NULL)
		return;
	if (crew->shared)
	{
		pg_atomic_write_u32(&crew->shared->over, 1);
		ConditionVariableBroadcast(&crew->shared->changed);
		WaitForParallelWorkersToFinish(crew->context);
		tell_work(crew);
	}
	DestroyParallelContext(crew->context);
	ExitParallelMode();
}

/* Lets workers have the posts that they don't know of. */
static void
publish(Crew *crew, rnn_trainer *trainer, int workers)
{
	Shared	   *shared = crew->shared;
	uint32		known = pg_atomic_read_u32(&shared->posted);

	for (int i = 0; i < crew->posted; i++)
		if (crew->known & ~crew->written & (1U << i))
		{
			write_result(shared, i, rnn_plan_result(trainer, &crew->post[i].job));
			crew->written |= 1U << i;
		}
	for (; known < (uint32) crew->posted; known++)
	{
		Post	   *post = &shared->post[known];
		const rnn_job *job = &crew->post[known].job;

		post->job = *job;
		post->known = crew->post[known].known;
		if (rnn_study_known(trainer, job) && !crew->study_written)
		{
			write_study(shared, trainer);
			crew->study_written = true;
		}
		post->study = crew->study_written && rnn_study_shared(trainer, job);
	}
	pg_atomic_write_u32(&shared->workers, workers);
	pg_write_barrier();
	pg_atomic_write_u32(&shared->posted, crew->posted);
	ConditionVariableBroadcast(&shared->changed);
}

/* Workers that the untaken posts are worth; those of trials stay for the members. */
static int
useful_workers(const Crew *crew, const rnn_trainer *trainer)
{
	int			trials = 0,
				members = 0;

	for (int i = 0; i < crew->posted; i++)
	{
		trials += crew->post[i].job.kind == RNN_JOB_TRIAL;
		members += crew->post[i].job.kind == RNN_JOB_MEMBER;
	}
	if (trials > 1)
		return Max(trials, rnn_plan_members(trainer)) - 1;
	return members > 0 ? members - 1 : 0;
}

/* Once it is known how much memory the first of several jobs takes. */
static void
look_for_workers(Crew *crew, rnn_trainer *trainer)
{
	int			workers = affordable_workers(crew, trainer, useful_workers(crew, trainer));

	if (crew->tried || crew->next >= crew->posted)
		return;
	crew->tried = true;
	if (!crew_open(crew, workers))
		return;
	pg_atomic_write_u32(&crew->shared->taken, crew->next);
	publish(crew, trainer, workers);
}

static int
next_post(Crew *crew)
{
	if (crew->shared)
		return take_post(crew->shared);
	return crew->next < crew->posted ? crew->next++ : -1;
}

static void
take_result(Crew *crew, rnn_trainer *trainer, int post, rnn_part result)
{
	rnn_error	err;

	if (rnn_plan_take(trainer, &crew->post[post].job, result, &err) != RNN_OK)
		report_engine_error(&err);
	crew->known |= 1U << post;
}

static void
do_post(Crew *crew, rnn_trainer *trainer, int post)
{
	rnn_job_begin(trainer, &crew->post[post].job);
	if (!drive_step(trainer, crew->driver))
	{
		look_for_workers(crew, trainer);
		drive(trainer, crew->driver);
	}
	take_result(crew, trainer, post, rnn_job_result(trainer));
}

/* A post whose result a worker has written and the plan doesn't have, or -1. */
static int
find_done(const Crew *crew)
{
	for (int i = 0; i < crew->posted; i++)
		if (!(crew->known & (1U << i)) && pg_atomic_read_u32(&crew->shared->post[i].done))
			return i;
	return -1;
}

static void
wait_for_result(Crew *crew, rnn_trainer *trainer)
{
	int			post;
	rnn_part	result;

	WaitForParallelWorkersToAttach(crew->context);
	ConditionVariablePrepareToSleep(&crew->shared->changed);
	while ((post = find_done(crew)) < 0)
		ConditionVariableSleep(&crew->shared->changed, PG_WAIT_EXTENSION);
	ConditionVariableCancelSleep();
	pg_read_barrier();
	result = read_result(crew->shared, post);
	crew->written |= 1U << post;
	take_result(crew, trainer, post, result);
	pfree(result.bytes);
}

/* What is posted is done by whoever is free. */
static void
work(Crew *crew, rnn_trainer *trainer)
{
	int			post;

	if (crew->shared && pg_atomic_read_u32(&crew->shared->posted) < (uint32) crew->posted)
		publish(crew, trainer, affordable_workers(crew, trainer, crew->context->nworkers_launched));
	post = next_post(crew);
	if (post >= 0)
		do_post(crew, trainer, post);
	else
		wait_for_result(crew, trainer);
}

void
train_with_crew(rnn_trainer *trainer, const rnn_panel *panel, const rnn_config *cfg, Size block, Size held,
				bool alone, Driver *driver)
{
	Crew		crew = {.panel = panel,.cfg = cfg,.block = block,.held = held,.driver = driver,.tried = alone};
	rnn_plan_state next;
	rnn_job		job;

	while ((next = rnn_plan_next(trainer, &job)) != RNN_PLAN_DONE)
	{
		if (next == RNN_PLAN_JOB)
			crew.post[crew.posted++] = (Post) {.job = job,.known = crew.known};
		else
			work(&crew, trainer);
	}
	crew_end(&crew);
}
