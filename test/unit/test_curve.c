/*
 * test_curve.c
 *		Where the transform is chosen to be asinh, and that units don't matter.
 */
#include "check.h"
#include "detect/curve.h"

#include <stdlib.h>
#include <string.h>

#define N 600
#define PANEL 12
#define H 12

static const int seasons[] = {12};

typedef double (*maker) (int64_t i, double noise, int series);

/* Of one spread, whatever the level. */
static double
even(int64_t i, double noise, int series)
{
	return 100 + series + 20 * sin(M_PI * i / 6) + 40 * sin(M_PI * i / 90) + 8 * noise;
}

/* In proportion to a level that moves. */
static double
proportional(int64_t i, double noise, int series)
{
	return exp(3 + 0.1 * series + 0.7 * sin(M_PI * i / 6) + sin(M_PI * i / 90) + 0.5 * noise);
}

/* Counts of which many are 0. */
static double
counts(int64_t i, double noise, int series)
{
	return floor(exp(0.5 + 0.05 * series + sin(M_PI * i / 6) + noise));
}

static double
in_units(double x)
{
	return 4096 * x;
}

static void
fill(maker make, double *x, rnn_series *s, int count)
{
	rnn_rng		rng;

	rnn_rng_seed(&rng, 3, 0);
	for (int k = 0; k < count; k++)
	{
		for (int64_t i = 0; i < N; i++)
			x[k * N + i] = make(i, rnn_rng_normal(&rng), k);
		s[k] = (rnn_series) {.n = N,.x = x + k * N};
	}
}

/* What is chosen, in scratch of exactly the size asked for. */
static rnn_transform_kind
choose(const rnn_series *s, int count, double *pivot)
{
	size_t		bytes = sizeof(double) * rnn_curve_work(s, count, H);
	double	   *work = malloc(bytes + 8);
	rnn_curve_search search;
	rnn_config	cfg;

	memset(work, 0xff, bytes + 8);
	rnn_config_defaults(&cfg);
	rnn_resolve_output(&cfg, s, count, 12);
	CHECK(cfg.pivot > 0 && isfinite(cfg.pivot));
	*pivot = cfg.pivot;
	if (cfg.transform == RNN_TRANSFORM_AUTO)
	{
		rnn_curve_begin(&search, &cfg, s, count, H, seasons, 1, work);
		CHECK(rnn_curve_end(&search) == RNN_TRANSFORM_NONE);
		while (!rnn_curve_step(&search))
			;
		cfg.transform = rnn_curve_end(&search);
	}
	for (int i = 0; i < 8; i++)
		CHECK(((unsigned char *) work)[bytes + i] == 0xff);
	free(work);
	return (rnn_transform_kind) cfg.transform;
}

static void
test_choice(void)
{
	static double x[PANEL * N];
	rnn_series	s[PANEL];
	double		pivot,
				other;

	printf("- what varies in proportion to its level is transformed, what varies evenly is not\n");
	fill(even, x, s, PANEL);
	CHECK(choose(s, PANEL, &pivot) == RNN_TRANSFORM_NONE && choose(s, 1, &pivot) == RNN_TRANSFORM_NONE);
	fill(counts, x, s, PANEL);
	CHECK(choose(s, PANEL, &pivot) == RNN_TRANSFORM_NONE && pivot >= 1);
	fill(proportional, x, s, PANEL);
	CHECK(choose(s, PANEL, &pivot) == RNN_TRANSFORM_ASINH && choose(s, 1, &pivot) == RNN_TRANSFORM_ASINH);
	printf("- in other units, too; the pivot goes with them\n");
	choose(s, PANEL, &pivot);
	for (int64_t i = 0; i < PANEL * N; i++)
		x[i] = in_units(x[i]);
	CHECK(choose(s, PANEL, &other) == RNN_TRANSFORM_ASINH && fabs(other / in_units(pivot) - 1) < 1e-9);
	printf("- what lies on both sides of 0 is not, nor what is often 0\n");
	for (int64_t i = 0; i < PANEL * N; i += 20)
		x[i] = -x[i];
	CHECK(choose(s, PANEL, &pivot) == RNN_TRANSFORM_NONE);
}

static void
test_odd(void)
{
	static double x[N];
	rnn_series	s = {.n = N,.x = x};
	double		pivot;

	printf("- series that tell nothing stay as they are\n");
	CHECK(choose(&s, 1, &pivot) == RNN_TRANSFORM_NONE && pivot == 1);
	for (int64_t i = 0; i < N; i++)
		x[i] = NAN;
	CHECK(choose(&s, 1, &pivot) == RNN_TRANSFORM_NONE);
	x[0] = 1e308;
	x[N - 1] = 1e-308;
	choose(&s, 1, &pivot);
	CHECK(pivot >= 1e-300 && pivot <= 1e300);
	s.n = 1;
	CHECK(choose(&s, 1, &pivot) == RNN_TRANSFORM_NONE);
}

int
main(void)
{
	TEST(test_choice);
	TEST(test_odd);
	return check_summary("curve");
}
