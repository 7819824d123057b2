/*
 * pg.h
 *		What the files of the server layer share.
 *
 * The server layer is the only code that knows PostgreSQL; the engine behind
 * rnn.h is the only code that knows networks.  CamelCase types belong to this
 * side, lower case ones to the engine.
 */
#ifndef RNN_PG_H
#define RNN_PG_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/expandeddatum.h"
#include "utils/jsonb.h"

#include "../engine/rnn.h"

#define RNN_VERSION "1.0.0"

/* module.c: settings */
extern int	rnnforecast_max_memory; /* kB */
extern double rnnforecast_max_seconds;	/* 0: none */
extern int	rnnforecast_max_workers;	/* of one training */
extern const char *rnnforecast_kernels; /* name of the kernels in use */
Size		memory_limit(void);	/* bytes */
extern const rnn_stop interrupts;	/* what ends the engine's long loops */

/* error.c */
_Noreturn void report_engine_error(const rnn_error *err);

/* options.c: options that the server layer handles beside rnn_config */
typedef enum OnError
{
	ON_ERROR_FAIL,				/* a series that can't be used ends the statement */
	ON_ERROR_SKIP,				/* it is left out */
	ON_ERROR_NAIVE				/* its last known value is forecast */
} OnError;

typedef enum Duplicates			/* of rows with one time */
{
	DUPLICATES_AUTO,			/* an error, but readings like others where there are bins */
	DUPLICATES_ERROR, DUPLICATES_MEAN, DUPLICATES_SUM, DUPLICATES_MIN, DUPLICATES_MAX, DUPLICATES_LAST
} Duplicates;

typedef struct StepOption
{
	bool		given;
	int64		number;			/* of numbered steps, else 0 and one of these: */
	int32		months,
				days;
	int64		usecs;
	int			week;			/* days of the week, and days is 1 */
} StepOption;

/* How rows become regular series. */
typedef struct Tidying
{
	OnError		on_error;
	StepOption	step;
	rnn_bin		bin;
	Duplicates	duplicates;
} Tidying;

typedef enum KnownAhead
{
	KNOWN_AHEAD_AUTO,			/* covariates that rows ahead have */
	KNOWN_AHEAD_ALL,
	KNOWN_AHEAD_NONE
} KnownAhead;

typedef struct ServerOptions
{
	bool		progress;		/* a NOTICE every few seconds */
	int			keep;			/* points of history kept in the model, 0: what forecasts need */
	Tidying		tidying;
	KnownAhead	known_ahead;
	char		timezone[RNN_ZONE_SIZE];	/* "": the session's */
} ServerOptions;

extern const char *const bin_names[];	/* by rnn_bin, NULL-terminated */

/* Options of rnn_fit that are not those of a training; rules.c */
typedef struct RuleOption
{
	const char *name;
	double		def,
				min,
				max;
	bool		whole;
	const char *description;
} RuleOption;

enum { RULE_BREAK, RULE_GATE, RULE_RETAIN, RULE_REWIND, RULE_SHRINK, RULE_WINDOWS, RULE_OPTIONS };
extern const RuleOption rule_options[RULE_OPTIONS];

/* NULL options give the defaults. Errors name the option, the value and what is allowed. */
void		parse_options(Jsonb *options, rnn_config *cfg, ServerOptions *server);
/* Those of an object that rnn_history takes too, NULL where there are none. */
Jsonb	   *history_options(Jsonb *options);
bool		names_option(Jsonb *options, const char *name);
/* Those of rnn_history: how rows become series. */
void		parse_history_options(Jsonb *options, rnn_config *cfg, ServerOptions *server);

/* Options of rnn_forecast; given: what the model has. */
typedef struct ForecastOptions
{
	bool		align;			/* forecasts of all series begin after the last point of any */
	rnn_covariate_gaps covariate_gaps;
	OnError		on_error;
} ForecastOptions;

void		parse_forecast_options(Jsonb *options, const rnn_model *m, ForecastOptions *forecast);

/* state.c: rows of one aggregate group */
typedef enum RowForm
{
	FORM_ORDERED = RNN_CLOCK_NONE,	/* values in order, no time */
	FORM_DATE = RNN_CLOCK_DATE,
	FORM_TIMESTAMP = RNN_CLOCK_TIMESTAMP,
	FORM_TIMESTAMPTZ = RNN_CLOCK_TIMESTAMPTZ,
	FORM_STEP = RNN_CLOCK_STEP
} RowForm;

#define MOST_STEP INT64CONST(1000000000000000)	/* and -MOST_STEP: numbers of steps */

typedef struct Row
{
	int64		at;				/* microseconds since 2000, or the number of the row */
	double		value;			/* NaN: missing */
} Row;

