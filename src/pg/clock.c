/*
 * clock.c
 *		What one step is in time, and where points lie on that grid.
 *
 * Steps shorter than a day are fixed counts of microseconds (of UTC where the
 * column is timestamptz: an hour is an hour across a change of the clocks).
 * Longer ones follow the calendar on the wall: days, or months, quarters and
 * years.  All date arithmetic is PostgreSQL's own.
 */
#include "clock.h"

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

bool
clock_has_times(const rnn_clock *clock)
{
	return clock->kind != RNN_CLOCK_NONE && clock->kind != RNN_CLOCK_STEP;
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

Timestamp
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

TimestampTz
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

int64
clock_convert(const rnn_clock *from, const rnn_clock *to, int64 time)
{
	if (from->kind != RNN_CLOCK_TIMESTAMPTZ)
		return time;
	if (fixed_instants(to))
		return clock_instant(from, time);
	if (!fixed_instants(from) && strcmp(from->zone, to->zone) == 0)
		return time;
	return to_local(to, clock_instant(from, time));
}

Timestamp
add_interval(Timestamp at, int64 months, int64 days)
{
	Interval	span = {0};

	if (months > PG_INT32_MAX || days > PG_INT32_MAX || months < PG_INT32_MIN || days < PG_INT32_MIN)
		ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("timestamp out of range")));
	span.month = (int32) months;
	span.day = (int32) days;
	return DatumGetTimestamp(DirectFunctionCall2(timestamp_pl_interval, TimestampGetDatum(at),
												 IntervalPGetDatum(&span)));
}

/* The last day of a later month: from the first of the next, and one day back. */
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

/*
 * Day of the month that a series goes by which begins at f.  On the last day
 * of a short month that may be a later one, as PostgreSQL's date plus months
 * from an earlier start would have it.
 */
static int
month_day(const rnn_clock *clock, const Fields *f)
{
	return f->last ? Max(f->mday, clock->month_day) : f->mday;
}

static Timestamp
add_months(const rnn_clock *clock, Timestamp start, int64 months)
{
	Fields		f = fields_of(start);
	int			day = month_day(clock, &f),
				over;
	Timestamp	end;

	if (day == f.mday)
		return add_interval(start, months, 0);
	end = month_end(start, months);
	over = fields_of(end).mday - day;
	return over > 0 ? end - over * USECS_PER_DAY : end;
}

/* k open days later. */
static Timestamp
add_open_days(const rnn_clock *clock, Timestamp start, int64 k)
{
	int64		day = fields_of(start).day;

	return add_interval(start, 0, week_day(clock->week, week_number(clock->week, day) + k) - day);
}

int64
clock_time(const rnn_clock *clock, int64 start, int64 k)
{
	int64		product,
				time;

	if (clock->kind == RNN_CLOCK_NONE)
		return start + k;
	if (clock->kind == RNN_CLOCK_STEP)
	{
		if (pg_mul_s64_overflow(k, clock->usecs, &product) ||
			pg_add_s64_overflow(start, product, &time))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("step out of range"),
					 errhint("Forecast fewer steps.")));
		return time;
	}
	if (clock->months > 0)
		return add_months(clock, start, k * clock->months);
	if (clock->week)
		return add_open_days(clock, start, k);
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

int64
clock_position(const rnn_clock *clock, const rnn_series *s, int64 k)
{
	return clock->kind == RNN_CLOCK_STEP ? clock_time(clock, s->start, k) : s->dropped + k + 1;
}

