/*
 * sums.c
 *		Series that are sums of others: all levels of `country/category/product`, or
 *		groups.
 *
 * A missing value of a part is filled as the option gaps says, else by the one
 * before; where all parts are missing so is the sum.  Before it begins a part
 * counts as nothing.  Behind its end it counts as what it is forecast to be, or,
 * before there is a model, as its last value.  What is known beside the values is
 * put together, too (sum_covariates.c).
 */
#include "pg/series/series.h"

#include <float.h>
#include <math.h>

#include "miscadmin.h"

/* Parts and sums while they are put together. */
typedef struct Adding
{
	const SumsGiven *given;
	const rnn_series *parts;	/* (n_parts) all that are no sums */
	int			n_parts;
	int			usable;
	int		   *part;			/* (usable) which of them have values */
	SeriesName *names;			/* (usable) */
	Groups		groups;
	rnn_series *sum;			/* (groups.count) */
	bool	   *cut;			/* (groups.count) it begins with a part that may have been cut */
	double	  **x;				/* (groups.count) their values, 0 at first, */
	bool	  **known;			/* and whether any part is known there */
	int64		end;			/* of all */
} Adding;

static void *
sums_memory(Size bytes)
{
	if (bytes > memory_limit())
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("sums of series need more memory than rnnforecast.max_memory allows"),
				 errdetail("The limit is %zu MB.", memory_limit() / (1024 * 1024)),
				 errhint("Raise rnnforecast.max_memory.")));
	return palloc_extended(Max(bytes, 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

/* Grid number behind the last point. */
static int64
grid_end(const rnn_series *s)
{
	return s->dropped + s->n;
}

int64
last_grid_end(const rnn_series *series, int count)
{
	int64		end = PG_INT64_MIN;

	for (int i = 0; i < count; i++)
		if (series[i].n > 0)
			end = Max(end, grid_end(&series[i]));
	return end;
}

rnn_series *
parts_of_sums(const rnn_series *series, int *count)
{
	rnn_series *parts = palloc_extended(sizeof(rnn_series) * Max(*count, 1), MCXT_ALLOC_HUGE);
	int			n = 0;

	for (int i = 0; i < *count; i++)
		if (!series[i].sum)
			parts[n++] = series[i];
	*count = n;
	return parts;
}

/* ------------------------------------------------------------------- which */

/* Those that can't be used as they are, are no part of sums. */
static void
find_usable(Adding *a)
{
	a->part = sums_memory(sizeof(int) * a->n_parts);
	a->names = sums_memory(sizeof(SeriesName) * a->n_parts);
	for (int i = 0; i < a->n_parts; i++)
	{
		SeriesName	name = series_name(&a->parts[i]);

		if (name.text == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("one series has nothing to add up to"),
					 errhint("Train with a column of names, such as \"country/town\".")));
		if (a->parts[i].n == 0 || a->parts[i].note >= RNN_NOTE_EMPTY)
			continue;
		a->names[a->usable] = name;
		a->part[a->usable++] = i;
	}
	a->end = last_grid_end(a->parts, a->n_parts);
}

/* Groups of which no series is left. */
static void
drop_empty(Groups *groups, int series)
{
	int		   *to = sums_memory(sizeof(int) * groups->count),
				left = 0;

	for (int g = 0; g < groups->count; g++)
	{
		to[g] = left;
		groups->name[left] = groups->name[g];
		groups->size[left] = groups->size[g];
		if (groups->depth)
			groups->depth[left] = groups->depth[g];
		left += groups->size[g] > 0;
	}
	for (int k = 0; k < groups->first[series]; k++)
		groups->of[k] = to[groups->of[k]];
	groups->count = left;
	pfree(to);
}

static void
find_groups(Adding *a, const rnn_text *asked)
{
	Jsonb	   *json = json_from(pnstrdup(asked->text, asked->len));
	JsonbValue	v;

	if (JB_ROOT_IS_SCALAR(json) && JsonbExtractScalar(&json->root, &v) && v.type == jbvString && v.val.string.len > 0)
		tree_groups((SeriesName) {v.val.string.val, v.val.string.len}, a->names, a->usable, &a->groups);
	else
		parse_groups(json, a->names, NULL, a->usable, a->given->lenient, &a->groups);
	drop_empty(&a->groups, a->usable);
	check_group_names(&a->groups, a->names, a->usable);
}

/* ------------------------------------------------------------------ points */

/* Which points of the grid each sum has; where a part was cut it isn't nothing before, and the sum begins there. */
static void
frame_sum(Adding *a, int g, const rnn_series *s)
{
	rnn_series *sum = &a->sum[g];
	bool		cut = a->given->reach > 0 && s->n >= a->given->reach;

	if (sum->n == 0 || (cut && (!a->cut[g] || s->dropped > sum->dropped)) ||
		(!cut && !a->cut[g] && s->dropped < sum->dropped))
	{
		sum->start = s->start;
		sum->dropped = s->dropped;
		sum->n = a->end - s->dropped;
		a->cut[g] = cut;
	}
	sum->ahead = Max(sum->ahead, grid_end(s) + s->ahead - a->end);
}

static void
frame_sums(Adding *a)
{
	for (int k = 0; k < a->usable; k++)
		for (int i = a->groups.first[k]; i < a->groups.first[k + 1]; i++)
			frame_sum(a, a->groups.of[i], &a->parts[a->part[k]]);
}

/* At each point of the grid of a sum from its start or the part's on. */
static void
add_part(const Adding *a, int g, const rnn_series *s, const double *filled, const double *beyond)
{
	const rnn_series *sum = &a->sum[g];
	int64		off = s->dropped - sum->dropped;

	for (int64 t = Max(off, 0); t < sum->n; t++)
	{
		int64		at = t - off;
		double		x = at < s->n ? filled[at] : beyond ? beyond[at - s->n] : filled[s->n - 1];

		a->x[g][t] += isnan(x) ? 0 : x;
		a->known[g][t] |= at < s->n && !isnan(s->x[at]);
	}
}

static void
add_up(Adding *a)
{
	Size		points = 0,
				each = sizeof(double) + sizeof(bool) + sizeof(float) * a->given->covariates->n;

	for (int g = 0; g < a->groups.count; g++)
	{
		points += a->sum[g].n;
		if (points > memory_limit() / each)
			sums_memory(SIZE_MAX);
		a->x[g] = sums_memory(sizeof(double) * a->sum[g].n);
		a->known[g] = sums_memory(a->sum[g].n);
	}
	for (int k = 0; k < a->usable; k++)
	{
		const rnn_series *s = &a->parts[a->part[k]];
		double	   *filled = sums_memory(sizeof(double) * s->n);

		rnn_fill_gaps(a->given->cfg, s->x, s->n, filled);
		rnn_fill_forward(filled, s->n, filled);
		for (int g = a->groups.first[k]; g < a->groups.first[k + 1]; g++)
		{
			CHECK_FOR_INTERRUPTS();
			add_part(a, a->groups.of[g], s, filled, a->given->beyond ? a->given->beyond[a->part[k]] : NULL);
		}
		pfree(filled);
	}
}

/* Behind the last value of any part there are forecasts alone. */
static void
finish_sum(Adding *a, int g)
{
	rnn_series *sum = &a->sum[g];

	for (int64 t = 0; t < sum->n; t++)
		a->x[g][t] = a->known[g][t] ? fmin(fmax(a->x[g][t], -DBL_MAX), DBL_MAX) : NAN;
	while (sum->n > 0 && isnan(a->x[g][sum->n - 1]))
		sum->n--;
	sum->ahead = sum->ahead > 0 ? Min(sum->ahead + a->end - grid_end(sum), RNN_MAX_HORIZON) : 0;
	sum->x = a->x[g];
	sum->sum = 1;
	sum->name = a->groups.name[g].text;
	sum->name_len = a->groups.name[g].len;
	sum->note = rnn_series_is_constant(sum) ? RNN_NOTE_CONSTANT : RNN_NOTE_NONE;
}

/* -------------------------------------------------------------- covariates */

/* The parts of each sum: in `first` (groups + 1) where they begin, their places among the usable. */
static int *
members_of(const Adding *a, int *first)
{
	const Groups *groups = &a->groups;
	int		   *members = sums_memory(sizeof(int) * groups->first[a->usable]),
			   *at = sums_memory(sizeof(int) * groups->count);

	for (int g = 0; g < groups->count; g++)
	{
		at[g] = first[g];
		first[g + 1] = first[g] + groups->size[g];
	}
	for (int k = 0; k < a->usable; k++)
		for (int i = groups->first[k]; i < groups->first[k + 1]; i++)
			members[at[groups->of[i]]++] = k;
	pfree(at);
	return members;
}

static void
add_covariates(Adding *a)
{
	const rnn_covariates *all = a->given->covariates;
	const rnn_series **parts = sums_memory(sizeof(rnn_series *) * 2 * a->usable),
			  **own = parts + a->usable;
	double	   *share = sums_memory(sizeof(double) * 2 * a->usable),
			   *part = share + a->usable;
	int		   *first = sums_memory(sizeof(int) * (a->groups.count + 1)),
			   *members = members_of(a, first);

	for (int k = 0; k < a->usable; k++)
		parts[k] = &a->parts[a->part[k]];
	shares_of_parts(parts, a->usable, share);
	for (int g = 0; g < a->groups.count; g++)
	{
		int			n = first[g + 1] - first[g];

		for (int k = 0; k < n; k++)
		{
			own[k] = parts[members[first[g] + k]];
			part[k] = share[members[first[g] + k]];
		}
		a->sum[g].covariates = covariates_of_sum(all, own, part, n, &a->sum[g]);
	}
	pfree(parts);
	pfree(share);
	pfree(first);
	pfree(members);
}

/* ------------------------------------------------------------------- order */

/* The place of each part, and behind them of each sum, among all by name. */
static int *
rank_all(const Adding *a)
{
	int			n = a->n_parts + a->groups.count;
	SeriesName *names = sums_memory(sizeof(SeriesName) * n);

	for (int i = 0; i < a->n_parts; i++)
		names[i] = series_name(&a->parts[i]);
	for (int g = 0; g < a->groups.count; g++)
		names[a->n_parts + g] = a->groups.name[g];
	return rank_names(names, n);
}

/* Of a tree the parts of the name; of groups, whether they are all. */
static int
level_of(const Adding *a, int g)
{
	if (a->groups.depth)
		return Min(a->groups.depth[g], RNN_LEVELS - 2);
	return a->groups.size[g] < a->usable;
}

/* Sums by their place, and the sums of each series. */
static void
number_sums(const Adding *a, const int *rank, rnn_sums *sums)
{
	int			n = a->n_parts + a->groups.count;
	int32	   *series = sums_memory(sizeof(int32) * a->groups.count),
			   *level = sums_memory(sizeof(int32) * a->groups.count),
			   *first = sums_memory(sizeof(int32) * ((Size) n + 1)),
			   *of = sums_memory(sizeof(int32) * (a->usable > 0 ? a->groups.first[a->usable] : 0)),
			   *number = sums_memory(sizeof(int32) * n),	/* of the sum at a place, + 1 */
			   *at = sums_memory(sizeof(int32) * n);	/* of the usable part at a place, + 1 */

	for (int g = 0; g < a->groups.count; g++)
		number[rank[a->n_parts + g]] = g + 1;
	for (int k = 0; k < a->usable; k++)
		at[rank[a->part[k]]] = k + 1;
	*sums = (rnn_sums) {.series = series,.level = level,.first = first,.of = of};
	for (int i = 0; i < n; i++)
	{
		if (number[i] == 0)
			continue;
		series[sums->count] = i;
		level[sums->count] = level_of(a, number[i] - 1);
		number[i] = ++sums->count;
	}
	for (int i = 0, parts = 0; i < n; first[++i] = parts)
		for (int j = at[i] ? a->groups.first[at[i] - 1] : 0; at[i] && j < a->groups.first[at[i]]; j++)
			of[parts++] = number[rank[a->n_parts + a->groups.of[j]]] - 1;
	pfree(number);
	pfree(at);
}

void
add_sums(const rnn_text *asked, const SumsGiven *given, rnn_series **series, int *count, rnn_sums *sums)
{
	Adding		a = {.given = given,.parts = *series,.n_parts = *count};
	rnn_series *all;
	int		   *rank;

	find_usable(&a);
	find_groups(&a, asked);
	a.sum = sums_memory(sizeof(rnn_series) * a.groups.count);
	a.cut = sums_memory(a.groups.count);
	a.x = sums_memory(sizeof(double *) * a.groups.count);
	a.known = sums_memory(sizeof(bool *) * a.groups.count);
	frame_sums(&a);
	add_up(&a);
	rank = rank_all(&a);
	number_sums(&a, rank, sums);
	all = sums_memory(sizeof(rnn_series) * ((Size) a.n_parts + a.groups.count));
	for (int i = 0; i < a.n_parts; i++)
		all[rank[i]] = a.parts[i];
	for (int g = 0; g < a.groups.count; g++)
		finish_sum(&a, g);
	if (given->covariates->n > 0)
		add_covariates(&a);
	for (int g = 0; g < a.groups.count; g++)
		all[rank[a.n_parts + g]] = a.sum[g];
	*series = all;
	*count = a.n_parts + a.groups.count;
}

void
sums_for_training(const rnn_config *cfg, const rnn_text *asked, SeriesSet *all)
{
	SumsGiven	given = {.cfg = cfg,.covariates = &all->covariates};

	all->hierarchy = *asked;
	all->sums = (rnn_sums) {0};
	if (asked->len > 0)
		add_sums(asked, &given, &all->series, &all->count, &all->sums);
}
