/*
 * clock.c
 *		What one step is in time, and where points lie on that grid.
 *
 * Steps shorter than a day are fixed counts of microseconds (of UTC where the
 * column is timestamptz: an hour is an hour across a change of the clocks).
 * Longer ones follow the calendar on the wall: days, or months, quarters and
 * years.  All date arithmetic is PostgreSQL's own.
 */
#include "pg/time/time.h"

#include "common/int.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#define MOST_PLACE (INT64CONST(0x20000000000000) - INT64CONST(0x100000000))

bool
clock_is_fixed(const rnn_clock *clock)
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
	return clock_is_fixed(clock) ? to_local(clock, time) : time;
}

TimestampTz
clock_instant(const rnn_clock *clock, int64 time)
{
	return clock_is_fixed(clock) ? time : to_instant(clock, time);
}

int64
clock_convert(const rnn_clock *from, const rnn_clock *to, int64 time)
{
	if (from->kind != RNN_CLOCK_TIMESTAMPTZ)
		return time;
	if (clock_is_fixed(to))
		return clock_instant(from, time);
	if (!clock_is_fixed(from) && strcmp(from->zone, to->zone) == 0)
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
int
clock_month_day(const rnn_clock *clock, const Fields *f)
{
	return f->last ? Max(f->mday, clock->month_day) : f->mday;
}

static Timestamp
add_months(const rnn_clock *clock, Timestamp start, int64 months)
{
	Fields		f = fields_of(start);
	int			day = clock_month_day(clock, &f),
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

/* Models keep places and steps below 2^53, and what is cut off a series is added. */
static void
check_place(const rnn_clock *clock, int64 start, int64 place)
{
	if (clock->usecs <= MOST_PLACE && place >= -MOST_PLACE && place <= MOST_PLACE)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
			 errmsg("time %s cannot be counted in steps of %s", clock_text(clock, start), clock_step_text(clock)),
			 errdetail("A step that is counted in microseconds is at most 285 years long, and a time lies at most 2^53 steps from the year 2000."),
			 errhint("Set the option \"bin\" or \"step\", to a step that the times have.")));
}

int64
clock_phase(const rnn_clock *clock, int64 start)
{
	if (clock->usecs > 0)
	{
		int64		place = whole_steps(start, clock->usecs);

		check_place(clock, start, place);
		return place;
	}
	if (clock->week)
		return week_number(clock->week, fields_of(start).day);
	if (clock->days > 0)
		return whole_steps(fields_of(start).day, clock->days);
	return clock->months > 0 ? whole_steps(fields_of(start).month, clock->months) : 0;
}
