/*
 * train.c
 *		Final functions: rows to a history, rows or a history to a model.
 *
 * The server drives the trainer step by step and looks for interrupts, the
 * clock and the need of a NOTICE between steps; nothing of the engine is ever
 * jumped over by an error but memory that its context frees.
 */
#include "pg.h"
#include "progress.h"
#include "train.h"

#include <math.h>

#include "miscadmin.h"
#include "nodes/primnodes.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define NOTICE_SECONDS 5
#define TRAINER_ALIGN 64
#define TOLD_UNCHANGED 1
#define TOLD_NULL 2

/*
 * Whether a series cut at a point goes on as it would have: at a known value,
 * and where a short month doesn't hide on which day its months are counted.
 */
static bool
may_begin(const rnn_series *s, const rnn_clock *clock, int64 off)
{
	return !isnan(s->x[off]) &&
		(clock->months == 0 || off + 1 == s->n ||
		 clock_time(clock, clock_time(clock, s->start, off), 1) == clock_time(clock, s->start, off + 1));
}

/*
 * Forgets all but the last `keep` points, beginning at a known one: at most so
 * many, or at least so many, since what a gap is filled with lies before it.
 */
void
trim_series(rnn_series *s, const rnn_model *m, int64 keep, bool at_most)
{
	const rnn_clock *clock = &m->clock;
	int64		off = s->n > keep ? s->n - keep : 0;

	while (at_most && off < s->n - 1 && !may_begin(s, clock, off))
		off++;
	while (!at_most && off > 0 && !may_begin(s, clock, off))
		off--;
	if (off == 0)
		return;
	s->start = clock_time(clock, s->start, off);
	s->dropped += off;
	s->x += off;
	s->n -= off;
	if (s->covariates)
		s->covariates += off * m->config.covariates.n;
}

/* Says of a series whether the network, where there is one, doesn't forecast it. */
static void
note_short(const rnn_model *m, rnn_series *s)
{
	bool		uses = m->n_members > 0 && m->weight > 0;

	if (s->note == RNN_NOTE_NONE || s->note == RNN_NOTE_SHORT)
		s->note = uses && !rnn_network_applies(m, s->n) ? RNN_NOTE_SHORT : RNN_NOTE_NONE;
}

/* The model with each series cut to what forecasts need, or to `keep`. */
static bytea *
store_trimmed(rnn_model *m, int keep)
{
	rnn_series *series = palloc(sizeof(rnn_series) * Max(m->n_series, 1));
	int64		reach = keep > 0 ? keep : rnn_history_reach(m);

	for (int i = 0; i < m->n_series; i++)
	{
		CHECK_FOR_INTERRUPTS();
		series[i] = m->series[i];
		if (series[i].n > 0)
			trim_series(&series[i], m, reach, keep > 0);
		note_short(m, &series[i]);
	}
	m->series = series;
	return store_model(m);
}

static double
seconds_since(TimestampTz start)
{
	return (GetCurrentTimestamp() - start) / 1e6;
}

static void
notice_progress(const rnn_progress *p, double elapsed)
{
	StringInfoData s;

	initStringInfo(&s);
	appendStringInfo(&s, "training: %s", p->phase);
	if (p->steps > 0)
		appendStringInfo(&s, ", member %d, step %d of %d", p->member, p->step, p->steps);
	if (!isnan(p->loss))
		appendStringInfo(&s, ", loss %.4f", p->loss);
	ereport(NOTICE,
			(errmsg("%s, %.0f s", s.data, elapsed)));
	pfree(s.data);
}

static void
show_progress(const rnn_trainer *trainer, const rnn_progress *p)
{
	rnn_config	cfg;
	rnn_choice	choice;

	progress_update(p, p->ready ? rnn_trainer_members(trainer, &cfg, &choice) : 0);
}

