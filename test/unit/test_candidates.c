/*
 * test_candidates.c
 *		Networks that are judged, one after the other and side by side.
 */
#include "check.h"
#include "trained.h"
#include "train/stages.h"

#include <math.h>

#define MB (1024 * 1024)
#define SERIES 12
#define N 90
#define SHORT 50
#define LAG 3

static rnn_prior prior;
static double x[SERIES][N];
static rnn_series series[SERIES];
static rnn_panel panel = {.count = SERIES,.series = series,.prior = &prior};
static rnn_config cfg;
static size_t size;

/* Waves, where the prior is at home, or the logistic map, which no reference knows. */
static void
make_panel(bool chaos, int steps)
{
	rnn_error	err;
	rnn_rng		r;

	rnn_rng_seed(&r, 5, 0);
	for (int i = 0; i < SERIES; i++)
	{
		double		y[LAG];

		for (int k = 0; k < N; k++)
		{
			double	   *z = &y[k % LAG];

			*z = k < LAG ? 0.1 + 0.8 * rnn_rng_uniform(&r) : 3.9 * *z * (1 - *z);
			x[i][k] = chaos ? *z : 100 + 10 * sin(6.283185307 * k / (6 + i % 2)) + rnn_rng_normal(&r);
		}
		series[i] = (rnn_series) {.name = "abcdefghijkl" + i,.name_len = 1,.n = chaos ? N : SHORT,.x = x[i]};
	}
	rnn_config_defaults(&cfg);
	cfg.steps = steps;
	cfg.horizon = chaos ? 1 : 6;
	CHECK(rnn_trainer_size(&cfg, &panel, 48 * MB, &size, &err) == RNN_OK);
}

/* A part of each wave follows the logistic map, so that both networks have something to tell. */
static void
make_both(void)
{
	double		z = 0.3;

	make_panel(false, 60);
	for (int i = 0; i < SERIES; i++)
		for (int k = 0; k < SHORT; k++)
		{
			z = 3.9 * z * (1 - z);
			x[i][k] += 45 * z;
		}
}

static rnn_trainer *
new_trainer(const rnn_config *options)
{
	void	   *block = aligned_alloc(64, (size + 63) / 64 * 64);	/* the trainer is its beginning */
	rnn_trainer *t;
	rnn_error	err;

	memset(block, 0xff, size);
	CHECK(rnn_trainer_init(&t, block, size, options, &panel, NULL, &err) == RNN_OK);
	return t;
}

static rnn_model
train_alone(rnn_trainer **trainer)
{
	rnn_trainer *t = new_trainer(&cfg);
	rnn_model	m;
	rnn_error	err;
	rnn_progress p = {0};

	while (!p.done && rnn_trainer_step(t, &p, &err) == RNN_OK)
		;
	CHECK(p.done && rnn_trainer_model(t, &m, &err) == RNN_OK);
	*trainer = t;
	return m;
}

/* A whole training by three trainers, hurried after some steps; *trainer keeps the model. */
static rnn_model
train_together(rnn_trainer **trainer, uint64_t seed, int hurry_after)
{
	rnn_trainer *t[3];
	rnn_model	m;
	rnn_error	err;
	rnn_rng		r;

	rnn_rng_seed(&r, seed, 0);
	for (int i = 0; i < 3; i++)
		t[i] = new_trainer(&cfg);
	train_by(t, 3, &r, hurry_after);
	CHECK(rnn_trainer_model(t[0], &m, &err) == RNN_OK);
	free(t[1]), free(t[2]);
	*trainer = t[0];
	return m;
}

static void *
bytes_of(rnn_model *m, size_t *len)
{
	void	   *bytes;

	*len = rnn_model_size(m);
	bytes = malloc(*len);
	rnn_model_encode(m, bytes);
	return bytes;
}

static void
test_candidates(void)
{
	rnn_trainer *t;
	rnn_model	m,
				back;
	rnn_error	err;
	size_t		len;
	void	   *decoded;

	printf("- one after the other\n");
	make_panel(false, 60);
	m = train_alone(&t);
	CHECK(m.n_candidates == 2 && m.candidate[0].kind == RNN_KIND_HEAD && m.candidate[1].kind == RNN_KIND_SCRATCH);
	for (int i = 0; i < 2; i++)
		CHECK(isfinite(m.candidate[i].difference) && m.candidate[i].std_error > 0 && m.candidate[i].windows > 8);
	CHECK((m.n_members > 0) == (m.weight > 0));
	CHECK(m.weight == 0 || m.short_below > 0 || m.weight == m.candidate[m.chosen].weight);
	CHECK(m.weight == 0 || (m.member[0].prior > 0) == (m.candidate[m.chosen].kind == RNN_KIND_HEAD));
	back = read_back(&m, &len, &decoded, &err);
	CHECK(back.n_candidates == 2 && memcmp(back.candidate, m.candidate, sizeof(m.candidate)) == 0);
	CHECK(back.chosen == m.chosen);
	free(decoded), free(t);
}

