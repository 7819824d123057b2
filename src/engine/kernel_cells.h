/*
 * kernel_cells.h
 *		What the cells do with their gates, a part of kernel_loops.h.
 *
 * Forward, a vector of units at a time, as the tiles of kernel_products.h
 * leave it: there the gates take as long as a fifth of the products, so a
 * clamp costs two instructions, e^x ends in the 1 + e^x that all of them want,
 * and two quotients share one division.  Backward, a row at a time.
 */

/*
 * Beyond this a sigmoid is 0 or 1 to more digits than a float shows of it, and
 * the product of two 1 + e^x is still a finite number.
 */
#define SATURATED 43

typedef real vec __attribute__((vector_size(KERNEL_WIDTH), aligned(sizeof(real)), may_alias));

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
 * Forward, n units of one window: pre-activations a (4,VL) as a tile of the
 * products leaves them, everything else as the cells keep it.
 */
INLINE void
tanh_units(int n, const vec *a, real *h)
{
	for (; n > 0; n -= VL, a++, h += VL)
		store_units(n < VL ? n : VL, 1 - 2 * reciprocal(one_plus_exp(2 * *a)), h);
}

INLINE void
relu_units(int n, const vec *a, real *h)
{
	const real *x = (const real *) a;

	for (int k = 0; k < n; k++)
		h[k] = k_max(x[k], 0);
}

INLINE void
lstm_units(int n, int64_t H, const vec *a, real *gates, const real *c_prev, real *c, real *h)
{
	vec			in,
				forget,
				candidate,
				out,
				cell;

	reciprocals(one_plus_exp(-a[0]), one_plus_exp(-a[1]), &in, &forget);
	reciprocals(one_plus_exp(2 * a[2]), one_plus_exp(-a[3]), &candidate, &out);
	candidate = 1 - 2 * candidate;
	cell = forget * load_units(n, c_prev) + in * candidate;
	store_units(n, in, gates);
	store_units(n, forget, gates + H);
	store_units(n, candidate, gates + 2 * H);
	store_units(n, out, gates + 3 * H);
	store_units(n, cell, c);
	store_units(n, out * (1 - 2 * reciprocal(one_plus_exp(2 * cell))), h);
}

