/*
 * test_gradient_double.c
 *		Every gradient of the network against central differences.
 *
 * The loss is written out here a second time, from its definition, because
 * two things need it: the engine's centre ignores the pinball of the gaps
 * under the losses mse and mae (a stopped gradient, imitated by freezing the
 * centre), and a step across a kink of pinball, mae or relu proves nothing.
 * The signs of all kinked terms are hashed: where two ends of a difference
 * disagree the step shrinks, and in the end the entry is skipped and counted.
 */
#include "gradient.h"
#include "kernel/engine.h"

/* Worst relative error of a tensor; counts of entries tried and skipped. */
typedef struct result
{
	double		worst;
	const char *where;
	int			tried,
				skipped;
	double		least;			/* smallest of the largest gradients of a tensor */
	const char *flat;
} result;

/* (f(x + h) - f(x - h)) / 2h of a weight or an input x, with the next order removed at the first step. */
static bool
difference(problem *p, real *at, double *slope)
{
	const double steps[] = {1e-4, 1e-5, 1e-6};
	real		keep = *at;

	for (int k = 0; k < 3; k++)
	{
		uint64_t	sign[4];
		long double f[4];
		double		h = steps[k];
		const double times[] = {1, -1, 2, -2};
		int			points = k == 0 ? 4 : 2;
		bool		same = true;

		for (int j = 0; j < points; j++)
		{
			*at = keep + times[j] * h;
			f[j] = problem_loss(p, &sign[j]);
			same = same && sign[j] == p->sign;
		}
		*at = keep;
		if (!same)
			continue;
		*slope = (double) (f[0] - f[1]) / (2 * h);
		if (points == 4)
			*slope = (4 * *slope - (double) (f[2] - f[3]) / (4 * h)) / 3;
		return true;
	}
	return false;
}

static void
check_tensor(problem *p, const tensor *t, result *r)
{
	double		largest = 0,
				error = 0;
	/* All of a small tensor, biases among them, else entries far apart. */
	int64_t		stride = t->n <= 12 ? 1 : t->bias ? t->n / 12 : t->n / 4;

	stride = stride < 1 ? 1 : stride;
	for (int64_t i = 0; i < t->n; i += stride)
	{
		double		slope,
					g = p->g[t->at + i];

		r->tried++;
		if (!difference(p, p->w + t->at + i, &slope))
		{
			r->skipped++;
			continue;
		}
		largest = fmax(largest, fabs(slope));
		error = fmax(error, fabs(slope - g));
	}
	if (largest < r->least)
	{
		r->least = largest;
		r->flat = t->name;
	}
	if (!(error / largest <= r->worst))
	{
		r->worst = error / largest;
		r->where = t->name;
	}
}

static void
check_problem(problem *p, const char *name)
{
	result		r = {.least = INFINITY};
	tensor		list[MAX_TENSORS];
	int			n = tensors(&p->shape, list);
	double		engine,
				mine;

	engine = problem_gradient(p);
	mine = (double) problem_loss(p, &p->sign);
	CHECK_NEAR(engine, p->engine_loss, 1e-12);
	CHECK_NEAR(engine, mine, 1e-12);
	for (int i = 0; i < n; i++)
		check_tensor(p, &list[i], &r);
	if (!(r.worst < 1e-6) || !(r.least > 1e-6) || r.skipped * 50 > r.tried)
		printf("%s: error %.2g in %s, least gradient %.2g in %s, %d of %d skipped\n",
			   name, r.worst, r.where, r.least, r.flat, r.skipped, r.tried);
	CHECK(r.worst < 1e-6);
	CHECK(r.least > 1e-6);
	CHECK(r.skipped * 50 <= r.tried);
}

static void
check_config(const rnn_config *cfg, int head_from, const char *name)
{
	problem		p;

	problem_init(&p, cfg, 7, 3, 17 + cfg->cell + 4 * cfg->patch + cfg->conv_layers);
	p.head_from = head_from;
	check_problem(&p, name);
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
						char		name[200];

						cfg.norm = cfg.residual = around;
						cfg.loss = loss;
						cfg.skip = skip;
						snprintf(name, sizeof(name), "cell %d front %d norm and residual %d loss %d skip %d",
								 cell, front, around, loss, skip);
						check_config(&cfg, 0, name);
					}
}