static void
test_side_by_side(void)
{
	int			seen[2] = {0},
				added = 0;

	printf("- side by side: the same bytes, whichever is the better one, and where both are added\n");
	for (int i = 0; i < 3; i++)
	{
		rnn_trainer *one;
		rnn_model	a;
		size_t		len;
		void	   *bytes;

		if (i < 2)
			make_panel(i == 1, i ? 400 : 60);
		else
			make_both();
		a = train_alone(&one);
		printf("  weights %.3f and %.3f\n", a.candidate[0].weight, a.candidate[1].weight);
		seen[a.chosen] += i < 2;
		added += a.second.first > 0;
		bytes = bytes_of(&a, &len);
		for (int seed = 1; seed <= 3; seed++)
		{
			rnn_trainer *two;
			rnn_model	b = train_together(&two, seed, -1);
			size_t		len_b;
			void	   *bytes_b = bytes_of(&b, &len_b);

			CHECK(a.chosen == b.chosen && a.n_log == b.n_log);
			CHECK(len == len_b && memcmp(bytes, bytes_b, len) == 0);
			free(bytes_b), free(two);
		}
		free(bytes), free(one);
	}
	CHECK(seen[0] == 1 && seen[1] == 1 && added == 1);
}

/* A prior that is trained further learns more slowly, so its ceiling is higher. */
static void
test_ceiling(void)
{
	Plan		plan = {.panel = panel,.summary = {.series = 1,.points = 30000,.longest = 30000}};
	rnn_config	tuned,
				scratch;
	double		pace;
	int			batch;

	printf("- a ceiling of steps\n");
	rnn_config_defaults(&plan.asked);
	plan.asked.horizon = 6;
	plan.asked.seasons_given = 1;
	plan.asked.seasons[0] = 1;
	candidate_options(&plan, RNN_KIND_SCRATCH, &scratch, &pace);
	candidate_options(&plan, RNN_KIND_TUNED, &tuned, &pace);
	CHECK(pace < 0.5 && scratch.steps == 1000 && tuned.steps == 1500);
	batch = scratch.batch;
	/* Of few series a network from nothing is a second try, for a quarter of the price. */
	plan.kinds[0] = RNN_KIND_TUNED;
	candidate_options(&plan, RNN_KIND_SCRATCH, &scratch, &pace);
	CHECK(scratch.steps == 1000 && scratch.batch == (batch + 3) / 4);
	plan.summary.series = PANEL;
	candidate_options(&plan, RNN_KIND_SCRATCH, &scratch, &pace);
	CHECK(scratch.batch == batch);
	plan.asked.steps = 77;
	candidate_options(&plan, RNN_KIND_TUNED, &tuned, &pace);
	CHECK(tuned.steps == 77);
}

/* A prior that is unsure has its weight all the same, where the last one has none. */
static void
test_unsure(void)
{
	Judgement	first = {.judged = true},
				last = {.judged = true};
	Plan		plan = {.judged = {&first, &last},.n_kinds = 2};

	printf("- an unsure one\n");
	first.candidate = (rnn_candidate) {.weight = 0.5,.difference = -1,.std_error = 2,.mix_pinball = 10};
	last.candidate = (rnn_candidate) {.weight = 0,.difference = 1,.std_error = 1,.mix_pinball = 10};
	CHECK(candidates_compare(&plan, 2) == 0 && candidates_compare(&plan, 1) == 0);
	last.candidate = (rnn_candidate) {.weight = 0.1,.difference = -1,.std_error = 0.9,.mix_pinball = 10};
	CHECK(candidates_compare(&plan, 2) == 1);
	first.candidate.std_error = 0.1;
	CHECK(candidates_compare(&plan, 2) == 0);
}

/* Of two with a weight both have a share: half of what is as good, none of what is far worse. */
static void
test_share(void)
{
	rnn_candidate a = {.weight = 0.5,.difference = -1,.std_error = 0.1,.mix_pinball = 10},
				b = a;
	double		last = 0.5;

	printf("- shares of two networks\n");
	CHECK(candidates_share(&a, &b) == 0.5);
	for (b.difference = -1.05; b.difference > -3; b.difference -= 0.1)
	{
		double		share = candidates_share(&a, &b);

		CHECK(share >= last && fabs(share + candidates_share(&b, &a) - 1) < 1e-12);
		last = share;
	}
	CHECK(last == 1);
}

/* Quantiles of some series by a model. */
static double *
forecasts_of(const rnn_model *m)
{
	double	   *q = malloc(sizeof(double) * SERIES * m->config.horizon * RNN_QUANTILES);
	size_t		bytes;
	rnn_error	err;
	void	   *block;

	CHECK(rnn_forecast_size(m, SERIES, series[0].n, m->config.horizon, &bytes, &err) == RNN_OK);
	block = malloc(bytes);
	CHECK(rnn_forecast(m, series, SERIES, m->config.horizon, block, bytes, q, &err) == RNN_OK);
	free(block);
	return q;
}

/* A model without the members from `from` to `to`, all else the same. */
static rnn_model
part_of(const rnn_model *m, int from, int to)
{
	rnn_model	part = *m;

	part.config = rnn_member_config(m, from);
	part.second = (rnn_second) {0};
	part.n_members = to - from;
	memmove(part.member, part.member + from, sizeof(rnn_member) * (to - from));
	return part;
}

