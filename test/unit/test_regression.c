/*
 * test_regression.c
 *		What covariates that are known ahead add: its terms, how it is fitted, and
 *		that forecasts have it back.
 */
#include "check.h"
#include "trained.h"

#include <math.h>

#define N 700
#define AHEAD 14
#define ROWS (N + AHEAD)
#define PAST 0
#define PROMO 1
#define WARMTH 2
#define WORD 3
#define K 4
#define Q RNN_QUANTILES

static const rnn_text words[] = {{"closed", 6}, {"open", 4}};
static const rnn_covariate list[K] = {
	{.name = {"past", 4},.role = RNN_PAST,.scale = 1},
	{.name = {"promo", 5},.role = RNN_AHEAD,.scale = 0.5},
	{.name = {"warmth", 6},.role = RNN_AHEAD,.centre = 20,.scale = 4},
	{.name = {"word", 4},.role = RNN_AHEAD,.is_text = true,.n_categories = 2,.categories = words}
};
static double x[ROWS];
static float cov[ROWS][K];
static const double joint[7] = {0.5, 0, 1, 0, -1, 2, 0};	/* of the linear terms */

static void
config(rnn_config *cfg)
{
	rnn_config_defaults(cfg);
	cfg->network = false;
	cfg->horizon = AHEAD;
	cfg->seasons_given = 1;
	cfg->seasons[0] = 7;
	cfg->covariates = (rnn_covariates) {.n = K,.list = list,.regression = {.cycle = 7,.joint = joint}};
}

/* A week and a level that walks by `walk`; `effect` times a promotion of 6, a closed day of -8, and heat above 22. */
static void
make_series(uint64_t seed, double walk, double effect)
{
	double		level = 40;
	rnn_rng		rng;

	rnn_rng_seed(&rng, seed, 1);
	for (int i = 0; i < ROWS; i++)
	{
		bool		promo = rnn_rng_below(&rng, 9) == 0,
					closed = rnn_rng_below(&rng, 13) == 0;
		double		warmth = 20 + 4 * rnn_rng_normal(&rng);

		level += walk * rnn_rng_normal(&rng);
		x[i] = level + 5 * sin(6.283185307179586 * i / 7) + rnn_rng_normal(&rng) +
			effect * (6 * promo - 8 * closed + fmax(warmth - 22, 0));
		cov[i][PAST] = (float) rnn_rng_normal(&rng);
		cov[i][PROMO] = promo;
		cov[i][WARMTH] = (float) warmth;
		cov[i][WORD] = !closed;
	}
}

/* Two numbers, and what is beyond the sum of both, times 6. */
static void
make_joint(uint64_t seed)
{
	rnn_rng		rng;

	make_series(seed, 0, 0);
	rnn_rng_seed(&rng, seed, 2);
	for (int i = 0; i < ROWS; i++)
	{
		double		a = rnn_rng_normal(&rng),
					b = rnn_rng_normal(&rng);

		cov[i][PROMO] = (float) (0.5 * a);
		cov[i][WARMTH] = (float) (20 + 4 * b);
		x[i] += 6 * fmax(a + b, 0);
	}
}

/* A promotion of 2 that has become one of 8 at the end. */
static void
make_fading(uint64_t seed)
{
	make_series(seed, 0, 0);
	for (int i = 0; i < ROWS; i++)
		x[i] += cov[i][PROMO] * (i < N / 2 ? 2 : 8);
}

static rnn_series
series_to(int64_t n, bool told)
{
	return (rnn_series) {.n = n,.x = x,.ahead = ROWS - n,.covariates = told ? cov[0] : NULL};
}

/* ------------------------------------------------------------------ terms */

static void
test_terms(void)
{
	rnn_config	cfg;
	rnn_series	s = series_to(N, true);
	double		fine[RNN_MOST_TERMS],
				coarse[RNN_MOST_TERMS];
	int			kept[RNN_MOST_TERMS];

	config(&cfg);
	make_series(1, 0, 1);
	CHECK(rnn_regression_terms(&cfg.covariates, RNN_DETAIL_NONE) == 0);
	CHECK(rnn_regression_terms(&cfg.covariates, RNN_DETAIL_LINEAR) == 7);
	CHECK(rnn_regression_terms(&cfg.covariates, RNN_DETAIL_BENT) == 13);
	CHECK(rnn_regression_terms(&cfg.covariates, RNN_DETAIL_PHASED) == 53);
	CHECK(rnn_regression_terms(&cfg.covariates, RNN_DETAIL_JOINT) == 73);
	for (int64_t row = 0; row < ROWS; row += 50)
		for (int d = RNN_DETAIL_LINEAR; d <= RNN_DETAIL_JOINT; d++)
		{
			int			n = rnn_regression_kept(&cfg.covariates, RNN_DETAIL_JOINT, d, kept);

			CHECK(n == rnn_regression_terms(&cfg.covariates, d));
			rnn_regression_row(&cfg.covariates, RNN_DETAIL_JOINT, &s, row, fine);
			rnn_regression_row(&cfg.covariates, d, &s, row, coarse);
			for (int i = 0; i < n; i++)
				CHECK(coarse[i] == fine[kept[i]]);
		}
}

