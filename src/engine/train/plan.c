/*
 * plan.c
 *		Which jobs there are, and what follows from what became of them.
 *
 *		seasons -> a trial of each candidate -> contest -> calibration and members
 *
 * Everything is decided in the order of the jobs' numbers, so that it doesn't
 * matter which was done first.
 */
#include "train/stages.h"

#include <math.h>
#include <string.h>

static size_t
rounded(size_t size)
{
	return (size + 63) / 64 * 64;
}

size_t
judged_size(int64_t params)
{
	return params ? rounded(sizeof(Judgement)) + 2 * sizeof(real) * params : sizeof(Judgement);
}

real *
judged_weights(const Judgement *j, int half)
{
	return j->params ? (real *) ((char *) j + rounded(sizeof(Judgement))) + half * j->params : NULL;
}

size_t
trained_size(int64_t params)
{
	return rounded(sizeof(MemberResult)) + sizeof(real) * params;
}

real *
trained_weights(const MemberResult *t)
{
	return (real *) ((char *) t + rounded(sizeof(MemberResult)));
}

/* ---------------------------------------------------------------- candidates */

/* Room for what becomes of a candidate's trial, and bytes of one of its members. */
static size_t
make_candidate_room(rnn_trainer *t, int candidate, rnn_kind kind, int *members)
{
	rnn_config	cfg;
	rnn_shape	shape;
	double		pace;
	bool		trains;

	candidate_options(&t->plan, kind, &cfg, &pace);
	rnn_shape_init(&shape, &cfg);
	trains = cfg.network && cfg.start != RNN_START_PRIOR;
	t->plan.judged_room[candidate] = rnn_arena_alloc(&t->arena, judged_size(trains ? shape.params : 0), 1);
	*members = (int) rnn_max(*members, trains ? cfg.members : 0);
	return trained_size(shape.params);
}

#define ROOM_SHARE 4			/* part of the memory that results may take before a candidate is left out for them */

/* Room for what becomes of trials and of members, whichever candidate is chosen. */
static bool
make_room(rnn_trainer *t)
{
	Plan	   *plan = &t->plan;
	int			n = plan->n_kinds,
				members = 0;
	size_t		trained = 0;

	if (n == 1 && candidate_may_be_left_out(plan, 0))
		plan->kinds[n++] = RNN_KIND_SCRATCH;
	for (int i = 0; i < n; i++)
		trained = rnn_max(trained, make_candidate_room(t, i, plan->kinds[i], &members));
	/* One member of each of two kinds, at least. */
	if (n > 1 && members > 0)
		members = (int) rnn_max(members, 2);
	plan->most_members = members;
	for (int k = 0; k < members; k++)
		plan->trained_room[k] = rnn_arena_alloc(&t->arena, trained, 1);
	return !t->arena.failed;
}

int
rnn_plan_members(const rnn_trainer *t)
{
	return t->plan.most_members;
}

/* From here on all series are what gaps, transform and regression make of them. */
static void
prepare_series(Plan *plan, rnn_arena *a)
{
	rnn_series *ready;

	if (!rnn_changes_series(&plan->asked))
		return;
	ready = arena_new(a, rnn_series, plan->panel.count);
	for (int i = 0; ready && i < plan->panel.count; i++)
		ready[i] = rnn_series_prepare(&plan->asked, &plan->given[i], plan->panel.stop, a);
	plan->panel.series = ready;
}

/* What covariates do may depend on the hour even where the season that was found is a week. */
static int
cycle_of(const Plan *plan)
{
	int			hint = plan->panel.n_hints > 0 ? plan->panel.hints[0] : 0;

	return hint > 0 && 2 * (int64_t) hint <= plan->summary.longest ? hint : plan->asked.seasons[0];
}

