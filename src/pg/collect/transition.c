/*
 * transition.c
 *		Transition and combine functions: rows into states.
 *
 * NULL and NaN are missing points, infinity is an error; of a panel it is kept
 * until the final function knows what to do with such series.  Rows come in any
 * order where they have a time, and are sorted once, in the final function.
 */
#include "pg/collect/collect.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/primnodes.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/datum.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

/* Once per call site: an ordered aggregate without ORDER BY takes rows as they come. */
static void
warn_unordered(FunctionCallInfo fcinfo)
{
	Aggref	   *aggref = AggGetAggref(fcinfo);

	if (fcinfo->flinfo->fn_extra)
		return;
	fcinfo->flinfo->fn_extra = fcinfo->flinfo;	/* any non-NULL mark */
	if (aggref && aggref->aggorder == NIL)
		ereport(WARNING,
				(errmsg("an aggregate over an ordered column was called without ORDER BY"),
				 errdetail("The rows are taken in the order in which the plan delivers them."),
				 errhint("Write rnn_train(value ORDER BY t), or rnn_train(t, value).")));
}

static char *
describe_row(RowForm form, int64 at, int64 n)
{
	rnn_clock	clock = {.kind = form};

	return form == FORM_ORDERED ? psprintf("row " INT64_FORMAT, n + 1) : clock_text(&clock, at);
}

static double
value_argument(FunctionCallInfo fcinfo, int argno, const RowState *state, int64 at)
{
	double		value;

	if (PG_ARGISNULL(argno))
		return NAN;
	value = PG_GETARG_FLOAT8(argno);
	if (isinf(value) && !state->keyed)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("the value at %s is %s", describe_row(state->form, at, state->n),
						value > 0 ? "infinite" : "negative infinite"),
				 errhint("Replace it by NULL, which means that the value is missing.")));
	return value;
}

/* Otherwise the plan would choose whose options count. */
static void
require_same_options(const Jsonb *a, const Jsonb *b)
{
	if (VARSIZE(a) == VARSIZE(b) && memcmp(a, b, VARSIZE(a)) == 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("options differ between the rows of one group"),
			 errhint("Pass the same options in every row, or GROUP BY them. "
					 "Covariates come before them: rnn_train(series, ts, value, covariates, options).")));
}

/* The options of a row that has some hold for all. */
static void
options_argument(FunctionCallInfo fcinfo, int argno, RowState *state)
{
	MemoryContext old;

	if (argno >= PG_NARGS() || PG_ARGISNULL(argno))
		return;
	if (state->options)
	{
		require_same_options(state->options, PG_GETARG_JSONB_P(argno));
		return;
	}
	old = MemoryContextSwitchTo(state->hdr.eoh_context);
	state->options = PG_GETARG_JSONB_P_COPY(argno);
	MemoryContextSwitchTo(old);
}

/* (state, value [, options]) */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_collect_ordered);
Datum
rnnforecast_rnn_collect_ordered(PG_FUNCTION_ARGS)
{
	RowState   *state = state_for_update(fcinfo, FORM_ORDERED, false);

	warn_unordered(fcinfo);
	options_argument(fcinfo, 2, state);
	state_add(state, state->n, value_argument(fcinfo, 1, state, state->n));
	PG_RETURN_DATUM(state_datum(state));
}

static SeriesName series_argument(FunctionCallInfo fcinfo, int argno, RowForm form, int64 at);

/* " of series "x"" where an argument names it, for messages. */
static const char *
of_argument(FunctionCallInfo fcinfo, int argno)
{
	if (argno == 0 || PG_ARGISNULL(argno))
		return "";
	return of_series(series_argument(fcinfo, argno, FORM_ORDERED, 0));
}

static void
check_time(FunctionCallInfo fcinfo, int series, Timestamp at, bool finite)
{
	if (!finite)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("a time%s is infinite", of_argument(fcinfo, series)),
				 errhint("Leave out such rows: WHERE isfinite(ts).")));
	/* Years before 1 have no calendar that people agree on. */
	if (at < INT64CONST(-63082281600000000))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("time %s%s lies before the year 1", describe_row(FORM_TIMESTAMP, at, 0), of_argument(fcinfo, series))));
}

static int64
step_argument(FunctionCallInfo fcinfo, int series, int64 step)
{
	if (step < -MOST_STEP || step > MOST_STEP)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("step " INT64_FORMAT "%s is out of range", step, of_argument(fcinfo, series)),
				 errdetail("Steps lie between %lld and %lld.", (long long) -MOST_STEP, (long long) MOST_STEP)));
	return step;
}

