/*
 * sampler.c
 *		Paths of one series after the other, step by step.
 *
 * At each step every path gets a number, of a sum of normal ones; the paths are
 * put in the order of their numbers, and the k-th of N gets the quantile at
 * (k + 1/2) / N.  So the marginals are the forecast's, whatever the numbers are,
 * and how paths go on from step to step, and from series to series, is that of
 * the numbers.
 *
 * Number of path p at step j, with w the weight of the windows and c the share
 * that is common:
 *
 *		sqrt(w) z + sqrt(1 - w) (sqrt(c) C + sqrt(1 - c) O)
 *
 * z is the score of a past window, the same one for all steps and series of a
 * path, with their bias times a number of the path; C and O are chains, of which C is the same for all series.  Series that
 * were not looked at have what is common in place of z:
 *
 *		sqrt(c) (sqrt(w) z' + sqrt(1 - w) C) + sqrt(1 - c) O
 *
 * Where a window has no score it goes on as a chain does.  Common numbers are
 * drawn anew for each series, from the same seed, so that memory does not grow
 * with the horizon.
 */
#include "paths/paths.h"

#include <math.h>

#define NORMALS 4096			/* values that a normal number is drawn from: only the order counts */
#define KEYS 65536				/* that numbers are sorted by, */
#define KEY_RANGE 16.0			/* in this range around 0 */
#define DIGIT 256

/* (N) numbers each of a chain. */
typedef struct Chain
{
	rnn_course	course;
	rnn_rng		rng;
	float	   *level,
			   *state,
			   *window;			/* where windows have no score */
} Chain;

struct rnn_sampler
{
	const rnn_past *past;
	int			N;
	int64_t		seed;
	int			place,			/* of the series' windows, -1: it has none */
				step;
	float		normal[NORMALS];
	Chain		common,
				own;
	int32_t    *window;			/* (N) */
	float	   *fresh;			/* (N) */
	uint16_t   *key;			/* (N) */
	int32_t    *order,
			   *swap;			/* (N) */
	rnn_place  *places;			/* (N) of the quantiles */
	double	   *sorted;			/* (N) */
};

static void
lay_out_chain(Chain *c, int N, rnn_arena *a)
{
	c->level = arena_new(a, float, N);
	c->state = arena_new(a, float, N);
	c->window = arena_new(a, float, N);
}

static void
lay_out(rnn_sampler *s, int N, rnn_arena *a)
{
	lay_out_chain(&s->common, N, a);
	lay_out_chain(&s->own, N, a);
	s->window = arena_new(a, int32_t, N);
	s->fresh = arena_new(a, float, N);
	s->key = arena_new(a, uint16_t, N);
	s->order = arena_new(a, int32_t, N);
	s->swap = arena_new(a, int32_t, N);
	s->places = arena_new(a, rnn_place, N);
	s->sorted = arena_new(a, double, N);
}

size_t
rnn_sampler_size(int paths)
{
	rnn_arena	a;
	rnn_sampler measured;

	rnn_arena_init(&a, NULL, 0);
	rnn_arena_alloc(&a, 1, sizeof(rnn_sampler));
	lay_out(&measured, paths, &a);
	return a.used + 64;
}

/* Each window for as many paths as any other, in a random order. */
static void
deal_windows(rnn_sampler *s)
{
	rnn_rng		rng;

	rnn_rng_seed(&rng, (uint64_t) s->seed, 1);
	for (int p = 0; p < s->N; p++)
		s->window[p] = p % (int) rnn_max(s->past->plan.windows, 1);
	for (int p = s->N - 1; p > 0; p--)
	{
		int			other = (int) rnn_rng_below(&rng, (uint64_t) p + 1);
		int32_t		window = s->window[p];

		s->window[p] = s->window[other];
		s->window[other] = window;
	}
}

rnn_sampler *
rnn_sampler_begin(const rnn_past *past, int paths, int64_t seed, void *block)
{
	rnn_arena	a;
	rnn_sampler *s;

	rnn_arena_init(&a, block, rnn_sampler_size(paths));
	s = arena_new(&a, rnn_sampler, 1);
	lay_out(s, paths, &a);
	s->past = past;
	s->N = paths;
	s->seed = seed;
	s->common.course = past->shared;
	s->own.course = past->own;
	for (int i = 0; i < NORMALS; i++)
		s->normal[i] = (float) rnn_normal_score((i + 0.5) / NORMALS);
	for (int p = 0; p < paths; p++)
		s->places[p] = rnn_place_of((p + 0.5) / paths);
	deal_windows(s);
	return s;
}

/* Half of the windows' steps at least are known. */
static bool
has_windows(const rnn_past *past, int place)
{
	int			cells = past->plan.windows * past->plan.steps,
				known = 0;

	for (int i = 0; place >= 0 && i < cells; i++)
		known += !isnan(past->z[(size_t) place * cells + i]);
	return known > 0 && 2 * known >= cells;
}

