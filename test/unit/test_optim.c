/*
 * test_optim.c
 *		The averaged weights, where the loss is a bowl and gradients are noisy.
 */
#include "check.h"
#include "kernel/engine.h"
#include "net/optim.h"

#include <string.h>

#define P 64

/* Mean square of the averaged weights after so many updates; the least loss is at zero. */
static double
averaged(double ema, int updates, real *w)
{
	static char block[1 << 16];
	Optimizer	o;
	rnn_config	cfg;
	rnn_arena	a;
	rnn_rng		rng;
	rnn_error	err;
	double		sum = 0;

	rnn_config_defaults(&cfg);
	cfg.ema = ema;
	rnn_arena_init(&a, block, sizeof(block));
	optimizer_init(&o, P, true, &a);
	rnn_rng_seed(&rng, 3, 0);
	for (int i = 0; i < P; i++)
		o.w[i] = (real) (0.03 * rnn_rng_normal(&rng));
	optimizer_start(&o);
	for (int u = 0; u < updates; u++)
	{
		for (int i = 0; i < P; i++)
			o.g[i] = (real) (o.w[i] + 0.3 * rnn_rng_normal(&rng));
		CHECK(optimizer_update(&o, &cfg, 1, updates, false, 1, &err) == RNN_OK);
	}
	memcpy(w, optimizer_weights(&o), sizeof(real) * P);
	for (int i = 0; i < P; i++)
		sum += (double) w[i] * w[i] / P;
	return sum;
}

/* Also in trainings of a few hundred steps a longer average is another one, and no worse. */
static void
test_average(void)
{
	static const double longer[] = {0.99, 0.995, 0.999};

	for (int updates = 100; updates <= 1600; updates *= 2)
	{
		real		w[3][P];
		double		off[3];

		for (int i = 0; i < 3; i++)
			off[i] = averaged(longer[i], updates, w[i]);
		printf("  %d updates: %.2g, %.2g, %.2g\n", updates, off[0], off[1], off[2]);
		for (int i = 1; i < 3; i++)
		{
			CHECK(memcmp(w[i], w[i - 1], sizeof(w[i])) != 0);
			CHECK(off[i] <= 1.03 * off[0]);
		}
	}
}

/* What is asked for by default, and below, is as long as it always was: (1 + u) / (10 + u), then ema. */
static void
test_usual(void)
{
	for (double ema = 0.9; ema < 0.995; ema += 0.09)
	{
		static char block[1 << 16];
		Optimizer	o;
		rnn_config	cfg;
		rnn_arena	a;
		rnn_error	err;
		double		expect;

		rnn_config_defaults(&cfg);
		cfg.ema = ema;
		rnn_arena_init(&a, block, sizeof(block));
		optimizer_init(&o, 1, true, &a);
		o.w[0] = 1;
		optimizer_start(&o);
		expect = 1;
		for (int u = 1; u < 1500; u++)
		{
			double		decay = fmin(ema, (1.0 + u) / (10.0 + u));

			o.g[0] = u % 3 - 1;
			CHECK(optimizer_update(&o, &cfg, 1, 1500, false, 1, &err) == RNN_OK);
			expect = decay * expect + (1 - decay) * o.w[0];
			CHECK_NEAR(o.ema[0], expect, 1e-4);
		}
	}
}

int
main(void)
{
	rnn_engine_init(-1);
	TEST(test_average);
	TEST(test_usual);
	return check_summary("optim");
}
