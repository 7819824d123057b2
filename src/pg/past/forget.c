/*
 * forget.c
 *		A model without some of its series.
 */
#include "pg/past/past.h"

static void
refuse_sum(const rnn_series *s)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("series \"%s\" is a sum of others", text_of_name(series_name(s))),
			 errhint("Forget the series that it is a sum of.")));
}

/* All but the marked series; all else is kept, so what the weights have learned from them is too. */
static bytea *
without(const rnn_model *model, const bool *forgotten)
{
	rnn_series *kept = palloc_extended(sizeof(rnn_series) * Max(model->n_series, 1), MCXT_ALLOC_HUGE);
	rnn_model	result = *model;

	result.n_series = 0;
	result.series = kept;
	for (int k = 0; k < model->n_series; k++)
	{
		if (forgotten[k] && model->series[k].sum)
			refuse_sum(&model->series[k]);
		if (!forgotten[k])
			kept[result.n_series++] = model->series[k];
	}
	if (model->hierarchy.asked.len > 0)
	{
		renew_sums(&result, true);
		keep_method(&result, model);
	}
	return store_model(&result);
}

/* (model, names) -> the model without the rows and names of these series */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_forget);
Datum
rnnforecast_rnn_forget(PG_FUNCTION_ARGS)
{
	const rnn_model *model = fetch_model(fcinfo, 0, true);

	PG_RETURN_BYTEA_P(without(model, series_named(model, PG_GETARG_ARRAYTYPE_P(1), false)));
}

bytea *
forget_series(const rnn_model *model, ArrayType *names)
{
	bool	   *forgotten = series_named(model, names, true);

	for (int k = 0; k < model->n_series; k++)
		if (forgotten[k])
			return without(model, forgotten);
	return NULL;
}
