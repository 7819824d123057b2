/*
 * reconcile.c
 *		Forecasts of a tree of series that add up: bottom-up and minimum trace
 *		(Wickramasuriya, Athanasopoulos and Hyndman 2019).
 *
 * A row of C for each sum, 1 for itself and -1 for each part, says what adds up:
 * C y = 0.  Of all changes of the forecasts y that lead there, the one is made
 * that is least by the covariance W of their errors:
 *
 *		y - W C' (C W C')^-1 C y,		W = s D + (1 - s) R'R / T
 *
 * which is the same as S (S' W^-1 S)^-1 S' W^-1 y and takes no inverse of W.  R
 * are T rows of errors of the past, D the diagonal of R'R / T.  The shrinkage s
 * is that of Schaefer and Strimmer (2005); the sums over all pairs of nodes that
 * it takes are sums over pairs of rows, of which there are few.
 *
 * An error that is not known is 0 in R, and the others of its node are enlarged
 * by so much that its variance stays: W is positive definite in any case.
 */
#include "paths/reconcile.h"

#include <math.h>
#include <string.h>

#define LEAST_SHRINKAGE 1e-4	/* nodes that always err alike leave an equation that can be solved */
#define LEAST_VARIANCE 1e-8		/* of a node, of the mean of all */

struct rnn_mint
{
	rnn_tree	tree;
	const double *residuals;	/* (rows, n) */
	int64_t		rows;
	int64_t		done;			/* steps: rows, then sums */
	double		squares,		/* sums over pairs of nodes, their own among them: of products of two rows, */
				fourth,			/* of all squares of products, */
				alone;			/* and of these the nodes' own */
	double		shrinkage;
	double	   *factor;			/* (n) of residuals, to R */
	double	   *unit;			/* (n) to those of variance 1; 0: none are known */
	double	   *variance;		/* (n) D, in units of R */
	double	   *change;			/* (n) */
	double	   *part;			/* (rows) */
	double	   *gaps;			/* (sums, rows) R C' */
	double	   *root;			/* (sums, sums) of C W C', lower triangle */
	double	   *x;				/* (sums) */
};

/* ------------------------------------------------------------------ trees */

void
rnn_bottom_up(const rnn_tree *tree, double *y)
{
	memset(y, 0, sizeof(double) * tree->sums);
	for (int i = tree->n - 1; i > 0; i--)
		y[tree->parent[i]] += y[i];
}

/* C y (sums): by how much each sum is too large. */
static void
too_large(const rnn_tree *tree, const double *y, double *out)
{
	memcpy(out, y, sizeof(double) * tree->sums);
	for (int i = 1; i < tree->n; i++)
		out[tree->parent[i]] -= y[i];
}

/* C' x (n) */
static void
spread(const rnn_tree *tree, const double *x, double *out)
{
	for (int i = 0; i < tree->n; i++)
		out[i] = (i < tree->sums ? x[i] : 0) - (i > 0 ? x[tree->parent[i]] : 0);
}

/* -------------------------------------------------------------- variances */

size_t
rnn_mint_size(const rnn_tree *tree, int64_t rows)
{
	size_t		n = tree->n,
				sums = tree->sums;

	return sizeof(rnn_mint) + sizeof(double) * (4 * n + rows + sums * (rows + sums + 1));
}

static double
residual(const rnn_mint *m, int64_t row, int i)
{
	double		r = m->residuals[row * m->tree.n + i];

	return isnan(r) ? 0 : r;
}

/* No square of what is divided by it is beyond the range of numbers. */
static double
largest_residual(const rnn_mint *m)
{
	double		largest = 0;

	for (int64_t k = 0; k < m->rows * m->tree.n; k++)
		if (!isnan(m->residuals[k]))
			largest = fmax(largest, fabs(m->residuals[k]));
	return largest > 0 ? largest : 1;
}

