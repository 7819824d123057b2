/*
 * option_table.c
 *		Options that only the server layer understands, and the rows of the view
 *		rnn_options.
 *
 * Those of the engine are in its own table, rnn_options.
 */
#include "pg/base/base.h"

#include <math.h>

#include "lib/stringinfo.h"
#include "utils/builtins.h"

const ServerOption server_options[SERVER_OPTIONS] = {
	[OPTION_BIN] = {"bin", "none | mean | sum | last | min | max | count", "none", NAN, NAN,
	"how readings within a step become one point; none: rows must lie on the grid of steps"},
	[OPTION_DUPLICATES] = {"duplicates", "error | mean | sum | min | max | last", "error", NAN, NAN,
	"what to do about several rows of one time; last needs ORDER BY in the call; with the option bin they are ordinary readings"},
	[OPTION_HIERARCHY] = {"hierarchy", "text | boolean | jsonb", "false", NAN, NAN,
	"series that are sums of others, and forecasts that add up: a separator of levels in names, true for \"/\", or an object of groups"},
	[OPTION_KEEP] = {"keep", "integer", "auto", 1, 100000000,
	"points of history that the model keeps; auto: what forecasts look at"},
	[OPTION_KNOWN_AHEAD] = {"known_ahead", "auto | all | none", "auto", NAN, NAN,
	"covariates that are known for the steps to forecast; auto: those that a row ahead has"},
	[OPTION_ON_ERROR] = {"on_error", "fail | skip | naive", "fail", NAN, NAN,
	"what to do about a series of a panel that cannot be used; rnn_series lists such series"},
	[OPTION_PROGRESS] = {"progress", "boolean", "false", NAN, NAN,
	"whether a training reports its progress in a NOTICE every few seconds"},
	[OPTION_STEP] = {"step", "interval | days of the week | bigint", "auto", NAN, NAN,
	"step of the series: '15 minutes', '1 month', weekdays, Mon-Sat, or an increment of numbered steps; auto: from the times"},
	[OPTION_TIMEZONE] = {"timezone", "text", "session", NAN, NAN,
	"zone of the wall clock for steps of days and months and for local_ts"},
};

const RuleOption rule_options[RULE_OPTIONS] = {
	[RULE_BREAK] = {"break", 4, 0, 1000000, false,
	"rnn_fit: the rows count as broken where all errors are this many times those of before; 0: never"},
	[RULE_GATE] = {"gate", 0, 0, 1000, false,
	"rnn_fit: share by which the error of a new version may be greater than that of the live one"},
	[RULE_RETAIN] = {"retain", 5, 1, 10000, true,
	"rnn_fit: how many of the latest versions are kept"},
	[RULE_REWIND] = {"rewind", 0, 0, 1000000, true,
	"rnn_fit: how many steps the new rows may end before those of the live version"},
	[RULE_SHRINK] = {"shrink", 0.2, 0, 1, false,
	"rnn_fit: share of the live version's points, or series, that the new rows may lack"},
	[RULE_WINDOWS] = {"windows", 3, 0, 100, true,
	"rnn_fit: how many of the last windows are held out to judge a version; 0: none"},
};

#define MOST_HIERARCHY 1000000	/* bytes */

/* A separator, true for the usual one, or groups, which are looked at where there are names. */
rnn_text
hierarchy_option(const JsonbValue *v)
{
	const char *name = server_options[OPTION_HIERARCHY].name;
	char	   *text;

	if (v->type == jbvNull || (v->type == jbvBool && !v->val.boolean))
		return (rnn_text) {0};
	if (!(v->type == jbvBool || (v->type == jbvString && v->val.string.len > 0) ||
		  (v->type == jbvBinary && JsonContainerSize(v->val.binary.data) > 0)))
		wrong_value(name, "a separator such as \"/\", true or false, or an object of groups", v);
	text = v->type == jbvBool ? "\"/\"" : value_text(v);
	if (strlen(text) > MOST_HIERARCHY)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("option \"%s\" must not be longer than %d bytes", name, MOST_HIERARCHY),
				 errhint("Name groups by the beginnings of names.")));
	return (rnn_text) {text, (int32) strlen(text)};
}

rnn_text
hierarchy_asked(Jsonb *options)
{
	JsonbValue *v = json_field(options, server_options[OPTION_HIERARCHY].name);

	return v ? hierarchy_option(v) : (rnn_text) {0};
}

static const char *
type_text(const rnn_option *o)
{
	StringInfoData text;

	switch (o->type)
	{
		case RNN_OPT_BOOL:
			return "boolean";
		case RNN_OPT_INT:
			return "integer";
		case RNN_OPT_BIGINT:
			return "bigint";
		case RNN_OPT_FLOAT:
			return "float8";
		case RNN_OPT_SEASONS:
			return "array of integers";
		case RNN_OPT_ENUM:
			break;
	}
	initStringInfo(&text);
	for (int i = 0; o->names[i]; i++)
		appendStringInfo(&text, "%s%s", i > 0 ? " | " : "", o->names[i]);
	return text.data;
}

static const char *
default_text(const rnn_option *o)
{
	if (o->automatic)
		return "auto";
	if (o->type == RNN_OPT_BOOL)
		return o->def != 0 ? "true" : "false";
	if (o->type == RNN_OPT_ENUM)
		return o->names[(int) o->def];
	return psprintf("%g", o->def);
}

static void
put_option(Tuples *rows, const char *name, const char *type, const char *def,
		   double min, double max, const char *description)
{
	MemoryContext old = MemoryContextSwitchTo(rows->scratch);
	Datum		values[6] = {CStringGetTextDatum(name), CStringGetTextDatum(type), CStringGetTextDatum(def),
		Float8GetDatum(min), Float8GetDatum(max), CStringGetTextDatum(description)};
	bool		nulls[6] = {false, false, false, isnan(min), isnan(max), false};

	MemoryContextSwitchTo(old);
	tuples_put(rows, values, nulls);
}

/* () -> rows (name, type, default, min, max, description) */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_option_rows);
Datum
rnnforecast_rnn_option_rows(PG_FUNCTION_ARGS)
{
	Tuples		rows;

	tuples_begin(&rows, fcinfo, 6);
	for (int i = 0; i < rnn_option_count; i++)
	{
		const rnn_option *o = &rnn_options[i];
		bool		ranged = o->type != RNN_OPT_BOOL && o->type != RNN_OPT_ENUM;

		put_option(&rows, o->name, type_text(o), default_text(o),
				   ranged ? o->min : NAN, ranged ? o->max : NAN, o->description);
	}
	for (int i = 0; i < SERVER_OPTIONS; i++)
	{
		const ServerOption *o = &server_options[i];

		put_option(&rows, o->name, o->type, o->def, o->min, o->max, o->description);
	}
	put_option(&rows, "keys", "array of text", "none", NAN, NAN,
			   "functions that take a query: its columns that together name a series; forecasts return them in the column key");
	for (int i = 0; i < RULE_OPTIONS; i++)
	{
		const RuleOption *o = &rule_options[i];

		put_option(&rows, o->name, o->whole ? "integer" : "float8", psprintf("%g", o->def), o->min, o->max, o->description);
	}
	return (Datum) 0;
}
