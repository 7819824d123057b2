/*
 * score.c
 *		How well models forecast the last windows of a history.
 *
 * The windows follow each other, `horizon` points each.  A model forecasts each
 * of them from the rows before it, as it would have on that day, but with the
 * weights of today: so it is judged fairly only by windows that lie behind the
 * rows that it was trained on.
 */
#include "pg/registry/registry.h"
#include "pg/train/train.h"
#include "pg/forecast/forecast.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define BATCH 64
#define LEAST_BEFORE 8			/* points before the first window */
#define LOW 2					/* numbers of the levels 0.05 and 0.95 */
#define HIGH 12

/* One window of one series. */
typedef struct ScoredWindow
{
	int			series;
	int64		origin;			/* its first point */
} ScoredWindow;

typedef struct Tally
{
	double	   *error;			/* (n_series) sums */
	int64	   *points;
	double		off,			/* sums of |error| and of |value|, of all series */
				size;
	int64		covered;
} Tally;

/* The last point at or before `at` that follows a known one, so that a series cut there ends with it. */
static int64
after_known(const rnn_series *s, int64 at)
{
	while (at > 0 && isnan(s->x[at - 1]))
		at--;
	return at;
}

Windows
last_windows(const rnn_model *history, int horizon, int wanted)
{
	Windows		w = {.history = history,.horizon = horizon};

	w.first = palloc_extended(sizeof(int64) * Max(history->n_series, 1), MCXT_ALLOC_HUGE);
	w.scale = palloc_extended(sizeof(double) * Max(history->n_series, 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int i = 0; i < history->n_series; i++)
	{
		const rnn_series *s = &history->series[i];
		int			count = (int) Min((int64) wanted, s->n / 3 / horizon);

		w.first[i] = after_known(s, s->n - (int64) count * horizon);
		if (s->note >= RNN_NOTE_EMPTY || w.first[i] < LEAST_BEFORE)
			w.first[i] = s->n;
		else
			w.most = Max(w.most, count);
	}
	return w;
}

void
set_scales(Windows *w, int season)
{
	for (int i = 0; i < w->history->n_series; i++)
	{
		const rnn_series *s = &w->history->series[i];
		int64		lag = season < w->first[i] ? season : 1,
					pairs = 0;
		double		sum = 0;

		for (int64 t = lag; t < w->first[i]; t++)
			if (!isnan(s->x[t]) && !isnan(s->x[t - lag]))
			{
				sum += distance(s->x[t], s->x[t - lag]);
				pairs++;
			}
		w->scale[i] = pairs > 0 && isfinite(sum) ? sum / pairs : 0;
		CHECK_FOR_INTERRUPTS();
	}
}

bytea *
before_windows(const Windows *w)
{
	rnn_series *series = palloc_extended(sizeof(rnn_series) * Max(w->history->n_series, 1), MCXT_ALLOC_HUGE);
	rnn_model	before = *w->history;

	for (int i = 0; i < before.n_series; i++)
	{
		series[i] = w->history->series[i];
		series[i].n = w->first[i];
	}
	before.series = series;
	return store_model(&before);
}

static void
tally_window(const Windows *w, const ScoredWindow *item, const double *q, Tally *tally)
{
	const rnn_series *s = &w->history->series[item->series];

	for (int j = 0; j < w->horizon && item->origin + j < s->n; j++, q += RNN_QUANTILES)
	{
		double		actual = s->x[item->origin + j];

		if (isnan(actual))
			continue;
		tally->off += fabs(actual - q[RNN_MEDIAN]);
		tally->size += fabs(actual);
		tally->error[item->series] += fabs(actual - q[RNN_MEDIAN]) / w->scale[item->series];
		tally->points[item->series]++;
		tally->covered += actual >= q[LOW] && actual <= q[HIGH];
	}
}

/* Items of one batch; half of them at a time where memory is short. */
static void
score_items(const rnn_model *model, const rnn_series *all, const Windows *w, const ScoredWindow *items, int count, Tally *tally)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "rnnforecast scoring", ALLOCSET_DEFAULT_SIZES),
				outer = MemoryContextSwitchTo(scratch);
	rnn_series *series = palloc(sizeof(rnn_series) * count);
	Size		out = sizeof(double) * RNN_QUANTILES * w->horizon * (Size) count,
				work;
	int64		longest = 1;

	for (int i = 0; i < count; i++)
	{
		series[i] = all[items[i].series];
		/* What came later is what was known ahead. */
		series[i].ahead += series[i].n - items[i].origin;
		series[i].n = items[i].origin;
		trim_series(&series[i], model, rnn_history_reach(model), false);
		longest = Max(longest, series[i].n);
	}
	calendar_fill(&model->config, &model->clock, series, count, w->horizon);
	work = forecast_work(model, count, longest, w->horizon);
	if (count > 1 && work + out > memory_limit())
	{
		score_items(model, all, w, items, count / 2, tally);
		score_items(model, all, w, items + count / 2, count - count / 2, tally);
	}
	else
	{
		const double *q = forecast_quantiles(model, series, count, w->horizon, work, "scoring");

		for (int i = 0; i < count; i++)
			tally_window(w, &items[i], q + (Size) i * w->horizon * RNN_QUANTILES, tally);
	}
	MemoryContextSwitchTo(outer);
	MemoryContextDelete(scratch);
}

