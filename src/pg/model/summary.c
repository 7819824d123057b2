/*
 * summary.c
 *		What a model is and why, in words.
 */
#include "pg/model/model.h"

#include <math.h>

#include "lib/stringinfo.h"

/* What a network is added to, and judged against. */
static const char *
base_word(const rnn_model *m)
{
	return m->prior > 0 ? "mix and prior" : "the mix";
}

const char *
verdict_reason(const rnn_model *m, int verdict)
{
	switch ((rnn_verdict) verdict)
	{
		case RNN_VERDICT_ASKED:
			return "trained as asked, not judged";
		case RNN_VERDICT_OFF:
			return "the network is off";
		case RNN_VERDICT_SHORT:
			return "too little data to train and judge a network";
		case RNN_VERDICT_ADDED:
			return "validation gave the network a weight";
		case RNN_VERDICT_WORSE:
			return psprintf("the network was worse than %s in validation", base_word(m));
		case RNN_VERDICT_UNSURE:
			return psprintf("the network was better than %s, but not by more than the error", base_word(m));
		case RNN_VERDICT_TIME:
			return "the ceiling of seconds came before the network could be judged";
		case RNN_VERDICT_PRIOR:
			return "nothing trained, as asked";
	}
	return "unknown";
}

/* Known points: those of the training, or those of a history. */
int64
known_points(const rnn_model *m)
{
	int64		known = 0;

	if (!m->is_history)
		return m->points;
	for (int i = 0; i < m->n_series; i++)
		for (int64 k = 0; k < m->series[i].n; k++)
			known += !isnan(m->series[i].x[k]);
	return known;
}

bool
uses_network(const rnn_model *m)
{
	return m->n_members > 0 && m->weight > 0;
}

static const char *
cell_word(const rnn_config *c)
{
	return c->cell == RNN_ELMAN && c->activation == RNN_RELU ? "Elman (relu)" : rnn_cell_titles[c->cell];
}

static void
summarize_seasons(StringInfo out, const rnn_model *m)
{
	int			shown = 0;

	for (int i = 0; i < m->n_seasons; i++)
		if (m->seasons[i] > 1)
			appendStringInfo(out, "%s%d", shown++ ? " and " : "seasons of ", m->seasons[i]);
	appendStringInfoString(out, shown ? " steps" : "no season");
}

static void
summarize_judgement(StringInfo out, const rnn_model *m)
{
	if (m->verdict == RNN_VERDICT_ADDED && m->mix_pinball > 0)
		appendStringInfo(out, ": error %.1f %% %s the mix's in %d validation windows",
						 fabs(100 * m->difference / m->mix_pinball), m->difference > 0 ? "above" : "below", m->windows);
	else
		appendStringInfo(out, ": %s", verdict_reason(m, m->verdict));
}

/* What a network is added to. */
static const char *
base_name(const rnn_model *m)
{
	return m->prior > 0 ? "Mix of references with the prior" : "Mix of references";
}

static void
summarize_method(StringInfo out, const rnn_model *m)
{
	const rnn_config *c = &m->config;

	if (!uses_network(m))
	{
		appendStringInfoString(out, base_name(m));
		summarize_judgement(out, m);
		return;
	}
	if (c->skip && m->weight < 1)
	{
		appendStringInfo(out, "%s and, with weight %.2f", base_name(m), m->weight);
		if (m->short_below > 0)
			appendStringInfo(out, " (%.2f below " INT64_FORMAT " points)", m->weight_short, m->short_below);
		appendStringInfoString(out, ", ");
	}
	if (m->n_members > 1)
		appendStringInfo(out, "%d networks", m->n_members);
	else
		appendStringInfoString(out, c->skip && m->weight < 1 ? "a network" : "Network");
	appendStringInfo(out, " of %d %s %s", c->layers, cell_word(c), c->layers == 1 ? "layer" : "layers");
	if (m->second.first > 0)
		appendStringInfo(out, ", %d of width %d and %d of width %d",
						 m->second.first, c->hidden, m->n_members - m->second.first, m->second.hidden);
	else
		appendStringInfo(out, " of width %d", c->hidden);
	if (c->skip && m->weight == 1)
		appendStringInfoString(out, " on top of the mix of references");
	summarize_judgement(out, m);
}

/* What memory was too short for. */
static void
summarize_sampling(StringInfo out, const rnn_model *m)
{
	if (m->rows_latest > 0)
		appendStringInfo(out, "the latest " INT64_FORMAT " rows of each, ", m->rows_latest);
	if (m->windows_share > 0)
		appendStringInfo(out, "%.2g %% of their windows, ", 100 * m->windows_share);
}

/* Of bytes from before there was a mark for it, the verdict and the members tell. */
bool
is_cut_short(const rnn_model *m)
{
	bool		cut = m->cut_short || m->verdict == RNN_VERDICT_TIME;

	for (int i = 0; i < m->n_members; i++)
		cut |= m->member[i].stopped != 0;
	return cut;
}

char *
model_summary(const rnn_model *m)
{
	StringInfoData out;

	initStringInfo(&out);
	if (m->is_history)
	{
		appendStringInfo(&out, "History of " INT64_FORMAT " known points in %d series, ", known_points(m), m->n_series);
		summarize_sampling(&out, m);
		appendStringInfoString(&out, "nothing trained.");
	}
	else
	{
		summarize_method(&out, m);
		appendStringInfo(&out, "; " INT64_FORMAT " points in %d series, ", m->points, m->n_series);
		summarize_sampling(&out, m);
		summarize_seasons(&out, m);
		appendStringInfo(&out, ", %d %s ahead.", m->config.horizon,
						 m->config.horizon == 1 ? "step" : "steps");
		if (is_cut_short(m))
			appendStringInfoString(&out, " The ceiling of seconds cut the training short.");
	}
	return out.data;
}
