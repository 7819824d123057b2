/*
 * final.c
 *		Final functions: rows to a history, rows or a history to a model.
 */
#include "pg/train/crew.h"

#include "nodes/primnodes.h"
#include "utils/memutils.h"

Size
complete_panel(const rnn_config *cfg, rnn_series *series, rnn_panel *panel)
{
	int64		points = 0;

	for (int i = 0; i < panel->count; i++)
		points += series[i].n;
	/* What is trained further begins with the first one (docs/developers/prior.md). */
	panel->prior = pretrained(cfg->start == RNN_START_PRIOR ? rnn_prior_for(cfg->horizon, points / Max(panel->count, 1)) :
							  rnn_prior_for(0, 0));
	panel->stop = &interrupts;
	panel->n_hints = clock_hints(&panel->clock, panel->hints);
	return calendar_for_training(cfg, &panel->clock, series, panel->count, &panel->calendar);
}

/* Series that a network and the judging may use, as a panel; bytes that go with it. */
static Size
usable_panel(const SeriesSet *all, const rnn_config *cfg, rnn_panel *panel)
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
	return complete_panel(cfg, series, panel);
}

static Size
points_bytes(const SeriesSet *all)
{
	Size		bytes = 0;

	for (int i = 0; i < all->count; i++)
		bytes += sizeof(rnn_series) + all->series[i].n * sizeof(double) +
			(all->series[i].n + all->series[i].ahead) * all->covariates.n * sizeof(float);
	return bytes;
}

/* What sums lack, their series lack. */
static rnn_missing
missing_of_rows(const SeriesSet *all)
{
	int			count = all->count;
	rnn_series *series = parts_of_sums(all->series, &count);
	rnn_missing missing = count_missing(series, count);

	pfree(series);
	return missing;
}

/* Trains on the series; `held` bytes of the memory limit are already taken. */
static bytea *
train_series(SeriesSet *all, const rnn_config *cfg, const ServerOptions *server,
			 const rnn_model *warm, Size held, const Occasion *occasion)
{
	rnn_panel	panel;
	rnn_trainer *trainer;
	rnn_model	model;
	rnn_error	err;
	Driver		driver = new_driver(cfg, server, occasion);
	const Size	taken = held + usable_panel(all, cfg, &panel) + points_bytes(all),
				limit = memory_limit() > taken ? memory_limit() - taken : 0;
	Size		size;

	if (rnn_trainer_size(cfg, &panel, limit, &size, &err) != RNN_OK)
		report_engine_error(&err);
	if (rnn_trainer_init(&trainer, training_block(size), size, cfg, &panel, warm, &err) != RNN_OK)
		report_engine_error(&err);
	progress_begin(driver.name, panel.count);
	PG_TRY();
	{
		/* Weights to start from stay in this process. */
		train_with_crew(trainer, &panel, cfg, size, taken, warm != NULL, &driver);
	}
	PG_FINALLY();
	{
		progress_end();
	}
	PG_END_TRY();
	if (rnn_trainer_model(trainer, &model, &err) != RNN_OK)
		report_engine_error(&err);
	model.n_series = all->count;
	model.series = all->series;
	model.rows_latest = all->latest;
	model.missing = missing_of_rows(all);
	model.hierarchy = (rnn_hierarchy) {.asked = all->hierarchy,.sums = all->sums};
	if (all->hierarchy.len > 0)
	{
		/* What ended early had no forecast before. */
		renew_sums(&model, false);
		choose_method(&model, METHOD_AUTO, model.config.horizon);
	}
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
				 errmsg("option \"duplicates\" cannot be \"last\" where rows have no order"),
				 errhint("Give them an order: rnn_train(ts, value, options ORDER BY id).")));
}

/* (state) -> model; NULL for no rows */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_train_final);
Datum
rnnforecast_rnn_train_final(PG_FUNCTION_ARGS)
{
	Occasion	occasion = {.start = GetCurrentTimestamp(),.share = 1};
	MemoryContext outer = enter_scratch();
	RowState   *state = state_for_reading(fcinfo, 0);
	rnn_config	cfg;
	ServerOptions server;
	SeriesSet		all;

	if (state == NULL || state->n == 0)
	{
		MemoryContextSwitchTo(outer);
		doubt_nothing(fcinfo);
		PG_RETURN_NULL();
	}
	parse_options(state->options, &cfg, &server);
	check_order(fcinfo, &server.tidying);
	series_from_rows(state, &cfg, &server, &all);
	covariates_for_training(&all, server.known_ahead);
	doubt_rows(fcinfo, all.series, all.count, cfg.horizon);
	doubt_gaps(fcinfo, &all.clock, all.series, all.count, &cfg);
	doubt_words(fcinfo, &all.covariates, all.series, all.count);
	sums_for_training(&cfg, &server.hierarchy, &all);
	return leave_scratch(outer, train_series(&all, &cfg, &server, NULL,
											 MemoryContextMemAllocated(state->hdr.eoh_context, true), &occasion));
}