/* From here on series are without what covariates explain; a model to go on from has found that out. */
static void
take_off_regression(rnn_trainer *t)
{
	Plan	   *plan = &t->plan;
	rnn_regression *r = &plan->asked.covariates.regression;

	r->cycle = cycle_of(plan);
	/* What a promotion adds to a large series is more than to a small one: one sum of terms is for one series. */
	*r = plan->warm ? plan->panel.covariates.regression : plan->panel.count > 1 ? (rnn_regression) {0} :
		rnn_regression_fit(&plan->asked, plan->panel.series, plan->panel.count, plan->panel.stop, &t->arena);
	if (r->n > 0)
		prepare_series(plan, &t->arena);
}

static rnn_status
seasons_known(rnn_trainer *t, rnn_error *err)
{
	Plan	   *plan = &t->plan;
	rnn_arena	before;

	plan->known = true;
	take_off_regression(t);
	if (t->arena.failed)
		return no_room(plan->size, err);
	before = t->arena;
	RNN_TRY(candidates_choose(plan, err));
	/* What becomes of a large network must leave the better part to train another one in. */
	if (make_room(t) && (t->arena.used - before.used <= plan->size / ROOM_SHARE || !candidate_may_be_left_out(plan, 0)))
		return RNN_OK;
	t->arena = before;
	if (!candidate_may_be_left_out(plan, 0))
		return no_room(plan->size, err);
	plan->kinds[0] = RNN_KIND_SCRATCH;
	plan->n_kinds = 1;
	return make_room(t) ? RNN_OK : no_room(plan->size, err);
}

/* ---------------------------------------------------------------- contest */

/* Whether the next candidate is tried after this one. */
static bool
asks_for_another(const Judgement *j)
{
	return j->judged || j->hurried || j->left_out;
}

/* Trials that were done, in their order, up to one that asks for no other. */
static int
contestants(const Plan *plan)
{
	int			n = 0;

	while (n < plan->n_kinds && plan->judged[n])
		if (!asks_for_another(plan->judged[n++]))
			break;
	return n;
}

/* Another trial is wanted, or one that was begun can still count. */
static bool
lacks_trial(const Plan *plan)
{
	int			n = contestants(plan);

	if (n == plan->n_kinds || (n > 0 && !asks_for_another(plan->judged[n - 1])))
		return false;
	return !plan->hurry || n == 0 || plan->judged[n - 1]->left_out ||
		plan->issued[RNN_JOB_TRIAL] > plan->taken[RNN_JOB_TRIAL];
}

/* Notes how a candidate was judged, and its share of the networks. */
static void
note(Plan *plan, const Judgement *j, double share)
{
	rnn_model  *m = &plan->model;

	m->candidate[m->n_candidates] = j->candidate;
	m->candidate[m->n_candidates++].share = m->weight > 0 ? share : 0;
	m->cut_short |= j->hurried;
	for (int i = 0; i < j->n_log && m->n_log < TRIAL_LOG; i++)
		plan->log[m->n_log++] = j->log[i];
}

/* The model is that of the candidate that was chosen. */
static void
choose(Plan *plan, int candidate)
{
	rnn_model  *m = &plan->model;
	const Judgement *j = plan->judged[candidate];
	double		pace;

	plan->chosen = candidate;
	m->verdict = j->candidate.verdict;
	m->difference = j->candidate.difference;
	m->std_error = j->candidate.std_error;
	m->mix_pinball = j->candidate.mix_pinball;
	m->windows = j->candidate.windows;
	m->weight = j->weight;
	m->weight_short = j->weight_short;
	m->short_below = j->short_below;
	m->mix_spread = j->mix_spread;
	m->windows_share = j->windows_share;
	candidate_options(plan, plan->kinds[candidate], &plan->cfg, &pace);
}

/*
 * A job that follows from the contest was posted by a plan that had decided by the
 * same judgements, though maybe since its time was up: so does another process.
 */
