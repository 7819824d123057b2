/*
 * test_train.c
 *		Whole trainings: they learn, they repeat to the byte, they stay in their
 *		memory, and they remember what their cell can remember.
 */
#include "check.h"
#include "trained.h"
#include "train/stages.h"

#include <math.h>
#include <sys/time.h>
#include <time.h>

static void
scratch_config(rnn_config *cfg, rnn_cell cell)
{
	rnn_config_defaults(cfg);
	cfg->start = RNN_START_SCRATCH;
	cfg->cell = cell;
	cfg->patch = 1;
	cfg->skip = 0;
	cfg->layers = 1;
	cfg->hidden = 24;
	cfg->dropout = 0;
	cfg->seasons_given = 1;
	cfg->seasons[0] = 1;
}

/* sin with optional noise */
static double *
sine(int n, double noise, uint64_t seed)
{
	double	   *x = malloc(sizeof(double) * n);
	rnn_rng		rng;

	rnn_rng_seed(&rng, seed, 9);
	for (int i = 0; i < n; i++)
		x[i] = sin(6.283185307179586 * i / 25) + noise * rnn_rng_normal(&rng);
	return x;
}

static double
rms_after(const rnn_model *m, const double *x, int n, int h, int origins, bool clean)
{
	double		sum = 0;

	for (int o = 0; o < origins; o++)
	{
		double	   *q = forecast_series(m, x, n + o * h, h);

		for (int j = 0; q && j < h; j++)
		{
			int			i = n + o * h + j;
			double		e = q[j * RNN_QUANTILES + RNN_MEDIAN] - (clean ? sin(6.283185307179586 * i / 25) : x[i]);

			sum += e * e;
		}
		free(q);
	}
	return sqrt(sum / origins / h);
}

static void
test_sine(void)
{
	printf("- every cell fits a sine nearly exactly\n");
	for (int cell = RNN_ELMAN; cell <= RNN_LSTM; cell++)
	{
		double	   *x = sine(700, 0, 1);
		rnn_config	cfg;
		Trained		t;
		double		rms;

		scratch_config(&cfg, cell);
		cfg.horizon = 12;
		cfg.context = 64;
		cfg.batch = 8;
		cfg.steps = 500;
		cfg.patience = 1000;
		t = train_series(&cfg, x, 600, (size_t) 1 << 29);
		CHECK(t.status == RNN_OK);
		rms = rms_after(&t.model, x, 600, 12, 8, true);
		printf("  cell %d: rms %.4f\n", cell, rms);
		CHECK(rms < 0.03);
		free(t.block);
		free(x);
	}
}

static void
test_repeats(void)
{
	double	   *x = sine(900, 0.3, 2);
	rnn_config	cfg;
	Trained		a,
				b,
				c;

	printf("- the same seed gives the same weights, another seed others\n");
	rnn_config_defaults(&cfg);
	cfg.start = RNN_START_SCRATCH;
	cfg.horizon = 10;
	cfg.steps = 12;
	cfg.hidden = 16;
	a = train_series(&cfg, x, 900, (size_t) 1 << 29);
	b = train_series(&cfg, x, 900, (size_t) 1 << 28);
	cfg.seed = 7;
	c = train_series(&cfg, x, 900, (size_t) 1 << 29);
	CHECK(a.status == RNN_OK && b.status == RNN_OK && c.status == RNN_OK);
	CHECK(a.model.member[0].params == b.model.member[0].params);
	CHECK(memcmp(a.model.member[0].weights, b.model.member[0].weights, 4 * a.model.member[0].params) == 0);
	CHECK(memcmp(a.model.member[0].weights, c.model.member[0].weights, 4 * a.model.member[0].params) != 0);
	free(a.block), free(b.block), free(c.block);
	free(x);
}

/* A model to go on from: two members of one shape. */
static Trained
two_members(rnn_config *cfg, const double *x, int n)
{
	rnn_config_defaults(cfg);
	cfg->start = RNN_START_SCRATCH;
	cfg->horizon = 8;
	cfg->context = 32;
	cfg->patch = 4;
	cfg->hidden = 4;
	cfg->batch = 2;
	cfg->steps = 4;
	cfg->members = 2;
	cfg->seasons_given = 1;
	cfg->seasons[0] = 1;
	return train_series(cfg, x, n, (size_t) 1 << 28);
}

