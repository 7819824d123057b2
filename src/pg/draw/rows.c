/*
 * rows.c
 *		Rows to be drawn, by the names of their columns: a time or a number
 *		(local_ts, ts, position, step), actual or value, forecast or expected, lower,
 *		upper, quantiles, is_anomaly, series, cutoff.
 */
#include "pg/draw/draw.h"

#include <math.h>

#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define FIRST_ROWS 256
#define ROWS_AT_ONCE 1000
#define INNER_LOW 4				/* quantiles 0.2 and 0.8 */
#define INNER_HIGH (RNN_QUANTILES - 1 - INNER_LOW)
#define MOST_VALUE 1e300
#define FIRST_TIME (-1998 * 365.25 * USECS_PER_DAY)	/* the year 2 */
#define LAST_TIME (100000 * 365.25 * USECS_PER_DAY)

enum
{
	DRAW_LOCAL, DRAW_TS, DRAW_POSITION, DRAW_STEP, DRAW_ACTUAL, DRAW_VALUE, DRAW_FORECAST, DRAW_EXPECTED, DRAW_LOWER,
	DRAW_UPPER, DRAW_QUANTILES, DRAW_ODD, DRAW_SERIES, DRAW_CUTOFF, DRAW_WISHES
};

static const RowWish columns[DRAW_WISHES] = {
	[DRAW_LOCAL] = {"local_ts", ROW_TIME, false},
	[DRAW_TS] = {"ts", ROW_TIME, false},
	[DRAW_POSITION] = {"position", ROW_NUMBER, false},
	[DRAW_STEP] = {"step", ROW_NUMBER, false},
	[DRAW_ACTUAL] = {"actual", ROW_NUMBER, false},
	[DRAW_VALUE] = {"value", ROW_NUMBER, false},
	[DRAW_FORECAST] = {"forecast", ROW_NUMBER, false},
	[DRAW_EXPECTED] = {"expected", ROW_NUMBER, false},
	[DRAW_LOWER] = {"lower", ROW_NUMBER, false},
	[DRAW_UPPER] = {"upper", ROW_NUMBER, false},
	[DRAW_QUANTILES] = {"quantiles", ROW_NUMBERS, false},
	[DRAW_ODD] = {"is_anomaly", ROW_BOOL, false},
	[DRAW_SERIES] = {"series", ROW_TEXT, false},
	[DRAW_CUTOFF] = {"cutoff", ROW_TEXT, false},
};

static const RowWishes wishes = {columns, DRAW_WISHES, NULL};

typedef struct NumberedName
{
	SeriesName	name;
	int			number;
} NumberedName;

Drawing *
new_drawing(MemoryContext context)
{
	Drawing    *d = MemoryContextAllocZero(context, sizeof(Drawing));

	d->context = context;
	d->name_index = new_index(context, "rnnforecast drawing", sizeof(NumberedName));
	d->part_index = new_index(context, "rnnforecast drawing", sizeof(NumberedName));
	return d;
}

static void
check_columns(Drawing *d, const RowColumns *c)
{
	static const int x[] = {DRAW_LOCAL, DRAW_TS, DRAW_POSITION, DRAW_STEP};
	static const int y[] = {DRAW_ACTUAL, DRAW_VALUE, DRAW_FORECAST, DRAW_EXPECTED};
	bool		has_x = false,
				has_y = false;

	for (int i = 0; i < (int) lengthof(x); i++)
	{
		has_x |= row_columns_has(c, x[i]);
		has_y |= row_columns_has(c, y[i]);
	}
	d->values = !row_columns_has(c, DRAW_ACTUAL);
	if (!has_x || !has_y)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("the rows have no column %s", has_x ? "\"actual\", \"value\" or \"forecast\"" : "\"ts\", \"local_ts\" or \"position\""),
				 errhint("Name the columns: SELECT day AS ts, amount AS value FROM ...")));
}

/* The number of a name, a new one where it is new. */
static int
number_of(Drawing *d, struct HTAB *index, int *count, const char *text, bool *found)
{
	SeriesName	name = {text, (int) strlen(text)};
	NumberedName *entry = hash_search(index, &name, HASH_FIND, found);

	if (entry)
		return entry->number;
	d->names_bytes += name.len + sizeof(NumberedName) + sizeof(SeriesName);
	name.text = MemoryContextStrdup(d->context, text);
	entry = hash_search(index, &name, HASH_ENTER, found);
	*found = false;
	return entry->number = (*count)++;
}

