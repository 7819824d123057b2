/*
 * covariate_columns.c
 *		Covariates of the rows of a state: one column for each name in their JSON
 *		objects.
 *
 * A column holds a float for each row, NaN where the name is missing: a number,
 * or the place of a word in the column's dictionary.  Columns and words stand in
 * the order in which they came, which depends on the plan; what is made of them
 * is sorted by their bytes, series/covariates.c.  No column and no word is ever
 * dropped, so that each state of a plan errs or not as one state of all rows
 * would.
 */
#include "pg/collect/collect.h"

#include <float.h>
#include <math.h>

#include "utils/hsearch.h"
#include "utils/memutils.h"

#define MOST_NAME 255			/* bytes of its name */
#define MOST_WORD 1000			/* bytes of a word */
#define MOST_WORDS 10000		/* of a column */

typedef struct WordEntry
{
	SeriesName	word;
	int			number;
} WordEntry;

static void
check_name(SeriesName name)
{
	if (name.len > MOST_NAME)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the name of a covariate has %d bytes, more than %d", name.len, MOST_NAME)));
	if (name.len == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the name of a covariate is empty")));
}

CovariateColumn *
known_column(RowState *state, SeriesName name)
{
	for (int k = 0; k < state->n_columns; k++)
		if (compare_names(&state->columns[k].name, &name) == 0)
			return &state->columns[k];
	return NULL;
}

/*
 * A new column, missing in all rows.  It counts once its values are there: what
 * looks at rows looks at all of theirs.  Rows are wider then; whoever is done
 * with the state's rows calls state_fit.
 */
CovariateColumn *
add_column(RowState *state, SeriesName name)
{
	CovariateColumn *column;

	check_name(name);
	if (state->n_columns == RNN_MAX_COVARIATES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("there are more than %d covariates", RNN_MAX_COVARIATES),
				 errdetail("One more is \"%s\".", text_of_name(name)),
				 errhint("If the keys name days or places, write these as text under one key instead.")));
	if (state->columns == NULL)
		state->columns = MemoryContextAllocZero(state->hdr.eoh_context, sizeof(CovariateColumn) * RNN_MAX_COVARIATES);
	column = &state->columns[state->n_columns];
	column->name = state_copy_name(state, name);
	column->values = MemoryContextAllocHuge(state->hdr.eoh_context, sizeof(float) * (Size) Max(state->room, 1));
	for (int64 i = 0; i < state->n; i++)
		column->values[i] = NAN;
	state->n_columns++;
	return column;
}

/*
 * The column of that name, new or not; `guess` is tried first, since objects look
 * alike.  A new one may cost old rows.
 */
static CovariateColumn *
find_column(RowState *state, SeriesName name, int guess)
{
	CovariateColumn *column;

	if (guess < state->n_columns && compare_names(&state->columns[guess].name, &name) == 0)
		return &state->columns[guess];
	column = known_column(state, name);
	if (column == NULL)
	{
		column = add_column(state, name);
		state_fit(state);
	}
	return column;
}

static void
set_kind(CovariateColumn *column, CovariateKind kind)
{
	if (column->kind == COVARIATE_EMPTY)
		column->kind = kind;
	if (column->kind != kind && kind != COVARIATE_EMPTY)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("covariate \"%s\" is a number in some rows and text in others", text_of_name(column->name)),
				 errhint("Cast it to one of the two.")));
}

int
column_number(RowState *state, SeriesName name, CovariateKind kind)
{
	CovariateColumn *column = find_column(state, name, 0);

	set_kind(column, kind);
	return (int) (column - state->columns);
}

/* The place of a word in the column's dictionary, new or not. */
int
find_word(RowState *state, CovariateColumn *column, SeriesName word)
{
	WordEntry  *entry;
	bool		found;

	if (column->index == NULL)
		column->index = new_index(state->hdr.eoh_context, "rnnforecast words", sizeof(WordEntry));
	entry = hash_search(column->index, &word, HASH_FIND, NULL);
	if (entry)
		return entry->number;
	if (word.len > MOST_WORD)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a text of covariate \"%s\" has %d bytes, more than %d", text_of_name(column->name), word.len, MOST_WORD)));
	if (column->n_words == MOST_WORDS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("covariate \"%s\" has more than %d different texts", text_of_name(column->name), MOST_WORDS),
				 errhint("Group its texts into fewer kinds.")));
	state->words_bytes += word.len + sizeof(WordEntry) + sizeof(SeriesName);
	if (state->words_bytes > memory_limit() / 8)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the texts of covariates exceed rnnforecast.max_memory"),
				 errhint("Raise rnnforecast.max_memory, or group them into fewer kinds.")));
	if (column->n_words == column->words_room)
	{
		Size		bytes = sizeof(SeriesName) * (column->words_room = Max(2 * column->words_room, 16));

		column->words = column->words ? repalloc(column->words, bytes) : MemoryContextAlloc(state->hdr.eoh_context, bytes);
	}
	word = state_copy_name(state, word);
	entry = hash_search(column->index, &word, HASH_ENTER, &found);
	entry->number = column->n_words;
	column->words[column->n_words] = word;
	return column->n_words++;
}

