/*
 * test_pool.c
 *		What series of a panel tell each other of their references, and where they do not.
 */
#include "check.h"
#include "detect/pool.h"

#include <stdlib.h>
#include <string.h>

#define PANEL 90
#define H 6
#define MOST 59

static double x[PANEL][MOST + H];

/* Random walks: the last value is the best forecast. */
static void
walks(int from, int by, int n)
{
	rnn_rng		rng;

	for (int k = from; k < PANEL; k += by)
	{
		double		level = 0;

		rnn_rng_seed(&rng, 7, k);
		for (int i = 0; i < n + H; i++)
			x[k][i] = 500 + (level += rnn_rng_normal(&rng));
	}
}

/* A season with noise that is the same for ever: what was last tells nothing. */
static void
seasons(int from, int by, int n)
{
	rnn_rng		rng;

	for (int k = from; k < PANEL; k += by)
	{
		rnn_rng_seed(&rng, 8, k);
		for (int i = 0; i < n + H; i++)
			x[k][i] = 500 + 100 * sin(M_PI * i / 2) + 10 * rnn_rng_normal(&rng);
	}
}

static rnn_config
config(double pooling)
{
	rnn_config	cfg;

	rnn_config_defaults(&cfg);
	cfg.horizon = H;
	cfg.seasons_given = 1;
	cfg.seasons[0] = 4;
	cfg.patch = 4;
	cfg.transform = RNN_TRANSFORM_NONE;
	cfg.pooling = pooling;
	return cfg;
}

/* Of the first n points of the panel, in scratch of exactly the size asked for; at most so many steps. */
static double
search(int count, int n, double pooling, int most, double *pooled)
{
	rnn_series	s[PANEL];
	rnn_config	cfg = config(pooling);
	size_t		bytes;
	double	   *work,
				found;
	static rnn_pool_search p;

	for (int k = 0; k < count; k++)
		s[k] = (rnn_series) {.n = n,.x = x[k]};
	bytes = sizeof(double) * rnn_pool_work(s, count, H);
	work = malloc(bytes + 8);
	memset(work, 0xff, bytes + 8);
	rnn_pool_begin(&p, &cfg, s, count, work);
	for (int i = 0; i < most && !rnn_pool_step(&p); i++)
		;
	found = rnn_pool_end(&p, pooled);
	for (int i = 0; i < 8; i++)
		CHECK(((unsigned char *) work)[bytes + i] == 0xff);
	free(work);
	return found;
}

/* Mean error of the mix behind the first n points of the panel. */
static double
error_with(int n, double pooling, const double *pooled)
{
	rnn_config	cfg = config(pooling);
	rnn_mix_rule rule = rnn_mix_rule_of(&cfg, H);
	double	   *work = malloc(sizeof(double) * rnn_mix_work(n, H)),
				ref[RNN_REFS * H],
				f[H],
				sum = 0;

	if (pooled)
		memcpy(rule.pooled, pooled, sizeof(rule.pooled));
	for (int k = 0; k < PANEL; k++)
	{
		rnn_mix		mix;

		rnn_mix_at(&rule, x[k], n, &mix, ref, work);
		rnn_mix_combine(&mix, ref, H, f);
		for (int j = 0; j < H; j++)
			sum += fabs(f[j] - x[k][n + j]);
	}
	free(work);
	return sum / PANEL / H;
}

static void
test_one_kind(void)
{
	double		pooled[RNN_REFS],
				found,
				alone,
				together;

	printf("- short series of one kind are forecast better together\n");
	walks(0, 1, 28);
	found = search(PANEL, 28, NAN, 1000, pooled);
	alone = error_with(28, 0, NULL);
	together = error_with(28, found, pooled);
	printf("  pooling %g: %.3f instead of %.3f\n", found, together, alone);
	CHECK(found >= 4 && together < 0.97 * alone);
	printf("- a reference that is good for them has the smaller error\n");
	/* the value before, and that of a season before */
	CHECK(pooled[RNN_MAX_SEASONS] < pooled[0] - 0.1);
	printf("- what is asked for is kept, and the errors are the same\n");
	{
		double		again[RNN_REFS];

		CHECK(search(PANEL, 28, 3, 1000, again) == 3);
		CHECK(memcmp(again, pooled, sizeof(pooled)) == 0);
	}
}

static void
test_two_kinds(void)
{
	double		pooled[RNN_REFS],
				found;

	printf("- series of different kinds stand alone\n");
	walks(0, 2, MOST);
	seasons(1, 2, MOST);
	found = search(PANEL, MOST, NAN, 1000, pooled);
	printf("  pooling %g; would be %.3f, is %.3f\n", found, error_with(MOST, 8, pooled), error_with(MOST, found, pooled));
	CHECK(found == 0 && error_with(MOST, 8, pooled) > 1.02 * error_with(MOST, 0, NULL));
}

