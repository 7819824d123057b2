/*
 * accuracy_row.c
 *		What rnn_accuracy is given: values by their position, or a row whose
 *		columns go by their names.
 *
 * An aggregate has no named arguments.  So what comes by position is a
 * beginning of one list, with NULL for what is not there; whoever has a few of
 * the later ones only gives a row: (SELECT ... AS actual, ... AS naive) r.
 */
#include "pg/evaluate/evaluate.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "utils/array.h"

#define USUAL_LEVEL 0.9			/* of an interval, as rnn_forecast has it */

/* Arguments after the state, and columns of a row; the last two by name alone. */
enum
{
	GIVEN_ACTUAL, GIVEN_FORECAST, GIVEN_LOWER, GIVEN_UPPER, GIVEN_QUANTILES, GIVEN_SCALE, GIVEN_NAIVE,
	GIVEN_LEVEL, GIVEN_LEVELS, GIVEN
};

static const RowWish columns[GIVEN] = {
	[GIVEN_ACTUAL] = {"actual", ROW_NUMBER, true},
	[GIVEN_FORECAST] = {"forecast", ROW_NUMBER, true},
	[GIVEN_LOWER] = {"lower", ROW_NUMBER, false},
	[GIVEN_UPPER] = {"upper", ROW_NUMBER, false},
	[GIVEN_QUANTILES] = {"quantiles", ROW_NUMBERS, false},
	[GIVEN_SCALE] = {"scale", ROW_NUMBER, false},
	[GIVEN_NAIVE] = {"naive", ROW_NUMBER, false},
	[GIVEN_LEVEL] = {"level", ROW_NUMBER, false},
	[GIVEN_LEVELS] = {"levels", ROW_NUMBERS, false},
};

static const RowWishes wishes = {
	columns, GIVEN, "Name the columns: rnn_accuracy(r) FROM (SELECT sales AS actual, plan AS forecast FROM ...) r."
};

/* Numbers of an array; what is NULL in it is NaN. */
static double *
array_numbers(Datum datum, int *n)
{
	ArrayType  *array = DatumGetArrayTypeP(datum);
	Datum	   *values;
	bool	   *nulls;
	double	   *x;

	deconstruct_array(array, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &values, &nulls, n);
	x = palloc(sizeof(double) * Max(*n, 1));
	for (int k = 0; k < *n; k++)
		x[k] = nulls[k] ? NAN : DatumGetFloat8(values[k]);
	return x;
}

static void
check_level(const char *what, double level)
{
	if (!(level > 0 && level < 1))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("%s must be above 0 and below 1, not %g", what, level)));
}

static void
set_quantiles(Judged *row, const Datum *values, const bool *nulls)
{
	int			levels = RNN_QUANTILES;

	if (nulls[GIVEN_QUANTILES])
		return;
	row->quantiles = array_numbers(values[GIVEN_QUANTILES], &row->n);
	row->levels = nulls[GIVEN_LEVELS] ? rnn_quantile_levels : array_numbers(values[GIVEN_LEVELS], &levels);
	if (row->n != levels)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("there are %d quantiles and %d levels", row->n, levels),
				 nulls[GIVEN_LEVELS] ?
				 errhint("Quantiles are at the levels of rnn_quantile_levels(). Pass other levels in the column \"levels\" of a row: rnn_accuracy(r) FROM (SELECT ... AS quantiles, '{0.1,0.5,0.9}'::float8[] AS levels) r.") : 0));
	for (int k = 0; k < levels; k++)
		check_level("a level of a quantile", row->levels[k]);
}

static Datum
add_given(FunctionCallInfo fcinfo, const Datum *values, const bool *nulls)
{
	Judged		row = {.level = USUAL_LEVEL};

#define NUMBER(which) (nulls[which] ? NAN : DatumGetFloat8(values[which]))
	row.actual = NUMBER(GIVEN_ACTUAL);
	row.forecast = NUMBER(GIVEN_FORECAST);
	row.lower = NUMBER(GIVEN_LOWER);
	row.upper = NUMBER(GIVEN_UPPER);
	row.scale = NUMBER(GIVEN_SCALE);
	row.naive = NUMBER(GIVEN_NAIVE);
#undef NUMBER
	if (!nulls[GIVEN_LEVEL])
		row.level = DatumGetFloat8(values[GIVEN_LEVEL]);
	check_level("level", row.level);
	set_quantiles(&row, values, nulls);
	return accuracy_add(fcinfo, &row);
}

/* (state, actual, forecast [, lower, upper [, quantiles [, scale [, naive]]]]) */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_accuracy_step);
Datum
rnnforecast_rnn_accuracy_step(PG_FUNCTION_ARGS)
{
	Datum		values[GIVEN] = {0};
	bool		nulls[GIVEN];

	memset(nulls, true, sizeof(nulls));
	for (int i = 0; i < Min(PG_NARGS() - 1, GIVEN_LEVEL); i++)
	{
		nulls[i] = PG_ARGISNULL(i + 1);
		values[i] = PG_GETARG_DATUM(i + 1);
	}
	return add_given(fcinfo, values, nulls);
}

/* (state, row) */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_accuracy_step_row);
Datum
rnnforecast_rnn_accuracy_step_row(PG_FUNCTION_ARGS)
{
	Datum		values[GIVEN] = {0};
	bool		nulls[GIVEN];

	(void) row_argument(fcinfo, 1, &wishes, values, nulls);
	return add_given(fcinfo, values, nulls);
}
