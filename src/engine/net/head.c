/*
 * head.c
 *		The block head: reweights the references, then corrects them.
 *
 *		z = silu(W [h; log errors; weights; scalars])
 *		gate = softmax(log weight_r + (W_g z)_r)	over the references present
 *		middle_j = sum_r gate_r ref_rj
 *		per block b:  hid = silu(W_z z + W_e [squash ref; squash middle; log(1 + b)])
 *					  u = W_o hid		-> centre and gaps, see block_quantiles
 *
 * A block is 16 points; all share one MLP and see their own references.
 * Covariates of the points ahead are added point by point, see point.c.
 */
#include "net/net.h"
#include "kernel/blas.h"
#include "kernel/kernel.h"

#include <math.h>
#include <string.h>

#define S RNN_BLOCK
#define U (RNN_BLOCK * RNN_QUANTILES)

/* softmax(log weight + correction); a reference of weight 0 stays out, what is no number stays so. */
static void
gate_row(int R, const real *weight, real *gate)
{
	real		top = -INFINITY,
				sum = 0;

	for (int r = 0; r < R; r++)
	{
		gate[r] = weight[r] > 0 ? gate[r] + (real) log(weight[r]) : -INFINITY;
		top = gate[r] > top ? gate[r] : top;
	}
	for (int r = 0; r < R; r++)
	{
		gate[r] = gate[r] == -INFINITY ? 0 : (real) exp(gate[r] - top);
		sum += gate[r];
	}
	for (int r = 0; r < R; r++)
		gate[r] = sum != 0 ? gate[r] / sum : 0;
}

static void
mix_rows(rnn_net *net, const real *w, int64_t first, int64_t rows)
{
	const rnn_shape *s = net->shape;
	int64_t		Hz = (int64_t) s->blocks * S;

	memset(net->middle + first * Hz, 0, sizeof(real) * rows * Hz);
	if (s->R == 0)
		return;
	rnn_fill_rows(net->gate + first * s->R, rows, s->R, w + s->gate_b);
	rnn_weigh(net, w, s->gate_w, rows, s->R, s->H, net->state + first * s->H, s->H, net->gate + first * s->R);
	for (int64_t i = first; i < first + rows; i++)
	{
		real	   *restrict middle = net->middle + i * Hz;

		gate_row(s->R, net->aux + i * s->A + s->R, net->gate + i * s->R);
		for (int r = 0; r < s->R; r++)
		{
			const real *restrict ref = net->ref + (i * s->R + r) * Hz;
			real		gate = net->gate[i * s->R + r];

			for (int64_t j = 0; gate != 0 && j < Hz; j++)
				middle[j] += gate * ref[j];
		}
	}
}

/* Inputs of every block: [squash(ref) (R,16); squash(middle) (16); log(1 + b)] */
static void
block_inputs(rnn_net *net, int64_t first, int64_t rows)
{
	const rnn_shape *s = net->shape;
	int64_t		Hz = (int64_t) s->blocks * S;

	for (int64_t i = first; i < first + rows; i++)
		for (int b = 0; b < s->blocks; b++)
		{
			real	   *e = net->e + (i * s->blocks + b) * s->E;

			for (int r = 0; r < s->R; r++)
				memcpy(e + r * S, net->ref + (i * s->R + r) * Hz + b * S, sizeof(real) * S);
			if (s->R > 0)
			{
				memcpy(e + s->R * S, net->middle + i * Hz + b * S, sizeof(real) * S);
				rnn_kernel->squash(s->E - 1, e, e);
			}
			e[s->E - 1] = (real) log(1.0 + (net->far ? net->far[i * s->blocks + b] : b));
		}
}

