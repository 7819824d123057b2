/*
 * forecast.c
 *		rnn_forecast: from a model to rows.
 *
 * The arguments are checked first, all of them, then the series are forecast
 * in batches of up to 64, each in one block of memory that holds what the
 * engine needs and the quantiles (count, horizon, Q).  Batches get smaller
 * where that block would outgrow rnnforecast.max_memory.
 *
 * Every series of a batch has the same horizon: with `until` each series has
 * its own, and a forecast must not depend on which series come with it.
 */
#include "pg/forecast/forecast.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define Q RNN_QUANTILES
#define MAX_BATCH 64
#define COLUMNS 11				/* of rnn_forecast_row */
#define TOLD_SHORTENED 1
#define TOLD_EARLY 2
#define TOLD_NOTHING 4

PG_FUNCTION_INFO_V1(rnnforecast_rnn_forecast);

/* A checked call. */
typedef struct ForecastCall
{
	const rnn_model *model;
	double		low,
				high;			/* probabilities of lower and upper */
	int64		history;		/* rows of history before each forecast */
	int			count;			/* series that are forecast */
	int		   *series;			/* (count) their numbers in the model */
	int		   *horizon;		/* (count) steps of each, from its own end */
	int		   *lag;			/* (count) of these before the first that is returned */
	bool	   *naive;			/* (count) forecast its last value alone */
	ForecastOptions options;
	bool		shortened;		/* some history was shorter than asked for */
	char	   *block;			/* memory of a batch, kept for the next: fresh pages are slow */
	Size		block_size;
	Tuples		rows;
} ForecastCall;

/* ------------------------------------------------------------- arguments */

double
level_argument(FunctionCallInfo fcinfo, int argno, double usual)
{
	double		level = PG_ARGISNULL(argno) ? usual : PG_GETARG_FLOAT8(argno);

	if (!(level > 0 && level < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("level must be above 0 and below 1, not %g", level),
				 level > 1 && level < 100 ? errhint("Write %g %% as %g.", level, level / 100) : 0));
	return level;
}

int
check_horizon(int64 horizon)
{
	if (horizon < 1 || horizon > RNN_MAX_HORIZON)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("horizon must be between 1 and %d, not " INT64_FORMAT,
						RNN_MAX_HORIZON, horizon)));
	return (int) horizon;
}

/* Steps to forecast, 0 if `until` or the rows ahead say it. */
static int
get_horizon(FunctionCallInfo fcinfo)
{
	int			horizon;

	if (PG_ARGISNULL(FORECAST_HORIZON))
		return 0;
	horizon = check_horizon(PG_GETARG_INT64(FORECAST_HORIZON));
	if (!PG_ARGISNULL(FORECAST_UNTIL))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("horizon and until exclude each other"),
				 errhint("Pass one of them.")));
	return horizon;
}

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

/* ------------------------------------------------------------- selection */

/*
 * The chosen series, in the model's order.  One without a known value has
 * nothing to forecast from; rnn_series says so.
 */
static void
choose_series(FunctionCallInfo fcinfo, ForecastCall *call)
{
	const rnn_model *model = call->model;
	bool	   *named = NULL;		/* all */

	if (!PG_ARGISNULL(FORECAST_SERIES))
		named = series_named(model, PG_GETARG_ARRAYTYPE_P(FORECAST_SERIES));
	call->series = palloc(sizeof(int) * Max(model->n_series, 1));
	call->horizon = palloc0(sizeof(int) * Max(model->n_series, 1));
	call->lag = palloc0(sizeof(int) * Max(model->n_series, 1));
	call->naive = palloc0(Max(model->n_series, 1));
	for (int k = 0; k < model->n_series; k++)
		if ((named == NULL || named[k]) && model->series[k].n > 0)
			call->series[call->count++] = k;
}

/* ------------------------------------------------------------------ time */

/* Time of a step of a series (1: the first after its last point). */
static int64
step_time(const rnn_model *model, const rnn_series *s, int64 step)
{
	return clock_time(&model->clock, s->start, s->n - 1 + step);
}

