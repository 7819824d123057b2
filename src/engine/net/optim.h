/*
 * optim.h
 *		From gradients to weights.
 */
#ifndef RNN_OPTIM_H
#define RNN_OPTIM_H

#include "config/config.h"

/* The state of AdamW with averaged weights. */
typedef struct Optimizer
{
	int64_t		P,
				fixed;			/* the first of them stay as they are */
	real	   *w,
			   *g,
			   *m,
			   *v,
			   *ema;			/* averaged weights, NULL: w itself is used */
	int64_t		updates;
	double		rate;			/* of the last update */
	double		norm;			/* gradient's norm before clipping */
	double		scale;			/* of the gradient in the last update */
} Optimizer;

void		optimizer_init(Optimizer *o, int64_t P, bool ema, rnn_arena *a);
void		optimizer_start(Optimizer *o);
void		optimizer_clear(Optimizer *o);	/* no gradient yet */
/* By the mean of the gradients in g, which is their sum over so many points. */
rnn_status	optimizer_update(Optimizer *o, const rnn_config *cfg, double pace, int steps, bool decay, int64_t points, rnn_error *err);
/* The parts of an update, for who shares its work: the gradient's sum of squares, what all agree on, and the weights. */
double		optimizer_squares(const Optimizer *o, int64_t from, int64_t to);
rnn_status	optimizer_begin(Optimizer *o, const rnn_config *cfg, double pace, int steps, bool decay, int64_t points, double squares,
							rnn_error *err);
void		optimizer_apply(const Optimizer *o, const rnn_config *cfg, int64_t from, int64_t to);
const real *optimizer_weights(const Optimizer *o);

#endif							/* RNN_OPTIM_H */
