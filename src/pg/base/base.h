/*
 * base.h
 *		What every room of the server layer stands on: settings, errors, names,
 *		options, JSON, sorting, and rows that a function returns.
 *
 * The server layer is the only code that knows PostgreSQL; the engine behind
 * rnn.h is the only code that knows networks.  CamelCase types belong to this
 * side, lower case ones to the engine.
 */
#ifndef RNN_PG_BASE_H
#define RNN_PG_BASE_H

#include "postgres.h"

#include "access/htup.h"
#include "access/tupdesc.h"
#include "fmgr.h"
#include "nodes/pg_list.h"
#include "utils/jsonb.h"
#include "utils/tuplestore.h"

#include "rnn.h"

/* settings.c */
extern int	rnnforecast_max_memory; /* kB */
extern double rnnforecast_max_seconds;	/* 0: none */
extern int	rnnforecast_max_workers;	/* of one training */
extern const char *rnnforecast_kernels; /* name of the kernels in use */
Size		memory_limit(void);	/* bytes */
extern const rnn_stop interrupts;	/* what ends the engine's long loops */
void		define_settings(void);	/* while the library is loaded */

/* error.c */
_Noreturn void report_engine_error(const rnn_error *err);
_Noreturn void report_memory(const char *purpose, Size bytes);	/* they are more than the limit */
void	   *limited_memory(Size bytes, const char *purpose);	/* zeroed; an error above the limit */

/* extension.c: error where it was dropped meanwhile */
Oid			extension_owner(Oid extension);
/* SeriesName of a schema as SQL has it. */
const char *schema_name(Oid schema);
/* A table of that name that belongs to the extension. */
Oid			extension_table(Oid schema, Oid extension, const char *name);
_Noreturn void no_extension_table(const char *name);

/* names.c: of series, of covariates, and their words; the bytes need no terminator */
typedef struct SeriesName
{
	const char *text;			/* NULL: the only series, without a name */
	int			len;
} SeriesName;

#define MOST_SERIES_NAME 10000	/* bytes */

SeriesName	series_name(const rnn_series *s);
char	   *text_of_name(SeriesName name);	/* palloc'd */
/* The columns that the name of a series was made of, NULL where it is no flat JSON object. */
Jsonb	   *key_of_name(SeriesName name);
void		set_key(SeriesName name, Datum *value, bool *null);	/* the same in a row */
const char *of_series(SeriesName name);	/* " of series "x"", for messages; "" without a name */
int			compare_names(const SeriesName *a, const SeriesName *b);
/* That of the names which a misspelt one may have meant, NULL where none is close. */
const char *closest_name(const char *name, const char *const *names, int count);
/* An error with the options that a function has, and with `besides`, the end of that sentence. */
void		refuse_option(const char *name, const char *function, const char *const *own, int count, const char *besides);
/* A hash table of entries that begin with a SeriesName, their key. */
struct HTAB *new_index(MemoryContext context, const char *what, Size entry);
int		   *rank_names(const SeriesName *names, int n);	/* the place of each in their order */

/* sort.c */
typedef int (*Comparison) (const void *a, const void *b, void *arg);
void		sort_interruptibly(void *x, Size n, Size width, Comparison compare, void *arg);
int			compare_int64(const void *a, const void *b, void *arg);

/* json.c */
JsonbValue *json_field(const Jsonb *json, const char *name);	/* NULL where it is no object or has none */
Jsonb	   *json_from(const char *text);
Jsonb	   *json_without(Jsonb *json, const char *name);
Jsonb	   *json_merge(Jsonb *a, Jsonb *b);	/* where both have a field it is b's */
double		json_number(const JsonbValue *v);
/* JSON as text: pairs of an object, or with the key NULL items of an array; what must come between is put there. */
void		put_text(StringInfo out, const char *key, const char *value);	/* NULL: null */
void		put_int(StringInfo out, const char *key, int64 value);
void		put_bool(StringInfo out, const char *key, bool value);
void		put_number(StringInfo out, const char *key, double value);	/* null where it is not finite */
void		put_float(StringInfo out, const char *key, float value);	/* without digits that it doesn't have */
void		open_object(StringInfo out, const char *key);
void		open_array(StringInfo out, const char *key);

/* tuples.c: the result of a function that returns all its rows at once */
typedef struct Tuples
{
	Tuplestorestate *store;
	TupleDesc	desc;
	MemoryContext scratch;		/* for the values of one row */
} Tuples;

/* Error unless the caller's row type has `columns` columns. */
void		tuples_begin(Tuples *tuples, FunctionCallInfo fcinfo, int columns);
void		tuples_put(Tuples *tuples, Datum *values, bool *nulls); /* empties scratch */
/* Rows for another process, which has the same row type: all of them so far, as bytes, which stay until the next call; and back. */
void		tuples_aside(Tuples *tuples, TupleDesc desc);
rnn_part	tuples_take(Tuples *tuples);
void		tuples_add(Tuples *tuples, const rnn_part *rows);

