/*
 * hierarchy.c
 *		A tree made of names such as `country/category/product`: every prefix is the
 *		sum of the series below it.
 *
 * Names of one prefix follow each other in their order, so that one walk through
 * them finds each sum once, before its parts.
 */
#include "pg/paths/reconcile.h"

#include <float.h>
#include <math.h>

#include "miscadmin.h"

/* The tree while it grows. */
typedef struct Growth
{
	const rnn_model *model;
	SeriesName	separator;
	int			bottoms;
	int		   *bottom;			/* (bottoms) numbers in the model, in the order of names */
	int		   *bottom_parent;	/* (bottoms) */
	int		   *bottom_depth;	/* (bottoms) */
	int			sums,
				room;
	SeriesName *name;			/* (room) */
	int		   *parent;			/* (room) */
	int		   *depth;			/* (room) */
	int		   *open;			/* (room) the last sum of each depth */
} Growth;

static SeriesName
bottom_name(const Growth *g, int k)
{
	return series_name(&g->model->series[g->bottom[k]]);
}

void *
reconcile_memory(Size bytes)
{
	if (bytes > memory_limit())
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("sums of series need more memory than rnnforecast.max_memory allows"),
				 errdetail("The limit is %zu MB.", memory_limit() / (1024 * 1024)),
				 errhint("Raise rnnforecast.max_memory, or ask for fewer steps.")));
	return MemoryContextAllocHuge(CurrentMemoryContext, Max(bytes, 1));
}

static void *
huge_ints(int n)
{
	return palloc_extended(sizeof(int) * (Size) Max(n, 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

/* ----------------------------------------------------------------- bottoms */

/* Series with values, by name. */
static void
sort_bottoms(Growth *g)
{
	const rnn_model *m = g->model;
	int		   *used = huge_ints(m->n_series),
			   *rank;
	SeriesName *names = palloc_extended(sizeof(SeriesName) * Max(m->n_series, 1), MCXT_ALLOC_HUGE);

	for (int i = 0; i < m->n_series; i++)
	{
		SeriesName	name = series_name(&m->series[i]);

		if (name.text == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("one series has nothing to add up to"),
					 errhint("Train with a column of names, such as \"country/town\".")));
		if (m->series[i].n == 0)
			continue;
		names[g->bottoms] = name;
		used[g->bottoms++] = i;
	}
	rank = rank_names(names, g->bottoms);
	g->bottom = huge_ints(g->bottoms);
	for (int i = 0; i < g->bottoms; i++)
		g->bottom[rank[i]] = used[i];
	g->bottom_parent = huge_ints(g->bottoms);
	g->bottom_depth = huge_ints(g->bottoms);
}

static bool
is_bottom(const Growth *g, SeriesName wanted)
{
	int			low = 0,
				high = g->bottoms;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;
		SeriesName	name = bottom_name(g, middle);
		int			order = compare_names(&name, &wanted);

		if (order == 0)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* -------------------------------------------------------------------- sums */

static void
make_room(Growth *g)
{
	g->room = Max(g->room * 2, 64);
	if (g->name == NULL)
	{
		g->name = palloc(sizeof(SeriesName) * g->room);
		g->parent = palloc(sizeof(int) * g->room);
		g->depth = palloc(sizeof(int) * g->room);
		g->open = palloc(sizeof(int) * g->room);
		return;
	}
	if (sizeof(SeriesName) * g->room > memory_limit() / 4)
		reconcile_memory(SIZE_MAX);
	g->name = repalloc_huge(g->name, sizeof(SeriesName) * g->room);
	g->parent = repalloc_huge(g->parent, sizeof(int) * g->room);
	g->depth = repalloc_huge(g->depth, sizeof(int) * g->room);
	g->open = repalloc_huge(g->open, sizeof(int) * g->room);
}

static void
add_sum(Growth *g, SeriesName name, int depth)
{
	if (depth > 0 && is_bottom(g, name))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("series \"%s\" is a sum of others by its name, and has values of its own", text_of_name(name)),
				 errhint("Leave it out of the training, or pass another separator.")));
	if (g->sums == g->room)
		make_room(g);
	g->name[g->sums] = name;
	g->parent[g->sums] = depth > 0 ? g->open[depth - 1] : -1;
	g->depth[g->sums] = depth;
	g->open[depth] = g->sums++;
}

/* Where the separator comes next in a name, its length if it doesn't. */
static int
next_separator(const Growth *g, SeriesName name, int from)
{
	for (int at = from; at + g->separator.len <= name.len; at++)
		if (memcmp(name.text + at, g->separator.text, g->separator.len) == 0)
			return at;
	return name.len;
}

/* The sums above a bottom; `depth` is how many are open. */
static void
add_bottom(Growth *g, int k, int *depth)
{
	SeriesName	name = bottom_name(g, k);
	int			from = 0,
				level = 0;

	for (;;)
	{
		int			at = next_separator(g, name, from);
		SeriesName	prefix = {name.text, at};

		if (at == from)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the name of series \"%s\" has an empty part", text_of_name(name)),
					 errdetail("Parts of names are separated by \"%s\".", text_of_name(g->separator))));
		if (at == name.len)
			break;
		level++;
		if (level >= *depth || compare_names(&g->name[g->open[level]], &prefix) != 0)
		{
			add_sum(g, prefix, level);
			*depth = level + 1;
		}
		from = at + g->separator.len;
	}
	g->bottom_parent[k] = g->open[level];
	g->bottom_depth[k] = level + 1;
}

