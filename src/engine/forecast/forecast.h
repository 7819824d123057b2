/*
 * forecast.h
 *		From a model and series to quantiles, and how far back the loss reaches.
 */
#ifndef RNN_FORECAST_H
#define RNN_FORECAST_H

#include "model/model.h"

/* Whether the network takes part in the forecast of a series of n points. */
bool		rnn_network_applies(const rnn_model *m, int64_t n);

/* Points at the end of a series that a model must keep to forecast from. */
int64_t		rnn_history_reach(const rnn_model *m);
/* Weight of the network in the blend for a series of n points. */
double		rnn_network_weight(const rnn_model *m, int64_t n);

/* Arena bytes to forecast `count` series at once. */
rnn_status	rnn_forecast_size(const rnn_model *m, int count, int64_t longest, int horizon, size_t *size, rnn_error *err);
/*
 * One bounded piece of a forecast: *done is 0 at first, and out is complete
 * when it has reached the horizon.  Block, size and out stay the same.
 * out (count, horizon, Q), in the units of the series; never NaN or infinite:
 * RNN_ERR_NUMERIC where the weights make the network's quantiles so.
 */
rnn_status	rnn_forecast_step(const rnn_model *m, const rnn_series *series, int count, int horizon,
							  void *block, size_t size, int *done, double *out, rnn_error *err);
/* All pieces. */
rnn_status	rnn_forecast(const rnn_model *m, const rnn_series *series, int count, int horizon,
						 void *block, size_t size, double *out, rnn_error *err);

/*
 * ||dLoss/dh|| by layer and lag over the model's last windows: the loss is that
 * of the last position alone, lag counts steps back from it.  out (L, T).
 * Source: Bengio, Simard and Frasconi 1994; Pascanu, Mikolov and Bengio 2013.
 */
rnn_status	rnn_gradient_flow_size(const rnn_model *m, int member, size_t *size, rnn_error *err);
rnn_status	rnn_gradient_flow(const rnn_model *m, int member, void *block, size_t size,
							  double *out, int *layers, int *lags, rnn_error *err);

#endif							/* RNN_FORECAST_H */
