/*
 * cells.h
 *		What the cells do with their gates, a part of loops.h.
 *
 * Forward, a vector of units at a time, as the tiles of products.h
 * leave it: there the gates take as long as a fifth of the products, so a
 * clamp costs two instructions, e^x ends in the 1 + e^x that all of them want,
 * and two quotients share one division.  Backward, some vectors of units of
 * all windows.
 */

/*
 * Beyond this a sigmoid is 0 or 1 to more digits than a float shows of it, and
 * the product of two 1 + e^x is still a finite number.
 */
#define SATURATED 43

typedef real vec __attribute__((vector_size(KERNEL_WIDTH), aligned(sizeof(real)), may_alias));
/* What comparing two vectors gives. */
#ifdef RNN_DOUBLE
typedef int64_t mask __attribute__((vector_size(KERNEL_WIDTH)));
#else
typedef int32_t mask __attribute__((vector_size(KERNEL_WIDTH)));
#endif

#ifdef RNN_DOUBLE

INLINE vec
one_plus_exp(vec x)
{
	for (int l = 0; l < VL; l++)
		x[l] = 1 + exp(x[l] < -SATURATED ? -SATURATED : x[l] > SATURATED ? SATURATED : x[l]);
	return x;
}

INLINE vec reciprocal(vec x) { return 1 / x; }

#else

typedef uint32_t bits __attribute__((vector_size(KERNEL_WIDTH), aligned(sizeof(real)), may_alias));

/* x, or the nearer end of what a sigmoid is told apart by; NaN stays NaN. */
INLINE vec
clamped(vec x)
{
#if KERNEL_WIDTH == 64
	return (vec) _mm512_min_ps(_mm512_set1_ps(SATURATED), _mm512_max_ps(_mm512_set1_ps(-SATURATED), (__m512) x));
#elif KERNEL_WIDTH == 32
	return (vec) _mm256_min_ps(_mm256_set1_ps(SATURATED), _mm256_max_ps(_mm256_set1_ps(-SATURATED), (__m256) x));
#else
	const vec	low = (vec) {0} - SATURATED,
				high = (vec) {0} + SATURATED;
	bits		below = (bits) (x < low),
				above = (bits) (x > high);

	return (vec) ((below & (bits) low) | (above & (bits) high) | (~(below | above) & (bits) x));
#endif
}

/* 1 + 2^n 2^r, |r| <= 1/2, with the polynomial whose largest relative error is least, 1e-7. */
INLINE vec
one_plus_exp(vec x)
{
	/* Adds the integer part into the low bits, as an exponent of 2 is stored. */
	const float magic = 12582912.0f + 127,
				log2_e = 1.44269504f;
	vec			t,
				r,
				p;

	x = clamped(x);
	t = x * log2_e + magic;
	r = x * log2_e - (t - magic);
	p = r * 0.00132764725f + 0.00967554096f;
	p = p * r + 0.0555071309f;
	p = p * r + 0.240221202f;
	p = p * r + 0.693146944f;
	p = p * r + 1.0f;
	return p * (vec) ((bits) t << 23) + 1;
}

INLINE vec
reciprocal(vec x)
{
#if KERNEL_WIDTH == 64
	/* 14 bits and a step of Newton's are faster than a division. */
	vec			y = (vec) _mm512_rcp14_ps((__m512) x);

	return y * (2 - x * y);
#else
	return 1 / x;
#endif
}

#endif							/* RNN_DOUBLE */

/* 1 / a and 1 / b */
INLINE void
reciprocals(vec a, vec b, vec *ra, vec *rb)
{
	vec			r = reciprocal(a * b);

	*ra = b * r;
	*rb = a * r;
}

INLINE vec
load_units(int n, const real *x)
{
	vec			v = {0};

	if (n == VL)
		return *(const vec *) x;
	memcpy(&v, x, sizeof(real) * n);
	return v;
}

INLINE void
store_units(int n, vec v, real *x)
{
	if (n == VL)
		*(vec *) x = v;
	else
		memcpy(x, &v, sizeof(real) * n);
}

/*
 * Forward, n units from u on of window b: their pre-activations a, a vector for
 * each gate, as a tile of the products leaves them.
 */
