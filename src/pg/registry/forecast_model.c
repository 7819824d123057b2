/*
 * forecast_model.c
 *		rnn_forecast_model, rnn_anomalies_model, rnn_backtest_model: a forecast by
 *		the live version of a named model, which of its rows are odd, and what
 *		trainings like its own would have forecast.
 */
#include "pg/registry/registry.h"
#include "pg/train/train.h"
#include "pg/evaluate/evaluate.h"
#include "pg/paths/paths.h"

#include "executor/spi.h"

/* Takes an option that is true or false out of the others. */
static bool
take_flag(Jsonb **options, const char *name)
{
	JsonbValue *v = json_field(*options, name);
	bool		flag;

	if (v == NULL)
		return false;
	if (v->type != jbvBool)
		wrong_value(name, "true or false", v);
	flag = v->val.boolean;
	*options = json_without(*options, name);
	return flag;
}

/* The rows that its query has now: a history; NULL where there are none. */
static bytea *
fresh_rows(const Registry *registry, const NamedModel *m)
{
	if (m->query == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("model \"%s\" has no query to get fresh rows from", m->name)));
	return query_history(registry, m);
}

/* The live version with them. */
static bytea *
refresh(FunctionCallInfo fcinfo, const Registry *registry, const NamedModel *m, bytea *bytes)
{
	bytea	   *rows = fresh_rows(registry, m);
	const rnn_model *model = decode_model(bytes),
			   *history = rows ? decode_model(rows) : NULL;

	if (history == NULL)
		return NULL;
	doubt_scale(fcinfo, model, history);
	return observe_history(model, history);
}

/* Out of the memory that ends with SPI. */
static bytea *
kept(const bytea *bytes)
{
	return bytes ? memcpy(SPI_palloc(VARSIZE(bytes)), bytes, VARSIZE(bytes)) : NULL;
}

/* Functions that forecast by a model, NULL where the query has no rows. */
typedef void (*Forecasting) (FunctionCallInfo fcinfo, const rnn_model *model, Jsonb *options, const char *absent);

/* By the live version of the name in argument 0, from its own rows or, with the option "fresh", from today's. */
static Datum
forecast_by_name(FunctionCallInfo fcinfo, int options_at, Forecasting forecast)
{
	Registry	registry;
	Jsonb	   *options = options_argument(fcinfo, options_at);
	bool		fresh = take_flag(&options, "fresh");
	NamedModel *m;
	bytea	   *bytes;

	refuse_null(fcinfo, 0, "name");
	m = connect_model(fcinfo, &registry, fresh ? NEED_OWNER : NEED_READ, true);
	bytes = live_bytes(&registry, m, true);
	if (fresh)
		bytes = refresh(fcinfo, &registry, m, bytes);
	bytes = kept(bytes);
	SPI_finish();
	forecast(fcinfo, bytes ? decode_model(bytes) : NULL, options, "the query has no rows");
	return (Datum) 0;
}

/* (name, horizon, level, until, series, history, options) -> rows of rnn_forecast */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_forecast_model);
Datum
rnnforecast_rnn_forecast_model(PG_FUNCTION_ARGS)
{
	return forecast_by_name(fcinfo, FORECAST_OPTIONS, forecast_rows);
}

/* The same of sample paths; options come last. */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_simulate_model);
Datum
rnnforecast_rnn_simulate_model(PG_FUNCTION_ARGS)
{
	return forecast_by_name(fcinfo, PG_NARGS() - 1, simulate_rows);
}

PG_FUNCTION_INFO_V1(rnnforecast_rnn_forecast_total_model);
Datum
rnnforecast_rnn_forecast_total_model(PG_FUNCTION_ARGS)
{
	return forecast_by_name(fcinfo, PG_NARGS() - 1, total_rows);
}

PG_FUNCTION_INFO_V1(rnnforecast_rnn_chance_model);
Datum
rnnforecast_rnn_chance_model(PG_FUNCTION_ARGS)
{
	return forecast_by_name(fcinfo, PG_NARGS() - 1, chance_rows);
}

PG_FUNCTION_INFO_V1(rnnforecast_rnn_reconcile_model);
Datum
rnnforecast_rnn_reconcile_model(PG_FUNCTION_ARGS)
{
	return forecast_by_name(fcinfo, PG_NARGS() - 1, reconcile_rows);
}

/* (name, level, options) -> rows of rnn_anomalies: those that the model keeps, or all that its query has now */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_anomalies_model);
Datum
rnnforecast_rnn_anomalies_model(PG_FUNCTION_ARGS)
{
	enum {LEVEL = 1, OPTIONS};
	Registry	registry;
	Jsonb	   *given = PG_ARGISNULL(OPTIONS) ? NULL : PG_GETARG_JSONB_P(OPTIONS);
	bool		fresh = take_flag(&given, "fresh");
	double		level = level_argument(fcinfo, LEVEL, ANOMALY_LEVEL);
	AnomalyOptions options;
	NamedModel *m;
	bytea	   *bytes,
			   *rows;

	refuse_null(fcinfo, 0, "name");
	parse_anomaly_options(given, &options);
	if (options.tidying)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options of rnn_history and a named model cannot be used together"),
				 errhint("Pass them to rnn_fit.")));
	m = connect_model(fcinfo, &registry, fresh ? NEED_OWNER : NEED_READ, true);
	bytes = kept(live_bytes(&registry, m, true));
	rows = fresh ? kept(fresh_rows(&registry, m)) : bytes;
	SPI_finish();
	anomaly_rows(fcinfo, rows ? decode_model(rows) : NULL, bytes ? decode_model(bytes) : NULL, level, &options,
				 "the query has no rows");
	return (Datum) 0;
}

/*
 * (name, horizon, cutoffs, options) -> rows of rnn_backtest: by a training like
 * the model's own before the earliest cutoff; with the option "live" by the live
 * version, whose weights may know what came.
 */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_backtest_model);
Datum
rnnforecast_rnn_backtest_model(PG_FUNCTION_ARGS)
{
	Registry	registry;
	Backtest	b;
	Jsonb	   *given = PG_ARGISNULL(3) ? json_from("{}") : PG_GETARG_JSONB_P(3),
			   *options;
	bool		live = take_flag(&given, "live");
	NamedModel *m;
	bytea	   *rows,
			   *model = NULL;

	given = take_backtest_options(given, &b);
	refuse_null(fcinfo, 0, "name");
	get_backtest_arguments(fcinfo, &b);
	if (live)
		refuse_training(given, &b);
	m = connect_model(fcinfo, &registry, NEED_OWNER, true);
	rows = kept(fresh_rows(&registry, m));
	if (live)
		model = kept(live_bytes(&registry, m, true));
	options = (Jsonb *) kept((bytea *) m->options);
	SPI_finish();
	if (rows == NULL)
		backtest_nothing(fcinfo, "the query has no rows");
	else
		backtest_rows(fcinfo, decode_model(rows), model ? decode_model(model) : NULL, json_merge(options, given), &b);
	return (Datum) 0;
}
