/*
 * net.h
 *		The network: activations, forward and backward.
 *
 *		inputs u (T,B,D)  ->  front: convolution with kernel = stride = patch
 *						  ->  conv_layers x { z + silu(causal convolution) }
 *						  ->  layers x { LayerNorm -> cell -> + residual }
 *						  ->  head at every position: gate of the references,
 *							  per horizon block the median and the gaps
 *
 * Everything is time-major: row t B + b.  A window is T patches; where it is
 * longer than the steps of back-propagation it is processed in chunks and the
 * state is carried from one to the next.
 */
#ifndef RNN_NET_H
#define RNN_NET_H

#include "net/shape.h"

#define RNN_NEAR 131072			/* numbers that stay in the second cache until used again */
#define RNN_PANEL 64			/* columns of recurrent weights that are packed together */
#define RNN_TILE 16				/* windows that go forward and backward together, */
#define RNN_TILE_WIDE 96		/* or of layers with more weights than these, half of a second cache of 2 MB, */
#define RNN_TILE_WEIGHTS 262144	/* which would be fetched again too often */
#define RNN_HEAD 524288			/* numbers of the head that stay near until it goes backward, */
#define RNN_LEAST_ROWS 32		/* of so many positions at least */

/* What the loss says of the inputs, for who asks by rnn_net_ask; NULL else. */
typedef struct rnn_input_gradients
{
	real	   *u;				/* (N,D), as the inputs themselves, embeddings of words among them */
	real	   *aux;			/* (N,A) */
	real	   *ref;			/* (N,R,Hz) */
	real	   *p;				/* (N Hz,F), of which the last is the network's own middle */
} rnn_input_gradients;

/* One batch in memory, for up to T steps and B windows. */
typedef struct rnn_net
{
	const rnn_shape *shape;
	int			max_T,
				max_B;
	bool		training;		/* gradients are wanted: backward buffers exist */
	bool		dropped;		/* the last forward drew dropout masks */

	/* what the caller fills in, rows t B + b, N = T B */
	real	   *u;				/* (N,D) */
	real	   *aux;			/* (N,A): log errors, weights, scalars */
	real	   *ref;			/* (N,R,Hz) in units of s around a, Hz = 16 blocks */
	real	   *spread;			/* (N,Hz) of the mix's error, in units of s */
	real	   *far;			/* (N,blocks) how many blocks ahead each is; NULL: 0, 1, 2 ... */
	real	   *target;			/* (N,Hz), NaN where missing; training only */
	real	   *p;				/* (N Hz,F): channels of each view, phases, room for squash(middle) */
	int16_t    *past_words;		/* (N,words_past): rows of the embeddings that belong into u */
	int16_t    *ahead_words;	/* (N Hz,words_ahead): and into p */
	real	   *circle;			/* (RNN_CIRCLE,2) sines and cosines */
	bool	   *before;			/* (N) the window has not begun: the step leaves no state, and has no target */

	/* activations */
	real	   *z[RNN_MAX_LAYERS + 1];	/* (pad + N,H) each: before each convolution, after the last */
	int			pad[RNN_MAX_LAYERS + 1];	/* steps of the past before z */
	real	   *conv_a[RNN_MAX_LAYERS];	/* (N,H) before silu */
	real	   *x[RNN_MAX_LAYERS + 1];	/* (N,I) input of each layer, output of the last */
	real	   *xn[RNN_MAX_LAYERS]; /* (N,I) normalised */
	real	   *norm_save[RNN_MAX_LAYERS];	/* (N,2) */
	real	   *packed[RNN_MAX_LAYERS];	/* weights as the kernels want them */
	real	   *turned;			/* (P) matrices outside the layers by columns, NULL: as they are */
	real	   *panels[RNN_MAX_LAYERS];	/* recurrent weights for the backward pass, NULL: as they are */
	real	   *gates[RNN_MAX_LAYERS];	/* (N,4H), not Elman */
	real	   *h[RNN_MAX_LAYERS];	/* (B + N,H): the first B rows are the carried state */
	real	   *c[RNN_MAX_LAYERS];	/* likewise */
	real	   *drop[RNN_MAX_LAYERS];	/* (N,H) masks, 0 or 1/(1-p) */
	real	   *state_a;		/* (N,H) before silu */
	real	   *state;			/* (N,H) */
	real	   *gate;			/* (N,R) softmax weights of the references */
	real	   *middle;			/* (N,Hz) */
	real	   *e;				/* (N blocks,E) */
	real	   *hid_a;			/* (N blocks,H) before silu */
	real	   *hid;			/* (N blocks,H) */
	real	   *hid_drop;		/* mask */
	real	   *per_state;		/* (N,H) the block MLP's part of the state, and its gradient */
	real	   *out;			/* (N blocks,16 Q) */
	real	   *point_a;		/* (N Hz,RNN_POINT) before silu */
	real	   *point;			/* (N Hz,RNN_POINT) */
	real	   *point_state;	/* (N,RNN_POINT) the state's part of it, and its gradient */
	real	   *point_out;		/* (N Hz,Q), and its gradient */

	/* backward */
	real	   *dout;			/* (N blocks,16 Q) */
	real	   *dmiddle;		/* (N,Hz) */
	real	   *dhid;			/* (N blocks,H) */
	real	   *dstate;			/* (N,H) */
	real	   *dgate;			/* (N,R) */
	real	   *dblock;			/* (N,Hz) */
	real	   *dx[RNN_MAX_LAYERS + 1];	/* (N,I) */
	real	   *flow[RNN_MAX_LAYERS];	/* (N,H) gradient of each state, NULL where nobody asks */
	real	   *dgates;			/* (B,G H) a step, as many steps as are within RNN_NEAR */
	real	   *dxn;			/* (N,I) */
	real	   *dc;				/* (B,H) */
	real	   *dh;				/* (B,H) what a step sends to the one before, at the end what falls off the chunk */
	real	   *dy;				/* (B,H) what a step's output sends, where dropped */
	real	   *dz;				/* (pad + N,H) */
	real	   *dpoint;			/* (N Hz,RNN_POINT) */
	real	   *dp;				/* (N Hz,F), or (N Hz) of the middle alone */
	real	   *du;				/* (N,D - D0) */
	rnn_input_gradients input;
} rnn_net;