static void
test_norm_residual_alone(void)
{
	for (int cell = 0; cell < 4; cell++)
		for (int which = 0; which < 2; which++)
			for (int front = 0; front < 2; front++)
			{
				rnn_config	cfg = small_config(cell, front);

				cfg.norm = which;
				cfg.residual = !which;
				check_config(&cfg, 0, which ? "norm alone" : "residual alone");
			}
}

static void
test_head_from(void)
{
	for (int cell = 0; cell < 4; cell++)
		for (int from = 1; from < 7; from += 5)
		{
			rnn_config	cfg = small_config(cell, 3);

			check_config(&cfg, from, "head_from");
		}
}

/* The same seed draws the same masks, so the loss is smooth all the same. */
static void
test_dropout(void)
{
	for (int cell = 0; cell < 4; cell++)
	{
		rnn_config	cfg = small_config(cell, 3);

		cfg.dropout = 0.3;
		cfg.references = RNN_REFS;
		check_config(&cfg, 0, "dropout");
	}
}

/* Without a generator nothing is dropped, whatever masks were drawn before. */
static void
test_dropout_off(void)
{
	for (int cell = 0; cell < 4; cell++)
	{
		rnn_config	cfg = small_config(cell, 3);
		problem		p;

		cfg.dropout = 0.3;
		problem_init(&p, &cfg, 7, 3, 5);
		problem_gradient(&p);
		p.no_rng = true;
		check_problem(&p, "dropout off");
		problem_free(&p);
	}
}

/* All kinds and roles, and parts of them, with terms of the calendar and without. */
static void
test_covariates(void)
{
	static const rnn_covariate list[] = {
		{.role = RNN_PAST,.scale = 1}, {.role = RNN_AHEAD,.is_text = true,.n_categories = 3},
		{.role = RNN_AHEAD,.scale = 1}, {.role = RNN_STATIC,.is_text = true,.n_categories = 2},
		{.role = RNN_PAST,.is_text = true,.n_categories = 1}, {.role = RNN_STATIC,.scale = 2}
	};
	static const rnn_covariates some[] = {{6, list}, {1, list}, {1, list + 1}, {1, list + 3}, {1, list + 4}, {1, list + 5}, {0}};
	static const int terms[] = {5, 0, 0, 15, 0, 2, 8};

	for (int front = 0; front < 4; front++)
		for (int skip = 0; skip < 2; skip++)
			for (int i = 0; i < 7; i++)
			{
				/* relu units may all be dead */
				rnn_config	cfg = small_config(i % 2 ? 0 : 2 + skip, front);

				cfg.skip = skip;
				cfg.covariates = some[i];
				cfg.terms = terms[i];
				cfg.loss = (i + front) % 3;
				check_config(&cfg, i == 0 && front == 3 ? 3 : 0, "covariates");
			}
}

/* Where the state is whole vectors, products outside the layers go by weights that are stored by columns. */
static void
test_turned(void)
{
	static const rnn_covariate list[] = {{.role = RNN_AHEAD,.scale = 1}};

	/* Of relu units some are dead. */
	for (int cell = 0; cell < 4; cell += cell == 0 ? 2 : 1)
	{
		rnn_config	cfg = small_config(cell, 3);
		problem		p;

		cfg.hidden = 16;
		cfg.covariates = (rnn_covariates) {.n = 1,.list = list};
		problem_init(&p, &cfg, 5, 2, 29 + cell);
		CHECK(p.net.turned != NULL);
		check_problem(&p, "turned");
		problem_free(&p);
	}
}

