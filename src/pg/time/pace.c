/*
 * pace.c
 *		How the rows of one series follow each other.
 *
 * Every series proposes its most frequent gap, or where not all of its gaps
 * are multiples of that, the smallest step of the calendar.
 */
#include "pg/time/pace.h"

#include "common/int.h"
#include "miscadmin.h"

bool
usable(const RowGroup *group)
{
	return group->problem == RNN_NOTE_NONE && group->n > 0;
}

/* The most frequent value of x (n), the smallest of equals, and how often it is there; sorts x. */
static int64
mode_of(int64 *x, int64 n, int64 *times)
{
	int64		best = 0,
				best_run = 0;
	bool		sorted = true;

	for (int64 i = 1; i < n && sorted; i++)
		sorted = x[i] >= x[i - 1];
	if (!sorted)
		sort_interruptibly(x, n, sizeof(int64), compare_int64, NULL);
	for (int64 i = 0, run = 0; i < n; i++)
	{
		run = i > 0 && x[i] == x[i - 1] ? run + 1 : 1;
		if (run > best_run)
		{
			best_run = run;
			best = x[i];
		}
	}
	*times = best_run;
	return best;
}

static int64
common_divisor(const int64 *x, int64 n)
{
	int64		divisor = x[0];

	for (int64 i = 1; i < n && divisor != 1; i++)
		for (int64 b = x[i]; b != 0;)
		{
			int64		rest = divisor % b;

			divisor = b;
			b = rest;
		}
	return divisor;
}

/* Numbers or microseconds between neighbours; false where that overflows. */
static bool
plain_gaps(const RowGroup *group, int64 *gaps)
{
	for (int64 i = 1; i < group->n; i++)
	{
		if ((i & 0xffff) == 0)
			CHECK_FOR_INTERRUPTS();
		if (pg_sub_s64_overflow(group->rows[i].at, group->rows[i - 1].at, &gaps[i - 1]))
			return false;
	}
	return true;
}

static void
note_day(Pace *pace, Fields f)
{
	pace->low_day = Min(pace->low_day, f.mday);
	pace->top_day = Max(pace->top_day, f.mday);
	if (!f.last)
		pace->open_day = pace->open_day == 0 || pace->open_day == f.mday ? f.mday : -1;
}

/*
 * Day of the month on which a series is counted in months, or on the last of
 * those that are shorter; 0 where there is none.
 */
int
month_day(const Pace *pace)
{
	if (pace->low_day == pace->top_day)
		return pace->top_day;
	return pace->open_day == 0 ? 31 : pace->open_day == pace->top_day ? pace->top_day : 0;
}

/*
 * Days or months between neighbours, and what days of the month there are;
 * false where times of day differ, or two rows are in one month.
 */
static bool
calendar_gaps(const RowGroup *group, const rnn_clock *clock, Unit unit, int64 *gaps, Pace *pace)
{
	Fields		first = fields_at(clock, group->rows[0].at),
				before = first;

	pace->first_day = pace->low_day = pace->top_day = first.mday;
	pace->open_day = first.last ? 0 : first.mday;
	for (int64 i = 1; i < group->n; i++)
	{
		Fields		f = fields_at(clock, group->rows[i].at);

		if ((i & 0xffff) == 0)
			CHECK_FOR_INTERRUPTS();
		gaps[i - 1] = unit == UNIT_DAYS ? f.day - before.day : f.month - before.month;
		if (f.usec != first.usec || gaps[i - 1] <= 0)
			return false;
		note_day(pace, f);
		before = f;
	}
	return true;
}

/* Takes the gaps (n), which it sorts, as the series' own; returns their mode. */
static int64
propose(Pace *pace, Unit unit, int64 *gaps, int64 n, int64 otherwise)
{
	int64		times,
				mode = mode_of(gaps, n, &times);
	bool		multiples;

	pace->divisor[unit] = common_divisor(gaps, n);
	multiples = pace->divisor[unit] == mode;
	pace->regular = multiples && n > 1;
	pace->usual = times > n / 2;
	pace->steady = times >= n - n / 10;
	pace->step = (Step) {unit, multiples || otherwise == 0 ? mode : otherwise};
	return mode;
}

/* Months are tried where neighbours usually lie at least 28 days apart. */
void
find_pace(RowGroup *group, const rnn_clock *clock, bool fail, int64 *gaps, Pace *pace)
{
	int64		n = group->n - 1,
				mode;

	memset(pace, 0, sizeof(*pace));
	if (!usable(group) || n < 1)
		return;
	if (!plain_gaps(group, gaps))
	{
		if (fail)
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("the times%s from %s to %s are too far apart", of_series(group->name),
							clock_text(clock, group->rows[0].at), clock_text(clock, group->rows[n].at))));
		group->problem = RNN_NOTE_IRREGULAR;
		return;
	}
	/* Of hours and the like the most frequent gap is the step, and the rest off the grid. */
	mode = propose(pace, UNIT_PLAIN, gaps, n, clock_has_times(clock) ? 0 : 1);
	if (!clock_has_times(clock) || mode < SHORTEST_DAY)
		return;
	if (calendar_gaps(group, clock, UNIT_DAYS, gaps, pace))
		propose(pace, UNIT_DAYS, gaps, n, 1);
	if (mode >= SHORTEST_MONTH && calendar_gaps(group, clock, UNIT_MONTHS, gaps, pace) &&
		month_day(pace) > 0)
		propose(pace, UNIT_MONTHS, gaps, n, 1);
}
