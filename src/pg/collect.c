/*
 * collect.c
 *		Transition and combine functions: rows into states.
 *
 * NULL and NaN are missing points, infinity is an error.  Rows come in any
 * order where they have a time, and are sorted once, in the final function.
 */
#include "pg.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/primnodes.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

/* Once per call site: an ordered aggregate without ORDER BY takes rows as they come. */
static void
warn_unordered(FunctionCallInfo fcinfo)
{
	Aggref	   *aggref = AggGetAggref(fcinfo);

	if (fcinfo->flinfo->fn_extra)
		return;
	fcinfo->flinfo->fn_extra = fcinfo->flinfo;	/* any non-NULL mark */
	if (aggref && aggref->aggorder == NIL)
		ereport(WARNING,
				(errmsg("an aggregate over an ordered column was called without ORDER BY"),
				 errdetail("The rows are taken in the order in which the plan delivers them."),
				 errhint("Write rnn_train(value ORDER BY t), or rnn_train(t, value).")));
}

static char *
describe_row(RowForm form, int64 at, int64 n)
{
	rnn_clock	clock = {.kind = form};

	return form == FORM_ORDERED ? psprintf("row " INT64_FORMAT, n + 1) : clock_text(&clock, at);
}

static double
value_argument(FunctionCallInfo fcinfo, int argno, const RowState *state, int64 at)
{
	double		value;

	if (PG_ARGISNULL(argno))
		return NAN;
	value = PG_GETARG_FLOAT8(argno);
	if (isinf(value))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("the value at %s is %s", describe_row(state->form, at, state->n),
						value > 0 ? "infinite" : "negative infinite"),
				 errhint("Replace it by NULL, which is a missing point.")));
	return value;
}

/* Otherwise the plan would choose whose options count. */
static void
require_same_options(const Jsonb *a, const Jsonb *b)
{
	if (VARSIZE(a) == VARSIZE(b) && memcmp(a, b, VARSIZE(a)) == 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("options differ between the rows of one group"),
			 errhint("Pass the same options in every row, or GROUP BY them.")));
}

/* The options of a row that has some hold for all. */
static void
options_argument(FunctionCallInfo fcinfo, int argno, RowState *state)
{
	MemoryContext old;

	if (argno >= PG_NARGS() || PG_ARGISNULL(argno))
		return;
	if (state->options)
	{
		require_same_options(state->options, PG_GETARG_JSONB_P(argno));
		return;
	}
	old = MemoryContextSwitchTo(state->hdr.eoh_context);
	state->options = PG_GETARG_JSONB_P_COPY(argno);
	MemoryContextSwitchTo(old);
}

/* (state, value [, options]) */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_collect_ordered);
Datum
rnnforecast_rnn_collect_ordered(PG_FUNCTION_ARGS)
{
	RowState   *state = state_for_update(fcinfo, FORM_ORDERED);

	warn_unordered(fcinfo);
	options_argument(fcinfo, 2, state);
	state_add(state, state->n, value_argument(fcinfo, 1, state, state->n));
	PG_RETURN_DATUM(state_datum(state));
}

static void
check_time(Timestamp at, bool finite)
{
	if (!finite)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("a time is infinite"),
				 errhint("Filter such rows: WHERE isfinite(ts).")));
	/* Years before 1 have no calendar that people agree on. */
	if (at < INT64CONST(-63082281600000000))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("a time lies before the year 1")));
}

/* (state, time, value [, options]) for one type of time */
static Datum
collect_time(FunctionCallInfo fcinfo, RowForm form)
{
	RowState   *state = state_for_update(fcinfo, form);
	int64		at;

	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the time of a row is NULL"),
				 errhint("Filter such rows: WHERE ts IS NOT NULL.")));
	if (form == FORM_DATE)
	{
		DateADT		date = PG_GETARG_DATEADT(1);

		check_time(0, !DATE_NOT_FINITE(date));
		at = DatumGetTimestamp(DirectFunctionCall1(date_timestamp, DateADTGetDatum(date)));
	}
	else
		at = PG_GETARG_TIMESTAMP(1);
	check_time(at, !TIMESTAMP_NOT_FINITE(at));
	options_argument(fcinfo, 3, state);
	state_add(state, at, value_argument(fcinfo, 2, state, at));
	return state_datum(state);
}

PG_FUNCTION_INFO_V1(rnnforecast_rnn_collect_date);
Datum
rnnforecast_rnn_collect_date(PG_FUNCTION_ARGS)
{
	return collect_time(fcinfo, FORM_DATE);
}

PG_FUNCTION_INFO_V1(rnnforecast_rnn_collect_timestamp);
Datum
rnnforecast_rnn_collect_timestamp(PG_FUNCTION_ARGS)
{
	return collect_time(fcinfo, FORM_TIMESTAMP);
}

PG_FUNCTION_INFO_V1(rnnforecast_rnn_collect_timestamptz);
Datum
rnnforecast_rnn_collect_timestamptz(PG_FUNCTION_ARGS)
{
	return collect_time(fcinfo, FORM_TIMESTAMPTZ);
}

PG_FUNCTION_INFO_V1(rnnforecast_rnn_collect_combine);
Datum
rnnforecast_rnn_collect_combine(PG_FUNCTION_ARGS)
{
	RowState   *more = state_for_reading(fcinfo, 1);
	RowState   *state;

	if (more == NULL)
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	state = state_for_update(fcinfo, more->form);
	for (int64 i = 0; i < more->n; i++)
	{
		if ((i & 0xffff) == 0)
			CHECK_FOR_INTERRUPTS();
		state_add(state, more->rows[i].at, more->rows[i].value);
	}
	if (state->options && more->options)
		require_same_options(state->options, more->options);
	if (state->options == NULL && more->options)
	{
		MemoryContext old = MemoryContextSwitchTo(state->hdr.eoh_context);

		state->options = (Jsonb *) PG_DETOAST_DATUM_COPY(JsonbPGetDatum(more->options));
		MemoryContextSwitchTo(old);
	}
	PG_RETURN_DATUM(state_datum(state));
}
