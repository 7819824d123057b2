/* avx512.c: the loops for AVX-512 in full width. */
#if defined(__x86_64__) && !defined(RNN_DOUBLE)
#ifdef __clang__
#define KERNEL_TARGET __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,fma")))
#else
#define KERNEL_TARGET __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,fma,prefer-vector-width=512")))
#endif
#define KERNEL_NAME "avx512"
#define KERNEL_WIDTH 64
#define KERNEL_REGISTERS 32
#define KERNEL_PRODUCT
#define KERNEL_TABLE rnn_kernels_avx512
#include "kernel/loops.h"
#else
typedef int rnn_no_avx512;		/* ISO C wants a declaration in every file */
#endif