static void
test_warm(void)
{
	double	   *x = sine(300, 0.3, 4);
	rnn_config	cfg;
	Trained		first = two_members(&cfg, x, 300),
				next;

	printf("- a training goes on from a model's weights\n");
	CHECK(first.status == RNN_OK && first.model.n_members == 2);
	CHECK(first.model.member[0].seed == 0 && first.model.member[1].seed == 0x9e3779b97f4a7c15u);
	cfg.learning_rate = 1e-7;
	next = train_from(&first.model, &cfg, x, 300, (size_t) 1 << 28);
	CHECK(next.status == RNN_OK && next.model.n_members == 2);
	for (int i = 0; next.status == RNN_OK && i < 2; i++)
	{
		/* What is judged goes on from the first one, and all members from that. */
		const float *a = first.model.member[0].weights,
				   *b = next.model.member[i].weights;
		double		most = 0;

		for (int64_t k = 0; k < first.model.member[i].params; k++)
			most = fmax(most, fabs((double) a[k] - b[k]));
		CHECK(most > 0 && most < 1e-5);
	}
	free(next.block), free(first.block);
	free(x);
}

/* A member of another size than the first: none of what lies behind it is read. */
static void
test_warm_sizes(void)
{
	double	   *x = sine(300, 0.3, 4);
	rnn_config	cfg,
				narrow;
	Trained		first = two_members(&cfg, x, 300),
				next;
	rnn_member *second = &first.model.member[1];
	int64_t		whole = second->params;
	float	   *weights = malloc(sizeof(float) * whole);

	printf("- members of another size are started afresh\n");
	CHECK(first.status == RNN_OK);
	narrow = cfg;
	narrow.patch = second->patch = 1;
	second->params = rnn_param_count(&narrow);
	CHECK(second->params < whole);
	for (int64_t i = 0; i < whole; i++)
		weights[i] = i < second->params ? 0.01f : NAN;
	second->weights = weights;
	next = train_from(&first.model, &cfg, x, 300, (size_t) 1 << 28);
	CHECK(next.status == RNN_OK);
	free(next.block), free(first.block);
	free(weights), free(x);
}

/* Memory that is too small is an error at whichever allocation it runs out. */
static void
test_exhaustion(void)
{
	double	   *x = sine(300, 0.3, 3);
	rnn_config	cfg;
	int			failed = 0,
				done = 0;

	printf("- a block that is too small is refused at every allocation\n");
	rnn_config_defaults(&cfg);
	cfg.start = RNN_START_SCRATCH;
	cfg.horizon = 8;
	cfg.steps = 1;
	cfg.hidden = 8;
	cfg.batch = 2;
	for (size_t size = 1; size < (size_t) 1 << 23; size += size / 24 + 700)
	{
		rnn_series	s = {.n = 300,.x = x};
		rnn_panel	panel = {.count = 1,.series = &s};
		char	   *block = malloc(size);
		rnn_trainer *t;
		rnn_progress p = {0};
		rnn_error	err;
		rnn_status	status = rnn_trainer_init(&t, block, size, &cfg, &panel, NULL, &err);

		while (status == RNN_OK && !p.done)
			status = rnn_trainer_step(t, &p, &err);
		CHECK(status == RNN_OK || status == RNN_ERR_MEMORY);
		failed += status == RNN_ERR_MEMORY;
		done += status == RNN_OK;
		free(block);
	}
	printf("  %d sizes refused, %d enough\n", failed, done);
	CHECK(failed > 20);
	CHECK(done > 1);
	free(x);
}

