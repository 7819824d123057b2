/*
 * front.c
 *		The convolution front end.
 *
 * The front is a convolution with kernel = stride = patch: one product, since
 * a step's input already holds its patch.  The further layers are ordinary
 * causal convolutions at stride 1 with dilation d (van den Oord et al. 2016),
 *
 *		y_t = z_t + silu(b + sum_j W_j z_{t - j d})
 *
 * and need no copy of their input: time-major rows shifted by j d steps are
 * the same buffer at another offset.  Each input z is kept behind `pad` steps
 * of its past, zero at the start of a window, carried over between chunks.
 * Where there are such layers, z is zero at steps before a window's beginning
 * as well: there the front's bias would be a past that nothing was in.
 */
#include "net/net.h"
#include "kernel/blas.h"
#include "kernel/kernel.h"

#include <string.h>

/* Rows of z[i] at step 0 of the chunk. */
static real *
now(const rnn_net *net, int i, int B)
{
	return net->z[i] + (int64_t) net->pad[i] * B * net->shape->H;
}

void
rnn_conv_forward(rnn_net *net, const real *w, int T, int B)
{
	const rnn_shape *s = net->shape;
	int64_t		N = (int64_t) T * B;
	int			H = s->H;

	if (!s->project)
	{
		memcpy(net->x[0], net->u, sizeof(real) * N * s->D);
		return;
	}
	rnn_fill_rows(now(net, 0, B), N, H, w + s->front_b);
	rnn_weigh(net, w, s->front_w, N, H, s->D, net->u, s->D, now(net, 0, B));
	if (s->convs > 0)
		rnn_empty_rows(net, 0, N, now(net, 0, B));
	for (int i = 0; i < s->convs; i++)
	{
		const real *z = now(net, i, B);
		real	   *y = now(net, i + 1, B);

		rnn_fill_rows(net->conv_a[i], N, H, w + s->conv_b[i]);
		for (int j = 0; j < s->kernel; j++)
			rnn_weigh(net, w, s->conv_w[i] + (int64_t) j * H * H, N, H, H,
					  z - (int64_t) j * s->dilation[i] * B * H, H, net->conv_a[i]);
		rnn_kernel->silu_forward(N * H, net->conv_a[i], y);
		for (int64_t k = 0; k < N * H; k++)
			y[k] += z[k];
		rnn_empty_rows(net, 0, N, y);
	}
	memcpy(net->x[0], now(net, s->convs, B), sizeof(real) * N * H);
}

/* From dx[0] to the weights of the front end. */
void
rnn_conv_backward(rnn_net *net, const real *w, int T, int B, real *g)
{
	const rnn_shape *s = net->shape;
	int64_t		N = (int64_t) T * B;
	int			H = s->H;
	real	   *dy = net->dx[0];

	if (!s->project)
		return;
	for (int i = s->convs - 1; i >= 0; i--)
	{
		const real *z = now(net, i, B);
		int64_t		past = (int64_t) net->pad[i] * B * H;
		real	   *da = net->dxn;	/* (N,H), free once the layers are done */

		rnn_kernel->silu_backward(N * H, net->conv_a[i], dy, da);
		rnn_add_rows(N, H, da, H, g + s->conv_b[i]);
		/* dz has the past in front too: what falls there is cut off. */
		memset(net->dz, 0, sizeof(real) * past);
		memcpy(net->dz + past, dy, sizeof(real) * N * H);
		for (int j = 0; j < s->kernel; j++)
		{
			int64_t		shift = (int64_t) j * s->dilation[i] * B * H;

			rnn_gemm(true, false, H, H, N, da, H, z - shift, H,
					 1, g + s->conv_w[i] + (int64_t) j * H * H, H);
			rnn_gemm(false, false, N, H, H, da, H, w + s->conv_w[i] + (int64_t) j * H * H, H,
					 1, net->dz + past - shift, H);
		}
		memcpy(dy, net->dz + past, sizeof(real) * N * H);
		rnn_empty_rows(net, 0, N, dy);
	}
	rnn_gemm(true, false, H, s->D, N, dy, H, net->u, s->D, 1, g + s->front_w, s->D);
	rnn_add_rows(N, H, dy, H, g + s->front_b);
}

/* The last steps of this chunk become the past of the next. */
void
rnn_conv_carry(rnn_net *net, int T, int B)
{
	for (int i = 0; i < net->shape->convs; i++)
	{
		int64_t		step = (int64_t) B * net->shape->H;

		memmove(net->z[i], net->z[i] + T * step, sizeof(real) * net->pad[i] * step);
	}
}
