/*
 * reconcile.c
 *		Forecasts of series and their sums that add up: bottom-up and minimum trace
 *		(Wickramasuriya, Athanasopoulos and Hyndman 2019).
 *
 * A row of C for each sum, 1 for itself and -1 for each series in it, says what adds up:
 * C y = 0.  Of all changes of the forecasts y that lead there, the one is made
 * that is least by the covariance W of their errors:
 *
 *		y - W C' (C W C')^-1 C y,		W = s D + (1 - s) R'R / T
 *
 * which is the same as S (S' W^-1 S)^-1 S' W^-1 y and takes no inverse of W.  R
 * are T rows of errors of the past, D the diagonal of R'R / T.  The shrinkage s
 * is that of Schaefer and Strimmer (2005), of whole blocks of rows, since errors
 * of one window, and of windows that share points, are nearly the same error:
 * counted one by one they seem to say far more than they do.  The sums over all
 * pairs of nodes that it takes are sums over pairs of rows, of which there are few.
 *
 * An error that is not known is 0 in R, and the others of its node are enlarged
 * by so much that its variance stays: W is positive definite in any case.
 */
#include "paths/reconcile.h"
#include "base/root.h"

#include <math.h>
#include <string.h>

#define LEAST_SHRINKAGE 1e-4	/* nodes that always err alike leave an equation that can be solved */
#define LEAST_RESIDUAL 1e-300	/* smaller ones are none */
#define LEAST_VARIANCE 1e-12		/* of a node, of the mean of all */

struct rnn_mint
{
	rnn_sums	sums;
	int			n;
	const double *residuals;	/* (rows, n) */
	int64_t		rows;
	int64_t		together,		/* rows of a block, */
				blocks;			/* of which the last may have more */
	int64_t		done;			/* steps: rows, then sums */
	double		squares,		/* sums over pairs of nodes, their own among them: of squares of products, */
				within,			/* of those of the products within each block, */
				alone;			/* and of these the nodes' own */
	double		shrinkage;
	double	   *factor;			/* (n) of residuals, to R */
	double	   *unit;			/* (n) to those of variance 1; 0: none are known */
	double	   *variance;		/* (n) D, in units of R */
	double	   *change;			/* (n) */
	double	   *own;			/* (n) squares in the block so far */
	double	   *part;			/* (rows) */
	double	   *gaps;			/* (sums, rows) R C' */
	double	   *root;			/* (sums, sums) of C W C', lower triangle */
	double	   *x;				/* (sums) */
};

/* ------------------------------------------------------------------- sums */

void
rnn_bottom_up(const rnn_sums *sums, int n, double *y)
{
	for (int a = 0; a < sums->count; a++)
		y[sums->series[a]] = 0;
	for (int i = 0; i < n; i++)
		for (int k = sums->first[i]; k < sums->first[i + 1]; k++)
			y[sums->series[sums->of[k]]] += y[i];
}

/* C y (count): by how much each sum is too large. */
static void
too_large(const rnn_sums *sums, int n, const double *y, double *out)
{
	for (int a = 0; a < sums->count; a++)
		out[a] = y[sums->series[a]];
	for (int i = 0; i < n; i++)
		for (int k = sums->first[i]; k < sums->first[i + 1]; k++)
			out[sums->of[k]] -= y[i];
}

/* C' x (n) */
static void
spread(const rnn_sums *sums, int n, const double *x, double *out)
{
	for (int i = 0; i < n; i++)
	{
		out[i] = 0;
		for (int k = sums->first[i]; k < sums->first[i + 1]; k++)
			out[i] -= x[sums->of[k]];
	}
	for (int a = 0; a < sums->count; a++)
		out[sums->series[a]] = x[a];
}

/* -------------------------------------------------------------- variances */

size_t
rnn_mint_size(const rnn_sums *sums, int n, int64_t rows)
{
	size_t		count = sums->count;

	return sizeof(rnn_mint) + sizeof(double) * (5 * (size_t) n + rows + count * (rows + count + 1));
}

static double
residual(const rnn_mint *m, int64_t row, int i)
{
	double		r = m->residuals[row * m->n + i];

	return isnan(r) ? 0 : r;
}

