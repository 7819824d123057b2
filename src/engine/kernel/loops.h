/*
 * loops.h
 *		The loops of kernel.h, compiled once per instruction set.
 *
 * The including file defines KERNEL_TARGET (a function attribute), KERNEL_NAME,
 * KERNEL_TABLE, KERNEL_WIDTH (bytes of a vector), KERNEL_REGISTERS (vectors
 * at hand) and KERNEL_PRODUCT where the products beat BLAS.  Functions carry the attribute one by one because clang,
 * which compiles the server's bitcode, knows no file-wide target.  Transcendental
 * functions are branch-free polynomials so that every loop can be vectorised;
 * their error is below 3e-7 (absolute for tanh and sigmoid, relative for exp
 * and log), which test_kernel measures.  NaN gives NaN: a network that has left
 * the range of numbers must show in its loss and its forecasts.
 */
#include "kernel/kernel.h"

#include <math.h>
#include <string.h>
#if KERNEL_WIDTH > 16
#include <immintrin.h>
#endif

#define VL (KERNEL_WIDTH / (int) sizeof(real))	/* numbers in a vector */

#define FN static KERNEL_TARGET
#define INLINE static inline __attribute__((always_inline)) KERNEL_TARGET

#ifdef RNN_DOUBLE

INLINE real k_exp(real x) { return exp(x); }
INLINE real k_log(real x) { return log(x); }
INLINE real k_sqrt(real x) { return sqrt(x); }
INLINE real k_abs(real x) { return fabs(x); }

#else

INLINE float
float_of(int32_t i)
{
	float		f;

	memcpy(&f, &i, sizeof(f));
	return f;
}

INLINE int32_t
bits_of(float f)
{
	int32_t		i;

	memcpy(&i, &f, sizeof(i));
	return i;
}

INLINE real k_abs(real x) { return x < 0 ? -x : x; }
INLINE real k_sqrt(real x) { return sqrtf(x); }

/* 2^n e^r with |r| <= ln2/2; Taylor to degree 7 is exact to a float's last bits. */
INLINE real
k_exp(real x)
{
	const float magic = 12582912.0f;	/* adds the integer part into the low bits */
	float		t,
				n,
				r,
				p;

	x = x < -87.0f ? -87.0f : x;
	x = x > 88.0f ? 88.0f : x;
	t = x * 1.44269504f + magic;
	n = t - magic;
	r = x - n * 0.693359375f;
	r = r + n * 2.12194440e-4f;
	p = 1.0f / 5040;
	p = p * r + 1.0f / 720;
	p = p * r + 1.0f / 120;
	p = p * r + 1.0f / 24;
	p = p * r + 1.0f / 6;
	p = p * r + 0.5f;
	p = p * r + 1.0f;
	p = p * r + 1.0f;
	/* Unsigned: of NaN these bits are out of range, and p is NaN whatever they are. */
	return p * float_of((int32_t) ((uint32_t) (bits_of(t) - bits_of(magic) + 127) << 23));
}

/* ln(m 2^e), m in [sqrt(1/2), sqrt 2): 2 atanh((m-1)/(m+1)). For x > 0; NaN stays NaN. */
INLINE real
k_log(real x)
{
	int32_t		i = bits_of(x) - 0x3f3504f3;
	float		e = (float) (i >> 23);
	float		m = float_of((i & 0x7fffff) + 0x3f3504f3);
	float		s = (m - 1.0f) / (m + 1.0f);
	float		z = s * s;
	float		p = 1.0f / 9;

	p = p * z + 1.0f / 7;
	p = p * z + 1.0f / 5;
	p = p * z + 1.0f / 3;
	p = p * z + 1.0f;
	return x == x ? e * 0.693147181f + 2.0f * s * p : x;
}

#endif

INLINE real k_tanh(real x) { return 1 - (real) 2 / (1 + k_exp(2 * x)); }
/* NaN if a is. */
INLINE real k_max(real a, real b) { return !(a <= b) ? a : b; }

INLINE real
k_asinh(real x)
{
	real		a = k_abs(x);
	/* Where a^2 would overflow, a + sqrt(a^2 + 1) is 2 a long since. */
	bool		big = a > (real) 1e9;
	real		l = k_log(big ? a : a + k_sqrt(a * a + 1)) + (big ? (real) 0.693147180559945 : 0);

	return x < 0 ? -l : l;
}

FN void
squash(int64_t n, const real *x, real *y)
{
#ifndef __clang__				/* which asks at run time whether x and y overlap */
#pragma GCC ivdep
#endif
	for (int64_t i = 0; i < n; i++)
		y[i] = k_asinh(x[i]) * (real) (1.0 / 3);
}

/*
 * Sums in 16 fixed lanes: a strict left-to-right sum can't be vectorised, and
 * -ffast-math is not wanted; the lanes say which order is meant.
 */
#define LANES 16

INLINE real
lane_sum(const real *acc)
{
	real		s = 0;

	for (int l = 0; l < LANES; l++)
		s += acc[l];
	return s;
}

