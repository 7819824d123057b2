/*
 * quantile.c
 *		The distribution behind a forecast's quantiles.
 *
 * Between two levels the quantile function is linear in the normal score
 * z(p), so that quantiles of a normal distribution give it back exactly.
 *
 * Beyond the outermost levels the tail is a power of the distance x from the
 * median, in units of the outermost quantile's: p_0 / x^2, that of Student's t
 * with 2 degrees of freedom.  So it was measured: of 103,792 prior forecasts of
 * five sets (M1 monthly, NN3, PBS, retail, livestock) a quarter of the values
 * beyond x = 1 were beyond 2, and an eighth beyond 3.  What is rarer than LEAST
 * can't be told from such quantiles: there the tail ends.
 *
 * Q(p) never falls and its inverse F(y) = sup {p: Q(p) <= y} never falls
 * either; rnn_quantiles_above is 1 - F.
 *
 * The mean is the integral of Q over p, by Gauss and Legendre's rule in each
 * interval and each tail, of what Q is once the transform is undone and the
 * bounds are kept.
 */
#include "series/series.h"

#include <math.h>

#define Q RNN_QUANTILES
#define M RNN_MEDIAN
#define PI 3.14159265358979323846
#define SQRT_HALF 0.70710678118654752440
#define LEAST 0.001				/* that a chance is said to be, and to be left */

/*
 * Inverse of the normal distribution function, p in (0, 1).  Acklam's
 * rational approximation (relative error 1e-9) and one step of Halley.
 */
