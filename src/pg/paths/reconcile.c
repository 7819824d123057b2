/*
 * reconcile.c
 *		rnn_reconcile: forecasts of all levels of series, which add up, beside what
 *		each was forecast alone.
 *
 * Levels are those that the model was trained with, or else the ones that its
 * names form.
 */
#include "pg/paths/paths.h"
#include "pg/past/past.h"

#include <math.h>

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#define Q RNN_QUANTILES
#define COLUMNS 12				/* of rnn_reconciled_row */

enum { ARG_HORIZON = 1, ARG_LEVEL, ARG_METHOD, ARG_SEPARATOR, ARG_OPTIONS };

static const char *const method_names[] = {"auto", "bottom_up", "mint"};

static Method
method_argument(FunctionCallInfo fcinfo)
{
	char	   *name = PG_ARGISNULL(ARG_METHOD) ? "auto" : text_to_cstring(PG_GETARG_TEXT_PP(ARG_METHOD));

	for (int k = 0; k < 3; k++)
		if (strcmp(name, method_names[k]) == 0)
			return k;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("method \"%s\" does not exist", name),
			 errhint("The methods are \"auto\", \"bottom_up\" and \"mint\".")));
}

static const char *
separator_argument(FunctionCallInfo fcinfo)
{
	const char *separator = PG_ARGISNULL(ARG_SEPARATOR) ? "/" : text_to_cstring(PG_GETARG_TEXT_PP(ARG_SEPARATOR));

	if (separator[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("separator must not be empty"),
				 errhint("Pass what stands between the parts of names, such as \"/\".")));
	return separator;
}

/* The model with sums of its series. */
static void
take_levels(rnn_model *m, const char *separator)
{
	StringInfoData asked;

	initStringInfo(&asked);
	put_text(&asked, NULL, separator);
	m->hierarchy.asked = (rnn_text) {asked.data, asked.len};
	renew_sums(m, true);
}

/* ------------------------------------------------------------------- rows */

typedef struct Reconciling
{
	const rnn_model *model;
	int		   *depth,			/* (n_series) */
			   *members;		/* (n_series) */
	double		level;
	int64		end;
	LevelForecasts forecasts;
	Tuples		rows;
} Reconciling;

static void
put_row(Reconciling *r, int i, int step)
{
	MemoryContext old = MemoryContextSwitchTo(r->rows.scratch);
	const rnn_series *s = &r->model->series[i];
	const LevelForecasts *f = &r->forecasts;
	Size		at = (Size) i * f->steps + step;
	const double *q = f->q + at * Q;
	Datum		values[COLUMNS] = {0};
	bool		nulls[COLUMNS] = {false};

	values[0] = PointerGetDatum(cstring_to_text_with_len(s->name, s->name_len));
	values[1] = Int32GetDatum(r->depth[i]);
	values[2] = Int32GetDatum(r->members[i]);
	values[3] = Int32GetDatum(step + 1);
	clock_place(&r->model->clock, s, r->end - s->dropped + step, &values[4], &nulls[4]);
	values[7] = Float8GetDatum(f->mean[at]);
	values[8] = Float8GetDatum(rnn_quantile_bound(&f->cfg[i], q, (1 - r->level) / 2));
	values[9] = Float8GetDatum(rnn_quantile_bound(&f->cfg[i], q, (1 + r->level) / 2));
	values[10] = Float8GetDatum(f->base[at]);
	values[11] = CStringGetTextDatum(method_names[r->model->hierarchy.pull ? METHOD_MINT : METHOD_BOTTOM_UP]);
	MemoryContextSwitchTo(old);
	tuples_put(&r->rows, values, nulls);
}

void
reconcile_rows(FunctionCallInfo fcinfo, const rnn_model *model, Jsonb *given, const char *absent)
{
	Method		method = method_argument(fcinfo);
	const char *separator = separator_argument(fcinfo);
	Reconciling r = {.level = level_argument(fcinfo, ARG_LEVEL, 0.9)};
	ForecastOptions options;
	rnn_model	m;
	int			horizon;

	tuples_begin(&r.rows, fcinfo, COLUMNS);
	if (model == NULL)
	{
		forecast_nothing(fcinfo, absent);
		return;
	}
	m = *model;
	horizon = PG_ARGISNULL(ARG_HORIZON) ? m.config.horizon : check_horizon(PG_GETARG_INT64(ARG_HORIZON));
	if (m.hierarchy.asked.len == 0)
		take_levels(&m, separator);
	if (model->hierarchy.asked.len == 0 || method != METHOD_AUTO)
		choose_method(&m, method, horizon);
	parse_forecast_options(given, &m, &options);
	r.model = &m;
	r.depth = levels_of(&m);
	r.members = parts_in(&m);
	r.end = last_grid_end(m.series, m.n_series);
	forecast_levels(&m, horizon, &options, &r.forecasts);
	for (int i = 0; i < m.n_series; i++)
		for (int step = 0; step < horizon && m.series[i].n > 0; step++)
		{
			CHECK_FOR_INTERRUPTS();
			put_row(&r, i, step);
		}
}

/* rnn_reconcile(model, horizon, level, method, separator, options) */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_reconcile);
Datum
rnnforecast_rnn_reconcile(PG_FUNCTION_ARGS)
{
	reconcile_rows(fcinfo, fetch_model(fcinfo, 0, false), options_argument(fcinfo, ARG_OPTIONS), "the model is NULL");
	return (Datum) 0;
}
