/*
 * test_refusals.c
 *		What the engine refuses, and how it says so: no data, no room, no such
 *		member, a flag that was raised; and data at the edge of what is taken.
 */
#include "samples.h"
#include "view/frame.h"

#include <signal.h>

#define MB ((size_t) 1 << 20)

static volatile sig_atomic_t raised = 1;
static const rnn_stop stop = {{&raised, &raised}};

/* Steps until the training ends or breaks off. */
static rnn_status
train(const rnn_config *cfg, const rnn_panel *panel, size_t limit, rnn_model *m, rnn_error *err)
{
	size_t		size;
	rnn_trainer *t;
	rnn_progress p = {0};
	rnn_status	status;
	void	   *block;

	RNN_TRY(rnn_trainer_size(cfg, panel, limit, &size, err));
	block = malloc(size);
	status = rnn_trainer_init(&t, block, size, cfg, panel, NULL, err);
	while (status == RNN_OK && !p.done)
		status = rnn_trainer_step(t, &p, err);
	if (status == RNN_OK)
		status = rnn_trainer_model(t, m, err);
	free(block);
	return status;
}

/* --------------------------------------------------------------- training */

static void
test_training(void)
{
	double		nothing[3] = {NAN, NAN, NAN};
	rnn_series	s = {.n = 3,.x = nothing};
	rnn_panel	panel = {.count = 0,.series = &s};
	rnn_config	cfg;
	rnn_model	m;
	rnn_error	err;
	size_t		size;

	printf("- trainings\n");
	small_config(&cfg, RNN_GRU);
	CHECK(rnn_trainer_size(&cfg, &panel, 64 * MB, &size, &err) == RNN_ERR_DATA);
	panel.count = 1;
	CHECK(rnn_trainer_size(&cfg, &panel, MB, &size, &err) == RNN_ERR_MEMORY && err.value > (double) MB);
	CHECK(train(&cfg, &panel, 64 * MB, &m, &err) == RNN_ERR_DATA && strcmp(err.what, "there is no known value") == 0);
	s.x = points;
	s.n = 1;
	cfg.skip = 0;
	CHECK(train(&cfg, &panel, 64 * MB, &m, &err) == RNN_ERR_DATA && err.value == 1);
	cfg.start = RNN_START_TUNE;
	CHECK(rnn_config_check(&cfg, &err) == RNN_ERR_CONFLICT);
	cfg.skip = 1;
	cfg.calendar = 1;
	CHECK(rnn_config_check(&cfg, &err) == RNN_ERR_CONFLICT);
}

/* A block that is smaller than what was asked for is an error, however small. */
static void
test_small_blocks(void)
{
	rnn_series	s = {.n = POINTS,.x = points};
	rnn_panel	panel = {.count = 1,.series = &s};
	rnn_config	cfg;
	rnn_trainer *t;
	rnn_progress p = {0};
	rnn_error	err;
	rnn_model	m;
	size_t		sizes[] = {0, 64, 30000, 200000, 400000};
	int			refused = 0;

	printf("- blocks too small to train in\n");
	small_config(&cfg, RNN_GRU);
	cfg.gaps = RNN_GAPS_INTERPOLATE;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
	{
		void	   *block = malloc(sizes[i] + 1);
		rnn_status	status = rnn_trainer_init(&t, block, sizes[i], &cfg, &panel, NULL, &err);

		if (status == RNN_OK)
			CHECK(rnn_trainer_model(t, &m, &err) == RNN_ERR_RANGE);
		for (p.done = false; status == RNN_OK && !p.done;)
			status = rnn_trainer_step(t, &p, &err);
		CHECK(status == RNN_OK || status == RNN_ERR_MEMORY);
		refused += status == RNN_ERR_MEMORY;
		free(block);
	}
	CHECK(refused > 2);
}

/* A rate that no network bears: the training says that it diverged. */
static void
test_diverged(void)
{
	rnn_series	s = {.n = 600,.x = points};
	rnn_panel	panel = {.count = 1,.series = &s};
	rnn_config	cfg;
	rnn_model	m;
	rnn_error	err;

	printf("- a training that diverges\n");
	small_config(&cfg, RNN_ELMAN);
	cfg.activation = RNN_RELU;
	cfg.norm = cfg.residual = 0;
	cfg.layers = 8;
	cfg.hidden = 16;
	cfg.context = 200;
	cfg.patch = 1;
	cfg.clip = 0;
	cfg.ema = 0;
	cfg.recurrent_gain = 10;
	cfg.learning_rate = 1;
	cfg.loss = RNN_MSE;
	cfg.steps = 20;
	CHECK(train(&cfg, &panel, 256 * MB, &m, &err) == RNN_ERR_NUMERIC);
}

/* --------------------------------------------------------- using a model */

static void
test_forecasts(void)
{
	const rnn_model *m = &samples[1].model;
	rnn_model	stopped = *m;
	rnn_series	none = {.x = points};
	double		out[48 * RNN_QUANTILES];
	uint8_t		little[200];
	rnn_error	err;
	size_t		size;
	void	   *block;

	printf("- forecasts\n");
	CHECK(rnn_forecast_size(m, 1, 30, 0, &size, &err) == RNN_ERR_RANGE);
	CHECK(rnn_forecast_size(m, 1, 30, RNN_MAX_HORIZON + 1, &size, &err) == RNN_ERR_RANGE);
	CHECK(rnn_forecast_size(m, 1, 30, 48, &size, &err) == RNN_OK);
	block = malloc(size);
	CHECK(rnn_forecast(m, m->series, 1, 0, block, size, out, &err) == RNN_ERR_RANGE);
	CHECK(rnn_forecast(m, &none, 1, 48, block, size, out, &err) == RNN_ERR_DATA);
	CHECK(rnn_forecast(m, m->series, 1, 48, little, sizeof(little), out, &err) == RNN_ERR_MEMORY);
	stopped.stop = &stop;
	CHECK(rnn_forecast(&stopped, m->series, 1, 48, block, size, out, &err) == RNN_ERR_STOPPED);
	CHECK(rnn_forecast(m, m->series, 1, 48, block, size, out, &err) == RNN_OK);
	free(block);
}

