/*
 * generate_structure.c
 *		Trend, seasons, holidays and noise together: the series that most
 *		people have.
 */
#include "generate_parts.h"

static const double trend_weights[TRENDS] = {12, 15, 8, 10, 22, 17, 11, 5};
static const double noise_weights[NOISES] = {50, 15, 25, 10};
static const double hourly_noise_weights[NOISES] = {32, 12, 46, 10};

/*
 * Sizes are in deviations of the seasons together, or of the trend without.
 * Quarters and months are a trend with a season, hours and days the reverse,
 * and the finer the steps the longer the noise remembers.
 */
Recipe
recipe_draw(Gen *g, const double *periods, int n_periods)
{
	static const double kinds[] = {45, 25, 30};
	Recipe		r = {.n_seasons = n_periods};
	double		longest = n_periods > 0 ? periods[n_periods - 1] : 0;

	r.trend = weighted(g, trend_weights, TRENDS);
	r.noise = weighted(g, longest >= 24 ? hourly_noise_weights : noise_weights, NOISES);
	r.trend_size = longest <= 6 ? log_between(g, 0.3, 30) : longest <= 13 ? log_between(g, 0.2, 12) :
		log_between(g, 0.05, 4);
	r.noise_size = chance(g, 0.85) ? log_between(g, 0.02, 0.8) : log_between(g, 0.8, 2.5);
	for (int i = 0; i < n_periods; i++)
		r.season[i] = season_of(g, periods[i], chance(g, 0.4));
	r.kind = weighted(g, kinds, 3);
	r.follows_level = chance(g, 0.6);
	if (n_periods == 0)
	{
		r.trend_size = 1;
		r.noise_size = log_between(g, 0.005, 0.8);
		r.kind = chance(g, 0.7) ? ADDITIVE : EXPONENTIAL;
	}
	return r;
}

/* The seasons together, deviation about 1, into x; scratch: part[1], part[2]. */
static void
seasons_make(Gen *g, const Recipe *r, double *x)
{
	double		share = r->n_seasons == 2 ? between(g, 0.15, 0.85) : 1;

	memset(x, 0, sizeof(double) * g->total);
	for (int k = 0; k < r->n_seasons; k++)
	{
		double		size = sqrt(k == 0 ? share : 1 - share);

		season_make(g, &r->season[k], g->part[1]);
		for (int t = 0; t < g->total; t++)
			x[t] += size * g->part[1][t];
		generate_season(g, r->season[k].period);
	}
	if (r->holidays > 0)
	{
		holidays_make(g, r->n_seasons ? r->season[r->n_seasons - 1].period : 50, g->part[1]);
		for (int t = 0; t < g->total; t++)
			x[t] += r->holidays * g->part[1][t];
	}
}

static double
least(const double *x, int total)
{
	double		low = x[0];

	for (int t = 1; t < total; t++)
		low = fmin(low, x[t]);
	return low;
}

static void
combine_additive(Gen *g, const Recipe *r)
{
	const double *trend = g->out,
			   *season = g->part[0],
			   *noise = g->part[1];
	double		low = least(trend, g->total),
				power = r->follows_level ? between(g, 0.3, 1) : 0;

	for (int t = 0; t < g->total; t++)
	{
		double		size = power > 0 ? pow(fmin(30, 0.2 + 0.5 * (trend[t] - low)), power) : 1;

		g->out[t] = r->trend_size * trend[t] + season[t] + r->noise_size * size * noise[t];
	}
	g->finish = FINISH_LEVEL;
}

/* (level) (1 + season) (1 + noise), all of it positive. */
static void
combine_multiplicative(Gen *g, const Recipe *r)
{
	const double *trend = g->out,
			   *season = g->part[0],
			   *noise = g->part[1];
	double		low = least(trend, g->total),
				deep = fmax(0.5, -least(season, g->total)),
				size = fmin(log_between(g, 0.03, 0.7), between(g, 0.6, 0.98) / deep),
				base = log_between(g, 0.05, 3),
				error = fmin(0.4, r->noise_size * size);

	for (int t = 0; t < g->total; t++)
		g->out[t] = (base + (trend[t] - low)) * fmax(0, 1 + size * season[t]) * fmax(0.02, 1 + error * noise[t]);
	g->finish = FINISH_SCALE;
}

static void
combine_exponential(Gen *g, const Recipe *r)
{
	const double *trend = g->out,
			   *season = g->part[0],
			   *noise = g->part[1];
	double		size = log_between(g, 0.03, 0.7),
				growth = r->n_seasons ? fmin(1.2, r->trend_size * size) : size,
				error = fmin(0.6, r->noise_size * size);

	for (int t = 0; t < g->total; t++)
		g->out[t] = exp(fmax(-9, fmin(9, growth * fmax(-6, fmin(6, trend[t])) + size * season[t] + error * noise[t])));
	g->finish = FINISH_SCALE;
}

