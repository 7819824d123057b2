/*
 * reconcile.c
 *		rnn_reconcile: forecasts of all levels of a tree of series, which add up.
 *
 * Bottoms and sums are forecast alike, each from its own history, and so are
 * windows of the past.  The errors there say how far the forecast of each node is
 * to be trusted, and whether that helps at all: either half of the windows
 * judges what the other half says.
 */
#include "pg/paths/reconcile.h"
#include "pg/train/train.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#define COLUMNS 12				/* of rnn_reconciled_row */
#define MOST_SUMS 2000			/* whose equation is solved */
#define MOST_ROWS 1024			/* of errors */
#define MOST_STEPS 128			/* of a window */
#define MOST_ORIGINS 8192
#define LEAST_WINDOWS 4

enum { ARG_HORIZON = 1, ARG_LEVEL, ARG_METHOD, ARG_SEPARATOR };

typedef enum Method { METHOD_AUTO, METHOD_BOTTOM_UP, METHOD_MINT } Method;

static const char *const method_names[] = {"auto", "bottom_up", "mint"};

/* Of a node: (horizon) what it is alone, and its bounds. */
typedef struct Reconciling
{
	const rnn_model *model;
	rnn_model	sums_model;
	Hierarchy	tree;
	int			horizon;
	double		level;
	Method		method;
	double	   *base,			/* (horizon, n) means, */
			   *mean,			/* (horizon, n) which add up */
			   *lower,			/* (horizon, n) */
			   *upper;			/* (horizon, n) */
	rnn_config *bounds;			/* (n) without whole numbers */
	int			first;			/* node of the first series that is being forecast */
	int		   *lag;			/* (n) steps to the common end */
	double	   *residuals;		/* (rows, n) from the oldest window on */
	int			windows,
				steps;
	int			apart;			/* windows that share nothing lie so many behind each other */
	Tuples		rows;
} Reconciling;

/* --------------------------------------------------------------- arguments */

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

static SeriesName
separator_argument(FunctionCallInfo fcinfo)
{
	char	   *separator = PG_ARGISNULL(ARG_SEPARATOR) ? "/" : text_to_cstring(PG_GETARG_TEXT_PP(ARG_SEPARATOR));

	if (separator[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("separator must not be empty"),
				 errhint("Pass what stands between the parts of names, such as \"/\".")));
	return (SeriesName) {separator, (int) strlen(separator)};
}

static void
check_model(const rnn_model *m)
{
	if (m->config.covariates.n > 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("forecasts of a model with covariates cannot be reconciled"),
				 errdetail("Sums of series have no covariates."),
				 errhint("Train without covariates, or add up the forecasts with rnn_forecast_total.")));
}

/* Sums know the bounds of bottoms no more; of what is never below 0 they are not either. */
static rnn_model
model_of_sums(const rnn_model *m)
{
	rnn_model	sums = *m;

	sums.config.upper = NAN;
	sums.config.lower = m->config.lower >= 0 ? 0 : NAN;
	return sums;
}

/* ---------------------------------------------------------------- forecasts */

static double *
node_values(const Reconciling *r)
{
	return reconcile_memory(sizeof(double) * r->tree.shape.n * (Size) r->horizon);
}

static void
take_forecast(void *taker, int i, const rnn_config *cfg, const double *q)
{
	Reconciling *r = taker;
	int			n = r->tree.shape.n,
				node = r->first + i;

	r->bounds[node] = *cfg;
	r->bounds[node].integer = 0;
	for (int j = 0; j < r->horizon; j++, q += RNN_QUANTILES)
	{
		Size		at = (Size) j * n + node;

		r->base[at] = rnn_quantile_mean(cfg, q);
		r->lower[at] = rnn_quantile_bound(cfg, q, (1 - r->level) / 2);
		r->upper[at] = rnn_quantile_bound(cfg, q, (1 + r->level) / 2);
	}
}

