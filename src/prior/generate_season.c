/*
 * generate_season.c
 *		Periods, the profiles that repeat with them, and holidays.
 */
#include "generate_parts.h"

typedef struct Period
{
	double		period;
	double		weight;
} Period;

/* Quarters, weeks, months, hours, half and quarter hours, business days ... */
static const Period calendar[] = {
	{4, 14}, {7, 16}, {12, 26}, {24, 15}, {48, 5}, {52, 7}, {96, 4}, {168, 4}, {336, 3}, {365, 4},
	{5, 2}, {6, 2}, {8, 1}, {10, 1}, {13, 1}, {21, 1}, {30, 2}, {60, 1}, {144, 1}, {288, 1}, {364, 1}, {672, 1},
};

static const double pairs[][2] = {
	{24, 168}, {24, 168}, {24, 168}, {48, 336}, {48, 336}, {96, 672}, {7, 365}, {7, 365}, {7, 364},
	{7, 30}, {12, 84}, {4, 28}, {5, 21}, {8, 56}, {4, 52}, {13, 52}, {12, 48}, {6, 42}, {24, 365},
};

static const double fractions[] = {52.18, 30.44, 365.25, 4.348, 13.04, 91.31, 29.53, 10.44, 21.74};


/* Mostly two and a half seasons or more, as people begin to think of one then. */
static bool
fits(Gen *g, double period)
{
	return 2.5 * period <= g->n || (period <= g->n ? chance(g, 0.12) : chance(g, 0.01));
}

double
season_draw(Gen *g)
{
	double		weights[COUNT_OF(calendar)];

	for (int i = 0; i < COUNT_OF(calendar); i++)
		weights[i] = calendar[i].weight;
	for (int tries = 0; tries < 30; tries++)
	{
		double		period = chance(g, 0.8) ? calendar[weighted(g, weights, COUNT_OF(calendar))].period :
			floor(log_between(g, RNN_SYNTH_SHORTEST, RNN_SYNTH_SEASON + 1));

		if (fits(g, period))
			return period;
	}
	return chance(g, 0.7) ? 4 : chance(g, 0.6) ? 12 : 7;
}

int
season_pair(Gen *g, double *periods)
{
	for (int tries = 0; tries < 20; tries++)
	{
		const double *p = pairs[pick(g, COUNT_OF(pairs))];

		if (fits(g, p[1]))
		{
			periods[0] = p[0];
			periods[1] = p[1];
			return 2;
		}
	}
	periods[0] = season_draw(g);
	if (g->n < 24)
		return 1;
	periods[1] = periods[0] * (2 + pick(g, 8));
	return periods[1] <= RNN_SYNTH_SEASON && fits(g, periods[1]) ? 2 : 1;
}

double
season_fraction(Gen *g)
{
	for (int tries = 0; tries < 20; tries++)
	{
		double		period = chance(g, 0.6) ? fractions[pick(g, COUNT_OF(fractions))] :
			log_between(g, 3.6, 400);

		if (fits(g, period))
			return period;
	}
	return between(g, 3.6, 5);
}

/* Ascending; those that differ in whole steps, at most two. */
void
generate_season(Gen *g, double period)
{
	double		steps = floor(period + 0.5);

	if (steps < 2 || steps > RNN_SYNTH_SEASON || g->n_seasons == RNN_SYNTH_SEASONS)
		return;
	if (g->n_seasons == 1 && g->seasons[0] == steps)
		return;
	g->seasons[g->n_seasons++] = steps;
	if (g->n_seasons == 2 && g->seasons[0] > g->seasons[1])
	{
		g->seasons[1] = g->seasons[0];
		g->seasons[0] = steps;
	}
}

Season
season_of(Gen *g, double period, bool smooth)
{
	static const double weights[PROFILES] = {4, 4, 2, 2, 2, 0};
	Season		s = {.period = period};
	int			m = (int) period;

	s.profile = smooth ? PROFILE_SMOOTH : weighted(g, weights, PROFILES);
	/* A year of days or half hours has no number of its own for each day. */
	if (s.profile == PROFILE_RANDOM && m > 60)
		s.profile = PROFILE_SMOOTH;
	/* A week is one of days: of 7, or of a whole number of steps in each. */
	if (!smooth && period == m && m % 7 == 0 && (m == 7 || m == 168 || m == 336 || m == 672) && chance(g, 0.75))
	{
		s.profile = PROFILE_WEEK;
		s.days = 7;
	}
	return s;
}

/* ------------------------------------------------------------------ profiles */

