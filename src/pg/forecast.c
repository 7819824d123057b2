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
#include "pg.h"
#include "read.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define Q RNN_QUANTILES
#define MAX_BATCH 64
#define COLUMNS 10				/* of rnn_forecast_row */

/* Arguments of rnn_forecast, by number. */
enum
{
	ARG_MODEL, ARG_HORIZON, ARG_LEVEL, ARG_UNTIL, ARG_SERIES, ARG_HISTORY, ARG_OPTIONS
};

PG_FUNCTION_INFO_V1(rnnforecast_rnn_forecast);
PG_FUNCTION_INFO_V1(rnnforecast_rnn_forecast_support);

/* A checked call. */
typedef struct ForecastCall
{
	const rnn_model *model;
	double		low,
				high;			/* probabilities of lower and upper */
	int64		history;		/* rows of history before each forecast */
	int			count;			/* series that are forecast */
	int		   *series;			/* (count) their numbers in the model */
	int		   *horizon;		/* (count) steps of each */
	bool		shortened;		/* some history was shorter than asked for */
	char	   *block;			/* memory of a batch, kept for the next: fresh pages are slow */
	Size		block_size;
	Rows		rows;
} ForecastCall;

/* ------------------------------------------------------------- arguments */

static double
get_level(FunctionCallInfo fcinfo)
{
	double		level = PG_ARGISNULL(ARG_LEVEL) ? 0.9 : PG_GETARG_FLOAT8(ARG_LEVEL);

	if (!(level > 0 && level < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("level must be above 0 and below 1, not %g", level)));
	return level;
}

/* Steps to forecast, 0 if `until` says it. */
static int
get_horizon(FunctionCallInfo fcinfo, const rnn_model *model)
{
	int64		horizon;

	if (PG_ARGISNULL(ARG_HORIZON))
		return PG_ARGISNULL(ARG_UNTIL) ? model->config.horizon : 0;
	horizon = PG_GETARG_INT64(ARG_HORIZON);
	if (horizon < 1 || horizon > RNN_MAX_HORIZON)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("horizon must be between 1 and %d, not " INT64_FORMAT,
						RNN_MAX_HORIZON, horizon)));
	if (!PG_ARGISNULL(ARG_UNTIL))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("horizon and until exclude each other"),
				 errhint("Pass one of them.")));
	return (int) horizon;
}

static int64
get_history(FunctionCallInfo fcinfo)
{
	int64		history = PG_ARGISNULL(ARG_HISTORY) ? 0 : PG_GETARG_INT64(ARG_HISTORY);

	if (history < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("history must not be negative, not " INT64_FORMAT, history)));
	return history;
}

/* There are no options yet: an object without keys, or nothing. */
static void
check_options(FunctionCallInfo fcinfo)
{
	Jsonb	   *options;
	JsonbIterator *it;
	JsonbValue	v;

	if (PG_ARGISNULL(ARG_OPTIONS))
		return;
	options = PG_GETARG_JSONB_P(ARG_OPTIONS);
	if (!JB_ROOT_IS_OBJECT(options))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options must be a JSON object")));
	it = JsonbIteratorInit(&options->root);
	(void) JsonbIteratorNext(&it, &v, true);	/* the object */
	if (JsonbIteratorNext(&it, &v, true) == WJB_KEY)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unrecognized option \"%s\" of rnn_forecast",
						pnstrdup(v.val.string.val, v.val.string.len)),
				 errdetail("Allowed options: none in this version."),
				 errhint("Options of the training are passed to rnn_train.")));
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

	if (!PG_ARGISNULL(ARG_SERIES))
		named = series_named(model, PG_GETARG_ARRAYTYPE_P(ARG_SERIES));
	call->series = palloc(sizeof(int) * Max(model->n_series, 1));
	call->horizon = palloc0(sizeof(int) * Max(model->n_series, 1));
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

