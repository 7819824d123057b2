/*
 * query.c
 *		rnn_forecast_query: from the text of a query to the forecast of its rows,
 *		one call for tools that can only send one.
 *
 * The query becomes a subquery (columns.c) of a statement that trains and
 * forecasts.  It runs with the caller's rights, read-only.
 */
#include "columns.h"
#include "read.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#define COLUMNS 10				/* of rnn_forecast_row */
#define FETCH 1000				/* rows at once */

enum
{
	ARG_QUERY, ARG_HORIZON, ARG_LEVEL, ARG_UNTIL, ARG_SERIES, ARG_HISTORY, ARG_OPTIONS, ARG_MODEL, ARGS
};

static const Oid arg_types[ARGS] = {
	TEXTOID, INT8OID, FLOAT8OID, TIMESTAMPTZOID, TEXTARRAYOID, INT8OID, JSONBOID, BYTEAOID
};

PG_FUNCTION_INFO_V1(rnnforecast_rnn_forecast_query);

/*
 * Models are trained anew, by default none: the prior forecasts.  Parameters
 * have the numbers of the arguments, and the last holds the options as they came; the schema is the extension's own.
 */
static char *
statement(const QueryColumns *columns, Oid schema, bool has_model, bool has_bins)
{
	const char *name = quote_identifier(get_namespace_name(schema));
	StringInfoData s;

	initStringInfo(&s);
	if (has_model)
		appendStringInfo(&s, "SELECT f.* FROM (SELECT %s.rnn_observe($8, h.m) AS m FROM (%s) AS h",
						 name, query_call(columns, schema, "rnn_history", has_bins ? "$7" : ""));
	else
		appendStringInfo(&s, "SELECT f.* FROM (%s", query_call(columns, schema, "rnn_train", "$7 OPERATOR(pg_catalog.-) 'align'::pg_catalog.text"));
	appendStringInfo(&s, ") AS t, %s.rnn_forecast(t.m, $2, $3, $4, $5, $6, CASE WHEN $9 OPERATOR(pg_catalog.?) 'align'"
					 " THEN pg_catalog.jsonb_build_object('align', $9 OPERATOR(pg_catalog.->) 'align') END) AS f", name);
	return s.data;
}

/* Whether the options say what is forecast by; the prior has no calendar. */
static bool
chooses_method(Jsonb *options)
{
	static const char *const keys[] = {"start", "network", "skip"};
	JsonbValue	name = {.type = jbvString,.val.string = {.len = strlen("calendar"),.val = "calendar"}},
			   *calendar = findJsonbValueFromContainer(&options->root, JB_FOBJECT, &name);

	if (calendar && calendar->type == jbvBool && calendar->val.boolean)
		return true;

	for (size_t i = 0; i < lengthof(keys); i++)
		if (names_option(options, keys[i]))
			return true;
	return false;
}

/* Rows for a model with bins go into the same; NULL where it has none. */
static Jsonb *
bins_of(const rnn_model *model)
{
	const rnn_clock *clock = &model->clock;
	const char *step = clock_step_text(clock);

	if (clock->bin == RNN_BIN_NONE)
		return NULL;
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(clock_has_times(clock) ?
		psprintf("{\"bin\": \"%s\", \"step\": \"%s\", \"timezone\": \"%s\"}", bin_names[clock->bin], step, clock->zone) :
		psprintf("{\"bin\": \"%s\", \"step\": %s}", bin_names[clock->bin], step))));
}

/* No option but that of rnn_forecast. */
static bool
only_aligns(Jsonb *options)
{
	return JB_ROOT_IS_OBJECT(options) && JB_ROOT_COUNT(options) == (names_option(options, "align") ? 1 : 0) &&
		JB_ROOT_COUNT(options) > 0;
}

