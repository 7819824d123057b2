/*
 * test_network.c
 *		What must hold before a network has learned anything: orthogonal
 *		states, the mix reproduced, quantiles in order, memory kept within.
 */
#include "gradient.h"
#include "kernel/engine.h"

/* An initial network of this configuration, with random inputs. */
static void
untrained(problem *p, const rnn_config *cfg, uint64_t seed)
{
	rnn_rng		rng;
	double	   *row;

	problem_init(p, cfg, 5, 2, seed);
	row = malloc(sizeof(double) * p->shape.H);
	rnn_rng_seed(&rng, seed, 7);
	rnn_params_init(&p->shape, cfg, &rng, p->w, row);
	free(row);
}

/* W W^T = gain^2 1 for each gate's recurrent matrix. */
static void
test_orthogonal(void)
{
	for (int cell = 0; cell < 4; cell++)
		for (int hidden = 1; hidden <= 100; hidden += 33)
		{
			rnn_config	cfg = small_config(cell, 1);
			problem		p;
			double		worst = 0,
						gain = 0.9;

			cfg.hidden = hidden;
			cfg.recurrent_gain = gain;
			untrained(&p, &cfg, hidden);
			for (int l = 0; l < p.shape.L; l++)
				for (int k = 0; k < p.shape.cell->gates - p.shape.cell->h_first; k++)
					for (int i = 0; i < hidden; i++)
						for (int j = 0; j <= i; j++)
						{
							const real *w = p.w + p.shape.w_hh[l] + (int64_t) k * hidden * hidden;
							double		dot = 0;

							for (int n = 0; n < hidden; n++)
								dot += (double) w[i * hidden + n] * w[j * hidden + n];
							worst = fmax(worst, fabs(dot - (i == j ? gain * gain : 0)));
						}
			CHECK(worst < 1e-6);
			problem_free(&p);
		}
}

/* Only the forget gate starts with a bias. */
static void
test_biases(void)
{
	rnn_config	cfg = small_config(3, 0);
	problem		p;

	cfg.forget_bias = 1.5;
	untrained(&p, &cfg, 1);
	for (int l = 0; l < 2; l++)
		for (int k = 0; k < 4 * 6; k++)
			CHECK(p.w[p.shape.bias[l] + k] == (k >= 6 && k < 12 ? (real) 1.5 : 0));
	problem_free(&p);
}

/* With a memory of so many points the gates that keep a state do so from 1 step to that many, evenly. */
static void
test_gate_memory(void)
{
	enum {H = 500, STEPS = 200};

	for (int cell = 0; cell < 4; cell++)
	{
		rnn_config	cfg = small_config(cell, 1);
		problem		p;
		const real *bias;
		const rnn_cell_shape *c;
		double		least = INFINITY,
					most = 0,
					mean = 0;

		cfg.hidden = H;
		cfg.gate_memory = STEPS * cfg.patch;
		untrained(&p, &cfg, 1);
		bias = p.w + p.shape.bias[1];
		c = p.shape.cell;
		for (int i = 0; i < c->gates * H; i++)
			CHECK(i / H == c->keep ? bias[i] >= 0 : i / H == c->in ? bias[i] == -bias[c->keep * H + i % H] : bias[i] == 0);
		for (int k = 0; c->keep >= 0 && k < H; k++)
		{
			double		keeps = 1 / (1 + exp(-(double) bias[c->keep * H + k])),
						lasts = 1 / (1 - keeps);

			least = fmin(least, lasts);
			most = fmax(most, lasts);
			mean += lasts / H;
		}
		CHECK(cell < 2 || (least >= 2 && least < 5 && most > STEPS - 5 && most < STEPS + 0.1));
		CHECK(cell < 2 || fabs(mean - STEPS / 2) < 10);
		problem_free(&p);
	}
}

