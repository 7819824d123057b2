/*
 * anomalies.c
 *		rnn_anomalies: which rows don't fit what came before them.
 *
 * The rows of the query become a history, as rnn_history makes it, with the
 * column "exclude", where there is one, as its only covariate.  The engine
 * passes over each series once (src/engine/anomaly/watch.c) and says of each
 * row how often something as extreme comes: a rate of events a row.  Here that
 * becomes a probability, and where it is below what is allowed a flag.  With a
 * model its forecasts are what is expected, so its covariates are read too.
 */
#include "pg/evaluate/evaluate.h"
#include "pg/train/train.h"

#include <float.h>
#include <math.h>

#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define COLUMNS 13
#define EXCLUDE "exclude"		/* column of a query */
#define USUAL_ALARMS 0.8		/* a series and week: in the first weeks of made-up series a quarter more came than rates promise */
#define MOST_RATE 0.5			/* nothing that is usual is odd */
#define TOLD_NOTHING 1

enum { ARG_QUERY, ARG_LEVEL, ARG_OPTIONS, ARG_MODEL };

PG_FUNCTION_INFO_V1(rnnforecast_rnn_anomalies);

typedef struct AnomalyCall
{
	const rnn_clock *clock;
	const rnn_covariates *given;	/* of the rows, */
	int			exclude;		/* and which of them says what is left out, -1: none */
	rnn_watch_plan plan;
	const AnomalyOptions *options;
	double		rate;			/* events a row that are flagged, at most */
	int64		gap;			/* rows between flags of one event */
	int64		since;			/* as the clock counts it */
	MemoryContext scratch;		/* of one series */
	Tuples		rows;
} AnomalyCall;

/* One series, and what is known of its rows. */
typedef struct WatchedSeries
{
	const rnn_series *series;	/* with the covariates of the query */
	rnn_series	seen;			/* without what is left out */
	rnn_watched *rows;			/* (n) */
} WatchedSeries;

/* ------------------------------------------------------------------ the plan */

/* Nothing of the rows may decide what they are judged by, so seasons are the calendar's unless they are given. */
static void
choose_seasons(AnomalyCall *call, const rnn_model *model)
{
	int			hints[8],
				n = clock_hints(call->clock, hints);
	rnn_watch_plan *plan = &call->plan;
	rnn_config	defaults;

	rnn_config_defaults(&defaults);
	plan->kappa = model ? model->config.kappa : defaults.kappa;
	/* Without a network a model's forecasts are the mix's. */
	plan->model = model && (uses_network(model) || model->prior_net) ? model : NULL;
	if (call->options->n_seasons > 0)
	{
		plan->n_seasons = call->options->n_seasons;
		memcpy(plan->seasons, call->options->seasons, sizeof(plan->seasons));
		return;
	}
	if (model)
	{
		plan->n_seasons = model->config.seasons_given;
		memcpy(plan->seasons, model->config.seasons, sizeof(plan->seasons));
		return;
	}
	plan->n_seasons = Min(n, RNN_MAX_SEASONS);
	memcpy(plan->seasons, hints, sizeof(int) * plan->n_seasons);
	if (plan->n_seasons == 0)
		plan->seasons[plan->n_seasons++] = 1;
}

/* Events a row that may be flagged. */
static double
allowed_rate(const AnomalyCall *call, double level)
{
	double		alarms = call->options->alarms;
	bool		given = !isnan(alarms);

	if (given && !clock_has_times(call->clock))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"alarms\" needs rows with times"),
				 errdetail("It is a number of events a week, and these rows are numbered."),
				 errhint("Pass a level instead.")));
	if (given)
		return fmin(alarms * clock_days(call->clock) / 7, MOST_RATE);
	return fmin(1 - level, clock_has_times(call->clock) ? USUAL_ALARMS * clock_days(call->clock) / 7 : MOST_RATE);
}

/* What "since" says, as rows tell their times. */
static int64
parse_since(const rnn_clock *clock, const char *since)
{
	Datum		text = CStringGetDatum(since),
				none = ObjectIdGetDatum(InvalidOid),
				typmod = Int32GetDatum(-1);

	if (!clock_has_times(clock))
		return DatumGetInt64(DirectFunctionCall1(int8in, text));
	if (clock->kind == RNN_CLOCK_TIMESTAMPTZ)
		return DatumGetTimestampTz(DirectFunctionCall3(timestamptz_in, text, none, typmod));
	return DatumGetTimestamp(DirectFunctionCall3(timestamp_in, text, none, typmod));
}

static int64
time_of_row_number(const AnomalyCall *call, const rnn_series *s, int64 k)
{
	const rnn_clock *clock = call->clock;
	int64		at;

	if (!clock_has_times(clock))
		return clock_position(clock, s, k);
	at = clock_time(clock, s->start, k);
	return clock->kind == RNN_CLOCK_TIMESTAMPTZ ? clock_instant(clock, at) : clock_local(clock, at);
}

