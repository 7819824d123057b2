/*
 * point.c
 *		The head's part for single points ahead, and the embeddings of words.
 *
 *		y_j = silu(W_p p_j + W_z z + b)			p_j: channels of point j, phases, squash(middle_j)
 *		u_kj += (W_o y_j)_k						for every quantile k
 *
 * All points share these weights, so every point of every position is an
 * example of what a covariate does; the blocks' MLP would have to learn it for
 * each of its 16 places.  W_o starts at zero: untrained, covariates do nothing.
 */
#include "net/net.h"
#include "kernel/blas.h"
#include "kernel/kernel.h"

#include <math.h>
#include <string.h>

#define S RNN_BLOCK
#define Q RNN_QUANTILES
#define PH RNN_POINT
#define E RNN_EMBED

/* Inputs of a point that want a gradient: all where there are words among them or somebody asks, else the middle alone. */
static int
back_inputs(const rnn_net *net)
{
	return net->shape->words_ahead > 0 || net->input.p ? net->shape->F : 1;
}

void
rnn_point_layout(rnn_net *net, int64_t N, bool training, rnn_arena *a)
{
	const rnn_shape *s = net->shape;
	int64_t		points = N * s->blocks * S;

	if (s->words_past > 0)
		net->past_words = arena_new(a, int16_t, N * s->words_past);
	if (s->words_past > 0 && training)
		net->du = arena_new(a, real, N * (s->D - s->D0));
	if (s->F == 0)
		return;
	net->p = arena_new(a, real, points * s->F);
	if (s->terms)
		net->circle = arena_new(a, real, 2 * RNN_CIRCLE);
	if (net->circle)
		rnn_calendar_circle(net->circle);
	net->ahead_words = arena_new(a, int16_t, points * s->words_ahead);
	net->point_a = arena_new(a, real, points * PH);
	net->point = arena_new(a, real, points * PH);
	net->point_state = arena_new(a, real, N * PH);
	net->point_out = arena_new(a, real, points * Q);
	if (!training)
		return;
	net->dpoint = arena_new(a, real, points * PH);
	net->dp = arena_new(a, real, points * back_inputs(net));
}

/* ------------------------------------------------------------- embeddings */

/*
 * One word between the tables `w` and the channels `at`: fetched from them, or
 * its gradient added to them.
 */
static void
fetch(const real *w, real *at, int16_t word)
{
	memcpy(at, w + (int64_t) word * E, sizeof(real) * E);
}

static void
give_back(real *g, const real *at, int16_t word)
{
	for (int i = 0; i < E; i++)
		g[(int64_t) word * E + i] += at[i];
}

/* Words of covariates that have a place in `at` (channels of one point), from `word` on; the next. */
static const int16_t *
fetch_all(const rnn_shape *s, const int16_t *places, const real *w, real *at, const int16_t *word)
{
	for (int k = 0; k < s->covariates.n; k++)
		if (places[k] >= 0 && s->covariates.list[k].is_text)
			fetch(w + s->embed[k], at + places[k], *word++);
	return word;
}

static const int16_t *
give_all_back(const rnn_shape *s, const int16_t *places, real *g, const real *at, const int16_t *word)
{
	for (int k = 0; k < s->covariates.n; k++)
		if (places[k] >= 0 && s->covariates.list[k].is_text)
			give_back(g + s->embed[k], at + places[k], *word++);
	return word;
}

void
rnn_embed_past(rnn_net *net, const real *w, int64_t rows)
{
	const rnn_shape *s = net->shape;

	for (int64_t i = 0; s->words_past > 0 && i < rows; i++)
	{
		const int16_t *word = net->past_words + i * s->words_past;
		real	   *u = net->u + i * s->D + s->D0;

		for (int j = 0; j < s->patch; j++)
			word = fetch_all(s, s->at_point, w, u + j * s->C, word);
		fetch_all(s, s->at_step, w, u + s->patch * s->C, word);
	}
}

/* Gradients of the covariates' columns of u, ld numbers from row to row; of all columns where somebody asks. */
static const real *
columns_back(const rnn_net *net, const real *w, int64_t rows, int *ld)
{
	const rnn_shape *s = net->shape;
	int			first = net->input.u ? 0 : s->D0;
	real	   *to = net->input.u ? net->input.u : net->du;

	*ld = s->project ? s->D - first : s->D;
	if (s->project)
		rnn_gemm(false, false, rows, *ld, s->H, net->dx[0], s->H, w + s->front_w + first, s->D, 0, to, *ld);
	else if (net->input.u)
		memcpy(to, net->dx[0], sizeof(real) * rows * s->D);
	return s->project ? to + s->D0 - first : net->dx[0] + s->D0;
}

void
rnn_inputs_back(rnn_net *net, const real *w, int64_t rows, real *g)
{
	const rnn_shape *s = net->shape;
	const real *du;
	int			ld;

	if (s->words_past == 0 && !net->input.u)
		return;
	du = columns_back(net, w, rows, &ld);
	for (int64_t i = 0; s->words_past > 0 && i < rows; i++)
	{
		const int16_t *word = net->past_words + i * s->words_past;
		const real *at = du + i * ld;

		for (int j = 0; j < s->patch; j++)
			word = give_all_back(s, s->at_point, g, at + j * s->C, word);
		give_all_back(s, s->at_step, g, at + s->patch * s->C, word);
	}
}

