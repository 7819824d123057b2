/*
 * test_prior.c
 *		The pretrained network: its bytes, and its part in training and forecast.
 */
#include "check.h"
#include "trained.h"
#include "generate.h"
#include "forecast/prior.h"
#include "train/stages.h"

#include <math.h>

#define Q RNN_QUANTILES
#define AHEAD 24
#define FAR_AHEAD 200
#define MB (1024 * 1024)

static rnn_prior prior;
static rnn_synth_work work;
static rnn_synth synth;

/* A model that trains nothing, as rnn_train with start: prior gives it. */
static rnn_model
prior_model(int horizon, int season)
{
	rnn_model	m = mix_model(horizon, season);

	m.prior = prior.version;
	m.prior_net = &prior;
	m.config.start = RNN_START_PRIOR;
	m.config.context = 64;
	m.config.patch = 8;
	m.config.bptt = 8;
	m.config.hidden = 8;
	return m;
}

static void
wave(double *x, int n, int season, uint64_t seed)
{
	rnn_rng		r;

	rnn_rng_seed(&r, seed, 0);
	for (int i = 0; i < n; i++)
		x[i] = 100 + 10 * sin(6.283185307 * i / season) + rnn_rng_normal(&r);
}

static void
test_load(void)
{
	rnn_prior	p;
	rnn_error	err;
	real	   *w = malloc(rnn_prior_size(prior.version));
	double		squares = 0;

	printf("- version %d\n", prior.version);
	CHECK(rnn_prior_load(prior.version, w, &p, &err) == RNN_OK);
	CHECK(p.version == prior.version && p.weights == w && p.params == rnn_param_count(&p.cfg));
	CHECK(rnn_prior_size(prior.version) == sizeof(real) * p.params);
	CHECK(p.horizon >= RNN_SYNTH_LEAST_AHEAD && p.share > 0 && p.share <= 1);
	for (int64_t i = 0; i < p.params; i++)
	{
		CHECK(fabs(w[i]) < 100);
		squares += (double) w[i] * w[i];
	}
	CHECK(squares / p.params > 1e-4);
	/* LayerNorm's gains begin at 1 and stay near it: the weights are where they should be. */
	{
		rnn_shape	s;
		double		mean = 0;

		p.cfg.horizon = AHEAD;
		rnn_shape_init(&s, &p.cfg);
		for (int i = 0; i < s.H; i++)
			mean += w[s.norm_g[0] + i] / s.H;
		CHECK(mean > 0.3 && mean < 3);
	}
	CHECK(rnn_prior_size(0) == 0 && rnn_prior_size(rnn_prior_latest() + 1) == 0 && rnn_prior_size(-1) == 0);
	CHECK(rnn_prior_load(rnn_prior_latest() + 1, w, &p, &err) == RNN_ERR_VERSION && err.value == rnn_prior_latest() + 1);
	free(w);
}

static double
pinball(const double *q, double y)
{
	double		loss = 0;

	for (int k = 0; k < Q; k++)
		loss += rnn_pinball(k, y - q[k]) / Q;
	return loss;
}

/* Better than the mix on series of `from` to `to` points, of which enough are asked for; sound on each. */
static void
check_better(int series, int ahead, int from, int to, double most)
{
	double		ratio = 0;
	int			count = 0;

	for (int i = 0; i < series; i++)
	{
		rnn_model	m = prior_model(ahead, 1);
		double	   *with,
				   *without,
					loss = 0,
					mix = 0;

		m.config.lower = -1e300;	/* the forecasts themselves, not held at 0 */
		rnn_synth_make(77, i, RNN_SPLIT_HELD_OUT, ahead, &work, &synth);
		if (synth.horizon < ahead)
			continue;
		for (int k = 0; k < synth.n_given; k++)
			m.seasons[k] = synth.given[k];
		m.n_seasons = synth.n_given > 0 ? synth.n_given : 1;
		with = forecast_series(&m, synth.x, synth.n, ahead);
		m.prior = 0;
		m.prior_net = NULL;
		without = forecast_series(&m, synth.x, synth.n, ahead);
		CHECK(with && without);
		for (int j = 0; with && without && j < ahead; j++)
		{
			for (int k = 0; k < Q; k++)
			{
				CHECK(isfinite(with[j * Q + k]));
				CHECK(k == 0 || with[j * Q + k] >= with[j * Q + k - 1]);
			}
			loss += pinball(with + j * Q, synth.x[synth.n + j]);
			mix += pinball(without + j * Q, synth.x[synth.n + j]);
		}
		/* A constant is forecast as such, with the prior or without. */
		if (synth.n >= from && synth.n < to && mix > 0 && loss > 0 && !rnn_series_is_constant(&(rnn_series) {.x = synth.x,.n = synth.n}))
		{
			ratio += log(loss / mix);
			count++;
		}
		free(with), free(without);
	}
	ratio = exp(ratio / count);
	printf("  geometric mean of the ratio of losses over %d series: %.3f\n", count, ratio);
	CHECK(count > 80 && ratio < most);
}

