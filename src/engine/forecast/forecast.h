/*
 * forecast.h
 *		From a model and series to quantiles, and how far back the loss reaches.
 */
#ifndef RNN_FORECAST_H
#define RNN_FORECAST_H

#include "model/model.h"

/* Whether the network takes part in the forecast of a series of n points. */
bool		rnn_network_applies(const rnn_model *m, int64_t n);

/* Points at the end of a series that a forecast looks at; a model needs to keep no others. */
int64_t		rnn_history_reach(const rnn_model *m);
/*
 * Options of a forecast of the points of s before e: where the model has left
 * lower open, these decide.  The tally ({0}) goes on from one end to the next.
 */
rnn_config	rnn_forecast_config(const rnn_model *m, rnn_tally *tally, const rnn_series *s, int64_t e);
/* Weight of the network in the blend for a series of n points. */
double		rnn_network_weight(const rnn_model *m, int64_t n);

/* A place to forecast from: the points of a series, by its number in the call, before e >= 1. */
typedef struct rnn_origin
{
	int32_t		series;
	int64_t		e;
	const float *correction;	/* (RNN_MEDIAN) as the model's, which would be another one then; NULL: the model's */
} rnn_origin;

/*
 * Forecasts at many origins.  None depends on others, nor on what lies behind
 * it, but for covariates that are known ahead: each is what rnn_forecast says
 * of a series that ends there.  In the order of series and ends they share most
 * of the work, all the more where they are whole patches apart.
 *
 * The caller asks for the size, begins, and calls rnn_forecast_step for one
 * bounded piece after the other until it says done.  Series, origins, block and
 * out stay the same meanwhile.  out (n, horizon, Q) is in the units of the
 * series; never NaN or infinite: RNN_ERR_NUMERIC where the weights make the
 * network's quantiles so.
 */
typedef struct rnn_forecaster rnn_forecaster;
rnn_status	rnn_ends_size(const rnn_model *m, const rnn_series *series, int count, const rnn_origin *origins, int64_t n,
						  int horizon, size_t *size, rnn_error *err);
rnn_status	rnn_ends_begin(const rnn_model *m, const rnn_series *series, int count, const rnn_origin *origins, int64_t n,
						   int horizon, void *block, size_t size, double *out, rnn_forecaster **f, rnn_error *err);

/* The same at the end of each of `count` series, of up to `longest` points. */
rnn_status	rnn_forecast_size(const rnn_model *m, int count, int64_t longest, int horizon, size_t *size, rnn_error *err);
rnn_status	rnn_forecast_begin(const rnn_model *m, const rnn_series *series, int count, int horizon,
							   void *block, size_t size, double *out, rnn_forecaster **f, rnn_error *err);

rnn_status	rnn_forecast_step(rnn_forecaster *f, bool *done, rnn_error *err);

/* All pieces. */
rnn_status	rnn_ends(const rnn_model *m, const rnn_series *series, int count, const rnn_origin *origins, int64_t n,
					 int horizon, void *block, size_t size, double *out, rnn_error *err);
rnn_status	rnn_forecast(const rnn_model *m, const rnn_series *series, int count, int horizon,
						 void *block, size_t size, double *out, rnn_error *err);

/*
 * One series that is forecast from one end after the other, in their order,
 * while its points are replaced by others: those before an end must have been
 * taken, none of them NaN behind the first known one.  Nothing behind an end is
 * seen but covariates.  The medians are (horizon).
 */
typedef struct rnn_follower rnn_follower;
rnn_status	rnn_follow_size(const rnn_model *m, int64_t n, int horizon, size_t *size, rnn_error *err);
rnn_status	rnn_follow_begin(const rnn_model *m, const rnn_series *s, int horizon, void *block, size_t size,
							 rnn_follower **follower, rnn_error *err);
void		rnn_follow_take(rnn_follower *w, int64_t k, double x);
rnn_status	rnn_follow_next(rnn_follower *w, int64_t e, double *medians, rnn_error *err);

/*
 * A model that is given later rows than it was trained on corrects its
 * calibration by what came of its forecasts.  The caller asks for the origins,
 * none where nothing has passed, forecasts them over the trained horizon with
 * what rnn_uncorrected makes of the model, and hands the quantiles (n, horizon,
 * Q) over, which are overwritten.
 */
int			rnn_passed(const rnn_model *m, const rnn_series *series, int count, rnn_origin out[RNN_MOST_PASSED]);
rnn_model	rnn_uncorrected(const rnn_model *m);
void		rnn_correct(rnn_model *m, const rnn_series *series, const rnn_origin *origins, int n, double *q);

/*
 * ||dLoss/dh|| by layer and lag over the model's last windows: the loss is that
 * of the last position alone, lag counts steps back from it.  out (L, T).
 * Source: Bengio, Simard and Frasconi 1994; Pascanu, Mikolov and Bengio 2013.
 */
rnn_status	rnn_gradient_flow_size(const rnn_model *m, int member, size_t *size, rnn_error *err);
rnn_status	rnn_gradient_flow(const rnn_model *m, int member, void *block, size_t size,
							  double *out, int *layers, int *lags, rnn_error *err);

#endif							/* RNN_FORECAST_H */
