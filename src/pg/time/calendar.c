/*
 * calendar.c
 *		Where in the day, week, month and year the points of series lie, for
 *		networks that are told; on the wall clock.
 *
 * Places are made from the clock whenever a network runs, and shared by series
 * on one grid.
 */
#include "pg/time/time.h"

#include "miscadmin.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#define DAYS_PER_MEAN_MONTH (365.25 / 12)
#define LEAST_STEPS 2			/* of a cycle */
#define AUTO_PART 16			/* of the memory, for places that nobody asked for */

const char *
calendar_word(const rnn_clock *clock, int term)
{
	switch (term)
	{
		case RNN_TERM_DAY:
			return "hour";
		case RNN_TERM_WEEK:
			return "weekday";
		case RNN_TERM_MONTH:
			return "day of month";
	}
	return clock->months > 0 ? "month" : clock->days >= 7 || clock->usecs >= 7 * USECS_PER_DAY ? "week" : "day of year";
}

double
clock_days(const rnn_clock *clock)
{
	if (clock->months > 0)
		return clock->months * DAYS_PER_MEAN_MONTH;
	if (clock->week)
		return 7.0 / week_days(clock->week);
	return clock->days > 0 ? clock->days : clock->usecs / (double) USECS_PER_DAY;
}

rnn_calendar
clock_calendar(const rnn_clock *clock)
{
	static const double days[RNN_TERMS] = {
		[RNN_TERM_DAY] = 1,[RNN_TERM_WEEK] = 7,[RNN_TERM_MONTH] = DAYS_PER_MEAN_MONTH,[RNN_TERM_YEAR] = 365.25
	};
	rnn_calendar calendar = {0};

	if (!clock_has_times(clock))
		return calendar;
	for (int i = 0; i < RNN_TERMS; i++)
	{
		calendar.steps[i] = days[i] / clock_days(clock);
		/* as half years are, but for their last bits */
		if (calendar.steps[i] >= LEAST_STEPS - 1e-9)
			calendar.terms |= 1 << i;
	}
	return calendar;
}

/* One day, as long as times are of it. */
typedef struct Day
{
	Timestamp	first;
	double		week,			/* days since Monday, */
				month,			/* of the month and the year that are over, */
				month_days,		/* of how many */
				year,
				year_days;
} Day;

static void
find_day(Day *d, Timestamp local)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			jdate;

	if (local >= d->first && local < d->first + USECS_PER_DAY)
		return;
	if (timestamp2tm(local, NULL, &tm, &fsec, NULL, NULL) != 0)
		ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("timestamp out of range")));
	jdate = date2j(tm.tm_year, tm.tm_mon, tm.tm_mday);
	d->first = (jdate - POSTGRES_EPOCH_JDATE) * USECS_PER_DAY;
	d->week = week_weekday(jdate - POSTGRES_EPOCH_JDATE);
	d->month = tm.tm_mday - 1;
	d->month_days = day_tab[isleap(tm.tm_year)][tm.tm_mon - 1];
	d->year = jdate - date2j(tm.tm_year, 1, 1);
	d->year_days = isleap(tm.tm_year) ? 366 : 365;
}

static uint16
place(double part)
{
	return (uint16) (part * RNN_CIRCLE + 0.5) % RNN_CIRCLE;
}

/* Places of points from start on. */
static void
fill_places(const rnn_clock *clock, int64 start, int64 rows, uint16 *to)
{
	Day			day = {.first = PG_INT64_MAX};

	for (int64 i = 0; i < rows; i++, to += RNN_TERMS)
	{
		Timestamp	local = clock_local(clock, clock_time(clock, start, i));
		double		part;

		if ((i & 0xfff) == 0)
			CHECK_FOR_INTERRUPTS();
		find_day(&day, local);
		part = (local - day.first) / (double) USECS_PER_DAY;
		to[RNN_TERM_DAY] = place(part);
		to[RNN_TERM_WEEK] = place((day.week + part) / 7);
		to[RNN_TERM_MONTH] = place((day.month + part) / day.month_days);
		to[RNN_TERM_YEAR] = place((day.year + part) / day.year_days);
	}
}

/* The series that begins first, and rows up to the end of the one that ends last. */
static const rnn_series *
widest(const rnn_series *series, int count, int64 *rows)
{
	const rnn_series *first = NULL;
	int64		end = 0;

	for (int i = 0; i < count; i++)
	{
		const rnn_series *s = &series[i];

		if (s->n == 0)
			continue;
		end = first ? Max(end, s->dropped + s->n) : s->dropped + s->n;
		if (first == NULL || s->start < first->start)
			first = s;
	}
	*rows = first ? end - first->dropped : 0;
	return first;
}

/*
 * Fills in where the points of series lie, and `ahead` steps more.  Series share
 * the places of all where these are no more than those of each would be.
 */
void
calendar_fill(const rnn_clock *clock, rnn_series *series, int count, int64 ahead)
{
	int64		all = 0,
				rows,
				start = 0;
	const rnn_series *first = widest(series, count, &rows);
	uint16	   *shared = NULL;

	for (int i = 0; i < count; i++)
		all += series[i].n + ahead;
	/* In forged bytes phases and times may say different things. */
	if (rows > 0 && rows <= all)
	{
		rows += ahead;
		start = first->start;
		shared = palloc_extended((Size) rows * RNN_TERMS * sizeof(uint16), MCXT_ALLOC_HUGE);
		fill_places(clock, start, rows, shared);
	}
	for (int i = 0; i < count; i++)
	{
		rnn_series *s = &series[i];
		int64		k = shared && s->n > 0 ? clock_index(clock, start, s->start) : -1;

		s->calendar_rows = s->n > 0 ? s->n + ahead : 0;
		if (k >= 0 && k + s->calendar_rows <= rows)
			s->calendar = shared + k * RNN_TERMS;
		else
		{
			uint16	   *own = palloc_extended((Size) Max(s->calendar_rows, 1) * RNN_TERMS * sizeof(uint16), MCXT_ALLOC_HUGE);

			fill_places(clock, s->start, s->calendar_rows, own);
			s->calendar = own;
		}
	}
}

/* What a training may use of the calendar; the bytes that it takes. */
Size
calendar_for_training(const rnn_config *cfg, const rnn_clock *clock, rnn_series *series, int count, rnn_calendar *calendar)
{
	Size		bytes = 0;

	*calendar = (rnn_calendar) {0};
	if (cfg->calendar > 0 && !clock_has_times(clock))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"calendar\" needs times"),
				 errdetail("The rows are numbered."),
				 errhint("Pass times instead of numbers, as in rnn_train(series, ts, value, options).")));
	if (cfg->calendar == 0 || !cfg->network)
		return 0;
	*calendar = clock_calendar(clock);
	if (cfg->calendar > 0 && calendar->terms == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"calendar\" cannot be true for steps of %s", clock_step_text(clock)),
				 errdetail("The calendar has cycles of up to a year, and only those that are at least two steps long can be seen.")));
	for (int i = 0; i < count; i++)
		bytes += series[i].n * RNN_TERMS * sizeof(uint16);
	if (cfg->calendar < 0 && bytes > memory_limit() / AUTO_PART)
		calendar->terms = 0;
	if (calendar->terms == 0)
		return 0;
	calendar_fill(clock, series, count, 0);
	return bytes;
}
