/*
 * fill.c
 *		rnn_fill: a history or model as regular rows, so that people can see what
 *		the network is given: binned, on the grid, gaps filled as the option says.
 */
#include "pg/model/model.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/builtins.h"

#define COLUMNS 6

static void
put_point(Tuples *rows, const rnn_model *m, const rnn_series *s, int64 k, double value)
{
	MemoryContext old = MemoryContextSwitchTo(rows->scratch);
	Datum		values[COLUMNS] = {0};
	bool		nulls[COLUMNS] = {false};

	nulls[0] = s->name == NULL;
	if (s->name)
		values[0] = PointerGetDatum(cstring_to_text_with_len(s->name, s->name_len));
	clock_place(&m->clock, s, k, &values[1], &nulls[1]);
	values[4] = Float8GetDatum(value);
	nulls[4] = isnan(value);
	values[5] = BoolGetDatum(isnan(s->x[k]) && !isnan(value));
	MemoryContextSwitchTo(old);
	tuples_put(rows, values, nulls);
}

/* rnn_fill(history or model) -> rows (series, ts, local_ts, position, value, filled) */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_fill);
Datum
rnnforecast_rnn_fill(PG_FUNCTION_ARGS)
{
	Tuples		rows;
	const rnn_model *m;

	tuples_begin(&rows, fcinfo, COLUMNS);
	m = fetch_model(fcinfo, 0, true);
	for (int i = 0; i < m->n_series; i++)
	{
		const rnn_series *s = &m->series[i];
		double	   *x = palloc_extended((Size) Max(s->n, 1) * sizeof(double), MCXT_ALLOC_HUGE);

		rnn_fill_gaps(&m->config, s->x, s->n, x);
		for (int64 k = 0; k < s->n; k++)
		{
			CHECK_FOR_INTERRUPTS();
			put_point(&rows, m, s, k, x[k]);
		}
		pfree(x);
	}
	return (Datum) 0;
}
