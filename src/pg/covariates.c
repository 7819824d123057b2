/*
 * covariates.c
 *		From the covariates of rows to those of regular series, and from those of
 *		a history to what a model knows.
 *
 * Keys and their texts are sorted by their bytes.  What a key is, it shows: one
 * that never changes within a series is static, one that some row behind the
 * last known value has is known ahead, the others are known up to the present.
 */
#include "clock.h"

#include <math.h>

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#define MOST_SAMPLED 100000		/* values that a scale is estimated from */

/* What is kept of a row's place. */
typedef struct Places
{
	const RowState *state;
	bool		nearest;		/* readings belong to the nearest step */
	int		   *series;			/* (names) number of the series of a name */
	int			keys[RNN_MAX_COVARIATES];	/* by their names */
} Places;

/* ------------------------------------------------------------------ places */

typedef struct NameOrder
{
	SeriesName	name;
	int			number;
} NameOrder;

static int
compare_names_in_order(const void *a, const void *b)
{
	return compare_names(&((const NameOrder *) a)->name, &((const NameOrder *) b)->name);
}

static int *
series_of_names(const RowState *state)
{
	int			n = state->keyed ? state->n_names : 1;
	NameOrder  *order = palloc_extended(sizeof(NameOrder) * Max(n, 1), MCXT_ALLOC_HUGE);
	int		   *series = palloc_extended(sizeof(int) * Max(n, 1), MCXT_ALLOC_HUGE);

	series[0] = 0;
	for (int i = 0; i < n && state->keyed; i++)
		order[i] = (NameOrder) {state->names[i], i};
	if (state->keyed)
		qsort(order, n, sizeof(NameOrder), compare_names_in_order);
	for (int i = 0; i < n && state->keyed; i++)
		series[order[i].number] = i;
	pfree(order);
	return series;
}

static int
series_of_row(const Places *p, int64 row)
{
	return p->series[p->state->keyed ? p->state->series[row] : 0];
}

/* By series, then by time; of rows of one time none is before another by chance. */
static int
compare_places(const void *a, const void *b, void *arg)
{
	const Places *p = arg;
	int64		x = *(const int64 *) a,
				y = *(const int64 *) b;
	int			i = series_of_row(p, x),
				k = series_of_row(p, y);
	int64		at = p->state->rows[x].at,
				other = p->state->rows[y].at;

	if (i != k)
		return i < k ? -1 : 1;
	if (at != other)
		return at < other ? -1 : 1;
	return compare_covariates(p->state, p->keys, x, y);
}

static int64 *
rows_in_order(Places *p)
{
	int64		n = p->state->n;
	int64	   *order = palloc_extended((Size) Max(n, 1) * sizeof(int64), MCXT_ALLOC_HUGE);
	bool		sorted = true;

	for (int64 i = 0; i < n; i++)
	{
		order[i] = i;
		if ((i & 0xffff) == 0)
			CHECK_FOR_INTERRUPTS();
		sorted = sorted && (i == 0 || compare_places(&order[i - 1], &order[i], p) <= 0);
	}
	if (sorted)
		return order;
#if PG_VERSION_NUM >= 150000
	qsort_interruptible(order, n, sizeof(int64), compare_places, p);
#else
	qsort_arg(order, n, sizeof(int64), compare_places, p);
#endif
	return order;
}

/* The place of each row behind the last known value says how far ahead the rows go. */
static void
count_ahead(const Places *p, Series *all)
{
	int64	   *last = palloc_extended(sizeof(int64) * Max(all->count, 1), MCXT_ALLOC_HUGE);

	for (int i = 0; i < all->count; i++)
	{
		const rnn_series *s = &all->series[i];

		last[i] = s->n > 0 ? clock_time(&all->clock, s->start, s->n - 1) : PG_INT64_MAX;
	}
	for (int64 r = 0; r < p->state->n; r++)
	{
		rnn_series *s = &all->series[series_of_row(p, r)];
		int64		time,
					k;

		if ((r & 0xffff) == 0)
			CHECK_FOR_INTERRUPTS();
		if (!isnan(p->state->rows[r].value) || s->n == 0)
			continue;
		time = time_of_row(&all->clock, p->state->rows[r].at, p->nearest);
		if (time <= last[s - all->series])
			continue;
		k = clock_index(&all->clock, s->start, time);
		s->ahead = Max(s->ahead, Min(k - s->n + 1, RNN_MAX_HORIZON));
	}
	pfree(last);
}

