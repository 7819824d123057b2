/*
 * test_reconcile.c
 *		Forecasts that add up: a case by hand, and the textbook's formula.
 */
#include "check.h"
#include "rnn.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define N 8
#define SUMS 3
#define BOTTOMS (N - SUMS)
#define T 30

/* total(north(2), south(2), alone); the first of the north and of the south make a group that crosses these. */
static const int32_t all_sums[] = {0, 1, 2};
static const int32_t first[N + 1] = {0, 0, 0, 0, 2, 4, 6, 8, 9};
static const int32_t of[] = {0, 1, 0, 1, 0, 2, 0, 2, 0};
static const rnn_sums tree = {.count = SUMS,.series = all_sums,.first = first,.of = of};
static const int32_t crossed_of[] = {0, 1, 0, 2, 0, 1, 0, 2, 0};
static const rnn_sums crossed = {.count = SUMS,.series = all_sums,.first = first,.of = crossed_of};

static rnn_mint *
learn(const rnn_sums *s, int n, const double *residuals, int64_t rows, int64_t together)
{
	rnn_mint   *m = rnn_mint_begin(s, n, residuals, rows, together, malloc(rnn_mint_size(s, n, rows)));

	while (rnn_mint_step(m))
		continue;
	return m;
}

/* Errors that never go together: a sum of variance 2 and parts of 1 and 3 get of a gap of 6 what they have of the variance. */
static void
by_hand(void)
{
	static const int32_t sum[1] = {0},
				begin[4] = {0, 0, 1, 2},
				parts[2] = {0, 0};
	const rnn_sums small = {.count = 1,.series = sum,.first = begin,.of = parts};
	const double one[3] = {sqrt(2), 1, sqrt(3)};
	double		y[3] = {16, 4, 6};
	rnn_mint   *m = learn(&small, 3, one, 1, 1);

	CHECK(rnn_mint_shrinkage(m) == 1);
	rnn_mint_apply(m, y);
	CHECK_NEAR(y[0], 14, 1e-12);
	CHECK_NEAR(y[1], 5, 1e-12);
	CHECK_NEAR(y[2], 9, 1e-12);
	free(m);
}

static void
make_residuals(double *r, uint64_t seed)
{
	rnn_rng		rng;

	rnn_rng_seed(&rng, seed, 0);
	for (int t = 0; t < T; t++)
	{
		double		common = rnn_rng_normal(&rng);

		for (int i = 0; i < N; i++)
			r[t * N + i] = (i + 1) * (common + rnn_rng_normal(&rng));
	}
}

/* Shrinkage by its definition, over all pairs; products of a block are one. */
static double
shrinkage(const double *r, int together)
{
	int			blocks = T / together;
	double		variances = 0,
				squares = 0,
				d[N] = {0};

	for (int i = 0; i < N; i++)
		for (int t = 0; t < T; t++)
			d[i] += r[t * N + i] * r[t * N + i] / T;
	for (int i = 0; i < N; i++)
		for (int k = 0; k < N; k++)
		{
			double		mean = 0,
						spread = 0,
						products[T] = {0};

			for (int t = 0; t < T; t++)
			{
				double		product = r[t * N + i] * r[t * N + k] / sqrt(d[i] * d[k]);

				mean += product / T;
				products[t / together < blocks ? t / together : blocks - 1] += product * blocks / T;
			}
			for (int b = 0; b < blocks; b++)
				spread += pow(products[b] - mean, 2);
			if (i != k)
			{
				variances += spread / blocks / (blocks - 1);
				squares += mean * mean;
			}
		}
	return fmin(variances / squares, 1);
}

/* A (n, n) becomes its inverse, by Gauss and Jordan. */
static void
invert(double *a, int n)
{
	for (int k = 0; k < n; k++)
	{
		double		pivot = a[k * n + k];

		a[k * n + k] = 1;
		for (int j = 0; j < n; j++)
			a[k * n + j] /= pivot;
		for (int i = 0; i < n; i++)
		{
			double		factor = a[i * n + k];

			if (i == k)
				continue;
			a[i * n + k] = 0;
			for (int j = 0; j < n; j++)
				a[i * n + j] -= factor * a[k * n + j];
		}
	}
}

/* S (S' W^-1 S)^-1 S' W^-1 y */
static void
textbook(const rnn_sums *sums, const double *r, double s, double *y)
{
	double		w[N * N],
				S[N][BOTTOMS] = {{0}},
				a[BOTTOMS * BOTTOMS] = {0},
				b[BOTTOMS] = {0};

	for (int k = 0; k < BOTTOMS; k++)
	{
		S[SUMS + k][k] = 1;
		for (int j = sums->first[SUMS + k]; j < sums->first[SUMS + k + 1]; j++)
			S[sums->of[j]][k] = 1;
	}
	for (int i = 0; i < N; i++)
		for (int k = 0; k < N; k++)
		{
			w[i * N + k] = 0;
			for (int t = 0; t < T; t++)
				w[i * N + k] += (i == k ? 1 : 1 - s) * r[t * N + i] * r[t * N + k] / T;
		}
	invert(w, N);
	for (int i = 0; i < N; i++)
		for (int k = 0; k < N; k++)
			for (int p = 0; p < BOTTOMS; p++)
			{
				b[p] += S[i][p] * w[i * N + k] * y[k];
				for (int q = 0; q < BOTTOMS; q++)
					a[p * BOTTOMS + q] += S[i][p] * w[i * N + k] * S[k][q];
			}
	invert(a, BOTTOMS);
	for (int i = 0; i < N; i++)
	{
		y[i] = 0;
		for (int p = 0; p < BOTTOMS; p++)
			for (int q = 0; q < BOTTOMS; q++)
				y[i] += S[i][p] * a[p * BOTTOMS + q] * b[q];
	}
}

