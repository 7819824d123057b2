/*
 * stages.h
 *		What the files of the trainer share: train.c drives, layout.c divides
 *		the memory, window.c plans and loads windows, cluster.c knows which hang
 *		together, judge.c decides, candidate.c chooses, conformal.c calibrates, members.c trains on everything.
 */
#ifndef RNN_STAGES_H
#define RNN_STAGES_H

#include "bank/season.h"
#include "config/resolve.h"
#include "forecast/forecast.h"
#include "forecast/prior.h"
#include "net/optim.h"
#include "train/trainer.h"
#include "view/frame.h"

#define RNN_GRID 11				/* weights of the blend that are tried: 0, .1 .. 1 */
#define MOST_HELD 4096			/* held-out windows: more tell little more */
#define RNN_SPREADS 17			/* factors of the mix's gaps that are tried: 1/4 .. 4 */
#define MEMBER_LOG 40			/* rows of the log of one training */
#define RNN_MAX_LOG (MEMBER_LOG * (RNN_MAX_MEMBERS + RNN_CANDIDATES))
#define RNN_MAX_BATCH 1024
#define FRAMES_WANTED 30000		/* more phases of the patches than that add little */
#define HURRIED_WINDOWS 256		/* held-out windows that are still looked at when the time is up */

/* Frames of one series at e0, e0 + stride, ... */
typedef struct Run
{
	int			series;
	int			count;
	int			trained;		/* the first of them end before the series' cut */
	int64_t		e0;
	int64_t		stride;
	int64_t		first;			/* place of the first frame in the store */
} Run;

/* A window held out: its last frame and what followed it. */
typedef struct Held
{
	int			run;
	int			last;			/* index in the run */
	int			half;			/* 0 or 1: judged by the fit on the other */
	int64_t		block;			/* of time, from 0, the latest, on */
} Held;

/* How a member's training on everything went. */
typedef struct MemberLog
{
	int			n;
	rnn_log_row row[MEMBER_LOG];
} MemberLog;

/* The best that early stopping has seen by one half of the held-out windows. */
typedef struct Best
{
	double		loss;
	int			grid;			/* weight of the network, in tenths */
	int			step;
	real	   *weights;		/* (P,) */
	float	   *rows;			/* (W, RNN_GRID) */
} Best;

/* Of a candidate that may yet be chosen: what the judging said, and the weights that it judged. */
typedef struct Kept
{
	double		weight,
				weight_short,
				mix_spread;
	int64_t		short_below;
	double		loss[2];		/* of each half's best, */
	int			grid[2],
				step[2];
	real	   *weights[2];		/* (P of the prior) last, see rnn_trainer_judged() */
} Kept;

typedef enum Stage
{
	STAGE_SEASONS, STAGE_LAYOUT, STAGE_FEATURES, STAGE_PRIOR, STAGE_SPREAD, STAGE_TRAIN, STAGE_VALIDATE,
	STAGE_COMPARE, STAGE_CALIBRATE, STAGE_SPLIT, STAGE_DONE
} Stage;

struct rnn_trainer
{
	rnn_config	cfg;
	rnn_shape	shape;
	rnn_frame_plan plan;
	rnn_panel	panel;			/* its series as they are trained on */
	const rnn_series *given;	/* as they came */
	const rnn_model *warm;
	rnn_arena	arena;
	rnn_arena	seasoned;		/* as it was when the seasons were known */
	rnn_arena	bare;			/* as it was before the layout */
	rnn_summary summary;
	bool		seasons_detected;
	rnn_season_search search;
	bool		searching;
	Stage		stage;
	bool		hurry;			/* the caller's time is up */
	bool		late;			/* it was before there was a network: the mix alone */
	bool		train;			/* a network is trained at all */
	bool		blends;			/* the mix is there to be judged against */
	bool		final;			/* the second training, on everything */
	bool		split;			/* the caller chooses the members */
	int			steps;			/* of this training */
	bool		open;			/* there may be more of them than that */