/* The time of a row; `series` is the argument that names its series, 0 for none. */
static int64
time_argument(FunctionCallInfo fcinfo, int argno, int series, RowForm form)
{
	int64		at;

	if (PG_ARGISNULL(argno))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the %s of a row%s is NULL", form == FORM_STEP ? "step" : "time", of_argument(fcinfo, series)),
				 errhint("Leave out such rows: WHERE %s IS NOT NULL.", form == FORM_STEP ? "step" : "ts")));
	if (form == FORM_STEP)
		return step_argument(fcinfo, series, PG_GETARG_INT64(argno));
	if (form == FORM_DATE)
	{
		DateADT		date = PG_GETARG_DATEADT(argno);

		check_time(fcinfo, series, 0, !DATE_NOT_FINITE(date));
		at = DatumGetTimestamp(DirectFunctionCall1(date_timestamp, DateADTGetDatum(date)));
	}
	else
		at = PG_GETARG_TIMESTAMP(argno);
	check_time(fcinfo, series, at, !TIMESTAMP_NOT_FINITE(at));
	return at;
}

/* An object of a row, whose keys the state knows from then on. */
static void
covariates_argument(FunctionCallInfo fcinfo, int argno, RowState *state, GivenCovariates *given)
{
	if (!PG_ARGISNULL(argno))
		read_covariates(state, PG_GETARG_JSONB_P(argno), given);
}

/* (state, time, value [, covariates] [, options]) for one type of time */
static Datum
collect_time(FunctionCallInfo fcinfo, RowForm form, bool covariates)
{
	RowState   *state = state_for_update(fcinfo, form, false);
	int64		at = time_argument(fcinfo, 1, 0, form);
	GivenCovariates given = {0};

	options_argument(fcinfo, covariates ? 4 : 3, state);
	if (covariates)
		covariates_argument(fcinfo, 3, state, &given);
	state_add(state, at, value_argument(fcinfo, 2, state, at));
	put_covariates(state, &given);
	return state_datum(state);
}

/* ----------------------------------------------------------------- series */

/* How what names a series becomes text; once per call site. */
typedef struct SeriesOutput
{
	bool		is_text;		/* stored as its own text */
	bool		depends;		/* on settings such as DateStyle */
	FmgrInfo	out;
	int16		len;			/* of the type */
	bool		by_value;
	MemoryContext context;		/* of what depends: texts of values that came before */
	HTAB	   *texts;
} SeriesOutput;

typedef struct TextEntry
{
	SeriesName	value;			/* its bytes */
	SeriesName	name;
} TextEntry;

static const SeriesOutput text_output = {.is_text = true};

/*
 * rnn_train(ts, shop_number, value) finds this form: a series of each day, the
 * shops its steps.  It may be meant, of cohorts by their age for instance.
 */
static void
notice_order(Oid type)
{
	if (type == DATEOID || type == TIMESTAMPOID || type == TIMESTAMPTZOID)
		ereport(NOTICE,
				(errmsg("the series are %s, and their times are numbers", type == DATEOID ? "dates" : "times"),
				 errhint("The order of arguments is series, ts, value.")));
}

static void
learn_type(SeriesOutput *output, Oid type, MemoryContext context)
{
	Oid			out;
	char		category;
	bool		preferred,
				varlena;

	output->is_text = type == TEXTOID || type == VARCHAROID;
	get_type_category_preferred(type, &category, &preferred);
	/* Only plain numbers and strings look the same under all settings. */
	output->depends = !(category == TYPCATEGORY_STRING || type == INT2OID || type == INT4OID ||
					 type == INT8OID || type == NUMERICOID || type == BOOLOID || type == UUIDOID ||
					 type == OIDOID || category == TYPCATEGORY_ENUM);
	getTypeOutputInfo(type, &out, &varlena);
	fmgr_info_cxt(out, &output->out, context);
	get_typlenbyval(type, &output->len, &output->by_value);
}

/*
 * Of text nothing need be known: the call has no expression tree where another
 * extension calls the aggregate's parts, as on the nodes of a distributed table.
 */
