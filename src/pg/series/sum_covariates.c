/*
 * sum_covariates.c
 *		Covariates of a sum, made of those of its parts.
 *
 * What a covariate does to a series is about in proportion to the size of the
 * series, and a network sees it in units of that.  So a number of a sum is the
 * mean of its parts, weighed by their share of the sum: of a promotion in one
 * shop, the share of the sales that are promoted.  Of text it is the word that
 * has most of the sum.  Where all parts agree, as about weather, the sum agrees.
 *
 * Shares are those of the whole history, so that they don't move with what the
 * covariates do.  A part that doesn't tell a value has no say in it.
 */
#include "pg/series/series.h"

#include <math.h>

#include "miscadmin.h"

#define BLOCK 64				/* rows at once, of part after part */
#define LEAST_SHARE 1e-30		/* of the largest part, so that some count where all are 0 */

typedef struct Pool
{
	const rnn_covariates *all;
	const rnn_series **parts;	/* (n) */
	const double *share;		/* (n) */
	int			n;
	double	   *votes;			/* (BLOCK, width) by word; of a number its sum, and the shares that it is of */
	int			width;
} Pool;

/* Mean of the absolute values that are known. */
static double
size_of(const rnn_series *s)
{
	double		sum = 0;
	int64		known = 0;

	for (int64 t = 0; t < s->n; t++)
		known += !isnan(s->x[t]);
	for (int64 t = 0; t < s->n; t++)
		if (!isnan(s->x[t]))
			sum += fabs(s->x[t]) / known;
	return sum;
}

void
shares_of_parts(const rnn_series *const *parts, int n, double *share)
{
	double		largest = 0;

	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		share[i] = size_of(parts[i]);
		largest = fmax(largest, share[i]);
	}
	for (int i = 0; i < n; i++)
		share[i] = largest > 0 ? fmax(share[i] / largest, LEAST_SHARE) : 1;
}

/* What a part tells of grid point `at`; of what is static any row of it does. */
static float
told(const Pool *p, const rnn_series *s, int64 at, int c)
{
	int64		row = p->all->list[c].role == RNN_STATIC ? 0 : at - s->dropped;

	return s->covariates && row >= 0 && row < s->n + s->ahead ? s->covariates[row * p->all->n + c] : NAN;
}

static float
outcome(const double *votes, int words)
{
	int			most = 0;

	if (words == 0)
		return votes[1] > 0 ? (float) (votes[0] / votes[1]) : NAN;
	for (int k = 1; k < words; k++)
		if (votes[k] > votes[most])
			most = k;
	return votes[most] > 0 ? most : NAN;
}

/* Covariate c of the n grid points from `at`, to every K-th number of `values`. */
static void
pool_block(const Pool *p, int c, int64 at, int n, float *values)
{
	const rnn_covariate *covariate = &p->all->list[c];
	/* One more is for words that are not known. */
	int			words = covariate->is_text ? covariate->n_categories + 1 : 0;

	memset(p->votes, 0, sizeof(double) * p->width * n);
	for (int i = 0; i < p->n; i++)
		for (int t = 0; t < n; t++)
		{
			float		x = told(p, p->parts[i], at + t, c);
			double	   *votes = p->votes + (Size) t * p->width;

			if (isnan(x))
				continue;
			votes[words ? (int) x : 0] += words ? p->share[i] : p->share[i] * x;
			if (!words)
				votes[1] += p->share[i];
		}
	for (int t = 0; t < n; t++)
		values[t * p->all->n] = outcome(p->votes + (Size) t * p->width, words);
}

const float *
covariates_of_sum(const rnn_covariates *all, const rnn_series **parts, const double *share, int n, const rnn_series *sum)
{
	Pool		p = {.all = all,.parts = parts,.share = share,.n = n,.width = 2};
	float	   *values = new_values(sum, all->n);
	int64		rows = sum->n + sum->ahead;

	for (int c = 0; c < all->n; c++)
		if (all->list[c].is_text)
			p.width = Max(p.width, all->list[c].n_categories + 1);
	p.votes = palloc_extended(sizeof(double) * BLOCK * p.width, MCXT_ALLOC_HUGE);
	for (int c = 0; c < all->n; c++)
		for (int64 t = 0; t < rows; t += BLOCK)
		{
			CHECK_FOR_INTERRUPTS();
			pool_block(&p, c, sum->dropped + t, (int) Min(rows - t, BLOCK), values + t * all->n + c);
		}
	pfree(p.votes);
	return values;
}
