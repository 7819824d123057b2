/*
 * query_columns.c
 *		Which column of a query is what, and the call of an aggregate on its rows.
 *
 * Columns go by their names where there are "ts" and "value": "series" names
 * the series, all others are covariates, in any order.  Else one to three
 * columns go by their order, as long as none of these names stands in
 * another's place.  Numbered steps of a panel may also be named "step".  Columns
 * that the option "keys" names make the name of the series, one JSON object.
 *
 * The query becomes a subquery that renames all of its columns, so PostgreSQL
 * itself finds the overload for their types, and no name needs quotes.
 *
 * Others may have overloads in the extension's schema, which would run with
 * the rights of whoever forecasts.  So arguments are cast to the exact types of
 * ours, where these are known, and what was found is looked at before it runs.
 */
#include "pg/forecast/forecast.h"

#include "access/htup_details.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "parser/parse_coerce.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
#include "utils/regproc.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

#define MOST_PAIRS 45			/* of names and columns in one call */

static const char *const usual[] = {[COLUMN_SERIES] = "series",[COLUMN_TIME] = "ts",[COLUMN_VALUE] = "value"};

/* The name of a table, or of a model, in the place of a query. */
static void
refuse_name(const char *query)
{
	List	   *names;

	if (!SplitIdentifierString(pstrdup(query), '.', &names) || names == NIL)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("query must be one SELECT, not the name '%s'", query),
			 errhint("For a table or view, write 'TABLE %s', or name its columns: 'SELECT day AS ts, amount AS value FROM %s'. "
					 "Named models have functions of their own, such as rnn_forecast_model.", query, query)));
}

SPIPlanPtr
prepare_select(const char *query, int count, Oid *types, CachedPlanSource **found)
{
	SPIPlanPtr	plan;
	List	   *sources;
	CachedPlanSource *source;

	refuse_name(query);
	plan = SPI_prepare_cursor(query, count, types, CURSOR_OPT_PARALLEL_OK);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare: %s", SPI_result_code_string(SPI_result));
	sources = SPI_plan_get_plan_sources(plan);
	source = list_length(sources) == 1 ? linitial(sources) : NULL;
	if (source == NULL || source->commandTag != CMDTAG_SELECT || source->resultDesc == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("query must be one SELECT, not %s",
						source ? GetCommandTagName(source->commandTag) :
						psprintf("%d statements", list_length(sources)))));
	*found = source;
	return plan;
}

static TupleDesc
describe(const char *query)
{
	CachedPlanSource *source;
	SPIPlanPtr	plan = prepare_select(query, 0, NULL, &source);
	TupleDesc	desc = CreateTupleDescCopy(source->resultDesc);

	SPI_freeplan(plan);
	return desc;
}

/* Number of the column of that name, from 1; 0 where there is none. */
static int
column_named(TupleDesc desc, const char *name)
{
	int			found = 0;

	for (int i = 0; i < desc->natts; i++)
	{
		if (strcmp(NameStr(TupleDescAttr(desc, i)->attname), name) != 0)
			continue;
		if (found)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("query has two columns named \"%s\"", name),
					 errhint("Rename one of them.")));
		found = i + 1;
	}
	return found;
}

static bool
has_series(const QueryColumns *c)
{
	return c->at[COLUMN_SERIES] > 0 || c->n_keys > 0;
}

bool
is_key(const QueryColumns *c, int column)
{
	for (int k = 0; k < c->n_keys; k++)
		if (c->keys[k] == column)
			return true;
	return false;
}

static void
find_keys(TupleDesc desc, List *keys, QueryColumns *c)
{
	ListCell   *cell;

	c->keys = palloc(sizeof(int) * Max(list_length(keys), 1));
	foreach(cell, keys)
	{
		const char *name = lfirst(cell);
		int			column = column_named(desc, name);

		if (column == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("query has no column \"%s\"", name),
					 errdetail("The option \"keys\" names it.")));
		if (is_key(c, column))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("option \"keys\" names column \"%s\" twice", name)));
		c->keys[c->n_keys++] = column;
	}
}