typedef void (*units_function) (const rnn_step *s, int64_t b, int64_t u, int n, const vec *a);

/* The only cell without gates: a has as many vectors as n fill. */
INLINE void
elman_units(const rnn_step *s, int64_t b, int64_t u, int n, const vec *a)
{
	real	   *h = s->h + b * s->H + u;
	const real *x = (const real *) a;

	for (int k = 0; s->relu && k < n; k++)
		h[k] = k_max(x[k], 0);
	for (; !s->relu && n > 0; n -= VL, a++, h += VL)
		store_units(n < VL ? n : VL, 1 - 2 * reciprocal(one_plus_exp(2 * *a)), h);
}

INLINE void
lstm_units(const rnn_step *s, int64_t b, int64_t u, int n, const vec *a)
{
	int64_t		H = s->H,
				at = b * H + u;
	real	   *gates = s->gates + b * 4 * H + u;
	vec			in,
				forget,
				candidate,
				out,
				cell;

	reciprocals(one_plus_exp(-a[0]), one_plus_exp(-a[1]), &in, &forget);
	reciprocals(one_plus_exp(2 * a[2]), one_plus_exp(-a[3]), &candidate, &out);
	candidate = 1 - 2 * candidate;
	cell = forget * load_units(n, s->c_prev + at) + in * candidate;
	store_units(n, in, gates);
	store_units(n, forget, gates + H);
	store_units(n, candidate, gates + 2 * H);
	store_units(n, out, gates + 3 * H);
	store_units(n, cell, s->c + at);
	store_units(n, out * (1 - 2 * reciprocal(one_plus_exp(2 * cell))), s->h + at);
}

INLINE void
gru_units(const rnn_step *s, int64_t b, int64_t u, int n, const vec *a)
{
	int64_t		H = s->H,
				at = b * H + u;
	real	   *gates = s->gates + b * 4 * H + u;
	vec			reset,
				update,
				candidate;

	reciprocals(one_plus_exp(-a[1]), one_plus_exp(-a[2]), &reset, &update);
	candidate = 1 - 2 * reciprocal(one_plus_exp(2 * (a[0] + reset * a[3])));
	store_units(n, candidate, gates);
	store_units(n, reset, gates + H);
	store_units(n, update, gates + 2 * H);
	store_units(n, a[3], gates + 3 * H);
	store_units(n, candidate + update * (load_units(n, s->h_prev + at) - candidate), s->h + at);
}

/* x sigmoid(x) is no cell's, but a gate of its own. */
FN void
silu_forward(int64_t n, const real *x, real *y)
{
	for (int64_t k = 0; k < n; k += VL)
	{
		const int	some = n - k < VL ? (int) (n - k) : VL;
		vec			v = load_units(some, x + k);

		store_units(some, v * reciprocal(one_plus_exp(-v)), y + k);
	}
}

FN void
silu_backward(int64_t n, const real *x, const real *dy, real *dx)
{
	for (int64_t k = 0; k < n; k += VL)
	{
		const int	some = n - k < VL ? (int) (n - k) : VL;
		vec			v = load_units(some, x + k),
					s = reciprocal(one_plus_exp(-v));

		store_units(some, load_units(some, dy + k) * s * (1 + v * (1 - s)), dx + k);
	}
}

/*
 * Backward, n units from u on of window b; d of a unit's state is dy + dh.
 * What the biases get is added to `sum`, a vector per gate.
 */
typedef void (*back_function) (int n, const rnn_back *s, int64_t b, int64_t u, vec *sum);

/* The same units of the step before are wanted soon, and lie where no prefetcher looks. */
INLINE void
fetch_before(const rnn_back *s, int64_t b, int64_t u, int gates)
{
	int64_t		step = s->B * s->H,
				at = b * s->H + u;

	if (!s->more)
		return;
	for (int i = 0; i < gates; i++)
		__builtin_prefetch(s->gates + (b * gates + i) * s->H + u - gates * step, 0, 2);
	__builtin_prefetch(s->h_prev + at, 0, 2);
	__builtin_prefetch(s->dy + at - step, 0, 2);
	if (s->c_prev)
		__builtin_prefetch(s->c_prev + at - step, 0, 2);
}