/*
 * Windows of a minibatch of B that go forward and backward before the next
 * ones do, so that little of what the backward pass needs of the forward pass
 * has left the cache.  Gradients add up.
 */
int			rnn_tile_windows(const rnn_shape *s, int B);

/* Lays the buffers out in the arena (or measures, base NULL). */
void		rnn_net_init(rnn_net *net, const rnn_shape *shape, int T, int B, bool training, rnn_arena *a);
/* The same for forecasts, by layers whose weights are packed already; packed[0] NULL: they aren't. */
void		rnn_net_init_packed(rnn_net *net, const rnn_shape *shape, int T, int B, real *const *packed, rnn_arena *a);

/*
 * From now on the backward pass leaves the gradients of the inputs in `input`,
 * all but that of the spread; those of the head's inputs from head_from on.
 */
void		rnn_net_ask(rnn_net *net, rnn_arena *a);

/* Forget the carried state: the next chunk begins a window. */
void		rnn_net_reset(rnn_net *net, int B);

/* The state at the end of this chunk of T steps is the one that the next begins with. */
void		rnn_net_carry(rnn_net *net, int T, int B);

/* The state of B windows out of the net, while others are in it, or in again; numbers of it for one window. */
int64_t		rnn_net_state(const rnn_net *net);
void		rnn_net_move_state(rnn_net *net, int B, real *store, bool out);

/* Weights as the kernels want them: once before the first forward with these. */
void		rnn_net_pack(rnn_net *net, const real *w);

/*
 * Forward over T steps of B windows from the carried state.
 * head_from: first step at which the head is computed (0: everywhere, T - 1:
 * at the last only); rows before it are left as they are.  rng may be NULL
 * (no dropout).
 */
void		rnn_net_forward(rnn_net *net, const real *w, int T, int B, int head_from, rnn_rng *rng);

/* Loss of the last forward: sum and count of known targets from head_from on; fills dout and dmiddle. */
double		rnn_net_loss(rnn_net *net, int T, int B, int head_from, int64_t *known);

/* Adds the loss's gradient to g (P).  Call after rnn_net_loss. */
void		rnn_net_backward(rnn_net *net, const real *w, int T, int B, int head_from, real *g);

/*
 * All three at once, the head at each `every`-th step, the first of them at
 * `first`, but for some positions after the others in the same rows.  With
 * head_alone g gets what is the head's alone.
 */
double		rnn_net_learn(rnn_net *net, const real *w, int T, int B, int first, int every, rnn_rng *rng, bool head_alone,
						  int64_t *known, real *g);

/*
 * The head alone, at rows of which the caller knows what the layers say: it
 * fills x[L] beside what the head looks at.  Its weights are taken once before,
 * as by rnn_net_pack; the gradient ends at x[L].
 */
void		rnn_head_pack(rnn_net *net, const real *w);
double		rnn_head_learn(rnn_net *net, const real *w, int64_t rows, rnn_rng *rng, int64_t *known, real *g);

/* Quantiles (horizon,Q) at row i of the last forward, in units of s around a. */
void		rnn_net_quantiles(const rnn_net *net, int64_t row, real *q);

/* Parts of the above, in files of their own. */
/* Zero (rows,H) numbers of the steps whose window has not begun: what comes first finds nothing before it. */
void		rnn_empty_rows(const rnn_net *net, int64_t first, int64_t rows, real *x);
void		rnn_layer_pack(rnn_net *net, const real *w, int l);
void		rnn_layer_forward(rnn_net *net, const real *w, int l, int T, int B, rnn_rng *rng);
void		rnn_layer_backward(rnn_net *net, const real *w, int l, int T, int B, real *g);
void		rnn_conv_forward(rnn_net *net, const real *w, int T, int B);
void		rnn_conv_backward(rnn_net *net, const real *w, int T, int B, real *g);
void		rnn_conv_carry(rnn_net *net, int T, int B);
void		rnn_head_forward(rnn_net *net, const real *w, int64_t first, int64_t rows, rnn_rng *rng);
void		rnn_head_backward(rnn_net *net, const real *w, int64_t first, int64_t rows, real *g);

/* y (rows,out) += x (rows,in; ld apart) W^T, the weights W (out,in) at `at`. */
void		rnn_weigh(const rnn_net *net, const real *w, int64_t at, int64_t rows, int64_t out, int64_t in,
					  const real *x, int64_t ld, real *y);

/* Covariates, point.c.  Everything is empty where there are none. */
void		rnn_embed_past(rnn_net *net, const real *w, int64_t rows);
/* From the gradient of the front's output, or of the first layer's input, to the inputs and the words among them. */
void		rnn_inputs_back(rnn_net *net, const real *w, int64_t rows, real *g);
void		rnn_point_layout(rnn_net *net, int64_t N, bool training, rnn_arena *a);
/* Adds to the blocks' outputs what the points' covariates say. */
void		rnn_point_forward(rnn_net *net, const real *w, int64_t first, int64_t rows);
/* From dout; adds to dstate and dmiddle.  Must come before the states' gradients go on. */
void		rnn_point_backward(rnn_net *net, const real *w, int64_t first, int64_t rows, real *g);

#endif							/* RNN_NET_H */