/* Rows from `from` on of every input, into a net of its own. */
static void
copy_inputs(rnn_net *to, const rnn_net *from, int t, int T, int B)
{
	const rnn_shape *s = from->shape;
	int64_t		at = (int64_t) t * B,
				n = (int64_t) T * B,
				Hz = s->blocks * RNN_BLOCK;

	memcpy(to->u, from->u + at * s->D, sizeof(real) * n * s->D);
	memcpy(to->before, from->before + at, sizeof(bool) * n);
	memcpy(to->aux, from->aux + at * s->A, sizeof(real) * n * s->A);
	if (s->R > 0)
		memcpy(to->ref, from->ref + at * s->R * Hz, sizeof(real) * n * s->R * Hz);
	memcpy(to->spread, from->spread + at * Hz, sizeof(real) * n * Hz);
	memcpy(to->target, from->target + at * Hz, sizeof(real) * n * Hz);
}

/* Chunks of `step` steps with the state carried, against one piece. */
static void
check_chunks(const rnn_config *cfg, int step)
{
	problem		whole,
				part;
	double		sum = 0,
				full;
	real	   *g;
	double		error = 0,
				largest = 0;

	problem_init(&whole, cfg, 7, 3, 23);
	problem_init(&part, cfg, 7, 3, 23);
	full = problem_gradient(&whole);
	g = calloc(whole.shape.params, sizeof(real));
	rnn_net_pack(&part.net, part.w);
	rnn_net_reset(&part.net, 3);
	for (int t = 0; t < 7; t += step)
	{
		int			n = t + step < 7 ? step : 7 - t;
		int64_t		known;

		copy_inputs(&part.net, &whole.net, t, n, 3);
		rnn_net_forward(&part.net, part.w, n, 3, 0, NULL);
		sum += rnn_net_loss(&part.net, n, 3, 0, &known);
		rnn_net_backward(&part.net, part.w, n, 3, 0, g);
		rnn_net_carry(&part.net, n, 3);
	}
	CHECK_NEAR(sum, full, 1e-12);
	/* What follows the layers doesn't look back, so cutting changes nothing. */
	for (int64_t i = step >= 7 ? 0 : whole.shape.state_h; i < whole.shape.params; i++)
	{
		error = fmax(error, fabs(g[i] - whole.g[i]));
		largest = fmax(largest, fabs(whole.g[i]));
	}
	CHECK(error <= (step >= 7 ? 0 : 1e-12 * largest));
	/* And cutting does change the layers, or this test would show nothing. */
	if (step < 7)
	{
		double		moved = 0;

		for (int64_t i = whole.shape.w_ih[0]; i < whole.shape.state_h; i++)
			moved = fmax(moved, fabs(g[i] - whole.g[i]));
		CHECK(moved > 1e-6 * largest);
	}
	free(g);
	problem_free(&whole);
	problem_free(&part);
}

static void
test_chunks(void)
{
	for (int cell = 0; cell < 4; cell++)
		for (int front = 0; front < 4; front++)
			for (int step = 1; step <= 9; step += step == 1 ? 1 : 2)
			{
				rnn_config	cfg = small_config(cell, front);

				check_chunks(&cfg, step > 7 ? 7 : step);
			}
}

/* Steps from t on of window b of B, into the only one of a net. */
static void
copy_window(rnn_net *to, const rnn_net *from, int t, int T, int b, int B)
{
	const rnn_shape *s = from->shape;
	int64_t		Hz = s->blocks * RNN_BLOCK;

	for (int i = 0; i < T; i++)
	{
		int64_t		row = (int64_t) (t + i) * B + b;

		memcpy(to->u + i * s->D, from->u + row * s->D, sizeof(real) * s->D);
		memcpy(to->aux + i * s->A, from->aux + row * s->A, sizeof(real) * s->A);
		memcpy(to->ref + i * s->R * Hz, from->ref + row * s->R * Hz, sizeof(real) * s->R * Hz);
		memcpy(to->spread + i * Hz, from->spread + row * Hz, sizeof(real) * Hz);
		memcpy(to->target + i * Hz, from->target + row * Hz, sizeof(real) * Hz);
		to->before[i] = from->before[row];
	}
}

static double
add_gradient(problem *p, int T, int B, real *g)
{
	int64_t		known;
	double		loss;

	rnn_net_forward(&p->net, p->w, T, B, 0, NULL);
	loss = rnn_net_loss(&p->net, T, B, 0, &known);
	rnn_net_backward(&p->net, p->w, T, B, 0, g);
	rnn_net_carry(&p->net, T, B);
	return loss;
}

