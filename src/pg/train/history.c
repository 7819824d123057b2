/*
 * history.c
 *		A history for a model: its times as the model counts them, the points that
 *		forecasts need, and the model's weights with its rows.
 */
#include "pg/train/train.h"

#include <math.h>

#include "miscadmin.h"

#define TOLD_UNCHANGED 1
#define TOLD_NULL 2

/*
 * Whether a series cut at a point goes on as it would have: at a known value,
 * and where a short month doesn't hide on which day its months are counted.
 */
static bool
may_begin(const rnn_series *s, const rnn_clock *clock, int64 off)
{
	return !isnan(s->x[off]) &&
		(clock->months == 0 || off + 1 == s->n ||
		 clock_time(clock, clock_time(clock, s->start, off), 1) == clock_time(clock, s->start, off + 1));
}

/*
 * Forgets all but the last `keep` points, beginning at a known one: at most so
 * many, or at least so many, since what a gap is filled with lies before it.
 */
void
trim_series(rnn_series *s, const rnn_model *m, int64 keep, bool at_most)
{
	const rnn_clock *clock = &m->clock;
	int64		off = s->n > keep ? s->n - keep : 0;

	while (at_most && off < s->n - 1 && !may_begin(s, clock, off))
		off++;
	while (!at_most && off > 0 && !may_begin(s, clock, off))
		off--;
	if (off == 0)
		return;
	s->start = clock_time(clock, s->start, off);
	s->dropped += off;
	s->x += off;
	s->n -= off;
	if (s->covariates)
		s->covariates += off * m->config.covariates.n;
}

/* Says of a series whether the network, where there is one, doesn't forecast it. */
static void
note_short(const rnn_model *m, rnn_series *s)
{
	bool		uses = m->n_members > 0 && m->weight > 0;

	if (s->note == RNN_NOTE_NONE || s->note == RNN_NOTE_SHORT)
		s->note = uses && !rnn_network_applies(m, s->n) ? RNN_NOTE_SHORT : RNN_NOTE_NONE;
}

/* The model with each series cut to what forecasts need, or to `keep`. */
bytea *
store_trimmed(rnn_model *m, int keep)
{
	rnn_series *series = palloc_extended(sizeof(rnn_series) * Max(m->n_series, 1), MCXT_ALLOC_HUGE);
	int64		reach = keep > 0 ? keep : rnn_history_reach(m);

	for (int i = 0; i < m->n_series; i++)
	{
		CHECK_FOR_INTERRUPTS();
		series[i] = m->series[i];
		if (series[i].n > 0)
			trim_series(&series[i], m, reach, keep > 0);
		note_short(m, &series[i]);
	}
	m->series = series;
	return store_model(m);
}

static bool
same_step(const rnn_clock *a, const rnn_clock *b)
{
	return a->kind == b->kind && a->months == b->months && a->days == b->days && a->usecs == b->usecs && a->week == b->week;
}

const char *
clock_kind_name(int kind)
{
	static const char *const names[] = {"an ordered column", "date", "timestamp", "timestamptz", "steps"};

	return names[kind];
}

/* Single points have no step, and fit any. */
bool
has_step(const rnn_model *history)
{
	for (int i = 0; i < history->n_series; i++)
		if (history->series[i].n > 1)
			return true;
	return false;
}

/* Whether the history's points are readings that the clock has bins for. */
bool
in_bins(const rnn_model *history, const rnn_clock *clock)
{
	return !same_step(clock, &history->clock) && has_step(history) && clock_takes_readings(clock, &history->clock);
}

void
check_clocks(const rnn_model *m, const rnn_model *history)
{
	if (m->clock.kind == history->clock.kind &&
		(same_step(&m->clock, &history->clock) || !has_step(history) ||
		 (m->clock.days == 1 && history->clock.days == 1) || in_bins(history, &m->clock)))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the history's step does not fit the model's"),
			 errdetail("The model was trained on %s in steps of %s, the history is of %s in steps of %s.",
					   clock_kind_name(m->clock.kind), clock_step_text(&m->clock),
					   clock_kind_name(history->clock.kind), clock_step_text(&history->clock)),
			 m->clock.kind != history->clock.kind && clock_has_times(&m->clock) && clock_has_times(&history->clock) ?
			 errhint("Cast the time where the rows are collected: rnn_history(ts::%s, value).", clock_kind_name(m->clock.kind)) :
			 m->clock.bin == RNN_BIN_NONE || m->clock.kind != history->clock.kind ? 0 :
			 errhint("Collect the rows in the model's bins, with the options '{\"bin\": \"%s\", \"step\": %s}' of rnn_history.",
					 bin_names[m->clock.bin],
					 psprintf(clock_has_times(&m->clock) ? "\"%s\"" : "%s", clock_step_text(&m->clock)))));
}

