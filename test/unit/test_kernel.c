/*
 * test_kernel.c
 *		Every kernel of every instruction set against its naive reference.
 *
 * Lengths 0 to 67 pass every remainder of every vector width; buffers begin 0
 * to 3 floats off a boundary and have guards behind them.  Transcendental
 * functions are reached through the kernels that use them and are measured
 * over their whole range.
 */
#include "check.h"
#include "kernel/engine.h"
#include "kernel/kernel.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST 67
#define GUARD 8
#define ROWS 11					/* passes tiles of 6, 4 and 1 rows */
#define SIZE (4 * ROWS * MOST + 64)

static rnn_rng rng;
static const rnn_kernels *fast;
static const rnn_kernels *const slow = &rnn_kernels_reference;

/* Two equal buffers: one for the reference, one for the kernel under test. */
typedef struct pair
{
	real		block[2][SIZE];
	real	   *ref,
			   *got;
	int64_t		n;
} pair;

static void
pair_init(pair *p, int64_t n, int shift, double sd)
{
	p->n = n;
	p->ref = p->block[0] + shift;
	p->got = p->block[1] + shift;
	for (int64_t i = 0; i < n + GUARD; i++)
		p->ref[i] = p->got[i] = (real) (sd * rnn_rng_normal(&rng));
}

/* Largest difference, relative to 1 or to the values where they are larger. */
static double
pair_error(const pair *p)
{
	double		worst = 0;

	for (int64_t i = 0; i < p->n; i++)
	{
		double		e = fabs((double) p->got[i] - p->ref[i]) / fmax(1, fabs(p->ref[i]));

		if (!(e <= worst))
			worst = isnan(e) ? INFINITY : e;
	}
	for (int64_t i = p->n; i < p->n + GUARD; i++)
		if (p->got[i] != p->ref[i])
			worst = INFINITY;
	return worst;
}

static void
check_pair_within(const pair *p, const char *name, int n, int shift, double limit)
{
	double		e = pair_error(p);

	CHECK(e < limit);
	if (!(e < limit))
		printf("\t%s of %s, length %d, shift %d: error %g\n", name, fast->name, n, shift, e);
}

static void
check_pair(const pair *p, const char *name, int n, int shift)
{
	check_pair_within(p, name, n, shift, 2e-6);
}

static pair a, b, c, d, e, f;

static void
test_activations(int n, int shift)
{
	pair_init(&a, n, shift, 3);
	pair_init(&b, n, (shift + 1) % 4, 1);
	pair_init(&c, n, (shift + 2) % 4, 1);

	slow->silu_forward(n, a.ref, b.ref), fast->silu_forward(n, a.got, b.got);
	check_pair(&b, "silu_forward", n, shift);
	pair_init(&b, n, (shift + 3) % 4, 1);
	slow->silu_backward(n, a.ref, b.ref, c.ref), fast->silu_backward(n, a.got, b.got, c.got);
	check_pair(&c, "silu_backward", n, shift);
	slow->silu_backward(n, a.ref, b.ref, b.ref), fast->silu_backward(n, a.got, b.got, b.got);
	check_pair(&b, "silu_backward in place", n, shift);

	slow->squash(n, a.ref, c.ref), fast->squash(n, a.got, c.got);
	check_pair(&c, "squash", n, shift);
	slow->squash(n, a.ref, a.ref), fast->squash(n, a.got, a.got);
	check_pair(&a, "squash in place", n, shift);
}

/*
 * Inputs of a step and random weights for both, each packed its own way; the
 * packed ones have a guard behind them.
 */
#define MOST_INPUTS 9
#define PACKED RNN_PACKED(4, MOST_INPUTS, MOST)

static pair h_prev, x;
static rnn_step step_ref, step_got;