/* Amplitudes fall with the harmonic's number. */
static void
profile_smooth(Gen *g, double *p, int m, int harmonics)
{
	double		fall = between(g, 0.5, 2.5);

	memset(p, 0, sizeof(double) * m);
	for (int h = 1; h <= harmonics && 2 * h <= m; h++)
	{
		double		a = normal(g) * pow(h, -fall),
					b = normal(g) * pow(h, -fall);

		if (h == 1 && chance(g, 0.7))	/* mostly one wave, with something on it */
			a += a < 0 ? -1.5 : 1.5;
		wave_add(p, m, TAU * h / m, a, b);
	}
}

static void
profile_spikes(Gen *g, double *p, int m)
{
	int			count = 1 + pick(g, m < 8 ? 1 : m < 30 ? 2 : 4);

	for (int i = 0; i < m; i++)
		p[i] = 0.05 * normal(g);
	for (int k = 0; k < count; k++)
	{
		int			at = pick(g, m);
		double		height = exp(0.5 * normal(g)) * (chance(g, 0.85) ? 1 : -1),
					before = m < 16 ? 0 : exp(-1 / log_between(g, 0.1, m / 16.0)),
					after = m < 16 ? 0 : exp(-1 / log_between(g, 0.1, m / 8.0));

		for (int i = 0; i < m; i++)
		{
			int			d = (i - at + m) % m;

			p[i] += height * (d <= m / 2 ? pow(after, d) : pow(before, m - d));
		}
	}
}

/* Opening hours: a few levels, with soft edges now and then. */
static void
profile_blocks(Gen *g, double *p, int m)
{
	int			count = 2 + pick(g, m < 8 ? 1 : 3),
				first = pick(g, m),
				next = 0;
	double		level = 0,
				soft = chance(g, 0.5) && m >= 12 ? between(g, 0.3, 0.8) : 0;

	for (int i = 0; i < m; i++)
	{
		if (i >= next)
		{
			level = normal(g);
			next = i + 1 + pick(g, 2 * m / count + 1);
		}
		p[(first + i) % m] = level;
	}
	for (int i = 0; soft > 0 && i < 2 * m; i++)
		p[i % m] = soft * p[(i + m - 1) % m] + (1 - soft) * p[i % m];
}

/* The sun: nothing, then half a wave. */
static void
profile_half_wave(Gen *g, double *p, int m)
{
	double		width = between(g, 0.25, 0.7),
				start = between(g, 0, 1),
				power = between(g, 0.6, 2);

	for (int i = 0; i < m; i++)
	{
		double		u = (double) i / m - start;

		u -= floor(u);
		p[i] = u < width ? pow(sin(TAU / 2 * u / width), power) : 0;
	}
}

static void
profile_fill(Gen *g, Profile kind, double *p, int m)
{
	switch (kind)
	{
		case PROFILE_RANDOM:
			for (int i = 0; i < m; i++)
				p[i] = chance(g, 0.5) && i > 0 ? 0.6 * p[i - 1] + 0.8 * normal(g) : normal(g);
			break;
		case PROFILE_SPIKES:
			profile_spikes(g, p, m);
			break;
		case PROFILE_BLOCKS:
			profile_blocks(g, p, m);
			break;
		case PROFILE_HALF_WAVE:
			profile_half_wave(g, p, m);
			break;
		default:
			profile_smooth(g, p, m, 1 + pick(g, 6));
			break;
	}
}

/* Working days share a day's profile; Saturday and Sunday have less of it, or another. */
static void
profile_week(Gen *g, double *p, int m, int days)
{
	static const Profile kinds[] = {PROFILE_SMOOTH, PROFILE_SMOOTH, PROFILE_BLOCKS, PROFILE_SPIKES, PROFILE_HALF_WAVE};
	double	   *day = g->part[2],
			   *free_day = g->part[2] + RNN_SYNTH_SEASON,
				factor[7],
				level[7],
				other = chance(g, 0.5) ? between(g, 0, 1) : 0;
	int			steps = m / days,
				start = pick(g, 7);
	Profile		kind = kinds[pick(g, COUNT_OF(kinds))];

	if (steps > 1)
	{
		profile_fill(g, kind, day, steps);
		profile_fill(g, kind, free_day, steps);
		standardise(day, steps, steps);
		standardise(free_day, steps, steps);
	}
	else
		day[0] = free_day[0] = 0;
	for (int d = 0; d < 7; d++)
	{
		factor[d] = 1 + 0.05 * normal(g);
		level[d] = 0.15 * normal(g);
	}
	factor[5] *= between(g, 0.2, 1);
	factor[6] *= chance(g, 0.5) ? factor[5] : between(g, 0.1, 1);
	level[5] += between(g, 0.2, 1.5) * (chance(g, 0.75) ? -1 : 1);
	level[6] = chance(g, 0.6) ? level[5] + 0.3 * normal(g) : level[6] + 0.7 * normal(g);
	for (int i = 0; i < m; i++)
	{
		int			d = (i / steps + start) % 7,
					k = i % steps;
		double		mixed = d < 5 ? day[k] : (1 - other) * day[k] + other * free_day[k];

		p[i] = level[d] + factor[d] * mixed;
	}
}

