/*
 * collect.h
 *		Rows of one aggregate group, as they are collected.
 */
#ifndef RNN_PG_COLLECT_H
#define RNN_PG_COLLECT_H

#include "pg/time/time.h"

#include "utils/expandeddatum.h"

/* One covariate of the rows, as it comes. */
typedef enum CovariateKind
{
	COVARIATE_EMPTY,			/* nothing but null so far */
	COVARIATE_NUMBER,
	COVARIATE_TEXT
} CovariateKind;

typedef struct CovariateColumn
{
	SeriesName	name;
	CovariateKind kind;
	float	   *values;			/* (n) numbers, or places in words; NaN: missing */
	int			n_words;
	int			words_room;
	SeriesName *words;			/* in order of appearance */
	struct HTAB *index;			/* word -> place */
} CovariateColumn;

typedef struct RowState
{
	ExpandedObjectHeader hdr;
	int			magic;
	RowForm		form;
	bool		keyed;			/* rows belong to named series */
	int64		n;
	int64		room;
	Row		   *rows;			/* (n) */
	int32	   *series;			/* (n) index into names, NULL unless keyed */
	int			n_names;
	int			names_room;
	SeriesName *names;			/* in order of appearance */
	Size		names_bytes;
	struct HTAB *index;			/* name -> index */
	int			n_columns;
	CovariateColumn *columns;	/* (n_columns), room for all that there may be */
	Size		words_bytes;
	int64		latest;			/* rows kept of each series, the latest; 0: all */
	Jsonb	   *options;		/* of the first row that had some, NULL: none */
	char	   *options_text;	/* the same, once it was asked for */
} RowState;

/* state.c: its memory, and the names of its series */
Size		row_bytes(const RowState *state);
int64		most_rows(const RowState *state);	/* of a panel that are kept */
int64		most_collected(const RowState *state);	/* of any state */
void	   *state_resize(RowState *state, void *old, Size bytes);
SeriesName	state_copy_name(RowState *state, SeriesName name);
_Noreturn void outgrown(const char *what, int64 count);
void		set_room(RowState *state, int64 room);
int			state_series(RowState *state, SeriesName name);	/* its index, new or not */

/* latest.c: rows come, and where they outgrow the memory only the latest stay */
void		state_add(RowState *state, int64 at, double value);
void		state_add_to(RowState *state, int series, int64 at, double value);
void		state_settle(RowState *state);
void		state_fit(RowState *state); /* makes room of wider rows what the memory allows */
/* The columns (n_columns) in the order of their names; 0 where two rows have the same. */
void		order_columns(const RowState *state, int *order);
int			compare_covariates(const RowState *state, const int *order, int64 a, int64 b);

/* covariate_columns.c */
/* What one row has, to be put there once the row is. */
typedef struct GivenCovariates
{
	int			n;
	int			column[RNN_MAX_COVARIATES];
	float		value[RNN_MAX_COVARIATES];
} GivenCovariates;

void		read_covariates(RowState *state, Jsonb *covariates, GivenCovariates *given);
void		put_covariates(RowState *state, const GivenCovariates *given);	/* into the last row */
/* The number of the column of that name, new or not, which is of that kind; may cost old rows. */
int			column_number(RowState *state, SeriesName name, CovariateKind kind);
/* A new column, missing in all rows; NULL for that of a name that is not there; the place of a word, new or not. */
CovariateColumn *add_column(RowState *state, SeriesName name);
CovariateColumn *known_column(RowState *state, SeriesName name);
int			find_word(RowState *state, CovariateColumn *column, SeriesName word);
/* Places in `state` of another state's columns and words. */
typedef struct ColumnMap ColumnMap;
ColumnMap  *map_columns(RowState *state, const RowState *more);
void		copy_covariates(RowState *state, const ColumnMap *map, const RowState *more, int64 i);
void		copy_columns(RowState *copy, const RowState *from); /* which has the same rows, and no columns */

/* flat.c */
/* The state that a transition function was handed, or a new one where it is NULL. */
RowState   *state_for_update(FunctionCallInfo fcinfo, RowForm form, bool keyed);
/* For final and combine functions: any state, flat ones are checked; NULL where SQL NULL. */
RowState   *state_for_reading(FunctionCallInfo fcinfo, int argno);
Datum		state_datum(RowState *state);

#endif							/* RNN_PG_COLLECT_H */
