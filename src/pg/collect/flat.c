/*
 * flat.c
 *		A state as bytes, for another process or for disk, and back.
 *
 * Anyone may build an aggregate over the support functions with an initial
 * state of his own, so a flat state is hostile bytes: it is checked and copied,
 * never grown; and an expanded object is taken for a state only where its
 * methods are ours.
 *
 * Native byte order (it never leaves a running statement, but where that runs on
 * several nodes, as text from one to another):
 *		varlena header | FlatState | rows (n x Row) | series (n x int32) |
 *		names (length int32, bytes) | covariates | options as JSON text |
 *		CRC-32C of all before it
 * and the covariates, for each column:
 *		kind int32 | name (length int32, bytes) | words int32,
 *		each (length int32, bytes) | values (n x float)
 */
#include "pg/collect/collect.h"

#include <math.h>

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#define FLAT_VERSION '4'			/* of the format */
#define FLAT_MAGIC (0x4e4e52 | FLAT_VERSION << 24)	/* "RNN" and the version */

typedef struct FlatState
{
	int32		magic;
	int32		form;
	int64		n;
	int64		latest;
	int32		keyed;
	int32		n_names;
	int64		names_len;
	int64		columns_len;
	int64		n_columns;
	int64		options_len;
} FlatState;

StaticAssertDecl(sizeof(FlatState) == 64, "the flat state has no padding");
StaticAssertDecl(sizeof(Row) == 16, "a row has no padding");

/* ----------------------------------------------------------------- written */

static char *
put_bytes(char *out, const void *bytes, Size len)
{
	if (len > 0)
		memcpy(out, bytes, len);
	return out + len;
}

static char *
put_name(char *out, SeriesName name)
{
	out = put_bytes(out, &name.len, sizeof(int32));
	return put_bytes(out, name.text, name.len);
}

static Size
columns_flat_size(const RowState *state)
{
	Size		size = 0;

	for (int k = 0; k < state->n_columns; k++)
	{
		const CovariateColumn *column = &state->columns[k];

		size += 3 * sizeof(int32) + column->name.len + (Size) state->n * sizeof(float);
		for (int i = 0; i < column->n_words; i++)
			size += sizeof(int32) + column->words[i].len;
	}
	return size;
}

static char *
columns_flatten(const RowState *state, char *out)
{
	for (int k = 0; k < state->n_columns; k++)
	{
		const CovariateColumn *column = &state->columns[k];
		int32		kind = column->kind;

		out = put_bytes(out, &kind, sizeof(int32));
		out = put_name(out, column->name);
		out = put_bytes(out, &column->n_words, sizeof(int32));
		for (int i = 0; i < column->n_words; i++)
			out = put_name(out, column->words[i]);
		out = put_bytes(out, column->values, (Size) state->n * sizeof(float));
	}
	return out;
}

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
flat_size(ExpandedObjectHeader *eohptr)
{
	RowState   *state = (RowState *) eohptr;
	Size		size;

	/* What goes to another process is sent whole: no more than is kept. */
	state_settle(state);
	size = VARHDRSZ + sizeof(FlatState) + (Size) state->n * (sizeof(Row) + (state->keyed ? sizeof(int32) : 0)) +
		state->n_names * sizeof(int32) + state->names_bytes + columns_flat_size(state) + strlen(options_text(state)) +
		sizeof(uint32);
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
	const char *options = options_text(state);
	char	   *out = VARDATA(result);
	uint32		crc;
	FlatState	head = {
		.magic = FLAT_MAGIC,.form = state->form,.n = state->n,.latest = state->latest,
		.keyed = state->keyed,.n_names = state->n_names,
		.names_len = state->n_names * sizeof(int32) + state->names_bytes,
		.columns_len = columns_flat_size(state),.n_columns = state->n_columns,
		.options_len = strlen(options)
	};

	SET_VARSIZE(result, allocated_size);
	out = put_bytes(out, &head, sizeof(head));
	out = put_bytes(out, state->rows, (Size) state->n * sizeof(Row));
	if (state->keyed)
		out = put_bytes(out, state->series, (Size) state->n * sizeof(int32));
	for (int i = 0; i < state->n_names; i++)
		out = put_name(out, state->names[i]);
	out = columns_flatten(state, out);
	out = put_bytes(out, options, head.options_len);
	crc = rnn_crc32c((uint8 *) VARDATA(result), out - VARDATA(result));
	put_bytes(out, &crc, sizeof(crc));
}

static const ExpandedObjectMethods row_methods = {flat_size, flatten};

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

/* -------------------------------------------------------------------- read */

static _Noreturn void
bad_state(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("this is not a state of rnn_train or rnn_history: %s", what)));
}

static int32
take_int(const char **in, const char *end)
{
	int32		v;

	if ((Size) (end - *in) < sizeof(v))
		bad_state("its covariates are cut short");
	memcpy(&v, *in, sizeof(v));
	*in += sizeof(v);
	return v;
}

