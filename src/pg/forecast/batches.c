/*
 * batches.c
 *		Forecasts of many series: in batches of up to 64, each in one block of
 *		memory that holds what the engine needs, the options of each series and
 *		the quantiles (count, horizon, Q).
 *
 * Batches get smaller where that block would outgrow rnnforecast.max_memory.
 * Which series go together is decided before any is forecast, and the batches
 * are handed over in order, whoever forecasts them: this process, or parallel
 * workers (beside.c), which get the model, as bytes, and which of its series are
 * forecast.
 */
#include "pg/forecast/forecast.h"
#include "pg/train/train.h"

#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#define Q RNN_QUANTILES
#define MAX_BATCH 64
#define WORTH_A_WORKER 4		/* batches, since each worker reads all of the model first */
#define MODEL_FILE "model"
#define CHOICE_FILE "choice"
#define HEAD_FILE "head"

typedef struct Batches
{
	const ForecastChoice *choice;
	ForecastTaker take;
	void	   *taker;
	int			n;
	int		   *first;			/* (n + 1) series of the choice that each begins with */
	char	   *block;			/* that they share */
	Size		block_size;
} Batches;

PGDLLEXPORT void rnnforecast_forecast_batches(dsm_segment *seg, shm_toc *toc);

const rnn_series *
chosen_series(const ForecastChoice *choice, int i)
{
	return &choice->model->series[choice->series[i]];
}

/* The series as the engine is to see it. */
static rnn_series
prepared_series(const ForecastChoice *choice, int i)
{
	rnn_series	s = *chosen_series(choice, i);

	if (choice->naive[i])
	{
		s.x += s.n - 1;
		s.n = 1;
		s.covariates = NULL;
	}
	else
		fill_ahead(choice->model, &s, choice->horizon[i], choice->options.covariate_gaps);
	return s;
}

Size
forecast_work(const rnn_model *model, int count, int64 longest, int horizon)
{
	size_t		bytes;
	rnn_error	err;

	if (rnn_forecast_size(model, count, longest, horizon, &bytes, &err) != RNN_OK)
		report_engine_error(&err);
	return MAXALIGN(bytes);
}

/* The same of series[first .. first + count). */
static Size
work_bytes(const ForecastChoice *choice, int first, int count)
{
	int64		longest = 1;

	for (int i = first; i < first + count; i++)
		longest = Max(longest, chosen_series(choice, i)->n);
	return forecast_work(choice->model, count, longest, choice->horizon[first]);
}

/* Options and quantiles. */
static Size
result_bytes(const ForecastChoice *choice, int first, int count)
{
	return count * (MAXALIGN(sizeof(rnn_config)) + sizeof(double) * Q * choice->horizon[first]);
}

/* How many series from `first` on have one horizon and fit into memory. */
static int
plan_batch(const ForecastChoice *choice, int first, Size limit)
{
	int			count = 1;

	while (count < MAX_BATCH && first + count < choice->count &&
		   choice->horizon[first + count] == choice->horizon[first])
		count++;
	while (count > 1 && work_bytes(choice, first, count) + result_bytes(choice, first, count) > limit)
		count /= 2;
	return count;
}

static void
plan_batches(Batches *b)
{
	const ForecastChoice *choice = b->choice;

	b->first = palloc_extended(sizeof(int) * ((Size) choice->count + 1), MCXT_ALLOC_HUGE);
	for (b->first[0] = 0; b->first[b->n] < choice->count; b->n++)
	{
		CHECK_FOR_INTERRUPTS();
		b->first[b->n + 1] = b->first[b->n] + plan_batch(choice, b->first[b->n], memory_limit());
	}
}

/* That the i-th takes. */
static Size
batch_bytes(const Batches *b, int i)
{
	int			count = b->first[i + 1] - b->first[i];

	return work_bytes(b->choice, b->first[i], count) + result_bytes(b->choice, b->first[i], count);
}

double *
forecast_quantiles(const rnn_model *model, const rnn_series *series, int count, int horizon, Size work, const char *purpose)
{
	Size		out = sizeof(double) * RNN_QUANTILES * horizon * (Size) count;
	double	   *quantiles;
	rnn_forecaster *f;
	rnn_error	err;

	if (work + out > memory_limit())
		report_memory(purpose, work + out);
	quantiles = MemoryContextAllocHuge(CurrentMemoryContext, out + work);
	if (rnn_forecast_begin(model, series, count, horizon, (char *) quantiles + out, work, quantiles, &f, &err) != RNN_OK)
		report_engine_error(&err);
	drive_forecast(f);
	return quantiles;
}

/* Batches share a block of memory: fresh pages are slow. */
static void
make_block(Batches *b, Size bytes)
{
	if (bytes > memory_limit())
		report_memory("forecasting", bytes);
	if (bytes <= b->block_size)
		return;
	if (b->block)
		pfree(b->block);
	b->block = MemoryContextAllocHuge(CurrentMemoryContext, bytes);
	b->block_size = bytes;
}

static rnn_config *
result_configs(const rnn_part *result)
{
	return (rnn_config *) result->bytes;
}

/* (count, horizon, Q) behind the options */
static double *
result_quantiles(const rnn_part *result, int count)
{
	return (double *) ((char *) result->bytes + count * MAXALIGN(sizeof(rnn_config)));
}

