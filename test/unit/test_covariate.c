/*
 * test_covariate.c
 *		Covariates and the calendar: what a position sees of them, by bytes; and
 *		that a training finds what they do.
 */
#include "check.h"
#include "train/stages.h"
#include "kernel/kernel.h"
#include "trained.h"

#define N 900
#define AHEAD 40
#define ROWS (N + AHEAD)
#define PAST 0
#define PROMO 1
#define WORD 2
#define K 3

static const rnn_text words[] = {{"holiday", 7}, {"none", 4}};
static const rnn_covariate list[K] = {
	{.name = {"past", 4},.role = RNN_PAST,.centre = 0.2,.scale = 1.5},
	{.name = {"promo", 5},.role = RNN_AHEAD,.scale = 1},
	{.name = {"word", 4},.role = RNN_AHEAD,.is_text = true,.n_categories = 2,.categories = words}
};
static double x[ROWS];
static float cov[ROWS][K];

/* A week; a promotion that adds 6, a holiday that takes 8, noise of 0.5. */
static void
make_series(void)
{
	rnn_rng		rng;

	rnn_rng_seed(&rng, 8, 1);
	for (int i = 0; i < ROWS; i++)
	{
		bool		promo = rnn_rng_below(&rng, 9) == 0,
					holiday = rnn_rng_below(&rng, 13) == 0;

		x[i] = 40 + 5 * sin(6.283185307179586 * i / 7) + 0.5 * rnn_rng_normal(&rng) + 6 * promo - 8 * holiday;
		cov[i][PAST] = (float) rnn_rng_normal(&rng);
		cov[i][PROMO] = promo;
		cov[i][WORD] = !holiday;
	}
}

static void
config(rnn_config *cfg)
{
	rnn_config_defaults(cfg);
	cfg->horizon = 14;
	cfg->seasons_given = 1;
	cfg->seasons[0] = 7;
	cfg->members = 1;
	cfg->covariates = (rnn_covariates) {.n = K,.list = list};
}

/* --------------------------------------------------------------- by bytes */

typedef struct Inputs
{
	rnn_shape	shape;
	rnn_net		net;
	void	   *block;
} Inputs;

/* All covariate inputs at patch end e; the scratch is full of `byte` before. */
static void
inputs_at(Inputs *in, int64_t e, int byte)
{
	rnn_series	s = {.n = N,.x = x,.ahead = AHEAD,.covariates = cov[0]};
	rnn_config	cfg;
	rnn_frame_plan plan;
	rnn_points	points;
	rnn_arena	a;

	config(&cfg);
	cfg.context = 56;
	cfg.patch = 7;
	cfg.hidden = 8;
	rnn_shape_init(&in->shape, &cfg);
	rnn_frame_plan_init(&plan, &in->shape, &cfg);
	for (int pass = 0; pass < 2; pass++)
	{
		rnn_arena_init(&a, pass ? in->block : NULL, pass ? a.used : 0);
		rnn_net_init(&in->net, &in->shape, 1, 1, false, &a);
		rnn_points_init(&points, &s, &a);
		rnn_points_covariates(&points, &s, &plan, AHEAD + 20, &a);
		if (pass == 0)
			in->block = memset(malloc(a.used), byte, a.used);
	}
	memset(in->net.u, 0, sizeof(real) * in->shape.D);
	memset(in->net.p, 0, sizeof(real) * in->shape.F * RNN_BLOCK * in->shape.blocks);
	rnn_covariates_load(&in->net, 0, &plan, &points, e, true, false);
}

static bool
same_inputs(const Inputs *a, const Inputs *b)
{
	const rnn_shape *s = &a->shape;
	int64_t		ahead = (int64_t) RNN_BLOCK * s->blocks;

	return memcmp(a->net.u, b->net.u, sizeof(real) * s->D) == 0 &&
		memcmp(a->net.past_words, b->net.past_words, sizeof(int16_t) * s->words_past) == 0 &&
		memcmp(a->net.p, b->net.p, sizeof(real) * ahead * s->F) == 0 &&
		memcmp(a->net.ahead_words, b->net.ahead_words, sizeof(int16_t) * ahead * s->words_ahead) == 0;
}

