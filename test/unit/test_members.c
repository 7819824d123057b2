/*
 * test_members.c
 *		Members of an ensemble that several trainers train, and what a network
 *		weighs in series of different lengths.
 */
#include "check.h"
#include "trained.h"

#include <math.h>

#define MB (1024 * 1024)
#define MOST_SERIES 60
#define MOST_POINTS 160
#define LAG 3
#define MEMBERS 4

static double x[MOST_SERIES][MOST_POINTS];
static rnn_series series[MOST_SERIES];
static rnn_panel panel = {.series = series};
static rnn_config cfg;
static size_t size;

/*
 * The logistic map, which a network learns and no reference knows; lengths go
 * from `shortest` up, and all of them end at one time.  The first ones are waves,
 * which references know best.
 */
static void
make_panel(int count, int shortest, int longest, int waves)
{
	rnn_error	err;
	rnn_rng		r;

	rnn_rng_seed(&r, 5, 0);
	panel.count = count;
	for (int i = 0; i < count; i++)
	{
		double		y[LAG];
		int			n = shortest + (longest - shortest) * i / count;

		for (int k = 0; k < n; k++)
		{
			double	   *z = &y[k % LAG];

			*z = k < LAG ? 0.1 + 0.8 * rnn_rng_uniform(&r) : 3.9 * *z * (1 - *z);
			x[i][k] = i >= waves ? *z : sin(k * 0.2094395) + 0.001 * rnn_rng_normal(&r);
		}
		series[i] = (rnn_series) {.name = "series",.name_len = 6,.dropped = longest - n,.n = n,.x = x[i]};
	}
	CHECK(rnn_trainer_size(&cfg, &panel, 48 * MB, &size, &err) == RNN_OK);
}

static rnn_trainer *
new_trainer(const rnn_config *options)
{
	rnn_trainer *t;
	rnn_error	err;

	CHECK(rnn_trainer_init(&t, aligned_alloc(64, (size + 63) / 64 * 64), size, options, &panel, NULL, &err) == RNN_OK);
	return t;
}

static rnn_progress
step(rnn_trainer *t)
{
	rnn_progress p;
	rnn_error	err;

	CHECK(rnn_trainer_step(t, &p, &err) == RNN_OK);
	return p;
}

static rnn_model
whole_training(rnn_trainer **trainer)
{
	rnn_trainer *t = new_trainer(&cfg);
	rnn_model	m;
	rnn_error	err;

	while (!step(t).done)
		;
	CHECK(rnn_trainer_model(t, &m, &err) == RNN_OK);
	*trainer = t;
	return m;
}

static uint8_t *
bytes_of(const rnn_model *m)
{
	uint8_t    *bytes = malloc(rnn_model_size(m));

	rnn_model_encode(m, bytes);
	return bytes;
}

/* ----------------------------------------------------------- side by side */

/* Whoever trains the members, and in whatever order they are taken. */
static void
test_side_by_side(void)
{
	rnn_trainer *one;
	rnn_model	a;
	uint8_t    *bytes;

	printf("- members that others train: the same bytes\n");
	rnn_config_defaults(&cfg);
	cfg.members = MEMBERS;
	cfg.steps = 200;
	cfg.horizon = 1;
	make_panel(12, 90, 90, 0);
	a = whole_training(&one);
	CHECK(a.n_members == MEMBERS && a.weight > 0 && rnn_trainer_used(one) <= size);
	bytes = bytes_of(&a);
	for (int n = 1; n <= 3; n++)
	{
		rnn_trainer *t[3] = {0};
		rnn_model	b;
		rnn_error	err;
		rnn_rng		r;
		uint8_t    *other;

		rnn_rng_seed(&r, n, 0);
		for (int i = 0; i < n; i++)
			t[i] = new_trainer(&cfg);
		train_by(t, n, &r, -1);
		CHECK(rnn_trainer_model(t[0], &b, &err) == RNN_OK);
		other = bytes_of(&b);
		CHECK(rnn_model_size(&a) == rnn_model_size(&b) && memcmp(bytes, other, rnn_model_size(&a)) == 0);
		free(other);
		for (int i = 0; i < n; i++)
			free(t[i]);
	}
	free(bytes), free(one);
}