/* The first row that is returned, by bisection. */
static int64
first_row(const AnomalyCall *call, const rnn_series *s)
{
	int64		low = 0,
				high = s->n;

	if (call->options->since == NULL)
		return call->options->last > 0 ? Max(s->n - call->options->last, 0) : 0;
	while (low < high)
	{
		int64		middle = low + (high - low) / 2;

		if (time_of_row_number(call, s, middle) < call->since)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* ------------------------------------------------------------------ the pass */

static bool
is_left_out(const AnomalyCall *call, const rnn_series *s, int64 k)
{
	return call->exclude >= 0 && s->covariates[k * call->given->n + call->exclude] > 0;
}

/* What the engine sees of it: nothing of the rows that are left out, and covariates as the model knows them. */
static rnn_series
without_left_out(const AnomalyCall *call, const rnn_series *s)
{
	const rnn_model *model = call->plan.model;
	rnn_series	seen = *s;
	double	   *x = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(double) * s->n);

	for (int64 k = 0; k < s->n; k++)
		x[k] = is_left_out(call, s, k) ? NAN : s->x[k];
	seen.x = x;
	if (model == NULL)
		return seen;
	covariates_for_model(&model->config.covariates, call->given, &seen, 1);
	calendar_fill(&model->config, &model->clock, &seen, 1, model->config.horizon + RNN_MAX_TRAINED);
	return seen;
}

static Size
watch_bytes(const AnomalyCall *call, int64 n)
{
	size_t		size;
	rnn_error	err;
	Size		total;

	if (rnn_watch_size(&call->plan, n, &size, &err) != RNN_OK)
		report_engine_error(&err);
	total = size + (Size) n * (sizeof(rnn_watched) + sizeof(double));
	if (total > memory_limit())
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("judging a series of " INT64_FORMAT " rows needs more memory than rnnforecast.max_memory allows", n),
				 errdetail("It takes %zu MB, and the limit is %zu MB.", total >> 20, memory_limit() >> 20),
				 errhint("Raise rnnforecast.max_memory, or let the rows of the query begin later.")));
	return size;
}

static WatchedSeries
watch_series(const AnomalyCall *call, const rnn_series *s)
{
	Size		size = watch_bytes(call, s->n);
	void	   *block = MemoryContextAllocHuge(CurrentMemoryContext, size);
	WatchedSeries w = {.series = s,.seen = without_left_out(call, s)};
	int64		done = 0;
	rnn_error	err;

	w.rows = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(rnn_watched) * s->n);
	while (done < s->n)
	{
		CHECK_FOR_INTERRUPTS();
		if (rnn_watch_step(&call->plan, &w.seen, block, size, &done, w.rows, &err) != RNN_OK)
			report_engine_error(&err);
	}
	return w;
}

/* --------------------------------------------------------------------- output */

static bool
is_flagged(const AnomalyCall *call, const rnn_watched *row, double value)
{
	const AnomalyOptions *o = call->options;
	double		deviation = fabs(value - row->expected);

	if (isnan(row->score) || row->rate > call->rate)
		return false;
	if ((o->direction == DIRECTION_UP && row->score < 0) || (o->direction == DIRECTION_DOWN && row->score > 0))
		return false;
	return deviation >= o->least && deviation >= o->least_share * fabs(row->expected);
}

static void
put_number_or_null(Datum *value, bool *null, double x)
{
	*null = isnan(x);
	*value = Float8GetDatum(isnan(x) ? 0 : fmin(fmax(x, -DBL_MAX), DBL_MAX));
}

/* event: its number, 0 where the row is no part of one */
static void
put_anomaly_row(AnomalyCall *call, const WatchedSeries *w, int64 k, int64 event)
{
	const rnn_series *s = w->series;
	const rnn_watched *row = &w->rows[k];
	bool		judged = !isnan(row->score);
	Datum		values[COLUMNS] = {0};
	bool		nulls[COLUMNS] = {0};
	MemoryContext old = MemoryContextSwitchTo(call->rows.scratch);

	nulls[0] = s->name == NULL;
	if (s->name != NULL)
		values[0] = PointerGetDatum(cstring_to_text_with_len(s->name, s->name_len));
	clock_place(call->clock, s, k, &values[1], &nulls[1]);
	values[4] = Float8GetDatum(s->x[k]);
	put_number_or_null(&values[5], &nulls[5], row->expected);
	put_number_or_null(&values[6], &nulls[6], row->expected - row->reach);
	put_number_or_null(&values[7], &nulls[7], row->expected + row->reach);
	put_number_or_null(&values[8], &nulls[8], row->score);
	put_number_or_null(&values[9], &nulls[9], judged ? 1 - row->rate : NAN);
	values[10] = BoolGetDatum(event > 0);
	nulls[11] = event == 0;
	values[11] = Int64GetDatum(event);
	set_key(series_name(s), &values[12], &nulls[12]);
	MemoryContextSwitchTo(old);
	tuples_put(&call->rows, values, nulls);
}

/* Its known rows, with their flags; flags that are near enough to the one before belong to its event. */
static void
put_series(AnomalyCall *call, const WatchedSeries *w)
{
	int64		last = -1,
				events = 0;

	for (int64 k = first_row(call, w->series); k < w->series->n; k++)
	{
		bool		flagged;

		CHECK_FOR_INTERRUPTS();
		if (isnan(w->series->x[k]))
			continue;
		flagged = is_flagged(call, &w->rows[k], w->series->x[k]);
		if (flagged && (events == 0 || k - last - 1 > call->gap))
			events++;
		if (flagged)
			last = k;
		put_anomaly_row(call, w, k, flagged ? events : 0);
	}
}

