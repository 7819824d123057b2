/*
 * blas.c
 *		Products of matrices: our own kernel or OpenBLAS, in one thread.
 *
 * A backend is one process with one thread; OpenBLAS's pool would hang or
 * crash in a forked one, so it is told to use a single thread even where the
 * library was built with more.
 */
#include "kernel/blas.h"
#include "kernel/engine.h"
#include "kernel/kernel.h"

#include <cblas.h>
#include <string.h>

void
rnn_blas_init(void)
{
	openblas_set_num_threads(1);
}

const char *
rnn_blas_name(void)
{
#ifdef RNN_BLAS_SHARED
	return "shared OpenBLAS, one thread";
#else
	return "serial OpenBLAS, static";
#endif
}

#ifdef RNN_DOUBLE
#define GEMM cblas_dgemm
#else
#define GEMM cblas_sgemm
#endif

void
rnn_gemm(bool ta, bool tb, int64_t m, int64_t n, int64_t k, const real *a, int64_t lda,
		 const real *b, int64_t ldb, real beta, real *c, int64_t ldc)
{
	/*
	 * Products of a recurrent network are narrow: there the kernel's registers
	 * win over a library that packs both sides first.
	 */
	int64_t		own = rnn_kernel->product && !tb && (n % RNN_WHOLE == 0 || n > RNN_WIDE) ? n - n % RNN_WHOLE : 0;

	if (own > 0)
		rnn_kernel->product(m, own, k, a, ta ? 1 : lda, ta ? lda : 1, b, ldb, beta != 0, c, ldc);
	if (own == n)
		return;
	b += own;					/* tb: nothing is ours */
	c += own;
	n -= own;
	GEMM(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans,
		 m, n, k, 1, a, lda, b, ldb, beta, c, ldc);
}

void
rnn_add_rows(int64_t m, int64_t n, const real *restrict a, int64_t lda, real *restrict y)
{
	for (int64_t i = 0; i < m; i++)
		for (int64_t j = 0; j < n; j++)
			y[j] += a[i * lda + j];
}

void
rnn_multiply(int64_t n, const real *restrict a, real *restrict y)
{
	for (int64_t i = 0; i < n; i++)
		y[i] *= a[i];
}

void
rnn_fill_rows(real *a, int64_t m, int64_t n, const real *y)
{
	for (int64_t i = 0; i < m; i++)
		memcpy(a + i * n, y, sizeof(real) * n);
}
