/*
 * generate.c
 *		One synthetic series: its family, its level, scale and gaps, and the
 *		seasons as they are handed over.
 */
#include "generate_parts.h"

#define LONG_POINTS 200

typedef struct Family
{
	const char *name;
	bool		held_out;
	int			times;			/* as often as another; 0 is 1 */
} Family;

/*
 * Held out are whole processes, of each sort one: a network that was chosen on
 * them was chosen on series that it can't have learned by heart.
 */
static const Family families[RNN_FAMILIES] = {
	[RNN_FAMILY_WALK] = {"walk", false},
	[RNN_FAMILY_WALK_HEAVY] = {"walk, heavy tails", false},
	[RNN_FAMILY_WALK_DRIFT] = {"walk, drift", false},
	[RNN_FAMILY_WALK_GEOMETRIC] = {"walk, geometric", false},
	[RNN_FAMILY_WALK_VOLATILE] = {"walk, changing variance", true},
	[RNN_FAMILY_WALK_REVERTING] = {"walk, reverting", false},
	[RNN_FAMILY_WALK_INTEGRATED] = {"walk, integrated", true},
	[RNN_FAMILY_TREND] = {"trend", false},
	[RNN_FAMILY_SMOOTH] = {"smooth season", false},
	[RNN_FAMILY_SPIKY] = {"spiky season", false},
	[RNN_FAMILY_DOUBLE] = {"two seasons", false},
	[RNN_FAMILY_EVOLVING] = {"evolving season", false},
	[RNN_FAMILY_RESIZED] = {"resized cycles", false},
	[RNN_FAMILY_HOLIDAY] = {"holidays", false},
	[RNN_FAMILY_NOISY] = {"noise", false},
	[RNN_FAMILY_GAUSSIAN] = {"Gaussian process", false},
	[RNN_FAMILY_SARIMA] = {"seasonal ARIMA", false},
	[RNN_FAMILY_ETS] = {"exponential smoothing", true},
	[RNN_FAMILY_REGIME] = {"regimes", false},
	[RNN_FAMILY_BREAK] = {"breaks", false},
	[RNN_FAMILY_CENSORED] = {"censored", false},
	[RNN_FAMILY_COUNT] = {"counts", true},
	[RNN_FAMILY_INTERMITTENT] = {"intermittent", false},
	[RNN_FAMILY_ZERO] = {"zeros", false},
	[RNN_FAMILY_AGGREGATED] = {"aggregated", false},
	[RNN_FAMILY_FRACTIONAL] = {"fractional season", true},
	[RNN_FAMILY_CYCLE] = {"cycles", true},
	[RNN_FAMILY_LOAD] = {"loads", false, 3},
	[RNN_FAMILY_PRICE] = {"prices", false},
	[RNN_FAMILY_SENSOR] = {"sensors", false, 2},
	[RNN_FAMILY_EVENTS] = {"events", false},
	[RNN_FAMILY_SALES] = {"sales", false},
	[RNN_FAMILY_RIVER] = {"rivers", false},
	[RNN_FAMILY_MIX] = {"mix", false},
};

const char *
rnn_family_name(rnn_family family)
{
	return families[family].name;
}

bool
rnn_family_held_out(rnn_family family)
{
	return families[family].held_out;
}

static bool
in_split(int family, rnn_split split)
{
	return split == RNN_SPLIT_ALL || families[family].held_out == (split == RNN_SPLIT_HELD_OUT);
}

/* How often a family is drawn where another is once. */
static int
times(int family, rnn_split split)
{
	return in_split(family, split) ? families[family].times > 0 ? families[family].times : 1 : 0;
}

/* Families from .. to - 1 in the split, each as often as it is drawn. */
static int
count_families(int from, int to, rnn_split split)
{
	int			count = 0;

	for (int f = from; f < to; f++)
		count += times(f, split);
	return count;
}

double
rnn_family_share(rnn_family family, rnn_split split)
{
	return times(family, split) * (family < RNN_FAMILY_WALKS ? 0.2 / count_families(0, RNN_FAMILY_WALKS, split) :
								   0.8 / count_families(RNN_FAMILY_WALKS, RNN_FAMILIES, split));
}

static rnn_family
family_draw(Gen *g, int last)
{
	bool		walk = pick(g, 5) == 0;
	int			from = walk ? 0 : RNN_FAMILY_WALKS,
				to = walk ? RNN_FAMILY_WALKS : last,
				k = pick(g, count_families(from, to, g->split)),
				f = from;

	while (k >= times(f, g->split))
		k -= times(f++, g->split);
	return f;
}

