/*
 * test_anomaly.c
 *		Which values are odd: rates that mean what they say, nothing that looks
 *		ahead, and rows that are left out.
 */
#include "trained.h"
#include "anomaly/anomaly.h"
#include "anomaly/tail.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

#define N 2000
#define DAY 24

static const rnn_watch_plan daily = {.seasons = {DAY},.n_seasons = 1,.kappa = 8,.level = 0.9};
static const rnn_watch_plan plain = {.seasons = {1},.n_seasons = 1,.kappa = 8,.level = 0.9};

/* In a block of exactly the size asked for, full of `byte`; the caller frees. */
static rnn_watched *
watch(const rnn_watch_plan *plan, const double *x, int64_t n, int byte)
{
	rnn_series	s = {.x = x,.n = n};
	rnn_watched *out = malloc(sizeof(rnn_watched) * n);
	rnn_error	err;
	size_t		size;
	char	   *block;
	int64_t		done = 0,
				steps = 0;

	CHECK(rnn_watch_size(plan, n, &size, &err) == RNN_OK);
	block = malloc(size + 8);
	memset(block, byte, size + 8);
	while (done < n && steps++ < n + 1)
		CHECK(rnn_watch_step(plan, &s, block, size, &done, out, &err) == RNN_OK);
	CHECK(done == n);
	for (int i = 0; i < 8; i++)
		CHECK(((unsigned char *) block)[size + i] == (unsigned char) byte);
	free(block);
	return out;
}

static void
make_days(double *x, int64_t n, uint64_t seed)
{
	rnn_rng		rng;

	rnn_rng_seed(&rng, seed, 1);
	for (int64_t i = 0; i < n; i++)
		x[i] = 100 + 10 * sin(i * 6.283185307179586 / DAY) + rnn_rng_normal(&rng);
}

static bool
same_rows(const rnn_watched *a, const rnn_watched *b, int64_t from, int64_t to)
{
	return memcmp(a + from, b + from, sizeof(rnn_watched) * (to - from)) == 0;
}

/* Rows below a cut are the same whatever comes behind it, and whatever was in the block. */
static void
test_nothing_looks_ahead(void)
{
	double		x[N],
				y[N];

	make_days(x, N, 1);
	for (int k = 0; k < 6; k++)
	{
		static const int64_t cuts[] = {1, 40, 71, 500, 1203, 1999};
		rnn_watched *a,
				   *b,
				   *shorter;

		memcpy(y, x, sizeof(x));
		for (int64_t i = cuts[k]; i < N; i++)
			y[i] = k % 2 ? 1e6 * i : NAN;
		a = watch(&daily, x, N, 0);
		b = watch(&daily, y, N, 0xff);
		shorter = watch(&daily, x, cuts[k], 0x55);
		CHECK(same_rows(a, b, 0, cuts[k]));
		CHECK(same_rows(a, shorter, 0, cuts[k]));
		free(a);
		free(b);
		free(shorter);
	}
}

/* A network of its own, that is all there is to the forecast. */
static Trained
train_days(void)
{
	double		x[N];
	rnn_config	cfg;

	rnn_config_defaults(&cfg);
	cfg.start = RNN_START_SCRATCH;
	cfg.skip = false;
	cfg.horizon = 12;
	cfg.patch = 6;
	cfg.context = 48;
	cfg.hidden = 8;
	cfg.layers = 1;
	cfg.steps = 30;
	cfg.batch = 8;
	cfg.seasons[0] = DAY;
	cfg.seasons_given = 1;
	make_days(x, N, 9);
	return train_series(&cfg, x, 600, SIZE_MAX / 4);
}

/* What is expected is what the model forecasts of the rows before, of which none is odd here. */
static void
check_its_forecasts(const rnn_model *m, const double *x, const rnn_watched *rows)
{
	int			found = 0;

	for (int64_t e = 1000; e < 1006; e++)
	{
		double	   *q = forecast_series(m, x, e, 6);
		bool		same = true;

		for (int j = 0; q && j < 6; j++)
			same &= fabs(rows[e + j].expected - q[j * RNN_QUANTILES + RNN_MEDIAN]) < 1e-3;
		found += q && same;
		free(q);
	}
	CHECK(found == 1);
}

