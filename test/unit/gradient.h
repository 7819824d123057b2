/*
 * gradient.h
 *		A small network with random weights and inputs, and its loss written
 *		out a second time; what the gradient tests share.
 */
#ifndef GRADIENT_H
#define GRADIENT_H

#include "check.h"
#include "kernel/kernel.h"
#include "net/net.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TENSORS 80

typedef struct tensor
{
	const char *name;
	int64_t		at,
				n;
	bool		bias;
} tensor;

typedef struct problem
{
	rnn_shape	shape;
	rnn_net		net;
	int			T,
				B,
				head_from;
	bool		no_rng;
	void	   *block;
	real	   *w,
			   *g,
			   *centre;			/* frozen, (N,Hz) */
	double		engine_loss;	/* this file's loss where the centre was frozen */
	uint64_t	sign;
} problem;

/* cell: 0 elman tanh, 1 elman relu, 2 gru, 3 lstm; front: 1 patch, 2 convolutions, 3 both */
static inline rnn_config
small_config(int cell, int front)
{
	rnn_config	cfg;

	rnn_config_defaults(&cfg);
	cfg.cell = cell < 2 ? RNN_ELMAN : cell == 2 ? RNN_GRU : RNN_LSTM;
	cfg.activation = cell == 1 ? RNN_RELU : RNN_TANH;
	cfg.layers = 2;
	cfg.hidden = 6;
	cfg.patch = front & 1 ? 4 : 1;
	cfg.conv_layers = front & 2 ? 2 : 0;
	cfg.conv_kernel = 3;
	cfg.conv_dilation = 1;
	cfg.horizon = 20;
	cfg.norm = cfg.residual = front == 3;
	cfg.dropout = 0;
	cfg.skip = 1;
	cfg.references = RNN_LEAST_REFS;
	cfg.loss = RNN_PINBALL;
	return cfg;
}

/* Every matrix of the shape's table by itself: each must have a gradient. */
static inline int
tensors(const rnn_shape *s, tensor *list)
{
	int			n = 0;
	int64_t		at = 0;

	for (int i = 0; i < s->tensors; i++)
	{
		const rnn_tensor *t = &s->tensor[i];
		int64_t		size = t->rows * t->columns;

		CHECK(t->offset == at);
		for (int64_t k = 0; k < t->matrices && n < MAX_TENSORS; k++, at += size)
			list[n++] = (tensor) {t->name, at, size, t->columns == 1};
	}
	CHECK(at == s->params);
	return n;
}

static inline void
fill_normal(real *x, int64_t n, double mean, double sd, rnn_rng *rng)
{
	for (int64_t i = 0; i < n; i++)
		x[i] = (real) (mean + sd * rnn_rng_normal(rng));
}

/* Words of the covariates that have a place, any row of their tables. */
static inline void
random_words(const rnn_shape *s, const int16_t *places, int16_t **word, rnn_rng *rng)
{
	for (int k = 0; k < s->covariates.n; k++)
		if (places[k] >= 0 && s->covariates.list[k].is_text)
			*(*word)++ = (int16_t) rnn_rng_below(rng, s->covariates.list[k].n_categories + 2);
}

static inline void
random_covariates(rnn_net *net, int64_t N, rnn_rng *rng)
{
	const rnn_shape *s = net->shape;
	int64_t		points = N * s->blocks * RNN_BLOCK;
	int16_t    *word = net->past_words;

	for (int64_t i = 0; s->words_past > 0 && i < N; i++)
	{
		for (int j = 0; j < s->patch; j++)
			random_words(s, s->at_point, &word, rng);
		random_words(s, s->at_step, &word, rng);
	}
	if (s->F == 0)
		return;
	fill_normal(net->p, points * s->F, 0, 1, rng);
	word = net->ahead_words;
	for (int64_t i = 0; s->words_ahead > 0 && i < points; i++)
	{
		for (int v = 0; v < RNN_VIEWS; v++)
			random_words(s, s->at_ahead, &word, rng);
		random_words(s, s->at_step, &word, rng);
	}
}

