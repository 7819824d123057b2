/*
 * generate_parts.h
 *		What the files of the generator share; outside it, see generate.h.
 *
 * A family writes g->out (total,), of which n are history, names its seasons
 * with generate_season, and says in g->finish what remains to be done.
 */
#ifndef RNN_GENERATE_PARTS_H
#define RNN_GENERATE_PARTS_H

#include "generate.h"

#include <math.h>
#include <string.h>

#define TAU 6.283185307179586
#define COUNT_OF(array) ((int) (sizeof(array) / sizeof((array)[0])))

typedef rnn_synth_work Gen;

enum
{
	FINISH_LEVEL,				/* values have neither level nor scale */
	FINISH_SCALE,				/* positive or zero: only a scale is missing */
	FINISH_NONE					/* counts: as they are */
};

/* generate_random.c: numbers, noise, and slow drifts */
double		between(Gen *g, double a, double b);
double		log_between(Gen *g, double a, double b);
bool		chance(Gen *g, double p);
int			pick(Gen *g, int n);	/* 0 .. n - 1 */
int			weighted(Gen *g, const double *weights, int n);
double		normal(Gen *g);
double		student(Gen *g, double nu);
double		gamma_of(Gen *g, double shape);	/* scale 1 */
double		poisson(Gen *g, double mean);
void		standardise(double *x, int n, int total);	/* by mean and deviation of the first n */
void		slow_walk(Gen *g, double *x, int total);	/* smooth, deviation about 1 */
void		wave_add(double *x, int total, double frequency, double a, double b);
void		volatility(Gen *g, double *x, int total);	/* positive, clustered, median about 1 */

typedef enum Noise
{
	NOISE_GAUSSIAN,
	NOISE_HEAVY,
	NOISE_CORRELATED,
	NOISE_VOLATILE,
	NOISES
} Noise;

void		noise_make(Gen *g, Noise kind, double *x, int total);	/* scratch: none; deviation about 1 */

/* generate_trend.c */
typedef enum Trend
{
	TREND_NONE,
	TREND_LINEAR,
	TREND_DAMPED,
	TREND_EXPONENTIAL,
	TREND_DRIFT,				/* random walk with drift */
	TREND_LOCAL,				/* the slope walks */
	TREND_PIECES,
	TREND_CURVE,				/* logistic */
	TRENDS
} Trend;

void		trend_make(Gen *g, Trend kind, double *x);
void		exponentiate(Gen *g, double *x);	/* exp(x), deviation of the logarithm 0.05 to 1 */
void		make_walk(Gen *g, rnn_family kind);
void		make_regime(Gen *g);
void		add_breaks(Gen *g, double *x);	/* x has deviation about 1 */
void		add_outliers(Gen *g, double *x, double rate, double size);

/* generate_season.c */
typedef enum Profile
{
	PROFILE_SMOOTH,				/* a few harmonics */
	PROFILE_RANDOM,				/* a number for each phase */
	PROFILE_SPIKES,
	PROFILE_BLOCKS,
	PROFILE_HALF_WAVE,
	PROFILE_WEEK,				/* five days alike, two others */
	PROFILES
} Profile;

typedef struct Season
{
	double		period;
	Profile		profile;
	int			days;			/* PROFILE_WEEK: days of the week, 7 */
	bool		evolves;
} Season;

double		season_draw(Gen *g);	/* a typical one, or any, that mostly fits n */
int			season_pair(Gen *g, double *periods);	/* 2, or 1 where n is too short */
double		season_fraction(Gen *g);	/* a period that is no whole number */
Season		season_of(Gen *g, double period, bool smooth);
void		season_make(Gen *g, const Season *s, double *x);	/* deviation about 1 */
void		profile_make(Gen *g, const Season *s, double *p, int m);	/* one period, deviation about 1 */
void		holidays_make(Gen *g, double period, double *x);	/* 0 but on those days */
void		generate_season(Gen *g, double period);	/* adds to the true ones */

/* generate_structure.c: trend, seasons and noise together */
typedef struct Recipe
{
	Trend		trend;
	int			n_seasons;
	Season		season[RNN_SYNTH_SEASONS];
	Noise		noise;
	double		trend_size,		/* in deviations of the seasons together */
				noise_size;
	double		holidays;		/* size, 0: none */
	bool		breaks;
	bool		follows_level;	/* the noise's size does */
	enum {ADDITIVE, MULTIPLICATIVE, EXPONENTIAL} kind;
} Recipe;

Recipe		recipe_draw(Gen *g, const double *periods, int n_periods);
void		recipe_make(Gen *g, const Recipe *r);
void		recipe_rate(Gen *g);	/* positive, mean about 1, mostly seasonal */
void		make_structure(Gen *g, rnn_family family);
void		make_resized(Gen *g);
void		make_aggregated(Gen *g);

/* generate_process.c */
void		make_gaussian(Gen *g);
void		make_sarima(Gen *g);
void		make_ets(Gen *g);
void		make_cycle(Gen *g);

/* generate_count.c */
void		make_count(Gen *g);
void		make_intermittent(Gen *g);
void		make_zero(Gen *g);
void		make_censored(Gen *g);

/* generate_records.c */
void		make_hours(Gen *g, rnn_family family);
void		make_events(Gen *g);
void		make_sales(Gen *g);
void		make_river(Gen *g);

#endif							/* RNN_GENERATE_PARTS_H */
