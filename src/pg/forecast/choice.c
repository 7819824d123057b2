/*
 * choice.c
 *		Which series of a model are forecast, and how far, by the arguments that
 *		all functions which forecast have.
 *
 * Every series of a batch has the same horizon: with `until` each series has
 * its own, and a forecast must not depend on which series come with it.
 */
#include "pg/forecast/forecast.h"

#include <math.h>

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#define TOLD_EARLY 2
#define TOLD_NOTHING 4

/* ------------------------------------------------------------- arguments */

double
level_argument(FunctionCallInfo fcinfo, int argno, double usual)
{
	double		level = PG_ARGISNULL(argno) ? usual : PG_GETARG_FLOAT8(argno);

	if (!(level > 0 && level < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("level must be above 0 and below 1, not %g", level),
				 level > 1 && level < 100 ? errhint("Write %g %% as %g.", level, level / 100) : 0));
	return level;
}

int
check_horizon(int64 horizon)
{
	if (horizon < 1 || horizon > RNN_MAX_HORIZON)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("horizon must be between 1 and %d, not " INT64_FORMAT,
						RNN_MAX_HORIZON, horizon)));
	return (int) horizon;
}

/* Steps to forecast, 0 if `until` or the rows ahead say it. */
static int
get_horizon(FunctionCallInfo fcinfo, const ForecastArguments *args)
{
	int			horizon;

	if (PG_ARGISNULL(args->horizon))
		return 0;
	horizon = check_horizon(PG_GETARG_INT64(args->horizon));
	if (!PG_ARGISNULL(args->until))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("horizon and until cannot be used together"),
				 errhint("Pass one of them.")));
	return horizon;
}

/* ------------------------------------------------------------- selection */

/*
 * The chosen series, in the model's order.  One without a known value has
 * nothing to forecast from; rnn_series says so.
 */
static void
choose_series(FunctionCallInfo fcinfo, const ForecastArguments *args, ForecastChoice *choice)
{
	const rnn_model *model = choice->model;
	bool	   *named = NULL;		/* all */

	if (!PG_ARGISNULL(args->series))
		named = series_named(model, PG_GETARG_ARRAYTYPE_P(args->series), false);
	choice->series = palloc(sizeof(int) * Max(model->n_series, 1));
	choice->horizon = palloc0(sizeof(int) * Max(model->n_series, 1));
	choice->lag = palloc0(sizeof(int) * Max(model->n_series, 1));
	choice->naive = palloc0(Max(model->n_series, 1));
	for (int k = 0; k < model->n_series; k++)
		if ((named == NULL || named[k]) && model->series[k].n > 0)
			choice->series[choice->count++] = k;
}

/* ------------------------------------------------------------------ time */

/* Time of a step of a series (1: the first after its last point). */
static int64
step_time(const rnn_model *model, const rnn_series *s, int64 step)
{
	return clock_time(&model->clock, s->start, s->n - 1 + step);
}

/* As the clock counts it, or for all clocks alike. */
static int64
time_of_step(const rnn_model *model, const rnn_series *s, int64 step, bool instant)
{
	int64		at = step_time(model, s, step);

	return instant ? clock_instant(&model->clock, at) : at;
}