/* Inputs as frame.c makes them in kind: weights of 0, missing targets. */
static inline void
random_inputs(rnn_net *net, int T, int B, rnn_rng *rng)
{
	const rnn_shape *s = net->shape;
	int64_t		N = (int64_t) T * B,
				Hz = (int64_t) s->blocks * RNN_BLOCK;

	/* The third window begins later than the others. */
	for (int64_t i = 0; i < N; i++)
		net->before[i] = T > 4 && i == 2 % B;
	fill_normal(net->u, N * s->D, 0, 1, rng);
	fill_normal(net->aux, N * s->A, 0, 1, rng);
	for (int64_t i = 0; i < N; i++)
		for (int r = 0; r < s->R; r++)
			net->aux[i * s->A + s->R + r] =
				rnn_rng_below(rng, 4) == 0 ? 0 : (real) (0.05 + rnn_rng_uniform(rng));
	if (s->R > 0)
		fill_normal(net->ref, N * s->R * Hz, 0, 1.5, rng);
	for (int64_t k = 0; k < N * Hz; k++)
	{
		net->spread[k] = (real) (0.3 + rnn_rng_uniform(rng));
		if (net->target)
			net->target[k] = net->before[k / Hz] || k % Hz >= s->horizon || rnn_rng_below(rng, 8) == 0 ?
				(real) NAN : (real) (1.5 * rnn_rng_normal(rng));
	}
	random_covariates(net, N, rng);
}

static inline void
random_weights(const rnn_shape *s, real *w, double sd, rnn_rng *rng)
{
	fill_normal(w, s->params, 0, sd, rng);
	for (int l = 0; l < s->L && s->norm; l++)
		fill_normal(w + s->norm_g[l], s->I[l], 1, 0.3, rng);
}

static inline void
problem_init(problem *p, const rnn_config *cfg, int T, int B, uint64_t seed)
{
	rnn_arena	a;
	rnn_rng		rng;
	int64_t		N = (int64_t) T * B;

	memset(p, 0, sizeof(*p));
	p->T = T;
	p->B = B;
	rnn_shape_init(&p->shape, cfg);
	rnn_arena_init(&a, NULL, 0);
	rnn_net_init(&p->net, &p->shape, T, B, true, &a);
	p->block = malloc(a.used);
	rnn_arena_init(&a, p->block, a.used);
	/* What was never written must not matter. */
	memset(p->block, 0xff, a.size);
	rnn_net_init(&p->net, &p->shape, T, B, true, &a);
	CHECK(!a.failed);
	p->w = malloc(sizeof(real) * p->shape.params);
	p->g = malloc(sizeof(real) * p->shape.params);
	p->centre = malloc(sizeof(real) * N * p->shape.blocks * RNN_BLOCK);
	rnn_rng_seed(&rng, seed, 0);
	random_weights(&p->shape, p->w, 0.4 * sqrt(6.0 / cfg->hidden), &rng);
	random_inputs(&p->net, T, B, &rng);
}

static inline void
problem_free(problem *p)
{
	free(p->block);
	free(p->w);
	free(p->g);
	free(p->centre);
}

static inline void
problem_forward(problem *p)
{
	rnn_rng		rng;

	rnn_rng_seed(&rng, 99, 0);
	rnn_net_pack(&p->net, p->w);
	rnn_net_reset(&p->net, p->B);
	rnn_net_forward(&p->net, p->w, p->T, p->B, p->head_from,
					p->shape.dropout > 0 && !p->no_rng ? &rng : NULL);
}

static inline double
cap_loss(double x)
{
	return RNN_LOSS_CAP * tanh(x / RNN_LOSS_CAP);
}

static inline void
mix_sign(uint64_t *sign, bool positive)
{
	*sign = (*sign ^ (positive ? 3 : 1)) * 0x100000001b3u;
}

