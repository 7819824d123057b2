/*
 * verdict.c
 *		What decides whether a new version of a named model becomes live.
 *
 * A version is trained on all rows but the last windows, then given all rows as
 * its history, and it is scored on these windows.  The live version was made in
 * the same way from rows that ended earlier, so it hasn't seen the windows
 * either: both are judged fairly, and what is judged is what is promoted.  Rows
 * that are fewer, or end earlier, than those of the live version are not judged
 * at all: windows of them say nothing of what is missing.
 */
#include "pg/registry/registry.h"

#include <math.h>

#include "utils/builtins.h"

#define LEAST_ERROR 0.5			/* MASE below which no error of old counts */

static double
rule_value(Jsonb *json, const RuleOption *rule)
{
	JsonbValue *v = json_field(json, rule->name);
	double		x;

	if (v == NULL || v->type == jbvNull)
		return rule->def;
	x = v->type == jbvNumeric ? json_number(v) : NAN;
	if (!(x >= rule->min && x <= rule->max) || (rule->whole && x != rint(x)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" must be a %snumber from %g to %g, not %s", rule->name, rule->whole ? "whole " : "",
						rule->min, rule->max, value_text(v))));
	return x;
}

Rules
read_rules(Jsonb *json)
{
	double		x[RULE_OPTIONS];

	for (int i = 0; i < RULE_OPTIONS; i++)
		x[i] = rule_value(json, &rule_options[i]);
	return (Rules) {
		.windows = (int) x[RULE_WINDOWS],.gate = x[RULE_GATE],.break_at = x[RULE_BREAK],.retain = (int) x[RULE_RETAIN],
		.rewind = (int) x[RULE_REWIND],.shrink = x[RULE_SHRINK]
	};
}

Jsonb *
with_horizon(Jsonb *options, int64 horizon)
{
	return json_merge(options ? options : json_from("{}"), json_from(psprintf("{\"horizon\": " INT64_FORMAT "}", horizon)));
}

Jsonb *
split_options(Jsonb *options, bool has_horizon, int64 horizon, Rules *rules, Jsonb **rules_json)
{
	rnn_config	cfg;
	ServerOptions server;
	JsonbValue *keys;

	if (options == NULL)
		options = json_from("{}");
	if (!JB_ROOT_IS_OBJECT(options))
		parse_options(options, &cfg, &server);	/* says what is wrong */
	*rules = read_rules(options);
	*rules_json = json_from(psprintf("{\"windows\": %d, \"gate\": %.17g, \"break\": %.17g, \"retain\": %d, "
									 "\"rewind\": %d, \"shrink\": %.15g}",
									 rules->windows, rules->gate, rules->break_at, rules->retain,
									 rules->rewind, rules->shrink));
	keys = json_field(options, "keys");
	if (take_keys(&options) != NIL)
		*rules_json = json_merge(*rules_json, json_from(psprintf("{\"keys\": %s}", value_text(keys))));
	for (int i = 0; i < RULE_OPTIONS; i++)
		options = json_without(options, rule_options[i].name);
	if (has_horizon)
		options = with_horizon(options, horizon);
	parse_options(options, &cfg, &server);
	return options;
}

/* Whether no model can make sense of the last windows, as none had trouble with before. */
static bool
is_break(const Training *t)
{
	double		was = LEAST_ERROR;

	if (t->rules.break_at == 0 || isnan(t->live_was))
		return false;
	was = Max(was, t->live_was);
	if (!isnan(t->mix_was))
		was = Max(was, t->mix_was);
	return Min(Min(t->fresh.mase, t->old.mase), t->mix.mase) > t->rules.break_at * was;
}

/* Time of the last row of all series, `back` steps before it; false where rows have none. */
static bool
last_row(const rnn_model *m, int64 back, int64 *last)
{
	bool		found = false;

	if (m->clock.kind == RNN_CLOCK_NONE)
		return false;
	for (int i = 0; i < m->n_series; i++)
	{
		const rnn_series *s = &m->series[i];
		int64		at;

		if (s->n == 0)
			continue;
		at = clock_time(&m->clock, s->start, s->n - 1 - back);
		*last = found ? Max(*last, at) : at;
		found = true;
	}
	return found;
}

/* What is missing of the rows that the live version had; NULL: nothing. */
static char *
missing_rows(const Training *t)
{
	const rnn_model *live = t->live_model,
			   *history = t->history;
	double		left = 1 - t->rules.shrink;
	int64		was,
				allowed,
				is;

	if (t->points < left * live->points)
		return psprintf("the rows have " INT64_FORMAT " known points, the live version was trained on " INT64_FORMAT
						" (option \"shrink\" is %g)", t->points, (int64) live->points, t->rules.shrink);
	if (history->n_series < left * live->n_series)
		return psprintf("the rows have %d series, those of the live version had %d (option \"shrink\" is %g)",
						history->n_series, live->n_series, t->rules.shrink);
	if (!last_row(live, 0, &was) || !last_row(live, t->rules.rewind, &allowed) || !last_row(history, 0, &is))
		return NULL;
	is = clock_convert(&history->clock, &live->clock, is);
	if (is >= allowed)
		return NULL;
	return psprintf("the rows end at %s, those of the live version at %s (option \"rewind\" is %d)",
					clock_text(&live->clock, is), clock_text(&live->clock, was), t->rules.rewind);
}

/* What is not measured does not replace what was, unless measuring is not wanted. */
static bool
judge_unmeasured(Training *t)
{
	if (t->live == NULL)
		return true;
	if (t->rules.windows == 0)
		t->message = "not measured: option \"windows\" is 0";
	else if (isnan(t->live_was))
		t->message = "not measured: the series are too short, or only repeat themselves";
	else
	{
		t->outcome = "refused";
		t->message = psprintf("not measured: the series are too short, or only repeat themselves, and the live version had an error of %.3g",
							  t->live_was);
		return false;
	}
	return true;
}

static bool
decide(Training *t)
{
	char	   *missing = t->live ? missing_rows(t) : NULL;

	t->outcome = "promoted";
	if (missing)
	{
		t->outcome = "refused";
		t->message = missing;
		return false;
	}
	if (isnan(t->fresh.mase) || isnan(t->old.mase))
		return judge_unmeasured(t);
	if (is_break(t))
	{
		t->outcome = "refused";
		t->message = psprintf("the last rows are unlike those before: the error on them is %.3g for the live version, %.3g for the new "
							  "one and %.3g for the mix, and was %.3g for the live one before", t->old.mase, t->fresh.mase, t->mix.mase, t->live_was);
		return false;
	}
	if (t->fresh.mase > t->old.mase * (1 + t->rules.gate))
	{
		t->outcome = "refused";
		t->message = psprintf("the error on the last windows is %.3g for the new version, %.3g for the live one and %.3g for the mix",
							  t->fresh.mase, t->old.mase, t->mix.mase);
	}
	return true;
}

bool
judge_version(Training *t)
{
	bool		believed = decide(t);

	if (t->windows.measured < t->windows.measurable)
		t->message = psprintf("%s%sthe time ran out: only %d of %d series were judged", t->message ? t->message : "",
							  t->message ? "; " : "", t->windows.measured, t->windows.measurable);
	return believed;
}