Ending
drive(rnn_trainer *trainer, Driver *driver)
{
	rnn_progress p = {0};
	rnn_error	err;

	while (!p.done && !p.split)
	{
		double		elapsed = seconds_since(driver->start);

		CHECK_FOR_INTERRUPTS();
		if (driver->ceiling > 0 && elapsed > driver->ceiling && !driver->hurried)
		{
			rnn_trainer_hurry(trainer);
			driver->hurried = true;
		}
		if (rnn_trainer_step(trainer, &p, &err) != RNN_OK)
			report_engine_error(&err);
		show_progress(trainer, &p);
		if (driver->stepped)
			driver->stepped(trainer, &p, driver->arg);
		if (driver->progress && elapsed >= driver->next_notice)
		{
			notice_progress(&p, elapsed);
			driver->next_notice = elapsed + NOTICE_SECONDS;
		}
	}
	return p.done ? ENDING_DONE : p.lacks ? ENDING_LACKS : ENDING_SPLIT;
}

void *
training_block(Size size)
{
	return (void *) TYPEALIGN(TRAINER_ALIGN, MemoryContextAllocHuge(CurrentMemoryContext, size + TRAINER_ALIGN));
}

static Driver
new_driver(const rnn_config *cfg, const ServerOptions *server)
{
	Driver		driver = {
		.start = GetCurrentTimestamp(),.ceiling = cfg->seconds,
		.progress = server->progress,.next_notice = NOTICE_SECONDS
	};

	if (rnnforecast_max_seconds > 0 && (driver.ceiling == 0 || driver.ceiling > rnnforecast_max_seconds))
		driver.ceiling = rnnforecast_max_seconds;
	return driver;
}

/* Series that a network and the judging may use, as a panel; bytes that go with it. */
static Size
usable_panel(const Series *all, const rnn_config *cfg, rnn_panel *panel)
{
	rnn_series *series = palloc_extended(sizeof(rnn_series) * Max(all->count, 1), MCXT_ALLOC_HUGE);

	memset(panel, 0, sizeof(*panel));
	for (int i = 0; i < all->count; i++)
		if (all->series[i].n > 0 && all->series[i].note < RNN_NOTE_EMPTY)
			series[panel->count++] = all->series[i];
	/* Naive forecasts alone still need a model. */
	for (int i = 0; i < all->count && panel->count == 0; i++)
		if (all->series[i].n > 0)
			series[panel->count++] = all->series[i];
	panel->series = series;
	panel->clock = all->clock;
	panel->covariates = all->covariates;
	panel->prior = pretrained(rnn_prior_latest());
	panel->stop = &interrupts;
	panel->n_hints = clock_hints(&all->clock, panel->hints);
	return calendar_for_training(cfg, &all->clock, series, panel->count, &panel->calendar);
}

static Size
points_bytes(const Series *all)
{
	Size		bytes = 0;

	for (int i = 0; i < all->count; i++)
		bytes += sizeof(rnn_series) + all->series[i].n * sizeof(double) +
			(all->series[i].n + all->series[i].ahead) * all->covariates.n * sizeof(float);
	return bytes;
}

/* Trains to the end, shown in rnn_progress. */
static void
train_in_sight(rnn_trainer *trainer, const rnn_panel *panel, Size size, Size held, bool warm, Driver *driver)
{
	progress_begin(driver->name, panel->count);
	PG_TRY();
	{
		/* Weights to start from stay in this process. */
		if (warm)
			drive(trainer, driver);
		else
			train_with_crew(trainer, panel, size, held, driver);
	}
	PG_FINALLY();
	{
		progress_end();
	}
	PG_END_TRY();
}

