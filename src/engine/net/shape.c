/*
 * shape.c
 *		Sizes of a network, the place of every parameter, initial weights.
 */
#include "net/shape.h"

#include <math.h>
#include <string.h>

#define S RNN_BLOCK
#define Q RNN_QUANTILES
#define EMBED_BOUND 0.6			/* of the initial embeddings */

/* Hand out the next n parameters. */
static int64_t
take(rnn_shape *s, int64_t n)
{
	int64_t		at = s->params;

	s->params += n;
	return at;
}

static void
shape_sizes(rnn_shape *s, const rnn_config *cfg)
{
	memset(s, 0, sizeof(*s));
	s->patch = cfg->patch;
	s->D = s->D0 = 3 * cfg->patch + RNN_SCALARS;
	s->H = cfg->hidden;
	s->L = cfg->layers;
	s->R = cfg->skip ? RNN_REFS : 0;
	s->A = 2 * s->R + RNN_SCALARS;
	s->E = s->R > 0 ? S * s->R + S + 1 : 1;
	s->horizon = cfg->horizon;
	s->blocks = (cfg->horizon + S - 1) / S;
	s->convs = cfg->conv_layers;
	s->kernel = cfg->conv_kernel;
	s->norm = cfg->norm;
	s->residual = cfg->residual;
	/* The textbook form feeds the input to the cell as it is. */
	s->project = cfg->patch > 1 || cfg->residual || cfg->conv_layers > 0;
	s->activation = cfg->activation;
	s->loss = cfg->loss;
	s->dropout = (real) cfg->dropout;
	s->cell = &rnn_cells[cfg->cell];
	s->covariates = cfg->covariates;
	s->terms = cfg->terms;
	rnn_covariates_shape(s);
}

/* The last of the parameters. */
static void
covariate_params(rnn_shape *s)
{
	for (int k = 0; k < s->covariates.n; k++)
		if (s->covariates.list[k].is_text)
			s->embed[k] = take(s, (int64_t) (s->covariates.list[k].n_categories + 2) * RNN_EMBED);
	if (s->F == 0)
		return;
	s->point_w = take(s, (int64_t) RNN_POINT * s->F);
	s->point_z = take(s, (int64_t) RNN_POINT * s->H);
	s->point_b = take(s, RNN_POINT);
	s->point_out = take(s, RNN_QUANTILES * RNN_POINT);
}

void
rnn_shape_init(rnn_shape *s, const rnn_config *cfg)
{
	int64_t		H;

	shape_sizes(s, cfg);
	H = s->H;
	if (s->project)
	{
		s->front_w = take(s, H * s->D);
		s->front_b = take(s, H);
	}
	for (int i = 0; i < s->convs; i++)
	{
		s->dilation[i] = cfg->conv_dilation << i;
		s->conv_w[i] = take(s, s->kernel * H * H);
		s->conv_b[i] = take(s, H);
	}
	for (int l = 0; l < s->L; l++)
	{
		int			I = l == 0 && !s->project ? s->D : s->H;

		s->I[l] = I;
		s->norm_g[l] = take(s, s->norm ? I : 0);
		s->norm_b[l] = take(s, s->norm ? I : 0);
		s->w_ih[l] = take(s, s->cell->x_gates * H * I);
		s->w_hh[l] = take(s, (s->cell->gates - s->cell->h_first) * H * H);
		s->bias[l] = take(s, s->cell->gates * H);
	}
	s->head = s->params;
	s->state_h = take(s, H * H);
	s->state_a = take(s, H * s->A);
	s->state_b = take(s, H);
	s->gate_w = take(s, s->R * H);
	s->gate_b = take(s, s->R);
	s->head_z = take(s, H * H);
	s->head_e = take(s, H * s->E);
	s->head_b = take(s, H);
	s->out_w = take(s, (int64_t) S * Q * H);
	s->out_b = take(s, S * Q);
	covariate_params(s);
}

int64_t
rnn_param_count(const rnn_config *cfg)
{
	rnn_shape	s;

	rnn_shape_init(&s, cfg);
	return s.params;
}

