/*
 * test_gradient_float.c
 *		The engine as it is built for the server: its gradient in float along
 *		random directions, (L(w + e d) - L(w - e d)) / 2e against g . d.
 */
#include "gradient.h"
#include "kernel/engine.h"

/* The slope along d and what the gradient says it is. */
static void
check_direction(problem *p, const real *w, double loss, rnn_rng *rng)
{
	real	   *d = malloc(sizeof(real) * p->shape.params);
	double		expect = 0,
				norm = 0,
				step,
				slope;
	uint64_t	sign;

	fill_normal(d, p->shape.params, 0, 1, rng);
	/* Half along the gradient, so that the slope isn't lost in rounding. */
	for (int64_t i = 0; i < p->shape.params; i++)
		norm += (double) p->g[i] * p->g[i];
	norm = sqrt(norm / (double) p->shape.params);
	for (int64_t i = 0; i < p->shape.params; i++)
	{
		d[i] = (real) ((d[i] + p->g[i] / norm) * 0.7);
		expect += (double) d[i] * p->g[i];
	}
	/* Long enough for a float's loss to move, too short for it to bend. */
	step = fmin(1e-4, 0.01 * loss / fabs(expect));
	for (int64_t i = 0; i < p->shape.params; i++)
		p->w[i] = w[i] + (real) step * d[i];
	slope = (double) problem_loss(p, &sign);
	for (int64_t i = 0; i < p->shape.params; i++)
		p->w[i] = w[i] - (real) step * d[i];
	slope = (slope - (double) problem_loss(p, &sign)) / (2 * step);
	CHECK_NEAR(slope, expect, 0.03);
	free(d);
}

static void
check_config(const rnn_config *cfg, uint64_t seed)
{
	problem		p;
	real	   *w;
	rnn_rng		rng;
	double		engine;

	problem_init(&p, cfg, 7, 3, seed);
	rnn_rng_seed(&rng, seed, 1);
	engine = problem_gradient(&p);
	CHECK_NEAR(engine, p.engine_loss, 1e-4);
	w = malloc(sizeof(real) * p.shape.params);
	memcpy(w, p.w, sizeof(real) * p.shape.params);
	for (int i = 0; i < 4; i++)
		check_direction(&p, w, engine, &rng);
	free(w);
	problem_free(&p);
}

static void
test_all(void)
{
	for (int cell = 0; cell < 4; cell++)
		for (int front = 0; front < 4; front++)
			for (int around = 0; around < 2; around++)
				for (int loss = 0; loss < 3; loss++)
					for (int skip = 0; skip < 2; skip++)
					{
						rnn_config	cfg = small_config(cell, front);

						cfg.norm = cfg.residual = around;
						cfg.loss = loss;
						cfg.skip = skip;
						check_config(&cfg, 31 + cell + 4 * front);
					}
}

/* Sizes that fill vectors and leave a remainder. */
static void
test_wide(void)
{
	for (int cell = 0; cell < 4; cell++)
		for (int hidden = 16; hidden < 70; hidden += 21)
		{
			rnn_config	cfg = small_config(cell, 3);

			cfg.hidden = hidden;
			cfg.dropout = 0.2;
			check_config(&cfg, hidden);
		}
}

int
main(void)
{
	for (int limit = 0; limit <= 2; limit++)
	{
		rnn_engine_init(limit);
		TEST(test_all);
		TEST(test_wide);
	}
	return check_summary("gradient_float");
}
