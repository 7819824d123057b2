/*
 * base.c
 *		The levels of every forecast, and how an error is told.
 */
#include "base/base.h"

const double rnn_quantile_levels[RNN_QUANTILES] = {
	.01, .025, .05, .1, .2, .3, .4, .5, .6, .7, .8, .9, .95, .975, .99
};

rnn_status
rnn_fail(rnn_error *err, rnn_status status, const char *what, double value,
		 double low, double high)
{
	if (err)
		*err = (rnn_error) {status, what, value, low, high};
	return status;
}
