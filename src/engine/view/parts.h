/*
 * parts.h
 *		What the mix says at the end of a series, and what that is made of.
 */
#ifndef RNN_PARTS_H
#define RNN_PARTS_H

#include "bank/bank.h"
#include "series/series.h"

/* cfg: with its seasons.  Bytes for a series of n points. */
size_t		rnn_parts_size(const rnn_config *cfg, int64_t n, int h);
/*
 * parts (RNN_PARTS, h), errors and spreads of the mix in the units of the series
 * once it is transformed.  h: the horizon that the mix is of.
 */
rnn_status	rnn_parts(const rnn_config *cfg, const rnn_series *s, int h, void *block, size_t size, rnn_mix *mix, double *parts,
					  rnn_error *err);

#endif							/* RNN_PARTS_H */
