/*
 * names.c
 *		Series of a model by their names, and a model without some of them.
 */
#include "pg.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

static bool
has_name(const rnn_series *s, text *name)
{
	return s->name != NULL && s->name_len == (int) VARSIZE_ANY_EXHDR(name) &&
		memcmp(s->name, VARDATA_ANY(name), s->name_len) == 0;
}

static void
unknown_series(const rnn_model *model, text *name)
{
	bool		unnamed = model->n_series == 1 && model->series[0].name == NULL;

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("model has no series \"%s\"", text_to_cstring(name)),
			 unnamed ? errdetail("Its only series has no name.") :
			 errhint("rnn_series lists the series of a model.")));
}

bool *
series_named(const rnn_model *model, ArrayType *names)
{
	bool	   *named = palloc0(Max(model->n_series, 1));
	Datum	   *values;
	bool	   *nulls;
	int			count;

	deconstruct_array(names, TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls, &count);
	for (int i = 0; i < count; i++)
	{
		text	   *name;
		bool		found = false;

		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("series must not contain NULL")));
		name = DatumGetTextPP(values[i]);
		/* To the end: forged bytes may have a name twice. */
		for (int k = 0; k < model->n_series; k++)
			if (has_name(&model->series[k], name))
				found = named[k] = true;
		if (!found)
			unknown_series(model, name);
		CHECK_FOR_INTERRUPTS();
	}
	return named;
}

/*
 * (model, names) -> the model without the rows and names of these series.
 * All else is kept, so what the weights have learned from them is too.
 */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_forget);
Datum
rnnforecast_rnn_forget(PG_FUNCTION_ARGS)
{
	const rnn_model *model = fetch_model(fcinfo, 0, true);
	bool	   *forgotten = series_named(model, PG_GETARG_ARRAYTYPE_P(1));
	rnn_series *kept = palloc_extended(sizeof(rnn_series) * Max(model->n_series, 1), MCXT_ALLOC_HUGE);
	rnn_model	result = *model;

	result.n_series = 0;
	result.series = kept;
	for (int k = 0; k < model->n_series; k++)
		if (!forgotten[k])
			kept[result.n_series++] = model->series[k];
	PG_RETURN_BYTEA_P(store_model(&result));
}
