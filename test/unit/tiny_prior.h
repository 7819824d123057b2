/*
 * tiny_prior.h
 *		Version 1 of the prior as small as can be, so that every byte of a model
 *		that goes on from it can be damaged.
 *
 * Programs that include this are linked without src/prior/priors.c.
 */
#ifndef TINY_PRIOR_H
#define TINY_PRIOR_H

#include "base/half.h"
#include "model/pretrained.h"
#include "model/versions.h"
#include "net/shape.h"

#include <math.h>
#include <stdlib.h>

static rnn_prior_data tiny_data = {
	.version = 1,.cell = RNN_GRU,.layers = 1,.hidden = 1,.patch = 2,.context = 8,.horizon = 16,.references = RNN_LEAST_REFS,
	.share = 0.5,.widen = {7, 6, 5, 4, 3, 2, 1}
};
const rnn_prior_data *const rnn_priors[] = {&tiny_data};
const int	rnn_prior_count = 1;

static inline const rnn_prior *
tiny_prior(void)
{
	static rnn_prior prior;
	static real loaded[2000];
	static uint8_t halves[2 * 2000];
	rnn_config	cfg;
	rnn_rng		r;
	rnn_error	err;

	if (prior.version > 0)
		return &prior;
	rnn_config_defaults(&cfg);
	cfg.cell = tiny_data.cell;
	cfg.layers = tiny_data.layers;
	cfg.hidden = tiny_data.hidden;
	cfg.patch = tiny_data.patch;
	cfg.context = tiny_data.context;
	cfg.references = tiny_data.references;
	tiny_data.params = rnn_param_count(&cfg);
	rnn_rng_seed(&r, 9, 9);
	for (int64_t i = 0; i < tiny_data.params && i < 2000; i++)
		half_store(halves + 2 * i, 0.2 * rnn_rng_normal(&r));
	tiny_data.weights = (const char *) halves;
	if (tiny_data.params > 2000 || rnn_prior_load(1, loaded, &prior, &err) != RNN_OK)
		abort();
	return &prior;
}

#endif							/* TINY_PRIOR_H */
