/*
 * importance.c
 *		rnn_importance: how much of the error on the last windows a covariate saves;
 *		rnn_references: how the mix weighs its references.
 *
 * A covariate is worth what is lost when its values are those of other rows
 * (Breiman 2001): of what is known ahead the rows of the horizon get others of
 * the series, of the past those before, of what is static those of another
 * series.
 */
#include "pg/evaluate/evaluate.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#define SHUFFLES 4				/* of each covariate in each window */
#define MOST_SERIES 32			/* that are looked at, spread evenly */
#define USUAL_WINDOWS 8
#define MOST_WINDOWS 1000

PG_FUNCTION_INFO_V1(rnnforecast_rnn_importance);
PG_FUNCTION_INFO_V1(rnnforecast_rnn_references);

/* Of one covariate, over all windows. */
typedef struct Worth
{
	double		error,			/* shuffled, summed over one series */
				ratio,			/* of that to the error as it is, summed over all series */
				together;		/* of changes of the covariate and of the forecast */
} Worth;

typedef struct Shuffle
{
	const rnn_model *model;
	int			covariates;
	int			horizon;
	Worth	   *worth;			/* (covariates) */
	double		error;			/* as it is, of one series */
	int			series;			/* that were judged */
	rnn_rng		rng;
	MemoryContext scratch;
} Shuffle;

static float
value_at(const Shuffle *f, const rnn_series *s, int64 row, int c)
{
	return s->covariates && row < s->n + s->ahead ? s->covariates[row * f->covariates + c] : NAN;
}

/* A series whose covariate c has values of other rows, or of another series. */
static rnn_series
shuffled(Shuffle *f, const rnn_series *s, int c)
{
	rnn_role	role = f->model->config.covariates.list[c].role;
	int64		rows = s->n + s->ahead,
				from = role == RNN_AHEAD ? s->n : 0,
				to = role == RNN_PAST ? s->n : rows;
	const rnn_series *other = &f->model->series[rnn_rng_below(&f->rng, f->model->n_series)];
	float	   *values = palloc_extended(sizeof(float) * rows * f->covariates, MCXT_ALLOC_HUGE);
	rnn_series	v = *s;

	memcpy(values, s->covariates, sizeof(float) * rows * f->covariates);
	for (int64 i = from; i < to; i++)
		values[i * f->covariates + c] = role == RNN_STATIC ? value_at(f, other, 0, c) :
			value_at(f, s, rnn_rng_below(&f->rng, to), c);
	v.covariates = values;
	return v;
}

/* Whether a higher value goes with a higher forecast. */
static double
moved_together(const Shuffle *f, const rnn_series *as_is, const rnn_series *other, int c, const double *q, const double *r)
{
	double		sum = 0;

	for (int j = 0; j < f->horizon; j++)
	{
		int64		row = f->model->config.covariates.list[c].role == RNN_AHEAD ? as_is->n + j : as_is->n - 1;
		double		d = (double) value_at(f, as_is, row, c) - value_at(f, other, row, c);

		if (!isnan(d))
			sum += d * (q[j] - r[j]);
	}
	return sum;
}

static double
error_of(const Shuffle *f, const rnn_series *own, int64 e, const double *q)
{
	double		sum = 0;

	for (int j = 0; j < f->horizon && e + j < own->n; j++)
		if (!isnan(own->x[e + j]))
			sum += fabs(own->x[e + j] - q[j]);
	return sum;
}

static void
judge_window(Shuffle *f, const rnn_series *own, int64 e)
{
	int			h = f->horizon,
				count = 1 + f->covariates * SHUFFLES;
	MemoryContext outer = MemoryContextSwitchTo(f->scratch);
	rnn_series *series = palloc(sizeof(rnn_series) * count);
	double	   *q;

	series[0] = *own;
	series[0].ahead += own->n - e;
	series[0].n = e;
	calendar_fill(&f->model->config, &f->model->clock, series, 1, h + RNN_MAX_TRAINED);
	for (int k = 1; k < count; k++)
		series[k] = shuffled(f, &series[0], (k - 1) / SHUFFLES);
	q = forecast_medians(f->model, series, count, h);
	f->error += error_of(f, own, e, q);
	for (int k = 1; k < count; k++)
	{
		Worth	   *w = &f->worth[(k - 1) / SHUFFLES];

		w->error += error_of(f, own, e, q + (Size) k * h) / SHUFFLES;
		w->together += moved_together(f, &series[0], &series[k], (k - 1) / SHUFFLES, q, q + (Size) k * h);
	}
	MemoryContextSwitchTo(outer);
	MemoryContextReset(f->scratch);
}

static void
judge_series(Shuffle *f, const rnn_series *s, int windows)
{
	f->error = 0;
	for (int c = 0; c < f->covariates; c++)
		f->worth[c].error = 0;
	for (int k = 1; k <= windows; k++)
	{
		int64		e = s->n - (int64) k * f->horizon;

		CHECK_FOR_INTERRUPTS();
		if (s->covariates && e >= RNN_LEAST_HISTORY && !isnan(s->x[e - 1]))
			judge_window(f, s, e);
	}
	if (f->error == 0)
		return;
	f->series++;
	for (int c = 0; c < f->covariates; c++)
		f->worth[c].ratio += f->worth[c].error / f->error;
}

