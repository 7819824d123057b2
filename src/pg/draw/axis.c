/*
 * axis.c
 *		Ticks where people expect them: 1, 2 or 5 times a power of ten, and whole
 *		seconds to years of the calendar.
 */
#include "pg/draw/draw.h"

#include <math.h>

#include "utils/datetime.h"
#include "utils/timestamp.h"

/* ------------------------------------------------------------------ numbers */

/* The least of 1, 2, 5, 10 ... that has no more than `most` ticks. */
static double
number_step(double range, int most)
{
	double		power = pow(10, floor(log10(range / most)));

	for (int i = 0; i < 4; i++)
	{
		static const double steps[] = {1, 2, 5, 10};

		if (range / (steps[i] * power) <= most)
			return steps[i] * power;
	}
	return 20 * power;
}

/* A number as a tick has it, where neighbours lie a step apart: 1.5, 12k, 3M. */
static char *
number_label(double x, double step, double largest)
{
	static const struct
	{
		double		from,
					unit;
		const char *suffix;
	}			sizes[] = {{1e9, 1e9, "bn"}, {1e6, 1e6, "M"}, {1e4, 1e3, "k"}};
	double		unit = 1;
	const char *suffix = "";

	if (largest >= 1e13 || step < 1e-6)
		return psprintf("%.3g", x);
	for (int i = lengthof(sizes) - 1; i >= 0; i--)
		if (largest >= sizes[i].from)
		{
			unit = sizes[i].unit;
			suffix = sizes[i].suffix;
		}
	return psprintf("%.*f%s", Max(0, (int) -floor(log10(step / unit) + 1e-9)), x / unit, x == 0 ? "" : suffix);
}

Axis
number_axis(double low, double high, int most, bool widen)
{
	Axis		axis = {0};
	double		middle = low / 2 + high / 2,
				step,
				largest;

	/* One value only has room around it. */
	if (high - low <= fabs(middle) * 1e-12)
	{
		low = middle - Max(fabs(middle) * 0.1, 1);
		high = middle + Max(fabs(middle) * 0.1, 1);
	}
	step = number_step(high - low, most);
	axis.low = widen ? floor(low / step) * step : low;
	axis.high = widen ? ceil(high / step) * step : high;
	largest = Max(fabs(axis.low), fabs(axis.high));
	for (double k = ceil(axis.low / step - 1e-9); k * step <= axis.high + step * 1e-9 && axis.n < MOST_TICKS; k++)
	{
		axis.at[axis.n] = k * step + 0.0;	/* no -0 */
		axis.label[axis.n] = number_label(axis.at[axis.n], step, largest);
		axis.n++;
	}
	return axis;
}

Axis
value_axis(const Sights *s, int most)
{
	double		low = s->low <= s->high ? s->low : 0,
				high = s->low <= s->high ? s->high : 1;

	return number_axis(low > 0 && low < high / 2 ? 0 : low, high, most, true);
}

/* -------------------------------------------------------------------- times */

/* Steps of the calendar: so many microseconds, days or months. */
typedef struct TimeStep
{
	int64		usecs;
	int			months;
} TimeStep;

static const TimeStep time_steps[] = {
	{USECS_PER_SEC, 0}, {5 * USECS_PER_SEC, 0}, {15 * USECS_PER_SEC, 0}, {30 * USECS_PER_SEC, 0},
	{USECS_PER_MINUTE, 0}, {5 * USECS_PER_MINUTE, 0}, {15 * USECS_PER_MINUTE, 0}, {30 * USECS_PER_MINUTE, 0},
	{USECS_PER_HOUR, 0}, {3 * USECS_PER_HOUR, 0}, {6 * USECS_PER_HOUR, 0}, {12 * USECS_PER_HOUR, 0},
	{USECS_PER_DAY, 0}, {2 * USECS_PER_DAY, 0}, {7 * USECS_PER_DAY, 0}, {14 * USECS_PER_DAY, 0},
	{0, 1}, {0, 2}, {0, 3}, {0, 6}, {0, 12}, {0, 24}, {0, 60}, {0, 120}, {0, 240}, {0, 600}, {0, 1200}, {0, 6000}, {0, 12000},
	{0, 120000}
};

