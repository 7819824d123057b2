/*
 * test_held.c
 *		Held-out windows: which there are, which hang together, and how sure a
 *		mean over them is.
 */
#include "check.h"
#include "trained.h"
#include "train/stages.h"

#include <math.h>

#define SERIES 60
#define TIMES 6
#define MOST (SERIES * TIMES)
#define TRIALS 2000

static Study study;
static Run runs[SERIES];
static rnn_points points[SERIES];
static Held held[MOST];
static int	by_block[MOST];

/* So many windows of each series, h apart; the clocks of the series differ by `shift` points. */
static void
make_windows(int series, int times, int h, int shift)
{
	Study	   *t = &study;

	memset(t, 0, sizeof(*t));
	t->grain = 1;
	t->cfg.horizon = h;
	t->panel.count = series;
	t->runs = runs;
	t->points = points;
	t->held = held;
	t->by_block = by_block;
	for (int s = 0; s < series; s++)
	{
		runs[s] = (Run) {.series = s,.strip = {.count = times,.e0 = 50,.stride = held_spacing(t)}};
		points[s].phase = shift * s;
		for (int i = 0; i < times; i++)
			held[t->W++] = (Held) {.run = s,.last = times - 1 - i};
	}
	cluster_held(t);
}

/* Root mean square of (mean - 0) / error, where the blocks share such a part of the variance. */
static double
rms_of_z(double shared)
{
	rnn_rng		r;
	double		sum = 0;

	rnn_rng_seed(&r, 11, 0);
	for (int trial = 0; trial < TRIALS; trial++)
	{
		float		d[MOST];
		double		shock[TIMES],
					error,
					mean;

		for (int k = 0; k < TIMES; k++)
			shock[k] = sqrt(shared) * rnn_rng_normal(&r);
		for (int i = 0; i < MOST; i++)
			d[i] = (float) (shock[held[i].block] + sqrt(1 - shared) * rnn_rng_normal(&r));
		mean = clustered_mean(&study, study.W, d, &error);
		sum += mean * mean / (error * error);
	}
	return sqrt(sum / TRIALS);
}

static void
test_error(void)
{
	float		d[MOST];
	double		error;

	printf("- the error of a mean counts the shocks that series share\n");
	make_windows(SERIES, TIMES, 12, 0);
	for (int k = 0; k < 3; k++)
	{
		double		z = rms_of_z(0.4 * k);

		printf("  share %.1f: z %.2f\n", 0.4 * k, z);
		/* Student's t with 5 degrees of freedom has 1.29. */
		CHECK(z > 0.6 && z < 1.45);
	}
	printf("- and what a series does at all times\n");
	for (int i = 0; i < MOST; i++)
		d[i] = i / TIMES < SERIES / 2 ? 1 : -1;
	CHECK_NEAR(clustered_mean(&study, study.W, d, &error), 0, 1e-9);
	CHECK_NEAR(error, 1 / sqrt(SERIES - 1), 1e-9);
	printf("- one block tells little, however many series\n");
	make_windows(SERIES, 1, 12, 0);
	for (int i = 0; i < SERIES; i++)
		d[i] = i % 2 ? 1 : -1;
	clustered_mean(&study, study.W, d, &error);
	CHECK_NEAR(error, 1 / sqrt(20), 0.01);
	printf("- a few windows of one series count by blocks of three\n");
	make_windows(1, 9, 12, 0);
	for (int i = 0; i < 9; i++)
		d[i] = (float) (i / 3 - 1);
	clustered_mean(&study, study.W, d, &error);
	CHECK_NEAR(error, 1 / sqrt(3), 1e-6);
	for (int i = 0; i < 9; i++)
		d[i] = (float) (i % 3 - 1);
	clustered_mean(&study, study.W, d, &error);
	CHECK(isinf(error));
}

/* Of trials in which series share such a part of what a network gained by chance, those that let it in. */
static double
share_trusted(double shared, double gain)
{
	rnn_rng		r;
	int			trusted = 0;

	rnn_rng_seed(&r, 12, 0);
	for (int trial = 0; trial < TRIALS; trial++)
	{
		float		d[MOST];
		double		shock[TIMES];

		for (int k = 0; k < TIMES; k++)
			shock[k] = sqrt(shared) * rnn_rng_normal(&r) - gain;
		for (int i = 0; i < study.W; i++)
			d[i] = (float) (shock[held[i].block] + sqrt(1 - shared) * rnn_rng_normal(&r));
		trusted += is_better_throughout(&study, study.W, d);
	}
	return (double) trusted / TRIALS;
}

