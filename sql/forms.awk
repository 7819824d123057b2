# forms.awk: writes the forms of rnn_train and rnn_history.
#
#	awk -f sql/forms.awk sql/rnnforecast.sql > sql/rnnforecast--1.0.sql
#
# The line "@forms@" becomes every transition function and every aggregate.
# They are of one pattern: the rows of one series or of many, by one type of
# time or by numbered steps, with or without covariates and options.  So a
# change of what they have in common is made in one place.

BEGIN {
	n_times = split("date timestamp timestamptz", times)
	n_keys = split("text anyelement", keys)
	n_aggregates = split("train history", aggregates)
	verb["train"] = "trains a model on"
	verb_many["train"] = "trains one model on"
	verb["history"] = verb_many["history"] = "collects"
}

# Names and types of a form: those of its arguments, what it takes and how it
# is described.  `key` is the type of the series' names, "" for one series;
# `time` is a type, "step", or "" for an ordered column.
function form(key, time, covariates, options)
{
	args = types = ""
	if (key)
		add("series", key)
	if (time == "step")
		add("step", "bigint")
	else if (time)
		add("ts", time)
	add("value", "float8")
	if (covariates)
		add("covariates", "jsonb")
	if (options)
		add("options", "jsonb")
	collect = "_rnn_collect" (covariates ? "_covariates" : "") (key ? "_series" : "") "_" (time ? time : "ordered")
	if (!time)
		rows = "the values of an ordered column; call with ORDER BY"
	else
		rows = (key ? "many" : "one") " series of " (time == "step" && !covariates ? "steps" : "times") \
			(covariates ? ", values and covariates" : " and values")
}

function add(name, type)
{
	args = args ", " name " " type
	types = types ", " type
}

function transition(key, covariates)
{
	printf "CREATE FUNCTION %s(state bytea%s) RETURNS bytea\n", collect, args
	symbol = substr(collect, 2)
	if (key == "anyelement")
		sub(/_series_/, "_any_", symbol)
	printf "\tAS 'MODULE_PATHNAME', 'rnnforecast_%s' LANGUAGE C %s PARALLEL SAFE;\n", symbol,
		key == "anyelement" ? "STABLE" : "IMMUTABLE"
	printf "COMMENT ON FUNCTION %s(bytea%s) IS\n", collect, types
	printf "\t'internal: adds a row%s%s to the state of rnn_train and rnn_history';\n\n",
		key ? " of a series" : "", covariates ? " with covariates" : ""
}

# An ordered column has no combine function: its order would be lost.
function aggregate(name, key, time)
{
	printf "CREATE AGGREGATE rnn_%s(%s) (\n", name, substr(args, 3)
	printf "\tSFUNC = %s, STYPE = bytea, SSPACE = 65536,\n", collect
	printf "\tFINALFUNC = _rnn_%s_final,%s PARALLEL = SAFE\n);\n", name, time ? " COMBINEFUNC = _rnn_collect_combine," : ""
	printf "COMMENT ON AGGREGATE rnn_%s(%s) IS\n\t'%s %s';\n\n", name, substr(types, 3),
		key ? verb_many[name] : verb[name], rows
}

function write(name, key, time, covariates, options)
{
	form(key, time, covariates, options)
	if (name)
		aggregate(name, key, time)
	else
		transition(key, covariates)
}

# Every form; covariates never come without options.
function write_all(name,    i, k)
{
	write(name, "", "", 0, 0)
	write(name, "", "", 0, 1)
	for (i = 1; i <= n_times + 1; i++)
	{
		time = i <= n_times ? times[i] : "step"
		for (k = 0; k <= n_keys; k++)
		{
			# A lone bigint before the value would swallow a count and its options.
			if (k == 0 && time == "step")
				continue
			write(name, k ? keys[k] : "", time, 0, 0)
			write(name, k ? keys[k] : "", time, 0, 1)
			write(name, k ? keys[k] : "", time, 1, 1)
		}
	}
}

$0 == "@forms@" {
	write_all("")
	for (a = 1; a <= n_aggregates; a++)
		write_all(aggregates[a])
	next
}

{ print }