/* --------------------------------------------------------------- histories */

/* Grid number behind the last point. */
static int64
grid_end(const rnn_series *s)
{
	return s->dropped + s->n;
}

/* Which points of the grid each sum has, before its values are there. */
static void
frame_sums(Hierarchy *h)
{
	for (int i = h->shape.n - 1; i > 0; i--)
	{
		rnn_series *sum = &h->series[h->shape.parent[i]];
		const rnn_series *part = &h->series[i];
		int64		end = sum->n == 0 ? grid_end(part) : Max(grid_end(sum), grid_end(part));

		if (sum->n == 0 || part->dropped < sum->dropped)
		{
			sum->start = part->start;
			sum->dropped = part->dropped;
		}
		sum->n = end - sum->dropped;
		h->members[h->shape.parent[i]] += h->members[i];
	}
}

/* A sum's values, 0 at first, and whether any of its bottoms is known there. */
typedef struct SumValues
{
	double	   *x;
	bool	   *known;
} SumValues;

/* What a bottom is in a sum: gaps are filled, and behind its end it stays as it was. */
static void
add_values(const rnn_series *bottom, const double *filled, const rnn_series *sum, SumValues *out)
{
	int64		from = bottom->dropped - sum->dropped;

	for (int64 t = from; t < sum->n; t++)
	{
		int64		at = Min(t - from, bottom->n - 1);

		out->x[t] += isnan(filled[at]) ? 0 : filled[at];
		out->known[t] |= t - from < bottom->n && !isnan(bottom->x[at]);
	}
}

static SumValues *
blank_sums(const Hierarchy *h)
{
	SumValues  *values = palloc_extended(sizeof(SumValues) * h->shape.sums, MCXT_ALLOC_HUGE);
	Size		each = sizeof(double) + sizeof(bool),
				points = 0;
	char	   *block;

	for (int a = 0; a < h->shape.sums; a++)
	{
		points += h->series[a].n;
		if (points > memory_limit() / each)
			reconcile_memory(SIZE_MAX);
	}
	block = reconcile_memory(points * each);
	memset(block, 0, points * each);
	for (int a = 0; a < h->shape.sums; a++)
	{
		values[a].x = (double *) block;
		block += sizeof(double) * h->series[a].n;
	}
	for (int a = 0; a < h->shape.sums; a++)
	{
		values[a].known = (bool *) block;
		block += h->series[a].n;
	}
	return values;
}

/* Sums of what their bottoms are filled with; missing where all of these are. */
static void
add_up(const rnn_config *cfg, Hierarchy *h)
{
	SumValues  *values = blank_sums(h);

	for (int i = h->shape.sums; i < h->shape.n; i++)
	{
		const rnn_series *s = &h->series[i];
		double	   *filled = reconcile_memory(sizeof(double) * s->n);

		rnn_fill_gaps(cfg, s->x, s->n, filled);
		rnn_fill_forward(filled, s->n, filled);
		for (int a = h->shape.parent[i]; a >= 0; a = h->shape.parent[a])
		{
			CHECK_FOR_INTERRUPTS();
			add_values(s, filled, &h->series[a], &values[a]);
		}
		pfree(filled);
	}
	for (int a = 0; a < h->shape.sums; a++)
	{
		for (int64 t = 0; t < h->series[a].n; t++)
			if (!values[a].known[t])
				values[a].x[t] = NAN;
			else
				values[a].x[t] = fmin(fmax(values[a].x[t], -DBL_MAX), DBL_MAX);
		h->series[a].x = values[a].x;
	}
	pfree(values);
}

/* -------------------------------------------------------------------- tree */

static void
take_growth(const Growth *g, Hierarchy *h)
{
	int			n = g->sums + g->bottoms;
	int		   *parent = huge_ints(n);

	*h = (Hierarchy) {.shape = {.n = n,.sums = g->sums,.parent = parent},.depth = huge_ints(n),.members = huge_ints(n)};
	h->name = palloc_extended(sizeof(SeriesName) * n, MCXT_ALLOC_HUGE);
	h->series = palloc_extended(sizeof(rnn_series) * n, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int a = 0; a < g->sums; a++)
	{
		parent[a] = g->parent[a];
		h->depth[a] = g->depth[a];
		h->name[a] = g->name[a];
		h->series[a].name = g->name[a].text;
		h->series[a].name_len = g->name[a].len;
	}
	for (int k = 0; k < g->bottoms; k++)
	{
		int			i = g->sums + k;

		parent[i] = g->bottom_parent[k];
		h->depth[i] = g->bottom_depth[k];
		h->name[i] = bottom_name(g, k);
		h->members[i] = 1;
		h->series[i] = g->model->series[g->bottom[k]];
	}
}

void
build_hierarchy(const rnn_model *m, SeriesName separator, Hierarchy *out)
{
	Growth		g = {.model = m,.separator = separator};
	int			depth = 1;

	sort_bottoms(&g);
	add_sum(&g, separator, 0);
	for (int k = 0; k < g.bottoms; k++)
	{
		CHECK_FOR_INTERRUPTS();
		add_bottom(&g, k, &depth);
	}
	take_growth(&g, out);
	frame_sums(out);
	add_up(&m->config, out);
}