static void
as_in_the_textbook(void)
{
	static double r[T * N];

	for (uint64_t seed = 1; seed <= 10; seed++)
	{
		const rnn_sums *sums = seed % 2 ? &tree : &crossed;
		double		y[N] = {100, 40, 50, 18, 25, 20, 28, 7},
					want[N],
					kept[N],
					gaps[SUMS];
		float		pull[N * SUMS];
		rnn_mint   *m;

		make_residuals(r, seed);
		m = learn(sums, N, r, T, seed > 6 ? 4 : 1);
		CHECK_NEAR(rnn_mint_shrinkage(m), shrinkage(r, seed > 6 ? 4 : 1), 1e-9);
		CHECK(rnn_mint_shrinkage(m) > 0.01 && rnn_mint_shrinkage(m) < 0.9);
		memcpy(want, y, sizeof(y));
		memcpy(kept, y, sizeof(y));
		textbook(sums, r, rnn_mint_shrinkage(m), want);
		rnn_mint_apply(m, y);
		for (int a = 0; a < SUMS; a++)
			rnn_mint_pull(m, a, pull);
		rnn_pull(sums, N, pull, gaps, kept);
		for (int i = 0; i < N; i++)
		{
			CHECK_NEAR(y[i], want[i], 1e-9);
			CHECK_NEAR(kept[i], want[i], 1e-5);
		}
		free(m);
	}
}

/* Rows that are said three times say what they say once. */
static void
repeated(void)
{
	static double r[T * N],
				again[3 * T * N];
	rnn_mint   *once,
			   *blocks,
			   *rows;

	make_residuals(r, 5);
	for (int t = 0; t < 3 * T; t++)
		memcpy(again + t * N, r + t / 3 * N, sizeof(double) * N);
	once = learn(&tree, N, r, T, 1);
	blocks = learn(&tree, N, again, 3 * T, 3);
	rows = learn(&tree, N, again, 3 * T, 1);
	CHECK_NEAR(rnn_mint_shrinkage(blocks), rnn_mint_shrinkage(once), 1e-9);
	CHECK(rnn_mint_shrinkage(rows) < 0.4 * rnn_mint_shrinkage(once));
	free(rows);
	rows = learn(&tree, N, r, T, T);
	CHECK(rnn_mint_shrinkage(rows) == 1);
	free(once), free(blocks), free(rows);
}

/* A series whose errors are those of rounding says nothing of how errors go together. */
static void
no_error(void)
{
	static double r[T * N];
	rnn_mint   *m;
	double		without;

	make_residuals(r, 3);
	for (int t = 0; t < T; t++)
		r[t * N + 4] = 0;
	m = learn(&tree, N, r, T, 1);
	without = rnn_mint_shrinkage(m);
	free(m);
	for (int t = 0; t < T; t++)
		r[t * N + 4] = 1e-15 * r[t * N + 5];
	m = learn(&tree, N, r, T, 1);
	CHECK_NEAR(rnn_mint_shrinkage(m), without, 1e-9);
	free(m);
}

/* What adds up stays; scales of any size, unknown errors, and nodes that always err alike. */
static void
edges(void)
{
	static double r[T * N];
	double		fine[N] = {30, 11, 12, 5, 6, 7, 5, 7},
				y[N];

	for (int k = 0; k < 4; k++)
	{
		double		scale = k == 1 ? 1e200 : 1;
		rnn_mint   *m;

		make_residuals(r, 9);
		for (int c = 0; c < T * N; c++)
		{
			r[c] *= scale;
			if (k == 2 && (c % N == 4 || c % 7 == 0))
				r[c] = NAN;
			if (k == 3)
				r[c] = c % N < 2 ? 1 : 0;
		}
		m = learn(&tree, N, r, T, 1);
		memcpy(y, fine, sizeof(y));
		rnn_mint_apply(m, y);
		for (int i = 0; i < N; i++)
			CHECK_NEAR(y[i], fine[i], 1e-12);
		y[0] += 10;
		rnn_mint_apply(m, y);
		CHECK(fabs(y[0] - fine[0]) < 100);
		CHECK_NEAR(y[0], y[1] + y[2] + y[7], 1e-12);
		CHECK_NEAR(y[1], y[3] + y[4], 1e-12);
		free(m);
	}
	memcpy(y, fine, sizeof(y));
	y[0] = y[1] = 99;
	rnn_bottom_up(&tree, N, y);
	CHECK(memcmp(y, fine, sizeof(y)) == 0);
}

int
main(void)
{
	TEST(by_hand);
	TEST(as_in_the_textbook);
	TEST(repeated);
	TEST(no_error);
	TEST(edges);
	return check_summary("reconcile");
}