/* The last step that is not after a time, by bisection; RNN_MAX_HORIZON for all that are further. */
static int
steps_until(const rnn_model *model, const rnn_series *s, int64 until, bool instant)
{
	int			low = 0,
				high = 1;

	while (high <= RNN_MAX_HORIZON && time_of_step(model, s, high, instant) <= until)
	{
		low = high;
		high *= 2;
	}
	while (high - low > 1)
	{
		int			middle = low + (high - low) / 2;

		if (middle <= RNN_MAX_HORIZON && time_of_step(model, s, middle, instant) <= until)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* Where the last of all series of the model ends, as the clock counts it; false where there is none. */
static bool
common_end(const rnn_model *model, int64 *end)
{
	bool		found = false;

	for (int k = 0; k < model->n_series; k++)
	{
		int64		last;

		if (model->series[k].n == 0)
			continue;
		last = step_time(model, &model->series[k], 0);
		*end = found ? Max(*end, last) : last;
		found = true;
	}
	return found;
}

/* Steps of a series up to the common end. */
static int
steps_behind(const rnn_model *model, const rnn_series *s, int64 end)
{
	return step_time(model, s, 0) < end ? steps_until(model, s, end, false) : 0;
}

static void
notice_early(int early, int count, const rnn_model *model, int64 end)
{
	ereport(NOTICE,
			(errmsg("%d of %d series end more than %d %s before the last one, and their forecasts begin where they end",
					early, count, model->config.horizon, model->config.horizon == 1 ? "step" : "steps"),
			 errdetail("The last one ends at %s.", clock_has_times(&model->clock) ?
					   DatumGetCString(DirectFunctionCall1(timestamp_out, TimestampGetDatum(clock_local(&model->clock, end)))) :
					   psprintf("step " INT64_FORMAT, end)),
			 errhint("The option \"align\" of rnn_forecast lets all forecasts begin there.")));
}

/* Steps that are returned of a series: as asked for, else as far as the rows ahead go, else as trained. */
static int
steps_of(const ForecastChoice *choice, const rnn_series *s, int horizon, int lag)
{
	if (horizon > 0)
		return horizon;
	return s->ahead > lag ? (int) s->ahead - lag : choice->model->config.horizon;
}

/* From each one's end or from the common one. */
static void
set_horizons(FunctionCallInfo fcinfo, ForecastChoice *choice, int horizon)
{
	bool		align = choice->options.align;
	int64		end = 0;
	int			early = 0;

	if (!common_end(choice->model, &end))
		return;
	for (int i = 0; i < choice->count; i++)
	{
		const rnn_series *s = &choice->model->series[choice->series[i]];
		int			behind = steps_behind(choice->model, s, end);

		CHECK_FOR_INTERRUPTS();
		early += behind > choice->model->config.horizon;
		if (align && behind + steps_of(choice, s, horizon, behind) > RNN_MAX_HORIZON)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("series \"%s\" ends too early to be aligned", pnstrdup(s->name, s->name_len)),
					 errdetail("It ends %s%d steps before the last one, and at most %d steps can be forecast.",
							   behind == RNN_MAX_HORIZON ? "at least " : "", behind, RNN_MAX_HORIZON),
					 errhint("Leave it out of the argument \"series\", or of the history.")));
		choice->lag[i] = align ? behind : 0;
		choice->horizon[i] = choice->lag[i] + steps_of(choice, s, horizon, choice->lag[i]);
	}
	if (early > 0 && !align && tell_once(fcinfo, TOLD_EARLY))
		notice_early(early, choice->count, choice->model, end);
}

/*
 * The last time to forecast as the model's steps are compared with it: an
 * instant for timestamptz; for dates and timestamps the wall clock that the
 * caller typed, which his session's time zone made an instant of.
 */
static int64
limit_for(const rnn_clock *clock, TimestampTz until)
{
	if (clock->kind == RNN_CLOCK_TIMESTAMPTZ || TIMESTAMP_NOT_FINITE(until))
		return until;
	return DatumGetTimestamp(DirectFunctionCall1(timestamptz_timestamp, TimestampTzGetDatum(until)));
}

static void
refuse_past(const rnn_model *m, TimestampTz until)
{
	Place		first,
				last;

	find_span(m, &first, &last);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("until \"%s\" is before the first step of the forecast", timestamptz_to_str(until)),
			 errdetail("The history ends at %s.", place_text(m, &last))));
}