/*
 * Chunks of windows one by one, whose state waits outside of the net until
 * their next chunk, against chunks of all windows: the gradients add up.
 */
static void
check_tiles(const rnn_config *cfg)
{
	enum {T = 7, B = 3, STEP = 3};
	problem		inputs,
				all,
				one;
	double		loss = 0,
				loss_one = 0,
				error = 0,
				largest = 0;
	int64_t		n;
	real	   *state;

	problem_init(&inputs, cfg, T, B, 41);
	problem_init(&all, cfg, STEP, B, 41);
	problem_init(&one, cfg, STEP, 1, 41);
	n = rnn_net_state(&one.net);
	state = malloc(sizeof(real) * B * n);
	memcpy(one.w, all.w, sizeof(real) * all.shape.params);
	memset(all.g, 0, sizeof(real) * all.shape.params);
	memset(one.g, 0, sizeof(real) * all.shape.params);
	rnn_net_pack(&all.net, all.w);
	rnn_net_pack(&one.net, one.w);
	rnn_net_reset(&all.net, B);
	for (int t = 0; t < T; t += STEP)
	{
		int			steps = T - t < STEP ? T - t : STEP;

		copy_inputs(&all.net, &inputs.net, t, steps, B);
		loss += add_gradient(&all, steps, B, all.g);
		for (int b = 0; b < B; b++)
		{
			if (t == 0)
				rnn_net_reset(&one.net, 1);
			else
				rnn_net_move_state(&one.net, 1, state + b * n, false);
			copy_window(&one.net, &inputs.net, t, steps, b, B);
			loss_one += add_gradient(&one, steps, 1, one.g);
			rnn_net_move_state(&one.net, 1, state + b * n, true);
		}
	}
	for (int64_t i = 0; i < all.shape.params; i++)
	{
		error = fmax(error, fabs(one.g[i] - all.g[i]));
		largest = fmax(largest, fabs(all.g[i]));
	}
	CHECK_NEAR(loss_one, loss, 1e-12);
	CHECK(error < 1e-12 * largest);
	free(state);
	problem_free(&inputs);
	problem_free(&all);
	problem_free(&one);
}

static void
test_tiles(void)
{
	for (int cell = 0; cell < 4; cell++)
		for (int front = 0; front < 4; front++)
		{
			rnn_config	cfg = small_config(cell, front);

			check_tiles(&cfg);
		}
}

/* Gradients are added to what is there. */
static void
test_adds(void)
{
	rnn_config	cfg = small_config(3, 3);
	problem		p;
	real	   *once;
	double		error = 0;

	problem_init(&p, &cfg, 7, 3, 3);
	once = malloc(sizeof(real) * p.shape.params);
	problem_gradient(&p);
	memcpy(once, p.g, sizeof(real) * p.shape.params);
	rnn_net_reset(&p.net, 3);
	add_gradient(&p, 7, 3, p.g);
	for (int64_t i = 0; i < p.shape.params; i++)
		error = fmax(error, fabs(p.g[i] - 2 * once[i]) / (1 + fabs(once[i])));
	CHECK(error < 1e-12);
	free(once);
	problem_free(&p);
}

