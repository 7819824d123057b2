/*
 * train.c
 *		The trainer: a state machine that the caller drives in bounded steps.
 *
 *		seasons -> layout -> features -> train <-> validate -> judge
 *		-> compare -> calibrate -> train again on everything -> done
 *
 * Where there is too little to train or to judge with, the middle is left out
 * and the model is the mix, with calibrated intervals.
 */
#include "train/stages.h"

#include <math.h>
#include <string.h>

#define VALIDATIONS 30			/* in a whole training */
#define FEATURE_BUDGET 400000	/* points per step: some 20 ms */

static void
summarize(rnn_trainer *t)
{
	rnn_summary *d = &t->summary;

	d->series = t->panel.count;
	d->points = d->longest = d->ahead = 0;
	for (int i = 0; i < t->panel.count; i++)
	{
		const rnn_series *s = &t->panel.series[i];

		for (int64_t k = 0; k < s->n; k++)
			d->points += !isnan(s->x[k]);
		if (s->n > d->longest)
			d->longest = s->n;
		if (s->ahead > d->ahead)
			d->ahead = s->ahead;
	}
}

/* From here on all series are what gaps and transform make of them. */
static void
prepare_series(rnn_trainer *t)
{
	rnn_series *ready;

	t->given = t->panel.series;
	rnn_resolve_output(&t->cfg, t->given, t->panel.count, t->panel.n_hints > 0 ? t->panel.hints[0] : 0);
	if (!rnn_changes_series(&t->cfg))
		return;
	ready = arena_new(&t->arena, rnn_series, t->panel.count);
	for (int i = 0; ready && i < t->panel.count; i++)
		ready[i] = rnn_series_prepare(&t->cfg, &t->given[i], &t->arena);
	t->panel.series = ready;
}

rnn_status
rnn_trainer_init(rnn_trainer **out, void *block, size_t size, const rnn_config *cfg,
				 const rnn_panel *panel, const rnn_model *warm, rnn_error *err)
{
	rnn_arena	arena;
	rnn_trainer *t;

	RNN_TRY(rnn_config_check(cfg, err));
	rnn_arena_init(&arena, block, size);
	t = arena_new(&arena, rnn_trainer, 1);
	if (!t)
		return rnn_fail(err, RNN_ERR_MEMORY, "training", (double) sizeof(rnn_trainer), 0, 0);
	memset(t, 0, sizeof(*t));
	t->arena = arena;
	t->cfg = *cfg;
	t->cfg.covariates = panel->covariates;
	t->panel = *panel;
	t->warm = warm;
	t->log = arena_new(&t->arena, rnn_log_row, RNN_MAX_LOG);
	t->points = arena_new(&t->arena, rnn_points, panel->count);
	if (t->arena.failed)
		return rnn_fail(err, RNN_ERR_MEMORY, "training", (double) size, 0, 0);
	for (int i = 0; i < RNN_BANDS * RNN_MEDIAN; i++)
		t->model.calibration[i / RNN_MEDIAN][i % RNN_MEDIAN] = 1;
	t->model.mix_spread = t->spread[0] = t->spread[1] = 1;
	judge_begin(t);
	summarize(t);
	if (t->summary.points == 0)
		return rnn_fail(err, RNN_ERR_DATA, "there is no known value", 0, 0, 0);
	prepare_series(t);
	if (t->arena.failed)
		return rnn_fail(err, RNN_ERR_MEMORY, "training", (double) size, 0, 0);
	t->stage = STAGE_SEASONS;
	*out = t;
	return RNN_OK;
}

static rnn_status
begin_search(rnn_trainer *t, rnn_error *err)
{
	/* Nothing else is allocated before the search is over. */
	rnn_arena	scratch = t->arena;
	int			h = t->cfg.horizon > 0 ? t->cfg.horizon : 12;
	double	   *work = arena_new(&scratch, double, rnn_seasons_work(t->panel.series, t->panel.count, h));

	if (scratch.failed)
		return no_room(t, err);
	rnn_seasons_begin(&t->search, t->panel.series, t->panel.count, h, t->panel.hints,
					  t->panel.n_hints, t->cfg.kappa, work);
	t->searching = true;
	return RNN_OK;
}

/* Only with the seasons it is known what there is to choose from. */
static rnn_status
seasons_known(rnn_trainer *t, rnn_error *err)
{
	t->asked = t->cfg;
	RNN_TRY(candidates_choose(t, err));
	t->seasoned = t->arena;
	candidates_begin(t);
	t->stage = STAGE_LAYOUT;
	return RNN_OK;
}

