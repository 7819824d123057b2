/*
 * job.c
 *		Does one job, stage by stage, in bounded steps.
 *
 *		trial:			layout -> features -> prior -> spread -> train <-> validate
 *		calibration:	layout -> features -> prior -> calibrate
 *		member:			layout -> features -> train
 *
 * What is there of the study already, from the job before, isn't computed again.
 * Where there is too little to train or to judge with, or no time, a trial
 * ends early, and the model is the mix.
 */
#include "train/stages.h"

#include <math.h>
#include <string.h>

#define FEATURE_BUDGET 400000	/* points per step: some 20 ms */

rnn_status
no_room(size_t size, rnn_error *err)
{
	return rnn_fail(err, RNN_ERR_MEMORY, "training", (double) size, 0, 0);
}

static void
end(Task *task, void *bytes, size_t len)
{
	task->result = (rnn_part) {bytes, len};
	task->stage = STAGE_DONE;
}

/* ---------------------------------------------------------------- searches */

static rnn_status
search_step(Task *task, const Plan *plan, rnn_error *err)
{
	rnn_found  *found;

	/* Nothing else is allocated before it is over. */
	if (!rnn_search_step(&task->search, task->arena, task->hurry))
		return no_room(plan->size, err);
	found = rnn_search_found(&task->search);
	if (found)
		end(task, found, sizeof(*found));
	return RNN_OK;
}

/* ---------------------------------------------------------------- the study */

/* A judgement without a network. */
static Judgement *
begin_judgement(Judgement *j, const Study *s, rnn_verdict verdict)
{
	memset(j, 0, sizeof(*j));
	j->mix_spread = 1;
	j->windows_share = s->windows_share;
	j->candidate = (rnn_candidate) {
		.kind = s->kind,.verdict = verdict,.difference = NAN,.std_error = NAN,.mix_pinball = NAN
	};
	return j;
}

static void
end_unjudged(Task *task, rnn_verdict verdict, bool mix)
{
	Judgement  *j = begin_judgement(&task->nothing, &task->study, verdict);

	j->mix = mix;
	j->hurried = verdict == RNN_VERDICT_TIME;
	end(task, j, judged_size(0));
}

/* The time is up, and no step of a network is made: the mix will do where there is one. */
static bool
too_late(const Task *task, const Plan *plan)
{
	return task->hurry && task->job.kind == RNN_JOB_TRIAL && task->fit.step == 0 &&
		plan->asked.network && plan->asked.skip && plan->asked.start != RNN_START_PRIOR;
}

static rnn_status
layout_step(Task *task, const Plan *plan, rnn_error *err)
{
	rnn_status	status = lay_out(task, plan, err);

	if (status == RNN_ERR_MEMORY && task->job.kind == RNN_JOB_TRIAL && candidate_may_be_left_out(plan, task->candidate))
	{
		end_unjudged(task, RNN_VERDICT_ASKED, false);
		task->nothing.left_out = true;
		return RNN_OK;
	}
	RNN_TRY(status);
	if (!task->study.train && !task->study.blends)
		return rnn_fail(err, RNN_ERR_DATA, "too few points to train a network without the mix",
						(double) plan->summary.longest, 0, 0);
	task->mix = !task->study.train;
	if (task->mix && task->job.kind == RNN_JOB_TRIAL)
		end_unjudged(task, task->study.verdict, true);
	else
		task->stage = STAGE_FEATURES;
	return RNN_OK;
}

/* ---------------------------------------------------------------- trials */

/* Nothing can be held out: train as asked, or not at all. */
static rnn_status
begin_unjudged(Task *task, const Plan *plan, rnn_error *err)
{
	const Study *s = &task->study;
	Fit		   *fit = &task->fit;

	fit->final = true;
	plan_slots(fit);
	if (fit->slots == 0 && !s->blends)
		return rnn_fail(err, RNN_ERR_DATA, "too few points to train a network without the mix",
						(double) plan->summary.longest, 0, 0);
	if (fit->slots == 0 || (s->blends && s->cfg.start == RNN_START_AUTO))
	{
		end_unjudged(task, RNN_VERDICT_SHORT, false);
		return RNN_OK;
	}
	end_unjudged(task, s->verdict, false);
	task->nothing.weight = 1;
	task->nothing.candidate.steps = fit->steps;
	return RNN_OK;
}

