/*
 * clock.c
 *		What one step is in time, and where points lie on that grid.
 *
 * Steps shorter than a day are fixed counts of microseconds (of UTC where the
 * column is timestamptz: an hour is an hour across a change of the clocks).
 * Longer ones follow the calendar on the wall: days, or months, quarters and
 * years.  All date arithmetic is PostgreSQL's own.
 */
#include "pg.h"

#include <math.h>

#include "common/int.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

/* More grid points than that per row mean a wrong step or a stray row. */
#define MOST_GAPS 100
#define FREE_GAPS 1000

static bool
fixed_instants(const rnn_clock *clock)
{
	return clock->kind == RNN_CLOCK_TIMESTAMPTZ && clock->usecs > 0;
}

static pg_tz *
zone_of(const rnn_clock *clock)
{
	pg_tz	   *tz = clock->zone[0] ? pg_tzset(clock->zone) : session_timezone;

	if (tz == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time zone \"%s\" not recognized", clock->zone)));
	return tz;
}

/* Wall clock of an instant in the clock's zone. */
static Timestamp
to_local(const rnn_clock *clock, TimestampTz instant)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			tz;
	Timestamp	local;

	if (timestamp2tm(instant, &tz, &tm, &fsec, NULL, zone_of(clock)) != 0 ||
		tm2timestamp(&tm, fsec, NULL, &local) != 0)
		ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("timestamp out of range")));
	return local;
}

static TimestampTz
to_instant(const rnn_clock *clock, Timestamp local)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			tz;
	TimestampTz instant;

	if (timestamp2tm(local, NULL, &tm, &fsec, NULL, NULL) != 0)
		ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("timestamp out of range")));
	tz = DetermineTimeZoneOffset(&tm, zone_of(clock));
	if (tm2timestamp(&tm, fsec, &tz, &instant) != 0)
		ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("timestamp out of range")));
	return instant;
}

Timestamp
clock_local(const rnn_clock *clock, int64 time)
{
	return fixed_instants(clock) ? to_local(clock, time) : time;
}

TimestampTz
clock_instant(const rnn_clock *clock, int64 time)
{
	return fixed_instants(clock) ? time : to_instant(clock, time);
}

static Timestamp
add_interval(Timestamp at, int64 months, int64 days)
{
	Interval	span = {0};

	if (months > PG_INT32_MAX || days > PG_INT32_MAX)
		ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("timestamp out of range")));
	span.month = (int32) months;
	span.day = (int32) days;
	return DatumGetTimestamp(DirectFunctionCall2(timestamp_pl_interval, TimestampGetDatum(at),
												 IntervalPGetDatum(&span)));
}

/* Months counted at their last day: from the first of the month, and one day back. */
static Timestamp
month_end(Timestamp start, int64 months)
{
	Timestamp	first = DatumGetTimestamp(DirectFunctionCall2(timestamp_trunc,
															  CStringGetTextDatum("month"),
															  TimestampGetDatum(start)));
	Timestamp	day = DatumGetTimestamp(DirectFunctionCall2(timestamp_trunc,
															CStringGetTextDatum("day"),
															TimestampGetDatum(start)));

	return add_interval(add_interval(first, months + 1, 0), 0, -1) + (start - day);
}

int64
clock_time(const rnn_clock *clock, int64 start, int64 k)
{
	int64		product,
				time;

	if (clock->kind == RNN_CLOCK_NONE)
		return start + k;
	if (clock->months > 0)
		return clock->month_end ? month_end(start, k * clock->months)
			: add_interval(start, k * clock->months, 0);
	if (clock->days > 0)
		return add_interval(start, 0, k * clock->days);
	if (pg_mul_s64_overflow(k, clock->usecs, &product) ||
		pg_add_s64_overflow(start, product, &time) || !IS_VALID_TIMESTAMP(time))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range"),
				 errhint("Forecast fewer steps.")));
	return time;
}

char *
clock_text(const rnn_clock *clock, int64 time)
{
	if (clock->kind == RNN_CLOCK_NONE)
		return psprintf(INT64_FORMAT, time);
	if (clock->kind == RNN_CLOCK_DATE)
		return DatumGetCString(DirectFunctionCall1(date_out, DirectFunctionCall1(timestamp_date, TimestampGetDatum(time))));
	if (clock->kind == RNN_CLOCK_TIMESTAMPTZ)
		return DatumGetCString(DirectFunctionCall1(timestamptz_out, TimestampTzGetDatum(time)));
	return DatumGetCString(DirectFunctionCall1(timestamp_out, TimestampGetDatum(time)));
}