/* The untrained network is the mix: its middle, and the base gaps around it. */
static void
test_untrained(void)
{
	for (int cell = 0; cell < 4; cell++)
		for (int front = 0; front < 4; front++)
		{
			rnn_config	cfg = small_config(cell, front);
			problem		p;
			const rnn_shape *s = &p.shape;

			untrained(&p, &cfg, 3);
			problem_forward(&p);
			for (int64_t row = 0; row < 5 * 2; row++)
			{
				real		q[20 * RNN_QUANTILES];
				double		off = 0,
							order = 0;
				const real *weight = p.net.aux + row * s->A + s->R;
				double		total = 0;

				for (int r = 0; r < s->R; r++)
					total += weight[r];
				rnn_net_quantiles(&p.net, row, q);
				for (int j = 0; j < 20; j++)
				{
					double		mix = 0,
								edge;

					for (int r = 0; r < s->R; r++)
						mix += weight[r] / total * p.net.ref[(row * s->R + r) * s->blocks * RNN_BLOCK + j];
					edge = mix;
					off = fmax(off, fabs(q[j * RNN_QUANTILES + RNN_MEDIAN] - mix));
					for (int k = RNN_MEDIAN + 1; k < RNN_QUANTILES; k++)
					{
						edge += rnn_base_gap[k] * p.net.spread[row * s->blocks * RNN_BLOCK + j];
						off = fmax(off, fabs(q[j * RNN_QUANTILES + k] - edge));
						order = fmax(order, fabs(q[j * RNN_QUANTILES + k] - 2 * mix +
												 q[j * RNN_QUANTILES + RNN_QUANTILES - 1 - k]));
					}
				}
				CHECK(off < 1e-5);
				CHECK(order < 1e-5);	/* the gaps are symmetric */
			}
			problem_free(&p);
		}
}

/* Whatever the weights and the references, quantiles stay finite and in order. */
static void
test_order(void)
{
	for (double size = 0.01; size < 1e4; size *= 10)
		for (int cell = 0; cell < 4; cell++)
		{
			rnn_config	cfg = small_config(cell, 3);
			problem		p;
			rnn_rng		rng;
			bool		ordered = true;

			cfg.skip = cell != 1;
			problem_init(&p, &cfg, 5, 2, 11);
			rnn_rng_seed(&rng, 12, cell);
			/* Large weights in the head alone: a relu cell would overflow. */
			for (int64_t i = p.shape.state_h; i < p.shape.params; i++)
				p.w[i] = (real) (size * rnn_rng_normal(&rng));
			problem_forward(&p);
			for (int64_t row = 0; row < 5 * 2; row++)
			{
				real		q[20 * RNN_QUANTILES];

				rnn_net_quantiles(&p.net, row, q);
				for (int k = 0; k < 20 * RNN_QUANTILES; k++)
					ordered = ordered && isfinite(q[k]) &&
						(k % RNN_QUANTILES == 0 || q[k] >= q[k - 1]);
			}
			CHECK(ordered);
			problem_free(&p);
		}
}

/* A reference of weight 0 has no say, however wild; without any, the middle is 0. */
static void
test_absent(void)
{
	rnn_config	cfg = small_config(2, 1);
	problem		p,
				wild;
	int64_t		Hz,
				rows = 5 * 2;

	problem_init(&p, &cfg, 5, 2, 8);
	problem_init(&wild, &cfg, 5, 2, 8);
	Hz = (int64_t) p.shape.blocks * RNN_BLOCK;
	for (int64_t i = 0; i < rows; i++)
		for (int r = 0; r < p.shape.R; r++)
			if (p.net.aux[i * p.shape.A + p.shape.R + r] == 0)
				for (int64_t j = 0; j < Hz; j++)
					wild.net.ref[(i * p.shape.R + r) * Hz + j] = 1e6f;
	problem_forward(&p);
	problem_forward(&wild);
	CHECK(memcmp(p.net.gate, wild.net.gate, sizeof(real) * rows * p.shape.R) == 0);
	CHECK(memcmp(p.net.middle, wild.net.middle, sizeof(real) * rows * Hz) == 0);
	for (int64_t i = 0; i < rows; i++)
	{
		double		sum = 0;

		for (int r = 0; r < p.shape.R; r++)
		{
			real		gate = p.net.gate[i * p.shape.R + r];

			CHECK((gate == 0) == (p.net.aux[i * p.shape.A + p.shape.R + r] == 0));
			sum += gate;
		}
		CHECK_NEAR(sum, 1, 1e-5);
	}
	for (int64_t i = 0; i < rows; i++)
		for (int r = 0; r < p.shape.R; r++)
			p.net.aux[i * p.shape.A + p.shape.R + r] = 0;
	problem_gradient(&p);
	for (int64_t k = 0; k < rows * Hz; k++)
		CHECK(p.net.middle[k] == 0);
	for (int64_t k = 0; k < p.shape.params; k++)
		if (!isfinite(p.g[k]))
			CHECK(isfinite(p.g[k]));
	problem_free(&p);
	problem_free(&wild);
}