/* Words of one point ahead: its views, then what is static. */
static void
embed_point(const rnn_shape *s, const real *w, real *p, const int16_t *word)
{
	for (int v = 0; v < RNN_VIEWS; v++, p += s->G)
		word = fetch_all(s, s->at_ahead, w, p, word);
	fetch_all(s, s->at_step, w, p, word);
}

static void
embed_point_back(const rnn_shape *s, real *g, const real *dp, const int16_t *word)
{
	for (int v = 0; v < RNN_VIEWS; v++, dp += s->G)
		word = give_all_back(s, s->at_ahead, g, dp, word);
	give_all_back(s, s->at_step, g, dp, word);
}

/* ----------------------------------------------------------------- points */

/* Adds sign-free what each point says, (rows Hz,Q), to the blocks' outputs (Q,S) each. */
static void
add_outputs(const rnn_net *net, int64_t first, int64_t rows)
{
	const rnn_shape *s = net->shape;

	for (int64_t b = first * s->blocks; b < (first + rows) * s->blocks; b++)
		for (int j = 0; j < S; j++)
			for (int k = 0; k < Q; k++)
				net->out[(b * Q + k) * S + j] += net->point_out[(b * S + j) * Q + k];
}

void
rnn_point_forward(rnn_net *net, const real *w, int64_t first, int64_t rows)
{
	const rnn_shape *s = net->shape;
	int64_t		Hz = (int64_t) s->blocks * S,
				at = first * Hz,
				n = rows * Hz;
	real	   *a;

	if (s->F == 0)
		return;
	a = net->point_a + at * PH;
	for (int64_t i = at; i < at + n; i++)
	{
		real	   *p = net->p + i * s->F;

		if (s->words_ahead > 0)
			embed_point(s, w, p, net->ahead_words + i * s->words_ahead);
		rnn_kernel->squash(1, net->middle + i, p + s->F - 1);
	}
	rnn_fill_rows(net->point_state, rows, PH, w + s->point_b);
	rnn_weigh(net, w, s->point_z, rows, PH, s->H, net->state + first * s->H, s->H, net->point_state);
	for (int64_t i = 0; i < rows; i++)
		rnn_fill_rows(a + i * Hz * PH, Hz, PH, net->point_state + i * PH);
	rnn_weigh(net, w, s->point_w, n, PH, s->F, net->p + at * s->F, s->F, a);
	rnn_kernel->silu_forward(n * PH, a, net->point + at * PH);
	rnn_gemm(false, true, n, Q, PH, net->point + at * PH, PH, w + s->point_out, PH, 0, net->point_out + at * Q, Q);
	add_outputs(net, first, rows);
}

static void
take_outputs_back(rnn_net *net, int64_t first, int64_t rows)
{
	const rnn_shape *s = net->shape;

	for (int64_t b = first * s->blocks; b < (first + rows) * s->blocks; b++)
		for (int j = 0; j < S; j++)
			for (int k = 0; k < Q; k++)
				net->point_out[(b * S + j) * Q + k] = net->dout[(b * Q + k) * S + j];
}

void
rnn_point_backward(rnn_net *net, const real *w, int64_t first, int64_t rows, real *g)
{
	const rnn_shape *s = net->shape;
	int64_t		Hz = (int64_t) s->blocks * S,
				at = first * Hz,
				n = rows * Hz;
	int			back = back_inputs(net);
	real	   *dp = net->input.p ? net->input.p : net->dp,
			   *dpoint;

	if (s->F == 0)
		return;
	dpoint = net->dpoint + at * PH;
	if (net->input.p)
		memset(dp, 0, sizeof(real) * at * back);
	take_outputs_back(net, first, rows);
	rnn_gemm(true, false, Q, PH, n, net->point_out + at * Q, Q, net->point + at * PH, PH, 1, g + s->point_out, PH);
	rnn_gemm(false, false, n, PH, Q, net->point_out + at * Q, Q, w + s->point_out, PH, 0, dpoint, PH);
	rnn_kernel->silu_backward(n * PH, net->point_a + at * PH, dpoint, dpoint);
	rnn_gemm(true, false, PH, s->F, n, dpoint, PH, net->p + at * s->F, s->F, 1, g + s->point_w, s->F);
	/* Sum the points of a position before the products with its state. */
	memset(net->point_state, 0, sizeof(real) * rows * PH);
	for (int64_t i = 0; i < rows; i++)
		rnn_add_rows(Hz, PH, dpoint + i * Hz * PH, PH, net->point_state + i * PH);
	rnn_gemm(true, false, PH, s->H, rows, net->point_state, PH, net->state + first * s->H, s->H, 1, g + s->point_z, s->H);
	rnn_add_rows(rows, PH, net->point_state, PH, g + s->point_b);
	rnn_gemm(false, false, rows, s->H, PH, net->point_state, PH, w + s->point_z, s->H, 1, net->dstate + first * s->H, s->H);
	rnn_gemm(false, false, n, back, PH, dpoint, PH, w + s->point_w + s->F - back, s->F, 0, dp + at * back, back);
	for (int64_t i = at; i < at + n; i++)
	{
		const real *d = dp + i * back;
		real		m = net->middle[i];

		net->dmiddle[i] += d[back - 1] / (3 * (real) sqrt(1 + (double) m * m));
		if (s->words_ahead > 0)
			embed_point_back(s, g, d, net->ahead_words + i * s->words_ahead);
	}
}
