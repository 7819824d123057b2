/*
 * past.h
 *		What a model would have said in its own history: intervals that learn from
 *		it, how errors went together, and how sums and their parts come to add up.
 */
#ifndef RNN_PG_PAST_H
#define RNN_PG_PAST_H

#include "pg/model/model.h"

/* passed.c */
/* Corrects the intervals by windows that lie behind the rows of the training. */
void		correct_calibration(rnn_model *m);
/* The model's series that origins are of; the origins get their places among these. */
rnn_series *series_of_origins(const rnn_model *m, rnn_origin *origins, int n, int *count);
/* The quantiles (n, horizon, Q), or NULL where so many `results` of that size don't fit into the memory. */
double	   *forecast_origins(const rnn_model *m, const rnn_series *series, int count, const rnn_origin *origins, int n, int horizon,
							 int results);
void		drive_forecast(rnn_forecaster *f);	/* to its end, which interrupts may come before */

/* windows.c: forecasts of all windows of a plan, by series and time; q (steps, Q) is what the model says from point e of s on */
typedef void (*WindowTaker) (void *taker, int place, int window, const rnn_series *s, int64 e, const double *q);
void		windows_each(const rnn_model *m, const rnn_past_plan *plan, WindowTaker take, void *taker);

/* forget.c: the model without those of the series that it has; NULL where it has none of them */
bytea	   *forget_series(const rnn_model *m, ArrayType *names);

/* hierarchy.c */
typedef enum Method { METHOD_AUTO, METHOD_BOTTOM_UP, METHOD_MINT } Method;

/* Sums anew, of the series that are none, by what the model has been asked; these are forecast to a common end. */
void		renew_sums(rnn_model *m, bool cut);
/* By errors in the past it is found how forecasts come to add up. */
void		choose_method(rnn_model *m, Method asked, int horizon);
/* What another model, of other series, has found. */
void		keep_method(rnn_model *m, const rnn_model *from);
/* A history whose series have these covariates, with the sums that are asked for; itself where none are. */
const rnn_model *history_with_sums(const rnn_model *history, const rnn_text *asked, const rnn_covariates *covariates);

#define RECONCILING "reconciling forecasts"	/* what memory is too short for */

#endif							/* RNN_PG_PAST_H */
