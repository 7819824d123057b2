/*
 * stages.h
 *		The stages of a training, each with what it works on.
 *
 *		Study -> Fit -> Trial -> contest -> Calibration -> members
 *
 * A Study is what is known of the series once and for all; a Fit is one network
 * on it; a Trial judges a Fit.  What becomes of a stage is plain bytes, and the
 * plan decides by them what is done next (plan.c); job.c drives the stages.
 */
#ifndef RNN_STAGES_H
#define RNN_STAGES_H

#include "detect/search.h"
#include "config/resolve.h"
#include "forecast/forecast.h"
#include "forecast/prior.h"
#include "net/optim.h"
#include "train/trainer.h"
#include "view/window.h"

#define RNN_GRID 11				/* weights of the blend that are tried: 0, .1 .. 1 */
#define MOST_HELD 4096			/* held-out windows: more tell little more */
#define RNN_SPREADS 17			/* factors of the mix's gaps that are tried: 1/4 .. 4 */
#define MEMBER_LOG 40			/* rows of the log of a member, */
#define TRIAL_LOG 80			/* and of all trials */
#define RNN_MAX_LOG (MEMBER_LOG * RNN_MAX_MEMBERS + TRIAL_LOG)
#define RNN_MAX_BATCH 1024
#define PRIOR_BATCH 8			/* held-out windows that the prior forecasts at once, fewer where memory is short; */
#define PRIOR_ALONE 2			/* the part of the memory that it may take where no network is trained */
#define FRAMES_WANTED 30000		/* more phases of the patches than that add little */
#define HURRIED_WINDOWS 256		/* held-out windows that are still looked at when the time is up */
#define VALIDATIONS 30			/* in a whole training, */
#define QUICK_VALIDATIONS 10	/* and in a quick one */
#define WATCHED_WINDOWS 256		/* held-out windows that early stopping looks at; all of them judge in the end */
#define HEAD_EVERY 2			/* steps of a window: neighbours forecast much the same */

/* ---------------------------------------------------------------- the study */

/* A strip of frames in the store. */
typedef struct Run
{
	int			series;
	rnn_strip	strip;
} Run;

/* A window held out: its last frame and what followed it. */
typedef struct Held
{
	int			run;
	int			last;			/* index in the run */
	int			half;			/* 0 or 1: judged by the fit on the other */
	int64_t		block;			/* of time, from 0, the latest, on */
	int			side;			/* -1 or 1: it lay below or above what was forecast without the network */
} Held;

/* The series as one network looks at them, or, without a network, the mix. */
typedef struct Study
{
	rnn_config	cfg;			/* resolved */
	rnn_shape	shape;
	rnn_frame_plan plan;
	rnn_panel	panel;			/* its series as they are trained on */
	rnn_summary summary;
	const rnn_model *warm;		/* to go on from, or NULL */
	rnn_kind	kind;
	double		pace;			/* part of the learning rate */
	bool		train;			/* a network is trained at all */
	bool		blends;			/* the mix is there to be judged against */
	rnn_verdict verdict;		/* until something is judged */

	rnn_points *points;			/* (series) */
	int64_t    *cut;			/* (series) first point that is held out */
	Run		   *runs;
	int			n_runs;
	Held	   *held;
	int			W;
	int		   *by_block;		/* (W) scratch: windows in another order */
	int			most_held;		/* MOST_HELD, or less where memory is short */
	int64_t		grain;			/* held-out windows are whole ones of it apart: a patch, or a point */
	int			phases;			/* of the patches that have frames */
	uint64_t	held_share;		/* series are judged by whose hash is not above it */
	double		windows_share;	/* of the windows that fitted into memory; 0: all */

	real	   *frames;			/* (F, width) */
	rnn_scale  *scales;			/* (F) */
	int64_t		F;
	double	   *work;
	int			feature_run,
				feature_at;		/* next frame to compute */
	int			framed;			/* held-out windows that have their frames, the first ones */

	const rnn_prior *prior;		/* in the mean with the mix, or NULL */
	rnn_prior_net prior_net;
	rnn_said   *said;			/* (W) what the prior forecasts at the held-out windows */
	real	   *prior_q;		/* (W, its steps, Q) */
	int			prior_at;		/* next of them */
} Study;