void
recipe_make(Gen *g, const Recipe *r)
{
	seasons_make(g, r, g->part[0]);
	trend_make(g, r->trend, g->out);
	if (r->breaks)
		add_breaks(g, g->out);
	noise_make(g, r->noise, g->part[1], g->total);
	if (r->kind == ADDITIVE)
		combine_additive(g, r);
	else if (r->kind == MULTIPLICATIVE)
		combine_multiplicative(g, r);
	else
		combine_exponential(g, r);
}

/* The rate of events: never below 0, and without noise of its own to speak of. */
void
recipe_rate(Gen *g)
{
	double		periods[2] = {0, 0},
				mean = 0;
	int			n_periods = g->n < 8 || chance(g, 0.3) ? 0 : chance(g, 0.25) ? season_pair(g, periods) : 1;
	Recipe		r;

	if (n_periods == 1)
		periods[0] = season_draw(g);
	r = recipe_draw(g, periods, n_periods);
	if (r.kind == ADDITIVE)
		r.kind = EXPONENTIAL;
	r.noise_size *= chance(g, 0.5) ? 0 : 0.5;
	if (r.trend == TREND_EXPONENTIAL)
		r.trend = TREND_DRIFT;
	recipe_make(g, &r);
	for (int t = 0; t < g->n; t++)
		mean += g->out[t] / g->n;
	for (int t = 0; t < g->total; t++)
		g->out[t] = fmin(50, g->out[t] / fmax(mean, 1e-9));
}

/* The families that are a recipe with something set. */
void
make_structure(Gen *g, rnn_family family)
{
	double		periods[2] = {0, 0};
	int			n_periods = 1;
	Recipe		r;

	if (family == RNN_FAMILY_DOUBLE || (family == RNN_FAMILY_HOLIDAY && chance(g, 0.4)))
		n_periods = season_pair(g, periods);
	else if (family == RNN_FAMILY_FRACTIONAL)
		periods[0] = season_fraction(g);
	else
		periods[0] = season_draw(g);
	/* No season fits in a handful of points; trends and breaks need none. */
	if (family == RNN_FAMILY_TREND || (g->n < 8 && chance(g, 0.7)) ||
		((family == RNN_FAMILY_NOISY || family == RNN_FAMILY_BREAK || family == RNN_FAMILY_CENSORED) && chance(g, 0.35)))
		n_periods = 0;
	r = recipe_draw(g, periods, n_periods);
	for (int k = 0; k < n_periods; k++)
	{
		if (family == RNN_FAMILY_SMOOTH || family == RNN_FAMILY_SPIKY)
		{
			r.season[k] = season_of(g, periods[k], family == RNN_FAMILY_SMOOTH);
			while (family == RNN_FAMILY_SPIKY && r.season[k].profile == PROFILE_SMOOTH && periods[k] <= 60)
				r.season[k] = season_of(g, periods[k], false);
			if (family == RNN_FAMILY_SPIKY && r.season[k].profile == PROFILE_SMOOTH)
				r.season[k].profile = PROFILE_SPIKES;
		}
		r.season[k].evolves = chance(g, family == RNN_FAMILY_EVOLVING ? 1 : 0.15);
	}
	if (family == RNN_FAMILY_TREND)
		r.trend = 1 + weighted(g, trend_weights + 1, TRENDS - 1);
	if (family == RNN_FAMILY_NOISY)
	{
		r.noise = 1 + weighted(g, noise_weights + 1, NOISES - 1);
		r.noise_size = fmax(r.noise_size, log_between(g, 0.2, 2));
	}
	r.breaks = family == RNN_FAMILY_BREAK && chance(g, 0.85);
	r.holidays = family == RNN_FAMILY_HOLIDAY ? log_between(g, 0.4, 2) : 0;
	recipe_make(g, &r);
}

/* ------------------------------------------------------------- resized cycles */

/* A number for each cycle, remembered for a while: deviation 1. */
static void
cycle_numbers(Gen *g, double *x, int count, double memory)
{
	x[0] = normal(g);
	for (int c = 1; c < count; c++)
		x[c] = memory * x[c - 1] + sqrt(1 - memory * memory) * normal(g);
}

/*
 * The sun behind clouds, traffic, a household's load, temperature: the same
 * course each day, but how far it goes differs from one day to the next.  The
 * noise is larger where the course is high.  Scratch: all parts.
 */