/* Trains on the series; `held` bytes of the memory limit are already taken. */
static bytea *
train_series(Series *all, const rnn_config *cfg, const ServerOptions *server,
			 const rnn_model *warm, Size held, const char *name)
{
	Size		limit = memory_limit(),
				size;
	rnn_panel	panel;
	rnn_trainer *trainer;
	rnn_model	model;
	rnn_error	err;
	Driver		driver = new_driver(cfg, server);

	driver.name = name;
	held += usable_panel(all, cfg, &panel) + points_bytes(all);
	limit = limit > held ? limit - held : 0;
	if (rnn_trainer_size(cfg, &panel, limit, &size, &err) != RNN_OK)
		report_engine_error(&err);
	if (rnn_trainer_init(&trainer, training_block(size), size, cfg, &panel, warm, &err) != RNN_OK)
		report_engine_error(&err);
	train_in_sight(trainer, &panel, size, held, warm != NULL, &driver);
	if (rnn_trainer_model(trainer, &model, &err) != RNN_OK)
		report_engine_error(&err);
	model.n_series = all->count;
	model.series = all->series;
	model.rows_latest = all->latest;
	model.missing = count_missing(all->series, all->count);
	return store_trimmed(&model, server->keep);
}

/* Everything below the caller's context dies with the call. */
static MemoryContext
enter_scratch(void)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "rnnforecast training",
												  ALLOCSET_DEFAULT_SIZES);

	return MemoryContextSwitchTo(scratch);
}

static Datum
leave_scratch(MemoryContext outer, bytea *result)
{
	MemoryContext scratch = MemoryContextSwitchTo(outer);
	bytea	   *copy = palloc(VARSIZE(result));

	memcpy(copy, result, VARSIZE(result));
	MemoryContextDelete(scratch);
	return PointerGetDatum(copy);
}

/* Which of several rows is the last, only an order says. */
static void
check_order(FunctionCallInfo fcinfo, const Tidying *tidying)
{
	Aggref	   *aggref = AggGetAggref(fcinfo);

	if (tidying->duplicates == DUPLICATES_LAST && (aggref == NULL || aggref->aggorder == NIL))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"duplicates\" can't be \"last\" where rows have no order"),
				 errhint("Give them one: rnn_train(ts, value, options ORDER BY id).")));
}

/* (state) -> model; NULL for no rows */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_train_final);
Datum
rnnforecast_rnn_train_final(PG_FUNCTION_ARGS)
{
	MemoryContext outer = enter_scratch();
	RowState   *state = state_for_reading(fcinfo, 0);
	rnn_config	cfg;
	ServerOptions server;
	Series		all;

	if (state == NULL || state->n == 0)
	{
		MemoryContextSwitchTo(outer);
		PG_RETURN_NULL();
	}
	parse_options(state->options, &cfg, &server);
	check_order(fcinfo, &server.tidying);
	series_from_rows(state, &cfg, &server, &all);
	covariates_for_training(&all, server.known_ahead);
	return leave_scratch(outer, train_series(&all, &cfg, &server, NULL,
											 MemoryContextMemAllocated(state->hdr.eoh_context, true), NULL));
}

/* (state) -> history */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_history_final);
Datum
rnnforecast_rnn_history_final(PG_FUNCTION_ARGS)
{
	MemoryContext outer = enter_scratch();
	RowState   *state = state_for_reading(fcinfo, 0);
	rnn_model	m = {0};
	ServerOptions server;
	Series		all;

	if (state == NULL || state->n == 0)
	{
		MemoryContextSwitchTo(outer);
		PG_RETURN_NULL();
	}
	parse_history_options(state->options, &m.config, &server);
	check_order(fcinfo, &server.tidying);
	series_from_rows(state, &m.config, &server, &all);
	m.is_history = true;
	m.rows_latest = all.latest;
	m.missing = count_missing(all.series, all.count);
	m.clock = all.clock;
	m.config.covariates = all.covariates;
	m.n_series = all.count;
	m.series = all.series;
	return leave_scratch(outer, store_model(&m));
}

static bool
same_step(const rnn_clock *a, const rnn_clock *b)
{
	return a->kind == b->kind && a->months == b->months && a->days == b->days && a->usecs == b->usecs && a->week == b->week;
}

static const char *
clock_name(const rnn_clock *clock)
{
	static const char *const names[] = {"an ordered column", "date", "timestamp", "timestamptz", "steps"};

	return names[clock->kind];
}

