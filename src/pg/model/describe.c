/*
 * describe.c
 *		rnn_describe: what rnn_info knows, as rows in the order in which people ask.
 */
#include "pg/model/model.h"

#include "utils/builtins.h"

/* What comes first, as rnn_info calls it; the rest follows as jsonb has it, and options at the end. */
static const char *const first[] = {
	"summary", "kind", "series", "points", "first", "last", "time", "step", "bin", "timezone", "gaps", "sampled", "horizon",
	"seasons", "seasons_detected", "calendar", "covariates", "regression", "prior", "network", "validation", "accuracy", "coverage",
	"calibration", "stopped_by_time", "format"
};

/* Long lists of figures, for rnn_info alone. */
static const char *const left_out[] = {"calibration.factors", "calibration.correction"};

static bool
is_among(const char *name, const char *const *names, int count)
{
	for (int i = 0; i < count; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static bool
is_object(const JsonbValue *v)
{
	return v->type == jbvBinary && JsonContainerIsObject(v->val.binary.data);
}

static void
put_item(Tuples *rows, const char *name, const JsonbValue *v)
{
	MemoryContext old = MemoryContextSwitchTo(rows->scratch);
	char	   *text = v->type == jbvString ? pnstrdup(v->val.string.val, v->val.string.len) : value_text(v);
	Datum		values[2] = {CStringGetTextDatum(name), CStringGetTextDatum(text)};
	bool		nulls[2] = {false, v->type == jbvNull};

	MemoryContextSwitchTo(old);
	tuples_put(rows, values, nulls);
}

/* A value, or each of an object's, whose names get its own in front. */
static void
put_items(Tuples *rows, const char *name, const JsonbValue *v)
{
	JsonbIterator *it;
	JsonbValue	item;
	JsonbIteratorToken token;
	char	   *inner = NULL;

	if (is_among(name, left_out, lengthof(left_out)))
		return;
	if (!is_object(v))
	{
		put_item(rows, name, v);
		return;
	}
	it = JsonbIteratorInit(v->val.binary.data);
	while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			inner = psprintf("%s.%s", name, pnstrdup(item.val.string.val, item.val.string.len));
		else if (token == WJB_VALUE)
			put_items(rows, inner, &item);
	}
}

/* (model) -> rows (item, value) */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_describe);
Datum
rnnforecast_rnn_describe(PG_FUNCTION_ARGS)
{
	Jsonb	   *info = model_info(fetch_model(fcinfo, 0, true));
	JsonbIterator *it = JsonbIteratorInit(&info->root);
	JsonbValue	v,
			   *options = json_field(info, "options");
	Tuples		rows;
	char	   *name;

	tuples_begin(&rows, fcinfo, 2);
	for (size_t i = 0; i < lengthof(first); i++)
	{
		JsonbValue *known = json_field(info, first[i]);

		if (known)
			put_items(&rows, first[i], known);
	}
	while ((name = next_option(&it, &v)) != NULL)
		if (strcmp(name, "options") != 0 && !is_among(name, first, lengthof(first)))
			put_items(&rows, name, &v);
	if (options)
		put_items(&rows, "options", options);
	return (Datum) 0;
}