/* As interval input reads it, the same under any IntervalStyle. */
char *
clock_step_text(const rnn_clock *clock)
{
	int64		seconds = clock->usecs / USECS_PER_SEC;
	int			fraction = (int) (clock->usecs % USECS_PER_SEC);
	char	   *text;

	if (clock->kind == RNN_CLOCK_NONE)
		return pstrdup("1");
	if (clock->months > 0 && clock->months % 12 == 0)
		return psprintf("%d %s", clock->months / 12, clock->months == 12 ? "year" : "years");
	if (clock->months > 0)
		return psprintf("%d %s", clock->months, clock->months == 1 ? "mon" : "mons");
	if (clock->days > 0)
		return psprintf("%d %s", clock->days, clock->days == 1 ? "day" : "days");
	text = psprintf("%02lld:%02d:%02d", (long long) (seconds / 3600), (int) (seconds / 60 % 60),
					(int) (seconds % 60));
	return fraction == 0 ? text : psprintf("%s.%06d", text, fraction);
}

/* Seasons that the calendar suggests: a day and a week, a week and a year, a year. */
int
clock_hints(const rnn_clock *clock, int *hints)
{
	int			n = 0;

	if (clock->kind == RNN_CLOCK_NONE)
		return 0;
	if (clock->months > 0 && clock->months < 12 && 12 % clock->months == 0)
		hints[n++] = 12 / clock->months;
	else if (clock->days == 1)
	{
		hints[n++] = 7;
		hints[n++] = 365;
	}
	else if (clock->days == 7)
		hints[n++] = 52;
	else if (clock->usecs > 0)
	{
		static const int64 spans[] = {SECS_PER_MINUTE, SECS_PER_HOUR, SECS_PER_DAY, 7 * SECS_PER_DAY};

		for (int i = 0; i < 4; i++)
		{
			int64		span = spans[i] * USECS_PER_SEC;

			/* seconds in an hour are a season, seconds in a year are none */
			if (span % clock->usecs == 0 && span / clock->usecs >= 4 && span / clock->usecs <= 4096 &&
				(i >= 2 || clock->usecs < 60 * USECS_PER_SEC))
				hints[n++] = (int) (span / clock->usecs);
		}
	}
	return n;
}

static int
compare_int64(const void *a, const void *b)
{
	int64		x = *(const int64 *) a,
				y = *(const int64 *) b;

	return (x > y) - (x < y);
}

/* The most frequent value of x (n), the smallest of equals; sorts x. */
static int64
mode_of(int64 *x, int64 n)
{
	int64		best = 0,
				best_run = 0;

	qsort(x, n, sizeof(int64), compare_int64);
	for (int64 i = 0, run = 0; i < n; i++)
	{
		run = i > 0 && x[i] == x[i - 1] ? run + 1 : 1;
		if (run > best_run)
		{
			best_run = run;
			best = x[i];
		}
	}
	return best;
}

/* Calendar fields of a local time: days since 2000, microseconds of the day, months, day of month. */
typedef struct Fields
{
	int64		day;
	int64		usec;
	int64		month;
	int			mday;
	bool		last;			/* of its month */
} Fields;

static Fields
fields_of(Timestamp local)
{
	struct pg_tm tm;
	fsec_t		fsec;
	Fields		f;

	if (timestamp2tm(local, NULL, &tm, &fsec, NULL, NULL) != 0)
		ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("timestamp out of range")));
	f.day = date2j(tm.tm_year, tm.tm_mon, tm.tm_mday) - POSTGRES_EPOCH_JDATE;
	f.usec = local - f.day * USECS_PER_DAY;
	f.month = (int64) tm.tm_year * 12 + tm.tm_mon - 1;
	f.mday = tm.tm_mday;
	f.last = tm.tm_mday == day_tab[isleap(tm.tm_year)][tm.tm_mon - 1];
	return f;
}

int64
clock_phase(const rnn_clock *clock, int64 start)
{
	if (clock->usecs > 0)
		return start / clock->usecs;
	if (clock->days > 0)
		return fields_of(start).day / clock->days;
	return clock->months > 0 ? fields_of(start).month / clock->months : 0;
}