static void
know_type(FunctionCallInfo fcinfo, int argno, RowForm form, bool is_text)
{
	FmgrInfo   *info = fcinfo->flinfo;
	SeriesOutput *output;
	Oid			type;

	if (info->fn_extra)
		return;
	if (is_text)
	{
		info->fn_extra = (void *) &text_output;
		return;
	}
	type = get_fn_expr_argtype(info, argno);
	if (!OidIsValid(type))
		ereport(ERROR,
				(errcode(ERRCODE_INDETERMINATE_DATATYPE),
				 errmsg("could not determine the type of the series"),
				 errdetail("A distributed planner calls the parts of an aggregate without the types of its arguments."),
				 errhint("Cast the series to text: rnn_train(shop::text, ...).")));
	if (form == FORM_STEP)
		notice_order(type);
	output = MemoryContextAllocZero(info->fn_mcxt, sizeof(SeriesOutput));
	learn_type(output, type, info->fn_mcxt);
	info->fn_extra = output;
}

/* Text under ISO dates, UTC, shortest floats, no locale and full names, whatever the session has. */
static char *
fixed_output(FmgrInfo *out, Datum value)
{
	static const char *const fixed[][2] = {
		{"datestyle", "ISO, YMD"}, {"intervalstyle", "postgres"}, {"timezone", "UTC"},
		{"extra_float_digits", "1"}, {"bytea_output", "hex"}, {"lc_monetary", "C"},
		{"search_path", "pg_catalog, pg_temp"}, {"quote_all_identifiers", "off"}
	};
	int			level = NewGUCNestLevel();
	char	   *text;

	for (int i = 0; i < (int) lengthof(fixed); i++)
		(void) set_config_option(fixed[i][0], fixed[i][1], PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
								 true, 0, false);
	text = OutputFunctionCall(out, value);
	AtEOXact_GUC(true, level);
	return text;
}

/* The bytes that a value consists of, without those of a pointer to them. */
static SeriesName
bytes_of(const SeriesOutput *output, Datum *value)
{
	SeriesName	bytes = {.text = (char *) value,.len = sizeof(Datum)};

	if (output->by_value)
		return bytes;
	if (output->len == -1)
		*value = PointerGetDatum(PG_DETOAST_DATUM_PACKED(*value));
	bytes.text = DatumGetPointer(*value);
	bytes.len = (int) datumGetSize(*value, false, output->len);
	return bytes;
}

/* No more than a small part of what the rows may take. */
static void
bound_texts(FunctionCallInfo fcinfo, SeriesOutput *output)
{
	if (output->texts && MemoryContextMemAllocated(output->context, true) > memory_limit() / 32)
	{
		MemoryContextDelete(output->context);
		output->texts = NULL;
	}
	if (output->texts)
		return;
	output->context = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "rnnforecast series names", ALLOCSET_DEFAULT_SIZES);
	output->texts = new_index(output->context, "rnnforecast series names", sizeof(TextEntry));
}

/* The text of a value that depends on settings; they are set for each value once. */
static SeriesName
fixed_name(FunctionCallInfo fcinfo, SeriesOutput *output, Datum value)
{
	SeriesName	bytes = bytes_of(output, &value);
	TextEntry  *entry = output->texts ? hash_search(output->texts, &bytes, HASH_FIND, NULL) : NULL;
	char	   *text;
	bool		found;

	if (entry)
		return entry->name;
	text = fixed_output(&output->out, value);
	bound_texts(fcinfo, output);
	bytes.text = memcpy(MemoryContextAlloc(output->context, Max(bytes.len, 1)), bytes.text, bytes.len);
	entry = hash_search(output->texts, &bytes, HASH_ENTER, &found);
	entry->name.text = MemoryContextStrdup(output->context, text);
	entry->name.len = strlen(text);
	return entry->name;
}

/* Its text lives as long as the call. */
static SeriesName
series_argument(FunctionCallInfo fcinfo, int argno, RowForm form, int64 at)
{
	SeriesOutput *output = fcinfo->flinfo->fn_extra;
	SeriesName	name;

	if (PG_ARGISNULL(argno))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the series of the row at %s is NULL", describe_row(form, at, 0)),
				 errhint("Leave out such rows with WHERE, or name them with coalesce.")));
	if (output->depends)
		return fixed_name(fcinfo, output, PG_GETARG_DATUM(argno));
	if (output->is_text)
	{
		text	   *t = PG_GETARG_TEXT_PP(argno);

		name.text = VARDATA_ANY(t);
		name.len = VARSIZE_ANY_EXHDR(t);
		return name;
	}
	name.text = OutputFunctionCall(&output->out, PG_GETARG_DATUM(argno));
	name.len = strlen(name.text);
	return name;
}

