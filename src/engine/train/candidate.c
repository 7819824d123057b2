/*
 * candidate.c
 *		Which networks are trained and judged, and which of them the model gets.
 *
 * There are two: the prior, trained further, and one from nothing; in a panel of
 * MANY_POINTS that one alone.  Each is judged in a trial of its own.  Where both
 * got a weight they are added up, unless one has a far greater gain.
 */
#include "train/stages.h"

#include <math.h>

#define MANY_POINTS 100000		/* in a panel: a network from nothing alone */
#define HEAD_RATE 0.5			/* of the learning rate, for weights that are good already */
#define TUNED_RATE 0.25
#define TUNED_STEPS 1.5			/* of the steps of a network from nothing: a ceiling, it stops early */
#define LEAST_SHARE 0.2			/* less of a second kind of networks isn't worth its training */
#define DIVERSITY 0.015			/* of the loss, that a mean of the prior, trained further, and one from nothing saves */
#define LONG_WINDOW 16			/* steps: of such a quarter of the minibatch does, */
#define TUNED_PART 2			/* of all layers a half of that */

/* Whether the options leave room for the prior, trained further. */
static bool
may_tune(const Plan *plan)
{
	int			start = plan->asked.start;

	return (start == RNN_START_AUTO || start == RNN_START_TUNE) && plan->asked.network && plan->asked.skip && plan->panel.prior;
}

/* Weights to go on from say which kind of network it is. */
static bool
warm_kind(const Plan *plan, rnn_kind *kind)
{
	const rnn_member *from = plan->warm && plan->warm->n_members > 0 ? &plan->warm->member[0] : NULL;

	if (!from)
		return false;
	if (!plan->asked.skip || !plan->panel.prior || !rnn_prior_fits(from->prior, &plan->asked))
		*kind = RNN_KIND_SCRATCH;
	else if (plan->summary.points < FEW_POINTS && from->shared > 0)
		*kind = RNN_KIND_HEAD;
	else
		*kind = RNN_KIND_TUNED;
	return true;
}

rnn_status
candidates_choose(Plan *plan, rnn_error *err)
{
	const rnn_config *given = &plan->asked;
	bool		open = given->start == RNN_START_AUTO,
				several = open && !plan->warm && given->effort > RNN_EFFORT_QUICK,
				panel = plan->panel.count >= PANEL,
				many = plan->summary.points >= MANY_POINTS;
	rnn_kind	kind;

	/* Those of a model to go on from, or of the leader, are given. */
	plan->terms = given->terms ? given->terms : rnn_calendar_terms(given, &plan->panel.calendar, &plan->summary, plan->size);
	plan->asked.terms = 0;
	if (plan->n_kinds > 0)
		return RNN_OK;
	if (warm_kind(plan, &kind))
		plan->kinds[plan->n_kinds++] = kind;
	else if (may_tune(plan) && !(open && panel && many) && rnn_prior_allows(plan->panel.prior, given))
		plan->kinds[plan->n_kinds++] = plan->summary.points < FEW_POINTS ? RNN_KIND_HEAD : RNN_KIND_TUNED;
	else if (given->start == RNN_START_TUNE)
		return rnn_fail(err, RNN_ERR_CONFLICT, plan->panel.prior ?
						"option \"start\" cannot be \"tune\" where cell, layers, hidden, patch, norm, residual or conv_layers differ from the prior's" :
						"option \"start\" cannot be \"tune\" where there is no prior", 0, 0, 0);
	if (plan->n_kinds == 0 || several)
		plan->kinds[plan->n_kinds++] = RNN_KIND_SCRATCH;
	return RNN_OK;
}

/* A network that is one of several may be left out where it doesn't fit: then there is one from nothing. */
bool
candidate_may_be_left_out(const Plan *plan, int candidate)
{
	return plan->asked.start == RNN_START_AUTO && plan->kinds[candidate] != RNN_KIND_SCRATCH && !plan->warm;
}

/* Few series have a network of their own already, the prior's: another one that sees no more is a try that may cost a quarter. */
static bool
is_try(const Plan *plan, rnn_kind kind)
{
	return kind == RNN_KIND_SCRATCH && plan->kinds[0] != RNN_KIND_SCRATCH && plan->asked.covariates.n == 0 && plan->summary.series < PANEL &&
		plan->summary.points < MANY_POINTS && plan->asked.effort < RNN_EFFORT_HIGH;
}

/* What is left open is resolved, for a network of this kind. */
static void
resolve(const Plan *plan, rnn_kind kind, rnn_config *cfg)
{
	rnn_config	open = *cfg;

	rnn_config_resolve(cfg, &plan->summary);
	if (open.batch == 0 && is_try(plan, kind))
		cfg->batch = (cfg->batch + 3) / 4;
	if (kind == RNN_KIND_SCRATCH)
		return;
	if (open.steps == 0)
		cfg->steps = (int) (TUNED_STEPS * cfg->steps);
	if (open.batch == 0 && cfg->bptt >= LONG_WINDOW)
		cfg->batch = (cfg->batch + 3) / 4;
	if (open.batch == 0 && kind == RNN_KIND_TUNED)
		cfg->batch = (cfg->batch + TUNED_PART - 1) / TUNED_PART;
}

