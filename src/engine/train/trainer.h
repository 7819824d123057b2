/*
 * trainer.h
 *		The trainer, driven in bounded steps by one process or by several.
 */
#ifndef RNN_TRAINER_H
#define RNN_TRAINER_H

#include "model/model.h"

typedef struct rnn_panel
{
	int			count;
	const rnn_series *series;	/* names may be NULL if count is 1 */
	rnn_covariates covariates;
	rnn_clock	clock;
	const rnn_prior *prior;		/* to build on; NULL: the mix alone */
	const rnn_stop *stop;		/* NULL: none */
	int			n_hints;
	int			hints[8];		/* seasons that the calendar suggests */
	rnn_calendar calendar;
} rnn_panel;

typedef struct rnn_progress
{
	bool		done;
	bool		ready;			/* the features are there, members may be trained elsewhere, until it is
								 * false again: another network was chosen */
	bool		split;			/* waits for the caller: the other candidate's judgement where it is lacking,
								 * else rnn_trainer_member or rnn_trainer_join */
	bool		lacks;			/* rnn_trainer_judged and rnn_trainer_compare */
	bool		apart;			/* rnn_trainer_apart may be called: there are two candidates */
	bool		waits;			/* for more steps by rnn_trainer_allow */
	const char *phase;			/* "seasons", "features", "train", ... a literal */
	int			member;
	int			step;			/* of steps, both 0 where the phase has none */
	int			steps;
	double		loss;			/* NaN: none */
} rnn_progress;

typedef struct rnn_trainer rnn_trainer;

/*
 * Bytes that a training needs, at most `limit`: where the data outgrow it,
 * windows are sampled.  RNN_ERR_MEMORY (value: least bytes) if that can't be.
 */
rnn_status	rnn_trainer_size(const rnn_config *cfg, const rnn_panel *panel, size_t limit,
							 size_t *size, rnn_error *err);
/* `warm` (may be NULL): start from its weights where the shapes are equal. */
rnn_status	rnn_trainer_init(rnn_trainer **out, void *block, size_t size, const rnn_config *cfg,
							 const rnn_panel *panel, const rnn_model *warm, rnn_error *err);
/* One bounded piece of work (aim: below 50 ms).  Call until progress->done. */
rnn_status	rnn_trainer_step(rnn_trainer *t, rnn_progress *progress, rnn_error *err);

/*
 * Members of an ensemble may be trained side by side, each to the same bytes
 * as one after the other.  With rnn_trainer_split, progress->split is set once
 * everything but the members' trainings on all data is done; the caller then
 * chooses with rnn_trainer_member which one the next steps train, until
 * progress->split is set again, and goes on with rnn_trainer_join and steps
 * until all is done.
 *
 * From progress->ready on, another process may make a trainer of its own from
 * the same config, as resolved, series and size, take the features over after
 * rnn_trainer_adopt, and train members too; what they became is handed over as
 * bytes.  It need not wait for the judging, which says how many steps a member
 * is trained for: a member that is allowed the steps of which the judging is
 * sure so far goes on as far as no more of them could change.
 */
void		rnn_trainer_split(rnn_trainer *t);
void		rnn_trainer_member(rnn_trainer *t, int member);
void		rnn_trainer_join(rnn_trainer *t);
size_t		rnn_trainer_used(const rnn_trainer *t); /* bytes of the block that are in use */

/* The network that is trained, and which of how many candidates it is. */
typedef struct rnn_choice
{
	rnn_kind	kind;
	int32_t		at;
	int32_t		of;
} rnn_choice;

typedef struct rnn_part
{
	void	   *bytes;
	size_t		len;
} rnn_part;

int			rnn_trainer_members(const rnn_trainer *t, rnn_config *resolved, rnn_choice *choice);

#define RNN_JUDGED_PARTS 5
#define RNN_FEATURE_PARTS 2
#define RNN_MEMBER_PARTS 3
#define RNN_STATE_PARTS 11
/* Where the features lie, and what a trained member is. */
void		rnn_trainer_features(rnn_trainer *t, rnn_part parts[RNN_FEATURE_PARTS]);
void		rnn_trainer_result(rnn_trainer *t, int member, rnn_part parts[RNN_MEMBER_PARTS]);
/*
 * What the training of a member has come to.  Copied back into a trainer that
 * trains that member, it goes on from there.  False amid a window.
 */
bool		rnn_trainer_state(rnn_trainer *t, rnn_part parts[RNN_STATE_PARTS]);
/* Steps a new trainer until it is laid out, its features still to be filled in. */
rnn_status	rnn_trainer_adopt(rnn_trainer *t, rnn_choice choice, rnn_error *err);
/*
 * Two candidates may be judged side by side, too, where progress->apart is set:
 * another process steps a trainer of its own, made in the same way and with
 * rnn_trainer_lone, until progress->split is set, while here the last one is
 * judged after rnn_trainer_apart.  What became of the first is handed over by
 * the parts of rnn_trainer_judged, and the trainer goes on after
 * rnn_trainer_compare as if one had been judged after the other.
 */
void		rnn_trainer_apart(rnn_trainer *t);
rnn_status	rnn_trainer_lone(rnn_trainer *t, rnn_choice choice, rnn_error *err);
void		rnn_trainer_judged(rnn_trainer *t, rnn_part parts[RNN_JUDGED_PARTS]);
void		rnn_trainer_compare(rnn_trainer *t);
/* Steps of a member's training: those it has at least, and whether it has no more. */
int			rnn_trainer_steps(const rnn_trainer *t, bool *exact);
void		rnn_trainer_allow(rnn_trainer *t, int steps, bool exact);

/* Told by the caller, who has the clock: wind up with what is there. */
void		rnn_trainer_hurry(rnn_trainer *t);
/* The finished model; it points into the trainer's block and the panel. */
rnn_status	rnn_trainer_model(rnn_trainer *t, rnn_model *m, rnn_error *err);

#endif							/* RNN_TRAINER_H */
