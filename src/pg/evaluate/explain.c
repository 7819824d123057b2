/*
 * explain.c
 *		rnn_explain: what a forecast is made of, step by step.
 *
 * The mix of references is a sum by construction (src/engine/bank/parts.c).  What
 * covariates and the calendar's terms add is the difference between forecasts with and
 * without them, what the days of a month do is a factor.  Without means their usual value: of what is known ahead in the
 * rows ahead, of the others in all rows.  One difference depends on which of the
 * others are there already, so each is the mean of two: they are put in one after
 * the other, in their order and in the opposite one.  That is Shapley's value
 * (1953) where no three of them act together, and it adds up in any case.  What
 * remains is the network's.
 */
#include "pg/evaluate/evaluate.h"

#include <float.h>
#include <math.h>

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#define Q RNN_QUANTILES
#define COLUMNS 19

enum { ARG_MODEL, ARG_HORIZON, ARG_SERIES, ARG_HISTORY };

PG_FUNCTION_INFO_V1(rnnforecast_rnn_explain);

typedef struct ExplainCall
{
	const rnn_model *model;
	rnn_model	open;			/* the same without bounds, and what comes of them */
	rnn_config	cfg;			/* of that, with its seasons */
	ForecastOptions options;
	int			horizon;
	int			groups;			/* covariates that count, and the calendar as the last where it does */
	Tuples		rows;
	MemoryContext scratch;		/* of one end */
} ExplainCall;

/* A series up to an end, and what is said of the steps behind it. */
typedef struct Told
{
	const rnn_series *own;
	rnn_series	s,				/* the points before the end, */
				usual;			/* with what is usual ahead */
	double	   *forecast,		/* (horizon) in the units of the data, */
			   *sum,			/* on the scale of the transform, */
			   *usual_sum,		/* of them as of months with the usual days, */
			   *parts,			/* of the mix (RNN_PARTS, horizon) */
			   *shares;			/* of the groups (groups, horizon) */
} Told;

/* ------------------------------------------------------------------- usual values */

static int
compare_floats(const void *a, const void *b, void *arg)
{
	float		x = *(const float *) a,
				y = *(const float *) b;

	return x < y ? -1 : x > y;
}

/* The value in the middle of those before the end, or the commonest word; where none is known what the model has. */
static float
usual_value(const rnn_model *m, const rnn_series *s, int c)
{
	const rnn_covariate *covariate = &m->config.covariates.list[c];
	float	   *known = palloc_extended(sizeof(float) * Max(s->n, 1), MCXT_ALLOC_HUGE),
				usual = covariate->is_text ? (float) covariate->n_categories : (float) covariate->centre;
	int64		n = 0,
				most = 0;

	for (int64 i = 0; covariate->role != RNN_STATIC && i < s->n; i++)
		if (!isnan(s->covariates[i * m->config.covariates.n + c]))
			known[n++] = s->covariates[i * m->config.covariates.n + c];
	sort_interruptibly(known, n, sizeof(float), compare_floats, NULL);
	for (int64 from = 0, end; covariate->is_text && from < n; from = end)
	{
		for (end = from + 1; end < n && known[end] == known[from]; end++)
			;
		if (end - from > most)
			usual = known[from];
		most = Max(most, end - from);
	}
	if (!covariate->is_text && n > 0)
		usual = known[n / 2];
	pfree(known);
	return usual;
}

/* The series with the groups that are in, the others as usual. */
static rnn_series
variant(const ExplainCall *call, const rnn_series *s, const float *usual, const bool *in)
{
	const rnn_covariates *list = &call->model->config.covariates;
	int64		rows = s->n + s->ahead;
	float	   *values;
	rnn_series	v = *s;

	if (call->model->config.terms && !in[call->groups - 1])
	{
		v.calendar = NULL;
		v.calendar_rows = 0;
	}
	if (s->covariates == NULL)
		return v;
	v.covariates = values = palloc_extended(sizeof(float) * Max(rows * list->n, 1), MCXT_ALLOC_HUGE);
	memcpy(values, s->covariates, sizeof(float) * rows * list->n);
	for (int c = 0; c < list->n; c++)
		for (int64 i = list->list[c].role == RNN_AHEAD ? s->n : 0; !in[c] && i < rows; i++)
			values[i * list->n + c] = usual[c];
	return v;
}

