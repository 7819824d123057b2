/*
 * trainer.c
 *		How much memory a training needs, and all jobs of its plan done one after
 *		the other.
 */
#include "train/stages.h"

#include <math.h>
#include <string.h>

/*
 * Bytes for a network and its frames, for a season that makes the context as
 * long as it can get where it is chosen from the data.
 */
static double
network_bytes(const rnn_config *given, const rnn_panel *panel, bool tuned)
{
	rnn_config	cfg = *given;
	rnn_summary d = {.series = panel->count};
	rnn_shape	shape;
	rnn_frame_plan plan;
	rnn_net		net;
	rnn_arena	a;

	for (int i = 0; i < panel->count; i++)
	{
		d.points += panel->series[i].n;
		d.longest = panel->series[i].n > d.longest ? panel->series[i].n : d.longest;
		d.ahead = panel->series[i].ahead > d.ahead ? panel->series[i].ahead : d.ahead;
	}
	if (cfg.seasons_given <= 0)
	{
		cfg.seasons_given = 1;
		cfg.seasons[0] = 256;
	}
	cfg.covariates = panel->covariates;
	if (!tuned && cfg.calendar != 0)
		cfg.terms |= panel->calendar.terms;
	cfg.references = cfg.mixed = RNN_REFS;
	cfg.past = false;
	if (tuned)
		rnn_prior_shape(panel->prior, d.longest, &cfg);
	rnn_config_resolve(&cfg, &d);
	rnn_shape_init(&shape, &cfg);
	rnn_frame_plan_init(&plan, &shape, &cfg);
	rnn_arena_init(&a, NULL, 0);
	rnn_net_init(&net, &shape, cfg.bptt, rnn_tile_windows(&shape, cfg.batch), true, &a);
	return (double) a.used + (double) (d.points + d.series * (int64_t) (cfg.horizon + 2 * RNN_BLOCK)) *
		rnn_covariates_width(&shape) * sizeof(real) + (11.0 + cfg.members) * shape.params * sizeof(real) +
		1.5 * (d.points < FRAMES_WANTED ? d.points : FRAMES_WANTED) * plan.width * sizeof(real);
}

#define STOPS_AT 0.15			/* of the steps: where networks that are judged stop, as measured */
#define HEAD_WORK 0.4			/* of an update in which the head alone changes, likewise */

/* Multiplications and additions of an update, forward and backward, of each window, position and block ahead. */
static double
update_work(const rnn_config *cfg, const rnn_shape *shape)
{
	double		blocks = (cfg->horizon + RNN_BLOCK - 1) / RNN_BLOCK;

	return 6.0 * cfg->batch * (cfg->context / cfg->patch) * (shape->head + blocks * (shape->params - shape->head));
}

/* A network is trained twice, on halves that judge each other, where it is judged; members go on from these. */
static void
add_candidate(const Plan *plan, rnn_kind kind, rnn_outlook *o)
{
	rnn_config	cfg;
	rnn_shape	shape;
	double		pace;
	bool		judged = plan->asked.start == RNN_START_AUTO && plan->asked.skip;
	double		trainings;

	candidate_options(plan, kind, &cfg, &pace);
	cfg.references = cfg.mixed = RNN_REFS;
	cfg.past = false;
	rnn_shape_init(&shape, &cfg);
	trainings = judged ? 2 + RNN_GO_ON * cfg.members / plan->n_kinds : cfg.members;
	o->networks++;
	o->steps += (int) (trainings * cfg.steps);
	o->params = rnn_max(o->params, shape.params);
	o->frames += rnn_min((double) plan->summary.points, (double) FRAMES_WANTED);
	o->work += trainings * cfg.steps * update_work(&cfg, &shape) * (judged ? STOPS_AT : 1) * (kind == RNN_KIND_HEAD ? HEAD_WORK : 1);
}

rnn_status
rnn_trainer_outlook(const rnn_config *cfg, const rnn_panel *panel, rnn_outlook *outlook, rnn_error *err)
{
	Plan		plan = {.asked = *cfg,.panel = *panel};

	*outlook = (rnn_outlook) {0};
	plan_summarize(&plan);
	if (!cfg->network || cfg->start == RNN_START_PRIOR ||
		(cfg->start == RNN_START_AUTO && cfg->skip && plan.summary.points < LEAST_POINTS))
		return RNN_OK;
	if (plan.asked.seasons_given <= 0)
	{
		plan.asked.seasons_given = 1;
		plan.asked.seasons[0] = panel->n_hints > 0 ? panel->hints[0] : 1;
	}
	plan.asked.covariates = panel->covariates;
	RNN_TRY(candidates_choose(&plan, err));
	for (int i = 0; i < plan.n_kinds; i++)
		add_candidate(&plan, plan.kinds[i], outlook);
	return RNN_OK;
}

