/*
 * test_paths.c
 *		Sample paths: their marginals are the forecast's, and they go together as
 *		the errors of the past did.
 */
#include "check.h"
#include "rnn.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define Q RNN_QUANTILES
#define H 12
#define WINDOWS 140			/* enough for the latest 64 to be whole ones */
#define SERIES 8
#define PATHS 2000
#define POINTS (100 + WINDOWS * H)

static double errors[SERIES][POINTS];
static double values[SERIES][H][PATHS];
static rnn_series series[SERIES];
static rnn_model model;
static double normal[H * Q];

/*
 * Series of which each window has an error of its own: along the steps a chain,
 * over the series a share that is common.
 */
static void
make_errors(double near, double share, uint64_t seed)
{
	rnn_rng		rng;
	double		common = 0,
				own[SERIES] = {0};

	rnn_rng_seed(&rng, seed, 0);
	for (int i = 0; i < POINTS; i++)
	{
		bool		first = (i - 100) % H == 0;

		common = first ? rnn_rng_normal(&rng) : near * common + sqrt(1 - near * near) * rnn_rng_normal(&rng);
		for (int s = 0; s < SERIES; s++)
		{
			own[s] = first ? rnn_rng_normal(&rng) : near * own[s] + sqrt(1 - near * near) * rnn_rng_normal(&rng);
			errors[s][i] = sqrt(share) * common + sqrt(1 - share) * own[s];
		}
	}
	for (int s = 0; s < SERIES; s++)
		series[s] = (rnn_series) {.name = "s",.name_len = 1,.n = POINTS,.x = errors[s]};
	for (int k = 0; k < H * Q; k++)
		normal[k] = rnn_normal_score(rnn_quantile_levels[k % Q]);
}

/* Of `count` series, whose windows a standard normal distribution was forecast for. */
static rnn_past
measure(int count, int horizon, void **block)
{
	rnn_past_plan plan = rnn_past_plan_for(&model, series, count, horizon);
	rnn_past	past;
	rnn_origin	origins[64];
	int			windows[64];

	*block = malloc(rnn_past_size(&plan) + 1);
	rnn_past_begin(&past, &plan, *block);
	for (int k = 0; k < plan.series; k++)
	{
		int			n = rnn_past_origins(&plan, &model, series, count, k, origins, windows);

		CHECK(n <= plan.windows && rnn_past_series(&plan, count, k) < count);
		for (int i = 0; i < n; i++)
		{
			CHECK(origins[i].e >= RNN_LEAST_HISTORY && origins[i].e < series[origins[i].series].n);
			CHECK(i == 0 || origins[i].e > origins[i - 1].e);
			rnn_past_score(&past, &series[origins[i].series], origins[i].e, k, windows[i], normal);
		}
	}
	rnn_past_finish(&past);
	return past;
}

/* values (count, horizon, PATHS): `places` says that windows are used. */
static void
sample(const rnn_past *past, const rnn_config *cfg, int count, bool places, const double *q)
{
	void	   *block = malloc(rnn_sampler_size(PATHS));
	rnn_sampler *sampler = rnn_sampler_begin(past, PATHS, 7, block);

	for (int s = 0; s < count; s++)
	{
		rnn_sampler_series(sampler, s, places ? s : -1);
		for (int j = 0; j < H; j++)
			rnn_sampler_step(sampler, cfg, q + j * Q, values[s][j]);
	}
	free(block);
}

static double
correlation(const double *a, const double *b)
{
	double		sa = 0,
				sb = 0,
				aa = 0,
				bb = 0,
				ab = 0;

	for (int p = 0; p < PATHS; p++)
		sa += a[p], sb += b[p], aa += a[p] * a[p], bb += b[p] * b[p], ab += a[p] * b[p];
	return (ab - sa * sb / PATHS) / sqrt((aa - sa * sa / PATHS) * (bb - sb * sb / PATHS));
}

static int
compare(const void *a, const void *b)
{
	double		x = *(const double *) a,
				y = *(const double *) b;

	return x < y ? -1 : x > y;
}

static rnn_config
plain_config(void)
{
	rnn_config	cfg;

	rnn_config_defaults(&cfg);
	cfg.lower = -HUGE_VAL;
	cfg.upper = HUGE_VAL;
	return cfg;
}

static void
test_marginals(void)
{
	rnn_config	cfg = plain_config();
	void	   *block;
	rnn_past	past;
	double		q[H * Q];

	printf("- each step has the quantiles of the forecast, within its bounds\n");
	make_errors(0.6, 0.3, 1);
	past = measure(SERIES, H, &block);
	for (int k = 0; k < H * Q; k++)
		q[k] = 10 + k / Q + normal[k] * (1 + k / Q);
	sample(&past, &cfg, 2, true, q);
	for (int j = 0; j < H; j++)
	{
		qsort(values[1][j], PATHS, sizeof(double), compare);
		for (int p = 0; p < PATHS; p += 37)
			CHECK_NEAR(values[1][j][p], rnn_quantile_at(q + j * Q, (p + 0.5) / PATHS), 1e-12);
	}
	cfg.lower = 9;
	cfg.upper = 12;
	cfg.integer = 1;
	sample(&past, &cfg, 1, true, q);
	for (int j = 0; j < H; j++)
		for (int p = 0; p < PATHS; p++)
			CHECK(values[0][j][p] >= 9 && values[0][j][p] <= 12 && values[0][j][p] == rint(values[0][j][p]));
	free(block);
}

