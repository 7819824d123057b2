/*
 * window.c
 *		Which windows there are: runs of frames, held-out windows at the end of
 *		every series, and the draw of minibatches.
 *
 * A window is K frames one patch apart.  Frames are computed once and kept;
 * where all of them don't fit, blocks of consecutive frames are kept by a hash
 * of series and block, so that the choice depends on the rows alone.  The
 * latest block of each series, with the held-out windows, stays where there is
 * room for that.
 */
#include "train/stages.h"

#include <string.h>

#define PANEL_WINDOWS 6			/* held out of each series of a panel, apart */
#define SINGLE_WINDOWS 48		/* of each of a few series */
#define HELD_OVERLAP 3
#define FLIPPED 0.2				/* share of the windows, where any are */
#define FORGOTTEN 0.05			/* share of those whose words are unknown, so that there is one to learn from */

/* Which frames are kept. */
typedef struct Choice
{
	int			phases;			/* of the patches */
	uint64_t	share;			/* greatest hash of a block, UINT64_MAX: no blocks, all */
	bool		latest;			/* and the latest block whatever its hash */
} Choice;

/*
 * One long series has few windows that don't overlap: three in the place of
 * one tell more, though not three times as much.  They are whole grains apart,
 * so that no two become one.
 */
int64_t
held_spacing(const Study *s)
{
	int64_t		h = s->cfg.horizon,
				parts = s->panel.count >= PANEL || h < HELD_OVERLAP ? 1 : HELD_OVERLAP,
				apart = (h + parts - 1) / parts;

	return rnn_max(1, (apart + s->grain / 2) / s->grain) * s->grain;
}

/* As long as a window is, or as far as they are apart. */
static int64_t
held_unit(const Study *s)
{
	return rnn_max(s->cfg.horizon, held_spacing(s));
}

int
held_overlap(const Study *s)
{
	return s->panel.count >= PANEL ? 1 : (int) ((held_unit(s) + held_spacing(s) - 1) / held_spacing(s));
}

static uint64_t
hash_block(int series, int64_t block)
{
	rnn_rng		r;

	rnn_rng_seed(&r, (uint64_t) series, (uint64_t) block + 1);
	return rnn_rng_next(&r);
}

bool
series_is_odd(int series)
{
	return hash_block(series, -1) & 1;
}

/* Of one series, apart. */
static int64_t
most_windows(const Study *s)
{
	if (s->panel.count >= PANEL)
		return PANEL_WINDOWS;
	return rnn_min(SINGLE_WINDOWS, rnn_max(1, s->most_held / (held_overlap(s) * s->panel.count)));
}

/* Held-out windows of a series: the last part in time. */
static int
held_count(const Study *s, int series)
{
	int64_t		n = s->points[series].n,
				h = s->cfg.horizon,
				room = n - h - rnn_max(2 * s->cfg.seasons[0], RNN_LEAST_HISTORY),
				back = (rnn_min(room / h + 1, rnn_max(1, n / (4 * h))) - 1) * h;

	if (room < 0 || (s->held_share > 0 && hash_block(series, -2) > s->held_share))
		return 0;
	back = rnn_min(rnn_min((back + s->grain - 1) / s->grain * s->grain, room), (most_windows(s) - 1) * held_unit(s));
	return (int) (back / held_spacing(s) + 1);
}

/* Of a panel of very many series only some are judged by. */
void
choose_held(Study *s)
{
	int64_t		all;

	s->held_share = 0;
	all = held_total(s);
	if (s->panel.count >= PANEL && all > s->most_held)
		s->held_share = (uint64_t) ((double) s->most_held / all * 18446744073709549568.0);
}

int64_t
held_total(const Study *s)
{
	int64_t		W = 0;

	for (int i = 0; i < s->panel.count; i++)
		W += held_count(s, i);
	return W;
}

/* Patch end of held-out window i, 0 the latest. */
static int64_t
held_end(const Study *s, int64_t n, int i)
{
	return n - s->cfg.horizon - i * held_spacing(s);
}

/* First patch end with a loss: before it the references know nothing. */
static int64_t
first_loss(const Study *s, int64_t n)
{
	return rnn_max(1, rnn_min(rnn_max(8, s->cfg.seasons[0] + 2), n / 3));
}

static void
add_run(Study *s, bool measure, int series, int64_t e0, int64_t stride, int64_t count)
{
	if (!measure)
		s->runs[s->n_runs] = (Run) {
			series, {&s->points[series], e0, stride, (int) count, s->frames + s->F * s->plan.width, s->scales + s->F}
		};
	s->n_runs++;
	s->F += count;
}

static int64_t
block_frames(const Study *s)
{
	return 4 * (int64_t) (s->cfg.context / s->cfg.patch);
}