/* The centre of a number adds nothing, a word has a term of its own, and so has what is missing. */
static void
test_values(void)
{
	rnn_config	cfg;
	rnn_series	s = series_to(N, true);
	double		t[RNN_MOST_TERMS];

	config(&cfg);
	cov[3][PROMO] = NAN;
	cov[3][WARMTH] = 20;
	cov[3][WORD] = 1;
	rnn_regression_row(&cfg.covariates, RNN_DETAIL_LINEAR, &s, 3, t);
	CHECK(t[0] == 0 && t[1] == 1 && t[2] == 0 && t[3] == 0 && t[4] == 0 && t[5] == 1 && t[6] == 0);
	cov[3][WARMTH] = 24;
	cov[3][WORD] = 2;
	rnn_regression_row(&cfg.covariates, RNN_DETAIL_LINEAR, &s, 3, t);
	CHECK(fabs(t[2] - 0.98) < 0.01 && t[4] == 0 && t[5] == 0 && t[6] == 0);
	cov[3][WARMTH] = 1e38f;
	rnn_regression_row(&cfg.covariates, RNN_DETAIL_LINEAR, &s, 3, t);
	CHECK(t[2] > 100 && t[2] < 300);
}

/* What all of them say together is one more number, told as the others are. */
static void
test_together(void)
{
	rnn_config	cfg;
	rnn_series	s = series_to(N, true);
	double		t[RNN_MOST_TERMS],
				all;

	config(&cfg);
	cov[3][PROMO] = 1;
	cov[3][WARMTH] = 12;
	cov[3][WORD] = 1;
	rnn_regression_row(&cfg.covariates, RNN_DETAIL_LINEAR, &s, 3, t);
	all = rnn_regression_joint(&cfg.covariates, joint, &s, 3);
	CHECK(fabs(all - (0.5 * t[0] + t[2] + 2)) < 1e-12);
	rnn_regression_row(&cfg.covariates, RNN_DETAIL_JOINT, &s, 3, t);
	all = 3 * asinh(all / 3);
	CHECK(t[53] == all && t[58] == fmax(all + 1, 0) - 1 && t[63] == fmax(all, 0) && t[68] == fmax(all - 1, 0));
}

/* Behind the rows that are there it is what it was a week before. */
static void
test_behind(void)
{
	static const double weight[7] = {1, 2, 3, 4, 5, 6, 7};
	rnn_config	cfg;
	rnn_series	s = series_to(N, true);

	config(&cfg);
	make_series(1, 0, 1);
	CHECK(rnn_regression_effect(&cfg.covariates, &s, 5) == 0);
	cfg.covariates.regression = (rnn_regression) {.detail = RNN_DETAIL_LINEAR,.cycle = 7,.n = 7,.weight = weight};
	CHECK(rnn_regression_effect(&cfg.covariates, &s, ROWS) == rnn_regression_effect(&cfg.covariates, &s, ROWS - 7));
	CHECK(rnn_regression_effect(&cfg.covariates, &s, ROWS + 13) == rnn_regression_effect(&cfg.covariates, &s, ROWS - 1));
	CHECK(rnn_regression_effect(&cfg.covariates, &s, ROWS - 1) != rnn_regression_effect(&cfg.covariates, &s, ROWS - 2));
	s.covariates = NULL;
	CHECK(rnn_regression_effect(&cfg.covariates, &s, 5) == 2 + 4 + 7);
}

/* -------------------------------------------------------------------- fit */

static rnn_regression
fit(int64_t n, void **block)
{
	static char fixed[1 << 22];
	rnn_config	cfg;
	rnn_series	s = series_to(n, true);
	rnn_arena	a;

	config(&cfg);
	rnn_arena_init(&a, fixed, sizeof(fixed));
	*block = fixed;
	return rnn_regression_fit(&cfg, &s, 1, NULL, &a);
}

/* The difference that a value of a covariate makes. */
static double
found(const rnn_regression *r, int covariate, float value, float other)
{
	rnn_config	cfg;
	rnn_series	s = series_to(N, true);
	float		before = cov[10][covariate];
	double		difference;

	config(&cfg);
	cfg.covariates.regression = *r;
	cov[10][covariate] = value;
	difference = rnn_regression_effect(&cfg.covariates, &s, 10);
	cov[10][covariate] = other;
	difference -= rnn_regression_effect(&cfg.covariates, &s, 10);
	cov[10][covariate] = before;
	return difference;
}