static void
set_horizons_until(ForecastChoice *choice, TimestampTz until)
{
	const rnn_clock *clock = &choice->model->clock;
	int64		limit = limit_for(clock, until);
	int64		end = 0;
	int			left = 0;

	common_end(choice->model, &end);
	if (!clock_has_times(clock))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("until needs a model with times"),
				 errdetail("The rows of this model are numbered."),
				 errhint("Pass horizon instead.")));
	for (int i = 0; i < choice->count; i++)
	{
		const rnn_series *s = &choice->model->series[choice->series[i]];
		int			horizon = TIMESTAMP_IS_NOBEGIN(until) ? 0 :
			TIMESTAMP_IS_NOEND(until) ? RNN_MAX_HORIZON :
			steps_until(choice->model, s, limit, clock->kind == RNN_CLOCK_TIMESTAMPTZ);

		/* One more step must be beyond it. */
		if (horizon == RNN_MAX_HORIZON)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("until \"%s\" is %d steps or more ahead",
							timestamptz_to_str(until), RNN_MAX_HORIZON)));
		CHECK_FOR_INTERRUPTS();
		choice->lag[i] = choice->model->hierarchy.sums.count > 0 ? steps_behind(choice->model, s, end) : 0;
		/* A series that goes on beyond it already has nothing to forecast. */
		if (horizon <= choice->lag[i])
			continue;
		choice->series[left] = choice->series[i];
		choice->lag[left] = choice->lag[i];
		choice->horizon[left++] = horizon;
	}
	if (choice->count > 0 && left == 0)
		refuse_past(choice->model, until);
	choice->count = left;
}

/* A sum counts as the series that it is of. */
static void
count_members(const ForecastChoice *choice, Groups *groups)
{
	int		   *parts = parts_in(choice->model);

	memset(groups->size, 0, sizeof(int) * groups->count);
	for (int i = 0; i < choice->count; i++)
		for (int k = groups->first[i]; k < groups->first[i + 1]; k++)
			groups->size[groups->of[k]] += parts[choice->series[i]];
	pfree(parts);
}

void
choose_groups(Jsonb *groups, const ForecastChoice *choice, Groups *out)
{
	SeriesName *names = palloc_extended(sizeof(SeriesName) * Max(choice->count, 1), MCXT_ALLOC_HUGE);
	bool	   *sum = palloc_extended(Max(choice->count, 1), MCXT_ALLOC_HUGE);

	for (int i = 0; i < choice->count; i++)
	{
		names[i] = series_name(chosen_series(choice, i));
		sum[i] = chosen_series(choice, i)->sum;
	}
	parse_groups(groups, names, sum, choice->count, false, out);
	count_members(choice, out);
}

/* What must be known ahead is; series of which it isn't go as the options say. */
static void
check_covariates(ForecastChoice *choice)
{
	int			left = 0;

	for (int i = 0; i < choice->count; i++)
	{
		AheadState	state = check_ahead(choice->model, &choice->model->series[choice->series[i]], choice->horizon[i], &choice->options);

		CHECK_FOR_INTERRUPTS();
		if (state == AHEAD_SKIP)
			continue;
		choice->series[left] = choice->series[i];
		choice->horizon[left] = choice->horizon[i];
		choice->lag[left] = choice->lag[i];
		choice->naive[left++] = state == AHEAD_NAIVE;
	}
	if (left < choice->count)
		ereport(NOTICE,
				(errmsg("%d of %d series are left out, because covariates that are known ahead are missing",
						choice->count - left, choice->count)));
	choice->count = left;
}

void
choose_forecast(FunctionCallInfo fcinfo, const ForecastArguments *args, const rnn_model *model, Jsonb *options,
				ForecastChoice *choice)
{
	int			horizon;

	*choice = (ForecastChoice) {.model = model};
	parse_forecast_options(options, model, &choice->options);
	/* Of levels that add up the same steps are forecast. */
	choice->options.align |= model->hierarchy.sums.count > 0;
	horizon = get_horizon(fcinfo, args);
	choose_series(fcinfo, args, choice);
	if (!PG_ARGISNULL(args->until))
		set_horizons_until(choice, PG_GETARG_TIMESTAMPTZ(args->until));
	else
		set_horizons(fcinfo, choice, horizon);
	check_covariates(choice);
}

/* No rows; says why, once in a statement. */
void
forecast_nothing(FunctionCallInfo fcinfo, const char *why)
{
	if (tell_once(fcinfo, TOLD_NOTHING))
		ereport(NOTICE,
				(errmsg("nothing is forecast: %s", why)));
}

Jsonb *
options_argument(FunctionCallInfo fcinfo, int argno)
{
	return PG_ARGISNULL(argno) ? NULL : PG_GETARG_JSONB_P(argno);
}