static rnn_status
begin_trial(Task *task, const Plan *plan, rnn_error *err)
{
	const Study *s = &task->study;
	Trial	   *t = &task->trial;

	fit_start(&task->fit, 0, false, s->cfg.steps);
	if (task->fit.slots == 0 || s->W < 2)
		return begin_unjudged(task, plan, err);
	t->judgement = begin_judgement(task->judgement, s, s->verdict);
	t->judgement->params = s->shape.params;
	task->fit.log = (Log) {
		t->judgement->log, &t->judgement->n_log, TRIAL_LOG,
		task->candidate < plan->n_kinds - 1 ? RNN_LOG_TUNING : RNN_LOG_VALIDATION
	};
	t->W = s->W;
	t->spread[0] = t->spread[1] = 1;
	t->spread_at = 0;
	memset(t->spread_loss, 0, sizeof(t->spread_loss));
	judge_begin(t);
	task->stage = s->blends ? STAGE_SPREAD : STAGE_TRAIN;
	return RNN_OK;
}

static rnn_status
judge_trial(Task *task)
{
	Trial	   *t = &task->trial;
	Judgement  *j = t->judgement;
	const Best *best = t->best;

	judge(t);
	j->judged = true;
	j->hurried = task->hurry;
	j->candidate.windows = t->W;
	j->candidate.weight = j->weight;
	for (int half = 0; half < 2; half++)
	{
		j->loss[half] = best[half].loss;
		j->grid[half] = best[half].grid;
		j->step[half] = best[half].step;
	}
	j->member = fit_member(&task->fit, best[best[0].loss <= best[1].loss ? 0 : 1].step, true);
	end(task, j, judged_size(j->params));
	return RNN_OK;
}

/* What was found best is tried on all held-out windows, and judged. */
static rnn_status
end_trial(Task *task, rnn_error *err)
{
	Trial	   *t = &task->trial;

	/* Steps that went well, and not one validation. */
	if (!is_judged(t))
		return rnn_fail(err, RNN_ERR_NUMERIC, "training diverged: the loss in validation", NAN, 0, 0);
	if (t->watched == t->W)
		return judge_trial(task);
	recheck_begin(t);
	task->stage = STAGE_JUDGE;
	return RNN_OK;
}

/* ---------------------------------------------------------------- training */

static void
end_member(Task *task)
{
	Fit		   *fit = &task->fit;
	MemberResult    *out = task->trained;

	fit_log(fit, NAN, NAN);
	/* Two kinds of networks have numbers of their own, the log those of the model. */
	for (int i = 0; i < out->log.n; i++)
		out->log.row[i].member = task->job.number;
	out->member = fit_member(fit, fit->before + fit->step, task->hurry && fit->step < fit->steps);
	member_weights(&out->member, optimizer_weights(&fit->opt), trained_weights(out));
	end(task, out, trained_size(out->member.params));
}

static int
validation_interval(const Study *s)
{
	int			validations = s->cfg.effort == RNN_EFFORT_QUICK ? QUICK_VALIDATIONS : VALIDATIONS;

	return (int) rnn_max(s->cfg.steps / validations, 1);
}

static rnn_status
member_step(Task *task, rnn_error *err)
{
	Fit		   *fit = &task->fit;

	/* Where the time was up before its frames were there it stays as it was judged. */
	if (task->study.feature_run < task->study.n_runs)
	{
		end_member(task);
		return RNN_OK;
	}
	RNN_TRY(fit_chunk(fit, err));
	if (fit->step >= fit->steps || task->hurry)
		end_member(task);
	else if (fit->step % validation_interval(&task->study) == 0)
		fit_log(fit, NAN, NAN);
	return RNN_OK;
}

static rnn_status
train_step(Task *task, rnn_error *err)
{
	Fit		   *fit = &task->fit;

	if (!fit_states(fit))
		return RNN_OK;
	if (task->job.kind == RNN_JOB_MEMBER)
		return member_step(task, err);
	/* What was found best by now is what the time was for. */
	if (task->hurry && is_judged(&task->trial))
		return end_trial(task, err);
	RNN_TRY(fit_chunk(fit, err));
	if (fit->step % validation_interval(&task->study) == 0 || fit->step >= fit->steps || task->hurry)
	{
		validation_begin(&task->trial);
		task->stage = STAGE_VALIDATE;
	}
	return RNN_OK;
}

static rnn_status
validate_step(Task *task, rnn_error *err)
{
	Fit		   *fit = &task->fit;
	Trial	   *t = &task->trial;

	if (task->hurry && is_judged(t))
		return end_trial(task, err);
	if (!validation_step(t))
		return RNN_OK;
	validation_end(t);
	task->stage = STAGE_TRAIN;
	if (fit->step >= fit->steps || task->hurry || t->stale >= task->study.cfg.patience)
		return end_trial(task, err);
	return RNN_OK;
}

/* ---------------------------------------------------------------- jobs */