/* No square of what is divided by it is beyond the range of numbers, nor is what divides by it. */
static double
largest_residual(const rnn_mint *m)
{
	double		largest = 0;

	for (int64_t k = 0; k < m->rows * m->n; k++)
		if (!isnan(m->residuals[k]))
			largest = fmax(largest, fabs(m->residuals[k]));
	return largest > LEAST_RESIDUAL ? largest : 1;
}

static void
measure_node(rnn_mint *m, int i, double largest)
{
	double		sum = 0;
	int64_t		known = 0;

	for (int64_t t = 0; t < m->rows; t++)
	{
		double		r = residual(m, t, i) / largest;

		known += !isnan(m->residuals[t * m->n + i]);
		sum += r * r;
	}
	m->factor[i] = known > 0 ? sqrt((double) m->rows / known) / largest : 0;
	m->variance[i] = known > 0 ? sum / known : -1;
	m->unit[i] = sum > 0 ? m->factor[i] / sqrt(m->variance[i]) : 0;
}

/* Nodes of which nothing is known have the mean of the others. */
static void
fill_variances(rnn_mint *m)
{
	double		sum = 0,
				mean;
	int			known = 0;

	for (int i = 0; i < m->n; i++)
		if (m->variance[i] >= 0)
			sum += m->variance[i], known++;
	mean = sum > 0 ? sum / known : 1;
	for (int i = 0; i < m->n; i++)
	{
		/* Errors that are those of rounding go together with nothing. */
		if (m->variance[i] < LEAST_VARIANCE * mean)
			m->unit[i] = 0;
		m->variance[i] = m->variance[i] < 0 ? mean : fmax(m->variance[i], LEAST_VARIANCE * mean);
	}
}

rnn_mint *
rnn_mint_begin(const rnn_sums *sums, int n, const double *residuals, int64_t rows, int64_t together, void *block)
{
	rnn_mint   *m = block;
	double		largest;

	*m = (rnn_mint) {.sums = *sums,.n = n,.residuals = residuals,.rows = rows,.together = together,.shrinkage = 1};
	m->blocks = rnn_max(rows / together, 1);
	m->factor = (double *) (m + 1);
	m->unit = m->factor + n;
	m->variance = m->unit + n;
	m->change = m->variance + n;
	m->own = m->change + n;
	m->part = m->own + n;
	m->x = m->part + rows;
	m->gaps = m->x + sums->count;
	m->root = m->gaps + (size_t) sums->count * rows;
	largest = largest_residual(m);
	for (int i = 0; i < n; i++)
		measure_node(m, i, largest);
	fill_variances(m);
	return m;
}

/* -------------------------------------------------------------- shrinkage */

static int64_t
block_of(const rnn_mint *m, int64_t row)
{
	return rnn_min(row / m->together, m->blocks - 1);
}

/* The products of a row with itself, node by node; its numbers in units are in `change` then. */
static void
take_own(rnn_mint *m, int64_t t)
{
	bool		begins = t == 0 || block_of(m, t) != block_of(m, t - 1);

	for (int i = 0; i < m->n; i++)
	{
		double		z = residual(m, t, i) * m->unit[i],
					before = begins ? 0 : m->own[i];

		m->change[i] = z;
		m->own[i] = before + z * z;
		m->alone += m->own[i] * m->own[i] - before * before;
	}
}

/* What a row adds to the sums over pairs, and by how much its errors don't add up. */
static void
take_row(rnn_mint *m, int64_t t)
{
	int			n = m->n;

	take_own(m, t);
	for (int64_t s = 0; s <= t; s++)
	{
		double		product = 0;

		for (int i = 0; i < n; i++)
			product += m->change[i] * m->unit[i] * residual(m, s, i);
		product *= (s < t ? 2 : 1) * product;
		m->squares += product;
		if (block_of(m, s) == block_of(m, t))
			m->within += product;
	}
	for (int i = 0; i < n; i++)
		m->change[i] = residual(m, t, i) * m->factor[i];
	too_large(&m->sums, n, m->change, m->x);
	for (int a = 0; a < m->sums.count; a++)
		m->gaps[a * m->rows + t] = m->x[a];
}

