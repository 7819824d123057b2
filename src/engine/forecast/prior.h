/*
 * prior.h
 *		Forecasts of the pretrained network, at many ends at once.
 */
#ifndef RNN_PRIOR_H
#define RNN_PRIOR_H

#include "model/pretrained.h"
#include "view/window.h"

/* What the prior says there; q is in units of the scale's s around its a. */
typedef struct rnn_said
{
	rnn_scale	scale;
	int64_t		n;				/* points before the end */
	real	   *q;				/* (rnn_prior_steps, Q); NULL: nothing, the mix goes alone */
} rnn_said;

typedef struct rnn_prior_net
{
	const rnn_prior *prior;
	rnn_shape	shape;
	rnn_frame_plan plan;
	rnn_net		net;
	rnn_strips	own,
			   *strips;			/* its frames: its own, or those of others that are the same */
	bool		packed;			/* the weights are, in the net */
	int			B,
				T;				/* most windows and steps of a run */
} rnn_prior_net;

/* Of a horizon those that the prior forecasts itself. */
int			rnn_prior_steps(const rnn_prior *prior, int horizon);

/* B: at most RNN_MOST_ENDS.  cfg: resolved, of the model that it is part of; its horizon, seasons and kappa count. */
void		rnn_prior_net_init(rnn_prior_net *p, const rnn_prior *prior, const rnn_config *cfg,
							   int64_t longest, int B, rnn_arena *a);

/* Whether it says anything: not of few points, nor where nothing ever changes. */
bool		rnn_prior_applies(const rnn_prior *prior, const rnn_end *end);

/*
 * Fills said[i] for count ends, in runs of up to B; q is where to write (steps, Q), or NULL as above.
 * given: their windows, where somebody has frames that are the same; NULL: they are computed.
 */
void		rnn_prior_net_run(rnn_prior_net *p, const rnn_end *ends, const rnn_window *given, int count, rnn_said *said);

/*
 * q (horizon, Q), the mix's quantiles in units of scale, becomes their mean with
 * the prior's.  Beyond its steps what the prior changed at the last fades.
 */
void		rnn_prior_blend(const rnn_prior *prior, const rnn_said *said, rnn_scale scale, int horizon, real *q);

#endif							/* RNN_PRIOR_H */
