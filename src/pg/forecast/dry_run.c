/*
 * dry_run.c
 *		rnn_estimate: what a training on the rows of a query would take.
 *
 * The query runs, and its rows are collected as for a training, so that rows,
 * series, points and the time to read them are measured here and now.  Of the
 * training only what the engine foresees is told.  Seconds are that by rates
 * that were measured on one core with AVX-512; docs/scaling.md says how, and
 * how far off the estimates were.
 */
#include "pg/forecast/forecast.h"
#include "pg/train/train.h"

#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#define COLUMNS 10
/* Measured: multiplications and additions a second, and seconds a frame, a point, and a series. */
#define RATE 40e9
#define FRAME_SECONDS 40e-6
#define POINT_SECONDS 2e-6
#define SERIES_SECONDS 1e-4

enum { ARG_QUERY, ARG_HORIZON, ARG_OPTIONS };

/* Options of the training that a model of the query would have. */
static Jsonb *
training_of(FunctionCallInfo fcinfo, Jsonb *given)
{
	if (PG_ARGISNULL(ARG_HORIZON))
		return given ? given : json_from("{}");
	return json_merge(given ? given : json_from("{}"),
					  json_from(psprintf("{\"horizon\": %d}", check_horizon(PG_GETARG_INT64(ARG_HORIZON)))));
}

static const char *
what_is_trained(const rnn_outlook *o)
{
	if (o->networks == 0)
		return "nothing";
	return o->networks == 1 ? psprintf("one network of %lld parameters", (long long) o->params) :
		psprintf("%d networks of up to %lld parameters", o->networks, (long long) o->params);
}

static double
seconds_of(const TrainingSize *size)
{
	return size->outlook.work / RATE + size->outlook.frames * FRAME_SECONDS + size->points * POINT_SECONDS +
		size->series * SERIES_SECONDS;
}

static void
put_estimate(FunctionCallInfo fcinfo, int64 rows, const TrainingSize *size, double reading)
{
	Tuples		out;
	Datum		values[COLUMNS];
	bool		nulls[COLUMNS] = {false};
	double		seconds = seconds_of(size),
				ceiling = size->seconds;

	tuples_begin(&out, fcinfo, COLUMNS);
	values[0] = Int64GetDatum(rows);
	values[1] = Int32GetDatum(size->series);
	values[2] = Int64GetDatum(size->points);
	values[3] = CStringGetTextDatum(size->step);
	values[4] = CStringGetTextDatum(what_is_trained(&size->outlook));
	values[5] = Int32GetDatum(size->outlook.steps);
	values[6] = Int64GetDatum((int64) size->memory);
	values[7] = Int64GetDatum((int64) memory_limit());
	values[8] = Float8GetDatum(reading);
	values[9] = Float8GetDatum(ceiling > 0 ? Min(ceiling, seconds) : seconds);
	tuples_put(&out, values, nulls);
}

/* (query, horizon, options) -> one row */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_estimate);
Datum
rnnforecast_rnn_estimate(PG_FUNCTION_ARGS)
{
	Jsonb	   *given = options_argument(fcinfo, ARG_OPTIONS),
			   *options;
	List	   *keys = take_keys(&given);
	rnn_config	cfg;
	ServerOptions server;
	QueryColumns columns;
	TrainingSize size;
	TimestampTz start;
	int64		rows;
	double		reading;
	bytea	   *history;

	options = training_of(fcinfo, given);
	parse_options(options, &cfg, &server);
	if (PG_ARGISNULL(ARG_QUERY))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("query must not be NULL")));
	SPI_connect();
	query_columns(text_to_cstring(PG_GETARG_TEXT_PP(ARG_QUERY)), keys, &columns);
	columns.rows = &rows;
	start = GetCurrentTimestamp();
	history = query_aggregate(&columns, fcinfo->flinfo->fn_oid, "rnn_history", history_options(options));
	reading = (GetCurrentTimestamp() - start) / 1e6;
	SPI_finish();
	if (history == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the query has no rows")));
	size_training(decode_model(history), options, &size);
	put_estimate(fcinfo, rows, &size, reading);
	return (Datum) 0;
}
