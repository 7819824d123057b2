/*
 * rule.c
 *		What is asked of a mix, by whom.
 */
#include "bank/bank.h"

#include <string.h>

rnn_mix_rule
rnn_mix_rule_of(const rnn_config *cfg, int h)
{
	rnn_mix_rule rule = {.h = h,.n_seasons = cfg->seasons_given,.kappa = cfg->kappa,.refs = cfg->mixed,.patch = cfg->patch,.pooling = cfg->pooling};

	memcpy(rule.seasons, cfg->seasons, sizeof(rule.seasons));
	memcpy(rule.pooled, cfg->pooled, sizeof(rule.pooled));
	return rule;
}

rnn_mix_rule
rnn_mix_rule_plain(int h, const int *seasons, int n_seasons, double kappa)
{
	rnn_mix_rule rule = {.h = h,.n_seasons = n_seasons,.kappa = kappa,.refs = RNN_LEAST_REFS,.patch = 1};

	memcpy(rule.seasons, seasons, sizeof(int) * n_seasons);
	return rule;
}

bool
rnn_mix_rule_same(const rnn_mix_rule *a, const rnn_mix_rule *b)
{
	return a->h == b->h && a->kappa == b->kappa && a->refs == b->refs && a->patch == b->patch && a->n_seasons == b->n_seasons &&
		memcmp(a->seasons, b->seasons, sizeof(int) * a->n_seasons) == 0 &&
		a->pooling == b->pooling && (a->pooling == 0 || memcmp(a->pooled, b->pooled, sizeof(a->pooled)) == 0);
}
