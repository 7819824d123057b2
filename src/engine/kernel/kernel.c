/*
 * kernel.c
 *		Picks the kernels for this processor, once.
 */
#include "kernel/kernel.h"
#include "kernel/blas.h"
#include "kernel/engine.h"

const double rnn_base_gap[RNN_QUANTILES] = {
	0.459194108, 0.394932266, 0.455331610, 0.551370904, 0.397577214,
	0.339715070, 0.317523506, 0.000000000, 0.317523506, 0.339715070,
	0.397577214, 0.551370904, 0.455331610, 0.394932266, 0.459194108
};

#define SHAPE(NUMBER, name, title, ...) [RNN_##NUMBER] = {__VA_ARGS__},
const rnn_cell_shape rnn_cells[] = {RNN_CELLS(SHAPE)};

const rnn_kernels *rnn_kernel = &rnn_kernels_portable;

const char *
rnn_engine_init(int limit)
{
#ifdef RNN_X86
	__builtin_cpu_init();
	if ((limit < 0 || limit >= 2) && __builtin_cpu_supports("avx512f") &&
		__builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
		__builtin_cpu_supports("avx512vl"))
		rnn_kernel = &rnn_kernels_avx512;
	else if ((limit < 0 || limit >= 1) && __builtin_cpu_supports("avx2") &&
			 __builtin_cpu_supports("fma"))
		rnn_kernel = &rnn_kernels_avx2;
	else
		rnn_kernel = &rnn_kernels_portable;
#else
	(void) limit;
#endif
	rnn_blas_init();
	return rnn_kernel->name;
}
