/*
 * layout.c
 *		Where everything lies in the trainer's block.
 *
 * With what is left of the memory for frames the windows are planned.  Where
 * not all of it fits, fewer windows are held out, and, if that doesn't help,
 * the network has room for fewer windows of a minibatch at once.  The same
 * block and the resolved options give the same layout, in another process too.
 */
#include "train/stages.h"

#define LEAST_WINDOWS 8			/* held-out windows to judge by */
#define LEAST_POINTS 500		/* known points to train on */
#define LEAST_HELD 128			/* windows held out before tiles get smaller */
#define PRIOR_BATCH 8			/* windows that the prior forecasts at once, */
#define PRIOR_MEMORY 16			/* fewer where that takes more than this part of the memory */

rnn_status
no_room(rnn_trainer *t, rnn_error *err)
{
	return rnn_fail(err, RNN_ERR_MEMORY, "training", (double) t->arena.size, 0, 0);
}

static void
decide_training(rnn_trainer *t)
{
	int			start = t->cfg.start;
	bool		enough;

	choose_held(t);
	enough = start == RNN_START_SCRATCH || start == RNN_START_TUNE || !t->cfg.skip ||
		(t->summary.points >= LEAST_POINTS && held_total(t) / held_overlap(t) >= LEAST_WINDOWS);
	/* A network needs two points that follow each other. */
	enough &= t->summary.longest >= 2;
	t->blends = t->cfg.skip;
	t->train = t->cfg.network && enough && !t->late && start != RNN_START_PRIOR;
	t->prior = t->cfg.network && t->cfg.skip && start != RNN_START_SCRATCH ? t->panel.prior : NULL;
	t->model.verdict = !t->cfg.network ? RNN_VERDICT_OFF : start == RNN_START_PRIOR ? RNN_VERDICT_PRIOR : !enough ? RNN_VERDICT_SHORT :
		t->late ? RNN_VERDICT_TIME : RNN_VERDICT_ASKED;
}

/* Everything that a network needs beside its frames. */
static void
lay_out_network(rnn_trainer *t, int tile)
{
	rnn_net_init(&t->net, &t->shape, t->cfg.bptt, tile, true, &t->arena);
	t->carried = t->cfg.bptt < t->cfg.context / t->cfg.patch ?
		arena_new(&t->arena, real, t->cfg.batch * rnn_net_state(&t->net)) : NULL;
	t->init_row = arena_new(&t->arena, double, t->shape.H);
	optimizer_init(&t->opt, t->shape.params, t->cfg.ema > 0, &t->arena);
	t->opt.fixed = candidate_shared(t);
	for (int i = 0; i < 2; i++)
		t->best[i].weights = arena_new(&t->arena, real, t->shape.params);
	for (int i = 0; i < t->cfg.members; i++)
		t->member_weights[i] = arena_new(&t->arena, real, t->shape.params);
	t->member_log = arena_new(&t->arena, MemberLog, t->cfg.members);
	for (int i = 0; t->member_log && i < t->cfg.members; i++)
		t->member_log[i].n = 0;
}

static void
lay_out_prior(rnn_trainer *t, int64_t longest)
{
	int			B = PRIOR_BATCH;
	rnn_arena	measure;

	for (;; B /= 2)
	{
		rnn_arena_init(&measure, NULL, 0);
		rnn_prior_net_init(&t->prior_net, t->prior, &t->cfg, longest, B, &measure);
		if (B == 1 || measure.used <= t->arena.size / PRIOR_MEMORY)
			break;
	}
	rnn_prior_net_init(&t->prior_net, t->prior, &t->cfg, longest, B, &t->arena);
}

static void
lay_out_held(rnn_trainer *t, int64_t W, int64_t longest)
{
	t->rows = arena_new(&t->arena, float, W * RNN_GRID);
	for (int i = 0; i < 2; i++)
		t->best[i].rows = arena_new(&t->arena, float, W * RNN_GRID);
	t->q = arena_new(&t->arena, real, (size_t) t->cfg.horizon * RNN_QUANTILES);
	t->q_mix = arena_new(&t->arena, real, (size_t) t->cfg.horizon * RNN_QUANTILES);
	t->W = (int) W;
	if (t->prior)
	{
		lay_out_prior(t, longest);
		t->said = arena_new(&t->arena, rnn_said, W);
		t->prior_q = arena_new(&t->arena, real, W * rnn_prior_steps(t->prior, t->cfg.horizon) * RNN_QUANTILES);
	}
	t->score_room = conformal_room(t);
	t->scores = arena_new(&t->arena, float, t->score_room * RNN_BANDS * RNN_MEDIAN);
}

/* Fewer than some windows' frames would train on next to nothing. */
static int64_t
few_frames(const rnn_trainer *t, int64_t longest)
{
	int64_t		windows = 8 * (int64_t) (t->cfg.context / t->cfg.patch),
				all = longest / t->cfg.patch;

	return windows < all ? windows : all;
}

/* Everything that depends on the held-out windows and the tile; false where it doesn't fit. */
static bool
lay_out_grain(rnn_trainer *t, int64_t grain, int tile, int64_t longest)
{
	int64_t		frames;

	t->grain = grain;
	decide_training(t);
	rnn_frame_plan_init(&t->plan, &t->shape, &t->cfg);
	for (int i = 0; t->train && i < t->panel.count; i++)
		rnn_points_covariates(&t->points[i], &t->panel.series[i], &t->plan, t->shape.blocks * RNN_BLOCK + 1, &t->arena);
	t->work = arena_new(&t->arena, double, rnn_frame_work(&t->plan, longest));
	if (t->train)
		lay_out_network(t, tile);
	lay_out_held(t, held_total(t), longest);
	if (t->arena.failed)
		return false;
	frames = (int64_t) ((t->arena.size - t->arena.used) * 0.8 /
						(t->plan.width * sizeof(real) + sizeof(rnn_scale) + sizeof(Run)));
	if (t->train && frames < few_frames(t, longest))
		return false;
	plan_windows(t, frames);
	return !t->arena.failed;
}

/*
 * Where patches of all phases have frames, held-out windows may end anywhere,
 * at the same points for each candidate, whatever its patch.
 */
static bool
try_layout(rnn_trainer *t, int tile, int64_t longest)
{
	rnn_arena	before = t->arena;

	if (!lay_out_grain(t, 1, tile, longest))
		return false;
	if (!t->train || t->phases == t->cfg.patch)
		return true;
	t->arena = before;
	return lay_out_grain(t, t->cfg.patch, tile, longest);
}

rnn_status
lay_out_training(rnn_trainer *t, rnn_error *err)
{
	int			tile;
	int64_t		longest = 0;
	rnn_arena	points;

	for (int i = 0; i < t->panel.count; i++)
	{
		rnn_points_init(&t->points[i], &t->panel.series[i], &t->arena);
		longest = t->points[i].n > longest ? t->points[i].n : longest;
	}
	if (t->arena.failed)
		return no_room(t, err);
	candidate_resolve(t);
	rnn_shape_init(&t->shape, &t->cfg);
	t->shape.stop = t->panel.stop;
	points = t->arena;
	for (tile = rnn_tile_windows(&t->shape, t->cfg.batch);; tile /= 2)
	{
		for (t->most_held = MOST_HELD; t->most_held >= LEAST_HELD; t->most_held /= 2)
		{
			t->arena = points;
			if (try_layout(t, tile, longest))
				return RNN_OK;
		}
		if (!t->train || tile == 1)
			return no_room(t, err);
	}
}
