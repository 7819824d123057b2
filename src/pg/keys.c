/*
 * keys.c
 *		Covariates of the rows of a state: one column for each key of their
 *		JSON objects.
 *
 * A column holds a float for each row, NaN where the key is missing: a number,
 * or the place of a word in the key's dictionary.  Keys and words stand in the
 * order in which they came, which depends on the plan; what is made of them is
 * sorted by their bytes, covariates.c.  No key and no word is ever dropped, so
 * that each state of a plan errs or not as one state of all rows would.
 *
 * Flat, for each key:	kind int32 | name (length int32, bytes) | words int32,
 *						each (length int32, bytes) | values (n x float)
 */
#include "pg.h"

#include <float.h>
#include <math.h>

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

#define MOST_KEY 255			/* bytes of a key */
#define MOST_WORD 1000			/* bytes of a word */
#define MOST_WORDS 10000		/* of a key */

typedef struct WordEntry
{
	SeriesName	word;
	int			number;
} WordEntry;

static char *
text_of(SeriesName name)
{
	return pnstrdup(name.text, name.len);
}

static SeriesName
kept_copy(RowState *state, SeriesName name)
{
	name.text = memcpy(MemoryContextAlloc(state->hdr.eoh_context, Max(name.len, 1)), name.text, name.len);
	return name;
}

static void
check_key(SeriesName name)
{
	if (name.len > MOST_KEY)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the name of a covariate has %d bytes, more than %d", name.len, MOST_KEY)));
	if (name.len == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the name of a covariate is empty")));
}

static StateKey *
known_key(RowState *state, SeriesName name)
{
	for (int k = 0; k < state->n_keys; k++)
		if (compare_names(&state->keys[k].name, &name) == 0)
			return &state->keys[k];
	return NULL;
}

/*
 * A new key, missing in all rows.  It counts once its values are there: what
 * looks at rows looks at all of theirs.  Rows are wider then; whoever is done
 * with the state's rows calls state_fit.
 */
static StateKey *
add_key(RowState *state, SeriesName name)
{
	StateKey   *key;

	check_key(name);
	if (state->n_keys == RNN_MAX_COVARIATES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("there are more than %d covariates", RNN_MAX_COVARIATES),
				 errdetail("One more is \"%s\".", text_of(name)),
				 errhint("Many numbers of one kind, as of days or places, are better as text under one key.")));
	if (state->keys == NULL)
		state->keys = MemoryContextAllocZero(state->hdr.eoh_context, sizeof(StateKey) * RNN_MAX_COVARIATES);
	key = &state->keys[state->n_keys];
	key->name = kept_copy(state, name);
	key->values = MemoryContextAllocHuge(state->hdr.eoh_context, sizeof(float) * (Size) Max(state->room, 1));
	for (int64 i = 0; i < state->n; i++)
		key->values[i] = NAN;
	state->n_keys++;
	return key;
}

/*
 * The column of a key, new or not; `guess` is tried first, since objects look
 * alike.  A new one may cost old rows.
 */
static StateKey *
find_key(RowState *state, SeriesName name, int guess)
{
	StateKey   *key;

	if (guess < state->n_keys && compare_names(&state->keys[guess].name, &name) == 0)
		return &state->keys[guess];
	key = known_key(state, name);
	if (key == NULL)
	{
		key = add_key(state, name);
		state_fit(state);
	}
	return key;
}

static void
set_kind(StateKey *key, KeyKind kind)
{
	if (key->kind == KEY_EMPTY)
		key->kind = kind;
	if (key->kind != kind && kind != KEY_EMPTY)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("covariate \"%s\" is a number in some rows and text in others", text_of(key->name)),
				 errhint("Cast it to one of the two.")));
}

/* The place of a word in the key's dictionary, new or not. */
static int
find_word(RowState *state, StateKey *key, SeriesName word)
{
	WordEntry  *entry;
	bool		found;

	if (key->index == NULL)
		key->index = new_index(state->hdr.eoh_context, "rnnforecast words", sizeof(WordEntry));
	entry = hash_search(key->index, &word, HASH_FIND, NULL);
	if (entry)
		return entry->number;
	if (word.len > MOST_WORD)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a text of covariate \"%s\" has %d bytes, more than %d", text_of(key->name), word.len, MOST_WORD)));
	if (key->n_words == MOST_WORDS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("covariate \"%s\" has more than %d different texts", text_of(key->name), MOST_WORDS),
				 errhint("A covariate should be of few kinds: group them.")));
	state->words_bytes += word.len + sizeof(WordEntry) + sizeof(SeriesName);
	if (state->words_bytes > memory_limit() / 8)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the texts of covariates outgrow rnnforecast.max_memory"),
				 errhint("Raise rnnforecast.max_memory, or group them into fewer kinds.")));
	if (key->n_words == key->words_room)
	{
		Size		bytes = sizeof(SeriesName) * (key->words_room = Max(2 * key->words_room, 16));

		key->words = key->words ? repalloc(key->words, bytes) : MemoryContextAlloc(state->hdr.eoh_context, bytes);
	}
	word = kept_copy(state, word);
	entry = hash_search(key->index, &word, HASH_ENTER, &found);
	entry->number = key->n_words;
	key->words[key->n_words] = word;
	return key->n_words++;
}