static void
init_step(const rnn_cell_shape *cell, bool relu, int H, int shift)
{
	static real w_ih[4 * MOST * MOST_INPUTS],
				w_hh[4 * MOST * MOST],
				bias[4 * MOST],
				packed[2][PACKED + GUARD + 4];
	int			I = (H + shift) % MOST_INPUTS + 1;
	int64_t		end = RNN_PACKED(cell->gates, I, H) + shift;

	for (int i = 0; i < cell->x_gates * H * I; i++)
		w_ih[i] = (real) (rnn_rng_normal(&rng) / sqrt(I));
	for (int i = 0; i < (cell->gates - cell->h_first) * H * H; i++)
		w_hh[i] = (real) (rnn_rng_normal(&rng) / sqrt(H));
	for (int i = 0; i < cell->gates * H; i++)
		bias[i] = (real) rnn_rng_normal(&rng);
	for (int i = 0; i < GUARD; i++)
		packed[1][end + i] = (real) i;
	slow->pack(cell, I, H, w_ih, w_hh, bias, packed[0] + shift);
	fast->pack(cell, I, H, w_ih, w_hh, bias, packed[1] + shift);
	for (int i = 0; i < GUARD; i++)
		CHECK(packed[1][end + i] == (real) i);
	pair_init(&x, ROWS * I, (shift + 1) % 4, 1);
	pair_init(&h_prev, ROWS * H, (shift + 2) % 4, 1);
	step_ref = (rnn_step) {.B = ROWS,.I = I,.H = H,.relu = relu,.w = packed[0] + shift,.x = x.ref,.h_prev = h_prev.ref};
	step_got = (rnn_step) {.B = ROWS,.I = I,.H = H,.relu = relu,.w = packed[1] + shift,.x = x.got,.h_prev = h_prev.got};
}

/*
 * Runs one step backward by both: a gates and e h of the step, b c_prev; then
 * f dgates, c dc, dh and the biases' gradients, which are added to.
 */
static void
check_backward(const char *name, rnn_cell kind, bool relu, int H, int shift, bool last)
{
	static pair dy,
				dh,
				dbias;
	int			n = ROWS * H,
				gates = rnn_cells[kind].gates;
	rnn_back	step = {.B = ROWS,.H = H,.relu = relu,.h_prev = h_prev.ref};

	pair_init(&c, n, (shift + 2) % 4, 1);
	pair_init(&f, gates * n, (shift + 1) % 4, 1);
	pair_init(&dy, n, shift, 1);
	pair_init(&dh, n, (shift + 3) % 4, 1);
	pair_init(&dbias, gates * H, shift, 1);
	step.gates = a.ref, step.h = e.ref, step.c_prev = b.ref, step.dy = dy.ref, step.dh = dh.ref;
	step.dc = c.ref, step.dgates = f.ref, step.dbias = dbias.ref;
	slow->cell[kind].backward(&step);
	/* What is fetched ahead of the buffers is not looked at. */
	step.more = !last;
	step.dh = dh.got, step.dc = c.got, step.dgates = f.got, step.dbias = dbias.got;
	fast->cell[kind].backward(&step);
	check_pair(&dh, name, H, shift);
	check_pair(&c, name, H, shift);
	check_pair(&f, name, H, shift);
	check_pair(&dbias, name, H, shift);
}

static void
test_cell(rnn_cell kind, bool relu, int H, int shift)
{
#define NAME(NUMBER, name, ...) #name,
	static const char *const names[] = {RNN_CELLS(NAME)};
	const rnn_cell_shape *cell = &rnn_cells[kind];
	int			n = ROWS * H;

	init_step(cell, relu, H, shift);
	pair_init(&a, 4 * n, shift, 2);
	pair_init(&b, n, (shift + 1) % 4, 1);
	pair_init(&c, n, (shift + 2) % 4, 1);
	pair_init(&e, n, shift, 1);
	step_ref.gates = a.ref, step_ref.c_prev = b.ref, step_ref.c = c.ref, step_ref.h = e.ref;
	step_got.gates = a.got, step_got.c_prev = b.got, step_got.c = c.got, step_got.h = e.got;
	slow->cell[kind].forward(&step_ref);
	fast->cell[kind].forward(&step_got);
	/* What is no activation, as the m of a GRU, has a larger error. */
	check_pair_within(&a, names[kind], H, shift, 4e-6);
	check_pair(&c, names[kind], H, shift);
	check_pair(&e, names[kind], H, shift);
	check_backward(names[kind], kind, relu, H, shift, cell->gates == 1 || shift != 0);
}