static void
put_worth(Tuples *rows, const Shuffle *f, int c)
{
	const rnn_covariate *covariate = &f->model->config.covariates.list[c];
	const Worth *w = &f->worth[c];
	MemoryContext old = MemoryContextSwitchTo(rows->scratch);
	Datum		values[3] = {0};
	bool		nulls[3] = {false};

	values[0] = PointerGetDatum(cstring_to_text_with_len(covariate->name.text, covariate->name.len));
	nulls[1] = f->series == 0;
	if (!nulls[1])
		values[1] = Float8GetDatum(w->ratio > 0 ? 1 - f->series / w->ratio : 0);
	nulls[2] = covariate->is_text || w->together == 0;
	if (!nulls[2])
		values[2] = PointerGetDatum(cstring_to_text(w->together > 0 ? "up" : "down"));
	MemoryContextSwitchTo(old);
	tuples_put(rows, values, nulls);
}

/* (model, windows) -> rows (covariate, share, direction) */
Datum
rnnforecast_rnn_importance(PG_FUNCTION_ARGS)
{
	Shuffle		f = {.model = fetch_model(fcinfo, 0, false)};
	int			windows = PG_ARGISNULL(1) ? USUAL_WINDOWS : PG_GETARG_INT32(1),
				every;
	Tuples		rows;

	tuples_begin(&rows, fcinfo, 3);
	if (windows < 1 || windows > MOST_WINDOWS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("windows must be between 1 and %d, not %d", MOST_WINDOWS, windows)));
	if (f.model == NULL)
		return (Datum) 0;
	f.covariates = f.model->config.covariates.n;
	f.horizon = f.model->config.horizon;
	f.worth = palloc0(sizeof(Worth) * Max(f.covariates, 1));
	f.scratch = AllocSetContextCreate(CurrentMemoryContext, "rnnforecast importance", ALLOCSET_DEFAULT_SIZES);
	rnn_rng_seed(&f.rng, 1, 1);
	every = Max((f.model->n_series + MOST_SERIES - 1) / MOST_SERIES, 1);
	for (int i = 0; f.covariates > 0 && i < f.model->n_series; i += every)
		judge_series(&f, &f.model->series[i], windows);
	for (int c = 0; c < f.covariates; c++)
		put_worth(&rows, &f, c);
	return (Datum) 0;
}

/* ------------------------------------------------------------------- references */

static char *
reference_name(const rnn_model *m, int r)
{
	static const char *const last[] = {"season_revert", "season_mean", "autoregression", "autoregression_recent"};

	if (r < RNN_MAX_SEASONS)
		return psprintf("seasonal_naive_%d", m->seasons[r]);
	if (r < RNN_LEAST_REFS)
		return pstrdup(rnn_smoother_names[r - RNN_MAX_SEASONS]);
	if (r < RNN_LEAST_REFS + RNN_ANALOGUES)
		return psprintf("analogue_%d", r - RNN_LEAST_REFS + 1);
	return pstrdup(last[r - RNN_LEAST_REFS - RNN_ANALOGUES]);
}

static void
put_references(Tuples *rows, const rnn_model *m, const rnn_series *s, const rnn_mix *mix)
{
	for (int r = 0; r < RNN_REFS; r++)
	{
		MemoryContext old = MemoryContextSwitchTo(rows->scratch);
		Datum		values[4] = {0};
		bool		nulls[4] = {s->name == NULL};

		if (mix->present[r])
		{
			if (s->name)
				values[0] = PointerGetDatum(cstring_to_text_with_len(s->name, s->name_len));
			values[1] = PointerGetDatum(cstring_to_text(reference_name(m, r)));
			values[2] = Float8GetDatum(mix->weight[r]);
			values[3] = Float8GetDatum(mix->error[r]);
		}
		MemoryContextSwitchTo(old);
		if (mix->present[r])
			tuples_put(rows, values, nulls);
	}
}

/* (model) -> rows (series, reference, weight, error) */
Datum
rnnforecast_rnn_references(PG_FUNCTION_ARGS)
{
	const rnn_model *m = fetch_model(fcinfo, 0, false);
	Tuples		rows;

	tuples_begin(&rows, fcinfo, 4);
	for (int i = 0; m && i < m->n_series; i++)
	{
		MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "rnnforecast references", ALLOCSET_DEFAULT_SIZES),
					outer = MemoryContextSwitchTo(scratch);
		rnn_config	cfg = config_with_seasons(m);
		rnn_series	s = m->series[i];
		Size		size = rnn_parts_size(&cfg, s.n, cfg.horizon);
		double	   *parts = palloc_extended(sizeof(double) * RNN_PARTS * cfg.horizon, MCXT_ALLOC_HUGE);
		char	   *block = MemoryContextAllocHuge(CurrentMemoryContext, size);
		rnn_mix		mix;
		rnn_error	err;

		CHECK_FOR_INTERRUPTS();
		if (s.n > 0)
		{
			calendar_fill(&cfg, &m->clock, &s, 1, 0);
			if (rnn_parts(&cfg, &s, cfg.horizon, block, size, &mix, parts, &err) != RNN_OK)
				report_engine_error(&err);
			put_references(&rows, m, &s, &mix);
		}
		MemoryContextSwitchTo(outer);
		MemoryContextDelete(scratch);
	}
	return (Datum) 0;
}