/* Two kinds of networks in one model: its forecast is the mean of both, and so are its bytes'. */
static void
test_added(void)
{
	rnn_trainer *t;
	rnn_model	m,
				back,
				first,
				second;
	rnn_error	err;
	size_t		len;
	void	   *decoded;
	double	   *whole,
			   *a,
			   *b,
			   *again,
				apart = 0,
				largest = 0;

	printf("- two kinds in one model\n");
	make_both();
	m = train_alone(&t);
	printf("  %d members, from %d on %.3f of the weight %.3f\n", m.n_members, m.second.first, m.second.share, m.weight);
	CHECK(m.second.first > 0 && m.second.first < m.n_members && m.second.share > 0.1 && m.second.share < 0.9);
	CHECK(m.weight > 0 && m.weight <= fmax(m.candidate[0].weight, m.candidate[1].weight));
	CHECK(m.weight >= fmin(m.candidate[0].weight, m.candidate[1].weight));
	CHECK((m.member[0].prior > 0) != (m.member[m.n_members - 1].prior > 0));
	CHECK(fabs(m.candidate[0].share + m.candidate[1].share - 1) < 1e-12);
	CHECK(fabs(m.candidate[m.chosen].share - (1 - m.second.share)) < 1e-12);
	back = read_back(&m, &len, &decoded, &err);
	CHECK(back.second.first == m.second.first && back.second.share == m.second.share);
	CHECK(back.second.hidden == m.second.hidden && back.second.patch == m.second.patch);
	back.prior_net = m.prior_net;
	first = part_of(&m, 0, m.second.first);
	second = part_of(&m, m.second.first, m.n_members);
	whole = forecasts_of(&m), a = forecasts_of(&first), b = forecasts_of(&second), again = forecasts_of(&back);
	for (int64_t i = 0; i < (int64_t) SERIES * m.config.horizon * RNN_QUANTILES; i++)
	{
		apart = fmax(apart, fabs(whole[i] - (1 - m.second.share) * a[i] - m.second.share * b[i]));
		largest = fmax(largest, fabs(whole[i]));
		CHECK(whole[i] == again[i] && a[i] != b[i]);
	}
	/* Quantiles that calibration would cross are put in order, which adds up a little otherwise. */
	CHECK(apart < 1e-3 * largest);
	free(whole), free(a), free(b), free(again), free(decoded), free(t);
}

/* A tuned prior that doesn't fit into the memory is left out, and the other one is judged. */
static void
test_left_out(void)
{
	rnn_trainer *t;
	rnn_model	m;
	size_t		enough;
	int			alone = 0;

	printf("- a candidate that doesn't fit\n");
	make_panel(false, 20);
	enough = size;
	for (size = 1 << 20; size < enough && !alone; size += 1 << 18)
	{
		rnn_progress p = {0};
		rnn_error	err;
		rnn_status	status = rnn_trainer_init(&t, aligned_alloc(64, size), size, &cfg, &panel, NULL, &err);

		while (status == RNN_OK && !p.done)
			status = rnn_trainer_step(t, &p, &err);
		CHECK(status == RNN_OK || status == RNN_ERR_MEMORY);
		if (status == RNN_OK)
		{
			CHECK(rnn_trainer_model(t, &m, &err) == RNN_OK && m.n_candidates >= 1);
			alone += m.n_candidates == 1 && m.chosen == 0 && m.candidate[0].kind == RNN_KIND_SCRATCH;
			free(t);
		}
	}
	printf("  with %d kB\n", (int) (size >> 10));
	CHECK(alone == 1);
	size = enough;
}

/* Whenever the time is up, there is a model. */
static void
test_hurry(void)
{
	int			networks = 0,
				models = 0;

	printf("- the time is up\n");
	make_both();
	for (int after = 0; after < 400; after += after < 20 ? 2 : 19)
	{
		rnn_trainer *t;
		rnn_model	m = train_together(&t, after, after);

		CHECK(m.n_members > 0 || m.weight == 0);
		for (int c = 0; c < m.n_members; c++)
			for (int64_t w = 0; w < m.member[c].params; w++)
				if (!isfinite(m.member[c].weights[w]))
				{
					CHECK(!"a weight is no number");
					break;
				}
		networks += m.n_members > 0;
		models++;
		free(t);
	}
	printf("  %d of %d models with a network\n", networks, models);
	CHECK(networks > 0 && networks < models);
}

int
main(void)
{
	rnn_error	err;

	rnn_engine_init(-1);
	if (rnn_prior_load(rnn_prior_for(1, 0), malloc(rnn_prior_size(rnn_prior_for(1, 0))), &prior, &err) != RNN_OK)
		return 1;
	TEST(test_candidates);
	TEST(test_side_by_side);
	TEST(test_ceiling);
	TEST(test_unsure);
	TEST(test_share);
	TEST(test_added);
	TEST(test_left_out);
	TEST(test_hurry);
	return check_summary("candidates");
}
