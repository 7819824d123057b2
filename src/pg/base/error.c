/*
 * error.c
 *		The one table from the engine's errors to SQLSTATE, message and hint.
 */
#include "pg/base/base.h"

#include "miscadmin.h"

/* Whole numbers as such, others short. */
static char *
number_text(double x)
{
	return psprintf("%.10g", x);
}

static void
refuse_value(const rnn_error *err, bool option)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg(option ? "option \"%s\" must be between %s and %s, not %s" : "%s must be between %s and %s, not %s", err->what,
					number_text(err->low), number_text(err->high), number_text(err->value)),
			 option ? errhint("The view rnn_options lists all options and their values.") : 0));
}

void
report_engine_error(const rnn_error *err)
{
	switch (err->status)
	{
		case RNN_ERR_OPTION:
		case RNN_ERR_RANGE:
			refuse_value(err, err->status == RNN_ERR_OPTION);
			break;
		case RNN_ERR_CONFLICT:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s", err->what),
					 err->value != 0 || err->high != 0 ?
					 errdetail("The values are %s and %s.", number_text(err->value), number_text(err->high)) : 0,
					 errhint("The view rnn_options lists all options and their values.")));
			break;
		case RNN_ERR_DATA:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s", err->what),
					 errhint("Give more rows, or leave out the option that turns the mix of references off.")));
			break;
		case RNN_ERR_MEMORY:
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("%s needs more memory than rnnforecast.max_memory allows", err->what),
					 errdetail("The limit is %d MB.", rnnforecast_max_memory / 1024),
					 errhint("Raise rnnforecast.max_memory, or set one of the options \"context\", \"batch\", \"horizon\" and \"hidden\" to a smaller value.")));
			break;
		case RNN_ERR_CORRUPT:
			ereport(ERROR,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("model bytes are damaged: %s", err->what),
					 errhint("Use a value that rnn_train, rnn_history or rnn_observe returned, unchanged.")));
			break;
		case RNN_ERR_VERSION:
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("the model has %s %s, this server reads up to %s", err->what,
							number_text(err->value), number_text(err->high)),
					 errhint("Upgrade rnnforecast on this server.")));
			break;
		case RNN_ERR_NUMERIC:
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("%s is %s", err->what, number_text(err->value)),
					 errhint("Set the option \"learning_rate\" to a lower value, or set the option \"clip\".")));
			break;
		case RNN_ERR_STOPPED:
			CHECK_FOR_INTERRUPTS();
			ereport(ERROR, (errcode(ERRCODE_QUERY_CANCELED), errmsg("canceling statement: %s was stopped", err->what)));
			break;
		case RNN_OK:
			break;
	}
	elog(ERROR, "unexpected engine status %d", (int) err->status);
}

void
report_memory(const char *purpose, Size bytes)
{
	rnn_error	err;

	rnn_fail(&err, RNN_ERR_MEMORY, purpose, (double) bytes, 0, (double) memory_limit());
	report_engine_error(&err);
}

void *
limited_memory(Size bytes, const char *purpose)
{
	if (bytes > memory_limit())
		report_memory(purpose, bytes);
	return palloc_extended(Max(bytes, 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}
