/*
 * hierarchy.c
 *		How forecasts of a model's series and of sums of them come to add up.
 *
 * Sums are series like others, forecast from their own histories.  Errors in
 * windows of the past say how far the forecast of each series is to be trusted,
 * and whether that helps at all: each quarter of the windows judges what the
 * others say.  It helps on average over all kinds of series, so that adding up
 * from below has to be surely better to be chosen.
 */
#include "pg/past/past.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#define MOST_SUMS 2000			/* whose equation is solved, */
#define MOST_PULL 4000000		/* and numbers that are kept of it */
#define MOST_ROWS 1024			/* of errors */
#define MOST_STEPS 128			/* of a window */
#define MOST_ORIGINS 8192
#define LEAST_WINDOWS 4
#define FOLDS 4
#define LEAST_GAIN 0.01			/* of bottom-up, of the squared errors of forecasts alone */

typedef struct Errors
{
	const rnn_model *model;
	rnn_past_plan plan;
	double	   *residuals;		/* (windows * steps, n_series) from the oldest window on, NaN: not known */
	int			apart;			/* windows that share nothing lie so many behind each other */
	int			last;			/* series whose tally this is */
	rnn_tally	tally;
} Errors;

/* -------------------------------------------------------------------- sums */

/* Mean forecasts of the steps behind its end. */
static double *
forecast_beyond(const rnn_model *m, const rnn_series *s, int steps)
{
	rnn_series	one = *s;
	rnn_origin	origin = {.e = s->n};
	rnn_tally	tally = {0};
	rnn_config	cfg = rnn_forecast_config(m, &tally, s, s->n);
	double	   *out = limited_memory(sizeof(double) * steps, RECONCILING),
			   *q;

	calendar_fill(&m->config, &m->clock, &one, 1, steps);
	q = forecast_origins(m, &one, 1, &origin, 1, steps, 1);
	if (q == NULL)
		report_memory(RECONCILING, sizeof(double) * RNN_QUANTILES * (Size) steps);
	for (int j = 0; j < steps; j++)
		out[j] = rnn_quantile_mean(&cfg, q + (Size) j * RNN_QUANTILES);
	pfree(q);
	return out;
}

static double **
forecast_ended(const rnn_model *m, const rnn_series *parts, int count)
{
	double	  **beyond = limited_memory(sizeof(double *) * count, RECONCILING);
	int64		end = last_grid_end(parts, count);

	for (int i = 0; i < count; i++)
	{
		int64		steps = end - parts[i].dropped - parts[i].n;

		CHECK_FOR_INTERRUPTS();
		if (parts[i].n == 0 || steps == 0)
			continue;
		if (steps > RNN_MAX_HORIZON - m->config.horizon)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("series \"%s\" ends too early to be added up", text_of_name(series_name(&parts[i]))),
					 errdetail("It ends " INT64_FORMAT " steps before the last one, and at most %d steps can be forecast.", steps, RNN_MAX_HORIZON),
					 errhint("Leave it out, or give it rows of 0 after its end.")));
		beyond[i] = forecast_beyond(m, &parts[i], (int) steps);
	}
	return beyond;
}

void
renew_sums(rnn_model *m, bool cut)
{
	int			count = m->n_series;
	rnn_series *parts = parts_of_sums(m->series, &count);
	SumsGiven	given = {.cfg = &m->config,.covariates = &m->config.covariates,.reach = cut ? rnn_history_reach(m) : 0,.lenient = true};

	given.beyond = forecast_ended(m, parts, count);
	add_sums(&m->hierarchy.asked, &given, &parts, &count, &m->hierarchy.sums);
	m->series = parts;
	m->n_series = count;
}

const rnn_model *
history_with_sums(const rnn_model *history, const rnn_text *asked, const rnn_covariates *covariates)
{
	SumsGiven	given = {.cfg = &history->config,.covariates = covariates};
	rnn_model  *all;

	if (asked->len == 0)
		return history;
	all = palloc(sizeof(rnn_model));
	*all = *history;
	all->series = parts_of_sums(history->series, &all->n_series);
	add_sums(asked, &given, (rnn_series **) &all->series, &all->n_series, &all->hierarchy.sums);
	all->hierarchy.asked = *asked;
	return all;
}

/* ------------------------------------------------------------------ errors */

static void
take_window(void *taker, int place, int window, const rnn_series *s, int64 e, const double *q)
{
	Errors	   *errors = taker;
	rnn_config	cfg;
	int			n = errors->model->n_series,
				steps = errors->plan.steps;
	double	   *to = errors->residuals + (Size) (errors->plan.windows - 1 - window) * steps * n + place;

	if (place != errors->last)
		errors->tally = (rnn_tally) {0};
	errors->last = place;
	cfg = rnn_forecast_config(errors->model, &errors->tally, s, e);
	for (int j = 0; j < steps && e + j < s->n; j++)
		to[(Size) j * n] = s->x[e + j] - rnn_quantile_mean(&cfg, q + (Size) j * RNN_QUANTILES);
}

