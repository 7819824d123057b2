/*
 * covariates.c
 *		From the covariates of rows to those of regular series.
 *
 * Keys and their texts are sorted by their bytes.  What a key is, it shows: one
 * that never changes within a series is static, one that some row behind the
 * last known value has is known ahead, the others are known up to the present.
 */
#include "pg/series/series.h"

#include <math.h>

#include "miscadmin.h"

#define MOST_SAMPLED 100000		/* values that a scale is estimated from */

/* What is kept of a row's place. */
typedef struct Places
{
	const RowState *state;
	bool		nearest;		/* readings belong to the nearest step */
	int		   *series;			/* (names) number of the series of a name */
	int			columns[RNN_MAX_COVARIATES];	/* by their names */
} Places;

/* ------------------------------------------------------------------ places */

static int
series_of_row(const Places *p, int64 row)
{
	return p->state->keyed ? p->series[p->state->series[row]] : 0;
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
	return compare_covariates(p->state, p->columns, x, y);
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
	sort_interruptibly(order, n, sizeof(int64), compare_places, p);
	return order;
}

/* The place of each row behind the last known value says how far ahead the rows go. */
static void
count_ahead(const Places *p, SeriesSet *all)
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

static void
refuse_place(const rnn_clock *clock, const rnn_series *s, int64 at)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("%s %s%s has covariates and is not on the grid of steps of %s",
					clock_has_times(clock) ? "time" : "step", clock_text(clock, at), of_series(series_name(s)),
					clock_step_text(clock)),
			 errhint("Rows ahead must be at the times of the steps to come.")));
}

/* ------------------------------------------------------------------ values */

float *
new_values(const rnn_series *s, int count)
{
	Size		n = (Size) (s->n + s->ahead) * count;
	float	   *values = palloc_extended(Max(n, 1) * sizeof(float), MCXT_ALLOC_HUGE);

	for (Size i = 0; i < n; i++)
		values[i] = NAN;
	return values;
}

static void
check_memory(const SeriesSet *all, int count)
{
	double		bytes = 0;

	for (int i = 0; i < all->count; i++)
		bytes += (double) (all->series[i].n + all->series[i].ahead) * count * sizeof(float);
	if (bytes > memory_limit() / 2)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%d covariates of %d series exceed rnnforecast.max_memory", count, all->count),
				 errhint("Raise rnnforecast.max_memory, or use fewer of them.")));
}

/* Places of a column's words in the order of their bytes; the words themselves to the covariate. */
static int *
sort_words(const CovariateColumn *column, rnn_covariate *c)
{
	int		   *place = rank_names(column->words, column->n_words);
	rnn_text   *words = palloc(sizeof(rnn_text) * Max(column->n_words, 1));

	for (int i = 0; i < column->n_words; i++)
		words[place[i]] = (rnn_text) {column->words[i].text, column->words[i].len};
	c->n_categories = column->n_words;
	c->categories = words;
	return place;
}

/* Every row's covariates to its place: of several in one step the latest that has a value counts. */
static void
fill_values(Places *p, SeriesSet *all, float **values, int **words, bool fail)
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
		for (int c = 0; c < state->n_columns; c++)
		{
			float		x = state->columns[p->columns[c]].values[order[i]];

			if (!isnan(x))
				values[g][k * state->n_columns + c] = words[c] ? words[c][(int) x] : x;
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
role_of(const SeriesSet *all, int count, int c)
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
void
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
find_scale(const SeriesSet *all, int count, int c, rnn_covariate *covariate)
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

rnn_covariates
scaled_covariates(const rnn_covariates *old, rnn_series *series, int count)
{
	SeriesSet	all = {.series = series,.count = count};
	rnn_covariate *list = palloc(sizeof(rnn_covariate) * Max(old->n, 1));

	memcpy(list, old->list, sizeof(rnn_covariate) * old->n);
	for (int c = 0; c < old->n; c++)
		if (!list[c].is_text)
			find_scale(&all, old->n, c, &list[c]);
	return (rnn_covariates) {.n = old->n,.list = list};
}

/* Covariates and rows ahead of series that are regular by now. */
void
covariates_from_rows(RowState *state, bool nearest, bool fail, SeriesSet *all)
{
	Places		p = {.state = state,.nearest = nearest,.series = rank_names(state->names, state->n_names)};
	int			n = state->n_columns;
	rnn_covariate *list;
	float	  **values;
	int		  **words;

	count_ahead(&p, all);
	all->covariates = (rnn_covariates) {0};
	if (n == 0)
		return;
	check_memory(all, n);
	order_columns(state, p.columns);
	list = palloc0(sizeof(rnn_covariate) * n);
	words = palloc0(sizeof(int *) * n);
	values = palloc_extended(sizeof(float *) * Max(all->count, 1), MCXT_ALLOC_HUGE);
	for (int c = 0; c < n; c++)
	{
		const CovariateColumn *column = &state->columns[p.columns[c]];

		list[c].name = (rnn_text) {column->name.text, column->name.len};
		list[c].is_text = column->kind == COVARIATE_TEXT;
		if (list[c].is_text)
			words[c] = sort_words(column, &list[c]);
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
	all->covariates = (rnn_covariates) {.n = n,.list = list};
	pfree(values);
	pfree(p.series);
}