/* Whether changing covariate k at row i shows in the inputs at e. */
static bool
shows(int64_t e, int64_t i, int k, float value)
{
	Inputs		before,
				after;
	float		keep = cov[i][k];
	bool		same;

	inputs_at(&before, e, 0);
	cov[i][k] = value;
	inputs_at(&after, e, 0xff);
	cov[i][k] = keep;
	same = same_inputs(&before, &after);
	free(before.block);
	free(after.block);
	return !same;
}

/* What is only known afterwards never shows before, what is known ahead does as far as the horizon looks. */
static void
test_causal(void)
{
	const int64_t ends[] = {1, 6, 7, 50, 333, N - 1, N};
	const int	Hz = RNN_BLOCK;

	for (int j = 0; j < (int) (sizeof(ends) / sizeof(ends[0])); j++)
	{
		int64_t		e = ends[j];

		for (int64_t i = e; i < e + Hz + 3 && i < ROWS; i++)
		{
			CHECK(!shows(e, i, PAST, 7));
			CHECK(!shows(e, i, PAST, NAN));
			CHECK(shows(e, i, PROMO, 3) == (i <= e + Hz));
			CHECK(shows(e, i, WORD, NAN) == (i <= e + Hz));
		}
		for (int64_t i = e - 1; i >= 0 && i >= e - 7; i--)
		{
			CHECK(shows(e, i, PAST, 7));
			CHECK(shows(e, i, PAST, NAN));
			CHECK(shows(e, i, PROMO, 3));
			CHECK(shows(e, i, WORD, 2));
		}
		if (e > 9)
			CHECK(!shows(e, e - 9, PAST, 7));
	}
}

/* -------------------------------------------------------------- training */

static Trained
train(bool covariates)
{
	Trained		t = {.series = {.n = N,.x = x}};
	rnn_config	cfg;
	rnn_panel	panel = {.count = 1,.series = &t.series};
	rnn_trainer *trainer;
	rnn_progress p = {0};
	size_t		size;

	config(&cfg);
	cfg.steps = 300;
	if (covariates)
	{
		t.series.covariates = cov[0];
		panel.covariates = cfg.covariates;
	}
	t.status = rnn_trainer_size(&cfg, &panel, (size_t) 1 << 28, &size, &t.err);
	CHECK(t.status == RNN_OK);
	t.block = malloc(size);
	t.status = rnn_trainer_init(&trainer, t.block, size, &cfg, &panel, NULL, &t.err);
	while (t.status == RNN_OK && !p.done)
		t.status = rnn_trainer_step(trainer, &p, &t.err);
	CHECK(t.status == RNN_OK);
	CHECK(rnn_trainer_model(trainer, &t.model, &t.err) == RNN_OK);
	return t;
}

static double
mean_error(const rnn_model *m, bool covariates)
{
	rnn_series	s = {.n = N,.x = x,.ahead = covariates ? AHEAD : 0,.covariates = covariates ? cov[0] : NULL};
	double		out[14 * RNN_QUANTILES],
				sum = 0;
	size_t		size;
	void	   *block;

	CHECK(rnn_forecast_size(m, 1, N, 14, &size, NULL) == RNN_OK);
	block = malloc(size);
	CHECK(rnn_forecast(m, &s, 1, 14, block, size, out, NULL) == RNN_OK);
	free(block);
	for (int j = 0; j < 14; j++)
		sum += fabs(out[j * RNN_QUANTILES + RNN_MEDIAN] - x[N + j]);
	return sum / 14;
}

static void
test_effect(void)
{
	Trained		with = train(true),
				without = train(false);
	double		a = mean_error(&with.model, true),
				b = mean_error(&without.model, false),
				c = mean_error(&with.model, false);

	printf("mean error with covariates %.2f (weight %.2f), without %.2f; with all of them missing %.2f\n",
		   a, with.model.weight, b, c);
	CHECK(with.model.weight > 0.5);
	CHECK(a < 1.2);
	CHECK(a < 0.75 * b);
	CHECK(a < c);
	free(with.block);
	free(without.block);
}

