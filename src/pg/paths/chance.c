/*
 * chance.c
 *		rnn_chance: how many of the paths pass a limit, at any step or in all.
 *
 * Of one series a path's flag says whether it has passed.  In a group all series
 * must be added up at each step before that can be told, so the sums (steps, N)
 * of each group are kept; of totals one step is enough.
 */
#include "pg/paths/paths.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#define COLUMNS 4				/* of rnn_chance_row */

enum
{
	ARG_HORIZON = 1, ARG_ABOVE, ARG_BELOW, ARG_TOTAL, ARG_UNTIL, ARG_SERIES, ARG_GROUPS, ARG_PATHS, ARG_SEED, ARG_OPTIONS
};

static const PathsArguments arguments = {{ARG_HORIZON, ARG_UNTIL, ARG_SERIES}, ARG_PATHS, ARG_SEED};

typedef struct Chance
{
	Paths		paths;
	Groups		groups;			/* none: each series */
	double		above,			/* infinite: no such limit */
				below;
	bool		total;
	int			kept;			/* steps of each group's sums: 1 of totals */
	int		   *steps;			/* (groups) the most of their series */
	double	   *sums;			/* (groups, or 1; kept, N) */
	Tuples		rows;
} Chance;

static double
limit_argument(FunctionCallInfo fcinfo, int argno, const char *name, double none)
{
	double		limit = PG_ARGISNULL(argno) ? none : PG_GETARG_FLOAT8(argno);

	if (isnan(limit))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a number, not NaN", name)));
	return limit;
}

static void
get_limits(FunctionCallInfo fcinfo, Chance *c)
{
	c->above = limit_argument(fcinfo, ARG_ABOVE, "above", INFINITY);
	c->below = limit_argument(fcinfo, ARG_BELOW, "below", -INFINITY);
	c->total = !PG_ARGISNULL(ARG_TOTAL) && PG_GETARG_BOOL(ARG_TOTAL);
	if (PG_ARGISNULL(ARG_ABOVE) && PG_ARGISNULL(ARG_BELOW))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("rnn_chance needs a limit"),
				 errhint("Pass above => 100, below => 20, or both.")));
	if (c->below > c->above)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the limit \"below\" must not be greater than the limit \"above\""),
				 errdetail("The values are %g and %g. Every value lies below the one or above the other.", c->below, c->above),
				 errhint("The result is the chance to leave the range from below to above.")));
}

static bool
passes(const Chance *c, double x)
{
	return x > c->above || x < c->below;
}

/* Of values (kept, N); those of a series alone are flags already, where the sum isn't asked for. */
static void
put_chance(Chance *c, const double *values, int steps, const char *name, int name_len, int size)
{
	MemoryContext old = MemoryContextSwitchTo(c->rows.scratch);
	Datum		row[COLUMNS] = {0};
	bool		nulls[COLUMNS] = {false};
	int			count = 0;

	for (int p = 0; p < c->paths.N; p++)
	{
		bool		passed = false;

		for (int j = 0; j < Min(steps, c->kept) && !passed; j++)
			passed = passes(c, values[(Size) j * c->paths.N + p]);
		count += passed;
	}
	nulls[0] = name == NULL;
	if (name)
		row[0] = PointerGetDatum(cstring_to_text_with_len(name, name_len));
	row[1] = Int32GetDatum(size);
	row[2] = Int32GetDatum(steps);
	row[3] = Float8GetDatum((double) count / c->paths.N);
	MemoryContextSwitchTo(old);
	tuples_put(&c->rows, row, nulls);
}

static void
add_values(const Chance *c, double *to, int step, const double *values)
{
	to += (Size) Min(step, c->kept - 1) * c->paths.N;
	for (int p = 0; p < c->paths.N; p++)
		to[p] += values[p];
}

/* A value that has passed stays the path's, others give way to the next. */
static void
keep_passed(const Chance *c, const double *values)
{
	for (int p = 0; p < c->paths.N; p++)
		if (!passes(c, c->sums[p]))
			c->sums[p] = values[p];
}

static void
take_step(void *taker, int i, int step, const rnn_config *cfg, const double *q, const double *mean, const double *values)
{
	Chance	   *c = taker;
	const rnn_series *s = chosen_series(&c->paths.choice, i);

	for (int k = c->groups.count > 0 ? c->groups.first[i] : 0; c->groups.count > 0 && k < c->groups.first[i + 1]; k++)
	{
		int			g = c->groups.of[k];

		c->steps[g] = Max(c->steps[g], step + 1);
		add_values(c, c->sums + (Size) g * c->kept * c->paths.N, step, values);
	}
	if (c->groups.count > 0)
		return;
	if (step == 0)
		memcpy(c->sums, values, sizeof(double) * c->paths.N);
	else if (c->total)
		add_values(c, c->sums, step, values);
	else
		keep_passed(c, values);
	if (step + 1 == steps_chosen(&c->paths, i))
		put_chance(c, c->sums, step + 1, s->name, s->name_len, c->paths.members[c->paths.choice.series[i]]);
}

static void
begin_sums(Chance *c)
{
	int			count = Max(c->groups.count, 1);
	Size		bytes;

	c->kept = c->total || c->groups.count == 0 ? 1 : c->paths.steps;
	c->steps = palloc0(sizeof(int) * count);
	bytes = sizeof(double) * c->paths.N * c->kept * (Size) count;
	c->sums = paths_memory(bytes);
	memset(c->sums, 0, bytes);
}

void
chance_rows(FunctionCallInfo fcinfo, const rnn_model *model, Jsonb *options, const char *absent)
{
	Chance		c = {0};

	get_limits(fcinfo, &c);
	tuples_begin(&c.rows, fcinfo, COLUMNS);
	if (!paths_begin(fcinfo, &arguments, model, options, absent, &c.paths))
		return;
	if (!PG_ARGISNULL(ARG_GROUPS))
		choose_groups(PG_GETARG_JSONB_P(ARG_GROUPS), &c.paths.choice, &c.groups);
	begin_sums(&c);
	paths_each(fcinfo, &arguments, &c.paths, take_step, &c);
	for (int g = 0; g < c.groups.count; g++)
		put_chance(&c, c.sums + (Size) g * c.kept * c.paths.N, c.steps[g], c.groups.name[g].text,
				   c.groups.name[g].len, c.groups.size[g]);
}

/* rnn_chance(model, horizon, above, below, total, until, series, groups, paths, seed, options) */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_chance);
Datum
rnnforecast_rnn_chance(PG_FUNCTION_ARGS)
{
	chance_rows(fcinfo, fetch_model(fcinfo, 0, false), options_argument(fcinfo, ARG_OPTIONS), "the model is NULL");
	return (Datum) 0;
}
