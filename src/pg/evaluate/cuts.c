/*
 * cuts.c
 *		Where a backtest cuts its series, by options beside those of a training.
 *
 * Cutoffs are counted back from the end of each series: the last leaves the gap
 * and the horizon behind it, the others lie `every` steps before.  A cutoff is a
 * known value; one that would fall into a gap of the rows moves back to what is
 * known before.
 */
#include "pg/evaluate/evaluate.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#define MOST_CUTOFFS 1000000
#define MOST_POINTS 1e9

static const char *const own_options[] = {"every", "gap", "window", "refit", "scale_points", "season", "level", "at"};

/* true: anew at each cutoff; false: once; a number: at each so many. */
static int
refit_option(Jsonb *options)
{
	JsonbValue *v = json_field(options, "refit");

	if (v && v->type == jbvBool)
		return v->val.boolean ? 1 : 0;
	return (int) lone_option(options, "refit", true, 1, MOST_CUTOFFS, 0);
}

/* The array of times, or of steps; NULL where there is none. */
static JsonbContainer *
at_option(Jsonb *options)
{
	JsonbValue *v = json_field(options, "at");

	if (v == NULL || v->type == jbvNull)
		return NULL;
	if (v->type != jbvBinary || !JsonContainerIsArray(v->val.binary.data) || JsonContainerSize(v->val.binary.data) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"at\" must be an array of times, or of steps, not %s", value_text(v)),
				 errhint("Write it like '{\"at\": [\"2024-01-01\", \"2024-07-01\"]}'.")));
	return v->val.binary.data;
}

/* All that are left are those of a training. */
static void
check_others(Jsonb *options)
{
	JsonbIterator *it = begin_options(options, "{\"every\": 1}");
	JsonbValue	v;
	char	   *name;

	while ((name = next_option(&it, &v)) != NULL)
	{
		const char *near = closest_option(name);

		if (near == NULL || (strcmp(near, name) != 0 && closest_name(name, own_options, lengthof(own_options))))
			refuse_option(name, "rnn_backtest", own_options, lengthof(own_options),
						  ", and those of a training, which the view rnn_options lists; of a named model there is live, too.");
	}
}

Jsonb *
take_backtest_options(Jsonb *options, Backtest *b)
{
	memset(b, 0, sizeof(*b));
	b->level = 0.9;
	if (options == NULL || !JB_ROOT_IS_OBJECT(options))
		return options;
	b->every = (int64) lone_option(options, "every", true, 1, MOST_POINTS, 0);
	b->gap = (int) lone_option(options, "gap", true, 0, RNN_MAX_HORIZON, 0);
	b->window = (int64) lone_option(options, "window", true, RNN_LEAST_HISTORY, MOST_POINTS, 0);
	b->scale_points = (int64) lone_option(options, "scale_points", true, 2, MOST_POINTS, 0);
	b->season = (int64) lone_option(options, "season", true, 1, RNN_MAX_HORIZON, 0);
	b->level = lone_option(options, "level", false, 0.001, 0.999, 0.9);
	b->refit = refit_option(options);
	b->at = at_option(options);
	for (size_t i = 0; i < lengthof(own_options); i++)
		options = json_without(options, own_options[i]);
	check_others(options);
	return options;
}

/* ------------------------------------------------------------------ cutoffs */

/* The last point at or before `at` that follows a known one. */
static int64
after_known(const rnn_series *s, int64 at)
{
	while (at > 0 && isnan(s->x[at - 1]))
		at--;
	return at;
}

/* How the item of the option lies on the clock: a time on the wall, or a step. */
static int64
place_of(const rnn_clock *clock, const JsonbValue *v)
{
	if (clock_has_times(clock) && v->type == jbvString)
		return DatumGetTimestamp(DirectFunctionCall3(timestamp_in, CStringGetDatum(pnstrdup(v->val.string.val, v->val.string.len)),
													 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
	if (!clock_has_times(clock) && v->type == jbvNumeric)
		return (int64) fmin(fmax(json_number(v), -1e18), 1e18);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"at\" must be an array of %s", clock_has_times(clock) ? "times" : "steps")));
}

