/*
 * candidate.c
 *		Which networks are trained and judged, and which of them the model gets.
 *
 * There are two: the prior, trained further, and, in a panel or where there are
 * MANY_POINTS, one from nothing; where both are true that one alone.  Each is
 * judged in a trial of its own, and the one with the greater gain is trained on
 * everything.
 */
#include "train/stages.h"

#include <math.h>

#define MANY_POINTS 100000		/* or a panel: a network from nothing is tried too; both: it alone */
#define HEAD_RATE 0.5			/* of the learning rate, for weights that are good already */
#define TUNED_RATE 0.25
#define TUNED_STEPS 1.5			/* of the steps of a network from nothing: a ceiling, it stops early */
#define LONG_WINDOW 16			/* steps: of such a quarter of the minibatch does */

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
						"start can't be \"tune\" with another cell, layers, hidden, patch, norm, residual or conv_layers than the prior's" :
						"start can't be \"tune\" where there is no prior", 0, 0, 0);
	if (plan->n_kinds == 0 || (open && !plan->warm && (panel || many || (given->calendar > 0 && plan->terms))))
		plan->kinds[plan->n_kinds++] = RNN_KIND_SCRATCH;
	return RNN_OK;
}

/* A network that is one of several may be left out where it doesn't fit: then there is one from nothing. */
bool
candidate_may_be_left_out(const Plan *plan, int candidate)
{
	return plan->asked.start == RNN_START_AUTO && plan->kinds[candidate] != RNN_KIND_SCRATCH && !plan->warm;
}

/* What is left open is resolved, for a network of this kind. */
static void
resolve(const Plan *plan, rnn_kind kind, rnn_config *cfg)
{
	rnn_config	open = *cfg;

	rnn_config_resolve(cfg, &plan->summary);
	if (kind == RNN_KIND_SCRATCH)
		return;
	if (open.steps == 0)
		cfg->steps = (int) (TUNED_STEPS * cfg->steps);
	if (open.batch == 0 && cfg->bptt >= LONG_WINDOW)
		cfg->batch = (cfg->batch + 3) / 4;
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
		if (cfg->members == 0 && kind == RNN_KIND_HEAD)
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

/* Of the first n the better one, in a tie the last; where it has no weight, one that is unsure but has one. */
int
candidates_compare(const Plan *plan, int n)
{
	const rnn_candidate *a = &plan->judged[0]->candidate,
			   *b = &plan->judged[n - 1]->candidate;

	return n > 1 && a->weight > 0 && (b->weight == 0 || gain(a) > gain(b)) ? 0 : n - 1;
}