void
plan_decide(Plan *plan)
{
	rnn_model  *m = &plan->model;
	int			n = contestants(plan);
	bool		judged = false;

	if (plan->decided)
		return;
	plan->decided = true;
	choose(plan, candidates_leader(plan, n));
	candidates_add(plan, n);
	for (int i = 0; i < n; i++)
	{
		const Judgement *j = plan->judged[i];

		if (i == plan->chosen)
			m->chosen = m->n_candidates;
		judged |= j->judged;
		if (!j->left_out)
			note(plan, j, i == plan->chosen ? 1 - m->second.share : i == plan->second ? m->second.share : 0);
	}
	if (!judged)
		m->n_candidates = m->chosen = 0;
}

/* ---------------------------------------------------------------- members */

/* Members to be trained: where the time is up, only so that there is one at all. */
static int
members_wanted(const Plan *plan)
{
	const Judgement *j = plan->judged[plan->chosen];

	if (plan->model.weight == 0)
		return 0;
	if (!plan->hurry)
		return plan->first_members + plan->second_members;
	return (int) rnn_max(plan->issued[RNN_JOB_MEMBER], j->params == 0);
}

/*
 * Where the time was up before the second training of any member was through,
 * what the first one found best is the model.
 */
static void
keep_judged(Plan *plan)
{
	const Judgement *j = plan->judged[plan->chosen];
	MemberResult    *only = (MemberResult *) plan->trained_room[0];

	if (j->params > 0)
	{
		only->member = j->member;
		member_weights(&only->member, judged_weights(j, j->loss[0] <= j->loss[1] ? 0 : 1), trained_weights(only));
	}
	plan->model.member[0] = only->member;
#ifndef RNN_DOUBLE
	plan->model.member[0].weights = trained_weights(only);
#endif
	plan->model.n_members = 1;
}

int
plan_candidate(const Plan *plan, const rnn_job *job)
{
	return job->kind == RNN_JOB_MEMBER && job->number >= plan->first_members ? plan->second : plan->chosen;
}

int
plan_member(const Plan *plan, const rnn_job *job)
{
	return job->number < plan->first_members ? job->number : job->number - plan->first_members;
}

/* Where the time was up before there was a member of each kind, those of the chosen one have all of its weight. */
static void
part_kinds(Plan *plan, int first)
{
	rnn_model  *m = &plan->model;

	if (plan->second < 0)
		return;
	if (first > 0 && m->n_members > first)
	{
		m->second.first = first;
		return;
	}
	m->n_members = first;
	m->second = (rnn_second) {0};
	choose(plan, plan->chosen);
	for (int i = 0; i < m->n_candidates; i++)
		m->candidate[i].share = i == m->chosen;
}

/* Members that are through, in their order, and their logs. */
static void
finish_members(Plan *plan)
{
	rnn_model  *m = &plan->model;
	bool		all = true;
	int			first = 0;

	m->n_members = 0;
	for (int i = 0; i < plan->first_members + plan->second_members; i++)
	{
		const MemberResult *t = plan->trained[i];
		bool		through = t && !t->member.stopped;

		all &= through;
		for (int k = 0; t && k < t->log.n; k++)
			plan->log[m->n_log++] = t->log.row[k];
		if (!through)
			continue;
		m->member[m->n_members] = t->member;
#ifndef RNN_DOUBLE
		m->member[m->n_members].weights = trained_weights(t);
#endif
		m->n_members++;
		first += i < plan->first_members;
	}
	part_kinds(plan, first);
	if (m->n_members == 0)
		keep_judged(plan);
	if (!all)
		m->member[0].stopped = m->cut_short = true;
}

/* ---------------------------------------------------------------- jobs */

static int
in_flight(const Plan *plan)
{
	int			n = 0;

	for (int kind = 0; kind < RNN_JOBS; kind++)
		n += plan->issued[kind] - plan->taken[kind];
	return n;
}

