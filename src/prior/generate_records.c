/*
 * generate_records.c
 *		What is recorded by the hour and the minute, and a few things that have
 *		rules of their own: loads, prices, sensors, events, sales, rivers.
 *
 * Hours differ from months in what moves their level: several slow and quick
 * processes at once, besides the calendar's working days and holidays.
 */
#include "generate_parts.h"

/*
 * Ornstein and Uhlenbeck's process: deviation 1, forgotten within about
 * `memory` steps.  With a lag its path is smooth, as that of what has a
 * capacity: the mean of what it was, over about so many steps.
 */
typedef struct Wander
{
	double		x,
				keep,
				step,
				y,				/* of deviation 1 / size */
				slow,
				size;
} Wander;

static Wander
wander_start(Gen *g, double memory, double lag)
{
	Wander		w = {.x = normal(g),.keep = exp(-1 / fmax(memory, 0.1)),.slow = lag > 0 ? exp(-1 / lag) : 0};
	double		both = w.keep * w.slow;

	w.step = sqrt(1 - w.keep * w.keep);
	w.size = sqrt((1 + w.slow) / (1 - w.slow) * (1 - both) / (1 + both));
	w.y = w.x / w.size;
	return w;
}

static double
wander(Gen *g, Wander *w)
{
	w->x = w->keep * w->x + w->step * normal(g);
	w->y = w->slow * w->y + (1 - w->slow) * w->x;
	return w->size * w->y;
}

/* ------------------------------------------------------------------- hours */

#define LEVELS 3

/* How a day goes, and what moves it. */
typedef struct Hours
{
	int			day;			/* steps of a day */
	int			start;			/* step of the week at t = 0 */
	bool		week;
	double		rest,			/* part of a working day's course that a free day has */
				free_level,		/* and how much lower it is */
				holidays;		/* chance of a working day to be free */
	double		memory[LEVELS], /* in days */
				size[LEVELS],	/* in deviations of the day's course */
				lag,			/* of all of them, in days; 0: their paths are rough */
				bend[LEVELS];	/* how much more they move some hours than others */
	double		swing,			/* of the course's size, */
				swing_memory;	/* in days */
	double		year,			/* the level's yearly part, */
				shape_year;		/* and how far the course becomes another one */
	double		warm,			/* what warm and cold weather add, */
				cold,
				weather,		/* whose memory is so many days, */
				mild,			/* beyond these, in deviations of the weather, */
				night;			/* by which nights are colder than days */
	double		noise,
				noise_follows;
} Hours;

static int
draw_day(Gen *g)
{
	static const int usual[] = {24, 24, 24, 24, 24, 48, 48, 96, 144, 288};
	int			day = usual[pick(g, COUNT_OF(usual))];

	/* Three days at least; shorter histories are of shifts, or of weeks of days. */
	while (3 * day > g->n && day > 24)
		day = 24;
	return 3 * day <= g->n ? day : g->n >= 24 ? 8 : 4;
}

static Hours
hours_draw(Gen *g, rnn_family family)
{
	Hours		h = {.day = draw_day(g)};
	bool		sensor = family == RNN_FAMILY_SENSOR,
				price = family == RNN_FAMILY_PRICE;

	h.start = pick(g, 7 * h.day);
	h.week = chance(g, sensor ? 0.25 : 0.85);
	h.rest = between(g, 0, 1);
	h.free_level = log_between(g, 0.1, 1.5) * (chance(g, 0.9) ? 1 : -1);
	h.holidays = chance(g, 0.6) ? log_between(g, 0.005, 0.06) : 0;
	for (int k = 0; k < LEVELS; k++)
	{
		static const double shortest[LEVELS] = {0.04, 0.5, 5},
					longest[LEVELS] = {0.7, 8, 120};

		h.memory[k] = log_between(g, shortest[k], longest[k]);
		h.size[k] = chance(g, 0.15) ? 0 : k == 0 ? log_between(g, 0.03, 0.5) : log_between(g, 0.12, sensor ? 5 : price ? 4 : 2.5);
		h.bend[k] = chance(g, 0.4) ? 0 : between(g, 0, 1.2);
	}
	h.lag = chance(g, price ? 0.4 : 0.75) ? log_between(g, 0.02, 0.3) : 0;
	h.swing = chance(g, 0.3) ? 0 : log_between(g, 0.03, sensor || price ? 0.7 : 0.3);
	h.swing_memory = log_between(g, 0.5, 40);
	h.year = chance(g, 0.4) ? 0 : log_between(g, 0.1, sensor ? 4 : 1.5);
	h.shape_year = chance(g, 0.5) ? 0 : between(g, 0, 1);
	if (!sensor && chance(g, 0.7))
	{
		h.weather = log_between(g, 0.7, 7);
		h.warm = chance(g, 0.3) ? 0 : log_between(g, 0.2, 4);
		h.cold = chance(g, 0.3) ? 0 : log_between(g, 0.2, 4);
		h.mild = between(g, 0, 0.7);
		h.night = chance(g, 0.3) ? 0 : between(g, 0, 1);
	}
	h.noise = log_between(g, 0.003, 0.25);
	h.noise_follows = chance(g, 0.5) ? between(g, 0.3, 1) : 0;
	return h;
}

