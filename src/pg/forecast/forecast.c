/*
 * forecast.c
 *		rnn_forecast: from a model to rows.
 *
 * The arguments are checked first, all of them (choice.c), then the series are
 * forecast in batches (batches.c).
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

/* q is (rows, Q) and mean (rows) or NULL, from the step after point `end` of the series on; cfg is the series' own. */
static void
put_forecast(ForecastCall *call, const rnn_series *s, const rnn_config *cfg, int64 end, int count, const double *q, const double *mean)
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
		values[10] = Float8GetDatum(mean ? mean[j] : rnn_quantile_mean(cfg, q));
		nulls[6] = nulls[7] = nulls[8] = nulls[9] = nulls[10] = false;
		MemoryContextSwitchTo(old);
		tuples_put(&call->rows, values, nulls);
	}
}

/* Rows of one series, which is forecast. */
static void
take_rows(void *taker, int i, const rnn_config *cfg, const double *q, const double *mean)
{
	ForecastCall *call = taker;
	const ForecastChoice *choice = &call->choice;
	const rnn_series *s = chosen_series(choice, i);
	int64		end = s->n - 1 + choice->lag[i];

	put_history(call, s, end);
	put_forecast(call, s, cfg, end, choice->horizon[i] - choice->lag[i], q, mean);
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