static void
test_fit(void)
{
	void	   *block;

	/* Of a level, and of one that walks. */
	for (int walk = 0; walk <= 1; walk++)
	{
		rnn_regression r;

		make_series(3, walk, 1);
		r = fit(N, &block);
		CHECK(r.detail >= RNN_DETAIL_BENT && r.cycle == 7);
		if (r.n == 0)
			continue;
		printf("promotion %.2f, closed %.2f, heat %.2f, cold %.2f\n", found(&r, PROMO, 1, 0), found(&r, WORD, 0, 1),
			   found(&r, WARMTH, 30, 22), found(&r, WARMTH, 18, 10));
		CHECK(fabs(found(&r, PROMO, 1, 0) - 6) < 1);
		CHECK(fabs(found(&r, WORD, 0, 1) + 8) < 1);
		CHECK(fabs(found(&r, WARMTH, 30, 22) - 8) < 2);
		CHECK(fabs(found(&r, WARMTH, 18, 10)) < 1.5);
	}
}

/* What one number adds depends on the other one. */
static void
test_joint(void)
{
	rnn_regression r;
	double		high,
				low;
	float		before;
	void	   *block;

	make_joint(11);
	r = fit(N, &block);
	CHECK(r.detail == RNN_DETAIL_JOINT);
	before = cov[10][WARMTH];
	cov[10][WARMTH] = 24;
	high = found(&r, PROMO, 0.5, 0);
	cov[10][WARMTH] = 14;
	low = found(&r, PROMO, 0.5, 0);
	cov[10][WARMTH] = before;
	printf("a number adds %.2f where the other is high, %.2f where it is low\n", high, low);
	CHECK(fabs(high - 6) < 1.5);
	CHECK(fabs(low) < 1.5);
}

/* An effect that has changed is that of late. */
static void
test_fading(void)
{
	rnn_regression r;
	void	   *block;

	make_fading(12);
	r = fit(N, &block);
	printf("a promotion of 2 that became 8: %.2f\n", found(&r, PROMO, 1, 0));
	CHECK(fabs(found(&r, PROMO, 1, 0) - 8) < 1.5);
}

/* Covariates that mean nothing are left alone, nearly always; what they mean is nearly always found. */
static void
test_noise(void)
{
	int			taken = 0,
				missed = 0;
	void	   *block;

	for (int seed = 0; seed < 60; seed++)
	{
		make_series(100 + seed, seed % 2, 0);
		taken += fit(100 + 10 * seed, &block).n > 0;
		make_series(100 + seed, seed % 2, 1);
		missed += fit(100 + 10 * seed, &block).n == 0;
	}
	printf("of 60 series noise was taken in %d, effects missed in %d\n", taken, missed);
	CHECK(taken <= 3);
	CHECK(missed <= 6);
}

/* Nothing to fit to: few points, no covariate that is known ahead, a series that never changes. */
static void
test_nothing(void)
{
	static double same[N];
	char	   *room = malloc(1 << 22);
	rnn_config	cfg;
	rnn_series	s = series_to(9, true);
	rnn_arena	a;

	make_series(1, 0, 1);
	config(&cfg);
	rnn_arena_init(&a, room, 1 << 22);
	CHECK(rnn_regression_fit(&cfg, &s, 1, NULL, &a).n == 0);
	s = series_to(N, true);
	s.x = same;
	CHECK(rnn_regression_fit(&cfg, &s, 1, NULL, &a).n == 0);
	s.x = x;
	cfg.covariates.n = 1;
	CHECK(rnn_regression_fit(&cfg, &s, 1, NULL, &a).n == 0);
	/* without room */
	cfg.covariates.n = K;
	rnn_arena_init(&a, room, 4096);
	CHECK(rnn_regression_fit(&cfg, &s, 1, NULL, &a).n == 0);
	free(room);
}

/* -------------------------------------------------------------- forecasts */

static Trained
train(bool told)
{
	Trained		t = {.series = series_to(N, told)};
	rnn_config	cfg;
	rnn_panel	panel = {.count = 1,.series = &t.series};
	rnn_trainer *trainer;
	rnn_progress p = {0};
	size_t		size;

	config(&cfg);
	panel.covariates = told ? cfg.covariates : (rnn_covariates) {0};
	t.status = rnn_trainer_size(&cfg, &panel, (size_t) 1 << 28, &size, &t.err);
	t.block = malloc(size);
	t.status = rnn_trainer_init(&trainer, t.block, size, &cfg, &panel, NULL, &t.err);
	while (t.status == RNN_OK && !p.done)
		t.status = rnn_trainer_step(trainer, &p, &t.err);
	CHECK(t.status == RNN_OK);
	CHECK(rnn_trainer_model(trainer, &t.model, &t.err) == RNN_OK);
	t.model.series = &t.series;
	return t;
}