/* The name of a series; the bytes need no terminator. */
typedef struct SeriesName
{
	const char *text;
	int			len;
} SeriesName;

/* keys.c: one covariate of the rows, as it comes */
typedef enum KeyKind
{
	KEY_EMPTY,					/* nothing but null so far */
	KEY_NUMBER,
	KEY_TEXT
} KeyKind;

typedef struct StateKey
{
	SeriesName	name;
	KeyKind		kind;
	float	   *values;			/* (n) numbers, or places in words; NaN: missing */
	int			n_words;
	int			words_room;
	SeriesName *words;			/* in order of appearance */
	struct HTAB *index;			/* word -> place */
} StateKey;

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
	SeriesName *names;					/* in order of appearance */
	Size		names_bytes;
	struct HTAB *index;			/* name -> index */
	int			n_keys;
	StateKey   *keys;			/* (n_keys), room for all that there may be */
	Size		words_bytes;
	int64		latest;			/* rows kept of each series, the latest; 0: all */
	Jsonb	   *options;		/* of the first row that had some, NULL: none */
	char	   *options_text;	/* the same, once it was asked for */
} RowState;

/* The state that a transition function was handed, or a new one where it is NULL. */
RowState   *state_for_update(FunctionCallInfo fcinfo, RowForm form, bool keyed);
/* For final and combine functions: any state, flat ones are checked; NULL where SQL NULL. */
RowState   *state_for_reading(FunctionCallInfo fcinfo, int argno);
void		state_add(RowState *state, int64 at, double value);
void		state_add_to(RowState *state, int series, int64 at, double value);
int			state_series(RowState *state, SeriesName name);	/* its index, new or not */
/* Keeps the latest rows of each series where all outgrow the memory; see state.c. */
void		state_settle(RowState *state);
Datum		state_datum(RowState *state);
void		state_fit(RowState *state); /* makes room of wider rows what the memory allows */
_Noreturn void bad_state(const char *what);
int			compare_rows(const void *a, const void *b, void *arg);	/* by time, then value */
typedef int (*Comparison) (const void *a, const void *b, void *arg);	/* arg is NULL */
void		rows_sort(Row *rows, int64 n, Comparison compare);
void		sort_interruptibly(void *x, Size n, Size width, Comparison compare);
int			compare_names(const SeriesName *a, const SeriesName *b);
/* A hash table of entries that begin with a SeriesName, their key. */
struct HTAB *new_index(MemoryContext context, const char *what, Size entry);

/* What one row has, to be put there once the row is. */
typedef struct GivenCovariates
{
	int			n;
	int			key[RNN_MAX_COVARIATES];
	float		value[RNN_MAX_COVARIATES];
} GivenCovariates;

void		read_covariates(RowState *state, Jsonb *covariates, GivenCovariates *given);
void		put_covariates(RowState *state, const GivenCovariates *given);	/* into the last row */
/* The keys (n_keys) in the order of their names; 0 where two rows have the same. */
void		order_keys(const RowState *state, int *order);
int			compare_covariates(const RowState *state, const int *order, int64 a, int64 b);
typedef struct KeyMap KeyMap;
KeyMap	   *map_keys(RowState *state, const RowState *more);
void		copy_covariates(RowState *state, const KeyMap *map, const RowState *more, int64 i);
void		copy_keys(RowState *copy, const RowState *from);	/* which has the same rows, and no keys */
Size		keys_flat_size(const RowState *state);
char	   *keys_flatten(const RowState *state, char *out);
void		keys_unflatten(RowState *state, const char *in, Size len, int count);

/* clock.c */
/* Rows of one series; `problem` says why it can't be used. */
typedef struct RowGroup
{
	SeriesName	name;			/* text NULL: the only series, without a name */
	Row		   *rows;
	int64		n;
	rnn_note	problem;
	bool		nearest;		/* readings were taken for those of the nearest step */
} RowGroup;

/* Local time of grid point k after `start`: see RowForm; start is UTC for fixed steps of
 * timestamptz, local wall clock for everything else. */
