/*
 * row_columns.c
 *		Columns of a row that go by their names, whatever their order and whatever
 *		else the row has; numbers of all types as float8, times as timestamp.
 */
#include "pg/base/base.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

/* Where the columns of a type of rows are, and how their values are taken. */
struct RowColumns
{
	const RowWishes *wishes;
	uint64		version;		/* of the rows' type, which ALTER TYPE changes */
	TupleDesc	desc;
	Datum	   *values;			/* (natts) of the latest row */
	bool	   *nulls;
	int		   *at;				/* (count) -1: there is none */
	PGFunction *convert;		/* (count) NULL: as it is */
	FmgrInfo   *output;			/* (count) of what becomes text */
};

static void
refuse_column(const char *name, const char *wanted, Oid type)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("column \"%s\" must be %s, not %s", name, wanted, format_type_be(type)),
			 errhint("Cast it.")));
}

static PGFunction
to_number(const char *name, Oid type)
{
	switch (getBaseType(type))
	{
		case FLOAT8OID:
			return NULL;
		case FLOAT4OID:
			return ftod;
		case INT2OID:
			return i2tod;
		case INT4OID:
			return i4tod;
		case INT8OID:
			return i8tod;
		case NUMERICOID:
			return numeric_float8;
	}
	refuse_column(name, "a number", type);
	return NULL;
}

static PGFunction
to_time(const char *name, Oid type)
{
	switch (getBaseType(type))
	{
		case TIMESTAMPOID:
			return NULL;
		case TIMESTAMPTZOID:
			return timestamptz_timestamp;
		case DATEOID:
			return date_timestamp;
	}
	refuse_column(name, "a date, timestamp or timestamptz", type);
	return NULL;
}

static void
learn_column(RowColumns *c, int i, Oid type)
{
	const RowWish *wish = &c->wishes->list[i];
	Oid			output;
	bool		varlena;

	switch (wish->kind)
	{
		case ROW_NUMBER:
			c->convert[i] = to_number(wish->name, type);
			break;
		case ROW_TIME:
			c->convert[i] = to_time(wish->name, type);
			break;
		case ROW_NUMBERS:
			if (getBaseType(type) != FLOAT8ARRAYOID)
				refuse_column(wish->name, "double precision[]", type);
			break;
		case ROW_BOOL:
			if (getBaseType(type) != BOOLOID)
				refuse_column(wish->name, "boolean", type);
			break;
		case ROW_TEXT:
			getTypeOutputInfo(type, &output, &varlena);
			fmgr_info(output, &c->output[i]);
			break;
	}
}

RowColumns *
row_columns_find(const RowWishes *wishes, TupleDesc desc)
{
	RowColumns *c = palloc0(sizeof(RowColumns));

	c->wishes = wishes;
	c->desc = CreateTupleDescCopy(desc);
	c->values = palloc(sizeof(Datum) * Max(desc->natts, 1));
	c->nulls = palloc(sizeof(bool) * Max(desc->natts, 1));
	c->at = palloc(sizeof(int) * wishes->count);
	c->convert = palloc0(sizeof(PGFunction) * wishes->count);
	c->output = palloc0(sizeof(FmgrInfo) * wishes->count);
	for (int i = 0; i < wishes->count; i++)
	{
		c->at[i] = -1;
		for (int k = 0; k < desc->natts && c->at[i] < 0; k++)
			if (!TupleDescAttr(desc, k)->attisdropped && strcmp(NameStr(TupleDescAttr(desc, k)->attname), wishes->list[i].name) == 0)
				c->at[i] = k;
		if (c->at[i] >= 0)
			learn_column(c, i, TupleDescAttr(desc, c->at[i])->atttypid);
		else if (wishes->list[i].must)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("the rows have no column \"%s\"", wishes->list[i].name),
					 errhint("%s", wishes->hint)));
	}
	return c;
}

static void
forget_columns(RowColumns *c)
{
	FreeTupleDesc(c->desc);
	pfree(c->values);
	pfree(c->nulls);
	pfree(c->at);
	pfree(c->convert);
	pfree(c->output);
	pfree(c);
}

/* Those of the type that rows of an argument have, which is nearly always that of the row before. */
static RowColumns *
columns_of(FunctionCallInfo fcinfo, HeapTupleHeader row, const RowWishes *wishes)
{
	RowColumns *c = fcinfo->flinfo->fn_extra;
	Oid			type = HeapTupleHeaderGetTypeId(row);
	int32		typmod = HeapTupleHeaderGetTypMod(row);
	uint64		version = assign_record_type_identifier(type, typmod);
	TupleDesc	desc;
	MemoryContext old;

	if (c && c->version == version)
		return c;
	if (c)
		forget_columns(c);
	fcinfo->flinfo->fn_extra = NULL;
	desc = lookup_rowtype_tupdesc(type, typmod);
	old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	c = row_columns_find(wishes, desc);
	MemoryContextSwitchTo(old);
	ReleaseTupleDesc(desc);
	c->version = version;
	return fcinfo->flinfo->fn_extra = c;
}

bool
row_columns_has(const RowColumns *c, int wish)
{
	return c->at[wish] >= 0;
}

void
row_columns_read(RowColumns *c, HeapTuple row, Datum *values, bool *nulls)
{
	heap_deform_tuple(row, c->desc, c->values, c->nulls);
	for (int i = 0; i < c->wishes->count; i++)
	{
		nulls[i] = c->at[i] < 0 || c->nulls[c->at[i]];
		if (nulls[i])
			continue;
		values[i] = c->values[c->at[i]];
		if (c->convert[i])
			values[i] = DirectFunctionCall1(c->convert[i], values[i]);
		else if (c->wishes->list[i].kind == ROW_TEXT)
			values[i] = CStringGetDatum(OutputFunctionCall(&c->output[i], values[i]));
	}
}

RowColumns *
row_argument(FunctionCallInfo fcinfo, int argno, const RowWishes *wishes, Datum *values, bool *nulls)
{
	HeapTupleHeader row;
	HeapTupleData tuple = {0};
	RowColumns *c;

	memset(nulls, true, sizeof(bool) * wishes->count);
	if (PG_ARGISNULL(argno))
		return NULL;
	row = PG_GETARG_HEAPTUPLEHEADER(argno);
	c = columns_of(fcinfo, row, wishes);
	tuple.t_len = HeapTupleHeaderGetDatumLength(row);
	tuple.t_data = row;
	ItemPointerSetInvalid(&tuple.t_self);
	row_columns_read(c, &tuple, values, nulls);
	return c;
}