/* By a model, too, a row is judged by what lies before it; here the first rows are missing. */
static void
test_model(void)
{
	double		x[N],
				y[N];
	Trained		t = train_days();
	rnn_watch_plan plan = daily;
	rnn_watched *a,
			   *b;

	CHECK(t.status == RNN_OK);
	plan.model = &t.model;
	make_days(x, N, 1);
	for (int i = 0; i < 1200; i++)
		x[i] = 100 + 10 * sin(i * 6.283185307179586 / DAY) + 0.1 * (i % 5);
	a = watch(&plan, x, 1200, 0);
	check_its_forecasts(&t.model, x, a);
	free(a);
	make_days(x, N, 1);
	x[0] = x[1] = x[2] = NAN;
	memcpy(y, x, sizeof(x));
	for (int64_t i = 700; i < N; i++)
		y[i] = i % 2 ? 1e6 : NAN;
	a = watch(&plan, x, N, 0xff);
	b = watch(&plan, y, N, 0);
	CHECK(same_rows(a, b, 0, 700));
	CHECK(isnan(a[2].expected) && isnan(a[3].expected) && isfinite(a[4].expected));
	free(a);
	free(b);
	free(t.block);
}

/* Of ordinary days about as many events as rates promise, once a few weeks are known. */
static void
test_rates_of_noise(void)
{
	double		x[N];
	int			events = 0;

	for (uint64_t seed = 1; seed <= 40; seed++)
	{
		rnn_watched *rows;
		int64_t		last = -N;

		make_days(x, N, seed);
		rows = watch(&daily, x, N, 0);
		for (int64_t i = 500; i < N; i++)
			if (rows[i].rate <= 1.0 / 168)
			{
				events += i - last > rnn_watch_gap(&daily);
				last = i;
			}
		free(rows);
	}
	/* 40 series of 1,500 hours: 357 weeks. */
	CHECK(events > 180 && events < 450);
}

/* A spike, and a new level, which in the end is no news. */
static void
test_what_is_odd(void)
{
	int			late = 0;

	for (uint64_t seed = 1; seed <= 20; seed++)
	{
		double		x[N];
		rnn_watched *rows;

		make_days(x, N, 100 + seed);
		x[1000] += 12;
		rows = watch(&daily, x, N, 0);
		CHECK(rows[1000].rate < 1.0 / 168);
		CHECK(rows[1000].score > 0);
		CHECK(rows[1100].rate > 1.0 / 168);
		CHECK(fabs(rows[1001].expected - x[1001]) < 6);
		/* The mean of the last rows is high still, but not for these. */
		for (int i = 1001; i < 1016; i++)
			late += x[i] < rows[i].expected && rows[i].rate < 1.0 / 168;
		free(rows);

		make_days(x, N, 100 + seed);
		for (int i = 1000; i < N; i++)
			x[i] -= 20;
		rows = watch(&daily, x, N, 0);
		CHECK(rows[1001].rate < 1.0 / 168);
		CHECK(rows[1001].score < 0);
		CHECK(fabs(rows[1400].expected - x[1400]) < 6);
		CHECK(rows[1400].rate > 1.0 / 168);
		free(rows);
	}
	CHECK(late <= 4);
}

static int
flags_between(const rnn_watched *rows, int64_t from, int64_t to)
{
	int			flags = 0;

	for (int64_t i = from; i < to; i++)
		flags += rows[i].rate < 1.0 / 168;
	return flags;
}

/*
 * Rows are missing, as those that are left out are: nothing is said of them,
 * they are taken for what was expected, and of what follows no more is odd than
 * had they been there.
 */
static void
test_left_out(void)
{
	int			after = 0,
				there = 0;

	for (uint64_t seed = 1; seed <= 40; seed++)
	{
		double		x[N];
		rnn_watched *rows;

		make_days(x, N, 200 + seed);
		rows = watch(&daily, x, N, 0);
		there += flags_between(rows, 1030, 1054);
		free(rows);
		for (int i = 1000; i < 1030; i++)
			x[i] = NAN;
		rows = watch(&daily, x, N, 0);
		CHECK(isnan(rows[1010].score) && rows[1010].rate == 1);
		CHECK(fabs(rows[1010].expected - 100 - 10 * sin(1010 * 6.283185307179586 / DAY)) < 6);
		after += flags_between(rows, 1030, 1054);
		free(rows);
	}
	CHECK(after <= there + 4);
}

static void
test_reach(void)
{
	double		x[N];
	rnn_watched *rows;
	int			within = 0;

	make_days(x, N, 7);
	rows = watch(&daily, x, N, 0);
	CHECK(isnan(rows[0].expected) && isnan(rows[10].reach));
	for (int i = 200; i < N; i++)
		within += fabs(x[i] - rows[i].expected) <= rows[i].reach;
	CHECK_NEAR(within / (N - 200.0), 0.9, 0.02);
	free(rows);
}