/* Runs of one phase of the patches of a series, as blocks counted from the end. */
static void
add_phase(Study *s, bool measure, int series, int64_t shift, const Choice *c)
{
	int64_t		P = s->cfg.patch,
				phase = (shift + P - s->cfg.horizon % P) % P,	/* 0: that of the held-out windows */
				last = s->points[series].n - P + phase, /* the latest end with a target */
				count = last >= 1 ? (last - 1) / P + 1 : 0,
				block = c->share == UINT64_MAX ? count : block_frames(s);

	for (int64_t b = 0; b * block < count; b++)
	{
		int64_t		size = rnn_min(block, count - b * block),
					end = last - b * block * P;

		if ((c->latest && b == 0) || hash_block(series, b) <= c->share)
			add_run(s, measure, series, end - (size - 1) * P, P, size);
	}
}

/* Without a network only the held-out positions are looked at. */
static void
add_held_only(Study *s, bool measure, int series)
{
	int64_t		n = s->points[series].n;
	int			v = held_count(s, series);

	if (v > 0)
		add_run(s, measure, series, held_end(s, n, v - 1), held_spacing(s), v);
}

static void
plan_runs(Study *s, bool measure, const Choice *c)
{
	s->n_runs = 0;
	s->F = 0;
	for (int i = 0; i < s->panel.count; i++)
	{
		if (s->points[i].n < 2)
			continue;
		if (!s->train)
			add_held_only(s, measure, i);
		else
			for (int p = 0; p < c->phases; p++)
				add_phase(s, measure, i, (int64_t) p * s->cfg.patch / c->phases, c);
	}
}

/* The run that holds patch end e, or -1 where it was not kept. */
static int
find_run(const Study *s, int from, int series, int64_t e)
{
	for (int r = from; r < s->n_runs && s->runs[r].series == series; r++)
	{
		const rnn_strip *run = &s->runs[r].strip;

		if (e >= run->e0 && e < run->e0 + run->count * run->stride && (e - run->e0) % run->stride == 0)
			return r;
	}
	return -1;
}

static void
plan_held(Study *s)
{
	int			from = 0;

	s->W = 0;
	for (int i = 0; i < s->panel.count; i++)
	{
		int64_t		n = s->points[i].n;
		int			v = held_count(s, i);

		s->cut[i] = n;
		while (from < s->n_runs && s->runs[from].series < i)
			from++;
		for (int k = 0; k < v; k++)
		{
			int64_t		e = held_end(s, n, k);
			int			r = e >= 1 ? find_run(s, from, i, e) : -1;

			if (r < 0)
				continue;
			s->cut[i] = rnn_min(s->cut[i], e);
			s->held[s->W++] = (Held) {
				.run = r,.last = (int) ((e - s->runs[r].strip.e0) / s->runs[r].strip.stride)
			};
		}
	}
	cluster_held(s);
}

/* Windows that a run offers: its last frame varies, a short run has one. */
static int64_t
slots_of(const Fit *fit, int run)
{
	return fit->trained[run] == 0 ? 0 : rnn_max(1, fit->trained[run] - fit->K + 1);
}

/* First point of a series that is not to be learned from. */
static int64_t
cut_of(const Fit *fit, int series)
{
	return fit->final ? fit->study->points[series].n : fit->study->cut[series];
}

void
plan_slots(Fit *fit)
{
	fit->slots = 0;
	for (int r = 0; r < fit->study->n_runs; r++)
	{
		const rnn_strip *run = &fit->study->runs[r].strip;
		int64_t		cut = cut_of(fit, fit->study->runs[r].series);

		fit->trained[r] = cut <= run->e0 ? 0 : (int) rnn_min(run->count, (cut - 1 - run->e0) / run->stride + 1);
		fit->slot_of_run[r] = fit->slots;
		fit->slots += slots_of(fit, r);
	}
	fit->slot_of_run[fit->study->n_runs] = fit->slots;
}

static void
allocate_runs(Study *s, rnn_arena *a)
{
	s->runs = arena_new(a, Run, s->n_runs);
	s->held = arena_new(a, Held, held_total(s));
	s->by_block = arena_new(a, int, held_total(s));
	s->cut = arena_new(a, int64_t, s->panel.count);
	s->frames = arena_new(a, real, s->F * s->plan.width);
	s->scales = arena_new(a, rnn_scale, s->F);
}

/* Blocks that are about nine tenths of max_frames. */
static void
choose_blocks(const Study *s, int64_t max_frames, Choice *c)
{
	double		latest = (double) s->panel.count * c->phases * block_frames(s);

	c->latest = latest <= max_frames / 2;
	if (!c->latest)
		latest = 0;
	c->share = (uint64_t) ((max_frames - latest) / (s->F - latest) * 0.9 * 18446744073709551615.0);
}

