/*
 * generate_trend.c
 *		Trends, random walks and their kin, switches and breaks.
 */
#include "generate_parts.h"

static void
trend_drift(Gen *g, double *x)
{
	double		drift = between(g, -0.6, 0.6),
				level = 0;

	for (int t = 0; t < g->total; t++)
	{
		x[t] = level;
		level += drift + normal(g);
	}
}

/* Local linear trend: level and slope walk (Harvey 1989), the slope damped a little. */
static void
trend_local(Gen *g, double *x)
{
	double		level = 0,
				slope = normal(g),
				damp = chance(g, 0.5) ? 1 : 1 - log_between(g, 0.003, 0.1),
				steps = log_between(g, 0.01, 1),
				turns = log_between(g, 0.3, 3) / sqrt(g->n);

	for (int t = 0; t < g->total; t++)
	{
		x[t] = level;
		level += slope + steps * normal(g);
		slope = damp * slope + turns * normal(g);
	}
}

static void
trend_pieces(Gen *g, double *x)
{
	double		level = 0,
				slope = normal(g),
				rate = between(g, 0.7, 5) / g->n;

	for (int t = 0; t < g->total; t++)
	{
		x[t] = level;
		level += slope;
		if (chance(g, rate))
			slope = chance(g, 0.15) ? 0 : normal(g);
	}
}

/* Mean 0 and deviation 1 over the history; TREND_NONE is 0. */
void
trend_make(Gen *g, Trend kind, double *x)
{
	double		sign = chance(g, 0.7) ? 1 : -1,
				phi,
				rate,
				middle;

	switch (kind)
	{
		case TREND_LINEAR:
			for (int t = 0; t < g->total; t++)
				x[t] = sign * t;
			break;
		case TREND_DAMPED:
			phi = exp(-log_between(g, 0.5, 8) / g->n);
			for (int t = 0; t < g->total; t++)
				x[t] = -sign * pow(phi, t);
			break;
		case TREND_EXPONENTIAL:
			rate = fmin(between(g, 0.3, 3) / g->n, 0.06);
			for (int t = 0; t < g->total; t++)
				x[t] = sign * exp(rate * t);
			break;
		case TREND_DRIFT:
			trend_drift(g, x);
			break;
		case TREND_LOCAL:
			trend_local(g, x);
			break;
		case TREND_PIECES:
			trend_pieces(g, x);
			break;
		case TREND_CURVE:
			rate = between(g, 4, 20) / g->n;
			middle = between(g, 0, 1.1) * g->n;
			for (int t = 0; t < g->total; t++)
				x[t] = sign / (1 + exp(-rate * (t - middle)));
			break;
		default:
			memset(x, 0, sizeof(double) * g->total);
			return;
	}
	standardise(x, g->n, g->total);
}

/* --------------------------------------------------------------------- walks */

/* Steps into out; what they are summed to is up to the caller. */
static void
walk_steps(Gen *g, rnn_family kind)
{
	double	   *x = g->out,
				nu;

	switch (kind)
	{
		case RNN_FAMILY_WALK_HEAVY:
			nu = between(g, 1.5, 5);
			for (int t = 0; t < g->total; t++)
				x[t] = student(g, nu);
			break;
		case RNN_FAMILY_WALK_VOLATILE:
			nu = between(g, 3, 12);
			volatility(g, x, g->total);
			for (int t = 0; t < g->total; t++)
				x[t] *= chance(g, 0.5) ? student(g, nu) : normal(g);
			break;
		default:
			for (int t = 0; t < g->total; t++)
				x[t] = normal(g);
			break;
	}
}

static void
accumulate(double *x, int total)
{
	for (int t = 1; t < total; t++)
		x[t] += x[t - 1];
}

void
exponentiate(Gen *g, double *x)
{
	double		size = log_between(g, 0.05, 1);

	standardise(x, g->n, g->total);
	for (int t = 0; t < g->total; t++)
		x[t] = exp(fmax(-8, fmin(8, size * x[t])));
	g->finish = FINISH_SCALE;
}

/* Ornstein and Uhlenbeck's, or reflected at two bounds. */
static void
walk_reverting(Gen *g)
{
	double	   *x = g->out,
				level = 0;

	if (chance(g, 0.6))
	{
		double		phi = exp2(-1 / fmax(0.7, g->n * log_between(g, 0.005, 0.5)));

		level = normal(g) / sqrt(1 - phi * phi);
		for (int t = 0; t < g->total; t++)
		{
			level = phi * level + x[t];
			x[t] = level;
		}
		return;
	}
	{
		double		bound = sqrt(g->n) * log_between(g, 0.2, 1) + 1;

		for (int t = 0; t < g->total; t++)
		{
			level += fmax(-bound, fmin(bound, x[t]));
			level = level > bound ? 2 * bound - level : level < -bound ? -2 * bound - level : level;
			x[t] = level;
		}
	}
}

