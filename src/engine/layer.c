/*
 * layer.c
 *		One recurrent layer over a chunk: LayerNorm -> cell -> + residual.
 *
 * The input's part of the gates is one large product over all steps, the
 * state's part one small product per step; the gradients of the weights are
 * large products again (Appleyard, Kocisky and Blunsom 2016).
 *
 *		a_t = W_ih x_t + b + W_hh h_{t-1}
 *		dh_{t-1} += W_hh^T da_t		(back through time)
 *		dW_hh = sum_t da_t h_{t-1}^T,  dW_ih = sum_t da_t x_t^T
 */
#include "network.h"
#include "blas.h"
#include "kernel.h"

#include <string.h>

/* Inverted dropout (Srivastava et al. 2014). */
static void
apply_dropout(int64_t n, real p, rnn_rng *rng, real *mask, real *x)
{
	for (int64_t i = 0; i < n; i++)
	{
		mask[i] = rnn_rng_uniform(rng) < p ? 0 : 1 / (1 - p);
		x[i] *= mask[i];
	}
}

void
rnn_layer_forward(rnn_net *net, const real *w, int l, int T, int B, rnn_rng *rng)
{
	const rnn_shape *s = net->shape;
	const rnn_cell_ops *cell = s->cell;
	int			H = s->H,
				I = s->I[l];
	int64_t		N = (int64_t) T * B,
				G = (int64_t) cell->gates * H,
				first = (int64_t) cell->h_first * H;
	real	   *h = net->h[l] + (int64_t) B * H,
			   *c = net->c[l],
			   *y = net->x[l + 1];
	const real *x = net->x[l];

	if (s->norm)
	{
		rnn_kernel->norm_forward(N, I, x, w + s->norm_g[l], w + s->norm_b[l],
								 net->xn[l], net->norm_save[l]);
		x = net->xn[l];
	}
	rnn_fill_rows(net->gates[l], N, G, w + s->bias[l]);
	rnn_gemm(false, true, N, (int64_t) cell->x_gates * H, I, x, I, w + s->w_ih[l], I,
			 1, net->gates[l], G);
	for (int t = 0; t < T; t++)
	{
		real	   *gates = net->gates[l] + t * B * G;
		int64_t		at = (int64_t) t * B * H;

		rnn_gemm(false, true, B, G - first, H, h + at - (int64_t) B * H, H,
				 w + s->w_hh[l], H, 1, gates + first, G);
		cell->forward(s->activation, B, H, gates, h + at - (int64_t) B * H, h + at,
					  c ? c + at : NULL, c ? c + at + (int64_t) B * H : NULL,
					  c ? net->tanh_c[l] + at : NULL);
	}
	memcpy(y, h, sizeof(real) * N * H);
	if (net->dropped)
		apply_dropout(N * H, s->dropout, rng, net->drop[l], y);
	if (s->residual)
		for (int64_t i = 0; i < N * H; i++)
			y[i] += net->x[l][i];
}

/* From dx[l+1] (the layer's output) to dx[l] (its input) and the weights. */
void
rnn_layer_backward(rnn_net *net, const real *w, int l, int T, int B, real *g)
{
	const rnn_shape *s = net->shape;
	const rnn_cell_ops *cell = s->cell;
	int			H = s->H,
				I = s->I[l];
	int64_t		N = (int64_t) T * B,
				G = (int64_t) cell->gates * H,
				first = (int64_t) cell->h_first * H,
				step = (int64_t) B * H;
	const real *h = net->h[l] + step,
			   *x = s->norm ? net->xn[l] : net->x[l];
	const real *c = net->c[l];
	real	   *dh = net->dh[l],
			   *dx = s->norm ? net->dxn : net->dx[l];

	memcpy(dh, net->dx[l + 1], sizeof(real) * N * H);
	if (net->dropped)
		for (int64_t i = 0; i < N * H; i++)
			dh[i] *= net->drop[l][i];
	if (c)
		memset(net->dc, 0, sizeof(real) * step);

	/* Walk back from T-1: dh_t needs what t+1 sends to it. */
	for (int t = T - 1; t >= 0; t--)
	{
		int64_t		at = t * step;
		real	   *dgates = net->dgates + t * B * G,
				   *dh_prev = t > 0 ? dh + at - step : net->dh0;

		if (t == 0)
			memset(net->dh0, 0, sizeof(real) * step);
		cell->backward(s->activation, B, H, net->gates[l] + t * B * G, h + at, h + at - step,
					   c ? c + at : NULL, c ? net->tanh_c[l] + at : NULL,
					   dh + at, dh_prev, net->dc, dgates);
		rnn_gemm(false, false, B, H, G - first, dgates + first, G, w + s->w_hh[l], H,
				 1, dh_prev, H);
	}
	rnn_gemm(true, false, G - first, H, N, net->dgates + first, G, h - step, H,
			 0, g + s->w_hh[l], H);
	rnn_gemm(true, false, (int64_t) cell->x_gates * H, I, N, net->dgates, G, x, I,
			 0, g + s->w_ih[l], I);
	memset(g + s->bias[l], 0, sizeof(real) * G);
	rnn_add_rows(N, G, net->dgates, G, g + s->bias[l]);

	rnn_gemm(false, false, N, I, (int64_t) cell->x_gates * H, net->dgates, G,
			 w + s->w_ih[l], I, 0, dx, I);
	if (s->norm)
	{
		memset(g + s->norm_g[l], 0, sizeof(real) * I);
		memset(g + s->norm_b[l], 0, sizeof(real) * I);
		rnn_kernel->norm_backward(N, I, net->x[l], w + s->norm_g[l], net->norm_save[l],
								  net->dxn, net->dx[l], g + s->norm_g[l], g + s->norm_b[l]);
	}
	if (s->residual)
		for (int64_t i = 0; i < N * H; i++)
			net->dx[l][i] += net->dx[l + 1][i];
}
