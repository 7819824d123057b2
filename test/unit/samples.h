/*
 * samples.h
 *		Small models of every kind, as values and as bytes.
 */
#ifndef SAMPLES_H
#define SAMPLES_H

#include "check.h"
#include "tiny_prior.h"
#include "trained.h"

#include <math.h>

#define HEADER 16
#define POINTS 60
#define ROOM ((size_t) 64 << 20)	/* forecasts that want more are left out */

/* A model of each kind, its bytes, and what it points to. */
typedef struct Sample
{
	const char *kind;
	Trained		trained;
	rnn_model	model;
	uint8_t    *bytes;
	size_t		len;
} Sample;

#define SAMPLES 12
#define HIERARCHY 11			/* the last: its bytes end with how series add up */
#define AHEAD 7					/* rows behind the points of the sample with covariates */
#define COVARIATES 3
static Sample samples[SAMPLES];
static double points[600];
static double exact[POINTS],
			gaps[POINTS];
static rnn_series many[4],
			levels[4];

static const rnn_text words[] = {{"", 0}, {"holiday", 7}};
static const rnn_covariate covariates[COVARIATES] = {
	{.name = {"is", 2},.role = RNN_STATIC,.centre = -3,.scale = 0.5},
	{.name = {"past", 4},.role = RNN_PAST,.scale = 2},
	{.name = {"word", 4},.role = RNN_AHEAD,.is_text = true,.n_categories = 2,.categories = words}
};
static float values[30 + AHEAD][COVARIATES];

/* ---------------------------------------------------------------- samples */

/* Small enough to damage every byte of. */
static inline void
small_config(rnn_config *cfg, rnn_cell cell)
{
	rnn_config_defaults(cfg);
	cfg->start = RNN_START_SCRATCH;
	cfg->cell = cell;
	cfg->layers = 1;
	cfg->hidden = 1;
	cfg->horizon = 5;
	cfg->context = 8;
	cfg->patch = 2;
	cfg->batch = 2;
	cfg->steps = 4;
	cfg->seasons_given = 1;
	cfg->seasons[0] = 7;
}

static inline void
make_sample(int i, const char *kind, const rnn_config *cfg, int n)
{
	Sample	   *s = &samples[i];

	s->kind = kind;
	s->trained = train_on(NULL, cfg->start == RNN_START_TUNE ? tiny_prior() : NULL, cfg, points, n, (size_t) 1 << 28);
	CHECK(s->trained.status == RNN_OK);
	s->model = s->trained.model;
	/* The latest points are enough to forecast from. */
	s->trained.series.x = points + n - 30;
	s->trained.series.n = 30;
	s->model.n_series = 1;
	s->model.series = &s->trained.series;
}

static inline void
encode_sample(Sample *s)
{
	s->len = rnn_model_size(&s->model);
	s->bytes = malloc(s->len);
	rnn_model_encode(&s->model, s->bytes);
}

/* Named series, with gaps, as doubles, and one of which nothing is known. */
static inline void
fill_many(void)
{
	for (int i = 0; i < POINTS; i++)
	{
		exact[i] = points[i] + 1e-13 * i;
		gaps[i] = i % 5 == 3 ? NAN : (float) points[i];
	}
	many[0] = (rnn_series) {.name = "exact",.name_len = 5,.start = -3,.dropped = 12,.n = POINTS,.x = exact};
	many[1] = (rnn_series) {.name = "",.name_len = 0,.start = INT64_MIN,.dropped = -9,.n = POINTS,.x = gaps};
	many[2] = (rnn_series) {.name = "none",.name_len = 4,.note = RNN_NOTE_EMPTY,.x = gaps};
	many[3] = (rnn_series) {.name = "one",.name_len = 3,.note = RNN_NOTE_SHORT,.start = INT64_MAX,.n = 1,.x = exact};
}

/* a/x and b add up to everything, a/x alone to a; each gap is spread. */
#define SUMS 2
#define PARTS 3
static const int32_t sums[SUMS] = {0, 1},
			sum_levels[SUMS] = {0, 1},
			first_parts[5] = {0, 0, 0, 2, 3},
			sums_of_parts[PARTS] = {0, 1, 0};
static const float pull[4 * SUMS] = {0.5f, 0, -0.25f, 0.5f, 0, -0.5f, -0.25f, 0};

static inline void
make_hierarchy(Sample *s)
{
	static const char *const names[4] = {"/", "a", "a/x", "b"};

	for (int i = 0; i < 4; i++)
		levels[i] = (rnn_series) {.name = names[i],.name_len = (int32_t) strlen(names[i]),.sum = i < SUMS,.n = POINTS,.x = points};
	s->model.n_series = 4;
	s->model.series = levels;
	s->model.hierarchy = (rnn_hierarchy) {
		.asked = {"\"/\"", 3},
		.sums = {.count = SUMS,.series = sums,.level = sum_levels,.first = first_parts,.of = sums_of_parts},
		.windows = 9,.shrinkage = 0.25,.pull = pull
	};
}

