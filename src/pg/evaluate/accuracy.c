/*
 * accuracy.c
 *		The state of rnn_accuracy: sums over rows of a forecast and what came.
 *
 * Every measure is a quotient of two sums (docs/accuracy-metrics.md has the
 * formulas and where they come from), so states of parts of the rows add up.
 * Each sum is kept as two numbers, high + low, of which the low one takes what
 * an addition rounds off (Knuth 1969, two-sum): the order of the rows shows
 * nowhere above 1e-12 of the sum of absolute values, and in practice nowhere.
 *
 * NULL and NaN are values that are not there.  Without actual or forecast a
 * row counts in no measure, without another value in none that needs it.
 *
 * The state is bytea, so that any planner may send it around, flat, of one
 * size, and changed in place.  Anyone may build an aggregate over these
 * functions with an initial state of his own: its size and mark are checked in
 * each call, its contents before anything is told of them.
 */
#include "pg/evaluate/evaluate.h"

#include <math.h>

#include "access/htup_details.h"
#include "common/int.h"
#include "funcapi.h"
#include "utils/float.h"

#define ACCURACY_MAGIC 0x41434331	/* "1CCA" */

typedef enum Count
{
	COUNT_ROWS, COUNT_LEFT_OUT, COUNT_PERCENT, COUNT_SYMMETRIC, COUNT_SCALED, COUNT_SCALED_PINBALL,
	COUNT_INTERVAL, COUNT_COVERED, COUNT_SCALED_INTERVAL, COUNTS
} Count;

typedef enum Total
{
	TOTAL_ERROR, TOTAL_ABSOLUTE, TOTAL_SQUARE, TOTAL_ACTUAL, TOTAL_PERCENT, TOTAL_SYMMETRIC, TOTAL_SCALED,
	TOTAL_SCALED_SQUARE, TOTAL_PINBALL, TOTAL_PINBALL_ACTUAL, TOTAL_SCALED_PINBALL, TOTAL_WIDTH,
	TOTAL_SCALED_INTERVAL, TOTAL_NAIVE, TOTAL_NAIVE_OWN, TOTALS
} Total;

typedef struct Sum
{
	double		high,
				low;
} Sum;

typedef struct Accuracy
{
	int32		vl_len_;
	int32		magic;
	int64		count[COUNTS];
	Sum			total[TOTALS];
} Accuracy;

StaticAssertDecl(sizeof(Accuracy) == 8 + 8 * COUNTS + 16 * TOTALS, "the state has no padding");

/* ------------------------------------------------------------------- sums */

static void
sum_add(Sum *sum, double x)
{
	double		high = sum->high + x,
				taken = high - sum->high;

	sum->low += (sum->high - (high - taken)) + (x - taken);
	sum->high = high;
	if (unlikely(!isfinite(high)))
		float_overflow_error();
}

static double
sum_value(const Sum *sum)
{
	return sum->high + sum->low;
}

/* ------------------------------------------------------------------ states */

static Accuracy *
check_size(Accuracy *a)
{
	if (VARSIZE(a) != sizeof(Accuracy) || a->magic != ACCURACY_MAGIC)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("these bytes are not a state of rnn_accuracy")));
	return a;
}

static void
check_contents(const Accuracy *a)
{
	bool		sound = true;

	for (int i = 0; i < COUNTS; i++)
		sound &= a->count[i] >= 0 && (i <= COUNT_LEFT_OUT || a->count[i] <= a->count[COUNT_ROWS]);
	sound &= a->count[COUNT_COVERED] <= a->count[COUNT_INTERVAL];
	for (int i = 0; i < TOTALS; i++)
		sound &= isfinite(a->total[i].high) && isfinite(a->total[i].low);
	sound &= sum_value(&a->total[TOTAL_SQUARE]) >= 0 && sum_value(&a->total[TOTAL_SCALED_SQUARE]) >= 0;
	if (!sound)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the state of rnn_accuracy is damaged")));
}

static void
refuse_call(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("this function only works inside of an aggregate"),
			 errhint("Call rnn_accuracy.")));
}

/* The first argument, to be changed in place; a new one for NULL. */
static Accuracy *
state_in_place(FunctionCallInfo fcinfo)
{
	MemoryContext context,
				old;
	Accuracy   *a;

	if (!AggCheckCallContext(fcinfo, &context))
		refuse_call();
	if (!PG_ARGISNULL(0) && !VARATT_IS_EXTENDED(PG_GETARG_POINTER(0)))
		return check_size((Accuracy *) PG_GETARG_POINTER(0));
	old = MemoryContextSwitchTo(context);
	if (!PG_ARGISNULL(0))
		a = check_size((Accuracy *) PG_GETARG_BYTEA_P_COPY(0));
	else
	{
		a = palloc0(sizeof(Accuracy));
		SET_VARSIZE(a, sizeof(Accuracy));
		a->magic = ACCURACY_MAGIC;
	}
	MemoryContextSwitchTo(old);
	return a;
}