/* Some positions of the head after the other, against all at once: the same masks, and gradients that add up. */
static void
test_learn(void)
{
	static const rnn_covariate list[] = {
		{.role = RNN_AHEAD,.is_text = true,.n_categories = 3}, {.role = RNN_PAST,.scale = 1}
	};
	enum {T = 41, B = 7};

	for (int cell = 0; cell < 4; cell++)
		for (int skip = 0; skip < 2; skip++)
		{
			rnn_config	cfg = small_config(cell, 3);
			problem		once,
						parts;
			rnn_rng		rng;
			int64_t		known;
			double		loss,
						error = 0,
						head = 0,
						largest = 0;
			real	   *alone;

			cfg.skip = skip;
			cfg.dropout = 0.3;
			cfg.horizon = 300;
			if (cell > 1)
				cfg.covariates = (rnn_covariates) {.n = 2,.list = list};
			problem_init(&once, &cfg, T, B, 51);
			problem_init(&parts, &cfg, T, B, 51);
			alone = calloc(parts.shape.params, sizeof(real));
			loss = problem_gradient(&once);
			memset(parts.g, 0, sizeof(real) * parts.shape.params);
			rnn_net_pack(&parts.net, parts.w);
			for (int head_alone = 0; head_alone < 2; head_alone++)
			{
				rnn_rng_seed(&rng, 99, 0);
				rnn_net_reset(&parts.net, B);
				CHECK_NEAR(rnn_net_learn(&parts.net, parts.w, T, B, 0, 1, &rng, head_alone, &known,
										 head_alone ? alone : parts.g), loss, 1e-12);
			}
			for (int64_t i = 0; i < parts.shape.params; i++)
			{
				error = fmax(error, fabs(parts.g[i] - once.g[i]));
				head = fmax(head, fabs(alone[i] - (i < parts.shape.head ? 0 : once.g[i])));
				largest = fmax(largest, fabs(once.g[i]));
			}
			CHECK(error < 1e-12 * largest && largest > 0);
			/* Of the embeddings the past has a part. */
			CHECK(head < 1e-12 * largest || cell > 1);
			free(alone);
			problem_free(&once);
			problem_free(&parts);
		}
}

/* The head at some steps alone: as if the others had no targets. */
static void
test_head_every(void)
{
	enum {T = 7, B = 3};

	for (int every = 2; every <= 3; every++)
		for (int first = 0; first < every; first++)
		{
			problem		all,
						some;
			rnn_config	cfg = small_config(2, 3);
			int64_t		known[2];
			double		loss,
						error = 0,
						largest = 0;

			problem_init(&all, &cfg, T, B, 52);
			problem_init(&some, &cfg, T, B, 52);
			for (int t = 0; t < T; t++)
				for (int b = 0; b < B && (t < first || (t - first) % every != 0); b++)
					for (int64_t j = 0; j < all.shape.blocks * RNN_BLOCK; j++)
						all.net.target[(t * B + b) * all.shape.blocks * RNN_BLOCK + j] = NAN;
			memset(all.g, 0, sizeof(real) * all.shape.params);
			memset(some.g, 0, sizeof(real) * some.shape.params);
			rnn_net_pack(&all.net, all.w);
			rnn_net_pack(&some.net, some.w);
			rnn_net_reset(&all.net, B);
			rnn_net_reset(&some.net, B);
			loss = rnn_net_learn(&all.net, all.w, T, B, 0, 1, NULL, false, &known[0], all.g);
			CHECK_NEAR(rnn_net_learn(&some.net, some.w, T, B, first, every, NULL, false, &known[1], some.g), loss, 1e-12);
			CHECK(known[0] == known[1] && known[0] > 0);
			for (int64_t i = 0; i < all.shape.params; i++)
			{
				error = fmax(error, fabs(all.g[i] - some.g[i]));
				largest = fmax(largest, fabs(all.g[i]));
			}
			CHECK(error < 1e-12 * largest && largest > 0);
			problem_free(&all);
			problem_free(&some);
		}
}

/* From what the layers say, kept and put into other rows, the head's gradient is the same. */
static void
test_head_learn(void)
{
	enum {T = 6, B = 4};
	rnn_config	cfg = small_config(2, 3);
	problem		all,
				head;
	int64_t		known[2];
	double		loss,
				error = 0,
				largest = 0;

	problem_init(&all, &cfg, T, B, 53);
	problem_init(&head, &cfg, T, B, 53);
	memset(all.g, 0, sizeof(real) * all.shape.params);
	memset(head.g, 0, sizeof(real) * head.shape.params);
	rnn_net_pack(&all.net, all.w);
	rnn_net_reset(&all.net, B);
	loss = rnn_net_learn(&all.net, all.w, T, B, 0, 1, NULL, true, &known[0], all.g);
	memcpy(head.net.x[head.shape.L], all.net.x[all.shape.L], sizeof(real) * T * B * all.shape.H);
	rnn_head_pack(&head.net, head.w);
	CHECK_NEAR(rnn_head_learn(&head.net, head.w, T * B, NULL, &known[1], head.g), loss, 1e-12);
	CHECK(known[0] == known[1] && known[0] > 0);
	for (int64_t i = 0; i < all.shape.params; i++)
	{
		error = fmax(error, fabs(all.g[i] - head.g[i]));
		largest = fmax(largest, fabs(all.g[i]));
	}
	CHECK(error < 1e-12 * largest && largest > 0);
	problem_free(&all);
	problem_free(&head);
}