static void
begin_calibration(Task *task, const Plan *plan)
{
	const Judgement *j = plan->judged[task->candidate];
	Calibration *c = &task->calibration;

	for (int half = 0; half < 2; half++)
		c->weights[half] = judged_weights(j, half);
	c->model = &plan->model;
	c->W = (int) (j->mix ? task->study.W : rnn_min(task->study.W, j->candidate.windows));
	c->factors = &task->factors;
	task->fit.K = task->study.cfg.context / task->study.cfg.patch;
	memset(c->factors, 0, sizeof(*c->factors));
	c->factors->coverage = NAN;
	conformal_begin(c);
	task->stage = STAGE_CALIBRATE;
}

static void
calibrate_step(Task *task)
{
	Calibration *c = &task->calibration;

	if (!conformal_step(c))
		return;
	c->factors->windows = c->W;
	c->factors->windows_share = task->study.windows_share;
	c->factors->hurried = task->hurry;
	end(task, c->factors, sizeof(*c->factors));
}

static void
begin_member(Task *task, const Plan *plan)
{
	const Judgement *j = plan->judged[task->candidate];
	int			number = plan_member(plan, &task->job);

	task->trained->log.n = 0;
	task->fit.log = (Log) {task->trained->log.row, &task->trained->log.n, MEMBER_LOG, RNN_LOG_FINAL};
	if (j->params > 0)
		fit_go_on(&task->fit, number, j);
	else
		fit_start(&task->fit, number, true, j->candidate.steps);
	task->stage = STAGE_TRAIN;
}

/* The study is there, as far as the job needs it. */
static rnn_status
study_known(Task *task, const Plan *plan, rnn_error *err)
{
	if (task->job.kind == RNN_JOB_TRIAL)
		return begin_trial(task, plan, err);
	if (task->job.kind == RNN_JOB_CALIBRATION)
		begin_calibration(task, plan);
	else
		begin_member(task, plan);
	return RNN_OK;
}

static rnn_status
features_step(Task *task, const Plan *plan, rnn_error *err)
{
	Study	   *s = &task->study;

	if (!features_suffice(s, task->hurry, task->job.kind != RNN_JOB_TRIAL))
		compute_frames(s, FEATURE_BUDGET);
	else if (task->job.kind == RNN_JOB_MEMBER)
		return study_known(task, plan, err);
	else
		task->stage = STAGE_PRIOR;
	return RNN_OK;
}

static rnn_status
step(Task *task, const Plan *plan, rnn_error *err)
{
	if (task->stage <= STAGE_TRAIN && too_late(task, plan))
	{
		end_unjudged(task, RNN_VERDICT_TIME, true);
		return RNN_OK;
	}
	switch (task->stage)
	{
		case STAGE_SEASONS:
			return search_step(task, plan, err);
		case STAGE_LAYOUT:
			return layout_step(task, plan, err);
		case STAGE_FEATURES:
			return features_step(task, plan, err);
		case STAGE_PRIOR:
			if (prior_step(&task->study, task->hurry))
				return study_known(task, plan, err);
			break;
		case STAGE_SPREAD:
			if (spread_step(&task->trial))
				task->stage = STAGE_TRAIN;
			break;
		case STAGE_TRAIN:
			return train_step(task, err);
		case STAGE_VALIDATE:
			return validate_step(task, err);
		case STAGE_JUDGE:
			return recheck_step(&task->trial) ? judge_trial(task) : RNN_OK;
		case STAGE_CALIBRATE:
			calibrate_step(task);
			break;
		case STAGE_DONE:
			break;
	}
	return RNN_OK;
}

static void
report(const Task *task, const Plan *plan, rnn_progress *p)
{
	static const char *const names[] = {
		[STAGE_SEASONS] = "seasons",[STAGE_LAYOUT] = "layout",[STAGE_FEATURES] = "features",
		[STAGE_PRIOR] = "prior",[STAGE_SPREAD] = "validate",
		[STAGE_TRAIN] = "train",[STAGE_VALIDATE] = "validate",[STAGE_JUDGE] = "validate",
		[STAGE_CALIBRATE] = "calibrate",[STAGE_DONE] = "done"
	};
	const Fit  *fit = &task->fit;
	bool		trains = task->stage == STAGE_TRAIN || task->stage == STAGE_VALIDATE || task->stage == STAGE_JUDGE;

	*p = (rnn_progress) {
		.done = task->stage == STAGE_DONE,.phase = names[task->stage],.member = 1,.loss = NAN
	};
	if (task->job.kind == RNN_JOB_MEMBER)
	{
		p->member = task->job.number + 1;
		p->phase = trains ? "train on everything" : "members";
	}
	if (plan->decided || (trains && task->candidate == plan->n_kinds - 1))
		p->members = plan->decided ? plan->first_members + plan->second_members : task->study.cfg.members;
	if (!trains)
		return;
	p->steps = fit->steps;
	p->step = (int) rnn_min(fit->step, fit->steps);
	p->loss = fit_loss(fit);
}