static int
series_number(Drawing *d, const char *text)
{
	bool		found;
	int			number = number_of(d, d->name_index, &d->series, text, &found);

	if (found)
		return number;
	if (number == d->names_room)
	{
		d->names_room = Max(2 * number, 16);
		d->names = d->names ? repalloc_huge(d->names, sizeof(SeriesName) * d->names_room) :
			MemoryContextAlloc(d->context, sizeof(SeriesName) * d->names_room);
	}
	d->names[number] = (SeriesName) {MemoryContextStrdup(d->context, text), (int) strlen(text)};
	return number;
}

/* A value that can be drawn, NaN for one that is not there. */
static double
value_of(const Datum *values, const bool *nulls, int wish)
{
	double		x = nulls[wish] ? NAN : DatumGetFloat8(values[wish]);

	if (isfinite(x) && fabs(x) > MOST_VALUE)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("column \"%s\" has the value %g, which cannot be drawn", columns[wish].name, x)));
	return isfinite(x) ? x : NAN;
}

static double
either_of(const Datum *values, const bool *nulls, int a, int b)
{
	double		x = value_of(values, nulls, a);

	return isnan(x) ? value_of(values, nulls, b) : x;
}

/* Where the row stands; false where that is not known. */
static bool
place_of(const Datum *values, const bool *nulls, double *x, bool *is_time)
{
	int			time = !nulls[DRAW_LOCAL] ? DRAW_LOCAL : DRAW_TS,
				number = !nulls[DRAW_POSITION] ? DRAW_POSITION : DRAW_STEP;

	*is_time = !nulls[time];
	*x = *is_time ? (double) DatumGetTimestamp(values[time]) : value_of(values, nulls, number);
	if (*is_time && (*x < FIRST_TIME || *x > LAST_TIME))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("time %s cannot be drawn", DatumGetCString(DirectFunctionCall1(timestamp_out, values[time])))));
	return !isnan(*x);
}

/* The inner band, where there are the quantiles of a forecast. */
static void
take_quantiles(Datum quantiles, DrawRow *row)
{
	ArrayType  *array = DatumGetArrayTypeP(quantiles);
	const double *q = (const double *) ARR_DATA_PTR(array);

	if (ARR_NDIM(array) != 1 || ARR_DIMS(array)[0] != RNN_QUANTILES || ARR_HASNULL(array))
		return;
	row->low = isfinite(q[INNER_LOW]) ? q[INNER_LOW] : NAN;
	row->high = isfinite(q[INNER_HIGH]) ? q[INNER_HIGH] : NAN;
}

static void
make_room(Drawing *d)
{
	if (d->n < d->room)
		return;
	d->room = Max(2 * d->room, FIRST_ROWS);
	if (d->room * sizeof(DrawRow) + d->names_bytes > memory_limit() / 4)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("more than " INT64_FORMAT " rows to draw exceed rnnforecast.max_memory", d->n),
				 errhint("Draw fewer series, or a shorter period.")));
	d->rows = d->rows ? repalloc_huge(d->rows, sizeof(DrawRow) * d->room) :
		MemoryContextAllocHuge(d->context, sizeof(DrawRow) * d->room);
}

static void
add_row(Drawing *d, const Datum *values, const bool *nulls)
{
	DrawRow		row = {.low = NAN,.high = NAN};
	bool		is_time,
				found;

	if (!place_of(values, nulls, &row.x, &is_time))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("a row has neither a time nor a position"),
				 errhint("Leave out such rows: WHERE ts IS NOT NULL.")));
	if (d->n > 0 && is_time != d->times)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("some rows have a time and others have none")));
	d->times = is_time;
	row.actual = either_of(values, nulls, DRAW_ACTUAL, DRAW_VALUE);
	row.forecast = either_of(values, nulls, DRAW_FORECAST, DRAW_EXPECTED);
	row.lower = value_of(values, nulls, DRAW_LOWER);
	row.upper = value_of(values, nulls, DRAW_UPPER);
	if (!nulls[DRAW_QUANTILES])
		take_quantiles(values[DRAW_QUANTILES], &row);
	row.odd = !nulls[DRAW_ODD] && DatumGetBool(values[DRAW_ODD]);
	row.series = series_number(d, nulls[DRAW_SERIES] ? "" : DatumGetCString(values[DRAW_SERIES]));
	row.part = nulls[DRAW_CUTOFF] ? -1 : number_of(d, d->part_index, &d->parts, DatumGetCString(values[DRAW_CUTOFF]), &found);
	make_room(d);
	d->rows[d->n++] = row;
}

