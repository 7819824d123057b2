/*
 * partial_agg.c
 *		Calls the parts of an aggregate as the planner of a distributed database
 *		does: the transition function on the nodes, by its OID alone, the state
 *		sent as text, then the combine and final functions elsewhere.
 *
 *		partial_agg(aggregate, its arguments ...) -> text of the state
 *		combined_agg(aggregate, text of a state) -> text of the result
 *
 * None of these calls has an expression tree, and none finds what an earlier
 * one kept in its FmgrInfo, since each has a new one.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_aggregate.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/expandeddatum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(partial_step);
PG_FUNCTION_INFO_V1(partial_end);
PG_FUNCTION_INFO_V1(combined_step);
PG_FUNCTION_INFO_V1(combined_end);

typedef struct State
{
	FormData_pg_aggregate parts;
	int16		len;			/* of the state's type */
	bool		by_value;
	NullableDatum value;
} State;

static MemoryContext
aggregate_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "called outside of an aggregate");
	return context;
}

static State *
state_of(FunctionCallInfo fcinfo)
{
	Oid			aggregate = PG_GETARG_OID(1);
	HeapTuple	tuple;
	State	   *state;

	if (!PG_ARGISNULL(0))
		return (State *) PG_GETARG_POINTER(0);
	state = MemoryContextAllocZero(aggregate_context(fcinfo), sizeof(State));
	tuple = SearchSysCache1(AGGFNOID, ObjectIdGetDatum(aggregate));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "function %u is no aggregate", aggregate);
	state->parts = *(Form_pg_aggregate) GETSTRUCT(tuple);
	state->value.isnull = heap_attisnull(tuple, Anum_pg_aggregate_agginitval, NULL);
	ReleaseSysCache(tuple);
	if (!state->value.isnull || !OidIsValid(state->parts.aggcombinefn) || func_strict(state->parts.aggtransfn))
		elog(ERROR, "aggregate %u has an initial state, no combine function or a strict transition function", aggregate);
	get_typlenbyval(state->parts.aggtranstype, &state->len, &state->by_value);
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

/* As the executor keeps the result of a transition. */
static void
keep(FunctionCallInfo fcinfo, State *state, NullableDatum next)
{
	MemoryContext context = aggregate_context(fcinfo),
				old;

	if (!state->by_value && !next.isnull && (state->value.isnull || next.value != state->value.value) &&
		!(DatumIsReadWriteExpandedObject(next.value, false, state->len) &&
		  MemoryContextGetParent(DatumGetEOHP(next.value)->eoh_context) == context))
	{
		old = MemoryContextSwitchTo(context);
		next.value = datumCopy(next.value, state->by_value, state->len);
		MemoryContextSwitchTo(old);
	}
	state->value = next;
}

/* (internal, aggregate, its arguments ...) -> internal */
Datum
partial_step(PG_FUNCTION_ARGS)
{
	State	   *state = state_of(fcinfo);
	NullableDatum args[FUNC_MAX_ARGS],
				next;

	args[0] = state->value;
	for (int i = 2; i < PG_NARGS(); i++)
		args[i - 1] = fcinfo->args[i];
	next.value = call(fcinfo, state->parts.aggtransfn, args, PG_NARGS() - 1, &next.isnull);
	keep(fcinfo, state, next);
	PG_RETURN_POINTER(state);
}

static Datum
text_of(Oid type, Datum value)
{
	Oid			out;
	bool		varlena;

	getTypeOutputInfo(type, &out, &varlena);
	return CStringGetTextDatum(OidOutputFunctionCall(out, value));
}

/* (internal) -> the state as text */
Datum
partial_end(PG_FUNCTION_ARGS)
{
	State	   *state = PG_ARGISNULL(0) ? NULL : (State *) PG_GETARG_POINTER(0);

	if (state == NULL || state->value.isnull)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(text_of(state->parts.aggtranstype, state->value.value));
}

/* (internal, aggregate, text of a state) -> internal */
Datum
combined_step(PG_FUNCTION_ARGS)
{
	State	   *state = state_of(fcinfo);
	NullableDatum args[2] = {state->value, {.isnull = PG_ARGISNULL(2)}},
				next;
	Oid			in,
				param;

	getTypeInputInfo(state->parts.aggtranstype, &in, &param);
	if (!PG_ARGISNULL(2))
		args[1].value = OidInputFunctionCall(in, text_to_cstring(PG_GETARG_TEXT_PP(2)), param, -1);
	next.value = call(fcinfo, state->parts.aggcombinefn, args, 2, &next.isnull);
	keep(fcinfo, state, next);
	PG_RETURN_POINTER(state);
}

/* (internal) -> the aggregate's result as text */
Datum
combined_end(PG_FUNCTION_ARGS)
{
	State	   *state = PG_ARGISNULL(0) ? NULL : (State *) PG_GETARG_POINTER(0);
	Datum		result;
	bool		isnull;

	if (state == NULL)
		PG_RETURN_NULL();
	result = call(fcinfo, state->parts.aggfinalfn, &state->value, 1, &isnull);
	if (isnull)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(text_of(get_func_rettype(state->parts.aggfinalfn), result));
}