static void
measure_node(rnn_mint *m, int i, double largest)
{
	double		sum = 0;
	int64_t		known = 0;

	for (int64_t t = 0; t < m->rows; t++)
	{
		double		r = residual(m, t, i) / largest;

		known += !isnan(m->residuals[t * m->tree.n + i]);
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

	for (int i = 0; i < m->tree.n; i++)
		if (m->variance[i] >= 0)
			sum += m->variance[i], known++;
	mean = sum > 0 ? sum / known : 1;
	for (int i = 0; i < m->tree.n; i++)
		m->variance[i] = m->variance[i] < 0 ? mean : fmax(m->variance[i], LEAST_VARIANCE * mean);
}

rnn_mint *
rnn_mint_begin(const rnn_tree *tree, const double *residuals, int64_t rows, void *block)
{
	rnn_mint   *m = block;
	double		largest;

	*m = (rnn_mint) {.tree = *tree,.residuals = residuals,.rows = rows,.shrinkage = 1};
	m->factor = (double *) (m + 1);
	m->unit = m->factor + tree->n;
	m->variance = m->unit + tree->n;
	m->change = m->variance + tree->n;
	m->part = m->change + tree->n;
	m->x = m->part + rows;
	m->gaps = m->x + tree->sums;
	m->root = m->gaps + (size_t) tree->sums * rows;
	largest = largest_residual(m);
	for (int i = 0; i < tree->n; i++)
		measure_node(m, i, largest);
	fill_variances(m);
	return m;
}

/* -------------------------------------------------------------- shrinkage */

/* What a row adds to the sums over pairs, and by how much its errors don't add up. */
static void
take_row(rnn_mint *m, int64_t t)
{
	int			n = m->tree.n;
	double		all = 0;

	for (int i = 0; i < n; i++)
	{
		double		z = residual(m, t, i) * m->unit[i];

		m->change[i] = z;
		all += z * z;
		m->alone += z * z * z * z;
	}
	m->fourth += all * all;
	for (int64_t s = 0; s <= t; s++)
	{
		double		product = 0;

		for (int i = 0; i < n; i++)
			product += m->change[i] * m->unit[i] * residual(m, s, i);
		m->squares += (s < t ? 2 : 1) * product * product;
	}
	for (int i = 0; i < n; i++)
		m->change[i] = residual(m, t, i) * m->factor[i];
	too_large(&m->tree, m->change, m->x);
	for (int a = 0; a < m->tree.sums; a++)
		m->gaps[a * m->rows + t] = m->x[a];
}

static void
choose_shrinkage(rnn_mint *m)
{
	double		T = (double) m->rows,
				correlations = m->squares / (T * T),
				products = m->fourth - m->alone;

	for (int i = 0; i < m->tree.n; i++)
		correlations -= m->unit[i] > 0;
	if (m->rows > 1 && correlations > 0)
		m->shrinkage = fmin(fmax((products - T * correlations) / (T * (T - 1)) / correlations, LEAST_SHRINKAGE), 1);
}

double
rnn_mint_shrinkage(const rnn_mint *m)
{
	return m->shrinkage;
}

/* --------------------------------------------------------------- equation */

/* Row a of C W C', up to its own place. */
static void
weigh_sum(rnn_mint *m, int a)
{
	double	   *row = m->root + (size_t) a * m->tree.sums;
	const double *own = m->gaps + a * m->rows;

	for (int b = 0; b <= a; b++)
	{
		const double *other = m->gaps + b * m->rows;
		double		sum = 0;

		for (int64_t t = 0; t < m->rows; t++)
			sum += own[t] * other[t];
		row[b] = (1 - m->shrinkage) * sum / m->rows;
	}
	row[a] += m->shrinkage * m->variance[a];
	for (int i = 1; i < m->tree.n; i++)
		if (m->tree.parent[i] == a)
			row[a] += m->shrinkage * m->variance[i];
	if (a > 0)
		row[m->tree.parent[a]] -= m->shrinkage * m->variance[a];
}

/* Cholesky's decomposition, a row. */
static void
root_sum(rnn_mint *m, int a)
{
	double	   *row = m->root + (size_t) a * m->tree.sums;

	for (int b = 0; b <= a; b++)
	{
		const double *other = m->root + (size_t) b * m->tree.sums;
		double		rest = row[b];

		for (int k = 0; k < b; k++)
			rest -= row[k] * other[k];
		row[b] = b < a ? rest / other[b] : sqrt(fmax(rest, 1e-14 * row[a]));
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
			choose_shrinkage(m);
		weigh_sum(m, a);
		root_sum(m, a);
	}
	m->done++;
	return m->done < m->rows + m->tree.sums;
}

/* x becomes (C W C')^-1 x. */
static void
solve(const rnn_mint *m, double *x)
{
	int			sums = m->tree.sums;

	for (int a = 0; a < sums; a++)
	{
		for (int b = 0; b < a; b++)
			x[a] -= m->root[(size_t) a * sums + b] * x[b];
		x[a] /= m->root[(size_t) a * sums + a];
	}
	for (int a = sums - 1; a >= 0; a--)
	{
		x[a] /= m->root[(size_t) a * sums + a];
		for (int b = 0; b < a; b++)
			x[b] -= m->root[(size_t) a * sums + b] * x[a];
	}
}

void
rnn_mint_apply(rnn_mint *m, double *y)
{
	int			n = m->tree.n;
	double	   *v = m->change;

	too_large(&m->tree, y, m->x);
	solve(m, m->x);
	spread(&m->tree, m->x, v);
	for (int64_t t = 0; t < m->rows; t++)
	{
		m->part[t] = 0;
		for (int i = 0; i < n; i++)
			m->part[t] += residual(m, t, i) * m->factor[i] * v[i];
	}
	for (int i = 0; i < n; i++)
		y[i] -= m->shrinkage * m->variance[i] * v[i];
	for (int64_t t = 0; t < m->rows; t++)
		for (int i = 0; i < n; i++)
			y[i] -= (1 - m->shrinkage) / m->rows * residual(m, t, i) * m->factor[i] * m->part[t];
	/* What rounding has left. */
	rnn_bottom_up(&m->tree, y);
}
