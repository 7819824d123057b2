/*
 * candidate.c
 *		Which networks are trained and judged, one after the other or side by
 *		side in two processes, and which of them the model gets.
 *
 * There are two: the prior, trained further, and, in a panel or where there are
 * MANY_POINTS, one from nothing; where both are true that one alone.  Each is
 * laid out in all of the memory, trained, and judged against what is there
 * without it; then the one with the greater gain is laid out again if it isn't
 * the last, and trained on everything.  Only the weights that were judged are
 * kept meanwhile, in a place of their own.
 */
#include "train/stages.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#define MANY_POINTS 100000		/* or a panel: a network from nothing is tried too; both: it alone */
#define HEAD_RATE 0.5			/* of the learning rate, for weights that are good already */
#define TUNED_RATE 0.25
#define TUNED_STEPS 0.5			/* of the steps of a network from nothing */
#define LONG_WINDOW 16			/* steps: of such a quarter of the minibatch does */

/* Whether the options leave room for the prior, trained further. */
static bool
may_tune(const rnn_trainer *t)
{
	int			start = t->asked.start;

	return (start == RNN_START_AUTO || start == RNN_START_TUNE) && t->asked.network && t->asked.skip && t->panel.prior;
}

/* Weights to go on from say which kind of network it is. */
static bool
warm_kind(const rnn_trainer *t, rnn_kind *kind)
{
	const rnn_member *from = t->warm && t->warm->n_members > 0 ? &t->warm->member[0] : NULL;

	if (!from)
		return false;
	if (!t->asked.skip || !t->panel.prior || !rnn_prior_fits(from->prior, &t->asked))
		*kind = RNN_KIND_SCRATCH;
	else if (t->summary.points < FEW_POINTS && from->shared > 0)
		*kind = RNN_KIND_HEAD;
	else
		*kind = RNN_KIND_TUNED;
	return true;
}

rnn_status
candidates_choose(rnn_trainer *t, rnn_error *err)
{
	const rnn_config *given = &t->asked;
	bool		open = given->start == RNN_START_AUTO,
				panel = t->panel.count >= PANEL,
				many = t->summary.points >= MANY_POINTS;
	rnn_kind	kind;

	/* Those of a model to go on from, or of the leader, are given. */
	t->terms = given->terms ? given->terms : rnn_calendar_terms(given, &t->panel.calendar, &t->summary, t->arena.size);
	t->asked.terms = 0;
	if (t->n_kinds > 0)
		return RNN_OK;
	if (warm_kind(t, &kind))
		t->kinds[t->n_kinds++] = kind;
	else if (may_tune(t) && !(open && panel && many) && rnn_prior_allows(t->panel.prior, given))
		t->kinds[t->n_kinds++] = t->summary.points < FEW_POINTS ? RNN_KIND_HEAD : RNN_KIND_TUNED;
	else if (given->start == RNN_START_TUNE)
		return rnn_fail(err, RNN_ERR_CONFLICT, t->panel.prior ?
						"start can't be \"tune\" with another cell, layers, hidden, patch, norm, residual or conv_layers than the prior's" :
						"start can't be \"tune\" where there is no prior", 0, 0, 0);
	if (t->n_kinds == 0 || (open && !t->warm && (panel || many || (given->calendar > 0 && t->terms))))
		t->kinds[t->n_kinds++] = RNN_KIND_SCRATCH;
	return RNN_OK;
}

/* In a worker, too, so that everything lies in the same places. */
void
candidates_begin(rnn_trainer *t)
{
	t->bare = t->arena;
	for (int half = 0; half < 2 && t->n_kinds > 1; half++)
		t->kept.weights[half] = arena_new(&t->bare, real, t->panel.prior->params);
	t->arena = t->bare;
	candidate_options(t);
}

bool
candidate_left_out(rnn_trainer *t)
{
	if (t->cfg.start != RNN_START_AUTO || t->kind == RNN_KIND_SCRATCH || t->warm || t->settled)
		return false;
	/* Nothing was laid out behind what was kept for it. */
	t->arena = t->seasoned;
	t->kinds[0] = RNN_KIND_SCRATCH;
	t->n_kinds = 1;
	candidates_begin(t);
	return true;
}