void
rnn_head_forward(rnn_net *net, const real *w, int64_t first, int64_t rows, rnn_rng *rng)
{
	const rnn_shape *s = net->shape;
	int			H = s->H;
	int64_t		blocks = rows * s->blocks,
				at = first * s->blocks;
	real	   *state_a = net->state_a + first * H;

	rnn_fill_rows(state_a, rows, H, w + s->state_b);
	rnn_weigh(net, w, s->state_h, rows, H, H, net->x[s->L] + first * H, H, state_a);
	rnn_weigh(net, w, s->state_a, rows, H, s->A, net->aux + first * s->A, s->A, state_a);
	rnn_kernel->silu_forward(rows * H, state_a, net->state + first * H);
	mix_rows(net, w, first, rows);
	block_inputs(net, first, rows);

	/* The state's part is the same for all blocks of a position. */
	for (int64_t i = first; i < first + rows; i++)
		memcpy(net->per_state + (i - first) * H, w + s->head_b, sizeof(real) * H);
	rnn_weigh(net, w, s->head_z, rows, H, H, net->state + first * H, H, net->per_state);
	for (int64_t i = 0; i < rows; i++)
		for (int b = 0; b < s->blocks; b++)
			memcpy(net->hid_a + (at + i * s->blocks + b) * H, net->per_state + i * H, sizeof(real) * H);
	rnn_weigh(net, w, s->head_e, blocks, H, s->E, net->e + at * s->E, s->E, net->hid_a + at * H);
	rnn_kernel->silu_forward(blocks * H, net->hid_a + at * H, net->hid + at * H);
	if (net->dropped)
	{
		rnn_rng_dropout(rng, s->dropout, blocks, H, net->hid_drop + at * H);
		rnn_multiply(blocks * H, net->hid_drop + at * H, net->hid + at * H);
	}
	rnn_fill_rows(net->out + at * U, blocks, U, w + s->out_b);
	rnn_weigh(net, w, s->out_w, blocks, U, H, net->hid + at * H, H, net->out + at * U);
	rnn_point_forward(net, w, first, rows);
}

/* dgate through the softmax and the mixed references; adds to dstate. */
static void
mix_rows_back(rnn_net *net, const real *w, int64_t first, int64_t rows, real *g)
{
	const rnn_shape *s = net->shape;
	int64_t		Hz = (int64_t) s->blocks * S;

	for (int64_t i = first; i < first + rows; i++)
	{
		const real *gate = net->gate + i * s->R;
		real	   *dgate = net->dgate + i * s->R;
		real		mean = 0;

		for (int r = 0; r < s->R; r++)
		{
			const real *ref = net->ref + (i * s->R + r) * Hz;
			double		d = 0;

			for (int64_t j = 0; gate[r] != 0 && j < Hz; j++)
				d += (double) net->dmiddle[i * Hz + j] * ref[j];
			dgate[r] = (real) d;
			mean += gate[r] * dgate[r];
		}
		for (int r = 0; r < s->R; r++)
			dgate[r] = gate[r] * (dgate[r] - mean);
	}
	rnn_gemm(true, false, s->R, s->H, rows, net->dgate + first * s->R, s->R,
			 net->state + first * s->H, s->H, 1, g + s->gate_w, s->H);
	rnn_add_rows(rows, s->R, net->dgate + first * s->R, s->R, g + s->gate_b);
	rnn_gemm(false, false, rows, s->H, s->R, net->dgate + first * s->R, s->R, w + s->gate_w, s->H,
			 1, net->dstate + first * s->H, s->H);
}

/* d squash(middle) goes back into dmiddle: asinh'(x) / 3 = 1 / (3 sqrt(1 + x^2)). */
static void
middle_inputs_back(rnn_net *net, const real *w, int64_t first, int64_t rows)
{
	const rnn_shape *s = net->shape;
	int64_t		Hz = (int64_t) s->blocks * S,
				at = first * s->blocks;

	/* Only the 16 columns of middle in W_e have somewhere to send a gradient. */
	rnn_gemm(false, false, rows * s->blocks, S, s->H, net->dhid + at * s->H, s->H,
			 w + s->head_e + s->R * S, s->E, 0, net->dblock, S);
	for (int64_t k = 0; k < rows * Hz; k++)
	{
		real		m = net->middle[first * Hz + k];

		net->dmiddle[first * Hz + k] += net->dblock[k] / (3 * (real) sqrt(1 + (double) m * m));
	}
}

