/*
 * series.h
 *		From collected rows to regular series and their covariates.
 */
#ifndef RNN_PG_SERIES_H
#define RNN_PG_SERIES_H

#include "pg/collect/collect.h"

#include <math.h>

/* All series of a group or a history, and what they have in common. */
typedef struct SeriesSet
{
	rnn_clock	clock;
	int			count;
	rnn_series *series;			/* (count) by name; those with a problem have no points, or one */
	int64		latest;			/* rows of each that were kept, the latest; 0: all */
	rnn_covariates covariates;
	rnn_text	hierarchy;		/* the option, NULL: no series are sums of others */
	rnn_sums	sums;
} SeriesSet;

/* How far a value is from one that came before; 0 where that is no more than rounding, as in a season computed by sin(). */
static inline double
distance(double x, double before)
{
	double		d = fabs(x - before);

	return d <= 1e-11 * fabs(before) ? 0 : d;
}

/* panel.c */
/* Rows of a state on their grids. */
void		series_from_rows(RowState *state, const rnn_config *cfg, const ServerOptions *server, SeriesSet *all);
rnn_missing count_missing(const rnn_series *series, int count);
/* Error where an option asks for a step, bins or duplicates. */
void		refuse_tidying(const Tidying *tidying, const char *why, const char *hint);
/* Error where a series has what the options don't take: gaps, or values that can't be transformed. */
void		check_values(const rnn_config *cfg, const rnn_clock *clock, const rnn_series *s);

/* covariates.c */
/* Covariates of a state's rows, and how far they go ahead, to series on their grids. */
void		covariates_from_rows(RowState *state, bool nearest, bool fail, SeriesSet *all);
/* The same covariates, their numbers scaled by the points of these series alone. */
rnn_covariates scaled_covariates(const rnn_covariates *old, rnn_series *series, int count);
float	   *new_values(const rnn_series *s, int count);	/* of `count` covariates, all missing */
/* Everywhere what it is anywhere. */
void		spread_static(rnn_series *s, float *values, int count, int c);

/* known_covariates.c */
/* Those of a history as a network is trained on them: few words, and what is known ahead. */
void		covariates_for_training(SeriesSet *all, KnownAhead known);
/* The covariate of that name, and its number; NULL: there is none. */
const rnn_covariate *covariate_named(const rnn_covariates *all, rnn_text name, int *number);
/* A NOTICE of those that a model doesn't know. */
void		notice_ignored_covariates(const rnn_covariates *to, const rnn_covariates *from);
/* The same as a model knows them. */
void		covariates_for_model(const rnn_covariates *to, const rnn_covariates *from, rnn_series *series, int count);

/* groups.c: series that are added up */
typedef struct Groups
{
	int			count;
	SeriesName *name;			/* (count) */
	int		   *size;			/* (count) series of each */
	int		   *depth;			/* (count) parts of its name, of a tree; else NULL */
	int		   *first;			/* (series + 1) where each one's groups begin */
	int		   *of;				/* numbers of groups, by the series */
} Groups;

/* The place of a name among sorted ones, -1: it is none of them. */
int			place_of_name(const SeriesName *names, int count, SeriesName wanted);
/* '{"north": "north/", "food": ["a", "b"]}' or '["north/", "south/"]', of names in their order; lenient: they may not be there. */
void		parse_groups(Jsonb *groups, const SeriesName *names, const bool *sum, int count, bool lenient, Groups *out);
/* All beginnings of names up to a separator, and the separator for all. */
void		tree_groups(SeriesName separator, const SeriesName *names, int count, Groups *out);
void		check_group_names(const Groups *groups, const SeriesName *names, int count);	/* error where one is a series' own */

/* sums.c */
/* What the points of sums are made of beside those of their parts. */
typedef struct SumsGiven
{
	const rnn_config *cfg;		/* how gaps are filled */
	const rnn_covariates *covariates;	/* of the series */
	double	  **beyond;			/* by the series, its forecast behind its end up to the last one's, NULL: as it ended */
	int64		reach;			/* series that are so long may have been cut at their start; 0: none */
	bool		lenient;		/* of groups */
} SumsGiven;

/* The series (*count) and their sums, by name. */
void		add_sums(const rnn_text *asked, const SumsGiven *given, rnn_series **series, int *count, rnn_sums *sums);
/* Those that a training asks for. */
void		sums_for_training(const rnn_config *cfg, const rnn_text *asked, SeriesSet *all);
/* The series that are no sums; how many. */
rnn_series *parts_of_sums(const rnn_series *series, int *count);
int64		last_grid_end(const rnn_series *series, int count);	/* grid number behind the last point of any */

/* sum_covariates.c: what counts how much in the covariates of sums, and these, of all points of a sum and ahead */
void		shares_of_parts(const rnn_series *const *parts, int n, double *share);
const float *covariates_of_sum(const rnn_covariates *all, const rnn_series **parts, const double *share, int n, const rnn_series *sum);

#endif							/* RNN_PG_SERIES_H */
