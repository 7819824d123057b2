/*
 * layout.c
 *		Where everything that a job works on lies in the task's memory.
 *
 * With what is left of the memory for frames the windows are planned.  Where
 * not all of it fits, fewer windows are held out, and, if that doesn't help,
 * the network has room for fewer windows of a minibatch at once.  The same
 * block and the same plan give the same layout, in another process too.
 */
#include "train/stages.h"

#include <string.h>

#define LEAST_WINDOWS 8			/* held-out windows to judge by */
#define LEAST_HELD 128			/* windows held out before tiles get smaller */
#define PRIOR_MEMORY 16			/* the part of the memory that the prior may take beside a network */

static void
decide_training(Study *s, bool mix)
{
	int			start = s->cfg.start;
	bool		enough;

	choose_held(s);
	enough = start == RNN_START_SCRATCH || start == RNN_START_TUNE || !s->cfg.skip ||
		(s->summary.points >= LEAST_POINTS && held_total(s) / held_overlap(s) >= LEAST_WINDOWS);
	/* A network needs two points that follow each other. */
	enough &= s->summary.longest >= 2;
	s->blends = s->cfg.skip;
	s->train = s->cfg.network && enough && !mix && start != RNN_START_PRIOR;
	s->prior = s->cfg.network && s->cfg.skip && start != RNN_START_SCRATCH ? s->panel.prior : NULL;
	s->verdict = !s->cfg.network ? RNN_VERDICT_OFF : start == RNN_START_PRIOR ? RNN_VERDICT_PRIOR : !enough ? RNN_VERDICT_SHORT :
		mix ? RNN_VERDICT_TIME : RNN_VERDICT_ASKED;
}

/* Everything that a network needs beside its frames. */
static void
lay_out_network(Task *task, int tile, rnn_arena *a)
{
	const Study *s = &task->study;
	Fit		   *fit = &task->fit;

	rnn_net_init(&fit->net, &s->shape, s->cfg.bptt, tile, true, a);
	fit->carried = s->cfg.bptt < s->cfg.context / s->cfg.patch ?
		arena_new(a, real, s->cfg.batch * rnn_net_state(&fit->net)) : NULL;
	fit->init_row = arena_new(a, double, s->shape.H);
	optimizer_init(&fit->opt, s->shape.params, s->cfg.ema > 0, a);
	fit->opt.fixed = candidate_shared(s);
}

/* The head alone learns: what the layers say of a frame never changes. */
static bool
keeps_states(const Study *s)
{
	return s->train && candidate_shared(s) > 0 && s->cfg.bptt >= s->cfg.context / s->cfg.patch;
}

static int64_t
states_of_frame(const Study *s)
{
	return !keeps_states(s) ? 0 : (int64_t) s->shape.H * (s->cfg.flips == RNN_FLIPS_ON ? 2 : 1);
}

/* Room for what becomes of jobs: the weights that are judged are trained there. */
static void
lay_out_results(Task *task, rnn_arena *a)
{
	int64_t		params = task->study.train ? task->study.shape.params : 0;

	task->judgement = rnn_arena_alloc(a, judged_size(params), 1);
	task->trained = rnn_arena_alloc(a, trained_size(params), 1);
	for (int half = 0; task->judgement && half < 2; half++)
	{
		task->judgement->params = params;
		task->trial.best[half].weights = judged_weights(task->judgement, half);
	}
}

static void
lay_out_prior(Study *s, int64_t longest, rnn_arena *a)
{
	int			B = PRIOR_BATCH,
				part = s->train ? PRIOR_MEMORY : PRIOR_ALONE;
	rnn_arena	measure;

	for (;; B /= 2)
	{
		rnn_arena_init(&measure, NULL, 0);
		rnn_prior_net_init(&s->prior_net, s->prior, &s->cfg, longest, B, &measure);
		if (B == 1 || measure.used <= a->size / part)
			break;
	}
	rnn_prior_net_init(&s->prior_net, s->prior, &s->cfg, longest, B, a);
}

static void
lay_out_held(Task *task, int64_t W, int64_t longest, rnn_arena *a)
{
	Study	   *s = &task->study;
	Trial	   *trial = &task->trial;
	Calibration *c = &task->calibration;
	size_t		forecast = (size_t) s->cfg.horizon * RNN_QUANTILES;

	trial->rows = arena_new(a, float, W * RNN_GRID);
	trial->plain = arena_new(a, float, W * RNN_GRID);
	for (int i = 0; i < 2; i++)
	{
		trial->best[i].rows = arena_new(a, float, W * RNN_GRID);
		trial->best[i].plain = arena_new(a, float, W * RNN_GRID);
	}
	trial->q = c->q = arena_new(a, real, forecast);
	trial->q_mix = c->q_mix = arena_new(a, real, forecast);
	s->W = (int) W;
	if (s->prior)
	{
		lay_out_prior(s, longest, a);
		s->said = arena_new(a, rnn_said, W);
		s->prior_q = arena_new(a, real, W * rnn_prior_steps(s->prior, s->cfg.horizon) * RNN_QUANTILES);
	}
	c->score_room = conformal_room(s);
	c->scores = arena_new(a, float, c->score_room * RNN_BANDS * RNN_MEDIAN);
	c->score_pool = arena_new(a, float, c->score_room * RNN_BANDS);
}

