/*
 * accepted.h
 *		What a model must do, whatever its bytes were, once it was accepted.
 */
#ifndef ACCEPTED_H
#define ACCEPTED_H

#include "samples.h"

#include "paths/reconcile.h"

#define MOST_WORK 50000			/* steps of the network times horizon */

/* Each step of the network forms references for the trained horizon. */
static inline int64_t
work_of(const rnn_model *m)
{
	int64_t		steps = 1;

	for (int i = 0; i < m->n_members; i++)
		steps += m->member[i].context / m->member[i].patch;
	return steps * m->config.horizon;
}

/* Finite, in order; -1 where a forecast was not tried because of its cost. */
static inline int
forecast_fine(const rnn_model *m, const rnn_series *s, int horizon)
{
	size_t		size;
	rnn_error	err;
	rnn_status	status;
	void	   *block;
	double	   *out;
	bool		fine;

	if (rnn_forecast_size(m, 1, s->n, horizon, &size, &err) != RNN_OK || size > ROOM || work_of(m) > MOST_WORK)
		return -1;
	block = malloc(size);
	out = malloc(sizeof(double) * horizon * RNN_QUANTILES);
	status = rnn_forecast(m, s, 1, horizon, block, size, out, &err);
	/* Some weights give no number, which is an error; the mix always gives one. */
	fine = s->n == 0 ? status == RNN_ERR_DATA :
		status == RNN_OK || (status == RNN_ERR_NUMERIC && m->n_members > 0 && m->weight > 0);
	for (int k = 0; status == RNN_OK && fine && k < horizon * RNN_QUANTILES; k++)
		fine = isfinite(out[k]) && (k % RNN_QUANTILES == 0 || out[k] >= out[k - 1]);
	free(block), free(out);
	return fine;
}

/* Work of a member's gradient flow is bounded by its memory; sizes are known, values may be anything. */
static inline bool
flow_fine(const rnn_model *m, int member)
{
	size_t		size;
	rnn_error	err;
	rnn_status	status;
	void	   *block;
	double	   *out;
	int			layers = 0,
				lags = 0,
				steps = m->member[member].context / m->member[member].patch;

	if (rnn_gradient_flow_size(m, member, &size, &err) != RNN_OK)
		return false;
	if (size > ROOM || (int64_t) steps * m->config.horizon > MOST_WORK)
		return true;
	block = malloc(size);
	out = malloc(sizeof(double) * m->config.layers * steps);
	status = rnn_gradient_flow(m, member, block, size, out, &layers, &lags, &err);
	free(block), free(out);
	return status == RNN_OK ? layers == m->config.layers && lags == steps : status == RNN_ERR_DATA;
}

/* What the server prints of a model and relies on. */
static inline bool
info_fine(const rnn_model *m)
{
	rnn_error	err;

	if (rnn_config_check(&m->config, &err) != RNN_OK || isinf(m->difference) || isinf(m->mix_pinball) ||
		!(m->weight >= 0 && m->weight <= 1))
		return false;
	if (m->is_history)
		return m->n_members == 0;
	for (int i = 0; i < m->n_members; i++)
		for (int64_t k = 0; k < m->member[i].params; k++)
			if (!isfinite(m->member[i].weights[k]))
				return false;
	return m->n_seasons >= 1 && rnn_history_reach(m) > 0 && m->config.horizon >= 1;
}

/* Forecasts of all series add up, and are numbers. */
static inline bool
hierarchy_fine(const rnn_model *m)
{
	const rnn_sums *s = &m->hierarchy.sums;
	int			n = m->n_series;
	double	   *y = calloc(n + 1, sizeof(double)),
			   *gaps = calloc(s->count + 1, sizeof(double)),
			   *again = calloc(n + 1, sizeof(double));
	bool		fine = true;

	for (int i = 0; i < n; i++)
		y[i] = i + 1;
	if (m->hierarchy.pull)
		rnn_pull(s, n, m->hierarchy.pull, gaps, y);
	else if (s->count > 0)
		rnn_bottom_up(s, n, y);
	memcpy(again, y, sizeof(double) * n);
	if (s->count > 0)
		rnn_bottom_up(s, n, again);
	for (int i = 0; i < n; i++)
		fine &= isfinite(y[i]) && y[i] == again[i];
	free(y), free(gaps), free(again);
	return fine;
}

/* What is written from a model that was accepted is accepted, and is itself. */
static inline bool
writes_itself(const rnn_model *m)
{
	size_t		len = rnn_model_size(m);
	uint8_t    *first = malloc(len),
			   *second = malloc(len);
	rnn_model	again;
	rnn_error	err;
	void	   *block;
	bool		same = false;

	rnn_model_encode(m, first);
	block = read_bytes(first, len, &again, &err);
	if (block && rnn_model_size(&again) == len)
	{
		rnn_model_encode(&again, second);
		same = memcmp(first, second, len) == 0;
	}
	free(first), free(second), free(block);
	return same;
}

#endif							/* ACCEPTED_H */
