/*
 * generate_random.c
 *		Random numbers and noise of the synthetic series.
 */
#include "generate_parts.h"

double
between(Gen *g, double a, double b)
{
	return a + (b - a) * rnn_rng_uniform(&g->rng);
}

double
log_between(Gen *g, double a, double b)
{
	return a * exp(log(b / a) * rnn_rng_uniform(&g->rng));
}

bool
chance(Gen *g, double p)
{
	return rnn_rng_uniform(&g->rng) < p;
}

int
pick(Gen *g, int n)
{
	return (int) rnn_rng_below(&g->rng, (uint64_t) n);
}

int
weighted(Gen *g, const double *weights, int n)
{
	double		sum = 0,
				u;
	int			i = 0;

	for (int k = 0; k < n; k++)
		sum += weights[k];
	u = sum * rnn_rng_uniform(&g->rng);
	while (i < n - 1 && (u -= weights[i]) >= 0)
		i++;
	return i;
}

double
normal(Gen *g)
{
	return rnn_rng_normal(&g->rng);
}

/* Marsaglia and Tsang, "A simple method for generating gamma variables", 2000. */
double
gamma_of(Gen *g, double shape)
{
	double		d,
				c;

	if (shape < 1)
		return gamma_of(g, shape + 1) * pow(1.0 - rnn_rng_uniform(&g->rng), 1 / shape);
	d = shape - 1.0 / 3;
	c = 1 / sqrt(9 * d);
	for (;;)
	{
		double		z = normal(g),
					v = 1 + c * z;

		if (v <= 0)
			continue;
		v = v * v * v;
		if (log(1.0 - rnn_rng_uniform(&g->rng)) < 0.5 * z * z + d - d * v + d * log(v))
			return d * v;
	}
}

/* Student's t, cut where a single point would be all that is left of a series. */
double
student(Gen *g, double nu)
{
	double		t = normal(g) / sqrt(fmax(gamma_of(g, nu / 2) / (nu / 2), 1e-6));

	return fmax(-40, fmin(40, t));
}

double
poisson(Gen *g, double mean)
{
	double		limit,
				product = 1;
	int			k = 0;

	if (!(mean > 0))
		return 0;
	if (mean > 30)				/* close to normal; a square root makes its variance even */
	{
		double		r = sqrt(mean) + 0.5 * normal(g);

		return floor(r > 0 ? r * r : 0);
	}
	limit = exp(-mean);
	while ((product *= rnn_rng_uniform(&g->rng)) > limit)
		k++;
	return k;
}

void
standardise(double *x, int n, int total)
{
	double		mean = 0,
				square = 0,
				scale;

	for (int t = 0; t < n; t++)
		mean += x[t] / n;
	for (int t = 0; t < n; t++)
		square += (x[t] - mean) * (x[t] - mean) / n;
	scale = square > 1e-24 * (1 + mean * mean) ? 1 / sqrt(square) : 1;
	for (int t = 0; t < total; t++)
		x[t] = fmax(-1e4, fmin(1e4, (x[t] - mean) * scale));
}

/* A random walk through a handful of knots, without corners: a drift that is no season. */
void
slow_walk(Gen *g, double *x, int total)
{
	int			knots = 2 + pick(g, 6);
	double		last = normal(g),
				next = last + normal(g),
				width = (double) total / knots;
	int			knot = 0;

	for (int t = 0; t < total; t++)
	{
		double		u = t / width - knot;

		if (u >= 1)
		{
			knot++;
			u -= 1;
			last = next;
			next = 0.8 * next + normal(g);
		}
		u = u * u * (3 - 2 * u);
		x[t] = last + (next - last) * u;
	}
}

/* x += a cos(frequency t) + b sin(frequency t), by rotation: no call per point. */
void
wave_add(double *x, int total, double frequency, double a, double b)
{
	double		c = cos(frequency),
				s = sin(frequency);

	for (int t = 0; t < total; t++)
	{
		double		next = a * c + b * s;

		x[t] += a;
		b = b * c - a * s;
		a = next;
	}
}

/* Logarithm of the deviation autoregressive, or GARCH(1,1) (Bollerslev 1986). */
void
volatility(Gen *g, double *x, int total)
{
	if (chance(g, 0.5))
	{
		double		phi = 1 - log_between(g, 0.005, 0.15),
					size = between(g, 0.3, 0.9),
					v = size * normal(g);

		for (int t = 0; t < total; t++)
		{
			x[t] = exp(v);
			v = phi * v + size * sqrt(1 - phi * phi) * normal(g);
		}
	}
	else
	{
		double		a = between(g, 0.03, 0.3),
					b = between(g, 0.6, 0.98 - a),
					v = 1;

		for (int t = 0; t < total; t++)
		{
			double		e = sqrt(v) * normal(g);

			x[t] = sqrt(v);
			v = fmin(100, 1 - a - b + a * e * e + b * v);
		}
	}
}

/* AR(1) noise with phi becomes AR(2): its steps too have a memory. */
static void
smoothen(Gen *g, double *x, int total, double phi)
{
	double		psi = between(g, 0.2, 0.9),
				size = sqrt((1 - psi * psi) * (1 - phi * psi) / (1 + phi * psi));

	x[0] *= size / sqrt(1 - psi * psi);
	for (int t = 1; t < total; t++)
		x[t] = psi * x[t - 1] + size * x[t];
}

/* Deviation about 1 each, so that sizes mean the same. */
void
noise_make(Gen *g, Noise kind, double *x, int total)
{
	double		nu,
				phi,
				size;

	switch (kind)
	{
		case NOISE_HEAVY:
			nu = between(g, 2.2, 8);
			size = sqrt((nu - 2) / nu);
			for (int t = 0; t < total; t++)
				x[t] = size * student(g, nu);
			break;
		case NOISE_CORRELATED:
			phi = chance(g, 0.85) ? between(g, 0.2, 0.97) : between(g, -0.7, 0);
			size = sqrt(1 - phi * phi);
			x[0] = normal(g);
			for (int t = 1; t < total; t++)
				x[t] = phi * x[t - 1] + size * normal(g);
			if (phi > 0 && chance(g, 0.5))
				smoothen(g, x, total, phi);
			break;
		case NOISE_VOLATILE:
			volatility(g, x, total);
			for (int t = 0; t < total; t++)
				x[t] *= normal(g);
			break;
		default:
			for (int t = 0; t < total; t++)
				x[t] = normal(g);
			break;
	}
}
