/*
 * fuzz_train.c
 *		Training on any numbers, with any options, ends in a model or a reason.
 *
 * Input: how many options are set, each as (which, what: an end of its range,
 * its default, or a small number), and the series: a byte a value, or its 8
 * bytes.  Sizes are cut so that a run takes little time.  The model must write
 * itself and forecast numbers in order; the trained weights go on training.
 */
#include "accepted.h"
#include "bytes.h"
#include "drive.h"

#define TRAINING ((size_t) 5 << 20)
#define MOST_POINTS 200

const char	target_name[] = "fuzz_train";

static void
set_option(rnn_config *cfg, const rnn_option *o, uint8_t what)
{
	char	   *field = (char *) cfg + o->offset;
	double		x = what < 100 ? what : what < 120 ? o->min : what < 140 ? o->max : what < 160 ? o->def :
		o->min + (o->max - o->min) * (what - 160) / 95;

	if (o->type == RNN_OPT_FLOAT)
		*(double *) field = what >= 80 && what < 100 ? (what - 80) / 20.0 : x;
	else if (o->type == RNN_OPT_BIGINT)
		*(int64_t *) field = (int64_t) x;
	else if (o->type == RNN_OPT_SEASONS)
	{
		cfg->seasons_given = what % 8 == 7 ? -1 : 1;
		cfg->seasons[0] = 1 + what % 30;
	}
	else
		*(int32_t *) field = (int32_t) x;
}

static void
cut(int32_t *field, int32_t most)
{
	*field = *field > most ? most : *field;
}

/* So little work that thousands of runs take a second. */
static void
make_small(rnn_config *cfg)
{
	if (cfg->hidden < 1)
		cfg->hidden = 2;
	if (cfg->context < 1)
		cfg->context = 6;
	if (cfg->steps < 1)
		cfg->steps = 2;
	if (cfg->batch < 1)
		cfg->batch = 2;
	if (cfg->horizon < 1)
		cfg->horizon = 3;
	if (cfg->members < 1)
		cfg->members = 1;
	cut(&cfg->hidden, 3);
	cut(&cfg->layers, 2);
	cut(&cfg->conv_layers, 2);
	cut(&cfg->conv_kernel, 4);
	cut(&cfg->context, 24);
	cut(&cfg->steps, 3);
	cut(&cfg->batch, 4);
	cut(&cfg->horizon, 12);
	cut(&cfg->members, 2);
	cfg->seconds = 0;
}

static int
read_points(Bytes *in, double *x)
{
	int			n = 0;

	while (in->next < in->end && n < MOST_POINTS)
	{
		uint8_t		what = take(in);

		x[n] = what == 255 ? NAN : what < 250 ? what / 4.0 - 8 : pow(10, 100 * (what - 252)) * (1 + n % 7);
		if (what == 254)
			take_all(in, &x[n], sizeof(double));
		/* A series begins with a known value, and has no infinite one. */
		n += !isinf(x[n]) && !(n == 0 && isnan(x[n]));
	}
	while (n > 0 && isnan(x[n - 1]))
		n--;
	return n;
}

static void
use_model(const Trained *t, const rnn_config *cfg, const double *x, int n)
{
	rnn_model	m = t->model;
	rnn_series	s = {.n = n,.x = x};
	Trained		again;

	CHECK(info_fine(&m));
	CHECK(forecast_fine(&m, &s, 1) != 0);
	CHECK(forecast_fine(&m, &s, m.config.horizon + 5) != 0);
	m.n_series = 1;
	m.series = &s;
	CHECK(writes_itself(&m));
	for (int i = 0; i < m.n_members; i++)
		CHECK(flow_fine(&m, i));
	again = train_on(&m, tiny_prior(), cfg, x, n, TRAINING);
	CHECK(again.status == RNN_OK || again.status == RNN_ERR_NUMERIC);
	free(again.block);
}

static bool
run_input(const uint8_t *data, size_t len)
{
	Bytes		in = {data, data + len};
	int			options = take(&in) % 16;
	double		x[MOST_POINTS + 1];
	rnn_config	cfg;
	rnn_error	err;
	Trained		t;
	int			n;

	rnn_config_defaults(&cfg);
	cfg.layers = 1;
	for (int i = 0; i < options; i++)
	{
		const rnn_option *o = &rnn_options[take(&in) % rnn_option_count];

		set_option(&cfg, o, take(&in));
	}
	make_small(&cfg);
	if (rnn_config_check(&cfg, &err) != RNN_OK)
		return false;
	n = read_points(&in, x);
	t = train_on(NULL, cfg.network && cfg.start != RNN_START_SCRATCH ? tiny_prior() : NULL, &cfg, x, n, TRAINING);
	CHECK(t.status == RNN_OK || t.status == RNN_ERR_MEMORY || t.status == RNN_ERR_NUMERIC || t.status == RNN_ERR_DATA ||
		  t.status == RNN_ERR_CONFLICT);
	if (t.status == RNN_OK)
		use_model(&t, &cfg, x, n);
	free(t.block);
	return t.status == RNN_OK;
}

/* Each option once, over a season of 7. */
static void
make_seeds(void (*add_seed) (const char *name, const uint8_t *bytes, size_t len))
{
	for (int i = 0; i < rnn_option_count; i++)
	{
		uint8_t		seed[103] = {1, (uint8_t) i, (uint8_t) (i % 3 == 0 ? 1 : 130)};

		for (int k = 3; k < 103; k++)
			seed[k] = (uint8_t) (100 + 10 * (k % 7) + k % 3);
		add_seed(rnn_options[i].name, seed, sizeof(seed));
	}
}
