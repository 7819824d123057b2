/*
 * forecaster.h
 *		What the files of forecasting share: forecast.c lays out and drives,
 *		blend.c has the trained horizon, extend.c what lies beyond.
 */
#ifndef RNN_FORECASTER_H
#define RNN_FORECASTER_H

#include "forecast/forecast.h"
#include "forecast/prior.h"
#include "view/frame.h"

#define PRIOR_BATCH 32			/* series that the prior forecasts at once */

/* Scratch of one call; laid out for `count` series of up to `longest` points. */
typedef struct Forecaster
{
	const rnn_model *model;
	rnn_shape	shape;
	rnn_frame_plan plan;
	rnn_net		net;
	rnn_prior_net prior;
	int			count,
				K,				/* steps of a member, */
				T;				/* and of a chunk */
	rnn_points *points;			/* (count) */
	real	   *frame;			/* (width) */
	rnn_scale  *scales;			/* (count) */
	real	   *last;			/* (count, width) the first member's last frames, which have the mix */
	rnn_scale  *last_scales;	/* (count) theirs */
	rnn_said   *said;			/* (count) the prior's */
	real	   *prior_q;
	double	   *work;
	real	   *q;				/* (trained horizon, Q) */
	real	   *weights;		/* (P) of a member, as real */
	double	   *ref;			/* (R, horizon) beyond the trained one */
	double	   *ref_work;
	double	   *extended;		/* (2, longest + horizon) history and own forecasts: raw, filled */
	bool		failed;			/* what was measured is not enough */
} Forecaster;

/* forecast.c */
bool		has_network(const rnn_model *m);
double		mix_share(const rnn_model *m, int64_t n);	/* of the mix in the forecast of a series of n points */
/* Room for any member: each is laid out in the same scratch. */
void		lay_out_member(Forecaster *f, int member, int64_t longest, rnn_arena *a);
/* Mix's seasons and horizon; the prior runs before any member, in the same scratch. */
void		lay_out_prior(Forecaster *f, int64_t longest, rnn_arena *a);

/* blend.c: h steps of every series into out, (h,Q) each, `stride` apart, in the units of the points */
void		forecast_trained(Forecaster *f, rnn_arena member_scratch, int64_t longest, int h, int64_t stride, double *out);

/* extend.c: further rows of series b in out (horizon,Q) */
void		extend_by_mix(Forecaster *f, int b, int horizon, double *out);
void		extend_by_feeding(Forecaster *f, rnn_arena scratch, int b, int64_t longest, int done, int horizon, double *out);

#endif							/* RNN_FORECASTER_H */