/* Steps a training until its first minibatch is due: what is wrong, or whether it starts at zero. */
static rnn_status
initial_weights(const rnn_config *cfg, const double *x, int n, size_t size, bool *zero)
{
	rnn_series	s = {.n = n,.x = x};
	rnn_panel	panel = {.count = 1,.series = &s};
	char	   *block = malloc(size);
	rnn_trainer *t;
	rnn_progress p = {0};
	rnn_error	err;
	rnn_status	status = rnn_trainer_init(&t, block, size, cfg, &panel, NULL, &err);

	while (status == RNN_OK && t->task.stage != STAGE_TRAIN && !p.done)
		status = rnn_trainer_step(t, &p, &err);
	*zero = status == RNN_OK;
	for (int64_t i = 0; *zero && i < t->task.study.shape.params; i++)
		*zero = t->task.fit.opt.w[i] == 0;
	free(block);
	return status;
}

/* From the smallest block that is enough on: weights that start at zero would never move. */
static void
test_initial_weights(void)
{
	double	   *x = sine(6, 0.3, 3);
	rnn_config	cfg;
	size_t		low = 1,
				high = (size_t) 1 << 23;
	int			zeros = 0;
	bool		zero;

	printf("- a block that is just enough holds initial weights\n");
	scratch_config(&cfg, RNN_ELMAN);
	cfg.hidden = 128;
	cfg.horizon = 1;
	cfg.context = 2;
	cfg.batch = 1;
	CHECK(initial_weights(&cfg, x, 6, high, &zero) == RNN_OK && !zero);
	while (high - low > 1)
	{
		size_t		middle = low + (high - low) / 2;

		if (initial_weights(&cfg, x, 6, middle, &zero) == RNN_OK)
			high = middle;
		else
			low = middle;
	}
	for (size_t size = high; size < high + 8192; size += 64)
	{
		CHECK(initial_weights(&cfg, x, 6, size, &zero) == RNN_OK);
		zeros += zero;
	}
	CHECK(zeros == 0);
	free(x);
}

/* Frames are sampled where they don't fit, but not those that judge. */
static void
test_sampled(void)
{
	const int	n = 20000;
	double	   *x = sine(n, 0.3, 5);
	rnn_config	cfg;

	printf("- a long series is judged by all held-out windows in whatever memory\n");
	rnn_config_defaults(&cfg);
	cfg.horizon = 4;
	cfg.patch = 1;
	cfg.context = 64;
	cfg.hidden = 4;
	cfg.steps = 2;
	cfg.members = 1;
	cfg.seasons_given = 1;
	cfg.seasons[0] = 25;
	for (int megabytes = 6; megabytes <= 14; megabytes += 2)
	{
		Trained		t = train_series(&cfg, x, n, (size_t) megabytes << 20);

		CHECK(t.status == RNN_OK);
		printf("  %d MB: %d windows\n", megabytes, t.model.windows);
		CHECK(t.model.windows == 47 * 2 + 1);
		free(t.block);
	}
	free(x);
}

/* Ten series with a window each: the second half of them judges the first. */
static void
test_single_windows(void)
{
	const size_t size = (size_t) 1 << 25;
	double	   *x = sine(600, 0.1, 8);
	rnn_series	series[10];
	rnn_panel	panel = {.count = 10,.series = series};
	unsigned char *block = malloc(size);
	rnn_config	cfg;
	rnn_trainer *t;
	rnn_progress p = {0};
	rnn_model	m;
	rnn_error	err;

	printf("- halves are never empty\n");
	for (int i = 0; i < 10; i++)
		series[i] = (rnn_series) {.n = 60,.x = x + 60 * i};
	rnn_config_defaults(&cfg);
	cfg.horizon = 12;
	cfg.hidden = 16;
	cfg.steps = 200;
	cfg.members = 1;
	cfg.seasons_given = 1;
	cfg.seasons[0] = 1;
	memset(block, 0xff, size);
	CHECK(rnn_trainer_init(&t, block, size, &cfg, &panel, NULL, &err) == RNN_OK);
	while (!p.done && rnn_trainer_step(t, &p, &err) == RNN_OK)
		;
	CHECK(rnn_trainer_model(t, &m, &err) == RNN_OK);
	printf("  %d windows, difference %.4f +- %.4f, weight %.2f\n", m.windows, m.difference, m.std_error, m.weight);
	CHECK(m.windows == 10 && m.difference < 0 && m.std_error > 0 && m.weight > 0);
	free(block);
	free(x);
}