/* Lays out runs and held-out windows for about max_frames frames; fails by the arena. */
void
plan_windows(Study *s, int64_t max_frames, rnn_arena *a)
{
	Choice		c = {.phases = 1,.share = UINT64_MAX};
	int64_t		all;
	rnn_arena	before = *a;

	plan_runs(s, true, &c);
	if (s->train)
		c.phases = (int) rnn_max(1, rnn_min(s->cfg.patch, rnn_min(FRAMES_WANTED, max_frames) / rnn_max(s->F, 1)));
	plan_runs(s, true, &c);
	s->phases = c.phases;
	all = s->F;
	if (s->F > max_frames)
	{
		choose_blocks(s, max_frames, &c);
		plan_runs(s, true, &c);
	}
	allocate_runs(s, a);
	/* Of few blocks the hash may keep far more than that share. */
	while (a->failed && s->train && s->F > max_frames)
	{
		*a = before;
		c.share = c.share / 4 * 3;
		plan_runs(s, true, &c);
		allocate_runs(s, a);
	}
	if (a->failed)
		return;
	plan_runs(s, false, &c);
	s->windows_share = s->F < all ? (double) s->F / (double) all : 0;
	plan_held(s);
}

/* Computes frames until about `budget` points have been looked at. */
void
compute_frames(Study *s, int64_t budget)
{
	int			series = -1;

	while (budget > 0 && s->feature_run < s->n_runs && !rnn_stopped(s->panel.stop))
	{
		Run		   *run = &s->runs[s->feature_run];
		rnn_strip  *strip = &run->strip;
		real	   *frame = strip->frames + s->feature_at * s->plan.width;
		rnn_scale  *scale = &strip->scales[s->feature_at];
		int64_t		e = strip->e0 + s->feature_at * strip->stride;

		if (run->series != series)
			rnn_frame_begin(&s->plan, run->strip.points->n, s->work);
		series = run->series;
		rnn_frame_compute(&s->plan, strip->points, e, frame, scale, s->work);
		if (e >= s->cut[run->series])
			rnn_frame_add_mix(&s->plan, strip->points, e, frame, *scale, s->work);
		budget -= 1000 + rnn_min(e, s->plan.reach) + s->cfg.context + s->plan.width;
		if (++s->feature_at == strip->count)
		{
			s->feature_run++;
			s->feature_at = 0;
		}
	}
}

/*
 * Where the time is up, and no network has still to be trained on them, the
 * frames are there to calibrate by: those of some windows will do, and, where a
 * network was judged that needs all frames anew, none have to be waited for.
 */
bool
features_suffice(Study *s, bool hurry, bool judged)
{
	bool		all = s->feature_run >= s->n_runs;

	for (s->framed = 0; s->framed < s->W; s->framed++)
	{
		const Held *held = &s->held[s->framed];

		if (held->run > s->feature_run || (held->run == s->feature_run && held->last >= s->feature_at))
			break;
	}
	return all || (hurry && (judged || (!s->train && s->framed >= HURRIED_WINDOWS)));
}

static int
run_of_slot(const Fit *fit, int64_t slot)
{
	int			low = 0,
				high = fit->study->n_runs - 1;

	while (low < high)
	{
		int			mid = (low + high + 1) / 2;

		if (fit->slot_of_run[mid] <= slot)
			low = mid;
		else
			high = mid - 1;
	}
	return low;
}

int
draw_window(Fit *fit, rnn_window *window)
{
	int64_t		slot = (int64_t) rnn_rng_below(&fit->rng, fit->slots);
	int			r = run_of_slot(fit, slot);

	*window = (rnn_window) {
		.strip = &fit->study->runs[r].strip,.last = (int) (fit->trained[r] - 1 - (slot - fit->slot_of_run[r])),
		.flip = fit->study->cfg.flips == RNN_FLIPS_ON && rnn_rng_uniform(&fit->rng) < FLIPPED
	};
	return r;
}

void
draw_windows(Fit *fit)
{
	const Study *s = fit->study;
	Batch	   *batch = &fit->drawn;

	for (int b = 0; b < s->cfg.batch; b++)
	{
		batch->run[b] = draw_window(fit, &batch->window[b]);
		batch->window[b].forget = s->shape.words_past > 0 && rnn_rng_uniform(&fit->rng) < FORGOTTEN;
	}
}

void
load_target(Fit *fit, int64_t row, int r, int at, bool flip)
{
	const Study *s = fit->study;
	const rnn_strip *strip = &s->runs[r].strip;
	int64_t		e = strip->e0 + at * strip->stride;

	if (at < 0 || e < first_loss(s, strip->points->n))
		rnn_target_none(&fit->net, row);
	else
		rnn_target_load(&fit->net, row, strip->points, e, cut_of(fit, s->runs[r].series), &strip->scales[at], flip);
}

