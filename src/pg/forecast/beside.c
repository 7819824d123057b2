/*
 * beside.c
 *		Batches of series forecast side by side, by the process that was asked
 *		and by parallel workers.
 *
 * All take the next batch that nobody has taken.  The model, as bytes, and
 * which of its series are forecast go to the workers through shared temporary
 * files, and results come back through others; the leader hands them over in
 * order.  A batch has the same series whoever forecasts it, so the result has the
 * same bytes.
 */
#include "pg/forecast/batches.h"
#include "pg/train/train.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/dsm.h"
#include "utils/guc.h"

#define WORTH_A_WORKER 4		/* batches, since each worker reads all of the model first */
#define KEY_SHARED UINT64CONST(0x726e6e0000000002)
#define MODEL_FILE "model"
#define CHOICE_FILE "choice"

typedef struct Shared
{
	SharedFileSet files;
	ForecastOptions options;
	int			count;			/* series */
	int			n;				/* batches */
	pg_atomic_uint32 taken;		/* the first of them */
	pg_atomic_uint32 done[FLEXIBLE_ARRAY_MEMBER];	/* (n) 0, or 1 + the number of the process whose result is in a file */
} Shared;

PGDLLEXPORT void rnnforecast_forecast_batches(dsm_segment *seg, shm_toc *toc);

/* Bytes of all that is written to files. */
static Size
spooled_bytes(const Batches *b)
{
	Size		bytes = rnn_model_size(b->choice->model);

	for (int i = 0; i < b->choice->count; i++)
		bytes += sizeof(rnn_config) + sizeof(double) * RNN_QUANTILES * b->choice->horizon[i] + 4 * sizeof(int);
	return bytes + (Size) (b->n + 2) * BLCKSZ;
}

/* As many as have memory and something to do. */
static int
useful_workers(const Batches *b)
{
	Size		each = 0,
				limit = memory_limit(),
				model = rnn_model_size(b->choice->model);
	int			most = Min(Min(rnnforecast_max_workers, max_parallel_workers), b->n / WORTH_A_WORKER);

	if (most < 1 || model > RNN_MAX_MODEL)
		return 0;
	if (temp_file_limit >= 0 && spooled_bytes(b) / 1024 >= (Size) temp_file_limit)
		return 0;
	for (int i = 0; i < b->n; i++)
		each = Max(each, batch_bytes(b, i));
	/* A worker has the model as bytes and decoded. */
	each += 2 * model;
	return (int) Min(limit > each ? limit / each - 1 : 0, (Size) most);
}

/* Which series are forecast how far; `first` of each batch. */
static rnn_part
choice_part(const Batches *b)
{
	const ForecastChoice *choice = b->choice;
	int			n = choice->count;
	int		   *out = palloc_extended(sizeof(int) * (4 * (Size) n + b->n + 1), MCXT_ALLOC_HUGE);

	for (int i = 0; i < n; i++)
	{
		out[i] = choice->series[i];
		out[n + i] = choice->horizon[i];
		out[2 * (Size) n + i] = choice->lag[i];
		out[3 * (Size) n + i] = choice->naive[i];
	}
	memcpy(out + 4 * (Size) n, b->first, sizeof(int) * (b->n + 1));
	return (rnn_part) {out, sizeof(int) * (4 * (Size) n + b->n + 1)};
}

static void
read_choice(Shared *shared, ForecastChoice *choice, Batches *b)
{
	int			n = shared->count;
	int		   *in = read_part(&shared->files, CHOICE_FILE).bytes;

	choice->count = n;
	choice->options = shared->options;
	choice->series = in;
	choice->horizon = in + n;
	choice->lag = in + 2 * (Size) n;
	choice->naive = palloc(sizeof(bool) * n);
	for (int i = 0; i < n; i++)
		choice->naive[i] = in[3 * (Size) n + i];
	b->choice = choice;
	b->n = shared->n;
	b->first = in + 4 * (Size) n;
}