/* row_columns.c: columns that go by their names */
typedef enum RowKind
{
	ROW_NUMBER,					/* float8 */
	ROW_NUMBERS,				/* float8[] */
	ROW_TIME,					/* Timestamp, the wall clock of the session for timestamptz */
	ROW_TEXT,					/* char *, of any type */
	ROW_BOOL
} RowKind;

typedef struct RowWish
{
	const char *name;
	RowKind		kind;
	bool		must;			/* error where there is none */
} RowWish;

typedef struct RowWishes
{
	const RowWish *list;		/* (count) */
	int			count;
	const char *hint;			/* where one that must be there is not */
} RowWishes;

typedef struct RowColumns RowColumns;
RowColumns *row_columns_find(const RowWishes *wishes, TupleDesc desc);	/* in the current memory context */
bool		row_columns_has(const RowColumns *c, int wish);
/* (count) of a row, by the wishes; NULL where there is no such column. */
void		row_columns_read(RowColumns *c, HeapTuple row, Datum *values, bool *nulls);
/* The same of an argument of type record; NULL where it is NULL. */
RowColumns *row_argument(FunctionCallInfo fcinfo, int argno, const RowWishes *wishes, Datum *values, bool *nulls);

/* week.c: days since 2000-01-01; a week is a mask of days, bit 0 Monday, 0: all */
#define WEEKDAYS 31				/* Monday to Friday */

int			week_weekday(int64 day);	/* 0: Monday */
int			week_days(int week);	/* how many */
/* Number of an open day, or of the first open one after it; and the day with a number. */
int64		week_number(int week, int64 day);
int64		week_day(int week, int64 number);
const char *week_text(int week);
int			week_parse(const char *text);

/* option_table.c: options that the server layer handles beside rnn_config */
typedef struct ServerOption
{
	const char *name;
	const char *type;
	const char *def;
	double		min,
				max;			/* NAN: no range */
	const char *description;
} ServerOption;

enum
{
	OPTION_BIN, OPTION_DUPLICATES, OPTION_HIERARCHY, OPTION_KEEP, OPTION_KNOWN_AHEAD, OPTION_ON_ERROR, OPTION_PROGRESS, OPTION_STEP,
	OPTION_TIMEZONE, SERVER_OPTIONS
};
extern const ServerOption server_options[SERVER_OPTIONS];

/* Those of rnn_fit that are not those of a training. */
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

/* options.c */
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

#define MOST_STEP INT64CONST(1000000000000000)	/* and -MOST_STEP: numbers of steps */

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
	bool		merged;			/* rows are points that were tidied before */
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
	rnn_text	hierarchy;		/* as JSON; len 0: no series are sums of others */
	char		timezone[RNN_ZONE_SIZE];	/* "": the session's */
} ServerOptions;

extern const char *const bin_names[];	/* by rnn_bin, NULL-terminated */

/* NULL options give the defaults. Errors name the option, the value and what is allowed. */
void		parse_options(Jsonb *options, rnn_config *cfg, ServerOptions *server);
rnn_text	hierarchy_option(const JsonbValue *v);	/* as JSON; len 0: none */
rnn_text	hierarchy_asked(Jsonb *options);	/* the same among others */
/* A number among the options of a function that is no training; def where it is not there, or null. */
double		lone_option(Jsonb *options, const char *name, bool whole, double min, double max, double def);
/* Those of an object that rnn_history takes too, NULL where there are none. */
Jsonb	   *history_options(Jsonb *options);
/* Those of rnn_history: how rows become series. */
void		parse_history_options(Jsonb *options, rnn_config *cfg, ServerOptions *server);

/* The option of a training that a misspelt one may have meant, NULL where none is close. */
const char *closest_option(const char *name);
const rnn_option *engine_option(const char *name);	/* NULL: there is none */
bool		is_of_history(const char *name);	/* whether it is one of those */
/* Takes the option "keys" out of the others: the columns of a query (char *) that name a series, NIL: not given. */
List	   *take_keys(Jsonb **options);

/* Options one by one, for functions that have some of their own. */
JsonbIterator *begin_options(Jsonb *options, const char *example);	/* error where they are no object */
char	   *next_option(JsonbIterator **it, JsonbValue *v); /* palloc'd; NULL at the end */
void		wrong_type(const char *name, const char *wanted);	/* an error */
void		wrong_value(const char *name, const char *wanted, const JsonbValue *v); /* that shows the value */
char	   *value_text(const JsonbValue *v);	/* as JSON */

/* Options of rnn_forecast; given: what the model has. */
typedef struct ForecastOptions
{
	bool		align;			/* forecasts of all series begin after the last point of any */
	rnn_covariate_gaps covariate_gaps;
	OnError		on_error;
} ForecastOptions;

void		parse_forecast_options(Jsonb *options, const rnn_model *m, ForecastOptions *forecast);

#endif							/* RNN_PG_BASE_H */