/* (state, series, time or step, value [, covariates] [, options]) */
static Datum
collect_series(FunctionCallInfo fcinfo, RowForm form, bool covariates, bool is_text)
{
	RowState   *state = state_for_update(fcinfo, form, true);
	GivenCovariates given = {0};
	int64		at;
	int			series;

	know_type(fcinfo, 1, form, is_text);
	at = time_argument(fcinfo, 2, 1, form);
	series = state_series(state, series_argument(fcinfo, 1, form, at));
	options_argument(fcinfo, covariates ? 5 : 4, state);
	if (covariates)
		covariates_argument(fcinfo, 4, state, &given);
	state_add_to(state, series, at, value_argument(fcinfo, 3, state, at));
	put_covariates(state, &given);
	return state_datum(state);
}

static Datum
collect_text(FunctionCallInfo fcinfo, RowForm form, bool covariates)
{
	return collect_series(fcinfo, form, covariates, true);
}

static Datum
collect_any(FunctionCallInfo fcinfo, RowForm form, bool covariates)
{
	return collect_series(fcinfo, form, covariates, false);
}

#define COLLECT(name, how, form) \
	PG_FUNCTION_INFO_V1(rnnforecast_rnn_collect_##name); \
	Datum \
	rnnforecast_rnn_collect_##name(PG_FUNCTION_ARGS) \
	{ \
		return how(fcinfo, form, false); \
	} \
	PG_FUNCTION_INFO_V1(rnnforecast_rnn_collect_covariates_##name); \
	Datum \
	rnnforecast_rnn_collect_covariates_##name(PG_FUNCTION_ARGS) \
	{ \
		return how(fcinfo, form, true); \
	}

COLLECT(date, collect_time, FORM_DATE)
COLLECT(timestamp, collect_time, FORM_TIMESTAMP)
COLLECT(timestamptz, collect_time, FORM_TIMESTAMPTZ)
COLLECT(series_date, collect_text, FORM_DATE)
COLLECT(series_timestamp, collect_text, FORM_TIMESTAMP)
COLLECT(series_timestamptz, collect_text, FORM_TIMESTAMPTZ)
COLLECT(series_step, collect_text, FORM_STEP)
COLLECT(any_date, collect_any, FORM_DATE)
COLLECT(any_timestamp, collect_any, FORM_TIMESTAMP)
COLLECT(any_timestamptz, collect_any, FORM_TIMESTAMPTZ)
COLLECT(any_step, collect_any, FORM_STEP)

/* Rows of `more` into a state of the same kind. */
static void
append_rows(RowState *state, const RowState *more)
{
	int		   *map = palloc_extended(sizeof(int) * Max(more->n_names, 1), MCXT_ALLOC_HUGE);
	ColumnMap  *columns = map_columns(state, more);

	for (int i = 0; i < more->n_names; i++)
		map[i] = state_series(state, more->names[i]);
	if (more->latest > 0 && (state->latest == 0 || more->latest < state->latest))
		state->latest = more->latest;
	for (int64 i = 0; i < more->n; i++)
	{
		if ((i & 0xffff) == 0)
			CHECK_FOR_INTERRUPTS();
		if (state->keyed)
			state_add_to(state, map[more->series[i]], more->rows[i].at, more->rows[i].value);
		else
			state_add(state, more->rows[i].at, more->rows[i].value);
		copy_covariates(state, columns, more, i);
	}
	pfree(columns);
	pfree(map);
}

PG_FUNCTION_INFO_V1(rnnforecast_rnn_collect_combine);
Datum
rnnforecast_rnn_collect_combine(PG_FUNCTION_ARGS)
{
	RowState   *more = state_for_reading(fcinfo, 1);
	RowState   *state;

	if (more == NULL)
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	state = state_for_update(fcinfo, more->form, more->keyed);
	append_rows(state, more);
	if (state->options && more->options)
		require_same_options(state->options, more->options);
	if (state->options == NULL && more->options)
	{
		MemoryContext old = MemoryContextSwitchTo(state->hdr.eoh_context);

		state->options = (Jsonb *) PG_DETOAST_DATUM_COPY(JsonbPGetDatum(more->options));
		MemoryContextSwitchTo(old);
	}
	PG_RETURN_DATUM(state_datum(state));
}