/* Bytes for the prior's forecasts of held-out windows, half as many at once as there may be: few have more. */
static double
prior_bytes(const rnn_config *given, const rnn_panel *panel, int64_t longest)
{
	rnn_config	cfg = *given;
	rnn_prior_net net;
	rnn_arena	a;

	if (!cfg.network || !cfg.skip || !panel->prior)
		return 0;
	if (cfg.horizon == 0)
		cfg.horizon = RNN_MAX_TRAINED;
	cfg.mixed = RNN_REFS;
	cfg.seasons_given = cfg.seasons[0] = 1;
	rnn_arena_init(&a, NULL, 0);
	rnn_prior_net_init(&net, panel->prior, &cfg, longest, PRIOR_BATCH / 2, &a);
	return (double) a.used * PRIOR_ALONE;
}

/*
 * Untouched pages cost nothing, so the block is asked for by a generous bound
 * and laid out once the seasons are known.  Where no network is trained, new
 * pages are a good part of the work: a block of less than 32 MB is one that
 * malloc keeps, so that the next training has the same pages.
 */
rnn_status
rnn_trainer_size(const rnn_config *cfg, const rnn_panel *panel, size_t limit,
				 size_t *size, rnn_error *err)
{
	const size_t fixed = sizeof(rnn_trainer) + (size_t) 4 * 1024 * 1024;
	bool		trains = cfg->network && cfg->start != RNN_START_PRIOR;
	double		want = 10e6,
				points = 0;
	int64_t		longest = 1;

	RNN_TRY(rnn_config_check(cfg, err));
	if (panel->count < 1)
		return rnn_fail(err, RNN_ERR_DATA, "there is no series", 0, 0, 0);
	for (int i = 0; i < panel->count; i++)
	{
		points += (double) panel->series[i].n;
		longest = rnn_max(longest, panel->series[i].n);
	}
	want += points * (trains ? 6000 : 64) + 4096.0 * panel->count;
	/* Held-out windows, some thousands at most. */
	want += trains ? 54e6 : fmin(54e6, 1500 * points);
	/* The references' scratch and forecasts grow with the horizon. */
	want += 4000.0 * (cfg->horizon + 64);
	if (trains)
		want += network_bytes(cfg, panel, false);
	if (trains && panel->prior && rnn_prior_allows(panel->prior, cfg))
		want += network_bytes(cfg, panel, true);
	if (!trains)
		want += prior_bytes(cfg, panel, longest);
	if (limit < fixed)
		return rnn_fail(err, RNN_ERR_MEMORY, "training", (double) fixed, 0, 0);
	*size = want < (double) limit ? (size_t) want : limit;
	return RNN_OK;
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
	t->plan.asked = *cfg;
	/* A model to go on from may have others. */
	t->plan.asked.references = t->plan.asked.mixed = RNN_REFS;
	t->plan.asked.past = false;
	t->plan.asked.covariates = panel->covariates;
	t->plan.asked.covariates.regression = (rnn_regression) {0};
	t->plan.panel = *panel;
	t->plan.warm = warm;
	t->plan.size = size;
	*out = t;
	return plan_begin(t, err);
}

rnn_status
rnn_trainer_step(rnn_trainer *t, rnn_progress *progress, rnn_error *err)
{
	rnn_job		job;

	if (!t->busy)
	{
		*progress = (rnn_progress) {.done = true,.phase = "done",.loss = NAN};
		if (rnn_plan_next(t, &job) != RNN_PLAN_JOB)
			return RNN_OK;
		rnn_job_begin(t, &job);
		t->busy = true;
	}
	RNN_TRY(rnn_job_step(t, progress, err));
	if (!progress->done)
		return RNN_OK;
	progress->done = false;
	t->busy = false;
	job = t->task.job;
	return rnn_plan_take(t, &job, rnn_job_result(t), err);
}

void
rnn_trainer_hurry(rnn_trainer *t)
{
	Plan	   *plan = &t->plan;

	plan->model.cut_short |= !plan->done;
	plan->hurry = t->task.hurry = true;
	t->task.trial.hurry = t->task.calibration.hurry = true;
}

size_t
rnn_trainer_used(const rnn_trainer *t)
{
	return t->task.laid_out ? t->task.used : t->arena.used;
}
