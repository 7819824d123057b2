/*
 * parallel.c
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
#include "pg.h"
#include "train.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "storage/buffile.h"
#include "storage/condition_variable.h"
#include "storage/sharedfileset.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#define KEY_SHARED UINT64CONST(0x726e6e0000000001)
#define SERIES_FILE "series"
#define JUDGED_FILE "judged"
#define FEATURES_FILE "features"
#define WORKERS_APART 2			/* a candidate and three members: the default of a panel */
#define WAIT_MS 1000			/* then a worker looks at the clock */

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

PGDLLEXPORT void rnnforecast_train_members(dsm_segment *seg, shm_toc *toc);

#if PG_VERSION_NUM >= 150000
#define file_create(files, name) BufFileCreateFileSet(&(files)->fs, name)
#define file_export(file) BufFileExportFileSet(file)
#define file_open(files, name) BufFileOpenFileSet(&(files)->fs, name, O_RDONLY, false)
#else
#define file_create(files, name) BufFileCreateShared(files, name)
#define file_export(file) BufFileExportShared(file)
#define file_open(files, name) BufFileOpenShared(files, name, O_RDONLY)
#endif

/* Beside the number of steps: */
#define STEPS_EXACT 1			/* there are no more of them */
#define STEPS_NONE 2			/* no member is wanted */
#define STEPS_READY 4			/* the features are there */
#define STEPS_SHIFT 3

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

static void
read_bytes(BufFile *file, void *bytes, Size len)
{
	if (BufFileRead(file, bytes, len) != len)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read from a temporary file of a parallel training")));
}

/* Pieces, so that a cancel need not wait for all of a large part. */
static void
transfer(BufFile *file, const rnn_part *part, bool write)
{
	const Size	piece = 8 * 1024 * 1024;

	for (Size at = 0; at < part->len; at += piece)
	{
		Size		len = Min(piece, part->len - at);

		CHECK_FOR_INTERRUPTS();
		if (write)
			BufFileWrite(file, (char *) part->bytes + at, len);
		else
			read_bytes(file, (char *) part->bytes + at, len);
	}
}

static Size
covariate_bytes(const rnn_panel *panel, const rnn_series *s)
{
	return s->covariates ? (s->n + s->ahead) * panel->covariates.n * sizeof(float) : 0;
}

static void
write_series(Shared *shared, const rnn_panel *panel)
{
	BufFile    *file = file_create(&shared->files, SERIES_FILE);

	BufFileWrite(file, (void *) panel->covariates.list, sizeof(rnn_covariate) * panel->covariates.n);
	for (int i = 0; i < panel->count; i++)
	{
		const rnn_series *s = &panel->series[i];
		rnn_part	points = {(void *) s->x, s->n * sizeof(double)},
					covariates = {(void *) s->covariates, covariate_bytes(panel, s)};

		BufFileWrite(file, (void *) s, sizeof(*s));
		transfer(file, &points, true);
		transfer(file, &covariates, true);
	}
	file_export(file);
	BufFileClose(file);
}

static void
write_features(Shared *shared, rnn_trainer *trainer)
{
	BufFile    *file = file_create(&shared->files, FEATURES_FILE);
	rnn_part	parts[RNN_FEATURE_PARTS];

	rnn_trainer_features(trainer, parts);
	for (int i = 0; i < RNN_FEATURE_PARTS; i++)
	{
		BufFileWrite(file, &parts[i].len, sizeof(parts[i].len));
		transfer(file, &parts[i], true);
	}
	file_export(file);
	BufFileClose(file);
}