void
candidate_options(const Plan *plan, rnn_kind kind, rnn_config *cfg, double *pace)
{
	*cfg = plan->asked;
	*pace = 1;
	cfg->terms = kind == RNN_KIND_SCRATCH ? plan->terms : 0;
	cfg->calendar = cfg->terms != 0;
	if (kind != RNN_KIND_SCRATCH)
	{
		rnn_prior_shape(plan->panel.prior, plan->summary.longest, cfg);
		*pace = kind == RNN_KIND_HEAD ? HEAD_RATE : TUNED_RATE;
		/* One series has one head, for the sake of the model's size; on panels the mean of three errs less. */
		if (cfg->members == 0 && kind == RNN_KIND_HEAD && cfg->effort < RNN_EFFORT_HIGH && plan->summary.series < PANEL)
			cfg->members = 1;
	}
	resolve(plan, kind, cfg);
}

/* Of its weights those that are the prior's for good. */
int64_t
candidate_shared(const Study *s)
{
	return s->kind == RNN_KIND_HEAD ? s->shape.head : 0;
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

/*
 * The share of b at which the mean of two is expected to be best: a mean errs
 * less than its parts do on average, of equal parts by DIVERSITY.
 */
double
candidates_share(const rnn_candidate *a, const rnn_candidate *b)
{
	return fmin(fmax(0.5 + (gain(b) - gain(a)) / (8 * DIVERSITY), 0), 1);
}

/* Of the first n the better one, in a tie the last; where it has no weight, one that is unsure but has one. */
int
candidates_compare(const Plan *plan, int n)
{
	const rnn_candidate *a = &plan->judged[0]->candidate,
			   *b = &plan->judged[n - 1]->candidate;

	return n > 1 && a->weight > 0 && (b->weight == 0 || gain(a) > gain(b)) ? 0 : n - 1;
}

/* Where each was judged worth a weight of its own, networks of both are added up. */
static int
find_second(const Plan *plan, int n)
{
	if (n < 2 || plan->asked.members == 1)
		return -1;
	for (int i = 0; i < n; i++)
		if (plan->judged[i]->weight == 0 || plan->judged[i]->params == 0)
			return -1;
	return plan->judged[0]->member.prior > 0 && plan->judged[1]->member.prior == 0 ? 1 - plan->chosen : -1;
}

/* A weight for series of other lengths, of one that may have one for all. */
static double
weight_of_short(const Judgement *j)
{
	return j->short_below > 0 ? j->weight_short : j->weight;
}

/* What the networks of a second candidate have otherwise. */
static void
describe_second(Plan *plan, double share)
{
	rnn_config	cfg;
	double		pace;

	candidate_options(plan, plan->kinds[plan->second], &cfg, &pace);
	plan->model.second = (rnn_second) {
		.first = plan->first_members,.share = share,.hidden = cfg.hidden,.patch = cfg.patch,.context = cfg.context,
		.references = cfg.references,.past = cfg.past
	};
}

/*
 * The forecast is the mean of both blends, by their shares: so the loss is
 * nowhere above the mean of theirs, and below it where they err in other ways.
 */
static void
add_second(Plan *plan)
{
	rnn_model  *m = &plan->model;
	const Judgement *a = plan->judged[plan->chosen],
			   *b = plan->judged[plan->second];
	double		share = candidates_share(&a->candidate, &b->candidate),
				weight = (1 - share) * a->weight + share * b->weight;

	if (share * b->weight < LEAST_SHARE * weight)
	{
		plan->second = -1;
		return;
	}
	if (a->short_below > 0 || b->short_below > 0)
	{
		m->short_below = a->short_below > 0 ? a->short_below : b->short_below;
		m->weight_short = (1 - share) * weight_of_short(a) + share * weight_of_short(b);
	}
	m->weight = weight;
	m->mix_spread = pow(a->mix_spread, 1 - share) * pow(b->mix_spread, share);
	share *= b->weight / weight;
	plan->second_members = (int) rnn_min(rnn_max(lround(share * plan->cfg.members), 1), rnn_max(plan->cfg.members - 1, 1));
	plan->first_members = (int) rnn_max(plan->cfg.members - plan->second_members, 1);
	describe_second(plan, share);
}

/* The calendar's terms and covariates are those of the first kind of networks. */
int
candidates_leader(const Plan *plan, int n)
{
	int			better = candidates_compare(plan, n);
	const Judgement *last = plan->judged[n - 1];

	return (plan->terms || plan->asked.covariates.n > 0) && n > 1 && last->weight > 0 && last->params > 0 && plan->asked.members != 1 ? n - 1 : better;
}

void
candidates_add(Plan *plan, int n)
{
	plan->first_members = plan->cfg.members;
	plan->second_members = 0;
	plan->second = find_second(plan, n);
	if (plan->second >= 0)
		add_second(plan);
}
