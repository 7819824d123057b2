/*
 * reconciled.c
 *		Forecasts of a model whose series are sums of others: all series are
 *		forecast, each alone, and then changed so that their means add up.
 *
 * All begin behind the last point of any.  The quantiles of a series go where
 * its mean goes.  Of what can't be below 0 they are stretched, so that zeros stay
 * zeros, and moved by what is beyond twice as much.
 */
#include "pg/forecast/forecast.h"
#include "pg/past/past.h"

#include <math.h>

#include "miscadmin.h"

#define Q RNN_QUANTILES
#define MOST_STRETCH 2

/* All series with values, to the same end.  None can be left out, so what would be is naive. */
static void
choose_all(const rnn_model *m, int steps, ForecastChoice *choice)
{
	int64		end = last_grid_end(m->series, m->n_series);

	choice->series = limited_memory(sizeof(int) * m->n_series, RECONCILING);
	choice->horizon = limited_memory(sizeof(int) * m->n_series, RECONCILING);
	choice->lag = limited_memory(sizeof(int) * m->n_series, RECONCILING);
	choice->naive = limited_memory(m->n_series, RECONCILING);
	for (int i = 0; i < m->n_series; i++)
	{
		const rnn_series *s = &m->series[i];
		int64		lag = end - s->dropped - s->n;

		if (s->n == 0)
			continue;
		if (lag > RNN_MAX_HORIZON - steps)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("series \"%s\" ends too early to be added up", text_of_name(series_name(s))),
					 errdetail("It ends " INT64_FORMAT " steps before the last one, and at most %d steps can be forecast.", lag, RNN_MAX_HORIZON),
					 errhint("Leave it out with rnn_forget.")));
		choice->series[choice->count] = i;
		choice->lag[choice->count] = (int) lag;
		choice->naive[choice->count] = check_ahead(m, s, (int) lag + steps, &choice->options) != AHEAD_FINE;
		choice->horizon[choice->count++] = (int) lag + steps;
	}
}

typedef struct Taking
{
	const ForecastChoice *choice;
	LevelForecasts *out;
} Taking;

static void
take_alone(void *taker, int k, const rnn_config *cfg, const double *q, const double *mean)
{
	const Taking *t = taker;
	LevelForecasts *f = t->out;
	int			i = t->choice->series[k];

	f->cfg[i] = *cfg;
	memcpy(f->q + (Size) i * f->steps * Q, q, sizeof(double) * f->steps * Q);
	for (int j = 0; j < f->steps; j++)
		f->base[(Size) i * f->steps + j] = rnn_quantile_mean(cfg, q + (Size) j * Q);
}

/*
 * What is no sum stays within its bounds, and among its own quantiles: what is
 * over, and sure to be 0, does not make up for what others get wrong.
 */
static double
credible(const rnn_config *cfg, double base, const double *q, double y)
{
	rnn_config	bounds = *cfg;

	bounds.integer = 0;
	return fmin(fmax(rnn_within_bounds(&bounds, y), fmin(q[0], base)), fmax(q[Q - 1], base));
}

/* One step of all series; y (n) and gaps (sums) are room. */
static void
reconcile_step(const rnn_model *m, LevelForecasts *f, int step, double *y, double *gaps)
{
	const rnn_hierarchy *h = &m->hierarchy;

	for (int i = 0; i < m->n_series; i++)
		y[i] = f->base[(Size) i * f->steps + step];
	if (h->pull)
		rnn_pull(&h->sums, m->n_series, h->pull, gaps, y);
	for (int i = 0; i < m->n_series && h->pull; i++)
		if (m->series[i].n > 0)
			y[i] = credible(&f->cfg[i], f->base[(Size) i * f->steps + step], f->q + ((Size) i * f->steps + step) * Q, y[i]);
	rnn_bottom_up(&h->sums, m->n_series, y);
	for (int i = 0; i < m->n_series; i++)
		f->mean[(Size) i * f->steps + step] = y[i];
}

static void
move_quantiles(const rnn_config *cfg, double base, double mean, double *q)
{
	double		stretch = cfg->lower >= 0 && base > 0 ? fmin(fmax(mean / base, 0), MOST_STRETCH) : 1,
				shift = mean - stretch * base;

	for (int k = 0; k < Q && mean != base; k++)
		q[k] = rnn_within_bounds(cfg, stretch * q[k] + shift);
}

void
forecast_levels(const rnn_model *m, int steps, const ForecastOptions *options, LevelForecasts *out)
{
	ForecastChoice choice = {.model = m,.options = *options};
	Taking		taking = {&choice, out};
	Size		values = (Size) m->n_series * steps;
	double	   *y = limited_memory(sizeof(double) * m->n_series, RECONCILING),
			   *gaps = limited_memory(sizeof(double) * m->hierarchy.sums.count, RECONCILING);

	*out = (LevelForecasts) {.steps = steps};
	out->cfg = limited_memory(sizeof(rnn_config) * m->n_series, RECONCILING);
	out->q = limited_memory(sizeof(double) * values * Q, RECONCILING);
	out->base = limited_memory(sizeof(double) * values, RECONCILING);
	out->mean = limited_memory(sizeof(double) * values, RECONCILING);
	choose_all(m, steps, &choice);
	forecast_alone(&choice, take_alone, &taking);
	for (int j = 0; j < steps; j++)
	{
		CHECK_FOR_INTERRUPTS();
		reconcile_step(m, out, j, y, gaps);
	}
	for (int k = 0; k < choice.count; k++)
	{
		Size		at = (Size) choice.series[k] * steps;

		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < steps; j++)
			move_quantiles(&out->cfg[choice.series[k]], out->base[at + j], out->mean[at + j], out->q + (at + j) * Q);
	}
	pfree(y);
	pfree(gaps);
}

/* Forecasts of parts alone stay as they are, bottom-up. */
static bool
stay_alone(const ForecastChoice *choice)
{
	if (choice->model->hierarchy.pull)
		return false;
	for (int i = 0; i < choice->count; i++)
		if (chosen_series(choice, i)->sum)
			return false;
	return true;
}

void
forecast_each(const ForecastChoice *choice, ForecastTaker take, void *taker)
{
	LevelForecasts f;
	int			steps = 1;

	if (stay_alone(choice))
	{
		forecast_alone(choice, take, taker);
		return;
	}
	for (int i = 0; i < choice->count; i++)
		steps = Max(steps, choice->horizon[i] - choice->lag[i]);
	forecast_levels(choice->model, steps, &choice->options, &f);
	for (int i = 0; i < choice->count; i++)
	{
		Size		at = (Size) choice->series[i] * steps;

		CHECK_FOR_INTERRUPTS();
		take(taker, i, &f.cfg[choice->series[i]], f.q + at * Q, f.mean + at);
	}
}
