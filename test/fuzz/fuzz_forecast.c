/*
 * fuzz_forecast.c
 *		A model with altered numbers does no harm when it is used.
 *
 * Input: which of the small models, how many of its numbers are altered, each
 * as (place, what: a special number or these 4 bytes), and what is observed
 * after its points: a byte a value, or its 8 bytes.  Lengths stay as they are,
 * so most inputs are accepted and get further than those of fuzz_model: they
 * forecast, observe, forecast and go on training.
 */
#include "accepted.h"
#include "bytes.h"
#include "drive.h"

#define TRAINING ((size_t) 5 << 20)
#define MOST_OBSERVED 100

const char	target_name[] = "fuzz_forecast";

static void
alter(Bytes *in, uint8_t *bytes, size_t len)
{
	static const float floats[] = {0, -0.0f, 1, -1, 1e30f, -3e38f, 1e-45f, 100, 1e-3f, INFINITY, -INFINITY, NAN};
	static const double doubles[] = {0, -0.0, 1, -1, 1e300, -1e300, 5e-324, 1e-200, 0x1p53, INFINITY, -INFINITY, NAN};
	size_t		at = HEADER + (take(in) | (size_t) take(in) << 8) % (len - HEADER - 8);
	uint8_t		what = take(in);

	if (what < 12)
		memcpy(bytes + at, &floats[what], sizeof(float));
	else if (what < 24)
		memcpy(bytes + at, &doubles[what - 12], sizeof(double));
	else if (what < 128)
		bytes[at] = take(in);
	else
		take_all(in, bytes + at, 4);
}

/* Finite or missing, as the server lets through; the last one is known. */
static int
read_observed(Bytes *in, double *x)
{
	int			n = 0;

	while (in->next < in->end && n < MOST_OBSERVED)
	{
		uint8_t		what = take(in);

		x[n] = what == 255 ? NAN : what / 4.0 - 8;
		if (what == 254)
			take_all(in, &x[n], sizeof(double));
		n += !isinf(x[n]);
	}
	while (n > 0 && isnan(x[n - 1]))
		n--;
	return n;
}

static void
go_on(const rnn_model *m, const rnn_series *s)
{
	rnn_config	cfg = m->config;
	Trained		t;

	if (s->n < 2 || work_of(m) > 1000 || cfg.hidden > 4 || cfg.conv_layers > 2 || cfg.layers > 2 || cfg.horizon > 20)
		return;
	cfg.steps = 1;
	cfg.batch = 2;
	cfg.members = 1;
	cfg.seconds = 0;
	cfg.covariates = (rnn_covariates) {0};
	cfg.terms = 0;
	t = train_on(m, tiny_prior(), &cfg, s->x, s->n, TRAINING);
	CHECK(t.status == RNN_OK || t.status == RNN_ERR_MEMORY || t.status == RNN_ERR_NUMERIC ||
		  t.status == RNN_ERR_DATA || t.status == RNN_ERR_CONFLICT);
	if (t.status == RNN_OK)
		CHECK(forecast_fine(&t.model, s, 3) != 0);
	free(t.block);
}

/* The points of a series and those that were observed after them. */
static void
use_model(const rnn_model *m, Bytes *in)
{
	double		x[300 + MOST_OBSERVED];
	rnn_series	s;
	int			n,
				horizon = 1 + take(in) % 48;

	for (int i = 0; i < m->n_members && i < 2; i++)
		CHECK(flow_fine(m, i));
	if (m->n_series == 0 || m->series[0].n > 300)
		return;
	s = m->series[0];
	CHECK(forecast_fine(m, &s, horizon) != 0);
	memcpy(x, s.x, sizeof(double) * s.n);
	n = read_observed(in, x + s.n);
	if (n == 0 || m->config.covariates.n > 0 || m->config.terms != 0)
		return;
	s.n += n;
	s.x = x;
	CHECK(forecast_fine(m, &s, horizon) != 0);
	go_on(m, &s);
}

static bool
run_input(const uint8_t *data, size_t len)
{
	Bytes		in = {data, data + len};
	const Sample *sample = &samples[take(&in) % SAMPLES];
	int			alterations = take(&in) % 8;
	uint8_t    *bytes = malloc(sample->len);
	rnn_model	m;
	rnn_error	err = {0};
	void	   *block;

	memcpy(bytes, sample->bytes, sample->len);
	for (int i = 0; i < alterations; i++)
		alter(&in, bytes, sample->len);
	sign(bytes, sample->len);
	block = read_bytes(bytes, sample->len, &m, &err);
	CHECK(block || (err.status == RNN_ERR_CORRUPT && err.what) || (err.status == RNN_ERR_VERSION && err.what));
	if (block && !m.is_history)
		use_model(&m, &in);
	free(block), free(bytes);
	return block != NULL;
}

static void
make_seeds(void (*add_seed) (const char *name, const uint8_t *bytes, size_t len))
{
	make_samples();
	for (int i = 0; i < SAMPLES; i++)
	{
		uint8_t		seed[40] = {(uint8_t) i, 1, 200, (uint8_t) i, (uint8_t) i, 20, 40, 44, 48, 52, 255, 40, 44};

		add_seed(samples[i].kind, seed, sizeof(seed));
	}
}