/* A window with no known target: no loss, no gradient. */
static void
test_nothing_known(void)
{
	rnn_config	cfg = small_config(3, 3);
	problem		p;
	double		largest = 0;

	problem_init(&p, &cfg, 5, 2, 8);
	for (int64_t k = 0; k < 5 * 2 * p.shape.blocks * RNN_BLOCK; k++)
		p.net.target[k] = (real) NAN;
	CHECK(problem_gradient(&p) == 0);
	for (int64_t k = 0; k < p.shape.params; k++)
		largest = fmax(largest, isnan(p.g[k]) ? INFINITY : fabs(p.g[k]));
	CHECK(largest == 0);
	problem_free(&p);
}

/*
 * Blocks from nothing to enough: while too small the arena says so and nothing
 * outside it is touched; net_init itself writes nothing into it at all.
 */
static void
check_exhaustion(const rnn_config *cfg, bool training)
{
	rnn_shape	shape;
	rnn_net		net;
	rnn_arena	a;
	char	   *block;
	size_t		size;
	bool		clean = true,
				failed = true;

	rnn_shape_init(&shape, cfg);
	rnn_arena_init(&a, NULL, 0);
	rnn_net_init(&net, &shape, 3, 2, training, &a);
	CHECK(!a.failed);
	size = a.used;
	block = malloc(size);
	memset(block, 0x5a, size);
	/* Allocations are multiples of 64 bytes: every one of them fails once. */
	for (size_t have = 0; have + 128 <= size; have += 64)
	{
		rnn_arena_init(&a, block, have);
		rnn_net_init(&net, &shape, 3, 2, training, &a);
		failed = failed && a.failed;
	}
	CHECK(failed);
	rnn_arena_init(&a, block, size);
	rnn_net_init(&net, &shape, 3, 2, training, &a);
	CHECK(!a.failed);
	CHECK(a.used <= size);
	for (size_t i = 0; i < size; i++)
		clean = clean && block[i] == 0x5a;
	CHECK(clean);
	free(block);
}

static void
test_exhaustion(void)
{
	for (int cell = 0; cell < 4; cell++)
		for (int front = 0; front < 4; front++)
		{
			rnn_config	cfg = small_config(cell, front);

			cfg.norm = cfg.residual = front & 1;
			cfg.skip = cell & 1;
			cfg.dropout = cell == 3 ? 0.1 : 0;
			check_exhaustion(&cfg, true);
			check_exhaustion(&cfg, false);
		}
}

/* The same seed, the same bytes: weights, outputs and gradients. */
static void
test_same_bytes(void)
{
	for (int cell = 0; cell < 4; cell++)
	{
		rnn_config	cfg = small_config(cell, 3);
		problem		p[2],
					other;

		cfg.hidden = 37;
		cfg.dropout = 0.2;
		for (int i = 0; i < 2; i++)
		{
			untrained(&p[i], &cfg, 77);
			problem_gradient(&p[i]);
		}
		untrained(&other, &cfg, 78);
		CHECK(memcmp(p[0].w, p[1].w, sizeof(real) * p[0].shape.params) == 0);
		CHECK(memcmp(p[0].g, p[1].g, sizeof(real) * p[0].shape.params) == 0);
		CHECK(memcmp(p[0].net.out, p[1].net.out, sizeof(real) * 5 * 2 * p[0].shape.blocks *
					 RNN_BLOCK * RNN_QUANTILES) == 0);
		CHECK(memcmp(p[0].w, other.w, sizeof(real) * p[0].shape.params) != 0);
		problem_free(&p[0]);
		problem_free(&p[1]);
		problem_free(&other);
	}
}