/* A training that is hurried after some steps, in memory full of NaN; how many more it took. */
static int
hurried(const rnn_config *cfg, const double *x, int64_t n, int after, rnn_model *m)
{
	const size_t size = (size_t) 1 << 24;
	rnn_series	s = {.n = n,.x = x};
	rnn_panel	panel = {.count = 1,.series = &s,.hints = {25},.n_hints = 1};
	unsigned char *block = malloc(size);
	rnn_trainer *t;
	rnn_progress p = {0};
	rnn_error	err;
	int			more = 0;

	memset(block, 0xff, size);
	CHECK(rnn_trainer_init(&t, block, size, cfg, &panel, NULL, &err) == RNN_OK);
	while (!p.done)
	{
		if (after-- == 0)
			rnn_trainer_hurry(t);
		more += after < 0;
		if (rnn_trainer_step(t, &p, &err) != RNN_OK)
		{
			CHECK(!"a step failed");
			break;
		}
	}
	CHECK(rnn_trainer_model(t, m, &err) == RNN_OK);
	for (int i = 0; i < m->n_members; i++)
		for (int64_t k = 0; k < m->member[i].params; k++)
			if (!isfinite(m->member[i].weights[k]))
			{
				CHECK(!"a weight is no number");
				break;
			}
	free(block);
	return more;
}

static void
test_hurry(void)
{
	double	   *x = sine(3000, 0.3, 6);
	rnn_config	cfg;
	rnn_model	m;
	int			most = 0;

	printf("- whenever the time is up, there is a model soon\n");
	rnn_config_defaults(&cfg);
	cfg.horizon = 8;
	cfg.hidden = 4;
	cfg.batch = 4;
	cfg.members = 2;
	/* While seasons are searched, frames computed, and from the first step of the network on. */
	for (int after = 0; after < 60; after++)
	{
		int			more = hurried(&cfg, x, 3000, after, &m);

		most = more > most ? more : most;
		CHECK(m.n_seasons == 1 && m.seasons[0] == 25);
		CHECK(m.n_members > 0 || m.verdict == RNN_VERDICT_TIME);
		CHECK(after > 1 || (m.n_members == 0 && isnan(m.difference)));
	}
	printf("  at most %d more steps\n", most);
	CHECK(most < 200);
	/* Without the mix there must be a network, and with few points none is judged. */
	cfg.skip = 0;
	for (int n = 9; n <= 900; n *= 10)
		for (int after = 0; after < 12; after++)
		{
			hurried(&cfg, x, n, after, &m);
			CHECK(m.n_members >= 1 && m.member[0].steps >= 1 && m.member[0].stopped);
		}
	free(x);
}

/* Windows that are trained in chunks are trained to their end, though validations come between. */
static void
test_chunks(void)
{
	const size_t size = (size_t) 1 << 25;
	double	   *x = sine(600, 0.1, 8);
	rnn_series	s = {.n = 600,.x = x};
	rnn_panel	panel = {.count = 1,.series = &s};
	unsigned char *block = malloc(size);
	rnn_config	cfg;
	rnn_trainer *t;
	rnn_progress p = {0};
	rnn_error	err;
	int			updates[12] = {0};

	printf("- every chunk of a window is trained\n");
	rnn_config_defaults(&cfg);
	cfg.start = RNN_START_SCRATCH;
	cfg.horizon = 2;
	cfg.patch = 1;
	cfg.context = 48;
	cfg.bptt = 4;
	cfg.hidden = 4;
	cfg.batch = 4;
	cfg.members = 1;
	cfg.steps = 60;				/* a validation after every other one */
	cfg.patience = 1000;
	cfg.seasons_given = 1;
	cfg.seasons[0] = 1;
	CHECK(rnn_trainer_init(&t, block, size, &cfg, &panel, NULL, &err) == RNN_OK);
	while (!t->plan.decided && rnn_trainer_step(t, &p, &err) == RNN_OK)
	{
		int			step = t->task.fit.step,
					chunk = t->task.fit.chunk / cfg.bptt;
		static int	before;

		if (t->task.job.kind == RNN_JOB_TRIAL && step > before)
			updates[(chunk + 11) % 12]++;
		before = step;
	}
	for (int k = 0; k < 12; k++)
		CHECK(updates[k] == 5);
	free(block);
	free(x);
}