static void
test_throughout(void)
{
	printf("- what was better by chance is let in once in fifty times\n");
	make_windows(SERIES, TIMES, 12, 0);
	for (int k = 0; k < 3; k++)
	{
		double		share = share_trusted(0.4 * k, 0);

		printf("  share %.1f: %.1f %%\n", 0.4 * k, 100 * share);
		CHECK(share > 0.005 && share < 0.025);
	}
	printf("- what was better all the time, always\n");
	CHECK(share_trusted(0.2, 3) > 0.99);
	printf("- never by less than six blocks\n");
	make_windows(SERIES, TIMES - 1, 12, 0);
	CHECK(share_trusted(0.2, 3) == 0);
}

/* Of trials in which series share such a part of their shocks, those that say so. */
static double
share_alike(double shared, double bias)
{
	rnn_rng		r;
	int			alike = 0;

	rnn_rng_seed(&r, 13, 0);
	for (int trial = 0; trial < TRIALS; trial++)
	{
		double		shock[TIMES];

		for (int k = 0; k < TIMES; k++)
			shock[k] = sqrt(shared) * rnn_rng_normal(&r) + bias;
		for (int i = 0; i < study.W; i++)
			held[i].side = shock[held[i].block] + sqrt(1 - shared) * rnn_rng_normal(&r) > 0 ? 1 : -1;
		alike += shares_shocks(&study, study.W);
	}
	return (double) alike / TRIALS;
}

static void
test_shocks(void)
{
	double		none,
				biased,
				most;

	printf("- series that share what happened are told from those that are alike in a bias\n");
	make_windows(SERIES, TIMES, 12, 0);
	none = share_alike(0, 0), biased = share_alike(0, 1), most = share_alike(0.8, 0);
	printf("  none shared %.1f %%, with a bias %.1f %%, most of it %.1f %%\n", 100 * none, 100 * biased, 100 * most);
	CHECK(none < 0.01 && biased < 0.01 && most > 0.95);
}

/* Windows of half 1 in each block. */
static void
count_newer(int *newer)
{
	memset(newer, 0, sizeof(int) * MOST);
	for (int i = 0; i < study.W; i++)
		newer[held[i].block] += held[i].half;
}

static void
test_halves(void)
{
	int			newer[MOST];

	printf("- halves share no block of time\n");
	make_windows(SERIES, 6, 12, 0);
	count_newer(newer);
	for (int k = 0; k < 6; k++)
		CHECK(newer[k] == (k < 3 ? SERIES : 0));
	printf("- but one in the middle, which is divided by series\n");
	make_windows(SERIES, 5, 12, 0);
	count_newer(newer);
	CHECK(newer[1] == SERIES && newer[3] == 0 && newer[2] > SERIES / 4 && newer[2] < 3 * SERIES / 4);
	make_windows(SERIES, 1, 12, 0);
	count_newer(newer);
	CHECK(newer[0] > SERIES / 4 && newer[0] < 3 * SERIES / 4);
	printf("- series of other times share blocks where their windows overlap\n");
	make_windows(2 * 8, 1, 12, 4);
	for (int i = 0; i < 16; i++)
		CHECK(held[i].block == (15 - i) / 3 && held[by_block[i]].block == i / 3);
	make_windows(1, 2, 12, 0);
	CHECK(held[0].half != held[1].half);
}

static void
test_counts(void)
{
	printf("- windows of one block count as 20 at most, overlapping ones as one\n");
	make_windows(SERIES, 6, 12, 0);
	CHECK(independent_windows(&study, study.W) == 6 * 20);
	CHECK(independent_windows(&study, 12) == 12);
	make_windows(1, 48, 12, 0);
	CHECK(independent_windows(&study, 48) == 16);
	make_windows(8, 3, 12, 0);
	CHECK(independent_windows(&study, study.W) == 24);
}

/* ---------------------------------------------------------------- which */

static rnn_prior prior;

