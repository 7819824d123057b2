/*
 * inspect.c
 *		Rows about a model: its series, the course of its training, and how far
 *		back its loss reaches.
 */
#include "pg/model/model.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define SERIES_COLUMNS 10

PG_FUNCTION_INFO_V1(rnnforecast_rnn_series);
PG_FUNCTION_INFO_V1(rnnforecast_rnn_training_log);
PG_FUNCTION_INFO_V1(rnnforecast_rnn_gradient_flow);

static const char *
note_text(const rnn_series *s)
{
	static const char *const notes[] = {
		[RNN_NOTE_NONE] = NULL,
		[RNN_NOTE_SHORT] = "too short for the network",
		[RNN_NOTE_CONSTANT] = "constant",
		[RNN_NOTE_EMPTY] = "no known value",
		[RNN_NOTE_INFINITE] = "infinite value",
		[RNN_NOTE_DUPLICATE] = "a time occurs more than once",
		[RNN_NOTE_IRREGULAR] = "a time off the grid of steps",
		[RNN_NOTE_GAPS] = "a missing point",
		[RNN_NOTE_RANGE] = "a value that cannot be transformed"
	};

	if (s->note < RNN_NOTE_EMPTY)
		return notes[s->note];
	return psprintf("%s: %s", notes[s->note], s->n > 0 ? "naive forecast" : "left out");
}

/* Wall clock of point k; NULL where the rows are numbered. */
static void
set_time(const rnn_model *m, const rnn_series *s, int64 k, Datum *value, bool *null)
{
	*null = !clock_has_times(&m->clock) || s->n == 0;
	if (!*null)
		*value = TimestampGetDatum(clock_local(&m->clock, clock_time(&m->clock, s->start, k)));
}

/* rnn_series(model) -> rows (name, first, last, points, note, missing, gaps, longest_gap, depth, members) */
Datum
rnnforecast_rnn_series(PG_FUNCTION_ARGS)
{
	Tuples		rows;
	const rnn_model *m;

	int		   *depth,
			   *members;

	tuples_begin(&rows, fcinfo, SERIES_COLUMNS);
	m = fetch_model(fcinfo, 0, true);
	depth = levels_of(m);
	members = parts_in(m);
	for (int i = 0; i < m->n_series; i++)
	{
		const rnn_series *s = &m->series[i];
		MemoryContext old = MemoryContextSwitchTo(rows.scratch);
		Datum		values[SERIES_COLUMNS] = {0};
		bool		nulls[SERIES_COLUMNS] = {false};
		rnn_missing missing = count_missing(s, 1);
		const char *note;
		nulls[0] = s->name == NULL;
		if (s->name != NULL)
			values[0] = PointerGetDatum(cstring_to_text_with_len(s->name, s->name_len));
		set_time(m, s, 0, &values[1], &nulls[1]);
		set_time(m, s, s->n - 1, &values[2], &nulls[2]);
		values[3] = Int64GetDatum(s->n - missing.points);
		note = note_text(s);
		nulls[4] = note == NULL;
		if (note)
			values[4] = CStringGetTextDatum(note);
		values[5] = Int64GetDatum(missing.points);
		values[6] = Int64GetDatum(missing.gaps);
		values[7] = Int64GetDatum(missing.longest);
		values[8] = Int32GetDatum(depth[i]);
		values[9] = Int32GetDatum(members[i]);
		nulls[8] = nulls[9] = m->hierarchy.asked.len == 0;
		MemoryContextSwitchTo(old);
		tuples_put(&rows, values, nulls);
	}
	return (Datum) 0;
}

/* What was not measured is NULL. */
static void
set_float(float x, Datum *value, bool *null)
{
	*value = Float8GetDatum(x);
	*null = !isfinite(x);
}