void
make_resized(Gen *g)
{
	static const double usual[] = {24, 24, 24, 24, 48, 48, 96, 12, 144, 288, 7};
	double		period = usual[pick(g, COUNT_OF(usual))],
			   *size = g->part[2],
			   *level = g->part[2] + RNN_SYNTH_POINTS,
			   *noise = g->part[1],
				sizes = log_between(g, 0.03, 0.8),
				levels = chance(g, 0.5) ? 0 : log_between(g, 0.05, 1.5),
				error = log_between(g, 0.02, 0.8),
				base = chance(g, 0.3) ? 0 : log_between(g, 0.05, 1),
				week[7] = {0},
				low;
	bool		weekly,
				sunny = chance(g, 0.35);
	int			m,
				start;
	Season		s;

	if (3 * period > g->n)
		period = season_draw(g);
	m = (int) period;
	weekly = m != 7 && 14 * m < g->n && 7 * m <= RNN_SYNTH_SEASON && chance(g, 0.4);
	s = season_of(g, period, chance(g, 0.5));
	if (sunny)
		s.profile = PROFILE_HALF_WAVE;
	profile_make(g, &s, g->profile[0], m);
	low = least(g->profile[0], m);
	for (int d = 0; weekly && d < 7; d++)
		week[d] = (d < 5 ? 0.1 : -0.6) * fabs(normal(g)) + 0.05 * normal(g);
	start = pick(g, 7 * m);
	cycle_numbers(g, size, g->total / m + 9, between(g, 0, 0.95));
	cycle_numbers(g, level, g->total / m + 9, between(g, 0, 0.98));
	noise_make(g, chance(g, 0.8) ? NOISE_CORRELATED : NOISE_GAUSSIAN, noise, g->total);
	for (int t = 0; t < g->total; t++)
	{
		int			at = t + start % m,
					c = at / m;
		double		part = (double) (at % m) / m,
					high = g->profile[0][at % m] - low,
					now = high * exp(fmin(2, sizes * size[c]) + week[(t + start) / m % 7]);

		/* Clouds dim what is there; other noise has a part of its own. */
		now = sunny ? now * exp(-fabs(error * noise[t])) : now + error * (base + high) * noise[t];
		g->out[t] = now + levels * ((1 - part) * level[c] + part * level[c + 1]);
	}
	generate_season(g, period);
	if (weekly)
		generate_season(g, 7 * period);
	g->finish = FINISH_LEVEL;
	if (sunny || chance(g, 0.3))
	{
		for (int t = 0; t < g->total; t++)
			g->out[t] = fmax(0, g->out[t]);
		g->finish = FINISH_SCALE;
	}
}

/* ---------------------------------------------------------------- aggregation */

typedef struct Aggregation
{
	int			by;
	double		periods[2];		/* of the finer series, 0: none */
} Aggregation;

/* Days to weeks, months to quarters and years, hours to days and shifts, 5 minutes to hours. */
static const Aggregation aggregations[] = {
	{3, {12}}, {3, {12}}, {3, {24, 168}}, {7, {365.25}}, {7, {7, 365.25}}, {12, {12}}, {12, {288}}, {12, {288, 2016}},
	{24, {24, 168}}, {24, {168}}, {24, {24}}, {7, {30.44}}, {3, {0}}, {7, {0}}, {12, {0}}, {24, {0}},
};

void
make_aggregated(Gen *g)
{
	int			n = g->n,
				total = g->total,
				by,
				n_periods,
				mode = pick(g, 8);
	Aggregation a;
	Recipe		r;

	do
		a = aggregations[pick(g, COUNT_OF(aggregations))];
	while (a.by * total > RNN_SYNTH_FINE);
	by = a.by;
	n_periods = (a.periods[0] > 0) + (a.periods[1] > 0);
	/* A season that the history doesn't hold isn't one yet. */
	while (n_periods > 0 && a.periods[n_periods - 1] > n * by && chance(g, 0.95))
		n_periods--;
	g->n = n * by;
	g->total = total * by;
	r = recipe_draw(g, a.periods, n_periods);
	r.noise_size *= sqrt(by);
	recipe_make(g, &r);
	g->n = n;
	g->total = total;
	g->n_seasons = 0;
	for (int k = 0; k < n_periods; k++)
		generate_season(g, a.periods[k] / by);
	/* Sums, means, or each by-th value as it is. */
	for (int t = 0; t < total; t++)
	{
		double		sum = 0;

		for (int i = 0; i < by; i++)
			sum += g->out[t * by + i];
		g->out[t] = mode == 0 ? g->out[t * by + by - 1] : mode < 4 ? sum / by : sum;
	}
}
