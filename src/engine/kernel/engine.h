/*
 * engine.h
 *		Which processor's kernels the engine runs on, and which BLAS.
 */
#ifndef RNN_ENGINE_H
#define RNN_ENGINE_H

#include "base/base.h"

/* Chooses kernels by CPUID (at most `limit`: 0 portable, 1 AVX2, 2 AVX-512, -1 best)
 * and sets OpenBLAS to one thread.  Idempotent.  Names what it chose. */
const char *rnn_engine_init(int limit);
const char *rnn_blas_name(void);

#endif							/* RNN_ENGINE_H */