/*
 * Where little is known of a series: version 1 was trained to correct a mix that
 * had no analogues, which found as much as it does in longer ones.
 */
static void
test_better_than_mix(void)
{
	printf("- synthetic series: better than the mix\n");
	check_better(1000, AHEAD, 8, 128, 0.95);
}

/* Far ahead of long ones, for which there is another version. */
static void
test_far_ahead(void)
{
	printf("- far ahead: better than the mix\n");
	check_better(400, FAR_AHEAD, 2 * FAR_AHEAD, RNN_SYNTH_LONGEST + 1, 0.97);
}

/* What follows the end changes no byte, nor do other series in the batch. */
static void
test_reads_the_past_alone(void)
{
	enum {N = 700, B = 5};
	static const int64_t ends[B] = {3, 40, 200, 511, 650};
	double	   *x = malloc(sizeof(double) * N),
			   *other = malloc(sizeof(double) * N);
	rnn_points	points = {.raw = x,.x = x,.n = N,.unit = 1},
				changed = {.raw = other,.x = other,.n = N,.unit = 1};
	rnn_model	m = prior_model(AHEAD, 12);
	rnn_prior_net net;
	rnn_arena	a;
	void	   *block = NULL;
	rnn_said	said[B],
				again[B];
	rnn_end		end[B];
	real	   *q = malloc(sizeof(real) * 2 * B * AHEAD * Q);

	printf("- nothing behind the end is read\n");
	wave(x, N, 12, 1);
	for (int pass = 0; pass < 2; pass++)
	{
		rnn_arena_init(&a, block, pass ? a.used + 64 : 0);
		rnn_prior_net_init(&net, &prior, &m.config, N, B, &a);
		block = pass ? block : malloc(a.used + 64);
	}
	CHECK(!a.failed);
	for (int b = 0; b < B; b++)
	{
		end[b] = (rnn_end) {&points, ends[b]};
		CHECK(rnn_prior_applies(&prior, &end[b]) == (ends[b] >= 4));
		said[b].q = ends[b] >= 4 ? q + b * AHEAD * Q : NULL;
		again[b].q = ends[b] >= 4 ? q + (B + b) * AHEAD * Q : NULL;
	}
	rnn_prior_net_run(&net, end, NULL, B, said);
	for (int b = 1; b < B; b++)
	{
		for (int i = 0; i < N; i++)
			other[i] = i < ends[b] ? x[i] : 1e6 - x[i];
		rnn_prior_net_run(&net, &(rnn_end) {&changed, ends[b]}, NULL, 1, again + b);
		CHECK(memcmp(&said[b].scale, &again[b].scale, sizeof(rnn_scale)) == 0);
		for (int k = 0; k < AHEAD * Q; k++)
			CHECK(fabs(said[b].q[k] - again[b].q[k]) <= 1e-4 * (1 + fabs(said[b].q[k])));
	}
	free(block), free(x), free(other), free(q);
}

/* Any horizon; beyond its own what it changed at the last halves as often as the horizon goes by again. */
static void
test_horizons(void)
{
	static const int horizons[] = {1, 15, 16, 17, 63, 64, 65, 200, 1024};
	double		x[300];

	printf("- horizons\n");
	wave(x, 300, 12, 2);
	for (int i = 0; i < 9; i++)
	{
		int			h = horizons[i];
		rnn_model	m = prior_model(h, 12);
		double	   *with = forecast_series(&m, x, 300, h + 50),
				   *without;
		int			last = rnn_prior_steps(&prior, h) - 1;
		double		near,
					far;

		m.prior_net = NULL;
		without = forecast_series(&m, x, 300, h + 50);
		CHECK(with && without);
		for (int j = 0; j < (h + 50) * Q; j++)
			CHECK(isfinite(with[j]) && with[j] > 0 && with[j] < 250);
		far = fabs(with[(h - 1) * Q + RNN_MEDIAN] - without[(h - 1) * Q + RNN_MEDIAN]);
		CHECK(h > 64 || memcmp(with, without, sizeof(double) * h * Q) != 0);
		near = fabs(with[last * Q + RNN_MEDIAN] - without[last * Q + RNN_MEDIAN]);
		CHECK(fabs(far - near * pow(0.5, (h - 1 - last) / (double) prior.horizon)) < 1e-3 * (1 + near));
		free(with), free(without);
	}
}

