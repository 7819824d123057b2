/*
 * window.h
 *		Frames one patch apart, and windows of them into a net.
 *
 * A window is K frames, the last at the end that is forecast from.  Windows of
 * neighbouring ends have most frames in common; these lie in strips, each
 * computed once.
 */
#ifndef RNN_WINDOW_H
#define RNN_WINDOW_H

#include "view/frame.h"

#define RNN_MOST_ENDS 64		/* that are gathered at once */

/* A place to forecast from: the points before e. */
typedef struct rnn_end
{
	const rnn_points *points;
	int64_t		e;
} rnn_end;

/* Neighbouring frames of a series. */
typedef struct rnn_strip
{
	const rnn_points *points;
	int64_t		e0,				/* end of the first frame, */
				stride;			/* and from each to the next */
	int			count;
	real	   *frames;			/* (count, width) */
	rnn_scale  *scales;			/* (count) */
} rnn_strip;

/* The frames of a strip up to `last`; steps before the strip are taken for those before the series began. */
typedef struct rnn_window
{
	const rnn_strip *strip;
	int			last;
	bool		flip,			/* all signs */
				forget;			/* words are unknown ones */
} rnn_window;

static inline int64_t
rnn_window_end(const rnn_window *w)
{
	return w->strip->e0 + w->last * w->strip->stride;
}

/*
 * Steps from .. from + T of B windows of K steps.  What the head looks at is
 * loaded at each `every`-th of these T, the first of them at `first`.
 */
void		rnn_windows_load(rnn_net *net, const rnn_frame_plan *plan, const rnn_window *windows, int B, int K,
							 int from, int T, int first, int every);

/*
 * B windows of K steps through a net whose weights w are packed, in chunks of
 * at most T, the head at the last step alone: rnn_net_quantiles at what this
 * returns + b.
 */
int64_t		rnn_windows_forward(rnn_net *net, const rnn_frame_plan *plan, const real *w, const rnn_window *windows,
								int B, int K, int T);

/* The references' scratch. */
typedef struct rnn_scratch
{
	double	   *work;
	const rnn_points *begun;	/* series that it was begun for */
} rnn_scratch;

/* The strips of up to B windows (at most RNN_MOST_ENDS) of up to K steps, and of those before them. */
typedef struct rnn_strips
{
	const rnn_frame_plan *plan;
	int			K,
				B,
				now;			/* which of each two is the current one */
	int			count[2];
	rnn_strip  *strip[2];		/* (B) */
	real	   *frames[2];		/* (B K, width) */
	rnn_scale  *scales[2];		/* (B K) */
	rnn_scratch own,
			   *scratch;		/* its own, or that of strips with the same references, which are then formed once */
} rnn_strips;

/* longest: points of any series. */
void		rnn_strips_init(rnn_strips *s, const rnn_frame_plan *plan, int K, int B, int64_t longest, rnn_arena *a);
/* As if there had been no windows before: where points have changed. */
void		rnn_strips_forget(rnn_strips *s);

/*
 * The windows of `count` ends, at most B.  Frames that they share, or that
 * windows of the call before have had, are computed once: ends that are whole
 * patches apart share them, and the more the nearer they follow each other.
 * What a window holds doesn't depend on others.  They last until the next call.
 */
void		rnn_strips_gather(rnn_strips *s, const rnn_end *ends, int count, rnn_window *windows);
/* The mix's quantiles (horizon,Q) at the end of a window that was gathered last, as rnn_frame_mix. */
void		rnn_strips_mix(rnn_strips *s, const rnn_window *w, double factor, real *q);
/* The mix at an end and at those before it, as rnn_frame_trailing; where its frame was made, they are known. */
const double *rnn_strips_trailing(rnn_strips *s, const rnn_end *end, rnn_mix *mix, int64_t *first);

#endif							/* RNN_WINDOW_H */