static void
test_flows(void)
{
	const rnn_model *m = &samples[1].model;
	rnn_model	stopped = *m;
	double		out[1000];
	rnn_error	err;
	size_t		size;
	void	   *block;
	int			layers,
				lags;

	printf("- gradient flows\n");
	CHECK(rnn_gradient_flow_size(m, -1, &size, &err) == RNN_ERR_RANGE);
	CHECK(rnn_gradient_flow_size(m, m->n_members, &size, &err) == RNN_ERR_RANGE);
	CHECK(rnn_gradient_flow_size(m, 0, &size, &err) == RNN_OK);
	block = malloc(size);
	CHECK(rnn_gradient_flow(m, 0, block, 100, out, &layers, &lags, &err) == RNN_ERR_MEMORY);
	stopped.stop = &stop;
	CHECK(rnn_gradient_flow(&stopped, 0, block, size, out, &layers, &lags, &err) == RNN_ERR_STOPPED);
	CHECK(rnn_gradient_flow(m, 0, block, size, out, &layers, &lags, &err) == RNN_OK);
	free(block);
}

/* ----------------------------------------------------------------- edges */

/* A mean of two large numbers is not infinite because their products are. */
static void
test_large_gaps(void)
{
	double		x[5] = {1.6e308, NAN, NAN, NAN, 1.7e308};
	rnn_series	s = {.n = 5,.x = x};
	uint8_t		block[4096];
	rnn_config	cfg;
	rnn_arena	a;

	printf("- gaps between the largest numbers\n");
	rnn_config_defaults(&cfg);
	cfg.gaps = RNN_GAPS_INTERPOLATE;
	rnn_arena_init(&a, block, sizeof(block));
	s = rnn_series_prepare(&cfg, &s, NULL, &a);
	CHECK_NEAR(s.x[1], 1.625e308, 1e-12);
	CHECK_NEAR(s.x[2], 1.65e308, 1e-12);
	CHECK_NEAR(s.x[3], 1.675e308, 1e-12);
}

/* Of series that are long and have many covariates this takes seconds. */
static void
test_preparing(void)
{
	double		x[] = {1, 10, 100};
	float		values[] = {1, 2, 3};
	rnn_covariate size = {.role = RNN_PAST,.scale = 1};
	rnn_series	s = {.n = 3,.x = x,.covariates = values},
				ready;
	uint8_t		block[4096];
	rnn_config	cfg;
	rnn_shape	shape;
	rnn_frame_plan plan;
	rnn_points	points;
	rnn_arena	a;

	printf("- series are prepared as far as no flag is raised\n");
	small_config(&cfg, RNN_GRU);
	cfg.transform = RNN_TRANSFORM_LOG;
	cfg.covariates = (rnn_covariates) {.n = 1,.list = &size};
	rnn_shape_init(&shape, &cfg);
	rnn_frame_plan_init(&plan, &shape, &cfg);
	for (raised = 0; raised <= 1; raised++)
	{
		shape.stop = &stop;
		rnn_arena_init(&a, block, sizeof(block));
		ready = rnn_series_prepare(&cfg, &s, &stop, &a);
		CHECK_NEAR(ready.x[2], raised ? 100 : log(100), 1e-12);
		rnn_points_init(&points, &ready, &a);
		rnn_points_covariates(&points, &s, &plan, 2, &a);
		CHECK(points.rows == (raised ? 0 : 5));
	}
	raised = 1;
}

/* Gaps in the windows that judge, in a panel of series of which some have a point alone. */
static void
test_judged_gaps(void)
{
	static double x[30][90];
	rnn_series	series[30];
	rnn_panel	panel = {.count = 30,.series = series};
	rnn_config	cfg;
	rnn_model	m;
	rnn_error	err;

	printf("- gaps where a network is judged\n");
	for (int i = 0; i < 30; i++)
	{
		double		z = 0.1 + 0.025 * i;

		for (int k = 0; k < 90; k++)
		{
			z = 3.9 * z * (1 - z);
			x[i][k] = k > 0 && k < 89 && (k + i) % 6 == 0 ? NAN : z;
		}
		series[i] = (rnn_series) {.name = "x",.name_len = 1,.n = i % 10 == 9 ? 1 : 90,.x = x[i]};
	}
	small_config(&cfg, RNN_GRU);
	cfg.start = RNN_START_AUTO;
	cfg.hidden = 8;
	cfg.horizon = 2;
	cfg.steps = 100;
	cfg.seasons_given = 0;
	CHECK(train(&cfg, &panel, 64 * MB, &m, &err) == RNN_OK);
	CHECK(m.n_seasons == 1 && m.seasons[0] == 1);
	CHECK(isfinite(m.mix_pinball) && isfinite(m.difference) && m.std_error > 0 && m.weight >= 0 && m.weight <= 1);
}

int
main(void)
{
	rnn_engine_init(-1);
	make_samples();
	TEST(test_training);
	TEST(test_small_blocks);
	TEST(test_diverged);
	TEST(test_forecasts);
	TEST(test_flows);
	TEST(test_large_gaps);
	TEST(test_preparing);
	TEST(test_judged_gaps);
	free_samples();
	return check_summary("refusals");
}
