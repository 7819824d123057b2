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

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#define USUAL_LEVEL 0.9			/* of an interval, as rnn_forecast has it */

/* Arguments after the state, and columns of a row; the last two by name alone. */
enum
{
	GIVEN_ACTUAL, GIVEN_FORECAST, GIVEN_LOWER, GIVEN_UPPER, GIVEN_QUANTILES, GIVEN_SCALE, GIVEN_NAIVE,
	GIVEN_LEVEL, GIVEN_LEVELS, GIVEN
};

static const char *const given_names[GIVEN] = {
	"actual", "forecast", "lower", "upper", "quantiles", "scale", "naive", "level", "levels"
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
				 errhint("The levels are rnn_quantile_levels(); others are the column \"levels\" of a row: "
						 "rnn_accuracy(r) FROM (SELECT ... AS quantiles, '{0.1,0.5,0.9}'::float8[] AS levels) r.") : 0));
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

/* --------------------------------------------------------------- by a row */

/* Where the columns of a type of rows are; once per call site. */
typedef struct RowColumns
{
	Oid			type;
	int32		typmod;
	TupleDesc	desc;
	Datum	   *values;			/* (natts) */
	bool	   *nulls;
	int			at[GIVEN];		/* -1: there is none */
	PGFunction	number[GIVEN];	/* to float8; NULL: it is one */
} RowColumns;

static void
refuse_column(const char *name, const char *wanted, Oid type)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("column \"%s\" must be %s, not %s", name, wanted, format_type_be(type)),
			 errhint("Cast it.")));
}

static PGFunction
to_number(const char *name, Oid type)
{
	switch (getBaseType(type))
	{
		case FLOAT8OID:
			return NULL;
		case FLOAT4OID:
			return ftod;
		case INT2OID:
			return i2tod;
		case INT4OID:
			return i4tod;
		case INT8OID:
			return i8tod;
		case NUMERICOID:
			return numeric_float8;
	}
	refuse_column(name, "a number", type);
	return NULL;
}

static void
find_column(RowColumns *c, int which)
{
	const char *name = given_names[which];
	bool		array = which == GIVEN_QUANTILES || which == GIVEN_LEVELS;

	c->at[which] = -1;
	for (int i = 0; i < c->desc->natts; i++)
	{
		Form_pg_attribute a = TupleDescAttr(c->desc, i);

		if (a->attisdropped || strcmp(NameStr(a->attname), name) != 0)
			continue;
		c->at[which] = i;
		if (!array)
			c->number[which] = to_number(name, a->atttypid);
		else if (getBaseType(a->atttypid) != FLOAT8ARRAYOID)
			refuse_column(name, "double precision[]", a->atttypid);
	}
	if (c->at[which] < 0 && which <= GIVEN_FORECAST)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("the row has no column \"%s\"", name),
				 errhint("Name the columns: rnn_accuracy(r) FROM (SELECT sales AS actual, plan AS forecast FROM ...) r.")));
}

static void
forget_columns(RowColumns *c)
{
	FreeTupleDesc(c->desc);
	pfree(c->values);
	pfree(c->nulls);
	pfree(c);
}

static RowColumns *
row_columns(FunctionCallInfo fcinfo, HeapTupleHeader row)
{
	RowColumns *c = fcinfo->flinfo->fn_extra;
	Oid			type = HeapTupleHeaderGetTypeId(row);
	int32		typmod = HeapTupleHeaderGetTypMod(row);
	TupleDesc	desc;
	MemoryContext old;

	if (c && c->type == type && c->typmod == typmod)
		return c;
	if (c)
		forget_columns(c);
	fcinfo->flinfo->fn_extra = NULL;
	old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	c = palloc0(sizeof(RowColumns));
	desc = lookup_rowtype_tupdesc(type, typmod);
	c->desc = CreateTupleDescCopy(desc);
	ReleaseTupleDesc(desc);
	c->type = type;
	c->typmod = typmod;
	c->values = palloc(sizeof(Datum) * Max(c->desc->natts, 1));
	c->nulls = palloc(sizeof(bool) * Max(c->desc->natts, 1));
	for (int which = 0; which < GIVEN; which++)
		find_column(c, which);
	MemoryContextSwitchTo(old);
	return fcinfo->flinfo->fn_extra = c;
}

/* (state, row) */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_accuracy_step_row);
Datum
rnnforecast_rnn_accuracy_step_row(PG_FUNCTION_ARGS)
{
	Datum		values[GIVEN] = {0};
	bool		nulls[GIVEN];

	memset(nulls, true, sizeof(nulls));
	if (!PG_ARGISNULL(1))
	{
		HeapTupleHeader row = PG_GETARG_HEAPTUPLEHEADER(1);
		RowColumns *c = row_columns(fcinfo, row);
		HeapTupleData tuple = {.t_len = HeapTupleHeaderGetDatumLength(row),.t_data = row};

		ItemPointerSetInvalid(&tuple.t_self);
		heap_deform_tuple(&tuple, c->desc, c->values, c->nulls);
		for (int i = 0; i < GIVEN; i++)
		{
			nulls[i] = c->at[i] < 0 || c->nulls[c->at[i]];
			if (!nulls[i])
				values[i] = c->number[i] ? DirectFunctionCall1(c->number[i], c->values[c->at[i]]) : c->values[c->at[i]];
		}
	}
	return add_given(fcinfo, values, nulls);
}