static void
test_norm(int H, int shift)
{
	int			n = ROWS * H;
	pair		gain,
				bias,
				dgain,
				dbias,
				save;

	if (H == 0)
		return;
	pair_init(&a, n, shift, 2);
	for (int i = 0; i < n; i++)
		a.ref[i] = a.got[i] = a.ref[i] + 5; /* a mean that must go */
	pair_init(&b, n, (shift + 1) % 4, 1);
	pair_init(&gain, H, (shift + 2) % 4, 1);
	pair_init(&bias, H, (shift + 3) % 4, 1);
	pair_init(&save, 2 * ROWS, shift, 1);
	slow->norm_forward(ROWS, H, a.ref, gain.ref, bias.ref, b.ref, save.ref);
	fast->norm_forward(ROWS, H, a.got, gain.got, bias.got, b.got, save.got);
	/* A row of few values may have next to no variance, and the error grows with 1/sd. */
	if (H > 7)
	{
		/* Gain times normalised value and bias may cancel: the error is that of the larger terms. */
		check_pair_within(&b, "norm_forward", H, shift, 4e-6);
		check_pair(&save, "norm_forward save", H, shift);
	}
	memcpy(save.got, save.ref, sizeof(real) * 2 * ROWS);
	pair_init(&c, n, (shift + 1) % 4, 1);
	pair_init(&dgain, H, (shift + 2) % 4, 1);
	pair_init(&dbias, H, (shift + 3) % 4, 1);
	pair_init(&d, n, shift, 1);
	slow->norm_backward(ROWS, H, a.ref, gain.ref, save.ref, c.ref, d.ref, dgain.ref, dbias.ref);
	fast->norm_backward(ROWS, H, a.got, gain.got, save.got, c.got, d.got, dgain.got, dbias.got);
	if (H > 7)
		check_pair(&d, "norm_backward dx", H, shift);
	check_pair(&dgain, "norm_backward dgain", H, shift);
	check_pair(&dbias, "norm_backward dbias", H, shift);
	memcpy(d.ref, c.ref, sizeof(real) * n);
	fast->norm_backward(ROWS, H, a.got, gain.got, save.got, c.got, c.got, dgain.got, dbias.got);
	slow->norm_backward(ROWS, H, a.ref, gain.ref, save.ref, c.ref, c.ref, dgain.ref, dbias.ref);
	if (H > 7)
		check_pair(&c, "norm_backward in place", H, shift);
}

static void
test_adamw(int n, int shift)
{
	for (int with_ema = 0; with_ema < 2; with_ema++)
	{
		pair_init(&a, n, shift, 1);
		pair_init(&b, n, (shift + 1) % 4, 1);
		pair_init(&c, n, (shift + 2) % 4, 1);
		pair_init(&d, n, (shift + 3) % 4, 1);
		pair_init(&e, n, shift, 1);
		for (int i = 0; i < n; i++)
			d.ref[i] = d.got[i] = (real) fabs(d.ref[i]);
		slow->adamw(n, a.ref, b.ref, c.ref, d.ref, with_ema ? e.ref : NULL,
					0.5f, 0.01f, 0.9f, 0.999f, 1.5f, 2, 0.1f, 0.99f);
		fast->adamw(n, a.got, b.got, c.got, d.got, with_ema ? e.got : NULL,
					0.5f, 0.01f, 0.9f, 0.999f, 1.5f, 2, 0.1f, 0.99f);
		check_pair(&a, "adamw w", n, shift);
		check_pair(&c, "adamw m", n, shift);
		check_pair(&d, "adamw v", n, shift);
		check_pair(&e, "adamw ema", n, shift);
	}
}