/* -------------------------------------------------------------- calendar */

#define MONTH 30				/* steps of a month that begins with 8 more, */
#define DAYS (36 * MONTH)		/* and of three years */
#define DAYS_AHEAD 14

static double days[DAYS + DAYS_AHEAD];
static uint16_t places[DAYS + DAYS_AHEAD][RNN_TERMS];
static const rnn_calendar daily = {
	.terms = 1 << RNN_TERM_WEEK | 1 << RNN_TERM_MONTH | 1 << RNN_TERM_YEAR,.steps = {1, 7, MONTH, 12 * MONTH}
};

static void
make_days(void)
{
	rnn_rng		rng;

	rnn_rng_seed(&rng, 3, 1);
	for (int i = 0; i < DAYS + DAYS_AHEAD; i++)
	{
		days[i] = 40 + 5 * sin(6.283185307179586 * i / 7) + 0.5 * rnn_rng_normal(&rng) + 8 * (i % MONTH < 4);
		for (int k = 0; k < RNN_TERMS; k++)
			places[i][k] = (uint16_t) (i * RNN_CIRCLE / (int) daily.steps[k] % RNN_CIRCLE);
	}
}

static int
terms_for(int calendar, int season, int64_t longest, int series)
{
	rnn_config	cfg;
	rnn_summary d = {.series = series,.points = longest * series,.longest = longest};

	rnn_config_defaults(&cfg);
	cfg.calendar = calendar;
	cfg.seasons_given = 1;
	cfg.seasons[0] = season;
	return rnn_calendar_terms(&cfg, &daily, &d, (size_t) 1 << 20);
}

static void
test_terms(void)
{
	const int	week = 1 << RNN_TERM_WEEK,
				month = 1 << RNN_TERM_MONTH,
				year = 1 << RNN_TERM_YEAR;

	CHECK(terms_for(0, 7, DAYS, 1) == 0);
	CHECK(terms_for(1, 7, DAYS, 1) == (week | month | year));
	CHECK(terms_for(1, 7, 12 * MONTH - 1, 1) == (week | month));
	CHECK(terms_for(1, 7, 20, 1) == week);
	CHECK(terms_for(1, 12 * MONTH + 5, DAYS, 1) == (week | month | year));
	/* auto: what a season tells it doesn't, and months and years never */
	CHECK(terms_for(-1, 7, DAYS, 1) == 0);
	CHECK(terms_for(-1, 5, DAYS, 1) == week);
	/* short series, or more points than the memory has room for */
	CHECK(terms_for(-1, 5, 299, 1) == 0);
	CHECK(terms_for(-1, 5, DAYS, 3) == 0);
	CHECK(terms_for(1, 7, DAYS, 3) == (week | month | year));
}

/* A step sees the terms of its last point, a point ahead its own and those of a week before; none where none were told. */
static void
test_places(void)
{
	rnn_series	s = {.n = DAYS,.x = days,.calendar = places[0],.calendar_rows = DAYS + 10};
	rnn_config	cfg;
	rnn_shape	shape;
	rnn_frame_plan plan;
	rnn_points	points;
	rnn_net		net;
	rnn_arena	a = {0};
	void	   *block = NULL;
	const int	e = DAYS - 3;

	config(&cfg);
	cfg.covariates.n = 0;
	cfg.terms = 1 << RNN_TERM_MONTH;
	cfg.context = 56;
	cfg.patch = 7;
	cfg.hidden = 8;
	rnn_shape_init(&shape, &cfg);
	rnn_frame_plan_init(&plan, &shape, &cfg);
	for (int pass = 0; pass < 2; pass++)
	{
		rnn_arena_init(&a, block, pass ? a.used : 0);
		rnn_net_init(&net, &shape, 1, 1, false, &a);
		rnn_points_init(&points, &s, &a);
		rnn_points_covariates(&points, &s, &plan, 40, &a);
		if (pass == 0)
			block = malloc(a.used);
	}
	CHECK(shape.D - shape.D0 == 4);
	rnn_covariates_load(&net, 0, &plan, &points, e, true, false);
	for (int j = -1; j < 16; j++)
	{
		const real *at = j < 0 ? net.u + shape.D0 : net.p + j * shape.F;
		bool		told = e + j < DAYS + 10;
		double		angle = 6.283185307179586 * ((e + j) % MONTH) / MONTH,
					before = angle - 6.283185307179586 * 7 / MONTH * (j / 7 + 1);

		for (int h = 1; h <= 2; h++)
		{
			CHECK(fabs(at[2 * h - 2] - (told ? sin(h * angle) : 0)) < 1e-5);
			CHECK(fabs(at[2 * h - 1] - (told ? cos(h * angle) : 0)) < 1e-5);
			if (j >= 0)
				CHECK(fabs(at[4 + 2 * h - 2] - sin(h * before)) < 1e-5);
		}
	}
	free(block);
}

