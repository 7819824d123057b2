/*
 * forecast_model.c
 *		rnn_forecast_model: a forecast by the live version of a named model.
 */
#include "pg/registry/registry.h"
#include "pg/train/train.h"
#include "pg/forecast/forecast.h"

#include "executor/spi.h"

/* Takes "fresh" out of the options; the rest goes to rnn_forecast. */
static bool
take_fresh(Jsonb **options)
{
	JsonbValue *v = json_field(*options, "fresh");
	bool		fresh;

	if (v == NULL)
		return false;
	if (v->type != jbvBool)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"fresh\" must be true or false")));
	fresh = v->val.boolean;
	*options = json_without(*options, "fresh");
	return fresh;
}

/* The live version with the rows that its query has now; NULL where it has none. */
static bytea *
refresh(const Registry *registry, const NamedModel *m, bytea *bytes)
{
	bytea	   *rows;

	if (m->query == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("model \"%s\" has no query to get fresh rows from", m->name)));
	rows = query_history(registry, model_owner(m), m->query, m->settings, history_options(m->options));
	return rows ? observe_history(decode_model(bytes), decode_model(rows)) : NULL;
}

/* (name, horizon, level, until, series, history, options) -> rows of rnn_forecast */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_forecast_model);
Datum
rnnforecast_rnn_forecast_model(PG_FUNCTION_ARGS)
{
	Registry	registry;
	Jsonb	   *options = forecast_options(fcinfo);
	bool		fresh = take_fresh(&options);
	NamedModel *m;
	bytea	   *bytes,
			   *copy = NULL;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("name must not be NULL")));
	m = connect_model(fcinfo, &registry, fresh ? NEED_OWNER : NEED_READ, true);
	bytes = live_bytes(&registry, m, true);
	if (fresh)
		bytes = refresh(&registry, m, bytes);
	if (bytes)
		copy = memcpy(SPI_palloc(VARSIZE(bytes)), bytes, VARSIZE(bytes));
	SPI_finish();
	forecast_rows(fcinfo, copy ? decode_model(copy) : NULL, options, "the query has no rows");
	return (Datum) 0;
}