INLINE real
sum_of(int n, const real *restrict x)
{
	real		acc[LANES] = {0};
	int			k = 0;

	for (; k + LANES <= n; k += LANES)
		for (int l = 0; l < LANES; l++)
			acc[l] += x[k + l];
	for (int l = 0; k + l < n; l++)
		acc[l] += x[k + l];
	return lane_sum(acc);
}

INLINE real
sum_of_squares(int n, const real *restrict x, real mean)
{
	real		acc[LANES] = {0};
	int			k = 0;

	for (; k + LANES <= n; k += LANES)
		for (int l = 0; l < LANES; l++)
			acc[l] += (x[k + l] - mean) * (x[k + l] - mean);
	for (int l = 0; k + l < n; l++)
		acc[l] += (x[k + l] - mean) * (x[k + l] - mean);
	return lane_sum(acc);
}

INLINE real
dot_of(int n, const real *restrict x, const real *restrict y)
{
	real		acc[LANES] = {0};
	int			k = 0;

	for (; k + LANES <= n; k += LANES)
		for (int l = 0; l < LANES; l++)
			acc[l] += x[k + l] * y[k + l];
	for (int l = 0; k + l < n; l++)
		acc[l] += x[k + l] * y[k + l];
	return lane_sum(acc);
}

FN void
norm_forward(int64_t rows, int H, const real *x, const real *restrict gain,
			 const real *restrict bias, real *y, real *save)
{
	for (int64_t i = 0; i < rows; i++)
	{
		const real *restrict xi = x + i * H;
		real	   *restrict yi = y + i * H;
		real		mean = sum_of(H, xi) / H;
		real		rstd = 1 / k_sqrt(sum_of_squares(H, xi, mean) / H + (real) RNN_NORM_EPS);

		save[2 * i] = mean;
		save[2 * i + 1] = rstd;
		for (int k = 0; k < H; k++)
			yi[k] = (xi[k] - mean) * rstd * gain[k] + bias[k];
	}
}

/* One row; xhat is scratch for the normalised input. */
INLINE void
norm_row_back(int H, const real *restrict x, const real *restrict gain, real mean, real rstd,
			  const real *dy, real *dx, real *restrict dgain, real *restrict dbias,
			  real *restrict xhat, real *restrict dxhat)
{
	real		a,
				b;

	for (int k = 0; k < H; k++)
	{
		xhat[k] = (x[k] - mean) * rstd;
		dxhat[k] = dy[k] * gain[k];
		dgain[k] += dy[k] * xhat[k];
		dbias[k] += dy[k];
	}
	a = sum_of(H, dxhat) / H;
	b = dot_of(H, dxhat, xhat) / H;
	for (int k = 0; k < H; k++)
		dx[k] = rstd * (dxhat[k] - a - xhat[k] * b);
}

#define MAX_HIDDEN 1024

FN void
norm_backward(int64_t rows, int H, const real *x, const real *gain, const real *save,
			  const real *dy, real *dx, real *dgain, real *dbias)
{
	real		xhat[MAX_HIDDEN],
				dxhat[MAX_HIDDEN];

	for (int64_t i = 0; i < rows; i++)
		norm_row_back(H, x + i * H, gain, save[2 * i], save[2 * i + 1], dy + i * H, dx + i * H,
					  dgain, dbias, xhat, dxhat);
}

#define S RNN_BLOCK
#define Q RNN_QUANTILES
#define M RNN_MEDIAN

/* softplus of the gaps, and where wanted its slope, a sigmoid; the median has no gap. */
INLINE void
block_gaps(const real *restrict u, real *restrict gap, real *restrict slope)
{
	for (int i = 0; i < Q * S; i++)
	{
		real		x = u[i] + (real) RNN_UNIT,
					e = k_exp(-k_abs(x));

		gap[i] = k_max(x, 0) + k_log(1 + e);
		if (slope)
			slope[i] = (x < 0 ? e : 1) / (1 + e);
	}
}

INLINE void
quantiles_of(const real *restrict u, const real *restrict gap, const real *restrict middle,
			 const real *restrict spread, real *restrict q)
{
	for (int j = 0; j < S; j++)
		q[M * S + j] = middle[j] + u[M * S + j];
	for (int k = M + 1; k < Q; k++)
		for (int j = 0; j < S; j++)
			q[k * S + j] = q[(k - 1) * S + j] + (real) rnn_base_gap[k] * spread[j] * gap[k * S + j];
	for (int k = M - 1; k >= 0; k--)
		for (int j = 0; j < S; j++)
			q[k * S + j] = q[(k + 1) * S + j] - (real) rnn_base_gap[k] * spread[j] * gap[k * S + j];
}

FN void
block_quantiles(const real *restrict u, const real *restrict middle, const real *restrict spread,
				real *restrict q)
{
	real		gap[Q * S];

	block_gaps(u, gap, NULL);
	quantiles_of(u, gap, middle, spread, q);
}

