/*
 * test_members.c
 *		Members of an ensemble that are trained by two trainers, and what a network
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

static void
copy_parts(const rnn_part *from, const rnn_part *to, int n)
{
	for (int i = 0; i < n; i++)
	{
		CHECK(from[i].len == to[i].len);
		memcpy(to[i].bytes, from[i].bytes, to[i].len);
	}
}

/* What another process trains members with. */
static rnn_trainer *
adopted(rnn_trainer *t)
{
	rnn_config	resolved;
	rnn_choice	choice;
	rnn_trainer *other;
	rnn_part	from[RNN_FEATURE_PARTS],
				to[RNN_FEATURE_PARTS];
	rnn_error	err;

	CHECK(rnn_trainer_members(t, &resolved, &choice) == MEMBERS);
	CHECK(rnn_trainer_used(t) > 0 && rnn_trainer_used(t) <= size);
	other = new_trainer(&resolved);
	CHECK(rnn_trainer_adopt(other, choice, &err) == RNN_OK);
	rnn_trainer_features(t, from);
	rnn_trainer_features(other, to);
	copy_parts(from, to, RNN_FEATURE_PARTS);
	return other;
}

/* A member that waits is put aside, with all that its training has come to. */
typedef struct Aside
{
	uint8_t    *bytes[RNN_STATE_PARTS];
	size_t		len[RNN_STATE_PARTS];
} Aside;

static Aside
put_aside(rnn_trainer *t)
{
	rnn_part	parts[RNN_STATE_PARTS];
	Aside		aside;

	CHECK(rnn_trainer_state(t, parts));
	for (int i = 0; i < RNN_STATE_PARTS; i++)
	{
		aside.len[i] = parts[i].len;
		aside.bytes[i] = malloc(parts[i].len + 1);
		memcpy(aside.bytes[i], parts[i].bytes, parts[i].len);
	}
	return aside;
}

static void
take_back(rnn_trainer *t, int member, Aside *aside)
{
	rnn_part	parts[RNN_STATE_PARTS];

	rnn_trainer_member(t, member);
	rnn_trainer_state(t, parts);
	for (int i = 0; i < RNN_STATE_PARTS; i++)
	{
		CHECK(parts[i].len == aside->len[i]);
		memcpy(parts[i].bytes, aside->bytes[i], parts[i].len);
		free(aside->bytes[i]);
	}
}

static void
hand_over(rnn_trainer *from, rnn_trainer *to, int member)
{
	rnn_part	have[RNN_MEMBER_PARTS],
				get[RNN_MEMBER_PARTS];

	rnn_trainer_result(from, member, have);
	rnn_trainer_result(to, member, get);
	copy_parts(have, get, RNN_MEMBER_PARTS);
}

/* Steps a member as far as it may go. */
static rnn_progress
go_on(rnn_trainer *t)
{
	rnn_progress p = {0};

	while (!p.split && !p.waits)
		p = step(t);
	return p;
}

/*
 * Members 2 and 3 begin elsewhere as soon as there are features, and take
 * turns while the steps that are sure become more; 0 and 1 are trained here.
 */
static rnn_model
train_in_turns(rnn_trainer **trainer)
{
	rnn_trainer *t = new_trainer(&cfg),
			   *other = NULL;
	rnn_progress p = {0};
	rnn_model	m;
	rnn_error	err;
	Aside		aside;
	int			sure = 0;
	bool		exact = false,
				begun = false;

	rnn_trainer_split(t);
	while (!p.split)
	{
		p = step(t);
		if (p.ready && !other)
			other = adopted(t);
		if (!other || rnn_trainer_steps(t, &exact) <= sure)
			continue;
		sure = rnn_trainer_steps(t, &exact);
		rnn_trainer_allow(other, sure, false);
		if (!begun)
		{
			rnn_trainer_member(other, 2);
			CHECK(go_on(other).waits);
			aside = put_aside(other);
			rnn_trainer_member(other, 3);
			begun = true;
		}
		CHECK(go_on(other).waits);
	}
	CHECK(begun && rnn_trainer_steps(t, &exact) > 0 && exact);
	rnn_trainer_allow(other, rnn_trainer_steps(t, &exact), true);
	CHECK(go_on(other).split);
	take_back(other, 2, &aside);
	CHECK(go_on(other).split);
	for (int i = 0; i < 2; i++)
	{
		rnn_trainer_member(t, i);
		CHECK(go_on(t).split);
		hand_over(other, t, i + 2);
	}
	rnn_trainer_join(t);
	while (!step(t).done)
		;
	CHECK(rnn_trainer_model(t, &m, &err) == RNN_OK);
	free(other);
	*trainer = t;
	return m;
}

static void
test_turns(void)
{
	rnn_trainer *one,
			   *two;
	rnn_model	a,
				b;
	uint8_t    *bytes_a,
			   *bytes_b;

	printf("- members that took turns in another trainer: the same bytes\n");
	rnn_config_defaults(&cfg);
	cfg.members = MEMBERS;
	cfg.steps = 200;
	cfg.horizon = 1;
	make_panel(12, 90, 90, 0);
	a = whole_training(&one);
	CHECK(a.n_members == MEMBERS && a.weight > 0);
	b = train_in_turns(&two);
	bytes_a = bytes_of(&a);
	bytes_b = bytes_of(&b);
	CHECK(rnn_model_size(&a) == rnn_model_size(&b) && memcmp(bytes_a, bytes_b, rnn_model_size(&a)) == 0);
	free(bytes_a), free(bytes_b), free(one), free(two);
}

/* Without steps to train on, there is nothing to adopt. */
static void
test_nothing_to_adopt(void)
{
	rnn_trainer *t;
	rnn_error	err;

	printf("- series too short for members\n");
	rnn_config_defaults(&cfg);
	make_panel(1, 4, 4, 0);
	t = new_trainer(&cfg);
	CHECK(rnn_trainer_adopt(t, (rnn_choice) {RNN_KIND_SCRATCH, 0, 1}, &err) == RNN_ERR_DATA);
	free(t);
}

/* ---------------------------------------------------------------- lengths */

/* In many series of different lengths the network may weigh more in the short ones, or less. */
static void
test_lengths(void)
{
	rnn_trainer *t;
	rnn_model	m;

	printf("- a weight for short series, and one for long ones\n");
	rnn_config_defaults(&cfg);
	cfg.steps = 60;
	cfg.horizon = 1;
	cfg.members = 1;
	cfg.seasons_given = 1;
	cfg.seasons[0] = 30;
	make_panel(MOST_SERIES, 30, MOST_POINTS, MOST_SERIES / 2);
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

int
main(void)
{
	rnn_engine_init(-1);
	TEST(test_turns);
	TEST(test_nothing_to_adopt);
	TEST(test_lengths);
	return check_summary("members");
}
