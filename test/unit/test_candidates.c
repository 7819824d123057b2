/*
 * test_candidates.c
 *		Networks that are judged, one after the other and side by side.
 */
#include "check.h"
#include "trained.h"

#include <math.h>

#define MB (1024 * 1024)
#define SERIES 12
#define N 90
#define LAG 3
#define NEVER 1000000

static rnn_prior prior;
static double x[SERIES][N];
static rnn_series series[SERIES];
static rnn_panel panel = {.count = SERIES,.series = series,.prior = &prior};
static rnn_config cfg;
static size_t size;
static bool unsure;				/* what is judged elsewhere errs more than it gains */

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
		series[i] = (rnn_series) {.name = "abcdefghijkl" + i,.name_len = 1,.n = N,.x = x[i]};
	}
	rnn_config_defaults(&cfg);
	cfg.steps = steps;
	cfg.horizon = chaos ? 1 : 6;
	CHECK(rnn_trainer_size(&cfg, &panel, 48 * MB, &size, &err) == RNN_OK);
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

/* Steps until the trainer waits or is done, hurried after some of them. */
static rnn_progress
run(rnn_trainer *t, int *hurry_after)
{
	rnn_progress p = {0};
	rnn_error	err;

	while (!p.done && !p.split)
	{
		if ((*hurry_after)-- == 0)
			rnn_trainer_hurry(t);
		if (rnn_trainer_step(t, &p, &err) != RNN_OK)
		{
			CHECK(!"a step failed");
			break;
		}
		if (p.apart)
			break;
	}
	return p;
}

/* What another process would do: judges the candidate and hands over what became of it. */
static void
judge_elsewhere(rnn_trainer *t, const rnn_config *resolved, rnn_choice choice, int hurry_after)
{
	rnn_trainer *other = new_trainer(resolved);
	rnn_part	from[RNN_JUDGED_PARTS],
				to[RNN_JUDGED_PARTS];
	rnn_error	err;
	rnn_progress p;

	CHECK(rnn_trainer_lone(other, choice, &err) == RNN_OK);
	p = run(other, &hurry_after);
	CHECK(p.split && !p.done && !p.lacks);
	rnn_trainer_judged(other, from);
	rnn_trainer_judged(t, to);
	for (int i = 0; i < RNN_JUDGED_PARTS; i++)
	{
		CHECK(from[i].len == to[i].len);
		memcpy(to[i].bytes, from[i].bytes, to[i].len);
	}
	if (unsure)
		((rnn_candidate *) to[0].bytes)->std_error = 2 * fabs(((rnn_candidate *) to[0].bytes)->difference);
	rnn_trainer_compare(t);
	free(other);
}

/* A whole training, its first candidate judged elsewhere. */
static rnn_model
train_apart(rnn_trainer **trainer, int hurry_after, int hurry_other_after)
{
	rnn_trainer *t = new_trainer(&cfg);
	rnn_model	m;
	rnn_error	err;
	rnn_config	resolved;
	rnn_choice	choice = {0},
				chosen;
	rnn_progress p;
	int			member = 0;

	rnn_trainer_split(t);
	while (p = run(t, &hurry_after), !p.done)
	{
		if (p.apart)
		{
			rnn_trainer_members(t, &resolved, &choice);
			rnn_trainer_apart(t);
		}
		else if (p.lacks)
			judge_elsewhere(t, &resolved, choice, hurry_other_after);
		else if (hurry_after > 0 && member < rnn_trainer_members(t, &resolved, &chosen))
			rnn_trainer_member(t, member++);
		else
			rnn_trainer_join(t);
	}
	CHECK(choice.of == 2 || hurry_after < 0);
	CHECK(rnn_trainer_model(t, &m, &err) == RNN_OK);
	*trainer = t;
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
	int			never = NEVER;

	printf("- one after the other\n");
	make_panel(false, 60);
	t = new_trainer(&cfg);
	CHECK(run(t, &never).done && rnn_trainer_model(t, &m, &err) == RNN_OK);
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
	int			seen[2] = {0};

	printf("- side by side: the same bytes, whichever is the better one\n");
	for (int i = 0; i < 2; i++)
	{
		rnn_trainer *one,
				   *two;
		rnn_model	a,
					b;
		rnn_error	err;
		size_t		len,
					len_b;
		void	   *bytes,
				   *bytes_b;
		int			never = NEVER;

		make_panel(i == 1, i ? 400 : 60);
		one = new_trainer(&cfg);
		CHECK(run(one, &never).done && rnn_trainer_model(one, &a, &err) == RNN_OK);
		b = train_apart(&two, NEVER, NEVER);
		printf("  weights %.3f and %.3f\n", a.candidate[0].weight, a.candidate[1].weight);
		seen[a.chosen]++;
		CHECK(a.chosen == b.chosen && a.n_log == b.n_log);
		bytes = bytes_of(&a, &len);
		bytes_b = bytes_of(&b, &len_b);
		CHECK(len == len_b && memcmp(bytes, bytes_b, len) == 0);
		free(bytes), free(bytes_b), free(one), free(two);
	}
	CHECK(seen[0] == 1 && seen[1] == 1);
}

/* A prior that is unsure has its weight all the same, where the last one has none. */
static void
test_unsure(void)
{
	rnn_trainer *t;
	rnn_model	m;

	printf("- an unsure one\n");
	make_panel(false, 60);
	unsure = true;
	m = train_apart(&t, NEVER, NEVER);
	unsure = false;
	CHECK(m.candidate[0].weight > 0 && m.candidate[1].weight == 0);
	CHECK(m.chosen == 0 && m.weight == m.candidate[0].weight && m.n_members > 0);
	free(t);
}

/* Whenever the time is up, here or there, there is a model. */
static void
test_hurry(void)
{
	int			steps[] = {0, 3, 4, 6, 8, 30, 90, NEVER};
	int			n = sizeof(steps) / sizeof(steps[0]),
				networks = 0;

	printf("- the time is up\n");
	make_panel(false, 60);
	for (int i = 0; i < n; i++)
		for (int k = 0; k < n; k++)
		{
			rnn_trainer *t;
			rnn_model	m = train_apart(&t, steps[i], steps[k]);

			CHECK(m.n_members > 0 || m.weight == 0);
			for (int c = 0; c < m.n_members; c++)
				for (int64_t w = 0; w < m.member[c].params; w++)
					if (!isfinite(m.member[c].weights[w]))
					{
						CHECK(!"a weight is no number");
						break;
					}
			networks += m.n_members > 0;
			free(t);
		}
	printf("  %d of %d models with a network\n", networks, n * n);
	CHECK(networks > 0 && networks < n * n);
}

int
main(void)
{
	rnn_error	err;

	rnn_engine_init(-1);
	if (rnn_prior_load(rnn_prior_latest(), malloc(rnn_prior_size(rnn_prior_latest())), &prior, &err) != RNN_OK)
		return 1;
	TEST(test_candidates);
	TEST(test_side_by_side);
	TEST(test_unsure);
	TEST(test_hurry);
	return check_summary("candidates");
}