/* ------------------------------------------------------------------- rows */

static float
number_of(const StateKey *key, const JsonbValue *v)
{
	double		x = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(v->val.numeric)));

	if (!(fabs(x) <= FLT_MAX))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("a number of covariate \"%s\" is out of range: %g", text_of(key->name), x)));
	return (float) x;
}

static void
refuse_value(const StateKey *key, const JsonbValue *v)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("covariate \"%s\" is %s", text_of(key->name),
					JsonContainerIsArray(v->val.binary.data) ? "an array" : "an object"),
			 errdetail("Covariates are numbers, booleans, text, or null where they are missing."),
			 errhint("Give each of its parts a key of its own.")));
}

static float
value_of(RowState *state, StateKey *key, const JsonbValue *v)
{
	switch (v->type)
	{
		case jbvNull:
			return NAN;
		case jbvNumeric:
			set_kind(key, KEY_NUMBER);
			return number_of(key, v);
		case jbvBool:
			set_kind(key, KEY_NUMBER);
			return v->val.boolean;
		case jbvString:
			set_kind(key, KEY_TEXT);
			return find_word(state, key, (SeriesName) {v->val.string.val, v->val.string.len});
		default:
			refuse_value(key, v);
	}
	return NAN;
}

void
read_covariates(RowState *state, Jsonb *covariates, GivenCovariates *given)
{
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	v;
	StateKey   *key = NULL;

	given->n = 0;
	if (!JB_ROOT_IS_OBJECT(covariates))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("covariates must be a JSON object"),
				 errhint("Write them as jsonb_build_object('holiday', holiday, 'temp', temp).")));
	it = JsonbIteratorInit(&covariates->root);
	while ((token = JsonbIteratorNext(&it, &v, key != NULL)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			key = find_key(state, (SeriesName) {v.val.string.val, v.val.string.len}, given->n);
		else if (token == WJB_VALUE && key)
		{
			given->value[given->n] = value_of(state, key, &v);
			given->key[given->n++] = (int) (key - state->keys);
			key = NULL;
		}
	}
}

void
put_covariates(RowState *state, const GivenCovariates *given)
{
	for (int i = 0; i < given->n; i++)
		state->keys[given->key[i]].values[state->n - 1] = given->value[i];
}

static int
compare_keys(const void *a, const void *b, void *arg)
{
	const StateKey *keys = arg;

	return compare_names(&keys[*(const int *) a].name, &keys[*(const int *) b].name);
}

void
order_keys(const RowState *state, int *order)
{
	for (int k = 0; k < state->n_keys; k++)
		order[k] = k;
	qsort_arg(order, state->n_keys, sizeof(int), compare_keys, state->keys);
}

int
compare_covariates(const RowState *state, const int *order, int64 a, int64 b)
{
	for (int k = 0; k < state->n_keys; k++)
	{
		const StateKey *key = &state->keys[order[k]];
		float		x = key->values[a],
					y = key->values[b];

		if (isnan(x) || isnan(y))
		{
			if (isnan(x) != isnan(y))
				return isnan(x) ? 1 : -1;
		}
		else if (key->kind == KEY_TEXT)
		{
			int			words = compare_names(&key->words[(int) x], &key->words[(int) y]);

			if (words != 0)
				return words;
		}
		else if (x != y)
			return x < y ? -1 : 1;
	}
	return 0;
}

/* ----------------------------------------------------------- other states */

/* Places in `state` of another state's keys and words. */
struct KeyMap
{
	StateKey   *to[RNN_MAX_COVARIATES];
	int		   *words[RNN_MAX_COVARIATES];
};

