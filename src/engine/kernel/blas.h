/*
 * blas.h
 *		The only door to BLAS.  Matrices are row-major.
 */
#ifndef RNN_BLAS_H
#define RNN_BLAS_H

#include "base/base.h"

/* Columns of a result must be whole vectors for our own product to be the faster one. */
#define RNN_WHOLE 16
#define RNN_WIDE 64				/* or they are so many that the rest goes alone */

void		rnn_blas_init(void);

/* C (m,n) = op(A) (m,k) op(B) (k,n) + beta C, beta 0 or 1; ta: A is stored (k,m), tb: B is stored (n,k) */
void		rnn_gemm(bool ta, bool tb, int64_t m, int64_t n, int64_t k,
					 const real *a, int64_t lda, const real *b, int64_t ldb,
					 real beta, real *c, int64_t ldc);

/* y (n) += sum over rows of a (m,n) */
void		rnn_add_rows(int64_t m, int64_t n, const real *a, int64_t lda, real *y);

/* y (n) *= a (n) */
void		rnn_multiply(int64_t n, const real *a, real *y);

/* every row of a (m,n) = y (n) */
void		rnn_fill_rows(real *a, int64_t m, int64_t n, const real *y);

#endif							/* RNN_BLAS_H */