/* ------------------------------------------------------------------- stops */

static volatile sig_atomic_t raised,
			never;
static volatile clock_t raised_at;

static void
raise_flag(int signal)
{
	(void) signal;
	raised_at = clock();
	raised = 1;
}

/* After that much time of this process. */
static void
raise_after(double seconds)
{
	struct itimerval timer = {.it_value = {(time_t) seconds, (suseconds_t) (1e6 * (seconds - (time_t) seconds))}};

	raised = 0;
	signal(SIGVTALRM, raise_flag);
	setitimer(ITIMER_VIRTUAL, &timer, NULL);
}

static double
since_raised(void)
{
	return (double) (clock() - raised_at) / CLOCKS_PER_SEC;
}

/* Steps of a second and more, as wide networks have them, end soon after a flag was raised. */
static void
test_stop(void)
{
	const rnn_stop stop = {{&never, &raised}};
	double	   *x = sine(2000, 0.1, 3);
	rnn_series	series[16];
	rnn_panel	panel = {.count = 1,.series = series,.stop = &stop};
	rnn_model	m = {.weight = 1,.n_members = 1,.n_seasons = 1,.seasons = {1},.mix_spread = 1,.stop = &stop};
	rnn_config	cfg;
	rnn_error	err;
	size_t		size;
	void	   *block;
	double	   *out,
				most = 0;

	printf("- long steps end early where a flag is raised\n");
	for (int i = 0; i < 16; i++)
		series[i] = (rnn_series) {.n = 2000,.x = x};
	scratch_config(&cfg, RNN_LSTM);
	cfg.layers = 2;
	cfg.hidden = 256;
	cfg.context = 128;
	cfg.horizon = 4;
	cfg.batch = 64;
	/* In the first weights, the first step, and those after it. */
	for (double after = 0.15; after < 3; after += 0.9)
	{
		rnn_trainer *t;
		rnn_progress p = {0};
		rnn_status	status = rnn_trainer_size(&cfg, &panel, (size_t) 1 << 30, &size, &err);

		block = malloc(size);
		raise_after(after);
		if (status == RNN_OK)
			status = rnn_trainer_init(&t, block, size, &cfg, &panel, NULL, &err);
		while (status == RNN_OK && !p.done)
			status = rnn_trainer_step(t, &p, &err);
		CHECK(status == RNN_ERR_STOPPED);
		most = fmax(most, since_raised());
		free(block);
	}
	cfg.members = cfg.batch = 1;
	cfg.bptt = 128;
	cfg.hidden = 1024;
	m.config = cfg;
	m.member[0] = (rnn_member) {.patch = 1,.context = 128,.params = rnn_param_count(&cfg)};
	m.member[0].weights = calloc(m.member[0].params, sizeof(float));
	CHECK(rnn_forecast_size(&m, 16, 2000, 400, &size, &err) == RNN_OK);
	block = malloc(size);
	out = malloc(sizeof(double) * 16 * 400 * RNN_QUANTILES);
	raise_after(0.3);
	CHECK(rnn_forecast(&m, series, 16, 400, block, size, out, &err) == RNN_ERR_STOPPED);
	most = fmax(most, since_raised());
	printf("  after %.2f s at most\n", most);
	CHECK(most < 0.3);
	free((void *) m.member[0].weights);
	free(out);
	free(block);
	free(x);
}

/*
 * Recall: a mark of four steps of +1 or -1, soon its opposite, nothing but some
 * noise, and 200 steps later the echo of 16 steps.  The phase tells when the echo
 * is due, only a state that remembers tells its sign: the mean of a window doesn't.
 */