/* Members go on from what was judged, for a part of its steps. */
static void
test_go_on(void)
{
	rnn_trainer *t;
	rnn_model	m;
	int			steps;
	double		far = 0;

	printf("- members go on from the weights that were judged\n");
	rnn_config_defaults(&cfg);
	cfg.members = MEMBERS;
	cfg.steps = 200;
	cfg.horizon = 1;
	make_panel(12, 90, 90, 0);
	m = whole_training(&t);
	steps = (int) ceil(RNN_GO_ON * m.candidate[m.chosen].steps);
	for (int i = 0; i < m.n_members; i++)
	{
		int			judged = m.member[i].steps - steps,
					last = 0;

		for (int k = 0; k < m.n_log; k++)
			if (m.log[k].phase == RNN_LOG_FINAL && m.log[k].member == i)
				last = m.log[k].step;
		CHECK(last == steps && judged > 0 && judged <= cfg.steps);
		for (int64_t k = 0; i > 0 && k < m.member[i].params; k++)
			far = fmax(far, fabs(m.member[i].weights[k] - m.member[0].weights[k]));
	}
	CHECK((m.member[0].steps + m.member[1].steps + 1) / 2 - steps == m.candidate[m.chosen].steps);
	CHECK(far > 1e-3);
	free(t);
}

/* Series too short for a network: a calibration is all that is left to do. */
static void
test_no_members(void)
{
	rnn_trainer *t;
	rnn_model	m;

	printf("- series too short for members\n");
	rnn_config_defaults(&cfg);
	make_panel(1, 4, 4, 0);
	m = whole_training(&t);
	CHECK(m.n_members == 0 && m.weight == 0 && m.verdict == RNN_VERDICT_SHORT);
	free(t);
}

/* ---------------------------------------------------------------- lengths */

/* In many series of different lengths the network may weigh more in the short ones, or less. */
static void
test_lengths(void)
{
	rnn_trainer *t;
	rnn_model	m;
	rnn_rng		r;

	printf("- a weight for short series, and one for long ones\n");
	rnn_config_defaults(&cfg);
	cfg.steps = 150;
	cfg.horizon = 1;
	cfg.members = 1;
	cfg.seasons_given = 1;
	cfg.seasons[0] = 30;
	make_panel(MOST_SERIES, 60, MOST_POINTS, 0);
	/* In the shortest ones all is calm at the end, where the network is judged. */
	rnn_rng_seed(&r, 6, 0);
	for (int i = 0; i < MOST_SERIES * 2 / 5; i++)
		for (int64_t k = series[i].n - 8; k < series[i].n; k++)
			x[i][k] = 0.5 + 0.1 * rnn_rng_normal(&r);
	m = whole_training(&t);
	printf("  below %d points %.3f, else %.3f\n", (int) m.short_below, m.weight_short, m.weight);
	CHECK(m.short_below > 30 && m.short_below < MOST_POINTS);
	CHECK(m.weight_short != m.weight);
	CHECK(rnn_network_weight(&m, m.short_below - 1) == m.weight_short);
	CHECK(rnn_network_weight(&m, m.short_below) == m.weight);
	free(t);
	make_panel(MOST_SERIES - 20, 30, MOST_POINTS, 0);
	m = whole_training(&t);
	CHECK(m.short_below == 0);
	free(t);
}

/* Where a few series are most of the sum, what is better for all the others isn't enough. */
static void
test_sums(void)
{
	double		weight[2];

	printf("- no weight at which sums get worse\n");
	rnn_config_defaults(&cfg);
	cfg.steps = 60;
	cfg.horizon = 1;
	cfg.members = 1;
	cfg.seasons_given = 1;
	cfg.seasons[0] = 30;
	for (int large = 0; large < 2; large++)
	{
		rnn_trainer *t;
		rnn_model	m;
		rnn_rng		r;

		make_panel(40, 130, MOST_POINTS, 0);
		/* In a few series all is calm at the end, which the network doesn't expect. */
		rnn_rng_seed(&r, 6, 0);
		for (int i = 0; i < 3; i++)
			for (int64_t k = 0; k < series[i].n; k++)
			{
				if (k >= series[i].n - 8)
					x[i][k] = 0.5 + 0.01 * rnn_rng_normal(&r);
				x[i][k] *= large ? 1000 : 1;
			}
		m = whole_training(&t);
		weight[large] = m.weight;
		free(t);
	}
	printf("  weight %.3f, with large series %.3f\n", weight[0], weight[1]);
	CHECK(weight[0] > 0.4 && weight[1] < weight[0] / 2);
}

int
main(void)
{
	rnn_engine_init(-1);
	TEST(test_side_by_side);
	TEST(test_go_on);
	TEST(test_no_members);
	TEST(test_lengths);
	TEST(test_sums);
	return check_summary("members");
}
