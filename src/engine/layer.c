/*
 * layer.c
 *		One recurrent layer over a chunk: LayerNorm -> cell -> + residual.
 *
 * Forward, a step is one kernel: its tiles of gates begin with the bias, add
 * the input's and the state's product and are activated before they leave the
 * first cache.  Backward, the state's product goes step by step; the gradients
 * of weights and inputs are products over some steps together, while the
 * gates' gradients are in the second cache.
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

/* What the layer hands on of one step: h, n numbers from `at` on, dropped here and there, + x. */
static void
output(rnn_net *net, int l, int64_t at, int64_t n, const real *h, rnn_rng *rng)
{
	real	   *y = net->x[l + 1] + at;

	memcpy(y, h, sizeof(real) * n);
	if (net->dropped)
		apply_dropout(n, net->shape->dropout, rng, net->drop[l] + at, y);
	if (net->shape->residual)
		rnn_add_rows(1, n, net->x[l] + at, n, y);
}

/* Steps whose gates, `size` numbers each, are still near when used again. */
static int64_t
steps_near(int64_t size)
{
	return size > RNN_NEAR ? 1 : RNN_NEAR / size;
}

void
rnn_layer_forward(rnn_net *net, const real *w, int l, int T, int B, rnn_rng *rng)
{
	const rnn_shape *s = net->shape;
	const rnn_cell_ops *cell = s->cell;
	int			H = s->H,
				I = s->I[l];
	int64_t		N = (int64_t) T * B,
				step = (int64_t) B * H;
	const real *x = net->x[l];

	if (s->norm)
	{
		rnn_kernel->norm_forward(N, I, x, w + s->norm_g[l], w + s->norm_b[l],
								 net->xn[l], net->norm_save[l]);
		x = net->xn[l];
	}
	rnn_kernel->pack(cell->gates, cell->x_gates, cell->h_first, I, H, w + s->w_ih[l],
					 w + s->w_hh[l], w + s->bias[l], net->packed);
	for (int t = 0; t < T && !rnn_stopped(s->stop); t++)
	{
		int64_t		at = t * step;	/* of what has no row before the first step */
		rnn_step	now = {.B = B,.I = I,.H = H,.w = net->packed};

		now.x = x + (int64_t) t * B * I;
		now.h_prev = net->h[l] + at;
		now.h = net->h[l] + at + step;
		if (cell->gates > 1)
			now.gates = net->gates[l] + at * cell->gates;
		if (cell->has_cell)
		{
			now.c_prev = net->c[l] + at;
			now.c = net->c[l] + at + step;
			now.tanh_c = net->tanh_c[l] + at;
		}
		cell->forward(s->activation, &now);
		output(net, l, at, step, now.h, rng);
	}
}

/* dh = what the layer's output sends back, n numbers from `at` on. */
static void
output_gradient(rnn_net *net, int l, int64_t at, int64_t n)
{
	memcpy(net->dh[l] + at, net->dx[l + 1] + at, sizeof(real) * n);
	if (net->dropped)
		for (int64_t i = at; i < at + n; i++)
			net->dh[l][i] *= net->drop[l][i];
}

/* Adds what some steps' dgates (n,G), h_{t-1} (n,H) and x_t (n,I) say of the weights. */
static void
weight_gradients(const rnn_shape *s, int l, int64_t n, const real *dgates, const real *h_prev,
				 const real *x, real *g)
{
	int64_t		G = (int64_t) s->cell->gates * s->H,
				first = (int64_t) s->cell->h_first * s->H;

	rnn_gemm(true, false, G - first, s->H, n, dgates + first, G, h_prev, s->H, 1, g + s->w_hh[l], s->H);
	rnn_gemm(true, false, (int64_t) s->cell->x_gates * s->H, s->I[l], n, dgates, G, x, s->I[l],
			 1, g + s->w_ih[l], s->I[l]);
	rnn_add_rows(n, G, dgates, G, g + s->bias[l]);
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
				X = (int64_t) cell->x_gates * H,
				few = steps_near(B * G),
				step = (int64_t) B * H;
	const real *h = net->h[l] + step,
			   *x = s->norm ? net->xn[l] : net->x[l];
	const real *c = net->c[l];
	real	   *dh = net->dh[l],
			   *dx = s->norm ? net->dxn : net->dx[l];

	output_gradient(net, l, (T - 1) * step, step);
	if (c)
		memset(net->dc, 0, sizeof(real) * step);

	memset(g + s->w_ih[l], 0, sizeof(real) * X * I);
	memset(g + s->w_hh[l], 0, sizeof(real) * (G - first) * H);
	memset(g + s->bias[l], 0, sizeof(real) * G);

	/* Walk back from T-1: dh_t needs what t+1 sends to it. */
	for (int t = T - 1; t >= 0 && !rnn_stopped(s->stop); t--)
	{
		int64_t		at = t * step;
		real	   *dgates = net->dgates + t % few * B * G,
				   *dh_prev = t > 0 ? dh + at - step : net->dh0;

		if (t > 0)
			output_gradient(net, l, at - step, step);
		else
			memset(net->dh0, 0, sizeof(real) * step);
		cell->backward(s->activation, B, H, cell->gates > 1 ? net->gates[l] + t * B * G : NULL, h + at, h + at - step,
					   c ? c + at : NULL, c ? net->tanh_c[l] + at : NULL,
					   dh + at, dh_prev, net->dc, dgates);
		rnn_gemm(false, false, B, H, G - first, dgates + first, G, w + s->w_hh[l], H,
				 1, dh_prev, H);
		if (t % few == 0)
		{
			int64_t		rows = (t + few < T ? few : T - t) * (int64_t) B;

			weight_gradients(s, l, rows, dgates, h + at - step, x + (int64_t) t * B * I, g);
			rnn_gemm(false, false, rows, I, X, dgates, G, w + s->w_ih[l], I,
					 0, dx + (int64_t) t * B * I, I);
		}
	}
	if (s->norm)
	{
		memset(g + s->norm_g[l], 0, sizeof(real) * I);
		memset(g + s->norm_b[l], 0, sizeof(real) * I);
		rnn_kernel->norm_backward(N, I, net->x[l], w + s->norm_g[l], net->norm_save[l],
								  net->dxn, net->dx[l], g + s->norm_g[l], g + s->norm_b[l]);
	}
	if (s->residual)
		rnn_add_rows(1, N * H, net->dx[l + 1], N * H, net->dx[l]);
}
