/*
 * test_season.c
 *		Which seasons are found, how often there are none, and what that costs.
 *
 * Errors decide, not a test of significance: a season is kept where forecasts
 * were better with it.  References of a season also are longer averages, which
 * white noise gains from, so there one is found more often than not.  Two
 * stricter rules were tried on such made-up series: they found fewer, cost
 * less on walks, and gained less where there is a season.  So the rates below
 * are no claim that noise has none; they are held beside what they cost.
 */
#include "check.h"
#include "bank/bank.h"
#include "detect/season.h"

#include <stdlib.h>
#include <string.h>

#define H 12
#define SERIES 200
#define LONGEST 5000

static const int one[] = {1};

/* Into seasons (3), in scratch of exactly the size asked for, full of `byte`; the count. */
static int
detect_panel(const rnn_series *series, int count, int h, const int *hints, int n_hints, int byte, int *seasons)
{
	size_t		bytes = sizeof(double) * rnn_seasons_work(series, count, h);
	double	   *work = malloc(bytes + 8);
	rnn_season_search search;
	int			n;

	memset(work, byte, bytes + 8);
	seasons[0] = seasons[1] = seasons[2] = 0;
	rnn_seasons_begin(&search, series, count, h, hints, n_hints, 8, work);
	while (!rnn_seasons_step(&search))
		;
	n = rnn_seasons_end(&search, seasons);
	for (int i = 0; i < 8; i++)
		CHECK(((unsigned char *) work)[bytes + i] == (unsigned char) byte);
	free(work);
	CHECK(n >= 1 && n <= RNN_MAX_SEASONS);
	for (int i = 0; i < n; i++)
		CHECK(seasons[i] >= 1 && (i == 0 || seasons[i] > seasons[i - 1]));
	return n;
}

static int
detect(const double *x, int64_t n, const int *hints, int n_hints, int *seasons)
{
	rnn_series	s = {.n = n,.x = x};

	return detect_panel(&s, 1, H, hints, n_hints, 0xff, seasons);
}

/* A series of length n is exactly these (none: {1}). */
static void
check_found(const char *what, const double *x, int64_t n, const int *hints, int n_hints, int count, const int *want)
{
	int			found[3],
				k = detect(x, n, hints, n_hints, found),
				ok = k == count && memcmp(found, want, sizeof(int) * count) == 0;

	CHECK(ok);
	if (!ok)
		printf("\t%s, n %d, season %d: found %d of %d, %d\n", what, (int) n, want[0], k, found[0], found[1]);
}

static double
wave(int64_t i, double m)
{
	return sin(6.283185307179586 * i / m + 0.5);
}

static void
test_sines(void)
{
	static const int periods[] = {2, 3, 4, 5, 6, 7, 12, 24, 30};
	static double x[LONGEST];
	int			distinct = 0;

	printf("- a sine's period is found, with noise and a trend\n");
	for (int k = 0; k < 9; k++)
		for (int n = 100; n <= 800; n *= 2)
			for (int kind = 0; kind < 4; kind++)
			{
				rnn_rng		rng;
				int			m = periods[k];

				/* Differences hide long periods in noise: some more of them. */
				if (n < (kind == 2 ? 10 : 5) * m)
					continue;
				rnn_rng_seed(&rng, 1, m);
				for (int i = 0; i < n; i++)
					x[i] = wave(i, m) + (kind == 1 ? 100 + 0.25 * i : 0) + (kind == 2 ? 0.05 * rnn_rng_normal(&rng) : 0);
				/* the calendar knows it: much more noise */
				for (int i = 0; i < n && kind == 3; i++)
					x[i] += 0.5 * rnn_rng_normal(&rng);
				if (kind < 3)
					check_found(kind == 0 ? "sine" : kind == 1 ? "trend" : "noisy", x, n, NULL, 0, 1, &m);
				else
				{
					int			found[3];

					detect(x, n, &m, 1, found);
					distinct += found[0] == m;
				}
			}
	printf("  with as much noise, and hints: %d of 35\n", distinct);
	CHECK(distinct >= 32);
}

