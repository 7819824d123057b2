/*
 * second.c
 *		Networks of two kinds in one model: what the second kind has otherwise, as
 *		bytes and as options.
 *
 * The kinds are the prior, trained further, and one from nothing.  The model's
 * options are those of the first kind; calendar and covariates belong to it alone.
 */
#include "model/walk.h"

void
second_kind(Walk *w, rnn_model *m)
{
	rnn_second *s = &m->second;

	walk_i32(w, &s->first, 0, m->n_members > 0 ? m->n_members - 1 : 0, "the first member of the second kind");
	if (s->first == 0)
		return;
	walk_f64(w, &s->share);
	CHECK(w, s->share >= 0 && s->share <= 1, "the share of the second kind");
	walk_i32(w, &s->hidden, 1, 1024, "the width of the second kind");
	walk_i32(w, &s->patch, 1, 512, "the patch of the second kind");
	walk_i32(w, &s->context, 1, 1000000, "the context of the second kind");
	references_field(w, &s->references, false);
	walk_i32(w, &s->past, 0, 1, "what the second kind sees of the past");
	CHECK(w, s->context % s->patch == 0, "the context of the second kind is not a whole number of patches");
}

bool
rnn_member_is_second(const rnn_model *m, int member)
{
	return m->second.first > 0 && member >= m->second.first;
}

double
rnn_member_share(const rnn_model *m, int member)
{
	int			first = m->second.first;

	if (first == 0)
		return 1.0 / m->n_members;
	return rnn_member_is_second(m, member) ? m->second.share / (m->n_members - first) : (1 - m->second.share) / first;
}

rnn_config
rnn_member_config(const rnn_model *m, int member)
{
	rnn_config	cfg = m->config;
	const rnn_second *s = &m->second;

	cfg.seasons_given = m->n_seasons;
	memcpy(cfg.seasons, m->seasons, sizeof(cfg.seasons));
	cfg.blind = member < m->n_members && m->member[member].prior > 0;
	if (!rnn_member_is_second(m, member))
		return cfg;
	cfg.hidden = s->hidden;
	cfg.patch = s->patch;
	cfg.context = s->context;
	cfg.references = s->references;
	cfg.past = s->past;
	cfg.terms = cfg.calendar = 0;
	return cfg;
}