/* As the clock counts it, or for all clocks alike. */
static int64
time_of_step(const rnn_model *model, const rnn_series *s, int64 step, bool instant)
{
	int64		at = step_time(model, s, step);

	return instant ? clock_instant(&model->clock, at) : at;
}

/* The last step that is not after a time, by bisection; RNN_MAX_HORIZON for all that are further. */
static int
steps_until(const rnn_model *model, const rnn_series *s, int64 until, bool instant)
{
	int			low = 0,
				high = 1;

	while (high <= RNN_MAX_HORIZON && time_of_step(model, s, high, instant) <= until)
	{
		low = high;
		high *= 2;
	}
	while (high - low > 1)
	{
		int			middle = low + (high - low) / 2;

		if (middle <= RNN_MAX_HORIZON && time_of_step(model, s, middle, instant) <= until)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* Where the last of all series of the model ends, as the clock counts it; false where there is none. */
static bool
common_end(const rnn_model *model, int64 *end)
{
	bool		found = false;

	for (int k = 0; k < model->n_series; k++)
	{
		int64		last;

		if (model->series[k].n == 0)
			continue;
		last = step_time(model, &model->series[k], 0);
		*end = found ? Max(*end, last) : last;
		found = true;
	}
	return found;
}

static void
notice_early(int early, int count, const rnn_model *model, int64 end)
{
	ereport(NOTICE,
			(errmsg("%d of %d series end more than %d %s before the last one, and are forecast from where they end",
					early, count, model->config.horizon, model->config.horizon == 1 ? "step" : "steps"),
			 errdetail("The last one ends at %s.", clock_has_times(&model->clock) ?
					   DatumGetCString(DirectFunctionCall1(timestamp_out, TimestampGetDatum(clock_local(&model->clock, end)))) :
					   psprintf("step " INT64_FORMAT, end)),
			 errhint("The option \"align\" of rnn_forecast begins all forecasts there.")));
}

/* Steps that are returned of a series: as asked for, else as far as the rows ahead go, else as trained. */
static int
steps_of(const ForecastCall *call, const rnn_series *s, int horizon, int lag)
{
	if (horizon > 0)
		return horizon;
	return s->ahead > lag ? (int) s->ahead - lag : call->model->config.horizon;
}

/* From each one's end or from the common one. */
static void
set_horizons(FunctionCallInfo fcinfo, ForecastCall *call, int horizon)
{
	bool		align = call->options.align;
	int64		end = 0;
	int			early = 0;

	if (!common_end(call->model, &end))
		return;
	for (int i = 0; i < call->count; i++)
	{
		const rnn_series *s = &call->model->series[call->series[i]];
		int			behind = step_time(call->model, s, 0) < end ? steps_until(call->model, s, end, false) : 0;

		CHECK_FOR_INTERRUPTS();
		early += behind > call->model->config.horizon;
		if (align && behind + steps_of(call, s, horizon, behind) > RNN_MAX_HORIZON)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("series \"%s\" ends too early to be aligned", pnstrdup(s->name, s->name_len)),
					 errdetail("It ends %s%d steps before the last one, and %d steps ahead are the most.",
							   behind == RNN_MAX_HORIZON ? "at least " : "", behind, RNN_MAX_HORIZON),
					 errhint("Leave it out of the argument \"series\", or of the history.")));
		call->lag[i] = align ? behind : 0;
		call->horizon[i] = call->lag[i] + steps_of(call, s, horizon, call->lag[i]);
	}
	if (early > 0 && !align && tell_once(fcinfo, TOLD_EARLY))
		notice_early(early, call->count, call->model, end);
}

/*
 * The last time to forecast as the model's steps are compared with it: an
 * instant for timestamptz; for dates and timestamps the wall clock that the
 * caller typed, which his session's time zone made an instant of.
 */
