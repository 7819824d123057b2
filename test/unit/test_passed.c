/*
 * test_passed.c
 *		Intervals that go on learning from windows behind the training.
 */
#include "check.h"
#include "trained.h"

#include <math.h>

#define MANY 100
#define TRAINED 600
#define LATER 400
#define H 12
#define PAIR_90 2

static double x[MANY][TRAINED + LATER];
static rnn_series series[MANY];

/*
 * White noise on a wave; behind the training such a share of the points are far
 * off, so that intervals as wide as the mean error says are too narrow.
 */
static void
make_series(int count, int n, double spikes, uint64_t seed)
{
	for (int s = 0; s < count; s++)
	{
		rnn_rng		r;

		rnn_rng_seed(&r, seed, (uint64_t) s + 1);
		for (int i = 0; i < TRAINED + LATER; i++)
		{
			x[s][i] = 50 + 5 * sin(6.283185307 * i / 7) + rnn_rng_normal(&r);
			if (i >= TRAINED && rnn_rng_uniform(&r) < spikes)
				x[s][i] += rnn_rng_uniform(&r) < 0.5 ? 8 : -8;
		}
		series[s] = (rnn_series) {.name = "noise",.name_len = 5,.dropped = 1000,.n = n,.x = x[s]};
	}
}

/* Of the first TRAINED points. */
static rnn_model
trained(int count, int transform, void **block)
{
	rnn_panel	panel = {.count = count,.series = series};
	rnn_config	cfg;
	rnn_trainer *t;
	rnn_progress p = {0};
	rnn_model	m;
	rnn_error	err;
	size_t		size;

	rnn_config_defaults(&cfg);
	cfg.network = 0;
	cfg.horizon = H;
	cfg.seasons_given = 1;
	cfg.seasons[0] = 7;
	cfg.transform = transform;
	CHECK(rnn_trainer_size(&cfg, &panel, (size_t) 1 << 28, &size, &err) == RNN_OK);
	*block = malloc(size);
	CHECK(rnn_trainer_init(&t, *block, size, &cfg, &panel, NULL, &err) == RNN_OK);
	while (!p.done)
		CHECK(rnn_trainer_step(t, &p, &err) == RNN_OK);
	CHECK(rnn_trainer_model(t, &m, &err) == RNN_OK);
	CHECK(m.calibrated_to == 1000 + TRAINED);
	return m;
}

/* As the server does, with the points before n. */
static int
correct(rnn_model *m, int count, int n)
{
	rnn_origin	origins[RNN_MOST_PASSED];
	rnn_model	plain = rnn_uncorrected(m);
	rnn_error	err;
	size_t		size;
	int			passed;
	void	   *block;
	double	   *q;

	for (int s = 0; s < count; s++)
		series[s].n = n;
	passed = rnn_passed(m, series, count, origins);
	m->passed = 0;
	if (passed == 0)
		return 0;
	CHECK(rnn_ends_size(&plain, series, count, origins, passed, H, &size, &err) == RNN_OK);
	block = malloc(size);
	q = malloc(sizeof(double) * passed * H * RNN_QUANTILES);
	CHECK(rnn_ends(&plain, series, count, origins, passed, H, block, size, q, &err) == RNN_OK);
	rnn_correct(m, series, origins, passed, q);
	free(block), free(q);
	return passed;
}

/* Share of the later points in the 90 % interval, corrected before each forecast or not. */
static double
later_coverage(rnn_model *m, bool corrected)
{
	int			covered = 0,
				all = 0;

	for (int e = TRAINED + 10 * H; e + H <= TRAINED + LATER; e += H)
	{
		double	   *q;

		m->passed = 0;
		if (corrected)
			correct(m, 1, e);
		q = forecast_series(m, x[0], e, H);
		for (int j = 0; j < H; j++, all++)
			covered += x[0][e + j] >= q[j * RNN_QUANTILES + PAIR_90] &&
				x[0][e + j] <= q[(j + 1) * RNN_QUANTILES - 1 - PAIR_90];
		free(q);
	}
	return (double) covered / all;
}