	rnn_points *points;			/* (series) */
	int64_t    *cut;			/* (series) first point that is held out */
	Run		   *runs;
	int			n_runs;
	int64_t		slots;			/* windows that training can draw */
	int64_t    *slot_of_run;	/* (runs + 1) running sum of them */
	Held	   *held;
	int			W;
	int		   *by_block;		/* (W) the held-out windows, the latest first */
	int			most_held;		/* MOST_HELD, or less where memory is short */
	int64_t		grain;			/* held-out windows are whole ones of it apart: a patch, or a point */
	int			phases;			/* of the patches that have frames */
	uint64_t	held_share;		/* series are judged by whose hash is not above it */
	double		spread[2];		/* factor of the mix's gaps that each half would choose */
	int			spread_at;		/* next window to fit it by */
	double		spread_loss[2][RNN_SPREADS];
	int			K;				/* steps of a window */

	real	   *frames;			/* (F, width) */
	rnn_scale  *scales;			/* (F) */
	int64_t		F;
	double	   *work;
	int			feature_run,
				feature_at;		/* next frame to compute */
	int			framed;			/* held-out windows that have their frames, the first ones */

	rnn_net		net;
	rnn_config	asked;			/* the options, with the seasons: each candidate resolves them anew */
	rnn_kind	kinds[RNN_CANDIDATES];	/* of the candidates, in their order */
	int			n_kinds,
				at;				/* the current one */
	int			terms;			/* of the calendar, for a network from nothing */
	rnn_kind	kind;			/* its */
	double		pace;			/* its part of the learning rate */
	bool		settled;		/* it was chosen, and is not judged again */
	bool		apart;			/* the first one is being judged elsewhere */
	bool		lone;			/* the current one is all that is judged here */
	Kept		kept;
	MemberLog	kept_log;

	double	   *init_row;		/* (H) scratch of initial weights */
	Optimizer	opt;
	rnn_rng		rng;
	bool		started;		/* there are weights in opt */
	int			member;			/* that is trained now */
	int			step;			/* updates of this training */
	int			chunk;			/* steps of the current windows that are done */
	real	   *carried;		/* (batch, state) from chunk to chunk, NULL where there is one */
	int64_t		last_row;		/* of the net after forward_last: the first window's */
	int			windows[RNN_MAX_BATCH][2];	/* the current minibatch: run, last */
	bool		flips[RNN_MAX_BATCH];
	bool		forgets[RNN_MAX_BATCH];	/* its words are taken for unknown ones */
	double		loss_sum;		/* since the last row of the log */
	double		norm_sum;
	int			loss_count;

	int			held_at;		/* next held-out window to validate */
	const rnn_prior *prior;		/* in the mean with the mix, or NULL */
	rnn_prior_net prior_net;
	rnn_said   *said;			/* (W) what the prior forecasts at the held-out windows */
	real	   *prior_q;		/* (W, its steps, Q) */
	int			prior_at;		/* next of them */

	float	   *rows;			/* (W, RNN_GRID) of this validation */
	Best		best[2];
	double		gain[RNN_GRID], /* of the judged network at each weight: mean difference, each window by the
								 * weights that the other half chose, */
				gain_error[RNN_GRID];	/* and its standard error */
	int			stale;			/* validations without progress of either */

	float	   *scores;			/* conformity scores, conformal.c */
	int64_t		n_scores[RNN_BANDS];
	int64_t		score_room;		/* per band and pair */
	int			calibrate_pass;
	int			looked_at;		/* windows that the scores come from, the first of all */
	int64_t		covered,
				covered_of;
	real	   *q,
			   *q_mix;			/* (horizon, Q) */

	rnn_model	model;			/* grows as things are known */
	real	   *member_weights[RNN_MAX_MEMBERS];
	MemberLog  *member_log;		/* (members) */
	rnn_log_row *log;
};

/* train.c */
rnn_status	find_seasons(rnn_trainer *t, rnn_error *err);
void		start_network(rnn_trainer *t);	/* with initial weights, or those to go on from */
uint64_t	member_seed(const rnn_trainer *t);
const rnn_member *warm_member(const rnn_trainer *t);	/* that the current one goes on from, or NULL */

/* members.c */
void		begin_members(rnn_trainer *t);
void		next_member(rnn_trainer *t);
void		keep_member(rnn_trainer *t, const real *weights, int steps, bool stopped);