/* Greatest step that all of x (n) are multiples of, as the mode of x suggests; 0: none. */
static int64
common_step(const int64 *x, int64 n, int64 mode)
{
	for (int64 i = 0; i < n; i++)
		if (x[i] % mode != 0)
			return 0;
	return mode;
}

/* Steps by whole months: the same day of each, or the last one. */
static bool
infer_months(const Row *rows, int64 n, int64 *gaps, rnn_clock *clock)
{
	Fields		first = fields_of(rows[0].at);
	bool		same = true,
				last = first.last;
	int64		before = first.month,
				step;
	int			mday = first.mday;

	for (int64 i = 1; i < n; i++)
	{
		Fields		f = fields_of(rows[i].at);

		if (f.usec != first.usec || f.month == before)
			return false;
		same &= f.mday == mday;
		last &= f.last;
		gaps[i - 1] = f.month - before;
		before = f.month;
	}
	if (!same && !last)
		return false;
	step = mode_of(gaps, n - 1);
	if (common_step(gaps, n - 1, step) == 0)
		step = 1;
	clock->months = (int32) step;
	/* Always the 28th is that day, always the last and never the same is the end. */
	clock->month_end = last && !same;
	return true;
}

static bool
infer_days(const Row *rows, int64 n, int64 *gaps, rnn_clock *clock)
{
	Fields		before = fields_of(rows[0].at);
	int64		step;

	for (int64 i = 1; i < n; i++)
	{
		Fields		f = fields_of(rows[i].at);

		if (f.usec != before.usec)
			return false;
		gaps[i - 1] = f.day - before.day;
		before = f;
	}
	step = mode_of(gaps, n - 1);
	if (common_step(gaps, n - 1, step) == 0)
		step = 1;
	clock->days = (int32) step;
	return true;
}

static int64
mode_gap(const Row *rows, int64 n, int64 *gaps)
{
	for (int64 i = 1; i < n; i++)
		gaps[i - 1] = rows[i].at - rows[i - 1].at;
	return mode_of(gaps, n - 1);
}

/*
 * Chooses the step; rows' times become local ones where the calendar counts.
 * Months are tried where neighbours lie at least 28 days apart.
 */
static void
infer_step(Row *rows, int64 n, rnn_clock *clock)
{
	int64	   *gaps;
	int64		mode;

	if (n < 2)
	{
		clock->days = 1;
		if (clock->kind == RNN_CLOCK_TIMESTAMPTZ)
			rows[0].at = to_local(clock, rows[0].at);
		return;
	}
	gaps = palloc_extended((Size) (n - 1) * sizeof(int64), MCXT_ALLOC_HUGE);
	mode = mode_gap(rows, n, gaps);
	/* A change of the clocks makes some days of 23 hours. */
	if (mode >= 23 * (int64) USECS_PER_HOUR)
	{
		Row		   *local = rows;

		if (clock->kind == RNN_CLOCK_TIMESTAMPTZ)
		{
			local = palloc_extended((Size) n * sizeof(Row), MCXT_ALLOC_HUGE);
			for (int64 i = 0; i < n; i++)
				local[i] = (Row) {to_local(clock, rows[i].at), rows[i].value};
		}
		if ((mode >= 28 * (int64) USECS_PER_DAY && infer_months(local, n, gaps, clock)) ||
			infer_days(local, n, gaps, clock))
		{
			if (local != rows)
				memcpy(rows, local, (Size) n * sizeof(Row));
			pfree(gaps);
			return;
		}
	}
	clock->usecs = mode;
	pfree(gaps);
}

/* Index of a time on the grid that begins at start, -1 where it is off the grid. */
static int64
grid_index(const rnn_clock *clock, int64 start, const Fields *first, int64 at)
{
	Fields		f;

	if (clock->usecs > 0)
		return (at - start) % clock->usecs == 0 ? (at - start) / clock->usecs : -1;
	f = fields_of(at);
	if (f.usec != first->usec)
		return -1;
	if (clock->days > 0)
		return (f.day - first->day) % clock->days == 0 ? (f.day - first->day) / clock->days : -1;
	if (clock->month_end ? !f.last : f.mday != first->mday && !(f.last && f.mday < first->mday))
		return -1;
	return (f.month - first->month) % clock->months == 0 ? (f.month - first->month) / clock->months : -1;
}