/* Days and weeks of hours; where no day differs from another but in level, both are there. */
static void
hours(double *x, int n, bool shapes, double noise, uint64_t seed)
{
	rnn_rng		rng;

	rnn_rng_seed(&rng, seed, 2);
	for (int i = 0; i < n; i++)
	{
		int			day = i / 24 % 7,
					hour = i % 24;

		x[i] = 50 + noise * rnn_rng_normal(&rng);
		if (!shapes)
			x[i] += 20 * wave(i, 24) + 10 * wave(i, 168);
		else if (day < 5)
			x[i] += hour > 6 && hour < 22 ? 20 + 3 * wave(i, 24) : 0;
	}
}

static void
test_two_seasons(void)
{
	static const int calendar[] = {24, 168};
	static double x[LONGEST];
	int			found[3],
				count,
				both = 0;

	printf("- days and weeks of hours\n");
	for (int seed = 0; seed < 3; seed++)
		for (int n = 700; n <= 2800; n *= 2)
		{
			/* A week has its days in it: the more weeks, the less a season of days adds. */
			for (int shapes = 0; shapes < 2; shapes++)
			{
				hours(x, n, shapes, shapes ? 1 : 3, seed);
				count = detect(x, n, calendar, 2, found);
				CHECK(found[count - 1] == 168 && (count == 1 || found[0] == 24));
				both += count == 2;
				CHECK(n > 700 || shapes || count == 2);
			}
		}
	/* No calendar, and a week that is seen less well than the day: weekends have lower days. */
	for (int n = 700; n <= 2800; n *= 2)
	{
		rnn_rng		rng;

		rnn_rng_seed(&rng, 5, n);
		for (int i = 0; i < n; i++)
			x[i] = (i / 24 % 7 < 5 ? 1 : 0.6) * 20 * wave(i, 24) + rnn_rng_normal(&rng);
		count = detect(x, n, NULL, 0, found);
		CHECK(found[count - 1] == 168 && (count == 1 || found[0] == 24));
	}
	printf("  both in %d of 18\n", both);
	CHECK(both > 1 && both < 15);
	/* Two weeks are needed to see one. */
	hours(x, 336, false, 3, 9);
	check_found("less than two weeks", x, 335, calendar, 2, 1, calendar);
	count = detect(x, 336, calendar, 2, found);
	CHECK(found[count - 1] == 168);
}

/* ------------------------------------------------------------- calendars */

/* Slow swings, which look like a season in a few years, or weeks: what follows is told by no calendar. */
static double
swings(double *level, rnn_rng *rng)
{
	return *level = 0.8 * *level + rnn_rng_normal(rng);
}

/* Series of which the calendar knows the season have no other: not one of 5 months, nor of 16 days by the hour. */
static void
test_strangers(void)
{
	static const int months[] = {12},
				days[] = {24, 168};
	static double x[LONGEST];
	int			wrong = 0;

	printf("- no season that no calendar knows\n");
	for (int seed = 0; seed < 60; seed++)
	{
		int			n = seed < 40 ? 30 + seed : 1000,
					found[3],
					count;
		double		level = 0;
		rnn_rng		rng;

		rnn_rng_seed(&rng, seed, 8);
		for (int i = 0; i < n; i++)
			x[i] = 100 + swings(&level, &rng) + (seed < 40 ? 2 * wave(i, 12) : 2 * wave(i, 24) + wave(i, 168));
		count = detect(x, n, seed < 40 ? months : days, seed < 40 ? 1 : 2, found);
		for (int k = 0; k < count; k++)
			wrong += (seed < 40 ? 12 : 168) % found[k] != 0;
	}
	printf("  %d strangers\n", wrong);
	CHECK(wrong == 0);
}

/* Months that are numbered: no calendar knows the year, and still there are few seasons of 5 of them. */
static void
test_unknown_strangers(void)
{
	static double x[LONGEST];
	int			wrong = 0;

	printf("- few seasons that nobody counts by\n");
	for (int seed = 0; seed < 200; seed++)
	{
		int			n = 40 + seed % 80,
					found[3],
					count;
		double		level = 0;
		rnn_rng		rng;

		rnn_rng_seed(&rng, seed, 10);
		for (int i = 0; i < n; i++)
			x[i] = 100 + swings(&level, &rng) + wave(i, 12);
		count = detect(x, n, NULL, 0, found);
		for (int k = 0; k < count; k++)
			wrong += 12 % found[k] != 0;
	}
	printf("  %d strangers in 200\n", wrong);
	CHECK(wrong <= 40);
}