static void make_mix(Gen *g);

static void
family_make(Gen *g, rnn_family family)
{
	g->n_seasons = 0;
	g->rumour = 0;
	g->finish = FINISH_LEVEL;
	switch (family)
	{
		case RNN_FAMILY_GAUSSIAN:
			make_gaussian(g);
			break;
		case RNN_FAMILY_SARIMA:
			make_sarima(g);
			break;
		case RNN_FAMILY_ETS:
			make_ets(g);
			break;
		case RNN_FAMILY_REGIME:
			make_regime(g);
			break;
		case RNN_FAMILY_CENSORED:
			make_censored(g);
			break;
		case RNN_FAMILY_COUNT:
			make_count(g);
			break;
		case RNN_FAMILY_INTERMITTENT:
			make_intermittent(g);
			break;
		case RNN_FAMILY_ZERO:
			make_zero(g);
			break;
		case RNN_FAMILY_RESIZED:
			make_resized(g);
			break;
		case RNN_FAMILY_AGGREGATED:
			make_aggregated(g);
			break;
		case RNN_FAMILY_CYCLE:
			make_cycle(g);
			break;
		case RNN_FAMILY_LOAD:
		case RNN_FAMILY_PRICE:
		case RNN_FAMILY_SENSOR:
			make_hours(g, family);
			break;
		case RNN_FAMILY_EVENTS:
			make_events(g);
			break;
		case RNN_FAMILY_SALES:
			make_sales(g);
			break;
		case RNN_FAMILY_RIVER:
			make_river(g);
			break;
		case RNN_FAMILY_MIX:
			make_mix(g);
			break;
		default:
			if (family < RNN_FAMILY_WALKS)
				make_walk(g, family);
			else
				make_structure(g, family);
			break;
	}
}

/* ------------------------------------------------------------------- mixtures */

/* Two or three others: a weighted sum, of values or of logarithms, or one that swings another. */
static void
mix_together(Gen *g, int kind)
{
	int			count = 2 + (kind < 2 && chance(g, 0.4));
	double		seasons[3 * RNN_SYNTH_SEASONS],
				weight;
	int			n_seasons = 0;

	for (int k = 0; k < count; k++)
	{
		family_make(g, family_draw(g, RNN_FAMILY_MIX));
		standardise(g->out, g->n, g->total);
		weight = log_between(g, 0.25, 1);
		for (int t = 0; t < g->total; t++)
		{
			if (k == 0)
				g->mixed[t] = weight * g->out[t];
			else if (kind == 2)
				g->mixed[t] *= 1 + 0.5 * fmax(-2, fmin(6, g->out[t]));
			else
				g->mixed[t] += weight * g->out[t];
		}
		for (int i = 0; i < g->n_seasons; i++)
			seasons[n_seasons++] = g->seasons[i];
	}
	g->n_seasons = 0;
	for (int i = 0; i < n_seasons; i++)
		generate_season(g, seasons[i]);
	memcpy(g->out, g->mixed, sizeof(double) * g->total);
	g->finish = FINISH_LEVEL;
	if (kind == 1)
		exponentiate(g, g->out);
}

/* One, and from some point on another; its seasons are those that will be needed. */
static void
mix_after(Gen *g)
{
	int			at = 1 + (int) (between(g, 0.1, 0.9) * g->n);
	double		shift,
				size = log_between(g, 0.3, 3);

	family_make(g, family_draw(g, RNN_FAMILY_MIX));
	standardise(g->out, g->n, g->total);
	memcpy(g->mixed, g->out, sizeof(double) * g->total);
	family_make(g, family_draw(g, RNN_FAMILY_MIX));
	standardise(g->out, g->n, g->total);
	shift = chance(g, 0.6) && at < g->total ? g->mixed[at] - size * g->out[at] : 0;
	for (int t = 0; t < g->total; t++)
		g->out[t] = t < at ? g->mixed[t] : size * g->out[t] + shift;
	g->finish = FINISH_LEVEL;
}

static void
make_mix(Gen *g)
{
	static const double kinds[] = {40, 20, 20, 20};
	int			kind = weighted(g, kinds, COUNT_OF(kinds));

	if (kind == 3)
		mix_after(g);
	else
		mix_together(g, kind);
}

/* --------------------------------------------------------------------- values */