static void
test_left_alone(void)
{
	rnn_model	m = prior_model(4, 1),
				mix = prior_model(4, 1);
	double		x[100];
	double	   *a,
			   *b;

	printf("- few points and constants are the mix's\n");
	mix.prior_net = NULL;
	for (int n = 1; n <= 100; n += n < 5 ? 1 : 95)
	{
		for (int i = 0; i < 100; i++)
			x[i] = n < 4 ? i * i : 7;
		a = forecast_series(&m, x, n, 4);
		b = forecast_series(&mix, x, n, 4);
		CHECK(memcmp(a, b, sizeof(double) * 4 * Q) == 0);
		free(a), free(b);
	}
}

/* Layers that were packed once are those that each forecast packs, and are what it looks at. */
static void
test_packed(void)
{
	rnn_prior	ready = prior;
	size_t		size = rnn_prior_packed_size(&prior);
	void	   *block = malloc(size);
	rnn_model	m = prior_model(AHEAD, 12);
	double		x[300],
			   *each,
			   *once,
			   *emptied;

	printf("- packed once\n");
	wave(x, 300, 12, 5);
	rnn_prior_pack(&ready, block);
	each = forecast_series(&m, x, 300, AHEAD);
	m.prior_net = &ready;
	once = forecast_series(&m, x, 300, AHEAD);
	CHECK(memcmp(each, once, sizeof(double) * AHEAD * Q) == 0);
	memset(block, 0, size);
	emptied = forecast_series(&m, x, 300, AHEAD);
	CHECK(memcmp(each, emptied, sizeof(double) * AHEAD * Q) != 0);
	free(each), free(once), free(emptied), free(block);
}

/* Of a block this small malloc keeps the pages; it is no smaller than all held-out windows want. */
static void
test_small_block(void)
{
	static const int horizons[] = {1, 24, 48, 96};
	double		x[512];

	printf("- a small block where nothing is trained\n");
	wave(x, 512, 24, 6);
	for (int c = 0; c < 4; c++)
	{
		rnn_series	series = {.x = x,.n = 512};
		rnn_panel	panel = {.series = &series,.count = 1,.prior = &prior};
		rnn_config	cfg;
		Trained		small,
					large;
		rnn_error	err;
		size_t		size;

		rnn_config_defaults(&cfg);
		cfg.start = RNN_START_PRIOR;
		cfg.horizon = horizons[c];
		CHECK(rnn_trainer_size(&cfg, &panel, 256 * MB, &size, &err) == RNN_OK && size < 32 * MB);
		small = train_in(size, NULL, &prior, &cfg, x, 512);
		large = train_in(256 * MB, NULL, &prior, &cfg, x, 512);
		CHECK(small.status == RNN_OK && large.status == RNN_OK);
		CHECK(small.model.calibration_n > 0 && small.model.calibration_n == large.model.calibration_n);
		free(small.block), free(large.block);
	}
}

/* The trainer: what is trained, what the model says of itself, and its bytes. */
static void
test_training(void)
{
	static const int starts[] = {RNN_START_AUTO, RNN_START_PRIOR, RNN_START_SCRATCH, RNN_START_AUTO};
	double		x[900];

	printf("- trainings that build on it\n");
	wave(x, 900, 12, 3);
	for (int c = 0; c < 4; c++)
	{
		rnn_config	cfg;
		Trained		t;
		rnn_model	back;
		uint8_t    *bytes;
		void	   *block;
		size_t		size;
		rnn_arena	arena;

		rnn_config_defaults(&cfg);
		cfg.start = starts[c];
		cfg.network = c < 3;
		cfg.steps = 20;
		cfg.horizon = 12;
		cfg.hidden = 8;
		t = train_on(NULL, &prior, &cfg, x, 900, 64 * MB);
		CHECK(t.status == RNN_OK);
		CHECK(t.model.prior == (c < 2 ? prior.version : 0));
		CHECK((t.model.n_members > 0) == (c == 2 || (c == 0 && t.model.weight > 0)));
		CHECK(c != 1 || (t.model.verdict == RNN_VERDICT_PRIOR && t.model.calibration_n > 0 && isfinite(t.model.coverage)));
		bytes = malloc(rnn_model_size(&t.model));
		rnn_model_encode(&t.model, bytes);
		CHECK(c != 1 || rnn_model_size(&t.model) < 2000);
		CHECK(rnn_model_decoded_size(bytes, rnn_model_size(&t.model), &size, &t.err) == RNN_OK);
		block = malloc(size + 64);
		rnn_arena_init(&arena, block, size + 64);
		CHECK(rnn_model_decode(bytes, rnn_model_size(&t.model), &arena, &back, &t.err) == RNN_OK);
		CHECK(back.prior == t.model.prior && back.prior_net == NULL);
		free(block), free(bytes), free(t.block);
	}
}

