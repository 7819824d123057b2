/*
 * partial_agg.c
 *		Calls the parts of an aggregate as the planner of a distributed database
 *		does: the transition function on the nodes, by its OID alone, the state
 *		sent as text, then the combine and final functions elsewhere.  None of
 *		these calls has an expression tree.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_aggregate.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/syscache.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(partial_step);
PG_FUNCTION_INFO_V1(partial_end);
PG_FUNCTION_INFO_V1(combined_step);
PG_FUNCTION_INFO_V1(combined_end);

typedef struct State
{
	Oid			aggregate;
	NullableDatum value;
} State;

static State *
state_of(FunctionCallInfo fcinfo)
{
	MemoryContext context;
	State	   *state;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "called outside of an aggregate");
	if (!PG_ARGISNULL(0))
		return (State *) PG_GETARG_POINTER(0);
	state = MemoryContextAllocZero(context, sizeof(State));
	state->aggregate = PG_GETARG_OID(1);
	state->value.isnull = true;
	return state;
}

static Datum
call(FunctionCallInfo outer, Oid function, const NullableDatum *args, int n, bool *isnull)
{
	LOCAL_FCINFO(fcinfo, FUNC_MAX_ARGS);
	FmgrInfo	info;
	Datum		result;

	fmgr_info(function, &info);
	InitFunctionCallInfoData(*fcinfo, &info, n, outer->fncollation, outer->context, outer->resultinfo);
	memcpy(fcinfo->args, args, sizeof(NullableDatum) * n);
	result = FunctionCallInvoke(fcinfo);
	*isnull = fcinfo->isnull;
	return result;
}

static FormData_pg_aggregate
parts_of(Oid aggregate)
{
	HeapTuple	tuple = SearchSysCache1(AGGFNOID, ObjectIdGetDatum(aggregate));
	FormData_pg_aggregate parts;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "function %u is no aggregate", aggregate);
	parts = *(Form_pg_aggregate) GETSTRUCT(tuple);
	ReleaseSysCache(tuple);
	return parts;
}

/* (internal, aggregate, its arguments ...) -> internal */
Datum
partial_step(PG_FUNCTION_ARGS)
{
	State	   *state = state_of(fcinfo);
	NullableDatum args[FUNC_MAX_ARGS];

	args[0] = state->value;
	for (int i = 2; i < PG_NARGS(); i++)
		args[i - 1] = fcinfo->args[i];
	state->value.value = call(fcinfo, parts_of(state->aggregate).aggtransfn, args, PG_NARGS() - 1, &state->value.isnull);
	PG_RETURN_POINTER(state);
}

/* (internal) -> text of the state, a bytea */
Datum
partial_end(PG_FUNCTION_ARGS)
{
	State	   *state = PG_ARGISNULL(0) ? NULL : (State *) PG_GETARG_POINTER(0);

	if (state == NULL || state->value.isnull)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(DatumGetCString(DirectFunctionCall1(byteaout, state->value.value))));
}

/* (internal, aggregate, text of a state) -> internal */
Datum
combined_step(PG_FUNCTION_ARGS)
{
	State	   *state = state_of(fcinfo);
	NullableDatum args[2] = {state->value, {.isnull = PG_ARGISNULL(2)}};

	if (!PG_ARGISNULL(2))
		args[1].value = DirectFunctionCall1(byteain, CStringGetDatum(text_to_cstring(PG_GETARG_TEXT_PP(2))));
	state->value.value = call(fcinfo, parts_of(state->aggregate).aggcombinefn, args, 2, &state->value.isnull);
	PG_RETURN_POINTER(state);
}

/* (internal) -> the aggregate's result, a bytea */
Datum
combined_end(PG_FUNCTION_ARGS)
{
	State	   *state = PG_ARGISNULL(0) ? NULL : (State *) PG_GETARG_POINTER(0);
	Datum		result;
	bool		isnull;

	if (state == NULL)
		PG_RETURN_NULL();
	result = call(fcinfo, parts_of(state->aggregate).aggfinalfn, &state->value, 1, &isnull);
	if (isnull)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(result);
}