/* An argument that is only read: a copy, since its place may not suit numbers; false for NULL. */
static bool
state_to_read(FunctionCallInfo fcinfo, int argno, Accuracy *a)
{
	bytea	   *bytes;

	if (!AggCheckCallContext(fcinfo, NULL))
		refuse_call();
	memset(a, 0, sizeof(*a));
	if (PG_ARGISNULL(argno))
		return false;
	bytes = PG_GETARG_BYTEA_P(argno);
	memcpy(a, bytes, Min(VARSIZE(bytes), sizeof(*a)));
	SET_VARSIZE(a, VARSIZE(bytes));
	check_contents(check_size(a));
	return true;
}

/* -------------------------------------------------------------------- rows */

/* Loss of quantiles, twice the pinball as everywhere, averaged over their levels; NaN where one is not there. */
static double
mean_pinball(const Judged *row)
{
	Sum			sum = {0};

	for (int k = 0; k < row->n; k++)
	{
		double		above = row->actual - row->quantiles[k];

		if (isnan(above))
			return NAN;
		sum_add(&sum, 2 * (above > 0 ? row->levels[k] * above : (row->levels[k] - 1) * above));
	}
	return row->n > 0 ? sum_value(&sum) / row->n : NAN;
}

/* Width, and what lies outside by its share (Gneiting and Raftery 2007). */
static double
interval_score(const Judged *row)
{
	double		outside = fmax(fmax(row->lower - row->actual, row->actual - row->upper), 0);

	return row->upper - row->lower + 2 / (1 - row->level) * outside;
}

static void
add_scaled(Accuracy *a, const Judged *row, double error, double pinball)
{
	double		scaled = error / row->scale;

	a->count[COUNT_SCALED]++;
	sum_add(&a->total[TOTAL_SCALED], fabs(scaled));
	sum_add(&a->total[TOTAL_SCALED_SQUARE], scaled * scaled);
	if (!isnan(pinball))
	{
		a->count[COUNT_SCALED_PINBALL]++;
		sum_add(&a->total[TOTAL_SCALED_PINBALL], pinball / row->scale);
	}
	if (!isnan(row->lower) && !isnan(row->upper))
	{
		a->count[COUNT_SCALED_INTERVAL]++;
		sum_add(&a->total[TOTAL_SCALED_INTERVAL], interval_score(row) / row->scale);
	}
}

static void
add_error(Accuracy *a, const Judged *row, double error)
{
	double		size = fabs(row->actual),
				both = size / 2 + fabs(row->forecast) / 2;

	a->count[COUNT_ROWS]++;
	sum_add(&a->total[TOTAL_ERROR], error);
	sum_add(&a->total[TOTAL_ABSOLUTE], fabs(error));
	sum_add(&a->total[TOTAL_SQUARE], error * error);
	sum_add(&a->total[TOTAL_ACTUAL], size);
	if (size > 0)
	{
		a->count[COUNT_PERCENT]++;
		sum_add(&a->total[TOTAL_PERCENT], fabs(error) / size);
	}
	if (both > 0)
	{
		a->count[COUNT_SYMMETRIC]++;
		sum_add(&a->total[TOTAL_SYMMETRIC], fabs(error) / both);
	}
}

static void
add_row(Accuracy *a, const Judged *row)
{
	double		error = row->forecast - row->actual,
				pinball = mean_pinball(row);

	add_error(a, row, error);
	if (!isnan(pinball))
	{
		sum_add(&a->total[TOTAL_PINBALL], pinball);
		sum_add(&a->total[TOTAL_PINBALL_ACTUAL], fabs(row->actual));
	}
	if (!isnan(row->lower) && !isnan(row->upper))
	{
		a->count[COUNT_INTERVAL]++;
		a->count[COUNT_COVERED] += row->lower <= row->actual && row->actual <= row->upper;
		sum_add(&a->total[TOTAL_WIDTH], row->upper - row->lower);
	}
	if (!isnan(row->naive))
	{
		sum_add(&a->total[TOTAL_NAIVE], distance(row->naive, row->actual));
		sum_add(&a->total[TOTAL_NAIVE_OWN], fabs(error));
	}
	if (row->scale > 0)
		add_scaled(a, row, error, pinball);
	else
		a->count[COUNT_LEFT_OUT] += row->scale == 0;
}

static void
refuse_infinity(const char *what, double x)
{
	if (isinf(x))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("%s is %s", what, x > 0 ? "infinite" : "negative infinite"),
				 errhint("Replace it by NULL, which means that the value is missing.")));
}

static void
check_row(const Judged *row)
{
	refuse_infinity("actual", row->actual);
	refuse_infinity("forecast", row->forecast);
	refuse_infinity("lower", row->lower);
	refuse_infinity("upper", row->upper);
	refuse_infinity("scale", row->scale);
	refuse_infinity("naive", row->naive);
	for (int k = 0; k < row->n; k++)
		refuse_infinity("a quantile", row->quantiles[k]);
	if (row->scale < 0)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("scale must be 0 or more, not %g", row->scale)));
}

