/*
 * shape.c
 *		Sizes of a network, the place of every parameter, initial weights.
 */
#include "net/shape.h"

#include <math.h>
#include <string.h>

#define S RNN_BLOCK
#define Q RNN_QUANTILES
#define WORD_BOUND 0.6			/* of the initial embeddings */

static void
shape_sizes(rnn_shape *s, const rnn_config *cfg)
{
	memset(s, 0, sizeof(*s));
	s->patch = cfg->patch;
	s->past = cfg->past ? cfg->patch + RNN_COARSE : 0;
	s->D = s->D0 = s->past + 3 * cfg->patch + RNN_SCALARS;
	s->H = cfg->hidden;
	s->L = cfg->layers;
	s->R = cfg->skip ? cfg->references : 0;
	s->A = 2 * s->R + RNN_SCALARS;
	s->E = s->R > 0 ? S * s->R + S + 1 : 1;
	s->horizon = cfg->horizon;
	s->blocks = (cfg->horizon + S - 1) / S;
	s->convs = cfg->conv_layers;
	for (int i = 0; i < s->convs; i++)
		s->dilation[i] = cfg->conv_dilation << i;
	s->kernel = cfg->conv_kernel;
	s->norm = cfg->norm;
	s->residual = cfg->residual;
	/* The textbook form feeds the input to the cell as it is. */
	s->project = cfg->patch > 1 || cfg->residual || cfg->conv_layers > 0;
	s->activation = cfg->activation;
	s->loss = cfg->loss;
	s->dropout = (real) cfg->dropout;
	s->kind = cfg->cell;
	s->cell = &rnn_cells[cfg->cell];
	if (!cfg->blind)
		s->covariates = cfg->covariates;
	s->terms = cfg->terms;
	rnn_covariates_shape(s);
}

/* Puts a tensor at the end of the table; its place among the weights. */
static int64_t
add(rnn_shape *s, rnn_tensor t)
{
	t.offset = s->params;
	s->params += t.matrices * t.rows * t.columns;
	if (s->params > t.offset)
		s->tensor[s->tensors++] = t;
	return t.offset;
}

/* Weights of a product with `in` inputs: the variance keeps activations' size (Glorot and Bengio 2010). */
static int64_t
add_matrices(rnn_shape *s, rnn_net_part part, const char *name, int64_t matrices, int64_t rows, int64_t columns, int64_t in)
{
	return add(s, (rnn_tensor) {name, part, 0, matrices, rows, columns, RNN_INIT_UNIFORM, sqrt(3.0 / in)});
}

static int64_t
add_matrix(rnn_shape *s, rnn_net_part part, const char *name, int64_t rows, int64_t columns)
{
	return add_matrices(s, part, name, 1, rows, columns, columns);
}

static int64_t
add_zeros(rnn_shape *s, rnn_net_part part, const char *name, int64_t rows, int64_t columns)
{
	return add(s, (rnn_tensor) {name, part, 0, 1, rows, columns, RNN_INIT_ZERO, 0});
}

static void
add_front(rnn_shape *s)
{
	const rnn_net_part part = RNN_PART_FRONT;

	if (s->project)
	{
		s->front_w = add_matrix(s, part, "front_w", s->H, s->D);
		s->front_b = add_zeros(s, part, "front_b", s->H, 1);
	}
	for (int i = 0; i < s->convs; i++)
	{
		s->conv_w[i] = add_matrices(s, part, "conv_w", s->kernel, s->H, s->H, (int64_t) s->kernel * s->H);
		s->conv_b[i] = add_zeros(s, part, "conv_b", s->H, 1);
	}
}

static void
add_layer(rnn_shape *s, int l)
{
	const rnn_net_part part = RNN_PART_LAYER;
	const rnn_cell_shape *cell = s->cell;
	int64_t		H = s->H,
				I = l == 0 && !s->project ? s->D : H;

	s->I[l] = (int) I;
	s->norm_g[l] = add(s, (rnn_tensor) {"norm_g", part, 0, s->norm, I, 1, RNN_INIT_ONE, 0});
	s->norm_b[l] = add_zeros(s, part, "norm_b", s->norm ? I : 0, 1);
	s->w_ih[l] = add_matrices(s, part, "w_ih", cell->x_gates, H, I, I);
	s->w_hh[l] = add(s, (rnn_tensor) {"w_hh", part, 0, cell->gates - cell->h_first, H, H, RNN_INIT_ORTHOGONAL, 0});
	s->bias[l] = add(s, (rnn_tensor) {"bias", part, 0, cell->gates, H, 1, RNN_INIT_GATES, 0});
}