void
draw_argument(Drawing *d, FunctionCallInfo fcinfo, int argno)
{
	Datum		values[DRAW_WISHES];
	bool		nulls[DRAW_WISHES];
	RowColumns *c = row_argument(fcinfo, argno, &wishes, values, nulls);

	if (c == NULL)
		return;
	check_columns(d, c);
	add_row(d, values, nulls);
}

/* Rows of one fetch; what they are converted to is gone after each. */
static void
add_fetched(Drawing *d, RowColumns *c, MemoryContext scratch)
{
	MemoryContext old = MemoryContextSwitchTo(scratch);

	for (uint64 i = 0; i < SPI_processed; i++)
	{
		Datum		values[DRAW_WISHES];
		bool		nulls[DRAW_WISHES];

		row_columns_read(c, SPI_tuptable->vals[i], values, nulls);
		add_row(d, values, nulls);
		MemoryContextReset(scratch);
	}
	MemoryContextSwitchTo(old);
}

void
draw_query(Drawing *d, const char *query)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "rnnforecast drawing", ALLOCSET_DEFAULT_SIZES);
	struct CachedPlanSource *source;
	SPIPlanPtr	plan;
	Portal		portal;
	RowColumns *c = NULL;

	SPI_connect();
	plan = prepare_select(without_semicolon(query), 0, NULL, &source);
	portal = SPI_cursor_open(NULL, plan, NULL, NULL, true);
	do
	{
		CHECK_FOR_INTERRUPTS();
		SPI_cursor_fetch(portal, true, ROWS_AT_ONCE);
		if (c == NULL)
		{
			c = row_columns_find(&wishes, SPI_tuptable->tupdesc);
			check_columns(d, c);
		}
		add_fetched(d, c, scratch);
		SPI_freetuptable(SPI_tuptable);
	} while (SPI_processed > 0);
	SPI_cursor_close(portal);
	SPI_finish();
	MemoryContextDelete(scratch);
}

/* ------------------------------------------------------------------- order */

static int
compare_x(const void *a, const void *b, void *arg)
{
	const DrawRow *p = a,
			   *q = b;

	return (p->x > q->x) - (p->x < q->x);
}

static int
compare_rows_drawn(const void *a, const void *b, void *arg)
{
	const DrawRow *p = a,
			   *q = b;

	if (p->series != q->series)
		return p->series - q->series;
	return p->part != q->part ? p->part - q->part : compare_x(a, b, arg);
}

void
sort_by_x(DrawRow *rows, int64 n)
{
	sort_interruptibly(rows, n, sizeof(DrawRow), compare_x, NULL);
}

/* Names change places once; a state that is drawn again has them in order. */
void
draw_sort(Drawing *d)
{
	int		   *rank = rank_names(d->names, d->series);
	SeriesName *sorted = palloc(sizeof(SeriesName) * Max(d->series, 1));
	HASH_SEQ_STATUS all;
	NumberedName *entry;

	for (int64 i = 0; i < d->n; i++)
		d->rows[i].series = rank[d->rows[i].series];
	for (int i = 0; i < d->series; i++)
		sorted[rank[i]] = d->names[i];
	if (d->series > 0)
		memcpy(d->names, sorted, sizeof(SeriesName) * d->series);
	hash_seq_init(&all, d->name_index);
	while ((entry = hash_seq_search(&all)) != NULL)
		entry->number = rank[entry->number];
	sort_interruptibly(d->rows, d->n, sizeof(DrawRow), compare_rows_drawn, NULL);
}

int64
rows_of_series(const Drawing *d, int64 first)
{
	int64		i = first;

	while (i < d->n && d->rows[i].series == d->rows[first].series)
		i++;
	return i - first;
}

/* ------------------------------------------------------------------ sights */

static void
see(Sights *s, double y, bool *seen)
{
	if (isnan(y))
		return;
	*seen = true;
	s->low = Min(s->low, y);
	s->high = Max(s->high, y);
}

Sights
sights_of(const DrawRow *rows, int64 n)
{
	Sights		s = {.x_low = INFINITY,.x_high = -INFINITY,.low = INFINITY,.high = -INFINITY};

	for (int64 i = 0; i < n; i++)
	{
		const DrawRow *r = &rows[i];
		bool		whole = !isnan(r->lower) && !isnan(r->upper);

		s.x_low = Min(s.x_low, r->x);
		s.x_high = Max(s.x_high, r->x);
		see(&s, r->actual, &s.actual);
		see(&s, r->forecast, &s.forecast);
		see(&s, whole ? r->lower : NAN, &s.band);
		see(&s, whole ? r->upper : NAN, &s.band);
		s.inner |= !isnan(r->low) && !isnan(r->high);
		s.odd |= r->odd;
	}
	return s;
}
