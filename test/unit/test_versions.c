/*
 * test_versions.c
 *		A second version of the prior: models of the first stay what they were.
 *
 * Linked with a table of versions of its own.  Version 2 is of other weights,
 * share and intervals; it ships when its number is set.
 */
#include "check.h"
#include "trained.h"
#include "base/half.h"
#include "model/versions.h"

#include <math.h>

#define Q RNN_QUANTILES
#define N 900
#define AHEAD 12
#define MB (1024 * 1024)
#define NOT_YET (-1)

static rnn_prior_data second = {.version = NOT_YET};
const rnn_prior_data *const rnn_priors[] = {&rnn_prior_1, &second};
const int	rnn_prior_count = 2;

static double x[N];

/* A model as it is stored, and what it forecast when it was trained. */
typedef struct Stored
{
	const char *what;
	int			start;
	uint8_t    *bytes;
	size_t		len;
	double	   *forecast;
} Stored;

static Stored stored[] = {
	{.what = "nothing trained",.start = RNN_START_PRIOR}, {.what = "its head trained further",.start = RNN_START_TUNE},
	{.what = "judged",.start = RNN_START_AUTO}
};

#define STORED ((int) (sizeof(stored) / sizeof(stored[0])))

static rnn_prior
load(int version)
{
	rnn_prior	prior;
	rnn_error	err;

	CHECK(rnn_prior_load(version, malloc(rnn_prior_size(version)), &prior, &err) == RNN_OK);
	return prior;
}

static void
free_prior(rnn_prior *prior)
{
	free((void *) prior->weights);
}

static void
make_second(void)
{
	static uint8_t halves[2 * 400000];

	second = rnn_prior_1;
	second.version = NOT_YET;
	second.share = 0.5;
	for (int i = 0; i < RNN_MEDIAN; i++)
		second.widen[i] = 20;
	for (int64_t i = 0; i < second.params; i++)
		half_store(halves + 2 * i, 0.9 * half_load((const uint8_t *) rnn_prior_1.weights + 2 * i));
	second.weights = (const char *) halves;
}

/* As the server reads a model: with the version that it names.  *block is malloc'd. */
static rnn_model
read_model(const uint8_t *bytes, size_t len, rnn_prior *prior, void **block)
{
	rnn_model	m = {0};
	rnn_error	err;
	rnn_arena	arena;
	size_t		size;

	CHECK(rnn_model_decoded_size(bytes, len, &size, &err) == RNN_OK);
	*block = malloc(size + 64);
	rnn_arena_init(&arena, *block, size + 64);
	CHECK(rnn_model_decode(bytes, len, &arena, &m, &err) == RNN_OK);
	*prior = load(m.prior);
	m.prior_net = prior;
	return m;
}

/* With the version that is for its horizon; *block is the training's. */
static Stored
train_and_store(const char *what, int start, const rnn_model *warm)
{
	rnn_prior	latest = load(rnn_prior_for(AHEAD, 0));
	rnn_config	cfg;
	Trained		t;
	Stored		s = {.what = what,.start = start};

	rnn_config_defaults(&cfg);
	if (warm)
		cfg = warm->config;
	cfg.start = start;
	cfg.horizon = AHEAD;
	cfg.steps = 20;
	cfg.batch = 0;
	cfg.seasons_given = 1;
	cfg.seasons[0] = 12;
	t = train_on(warm, &latest, &cfg, x, N, 128 * MB);
	CHECK(t.status == RNN_OK && t.model.prior == rnn_prior_for(AHEAD, 0));
	s.len = rnn_model_size(&t.model);
	s.bytes = malloc(s.len);
	rnn_model_encode(&t.model, s.bytes);
	s.forecast = forecast_series(&t.model, x, N, AHEAD);
	CHECK(s.forecast != NULL);
	free(t.block);
	free_prior(&latest);
	return s;
}

static void
free_stored(Stored *s)
{
	free(s->bytes), free(s->forecast);
}

/* To the bit, of the version that it was trained on. */
static void
check_same(const Stored *s, int version, int beneath)
{
	rnn_prior	prior;
	void	   *block;
	rnn_model	m = read_model(s->bytes, s->len, &prior, &block);
	double	   *f = forecast_series(&m, x, N, AHEAD);
	int			tuned = 0;

	CHECK(m.prior == version && (s->start != RNN_START_PRIOR || m.n_members == 0));
	CHECK(s->start != RNN_START_TUNE || (m.n_members == 1 && m.member[0].shared > 0));
	/* What is judged may have a network from nothing beside it. */
	for (int i = 0; i < m.n_members; i++)
	{
		CHECK(m.member[i].prior == beneath || (m.member[i].prior == 0 && s->start == RNN_START_AUTO));
		tuned += m.member[i].prior == beneath;
	}
	CHECK(tuned > 0 || s->start == RNN_START_PRIOR);
	CHECK(f && memcmp(f, s->forecast, sizeof(double) * AHEAD * Q) == 0);
	free(f), free(block);
	free_prior(&prior);
}

