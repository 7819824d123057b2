/*
 * tuples.c
 *		Functions that return rows: all of them at once, in a tuplestore, which
 *		goes to disk beyond work_mem.
 */
#include "pg/base/base.h"

#include "executor/tuptable.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "utils/memutils.h"

#define FIRST_ROOM 8192

/* The row type of a function, of one of a single column too. */
static TupleDesc
result_type(FunctionCallInfo fcinfo)
{
	Oid			type;
	TupleDesc	desc;
	TypeFuncClass class = get_call_result_type(fcinfo, &type, &desc);

	if (class == TYPEFUNC_SCALAR)
	{
		desc = CreateTemplateTupleDesc(1);
		TupleDescInitEntry(desc, 1, "result", type, -1, 0);
	}
	else if (class != TYPEFUNC_COMPOSITE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("function that returns rows called where a row type is not known")));
	return desc;
}

void
tuples_begin(Tuples *rows, FunctionCallInfo fcinfo, int columns)
{
	ReturnSetInfo *info = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext old;
	TupleDesc	desc;

	if (info == NULL || !IsA(info, ReturnSetInfo) ||
		(info->allowedModes & SFRM_Materialize) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("set-valued function called in context that cannot accept a set")));
	desc = result_type(fcinfo);
	if (desc->natts != columns)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("row type has %d columns instead of %d", desc->natts, columns),
				 errhint("Run ALTER EXTENSION rnnforecast UPDATE.")));

	old = MemoryContextSwitchTo(info->econtext->ecxt_per_query_memory);
	rows->desc = CreateTupleDescCopy(desc);
	rows->store = tuplestore_begin_heap((info->allowedModes & SFRM_Materialize_Random) != 0,
										false, work_mem);
	info->returnMode = SFRM_Materialize;
	info->setResult = rows->store;
	info->setDesc = rows->desc;
	MemoryContextSwitchTo(old);
	rows->scratch = AllocSetContextCreate(CurrentMemoryContext, "rnnforecast row",
										  ALLOCSET_DEFAULT_SIZES);
}

void
tuples_put(Tuples *rows, Datum *values, bool *nulls)
{
	tuplestore_putvalues(rows->store, rows->desc, values, nulls);
	MemoryContextReset(rows->scratch);
}

void
tuples_aside(Tuples *rows, TupleDesc desc)
{
	rows->desc = desc;
	rows->store = tuplestore_begin_heap(false, false, work_mem);
	rows->scratch = AllocSetContextCreate(CurrentMemoryContext, "rnnforecast row", ALLOCSET_DEFAULT_SIZES);
}

rnn_part
tuples_take(Tuples *rows)
{
	TupleTableSlot *slot = MakeSingleTupleTableSlot(rows->desc, &TTSOpsMinimalTuple);
	rnn_part	out = {0};
	Size		room = FIRST_ROOM;

	MemoryContextReset(rows->scratch);
	out.bytes = MemoryContextAlloc(rows->scratch, room);
	while (tuplestore_gettupleslot(rows->store, true, false, slot))
	{
		bool		own;
		MinimalTuple row = ExecFetchSlotMinimalTuple(slot, &own);
		Size		len = MAXALIGN(row->t_len);

		CHECK_FOR_INTERRUPTS();
		if (out.len + len > room)
		{
			room = 2 * room + len;
			out.bytes = repalloc_huge(out.bytes, room);
		}
		memset((char *) out.bytes + out.len + len - sizeof(Datum), 0, sizeof(Datum));
		memcpy((char *) out.bytes + out.len, row, row->t_len);
		out.len += len;
		if (own)
			pfree(row);
	}
	ExecDropSingleTupleTableSlot(slot);
	tuplestore_clear(rows->store);
	return out;
}

void
tuples_add(Tuples *rows, const rnn_part *part)
{
	TupleTableSlot *slot = MakeSingleTupleTableSlot(rows->desc, &TTSOpsMinimalTuple);

	for (char *at = part->bytes; at < (char *) part->bytes + part->len; at += MAXALIGN(((MinimalTuple) at)->t_len))
	{
		CHECK_FOR_INTERRUPTS();
		ExecStoreMinimalTuple((MinimalTuple) at, slot, false);
		tuplestore_puttupleslot(rows->store, slot);
	}
	ExecDropSingleTupleTableSlot(slot);
}