static bool
judged_before(const rnn_job *job)
{
	return job->kind == RNN_JOB_CALIBRATION || job->kind == RNN_JOB_MEMBER;
}

/* Whether what is laid out is what the job is about. */
static bool
is_at_hand(const rnn_trainer *t, const rnn_job *job)
{
	const Task *task = &t->task;
	const Plan *plan = &t->plan;

	if (!judged_before(job))
		return task->laid_out && task->candidate == job->number && !task->mix;
	return task->laid_out && task->candidate == plan_candidate(plan, job) &&
		task->mix == plan->judged[task->candidate]->mix;
}

void
rnn_job_begin(rnn_trainer *t, const rnn_job *job)
{
	Task	   *task = &t->task;
	Plan	   *plan = &t->plan;

	if (judged_before(job))
		plan_decide(plan);
	task->job = *job;
	task->hurry = task->trial.hurry = task->calibration.hurry = plan->hurry;
	task->result = (rnn_part) {NULL, 0};
	task->arena = t->arena;
	task->fit.step = 0;
	task->stage = job->kind == RNN_JOB_SEASONS ? STAGE_SEASONS : STAGE_FEATURES;
	if (job->kind == RNN_JOB_SEASONS)
		rnn_search_begin(&task->search, &plan->asked, &plan->summary, plan->panel.series, plan->panel.count,
						 plan->panel.hints, plan->panel.n_hints);
	if (job->kind == RNN_JOB_SEASONS || is_at_hand(t, job))
		return;
	task->candidate = judged_before(job) ? plan_candidate(plan, job) : job->number;
	task->mix = judged_before(job) && plan->judged[task->candidate]->mix;
	task->laid_out = false;
	task->stage = STAGE_LAYOUT;
}

rnn_status
rnn_job_step(rnn_trainer *t, rnn_progress *progress, rnn_error *err)
{
	rnn_status	status = step(&t->task, &t->plan, err);

	/* Whatever came of a step that ended early. */
	if (rnn_stopped(t->plan.panel.stop))
		return rnn_fail(err, RNN_ERR_STOPPED, "training", 0, 0, 0);
	RNN_TRY(status);
	report(&t->task, &t->plan, progress);
	return RNN_OK;
}

rnn_part
rnn_job_result(rnn_trainer *t)
{
	return t->task.result;
}

/* ---------------------------------------------------------------- handing a study over */

bool
rnn_study_shared(const rnn_trainer *t, const rnn_job *job)
{
	return judged_before(job) && plan_candidate(&t->plan, job) == t->plan.chosen;
}

bool
rnn_study_known(const rnn_trainer *t, const rnn_job *job)
{
	const Study *s = &t->task.study;

	return rnn_study_shared(t, job) && is_at_hand(t, job) && s->feature_run >= s->n_runs &&
		(!s->prior || s->prior_at >= s->W);
}

rnn_status
rnn_study_parts(rnn_trainer *t, rnn_part parts[RNN_STUDY_PARTS], rnn_error *err)
{
	Study	   *s = &t->task.study;
	int64_t		W = s->prior ? s->W : 0;

	if (t->task.stage == STAGE_LAYOUT)
	{
		RNN_TRY(layout_step(&t->task, &t->plan, err));
		W = s->prior ? s->W : 0;
	}
	parts[0] = (rnn_part) {s->frames, sizeof(real) * s->F * s->plan.width};
	parts[1] = (rnn_part) {s->scales, sizeof(rnn_scale) * s->F};
	parts[2] = (rnn_part) {s->said, sizeof(rnn_said) * W};
	parts[3] = (rnn_part) {s->prior_q, W ? sizeof(real) * W * rnn_prior_steps(s->prior, s->cfg.horizon) * RNN_QUANTILES : 0};
	return RNN_OK;
}

void
rnn_study_filled(rnn_trainer *t)
{
	Study	   *s = &t->task.study;

	s->feature_run = s->n_runs;
	s->feature_at = 0;
	s->prior_at = s->W;
	/* Pointers are those of another process. */
	for (int64_t i = 0; s->prior && i < s->W; i++)
		if (s->said[i].q)
			s->said[i].q = s->prior_q + i * rnn_prior_steps(s->prior, s->cfg.horizon) * RNN_QUANTILES;
}