void
rnn_sampler_series(rnn_sampler *s, int number, int place)
{
	rnn_rng_seed(&s->common.rng, (uint64_t) s->seed, 2);
	rnn_rng_seed(&s->own.rng, (uint64_t) s->seed, 3 + (uint64_t) number);
	s->place = has_windows(s->past, place) ? place : -1;
	s->step = 0;
}

/* ------------------------------------------------------------------ chains */

static void
draw(rnn_sampler *s, rnn_rng *rng, float *out)
{
	for (int p = 0; p < s->N; p += 4)
	{
		uint64_t	bits = rnn_rng_next(rng);

		for (int i = 0; i < 4 && p + i < s->N; i++, bits >>= 16)
			out[p + i] = s->normal[bits % NORMALS];
	}
}

/* A step of what follows the step before: fresh numbers are drawn. */
static void
follow(rnn_sampler *s, Chain *c, float *state, double near)
{
	float		keep = (float) near,
				add = (float) sqrt(1 - near * near);

	draw(s, &c->rng, s->step == 0 ? state : s->fresh);
	for (int p = 0; p < s->N && s->step > 0; p++)
		state[p] = keep * state[p] + add * s->fresh[p];
}

static void
advance(rnn_sampler *s, Chain *c)
{
	if (s->step == 0)
		draw(s, &c->rng, c->level);
	follow(s, c, c->state, c->course.near);
}

/* The windows' scores at this step, with their bias on a path's side; where there is none they follow their last one. */
static void
advance_windows(rnn_sampler *s, Chain *c, const float *z, const float *bias)
{
	const rnn_past_plan *plan = &s->past->plan;

	follow(s, c, c->window, c->course.level + (1 - c->course.level) * c->course.near);
	for (int p = 0; p < s->N && s->step < plan->steps && plan->windows > 0; p++)
	{
		float		x = z[(size_t) s->window[p] * plan->steps + s->step];

		if (!isnan(x))
			c->window[p] = x + bias[s->step] * s->common.level[p];
	}
}

/* out = windows' part + that of the chain, of one series or of what is common. */
static float
chained(const Chain *c, int p, float level, float state)
{
	return level * c->level[p] + state * c->state[p];
}

/* The numbers of the paths. */
static void
advance_numbers(rnn_sampler *s, float *out)
{
	const rnn_past *past = s->past;
	size_t		cells = (size_t) past->plan.windows * past->plan.steps;
	float		c = (float) sqrt(past->share),
				o = (float) sqrt(1 - past->share),
				w = (float) sqrt(past->weight),
				v = (float) sqrt(1 - past->weight),
				common_level = (float) sqrt(past->shared.level),
				common_state = (float) sqrt(1 - past->shared.level),
				own_level = (float) sqrt(past->own.level),
				own_state = (float) sqrt(1 - past->own.level);

	advance(s, &s->common);
	advance_windows(s, &s->common, past->common, past->common_bias);
	advance(s, &s->own);
	if (s->place >= 0)
		advance_windows(s, &s->own, past->z + s->place * cells, past->bias + (size_t) s->place * past->plan.steps);
	for (int p = 0; p < s->N; p++)
	{
		float		common = v * chained(&s->common, p, common_level, common_state),
					own = chained(&s->own, p, own_level, own_state);

		out[p] = s->place >= 0 ? w * s->own.window[p] + c * common + v * o * own :
			c * (w * s->common.window[p] + common) + o * own;
	}
}

/* ------------------------------------------------------------------- order */

/* By one digit of the keys, stably. */
static void
sort_by_digit(const rnn_sampler *s, int shift, const int32_t *from, int32_t *to)
{
	int32_t		count[DIGIT + 1] = {0};

	for (int p = 0; p < s->N; p++)
		count[(s->key[p] >> shift) % DIGIT + 1]++;
	for (int d = 0; d < DIGIT; d++)
		count[d + 1] += count[d];
	for (int p = 0; p < s->N; p++)
		to[count[(s->key[from[p]] >> shift) % DIGIT]++] = from[p];
}

/* order[k] becomes the path with the k-th number. */
static void
sort_paths(rnn_sampler *s, const float *number)
{
	for (int p = 0; p < s->N; p++)
	{
		float		at = (number[p] / (float) KEY_RANGE + 0.5f) * KEYS;

		s->key[p] = (uint16_t) (at <= 0 ? 0 : at >= KEYS - 1 ? KEYS - 1 : at);
		s->order[p] = p;
	}
	sort_by_digit(s, 0, s->order, s->swap);
	sort_by_digit(s, 8, s->swap, s->order);
}

void
rnn_sampler_step(rnn_sampler *s, const rnn_config *cfg, const double *q, double *values)
{
	advance_numbers(s, s->fresh);
	sort_paths(s, s->fresh);
	s->step++;
	rnn_quantiles_in(cfg, q, s->places, s->N, s->sorted);
	for (int k = 0; k < s->N; k++)
		values[s->order[k]] = s->sorted[k];
}