INLINE void
elman_back(int n, const rnn_back *s, int64_t b, int64_t u, vec *sum)
{
	int64_t		at = b * s->H + u;
	vec			h = load_units(n, s->h + at),
				d = load_units(n, s->dy + at) + load_units(n, s->dh + at);

	fetch_before(s, b, u, 0);
	if (s->relu)
		d = (vec) ((mask) d & ~(mask) (h <= 0));
	else
		d = d * (1 - h * h);
	store_units(n, d, s->dgates + at);
	store_units(n, (vec) {0}, s->dh + at);
	sum[0] += d;
}

/* tanh(c) is h / o: o is never 0, as its pre-activation is clamped. */
INLINE void
lstm_back(int n, const rnn_back *s, int64_t b, int64_t u, vec *sum)
{
	int64_t		H = s->H,
				at = b * H + u;
	const real *from = s->gates + b * 4 * H + u;
	real	   *to = s->dgates + b * 4 * H + u;
	vec			i = load_units(n, from),
				f = load_units(n, from + H),
				g = load_units(n, from + 2 * H),
				o = load_units(n, from + 3 * H),
				h = load_units(n, s->h + at),
				dh = load_units(n, s->dy + at) + load_units(n, s->dh + at),
				dc = load_units(n, s->dc + at) + dh * (o - h * h * reciprocal(o)),
				di = dc * g * i * (1 - i),
				df = dc * load_units(n, s->c_prev + at) * f * (1 - f),
				dg = dc * i * (1 - g * g),
				dout = dh * h * (1 - o);

	fetch_before(s, b, u, 4);
	store_units(n, di, to);
	store_units(n, df, to + H);
	store_units(n, dg, to + 2 * H);
	store_units(n, dout, to + 3 * H);
	store_units(n, dc * f, s->dc + at);
	store_units(n, (vec) {0}, s->dh + at);
	sum[0] += di;
	sum[1] += df;
	sum[2] += dg;
	sum[3] += dout;
}

INLINE void
gru_back(int count, const rnn_back *s, int64_t b, int64_t u, vec *sum)
{
	int64_t		H = s->H,
				at = b * H + u;
	const real *from = s->gates + b * 4 * H + u;
	real	   *to = s->dgates + b * 4 * H + u;
	vec			n = load_units(count, from),
				r = load_units(count, from + H),
				z = load_units(count, from + 2 * H),
				m = load_units(count, from + 3 * H),
				dh = load_units(count, s->dy + at) + load_units(count, s->dh + at),
				dn = dh * (1 - z) * (1 - n * n),
				dr = dn * m * r * (1 - r),
				dz = dh * (load_units(count, s->h_prev + at) - n) * z * (1 - z),
				dm = dn * r;

	fetch_before(s, b, u, 4);
	store_units(count, dn, to);
	store_units(count, dr, to + H);
	store_units(count, dz, to + 2 * H);
	store_units(count, dm, to + 3 * H);
	store_units(count, dh * z, s->dh + at);
	sum[0] += dn;
	sum[1] += dr;
	sum[2] += dz;
	sum[3] += dm;
}

/*
 * Some vectors of units at a time: as few as leave the biases' gradients in
 * registers over all windows, as many as make what is read long pieces.
 */
INLINE void
back_block(const int vecs, const int n, const rnn_back *s, int64_t u, const int gates, back_function units)
{
	vec			sum[4][4] = {{{0}}};

	for (int64_t b = 0; b < s->B; b++)
		for (int v = 0; v < vecs; v++)
			units(n, s, b, u + v * VL, sum[v]);
	for (int v = 0; v < vecs; v++)
		for (int i = 0; i < gates; i++)
		{
			real	   *to = s->dbias + i * s->H + u + v * VL;

			store_units(n, load_units(n, to) + sum[v][i], to);
		}
}

INLINE void
all_units_back(const rnn_back *s, const int gates, back_function units)
{
	int64_t		u = 0;

	for (; u + 4 * VL <= s->H; u += 4 * VL)
		back_block(4, VL, s, u, gates, units);
	for (; u + VL <= s->H; u += VL)
		back_block(1, VL, s, u, gates, units);
	if (u < s->H)
		back_block(1, (int) (s->H - u), s, u, gates, units);
}