/* All begin behind the last point of any. */
static void
find_lags(Reconciling *r)
{
	const rnn_tree *tree = &r->tree.shape;
	const rnn_series *all = &r->tree.series[0];

	r->lag = palloc_extended(sizeof(int) * tree->n, MCXT_ALLOC_HUGE);
	for (int i = 0; i < tree->n; i++)
	{
		const rnn_series *s = &r->tree.series[i];
		int64		lag = all->dropped + all->n - s->dropped - s->n;

		if (lag > RNN_MAX_HORIZON - r->horizon)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("series \"%s\" ends too early to be added up", text_of_name(r->tree.name[i])),
					 errdetail("It ends " INT64_FORMAT " steps before the last one, and at most %d steps can be forecast.", lag, RNN_MAX_HORIZON),
					 errhint("Leave it out with rnn_forget.")));
		r->lag[i] = (int) lag;
	}
}

static void
forecast_nodes(Reconciling *r, const rnn_model *m, int first, int count)
{
	rnn_model	part = *m;
	ForecastChoice choice = {.model = &part,.count = count};

	part.series = r->tree.series + first;
	part.n_series = count;
	choice.series = palloc_extended(sizeof(int) * count, MCXT_ALLOC_HUGE);
	choice.horizon = palloc_extended(sizeof(int) * count, MCXT_ALLOC_HUGE);
	choice.lag = r->lag + first;
	choice.naive = palloc_extended(count, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int i = 0; i < count; i++)
	{
		choice.series[i] = i;
		choice.horizon[i] = r->lag[first + i] + r->horizon;
	}
	r->first = first;
	forecast_each(&choice, take_forecast, r);
}

/* ------------------------------------------------------------------ errors */

/* Of a node's windows, whose origins are at the ends in the order of time. */
static void
measure_windows(Reconciling *r, const rnn_model *m, int node, rnn_origin *origins, const int *windows, int n)
{
	rnn_series	s = r->tree.series[node];
	rnn_tally	tally = {0};
	double	   *q;

	for (int k = 0; k < n; k++)
		origins[k].series = 0;
	if (m->config.terms)
		calendar_fill(&m->clock, &s, 1, r->steps);
	q = forecast_origins(m, &s, 1, origins, n, r->steps);
	if (q == NULL)
		reconcile_memory(SIZE_MAX);
	for (int k = 0; k < n; k++)
	{
		rnn_config	cfg = rnn_forecast_config(m, &tally, &s, origins[k].e);

		for (int j = 0; j < r->steps && origins[k].e + j < s.n; j++)
			r->residuals[((Size) (r->windows - 1 - windows[k]) * r->steps + j) * r->tree.shape.n + node] =
				s.x[origins[k].e + j] - rnn_quantile_mean(&cfg, q + ((Size) k * r->steps + j) * RNN_QUANTILES);
	}
}

/* The windows that sample paths look at, fewer where there are many series. */
static void
measure_errors(Reconciling *r)
{
	const rnn_tree *tree = &r->tree.shape;
	int			horizon = Min(Min(r->horizon, r->model->config.horizon), MOST_STEPS);
	rnn_past_plan plan = rnn_past_plan_for(r->model, r->tree.series, tree->n, horizon);
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "rnnforecast windows", ALLOCSET_DEFAULT_SIZES);
	rnn_origin *origins;
	int		   *windows;
	Size		values;

	if (plan.windows == 0)
		return;
	plan.series = tree->n;
	plan.windows = Min(plan.windows, Max(LEAST_WINDOWS, Min(MOST_ORIGINS / tree->n, MOST_ROWS / plan.steps)));
	r->windows = plan.windows;
	r->steps = plan.steps;
	r->apart = (int) ((plan.steps + plan.stride - 1) / plan.stride);
	values = (Size) plan.windows * plan.steps * tree->n;
	r->residuals = reconcile_memory(sizeof(double) * values);
	for (Size k = 0; k < values; k++)
		r->residuals[k] = NAN;
	origins = palloc(sizeof(rnn_origin) * plan.windows);
	windows = palloc(sizeof(int) * plan.windows);
	for (int i = 0; i < tree->n; i++)
	{
		const rnn_model *m = i < tree->sums ? &r->sums_model : r->model;
		int			n = rnn_past_origins(&plan, m, r->tree.series, tree->n, i, origins, windows);
		MemoryContext old = MemoryContextSwitchTo(scratch);

		CHECK_FOR_INTERRUPTS();
		if (n > 0)
			measure_windows(r, m, i, origins, windows, n);
		MemoryContextSwitchTo(old);
		MemoryContextReset(scratch);
	}
}

