/*
 * state.c
 *		The state of the collecting aggregates: rows of one group, the names of
 *		their series, and the memory that they may take.
 *
 * The state's type is bytea, so that any planner may send it around, but it
 * lives as an expanded object, a child of the aggregate's memory context, and
 * grows in place.
 */
#include "pg/collect/collect.h"

#include "utils/hsearch.h"

#define FIRST_ROOM 64

/* Entry of the index of names. */
typedef struct NameEntry
{
	SeriesName		name;
	int			number;
} NameEntry;

Size
row_bytes(const RowState *state)
{
	return sizeof(Row) + (state->keyed ? sizeof(int32) : 0) + state->n_columns * sizeof(float);
}

void *
state_resize(RowState *state, void *old, Size bytes)
{
	return old ? repalloc_huge(old, bytes) : MemoryContextAllocHuge(state->hdr.eoh_context, bytes);
}

void
outgrown(const char *what, int64 count)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("more than %lld %s in one group exceed rnnforecast.max_memory", (long long) count, what),
			 errdetail("The limit is %d MB.", rnnforecast_max_memory / 1024),
			 strcmp(what, "series") == 0 ?
			 errhint("Raise rnnforecast.max_memory. If each row became a series of its own, because its id was passed as the series, pass another column.") :
			 errhint("Raise rnnforecast.max_memory, or aggregate to a coarser step.")));
}

/*
 * Rows of a panel that are kept.  In a parallel plan some five states, flat
 * ones included, are in memory at once.
 */
int64
most_rows(const RowState *state)
{
	return memory_limit() / 8 / row_bytes(state);
}

/*
 * Rows of any state that are collected: of a panel, before the older ones go.
 * One series is copied to be sorted, and its gaps and points take a half each
 * of what its rows do.
 */
int64
most_collected(const RowState *state)
{
	return state->keyed ? most_rows(state) / 4 * 5 : (int64) (memory_limit() / 5 * 2 / row_bytes(state));
}

void
set_room(RowState *state, int64 room)
{
	state->rows = state_resize(state, state->rows, (Size) room * sizeof(Row));
	if (state->keyed)
		state->series = state_resize(state, state->series, (Size) room * sizeof(int32));
	for (int k = 0; k < state->n_columns; k++)
		state->columns[k].values = state_resize(state, state->columns[k].values, (Size) room * sizeof(float));
	state->room = room;
}

SeriesName
state_copy_name(RowState *state, SeriesName name)
{
	name.text = memcpy(MemoryContextAlloc(state->hdr.eoh_context, Max(name.len, 1)), name.text, name.len);
	return name;
}

int
state_series(RowState *state, SeriesName name)
{
	NameEntry  *entry;
	bool		found;

	/* Rows of one series often come together. */
	if (state->n > 0 && compare_names(&state->names[state->series[state->n - 1]], &name) == 0)
		return state->series[state->n - 1];
	if (state->index == NULL)
		state->index = new_index(state->hdr.eoh_context, "rnnforecast series", sizeof(NameEntry));
	entry = hash_search(state->index, &name, HASH_FIND, NULL);
	if (entry)
		return entry->number;
	if (name.len > MOST_SERIES_NAME)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the name of a series has %d bytes, more than %d", name.len, MOST_SERIES_NAME)));
	if (state->names_bytes + (Size) state->n_names * (sizeof(NameEntry) + sizeof(SeriesName)) > memory_limit() / 4)
		outgrown("series", state->n_names);
	if (state->n_names == state->names_room)
	{
		state->names_room = Max(2 * state->names_room, FIRST_ROOM);
		state->names = state_resize(state, state->names, sizeof(SeriesName) * state->names_room);
	}
	name = state_copy_name(state, name);
	entry = hash_search(state->index, &name, HASH_ENTER, &found);
	entry->number = state->n_names;
	state->names[state->n_names] = name;
	state->names_bytes += name.len;
	return state->n_names++;
}