KeyMap *
map_keys(RowState *state, const RowState *more)
{
	KeyMap	   *map = palloc0(sizeof(KeyMap));

	for (int k = 0; k < more->n_keys; k++)
	{
		const StateKey *from = &more->keys[k];
		StateKey   *to = map->to[k] = find_key(state, from->name, k);

		set_kind(to, from->kind);
		map->words[k] = palloc(sizeof(int) * Max(from->n_words, 1));
		for (int i = 0; i < from->n_words; i++)
			map->words[k][i] = find_word(state, to, from->words[i]);
	}
	return map;
}

/* Covariates of row i of `more` to the last row of the state. */
void
copy_covariates(RowState *state, const KeyMap *map, const RowState *more, int64 i)
{
	for (int k = 0; k < more->n_keys; k++)
	{
		float		x = more->keys[k].values[i];

		map->to[k]->values[state->n - 1] = isnan(x) || more->keys[k].kind != KEY_TEXT ? x : map->words[k][(int) x];
	}
}

/* Keys, words and covariates of all rows into a copy of the state that has the same rows and no keys. */
void
copy_keys(RowState *copy, const RowState *from)
{
	for (int k = 0; k < from->n_keys; k++)
	{
		const StateKey *key = &from->keys[k];
		StateKey   *to = add_key(copy, key->name);

		to->kind = key->kind;
		for (int i = 0; i < key->n_words; i++)
			(void) find_word(copy, to, key->words[i]);
		memcpy(to->values, key->values, (Size) from->n * sizeof(float));
	}
}

/* ------------------------------------------------------------------- flat */

Size
keys_flat_size(const RowState *state)
{
	Size		size = 0;

	for (int k = 0; k < state->n_keys; k++)
	{
		const StateKey *key = &state->keys[k];

		size += 3 * sizeof(int32) + key->name.len + (Size) state->n * sizeof(float);
		for (int i = 0; i < key->n_words; i++)
			size += sizeof(int32) + key->words[i].len;
	}
	return size;
}

static char *
put(char *out, const void *bytes, Size len)
{
	if (len > 0)
		memcpy(out, bytes, len);
	return out + len;
}

static char *
put_name(char *out, SeriesName name)
{
	out = put(out, &name.len, sizeof(int32));
	return put(out, name.text, name.len);
}

char *
keys_flatten(const RowState *state, char *out)
{
	for (int k = 0; k < state->n_keys; k++)
	{
		const StateKey *key = &state->keys[k];
		int32		kind = key->kind;

		out = put(out, &kind, sizeof(int32));
		out = put_name(out, key->name);
		out = put(out, &key->n_words, sizeof(int32));
		for (int i = 0; i < key->n_words; i++)
			out = put_name(out, key->words[i]);
		out = put(out, key->values, (Size) state->n * sizeof(float));
	}
	return out;
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
check_key_values(const RowState *state, const StateKey *key)
{
	for (int64 i = 0; i < state->n; i++)
	{
		float		x = key->values[i];

		if ((i & 0xffff) == 0)
			CHECK_FOR_INTERRUPTS();
		if (isnan(x))
			continue;
		if (isinf(x) || key->kind == KEY_EMPTY)
			bad_state("a covariate's value is wrong");
		if (key->kind == KEY_TEXT && !(x >= 0 && x < key->n_words && x == rintf(x)))
			bad_state("a covariate's text is not among its texts");
	}
}

/* `count` keys at `in` (len bytes, all of them) into a state whose rows are there. */
void
keys_unflatten(RowState *state, const char *in, Size len, int count)
{
	const char *end = in + len;

	for (int k = 0; k < count; k++)
	{
		int32		kind = take_int(&in, end),
					words;
		SeriesName	name = take_name(&in, end);
		StateKey   *key;

		if (kind < KEY_EMPTY || kind > KEY_TEXT)
			bad_state("the kind of a covariate is unknown");
		if (known_key(state, name))
			bad_state("a covariate occurs twice");
		key = add_key(state, name);
		key->kind = kind;
		words = take_int(&in, end);
		if (words < 0 || (words > 0 && kind != KEY_TEXT))
			bad_state("the texts of a covariate are wrong");
		for (int i = 0; i < words; i++)
			if (find_word(state, key, take_name(&in, end)) != i)
				bad_state("a covariate's text occurs twice");
		if ((Size) (end - in) / sizeof(float) < (Size) state->n)
			bad_state("its covariates are cut short");
		memcpy(key->values, in, (Size) state->n * sizeof(float));
		in += (Size) state->n * sizeof(float);
		check_key_values(state, key);
	}
	if (in != end)
		bad_state("its covariates have a wrong length");
}