/* From windows `from` to before `to`. */
static rnn_mint *
mint_of(const Reconciling *r, int from, int to)
{
	const rnn_tree *tree = &r->tree.shape;
	int64		rows = (int64) (to - from) * r->steps;
	rnn_mint   *m = rnn_mint_begin(tree, r->residuals + (Size) from * r->steps * tree->n, rows,
								   reconcile_memory(rnn_mint_size(tree, rows)));

	while (rnn_mint_step(m))
		CHECK_FOR_INTERRUPTS();
	return m;
}

/* ------------------------------------------------------------------ choice */

/* Squared errors of each node, alone and reconciled in both ways. */
typedef struct Judgement
{
	double	   *alone,
			   *bottom_up,
			   *mint;
} Judgement;

/* By windows `by` .. `by_end`, of `from` .. `to`.  Reconciling is linear, so that it does to errors what it does to forecasts. */
static void
judge_windows(const Reconciling *r, int by, int by_end, int from, int to, Judgement *j)
{
	const rnn_tree *tree = &r->tree.shape;
	rnn_mint   *m = mint_of(r, by, by_end);
	double	   *errors = palloc_extended(sizeof(double) * 3 * tree->n, MCXT_ALLOC_HUGE),
			   *up = errors + tree->n,
			   *least = up + tree->n;

	for (int64 row = (int64) from * r->steps; row < (int64) to * r->steps; row++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < tree->n; i++)
		{
			double		e = r->residuals[row * tree->n + i];

			errors[i] = up[i] = least[i] = isnan(e) ? 0 : e;
		}
		rnn_bottom_up(tree, up);
		rnn_mint_apply(m, least);
		for (int i = 0; i < tree->n; i++)
		{
			if (isnan(r->residuals[row * tree->n + i]))
				continue;
			j->alone[i] += errors[i] * errors[i];
			j->bottom_up[i] += up[i] * up[i];
			j->mint[i] += least[i] * least[i];
		}
	}
	pfree(m);
	pfree(errors);
}

/* Mean over levels of the mean over their nodes, in units of the errors of each alone. */
static double
mean_loss(const Hierarchy *h, const double *alone, const double *errors)
{
	int			deepest = 0,
				levels = 0;
	double		sum = 0,
			   *loss;
	int		   *nodes;

	for (int i = 0; i < h->shape.n; i++)
		deepest = Max(deepest, h->depth[i]);
	loss = palloc0(sizeof(double) * (deepest + 1));
	nodes = palloc0(sizeof(int) * (deepest + 1));
	for (int i = 0; i < h->shape.n; i++)
		if (alone[i] > 0 && isfinite(errors[i] / alone[i]))
			loss[h->depth[i]] += errors[i] / alone[i], nodes[h->depth[i]]++;
	for (int d = 0; d <= deepest; d++)
		if (nodes[d] > 0)
			sum += loss[d] / nodes[d], levels++;
	return levels > 0 ? sum / levels : 0;
}

static bool
mint_is_better(const Reconciling *r)
{
	int			n = r->tree.shape.n,
				middle = r->windows / 2,
				before = middle - (r->apart - 1),
				behind = middle + r->apart - 1;
	double	   *block;
	Judgement	j;

	/* Windows that share points with those that are judged say nothing of them. */
	if (before < 1 || behind >= r->windows)
		return false;
	block = palloc_extended(sizeof(double) * 3 * n, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	j = (Judgement) {block, block + n, block + 2 * n};
	judge_windows(r, 0, before, middle, r->windows, &j);
	judge_windows(r, behind, r->windows, 0, middle, &j);
	return mean_loss(&r->tree, j.alone, j.mint) < mean_loss(&r->tree, j.alone, j.bottom_up);
}

static void
choose_method(Reconciling *r)
{
	bool		possible = r->tree.shape.sums <= MOST_SUMS;

	if (r->method == METHOD_MINT && !possible)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("method \"mint\" takes at most %d sums, not %d", MOST_SUMS, r->tree.shape.sums),
				 errhint("Use the method \"bottom_up\".")));
	if (r->method != METHOD_BOTTOM_UP && possible)
		measure_errors(r);
	if (r->method == METHOD_MINT && r->windows == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("method \"mint\" needs errors of the past, and the series are too short for it"),
				 errhint("Use the method \"bottom_up\".")));
	if (r->method == METHOD_AUTO)
		r->method = r->windows > 0 && mint_is_better(r) ? METHOD_MINT : METHOD_BOTTOM_UP;
}

