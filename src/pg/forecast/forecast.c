/*
 * forecast.c
 *		rnn_forecast: from a model to rows.
 *
 * The arguments are checked first, all of them (choice.c), then the series are
 * forecast in batches of up to 64, each in one block of memory that holds what
 * the engine needs and the quantiles (count, horizon, Q).  Batches get smaller
 * where that block would outgrow rnnforecast.max_memory.
 */
#include "pg/forecast/forecast.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#define Q RNN_QUANTILES
#define MAX_BATCH 64
#define COLUMNS 12				/* of rnn_forecast_row */
#define TOLD_SHORTENED 1

PG_FUNCTION_INFO_V1(rnnforecast_rnn_forecast);

/* A checked call. */
typedef struct ForecastCall
{
	ForecastChoice choice;
	double		low,
				high;			/* probabilities of lower and upper */
	int64		history;		/* rows of history before each forecast */
	bool		shortened;		/* some history was shorter than asked for */
	Tuples		rows;
} ForecastCall;

/* Batches that share a block of memory: fresh pages are slow. */
typedef struct Batches
{
	const ForecastChoice *choice;
	ForecastTaker take;
	void	   *taker;
	char	   *block;
	Size		block_size;
} Batches;

static int64
get_history(FunctionCallInfo fcinfo)
{
	int64		history = PG_ARGISNULL(FORECAST_HISTORY) ? 0 : PG_GETARG_INT64(FORECAST_HISTORY);

	if (history < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("history must not be negative, not " INT64_FORMAT, history)));
	return history;
}

/* ---------------------------------------------------------------- output */

/* Columns that a row of history and one of the forecast share: step is counted from point `end` of the series. */
static void
put_place(const ForecastCall *call, const rnn_series *s, int64 end, int step, Datum *values, bool *nulls)
{
	memset(nulls, true, COLUMNS);
	nulls[0] = s->name == NULL;
	if (s->name != NULL)
		values[0] = PointerGetDatum(cstring_to_text_with_len(s->name, s->name_len));
	values[1] = Int32GetDatum(step);
	nulls[1] = false;
	set_key(series_name(s), &values[11], &nulls[11]);
	clock_place(&call->choice.model->clock, s, end + step, &values[2], &nulls[2]);
}

/* Up to point `end`, which lies behind the last known one where forecasts are aligned. */
static void
put_history(ForecastCall *call, const rnn_series *s, int64 end)
{
	int64		rows = Min(call->history, end + 1);

	call->shortened |= rows < call->history;
	for (int64 i = end + 1 - rows; i <= end; i++)
	{
		Datum		values[COLUMNS] = {0};
		bool		nulls[COLUMNS];
		MemoryContext old = MemoryContextSwitchTo(call->rows.scratch);
		double		x = i < s->n ? s->x[i] : NAN;

		CHECK_FOR_INTERRUPTS();
		put_place(call, s, end, (int) (i - end), values, nulls);
		values[5] = Float8GetDatum(x);
		nulls[5] = isnan(x);
		MemoryContextSwitchTo(old);
		tuples_put(&call->rows, values, nulls);
	}
}