static Trained
train_days(int calendar)
{
	Trained		t = {.series = {.n = DAYS,.x = days,.calendar = places[0],.calendar_rows = DAYS}};
	rnn_config	cfg;
	rnn_panel	panel = {.count = 1,.series = &t.series,.calendar = daily};
	rnn_trainer *trainer;
	rnn_progress p = {0};
	size_t		size;

	config(&cfg);
	cfg.covariates.n = 0;
	cfg.steps = 200;
	cfg.calendar = calendar;
	t.status = rnn_trainer_size(&cfg, &panel, (size_t) 1 << 28, &size, &t.err);
	t.block = malloc(size);
	t.status = rnn_trainer_init(&trainer, t.block, size, &cfg, &panel, NULL, &t.err);
	while (t.status == RNN_OK && !p.done)
		t.status = rnn_trainer_step(trainer, &p, &t.err);
	CHECK(t.status == RNN_OK);
	CHECK(rnn_trainer_model(trainer, &t.model, &t.err) == RNN_OK);
	return t;
}

static double
error_of_days(const rnn_model *m, bool told)
{
	double		out[DAYS_AHEAD * RNN_QUANTILES],
				sum = 0;

	for (int e = DAYS - MONTH; e < DAYS; e += 6)
	{
		rnn_series	s = {.n = e,.x = days,.calendar = told ? places[0] : NULL,.calendar_rows = e + DAYS_AHEAD};
		size_t		size;
		void	   *block;

		CHECK(rnn_forecast_size(m, 1, e, DAYS_AHEAD, &size, NULL) == RNN_OK);
		block = malloc(size);
		CHECK(rnn_forecast(m, &s, 1, DAYS_AHEAD, block, size, out, NULL) == RNN_OK);
		free(block);
		for (int j = 0; j < DAYS_AHEAD; j++)
			sum += fabs(out[j * RNN_QUANTILES + RNN_MEDIAN] - days[e + j]) / DAYS_AHEAD / (MONTH / 6);
	}
	return sum;
}

/* What a month begins with no season of seven days knows. */
static void
test_calendar(void)
{
	Trained		with = train_days(1),
				without = train_days(0);
	double		a = error_of_days(&with.model, true),
				b = error_of_days(&without.model, true),
				c = error_of_days(&with.model, false);

	printf("mean error with the calendar %.2f (weight %.2f), without %.2f; untold %.2f\n", a, with.model.weight, b, c);
	CHECK(with.model.config.calendar == 1 && with.model.config.terms == daily.terms);
	CHECK(without.model.config.calendar == 0 && without.model.config.terms == 0);
	CHECK(a < 0.8 * b);
	CHECK(a < c);
	free(with.block);
	free(without.block);
}

int
main(void)
{
	rnn_engine_init(-1);
	make_series();
	make_days();
	TEST(test_causal);
	TEST(test_effect);
	TEST(test_terms);
	TEST(test_places);
	TEST(test_calendar);
	return check_summary("covariate");
}