void
profile_make(Gen *g, const Season *s, double *p, int m)
{
	if (s->profile == PROFILE_WEEK)
		profile_week(g, p, m, s->days);
	else
		profile_fill(g, s->profile, p, m);
	standardise(p, m, m);
}

/* The profile at a phase in cycles; between two entries of a fine table by a line. */
static inline double
profile_at(const double *p, int m, double phase, bool line)
{
	double		u = (phase - floor(phase)) * m;
	int			i;

	if (!line)
	{
		i = (int) (u + 0.5);
		return p[i >= m ? i - m : i];
	}
	i = (int) u;
	if (i >= m)
		i = m - 1;
	return p[i] + (u - i) * (p[i + 1 == m ? 0 : i + 1] - p[i]);
}

/*
 * Plain, or with what changes slowly: the amplitude, the phase by a part of a
 * season, the profile towards another.  Scratch: part[2].
 */
void
season_make(Gen *g, const Season *s, double *x)
{
	bool		whole = s->period == floor(s->period),
				line = s->profile == PROFILE_SMOOTH && (!whole || s->evolves);
	int			m = line ? 1024 : (int) fmin(1024, fmax(2, floor(s->period + 0.5)));
	double		start = whole ? (double) pick(g, m) / m : between(g, 0, 1),
			   *slow = g->part[2];
	int			what = s->evolves ? 1 + pick(g, 7) : 0;
	double		swing = between(g, 0.1, 0.6),
				shift = line ? between(g, 0.02, 0.15) : 0;

	profile_make(g, s, g->profile[0], m);
	if (what & 2)
	{
		profile_make(g, s, g->profile[1], m);
		for (int i = 0; i < m; i++)
			g->profile[1][i] = (g->profile[1][i] + g->profile[0][i]) / sqrt(2);
	}
	if (what)
		slow_walk(g, slow, g->total);
	for (int t = 0; t < g->total; t++)
	{
		double		phase = start + t / s->period + (what & 4 ? shift * slow[t] : 0),
					value = profile_at(g->profile[0], m, phase, line);

		if (what & 2)
		{
			double		w = 1 / (1 + exp(-1.5 * slow[t]));

			value += w * (profile_at(g->profile[1], m, phase, line) - value);
		}
		x[t] = what & 1 || what == 4 ? value * exp(swing * slow[t]) : value;
	}
}

/* ------------------------------------------------------------------ holidays */

/*
 * Days that stand out: the same each `period` (Christmas), give or take a
 * few steps (Easter), and others at no rule (promotions).
 */
void
holidays_make(Gen *g, double period, double *x)
{
	int			days = 1 + pick(g, 3);

	memset(x, 0, sizeof(double) * g->total);
	for (int k = 0; k < days; k++)
	{
		bool		rule = chance(g, 0.7);
		double		gap = rule ? period * (chance(g, 0.3) ? 2 + pick(g, 4) : 1) : fmax(period, 20) * between(g, 0.5, 3),
					at = between(g, 0, 1) * gap,
					size = log_between(g, 1, 7) * (chance(g, 0.55) ? 1 : -1);
		int			width = 1 + (gap > 60 ? pick(g, 5) : 0),
					jitter = rule && gap > 30 && chance(g, 0.4) ? 1 + pick(g, (int) (gap / 15)) : 0;

		for (; at < g->total; at += rule ? gap : 1 - gap * log(1 - rnn_rng_uniform(&g->rng)))
		{
			int			from = (int) at + (jitter ? pick(g, 2 * jitter + 1) - jitter : 0);
			double		now = size * (1 + 0.15 * normal(g));

			for (int i = 0; i < width; i++)
				if (from + i >= 0 && from + i < g->total)
					x[from + i] += now * (i == width / 2 ? 1 : 0.6);
		}
	}
}
