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
 * Rows of a panel carry the number of their series' name.  Where they outgrow
 * an eighth of the memory limit, only the latest K of each series are kept, K
 * the largest of 2^i and 3 * 2^i with which all fit.  That is a property of the
 * rows alone: whatever part of them a state has seen, its K is never smaller
 * than that of all, so the order and the plan don't matter.
 *
 * Flat layout, native byte order (it never leaves a running statement):
 *		varlena header | FlatState | rows (n x Row) | series (n x int32) |
 *		names (length int32, bytes) | covariates, keys.c | options as JSON text
 */
#include "pg.h"

#include <math.h>

#include "common/hashfn.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#define FLAT_MAGIC 0x334e4e52	/* "RNN3" */
#define FIRST_ROOM 64
#define MOST_NAME 10000			/* bytes of a series' name */

typedef struct FlatState
{
	int32		magic;
	int32		form;
	int64		n;
	int64		latest;
	int32		keyed;
	int32		n_names;
	int64		names_len;
	int64		keys_len;
	int64		n_keys;
	int64		options_len;
} FlatState;

StaticAssertDecl(sizeof(FlatState) == 64, "the flat state has no padding");
StaticAssertDecl(sizeof(Row) == 16, "a row has no padding");

/* Entry of the index of names. */
typedef struct NameEntry
{
	SeriesName		name;
	int			number;
} NameEntry;

/* States are flattened where memory can't be freed, in the bump context of a sort since 17: in their own. */
static const char *
options_text(RowState *state)
{
	if (state->options && state->options_text == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(state->hdr.eoh_context);

		state->options_text = JsonbToCString(NULL, &state->options->root, VARSIZE(state->options));
		MemoryContextSwitchTo(old);
	}
	return state->options ? state->options_text : "";
}

static Size
row_bytes(const RowState *state)
{
	return sizeof(Row) + (state->keyed ? sizeof(int32) : 0) + state->n_keys * sizeof(float);
}

static Size
flat_size(ExpandedObjectHeader *eohptr)
{
	RowState   *state = (RowState *) eohptr;
	Size		size;

	/* What goes to another process is sent whole: no more than is kept. */
	state_settle(state);
	size = VARHDRSZ + sizeof(FlatState) + (Size) state->n * (sizeof(Row) + (state->keyed ? sizeof(int32) : 0)) +
		state->n_names * sizeof(int32) + state->names_bytes + keys_flat_size(state) + strlen(options_text(state));
	if (!AllocSizeIsValid(size))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%lld rows in one group are too many to send between processes", (long long) state->n),
				 errhint("Set max_parallel_workers_per_gather to 0 for this query, or aggregate to a coarser step.")));
	return size;
}

static char *
put_bytes(char *out, const void *bytes, Size len)
{
	if (len > 0)
		memcpy(out, bytes, len);
	return out + len;
}

static void
flatten(ExpandedObjectHeader *eohptr, void *result, Size allocated_size)
{
	RowState   *state = (RowState *) eohptr;
	const char *options = options_text(state);
	char	   *out = VARDATA(result);
	FlatState	head = {
		.magic = FLAT_MAGIC,.form = state->form,.n = state->n,.latest = state->latest,
		.keyed = state->keyed,.n_names = state->n_names,
		.names_len = state->n_names * sizeof(int32) + state->names_bytes,
		.keys_len = keys_flat_size(state),.n_keys = state->n_keys,
		.options_len = strlen(options)
	};

	SET_VARSIZE(result, allocated_size);
	out = put_bytes(out, &head, sizeof(head));
	out = put_bytes(out, state->rows, (Size) state->n * sizeof(Row));
	if (state->keyed)
		out = put_bytes(out, state->series, (Size) state->n * sizeof(int32));
	for (int i = 0; i < state->n_names; i++)
	{
		out = put_bytes(out, &state->names[i].len, sizeof(int32));
		out = put_bytes(out, state->names[i].text, state->names[i].len);
	}
	out = keys_flatten(state, out);
	put_bytes(out, options, head.options_len);
}