/* The windows that sample paths look at, fewer where there are many series. */
static void
measure_errors(const rnn_model *m, int horizon, Errors *errors)
{
	rnn_past_plan plan = rnn_past_plan_for(m, m->series, m->n_series, Min(Min(horizon, m->config.horizon), MOST_STEPS));
	Size		values;

	*errors = (Errors) {.model = m,.last = -1};
	if (plan.windows == 0)
		return;
	plan.series = m->n_series;
	plan.windows = Min(plan.windows, Max(LEAST_WINDOWS, Min(MOST_ORIGINS / m->n_series, MOST_ROWS / plan.steps)));
	errors->plan = plan;
	errors->apart = (int) ((plan.steps + plan.stride - 1) / plan.stride);
	values = (Size) plan.windows * plan.steps * m->n_series;
	errors->residuals = limited_memory(sizeof(double) * values, RECONCILING);
	for (Size k = 0; k < values; k++)
		errors->residuals[k] = NAN;
	windows_each(m, &plan, take_window, errors);
}

/* Of the residuals of so many windows. */
static rnn_mint *
mint_of(const Errors *e, const double *residuals, int windows)
{
	const rnn_sums *sums = &e->model->hierarchy.sums;
	int			n = e->model->n_series;
	int64		rows = (int64) windows * e->plan.steps;
	rnn_mint   *mint = rnn_mint_begin(sums, n, residuals, rows, (int64) e->apart * e->plan.steps,
									  limited_memory(rnn_mint_size(sums, n, rows), RECONCILING));

	while (rnn_mint_step(mint))
		CHECK_FOR_INTERRUPTS();
	return mint;
}

/* ------------------------------------------------------------------ choice */

/* Squared errors of each series, alone and reconciled in both ways. */
typedef struct Judgement
{
	double	   *alone,
			   *bottom_up,
			   *mint;
} Judgement;

/* By minimum trace, of windows from .. to.  Reconciling is linear, so that it does to errors what it does to forecasts. */
static void
judge_windows(const Errors *e, rnn_mint *mint, int from, int to, Judgement *j)
{
	const rnn_sums *sums = &e->model->hierarchy.sums;
	int			n = e->model->n_series;
	double	   *errors = limited_memory(sizeof(double) * 3 * n, RECONCILING),
			   *up = errors + n,
			   *least = up + n;

	for (int64 row = (int64) from * e->plan.steps; row < (int64) to * e->plan.steps; row++)
	{
		const double *residual = e->residuals + row * n;

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < n; i++)
			errors[i] = up[i] = least[i] = isnan(residual[i]) ? 0 : residual[i];
		rnn_bottom_up(sums, n, up);
		rnn_mint_apply(mint, least);
		for (int i = 0; i < n; i++)
		{
			if (isnan(residual[i]))
				continue;
			j->alone[i] += errors[i] * errors[i];
			j->bottom_up[i] += up[i] * up[i];
			j->mint[i] += least[i] * least[i];
		}
	}
	pfree(errors);
}

/* Judges windows from .. to by those that share no points with them. */
static void
judge_fold(const Errors *e, int from, int to, Judgement *j)
{
	Size		window = (Size) e->plan.steps * e->model->n_series;
	int			before = Max(from - (e->apart - 1), 0),
				behind = Max(e->plan.windows - (to + e->apart - 1), 0);
	double	   *others = limited_memory(sizeof(double) * window * (before + behind), RECONCILING);
	rnn_mint   *mint;

	memcpy(others, e->residuals, sizeof(double) * window * before);
	memcpy(others + window * before, e->residuals + window * (e->plan.windows - behind), sizeof(double) * window * behind);
	mint = mint_of(e, others, before + behind);
	judge_windows(e, mint, from, to, j);
	pfree(mint);
	pfree(others);
}

/* By level, the mean of its series in units of the errors of each alone; their mean over levels. */
static double
losses(const rnn_model *m, const double *alone, const double *errors, double *loss)
{
	int			nodes[RNN_LEVELS] = {0},
				levels = 0,
			   *level = levels_of(m);
	double		sum = 0;

	for (int l = 0; l < RNN_LEVELS; l++)
		loss[l] = 0;
	for (int i = 0; i < m->n_series; i++)
		if (alone[i] > 0 && isfinite(errors[i] / alone[i]))
			loss[level[i]] += errors[i] / alone[i], nodes[level[i]]++;
	for (int l = 0; l < RNN_LEVELS; l++)
	{
		loss[l] = nodes[l] > 0 ? loss[l] / nodes[l] : NAN;
		if (nodes[l] > 0)
			sum += loss[l], levels++;
	}
	return levels > 0 ? sum / levels : 0;
}