Datum
accuracy_add(FunctionCallInfo fcinfo, const Judged *row)
{
	Accuracy   *a = state_in_place(fcinfo);

	check_row(row);
	if (isnan(row->actual) || isnan(row->forecast))
		a->count[COUNT_LEFT_OUT]++;
	else
		add_row(a, row);
	PG_RETURN_POINTER(a);
}

/* (state, more) -> the state of the rows of both */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_accuracy_combine);
Datum
rnnforecast_rnn_accuracy_combine(PG_FUNCTION_ARGS)
{
	Accuracy	more,
			   *a = state_in_place(fcinfo);

	if (!state_to_read(fcinfo, 1, &more))
		PG_RETURN_POINTER(a);
	for (int i = 0; i < COUNTS; i++)
		if (pg_add_s64_overflow(a->count[i], more.count[i], &a->count[i]))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("bigint out of range")));
	for (int i = 0; i < TOTALS; i++)
	{
		sum_add(&a->total[i], more.total[i].high);
		a->total[i].low += more.total[i].low;
	}
	PG_RETURN_POINTER(a);
}

/* ----------------------------------------------------------------- results */

/* The next column: a quotient, NULL where there is nothing to divide by. */
static void
put_quotient(Datum *values, bool *nulls, int *column, double above, double below)
{
	double		x = below > 0 ? above / below : 0;

	if (unlikely(isinf(x)))
		float_overflow_error();
	nulls[*column] = !(below > 0);
	values[(*column)++] = Float8GetDatum(x);
}

static void
put_root(Datum *values, bool *nulls, int *column, double above, double below)
{
	put_quotient(values, nulls, column, above, below);
	values[*column - 1] = Float8GetDatum(sqrt(DatumGetFloat8(values[*column - 1])));
}

#define ACCURACY_COLUMNS 16

static void
put_measures(const Accuracy *a, Datum *values, bool *nulls)
{
	const int64 *n = a->count;
	double		t[TOTALS];
	int			c = 2;

	for (int i = 0; i < TOTALS; i++)
		t[i] = sum_value(&a->total[i]);
	values[0] = Int64GetDatum(n[COUNT_ROWS]);
	values[1] = Int64GetDatum(n[COUNT_LEFT_OUT]);
	put_quotient(values, nulls, &c, t[TOTAL_ABSOLUTE], n[COUNT_ROWS]);	/* mae */
	put_root(values, nulls, &c, t[TOTAL_SQUARE], n[COUNT_ROWS]);	/* rmse */
	put_quotient(values, nulls, &c, t[TOTAL_ERROR], n[COUNT_ROWS]); /* bias */
	put_quotient(values, nulls, &c, t[TOTAL_ABSOLUTE], t[TOTAL_ACTUAL]);	/* wape */
	put_quotient(values, nulls, &c, t[TOTAL_PERCENT], n[COUNT_PERCENT]);	/* mape */
	put_quotient(values, nulls, &c, t[TOTAL_SYMMETRIC], n[COUNT_SYMMETRIC]);	/* smape */
	put_quotient(values, nulls, &c, t[TOTAL_SCALED], n[COUNT_SCALED]);	/* mase */
	put_root(values, nulls, &c, t[TOTAL_SCALED_SQUARE], n[COUNT_SCALED]);	/* rmsse */
	put_quotient(values, nulls, &c, t[TOTAL_PINBALL], t[TOTAL_PINBALL_ACTUAL]); /* wql */
	put_quotient(values, nulls, &c, t[TOTAL_SCALED_PINBALL], n[COUNT_SCALED_PINBALL]);	/* sql */
	put_quotient(values, nulls, &c, n[COUNT_COVERED], n[COUNT_INTERVAL]);	/* coverage */
	put_quotient(values, nulls, &c, t[TOTAL_WIDTH], n[COUNT_INTERVAL]); /* width */
	put_quotient(values, nulls, &c, t[TOTAL_SCALED_INTERVAL], n[COUNT_SCALED_INTERVAL]);	/* msis */
	put_quotient(values, nulls, &c, t[TOTAL_NAIVE] - t[TOTAL_NAIVE_OWN], t[TOTAL_NAIVE]);	/* skill */
}

/* (state) -> rnn_accuracy_row */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_accuracy_final);
Datum
rnnforecast_rnn_accuracy_final(PG_FUNCTION_ARGS)
{
	Accuracy	a;
	TupleDesc	desc;
	Datum		values[ACCURACY_COLUMNS];
	bool		nulls[ACCURACY_COLUMNS] = {false};

	(void) state_to_read(fcinfo, 0, &a);
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE || desc->natts != ACCURACY_COLUMNS)
		elog(ERROR, "rnn_accuracy returns no row of %d columns", ACCURACY_COLUMNS);
	put_measures(&a, values, nulls);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}
