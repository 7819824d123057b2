/*
 * bins.c
 *		Several rows of one time or step to one, as the options "duplicates" and
 *		"bin" say.
 *
 * Rows are sorted by time, then value, before anything is added up, so sums
 * don't depend on the order in which they came.  Only "last" of equal times
 * goes by that order, where the call of the aggregate gives one.
 *
 * Bins begin where people have them: at whole hours and minutes of the wall
 * clock, at midnight, on Mondays, on the first of a month, quarter or year.  A
 * reading belongs to the step that it lies in.  Where there is about one reading
 * a step, though, as of a job that runs every half hour and is seldom on time,
 * it is taken for the step nearest to it; sums and counts never are.
 */
#include "pg/time/time.h"

#include <math.h>

#include "common/int.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

/* ------------------------------------------------------------- one number */

/* What becomes of n values, sorted where that matters: mean, sum, min, max, last, count. */
static double
combine(const Row *rows, int64 n, rnn_bin how)
{
	double		result = NAN;
	int64		known = 0;

	for (int64 i = 0; i < n; i++)
	{
		double		x = rows[i].value;

		if (isnan(x))
			continue;
		if (known++ == 0)
			result = x;
		else if (how == RNN_BIN_MEAN || how == RNN_BIN_SUM)
			result += x;
		else if (how == RNN_BIN_LAST || (how == RNN_BIN_MIN ? x < result : x > result))
			result = x;
	}
	/* Rows ahead count nothing yet. */
	if (how == RNN_BIN_COUNT)
		return known > 0 ? known : NAN;
	/* Where the sum overflows the mean need not. */
	if (how == RNN_BIN_MEAN && isinf(result))
	{
		result = 0;
		for (int64 i = 0; i < n; i++)
			result += isnan(rows[i].value) ? 0 : rows[i].value / known;
		return result;
	}
	return how == RNN_BIN_MEAN && known > 0 ? result / known : result;
}

/* Runs of rows with one time become one row each. */
static void
combine_runs(RowGroup *group, const rnn_clock *clock, rnn_bin how, bool fail)
{
	int64		n = 0;

	for (int64 from = 0, to; from < group->n; from = to)
	{
		Row			row = group->rows[from];

		for (to = from + 1; to < group->n && group->rows[to].at == row.at; to++)
			if ((to & 0xffff) == 0)
				CHECK_FOR_INTERRUPTS();
		row.value = combine(&group->rows[from], to - from, how);
		if (isinf(row.value) && fail)
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("the sum of the values%s at %s is out of range", of_series(group->name), clock_text(clock, row.at))));
		if (isinf(row.value))
			group->problem = RNN_NOTE_INFINITE;
		group->rows[n++] = row;
	}
	group->n = n;
}

/* ------------------------------------------------------------------ order */

/* Total, down to the sign of zero: no order of the rows may show. */
int
compare_rows(const void *a, const void *b, void *arg)
{
	const Row  *x = a,
			   *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	if (isnan(x->value) || isnan(y->value))
		return (int) isnan(x->value) - (int) isnan(y->value);
	if (x->value == y->value)
		return (signbit(y->value) != 0) - (signbit(x->value) != 0);
	return x->value > y->value ? 1 : -1;
}

static void
rows_sort(Row *rows, int64 n, Comparison compare)
{
	bool		sorted = true;

	for (int64 i = 1; i < n && sorted; i++)
	{
		if ((i & 0xffff) == 0)
			CHECK_FOR_INTERRUPTS();
		sorted = compare(&rows[i - 1], &rows[i], NULL) <= 0;
	}
	if (sorted)
		return;
	sort_interruptibly(rows, n, sizeof(Row), compare, NULL);
}

/* ------------------------------------------------------------- duplicates */

static void
refuse_duplicate(const RowGroup *group, const rnn_clock *clock, const Row *rows)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("%s %s%s occurs more than once", clock_has_times(clock) ? "time" : "step",
					clock_text(clock, rows[0].at), of_series(group->name)),
			 errdetail("Two of its values are %g and %g.", rows[0].value, rows[1].value),
			 group->name.text ?
			 errhint("Set the option \"duplicates\", for instance to \"mean\", or aggregate to one row per time.") :
			 errhint("If the rows are of several series, name these: rnn_train(series, ts, value), in a query SELECT shop AS series. "
					 "Otherwise set the option \"duplicates\", for instance to \"mean\", or aggregate to one row per time.")));
}

/* A row and its place before it was sorted. */
typedef struct PlacedRow
{
	Row			row;
	int64		place;
} PlacedRow;

static int
compare_places(const void *a, const void *b, void *arg)
{
	const PlacedRow *x = a,
			   *y = b;

	if (x->row.at != y->row.at)
		return x->row.at < y->row.at ? -1 : 1;
	return (x->place > y->place) - (x->place < y->place);
}

/* By time, those of one time in the order in which they came. */
static void
sort_in_order(RowGroup *group)
{
	PlacedRow  *placed = palloc_extended(sizeof(PlacedRow) * Max(group->n, 1), MCXT_ALLOC_HUGE);

	for (int64 i = 0; i < group->n; i++)
		placed[i] = (PlacedRow) {group->rows[i], i};
	sort_interruptibly(placed, group->n, sizeof(PlacedRow), compare_places, NULL);
	for (int64 i = 0; i < group->n; i++)
		group->rows[i] = placed[i].row;
	pfree(placed);
}