static char *
series_text(const rnn_series *s)
{
	return s->name ? psprintf(" of series \"%s\"", pnstrdup(s->name, s->name_len)) : "";
}

static void
refuse_place(const rnn_clock *clock, const rnn_series *s, int64 at)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("%s %s%s has covariates and is not on the grid of steps of %s",
					clock_has_times(clock) ? "time" : "step", clock_text(clock, at), series_text(s),
					clock_step_text(clock)),
			 errhint("Give rows ahead at the times of the steps to come.")));
}

/* ------------------------------------------------------------------ values */

static float *
new_values(const rnn_series *s, int count)
{
	Size		n = (Size) (s->n + s->ahead) * count;
	float	   *values = palloc_extended(Max(n, 1) * sizeof(float), MCXT_ALLOC_HUGE);

	for (Size i = 0; i < n; i++)
		values[i] = NAN;
	return values;
}

static void
check_memory(const Series *all, int count)
{
	double		bytes = 0;

	for (int i = 0; i < all->count; i++)
		bytes += (double) (all->series[i].n + all->series[i].ahead) * count * sizeof(float);
	if (bytes > memory_limit() / 2)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%d covariates of %d series outgrow rnnforecast.max_memory", count, all->count),
				 errhint("Raise rnnforecast.max_memory, or use fewer of them.")));
}

static int
compare_words(const void *a, const void *b, void *arg)
{
	const SeriesName *words = arg;

	return compare_names(&words[*(const int *) a], &words[*(const int *) b]);
}

/* Places of a key's words in the order of their bytes; the words themselves to the covariate. */
static int *
sort_words(const StateKey *key, rnn_covariate *c)
{
	int		   *order = palloc(sizeof(int) * Max(key->n_words, 1)),
			   *place = palloc(sizeof(int) * Max(key->n_words, 1));
	rnn_text   *words = palloc(sizeof(rnn_text) * Max(key->n_words, 1));

	for (int i = 0; i < key->n_words; i++)
		order[i] = i;
	qsort_arg(order, key->n_words, sizeof(int), compare_words, key->words);
	for (int i = 0; i < key->n_words; i++)
	{
		place[order[i]] = i;
		words[i] = (rnn_text) {key->words[order[i]].text, key->words[order[i]].len};
	}
	c->n_categories = key->n_words;
	c->categories = words;
	pfree(order);
	return place;
}

/* Every row's covariates to its place: of several in one step the latest that has a key counts. */
static void
fill_values(Places *p, Series *all, float **values, int **words, bool fail)
{
	const RowState *state = p->state;
	int64	   *order = rows_in_order(p);

	for (int64 i = 0; i < state->n; i++)
	{
		int			g = series_of_row(p, order[i]);
		const rnn_series *s = &all->series[g];
		int64		time,
					k;

		if ((i & 0xffff) == 0)
			CHECK_FOR_INTERRUPTS();
		if (s->n == 0)
			continue;
		time = time_of_row(&all->clock, state->rows[order[i]].at, p->nearest);
		k = clock_index(&all->clock, s->start, time);
		if (k < 0 && fail && time > s->start)
			refuse_place(&all->clock, s, state->rows[order[i]].at);
		if (k < 0 || k >= s->n + s->ahead)
			continue;
		for (int c = 0; c < state->n_keys; c++)
		{
			float		x = state->keys[p->keys[c]].values[order[i]];

			if (!isnan(x))
				values[g][k * state->n_keys + c] = words[c] ? words[c][(int) x] : x;
		}
	}
	pfree(order);
}

/* ------------------------------------------------------------------- roles */

/* The one value that a covariate has in a series; false where it has several. */
static bool
only_value(const rnn_series *s, int count, int c, float *value)
{
	*value = NAN;
	for (int64 i = 0; i < s->n + s->ahead; i++)
	{
		float		x = s->covariates[i * count + c];

		if (isnan(x))
			continue;
		if (!isnan(*value) && *value != x)
			return false;
		*value = x;
	}
	return true;
}

