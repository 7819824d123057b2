/*
 * refusal.c
 *		Calls of rnn_train and rnn_history whose arguments fit no form.
 *
 * PostgreSQL would only say that there is no such function.  An aggregate that
 * takes any two arguments or more is found where none of the others is, and says
 * what is wrong with them: an exact or a preferred type of any other form is
 * nearer, so no call that has a form comes here.
 */
#include "pg/collect/collect.h"

#include "catalog/pg_type.h"
#include "nodes/primnodes.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#define MOST_ARGS 8

/* What an argument may be meant for. */
typedef enum Meaning
{
	MEANS_TIME, MEANS_NUMBER, MEANS_TEXT, MEANS_JSONB, MEANS_JSON, MEANS_OTHER
} Meaning;

typedef struct Refused
{
	const char *aggregate;		/* its name */
	int			n;
	Oid			types[MOST_ARGS];
	Meaning		means[MOST_ARGS];	/* MEANS_OTHER behind the last */
} Refused;

static Meaning
meaning_of(Oid type)
{
	Oid			base = getBaseType(type),
				number = FLOAT8OID;

	if (base == DATEOID || base == TIMESTAMPOID || base == TIMESTAMPTZOID)
		return MEANS_TIME;
	if (base == JSONBOID || base == JSONOID)
		return base == JSONBOID ? MEANS_JSONB : MEANS_JSON;
	if (base == UNKNOWNOID || TypeCategory(base) == TYPCATEGORY_STRING)
		return MEANS_TEXT;
	return can_coerce_type(1, &base, &number, COERCION_IMPLICIT) ? MEANS_NUMBER : MEANS_OTHER;
}

static _Noreturn void
refuse(const Refused *r, const char *detail, const char *hint)
{
	StringInfoData types;

	initStringInfo(&types);
	for (int i = 0; i < r->n; i++)
		appendStringInfo(&types, "%s%s", i > 0 ? ", " : "", format_type_be(r->types[i]));
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_FUNCTION),
			 errmsg("there is no form %s(%s)", r->aggregate, types.data),
			 errdetail("%s", detail), errhint("%s", hint)));
}

/* "rnn_train(series, ts" or without a series, how the right call begins. */
static const char *
beginning(const Refused *r, int time)
{
	return psprintf("%s(%sts", r->aggregate, time > 0 ? "series, " : "");
}

static void
refuse_json(const Refused *r)
{
	for (int i = 0; i < r->n; i++)
		if (r->means[i] == MEANS_JSON)
			refuse(r, "Options and covariates are of type jsonb, not json.", "Cast them with ::jsonb.");
}

/* What stands behind a time must be a value, and behind that JSON. */
static void
refuse_behind_time(const Refused *r, int time)
{
	const char *begin = beginning(r, time);
	int			value = time + 1,
				json = time + 2;

	if (r->means[value] != MEANS_NUMBER)
		refuse(r, psprintf("The value must be a number, not %s.", format_type_be(r->types[value])),
			   psprintf("Cast it: %s, value::%s).", begin, r->types[value] == BOOLOID ? "int" : "numeric"));
	if (r->n > json && r->means[json] != MEANS_JSONB)
		refuse(r, psprintf("After the value come options, or covariates and options, of type jsonb, not %s.", format_type_be(r->types[json])),
			   psprintf("A horizon is an option: %s, value, '{\"horizon\": 24}'). A covariate is a field of an object: "
						"%s, value, jsonb_build_object('price', price), NULL).", begin, begin));
}

/* No argument is in the place of a time; something else is. */
static void
refuse_no_time(const Refused *r)
{
	const char *name = r->aggregate;

	if (r->means[0] == MEANS_NUMBER && r->means[1] == MEANS_TIME)
		refuse(r, "The time comes after the value.", psprintf("The time comes first: %s(ts, value).", name));
	if (r->means[2] == MEANS_TIME)
		refuse(r, "The time comes after the value.", psprintf("The order is %s(series, ts, value).", name));
	if (r->means[1] == MEANS_TEXT && r->means[2] == MEANS_NUMBER)
		refuse(r, "The time must be a date, timestamp or timestamptz, not text.", psprintf("Cast it: %s(series, ts::date, value).", name));
	if (r->means[1] == MEANS_NUMBER && r->means[2] == MEANS_NUMBER)
		refuse(r, psprintf("The number of a step must be a bigint, not %s.", format_type_be(r->types[1])),
			   psprintf("Cast it: %s(series, step::bigint, value). Make a time of seconds with to_timestamp(seconds).", name));
	if (r->means[0] == MEANS_TEXT && r->n > 1)
		refuse(r, "The time must be a date, timestamp or timestamptz, not text.",
			   psprintf("Cast it: %s(ts::date, value). For many series the name comes first: %s(series, ts, value).", name, name));
	if (r->means[0] == MEANS_NUMBER && r->means[1] == MEANS_NUMBER)
		refuse(r, "The time must be a date, timestamp or timestamptz, not a number.",
			   psprintf("Make one with to_timestamp(seconds) or make_date(year, 1, 1). Values that are in order need no time: "
						"%s(value ORDER BY n). Numbered steps need a series: %s('all', step, value).", name, name));
}

/* (state, any arguments) -> an error that says what is wrong with them; also the final function, where there are no rows */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_refuse);
Datum
rnnforecast_rnn_refuse(PG_FUNCTION_ARGS)
{
	Aggref	   *aggref = AggGetAggref(fcinfo);
	Refused		r = {.aggregate = aggref ? get_func_name(aggref->aggfnoid) : "rnn_train"};
	ListCell   *cell;

	for (int i = 0; i < MOST_ARGS; i++)
		r.means[i] = MEANS_OTHER;
	if (aggref)
		foreach(cell, aggref->aggargtypes)
			if (r.n < MOST_ARGS - 1)
			{
				r.types[r.n] = lfirst_oid(cell);
				r.means[r.n++] = meaning_of(lfirst_oid(cell));
			}
	refuse_json(&r);
	if (r.means[0] == MEANS_TIME && r.means[1] != MEANS_TIME)
		refuse_behind_time(&r, 0);
	else if (r.means[1] == MEANS_TIME && r.n > 2 && !(r.means[0] == MEANS_NUMBER && r.means[2] == MEANS_JSONB))
		refuse_behind_time(&r, 1);
	else if (r.n > 1)
		refuse_no_time(&r);
	refuse(&r, "No form has arguments of these types.",
		   psprintf("Call %s(ts, value [, options]), %s(value [, options] ORDER BY ...), or for many series %s(series, ts, value [, options]); with covariates %s([series,] ts, value, covariates, options).",
					r.aggregate, r.aggregate, r.aggregate, r.aggregate));
}