static const ExpandedObjectMethods row_methods = {flat_size, flatten};

int
compare_names(const SeriesName *a, const SeriesName *b)
{
	int			order = memcmp(a->text, b->text, Min(a->len, b->len));

	return order ? order : a->len - b->len;
}

static uint32
hash_name(const void *key, Size size)
{
	const SeriesName *name = key;

	return hash_bytes((const unsigned char *) name->text, name->len);
}

static int
match_names(const void *a, const void *b, Size size)
{
	return compare_names(a, b);
}

HTAB *
new_index(MemoryContext context, const char *what, Size entry)
{
	HASHCTL		ctl = {
		.keysize = sizeof(SeriesName),.entrysize = entry,
		.hash = hash_name,.match = match_names,.hcxt = context
	};

	return hash_create(what, 64, &ctl, HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
}

static RowState *
new_state(MemoryContext parent, RowForm form, bool keyed)
{
	MemoryContext context = AllocSetContextCreate(parent, "rnnforecast rows", ALLOCSET_START_SMALL_SIZES);
	RowState   *state = MemoryContextAllocZero(context, sizeof(RowState));

	EOH_init_header(&state->hdr, &row_methods, context);
	state->magic = FLAT_MAGIC;
	state->form = form;
	state->keyed = keyed;
	return state;
}

/* ---------------------------------------------------------------- memory */

static void *
resize(RowState *state, void *old, Size bytes)
{
	return old ? repalloc_huge(old, bytes) : MemoryContextAllocHuge(state->hdr.eoh_context, bytes);
}

static void
outgrown(const char *what, int64 count)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("more than %lld %s in one group outgrow rnnforecast.max_memory", (long long) count, what),
			 errhint("Raise rnnforecast.max_memory, or aggregate to a coarser step.")));
}

/*
 * Rows of a panel that are kept.  In a parallel plan some five states, flat
 * ones included, are in memory at once.
 */
static int64
most_rows(const RowState *state)
{
	return memory_limit() / 8 / row_bytes(state);
}

/*
 * Rows of any state that are collected: of a panel, before the older ones go.
 * One series is copied to be sorted, and its gaps and points take a half each
 * of what its rows do.
 */
static int64
most_collected(const RowState *state)
{
	return state->keyed ? most_rows(state) / 4 * 5 : (int64) (memory_limit() / 5 * 2 / row_bytes(state));
}

static void
set_room(RowState *state, int64 room)
{
	state->rows = resize(state, state->rows, (Size) room * sizeof(Row));
	if (state->keyed)
		state->series = resize(state, state->series, (Size) room * sizeof(int32));
	for (int k = 0; k < state->n_keys; k++)
		state->keys[k].values = resize(state, state->keys[k].values, (Size) room * sizeof(float));
	state->room = room;
}

static void
make_room(RowState *state, int64 n)
{
	int64		limit = most_collected(state),
				room = Max(state->room, FIRST_ROOM);

	while (room < n)
		room *= 2;
	if (!state->keyed && n > limit)
		outgrown("rows", state->n);
	if (room != state->room)
		set_room(state, Max(n, Min(room, limit)));
}

static int64
kept_with(const int64 *counts, int n, int64 latest)
{
	int64		sum = 0;

	for (int i = 0; i < n; i++)
		sum += Min(counts[i], latest);
	return sum;
}

/* The next smaller of 2^i and 3 * 2^i. */
static int64
less_than(int64 latest)
{
	if (latest <= 3)
		return latest - 1;
	return (latest & (latest - 1)) == 0 ? latest / 4 * 3 : latest / 3 * 2;
}

