/*
 * query.c
 *		rnn_forecast_query: from the text of a query to the forecast of its rows,
 *		one call for tools that can only send one.
 *
 * The query becomes a subquery (query_columns.c) of a statement that trains, or
 * collects rows for a model.  It runs with the caller's rights, read-only.
 * Models are trained anew, by default none: the prior forecasts.
 */
#include "pg/forecast/forecast.h"
#include "pg/train/train.h"

#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

enum { ARG_QUERY, ARG_MODEL = FORECAST_OPTIONS + 1 };

PG_FUNCTION_INFO_V1(rnnforecast_rnn_forecast_query);

/* Whether the options say what is forecast by; the prior has no calendar. */
static bool
chooses_method(Jsonb *options)
{
	static const char *const methods[] = {"start", "network", "skip"};
	JsonbValue *calendar = json_field(options, "calendar");

	if (calendar && calendar->type == jbvBool && calendar->val.boolean)
		return true;
	for (size_t i = 0; i < lengthof(methods); i++)
		if (json_field(options, methods[i]))
			return true;
	return false;
}

Jsonb *
bins_of(const rnn_model *model)
{
	const rnn_clock *clock = &model->clock;
	const char *step = clock_step_text(clock);

	if (clock->bin == RNN_BIN_NONE)
		return NULL;
	return json_from(clock_has_times(clock) ?
					 psprintf("{\"bin\": \"%s\", \"step\": \"%s\", \"timezone\": \"%s\"}", bin_names[clock->bin], step, clock->zone) :
					 psprintf("{\"bin\": \"%s\", \"step\": %s}", bin_names[clock->bin], step));
}

/* No option but that of rnn_forecast. */
static bool
only_aligns(Jsonb *options)
{
	return JB_ROOT_IS_OBJECT(options) && JB_ROOT_COUNT(options) == (json_field(options, "align") ? 1 : 0) &&
		JB_ROOT_COUNT(options) > 0;
}

/* The option of rnn_forecast among them, alone; NULL where it is not. */
static Jsonb *
align_option(Jsonb *options)
{
	JsonbValue *v = json_field(options, "align");

	return v ? json_from(psprintf("{\"align\": %s}", JsonbToCString(NULL, &JsonbValueToJsonb(v)->root, 0))) : NULL;
}

Jsonb *
default_training(int64 horizon, Jsonb *given, bool covariates)
{
	StringInfoData s;

	/* A list is refused where options are read. */
	if (given && !JB_ROOT_IS_OBJECT(given))
		return given;
	initStringInfo(&s);
	appendStringInfoString(&s, "{\"horizon\": ");
	if (horizon == 0)
		appendStringInfoString(&s, "null");
	else
		appendStringInfo(&s, INT64_FORMAT, Min(Max(horizon, 1), RNN_MAX_TRAINED));
	/* Of covariates a network knows more than the regression. */
	if (!covariates && (given == NULL || !chooses_method(given)))
		appendStringInfoString(&s, ", \"start\": \"prior\"");
	appendStringInfoChar(&s, '}');
	return given ? json_merge(json_from(s.data), given) : json_from(s.data);
}

static Jsonb *
training_options(FunctionCallInfo fcinfo, Jsonb *given, bool covariates)
{
	int64		horizon = PG_ARGISNULL(FORECAST_HORIZON) ? 0 : Max(PG_GETARG_INT64(FORECAST_HORIZON), 1);

	return default_training(horizon, given && JB_ROOT_IS_OBJECT(given) ? json_without(given, "align") : given, covariates);
}

/* Trained on the rows of the query, or given them; NULL where there are none. */
static const rnn_model *
model_of_query(FunctionCallInfo fcinfo, const rnn_model *given, List *keys, Jsonb *options)
{
	Oid			function = fcinfo->flinfo->fn_oid;
	QueryColumns columns;
	const rnn_model *model;
	bytea	   *bytes;

	SPI_connect();
	query_columns(text_to_cstring(PG_GETARG_TEXT_PP(ARG_QUERY)), keys, &columns);
	bytes = given ? query_aggregate(&columns, function, "rnn_history", bins_of(given)) :
		query_aggregate(&columns, function, "rnn_train", training_options(fcinfo, options, columns.covariates));
	SPI_finish();
	if (bytes == NULL)
		return NULL;
	model = decode_model(bytes);
	if (given == NULL)
		return model;
	doubt_scale(fcinfo, given, model);
	return decode_model(observe_history(given, model));
}

/* rnn_forecast_query(query, horizon, level, until, series, history, options, model) */
Datum
rnnforecast_rnn_forecast_query(PG_FUNCTION_ARGS)
{
	const rnn_model *given = fetch_model(fcinfo, ARG_MODEL, false);
	Jsonb	   *options = options_argument(fcinfo, FORECAST_OPTIONS);
	List	   *keys = take_keys(&options);

	if (PG_ARGISNULL(ARG_QUERY))
		forecast_rows(fcinfo, NULL, NULL, "the query is NULL");
	else if (given && options && !(JB_ROOT_IS_OBJECT(options) && keys && JB_ROOT_COUNT(options) == 0) && !only_aligns(options))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options and model cannot be used together"),
				 errdetail("Options are for the training, and the model is trained already. Only \"align\" and \"keys\" are for the forecast.")));
	else
		forecast_rows(fcinfo, model_of_query(fcinfo, given, keys, options), align_option(options), "the query has no rows");
	return (Datum) 0;
}