/* ---------------------------------------------------------------- one network */

typedef struct MemberLog
{
	int			n;
	rnn_log_row row[MEMBER_LOG];
} MemberLog;

/* Rows of the log of one training. */
typedef struct Log
{
	rnn_log_row *row;
	int		   *n;
	int			room;
	int			phase;			/* RNN_LOG_ */
} Log;

/* Windows that a network looks at together. */
typedef struct Batch
{
	int			run[RNN_MAX_BATCH];	/* of windows that are drawn */
	rnn_window	window[RNN_MAX_BATCH];
} Batch;

/* One network that learns from a study. */
typedef struct Fit
{
	const Study *study;
	rnn_net		net;
	double	   *init_row;		/* (H) scratch of initial weights */
	Optimizer	opt;
	rnn_rng		rng;
	int			member;
	int			prior;			/* version that the first weights stay those of, 0: none */
	bool		final;			/* it learns from everything, held-out windows too */
	int			K;				/* steps of a window */
	int			steps;			/* of this training */
	int			before;			/* updates that made the weights it began with, where it goes on from a trial's */
	int			step;			/* updates so far */
	int			chunk;			/* steps of the current windows that are done */
	int64_t		slots;			/* windows that can be drawn */
	int64_t    *slot_of_run;	/* (runs + 1) running sum of them */
	int		   *trained;		/* (runs) the first frames of each that end before its series' cut */
	real	   *states;			/* (flips, F, H) what the prior's layers say at each frame; NULL: they learn too */
	int			states_of,		/* version that they are of, 0: of none yet, */
				states_run,		/* and what is next: the run, */
				states_last,	/* and the last frame of a window in it */
				states_flip;
	real	   *held_states;	/* (W, H) and at the held-out windows; */
	int			held_known;		/* of so many of them */
	real	   *carried;		/* (batch, state) from chunk to chunk, NULL where there is one */
	int64_t		last_row;		/* of the net after forward_last: the first window's */
	Batch		drawn,			/* the current minibatch, of which chunks may be left, */
				held;			/* and held-out windows that are validated meanwhile */
	double		loss_sum;		/* since the last row of the log */
	double		norm_sum;
	int			loss_count;
	Log			log;
} Fit;

/* ---------------------------------------------------------------- what becomes of stages: plain bytes */

/* Of a trial; the weights that each half found best follow it, see judged_weights(). */
typedef struct Judgement
{
	int64_t		params;			/* of each half's weights, 0: there are none */
	bool		left_out;		/* it didn't fit into the memory */
	bool		judged;
	bool		mix;			/* no network: the mix alone is studied */
	bool		hurried;		/* the time was up meanwhile */
	rnn_candidate candidate;
	double		weight,
				weight_short,
				mix_spread;
	int64_t		short_below;
	double		windows_share;
	double		loss[2];		/* of each half's best, */
	int			grid[2],
				step[2];
	rnn_member	member;			/* what the better half's best is as one of the model */
	int			n_log;
	rnn_log_row log[TRIAL_LOG];
} Judgement;

/* Of a calibration. */
typedef struct Factors
{
	float		factor[RNN_BANDS][RNN_MEDIAN];
	int			n;				/* independent windows behind it, 0: not measured */
	float		coverage;		/* NaN: not known */
	rnn_held	held;
	double		windows_share;
	int			windows;
	bool		hurried;
} Factors;

/* Of a member's training; its weights follow. */
typedef struct MemberResult
{
	rnn_member	member;
	MemberLog	log;
} MemberResult;

/* ---------------------------------------------------------------- judging */