void
state_fit(RowState *state)
{
	int64		limit = most_collected(state);

	if (state->room <= limit)
		return;
	if (state->keyed)
		state_settle(state);
	else if (state->n > limit)
		outgrown("rows", state->n);
	set_room(state, Max(Max(state->n, limit), 1));
}

/* What rows are ordered by, through their numbers. */
typedef struct RowOrder
{
	const RowState *state;
	int			keys[RNN_MAX_COVARIATES];
} RowOrder;

/* The latest first; a total order, down to the covariates. */
static int
compare_latest(const void *a, const void *b, void *arg)
{
	const RowOrder *order = arg;
	int64		x = *(const int64 *) a,
				y = *(const int64 *) b;
	int			rows = compare_rows(&order->state->rows[y], &order->state->rows[x], NULL);

	return rows ? rows : compare_covariates(order->state, order->keys, y, x);
}

static void
sort_latest(int64 *numbers, int64 n, RowOrder *order)
{
	bool		sorted = true;

	for (int64 i = 1; i < n && sorted; i++)
		sorted = compare_latest(&numbers[i - 1], &numbers[i], order) <= 0;
	if (sorted)
		return;
#if PG_VERSION_NUM >= 150000
	qsort_interruptible(numbers, n, sizeof(int64), compare_latest, order);
#else
	qsort_arg(numbers, n, sizeof(int64), compare_latest, order);
#endif
}

/* Numbers of the rows that are kept, by series. */
static int64 *
latest_rows(RowState *state, const int64 *counts, int64 *kept)
{
	int64	   *from = palloc_extended(sizeof(int64) * (state->n_names + 1), MCXT_ALLOC_HUGE),
			   *numbers = palloc_extended((Size) Max(state->n, 1) * sizeof(int64), MCXT_ALLOC_HUGE);
	RowOrder	order = {.state = state};

	order_keys(state, order.keys);
	from[0] = 0;
	for (int i = 0; i < state->n_names; i++)
		from[i + 1] = from[i] + counts[i];
	for (int64 i = 0; i < state->n; i++)
		numbers[from[state->series[i]]++] = i;
	*kept = 0;
	for (int i = 0; i < state->n_names; i++)
	{
		int64	   *own = numbers + from[i] - counts[i];
		int64		n = Min(counts[i], state->latest);

		CHECK_FOR_INTERRUPTS();
		if (counts[i] > state->latest)
			sort_latest(own, counts[i], &order);
		memmove(numbers + *kept, own, n * sizeof(int64));
		*kept += n;
	}
	pfree(from);
	return numbers;
}

/* The chosen entries (kept of them, each `width` bytes) of a column of the state. */
static void *
gather(RowState *state, void *column, const int64 *numbers, int64 kept, Size width)
{
	char	   *to = MemoryContextAllocHuge(state->hdr.eoh_context, (Size) Max(state->room, 1) * width);

	for (int64 i = 0; i < kept; i++)
		memcpy(to + i * width, (char *) column + numbers[i] * width, width);
	pfree(column);
	return to;
}

/* Drops all but the latest rows of each series. */
static void
prune(RowState *state, const int64 *counts)
{
	int64		kept;
	int64	   *numbers = latest_rows(state, counts, &kept);

	if (state->n > 0)
	{
		state->rows = gather(state, state->rows, numbers, kept, sizeof(Row));
		state->series = gather(state, state->series, numbers, kept, sizeof(int32));
		for (int k = 0; k < state->n_keys; k++)
			state->keys[k].values = gather(state, state->keys[k].values, numbers, kept, sizeof(float));
	}
	state->n = kept;
	pfree(numbers);
}