/* Fewer than some windows' frames would train on next to nothing. */
static int64_t
few_frames(const Study *s, int64_t longest)
{
	int64_t		windows = 8 * (int64_t) (s->cfg.context / s->cfg.patch),
				all = longest / s->cfg.patch;

	return windows < all ? windows : all;
}

/* Everything that depends on the held-out windows and the tile; false where it doesn't fit. */
static bool
lay_out_grain(Task *task, int64_t grain, int tile, int64_t longest, rnn_arena *a)
{
	Study	   *s = &task->study;
	int64_t		frames;

	s->grain = grain;
	decide_training(s, task->mix);
	rnn_frame_plan_init(&s->plan, &s->shape, &s->cfg);
	for (int i = 0; s->train && i < s->panel.count; i++)
		rnn_points_covariates(&s->points[i], &s->panel.series[i], &s->plan, s->shape.blocks * RNN_BLOCK + 1, a);
	s->work = arena_new(a, double, rnn_frame_work(&s->plan, longest));
	if (s->train)
		lay_out_network(task, tile, a);
	lay_out_results(task, a);
	lay_out_held(task, held_total(s), longest, a);
	if (a->failed)
		return false;
	/* A fifth is for the runs, which are far fewer than frames where those are many. */
	frames = (int64_t) ((a->size - a->used) * 0.8 / ((s->plan.width + states_of_frame(s)) * sizeof(real) + sizeof(rnn_scale)));
	if (s->train && frames < few_frames(s, longest))
		return false;
	plan_windows(s, frames, a);
	task->fit.states = keeps_states(s) ? arena_new(a, real, s->F * states_of_frame(s)) : NULL;
	task->fit.held_states = keeps_states(s) ? arena_new(a, real, (int64_t) s->W * s->shape.H) : NULL;
	task->fit.slot_of_run = arena_new(a, int64_t, s->n_runs + 1);
	task->fit.trained = arena_new(a, int, s->n_runs);
	return !a->failed;
}

/*
 * Where patches of all phases have frames, held-out windows may end anywhere,
 * at the same points for each candidate, whatever its patch.
 */
static bool
try_layout(Task *task, int tile, int64_t longest, rnn_arena *a)
{
	const Study *s = &task->study;
	rnn_arena	before = *a;

	if (!lay_out_grain(task, 1, tile, longest, a))
		return false;
	if (!s->train || s->phases == s->cfg.patch)
		return true;
	*a = before;
	return lay_out_grain(task, s->cfg.patch, tile, longest, a);
}

/* What the study is of. */
static void
begin_study(Study *s, const Plan *plan, int candidate)
{
	memset(s, 0, sizeof(*s));
	s->panel = plan->panel;
	s->summary = plan->summary;
	s->warm = plan->warm;
	s->kind = plan->kinds[candidate];
	candidate_options(plan, s->kind, &s->cfg, &s->pace);
	rnn_shape_init(&s->shape, &s->cfg);
	s->shape.stop = s->panel.stop;
}

static int64_t
lay_out_points(Study *s, rnn_arena *a)
{
	int64_t		longest = 0;

	s->points = arena_new(a, rnn_points, s->panel.count);
	for (int i = 0; s->points && i < s->panel.count; i++)
	{
		rnn_points_init(&s->points[i], &s->panel.series[i], a);
		longest = rnn_max(longest, s->points[i].n);
	}
	return longest;
}

rnn_status
lay_out(Task *task, const Plan *plan, rnn_error *err)
{
	Study	   *s = &task->study;
	int64_t		longest;
	rnn_arena	all = task->arena,
				points;

	task->laid_out = false;
	memset(&task->fit, 0, sizeof(task->fit));
	begin_study(s, plan, task->candidate);
	task->fit.study = task->trial.study = task->calibration.study = s;
	task->trial.fit = task->calibration.fit = &task->fit;
	longest = lay_out_points(s, &all);
	if (all.failed)
		return no_room(plan->size, err);
	points = all;
	for (int tile = rnn_tile_windows(&s->shape, s->cfg.batch);; tile /= 2)
	{
		for (s->most_held = MOST_HELD; s->most_held >= LEAST_HELD; s->most_held /= 2)
		{
			all = points;
			if (!try_layout(task, tile, longest, &all))
				continue;
			task->laid_out = true;
			task->used = all.used;
			return RNN_OK;
		}
		if (!s->train || tile == 1)
			return no_room(plan->size, err);
	}
}