/* False where there are not both a time and a value by these names. */
static bool
find_by_name(TupleDesc desc, QueryColumns *c)
{
	c->at[COLUMN_VALUE] = column_named(desc, "value");
	c->at[COLUMN_SERIES] = column_named(desc, "series");
	c->at[COLUMN_TIME] = column_named(desc, "ts");
	if (c->at[COLUMN_TIME] == 0 && has_series(c))
		c->at[COLUMN_TIME] = column_named(desc, "step");
	return c->at[COLUMN_TIME] > 0 && c->at[COLUMN_VALUE] > 0;
}

static void
refuse_columns(const char *why, const char *more)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s", why),
			 errdetail("Columns are found by the names series, ts and value. Where there is no ts and no value, they are taken by their order: value; time and value; or series, time and value."),
			 errhint("Name them: SELECT shop AS series, day AS ts, amount AS value.%s", more)));
}

/* Beside the keys a time and a value. */
static void
find_beside_keys(TupleDesc desc, QueryColumns *c)
{
	int			role = COLUMN_TIME;

	if (desc->natts != c->n_keys + 2)
		refuse_columns(psprintf("query has %d columns besides its keys, but not both ts and value", desc->natts - c->n_keys), "");
	for (int i = 1; i <= desc->natts; i++)
		if (!is_key(c, i))
			c->at[role++] = i;
}

static void
find_by_order(TupleDesc desc, QueryColumns *c)
{
	int			n = desc->natts;

	if (c->n_keys > 0)
	{
		find_beside_keys(desc, c);
		return;
	}
	if (n < 1 || n > COLUMN_ROLES)
		refuse_columns(psprintf("query has %d columns, but not both ts and value", n),
					   n > COLUMN_ROLES ? " If several columns name a series, list them in the option \"keys\"." : "");
	for (int role = 0; role < COLUMN_ROLES; role++)
		c->at[role] = Max(role + 1 + n - COLUMN_ROLES, 0);
	for (int role = 0; role < COLUMN_ROLES; role++)
	{
		int			named = column_named(desc, usual[role]);

		if (named > 0 && named != c->at[role])
			refuse_columns(psprintf("column \"%s\" of the query is in the place of another column", usual[role]), "");
	}
}

static void
refuse_type(TupleDesc desc, int column, const char *wanted)
{
	Form_pg_attribute a = TupleDescAttr(desc, column - 1);
	bool		whole = a->atttypid == INT2OID || a->atttypid == INT4OID || a->atttypid == INT8OID;

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("column \"%s\" of the query must be %s, not %s", NameStr(a->attname), wanted,
					format_type_be(a->atttypid)),
			 whole ? errhint("For a year write make_date(year, 1, 1), for seconds to_timestamp(seconds). Numbered steps need a series: "
							 "SELECT 'all' AS series. If the time is another column, name it: SELECT day AS ts, amount AS value.") :
			 errhint("Cast it, or name the columns: SELECT shop AS series, day AS ts, amount AS value.")));
}

/* Before the overload is looked for, whose absence would be named by functions that nobody called. */
static void
check_types(TupleDesc desc, const QueryColumns *c)
{
	int			time = c->at[COLUMN_TIME];
	Oid			value = TupleDescAttr(desc, c->at[COLUMN_VALUE] - 1)->atttypid,
				number = FLOAT8OID;

	if (time > 0)
	{
		Oid			type = getBaseType(TupleDescAttr(desc, time - 1)->atttypid);
		bool		step = has_series(c) && (type == INT2OID || type == INT4OID || type == INT8OID);

		if (type != DATEOID && type != TIMESTAMPOID && type != TIMESTAMPTZOID && !step)
			refuse_type(desc, time, has_series(c) ? "a date, timestamp, timestamptz or bigint" :
						"a date, timestamp or timestamptz");
	}
	if (!can_coerce_type(1, &value, &number, COERCION_IMPLICIT))
		refuse_type(desc, c->at[COLUMN_VALUE], "a number");
}