/* Steps before a window begins leave no trace: what follows is as if they weren't there. */
static void
check_late_begin(const rnn_config *cfg)
{
	problem		late,
				whole;
	int64_t		Hz;

	problem_init(&late, cfg, 7, 2, 5);
	problem_init(&whole, cfg, 4, 2, 5);
	Hz = late.shape.blocks * RNN_BLOCK;
	late.no_rng = whole.no_rng = true;
	for (int i = 0; i < 14; i++)
		late.net.before[i] = i < 6;
	for (int64_t k = 0; k < 6 * Hz; k++)
		late.net.target[k] = NAN;
	copy_inputs(&whole.net, &late.net, 3, 4, 2);
	problem_gradient(&late);
	problem_gradient(&whole);
	for (int64_t k = 0; k < 8 * Hz * RNN_QUANTILES; k++)
		CHECK_NEAR(late.net.out[6 * Hz * RNN_QUANTILES + k], whole.net.out[k], 1e-9);
	/* Nor do they hand a gradient back. */
	for (int l = 0; l < late.shape.L; l++)
		for (int64_t k = 0; k < 6 * late.shape.H; k++)
			CHECK(late.net.h[l][2 * late.shape.H + k] == 0);
	for (int64_t i = 0; i < late.shape.params; i++)
		CHECK(fabs(late.g[i] - whole.g[i]) <= 1e-9 * (1 + fabs(whole.g[i])));
	problem_free(&late);
	problem_free(&whole);
}

static void
test_late_begin(void)
{
	for (int cell = 0; cell < 4; cell++)
		for (int front = 0; front < 4; front++)
		{
			rnn_config	cfg = small_config(cell, front);

			check_late_begin(&cfg);
		}
}

/* Some of n inputs; those that are 0, weights of absent references, have no gradient. */
static void
check_inputs(problem *p, const char *name, const char *what, real *x, const real *g, int64_t n, int width, int last)
{
	double		error = 0,
				largest = 0;
	int64_t		stride = n / 40 + 1;

	for (int64_t i = 0; i < n; i += stride)
	{
		double		slope;

		if (i % width >= last || x[i] == 0 || !difference(p, x + i, &slope))
			continue;
		error = fmax(error, fabs(slope - g[i]));
		largest = fmax(largest, fabs(slope));
	}
	if (!(error < 1e-6 * largest && largest > 1e-6))
		printf("%s: of %s error %.2g, largest %.2g\n", name, what, error, largest);
	CHECK(error < 1e-6 * largest && largest > 1e-6);
}

static void
check_problem_inputs(problem *p, const char *name)
{
	rnn_arena	a;
	rnn_net    *net = &p->net;
	const rnn_shape *s = &p->shape;
	int64_t		N = (int64_t) p->T * p->B,
				Hz = (int64_t) s->blocks * RNN_BLOCK;
	void	   *block;

	rnn_arena_init(&a, NULL, 0);
	rnn_net_ask(net, &a);
	block = malloc(a.used);
	rnn_arena_init(&a, block, a.used);
	memset(block, 0xff, a.size);
	rnn_net_ask(net, &a);
	CHECK(!a.failed);
	problem_gradient(p);
	problem_loss(p, &p->sign);
	check_inputs(p, name, "u", net->u, net->input.u, N * s->D, s->D, s->D);
	check_inputs(p, name, "aux", net->aux, net->input.aux, N * s->A, s->A, s->A);
	if (s->R > 0)
		check_inputs(p, name, "ref", net->ref, net->input.ref, N * s->R * Hz, 1, 1);
	/* The last of a point is filled in by the network. */
	if (s->F > 0)
		check_inputs(p, name, "p", net->p, net->input.p, N * Hz * s->F, s->F, s->F - 1);
	free(block);
}