/* The study of so many series of n points by a candidate, just laid out. */
static const Study *
laid_out(int series, int64_t n, int h, int patch, int at, void **block)
{
	static rnn_series many[SERIES];
	static double x[80000];
	rnn_panel	panel = {.count = series,.series = many,.prior = patch == 0 ? &prior : NULL};
	rnn_config	cfg;
	rnn_trainer *t;
	rnn_progress p;
	rnn_error	err;
	size_t		size;

	for (int i = 0; i < 80000; i++)
		x[i] = sin(i * 0.9) + (i * 7919 % 101) / 50.0;
	for (int s = 0; s < series; s++)
		many[s] = (rnn_series) {.name = "series",.name_len = 6,.n = n,.x = x + s};
	rnn_config_defaults(&cfg);
	cfg.seasons_given = 1;
	cfg.seasons[0] = 1;
	cfg.horizon = h;
	cfg.patch = patch;
	cfg.steps = 1;
	CHECK(rnn_trainer_size(&cfg, &panel, (size_t) 1 << 30, &size, &err) == RNN_OK);
	*block = aligned_alloc(64, (size + 63) / 64 * 64);
	CHECK(rnn_trainer_init(&t, *block, size, &cfg, &panel, NULL, &err) == RNN_OK);
	do
		CHECK(rnn_trainer_step(t, &p, &err) == RNN_OK);
	while ((t->task.stage != STAGE_FEATURES || t->task.candidate < at) && !p.done);
	CHECK(t->task.study.train && t->task.candidate == at);
	return &t->task.study;
}

static int64_t
end_of(const Study *t, int i)
{
	return t->runs[t->held[i].run].strip.e0 + t->held[i].last * t->runs[t->held[i].run].strip.stride;
}

/* Every window is another one, is in one half, and doesn't overlap more than it may. */
static void
check_windows(const Study *t, int least)
{
	int			newer = 0;

	CHECK(t->W >= least);
	for (int i = 0; i < t->W; i++)
	{
		newer += t->held[i].half;
		if (i == 0 || t->runs[t->held[i].run].series != t->runs[t->held[i - 1].run].series)
			CHECK(end_of(t, i) + t->cfg.horizon == t->points[t->runs[t->held[i].run].series].n);
		else
			CHECK(end_of(t, i - 1) - end_of(t, i) >= t->cfg.horizon / 3.0);
	}
	CHECK(abs(2 * newer - t->W) <= (t->panel.count == 1 ? 3 : t->W / 3));
}

static void
test_distinct(void)
{
	/* series, points, horizon, patch, least windows */
	static const int shapes[][5] = {
		{1, 10000, 6, 16, 48}, {1, 10000, 7, 16, 48}, {1, 10000, 12, 16, 48}, {1, 10000, 24, 12, 48},
		{1, 10000, 48, 24, 48}, {1, 60000, 6, 16, 48}, {1, 60000, 7, 16, 48}, {1, 60000, 24, 16, 48},
		{1, 60000, 48, 24, 48}, {20, 200, 6, 16, 6 * 20}, {20, 200, 18, 6, 2 * 20}, {60, 4000, 6, 16, 6 * 60},
		{60, 4000, 18, 16, 6 * 60}, {60, 4000, 48, 24, 6 * 60}, {20, 60, 6, 16, 20}
	};

	printf("- no window is held out twice\n");
	for (size_t k = 0; k < sizeof(shapes) / sizeof(shapes[0]); k++)
	{
		const int  *shape = shapes[k];
		void	   *block;
		const Study *t = laid_out(shape[0], shape[1], shape[2], shape[3], 0, &block);

		check_windows(t, shape[4]);
		free(block);
	}
}

/* Candidates with other patches are compared by the same windows. */
static void
test_common(void)
{
	void	   *block[2];
	const Study *t[2];

	printf("- candidates have the same windows\n");
	for (int at = 0; at < 2; at++)
		t[at] = laid_out(12, 150, 8, 0, at, &block[at]);
	CHECK(t[0]->cfg.patch != t[1]->cfg.patch && t[0]->W == t[1]->W);
	for (int i = 0; i < t[0]->W && i < t[1]->W; i++)
		CHECK(end_of(t[0], i) == end_of(t[1], i) && t[0]->held[i].half == t[1]->held[i].half);
	free(block[0]), free(block[1]);
}

int
main(void)
{
	rnn_error	err;

	rnn_engine_init(-1);
	if (rnn_prior_load(rnn_prior_for(1, 0), malloc(rnn_prior_size(rnn_prior_for(1, 0))), &prior, &err) != RNN_OK)
		return 1;
	TEST(test_error);
	TEST(test_shocks);
	TEST(test_throughout);
	TEST(test_halves);
	TEST(test_counts);
	TEST(test_distinct);
	TEST(test_common);
	return check_summary("held");
}
