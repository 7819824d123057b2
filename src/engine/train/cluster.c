/*
 * cluster.c
 *		Which held-out windows hang together.
 *
 * Windows of one series do, and so do those of many series that end at about
 * one time, since what happened then happened to all.  Time is divided into
 * blocks as long as a window, from the latest origin back.
 *
 * The error of a mean has clusters in two ways (Cameron, Gelbach and Miller
 * 2011): its square by series, and by blocks, less that by single windows,
 * which both of them count.
 */
#include "train/stages.h"

#include <math.h>

#define WINDOWS_OF_BLOCK 20		/* one block's windows never tell more than that many */

static bool
same_series(const rnn_trainer *t, int i, int k)
{
	return t->runs[t->held[i].run].series == t->runs[t->held[k].run].series;
}

static bool
same_block(const rnn_trainer *t, int i, int k)
{
	return t->held[i].block == t->held[k].block;
}

static int64_t
origin_of(const rnn_trainer *t, int i)
{
	const Run  *run = &t->runs[t->held[i].run];

	return t->points[run->series].phase + run->e0 + t->held[i].last * run->stride;
}

static bool
is_later(const rnn_trainer *t, int i, int k)
{
	return t->held[i].block < t->held[k].block || (t->held[i].block == t->held[k].block && i < k);
}

void
sort_by_block(rnn_trainer *t, int W)
{
	for (int i = 0; i < W; i++)
		t->by_block[i] = i;
	for (int gap = W / 2; gap > 0; gap = gap == 2 ? 1 : gap * 5 / 11)
		for (int i = gap; i < W; i++)
		{
			int			held = t->by_block[i],
						k = i;

			for (; k >= gap && is_later(t, held, t->by_block[k - gap]); k -= gap)
				t->by_block[k] = t->by_block[k - gap];
			t->by_block[k] = held;
		}
}

/*
 * Each series' older windows against its newer ones, so that no half sees the
 * shocks of the other; the middle one goes to either, by series.  Those that
 * overlap stay together.
 */
static int
half_of(const rnn_trainer *t, int series, int i, int of)
{
	int			overlap = held_overlap(t),
				blocks = (of + overlap - 1) / overlap,
				block = i / overlap;

	return 2 * block + 1 == blocks ? series_is_odd(series) : 2 * block < blocks;
}

static void
split_halves(rnn_trainer *t)
{
	for (int i = 0, of; i < t->W; i += of)
	{
		for (of = 1; i + of < t->W && same_series(t, i, i + of); of++)
			;
		for (int k = 0; k < of; k++)
			t->held[i + k].half = half_of(t, t->runs[t->held[i].run].series, k, of);
	}
}

/* Where all windows fell into one half the other could choose nothing. */
static void
fill_halves(rnn_trainer *t)
{
	int			newer = 0;

	for (int i = 0; i < t->W; i++)
		newer += t->held[i].half;
	for (int i = 0; i < t->W && (newer == 0 || newer == t->W); i++)
		t->held[i].half = i < t->W / 2;
}

void
cluster_held(rnn_trainer *t)
{
	int64_t		latest = INT64_MIN;

	if (t->W == 0)
		return;
	for (int i = 0; i < t->W; i++)
		latest = rnn_max(latest, origin_of(t, i));
	for (int i = 0; i < t->W; i++)
		t->held[i].block = (latest - origin_of(t, i)) / (held_spacing(t) * held_overlap(t));
	sort_by_block(t, t->W);
	split_halves(t);
	fill_halves(t);
}

static bool
same_window(const rnn_trainer *t, int i, int k)
{
	(void) t;
	return i == k;
}

/* The square of the error of a mean of which the windows differ, by clusters in this order; 0: there is one. */
static double
square_error(const rnn_trainer *t, const float *difference, double mean, const int *order,
			 bool (*same) (const rnn_trainer *, int, int))
{
	double		sum = 0,
				cluster = 0;
	int			clusters = 0;

	for (int k = 0; k < t->W; k++)
	{
		int			i = order ? order[k] : k;

		cluster += difference[i] - mean;
		if (k + 1 < t->W && same(t, i, order ? order[k + 1] : k + 1))
			continue;
		sum += cluster * cluster;
		clusters++;
		cluster = 0;
	}
	return clusters > 1 ? sum * clusters / (clusters - 1) / ((double) t->W * t->W) : 0;
}

double
clustered_mean(const rnn_trainer *t, const float *difference, double *error)
{
	double		mean = 0,
				square;

	for (int i = 0; i < t->W; i++)
		mean += difference[i];
	mean /= t->W;
	square = square_error(t, difference, mean, t->by_block, same_block);
	if (t->panel.count >= PANEL)
	{
		double		series = square_error(t, difference, mean, NULL, same_series),
					windows = square_error(t, difference, mean, NULL, same_window);

		/* What one block did to all of them, no difference within it tells. */
		if (same_block(t, t->by_block[0], t->by_block[t->W - 1]))
			square = windows * t->W / WINDOWS_OF_BLOCK;
		square = fmax(fmax(square, series), square + series - windows);
	}
	*error = square > 0 ? sqrt(square) : INFINITY;
	return mean;
}

/* Of the first W. */
int
independent_windows(rnn_trainer *t, int W)
{
	int			of_block = 0,
				sum = 0;

	sort_by_block(t, W);
	for (int k = 0; k < W; k++)
	{
		of_block++;
		if (k + 1 < W && same_block(t, t->by_block[k], t->by_block[k + 1]))
			continue;
		sum += (int) rnn_min((of_block + held_overlap(t) - 1) / held_overlap(t), WINDOWS_OF_BLOCK);
		of_block = 0;
	}
	return sum;
}