/* ------------------------------------------------------------------- forecasts */

double *
forecast_medians(const rnn_model *model, const rnn_series *series, int count, int horizon)
{
	double	   *quantiles = forecast_quantiles(model, series, count, horizon, forecast_work(model, count, series->n, horizon),
											"explaining");
	double	   *medians = palloc_extended(sizeof(double) * horizon * (Size) count, MCXT_ALLOC_HUGE);

	for (int64 i = 0; i < (int64) count * horizon; i++)
		medians[i] = quantiles[i * Q + RNN_MEDIAN];
	pfree(quantiles);
	return medians;
}

/*
 * Forecasts with the first g groups, g = 0 .. all, then with the last g but for
 * none and all; the shares of each group are the means of its two steps.
 */
static void
share_out(const ExplainCall *call, Told *t)
{
	int			G = call->groups,
				h = call->horizon,
				count = G > 0 ? 2 * G : 1;
	float	   *usual = palloc(sizeof(float) * Max(G, 1));
	bool	   *in = palloc(Max(G, 1));
	rnn_series *series = palloc(sizeof(rnn_series) * count);
	double	   *v;

	t->usual = t->s;
	for (int c = 0; c < call->model->config.covariates.n && c < G && t->s.covariates; c++)
		usual[c] = usual_value(call->model, &t->s, c);
	for (int k = 0; k < count; k++)
	{
		for (int g = 0; g < G; g++)
			in[g] = k <= G ? g < k : g >= G - (k - G);
		series[k] = G > 0 ? variant(call, &t->s, usual, in) : t->s;
	}
	if (G > 0)
		t->usual = series[0];
	v = forecast_medians(&call->open, series, count, h);
	t->sum = palloc(sizeof(double) * h);
	for (int j = 0; j < h; j++)
		t->sum[j] = rnn_transform(&call->cfg, v[(Size) G * h + j]);
	for (int64 i = 0; i < (int64) count * h; i++)
		v[i] = rnn_transform(&call->cfg, v[i] / rnn_trading_factor(&t->s, t->s.n + i % h));
	t->usual_sum = v + (Size) G * h;
	for (int g = 0; g < G; g++)
		for (int j = 0; j < h; j++)
		{
			/* With the last G - g groups, and with those behind them. */
			double		with = v[(g == 0 ? G : G + (G - g)) * h + j],
						behind = v[(g == G - 1 ? 0 : G + (G - g - 1)) * h + j];

			t->shares[g * h + j] = (v[(g + 1) * h + j] - v[g * h + j] + with - behind) / 2;
		}
}

/* Of the mix of the trained horizon, and beyond it of that of all steps. */
static void
take_parts(const ExplainCall *call, Told *t)
{
	int			trained = call->model->config.horizon,
				most = Max(trained, call->horizon);
	Size		size = Max(rnn_parts_size(&call->cfg, t->s.n, trained), rnn_parts_size(&call->cfg, t->s.n, most));
	double	   *parts = palloc_extended(sizeof(double) * RNN_PARTS * most, MCXT_ALLOC_HUGE);
	char	   *block = MemoryContextAllocHuge(CurrentMemoryContext, size);

	for (int from = 0, h = trained; from < call->horizon; from = h, h = most)
	{
		rnn_mix		mix;
		rnn_error	err;

		if (rnn_parts(&call->cfg, &t->s, h, block, size, &mix, parts, &err) != RNN_OK)
			report_engine_error(&err);
		for (int p = 0; p < RNN_PARTS; p++)
			for (int j = from; j < Min(h, call->horizon); j++)
				t->parts[p * call->horizon + j] = parts[p * h + j];
	}
	/* What is usual adds to the level: the mix knows the series without it. */
	for (int j = 0; j < call->horizon; j++)
		t->parts[RNN_PART_LEVEL * call->horizon + j] += rnn_regression_effect(&call->cfg.covariates, &t->usual, t->usual.n + j);
	pfree(block);
}