static bool
issue(Plan *plan, rnn_job_kind kind, int most, rnn_job *job)
{
	if (plan->issued[kind] >= most)
		return false;
	*job = (rnn_job) {kind, plan->issued[kind]++};
	return true;
}

/* Trials that may be begun: where the time is up, the first that fits. */
static int
trials_wanted(const Plan *plan)
{
	return plan->hurry ? (int) rnn_min(contestants(plan) + 1, plan->n_kinds) : plan->n_kinds;
}

static bool
find_job(Plan *plan, rnn_job *job)
{
	if (!plan->known)
		return issue(plan, RNN_JOB_SEASONS, 1, job);
	if (!plan->decided)
		return lacks_trial(plan) && issue(plan, RNN_JOB_TRIAL, trials_wanted(plan), job);
	return issue(plan, RNN_JOB_CALIBRATION, 1, job) ||
		issue(plan, RNN_JOB_MEMBER, members_wanted(plan), job);
}

rnn_plan_state
rnn_plan_next(rnn_trainer *t, rnn_job *job)
{
	Plan	   *plan = &t->plan;

	if (plan->done)
		return RNN_PLAN_DONE;
	if (plan->known && !lacks_trial(plan))
		plan_decide(plan);
	if (find_job(plan, job))
		return RNN_PLAN_JOB;
	if (in_flight(plan) > 0)
		return RNN_PLAN_WAIT;
	if (plan->model.weight > 0)
		finish_members(plan);
	plan->done = true;
	return RNN_PLAN_DONE;
}

static rnn_status
take_seasons(rnn_trainer *t, const rnn_found *found, rnn_error *err)
{
	Plan	   *plan = &t->plan;

	plan->found = *found;
	plan->model.seasons_detected = plan->asked.seasons_given < 0;
	plan->asked.pooling = found->pooling;
	memcpy(plan->asked.pooled, found->pooled, sizeof(found->pooled));
	plan->asked.seasons_given = found->n;
	memcpy(plan->asked.seasons, found->season, sizeof(found->season));
	if (plan->asked.transform != (int) found->transform)
	{
		plan->asked.transform = found->transform;
		prepare_series(plan, &t->arena);
	}
	return seasons_known(t, err);
}

static void
take_trial(Plan *plan, int number, const Judgement *result, size_t len)
{
	memcpy(plan->judged_room[number], result, len);
	plan->judged[number] = (Judgement *) plan->judged_room[number];
	if (result->left_out && plan->n_kinds == 1)
		plan->n_kinds++;
}

static void
take_factors(Plan *plan, const Factors *f)
{
	rnn_model  *m = &plan->model;

	plan->factors = *f;
	memcpy(m->calibration, f->factor, sizeof(m->calibration));
	m->calibration_n = f->n;
	m->coverage = f->n > 0 ? f->coverage : NAN;
	m->held = f->held;
	m->windows = f->windows;
	m->windows_share = f->windows_share;
	m->cut_short |= f->hurried;
}

rnn_status
rnn_plan_take(rnn_trainer *t, const rnn_job *job, rnn_part result, rnn_error *err)
{
	Plan	   *plan = &t->plan;

	/* In a process that asked for none, jobs are known by what became of them. */
	plan->issued[job->kind] = (int) rnn_max(plan->issued[job->kind], job->number + 1);
	plan->taken[job->kind]++;
	switch (job->kind)
	{
		case RNN_JOB_SEASONS:
			return take_seasons(t, result.bytes, err);
		case RNN_JOB_TRIAL:
			take_trial(plan, job->number, result.bytes, result.len);
			break;
		case RNN_JOB_CALIBRATION:
			take_factors(plan, result.bytes);
			break;
		case RNN_JOB_MEMBER:
			memcpy(plan->trained_room[job->number], result.bytes, result.len);
			plan->trained[job->number] = (MemberResult *) plan->trained_room[job->number];
			break;
	}
	return RNN_OK;
}