/*
 * Types that are written by one rule whatever a session has set, so that a
 * cast names the series as the form for any type does.  A distributed planner
 * splits forms for text alone, since it calls the parts without types.
 */
static bool
plain_text(Oid type)
{
	return type == INT2OID || type == INT4OID || type == INT8OID || type == NUMERICOID || type == UUIDOID ||
		type == OIDOID || TypeCategory(type) == TYPCATEGORY_STRING;
}

/* So that no overload is nearer than ours; series of other types have a form for any type. */
static const char *
exact_cast(TupleDesc desc, const QueryColumns *c, ColumnRole role)
{
	Oid			type = c->at[role] > 0 ? getBaseType(TupleDescAttr(desc, c->at[role] - 1)->atttypid) : InvalidOid;

	if (role == COLUMN_VALUE)
		return "::pg_catalog.float8";
	if (role == COLUMN_SERIES)
		return OidIsValid(type) && plain_text(type) ? "::pg_catalog.text" : "";
	return type == DATEOID ? "::pg_catalog.date" : type == TIMESTAMPOID ? "::pg_catalog.timestamp" :
		type == TIMESTAMPTZOID ? "::pg_catalog.timestamptz" : "::pg_catalog.int8";
}

char *
without_semicolon(const char *query)
{
	char	   *copy = pstrdup(query);
	int			len = strlen(copy);

	while (len > 0 && strchr("; \t\r\n", copy[len - 1]) != NULL)
		copy[--len] = 0;
	return copy;
}

void
query_columns(const char *query, List *keys, QueryColumns *c)
{
	TupleDesc	desc;

	memset(c, 0, sizeof(*c));
	c->query = without_semicolon(query);
	desc = describe(c->query);
	c->count = desc->natts;
	find_keys(desc, keys, c);
	if (!find_by_name(desc, c))
		find_by_order(desc, c);
	if (c->n_keys > 0 && c->at[COLUMN_SERIES] > 0)
		refuse_columns("option \"keys\" and a column \"series\" cannot be used together", "");
	if (is_key(c, c->at[COLUMN_TIME]) || is_key(c, c->at[COLUMN_VALUE]))
		refuse_columns("a key cannot be the time or the value", "");
	check_types(desc, c);
	for (int role = 0; role < COLUMN_ROLES; role++)
		c->casts[role] = exact_cast(desc, c, role);
	c->names = palloc0(sizeof(char *) * Max(c->count, 1));
	for (int i = 1; i <= c->count; i++)
		if (i != c->at[COLUMN_SERIES] && i != c->at[COLUMN_TIME] && i != c->at[COLUMN_VALUE])
		{
			c->names[i - 1] = pstrdup(NameStr(TupleDescAttr(desc, i - 1)->attname));
			column_named(desc, c->names[i - 1]);	/* not twice */
			c->covariates |= !is_key(c, i);
		}
}

/* One JSON object of the columns that are keys, or covariates; functions take 100 arguments at most. */
static void
append_object(StringInfo s, const QueryColumns *c, bool keys)
{
	int			n = 0;

	for (int i = 0; i < c->count; i++)
	{
		if (c->names[i] == NULL || is_key(c, i + 1) != keys)
			continue;
		if (n % MOST_PAIRS == 0)
			appendStringInfo(s, "%spg_catalog.jsonb_build_object(", n > 0 ? ") OPERATOR(pg_catalog.||) " : "");
		appendStringInfo(s, "%s%s::pg_catalog.text, q.c%d", n % MOST_PAIRS > 0 ? ", " : "",
						 quote_literal_cstr(c->names[i]), i + 1);
		n++;
	}
	appendStringInfoChar(s, ')');
}