INLINE void
gru_units(int n, int64_t H, const vec *a, real *gates, const real *h_prev, real *h)
{
	vec			reset,
				update,
				candidate;

	reciprocals(one_plus_exp(-a[1]), one_plus_exp(-a[2]), &reset, &update);
	candidate = 1 - 2 * reciprocal(one_plus_exp(2 * (a[0] + reset * a[3])));
	store_units(n, candidate, gates);
	store_units(n, reset, gates + H);
	store_units(n, update, gates + 2 * H);
	store_units(n, a[3], gates + 3 * H);
	store_units(n, candidate + update * (load_units(n, h_prev) - candidate), h);
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

/* The rows of the step before are wanted soon, and lie where no prefetcher looks. */
INLINE void
fetch_row(int64_t n, const real *x)
{
	for (int64_t k = 0; k < n; k += 64 / (int) sizeof(real))
		__builtin_prefetch(x + k, 0, 2);
}

INLINE void
fetch_before(const rnn_back *s, int64_t b, int64_t gates)
{
	int64_t		H = s->H,
				step = s->B * H;

	if (!s->more)
		return;
	fetch_row(gates * H, s->gates + b * gates * H - gates * step);
	fetch_row(H, s->h_prev + b * H);
	fetch_row(H, s->dy + b * H - step);
	if (s->c_prev)
		fetch_row(H, s->c_prev + b * H - step);
}

/* Backward, one row; d of a unit's state is dy + dh. */
INLINE void
tanh_row_back(int64_t H, const real *restrict h, const real *restrict dy, real *restrict dh,
			  real *restrict da, real *restrict dbias)
{
	for (int64_t k = 0; k < H; k++)
	{
		da[k] = (dy[k] + dh[k]) * (1 - h[k] * h[k]);
		dbias[k] += da[k];
		dh[k] = 0;
	}
}

FN void
tanh_backward(const rnn_back *s)
{
	int64_t		H = s->H;

	for (int64_t b = 0; b < s->B; b++)
	{
		fetch_before(s, b, 0);
		tanh_row_back(H, s->h + b * H, s->dy + b * H, s->dh + b * H, s->dgates + b * H, s->dbias);
	}
}

INLINE void
relu_row_back(int64_t H, const real *restrict h, const real *restrict dy, real *restrict dh,
			  real *restrict da, real *restrict dbias)
{
	for (int64_t k = 0; k < H; k++)
	{
		da[k] = !(h[k] <= 0) ? dy[k] + dh[k] : 0;
		dbias[k] += da[k];
		dh[k] = 0;
	}
}

FN void
relu_backward(const rnn_back *s)
{
	int64_t		H = s->H;

	for (int64_t b = 0; b < s->B; b++)
	{
		fetch_before(s, b, 0);
		relu_row_back(H, s->h + b * H, s->dy + b * H, s->dh + b * H, s->dgates + b * H, s->dbias);
	}
}

/* tanh(c) is h / o: o is never 0, as its pre-activation is clamped. */
INLINE void
lstm_row_back(int64_t H, const real *restrict i, const real *restrict f, const real *restrict g,
			  const real *restrict o, const real *restrict c_prev, const real *restrict h,
			  const real *restrict dy, real *restrict dh, real *restrict dc, real *restrict di,
			  real *restrict df, real *restrict dg, real *restrict dout, real *restrict dbias)
{
	for (int64_t k = 0; k < H; k++)
	{
		real		dk = dy[k] + dh[k],
					d = dc[k] + dk * (o[k] - h[k] * (h[k] / o[k]));

		di[k] = d * g[k] * i[k] * (1 - i[k]);
		df[k] = d * c_prev[k] * f[k] * (1 - f[k]);
		dg[k] = d * i[k] * (1 - g[k] * g[k]);
		dout[k] = dk * h[k] * (1 - o[k]);
		dc[k] = d * f[k];
		dh[k] = 0;
		dbias[k] += di[k];
		dbias[H + k] += df[k];
		dbias[2 * H + k] += dg[k];
		dbias[3 * H + k] += dout[k];
	}
}

FN void
lstm_backward(const rnn_back *s)
{
	int64_t		H = s->H;

	for (int64_t b = 0; b < s->B; b++)
	{
		const real *g = s->gates + b * 4 * H;
		real	   *d = s->dgates + b * 4 * H;

		fetch_before(s, b, 4);
		lstm_row_back(H, g, g + H, g + 2 * H, g + 3 * H, s->c_prev + b * H, s->h + b * H, s->dy + b * H,
					  s->dh + b * H, s->dc + b * H, d, d + H, d + 2 * H, d + 3 * H, s->dbias);
	}
}

INLINE void
gru_row_back(int64_t H, const real *restrict n, const real *restrict r, const real *restrict z,
			 const real *restrict m, const real *restrict h_prev, const real *restrict dy,
			 real *restrict dh, real *restrict dn, real *restrict dr, real *restrict dz,
			 real *restrict dm, real *restrict dbias)
{
	for (int64_t k = 0; k < H; k++)
	{
		real		dk = dy[k] + dh[k],
					da = dk * (1 - z[k]) * (1 - n[k] * n[k]);

		dn[k] = da;
		dm[k] = da * r[k];
		dr[k] = da * m[k] * r[k] * (1 - r[k]);
		dz[k] = dk * (h_prev[k] - n[k]) * z[k] * (1 - z[k]);
		dh[k] = dk * z[k];
		dbias[k] += da;
		dbias[H + k] += dr[k];
		dbias[2 * H + k] += dz[k];
		dbias[3 * H + k] += dm[k];
	}
}

FN void
gru_backward(const rnn_back *s)
{
	int64_t		H = s->H;

	for (int64_t b = 0; b < s->B; b++)
	{
		const real *g = s->gates + b * 4 * H;
		real	   *d = s->dgates + b * 4 * H;

		fetch_before(s, b, 4);
		gru_row_back(H, g, g + H, g + 2 * H, g + 3 * H, s->h_prev + b * H, s->dy + b * H,
					 s->dh + b * H, d, d + H, d + 2 * H, d + 3 * H, s->dbias);
	}
}