/* Uniform with the variance that keeps activations' size (Glorot and Bengio 2010). */
static void
init_linear(const rnn_shape *s, real *w, int64_t out, int64_t in, rnn_rng *rng)
{
	double		bound = sqrt(3.0 / in);

	for (int64_t o = 0; o < out && !rnn_stopped(s->stop); o++)
		for (int64_t i = 0; i < in; i++)
			*w++ = (real) (bound * (2 * rnn_rng_uniform(rng) - 1));
}

/*
 * An orthogonal (H,H) matrix (Saxe, McClelland and Ganguli 2014) by modified
 * Gram-Schmidt on Gaussian rows; twice, for orthogonality to the last bits.
 */
static void
init_orthogonal(real *w, int H, double gain, rnn_rng *rng, double *row, const rnn_stop *stop)
{
	for (int i = 0; i < H && !rnn_stopped(stop); i++)
	{
		double		norm = 0;

		for (int k = 0; k < H; k++)
			row[k] = rnn_rng_normal(rng);
		for (int pass = 0; pass < 2; pass++)
			for (int j = 0; j < i; j++)
			{
				double		dot = 0;

				for (int k = 0; k < H; k++)
					dot += row[k] * w[(int64_t) j * H + k];
				for (int k = 0; k < H; k++)
					row[k] -= dot * w[(int64_t) j * H + k];
			}
		for (int k = 0; k < H; k++)
			norm += row[k] * row[k];
		for (int k = 0; k < H; k++)
			w[(int64_t) i * H + k] = (real) (row[k] / sqrt(norm));
	}
	for (int64_t i = 0; i < (int64_t) H * H; i++)
		w[i] *= (real) gain;
}

static void
init_layer(const rnn_shape *s, const rnn_config *cfg, int l, rnn_rng *rng, real *w, double *row)
{
	int			states = s->cell->gates - s->cell->h_first;

	for (int i = 0; s->norm && i < s->I[l]; i++)
		w[s->norm_g[l] + i] = 1;
	init_linear(s, w + s->w_ih[l], (int64_t) s->cell->x_gates * s->H, s->I[l], rng);
	for (int k = 0; k < states; k++)
		init_orthogonal(w + s->w_hh[l] + (int64_t) k * s->H * s->H, s->H,
						cfg->recurrent_gain, rng, row, s->stop);
	s->cell->init(cfg, s->H, w + s->bias[l]);
}

/* Unknown words and missing ones start as nothing. */
static void
init_covariates(const rnn_shape *s, rnn_rng *rng, real *w)
{
	double		bound = sqrt(3.0 / (s->F + s->H));

	for (int k = 0; k < s->covariates.n; k++)
		for (int64_t i = 0; s->covariates.list[k].is_text && i < (int64_t) s->covariates.list[k].n_categories * RNN_EMBED; i++)
			w[s->embed[k] + i] = (real) (EMBED_BOUND * (2 * rnn_rng_uniform(rng) - 1));
	for (int64_t i = 0; s->F > 0 && i < (int64_t) RNN_POINT * (s->F + s->H); i++)
		w[s->point_w + i] = (real) (bound * (2 * rnn_rng_uniform(rng) - 1));
}

void
rnn_params_init(const rnn_shape *s, const rnn_config *cfg, rnn_rng *rng, real *w, double *row)
{
	memset(w, 0, sizeof(real) * s->params);
	if (s->project)
		init_linear(s, w + s->front_w, s->H, s->D, rng);
	for (int i = 0; i < s->convs; i++)
		init_linear(s, w + s->conv_w[i], s->H, (int64_t) s->kernel * s->H, rng);
	for (int l = 0; l < s->L; l++)
		init_layer(s, cfg, l, rng, w, row);
	init_linear(s, w + s->state_h, s->H, s->H, rng);
	init_linear(s, w + s->state_a, s->H, s->A, rng);
	init_linear(s, w + s->head_z, s->H, s->H, rng);
	init_linear(s, w + s->head_e, s->H, s->E, rng);
	init_covariates(s, rng, w);
	/* gate and outputs stay zero: the untrained network is the mix. */
}