/* Courses of working and free days, of two times of the year: (4, day), deviation about 1. */
static void
day_courses(Gen *g, const Hours *h, double *course)
{
	for (int k = 0; k < 4; k++)
	{
		Season		s = season_of(g, h->day, chance(g, 0.88));

		profile_make(g, &s, course + k * h->day, h->day);
	}
	for (int i = 0; i < h->day; i++)
	{
		double	   *working = course + i,
				   *free_day = working + h->day,
				   *other = free_day + h->day,
				   *other_free = other + h->day;

		*free_day = h->rest * *working + 0.7 * (1 - h->rest) * *free_day;
		*other = *working + 0.7 * h->shape_year * *other;
		*other_free = *free_day + 0.7 * h->shape_year * *other_free;
	}
}

/*
 * x: the course and the level, of deviation about 1 and more; scratch: part[1],
 * part[2].
 */
static void
hours_make(Gen *g, const Hours *h, double *x)
{
	double	   *course = g->part[2],
				phase = between(g, 0, TAU),
				coldest = between(g, 0, TAU),
				lag = h->lag * h->day;
	Wander		level[LEVELS],
				swing = wander_start(g, h->swing_memory * h->day, lag),
				weather = wander_start(g, h->weather * h->day, lag),
				noise = wander_start(g, chance(g, 0.3) ? 0.1 : log_between(g, 0.5, 6), chance(g, 0.5) ? lag / 4 : 0);
	bool		off = false;

	day_courses(g, h, course);
	for (int k = 0; k < LEVELS; k++)
		level[k] = wander_start(g, h->memory[k] * h->day, lag);
	for (int t = 0; t < g->total; t++)
	{
		int			at = (t + h->start) % h->day,
					weekday = (t + h->start) / h->day % 7;
		double		year = sin(phase + TAU * t / (365.25 * h->day)),
					part = 0.5 + 0.5 * year,
					now,
					size;
		const double *today;

		if (at == 0 || t == 0)
			off = (h->week && weekday >= 5) || chance(g, h->holidays);
		today = course + off * h->day + at;
		now = today[0] + part * (today[2 * h->day] - today[0]) - off * h->free_level;
		now *= exp(fmin(2, h->swing * wander(g, &swing)));
		size = h->noise * (1 + h->noise_follows * fmax(-0.9, fmin(3, now)));
		for (int k = 0; k < LEVELS; k++)
			now += h->size[k] * wander(g, &level[k]) * (1 + h->bend[k] * course[(2 + k % 2) * h->day + at]);
		/* Heating and cooling have a course of their own, and mild days need neither. */
		if (h->weather > 0)
		{
			double		warmth = year + wander(g, &weather) - h->night * cos(coldest + TAU * at / h->day);

			now += (h->warm * fmax(0, warmth - h->mild) + h->cold * fmax(0, -warmth - h->mild)) * (0.7 + 0.5 * today[2 * h->day]);
		}
		x[t] = now + h->year * year + size * wander(g, &noise);
	}
	generate_season(g, h->day);
	if (h->week && 14 * h->day <= g->n)
		generate_season(g, 7 * h->day);
}

/* Now and then far above what is usual, and soon back: scarcity.  Below it as well where there is too much. */
static void
add_spikes(Gen *g, double *x)
{
	double		rate = log_between(g, 0.0005, 0.02),
				size = log_between(g, 0.7, 6),
				keep = between(g, 0, 0.8),
				down = chance(g, 0.4) ? between(g, 0.1, 0.6) : 0,
				spike = 0;

	for (int t = 0; t < g->total; t++)
	{
		spike *= keep;
		if (chance(g, rate))
			spike += size * exp(0.7 * normal(g)) * (chance(g, down) ? -1 : 1);
		x[t] += spike;
	}
}

/* Electricity, traffic, rides; prices of the day ahead; transformers, rooms and the weather. */
void
make_hours(Gen *g, rnn_family family)
{
	Hours		h = hours_draw(g, family);
	double		size = log_between(g, 0.05, 0.6);

	hours_make(g, &h, g->out);
	if (family == RNN_FAMILY_PRICE && chance(g, 0.7))
		add_spikes(g, g->out);
	g->finish = FINISH_LEVEL;
	if (family == RNN_FAMILY_SENSOR || chance(g, 0.5))
		return;
	for (int t = 0; t < g->total; t++)
		g->out[t] = exp(fmin(8, size * g->out[t]));
	g->finish = FINISH_SCALE;
}

/*
 * Mentions, visits, alarms of each few minutes: a rate that goes with the day
 * and wanders, and bursts of any size that die away.
 */
