/*
 * backtest.c
 *		rnn_backtest: what would have been forecast at earlier times, beside what
 *		came.
 *
 * The rows of the query are collected once.  Cutoffs share trainings: one for
 * all, on the points before the earliest cutoff of each series, or one for each
 * `refit` of them.  A model then forecasts all of its cutoffs in pieces of some
 * ends at once, which share most of the work (rnn_ends), and sees nothing behind
 * each of them but covariates that are known ahead.
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

#define Q RNN_QUANTILES
#define COLUMNS 17				/* of rnn_backtest_row */
#define PIECE_NUMBERS 1000000	/* quantiles of a piece, about */
#define MOST_ENDS 4096
#define DEFAULT_CUTOFFS 3
#define MOST_CUTOFFS 1000000
#define ONE_ALONE 1e6			/* kappa with which the reference of the smallest error has all of the mix's weight */
#define TOLD_NOTHING 1

enum { ARG_QUERY, ARG_HORIZON, ARG_CUTOFFS, ARG_OPTIONS, ARG_MODEL };

PG_FUNCTION_INFO_V1(rnnforecast_rnn_backtest);

/* A backtest by one model after the other. */
typedef struct Run
{
	const Backtest *b;
	const rnn_model *history;	/* its series as cutoffs count them */
	int64		season;			/* of naive and scale, by the model that forecasts */
	int			steps;			/* from a cutoff on: gap and horizon */
	Tuples		rows;
	MemoryContext scratch;		/* of a piece */
} Run;

/* What forecasts, and the series as it knows them. */
typedef struct Player
{
	const rnn_model *model;
	rnn_model	mix,			/* the same, the mix alone, */
				reference;		/* and of it the best reference alone */
	const rnn_series *series;
	const float **correction;	/* (cutoffs) of the intervals at each, NULL: the model's */
} Player;

/* ------------------------------------------------------------------ a piece */

/* Cutoffs that are forecast at once: the places of their series, and ends in these. */
typedef struct Piece
{
	int			count;
	rnn_series *series;			/* (count) */
	int64		n;
	rnn_origin *origins;		/* (n) */
} Piece;

/* A series that ends at a cutoff and begins in its window, where there is one. */
static rnn_series
window_of(const Run *run, const Player *p, const rnn_series *whole, int64 e)
{
	rnn_series	s = *whole;

	s.ahead += s.n - e;
	s.n = e;
	if (run->b->window > 0)
		trim_series(&s, p->model, run->b->window, true);
	return s;
}

static Piece
new_piece(const Run *run, const Player *p, const Cut *cuts, int64 n)
{
	Piece		piece = {.n = n};

	piece.series = palloc(sizeof(rnn_series) * n);
	piece.origins = palloc(sizeof(rnn_origin) * n);
	for (int64 i = 0; i < n; i++)
	{
		const rnn_series *s = &p->series[cuts[i].series];

		if (run->b->window > 0)
			piece.series[piece.count++] = window_of(run, p, s, cuts[i].e);
		else if (i == 0 || cuts[i].series != cuts[i - 1].series)
			piece.series[piece.count++] = *s;
		piece.origins[i] = (rnn_origin) {
			.series = piece.count - 1,.e = run->b->window > 0 ? piece.series[piece.count - 1].n : cuts[i].e,
				.correction = p->correction[cuts[i].index]
		};
	}
	if (p->model->config.terms)
		calendar_fill(&p->model->clock, piece.series, piece.count, run->steps);
	return piece;
}

/* The quantiles (n, steps, Q) of a model; NULL where there is no room for so many. */
static double *
forecast_piece(const Run *run, const rnn_model *model, const Piece *piece)
{
	Size		out = sizeof(double) * Q * run->steps * (Size) piece->n,
				work;
	char	   *block;
	rnn_forecaster *f;
	rnn_error	err;

	if (rnn_ends_size(model, piece->series, piece->count, piece->origins, piece->n, run->steps, &work, &err) != RNN_OK)
		report_engine_error(&err);
	work = MAXALIGN(work);
	/* With what the mix and its best reference say beside it. */
	if (work + 3 * out > memory_limit())
	{
		if (piece->n > 1)
			return NULL;
		rnn_fail(&err, RNN_ERR_MEMORY, "forecasting", (double) (work + 3 * out), 0, (double) memory_limit());
		report_engine_error(&err);
	}
	block = MemoryContextAllocHuge(CurrentMemoryContext, out + work);
	if (rnn_ends_begin(model, piece->series, piece->count, piece->origins, piece->n, run->steps,
					   block + out, work, (double *) block, &f, &err) != RNN_OK)
		report_engine_error(&err);
	drive_forecast(f);
	return (double *) block;
}

/* ------------------------------------------------------------------- output */

/* Quantiles of a piece by what forecasts; NULL where there is no room. */
typedef struct Said
{
	const double *q,			/* (n, steps, Q) */
			   *mix,
			   *reference;
} Said;