static double
forecast_error(const rnn_model *m, bool told)
{
	rnn_series	s = series_to(N, told);
	double		out[AHEAD * Q],
				sum = 0;
	size_t		size;
	void	   *block;

	CHECK(rnn_forecast_size(m, 1, N, AHEAD, &size, NULL) == RNN_OK);
	block = malloc(size);
	CHECK(rnn_forecast(m, &s, 1, AHEAD, block, size, out, NULL) == RNN_OK);
	free(block);
	for (int j = 0; j < AHEAD; j++)
		sum += fabs(out[j * Q + RNN_MEDIAN] - x[N + j]) / AHEAD;
	return sum;
}

/* The mix alone gets what a promotion adds. */
static void
test_mix(void)
{
	Trained		with,
				without;
	double		a,
				b;

	make_series(5, 0, 1);
	with = train(true);
	without = train(false);
	a = forecast_error(&with.model, true);
	b = forecast_error(&without.model, false);
	printf("mean error of the mix with covariates %.2f, without %.2f; of held-out windows %.2f, %.2f\n", a, b,
		   with.model.held.error, without.model.held.error);
	CHECK(with.model.config.covariates.regression.n > 0);
	CHECK(a < 0.6 * b);
	/* in the units of the data */
	CHECK(with.model.held.error < 0.6 * without.model.held.error);
	CHECK(fabs(with.model.held.size - without.model.held.size) < 1e-6 * without.model.held.size);
	CHECK(fabs(with.model.held.naive - without.model.held.naive) < 1e-6 * without.model.held.naive);
	free(with.block);
	free(without.block);
}

/* At an origin within the series, and at the end of one that was cut there: the same bytes. */
static void
test_origin(void)
{
	Trained		t;
	rnn_origin	origin = {.series = 0,.e = N - 40};
	double		out[2][AHEAD * Q];
	size_t		size;
	void	   *block;
	rnn_series	cut = series_to(N - 40, true);

	make_series(6, 0, 1);
	t = train(true);
	CHECK(rnn_ends_size(&t.model, &t.series, 1, &origin, 1, AHEAD, &size, NULL) == RNN_OK);
	block = malloc(size);
	CHECK(rnn_ends(&t.model, &t.series, 1, &origin, 1, AHEAD, block, size, out[0], NULL) == RNN_OK);
	free(block);
	CHECK(rnn_forecast_size(&t.model, 1, N - 40, AHEAD, &size, NULL) == RNN_OK);
	block = malloc(size);
	CHECK(rnn_forecast(&t.model, &cut, 1, AHEAD, block, size, out[1], NULL) == RNN_OK);
	free(block);
	CHECK(memcmp(out[0], out[1], sizeof(out[0])) == 0);
	free(t.block);
}

/* As bytes, and back; weights that are no numbers are refused. */
static void
test_bytes(void)
{
	Trained		t;
	rnn_model	back,
				m;
	rnn_error	err;
	size_t		len;
	void	   *block;
	double		weight[RNN_MOST_TERMS];
	uint8_t    *bytes;

	make_joint(7);
	t = train(true);
	m = t.model;
	CHECK(m.config.covariates.regression.detail == RNN_DETAIL_JOINT);
	back = read_back(&m, &len, &block, &err);
	CHECK(back.config.covariates.regression.n == m.config.covariates.regression.n);
	CHECK(back.config.covariates.regression.detail == m.config.covariates.regression.detail);
	CHECK(memcmp(back.config.covariates.regression.weight, m.config.covariates.regression.weight,
				 sizeof(double) * m.config.covariates.regression.n) == 0);
	CHECK(back.config.covariates.regression.joint != NULL &&
		  memcmp(back.config.covariates.regression.joint, m.config.covariates.regression.joint, sizeof(joint)) == 0);
	CHECK(forecast_error(&back, true) == forecast_error(&m, true));
	free(block);
	memcpy(weight, m.config.covariates.regression.weight, sizeof(double) * m.config.covariates.regression.n);
	bytes = malloc(len);
	for (int k = 0; k < 4; k++)
	{
		rnn_regression *r = &m.config.covariates.regression;
		size_t		size;

		weight[3] = k % 2 == 0 ? NAN : 1e250;
		*r = t.model.config.covariates.regression;
		if (k < 2)
			r->weight = weight;
		else
			r->joint = weight;
		rnn_model_encode(&m, bytes);
		CHECK(rnn_model_decoded_size(bytes, len, &size, &err) == RNN_ERR_CORRUPT);
	}
	free(bytes);
	free(t.block);
}

int
main(void)
{
	make_series(1, 0, 1);
	test_terms();
	test_values();
	test_together();
	test_behind();
	test_fit();
	test_joint();
	test_fading();
	test_noise();
	test_nothing();
	test_mix();
	test_origin();
	test_bytes();
	return check_summary("regression");
}