/* Bytes around the weights may be anything: refused, or a model with finite weights. */
static void
damage(const rnn_model *m)
{
	size_t		len = rnn_model_size(m),
				at = 0,
				size;
	uint8_t    *bytes = malloc(len),
			   *was = malloc(len);
	rnn_rng		r;
	rnn_model	back;
	rnn_error	err;
	int			refused = 0;

	rnn_rng_seed(&r, 8, 0);
	rnn_model_encode(m, was);
	/* Everything before the weights, which are most of it. */
	size = len - 2 * (size_t) (m->member[0].params - m->member[0].shared);
	for (int i = 0; i < 1500; i++, at = (at + 1) % size)
	{
		uint32_t	crc;

		memcpy(bytes, was, len);
		bytes[16 + at % (size - 16)] ^= (uint8_t) (1u << rnn_rng_below(&r, 8));
		crc = rnn_crc32c(bytes + 16, len - 16);
		for (int k = 0; k < 4; k++)
			bytes[12 + k] = (uint8_t) (crc >> 8 * k);
		if (rnn_model_decoded_size(bytes, len, &size, &err) != RNN_OK)
			refused++;
		else
		{
			void	   *block = malloc(size + 64);
			rnn_arena	a;

			rnn_arena_init(&a, block, size + 64);
			CHECK(rnn_model_decode(bytes, len, &a, &back, &err) == RNN_OK);
			for (int k = 0; k < back.n_members; k++)
				CHECK(isfinite(back.member[k].weights[0]) && isfinite(back.member[k].weights[back.member[k].params - 1]));
			free(block);
		}
		size = len - 2 * (size_t) (m->member[0].params - m->member[0].shared);
	}
	CHECK(refused > 400);
	free(bytes), free(was);
}

/* Of the prior, trained further, a model stores what became different, and its forecasts stay the same. */
static void
test_tuned(void)
{
	double		x[900];

	printf("- the prior, trained further\n");
	wave(x, 900, 12, 4);
	for (int warm = 0; warm < 2; warm++)
	{
		rnn_config	cfg;
		Trained		t,
					more;
		rnn_model	back;
		void	   *block;
		size_t		len;
		rnn_shape	shape;
		double	   *a,
				   *b;

		rnn_config_defaults(&cfg);
		cfg.start = RNN_START_TUNE;
		cfg.steps = 20;
		cfg.horizon = 12;
		cfg.seasons_given = 1;
		cfg.seasons[0] = 12;
		t = train_on(NULL, &prior, &cfg, x, 900, 128 * MB);
		CHECK(t.status == RNN_OK && t.model.n_members == 1 && t.model.weight == 1);
		if (warm)
		{
			cfg = t.model.config;
			cfg.batch = 0;
			more = train_on(&t.model, &prior, &cfg, x, 900, 128 * MB);
			CHECK(more.status == RNN_OK && more.model.candidate[0].kind == RNN_KIND_HEAD);
			CHECK(memcmp(more.model.member[0].weights, t.model.member[0].weights, sizeof(float) * prior.params) != 0);
			free(t.block);
			t = more;
		}
		rnn_shape_init(&shape, &t.model.config);
		CHECK(t.model.member[0].prior == prior.version && t.model.member[0].shared == shape.head && shape.head > 0);
		CHECK(t.model.n_candidates == 1 && t.model.candidate[0].kind == RNN_KIND_HEAD);
		CHECK(memcmp(t.model.member[0].weights, prior.weights, sizeof(real) * shape.head) == 0);
		CHECK(memcmp(t.model.member[0].weights, prior.weights, sizeof(real) * prior.params) != 0);
		back = read_back(&t.model, &len, &block, &t.err);
		CHECK(len < 2 * (size_t) (prior.params - shape.head) + 10000);
		CHECK(back.n_members == 1 && memcmp(back.member[0].weights, t.model.member[0].weights,
											sizeof(float) * prior.params) == 0);
		a = forecast_series(&t.model, x, 900, 12);
		back.prior_net = &prior;
		b = forecast_series(&back, x, 900, 12);
		CHECK(a && b && memcmp(a, b, sizeof(double) * 12 * Q) == 0);
		damage(&t.model);
		free(a), free(b), free(block), free(t.block);
	}
}

