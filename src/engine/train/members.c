/*
 * members.c
 *		The second training, of each member on everything, and how members are
 *		handed to other processes and taken back.
 */
#include "train/stages.h"
#include "base/half.h"

#include <math.h>
#include <string.h>

/* The version whose weights are shared: where the model to go on from had an earlier one, that. */
static int
prior_beneath(const rnn_trainer *t)
{
	const rnn_member *from = warm_member(t);

	if (t->kind == RNN_KIND_SCRATCH)
		return 0;
	return from ? from->prior : t->panel.prior->version;
}

void
keep_member(rnn_trainer *t, const real *weights, int steps, bool stopped)
{
	rnn_member *m = &t->model.member[t->member];
	real	   *w = t->member_weights[t->member];

	memcpy(w, weights, sizeof(real) * t->shape.params);
	*m = (rnn_member) {
		.seed = member_seed(t),
			.patch = t->cfg.patch,.context = t->K * t->cfg.patch,
			.steps = steps,.stopped = stopped,
			.prior = prior_beneath(t),
			.shared = candidate_shared(t),.params = t->shape.params,
	};
	/* As they will be stored. */
	if (m->prior > 0)
		for (int64_t i = m->shared; i < m->params; i++)
		{
			uint8_t		half[2];

			half_store(half, w[i]);
			w[i] = (real) half_load(half);
		}
}

/* Members that see less of the past err otherwise, and are trained faster. */
static int
member_steps(const rnn_trainer *t, int member)
{
	int			K = t->cfg.context / t->cfg.patch;

	return (K * (4 - member % 3) + 3) / 4;
}

/* The second training uses everything, for as long as the first one said. */
static void
start_member(rnn_trainer *t, int member)
{
	t->member = member;
	t->K = member_steps(t, member);
	plan_slots(t);
	start_network(t);
	t->stage = STAGE_TRAIN;
}

void
begin_members(rnn_trainer *t)
{
	t->final = true;
	plan_slots(t);
	t->member = 0;
	t->stage = STAGE_SPLIT;
}

/*
 * Where the time was up before the second training of any member was through,
 * what the first one found best is the model.
 */
static void
keep_judged(rnn_trainer *t)
{
	const Best *best = t->best[0].loss <= t->best[1].loss ? &t->best[0] : &t->best[1];

	t->member = 0;
	t->K = member_steps(t, 0);
	if (isfinite(best->loss))
		keep_member(t, best->weights, best->step, true);
	else
		keep_member(t, optimizer_weights(&t->opt), t->step, true);
}

/* Members that are through, in their order, and their logs. */
static void
finish_members(rnn_trainer *t)
{
	rnn_model  *m = &t->model;
	int			n = 0;
	bool		all = true;

	for (int i = 0; i < t->cfg.members; i++)
	{
		bool		trained = m->member[i].params > 0 && !m->member[i].stopped;

		all &= trained;
		for (int k = 0; k < t->member_log[i].n; k++)
			t->log[m->n_log++] = t->member_log[i].row[k];
		if (!trained)
			continue;
		m->member[n] = m->member[i];
#ifndef RNN_DOUBLE
		m->member[n].weights = t->member_weights[i];
#endif
		n++;
	}
	if (n == 0)
	{
		keep_judged(t);
#ifndef RNN_DOUBLE
		m->member[0].weights = t->member_weights[0];
#endif
		n = 1;
	}
	if (!all)
		m->member[0].stopped = m->cut_short = true;
	m->n_members = n;
	t->stage = STAGE_DONE;
}

/* One member after the other, unless the caller chooses. */
void
next_member(rnn_trainer *t)
{
	if (t->split)
		return;
	if (t->member == t->cfg.members || (t->hurry && (t->member > 0 || isfinite(t->best[0].loss))))
		finish_members(t);
	else
		start_member(t, t->member);
}

void
rnn_trainer_split(rnn_trainer *t)
{
	t->split = true;
}

void
rnn_trainer_member(rnn_trainer *t, int member)
{
	start_member(t, member);
}

/* Nothing that could be the model: no member's weights, and none that were judged. */
static bool
is_empty(const rnn_trainer *t)
{
	for (int i = 0; i < t->cfg.members; i++)
		if (t->model.member[i].params > 0)
			return false;
	return !t->started;
}

void
rnn_trainer_join(rnn_trainer *t)
{
	t->split = false;
	if (is_empty(t))
		start_member(t, 0);
	else
		finish_members(t);
}

int
rnn_trainer_members(const rnn_trainer *t, rnn_config *resolved, rnn_choice *choice)
{
	*resolved = t->cfg;
	*choice = (rnn_choice) {t->kind, t->at, t->n_kinds};
	return t->cfg.members;
}

size_t
rnn_trainer_used(const rnn_trainer *t)
{
	return t->arena.used;
}

void
rnn_trainer_features(rnn_trainer *t, rnn_part parts[RNN_FEATURE_PARTS])
{
	parts[0] = (rnn_part) {t->frames, sizeof(real) * t->F * t->plan.width};
	parts[1] = (rnn_part) {t->scales, sizeof(rnn_scale) * t->F};
}

void
rnn_trainer_result(rnn_trainer *t, int member, rnn_part parts[RNN_MEMBER_PARTS])
{
	parts[0] = (rnn_part) {&t->model.member[member], sizeof(rnn_member)};
	parts[1] = (rnn_part) {t->member_weights[member], sizeof(real) * t->shape.params};
	parts[2] = (rnn_part) {&t->member_log[member], sizeof(MemberLog)};
}

bool
rnn_trainer_state(rnn_trainer *t, rnn_part parts[RNN_STATE_PARTS])
{
	size_t		weights = sizeof(real) * t->shape.params;

	parts[0] = (rnn_part) {&t->opt, sizeof(Optimizer)};
	parts[1] = (rnn_part) {t->opt.w, weights};
	parts[2] = (rnn_part) {t->opt.m, weights};
	parts[3] = (rnn_part) {t->opt.v, weights};
	parts[4] = (rnn_part) {t->opt.ema, t->opt.ema ? weights : 0};
	parts[5] = (rnn_part) {&t->rng, sizeof(t->rng)};
	parts[6] = (rnn_part) {&t->member, sizeof(t->member)};
	parts[7] = (rnn_part) {&t->step, sizeof(t->step)};
	parts[8] = (rnn_part) {&t->loss_sum, sizeof(t->loss_sum)};
	parts[9] = (rnn_part) {&t->norm_sum, sizeof(t->norm_sum)};
	parts[10] = (rnn_part) {&t->loss_count, sizeof(t->loss_count)};
	return t->chunk == 0;
}

rnn_status
rnn_trainer_adopt(rnn_trainer *t, rnn_choice choice, rnn_error *err)
{
	candidate_take(t, choice);
	RNN_TRY(find_seasons(t, err));
	RNN_TRY(lay_out_training(t, err));
	if (!t->train)
		return rnn_fail(err, RNN_ERR_DATA, "there is no network to train", 0, 0, 0);
	t->split = true;
	begin_members(t);
	rnn_trainer_allow(t, 0, false);
	return RNN_OK;
}

int
rnn_trainer_steps(const rnn_trainer *t, bool *exact)
{
	*exact = t->final || t->settled || t->stage > STAGE_COMPARE;
	return *exact ? t->steps : steps_found(t);
}

void
rnn_trainer_allow(rnn_trainer *t, int steps, bool exact)
{
	t->steps = steps;
	t->open = !exact;
}