rnn_part
rnn_plan_result(rnn_trainer *t, const rnn_job *job)
{
	Plan	   *plan = &t->plan;

	switch (job->kind)
	{
		case RNN_JOB_SEASONS:
			return (rnn_part) {&plan->found, sizeof(plan->found)};
		case RNN_JOB_TRIAL:
			return (rnn_part) {plan->judged[job->number], judged_size(plan->judged[job->number]->params)};
		case RNN_JOB_CALIBRATION:
			return (rnn_part) {&plan->factors, sizeof(plan->factors)};
		case RNN_JOB_MEMBER:
			break;
	}
	return (rnn_part) {plan->trained[job->number], trained_size(plan->trained[job->number]->member.params)};
}

/* ---------------------------------------------------------------- beginning and end */

void
plan_summarize(Plan *plan)
{
	rnn_summary *d = &plan->summary;

	d->series = plan->panel.count;
	d->points = d->longest = d->ahead = 0;
	for (int i = 0; i < plan->panel.count; i++)
	{
		const rnn_series *s = &plan->panel.series[i];

		for (int64_t k = 0; k < s->n; k++)
			d->points += !isnan(s->x[k]);
		d->longest = rnn_max(d->longest, s->n);
		d->ahead = rnn_max(d->ahead, s->ahead);
	}
}

rnn_status
plan_begin(rnn_trainer *t, rnn_error *err)
{
	Plan	   *plan = &t->plan;

	plan->log = arena_new(&t->arena, rnn_log_row, RNN_MAX_LOG);
	for (int i = 0; i < RNN_BANDS * RNN_MEDIAN; i++)
		plan->model.calibration[i / RNN_MEDIAN][i % RNN_MEDIAN] = 1;
	plan->model.mix_spread = 1;
	plan_summarize(plan);
	if (plan->summary.points == 0)
		return rnn_fail(err, RNN_ERR_DATA, "there is no known value", 0, 0, 0);
	plan->given = plan->panel.series;
	plan->asked.trading_days = plan->asked.trading_days != 0 && plan->panel.calendar.months;
	rnn_resolve_output(&plan->asked, plan->given, plan->panel.count, plan->panel.n_hints > 0 ? plan->panel.hints[0] : 0);
	prepare_series(plan, &t->arena);
	if (t->arena.failed)
		return no_room(plan->size, err);
	if (plan->asked.seasons_given == 0)
		plan->asked.seasons[0] = plan->asked.seasons_given = 1;
	if (!rnn_search_pools(&plan->asked, plan->panel.count))
		plan->asked.pooling = 0;
	if (rnn_search_needed(&plan->asked, plan->panel.count))
		return RNN_OK;
	return seasons_known(t, err);
}

/* The grid number behind its last point. */
static int64_t
last_of(const rnn_series *s)
{
	return s->dropped + s->n;
}

rnn_status
rnn_trainer_model(rnn_trainer *t, rnn_model *m, rnn_error *err)
{
	const Plan *plan = &t->plan;
	const rnn_config *cfg = &plan->cfg;

	if (!plan->done)
		return rnn_fail(err, RNN_ERR_RANGE, "the training is not done", 0, 1, 1);
	*m = plan->model;
	m->config = *cfg;
	m->clock = plan->panel.clock;
	m->points = plan->summary.points;
	m->n_seasons = cfg->seasons_given;
	memcpy(m->seasons, cfg->seasons, sizeof(m->seasons));
	m->prior_net = cfg->network && cfg->skip && cfg->start != RNN_START_SCRATCH ? plan->panel.prior : NULL;
	m->prior = m->prior_net ? m->prior_net->version : 0;
	m->log = plan->log;
	m->n_series = plan->panel.count;
	m->series = plan->given;
	for (int i = 0; i < m->n_series; i++)
		m->calibrated_to = i == 0 ? last_of(&m->series[i]) : rnn_max(m->calibrated_to, last_of(&m->series[i]));
	return RNN_OK;
}
