/*
 * beside.c
 *		Pieces of work done side by side, by the process that was asked and by
 *		parallel workers.
 *
 * All take the next piece that nobody has taken.  What they need goes to the
 * workers through shared temporary files, and results come back through
 * others; the leader hands them over in order.  What a piece is doesn't depend
 * on who does it, so all of them together have the same bytes.
 */
#include "pg/forecast/forecast.h"
#include "pg/train/train.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/dsm.h"

#define KEY_SHARED UINT64CONST(0x726e6e0000000002)

typedef struct Shared
{
	SharedFileSet files;
	int			n;				/* pieces */
	pg_atomic_uint32 taken;		/* the first of them */
	pg_atomic_uint32 done[FLEXIBLE_ARRAY_MEMBER];	/* (n) 0, or 1 + the number of the process whose result is in a file */
} Shared;

static char *
piece_name(int i)
{
	return psprintf("piece%d", i);
}

static void
put_result(Shared *shared, int i, rnn_part result, int process)
{
	write_part(&shared->files, piece_name(i), result);
	pg_write_barrier();
	pg_atomic_write_u32(&shared->done[i], 1 + process);
}

/* What is done, in order; the next that isn't. */
static int
take_done(const Beside *b, Shared *shared, int next)
{
	for (; next < b->n && pg_atomic_read_u32(&shared->done[next]) != 0; next++)
	{
		rnn_part	result;

		CHECK_FOR_INTERRUPTS();
		pg_read_barrier();
		result = read_part(&shared->files, piece_name(next));
		b->take(b->arg, next, &result);
		pfree(result.bytes);
	}
	return next;
}

/* How many pieces each process had, for tests and the curious. */
static void
tell_work(const Beside *b, Shared *shared, int workers)
{
	StringInfoData s;

	initStringInfo(&s);
	for (int p = 0; p <= workers; p++)
	{
		int			had = 0;

		for (int i = 0; i < shared->n; i++)
			had += pg_atomic_read_u32(&shared->done[i]) == (uint32) (1 + p);
		appendStringInfo(&s, "%s%d", p > 0 ? ", " : "", had);
	}
	ereport(DEBUG1, (errmsg_internal("%s by the leader and %d workers: %s", b->what, workers, s.data)));
}

/* Pieces that nobody has taken; next: that the leader hands over, NULL for a worker. */
static void
do_pieces(const Beside *b, Shared *shared, int process, int *next)
{
	uint32		i;

	while ((i = pg_atomic_fetch_add_u32(&shared->taken, 1)) < (uint32) shared->n)
	{
		CHECK_FOR_INTERRUPTS();
		put_result(shared, i, b->make(b->arg, i), process);
		if (next)
			*next = take_done(b, shared, *next);
	}
}

static void
lead(const Beside *b, Shared *shared, ParallelContext *context)
{
	int			next = 0;

	do_pieces(b, shared, 0, &next);
	WaitForParallelWorkersToFinish(context);
	if (take_done(b, shared, next) < b->n)
		elog(ERROR, "a parallel worker ended without the work that it took");
	tell_work(b, shared, context->nworkers_launched);
}

static Shared *
new_shared(const Beside *b, ParallelContext *context, Size size)
{
	Shared	   *shared = shm_toc_allocate(context->toc, size);

	memset(shared, 0, size);
	shm_toc_insert(context->toc, KEY_SHARED, shared);
	SharedFileSetInit(&shared->files, context->seg);
	shared->n = b->n;
	pg_atomic_init_u32(&shared->taken, 0);
	for (int i = 0; i < b->n; i++)
		pg_atomic_init_u32(&shared->done[i], 0);
	b->share(b->arg, &shared->files);
	return shared;
}

bool
work_beside(const Beside *b, int workers, const char *entry)
{
	Size		size = offsetof(Shared, done) + sizeof(pg_atomic_uint32) * b->n;
	ParallelContext *context;
	bool		launched = false;

	if (!may_have_workers(workers))
		return false;
	EnterParallelMode();
	context = CreateParallelContext("$libdir/rnnforecast", entry, workers);
	shm_toc_estimate_chunk(&context->estimator, size);
	shm_toc_estimate_keys(&context->estimator, 1);
	InitializeParallelDSM(context);
	if (context->seg != NULL)
	{
		Shared	   *shared = new_shared(b, context, size);

		LaunchParallelWorkers(context);
		launched = context->nworkers_launched > 0;
		if (launched)
			lead(b, shared, context);
	}
	DestroyParallelContext(context);
	ExitParallelMode();
	return launched;
}

void
work_along(dsm_segment *seg, shm_toc *toc, Beside (*begin) (SharedFileSet *files))
{
	Shared	   *shared = shm_toc_lookup(toc, KEY_SHARED, false);
	Beside		b;

	SharedFileSetAttach(&shared->files, seg);
	b = begin(&shared->files);
	do_pieces(&b, shared, 1 + ParallelWorkerNumber, NULL);
}
