/*
 * generate_count.c
 *		Counts, demand that comes now and then, zeros, and values cut off.
 */
#include "generate_parts.h"

/* Poisson, or negative binomial: Poisson with a rate that is gamma distributed. */
static double
count_of(Gen *g, double mean, double shape)
{
	return poisson(g, fmin(shape > 0 ? mean * gamma_of(g, shape) / shape : mean, 1e8));
}

void
make_count(Gen *g)
{
	double		mean = log_between(g, 0.3, chance(g, 0.8) ? 300 : 30000),
				shape = chance(g, 0.5) ? log_between(g, 0.7, 60) : 0,
				rush = 0,
				memory = chance(g, 0.3) ? between(g, 0.3, 0.95) : 0;

	recipe_rate(g);
	for (int t = 0; t < g->total; t++)
	{
		rush = memory * rush + (memory > 0 ? 0.3 * sqrt(1 - memory * memory) * normal(g) : 0);
		g->out[t] = count_of(g, mean * g->out[t] * exp(rush), shape);
	}
	g->finish = FINISH_NONE;
}

/* --------------------------------------------------------------- intermittent */

typedef struct Demand
{
	enum {UNIT, GEOMETRIC, POISSON, LOGNORMAL, PACKS} kind;
	double		mean;
	int			pack;
} Demand;

static double
demand_of(Gen *g, const Demand *d)
{
	switch (d->kind)
	{
		case UNIT:
			return 1;
		case GEOMETRIC:
			return 1 + floor(log(1 - rnn_rng_uniform(&g->rng)) / log(1 - 1 / (1 + d->mean)));
		case POISSON:
			return 1 + poisson(g, d->mean);
		case LOGNORMAL:
			return ceil((1 + d->mean) * exp(0.8 * normal(g)));
		default:
			return d->pack * (1 + poisson(g, 0.7));
	}
}

/*
 * Croston (1972): when there is a demand, and how much, are two processes.
 * The first is Bernoulli, with a rate that may be seasonal or fade, or comes
 * in clumps, or at nearly regular intervals.
 */
void
make_intermittent(Gen *g)
{
	double		p = 1 / log_between(g, 1.3, 25),
				fade = chance(g, 0.15) ? log_between(g, 0.5, 4) / g->n : 0,
				clump = chance(g, 0.3) ? between(g, 0.3, 0.9) : 0,
				next = 0;
	bool		regular = chance(g, 0.15),
				shaped = chance(g, 0.4),
				on = false,
				any = false;
	Demand		d = {.kind = pick(g, 5),.mean = log_between(g, 0.3, 40),.pack = 2 + pick(g, 24)};

	if (shaped && !regular)
		recipe_rate(g);
	for (int t = 0; t < g->total; t++)
	{
		double		rate = fmin(0.95, p * (shaped && !regular ? g->out[t] : 1)) * exp(-fade * t);

		if (regular)
		{
			on = t >= next;
			if (on)
				next += fmax(1, 1 / p * (1 + 0.2 * normal(g)));
		}
		else
			on = chance(g, on && clump > 0 ? fmax(clump, rate) : clump > 0 ? rate * (1 - clump) : rate);
		g->out[t] = on ? demand_of(g, &d) : 0;
		any |= on && t < g->n;
	}
	if (!any)
		g->out[pick(g, g->n)] = demand_of(g, &d);
	g->finish = FINISH_NONE;
}

/* ---------------------------------------------------------------------- zeros */

/* On and off by a Markov chain; x becomes 0 where it is off. */
static void
switch_off(Gen *g, double *x)
{
	double		run = fmax(1.2, chance(g, 0.5) ? log_between(g, 1.2, 10) : g->n * log_between(g, 0.01, 0.3)),
				share = between(g, 0.1, 0.8);
	bool		off = chance(g, share);

	for (int t = 0; t < g->total; t++)
	{
		if (off)
			x[t] = 0;
		if (chance(g, fmin(1, (off ? 1 - share : share) / run)))
			off = !off;
	}
}

/* Price lists: steps, and nothing between them. */
static void
make_steps(Gen *g)
{
	double		rate = log_between(g, 0.5, 20) / g->n,
				up = between(g, 0.3, 1),
				size = log_between(g, 0.01, 0.4),
				level = 1;

	for (int t = 0; t < g->total; t++)
	{
		g->out[t] = level;
		if (chance(g, rate))
			level *= exp(size * exp(0.5 * normal(g)) * (chance(g, up) ? 1 : -1));
		level = fmax(1e-3, fmin(1e3, level));
	}
}

static void
make_sun(Gen *g)
{
	double		period = season_draw(g),
				cloudy = between(g, 0, 0.6),
				cloud = 0,
				memory = between(g, 0, 0.95);
	Season		s = {.period = period,.profile = PROFILE_HALF_WAVE,.evolves = chance(g, 0.3)};
	double		low = 0;

	season_make(g, &s, g->out);
	for (int t = 0; t < g->total; t++)
		low = fmin(low, g->out[t]);
	for (int t = 0; t < g->total; t++)
	{
		double		above = g->out[t] - 0.98 * low;

		cloud = memory * cloud + sqrt(1 - memory * memory) * normal(g);
		g->out[t] = above > 0 && !(above < -0.03 * low) ? above * exp(-cloudy * fabs(cloud)) : 0;
	}
	generate_season(g, period);
}

/* Zero-inflated, rain, nights, price lists, nothing at all, on and off. */
void
make_zero(Gen *g)
{
	static const double kinds[] = {30, 15, 20, 20, 5, 10};
	double	   *x = g->out,
				shape;

	g->finish = FINISH_SCALE;
	switch (weighted(g, kinds, COUNT_OF(kinds)))
	{
		case 0:
			recipe_rate(g);
			switch_off(g, x);
			break;
		case 1:
			shape = log_between(g, 0.3, 3);
			for (int t = 0; t < g->total; t++)
				x[t] = gamma_of(g, shape);
			switch_off(g, x);
			break;
		case 2:
			make_sun(g);
			break;
		case 3:
			make_steps(g);
			break;
		case 4:
			for (int t = 0; t < g->total; t++)
				x[t] = 1;
			if (chance(g, 0.5))
				add_outliers(g, x, 2.0 / g->n, 0.5);
			break;
		default:
			for (int t = 0; t < g->total; t++)
				x[t] = 1;
			switch_off(g, x);
			g->finish = FINISH_NONE;
			break;
	}
}

/* -------------------------------------------------------------------- cut off */

/* Sold out, full, none below nothing, an instrument's coarse scale. */
void
make_censored(Gen *g)
{
	int			kind = pick(g, 5);
	double	   *x = g->out,
				cap = between(g, -0.2, 1.6),
				step = log_between(g, 0.25, 2);

	make_structure(g, RNN_FAMILY_CENSORED);
	standardise(x, g->n, g->total);
	for (int t = 0; t < g->total; t++)
	{
		if (kind == 0 || kind == 2)
			x[t] = fmin(x[t], cap);
		if (kind == 1 || kind == 2)
			x[t] = fmax(0, x[t] + (kind == 1 ? cap : 0.6));
		if (kind == 3)
			x[t] = tanh(x[t] - 0.5 * cap);
		if (kind == 4)
			x[t] = step * floor(x[t] / step + 0.5);
	}
	g->finish = kind == 1 || kind == 2 ? FINISH_SCALE : FINISH_LEVEL;
}