static inline double
soft(double x)
{
	return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

/* Mean pinball over the levels around `centre`, for one point. */
static inline double
point_pinball(const rnn_net *net, int64_t block, int j, double centre, double y, uint64_t *sign)
{
	const real *u = net->out + block * RNN_BLOCK * RNN_QUANTILES;
	double		spread = net->spread[block * RNN_BLOCK + j],
				sum = 0,
				q[RNN_QUANTILES];

	q[RNN_MEDIAN] = centre;
	for (int d = 1; d <= RNN_MEDIAN; d++)
	{
		int			up = RNN_MEDIAN + d,
					down = RNN_MEDIAN - d;

		q[up] = q[up - 1] + rnn_base_gap[up] * spread * soft(u[up * RNN_BLOCK + j] + RNN_UNIT);
		q[down] = q[down + 1] - rnn_base_gap[down] * spread * soft(u[down * RNN_BLOCK + j] + RNN_UNIT);
	}
	for (int k = 0; k < RNN_QUANTILES; k++)
	{
		double		tau = rnn_quantile_levels[k];

		sum += y > q[k] ? tau * (y - q[k]) : (1 - tau) * (q[k] - y);
		mix_sign(sign, y > q[k]);
	}
	return cap_loss(sum / RNN_QUANTILES);
}

/* Loss of the last forward; the pinball under mse and mae sees the frozen centre. */
/* The sum is long: its rounding would drown small gradients. */
static inline long double
written_loss(problem *p, bool freeze, uint64_t *sign)
{
	const rnn_shape *s = &p->shape;
	int64_t		first = (int64_t) p->head_from * p->B * s->blocks,
				last = (int64_t) p->T * p->B * s->blocks;
	long double sum = 0;

	*sign = 0xcbf29ce484222325u;
	for (int64_t i = 0; s->activation == RNN_RELU && i < (int64_t) p->T * p->B * s->H; i++)
		for (int l = 0; l < s->L; l++)
			mix_sign(sign, p->net.h[l][p->B * s->H + i] > 0);
	for (int64_t k = first; k < last; k++)
		for (int j = 0; j < RNN_BLOCK; j++)
		{
			int64_t		at = k * RNN_BLOCK + j;
			double		centre = p->net.middle[at] +
				p->net.out[(k * RNN_QUANTILES + RNN_MEDIAN) * RNN_BLOCK + j];
			double		y = p->net.target[at],
						e = y - centre;

			if (freeze)
				p->centre[at] = (real) centre;
			if (isnan(y))
				continue;
			sum += point_pinball(&p->net, k, j, s->loss == RNN_PINBALL ? centre : p->centre[at], y, sign);
			if (s->loss != RNN_PINBALL)
				sum += cap_loss(s->loss == RNN_MSE ? e * e / 2 : fabs(e));
			if (s->loss == RNN_MAE)
				mix_sign(sign, e > 0);
		}
	return sum;
}

static inline long double
problem_loss(problem *p, uint64_t *sign)
{
	problem_forward(p);
	return written_loss(p, false, sign);
}

/* Fills g and freezes the centre; the engine's own loss. */
static inline double
problem_gradient(problem *p)
{
	int64_t		known,
				expect = 0;
	double		loss;

	problem_forward(p);
	p->engine_loss = written_loss(p, true, &p->sign);
	loss = rnn_net_loss(&p->net, p->T, p->B, p->head_from, &known);
	for (int64_t k = (int64_t) p->head_from * p->B * p->shape.blocks * RNN_BLOCK;
		 k < (int64_t) p->T * p->B * p->shape.blocks * RNN_BLOCK; k++)
		expect += !isnan(p->net.target[k]);
	CHECK(known == expect);
	memset(p->g, 0, sizeof(real) * p->shape.params);
	rnn_net_backward(&p->net, p->w, p->T, p->B, p->head_from, p->g);
	return loss;
}

#endif							/* GRADIENT_H */