Datum
history_of_state(FunctionCallInfo fcinfo, bool merged)
{
	MemoryContext outer = enter_scratch();
	RowState   *state = state_for_reading(fcinfo, 0);
	rnn_model	m = {0};
	ServerOptions server;
	SeriesSet		all;

	if (state == NULL || state->n == 0)
	{
		MemoryContextSwitchTo(outer);
		PG_RETURN_NULL();
	}
	parse_history_options(state->options, &m.config, &server);
	check_order(fcinfo, &server.tidying);
	server.tidying.merged = merged;
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

/* (state) -> history */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_history_final);
Datum
rnnforecast_rnn_history_final(PG_FUNCTION_ARGS)
{
	return history_of_state(fcinfo, false);
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

		if (!json_field(options, o->name))
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
	if (json_field(options, "calendar"))
		cfg->terms = 0;
}

/* The series of a history as a training with these options has them. */
static void
series_for_training(const rnn_model *history, Jsonb *options, const rnn_model *warm, rnn_config *cfg, ServerOptions *server,
					SeriesSet *all)
{
	parse_options(options, cfg, server);
	if (warm)
	{
		check_clocks(warm, history);
		inherit_options(cfg, warm, options);
	}
	else if (!json_field(options, "gaps"))
		cfg->gaps = history->config.gaps;
	all->clock = warm && (!has_step(history) || in_bins(history, &warm->clock)) ? warm->clock : history->clock;
	if (server->timezone[0])
	{
		/* Stored to the end. */
		memset(all->clock.zone, 0, sizeof(all->clock.zone));
		strlcpy(all->clock.zone, server->timezone, sizeof(all->clock.zone));
	}
	all->latest = history->rows_latest;
	all->series = series_by_clock(history, &all->clock);
	all->count = history->n_series;
	all->series = parts_of_sums(all->series, &all->count);
	for (int i = 0; i < all->count; i++)
		check_values(cfg, &all->clock, &all->series[i]);
	all->covariates = history->config.covariates;
	if (warm && warm->config.covariates.n > 0)
	{
		notice_ignored_covariates(&warm->config.covariates, &all->covariates);
		covariates_for_model(&warm->config.covariates, &all->covariates, all->series, all->count);
		all->covariates = warm->config.covariates;
	}
	else
		covariates_for_training(all, server->known_ahead);
	if (warm && !json_field(options, "hierarchy"))
		server->hierarchy = warm->hierarchy.asked;
	sums_for_training(cfg, &server->hierarchy, all);
}

bytea *
train_on_history(const rnn_model *history, Jsonb *options, const rnn_model *warm, const Occasion *occasion)
{
	rnn_config	cfg;
	ServerOptions server;
	SeriesSet		all;

	series_for_training(history, options, warm, &cfg, &server, &all);
	return train_series(&all, &cfg, &server, warm, 0, occasion);
}

void
size_training(const rnn_model *history, Jsonb *options, TrainingSize *size)
{
	rnn_config	cfg;
	ServerOptions server;
	SeriesSet		all;
	rnn_panel	panel;
	rnn_error	err;
	Size		held;

	series_for_training(history, options, NULL, &cfg, &server, &all);
	held = usable_panel(&all, &cfg, &panel) + points_bytes(&all);
	if (rnn_trainer_size(&cfg, &panel, memory_limit() > held ? memory_limit() - held : 0, &size->memory, &err) != RNN_OK ||
		rnn_trainer_outlook(&cfg, &panel, &size->outlook, &err) != RNN_OK)
		report_engine_error(&err);
	size->memory += held;
	size->series = all.count;
	size->points = known_points(history);
	size->step = clock_has_times(&all.clock) || all.clock.kind == RNN_CLOCK_STEP ? clock_step_text(&all.clock) : "1";
	size->seconds = seconds_allowed(&cfg);
}

/* (history, options, model) -> model */
PG_FUNCTION_INFO_V1(rnnforecast_rnn_train_history);
Datum
rnnforecast_rnn_train_history(PG_FUNCTION_ARGS)
{
	Occasion	occasion = {.start = GetCurrentTimestamp(),.share = 1};
	const rnn_model *history = fetch_model(fcinfo, 0, true);
	const rnn_model *warm = fetch_model(fcinfo, 2, false);
	Jsonb	   *options = PG_ARGISNULL(1) ? NULL : PG_GETARG_JSONB_P(1);
	rnn_config	cfg;
	ServerOptions server;

	parse_options(options, &cfg, &server);
	refuse_tidying(&server.tidying, "is only for rnn_history here", "The rows of a history are series already. Pass the option where they are collected.");
	if (history == NULL)
		return unchanged(fcinfo, 2, warm, "history");
	doubt_rows(fcinfo, history->series, history->n_series, cfg.horizon);
	PG_RETURN_BYTEA_P(train_on_history(history, options, warm, &occasion));
}