/* Whatever the numbers: nothing is NaN that is said, and no rate is no rate. */
static void
test_extremes(void)
{
	static const double ends[] = {0, 1, -1, DBL_MAX, -DBL_MAX, 1e-310, DBL_MIN, 1e100, NAN};
	double		x[300];
	rnn_rng		rng;

	rnn_rng_seed(&rng, 3, 3);
	for (int k = 0; k < 300; k++)
	{
		int64_t		n = 1 + k;
		rnn_watched *rows;

		for (int64_t i = 0; i < n; i++)
			x[i] = ends[rnn_rng_below(&rng, k % 3 == 0 ? 2 : 9)];
		rows = watch(k % 2 ? &daily : &plain, x, n, 0xff);
		for (int64_t i = 0; i < n; i++)
		{
			CHECK(rows[i].rate >= 0 && rows[i].rate <= 1);
			CHECK(isnan(rows[i].score) || fabs(rows[i].score) <= 1e6);
			CHECK(isnan(rows[i].expected) || isfinite(rows[i].expected));
			CHECK(!isnan(x[i]) || isnan(rows[i].score));
		}
		free(rows);
	}
}

static void
test_small_block(void)
{
	double		x[N];
	rnn_series	s = {.x = x,.n = N};
	rnn_watched *out = malloc(sizeof(rnn_watched) * N);
	rnn_error	err;
	size_t		size;
	int64_t		done = 0;
	void	   *block;

	make_days(x, N, 1);
	CHECK(rnn_watch_size(&daily, N, &size, &err) == RNN_OK);
	block = malloc(size);
	CHECK(rnn_watch_step(&daily, &s, block, size / 2, &done, out, &err) == RNN_ERR_MEMORY);
	CHECK(err.status == RNN_ERR_MEMORY && done == 0);
	free(block);
	free(out);
}

/* Rates of values that come in no order: as many of them are rarer than p as p says, in light and heavy tails. */
static void
test_tail_rates(void)
{
	for (int heavy = 0; heavy < 2; heavy++)
	{
		static const double p = 2e-3;
		size_t		bytes = sizeof(double) * (2 * TAIL_MEMORY + 100);
		void	   *block = malloc(bytes);
		int64_t		rare = 0,
					rows = 100000;
		rnn_arena	a;
		rnn_rng		rng;
		Tail		t;

		rnn_arena_init(&a, block, bytes);
		tail_init(&t, 0, &a);
		CHECK(!a.failed);
		CHECK(isnan(tail_value(&t, 0.5)) && tail_rate(&t, 5) == 1);
		rnn_rng_seed(&rng, 11, heavy);
		for (int64_t i = 0; i < rows; i++)
		{
			double		z = heavy ? pow(1 - rnn_rng_uniform(&rng), -0.5) : fabs(rnn_rng_normal(&rng));

			rare += i >= 1000 && tail_rate(&t, z) <= p;
			tail_add(&t, z, i);
		}
		CHECK(rare > 0.6 * p * rows && rare < 1.4 * p * rows);
		/* Both ways agree, beyond the threshold. */
		CHECK_NEAR(tail_rate(&t, tail_value(&t, 1e-3)), 1e-3 * (t.events + 1) / (t.exceeded + 1), 1e-6);
		free(block);
	}
}

/* Values that come in clusters are fewer events. */
static void
test_tail_clusters(void)
{
	size_t		bytes = sizeof(double) * (2 * TAIL_MEMORY + 100);
	void	   *block = malloc(bytes);
	rnn_arena	a;
	rnn_rng		rng;
	Tail		single,
				clustered;

	rnn_arena_init(&a, block, bytes);
	tail_init(&single, 10, &a);
	rnn_arena_init(&a, block, bytes);
	rnn_rng_seed(&rng, 5, 5);
	for (int64_t i = 0; i < 5000; i++)
		tail_add(&single, rnn_rng_uniform(&rng) + (i % 100 == 0), i);
	single.ring = NULL;
	tail_init(&clustered, 10, &a);
	for (int64_t i = 0; i < 5000; i++)
		tail_add(&clustered, rnn_rng_uniform(&rng) + (i % 200 < 5), i);
	CHECK(clustered.events * 3 < clustered.exceeded);
	CHECK(single.events * 1.5 > single.exceeded);
	free(block);
}

int
main(void)
{
	TEST(test_nothing_looks_ahead);
	TEST(test_model);
	TEST(test_rates_of_noise);
	TEST(test_what_is_odd);
	TEST(test_left_out);
	TEST(test_reach);
	TEST(test_extremes);
	TEST(test_small_block);
	TEST(test_tail_rates);
	TEST(test_tail_clusters);
	return check_summary("test_anomaly");
}
