/*
 * version.c
 *		A new version of a named model: rows, training, scores, and its row in
 *		the tables.
 */
#include "progress.h"
#include "refit.h"
#include "train.h"

#include <math.h>

#include "common/sha2.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/timestamp.h"

#define MOST_NAMED 1000			/* series whose errors a run lists, the worst */
#define RUNS_KEPT 1000			/* of a model */

void
collect_rows(Training *t)
{
	const rnn_model *history;
	Oid			owner = model_owner(t->model);
	Args		args = {0};
	bool		null;

	t->rows = query_history(&t->registry, owner, t->model->query, t->model->settings, history_options(t->model->options));
	if (t->rows == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the query of model \"%s\" has no rows", t->model->name)));
	t->fingerprint = DatumGetByteaP(DirectFunctionCall1(sha256_bytea, PointerGetDatum(t->rows)));
	history = decode_model(t->rows);
	for (int i = 0; i < history->n_series; i++)
		for (int64 k = 0; k < history->series[i].n; k++)
			t->points += !isnan(history->series[i].x[k]);
	add_int(&args, t->model->id);
	if (registry_run(&t->registry, "SELECT fingerprint FROM @.rnn_registry_version WHERE model = $1 "
					 "ORDER BY version DESC LIMIT 1", &args, false))
	{
		Datum		value = result_datum(0, 1, &null);

		t->old_rows = !null && DatumGetBool(DirectFunctionCall2(byteaeq, value, PointerGetDatum(t->fingerprint)));
	}
}

/* Only what says what is forecast: the mix on the same terms. */
static Jsonb *
mix_options(Jsonb *options, int horizon)
{
	static const char *const keys[] = {"seasons", "kappa", "timezone"};
	StringInfoData s;

	initStringInfo(&s);
	appendStringInfoString(&s, "{\"network\": false");
	if (horizon > 0)
		appendStringInfo(&s, ", \"horizon\": %d", horizon);
	for (size_t i = 0; i < lengthof(keys); i++)
	{
		JsonbValue	key = {.type = jbvString,.val.string = {.len = strlen(keys[i]),.val = unconstify(char *, keys[i])}};
		JsonbValue *v = findJsonbValueFromContainer(&options->root, JB_FOBJECT, &key);

		if (v == NULL)
			continue;
		appendStringInfo(&s, ", \"%s\": ", keys[i]);
		appendStringInfoString(&s, JsonbToCString(NULL, &JsonbValueToJsonb(v)->root, 64));
	}
	appendStringInfoChar(&s, '}');
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(s.data)));
}

/* The horizon of the training: given, that of the live version, or what auto makes of the rows. */
static int
horizon_of(const Training *t, const rnn_model *history, const rnn_model *live)
{
	rnn_config	cfg;
	ServerOptions server;

	parse_options(t->model->options, &cfg, &server);
	if (cfg.horizon > 0)
		return cfg.horizon;
	if (live)
		return live->config.horizon;
	return decode_model(train_on_history(history, mix_options(t->model->options, 0), NULL))->config.horizon;
}

void
train_version(Training *t)
{
	const rnn_model *history = decode_model(t->rows),
			   *live = t->live ? decode_model(t->live) : NULL,
			   *before,
			   *mix,
			   *fresh;
	int			horizon = horizon_of(t, history, live);
	Jsonb	   *options = t->model->options;

	if (live)
		check_clocks(live, history);
	t->windows = last_windows(history, horizon, t->rules.windows);
	before = decode_model(before_windows(&t->windows));
	mix = decode_model(train_on_history(before, mix_options(options, horizon), NULL));
	options = DatumGetJsonbP(DirectFunctionCall2(jsonb_concat, JsonbPGetDatum(options),
												 DirectFunctionCall1(jsonb_in, CStringGetDatum(psprintf("{\"horizon\": %d}", horizon)))));
	progress_name(t->model->name);
	fresh = decode_model(train_on_history(before, options, live));
	set_scales(&t->windows, mix->n_seasons > 0 ? mix->seasons[0] : 1);
	t->fresh = score_model(fresh, &t->windows);
	t->mix = score_model(mix, &t->windows);
	t->old = live ? score_model(live, &t->windows) : (Score) {.mase = NAN,.coverage = NAN};
	t->bytes = observe_history(fresh, history);
	if (judge_version(t) && strcmp(t->outcome, "refused") == 0)
		t->observed = observe_history(live, history);
}

/* ---------------------------------------------------------------- tables */

/* The latest time of all series, as the wall clock shows it; NULL without times. */
static void
add_last(Args *args, const rnn_model *m)
{
	Timestamp	last = DT_NOBEGIN;

	for (int i = 0; i < m->n_series && clock_has_times(&m->clock); i++)
	{
		const rnn_series *s = &m->series[i];

		if (s->n > 0)
			last = Max(last, clock_local(&m->clock, clock_time(&m->clock, s->start, s->n - 1)));
	}
	add_arg(args, TIMESTAMPOID, TimestampGetDatum(last), last == DT_NOBEGIN);
}