static void
test_same_rows(void)
{
	void	   *block;
	rnn_model	m;

	printf("- the rows of the training change nothing, nor does a part of a window\n");
	make_series(1, TRAINED, 0, 1);
	m = trained(1, RNN_TRANSFORM_NONE, &block);
	CHECK(correct(&m, 1, TRAINED) == 0 && m.passed == 0);
	CHECK(correct(&m, 1, TRAINED + H - 1) == 0);
	CHECK(correct(&m, 1, TRAINED + H) == 1 && m.passed == 1);
	/* The grid says what is later, not how many rows there are. */
	series[0].dropped -= 100;
	CHECK(correct(&m, 1, TRAINED + 50) == 0);
	free(block);
}

static void
test_shape(int transform)
{
	double		before = 0,
				after = 0;

	printf("- where errors get another shape, intervals follow\n");
	for (uint64_t seed = 0; seed < 6; seed++)
	{
		void	   *block;
		rnn_model	m;

		make_series(1, TRAINED, 0.15, 10 + seed);
		m = trained(1, transform, &block);
		correct(&m, 1, TRAINED + 10 * H);
		CHECK(m.passed == 10 && m.correction[PAIR_90] > 1);
		before += later_coverage(&m, false) / 6;
		after += later_coverage(&m, true) / 6;
		free(block);
	}
	printf("  coverage %.3f -> %.3f\n", before, after);
	CHECK(after > before + 0.02);
	CHECK(after > 0.87 && after < 0.93);
}

static void
test_calm(void)
{
	double		logs = 0;

	printf("- where nothing changes, they stay\n");
	for (uint64_t seed = 0; seed < 6; seed++)
	{
		void	   *block;
		rnn_model	m;

		make_series(1, TRAINED, 0, 30 + seed);
		m = trained(1, RNN_TRANSFORM_NONE, &block);
		correct(&m, 1, TRAINED + LATER);
		CHECK(m.correction[PAIR_90] > 0.85 && m.correction[PAIR_90] < 1.15);
		logs += log(m.correction[PAIR_90]) / 6;
		free(block);
	}
	printf("  mean log of the factor %.3f\n", logs);
	CHECK(fabs(logs) < 0.05);
}

/* Whatever was observed before. */
static void
test_pieces(void)
{
	void	   *block;
	rnn_model	m,
				at_once;

	printf("- in pieces or at once: the same\n");
	make_series(1, TRAINED, 0.15, 50);
	m = trained(1, RNN_TRANSFORM_NONE, &block);
	at_once = m;
	for (int n = TRAINED; n <= TRAINED + 8 * H; n += 5)
		correct(&m, 1, n);
	CHECK(correct(&m, 1, TRAINED + 8 * H) == 8 && correct(&at_once, 1, TRAINED + 8 * H) == 8);
	CHECK(memcmp(m.correction, at_once.correction, sizeof(m.correction)) == 0);
	CHECK(correct(&m, 1, TRAINED) == 0 && m.passed == 0);
	free(block);
}

static void
test_panel(void)
{
	rnn_origin	origins[RNN_MOST_PASSED];
	void	   *block;
	rnn_model	m;
	int			n,
				seen = 0;

	printf("- of many series some are looked at\n");
	make_series(MANY, TRAINED, 0.15, 70);
	m = trained(MANY, RNN_TRANSFORM_NONE, &block);
	n = correct(&m, MANY, TRAINED + LATER);
	CHECK(n == RNN_MOST_PASSED && m.correction[PAIR_90] > 1.05);
	CHECK(rnn_passed(&m, series, MANY, origins) == n);
	for (int i = 0; i < n; i++)
	{
		bool		same = i > 0 && origins[i].series == origins[i - 1].series;

		seen += !same;
		CHECK(!same || origins[i].e == origins[i - 1].e + H);
		CHECK(origins[i].e >= TRAINED && origins[i].e + H <= TRAINED + LATER);
	}
	CHECK(seen == 32 && origins[n - 1].series > 90);
	free(block);
}

int
main(void)
{
	rnn_engine_init(-1);
	TEST(test_same_rows);
	test_shape(RNN_TRANSFORM_NONE);
	test_shape(RNN_TRANSFORM_LOG);
	TEST(test_calm);
	TEST(test_pieces);
	TEST(test_panel);
	return check_summary("passed");
}