/* Forecasts the i-th: the result, which is a part of the block, stays until the next. */
static rnn_part
forecast_batch(void *arg, int i)
{
	Batches    *b = arg;
	const ForecastChoice *choice = b->choice;
	int			first = b->first[i],
				count = b->first[i + 1] - first,
				horizon = choice->horizon[first];
	Size		work = work_bytes(choice, first, count);
	rnn_part	result = {.len = result_bytes(choice, first, count)};
	rnn_series *series;
	rnn_forecaster *forecaster;
	rnn_error	err;
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "rnnforecast batch", ALLOCSET_DEFAULT_SIZES),
				outer;

	make_block(b, work + result.len);
	result.bytes = b->block + work;
	outer = MemoryContextSwitchTo(scratch);
	series = palloc(sizeof(rnn_series) * count);
	for (int k = 0; k < count; k++)
		series[k] = prepared_series(choice, first + k);
	calendar_fill(&choice->model->config, &choice->model->clock, series, count, horizon);
	MemoryContextSwitchTo(outer);
	if (rnn_forecast_begin(choice->model, series, count, horizon, b->block, work, result_quantiles(&result, count),
						   &forecaster, &err) != RNN_OK)
		report_engine_error(&err);
	drive_forecast(forecaster);
	for (int k = 0; k < count; k++)
	{
		rnn_tally	tally = {0};

		result_configs(&result)[k] = rnn_forecast_config(choice->model, &tally, &series[k], series[k].n);
	}
	MemoryContextDelete(scratch);
	return result;
}

static void
hand_over(void *arg, int i, const rnn_part *result)
{
	const Batches *b = arg;
	const ForecastChoice *choice = b->choice;
	int			first = b->first[i],
				count = b->first[i + 1] - first,
				horizon = choice->horizon[first];
	rnn_config *cfg = result_configs(result);
	double	   *q = result_quantiles(result, count);

	for (int k = 0; k < count; k++)
	{
		/* Another process has them elsewhere. */
		cfg[k].covariates = choice->model->config.covariates;
		b->take(b->taker, first + k, &cfg[k], q + ((Size) k * horizon + choice->lag[first + k]) * Q, NULL);
	}
}

/* -------------------------------------------------------------- by workers */

/* What workers are told beside the model and the choice. */
typedef struct Head
{
	ForecastOptions options;
	int			count;			/* series */
	int			n;				/* batches */
} Head;

/* Bytes of all that is written to files. */
static Size
spooled_bytes(const Batches *b)
{
	Size		bytes = rnn_model_size(b->choice->model);

	for (int i = 0; i < b->choice->count; i++)
		bytes += sizeof(rnn_config) + sizeof(double) * RNN_QUANTILES * b->choice->horizon[i] + 4 * sizeof(int);
	return bytes + (Size) (b->n + 3) * BLCKSZ;
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
read_choice(SharedFileSet *files, ForecastChoice *choice, Batches *b)
{
	Head	   *head = read_part(files, HEAD_FILE).bytes;
	int			n = head->count;
	int		   *in = read_part(files, CHOICE_FILE).bytes;

	choice->count = n;
	choice->options = head->options;
	choice->series = in;
	choice->horizon = in + n;
	choice->lag = in + 2 * (Size) n;
	choice->naive = palloc(sizeof(bool) * n);
	for (int i = 0; i < n; i++)
		choice->naive[i] = in[3 * (Size) n + i];
	b->choice = choice;
	b->n = head->n;
	b->first = in + 4 * (Size) n;
}

static void
share(void *arg, SharedFileSet *files)
{
	const Batches *b = arg;
	bytea	   *model = store_model(b->choice->model);
	rnn_part	choice = choice_part(b);
	Head		head = {b->choice->options, b->choice->count, b->n};

	write_part(files, MODEL_FILE, (rnn_part) {model, VARSIZE(model)});
	write_part(files, CHOICE_FILE, choice);
	write_part(files, HEAD_FILE, (rnn_part) {&head, sizeof(head)});
	pfree(model);
	pfree(choice.bytes);
}

static Beside
beside(Batches *b)
{
	return (Beside) {.n = b->n,.arg = b,.share = share,.make = forecast_batch,.take = hand_over,.what = "batches of forecasts"};
}

static Beside
begin_batches(SharedFileSet *files)
{
	ForecastChoice *choice = palloc0(sizeof(ForecastChoice));
	Batches    *b = palloc0(sizeof(Batches));

	choice->model = decode_model(read_part(files, MODEL_FILE).bytes);
	read_choice(files, choice, b);
	return beside(b);
}

void
rnnforecast_forecast_batches(dsm_segment *seg, shm_toc *toc)
{
	work_along(seg, toc, begin_batches);
}

void
forecast_alone(const ForecastChoice *choice, ForecastTaker take, void *taker)
{
	Batches		b = {.choice = choice,.take = take,.taker = taker};
	Beside		work;

	plan_batches(&b);
	work = beside(&b);
	if (!work_beside(&work, useful_workers(&b), "rnnforecast_forecast_batches"))
		for (int i = 0; i < b.n; i++)
		{
			rnn_part	result = forecast_batch(&b, i);

			CHECK_FOR_INTERRUPTS();
			hand_over(&b, i, &result);
		}
	if (b.block)
		pfree(b.block);
	pfree(b.first);
}
