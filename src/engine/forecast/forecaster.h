/*
 * forecaster.h
 *		What the files of forecasting share: forecast.c lays out and drives,
 *		source.c has the series and what they are in the end, demand.c those that
 *		are often 0, blend.c the trained horizon, extend.c what lies beyond.
 */
#ifndef RNN_FORECASTER_H
#define RNN_FORECASTER_H

#include "forecast/forecast.h"
#include "forecast/prior.h"
#include "view/window.h"

/*
 * A series as it is forecast from.  Two origins share one, unless what is made
 * of the points before the first depends on those behind it.
 */
typedef struct Source
{
	rnn_series	series;			/* up to where it is cut, and what days add to it */
	rnn_tally	tally;
	/* Of the points before `seen`; -1: there is none. */
	int64_t		seen,
				last,			/* the last known one, */
				second,			/* the one before it, */
				differs;		/* and the last one that has another value than the next */
} Source;

/* The members of one patch: their frames are the same, so is the net that they are run in. */
typedef struct View
{
	int			patch;			/* 0: there is none yet */
	int			member;			/* one of those whose it is */
	rnn_shape	shape;
	rnn_frame_plan plan;
	rnn_net		net;
	rnn_strips	strips;
	bool		gathered;		/* windows are those of the current ends */
	rnn_window	window[RNN_MOST_ENDS];
} View;

typedef struct Demand Demand;

/* Of one call; at the beginning of the caller's block. */
struct rnn_forecaster
{
	const rnn_model *model;
	const rnn_series *series;	/* (count) */
	int			count;
	const rnn_origin *origins;	/* (n) */
	int64_t		n;
	int			horizon;
	double	   *out;			/* (n, horizon, Q) */
	int			made;			/* rows of an end: the trained ones at least, */
	double	   *whole;			/* (B, made, Q) where those are more than are asked for */
	int64_t		longest,		/* points of a series, with those that it is fed */
				reach;			/* points before an end that count */

	int			sources;
	Source	   *source;			/* (sources) the first are the series as they are */
	rnn_points *points;			/* (sources) */
	rnn_end    *ends;			/* (n) */
	int			B;				/* most ends at once */
	rnn_arena	scratch;		/* of the view */
	View		view;
	rnn_prior_net prior;
	rnn_said   *said;			/* (B) the prior's */
	real	   *prior_q;		/* (B, its steps, Q) */
	real	   *q;				/* (trained horizon, Q) */
	real	   *weights;		/* (P) of a member, as real */
	Demand	   *demand;
	double	   *ref;			/* (R, horizon) beyond the trained one, */
	double	   *ref_weight;		/* (R, horizon) and its weights */
	double	   *ref_middle;		/* (horizon) and their mix */
	double	   *ref_work;
	double	   *extended;		/* (2, longest) history and own forecasts: raw, filled */

	int64_t		at;				/* ends that are complete */
	int			extending,		/* which of the next ones gets */
				rows;			/* more rows than these; 0: they are not begun */
	bool		failed;			/* what was measured is not enough */
};

typedef rnn_forecaster Forecaster;

/* forecast.c */
bool		has_network(const rnn_model *m);
rnn_mix_rule mix_rule(const rnn_model *m, int h);	/* as the model asks for it, h steps ahead */
double		mix_share(const rnn_model *m, int64_t n);	/* of the mix in the forecast of a series of n points */
int64_t		covariate_rows(const rnn_model *m, int horizon);	/* behind the last point that may be looked at */
bool		lay_out_view(Forecaster *f, int member);	/* where that is not the one already; false: no room */

/* source.c */
size_t		source_size(const rnn_model *m, const rnn_shape *shape, int64_t n, int horizon);	/* most bytes of one */
int			sources_apart(const Forecaster *f);	/* beside the series as they are */
void		take_sources(Forecaster *f, rnn_arena *a);
/* Rows (made,Q) in the units of the points become those of the series; false where they left the range of numbers. */
bool		finish_end(Forecaster *f, const rnn_end *end, const float *correction, double *out);

/* demand.c */
Demand	   *demand_new(const rnn_model *m, int64_t longest, int rows, rnn_arena *a);
/* Whether the values that a series had get a share in its forecasts, and that in rows (made,Q) of the series. */
bool		demand_applies(const rnn_model *m, const rnn_config *cfg, const rnn_tally *t);
void		blend_demand(Forecaster *f, const rnn_end *end, const rnn_series *s, const rnn_config *cfg, double *out);

/* blend.c: h steps at each of `count` ends into out, (h,Q) each, `stride` apart, in the units of the points */
void		forecast_trained(Forecaster *f, const rnn_end *ends, int count, int h, int64_t stride, double *out);

/* extend.c: further rows at an end in out (horizon,Q) */
/* Quantiles (Q) around a middle, as wide as an error that is expected. */
void		gaps_around(double middle, double spread, double *q);
void		extend_by_mix(Forecaster *f, const rnn_end *end, double *out);
void		extend_by_feeding(Forecaster *f, const rnn_end *end, int done, double *out);

#endif							/* RNN_FORECASTER_H */