static void
insert_version(Training *t)
{
	Args		args = {0};

	add_int(&args, t->model->id);
	if (!registry_run(&t->registry, "UPDATE @.rnn_registry SET last_version = last_version + 1 WHERE id = $1 "
					  "RETURNING last_version", &args, false))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("model \"%s\" was dropped while it was trained", t->model->name)));
	t->version = (int32) result_int(1);
	add_int(&args, t->version);
	add_arg(&args, BYTEAOID, PointerGetDatum(t->bytes), false);
	add_text(&args, t->kind);
	add_arg(&args, BYTEAOID, PointerGetDatum(t->fingerprint), t->fingerprint == NULL);
	add_arg(&args, INT8OID, Int64GetDatum(t->points), false);
	add_last(&args, decode_model(t->bytes));
	add_float(&args, t->fresh.mase);
	add_float(&args, t->old.mase);
	add_float(&args, t->mix.mase);
	add_float(&args, t->fresh.coverage);
	registry_run(&t->registry, "INSERT INTO @.rnn_registry_version (model, version, bytes, source, fingerprint, points, last_ts, "
				 "mase, live_mase, mix_mase, coverage) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)", &args, false);
}

/* Whether the scores were made of what is live now; then it stays live to the end of the transaction. */
static bool
still_live(const Training *t)
{
	Args		args = {0};

	add_int(&args, t->model->id);
	add_int(&args, t->model->live);
	return registry_run(&t->registry, "SELECT FROM @.rnn_registry WHERE id = $1 AND coalesce(live, 0) = $2 FOR UPDATE", &args, false);
}

/* Weights that were better go on from today's rows. */
static void
observe_live(const Training *t)
{
	Args		args = {0};

	add_int(&args, t->model->id);
	add_int(&args, t->model->live);
	add_arg(&args, BYTEAOID, PointerGetDatum(t->observed), false);
	add_last(&args, decode_model(t->observed));
	registry_run(&t->registry, "UPDATE @.rnn_registry_version SET bytes = $3, last_ts = $4 WHERE model = $1 AND version = $2", &args, false);
}

/* Keeps the live version, that to which rnn_rollback would go, the latest, and what is to be kept. */
static void
remove_old(const Training *t)
{
	Args		args = {0};

	add_int(&args, t->model->id);
	add_int(&args, t->rules.retain);
	registry_run(&t->registry, "DELETE FROM @.rnn_registry_version AS v USING @.rnn_registry AS r "
				 "WHERE r.id = $1 AND v.model = r.id AND NOT v.keep AND v.version IS DISTINCT FROM r.live "
				 "AND v.version <= r.last_version - $2 "
				 "AND v.version IS DISTINCT FROM (SELECT max(o.version) FROM @.rnn_registry_version AS o "
				 "WHERE o.model = r.id AND o.version < r.live AND o.promoted IS NOT NULL)", &args, false);
	args.count = 1;
	add_int(&args, RUNS_KEPT);
	registry_run(&t->registry, "DELETE FROM @.rnn_registry_run WHERE model = $1 AND id <= (SELECT o.id FROM @.rnn_registry_run AS o "
				 "WHERE o.model = $1 ORDER BY o.id DESC OFFSET $2 LIMIT 1)", &args, false);
}

void
store_version(Training *t)
{
	insert_version(t);
	if (!still_live(t))
	{
		t->outcome = "refused";
		t->message = "another version became live meanwhile";
	}
	else if (strcmp(t->outcome, "promoted") == 0)
		make_live(&t->registry, t->model, t->version);
	else if (t->observed)
		observe_live(t);
	remove_old(t);
}

typedef struct Worst
{
	int			series;
	double		error;
} Worst;

static int
compare_worst(const void *a, const void *b)
{
	double		x = ((const Worst *) a)->error,
				y = ((const Worst *) b)->error;

	return (x < y) - (x > y);
}

/* {"name": error, ...} of the worst; NULL where there are no names. */
static Jsonb *
series_errors(const Training *t)
{
	const rnn_model *history = t->windows.history;
	Worst	   *worst;
	int			count = 0;
	StringInfoData s;

	if (history == NULL || t->fresh.series == NULL)
		return NULL;
	worst = palloc_extended(sizeof(Worst) * Max(history->n_series, 1), MCXT_ALLOC_HUGE);
	for (int i = 0; i < history->n_series; i++)
		if (history->series[i].name != NULL && isfinite(t->fresh.series[i]))
			worst[count++] = (Worst) {i, t->fresh.series[i]};
	if (count == 0)
		return NULL;
	qsort(worst, count, sizeof(Worst), compare_worst);
	initStringInfo(&s);
	for (int i = 0; i < Min(count, MOST_NAMED); i++)
	{
		const rnn_series *one = &history->series[worst[i].series];

		appendStringInfoString(&s, i == 0 ? "{" : ", ");
		escape_json(&s, pnstrdup(one->name, one->name_len));
		appendStringInfo(&s, ": %.6g", worst[i].error);
	}
	appendStringInfoChar(&s, '}');
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(s.data)));
}

void
finish_run(const Training *t)
{
	Args		args = {0};
	Jsonb	   *series = series_errors(t);

	add_arg(&args, INT8OID, Int64GetDatum(t->run), false);
	add_text(&args, t->outcome);
	add_arg(&args, INT4OID, Int32GetDatum(t->version), t->version == 0);
	add_arg(&args, INT8OID, Int64GetDatum(t->points), t->points == 0);
	add_float(&args, t->windows.history ? t->fresh.mase : NAN);
	add_float(&args, t->windows.history ? t->old.mase : NAN);
	add_float(&args, t->windows.history ? t->mix.mase : NAN);
	add_arg(&args, JSONBOID, series ? JsonbPGetDatum(series) : (Datum) 0, series == NULL);
	add_text(&args, t->message);
	registry_run(&t->registry, "UPDATE @.rnn_registry_run SET finished = clock_timestamp(), outcome = $2, version = $3, "
				 "points = $4, mase = $5, live_mase = $6, mix_mase = $7, series = $8, message = $9 WHERE id = $1", &args, false);
}
