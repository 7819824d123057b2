/*
 * frame.h
 *		What the network sees at one position of a series.
 */
#ifndef RNN_FRAME_H
#define RNN_FRAME_H

#include "bank/bank.h"
#include "net/net.h"
#include "series/series.h"

/*
 * A frame is all that depends on one patch end e, from points before e alone:
 *		u (D)			what is told of the past (past), patch by anchor (P), by mean (P), known (P), scalars
 *		aux (A)			log errors (R), weights (R), scalars
 *		ref (R,Hz)		references in units of s around a
 *		spread (Hz)		the expected absolute error of their mix in units of s
 *		mix (1 or 2,Hz)	middle of the mix that is forecast, where one is, and its
 *						spread, where that has other references
 */
typedef struct rnn_frame_plan
{
	const rnn_shape *shape;
	int			context;
	rnn_mix_rule rule;			/* of the references */
	int			mixed;			/* references of the mix that is forecast; 0: none is asked for */
	int64_t		reach;			/* points of history that the references get */
	int64_t		width;			/* reals of a frame */
} rnn_frame_plan;

/* A series ready for frames: gaps filled, brought into the range of squares. */
typedef struct rnn_points
{
	const double *raw;			/* (n,) NaN where missing */
	const double *x;			/* (n,) filled forward */
	int64_t		n;
	double		unit;			/* the original value is raw * unit, a power of two */
	int64_t		phase;			/* grid number of the first point */
	const real *covariates;		/* (rows, rnn_covariates_width) as the network takes them; NULL: none */
	int64_t		rows;
	const uint16_t *calendar;	/* (calendar_rows, RNN_TERMS) the series' */
	int64_t		calendar_rows;
} rnn_points;

typedef struct rnn_scale
{
	double		a,				/* anchor: mean of the last three known points */
				s;				/* scale: the size of the innovation */
} rnn_scale;

void		rnn_frame_plan_init(rnn_frame_plan *p, const rnn_shape *shape, const rnn_config *cfg);

/* Whether frames of one are those of the other. */
bool		rnn_frame_plan_same(const rnn_frame_plan *p, const rnn_frame_plan *other);

/* Doubles of scratch for rnn_frame_compute, of series of up to n points. */
size_t		rnn_frame_work(const rnn_frame_plan *p, int64_t n);
/* To be called before the first frame of each series, with the same n. */
void		rnn_frame_begin(const rnn_frame_plan *p, int64_t n, double *work);

/* The power of two that values up to `top` are divided by. */
double		rnn_unit(double top);

/* Copies only where it must; the points live in the arena or in the series. */
void		rnn_points_init(rnn_points *p, const rnn_series *s, rnn_arena *a);

/* Numbers that a point's covariates take; 0: there are none. */
int64_t		rnn_covariates_width(const rnn_shape *s);
/* Prepares the covariates of s, and of `ahead` rows behind its points, in the arena. */
void		rnn_points_covariates(rnn_points *p, const rnn_series *s, const rnn_frame_plan *plan, int64_t ahead, rnn_arena *a);

/* Where in each season grid number e lies, as points on circles: (RNN_PHASES). */
void		rnn_frame_phases(const rnn_frame_plan *p, int64_t e, real *out);

/* Frame at patch end e, 1 <= e <= n. */
void		rnn_frame_compute(const rnn_frame_plan *p, const rnn_points *pts, int64_t e,
							  real *frame, rnn_scale *scale, double *work);

/* Row (t, b) of the net's inputs, the head's too or not, from a frame; NULL: a step before the series began. */
void		rnn_frame_load(rnn_net *net, int64_t row, const real *frame, bool flip, bool head);

/* What the head looks at alone. */
void		rnn_head_load(rnn_net *net, int64_t row, const real *frame, bool flip);

/*
 * The covariates of row (t, b) at patch end e: those of its patch, and where the
 * head is computed (`ahead`) those of the points ahead.  pts NULL: a step before
 * the series began.  forget: every word is taken for an unknown one.
 */
void		rnn_covariates_load(rnn_net *net, int64_t row, const rnn_frame_plan *plan, const rnn_points *pts, int64_t e,
								bool ahead, bool forget);

/* Targets of row (t, b): points e .. e + horizon before `cut`, scaled. */
void		rnn_target_load(rnn_net *net, int64_t row, const rnn_points *pts, int64_t e,
							int64_t cut, const rnn_scale *scale, bool flip);
void		rnn_target_none(rnn_net *net, int64_t row);

/* What rnn_frame_mix needs of a frame besides: only few are asked for it. */
void		rnn_frame_add_mix(const rnn_frame_plan *p, const rnn_points *pts, int64_t e, real *frame, rnn_scale scale,
							  double *work);

/*
 * The mix that is forecast at e, of the points from `first` on: what is returned is rnn_mix_trailing's, until the
 * next frame.
 */
const double *rnn_frame_trailing(const rnn_frame_plan *p, const rnn_points *pts, int64_t e, rnn_mix *mix, int64_t *first,
								 double *work);

/*
 * The mix's own quantiles (horizon,Q) from a frame, in units of s around a; in
 * a plan that is not asked for one, that of its references by the weights of the whole horizon.
 */
void		rnn_frame_mix(const rnn_frame_plan *p, const real *frame, double factor, real *q);

/* Gaps between quantiles (horizon,Q) at patch end e, wider in the phases of the season that differ more. */
void		rnn_frame_phase_gaps(const rnn_frame_plan *p, const rnn_points *pts, int64_t e, real *q);

#endif							/* RNN_FRAME_H */