/* What eight days don't tell of a week, a month does: prices are lower at weekends, and noisy. */
static void
test_weekends(void)
{
	static const int calendar[] = {24, 168};
	static double x[LONGEST];
	int			weeks = 0;

	printf("- a week is seen through noise\n");
	for (int seed = 0; seed < 20; seed++)
	{
		rnn_series	s = {.n = 3000,.x = x};
		double		level = 0;
		int			found[3];
		rnn_rng		rng;

		rnn_rng_seed(&rng, seed, 11);
		for (int i = 0; i < s.n; i++)
			x[i] = 50 + swings(&level, &rng) + (i / 24 % 7 < 5 ? 4 : 2) * wave(i, 24);
		weeks += detect_panel(&s, 1, 24, calendar, 2, 0xff, found) == 2 || found[0] == 168;
	}
	printf("  in %d of 20\n", weeks);
	CHECK(weeks >= 19);
}

/* Without a calendar a week and a year are found all the same, though differences from day to day show no year. */
static void
test_numbered(void)
{
	static double x[LONGEST];
	int			found[3],
				years = 0;

	printf("- a week and a year without a calendar\n");
	for (int seed = 0; seed < 10; seed++)
	{
		double		level = 0;
		rnn_rng		rng;

		rnn_rng_seed(&rng, seed, 9);
		for (int i = 0; i < 2600; i++)
			x[i] = 50 + swings(&level, &rng) + (i % 7 > 4 ? 6 : 0) + 60 * wave(i, 365.25);
		years += detect(x, 2600, NULL, 0, found) == 2 && found[0] == 7 && found[1] == 365;
	}
	printf("  in %d of 10\n", years);
	CHECK(years >= 7);
}

/* ----------------------------------------------------------------- noise */

typedef enum Kind { NOISE, WALK, WEAK_SEASON, STRONG_SEASON } Kind;

static void
random_series(Kind kind, int n, int m, uint64_t seed, double *x)
{
	rnn_rng		rng;
	double		level = 0;

	rnn_rng_seed(&rng, seed, 77);
	for (int i = 0; i < n; i++)
	{
		double		e = rnn_rng_normal(&rng);

		level += e;
		x[i] = kind == WALK ? level : e + (kind == WEAK_SEASON ? 0.6 : kind == STRONG_SEASON ? 2 : 0) * wave(i, m);
	}
}

static double
mix_error(const double *x, int64_t n, const int *seasons, int count)
{
	double	   *work = malloc(sizeof(double) * rnn_mix_work(n, H)),
				ref[RNN_REFS * H],
				f[H],
				sum = 0;
	rnn_mix_rule rule = rnn_mix_rule_plain(H, seasons, count, 8);
	rnn_mix		mix;

	rnn_mix_at(&rule, x, n, &mix, ref, work);
	rnn_mix_combine(&mix, ref, H, f);
	for (int j = 0; j < H; j++)
		sum += fabs(f[j] - x[n + j]);
	free(work);
	return sum;
}

/*
 * Of 200 series, how many have a season, and the errors of the mix after their
 * ends over those that it makes without one: bounds are what was counted and
 * some room.
 */
static void
check_rate(const char *what, Kind kind, int n, int hint, int least, int most, double price)
{
	static double x[LONGEST];
	int			some = 0;
	double		with = 0,
				without = 0;

	for (int seed = 0; seed < SERIES; seed++)
	{
		int			found[3],
					count;

		random_series(kind, n + H, hint ? hint : 12, seed, x);
		count = detect(x, n, &hint, hint > 0, found);
		some += found[0] > 1;
		with += mix_error(x, n, found, count);
		without += mix_error(x, n, one, 1);
	}
	printf("  %-14s n %3d hint %2d: %3d of %d have seasons, error %.3f of that without\n",
		   what, n, hint, some, SERIES, with / without);
	CHECK(some >= least && some <= most);
	CHECK(with / without < price);
}