/* A version is what a model says, whatever the latest one is. */
static void
test_versions(void)
{
	rnn_model	m = prior_model(AHEAD, 12);
	rnn_prior	next = prior;
	real	   *w = malloc(sizeof(real) * prior.params);
	float	   *first = malloc(sizeof(float) * prior.params);
	double		x[200],
			   *a,
			   *b,
			   *c;

	printf("- a later version changes nothing\n");
	wave(x, 200, 12, 5);
	for (int64_t i = 0; i < prior.params; i++)
		w[i] = prior.weights[i] * (real) 1.1;
	next.version = rnn_prior_latest() + 1;
	next.weights = w;
	a = forecast_series(&m, x, 200, AHEAD);
	m.prior_net = &next;
	b = forecast_series(&m, x, 200, AHEAD);
	m.prior_net = &prior;
	c = forecast_series(&m, x, 200, AHEAD);
	CHECK(a && b && c && memcmp(a, c, sizeof(double) * AHEAD * Q) == 0);
	CHECK(memcmp(a, b, sizeof(double) * AHEAD * Q) != 0);
	/* Version 1 is here for good. */
	CHECK(rnn_prior_weights(1, rnn_prior_size(1) / sizeof(real), first) && isfinite(first[0]));
	CHECK(!rnn_prior_weights(rnn_prior_latest() + 1, 1, first) && !rnn_prior_weights(1, rnn_prior_size(1) / sizeof(real) + 1, NULL));
	free(a), free(b), free(c), free(w), free(first);
}

/* The 90 % interval of series of each length, of processes that it wasn't fitted on by name. */
static void
test_coverage(void)
{
	static const int longest[] = {15, 31, 63, 127, 255, 2048};
	double		in[6] = {0},
				of[6] = {0};

	printf("- coverage by length\n");
	for (int i = 0; i < 3000; i++)
	{
		rnn_model	m;
		double	   *q;
		int			h,
					c = 0;

		rnn_synth_make(4243, i, RNN_SPLIT_HELD_OUT, AHEAD, &work, &synth);
		if (synth.n < 8)
			continue;
		h = synth.n < 16 ? synth.n / 2 : synth.n < 40 ? 8 : 18;
		m = prior_model(h, 1);
		for (int k = 0; k < synth.n_given; k++)
			m.seasons[k] = synth.given[k];
		m.n_seasons = synth.n_given > 0 ? synth.n_given : 1;
		while (synth.n > longest[c])
			c++;
		q = forecast_series(&m, synth.x, synth.n, h);
		for (int j = 0; q && j < h; j++)
		{
			double		y = synth.x[synth.n + j];

			in[c] += y >= q[j * Q + 2] && y <= q[j * Q + Q - 3];
			of[c]++;
		}
		free(q);
	}
	for (int c = 0; c < 6; c++)
	{
		printf("  up to %d points: %.3f\n", longest[c], in[c] / of[c]);
		CHECK(in[c] / of[c] > (c == 0 ? 0.83 : 0.86) && in[c] / of[c] < 0.94);
	}
}

/* Gains of `at` at weight 1, relative to a loss of 2, with an error that grows like the weight. */
static Gains
gains_of(double at, double error)
{
	Gains		gains = {.loss = 2};

	for (int g = 0; g < RNN_GRID; g++)
	{
		gains.difference[g] = 2 * at * g / (RNN_GRID - 1.0);
		gains.error[g] = g == 0 ? 0 : 2 * error * g / (RNN_GRID - 1.0);
	}
	return gains;
}

static int
weight_of(double at, double error)
{
	const Gains gains = gains_of(at, error);

	return tuned_weight(&gains, 1);
}