/* Single points have no step, and fit any. */
static bool
has_step(const rnn_model *history)
{
	for (int i = 0; i < history->n_series; i++)
		if (history->series[i].n > 1)
			return true;
	return false;
}

/* Whether the history's points are readings that the clock has bins for. */
static bool
in_bins(const rnn_model *history, const rnn_clock *clock)
{
	return !same_step(clock, &history->clock) && has_step(history) && clock_takes_readings(clock, &history->clock);
}

void
check_clocks(const rnn_model *m, const rnn_model *history)
{
	if (m->clock.kind == history->clock.kind &&
		(same_step(&m->clock, &history->clock) || !has_step(history) ||
		 (m->clock.days == 1 && history->clock.days == 1) || in_bins(history, &m->clock)))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the history's step doesn't fit the model's"),
			 errdetail("The model was trained on %s in steps of %s, the history is of %s in steps of %s.",
					   clock_name(&m->clock), clock_step_text(&m->clock),
					   clock_name(&history->clock), clock_step_text(&history->clock)),
			 m->clock.bin == RNN_BIN_NONE || m->clock.kind != history->clock.kind ? 0 :
			 errhint("Collect the rows in the model's bins, with the options '{\"bin\": \"%s\", \"step\": %s}' of rnn_history.",
					 bin_names[m->clock.bin],
					 psprintf(clock_has_times(&m->clock) ? "\"%s\"" : "%s", clock_step_text(&m->clock)))));
}

/* A copy of the history's series, in the clock's bins, their times and phases as it counts them. */
rnn_series *
series_by_clock(const rnn_model *history, const rnn_clock *clock)
{
	rnn_series *series = palloc_extended(sizeof(rnn_series) * Max(history->n_series, 1), MCXT_ALLOC_HUGE);
	bool		same = same_step(clock, &history->clock) && strcmp(clock->zone, history->clock.zone) == 0;

	memcpy(series, history->series, sizeof(rnn_series) * history->n_series);
	if (in_bins(history, clock))
	{
		rebin_series(&history->clock, clock, series, history->n_series, history->config.covariates.n);
		return series;
	}
	for (int i = 0; i < history->n_series && !same && clock->kind != RNN_CLOCK_NONE; i++)
	{
		if (series[i].n == 0)
			continue;
		CHECK_FOR_INTERRUPTS();
		series[i].start = clock_convert(&history->clock, clock, series[i].start);
		clock_regrid(&history->clock, clock, &series[i], history->config.covariates.n);
		series[i].dropped = clock_phase(clock, series[i].start);
	}
	return series;
}

rnn_series *
series_for_model(const rnn_model *history, const rnn_model *m)
{
	rnn_series *series = series_by_clock(history, &m->clock);

	covariates_for_model(&m->config.covariates, &history->config.covariates, series, history->n_series);
	return series;
}

bytea *
observe_history(const rnn_model *model, const rnn_model *history)
{
	rnn_model	result = *model;

	check_clocks(model, history);
	/* A history of one point knows no step; days are then counted as local time. */
	if (same_step(&model->clock, &history->clock) && history->clock.month_day > 0)
		result.clock.month_day = history->clock.month_day;
	result.n_series = history->n_series;
	result.series = series_for_model(history, model);
	for (int i = 0; i < result.n_series; i++)
		check_values(&result.config, &result.clock, &result.series[i]);
	return store_trimmed(&result, 0);
}

/* Where there is no history, NULL would be the end of what was trained: the model of an argument stays as it is. */
static Datum
unchanged(FunctionCallInfo fcinfo, int argno, const rnn_model *model, const char *absent)
{
	if (tell_once(fcinfo, model ? TOLD_UNCHANGED : TOLD_NULL))
		ereport(NOTICE,
				(model ? errmsg("there are no new rows: the model stays as it is, with its history") :
				 errmsg("the result is NULL: there is no %s", absent),
				 model ? errdetail("The history is NULL, as that of no rows is.") : 0));
	if (model == NULL)
		PG_RETURN_NULL();
	PG_RETURN_BYTEA_P(PG_GETARG_BYTEA_P(argno));
}