char *
clock_text(const rnn_clock *clock, int64 time)
{
	if (!clock_has_times(clock))
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

	if (!clock_has_times(clock))
		return psprintf(INT64_FORMAT, Max(clock->usecs, 1));
	if (clock->months > 0 && clock->months % 12 == 0)
		return psprintf("%d %s", clock->months / 12, clock->months == 12 ? "year" : "years");
	if (clock->months > 0)
		return psprintf("%d %s", clock->months, clock->months == 1 ? "mon" : "mons");
	if (clock->week)
		return pstrdup(week_text(clock->week));
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

	if (!clock_has_times(clock))
		return 0;
	if (clock->months > 0 && clock->months < 12 && 12 % clock->months == 0)
		hints[n++] = 12 / clock->months;
	else if (clock->days == 1)
	{
		hints[n++] = week_days(clock->week);
		hints[n++] = (int) (365.25 / 7 * week_days(clock->week) + 0.5);
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

Fields
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

Fields
fields_at(const rnn_clock *clock, int64 at)
{
	return fields_of(clock->kind == RNN_CLOCK_TIMESTAMPTZ ? to_local(clock, at) : at);
}

int64
whole_steps(int64 x, int64 step)
{
	return x / step - (x % step < 0);
}

int64
clock_phase(const rnn_clock *clock, int64 start)
{
	if (clock->usecs > 0)
		return whole_steps(start, clock->usecs);
	if (clock->week)
		return week_number(clock->week, fields_of(start).day);
	if (clock->days > 0)
		return whole_steps(fields_of(start).day, clock->days);
	return clock->months > 0 ? whole_steps(fields_of(start).month, clock->months) : 0;
}

const char *
of_series(const RowGroup *group)
{
	return group->name.text == NULL ? "" :
		psprintf(" of series \"%s\"", pnstrdup(group->name.text, group->name.len));
}

const char *
of_named(const rnn_series *s)
{
	return s->name == NULL ? "" : psprintf(" of series \"%s\"", pnstrdup(s->name, s->name_len));
}

int64
grid_index(const rnn_clock *clock, int64 start, const Fields *first, int64 at)
{
	Fields		f;
	int			day;
	int64		away;

	if (clock->usecs > 0)
		return !pg_sub_s64_overflow(at, start, &away) && away % clock->usecs == 0 ? away / clock->usecs : -1;
	f = fields_of(at);
	if (f.usec != first->usec)
		return -1;
	if (clock->week)
		return clock->week & 1 << week_weekday(f.day) ?
			week_number(clock->week, f.day) - week_number(clock->week, first->day) : -1;
	if (clock->days > 0)
		return (f.day - first->day) % clock->days == 0 ? (f.day - first->day) / clock->days : -1;
	day = month_day(clock, first);
	if (f.mday != day && !(f.last && f.mday < day))
		return -1;
	return (f.month - first->month) % clock->months == 0 ? (f.month - first->month) / clock->months : -1;
}

int64
clock_index(const rnn_clock *clock, int64 start, int64 time)
{
	Fields		first = {0};

	if (time < start)
		return -1;
	if (clock->usecs == 0)
		first = fields_of(start);
	return grid_index(clock, start, &first, time);
}

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

#if PG_VERSION_NUM >= 150000
void
sort_interruptibly(void *x, Size n, Size width, Comparison compare)
{
	qsort_interruptible(x, n, width, compare, NULL);
}
#else
static int
compare_interruptibly(const void *a, const void *b, void *compare)
{
	CHECK_FOR_INTERRUPTS();
	return (*(Comparison *) compare) (a, b, NULL);
}

/* It sorts in place: nothing is lost by a jump out of it. */
void
sort_interruptibly(void *x, Size n, Size width, Comparison compare)
{
	qsort_arg(x, n, width, compare_interruptibly, &compare);
}
#endif

void
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
	sort_interruptibly(rows, n, sizeof(Row), compare);
}

/* Times are local by now unless the clock counts instants. */
static char *
grid_text(const rnn_clock *clock, int64 at)
{
	return clock_text(clock, clock->kind == RNN_CLOCK_TIMESTAMPTZ && !fixed_instants(clock) ?
					  to_instant(clock, at) : at);
}

static void
refuse_gaps(const rnn_clock *clock, const RowGroup *group, int64 from, int64 to, int64 rows, int64 steps)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("the times%s from %s to %s leave too many gaps for a step of %s", of_series(group),
					grid_text(clock, from), grid_text(clock, to), clock_step_text(clock)),
			 errdetail("%lld rows would fill %lld steps.", (long long) rows, (long long) steps),
			 errhint("Set the option \"step\" to a longer one, and \"bin\", for instance to \"mean\".")));
}

static void
refuse_off_grid(const rnn_clock *clock, const RowGroup *group, int64 start, int64 at)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("%s %s%s is not on the grid of steps of %s from %s",
					clock_has_times(clock) ? "time" : "step", grid_text(clock, at), of_series(group),
					clock_step_text(clock), grid_text(clock, start)),
			 errhint("Set the option \"bin\", for instance to \"mean\", or aggregate to a regular step first.")));
}

/* Steps without a row take memory too. */
static void
refuse_points(const RowGroup *group, int64 rows, int64 steps)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("the steps%s outgrow rnnforecast.max_memory", of_series(group)),
			 errdetail("%lld rows fill %lld steps.", (long long) rows, (long long) steps),
			 errhint("Raise rnnforecast.max_memory, or aggregate to a coarser step.")));
}

/*
 * The grid begins and ends with a known value, and is NaN where there is none.
 * A group without a known value gives a series without points.
 */
