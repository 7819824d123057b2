/*
 * known_covariates.c
 *		Covariates of a history as a network is trained on them, and as a model
 *		knows them.
 */
#include "pg/series/series.h"

#include <math.h>

#include "lib/stringinfo.h"
#include "miscadmin.h"

typedef struct WordCount
{
	int			word;
	int64		count;
} WordCount;

static int
compare_counts(const void *a, const void *b)
{
	const WordCount *x = a,
			   *y = b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return x->word - y->word;
}

static int
compare_places_of_words(const void *a, const void *b)
{
	return ((const WordCount *) a)->word - ((const WordCount *) b)->word;
}

/* Places of a history's words among the most frequent, which a network tells apart; others are unknown. */
static int *
choose_words(const SeriesSet *all, int c, rnn_covariate *covariate)
{
	int			n = covariate->n_categories,
				kept = Min(n, RNN_MAX_CATEGORIES);
	WordCount  *counts = palloc0(sizeof(WordCount) * Max(n, 1));
	int		   *place = palloc(sizeof(int) * (n + 1));
	rnn_text   *words = palloc(sizeof(rnn_text) * Max(kept, 1));

	for (int i = 0; i < n; i++)
		counts[i].word = i;
	for (int g = 0; g < all->count; g++)
		for (int64 i = 0; i < all->series[g].n; i++)
		{
			float		x = all->series[g].covariates[i * all->covariates.n + c];

			if (!isnan(x) && x < n)
				counts[(int) x].count++;
		}
	qsort(counts, n, sizeof(WordCount), compare_counts);
	qsort(counts, kept, sizeof(WordCount), compare_places_of_words);
	for (int i = 0; i <= n; i++)
		place[i] = kept;
	for (int i = 0; i < kept; i++)
	{
		place[counts[i].word] = i;
		words[i] = covariate->categories[counts[i].word];
	}
	covariate->n_categories = kept;
	covariate->categories = words;
	pfree(counts);
	return place;
}

const rnn_covariate *
covariate_named(const rnn_covariates *all, rnn_text name, int *number)
{
	for (int k = 0; k < all->n; k++)
		if (all->list[k].name.len == name.len && memcmp(all->list[k].name.text, name.text, name.len) == 0)
		{
			*number = k;
			return &all->list[k];
		}
	return NULL;
}

/* Places of the words of `from` among those of `to`. */
static int *
match_categories(const rnn_covariate *to, const rnn_covariate *from)
{
	int		   *place = palloc(sizeof(int) * (from->n_categories + 1)),
				k = 0;

	for (int i = 0; i < from->n_categories; i++)
	{
		SeriesName	word = {from->categories[i].text, from->categories[i].len};

		place[i] = to->n_categories;
		for (; k < to->n_categories; k++)
		{
			SeriesName	other = {to->categories[k].text, to->categories[k].len};
			int			order = compare_names(&other, &word);

			if (order == 0)
				place[i] = k;
			if (order >= 0)
				break;
		}
	}
	place[from->n_categories] = to->n_categories;
	return place;
}

/* Column `from` of the series as column `to` of their new values, words replaced. */
static void
copy_column(const rnn_series *series, int count, float **values, int to, int width, int from, int from_width,
			const int *words)
{
	for (int g = 0; g < count; g++)
	{
		const rnn_series *s = &series[g];

		CHECK_FOR_INTERRUPTS();
		for (int64 i = 0; s->covariates && i < s->n + s->ahead; i++)
		{
			float		x = s->covariates[i * from_width + from];

			values[g][i * width + to] = isnan(x) || words == NULL ? x : words[(int) x];
		}
	}
}

static float **
columns_for(const rnn_series *series, int count, int width)
{
	float	  **values = palloc_extended(sizeof(float *) * Max(count, 1), MCXT_ALLOC_HUGE);

	for (int g = 0; g < count; g++)
		values[g] = new_values(&series[g], width);
	return values;
}

static void
hand_over(rnn_series *series, int count, float **values)
{
	for (int g = 0; g < count; g++)
		series[g].covariates = values[g];
	pfree(values);
}

/* Values are only copied, a second time in memory, where words have other places. */
void
covariates_for_training(SeriesSet *all, KnownAhead known)
{
	int			n = all->covariates.n;
	rnn_covariate *list;
	float	  **values;
	bool		few = true;

	if (n == 0)
		return;
	list = palloc(sizeof(rnn_covariate) * n);
	memcpy(list, all->covariates.list, sizeof(rnn_covariate) * n);
	for (int c = 0; c < n; c++)
	{
		if (list[c].role != RNN_STATIC && known != KNOWN_AHEAD_AUTO)
			list[c].role = known == KNOWN_AHEAD_ALL ? RNN_AHEAD : RNN_PAST;
		few &= !list[c].is_text || list[c].n_categories <= RNN_MAX_CATEGORIES;
	}
	if (!few)
	{
		values = columns_for(all->series, all->count, n);
		for (int c = 0; c < n; c++)
			copy_column(all->series, all->count, values, c, n, c, n,
						list[c].is_text ? choose_words(all, c, &list[c]) : NULL);
		hand_over(all->series, all->count, values);
	}
	all->covariates.list = list;
}

void
notice_ignored_covariates(const rnn_covariates *to, const rnn_covariates *from)
{
	StringInfoData names;
	int			n = 0,
				number;

	initStringInfo(&names);
	for (int k = 0; k < from->n; k++)
		if (covariate_named(to, from->list[k].name, &number) == NULL)
			appendStringInfo(&names, "%s\"%s\"", n++ > 0 ? ", " : "",
							 pnstrdup(from->list[k].name.text, from->list[k].name.len));
	if (n > 0)
		ereport(NOTICE,
				(errmsg("covariates that the model was not trained with are ignored: %s", names.data)));
}

void
covariates_for_model(const rnn_covariates *to, const rnn_covariates *from, rnn_series *series, int count)
{
	float	  **values;

	if (to->n == 0)
	{
		for (int g = 0; g < count; g++)
			series[g].covariates = NULL;
		return;
	}
	values = columns_for(series, count, to->n);
	for (int c = 0; c < to->n; c++)
	{
		const rnn_covariate *own = &to->list[c],
				   *other;
		int			k;

		if ((other = covariate_named(from, own->name, &k)) == NULL)
			continue;
		if (own->is_text != other->is_text)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("covariate \"%s\" is %s in the history and %s in the model",
							pnstrdup(own->name.text, own->name.len),
							other->is_text ? "text" : "a number", own->is_text ? "text" : "a number")));
		copy_column(series, count, values, c, to->n, k, from->n, own->is_text ? match_categories(own, other) : NULL);
		for (int g = 0; g < count && own->role == RNN_STATIC; g++)
			spread_static(&series[g], values[g], to->n, c);
	}
	hand_over(series, count, values);
}
