/*
 * autoregression.c
 *		References by regression: the next block of points from the one before.
 *
 * The series less its seasonal profile is cut into blocks of a season, so that
 * a block is a day of hours and a vector autoregression (Hamilton 1994, chapter
 * 10) of such days knows that a warm evening makes a warm morning.  A block is
 * told by the first terms of its cosine transform, its last point and the mean
 * of the latest blocks.  The ridge that keeps the coefficients small is chosen
 * by generalised cross-validation (Golub, Heath and Wahba 1979).  Blocks that
 * are farther ahead follow from the blocks that were forecast before.
 */
#include "bank/references.h"
#include "base/root.h"

#include <math.h>
#include <string.h>

#define LEAST_BLOCK 12			/* points: the smallest multiple of the season that has so many */
#define MOST_BLOCK 60
#define LONG_BLOCK 24			/* where the season is longer than MOST_BLOCK */
#define LEAST_BLOCKS 20			/* that a regression needs */
#define MEAN_BLOCKS 7			/* of the mean of the latest ones */
#define TERMS 10				/* of the cosine transform */
#define TOLD (TERMS + 2)		/* numbers by which a block is told */
#define RIDGES 3

/* Parts of what the equations say of each number. */
static const double ridges[RIDGES] = {0.01, 0.1, 1};

typedef struct Regression
{
	int			size,			/* points of a block, B */
				stride;			/* from one block to the next that is looked at */
	double		cosine[MOST_BLOCK][TERMS];
	double		count,			/* of equations, as if blocks didn't overlap */
				squares;		/* of what is to be told, */
	double		a[TOLD][TOLD],	/* sums of products of what tells (lower half), */
				b[TOLD][MOST_BLOCK],	/* and with what is to be told */
				scale[TOLD];	/* root of the diagonal of a */
	double		w[TOLD][MOST_BLOCK];
} Regression;

static void
choose_blocks(Regression *r, int season)
{
	int			multiple = (LEAST_BLOCK + season - 1) / season * season;

	r->size = season > MOST_BLOCK ? LONG_BLOCK : multiple;
	r->stride = season > MOST_BLOCK ? r->size / 4 : (int) rnn_max(season, r->size / 4);
	for (int i = 0; i < r->size; i++)
	{
		double		one = cos(3.141592653589793 * (i + 0.5) / r->size);

		/* cos(k x) by the recurrence of Chebyshev's polynomials */
		r->cosine[i][0] = 1;
		r->cosine[i][1] = one;
		for (int k = 2; k < TERMS; k++)
			r->cosine[i][k] = 2 * one * r->cosine[i][k - 1] - r->cosine[i][k - 2];
	}
}

/* What tells the block of d that ends before point `end`; sums[i]: of the first i points. */
static INLINE void
tell(const Regression *r, const double *d, const double *sums, int64_t end, double *told)
{
	const double *block = d + end - r->size;
	int64_t		latest = rnn_min(end, MEAN_BLOCKS * r->size);
	double		sum[TERMS] = {0};

	for (int i = 0; i < r->size; i++)
		for (int k = 0; k < TERMS; k++)
			sum[k] += r->cosine[i][k] * block[i];
	for (int k = 0; k < TERMS; k++)
		told[k] = sum[k] / r->size;
	told[TERMS] = d[end - 1];
	told[TERMS + 1] = (sums[end] - sums[end - latest]) / (double) latest;
}

/* sums (n + 1) */
static void
add_up(const double *d, int64_t n, double *sums)
{
	sums[0] = 0;
	for (int64_t i = 0; i < n; i++)
		sums[i + 1] = sums[i] + d[i];
}

static INLINE void
add_products(const double *restrict x, double by, int n, double *restrict sum)
{
	for (int j = 0; j < n; j++)
		sum[j] += by * x[j];
}

/* Equations of all blocks of d (n) that have one behind them, counted from the end. */
static WIDE void
add_blocks(Regression *r, const double *d, const double *sums, int64_t n)
{
	memset(r->a, 0, sizeof(r->a));
	memset(r->b, 0, sizeof(r->b));
	r->squares = r->count = 0;
	for (int64_t end = n - r->size; end >= r->size; end -= r->stride)
	{
		const double *next = d + end;
		double		told[TOLD];

		tell(r, d, sums, end, told);
		for (int k = 0; k < TOLD; k++)
		{
			for (int l = 0; l < TOLD; l++)
				r->a[k][l] += told[k] * told[l];
			add_products(next, told[k], r->size, r->b[k]);
		}
		for (int j = 0; j < r->size; j++)
			r->squares += next[j] * next[j];
		r->count += (double) r->stride / r->size;
	}
}

/* All numbers get the same size, so that one ridge does for all. */
static void
scale_equations(Regression *r)
{
	for (int k = 0; k < TOLD; k++)
	{
		r->scale[k] = r->a[k][k] > 0 ? sqrt(r->a[k][k]) : 1;
		for (int l = 0; l <= k; l++)
			r->a[k][l] /= r->scale[k] * r->scale[l];
		for (int j = 0; j < r->size; j++)
			r->b[k][j] /= r->scale[k];
	}
}