void
state_settle(RowState *state)
{
	int64	   *counts;
	int64		latest = state->latest ? state->latest : (int64) 1 << 40;
	MemoryContext old;

	if (!state->keyed || (state->n <= most_rows(state) && state->latest == 0))
		return;
	old = MemoryContextSwitchTo(state->hdr.eoh_context);
	counts = palloc_extended(sizeof(int64) * Max(state->n_names, 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int64 i = 0; i < state->n; i++)
		counts[state->series[i]]++;
	while (latest > 1 && kept_with(counts, state->n_names, latest) > most_rows(state))
		latest = less_than(latest);
	if (kept_with(counts, state->n_names, latest) > most_rows(state))
		outgrown("series", state->n_names);
	state->latest = latest;
	prune(state, counts);
	pfree(counts);
	MemoryContextSwitchTo(old);
}

void
state_add(RowState *state, int64 at, double value)
{
	if (state->n == state->room)
		make_room(state, state->n + 1);
	for (int k = 0; k < state->n_keys; k++)
		state->keys[k].values[state->n] = NAN;
	state->rows[state->n++] = (Row) {at, value};
}

void
state_add_to(RowState *state, int series, int64 at, double value)
{
	if (state->n == state->room)
	{
		if (state->n >= most_collected(state))
			state_settle(state);
		else
			make_room(state, state->n + 1);
	}
	for (int k = 0; k < state->n_keys; k++)
		state->keys[k].values[state->n] = NAN;
	state->rows[state->n] = (Row) {at, value};
	state->series[state->n++] = series;
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
	if (name.len > MOST_NAME)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the name of a series has %d bytes, more than %d", name.len, MOST_NAME)));
	if (state->names_bytes + (Size) state->n_names * (sizeof(NameEntry) + sizeof(SeriesName)) > memory_limit() / 4)
		outgrown("series", state->n_names);
	if (state->n_names == state->names_room)
	{
		state->names_room = Max(2 * state->names_room, FIRST_ROOM);
		state->names = resize(state, state->names, sizeof(SeriesName) * state->names_room);
	}
	name.text = memcpy(MemoryContextAlloc(state->hdr.eoh_context, Max(name.len, 1)), name.text, name.len);
	entry = hash_search(state->index, &name, HASH_ENTER, &found);
	entry->number = state->n_names;
	state->names[state->n_names] = name;
	state->names_bytes += name.len;
	return state->n_names++;
}

/* ------------------------------------------------------------ flat states */

void
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
		if (isinf(state->rows[i].value) && !state->keyed)
			bad_state("a value is infinite");
		if (state->form != FORM_ORDERED && state->form != FORM_STEP && !IS_VALID_TIMESTAMP(state->rows[i].at))
			bad_state("a timestamp is out of range");
		if (state->form == FORM_STEP && (state->rows[i].at < -MOST_STEP || state->rows[i].at > MOST_STEP))
			bad_state("a step is out of range");
		if (state->keyed && (state->series[i] < 0 || state->series[i] >= state->n_names))
			bad_state("a row belongs to no series");
	}
}

/* Names at `in` (len bytes, all of them) into a state. */
static void
unflatten_names(RowState *state, const char *in, Size len, int count)
{
	const char *end = in + len;

	for (int i = 0; i < count; i++)
	{
		SeriesName		name;

		if ((Size) (end - in) < sizeof(int32))
			bad_state("its names are cut short");
		memcpy(&name.len, in, sizeof(int32));
		in += sizeof(int32);
		if (name.len < 0 || name.len > end - in)
			bad_state("the length of a name is wrong");
		name.text = in;
		if (memchr(in, 0, name.len) != NULL)
			bad_state("a name holds a zero byte");
		pg_verifymbstr(in, name.len, false);
		if (state_series(state, name) != i)
			bad_state("a name occurs twice");
		in += name.len;
	}
	if (in != end)
		bad_state("its names have a wrong length");
}

