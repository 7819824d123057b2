/*
 * hierarchy.c
 *		Which series of a model are sums of others, as bytes.
 */
#include "model/walk.h"

#include <math.h>

#define MOST_TEXT 1000000

/* (n) numbers from `low` to `high`. */
static void
numbers_of(Walk *w, const int32_t **v, int64_t n, double low, double high, const char *what)
{
	int32_t    *to = NULL;

	if (w->direction == READ && (to = walk_room(w, n, 4, sizeof(int32_t))) == NULL && w->failed)
		return;
	for (int64_t i = 0; i < n && !w->failed; i++)
	{
		int32_t		x = w->direction == READ ? 0 : (*v)[i];

		walk_i32(w, &x, low, high, what);
		if (to)
			to[i] = x;
	}
	if (w->direction == READ)
		*v = to;
}

/* Sums come in order and once, and are no part of others. */
static void
check_sums(Walk *w, int n, const rnn_sums *sums, int32_t parts)
{
	/* Where bytes are measured only, there is nothing to look at yet. */
	if (w->direction != READ || w->failed || sums->first == NULL || (sums->count > 0 && sums->series == NULL))
		return;
	CHECK(w, sums->first[0] == 0 && sums->first[n] == parts, "where parts of sums begin");
	for (int i = 0; i < n; i++)
		CHECK(w, sums->first[i] <= sums->first[i + 1], "the order of parts of sums");
	for (int a = 0; a < sums->count; a++)
	{
		int			i = sums->series[a];

		CHECK(w, a == 0 || sums->series[a - 1] < i, "the order of sums");
		CHECK(w, sums->first[i] == sums->first[i + 1], "a sum is part of another");
	}
}

static void
sums_of(Walk *w, int n, rnn_sums *sums)
{
	int32_t		parts = w->direction == READ ? 0 : sums->first[n];

	walk_i32(w, &sums->count, 0, n, "the count of sums");
	walk_i32(w, &parts, 0, RNN_MAX_MODEL / 4, "the count of parts of sums");
	if (!w->failed)
		numbers_of(w, &sums->series, sums->count, 0, n - 1, "a sum's number");
	if (!w->failed)
		numbers_of(w, &sums->level, sums->count, 0, RNN_LEVELS - 2, "a sum's level");
	if (!w->failed)
		numbers_of(w, &sums->first, (int64_t) n + 1, 0, parts, "where parts of sums begin");
	if (!w->failed)
		numbers_of(w, &sums->of, parts, 0, sums->count - 1, "a part's sum");
	check_sums(w, n, sums, parts);
}

static void
pull_of(Walk *w, int64_t n, const float **pull)
{
	float	   *to = NULL;
	int32_t		there = *pull != NULL;

	walk_i32(w, &there, 0, 1, "the method of a hierarchy");
	if (!there || w->failed)
		return;
	if (w->direction == READ && (to = walk_room(w, n, 4, sizeof(float))) == NULL && w->failed)
		return;
	for (int64_t i = 0; i < n && !w->failed; i++)
	{
		float		x = w->direction == READ ? 0 : (*pull)[i];

		walk_f32(w, &x);
		CHECK(w, isfinite(x), "a part of a gap is not finite");
		if (to)
			to[i] = x;
	}
	if (w->direction == READ)
		*pull = to;
}

void
hierarchy_section(Walk *w, rnn_model *m)
{
	rnn_hierarchy *h = &m->hierarchy;

	walk_text(w, &h->asked, 1, MOST_TEXT, "the length of a hierarchy", "a hierarchy holds a zero byte");
	if (!w->failed)
		sums_of(w, m->n_series, &h->sums);
	walk_i32(w, &h->windows, 0, INT32_MAX, "the windows of a hierarchy");
	walk_f64(w, &h->shrinkage);
	CHECK(w, h->shrinkage >= 0 && h->shrinkage <= 1, "the shrinkage of a hierarchy");
	for (int i = 0; i < RNN_LEVELS; i++)
	{
		walk_f64(w, &h->bottom_up[i]);
		walk_f64(w, &h->mint[i]);
	}
	if (!w->failed)
		pull_of(w, (int64_t) m->n_series * h->sums.count, &h->pull);
}

void
mark_sums(rnn_series *series, const rnn_sums *sums)
{
	for (int a = 0; a < sums->count && series && sums->series; a++)
		series[sums->series[a]].sum = 1;
}