static int
compare_rows(const void *a, const void *b, void *arg)
{
	const Row  *x = a,
			   *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	if (isnan(x->value) || isnan(y->value))
		return (int) isnan(x->value) - (int) isnan(y->value);
	return (x->value > y->value) - (x->value < y->value);
}

static void
sort_rows(Row *rows, int64 n)
{
	bool		sorted = true;

	for (int64 i = 1; i < n && sorted; i++)
	{
		if ((i & 0xffff) == 0)
			CHECK_FOR_INTERRUPTS();
		sorted = compare_rows(&rows[i - 1], &rows[i], NULL) <= 0;
	}
	if (sorted)
		return;
#if PG_VERSION_NUM >= 150000
	qsort_interruptible(rows, n, sizeof(Row), compare_rows, NULL);
#else
	qsort_arg(rows, n, sizeof(Row), compare_rows, NULL);
#endif
}

static void
refuse_duplicates(const Row *rows, int64 n, const rnn_clock *clock)
{
	for (int64 i = 1; i < n; i++)
		if (rows[i].at == rows[i - 1].at)
			ereport(ERROR,
					(errcode(ERRCODE_DATA_EXCEPTION),
					 errmsg("time %s occurs more than once", clock_text(clock, rows[i].at)),
					 errdetail("Two of its values are %g and %g.", rows[i - 1].value, rows[i].value),
					 errhint("Aggregate to one row per time, for instance with avg(value) and GROUP BY.")));
}

/* Times are local by now unless the clock counts instants. */
static char *
grid_text(const rnn_clock *clock, int64 at)
{
	return clock_text(clock, clock->kind == RNN_CLOCK_TIMESTAMPTZ && !fixed_instants(clock) ?
					  to_instant(clock, at) : at);
}

/*
 * Values (points) of sorted rows on their grid, NaN between; the grid begins
 * and ends with a known value.  rows are sorted in place and their times may
 * become local.
 */
double *
clock_regularise(Row *rows, int64 n, RowForm form, const char *zone,
				 rnn_clock *clock, int64 *start, int64 *points)
{
	double	   *x;
	int64		last,
				from = 0;
	Fields		first = {0};

	memset(clock, 0, sizeof(*clock));
	clock->kind = form;
	if (form == FORM_TIMESTAMPTZ || form == FORM_TIMESTAMP || form == FORM_DATE)
		strlcpy(clock->zone, zone, sizeof(clock->zone));
	sort_rows(rows, n);
	refuse_duplicates(rows, n, clock);
	infer_step(rows, n, clock);

	while (from < n && isnan(rows[from].value))
		from++;
	while (n > from && isnan(rows[n - 1].value))
		n--;
	if (from == n)
	{
		*points = 0;
		return NULL;
	}
	*start = rows[from].at;
	if (clock->usecs == 0)
		first = fields_of(*start);
	last = grid_index(clock, *start, &first, rows[n - 1].at);
	if (last >= 0 && last + 1 > MOST_GAPS * (n - from) + FREE_GAPS)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("the times from %s to %s leave too many gaps for a step of %s",
						grid_text(clock, *start), grid_text(clock, rows[n - 1].at), clock_step_text(clock)),
				 errdetail("%lld rows would fill %lld steps.", (long long) (n - from), (long long) (last + 1)),
				 errhint("Aggregate to a regular step first, for instance with date_trunc or date_bin.")));
	*points = last + 1;
	x = last >= 0 ? palloc_extended((Size) (last + 1) * sizeof(double), MCXT_ALLOC_HUGE) : NULL;
	for (int64 i = 0; i <= last; i++)
		x[i] = NAN;
	for (int64 i = from; i < n; i++)
	{
		int64		k = grid_index(clock, *start, &first, rows[i].at);

		if ((i & 0xffff) == 0)
			CHECK_FOR_INTERRUPTS();
		if (k < 0 || last < 0)
			ereport(ERROR,
					(errcode(ERRCODE_DATA_EXCEPTION),
					 errmsg("time %s is not on the grid of steps of %s from %s",
							grid_text(clock, rows[k < 0 ? i : n - 1].at), clock_step_text(clock), grid_text(clock, *start)),
					 errhint("Aggregate to a regular step first, for instance with date_trunc or date_bin.")));
		x[k] = rows[i].value;
	}
	return x;
}
