/*
 * backtest.c
 *		rnn_backtest: what would have been forecast at earlier times, beside what
 *		came.
 *
 * The rows of the query are collected once.  Cutoffs share trainings: one for
 * all, on the points before the earliest cutoff of each series, or one for each
 * `refit` of them.  A model then forecasts all of its cutoffs (play.c).  Trainings, or
 * pieces of the forecasts of one model, are done side by side (folds.c).
 */
#include "pg/evaluate/evaluate.h"
#include "pg/train/train.h"

#include <math.h>

#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "parser/parse_func.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define LEAST_ENDS 512			/* of a part, but for the last */
#define DEFAULT_CUTOFFS 3
#define MOST_CUTOFFS 1000000
#define TOLD_NOTHING 1

enum { ARG_QUERY, ARG_HORIZON, ARG_CUTOFFS, ARG_OPTIONS, ARG_MODEL };

PG_FUNCTION_INFO_V1(rnnforecast_rnn_backtest);

/* ---------------------------------------------------------------- trainings */

/* The cutoffs with these numbers, the earliest of each series first. */
static int64
choose_cuts(const Cut *all, int64 count, int first, int last, Cut *chosen)
{
	int64		n = 0;

	for (int64 from = 0, end; from < count; from = end)
	{
		for (end = from + 1; end < count && all[end].series == all[from].series; end++)
			;
		for (int64 i = end - 1; i >= from; i--)
			if (all[i].index >= first && all[i].index <= last)
				chosen[n++] = all[i];
	}
	return n;
}

/* Trained on what lies before the earliest of the cutoffs of each series. */
static const rnn_model *
train_before(const Run *run, Jsonb *options, const Cut *cuts, int64 n)
{
	Occasion	occasion = {.start = GetCurrentTimestamp(),.share = 1};
	rnn_model	before = *run->history;
	rnn_series *series = palloc_extended(sizeof(rnn_series) * Max(before.n_series, 1), MCXT_ALLOC_HUGE);

	memcpy(series, before.series, sizeof(rnn_series) * before.n_series);
	for (int i = 0; i < before.n_series; i++)
		series[i].n = series[i].ahead = 0;
	for (int64 i = n - 1; i >= 0; i--)
	{
		rnn_series *s = &series[cuts[i].series];

		*s = before.series[cuts[i].series];
		s->ahead = Min(s->ahead + s->n - cuts[i].e, RNN_MAX_HORIZON);
		s->n = cuts[i].e;
		if (run->b->window > 0)
			trim_series(s, &before, run->b->window, true);
	}
	/* Sums are made anew. */
	before.series = series = parts_of_sums(series, &before.n_series);
	before.config.covariates = scaled_covariates(&before.config.covariates, series, before.n_series);
	return decode_model(train_on_history(&before, options, NULL, &occasion));
}

void
play_trained(Run *run, Jsonb *options, const Cut *cuts, int64 n)
{
	MemoryContext training = AllocSetContextCreate(CurrentMemoryContext, "rnnforecast backtest", ALLOCSET_DEFAULT_SIZES),
				outer = MemoryContextSwitchTo(training);
	const rnn_model *model = train_before(run, options, cuts, n);
	Player		p;

	player_init(run, &p, model, series_for_model(run->history, model));
	player_correct(run, &p, cuts, n);
	play(run, &p, cuts, n);
	MemoryContextSwitchTo(outer);
	MemoryContextDelete(training);
}

/* Whole series where they have less than what is forecast at once, since the ends of one share most of the work. */
static int64
part_end(const Cut *cuts, int64 n, int64 from, int64 most)
{
	int64		end = from;

	while (end < n && end - from < most && (end - from < LEAST_ENDS || cuts[end].series == cuts[end - 1].series))
		end++;
	return end;
}

static void
play_model(Run *run, const rnn_model *history, const rnn_model *model, bool known, const rnn_series *series, const Cut *cuts, int64 n)
{
	int64		most = piece_ends(run);
	Player		p;
	Folds		f = {.run = run,.history = history,.given = model,.known = known,.player = &p,.cuts = cuts};

	player_init(run, &p, model, series);
	f.first = palloc_extended(sizeof(int64) * (n / Min(LEAST_ENDS, most) + 2), MCXT_ALLOC_HUGE);
	for (f.first[0] = 0; f.first[f.n] < n; f.n++)
		f.first[f.n + 1] = part_end(cuts, n, f.first[f.n], most);
	correct_folds(&f);
	play_folds(&f);
}