rnn_status
find_seasons(rnn_trainer *t, rnn_error *err)
{
	if (t->cfg.seasons_given == 0)
	{
		t->cfg.seasons[0] = 1;
		t->cfg.seasons_given = 1;
	}
	if (t->cfg.seasons_given < 0)
	{
		if (!t->searching)
			RNN_TRY(begin_search(t, err));
		if (!t->hurry && !rnn_seasons_step(&t->search))
			return RNN_OK;
		t->cfg.seasons_given = rnn_seasons_end(&t->search, t->cfg.seasons);
		t->seasons_detected = true;
	}
	return seasons_known(t, err);
}

uint64_t
member_seed(const rnn_trainer *t)
{
	return (uint64_t) t->cfg.seed + (uint64_t) t->member * 0x9e3779b97f4a7c15u;
}

/* Members have patches and contexts of their own, so each may differ in size. */
const rnn_member *
warm_member(const rnn_trainer *t)
{
	const rnn_member *from = t->warm && t->warm->n_members > 0 ?
		&t->warm->member[t->member % t->warm->n_members] : NULL;

	return from && from->params == t->shape.params ? from : NULL;
}

void
start_network(rnn_trainer *t)
{
	uint64_t	seed = member_seed(t);
	const rnn_member *from = warm_member(t);
	rnn_rng		init;

	rnn_rng_seed(&init, seed, 0);
	rnn_rng_seed(&t->rng, seed, t->final ? 2 : 1);
	if (from)
		for (int64_t i = 0; i < t->shape.params; i++)
			t->opt.w[i] = (real) from->weights[i];
	else if (t->kind != RNN_KIND_SCRATCH)
		memcpy(t->opt.w, t->panel.prior->weights, sizeof(real) * t->shape.params);
	else
		rnn_params_init(&t->shape, &t->cfg, &init, t->opt.w, t->init_row);
	optimizer_start(&t->opt);
	t->started = true;
	t->step = 0;
	t->chunk = 0;
	t->loss_sum = t->norm_sum = 0;
	t->loss_count = 0;
}

static void
calibrate(rnn_trainer *t)
{
	conformal_begin(t);
	t->stage = STAGE_CALIBRATE;
}

/* The mix alone: only its intervals are left to calibrate. */
static rnn_status
begin_mix(rnn_trainer *t, rnn_error *err)
{
	if (!t->blends)
		return rnn_fail(err, RNN_ERR_DATA, "too few points to train a network without the mix",
						(double) t->summary.longest, 0, 0);
	if (t->train)
		t->model.verdict = t->late ? RNN_VERDICT_TIME : RNN_VERDICT_SHORT;
	t->train = false;
	t->model.weight = 0;
	calibrate(t);
	return RNN_OK;
}

/* The time is up, and no step of a network is made: the mix will do where there is one. */
static bool
too_late(rnn_trainer *t)
{
	if (t->hurry && t->train && t->blends && t->step == 0 && !t->final && !t->settled)
		t->late = true;
	return t->late;
}

static rnn_status
begin_features(rnn_trainer *t, rnn_error *err)
{
	rnn_status	status;

	t->late = t->hurry && t->cfg.network && t->cfg.skip && !t->settled;
	if (t->late && candidate_unjudged(t))
		return RNN_OK;
	status = lay_out_training(t, err);
	if (status == RNN_ERR_MEMORY && candidate_left_out(t))
		status = lay_out_training(t, err);
	RNN_TRY(status);
	t->stage = STAGE_FEATURES;
	return RNN_OK;
}

/* The mix alone looks at far fewer frames. */
static rnn_status
reduce_features(rnn_trainer *t, rnn_error *err)
{
	t->arena = t->bare;
	t->feature_run = t->feature_at = 0;
	return lay_out_training(t, err);
}

/* After the features: which way. */
static rnn_status
begin(rnn_trainer *t, rnn_error *err)
{
	if (!t->train)
		return begin_mix(t, err);
	t->steps = t->cfg.steps;
	if (!t->settled && (t->slots == 0 || t->W < 2))
	{
		/* Nothing can be held out: train as asked, or not at all. */
		t->final = true;
		t->W = 0;
		plan_slots(t);
		if (t->slots == 0 || (t->blends && t->cfg.start == RNN_START_AUTO))
			return begin_mix(t, err);
		t->model.weight = 1;
		t->stage = STAGE_SPLIT;
		return RNN_OK;
	}
	if (t->settled)
		candidate_restore(t);
	else
		start_network(t);
	t->stage = t->blends && t->W > 0 ? STAGE_SPREAD : STAGE_TRAIN;
	return RNN_OK;
}

/* T steps of B windows from `first` on, forward and backward; the state is kept for the next chunk. */
static double
train_tile(rnn_trainer *t, int T, int first, int B, int64_t *known)
{
	real	   *state = t->carried ? t->carried + first * rnn_net_state(&t->net) : NULL;
	double		loss;

	if (t->chunk == 0)
		rnn_net_reset(&t->net, B);
	else
		rnn_net_move_state(&t->net, B, state, false);
	load_chunk(t, t->chunk, T, first, B, true);
	loss = rnn_net_learn(&t->net, t->opt.w, T, B, t->cfg.dropout > 0 ? &t->rng : NULL, t->opt.fixed > 0,
						 known, t->opt.g);
	if (state)
	{
		rnn_net_carry(&t->net, T, B);
		rnn_net_move_state(&t->net, B, state, true);
	}
	return loss;
}

