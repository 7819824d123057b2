/*
 * shape.h
 *		What a network consists of: sizes, the place of every parameter, initial
 *		weights.
 */
#ifndef RNN_SHAPE_H
#define RNN_SHAPE_H

#include "config/config.h"
#include "kernel/kernel.h"

#define RNN_MAX_LAYERS 8
#define RNN_SCALARS (8 + RNN_PHASES)	/* per-position facts, see frame.c */
#define RNN_COARSE 16			/* means of long windows of the past */
#define RNN_EMBED 4				/* width of a word's embedding */
#define RNN_VIEWS 5				/* places at which covariates are seen for one point ahead, */
#define RNN_TERM_VIEWS 3		/* and terms of the calendar */
#define RNN_POINT 32			/* hidden units of the head's part for single points */

/* What a tensor of weights belongs to, in this order. */
typedef enum rnn_net_part { RNN_PART_FRONT, RNN_PART_LAYER, RNN_PART_HEAD, RNN_PART_WORDS, RNN_PART_POINT } rnn_net_part;

typedef enum rnn_init
{
	RNN_INIT_ZERO,
	RNN_INIT_ONE,
	RNN_INIT_UNIFORM,			/* within `bound` of zero */
	RNN_INIT_ORTHOGONAL,		/* each matrix, times recurrent_gain */
	RNN_INIT_GATES				/* zero, but for a gate that keeps */
} rnn_init;

/* Some matrices of weights, one behind the other: gates, or taps of a convolution. */
typedef struct rnn_tensor
{
	const char *name;			/* as in docs/developers/model-format.md */
	rnn_net_part	part;
	int64_t		offset;			/* of its first number among the P weights */
	int64_t		matrices,
				rows,
				columns;
	rnn_init	init;
	double		bound;
} rnn_tensor;

/* Two of the front, each convolution and each covariate, five of a layer, ten of the head, four of points ahead. */
#define RNN_MAX_TENSORS (2 + 7 * RNN_MAX_LAYERS + 10 + 2 * RNN_MAX_COVARIATES + 4)

/*
 * Sizes, and the table of all weights in the order in which a model has them.
 * Below it are the places of the same tensors, for those who compute with them.
 */
typedef struct rnn_shape
{
	int			patch,
				past,			/* inputs that tell of the past: patch + RNN_COARSE, or 0 */
				D0,				/* inputs of a step that a frame has: past + 3 patch + RNN_SCALARS */
				D,				/* and with covariates: + patch C + CS */
				H,
				L,
				R,				/* references, 0 without skip */
				A,				/* facts for the head: 2 R + RNN_SCALARS */
				E,				/* block inputs of the head: 16 R + 17, or 1 */
				blocks,			/* of the trained horizon */
				horizon;
	bool		project,		/* the front exists */
				norm,
				residual;
	int			activation;
	int			convs,
				kernel,
				dilation[RNN_MAX_LAYERS];
	int			loss;
	real		dropout;
	rnn_cell	kind;
	const rnn_cell_shape *cell;	/* of this kind */
	const rnn_stop *stop;		/* set after rnn_shape_init; NULL: none */

	/* Covariates: where each one's channels begin, -1 where it has none; see covariate.c */
	rnn_covariates covariates;
	int			C,				/* channels of a point of a patch */
				CS,				/* channels of a step that don't change */
				G,				/* channels of a view ahead */
				terms,			/* of the calendar, bits of rnn_term, */
				CT,				/* and their channels */
				F,				/* inputs of a point ahead, 0: nothing is known ahead */
				words_past,		/* words among C and CS ... */
				words_ahead;	/* and G */
	int16_t		at_point[RNN_MAX_COVARIATES],
				at_step[RNN_MAX_COVARIATES],
				at_ahead[RNN_MAX_COVARIATES];

	rnn_tensor	tensor[RNN_MAX_TENSORS];
	int			tensors;
	int64_t		params;

	/* (H,D), (H) */
	int64_t		front_w,
				front_b;
	/* (kernel,H,H), (H) */
	int64_t		conv_w[RNN_MAX_LAYERS],
				conv_b[RNN_MAX_LAYERS];
	int			I[RNN_MAX_LAYERS];	/* inputs of the layer */
	/* (I), (I), (x_gates H, I), ((gates - h_first) H, H), (gates H) */
	int64_t		norm_g[RNN_MAX_LAYERS],
				norm_b[RNN_MAX_LAYERS],
				w_ih[RNN_MAX_LAYERS],
				w_hh[RNN_MAX_LAYERS],
				bias[RNN_MAX_LAYERS];
	int64_t		head;			/* where the head's begin, up to the end */
	/* (H,H), (H,A), (H): state of the head */
	int64_t		state_h,
				state_a,
				state_b;
	/* (R,H), (R): correction of the mix's weights */
	int64_t		gate_w,
				gate_b;
	/* (H,H), (H,E), (H), (16 Q,H), (16 Q): the block's MLP */
	int64_t		head_z,
				head_e,
				head_b,
				out_w,
				out_b;
	/* (n_categories + 2, RNN_EMBED): words, unknown, missing */
	int64_t		embed[RNN_MAX_COVARIATES];
	/* (RNN_POINT,F), (RNN_POINT,H), (RNN_POINT), (Q,RNN_POINT): a point ahead by its covariates */
	int64_t		point_w,
				point_z,
				point_b,
				point_out;
} rnn_shape;

void		rnn_shape_init(rnn_shape *s, const rnn_config *cfg);

/*
 * Initial weights w (P), tensor by tensor as the table says; the last ones of
 * the head are zero, so that the untrained network is the mix.  row (H) is
 * scratch.
 */
void		rnn_params_init(const rnn_shape *s, const rnn_config *cfg, rnn_rng *rng,
							real *w, double *row);

/* Parameters of the network that config describes: fixes every shape. */
int64_t		rnn_param_count(const rnn_config *cfg);

/* Channels that covariates and terms of the calendar take, channels.c; before the front's size is known. */
void		rnn_covariates_shape(rnn_shape *s);
extern const int rnn_calendar_harmonics[RNN_TERMS];	/* of each cycle, in sine and cosine */
/* Sines and cosines, (RNN_CIRCLE,2). */
void		rnn_calendar_circle(real *circle);

#endif							/* RNN_SHAPE_H */