static void
test_before(void)
{
	printf("- before version 2\n");
	CHECK(rnn_prior_latest() == 1 && rnn_prior_size(2) == 0);
	for (int i = 0; i < STORED; i++)
	{
		stored[i] = train_and_store(stored[i].what, stored[i].start, NULL);
		check_same(&stored[i], 1, 1);
	}
}

static void
test_after(void)
{
	second.version = 2;
	CHECK(rnn_prior_for(1, 0) == 2 && rnn_prior_for(64, 0) == 2 && rnn_prior_for(1000, 0) == 2);
	CHECK(rnn_prior_latest() == 2 && rnn_prior_size(2) == rnn_prior_size(1));
	for (int i = 0; i < STORED; i++)
	{
		Stored		fresh;

		printf("- version 2 is there: %s\n", stored[i].what);
		check_same(&stored[i], 1, 1);
		fresh = train_and_store(stored[i].what, stored[i].start, NULL);
		check_same(&fresh, 2, 2);
		CHECK(memcmp(fresh.forecast, stored[i].forecast, sizeof(double) * AHEAD * Q) != 0);
		free_stored(&fresh);
	}
}

/* The later one is for all that it was trained for, and the one that was trained farther ahead for what neither was. */
static void
test_farther(void)
{
	int			near = rnn_prior_1.horizon;

	second.horizon = 720;
	CHECK(rnn_prior_for(0, 0) == 2 && rnn_prior_for(near, 0) == 2 && rnn_prior_for(near + 1, 0) == 2);
	CHECK(rnn_prior_for(720, 0) == 2 && rnn_prior_for(1000, 0) == 2);
	second.horizon = near / 2;
	CHECK(rnn_prior_for(0, 0) == 2 && rnn_prior_for(near / 2, 0) == 2 && rnn_prior_for(near / 2 + 1, 0) == 1);
	CHECK(rnn_prior_for(near, 0) == 1 && rnn_prior_for(1000, 0) == 1);
	second.horizon = near;
}

/* One that is for long series leaves short ones to the one before, unless that was not trained as far ahead. */
static void
test_longer(void)
{
	int			near = rnn_prior_1.horizon;

	second.least = 512;
	CHECK(rnn_prior_for(1, 0) == 1 && rnn_prior_for(near, 511) == 1 && rnn_prior_for(near + 1, 511) == 1);
	CHECK(rnn_prior_for(1, 512) == 2 && rnn_prior_for(near + 1, 512) == 2);
	second.horizon = 720;
	CHECK(rnn_prior_for(near, 511) == 1 && rnn_prior_for(near + 1, 511) == 2 && rnn_prior_for(1000, 0) == 2);
	second.horizon = near;
	second.least = 0;
}

/* What goes on from weights of version 1 keeps those that it shares with it, in the mean with version 2. */
static void
test_going_on(void)
{
	rnn_prior	prior;
	void	   *block;
	rnn_model	old = read_model(stored[1].bytes, stored[1].len, &prior, &block);
	Stored		s;

	printf("- going on from a model of version 1\n");
	s = train_and_store("going on", RNN_START_TUNE, &old);
	check_same(&s, 2, 1);
	free_stored(&s);
	free(block);
	free_prior(&prior);
}

/* Bytes of a version that is not here. */
static void
test_unknown(void)
{
	Stored		s = train_and_store("unknown", RNN_START_TUNE, NULL);
	rnn_error	err = {0};
	size_t		size;

	printf("- a version that is not here\n");
	second.version = NOT_YET;
	CHECK(rnn_model_decoded_size(s.bytes, s.len, &size, &err) == RNN_ERR_VERSION);
	CHECK(err.value == 2 && err.high == 1);
	free_stored(&s);
}

int
main(void)
{
	rnn_rng		r;

	rnn_engine_init(-1);
	rnn_rng_seed(&r, 5, 0);
	for (int i = 0; i < N; i++)
		x[i] = 100 + 10 * sin(6.283185307 * i / 12) + rnn_rng_normal(&r);
	make_second();
	TEST(test_before);
	TEST(test_after);
	TEST(test_farther);
	TEST(test_longer);
	TEST(test_going_on);
	TEST(test_unknown);
	for (int i = 0; i < STORED; i++)
		free_stored(&stored[i]);
	return check_summary("versions");
}
