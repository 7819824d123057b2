/* portable.c: the loops for the baseline instruction set (SSE2, NEON). */
#define KERNEL_TARGET
#define KERNEL_NAME "portable"
#define KERNEL_WIDTH 16
#ifdef __aarch64__
#define KERNEL_REGISTERS 32
#else
#define KERNEL_REGISTERS 16
#endif
#define KERNEL_TABLE rnn_kernels_portable
#include "kernel/loops.h"