/* layout.c */
rnn_status	lay_out_training(rnn_trainer *t, rnn_error *err);
rnn_status	no_room(rnn_trainer *t, rnn_error *err);

/* window.c */
int			held_overlap(const rnn_trainer *t); /* held-out windows in the time of one */
int64_t		held_spacing(const rnn_trainer *t);
bool		series_is_odd(int series);	/* by a hash of its number */
void		choose_held(rnn_trainer *t);	/* about most_held of them, once the points are known */
int64_t		held_total(const rnn_trainer *t);	/* held-out windows, were all frames kept */
void		plan_windows(rnn_trainer *t, int64_t max_frames);
void		plan_slots(rnn_trainer *t); /* which frames training may use: before the cut, or all */
void		compute_frames(rnn_trainer *t, int64_t budget);
/* Whether the frames so far will do, as the time is up, or all of them are there. */
bool		features_suffice(rnn_trainer *t);
void		draw_windows(rnn_trainer *t);
void		load_chunk(rnn_trainer *t, int from, int T, int first, int B, bool targets);
/* Forward of the windows in t->windows, head at the last step only. */
void		forward_last(rnn_trainer *t, const real *w, int B);

/* cluster.c */
void		cluster_held(rnn_trainer *t);	/* blocks of time of the held-out windows, and halves */
void		sort_by_block(rnn_trainer *t, int W);	/* the first W of them, the latest first */
/* Mean of a difference by windows (W) and its standard error. */
double		clustered_mean(const rnn_trainer *t, const float *difference, double *error);
int			independent_windows(rnn_trainer *t, int W);	/* what the first W of them count for; sorts them */

/* candidate.c */
rnn_status	candidates_choose(rnn_trainer *t, rnn_error *err);	/* once the seasons are known */
void		candidates_begin(rnn_trainer *t);	/* with the current one */
bool		candidate_left_out(rnn_trainer *t); /* it doesn't fit: true where another one may */
void		candidate_options(rnn_trainer *t);
void		candidate_resolve(rnn_trainer *t);
int64_t		candidate_shared(const rnn_trainer *t); /* first weights that stay the prior's */
void		candidate_judged(rnn_trainer *t);	/* the current one: on to the comparison */
bool		candidate_unjudged(rnn_trainer *t); /* the time is up: true where another one may have been judged */
bool		candidate_chosen(rnn_trainer *t);	/* false: another one, or an earlier one again */
bool		candidate_may_be_apart(const rnn_trainer *t);
void		candidate_take(rnn_trainer *t, rnn_choice choice);
void		candidate_restore(rnn_trainer *t);	/* what was judged of the settled one */

/* judge.c */
void		judge_begin(rnn_trainer *t);	/* no best yet */
bool		prior_step(rnn_trainer *t); /* forecasts held-out windows by the prior; true when done */
bool		spread_step(rnn_trainer *t);	/* fits the mix's spread; true when done */
bool		is_judged(const rnn_trainer *t);	/* early stopping has seen a best of each half */
void		validation_begin(rnn_trainer *t);
bool		validation_step(rnn_trainer *t);	/* true when all windows are done */
void		validation_end(rnn_trainer *t); /* notes progress */
int			steps_found(const rnn_trainer *t);	/* for the final training, so far */
/* Of a tuned prior, in tenths, from its measured difference at each weight and the loss without it. */
int			tuned_weight(const double gain[RNN_GRID], const double error[RNN_GRID], double loss);
void		judge(rnn_trainer *t);	/* verdict, weight, steps of the final training */
void		add_log(rnn_trainer *t, double validation, double baseline);
/* Up to one batch of held-out windows from `from` on into t->windows. */
int			held_batch(rnn_trainer *t, int from);
/* q (horizon,Q) of held-out window i: network at row b of the last forward and mix with prior, blended. */
void		blend_quantiles(rnn_trainer *t, int i, int b, double weight, real *q);

/* conformal.c */
int64_t		conformal_room(const rnn_trainer *t);
void		conformal_begin(rnn_trainer *t);
bool		conformal_step(rnn_trainer *t); /* true when done */

#endif							/* RNN_STAGES_H */
