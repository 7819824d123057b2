/*
 * trust.c
 *		How often a network is added that shouldn't be.
 *
 * Nothing of a random walk can be known but its last value, so no network
 * helps, and series that share most of their shocks make many windows look
 * alike.  Each panel is judged as in any training, and what was added is played
 * on the windows that follow, beside what the model says without it.
 *
 * trust [PANELS [SERIES [SHARED]]]: panels, 100 of them where nothing is said, series
 * of each, and the part of a step's variance that all series share.
 */
#include "rnn.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N 100					/* points to train on */
#define H 6
#define ORIGINS 10				/* windows that follow */
#define MOST 200

static double x[MOST][N + ORIGINS * H];
static rnn_series series[MOST];

static void
make_panel(int count, double shared, uint64_t seed)
{
	rnn_rng		r;
	double		shock[N + ORIGINS * H];

	rnn_rng_seed(&r, seed, 1);
	for (int k = 0; k < N + ORIGINS * H; k++)
		shock[k] = sqrt(shared) * rnn_rng_normal(&r);
	for (int i = 0; i < count; i++)
	{
		double		level = 100;

		for (int k = 0; k < N + ORIGINS * H; k++)
			x[i][k] = level += shock[k] + sqrt(1 - shared) * rnn_rng_normal(&r);
		series[i] = (rnn_series) {.name = "walk",.name_len = 4,.n = N,.x = x[i]};
	}
}

static void
fail(const rnn_error *err)
{
	fprintf(stderr, "trust: %s\n", err->what);
	exit(1);
}

static rnn_model
trained(int count, const rnn_prior *prior, void **block)
{
	rnn_panel	panel = {.count = count,.series = series,.prior = prior};
	rnn_config	cfg;
	rnn_trainer *t;
	rnn_progress p = {0};
	rnn_model	m;
	rnn_error	err;
	size_t		size;

	rnn_config_defaults(&cfg);
	cfg.horizon = H;
	cfg.members = 1;
	cfg.seasons_given = 1;
	cfg.seasons[0] = 1;
	if (rnn_trainer_size(&cfg, &panel, (size_t) 1 << 29, &size, &err) != RNN_OK)
		fail(&err);
	*block = aligned_alloc(64, (size + 63) / 64 * 64);
	if (rnn_trainer_init(&t, *block, size, &cfg, &panel, NULL, &err) != RNN_OK)
		fail(&err);
	while (!p.done)
		if (rnn_trainer_step(t, &p, &err) != RNN_OK)
			fail(&err);
	if (rnn_trainer_model(t, &m, &err) != RNN_OK)
		fail(&err);
	return m;
}

/* Sum of the pinball losses on the windows that follow. */
static double
later_loss(const rnn_model *m, int count)
{
	rnn_origin	origins[MOST * ORIGINS];
	rnn_error	err;
	size_t		size;
	int			n = 0;
	void	   *block;
	double	   *q = malloc(sizeof(double) * count * ORIGINS * H * RNN_QUANTILES),
				sum = 0;

	for (int i = 0; i < count; i++)
	{
		series[i].n = N + ORIGINS * H;
		for (int o = 0; o < ORIGINS; o++)
			origins[n++] = (rnn_origin) {.series = i,.e = N + o * H};
	}
	if (rnn_ends_size(m, series, count, origins, n, H, &size, &err) != RNN_OK)
		fail(&err);
	block = malloc(size);
	if (rnn_ends(m, series, count, origins, n, H, block, size, q, &err) != RNN_OK)
		fail(&err);
	for (int i = 0; i < n; i++)
		for (int j = 0; j < H; j++)
			for (int k = 0; k < RNN_QUANTILES; k++)
				sum += rnn_pinball(k, x[origins[i].series][origins[i].e + j] - q[(i * H + j) * RNN_QUANTILES + k]);
	free(block), free(q);
	return sum;
}

int
main(int argc, char **argv)
{
	int			panels = argc > 1 ? atoi(argv[1]) : 100,
				count = argc > 2 ? atoi(argv[2]) : 60,
				added = 0;
	double		shared = argc > 3 ? atof(argv[3]) : 0.8,
				cost = 0,
				worst = 0,
				squares = 0;

	if (panels < 1 || count < 1 || count > MOST || shared < 0 || shared > 1)
		return 1;
	rnn_engine_init(-1);
	for (int p = 0; p < panels; p++)
	{
		void	   *block;
		rnn_model	m;

		make_panel(count, shared, (uint64_t) p);
		m = trained(count, NULL, &block);
		if (m.weight > 0 || m.weight_short > 0)
		{
			double		with = later_loss(&m, count),
						without;

			m.weight = m.weight_short = 0;
			without = later_loss(&m, count);
			added++;
			cost += with / without - 1;
			worst = fmax(worst, with / without - 1);
		}
		squares += pow(m.difference / m.std_error, 2);
		printf("\r%d of %d panels have a network", added, p + 1);
		fflush(stdout);
		free(block);
	}
	printf("\nthese are worse by %.2f %% on average, by %.2f %% at most; difference by error: %.2f\n",
		   added ? 100 * cost / added : 0.0, 100 * worst, sqrt(squares / panels));
	return 0;
}