/* rnn_training_log(model) -> rows */
Datum
rnnforecast_rnn_training_log(PG_FUNCTION_ARGS)
{
	Tuples		rows;
	const rnn_model *m;

	tuples_begin(&rows, fcinfo, 8);
	m = fetch_model(fcinfo, 0, true);
	for (int i = 0; i < m->n_log; i++)
	{
		const rnn_log_row *r = &m->log[i];
		MemoryContext old = MemoryContextSwitchTo(rows.scratch);
		Datum		values[8];
		bool		nulls[8] = {false};

		values[0] = Int32GetDatum(r->member + 1);
		values[1] = CStringGetTextDatum(r->phase == RNN_LOG_FINAL ? "final" : r->phase == RNN_LOG_TUNING ? "tuning" : "validation");
		MemoryContextSwitchTo(old);
		values[2] = Int32GetDatum(r->step);
		set_float(r->loss, &values[3], &nulls[3]);
		set_float(r->validation, &values[4], &nulls[4]);
		set_float(r->baseline, &values[5], &nulls[5]);
		set_float(r->learning_rate, &values[6], &nulls[6]);
		set_float(r->grad_norm, &values[7], &nulls[7]);
		tuples_put(&rows, values, nulls);
	}
	return (Datum) 0;
}

static int
get_member(FunctionCallInfo fcinfo, const rnn_model *m)
{
	int32		member = PG_ARGISNULL(1) ? 1 : PG_GETARG_INT32(1);

	if (m->n_members == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("model has no network"),
				 errdetail("It forecasts with the mix of references alone."),
				 errhint("Set the option \"start\" to \"scratch\" to train a network in any case.")));
	if (member < 1 || member > m->n_members)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("member must be between 1 and %d, not %d", m->n_members, member)));
	return member - 1;
}

/*
 * Norms (layers, lags) of a member, in one block with the engine's work.  A
 * network sees at most `context` points, so that there are no more lags.
 */
static double *
gradient_norms(const rnn_model *m, int member, int *layers, int *lags)
{
	rnn_model	told = *m;
	rnn_series *series = palloc_extended(sizeof(rnn_series) * Max(m->n_series, 1), MCXT_ALLOC_HUGE);
	rnn_error	err;
	size_t		work;
	Size		out,
				total;
	char	   *block;

	memcpy(series, m->series, sizeof(rnn_series) * m->n_series);
	if (rnn_gradient_flow_size(m, member, &work, &err) != RNN_OK)
		report_engine_error(&err);
	work = MAXALIGN(work);
	out = sizeof(double) * m->config.layers * (Size) m->member[member].context;
	total = work + out;
	if (total > memory_limit())
		report_memory("the gradient flow", total);
	block = MemoryContextAllocHuge(CurrentMemoryContext, total);
	calendar_fill(&m->config, &m->clock, series, m->n_series, 0);
	told.series = series;
	if (rnn_gradient_flow(&told, member, block, work, (double *) (block + work),
						  layers, lags, &err) != RNN_OK)
		report_engine_error(&err);
	return (double *) (block + work);
}

/* rnn_gradient_flow(model, member default 1) -> rows (layer, lag, norm) */
Datum
rnnforecast_rnn_gradient_flow(PG_FUNCTION_ARGS)
{
	Tuples		rows;
	const rnn_model *m;
	double	   *norms;
	int			layers,
				lags;

	tuples_begin(&rows, fcinfo, 3);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	m = fetch_model(fcinfo, 0, false);
	norms = gradient_norms(m, get_member(fcinfo, m), &layers, &lags);
	for (int l = 0; l < layers; l++)
		for (int lag = 0; lag < lags; lag++)
		{
			double		norm = norms[(Size) l * lags + lag];
			Datum		values[3];
			bool		nulls[3] = {false};

			CHECK_FOR_INTERRUPTS();
			values[0] = Int32GetDatum(l + 1);
			values[1] = Int32GetDatum(lag);
			values[2] = Float8GetDatum(norm);
			nulls[2] = !isfinite(norm);
			tuples_put(&rows, values, nulls);
		}
	return (Datum) 0;
}