/* c (+)= a b and c (+)= a^T b; a has a row to spare, b and c are wider than used. */
static void
test_product(int n, int shift)
{
	static const int sizes[][2] = {{1, 1}, {4, 3}, {6, 130}, {11, 2}, {13, 40}, {0, 5}, {5, 0}};

	if (!fast->product)
		return;
	for (int i = 0; i < 7; i++)
		for (int way = 0; way < 4; way++)
		{
			bool		turned = way % 2,
						add = way / 2;
			static real big_a[20 * 140],
						big_b[140 * 80];
			int			m = sizes[i][0],
						k = sizes[i][1];

			for (int j = 0; j < 20 * 140; j++)
				big_a[j] = (real) (0.2 * rnn_rng_normal(&rng));
			for (int j = 0; j < 140 * 80; j++)
				big_b[j] = (real) (0.2 * rnn_rng_normal(&rng));
			pair_init(&c, m > 0 ? (m - 1) * (n + 2) + n : 0, shift, 1);
			slow->product(m, n, k, big_a + shift, turned ? 1 : k + 1, turned ? m + 1 : 1,
						  big_b + shift, n + 3, add, c.ref, n + 2);
			fast->product(m, n, k, big_a + shift, turned ? 1 : k + 1, turned ? m + 1 : 1,
						  big_b + shift, n + 3, add, c.got, n + 2);
			check_pair(&c, "product", n, shift);
		}
}

static void
test_block(int round, int shift)
{
	pair		u,
				q,
				middle,
				spread,
				target,
				dmiddle;

	pair_init(&u, RNN_BLOCK * RNN_QUANTILES, shift, round % 3);
	pair_init(&q, RNN_BLOCK * RNN_QUANTILES, (shift + 1) % 4, 1);
	pair_init(&middle, RNN_BLOCK, (shift + 2) % 4, 1);
	pair_init(&spread, RNN_BLOCK, (shift + 3) % 4, 1);
	for (int j = 0; j < RNN_BLOCK; j++)
		spread.ref[j] = spread.got[j] = (real) fabs(spread.ref[j]);
	slow->block_quantiles(u.ref, middle.ref, spread.ref, q.ref);
	fast->block_quantiles(u.got, middle.got, spread.got, q.got);
	check_pair(&q, "block_quantiles", round, shift);

	for (int loss = RNN_PINBALL; loss <= RNN_MAE; loss++)
	{
		int			known_ref = 3,
					known_got = 3;
		double		ref,
					got;

		pair_init(&target, RNN_BLOCK, shift, round % 5 == 4 ? 300 : 2);
		pair_init(&dmiddle, RNN_BLOCK, (shift + 1) % 4, 1);
		pair_init(&q, RNN_BLOCK * RNN_QUANTILES, (shift + 1) % 4, 1);
		for (int j = 0; j < RNN_BLOCK; j++)
			if (rnn_rng_below(&rng, 4) == 0 || round == 7)
				target.ref[j] = target.got[j] = (real) NAN;
		ref = slow->block_loss(u.ref, middle.ref, target.ref, spread.ref, loss, q.ref, dmiddle.ref, &known_ref);
		got = fast->block_loss(u.got, middle.got, target.got, spread.got, loss, q.got, dmiddle.got, &known_got);
		CHECK(fabs(ref - got) <= 1e-5 * fmax(1, fabs(ref)));
		CHECK(known_ref == known_got);
		check_pair(&q, "block_loss du", round, shift);
		check_pair(&dmiddle, "block_loss dmiddle", round, shift);
		if (round == 7)
			CHECK(got == 0 && known_got == 3 && dmiddle.got[0] == 0 && q.got[5] == 0);
	}
}