static rnn_role
role_of(const Series *all, int count, int c)
{
	bool		same = true,
				ahead = false,
				any = false;
	float		value;

	for (int g = 0; g < all->count; g++)
	{
		const rnn_series *s = &all->series[g];

		CHECK_FOR_INTERRUPTS();
		for (int64 i = s->n; i < s->n + s->ahead && !ahead; i++)
			ahead = !isnan(s->covariates[i * count + c]);
		same = same && only_value(s, count, c, &value);
		any |= same && !isnan(value);
	}
	return same && any ? RNN_STATIC : ahead ? RNN_AHEAD : RNN_PAST;
}

/* Everywhere what it is anywhere: the latest that is known, for a model may have been trained otherwise. */
static void
spread_static(rnn_series *s, float *values, int count, int c)
{
	float		latest = NAN;

	for (int64 i = s->n + s->ahead - 1; i >= 0 && isnan(latest); i--)
		latest = values[i * count + c];
	for (int64 i = s->n + s->ahead - 1; i >= 0; i--)
		if (isnan(values[i * count + c]))
			values[i * count + c] = latest;
}

static int
compare_floats(const void *a, const void *b)
{
	float		x = *(const float *) a,
				y = *(const float *) b;

	return (x > y) - (x < y);
}

/*
 * Median and distance between the quartiles as a normal deviation; where half
 * of the values are the same, as of rain, the root of the mean square around
 * it.  Of all points of the history, or as many far apart.
 */
static void
find_scale(const Series *all, int count, int c, rnn_covariate *covariate)
{
	int64		points = 0,
				stride,
				n = 0,
				at = 0;
	float	   *x;
	double		square = 0;

	for (int g = 0; g < all->count; g++)
		points += all->series[g].n;
	stride = points / MOST_SAMPLED + 1;
	x = palloc(sizeof(float) * (points / stride + 1));
	for (int g = 0; g < all->count; g++)
		for (int64 i = 0; i < all->series[g].n; i++)
			if (at++ % stride == 0 && !isnan(all->series[g].covariates[i * count + c]))
				x[n++] = all->series[g].covariates[i * count + c];
	covariate->centre = 0;
	covariate->scale = 1;
	if (n > 0)
	{
		qsort(x, n, sizeof(float), compare_floats);
		covariate->centre = x[n / 2];
		covariate->scale = ((double) x[3 * n / 4] - x[n / 4]) / 1.349;
		for (int64 i = 0; i < n; i++)
			square += (x[i] - covariate->centre) * (x[i] - covariate->centre);
		if (covariate->scale == 0)
			covariate->scale = square > 0 ? sqrt(square / n) : 1;
	}
	pfree(x);
}

/* Covariates and rows ahead of series that are regular by now. */
void
covariates_from_rows(RowState *state, bool nearest, bool fail, Series *all)
{
	Places		p = {.state = state,.nearest = nearest,.series = series_of_names(state)};
	int			n = state->n_keys;
	rnn_covariate *list;
	float	  **values;
	int		  **words;

	count_ahead(&p, all);
	all->covariates = (rnn_covariates) {0};
	if (n == 0)
		return;
	check_memory(all, n);
	order_keys(state, p.keys);
	list = palloc0(sizeof(rnn_covariate) * n);
	words = palloc0(sizeof(int *) * n);
	values = palloc_extended(sizeof(float *) * Max(all->count, 1), MCXT_ALLOC_HUGE);
	for (int c = 0; c < n; c++)
	{
		const StateKey *key = &state->keys[p.keys[c]];

		list[c].name = (rnn_text) {key->name.text, key->name.len};
		list[c].is_text = key->kind == KEY_TEXT;
		if (list[c].is_text)
			words[c] = sort_words(key, &list[c]);
	}
	for (int g = 0; g < all->count; g++)
		all->series[g].covariates = values[g] = new_values(&all->series[g], n);
	fill_values(&p, all, values, words, fail);
	for (int c = 0; c < n; c++)
	{
		list[c].role = role_of(all, n, c);
		for (int g = 0; g < all->count && list[c].role == RNN_STATIC; g++)
			spread_static(&all->series[g], values[g], n, c);
		if (!list[c].is_text)
			find_scale(all, n, c, &list[c]);
	}
	all->covariates = (rnn_covariates) {n, list};
	pfree(values);
	pfree(p.series);
}

/* --------------------------------------------------------------- to a model */

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
choose_words(const Series *all, int c, rnn_covariate *covariate)
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

static const rnn_covariate *
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
covariates_for_training(Series *all, KnownAhead known)
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

static void
notice_ignored(const rnn_covariates *to, const rnn_covariates *from)
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

	notice_ignored(to, from);
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
