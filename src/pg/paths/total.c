/*
 * total.c
 *		rnn_forecast_total: sums over the horizon, of each series or of groups.
 *
 * The mean is the sum of the means of all steps, which paths would only
 * approximate; all else is that of the paths' sums.
 */
#include "pg/paths/paths.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#define Q RNN_QUANTILES
#define COLUMNS 8				/* of rnn_total_row */

enum { ARG_HORIZON = 1, ARG_LEVEL, ARG_UNTIL, ARG_SERIES, ARG_GROUPS, ARG_PATHS, ARG_SEED, ARG_OPTIONS };

static const PathsArguments arguments = {{ARG_HORIZON, ARG_UNTIL, ARG_SERIES}, ARG_PATHS, ARG_SEED};

/* Of one row: a group, or a series. */
typedef struct Sum
{
	double	   *paths;			/* (N) */
	double		mean;
	int			steps;			/* the most of its series */
} Sum;

typedef struct Total
{
	Paths		paths;
	Groups		groups;			/* none: each series */
	Sum		   *sums;			/* (groups.count, or 1) */
	double		level;
	Tuples		rows;
} Total;

/* At p among the sorted x (n), of which the k-th lies at (k + 1/2) / n; 0.9 is not quite what leaves 0.05 on each side. */
static double
sample_quantile(const double *x, int n, double p)
{
	double		at = fmin(fmax(rint((p * n - 0.5) * 1e6) / 1e6, 0), n - 1);
	int			k = Min((int) at, Max(n - 2, 0));

	return n == 1 ? x[0] : x[k] * (1 - (at - k)) + x[k + 1] * (at - k);
}

static int
compare_values(const void *a, const void *b)
{
	double		x = *(const double *) a,
				y = *(const double *) b;

	return x < y ? -1 : x > y;
}

/* Sums of whole numbers are whole. */
static Datum
quantile_datum(const Total *t, const Sum *sum, double p)
{
	double		x = sample_quantile(sum->paths, t->paths.N, p);

	return Float8GetDatum(t->paths.choice.model->config.integer ? rint(x) : x);
}

static void
put_sum(Total *t, Sum *sum, const char *name, int name_len, int size)
{
	MemoryContext old = MemoryContextSwitchTo(t->rows.scratch);
	Datum		values[COLUMNS] = {0},
				levels[Q];
	bool		nulls[COLUMNS] = {false};

	qsort(sum->paths, t->paths.N, sizeof(double), compare_values);
	nulls[0] = name == NULL;
	if (name)
		values[0] = PointerGetDatum(cstring_to_text_with_len(name, name_len));
	values[1] = Int32GetDatum(size);
	values[2] = Int32GetDatum(sum->steps);
	values[3] = quantile_datum(t, sum, 0.5);
	values[4] = quantile_datum(t, sum, (1 - t->level) / 2);
	values[5] = quantile_datum(t, sum, (1 + t->level) / 2);
	for (int k = 0; k < Q; k++)
		levels[k] = quantile_datum(t, sum, rnn_quantile_levels[k]);
	values[6] = PointerGetDatum(construct_array(levels, Q, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	values[7] = Float8GetDatum(sum->mean);
	MemoryContextSwitchTo(old);
	tuples_put(&t->rows, values, nulls);
}

static void
add_step(const Total *t, Sum *sum, int step, double mean, const double *values)
{
	sum->steps = Max(sum->steps, step + 1);
	sum->mean += mean;
	for (int p = 0; p < t->paths.N; p++)
		sum->paths[p] += values[p];
}

static void
take_step(void *taker, int i, int step, const rnn_config *cfg, const double *q, const double *mean, const double *values)
{
	Total	   *t = taker;
	const rnn_series *s = chosen_series(&t->paths.choice, i);
	double		each = mean ? *mean : rnn_quantile_mean(cfg, q);

	if (t->groups.count > 0)
	{
		for (int k = t->groups.first[i]; k < t->groups.first[i + 1]; k++)
			add_step(t, &t->sums[t->groups.of[k]], step, each, values);
		return;
	}
	if (step == 0)
	{
		t->sums->steps = 0;
		t->sums->mean = 0;
		memset(t->sums->paths, 0, sizeof(double) * t->paths.N);
	}
	add_step(t, t->sums, step, each, values);
	if (step + 1 == steps_chosen(&t->paths, i))
		put_sum(t, t->sums, s->name, s->name_len, t->paths.members[t->paths.choice.series[i]]);
}

static void
begin_sums(Total *t)
{
	int			count = Max(t->groups.count, 1);
	Size		bytes = sizeof(double) * t->paths.N * (Size) count;
	double	   *block = paths_memory(bytes);

	memset(block, 0, bytes);
	t->sums = palloc0(sizeof(Sum) * count);
	for (int g = 0; g < count; g++)
		t->sums[g].paths = block + (Size) g * t->paths.N;
}

void
total_rows(FunctionCallInfo fcinfo, const rnn_model *model, Jsonb *options, const char *absent)
{
	Total		t = {.level = level_argument(fcinfo, ARG_LEVEL, 0.9)};

	tuples_begin(&t.rows, fcinfo, COLUMNS);
	if (!paths_begin(fcinfo, &arguments, model, options, absent, &t.paths))
		return;
	if (!PG_ARGISNULL(ARG_GROUPS))
		choose_groups(PG_GETARG_JSONB_P(ARG_GROUPS), &t.paths.choice, &t.groups);
	begin_sums(&t);
	paths_each(fcinfo, &arguments, &t.paths, take_step, &t);
	for (int g = 0; g < t.groups.count; g++)
		put_sum(&t, &t.sums[g], t.groups.name[g].text, t.groups.name[g].len, t.groups.size[g]);
}

/* rnn_forecast_total(model, horizon, level, until, series, groups, paths, seed, options) */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_forecast_total);
Datum
rnnforecast_rnn_forecast_total(PG_FUNCTION_ARGS)
{
	total_rows(fcinfo, fetch_model(fcinfo, 0, false), options_argument(fcinfo, ARG_OPTIONS), "the model is NULL");
	return (Datum) 0;
}