/* (model, history) -> the model's weights with the history's rows */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_observe);
Datum
rnnforecast_rnn_observe(PG_FUNCTION_ARGS)
{
	const rnn_model *model = fetch_model(fcinfo, 0, false);
	const rnn_model *history = fetch_model(fcinfo, 1, true);

	if (model == NULL || history == NULL)
		return unchanged(fcinfo, 0, model, "model");
	PG_RETURN_BYTEA_P(observe_history(model, history));
}

/*
 * Options that the JSON doesn't name stay as the model has them, but for the
 * minibatch: its size is chosen by the horizon, not by the weights.
 */
static void
inherit_options(rnn_config *cfg, const rnn_model *warm, Jsonb *options)
{
	rnn_config	given = *cfg;

	*cfg = warm->config;
	cfg->batch = 0;
	for (int i = 0; i < rnn_option_count; i++)
	{
		const rnn_option *o = &rnn_options[i];
		Size		width = o->type == RNN_OPT_FLOAT || o->type == RNN_OPT_BIGINT ? 8 : 4;

		if (!names_option(options, o->name))
			continue;
		if (o->type == RNN_OPT_SEASONS)
		{
			cfg->seasons_given = given.seasons_given;
			memcpy(cfg->seasons, given.seasons, sizeof(cfg->seasons));
		}
		else
			memcpy((char *) cfg + o->offset, (char *) &given + o->offset, width);
	}
	/* Which terms there are is chosen anew. */
	if (names_option(options, "calendar"))
		cfg->terms = 0;
}

bytea *
train_on_history(const rnn_model *history, Jsonb *options, const rnn_model *warm, const char *name)
{
	rnn_config	cfg;
	ServerOptions server;
	Series		all;

	parse_options(options, &cfg, &server);
	if (warm)
	{
		check_clocks(warm, history);
		inherit_options(&cfg, warm, options);
	}
	else if (!names_option(options, "gaps"))
		cfg.gaps = history->config.gaps;
	all.clock = warm && (!has_step(history) || in_bins(history, &warm->clock)) ? warm->clock : history->clock;
	if (server.timezone[0])
	{
		/* Stored to the end. */
		memset(all.clock.zone, 0, sizeof(all.clock.zone));
		strlcpy(all.clock.zone, server.timezone, sizeof(all.clock.zone));
	}
	all.latest = history->rows_latest;
	all.count = history->n_series;
	all.series = series_by_clock(history, &all.clock);
	for (int i = 0; i < all.count; i++)
		check_values(&cfg, &all.clock, &all.series[i]);
	all.covariates = history->config.covariates;
	if (warm && warm->config.covariates.n > 0)
	{
		covariates_for_model(&warm->config.covariates, &all.covariates, all.series, all.count);
		all.covariates = warm->config.covariates;
	}
	else
		covariates_for_training(&all, server.known_ahead);
	return train_series(&all, &cfg, &server, warm, 0, name);
}

/* (history, options, model) -> model */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_train_history);
Datum
rnnforecast_rnn_train_history(PG_FUNCTION_ARGS)
{
	const rnn_model *history = fetch_model(fcinfo, 0, true);
	const rnn_model *warm = fetch_model(fcinfo, 2, false);
	Jsonb	   *options = PG_ARGISNULL(1) ? NULL : PG_GETARG_JSONB_P(1);
	rnn_config	cfg;
	ServerOptions server;

	parse_options(options, &cfg, &server);
	refuse_tidying(&server.tidying, "is one of rnn_history here", "A history's rows are series already.");
	if (history == NULL)
		return unchanged(fcinfo, 2, warm, "history");
	PG_RETURN_BYTEA_P(train_on_history(history, options, warm, NULL));
}