/* Cutoffs of each training, the oldest first. */
static void
part_cuts(Folds *f, Cut *cuts, int each, const Cut *all, int64 count)
{
	int			cutoffs = f->run->b->cutoffs;

	f->cuts = cuts;
	f->first = palloc0(sizeof(int64) * (cutoffs / each + 2));
	for (int last = cutoffs - 1; last >= 0; last -= each)
	{
		int64		from = f->first[f->n],
					n = choose_cuts(all, count, Max(last - each + 1, 0), last, cuts + from);

		CHECK_FOR_INTERRUPTS();
		if (n > 0)
			f->first[++f->n] = from + n;
	}
}

static void
play_all(Run *run, const rnn_model *history, const rnn_model *given, Jsonb *options, const Cut *all, int64 count)
{
	int			cutoffs = run->b->cutoffs;
	Folds		f = {.run = run,.history = history,.options = options};
	Cut		   *cuts = palloc_extended(sizeof(Cut) * Max(count, 1), MCXT_ALLOC_HUGE);

	part_cuts(&f, cuts, given || run->b->refit == 0 ? cutoffs : run->b->refit, all, count);
	if (given)
		play_model(run, history, given, true, run->history->series, cuts, f.first[f.n]);
	else if (f.n == 1)
	{
		const rnn_model *model = train_before(run, options, cuts, f.first[1]);

		play_model(run, history, model, false, series_for_model(run->history, model), cuts, f.first[1]);
	}
	else
		play_folds(&f);
}

/* ------------------------------------------------------------------ horizon */

/* What a training makes of the rows where nothing says it: the mix alone is quick. */
static int
usual_horizon(const rnn_model *history, Jsonb *options)
{
	Occasion	occasion = {.start = GetCurrentTimestamp(),.share = 1};

	return decode_model(train_on_history(history, json_merge(options, json_from("{\"start\": \"auto\", \"network\": false}")),
										 NULL, &occasion))->config.horizon;
}

/* Asked for, else the model's, else that of the training; the last may be 0. */
static int
horizon_of(const Backtest *b, const rnn_model *given, Jsonb *options)
{
	rnn_config	cfg;
	ServerOptions server;

	if (b->horizon > 0 || given)
		return b->horizon > 0 ? b->horizon : given->config.horizon;
	parse_options(options, &cfg, &server);
	return cfg.horizon;
}

/* A horizon among the options is one of the training, and stays. */
static Jsonb *
train_for(Jsonb *options, int steps)
{
	JsonbValue *v = json_field(options, "horizon");

	if (v && v->type == jbvNumeric)
		return options;
	return json_merge(options, json_from(psprintf("{\"horizon\": %d}", Min(steps, RNN_MAX_TRAINED))));
}

/* As a model knows it: cutoffs are counted on its steps. */
static const rnn_model *
history_of_model(const rnn_model *history, const rnn_model *model)
{
	rnn_model  *known = palloc(sizeof(rnn_model));

	check_clocks(model, history);
	*known = *history;
	known->clock = model->clock;
	known->series = series_for_model(history, model);
	for (int i = 0; i < known->n_series; i++)
		check_values(&model->config, &known->clock, &known->series[i]);
	return known;
}

const rnn_model *
judged_history(const rnn_model *history, const rnn_model *model, rnn_text asked)
{
	return history_with_sums(model ? history_of_model(history, model) : history, &asked,
							 model ? &model->config.covariates : &history->config.covariates);
}

/* Who may not call rnn_train_history trains nothing here either. */
static void
check_may_train(Oid function)
{
	Oid			types[] = {BYTEAOID, JSONBOID, BYTEAOID},
				train = LookupFuncName(list_make2(makeString(get_namespace_name(get_func_namespace(function))),
												  makeString("rnn_train_history")), 3, types, false);
#if PG_VERSION_NUM >= 160000
	AclResult	result = object_aclcheck(ProcedureRelationId, train, GetUserId(), ACL_EXECUTE);
#else
	AclResult	result = pg_proc_aclcheck(train, GetUserId(), ACL_EXECUTE);
#endif

	if (result != ACLCHECK_OK)
		aclcheck_error(result, OBJECT_FUNCTION, "rnn_train_history");
}

