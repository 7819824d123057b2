/*
 * simulate.c
 *		rnn_simulate: the paths themselves, a row for each step.
 */
#include "pg/paths/paths.h"

#include "miscadmin.h"
#include "utils/builtins.h"

#define COLUMNS 7				/* of rnn_path_row */

enum { ARG_HORIZON = 1, ARG_PATHS, ARG_SEED, ARG_UNTIL, ARG_SERIES, ARG_OPTIONS };

static const PathsArguments arguments = {{ARG_HORIZON, ARG_UNTIL, ARG_SERIES}, ARG_PATHS, ARG_SEED};

typedef struct Simulation
{
	Paths		paths;
	double	   *values;			/* (steps, N) of a series */
	Tuples		rows;
} Simulation;

static void
put_value(Simulation *s, int i, int path, int step)
{
	const ForecastChoice *choice = &s->paths.choice;
	const rnn_series *series = chosen_series(choice, i);
	MemoryContext old = MemoryContextSwitchTo(s->rows.scratch);
	Datum		values[COLUMNS] = {0};
	bool		nulls[COLUMNS] = {false};

	nulls[0] = series->name == NULL;
	if (series->name)
		values[0] = PointerGetDatum(cstring_to_text_with_len(series->name, series->name_len));
	values[1] = Int32GetDatum(path + 1);
	values[2] = Int32GetDatum(step + 1);
	clock_place(&choice->model->clock, series, series->n + choice->lag[i] + step, &values[3], &nulls[3]);
	values[6] = Float8GetDatum(s->values[(Size) step * s->paths.N + path]);
	MemoryContextSwitchTo(old);
	tuples_put(&s->rows, values, nulls);
}

/* The rows come path by path, once all steps are drawn. */
static void
take_step(void *taker, int i, int step, const rnn_config *cfg, const double *q, const double *mean, const double *values)
{
	Simulation *s = taker;

	memcpy(s->values + (Size) step * s->paths.N, values, sizeof(double) * s->paths.N);
	if (step + 1 < steps_chosen(&s->paths, i))
		return;
	for (int path = 0; path < s->paths.N; path++)
		for (int j = 0; j <= step; j++)
		{
			CHECK_FOR_INTERRUPTS();
			put_value(s, i, path, j);
		}
}

void
simulate_rows(FunctionCallInfo fcinfo, const rnn_model *model, Jsonb *options, const char *absent)
{
	Simulation	s;

	tuples_begin(&s.rows, fcinfo, COLUMNS);
	if (!paths_begin(fcinfo, &arguments, model, options, absent, &s.paths))
		return;
	s.values = paths_memory(sizeof(double) * s.paths.N * s.paths.steps);
	paths_each(fcinfo, &arguments, &s.paths, take_step, &s);
}

/* rnn_simulate(model, horizon, paths, seed, until, series, options) */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_simulate);
Datum
rnnforecast_rnn_simulate(PG_FUNCTION_ARGS)
{
	simulate_rows(fcinfo, fetch_model(fcinfo, 0, false), options_argument(fcinfo, ARG_OPTIONS), "the model is NULL");
	return (Datum) 0;
}