typedef struct Spread
{
	double		low,
				high;			/* of all points */
	double		range,			/* the rest of the history alone */
				deviation,
				size;			/* mean |x| */
} Spread;

static Spread
spread_of(const double *x, int n, int total)
{
	Spread		s = {x[0], x[0], 0, 0, 0};
	double		mean = 0;

	for (int t = 0; t < total; t++)
	{
		s.low = fmin(s.low, x[t]);
		s.high = fmax(s.high, x[t]);
		if (t == n - 1)
			s.range = s.high - s.low;
		mean += t < n ? x[t] / n : 0;
		s.size += t < n ? fabs(x[t]) / n : 0;
	}
	for (int t = 0; t < n; t++)
		s.deviation += (x[t] - mean) * (x[t] - mean) / n;
	s.deviation = sqrt(s.deviation);
	return s;
}

/* Mostly so high that everything is positive, by little or by much. */
static void
add_level(Gen *g, double *x)
{
	Spread		s = spread_of(x, g->n, g->total);
	double		unit = s.range > 0 ? s.range : 1,
				level = chance(g, 0.88) ? unit * log_between(g, 0.02, 30) - s.low : chance(g, 0.5) ? unit * normal(g) : 0;

	for (int t = 0; t < g->total; t++)
		x[t] += level;
}

static void
multiply(Gen *g, double *x)
{
	double		size = spread_of(x, g->n, g->total).size,
				decades = chance(g, 0.75) ? between(g, -1, 5) : between(g, -5, 9),
				sign = chance(g, 0.03) ? -1 : 1;

	if (!(size > 1e-100))
		size = 1;
	for (int t = 0; t < g->total; t++)
		x[t] *= sign * pow(10, decades) / size;
}

/* To a number of decimals, or halves, quarters, fives of them. */
static void
round_values(Gen *g, double *x)
{
	static const double units[] = {1, 1, 1, 1, 5, 2.5, 2};
	double		deviation = spread_of(x, g->n, g->total).deviation,
				step = pow(10, floor(log10(fmax(deviation, 1e-9) / log_between(g, 1, 3000)))) *
		units[pick(g, COUNT_OF(units))];

	if (deviation > 0)
		for (int t = 0; t < g->total; t++)
			x[t] = floor(x[t] / step + 0.5) * step;
}

/* Whatever a family did, within the bounds that generate.h promises. */
static void
hold(double *x, int total)
{
	double		largest = 0;

	for (int t = 0; t < total; t++)
	{
		if (!isfinite(x[t]))
			x[t] = t > 0 ? x[t - 1] : 0;
		largest = fmax(largest, fabs(x[t]));
	}
	for (int t = 0; t < total; t++)
	{
		if (largest > RNN_SYNTH_HUGE)
			x[t] *= 0.1 * RNN_SYNTH_HUGE / largest;
		if (fabs(x[t]) < RNN_SYNTH_TINY)
			x[t] = 0;
	}
}

static void
finish(Gen *g, rnn_family family)
{
	double	   *x = g->out;

	if (g->finish != FINISH_NONE && chance(g, family == RNN_FAMILY_BREAK ? 0.5 : 0.04))
	{
		bool		positive = g->finish == FINISH_SCALE;
		double		unit = spread_of(x, g->n, g->total).deviation;

		add_outliers(g, x, chance(g, 0.5) ? 1.5 / g->n : log_between(g, 0.003, 0.04), unit * log_between(g, 0.7, 8));
		for (int t = 0; positive && t < g->total; t++)
			x[t] = fmax(0, x[t]);
	}
	if (g->finish == FINISH_LEVEL)
		add_level(g, x);
	if (g->finish != FINISH_NONE)
	{
		multiply(g, x);
		if (chance(g, 0.3))
			round_values(g, x);
	}
	hold(x, g->total);
}

/* ----------------------------------------------------------------------- gaps */

/* Points here and there, and blocks; the first and the last point stay. */
static void
add_gaps(Gen *g, double *x)
{
	int			n = g->n,
				blocks,
				kind = pick(g, 3);
	double		rate = log_between(g, 0.003, 0.3);

	if (n < 6)
		return;
	if (kind != 1)
		for (int t = 1; t < n - 1; t++)
			if (chance(g, rate))
				x[t] = NAN;
	blocks = kind == 0 ? 0 : 1 + pick(g, 3);
	for (int k = 0; k < blocks; k++)
	{
		int			length = 1 + (int) (n * log_between(g, 0.005, 0.15)),
					from = 1 + pick(g, n - 2);

		for (int t = from; t < from + length && t < n - 1; t++)
			x[t] = NAN;
	}
	/* A NaN has many encodings, and the bytes are to be the same. */
	for (int t = 1; t < n - 1; t++)
		if (isnan(x[t]))
			x[t] = NAN;
}

