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
#include "net/net.h"
#include "kernel/blas.h"
#include "kernel/kernel.h"

#include <string.h>

/* What the layer hands on of one step: h, n numbers from `at` on, dropped here and there, + x. */
static void
output(rnn_net *net, int l, int64_t at, int64_t n, const real *h, rnn_rng *rng)
{
	real	   *y = net->x[l + 1] + at;

	if (y == h)
		return;
	memcpy(y, h, sizeof(real) * n);
	if (net->dropped)
	{
		rnn_rng_dropout(rng, net->shape->dropout, n / net->shape->H, net->shape->H, net->drop[l] + at);
		rnn_multiply(n, net->drop[l] + at, y);
	}
	if (net->shape->residual)
		rnn_add_rows(1, n, net->x[l] + at, n, y);
}

/* Steps whose gates, `size` numbers each, are still near when used again. */
static int64_t
steps_near(int64_t size)
{
	return size > RNN_NEAR ? 1 : RNN_NEAR / size;
}

/* Columns of w (m,H) in panels of RNN_PANEL: whole rows of a wide matrix would all lie in the same lines of the first cache. */
static void
pack_panels(int64_t m, int64_t H, const real *w, real *to)
{
	for (int64_t j = 0; j < H; j += RNN_PANEL)
	{
		int64_t		n = H - j < RNN_PANEL ? H - j : RNN_PANEL;

		for (int64_t i = 0; i < m; i++, to += n)
			memcpy(to, w + i * H + j, sizeof(real) * n);
	}
}

/* dh (B,H) += dgates (B,G) W_hh */
static void
state_gradient(rnn_net *net, const real *w, int l, int B, const real *dgates)
{
	const rnn_shape *s = net->shape;
	int64_t		H = s->H,
				G = s->cell->gates * H,
				first = s->cell->h_first * H,
				wide = net->panels[l] ? RNN_PANEL : H;
	const real *from = net->panels[l] ? net->panels[l] : w + s->w_hh[l];

	for (int64_t j = 0; j < H; j += wide)
	{
		int64_t		n = H - j < wide ? H - j : wide;

		rnn_gemm(false, false, B, n, G - first, dgates + first, G, from, n, 1, net->dh + j, H);
		from += (G - first) * n;
	}
}

void
rnn_layer_pack(rnn_net *net, const real *w, int l)
{
	const rnn_shape *s = net->shape;
	const rnn_cell_shape *cell = s->cell;

	rnn_kernel->pack(cell, s->I[l], s->H, w + s->w_ih[l],
					 w + s->w_hh[l], w + s->bias[l], net->packed[l]);
	if (net->panels[l])
		pack_panels((int64_t) (cell->gates - cell->h_first) * s->H, s->H, w + s->w_hh[l], net->panels[l]);
}

/* A step that no window has begun leaves no state, and none but a training asks for its gates. */
static bool
is_empty_step(const rnn_net *net, int64_t at, int B)
{
	for (int b = 0; b < B; b++)
		if (!net->before[at + b])
			return false;
	return !net->training;
}

void
rnn_layer_forward(rnn_net *net, const real *w, int l, int T, int B, rnn_rng *rng)
{
	const rnn_shape *s = net->shape;
	const rnn_cell_shape *cell = s->cell;
	int			H = s->H,
				I = s->I[l];
	int64_t		step = (int64_t) B * H,
				in = (int64_t) B * I;

	/* Where nothing is dropped or added, h itself is handed on. */
	if (!s->residual && s->dropout == 0)
		net->x[l + 1] = net->h[l] + step;
	for (int t = 0; t < T && !rnn_stopped(s->stop); t++)
	{
		int64_t		at = t * step;	/* of what has no row before the first step */
		rnn_step	now = {.B = B,.I = I,.H = H,.relu = s->activation == RNN_RELU,.w = net->packed[l]};

		now.x = net->x[l] + t * in;
		if (s->norm)
		{
			rnn_kernel->norm_forward(B, I, now.x, w + s->norm_g[l], w + s->norm_b[l],
									 net->xn[l] + t * in, net->norm_save[l] + 2 * t * B);
			now.x = net->xn[l] + t * in;
		}
		now.h_prev = net->h[l] + at;
		now.h = net->h[l] + at + step;
		if (cell->gates > 1)
			now.gates = net->gates[l] + at * cell->gates;
		if (cell->has_cell)
		{
			now.c_prev = net->c[l] + at;
			now.c = net->c[l] + at + step;
		}
		if (!is_empty_step(net, (int64_t) t * B, B))
			rnn_kernel->cell[s->kind].forward(&now);
		rnn_empty_rows(net, (int64_t) t * B, B, now.h);
		if (now.c)
			rnn_empty_rows(net, (int64_t) t * B, B, now.c);
		output(net, l, at, step, now.h, rng);
	}
}

