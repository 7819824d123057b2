/*
 * grid.c
 *		Where times lie on the grid of steps, and the points of rows on it.
 */
#include "pg/time/time.h"

#include <math.h>

#include "common/int.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

/* More grid points than that per row mean a wrong step or a stray row. */
#define MOST_GAPS 100
#define FREE_GAPS 1000

/* Index of a time on the grid that begins at start (first its fields), -1 where it is off the grid. */
static int64
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
	day = clock_month_day(clock, first);
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

/* Times are local by now unless the clock counts instants. */
static char *
grid_text(const rnn_clock *clock, int64 at)
{
	return clock_text(clock, clock->kind == RNN_CLOCK_TIMESTAMPTZ && !clock_is_fixed(clock) ?
					  to_instant(clock, at) : at);
}

static void
refuse_gaps(const rnn_clock *clock, const RowGroup *group, int64 from, int64 to, int64 rows, int64 steps)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("the times%s from %s to %s leave too many gaps for a step of %s", of_series(group->name),
					grid_text(clock, from), grid_text(clock, to), clock_step_text(clock)),
			 errdetail("%lld rows would fill %lld steps.", (long long) rows, (long long) steps),
			 errhint("Set the option \"step\" to a longer step, and the option \"bin\", for instance to \"mean\".")));
}

/* Whether the steps may be days of another time zone than the clock's. */
static bool
of_other_zone(const rnn_clock *clock)
{
	return clock->kind == RNN_CLOCK_TIMESTAMPTZ && clock->usecs % USECS_PER_DAY == 0;
}

static void
refuse_off_grid(const rnn_clock *clock, const RowGroup *group, int64 start, int64 at)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("%s %s%s is not on the grid of steps of %s from %s",
					clock_has_times(clock) ? "time" : "step", grid_text(clock, at), of_series(group->name),
					clock_step_text(clock), grid_text(clock, start)),
			 of_other_zone(clock) ? errdetail("Days are those of the time zone \"%s\".", clock->zone) : 0,
			 of_other_zone(clock) ?
			 errhint("If each time is midnight in another zone, name that zone in the option \"timezone\", as in {\"timezone\": \"Asia/Tokyo\"}. "
					 "Otherwise set the option \"bin\", for instance to \"mean\".") :
			 errhint("Set the option \"bin\", for instance to \"mean\", or aggregate to a regular step first.")));
}

/* Steps without a row take memory too. */
static void
refuse_points(const RowGroup *group, int64 rows, int64 steps)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("the steps%s exceed rnnforecast.max_memory", of_series(group->name)),
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
					 errmsg("time %s%s is not one of the model's steps, %s", grid_text(to, at), of_series(series_name(s)), clock_step_text(to)),
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