/* Worst error over n values from low to high. */
static double
worst_over(void (*kernel) (int64_t, const real *, real *), double (*exact) (double),
		   float low, float high, bool relative)
{
	double		worst = 0;
	const int	n = 200003;
	real	   *x = malloc(sizeof(real) * n),
			   *y = malloc(sizeof(real) * n);

	for (int i = 0; i < n; i++)
		x[i] = (real) (low + (high - (double) low) * i / (n - 1));
	kernel(n, x, y);
	for (int i = 0; i < n; i++)
	{
		double		right = exact(x[i]),
					error = fabs(y[i] - right) / (relative ? fmax(fabs(right), 1e-30) : fmax(1, fabs(right)));

		if (!(error <= worst))
			worst = isnan(error) ? INFINITY : error;
	}
	free(x);
	free(y);
	return worst;
}

/*
 * A step of a cell of one unit over n windows with the input x as the
 * pre-activation of all its gates, and state before it 0 and c_prev.
 */
static void
one_unit(rnn_cell kind, bool relu, int64_t n, const real *x, real c_prev, real *g, real *c, real *h)
{
	static const real zeros[4],
				ones[4] = {1, 1, 1, 1};
	real		packed[RNN_PACKED(4, 1, 1)],
				state = 0;
	rnn_step	s = {.B = 1,.I = 1,.H = 1,.relu = relu,.w = packed,.h_prev = &state,.c_prev = &c_prev,
	.gates = g,.c = c,.h = h};

	fast->pack(&rnn_cells[kind], 1, 1, ones, zeros, zeros, packed);
	for (s.x = x; s.x < x + n; s.x++)
	{
		fast->cell[kind].forward(&s);
		s.gates += rnn_cells[kind].gates, s.c++, s.h++;
	}
}

static void
tanh_kernel(int64_t n, const real *x, real *y)
{
	one_unit(RNN_ELMAN, false, n, x, 0, y, y, y);
}

/* The sigmoid as the LSTM's input gate shows it. */
static void
sigmoid_kernel(int64_t n, const real *x, real *y)
{
	for (int64_t i = 0; i < n; i++)
	{
		real		gates[4],
					c,
					h;

		one_unit(RNN_LSTM, false, 1, x + i, 0, gates, &c, &h);
		y[i] = gates[0];
	}
}

/* The first gap over the median with spread 1: base_gap softplus(u + RNN_UNIT). */
static void
softplus_kernel(int64_t n, const real *x, real *y)
{
	for (int64_t i = 0; i < n; i += RNN_BLOCK)
	{
		real		u[RNN_BLOCK * RNN_QUANTILES] = {0},
					q[RNN_BLOCK * RNN_QUANTILES],
					middle[RNN_BLOCK] = {0},
					spread[RNN_BLOCK];

		for (int j = 0; j < RNN_BLOCK; j++)
		{
			spread[j] = (real) (1 / rnn_base_gap[RNN_MEDIAN + 1]);
			u[(RNN_MEDIAN + 1) * RNN_BLOCK + j] = i + j < n ? x[i + j] : 0;
		}
		fast->block_quantiles(u, middle, spread, q);
		for (int j = 0; j < RNN_BLOCK && i + j < n; j++)
			y[i + j] = q[(RNN_MEDIAN + 1) * RNN_BLOCK + j];
	}
}

static double exact_sigmoid(double x) { return 1 / (1 + exp(-x)); }
static double exact_softplus(double x)
{
	x += RNN_UNIT;
	return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}
static double exact_squash(double x) { return asinh(x) / 3; }
static double exact_silu(double x) { return x * exact_sigmoid(x); }

static void
test_ranges(void)
{
	const double within = 4e-7;

	CHECK(worst_over(tanh_kernel, tanh, -10, 10, false) < within);
	CHECK(worst_over(tanh_kernel, tanh, -1e4f, 1e4f, false) < within);
	CHECK(worst_over(sigmoid_kernel, exact_sigmoid, -30, 30, false) < within);
	CHECK(worst_over(sigmoid_kernel, exact_sigmoid, -1e4f, 1e4f, false) < within);
	/* The sigmoid's left tail is exp itself, as far as it is told apart: a relative error, of x log2 e without FMA. */
	CHECK(worst_over(sigmoid_kernel, exact_sigmoid, -42, -20, true) < 10 * within);
	CHECK(worst_over(fast->silu_forward, exact_silu, -80, 80, false) < within);
	CHECK(worst_over(softplus_kernel, exact_softplus, -100, 100, false) < within);
	CHECK(worst_over(fast->squash, exact_squash, -2, 2, false) < within);
	CHECK(worst_over(fast->squash, exact_squash, -1e5f, 1e5f, false) < within);
	/* asinh at large values is a logarithm: a relative error of it. */
	for (float top = 1e6f; top < 1e18f; top *= 10)
		CHECK(worst_over(fast->squash, exact_squash, top / 10, top, true) < within);
	CHECK(worst_over(fast->squash, exact_squash, 1e18f, FLT_MAX, true) < within);
	CHECK(worst_over(fast->squash, exact_squash, -FLT_MAX, -1e18f, true) < within);
}