static void
add_head(rnn_shape *s)
{
	const rnn_net_part part = RNN_PART_HEAD;
	int64_t		H = s->H;

	s->head = s->params;
	s->state_h = add_matrix(s, part, "state_h", H, H);
	s->state_a = add_matrix(s, part, "state_a", H, s->A);
	s->state_b = add_zeros(s, part, "state_b", H, 1);
	s->gate_w = add_zeros(s, part, "gate_w", s->R, H);
	s->gate_b = add_zeros(s, part, "gate_b", s->R, 1);
	s->head_z = add_matrix(s, part, "head_z", H, H);
	s->head_e = add_matrix(s, part, "head_e", H, s->E);
	s->head_b = add_zeros(s, part, "head_b", H, 1);
	s->out_w = add_zeros(s, part, "out_w", S * Q, H);
	s->out_b = add_zeros(s, part, "out_b", S * Q, 1);
}

/* Unknown words and missing ones start as nothing. */
static void
add_words(rnn_shape *s, int k)
{
	s->embed[k] = add(s, (rnn_tensor) {"words", RNN_PART_WORDS, 0, 1, s->covariates.list[k].n_categories, RNN_EMBED,
									   RNN_INIT_UNIFORM, WORD_BOUND});
	add_zeros(s, RNN_PART_WORDS, "no_word", 2, RNN_EMBED);
}

static void
add_point(rnn_shape *s)
{
	const rnn_net_part part = RNN_PART_POINT;

	s->point_w = add_matrices(s, part, "point_w", 1, RNN_POINT, s->F, s->F + s->H);
	s->point_z = add_matrices(s, part, "point_z", 1, RNN_POINT, s->H, s->F + s->H);
	s->point_b = add_zeros(s, part, "point_b", RNN_POINT, 1);
	s->point_out = add_zeros(s, part, "point_out", Q, RNN_POINT);
}

void
rnn_shape_init(rnn_shape *s, const rnn_config *cfg)
{
	shape_sizes(s, cfg);
	add_front(s);
	for (int l = 0; l < s->L; l++)
		add_layer(s, l);
	add_head(s);
	for (int k = 0; k < s->covariates.n; k++)
		if (s->covariates.list[k].is_text)
			add_words(s, k);
	if (s->F > 0)
		add_point(s);
}

int64_t
rnn_param_count(const rnn_config *cfg)
{
	rnn_shape	s;

	rnn_shape_init(&s, cfg);
	return s.params;
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
init_uniform(const rnn_shape *s, const rnn_tensor *t, rnn_rng *rng, real *w)
{
	for (int64_t i = 0; i < t->matrices * t->rows && !rnn_stopped(s->stop); i++)
		for (int64_t j = 0; j < t->columns; j++)
			*w++ = (real) (t->bound * (2 * rnn_rng_uniform(rng) - 1));
}

/*
 * A gate that starts open lets gradients pass from the first step on.  With
 * `gate_memory` the units' states last from one step to so many, evenly (chrono
 * initialisation, Tallec and Ollivier 2018): a state that fades by 1 - 1 / T a
 * step lasts for T, which is a sigmoid's value at log(T - 1).  What an input
 * gate lets in is as much as fades.
 */
static void
init_gates(const rnn_shape *s, const rnn_config *cfg, rnn_rng *rng, real *bias)
{
	int			keep = s->cell->keep,
				in = s->cell->in;
	int64_t		steps = cfg->gate_memory / s->patch;

	memset(bias, 0, sizeof(real) * s->cell->gates * s->H);
	for (int k = 0; keep >= 0 && steps > 2 && k < s->H; k++)
	{
		double		lasting = log(1 + rnn_rng_uniform(rng) * (double) (steps - 2));

		bias[keep * s->H + k] = (real) lasting;
		if (in >= 0)
			bias[in * s->H + k] = (real) -lasting;
	}
	for (int k = 0; in >= 0 && steps <= 2 && k < s->H; k++)
		bias[keep * s->H + k] = (real) cfg->forget_bias;
}

static void
init_tensor(const rnn_shape *s, const rnn_tensor *t, const rnn_config *cfg, rnn_rng *rng, real *w, double *row)
{
	int64_t		n = t->rows * t->columns;

	switch (t->init)
	{
		case RNN_INIT_ZERO:
			memset(w, 0, sizeof(real) * t->matrices * n);
			break;
		case RNN_INIT_ONE:
			for (int64_t i = 0; i < t->matrices * n; i++)
				w[i] = 1;
			break;
		case RNN_INIT_UNIFORM:
			init_uniform(s, t, rng, w);
			break;
		case RNN_INIT_ORTHOGONAL:
			for (int64_t k = 0; k < t->matrices; k++)
				init_orthogonal(w + k * n, s->H, cfg->recurrent_gain, rng, row, s->stop);
			break;
		case RNN_INIT_GATES:
			init_gates(s, cfg, rng, w);
			break;
	}
}

void
rnn_params_init(const rnn_shape *s, const rnn_config *cfg, rnn_rng *rng, real *w, double *row)
{
	for (int i = 0; i < s->tensors; i++)
		init_tensor(s, &s->tensor[i], cfg, rng, w + s->tensor[i].offset, row);
}
