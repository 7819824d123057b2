/*
 * trained.h
 *		Train and forecast one series in a test.
 */
#ifndef TRAINED_H
#define TRAINED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "rnn.h"

typedef struct Trained
{
	void	   *block;
	rnn_model	model;
	rnn_series	series;
	rnn_status	status;
	rnn_error	err;
} Trained;

/* Runs a whole training in `limit` bytes, from the weights of `warm`, on top of the prior, if not NULL. */
static inline Trained
train_on(const rnn_model *warm, const rnn_prior *prior, const rnn_config *cfg, const double *x, int64_t n, size_t limit)
{
	Trained		t = {.series = {.n = n,.x = x}};
	rnn_panel	panel = {.count = 1,.series = &t.series,.prior = prior,.covariates = cfg->covariates};
	rnn_trainer *trainer;
	rnn_progress p = {0};
	size_t		size;

	t.status = rnn_trainer_size(cfg, &panel, limit, &size, &t.err);
	if (t.status != RNN_OK)
		return t;
	t.block = malloc(size);
	t.status = rnn_trainer_init(&trainer, t.block, size, cfg, &panel, warm, &t.err);
	while (t.status == RNN_OK && !p.done)
		t.status = rnn_trainer_step(trainer, &p, &t.err);
	if (t.status == RNN_OK)
		t.status = rnn_trainer_model(trainer, &t.model, &t.err);
	t.model.series = NULL;
	t.model.n_series = 0;
	return t;
}

static inline Trained
train_from(const rnn_model *warm, const rnn_config *cfg, const double *x, int64_t n, size_t limit)
{
	return train_on(warm, NULL, cfg, x, n, limit);
}

static inline Trained
train_series(const rnn_config *cfg, const double *x, int64_t n, size_t limit)
{
	return train_from(NULL, cfg, x, n, limit);
}

/* Quantiles (horizon, Q) after x (n); malloc'd, NULL on an error. */
static inline double *
forecast_series(const rnn_model *m, const double *x, int64_t n, int horizon)
{
	rnn_series	s = {.n = n,.x = x};
	size_t		size;
	void	   *block;
	double	   *out = malloc(sizeof(double) * horizon * RNN_QUANTILES);
	rnn_error	err;

	if (rnn_forecast_size(m, 1, n, horizon, &size, &err) != RNN_OK)
		return NULL;
	block = malloc(size);
	if (rnn_forecast(m, &s, 1, horizon, block, size, out, &err) != RNN_OK)
	{
		printf("forecast: %s\n", err.what);
		free(out);
		out = NULL;
	}
	free(block);
	return out;
}

/* Encoded and decoded; *block is malloc'd. */
static inline rnn_model
read_back(const rnn_model *m, size_t *len, void **block, rnn_error *err)
{
	rnn_model	back = {0};
	size_t		size;
	rnn_arena	arena;
	uint8_t    *bytes;

	*len = rnn_model_size(m);
	bytes = malloc(*len);
	rnn_model_encode(m, bytes);
	*block = NULL;
	CHECK(rnn_model_decoded_size(bytes, *len, &size, err) == RNN_OK);
	*block = malloc(size + 64);
	rnn_arena_init(&arena, *block, size + 64);
	CHECK(rnn_model_decode(bytes, *len, &arena, &back, err) == RNN_OK);
	free(bytes);
	return back;
}

#endif							/* TRAINED_H */