/* What is trained: nothing, for the horizon asked for, unless the options say otherwise. */
static Datum
training_options(FunctionCallInfo fcinfo, bool covariates)
{
	Jsonb	   *given = PG_ARGISNULL(ARG_OPTIONS) ? NULL : PG_GETARG_JSONB_P(ARG_OPTIONS);
	StringInfoData s;
	Datum		base;

	/* A list is refused where options are read. */
	if (given && !JB_ROOT_IS_OBJECT(given))
		return JsonbPGetDatum(given);
	initStringInfo(&s);
	appendStringInfo(&s, "{\"horizon\": ");
	if (PG_ARGISNULL(ARG_HORIZON))
		appendStringInfoString(&s, "null");
	else
		appendStringInfo(&s, INT64_FORMAT, Min(Max(PG_GETARG_INT64(ARG_HORIZON), 1), RNN_MAX_TRAINED));
	/* Of covariates only a network knows something. */
	if (!covariates && (given == NULL || !chooses_method(given)))
		appendStringInfoString(&s, ", \"start\": \"prior\"");
	appendStringInfoChar(&s, '}');
	base = DirectFunctionCall1(jsonb_in, CStringGetDatum(s.data));
	return given ? DirectFunctionCall2(jsonb_concat, base, JsonbPGetDatum(given)) : base;
}

/* rnn_forecast_query(query, horizon, level, until, series, history, options, model) */
Datum
rnnforecast_rnn_forecast_query(PG_FUNCTION_ARGS)
{
	Rows		rows;
	char	   *query;
	Oid			types[ARGS + 1];
	Datum		values[ARGS + 1];
	char		nulls[ARGS + 1];
	bool		has_model = !PG_ARGISNULL(ARG_MODEL);
	Jsonb	   *bins = NULL;
	QueryColumns columns;
	Portal		portal;

	rows_begin(&rows, fcinfo, COLUMNS);
	if (PG_ARGISNULL(ARG_QUERY))
		return (Datum) 0;
	if (has_model && !PG_ARGISNULL(ARG_OPTIONS) && !only_aligns(PG_GETARG_JSONB_P(ARG_OPTIONS)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options and model exclude each other"),
				 errdetail("Options are those of the training; a model is trained already.")));
	query = text_to_cstring(PG_GETARG_TEXT_PP(ARG_QUERY));
	memcpy(types, arg_types, sizeof(arg_types));
	for (int i = 0; i < ARGS; i++)
	{
		values[i] = PG_GETARG_DATUM(i);
		nulls[i] = PG_ARGISNULL(i) ? 'n' : ' ';
	}
	/* As they came: what is for rnn_forecast is taken from these. */
	types[ARGS] = JSONBOID;
	values[ARGS] = values[ARG_OPTIONS];
	nulls[ARGS] = nulls[ARG_OPTIONS];
	if (has_model)
		bins = bins_of(fetch_model(fcinfo, ARG_MODEL, false));
	SPI_connect();
	query_columns(query, &columns);
	values[ARG_OPTIONS] = has_model ? JsonbPGetDatum(bins) : training_options(fcinfo, columns.covariates);
	nulls[ARG_OPTIONS] = has_model && bins == NULL ? 'n' : ' ';
	portal = SPI_cursor_open_with_args(NULL, statement(&columns, get_func_namespace(fcinfo->flinfo->fn_oid), has_model, bins != NULL),
									   ARGS + 1, types, values, nulls, true, CURSOR_OPT_PARALLEL_OK);
	for (;;)
	{
		SPI_cursor_fetch(portal, true, FETCH);
		if (SPI_processed == 0)
			break;
		for (uint64 i = 0; i < SPI_processed; i++)
		{
			Datum		row[COLUMNS];
			bool		row_nulls[COLUMNS];

			CHECK_FOR_INTERRUPTS();
			heap_deform_tuple(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, row, row_nulls);
			rows_put(&rows, row, row_nulls);
		}
		SPI_freetuptable(SPI_tuptable);
	}
	SPI_cursor_close(portal);
	SPI_finish();
	return (Datum) 0;
}