/* A net for inference has no backward buffers and says the same. */
static void
test_inference(void)
{
	for (int cell = 0; cell < 4; cell++)
	{
		rnn_config	cfg = small_config(cell, 3);
		problem		p;
		rnn_net		net;
		rnn_arena	a;
		void	   *block;
		int64_t		N = 5 * 2,
					Hz;

		problem_init(&p, &cfg, 5, 2, 4);
		problem_forward(&p);
		Hz = p.shape.blocks * RNN_BLOCK;
		rnn_arena_init(&a, NULL, 0);
		rnn_net_init(&net, &p.shape, 5, 2, false, &a);
		block = malloc(a.used);
		rnn_arena_init(&a, block, a.used);
		rnn_net_init(&net, &p.shape, 5, 2, false, &a);
		CHECK(!a.failed && net.target == NULL && net.dout == NULL);
		memcpy(net.u, p.net.u, sizeof(real) * N * p.shape.D);
		memcpy(net.before, p.net.before, sizeof(bool) * N);
		memcpy(net.aux, p.net.aux, sizeof(real) * N * p.shape.A);
		memcpy(net.ref, p.net.ref, sizeof(real) * N * p.shape.R * Hz);
		memcpy(net.spread, p.net.spread, sizeof(real) * N * Hz);
		rnn_net_pack(&net, p.w);
		rnn_net_reset(&net, 2);
		/* The head at the last step alone, as a forecast wants it. */
		rnn_net_forward(&net, p.w, 5, 2, 4, NULL);
		for (int64_t k = 4 * 2 * Hz * RNN_QUANTILES; k < N * Hz * RNN_QUANTILES; k++)
			if (!(fabs(net.out[k] - p.net.out[k]) <= 1e-4 * (1 + fabs(p.net.out[k]))))
				CHECK(net.out[k] == p.net.out[k]);
		CHECK(memcmp(net.middle + 4 * 2 * Hz, p.net.middle + 4 * 2 * Hz, sizeof(real)) == 0 ||
			  fabs(net.middle[4 * 2 * Hz] - p.net.middle[4 * 2 * Hz]) < 1e-4);
		free(block);
		problem_free(&p);
	}
}

/* Weights and inputs are the same, so gradients are, whichever kernels this processor runs. */
static void
test_instruction_sets(void)
{
	for (int cell = 0; cell < 4; cell++)
		for (int hidden = 21; hidden <= 128; hidden += hidden == 21 ? 43 : 64)
		{
			rnn_config	cfg = small_config(cell, 3);
			problem		p[3];

			cfg.hidden = hidden;
			for (int limit = 0; limit <= 2; limit++)
			{
				double		difference = 0,
							size = 0;

				rnn_engine_init(limit);
				untrained(&p[limit], &cfg, 5);
				problem_gradient(&p[limit]);
				for (int64_t i = 0; i < p[0].shape.params; i++)
				{
					difference += pow((double) p[limit].g[i] - p[0].g[i], 2);
					size += pow(p[0].g[i], 2);
				}
				CHECK(size > 0 && sqrt(difference) < 1e-5 * sqrt(size));
				if (!(sqrt(difference) < 1e-5 * sqrt(size)))
					printf("\tcell %d, hidden %d, %s: %g of %g\n", cell, hidden, rnn_kernel->name,
						   sqrt(difference), sqrt(size));
			}
			for (int limit = 0; limit <= 2; limit++)
				problem_free(&p[limit]);
		}
	rnn_engine_init(-1);
}

/* The names in the first column of the table of weights, each with a blank behind it. */
static void
written_order(char *names, size_t size)
{
	FILE	   *page = fopen("docs/developers/model-format.md", "r");
	char		line[1000];
	bool		inside = false;

	names[0] = 0;
	CHECK(page != NULL);
	while (page && fgets(line, sizeof(line), page))
	{
		if (line[0] == '#')
			inside = strstr(line, "Order of the weights") != NULL;
		if (!inside || strncmp(line, "| `", 3) != 0)
			continue;
		*strchr(line + 1, '|') = 0;
		for (char *name = strtok(line, "|`, "); name; name = strtok(NULL, "|`, "))
			snprintf(names + strlen(names), size - strlen(names), "%s ", name);
	}
	if (page)
		fclose(page);
}

