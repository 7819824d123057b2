/*
 * refit.h
 *		What training a named model is made of.
 */
#ifndef RNNFORECAST_REFIT_H
#define RNNFORECAST_REFIT_H

#include "registry.h"
#include "score.h"

/* Options of rnn_fit that are not those of a training. */
typedef struct Rules
{
	int			windows;		/* that are held out at the end and scored */
	double		gate;			/* share by which a new version may be worse than the live one */
	double		break_at;		/* times its error of old at which the rows are not believed, 0: never */
	int			retain;			/* versions */
	int			rewind;			/* steps that the last row may lie before the live version's */
	double		shrink;			/* share of the live version's points and series that may be missing */
} Rules;

/* One training of a named model; all of it lives in `context`. */
typedef struct Training
{
	MemoryContext context;
	Registry	registry;
	NamedModel *model;
	const char *kind;			/* "fit", "refit" */
	Rules		rules;
	int64		run;			/* id in rnn_registry_run */
	bytea	   *live;			/* bytes of the live version, NULL: none */
	double		live_was;		/* its error and the mix's when it was trained, NaN: not measured */
	double		mix_was;
	bytea	   *rows;			/* a history */
	bytea	   *fingerprint;	/* of the rows */
	bool		old_rows;		/* the latest version was trained on the same */
	int64		points;
	bytea	   *bytes;			/* the new version */
	bytea	   *observed;		/* the live one with the new rows, where it stays live; else NULL */
	const rnn_model *history,	/* the rows */
			   *before,			/* those before the windows */
			   *live_model,
			   *trained;		/* on those before the windows */
	Windows		windows;
	Score		fresh,
				old,			/* of the live version */
				mix;
	int32		version;
	bool		stored;			/* and committed, whatever comes after */
	const char *outcome;		/* promoted, refused, skipped, failed */
	char	   *message;
} Training;

/* rules.c */
/* Options of a training and the rules, from the options of rnn_fit. */
Jsonb	   *split_options(Jsonb *options, bool has_horizon, int64 horizon, Rules *rules, Jsonb **rules_json);
Rules		read_rules(Jsonb *json);
Jsonb	   *with_horizon(Jsonb *options, int64 horizon);	/* options NULL: none */
/* Sets outcome and message of a new version that was scored; false where the rows are not believed. */
bool		judge_version(Training *t);

/* version.c */
void		collect_rows(Training *t);	/* rows, fingerprint, points */
void		train_version(Training *t); /* bytes; touches no table */
void		store_version(Training *t); /* not live, not judged */
void		score_version(Training *t); /* scores, outcome; touches no table */
void		settle_version(Training *t);	/* notes its scores, and makes it live if it was promoted */
void		finish_run(Training *t);

#endif							/* RNNFORECAST_REFIT_H */
