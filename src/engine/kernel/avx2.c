/* avx2.c: the loops for AVX2 and FMA. */
#if defined(__x86_64__) && !defined(RNN_DOUBLE)
#define KERNEL_TARGET __attribute__((target("avx2,fma")))
#define KERNEL_NAME "avx2"
#define KERNEL_WIDTH 32
#define KERNEL_REGISTERS 16
#define KERNEL_PRODUCT
#define KERNEL_TABLE rnn_kernels_avx2
#include "kernel/loops.h"
#else
typedef int rnn_no_avx2;		/* ISO C wants a declaration in every file */
#endif