static int64
limit_for(const rnn_clock *clock, TimestampTz until)
{
	if (clock->kind == RNN_CLOCK_TIMESTAMPTZ || TIMESTAMP_NOT_FINITE(until))
		return until;
	return DatumGetTimestamp(DirectFunctionCall1(timestamptz_timestamp, TimestampTzGetDatum(until)));
}

static void
set_horizons_until(ForecastCall *call, TimestampTz until)
{
	const rnn_clock *clock = &call->model->clock;
	int64		limit = limit_for(clock, until);
	int			left = 0;

	if (!clock_has_times(clock))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("until needs a model with times"),
				 errdetail("The rows of this model are numbered."),
				 errhint("Pass horizon instead.")));
	for (int i = 0; i < call->count; i++)
	{
		const rnn_series *s = &call->model->series[call->series[i]];
		int			horizon = TIMESTAMP_IS_NOBEGIN(until) ? 0 :
			TIMESTAMP_IS_NOEND(until) ? RNN_MAX_HORIZON :
			steps_until(call->model, s, limit, clock->kind == RNN_CLOCK_TIMESTAMPTZ);

		/* One more step must be beyond it. */
		if (horizon == RNN_MAX_HORIZON)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("until \"%s\" is %d steps or more ahead",
							timestamptz_to_str(until), RNN_MAX_HORIZON)));
		CHECK_FOR_INTERRUPTS();
		/* A series that goes on beyond it already has nothing to forecast. */
		if (horizon == 0)
			continue;
		call->series[left] = call->series[i];
		call->horizon[left++] = horizon;
	}
	if (call->count > 0 && left == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("until \"%s\" is before the first step of the forecast",
						timestamptz_to_str(until))));
	call->count = left;
}

/* What must be known ahead is; series of which it isn't go as the options say. */
static void
check_covariates(ForecastCall *call)
{
	int			left = 0;

	for (int i = 0; i < call->count; i++)
	{
		AheadState	state = check_ahead(call->model, &call->model->series[call->series[i]], call->horizon[i], &call->options);

		CHECK_FOR_INTERRUPTS();
		if (state == AHEAD_SKIP)
			continue;
		call->series[left] = call->series[i];
		call->horizon[left] = call->horizon[i];
		call->lag[left] = call->lag[i];
		call->naive[left++] = state == AHEAD_NAIVE;
	}
	if (left < call->count)
		ereport(NOTICE,
				(errmsg("%d of %d series are left out, for want of covariates that are known ahead",
						call->count - left, call->count)));
	call->count = left;
}