/* A checked copy of a flat state. */
static RowState *
unflatten(Datum datum, MemoryContext parent)
{
	bytea	   *flat = DatumGetByteaPP(datum);
	const char *in = VARDATA_ANY(flat);
	Size		len = VARSIZE_ANY_EXHDR(flat),
				width;
	FlatState	head;
	RowState   *state;

	if (len < sizeof(head))
		bad_state("it is too short");
	memcpy(&head, in, sizeof(head));
	in += sizeof(head);
	len -= sizeof(head);
	if (head.magic != FLAT_MAGIC)
		bad_state("it begins wrongly");
	if (head.form < FORM_ORDERED || head.form > FORM_STEP)
		bad_state("its form is unknown");
	if (head.keyed != 0 && head.keyed != 1)
		bad_state("it is neither of one series nor of many");
	if (head.keyed ? head.form == FORM_ORDERED : head.form == FORM_STEP || head.n_names != 0 || head.latest != 0)
		bad_state("its form doesn't fit its series");
	width = sizeof(Row) + (head.keyed ? sizeof(int32) : 0);
	if (head.n < 0 || head.n > (int64) (len / width))
		bad_state("its count of rows is wrong");
	len -= (Size) head.n * width;
	if (head.names_len < 0 || (Size) head.names_len > len || head.n_names < 0 ||
		head.latest < 0 || head.latest > (int64) 1 << 40)
		bad_state("its names have a wrong length");
	len -= head.names_len;
	if (head.keys_len < 0 || (Size) head.keys_len > len || head.n_keys < 0 || head.n_keys > RNN_MAX_COVARIATES)
		bad_state("its covariates have a wrong length");
	len -= head.keys_len;
	if (head.options_len < 0 || (Size) head.options_len != len)
		bad_state("its length is wrong");

	state = new_state(parent, head.form, head.keyed);
	unflatten_names(state, in + (Size) head.n * width, head.names_len, head.n_names);
	if (head.n > 0)
	{
		set_room(state, head.n);
		memcpy(state->rows, in, (Size) head.n * sizeof(Row));
		if (state->keyed)
			memcpy(state->series, in + (Size) head.n * sizeof(Row), (Size) head.n * sizeof(int32));
	}
	state->n = head.n;
	state->latest = head.latest;
	check_rows(state);
	keys_unflatten(state, in + (Size) head.n * width + head.names_len, head.keys_len, head.n_keys);
	state_fit(state);
	if (len > 0)
	{
		char	   *text = pnstrdup(in + (Size) head.n * width + head.names_len + head.keys_len, len);
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

static RowState *
copy_state(RowState *from, MemoryContext parent)
{
	RowState   *copy = new_state(parent, from->form, from->keyed);

	for (int i = 0; i < from->n_names; i++)
		state_series(copy, from->names[i]);
	if (from->n > 0)
	{
		set_room(copy, from->n);
		memcpy(copy->rows, from->rows, (Size) from->n * sizeof(Row));
		if (from->keyed)
			memcpy(copy->series, from->series, (Size) from->n * sizeof(int32));
		copy->n = from->n;
	}
	copy_keys(copy, from);
	copy->latest = from->latest;
	if (from->options)
	{
		MemoryContext old = MemoryContextSwitchTo(copy->hdr.eoh_context);

		copy->options = (Jsonb *) PG_DETOAST_DATUM_COPY(JsonbPGetDatum(from->options));
		MemoryContextSwitchTo(old);
	}
	return copy;
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
state_for_update(FunctionCallInfo fcinfo, RowForm form, bool keyed)
{
	MemoryContext context = aggregate_context(fcinfo);
	RowState   *state;

	if (PG_ARGISNULL(0))
		return new_state(context, form, keyed);
	state = expanded_state(PG_GETARG_DATUM(0));
	/* Flat, or read-only: grow a copy. */
	if (state == NULL)
		state = unflatten(PG_GETARG_DATUM(0), context);
	else if (!VARATT_IS_EXTERNAL_EXPANDED_RW(DatumGetPointer(PG_GETARG_DATUM(0))))
		state = copy_state(state, context);
	if (state->form != form || state->keyed != keyed)
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