/* A network that has everything once has its weights in the order that the documentation gives. */
static void
test_written_order(void)
{
	static const rnn_covariate word = {.role = RNN_AHEAD,.is_text = true,.n_categories = 3,.scale = 1};
	rnn_config	cfg = small_config(2, 3);
	rnn_shape	s;
	char		written[1000],
				order[1000] = "";

	cfg.layers = cfg.conv_layers = 1;
	cfg.covariates = (rnn_covariates) {.n = 1,.list = &word};
	rnn_shape_init(&s, &cfg);
	for (int i = 0; i < s.tensors; i++)
		strcat(strcat(order, s.tensor[i].name), " ");
	written_order(written, sizeof(written));
	CHECK(strcmp(written, order) == 0);
	if (strcmp(written, order) != 0)
		printf("written: %s\norder:   %s\n", written, order);
}

/*
 * Two of five blocks by themselves, told how far they are, come out as among
 * the others; each half of the rows has them in another order.
 */
static void
test_far_blocks(void)
{
	enum {T = 300, B = 2, ROWS = T * B, KEPT = 2, ALL = 5, QUANTILES = RNN_BLOCK * RNN_QUANTILES};
	static const int in_half[2][KEPT] = {{1, 4}, {4, 1}};
	rnn_config	cfg = small_config(2, 1);
	problem		all,
				some;
	int64_t		known[2];
	double		loss;

	cfg.horizon = ALL * RNN_BLOCK;
	problem_init(&all, &cfg, T, B, 21);
	cfg.horizon = KEPT * RNN_BLOCK;
	problem_init(&some, &cfg, T, B, 21);
	CHECK(all.shape.params == some.shape.params);
	memcpy(some.net.u, all.net.u, sizeof(real) * ROWS * all.shape.D);
	memcpy(some.net.aux, all.net.aux, sizeof(real) * ROWS * all.shape.A);
	some.net.far = malloc(sizeof(real) * ROWS * KEPT);
	for (int64_t i = 0; i < ROWS * KEPT; i++)
	{
		int64_t		row = i / KEPT,
					from = in_half[row >= ROWS / 2][i % KEPT];

		some.net.far[i] = (real) from;
		memcpy(some.net.spread + i * RNN_BLOCK, all.net.spread + (row * ALL + from) * RNN_BLOCK, sizeof(real) * RNN_BLOCK);
		for (int r = 0; r < all.shape.R; r++)
			memcpy(some.net.ref + ((row * all.shape.R + r) * KEPT + i % KEPT) * RNN_BLOCK,
				   all.net.ref + ((row * all.shape.R + r) * ALL + from) * RNN_BLOCK, sizeof(real) * RNN_BLOCK);
	}
	memcpy(some.w, all.w, sizeof(real) * all.shape.params);
	problem_forward(&all);
	problem_forward(&some);
	for (int64_t row = 0; row < ROWS; row += ROWS - 1)
	{
		const int  *kept = in_half[row > 0];
		real		a[ALL * QUANTILES],
					b[KEPT * QUANTILES];

		rnn_net_quantiles(&all.net, row, a);
		rnn_net_quantiles(&some.net, row, b);
		for (int k = 0; k < KEPT * QUANTILES; k++)
			CHECK(fabs(b[k] - a[kept[k / QUANTILES] * QUANTILES + k % QUANTILES]) < 1e-4 * (1 + fabs(b[k])));
	}
	/* A training goes through the head by parts: each has its own rows of it. */
	loss = rnn_net_loss(&some.net, T, B, 0, &known[0]);
	memset(some.g, 0, sizeof(real) * some.shape.params);
	rnn_net_reset(&some.net, B);
	CHECK(fabs(rnn_net_learn(&some.net, some.w, T, B, 0, 1, NULL, false, &known[1], some.g) - loss) < 1e-5 * loss && known[0] == known[1]);
	free(some.net.far);
	some.net.far = NULL;
	problem_forward(&some);
	CHECK(fabs(rnn_net_loss(&some.net, T, B, 0, &known[1]) - loss) > 1e-5 * loss);
	problem_free(&all);
	problem_free(&some);
}

int
main(void)
{
	rnn_engine_init(-1);
	TEST(test_orthogonal);
	TEST(test_biases);
	TEST(test_gate_memory);
	TEST(test_untrained);
	TEST(test_order);
	TEST(test_absent);
	TEST(test_nothing_known);
	TEST(test_exhaustion);
	TEST(test_same_bytes);
	TEST(test_inference);
	TEST(test_far_blocks);
	TEST(test_instruction_sets);
	TEST(test_written_order);
	return check_summary("network");
}