/* Coefficients of one ridge, and their score by cross-validation: the smaller the better. */
static WIDE double
fit(const Regression *r, double ridge, double (*w)[MOST_BLOCK])
{
	double		f[TOLD * TOLD],
				scratch[2 * TOLD],
				rest = r->squares,
				free_part;

	root_ridge(r->a[0], TOLD, ridge, f);
	memcpy(w, r->b, sizeof(r->b));
	root_solve(f, TOLD, TOLD, r->size, w[0], MOST_BLOCK);
	/* (A + ridge) w = b, so what is left is |y|^2 - w b - ridge |w|^2. */
	for (int k = 0; k < TOLD; k++)
		for (int j = 0; j < r->size; j++)
			rest -= w[k][j] * (r->b[k][j] + ridge * w[k][j]);
	free_part = fmax(1 - (TOLD - ridge * root_inverse_trace(f, TOLD, scratch)) / r->count, 1e-3);
	return fmax(rest, 0) / (free_part * free_part);
}

static void
choose_ridge(Regression *r)
{
	double		best = INFINITY,
				w[TOLD][MOST_BLOCK];

	for (int i = 0; i < RIDGES; i++)
	{
		double		score = fit(r, ridges[i], w);

		if (score < best)
			memcpy(r->w, w, sizeof(w));
		best = fmin(best, score);
	}
	for (int k = 0; k < TOLD; k++)
		for (int j = 0; j < r->size; j++)
			r->w[k][j] /= r->scale[k];
}

/* out (h): what follows d (n), block after block. */
static void
follow(const Regression *r, const double *d, int64_t n, int h, double *out)
{
	double		window[(MEAN_BLOCKS + 1) * MOST_BLOCK],
				sums[MEAN_BLOCKS * MOST_BLOCK + 1];
	int64_t		kept = rnn_min(n, MEAN_BLOCKS * r->size);

	memcpy(window, d + n - kept, sizeof(double) * kept);
	for (int64_t j = 0; j < h; j += r->size)
	{
		double		told[TOLD],
				   *next = window + kept;
		int64_t		move = kept + r->size - rnn_min(kept + r->size, MEAN_BLOCKS * r->size);

		add_up(window, kept, sums);
		tell(r, window, sums, kept, told);
		memset(next, 0, sizeof(double) * r->size);
		for (int k = 0; k < TOLD; k++)
			for (int i = 0; i < r->size; i++)
				next[i] += told[k] * r->w[k][i];
		memcpy(out + j, next, sizeof(double) * rnn_min(r->size, h - j));
		kept += r->size - move;
		memmove(window, window + move, sizeof(double) * kept);
	}
}

static INLINE double
larger(double a, double b)
{
	return a > b ? a : b;
}

/* d (n) becomes its distance from its mean, in units of the largest. */
static WIDE void
standardise(double *d, int64_t n, double *mean, double *unit)
{
	double		tops[SIDE] = {0},
				top = 0;
	int64_t		k = 0;

	*mean = bank_mean(d, n);
	for (; k + SIDE <= n; k += SIDE)
		for (int s = 0; s < SIDE; s++)
			tops[s] = larger(tops[s], fabs(d[k + s] - *mean));
	for (; k < n; k++)
		tops[0] = larger(tops[0], fabs(d[k] - *mean));
	for (int s = 0; s < SIDE; s++)
		top = larger(top, tops[s]);
	*unit = top > 0 ? top : 1;
	for (int64_t i = 0; i < n; i++)
		d[i] = (d[i] - *mean) / *unit;
}

/*
 * By the last points of the series less its seasons, d (n), which is changed; sums
 * (n + 1) is scratch; ahead (h): what the seasons do.
 */
static bool
regress(Regression *r, double *d, double *sums, int64_t n, int h, const double *ahead, double *out)
{
	double		mean,
				unit;

	if (n / r->size < LEAST_BLOCKS)
		return false;
	standardise(d, n, &mean, &unit);
	add_up(d, n, sums);
	add_blocks(r, d, sums, n);
	scale_equations(r);
	choose_ridge(r);
	follow(r, d, n, h, out);
	for (int j = 0; j < h; j++)
		out[j] = mean + unit * out[j] + ahead[j];
	return true;
}

void
autoregressions_at(const Bank *bank, int64_t points, int h, double *ref, int64_t stride, bool *present)
{
	const double *d = bank->level[SLOW];
	Regression	r;

	choose_blocks(&r, bank->seasons[0]);
	for (int a = 0; a < RNN_AUTOREGRESSIONS; a++)
	{
		int64_t		used = points >> a; /* all, and the later half */

		memcpy(bank->d, d + points - used, sizeof(double) * used);
		present[a] = regress(&r, bank->d, bank->p, used, h, bank->ahead[SLOW], ref + a * stride);
	}
}