static void
reconcile_steps(Reconciling *r)
{
	const rnn_tree *tree = &r->tree.shape;
	rnn_mint   *m = r->method == METHOD_MINT ? mint_of(r, 0, r->windows) : NULL;

	for (int j = 0; j < r->horizon; j++)
	{
		double	   *y = r->mean + (Size) j * tree->n;

		CHECK_FOR_INTERRUPTS();
		memcpy(y, r->base + (Size) j * tree->n, sizeof(double) * tree->n);
		if (m)
			rnn_mint_apply(m, y);
		/* A bottom stays within its bounds. */
		for (int i = tree->sums; m && i < tree->n; i++)
			y[i] = rnn_within_bounds(&r->bounds[i], y[i]);
		rnn_bottom_up(tree, y);
	}
}

/* -------------------------------------------------------------------- rows */

static void
put_row(Reconciling *r, int i, int step)
{
	MemoryContext old = MemoryContextSwitchTo(r->rows.scratch);
	const rnn_series *s = &r->tree.series[i];
	Size		at = (Size) step * r->tree.shape.n + i;
	double		shift = r->mean[at] - r->base[at];
	Datum		values[COLUMNS] = {0};
	bool		nulls[COLUMNS] = {false};

	values[0] = PointerGetDatum(cstring_to_text_with_len(r->tree.name[i].text, r->tree.name[i].len));
	values[1] = Int32GetDatum(r->tree.depth[i]);
	values[2] = Int32GetDatum(r->tree.members[i]);
	values[3] = Int32GetDatum(step + 1);
	clock_place(&r->model->clock, s, s->n + r->lag[i] + step, &values[4], &nulls[4]);
	values[7] = Float8GetDatum(r->mean[at]);
	values[8] = Float8GetDatum(fmin(rnn_within_bounds(&r->bounds[i], r->lower[at] + shift), r->mean[at]));
	values[9] = Float8GetDatum(fmax(rnn_within_bounds(&r->bounds[i], r->upper[at] + shift), r->mean[at]));
	values[10] = Float8GetDatum(r->base[at]);
	values[11] = CStringGetTextDatum(method_names[r->method]);
	MemoryContextSwitchTo(old);
	tuples_put(&r->rows, values, nulls);
}

static void
reconcile_rows(FunctionCallInfo fcinfo, const rnn_model *model, const char *absent)
{
	Reconciling r = {.model = model,.level = level_argument(fcinfo, ARG_LEVEL, 0.9),.method = method_argument(fcinfo)};
	SeriesName	separator = separator_argument(fcinfo);
	const rnn_tree *tree = &r.tree.shape;

	tuples_begin(&r.rows, fcinfo, COLUMNS);
	if (model == NULL)
	{
		forecast_nothing(fcinfo, absent);
		return;
	}
	check_model(model);
	r.horizon = PG_ARGISNULL(ARG_HORIZON) ? model->config.horizon : check_horizon(PG_GETARG_INT64(ARG_HORIZON));
	r.sums_model = model_of_sums(model);
	build_hierarchy(model, separator, &r.tree);
	find_lags(&r);
	r.base = node_values(&r);
	r.mean = node_values(&r);
	r.lower = node_values(&r);
	r.upper = node_values(&r);
	r.bounds = reconcile_memory(sizeof(rnn_config) * tree->n);
	forecast_nodes(&r, &r.sums_model, 0, tree->sums);
	forecast_nodes(&r, model, tree->sums, tree->n - tree->sums);
	choose_method(&r);
	reconcile_steps(&r);
	for (int i = 0; i < tree->n; i++)
		for (int step = 0; step < r.horizon; step++)
		{
			CHECK_FOR_INTERRUPTS();
			put_row(&r, i, step);
		}
}

/* rnn_reconcile(model, horizon, level, method, separator) */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_reconcile);
Datum
rnnforecast_rnn_reconcile(PG_FUNCTION_ARGS)
{
	reconcile_rows(fcinfo, fetch_model(fcinfo, 0, false), "the model is NULL");
	return (Datum) 0;
}