/* Nothing finite, however large, makes a NaN or an infinity. */
static void
test_extremes(void)
{
	const real	values[] = {0, -0.0f, FLT_MIN, -FLT_MIN, 1e-45f, -1e-45f, FLT_MAX, -FLT_MAX,
		1e30f, -1e30f, 88, 89, -87, -88, 100, -104, 1e-20f, 44.01f, -43.7f, 1e10f};
	const int	n = sizeof(values) / sizeof(values[0]);
	real		y[32];

	for (int kernel = 0; kernel < 3; kernel++)
	{
		(kernel == 0 ? tanh_kernel : kernel == 1 ? fast->silu_forward : fast->squash) (n, values, y);
		for (int i = 0; i < n; i++)
			CHECK(isfinite(y[i]));
	}
	sigmoid_kernel(n, values, y);
	for (int i = 0; i < n; i++)
		CHECK(y[i] >= 0 && y[i] <= 1);
	tanh_kernel(n, values, y);
	for (int i = 0; i < n; i++)
		CHECK(y[i] >= -1 && y[i] <= 1);
	softplus_kernel(n, values, y);
	for (int i = 0; i < n; i++)
		CHECK(y[i] >= 0 && (values[i] > 1e30f || isfinite(y[i])));
	for (int i = 0; i < n; i++)
	{
		real		gates[4],
					c0 = 1,
					c1,
					h,
					dy = 1,
					dh = 0,
					dc = 1,
					dgates[4],
					dbias[4] = {0};

		one_unit(RNN_LSTM, false, 1, values + i, c0, gates, &c1, &h);
		CHECK(isfinite(h) && isfinite(c1) && fabsf((float) h) <= 1);
		fast->cell[RNN_LSTM].backward(&(rnn_back) {.B = 1,.H = 1,.gates = gates,.h = &h,.c_prev = &c0,.dy = &dy,
							.dh = &dh,.dc = &dc,.dgates = dgates,.dbias = dbias});
		CHECK(isfinite(dgates[0] + dgates[1] + dgates[2] + dgates[3] + dc));
	}
}

/* A gradient must not come or go with the size of an error: capped, finite. */
static void
test_extreme_loss(void)
{
	for (int loss = RNN_PINBALL; loss <= RNN_MAE; loss++)
		for (double size = 1; size < 1e18; size *= 1000)
		{
			real		u[RNN_BLOCK * RNN_QUANTILES],
						du[RNN_BLOCK * RNN_QUANTILES],
						middle[RNN_BLOCK],
						target[RNN_BLOCK],
						spread[RNN_BLOCK],
						dmiddle[RNN_BLOCK];
			int			known = 0;
			double		sum;

			for (int k = 0; k < RNN_BLOCK * RNN_QUANTILES; k++)
				u[k] = (real) (20 * rnn_rng_normal(&rng));
			for (int j = 0; j < RNN_BLOCK; j++)
			{
				middle[j] = 0;
				spread[j] = (real) (j % 3 ? 1 : size);
				target[j] = (real) (j % 2 ? size : -size);
			}
			sum = fast->block_loss(u, middle, target, spread, loss, du, dmiddle, &known);
			CHECK(known == RNN_BLOCK);
			CHECK(isfinite(sum) && sum <= 2 * RNN_LOSS_CAP * RNN_BLOCK * 1.0001);
			for (int k = 0; k < RNN_BLOCK * RNN_QUANTILES; k++)
				CHECK(isfinite(du[k]));
		}
}