/* The best that early stopping has seen by one half of the held-out windows. */
typedef struct Best
{
	double		loss;
	int			grid;			/* weight of the network, in tenths */
	int			step;
	real	   *weights;		/* (P,) */
	float	   *rows,			/* (W, RNN_GRID) */
			   *plain;
} Best;

/* Of the judged network at each weight of the grid, by one kind of loss. */
typedef struct Gains
{
	double		difference[RNN_GRID],	/* mean, each window by the weights that the other half chose, */
				error[RNN_GRID];	/* and its standard error */
	double		loss;			/* without it */
} Gains;

typedef enum Loss { LOSS_SCALED, LOSS_PLAIN, LOSSES } Loss;

typedef struct Trial
{
	const Study *study;
	Fit		   *fit;
	bool		hurry;			/* the caller's time is up */
	int			W;				/* held-out windows that are looked at */
	double		spread[2];		/* factor of the mix's gaps that each half would choose */
	int			spread_at;		/* next window to fit it by */
	double		spread_loss[2][RNN_SPREADS];
	int			watched,		/* of these early stopping looks at so many, evenly spread */
				judged_half;	/* whose weights are then tried on all */
	int			held_at;		/* next of them */
	float	   *rows,			/* (W, RNN_GRID) of this validation, */
			   *plain;			/* and in the units of the series, see judge.c */
	double		largest;		/* scale of all windows, in these units */
	Best		best[2];
	Gains		gains[LOSSES];
	int			stale;			/* validations without progress of either */
	real	   *q,
			   *q_mix;			/* (horizon, Q) */
	Judgement  *judgement;
} Trial;

typedef struct Calibration
{
	const Study *study;
	Fit		   *fit;
	const rnn_model *model;		/* the weights of its blend */
	const real *weights[2];		/* of the network, that each half chose */
	int			W;				/* held-out windows that are looked at */
	bool		hurry;
	int			held_at;
	int			pass;			/* half that is looked at */
	int			looked_at;		/* windows that the scores come from, the first of all */
	float	   *scores;			/* conformity scores */
	float	   *score_pool;		/* (RNN_BANDS * score_room) scratch */
	int64_t		n_scores[RNN_BANDS],
				n_older[RNN_BANDS]; /* of them of the older windows, which come first */
	int64_t		score_room;		/* per band and pair */
	int64_t		covered,
				covered_of;
	rnn_held	held;			/* sums instead of means */
	real	   *q,
			   *q_mix;			/* (horizon, Q) */
	Factors    *factors;
} Calibration;

/* ---------------------------------------------------------------- jobs */

typedef enum Stage
{
	STAGE_SEASONS, STAGE_LAYOUT, STAGE_FEATURES, STAGE_PRIOR, STAGE_SPREAD, STAGE_TRAIN, STAGE_VALIDATE, STAGE_JUDGE,
	STAGE_CALIBRATE, STAGE_DONE
} Stage;

/* The job at hand, in the part of the block that is behind the plan's. */
typedef struct Task
{
	rnn_job		job;
	Stage		stage;
	bool		hurry;
	rnn_arena	arena;
	bool		laid_out;		/* the study is that of `candidate` and `mix` */
	size_t		used;			/* bytes of the block, where it is */
	int			candidate;
	bool		mix;
	Study		study;
	Fit			fit;
	Trial		trial;
	Calibration calibration;
	rnn_search	search;
	Judgement	nothing;		/* where a trial ends before its study is laid out */
	Judgement  *judgement;		/* room for what becomes of jobs */
	Factors		factors;
	MemberResult    *trained;
	rnn_part	result;
} Task;

#define LEAST_POINTS 500		/* known points to train on */