/* ---------------------------------------------------------------------- output */

static Datum
covariates_json(const ExplainCall *call, const Told *t, int j)
{
	const rnn_covariates *list = &call->model->config.covariates;
	StringInfoData text;

	initStringInfo(&text);
	open_object(&text, NULL);
	for (int c = 0; c < list->n; c++)
		put_number(&text, pnstrdup(list->list[c].name.text, list->list[c].name.len),
				   c < call->groups ? t->shares[c * call->horizon + j] : 0);
	appendStringInfoChar(&text, '}');
	return JsonbPGetDatum(json_from(text.data));
}

static void
put_row(ExplainCall *call, const Told *t, int j)
{
	enum {LEVEL = 8, SEASON = 10, ANALOGUES = 13, CALENDAR, COVARIATES, NETWORK, BOUNDS, KEY};
	const rnn_model *m = call->model;
	int			h = call->horizon,
				covariates = m->config.covariates.n;
	int64		at = t->s.n + j;
	double		rest = t->usual_sum[j];
	bool		transformed = m->config.transform != RNN_TRANSFORM_NONE;
	Datum		values[COLUMNS] = {0};
	bool		nulls[COLUMNS] = {0};
	MemoryContext old = MemoryContextSwitchTo(call->rows.scratch);

	CHECK_FOR_INTERRUPTS();
	nulls[0] = t->own->name == NULL;
	if (t->own->name)
		values[0] = PointerGetDatum(cstring_to_text_with_len(t->own->name, t->own->name_len));
	values[1] = Int32GetDatum(j + 1);
	clock_place(&m->clock, t->own, at, &values[2], &nulls[2]);
	nulls[5] = at >= t->own->n || isnan(t->own->x[at]);
	values[5] = Float8GetDatum(nulls[5] ? 0 : t->own->x[at]);
	values[6] = Float8GetDatum(t->forecast[j]);
	values[7] = Float8GetDatum(t->sum[j]);
	nulls[7] = !transformed;
	for (int p = 0; p < RNN_PARTS; p++)
	{
		values[LEVEL + p] = Float8GetDatum(t->parts[p * h + j]);
		rest -= t->parts[p * h + j];
	}
	for (int k = 0; k < RNN_MAX_SEASONS; k++)
		nulls[SEASON + k] = k >= m->n_seasons || m->seasons[k] < 2;
	for (int g = 0; g < call->groups; g++)
		rest -= t->shares[g * h + j];
	nulls[CALENDAR] = call->groups <= covariates && m->config.trading_days <= 0;
	values[CALENDAR] = Float8GetDatum((call->groups > covariates ? t->shares[covariates * h + j] : 0) + t->sum[j] - t->usual_sum[j]);
	nulls[COVARIATES] = covariates == 0;
	if (covariates > 0)
		values[COVARIATES] = covariates_json(call, t, j);
	values[NETWORK] = Float8GetDatum(rest);
	nulls[BOUNDS] = transformed;
	values[BOUNDS] = Float8GetDatum(t->forecast[j] - t->sum[j]);
	set_key(series_name(t->own), &values[KEY], &nulls[KEY]);
	MemoryContextSwitchTo(old);
	tuples_put(&call->rows, values, nulls);
}