static void
choose_shrinkage(rnn_mint *m)
{
	double		T = (double) m->rows,
				B = (double) m->blocks,
				correlations = m->squares / (T * T),
				products = (m->within - m->alone) * (B / T) * (B / T);

	for (int i = 0; i < m->n; i++)
		correlations -= m->unit[i] > 0;
	if (m->blocks > 1 && correlations > 0)
		m->shrinkage = fmin(fmax((products - B * correlations) / (B * (B - 1)) / correlations, LEAST_SHRINKAGE), 1);
}

double
rnn_mint_shrinkage(const rnn_mint *m)
{
	return m->shrinkage;
}

/* --------------------------------------------------------------- equation */

/* What the diagonal of W is in C W C': each series in all pairs of its sums. */
static void
weigh_series(rnn_mint *m)
{
	const rnn_sums *sums = &m->sums;

	memset(m->root, 0, sizeof(double) * sums->count * sums->count);
	for (int i = 0; i < m->n; i++)
		for (int k = sums->first[i]; k < sums->first[i + 1]; k++)
			for (int j = sums->first[i]; j < sums->first[i + 1]; j++)
				m->root[(size_t) sums->of[k] * sums->count + sums->of[j]] += m->shrinkage * m->variance[i];
	for (int a = 0; a < sums->count; a++)
		m->root[(size_t) a * sums->count + a] += m->shrinkage * m->variance[sums->series[a]];
}

/* Row a of C W C', up to its own place. */
static void
weigh_sum(rnn_mint *m, int a)
{
	double	   *row = m->root + (size_t) a * m->sums.count;
	const double *own = m->gaps + a * m->rows;

	for (int b = 0; b <= a; b++)
	{
		const double *other = m->gaps + b * m->rows;
		double		sum = 0;

		for (int64_t t = 0; t < m->rows; t++)
			sum += own[t] * other[t];
		row[b] += (1 - m->shrinkage) * sum / m->rows;
	}
}

bool
rnn_mint_step(rnn_mint *m)
{
	if (m->done < m->rows)
		take_row(m, m->done);
	else
	{
		int			a = (int) (m->done - m->rows);

		if (a == 0)
		{
			choose_shrinkage(m);
			weigh_series(m);
		}
		weigh_sum(m, a);
		root_row(m->root, m->sums.count, a, 1e-14 * m->root[(size_t) a * m->sums.count + a]);
	}
	m->done++;
	return m->done < m->rows + m->sums.count;
}

/* Gaps x (count), which are lost, to the changes (n) that close them: W C' (C W C')^-1 x; in `change`. */
static void
close_gaps(rnn_mint *m)
{
	int			n = m->n;
	double	   *v = m->change;

	root_solve(m->root, m->sums.count, m->sums.count, 1, m->x, 1);
	spread(&m->sums, n, m->x, v);
	for (int64_t t = 0; t < m->rows; t++)
	{
		m->part[t] = 0;
		for (int i = 0; i < n; i++)
			m->part[t] += residual(m, t, i) * m->factor[i] * v[i];
	}
	for (int i = 0; i < n; i++)
		v[i] *= m->shrinkage * m->variance[i];
	for (int64_t t = 0; t < m->rows; t++)
		for (int i = 0; i < n; i++)
			v[i] += (1 - m->shrinkage) / m->rows * residual(m, t, i) * m->factor[i] * m->part[t];
}

void
rnn_mint_apply(rnn_mint *m, double *y)
{
	too_large(&m->sums, m->n, y, m->x);
	close_gaps(m);
	for (int i = 0; i < m->n; i++)
		y[i] -= m->change[i];
	/* What rounding has left. */
	rnn_bottom_up(&m->sums, m->n, y);
}

void
rnn_mint_pull(rnn_mint *m, int a, float *pull)
{
	memset(m->x, 0, sizeof(double) * m->sums.count);
	m->x[a] = 1;
	close_gaps(m);
	for (int i = 0; i < m->n; i++)
		pull[(size_t) i * m->sums.count + a] = (float) m->change[i];
}

void
rnn_pull(const rnn_sums *sums, int n, const float *pull, double *gaps, double *y)
{
	too_large(sums, n, y, gaps);
	for (int i = 0; i < n; i++)
		for (int a = 0; a < sums->count; a++)
			y[i] -= pull[(size_t) i * sums->count + a] * gaps[a];
	rnn_bottom_up(sums, n, y);
}