double
rnn_normal_score(double p)
{
	static const double a[] = {
		-3.969683028665376e+01, 2.209460984245205e+02, -2.759285104469687e+02,
		1.383577518672690e+02, -3.066479806614716e+01, 2.506628277459239e+00
	};
	static const double b[] = {
		-5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02,
		6.680131188771972e+01, -1.328068155288572e+01
	};
	static const double c[] = {
		-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
		-2.549732539343734e+00, 4.374664141464968e+00, 2.938163982698783e+00
	};
	static const double d[] = {
		7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00,
		3.754408661907416e+00
	};
	double		tail = p < 0.5 ? p : 1 - p,
				x,
				e,
				u;

	if (tail < 0.02425)
	{
		double		t = sqrt(-2 * log(tail));

		x = (((((c[0] * t + c[1]) * t + c[2]) * t + c[3]) * t + c[4]) * t + c[5]) /
			((((d[0] * t + d[1]) * t + d[2]) * t + d[3]) * t + 1);
	}
	else
	{
		double		t = tail - 0.5,
					r = t * t;

		x = (((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r + a[5]) * t /
			(((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r + 1);
	}
	e = 0.5 * erfc(-x * SQRT_HALF) - tail;
	u = e * sqrt(2 * PI) * exp(x * x / 2);
	x -= u / (1 + x * u / 2);
	return p < 0.5 ? x : -x;
}

/* Normal scores of the levels. */
static const double z[Q] = {
	-2.3263478740408408, -1.959963984540054, -1.6448536269514726,
	-1.2815515655446004, -0.84162123357291418, -0.52440051270804078,
	-0.25334710313579978, 0, 0.25334710313579978,
	0.52440051270804067, 0.84162123357291441, 1.2815515655446004,
	1.6448536269514722, 1.9599639845400538, 2.3263478740408408
};

/* Without a difference that could overflow. */
static double
between(double low, double high, double share)
{
	return low == high ? low : low * (1 - share) + high * share;
}

/* Where p of the distribution lies further out than that, on the side of the outermost quantile. */
static double
tail_quantile(double outermost, double median, double p)
{
	double		further = sqrt(rnn_quantile_levels[0] / fmax(p, LEAST)) - 1;

	return outermost == median ? median : rnn_finite(outermost + (outermost - median) * further);
}

/* The share that lies beyond y, which is beyond the outermost quantile; the distances may overflow. */
static double
tail_share(double outermost, double median, double y)
{
	double		unit = fabs(outermost / 2 - median / 2),
				x = unit > 0 ? fabs(y / 2 - median / 2) / unit : INFINITY;

	return fmax(rnn_quantile_levels[0] / (x * x), LEAST);
}

rnn_place
rnn_place_of(double p)
{
	double		score;
	int			k = 0;

	/* 0.9 is not quite what leaves 0.05 on each side. */
	for (int i = 0; i < Q; i++)
		if (fabs(p - rnn_quantile_levels[i]) < 1e-12)
			return (rnn_place) {i < Q - 1 ? i : Q - 2, i == Q - 1};
	score = rnn_normal_score(p);
	if (score < z[0])
		return (rnn_place) {-1, p};
	if (score > z[Q - 1])
		return (rnn_place) {Q - 1, 1 - p};
	while (k < Q - 2 && score > z[k + 1])
		k++;
	return (rnn_place) {k, (score - z[k]) / (z[k + 1] - z[k])};
}

static double
quantile_in(const double *q, rnn_place place)
{
	if (place.k < 0)
		return tail_quantile(q[0], q[M], place.share);
	if (place.k == Q - 1)
		return tail_quantile(q[Q - 1], q[M], place.share);
	return between(q[place.k], q[place.k + 1], place.share);
}

double
rnn_quantile_at(const double *q, double p)
{
	return quantile_in(q, rnn_place_of(p));
}

/* How far y is on the way from low to high. */
static double
share_of(double y, double low, double high)
{
	if (isinf(high - low))
		return (y / 2 - low / 2) / (high / 2 - low / 2);
	return (y - low) / (high - low);
}

double
rnn_quantiles_above(const double *q, double y)
{
	int			k = 0;

	if (q[0] == q[Q - 1])
		return y < q[0];
	if (y < q[0])
		return 1 - tail_share(q[0], q[M], y);
	if (y >= q[Q - 1])
		return tail_share(q[Q - 1], q[M], y);
	while (q[k + 1] <= y)
		k++;
	return 0.5 * erfc(between(z[k], z[k + 1], share_of(y, q[k], q[k + 1])) * SQRT_HALF);
}

/* ---------------------------------------------------------------- the mean */

#define NODES 3					/* Gauss and Legendre's, in an interval */
#define TAIL_NODES 5

static const double node_weight[NODES] = {5.0 / 9, 8.0 / 9, 5.0 / 9};
static const double tail_at[TAIL_NODES] = {-0.906179845938664, -0.5384693101056831, 0, 0.5384693101056831, 0.906179845938664};
static const double tail_weight[TAIL_NODES] = {
	0.23692688505618908, 0.47862867049936647, 0.5688888888888889, 0.47862867049936647, 0.23692688505618908
};

/* (rnn_normal_score(p) - z_k) / (z_{k+1} - z_k) where p is at the nodes of the interval from level k on. */
static const double node_share[Q - 1][NODES] = {
	{0.16157272522861185, 0.5949756010526327, 0.918714310714009},
	{0.14623701679276838, 0.56964056726560974, 0.91128409337543881},
	{0.14407753378375868, 0.56515549407541366, 0.90973264387632091},
	{0.14036448423705447, 0.5571749848487072, 0.90688213274524521},
	{0.12483234898870864, 0.52686181066975613, 0.89692139765849122},
	{0.11860125543241065, 0.51310937766826192, 0.89196240468745847},
	{0.11473687196347494, 0.50399532775507361, 0.88847760090642647},
	{0.11152239909357303, 0.49600467224492739, 0.88526312803652574},
	{0.10803759531254091, 0.48689062233173719, 0.88139874456758971},
	{0.10307860234150838, 0.47313818933024376, 0.87516765101129179},
	{0.093117867254754363, 0.44282501515129352, 0.85963551576294595},
	{0.09026735612367924, 0.43484450592458929, 0.85592246621624235},
	{0.088715906624561122, 0.43035943273438781, 0.85376298320723176},
	{0.081285689285991586, 0.40502439894736286, 0.83842727477138579},
};

/* What a quantile in the units of the network is in the end. */
static double
restored(const rnn_config *cfg, double y)
{
	return rnn_within_bounds(cfg, rnn_restore(cfg, y));
}

/*
 * What lies beyond an outermost quantile q, with median m, in the end: the tail
 * on the scale of the transform or that of the series, whichever is shorter.
 * One that is a tail of logarithms has no mean, and would go far below 0 in the
 * other direction.
 */
static double
tail_restored(const rnn_config *cfg, double q, double m, double p)
{
	double		bent = restored(cfg, tail_quantile(rnn_transform(cfg, q), rnn_transform(cfg, m), p)),
				plain = rnn_within_bounds(cfg, tail_quantile(q, m, p));

	return fabs(bent / 2 - m / 2) < fabs(plain / 2 - m / 2) ? bent : plain;
}

/*
 * The integral of a tail: with x the distance from the median in units of the
 * outermost quantile's, p = p_0 / x^2 from 1 to where p is LEAST, and that
 * distance for all that is rarer.
 */
static double
tail_mean(const rnn_config *cfg, double outermost, double median)
{
	double		p0 = rnn_quantile_levels[0],
				far = sqrt(p0 / LEAST),
				sum = LEAST * tail_restored(cfg, outermost, median, LEAST);

	for (int i = 0; i < TAIL_NODES; i++)
	{
		double		x = 1 + (far - 1) * (1 + tail_at[i]) / 2;

		sum += tail_weight[i] * (far - 1) * p0 / (x * x * x) * tail_restored(cfg, outermost, median, p0 / (x * x));
	}
	return sum;
}

void
rnn_quantiles_in(const rnn_config *cfg, const double *q, const rnn_place *places, int n, double *out)
{
	double		y[Q];

	for (int k = 0; k < Q; k++)
		y[k] = rnn_transform(cfg, q[k]);
	for (int i = 0; i < n; i++)
	{
		int			k = places[i].k;

		out[i] = q[0] == q[Q - 1] ? q[0] : k < 0 || k == Q - 1 ? tail_restored(cfg, q[k < 0 ? 0 : k], q[M], places[i].share) :
			restored(cfg, quantile_in(y, places[i]));
	}
}

double
rnn_quantile_bound(const rnn_config *cfg, const double *q, double p)
{
	rnn_place	place = rnn_place_of(p);
	double		bound;

	rnn_quantiles_in(cfg, q, &place, 1, &bound);
	return bound;
}

double
rnn_quantile_mean(const rnn_config *cfg, const double *q)
{
	double		y[Q],
				sum = 0;

	if (q[0] == q[Q - 1])
		return q[0];
	for (int k = 0; k < Q; k++)
		y[k] = rnn_transform(cfg, q[k]);
	for (int k = 0; k + 1 < Q; k++)
	{
		double		half = (rnn_quantile_levels[k + 1] - rnn_quantile_levels[k]) / 2;

		for (int i = 0; i < NODES; i++)
			sum += half * node_weight[i] * restored(cfg, between(y[k], y[k + 1], node_share[k][i]));
	}
	return rnn_finite(sum + tail_mean(cfg, q[0], q[M]) + tail_mean(cfg, q[Q - 1], q[M]));
}
