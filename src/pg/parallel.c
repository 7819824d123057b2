/*
 * parallel.c
 *		Members of an ensemble, trained side by side in parallel workers.
 *
 * The leader has the features; they and the series go to the workers through a
 * shared temporary file, what became of a member comes back through another,
 * so that little shared memory is needed.  Leader and workers take the next
 * member from one counter: with fewer workers than asked for, or none, the
 * same members are trained to the same bytes.  An error of a worker is the
 * leader's, and whatever ends the statement ends the workers.
 */
#include "pg.h"
#include "train.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "storage/buffile.h"
#include "storage/sharedfileset.h"
#include "utils/timestamp.h"

#define KEY_SHARED UINT64CONST(0x726e6e0000000001)
#define FEATURES_FILE "features"

typedef struct Shared
{
	SharedFileSet files;
	rnn_config	cfg;
	rnn_clock	clock;
	int			series;
	int			steps;
	int			members;
	Size		block;			/* bytes of a trainer */
	TimestampTz deadline;		/* 0: none */
	pg_atomic_uint32 next;		/* member that nobody trains yet */
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

static void
write_features(Shared *shared, const rnn_panel *panel, rnn_trainer *trainer)
{
	BufFile    *file = file_create(&shared->files, FEATURES_FILE);
	rnn_part	parts[RNN_FEATURE_PARTS];

	for (int i = 0; i < panel->count; i++)
	{
		const rnn_series *s = &panel->series[i];
		rnn_part	points = {(void *) s->x, s->n * sizeof(double)};

		BufFileWrite(file, (void *) s, sizeof(*s));
		transfer(file, &points, true);
	}
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
read_series(BufFile *file, rnn_panel *panel)
{
	rnn_series *series = palloc_extended(sizeof(rnn_series) * panel->count, MCXT_ALLOC_HUGE);

	for (int i = 0; i < panel->count; i++)
	{
		rnn_part	points;

		read_bytes(file, &series[i], sizeof(rnn_series));
		points.len = series[i].n * sizeof(double);
		points.bytes = palloc_extended(Max(points.len, 1), MCXT_ALLOC_HUGE);
		transfer(file, &points, false);
		series[i].name = NULL;
		series[i].x = points.bytes;
	}
	panel->series = series;
}

static void
read_features(BufFile *file, rnn_trainer *trainer)
{
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
}

static void
member_file(int member, char *name, Size size)
{
	snprintf(name, size, "member%d", member);
}

static void
write_member(Shared *shared, rnn_trainer *trainer, int member)
{
	char		name[32];
	BufFile    *file;
	rnn_part	parts[RNN_MEMBER_PARTS];

	member_file(member, name, sizeof(name));
	file = file_create(&shared->files, name);
	rnn_trainer_result(trainer, member, parts);
	for (int i = 0; i < RNN_MEMBER_PARTS; i++)
		transfer(file, &parts[i], true);
	file_export(file);
	BufFileClose(file);
	shared->done[member] = true;
}

static void
read_member(Shared *shared, rnn_trainer *trainer, int member)
{
	char		name[32];
	BufFile    *file;
	rnn_part	parts[RNN_MEMBER_PARTS];

	member_file(member, name, sizeof(name));
	file = file_open(&shared->files, name);
	rnn_trainer_result(trainer, member, parts);
	for (int i = 0; i < RNN_MEMBER_PARTS; i++)
		transfer(file, &parts[i], false);
	BufFileClose(file);
}

/* Workers whose memory fits beside the leader's. */
static int
affordable_workers(const rnn_trainer *trainer, int members, Size held)
{
	Size		limit = memory_limit(),
				each = rnn_trainer_used(trainer) + held,
				fit = each > 0 && limit > each ? limit / each - 1 : 0;

	return (int) Min(fit, (Size) Min(members - 1, rnnforecast_max_workers));
}

static void
train_alone(rnn_trainer *trainer, int members, Driver *driver)
{
	for (int k = 0; k < members && !driver->hurried; k++)
	{
		rnn_trainer_member(trainer, k);
		drive(trainer, driver);
	}
}

static void
train_beside(rnn_trainer *trainer, Shared *shared, Driver *driver)
{
	uint32		k;

	while (!driver->hurried &&
		   (k = pg_atomic_fetch_add_u32(&shared->next, 1)) < (uint32) shared->members)
	{
		rnn_trainer_member(trainer, k);
		drive(trainer, driver);
	}
}

void
train_members(rnn_trainer *trainer, const rnn_panel *panel, Size block, Size held, Driver *driver)
{
	rnn_config	cfg;
	int			steps,
				members = rnn_trainer_members(trainer, &steps, &cfg),
				workers = affordable_workers(trainer, members, held);
	ParallelContext *context;
	Shared	   *shared;

	if (workers < 1 || IsParallelWorker() || driver->warm)
	{
		train_alone(trainer, members, driver);
		rnn_trainer_join(trainer);
		return;
	}
	EnterParallelMode();
	context = CreateParallelContext("$libdir/rnnforecast", "rnnforecast_train_members", workers);
	shm_toc_estimate_chunk(&context->estimator, sizeof(Shared));
	shm_toc_estimate_keys(&context->estimator, 1);
	InitializeParallelDSM(context);
	if (context->seg == NULL)
		train_alone(trainer, members, driver);
	else
	{
		shared = shm_toc_allocate(context->toc, sizeof(Shared));
		memset(shared, 0, sizeof(Shared));
		shm_toc_insert(context->toc, KEY_SHARED, shared);
		SharedFileSetInit(&shared->files, context->seg);
		shared->cfg = cfg;
		shared->clock = panel->clock;
		shared->series = panel->count;
		shared->steps = steps;
		shared->members = members;
		shared->block = block;
		shared->deadline = driver->ceiling > 0 ?
			TimestampTzPlusMilliseconds(driver->start, (int64) (driver->ceiling * 1000)) : 0;
		pg_atomic_init_u32(&shared->next, 0);
		write_features(shared, panel, trainer);
		LaunchParallelWorkers(context);
		train_beside(trainer, shared, driver);
		WaitForParallelWorkersToFinish(context);
		for (int k = 0; k < members; k++)
			if (shared->done[k])
				read_member(shared, trainer, k);
	}
	DestroyParallelContext(context);
	ExitParallelMode();
	rnn_trainer_join(trainer);
}

/* In a worker. */
void
rnnforecast_train_members(dsm_segment *seg, shm_toc *toc)
{
	Shared	   *shared = shm_toc_lookup(toc, KEY_SHARED, false);
	Driver		driver = {.start = GetCurrentTimestamp()};
	rnn_panel	panel = {0};
	rnn_trainer *trainer;
	rnn_error	err;
	BufFile    *file;
	uint32		k;

	SharedFileSetAttach(&shared->files, seg);
	panel.count = shared->series;
	panel.clock = shared->clock;
	file = file_open(&shared->files, FEATURES_FILE);
	read_series(file, &panel);
	if (rnn_trainer_init(&trainer, training_block(shared->block), shared->block, &shared->cfg,
						 &panel, NULL, &err) != RNN_OK ||
		rnn_trainer_adopt(trainer, shared->steps, &err) != RNN_OK)
		report_engine_error(&err);
	read_features(file, trainer);
	BufFileClose(file);
	if (shared->deadline)
		driver.ceiling = Max((shared->deadline - driver.start) / 1e6, 1e-3);
	while (!driver.hurried &&
		   (k = pg_atomic_fetch_add_u32(&shared->next, 1)) < (uint32) shared->members)
	{
		rnn_trainer_member(trainer, k);
		drive(trainer, &driver);
		if (!driver.hurried)
			write_member(shared, trainer, k);
	}
}