static bool
says_mix(const rnn_model *m)
{
	return m->n_members == 0 && m->prior_net == NULL;
}

/* False where there is no room for so many. */
static bool
ask(const Run *run, const Player *p, const Piece *piece, Said *said)
{
	*said = (Said) {.q = forecast_piece(run, p->model, piece)};
	if (said->q)
		said->mix = says_mix(p->model) ? said->q : forecast_piece(run, &p->mix, piece);
	if (said->mix)
		said->reference = forecast_piece(run, &p->reference, piece);
	return said->reference != NULL;
}

/* Of one cutoff. */
typedef struct Told
{
	const rnn_series *s;
	int64		e;
	rnn_series	before;			/* s up to there */
	rnn_config	cfg;			/* with its own bounds */
	double		scale;
} Told;

static double
naive_of(const Told *t, int64 season, int step)
{
	double		x = season_before(&t->before, season, step);

	return isnan(x) ? t->s->x[t->e - 1] : x;
}

static Datum
quantiles_of(const double *q)
{
	Datum		levels[Q];

	for (int k = 0; k < Q; k++)
		levels[k] = Float8GetDatum(q[k]);
	return PointerGetDatum(construct_array(levels, Q, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

static void
put_row(Run *run, const Told *t, int step, const double *q, double mix, double reference)
{
	const rnn_clock *clock = &run->history->clock;
	double		low = (1 - run->b->level) / 2;
	MemoryContext old = MemoryContextSwitchTo(run->rows.scratch);
	Datum		values[COLUMNS] = {0};
	bool		nulls[COLUMNS] = {false};

	CHECK_FOR_INTERRUPTS();
	nulls[0] = t->s->name == NULL;
	if (t->s->name)
		values[0] = PointerGetDatum(cstring_to_text_with_len(t->s->name, t->s->name_len));
	nulls[1] = !clock_has_times(clock);
	if (!nulls[1])
		values[1] = TimestampGetDatum(clock_local(clock, clock_time(clock, t->s->start, t->e - 1)));
	values[2] = Int32GetDatum(step);
	clock_place(clock, t->s, t->e - 1 + step, &values[3], &nulls[3]);
	values[6] = Float8GetDatum(t->s->x[t->e - 1 + step]);
	values[7] = Float8GetDatum(q[RNN_MEDIAN]);
	values[8] = Float8GetDatum(rnn_quantile_bound(&t->cfg, q, low));
	values[9] = Float8GetDatum(rnn_quantile_bound(&t->cfg, q, 1 - low));
	values[10] = quantiles_of(q);
	values[11] = Float8GetDatum(rnn_quantile_mean(&t->cfg, q));
	values[12] = Float8GetDatum(naive_of(t, run->season, step));
	values[13] = Float8GetDatum(mix);
	values[14] = Float8GetDatum(t->scale);
	nulls[14] = isnan(t->scale);
	values[15] = Float8GetDatum(reference);
	set_key(series_name(t->s), &values[16], &nulls[16]);
	MemoryContextSwitchTo(old);
	tuples_put(&run->rows, values, nulls);
}

/* Steps after cutoff i of a piece that have come, and are known. */
static void
put_cut(Run *run, const Told *t, const Said *said, int64 i)
{
	for (int step = run->b->gap + 1; step <= run->steps && t->e - 1 + step < t->s->n; step++)
	{
		Size		at = ((Size) i * run->steps + step - 1) * Q;

		if (!isnan(t->s->x[t->e - 1 + step]))
			put_row(run, t, step, said->q + at, said->mix[at + RNN_MEDIAN], said->reference[at + RNN_MEDIAN]);
	}
}

static void
put_piece(Run *run, const Player *p, const Cut *cuts, int64 n, const Said *said)
{
	rnn_tally	tally = {0};
	ScaleSum	sum = {0};

	for (int64 i = 0; i < n; i++)
	{
		const rnn_series *s = &run->history->series[cuts[i].series];
		Told		t = {.s = s,.e = cuts[i].e,.before = *s};

		t.before.n = t.e;
		if (i > 0 && cuts[i].series != cuts[i - 1].series)
			tally = (rnn_tally) {0};
		t.cfg = rnn_forecast_config(p->model, &tally, s, t.e);
		t.scale = scale_before(&sum, s, t.e, run->season, run->b->scale_points);
		put_cut(run, &t, said, i);
	}
}

/* A half of them at a time where memory is short. */
static void
play_piece(Run *run, const Player *p, const Cut *cuts, int64 n)
{
	MemoryContext outer = MemoryContextSwitchTo(run->scratch);
	Piece		piece = new_piece(run, p, cuts, n);
	Said		said;
	bool		told = ask(run, p, &piece, &said);

	if (told)
		put_piece(run, p, cuts, n, &said);
	MemoryContextSwitchTo(outer);
	MemoryContextReset(run->scratch);
	if (told)
		return;
	play_piece(run, p, cuts, n / 2);
	play_piece(run, p, cuts + n / 2, n - n / 2);
}

/* Of the model that is given the rows before a cutoff: what came of its forecasts since the training; NULL where nothing did. */
static const float *
correction_at(const Run *run, const Player *p, const Cut *cuts, int64 n, int index)
{
	rnn_model	then = *p->model;
	rnn_series *series = palloc_extended(sizeof(rnn_series) * n, MCXT_ALLOC_HUGE);
	float	   *correction = palloc(sizeof(float) * RNN_MEDIAN);
	MemoryContext outer = MemoryContextSwitchTo(run->scratch);

	then.series = series;
	then.n_series = 0;
	for (int64 i = 0; i < n; i++)
		if (cuts[i].index == index)
			series[then.n_series++] = window_of(run, p, &p->series[cuts[i].series], cuts[i].e);
	correct_calibration(&then);
	memcpy(correction, then.correction, sizeof(float) * RNN_MEDIAN);
	MemoryContextSwitchTo(outer);
	MemoryContextReset(run->scratch);
	pfree(series);
	return then.passed > 0 ? correction : NULL;
}

static const float **
corrections(const Run *run, const Player *p, const Cut *cuts, int64 n)
{
	const float **all = palloc0(sizeof(float *) * run->b->cutoffs);
	bool	   *there = palloc0(run->b->cutoffs);

	for (int64 i = 0; i < n; i++)
		there[cuts[i].index] = true;
	for (int i = 0; i < run->b->cutoffs; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (there[i])
			all[i] = correction_at(run, p, cuts, n, i);
	}
	pfree(there);
	return all;
}

/* A model's mix, without its networks. */
static rnn_model
mix_of(const rnn_model *model)
{
	rnn_model	mix = *model;

	mix.n_members = 0;
	mix.weight = mix.weight_short = 0;
	mix.prior = 0;
	mix.prior_net = NULL;
	mix.config.skip = true;
	mix.mix_spread = 1;
	return mix;
}

static void
play(Run *run, const rnn_model *model, const rnn_series *series, const Cut *cuts, int64 n)
{
	rnn_model	own = *model;
	Player		p = {.model = &own,.mix = mix_of(model),.series = series};
	int64		most = Max(1, Min(MOST_ENDS, PIECE_NUMBERS / ((int64) run->steps * Q)));

	p.reference = p.mix;
	p.reference.config.kappa = ONE_ALONE;
	/* What it learned from rows that came later. */
	own.passed = p.mix.passed = p.reference.passed = 0;
	p.correction = corrections(run, &p, cuts, n);
	run->season = run->b->season > 0 ? run->b->season : usual_season(model);
	for (int64 from = 0; from < n; from += most)
		play_piece(run, &p, cuts + from, Min(most, n - from));
}

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
		s->ahead += s->n - cuts[i].e;
		s->n = cuts[i].e;
		if (run->b->window > 0)
			trim_series(s, &before, run->b->window, true);
	}
	before.series = series;
	before.config.covariates = scaled_covariates(&before.config.covariates, series, before.n_series);
	return decode_model(train_on_history(&before, options, NULL, &occasion));
}

static void
play_trained(Run *run, Jsonb *options, const Cut *cuts, int64 n)
{
	MemoryContext training = AllocSetContextCreate(CurrentMemoryContext, "rnnforecast backtest", ALLOCSET_DEFAULT_SIZES),
				outer = MemoryContextSwitchTo(training);
	const rnn_model *model = train_before(run, options, cuts, n);

	play(run, model, series_for_model(run->history, model), cuts, n);
	MemoryContextSwitchTo(outer);
	MemoryContextDelete(training);
}

/* The oldest cutoffs first. */
static void
play_all(Run *run, const rnn_model *given, Jsonb *options, const Cut *all, int64 count)
{
	int			cutoffs = run->b->cutoffs,
				each = given || run->b->refit == 0 ? cutoffs : run->b->refit;
	Cut		   *cuts = palloc_extended(sizeof(Cut) * Max(count, 1), MCXT_ALLOC_HUGE);

	for (int last = cutoffs - 1; last >= 0; last -= each)
	{
		int64		n = choose_cuts(all, count, Max(last - each + 1, 0), last, cuts);

		CHECK_FOR_INTERRUPTS();
		if (n == 0)
			continue;
		if (given)
			play(run, given, run->history->series, cuts, n);
		else
			play_trained(run, options, cuts, n);
	}
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

/* The history as the model knows it: cutoffs are counted on its steps. */
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
	Run			run = {.b = b,.history = history_with_sums(given ? history_of_model(history, given) : history, &sums)};
	int64		count;
	Cut		   *cuts;

	tuples_begin(&run.rows, fcinfo, COLUMNS);
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
	play_all(&run, given, options, cuts, count);
}

/* ---------------------------------------------------------------- arguments */

/* No rows; says why. */
void
backtest_nothing(FunctionCallInfo fcinfo, const char *why)
{
	Tuples		rows;

	tuples_begin(&rows, fcinfo, COLUMNS);
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
