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
held_spacing(const rnn_trainer *t)
{
	int64_t		h = t->cfg.horizon,
				parts = t->panel.count >= PANEL || h < HELD_OVERLAP ? 1 : HELD_OVERLAP,
				apart = (h + parts - 1) / parts;

	return rnn_max(1, (apart + t->grain / 2) / t->grain) * t->grain;
}

/* As long as a window is, or as far as they are apart. */
static int64_t
held_unit(const rnn_trainer *t)
{
	return rnn_max(t->cfg.horizon, held_spacing(t));
}

int
held_overlap(const rnn_trainer *t)
{
	return t->panel.count >= PANEL ? 1 : (int) ((held_unit(t) + held_spacing(t) - 1) / held_spacing(t));
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
most_windows(const rnn_trainer *t)
{
	if (t->panel.count >= PANEL)
		return PANEL_WINDOWS;
	return rnn_min(SINGLE_WINDOWS, rnn_max(1, t->most_held / (held_overlap(t) * t->panel.count)));
}

/* Held-out windows of a series: the last part in time. */
static int
held_count(const rnn_trainer *t, int series)
{
	int64_t		n = t->points[series].n,
				h = t->cfg.horizon,
				room = n - h - rnn_max(2 * t->cfg.seasons[0], RNN_LEAST_HISTORY),
				back = (rnn_min(room / h + 1, rnn_max(1, n / (4 * h))) - 1) * h;

	if (room < 0 || (t->held_share > 0 && hash_block(series, -2) > t->held_share))
		return 0;
	back = rnn_min(rnn_min((back + t->grain - 1) / t->grain * t->grain, room), (most_windows(t) - 1) * held_unit(t));
	return (int) (back / held_spacing(t) + 1);
}

/* Of a panel of very many series only some are judged by. */
void
choose_held(rnn_trainer *t)
{
	int64_t		all;

	t->held_share = 0;
	all = held_total(t);
	if (t->panel.count >= PANEL && all > t->most_held)
		t->held_share = (uint64_t) ((double) t->most_held / all * 18446744073709549568.0);
}

int64_t
held_total(const rnn_trainer *t)
{
	int64_t		W = 0;

	for (int i = 0; i < t->panel.count; i++)
		W += held_count(t, i);
	return W;
}

/* Patch end of held-out window i, 0 the latest. */
static int64_t
held_end(const rnn_trainer *t, int64_t n, int i)
{
	return n - t->cfg.horizon - i * held_spacing(t);
}

/* First patch end with a loss: before it the references know nothing. */
static int64_t
first_loss(const rnn_trainer *t, int64_t n)
{
	return rnn_max(1, rnn_min(rnn_max(8, t->cfg.seasons[0] + 2), n / 3));
}

static void
add_run(rnn_trainer *t, bool measure, int series, int64_t e0, int64_t stride, int64_t count)
{
	if (!measure)
		t->runs[t->n_runs] = (Run) {series, (int) count, 0, e0, stride, t->F};
	t->n_runs++;
	t->F += count;
}

static int64_t
block_frames(const rnn_trainer *t)
{
	return 4 * (int64_t) t->K;
}

/* Runs of one phase of the patches of a series, as blocks counted from the end. */
static void
add_phase(rnn_trainer *t, bool measure, int series, int64_t shift, const Choice *c)
{
	int64_t		P = t->cfg.patch,
				phase = (shift + P - t->cfg.horizon % P) % P,	/* 0: that of the held-out windows */
				last = t->points[series].n - P + phase, /* the latest end with a target */
				count = last >= 1 ? (last - 1) / P + 1 : 0,
				block = c->share == UINT64_MAX ? count : block_frames(t);

	for (int64_t b = 0; b * block < count; b++)
	{
		int64_t		size = rnn_min(block, count - b * block),
					end = last - b * block * P;

		if ((c->latest && b == 0) || hash_block(series, b) <= c->share)
			add_run(t, measure, series, end - (size - 1) * P, P, size);
	}
}

/* Without a network only the held-out positions are looked at. */
static void
add_held_only(rnn_trainer *t, bool measure, int series)
{
	int64_t		n = t->points[series].n;
	int			v = held_count(t, series);

	if (v > 0)
		add_run(t, measure, series, held_end(t, n, v - 1), held_spacing(t), v);
}

static void
plan_runs(rnn_trainer *t, bool measure, const Choice *c)
{
	t->n_runs = 0;
	t->F = 0;
	for (int i = 0; i < t->panel.count; i++)
	{
		if (t->points[i].n < 2)
			continue;
		if (!t->train)
			add_held_only(t, measure, i);
		else
			for (int p = 0; p < c->phases; p++)
				add_phase(t, measure, i, (int64_t) p * t->cfg.patch / c->phases, c);
	}
}

/* The run that holds patch end e, or -1 where it was not kept. */
static int
find_run(const rnn_trainer *t, int from, int series, int64_t e)
{
	for (int r = from; r < t->n_runs && t->runs[r].series == series; r++)
	{
		const Run  *run = &t->runs[r];

		if (e >= run->e0 && e < run->e0 + run->count * run->stride && (e - run->e0) % run->stride == 0)
			return r;
	}
	return -1;
}

static void
plan_held(rnn_trainer *t)
{
	int			from = 0;

	t->W = 0;
	for (int s = 0; s < t->panel.count; s++)
	{
		int64_t		n = t->points[s].n;
		int			v = held_count(t, s);

		t->cut[s] = n;
		while (from < t->n_runs && t->runs[from].series < s)
			from++;
		for (int i = 0; i < v; i++)
		{
			int64_t		e = held_end(t, n, i);
			int			r = e >= 1 ? find_run(t, from, s, e) : -1;

			if (r < 0)
				continue;
			t->cut[s] = rnn_min(t->cut[s], e);
			t->held[t->W++] = (Held) {
				.run = r,.last = (int) ((e - t->runs[r].e0) / t->runs[r].stride)
			};
		}
	}
	cluster_held(t);
}

/* Windows that a run offers: its last frame varies, a short run has one. */
static int64_t
slots_of(const rnn_trainer *t, const Run *run)
{
	return run->trained == 0 ? 0 : rnn_max(1, run->trained - t->K + 1);
}

void
plan_slots(rnn_trainer *t)
{
	t->slots = 0;
	for (int r = 0; r < t->n_runs; r++)
	{
		Run		   *run = &t->runs[r];
		int64_t		cut = t->final ? t->points[run->series].n : t->cut[run->series];

		run->trained = cut <= run->e0 ? 0 : (int) rnn_min(run->count, (cut - 1 - run->e0) / run->stride + 1);
		t->slot_of_run[r] = t->slots;
		t->slots += slots_of(t, run);
	}
	t->slot_of_run[t->n_runs] = t->slots;
}

static void
allocate_runs(rnn_trainer *t)
{
	t->runs = arena_new(&t->arena, Run, t->n_runs);
	t->slot_of_run = arena_new(&t->arena, int64_t, t->n_runs + 1);
	t->held = arena_new(&t->arena, Held, held_total(t));
	t->by_block = arena_new(&t->arena, int, held_total(t));
	t->cut = arena_new(&t->arena, int64_t, t->panel.count);
	t->frames = arena_new(&t->arena, real, t->F * t->plan.width);
	t->scales = arena_new(&t->arena, rnn_scale, t->F);
}

/* Blocks that are about nine tenths of max_frames. */
static void
choose_blocks(const rnn_trainer *t, int64_t max_frames, Choice *c)
{
	double		latest = (double) t->panel.count * c->phases * block_frames(t);

	c->latest = latest <= max_frames / 2;
	if (!c->latest)
		latest = 0;
	c->share = (uint64_t) ((max_frames - latest) / (t->F - latest) * 0.9 * 18446744073709551615.0);
}

/* Lays out runs and held-out windows for about max_frames frames; fails by the arena. */
void
plan_windows(rnn_trainer *t, int64_t max_frames)
{
	Choice		c = {.phases = 1,.share = UINT64_MAX};
	int64_t		all;
	rnn_arena	before = t->arena;

	t->K = t->cfg.context / t->cfg.patch;
	plan_runs(t, true, &c);
	if (t->train)
		c.phases = (int) rnn_max(1, rnn_min(t->cfg.patch, rnn_min(FRAMES_WANTED, max_frames) / rnn_max(t->F, 1)));
	plan_runs(t, true, &c);
	t->phases = c.phases;
	all = t->F;
	if (t->F > max_frames)
	{
		choose_blocks(t, max_frames, &c);
		plan_runs(t, true, &c);
	}
	allocate_runs(t);
	/* Of few blocks the hash may keep far more than that share. */
	while (t->arena.failed && t->train && t->F > max_frames)
	{
		t->arena = before;
		c.share = c.share / 4 * 3;
		plan_runs(t, true, &c);
		allocate_runs(t);
	}
	if (t->arena.failed)
		return;
	plan_runs(t, false, &c);
	t->model.windows_share = t->F < all ? (double) t->F / (double) all : 0;
	plan_held(t);
	plan_slots(t);
}

/* Computes frames until about `budget` points have been looked at. */
void
compute_frames(rnn_trainer *t, int64_t budget)
{
	int			series = -1;

	while (budget > 0 && t->feature_run < t->n_runs)
	{
		Run		   *run = &t->runs[t->feature_run];
		int64_t		f = run->first + t->feature_at;
		int64_t		e = run->e0 + t->feature_at * run->stride;

		if (run->series != series)
			rnn_frame_begin(&t->plan, t->points[run->series].n, t->work);
		series = run->series;
		rnn_frame_compute(&t->plan, &t->points[run->series], e,
						  t->frames + f * t->plan.width, &t->scales[f], t->work);
		budget -= 1000 + rnn_min(e, t->plan.reach) + t->cfg.context + t->plan.width;
		if (++t->feature_at == run->count)
		{
			t->feature_run++;
			t->feature_at = 0;
		}
	}
}

/*
 * Where the time is up, and no network has still to be trained on them, the
 * frames are there to calibrate by: those of some windows will do, and, where a
 * network was judged that needs all frames anew, none have to be waited for.
 */
bool
features_suffice(rnn_trainer *t)
{
	bool		all = t->feature_run >= t->n_runs;

	for (t->framed = 0; t->framed < t->W; t->framed++)
	{
		const Held *held = &t->held[t->framed];

		if (held->run > t->feature_run || (held->run == t->feature_run && held->last >= t->feature_at))
			break;
	}
	return all || (t->hurry && (t->settled || (!t->train && t->framed >= HURRIED_WINDOWS)));
}

static int
run_of_slot(const rnn_trainer *t, int64_t slot)
{
	int			low = 0,
				high = t->n_runs - 1;

	while (low < high)
	{
		int			mid = (low + high + 1) / 2;

		if (t->slot_of_run[mid] <= slot)
			low = mid;
		else
			high = mid - 1;
	}
	return low;
}

void
draw_windows(rnn_trainer *t)
{
	for (int b = 0; b < t->cfg.batch; b++)
	{
		int64_t		slot = (int64_t) rnn_rng_below(&t->rng, t->slots);
		int			r = run_of_slot(t, slot);

		t->windows[b][0] = r;
		t->windows[b][1] = (int) (t->runs[r].trained - 1 - (slot - t->slot_of_run[r]));
		t->flips[b] = t->cfg.flips == RNN_FLIPS_ON && rnn_rng_uniform(&t->rng) < FLIPPED;
		t->forgets[b] = t->shape.words_past > 0 && rnn_rng_uniform(&t->rng) < FORGOTTEN;
	}
}

/* Loads steps from .. from + T of B windows in t->windows. */
void
load_chunk(rnn_trainer *t, int from, int T, int first, int B, bool targets)
{
	for (int i = 0; i < T; i++)
		for (int b = 0; b < B; b++)
		{
			const int  *window = t->windows[first + b];
			const Run  *run = &t->runs[window[0]];
			const rnn_points *pts = &t->points[run->series];
			int			at = window[1] - t->K + 1 + from + i;
			int64_t		row = (int64_t) i * B + b,
						f = run->first + at,
						e = run->e0 + at * run->stride,
						cut = t->final ? pts->n : t->cut[run->series];

			rnn_frame_load(&t->net, row, at < 0 ? NULL : t->frames + f * t->plan.width, t->flips[first + b]);
			rnn_covariates_load(&t->net, row, &t->plan, at < 0 ? NULL : pts, e, targets || from + i == t->K - 1,
								t->forgets[first + b]);
			if (!targets)
				continue;
			if (at < 0 || e < first_loss(t, pts->n))
				rnn_target_none(&t->net, row);
			else
				rnn_target_load(&t->net, row, pts, e, cut, &t->scales[f], t->flips[first + b]);
		}
}

void
forward_last(rnn_trainer *t, const real *w, int B)
{
	memset(t->flips, 0, sizeof(t->flips));
	memset(t->forgets, 0, sizeof(t->forgets));
	rnn_net_pack(&t->net, w);
	rnn_net_reset(&t->net, B);
	for (int from = 0; from < t->K; from += t->cfg.bptt)
	{
		int			T = (int) rnn_min(t->cfg.bptt, t->K - from);
		bool		last = from + T == t->K;

		load_chunk(t, from, T, 0, B, false);
		rnn_net_forward(&t->net, w, T, B, last ? T - 1 : T, NULL);
		t->last_row = (int64_t) (T - 1) * B;
		if (!last)
			rnn_net_carry(&t->net, T, B);
	}
}