static void
read_series(Shared *shared, rnn_panel *panel)
{
	BufFile    *file = file_open(&shared->files, SERIES_FILE);
	rnn_series *series = palloc_extended(sizeof(rnn_series) * panel->count, MCXT_ALLOC_HUGE);
	rnn_covariate *list = palloc(sizeof(rnn_covariate) * Max(panel->covariates.n, 1));

	/* Their names and words stay behind: shapes and scales are all that training looks at. */
	read_bytes(file, list, sizeof(rnn_covariate) * panel->covariates.n);
	panel->covariates.list = list;

	for (int i = 0; i < panel->count; i++)
	{
		rnn_part	points,
					covariates;

		read_bytes(file, &series[i], sizeof(rnn_series));
		points.len = series[i].n * sizeof(double);
		points.bytes = palloc_extended(Max(points.len, 1), MCXT_ALLOC_HUGE);
		transfer(file, &points, false);
		covariates.len = covariate_bytes(panel, &series[i]);
		covariates.bytes = palloc_extended(Max(covariates.len, 1), MCXT_ALLOC_HUGE);
		transfer(file, &covariates, false);
		series[i].name = NULL;
		series[i].x = points.bytes;
		series[i].covariates = series[i].covariates ? covariates.bytes : NULL;
		series[i].calendar = NULL;
	}
	panel->series = series;
	BufFileClose(file);
}

static void
read_features(Shared *shared, rnn_trainer *trainer)
{
	BufFile    *file = file_open(&shared->files, FEATURES_FILE);
	rnn_part	parts[RNN_FEATURE_PARTS];

	rnn_trainer_features(trainer, parts);
	for (int i = 0; i < RNN_FEATURE_PARTS; i++)
	{
		size_t		len;

		read_bytes(file, &len, sizeof(len));
		if (len != parts[i].len)
			elog(ERROR, "a parallel training was laid out differently in leader and worker");
		transfer(file, &parts[i], false);
	}
	BufFileClose(file);
}

/* What became of a task: a worker writes, the leader reads. */
static void
transfer_parts(Shared *shared, const char *name, const rnn_part *parts, int n, bool write)
{
	BufFile    *file = write ? file_create(&shared->files, name) : file_open(&shared->files, name);

	for (int i = 0; i < n; i++)
		transfer(file, &parts[i], write);
	if (write)
		file_export(file);
	BufFileClose(file);
}

static void
transfer_member(Shared *shared, rnn_trainer *trainer, int member, bool write)
{
	char		name[32];
	rnn_part	parts[RNN_MEMBER_PARTS];

	snprintf(name, sizeof(name), "member%d", member);
	rnn_trainer_result(trainer, member, parts);
	transfer_parts(shared, name, parts, RNN_MEMBER_PARTS, write);
}

static void
transfer_judged(Shared *shared, rnn_trainer *trainer, bool write)
{
	rnn_part	parts[RNN_JUDGED_PARTS];

	rnn_trainer_judged(trainer, parts);
	transfer_parts(shared, JUDGED_FILE, parts, RNN_JUDGED_PARTS, write);
}

static Size
state_size(rnn_trainer *trainer)
{
	rnn_part	parts[RNN_STATE_PARTS];
	Size		size = 0;

	rnn_trainer_state(trainer, parts);
	for (int i = 0; i < RNN_STATE_PARTS; i++)
		size += parts[i].len;
	return size;
}

static Size
series_bytes(const rnn_panel *panel)
{
	Size		bytes = sizeof(rnn_covariate) * panel->covariates.n;

	for (int i = 0; i < panel->count; i++)
		bytes += sizeof(rnn_series) + panel->series[i].n * sizeof(double) + covariate_bytes(panel, &panel->series[i]);
	return bytes;
}

/*
 * Whether the files of leader and workers stay below temp_file_limit, which
 * holds for each process: the series, and no more than the trainer has in use,
 * of which features, judgements and members are parts.
 */
static bool
fits_on_disk(const rnn_trainer *trainer, const rnn_panel *panel)
{
	Size		bytes = series_bytes(panel) + rnn_trainer_used(trainer) + (RNN_MAX_MEMBERS + 2) * (Size) BLCKSZ;

	return temp_file_limit < 0 || bytes / 1024 < (Size) temp_file_limit;
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

/* Room for workers and what they are told; false where there is none. */
static bool
crew_open(Crew *crew, int workers)
{
	const Driver *driver = crew->driver;
	Shared	   *shared;

	crew->tried = true;
	/* Workers take the snapshot of their leader, and a refit trains without one, so as not to hold up vacuum. */
	if (workers < 1 || IsParallelWorker() || !ActiveSnapshotSet())
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

/* The next member that nobody trains, or -1. */
static int
take_member(Shared *shared)
{
	uint32		k = pg_atomic_fetch_add_u32(&shared->next, 1);

	return k < (uint32) shared->members ? (int) k : -1;
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