/* What the layer's output sends back to h in one step. */
static const real *
output_gradient(rnn_net *net, int l, int64_t at, int64_t n)
{
	const real *dx = net->dx[l + 1] + at;

	if (!net->dropped)
		return dx;
	memcpy(net->dy, dx, sizeof(real) * n);
	rnn_multiply(n, net->drop[l] + at, net->dy);
	return net->dy;
}

/* For the gradient flow: what reaches the states of one step, from its output and from later steps. */
static void
note_flow(const real *dy, const real *dh, int64_t n, real *flow)
{
	for (int64_t i = 0; i < n; i++)
		flow[i] = dy[i] + dh[i];
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
}

/* Sends n rows of dgates, the first of them at row `at`, back to the layer's input. */
static void
input_gradient(rnn_net *net, const real *w, int l, int64_t at, int64_t n, const real *dgates, real *g)
{
	const rnn_shape *s = net->shape;
	int			I = s->I[l];
	int64_t		G = (int64_t) s->cell->gates * s->H;
	real	   *dx = net->dx[l] + at * I,
			   *to = s->norm ? net->dxn : dx;

	rnn_gemm(false, false, n, I, (int64_t) s->cell->x_gates * s->H, dgates, G, w + s->w_ih[l], I, 0, to, I);
	if (s->norm)
		rnn_kernel->norm_backward(n, I, net->x[l] + at * I, w + s->norm_g[l], net->norm_save[l] + 2 * at,
								  to, dx, g + s->norm_g[l], g + s->norm_b[l]);
	if (s->residual)
		rnn_add_rows(1, n * I, net->dx[l + 1] + at * I, n * I, dx);
}

/* From dx[l+1] (the layer's output) to dx[l] (its input), and added to those of the weights. */
void
rnn_layer_backward(rnn_net *net, const real *w, int l, int T, int B, real *g)
{
	const rnn_shape *s = net->shape;
	const rnn_cell_shape *cell = s->cell;
	int			H = s->H,
				I = s->I[l];
	int64_t		G = (int64_t) cell->gates * H,
				few = steps_near(B * G),
				step = (int64_t) B * H;
	const real *x = s->norm ? net->xn[l] : net->x[l];

	memset(net->dh, 0, sizeof(real) * step);
	if (cell->has_cell)
		memset(net->dc, 0, sizeof(real) * step);

	/* Walk back from T-1: dh needs what t+1 sends to it. */
	for (int t = T - 1; t >= 0 && !rnn_stopped(s->stop); t--)
	{
		int64_t		at = t * step;
		rnn_back	now = {
			.B = B,.H = H,.relu = s->activation == RNN_RELU,.h = net->h[l] + at + step,.h_prev = net->h[l] + at,
			.dy = output_gradient(net, l, at, step),.dh = net->dh,.dc = net->dc,
			.dgates = net->dgates + t % few * B * G,.dbias = g + s->bias[l],.more = t > 0
		};

		if (cell->gates > 1)
			now.gates = net->gates[l] + t * B * G;
		if (cell->has_cell)
			now.c_prev = net->c[l] + at;
		/* A state that is always zero hands nothing on; there are no targets either. */
		rnn_empty_rows(net, (int64_t) t * B, B, net->dh);
		if (cell->has_cell)
			rnn_empty_rows(net, (int64_t) t * B, B, net->dc);
		if (net->flow[l])
			note_flow(now.dy, now.dh, step, net->flow[l] + at);
		rnn_kernel->cell[s->kind].backward(&now);
		state_gradient(net, w, l, B, now.dgates);
		if (t % few == 0)
		{
			int64_t		rows = (t + few < T ? few : T - t) * (int64_t) B;

			weight_gradients(s, l, rows, now.dgates, now.h_prev, x + (int64_t) t * B * I, g);
			input_gradient(net, w, l, (int64_t) t * B, rows, now.dgates, g);
		}
	}
}
