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
#define MOST_BLOCKS 64			/* that are ranked */
#define ALIKE 0.1				/* correlation of sides from which on series share shocks, by bench/trust */
#define ONE_OF_FIFTY 2.05		/* standard errors of a normal distribution */

static bool
same_series(const Study *s, int i, int k)
{
	return s->runs[s->held[i].run].series == s->runs[s->held[k].run].series;
}

static bool
same_block(const Study *s, int i, int k)
{
	return s->held[i].block == s->held[k].block;
}

static int64_t
origin_of(const Study *s, int i)
{
	return held_points(s, i)->phase + held_start(s, i);
}

static bool
is_later(const Study *s, int i, int k)
{
	return s->held[i].block < s->held[k].block || (s->held[i].block == s->held[k].block && i < k);
}

void
sort_by_block(const Study *s, int W)
{
	for (int i = 0; i < W; i++)
		s->by_block[i] = i;
	for (int gap = W / 2; gap > 0; gap = gap == 2 ? 1 : gap * 5 / 11)
		for (int i = gap; i < W; i++)
		{
			int			held = s->by_block[i],
						k = i;

			for (; k >= gap && is_later(s, held, s->by_block[k - gap]); k -= gap)
				s->by_block[k] = s->by_block[k - gap];
			s->by_block[k] = held;
		}
}

/*
 * Each series' older windows against its newer ones, so that no half sees the
 * shocks of the other; the middle one goes to either, by series.  Those that
 * overlap stay together.
 */
static int
half_of(const Study *s, int series, int i, int of)
{
	int			overlap = held_overlap(s),
				blocks = (of + overlap - 1) / overlap,
				block = i / overlap;

	return 2 * block + 1 == blocks ? series_is_odd(series) : 2 * block < blocks;
}

static void
split_halves(Study *s)
{
	for (int i = 0, of; i < s->W; i += of)
	{
		for (of = 1; i + of < s->W && same_series(s, i, i + of); of++)
			;
		for (int k = 0; k < of; k++)
			s->held[i + k].half = half_of(s, s->runs[s->held[i].run].series, k, of);
	}
}

/* Where all windows fell into one half the other could choose nothing. */
static void
fill_halves(Study *s)
{
	int			newer = 0;

	for (int i = 0; i < s->W; i++)
		newer += s->held[i].half;
	for (int i = 0; i < s->W && (newer == 0 || newer == s->W); i++)
		s->held[i].half = i < s->W / 2;
}

void
cluster_held(Study *s)
{
	int64_t		latest = INT64_MIN;

	if (s->W == 0)
		return;
	for (int i = 0; i < s->W; i++)
		latest = rnn_max(latest, origin_of(s, i));
	for (int i = 0; i < s->W; i++)
		s->held[i].block = (latest - origin_of(s, i)) / (held_spacing(s) * held_overlap(s));
	sort_by_block(s, s->W);
	split_halves(s);
	fill_halves(s);
}

static bool
same_window(const Study *s, int i, int k)
{
	(void) s;
	return i == k;
}

/* The square of the error of a mean of which the windows differ, by clusters in this order; 0: there is one. */
static double
square_error(const Study *s, int W, const float *difference, double mean, const int *order,
			 bool (*same) (const Study *, int, int))
{
	double		sum = 0,
				cluster = 0;
	int			clusters = 0;

	for (int k = 0; k < W; k++)
	{
		int			i = order ? order[k] : k;

		cluster += difference[i] - mean;
		if (k + 1 < W && same(s, i, order ? order[k + 1] : k + 1))
			continue;
		sum += cluster * cluster;
		clusters++;
		cluster = 0;
	}
	return clusters > 1 ? sum * clusters / (clusters - 1) / ((double) W * W) : 0;
}

double
clustered_mean(const Study *s, int W, const float *difference, double *error)
{
	double		mean = 0,
				square;

	for (int i = 0; i < W; i++)
		mean += difference[i];
	mean /= W;
	square = square_error(s, W, difference, mean, s->by_block, same_block);
	if (s->panel.count >= PANEL)
	{
		double		series = square_error(s, W, difference, mean, NULL, same_series),
					windows = square_error(s, W, difference, mean, NULL, same_window);

		/* What one block did to all of them, no difference within it tells. */
		if (same_block(s, s->by_block[0], s->by_block[W - 1]))
			square = windows * W / WINDOWS_OF_BLOCK;
		square = fmax(fmax(square, series), square + series - windows);
	}
	*error = square > 0 ? sqrt(square) : INFINITY;
	return mean;
}

typedef struct Rank
{
	double		size;
	bool		worse;
} Rank;

/* Into order by size, the n-th one of those before it. */
static void
insert_rank(Rank *rank, int n, Rank r)
{
	for (; n > 0 && rank[n - 1].size > r.size; n--)
		rank[n] = rank[n - 1];
	rank[n] = r;
}

/* Whether `worse` of `count` ranks are so few as they are by chance in one case of fifty. */
static bool
is_rare(double worse, int count)
{
	double		n = count;

	return n * (n + 1) / 4 - worse > ONE_OF_FIFTY * sqrt(n * (n + 1) * (2 * n + 1) / 24);
}

/*
 * Series share what happened where those that end at one time lie on the same
 * side of what was forecast: the correlation of sides within blocks, of all
 * pairs.  What lies on one side all the time is a bias, not a shock.
 */
bool
shares_shocks(const Study *s, int W)
{
	double		mean = 0,
				block = 0,
				sum = 0,
				pairs = 0;
	int			windows = 0;

	for (int i = 0; i < W; i++)
		mean += (double) s->held[i].side / W;
	for (int k = 0; k < W; k++)
	{
		block += s->held[s->by_block[k]].side - mean;
		windows++;
		if (k + 1 < W && same_block(s, s->by_block[k], s->by_block[k + 1]))
			continue;
		sum += block * block - windows * (1 - mean * mean);
		pairs += (double) windows * (windows - 1);
		block = windows = 0;
	}
	return sum > ALIKE * pairs * (1 - mean * mean);
}

/*
 * Few blocks can differ by chance, and as many series as there are say no more
 * where they share what happened.  Ranks of the blocks' means (Wilcoxon 1945)
 * trust no error that is measured by few of them, and let in what is better
 * all the time, by whatever it is.
 */
bool
is_better_throughout(const Study *s, int W, const float *difference)
{
	Rank		rank[MOST_BLOCKS];
	double		sum = 0,
				worse = 0;
	int			blocks = 0,
				windows = 0;

	/* The latest ones, where there are many. */
	for (int k = 0; k < W && blocks < MOST_BLOCKS; k++)
	{
		sum += difference[s->by_block[k]];
		windows++;
		if (k + 1 < W && same_block(s, s->by_block[k], s->by_block[k + 1]))
			continue;
		insert_rank(rank, blocks++, (Rank) {fabs(sum / windows), sum >= 0});
		sum = windows = 0;
	}
	for (int k = 0; k < blocks; k++)
		worse += rank[k].worse ? k + 1 : 0;
	return is_rare(worse, blocks);
}

/* Of the first W. */
int
independent_windows(const Study *s, int W)
{
	int			of_block = 0,
				sum = 0;

	sort_by_block(s, W);
	for (int k = 0; k < W; k++)
	{
		of_block++;
		if (k + 1 < W && same_block(s, s->by_block[k], s->by_block[k + 1]))
			continue;
		sum += (int) rnn_min((of_block + held_overlap(s) - 1) / held_overlap(s), WINDOWS_OF_BLOCK);
		of_block = 0;
	}
	return sum;
}
