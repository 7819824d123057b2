/*
 * anomaly_options.c
 *		Options of rnn_anomalies: its own, seasons, and those of rnn_history.
 */
#include "pg/evaluate/evaluate.h"

#include <math.h>

#define MOST_ROWS 1e15
#define FEWEST_ALARMS 1e-6

enum { OWN_ALARMS, OWN_DIRECTION, OWN_GAP, OWN_LAST, OWN_LEAST, OWN_LEAST_SHARE, OWN_SEASONS, OWN_SINCE, OWN_OPTIONS };

static const char *const own_names[OWN_OPTIONS] = {
	"alarms", "direction", "gap", "last", "least", "least_share", "seasons", "since"
};

static int
own_option(const char *name)
{
	int			i = 0;

	while (i < OWN_OPTIONS && strcmp(name, own_names[i]) != 0)
		i++;
	return i;
}

static char *
text_value(const JsonbValue *v)
{
	return v->type == jbvString ? pnstrdup(v->val.string.val, v->val.string.len) : NULL;
}

/* From `least` on. */
static double
number_value(const char *name, const JsonbValue *v, bool whole, double least)
{
	double		x;

	if (v->type != jbvNumeric)
		wrong_value(name, whole ? "a whole number" : "a number", v);
	x = json_number(v);
	if (!(x >= least) || (whole && (x != rint(x) || x > MOST_ROWS)))
		wrong_value(name, psprintf("%s of %g or more", whole ? "a whole number" : "a number", least), v);
	return x;
}

static Direction
direction_option(const JsonbValue *v)
{
	static const char *const names[] = {[DIRECTION_BOTH] = "both",[DIRECTION_UP] = "up",[DIRECTION_DOWN] = "down"};
	const char *given = text_value(v);

	for (int i = 0; given && i < (int) lengthof(names); i++)
		if (strcmp(given, names[i]) == 0)
			return (Direction) i;
	wrong_value("direction", "\"up\", \"down\" or \"both\"", v);
	return DIRECTION_BOTH;
}

/* As a training has it. */
static void
seasons_option(Jsonb *options, AnomalyOptions *parsed)
{
	rnn_config	cfg;
	ServerOptions server;
	JsonbValue *v = json_field(options, "seasons");

	parse_options(json_from(psprintf("{\"seasons\": %s}", JsonbToCString(NULL, &JsonbValueToJsonb(v)->root, 0))),
				  &cfg, &server);
	parsed->n_seasons = Max(cfg.seasons_given, 0);
	memcpy(parsed->seasons, cfg.seasons, sizeof(parsed->seasons));
}

static void
set_option(AnomalyOptions *parsed, Jsonb *options, int option, const JsonbValue *v)
{
	const char *name = own_names[option];

	switch (option)
	{
		case OWN_ALARMS:
			parsed->alarms = number_value(name, v, false, FEWEST_ALARMS);
			break;
		case OWN_DIRECTION:
			parsed->direction = direction_option(v);
			break;
		case OWN_GAP:
			parsed->gap = (int64) number_value(name, v, true, 0);
			break;
		case OWN_LAST:
			parsed->last = (int64) number_value(name, v, true, 1);
			break;
		case OWN_LEAST:
			parsed->least = number_value(name, v, false, 0);
			break;
		case OWN_LEAST_SHARE:
			parsed->least_share = number_value(name, v, false, 0);
			break;
		case OWN_SEASONS:
			seasons_option(options, parsed);
			break;
		case OWN_SINCE:
			parsed->since = v->type == jbvNumeric ? psprintf("%.0f", json_number(v)) : text_value(v);
			if (parsed->since == NULL)
				wrong_value(name, "a time or a number", v);
			break;
	}
}

void
parse_anomaly_options(Jsonb *options, AnomalyOptions *parsed)
{
	JsonbIterator *it;
	JsonbValue	v;
	char	   *name;

	*parsed = (AnomalyOptions) {.gap = -1,.alarms = NAN};
	if (options == NULL)
		return;
	it = begin_options(options, "{\"last\": 24}");
	while ((name = next_option(&it, &v)) != NULL)
	{
		int			option = own_option(name);

		if (option < OWN_OPTIONS)
			set_option(parsed, options, option, &v);
		else if (!is_of_history(name))
			refuse_option(name, "rnn_anomalies", own_names, OWN_OPTIONS, ", and those of rnn_history.");
	}
	if (parsed->last > 0 && parsed->since)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options \"last\" and \"since\" cannot be used together"),
				 errhint("Pass one of them.")));
	parsed->tidying = history_options(options);
}
