/*
 * generate_process.c
 *		Processes of the textbooks: Gaussian processes, seasonal ARIMA,
 *		exponential smoothing, and stochastic cycles.
 */
#include "generate_parts.h"

/* -------------------------------------------------------- Gaussian processes */

#define FEATURES 24

typedef struct Factor
{
	enum {SQUARED_EXPONENTIAL, ROUGH, PERIODIC, FACTORS} kind;
	double		length;			/* of the scale, or the period, in steps */
	double		decay;			/* of the harmonics */
} Factor;

static Factor
factor_draw(Gen *g, bool periodic)
{
	Factor		f;

	f.kind = periodic ? PERIODIC : pick(g, 2);
	f.length = periodic ? season_draw(g) : fmax(1, g->n * log_between(g, 0.01, 1.5));
	f.decay = between(g, 0.2, 0.75);
	return f;
}

/* From the kernel's spectral density: normal, Student's t, or harmonics. */
static double
frequency_draw(Gen *g, const Factor *f)
{
	int			harmonic = 1;

	switch (f->kind)
	{
		case SQUARED_EXPONENTIAL:
			return normal(g) / f->length;
		case ROUGH:				/* Matern 3/2 */
			return student(g, 3) / f->length;
		default:
			while (harmonic < f->length / 2 - 1 && chance(g, f->decay))
				harmonic++;
			return (chance(g, 0.5) ? 1 : -1) * TAU * harmonic / f->length;
	}
}

/*
 * A sum of one to three kernels, each a product of one or two, by random
 * Fourier features (Rahimi and Recht 2007): a product's frequencies are sums.
 * Season times smooth is a season that evolves.
 */
void
make_gaussian(Gen *g)
{
	int			terms = 1 + pick(g, 3);
	double	   *x = g->out,
				noise = chance(g, 0.8) ? log_between(g, 0.01, 0.6) : 0;

	memset(x, 0, sizeof(double) * g->total);
	for (int k = 0; k < terms; k++)
	{
		bool		periodic = g->n >= 8 && chance(g, 0.5);
		Factor		one = factor_draw(g, periodic),
					two = factor_draw(g, false);
		bool		product = chance(g, 0.5);
		double		size = log_between(g, 0.3, 2) / sqrt(FEATURES);

		if (periodic && product)	/* else there would be no season left */
			two.length = fmax(two.length, one.length * between(g, 2, 8));
		for (int i = 0; i < FEATURES; i++)
		{
			double		w = frequency_draw(g, &one) + (product ? frequency_draw(g, &two) : 0);

			wave_add(x, g->total, w, size * normal(g), size * normal(g));
		}
		if (periodic)
			generate_season(g, one.length);
	}
	for (int t = 0; t < g->total; t++)
		x[t] += noise * normal(g);
	if (chance(g, 0.3))
	{
		double		slope = 3 * normal(g) / g->n;

		for (int t = 0; t < g->total; t++)
			x[t] += slope * t;
	}
	if (chance(g, 0.3))
		exponentiate(g, x);
}

/* ------------------------------------------------------------- seasonal ARIMA */

/* From partial autocorrelations, so that it is stable (Barndorff-Nielsen and Schou 1973). */
static void
stable_pair(Gen *g, int order, double low, double high, double *a)
{
	double		r1 = order > 0 ? between(g, low, high) : 0,
				r2 = order > 1 ? between(g, -0.8, 0.8) : 0;

	a[0] = r1 * (1 - r2);
	a[1] = r2;
}

/* (1 + a0 B^lag + a1 B^2lag) e, in place. */
static void
moving_average(double *x, int n, int lag, const double *a)
{
	for (int t = n - 1; t >= lag; t--)
		x[t] += a[0] * x[t - lag] + (t >= 2 * lag ? a[1] * x[t - 2 * lag] : 0);
}

static void
autoregression(double *x, int n, int lag, const double *a)
{
	for (int t = lag; t < n; t++)
		x[t] += a[0] * x[t - lag] + (t >= 2 * lag ? a[1] * x[t - 2 * lag] : 0);
}

/* Seasons add up from a profile much larger than what changes it. */
static void
seasonal_sum(Gen *g, double *x, int m)
{
	Season		s = season_of(g, m, chance(g, 0.3));
	double		size = log_between(g, 1, 30);

	season_make(g, &s, g->part[0]);
	standardise(x, g->n, g->total);
	for (int t = 0; t < m && t < g->total; t++)
		x[t] = size * g->part[0][t];
	for (int t = m; t < g->total; t++)
		x[t] += x[t - m];
}