/*
 * Weights without bounds give infinities and NaN: these must come out as NaN
 * and not as a number, and, for the sanitizer to see, without a shift of bits
 * that no exponent has.
 */
static void
test_not_a_number(void)
{
	real		gates[4],
				c,
				h;
	real		in[2] = {(real) NAN, (real) -NAN},
				out[2];

	tanh_kernel(2, in, out);
	CHECK(isnan(out[0]) && isnan(out[1]));
	fast->silu_forward(2, in, out);
	CHECK(isnan(out[0]) && isnan(out[1]));
	one_unit(RNN_ELMAN, true, 2, in, 0, out, out, out);
	CHECK(isnan(out[0]) && isnan(out[1]));
	{
		real		dh[2] = {0},
					dbias = 0;

		fast->cell[RNN_ELMAN].backward(&(rnn_back) {.B = 2,.H = 1,.relu = true,.h = in,.dy = in,.dh = dh,.dgates = out,.dbias = &dbias});
	}
	CHECK(isnan(out[0]) && isnan(out[1]));
	fast->squash(2, in, out);
	CHECK(isnan(out[0]) && isnan(out[1]));
	softplus_kernel(2, in, out);
	CHECK(isnan(out[0]) && isnan(out[1]));
	one_unit(RNN_LSTM, false, 1, in, 1, gates, &c, &h);
	CHECK(isnan(c) && isnan(h));
	in[0] = INFINITY, in[1] = -INFINITY;
	tanh_kernel(2, in, out);
	CHECK(out[0] == 1 && out[1] == -1);
}

static void
test_table(const rnn_kernels *kernels)
{
	fast = kernels;
	for (int n = 0; n <= MOST; n++)
		for (int shift = 0; shift < 4; shift++)
		{
			test_activations(n, shift);
			for (int kind = 0; kind < RNN_CELL_KINDS; kind++)
				test_cell(kind, false, n, shift);
			test_cell(RNN_ELMAN, true, n, shift);
			test_norm(n, shift);
			test_adamw(n, shift);
			test_product(n, shift);
		}
	for (int round = 0; round < 40; round++)
		test_block(round, round % 4);
	test_ranges();
	test_extremes();
	test_extreme_loss();
	test_not_a_number();
}

static void
test_portable(void)
{
	test_table(&rnn_kernels_portable);
}

#ifdef RNN_X86
static void
test_avx2(void)
{
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		test_table(&rnn_kernels_avx2);
	else
		printf("avx2 is not supported here\n");
}

static void
test_avx512(void)
{
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
		__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
		test_table(&rnn_kernels_avx512);
	else
		printf("avx512 is not supported here\n");
}
#endif

/* A limit is a ceiling: the name says what was chosen, twice the same. */
static void
test_dispatch(void)
{
	const char *const names[] = {"portable", "avx2", "avx512"};
	int			best = 0;

	for (int limit = 0; limit <= 2; limit++)
	{
		const char *name = rnn_engine_init(limit);
		int			level = -1;

		for (int i = 0; i <= limit; i++)
			if (strcmp(name, names[i]) == 0)
				level = i;
		CHECK(level >= best);
		CHECK(strcmp(rnn_kernel->name, name) == 0);
		CHECK(strcmp(rnn_engine_init(limit), name) == 0);
		best = level > best ? level : best;
	}
	CHECK(strcmp(rnn_engine_init(0), "portable") == 0);
	CHECK(strcmp(rnn_engine_init(-1), names[best]) == 0);
	CHECK(rnn_blas_name()[0] != 0);
}

int
main(void)
{
	rnn_rng_seed(&rng, 1, 0);
	TEST(test_portable);
#ifdef RNN_X86
	TEST(test_avx2);
	TEST(test_avx512);
#endif
	TEST(test_dispatch);
	return check_summary("kernel");
}