static const char *
column_text(const QueryColumns *c, ColumnRole role)
{
	return psprintf("q.c%d%s", c->at[role], c->casts[role]);
}

/* "SELECT schema.aggregate(columns, arguments) AS m FROM (query) ...", with a count of its rows where that is asked; arguments may be "". */
static char *
query_call(const QueryColumns *c, Oid schema, const char *aggregate, const char *arguments)
{
	const char *order = c->at[COLUMN_TIME] > 0 ? "" : " ORDER BY q.n";
	const char *comma = "";
	StringInfoData s;

	initStringInfo(&s);
	appendStringInfo(&s, "SELECT %s.%s(", schema_name(schema), aggregate);
	if (c->n_keys > 0)
	{
		append_object(&s, c, true);
		comma = ", ";
	}
	for (int role = 0; role < COLUMN_ROLES; role++)
		if (c->at[role] > 0)
		{
			appendStringInfo(&s, "%s%s", comma, column_text(c, role));
			comma = ", ";
		}
	if (c->covariates)
	{
		appendStringInfoString(&s, ", ");
		append_object(&s, c, false);
		/* Options stand behind covariates, there or not. */
		arguments = *arguments ? arguments : "NULL::pg_catalog.jsonb";
	}
	appendStringInfo(&s, "%s%s%s) AS m%s FROM (", *arguments ? ", " : "", arguments, order, c->rows ? ", pg_catalog.count(*)" : "");
	if (c->at[COLUMN_TIME] == 0)
		appendStringInfoString(&s, "SELECT p.*, pg_catalog.row_number() OVER () AS n FROM (");
	/* The line break ends a comment at the end of the query. */
	appendStringInfo(&s, "%s\n) AS %c (", c->query, c->at[COLUMN_TIME] > 0 ? 'q' : 'p');
	for (int i = 1; i <= c->count; i++)
		appendStringInfo(&s, "%sc%d", i > 1 ? ", " : "", i);
	appendStringInfoString(&s, c->at[COLUMN_TIME] > 0 ? ")" : ")) AS q");
	return s.data;
}

/* ------------------------------------------------------------ the aggregate */

static Oid
function_owner(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", function);
	owner = ((Form_pg_proc) GETSTRUCT(tuple))->proowner;
	ReleaseSysCache(tuple);
	return owner;
}

/* The owner of a trusted extension may add a function to it, but not one of the superuser whose script made it. */
static bool
same_origin(Oid called, Oid function)
{
	return getExtensionOfObject(ProcedureRelationId, called) == getExtensionOfObject(ProcedureRelationId, function) &&
		function_owner(called) == function_owner(function);
}

/* What a statement of query_call calls must be an aggregate of ours. */
static void
check_aggregate(const CachedPlanSource *source, Oid function, const char *aggregate)
{
	Query	   *query = linitial_node(Query, source->query_list);
	Expr	   *expr = linitial_node(TargetEntry, query->targetList)->expr;
	Oid			called = IsA(expr, Aggref) ? ((Aggref *) expr)->aggfnoid :
		IsA(expr, FuncExpr) ? ((FuncExpr *) expr)->funcid : InvalidOid;

	if (!OidIsValid(called))
		elog(ERROR, "the call of %s is node %d", aggregate, (int) nodeTag(expr));
	if (IsA(expr, Aggref) && same_origin(called, function))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
			 errmsg("function %s hides the aggregate %s", format_procedure(called), aggregate),
			 errdetail("It fits the columns of the query better, but is not a part of the extension. Its owner is \"%s\".",
					   GetUserNameFromId(function_owner(called), false)),
			 errhint("Drop it, or move it to another schema.")));
}

/* Takes the one row, its value to memory of the caller of SPI_connect. */
typedef struct OneValue
{
	DestReceiver receiver;
	bytea	   *value;			/* NULL: null */
	int64	   *count;			/* the second column goes here, if there is one */
} OneValue;

