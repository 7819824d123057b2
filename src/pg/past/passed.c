/*
 * passed.c
 *		Intervals of a model that is given later rows go on learning: the engine
 *		says from where it would have forecast, and what came of that.
 */
#include "pg/past/past.h"

#include "miscadmin.h"

rnn_series *
series_of_origins(const rnn_model *m, rnn_origin *origins, int n, int *count)
{
	rnn_series *series = palloc(sizeof(rnn_series) * n);
	int			last = -1;

	*count = 0;
	for (int i = 0; i < n; i++)
	{
		if (origins[i].series != last)
			series[(*count)++] = m->series[origins[i].series];
		last = origins[i].series;
		origins[i].series = *count - 1;
	}
	return series;
}

void
drive_forecast(rnn_forecaster *f)
{
	bool		done = false;
	rnn_error	err;

	while (!done)
	{
		CHECK_FOR_INTERRUPTS();
		if (rnn_forecast_step(f, &done, &err) != RNN_OK)
			report_engine_error(&err);
	}
}

double *
forecast_origins(const rnn_model *m, const rnn_series *series, int count, const rnn_origin *origins, int n, int horizon, int results)
{
	Size		out = (Size) n * horizon * RNN_QUANTILES * sizeof(double);
	size_t		work;
	char	   *block;
	rnn_forecaster *f;
	rnn_error	err;

	if (rnn_ends_size(m, series, count, origins, n, horizon, &work, &err) != RNN_OK)
		report_engine_error(&err);
	if (results * out + work > memory_limit())
		return NULL;
	block = MemoryContextAllocHuge(CurrentMemoryContext, out + work);
	if (rnn_ends_begin(m, series, count, origins, n, horizon, block + out, work, (double *) block, &f, &err) != RNN_OK)
		report_engine_error(&err);
	drive_forecast(f);
	return (double *) block;
}

void
correct_calibration(rnn_model *m)
{
	rnn_origin *origins = palloc(sizeof(rnn_origin) * RNN_MOST_PASSED);
	int			n = rnn_passed(m, m->series, m->n_series, origins),
				count;
	rnn_series *series;
	rnn_model	plain = rnn_uncorrected(m);
	double	   *q;

	m->passed = 0;
	if (n == 0)
		return;
	series = series_of_origins(m, origins, n, &count);
	calendar_fill(&m->config, &m->clock, series, count, m->config.horizon);
	q = forecast_origins(&plain, series, count, origins, n, m->config.horizon, 1);
	if (q)
		rnn_correct(m, series, origins, n, q);
}