int64		clock_time(const rnn_clock *clock, int64 start, int64 k);
Timestamp	clock_local(const rnn_clock *clock, int64 time);
TimestampTz clock_instant(const rnn_clock *clock, int64 time);
/* The same instant as another clock of that kind counts it. */
int64		clock_convert(const rnn_clock *from, const rnn_clock *to, int64 time);
/* Points of daily steps on the days of the week that another clock has; `start` is as that clock counts it. */
void		clock_regrid(const rnn_clock *from, const rnn_clock *to, rnn_series *s, int covariates);
/* Text of one step as an interval, "1 mon"; palloc'd. */
char	   *clock_step_text(const rnn_clock *clock);
bool		clock_has_times(const rnn_clock *clock);	/* not numbers of rows or steps */
/* Number of the row, or step, at grid point k of a series without times. */
int64		clock_position(const rnn_clock *clock, const rnn_series *s, int64 k);
/* Number of a time on the clock's grid, counted from 2000, in months from the year 0: the phase of its seasons. */
int64		clock_phase(const rnn_clock *clock, int64 start);
/* Point k of a series, for messages; and as ts, local_ts and position of a row. */
char	   *clock_label(const rnn_clock *clock, const rnn_series *s, int64 k);
void		clock_place(const rnn_clock *clock, const rnn_series *s, int64 k, Datum *values, bool *nulls);
int			clock_hints(const rnn_clock *clock, int *hints);
char	   *clock_text(const rnn_clock *clock, int64 time); /* for messages */
/* Place of a time on the grid of a series: -1 where it has none. */
int64		clock_index(const rnn_clock *clock, int64 start, int64 time);
/* Values of a group on its grid: fills start, dropped, n and x, which takes bytes off `room`; else the
 * group's problem. */
void		clock_regularise(const rnn_clock *clock, RowGroup *group, bool fail, Size *room, rnn_series *series);

/* rebin.c */
/* Whether a history's steps are readings for the clock's bins. */
bool		clock_takes_readings(const rnn_clock *clock, const rnn_clock *history);
/* Puts them there. */
void		rebin_series(const rnn_clock *from, const rnn_clock *to, rnn_series *series, int count, int covariates);

/* calendar.c */
/* Cycles of the calendar that steps of a clock tell apart; and what one is called. */
rnn_calendar clock_calendar(const rnn_clock *clock);
const char *calendar_word(const rnn_clock *clock, int term);
/* Where in them the points of series lie, and `ahead` steps more. */
void		calendar_fill(const rnn_clock *clock, rnn_series *series, int count, int64 ahead);
Size		calendar_for_training(const rnn_config *cfg, const rnn_clock *clock, rnn_series *series, int count,
								  rnn_calendar *calendar);

/* infer.c */
/* Sorts and tidies the rows of each group and infers their step, the most common; problems are errors if `fail`. */
void		clock_infer(RowGroup *groups, int count, RowForm form, const char *zone, const Tidying *tidying,
						bool fail, rnn_clock *clock);

/* panel.c */
typedef struct Series
{
	rnn_clock	clock;
	int			count;
	rnn_series *series;			/* (count) by name; those with a problem have no points, or one */
	int64		latest;			/* rows of each that were kept, the latest; 0: all */
	rnn_covariates covariates;
} Series;

/* Rows of a state on their grids. */
void		series_from_rows(RowState *state, const rnn_config *cfg, const ServerOptions *server, Series *all);
rnn_missing count_missing(const rnn_series *series, int count);
/* Error where an option asks for a step, bins or duplicates. */
void		refuse_tidying(const Tidying *tidying, const char *why, const char *hint);
/* Error where a series has what the options don't take: gaps, or values that can't be transformed. */
void		check_values(const rnn_config *cfg, const rnn_clock *clock, const rnn_series *s);

/* covariates.c */
/* Covariates of a state's rows, and how far they go ahead, to series on their grids. */
void		covariates_from_rows(RowState *state, bool nearest, bool fail, Series *all);
/* Those of a history as a network is trained on them: few words, and what is known ahead. */
void		covariates_for_training(Series *all, KnownAhead known);
/* The same as a model knows them. */
void		covariates_for_model(const rnn_covariates *to, const rnn_covariates *from, rnn_series *series, int count);

/* model.c */
/* Decoded argument, cached for the statement; NULL where SQL NULL. Error for a history
 * unless allowed. */
const rnn_prior *pretrained(int version);
const rnn_model *fetch_model(FunctionCallInfo fcinfo, int argno, bool history_allowed);
/* Decoded and checked, in the current memory context. */
const rnn_model *decode_model(bytea *bytes);
void		check_is_model(const rnn_model *m);	/* error for a history */
/* Whether a notice (a bit) is the first from this place of the statement. */
bool		tell_once(FunctionCallInfo fcinfo, int notice);
bytea	   *store_model(const rnn_model *m);

/* names.c */
/* Which series (n_series) an array of text names; error for an unknown name or NULL. */
bool	   *series_named(const rnn_model *m, ArrayType *names);
/* The model without those of the series that it has; NULL where it has none of them. */
bytea	   *forget_series(const rnn_model *m, ArrayType *names);

#endif							/* RNN_PG_H */