/* ARIMA(p, d, 0): steps with a memory, now and then summed twice. */
static void
walk_integrated(Gen *g)
{
	double	   *x = g->out,
				r1 = chance(g, 0.8) ? between(g, 0.1, 0.9) : between(g, -0.7, -0.1),
				r2 = chance(g, 0.5) ? between(g, -0.6, 0.6) : 0,
				a = r1 * (1 - r2),
				drift = chance(g, 0.3) ? between(g, -0.3, 0.3) : 0;

	x[1] += a * x[0];
	for (int t = 2; t < g->total; t++)
		x[t] += a * x[t - 1] + r2 * x[t - 2];
	if (chance(g, 0.15))
		accumulate(x, g->total);
	for (int t = 0; t < g->total; t++)
		x[t] += drift;
	accumulate(x, g->total);
}

void
make_walk(Gen *g, rnn_family kind)
{
	double	   *x = g->out,
				drift = 0;

	walk_steps(g, kind);
	if (kind == RNN_FAMILY_WALK_REVERTING)
		walk_reverting(g);
	else if (kind == RNN_FAMILY_WALK_INTEGRATED)
		walk_integrated(g);
	else
	{
		if (kind == RNN_FAMILY_WALK_DRIFT || (kind == RNN_FAMILY_WALK_GEOMETRIC && chance(g, 0.5)))
			drift = log_between(g, 0.03, 1.5) * (chance(g, 0.7) ? 1 : -1);
		for (int t = 0; t < g->total; t++)
			x[t] += drift;
		accumulate(x, g->total);
	}
	if (kind == RNN_FAMILY_WALK_GEOMETRIC || (kind == RNN_FAMILY_WALK_VOLATILE && chance(g, 0.6)))
		exponentiate(g, x);
	/* What is measured is often the walk with an error. */
	else if (chance(g, 0.15))
	{
		double		size = log_between(g, 0.1, 2);

		for (int t = 0; t < g->total; t++)
			x[t] += size * normal(g);
	}
}

/* ------------------------------------------------------------------ switches */

typedef struct State
{
	double		level,
				slope,
				size,
				phi;
} State;

/* A hidden Markov chain of two or three states (Hamilton 1989), each its own AR(1). */
void
make_regime(Gen *g)
{
	State		states[3];
	int			count = 2 + pick(g, 2),
				now;
	double		stay = fmax(2, g->n * log_between(g, 0.03, 0.5)),
				drift = 0,
				e = 0;
	bool		slopes = chance(g, 0.3);
	double	   *x = g->out;

	for (int i = 0; i < count; i++)
		states[i] = (State) {
			2.5 * normal(g), slopes ? 6 * normal(g) / g->n : 0, log_between(g, 0.05, 1.5),
			chance(g, 0.5) ? 0 : between(g, -0.3, 0.95)
		};
	now = pick(g, count);
	for (int t = 0; t < g->total; t++)
	{
		const State *s = &states[now];

		e = s->phi * e + s->size * sqrt(1 - s->phi * s->phi) * normal(g);
		drift += s->slope;
		x[t] = s->level + drift + e;
		if (chance(g, 1 / stay))
			now = (now + 1 + pick(g, count - 1)) % count;
	}
	/* Shops have weeks in each regime. */
	if (g->n >= 16 && chance(g, 0.4))
	{
		double		period = season_draw(g),
					size = log_between(g, 0.3, 3);
		Season		season = season_of(g, period, chance(g, 0.5));

		season_make(g, &season, g->part[0]);
		for (int t = 0; t < g->total; t++)
			x[t] += size * g->part[0][t];
		generate_season(g, period);
	}
}

/* Shifts of level, breaks of slope, and shocks that fade, anywhere. */
void
add_breaks(Gen *g, double *x)
{
	int			count = 1 + pick(g, 4);

	for (int i = 0; i < count; i++)
	{
		int			at = 1 + pick(g, g->total - 1),
					kind = pick(g, 4);
		double		size = log_between(g, 0.5, 6) * (chance(g, 0.5) ? 1 : -1),
					fade = exp(-log_between(g, 2, 50) / g->n);

		for (int t = at; t < g->total; t++)
		{
			if (kind == 0)
				x[t] += size * (t - at) / g->n;
			else if (kind == 1)
			{
				x[t] += size;
				size *= fade;
			}
			else
				x[t] += size;
		}
	}
}

void
add_outliers(Gen *g, double *x, double rate, double size)
{
	double		sign = chance(g, 0.6) ? (chance(g, 0.7) ? 1 : -1) : 0;

	for (int t = 0; t < g->total; t++)
		if (chance(g, rate))
			x[t] += size * exp(0.5 * normal(g)) * (sign != 0 ? sign : chance(g, 0.5) ? 1 : -1);
}