/* What facts say of the state, and weights of the gate besides, through their logarithms. */
static void
facts_back(rnn_net *net, const real *w, int64_t first, int64_t rows)
{
	const rnn_shape *s = net->shape;

	memset(net->input.aux, 0, sizeof(real) * first * s->A);
	rnn_gemm(false, false, rows, s->A, s->H, net->dstate + first * s->H, s->H, w + s->state_a, s->A,
			 0, net->input.aux + first * s->A, s->A);
	for (int64_t i = first; i < first + rows; i++)
		for (int r = 0; r < s->R; r++)
			if (net->gate[i * s->R + r] != 0)
				net->input.aux[i * s->A + s->R + r] += net->dgate[i * s->R + r] / net->aux[i * s->A + s->R + r];
}

/* What references say of the middle, and of the blocks, where they are squashed. */
static void
references_back(rnn_net *net, const real *w, int64_t first, int64_t rows)
{
	const rnn_shape *s = net->shape;
	int64_t		Hz = (int64_t) s->blocks * S,
				at = first * s->R * Hz;
	real	   *d = net->input.ref + at;
	const real *ref = net->ref + at;

	memset(net->input.ref, 0, sizeof(real) * at);
	for (int r = 0; r < s->R; r++)
		for (int b = 0; b < s->blocks; b++)
			rnn_gemm(false, false, rows, S, s->H, net->dhid + (first * s->blocks + b) * s->H, s->blocks * s->H,
					 w + s->head_e + r * S, s->E, 0, d + r * Hz + b * S, s->R * Hz);
	for (int64_t i = first * s->R; i < (first + rows) * s->R; i++, d += Hz, ref += Hz)
		for (int64_t j = 0; j < Hz; j++)
			d[j] = d[j] / (3 * (real) sqrt(1 + (double) ref[j] * ref[j])) + net->gate[i] * net->dmiddle[i / s->R * Hz + j];
}

void
rnn_head_backward(rnn_net *net, const real *w, int64_t first, int64_t rows, real *g)
{
	const rnn_shape *s = net->shape;
	int			H = s->H;
	int64_t		blocks = rows * s->blocks,
				at = first * s->blocks;
	real	   *dhid = net->dhid + at * H,
			   *dstate = net->dstate + first * H,
			   *dx = net->dx[s->L];

	rnn_gemm(true, false, U, H, blocks, net->dout + at * U, U, net->hid + at * H, H, 1, g + s->out_w, H);
	rnn_add_rows(blocks, U, net->dout + at * U, U, g + s->out_b);
	rnn_gemm(false, false, blocks, H, U, net->dout + at * U, U, w + s->out_w, H, 0, dhid, H);
	if (net->dropped)
		rnn_multiply(blocks * H, net->hid_drop + at * H, dhid);
	rnn_kernel->silu_backward(blocks * H, net->hid_a + at * H, dhid, dhid);
	rnn_gemm(true, false, H, s->E, blocks, dhid, H, net->e + at * s->E, s->E, 1, g + s->head_e, s->E);

	/* Sum the blocks of a position before the products with its state. */
	memset(net->per_state, 0, sizeof(real) * rows * H);
	for (int64_t i = 0; i < rows; i++)
		rnn_add_rows(s->blocks, H, dhid + i * s->blocks * H, H, net->per_state + i * H);
	rnn_gemm(true, false, H, H, rows, net->per_state, H, net->state + first * H, H, 1, g + s->head_z, H);
	rnn_add_rows(rows, H, net->per_state, H, g + s->head_b);
	rnn_gemm(false, false, rows, H, H, net->per_state, H, w + s->head_z, H, 0, dstate, H);
	rnn_point_backward(net, w, first, rows, g);
	if (s->R > 0)
	{
		middle_inputs_back(net, w, first, rows);
		mix_rows_back(net, w, first, rows, g);
	}

	if (net->input.u)
		references_back(net, w, first, rows);

	rnn_kernel->silu_backward(rows * H, net->state_a + first * H, dstate, dstate);
	if (net->input.u)
		facts_back(net, w, first, rows);
	rnn_gemm(true, false, H, H, rows, dstate, H, net->x[s->L] + first * H, H, 1, g + s->state_h, H);
	rnn_gemm(true, false, H, s->A, rows, dstate, H, net->aux + first * s->A, s->A, 1, g + s->state_a, s->A);
	rnn_add_rows(rows, H, dstate, H, g + s->state_b);
	memset(dx, 0, sizeof(real) * first * H);
	rnn_gemm(false, false, rows, H, H, dstate, H, w + s->state_h, H, 0, dx + first * H, H);
}