Score
no_score(void)
{
	return (Score) {.mase = NAN,.mae = NAN,.wape = NAN,.coverage = NAN};
}

static Score
finish_score(const Windows *w, const Tally *tally)
{
	Score		score = no_score();
	int			measured = 0;
	double		sum = 0;

	score.series = palloc_extended(sizeof(double) * Max(w->history->n_series, 1), MCXT_ALLOC_HUGE);
	for (int i = 0; i < w->history->n_series; i++)
	{
		score.series[i] = tally->points[i] > 0 ? tally->error[i] / tally->points[i] : NAN;
		if (tally->points[i] == 0)
			continue;
		sum += score.series[i];
		score.points += tally->points[i];
		measured++;
	}
	if (measured > 0)
	{
		score.mase = sum / measured;
		score.mae = tally->off / score.points;
		score.wape = tally->size > 0 ? tally->off / tally->size : NAN;
		score.coverage = (double) tally->covered / score.points;
	}
	return score;
}

/* What scoring goes through with each of the models. */
typedef struct Pass
{
	const rnn_model *model;
	rnn_series *series;			/* of the history, as the model knows them */
	Tally		tally;
} Pass;

static Pass
begin_pass(const rnn_model *model, const Windows *w)
{
	int			n = Max(w->history->n_series, 1);

	check_clocks(model, w->history);
	return (Pass) {
		model, series_for_model(w->history, model),
			.tally = {
				.error = palloc_extended(sizeof(double) * n, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO),
					.points = palloc_extended(sizeof(int64) * n, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO)
			}
	};
}

static bool
is_measurable(const Windows *w, int i)
{
	return w->scale[i] > 0 && w->first[i] < w->history->series[i].n;
}

/*
 * The k-th series to look at.  Where only some may be looked at they are spread
 * over all: the step is near the golden section, and has no factor of n.
 */
static int
spread_series(int k, int n, bool all)
{
	int64		step = all ? 1 : (int64) (n * 0.618) | 1;

	while (!all && n > 1)
	{
		int64		a = n,
					b = step;

		while (b > 0)
		{
			int64		rest = a % b;

			a = b;
			b = rest;
		}
		if (a == 1)
			break;
		step += 2;
	}
	return (int) (k * step % Max(n, 1));
}

/* All models forecast the same windows, however many there is time for. */
static void
score_batch(Pass *passes, int models, const Windows *w, const ScoredWindow *items, int count)
{
	for (int i = 0; i < models && count > 0; i++)
		score_items(passes[i].model, passes[i].series, w, items, count, &passes[i].tally);
}

static bool
has_points(const Windows *w, const Tally *tally)
{
	for (int i = 0; i < w->history->n_series; i++)
		if (tally->points[i] > 0)
			return true;
	return false;
}

static void
score_series(Pass *passes, int models, Windows *w, TimestampTz deadline)
{
	int			n = w->history->n_series,
				count = 0;
	ScoredWindow items[BATCH];

	for (int k = 0; k < n; k++)
	{
		int			i = spread_series(k, n, deadline == 0);

		for (int64 at = w->first[i]; is_measurable(w, i) && at < w->history->series[i].n; at += w->horizon)
		{
			items[count++] = (ScoredWindow) {i, after_known(&w->history->series[i], at)};
			if (count < BATCH)
				continue;
			score_batch(passes, models, w, items, count);
			count = 0;
		}
		w->measured += is_measurable(w, i);
		if (deadline == 0 || GetCurrentTimestamp() <= deadline)
			continue;
		score_batch(passes, models, w, items, count);
		count = 0;
		if (has_points(w, &passes[0].tally))
			return;
	}
	score_batch(passes, models, w, items, count);
}

void
score_models(const Scored *models, int count, Windows *w, TimestampTz deadline)
{
	Pass	   *passes = palloc(sizeof(Pass) * count);

	w->measurable = w->measured = 0;
	for (int i = 0; i < count; i++)
		passes[i] = begin_pass(models[i].model, w);
	for (int i = 0; i < w->history->n_series; i++)
		w->measurable += is_measurable(w, i);
	score_series(passes, count, w, deadline);
	for (int i = 0; i < count; i++)
		*models[i].score = finish_score(w, &passes[i].tally);
}