/* What was measured counts as far as it is sure; else what is known of such networks. */
static void
test_tuned_weight(void)
{
	int			unknown = weight_of(0, INFINITY);

	printf("- the weight of a tuned prior\n");
	CHECK(unknown > 0 && unknown < RNN_GRID - 1);
	CHECK(weight_of(0.5, 1e9) == unknown);
	CHECK(weight_of(-0.1, 1e-6) == RNN_GRID - 1 && weight_of(0.1, 1e-6) == 0 && weight_of(0.1, 0) == 0);
	for (double error = 0.001; error < 1; error *= 2)
	{
		CHECK(weight_of(-0.1, error) >= unknown && weight_of(0.1, error) <= unknown);
		CHECK(weight_of(0.1, 2 * error) >= weight_of(0.1, error) && weight_of(-0.1, 2 * error) <= weight_of(-0.1, error));
	}
	CHECK(tuned_weight(&(Gains) {.loss = 0}, 1) == 0);
}

/* Better by each series and worse in sums: the weight is where both together are best. */
static void
test_weight_by_sums(void)
{
	Gains		both[LOSSES] = {gains_of(-0.1, 1e-6), gains_of(0.15, 1e-6)};

	printf("- the weight of a tuned prior that makes sums worse\n");
	CHECK(tuned_weight(both, 1) == RNN_GRID - 1 && tuned_weight(both, LOSSES) == 0);
	/* A dear tail, which is known, holds the weight below what is cheap up to there. */
	for (int g = 6; g < RNN_GRID; g++)
		both[LOSS_PLAIN].difference[g] += 0.4 * (g - 5);
	for (int g = 0; g < 6; g++)
		both[LOSS_PLAIN].difference[g] = 0;
	CHECK(tuned_weight(both, LOSSES) == 5);
	/* Sums that tell nothing leave what is known of such networks. */
	both[LOSS_PLAIN] = gains_of(0.15, 1e9);
	CHECK(tuned_weight(both, LOSSES) >= 7);
}

static void
test_conflicts(void)
{
	rnn_config	cfg;
	rnn_error	err;

	printf("- conflicts\n");
	rnn_config_defaults(&cfg);
	cfg.start = RNN_START_PRIOR;
	CHECK(rnn_config_check(&cfg, &err) == RNN_OK);
	cfg.skip = false;
	CHECK(rnn_config_check(&cfg, &err) == RNN_ERR_CONFLICT);
	cfg.skip = true;
	cfg.network = false;
	CHECK(rnn_config_check(&cfg, &err) == RNN_ERR_CONFLICT);
	cfg.start = RNN_START_TUNE;
	CHECK(rnn_config_check(&cfg, &err) == RNN_ERR_CONFLICT);
	{
		double		x[40];
		Trained		t;

		/* Another network than the prior's, or no prior. */
		wave(x, 40, 4, 6);
		rnn_config_defaults(&cfg);
		cfg.start = RNN_START_TUNE;
		t = train_on(NULL, NULL, &cfg, x, 40, 64 * MB);
		CHECK(t.status == RNN_ERR_CONFLICT);
		free(t.block);
		cfg.hidden = 8;
		t = train_on(NULL, &prior, &cfg, x, 40, 64 * MB);
		CHECK(t.status == RNN_ERR_CONFLICT);
		free(t.block);
	}
}

static void
load_for(int horizon)
{
	int			version = rnn_prior_for(horizon, 0);
	rnn_error	err;

	free((void *) prior.weights);
	prior.weights = NULL;
	CHECK(rnn_prior_load(version, malloc(rnn_prior_size(version)), &prior, &err) == RNN_OK);
	CHECK(prior.horizon >= horizon);
}

int
main(void)
{
	rnn_engine_init(-1);
	load_for(FAR_AHEAD);
	TEST(test_load);
	TEST(test_far_ahead);
	TEST(test_reads_the_past_alone);
	TEST(test_horizons);
	TEST(test_left_alone);
	TEST(test_packed);
	TEST(test_small_block);
	TEST(test_tuned);
	load_for(AHEAD);
	TEST(test_load);
	TEST(test_better_than_mix);
	TEST(test_reads_the_past_alone);
	TEST(test_horizons);
	TEST(test_left_alone);
	TEST(test_packed);
	TEST(test_small_block);
	TEST(test_training);
	TEST(test_tuned);
	TEST(test_versions);
	TEST(test_coverage);
	TEST(test_tuned_weight);
	TEST(test_weight_by_sums);
	TEST(test_conflicts);
	return check_summary("prior");
}