static inline void
make_history(Sample *s)
{
	s->kind = "history";
	s->model.is_history = true;
	rnn_config_defaults(&s->model.config);
	s->model.clock = (rnn_clock) {.kind = RNN_CLOCK_TIMESTAMPTZ,.months = 1,.month_day = 31,.zone = "Europe/Berlin"};
	s->model.coverage = NAN;
	s->model.n_series = 4;
	s->model.series = many;
}

static inline void
make_samples(void)
{
	rnn_config	cfg;
	rnn_rng		rng;

	rnn_rng_seed(&rng, 4, 4);
	for (int i = 0; i < 600; i++)
		points[i] = 20 + 3 * sin(6.283185307179586 * i / 7) + 0.5 * rnn_rng_normal(&rng);
	fill_many();

	small_config(&cfg, RNN_ELMAN);
	cfg.skip = cfg.norm = cfg.residual = 0;
	cfg.patch = 1;
	cfg.activation = RNN_RELU;
	cfg.loss = RNN_MSE;
	make_sample(0, "elman without skip", &cfg, POINTS);

	small_config(&cfg, RNN_GRU);
	cfg.layers = 2;
	cfg.conv_layers = 2;
	cfg.conv_dilation = 2;
	cfg.bptt = 3;
	make_sample(1, "gru with convolutions", &cfg, POINTS);

	small_config(&cfg, RNN_LSTM);
	cfg.members = 2;
	cfg.horizon = 18;
	cfg.seed = -77;
	make_sample(2, "two lstm", &cfg, 2 * POINTS);

	small_config(&cfg, RNN_GRU);
	cfg.network = 0;
	cfg.seasons_given = -1;
	make_sample(3, "mix", &cfg, POINTS);

	small_config(&cfg, RNN_GRU);
	cfg.start = RNN_START_AUTO;
	make_sample(4, "judged", &cfg, 600);

	small_config(&cfg, RNN_ELMAN);
	make_sample(5, "many series", &cfg, POINTS);
	samples[5].model.n_series = 4;
	samples[5].model.series = many;
	samples[5].model.clock = (rnn_clock) {.kind = RNN_CLOCK_DATE,.days = 1,.week = 31,.bin = RNN_BIN_LAST};

	make_history(&samples[6]);

	small_config(&cfg, RNN_GRU);
	cfg.covariates = (rnn_covariates) {.n = COVARIATES,.list = covariates};
	make_sample(7, "covariates", &cfg, POINTS);
	for (int i = 0; i < 30 + AHEAD; i++)
	{
		values[i][0] = 4;
		values[i][1] = i % 4 == 1 || i >= 30 ? NAN : (float) i;
		values[i][2] = i % 7 == 3 ? NAN : (float) (i % 3);
	}
	samples[7].trained.series.ahead = AHEAD;
	samples[7].trained.series.covariates = values[0];
	small_config(&cfg, RNN_GRU);
	cfg.start = RNN_START_TUNE;
	make_sample(8, "prior with another head", &cfg, POINTS);

	/* As if there had been many points: no weight is shared. */
	cfg.seed = 3;
	make_sample(9, "prior, trained further", &cfg, POINTS);
	samples[9].model.member[0].shared = 0;
	samples[9].model.candidate[0].kind = RNN_KIND_TUNED;

	small_config(&cfg, RNN_GRU);
	cfg.terms = 1 << RNN_TERM_MONTH | 1 << RNN_TERM_YEAR;
	make_sample(10, "calendar", &cfg, POINTS);
	samples[10].model.clock = (rnn_clock) {.kind = RNN_CLOCK_DATE,.days = 1};

	small_config(&cfg, RNN_GRU);
	cfg.network = 0;
	make_sample(HIERARCHY, "hierarchy", &cfg, POINTS);
	make_hierarchy(&samples[HIERARCHY]);
	for (int i = 0; i < SAMPLES; i++)
		encode_sample(&samples[i]);
}

static inline void
free_samples(void)
{
	for (int i = 0; i < SAMPLES; i++)
		free(samples[i].bytes), free(samples[i].trained.block);
}

/* ---------------------------------------------------------------- reading */

static inline void
put_u32(uint8_t *at, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t) (v >> (8 * i));
}

/* As one who means harm would: length and checksum fit again. */
static inline void
sign(uint8_t *bytes, size_t len)
{
	put_u32(bytes + 8, (uint32_t) len);
	put_u32(bytes + 12, rnn_crc32c(bytes + HEADER, len - HEADER));
}

/* Reads into a block of its own, which the caller frees: NULL with a status. */
static inline void *
read_bytes(const uint8_t *bytes, size_t len, rnn_model *m, rnn_error *err)
{
	size_t		size;
	void	   *block;
	rnn_arena	a;

	if (rnn_model_decoded_size(bytes, len, &size, err) != RNN_OK)
		return NULL;
	block = malloc(size);
	rnn_arena_init(&a, block, size);
	if (rnn_model_decode(bytes, len, &a, m, err) == RNN_OK)
	{
		/* As the server does. */
		m->prior_net = m->prior == 1 ? tiny_prior() : NULL;
		return block;
	}
	/* What was measured must be enough. */
	CHECK(err->status != RNN_ERR_MEMORY);
	free(block);
	return NULL;
}

#endif							/* SAMPLES_H */
