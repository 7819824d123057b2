/*
 * kernel.h
 *		Steps of the cells and loops of the network, one table per instruction
 *		set.
 *
 * loops.h holds the loops once, written so that the compiler turns
 * them into vectors, and products.h what is made of products;
 * portable.c, avx2.c and avx512.c compile them for their
 * instruction set, reference.c is the naive version with libm that the
 * tests hold them to.  rnn_kernel is picked once by rnn_engine_init.
 *
 * Gates are stored per row (one window at one time step) as segments of H:
 *		elman	[a]				h = act(a)
 *		lstm	[i f g o]		c = f c' + i g,  h = o tanh(c)
 *		gru		[n r z m]		m = W_hn h' + b_hn, n = tanh(a_n + r m),
 *								h = n + z (h' - n)
 * of activations (of m the value itself); Elman keeps h alone.  The order of
 * the GRU lets the input's part (n r z) and the state's part (r z m) each be
 * one contiguous product.
 */
#ifndef RNN_KERNEL_H
#define RNN_KERNEL_H

#include "base/base.h"
#include "base/cells.h"

/* What a cell is, by rnn_cell: see base/cells.h. */
typedef struct rnn_cell_shape
{
	int			gates,
				x_gates,
				h_first;
	bool		has_cell;
	int			keep,
				in;
} rnn_cell_shape;

extern const rnn_cell_shape rnn_cells[];

/* One step of a cell for B windows: from x_t and h_{t-1} to h_t */
typedef struct rnn_step
{
	int64_t		B,
				I,
				H;
	bool		relu;			/* instead of tanh, Elman alone */
	const real *w;				/* packed */
	const real *x;				/* (B,I) */
	const real *h_prev;			/* (B,H) */
	const real *c_prev;			/* (B,H), LSTM alone, as c */
	real	   *gates;			/* (B,4H), not Elman */
	real	   *c;				/* (B,H) */
	real	   *h;				/* (B,H) */
} rnn_step;

/* The same step backward, from its h to the gates and to what passes by them */
typedef struct rnn_back
{
	int64_t		B,
				H;
	bool		relu;
	const real *gates;			/* (B,4H), not Elman */
	const real *h;				/* (B,H) */
	const real *h_prev;			/* (B,H) */
	const real *c_prev;			/* (B,H), LSTM alone, as dc */
	const real *dy;				/* (B,H) what the layer's output sends back */
	real	   *dh;				/* (B,H) in from the step after, out for the step before */
	real	   *dc;				/* likewise */
	real	   *dgates;			/* (B,G) */
	real	   *dbias;			/* (G) added to */
	bool		more;			/* the step before has its rows before these */
} rnn_back;

/* A row of the tables below for each cell. */
#define RNN_CELL_KERNEL(NUMBER, name, ...) [RNN_##NUMBER] = {name##_forward, name##_backward},

/* Numbers that packed weights take at most: whole vectors of units. */
#define RNN_PACKED(gates, I, H) ((int64_t) (gates) * (((H) + 15) / 16 * 16) * (1 + (I) + (H)))

typedef struct rnn_kernels
{
	const char *name;

	/*
	 * Weights of a cell as the forward kernels of this table want them: w_ih
	 * (x_gates H,I), w_hh ((gates - h_first) H,H) and bias (gates H) into `to`,
	 * RNN_PACKED numbers.
	 */
	void		(*pack) (const rnn_cell_shape *cell, int64_t I, int64_t H,
						 const real *w_ih, const real *w_hh, const real *bias, real *to);
	struct
	{
		void		(*forward) (const rnn_step *s);
		void		(*backward) (const rnn_back *s);
	}			cell[RNN_CELL_KINDS];

	/* x sigmoid(x), Elfwing, Uchibe and Doya 2018 */
	void		(*silu_forward) (int64_t n, const real *x, real *y);
	void		(*silu_backward) (int64_t n, const real *x, const real *dy, real *dx);
	/* asinh(x) / 3: squashes references of any size; y may be x, as dx may be dy above */
	void		(*squash) (int64_t n, const real *x, real *y);
	/* LayerNorm (Ba, Kiros and Hinton 2016) of each row; save is (rows, 2): mean, 1/sd */
	void		(*norm_forward) (int64_t rows, int H, const real *x, const real *gain,
								 const real *bias, real *y, real *save);
	/* dx may be dy; dgain and dbias (H) are added to */
	void		(*norm_backward) (int64_t rows, int H, const real *x, const real *gain,
								  const real *save, const real *dy, real *dx, real *dgain, real *dbias);

	/*
	 * Quantiles of one horizon block from the head's output u (Q,S): the centre
	 * is middle + u[median], the others lie rnn_base_gap spread softplus(u) beyond
	 * their inner neighbour, so they never cross.  spread (S), q (Q,S).
	 */
	void		(*block_quantiles) (const real *u, const real *middle, const real *spread, real *q);
	/*
	 * Loss of one block against target (S), NaN where missing: returns the sum
	 * over known points and adds their number to *known; du (Q,S) and dmiddle
	 * (S) are the gradients of that sum.
	 */
	double		(*block_loss) (const real *u, const real *middle, const real *target, const real *spread,
							   int loss, real *du, real *dmiddle, int *known);

	/*
	 * c (m,n) = a b, or += where `add`; a (m,k) lies at a[i a_row + p a_col]
	 * and b (k,n) by rows.  NULL where BLAS is the better choice; see blas.c.
	 */
	void		(*product) (int64_t m, int64_t n, int64_t k, const real *a, int64_t a_row, int64_t a_col,
							const real *b, int64_t ldb, bool add, real *c, int64_t ldc);

	/* AdamW (Loshchilov and Hutter 2019); ema may be NULL. */
	void		(*adamw) (int64_t n, real *w, const real *g, real *m, real *v, real *ema,
						  real scale, real rate, real beta1, real beta2, real fix1, real fix2,
						  real decay, real ema_decay);
} rnn_kernels;

extern const rnn_kernels rnn_kernels_reference,
			rnn_kernels_portable;
#if defined(__x86_64__) && !defined(RNN_DOUBLE)
#define RNN_X86 1
extern const rnn_kernels rnn_kernels_avx2,
			rnn_kernels_avx512;
#endif
extern const rnn_kernels *rnn_kernel;

/*
 * Distance of each quantile from its inner neighbour where the error is normal
 * with a mean absolute value of 1; an untrained head gives these.
 */
extern const double rnn_base_gap[RNN_QUANTILES];

/* Largest ratio of an error to the scale s that still pulls: cap tanh(loss / cap). */
#define RNN_LOSS_CAP 50.0
/* softplus(RNN_UNIT) = 1: an untrained head leaves the base gaps as they are. */
#define RNN_UNIT 0.541324854612918
#define RNN_NORM_EPS 1e-5
#define RNN_ADAM_EPS 1e-8

#endif							/* RNN_KERNEL_H */
