/*
 * paths.c
 *		What the functions that draw sample paths share: the series are forecast in
 *		batches, and each one's paths are drawn step by step and handed over.
 *
 * The paths of a series depend on the model, the horizon, their number and the
 * seed, but not on which series are drawn with it.
 */
#include "pg/paths/paths.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#define DEFAULT_PATHS 500

typedef struct Drawing
{
	const Paths *paths;
	PastErrors	errors;
	rnn_sampler *sampler;
	double	   *values;			/* (N) */
	PathsTaker	take;
	void	   *taker;
} Drawing;

static _Noreturn void
paths_too_large(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("sample paths need more memory than rnnforecast.max_memory allows"),
			 errdetail("The limit is %zu MB.", memory_limit() / (1024 * 1024)),
			 errhint("Raise rnnforecast.max_memory, or ask for fewer paths, steps or groups.")));
}

void *
paths_memory(Size bytes)
{
	if (bytes > memory_limit())
		paths_too_large();
	return MemoryContextAllocHuge(CurrentMemoryContext, Max(bytes, 1));
}

int
steps_chosen(const Paths *paths, int i)
{
	return paths->choice.horizon[i] - paths->choice.lag[i];
}

static int
paths_argument(FunctionCallInfo fcinfo, int argno)
{
	int			paths = PG_ARGISNULL(argno) ? DEFAULT_PATHS : PG_GETARG_INT32(argno);

	if (paths < 1 || paths > RNN_MOST_PATHS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("paths must be between 1 and %d, not %d", RNN_MOST_PATHS, paths)));
	return paths;
}

bool
paths_begin(FunctionCallInfo fcinfo, const PathsArguments *args, const rnn_model *model, Jsonb *options,
			const char *absent, Paths *paths)
{
	*paths = (Paths) {.N = paths_argument(fcinfo, args->paths)};
	if (model == NULL)
	{
		forecast_nothing(fcinfo, absent);
		return false;
	}
	choose_forecast(fcinfo, &args->forecast, model, options, &paths->choice);
	paths->members = parts_in(model);
	for (int i = 0; i < paths->choice.count; i++)
		paths->steps = Max(paths->steps, steps_chosen(paths, i));
	return true;
}

/* Of one series, whose quantiles are q (horizon - lag, Q). */
static void
draw_series(void *taker, int i, const rnn_config *cfg, const double *q, const double *mean)
{
	Drawing    *d = taker;
	int			number = d->paths->choice.series[i],
				steps = steps_chosen(d->paths, i);

	rnn_sampler_series(d->sampler, number, d->errors.place[number]);
	for (int step = 0; step < steps; step++, q += RNN_QUANTILES)
	{
		CHECK_FOR_INTERRUPTS();
		rnn_sampler_step(d->sampler, cfg, q, d->values);
		d->take(d->taker, i, step, cfg, q, mean ? mean + step : NULL, d->values);
	}
}

/* ------------------------------------------------------------------ levels */

/* Paths of sums that are chosen, while those of their parts are drawn. */
typedef struct Levels
{
	LevelForecasts forecasts;
	int			steps;
	double	  **sums;			/* (sums of the model) (steps, N), NULL: not chosen */
} Levels;

static void
begin_levels(const Drawing *d, Levels *l)
{
	const ForecastChoice *choice = &d->paths->choice;
	const rnn_sums *sums = &choice->model->hierarchy.sums;
	Size		each = sizeof(double) * d->paths->N * (Size) l->steps;
	int			chosen = 0;

	l->sums = paths_memory(sizeof(double *) * sums->count);
	memset(l->sums, 0, sizeof(double *) * sums->count);
	for (int a = 0, i = 0; a < sums->count; a++)
	{
		while (i < choice->count && choice->series[i] < sums->series[a])
			i++;
		if (i == choice->count || choice->series[i] != sums->series[a])
			continue;
		if ((Size) ++chosen > memory_limit() / each)
			paths_too_large();
		l->sums[a] = paths_memory(each);
		memset(l->sums[a], 0, each);
	}
	forecast_levels(choice->model, l->steps, &choice->options, &l->forecasts);
}

/* Of a series of the model, at its next step. */
static const double *
draw_part(Drawing *d, const Levels *l, int number, int step)
{
	if (step == 0)
		rnn_sampler_series(d->sampler, number, d->errors.place[number]);
	rnn_sampler_step(d->sampler, &l->forecasts.cfg[number], l->forecasts.q + ((Size) number * l->steps + step) * RNN_QUANTILES,
					 d->values);
	return d->values;
}

/* A sum's paths are the sums of those of its parts, so that all levels add up in each. */
static void
add_parts(Drawing *d, const Levels *l)
{
	const rnn_model *m = d->paths->choice.model;
	const rnn_sums *sums = &m->hierarchy.sums;

	for (int i = 0; i < m->n_series; i++)
		for (int step = 0; step < l->steps && sums->first[i] < sums->first[i + 1]; step++)
		{
			const double *values = draw_part(d, l, i, step);

			CHECK_FOR_INTERRUPTS();
			for (int k = sums->first[i]; k < sums->first[i + 1]; k++)
				for (int p = 0; l->sums[sums->of[k]] && p < d->paths->N; p++)
					l->sums[sums->of[k]][(Size) step * d->paths->N + p] += values[p];
		}
}

static void
draw_levels(Drawing *d)
{
	const ForecastChoice *choice = &d->paths->choice;
	const rnn_sums *sums = &choice->model->hierarchy.sums;
	Levels		l = {.steps = d->paths->steps};

	begin_levels(d, &l);
	add_parts(d, &l);
	for (int i = 0, a = 0; i < choice->count; i++)
	{
		int			number = choice->series[i];
		Size		at = (Size) number * l.steps;

		while (a < sums->count && sums->series[a] < number)
			a++;
		for (int step = 0; step < steps_chosen(d->paths, i); step++)
		{
			const double *values = choice->model->series[number].sum ? l.sums[a] + (Size) step * d->paths->N :
				draw_part(d, &l, number, step);

			CHECK_FOR_INTERRUPTS();
			d->take(d->taker, i, step, &l.forecasts.cfg[number], l.forecasts.q + (at + step) * RNN_QUANTILES,
					l.forecasts.mean + at + step, values);
		}
	}
}

void
paths_each(FunctionCallInfo fcinfo, const PathsArguments *args, const Paths *paths, PathsTaker take, void *taker)
{
	Drawing		d = {.paths = paths,.take = take,.taker = taker};
	int64		seed = PG_ARGISNULL(args->seed) ? 0 : PG_GETARG_INT64(args->seed);

	measure_past(paths->choice.model, paths->steps, &d.errors);
	d.sampler = rnn_sampler_begin(&d.errors.past, paths->N, seed, paths_memory(rnn_sampler_size(paths->N)));
	d.values = paths_memory(sizeof(double) * paths->N);
	if (paths->choice.model->hierarchy.sums.count > 0)
		draw_levels(&d);
	else
		forecast_alone(&paths->choice, draw_series, &d);
}