/* What is known of the training, from what became of its jobs so far. */
typedef struct Plan
{
	rnn_config	asked;			/* the options, with the seasons: each candidate resolves them anew */
	rnn_panel	panel;			/* its series as they are trained on */
	const rnn_series *given;	/* as they came */
	const rnn_model *warm;
	rnn_summary summary;
	size_t		size;			/* bytes of the block */
	rnn_kind	kinds[RNN_CANDIDATES];	/* of the candidates, in their order */
	int			n_kinds;
	int			terms;			/* of the calendar, for a network from nothing */
	bool		hurry;
	bool		known;			/* the seasons are */
	bool		decided;		/* and the contest is */
	bool		done;
	int			chosen;			/* candidate, */
	int			second;			/* and one whose networks are added to its, -1: none */
	int			first_members;	/* members of the chosen one, */
	int			second_members; /* and of the second */
	int			most_members;	/* that there is room for, whichever is chosen */
	rnn_found	found;			/* by the searches */
	int			issued[RNN_JOBS];	/* of each kind */
	int			taken[RNN_JOBS];
	Judgement  *judged[RNN_CANDIDATES]; /* NULL: not yet */
	uint8_t    *judged_room[RNN_CANDIDATES];
	Factors		factors;
	MemberResult    *trained[RNN_MAX_MEMBERS];	/* NULL: not yet */
	uint8_t    *trained_room[RNN_MAX_MEMBERS];
	rnn_config	cfg;			/* resolved, of the network that was chosen */
	rnn_model	model;			/* grows as things are known */
	rnn_log_row *log;
} Plan;

struct rnn_trainer
{
	rnn_arena	arena;
	Plan		plan;
	Task		task;
	bool		busy;			/* rnn_trainer_step is amid a job */
};

/* plan.c */
size_t		judged_size(int64_t params);	/* bytes of a judgement with its weights, */
size_t		trained_size(int64_t params);	/* and of a member */
real	   *judged_weights(const Judgement *j, int half);
real	   *trained_weights(const MemberResult *t);
void		plan_decide(Plan *plan);	/* which candidates the model is of, by what is known */
int			plan_candidate(const Plan *plan, const rnn_job *job);	/* whose a job is, of those after the contest */
int			plan_member(const Plan *plan, const rnn_job *job);	/* its number among those of its kind */
void		plan_summarize(Plan *plan);	/* from its panel */
rnn_status	plan_begin(rnn_trainer *t, rnn_error *err); /* once what is given is noted */

/* job.c */
rnn_status	no_room(size_t size, rnn_error *err);

/* layout.c: what a network, or the mix alone, needs, in the task's memory */
rnn_status	lay_out(Task *task, const Plan *plan, rnn_error *err);

/* fit.c */
void		fit_start(Fit *fit, int member, bool final, int steps); /* with initial weights, or those of a model to go on from */
void		fit_go_on(Fit *fit, int member, const Judgement *j);	/* a member, with the weights that were judged */
rnn_status	fit_chunk(Fit *fit, rnn_error *err);	/* one update */
/* A batch of what layers that never change say of the frames, where that is kept; true when all is known. */
bool		fit_states(Fit *fit);
void		fit_log(Fit *fit, double validation, double baseline);
double		fit_loss(const Fit *fit);	/* mean since the last row of the log, NaN: none */
rnn_member	fit_member(const Fit *fit, int steps, bool stopped);
void		member_weights(const rnn_member *m, const real *from, real *to);	/* as they will be stored */