/* One chunk of all windows, tile by tile, then the update. */
static rnn_status
train_chunk(rnn_trainer *t, rnn_error *err)
{
	int			T = t->K - t->chunk < t->cfg.bptt ? t->K - t->chunk : t->cfg.bptt,
				B;
	int64_t		known = 0,
				of_tile;
	double		loss = 0;

	if (t->chunk == 0)
		draw_windows(t);
	optimizer_clear(&t->opt);
	rnn_net_pack(&t->net, t->opt.w);
	for (int first = 0; first < t->cfg.batch && !rnn_stopped(t->panel.stop); first += B)
	{
		B = t->cfg.batch - first < t->net.max_B ? t->cfg.batch - first : t->net.max_B;
		loss += train_tile(t, T, first, B, &of_tile);
		known += of_tile;
	}
	if (known > 0)
	{
		RNN_TRY(optimizer_update(&t->opt, &t->cfg, t->pace, t->steps, t->final, known, err));
		t->loss_sum += loss / known;
		t->norm_sum += t->opt.norm;
		t->loss_count++;
	}
	t->chunk = t->chunk + T == t->K ? 0 : t->chunk + T;
	t->step++;
	return RNN_OK;
}

static rnn_status
training_over(rnn_trainer *t, rnn_error *err)
{
	if (!t->final)
	{
		/* Steps that went well, and not one validation. */
		if (!is_judged(t))
			return rnn_fail(err, RNN_ERR_NUMERIC, "training diverged: the loss in validation", NAN, 0, 0);
		judge(t);
		candidate_judged(t);
		return RNN_OK;
	}
	add_log(t, NAN, NAN);
	keep_member(t, optimizer_weights(&t->opt), t->step, t->hurry && t->step < t->steps);
	t->member++;
	t->stage = STAGE_SPLIT;
	return RNN_OK;
}

/* What the model gets of what was judged. */
static rnn_status
compare(rnn_trainer *t, rnn_error *err)
{
	if (t->apart || t->lone || !candidate_chosen(t))
		return RNN_OK;
	if (!t->late)
	{
		calibrate(t);
		return RNN_OK;
	}
	t->stage = STAGE_FEATURES;
	return reduce_features(t, err);
}

/* The decay of the rate begins where it is known how many steps there are. */
static bool
must_wait(const rnn_trainer *t)
{
	return t->open &&
		(t->step + 1 >= t->steps || t->opt.updates + 1 >= (1 - t->cfg.decay) * t->steps);
}

static rnn_status
train_step(rnn_trainer *t, rnn_error *err)
{
	int			every = t->cfg.steps / VALIDATIONS > 1 ? t->cfg.steps / VALIDATIONS : 1;

	if (must_wait(t) && !t->hurry)
		return RNN_OK;
	/* What was found best by now is what the time was for. */
	if (t->hurry && !t->final && is_judged(t))
		return training_over(t, err);
	RNN_TRY(train_chunk(t, err));
	if (!t->final && (t->step % every == 0 || t->step >= t->steps || t->hurry))
	{
		validation_begin(t);
		t->stage = STAGE_VALIDATE;
	}
	else if (t->final && (t->step >= t->steps || t->hurry))
		return training_over(t, err);
	else if (t->final && t->step % every == 0)
		add_log(t, NAN, NAN);
	return RNN_OK;
}

static rnn_status
validate_step(rnn_trainer *t, rnn_error *err)
{
	if (t->hurry && is_judged(t))
		return training_over(t, err);
	if (!validation_step(t))
		return RNN_OK;
	validation_end(t);
	/* The chunks of the current windows were interrupted: draw new ones. */
	t->chunk = 0;
	t->stage = STAGE_TRAIN;
	if (t->step >= t->steps || t->hurry || t->stale >= t->cfg.patience)
		return training_over(t, err);
	return RNN_OK;
}

static void
calibrate_step(rnn_trainer *t)
{
	if (!conformal_step(t))
		return;
	if (!t->train || t->model.weight == 0)
		t->stage = STAGE_DONE;
	else
		begin_members(t);
}