/* -------------------------------------------------------------------- seasons */

static void
given_add(rnn_synth *s, int season)
{
	int			at = s->n_given;

	for (int i = 0; i < s->n_given; i++)
		if (s->given[i] == season)
			return;
	if (at == RNN_SYNTH_SEASONS)
		return;
	for (; at > 0 && s->given[at - 1] > season; at--)
		s->given[at] = s->given[at - 1];
	s->given[at] = season;
	s->n_given++;
}

/* What somebody takes for the season: a cycle, or another calendar's. */
static int
wrong_season(Gen *g, const rnn_synth *s)
{
	int			season;
	bool		right;

	do
	{
		season = g->rumour >= 2 && g->rumour <= RNN_SYNTH_SEASON && chance(g, 0.5) ? (int) g->rumour :
			(int) season_draw(g);
		right = false;
		for (int i = 0; i < s->n_seasons; i++)
			right |= s->seasons[i] == season;
	} while (right);
	return season;
}

/* Three quarters right, the rest as people and catalogues get it wrong. */
static void
hand_over(Gen *g, rnn_synth *s)
{
	static const double kinds[] = {75, 10, 5, 5, 5};
	int			which = s->n_seasons > 1 ? pick(g, s->n_seasons) : 0;
	bool		none = chance(g, 0.3);	/* of two missing, the other is too */

	s->handed = weighted(g, kinds, COUNT_OF(kinds));
	if (s->n_seasons == 0 && s->handed != RNN_HANDED_RIGHT)
		s->handed = RNN_HANDED_WRONG;
	if (s->handed == RNN_HANDED_HALVED && s->seasons[which] < 4)
		s->handed = RNN_HANDED_DOUBLED;
	if (s->handed == RNN_HANDED_WRONG)
	{
		given_add(s, wrong_season(g, s));
		return;
	}
	for (int i = 0; i < s->n_seasons; i++)
	{
		int			m = s->seasons[i];

		if (s->handed == RNN_HANDED_RIGHT || (i != which && !(none && s->handed == RNN_HANDED_MISSING)))
			given_add(s, m);
		else if (s->handed != RNN_HANDED_MISSING)
			given_add(s, s->handed == RNN_HANDED_DOUBLED ? 2 * m : m / 2);
	}
}

/* ----------------------------------------------------------------------- API */

/* Any length; what is recorded by the hour is long. */
static int
draw_points(Gen *g, rnn_family family)
{
	bool		fine = family >= RNN_FAMILY_LOAD && family <= RNN_FAMILY_EVENTS,
				is_long = chance(g, fine ? 0.85 : family == RNN_FAMILY_RIVER ? 0.6 : 0.15);

	return (int) fmin(RNN_SYNTH_LONGEST, floor(log_between(g, is_long ? LONG_POINTS : RNN_SYNTH_SHORTEST, RNN_SYNTH_LONGEST + 1)));
}

void
rnn_synth_make(uint64_t seed, uint64_t number, rnn_split split, int horizon, rnn_synth_work *work, rnn_synth *s)
{
	Gen		   *g = work;
	int			ahead;

	memset(s, 0, sizeof(*s));
	rnn_rng_seed(&g->rng, seed, number);
	g->split = split;
	s->family = family_draw(g, RNN_FAMILIES);
	s->n = draw_points(g, s->family);
	ahead = (int) fmin(RNN_SYNTH_HORIZON, fmax(RNN_SYNTH_LEAST_AHEAD, s->n / 2));
	s->horizon = horizon < 1 ? 1 : horizon > ahead ? ahead : horizon;
	g->n = s->n;
	g->total = s->n + ahead;
	family_make(g, s->family);
	finish(g, s->family);
	if (chance(g, 0.12))
		add_gaps(g, g->out);
	s->n_seasons = g->n_seasons;
	for (int i = 0; i < g->n_seasons; i++)
		s->seasons[i] = (int) g->seasons[i];
	hand_over(g, s);
	memcpy(s->x, g->out, sizeof(double) * (s->n + s->horizon));
}
