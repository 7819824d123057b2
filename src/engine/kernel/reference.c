/*
 * reference.c
 *		The kernels as their equations say, one value at a time, with libm and
 *		sums in double: what the tests hold the fast ones to.
 *
 * Nothing calls it outside of tests, and it may be as slow as it likes.
 */
#include "kernel/kernel.h"

#include <math.h>
#include <string.h>

static double
sigmoid(double x)
{
	return 1 / (1 + exp(-x));
}

/* ln(1 + e^x) without overflow */
static double
softplus(double x)
{
	return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

/* As they are: biases, then the input's weights, then the state's. */
static void
pack(const rnn_cell_shape *cell, int64_t I, int64_t H, const real *w_ih,
	 const real *w_hh, const real *bias, real *to)
{
	int64_t		ih = cell->x_gates * H * I;

	memcpy(to, bias, sizeof(real) * cell->gates * H);
	memcpy(to + cell->gates * H, w_ih, sizeof(real) * ih);
	memcpy(to + cell->gates * H + ih, w_hh, sizeof(real) * (cell->gates - cell->h_first) * H * H);
}

/* Pre-activation of gate g, unit k, window b. */
static double
gate(const rnn_step *s, rnn_cell kind, int g, int64_t b, int64_t k)
{
	const rnn_cell_shape *cell = &rnn_cells[kind];
	int64_t		at = g * s->H + k;
	const real *w_ih = s->w + cell->gates * s->H,
			   *w_hh = w_ih + cell->x_gates * s->H * s->I;
	double		sum = s->w[at];

	for (int64_t p = 0; g < cell->x_gates && p < s->I; p++)
		sum += (double) w_ih[at * s->I + p] * s->x[b * s->I + p];
	for (int64_t p = 0; g >= cell->h_first && p < s->H; p++)
		sum += (double) w_hh[(at - cell->h_first * s->H) * s->H + p] * s->h_prev[b * s->H + p];
	return sum;
}

static void
elman_forward(const rnn_step *s)
{
	for (int64_t b = 0; b < s->B; b++)
		for (int64_t k = 0; k < s->H; k++)
		{
			double		a = gate(s, RNN_ELMAN, 0, b, k);

			s->h[b * s->H + k] = (real) (s->relu ? fmax(a, 0) : tanh(a));
		}
}

/* d of state k of window b: what comes from its output and from the step after. */
static double
state_gradient(const rnn_back *s, int64_t at)
{
	return (double) s->dy[at] + s->dh[at];
}

/* d tanh(a) = (1 - h^2) da */
static void
elman_backward(const rnn_back *s)
{
	for (int64_t i = 0; i < s->B * s->H; i++)
	{
		double		h = s->h[i],
					d = state_gradient(s, i);

		s->dgates[i] = (real) (!s->relu ? (1 - h * h) * d : h <= 0 ? 0 : d);
		s->dbias[i % s->H] += s->dgates[i];
		s->dh[i] = 0;
	}
}

static void
lstm_forward(const rnn_step *s)
{
	int64_t		H = s->H;

	for (int64_t b = 0; b < s->B; b++)
		for (int64_t k = 0; k < H; k++)
		{
			real	   *g = s->gates + b * 4 * H + k;
			int64_t		at = b * H + k;
			double		in = sigmoid(gate(s, RNN_LSTM, 0, b, k)),
						forget = sigmoid(gate(s, RNN_LSTM, 1, b, k)),
						candidate = tanh(gate(s, RNN_LSTM, 2, b, k)),
						out = sigmoid(gate(s, RNN_LSTM, 3, b, k)),
						cell = forget * s->c_prev[at] + in * candidate;

			g[0] = (real) in;
			g[H] = (real) forget;
			g[2 * H] = (real) candidate;
			g[3 * H] = (real) out;
			s->c[at] = (real) cell;
			s->h[at] = (real) (out * tanh(cell));
		}
}

/* Gradients of the gates of one unit and one window into dgates, and to the biases. */
static void
store_gates(const rnn_back *s, int64_t b, int64_t k, const double d[4])
{
	for (int i = 0; i < 4; i++)
	{
		real	   *to = s->dgates + (b * 4 + i) * s->H + k;

		*to = (real) d[i];
		s->dbias[i * s->H + k] += *to;
	}
}

static void
lstm_backward(const rnn_back *s)
{
	int64_t		H = s->H;

	for (int64_t b = 0; b < s->B; b++)
		for (int64_t k = 0; k < H; k++)
		{
			const real *a = s->gates + b * 4 * H + k;
			int64_t		at = b * H + k;
			double		in = a[0],
						forget = a[H],
						candidate = a[2 * H],
						out = a[3 * H],
						dh = state_gradient(s, at),
						tc = s->h[at] / out,
						dcell = s->dc[at] + dh * out * (1 - tc * tc);
			const double d[4] = {
				dcell * candidate * in * (1 - in),
				dcell * s->c_prev[at] * forget * (1 - forget),
				dcell * in * (1 - candidate * candidate),
				dh * tc * out * (1 - out),
			};

			store_gates(s, b, k, d);
			s->dc[at] = (real) (dcell * forget);
			s->dh[at] = 0;
		}
}

static void
gru_forward(const rnn_step *s)
{
	int64_t		H = s->H;

	for (int64_t b = 0; b < s->B; b++)
		for (int64_t k = 0; k < H; k++)
		{
			real	   *g = s->gates + b * 4 * H + k;
			int64_t		at = b * H + k;
			double		reset = sigmoid(gate(s, RNN_GRU, 1, b, k)),
						update = sigmoid(gate(s, RNN_GRU, 2, b, k)),
						m = gate(s, RNN_GRU, 3, b, k),
						candidate = tanh(gate(s, RNN_GRU, 0, b, k) + reset * m);

			g[0] = (real) candidate;
			g[H] = (real) reset;
			g[2 * H] = (real) update;
			g[3 * H] = (real) m;
			s->h[at] = (real) ((1 - update) * candidate + update * s->h_prev[at]);
		}
}

static void
gru_backward(const rnn_back *s)
{
	int64_t		H = s->H;

	for (int64_t b = 0; b < s->B; b++)
		for (int64_t k = 0; k < H; k++)
		{
			const real *a = s->gates + b * 4 * H + k;
			int64_t		at = b * H + k;
			double		candidate = a[0],
						reset = a[H],
						update = a[2 * H],
						m = a[3 * H],
						dh = state_gradient(s, at),
						dupdate = dh * (s->h_prev[at] - candidate),
						dsum = dh * (1 - update) * (1 - candidate * candidate);
			const double d[4] = {
				dsum,
				dsum * m * reset * (1 - reset),
				dupdate * update * (1 - update),
				dsum * reset,
			};

			store_gates(s, b, k, d);
			s->dh[at] = (real) (dh * update);
		}
}

static void
silu_forward(int64_t n, const real *x, real *y)
{
	for (int64_t i = 0; i < n; i++)
		y[i] = (real) (x[i] * sigmoid(x[i]));
}

/* (x s)' = s + x s (1 - s) */
static void
silu_backward(int64_t n, const real *x, const real *dy, real *dx)
{
	for (int64_t i = 0; i < n; i++)
	{
		double		s = sigmoid(x[i]);

		dx[i] = (real) (dy[i] * (s + x[i] * s * (1 - s)));
	}
}

static void
squash(int64_t n, const real *x, real *y)
{
	for (int64_t i = 0; i < n; i++)
		y[i] = (real) (asinh(x[i]) / 3);
}

static void
norm_forward(int64_t rows, int H, const real *x, const real *gain, const real *bias,
			 real *y, real *save)
{
	for (int64_t i = 0; i < rows; i++)
	{
		const real *xi = x + i * H;
		double		mean = 0,
					variance = 0;

		for (int k = 0; k < H; k++)
			mean += xi[k] / (double) H;
		for (int k = 0; k < H; k++)
			variance += (xi[k] - mean) * (xi[k] - mean) / H;
		save[2 * i] = (real) mean;
		save[2 * i + 1] = (real) (1 / sqrt(variance + RNN_NORM_EPS));
		for (int k = 0; k < H; k++)
			y[i * H + k] = (real) (gain[k] * (xi[k] - mean) / sqrt(variance + RNN_NORM_EPS) + bias[k]);
	}
}

/*
 * y_k = gain_k v_k + bias_k with v = (x - mean) r and r = 1 / sd.  x_k moves
 * v_k directly, and every v_j through mean and r:
 *		dx_k = r (e_k - mean(e) - v_k mean(e v)),  e_k = gain_k dy_k
 */
static void
norm_backward(int64_t rows, int H, const real *x, const real *gain, const real *save,
			  const real *dy, real *dx, real *dgain, real *dbias)
{
	for (int64_t i = 0; i < rows; i++)
	{
		double		mean = save[2 * i],
					r = save[2 * i + 1],
					mean_e = 0,
					mean_ev = 0;

		for (int k = 0; k < H; k++)
		{
			double		v = (x[i * H + k] - mean) * r,
						e = (double) gain[k] * dy[i * H + k];

			mean_e += e / H;
			mean_ev += e * v / H;
			dgain[k] += (real) (dy[i * H + k] * v);
			dbias[k] += dy[i * H + k];
		}
		for (int k = 0; k < H; k++)
		{
			double		v = (x[i * H + k] - mean) * r;

			dx[i * H + k] = (real) (r * ((double) gain[k] * dy[i * H + k] - mean_e - v * mean_ev));
		}
	}
}

/* Width of gap k: the distance of quantile k from its inner neighbour. */
static double
gap(const real *u, const real *spread, int k, int j)
{
	return rnn_base_gap[k] * spread[j] * softplus(u[k * RNN_BLOCK + j] + RNN_UNIT);
}

static double
quantile(const real *u, const real *middle, const real *spread, int k, int j)
{
	double		q = (double) middle[j] + u[RNN_MEDIAN * RNN_BLOCK + j];

	for (int i = RNN_MEDIAN + 1; i <= k; i++)
		q += gap(u, spread, i, j);
	for (int i = RNN_MEDIAN - 1; i >= k; i--)
		q -= gap(u, spread, i, j);
	return q;
}

static void
block_quantiles(const real *u, const real *middle, const real *spread, real *q)
{
	for (int k = 0; k < RNN_QUANTILES; k++)
		for (int j = 0; j < RNN_BLOCK; j++)
			q[k * RNN_BLOCK + j] = (real) quantile(u, middle, spread, k, j);
}

/* The cap, and in *slope its derivative. */
static double
cap(double loss, double *slope)
{
	double		t = tanh(loss / RNN_LOSS_CAP);

	*slope = 1 - t * t;
	return RNN_LOSS_CAP * t;
}

/* Pinball of point j; adds dLoss/dq to dq (Q). */
static double
pinball(const real *u, const real *middle, const real *spread, int j, double y, double *dq)
{
	double		sum = 0,
				slope;

	for (int k = 0; k < RNN_QUANTILES; k++)
	{
		double		tau = rnn_quantile_levels[k],
					e = y - quantile(u, middle, spread, k, j);

		sum += (e > 0 ? tau * e : (tau - 1) * e) / RNN_QUANTILES;
		dq[k] = (e > 0 ? -tau : 1 - tau) / RNN_QUANTILES;
	}
	sum = cap(sum, &slope);
	for (int k = 0; k < RNN_QUANTILES; k++)
		dq[k] *= slope;
	return sum;
}

/* Loss of the centre alone at distance e, and its derivative to the centre. */
static double
centre_loss(int loss, double e, double *dcentre)
{
	double		slope,
				value = cap(loss == RNN_MSE ? e * e / 2 : fabs(e), &slope);

	*dcentre = slope * (loss == RNN_MSE ? -e : e > 0 ? -1 : 1);
	return value;
}

static double
point_loss(const real *u, const real *middle, const real *spread, int loss, int j, double y,
		   real *du, real *dmiddle)
{
	double		dq[RNN_QUANTILES],
				centre = 0,
				sum = pinball(u, middle, spread, j, y, dq);

	for (int k = 0; k < RNN_QUANTILES; k++)
		centre += dq[k];
	for (int k = 0; k < RNN_QUANTILES; k++)
	{
		/* Gap k moves every quantile from k outwards. */
		double		outer = 0,
					s = 1 / (1 + exp(-(u[k * RNN_BLOCK + j] + RNN_UNIT)));

		for (int i = k; k > RNN_MEDIAN && i < RNN_QUANTILES; i++)
			outer += dq[i];
		for (int i = k; k < RNN_MEDIAN && i >= 0; i--)
			outer -= dq[i];
		du[k * RNN_BLOCK + j] = (real) (outer * rnn_base_gap[k] * spread[j] * s);
	}
	if (loss != RNN_PINBALL)
		sum += centre_loss(loss, y - quantile(u, middle, spread, RNN_MEDIAN, j), &centre);
	du[RNN_MEDIAN * RNN_BLOCK + j] = dmiddle[j] = (real) centre;
	return sum;
}

static double
block_loss(const real *u, const real *middle, const real *target, const real *spread,
		   int loss, real *du, real *dmiddle, int *known)
{
	double		sum = 0;

	for (int j = 0; j < RNN_BLOCK; j++)
		if (isnan(target[j]))
		{
			for (int k = 0; k < RNN_QUANTILES; k++)
				du[k * RNN_BLOCK + j] = 0;
			dmiddle[j] = 0;
		}
		else
		{
			sum += point_loss(u, middle, spread, loss, j, target[j], du, dmiddle);
			++*known;
		}
	return sum;
}

static void
product(int64_t m, int64_t n, int64_t k, const real *a, int64_t a_row, int64_t a_col,
		const real *b, int64_t ldb, bool add, real *c, int64_t ldc)
{
	for (int64_t i = 0; i < m; i++)
		for (int64_t j = 0; j < n; j++)
		{
			double		sum = add ? c[i * ldc + j] : 0;

			for (int64_t p = 0; p < k; p++)
				sum += (double) a[i * a_row + p * a_col] * b[p * ldb + j];
			c[i * ldc + j] = (real) sum;
		}
}

static void
adamw(int64_t n, real *w, const real *g, real *m, real *v, real *ema, real scale, real rate,
	  real beta1, real beta2, real fix1, real fix2, real decay, real ema_decay)
{
	for (int64_t i = 0; i < n; i++)
	{
		double		gi = (double) g[i] * scale,
					mean = beta1 * (double) m[i] + (1 - (double) beta1) * gi,
					square = beta2 * (double) v[i] + (1 - (double) beta2) * gi * gi,
					step = mean * fix1 / (sqrt(square * fix2) + RNN_ADAM_EPS);

		m[i] = (real) mean;
		v[i] = (real) square;
		w[i] = (real) (w[i] - rate * (step + (double) decay * w[i]));
		if (ema)
			ema[i] = (real) (ema_decay * (double) ema[i] + (1 - (double) ema_decay) * w[i]);
	}
}

const rnn_kernels rnn_kernels_reference = {
	.name = "reference",
	.pack = pack,
	.cell = {RNN_CELLS(RNN_CELL_KERNEL)},
	.silu_forward = silu_forward,.silu_backward = silu_backward,.squash = squash,
	.norm_forward = norm_forward,.norm_backward = norm_backward,
	.block_quantiles = block_quantiles,.block_loss = block_loss,
	.product = product,.adamw = adamw,
};