static void
report(const rnn_trainer *t, rnn_progress *p)
{
	static const char *const names[] = {
		[STAGE_SEASONS] = "seasons",[STAGE_LAYOUT] = "layout",[STAGE_FEATURES] = "features",
		[STAGE_PRIOR] = "prior",[STAGE_SPREAD] = "validate",
		[STAGE_TRAIN] = "train",[STAGE_VALIDATE] = "validate",
		[STAGE_COMPARE] = "compare",[STAGE_CALIBRATE] = "calibrate",[STAGE_SPLIT] = "members",[STAGE_DONE] = "done"
	};

	p->done = t->stage == STAGE_DONE;
	p->ready = t->train && t->stage > STAGE_PRIOR && !p->done && !t->apart &&
		(t->settled || t->at == t->n_kinds - 1);
	p->apart = candidate_may_be_apart(t);
	p->lacks = t->stage == STAGE_COMPARE && t->apart;
	p->split = t->split && (t->stage == STAGE_SPLIT || p->lacks || (t->stage == STAGE_COMPARE && t->lone));
	p->waits = t->stage == STAGE_TRAIN && must_wait(t);
	p->phase = t->stage == STAGE_TRAIN && t->final ? "train on everything" : names[t->stage];
	p->member = t->member < t->cfg.members ? t->member + 1 : t->member;
	p->step = p->steps = 0;
	p->loss = NAN;
	if (t->stage != STAGE_TRAIN && t->stage != STAGE_VALIDATE)
		return;
	p->steps = t->steps;
	p->step = t->step < t->steps ? t->step : t->steps;
	if (t->loss_count)
		p->loss = t->loss_sum / t->loss_count;
}

static rnn_status
step(rnn_trainer *t, rnn_error *err)
{
	switch (t->stage)
	{
		case STAGE_SEASONS:
			RNN_TRY(find_seasons(t, err));
			break;
		case STAGE_LAYOUT:
			RNN_TRY(begin_features(t, err));
			break;
		case STAGE_FEATURES:
			if (t->train && too_late(t))
			{
				if (candidate_unjudged(t))
					break;
				RNN_TRY(reduce_features(t, err));
			}
			if (features_suffice(t))
				t->stage = STAGE_PRIOR;
			else
				compute_frames(t, FEATURE_BUDGET);
			break;
		case STAGE_PRIOR:
			if (prior_step(t))
				RNN_TRY(begin(t, err));
			break;
		case STAGE_SPREAD:
			if (spread_step(t))
				t->stage = STAGE_TRAIN;
			if (t->stage == STAGE_TRAIN && t->settled)
				calibrate(t);
			break;
		case STAGE_TRAIN:
			if (!too_late(t))
				RNN_TRY(train_step(t, err));
			else if (!candidate_unjudged(t))
				RNN_TRY(begin_mix(t, err));
			break;
		case STAGE_VALIDATE:
			RNN_TRY(validate_step(t, err));
			break;
		case STAGE_COMPARE:
			RNN_TRY(compare(t, err));
			break;
		case STAGE_CALIBRATE:
			calibrate_step(t);
			break;
		case STAGE_SPLIT:
			next_member(t);
			break;
		case STAGE_DONE:
			break;
	}
	return RNN_OK;
}

rnn_status
rnn_trainer_step(rnn_trainer *t, rnn_progress *progress, rnn_error *err)
{
	rnn_status	status = step(t, err);

	/* Whatever came of a step that ended early. */
	if (rnn_stopped(t->panel.stop))
		return rnn_fail(err, RNN_ERR_STOPPED, "training", 0, 0, 0);
	RNN_TRY(status);
	report(t, progress);
	return RNN_OK;
}

void
rnn_trainer_hurry(rnn_trainer *t)
{
	bool		over = t->stage == STAGE_DONE || (t->stage == STAGE_SPLIT && t->member == t->cfg.members);

	t->hurry = true;
	t->model.cut_short |= !over;
}

rnn_status
rnn_trainer_model(rnn_trainer *t, rnn_model *m, rnn_error *err)
{
	if (t->stage != STAGE_DONE)
		return rnn_fail(err, RNN_ERR_RANGE, "the training is not done", t->stage, STAGE_DONE, STAGE_DONE);
	*m = t->model;
	m->config = t->cfg;
	m->clock = t->panel.clock;
	m->windows = t->W;
	m->points = t->summary.points;
	m->n_seasons = t->cfg.seasons_given;
	memcpy(m->seasons, t->cfg.seasons, sizeof(m->seasons));
	m->seasons_detected = t->seasons_detected;
	m->prior = t->prior ? t->prior->version : 0;
	m->prior_net = t->prior;
	if (m->calibration_n == 0)
		m->coverage = NAN;
	if (t->late || m->verdict == RNN_VERDICT_ASKED || m->verdict == RNN_VERDICT_OFF ||
		m->verdict == RNN_VERDICT_SHORT || m->verdict == RNN_VERDICT_PRIOR)
		m->difference = m->std_error = m->mix_pinball = NAN;
	m->log = t->log;
	m->n_series = t->panel.count;
	m->series = t->given;
	return RNN_OK;
}
