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
#include "utils/expandeddatum.h"
#include "utils/jsonb.h"

#include "../engine/rnn.h"

#define RNN_VERSION "1.0.0"
#define MAX_MODEL_BYTES ((Size) 256 * 1024 * 1024)

/* module.c: settings */
extern int	rnnforecast_max_memory; /* kB */
extern double rnnforecast_max_seconds;	/* 0: none */
extern const char *rnnforecast_kernels; /* name of the kernels in use */
Size		memory_limit(void);	/* bytes */

/* error.c */
pg_attribute_noreturn() void report_engine_error(const rnn_error *err);

/* options.c: options that the server layer handles beside rnn_config */
typedef struct ServerOptions
{
	bool		progress;		/* a NOTICE every few seconds */
	int			keep;			/* points of history kept in the model, 0: what forecasts need */
	char		timezone[RNN_ZONE_SIZE];	/* "": the session's */
} ServerOptions;

/* NULL options give the defaults. Errors name the option, the value and what is allowed. */
void		parse_options(Jsonb *options, rnn_config *cfg, ServerOptions *server);

/* state.c: rows of one aggregate group */
typedef enum RowForm
{
	FORM_ORDERED = RNN_CLOCK_NONE,	/* values in order, no time */
	FORM_DATE = RNN_CLOCK_DATE,
	FORM_TIMESTAMP = RNN_CLOCK_TIMESTAMP,
	FORM_TIMESTAMPTZ = RNN_CLOCK_TIMESTAMPTZ
} RowForm;

typedef struct Row
{
	int64		at;				/* microseconds since 2000, or the number of the row */
	double		value;			/* NaN: missing */
} Row;

typedef struct RowState
{
	ExpandedObjectHeader hdr;
	int			magic;
	RowForm		form;
	int64		n;
	int64		room;
	Row		   *rows;			/* in a context of its own */
	Jsonb	   *options;		/* of the first row that had some, NULL: none */
} RowState;

/* The state that a transition function was handed, or a new one where it is NULL. */
RowState   *state_for_update(FunctionCallInfo fcinfo, RowForm form);
/* For final and combine functions: any state, flat ones are checked; NULL where SQL NULL. */
RowState   *state_for_reading(FunctionCallInfo fcinfo, int argno);
void		state_add(RowState *state, int64 at, double value);
Datum		state_datum(RowState *state);

/* clock.c */
/* Local time of grid point k after `start`: see RowForm; start is UTC for fixed steps of
 * timestamptz, local wall clock for everything else. */
int64		clock_time(const rnn_clock *clock, int64 start, int64 k);
Timestamp	clock_local(const rnn_clock *clock, int64 time);
TimestampTz clock_instant(const rnn_clock *clock, int64 time);
/* Text of one step as an interval, "1 mon"; palloc'd. */
char	   *clock_step_text(const rnn_clock *clock);
/* Number of a time on the clock's grid counted from 2000: the phase of its seasons. */
int64		clock_phase(const rnn_clock *clock, int64 start);
int			clock_hints(const rnn_clock *clock, int *hints);
/* Infers the step of n sorted distinct times and puts the values on the grid. */
double	   *clock_regularise(Row *rows, int64 n, RowForm form, const char *zone,
							 rnn_clock *clock, int64 *start, int64 *points);
char	   *clock_text(const rnn_clock *clock, int64 time); /* for messages */

/* model.c */
/* Decoded argument, cached for the statement; NULL where SQL NULL. Error for a history
 * unless allowed. */
const rnn_model *fetch_model(FunctionCallInfo fcinfo, int argno, bool history_allowed);
bytea	   *store_model(const rnn_model *m);

#endif							/* RNN_PG_H */