/* What the loss says of every input: for each cell, of all that the network sees. */
static void
test_inputs(void)
{
	static const rnn_covariate list[] = {{.role = RNN_PAST,.scale = 1}, {.role = RNN_AHEAD,.scale = 1}};

	for (int cell = 0; cell < 4; cell++)
		for (int front = 0; front < 4; front++)
			for (int skip = 0; skip < 2; skip++)
			{
				rnn_config	cfg = small_config(cell, front);
				problem		p;
				char		name[100];

				snprintf(name, sizeof(name), "cell %d front %d skip %d", cell, front, skip);
				cfg.skip = skip;
				cfg.loss = front % 3;
				if (skip == front % 2)
					cfg.covariates = (rnn_covariates) {.n = 2,.list = list};
				problem_init(&p, &cfg, 7, 3, 61 + cell);
				p.head_from = front == 3 ? 3 : 0;
				check_problem_inputs(&p, name);
				problem_free(&p);
			}
}

/* They cost no weight its gradient, and a training that goes through the head in parts has the same. */
static void
test_inputs_in_parts(void)
{
	static const rnn_covariate word = {.role = RNN_AHEAD,.is_text = true,.n_categories = 3};
	enum {T = 41, B = 7};
	rnn_config	cfg = small_config(2, 3);
	problem		plain,
				asked[2];
	char	   *block[2];
	size_t		size = 0;
	int64_t		known;

	cfg.horizon = 300;
	cfg.covariates = (rnn_covariates) {.n = 1,.list = &word};
	problem_init(&plain, &cfg, T, B, 71);
	problem_gradient(&plain);
	for (int i = 0; i < 2; i++)
	{
		rnn_arena	a;

		problem_init(&asked[i], &cfg, T, B, 71);
		rnn_arena_init(&a, NULL, 0);
		rnn_net_ask(&asked[i].net, &a);
		size = a.used;
		block[i] = calloc(1, size);
		rnn_arena_init(&a, block[i], size);
		rnn_net_ask(&asked[i].net, &a);
	}
	problem_gradient(&asked[0]);
	memset(asked[1].g, 0, sizeof(real) * plain.shape.params);
	rnn_net_pack(&asked[1].net, asked[1].w);
	rnn_net_reset(&asked[1].net, B);
	rnn_net_learn(&asked[1].net, asked[1].w, T, B, 0, 1, NULL, false, &known, asked[1].g);
	for (int i = 0; i < 2; i++)
	{
		double		error = 0,
					largest = 0;

		for (int64_t k = 0; k < plain.shape.params; k++)
		{
			error = fmax(error, fabs(asked[i].g[k] - plain.g[k]));
			largest = fmax(largest, fabs(plain.g[k]));
		}
		CHECK(error < 1e-12 * largest && largest > 0);
	}
	{
		const real *once = asked[0].net.input.ref,
				   *parts = asked[1].net.input.ref;
		int64_t		n = (int64_t) T * B * plain.shape.R * plain.shape.blocks * RNN_BLOCK;
		double		error = 0,
					largest = 0;

		for (int64_t k = 0; k < n; k++)
		{
			error = fmax(error, fabs(once[k] - parts[k]));
			largest = fmax(largest, fabs(once[k]));
		}
		CHECK(error < 1e-12 * largest && largest > 0);
	}
	for (int i = 0; i < 2; i++)
	{
		free(block[i]);
		problem_free(&asked[i]);
	}
	problem_free(&plain);
}

int
main(void)
{
	rnn_engine_init(-1);
	TEST(test_all);
	TEST(test_norm_residual_alone);
	TEST(test_head_from);
	TEST(test_dropout);
	TEST(test_dropout_off);
	TEST(test_covariates);
	TEST(test_turned);
	TEST(test_chunks);
	TEST(test_tiles);
	TEST(test_adds);
	TEST(test_learn);
	TEST(test_head_every);
	TEST(test_head_learn);
	TEST(test_late_begin);
	TEST(test_inputs);
	TEST(test_inputs_in_parts);
	return check_summary("gradient_double");
}