/* Steps first .. last behind point e of a series. */
static void
explain_end(ExplainCall *call, const rnn_series *own, int64 e, int first, int last)
{
	MemoryContext outer = MemoryContextSwitchTo(call->scratch);
	Told		t = {.own = own,.s = *own};
	int			h = call->horizon;

	t.s.ahead += own->n - e;
	t.s.n = e;
	fill_ahead(call->model, &t.s, h, call->options.covariate_gaps);
	calendar_fill(&call->model->config, &call->model->clock, &t.s, 1, h + RNN_MAX_TRAINED);
	if (call->model->config.trading_days > 0)
		rnn_trading_fit(&t.s);
	t.parts = palloc(sizeof(double) * RNN_PARTS * h);
	t.shares = palloc0(sizeof(double) * Max(call->groups, 1) * h);
	share_out(call, &t);
	take_parts(call, &t);
	t.forecast = forecast_medians(call->model, &t.s, 1, h);
	for (int j = first - 1; j < last; j++)
		put_row(call, &t, j);
	MemoryContextSwitchTo(outer);
	MemoryContextReset(call->scratch);
}

/* The last `history` rows from ends that are a horizon apart, each from what lies before its end; then what is ahead. */
static void
explain_series(ExplainCall *call, const rnn_series *s, int64 history)
{
	int			h = call->horizon;

	for (int64 k = (history + h - 1) / h; k > 0; k--)
	{
		int64		e = s->n - k * h;

		while (e >= RNN_LEAST_HISTORY && isnan(s->x[e - 1]))
			e--;
		if (e >= RNN_LEAST_HISTORY)
			explain_end(call, s, e, (int) Max(s->n - k * h - e, Max(s->n - history - e, 0)) + 1, (int) Min(h, s->n - (k - 1) * h - e));
	}
	if (check_ahead(call->model, s, h, &call->options) == AHEAD_FINE)
		explain_end(call, s, s->n, 1, h);
}

/* ----------------------------------------------------------------- the function */

rnn_config
config_with_seasons(const rnn_model *m)
{
	rnn_config	cfg = m->config;

	cfg.seasons_given = m->n_seasons;
	memcpy(cfg.seasons, m->seasons, sizeof(cfg.seasons));
	return cfg;
}

static void
open_bounds(ExplainCall *call)
{
	const rnn_model *m = call->model;

	call->open = *m;
	call->open.config.lower = -DBL_MAX;
	call->open.config.upper = DBL_MAX;
	call->open.config.integer = false;
	call->cfg = config_with_seasons(&call->open);
	/* Nothing but the regression and a network of its own looks at covariates. */
	call->groups = uses_network(m) || m->config.covariates.regression.n > 0 ? m->config.covariates.n + (m->config.terms ? 1 : 0) : 0;
}

static int64
history_argument(FunctionCallInfo fcinfo)
{
	int64		history = PG_ARGISNULL(ARG_HISTORY) ? 0 : PG_GETARG_INT64(ARG_HISTORY);

	if (history < 0 || history > RNN_MAX_HORIZON)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("history must be between 0 and %d, not " INT64_FORMAT, RNN_MAX_HORIZON, history)));
	return history;
}

/* (model, horizon, series, history) -> rows of the type rnn_explain_row */
Datum
rnnforecast_rnn_explain(PG_FUNCTION_ARGS)
{
	ExplainCall call = {.model = fetch_model(fcinfo, ARG_MODEL, false)};
	int64		history = history_argument(fcinfo);
	bool	   *named = NULL;

	tuples_begin(&call.rows, fcinfo, COLUMNS);
	if (call.model == NULL)
		return (Datum) 0;
	call.horizon = PG_ARGISNULL(ARG_HORIZON) ? call.model->config.horizon : check_horizon(PG_GETARG_INT64(ARG_HORIZON));
	parse_forecast_options(NULL, call.model, &call.options);
	open_bounds(&call);
	if (!PG_ARGISNULL(ARG_SERIES))
		named = series_named(call.model, PG_GETARG_ARRAYTYPE_P(ARG_SERIES), false);
	call.scratch = AllocSetContextCreate(CurrentMemoryContext, "rnnforecast explanation", ALLOCSET_DEFAULT_SIZES);
	for (int i = 0; i < call.model->n_series; i++)
		if (call.model->series[i].n > 0 && (named == NULL || named[i]))
			explain_series(&call, &call.model->series[i], history);
	return (Datum) 0;
}