static void
test_rates(void)
{
	printf("- false seasons, and what they cost\n");
	check_rate("walk", WALK, 960, 0, 0, 40, 1.01);
	check_rate("walk", WALK, 960, 12, 0, 40, 1.02);
	check_rate("walk", WALK, 240, 0, 0, 90, 1.04);
	check_rate("walk", WALK, 240, 12, 0, 35, 1.02);
	check_rate("walk", WALK, 60, 0, 0, 105, 1.03);
	check_rate("noise", NOISE, 960, 0, 0, 135, 1.0);
	check_rate("noise", NOISE, 240, 0, 0, 198, 1.0);
	check_rate("noise", NOISE, 240, 12, 0, 190, 1.0);
	check_rate("noise", NOISE, 60, 12, 0, 120, 1.0);
	printf("- true seasons, and what they gain\n");
	check_rate("weak season", WEAK_SEASON, 240, 12, 180, SERIES, 0.9);
	check_rate("weak season", WEAK_SEASON, 960, 12, 190, SERIES, 0.9);
	check_rate("strong season", STRONG_SEASON, 60, 12, 190, SERIES, 0.63);
	check_rate("strong season", STRONG_SEASON, 240, 0, 195, SERIES, 0.63);
}

/* ----------------------------------------------------------------- panels */

static void
test_panel(void)
{
	static double store[50][120];
	rnn_series	s[50],
				many[SERIES];
	int			found[3],
				year = 12,
				wrong = 0;

	printf("- the series of a panel vote\n");
	memset(s, 0, sizeof(s));
	for (int i = 0; i < 50; i++)
	{
		random_series(i % 10 == 3 ? WALK : STRONG_SEASON, 120, 6, i, store[i]);
		s[i].n = i % 7 == 2 ? 3 : 120 - i;
		s[i].x = store[i];
	}
	for (int b = 0; b < 2; b++)
	{
		CHECK(detect_panel(s, 50, H, NULL, 0, b ? 0xff : 0, found) == 1 && found[0] == 6);
		/* The calendar's season is as good, so the stranger must not win. */
		CHECK(detect_panel(s, 50, H, &year, 1, b ? 0xff : 0, found) == 1 && found[0] == 12);
	}
	/* Those that are asked are spread over the panel: not the short ones alone. */
	for (int i = 0; i < SERIES; i++)
		many[i] = (rnn_series) {.n = i < 60 ? 5 : 120,.x = store[i % 50]};
	CHECK(detect_panel(many, SERIES, H, NULL, 0, 0, found) == 1 && found[0] == 6);
	/* Walks have none together, although some of them have one alone. */
	for (int i = 0; i < 50; i++)
	{
		random_series(WALK, 120, 0, i, store[i]);
		s[i].n = 120;
		detect(s[i].x, 120, &year, 1, found);
		wrong += found[0] > 1;
	}
	CHECK(wrong > 5);
	CHECK(detect_panel(s, 50, H, &year, 1, 0, found) == 1 && found[0] == 1);
}

/* ------------------------------------------------------------------ edges */

/* Points behind the end and before the last 4096 are not looked at. */
static void
test_looks_no_further(void)
{
	static double x[LONGEST],
				y[LONGEST];
	static const int calendar[] = {12, 24};

	printf("- nothing but the series' last 4096 points is looked at\n");
	for (int n = 1; n < 400; n += n < 30 ? 1 : 37)
		for (int kind = 0; kind < 4; kind++)
		{
			int			a[3],
						b[3];

			random_series(kind, 600, 12, n, x);
			memcpy(y, x, sizeof(y));
			for (int i = n; i < 600; i++)
				y[i] = i % 3 == 0 ? NAN : i % 3 == 1 ? 1e200 : -7;
			CHECK(detect(x, n, calendar, 2, a) == detect(y, n, calendar, 2, b));
			CHECK(memcmp(a, b, sizeof(a)) == 0);
			/* nor what was in the scratch */
			rnn_series	s = {.n = n,.x = x};

			detect_panel(&s, 1, H, calendar, 2, 0, b);
			CHECK(memcmp(a, b, sizeof(a)) == 0);
		}
	for (int i = 0; i < LONGEST; i++)
	{
		x[i] = wave(i, 7);
		y[i] = i < LONGEST - 4096 ? 1e6 * wave(i, 10) : x[i];
	}
	check_found("long", x, LONGEST, NULL, 0, 1, (int[]) {7});
	check_found("long", y, LONGEST, NULL, 0, 1, (int[]) {7});
	check_found("older", y, LONGEST - 4096, NULL, 0, 1, (int[]) {10});
}

