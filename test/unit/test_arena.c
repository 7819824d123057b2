/*
 * test_arena.c
 *		Every allocation of the engine fails once: each call ends with an error,
 *		or does without.
 *
 * The sizes that the engine asks for are enough, so that this doesn't happen;
 * if a size is ever wrong, it has to be an error, not a crash.  This program
 * has an allocator of its own, around the true one, and is linked without it.
 */
#define rnn_arena_alloc true_alloc
#include "../../src/engine/base/arena.c"
#undef rnn_arena_alloc

void	   *rnn_arena_alloc(rnn_arena *a, size_t count, size_t width);

#include "samples.h"

static int	seen,
			fails_at;			/* 0: none does */

void *
rnn_arena_alloc(rnn_arena *a, size_t count, size_t width)
{
	if (++seen == fails_at)
	{
		a->failed = true;
		return NULL;
	}
	return true_alloc(a, count, width);
}

#define LENGTH 100				/* points of a training */

typedef rnn_status (*Work) (int which);

static rnn_status
train(int which)
{
	const Sample *s = &samples[which];
	static float given[LENGTH][COVARIATES];
	rnn_config	cfg = s->model.config;
	rnn_series	series = {.n = LENGTH,.x = points,.covariates = cfg.covariates.n ? given[0] : NULL};
	rnn_panel	panel = {
		.count = 1,.series = &series,.covariates = cfg.covariates,
		.prior = cfg.start == RNN_START_SCRATCH ? NULL : tiny_prior()
	};
	rnn_trainer *trainer;
	rnn_progress p = {0};
	rnn_model	m;
	rnn_error	err;
	size_t		size;
	void	   *block;
	rnn_status	status = rnn_trainer_size(&cfg, &panel, (size_t) 1 << 28, &size, &err);

	if (status != RNN_OK)
		return status;
	block = malloc(size);
	status = rnn_trainer_init(&trainer, block, size, &cfg, &panel, NULL, &err);
	while (status == RNN_OK && !p.done)
		status = rnn_trainer_step(trainer, &p, &err);
	if (status == RNN_OK)
		status = rnn_trainer_model(trainer, &m, &err);
	free(block);
	return status;
}

static rnn_status
forecast(int which)
{
	rnn_model  *m = &samples[which].model;
	int			horizon = 2 * m->config.horizon + 1;
	double	   *out = malloc(sizeof(double) * horizon * RNN_QUANTILES);
	void	   *block = NULL;
	size_t		size;
	rnn_error	err;
	rnn_status	status;

	m->prior_net = m->prior == 1 ? tiny_prior() : NULL;
	status = rnn_forecast_size(m, 1, m->series[0].n, horizon, &size, &err);

	if (status == RNN_OK)
	{
		block = malloc(size);
		status = rnn_forecast(m, m->series, 1, horizon, block, size, out, &err);
	}
	free(block);
	free(out);
	return status;
}

static rnn_status
decode(int which)
{
	const Sample *s = &samples[which];
	rnn_model	m;
	rnn_arena	a;
	rnn_error	err;
	size_t		size;
	void	   *block;
	rnn_status	status = rnn_model_decoded_size(s->bytes, s->len, &size, &err);

	if (status != RNN_OK)
		return status;
	block = malloc(size + 64);
	rnn_arena_init(&a, block, size + 64);
	status = rnn_model_decode(s->bytes, s->len, &a, &m, &err);
	free(block);
	return status;
}

static rnn_status
flow(int which)
{
	const rnn_model *m = &samples[which].model;
	double	   *out;
	void	   *block;
	size_t		size;
	int			layers,
				lags;
	rnn_error	err;
	rnn_status	status = rnn_gradient_flow_size(m, 0, &size, &err);

	if (status != RNN_OK)
		return status;
	block = malloc(size);
	out = malloc(sizeof(double) * 8 * 4096);
	status = rnn_gradient_flow(m, 0, block, size, out, &layers, &lags, &err);
	free(out);
	free(block);
	return status;
}

/* Does the work once for each of its allocations, that one failing. */
static int
fail_each(Work work, int which)
{
	rnn_status	usual;
	int			count;

	fails_at = seen = 0;
	usual = work(which);
	count = seen;
	CHECK(usual != RNN_ERR_MEMORY);
	for (int k = 1; k <= count; k++)
	{
		rnn_status	status;

		fails_at = k;
		seen = 0;
		status = work(which);
		CHECK(status == RNN_ERR_MEMORY || status == RNN_ERR_CORRUPT || status == usual);
	}
	fails_at = seen = 0;
	CHECK(work(which) == usual);
	return count;
}

int
main(void)
{
	static const Work works[] = {train, forecast, decode, flow};
	int			failed = 0;

	make_samples();
	(void) tiny_prior();
	for (int i = 0; i < SAMPLES; i++)
		for (size_t k = 0; k < sizeof(works) / sizeof(works[0]); k++)
		{
			/* Not of histories. */
			if (works[k] != decode && (samples[i].model.is_history || samples[i].model.n_series < 1 || samples[i].model.series[0].n < 1))
				continue;
			if (getenv("ARENA_VERBOSE"))
				fprintf(stderr, "%s, work %zu\n", samples[i].kind, k);
			failed += fail_each(works[k], i);
		}
	CHECK(failed > 500);
	printf("allocations that failed: %d\n", failed);
	return check_summary("test_arena");
}
