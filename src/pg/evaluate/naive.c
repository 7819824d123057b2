/*
 * naive.c
 *		rnn_naive: what forecasts are compared with, for the steps that rnn_forecast
 *		forecasts: the last value, that of the season before, and the line through
 *		the first and the last value (Hyndman and Athanasopoulos 2021, 5.2).
 *
 * Points that are missing are looked for in the season before, too, so that a
 * gap in the history makes none ahead.
 */
#include "pg/evaluate/evaluate.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#define NAIVE_COLUMNS 8

enum { NAIVE_HORIZON = 1, NAIVE_SEASON };

/* The model's shortest, else the one that the calendar suggests, else none. */
int64
usual_season(const rnn_model *m)
{
	int			hints[8];

	for (int i = 0; !m->is_history && i < m->n_seasons; i++)
		if (m->seasons[i] > 1)
			return m->seasons[i];
	return m->is_history && clock_hints(&m->clock, hints) > 0 ? hints[0] : 1;
}

static int64
season_argument(FunctionCallInfo fcinfo, const rnn_model *m)
{
	int64		season;

	if (PG_ARGISNULL(NAIVE_SEASON))
		return usual_season(m);
	season = PG_GETARG_INT64(NAIVE_SEASON);
	if (season < 1 || season > RNN_MAX_HORIZON)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("season must be between 1 and %d, not " INT64_FORMAT, RNN_MAX_HORIZON, season)));
	return season;
}

static int
horizon_argument(FunctionCallInfo fcinfo, const rnn_model *m, int64 season)
{
	if (!PG_ARGISNULL(NAIVE_HORIZON))
		return check_horizon(PG_GETARG_INT64(NAIVE_HORIZON));
	return m->is_history ? (int) season : m->config.horizon;
}

/* Of the same phase in the latest season that has it; NaN where none has. */
double
season_before(const rnn_series *s, int64 season, int step)
{
	int64		i = s->n - season + (step - 1) % season;

	while (i >= 0 && isnan(s->x[i]))
		i -= season;
	return i >= 0 ? s->x[i] : NAN;
}

/* Of the points, the first, from one end, that is known; -1: none is. */
static int64
known_point(const rnn_series *s, int64 from, int by)
{
	while (from >= 0 && from < s->n && isnan(s->x[from]))
		from += by;
	return from < s->n ? from : -1;
}

static void
put_number_or_null(double x, Datum *value, bool *null)
{
	*value = Float8GetDatum(x);
	*null = !isfinite(x);
}

static void
put_series(Tuples *rows, const rnn_model *m, const rnn_series *s, int horizon, int64 season)
{
	int64		first = known_point(s, 0, 1),
				last = known_point(s, s->n - 1, -1);
	double		slope = last > first ? (s->x[last] - s->x[first]) / (last - first) : 0;

	for (int step = 1; step <= horizon && last >= 0; step++)
	{
		MemoryContext old = MemoryContextSwitchTo(rows->scratch);
		Datum		values[NAIVE_COLUMNS] = {0};
		bool		nulls[NAIVE_COLUMNS];

		CHECK_FOR_INTERRUPTS();
		memset(nulls, true, sizeof(nulls));
		nulls[0] = s->name == NULL;
		if (s->name != NULL)
			values[0] = PointerGetDatum(cstring_to_text_with_len(s->name, s->name_len));
		values[1] = Int32GetDatum(step);
		nulls[1] = false;
		clock_place(&m->clock, s, s->n - 1 + step, &values[2], &nulls[2]);
		put_number_or_null(s->x[last], &values[5], &nulls[5]);
		put_number_or_null(season_before(s, season, step), &values[6], &nulls[6]);
		put_number_or_null(s->x[last] + slope * (s->n - 1 - last + step), &values[7], &nulls[7]);
		MemoryContextSwitchTo(old);
		tuples_put(rows, values, nulls);
	}
}

/* rnn_naive(model, horizon, season) -> rows (series, step, ts, local_ts, position, naive, seasonal, drift) */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_naive);
Datum
rnnforecast_rnn_naive(PG_FUNCTION_ARGS)
{
	Tuples		rows;
	const rnn_model *m;
	int64		season;
	int			horizon;

	tuples_begin(&rows, fcinfo, NAIVE_COLUMNS);
	m = fetch_model(fcinfo, 0, true);
	if (m == NULL)
		return (Datum) 0;
	season = season_argument(fcinfo, m);
	horizon = horizon_argument(fcinfo, m, season);
	for (int i = 0; i < m->n_series; i++)
		put_series(&rows, m, &m->series[i], horizon, season);
	return (Datum) 0;
}