static SeriesName
take_name(const char **in, const char *end)
{
	SeriesName	name = {.len = take_int(in, end)};

	if (name.len < 0 || name.len > end - *in)
		bad_state("the length of a covariate's name or text is wrong");
	name.text = *in;
	*in += name.len;
	if (memchr(name.text, 0, name.len) != NULL)
		bad_state("a covariate's name or text holds a zero byte");
	pg_verifymbstr(name.text, name.len, false);
	return name;
}

static void
check_column_values(const RowState *state, const CovariateColumn *column)
{
	for (int64 i = 0; i < state->n; i++)
	{
		float		x = column->values[i];

		if ((i & 0xffff) == 0)
			CHECK_FOR_INTERRUPTS();
		if (isnan(x))
			continue;
		if (isinf(x) || column->kind == COVARIATE_EMPTY)
			bad_state("a covariate's value is wrong");
		if (column->kind == COVARIATE_TEXT && !(x >= 0 && x < column->n_words && x == rintf(x)))
			bad_state("a covariate's text is not among its texts");
	}
}

/* `count` columns at `in` (len bytes, all of them) into a state whose rows are there. */
static void
columns_unflatten(RowState *state, const char *in, Size len, int count)
{
	const char *end = in + len;

	for (int k = 0; k < count; k++)
	{
		int32		kind = take_int(&in, end),
					words;
		SeriesName	name = take_name(&in, end);
		CovariateColumn *column;

		if (kind < COVARIATE_EMPTY || kind > COVARIATE_TEXT)
			bad_state("the kind of a covariate is unknown");
		if (known_column(state, name))
			bad_state("a covariate occurs twice");
		column = add_column(state, name);
		column->kind = kind;
		words = take_int(&in, end);
		if (words < 0 || (words > 0 && kind != COVARIATE_TEXT))
			bad_state("the texts of a covariate are wrong");
		for (int i = 0; i < words; i++)
			if (find_word(state, column, take_name(&in, end)) != i)
				bad_state("a covariate's text occurs twice");
		if ((Size) (end - in) / sizeof(float) < (Size) state->n)
			bad_state("its covariates are cut short");
		memcpy(column->values, in, (Size) state->n * sizeof(float));
		in += (Size) state->n * sizeof(float);
		check_column_values(state, column);
	}
	if (in != end)
		bad_state("its covariates have a wrong length");
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

static void
unflatten_options(RowState *state, const char *in, Size len)
{
	char	   *text = pnstrdup(in, len);
	MemoryContext old;

	if (strlen(text) != len)
		bad_state("its options hold a zero byte");
	pg_verifymbstr(text, len, false);
	old = MemoryContextSwitchTo(state->hdr.eoh_context);
	state->options = json_from(text);
	MemoryContextSwitchTo(old);
}

/* That all bytes (len) came, of a format that is known; nodes of one statement may differ in what is installed. */
static void
check_frame(const char *in, Size len)
{
	uint32		crc;

	if (len < sizeof(FlatState) + sizeof(crc))
		bad_state("it is too short");
	if (memcmp(in, "RNN", 3) != 0)
		bad_state("its first bytes are wrong");
	if (in[3] != FLAT_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a state of rnn_train or rnn_history has format %d, and this server reads format %d",
						(unsigned char) in[3] - '0', FLAT_VERSION - '0'),
				 errdetail("The servers that the statement runs on have different versions of rnnforecast."),
				 errhint("Install the same version on all of them; rnn_version() says which one a server has.")));
	memcpy(&crc, in + len - sizeof(crc), sizeof(crc));
	if (crc != rnn_crc32c((const uint8 *) in, len - sizeof(crc)))
		bad_state("its checksum is wrong");
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

	check_frame(in, len);
	memcpy(&head, in, sizeof(head));
	in += sizeof(head);
	len -= sizeof(head) + sizeof(uint32);
	if (head.form < FORM_ORDERED || head.form > FORM_STEP)
		bad_state("its form is unknown");
	if (head.keyed != 0 && head.keyed != 1)
		bad_state("it is neither of one series nor of many");
	if (head.keyed ? head.form == FORM_ORDERED : head.form == FORM_STEP || head.n_names != 0 || head.latest != 0)
		bad_state("its form does not fit its series");
	width = sizeof(Row) + (head.keyed ? sizeof(int32) : 0);
	if (head.n < 0 || head.n > (int64) (len / width))
		bad_state("its count of rows is wrong");
	len -= (Size) head.n * width;
	if (head.names_len < 0 || (Size) head.names_len > len || head.n_names < 0 ||
		head.latest < 0 || head.latest > (int64) 1 << 40)
		bad_state("its names have a wrong length");
	len -= head.names_len;
	if (head.columns_len < 0 || (Size) head.columns_len > len || head.n_columns < 0 || head.n_columns > RNN_MAX_COVARIATES)
		bad_state("its covariates have a wrong length");
	len -= head.columns_len;
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
	columns_unflatten(state, in + (Size) head.n * width + head.names_len, head.columns_len, head.n_columns);
	state_fit(state);
	if (len > 0)
		unflatten_options(state, in + (Size) head.n * width + head.names_len + head.columns_len, len);
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
	copy_columns(copy, from);
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
