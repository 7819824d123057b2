/*
 * batches.c
 *		Forecasts of many series: in batches of up to 64, each in one block of
 *		memory that holds what the engine needs, the options of each series and
 *		the quantiles (count, horizon, Q).
 *
 * Batches get smaller where that block would outgrow rnnforecast.max_memory.
 * Which series go together is decided before any is forecast, and the batches
 * are handed over in order, whoever forecasts them: this process, or parallel
 * workers beside it (beside.c).
 */
#include "pg/forecast/batches.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#define Q RNN_QUANTILES
#define MAX_BATCH 64

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

Size
batch_bytes(const Batches *b, int i)
{
	int			count = b->first[i + 1] - b->first[i];

	return work_bytes(b->choice, b->first[i], count) + result_bytes(b->choice, b->first[i], count);
}

static void
report_memory(const char *purpose, Size bytes)
{
	rnn_error	err;

	rnn_fail(&err, RNN_ERR_MEMORY, purpose, (double) bytes, 0, (double) memory_limit());
	report_engine_error(&err);
}

void
drive_forecast(rnn_forecaster *f)
{
	bool		done = false;
	rnn_error	err;

	while (!done)
	{
		CHECK_FOR_INTERRUPTS();
		if (rnn_forecast_step(f, &done, &err) != RNN_OK)
			report_engine_error(&err);
	}
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

rnn_part
forecast_batch(Batches *b, int i)
{
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
	/* Beyond the trained steps there is the mix, or a network that goes on with what it said. */
	if (choice->model->config.terms)
		calendar_fill(&choice->model->clock, series, count,
					  choice->model->config.skip ? Min(horizon, choice->model->config.horizon) : horizon);
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

void
hand_over(const Batches *b, int i, const rnn_part *result)
{
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

void
forecast_alone(const ForecastChoice *choice, ForecastTaker take, void *taker)
{
	Batches		b = {.choice = choice,.take = take,.taker = taker};

	plan_batches(&b);
	if (!forecast_beside(&b))
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