static void
test_dependence(double near, double share)
{
	rnn_config	cfg = plain_config();
	void	   *block;
	rnn_past	past;

	printf("- errors that follow each other by %g and share %g do so in paths\n", near, share);
	make_errors(near, share, 2);
	past = measure(SERIES, H, &block);
	CHECK(past.plan.windows == 64 && past.plan.steps == H);
	CHECK(fabs(past.share - share) < 0.12);
	for (int places = 0; places < 2; places++)
	{
		double		along = 0,
					across = 0;

		sample(&past, &cfg, SERIES, places == 1, normal);
		for (int s = 0; s < SERIES; s++)
			for (int j = 1; j < H; j++)
			{
				along += correlation(values[s][j], values[s][j - 1]) / (SERIES * (H - 1));
				across += correlation(values[s][j], values[(s + 1) % SERIES][j]) / (SERIES * (H - 1));
			}
		CHECK(fabs(along - near) < 0.1);
		CHECK(fabs(across - share) < 0.12);
	}
	free(block);
}

/* A day of the week that the model was wrong about is no chain: only windows know of it. */
static void
test_pattern(void)
{
	rnn_config	cfg = plain_config();
	void	   *block;
	rnn_past	past;

	printf("- what no chain is comes from the windows\n");
	make_errors(0, 0, 3);
	for (int i = 100; i < POINTS; i++)
		if ((i - 100) % H == 9)
			errors[0][i] = 0.9 * errors[0][i - 7] + sqrt(0.19) * errors[0][i];
	past = measure(1, H, &block);
	sample(&past, &cfg, 1, true, normal);
	CHECK(correlation(values[0][2], values[0][9]) > 0.45);
	sample(&past, &cfg, 1, false, normal);
	CHECK(fabs(correlation(values[0][2], values[0][9])) < 0.15);
	free(block);
}

static void
test_same_paths(void)
{
	rnn_config	cfg = plain_config();
	void	   *block;
	rnn_past	past;
	double		first[PATHS],
				last[PATHS];

	printf("- a series has the same paths alone and after others\n");
	make_errors(0.5, 0.5, 4);
	past = measure(SERIES, H, &block);
	sample(&past, &cfg, SERIES, true, normal);
	memcpy(first, values[0][3], sizeof(first));
	memcpy(last, values[SERIES - 1][3], sizeof(last));
	sample(&past, &cfg, SERIES, true, normal);
	CHECK(memcmp(first, values[0][3], sizeof(first)) == 0 && memcmp(last, values[SERIES - 1][3], sizeof(last)) == 0);
	CHECK(memcmp(first, last, sizeof(first)) != 0);
	free(block);
}

static void
test_little(void)
{
	rnn_config	cfg = plain_config();
	void	   *block;
	rnn_past	past;
	int			lengths[] = {0, 1, 8, 9, 10, 12, 30};

	printf("- of short series, gaps and windows shorter than the horizon there are paths, too\n");
	make_errors(0.5, 0, 5);
	for (int i = 0; i < 7; i++)
	{
		for (int s = 0; s < SERIES; s++)
			series[s].n = lengths[i];
		past = measure(SERIES, H, &block);
		CHECK(past.plan.steps <= lengths[i] / 2 && past.weight < 0.5);
		CHECK(past.share >= 0 && past.share < 1 && fabs(past.own.near) < 1 && past.own.level >= 0 && past.own.level < 1);
		sample(&past, &cfg, SERIES, true, normal);
		for (int j = 0; j < H; j++)
			CHECK(isfinite(values[3][j][PATHS - 1]));
		free(block);
	}
	make_errors(0.5, 0.5, 6);
	for (int i = 0; i < POINTS; i++)
		errors[2][i] = errors[4][i] = NAN;
	for (int i = 0; i < POINTS; i += 3)
		errors[1][i] = NAN;
	past = measure(SERIES, H, &block);
	CHECK(fabs(past.share - 0.5) < 0.15);
	sample(&past, &cfg, SERIES, true, normal);
	CHECK(correlation(values[2][5], values[0][5]) > 0.2);
	free(block);
}

/* Demand that is 0 four times in five: what is told of its zeros must not look as if they followed each other. */
static void
test_zeros(void)
{
	void	   *block;
	rnn_past	past;
	rnn_rng		rng;

	printf("- zeros of independent demand show no dependence\n");
	rnn_rng_seed(&rng, 8, 8);
	make_errors(0, 0, 7);
	for (int s = 0; s < SERIES; s++)
		for (int i = 0; i < POINTS; i++)
			errors[s][i] = rnn_rng_uniform(&rng) < 0.8 ? 0 : 1 + rnn_rng_uniform(&rng);
	for (int k = 0; k < H * Q; k++)
		normal[k] = rnn_quantile_levels[k % Q] <= 0.8 ? 0 : 1 + (rnn_quantile_levels[k % Q] - 0.8) / 0.2;
	past = measure(SERIES, H, &block);
	CHECK(fabs(past.own.level + (1 - past.own.level) * past.own.near) < 0.1 && past.share < 0.05);
	free(block);
}

int
main(void)
{
	rnn_config_defaults(&model.config);
	model.config.horizon = H;
	model.config.context = 32;
	model.n_seasons = 1;
	model.seasons[0] = 1;
	model.mix_spread = 1;
	TEST(test_marginals);
	test_dependence(0.7, 0.5);
	test_dependence(0.3, 0);
	TEST(test_pattern);
	TEST(test_same_paths);
	TEST(test_little);
	TEST(test_zeros);
	return check_summary("paths");
}