void
make_events(Gen *g)
{
	Hours		h = hours_draw(g, RNN_FAMILY_LOAD);
	double		mean = log_between(g, 0.3, 300),
				size = log_between(g, 0.05, 0.8),
				shape = chance(g, 0.7) ? log_between(g, 1, 60) : 0,
				rate = chance(g, 0.8) ? log_between(g, 0.0005, 0.03) : 0,
				keep = exp(-1 / log_between(g, 0.3, 20)),
				burst = 0;

	if (chance(g, 0.6) && g->n >= 3 * 144)
		h.day = g->n >= 3 * 288 && chance(g, 0.7) ? 288 : 144;
	h.start = pick(g, 7 * h.day);
	hours_make(g, &h, g->out);
	for (int t = 0; t < g->total; t++)
	{
		double		now = mean * exp(fmin(3, size * g->out[t]));

		burst *= keep;
		if (chance(g, rate))
			burst += mean * fmin(200, pow(1 - rnn_rng_uniform(&g->rng), -1 / 1.1));
		now = fmin(1e7, now + burst);
		g->out[t] = poisson(g, shape > 0 ? now * gamma_of(g, shape) / shape : now);
	}
	g->finish = FINISH_NONE;
}

/* ------------------------------------------------------- sales and rivers */

/*
 * Turnover by month, quarter or week: level times season times noise, all in
 * logarithms.  The season has its big month, and each phase's factor walks from
 * one year to the next; the level has a slope that changes slowly, cycles of
 * business, and now and then a step.
 */
void
make_sales(Gen *g)
{
	static const int usual[] = {12, 12, 12, 12, 4, 52, 7};
	double	   *factor = g->profile[0],
				size = log_between(g, 0.02, 0.4),
				walk = size * log_between(g, 0.02, 0.3),
				slope = 0.02 * normal(g),
				slope_walk = log_between(g, 0.0001, 0.01),
				step = log_between(g, 0.001, 0.05),
				noise = log_between(g, 0.004, 0.12),
				shift = chance(g, 0.3) ? 1.5 / g->n : 0,
				level = 0;
	int			m = usual[pick(g, COUNT_OF(usual))];
	Wander		business = wander_start(g, log_between(g, 3, 60), 0);
	double		business_size = chance(g, 0.5) ? 0 : log_between(g, 0.01, 0.15);

	while (2 * m > g->n && m > 4)
		m = m > 12 ? 12 : 4;
	for (int i = 0; i < m; i++)
		factor[i] = size * normal(g) * (chance(g, 0.7) ? 0.4 : 1);
	factor[m - 1] += chance(g, 0.6) ? size * between(g, 1, 4) : 0;
	slope *= 12.0 / fmax(m, 12);
	for (int t = 0; t < g->total; t++)
	{
		int			i = t % m;

		slope = 0.995 * slope + slope_walk * 0.1 * normal(g);
		level += slope + step * normal(g) + (chance(g, shift) ? 0.2 * normal(g) : 0);
		factor[i] += walk * normal(g);
		g->out[t] = exp(fmax(-12, fmin(12, level + factor[i] + business_size * wander(g, &business) + noise * normal(g))));
	}
	generate_season(g, m);
	g->finish = FINISH_SCALE;
}

/*
 * Rain of gamma distributed heights, more of it in some months, runs off by a
 * quick and a slow store, and through a channel; in spring the snow does.
 */
void
make_river(Gen *g)
{
	double		year = chance(g, 0.7) ? 365.25 : chance(g, 0.5) ? 52.18 : 24 * 30,
				rain = log_between(g, 0.05, 0.6),
				clump = between(g, 0, 0.7),
				shape = log_between(g, 0.15, 1.2),
				quick = exp(-1 / log_between(g, 0.7, 8)),
				slow = exp(-1 / log_between(g, 15, 200)),
				share = between(g, 0.2, 0.8),
				swing = between(g, 0, 0.8),
				snow = chance(g, 0.6) ? log_between(g, 1, 15) : 0,
				width = between(g, 0.02, 0.08),
				phase = between(g, 0, 1),
				power = chance(g, 0.5) ? 1 : between(g, 0.7, 1.6),
				fast = 0,
				channel = 0,
				base = 1,
				melt = 1,
				noise = log_between(g, 0.002, 0.06);
	bool		wet = false,
				direct = chance(g, 0.4);

	for (int t = -300; t < g->total; t++)
	{
		double		at = phase + t / year,
					now = at - floor(at),
					fall = 0;

		if (now < 1 / year)
			melt = exp(0.5 * normal(g));
		wet = chance(g, fmin(0.95, wet ? fmax(clump, rain) : rain * (1 - clump) * (1 + swing * sin(TAU * at))));
		if (wet)
			fall = gamma_of(g, shape) / shape;
		fall += snow * melt * exp(-0.5 * (now - 0.3) * (now - 0.3) / (width * width)) * rnn_rng_uniform(&g->rng);
		fast = quick * fast + (1 - quick) * share * fall;
		channel = quick * channel + (1 - quick) * fast;
		base = slow * base + (1 - slow) * (1 - share) * fall;
		if (t >= 0)
			g->out[t] = pow((direct ? fast : channel) + base + 0.01, power) * exp(noise * normal(g));
	}
	if (2.5 * year <= g->n)
		generate_season(g, year);
	g->rumour = floor(year);
	g->finish = FINISH_SCALE;
}