/* ------------------------------------------------------------------- rows */

static float
number_of(const CovariateColumn *column, const JsonbValue *v)
{
	double		x = json_number(v);

	if (!(fabs(x) <= FLT_MAX))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("a number of covariate \"%s\" is out of range: %g", text_of_name(column->name), x)));
	return (float) x;
}

static void
refuse_value(const CovariateColumn *column, const JsonbValue *v)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("covariate \"%s\" is %s", text_of_name(column->name),
					JsonContainerIsArray(v->val.binary.data) ? "an array" : "an object"),
			 errdetail("Covariates are numbers, booleans, text, or null where they are missing."),
			 errhint("Give each of its parts a key of its own.")));
}

static float
value_of(RowState *state, CovariateColumn *column, const JsonbValue *v)
{
	switch (v->type)
	{
		case jbvNull:
			return NAN;
		case jbvNumeric:
			set_kind(column, COVARIATE_NUMBER);
			return number_of(column, v);
		case jbvBool:
			set_kind(column, COVARIATE_NUMBER);
			return v->val.boolean;
		case jbvString:
			set_kind(column, COVARIATE_TEXT);
			return find_word(state, column, (SeriesName) {v->val.string.val, v->val.string.len});
		default:
			refuse_value(column, v);
	}
	return NAN;
}

void
read_covariates(RowState *state, Jsonb *covariates, GivenCovariates *given)
{
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	v;
	CovariateColumn *column = NULL;

	given->n = 0;
	if (!JB_ROOT_IS_OBJECT(covariates))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("covariates must be a JSON object"),
				 errhint("Write them as jsonb_build_object('holiday', holiday, 'temp', temp).")));
	it = JsonbIteratorInit(&covariates->root);
	while ((token = JsonbIteratorNext(&it, &v, column != NULL)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			column = find_column(state, (SeriesName) {v.val.string.val, v.val.string.len}, given->n);
		else if (token == WJB_VALUE && column)
		{
			given->value[given->n] = value_of(state, column, &v);
			given->column[given->n++] = (int) (column - state->columns);
			column = NULL;
		}
	}
}

void
put_covariates(RowState *state, const GivenCovariates *given)
{
	for (int i = 0; i < given->n; i++)
		state->columns[given->column[i]].values[state->n - 1] = given->value[i];
}

/* ----------------------------------------------------------- other states */

/* Places in `state` of another state's columns and words. */
struct ColumnMap
{
	CovariateColumn *to[RNN_MAX_COVARIATES];
	int		   *words[RNN_MAX_COVARIATES];
};

ColumnMap *
map_columns(RowState *state, const RowState *more)
{
	ColumnMap  *map = palloc0(sizeof(ColumnMap));

	for (int k = 0; k < more->n_columns; k++)
	{
		const CovariateColumn *from = &more->columns[k];
		CovariateColumn *to = map->to[k] = find_column(state, from->name, k);

		set_kind(to, from->kind);
		map->words[k] = palloc(sizeof(int) * Max(from->n_words, 1));
		for (int i = 0; i < from->n_words; i++)
			map->words[k][i] = find_word(state, to, from->words[i]);
	}
	return map;
}

/* Covariates of row i of `more` to the last row of the state. */
void
copy_covariates(RowState *state, const ColumnMap *map, const RowState *more, int64 i)
{
	for (int k = 0; k < more->n_columns; k++)
	{
		float		x = more->columns[k].values[i];

		map->to[k]->values[state->n - 1] = isnan(x) || more->columns[k].kind != COVARIATE_TEXT ? x : map->words[k][(int) x];
	}
}

/* Columns and words of all rows into a copy of the state that has the same rows and no columns. */
void
copy_columns(RowState *copy, const RowState *from)
{
	for (int k = 0; k < from->n_columns; k++)
	{
		const CovariateColumn *column = &from->columns[k];
		CovariateColumn *to = add_column(copy, column->name);

		to->kind = column->kind;
		for (int i = 0; i < column->n_words; i++)
			(void) find_word(copy, to, column->words[i]);
		memcpy(to->values, column->values, (Size) from->n * sizeof(float));
	}
}
