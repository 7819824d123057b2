/*
 * root.h
 *		Equations with a symmetric matrix, by Cholesky's factor of it.
 *
 * The lower half of a (n,n), whose rows lie `ld` apart, becomes that of f with
 * f f' = a.  A matrix that is singular but for rounding has a factor all the
 * same: no square on its diagonal is below `least`.  In a header, so that each
 * caller compiles the loops as it does its own.
 */
#ifndef RNN_ROOT_H
#define RNN_ROOT_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/* Row k, once those before it are there. */
static inline __attribute__((always_inline)) void
root_row(double *a, int64_t ld, int k, double least)
{
	double	   *row = a + k * ld;

	for (int l = 0; l <= k; l++)
	{
		const double *other = a + l * ld;
		double		rest = row[l];

		for (int i = 0; i < l; i++)
			rest -= row[i] * other[i];
		row[l] = l < k ? rest / other[l] : sqrt(fmax(rest, least));
	}
}

/* f (n,n): that of a (n,n) with a ridge on its diagonal. */
static inline __attribute__((always_inline)) void
root_ridge(const double *a, int n, double ridge, double *f)
{
	memcpy(f, a, sizeof(double) * n * n);
	for (int k = 0; k < n; k++)
	{
		f[k * n + k] += ridge;
		root_row(f, n, k, 1e-6 * ridge);
	}
}

/* Trace of the inverse of what f (n,n) is the factor of: the sum of the squares in f's own inverse.  scratch (2 n) */
static inline __attribute__((always_inline)) double
root_inverse_trace(const double *f, int n, double *scratch)
{
	double	   *share = scratch,
			   *column = scratch + n,
				trace = 0;

	for (int k = 0; k < n; k++)
		share[k] = 1 / f[k * n + k];
	for (int c = 0; c < n; c++)
		for (int k = c; k < n; k++)
		{
			double		rest = k == c;

			for (int i = c; i < k; i++)
				rest -= f[k * n + i] * column[i];
			column[k] = rest * share[k];
			trace += column[k] * column[k];
		}
	return trace;
}

/* x (n,columns), rows `apart`: the right sides become what solves the equations. */
static inline __attribute__((always_inline)) void
root_solve(const double *f, int64_t ld, int n, int columns, double *restrict x, int64_t apart)
{
	for (int k = 0; k < n; k++)
	{
		double	   *to = x + k * apart,
					share = 1 / f[k * ld + k];

		for (int i = 0; i < k; i++)
			for (int j = 0; j < columns; j++)
				to[j] -= f[k * ld + i] * x[i * apart + j];
		for (int j = 0; j < columns; j++)
			to[j] *= share;
	}
	for (int k = n - 1; k >= 0; k--)
	{
		double	   *from = x + k * apart,
					share = 1 / f[k * ld + k];

		for (int j = 0; j < columns; j++)
			from[j] *= share;
		for (int i = 0; i < k; i++)
			for (int j = 0; j < columns; j++)
				x[i * apart + j] -= f[k * ld + i] * from[j];
	}
}

#endif							/* RNN_ROOT_H */