/* window.c */
/* The k-th of `of` that are evenly spread over W. */
static inline int
spread_window(int k, int of, int W)
{
	return (int) ((int64_t) k * W / of);
}
/* Where held-out window i begins, after as many points, and the series' points. */
static inline int64_t
held_start(const Study *s, int i)
{
	const rnn_strip *strip = &s->runs[s->held[i].run].strip;

	return strip->e0 + s->held[i].last * strip->stride;
}
static inline const rnn_points *
held_points(const Study *s, int i)
{
	return &s->points[s->runs[s->held[i].run].series];
}
int			held_overlap(const Study *s);	/* held-out windows in the time of one */
int64_t		held_spacing(const Study *s);
bool		series_is_odd(int series);	/* by a hash of its number */
void		choose_held(Study *s);	/* about most_held of them, once the points are known */
int64_t		held_total(const Study *s); /* held-out windows, were all frames kept */
void		plan_windows(Study *s, int64_t max_frames, rnn_arena *a);
void		plan_slots(Fit *fit);	/* which frames training may use: before the cut, or all */
void		compute_frames(Study *s, int64_t budget);
/* Whether the frames so far will do, or all of them are there. */
bool		features_suffice(Study *s, bool hurry, bool judged);
void		draw_windows(Fit *fit);
/* B windows of the current minibatch from `first` on, of which the head learns at each HEAD_EVERY-th step from `at` on. */
void		load_chunk(Fit *fit, int T, int first, int B, int at);
int			draw_window(Fit *fit, rnn_window *window);	/* its run */
/* What follows frame `at` of run r into a row of the net, where it may be learned from. */
void		load_target(Fit *fit, int64_t row, int r, int at, bool flip);
/* Up to one batch of `of` held-out windows that are spread over the first W, from the one at `from` on into fit->held. */
int			held_batch(Fit *fit, int from, int of, int W);
/* Forward of the B windows in fit->held, head at the last step only; from: the first one's number, where it is all of them. */
void		forward_last(Fit *fit, const real *w, int from, int B);
bool		prior_step(Study *s, bool hurry);	/* forecasts held-out windows by the prior; true when done */

/* cluster.c */
void		cluster_held(Study *s); /* blocks of time of the held-out windows, and halves */
void		sort_by_block(const Study *s, int W);	/* the first W of them, the latest first */
/* Mean of a difference by windows (W) and its standard error. */
double		clustered_mean(const Study *s, int W, const float *difference, double *error);
bool		shares_shocks(const Study *s, int W);	/* series were surprised at the same times, in the same way */
bool		is_better_throughout(const Study *s, int W, const float *difference);
int			independent_windows(const Study *s, int W); /* what the first W of them count for; sorts them */

/* candidate.c */
rnn_status	candidates_choose(Plan *plan, rnn_error *err);	/* once the seasons are known */
/* Options of a candidate: its shape and how fast it learns. */
void		candidate_options(const Plan *plan, rnn_kind kind, rnn_config *cfg, double *pace);
int64_t		candidate_shared(const Study *s);	/* first weights that stay the prior's */
bool		candidate_may_be_left_out(const Plan *plan, int candidate); /* where it doesn't fit: then there is one from nothing */
int			candidates_compare(const Plan *plan, int n);	/* the better one of the first n */
int			candidates_leader(const Plan *plan, int n);	/* whose options are the model's */
void		candidates_add(Plan *plan, int n);	/* networks of the other one to those of the leader, where it pays */
double		candidates_share(const rnn_candidate *a, const rnn_candidate *b);	/* of b, where both are added */

/* judge.c */
void		judge_begin(Trial *t);	/* no best yet */
bool		spread_step(Trial *t);	/* fits the mix's spread; true when done */
bool		is_judged(const Trial *t);	/* early stopping has seen a best of each half */
void		validation_begin(Trial *t);
bool		validation_step(Trial *t);	/* true when all windows are done */
void		validation_end(Trial *t);	/* notes progress */
/* Of a tuned prior, in tenths, from what was measured by some kinds of loss. */
int			tuned_weight(const Gains *gains, int losses);
/* What both halves found best, on all windows; true when done. */
void		recheck_begin(Trial *t);
bool		recheck_step(Trial *t);
void		judge(Trial *t);	/* verdict, weight, steps of the final training */
/*
 * q (horizon,Q) of held-out window i: network at row b of the last forward and
 * mix (its gaps times `spread`, into q_mix) with prior, blended.
 */
void		blend_quantiles(const Fit *fit, int i, int b, double weight, double spread, real *q_mix, real *q);

/* conformal.c */
int64_t		conformal_room(const Study *s);
void		conformal_begin(Calibration *c);
bool		conformal_step(Calibration *c); /* true when done */

#endif							/* RNN_STAGES_H */