static bool
takes_mint(const Errors *e, rnn_hierarchy *h)
{
	int			n = e->model->n_series,
				windows = e->plan.windows;
	double	   *block;
	Judgement	j;

	/* Something has to be left beside each quarter. */
	if (windows < 2 * e->apart || windows < FOLDS)
		return false;
	block = limited_memory(sizeof(double) * 3 * n, RECONCILING);
	j = (Judgement) {block, block + n, block + 2 * n};
	for (int k = 0; k < FOLDS; k++)
		judge_fold(e, k * windows / FOLDS, (k + 1) * windows / FOLDS, &j);
	h->windows = windows;
	return losses(e->model, j.alone, j.mint, h->mint) - LEAST_GAIN < losses(e->model, j.alone, j.bottom_up, h->bottom_up);
}

static void
keep_pull(const Errors *e, rnn_hierarchy *h)
{
	rnn_mint   *mint = mint_of(e, e->residuals, e->plan.windows);
	float	   *pull = limited_memory(sizeof(float) * e->model->n_series * h->sums.count, RECONCILING);

	for (int a = 0; a < h->sums.count; a++)
	{
		CHECK_FOR_INTERRUPTS();
		rnn_mint_pull(mint, a, pull);
	}
	/* What is part of no sum stays as it is. */
	for (int i = 0; i < e->model->n_series; i++)
		if (!e->model->series[i].sum && h->sums.first[i] == h->sums.first[i + 1])
			memset(pull + (Size) i * h->sums.count, 0, sizeof(float) * h->sums.count);
	h->shrinkage = rnn_mint_shrinkage(mint);
	h->pull = pull;
	pfree(mint);
}

static void
refuse_mint(const rnn_model *m, bool possible, int windows)
{
	if (!possible)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("method \"mint\" takes at most %d sums, and %d numbers for them, not %d of %d series", MOST_SUMS, MOST_PULL,
						m->hierarchy.sums.count, m->n_series),
				 errhint("Use the method \"bottom_up\".")));
	if (windows == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("method \"mint\" needs errors of the past, and the series are too short for it"),
				 errhint("Use the method \"bottom_up\".")));
}

void
choose_method(rnn_model *m, Method asked, int horizon)
{
	rnn_hierarchy *h = &m->hierarchy;
	bool		possible = h->sums.count <= MOST_SUMS && (int64) h->sums.count * m->n_series <= MOST_PULL;
	Errors		errors = {0};

	h->pull = NULL;
	h->windows = 0;
	h->shrinkage = 1;
	for (int l = 0; l < RNN_LEVELS; l++)
		h->bottom_up[l] = h->mint[l] = NAN;
	if (asked == METHOD_BOTTOM_UP)
		return;
	if (possible)
		measure_errors(m, horizon, &errors);
	if (asked == METHOD_MINT)
		refuse_mint(m, possible, errors.plan.windows);
	if (asked == METHOD_MINT || (errors.plan.windows > 0 && takes_mint(&errors, h)))
		keep_pull(&errors, h);
	if (errors.residuals)
		pfree(errors.residuals);
}

/* ------------------------------------------------------------- other series */

static SeriesName *
names_of(const rnn_model *m)
{
	SeriesName *names = limited_memory(sizeof(SeriesName) * m->n_series, RECONCILING);

	for (int i = 0; i < m->n_series; i++)
		names[i] = series_name(&m->series[i]);
	return names;
}

/* Sums of another model by their places there, -1: it has none of that name. */
static int *
places_of_sums(const rnn_model *m, const rnn_model *from, const SeriesName *names)
{
	const rnn_sums *other = &from->hierarchy.sums;
	int		   *places = limited_memory(sizeof(int) * m->hierarchy.sums.count, RECONCILING),
			   *number = limited_memory(sizeof(int) * from->n_series, RECONCILING);

	for (int a = 0; a < other->count; a++)
		number[other->series[a]] = a + 1;
	for (int a = 0; a < m->hierarchy.sums.count; a++)
	{
		int			i = place_of_name(names, from->n_series, series_name(&m->series[m->hierarchy.sums.series[a]]));

		places[a] = i >= 0 ? number[i] - 1 : -1;
	}
	pfree(number);
	return places;
}

void
keep_method(rnn_model *m, const rnn_model *from)
{
	rnn_hierarchy *h = &m->hierarchy;
	const rnn_hierarchy *other = &from->hierarchy;
	SeriesName *names;
	int		   *places;
	float	   *pull;

	if (other->pull == NULL)
		return;
	names = names_of(from);
	places = places_of_sums(m, from, names);
	pull = limited_memory(sizeof(float) * m->n_series * h->sums.count, RECONCILING);
	for (int i = 0; i < m->n_series; i++)
	{
		int			k = place_of_name(names, from->n_series, series_name(&m->series[i]));

		CHECK_FOR_INTERRUPTS();
		for (int a = 0; k >= 0 && a < h->sums.count; a++)
			if (places[a] >= 0)
				pull[(Size) i * h->sums.count + a] = other->pull[(Size) k * other->sums.count + places[a]];
	}
	h->pull = pull;
	pfree(names);
	pfree(places);
}