/* q is (rows, Q), from the step after point `end` of the series on; cfg is the series' own. */
static void
put_forecast(ForecastCall *call, const rnn_series *s, const rnn_config *cfg, int64 end, int count, const double *q)
{
	for (int j = 0; j < count; j++, q += Q)
	{
		Datum		values[COLUMNS] = {0},
					levels[Q];
		bool		nulls[COLUMNS];
		MemoryContext old = MemoryContextSwitchTo(call->rows.scratch);

		CHECK_FOR_INTERRUPTS();
		put_place(call, s, end, j + 1, values, nulls);
		for (int k = 0; k < Q; k++)
			levels[k] = Float8GetDatum(q[k]);
		values[6] = Float8GetDatum(q[RNN_MEDIAN]);
		values[7] = Float8GetDatum(rnn_quantile_bound(cfg, q, call->low));
		values[8] = Float8GetDatum(rnn_quantile_bound(cfg, q, call->high));
		values[9] = PointerGetDatum(construct_array(levels, Q, FLOAT8OID, sizeof(float8),
													FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
		values[10] = Float8GetDatum(rnn_quantile_mean(cfg, q));
		nulls[6] = nulls[7] = nulls[8] = nulls[9] = nulls[10] = false;
		MemoryContextSwitchTo(old);
		tuples_put(&call->rows, values, nulls);
	}
}

/* Rows of one series, which is forecast. */
static void
take_rows(void *taker, int i, const rnn_config *cfg, const double *q)
{
	ForecastCall *call = taker;
	const ForecastChoice *choice = &call->choice;
	const rnn_series *s = chosen_series(choice, i);
	int64		end = s->n - 1 + choice->lag[i];

	put_history(call, s, end);
	put_forecast(call, s, cfg, end, choice->horizon[i] - choice->lag[i], q);
}

/* --------------------------------------------------------------- batches */

/* The series as the engine is to see it. */
static rnn_series
prepared_series(const ForecastChoice *choice, int i)
{
	rnn_series	s = choice->model->series[choice->series[i]];

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
		longest = Max(longest, choice->model->series[choice->series[i]].n);
	return forecast_work(choice->model, count, longest, choice->horizon[first]);
}

static Size
quantile_bytes(const ForecastChoice *choice, int first, int count)
{
	return sizeof(double) * Q * choice->horizon[first] * (Size) count;
}

/* Series from `first` on that have one horizon and fit into memory. */
static int
plan_batch(const ForecastChoice *choice, int first, Size limit)
{
	int			count = 1;

	while (count < MAX_BATCH && first + count < choice->count &&
		   choice->horizon[first + count] == choice->horizon[first])
		count++;
	while (count > 1 &&
		   work_bytes(choice, first, count) + quantile_bytes(choice, first, count) > limit)
		count /= 2;
	return count;
}

static void
report_memory(Size bytes)
{
	rnn_error	err;

	rnn_fail(&err, RNN_ERR_MEMORY, "forecasting", (double) bytes, 0, (double) memory_limit());
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

static void
forecast_batch(Batches *b, int first, int count)
{
	const ForecastChoice *choice = b->choice;
	Size		work = work_bytes(choice, first, count),
				total = work + quantile_bytes(choice, first, count);
	int			horizon = choice->horizon[first];
	rnn_series *series;
	double	   *q;
	rnn_forecaster *forecaster;
	rnn_error	err;
	MemoryContext scratch,
				outer;

	if (total > memory_limit())
		report_memory(total);
	if (total > b->block_size)
	{
		if (b->block)
			pfree(b->block);
		b->block = MemoryContextAllocHuge(CurrentMemoryContext, total);
		b->block_size = total;
	}
	q = (double *) (b->block + work);
	scratch = AllocSetContextCreate(CurrentMemoryContext, "rnnforecast batch", ALLOCSET_DEFAULT_SIZES);
	outer = MemoryContextSwitchTo(scratch);
	series = palloc(sizeof(rnn_series) * count);
	for (int i = 0; i < count; i++)
		series[i] = prepared_series(choice, first + i);
	/* Beyond the trained steps there is the mix, or a network that goes on with what it said. */
	if (choice->model->config.terms)
		calendar_fill(&choice->model->clock, series, count,
					  choice->model->config.skip ? Min(horizon, choice->model->config.horizon) : horizon);
	MemoryContextSwitchTo(outer);
	if (rnn_forecast_begin(choice->model, series, count, horizon, b->block, work, q, &forecaster, &err) != RNN_OK)
		report_engine_error(&err);
	drive_forecast(forecaster);
	for (int i = 0; i < count; i++)
	{
		rnn_tally	tally = {0};
		rnn_config	cfg = rnn_forecast_config(choice->model, &tally, &series[i], series[i].n);

		b->take(b->taker, first + i, &cfg, q + ((Size) i * horizon + choice->lag[first + i]) * Q);
	}
	MemoryContextDelete(scratch);
}

const rnn_series *
chosen_series(const ForecastChoice *choice, int i)
{
	return &choice->model->series[choice->series[i]];
}

void
forecast_each(const ForecastChoice *choice, ForecastTaker take, void *taker)
{
	Batches		b = {.choice = choice,.take = take,.taker = taker};

	for (int first = 0, count; first < choice->count; first += count)
	{
		CHECK_FOR_INTERRUPTS();
		count = plan_batch(choice, first, memory_limit());
		forecast_batch(&b, first, count);
	}
	if (b.block)
		pfree(b.block);
}

void
forecast_rows(FunctionCallInfo fcinfo, const rnn_model *model, Jsonb *options, const char *absent)
{
	static const ForecastArguments args = {FORECAST_HORIZON, FORECAST_UNTIL, FORECAST_SERIES};
	ForecastCall call = {.history = get_history(fcinfo)};
	double		level = level_argument(fcinfo, FORECAST_LEVEL, 0.9);

	tuples_begin(&call.rows, fcinfo, COLUMNS);
	if (model == NULL)
	{
		forecast_nothing(fcinfo, absent);
		return;
	}
	call.low = (1 - level) / 2;
	call.high = 1 - call.low;
	choose_forecast(fcinfo, &args, model, options, &call.choice);
	forecast_each(&call.choice, take_rows, &call);
	if (call.shortened && tell_once(fcinfo, TOLD_SHORTENED))
		ereport(NOTICE,
				(errmsg("the model keeps less history than " INT64_FORMAT " rows", call.history)));
}

/* rnn_forecast(model, horizon, level, until, series, history, options) */
Datum
rnnforecast_rnn_forecast(PG_FUNCTION_ARGS)
{
	forecast_rows(fcinfo, fetch_model(fcinfo, 0, false), options_argument(fcinfo, FORECAST_OPTIONS), "the model is NULL");
	return (Datum) 0;
}