/* The last step that is not after `until`, by bisection. */
static int
steps_until(const rnn_model *model, const rnn_series *s, TimestampTz until)
{
	int			low = 0,
				high = 1;

	while (high <= RNN_MAX_HORIZON &&
		   clock_instant(&model->clock, step_time(model, s, high)) <= until)
	{
		low = high;
		high *= 2;
	}
	while (high - low > 1)
	{
		int			middle = low + (high - low) / 2;

		if (middle <= RNN_MAX_HORIZON &&
			clock_instant(&model->clock, step_time(model, s, middle)) <= until)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static void
set_horizons_until(ForecastCall *call, TimestampTz until)
{
	int			left = 0;

	if (!clock_has_times(&call->model->clock))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("until needs a model with times"),
				 errdetail("The rows of this model are numbered."),
				 errhint("Pass horizon instead.")));
	for (int i = 0; i < call->count; i++)
	{
		const rnn_series *s = &call->model->series[call->series[i]];
		int			horizon = TIMESTAMP_IS_NOBEGIN(until) ? 0 :
			TIMESTAMP_IS_NOEND(until) ? RNN_MAX_HORIZON : steps_until(call->model, s, until);

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

/* ---------------------------------------------------------------- output */

/* Columns that a row of history and one of the forecast share. */
static void
put_place(const ForecastCall *call, const rnn_series *s, int step, Datum *values, bool *nulls)
{
	const rnn_clock *clock = &call->model->clock;

	memset(nulls, true, COLUMNS);
	if (s->name != NULL)
	{
		values[0] = PointerGetDatum(cstring_to_text_with_len(s->name, s->name_len));
		nulls[0] = false;
	}
	values[1] = Int32GetDatum(step);
	nulls[1] = false;
	if (!clock_has_times(clock))
	{
		values[4] = Int64GetDatum(clock_position(clock, s, s->n - 1 + step));
		nulls[4] = false;
	}
	else
	{
		int64		at = step_time(call->model, s, step);

		values[2] = TimestampTzGetDatum(clock_instant(clock, at));
		values[3] = TimestampGetDatum(clock_local(clock, at));
		nulls[2] = nulls[3] = false;
	}
}

static void
put_history(ForecastCall *call, const rnn_series *s)
{
	int64		rows = Min(call->history, s->n);

	call->shortened |= rows < call->history;
	for (int64 i = s->n - rows; i < s->n; i++)
	{
		Datum		values[COLUMNS] = {0};
		bool		nulls[COLUMNS];
		MemoryContext old = MemoryContextSwitchTo(call->rows.scratch);

		CHECK_FOR_INTERRUPTS();
		put_place(call, s, (int) (i + 1 - s->n), values, nulls);
		values[5] = Float8GetDatum(s->x[i]);
		nulls[5] = isnan(s->x[i]);
		MemoryContextSwitchTo(old);
		rows_put(&call->rows, values, nulls);
	}
}

/* q is (horizon, Q) */
static void
put_forecast(ForecastCall *call, const rnn_series *s, int horizon, const double *q)
{
	for (int j = 0; j < horizon; j++, q += Q)
	{
		Datum		values[COLUMNS] = {0},
					levels[Q];
		bool		nulls[COLUMNS];
		MemoryContext old = MemoryContextSwitchTo(call->rows.scratch);

		CHECK_FOR_INTERRUPTS();
		put_place(call, s, j + 1, values, nulls);
		for (int k = 0; k < Q; k++)
			levels[k] = Float8GetDatum(q[k]);
		values[6] = Float8GetDatum(q[RNN_MEDIAN]);
		values[7] = Float8GetDatum(quantile_at(q, call->low));
		values[8] = Float8GetDatum(quantile_at(q, call->high));
		values[9] = PointerGetDatum(construct_array(levels, Q, FLOAT8OID, sizeof(float8),
													FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
		nulls[6] = nulls[7] = nulls[8] = nulls[9] = false;
		MemoryContextSwitchTo(old);
		rows_put(&call->rows, values, nulls);
	}
}

/* --------------------------------------------------------------- batches */

/* Bytes for the engine's work on series[first .. first + count). */
static Size
work_bytes(const ForecastCall *call, int first, int count)
{
	int64		longest = 1;
	size_t		bytes;
	rnn_error	err;

	for (int i = first; i < first + count; i++)
		longest = Max(longest, call->model->series[call->series[i]].n);
	if (rnn_forecast_size(call->model, count, longest, call->horizon[first],
						  &bytes, &err) != RNN_OK)
		report_engine_error(&err);
	return MAXALIGN(bytes);
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

static void
forecast_batch(ForecastCall *call, int first, int count)
{
	Size		work = work_bytes(call, first, count),
				total = work + quantile_bytes(call, first, count);
	rnn_series *series = palloc(sizeof(rnn_series) * count);
	int			horizon = call->horizon[first];
	double	   *q;
	rnn_error	err;

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
	for (int i = 0; i < count; i++)
		series[i] = call->model->series[call->series[first + i]];
	for (int done = 0; done < horizon;)
	{
		CHECK_FOR_INTERRUPTS();
		if (rnn_forecast_step(call->model, series, count, horizon, call->block, work,
							  &done, q, &err) != RNN_OK)
			report_engine_error(&err);
	}
	for (int i = 0; i < count; i++)
	{
		put_history(call, &series[i]);
		put_forecast(call, &series[i], horizon, q + (Size) i * horizon * Q);
	}
	pfree(series);
}

/* rnn_forecast(model, horizon, level, until, series, history, options) */
Datum
rnnforecast_rnn_forecast(PG_FUNCTION_ARGS)
{
	ForecastCall call = {0};
	double		level = get_level(fcinfo);
	int			horizon;

	call.history = get_history(fcinfo);
	check_options(fcinfo);
	rows_begin(&call.rows, fcinfo, COLUMNS);
	if (PG_ARGISNULL(ARG_MODEL))
		return (Datum) 0;
	call.model = fetch_model(fcinfo, ARG_MODEL, false);
	call.low = (1 - level) / 2;
	call.high = 1 - call.low;
	horizon = get_horizon(fcinfo, call.model);
	choose_series(fcinfo, &call);
	if (horizon == 0)
		set_horizons_until(&call, PG_GETARG_TIMESTAMPTZ(ARG_UNTIL));
	else
		for (int i = 0; i < call.count; i++)
			call.horizon[i] = horizon;
	for (int first = 0, count; first < call.count; first += count)
	{
		CHECK_FOR_INTERRUPTS();
		count = plan_batch(&call, first, memory_limit());
		forecast_batch(&call, first, count);
	}
	if (call.shortened)
		ereport(NOTICE,
				(errmsg("the model keeps less history than " INT64_FORMAT " rows", call.history)));
	return (Datum) 0;
}

/* -------------------------------------------------------------- planning */

/* The constant that an argument comes down to, or `otherwise`. */
static double
constant_argument(PlannerInfo *root, List *args, int number, double otherwise)
{
	Node	   *arg;

	if (number >= list_length(args))
		return otherwise;
	arg = estimate_expression_value(root, list_nth(args, number));
	if (!IsA(arg, Const) || ((Const *) arg)->constisnull)
		return otherwise;
	return (double) DatumGetInt64(((Const *) arg)->constvalue);
}

/* Number of names in `series`, 1 where it isn't known. */
static double
constant_series(PlannerInfo *root, List *args)
{
	Node	   *arg;

	if (ARG_SERIES >= list_length(args))
		return 1;
	arg = estimate_expression_value(root, list_nth(args, ARG_SERIES));
	if (!IsA(arg, Const) || ((Const *) arg)->constisnull)
		return 1;
	return Max(ArrayGetNItems(ARR_NDIM(DatumGetArrayTypeP(((Const *) arg)->constvalue)),
							  ARR_DIMS(DatumGetArrayTypeP(((Const *) arg)->constvalue))), 1);
}

/* Rows of a call with a constant horizon. */
Datum
rnnforecast_rnn_forecast_support(PG_FUNCTION_ARGS)
{
	Node	   *node = (Node *) PG_GETARG_POINTER(0);
	SupportRequestRows *request = (SupportRequestRows *) node;
	List	   *args;
	double		horizon;

	if (!IsA(node, SupportRequestRows) || !is_funcclause(request->node))
		PG_RETURN_POINTER(NULL);
	args = ((FuncExpr *) request->node)->args;
	horizon = constant_argument(request->root, args, ARG_HORIZON, 0);
	if (horizon < 1 || horizon > RNN_MAX_HORIZON)
		PG_RETURN_POINTER(NULL);
	request->rows = constant_series(request->root, args) *
		(horizon + Max(constant_argument(request->root, args, ARG_HISTORY, 0), 0));
	PG_RETURN_POINTER(node);
}