static int64
place_of_point(const rnn_clock *clock, const rnn_series *s, int64 k)
{
	if (clock_has_times(clock))
		return clock_local(clock, clock_time(clock, s->start, k));
	return clock_position(clock, s, k);
}

/* Points of a series at or before a place, by bisection. */
static int64
points_until(const rnn_clock *clock, const rnn_series *s, int64 place)
{
	int64		low = 0,
				high = s->n + 1;

	while (high - low > 1)
	{
		int64		middle = low + (high - low) / 2;

		if (place_of_point(clock, s, middle - 1) <= place)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* Places of all cutoffs (count), the latest first, where the option says them; else NULL. */
static int64 *
places_at(const rnn_clock *clock, Backtest *b)
{
	int64	   *places;
	int			n;

	if (b->at == NULL)
		return NULL;
	b->cutoffs = n = JsonContainerSize(b->at);
	places = palloc(sizeof(int64) * n);
	for (int i = 0; i < n; i++)
		places[i] = place_of(clock, getIthJsonbValueFromContainer(b->at, i));
	sort_interruptibly(places, n, sizeof(int64), compare_int64, NULL);
	for (int i = 0; i < n / 2; i++)
	{
		int64		other = places[n - 1 - i];

		places[n - 1 - i] = places[i];
		places[i] = other;
	}
	return places;
}

/* Those of one series, the latest first, behind the others. */
static int64
cut_series(const rnn_model *history, const Backtest *b, const int64 *places, int series, Cut *cuts, int64 n)
{
	const rnn_series *s = &history->series[series];
	int64		before = s->n + 1;

	for (int i = 0; i < b->cutoffs && s->note < RNN_NOTE_EMPTY; i++)
	{
		int64		e = after_known(s, places ? points_until(&history->clock, s, places[i]) :
									s->n - b->gap - b->horizon - i * b->every);

		if (e < RNN_LEAST_HISTORY)
			break;
		/* Two that fall into one gap are one, and none has nothing behind it. */
		if (e < before && e + b->gap < s->n)
			cuts[n++] = (Cut) {.series = series,.e = e,.index = i};
		before = Min(before, e);
	}
	return n;
}

Cut *
plan_cuts(const rnn_model *history, Backtest *b, int64 *count)
{
	int64	   *places = places_at(&history->clock, b);
	Cut		   *cuts;
	int			left_out = 0;
	int64		room = 0;

	for (int i = 0; i < history->n_series; i++)
		room += Min(b->cutoffs, history->series[i].n / (places ? 1 : b->every) + 1);
	cuts = palloc_extended(sizeof(Cut) * Max(room, 1), MCXT_ALLOC_HUGE);
	*count = 0;
	for (int i = 0; i < history->n_series; i++)
	{
		int64		n = cut_series(history, b, places, i, cuts, *count);

		CHECK_FOR_INTERRUPTS();
		left_out += n == *count;
		*count = n;
	}
	if (left_out > 0)
		ereport(NOTICE,
				(history->n_series == 1 ? errmsg("nothing is judged: the series has no cutoff") :
				 errmsg("%d of %d series have no cutoff and are left out", left_out, history->n_series),
				 errdetail("A cutoff needs %d points before it, and at least one after it that is judged.", RNN_LEAST_HISTORY)));
	return cuts;
}

/* -------------------------------------------------------------------- scale */

double
scale_before(ScaleSum *sum, const rnn_series *s, int64 e, int64 season, int64 points)
{
	if (points > 0 || sum->s != s || e < sum->e)
		*sum = (ScaleSum) {.s = s,.e = season + (points > 0 ? Max(e - points, 0) : 0)};
	for (; sum->e < e; sum->e++)
	{
		double		d = distance(s->x[sum->e], s->x[sum->e - season]);

		if (isnan(d))
			continue;
		sum->sum += d;
		sum->pairs++;
	}
	return sum->pairs > 0 && isfinite(sum->sum) ? sum->sum / sum->pairs : NAN;
}