void
backtest_rows(FunctionCallInfo fcinfo, const rnn_model *history, const rnn_model *given, Jsonb *options, Backtest *b)
{
	rnn_text	sums = given ? given->hierarchy.asked : hierarchy_asked(options);
	Run			run = {.b = b,.history = judged_history(history, given, sums)};
	int64		count;
	Cut		   *cuts;

	tuples_begin(&run.rows, fcinfo, BACKTEST_COLUMNS);
	if (!given)
		check_may_train(fcinfo->flinfo->fn_oid);
	b->horizon = horizon_of(b, given, options);
	if (b->horizon == 0)
		b->horizon = usual_horizon(history, options);
	run.steps = check_horizon((int64) b->gap + b->horizon);
	if (b->every == 0)
		b->every = b->horizon;
	if (!given)
		options = train_for(options, run.steps);
	run.scratch = AllocSetContextCreate(CurrentMemoryContext, "rnnforecast piece", ALLOCSET_DEFAULT_SIZES);
	cuts = plan_cuts(run.history, b, &count);
	play_all(&run, history, given, options, cuts, count);
}

/* ---------------------------------------------------------------- arguments */

/* No rows; says why. */
void
backtest_nothing(FunctionCallInfo fcinfo, const char *why)
{
	Tuples		rows;

	tuples_begin(&rows, fcinfo, BACKTEST_COLUMNS);
	if (tell_once(fcinfo, TOLD_NOTHING))
		ereport(NOTICE,
				(errmsg("nothing is judged: %s", why)));
}

void
get_backtest_arguments(FunctionCallInfo fcinfo, Backtest *b)
{
	int			cutoffs = PG_ARGISNULL(ARG_CUTOFFS) ? DEFAULT_CUTOFFS : PG_GETARG_INT32(ARG_CUTOFFS);

	if (!PG_ARGISNULL(ARG_HORIZON))
		b->horizon = check_horizon(PG_GETARG_INT64(ARG_HORIZON));
	if (cutoffs < 1 || cutoffs > MOST_CUTOFFS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cutoffs must be between 1 and %d, not %d", MOST_CUTOFFS, cutoffs)));
	b->cutoffs = cutoffs;
}

void
refuse_training(Jsonb *options, const Backtest *b)
{
	if (b->refit > 0 || (options && JB_ROOT_COUNT(options) > 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options of a training and model cannot be used together"),
				 errdetail("The model is trained already."),
				 errhint("With a model, the options are every, gap, window, scale_points, season, level and at.")));
}

/* rnn_backtest(query, horizon, cutoffs, options, model) */
Datum
rnnforecast_rnn_backtest(PG_FUNCTION_ARGS)
{
	const rnn_model *given = fetch_model(fcinfo, ARG_MODEL, false);
	Backtest	b;
	Jsonb	   *options = PG_ARGISNULL(ARG_OPTIONS) ? NULL : PG_GETARG_JSONB_P(ARG_OPTIONS);
	List	   *keys = take_keys(&options);
	QueryColumns columns;
	rnn_config	cfg;
	ServerOptions server;
	bytea	   *bytes;

	options = take_backtest_options(options, &b);
	get_backtest_arguments(fcinfo, &b);
	if (given)
		refuse_training(options, &b);
	else
		parse_options(options, &cfg, &server);
	if (PG_ARGISNULL(ARG_QUERY))
	{
		backtest_nothing(fcinfo, "the query is NULL");
		return (Datum) 0;
	}
	SPI_connect();
	query_columns(text_to_cstring(PG_GETARG_TEXT_PP(ARG_QUERY)), keys, &columns);
	bytes = query_aggregate(&columns, fcinfo->flinfo->fn_oid, "rnn_history",
							given ? bins_of(given) : options ? history_options(options) : NULL);
	SPI_finish();
	if (bytes == NULL)
		backtest_nothing(fcinfo, "the query has no rows");
	else
		backtest_rows(fcinfo, decode_model(bytes), given, given ? NULL : default_training(0, options, columns.covariates), &b);
	return (Datum) 0;
}
