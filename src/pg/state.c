/*
 * state.c
 *		The state of the collecting aggregates: rows of one group.
 *
 * The state's type is bytea, so that any planner may send it around, but it
 * lives as an expanded object, a child of the aggregate's memory context, and
 * grows in place.  Anyone may build an aggregate over the support functions
 * with an initial state of his own, so a flat state is hostile bytes: it is
 * checked and copied, never grown; and an expanded object is taken for a state
 * only where its methods are ours.
 *
 * Flat layout, native byte order (it never leaves a running statement):
 *		varlena header | FlatState | rows (n x Row) | options as JSON text
 */
#include "pg.h"

#include <math.h>

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#define FLAT_MAGIC 0x314e4e52	/* "RNN1" */
#define FIRST_ROOM 64

typedef struct FlatState
{
	int32		magic;
	int32		form;
	int64		n;
	int64		options_len;
} FlatState;

StaticAssertDecl(sizeof(FlatState) == 24, "the flat state has no padding");
StaticAssertDecl(sizeof(Row) == 16, "a row has no padding");

static char *
options_text(const RowState *state)
{
	return state->options ? JsonbToCString(NULL, &state->options->root, VARSIZE(state->options)) : NULL;
}

static Size
flat_size(ExpandedObjectHeader *eohptr)
{
	RowState   *state = (RowState *) eohptr;
	char	   *options = options_text(state);
	Size		size = VARHDRSZ + sizeof(FlatState) + (Size) state->n * sizeof(Row) +
		(options ? strlen(options) : 0);

	if (!AllocSizeIsValid(size))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%lld rows in one group are too many to send between processes", (long long) state->n),
				 errhint("Set max_parallel_workers_per_gather to 0 for this query, or aggregate to a coarser step.")));
	return size;
}

static void
flatten(ExpandedObjectHeader *eohptr, void *result, Size allocated_size)
{
	RowState   *state = (RowState *) eohptr;
	char	   *options = options_text(state);
	char	   *out = VARDATA(result);
	FlatState	head = {FLAT_MAGIC, state->form, state->n, options ? strlen(options) : 0};

	SET_VARSIZE(result, allocated_size);
	memcpy(out, &head, sizeof(head));
	out += sizeof(head);
	if (state->n > 0)
		memcpy(out, state->rows, (Size) state->n * sizeof(Row));
	out += (Size) state->n * sizeof(Row);
	if (options)
		memcpy(out, options, head.options_len);
}

static const ExpandedObjectMethods row_methods = {flat_size, flatten};

static RowState *
new_state(MemoryContext parent, RowForm form)
{
	MemoryContext context = AllocSetContextCreate(parent, "rnnforecast rows", ALLOCSET_START_SMALL_SIZES);
	RowState   *state = MemoryContextAllocZero(context, sizeof(RowState));

	EOH_init_header(&state->hdr, &row_methods, context);
	state->magic = FLAT_MAGIC;
	state->form = form;
	return state;
}

static void
make_room(RowState *state, int64 n)
{
	int64		room = Max(state->room, FIRST_ROOM);

	while (room < n)
		room *= 2;
	if (room == state->room)
		return;
	if ((Size) room * sizeof(Row) > memory_limit())
		room = Max(n, (int64) (memory_limit() / sizeof(Row)));
	if ((Size) n * sizeof(Row) > memory_limit())
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("more than %lld rows in one group outgrow rnnforecast.max_memory", (long long) state->n),
				 errhint("Raise rnnforecast.max_memory, or aggregate to a coarser step.")));
	if (state->rows == NULL)
		state->rows = MemoryContextAllocHuge(state->hdr.eoh_context, (Size) room * sizeof(Row));
	else
		state->rows = repalloc_huge(state->rows, (Size) room * sizeof(Row));
	state->room = room;
}

void
state_add(RowState *state, int64 at, double value)
{
	if (state->n == state->room)
		make_room(state, state->n + 1);
	state->rows[state->n++] = (Row) {at, value};
}

static void
bad_state(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("this is not a state of rnn_train or rnn_history: %s", what)));
}

