/*
 * calendar.c
 *		Where in the day, week, month and year the points of series lie, for
 *		networks that are told, and which days months have; on the wall clock.
 *
 * Places and days are made from the clock whenever series are forecast, and shared
 * by series on one grid.
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
	calendar.months = clock->months == 1;
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
	int			number;			/* of the year */
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
	d->number = tm.tm_year;
}

static uint16
place(double part)
{
	return (uint16) (part * RNN_CIRCLE + 0.5) % RNN_CIRCLE;
}

/* Places of points from start on. */
static void
fill_places(const rnn_clock *clock, int64 start, int64 rows, void *places)
{
	Day			day = {.first = PG_INT64_MAX};
	uint16	   *to = places;

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

/* The Julian day of Easter Sunday (Meeus, Astronomical Algorithms, 1991, chapter 8). */
static int
easter(int year)
{
	int			century = year / 100,
				leap = century / 4,
				golden = year % 19,
				epact = (19 * golden + century - leap - (century - (century + 8) / 25 + 1) / 3 + 15) % 30,
				sunday = (32 + 2 * (century % 4) + 2 * (year % 100 / 4) - epact - year % 100 % 4) % 7,
				late = (golden + 11 * epact + 22 * sunday) / 451,
				days = epact + sunday - 7 * late + 114;

	return date2j(year, days / 31, days % 31 + 1);
}

/* How many of each kind the month of a day has: Monday to Sunday, and of Thursday to Monday around Easter Sunday. */
static void
count_days(const Day *d, uint8 *to)
{
	int			first = (int) (d->first / USECS_PER_DAY - d->month) + POSTGRES_EPOCH_JDATE,
				length = (int) d->month_days,
				sunday = easter(d->number);

	for (int k = 0; k < 7; k++)
	{
		int			to_it = (k - week_weekday(first - POSTGRES_EPOCH_JDATE) + 7) % 7;

		to[k] = length / 7 + (to_it < length % 7);
	}
	to[7] = Max(0, Min(first + length - 1, sunday + 1) - Max(first, sunday - 3) + 1);
}

/* Days of the months that points from start on lie in. */
static void
fill_days(const rnn_clock *clock, int64 start, int64 rows, void *days)
{
	Day			day = {.first = PG_INT64_MAX};
	uint8	   *to = days;

	for (int64 i = 0; i < rows; i++, to += RNN_DAYS)
	{
		if ((i & 0xfff) == 0)
			CHECK_FOR_INTERRUPTS();
		find_day(&day, clock_local(clock, clock_time(clock, start, i)));
		count_days(&day, to);
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

/* What is told of a row: bytes, and where it is kept. */
typedef struct Table
{
	Size		width;
	void		(*fill) (const rnn_clock *clock, int64 start, int64 rows, void *to);
	void		(*keep) (rnn_series *s, int64 rows, const void *from);
} Table;

static void
keep_places(rnn_series *s, int64 rows, const void *from)
{
	s->calendar_rows = rows;
	s->calendar = from;
}

static void
keep_days(rnn_series *s, int64 rows, const void *from)
{
	s->days_rows = rows;
	s->days = from;
	memset(s->trading, 0, sizeof(s->trading));
}

static const Table place_table = {sizeof(uint16) * RNN_TERMS, fill_places, keep_places},
			day_table = {sizeof(uint8) * RNN_DAYS, fill_days, keep_days};

static char *
make_rows(const Table *table, const rnn_clock *clock, int64 start, int64 rows)
{
	char	   *to = palloc_extended(Max(rows, 1) * table->width, MCXT_ALLOC_HUGE);

	table->fill(clock, start, rows, to);
	return to;
}

/*
 * Fills in the rows of series, and `ahead` more.  Series share the rows of all
 * where these are no more than those of each would be.
 */
static void
fill_table(const Table *table, const rnn_clock *clock, rnn_series *series, int count, int64 ahead)
{
	int64		all = 0,
				rows,
				start = 0;
	const rnn_series *first = widest(series, count, &rows);
	char	   *shared = NULL;

	for (int i = 0; i < count; i++)
		all += series[i].n + ahead;
	/* In forged bytes phases and times may say different things. */
	if (rows > 0 && rows <= all)
	{
		rows += ahead;
		start = first->start;
		shared = make_rows(table, clock, start, rows);
	}
	for (int i = 0; i < count; i++)
	{
		rnn_series *s = &series[i];
		int64		k = shared && s->n > 0 ? clock_index(clock, start, s->start) : -1,
					own = s->n > 0 ? s->n + ahead : 0;

		table->keep(s, own, k >= 0 && k + own <= rows ? shared + k * table->width : make_rows(table, clock, s->start, own));
	}
}

void
calendar_fill(const rnn_config *cfg, const rnn_clock *clock, rnn_series *series, int count, int64 ahead)
{
	if (cfg->terms)
		fill_table(&place_table, clock, series, count, ahead);
	if (cfg->trading_days > 0 && clock->months == 1)
		fill_table(&day_table, clock, series, count, ahead);
}

/* Errors where the options ask for what the clock has not. */
static void
check_calendar(const rnn_config *cfg, const rnn_clock *clock, const rnn_calendar *calendar)
{
	if (cfg->calendar > 0 && !clock_has_times(clock))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"calendar\" needs times"),
				 errdetail("The rows are numbered."),
				 errhint("Pass times instead of numbers, as in rnn_train(series, ts, value, options).")));
	if (cfg->calendar > 0 && cfg->network && calendar->terms == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"calendar\" cannot be true for steps of %s", clock_step_text(clock)),
				 errdetail("The calendar has cycles of up to a year, and only those that are at least two steps long can be seen.")));
	if (cfg->trading_days > 0 && !calendar->months)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"trading_days\" needs rows that are a month apart"),
				 clock_has_times(clock) ? errdetail("A step is %s.", clock_step_text(clock)) : errdetail("The rows are numbered."),
				 errhint("Leave the option out: it compares months by the weekdays that they have.")));
}

/* What a training may use of the calendar; the bytes that it takes. */
Size
calendar_for_training(const rnn_config *cfg, const rnn_clock *clock, rnn_series *series, int count, rnn_calendar *calendar)
{
	rnn_config	asked = *cfg;
	int64		points = 0;

	*calendar = clock_calendar(clock);
	check_calendar(cfg, clock, calendar);
	for (int i = 0; i < count; i++)
		points += series[i].n;
	if (cfg->calendar == 0 || !cfg->network ||
		(cfg->calendar < 0 && points * place_table.width > memory_limit() / AUTO_PART))
		calendar->terms = 0;
	asked.terms = calendar->terms;
	asked.trading_days = cfg->trading_days != 0 && calendar->months;
	calendar_fill(&asked, clock, series, count, 0);
	return points * ((asked.terms ? place_table.width : 0) + (asked.trading_days ? day_table.width : 0));
}