void
clock_regularise(const rnn_clock *clock, RowGroup *group, bool fail, Size *room, rnn_series *series)
{
	Row		   *rows = group->rows;
	int64		n = group->n,
				from = 0,
				last;
	Fields		first = {0};
	double	   *x;

	while (from < n && isnan(rows[from].value))
		from++;
	while (n > from && isnan(rows[n - 1].value))
		n--;
	if (from == n)
		return;
	series->start = rows[from].at;
	if (clock->usecs == 0)
		first = fields_of(series->start);
	last = grid_index(clock, series->start, &first, rows[n - 1].at);
	if (last >= 0 && last / MOST_GAPS > n - from + FREE_GAPS / MOST_GAPS)
	{
		if (fail)
			refuse_gaps(clock, group, series->start, rows[n - 1].at, n - from, last + 1);
		group->problem = RNN_NOTE_IRREGULAR;
		return;
	}
	if ((Size) (last + 1) > *room / sizeof(double))
		refuse_points(group, n - from, last + 1);
	x = palloc_extended((Size) (last + 1) * sizeof(double), MCXT_ALLOC_HUGE);
	/* Where nothing was counted there was nothing. */
	for (int64 i = 0; i <= last; i++)
		x[i] = clock->bin == RNN_BIN_COUNT ? 0 : NAN;
	for (int64 i = from; i < n; i++)
	{
		int64		k = grid_index(clock, series->start, &first, rows[i].at);

		if ((i & 0xffff) == 0)
			CHECK_FOR_INTERRUPTS();
		if (k < 0)
		{
			if (fail)
				refuse_off_grid(clock, group, series->start, rows[i].at);
			group->problem = RNN_NOTE_IRREGULAR;
			pfree(x);
			return;
		}
		if (last >= 0 && !(isnan(rows[i].value) && clock->bin == RNN_BIN_COUNT))
			x[k] = rows[i].value;
	}
	*room -= (Size) (last + 1) * sizeof(double);
	series->x = x;
	series->n = last + 1;
	series->dropped = clock_phase(clock, series->start);
}

/* Rows of covariates of a series that will have n points, those of days that the other clock doesn't have left out. */
static void
regrid_covariates(const rnn_clock *from, const rnn_clock *to, rnn_series *s, int64 n, int covariates)
{
	Fields		first = fields_of(s->start);
	int64		rows = s->n + s->ahead,
				most = n + 7 * s->ahead + 7,
				last = n;
	float	   *values = palloc_extended(sizeof(float) * Max(most * covariates, 1), MCXT_ALLOC_HUGE);

	for (int64 i = 0; i < most * covariates; i++)
		values[i] = NAN;
	for (int64 i = 0; i < rows; i++)
	{
		int64		at = clock_time(from, s->start, i),
					k = grid_index(to, s->start, &first, at);

		if (k < 0 || k >= most || (to->week && !(to->week & 1 << week_weekday(fields_of(at).day))))
			continue;
		last = Max(last, k + 1);
		if (s->covariates)
			memcpy(values + k * covariates, s->covariates + i * covariates, sizeof(float) * covariates);
	}
	s->ahead = Min(last - n, RNN_MAX_HORIZON);
	s->covariates = covariates > 0 ? values : NULL;
}

/*
 * The same points with other days of the week: days that the other clock does
 * not have go, where nothing is known of them, and those it has come as missing.
 */
void
clock_regrid(const rnn_clock *from, const rnn_clock *to, rnn_series *s, int covariates)
{
	Fields		first;
	int64		start = s->start,
				last = 0;
	double	   *x;

	if (from->days != 1 || to->days != 1 || from->week == to->week || s->n == 0)
		return;
	first = fields_of(start);
	/* Seven days of the week hold at most as many times as many points as there are open ones. */
	x = palloc_extended((Size) s->n * 7 * sizeof(double), MCXT_ALLOC_HUGE);
	for (int64 i = 0; i < s->n; i++)
	{
		int64		at = clock_time(from, start, i),
					k = grid_index(to, start, &first, at);

		CHECK_FOR_INTERRUPTS();
		if (isnan(s->x[i]))
			continue;
		if (k < 0 || (to->week && !(to->week & 1 << week_weekday(fields_of(at).day))))
			ereport(ERROR,
					(errcode(ERRCODE_DATA_EXCEPTION),
					 errmsg("time %s%s is none of the model's steps, %s", grid_text(to, at), of_named(s), clock_step_text(to)),
					 errhint("Leave out such rows, or train a model with the option \"step\".")));
		while (last <= k)
			x[last++] = NAN;
		x[k] = s->x[i];
	}
	regrid_covariates(from, to, s, last, covariates);
	s->x = x;
	s->n = last;
}

char *
clock_label(const rnn_clock *clock, const rnn_series *s, int64 k)
{
	if (!clock_has_times(clock))
		return psprintf("%s " INT64_FORMAT, clock->kind == RNN_CLOCK_STEP ? "step" : "row", clock_position(clock, s, k));
	return grid_text(clock, clock_time(clock, s->start, k));
}

void
clock_place(const rnn_clock *clock, const rnn_series *s, int64 k, Datum *values, bool *nulls)
{
	bool		times = clock_has_times(clock);

	nulls[0] = nulls[1] = !times;
	nulls[2] = times;
	if (times)
	{
		int64		at = clock_time(clock, s->start, k);

		values[0] = TimestampTzGetDatum(clock_instant(clock, at));
		values[1] = TimestampGetDatum(clock_local(clock, at));
	}
	else
		values[2] = Int64GetDatum(clock_position(clock, s, k));
}
