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

void
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
	for (int i = 0; i < paths->choice.count; i++)
		paths->steps = Max(paths->steps, steps_chosen(paths, i));
	return true;
}

/* Of one series, whose quantiles are q (horizon - lag, Q). */
static void
draw_series(void *taker, int i, const rnn_config *cfg, const double *q)
{
	Drawing    *d = taker;
	int			number = d->paths->choice.series[i],
				steps = steps_chosen(d->paths, i);

	rnn_sampler_series(d->sampler, number, d->errors.place[number]);
	for (int step = 0; step < steps; step++, q += RNN_QUANTILES)
	{
		CHECK_FOR_INTERRUPTS();
		rnn_sampler_step(d->sampler, cfg, q, d->values);
		d->take(d->taker, i, step, cfg, q, d->values);
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
	forecast_each(&paths->choice, draw_series, &d);
}