static void
watch_all(AnomalyCall *call, const rnn_series *series, int count)
{
	for (int i = 0; i < count; i++)
	{
		MemoryContext old;
		WatchedSeries w;

		if (series[i].n == 0)
			continue;
		old = MemoryContextSwitchTo(call->scratch);
		w = watch_series(call, &series[i]);
		MemoryContextSwitchTo(old);
		put_series(call, &w);
		MemoryContextReset(call->scratch);
	}
}

/* Number of the covariate that says what is left out, true or false or null; -1 where there is none. */
static int
find_exclude(const rnn_covariates *covariates)
{
	for (int i = 0; i < covariates->n; i++)
	{
		const rnn_covariate *c = &covariates->list[i];

		if (c->name.len != strlen(EXCLUDE) || memcmp(c->name.text, EXCLUDE, c->name.len) != 0)
			continue;
		if (c->is_text)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("column \"%s\" of the query must be boolean, not text", EXCLUDE)));
		return i;
	}
	return -1;
}

static void
watch_nothing(FunctionCallInfo fcinfo, const char *why)
{
	if (tell_once(fcinfo, TOLD_NOTHING))
		ereport(NOTICE,
				(errmsg("nothing is judged: %s", why)));
}

void
anomaly_rows(FunctionCallInfo fcinfo, const rnn_model *history, const rnn_model *model, double level,
			 const AnomalyOptions *options, const char *absent)
{
	AnomalyCall call = {.options = options};

	tuples_begin(&call.rows, fcinfo, COLUMNS);
	if (history == NULL)
	{
		watch_nothing(fcinfo, absent);
		return;
	}
	if (model)
		check_clocks(model, history);
	call.clock = model ? &model->clock : &history->clock;
	call.given = &history->config.covariates;
	call.exclude = find_exclude(&history->config.covariates);
	call.plan.level = level;
	choose_seasons(&call, model);
	call.rate = allowed_rate(&call, level);
	call.gap = options->gap >= 0 ? options->gap : rnn_watch_gap(&call.plan);
	if (options->since)
		call.since = parse_since(call.clock, options->since);
	call.scratch = AllocSetContextCreate(CurrentMemoryContext, "rnnforecast anomalies", ALLOCSET_DEFAULT_SIZES);
	watch_all(&call, model ? series_by_clock(history, call.clock) : history->series, history->n_series);
	MemoryContextDelete(call.scratch);
}

/* ---------------------------------------------------------------- the function */

/* Of the columns that are neither series, time nor value those count that the model knows, and "exclude". */
static void
keep_known(QueryColumns *columns, const rnn_model *model)
{
	columns->covariates = false;
	for (int i = 0; i < columns->count; i++)
	{
		char	   *name = columns->names[i];
		rnn_text	word = {.text = name,.len = name ? strlen(name) : 0};
		int			number;

		if (is_key(columns, i + 1))
			continue;
		if (name && (strcmp(name, EXCLUDE) == 0 || (model && covariate_named(&model->config.covariates, word, &number))))
			columns->covariates = true;
		else
			columns->names[i] = NULL;
	}
}

static const rnn_model *
history_of_query(FunctionCallInfo fcinfo, const rnn_model *model, List *keys, Jsonb *tidying)
{
	QueryColumns columns;
	bytea	   *bytes;

	SPI_connect();
	query_columns(text_to_cstring(PG_GETARG_TEXT_PP(ARG_QUERY)), keys, &columns);
	keep_known(&columns, model);
	bytes = query_aggregate(&columns, fcinfo->flinfo->fn_oid, "rnn_history", model ? bins_of(model) : tidying);
	SPI_finish();
	return bytes ? decode_model(bytes) : NULL;
}

/* (query, level, options, model) -> rows of the type rnn_anomaly_row */
Datum
rnnforecast_rnn_anomalies(PG_FUNCTION_ARGS)
{
	const rnn_model *model = fetch_model(fcinfo, ARG_MODEL, false);
	double		level = level_argument(fcinfo, ARG_LEVEL, ANOMALY_LEVEL);
	Jsonb	   *given = PG_ARGISNULL(ARG_OPTIONS) ? NULL : PG_GETARG_JSONB_P(ARG_OPTIONS);
	List	   *keys = take_keys(&given);
	AnomalyOptions options;

	parse_anomaly_options(given, &options);
	if (model && options.tidying)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options of rnn_history and a model cannot be used together"),
				 errdetail("The rows are placed on the times of the model.")));
	if (PG_ARGISNULL(ARG_QUERY))
		anomaly_rows(fcinfo, NULL, NULL, level, &options, "the query is NULL");
	else
		anomaly_rows(fcinfo, history_of_query(fcinfo, model, keys, options.tidying), model, level, &options,
					 "the query has no rows");
	return (Datum) 0;
}