void
load_chunk(Fit *fit, int T, int first, int B, int at)
{
	rnn_windows_load(&fit->net, &fit->study->plan, fit->drawn.window + first, B, fit->K, fit->chunk, T, at, HEAD_EVERY);
	for (int i = at; i < T; i += HEAD_EVERY)
		for (int b = 0; b < B; b++)
		{
			const rnn_window *w = &fit->drawn.window[first + b];

			load_target(fit, (int64_t) i * B + b, fit->drawn.run[first + b], w->last - fit->K + 1 + fit->chunk + i, w->flip);
		}
}

int
held_batch(Fit *fit, int from, int of, int W)
{
	const Study *s = fit->study;
	int			most = s->train ? fit->net.max_B : s->cfg.batch,
				B = of - from < most ? of - from : most;

	for (int b = 0; b < B; b++)
	{
		const Held *held = &s->held[spread_window(from + b, of, W)];

		fit->held.window[b] = (rnn_window) {.strip = &s->runs[held->run].strip,.last = held->last};
	}
	return B;
}

/* What layers that never change say of held-out windows. */
static real *
held_states(const Fit *fit, int from)
{
	return fit->held_states + (int64_t) from * fit->study->shape.H;
}

/* The head alone, at rows 0 .. B. */
static void
forward_known(Fit *fit, const real *w, int from, int B)
{
	const rnn_shape *shape = &fit->study->shape;

	for (int b = 0; b < B; b++)
	{
		const rnn_window *window = &fit->held.window[b];

		rnn_head_load(&fit->net, b, window->strip->frames + window->last * fit->study->plan.width, false);
	}
	memcpy(fit->net.x[shape->L], held_states(fit, from), sizeof(real) * B * shape->H);
	fit->net.dropped = false;
	rnn_head_pack(&fit->net, w);
	rnn_head_forward(&fit->net, w, 0, B, NULL);
	fit->last_row = 0;
}

void
forward_last(Fit *fit, const real *w, int from, int B)
{
	const rnn_shape *shape = &fit->study->shape;

	if (fit->held_states && from + B <= fit->held_known)
	{
		forward_known(fit, w, from, B);
		return;
	}
	rnn_net_pack(&fit->net, w);
	fit->last_row = rnn_windows_forward(&fit->net, &fit->study->plan, w, fit->held.window, B, fit->K,
										fit->study->cfg.bptt);
	if (!fit->held_states || from != fit->held_known)
		return;
	memcpy(held_states(fit, from), fit->net.x[shape->L] + fit->last_row * shape->H, sizeof(real) * B * shape->H);
	fit->held_known += B;
}

/* ---------------------------------------------------------------- the prior */

/* Whether the frames of a network that goes on from the prior are the prior's own, and all of them are kept. */
static bool
prior_in_store(const Study *s)
{
	return s->train && s->windows_share == 0 && s->feature_run >= s->n_runs &&
		rnn_frame_plan_same(&s->plan, &s->prior_net.plan);
}

/*
 * The frames before some ends are the prior's own to compute, but their
 * references are those of the frames that were computed last.
 */
static void
share_references(Study *s)
{
	if (s->prior_at > 0 || s->n_runs == 0 || s->feature_run < s->n_runs || s->shape.R == 0)
		return;
	s->prior_net.own.own = (rnn_scratch) {s->work, &s->points[s->runs[s->n_runs - 1].series]};
}

/* A step's worth of held-out windows. */
bool
prior_step(Study *s, bool hurry)
{
	rnn_end		ends[16];
	rnn_window	windows[16];
	bool		stored = s->prior && prior_in_store(s);
	int			count = s->W - s->prior_at < 16 ? s->W - s->prior_at : 16;
	int64_t		size;

	if (!s->prior)
		return true;
	/* Where the time is up the mix stands for both. */
	for (; hurry && s->prior_at < s->W; s->prior_at++)
		s->said[s->prior_at].q = NULL;
	if (s->prior_at >= s->W)
		return true;
	size = (int64_t) rnn_prior_steps(s->prior, s->cfg.horizon) * RNN_QUANTILES;
	share_references(s);
	for (int k = 0; k < count; k++)
	{
		int			i = s->prior_at + k;
		const Run  *run = &s->runs[s->held[i].run];

		windows[k] = (rnn_window) {.strip = &run->strip,.last = s->held[i].last};
		ends[k] = (rnn_end) {&s->points[run->series], rnn_window_end(&windows[k])};
		s->said[i].q = rnn_prior_applies(s->prior, &ends[k]) ? s->prior_q + i * size : NULL;
	}
	rnn_prior_net_run(&s->prior_net, ends, stored ? windows : NULL, count, s->said + s->prior_at);
	s->prior_at += count;
	return s->prior_at >= s->W;
}