/* Options of the current candidate from those given: its shape and how fast it learns. */
void
candidate_options(rnn_trainer *t)
{
	t->cfg = t->asked;
	t->kind = t->kinds[t->at];
	t->pace = 1;
	t->cfg.terms = t->kind == RNN_KIND_SCRATCH ? t->terms : 0;
	t->cfg.calendar = t->cfg.terms != 0;
	if (t->kind == RNN_KIND_SCRATCH)
		return;
	rnn_prior_shape(t->panel.prior, t->summary.longest, &t->cfg);
	t->pace = t->kind == RNN_KIND_HEAD ? HEAD_RATE : TUNED_RATE;
	if (t->cfg.members == 0 && t->kind == RNN_KIND_HEAD)
		t->cfg.members = 1;
}

/* What was left open. */
void
candidate_resolve(rnn_trainer *t)
{
	rnn_config	open = t->cfg;

	rnn_config_resolve(&t->cfg, &t->summary);
	if (t->kind == RNN_KIND_SCRATCH)
		return;
	if (open.steps == 0)
		t->cfg.steps = (int) (TUNED_STEPS * t->cfg.steps);
	if (open.batch == 0 && t->cfg.bptt >= LONG_WINDOW)
		t->cfg.batch = (t->cfg.batch + 3) / 4;
}

/* Of its weights those that are the prior's for good. */
int64_t
candidate_shared(const rnn_trainer *t)
{
	return t->kind == RNN_KIND_HEAD ? t->shape.head : 0;
}

/*
 * What is expected of it: its gain, as far as it is sure, as a part of the loss
 * without it.  Candidates that see more of the past have another scale, and so
 * losses in another unit.
 */
static double
gain(const rnn_candidate *c)
{
	return c->weight > 0 ? fmax(0, -c->difference * (1 - pow(c->std_error / c->difference, 2))) / c->mix_pinball : 0;
}

/* What is needed to go back to the current candidate. */
static void
keep(rnn_trainer *t)
{
	const rnn_model *m = &t->model;
	Kept	   *k = &t->kept;

	k->weight = m->weight;
	k->weight_short = m->weight_short;
	k->mix_spread = m->mix_spread;
	k->short_below = m->short_below;
	for (int half = 0; half < 2; half++)
	{
		k->loss[half] = t->best[half].loss;
		k->grid[half] = t->best[half].grid;
		k->step[half] = t->best[half].step;
		memcpy(k->weights[half], t->best[half].weights, sizeof(real) * t->shape.params);
	}
}

/* Notes how the current candidate was judged. */
static void
note(rnn_trainer *t)
{
	rnn_model  *m = &t->model;

	m->chosen = t->at;
	m->n_candidates = t->at + 1;
	m->candidate[t->at] = (rnn_candidate) {
		t->kind, m->verdict, t->W, t->steps, m->difference, m->std_error, m->mix_pinball, m->weight
	};
	if (t->at < t->n_kinds - 1 && m->weight > 0)
		keep(t);
}

/* Everything after the seasons begins again. */
static void
begin_again(rnn_trainer *t)
{
	rnn_model  *m = &t->model;

	t->arena = t->bare;
	t->final = t->started = false;
	t->feature_run = t->feature_at = t->prior_at = t->spread_at = 0;
	t->step = t->chunk = t->member = 0;
	memset(t->spread_loss, 0, sizeof(t->spread_loss));
	m->weight = m->weight_short = 0;
	m->short_below = 0;
	judge_begin(t);
	candidate_options(t);
	t->stage = STAGE_LAYOUT;
}

/* Whether the model's network is one that was judged before the last. */
static bool
earlier_is_better(const rnn_trainer *t)
{
	const rnn_candidate *c = t->model.candidate;

	return t->at > 0 && c[0].weight > 0 && (c[t->at].weight == 0 || gain(&c[0]) > gain(&c[t->at]));
}