void
merge_duplicates(RowGroup *group, const rnn_clock *clock, const Tidying *tidying, bool fail)
{
	Row		   *rows = group->rows;
	int64		first = 1;

	if (tidying->duplicates == DUPLICATES_LAST)
		sort_in_order(group);
	else
		rows_sort(rows, group->n, compare_rows);
	/* Readings of one time are readings of one step. */
	if (tidying->duplicates == DUPLICATES_AUTO && tidying->bin != RNN_BIN_NONE && !tidying->merged)
		return;
	while (first < group->n && rows[first].at != rows[first - 1].at)
		first++;
	if (first >= group->n || group->problem != RNN_NOTE_NONE)
		return;
	switch (tidying->duplicates)
	{
		case DUPLICATES_AUTO:
		case DUPLICATES_ERROR:
			if (fail)
				refuse_duplicate(group, clock, &rows[first - 1]);
			group->problem = RNN_NOTE_DUPLICATE;
			break;
		case DUPLICATES_MEAN:
			combine_runs(group, clock, RNN_BIN_MEAN, fail);
			break;
		case DUPLICATES_SUM:
			combine_runs(group, clock, RNN_BIN_SUM, fail);
			break;
		case DUPLICATES_MIN:
			combine_runs(group, clock, RNN_BIN_MIN, fail);
			break;
		case DUPLICATES_MAX:
			combine_runs(group, clock, RNN_BIN_MAX, fail);
			break;
		case DUPLICATES_LAST:
			combine_runs(group, clock, RNN_BIN_LAST, fail);
			break;
	}
}

/* ------------------------------------------------------------------- bins */

int64
gap_before(const RowGroup *group, int64 i)
{
	int64		gap;

	return pg_sub_s64_overflow(group->rows[i].at, group->rows[i - 1].at, &gap) ? PG_INT64_MAX : gap;
}

/* Gaps between different times of a group, sorted; how many. */
static int64
different_gaps(const RowGroup *group, int64 *gaps)
{
	int64		n = 0;

	for (int64 i = 1; i < group->n; i++)
		if (group->rows[i].at > group->rows[i - 1].at)
			gaps[n++] = gap_before(group, i);
	sort_interruptibly(gaps, n, sizeof(int64), compare_int64, NULL);
	return n;
}

static int64
longest_group(const RowGroup *groups, int count)
{
	int64		longest = 1;

	for (int g = 0; g < count; g++)
		longest = Max(longest, groups[g].n);
	return longest;
}

/* Whether most series have about one reading a step: gaps of more than half of it. */
static bool
one_a_step(const RowGroup *groups, int count, const rnn_clock *clock)
{
	int64	   *gaps = palloc_extended(sizeof(int64) * longest_group(groups, count), MCXT_ALLOC_HUGE);
	int			votes = 0;

	for (int g = 0; g < count; g++)
	{
		int64		n = different_gaps(&groups[g], gaps);

		CHECK_FOR_INTERRUPTS();
		if (n > 0)
			votes += gaps[n / 2] > clock->usecs / 2 ? 1 : -1;
	}
	pfree(gaps);
	return votes > 0;
}

/* The first day of the step that a day lies in: Mondays of weeks. */
static int64
first_day(const rnn_clock *clock, int64 day)
{
	int64		monday = clock->days % 7 == 0 ? -5 : 0;

	return whole_steps(day - monday, clock->days) * clock->days + monday;
}

/* Midnight in the clock's zone. */
static int64
bin_origin(const rnn_clock *clock)
{
	return clock->kind == RNN_CLOCK_TIMESTAMPTZ && clock->usecs > 0 ? to_instant(clock, 0) : 0;
}

/* Where the step begins that a time lies in; local where the calendar counts. */
static int64
bin_start(const rnn_clock *clock, int64 at, int64 origin, bool nearest)
{
	Fields		f;
	Timestamp	day;

	if (clock->usecs > 0)
		return origin + whole_steps(at - origin + (nearest ? clock->usecs / 2 : 0), clock->usecs) * clock->usecs;
	at = clock->kind == RNN_CLOCK_TIMESTAMPTZ ? to_local(clock, at) : at;
	f = fields_of(at);
	day = at - f.usec;
	if (clock->days > 0)
		return add_interval(day, 0, first_day(clock, f.day) - f.day);
	day = add_interval(day, 0, 1 - f.mday);
	return add_interval(day, whole_steps(f.month, clock->months) * clock->months - f.month, 0);
}

int64
time_of_row(const rnn_clock *clock, int64 at, bool nearest)
{
	if (clock->bin != RNN_BIN_NONE)
		return bin_start(clock, at, bin_origin(clock), nearest);
	return clock->kind == RNN_CLOCK_TIMESTAMPTZ && clock->usecs == 0 ? to_local(clock, at) : at;
}

void
bin_rows(RowGroup *groups, int count, const rnn_clock *clock, rnn_bin how, bool fail)
{
	bool		whole = clock->bin == RNN_BIN_SUM || clock->bin == RNN_BIN_COUNT;
	bool		nearest = clock_has_times(clock) && clock->usecs > 0 && !whole && one_a_step(groups, count, clock);
	int64		origin = bin_origin(clock);

	for (int g = 0; g < count; g++)
	{
		RowGroup   *group = &groups[g];
		Row		   *rows = group->rows;

		group->nearest = nearest;
		for (int64 i = 0; i < group->n; i++)
		{
			if ((i & 0xfff) == 0)
				CHECK_FOR_INTERRUPTS();
			rows[i].at = bin_start(clock, rows[i].at, origin, nearest);
			/* Where the clocks go back over midnight a day comes twice. */
			if (how == RNN_BIN_LAST && i > 0)
				rows[i].at = Max(rows[i].at, rows[i - 1].at);
		}
		if (how != RNN_BIN_LAST)
			rows_sort(rows, group->n, compare_rows);
		if (group->problem == RNN_NOTE_NONE)
			combine_runs(group, clock, how, fail);
	}
}