/* A copy of the history's series, in the clock's bins, their times and phases as it counts them. */
rnn_series *
series_by_clock(const rnn_model *history, const rnn_clock *clock)
{
	rnn_series *series = palloc_extended(sizeof(rnn_series) * Max(history->n_series, 1), MCXT_ALLOC_HUGE);
	bool		same = same_step(clock, &history->clock) && strcmp(clock->zone, history->clock.zone) == 0;

	memcpy(series, history->series, sizeof(rnn_series) * history->n_series);
	if (in_bins(history, clock))
	{
		rebin_series(&history->clock, clock, series, history->n_series, history->config.covariates.n);
		return series;
	}
	for (int i = 0; i < history->n_series && !same && clock->kind != RNN_CLOCK_NONE; i++)
	{
		if (series[i].n == 0)
			continue;
		CHECK_FOR_INTERRUPTS();
		series[i].start = clock_convert(&history->clock, clock, series[i].start);
		clock_regrid(&history->clock, clock, &series[i], history->config.covariates.n);
		series[i].dropped = clock_phase(clock, series[i].start);
	}
	return series;
}

rnn_series *
series_for_model(const rnn_model *history, const rnn_model *m)
{
	rnn_series *series = series_by_clock(history, &m->clock);

	notice_ignored_covariates(&m->config.covariates, &history->config.covariates);
	covariates_for_model(&m->config.covariates, &history->config.covariates, series, history->n_series);
	return series;
}

bytea *
observe_history(const rnn_model *model, const rnn_model *history)
{
	rnn_model	result = *model;

	check_clocks(model, history);
	/* A history of one point knows no step; days are then counted as local time. */
	if (same_step(&model->clock, &history->clock) && history->clock.month_day > 0)
		result.clock.month_day = history->clock.month_day;
	result.n_series = history->n_series;
	result.series = parts_of_sums(series_for_model(history, model), &result.n_series);
	for (int i = 0; i < result.n_series; i++)
		check_values(&result.config, &result.clock, &result.series[i]);
	result.hierarchy.sums = (rnn_sums) {0};
	if (model->hierarchy.asked.len > 0)
	{
		renew_sums(&result, history->hierarchy.asked.len > 0);
		keep_method(&result, model);
	}
	correct_calibration(&result);
	return store_trimmed(&result, 0);
}

/* Where there is no history, NULL would be the end of what was trained: the model of an argument stays as it is. */
Datum
unchanged(FunctionCallInfo fcinfo, int argno, const rnn_model *model, const char *absent)
{
	if (tell_once(fcinfo, model ? TOLD_UNCHANGED : TOLD_NULL))
		ereport(NOTICE,
				(model ? errmsg("there are no new rows: the model stays as it is, with its history") :
				 errmsg("the result is NULL: there is no %s", absent),
				 model ? errdetail("The history is NULL, because it is one of no rows.") : 0));
	if (model == NULL)
		PG_RETURN_NULL();
	PG_RETURN_BYTEA_P(PG_GETARG_BYTEA_P(argno));
}

/* (model, history) -> the model's weights with the history's rows */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_observe);
Datum
rnnforecast_rnn_observe(PG_FUNCTION_ARGS)
{
	const rnn_model *model = fetch_model(fcinfo, 0, false);
	const rnn_model *history = fetch_model(fcinfo, 1, true);

	if (model == NULL || history == NULL)
		return unchanged(fcinfo, 0, model, "model");
	doubt_scale(fcinfo, model, history);
	PG_RETURN_BYTEA_P(observe_history(model, history));
}
