/*
 * test_calibration.c
 *		Intervals that are widened by what held-out windows say, and no further.
 */
#include "check.h"
#include "trained.h"

#include <math.h>

#define MANY 160
#define LONG 17500
#define PAIR_90 2

static double x[MANY][LONG];
static rnn_series series[MANY];
static rnn_config cfg;

/* White noise; from `last` points before the end on it is `wilder` times as strong. */
static void
make_noise(int s, int n, int last, double wilder, uint64_t seed)
{
	rnn_rng		r;

	rnn_rng_seed(&r, seed, (uint64_t) s + 1);
	for (int i = 0; i < n; i++)
		x[s][i] = (i >= n - last ? wilder : 1) * rnn_rng_normal(&r);
	series[s] = (rnn_series) {.name = "noise",.name_len = 5,.n = n,.x = x[s]};
}

/* The mix alone. */
static rnn_model
trained(int count, int h, void **block)
{
	rnn_panel	panel = {.count = count,.series = series};
	rnn_trainer *t;
	rnn_progress p = {0};
	rnn_model	m;
	rnn_error	err;
	size_t		size;

	rnn_config_defaults(&cfg);
	cfg.network = 0;
	cfg.horizon = h;
	cfg.seasons_given = 1;
	cfg.seasons[0] = 1;
	CHECK(rnn_trainer_size(&cfg, &panel, (size_t) 1 << 30, &size, &err) == RNN_OK);
	*block = malloc(size);
	CHECK(rnn_trainer_init(&t, *block, size, &cfg, &panel, NULL, &err) == RNN_OK);
	while (!p.done)
		CHECK(rnn_trainer_step(t, &p, &err) == RNN_OK);
	CHECK(rnn_trainer_model(t, &m, &err) == RNN_OK);
	return m;
}

static void
test_bands(void)
{
	double		logs = 0;
	int			falling = 0;

	printf("- factors need not grow with the lead time: the mix thinks that noise does\n");
	for (uint64_t seed = 0; seed < 20; seed++)
	{
		void	   *block;
		rnn_model	m;

		for (int s = 0; s < 8; s++)
			make_noise(s, 300, 0, 1, seed);
		m = trained(8, 12, &block);
		for (int pair = 0; pair < RNN_MEDIAN; pair++)
		{
			logs += log(m.calibration[RNN_BANDS - 1][pair] / m.calibration[0][pair]) / RNN_MEDIAN / 20;
			falling += m.calibration[RNN_BANDS - 1][pair] < m.calibration[0][pair];
		}
		free(block);
	}
	printf("  mean log of the last by the first %.3f, falling %d of 140\n", logs, falling);
	CHECK(logs < -0.02 && logs > -0.15);
	CHECK(falling > 70);
}

static void
test_few(void)
{
	void	   *block;
	rnn_model	m;

	printf("- few windows leave what intervals lack on average\n");
	make_noise(0, 30, 0, 1, 3);
	m = trained(1, 6, &block);
	printf("  %d windows: %.3f\n", (int) m.calibration_n, m.calibration[0][PAIR_90]);
	CHECK(m.calibration_n == 1);
	for (int band = 0; band < RNN_BANDS; band++)
		CHECK(m.calibration[band][PAIR_90] > 0.95 && m.calibration[band][PAIR_90] < 1.25);
	CHECK(m.calibration[0][PAIR_90] > 1.05);
	free(block);
}

/* However the series are named. */
static void
test_order(void)
{
	float		factor[2];

	printf("- where not all scores are kept, each series has its part\n");
	for (int side = 0; side < 2; side++)
	{
		void	   *block;
		rnn_model	m;

		for (int s = 0; s < MANY; s++)
			make_noise(s, LONG, 6 * 720, (s < MANY / 2) == (side == 0) ? 1 : 2, 5);
		m = trained(MANY, 720, &block);
		factor[side] = m.calibration[1][PAIR_90];
		free(block);
	}
	printf("  factors %.3f and %.3f\n", factor[0], factor[1]);
	CHECK_NEAR(factor[0], factor[1], 0.06);
	CHECK(factor[0] > 1.2 && factor[0] < 2);
}

/* Share of later points in the 90 % interval. */
static double
later_coverage(const rnn_model *m, int count, int n, int h, int origins)
{
	int			covered = 0;

	for (int s = 0; s < count; s++)
		for (int o = 0; o < origins; o++)
		{
			int			e = n + o * h;
			double	   *q = forecast_series(m, x[s], e, h);

			for (int j = 0; j < h; j++)
				covered += x[s][e + j] >= q[j * RNN_QUANTILES + PAIR_90] &&
					x[s][e + j] <= q[(j + 1) * RNN_QUANTILES - 1 - PAIR_90];
			free(q);
		}
	return (double) covered / (count * origins * h);
}

static void
test_coverage(void)
{
	double		told = 0,
				found = 0;

	printf("- the coverage that a model tells is what comes of it\n");
	for (uint64_t seed = 0; seed < 60; seed++)
	{
		void	   *block;
		rnn_model	m;

		for (int s = 0; s < 8; s++)
		{
			make_noise(s, 240, 0, 1, 100 + seed);
			series[s].n = 200;
		}
		m = trained(8, 4, &block);
		told += m.coverage / 60;
		found += later_coverage(&m, 8, 200, 4, 10) / 60;
		free(block);
	}
	printf("  told %.3f, found %.3f\n", told, found);
	CHECK(fabs(told - found) < 0.01);
}

int
main(void)
{
	rnn_engine_init(-1);
	TEST(test_bands);
	TEST(test_few);
	TEST(test_order);
	TEST(test_coverage);
	return check_summary("calibration");
}