static void
check_rows(const RowState *state)
{
	for (int64 i = 0; i < state->n; i++)
	{
		if ((i & 0xffff) == 0)
			CHECK_FOR_INTERRUPTS();
		if (isinf(state->rows[i].value))
			bad_state("a value is infinite");
		if (state->form != FORM_ORDERED && !IS_VALID_TIMESTAMP(state->rows[i].at))
			bad_state("a timestamp is out of range");
	}
}

/* A checked copy of a flat state. */
static RowState *
unflatten(Datum datum, MemoryContext parent)
{
	bytea	   *flat = DatumGetByteaPP(datum);
	const char *in = VARDATA_ANY(flat);
	Size		len = VARSIZE_ANY_EXHDR(flat);
	FlatState	head;
	RowState   *state;

	if (len < sizeof(head))
		bad_state("it is too short");
	memcpy(&head, in, sizeof(head));
	len -= sizeof(head);
	if (head.magic != FLAT_MAGIC)
		bad_state("it begins wrongly");
	if (head.form < FORM_ORDERED || head.form > FORM_TIMESTAMPTZ)
		bad_state("its form is unknown");
	if (head.n < 0 || head.n > (int64) (len / sizeof(Row)))
		bad_state("its count of rows is wrong");
	len -= (Size) head.n * sizeof(Row);
	if (head.options_len < 0 || (Size) head.options_len != len)
		bad_state("its length is wrong");

	state = new_state(parent, head.form);
	if (head.n > 0)
	{
		make_room(state, head.n);
		memcpy(state->rows, in + sizeof(head), (Size) head.n * sizeof(Row));
	}
	state->n = head.n;
	check_rows(state);
	if (len > 0)
	{
		char	   *text = pnstrdup(in + sizeof(head) + (Size) head.n * sizeof(Row), len);
		MemoryContext old;

		if (strlen(text) != len)
			bad_state("its options hold a zero byte");
		pg_verifymbstr(text, len, false);
		old = MemoryContextSwitchTo(state->hdr.eoh_context);
		state->options = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
		MemoryContextSwitchTo(old);
	}
	return state;
}

/* Ours where the datum is an expanded object of ours, NULL where it is flat. */
static RowState *
expanded_state(Datum datum)
{
	ExpandedObjectHeader *eoh;

	if (!VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(datum)))
		return NULL;
	eoh = DatumGetEOHP(datum);
	if (eoh->eoh_methods != &row_methods)
		bad_state("it is another kind of object");
	return (RowState *) eoh;
}

static MemoryContext
aggregate_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("this function only works inside of an aggregate"),
				 errhint("Call rnn_train or rnn_history.")));
	return context;
}

RowState *
state_for_update(FunctionCallInfo fcinfo, RowForm form)
{
	MemoryContext context = aggregate_context(fcinfo);
	RowState   *state = NULL;

	if (PG_ARGISNULL(0))
		return new_state(context, form);
	if (VARATT_IS_EXTERNAL_EXPANDED_RW(DatumGetPointer(PG_GETARG_DATUM(0))))
		state = expanded_state(PG_GETARG_DATUM(0));
	else
	{
		/* Flat, or read-only: grow a copy. */
		state = expanded_state(PG_GETARG_DATUM(0));
		if (state)
		{
			RowState   *copy = new_state(context, state->form);

			if (state->n > 0)
			{
				make_room(copy, state->n);
				memcpy(copy->rows, state->rows, (Size) state->n * sizeof(Row));
				copy->n = state->n;
			}
			if (state->options)
			{
				MemoryContext old = MemoryContextSwitchTo(copy->hdr.eoh_context);

				copy->options = (Jsonb *) PG_DETOAST_DATUM_COPY(JsonbPGetDatum(state->options));
				MemoryContextSwitchTo(old);
			}
			state = copy;
		}
		else
			state = unflatten(PG_GETARG_DATUM(0), context);
	}
	if (state->form != form)
		bad_state("its rows have another type of time");
	return state;
}

RowState *
state_for_reading(FunctionCallInfo fcinfo, int argno)
{
	RowState   *state;

	aggregate_context(fcinfo);
	if (PG_ARGISNULL(argno))
		return NULL;
	state = expanded_state(PG_GETARG_DATUM(argno));
	return state ? state : unflatten(PG_GETARG_DATUM(argno), CurrentMemoryContext);
}

Datum
state_datum(RowState *state)
{
	return EOHPGetRWDatum(&state->hdr);
}