static void
test_edges(void)
{
	static const double levels[] = {0, 5, -3, 1e300, 1e-300};
	double		x[64];
	int			two = 2,
				year = 12,
				weeks = 40,
				found[3];

	printf("- short, constant and unknown series have none\n");
	for (int n = 0; n <= 10; n++)
		for (int kind = 0; kind < 3; kind++)
		{
			for (int i = 0; i < n; i++)
				x[i] = kind == 0 ? NAN : kind == 1 ? i % 2 : 100 + i;
			/* Nine differences are enough to see what alternates. */
			check_found("tiny", x, n, &year, 1, 1, n == 10 && kind == 1 ? &two : one);
			check_found("tiny", x, n, NULL, 0, 1, n == 10 && kind == 1 ? &two : one);
		}
	for (int n = 11; n <= 64; n++)
		for (int k = 0; k < 7; k++)
		{
			for (int i = 0; i < n; i++)
				x[i] = k < 5 ? levels[k] : k == 5 ? NAN : i < 5 ? i * i : 30;
			check_found("flat", x, n, NULL, 0, 1, one);
			/* What can't tell believes the calendar, if the series is long enough. */
			check_found("flat, hint", x, n, &year, 1, 1, n >= 24 ? &year : one);
			check_found("flat, hint", x, n, &weeks, 1, 1, one);
		}
	/* Gaps: before, amid, and all but two points. */
	for (int i = 0; i < 64; i++)
		x[i] = i < 8 || i % 9 == 4 ? NAN : wave(i, 4);
	check_found("gaps", x, 64, &(int) {4}, 1, 1, (int[]) {4});
	for (int i = 0; i < 64; i++)
		x[i] = i == 20 || i == 63 ? i : NAN;
	detect(x, 64, &year, 1, found);
	CHECK(detect_panel(NULL, 0, H, &year, 1, 0, found) == 1 && found[0] == 1);
	/* Any horizon, any unit. */
	for (int h = 1; h <= 4096; h *= 4)
		for (int u = -2; u <= 2; u++)
		{
			rnn_series	s = {.n = 64,.x = x};

			for (int i = 0; i < 64; i++)
				x[i] = ldexp(wave(i, 7) + i % 7, 450 * u);
			CHECK(detect_panel(&s, 1, h, NULL, 0, 0xff, found) == 1 && found[0] == 7);
		}
}

/* A search that is ended early believes the calendar until the first series has voted. */
static void
test_ended_early(void)
{
	static double x[3][400];
	rnn_series	series[3];
	const int	year = 12;
	double	   *work;
	rnn_rng		rng;
	int			seasons[RNN_MAX_SEASONS],
				heard = 0,
				steps = 0;
	bool		done = false;

	printf("- a search may end before all series have voted\n");
	rnn_rng_seed(&rng, 11, 1);
	for (int k = 0; k < 3; k++)
	{
		for (int i = 0; i < 400; i++)
			x[k][i] = wave(i, 7) + 0.3 * rnn_rng_normal(&rng);
		series[k] = (rnn_series) {.n = 400,.x = x[k]};
	}
	work = malloc(sizeof(double) * rnn_seasons_work(series, 3, H));
	while (!done)
	{
		rnn_season_search search;

		done = true;
		rnn_seasons_begin(&search, series, 3, H, &year, 1, 8, work);
		for (int i = 0; i < steps && (done = rnn_seasons_step(&search)) == false; i++)
			;
		done &= steps > 0;
		CHECK(rnn_seasons_end(&search, seasons) == 1);
		CHECK(seasons[0] == 7 || (seasons[0] == year && heard == 0));
		heard += seasons[0] == 7;
		steps++;
	}
	printf("  %d steps, in the end %d with the season\n", steps, heard);
	CHECK(heard > 0 && steps - heard > 3);
	free(work);
}

int
main(void)
{
	TEST(test_sines);
	TEST(test_two_seasons);
	TEST(test_strangers);
	TEST(test_unknown_strangers);
	TEST(test_weekends);
	TEST(test_numbered);
	TEST(test_rates);
	TEST(test_panel);
	TEST(test_looks_no_further);
	TEST(test_edges);
	TEST(test_ended_early);
	return check_summary("season");
}