static const char *const month_names[] = {
	"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
};

static struct pg_tm
calendar_of(Timestamp at)
{
	struct pg_tm tm = {0};
	fsec_t		fraction;

	if (timestamp2tm(at, NULL, &tm, &fraction, NULL, NULL) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	return tm;
}

/* Time of month k, counted from January of the year 0. */
static Timestamp
time_of_month(int64 k)
{
	return (Timestamp) (date2j((int) (k / 12), (int) (k % 12) + 1, 1) - POSTGRES_EPOCH_JDATE) * USECS_PER_DAY;
}

/* The first tick from a time on. */
static Timestamp
first_tick(const TimeStep *step, Timestamp from, int64 *month)
{
	if (step->months > 0)
	{
		struct pg_tm tm = calendar_of(from);

		*month = (int64) tm.tm_year * 12 + tm.tm_mon - 1;
		*month -= *month % step->months;
		if (time_of_month(*month) < from)
			*month += step->months;
		return time_of_month(*month);
	}
	/* Weeks begin on Mondays: 2000-01-03 was one. */
	if (step->usecs % (7 * USECS_PER_DAY) == 0)
		return (Timestamp) ceil((from - 2 * (double) USECS_PER_DAY) / step->usecs) * step->usecs + 2 * USECS_PER_DAY;
	return (Timestamp) ceil((double) from / step->usecs) * step->usecs;
}

static char *
tick_label(const TimeStep *step, Timestamp at)
{
	struct pg_tm tm = calendar_of(at);

	if (step->months >= 12)
		return psprintf("%d", tm.tm_year);
	if (step->months > 0)
		return tm.tm_mon == 1 ? psprintf("%d", tm.tm_year) : pstrdup(month_names[tm.tm_mon - 1]);
	if (step->usecs >= USECS_PER_DAY || (tm.tm_hour == 0 && tm.tm_min == 0 && tm.tm_sec == 0))
		return psprintf("%d %s", tm.tm_mday, month_names[tm.tm_mon - 1]);
	return step->usecs < USECS_PER_MINUTE ? psprintf("%02d:%02d:%02d", tm.tm_hour, tm.tm_min, tm.tm_sec) :
		psprintf("%02d:%02d", tm.tm_hour, tm.tm_min);
}

static const TimeStep *
time_step(double range, int most)
{
	for (int i = 0; i < (int) lengthof(time_steps); i++)
	{
		double		length = time_steps[i].months > 0 ? time_steps[i].months * 30.4375 * USECS_PER_DAY : time_steps[i].usecs;

		if (range / length <= most)
			return &time_steps[i];
	}
	return &time_steps[lengthof(time_steps) - 1];
}

Axis
time_axis(double low, double high, int most)
{
	Axis		axis = {.low = low,.high = high};
	const TimeStep *step = time_step(high - low, most);
	int64		month = 0;
	Timestamp	at = first_tick(step, (Timestamp) low, &month);

	for (; at <= high && axis.n < MOST_TICKS; at = step->months > 0 ? time_of_month(month += step->months) : at + step->usecs)
	{
		axis.at[axis.n] = at;
		axis.label[axis.n++] = tick_label(step, at);
	}
	if (!(axis.high > axis.low))
	{
		axis.low -= USECS_PER_DAY;
		axis.high += USECS_PER_DAY;
	}
	return axis;
}

Axis
x_axis(const Drawing *d, const Sights *s, int most)
{
	return d->times ? time_axis(s->x_low, s->x_high, most) : number_axis(s->x_low, s->x_high, most, false);
}

char *
x_label(const Drawing *d, double x)
{
	struct pg_tm tm;

	if (!d->times)
		return psprintf("%.10g", x);
	tm = calendar_of((Timestamp) x);
	return tm.tm_hour || tm.tm_min || tm.tm_sec ?
		psprintf("%d %s %d %02d:%02d", tm.tm_mday, month_names[tm.tm_mon - 1], tm.tm_year, tm.tm_hour, tm.tm_min) :
		psprintf("%d %s %d", tm.tm_mday, month_names[tm.tm_mon - 1], tm.tm_year);
}