/* The series as the engine is to see it. */
static rnn_series
prepared_series(const ForecastCall *call, int i)
{
	rnn_series	s = call->model->series[call->series[i]];

	if (call->naive[i])
	{
		s.x += s.n - 1;
		s.n = 1;
		s.covariates = NULL;
	}
	else
		fill_ahead(call->model, &s, call->horizon[i], call->options.covariate_gaps);
	return s;
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
	clock_place(&call->model->clock, s, end + step, &values[2], &nulls[2]);
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

/* --------------------------------------------------------------- batches */

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
work_bytes(const ForecastCall *call, int first, int count)
{
	int64		longest = 1;

	for (int i = first; i < first + count; i++)
		longest = Max(longest, call->model->series[call->series[i]].n);
	return forecast_work(call->model, count, longest, call->horizon[first]);
}

static Size
quantile_bytes(const ForecastCall *call, int first, int count)
{
	return sizeof(double) * Q * call->horizon[first] * (Size) count;
}

/* Series from `first` on that have one horizon and fit into memory. */
static int
plan_batch(const ForecastCall *call, int first, Size limit)
{
	int			count = 1;

	while (count < MAX_BATCH && first + count < call->count &&
		   call->horizon[first + count] == call->horizon[first])
		count++;
	while (count > 1 &&
		   work_bytes(call, first, count) + quantile_bytes(call, first, count) > limit)
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
forecast_batch(ForecastCall *call, int first, int count)
{
	Size		work = work_bytes(call, first, count),
				total = work + quantile_bytes(call, first, count);
	int			horizon = call->horizon[first];
	rnn_series *series;
	double	   *q;
	rnn_forecaster *forecaster;
	rnn_error	err;
	MemoryContext scratch,
				outer;

	if (total > memory_limit())
		report_memory(total);
	if (total > call->block_size)
	{
		if (call->block)
			pfree(call->block);
		call->block = MemoryContextAllocHuge(CurrentMemoryContext, total);
		call->block_size = total;
	}
	q = (double *) (call->block + work);
	scratch = AllocSetContextCreate(CurrentMemoryContext, "rnnforecast batch", ALLOCSET_DEFAULT_SIZES);
	outer = MemoryContextSwitchTo(scratch);
	series = palloc(sizeof(rnn_series) * count);
	for (int i = 0; i < count; i++)
		series[i] = prepared_series(call, first + i);
	/* Beyond the trained steps there is the mix, or a network that goes on with what it said. */
	if (call->model->config.terms)
		calendar_fill(&call->model->clock, series, count,
					  call->model->config.skip ? Min(horizon, call->model->config.horizon) : horizon);
	MemoryContextSwitchTo(outer);
	if (rnn_forecast_begin(call->model, series, count, horizon, call->block, work, q, &forecaster, &err) != RNN_OK)
		report_engine_error(&err);
	drive_forecast(forecaster);
	for (int i = 0; i < count; i++)
	{
		const rnn_series *own = &call->model->series[call->series[first + i]];
		int			lag = call->lag[first + i];
		int64		end = own->n - 1 + lag;
		rnn_tally	tally = {0};
		rnn_config	cfg = rnn_forecast_config(call->model, &tally, &series[i], series[i].n);

		put_history(call, own, end);
		put_forecast(call, own, &cfg, end, horizon - lag, q + ((Size) i * horizon + lag) * Q);
	}
	MemoryContextDelete(scratch);
}

/* No rows; says why, once in a statement. */
static void
forecast_nothing(FunctionCallInfo fcinfo, const char *why)
{
	if (tell_once(fcinfo, TOLD_NOTHING))
		ereport(NOTICE,
				(errmsg("nothing is forecast: %s", why)));
}

void
forecast_rows(FunctionCallInfo fcinfo, const rnn_model *model, Jsonb *options, const char *absent)
{
	ForecastCall call = {.model = model};
	double		level = level_argument(fcinfo, FORECAST_LEVEL, 0.9);
	int			horizon;

	call.history = get_history(fcinfo);
	tuples_begin(&call.rows, fcinfo, COLUMNS);
	if (model == NULL)
	{
		forecast_nothing(fcinfo, absent);
		return;
	}
	parse_forecast_options(options, model, &call.options);
	call.low = (1 - level) / 2;
	call.high = 1 - call.low;
	horizon = get_horizon(fcinfo);
	choose_series(fcinfo, &call);
	if (!PG_ARGISNULL(FORECAST_UNTIL))
		set_horizons_until(&call, PG_GETARG_TIMESTAMPTZ(FORECAST_UNTIL));
	else
		set_horizons(fcinfo, &call, horizon);
	check_covariates(&call);
	for (int first = 0, count; first < call.count; first += count)
	{
		CHECK_FOR_INTERRUPTS();
		count = plan_batch(&call, first, memory_limit());
		forecast_batch(&call, first, count);
	}
	if (call.shortened && tell_once(fcinfo, TOLD_SHORTENED))
		ereport(NOTICE,
				(errmsg("the model keeps less history than " INT64_FORMAT " rows", call.history)));
}

Jsonb *
forecast_options(FunctionCallInfo fcinfo)
{
	return PG_ARGISNULL(FORECAST_OPTIONS) ? NULL : PG_GETARG_JSONB_P(FORECAST_OPTIONS);
}

/* rnn_forecast(model, horizon, level, until, series, history, options) */
Datum
rnnforecast_rnn_forecast(PG_FUNCTION_ARGS)
{
	forecast_rows(fcinfo, fetch_model(fcinfo, 0, false), forecast_options(fcinfo), "the model is NULL");
	return (Datum) 0;
}