/* Gradients of the gaps: a gap moves every quantile beyond it. */
INLINE void
gap_gradients(const real *restrict slope, const real *restrict spread, real *restrict du)
{
	real		acc[S];

	for (int side = 0; side < 2; side++)
	{
		for (int j = 0; j < S; j++)
			acc[j] = 0;
		for (int i = 0; i < M; i++)
		{
			int			k = side ? Q - 1 - i : i;
			real		sign = (real) (side ? rnn_base_gap[k] : -rnn_base_gap[k]);

			for (int j = 0; j < S; j++)
			{
				acc[j] += du[k * S + j];
				du[k * S + j] = acc[j] * sign * spread[j] * slope[k * S + j];
			}
		}
	}
}

/* Gradient of the point loss to the centre, and the loss, for loss MSE and MAE. */
INLINE void
centre_loss(int loss, const real *restrict e, real *restrict value, real *restrict slope)
{
	for (int j = 0; j < S; j++)
	{
		real		mse = e[j] * e[j] / 2,
					mae = k_abs(e[j]);

		value[j] = loss == RNN_MSE ? mse : mae;
		slope[j] = loss == RNN_MSE ? -e[j] : (e[j] > 0 ? (real) -1 : (real) 1);
	}
}

INLINE void
capped(real *restrict value, real *restrict factor)
{
	for (int j = 0; j < S; j++)
	{
		real		t = k_tanh(value[j] * (real) (1 / RNN_LOSS_CAP));

		value[j] = t * (real) RNN_LOSS_CAP;
		factor[j] = 1 - t * t;
	}
}

FN double
block_loss(const real *restrict u, const real *restrict middle, const real *restrict target,
		   const real *restrict spread, int loss, real *restrict du, real *restrict dmiddle, int *known)
{
	real		q[Q * S],
				gap[Q * S],
				slope[Q * S],
				y[S],
				mask[S],
				value[S] = {0},
				factor[S],
				point[S],
				pull[S],
				dcentre[S] = {0};
	double		sum = 0;

	block_gaps(u, gap, slope);
	quantiles_of(u, gap, middle, spread, q);
	for (int j = 0; j < S; j++)
	{
		mask[j] = target[j] == target[j] ? 1 : 0;
		y[j] = target[j] == target[j] ? target[j] : q[M * S + j];
		*known += target[j] == target[j];
	}
	/* Pinball: Koenker and Bassett 1978, mean over the levels. */
	for (int k = 0; k < Q; k++)
	{
		const real	tau = (real) rnn_quantile_levels[k];

		for (int j = 0; j < S; j++)
		{
			real		e = y[j] - q[k * S + j];

			value[j] += (e > 0 ? tau * e : (tau - 1) * e) * (real) (1.0 / Q);
			du[k * S + j] = (e > 0 ? -tau : 1 - tau) * (real) (1.0 / Q);
		}
	}
	capped(value, factor);
	for (int k = 0; k < Q; k++)
		for (int j = 0; j < S; j++)
		{
			du[k * S + j] *= factor[j] * mask[j];
			dcentre[j] += du[k * S + j];
		}
	for (int j = 0; j < S; j++)
		sum += value[j] * mask[j];
	if (loss != RNN_PINBALL)
	{
		/* The centre follows its own loss, the gaps keep theirs. */
		for (int j = 0; j < S; j++)
			y[j] -= q[M * S + j];
		centre_loss(loss, y, point, pull);
		capped(point, factor);
		for (int j = 0; j < S; j++)
		{
			dcentre[j] = pull[j] * factor[j] * mask[j];
			sum += point[j] * mask[j];
		}
	}
	gap_gradients(slope, spread, du);
	for (int j = 0; j < S; j++)
		du[M * S + j] = dmiddle[j] = dcentre[j];
	return sum;
}

FN void
adamw(int64_t n, real *restrict w, const real *restrict g, real *restrict m, real *restrict v,
	  real *restrict ema, real scale, real rate, real beta1, real beta2, real fix1, real fix2,
	  real decay, real ema_decay)
{
	for (int64_t i = 0; i < n; i++)
	{
		real		gi = g[i] * scale,
					mi = beta1 * m[i] + (1 - beta1) * gi,
					vi = beta2 * v[i] + (1 - beta2) * gi * gi;

		m[i] = mi;
		v[i] = vi;
		w[i] -= rate * (mi * fix1 / (k_sqrt(vi * fix2) + (real) RNN_ADAM_EPS) + decay * w[i]);
	}
	if (ema)
		for (int64_t i = 0; i < n; i++)
			ema[i] += (1 - ema_decay) * (w[i] - ema[i]);
}

#undef S
#undef Q
#undef M

#include "kernel/cells.h"
#include "kernel/products.h"

const rnn_kernels KERNEL_TABLE = {
	.name = KERNEL_NAME,
	.pack = pack,
	.cell = {RNN_CELLS(RNN_CELL_KERNEL)},
	.silu_forward = silu_forward,.silu_backward = silu_backward,.squash = squash,
	.norm_forward = norm_forward,.norm_backward = norm_backward,
	.block_quantiles = block_quantiles,.block_loss = block_loss,
	.adamw = adamw,
#ifdef KERNEL_PRODUCT
	.product = product,
#endif
};