static void
test_odd(void)
{
	double		pooled[RNN_REFS];

	printf("- fewer than three series, and those that are constant, too short or unknown, have none\n");
	walks(0, 1, MOST);
	CHECK(search(2, 28, NAN, 1000, pooled) == 0);
	CHECK(search(PANEL, 5, NAN, 1000, pooled) == 0);
	printf("- nor have long ones\n");
	CHECK(search(PANEL, MOST, NAN, 1000, pooled) > 0 && search(PANEL, MOST + 1, NAN, 1000, pooled) == 0);
	for (int k = 0; k < PANEL; k++)
		for (int i = 0; i < MOST; i++)
			x[k][i] = k % 2 ? NAN : 3;
	CHECK(search(PANEL, MOST, NAN, 1000, pooled) == 0);
	printf("- one series that explodes does not decide\n");
	walks(0, 1, 28);
	for (int i = 0; i < 28; i++)
		x[40][i] = i % 5 == 0 ? 1e300 : 1e-300;
	CHECK(search(PANEL, 28, NAN, 1000, pooled) >= 2);
	for (int r = 0; r < RNN_REFS; r++)
		CHECK(isnan(pooled[r]) || fabs(pooled[r]) < 100);
	printf("- a search that ends early goes by the series so far\n");
	walks(0, 1, 28);
	CHECK(search(PANEL, 28, NAN, 2, pooled) == 0);
	CHECK(search(PANEL, 28, NAN, PANEL / 2, pooled) == 2);
	CHECK(search(PANEL, 28, NAN, PANEL + PANEL / 2, pooled) >= 2);
}

/* Frames of one rule stand for those of another that is the same. */
static void
test_rules(void)
{
	rnn_config	cfg = config(2);
	rnn_mix_rule rule,
				other;

	printf("- rules are the same where seasons and what a panel knows are\n");
	cfg.pooled[3] = -0.5;
	cfg.pooled[4] = NAN;
	rule = other = rnn_mix_rule_of(&cfg, H);
	CHECK(rnn_mix_rule_same(&rule, &other) && rule.pooled[3] == -0.5 && rule.seasons[0] == 4 && rule.refs == RNN_REFS);
	other.seasons[1] = 9;
	CHECK(rnn_mix_rule_same(&rule, &other));
	other.seasons[0] = 5;
	CHECK(!rnn_mix_rule_same(&rule, &other));
	other = rule;
	other.pooled[3] = 0.5;
	CHECK(!rnn_mix_rule_same(&rule, &other));
	rule.pooling = other.pooling = 0;
	CHECK(rnn_mix_rule_same(&rule, &other));
}

/* By hand: three references, two origins, and the panel counts as much. */
static void
test_weights(void)
{
	rnn_mix_rule rule = {.h = H,.kappa = 2,.refs = RNN_REFS};
	rnn_mix		mix = {.seen = 2,.present = {true, true, true},.error = {1, 2, 8}},
				same = mix;
	double		own[] = {(2 * 1 + 2) / 3.0, 2, (2 * 8 + 2) / 3.0},
				usual[] = {4 * 2, 2, 2.0 / 4};

	printf("- weights are those of the geometric mean of a series' errors and its panel's\n");
	for (int r = 0; r < RNN_REFS; r++)
		rule.pooled[r] = r < 3 ? log((double[]) {4, 1, 0.25}[r]) + 5 : NAN;
	rule.pooling = 2;
	rnn_mix_weigh(&rule, 2, 20, &mix);
	for (int r = 0; r < 3; r++)
		CHECK(fabs(mix.error[r] / sqrt(own[r] * usual[r]) - 1) < 1e-8);
	CHECK(fabs(mix.weight[0] / mix.weight[1] - own[1] * usual[1] / (own[0] * usual[0])) < 1e-8);
	CHECK(fabs(mix.weight[0] + mix.weight[1] + mix.weight[2] - 1) < 1e-12 && mix.weight[3] == 0);
	printf("- but a series of ten horizons knows better\n");
	mix = same;
	rnn_mix_weigh(&rule, 2, 10 * H, &mix);
	CHECK(fabs(mix.error[0] / own[0] - 1) < 1e-8);
	printf("- a reference that the panel does not know has its own error\n");
	mix = same;
	rule.pooled[2] = NAN;
	rnn_mix_weigh(&rule, 2, 20, &mix);
	CHECK(fabs(mix.error[2] / own[2] - 1) < 1e-8);
}

int
main(void)
{
	TEST(test_rules);
	TEST(test_weights);
	TEST(test_one_kind);
	TEST(test_two_kinds);
	TEST(test_odd);
	return check_summary("pool");
}