static void
begin_rows(DestReceiver *self, int operation, TupleDesc desc)
{
	if (TupleDescAttr(desc, 0)->atttypid != BYTEAOID)
		elog(ERROR, "an aggregate of rnnforecast returns no bytea");
}

static bool
take_row(TupleTableSlot *slot, DestReceiver *self)
{
	OneValue   *one = (OneValue *) self;
	bool		null;
	Datum		value = slot_getattr(slot, 1, &null);

	if (!null)
	{
		bytea	   *bytes = DatumGetByteaP(value);

		one->value = memcpy(SPI_palloc(VARSIZE(bytes)), bytes, VARSIZE(bytes));
	}
	if (one->count)
		*one->count = DatumGetInt64(slot_getattr(slot, 2, &null));
	return true;
}

static void
end_rows(DestReceiver *self)
{
}

/* To its end at once: a portal that is fetched from has no workers, even where its plan was made for some. */
static bytea *
run(PlannedStmt *statement, const char *text, int64 *count)
{
	OneValue	one = {.receiver = {take_row, begin_rows, end_rows, end_rows, DestNone},.count = count};
	QueryDesc  *query;

	if (!CommandIsReadOnly(statement))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a query whose rows are forecast must be read-only"),
				 errhint("Leave out FOR UPDATE and other locks of rows.")));
	query = CreateQueryDesc(statement, text, GetActiveSnapshot(), InvalidSnapshot, &one.receiver, NULL, NULL, 0);
	ExecutorStart(query, 0);
#if PG_VERSION_NUM >= 180000
	ExecutorRun(query, ForwardScanDirection, 0);
#else
	ExecutorRun(query, ForwardScanDirection, 0, true);
#endif
	ExecutorFinish(query);
	ExecutorEnd(query);
	FreeQueryDesc(query);
	return one.value;
}

/* What is looked at is what runs: a statement that is planned again may find another function. */
bytea *
query_aggregate(const QueryColumns *c, Oid function, const char *aggregate, Jsonb *options)
{
	/* No parameter: planners of distributed tables want to see what is in the call. */
	char	   *call = query_call(c, get_func_namespace(function), aggregate, options ?
								  psprintf("%s::pg_catalog.jsonb", quote_literal_cstr(JsonbToCString(NULL, &options->root, VARSIZE(options)))) : "");
	CachedPlanSource *source;
	SPIPlanPtr	prepared = prepare_select(call, 0, NULL, &source);
	CachedPlan *plan = SPI_plan_get_cached_plan(prepared);
	bytea	   *result;

	if (plan == NULL)
		elog(ERROR, "there is no plan for %s", aggregate);
	check_aggregate(source, function, aggregate);
	result = run(linitial_node(PlannedStmt, plan->stmt_list), call, c->rows);
	ReleaseCachedPlan(plan, NULL);
	SPI_freeplan(prepared);
	return result;
}

/* (query, aggregate, arguments) -> the statement that calls the aggregate on the query's rows */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_query_call);
Datum
rnnforecast_rnn_query_call(PG_FUNCTION_ARGS)
{
	char	   *query = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char	   *aggregate = text_to_cstring(PG_GETARG_TEXT_PP(1));
	char	   *arguments = text_to_cstring(PG_GETARG_TEXT_PP(2));
	QueryColumns columns;
	char	   *call,
			   *result;

	if (strcmp(aggregate, "rnn_train") != 0 && strcmp(aggregate, "rnn_history") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"aggregate\" cannot be \"%s\"", aggregate),
				 errdetail("Allowed values are \"rnn_train\" and \"rnn_history\".")));
	SPI_connect();
	query_columns(query, NIL, &columns);
	call = query_call(&columns, get_func_namespace(fcinfo->flinfo->fn_oid), aggregate, arguments);
	result = SPI_palloc(strlen(call) + 1);
	strcpy(result, call);
	SPI_finish();
	PG_RETURN_TEXT_P(cstring_to_text(result));
}