/* (p, d, q)(P, D, Q)m of Box and Jenkins, p and q up to 2. */
void
make_sarima(Gen *g)
{
	static const double orders[] = {25, 62, 13};
	int			m = g->n >= 8 && chance(g, 0.75) ? (int) season_draw(g) : 0,
				d = weighted(g, orders, 3),
				burn = 100 + 3 * m;
	bool		seasonal = m && chance(g, 0.55);
	double		ar[2],
				ma[2],
				sar[2] = {0, 0},
				sma[2] = {0, 0},
				nu = chance(g, 0.2) ? between(g, 2.5, 8) : 0,
				drift = d < 2 && chance(g, 0.3) ? 0.3 * normal(g) : 0,
			   *x = g->out;

	stable_pair(g, pick(g, 3), -0.7, d ? 0.9 : 0.97, ar);
	stable_pair(g, pick(g, 3), -0.9, 0.6, ma);
	if (m && (!seasonal || chance(g, 0.3)))
		sar[0] = seasonal ? between(g, -0.5, 0.5) : between(g, 0.4, 0.98);
	if (m && chance(g, 0.6))
		sma[0] = seasonal ? between(g, -0.95, 0) : between(g, -0.5, 0.5);
	for (int t = 0; t < g->total + burn; t++)
		x[t] = nu > 0 ? student(g, nu) : normal(g);
	moving_average(x, g->total + burn, 1, ma);
	autoregression(x, g->total + burn, 1, ar);
	if (m)
	{
		moving_average(x, g->total + burn, m, sma);
		autoregression(x, g->total + burn, m, sar);
	}
	memmove(x, x + burn, sizeof(double) * g->total);
	if (seasonal)
		seasonal_sum(g, x, m);
	for (int k = 0; k < d - (seasonal && d == 2); k++)
	{
		double		last = 0;

		for (int t = 0; t < g->total; t++)
			x[t] = last += x[t] + drift;
	}
	if (m)
		generate_season(g, m);
	/* Logarithms of what is summed twice leave every scale, above all after a short history. */
	if (d + seasonal < (g->n < 40 ? 2 : 3) && d < 2 && chance(g, 0.4))
		exponentiate(g, x);
}

/* ------------------------------------------------------ exponential smoothing */

typedef struct Smoothing
{
	double		alpha,
				beta,
				gamma,
				phi,
				size;			/* of the error */
	int			m;				/* 1: no season */
} Smoothing;

/* State equations of Hyndman et al. 2008, all additive; season (m,) changes. */
static void
ets_additive(Gen *g, const Smoothing *e, double *season)
{
	double		level = 0,
				slope = e->beta > 0 || chance(g, 0.3) ? log_between(g, 0.01, 1) * (chance(g, 0.7) ? 1 : -1) : 0,
				seasons = e->m > 1 ? log_between(g, 0.5, 15) : 0;

	for (int i = 0; i < e->m; i++)
		season[i] *= seasons;
	for (int t = 0; t < g->total; t++)
	{
		double		error = normal(g),
					ahead = level + e->phi * slope,
				   *s = &season[t % e->m];

		g->out[t] = ahead + *s + error;
		level = ahead + e->alpha * error;
		slope = e->phi * slope + e->beta * error;
		*s += e->m > 1 ? e->gamma * error : 0;
	}
}

/* Error and season multiply, the trend is added; held where it can't run away. */
static void
ets_multiplicative(Gen *g, const Smoothing *e, double *season)
{
	double		level = 1,
				bound = fmin(0.05, 3.0 / g->n),
				slope = bound * between(g, -0.3, 1) * (e->beta > 0 || chance(g, 0.3)),
				deep = 0.5,
				size;

	for (int i = 0; i < e->m; i++)
		deep = fmax(deep, -season[i]);
	size = e->m > 1 ? fmin(log_between(g, 0.03, 0.8), 0.95 / deep) : 0;
	for (int i = 0; i < e->m; i++)
		season[i] = 1 + size * season[i];
	for (int t = 0; t < g->total; t++)
	{
		double		error = fmax(-0.9, e->size * normal(g)),
					ahead = level + e->phi * slope,
				   *s = &season[t % e->m];

		g->out[t] = ahead * *s * (1 + error);
		level = fmax(1e-3, ahead * (1 + e->alpha * error));
		slope = e->phi * slope + e->beta * ahead * error;
		slope = fmax(-bound * level, fmin(bound * level, slope));
		*s = fmax(1e-3, fmin(30, *s * (e->m > 1 ? 1 + e->gamma * error : 1)));
	}
	g->finish = FINISH_SCALE;
}