void
candidate_judged(rnn_trainer *t)
{
	note(t);
	t->stage = STAGE_COMPARE;
}

bool
candidate_unjudged(rnn_trainer *t)
{
	rnn_model  *m = &t->model;

	if (t->settled || !(t->apart || t->lone || (t->at > 0 && m->candidate[0].weight > 0)))
		return false;
	m->verdict = RNN_VERDICT_TIME;
	m->weight = 0;
	m->difference = m->std_error = m->mix_pinball = NAN;
	candidate_judged(t);
	return true;
}

bool
candidate_chosen(rnn_trainer *t)
{
	if (t->cfg.start != RNN_START_AUTO || t->n_kinds == 1)
		return true;
	if (t->at < t->n_kinds - 1 && !t->hurry)
		t->at++;
	else if (earlier_is_better(t))
	{
		t->at = 0;
		t->settled = true;
	}
	else
		return true;
	begin_again(t);
	return false;
}

bool
candidate_may_be_apart(const rnn_trainer *t)
{
	return t->split && !t->hurry && !t->settled && !t->lone && t->cfg.start == RNN_START_AUTO &&
		t->at == 0 && t->n_kinds > 1 && t->stage == STAGE_FEATURES && t->feature_run == 0 &&
		t->feature_at == 0 && t->train && t->blends && t->slots > 0 && t->W >= 2;
}

void
rnn_trainer_apart(rnn_trainer *t)
{
	t->apart = true;
	t->at = t->n_kinds - 1;
	begin_again(t);
}

/* In a worker: what the leader chose. */
void
candidate_take(rnn_trainer *t, rnn_choice choice)
{
	t->n_kinds = choice.of;
	t->at = choice.at;
	t->kinds[t->at] = choice.kind;
}

rnn_status
rnn_trainer_lone(rnn_trainer *t, rnn_choice choice, rnn_error *err)
{
	candidate_take(t, choice);
	t->lone = t->split = true;
	return find_seasons(t, err);
}

void
rnn_trainer_judged(rnn_trainer *t, rnn_part parts[RNN_JUDGED_PARTS])
{
	size_t		weights = sizeof(real) * t->panel.prior->params;

	parts[0] = (rnn_part) {&t->model.candidate[0], sizeof(rnn_candidate)};
	parts[1] = (rnn_part) {&t->kept, offsetof(Kept, weights)};
	parts[2] = (rnn_part) {t->kept.weights[0], weights};
	parts[3] = (rnn_part) {t->kept.weights[1], weights};
	parts[4] = (rnn_part) {&t->kept_log, sizeof(MemberLog)};
	for (int i = 0; t->lone && i < t->model.n_log && i < MEMBER_LOG; i++)
	{
		t->kept_log.row[i] = t->log[i];
		t->kept_log.n = i + 1;
	}
}

void
rnn_trainer_compare(rnn_trainer *t)
{
	rnn_model  *m = &t->model;
	int			n = t->kept_log.n;

	/* As if the first one had been judged before. */
	memmove(t->log + n, t->log, sizeof(rnn_log_row) * m->n_log);
	memcpy(t->log, t->kept_log.row, sizeof(rnn_log_row) * n);
	m->n_log += n;
	t->apart = false;
}

void
candidate_restore(rnn_trainer *t)
{
	rnn_model  *m = &t->model;
	const rnn_candidate *c = &m->candidate[t->at];
	const Kept *k = &t->kept;

	m->chosen = t->at;
	m->verdict = c->verdict;
	m->difference = c->difference;
	m->std_error = c->std_error;
	m->mix_pinball = c->mix_pinball;
	m->weight = k->weight;
	m->weight_short = k->weight_short;
	m->mix_spread = k->mix_spread;
	m->short_below = k->short_below;
	t->steps = c->steps;
	for (int half = 0; half < 2; half++)
	{
		Best	   *best = &t->best[half];

		best->loss = k->loss[half];
		best->grid = k->grid[half];
		best->step = k->step[half];
		memcpy(best->weights, k->weights[half], sizeof(real) * t->shape.params);
	}
	t->started = true;
}