static void
share(Shared *shared, const Batches *b)
{
	bytea	   *model = store_model(b->choice->model);
	rnn_part	choice = choice_part(b);

	shared->options = b->choice->options;
	shared->count = b->choice->count;
	shared->n = b->n;
	pg_atomic_init_u32(&shared->taken, 0);
	for (int i = 0; i < b->n; i++)
		pg_atomic_init_u32(&shared->done[i], 0);
	write_part(&shared->files, MODEL_FILE, (rnn_part) {model, VARSIZE(model)});
	write_part(&shared->files, CHOICE_FILE, choice);
	pfree(model);
	pfree(choice.bytes);
}

static char *
batch_name(int i)
{
	return psprintf("batch%d", i);
}

static void
put_result(Shared *shared, int i, rnn_part result, int process)
{
	write_part(&shared->files, batch_name(i), result);
	pg_write_barrier();
	pg_atomic_write_u32(&shared->done[i], 1 + process);
}

/* What is done, in order; the next that isn't. */
static int
hand_over_done(const Batches *b, Shared *shared, int next)
{
	for (; next < b->n && pg_atomic_read_u32(&shared->done[next]) != 0; next++)
	{
		rnn_part	result;

		CHECK_FOR_INTERRUPTS();
		pg_read_barrier();
		result = read_part(&shared->files, batch_name(next));
		hand_over(b, next, &result);
		pfree(result.bytes);
	}
	return next;
}

/* How many batches each process had, for tests and the curious. */
static void
tell_work(const Shared *shared, int workers)
{
	StringInfoData s;

	initStringInfo(&s);
	for (int p = 0; p <= workers; p++)
	{
		int			had = 0;

		for (int i = 0; i < shared->n; i++)
			had += pg_atomic_read_u32((pg_atomic_uint32 *) &shared->done[i]) == (uint32) (1 + p);
		appendStringInfo(&s, "%s%d", p > 0 ? ", " : "", had);
	}
	ereport(DEBUG1, (errmsg_internal("batches of forecasts by the leader and %d workers: %s", workers, s.data)));
}

static void
lead(Batches *b, Shared *shared, ParallelContext *context)
{
	int			next = 0;
	uint32		i;

	while ((i = pg_atomic_fetch_add_u32(&shared->taken, 1)) < (uint32) b->n)
	{
		put_result(shared, i, forecast_batch(b, i), 0);
		next = hand_over_done(b, shared, next);
	}
	WaitForParallelWorkersToFinish(context);
	if (hand_over_done(b, shared, next) < b->n)
		elog(ERROR, "a parallel worker ended without the forecasts that it had taken on");
	tell_work(shared, context->nworkers_launched);
}

bool
forecast_beside(Batches *b)
{
	int			workers = useful_workers(b);
	Size		size = offsetof(Shared, done) + sizeof(pg_atomic_uint32) * b->n;
	ParallelContext *context;
	bool		launched = false;

	if (!may_have_workers(workers))
		return false;
	EnterParallelMode();
	context = CreateParallelContext("$libdir/rnnforecast", "rnnforecast_forecast_batches", workers);
	shm_toc_estimate_chunk(&context->estimator, size);
	shm_toc_estimate_keys(&context->estimator, 1);
	InitializeParallelDSM(context);
	if (context->seg != NULL)
	{
		Shared	   *shared = shm_toc_allocate(context->toc, size);

		memset(shared, 0, size);
		shm_toc_insert(context->toc, KEY_SHARED, shared);
		SharedFileSetInit(&shared->files, context->seg);
		share(shared, b);
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
rnnforecast_forecast_batches(dsm_segment *seg, shm_toc *toc)
{
	Shared	   *shared = shm_toc_lookup(toc, KEY_SHARED, false);
	ForecastChoice choice = {0};
	Batches		b = {0};
	uint32		i;

	SharedFileSetAttach(&shared->files, seg);
	choice.model = decode_model(read_part(&shared->files, MODEL_FILE).bytes);
	read_choice(shared, &choice, &b);
	while ((i = pg_atomic_fetch_add_u32(&shared->taken, 1)) < (uint32) b.n)
	{
		CHECK_FOR_INTERRUPTS();
		put_result(shared, i, forecast_batch(&b, i), 1 + ParallelWorkerNumber);
	}
}