void
make_ets(Gen *g)
{
	Smoothing	e;

	e.m = g->n >= 8 && chance(g, 0.7) ? (int) season_draw(g) : 1;
	e.alpha = chance(g, 0.5) ? between(g, 0.02, 0.95) : log_between(g, 0.01, 0.5);
	e.beta = chance(g, 0.5) ? e.alpha * log_between(g, 0.005, 0.3) : 0;
	e.gamma = (1 - e.alpha) * log_between(g, 0.005, 0.5);
	e.phi = chance(g, 0.5) ? 1 : between(g, 0.8, 0.995);
	e.size = log_between(g, 0.005, 0.2);
	g->profile[0][0] = 0;
	if (e.m > 1)
	{
		Season		s = season_of(g, e.m, chance(g, 0.3));
		int			total = g->total;

		g->total = e.m;			/* one season of it */
		season_make(g, &s, g->part[0]);
		g->total = total;
		memcpy(g->profile[0], g->part[0], sizeof(double) * e.m);
		generate_season(g, e.m);
	}
	if (chance(g, 0.5))
		ets_additive(g, &e, g->profile[0]);
	else
		ets_multiplicative(g, &e, g->profile[0]);
}

/* -------------------------------------------------------------------- cycles */

/* Yule's (1927) AR(2) with complex roots, after a start far enough back. */
static void
cycle_autoregressive(Gen *g, double period)
{
	double		r = exp(-1 / (period * log_between(g, 0.4, 12))),
				a = 2 * r * cos(TAU / period),
				b = -r * r,
				one = 0,
				two = 0;
	int			burn = (int) fmin(2000, 8 * period);

	for (int t = -burn; t < g->total; t++)
	{
		double		x = a * one + b * two + normal(g);

		two = one;
		one = x;
		if (t >= 0)
			g->out[t] = x;
	}
	standardise(g->out, g->n, g->total);
}

/* Cycles of their own length, height and lean: sunspots, hares and lynxes. */
static void
cycle_uneven(Gen *g, double period)
{
	double		lean = between(g, 0.2, 0.65),	/* share of the rise */
				jitter = between(g, 0.03, 0.3),
				heights = between(g, 0.1, 0.6),
				power = between(g, 0.8, 2.5),
				length = period,
				height = 1,
				at = between(g, 0, 1) * period;

	for (int t = 0; t < g->total; t++)
	{
		double		u = at / length,
					v = u < lean ? 0.5 * u / lean : 0.5 + 0.5 * (u - lean) / (1 - lean);

		g->out[t] = height * pow(fmax(0, sin(TAU / 2 * v)), power);
		at += 1;
		if (at >= length)
		{
			at -= length;
			length = fmax(2, period * (1 + jitter * fmax(-2, fmin(2, normal(g)))));
			height = exp(heights * normal(g));
			at = fmin(at, 0.9 * length);
		}
	}
}

void
make_cycle(Gen *g)
{
	double		period = log_between(g, 5, fmax(8, fmin(200, g->n / 2.5))),
				noise = log_between(g, 0.02, 0.5),
			   *x = g->out;
	bool		positive = chance(g, 0.4),
				relative = positive && chance(g, 0.6);

	if (chance(g, 0.5))
		cycle_autoregressive(g, period);
	else
		cycle_uneven(g, period);
	standardise(x, g->n, g->total);
	g->rumour = floor(period + 0.5);
	if (chance(g, 0.35))
	{
		double		size = log_between(g, 0.2, 3);

		trend_make(g, weighted(g, (const double[]) {0, 3, 1, 1, 3, 3, 2, 1}, TRENDS), g->part[0]);
		for (int t = 0; t < g->total; t++)
			x[t] += size * fmax(-20, fmin(20, g->part[0][t]));
	}
	if (g->n >= 24 && chance(g, 0.25))
	{
		double		size = log_between(g, 0.1, 1);
		Season		s = season_of(g, chance(g, 0.5) ? 12 : season_draw(g), true);

		season_make(g, &s, g->part[0]);
		for (int t = 0; t < g->total; t++)
			x[t] += size * g->part[0][t];
		generate_season(g, s.period);
	}
	/* Spots can't be fewer than none, and the more there are the less sure is their number. */
	if (positive)
	{
		double		level = between(g, 0.5, 1.6);

		for (int t = 0; t < g->total; t++)
		{
			double		y = fmax(0, x[t] + level);

			x[t] = fmax(0, y + noise * normal(g) * (relative ? 0.2 + 0.6 * y : 1));
		}
		g->finish = FINISH_SCALE;
		return;
	}
	for (int t = 0; t < g->total; t++)
		x[t] += noise * normal(g);
}