#define OPPOSITE 16
#define LAG (200 + OPPOSITE + 4)
#define ECHO 16
#define PERIOD (LAG + ECHO + 4)
#define MARKS 80				/* to learn from */
#define LATER 18				/* to recall */

static double *
echoes(void)
{
	double	   *x = malloc(sizeof(double) * (MARKS + LATER + 1) * PERIOD);
	rnn_rng		rng;

	rnn_rng_seed(&rng, 5, 5);
	for (int i = 0; i < (MARKS + LATER + 1) * PERIOD; i += PERIOD)
	{
		double		sign = rnn_rng_next(&rng) >> 63 ? 1 : -1;

		/* Over zeros alone an orthogonal matrix would carry a mark as far as it likes. */
		for (int k = 0; k < PERIOD; k++)
			x[i + k] = 0.1 * rnn_rng_normal(&rng);
		for (int k = 0; k < 4; k++)
		{
			x[i + k] = sign;
			x[i + OPPOSITE + k] = -sign;
		}
		for (int k = 0; k < ECHO; k++)
			x[i + LAG + k] += sign;
	}
	return x;
}

/* Correlation of forecasts with the echoes. */
static double
recalled(const rnn_model *m, const double *x)
{
	double		both = 0,
				forecasts = 0,
				points = 0;

	for (int k = MARKS; k < MARKS + LATER; k++)
	{
		const double *echo = x + k * PERIOD + LAG;
		double	   *q = forecast_series(m, x, k * PERIOD + LAG, ECHO);

		for (int j = 0; j < ECHO; j++)
		{
			double		f = q[j * RNN_QUANTILES + RNN_MEDIAN];

			both += f * echo[j];
			forecasts += f * f;
			points += echo[j] * echo[j];
		}
		free(q);
	}
	return both / sqrt(forecasts * points);
}

static double
recall(rnn_cell cell, int memory, int steps, int seed)
{
	double	   *x = echoes(),
				correlation = NAN;
	rnn_config	cfg;
	Trained		t;

	scratch_config(&cfg, cell);
	cfg.seasons[0] = PERIOD;
	cfg.horizon = ECHO;
	cfg.context = PERIOD;
	cfg.gate_memory = memory;
	cfg.batch = 8;
	cfg.steps = steps;
	cfg.patience = 1000;
	cfg.learning_rate = 0.005;
	cfg.loss = RNN_MSE;
	cfg.weight_decay = 0;
	cfg.seed = seed;
	t = train_series(&cfg, x, MARKS * PERIOD, (size_t) 1 << 29);
	if (t.status == RNN_OK)
		correlation = recalled(&t.model, x);
	free(t.block);
	free(x);
	return correlation;
}

/*
 * All get the same steps.  Since the last bits of sums matter too, gates may
 * have a second seed.
 */
static void
test_recall(void)
{
#ifdef __SANITIZE_ADDRESS__
	/* Many times as slow: there it is enough that it runs. */
	const int	steps = 20;
#else
	const int	steps = 3000;
#endif

	printf("- a value 200 steps back is recalled by gates, and not by a tanh Elman\n");
	for (int cell = 0; cell < RNN_CELL_KINDS; cell++)
	{
		double		correlation = recall(cell, -1, steps, 0);

		if (steps == 3000 && rnn_cells[cell].keep >= 0 && !(correlation > 0.95))
			correlation = recall(cell, -1, steps, 1);
		printf("  %s: correlation %.3f\n", rnn_cell_names[cell], correlation);
		CHECK(isfinite(correlation));
		if (steps == 3000)
			CHECK(rnn_cells[cell].keep < 0 ? correlation < 0.3 : correlation > 0.95);
	}
}

int
main(void)
{
	rnn_engine_init(-1);
	test_sine();
	test_repeats();
	test_warm();
	test_warm_sizes();
	test_exhaustion();
	test_initial_weights();
	test_sampled();
	test_single_windows();
	test_chunks();
	test_hurry();
	test_stop();
	test_recall();
	return check_summary("train");
}
